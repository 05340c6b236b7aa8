//! What the application is told: an end for every beginning, a question where reports may be
//! missing, and every report on an order, however late.

use super::harness::{Bench, LOGON, Pipe};
use crate::session::{Disconnect, MemoryStore, SessionConfig, Store};
use market::Nanos;

#[test]
fn whoever_was_told_up_is_told_down() {
    // The venue begins anew while our Logout is on its way.
    let mut bench = Bench::initiator_up();
    bench.session.logout(bench.now, &mut bench.out, "day is over").unwrap();
    bench.give("A", 1, &format!("{LOGON}141=Y|")).unwrap();
    assert!(bench.session.is_announced());
    bench.give("5", 2, "").unwrap_err();
    bench.disconnect();
    assert_eq!((bench.app.ups, bench.app.downs), (1, 1));
    // Numbers are skipped within a gap, and it is none any more.
    let mut bench = Bench::initiator_up();
    bench.give("8", 7, "58=early|").unwrap();
    bench.give("4", 0, "36=4|").unwrap();
    assert!(!bench.session.is_recovering() && bench.session.is_announced());
    bench.disconnect();
    assert_eq!((bench.app.ups, bench.app.downs), (2, 1));
    bench.disconnect();
    assert_eq!(bench.app.downs, 1, "once");
}

#[test]
fn a_venue_that_passes_over_what_was_missed_is_asked() {
    let mut bench = Bench::initiator_up();
    bench.give("8", 5, "58=early|").unwrap();
    bench.give("4", 2, "43=Y|123=Y|36=4|").unwrap();
    assert_eq!(bench.app.passed_over, 0, "something is missing yet");
    bench.give("0", 4, &format!("43=Y|122={}|", bench.stamp())).unwrap();
    assert_eq!(bench.app.messages, ["5 8 early"]);
    assert_eq!((bench.app.ups, bench.app.downs, bench.app.passed_over), (1, 0, 1));
    // Without a gap, what is passed over is the venue's own.
    bench.give("4", 6, "123=Y|36=9|").unwrap();
    assert_eq!(bench.app.passed_over, 1);
    // What was missed and is repeated raises no question.
    let mut bench = Bench::initiator_up();
    bench.give("8", 3, "58=early|").unwrap();
    bench.give("8", 2, &format!("43=Y|122={}|58=missed|", bench.stamp())).unwrap();
    assert_eq!(bench.app.messages, ["2 8 missed dup", "3 8 early"]);
    assert_eq!(bench.app.passed_over, 0);
    // Whoever is first told up asks in any case.
    let mut bench = Bench::initiator();
    bench.give("A", 4, LOGON).unwrap();
    bench.give("4", 1, "43=Y|123=Y|36=5|").unwrap();
    assert_eq!((bench.app.ups, bench.app.passed_over), (1, 0));
    // A client's orders that are not repeated are the client's.
    let mut bench = Bench::acceptor_up();
    bench.give("D", 4, "58=early|").unwrap();
    bench.give("4", 2, "43=Y|123=Y|36=4|").unwrap();
    assert_eq!((bench.app.ups, bench.app.passed_over), (1, 0));
}

#[test]
fn a_report_that_waited_too_long_is_told_before_the_session_ends() {
    let mut bench = Bench::initiator_up();
    bench.sent();
    let fill = bench.message("8", 2, "58=fill|");
    let other = bench.message("B", 3, "58=news|");
    bench.now = bench.now.after(Nanos::from_secs(121));
    bench.give_raw(&fill).unwrap();
    assert_eq!(bench.app.messages, ["2 8 fill"]);
    let sent = bench.sent();
    assert!(
        sent[0].starts_with("3 2 45=2|58=SendingTime") && sent[1].starts_with("5 3"),
        "{sent:?}"
    );
    assert_eq!(bench.next_incoming(), 3);
    // Nothing else is taken from another time, and of a client nothing at all.
    let mut bench = Bench::initiator_up();
    bench.give("0", 2, "").unwrap();
    bench.now = bench.now.after(Nanos::from_secs(121));
    bench.give_raw(&other).unwrap();
    assert!(bench.app.messages.is_empty());
    let mut bench = Bench::acceptor_up();
    let stale = bench.message("8", 2, "58=fill|");
    bench.now = bench.now.after(Nanos::from_secs(121));
    bench.give_raw(&stale).unwrap();
    assert!(bench.app.messages.is_empty());
}

#[test]
fn a_late_report_waits_for_room() {
    let mut bench = Bench::initiator_up();
    bench.sent();
    let fill = bench.message("8", 2, "58=fill|");
    bench.now = bench.now.after(Nanos::from_secs(121));
    bench.app.busy = true;
    let Bench { session, out, app, now } = &mut bench;
    assert_eq!(session.received(*now, 7, &fill, out, app), Ok(0));
    assert!(bench.sent().is_empty());
    bench.app.busy = false;
    bench.give_raw(&fill).unwrap();
    assert_eq!(bench.app.messages, ["2 8 fill"]);
}

#[test]
fn a_peer_that_asks_for_a_resend_and_takes_nothing_is_cut() {
    let mut bench = Bench::acceptor_up();
    bench.send(&"x".repeat(100));
    bench.sent();
    bench.out = Pipe { bytes: Vec::new(), limit: 60 };
    bench.give("2", 2, "7=2|16=0|").unwrap();
    let before = bench.session.store().next_outgoing();
    for seq in 3..10 {
        bench.wait(Nanos::from_secs(4)).unwrap();
        // It lives: its heartbeats come.
        bench.give("0", seq, "").unwrap();
    }
    assert_eq!(bench.wait(Nanos::from_secs(4)), Err(Disconnect::SlowPeer));
    assert_eq!(bench.session.store().next_outgoing(), before, "nothing is recorded that cannot go");
}

#[test]
fn a_peer_whose_logon_expects_no_number_is_asked_as_ever() {
    let config = SessionConfig { next_expected: true, ..SessionConfig::initiator("US", "THEM") };
    let mut bench = Bench::over(config, MemoryStore::new(4096, 1 << 20));
    bench.connect().unwrap();
    assert_eq!(bench.sent(), ["A 1 98=0|108=30|789=1"]);
    bench.give("A", 5, LOGON).unwrap();
    assert_eq!(bench.sent(), ["2 2 7=1|16=0"]);
}
