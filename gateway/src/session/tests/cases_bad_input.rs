//! Bad input, each class with the outcome that it must have: ignored without a number, rejected
//! under its number, or the end. Nothing may panic, loop, grow or be lost.

use super::harness::{Bench, LOGON, Log, message};
use crate::session::{Disconnect, MemoryStore, Session, State, Store};
use market::Nanos;
use proptest::prelude::*;

/// The peer's next message after garbage is taken: nothing was lost, no number used.
fn goes_on(bench: &mut Bench, seq: u64) {
    bench.give("D", seq, "58=good|").unwrap();
    assert_eq!(bench.app.messages.last().unwrap(), &format!("{seq} D good"));
    assert!(bench.sent().is_empty());
    assert_eq!(bench.next_incoming(), seq + 1);
}

#[test]
fn body_length_padded_with_zeros_is_valid() {
    let mut bench = Bench::acceptor_up();
    let text = String::from_utf8(bench.message("D", 2, "58=x|")).unwrap();
    let padded = text.replacen("\x019=", "\x019=00000", 1);
    let sum = padded.len() - 7;
    let check = padded[..sum].bytes().map(u32::from).sum::<u32>() % 256;
    bench.give_raw(format!("{}10={check:03}\x01", &padded[..sum]).as_bytes()).unwrap();
    assert_eq!(bench.app.messages, ["2 D x"]);
    goes_on(&mut bench, 3);
}

#[test]
fn body_length_that_is_none_is_ignored() {
    for length in ["-5", "", "+5", "1e3", "99999999999999999999", "0", "4"] {
        let mut bench = Bench::acceptor_up();
        let text = String::from_utf8(bench.message("D", 2, "58=x|")).unwrap();
        let start = text.find("9=").unwrap();
        let end = start + text[start..].find('\x01').unwrap();
        let garbled = format!("{}9={length}{}", &text[..start], &text[end..]);
        bench.give_raw(garbled.as_bytes()).unwrap();
        assert!(bench.session.counters().garbled > 0, "{length}");
        goes_on(&mut bench, 2);
    }
}

#[test]
fn a_message_longer_than_allowed_is_the_end_before_it_has_come() {
    for length in [8_200_u64, 1 << 32, 9_999_999_999_999_999] {
        let mut bench = Bench::acceptor_up();
        let head = format!("8=FIX.4.4\x019={length}\x0135=D\x01");
        assert_eq!(bench.give_raw(head.as_bytes()), Err(Disconnect::TooLong));
        assert_eq!(bench.session.state(), State::Closing);
    }
}

#[test]
fn data_fields_are_as_long_as_they_say() {
    for (body, fault) in [
        ("95=3|96=a|b|58=good|", ""),
        ("95=3|96=abc|58=good|", ""),
        ("95=4|96=abc|58=x|", "371=96|372=D|373=6"),
        ("95=2|96=abc|58=x|", "371=96|372=D|373=6"),
        ("95=99999999999999999999|96=abc|", "371=95|372=D|373=6"),
        ("95=18446744073709551615|96=abc|", "371=96|372=D|373=6"),
        ("95=-3|96=abc|", "371=95|372=D|373=6"),
        ("95=3|58=x|", "371=96|372=D|373=6"),
    ] {
        let mut bench = Bench::acceptor_up();
        bench.give("D", 2, body).unwrap();
        let sent = bench.sent();
        match fault {
            "" => assert_eq!(bench.app.messages, ["2 D good"], "{body}: {sent:?}"),
            _ => assert!(sent.len() == 1 && sent[0].ends_with(fault), "{body}: {sent:?}"),
        }
        goes_on(&mut bench, 3);
    }
}

#[test]
fn stamps_of_every_precision_and_bytes_beyond_ascii_are_taken() {
    for time in [
        "20250717-13:16:40",
        "20250717-13:16:40.123",
        "20250717-13:16:40.123456",
        "20250717-13:16:40.123456789",
        "20250717-13:16:40.123456789012",
        "20250717-13:15:60",
    ] {
        let mut bench = Bench::acceptor_up();
        let body = format!("35=D|49=THEM|56=US|34=2|52={time}|58=\u{e4}\u{20ac}|");
        bench.give_raw(&message("FIX.4.4", &body)).unwrap();
        assert_eq!(bench.app.messages, ["2 D \u{e4}\u{20ac}"], "{time}");
    }
    for time in ["20250717-13:16:61", "20250717-24:00:00", "20250732-13:16:40", "1", "x"] {
        let mut bench = Bench::acceptor_up();
        let body = format!("35=D|49=THEM|56=US|34=2|52={time}|58=x|");
        bench.give_raw(&message("FIX.4.4", &body)).unwrap();
        assert!(bench.sent()[0].ends_with("371=52|372=D|373=6"), "{time}");
        assert!(bench.app.messages.is_empty());
        goes_on(&mut bench, 3);
    }
}

#[test]
fn more_fields_than_allowed_are_rejected_under_their_number() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, &"58=x|".repeat(300)).unwrap();
    let sent = bench.sent();
    assert!(sent.len() == 1 && sent[0].ends_with("372=D|373=99"), "{sent:?}");
    goes_on(&mut bench, 3);
}

#[test]
fn no_bytes_at_all_are_the_end_in_time() {
    let mut bench = Bench::acceptor();
    bench.give_raw(b"").unwrap();
    assert_eq!(bench.wait(Nanos::from_secs(10)), Err(Disconnect::LogonTimeout));
    let mut bench = Bench::acceptor_up();
    bench.wait(Nanos::from_secs(36)).unwrap();
    assert!(bench.sent().last().unwrap().starts_with("1 "));
    assert_eq!(bench.wait(Nanos::from_secs(36)), Err(Disconnect::Silence));
}

#[test]
fn a_peer_that_asks_for_the_same_forever_is_logged_out() {
    let mut bench = Bench::acceptor_up();
    for i in 0..200 {
        bench.send(&format!("r{i}"));
    }
    bench.sent();
    let (mut seq, mut answers) = (2, 0);
    let why = loop {
        match bench.give("2", seq, "7=1|16=0|") {
            Ok(()) => seq += 1,
            Err(why) => break why,
        }
        while bench.session.poll(bench.now, &mut bench.out).unwrap() {}
        answers += bench.sent().len();
        assert!(seq < 10_000, "it never ends");
    };
    assert_eq!(why, Disconnect::ResendLoop);
    assert!(bench.sent().pop().unwrap().starts_with("5 "));
    assert!(answers < 50 * 201, "{answers}");
    // At the next connection it may ask again.
    bench.disconnect();
    bench.connect().unwrap();
    bench.give("A", seq, LOGON).unwrap();
    bench.give("2", seq + 1, "7=1|16=0|").unwrap();
    assert!(bench.session.is_up());
}

#[test]
fn rejects_of_rejects_do_not_begin_a_loop() {
    // Two sessions that refuse each other's every message.
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, "0=x|").unwrap();
    for body in ["45=2|0=x|", "45=|", "371=|58=refuse|", "45=2|34=9|"] {
        let seq = bench.next_incoming();
        bench.sent();
        bench.give("3", seq, body).unwrap();
        assert!(bench.sent().is_empty(), "{body}");
        assert_eq!(bench.next_incoming(), seq + 1);
    }
}

#[test]
fn what_is_ahead_of_sequence_finds_room_or_is_asked_for() {
    let mut bench = Bench::acceptor_up();
    // Far more than is kept: 500 messages of 900 bytes.
    let text = "y".repeat(800);
    for seq in 3..503 {
        bench.give("D", seq, &format!("58={seq}{text}|")).unwrap();
    }
    assert_eq!(bench.sent(), ["2 2 7=2|16=0"], "asked once, for everything");
    for seq in 2..503 {
        let body = format!("43=Y|122={}|58={seq}{text}|", bench.stamp());
        bench.give("D", seq, &body).unwrap();
    }
    assert_eq!((bench.app.messages.len(), bench.next_incoming()), (501, 503));
    for (seq, text) in (2..).zip(&bench.app.messages) {
        assert!(text.starts_with(&format!("{seq} D {seq}y")), "each once, in order");
    }
}

#[test]
fn what_is_kept_waits_for_a_busy_application() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 3, "58=second|").unwrap();
    bench.app.busy = true;
    let first = bench.message("D", 2, "58=first|");
    let Bench { session, out, app, now } = &mut bench;
    assert_eq!(session.received(*now, 0, &first, out, app), Ok(0));
    app.busy = false;
    assert_eq!(session.received(*now, 0, &first, out, app), Ok(first.len()));
    assert_eq!(app.messages, ["2 D first", "3 D second"]);
    assert!(!session.holds_messages());
}

/// A fresh acceptor that is up.
fn up() -> Session<MemoryStore> {
    let mut bench = Bench::acceptor_up();
    bench.sent();
    bench.session
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Mutated traffic: the session never panics, and what it records goes up by one at a time.
    #[test]
    fn spoilt_traffic_never_breaks_the_session(
        seqs in prop::collection::vec((1u64..9, 0usize..8), 1..20),
        spoils in prop::collection::vec((0usize..4_000, any::<u8>()), 0..6),
        cut in 1usize..200,
    ) {
        let bench = Bench::acceptor_up();
        let kinds = [
            ("0", ""), ("1", "112=x|"), ("2", "7=1|16=0|"), ("4", "123=Y|36=9|"),
            ("4", "36=5|"), ("D", "58=x|"), ("A", "98=0|108=30|141=Y|"), ("D", "43=Y|122=x|"),
        ];
        let mut bytes = Vec::new();
        for (seq, kind) in seqs {
            let (kind, body) = kinds[kind];
            bytes.extend(bench.message(kind, seq, body));
        }
        for (at, byte) in spoils {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        let (mut session, mut out, mut app) = (up(), Vec::new(), Log::default());
        let mut input = Vec::new();
        for part in bytes.chunks(cut) {
            input.extend_from_slice(part);
            let before = session.store().next_outgoing();
            match session.received(bench.now, 0, &input, &mut out, &mut app) {
                Ok(used) => drop(input.drain(..used)),
                Err(_) => break,
            }
            prop_assert!(session.poll(bench.now, &mut out).is_ok());
            let after = session.store().next_outgoing();
            prop_assert!(after >= before || app.messages.len() < 1_000);
        }
        super::harness::texts(&out);
    }
}
