//! Messages that say that they were sent before (PossDupFlag): what of them still counts.

use super::harness::{Bench, LOGON};
use crate::session::{Disconnect, State};

/// What stands in a message that is sent again now.
fn again(bench: &Bench) -> String {
    format!("43=Y|122={}|", bench.stamp())
}

#[test]
fn old_session_messages_in_sequence_only_use_their_numbers() {
    for (kind, body) in [
        ("0", "112=x|"),
        ("1", "112=x|"),
        ("2", "7=1|16=0|"),
        ("5", "58=day is over|"),
        ("A", LOGON),
    ] {
        let mut bench = Bench::acceptor_up();
        bench.send("one");
        bench.sent();
        bench.give("D", 4, "58=live|").unwrap();
        assert_eq!(bench.sent(), ["2 3 7=2|16=0"]);
        let body = format!("{}{body}", again(&bench));
        bench.give(kind, 2, &body).unwrap();
        assert_eq!((bench.sent(), bench.next_incoming()), (vec![], 3), "{kind}");
        // The resend goes on behind it.
        let body = format!("{}58=missed|", again(&bench));
        bench.give("D", 3, &body).unwrap();
        assert_eq!(bench.app.messages, ["3 D missed dup", "4 D live"], "{kind}");
        assert!(bench.session.is_up() && bench.session.peer_text().is_empty());
    }
}

#[test]
fn the_logon_that_opened_a_gap_may_come_again() {
    let mut bench = Bench::acceptor();
    bench.give("A", 3, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30", "2 2 7=1|16=0"]);
    for seq in 1..=3 {
        let body = format!("{}{LOGON}", again(&bench));
        bench.give("A", seq, &body).unwrap();
    }
    assert_eq!((bench.sent(), bench.next_incoming()), (vec![], 4));
    assert_eq!((bench.app.ups, bench.session.is_recovering()), (1, false));
}

#[test]
fn old_session_messages_ahead_of_sequence_are_only_asked_for() {
    for (kind, body) in [("2", "7=1|16=0|"), ("5", "")] {
        let mut bench = Bench::acceptor_up();
        let body = format!("{}{body}", again(&bench));
        bench.give(kind, 3, &body).unwrap();
        assert_eq!(bench.sent(), ["2 2 7=2|16=0"], "{kind}");
        bench.give("0", 2, &again(&bench)).unwrap();
        assert_eq!((bench.sent(), bench.next_incoming()), (vec![], 4), "{kind}");
        assert!(bench.session.is_up());
    }
}

#[test]
fn a_logout_of_before_answers_none_of_ours() {
    let mut bench = Bench::acceptor_up();
    bench.session.logout(bench.now, &mut bench.out, "").unwrap();
    let body = again(&bench);
    bench.give("5", 2, &body).unwrap();
    assert_eq!(bench.session.state(), State::LogoutSent);
    bench.give("5", 3, "").unwrap_err();
    // Nor one over a fault.
    let mut bench = Bench::acceptor_up();
    bench.give_raw(&super::harness::message("FIX.4.2", &bench.header("0", 2))).unwrap();
    let body = again(&bench);
    bench.give("5", 2, &body).unwrap();
    bench.give("5", 3, "").unwrap_err();
}

#[test]
fn case_2g_the_awaited_message_needs_its_first_time_too() {
    for (kind, time, reject) in [
        ("0", "", "58=Required tag missing|371=122|372=0|373=1"),
        ("D", "", "58=Required tag missing|371=122|372=D|373=1"),
        ("D", "122=then|", "58=Incorrect data format for value|371=122|372=D|373=6"),
    ] {
        let mut bench = Bench::acceptor_up();
        bench.give(kind, 2, &format!("43=Y|{time}58=x|")).unwrap();
        assert_eq!(bench.sent(), [format!("3 2 45=2|{reject}")]);
        assert!(bench.app.messages.is_empty() && bench.session.is_up());
        assert_eq!(bench.next_incoming(), 3, "its number is used");
    }
    // A gap fill repeats nothing that had a time.
    let mut bench = Bench::acceptor_up();
    bench.give("4", 2, "43=Y|123=Y|36=5|").unwrap();
    assert_eq!((bench.sent(), bench.next_incoming()), (vec![], 5));
    // A Reject is never answered with one.
    bench.give("3", 5, "43=Y|45=1|").unwrap();
    assert_eq!((bench.sent(), bench.next_incoming()), (vec![], 6));
}

#[test]
fn case_2f_the_awaited_message_was_not_first_sent_later() {
    let mut bench = Bench::acceptor_up();
    bench.give("D", 2, "43=Y|122=20250717-14:00:00|58=x|").unwrap();
    assert_eq!(bench.sent(), ["3 2 45=2|58=SendingTime accuracy problem|372=D|373=10", "5 3"]);
    assert!(bench.app.messages.is_empty());
    assert_eq!(bench.next_incoming(), 3);
    assert_eq!(bench.give("5", 3, ""), Err(Disconnect::SendingTime));
}

#[test]
fn a_report_with_a_wrong_first_time_is_told_before_it_is_rejected() {
    for (time, up) in [("", true), ("122=then|", true), ("122=20250717-14:00:00|", false)] {
        let mut bench = Bench::initiator_up();
        bench.give("8", 2, &format!("43=Y|{time}58=fill|")).unwrap();
        assert_eq!(bench.app.messages, ["2 8 fill dup"], "{time}");
        assert!(bench.sent()[0].starts_with("3 2 45=2|"), "{time}");
        assert_eq!((bench.session.is_up(), bench.next_incoming()), (up, 3), "{time}");
        // One that cannot be read through is none.
        let mut bench = Bench::initiator_up();
        bench.give("8", 2, &format!("43=Y|{time}55=|58=fill|")).unwrap();
        assert!(bench.app.messages.is_empty(), "{time}");
    }
}
