//! Random recordings and random orders of ours: the overlay fills what a slow, obvious twin fills.

use market::{
    Command, Event, EventFlags, EventKind, Instrument, InstrumentId, OrderId, Price, Qty,
    ReportKind, Rng, Side, TimeInForce, Timestamp,
};
use proptest::prelude::*;
use sim::{AccountId, ExchangeLimits, Overlay, Tape, Venue};

const ID: InstrumentId = InstrumentId(0);
const TICK: i64 = 10_000_000;

/// An order in arrival order. `ours` holds our id, recorded orders hold theirs.
#[derive(Clone, Copy)]
struct Order {
    ours: bool,
    id: u64,
    side: Side,
    ticks: i64,
    /// Displayed, for recorded orders.
    displayed: i64,
    /// What may still trade with us, or of ours.
    open: i64,
}

/// All orders, recorded and ours, in order of arrival. A fill is (our id, ticks, quantity).
#[derive(Default)]
struct Twin {
    orders: Vec<Order>,
    fills: Vec<(u64, i64, i64)>,
}

impl Twin {
    fn better(side: Side, a: i64, b: i64) -> bool {
        a * side.sign() > b * side.sign()
    }

    /// Index of the first order on `side` by price, then arrival, that `wanted` picks.
    fn first(&self, side: Side, wanted: impl Fn(&Order) -> bool) -> Option<usize> {
        let mut first: Option<usize> = None;
        for (at, order) in self.orders.iter().enumerate() {
            let candidate = order.side == side && order.open > 0 && wanted(order);
            if candidate
                && first.is_none_or(|f| Self::better(side, order.ticks, self.orders[f].ticks))
            {
                first = Some(at);
            }
        }
        first
    }

    /// Gives up to `demand` to ours on `side` that `reached` picks by (index, order).
    fn give(
        &mut self,
        side: Side,
        mut demand: i64,
        reached: impl Fn(usize, &Order) -> bool,
    ) -> i64 {
        let mut given = 0;
        while demand > 0 {
            let Some(at) = self.first(side, |order| order.ours) else { break };
            if !reached(at, &self.orders[at]) {
                break;
            }
            let order = &mut self.orders[at];
            let qty = demand.min(order.open);
            order.open -= qty;
            demand -= qty;
            given += qty;
            self.fills.push((order.id, order.ticks, qty));
        }
        given
    }

    fn add(&mut self, id: u64, side: Side, ticks: i64, qty: i64) {
        let reached = |_, ours: &Order| !Self::better(side, ours.ticks, ticks);
        let given = self.give(side.opposite(), qty, reached);
        let open = qty - given;
        self.orders.push(Order { ours: false, id, side, ticks, displayed: qty, open });
    }

    fn execute(&mut self, at: usize, qty: i64) {
        let order = self.orders[at];
        self.give(order.side, qty, |ours_at, ours| {
            Self::better(order.side, ours.ticks, order.ticks)
                || ours.ticks == order.ticks && ours_at < at
        });
        self.shrink(at, qty);
    }

    fn shrink(&mut self, at: usize, qty: i64) {
        let order = &mut self.orders[at];
        order.displayed -= qty;
        order.open = (order.open - qty).max(0);
        if order.displayed == 0 {
            self.orders.remove(at);
        }
    }

    /// Ours arrives: trades with all it crosses; one of ours in its way is canceled.
    fn arrive(&mut self, id: u64, side: Side, ticks: i64, mut qty: i64, rests: bool) {
        while qty > 0 {
            let Some(at) = self.first(side.opposite(), |_| true) else { break };
            // A buy reaches offers up to its price, a sell bids down to it.
            if Self::better(side, self.orders[at].ticks, ticks) {
                break;
            }
            if self.orders[at].ours {
                self.orders.remove(at);
                continue;
            }
            let order = &mut self.orders[at];
            let taken = qty.min(order.open);
            order.open -= taken;
            qty -= taken;
            self.fills.push((id, order.ticks, taken));
        }
        if rests && qty > 0 {
            self.orders.push(Order { ours: true, id, side, ticks, displayed: 0, open: qty });
        }
    }
}

struct Pair {
    overlay: Overlay,
    twin: Twin,
    tape: Tape,
    rng: Rng,
    now: u64,
    recorded: u64,
    ours: u64,
}

impl Pair {
    fn play(
        &mut self,
        kind: EventKind,
        order: u64,
        qty: i64,
        add: Option<(Side, i64)>,
        flags: EventFlags,
    ) {
        let mut event = Event::new(kind, ID).with_side(add.map(|add| add.0));
        (event.order, event.qty, event.flags) = (order, Qty::from_raw(qty), flags);
        event.price = Price::from_raw(add.map_or(0, |add| add.1) * TICK);
        self.overlay.recorded(&event, Timestamp::from_nanos(self.now), &mut self.tape);
    }

    /// A price around 100 on the usual side of it, sometimes beyond.
    fn terms(&mut self) -> (Side, i64, i64) {
        let side = if self.rng.chance(0.5) { Side::Buy } else { Side::Sell };
        let away = self.rng.below(8) as i64 - 2;
        (side, 100 - away * side.sign(), 1 + self.rng.below(9) as i64)
    }

    fn add(&mut self) {
        let (side, ticks, qty) = self.terms();
        self.recorded += 1;
        self.play(EventKind::Add, self.recorded, qty, Some((side, ticks)), EventFlags::NONE);
        self.twin.add(self.recorded, side, ticks, qty);
    }

    fn on_recorded(&mut self, at: usize) {
        let order = self.twin.orders[at];
        let qty = 1 + self.rng.below(order.displayed as u64) as i64;
        match self.rng.below(6) {
            0..3 => {
                self.play(EventKind::Execute, order.id, qty, None, EventFlags::NONE);
                self.twin.execute(at, qty);
            }
            3 => {
                self.play(EventKind::Reduce, order.id, qty, None, EventFlags::NONE);
                self.twin.shrink(at, qty);
            }
            4 => {
                self.play(EventKind::Delete, order.id, 0, None, EventFlags::NONE);
                self.twin.orders.remove(at);
            }
            _ => {
                let (_, ticks, qty) = self.terms();
                self.recorded += 1;
                self.play(EventKind::Delete, order.id, 0, None, EventFlags::REPLACE);
                self.twin.orders.remove(at);
                let mut second = Event::new(EventKind::Add, ID);
                (second.order, second.qty) = (self.recorded, Qty::from_raw(qty));
                (second.price, second.flags) = (Price::from_raw(ticks * TICK), EventFlags::REPLACE);
                self.overlay.recorded(&second, Timestamp::from_nanos(self.now), &mut self.tape);
                self.twin.add(self.recorded, order.side, ticks, qty);
            }
        }
    }

    fn hidden_trade(&mut self) {
        let (_, ticks, qty) = self.terms();
        let mut trade = Event::new(EventKind::Trade, ID);
        (trade.price, trade.qty) = (Price::from_raw(ticks * TICK), Qty::from_raw(qty));
        self.overlay.recorded(&trade, Timestamp::from_nanos(self.now), &mut self.tape);
        for side in Side::BOTH {
            self.twin.give(side, qty, |_, ours| Twin::better(side, ours.ticks, ticks));
        }
    }

    fn order_of_ours(&mut self) {
        let (side, ticks, qty) = self.terms();
        self.ours += 1;
        let rests = self.rng.chance(0.8);
        let price = Price::from_raw(ticks * TICK);
        let mut command = Command::new(OrderId(self.ours), ID, side, price, Qty::from_raw(qty));
        if !rests {
            command = command.with_time_in_force(TimeInForce::ImmediateOrCancel);
        }
        let now = Timestamp::from_nanos(self.now);
        self.overlay.command(AccountId(0), &command, now, &mut self.tape);
        self.twin.arrive(self.ours, side, ticks, qty, rests);
    }

    fn step(&mut self) {
        self.now += 1;
        self.tape.clear();
        self.twin.fills.clear();
        let count = self.twin.orders.len();
        match self.rng.below(10) {
            0..4 => self.add(),
            4..8 if count > 0 => {
                let at = self.rng.below(count as u64) as usize;
                if !self.twin.orders[at].ours {
                    self.on_recorded(at);
                }
            }
            8 => self.hidden_trade(),
            _ => self.order_of_ours(),
        }
        self.twin.orders.retain(|order| !order.ours || order.open > 0);
    }

    fn compare(&self) {
        let fills: Vec<_> = self
            .tape
            .reports
            .iter()
            .filter(|(_, report)| report.kind() == Some(ReportKind::Filled))
            .map(|(_, report)| (report.order.0, report.price.raw() / TICK, report.qty.raw()))
            .collect();
        assert_eq!(fills, self.twin.fills, "at step {}", self.now);
        let displayed = self.twin.orders.iter().filter(|order| !order.ours).count();
        assert_eq!(self.overlay.displayed(), displayed);
        let ours = self.twin.orders.len() - displayed;
        assert_eq!(self.overlay.open_orders(AccountId(0)), ours);
        assert_eq!(self.overlay.skipped(), sim::overlay::Skipped::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]
    #[test]
    fn equals_the_twin(seed in any::<u64>()) {
        let limits = ExchangeLimits { accounts: 1, orders: 4_096, ..Default::default() };
        let share = vec![Instrument::share(0, "X")];
        let overlay = Overlay::new(share, limits, Default::default(), Default::default()).unwrap();
        let (twin, tape, rng) = (Twin::default(), Tape::default(), Rng::new(seed));
        let mut pair = Pair { overlay, twin, tape, rng, now: 0, recorded: 0, ours: 0 };
        let mut filled = 0;
        for _ in 0..600 {
            pair.step();
            pair.compare();
            filled += pair.twin.fills.len();
        }
        prop_assert!(filled > 20, "the test trades");
    }
}
