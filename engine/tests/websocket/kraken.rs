//! Kraken: a checksum that does not hold loses the book, which is told again; symbols of other names.

use crate::desk::Desk;
use crate::venue::{Session, Venue};
use market::BookState;

/// The snapshot of the documentation's kind: ten levels are needed for nothing but the checksum.
const SNAPSHOT: &str = r#"[336,{"as":[["100.5","3.000","1723075200.000001"]],"bs":[["99.5","2.000","1723075200.000001"]]},"book-10","XBT/USD"]"#;

fn crc(text: &str) -> u32 {
    // CRC-32 (IEEE), by its definition.
    !text.bytes().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// The best bid's volume changes; the checksum is over the digits of asks, then bids.
fn update(volume: &str, sum: u32) -> String {
    format!(
        r#"[336,{{"b":[["99.5","{volume}","1723075200.000002"]],"c":"{sum}"}},"book-10","XBT/USD"]"#
    )
}

fn subscribed(venue: &Venue, desk: &mut Desk) -> Session {
    let mut session = venue.accept(desk);
    let texts = [session.text(desk), session.text(desk)];
    assert_eq!(
        texts[0],
        r#"{"event":"subscribe","pair":["XBT/USD"],"subscription":{"depth":10,"name":"book"}}"#
    );
    session.send(
        r#"{"channelID":336,"event":"subscriptionStatus","status":"subscribed","pair":"XBT/USD"}"#,
    );
    session.send(SNAPSHOT);
    desk.until_state(0, BookState::Live);
    session
}

#[test]
fn a_checksum_that_does_not_hold_has_the_book_told_again() {
    let venue = Venue::new();
    let keys = "book = \"book-10\"\nsymbols = [\"BTC/USD=XBT/USD\"]";
    let mut desk = Desk::new(&venue, "kraken-websocket", &["BTC/USD"], keys);
    let mut session = subscribed(&venue, &mut desk);
    session.send(&update("2.500", crc("100530009952500")));
    desk.until("not told", |desk| (desk.levels(0)[0][0].1 == "2.5").then_some(()));
    assert_eq!((desk.state(0), desk.counters().lost), (BookState::Live, 0));

    session.send(&update("2.600", 1));
    desk.until_state(0, BookState::Suspect);
    let texts = [session.text(&mut desk), session.text(&mut desk)];
    assert!(texts[0].contains("unsubscribe") && texts[1].contains("\"subscribe\""), "{texts:?}");
    session.send(&update("2.700", 1));
    session.send(SNAPSHOT);
    desk.until_state(0, BookState::Live);
    assert_eq!(desk.levels(0)[0][0].1, "2");
    assert_eq!((desk.counters().lost, desk.counters().recovered), (1, 2));
}

#[test]
fn a_pair_that_the_venue_has_not_is_said() {
    let venue = Venue::new();
    let mut desk = Desk::new(&venue, "kraken-websocket", &["XBT/USD"], "book = \"book-10\"");
    let mut session = subscribed(&venue, &mut desk);
    session.send(r#"{"event":"subscriptionStatus","status":"error","errorMessage":"Currency pair not supported XBT/USD","pair":"XBT/USD"}"#);
    assert!(session.is_left(&mut desk));
    assert!(desk.problem().contains("not supported"), "{}", desk.problem());
}
