//! A Logout ahead of sequence: what is missing before it may be fills.

use super::harness::{Bench, LOGON};
use crate::session::{Disconnect, SendError, SessionConfig, State};
use market::Nanos;

/// An initiator that awaits number 2 and is told a Logout under this one.
fn left_at(seq: u64) -> Bench {
    let mut bench = Bench::initiator_up();
    bench.give("5", seq, "58=closing|").unwrap();
    assert_eq!(bench.sent(), ["2 2 7=2|16=0"], "asked before anything is answered");
    assert_eq!((bench.session.state(), bench.session.peer_text()), (State::Up, &b"closing"[..]));
    bench
}

/// The peer sends a missed report again.
fn missed(bench: &mut Bench, seq: u64) -> Result<(), Disconnect> {
    let body = format!("43=Y|122={}|58=fill {seq}|", bench.stamp());
    bench.give("8", seq, &body)
}

#[test]
fn it_is_answered_when_all_before_it_has_come() {
    let mut bench = left_at(4);
    missed(&mut bench, 2).unwrap();
    assert!(bench.sent().is_empty());
    assert_eq!(missed(&mut bench, 3), Err(Disconnect::PeerLogout));
    assert_eq!(bench.app.messages, ["2 8 fill 2 dup", "3 8 fill 3 dup"]);
    assert_eq!((bench.sent(), bench.next_incoming()), (vec!["5 3".to_owned()], 5));
}

#[test]
fn it_is_answered_when_it_was_filled_over() {
    let mut bench = left_at(4);
    missed(&mut bench, 2).unwrap();
    assert_eq!(bench.give("4", 3, "43=Y|123=Y|36=5|"), Err(Disconnect::PeerLogout));
    assert_eq!((bench.sent(), bench.next_incoming()), (vec!["5 3".to_owned()], 5));
}

#[test]
fn it_is_answered_when_what_is_missing_does_not_come() {
    let mut bench = left_at(9);
    let answered_at = bench.now.after(bench.session.config().logout_timeout);
    // What comes, and a Logout once more, does not put it off.
    for seq in 2..5 {
        assert_eq!(bench.session.next_due(), answered_at);
        bench.wait(Nanos::from_millis(500)).unwrap();
        missed(&mut bench, seq).unwrap();
        bench.give("5", 9, "58=closing|").unwrap();
    }
    bench.wait(Nanos::from_millis(499)).unwrap();
    assert!(bench.sent().is_empty());
    assert_eq!(bench.wait(Nanos::from_millis(1)), Err(Disconnect::PeerLogout));
    assert_eq!((bench.sent(), bench.next_incoming()), (vec!["5 3".to_owned()], 5));
}

#[test]
fn the_application_is_told_at_once_and_hears_the_rest() {
    let mut bench = left_at(4);
    assert_eq!((bench.app.ups, bench.app.downs), (1, 1));
    assert!(!bench.session.is_announced());
    missed(&mut bench, 2).unwrap();
    assert_eq!(missed(&mut bench, 3), Err(Disconnect::PeerLogout));
    assert_eq!(bench.app.messages, ["2 8 fill 2 dup", "3 8 fill 3 dup"]);
    bench.disconnect();
    assert_eq!((bench.app.ups, bench.app.downs), (1, 1), "once");
    // Nobody is told the end of what had no beginning.
    let mut bench = Bench::initiator();
    bench.give("A", 3, LOGON).unwrap();
    bench.give("5", 4, "").unwrap();
    bench.disconnect();
    assert_eq!((bench.app.ups, bench.app.downs), (0, 0));
    // A venue that begins anew has forgotten its Logout.
    let mut bench = left_at(4);
    bench.give("A", 1, &format!("{LOGON}141=Y|")).unwrap();
    assert_eq!((bench.app.ups, bench.app.downs), (2, 1));
    bench.send("goes");
    bench.disconnect();
    assert_eq!((bench.app.ups, bench.app.downs), (2, 2));
}

#[test]
fn it_is_answered_without_having_found_room() {
    let mut bench = Bench::initiator_up();
    (3..67).for_each(|seq| bench.give("0", seq, "").unwrap());
    bench.give("5", 67, "").unwrap();
    assert_eq!(bench.sent(), ["2 2 7=2|16=0"]);
    assert_eq!(missed(&mut bench, 2), Err(Disconnect::PeerLogout));
    assert_eq!((bench.sent(), bench.next_incoming()), (vec!["5 3".to_owned()], 67));
}

#[test]
fn a_gap_before_it_does_not_end_without_it() {
    let mut bench = Bench::initiator_up();
    bench.give("8", 3, "58=early|").unwrap();
    bench.give("5", 6, "").unwrap();
    missed(&mut bench, 2).unwrap();
    assert_eq!(bench.sent(), ["2 2 7=2|16=0", "2 3 7=4|16=0"]);
    (4..5).for_each(|seq| missed(&mut bench, seq).unwrap());
    assert_eq!(missed(&mut bench, 5), Err(Disconnect::PeerLogout));
    assert_eq!(bench.app.messages.len(), 4);
}

/// The venue had sent up to 3 when it was asked; 4 was lost behind that.
#[test]
fn a_second_hole_before_it_is_asked_for_once() {
    let mut bench = Bench::initiator_up();
    bench.give("8", 3, "58=early|").unwrap();
    assert_eq!(bench.sent(), ["2 2 7=2|16=0"]);
    bench.give("8", 5, "58=early|").unwrap();
    bench.give("5", 8, "").unwrap();
    assert!(bench.sent().is_empty(), "what is on its way is not asked for");
    missed(&mut bench, 2).unwrap();
    assert_eq!(bench.sent(), ["2 3 7=4|16=0"]);
    (4..7).for_each(|seq| missed(&mut bench, seq).unwrap());
    assert!(bench.sent().is_empty());
    assert_eq!(missed(&mut bench, 7), Err(Disconnect::PeerLogout));
    assert_eq!((bench.sent(), bench.next_incoming()), (vec!["5 4".to_owned()], 9));
    assert_eq!(bench.app.messages.len(), 6);
}

#[test]
fn what_is_missing_before_it_is_asked_for_in_parts() {
    let config = SessionConfig { chunk: Some(2), ..SessionConfig::initiator("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    bench.sent();
    bench.give("5", 6, "").unwrap();
    (2..5).for_each(|seq| missed(&mut bench, seq).unwrap());
    assert_eq!(bench.sent(), ["2 2 7=2|16=3", "2 3 7=4|16=5"]);
    assert_eq!(missed(&mut bench, 5), Err(Disconnect::PeerLogout));
    assert_eq!(bench.sent(), ["5 4"]);
}

#[test]
fn nothing_is_sent_to_a_peer_that_logged_out() {
    let mut bench = left_at(4);
    let Bench { session, out, now, .. } = &mut bench;
    assert_eq!(session.send(*now, out, b"D", |_| {}), Err(SendError::Down));
    missed(&mut bench, 2).unwrap();
    assert_eq!(missed(&mut bench, 3), Err(Disconnect::PeerLogout));
    assert_eq!(bench.sent(), ["5 3"]);
}

#[test]
fn it_answers_ours_whatever_its_number() {
    let mut bench = Bench::initiator_up();
    bench.session.logout(bench.now, &mut bench.out, "").unwrap();
    bench.sent();
    assert_eq!(bench.give("5", 4, ""), Err(Disconnect::LoggedOut));
    // Ours crossed it: nothing is answered twice.
    let mut bench = left_at(4);
    let Bench { session, out, now, .. } = &mut bench;
    session.logout(*now, out, "").unwrap();
    assert_eq!(bench.sent(), ["5 3"]);
    missed(&mut bench, 2).unwrap();
    assert_eq!(missed(&mut bench, 3), Err(Disconnect::LoggedOut));
    assert!(bench.sent().is_empty());
}

#[test]
fn an_acceptor_answers_at_once() {
    let mut bench = Bench::acceptor_up();
    assert_eq!(bench.give("5", 4, ""), Err(Disconnect::PeerLogout));
    assert_eq!((bench.sent(), bench.next_incoming()), (vec!["5 2".to_owned()], 2));
}
