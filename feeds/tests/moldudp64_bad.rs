//! MoldUDP64: every class of bad input, and what it must not change.

mod common;

use common::bench::{A, B, Bench, packet, with_count};
use feeds::moldudp64::*;
use market::Timestamp;
use std::net::SocketAddrV4;

#[test]
fn bad_input_short() {
    Bench::new(|_| {}).bad(b"", BadPacket::Short);
    Bench::new(|_| {}).bad(&packet("S", 1, &[])[..19], BadPacket::Short);
}

#[test]
fn bad_input_block_past_end() {
    let whole = packet("S", 1, &["abc", "def"]);
    for length in HEADER_BYTES..whole.len() {
        Bench::new(|_| {}).bad(&whole[..length], BadPacket::BlockPastEnd);
    }
    let mut lies = whole;
    lies[20..22].copy_from_slice(&u16::MAX.to_be_bytes());
    Bench::new(|_| {}).bad(&lies, BadPacket::BlockPastEnd);
}

#[test]
fn bad_input_count_above_the_blocks_present() {
    Bench::new(|_| {}).bad(&with_count(packet("S", 1, &["a", "b"]), 3), BadPacket::BlockPastEnd);
}

#[test]
fn bad_input_trailing_bytes() {
    Bench::new(|_| {}).bad(&with_count(packet("S", 1, &["a", "b"]), 1), BadPacket::TrailingBytes);
    let heartbeat = with_count(packet("S", 1, &["a"]), 0);
    Bench::new(|_| {}).bad(&heartbeat, BadPacket::TrailingBytes);
}

#[test]
fn bad_input_more_messages_than_a_packet_may_have() {
    Bench::new(|_| {}).bad(&packet("S", 1, &[""; 257]), BadPacket::TooManyMessages);
    let said = Bench::new(|_| {}).take(A, &packet("S", 1, &[""; 256]));
    assert_eq!(said.len(), 257);
}

#[test]
fn bad_input_sequence_zero_and_overflow() {
    Bench::new(|_| {}).bad(&packet("S", 0, &["a"]), BadPacket::SequenceZero);
    Bench::new(|_| {}).bad(&packet("S", u64::MAX, &["a"]), BadPacket::SequenceOverflow);
    let mut bench = Bench::new(|config| config.start = Start::FromCurrent);
    assert_eq!(bench.take(A, &packet("S", u64::MAX - 1, &["a"])).len(), 2);
    assert_eq!(bench.receiver.expected(), u64::MAX);
}

#[test]
fn bad_input_truncated() {
    let mut bench = Bench::new(|_| {});
    let bytes = &packet("S", 1, &["a"]);
    let datagram = Datagram { bytes, truncated: true, from: None, received: 0 };
    bench.receiver.on_datagram(A, &datagram, Timestamp::ZERO, &mut bench.told);
    assert_eq!(bench.told.take(), [""; 0]);
    assert_eq!(bench.receiver.counters().bad(BadPacket::Truncated), 1);
}

#[test]
fn bad_input_wrong_source() {
    let address = |text: &str| text.parse::<SocketAddrV4>().unwrap();
    let mut bench = Bench::new(|config| {
        config.lines[0] = Some(address("10.0.0.1:0"));
        config.lines[1] = Some(address("10.0.0.1:7000"));
        config.server = Some(address("10.0.0.2:9000"));
    });
    let mut from = |line, from: Option<&str>| {
        let bytes = &packet("S", bench.receiver.expected(), &["a"]);
        let datagram = Datagram { bytes, truncated: false, from: from.map(address), received: 0 };
        bench.receiver.on_datagram(line, &datagram, Timestamp::ZERO, &mut bench.told);
        bench.told.take().len() == 2
    };
    assert!(from(A, Some("10.0.0.1:1234")));
    assert!(!from(A, Some("10.0.0.3:1234")));
    assert!(!from(A, None));
    assert!(from(B, Some("10.0.0.1:7000")));
    assert!(!from(B, Some("10.0.0.1:7001")));
    assert!(from(Line::Retransmission, Some("10.0.0.2:9000")));
    assert!(!from(Line::Retransmission, Some("10.0.0.1:9000")));
    assert_eq!(bench.receiver.counters().bad(BadPacket::WrongSource), 4);
}

#[test]
fn bad_input_unknown_line() {
    let mut bench = Bench::new(|_| {});
    assert_eq!(bench.take(Line::Live(2), &packet("S", 1, &["a"])), [""; 0]);
    assert_eq!(bench.receiver.counters().bad(BadPacket::UnknownLine), 1);
}

#[test]
fn bad_input_sequence_back() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a", "b", "c"]));
    assert_eq!(bench.take(A, &packet("S", 1, &["a"])), [""; 0]);
    assert_eq!(bench.take(A, &packet("S", 2, &["b", "c"])), [""; 0]);
    assert_eq!((bench.receiver.expected(), bench.receiver.counters().mismatches), (4, 0));
}

#[test]
fn bad_input_overlap_applies_only_the_tail() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a", "b"]));
    assert_eq!(bench.take(A, &packet("S", 2, &["b", "c", "d"])), ["3 c @9", "4 d @9", "next 5"]);
    assert_eq!(bench.receiver.counters().overlaps, 1);
    // The same for packets that were kept, of which some are then out of date.
    bench.take(A, &packet("S", 6, &["f", "g"]));
    bench.take(A, &packet("S", 6, &["f"]));
    bench.take(A, &packet("S", 7, &["g", "h"]));
    bench.take(A, &packet("S", 5, &["e", "f"]));
    assert_eq!(bench.drain(9), ["7 g @9", "next 8", "8 h @9", "next 9"]);
    assert!(!bench.receiver.pending());
}

#[test]
fn bad_input_copies_that_differ_raise_the_alert_and_the_first_stays() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a"]));
    assert_eq!(bench.take(B, &packet("S", 1, &["X"])), [""; 0]);
    assert_eq!(bench.receiver.counters().mismatches, 1);
    bench.take(A, &packet("S", 3, &["c"]));
    bench.take(B, &packet("S", 3, &["X"]));
    assert_eq!(bench.receiver.counters().mismatches, 2);
    bench.take(B, &packet("S", 2, &["b"]));
    assert_eq!(bench.drain(1), ["3 c @9", "next 4"]);
    bench.take(B, &packet("S", 3, &["X"]));
    assert_eq!(bench.receiver.counters().mismatches, 3);
}

#[test]
fn bad_input_session_changes() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S1", 1, &["a"]));
    bench.take(A, &packet("S1", 5, &["e"]));
    let said = bench.take(A, &packet("S2", 1, &["x"]));
    assert_eq!(said, ["reset S2", "1 x @9", "next 2"]);
    assert!(!bench.receiver.pending());
    assert_eq!(bench.receiver.session(), Session::new("S2"));
    // Line B is slow and still brings the session before.
    assert_eq!(bench.take(B, &packet("S1", 2, &["b"])), [""; 0]);
    assert_eq!(bench.take(Line::Retransmission, &packet("S3", 1, &["b"])), [""; 0]);
    assert_eq!(bench.receiver.counters().bad(BadPacket::OtherSession), 2);
    assert_eq!(bench.receiver.counters().resets, 1);
    assert_eq!(bench.take(A, &packet("S2", 2, &["y"])), ["2 y @9", "next 3"]);
}

#[test]
fn a_session_change_that_was_not_real_is_taken_back() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S1", 1, &["a"]));
    bench.take(A, &packet("FALSE", 1, &[]));
    let said: Vec<_> =
        (2..).map(|sequence| bench.take(A, &packet("S1", sequence, &["b"]))).take(65).collect();
    assert_eq!(said.concat(), ["reset S1"]);
    assert_eq!(bench.poll(500).0, Some((1, 10)));
}

#[test]
fn only_the_configured_session_is_followed() {
    let mut bench = Bench::new(|config| config.session = Session::new("MINE"));
    bench.bad(&packet("OTHER", 1, &["a"]), BadPacket::OtherSession);
    assert_eq!(bench.take(A, &packet("MINE", 1, &["a"])).len(), 2);
}

#[test]
fn bad_input_a_jump_of_millions_needs_a_second_packet() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a"]));
    bench.bad(&packet("S", 1 << 60, &["x"]), BadPacket::FarAhead);
    assert_eq!(bench.poll(10_000), (None, vec![]));
    assert_eq!(bench.take(A, &packet("S", 2, &["b"])), ["2 b @9", "next 3"]);
    // The whole network was gone for an hour: two packets agree.
    bench.take(A, &packet("S", 10_000_000, &["x"]));
    bench.take(A, &packet("S", 10_000_001, &["y"]));
    assert_eq!(bench.poll(500), (Some((3, 10)), vec![format!("gap 3+{}", 10_000_001 - 3)]));
}
