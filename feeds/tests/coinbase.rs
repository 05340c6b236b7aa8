//! Frames of Coinbase: books by level and by order, gaps, and every kind of bad input.

mod common;

use common::coinbase::{l2_data, l2_level, lines};
use common::levels::{ONLY, Run, best, read};
use common::recorded;
use feeds::recording::{Books, Options, Source, open, open_bytes};
use market::book::OrderBooks;
use market::{BookState, BookView, Event, EventFlags, EventKind, Side};
use serde_json::Value;
use std::collections::HashSet;
use std::io::{BufRead, BufReader};

const SNAPSHOT: &str = r#"{"type":"snapshot","product_id":"BTC-USD","asks":[["11.5","2"],["9999999999.99","1"]],"bids":[["10.5","0.25"],["10","3"]]}"#;

fn update(changes: &str) -> String {
    format!(
        r#"{{"type":"l2update","product_id":"BTC-USD","changes":[{changes}],"time":"2021-04-17T16:43:37.075687Z"}}"#
    )
}

#[test]
fn level2_makes_a_book_by_level() {
    let (first, second) =
        (update(r#"["sell","11.0","0.5"]"#), update(r#"["buy","10.5","0.00"],["buy","10.7","1"]"#));
    let early = update(r#"["buy","1","1"]"#);
    let trade = r#"{"type":"match","trade_id":280232,"maker_order_id":"2a0da34e-61f7-4c36-88e5-c9dd15927b16","taker_order_id":"3c82abaa-c01e-4608-be59-6a1e69742891","side":"sell","size":"985","price":"0.00001305","product_id":"SKL-BTC","sequence":177100030,"time":"2021-04-17T16:43:37.089723Z"}"#;
    let last = trade.replace("match\"", "last_match\"");
    let bytes = lines(&[
        &early,
        SNAPSHOT,
        &first,
        &second,
        trade,
        &last,
        r#"{"type":"subscriptions","channels":[]}"#,
    ]);
    let mut run = read(&bytes);
    while run.unit.events.is_empty() {
        assert!(run.step());
    }
    assert_eq!(run.kinds()[0], EventKind::Clear);
    assert!(run.unit.events.iter().all(|event| event.flags.has(EventFlags::SNAPSHOT)));
    // The ask at ten thousand million is beyond what a price can be.
    assert_eq!(run.unit.events.len(), 4);
    assert!(run.step() && run.top(ONLY) == [best("10.5", "0.25"), best("11", "0.5")]);
    assert_eq!(run.unit.exchange_time.nanos(), 1_618_677_817_075_687_000);
    assert!(run.step() && run.top(ONLY)[0] == best("10.7", "1"));
    assert!(run.step());
    let event = run.unit.events[0];
    assert_eq!(
        (event.kind(), event.order, event.side()),
        (Some(EventKind::Trade), 280_232, Some(Side::Sell))
    );
    // Of what is cheap, sizes have fewer digits.
    assert_eq!(event.qty.raw(), 985_000_000);
    let run = run.all();
    assert_eq!(run.state(ONLY), BookState::Live);
    assert_eq!(run.recording.counts().messages, 7);
    assert_eq!(run.skipped(), [("an update of a book whose snapshot did not come", 1)]);
}

const MAKER: &str = "da863862-25f4-4868-ac41-005d11ab0a5f";
const OTHER: &str = "ac928c66-ca53-498f-9c13-a110027a60e8";

const NEVER_JOINED: &str = "an update of a book whose next snapshot never came";

/// A message of the full channel.
fn full(kind: &str, sequence: u64, fields: &str) -> String {
    format!(
        r#"{{"type":"{kind}","product_id":"BTC-USD","sequence":{sequence},"time":"2014-11-07T08:19:27.028459Z","side":"sell",{fields}}}"#
    )
}

fn opened(sequence: u64, id: &str, price: &str, size: &str) -> String {
    full(
        "open",
        sequence,
        &format!(r#""order_id":"{id}","price":"{price}","remaining_size":"{size}""#),
    )
}

fn matched(sequence: u64, id: &str, size: &str) -> String {
    full(
        "match",
        sequence,
        &format!(
            r#""trade_id":10,"maker_order_id":"{id}","taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","size":"{size}","price":"200.2""#
        ),
    )
}

fn rest(sequence: u64, asks: &str) -> String {
    format!(
        r#"https://api.exchange.coinbase.com/products/BTC-USD/book?level=3 -> 1618677818.5: {{"sequence":{sequence},"bids":[["199","1","00000000-0000-0000-0000-000000000007"]],"asks":[{asks}]}}"#
    )
}

/// Every event of a recording by order, and the books that they made.
fn by_order(frames: &[String]) -> (Vec<Event>, OrderBooks, Vec<(&'static str, u64)>, u64) {
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    let bytes = lines(&frames);
    let mut recording = open_bytes(&bytes, Options::default()).unwrap();
    let (mut unit, mut events) = (Default::default(), Vec::new());
    let mut books = OrderBooks::growing();
    books.admit(ONLY);
    while recording.next_unit(&mut unit).unwrap() {
        for event in &unit.events {
            assert_eq!(books.apply(event).contradiction, None, "{event:?}");
        }
        events.append(&mut unit.events);
    }
    assert_eq!(recording.describe().books, Books::ByOrder);
    let skipped = recording.log().skipped().map(|(reason, count, _)| (reason, count)).collect();
    (events, books, skipped, recording.log().gaps().0)
}

fn level(books: &OrderBooks, side: Side) -> Option<(String, i64)> {
    let level = books.book(ONLY).best(side)?;
    Some((level.price.to_string(), level.qty.raw()))
}

#[test]
fn the_full_channel_makes_a_book_by_order() {
    let start = [
        full("received", 9, r#""order_id":"x","order_type":"market","funds":"3000.234""#),
        matched(10, MAKER, "1"),
        matched(11, MAKER, "0.5"),
        rest(10, &format!(r#"["200.2","2","{MAKER}"],["9999999999","1","{OTHER}"]"#)),
    ];
    // The match within the snapshot is in it already; the one behind it takes from it.
    let (events, books, skipped, _) = by_order(&start);
    assert_eq!(level(&books, Side::Sell), Some(("200.2".into(), 150_000_000)));
    assert_eq!(skipped, []);
    let trades = events.iter().filter(|event| event.kind() == Some(EventKind::Trade)).count();
    assert_eq!((trades, events.len()), (2, 6));

    let then = [
        opened(12, OTHER, "200.1", "1"),
        full(
            "change",
            13,
            &format!(r#""order_id":"{OTHER}","price":"200.1","old_size":"1","new_size":"0.25""#),
        ),
        full(
            "change",
            14,
            &format!(
                r#""reason":"modify_order","order_id":"{OTHER}","old_price":"200.1","new_price":"200.15","old_size":"0.25","new_size":"4""#
            ),
        ),
        full("change", 15, r#""order_id":"x","old_funds":"12.2","new_funds":"11.3","price":null"#),
        matched(16, MAKER, "1.5"),
        full(
            "done",
            17,
            &format!(
                r#""order_id":"{MAKER}","price":"200.2","reason":"filled","remaining_size":"0""#
            ),
        ),
        full("done", 18, r#""order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","reason":"filled""#),
    ];
    let (events, books, skipped, gaps) = by_order(&[&start[..], &then].concat());
    assert_eq!((skipped, gaps), (vec![], 0));
    assert_eq!(level(&books, Side::Sell), Some(("200.15".into(), 400_000_000)));
    assert_eq!(level(&books, Side::Buy), Some(("199".into(), 100_000_000)));
    assert_eq!(books.book(ONLY).orders(), 2);
    assert!(events.iter().any(|event| event.kind() == Some(EventKind::Execute)));
    assert_eq!(books.book(ONLY).state(), BookState::Live);
    let canceled = full(
        "done",
        19,
        &format!(
            r#""order_id":"{OTHER}","price":"200.15","reason":"canceled","remaining_size":"4""#
        ),
    );
    let (_, books, ..) = by_order(&[&start[..], &then, &[canceled]].concat());
    assert_eq!(level(&books, Side::Sell), None);
}

#[test]
fn messages_whose_book_never_comes_are_counted_at_the_end() {
    let messages = [opened(10, MAKER, "200.2", "2"), opened(11, OTHER, "200.1", "1")];
    let (_, _, skipped, _) = by_order(&messages);
    assert_eq!(skipped, [(NEVER_JOINED, 2)]);
    let book = rest(11, &format!(r#"["200.2","2","{MAKER}"]"#));
    let (_, _, skipped, _) = by_order(&[&messages[..], &[book]].concat());
    assert_eq!(skipped, []);
}

#[test]
fn trades_that_a_snapshot_is_ahead_of_are_told_once_and_change_no_book() {
    let frames = [
        opened(95, OTHER, "201", "1"),
        rest(100, &format!(r#"["200.2","2","{MAKER}"]"#)),
        matched(96, OTHER, "1"),
        opened(97, MAKER, "200.2", "3"),
        matched(98, MAKER, "0.25"),
        matched(100, MAKER, "0.75"),
        matched(98, MAKER, "0.25"),
        matched(101, MAKER, "0.5"),
        matched(101, MAKER, "0.5"),
    ];
    let (events, books, skipped, gaps) = by_order(&frames);
    assert_eq!((skipped, gaps), (vec![], 0));
    let told = events.iter().filter(|event| event.kind() == Some(EventKind::Trade));
    let told: Vec<_> = told.map(|event| (event.qty.raw(), event.order, event.side())).collect();
    let trade = |qty| (qty, 10, Some(Side::Sell));
    assert_eq!(told, [100_000_000, 25_000_000, 75_000_000].map(trade));
    let executed = events.iter().filter(|event| event.kind() == Some(EventKind::Execute)).count();
    assert_eq!(executed, 1);
    assert_eq!(level(&books, Side::Sell), Some(("200.2".into(), 150_000_000)));
    assert_eq!(books.book(ONLY).state(), BookState::Live);
}

#[test]
fn messages_that_are_missing_are_a_gap_until_a_snapshot_leads_on() {
    let mut frames = vec![
        opened(5, OTHER, "201", "1"),
        rest(5, &format!(r#"["201","1","{OTHER}"]"#)),
        opened(8, MAKER, "200.2", "2"),
        matched(9, MAKER, "0.5"),
    ];
    let (_, books, skipped, gaps) = by_order(&frames);
    // Both behind the hole wait.
    let waiting = vec![(NEVER_JOINED, 2)];
    assert_eq!((books.book(ONLY).state(), skipped, gaps), (BookState::Gap, waiting, 1));
    frames.push(rest(6, ""));
    let (_, books, skipped, _) = by_order(&frames);
    assert_eq!(books.book(ONLY).state(), BookState::Gap);
    let older = "a snapshot is older than the messages that were held";
    assert_eq!(skipped, [(older, 1), (NEVER_JOINED, 2)]);
    // One order twice.
    let twice = format!(r#"["201","1","{OTHER}"],["202","1","{OTHER}"]"#);
    frames.push(rest(7, &twice));
    let (_, books, skipped, _) = by_order(&frames);
    assert_eq!((books.book(ONLY).state(), skipped.len()), (BookState::Gap, 3));
    frames.push(rest(7, &format!(r#"["201","1","{OTHER}"]"#)));
    frames.push(rest(3, ""));
    frames.push(opened(9, MAKER, "1", "1"));
    let (_, books, skipped, _) = by_order(&frames);
    assert_eq!(books.book(ONLY).state(), BookState::Live);
    assert_eq!(level(&books, Side::Sell), Some(("200.2".into(), 150_000_000)));
    assert_eq!(skipped.len(), 3);
}

#[test]
fn bad_input_a_message_that_cannot_be_true_loses_the_book() {
    let start = [rest(10, &format!(r#"["200.2","2","{MAKER}"]"#))];
    for (name, line) in [
        ("more than is left", matched(11, MAKER, "2.5")),
        ("order that is not there", matched(11, OTHER, "1")),
        ("order id that is none", opened(11, "7", "200", "1")),
        (
            "open without a size",
            full("open", 11, &format!(r#""order_id":"{OTHER}","price":"200""#)),
        ),
        ("open of nothing", opened(11, OTHER, "200", "0")),
        ("exponent", opened(11, OTHER, "2e2", "1")),
        ("negative size", opened(11, OTHER, "200", "-1")),
        ("null maker", matched(11, MAKER, "1").replace(&format!("\"{MAKER}\""), "null")),
        ("side of another word", opened(11, OTHER, "200", "1").replace("\"sell\"", "\"left\"")),
        ("time that is none", opened(11, OTHER, "200", "1").replace("2014-11-07", "2014-13-07")),
        ("opened twice", opened(11, MAKER, "200.2", "2")),
    ] {
        let (events, books, skipped, _) = by_order(&[&start[..], &[line]].concat());
        assert_eq!(books.book(ONLY).state(), BookState::Suspect, "{name}: {events:?}");
        assert_eq!(skipped.len(), 1, "{name}");
    }
}

/// A book by level that is Live, what a bad line does to it, and why.
fn bad(line: &str) -> (BookState, Vec<String>) {
    let bytes = lines(&[SNAPSHOT, line, r#"{"type":"heartbeat","sequence":90}"#]);
    let run = read(&bytes).all();
    assert_eq!(run.recording.counts().messages, 3, "{line}");
    assert_eq!(run.top(ONLY), [best("10.5", "0.25"), best("11.5", "2")], "{line}");
    let log = run.recording.log();
    let skipped = log.skipped().map(|(reason, ..)| reason.to_owned());
    let damaged = log.damaged().1.iter().map(|noted| noted.reason.to_string());
    (run.state(ONLY), skipped.chain(damaged).collect())
}

fn bad_time(frame: &str) -> String {
    frame.replace("2023-02-09T", "yesterday ")
}

#[test]
fn bad_input_levels_that_cannot_be_understood_lose_the_book() {
    for (name, line) in [
        ("null price", update(r#"["buy",null,"1"]"#)),
        ("numbers for strings", update(r#"["buy",9,1]"#)),
        ("half a change", update(r#"["buy","9"]"#)),
        ("side of another word", update(r#"["left","9","1"]"#)),
        ("good change before a bad one", update(r#"["buy","9","1"],["buy","NaN","1"]"#)),
        ("negative size", update(r#"["buy","9","-1"]"#)),
        ("price of zero", update(r#"["buy","0","1"]"#)),
        ("too fine", update(r#"["buy","9","0.000000001"]"#)),
        ("bid out of range", update(r#"["buy","99999999999","1"]"#)),
        ("time that is none", update(r#"["buy","9","1"]"#).replace("2021-04-17T", "yesterday ")),
        ("changes missing", update("").replace(r#","changes":[]"#, "")),
        ("neither snapshot nor update", l2_data(0, "refresh", "")),
        (
            "time of a frame that is none",
            bad_time(&l2_data(0, "update", &l2_level("bid", "9", "1"))),
        ),
        ("time of a book that is none", bad_time(&l2_data(0, "snapshot", ""))),
        (
            "time of a snapshot that is none",
            SNAPSHOT.replace("\"asks\"", "\"time\":\"yesterday\",\"asks\""),
        ),
        ("snapshot of words", SNAPSHOT.replace("10.5", "ten")),
    ] {
        let (state, why) = bad(&line);
        assert_eq!((state, why.len()), (BookState::Suspect, 1), "{name}: {why:?}");
    }
}

/// It may have been an update of any product, and levels of Exchange have no numbers.
#[test]
fn bad_input_what_nobody_can_read_loses_books_by_level() {
    let deep = format!("{}{}", "{\"a\":".repeat(5000), "}".repeat(5000));
    let cut = &update(r#"["buy","9","1"]"#)[..70];
    let crowded = update(&r#"["buy","9","1"],"#.repeat(1 << 17));
    for (name, line) in [
        ("no JSON", "{\"type\":"),
        ("cut", cut),
        ("trailing bytes", r#"{"type":"heartbeat"} }"#),
        ("no object", "7"),
        ("object of nothing", "{}"),
        ("kind of the wrong type", r#"{"type":7}"#),
        ("deep nesting", &deep),
        ("too many levels", &crowded),
        ("too long", &"x".repeat(9 << 20)),
        ("update of a product that is a number", r#"{"type":"l2update","product_id":7}"#),
    ] {
        let (state, why) = bad(line);
        assert_eq!((state, why.len()), (BookState::Suspect, 1), "{name}: {why:?}");
    }
}

#[test]
fn bad_input_what_is_about_no_book_is_said_and_changes_nothing() {
    let other_books = opened(1, MAKER, "200", "1");
    let rest_of_words = format!("https://x/products/BTC-USD/book?level=3 -> 1.5: {}", "{}");
    for (name, line) in [
        (
            "match without a price",
            r#"{"type":"match","product_id":"X","sequence":1,"side":"buy","time":"2021-04-17T16:43:37Z"}"#,
        ),
        ("of the other kind of books", &other_books),
        ("book by REST that is none", &rest_of_words),
    ] {
        let (state, why) = bad(line);
        assert_eq!((state, why.len()), (BookState::Live, 1), "{name}: {why:?}");
    }
}

#[test]
fn a_new_connection_begins_anew() {
    let mut bytes = lines(&[SNAPSHOT]);
    bytes.extend_from_slice(&lines(&[&update(r#"["buy","9","1"]"#), SNAPSHOT]));
    let mut run = read(&bytes);
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    use BookState::{Gap, Live, Recovering};
    assert_eq!(states, [Recovering, Recovering, Live, Gap, Gap, Gap, Live]);
}

/// The ticker tells the best prices after each match. The first of each product is of the match before
/// the subscription.
#[test]
fn the_books_of_the_recording_are_the_tickers() {
    let test = "the_books_of_the_recording_are_the_tickers";
    let Some(path) = recorded(test, "cryptofeed_ws/COINBASE.ws.28.0.gz") else { return };
    let source = Source::file(path);
    let mut run = Run::new(open(&source, Options::default()).unwrap());
    let (mut met, mut equal) = (HashSet::new(), 0);
    for line in BufReader::new(source.open().unwrap()).lines().map(Result::unwrap) {
        if line.is_empty() {
            continue;
        }
        assert!(run.step());
        let Some((_, json)) = line.split_once(": ").filter(|_| line.contains("\"ticker\"")) else {
            continue;
        };
        let ticker: Value = serde_json::from_str(json).unwrap();
        let Some(product) = ticker["product_id"].as_str() else { continue };
        if !met.insert(product.to_owned()) {
            let id = run.recording.instruments().find(product).unwrap().id;
            let told = ["best_bid", "best_ask"].map(|name| ticker[name].as_str()?.parse().ok());
            let book = run.books.book(id);
            assert_eq!(Side::BOTH.map(|side| book.best_price(side)), told, "{line}");
            equal += 1;
        }
    }
    assert_eq!((met.len(), equal), (10, 97));
}

#[test]
fn the_recording_is_read_whole() {
    let test = "the_recording_is_read_whole";
    let Some(path) = recorded(test, "cryptofeed_ws/COINBASE.ws.28.0.gz") else { return };
    let run = Run::new(open(&Source::file(path), Options::default()).unwrap()).all();
    let counts = run.recording.counts();
    let by_type: Vec<_> = counts.by_type.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(
        by_type,
        [
            ("snapshot", 10),
            ("l2update", 9719),
            ("match", 97),
            ("last_match", 10),
            ("ticker", 107),
            ("subscriptions", 3)
        ]
    );
    assert_eq!(counts.messages, 9946);
    assert_eq!((run.skipped(), run.recording.log().damaged().0), (vec![], 0));
    let all = run.recording.instruments().all();
    assert_eq!(all.len(), 10);
    for known in all {
        assert_eq!(run.state(known.id), BookState::Live, "{}", known.symbol);
    }
}
