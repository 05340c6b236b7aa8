//! Coinbase: books by level that the channel begins, books by order that REST begins, and trades whose
//! numbers say that something is missing.

use crate::desk::Desk;
use crate::known::known;
use crate::venue::{Session, Venue};
use market::{BookState, EventKind};

pub(crate) const SNAPSHOT: &str =
    r#"{"type":"snapshot","product_id":"BTC-USD","bids":[["99.5","2"]],"asks":[["100.5","3"]]}"#;

fn update(side: &str, price: &str, size: &str) -> String {
    format!(
        r#"{{"type":"l2update","product_id":"BTC-USD","changes":[["{side}","{price}","{size}"]],"time":"2024-08-08T00:00:00.000001Z"}}"#
    )
}

pub(crate) fn trade(id: u64) -> String {
    format!(
        r#"{{"type":"match","trade_id":{id},"sequence":{id},"maker_order_id":"00000000-0000-0000-0000-000000000001","taker_order_id":"00000000-0000-0000-0000-000000000002","time":"2024-08-08T00:00:00.000002Z","product_id":"BTC-USD","size":"0.1","price":"99.5","side":"buy"}}"#
    )
}

fn heartbeat(last_trade: u64) -> String {
    format!(
        r#"{{"type":"heartbeat","sequence":90,"last_trade_id":{last_trade},"product_id":"BTC-USD","time":"2024-08-08T00:00:01Z"}}"#
    )
}

/// A book by level that is live, with trade 7 the last.
fn joined(venue: &Venue, desk: &mut Desk) -> Session {
    let mut session = venue.accept(desk);
    assert_eq!(
        session.text(desk),
        r#"{"channels":["level2_batch","heartbeat","matches"],"product_ids":["BTC-USD"],"type":"subscribe"}"#
    );
    session.send(r#"{"type":"subscriptions","channels":[]}"#);
    session.send(SNAPSHOT);
    session.send(&trade(7));
    session.send(&update("buy", "99.75", "1"));
    desk.until("no update", |desk| (desk.levels(0)[0].len() == 2).then_some(()));
    assert_eq!(desk.state(0), BookState::Live);
    session
}

/// It is subscribed to again, and the snapshot that comes then ends the gap.
fn mended(session: &mut Session, desk: &mut Desk) {
    let texts = [session.text(desk), session.text(desk)];
    for (text, kind) in texts.iter().zip(["unsubscribe", "subscribe"]) {
        let wanted =
            format!(r#"{{"channels":["level2_batch"],"product_ids":["BTC-USD"],"type":"{kind}"}}"#);
        assert_eq!(*text, wanted);
    }
    // An update on its way says nothing before the snapshot.
    session.send(&update("buy", "99", "9"));
    session.send(SNAPSHOT);
    desk.until_state(0, BookState::Live);
    assert_eq!(desk.levels(0)[0], [("99.5".to_owned(), "2".to_owned())]);
}

#[test]
fn a_trade_that_is_missing_has_the_book_told_again() {
    let venue = Venue::new();
    let mut desk = Desk::new(&venue, "coinbase-websocket", &["BTC-USD"], "");
    let mut session = joined(&venue, &mut desk);
    session.send(&trade(8));
    session.send(&trade(8));
    session.send(&heartbeat(8));
    desk.until_received(7);
    assert_eq!((desk.state(0), desk.counters().gaps), (BookState::Live, 1));
    session.send(&trade(10));
    desk.until_state(0, BookState::Gap);
    mended(&mut session, &mut desk);
    session.send(&heartbeat(12));
    desk.until_state(0, BookState::Gap);
    mended(&mut session, &mut desk);
    // Of the trades each was told once.
    let trades = desk.told.iter().filter(|&&kind| kind == EventKind::Trade).count();
    assert_eq!((trades, desk.counters().connections), (3, 1));
}

#[test]
fn an_update_that_nobody_understands_has_the_book_told_again() {
    let venue = Venue::new();
    let mut desk = Desk::new(&venue, "coinbase-websocket", &["BTC-USD"], "");
    let mut session = joined(&venue, &mut desk);
    session.send(&update("both", "99", "1"));
    desk.until_state(0, BookState::Suspect);
    mended(&mut session, &mut desk);
    session
        .send(r#"{"type":"error","message":"Failed to subscribe","reason":"BTC-USD is delisted"}"#);
    assert!(session.is_left(&mut desk));
    assert!(desk.problem().contains("delisted"), "{}", desk.problem());
}

fn order(kind: &str, sequence: u64, rest: &str) -> String {
    format!(
        r#"{{"type":"{kind}","sequence":{sequence},"product_id":"BTC-USD","time":"2024-08-08T00:00:00Z","side":"buy",{rest}}}"#
    )
}

fn open(sequence: u64, id: u64, price: &str) -> String {
    let order_id = format!("00000000-0000-0000-0000-{id:012}");
    order(
        "open",
        sequence,
        &format!(r#""order_id":"{order_id}","price":"{price}","remaining_size":"2""#),
    )
}

#[test]
fn books_by_order_begin_with_rest_and_a_missing_number_begins_them_anew() {
    let venue = Venue::new();
    let mut desk = known(&venue, "full");
    let mut session = venue.accept(&mut desk);
    assert!(session.text(&mut desk).contains(r#"["full","heartbeat"]"#));
    session.send(&open(41, 1, "99"));
    session.send(&open(42, 2, "99.5"));
    let book = r#"{"sequence":41,"bids":[["99","2","00000000-0000-0000-0000-000000000001"]],"asks":[["101","1","00000000-0000-0000-0000-000000000009"]]}"#;
    let asked = venue.snapshot(&mut desk, book);
    assert!(asked.starts_with("GET /depth?symbol=BTC-USD"), "{asked}");
    desk.until_state(0, BookState::Live);
    assert_eq!(desk.levels(0)[0].len(), 2);
    session.send(&order(
        "done",
        43,
        r#""order_id":"00000000-0000-0000-0000-000000000002","reason":"canceled""#,
    ));
    desk.until("not gone", |desk| (desk.levels(0)[0].len() == 1).then_some(()));

    session.send(&open(46, 3, "98"));
    desk.until_state(0, BookState::Gap);
    venue.snapshot(&mut desk, &book.replace("41", "46"));
    desk.until_state(0, BookState::Live);
    assert_eq!((desk.levels(0)[0].len(), desk.counters().recovered), (1, 2));
}
