//! The bodies of the fuzz targets in `gateway/fuzz`: each takes any bytes and panics if the crate
//! does what it must never do. The seeds of the targets run through them in plain `cargo test`.
//!
//! It is compiled for tests and fuzzing only, and must not need a clock, a file or luck.

mod market_data;
mod naive;
mod session;

pub use market_data::market_data;
pub use session::session;

use crate::dialect::{Dialect, OurId, Settings};
use crate::fix::{FieldIndex, Frame, Message, SECRET_TAGS, frame, redact, redact_values};
use crate::orders::{Instruments, Requests, decode_command, decode_report};
use crate::spec::Version;
use market::{Command, Instrument, InstrumentId, OrderId, Price, Qty, Side};

/// Longest message and most fields, small enough for a fuzzer to reach.
const MAX: usize = 1_024;
const FIELDS: usize = 64;

/// Plain FIX of every version, and a venue that gives our ids back in another field.
fn dialects() -> Vec<Dialect> {
    let swapped = Settings { our_id: OurId::OrigClOrdId, ..Settings::of(Version::Fix44) };
    let all = Version::ALL.map(Settings::of).into_iter().chain([swapped]);
    all.map(|settings| Dialect::new(settings).expect("plain settings")).collect()
}

/// Frames, fields, typed values, and every decoder of order entry.
pub fn decoder(data: &[u8]) {
    let share = Instrument::share(0, "ARL");
    let instruments = Instruments::new(std::slice::from_ref(&share)).expect("one instrument");
    let dialects = dialects();
    let mut requests = Requests::new(16);
    let order = (InstrumentId(0), Side::Buy, Price::ONE, Qty::from_raw(3));
    requests.remember(1, &Command::new(OrderId(77), order.0, order.1, order.2, order.3));
    let mut index = FieldIndex::new(FIELDS);
    each_frame(data, &mut index, |message| {
        typed_values(message);
        for dialect in &dialects {
            let (mut reports, table) = (0, &instruments);
            let _ = decode_report(message, 1, table, dialect, &requests, &mut |_| reports += 1);
            assert!(reports <= 2, "{reports} reports of one message");
            if let Ok(command) = decode_command(message, table, dialect) {
                assert!(command.kind().is_some());
            }
        }
    });
}

/// Goes through `data` as a session does; every step is at least one byte.
fn each_frame(data: &[u8], index: &mut FieldIndex, mut act: impl FnMut(&Message<'_>)) {
    let mut at = 0;
    while at < data.len() {
        match frame(&data[at..], MAX) {
            Frame::Incomplete => break,
            Frame::Garbled { skip, .. } => {
                assert!(skip > 0 && skip <= data.len() - at, "skips {skip}");
                at += skip;
            }
            Frame::Complete { len, body } => {
                let bytes = &data[at..at + len];
                assert!(body < len && len <= MAX);
                assert_eq!(frame(&bytes[..len - 1], MAX), Frame::Incomplete);
                act(&index.parse(bytes));
                at += len;
            }
        }
    }
}

fn typed_values(message: &Message<'_>) {
    let mut fields = 0;
    for (tag, value) in message.fields() {
        fields += 1;
        assert!(tag > 0 && !value.is_empty());
        assert_eq!(message.get(tag).is_some(), message.required(tag).is_ok());
        let _ = (message.u64(tag), message.decimal(tag, 9), message.decimal(tag, 0));
        let _ = (message.time(tag), message.char(tag), message.flag(tag));
    }
    assert!(fields <= FIELDS);
}

/// Framing and field index against a slow reading of the specification that shares no code.
pub fn differential(data: &[u8]) {
    let found = match frame(data, MAX) {
        Frame::Complete { len, .. } => Some(len),
        Frame::Incomplete | Frame::Garbled { .. } => None,
    };
    assert_eq!(found, naive::frame(data, MAX));
    let Some(len) = found else { return };
    let mut index = FieldIndex::new(FIELDS);
    let message = index.parse(&data[..len]);
    let fields: Vec<(u32, Vec<u8>)> =
        message.fields().map(|(tag, value)| (tag, value.to_vec())).collect();
    match naive::fields(&data[..len], FIELDS) {
        Some(expected) => {
            assert_eq!(message.fault(), None);
            assert_eq!(fields, expected);
        }
        None => assert!(message.fault().is_some(), "{}", String::from_utf8_lossy(data)),
    }
}

/// Redaction, by field and by value: a planted secret does not survive, whatever stands around it;
/// nothing but the values of secrets changes, and once is enough.
pub fn redaction(data: &[u8]) {
    const CANARY: &[u8] = b"c4n4ry-s3cr3t";
    let (&choice, rest) = data.split_first().unwrap_or((&0, &[]));
    let tag = SECRET_TAGS[usize::from(choice) % SECRET_TAGS.len()];
    let fields = rest.iter().filter(|&&byte| byte == 1).count();
    let field = usize::from(choice) % (fields + 1);
    let mut planted = Vec::new();
    for (number, part) in rest.split(|&byte| byte == 1).enumerate() {
        if number > 0 {
            planted.push(1);
        }
        if number == field {
            planted.extend_from_slice(format!("{tag}=").as_bytes());
            planted.extend_from_slice(CANARY);
            planted.push(1);
        }
        planted.extend_from_slice(part);
    }
    let before = planted.clone();
    let by_value = redact_values(&before, [CANARY]).expect("it is there");
    let expected = String::from_utf8_lossy(&before).replace("c4n4ry-s3cr3t", "*************");
    assert_eq!(String::from_utf8_lossy(&by_value), expected);
    redact(&mut planted, &SECRET_TAGS);
    let count = |bytes: &[u8]| bytes.windows(CANARY.len()).filter(|part| *part == CANARY).count();
    assert!(count(&planted) < count(&before), "the planted secret survives");
    assert_eq!(planted.len(), before.len());
    assert!(planted.iter().zip(&before).all(|(new, old)| new == old || *new == b'*'));
    let once = planted.clone();
    redact(&mut planted, &SECRET_TAGS);
    assert_eq!(planted, once);
}

#[cfg(test)]
mod tests;
