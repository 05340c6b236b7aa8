//! The initiator against a scripted venue, in every version: the cases that the published scripts,
//! which are for acceptors, do not have.

use super::harness::{Bench, logon_of, message};
use crate::session::{Disconnect, SendError, SessionConfig, State, Store};
use crate::spec::Version;
use market::Nanos;

/// Runs a case on an initiator that is up, in every version. Its next number is 2 on both sides.
fn up(case: impl Fn(&mut Bench)) {
    for version in Version::ALL {
        case(&mut Bench::initiator_of(version));
    }
}

/// The same on one whose Logon is out.
fn logging_on(case: impl Fn(&mut Bench, &str)) {
    for version in Version::ALL {
        let config = SessionConfig { version, ..SessionConfig::initiator("US", "THEM") };
        let mut bench = Bench::new(config);
        bench.connect().unwrap();
        assert_eq!(bench.sent().len(), 1);
        case(&mut bench, logon_of(version));
    }
}

#[test]
fn logon_and_logout() {
    up(|bench| {
        assert_eq!((bench.session.state(), bench.app.ups), (State::Up, 1));
        bench.session.logout(bench.now, &mut bench.out, "day is over").unwrap();
        assert_eq!(bench.sent(), ["5 2 58=day is over"]);
        assert_eq!(bench.give("5", 2, ""), Err(Disconnect::LoggedOut));
        assert!(bench.sent().is_empty());
    });
}

#[test]
fn logon_refused() {
    logging_on(|bench, _| {
        assert_eq!(bench.give("5", 1, "58=unknown key|"), Err(Disconnect::Refused));
        assert_eq!(bench.session.peer_text(), b"unknown key");
        assert!(bench.sent().is_empty());
    });
    logging_on(|bench, _| {
        let reject = "45=1|58=Required tag missing|371=554|372=A|373=1|";
        assert_eq!(bench.give("3", 1, reject), Err(Disconnect::Refused));
        assert_eq!(bench.session.peer_text(), b"Required tag missing");
    });
}

#[test]
fn logon_unanswered() {
    logging_on(|bench, _| {
        assert_eq!(bench.wait(Nanos::from_secs(10)), Err(Disconnect::LogonTimeout));
    });
}

#[test]
fn logon_of_somebody_else_or_of_another_version() {
    logging_on(|bench, logon| {
        let body = format!("{}{logon}", bench.header("A", 1).replace("THEM", "WHO"));
        let begin = bench.session.config().version.begin_string();
        assert_eq!(bench.give_raw(&message(begin, &body)), Err(Disconnect::Identity));
    });
    logging_on(|bench, logon| {
        let body = format!("{}{logon}", bench.header("A", 1));
        assert_eq!(bench.give_raw(&message("FIX.4.0", &body)), Err(Disconnect::Identity));
        assert!(bench.sent().is_empty(), "to a stranger nothing is told");
    });
    logging_on(|bench, _| {
        assert_eq!(bench.give("0", 1, ""), Err(Disconnect::NotLogon));
    });
}

#[test]
fn logon_number_too_high_and_too_low() {
    logging_on(|bench, logon| {
        bench.give("A", 4, logon).unwrap();
        assert_eq!(bench.sent(), ["2 2 7=1|16=0"]);
        assert_eq!(bench.app.ups, 0, "not before nothing is missing");
        bench.give("8", 1, &format!("43=Y|122={}|58=fill|", bench.stamp())).unwrap();
        bench.give("4", 2, "43=Y|123=Y|36=4|").unwrap();
        assert_eq!((bench.app.ups, bench.next_incoming()), (1, 5));
        assert_eq!(bench.app.messages, ["1 8 fill dup"]);
    });
    up(|bench| {
        bench.give("8", 2, "58=fill|").unwrap();
        bench.disconnect();
        bench.connect().unwrap();
        let logon = logon_of(bench.session.config().version);
        let why = Disconnect::TooLow { expected: 3, received: 1 };
        assert_eq!(bench.give("A", 1, logon), Err(why));
        let last = bench.sent().pop().unwrap();
        assert!(last.ends_with("58=MsgSeqNum too low, expecting 3 but received 1"), "{last}");
    });
}

#[test]
fn heartbeat_and_silence() {
    up(|bench| {
        bench.wait(Nanos::from_secs(30)).unwrap();
        assert_eq!(bench.sent(), ["0 2"]);
        bench.give("1", 2, "112=now|").unwrap();
        assert_eq!(bench.sent(), ["0 3 112=now"]);
        bench.wait(Nanos::from_secs(36)).unwrap();
        assert_eq!(bench.sent(), ["0 4", "1 5 112=TEST"]);
        bench.give("0", 3, "112=TEST|").unwrap();
        bench.wait(Nanos::from_secs(36)).unwrap();
        assert_eq!(bench.sent(), ["0 6", "1 7 112=TEST"]);
        assert_eq!(bench.wait(Nanos::from_secs(36)), Err(Disconnect::Silence));
    });
}

#[test]
fn a_gap_is_filled_or_resent() {
    up(|bench| {
        bench.give("8", 4, "58=third|").unwrap();
        assert_eq!(bench.sent(), ["2 2 7=2|16=0"]);
        bench.give("8", 2, &format!("43=Y|122={}|58=first|", bench.stamp())).unwrap();
        bench.give("4", 3, "43=Y|123=Y|36=4|").unwrap();
        // It came before, and comes again with the resend: the loop hears of it once.
        bench.give("8", 4, &format!("43=Y|122={}|58=third|", bench.stamp())).unwrap();
        assert_eq!(bench.app.messages, ["2 8 first dup", "4 8 third"]);
        assert_eq!(bench.next_incoming(), 5);
        assert!(bench.sent().is_empty());
    });
}

#[test]
fn a_number_too_low_is_the_end() {
    up(|bench| {
        let why = Disconnect::TooLow { expected: 2, received: 1 };
        assert_eq!(bench.give("8", 1, "58=fill|"), Err(why));
        assert!(bench.app.messages.is_empty());
    });
}

#[test]
fn duplicates_reach_nobody() {
    up(|bench| {
        bench.give("8", 2, "58=fill|").unwrap();
        bench.give("8", 2, &format!("43=Y|122={}|58=fill|", bench.stamp())).unwrap();
        // The same execution under a new number is the application's to know, by its ExecID.
        bench.give("8", 3, "97=Y|58=fill|").unwrap();
        assert_eq!(bench.app.messages, ["2 8 fill", "3 8 fill again"]);
        assert_eq!(bench.session.counters().duplicates, 1);
    });
}

#[test]
fn a_wrong_checksum_costs_no_number() {
    up(|bench| {
        let mut bytes = bench.message("8", 2, "58=fill|");
        let digit = bytes.len() - 2;
        bytes[digit] ^= 1;
        bench.give_raw(&bytes).unwrap();
        assert_eq!((bench.app.messages.len(), bench.next_incoming()), (0, 2));
        bench.give("8", 3, "58=next|").unwrap();
        assert_eq!(bench.sent(), ["2 2 7=2|16=0"]);
    });
}

#[test]
fn sequence_reset_up_and_down() {
    up(|bench| {
        bench.give("4", 2, "36=10|").unwrap();
        assert_eq!(bench.next_incoming(), 10);
        bench.give("4", 10, "36=5|").unwrap();
        let sent = bench.sent();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].starts_with("3 2 45=10|58=Value is incorrect"), "{sent:?}");
    });
}

#[test]
fn orders_and_session_messages_asked_for_again_are_filled() {
    up(|bench| {
        let send = |bench: &mut Bench| {
            let Bench { session, out, now, .. } = bench;
            session.send(*now, out, b"D", |encoder| encoder.u64(11, 1)).unwrap()
        };
        assert_eq!(send(bench), 2);
        bench.wait(Nanos::from_secs(30)).unwrap();
        assert_eq!(send(bench), 4);
        bench.sent();
        bench.give("2", 2, "7=1|16=0|").unwrap();
        assert_eq!(bench.sent(), ["4 1 43=Y|36=5|123=Y"]);
        bench.give("2", 3, "7=3|16=3|").unwrap();
        assert_eq!(bench.sent(), ["4 3 43=Y|36=4|123=Y"]);
        assert_eq!(send(bench), 5, "and it goes on");
    });
}

#[test]
fn a_drop_and_the_return_with_kept_numbers() {
    up(|bench| {
        bench.give("8", 2, "58=fill|").unwrap();
        bench.disconnect();
        assert_eq!((bench.app.downs, bench.session.state()), (1, State::Disconnected));
        let refused = bench.session.send(bench.now, &mut bench.out, b"D", |_| {});
        assert_eq!(refused, Err(SendError::Down));
        bench.connect().unwrap();
        assert!(bench.sent()[0].starts_with("A 2 98=0|108=30"));
        let logon = logon_of(bench.session.config().version);
        bench.give("A", 3, logon).unwrap();
        assert_eq!((bench.app.ups, bench.next_incoming()), (2, 4));
    });
}

#[test]
fn a_bad_execution_is_rejected_and_an_unknown_type_answered() {
    up(|bench| {
        bench.give("8", 2, "58=refuse|").unwrap();
        assert!(bench.sent()[0].starts_with("3 2 45=2|58=Value is incorrect"));
        bench.give("AE", 3, "58=unsupported|").unwrap();
        assert_eq!(bench.sent(), ["j 3 45=3|58=Unsupported Message Type|372=AE|380=3"]);
        bench.give("**", 4, "").unwrap();
        assert!(bench.sent()[0].starts_with("3 4 45=4|58=Invalid MsgType|372=**|373=11"));
        assert_eq!(bench.next_incoming(), 5);
    });
}

#[test]
fn another_comp_id_or_begin_string_ends_the_session() {
    up(|bench| {
        let begin = bench.session.config().version.begin_string();
        let body = bench.header("8", 2).replace("56=US", "56=WHO");
        bench.give_raw(&message(begin, &body)).unwrap();
        assert_eq!(bench.sent(), ["3 2 45=2|58=CompID problem|372=8|373=9", "5 3"]);
        assert_eq!(bench.give("5", 3, ""), Err(Disconnect::Identity));
        assert!(bench.app.messages.is_empty());
    });
    up(|bench| {
        bench.give_raw(&message("FIX.4.0", &bench.header("8", 2))).unwrap();
        assert_eq!(bench.sent(), ["5 2 58=Incorrect BeginString"]);
        assert_eq!(bench.wait(Nanos::from_secs(2)), Err(Disconnect::Identity));
    });
}

#[test]
fn byte_by_byte_and_many_in_one_segment() {
    up(|bench| {
        let mut bytes = Vec::new();
        for seq in 2..40 {
            bytes.extend(bench.message("8", seq, &format!("58=f{seq}|")));
        }
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        let mut input = Vec::new();
        for byte in first {
            input.push(*byte);
            let Bench { session, out, app, now } = &mut *bench;
            let used = session.received(*now, 0, &input, out, app).unwrap();
            input.drain(..used);
        }
        input.extend_from_slice(rest);
        bench.give_raw(&input).unwrap();
        let expected: Vec<_> = (2..40).map(|seq| format!("{seq} 8 f{seq}")).collect();
        assert_eq!(bench.app.messages, expected);
    });
}

#[test]
fn both_sides_ask_at_once() {
    up(|bench| {
        bench.session.send(bench.now, &mut bench.out, b"D", |encoder| encoder.u64(11, 1)).unwrap();
        bench.sent();
        // The venue misses our order and we miss its messages 2 to 4: its request comes as 5.
        bench.give("2", 5, "7=2|16=0|").unwrap();
        assert_eq!(bench.sent(), ["4 2 43=Y|36=3|123=Y", "2 3 7=2|16=0"]);
        bench.give("4", 2, "43=Y|123=Y|36=5|").unwrap();
        // The request itself was kept, and is not answered twice.
        assert!(bench.sent().is_empty() && !bench.session.is_recovering());
        assert_eq!(bench.session.store().next_incoming(), 6);
    });
}
