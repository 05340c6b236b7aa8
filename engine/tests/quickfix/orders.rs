//! Trading with QuickFIX as the venue: every answer that an order can have.

use crate::desk::{Desk, Manner, folder};
use crate::fix::Fix;
use crate::scenarios;
use crate::tap::{From, Tap};
use crate::venue::Venue;
use gateway::spec::Version;
use market::{OrderId, Qty, RejectReason, ReportKind as Kind};
use std::path::PathBuf;

scenarios! {
    an_order_is_taken_and_filled_in_parts
    an_order_is_replaced_and_canceled
    an_order_is_refused
    a_cancel_and_a_replace_come_too_late
    messages_that_the_venue_does_not_understand_are_refusals
    a_fill_is_busted
    mass_requests_are_answered
}

/// Both sides, with a tap between them, logged on.
pub(crate) struct Pair {
    pub(crate) desk: Desk,
    pub(crate) tap: Tap,
    pub(crate) venue: Venue,
    pub(crate) folder: PathBuf,
    _root: tempfile::TempDir,
}

impl Pair {
    pub(crate) fn new(manner: Manner) -> Pair {
        let (root, folder) = folder();
        let venue = Venue::start(manner.version, &folder);
        let tap = Tap::start(venue.port());
        let mut desk = Desk::start(manner, &folder, tap.port(), 0);
        venue.wait_for_logon();
        desk.wait_up();
        Pair { desk, tap, venue, folder, _root: root }
    }

    /// An order that rests at the venue: its id and how the venue saw it.
    pub(crate) fn resting(&mut self, price: &str, qty: u32) -> (OrderId, Fix) {
        let id = self.desk.buy(price, qty.into());
        let order = self.venue.next("D");
        assert_eq!(order.need(11), id.0.to_string());
        self.venue.report(&order, ("0", "0"), (0, 0, qty), &[]);
        assert_eq!(self.desk.next(Kind::Accepted).order, id);
        (id, order)
    }

    /// A goodbye of ours that the venue answers, on numbers that both agree about.
    pub(crate) fn part(self) {
        let Pair { desk, tap, venue, .. } = self;
        desk.stop();
        venue.next_admin("5");
        tap.wait("the answer", |seen| seen.from == From::Acceptor && seen.text.is("5"));
        let rejects = tap.seen().into_iter().filter(|seen| seen.text.is("3")).collect::<Vec<_>>();
        assert!(rejects.is_empty(), "{rejects:?}");
    }
}

fn an_order_is_taken_and_filled_in_parts(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let (id, order) = pair.resting("25.01", 100);
    let fields = [(55, "TLA"), (54, "1"), (38, "100"), (40, "2"), (44, "25.01"), (59, "0")];
    for (tag, value) in fields {
        assert_eq!(order.need(tag), value, "{tag} of {order:?}");
    }
    pair.venue.report(&order, ("F", "1"), (40, 40, 60), &[]);
    let part = pair.desk.next(Kind::Filled);
    assert_eq!((part.order, part.price.to_string().as_str()), (id, "25.01"));
    let amounts = [part.qty, part.cum_qty, part.leaves_qty].map(Qty::raw);
    assert_eq!(amounts, [40, 40, 60]);
    pair.venue.report(&order, ("F", "2"), (60, 100, 0), &[]);
    let rest = pair.desk.next(Kind::Filled);
    assert_eq!([rest.qty, rest.cum_qty, rest.leaves_qty].map(Qty::raw), [60, 100, 0]);
    assert_ne!(part.exec, rest.exec);
    assert_eq!(part.venue_order, rest.venue_order);
    pair.part();
}

fn an_order_is_replaced_and_canceled(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let (id, _) = pair.resting("25.01", 100);
    let second = pair.desk.replace(id, "25.02", 150);
    let asked = pair.venue.next("G");
    assert_eq!((asked.need(41), asked.need(11)), (&*id.0.to_string(), &*second.0.to_string()));
    assert_eq!((asked.need(44), asked.need(38)), ("25.02", "150"));
    // Pending is no answer yet.
    pair.venue.report(&asked, ("E", "E"), (0, 0, 150), &[]);
    pair.venue.report(&asked, ("5", "0"), (0, 0, 150), &[]);
    let replaced = pair.desk.next(Kind::Replaced);
    assert_eq!((replaced.order, replaced.target, replaced.qty.raw()), (second, id, 150));
    let third = pair.desk.cancel(second);
    let asked = pair.venue.next("F");
    assert_eq!((asked.need(41), asked.need(11)), (&*second.0.to_string(), &*third.0.to_string()));
    pair.venue.report(&asked, ("6", "6"), (0, 0, 150), &[]);
    pair.venue.report(&asked, ("4", "4"), (0, 0, 0), &[]);
    let canceled = pair.desk.next(Kind::Canceled);
    assert_eq!((canceled.order, canceled.target), (third, second));
    pair.part();
}

fn an_order_is_refused(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let id = pair.desk.buy("25.01", 100);
    let order = pair.venue.next("D");
    pair.venue.report(&order, ("8", "8"), (0, 0, 0), &[(103, "3"), (58, "over your limit")]);
    let refused = pair.desk.next(Kind::Rejected);
    assert_eq!((refused.order, refused.reason()), (id, RejectReason::Limit));
    pair.part();
}

fn a_cancel_and_a_replace_come_too_late(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let (id, order) = pair.resting("25.01", 100);
    for kind in ["F", "G"] {
        let request =
            if kind == "F" { pair.desk.cancel(id) } else { pair.desk.replace(id, "25.03", 50) };
        let asked = pair.venue.next(kind);
        pair.venue.too_late(&asked);
        let refused = pair.desk.next(Kind::CancelRejected);
        assert_eq!((refused.order, refused.target), (request, id));
        assert_eq!(refused.reason(), RejectReason::TooLate);
    }
    // What came first, in the other order.
    pair.venue.report(&order, ("F", "2"), (100, 100, 0), &[]);
    assert_eq!(pair.desk.next(Kind::Filled).order, id);
    pair.part();
}

fn messages_that_the_venue_does_not_understand_are_refusals(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    for kind in ["3", "j"] {
        let id = pair.desk.buy("25.01", 100);
        let order = pair.venue.next("D");
        let seq = order.seq().to_string();
        if kind == "3" {
            pair.venue.send("3", &[(45, &seq), (371, "44"), (372, "D"), (373, "5")]);
        } else {
            pair.venue.send("j", &[(45, &seq), (372, "D"), (379, order.need(11)), (380, "4")]);
        }
        let refused = pair.desk.next(Kind::Rejected);
        let reason = if kind == "3" { RejectReason::Price } else { RejectReason::NoSession };
        assert_eq!((refused.order, refused.reason()), (id, reason));
    }
    // They were asked for.
    let (desk, venue) = (pair.desk, pair.venue);
    desk.stop();
    venue.next_admin("5");
}

fn a_fill_is_busted(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let (id, order) = pair.resting("25.01", 100);
    pair.venue.report(&order, ("F", "1"), (40, 40, 60), &[]);
    let fill = pair.desk.next(Kind::Filled);
    // The second report of this venue was the fill.
    pair.venue.bust(&order, "E2", (40, 0, 100));
    let bust = pair.desk.next(Kind::Busted);
    assert_eq!((bust.order, bust.exec), (id, fill.exec));
    assert_eq!([bust.qty, bust.cum_qty, bust.leaves_qty].map(Qty::raw), [40, 0, 100]);
    pair.part();
}

fn mass_requests_are_answered(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    if version == Version::Fix42 {
        // It has no such message: nothing is sent, and the loop hears of it.
        let request = pair.desk.mass_cancel();
        assert_eq!(pair.desk.next(Kind::NotSent).order, request);
        return pair.part();
    }
    let (id, order) = pair.resting("25.01", 100);
    let request = pair.desk.mass_status();
    let asked = pair.venue.next("AF");
    assert_eq!((asked.need(584), asked.need(585)), (&*request.0.to_string(), "7"));
    let more = [(584, asked.need(584)), (911, "1"), (912, "Y")];
    pair.venue.report(&order, ("I", "0"), (0, 0, 100), &more);
    assert_eq!(pair.desk.next(Kind::Status).order, id);
    assert_eq!(pair.desk.next(Kind::StatusDone).order, request);
    let request = pair.desk.mass_cancel();
    let asked = pair.venue.next("q");
    assert_eq!(asked.need(530), "7");
    let answer = [(11, asked.need(11)), (37, "M1"), (530, "7"), (531, "7")];
    pair.venue.report(&order, ("4", "4"), (0, 0, 0), &[]);
    pair.venue.send("r", &answer);
    assert_eq!(pair.desk.next(Kind::Canceled).order, id);
    assert_eq!(pair.desk.next(Kind::MassCanceled).order, request);
    pair.part();
}
