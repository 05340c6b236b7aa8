//! With `durability = "power"`, a disk that does not sync: what waits for it must not leave once the
//! market is another, and the venue must not be left with orders that nobody can cancel. Trading
//! stage and gateway stage over real journals, in virtual time, at a venue behind a loopback socket.

mod gateway_rig;

use engine::journal::{self, Copier, Drain, Durability, JournalSettings, Opened, Writer};
use engine::latency::recorder;
use engine::pipeline::gate::{Gate, Shut};
use engine::pipeline::gateway_stage::GatewayStage;
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::loop_driver::LoopDriver;
use engine::pipeline::records::Start;
use engine::pipeline::telemetry::{TradingSnapshot, mailbox};
use engine::pipeline::trading_stage::{Inputs, Links, LiveStamps, RingPublish, Time, TradingStage};
use engine::runtime::clock;
use engine::runtime::ring::{self, Producer};
use engine::runtime::stage::Stage;
use engine::trading::desk::Session;
use engine::trading::risk::Limits;
use engine::trading::{
    Control, ControlKind, OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules,
};
use gateway_rig::venue::Venue;
use gateway_rig::{BEGIN, PATIENCE, Rig, Setup, instruments};
use market::book::BookLimits;
use market::{
    CommandKind, Event, EventFlags, EventKind, Instrument, InstrumentId, Money, Nanos, OrderId,
    OrderState, Price, Qty, Report, ReportKind, Side, StateHasher, Timestamp,
};
use std::sync::Arc;
use std::time::Duration;
use strategies::{Context, Quote, QuoterSettings, Strategy};

const ID: InstrumentId = InstrumentId(0);
const QTY: Qty = Qty::from_raw(100);
const TICK: i64 = 10_000_000;
/// How long a command may wait for the disk.
const WITHIN: Nanos = Nanos::SECOND;

/// Bids fifty ticks below the best bid.
struct Bidder;

impl Strategy for Bidder {
    fn name(&self) -> &'static str {
        "bidder"
    }
    fn on_book(&mut self, ctx: &mut dyn Context, id: InstrumentId) {
        let Some(best) = ctx.book(id).best(Side::Buy) else { return };
        let price = Price::from_raw(best.price.raw() - 50 * TICK);
        ctx.quote(id, &[Quote { price, qty: QTY }], &[]);
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
        answer_within: Nanos::from_secs(5),
        orders: 16,
        executions: 16,
        seed: 1,
        lockstep: false,
        shows_own_orders: true,
        venue: VenueRules::default(),
    };
    TradingLoop::new(settings, &OpeningState { epoch: 1, ..OpeningState::default() })
}

/// An engine, the disk under its journal, and a venue.
struct Floor {
    trading: TradingStage<Writer>,
    gateway: GatewayStage,
    gate: Arc<Gate>,
    events: Producer<Event>,
    control: Producer<Control>,
    drain: Drain,
    /// The disk takes and syncs.
    syncs: bool,
    venue: Venue,
    now: Timestamp,
    orders: u64,
    /// Of the gateway's stream, whose disk is well.
    _copiers: Vec<Copier>,
    _folder: tempfile::TempDir,
}

impl Floor {
    /// Ready to quote.
    fn open() -> Floor {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = JournalSettings::new(&folder.path().join("disk"), "trading");
        (settings.durability, settings.segment_bytes) = (Durability::Power, 1 << 20);
        settings.hot_dir = folder.path().join("hot");
        std::fs::create_dir_all(&settings.hot_dir).unwrap();
        let Opened { writer, drain, .. } = journal::create(&settings, BEGIN).unwrap();
        let venue = Venue::new(&instruments(), "US");
        let rig = Rig::new(venue.address(), Setup::default(), &folder.path().join("gateway"));
        let Rig { stage: gateway, commands, reports, gate, copiers, .. } = rig;
        let publish = RingPublish::new(commands, Some(WITHIN));
        let stamps = LiveStamps::new(recorder::pair(clock::calibrate().0).0);
        let start = Start { now: BEGIN, ..Start::default() };
        let driver = LoopDriver::start(trading(), writer, publish, stamps, &start).unwrap();
        let (events, events_in) = ring::channel(1_024);
        let (control, control_in) = ring::channel(4);
        let inputs = Inputs { events: events_in, reports, drop_copy: None, control: control_in };
        let outbox = mailbox(TradingSnapshot::new(1), TradingSnapshot::new(1)).0;
        let lifecycle = Arc::new(Lifecycle::default());
        let links = Links { gate: gate.clone(), lifecycle, stop: Arc::default(), outbox };
        let trading = TradingStage::new(driver, inputs, Time::Clock, links);
        let (now, orders, syncs) = (BEGIN, 0, true);
        let mut floor = Floor {
            trading,
            gateway,
            gate,
            events,
            control,
            drain,
            syncs,
            venue,
            now,
            orders,
            _copiers: copiers,
            _folder: folder,
        };
        floor.until("the question", |floor| floor.heard(CommandKind::MassStatus).len() == 1);
        let asked = floor.heard(CommandKind::MassStatus)[0];
        floor.venue.say(BEGIN, &Report::new(ReportKind::StatusDone, asked, Event::ALL));
        floor.until("ready", |floor| floor.session() == Session::Ready);
        floor
    }

    /// One turn of everything.
    fn turn(&mut self) {
        self.gateway.poll(self.now);
        self.venue.poll(self.now);
        self.trading.poll(self.now);
        if self.syncs {
            self.drain.turn();
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
        panic!("{what}: heard {:?}, {:?}", self.venue.kinds(), self.gateway.told());
    }

    /// So much later, with many turns in which nothing else happens.
    fn wait(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        for _ in 0..50 {
            self.turn();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The best bid moves up by a tick.
    fn book(&mut self) {
        self.orders += 1;
        let price = Price::from_raw(10_000_000_000 + i64::try_from(self.orders).unwrap() * TICK);
        let add = Event { order: self.orders, price, qty: QTY, ..Event::new(EventKind::Add, ID) };
        let mut add = add.with_side(Some(Side::Buy));
        add.flags = add.flags.with(EventFlags::LAST);
        let mut ask = Event { order: 1_000_000, ..add }.with_side(Some(Side::Sell));
        ask.price = Price::from_raw(11_000_000_000);
        ask.flags = EventFlags::default();
        if self.orders == 1 {
            self.events.push(ask).unwrap();
        }
        self.events.push(add).unwrap();
    }

    /// Ids of the commands of this kind that the venue has heard.
    fn heard(&self, kind: CommandKind) -> Vec<OrderId> {
        let kinds = self.venue.heard.iter().filter(|(_, command)| command.kind() == Some(kind));
        kinds.map(|(_, command)| command.id).collect()
    }

    /// The venue takes the order or the replace that it heard last.
    fn accept(&mut self, kind: ReportKind, reports: u64) {
        let command = self.venue.heard.last().unwrap().1;
        let mut report = Report::new(kind, command.id, ID).with_side(Side::Buy);
        (report.price, report.qty, report.leaves_qty) = (command.price, QTY, QTY);
        report.target = command.target;
        self.venue.say(self.now, &report);
        self.until("its answer", |floor| floor.trading.trading().account().reports() == reports);
    }

    fn session(&self) -> Session {
        self.trading.trading().session()
    }

    fn states(&self) -> Vec<OrderState> {
        let orders = self.trading.trading().account().orders();
        orders.all_open().map(|slot| orders.get(slot).state).collect()
    }

    /// The venue sees that the connection is gone.
    fn is_cut(&self) -> bool {
        matches!(self.venue.link.as_ref().unwrap().peek(&mut [0]), Ok(0))
    }
}

#[test]
fn what_waits_too_long_for_the_disk_never_leaves_and_the_session_is_cut() {
    let mut floor = Floor::open();
    floor.book();
    floor.until("an order", |floor| floor.heard(CommandKind::New).len() == 1);
    floor.accept(ReportKind::Accepted, 1);
    assert_eq!(floor.states(), [OrderState::Live]);
    let before = floor.venue.heard.len();

    // The disk hangs: a replace, and an operator's kill behind it.
    floor.syncs = false;
    floor.book();
    floor.wait(Nanos::ZERO);
    let kill = Control::new(ControlKind::Kill, "risk", "drill");
    assert!(floor.control.push(kill).is_ok());
    floor.wait(WITHIN);
    assert_eq!(floor.states(), [OrderState::PendingReplace]);
    assert!(!floor.gate.is_shut() && !floor.is_cut(), "it may still come");
    assert_eq!((floor.venue.heard.len(), floor.session()), (before, Session::Ready));

    floor.now = floor.now.after(Nanos::new(1));
    floor.until("the cut", Floor::is_cut);
    assert_eq!(floor.gate.reasons().collect::<Vec<_>>(), [Shut::JournalLost]);
    floor.until("the loop hears of it", |floor| floor.session() == Session::Down);
    assert_eq!(floor.states(), [OrderState::Unknown], "it counts until the venue tells");

    // The disk is back a minute later, when nothing of this is true any more.
    floor.wait(Nanos::from_secs(60));
    floor.syncs = true;
    floor.until("what was held is told as not sent", |floor| {
        let orders = floor.trading.trading().account().orders();
        let mut open = orders.all_open().map(|slot| orders.get(slot).request);
        open.all(|request| request == OrderId::NONE)
    });
    floor.wait(Nanos::from_secs(60));
    assert_eq!(floor.states(), [OrderState::Unknown]);
    assert!(floor.gateway.counters().kept_back >= 2, "the replace and the mass cancel");
    let connections = floor.gateway.told().0.connections;
    assert_eq!((floor.venue.heard.len(), connections), (before, 1), "{:?}", floor.venue.kinds());
}

#[test]
fn a_disk_that_is_slow_in_time_holds_and_cuts_nothing() {
    let mut floor = Floor::open();
    // There is always something that waits, but nothing for too long.
    for moved in 1..10 {
        floor.syncs = false;
        floor.book();
        let before = floor.venue.heard.len();
        floor.wait(Nanos::from_millis(900));
        assert_eq!(floor.venue.heard.len(), before, "held until synced");
        floor.syncs = true;
        floor.until("the command", |floor| floor.venue.heard.len() > before);
        let kind = if moved == 1 { ReportKind::Accepted } else { ReportKind::Replaced };
        floor.accept(kind, moved);
    }
    assert!(!floor.gate.is_shut() && !floor.is_cut());
    assert_eq!(floor.heard(CommandKind::Replace).len(), 8);
}
