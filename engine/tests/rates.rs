//! The venue's rates in the gateway stage, over loopback sockets and in virtual time: what would
//! break a rule is refused or waits, cancels go first and in order, the session itself is counted.

mod gateway_rig;

use engine::pipeline::trading_stage::CommandSlot;
use engine::runtime::stage::Stage;
use gateway::dialect::{Dialect, Settings};
use gateway::orders::Instruments;
use gateway::rates::{Action, Counts, Limiter, Member, Rule, Scope, Window};
use gateway::spec::Version;
use gateway_rig::venue::Venue;
use gateway_rig::{BEGIN, PATIENCE, Setup, instruments};
use market::{
    Command, CommandKind, Event, Instrument, InstrumentId, Nanos, OrderId, Price, Qty,
    RejectReason, Report, ReportKind, Side, Timestamp,
};
use std::time::Duration;

/// Ten messages a second, of which one place is the session's and three are kept for cancels.
fn rule(action: Action) -> Rule {
    Rule {
        name: "messages".into(),
        window: Window::Sliding,
        count: 10,
        span: Nanos::SECOND,
        scope: Scope::Session,
        counts: Counts::All,
        action,
        cancel_reserve: 20,
    }
}

struct Rig {
    engine: gateway_rig::Rig,
    venue: Venue,
    now: Timestamp,
    said: Vec<Report>,
    folder: tempfile::TempDir,
}

fn limiter(rules: &[Rule], sessions: usize) -> Limiter {
    let member = Member { rules, key: "key", account: "account" };
    Limiter::new(&vec![member; sessions]).unwrap()
}

impl Rig {
    /// An engine that is logged on to a venue of these rules.
    fn new(rules: &[Rule]) -> Rig {
        Rig::with(Setup { limiter: limiter(rules, 1), ..Setup::default() })
    }

    fn with(setup: Setup) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let venue = Venue::new(&setup.instruments, "US");
        let engine = gateway_rig::Rig::new(venue.address(), setup, folder.path());
        let mut rig = Rig { engine, venue, now: BEGIN, said: Vec::new(), folder };
        rig.until(|rig| rig.engine.stage.session().is_up());
        rig
    }

    fn poll(&mut self) {
        self.engine.stage.poll(self.now);
        self.venue.poll(self.now);
        while let Some(report) = self.engine.reports.pop() {
            self.said.push(report);
        }
    }

    #[track_caller]
    fn until(&mut self, done: impl Fn(&Rig) -> bool) {
        for _ in 0..PATIENCE {
            if done(self) {
                return;
            }
            self.poll();
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("heard {:?}, said {:?}", self.venue.kinds(), self.said);
    }

    fn push(&mut self, command: Command) {
        assert!(
            self.engine.commands.push(CommandSlot { command, ..CommandSlot::default() }).is_ok()
        );
    }

    fn order(&mut self, id: u64) {
        let (price, qty) = (Price::from_raw(100_000_000_000), Qty::from_raw(100));
        self.push(Command::new(OrderId(id), InstrumentId(0), Side::Buy, price, qty));
    }

    fn cancel(&mut self, id: u64, target: u64) {
        self.push(Command::cancel(OrderId(id), OrderId(target), InstrumentId(0), Side::Buy));
    }

    fn refused(&self, reason: RejectReason) -> Vec<u64> {
        let is = |report: &&Report| {
            report.kind() == Some(ReportKind::NotSent) && report.reason() == reason
        };
        self.said.iter().filter(is).map(|report| report.order.0).collect()
    }

    /// No span of a second holds more than ten messages of ours; the first is the Logon.
    fn check_limit(&self) {
        let swept = self.venue.by_instrument.iter().flatten().map(|heard| heard.0);
        let heard = self.venue.heard.iter().map(|heard| heard.0);
        let mut times: Vec<_> = [BEGIN].into_iter().chain(heard).chain(swept).collect();
        times.sort_unstable();
        for (index, &first) in times.iter().enumerate() {
            let within =
                times[index..].iter().filter(|time| time.since(first) < Nanos::SECOND).count();
            assert!(within <= 10, "{within} within a second");
        }
    }
}

use CommandKind::{Cancel, MassCancel, New};

#[test]
fn orders_are_refused_and_cancels_wait_their_turn() {
    let mut rig = Rig::new(&[rule(Action::Hold)]);
    // Seven places are for orders; the Logon took one.
    (1..=10).for_each(|id| rig.order(id));
    rig.until(|rig| rig.venue.heard.len() == 6 && rig.said.len() == 5);
    assert_eq!(rig.refused(RejectReason::Rate), [7, 8, 9, 10]);
    // Two places are left: two cancels go, the others wait; an order among them does not.
    (1..=4).for_each(|id| rig.cancel(10 + id, id));
    rig.order(15);
    rig.push(Command::mass_cancel(OrderId(16), Event::ALL));
    rig.until(|rig| rig.venue.heard.len() == 8 && rig.said.len() == 6);
    assert_eq!(rig.refused(RejectReason::Rate), [7, 8, 9, 10, 15]);
    (0..20).for_each(|_| rig.poll());
    assert_eq!(rig.venue.heard.len(), 8);
    assert_eq!(rig.engine.stage.counters().rate_held, 3);
    // A second later the window has moved on.
    rig.now = rig.now.after(Nanos::SECOND);
    rig.order(17);
    rig.until(|rig| rig.venue.heard.len() == 12);
    let last = &rig.venue.kinds()[6..];
    assert_eq!(
        last,
        [(Cancel, 11), (Cancel, 12), (Cancel, 13), (Cancel, 14), (MassCancel, 16), (New, 17)]
    );
    rig.check_limit();
}

#[test]
fn a_rule_that_refuses_refuses_cancels_too() {
    let mut rig = Rig::new(&[rule(Action::Refuse)]);
    (1..=7).for_each(|id| rig.order(id));
    (1..=4).for_each(|id| rig.cancel(10 + id, id));
    rig.until(|rig| rig.venue.heard.len() == 8 && rig.said.len() == 4);
    assert_eq!(rig.refused(RejectReason::Rate), [7, 13, 14]);
    let counters = rig.engine.stage.counters();
    assert_eq!((counters.rate_refused, counters.rate_held, counters.kept_back), (3, 0, 3));
    rig.check_limit();
}

#[test]
fn what_waits_is_reported_when_the_connection_ends() {
    let mut rig = Rig::new(&[rule(Action::Hold)]);
    (1..=6).for_each(|id| rig.order(id));
    (1..=4).for_each(|id| rig.cancel(10 + id, id));
    rig.until(|rig| rig.venue.heard.len() == 8);
    drop(rig.venue.link.take());
    rig.until(|rig| rig.refused(RejectReason::NoSession).len() == 2);
    assert_eq!(rig.refused(RejectReason::NoSession), [13, 14]);
    assert_eq!(rig.refused(RejectReason::Rate), [0; 0]);
}

#[test]
fn without_rules_everything_goes() {
    let mut rig = Rig::new(&[]);
    (1..=40).for_each(|id| rig.order(id));
    rig.until(|rig| rig.venue.heard.len() == 40);
    assert_eq!(rig.engine.stage.counters().kept_back, 0);
}

/// An engine at a venue that cancels by instrument only, of which it has twenty.
fn sweeping(action: Action) -> Rig {
    let listed = |index| Instrument::share(index, &format!("S{index:02}"));
    let instruments = Instruments::new(&(0..20).map(listed).collect::<Vec<_>>()).unwrap();
    let settings = Settings { mass_cancel_all: None, ..Settings::of(Version::Fix44) };
    let dialect = Dialect::new(settings).unwrap();
    let limiter = limiter(&[rule(action)], 1);
    let mut rig = Rig::with(Setup { instruments, dialect, limiter, ..Setup::default() });
    rig.venue.by_instrument = Some(Vec::new());
    rig
}

impl Rig {
    /// ClOrdIDs of mass cancels by instrument, so far.
    fn swept(&self) -> Vec<&str> {
        self.venue.by_instrument.iter().flatten().map(|(_, id)| id.as_str()).collect()
    }
}

#[test]
fn a_mass_cancel_of_many_messages_goes_in_parts_and_breaks_no_limit() {
    for action in [Action::Hold, Action::Refuse] {
        let mut rig = sweeping(action);
        rig.order(1);
        rig.push(Command::mass_cancel(OrderId(16), Event::ALL));
        rig.order(2);
        rig.cancel(17, 1);
        // The Logon and an order took two of nine places; the session's own is left to it.
        rig.until(|rig| rig.swept().len() == 7);
        (0..20).for_each(|_| rig.poll());
        assert_eq!((rig.swept().len(), rig.venue.kinds()), (7, vec![(New, 1)]), "{action:?}");
        assert_eq!(rig.refused(RejectReason::Rate), [2]);
        let counters = rig.engine.stage.counters();
        assert_eq!((counters.rate_held, counters.rate_refused), (2, 1));
        // What waits goes on where it was, and what came later comes later.
        rig.now = rig.now.after(Nanos::SECOND);
        rig.until(|rig| rig.swept().len() == 16);
        (0..20).for_each(|_| rig.poll());
        assert_eq!(rig.swept().len(), 16);
        rig.now = rig.now.after(Nanos::SECOND);
        rig.until(|rig| rig.venue.heard.len() == 2);
        assert_eq!(rig.venue.kinds(), [(New, 1), (Cancel, 17)]);
        let all: Vec<_> = (0..20).map(|place| format!("16-{place}")).collect();
        assert_eq!(rig.swept(), all);
        rig.check_limit();
        // It is answered once all of it is.
        let now = rig.now;
        for (place, id) in all.iter().enumerate() {
            let (before, read) = (rig.said.len(), rig.engine.stage.session().counters().received);
            rig.venue.swept(now, id, format!("S{place:02}").as_bytes());
            rig.until(|rig| rig.engine.stage.session().counters().received == read + 1);
            assert_eq!(rig.said.len() - before, usize::from(place == 19), "{id}");
        }
        let last = rig.said.last().unwrap();
        assert_eq!((last.kind(), last.order), (Some(ReportKind::MassCanceled), OrderId(16)));
    }
}

#[test]
fn a_mass_cancel_without_room_waits_whole_or_is_refused_whole() {
    for (action, refused) in [(Action::Hold, &[][..]), (Action::Refuse, &[16])] {
        let mut rig = sweeping(action);
        (1..=6).for_each(|id| rig.order(id));
        (1..=2).for_each(|id| rig.cancel(10 + id, id));
        rig.push(Command::mass_cancel(OrderId(16), Event::ALL));
        rig.until(|rig| rig.venue.heard.len() == 8);
        (0..20).for_each(|_| rig.poll());
        assert_eq!((rig.swept(), rig.refused(RejectReason::Rate)), (vec![], refused.to_vec()));
        rig.now = rig.now.after(Nanos::SECOND);
        (0..20).for_each(|_| rig.poll());
        rig.until(|rig| rig.swept().len() == if refused.is_empty() { 9 } else { 0 });
        rig.check_limit();
    }
}

#[test]
fn half_a_mass_cancel_is_reported_when_the_connection_ends() {
    let mut rig = sweeping(Action::Hold);
    rig.push(Command::mass_cancel(OrderId(16), Event::ALL));
    rig.until(|rig| rig.swept().len() == 8);
    drop(rig.venue.link.take());
    rig.until(|rig| rig.refused(RejectReason::NoSession) == [16]);
    assert_eq!(rig.swept().len(), 8);
}

#[test]
fn an_order_session_and_a_drop_copy_of_one_key_share_its_limit() {
    let rules = [Rule { scope: Scope::Key, ..rule(Action::Hold) }];
    let limiter = limiter(&rules, 2);
    let mut rig = Rig::with(Setup { limiter, ..Setup::default() });
    let mut venue = Venue::new(&instruments(), "COPY");
    let (mut copy, _) = rig.engine.drop_copy(venue.address(), rig.folder.path());
    // One turn of a core that polls both.
    let mut until = |rig: &mut Rig, done: &dyn Fn(&Rig, &Venue) -> bool| {
        for _ in 0..PATIENCE {
            rig.poll();
            copy.poll(rig.now);
            venue.poll(rig.now);
            if done(rig, &venue) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("heard {:?}, said {:?}", rig.venue.kinds(), rig.said);
    };
    until(&mut rig, &|_, venue| venue.session.is_up());
    // Of ten, two are the sessions' own and two the cancels'; both Logons count.
    (1..=9).for_each(|id| rig.order(id));
    until(&mut rig, &|rig, _| rig.said.len() == 6 && rig.venue.heard.len() == 4);
    assert_eq!(rig.refused(RejectReason::Rate), [5, 6, 7, 8, 9]);
    // So do both Heartbeats.
    rig.now = rig.now.after(Nanos::from_secs(31));
    until(&mut rig, &|rig, venue| {
        rig.venue.session.counters().received == 6 && venue.session.counters().received == 2
    });
    (11..=19).for_each(|id| rig.order(id));
    until(&mut rig, &|rig, _| rig.said.len() == 11 && rig.venue.heard.len() == 8);
    assert_eq!(rig.refused(RejectReason::Rate)[5..], [15, 16, 17, 18, 19]);
}

/// A session that has sent 18 orders in three seconds, and sends them again.
fn replaying(rule: Rule) -> Rig {
    let mut rig =
        Rig::with(Setup { limiter: limiter(&[rule], 1), replays: true, ..Setup::default() });
    for second in 0..3 {
        (1..=6).for_each(|id| rig.order(second * 6 + id));
        let heard = 6 * (second as usize + 1);
        rig.until(|rig| rig.venue.heard.len() == heard);
        rig.now = rig.now.after(Nanos::SECOND);
    }
    rig
}

#[test]
fn a_resend_that_would_break_a_rule_is_gap_filled() {
    for action in [Action::Hold, Action::Refuse] {
        let mut rig = replaying(rule(action));
        rig.venue.ask_again(rig.now, 1);
        rig.until(|rig| rig.venue.session.counters().duplicates > 0);
        (0..20).for_each(|_| rig.poll());
        let counters = rig.engine.stage.session().counters();
        assert_eq!((counters.resent, counters.gap_fills), (0, 1));
        assert_eq!(rig.venue.session.counters().duplicates, 1, "the gap fill");
        // The gap fill is a message too: of ten places two are kept, and one is the session's.
        (21..=30).for_each(|id| rig.order(id));
        // And the report that the session is up.
        rig.until(|rig| rig.venue.heard.len() + rig.said.len() == 18 + 10 + 1);
        assert_eq!(rig.refused(RejectReason::Rate).len(), 4);
    }
}

#[test]
fn orders_that_are_sent_again_take_the_room_of_others() {
    for counts in [Counts::All, Counts::Orders] {
        let mut rig = replaying(Rule { counts, ..rule(Action::Refuse) });
        // The Logon was number 1: four orders.
        rig.venue.ask_again(rig.now, 16);
        rig.until(|rig| rig.engine.stage.session().counters().resent == 4);
        (0..20).for_each(|_| rig.poll());
        let places = if counts == Counts::All { 7 } else { 8 };
        (21..=30).for_each(|id| rig.order(id));
        // And the report that the session is up.
        rig.until(|rig| rig.venue.heard.len() + rig.said.len() == 18 + 10 + 1);
        assert_eq!(rig.venue.heard.len(), 18 + places - 4, "{counts:?}");
        // Again is again: there is no room left.
        rig.venue.ask_again(rig.now, 16);
        rig.until(|rig| rig.engine.stage.session().counters().gap_fills == 1);
        assert_eq!(rig.engine.stage.session().counters().resent, 4, "{counts:?}");
    }
}
