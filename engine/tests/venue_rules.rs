//! What the loop does at a venue that changes no orders, names open orders one by one only, or has no
//! mass cancel.

use engine::trading::desk::Session;
use engine::trading::risk::Limits;
use engine::trading::{
    Control, ControlKind, OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules,
};
use market::book::BookLimits;
use market::{
    Command, CommandKind, Event, EventFlags, EventKind, Instrument, InstrumentId, Money, Nanos,
    OrderId, OrderState, Price, Qty, RejectReason, Report, ReportKind, Side, StateHasher,
    Timestamp,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use strategies::{Context, Quote, QuoterSettings, Strategy};

const ID: InstrumentId = InstrumentId(0);
const QTY: Qty = Qty::from_raw(100);

/// Bids at the price it is told, in ticks.
struct Bidder(Arc<AtomicI64>);

impl Strategy for Bidder {
    fn name(&self) -> &'static str {
        "bidder"
    }
    fn on_book(&mut self, ctx: &mut dyn Context, id: InstrumentId) {
        let price = Price::from_raw(self.0.load(Ordering::Relaxed) * 10_000_000);
        ctx.quote(id, &[Quote { price, qty: QTY }], &[]);
    }
    fn hash_into(&self, _: &mut StateHasher) {}
}

struct Desk {
    trading: TradingLoop,
    price: Arc<AtomicI64>,
    now: Timestamp,
    orders: u64,
}

/// Long after the time that stands for "never".
const BEGIN: Timestamp = Timestamp::from_nanos(1_752_758_200_000_000_000);

impl Desk {
    /// A desk that has seen a book, and whose session is down.
    fn new(venue: VenueRules) -> Desk {
        let price = Arc::new(AtomicI64::new(1_000));
        let limits = Limits {
            order_qty: QTY,
            order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
            position: Qty::from_raw(1_000),
            collar_bps: 5_000,
            reference_age: Nanos::from_secs(60),
        };
        let settings = TradingSettings {
            instruments: vec![Instrument::share(0, "ARL")],
            limits: vec![Some(limits)],
            strategies: vec![StrategySetting {
                strategy: Box::new(Bidder(Arc::clone(&price))),
                instruments: vec![ID],
            }],
            quoter: QuoterSettings::default(),
            books: BookLimits { instruments: 1, orders: 100, levels: 50 },
            messages: (1_000, 1_000),
            stale_after: Nanos::from_secs(60),
            answer_within: Nanos::from_secs(2),
            orders: 16,
            executions: 16,
            seed: 1,
            lockstep: false,
            shows_own_orders: true,
            venue,
        };
        let opening = OpeningState { epoch: 1, ..OpeningState::default() };
        let trading = TradingLoop::new(settings, &opening);
        let mut desk = Desk { trading, price, now: BEGIN, orders: 0 };
        assert!(desk.book().is_empty(), "nothing is sent while the session is down");
        desk
    }

    /// The book changes; what the loop then sends.
    fn book(&mut self) -> Vec<Command> {
        self.now = self.now.after(Nanos::from_millis(100));
        self.orders += 2;
        let add = |order, side, ticks: i64| {
            let price = Price::from_raw(ticks * 10_000_000);
            Event { order, price, qty: QTY, ..Event::new(EventKind::Add, ID) }.with_side(Some(side))
        };
        let mut last = add(self.orders, Side::Sell, 1_011);
        last.flags = last.flags.with(EventFlags::LAST);
        let packet = [add(self.orders - 1, Side::Buy, 1_005), last];
        let mut sent = Vec::new();
        self.trading.on_packet(self.now, &packet, &mut |command: &Command| {
            sent.push(*command);
            true
        });
        sent
    }

    /// The venue says something; what the loop then sends.
    fn hear(&mut self, report: &Report) -> Vec<Command> {
        self.now = self.now.after(Nanos::from_millis(100));
        let mut sent = Vec::new();
        self.trading.on_report(self.now, report, &mut |command: &Command| {
            sent.push(*command);
            true
        });
        sent
    }

    fn say(&mut self, kind: ReportKind, order: OrderId) -> Vec<Command> {
        let mut report = Report::new(kind, order, ID).with_side(Side::Buy);
        let price = Price::from_raw(self.price.load(Ordering::Relaxed) * 10_000_000);
        (report.price, report.qty, report.leaves_qty) = (price, QTY, QTY);
        self.hear(&report)
    }

    fn session(&mut self, kind: ReportKind) -> Vec<Command> {
        self.hear(&Report::new(kind, OrderId::NONE, Event::ALL))
    }
}

fn kinds(sent: &[Command]) -> Vec<CommandKind> {
    sent.iter().filter_map(Command::kind).collect()
}

#[test]
fn an_order_that_cannot_be_replaced_is_canceled_and_sent_anew() {
    let mut desk = Desk::new(VenueRules { replaces: false, asks_each_order: true });
    // No order is open: there is nothing to ask, and quoting begins.
    let sent = desk.session(ReportKind::SessionUp);
    assert_eq!(desk.trading.session(), Session::Ready);
    let sent = if sent.is_empty() { desk.book() } else { sent };
    assert_eq!(kinds(&sent), [CommandKind::New]);
    let order = sent[0].id;
    desk.say(ReportKind::Accepted, order);
    desk.price.store(990, Ordering::Relaxed);
    let moved = desk.book();
    assert_eq!(kinds(&moved), [CommandKind::Cancel]);
    assert_eq!(moved[0].target, order);
    let anew = desk.say(ReportKind::Canceled, order);
    assert_eq!(kinds(&anew), [CommandKind::New]);
    assert_eq!(anew[0].price, Price::from_raw(990 * 10_000_000));
}

#[test]
fn each_order_that_may_be_open_is_asked_about() {
    let mut desk = Desk::new(VenueRules { replaces: true, asks_each_order: true });
    let sent = desk.session(ReportKind::SessionUp);
    let sent = if sent.is_empty() { desk.book() } else { sent };
    let order = sent[0].id;
    desk.say(ReportKind::Accepted, order);
    for (answer, open) in [(ReportKind::Status, true), (ReportKind::Rejected, false)] {
        desk.session(ReportKind::SessionDown);
        let asked = desk.session(ReportKind::SessionUp);
        assert_eq!(kinds(&asked), [CommandKind::Status]);
        assert_eq!((asked[0].target, asked[0].side()), (order, Some(Side::Buy)));
        assert_eq!(desk.trading.session(), Session::Reconciling);
        desk.say(answer, order);
        assert_eq!(desk.trading.session(), Session::Ready, "{answer:?}");
        let orders = desk.trading.account().orders();
        let held = orders.find(order).is_some_and(|slot| orders.get(slot).state.is_open());
        assert_eq!(held, open, "{answer:?}");
    }
}

/// A desk whose replace was under way when the session was lost, with the ids before and after it.
/// The venue is asked by the first.
fn replacing() -> (Desk, OrderId, OrderId) {
    let mut desk = Desk::new(VenueRules { replaces: true, asks_each_order: true });
    let sent = desk.session(ReportKind::SessionUp);
    let sent = if sent.is_empty() { desk.book() } else { sent };
    let old = sent[0].id;
    desk.say(ReportKind::Accepted, old);
    desk.price.store(990, Ordering::Relaxed);
    let moved = desk.book();
    assert_eq!(kinds(&moved), [CommandKind::Replace]);
    let new = moved[0].id;
    desk.session(ReportKind::SessionDown);
    assert_eq!(about(&desk.session(ReportKind::SessionUp)), [old]);
    (desk, old, new)
}

/// An order may fill while the question about it is on its way.
#[test]
fn an_order_that_is_not_known_since_it_has_just_filled_is_no_trouble() {
    let (mut desk, old, new) = replacing();
    let mut fill = Report::new(ReportKind::Filled, new, ID).with_side(Side::Buy);
    (fill.price, fill.qty, fill.cum_qty) = (Price::from_raw(990 * 10_000_000), QTY, QTY);
    fill.target = old;
    desk.hear(&fill);
    desk.say(ReportKind::Rejected, old);
    assert_eq!(desk.trading.session(), Session::Ready);
    assert_eq!(desk.trading.account().positions()[0].net, QTY.raw());
    assert_eq!((desk.trading.counters().illegal_moves, desk.trading.is_halted(ID)), (0, false));
}

/// What is asked about, and nothing else is sent.
fn about(sent: &[Command]) -> Vec<OrderId> {
    assert!(sent.iter().all(|command| command.kind() == Some(CommandKind::Status)), "{sent:?}");
    sent.iter().map(|command| command.target).collect()
}

#[test]
fn an_order_whose_replace_was_lost_lives_on_by_its_new_id() {
    let (mut desk, old, new) = replacing();
    assert_eq!(about(&desk.say(ReportKind::Rejected, old)), [new]);
    assert_eq!(desk.trading.session(), Session::Reconciling);
    assert_eq!(desk.trading.account().exposure(ID, None).open_buy, QTY.raw());
    // Asked twice, as after a gap fill, it is told twice.
    assert_eq!(about(&desk.say(ReportKind::Rejected, old)), []);
    assert!(!desk.trading.is_halted(ID));
    // Not every status has price and quantity: they are those of the replace.
    let mut open = Report::new(ReportKind::Status, new, ID).with_side(Side::Buy);
    open.leaves_qty = QTY;
    assert_eq!(kinds(&desk.hear(&open)), []);
    assert_eq!(desk.trading.session(), Session::Ready);
    let orders = desk.trading.account().orders();
    let order = orders.get(orders.find(new).unwrap());
    assert_eq!((order.id, order.state, order.qty), (new, OrderState::Live, QTY));
    assert_eq!(order.price, Price::from_raw(990 * 10_000_000));
    desk.price.store(991, Ordering::Relaxed);
    let moved = desk.book();
    assert_eq!((kinds(&moved), moved[0].target), (vec![CommandKind::Replace], new));
}

#[test]
fn an_order_that_the_venue_knows_by_neither_id_is_gone() {
    let (mut desk, old, new) = replacing();
    desk.say(ReportKind::Rejected, old);
    desk.say(ReportKind::Rejected, new);
    assert_eq!(desk.trading.session(), Session::Ready);
    assert_eq!(desk.trading.account().orders().open_count(), 0);
    assert_eq!(desk.trading.account().exposure(ID, None).open_buy, 0);
}

#[test]
fn a_replace_that_never_came_leaves_the_order_by_its_old_id() {
    let (mut desk, old, new) = replacing();
    // Whoever is told that the new id is not known has lost no order.
    assert_eq!(about(&desk.say(ReportKind::Rejected, new)), []);
    assert_eq!(desk.trading.session(), Session::Reconciling);
    desk.say(ReportKind::Status, old);
    assert_eq!(desk.trading.session(), Session::Ready);
    let orders = desk.trading.account().orders();
    assert_eq!((orders.open_count(), orders.find(new)), (1, None));
    assert_eq!(orders.get(orders.find(old).unwrap()).id, old);
}

#[test]
fn orders_are_canceled_one_by_one_where_there_is_no_mass_cancel() {
    let mut desk = Desk::new(VenueRules::default());
    let asked = desk.session(ReportKind::SessionUp);
    assert_eq!(kinds(&asked), [CommandKind::MassStatus]);
    let sent = desk.say(ReportKind::StatusDone, asked[0].id);
    let sent = if sent.is_empty() { desk.book() } else { sent };
    let order = sent[0].id;
    desk.say(ReportKind::Accepted, order);
    let kill = Control::new(ControlKind::Kill, "risk", "test");
    let mut killed = Vec::new();
    desk.trading.on_control(desk.now, &kill, &mut |command: &Command| {
        killed.push(*command);
        true
    });
    assert_eq!(kinds(&killed), [CommandKind::MassCancel]);
    // The gateway has no message for it.
    let mut unsent = Report::new(ReportKind::NotSent, killed[0].id, Event::ALL);
    unsent = unsent.with_reason(RejectReason::Malformed);
    let single = desk.hear(&unsent);
    assert_eq!(kinds(&single), [CommandKind::Cancel]);
    assert_eq!(single[0].target, order);
}

#[test]
fn a_fill_beyond_the_order_halts_the_instrument() {
    let mut desk = Desk::new(VenueRules { replaces: true, asks_each_order: true });
    let sent = desk.session(ReportKind::SessionUp);
    let sent = if sent.is_empty() { desk.book() } else { sent };
    let order = sent[0].id;
    desk.say(ReportKind::Accepted, order);
    let mut fill = Report::new(ReportKind::Filled, order, ID).with_side(Side::Buy);
    (fill.price, fill.qty, fill.cum_qty) = (sent[0].price, Qty::from_raw(101), Qty::from_raw(101));
    desk.hear(&fill);
    assert!(desk.trading.is_halted(ID), "more than was ordered");
}
