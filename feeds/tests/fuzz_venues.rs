//! Recordings of crypto venues with every byte changed in turn: readers must not believe what they are
//! told, and books by level must never be given an event that they cannot take.

use feeds::recording::{Books, Options, Unit, open_bytes};
use market::book::{LevelBooks, OrderBooks};
use std::path::Path;

/// The books that a recording makes take every event of it.
fn books_take_it(bytes: &[u8]) {
    let Ok(mut recording) = open_bytes(bytes, Options::default()) else { return };
    let (mut unit, mut levels, mut orders) =
        (Unit::default(), LevelBooks::growing(), OrderBooks::growing());
    while recording.next_unit(&mut unit).unwrap() {
        for event in &unit.events {
            assert!(levels.admit(event.instrument) && orders.admit(event.instrument));
            let applied = match recording.describe().books {
                Books::ByOrder => orders.apply(event),
                _ => levels.apply(event),
            };
            assert_eq!(applied.contradiction, None, "{event:?} of {}", bytes.escape_ascii());
        }
    }
    levels.audit().unwrap();
    orders.audit().unwrap();
}

#[test]
fn changed_bytes_break_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for name in [
        "recording-binance-futures",
        "recording-binance-spot",
        "recording-binance-symbols",
        "recording-coinbase-advanced",
        "recording-coinbase-levels",
        "recording-coinbase-orders",
        "recording-kraken",
    ] {
        let bytes = std::fs::read(corpus.join(name)).unwrap();
        for at in 0..bytes.len() {
            for byte in [bytes[at] ^ 1, bytes[at] ^ 0x80, b'0', b'9', b'"', b'}', b'\n', b'-'] {
                let mut bytes = bytes.clone();
                bytes[at] = byte;
                feeds::fuzz::recording(&bytes);
                books_take_it(&bytes);
            }
        }
    }
}
