//! The [`Strategy`] trait: the occasions on which a strategy is asked.
//!
//! A strategy sees the world only through its [`Context`] and keeps its own state. It must never
//! read a clock, a file or a socket, draw unseeded random numbers, or allocate after `on_start`:
//! the same inputs must give the same quotes live, replayed and backtested.

use crate::{Context, ParameterError, Parameters};
use market::{
    Instrument, InstrumentId, Liquidity, OrderId, OrderView, Price, Qty, Side, StateHasher, Trade,
};

/// Names a timer; the strategy chooses the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct TimerId(pub u32);

/// One of the strategy's orders traded. The position of the context counts it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Which order.
    pub order: OrderId,
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Side of the order.
    pub side: Side,
    /// Price of this fill.
    pub price: Price,
    /// Quantity of this fill.
    pub qty: Qty,
    /// What of the order may still trade.
    pub leaves: Qty,
    /// Whether it gave or took liquidity, where the venue says.
    pub liquidity: Option<Liquidity>,
}

/// A trading strategy: one instance quotes one set of instruments on one account.
///
/// Occasions within one packet come in the order `on_trade`, then `on_book`. The occasions that
/// mean trouble take orders off the market unless a strategy knows better.
pub trait Strategy: Send {
    /// Its name in the table of built-ins, in journals and in reports.
    fn name(&self) -> &'static str;

    /// How many of the best levels of a side its quotes depend on: [`Strategy::on_book`] is left out
    /// for packets that changed only levels behind these. Never changes during a run.
    fn levels(&self) -> usize {
        usize::MAX
    }

    /// Whether its parameters can bring an order of this instrument. Asked before a run begins: a
    /// strategy that would never quote is refused, and not found out in the market.
    ///
    /// # Errors
    /// [`ParameterError`]: what to change.
    fn fits(&self, instrument: &Instrument) -> Result<(), ParameterError> {
        let _ = instrument;
        Ok(())
    }

    /// Once, before anything else: the place to set timers and size tables.
    fn on_start(&mut self, ctx: &mut dyn Context) {
        let _ = ctx;
    }

    /// A trade of the market, before the book of the same packet.
    fn on_trade(&mut self, ctx: &mut dyn Context, trade: &Trade) {
        let _ = (ctx, trade);
    }

    /// A packet touched the book of `instrument` within [`Strategy::levels`]; it is consistent now.
    /// Once per packet and instrument. The book may be in a state that forbids quoting: ask it.
    fn on_book(&mut self, ctx: &mut dyn Context, instrument: InstrumentId);

    /// One of its orders traded.
    fn on_fill(&mut self, ctx: &mut dyn Context, fill: &Fill) {
        let _ = (ctx, fill);
    }

    /// Any other change of one of its orders, rejects included.
    fn on_order(&mut self, ctx: &mut dyn Context, order: &OrderView) {
        let _ = (ctx, order);
    }

    /// A timer set with [`Context::set_timer`] is due.
    fn on_timer(&mut self, ctx: &mut dyn Context, timer: TimerId) {
        let _ = (ctx, timer);
    }

    /// An operator changed parameters; they are valid by the strategy's own table.
    fn on_parameters(&mut self, ctx: &mut dyn Context, parameters: &Parameters) {
        let _ = (ctx, parameters);
    }

    /// The order session was lost.
    fn on_disconnect(&mut self, ctx: &mut dyn Context) {
        ctx.cancel_all();
    }

    /// The book of `instrument` may no longer be quoted on.
    fn on_halt(&mut self, ctx: &mut dyn Context, instrument: InstrumentId) {
        ctx.withdraw(instrument);
    }

    /// The run ends.
    fn on_stop(&mut self, ctx: &mut dyn Context) {
        ctx.cancel_all();
    }

    /// Adds every field that can change a later decision to `hasher`.
    fn hash_into(&self, hasher: &mut StateHasher);
}
