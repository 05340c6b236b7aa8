//! Logon, Logout and time-outs, by the names of the published session test cases.

use super::harness::{Bench, LOGON, message};
use crate::fix::number::Written;
use crate::fix::{Precision, TimeText};
use crate::session::{
    ConfigError, Disconnect, MemoryStore, Reset, SendError, Session, SessionConfig, State, Store,
};
use market::Nanos;

const SECOND: Nanos = Nanos::SECOND;

#[test]
fn case_1a_valid_logon() {
    let bench = Bench::acceptor_up();
    assert_eq!((bench.session.state(), bench.app.ups, bench.next_incoming()), (State::Up, 1, 2));
    let bench = Bench::initiator_up();
    assert_eq!((bench.session.state(), bench.app.ups, bench.next_incoming()), (State::Up, 1, 2));
}

#[test]
fn case_1a_logon_number_too_high_is_answered_and_the_rest_asked_for() {
    for mut bench in [Bench::acceptor(), Bench::initiator()] {
        bench.give("A", 5, LOGON).unwrap();
        let sent = bench.sent();
        assert_eq!(sent.last().unwrap(), "2 2 7=1|16=0");
        assert!(bench.session.is_up() && bench.session.is_recovering());
        assert_eq!((bench.app.ups, bench.next_incoming()), (0, 1));
        bench.give("4", 1, "43=Y|123=Y|36=6|").unwrap();
        assert_eq!((bench.app.ups, bench.next_incoming()), (1, 6));
        assert!(!bench.session.is_recovering());
    }
}

#[test]
fn logon_number_too_low_ends_with_a_logout() {
    let mut store = MemoryStore::new(16, 4096);
    store.set_next_incoming(9).unwrap();
    let mut bench = Bench::over(SessionConfig::acceptor("US", "THEM"), store);
    bench.connect().unwrap();
    let why = Disconnect::TooLow { expected: 9, received: 3 };
    assert_eq!(bench.give("A", 3, LOGON), Err(why));
    assert_eq!(bench.sent(), ["5 1 58=MsgSeqNum too low, expecting 9 but received 3"]);
    assert_eq!(bench.session.state(), State::Closing);
}

#[test]
fn case_1b_second_connection_for_one_identity() {
    let mut bench = Bench::acceptor_up();
    assert_eq!(bench.connect(), Err(Disconnect::AlreadyConnected));
    assert!(bench.session.is_up(), "the first one lives on");
}

#[test]
fn case_1c_wrong_comp_ids_are_told_nothing() {
    for body in [
        "35=A|49=WRONG|56=US|34=1|52=20250717-13:16:40|98=0|108=30|",
        "35=A|49=THEM|56=WRONG|34=1|52=20250717-13:16:40|98=0|108=30|",
        "35=A|56=US|34=1|52=20250717-13:16:40|98=0|108=30|",
    ] {
        let mut bench = Bench::acceptor();
        assert_eq!(bench.give_raw(&message("FIX.4.4", body)), Err(Disconnect::Identity));
        assert!(bench.sent().is_empty());
    }
}

#[test]
fn case_1d_bad_begin_string_time_or_length_in_the_logon() {
    let mut bench = Bench::acceptor();
    let body = format!("{}{LOGON}", bench.header("A", 1));
    assert_eq!(bench.give_raw(&message("FIX.4.2", &body)), Err(Disconnect::Identity));

    let mut bench = Bench::acceptor();
    let late = body.replace("13:16", "12:16");
    assert_eq!(bench.give_raw(&message("FIX.4.4", &late)), Err(Disconnect::SendingTime));
    assert!(bench.sent().is_empty());

    let whole = String::from_utf8(message("FIX.4.4", &body)).unwrap();
    let garbled = whole.replacen("9=", "9=1\x01", 1);
    let mut bench = Bench::acceptor();
    assert_eq!(bench.give_raw(garbled.as_bytes()), Err(Disconnect::NotLogon));
    assert!(bench.sent().is_empty());
    // A venue's Logon may still come behind garbage.
    let mut bench = Bench::initiator();
    bench.give_raw(garbled.as_bytes()).unwrap();
    assert_eq!(bench.session.state(), State::LogonSent);
}

#[test]
fn case_1e_first_message_is_not_a_logon() {
    for mut bench in [Bench::acceptor(), Bench::initiator()] {
        assert_eq!(bench.give("0", 1, ""), Err(Disconnect::NotLogon));
        assert!(bench.sent().is_empty());
    }
}

#[test]
fn logon_without_what_it_needs() {
    for (body, text) in [
        ("98=0|", "Required tag missing"),
        ("108=30|", "Required tag missing"),
        ("98=1|108=30|", "Value is incorrect (out of range) for this tag"),
        ("98=0|108=86401|", "Value is incorrect (out of range) for this tag"),
        ("98=0|108=-1|", "Incorrect data format for value"),
        ("98=0|108=30|141=maybe|", "Incorrect data format for value"),
        ("98=0|108=30|95=9|96=x|", "Incorrect data format for value"),
    ] {
        let mut bench = Bench::initiator();
        assert_eq!(bench.give("A", 1, body), Err(Disconnect::BadLogon), "{body}");
        assert_eq!(bench.sent(), [format!("5 2 58={text}")]);
        // An acceptor answers none of its numbers to who does not know how to ask.
        let mut bench = Bench::acceptor();
        assert_eq!(bench.give("A", 1, body), Err(Disconnect::BadLogon), "{body}");
        assert!(bench.sent().is_empty());
    }
}

#[test]
fn logon_refused_by_the_venue() {
    let mut bench = Bench::initiator();
    assert_eq!(bench.give("5", 1, "58=unknown key|"), Err(Disconnect::Refused));
    assert_eq!(bench.session.peer_text(), b"unknown key");
    assert_eq!(bench.next_incoming(), 2, "its number is used");
}

#[test]
fn logon_unanswered() {
    for mut bench in [Bench::acceptor(), Bench::initiator()] {
        assert_eq!(bench.wait(Nanos::from_secs(9)), Ok(()));
        assert_eq!(bench.session.next_due(), bench.now.after(SECOND));
        assert_eq!(bench.wait(SECOND), Err(Disconnect::LogonTimeout));
    }
}

#[test]
fn reset_asked_for_by_the_initiator() {
    let config =
        SessionConfig { reset_on_logon: Reset::Always, ..SessionConfig::initiator("US", "THEM") };
    let mut store = MemoryStore::new(16, 4096);
    store.reset(40, 50).unwrap();
    let mut bench = Bench::over(config, store);
    bench.connect().unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|141=Y"]);
    bench.give("A", 1, "98=0|108=30|141=Y|").unwrap();
    assert_eq!((bench.app.ups, bench.next_incoming()), (1, 2));
}

#[test]
fn reset_asked_for_by_the_peer() {
    let mut store = MemoryStore::new(16, 4096);
    store.reset(40, 50).unwrap();
    let mut bench = Bench::over(SessionConfig::acceptor("US", "THEM"), store);
    bench.connect().unwrap();
    bench.give("A", 1, "98=0|108=30|141=Y|").unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|141=Y"]);
    assert_eq!((bench.app.ups, bench.next_incoming()), (1, 2));
    bench.disconnect();
    bench.connect().unwrap();
    assert_eq!(bench.give("A", 7, "98=0|108=30|141=Y|"), Err(Disconnect::BadLogon));
}

#[test]
fn reset_answered_by_an_acceptor_that_is_new() {
    let config =
        SessionConfig { reset_on_logon: Reset::WhenNew, ..SessionConfig::acceptor("US", "THEM") };
    let mut bench = Bench::new(config.clone());
    bench.connect().unwrap();
    bench.give("A", 57, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|141=Y"]);
    assert_eq!((bench.app.ups, bench.next_incoming()), (1, 2));
    // Not new any more.
    bench.disconnect();
    bench.connect().unwrap();
    bench.give("A", 2, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 2 98=0|108=30"]);
    // New beside new: nothing to reset.
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30"]);
}

#[test]
fn reset_answered_to_an_initiator_that_did_not_ask() {
    let mut store = MemoryStore::new(16, 4096);
    store.reset(57, 80).unwrap();
    let mut bench = Bench::over(SessionConfig::initiator("US", "THEM"), store);
    bench.connect().unwrap();
    assert_eq!(bench.sent(), ["A 57 98=0|108=30"]);
    bench.give("A", 1, "98=0|108=30|141=Y|").unwrap();
    assert_eq!((bench.app.ups, bench.next_incoming()), (1, 2));
    assert_eq!(bench.send("x"), 2, "our Logon was number 1");
}

/// A Logon with new numbers that the venue did not take began nothing: it is sent again as it was.
#[test]
fn new_numbers_are_asked_for_until_the_venue_takes_them() {
    let config =
        SessionConfig { reset_on_logon: Reset::WhenNew, ..SessionConfig::initiator("US", "THEM") };
    let mut bench = Bench::new(config);
    for _ in 0..3 {
        bench.connect().unwrap();
        assert_eq!(bench.sent(), ["A 1 98=0|108=30|141=Y"]);
        let refused = bench.give("5", 1, "58=not yet|");
        assert_eq!(refused, Err(Disconnect::Refused));
        bench.disconnect();
    }
    bench.connect().unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|141=Y"]);
    bench.give("A", 1, "98=0|108=30|141=Y|").unwrap();
    bench.disconnect();
    bench.connect().unwrap();
    assert_eq!(bench.sent(), ["A 2 98=0|108=30"], "taken: numbers go on");
}

#[test]
fn session_reset_while_up() {
    let mut bench = Bench::acceptor_up();
    bench.give("0", 2, "").unwrap();
    bench.give("A", 1, "98=0|108=30|141=Y|").unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|141=Y"]);
    assert_eq!((bench.app.ups, bench.next_incoming()), (2, 2), "what was on its way is lost");
    bench.give("A", 2, LOGON).unwrap();
    assert_eq!(bench.sent(), ["3 2 45=2|58=Other|371=35|372=A|373=99"], "a Logon for nothing");
}

#[test]
fn acceptor_takes_the_heartbeat_of_the_initiator() {
    let mut bench = Bench::acceptor();
    bench.give("A", 1, "98=0|108=5|").unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=5"]);
    bench.wait(Nanos::from_secs(5)).unwrap();
    assert_eq!(bench.sent(), ["0 2"]);
    // Zero: none at all.
    let mut bench = Bench::acceptor();
    bench.give("A", 1, "98=0|108=0|").unwrap();
    bench.sent();
    bench.wait(Nanos::from_secs(100_000)).unwrap();
    assert!(bench.sent().is_empty());
}

#[test]
fn case_13b_logout_received() {
    for mut bench in [Bench::acceptor_up(), Bench::initiator_up()] {
        assert_eq!(bench.give("5", 2, "58=bye|"), Err(Disconnect::PeerLogout));
        assert_eq!(bench.sent(), ["5 2"]);
        assert_eq!((bench.session.peer_text(), bench.next_incoming()), (&b"bye"[..], 3));
        bench.disconnect();
        assert_eq!((bench.session.state(), bench.app.downs), (State::Disconnected, 1));
    }
}

#[test]
fn logout_ahead_of_sequence_leaves_the_gap_for_the_next_logon() {
    let mut bench = Bench::acceptor_up();
    assert_eq!(bench.give("5", 9, ""), Err(Disconnect::PeerLogout));
    assert_eq!(bench.next_incoming(), 2);
}

#[test]
fn logout_of_ours_still_takes_what_comes_before_the_answer() {
    let mut bench = Bench::initiator_up();
    bench.session.logout(bench.now, &mut bench.out, "done").unwrap();
    assert_eq!(bench.sent(), ["5 2 58=done"]);
    let refused = bench.session.send(bench.now, &mut bench.out, b"D", |_| {});
    assert_eq!(refused, Err(SendError::Down));
    bench.give("8", 2, "58=late fill|").unwrap();
    assert_eq!(bench.give("5", 3, ""), Err(Disconnect::LoggedOut));
    assert_eq!(bench.app.messages, ["2 8 late fill"]);
    assert!(bench.sent().is_empty());
}

#[test]
fn logout_unanswered() {
    let mut bench = Bench::initiator_up();
    bench.session.logout(bench.now, &mut bench.out, "").unwrap();
    assert_eq!(bench.wait(SECOND), Ok(()));
    assert_eq!(bench.wait(SECOND), Err(Disconnect::LogoutTimeout));
}

#[test]
fn a_closing_session_drops_what_still_comes() {
    let mut bench = Bench::acceptor_up();
    assert!(bench.give("5", 2, "").is_err());
    bench.sent();
    bench.give("8", 3, "58=x|").unwrap();
    assert_eq!(bench.wait(Nanos::from_secs(90)), Ok(()));
    assert!(bench.sent().is_empty() && bench.app.messages.is_empty());
    assert_eq!(bench.next_incoming(), 3);
}

#[test]
fn reconnecting_keeps_the_numbers() {
    let mut bench = Bench::initiator_up();
    bench.send("one");
    bench.disconnect();
    let refused = bench.session.send(bench.now, &mut bench.out, b"D", |_| {});
    assert_eq!(refused, Err(SendError::Down));
    bench.sent();
    bench.connect().unwrap();
    assert_eq!(bench.sent(), ["A 3 98=0|108=30"]);
    bench.give("A", 2, LOGON).unwrap();
    assert_eq!((bench.app.ups, bench.app.downs), (2, 1));
}

#[test]
fn configurations_that_cannot_run_say_so() {
    let build = |change: &dyn Fn(&mut SessionConfig)| {
        let mut config = SessionConfig::initiator("A", "B");
        change(&mut config);
        Session::new(config, MemoryStore::new(1, 1)).map(drop)
    };
    let error = build(&|c| c.heartbeat = Nanos::from_millis(1500)).unwrap_err();
    assert_eq!(error.to_string(), "heartbeat is 1.50 s: use whole seconds, at most a day");
    assert_eq!(build(&|c| c.max_message = 10), Err(ConfigError::MaxMessage(10)));
    assert_eq!(build(&|c| c.max_fields = 3), Err(ConfigError::MaxFields(3)));
    assert!(matches!(build(&|c| c.sender.clear()), Err(ConfigError::Identity(_))));
    assert_eq!(build(&|_| {}), Ok(()));
}

#[test]
fn the_precision_of_the_session_is_on_the_wire() {
    let config =
        SessionConfig { precision: Precision::Micros, ..SessionConfig::initiator("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    let mut writer = TimeText::new(Precision::Micros);
    let (text, Written { len, .. }) = writer.text(bench.now);
    assert_eq!(len, 24);
    assert!(bench.out.bytes.windows(len).any(|window| window == &text[..len]));
}
