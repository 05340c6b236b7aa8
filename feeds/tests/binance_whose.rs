//! Snapshots of Binance that do not say whose they are: they are given to a symbol only where its
//! frames lead to just that book, and change nothing else.

mod common;

use common::levels::{Run, best, read};
use feeds::recording::{Options, open_bytes};
use market::{BookState, InstrumentId};

const A: InstrumentId = InstrumentId(0);
const B: InstrumentId = InstrumentId(1);
const UNKNOWN: &str = "a snapshot does not say whose it is, and nothing else tells";
/// What is counted of frames that still wait at the end.
const WAITS: &str = "an update of a book whose next snapshot never came";
const NEEDLESS: &str = "a snapshot that does not say whose it is, while no book waits for one";

/// A line with a frame of USD-M: `pu`, `U`, `u`, and bids as they stand.
fn frame(symbol: &str, [previous, first, last]: [u64; 3], bids: &str) -> String {
    format!(
        r#"1723161255000000000 {{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"{symbol}","U":{first},"u":{last},"pu":{previous},"b":[{bids}],"a":[]}}"#
    )
}

fn snapshot(last: u64, bids: &str) -> String {
    format!(r#"1723161255000000000 {{"lastUpdateId":{last},"bids":[{bids}],"asks":[["99","1"]]}}"#)
}

/// All lines, the states of a book behind each, and what is left.
fn told(lines: &[String], id: InstrumentId) -> (Vec<BookState>, Option<String>, Skipped) {
    let bytes = lines.join("\n").into_bytes();
    let mut run = Run::new(open_bytes(&bytes, Options::default()).unwrap());
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(id));
    }
    (states, run.top(id)[0].clone().map(|(price, _)| price), run.skipped())
}

type Skipped = Vec<(&'static str, u64)>;

use BookState::{Live, Recovering};

#[test]
fn a_book_that_waits_for_none_is_not_replaced() {
    let lines = [
        frame("AAA", [0, 1, 5], r#"["9","1"]"#),
        snapshot(5, r#"["9","1"]"#),
        // The next symbol was asked for, and no frame of it has come.
        snapshot(1_000_000, r#"["70","1"]"#),
        frame("AAA", [5, 6, 7], r#"["9.5","1"]"#),
        frame("BBB", [0, 999_999, 1_000_001], r#"["71","1"]"#),
    ];
    let (states, top, skipped) = told(&lines, A);
    assert_eq!(states, [Recovering, Live, Live, Live, Live]);
    assert_eq!((top.as_deref(), skipped), (Some("9.5"), vec![(NEEDLESS, 1), (WAITS, 1)]));
}

/// Numbers of USD-M are alike, whatever the symbol.
#[test]
fn a_number_within_the_frames_is_not_enough() {
    let lines = |other: &str| {
        [
            frame("AAA", [0, 1, 5], r#"["9","1"],["8","2"],["7","0"]"#),
            frame("AAA", [5, 6, 9], r#"["9","3"]"#),
            snapshot(5, other),
            snapshot(5, r#"["9","1"],["8","2"]"#),
        ]
    };
    for (name, other) in [
        ("other prices", r#"["70","1"]"#),
        ("another quantity", r#"["9","1"],["8","2.5"]"#),
        ("a level that is not there", r#"["9","1"],["6","1"]"#),
        ("a level that was taken off", r#"["9","1"],["8","2"],["7","1"]"#),
        ("words", r#"["nine","1"]"#),
        ("nothing", ""),
    ] {
        let (states, top, skipped) = told(&lines(other), A);
        assert_eq!(states, [Recovering, Recovering, Recovering, Live], "{name}");
        assert_eq!((top.as_deref(), skipped), (Some("9"), vec![(UNKNOWN, 1)]), "{name}");
    }
    // What the frame behind the snapshot changed may be in it, and it need not go so deep.
    for own in
        [r#"["9","3"]"#, r#"["9","3"],["8","2"]"#, r#"["10","1"],["9","1"],["8","2"],["7.5","1"]"#]
    {
        let (states, ..) = told(&lines(own), A);
        assert_eq!(states[2], Live, "{own}");
    }
    let deep = [frame("AAA", [0, 1, 5], r#"["9","1"],["2","2"]"#), snapshot(5, r#"["9","1"]"#)];
    assert_eq!(told(&deep, A).0, [Recovering, Live]);
}

/// As the venue's own procedure names it: the first frame that is applied holds the snapshot's number.
#[test]
fn no_frame_need_be_wholly_before_a_snapshot() {
    let lines = |bids: &str| {
        [
            frame("AAA", [0, 1, 5], r#"["9","1"]"#),
            snapshot(3, bids),
            frame("AAA", [5, 6, 7], r#"["9.5","1"]"#),
        ]
    };
    for own in [r#"["9","2"],["8","1"]"#, r#"["9.2","2"],["8","1"]"#] {
        let (states, top, skipped) = told(&lines(own), A);
        assert_eq!(states, [Recovering, Live, Live], "{own}");
        assert_eq!((top.as_deref(), skipped), (Some("9.5"), vec![]), "{own}");
    }
    let (states, _, skipped) = told(&lines(r#"["70","1"]"#), A);
    assert_eq!(states, [Recovering; 3], "its prices are another symbol's");
    assert_eq!(skipped, [(UNKNOWN, 1), (WAITS, 2)]);

    // And it may stand before the first frame of all.
    let [first, own, second] = lines(r#"["9","2"],["8","1"]"#);
    assert_eq!(told(&[own.clone(), first, second], A).0, [Recovering, Live, Live]);
    assert_eq!(told(&[own], A).2, [(UNKNOWN, 1)]);
}

#[test]
fn what_fits_two_is_nobodys() {
    let lines = [
        frame("AAA", [0, 1, 6], r#"["9","1"],["8","1"]"#),
        frame("BBB", [0, 1, 6], r#"["9","1"]"#),
        snapshot(6, r#"["9","1"],["8","1"]"#),
        frame("BBB", [6, 7, 8], r#"["8","2"]"#),
        snapshot(8, r#"["9","1"],["8","2"]"#),
    ];
    for (id, end) in [(A, Recovering), (B, Live)] {
        let (states, _, skipped) = told(&lines, id);
        assert_eq!(states, [Recovering, Recovering, Recovering, Recovering, end]);
        assert_eq!(skipped, [(UNKNOWN, 1), (WAITS, 1)]);
    }
}

/// What is ahead of the frames waits until they have come as far.
#[test]
fn a_snapshot_ahead_of_the_frames_is_kept() {
    let lines = |bids: &str| {
        [
            frame("AAA", [0, 1, 5], r#"["9","1"]"#),
            snapshot(8, bids),
            frame("AAA", [5, 6, 7], r#"["9","2"]"#),
            frame("AAA", [7, 8, 9], r#"["9.5","1"]"#),
            frame("AAA", [9, 10, 11], r#"["9.5","4"]"#),
        ]
    };
    let own = lines(r#"["9","2"],["8","1"]"#);
    let (states, top, skipped) = told(&own, A);
    assert_eq!(states, [Recovering, Recovering, Recovering, Live, Live]);
    assert_eq!((top.as_deref(), skipped), (Some("9.5"), vec![]));
    let bytes = own.join("\n").into_bytes();
    let run = read(&bytes).all();
    assert_eq!(run.top(A)[0], best("9.5", "4"));
    assert!(run.recording.counts().others.contains(&("snapshots held", 1)));

    let (states, top, skipped) = told(&lines(r#"["70","1"]"#), A);
    assert_eq!(states, [Recovering; 5]);
    assert_eq!((top, skipped), (None, vec![(UNKNOWN, 1), (WAITS, 4)]));
}

#[test]
fn kept_snapshots_are_bounded() {
    let mut lines = vec![frame("AAA", [0, 1, 5], r#"["9","1"]"#)];
    lines.extend((0..300).map(|at| snapshot(1000 + at, r#"["70","1"]"#)));
    let bytes = lines.join("\n").into_bytes();
    let mut run = Run::new(open_bytes(&bytes, Options::default()).unwrap());
    (0..lines.len()).for_each(|_| assert!(run.step()));
    assert_eq!(run.skipped(), [(UNKNOWN, 44)]);
    assert!(!run.step());
    assert_eq!(run.skipped(), [(UNKNOWN, 300), (WAITS, 1)]);
}
