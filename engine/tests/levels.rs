//! A strategy that watches the best levels is asked about these and nothing behind them, but for what
//! else may change what becomes of its wish: a book that may be quoted on again, a refusal of risk.

use engine::trading::{OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules};
use market::book::BookLimits;
use market::{
    Command, Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, OrderId, Price, Qty,
    Report, ReportKind, Side, StateHasher, Timestamp,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use strategies::{Context, Quote, QuoterSettings, Strategy};

const ID: InstrumentId = InstrumentId(0);

/// Counts how often it is asked about a book.
struct Listener {
    levels: usize,
    asked: Arc<AtomicUsize>,
}

impl Strategy for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }
    fn levels(&self) -> usize {
        self.levels
    }
    /// Wants a bid that nobody allows: there are no limits.
    fn on_book(&mut self, ctx: &mut dyn Context, id: InstrumentId) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let quote = Quote { price: Price::from_raw(50_000_000), qty: Qty::from_raw(100) };
        ctx.quote(id, &[quote], &[]);
    }
    fn hash_into(&self, _: &mut StateHasher) {}
}

struct Desk {
    trading: TradingLoop,
    asked: Arc<AtomicUsize>,
    now: Timestamp,
}

impl Desk {
    fn new(levels: usize) -> Desk {
        let asked = Arc::new(AtomicUsize::new(0));
        let settings = TradingSettings {
            instruments: vec![Instrument::share(0, "ARL")],
            limits: vec![None],
            strategies: vec![StrategySetting {
                strategy: Box::new(Listener { levels, asked: Arc::clone(&asked) }),
                instruments: vec![ID],
            }],
            quoter: QuoterSettings::default(),
            books: BookLimits { instruments: 1, orders: 100, levels: 50 },
            messages: (100, 100),
            stale_after: Nanos::from_secs(5),
            answer_within: Nanos::from_secs(2),
            orders: 16,
            executions: 16,
            seed: 1,
            lockstep: false,
            shows_own_orders: true,
            venue: VenueRules::default(),
        };
        let trading = TradingLoop::new(settings, &OpeningState::default());
        Desk { trading, asked, now: Timestamp::ZERO }
    }

    /// The order session comes up, and the venue holds no order.
    fn log_on(&mut self) {
        let mut asked = OrderId::NONE;
        let up = Report::new(ReportKind::SessionUp, OrderId::NONE, Event::ALL);
        self.trading.on_report(self.now, &up, &mut |command: &Command| {
            asked = command.id;
            true
        });
        let done = Report::new(ReportKind::StatusDone, asked, Event::ALL);
        self.trading.on_report(self.now, &done, &mut |_: &Command| true);
    }

    /// How often the strategy was asked about these events, a packet of them.
    fn asked(&mut self, events: &[Event]) -> usize {
        let mut packet = events.to_vec();
        let last = packet.last_mut().unwrap();
        last.flags = last.flags.with(EventFlags::LAST);
        self.part(&packet)
    }

    /// The same without an end: more of the packet is to come.
    fn part(&mut self, events: &[Event]) -> usize {
        self.now = self.now.after(Nanos::from_millis(1));
        self.trading.on_packet(self.now, events, &mut |_: &Command| true);
        self.asked.swap(0, Ordering::Relaxed)
    }
}

/// An order of `side` with the id and the price `ticks`.
fn add(order: u64, side: Side, ticks: i64) -> Event {
    let (price, qty) = (Price::from_raw(ticks * 10_000_000), Qty::from_raw(100));
    Event { order, price, qty, ..Event::new(EventKind::Add, ID) }.with_side(Some(side))
}

fn on(kind: EventKind, order: u64, qty: i64) -> Event {
    Event { order, qty: Qty::from_raw(qty), ..Event::new(kind, ID) }
}

/// Bids at 10, 9, 8 … and asks at 11, 12, 13 …: orders 1 to 5 and 11 to 15.
fn book() -> Vec<Event> {
    (0..5)
        .flat_map(|n| {
            [add(n + 1, Side::Buy, 10 - n as i64), add(n + 11, Side::Sell, 11 + n as i64)]
        })
        .collect()
}

#[test]
fn only_watched_levels_are_news() {
    let mut desk = Desk::new(2);
    assert_eq!(desk.asked(&book()), 1, "a book that may be quoted on for the first time");
    for (event, asked, what) in [
        (add(21, Side::Buy, 8), 0, "a third level"),
        (add(22, Side::Sell, 20), 0, "far behind"),
        (on(EventKind::Reduce, 21, 50), 0, "less at the third level"),
        (on(EventKind::Delete, 4, 0), 0, "a level behind goes"),
        (add(23, Side::Buy, 9), 1, "more at the second level"),
        (on(EventKind::Execute, 1, 40), 1, "less at the best"),
        (on(EventKind::Delete, 12, 0), 1, "the second level goes, and the third moves up"),
        (on(EventKind::Delete, 14, 0), 0, "what is third now"),
    ] {
        assert_eq!(desk.asked(&[event]), asked, "{what}");
    }
    let far_then_near = [add(31, Side::Sell, 30), add(32, Side::Sell, 11)];
    assert_eq!(desk.asked(&far_then_near), 1, "one near change in a packet is enough, and once");
    assert_eq!(desk.asked(&[add(33, Side::Sell, 31)]), 0, "and is forgotten after it");
}

#[test]
fn a_book_that_may_be_quoted_on_again_is_news() {
    let mut desk = Desk::new(2);
    desk.asked(&book());
    let all = |kind| Event::new(kind, Event::ALL);
    assert_eq!(desk.asked(&[all(EventKind::Gap)]), 0, "a halt is told otherwise");
    assert_eq!(desk.asked(&[add(21, Side::Buy, 3)]), 0);
    assert_eq!(desk.asked(&[all(EventKind::Recovered)]), 1);
}

#[test]
fn a_wish_that_risk_refused_may_be_granted_at_any_news() {
    let mut desk = Desk::new(2);
    desk.asked(&book());
    assert_eq!(
        desk.asked(&[add(21, Side::Buy, 3)]),
        0,
        "nothing is refused before there is a session"
    );
    desk.log_on();
    desk.asked(&[add(22, Side::Buy, 10)]);
    assert!(desk.trading.counters().breaches.iter().sum::<u64>() > 0, "the bid must be refused");
    assert_eq!(desk.asked(&[add(23, Side::Buy, 3)]), 1);
}

#[test]
fn a_change_in_a_part_of_a_packet_is_told_with_the_rest() {
    let mut desk = Desk::new(2);
    desk.asked(&book());
    assert_eq!(desk.part(&[add(21, Side::Buy, 10)]), 0);
    assert_eq!(desk.asked(&[add(22, Side::Sell, 30)]), 1);
}

#[test]
fn who_names_no_levels_hears_of_everything() {
    let mut desk = Desk::new(usize::MAX);
    desk.asked(&book());
    assert_eq!(desk.asked(&[add(21, Side::Buy, 2)]), 1);
    let trade = Event { price: Price::from_raw(100_000_000), ..on(EventKind::Trade, 0, 10) };
    assert_eq!(desk.asked(&[trade]), 1, "a trade that no book shows");
}
