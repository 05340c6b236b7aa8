//! Frames of Coinbase that are damaged or begin anew without a word: a book is only believed while
//! numbers prove that nothing of it is missing.

mod common;

use common::coinbase::{l2_data, l2_level};
use common::levels::{ONLY, best, read};
use feeds::recording::{Options, open_bytes};
use market::BookState::{Gap, Live, Suspect};
use market::book::OrderBooks;
use market::{BookState, BookView};

/// The state of the only book behind each line.
fn by_level(lines: &[String]) -> Vec<BookState> {
    let bytes = lines.join("\n").into_bytes();
    let mut run = read(&bytes);
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    states
}

fn whole(number: u64) -> String {
    l2_data(
        number,
        "snapshot",
        &[l2_level("bid", "9", "1"), l2_level("offer", "11", "1")].join(","),
    )
}

fn better(number: u64, qty: &str) -> String {
    l2_data(number, "update", &l2_level("bid", "10", qty))
}

fn later(frame: &str) -> String {
    frame.replace("T20:32:50", "T20:33:50")
}

#[test]
fn the_next_number_of_a_connection_shows_whether_a_damaged_line_was_a_frame() {
    let cut = better(1, "1")[..90].to_owned();
    let states = by_level(&[whole(0), cut.clone(), better(2, "2"), whole(3)]);
    assert_eq!(states, [Live, Live, Gap, Live]);
    assert_eq!(by_level(&[whole(0), cut, better(1, "1")]), [Live; 3]);
}

/// The recorder connected again and did not say it; the first frame is missing as well.
#[test]
fn numbers_that_go_on_from_a_lower_one_are_a_new_connection() {
    let mut lines = vec![whole(0)];
    lines.extend((1..9).map(|number| better(number, "1")));
    let before = lines.len();
    lines.extend([better(3, "5"), better(4, "6"), better(5, "7"), whole(6), better(7, "8")]);
    let bytes = lines.join("\n").into_bytes();
    let run = read(&bytes).all();
    assert_eq!(by_level(&lines)[before..], [Live, Gap, Gap, Live, Live]);
    assert_eq!(run.top(ONLY)[0], best("10", "8"));
    // What another recorder wrote between is told again, and no more.
    let lines = [
        whole(0),
        better(1, "1"),
        better(2, "2"),
        better(1, "1"),
        better(3, "3"),
        better(2, "2"),
        better(4, "4"),
    ];
    assert_eq!(by_level(&lines), [Live; 7]);
}

#[test]
fn a_lower_number_that_was_sent_later_is_a_new_connection() {
    let lines =
        [whole(0), better(1, "1"), better(2, "2"), later(&whole(1)), later(&better(2, "7"))];
    assert_eq!(by_level(&lines), [Live; 5]);
    let bytes = lines.join("\n").into_bytes();
    assert_eq!(read(&bytes).all().top(ONLY)[0], best("10", "7"));
    let lines = [whole(0), better(1, "1"), better(2, "2"), later(&better(2, "7")), whole(3)];
    assert_eq!(by_level(&lines), [Live, Live, Live, Gap, Live]);
    let heartbeat = r#"{"channel":"heartbeats","timestamp":"2023-06-23T20:31:56Z","sequence_num":1,"events":[]}"#;
    let lines = [whole(0), better(1, "1"), heartbeat.to_owned()];
    assert_eq!(by_level(&lines), [Live, Live, Gap]);
}

const A: &str = "da863862-25f4-4868-ac41-005d11ab0a5f";
const B: &str = "ac928c66-ca53-498f-9c13-a110027a60e8";

fn opened(sequence: u64, second: u32, id: &str) -> String {
    format!(
        r#"{{"type":"open","product_id":"BTC-USD","sequence":{sequence},"time":"2014-11-07T08:19:{second}Z","side":"sell","order_id":"{id}","price":"200","remaining_size":"1"}}"#
    )
}

fn done(sequence: u64, second: u32, id: &str) -> String {
    opened(sequence, second, id).replace(r#""open""#, r#""done""#)
}

fn rest(sequence: u64, orders: &str) -> String {
    format!(
        r#"https://api.exchange.coinbase.com/products/BTC-USD/book?level=3 -> 1618677818.5: {{"sequence":{sequence},"bids":[],"asks":[{orders}]}}"#
    )
}

/// The state of the only book behind each line, by order.
fn by_order(lines: &[String]) -> Vec<BookState> {
    let bytes = lines.join("\n").into_bytes();
    let mut recording = open_bytes(&bytes, Options::default()).unwrap();
    let (mut unit, mut states) = (feeds::recording::Unit::default(), Vec::new());
    let mut books = OrderBooks::growing();
    books.admit(ONLY);
    while recording.next_unit(&mut unit).unwrap() {
        for event in &unit.events {
            assert_eq!(books.apply(event).contradiction, None, "{event:?}");
        }
        states.push(books.book(ONLY).state());
    }
    states
}

#[test]
fn the_next_number_of_a_product_shows_whether_a_damaged_line_was_of_it() {
    let cut = || opened(11, 11, A)[..40].to_owned();
    let start = [opened(10, 10, A), rest(10, &format!(r#"["200","1","{A}"]"#)), cut()];
    let then = |line| by_order(&[&start[..], &[line]].concat())[1..].to_vec();
    assert_eq!(then(opened(11, 11, B)), [Live; 3]);
    assert_eq!(then(opened(12, 12, B)), [Live, Live, Gap]);
}

/// A snapshot of before the message that was lost says nothing of now.
#[test]
fn a_snapshot_must_hold_the_message_that_was_lost() {
    let wrong = opened(11, 11, B).replace("200", "2e2");
    let all = format!(r#"["200","1","{A}"]"#);
    let lines = [opened(10, 10, A), rest(10, &all), wrong, rest(10, &all), rest(11, &all)];
    assert_eq!(by_order(&lines)[1..], [Live, Suspect, Suspect, Live]);
}

#[test]
fn numbers_of_a_product_that_begin_anew_are_a_gap() {
    let all = format!(r#"["200","1","{A}"]"#);
    let start = [opened(10, 10, A), rest(10, &all), opened(11, 11, B), done(12, 12, B)];
    // Told again; then as a new count, which a snapshot leads to.
    let lines = [&start[..], &[opened(11, 11, B), opened(3, 13, B), done(4, 14, B), rest(2, &all)]];
    assert_eq!(by_order(&lines.concat())[1..], [Live, Live, Live, Live, Gap, Gap, Live]);
}
