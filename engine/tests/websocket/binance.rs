//! Binance: depth frames joined to a snapshot, by the venue's own rule.

use crate::desk::Desk;
use crate::venue::{Session, Venue};
use market::{BookState, EventKind};
use std::time::{Duration, Instant};

/// A depth frame of spot, wrapped as combined streams are.
pub(crate) fn depth(symbol: &str, first: u64, last: u64, bids: &str, asks: &str) -> String {
    let stream = symbol.to_lowercase();
    format!(
        "{{\"stream\":\"{stream}@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\
         \"E\":1723075200000,\"s\":\"{symbol}\",\"U\":{first},\"u\":{last},\"b\":[{bids}],\
         \"a\":[{asks}]}}}}"
    )
}

pub(crate) const SNAPSHOT: &str =
    r#"{"lastUpdateId":105,"bids":[["99.5","2"],["99","1"]],"asks":[["100.5","3"],["101","4"]]}"#;

/// The subscription is heard and granted.
pub(crate) fn grant(session: &mut Session, desk: &mut Desk) -> String {
    let asked = session.text(desk);
    session.send(r#"{"result":null,"id":1}"#);
    asked
}

/// A book that is joined at update 110.
pub(crate) fn joined(venue: &Venue, desk: &mut Desk) -> Session {
    let mut session = venue.accept(desk);
    grant(&mut session, desk);
    session.send(&depth("BTCUSDT", 100, 104, r#"["98","9"]"#, ""));
    session.send(&depth("BTCUSDT", 105, 110, r#"["99","0"],["98.5","5"]"#, r#"["100.5","6"]"#));
    venue.snapshot(desk, SNAPSHOT);
    desk.until_state(0, BookState::Live);
    session
}

fn pairs(levels: &[(&str, &str)]) -> Vec<(String, String)> {
    levels.iter().map(|(price, qty)| ((*price).to_owned(), (*qty).to_owned())).collect()
}

#[test]
fn a_stream_that_tells_nothing_has_no_book() {
    let venue = Venue::new();
    let mut desk = Desk::new(&venue, "binance-websocket", &["BTCUSDT"], "");
    let mut session = venue.accept(&mut desk);
    grant(&mut session, &mut desk);
    let trade = r#"{"e":"trade","E":1,"s":"BTCUSDT","t":9,"p":"99.5","q":"0.5","T":1723075200001,"m":true}"#;
    session.send(trade);
    desk.until_received(2);
    // Longer than the wait for a snapshot.
    let begun = Instant::now();
    desk.until("", |_| (begun.elapsed() > Duration::from_millis(100)).then_some(()));
    assert!(venue.is_not_asked());
    session.send(&depth("BTCUSDT", 105, 110, r#"["99","0"],["98.5","5"]"#, ""));
    venue.snapshot(&mut desk, SNAPSHOT);
    desk.until_state(0, BookState::Live);
}

#[test]
fn a_book_is_joined_and_follows() {
    let venue = Venue::new();
    let mut desk = Desk::new(&venue, "binance-websocket", &["BTCUSDT"], "path = \"/stream\"");
    let mut session = venue.accept(&mut desk);
    let asked = grant(&mut session, &mut desk);
    assert_eq!(
        asked,
        r#"{"id":1,"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","btcusdt@trade"]}"#
    );
    // Nothing may be quoted on before the book is whole.
    assert_eq!(desk.state(0), BookState::Gap);
    session.send(&depth("BTCUSDT", 100, 104, r#"["98","9"]"#, ""));
    session.send(&depth("BTCUSDT", 105, 110, r#"["99","0"],["98.5","5"]"#, r#"["100.5","6"]"#));
    let request = venue.snapshot(&mut desk, SNAPSHOT);
    assert_eq!(request, "GET /depth?symbol=BTCUSDT&limit=5000 HTTP/1.1");
    desk.until_state(0, BookState::Live);
    let [bids, asks] = desk.levels(0);
    assert_eq!(bids, pairs(&[("99.5", "2"), ("98.5", "5")]));
    assert_eq!(asks, pairs(&[("100.5", "6"), ("101", "4")]));
    assert_eq!(desk.told, [EventKind::Gap, EventKind::Clear, EventKind::Recovered]);

    session.send(&depth("BTCUSDT", 111, 112, r#"["99.5","1.5"]"#, ""));
    session.send(
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723075200001,"s":"BTCUSDT","t":7,"p":"99.5","q":"0.5","T":1723075200001,"m":true,"M":true}}"#,
    );
    desk.until("no trade", |desk| (desk.told.last() == Some(&EventKind::Trade)).then_some(()));
    assert_eq!(desk.levels(0)[0][0], ("99.5".to_owned(), "1.5".to_owned()));
    assert!(desk.last.iter().all(|event| event.received != 0), "the stamp of the bytes");
    let counters = desk.counters();
    assert_eq!((counters.connections, counters.snapshots, counters.recovered), (1, 1, 1));
    assert_eq!((counters.gaps, counters.lost, counters.garbled), (1, 0, 0));
}
