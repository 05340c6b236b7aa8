//! What goes wrong on the way and at the venue: each time the book says so, and is whole again.

use crate::acceptor::{Authority, ONLY_1_3};
use crate::binance::{SNAPSHOT, depth, grant, joined};
use crate::desk::Desk;
use crate::venue::{Meanwhile, Venue};
use market::{BookState, EventKind};
use std::io::Write;
use tungstenite::{Bytes, Message};

fn desk(venue: &Venue, keys: &str) -> Desk {
    Desk::new(venue, "binance-websocket", &["BTCUSDT"], keys)
}

/// A snapshot as of an update, with one bid.
fn snapshot(last: u64, bid: &str) -> String {
    format!(r#"{{"lastUpdateId":{last},"bids":[["{bid}","1"]],"asks":[["100.5","3"]]}}"#)
}

#[test]
fn a_missing_update_is_a_gap_until_a_snapshot_leads_past_it() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "");
    let mut session = joined(&venue, &mut desk);
    // Told twice, and told before: nothing changes.
    session.send(&depth("BTCUSDT", 105, 110, r#"["99","7"]"#, ""));
    session.send(&depth("BTCUSDT", 111, 111, r#"["99.5","8"]"#, ""));
    desk.until_received(5);
    assert_eq!(desk.state(0), BookState::Live);
    assert_eq!(desk.levels(0)[0][0].1, "8");

    session.send(&depth("BTCUSDT", 115, 116, r#"["97","1"]"#, ""));
    desk.until_state(0, BookState::Gap);
    // The first snapshot is older than what is held; a second is asked for.
    venue.snapshot(&mut desk, &snapshot(112, "99"));
    desk.until("not refused", |desk| (desk.counters().snapshots_failed == 1).then_some(()));
    assert_eq!(desk.state(0), BookState::Gap);
    assert!(desk.problem().contains("older than the frames"), "{}", desk.problem());
    venue.snapshot(&mut desk, &snapshot(115, "98"));
    desk.until_state(0, BookState::Live);
    assert_eq!(desk.levels(0)[0].len(), 2, "the snapshot and what was held behind it");
    let counters = desk.counters();
    assert_eq!((counters.gaps, counters.recovered, counters.snapshots), (2, 2, 3));
    assert!(counters.recovering_longest.get() > 0);
}

#[test]
fn a_connection_that_is_cut_or_closed_is_made_anew() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "");
    let session = joined(&venue, &mut desk);
    drop(session);
    desk.until_state(0, BookState::Gap);
    let mut session = joined(&venue, &mut desk);
    session.0.close(None).unwrap();
    session.0.flush().unwrap();
    desk.until_state(0, BookState::Gap);
    assert!(session.is_left(&mut desk));
    joined(&venue, &mut desk);
    let counters = desk.counters();
    assert_eq!((counters.connections, counters.ended, counters.recovered), (3, 2, 3));
    assert_eq!(desk.levels(0)[0].len(), 2);
}

#[test]
fn a_silent_connection_is_dropped_though_it_pings() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "silence_ms = 400");
    let mut session = joined(&venue, &mut desk);
    session.0.send(Message::Ping(Bytes::from_static(b"1723075200000"))).unwrap();
    let pong = session.next(&mut desk);
    assert_eq!(pong, Some(Message::Pong(Bytes::from_static(b"1723075200000"))));
    desk.until_state(0, BookState::Gap);
    assert!(session.is_left(&mut desk), "it says why it goes");
    joined(&venue, &mut desk);
    assert_eq!((desk.counters().silent, desk.counters().controls > 0), (1, true));
}

#[test]
fn a_second_connection_takes_over_before_the_venue_ends_the_first() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "overlap_ms = 300");
    let mut first = joined(&venue, &mut desk);
    let told = desk.told.len();
    first.send(
        r#"{"stream":"btcusdt@depth@100ms","data":{"e":"serverShutdown","E":1723075200000}}"#,
    );
    let mut second = venue.accept(&mut desk);
    grant(&mut second, &mut desk);
    assert_eq!(desk.open(), 2);
    // Both tell; each update counts once, whoever told it first.
    let trade = r#"{"e":"trade","E":1,"s":"BTCUSDT","t":9,"p":"99.5","q":"0.5","T":1723075200001,"m":true}"#;
    for session in [&mut first, &mut second] {
        session.send(&depth("BTCUSDT", 111, 112, r#"["99.5","1"]"#, ""));
        session.send(trade);
    }
    second.send(&depth("BTCUSDT", 113, 114, r#"["99.5","3"]"#, ""));
    assert!(first.is_left(&mut desk));
    assert_eq!((desk.open(), desk.counters().renewed), (1, 1));
    second.send(&depth("BTCUSDT", 115, 115, r#"["99.5","4"]"#, ""));
    desk.until("not told", |desk| (desk.levels(0)[0][0].1 == "4").then_some(()));
    assert_eq!(desk.told[told..], [EventKind::Trade]);
    assert_eq!((desk.state(0), desk.counters().gaps), (BookState::Live, 1));
    assert!(venue.is_alone());
}

#[test]
fn a_second_connection_that_has_told_of_no_book_yet_keeps_none() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "overlap_ms = 50");
    let mut first = joined(&venue, &mut desk);
    first.send(
        r#"{"stream":"btcusdt@depth@100ms","data":{"e":"serverShutdown","E":1723075200000}}"#,
    );
    let mut second = venue.accept(&mut desk);
    grant(&mut second, &mut desk);
    let before = desk.counters().messages;
    second.send(r#"{"e":"trade","E":1,"s":"BTCUSDT","t":9,"p":"99.5","q":"0.5","T":1723075200001,"m":true}"#);
    desk.until_received(before + 1);
    assert_eq!((desk.open(), desk.counters().renewed, desk.state(0)), (2, 0, BookState::Live));
    drop(first);
    desk.until_state(0, BookState::Gap);
    assert_eq!(desk.open(), 1);
    second.send(&depth("BTCUSDT", 111, 112, r#"["99.5","1"]"#, ""));
    venue.snapshot(&mut desk, &snapshot(111, "99"));
    desk.until_state(0, BookState::Live);
}

#[test]
fn a_connection_is_replaced_when_it_is_old() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "renew_after_s = 0.2\noverlap_ms = 50");
    let _first = joined(&venue, &mut desk);
    let mut second = venue.accept(&mut desk);
    grant(&mut second, &mut desk);
    second.send(&depth("BTCUSDT", 111, 112, r#"["99.5","1"]"#, ""));
    desk.until("not renewed", |desk| (desk.counters().renewed == 1).then_some(()));
    assert_eq!((desk.state(0), desk.counters().gaps), (BookState::Live, 1));
}

#[test]
fn garbage_is_counted_and_a_depth_frame_among_it_loses_the_book() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "");
    let mut session = joined(&venue, &mut desk);
    for text in ["", "{", "[1,2", "null", r#"{"e":5}"#, "\u{0}\u{1F600}"] {
        session.send(text);
    }
    session.0.send(Message::Binary(Bytes::from_static(&[0xff; 40]))).unwrap();
    desk.until("not counted", |desk| (desk.counters().garbled == 7).then_some(()));
    assert_eq!(desk.state(0), BookState::Live);

    session.send(&depth("BTCUSDT", 111, 112, r#"["99.5","much"]"#, ""));
    desk.until_state(0, BookState::Suspect);
    session.send(&depth("BTCUSDT", 113, 113, r#"["99","1"]"#, ""));
    venue.snapshot(&mut desk, &snapshot(113, "99.25"));
    desk.until_state(0, BookState::Live);
    assert_eq!((desk.counters().lost, desk.counters().recovered), (1, 2));
}

#[test]
fn a_message_that_is_too_long_ends_the_connection() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "message_max_bytes = 1024");
    let mut session = joined(&venue, &mut desk);
    // A head that promises four gigabytes, and none of them.
    let peer = session.0.get_mut();
    peer.write_all(&[0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]).unwrap();
    peer.flush().unwrap();
    desk.until_state(0, BookState::Gap);
    assert!(desk.problem().to_lowercase().contains("long"), "{}", desk.problem());
    joined(&venue, &mut desk);
}

#[test]
fn what_is_no_websocket_frame_ends_the_connection() {
    // Reserved bits; a masked frame of a server; a control frame that is too long; no UTF-8.
    let long = [[0x89, 126, 1, 0].as_slice(), &[0; 256]].concat();
    let frames: [&[u8]; 4] =
        [&[0xf1, 0], &[0x81, 0x81, 1, 2, 3, 4, 5], &long, &[0x81, 2, 0xc3, 0x28]];
    let venue = Venue::new();
    let mut desk = desk(&venue, "");
    for (at, frame) in (1..).zip(frames) {
        let mut session = joined(&venue, &mut desk);
        let peer = session.0.get_mut();
        peer.write_all(frame).unwrap();
        peer.flush().unwrap();
        desk.until_state(0, BookState::Gap);
        assert_eq!(desk.counters().ended, at);
    }
}

#[test]
fn a_refused_subscription_is_said_and_tried_again() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "");
    let mut session = venue.accept(&mut desk);
    session.text(&mut desk);
    session.send(r#"{"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":1}"#);
    assert!(session.is_left(&mut desk));
    assert!(desk.problem().contains("unknown stream"), "{}", desk.problem());
    assert_eq!((desk.counters().refused, desk.state(0)), (1, BookState::Gap));
    joined(&venue, &mut desk);
}

#[test]
fn a_venue_that_wants_no_more_snapshots_is_left_alone_for_as_long_as_it_says() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "");
    let mut session = venue.accept(&mut desk);
    grant(&mut session, &mut desk);
    session.send(&depth("BTCUSDT", 100, 106, r#"["98","9"]"#, ""));
    let answers = [
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"code\":-1121,\"msg\":\"Invalid\"}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
        "garbage\r\n\r\n",
        "HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n",
    ];
    for (at, answer) in (1..).zip(answers) {
        venue.answer(&mut desk, answer.as_bytes());
        let failed = |desk: &mut Desk| (desk.counters().snapshots_failed == at).then_some(());
        desk.until("not failed", failed);
        assert_eq!(desk.state(0), BookState::Gap);
    }
    assert!(desk.problem().contains("429"), "{}", desk.problem());
    let asked = desk.counters().snapshots;
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_millis(1_500) {
        desk.poll();
    }
    assert_eq!((desk.counters().snapshots, venue.is_not_asked()), (asked, true));
    // In chunks, as some hosts send it.
    let (one, two) = SNAPSHOT.split_at(40);
    let chunks = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    venue.answer(&mut desk, format!("{head}{chunks}").as_bytes());
    desk.until_state(0, BookState::Live);
}

#[test]
fn a_certificate_that_is_not_the_venues_is_refused() {
    let mut venue = Venue::new();
    let mut desk = desk(&venue, "");
    let good = venue.authority.identity().server(ONLY_1_3);
    for bad in [Authority::new().identity(), venue.authority.issue(&["other.test"], |_| ())] {
        venue.show(bad.server(ONLY_1_3));
        let before = desk.counters().failures;
        assert!(venue.refuse(&mut desk));
        desk.until("no failure", |desk| (desk.counters().failures > before).then_some(()));
        assert!(desk.problem().contains("venue.test"), "{}", desk.problem());
    }
    assert_eq!((desk.open(), desk.state(0)), (0, BookState::Gap));
    venue.show(good);
    joined(&venue, &mut desk);
}

#[test]
fn an_upgrade_that_is_refused_is_tried_again() {
    let venue = Venue::new();
    let mut desk = desk(&venue, "");
    for (answer, said) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"),
        ("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", "429"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            "no upgrade",
        ),
    ] {
        let before = desk.counters().failures;
        venue.refuse_upgrade(&mut desk, answer);
        desk.until("no failure", |desk| (desk.counters().failures > before).then_some(()));
        assert!(desk.problem().contains(said), "{}", desk.problem());
    }
    joined(&venue, &mut desk);
}
