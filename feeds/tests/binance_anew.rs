//! Numbers of Binance that begin anew, and snapshots of before a loss: a book is not believed because
//! nothing new is said of it.

mod common;

use common::levels::{ONLY, best, read};
use market::BookState::{self, Gap, Live, Recovering, Suspect};

const TOLD: u64 = 1_723_161_256_000;

/// A line with a frame of USD-M that is sent so many seconds after the first.
fn frame(second: u64, [previous, first, last]: [u64; 3], bids: &str) -> String {
    let time = TOLD + second * 1_000;
    format!(
        r#"{time}000000 {{"e":"depthUpdate","E":{time},"T":{time},"s":"X","U":{first},"u":{last},"pu":{previous},"b":[{bids}],"a":[]}}"#
    )
}

fn snapshot(last: u64, bids: &str) -> String {
    format!(
        r#"{TOLD}000000 {{"lastUpdateId":{last},"symbol":"X","bids":[{bids}],"asks":[["99","1"]]}}"#
    )
}

fn states(lines: &[String]) -> (Vec<BookState>, Option<(String, String)>) {
    let bytes = lines.join("\n").into_bytes();
    let mut run = read(&bytes);
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    (states, run.top(ONLY)[0].clone())
}

/// Ten seconds without anything new, though frames come.
#[test]
fn numbers_that_begin_anew_are_a_gap() {
    let lines = [
        frame(0, [0, 1, 5], r#"["9","1"]"#),
        snapshot(5, r#"["9","1"]"#),
        // A number that a damaged line made of a smaller one.
        frame(1, [5, 6, 1_000_000], r#"["9.1","1"]"#),
        frame(2, [6, 7, 8], r#"["9","2"]"#),
        frame(11, [8, 9, 10], r#"["9","3"]"#),
        frame(13, [10, 11, 12], r#"["9","4"]"#),
        frame(14, [12, 13, 14], r#"["9.2","1"]"#),
        snapshot(12, r#"["9.1","1"],["9","4"]"#),
        frame(15, [14, 15, 16], r#"["9.3","1"]"#),
    ];
    let (states, top) = states(&lines);
    assert_eq!(states, [Recovering, Live, Live, Live, Live, Gap, Gap, Live, Live]);
    assert_eq!(top, best("9.3", "1"));
}

/// What another connection tells again is no new count, however long nothing else happens.
#[test]
fn what_is_told_again_is_no_new_count() {
    let mut lines = vec![frame(0, [0, 1, 5], r#"["9","1"]"#), snapshot(5, r#"["9","1"]"#)];
    for number in 1..40 {
        let ids = [4 + number, 5 + number, 5 + number];
        lines.push(frame(60 * number, ids, ""));
        lines.push(frame(60 * number, ids, ""));
        lines.push(frame(60 * number + 1, ids, ""));
    }
    assert!(states(&lines).0[1..].iter().all(|&state| state == Live));
}

/// A snapshot is ahead of the frames of a quiet symbol, the next of which is held in it.
#[test]
fn a_frame_that_a_snapshot_held_is_no_new_count() {
    let lines = [
        frame(0, [0, 1, 5], r#"["9","1"]"#),
        snapshot(5, r#"["9","1"]"#),
        frame(1, [5, 6, 7], r#"["9","2"]"#),
        snapshot(9, r#"["9","3"]"#),
        frame(30, [7, 8, 8], r#"["9","4"]"#),
        frame(30, [8, 9, 9], r#"["9","3"]"#),
        frame(60, [9, 10, 11], r#"["9","5"]"#),
    ];
    let (states, top) = states(&lines);
    assert!(states[1..].iter().all(|&state| state == Live), "{states:?}");
    assert_eq!(top, best("9", "5"));
}

/// A connection that lags for long and is the only one then.
#[test]
fn what_a_slow_connection_tells_is_no_new_count() {
    let at = |second: u64| frame(second, [4 + second, 5 + second, 5 + second], "");
    let mut lines = vec![frame(0, [0, 1, 5], r#"["9","1"]"#), snapshot(5, r#"["9","1"]"#)];
    lines.extend((1..60).map(at).chain((30..61).map(at)));
    assert!(states(&lines).0[1..].iter().all(|&state| state == Live));
}

/// What is held begins anew as well, so that a snapshot can lead to it.
#[test]
fn numbers_that_begin_anew_while_a_snapshot_is_waited_for() {
    let lines = [
        frame(0, [0, 1, 1_000_000], r#"["9","1"]"#),
        frame(1, [1, 2, 3], ""),
        frame(12, [3, 4, 5], r#"["9","2"]"#),
        frame(13, [5, 6, 7], ""),
        snapshot(6, r#"["9","2"]"#),
    ];
    let (states, top) = states(&lines);
    assert_eq!((states[4], top), (Live, best("9", "2")));
}

#[test]
fn a_snapshot_must_be_newer_than_what_was_told_before_a_loss() {
    let lines = |last| {
        [
            frame(0, [0, 1, 5], r#"["9","1"]"#),
            snapshot(5, r#"["9","1"]"#),
            frame(1, [5, 6, 7], r#"["9","x"]"#),
            snapshot(last, r#"["9","1"]"#),
        ]
    };
    assert_eq!(states(&lines(5)).0, [Recovering, Live, Suspect, Suspect]);
    assert_eq!(states(&lines(7)).0, [Recovering, Live, Suspect, Live]);
}
