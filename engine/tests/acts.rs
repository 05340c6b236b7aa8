//! A strategy that sends its orders itself (`submit`, `replace`, `cancel`): the quoter leaves them
//! alone while they may stand, and every reason to have none in the market takes them off all the same.

use engine::trading::risk::Limits;
use engine::trading::{
    Control, ControlKind, OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules,
};
use market::book::BookLimits;
use market::{
    Command, CommandKind, Event, EventFlags, EventKind, ExecId, Instrument, InstrumentId, Money,
    Nanos, OrderId, Price, Qty, Report, ReportKind, Side, StateHasher, TimeInForce, Timestamp,
    TradingStatus,
};
use std::sync::{Arc, Mutex};
use strategies::{Context, NewOrder, Quote, QuoterSettings, Strategy};

const ID: InstrumentId = InstrumentId(0);
const QTY: Qty = Qty::from_raw(100);
const BID: Price = Price::from_raw(10_000_000_000);
const BEGIN: Timestamp = Timestamp::from_nanos(1_752_758_200_000_000_000);

/// What a test has the strategy do at the next news of the book.
#[derive(Clone, Copy)]
enum Act {
    Submit,
    Replace(Price),
    Cancel,
    Quote(Price),
    Withdraw,
}

/// Does what it is told, and knows better than to withdraw in trouble.
struct Actor {
    acts: Arc<Mutex<Vec<Act>>>,
    order: OrderId,
}

impl Strategy for Actor {
    fn name(&self) -> &'static str {
        "actor"
    }
    fn on_book(&mut self, ctx: &mut dyn Context, instrument: InstrumentId) {
        for act in self.acts.lock().unwrap().drain(..) {
            match act {
                Act::Submit => {
                    let (time_in_force, post_only) = (TimeInForce::Day, true);
                    let (side, price, qty) = (Side::Buy, BID, QTY);
                    let order = NewOrder { instrument, side, price, qty, time_in_force, post_only };
                    self.order = ctx.submit(order).unwrap();
                }
                Act::Replace(price) => self.order = ctx.replace(self.order, price, QTY).unwrap(),
                Act::Cancel => ctx.cancel(self.order).unwrap(),
                Act::Quote(price) => ctx.quote(instrument, &[Quote { price, qty: QTY }], &[]),
                Act::Withdraw => ctx.withdraw(instrument),
            }
        }
    }
    fn on_disconnect(&mut self, _: &mut dyn Context) {}
    fn on_halt(&mut self, _: &mut dyn Context, _: InstrumentId) {}
    fn on_stop(&mut self, _: &mut dyn Context) {}
    fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.order.0);
    }
}

struct Desk {
    trading: TradingLoop,
    acts: Arc<Mutex<Vec<Act>>>,
    now: Timestamp,
    orders: u64,
    sent: Vec<Command>,
}

impl Desk {
    /// A desk that may trade until `close`, if it is not zero.
    fn new(close: Nanos) -> Desk {
        let acts = Arc::new(Mutex::new(Vec::new()));
        let limits = Limits {
            order_qty: QTY,
            order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
            position: Qty::from_raw(1_000),
            collar_bps: 5_000,
            reference_age: Nanos::from_secs(600),
        };
        let mut instrument = Instrument::share(0, "ARL");
        instrument.hours.close = close;
        let settings = TradingSettings {
            instruments: vec![instrument],
            limits: vec![Some(limits)],
            strategies: vec![StrategySetting {
                strategy: Box::new(Actor { acts: Arc::clone(&acts), order: OrderId::NONE }),
                instruments: vec![ID],
            }],
            quoter: QuoterSettings::default(),
            books: BookLimits { instruments: 1, orders: 100, levels: 50 },
            messages: (1_000, 1_000),
            stale_after: Nanos::from_secs(30),
            answer_within: Nanos::from_secs(2),
            orders: 16,
            executions: 16,
            seed: 1,
            lockstep: false,
            shows_own_orders: true,
            venue: VenueRules { replaces: true, asks_each_order: true },
        };
        let opening = OpeningState { epoch: 1, ..OpeningState::default() };
        let trading = TradingLoop::new(settings, &opening);
        let mut desk = Desk { trading, acts, now: BEGIN, orders: 0, sent: Vec::new() };
        desk.trading.on_start(BEGIN, &mut |_: &Command| true);
        // No order is open: there is nothing to ask, and the session is ready.
        desk.session(ReportKind::SessionUp);
        desk.book();
        assert_eq!(desk.sent(), [], "nothing is wanted");
        desk
    }

    /// A desk whose order rests at the venue.
    fn resting(close: Nanos) -> (Desk, OrderId) {
        let mut desk = Desk::new(close);
        desk.does(&[Act::Submit]);
        let sent = desk.sent();
        assert_eq!(kinds(&sent), [CommandKind::New]);
        desk.say(ReportKind::Accepted, sent[0].id);
        (desk, sent[0].id)
    }

    fn packet(&mut self, events: &[Event]) {
        let mut packet = events.to_vec();
        if let Some(last) = packet.last_mut() {
            last.flags = last.flags.with(EventFlags::LAST);
        }
        let (now, sent) = (self.now, &mut self.sent);
        self.trading.on_packet(now, &packet, &mut |command: &Command| {
            sent.push(*command);
            true
        });
    }

    /// The book changes.
    fn book(&mut self) {
        self.now = self.now.after(Nanos::from_millis(100));
        self.orders += 2;
        let add = |order, side, ticks: i64| {
            let price = Price::from_raw(ticks * 10_000_000);
            Event { order, price, qty: QTY, ..Event::new(EventKind::Add, ID) }.with_side(Some(side))
        };
        let orders = self.orders;
        self.packet(&[add(orders - 1, Side::Buy, 1_005), add(orders, Side::Sell, 1_011)]);
    }

    fn does(&mut self, acts: &[Act]) {
        self.acts.lock().unwrap().extend(acts);
        self.book();
        assert!(self.acts.lock().unwrap().is_empty(), "it has heard of the book");
    }

    fn hear(&mut self, report: &Report) {
        self.now = self.now.after(Nanos::from_millis(100));
        let (now, sent) = (self.now, &mut self.sent);
        self.trading.on_report(now, report, &mut |command: &Command| {
            sent.push(*command);
            true
        });
    }

    fn say(&mut self, kind: ReportKind, order: OrderId) {
        let mut report = Report::new(kind, order, ID).with_side(Side::Buy);
        (report.price, report.qty, report.leaves_qty) = (BID, QTY, QTY);
        self.hear(&report);
    }

    fn session(&mut self, kind: ReportKind) {
        self.hear(&Report::new(kind, OrderId::NONE, Event::ALL));
    }

    fn control(&mut self, kind: ControlKind) {
        let (now, sent) = (self.now, &mut self.sent);
        let control = Control::new(kind, "Ada", "drill");
        self.trading.on_control(now, &control, &mut |command: &Command| {
            sent.push(*command);
            true
        });
    }

    /// Time goes by; the loop's timers fire.
    fn wait(&mut self, seconds: u64) {
        let until = self.now.after(Nanos::from_secs(seconds));
        while self.trading.next_due() <= until {
            self.now = self.now.max(self.trading.next_due());
            let (now, sent) = (self.now, &mut self.sent);
            self.trading.on_timers(now, &mut |command: &Command| {
                sent.push(*command);
                true
            });
        }
        self.now = until;
    }

    /// What was sent since this was last asked.
    fn sent(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.sent)
    }
}

fn kinds(sent: &[Command]) -> Vec<CommandKind> {
    sent.iter().filter_map(Command::kind).collect()
}

#[test]
fn an_order_of_an_act_rests_until_the_strategy_says_otherwise() {
    let (mut desk, order) = Desk::resting(Nanos::ZERO);
    for _ in 0..5 {
        desk.book();
        desk.wait(1);
    }
    let mut fill = Report::new(ReportKind::Filled, order, ID).with_side(Side::Buy);
    (fill.price, fill.qty, fill.exec) = (BID, Qty::from_raw(40), ExecId([0, 1]));
    (fill.cum_qty, fill.leaves_qty) = (Qty::from_raw(40), Qty::from_raw(60));
    desk.hear(&fill);
    desk.book();
    assert_eq!(desk.sent(), [], "it is neither canceled nor filled up");

    desk.does(&[Act::Replace(Price::from_raw(9_990_000_000))]);
    let replaced = desk.sent();
    assert_eq!(kinds(&replaced), [CommandKind::Replace]);
    let mut report = Report::new(ReportKind::Replaced, replaced[0].id, ID).with_side(Side::Buy);
    (report.price, report.qty, report.target) = (replaced[0].price, QTY, order);
    (report.cum_qty, report.leaves_qty) = (Qty::from_raw(40), Qty::from_raw(60));
    desk.hear(&report);
    desk.book();
    assert_eq!(desk.sent(), []);
    desk.does(&[Act::Cancel]);
    assert_eq!(kinds(&desk.sent()), [CommandKind::Cancel]);
    assert!(!desk.trading.is_halted(ID));
}

#[test]
fn orders_of_acts_outlive_a_lost_session_where_the_strategy_knows_better() {
    let (mut desk, order) = Desk::resting(Nanos::ZERO);
    desk.session(ReportKind::SessionDown);
    desk.session(ReportKind::SessionUp);
    assert_eq!(kinds(&desk.sent()), [CommandKind::Status]);
    desk.say(ReportKind::Status, order);
    desk.book();
    assert_eq!(desk.sent(), []);
}

#[test]
fn the_next_quote_or_withdrawal_hands_them_to_the_quoter() {
    let lower = Price::from_raw(9_900_000_000);
    for (act, expected) in [
        (Act::Withdraw, vec![CommandKind::Cancel]),
        (Act::Quote(BID), vec![]),
        (Act::Quote(lower), vec![CommandKind::Replace]),
    ] {
        let (mut desk, order) = Desk::resting(Nanos::ZERO);
        desk.does(&[act]);
        let sent = desk.sent();
        assert_eq!(kinds(&sent), expected);
        assert!(sent.iter().all(|command| command.target == order));
    }
    // And the other way round: nothing is wanted any more, and the quote is left alone.
    let mut desk = Desk::new(Nanos::ZERO);
    desk.does(&[Act::Quote(lower)]);
    let quote = desk.sent()[0].id;
    desk.say(ReportKind::Accepted, quote);
    desk.does(&[Act::Submit]);
    assert_eq!(kinds(&desk.sent()), [CommandKind::New]);
    desk.say(ReportKind::Canceled, quote);
    desk.book();
    assert_eq!(desk.sent(), [], "the quote is not sent anew");
    desk.does(&[Act::Quote(lower)]);
    assert_eq!(desk.sent().len(), 0, "the order awaits its answer, in the place of the quote");
}

type Trouble = fn(&mut Desk);

/// What takes every order off the market, by name.
fn troubles() -> Vec<(&'static str, Trouble)> {
    vec![
        ("kill", |desk| desk.control(ControlKind::Kill)),
        ("stop", |desk| desk.control(ControlKind::Stop)),
        ("halt", |desk| desk.session(ReportKind::Unreadable)),
        ("session close", |desk| desk.session(ReportKind::SessionClosing)),
        ("gap", |desk| desk.packet(&[Event::new(EventKind::Gap, ID)])),
        ("suspect book", |desk| {
            let mut stray = Event::new(EventKind::Delete, ID);
            stray.order = 999_999;
            desk.packet(&[stray]);
        }),
        ("halted book", |desk| {
            let mut status = Event::new(EventKind::Status, ID);
            status.aux = TradingStatus::Halted as u32;
            desk.packet(&[status]);
        }),
        ("stale book", |desk| desk.wait(31)),
    ]
}

#[test]
fn every_reason_to_have_no_orders_takes_those_of_acts_off_too() {
    for (name, trouble) in troubles() {
        let (mut desk, order) = Desk::resting(Nanos::ZERO);
        trouble(&mut desk);
        let sent = desk.sent();
        let off = |command: &Command| match command.kind() {
            Some(CommandKind::Cancel) => command.target == order,
            kind => kind == Some(CommandKind::MassCancel),
        };
        assert!(sent.iter().any(off), "{name}: {sent:?}");
        // Where a mass cancel is not answered, one by one.
        desk.wait(3);
        let single =
            |command: &Command| command.kind() == Some(CommandKind::Cancel) && off(command);
        let later = desk.sent();
        assert!(sent.iter().chain(&later).any(single), "{name}: {sent:?}, {later:?}");
    }
}

#[test]
fn the_end_of_the_trading_hours_takes_them_off() {
    let (mut desk, order) = Desk::resting(BEGIN.after(Nanos::from_secs(5)).time_of_day());
    desk.wait(4);
    assert_eq!(desk.sent(), []);
    desk.wait(5);
    let sent = desk.sent();
    assert!(kinds(&sent).contains(&CommandKind::MassCancel), "{sent:?}");
    assert!(sent.iter().any(|command| command.target == order), "{sent:?}");
}
