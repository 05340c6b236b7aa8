//! A recorded day played by hand, with our orders in it.

use market::{
    Command, Event, EventFlags, EventKind, Instrument, InstrumentId, OrderId, Price, Qty,
    RejectReason, ReportKind, Side, TimeInForce, Timestamp, TradingStatus,
};
use sim::{AccountId, ExchangeLimits, Overlay, SelfTradePolicy, Tape, Venue};

pub(crate) const ID: InstrumentId = InstrumentId(0);
pub(crate) const US: AccountId = AccountId(0);
pub(crate) const OTHERS: AccountId = AccountId(1);

/// A recorded day being played, and what our orders got.
pub(crate) struct Day {
    pub(crate) overlay: Overlay,
    pub(crate) tape: Tape,
    pub(crate) now: u64,
    pub(crate) ids: u64,
}

pub(crate) fn day() -> Day {
    let limits = ExchangeLimits { orders: 64, orders_per_account: 32, ..Default::default() };
    let overlay = Overlay::new(
        vec![Instrument::share(0, "X"), Instrument::share(1, "Y")],
        limits,
        SelfTradePolicy::CancelResting,
        Default::default(),
    );
    Day { overlay: overlay.unwrap(), tape: Tape::default(), now: 0, ids: 0 }
}

pub(crate) fn event(kind: EventKind, order: u64, qty: i64) -> Event {
    let mut event = Event::new(kind, ID);
    event.order = order;
    event.qty = Qty::from_raw(qty);
    event
}

pub(crate) fn at(ticks: i64) -> Price {
    Price::from_raw(ticks * 10_000_000)
}

impl Day {
    pub(crate) fn play(&mut self, event: Event) {
        self.now += 1;
        self.overlay.recorded(&event, Timestamp::from_nanos(self.now), &mut self.tape);
    }
    pub(crate) fn add(&mut self, order: u64, side: Side, ticks: i64, qty: i64) {
        let mut added = event(EventKind::Add, order, qty).with_side(Some(side));
        added.price = at(ticks);
        self.play(added);
    }
    pub(crate) fn execute(&mut self, order: u64, qty: i64) {
        self.play(event(EventKind::Execute, order, qty));
    }
    pub(crate) fn execute_flagged(&mut self, order: u64, qty: i64, ticks: i64, flags: EventFlags) {
        let mut executed = event(EventKind::Execute, order, qty);
        (executed.price, executed.flags) = (at(ticks), flags);
        self.play(executed);
    }
    pub(crate) fn reduce(&mut self, order: u64, qty: i64) {
        self.play(event(EventKind::Reduce, order, qty));
    }
    pub(crate) fn delete(&mut self, order: u64) {
        self.play(event(EventKind::Delete, order, 0));
    }
    /// As ITCH has it: the second half tells no side.
    pub(crate) fn replace(&mut self, old: u64, new: u64, ticks: i64, qty: i64) {
        let mut first = event(EventKind::Delete, old, 0);
        first.flags = EventFlags::REPLACE;
        self.play(first);
        let mut second = event(EventKind::Add, new, qty);
        (second.price, second.flags) = (at(ticks), EventFlags::REPLACE);
        self.play(second);
    }
    pub(crate) fn trade(&mut self, ticks: i64, qty: i64, flags: EventFlags) {
        let mut trade = event(EventKind::Trade, 1, qty);
        (trade.price, trade.flags) = (at(ticks), flags);
        self.play(trade);
    }
    pub(crate) fn status(&mut self, status: TradingStatus) {
        let mut event = event(EventKind::Status, 0, 0);
        event.aux = status as u32;
        self.play(event);
    }
    pub(crate) fn command(&mut self, account: AccountId, command: Command) -> OrderId {
        self.now += 1;
        self.overlay.command(account, &command, Timestamp::from_nanos(self.now), &mut self.tape);
        command.id
    }
    pub(crate) fn order(&mut self, side: Side, ticks: i64, qty: i64) -> Command {
        self.ids += 1;
        Command::new(OrderId(self.ids), ID, side, at(ticks), Qty::from_raw(qty))
    }
    pub(crate) fn rest(&mut self, side: Side, ticks: i64, qty: i64) -> OrderId {
        let order = self.order(side, ticks, qty);
        self.command(US, order)
    }
    pub(crate) fn take(&mut self, side: Side, ticks: i64, qty: i64) -> OrderId {
        let order = self.order(side, ticks, qty);
        self.command(US, order.with_time_in_force(TimeInForce::ImmediateOrCancel))
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
    pub(crate) fn last_reason(&self) -> RejectReason {
        self.tape.reports.last().unwrap().1.reason()
    }
}
