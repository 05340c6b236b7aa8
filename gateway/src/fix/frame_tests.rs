//! Framing: golden bytes, and each way of being garbled by its published name.

use super::*;
use proptest::prelude::*;

const MAX: usize = 512;

/// A message with `|` for SOH and a right CheckSum; BodyLength as written.
fn summed(text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.bytes().map(|b| if b == b'|' { SOH } else { b }).collect();
    let sum = check_sum(&bytes);
    bytes.extend_from_slice(format!("10={sum:03}\x01").as_bytes());
    bytes
}

fn reason(bytes: &[u8]) -> Garble {
    match frame(bytes, MAX) {
        Frame::Garbled { skip, reason } => {
            assert!(skip >= 1 && skip <= bytes.len().max(1));
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn golden_message() {
    // Length and sum computed by another program.
    let text = "8=FIX.4.4|9=155|35=8|49=EXEC|56=US|34=12|52=20250717-13:16:40.012|37=A1|17=E1|15\
        0=F|39=1|11=77|55=ARL|54=1|31=15.37|32=100|14=100|151=200|6=15.37|60=20250717-13:16:40.011|10=077|";
    let bytes: Vec<u8> = text.bytes().map(|b| if b == b'|' { SOH } else { b }).collect();
    assert_eq!(frame(&bytes, MAX), Frame::Complete { len: 178, body: 16 });
}

#[test]
fn every_prefix_is_incomplete_one_byte_dribble() {
    let bytes = summed("8=FIX.4.4|9=5|35=0|");
    for end in 0..bytes.len() {
        assert_eq!(frame(&bytes[..end], MAX), Frame::Incomplete, "{end}");
    }
    assert!(matches!(frame(&bytes, MAX), Frame::Complete { .. }));
}

#[test]
fn two_in_one_read_end_where_the_first_ends() {
    let one = summed("8=FIX.4.4|9=5|35=0|");
    let two = [one.clone(), one.clone()].concat();
    assert_eq!(frame(&two, MAX), Frame::Complete { len: one.len(), body: 14 });
}

#[test]
fn zero_padded_body_length_is_read() {
    let bytes = summed("8=FIX.4.4|9=0000005|35=0|");
    assert_eq!(frame(&bytes, MAX), Frame::Complete { len: bytes.len(), body: 20 });
}

#[test]
fn case_2m_body_length_too_short_or_too_long() {
    assert_eq!(reason(&summed("8=FIX.4.4|9=10|35=0|34=12|")), Garble::Trailer);
    let long = [summed("8=FIX.4.4|9=14|35=0|34=12|"), summed("8=FIX.4.4|9=5|35=0|")].concat();
    let Frame::Garbled { skip, reason } = frame(&long, MAX) else { panic!() };
    assert_eq!(reason, Garble::Trailer);
    assert!(matches!(frame(&long[skip..], MAX), Frame::Complete { .. }), "the next one is found");
    // What BodyLength spans is of the garbled message, and asked for again with it.
    let two = [summed("8=FIX.4.4|9=24|35=0|34=12|"), summed("8=FIX.4.4|9=5|35=0|")].concat();
    let whole = [two, summed("8=FIX.4.4|9=5|35=0|")].concat();
    let Frame::Garbled { skip, .. } = frame(&whole, MAX) else { panic!() };
    assert_eq!(frame(&whole[skip..], MAX), Frame::Complete { len: whole.len() - skip, body: 14 });
}

#[test]
fn negative_or_huge_body_length() {
    assert_eq!(reason(&summed("8=FIX.4.4|9=-5|35=0|")), Garble::BodyLength);
    assert_eq!(reason(&summed("8=FIX.4.4|9=|35=0|")), Garble::BodyLength);
    assert_eq!(reason(&summed("8=FIX.4.4|9=1e3|35=0|")), Garble::BodyLength);
    assert_eq!(reason(&summed("8=FIX.4.4|9=99999999999999999999|35=0|")), Garble::BodyLength);
    assert_eq!(reason(&summed("8=FIX.4.4|9=9999999999999999|35=0|")), Garble::TooLong);
    assert_eq!(reason(&summed("8=FIX.4.4|9=513|35=0|")), Garble::TooLong);
    assert_eq!(reason(&summed("8=FIX.4.4|9=0|35=0|")), Garble::MsgType);
}

#[test]
fn case_3b_check_sum() {
    let mut bytes = summed("8=FIX.4.4|9=5|35=0|");
    let last_digit = bytes.len() - 2;
    bytes[last_digit] ^= 1;
    assert_eq!(reason(&bytes), Garble::CheckSum);
    bytes[last_digit] = b'x';
    assert_eq!(reason(&bytes), Garble::Trailer);
}

#[test]
fn case_2t_first_three_fields() {
    assert_eq!(reason(&summed("9=5|8=FIX.4.4|35=0|")), Garble::BeginString);
    assert_eq!(reason(&summed("8=FIX.4.4|35=0|9=5|")), Garble::BodyLength);
    assert_eq!(reason(&summed("8=FIX.4.4|9=10|34=1|35=0|")), Garble::MsgType);
    assert_eq!(reason(b"8=FIX.4.4.4.4.4.4.4.4\x01"), Garble::BeginString);
}

#[test]
fn cases_2d_3c_garbled_bytes_are_skipped_to_the_next_message() {
    let good = summed("8=FIX.4.4|9=5|35=0|");
    let bytes = [b"noise 8=F noise".to_vec(), good.clone()].concat();
    let Frame::Garbled { skip, reason } = frame(&bytes, MAX) else { panic!() };
    assert_eq!((skip, reason), (15, Garble::BeginString));
    assert_eq!(frame(b"x8=FI", MAX), Frame::Garbled { skip: 1, reason: Garble::BeginString });
    assert_eq!(frame(b"", MAX), Frame::Incomplete);
}

proptest! {
    #[test]
    fn no_bytes_panic_and_all_are_consumed(
        bytes in prop::collection::vec(
            prop_oneof![Just(b'8'), Just(b'='), Just(b'F'), Just(SOH), Just(b'9'), any::<u8>()],
            0..200,
        )
    ) {
        let mut at = 0;
        loop {
            match frame(&bytes[at..], 64) {
                Frame::Complete { len, .. } => at += len,
                Frame::Garbled { skip, .. } => {
                    prop_assert!(skip >= 1);
                    at += skip;
                }
                Frame::Incomplete => break,
            }
        }
        prop_assert!(at <= bytes.len());
        // What stays behind is a prefix shorter than the longest message.
        prop_assert!(bytes.len() - at <= 64);
    }
}
