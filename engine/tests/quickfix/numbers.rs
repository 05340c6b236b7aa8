//! Sequence numbers with QuickFIX as the venue: kept over ends and kills, missed on either side,
//! reset, and refused when they are too low.

use crate::desk::{Desk, Manner};
use crate::host::eventually;
use crate::orders::Pair;
use crate::scenarios;
use crate::tap::From;
use gateway::session::Reset;
use gateway::spec::Version;
use market::{Nanos, ReportKind as Kind};

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
    let asked = pair.venue.next_admin_sent(&pair.tap, "2");
    assert_eq!(asked.need(7), lost.need(34));
    let fill = pair.tap.wait("the answer", |seen| seen.text.is("4")).text;
    assert_eq!((fill.need(34), fill.need(123), fill.need(43)), (lost.need(34), "Y", "Y"));
    // What comes next is in sequence again.
    let next = eventually("an order", || {
        let id = pair.desk.buy("25.03", 100);
        let order = pair.venue.next("D");
        (order.need(11) == id.0.to_string()).then_some(order)
    });
    assert!(next.get(43).is_none());
    let orders = pair.tap.seen().into_iter().filter(|seen| seen.text.is("D"));
    let ids: Vec<_> = orders.map(|seen| seen.text.need(11).to_owned()).collect();
    let mut once = ids.clone();
    once.dedup();
    assert_eq!(ids, once, "an order was sent twice");
    pair.part();
}
