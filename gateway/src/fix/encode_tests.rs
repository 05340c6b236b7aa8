//! Golden bytes, what must be refused, and every size of buffer.

use super::*;
use crate::fix::field_writer::TAG_END;
use crate::fix::{FieldIndex, Frame, frame};
use proptest::prelude::*;

fn template(precision: Precision) -> Template {
    Template::new("FIX.4.4", "US", "VENUE", precision).unwrap()
}

#[test]
fn golden_bytes() {
    let mut template = template(Precision::Millis);
    let mut buffer = [0; 384];
    let now = Timestamp::from_nanos(1_752_758_200_012_345_678);
    let mut encoder = Encoder::begin_again(
        &mut buffer,
        &mut template,
        now,
        12,
        b"D",
        Some(b"20250717-13:16:39.000"),
    );
    encoder.u64(tags::CL_ORD_ID, 77);
    encoder.decimal(tags::PRICE, -15_370_000_000, 9);
    encoder.hex(tags::ORDER_ID, [1, 0xabc0_0000_0000_0000]);
    encoder.flag(tags::LAST_RPT_REQUESTED, false);
    let frame = encoder.finish().unwrap();
    assert_eq!(
        String::from_utf8_lossy(frame).replace('\x01', "|"),
        "8=FIX.4.4|9=140|35=D|34=12|43=Y|49=US|52=20250717-13:16:40.012|56=VENUE|\
         122=20250717-13:16:39.000|11=77|44=-15.37|37=0000000000000001abc0000000000000|912=N|\
         10=177|"
    );
}

#[test]
fn constant_fields_stand_in_the_header() {
    let fields = [(tags::SENDER_SUB_ID, "DESK".to_owned()), (57, "X".to_owned())];
    let mut template = template(Precision::Seconds).with_fields(&fields).unwrap();
    let mut buffer = [0; 384];
    let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
    encoder.u64(tags::TEST_REQ_ID, 7);
    let frame = encoder.finish().unwrap();
    let text = String::from_utf8_lossy(frame).replace('\x01', "|");
    assert!(text.contains("|56=VENUE|50=DESK|57=X|112=7|"), "{text}");
    for (tag, value) in [(50, ""), (50, "a\x01b"), (58, "of the body")] {
        let fields = [(tag, value.to_owned())];
        let refused = self::template(Precision::Seconds).with_fields(&fields);
        assert_eq!(refused.err(), Some(EncodeError::Value(tag)));
    }
}

#[test]
fn what_could_not_be_read_is_not_emitted() {
    let mut template = template(Precision::Millis);
    let mut buffer = [0; 384];
    for bad in [&b""[..], b"a\x01b"] {
        let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
        encoder.bytes(tags::TEXT, bad);
        assert_eq!(encoder.finish(), Err(EncodeError::Value(tags::TEXT)));
    }
    assert!(Template::new("FIX.4.4", "", "B", Precision::Millis).is_err());
    assert!(Template::new("FIX.4.4", "A", "B\x01", Precision::Millis).is_err());
}

#[test]
fn a_tag_or_scale_too_large_is_refused() {
    let mut template = template(Precision::Millis);
    let mut buffer = [0; 384];
    for bad in [1 << 31, u32::MAX] {
        let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
        encoder.u64(bad, 1);
        assert_eq!(encoder.finish(), Err(EncodeError::Value(bad)));
    }
    let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
    encoder.decimal(tags::PRICE, 1, 19);
    assert_eq!(encoder.finish(), Err(EncodeError::Value(tags::PRICE)));
    let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
    encoder.u64(TAG_END - 1, 1);
    assert!(encoder.finish().unwrap().windows(11).any(|part| part == b"\x019999999=1\x01"));
}

#[test]
fn tags_of_eight_digits_and_more_are_written() {
    let mut template = template(Precision::Millis);
    let tags = [TAG_END, 99_999_999, 100_000_000, 1_234_567_890, (1 << 31) - 1];
    let mut buffer = [0; 512];
    let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
    for tag in tags {
        encoder.u64(tag, 7);
        encoder.bytes(tag, b"text");
        encoder.char(tag, b'c');
    }
    let frame = encoder.finish().unwrap().to_vec();
    assert!(
        matches!(crate::fix::frame(&frame, 512), Frame::Complete { len, .. } if len == frame.len())
    );
    let mut index = FieldIndex::new(64);
    let message = index.parse(&frame);
    let read: Vec<_> = message.fields().filter(|(tag, _)| *tag >= TAG_END).collect();
    let expected = tags.map(|tag| [(tag, &b"7"[..]), (tag, b"text"), (tag, b"c")]);
    assert_eq!((message.fault(), read), (None, expected.concat()));
    // Whatever the buffer, it is written whole or not at all.
    for size in 0..frame.len() + Encoder::SLACK {
        let mut buffer = vec![0; size];
        let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
        for tag in tags {
            encoder.u64(tag, 7);
            encoder.bytes(tag, b"text");
            encoder.char(tag, b'c');
        }
        assert!(encoder.finish().is_err(), "{size}");
    }
}

/// A message of ours in a buffer of this size.
fn message(
    size: usize,
    template: &mut Template,
    seq: u64,
    text: &str,
) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = vec![0; size];
    let mut encoder = Encoder::begin(&mut buffer, template, Timestamp::ZERO, seq, b"B");
    encoder.bytes(tags::TEXT, text.as_bytes());
    encoder.u64(tags::LAST_QTY, seq);
    encoder.finish().map(<[u8]>::to_vec)
}

proptest! {
    #[test]
    fn every_buffer_size_fits_or_refuses(size in 0usize..400, seq: u64, text in "[a-z]{1,120}") {
        let mut template = template(Precision::Nanos);
        let whole = message(1_024, &mut template, seq, &text).unwrap();
        let len = whole.len();
        prop_assert_eq!(frame(&whole, len), Frame::Complete { len, body: len - body_len(&whole) });
        let mut index = FieldIndex::new(16);
        let read = index.parse(&whole);
        prop_assert_eq!(read.fault(), None);
        prop_assert_eq!(read.get(tags::TEXT), Some(text.as_bytes()));
        prop_assert_eq!(read.u64(tags::LAST_QTY), Ok(seq));
        prop_assert!(!whole.windows(4).any(|w| w == b"\x019=0"), "never padded");
        let expected = match len + Encoder::SLACK <= size {
            true => Ok(whole),
            false => Err(EncodeError::TooLong),
        };
        prop_assert_eq!(message(size, &mut template, seq, &text), expected.clone());
        if let Ok(whole) = expected {
            // No byte of slack is too much or missing.
            prop_assert_eq!(message(len + Encoder::SLACK, &mut template, seq, &text), Ok(whole));
            prop_assert!(message(len + Encoder::SLACK - 1, &mut template, seq, &text).is_err());
        }
    }
}

/// Bytes from `35=` to the end.
fn body_len(whole: &[u8]) -> usize {
    whole.len() - whole.windows(3).position(|part| part == b"35=").unwrap()
}
