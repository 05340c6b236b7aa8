//! What two parties may agree on: NextExpectedMsgSeqNum, parts of a resend, LastMsgSeqNumProcessed,
//! constant header fields, what a Logon says, and how numbers begin anew.

use super::harness::{Bench, LOGON};
use crate::fix::{EncodeError, Encoder, FieldIndex, tags};
use crate::session::{
    Disconnect, FrameKind, LogonBody, LogonFacts, MemoryStore, Reset, ResetError, SessionConfig,
    Store,
};
use market::Nanos;

/// A store whose next numbers are these, with a frame for each number of ours.
fn store(outgoing: u64, incoming: u64) -> MemoryStore {
    let mut store = MemoryStore::new(4096, 1 << 20);
    for seq in 1..outgoing {
        let frame = super::harness::message("FIX.4.4", &format!("35=8|34={seq}|58=r{seq}|"));
        let kind = crate::session::FrameKind::Application;
        store.record_outgoing(seq, kind, &frame).unwrap();
    }
    store.set_next_incoming(incoming).unwrap();
    store
}

fn expecting(config: SessionConfig, outgoing: u64, incoming: u64) -> Bench {
    let config = SessionConfig { next_expected: true, ..config };
    let mut bench = Bench::over(config, store(outgoing, incoming));
    bench.connect().unwrap();
    bench
}

#[test]
fn an_acceptor_sends_what_the_logon_says_is_missing() {
    let mut bench = expecting(SessionConfig::acceptor("US", "THEM"), 4, 7);
    bench.give("A", 7, "98=0|108=30|789=2|").unwrap();
    let expected =
        ["A 4 98=0|108=30|789=8", "8 2 43=Y|58=r2", "8 3 43=Y|58=r3", "4 4 43=Y|36=5|123=Y"];
    assert_eq!(bench.sent(), expected);
    assert_eq!(bench.app.ups, 1);
}

#[test]
fn an_acceptor_that_misses_messages_says_so_and_asks_no_more() {
    let mut bench = expecting(SessionConfig::acceptor("US", "THEM"), 1, 3);
    bench.give("A", 7, "98=0|108=30|789=1|").unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|789=3"]);
    assert!(bench.session.is_recovering());
    bench.give("4", 3, "43=Y|123=Y|36=8|").unwrap();
    assert!(!bench.session.is_recovering());
    assert_eq!((bench.app.ups, bench.next_incoming()), (1, 8));
    // A peer that does not do its part is noticed.
    let mut bench = expecting(SessionConfig::acceptor("US", "THEM"), 1, 3);
    bench.give("A", 7, "98=0|108=30|789=1|").unwrap();
    assert_eq!(bench.wait(Nanos::from_secs(30)), Err(Disconnect::ResendTimeout));
}

#[test]
fn an_initiator_does_the_same() {
    let mut bench = expecting(SessionConfig::initiator("US", "THEM"), 4, 3);
    assert_eq!(bench.sent(), ["A 4 98=0|108=30|789=3"]);
    bench.give("A", 5, "98=0|108=30|789=2|").unwrap();
    assert_eq!(bench.sent(), ["4 2 43=Y|36=5|123=Y"], "stale orders are filled");
    assert!(bench.session.is_recovering());
    bench.give("4", 3, "43=Y|123=Y|36=6|").unwrap();
    assert_eq!((bench.app.ups, bench.next_incoming()), (1, 6));
}

#[test]
fn next_expected_beyond_what_was_sent_ends_the_session() {
    for (config, own) in
        [(SessionConfig::acceptor("US", "THEM"), 4), (SessionConfig::initiator("US", "THEM"), 5)]
    {
        let mut bench = expecting(config, 4, 1);
        let why = Disconnect::NextExpected { expected: own, received: 9 };
        assert_eq!(bench.give("A", 1, "98=0|108=30|789=9|"), Err(why));
        let last = bench.sent().pop().unwrap();
        assert!(last.ends_with("58=NextExpectedMsgSeqNum too high"), "{last}");
    }
    for bad in ["0", "-1", "x"] {
        let mut bench = expecting(SessionConfig::acceptor("US", "THEM"), 4, 1);
        let given = bench.give("A", 1, &format!("98=0|108=30|789={bad}|"));
        assert_eq!(given, Err(Disconnect::BadLogon));
    }
}

#[test]
fn next_expected_means_nothing_where_it_was_not_agreed_on() {
    let mut bench = Bench::over(SessionConfig::acceptor("US", "THEM"), store(4, 1));
    bench.connect().unwrap();
    bench.give("A", 1, "98=0|108=30|789=99|").unwrap();
    assert_eq!(bench.sent(), ["A 4 98=0|108=30"]);
}

#[test]
fn what_is_missing_is_asked_for_in_parts() {
    let config = SessionConfig { chunk: Some(10), ..SessionConfig::acceptor("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    bench.sent();
    bench.give("D", 30, "58=late|").unwrap();
    assert_eq!(bench.sent(), ["2 2 7=2|16=11"]);
    for seq in 2..11 {
        bench.give("0", seq, &format!("43=Y|122={}|", bench.stamp())).unwrap();
        assert!(bench.sent().is_empty());
    }
    // More is seen meanwhile, and what is seen is kept.
    bench.give("D", 31, "58=later|").unwrap();
    bench.give("0", 11, &format!("43=Y|122={}|", bench.stamp())).unwrap();
    assert_eq!(bench.sent(), ["2 3 7=12|16=21"]);
    bench.give("4", 12, "43=Y|123=Y|36=22|").unwrap();
    assert_eq!(bench.sent(), ["2 4 7=22|16=30"]);
    assert_eq!(bench.app.ups, 1, "it was up before the gap");
    bench.give("4", 22, "43=Y|123=Y|36=30|").unwrap();
    assert_eq!(bench.app.messages, ["30 D late", "31 D later"]);
    assert!(!bench.session.is_recovering() && bench.sent().is_empty());
}

#[test]
fn a_part_ends_where_the_gap_does() {
    let config = SessionConfig { chunk: Some(10), ..SessionConfig::acceptor("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 4, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30", "2 2 7=1|16=3"]);
    bench.give("4", 1, "43=Y|123=Y|36=4|").unwrap();
    assert_eq!((bench.app.ups, bench.next_incoming()), (1, 5), "the Logon was kept");
}

#[test]
fn the_last_number_taken_is_in_every_header() {
    let config = SessionConfig { last_processed: true, ..SessionConfig::acceptor("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    bench.give("1", 2, "112=x|").unwrap();
    bench.give("D", 3, "58=refuse|").unwrap();
    bench.send("report");
    let expected = ["A 1 369=1|98=0|108=30", "0 2 369=2|112=x"];
    let sent = bench.sent();
    assert_eq!(sent[..2], expected);
    assert!(sent[2].starts_with("3 3 369=3|45=3|"), "{sent:?}");
    assert_eq!(sent[3], "8 4 369=3|58=report");
    bench.give("2", 4, "7=4|16=4|").unwrap();
    assert_eq!(bench.sent(), ["8 4 43=Y|369=3|58=report"]);
}

#[test]
fn constant_fields_stand_once_in_what_is_sent_again() {
    let header = vec![(tags::SENDER_SUB_ID, "DESK".to_owned())];
    let config = SessionConfig { header, ..SessionConfig::acceptor("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    bench.send("report");
    assert_eq!(bench.sent(), ["A 1 50=DESK|98=0|108=30", "8 2 50=DESK|58=report"]);
    bench.give("2", 2, "7=1|16=0|").unwrap();
    assert_eq!(bench.sent(), ["4 1 43=Y|50=DESK|36=2|123=Y", "8 2 43=Y|50=DESK|58=report"]);
}

/// Signs with what it was told, or refuses.
#[derive(Debug)]
struct Signer(bool);

impl LogonBody for Signer {
    fn write(&mut self, logon: &LogonFacts<'_>, encoder: &mut Encoder<'_>) {
        if !self.0 {
            return encoder.fail(EncodeError::NoMessage);
        }
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (time, sender, target) =
            (text(logon.sending_time), text(logon.sender), text(logon.target));
        let begin = text(logon.begin_string);
        let LogonFacts { seq, heartbeat_s, reset, .. } = logon;
        let signed = format!("{begin}/{sender}/{target}/{seq}/{time}/{heartbeat_s}/{reset}");
        encoder.bytes(554, signed.as_bytes());
    }

    fn blanked(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        crate::fix::redact_values(bytes, [&b"hunter2"[..]])
    }
}

#[test]
fn a_logon_is_signed_over_what_is_on_the_wire() {
    let config =
        SessionConfig { reset_on_logon: Reset::WhenNew, ..SessionConfig::initiator("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.session.set_logon_body(Box::new(Signer(true)));
    // The first is never answered, so that the second begins at 1 once more.
    for seq in [1, 1] {
        bench.connect().unwrap();
        let mut index = FieldIndex::new(64);
        let frame = std::mem::take(&mut bench.out.bytes);
        let message = index.parse(&frame);
        let time = String::from_utf8_lossy(message.get(52).unwrap()).into_owned();
        let expected = format!("FIX.4.4/US/THEM/{seq}/{time}/30/true");
        assert_eq!(message.get(554), Some(expected.as_bytes()));
        let order: Vec<u32> = message.fields().map(|field| field.0).collect();
        assert!(order.ends_with(&[554, 10]), "{order:?}");
        bench.disconnect();
        bench.now = bench.now.after(Nanos::from_secs(1));
    }
    bench.session.set_logon_body(Box::new(Signer(false)));
    let why = Disconnect::Encode(EncodeError::NoMessage);
    assert_eq!(bench.connect(), Err(why));
    assert!(bench.out.bytes.is_empty());
    assert_eq!(bench.session.store().next_outgoing(), 1, "no number is used");
}

#[test]
fn a_peer_that_repeats_our_password_is_not_repeated() {
    let mut bench = Bench::new(SessionConfig::initiator("US", "THEM"));
    bench.session.set_logon_body(Box::new(Signer(true)));
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    bench.sent();
    bench.give("3", 2, "45=1|58=hunter2 is wrong|").unwrap();
    assert_eq!(bench.session.peer_text(), b"******* is wrong");
    // What the peer wants back it gets back; it is not what is kept.
    bench.give("1", 3, "112=hunter2|").unwrap();
    bench.give("ZZ", 4, "115=hunter2|11=hunter2|58=unsupported|").unwrap();
    let answers = bench.sent();
    assert_eq!(answers[0], "0 2 112=hunter2");
    assert!(answers[1].starts_with("j 3 128=hunter2|") && answers[1].contains("|379=hunter2"));
    let mut kept = Vec::new();
    let mut visit = |seq, _: FrameKind, frame: &[u8]| {
        kept.push((seq, String::from_utf8_lossy(frame).into_owned()));
        std::ops::ControlFlow::Continue(())
    };
    bench.session.store_mut().outgoing(2, 3, &mut visit).unwrap();
    let kept: Vec<_> = kept.into_iter().map(|(_, text)| text).collect();
    let texts = super::harness::texts(kept.concat().as_bytes());
    assert_eq!(texts[0], "0 2 112=*******", "and still a whole message");
    assert!(texts[1].contains("379=*******"), "{texts:?}");
    assert_eq!(kept.iter().filter(|text| text.contains("hunter2")).count(), 0, "{kept:?}");
    // A secret at the place where a long text is cut.
    let long = format!("45=1|58={}hunter2|", "x".repeat(252));
    bench.give("3", 5, &long).unwrap();
    assert!(bench.session.peer_text().ends_with(b"x****"));
    let bye = bench.give("5", 6, "58=bye hunter2|");
    assert_eq!(
        (bye, bench.session.peer_text()),
        (Err(Disconnect::PeerLogout), &b"bye *******"[..])
    );
}

#[test]
fn a_new_session_day_begins_at_one() {
    let config =
        SessionConfig { reset_on_logon: Reset::WhenNew, ..SessionConfig::initiator("US", "THEM") };
    let mut bench = Bench::over(config, store(9, 9));
    bench.connect().unwrap();
    assert_eq!(bench.session.begin_anew(), Err(ResetError::Connected));
    assert_eq!(bench.sent(), ["A 9 98=0|108=30"]);
    bench.disconnect();
    assert_eq!(bench.session.begin_anew(), Ok(()));
    bench.connect().unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|141=Y"]);
    // With and without the flag in the answer.
    bench.give("A", 1, LOGON).unwrap();
    assert_eq!((bench.app.ups, bench.next_incoming()), (1, 2));
}

#[test]
fn an_acceptor_that_begins_anew_by_agreement_says_nothing_of_it() {
    let config =
        SessionConfig { reset_on_logon: Reset::Always, ..SessionConfig::acceptor("US", "THEM") };
    let mut bench = Bench::over(config, store(9, 9));
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30"]);
    bench.disconnect();
    bench.connect().unwrap();
    bench.give("A", 5, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30", "2 2 7=1|16=0"]);
    bench.disconnect();
    bench.connect().unwrap();
    bench.give("A", 1, "98=0|108=30|141=Y|").unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|141=Y"], "the flag is answered with the flag");
}

#[test]
fn numbers_that_begin_anew_again_and_again_are_a_loop() {
    for mut bench in [Bench::acceptor_up(), Bench::initiator_up()] {
        for _ in 0..3 {
            bench.give("A", 1, "98=0|108=30|141=Y|").unwrap();
            assert_eq!(bench.sent().pop().unwrap(), "A 1 98=0|108=30|141=Y");
        }
        let given = bench.give("A", 1, "98=0|108=30|141=Y|");
        assert_eq!(given, Err(Disconnect::ResetLoop));
        // With anything between it is none.
        bench.disconnect();
        bench.connect().unwrap();
        bench.give("A", 2, LOGON).unwrap();
        for _ in 0..9 {
            bench.give("A", 1, "98=0|108=30|141=Y|").unwrap();
            bench.give("0", 2, "").unwrap();
        }
        assert!(bench.session.is_up());
    }
}
