//! What is checked of each message, by the names of the published session test cases.

use super::harness::{Bench, Pipe, message};
use crate::session::{Disconnect, MemoryStore, SendError, SessionConfig, State, Store};
use market::Nanos;

#[test]
fn case_2a_message_in_sequence() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, "58=order|").unwrap();
    assert_eq!(bench.app.messages, ["2 D order"]);
    assert_eq!(bench.next_incoming(), 3);
}

#[test]
fn case_2b_number_too_high_is_kept_until_the_rest_has_come() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 4, "58=third|").unwrap();
    bench.give("D", 5, "58=fourth|").unwrap();
    assert_eq!(bench.sent(), ["2 2 7=2|16=0"], "asked once");
    assert!(bench.app.messages.is_empty());
    for (seq, text) in [(2, "first"), (3, "second"), (4, "third"), (5, "fourth")] {
        let body = format!("43=Y|122={}|58={text}|", bench.stamp());
        bench.give("D", seq, &body).unwrap();
        assert_eq!(bench.session.is_recovering(), seq < 3, "what is kept is not missing");
    }
    assert_eq!(bench.app.messages, ["2 D first dup", "3 D second dup", "4 D third", "5 D fourth"]);
    assert!(!bench.session.is_recovering());
    assert_eq!(bench.session.counters().duplicates, 2, "they came again with the resend");
}

#[test]
fn what_waited_ahead_of_sequence_is_judged_by_the_time_it_came() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 10, "58=early|").unwrap();
    assert_eq!(bench.sent(), ["2 2 7=2|16=0"]);
    for seq in 2..10 {
        bench.now = bench.now.after(Nanos::from_secs(25));
        let body = format!("43=Y|122={}|", bench.stamp());
        bench.give("0", seq, &body).unwrap();
    }
    assert_eq!((bench.app.messages.clone(), bench.sent()), (vec!["10 D early".to_owned()], vec![]));
    assert!(bench.session.is_up());
    // One that was late when it came is not kept: it comes again.
    let mut bench = Bench::acceptor_up();
    let late = bench.message("D", 3, "58=late|");
    bench.now = bench.now.after(Nanos::from_secs(121));
    bench.give_raw(&late).unwrap();
    assert_eq!(bench.sent(), ["2 2 7=2|16=0"]);
    for seq in [2, 3] {
        let body = format!("43=Y|122={}|58=again|", bench.stamp());
        bench.give("D", seq, &body).unwrap();
    }
    assert_eq!(bench.app.messages, ["2 D again dup", "3 D again dup"]);
    assert!(bench.session.is_up() && !bench.session.is_recovering());
}

#[test]
fn a_resend_that_stops_short_is_asked_for_again() {
    let mut bench = Bench::acceptor_up();
    bench.give("0", 4, "").unwrap();
    bench.give("0", 9, "").unwrap();
    bench.give("4", 2, "43=Y|123=Y|36=5|").unwrap();
    bench.sent();
    bench.give("0", 10, "").unwrap();
    assert_eq!(bench.sent(), ["2 3 7=5|16=0"]);
}

#[test]
fn a_resend_that_never_comes_cuts_the_connection() {
    let mut bench = Bench::acceptor_up();
    bench.give("0", 4, "").unwrap();
    assert_eq!(bench.wait(Nanos::from_secs(29)), Ok(()));
    assert_eq!(bench.wait(Nanos::from_secs(1)), Err(Disconnect::ResendTimeout));
}

#[test]
fn case_2c_number_too_low() {
    let mut bench = Bench::acceptor_up();
    let why = Disconnect::TooLow { expected: 2, received: 1 };
    assert_eq!(bench.give("0", 1, ""), Err(why));
    assert_eq!(bench.sent(), ["5 2 58=MsgSeqNum too low, expecting 2 but received 1"]);
}

#[test]
fn cases_2d_2m_2t_3b_3c_garbled_is_ignored_and_no_number_used() {
    let bench = Bench::acceptor_up();
    let good = message("FIX.4.4", &format!("{}58=x|", bench.header("D", 2)));
    let text = String::from_utf8(good.clone()).unwrap();
    let sum = text.len() - 4;
    for (case, garbled) in [
        ("2d", "garbage \x01 more".to_owned()),
        ("2m short", text.replacen("9=", "9=1\x01", 1)),
        ("2m long", text.replacen("9=54", "9=99", 1)),
        ("2t order", text.replacen("8=FIX.4.4\x01", "", 1)),
        ("2t third", message_text("34=2|35=0|49=THEM|56=US|")),
        ("3b", format!("{}999\x01", &text[..sum])),
        ("3c", text.replace('=', "")),
    ] {
        // A good message behind it is taken, whatever stood before.
        let mut bytes = garbled.into_bytes();
        bytes.extend_from_slice(&good);
        // What a too long BodyLength swallows is awaited: send more.
        let mut bench = Bench::acceptor_up();
        let filler =
            message("FIX.4.4", &format!("{}58={}|", bench.header("D", 3), "y".repeat(999)));
        bytes.extend_from_slice(&filler);
        bench.give_raw(&bytes).unwrap();
        assert!(bench.session.counters().garbled >= 1, "{case}");
        if case == "2m long" {
            // What BodyLength spans is lost with it, and asked for.
            assert_eq!(bench.sent(), ["2 2 7=2|16=0"]);
            bench.give_raw(&good).unwrap();
        }
        assert_eq!(bench.app.messages[0], "2 D x", "{case}");
        assert_eq!(bench.app.messages.len(), 2, "{case}");
        assert!(bench.sent().is_empty(), "{case}");
    }
}

fn message_text(body: &str) -> String {
    String::from_utf8(message("FIX.4.4", body)).unwrap()
}

#[test]
fn one_byte_dribble_and_two_in_one_read() {
    let mut bench = Bench::acceptor_up();
    let mut bytes = Vec::new();
    for seq in 2..6 {
        let body = format!("{}58=m{seq}|", bench.header("D", seq));
        bytes.extend(message("FIX.4.4", &body));
    }
    let mut buffer = Vec::new();
    for byte in bytes.clone() {
        buffer.push(byte);
        let Bench { session, out, app, now } = &mut bench;
        let used = session.received(*now, 0, &buffer, out, app).unwrap();
        buffer.drain(..used);
    }
    assert_eq!(bench.app.messages, ["2 D m2", "3 D m3", "4 D m4", "5 D m5"]);
    let mut bench = Bench::acceptor_up();
    bench.give_raw(&bytes).unwrap();
    assert_eq!(bench.app.messages.len(), 4);
}

#[test]
fn a_message_longer_than_allowed_cuts_the_connection() {
    let mut bench = Bench::acceptor_up();
    assert_eq!(bench.give_raw(b"8=FIX.4.4\x019=99999\x0135=D\x01"), Err(Disconnect::TooLong));
}

#[test]
fn case_2e_poss_dup_already_taken() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, "58=x|").unwrap();
    let body = format!("43=Y|122={}|58=x|", bench.stamp());
    bench.give("D", 2, &body).unwrap();
    assert_eq!(bench.app.messages, ["2 D x"]);
    assert_eq!((bench.next_incoming(), bench.session.counters().duplicates), (3, 1));
    assert!(bench.sent().is_empty());
}

/// The peer answers our Logout; the connection ends for this reason.
fn ends(bench: &mut Bench, why: Disconnect) {
    assert_eq!(bench.session.state(), State::LogoutSent);
    let before = bench.app.messages.len();
    let next = bench.next_incoming();
    bench.give("D", next, "58=ignored|").unwrap();
    assert_eq!((bench.app.messages.len(), bench.next_incoming()), (before, next));
    assert_eq!(bench.give("5", next, ""), Err(why));
    assert!(bench.sent().is_empty());
}

#[test]
fn case_2f_orig_sending_time_later_than_sending_time() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, "58=x|").unwrap();
    bench.give("D", 2, "43=Y|122=20250717-14:00:00|").unwrap();
    assert_eq!(bench.sent(), ["3 2 45=2|58=SendingTime accuracy problem|372=D|373=10", "5 3"]);
    ends(&mut bench, Disconnect::SendingTime);
}

#[test]
fn case_2g_orig_sending_time_missing() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, "58=x|").unwrap();
    bench.give("D", 2, "43=Y|58=x|").unwrap();
    assert_eq!(bench.sent(), ["3 2 45=2|58=Required tag missing|371=122|372=D|373=1"]);
    assert_eq!(bench.next_incoming(), 3);
}

#[test]
fn case_2i_begin_string_changes() {
    let mut bench = Bench::acceptor_up();
    let body = bench.header("0", 2);
    bench.give_raw(&message("FIX.4.2", &body)).unwrap();
    assert_eq!(bench.sent(), ["5 2 58=Incorrect BeginString"]);
    ends(&mut bench, Disconnect::Identity);
}

#[test]
fn case_2k_comp_id_changes() {
    for (ours, other) in [("THEM", "WHO"), ("56=US", "56=WHO")] {
        let mut bench = Bench::acceptor_up();
        let body = bench.header("0", 2).replace(ours, other);
        bench.give_raw(&message("FIX.4.4", &body)).unwrap();
        assert_eq!(bench.sent(), ["3 2 45=2|58=CompID problem|372=0|373=9", "5 3"]);
        ends(&mut bench, Disconnect::Identity);
    }
    // None at all is a missing field like any other.
    let mut bench = Bench::acceptor_up();
    let body = bench.header("0", 2).replace("56=US|", "");
    bench.give_raw(&message("FIX.4.4", &body)).unwrap();
    assert_eq!(bench.sent(), ["3 2 45=2|58=Required tag missing|371=56|372=0|373=1"]);
    assert!(bench.session.is_up());
}

#[test]
fn a_logout_over_a_fault_ends_by_itself() {
    let mut bench = Bench::acceptor_up();
    let body = bench.header("0", 2).replace("13:16:40", "13:19:40");
    bench.give_raw(&message("FIX.4.4", &body)).unwrap();
    assert_eq!(bench.wait(Nanos::from_millis(1_999)), Ok(()));
    assert_eq!(bench.wait(Nanos::from_millis(1)), Err(Disconnect::SendingTime));
}

#[test]
fn case_2o_sending_time() {
    let mut bench = Bench::acceptor_up();
    let body = bench.header("0", 2).replace("13:16:40", "13:19:40");
    bench.give_raw(&message("FIX.4.4", &body)).unwrap();
    assert_eq!(bench.sent(), ["3 2 45=2|58=SendingTime accuracy problem|372=0|373=10", "5 3"]);
    ends(&mut bench, Disconnect::SendingTime);
    // Missing or unreadable: a Reject, and on.
    for (seq, wrong) in [(2, "52=yesterday|"), (3, "")] {
        let mut bench = Bench::acceptor_up();
        if seq == 3 {
            bench.give("0", 2, "").unwrap();
        }
        let body = format!("35=0|49=THEM|56=US|34={seq}|{wrong}");
        bench.give_raw(&message("FIX.4.4", &body)).unwrap();
        assert!(bench.sent()[0].contains("371=52|372=0|373="), "{wrong}");
        assert_eq!(bench.next_incoming(), seq + 1);
    }
    // Two clocks that are not one time: no window.
    let config =
        SessionConfig { sending_time_window: None, ..SessionConfig::acceptor("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    let body = "35=A|49=THEM|56=US|34=1|52=19990101-00:00:00|98=0|108=30|";
    bench.give_raw(&message("FIX.4.4", body)).unwrap();
    assert!(bench.session.is_up());
}

#[test]
fn case_2q_invalid_msg_type() {
    let mut bench = Bench::acceptor_up();
    bench.give("*", 2, "").unwrap();
    assert_eq!(bench.sent(), ["3 2 45=2|58=Invalid MsgType|372=*|373=11"]);
    assert_eq!(bench.next_incoming(), 3);
}

#[test]
fn case_2r_unsupported_msg_type() {
    let mut bench = Bench::acceptor_up();
    bench.give("E", 2, "11=99|58=unsupported|").unwrap();
    assert_eq!(bench.sent(), ["j 2 45=2|58=Unsupported Message Type|372=E|379=99|380=3"]);
    assert_eq!(bench.next_incoming(), 3);
}

#[test]
fn number_missing_or_unreadable() {
    for seq in ["", "34=x|", "34=-2|", "34=99999999999999999999|", "34=18446744073709551615|"] {
        let mut bench = Bench::acceptor_up();
        let body = format!("35=0|49=THEM|56=US|{seq}52={}|", bench.stamp());
        assert_eq!(bench.give_raw(&message("FIX.4.4", &body)), Err(Disconnect::NoSequence));
        assert_eq!(bench.sent(), ["5 2 58=MsgSeqNum missing or unreadable"]);
    }
}

#[test]
fn cases_4a_4b_6_heartbeat_test_request_silence() {
    let mut bench = Bench::initiator_up();
    bench.give("1", 2, "112=are you there|").unwrap();
    assert_eq!(bench.sent(), ["0 2 112=are you there"]);
    bench.wait(Nanos::from_secs(29)).unwrap();
    assert!(bench.sent().is_empty());
    bench.wait(Nanos::from_secs(1)).unwrap();
    assert_eq!(bench.sent(), ["0 3"]);
    bench.wait(Nanos::from_secs(6)).unwrap();
    assert_eq!(bench.sent(), ["1 4 112=TEST"]);
    // An answer in time.
    bench.wait(Nanos::from_secs(35)).unwrap();
    bench.give("0", 3, "112=TEST|").unwrap();
    bench.wait(Nanos::from_secs(36)).unwrap();
    assert!(bench.sent().iter().any(|text| text.starts_with('1')));
    // None.
    assert_eq!(bench.wait(Nanos::from_secs(35)), Ok(()));
    assert_eq!(bench.wait(Nanos::from_secs(1)), Err(Disconnect::Silence));
}

#[test]
fn a_pause_of_ours_is_not_the_silence_of_the_peer() {
    let mut bench = Bench::initiator_up();
    bench.wait(Nanos::from_secs(100_000)).unwrap();
    assert_eq!(bench.sent().len(), 2, "a heartbeat and a question");
    bench.give("0", 2, "112=TEST|").unwrap();
    assert_eq!(bench.wait(Nanos::from_secs(1)), Ok(()));
}

#[test]
fn poll_does_nothing_before_it_is_due() {
    let mut bench = Bench::initiator_up();
    for _ in 0..500 {
        let due = bench.session.next_due();
        assert!(due > bench.now);
        bench.now = bench.now.after(Nanos::new(due.since(bench.now).get() - 1));
        assert_eq!(bench.session.poll(bench.now, &mut bench.out), Ok(false));
        bench.now = due;
        match bench.session.poll(bench.now, &mut bench.out) {
            Ok(done) => assert!(done),
            Err(why) => return assert_eq!(why, Disconnect::Silence),
        }
    }
    panic!("silence was never noticed");
}

#[test]
fn case_7_reject_received_reaches_the_application_and_is_never_rejected() {
    let mut bench = Bench::initiator_up();
    bench.give("3", 2, "45=1|58=refuse|").unwrap();
    assert_eq!(bench.app.messages, ["2 3 refuse"]);
    assert!(bench.sent().is_empty());
    assert_eq!((bench.next_incoming(), bench.session.peer_text()), (3, &b"refuse"[..]));
    bench.give("3", 3, "45=|").unwrap();
    assert!(bench.sent().is_empty());
    assert_eq!(bench.next_incoming(), 4);
}

#[test]
fn case_14_faults_are_rejected_and_their_number_used() {
    for (body, reject) in [
        ("0=x|", "58=Invalid tag number|371=0|372=D|373=0"),
        ("-1=x|", "58=Invalid tag number|371=-1|372=D|373=0"),
        ("044=x|", "58=Invalid tag number|371=044|372=D|373=0"),
        ("x=y|", "58=Invalid tag number|372=D|373=0"),
        ("2147483648=y|", "58=Invalid tag number|372=D|373=0"),
        ("44=|", "58=Tag specified without a value|371=44|372=D|373=4"),
        ("58=x|50=y|", "58=Tag specified out of required order|371=50|372=D|373=14"),
        ("95=9|96=x|", "58=Incorrect data format for value|371=96|372=D|373=6"),
        ("95=-1|96=x|", "58=Incorrect data format for value|371=95|372=D|373=6"),
        ("43=maybe|", "58=Incorrect data format for value|371=43|372=D|373=6"),
        ("34=2|", "58=Tag appears more than once|371=34|372=D|373=13"),
        ("58=refuse|", "58=Value is incorrect (out of range) for this tag|371=44|372=D|373=5"),
    ] {
        let mut bench = Bench::acceptor_up();
        bench.give("D", 2, body).unwrap();
        let sent = bench.sent();
        assert!(sent.len() == 1 && sent[0].starts_with("3 2 45=2|"), "{body}: {sent:?}");
        assert!(sent[0].ends_with(reject), "{body}: {sent:?}");
        assert_eq!(bench.next_incoming(), 3, "{body}");
    }
}

#[test]
fn case_14g_a_header_behind_the_body_is_answered_under_its_number() {
    let mut bench = Bench::acceptor_up();
    let body = format!("35=D|58=x|49=THEM|56=US|34=2|52={}|", bench.stamp());
    bench.give_raw(&message("FIX.4.4", &body)).unwrap();
    let reject = "3 2 45=2|58=Tag specified out of required order|371=49|372=D|373=14";
    assert_eq!(bench.sent(), [reject]);
    assert_eq!(bench.next_incoming(), 3);
}

#[test]
fn a_header_behind_another_fault_is_answered_under_its_number_too() {
    let header = |stamp: String| format!("34=2|49=THEM|56=US|52={stamp}|");
    for (body, reject) in [
        ("58=|11=x|", "58=Tag specified without a value|371=58|372=D|373=4"),
        ("0=x|58=x|", "58=Invalid tag number|371=0|372=D|373=0"),
        ("95=x|58=x|", "58=Incorrect data format for value|371=95|372=D|373=6"),
    ] {
        let mut bench = Bench::acceptor_up();
        let body = format!("35=D|{body}{}", header(bench.stamp()));
        bench.give_raw(&message("FIX.4.4", &body)).unwrap();
        assert_eq!(bench.sent(), [format!("3 2 45=2|{reject}")]);
        assert_eq!((bench.session.is_up(), bench.next_incoming()), (true, 3));
    }
    // Another's is another's, wherever it says so.
    let mut bench = Bench::acceptor_up();
    let body = format!("35=D|58=|11=x|{}", header(bench.stamp()).replace("THEM", "WHO"));
    bench.give_raw(&message("FIX.4.4", &body)).unwrap();
    assert_eq!(bench.sent(), ["3 2 45=2|58=CompID problem|372=D|373=9", "5 3"]);
}

#[test]
fn a_reject_goes_back_the_way_the_message_came() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, "115=JCD|116=CS|144=CHI|58=refuse|").unwrap();
    assert!(bench.sent()[0].starts_with("3 2 128=JCD|129=CS|145=CHI|45=2|"));
    bench.give("D", 3, "128=JCD|129=CS|145=CHI|58=unsupported|").unwrap();
    assert!(bench.sent()[0].starts_with("j 3 115=JCD|116=CS|144=CHI|45=3|"));
}

#[test]
fn refusals_are_never_answered_with_one() {
    let mut bench = Bench::acceptor_up();
    bench.give("j", 2, "45=1|372=D|380=3|58=unsupported|").unwrap();
    bench.give("3", 3, "45=1|58=unsupported|").unwrap();
    assert!(bench.sent().iter().all(|text| !text.starts_with('3')));
    assert_eq!(bench.next_incoming(), 4);
}

#[test]
fn case_19_poss_resend_is_told_to_the_application() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, "97=Y|58=x|").unwrap();
    assert_eq!(bench.app.messages, ["2 D x again"]);
}

#[test]
fn a_busy_application_stops_the_reading_and_loses_nothing() {
    let mut bench = Bench::acceptor_up();
    bench.app.busy = true;
    let first = message("FIX.4.4", &bench.header("0", 2));
    let second = message("FIX.4.4", &format!("{}58=x|", bench.header("D", 3)));
    let bytes = [first.clone(), second].concat();
    let Bench { session, out, app, now } = &mut bench;
    assert_eq!(session.received(*now, 0, &bytes, out, app), Ok(first.len()));
    app.busy = false;
    let rest = &bytes[first.len()..];
    assert_eq!(session.received(*now, 0, rest, out, app), Ok(rest.len()));
    assert_eq!(bench.app.messages, ["3 D x"]);
}

#[test]
fn what_the_store_does_not_take_is_not_sent() {
    let mut bench = Bench::over(SessionConfig::initiator("US", "THEM"), MemoryStore::new(2, 4096));
    bench.connect().unwrap();
    bench.give("A", 1, super::harness::LOGON).unwrap();
    bench.send("fits");
    bench.sent();
    let refused = bench.session.send(bench.now, &mut bench.out, b"D", |_| {});
    assert_eq!(refused, Err(SendError::Store(crate::session::StoreError::Full)));
    assert!(bench.sent().is_empty());
    assert_eq!(bench.session.store().next_outgoing(), 3);
    assert!(matches!(bench.wait(Nanos::from_secs(30)), Err(Disconnect::Store(_))));
}

#[test]
fn a_full_outbound_buffer_refuses_without_using_a_number() {
    let mut bench = Bench::initiator_up();
    bench.out = Pipe { bytes: Vec::new(), limit: 60 };
    let refused = bench.session.send(bench.now, &mut bench.out, b"D", |_| {});
    assert_eq!(refused, Err(SendError::Backpressure));
    assert_eq!(bench.session.store().next_outgoing(), 2);
    assert_eq!(bench.wait(Nanos::from_secs(30)), Err(Disconnect::SlowPeer));
}
