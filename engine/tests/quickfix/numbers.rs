//! Sequence numbers with QuickFIX as the venue: kept over ends and kills, missed on either side,
//! reset, and refused when they are too low.

use crate::desk::{Desk, Manner};
use crate::host::eventually;
use crate::orders::Pair;
use crate::scenarios;
use crate::tap::{From, Seen};
use gateway::session::Reset;
use gateway::spec::Version;
use market::{Nanos, RejectReason, ReportKind as Kind};

scenarios! {
    a_lost_report_is_asked_for_and_comes_once
    a_lost_order_is_never_sent_again
    numbers_are_kept_over_a_logout
    numbers_are_kept_over_a_kill
    reports_on_a_session_that_is_down_come_with_the_next_logon
    numbers_that_the_venue_has_lost_are_filled
    the_venue_resets_a_sequence
    both_sides_begin_anew_at_logon
    a_venue_that_begins_anew_alone_is_refused
    a_venue_refuses_us_if_we_begin_anew_alone
    the_venue_logs_out_and_lets_us_in_again
    silence_is_filled_by_heartbeats
}

fn a_lost_report_is_asked_for_and_comes_once(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let (id, order) = pair.resting("25.01", 100);
    pair.tap.lose(From::Acceptor, "8");
    pair.venue.report(&order, ("F", "1"), (40, 40, 60), &[]);
    let lost = pair.tap.wait("the loss", |seen| seen.lost).text;
    // The next one shows that something is missing.
    pair.venue.report(&order, ("F", "2"), (60, 100, 0), &[]);
    let asked = pair.tap.wait("a question", |seen| seen.text.is("2")).text;
    assert_eq!(asked.need(7), lost.need(34));
    let (first, second) = (pair.desk.next(Kind::Filled), pair.desk.next(Kind::Filled));
    assert_eq!((first.order, first.qty.raw(), second.qty.raw()), (id, 40, 60));
    let again = pair.tap.wait("it again", |seen| seen.text.get(43) == Some("Y")).text;
    assert_eq!((again.need(34), again.need(17)), (lost.need(34), lost.need(17)));
    assert_eq!(again.need(122), lost.need(52));
    assert_eq!(pair.desk.untaken(), []);
    pair.part();
}

fn a_lost_order_is_never_sent_again(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    pair.tap.lose(From::Initiator, "D");
    pair.desk.buy("25.01", 100);
    let lost = pair.tap.wait("the loss", |seen| seen.lost).text;
    pair.desk.buy("25.02", 100);
    let asked = pair.tap.wait("a question", |seen| seen.text.is("2")).text;
    assert_eq!(asked.need(7), lost.need(34));
    let filled = pair.tap.wait("the answer", |seen| seen.text.is("4")).text;
    assert_eq!((filled.need(34), filled.need(123)), (lost.need(34), "Y"));
    assert_eq!(filled.need(43), "Y");
    // Both were asked for, so both are stale: the venue goes on behind them.
    let third = pair.desk.buy("25.03", 100);
    let order = pair.venue.next("D");
    assert_eq!((order.need(11), order.get(43)), (&*third.0.to_string(), None));
    assert_eq!(pair.tap.count(From::Initiator, "D"), 3, "an order was sent twice");
    pair.part();
}

fn numbers_are_kept_over_a_logout(version: Version) {
    over_an_end(version, Desk::stop);
}

fn numbers_are_kept_over_a_kill(version: Version) {
    over_an_end(version, Desk::kill);
}

/// The numbers of a Logon on a later connection must be the next ones of both sides.
fn over_an_end(version: Version, end: fn(Desk) -> u64) {
    let manner = Manner::of(version);
    let mut pair = Pair::new(manner);
    let (id, _) = pair.resting("25.01", 100);
    let last = end(pair.desk);
    eventually("the end of the session", || (!pair.venue.is_logged_on()).then_some(()));
    pair.venue.restart();
    let (outgoing, incoming) = pair.venue.numbers();
    assert!(outgoing > 2 && incoming > 2);
    pair.desk = Desk::start(manner, &pair.folder, pair.tap.port(), last);
    pair.desk.wait_up();
    for (from, number) in [(From::Initiator, incoming), (From::Acceptor, outgoing)] {
        let logon = |seen: &Seen| (seen.from, seen.connection) == (from, 1) && seen.text.is("A");
        let logon = pair.tap.wait("a Logon", logon).text;
        assert_eq!((logon.seq(), logon.get(141)), (number, None));
    }
    // Nothing was missing, and the order is still known by its id.
    assert_eq!(pair.tap.seen().iter().filter(|seen| seen.text.is("2")).count(), 0);
    let cancel = pair.desk.cancel(id);
    let asked = pair.venue.next("F");
    assert_eq!((asked.need(41), asked.need(11)), (&*id.0.to_string(), &*cancel.0.to_string()));
    pair.venue.report(&asked, ("4", "4"), (0, 0, 0), &[]);
    assert_eq!(pair.desk.next(Kind::Canceled).target, id);
    pair.part();
}

fn reports_on_a_session_that_is_down_come_with_the_next_logon(version: Version) {
    let manner = Manner::of(version);
    let mut pair = Pair::new(manner);
    let (id, order) = pair.resting("25.01", 100);
    let last = pair.desk.stop();
    eventually("the end of the session", || (!pair.venue.is_logged_on()).then_some(()));
    pair.venue.report(&order, ("F", "1"), (40, 40, 60), &[]);
    pair.venue.report(&order, ("4", "4"), (0, 40, 0), &[]);
    pair.desk = Desk::start(manner, &pair.folder, pair.tap.port(), last);
    let fill = pair.desk.next(Kind::Filled);
    assert_eq!((fill.order, fill.qty.raw()), (id, 40));
    assert_eq!(pair.desk.next(Kind::Canceled).order, id);
    // Only now is anything known for certain.
    pair.desk.next(Kind::SessionUp);
    let again = pair.tap.seen().into_iter().filter(|seen| seen.text.get(43) == Some("Y"));
    let again: Vec<_> = again.filter(|seen| seen.text.is("8")).collect();
    assert_eq!(again.len(), 2, "{again:?}");
    pair.part();
}

fn numbers_that_the_venue_has_lost_are_filled(version: Version) {
    let manner = Manner::of(version);
    let mut pair = Pair::new(manner);
    let last = pair.desk.stop();
    pair.venue.next_admin("5");
    pair.venue.stop();
    let (outgoing, _) = pair.venue.numbers();
    pair.venue.lose_numbers(5);
    pair.venue.restart();
    pair.desk = Desk::start(manner, &pair.folder, pair.tap.port(), last);
    pair.desk.wait_up();
    let asked = pair.tap.wait("a question", |seen| seen.text.is("2")).text;
    assert_eq!(asked.need(7), outgoing.to_string());
    let filled = pair.tap.wait("an answer", |seen| seen.text.is("4")).text;
    assert_eq!((filled.seq(), filled.need(123)), (outgoing, "Y"));
    assert_eq!(pair.tap.count(From::Initiator, "2"), 1);
    pair.resting("25.01", 100);
    pair.part();
}

fn the_venue_resets_a_sequence(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let (_, order) = pair.resting("25.01", 100);
    // One report is lost; the venue says that nobody shall ask for it.
    pair.tap.lose(From::Acceptor, "8");
    pair.venue.report(&order, ("F", "1"), (40, 40, 60), &[]);
    let lost = pair.tap.wait("the loss", |seen| seen.lost).text;
    let next = (lost.seq() + 2).to_string();
    pair.venue.send("4", &[(36, &next), (123, "N")]);
    pair.venue.report(&order, ("F", "2"), (60, 100, 0), &[]);
    // What was skipped is lost for good: the loop hears of it, and asks what the venue holds.
    pair.desk.next(Kind::SessionUp);
    assert_eq!(pair.desk.next(Kind::Filled).qty.raw(), 60);
    assert_eq!(pair.tap.count(From::Initiator, "2"), 0);
    pair.part();
}

fn both_sides_begin_anew_at_logon(version: Version) {
    let manner = Manner { reset: Reset::Always, ..Manner::of(version) };
    let mut pair = Pair::new(manner);
    for round in 0..3 {
        for from in [From::Initiator, From::Acceptor] {
            let logon =
                |seen: &Seen| (seen.from, seen.connection) == (from, round) && seen.text.is("A");
            let logon = pair.tap.wait("a Logon", logon).text;
            assert_eq!((logon.seq(), logon.get(141)), (1, Some("Y")));
        }
        let (_, order) = pair.resting("25.01", 100);
        assert_eq!(order.seq(), 2);
        let last = pair.desk.stop();
        pair.venue.next_admin("5");
        pair.desk = Desk::start(manner, &pair.folder, pair.tap.port(), last);
        pair.venue.wait_for_logon();
        pair.desk.wait_up();
    }
    pair.part();
}

fn a_venue_that_begins_anew_alone_is_refused(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    pair.resting("25.01", 100);
    pair.venue.forget();
    pair.desk.next(Kind::SessionDown);
    eventually("the reason", || pair.desk.last_error().contains("too low").then_some(()));
    let logout = |seen: &Seen| seen.from == From::Initiator && seen.text.is("5");
    let told = |seen: &Seen| seen.text.get(58).is_some_and(|text| text.contains("too low"));
    pair.tap.wait("a Logout that says why", |seen| logout(seen) && told(seen));
    // It is not traded on.
    let id = pair.desk.buy("25.01", 100);
    let kept = pair.desk.next(Kind::NotSent);
    assert_eq!((kept.order, kept.reason()), (id, RejectReason::NoSession));
}

fn a_venue_refuses_us_if_we_begin_anew_alone(version: Version) {
    let manner = Manner { reset: Reset::Never, ..Manner::of(version) };
    let mut pair = Pair::new(manner);
    pair.resting("25.01", 100);
    let last = pair.desk.stop();
    pair.venue.next_admin("5");
    std::fs::remove_dir_all(pair.folder.join("journal")).unwrap();
    std::fs::remove_dir_all(pair.folder.join("hot")).unwrap();
    pair.desk = Desk::start(manner, &pair.folder, pair.tap.port(), last);
    // What the venue says is what the operator reads.
    let why = eventually("the reason", || {
        Some(pair.desk.last_error()).filter(|error| error.contains("MsgSeqNum too low"))
    });
    assert!(why.contains("but received 1"), "{why}");
    assert_eq!(pair.desk.untaken(), []);
}

fn the_venue_logs_out_and_lets_us_in_again(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let (id, order) = pair.resting("25.01", 100);
    pair.venue.log_out();
    pair.desk.next(Kind::SessionDown);
    let goodbye = |seen: &Seen| seen.from == From::Initiator && seen.text.is("5");
    pair.tap.wait("our answer", goodbye);
    pair.venue.allow_logon();
    pair.desk.next(Kind::SessionUp);
    pair.venue.report(&order, ("F", "2"), (100, 100, 0), &[]);
    assert_eq!(pair.desk.next(Kind::Filled).order, id);
    pair.part();
}

fn silence_is_filled_by_heartbeats(version: Version) {
    let manner = Manner { heartbeat: Nanos::SECOND, ..Manner::of(version) };
    let mut pair = Pair::new(manner);
    eventually("heartbeats", || {
        let count = |from| pair.tap.count(from, "0");
        (count(From::Initiator) >= 2 && count(From::Acceptor) >= 2).then_some(())
    });
    pair.resting("25.01", 100);
    assert_eq!(pair.tap.count(From::Initiator, "A"), 1, "it had to log on again");
    pair.part();
}
