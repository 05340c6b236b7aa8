//! A packet longer than the loop takes at once: until its rest is there, nothing that strategies
//! would answer is told to them, since the books show what was never so. A trading stage in virtual
//! time, whose rings the test holds.

use engine::latency::recorder;
use engine::pipeline::feed_stage::RING_DEPTH;
use engine::pipeline::gate::Gate;
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::loop_driver::{EVENTS_MAX, LoopDriver};
use engine::pipeline::records::Start;
use engine::pipeline::tape::NoTape;
use engine::pipeline::telemetry::{TradingSnapshot, mailbox};
use engine::pipeline::trading_stage::{
    self, CommandSlot, Inputs, Links, LiveStamps, RingPublish, Time, TradingStage,
};
use engine::runtime::clock;
use engine::runtime::ring::{self, Consumer, Producer};
use engine::runtime::stage::Stage;
use engine::trading::risk::Limits;
use engine::trading::{OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules};
use market::book::BookLimits;
use market::{
    CommandKind, Event, EventFlags, EventKind, Instrument, InstrumentId, Money, Nanos, OrderId,
    OrderView, Price, Qty, Report, ReportKind, Side, StateHasher, Timestamp, Trade,
};
use std::sync::{Arc, Mutex};
use strategies::{Context, Quote, QuoterSettings, Strategy, TimerId};

const SHARE: InstrumentId = InstrumentId(0);
const BEGIN: Timestamp = Timestamp::from_nanos(1_749_945_600_000_000_000);

/// What was told, and the middle of the book then, in ticks.
type Told = Arc<Mutex<Vec<(&'static str, i64)>>>;

/// Bids one tick below the best bid, and notes the book at every turn.
struct Noting(Told);

impl Noting {
    fn note(&self, ctx: &dyn Context, what: &'static str) {
        let book = ctx.book(SHARE);
        let middle = book.mid().map_or(0, |mid| mid.raw() / tick().raw());
        self.0.lock().unwrap().push((what, middle));
    }
}

impl Strategy for Noting {
    fn name(&self) -> &'static str {
        "noting"
    }

    fn on_start(&mut self, ctx: &mut dyn Context) {
        ctx.set_timer(TimerId(1), Nanos::from_millis(6));
    }

    fn on_book(&mut self, ctx: &mut dyn Context, instrument: InstrumentId) {
        self.note(ctx, "book");
        let best = ctx.book(instrument).best_price(Side::Buy).unwrap_or(Price::ZERO);
        let price = Price::from_raw(best.raw() - tick().raw());
        ctx.quote(instrument, &[Quote { price, qty: Qty::from_raw(100) }], &[]);
    }

    fn on_trade(&mut self, ctx: &mut dyn Context, _trade: &Trade) {
        self.note(ctx, "trade");
        let price = Price::from_raw(tick().raw() * 900);
        ctx.quote(SHARE, &[Quote { price, qty: Qty::from_raw(100) }], &[]);
    }

    fn on_order(&mut self, ctx: &mut dyn Context, _order: &OrderView) {
        self.note(ctx, "order");
    }

    fn on_timer(&mut self, ctx: &mut dyn Context, _timer: TimerId) {
        self.note(ctx, "timer");
    }

    fn hash_into(&self, _hasher: &mut StateHasher) {}
}

fn tick() -> Price {
    Instrument::share(0, "TLA").tick
}

fn settings(told: Told) -> TradingSettings {
    let limits = Limits {
        order_qty: Qty::from_raw(1_000),
        order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
        position: Qty::from_raw(2_000),
        collar_bps: 500,
        reference_age: Nanos::from_secs(5),
    };
    TradingSettings {
        limits: vec![Some(limits)],
        books: BookLimits { instruments: 1, orders: 0, levels: 256 },
        instruments: vec![Instrument::share(0, "TLA")],
        strategies: vec![StrategySetting {
            strategy: Box::new(Noting(told)),
            instruments: vec![SHARE],
        }],
        quoter: QuoterSettings::default(),
        messages: (10_000, 1_000),
        stale_after: Nanos::from_secs(60),
        answer_within: Nanos::from_secs(2),
        orders: 64,
        executions: 64,
        seed: 1,
        lockstep: false,
        shows_own_orders: false,
        venue: VenueRules::default(),
    }
}

/// A trading stage, and the ends of its rings that others have.
struct Rig {
    stage: TradingStage<NoTape>,
    events: Producer<Event>,
    reports: Producer<Report>,
    commands: Consumer<CommandSlot>,
    told: Told,
    now: Timestamp,
}

impl Rig {
    /// A stage whose strategy has a bid on its way below a book of 1,000 to 1,002 ticks.
    fn new() -> Rig {
        let told = Told::default();
        let (clock, _calibrator) = clock::calibrate();
        let (events, events_in) = ring::channel(RING_DEPTH);
        let (commands_in, commands) = ring::channel(trading_stage::COMMANDS_DEPTH);
        let (reports, reports_in) = ring::channel(trading_stage::REPORTS_DEPTH);
        let opening = OpeningState { epoch: 1, ..OpeningState::default() };
        let publish = RingPublish::new(commands_in, None);
        let stamps = LiveStamps::new(recorder::pair(clock).0);
        let start = Start { now: BEGIN, ..Start::default() };
        let trading = TradingLoop::new(settings(told.clone()), &opening);
        let driver = LoopDriver::start(trading, NoTape, publish, stamps, &start).unwrap();
        let (outbox, _) = mailbox(TradingSnapshot::new(1), TradingSnapshot::new(1));
        let (gate, lifecycle) = (Arc::new(Gate::default()), Arc::new(Lifecycle::default()));
        let links = Links { gate, lifecycle, stop: Arc::default(), outbox };
        let control = ring::channel(4).1;
        let inputs = Inputs { events: events_in, reports: reports_in, drop_copy: None, control };
        let stage = TradingStage::new(driver, inputs, Time::Clock, links);
        let mut rig = Rig { stage, events, reports, commands, told, now: BEGIN };
        rig.report(Report::new(ReportKind::SessionUp, OrderId::NONE, Event::ALL));
        rig.after(Nanos::ZERO);
        let asked = rig.commands.pop().expect("what is open").command;
        rig.report(Report::new(ReportKind::StatusDone, asked.id, asked.instrument));
        rig.level(Side::Buy, 1_000, false);
        rig.level(Side::Sell, 1_002, true);
        rig.after(Nanos::ZERO);
        assert_eq!(rig.told(), [("book", 1_001)]);
        rig
    }

    fn level(&mut self, side: Side, ticks: i64, last: bool) {
        let mut event = Event::new(EventKind::Level, SHARE).with_side(Some(side));
        event.price = Price::from_raw(tick().raw() * ticks);
        event.qty = Qty::from_raw(300);
        event.exchange_time = self.now;
        event.flags = if last { EventFlags::LAST } else { EventFlags::NONE };
        self.events.push(event).unwrap();
    }

    /// So many events of a packet in which the market falls: bids that are no longer there, but of its
    /// asks nothing yet.
    fn fall(&mut self, events: usize) {
        for ticks in 900..=900 + i64::try_from(events).unwrap() - 2 {
            self.level(Side::Buy, ticks, false);
        }
        let mut gone = Event::new(EventKind::Level, SHARE).with_side(Some(Side::Buy));
        gone.price = Price::from_raw(tick().raw() * 1_000);
        self.events.push(gone).unwrap();
    }

    fn report(&mut self, report: Report) {
        self.reports.push(report).unwrap();
    }

    /// The answer to the bid that was sent.
    fn accept(&mut self) {
        let said = std::iter::from_fn(|| self.commands.pop().map(|slot| slot.command));
        let bid = said.filter(|command| command.kind() == Some(CommandKind::New)).last();
        let command = bid.expect("a bid");
        let mut report = Report::new(ReportKind::Accepted, command.id, SHARE);
        (report.price, report.qty, report.leaves_qty) = (command.price, command.qty, command.qty);
        self.report(report.with_side(Side::Buy));
    }

    /// Polls as often as there can be something to do, so much later.
    fn after(&mut self, time: Nanos) {
        self.now = self.now.after(time);
        for _ in 0..8 {
            self.stage.poll(self.now);
        }
    }

    fn told(&self) -> Vec<(&'static str, i64)> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

#[test]
fn nothing_is_told_of_a_book_in_the_middle_of_a_packet() {
    let mut rig = Rig::new();
    rig.fall(EVENTS_MAX);
    rig.after(Nanos::ZERO);
    rig.accept();
    rig.after(Nanos::from_millis(7));
    assert_eq!(rig.told(), [], "the bids are new, the asks are old");
    rig.level(Side::Sell, 964, true);
    rig.after(Nanos::from_micros(1));
    assert_eq!(rig.told(), [("book", 963), ("timer", 963), ("order", 963)]);
}

/// What a strategy wants by a book in the middle of a packet is planned by what it wants at the end.
#[test]
fn nothing_is_sent_in_the_middle_of_a_packet() {
    let mut rig = Rig::new();
    rig.accept();
    rig.after(Nanos::ZERO);
    assert_eq!(rig.told(), [("order", 1_001)]);
    let mut trade = Event::new(EventKind::Trade, SHARE);
    (trade.price, trade.qty) = (tick(), Qty::from_raw(1));
    rig.events.push(trade).unwrap();
    rig.fall(EVENTS_MAX - 1);
    rig.after(Nanos::ZERO);
    assert_eq!(rig.told(), [("trade", 1_001)]);
    assert_eq!(rig.commands.pop().map(|slot| slot.command), None);
    rig.level(Side::Buy, 970, false);
    rig.level(Side::Sell, 980, true);
    rig.after(Nanos::ZERO);
    assert_eq!(rig.told(), [("book", 975)]);
    let command = rig.commands.pop().expect("the bid moves").command;
    assert_eq!(command.price.raw() / tick().raw(), 969);
}

#[test]
fn a_feed_that_stops_in_the_middle_of_a_packet_does_not_keep_reports() {
    let mut rig = Rig::new();
    rig.fall(EVENTS_MAX);
    rig.after(Nanos::ZERO);
    rig.accept();
    rig.after(Nanos::ZERO);
    assert_eq!(rig.told(), []);
    rig.after(Nanos::from_millis(20));
    let told = rig.told();
    assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), ["order", "timer"]);
}
