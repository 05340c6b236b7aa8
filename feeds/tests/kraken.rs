//! Frames of Kraken: the venue's checksum as the judge, and every kind of bad input.

mod common;

use common::kraken::sum_of;
use common::levels::{ONLY, Run, best, read};
use common::recorded;
use feeds::kraken::frame::Frame;
use feeds::recording::{Options, Source, open};
use market::{BookState, BookView, EventFlags, EventKind, InstrumentId, Side};

const HEADER: &str = "wss://ws.kraken.com <-> 1618678132.3858151\n\
    wss://ws.kraken.com <- 1618678132.8253062: {\"event\":\"subscribe\"}\n";

/// Lines as the recorder writes them, behind those of the connection.
fn lines(frames: &[&str]) -> Vec<u8> {
    let lines = frames.iter().map(|frame| format!("1618678133.5: {frame}\n"));
    (HEADER.to_owned() + &lines.collect::<String>()).into_bytes()
}

/// The example of the venue's guide ("Book checksum (v1)"): ten levels a side and their sum.
fn of_the_guide() -> (String, String) {
    let asks = [
        ("0.05005", "0.00000500"),
        ("0.05010", "0.00000500"),
        ("0.05015", "0.00000500"),
        ("0.05020", "0.00000500"),
        ("0.05025", "0.00000500"),
        ("0.05030", "0.00000500"),
        ("0.05035", "0.00000500"),
        ("0.05040", "0.00000500"),
        ("0.05045", "0.00000500"),
        ("0.05050", "0.00000500"),
    ];
    let bids = [
        ("0.05000", "0.00000500"),
        ("0.04995", "0.00000500"),
        ("0.04990", "0.00000500"),
        ("0.04980", "0.00000500"),
        ("0.04975", "0.00000500"),
        ("0.04970", "0.00000500"),
        ("0.04965", "0.00000500"),
        ("0.04960", "0.00000500"),
        ("0.04955", "0.00000500"),
        ("0.04950", "0.00000500"),
    ];
    let side = |levels: [(&str, &str); 10]| {
        let level = |(price, volume)| format!(r#"["{price}","{volume}","1618678133.1"]"#);
        levels.map(level).join(",")
    };
    (side(asks), side(bids))
}

fn snapshot(depth: usize, asks: &str, bids: &str) -> String {
    format!(r#"[336,{{"as":[{asks}],"bs":[{bids}]}},"book-{depth}","XBT/USD"]"#)
}

fn update(side: &str, levels: &str, sum: Option<u32>) -> String {
    let sum = sum.map(|sum| format!(r#","c":"{sum}""#)).unwrap_or_default();
    format!(r#"[336,{{"{side}":[{levels}]{sum}}},"book-10","XBT/USD"]"#)
}

/// The sum of a book that these levels make.
fn sum(asks: &str, bids: &str) -> u32 {
    let [asks, bids] = [asks, bids].map(|side| {
        let rows: Vec<[String; 3]> = serde_json::from_str(&format!("[{side}]")).unwrap();
        rows.into_iter().map(|[price, volume, _]| (price, volume)).collect::<Vec<_>>()
    });
    sum_of(&asks, &bids)
}

#[test]
fn the_checksum_of_the_guide() {
    let (asks, bids) = of_the_guide();
    assert_eq!(sum(&asks, &bids), 974_947_235);
}

#[test]
fn snapshots_and_updates_make_a_book() {
    let (asks, bids) = of_the_guide();
    // A level within the first ten goes, a better one comes: one beyond the depth falls out.
    let better = r#"["0.05002","0.10000000","1618678134.250001"]"#;
    let asks_after = format!("{better},{asks}");
    let frames = [
        r#"{"event":"systemStatus","status":"online"}"#.to_owned(),
        snapshot(10, &asks, &bids),
        update("a", better, Some(sum(&asks_after, &bids))),
        // Both sides in two parts, as the venue sends them; a level told once more.
        format!(
            r#"[336,{{"a":[["0.05002","0.00000000","1618678135.1"]]}},{{"b":[["0.05000","0.00000500","1618678135.2","r"]],"c":"{}"}},"book-10","XBT/USD"]"#,
            sum(&asks[..asks.rfind(",[").unwrap()], &bids)
        ),
        r#"{"event":"heartbeat"}"#.to_owned(),
    ];
    let bytes = lines(&frames.each_ref().map(String::as_str));
    let mut run = read(&bytes);
    while run.unit.events.is_empty() {
        assert!(run.step());
    }
    assert_eq!(run.unit.events.len(), 21);
    assert!(run.unit.events.iter().all(|event| event.flags.has(EventFlags::SNAPSHOT)));
    assert_eq!(
        (run.unit.events[0].kind(), run.state(ONLY)),
        (Some(EventKind::Clear), BookState::Live)
    );
    assert!(run.step());
    assert_eq!(run.top(ONLY)[1], best("0.05002", "0.1"));
    assert_eq!(run.unit.exchange_time.nanos(), 1_618_678_134_250_001_000);
    assert_eq!(run.unit.received.nanos(), 1_618_678_133_500_000_000);
    let book = run.books.book(ONLY);
    assert_eq!([Side::Buy, Side::Sell].map(|side| book.depth(side)), [10, 10]);
    let run = run.all();
    assert_eq!(run.books.book(ONLY).depth(Side::Sell), 9);
    let counts = run.recording.counts();
    assert_eq!((counts.messages, counts.others), (5, vec![("checksums", 2)]));
    assert_eq!(run.recording.instruments().all()[0].symbol, "XBT/USD");
    assert_eq!(run.skipped(), []);
}

/// Offers at ten thousand million stand in real books.
#[test]
fn asks_beyond_the_range_of_prices_are_left_out() {
    let high = r#"["11","1.0","1618678133.1"],["9999999997.00000","0.001","1618678133.1"]"#;
    let bid = r#"["9.0","1.0","1618678133.1"]"#;
    let both = format!(r#"["10.5","1.0","1618678133.1"],{high}"#);
    let frames = [
        snapshot(10, high, bid),
        update("a", r#"["10.5","1.0","1618678133.1"]"#, Some(sum(&both, bid))),
        update("a", r#"["9999999997.00000","0.000","1618678133.1"]"#, None),
    ];
    let bytes = lines(&frames.each_ref().map(String::as_str));
    let run = read(&bytes).all();
    assert_eq!(
        (run.top(ONLY), run.state(ONLY)),
        ([best("9", "1"), best("10.5", "1")], BookState::Live)
    );
    assert_eq!(run.recording.counts().others, [("checksums", 1), ("asks too high", 2)]);
}

#[test]
fn trades_and_what_is_counted_only() {
    let frames = [
        r#"[0,[["5541.20000","0.15850568","1534614057.321597","s","l",""],["6060.00000","0.02455000","1534614057.324998","b","m",""]],"trade","XBT/USD"]"#,
        r#"[0,["5698.4","5700.0","1542057299.545897","1.0","0.9"],"spread","XBT/USD"]"#,
        r#"[0,{"a":["1",1,"1"]},"ticker","XBT/USD"]"#,
        r#"[42,["1542057314.748456"],"ohlc-5","XBT/USD"]"#,
        r#"{"event":"subscriptionStatus","status":"error","errorMessage":"no"}"#,
        r#"{"event":"pong","reqid":42}"#,
    ];
    let bytes = lines(&frames);
    let mut run = read(&bytes);
    while run.unit.events.is_empty() {
        assert!(run.step());
    }
    let sides: Vec<_> = run.unit.events.iter().map(|event| (event.kind(), event.side())).collect();
    use EventKind::Trade;
    assert_eq!(sides, [(Some(Trade), Some(Side::Buy)), (Some(Trade), Some(Side::Sell))]);
    assert_eq!(run.unit.events[1].qty.raw(), 2_455_000);
    let run = run.all();
    let by_type = run.recording.counts().by_type;
    let names: Vec<&str> = by_type.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["trade", "ticker", "ohlc", "spread", "subscriptionStatus", "other"]);
}

/// A book of one level a side that is Live, what a bad line does to it, and why.
fn bad(line: &str) -> (BookState, Vec<String>) {
    let level = |price| format!(r#"["{price}","1.00000000","1618678133.1"]"#);
    let whole = snapshot(10, &level(11), &level(9));
    let bytes = lines(&[&whole, line, r#"{"event":"heartbeat"}"#]);
    let run = read(&bytes).all();
    assert_eq!(run.recording.counts().messages, 3, "{line}");
    assert_eq!(run.top(ONLY), [best("9", "1"), best("11", "1")], "{line}");
    let log = run.recording.log();
    let skipped = log.skipped().map(|(reason, ..)| reason.to_owned());
    let damaged = log.damaged().1.iter().map(|noted| noted.reason.to_string());
    (run.state(ONLY), skipped.chain(damaged).collect())
}

#[test]
fn bad_input_an_update_that_cannot_be_true_loses_the_book() {
    let level = r#"["10","1.00000000","1618678133.1"]"#;
    let with = |level: &str| update("b", level, None);
    for (name, line) in [
        ("wrong checksum", update("b", level, Some(7))),
        ("checksum of words", with(level).replace("]}", r#"],"c":"x"}"#)),
        ("checksum that is a number", with(level).replace("]}", r#"],"c":7}"#)),
        ("null price", with(r#"[null,"1","1618678133.1"]"#)),
        ("numbers for strings", with("[10,1,1618678133.1]")),
        ("half a level", with(r#"["10"]"#)),
        ("exponent", with(r#"["1e1","1","1618678133.1"]"#)),
        ("negative volume", with(r#"["10","-1","1618678133.1"]"#)),
        ("price of zero", with(r#"["0.0","1","1618678133.1"]"#)),
        ("too fine", with(r#"["10","0.000000001","1618678133.1"]"#)),
        ("bid out of range", with(r#"["99999999999999","1","1618678133.1"]"#)),
        ("volume out of range", with(r#"["10","99999999999999","1618678133.1"]"#)),
        ("no time", with(r#"["10","1","now"]"#)),
        ("key twice", with(level).replace(r#"{"b""#, r#"{"b":[],"b""#)),
        ("depth of words", with(level).replace("book-10", "book-ten")),
        ("no data", r#"[336,"book-10","XBT/USD"]"#.to_owned()),
        ("snapshot of words", snapshot(10, r#"["a","b","c"]"#, "")),
    ] {
        let (state, why) = bad(&line);
        assert_eq!((state, why.len()), (BookState::Suspect, 1), "{name}: {why:?}");
    }
}

#[test]
fn bad_input_what_is_no_frame_is_said_and_changes_nothing() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (name, line) in [
        ("no JSON", "[336,"),
        ("trailing bytes", r#"{"event":"heartbeat"} }"#),
        ("no object", "7"),
        ("object of nothing", "{}"),
        ("event of the wrong type", r#"{"event":7}"#),
        ("deep nesting", &deep),
        ("short array", "[1,2]"),
        ("pair that is a number", r#"[336,{"b":[]},"book-10",7]"#),
        ("trade of words", r#"[0,[["a","b","c","s","l",""]],"trade","XBT/USD"]"#),
        ("half a trade", r#"[0,[["1","1"]],"trade","XBT/USD"]"#),
        ("other pair's update", r#"[1,{"b":[]},"book-10","ETH/USD"]"#),
    ] {
        let (state, why) = bad(line);
        assert_eq!((state, why.len()), (BookState::Live, 1), "{name}: {why:?}");
    }
}

/// A checksum is over ten levels a side: what a line that cannot be read changed in them it shows with
/// the next update. A book that goes deeper is lost at once.
#[test]
fn bad_input_what_nobody_can_read_loses_what_no_checksum_covers() {
    let level = |price| format!(r#"["{price}","1.00000000","1618678133.1"]"#);
    let long = "x".repeat(9 << 20);
    for (depth, state) in [(10, BookState::Live), (25, BookState::Suspect)] {
        for line in ["[336,", "{}", "[1,2]", r#"[336,{"b":[]},"book-10",7]"#, "7", &long] {
            let bytes = lines(&[&snapshot(depth, &level(11), &level(9)), line]);
            let run = read(&bytes).all();
            assert_eq!(run.state(ONLY), state, "{depth}");
            assert_eq!(run.recording.log().damaged().0, 1);
        }
        // These are of no book.
        for line in [r#"[0,[["1","1"]],"trade","XBT/USD"]"#, r#"[1,{"b":7},"book-10","ETH/USD"]"#] {
            let bytes = lines(&[&snapshot(depth, &level(11), &level(9)), line]);
            assert_eq!(read(&bytes).all().state(ONLY), BookState::Live, "{depth}");
        }
    }
}

#[test]
fn bad_input_lines_that_are_not_the_recorders() {
    let good = lines(&[r#"{"event":"heartbeat"}"#]);
    let bytes = [&good[..], b"{}\n\xff\n\nnow: {}\n1618: ", br#"{"event""#].concat();
    let run = read(&bytes).all();
    assert_eq!(run.recording.counts().messages, 4);
    let log = run.recording.log();
    assert_eq!(log.damaged().0, 3);
    assert_eq!(log.is_cut().unwrap().position, good.len() as u64 + 14);
}

#[test]
fn a_snapshot_ends_what_was_lost_and_a_connection_begins_anew() {
    let level = |price| format!(r#"["{price}","1.00000000","1618678133.1"]"#);
    let whole = snapshot(10, &level(11), &level(9));
    let wrong = update("b", &level(10), Some(7));
    let right = update("b", &level(10), None);
    let mut bytes = lines(&[&whole, &wrong, &right, &whole]);
    bytes.extend_from_slice(&lines(&[&right, &whole]));
    let mut run = read(&bytes);
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    use BookState::{Gap, Live, Recovering, Suspect};
    // Two lines of each connection are no frames.
    let expected = [Recovering, Recovering, Live, Suspect, Suspect, Live, Gap, Gap, Gap, Live];
    assert_eq!(states, expected);
    assert_eq!(run.top(ONLY), [best("9", "1"), best("11", "1")]);
    let no_snapshot = "an update of a book whose snapshot did not come";
    assert!(run.skipped().contains(&(no_snapshot, 2)), "{:?}", run.skipped());
}

#[test]
fn frames_are_read_whatever_their_white_space() {
    let frame = br#"[ 336 , { "b" : [ [ "1" , "2" , "3" ] ] } , "book-10" , "X\u002fY" ]"#;
    let Ok(Frame::Books(books)) = Frame::parse(frame) else { panic!("no book") };
    let (book, bids) = (&books[0], &books[0].parts[1]);
    assert_eq!((&*book.pair, book.depth, bids.0, bids.1.len()), ("X/Y", Some(10), Side::Buy, 1));
}

#[test]
fn every_checksum_of_the_recording_holds() {
    let test = "every_checksum_of_the_recording_holds";
    let Some(path) = recorded(test, "cryptofeed_ws/KRAKEN.ws.50.0.gz") else { return };
    let run = Run::new(open(&Source::file(path), Options::default()).unwrap()).all();
    let counts = run.recording.counts();
    assert_eq!(counts.others, [("checksums", 4269), ("asks too high", 1)]);
    assert_eq!(counts.messages, 4321);
    let by_type: Vec<_> = counts.by_type.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(
        by_type,
        [
            ("book snapshot", 10),
            ("book update", 4269),
            ("heartbeat", 31),
            ("systemStatus", 1),
            ("subscriptionStatus", 10)
        ]
    );
    assert_eq!((run.skipped(), run.recording.log().damaged().0), (vec![], 0));
    assert!(run.recording.log().is_cut().is_none());
    let all = run.recording.instruments().all();
    assert_eq!(all.len(), 10);
    for known in all {
        assert_eq!(run.state(InstrumentId(known.id.0)), BookState::Live, "{}", known.symbol);
    }
}
