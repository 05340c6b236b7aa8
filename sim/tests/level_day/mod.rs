//! A recorded day that tells levels, played by hand, with our orders in it. Prices are ticks of
//! 0.01.

use market::{
    Command, Event, EventFlags, EventKind, Instrument, InstrumentId, OrderId, Price, Qty,
    ReportKind, Side, TimeInForce, Timestamp,
};
use sim::{AccountId, ExchangeLimits, LevelOverlay, QueueModel, Tape, Venue};

pub(crate) const ID: InstrumentId = InstrumentId(0);
pub(crate) const US: AccountId = AccountId(0);

/// A recorded day being played, and what our orders got.
pub(crate) struct Day {
    pub(crate) overlay: LevelOverlay,
    pub(crate) tape: Tape,
    pub(crate) now: u64,
    pub(crate) ids: u64,
}

pub(crate) fn day(model: QueueModel) -> Day {
    let limits = ExchangeLimits {
        accounts: 1,
        orders: 256,
        orders_per_account: 128,
        levels: 16,
        id_runs: 16,
    };
    let instruments = vec![Instrument::share(0, "X"), Instrument::share(1, "Y")];
    let (policy, run) = Default::default();
    let overlay = LevelOverlay::new(instruments, limits, model, policy, run);
    Day { overlay: overlay.unwrap(), tape: Tape::default(), now: 0, ids: 0 }
}

pub(crate) fn at(ticks: i64) -> Price {
    Price::from_raw(ticks * 10_000_000)
}

/// An event that is a packet of its own.
pub(crate) fn event(kind: EventKind, side: Option<Side>, ticks: i64, qty: i64) -> Event {
    let event = Event { flags: EventFlags::LAST, ..Event::new(kind, ID).with_side(side) };
    Event { price: at(ticks), qty: Qty::from_raw(qty), ..event }
}

impl Day {
    pub(crate) fn play(&mut self, event: Event) {
        self.now += 1;
        self.overlay.recorded(&event, Timestamp::from_nanos(self.now), &mut self.tape);
    }
    pub(crate) fn level(&mut self, side: Side, ticks: i64, qty: i64) {
        self.play(event(EventKind::Level, Some(side), ticks, qty));
    }
    /// A trade with what rests on `resting`.
    pub(crate) fn trade(&mut self, resting: Side, ticks: i64, qty: i64) {
        self.play(event(EventKind::Trade, Some(resting), ticks, qty));
    }
    pub(crate) fn command(&mut self, command: Command) -> OrderId {
        self.now += 1;
        self.overlay.command(US, &command, Timestamp::from_nanos(self.now), &mut self.tape);
        command.id
    }
    pub(crate) fn order(&mut self, side: Side, ticks: i64, qty: i64) -> Command {
        self.ids += 1;
        Command::new(OrderId(self.ids), ID, side, at(ticks), Qty::from_raw(qty))
    }
    pub(crate) fn rest(&mut self, side: Side, ticks: i64, qty: i64) -> OrderId {
        let order = self.order(side, ticks, qty);
        self.command(order)
    }
    pub(crate) fn take(&mut self, side: Side, ticks: i64, qty: i64) -> OrderId {
        let order = self.order(side, ticks, qty);
        self.command(order.with_time_in_force(TimeInForce::ImmediateOrCancel))
    }
    pub(crate) fn ahead(&self, order: OrderId) -> i64 {
        self.overlay.ahead(US, order).unwrap().raw()
    }
    /// Fills since last asked: order, quantity, ticks.
    pub(crate) fn fills(&mut self) -> Vec<(u64, i64, i64)> {
        let filled = self.tape.reports.iter().map(|(_, report)| report);
        let fills = filled
            .filter(|report| report.kind() == Some(ReportKind::Filled))
            .map(|report| (report.order.0, report.qty.raw(), report.price.raw() / 10_000_000))
            .collect();
        assert!(self.tape.events.is_empty(), "the overlay publishes nothing");
        self.tape.clear();
        fills
    }
}
