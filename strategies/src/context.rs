//! The [`Context`]: all that a strategy sees and all that it can do.
//!
//! The engine's trading loop implements it. Nothing here
//! may let a strategy reach a clock, a socket or another strategy's orders.

use crate::TimerId;
use market::{
    BookView, Instrument, InstrumentId, Nanos, OrderId, OrderState, OrderView, Position, Price,
    Qty, Side, TimeInForce, Timestamp,
};

/// One level of a wanted quote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Limit price, on tick.
    pub price: Price,
    /// Quantity to show, on lot.
    pub qty: Qty,
}

/// A limit order that a strategy sends itself, past the quoter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Limit price.
    pub price: Price,
    /// Quantity.
    pub qty: Qty,
    /// How long it lives.
    pub time_in_force: TimeInForce,
    /// Rejected by the venue rather than take liquidity.
    pub post_only: bool,
}

/// Why an act of a strategy was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The named risk check forbids it.
    Risk(&'static str),
    /// No open order of this strategy has the id.
    UnknownOrder,
    /// A request on the order is in flight: wait for its answer.
    InFlight,
    /// The instrument is not quoted by this strategy.
    NotQuoted,
    /// The venue changes no orders: cancel and submit.
    NoReplace,
    /// The order session is down.
    NoSession,
    /// The order table or the ring to the gateway is full.
    Full,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Refused::Risk(check) => return write!(f, "the risk check `{check}` forbids it"),
            Refused::UnknownOrder => "no open order of this strategy has this id",
            Refused::InFlight => "a request on this order is in flight: wait for its answer",
            Refused::NotQuoted => "this strategy does not quote the instrument: add it to its list",
            Refused::NoReplace => "the venue changes no orders: cancel it and submit another",
            Refused::NoSession => "the order session is down: wait until it is up",
            Refused::Full => "no room for another order: raise the capacity of the order table",
        })
    }
}

impl std::error::Error for Refused {}

/// What a strategy sees and does. Reading allocates nothing.
///
/// There are two ways to have orders. **Wants**: [`Context::quote`] states which quotes should
/// stand, and the quoter finds the fewest commands. **Acts**: [`Context::submit`],
/// [`Context::replace`] and [`Context::cancel`] send one command each.
///
/// An instrument is in one of the two ways at a time. From a `submit` that is not refused on, no
/// quote is wanted there any more and the quoter leaves every open order alone; from the next `quote`
/// or `withdraw` on, it takes every open order for a quote. Whichever way, a kill, a halt, a stop and
/// the end of the hours cancel what is open; so does, for orders of acts, a book that is not Live.
pub trait Context {
    /// Time of the input being handled.
    fn now(&self) -> Timestamp;

    /// The instruments this strategy quotes; never changes during a run.
    fn instruments(&self) -> &[InstrumentId];

    /// Tick, lot, bounds, contract, fees and hours of an instrument.
    fn instrument(&self, id: InstrumentId) -> &Instrument;

    /// The book of an instrument.
    fn book(&self, id: InstrumentId) -> &dyn BookView;

    /// What the account holds of an instrument.
    fn position(&self, id: InstrumentId) -> &Position;

    /// Visits the strategy's open orders of an instrument, oldest first.
    fn orders(&self, id: InstrumentId, visit: &mut dyn FnMut(&OrderView));

    /// What the strategy's own orders show at a price: all that rests there, what awaits its first
    /// answer left out.
    fn resting(&self, id: InstrumentId, side: Side, price: Price) -> Qty {
        let mut resting = Qty::ZERO;
        self.orders(id, &mut |order| {
            if order.side == side && order.price == price && order.state != OrderState::PendingNew {
                resting = Qty::from_raw(resting.raw().saturating_add(order.leaves.raw()));
            }
        });
        resting
    }

    /// True if the feed shows our own orders in the book, as an exchange's does. False where our
    /// orders lie in an overlay over a recorded stream.
    fn shows_own_orders(&self, id: InstrumentId) -> bool {
        let _ = id;
        true
    }

    /// 64 seeded random bits.
    fn random(&mut self) -> u64;

    /// Calls `on_timer` with `timer` after `after`; setting it again moves it.
    fn set_timer(&mut self, timer: TimerId, after: Nanos);

    /// Wants exactly these quotes from now on, instead of what was wanted before. Valid are at
    /// most [`crate::MAX_LEVELS`] levels a side, on tick and lot, with every bid below every ask;
    /// anything else is counted as refused and withdraws the instrument.
    fn quote(&mut self, id: InstrumentId, bids: &[Quote], asks: &[Quote]);

    /// Wants no quotes.
    fn withdraw(&mut self, id: InstrumentId) {
        self.quote(id, &[], &[]);
    }

    /// Wants no quotes in any instrument, and cancels every open order of this strategy.
    fn cancel_all(&mut self);

    /// Sends a new order; the quoter leaves the instrument alone until the next quote or withdrawal.
    ///
    /// # Errors
    /// [`Refused`]; nothing was sent then.
    fn submit(&mut self, order: NewOrder) -> Result<OrderId, Refused>;

    /// Changes an order to a new price and total quantity, filled part included, and gives back
    /// the id that it will have.
    ///
    /// # Errors
    /// [`Refused`]; nothing was sent then.
    fn replace(&mut self, id: OrderId, price: Price, qty: Qty) -> Result<OrderId, Refused>;

    /// Cancels an order.
    ///
    /// # Errors
    /// [`Refused`]; nothing was sent then.
    fn cancel(&mut self, id: OrderId) -> Result<(), Refused>;
}
