//! The end of a session, by its hours or for a reset: the gateway tells the loop a moment ahead, the
//! loop cancels everything and sends nothing new. The Logout comes with the end of the hours, or for a
//! reset once nothing is open; answered or not. In virtual time, over a loopback socket.

mod gateway_rig;

use engine::pipeline::fix_connection::SessionHours;
use engine::pipeline::trading_stage::CommandSlot;
use engine::runtime::stage::Stage;
use engine::trading::desk::Session;
use engine::trading::risk::Limits;
use engine::trading::{OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules};
use gateway::dialect::{Dialect, Settings};
use gateway::schedule::{Renewal, Schedule};
use gateway::session::{Disconnect, Store as _};
use gateway::spec::Version;
use gateway_rig::venue::Venue;
use gateway_rig::{BEGIN, PATIENCE, Setup, instruments};
use market::book::BookLimits;
use market::{
    Command, CommandKind, Event, EventFlags, EventKind, Instrument, InstrumentId, Money, Nanos,
    OrderId, Price, Qty, Report, ReportKind, Side, StateHasher, Timestamp,
};
use std::time::Duration;
use strategies::{Context, Quote, QuoterSettings, Strategy};

const ID: InstrumentId = InstrumentId(0);
const QTY: Qty = Qty::from_raw(100);
/// How long a Logout for a reset may wait.
const AHEAD: Nanos = Nanos::from_secs(5);
const BID: Price = Price::from_raw(10_000_000_000);

/// Bids whenever it hears of the book.
struct Bidder;

impl Strategy for Bidder {
    fn name(&self) -> &'static str {
        "bidder"
    }
    fn on_book(&mut self, ctx: &mut dyn Context, id: InstrumentId) {
        ctx.quote(id, &[Quote { price: BID, qty: QTY }], &[]);
    }
    fn hash_into(&self, _: &mut StateHasher) {}
}

fn trading() -> TradingLoop {
    let limits = Limits {
        order_qty: QTY,
        order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
        position: Qty::from_raw(1_000),
        collar_bps: 5_000,
        reference_age: Nanos::from_secs(600),
    };
    let settings = TradingSettings {
        instruments: vec![Instrument::share(0, "TLA")],
        limits: vec![Some(limits)],
        strategies: vec![StrategySetting { strategy: Box::new(Bidder), instruments: vec![ID] }],
        quoter: QuoterSettings::default(),
        books: BookLimits { instruments: 1, orders: 100, levels: 50 },
        messages: (1_000, 1_000),
        stale_after: Nanos::from_secs(600),
        answer_within: Nanos::from_secs(2),
        orders: 16,
        executions: 16,
        seed: 1,
        lockstep: false,
        shows_own_orders: true,
        venue: VenueRules::default(),
    };
    TradingLoop::new(settings, &OpeningState { epoch: 1, ..OpeningState::default() })
}

/// A loop, its gateway, and a venue.
struct Floor {
    trading: TradingLoop,
    engine: gateway_rig::Rig,
    venue: Venue,
    now: Timestamp,
    orders: u64,
    /// Closings that the loop was told of.
    closings: u64,
    _folder: tempfile::TempDir,
}

impl Floor {
    /// Ready to quote, at a venue that closes twenty seconds after `BEGIN`, at 15:07.
    fn open(ahead: Nanos) -> Floor {
        let schedule = Schedule::parse("15:00 to 15:07 UTC").unwrap();
        let hours = SessionHours::new(schedule, Renewal::default(), None).told_ahead(ahead);
        Floor::of(Setup { hours, ..Setup::default() })
    }

    /// Ready to quote, at a venue that never closes but whose numbers begin anew.
    fn renewed(renewal: Renewal) -> Floor {
        let hours = SessionHours::new(Schedule::always(), renewal, None);
        Floor::of(Setup { hours: hours.told_ahead(AHEAD), ..Setup::default() })
    }

    fn of(setup: Setup) -> Floor {
        let folder = tempfile::tempdir().unwrap();
        let venue = Venue::new(&instruments(), "US");
        let engine = gateway_rig::Rig::new(venue.address(), setup, folder.path());
        let trading = trading();
        let mut floor =
            Floor { trading, engine, venue, now: BEGIN, orders: 0, closings: 0, _folder: folder };
        floor.trading.on_start(BEGIN, &mut |_: &Command| true);
        floor.until("the question", |floor| floor.asked(CommandKind::MassStatus).is_some());
        let asked = floor.asked(CommandKind::MassStatus).unwrap();
        floor.venue.say(BEGIN, &Report::new(ReportKind::StatusDone, asked.id, Event::ALL));
        floor.until("ready", |floor| floor.trading.session() == Session::Ready);
        floor
    }

    /// One turn of gateway, venue and loop.
    fn turn(&mut self) {
        self.engine.stage.poll(self.now);
        self.venue.poll(self.now);
        let mut said = Vec::new();
        let mut out = |command: &Command| {
            said.push(*command);
            true
        };
        while let Some(report) = self.engine.reports.pop() {
            self.trading.on_report(self.now, &report, &mut out);
            self.closings += u64::from(report.kind() == Some(ReportKind::SessionClosing));
        }
        self.trading.on_timers(self.now, &mut out);
        if self.trading.is_cleared() {
            self.engine.lifecycle.set_cleared(self.closings);
        }
        self.send(said);
    }

    fn send(&mut self, said: Vec<Command>) {
        for command in said {
            let slot = CommandSlot { command, ..CommandSlot::default() };
            assert!(self.engine.commands.push(slot).is_ok());
        }
    }

    #[track_caller]
    fn until(&mut self, what: &str, done: impl Fn(&Floor) -> bool) {
        for _ in 0..PATIENCE {
            if done(self) {
                return;
            }
            self.turn();
            std::thread::sleep(Duration::from_millis(1));
        }
        let told = self.engine.stage.told();
        panic!("{what}: heard {:?}, {:?}, {told:?}", self.venue.kinds(), self.trading.session());
    }

    /// The book changes.
    fn book(&mut self) {
        self.orders += 2;
        let add = |order, side, price| {
            Event { order, price, qty: QTY, ..Event::new(EventKind::Add, ID) }.with_side(Some(side))
        };
        let mut last = add(self.orders, Side::Sell, Price::from_raw(10_110_000_000));
        last.flags = last.flags.with(EventFlags::LAST);
        let packet = [add(self.orders - 1, Side::Buy, Price::from_raw(10_050_000_000)), last];
        let mut said = Vec::new();
        self.trading.on_packet(self.now, &packet, &mut |command: &Command| {
            said.push(*command);
            true
        });
        self.send(said);
    }

    /// The last command of this kind that the venue has heard.
    fn asked(&self, kind: CommandKind) -> Option<Command> {
        let mut heard = self.venue.heard.iter().rev().map(|(_, command)| *command);
        heard.find(|command| command.kind() == Some(kind))
    }

    fn order(&mut self) -> OrderId {
        self.book();
        self.until("an order", |floor| floor.asked(CommandKind::New).is_some());
        let order = self.asked(CommandKind::New).unwrap().id;
        self.tell(ReportKind::Accepted, order, QTY);
        self.until("its answer", |floor| floor.trading.account().reports() == 1);
        order
    }

    fn tell(&mut self, kind: ReportKind, order: OrderId, leaves: Qty) {
        let mut report = Report::new(kind, order, ID).with_side(Side::Buy);
        (report.price, report.qty, report.leaves_qty) = (BID, QTY, leaves);
        self.venue.say(self.now, &report);
    }

    /// The venue answers a mass cancel of one order.
    fn swept(&mut self, order: OrderId) {
        self.until("the mass cancel", |floor| floor.asked(CommandKind::MassCancel).is_some());
        assert_eq!((self.trading.session(), self.venue.ended), (Session::Closing, None));
        let cancel = self.asked(CommandKind::MassCancel).unwrap();
        self.tell(ReportKind::Canceled, order, Qty::ZERO);
        self.venue.say(self.now, &Report::new(ReportKind::MassCanceled, cancel.id, Event::ALL));
    }

    fn open_orders(&self) -> usize {
        self.trading.account().orders().all_open().count()
    }

    fn at(&mut self, seconds: u64) {
        self.now = BEGIN.after(Nanos::from_secs(seconds));
        (0..20).for_each(|_| self.turn());
    }
}

#[test]
fn nothing_stays_over_the_close() {
    let mut floor = Floor::open(Nanos::from_secs(5));
    let order = floor.order();
    floor.at(14);
    assert_eq!((floor.asked(CommandKind::MassCancel), floor.open_orders()), (None, 1));
    floor.at(15);
    floor.swept(order);
    floor.until("the end of the order", |floor| floor.open_orders() == 0);
    // The strategy would quote on; until the end nothing leaves, and the session stays up for answers.
    let before = floor.venue.heard.len();
    for second in 16..20 {
        floor.at(second);
        floor.book();
        (0..20).for_each(|_| floor.turn());
    }
    assert_eq!((floor.venue.heard.len(), floor.venue.ended), (before, None));
    floor.at(20);
    floor.until("the Logout", |floor| floor.venue.ended.is_some());
    floor.until("the end", |floor| floor.trading.session() == Session::Down);
    assert_eq!(floor.venue.ended, Some((floor.now, Disconnect::PeerLogout)));
    assert_eq!(floor.venue.heard.len(), before);
}

#[test]
fn a_venue_that_does_not_answer_is_asked_again_and_left_at_the_close() {
    let mut floor = Floor::open(Nanos::from_secs(5));
    floor.order();
    for second in 15..20 {
        floor.at(second);
    }
    let asked = |floor: &Floor| {
        let kinds = floor.venue.kinds();
        kinds.iter().filter(|(kind, _)| *kind == CommandKind::MassCancel).count()
    };
    floor.until("mass cancels", |floor| asked(floor) >= 3);
    floor.at(20);
    floor.until("the Logout", |floor| floor.venue.ended.is_some());
    floor.until("the end", |floor| floor.trading.session() == Session::Down);
    assert_eq!(floor.open_orders(), 1, "it may still be open, and counts");
}

#[test]
fn a_venue_that_cancels_by_itself_may_be_trusted_with_it() {
    let mut floor = Floor::open(Nanos::ZERO);
    floor.order();
    floor.at(19);
    assert_eq!(floor.trading.session(), Session::Ready);
    floor.at(20);
    floor.until("the Logout", |floor| floor.venue.ended.is_some());
    assert_eq!(floor.asked(CommandKind::MassCancel), None);
}

#[test]
fn news_of_a_reset_waits_for_the_cancels_and_no_longer() {
    let mut floor = Floor::renewed(Renewal { on_news: true, ..Renewal::default() });
    let order = floor.order();
    floor.venue.news(floor.now, b"maintenance");
    floor.swept(order);
    floor.until("the Logout", |floor| floor.venue.ended.is_some());
    assert_eq!(floor.venue.ended, Some((BEGIN, Disconnect::PeerLogout)), "no time has passed");
    assert_eq!(floor.open_orders(), 0);
    floor.until("the end", |floor| floor.trading.session() == Session::Down);
    // The next session begins at 1, and trades again.
    floor.at(2);
    let asked = |floor: &Floor| {
        let kinds = floor.venue.kinds();
        kinds.iter().filter(|(kind, _)| *kind == CommandKind::MassStatus).count()
    };
    floor.until("the question", |floor| asked(floor) == 2);
    assert_eq!(floor.engine.stage.session().store().next_outgoing(), 3, "Logon, question");
}

#[test]
fn news_of_a_disconnect_waits_for_the_cancels_and_no_longer_than_it_may() {
    let settings = Settings { news_reconnects: true, ..Settings::of(Version::Fix44) };
    let dialect = Dialect::new(settings).unwrap();
    let hours = SessionHours::default().told_ahead(AHEAD);
    let mut floor = Floor::of(Setup { dialect, hours, ..Setup::default() });
    floor.order();
    floor.venue.news(floor.now, b"please reconnect");
    floor.until("the mass cancel", |floor| floor.asked(CommandKind::MassCancel).is_some());
    floor.at(4);
    assert_eq!((floor.venue.ended, floor.open_orders()), (None, 1), "not answered");
    floor.at(5);
    floor.until("the Logout", |floor| floor.venue.ended.is_some());
    floor.until("the end", |floor| floor.trading.session() == Session::Down);
    assert_eq!(floor.open_orders(), 1, "it may still be open, and counts");
}

#[test]
fn a_reset_by_number_waits_for_the_cancels() {
    let mut floor = Floor::renewed(Renewal { at_number: Some(4), ..Renewal::default() });
    // Logon, question, order: the next number is 4.
    let order = floor.order();
    floor.swept(order);
    floor.until("the Logout", |floor| floor.venue.ended.is_some());
    assert_eq!(floor.venue.ended, Some((BEGIN, Disconnect::PeerLogout)));
    assert_eq!(floor.open_orders(), 0);
}

/// It was asked for on the day before.
#[test]
fn a_connection_that_comes_after_the_boundary_begins_anew() {
    let schedule = Schedule::parse("15:07 to 15:07 UTC").unwrap();
    let each_day = Renewal { each_day: true, ..Renewal::default() };
    let hours = SessionHours::new(schedule, each_day, None);
    let mut floor = Floor::of(Setup { hours, ..Setup::default() });
    floor.order();
    floor.at(10);
    floor.venue.cut(floor.now);
    floor.until("the end", |floor| floor.trading.session() == Session::Down);
    floor.now = BEGIN.after(Nanos::from_secs(19));
    floor.engine.stage.poll(floor.now);
    floor.now = BEGIN.after(Nanos::from_secs(20));
    floor.until("the next session", |floor| floor.engine.stage.session().is_up());
    assert_eq!(floor.engine.stage.session().store().next_outgoing(), 2, "after the Logon");
}
