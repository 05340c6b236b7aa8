//! An order of ours: what the engine keeps, and what a strategy may see of it.

use crate::{
    InstrumentId, OrderId, OrderState, Price, Qty, Side, StateHasher, Timestamp, VenueOrderId,
};

/// One order of ours. The engine owns it; `market` gives it its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The id by which the venue knows it now (changes with every replace).
    pub id: OrderId,
    /// The request in flight, or [`OrderId::NONE`].
    pub request: OrderId,
    /// The venue's own id, once told.
    pub venue_order: VenueOrderId,
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Where it stands.
    pub state: OrderState,
    /// Limit price.
    pub price: Price,
    /// Total quantity, filled part included.
    pub qty: Qty,
    /// Filled so far.
    pub cum_qty: Qty,
    /// Price asked for by the replace in flight.
    pub pending_price: Price,
    /// Total quantity asked for by the replace in flight; zero when there is none.
    pub pending_qty: Qty,
    /// When the last request on it was sent.
    pub sent: Timestamp,
    /// When it last became Live at its price.
    pub since: Timestamp,
}

impl Order {
    /// What may still trade at the present terms: never negative.
    #[must_use]
    pub fn leaves(&self) -> Qty {
        less(self.qty, self.cum_qty)
    }

    /// The most that may still trade, whichever way the request in flight ends.
    #[must_use]
    pub fn worst_leaves(&self) -> Qty {
        if !self.state.is_open() {
            return Qty::ZERO;
        }
        self.leaves().max(less(self.pending_qty, self.cum_qty))
    }

    /// What a strategy may see.
    #[must_use]
    pub fn view(&self) -> OrderView {
        OrderView {
            id: self.id,
            instrument: self.instrument,
            side: self.side,
            state: self.state,
            price: self.price,
            pending_price: (self.pending_qty.raw() > 0).then_some(self.pending_price),
            leaves: self.leaves(),
            cum_qty: self.cum_qty,
            since: self.since,
        }
    }

    /// Adds everything that decides to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for word in [
            self.id.0,
            self.request.0,
            self.venue_order.0[0],
            self.venue_order.0[1],
            u64::from(self.instrument.0),
            self.side as u64,
            self.state as u64,
            self.price.raw().cast_unsigned(),
            self.qty.raw().cast_unsigned(),
            self.cum_qty.raw().cast_unsigned(),
            self.pending_price.raw().cast_unsigned(),
            self.pending_qty.raw().cast_unsigned(),
            self.sent.nanos(),
            self.since.nanos(),
        ] {
            hasher.word(word);
        }
    }
}

/// What remains of `qty`, never negative, whatever a venue claims to have filled.
fn less(qty: Qty, filled: Qty) -> Qty {
    Qty::from_raw(qty.raw().saturating_sub(filled.raw()).max(0))
}

/// What a strategy sees of one of its open orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// Id to name it by in `replace` and `cancel`.
    pub id: OrderId,
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Where it stands.
    pub state: OrderState,
    /// Limit price.
    pub price: Price,
    /// Limit price asked for by a replace in flight.
    pub pending_price: Option<Price>,
    /// What may still trade.
    pub leaves: Qty,
    /// Filled so far.
    pub cum_qty: Qty,
    /// When it last became Live at its price.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_the_worst_of_both_terms() {
        let mut order = Order {
            id: OrderId(1),
            request: OrderId::NONE,
            venue_order: VenueOrderId::NONE,
            instrument: InstrumentId(0),
            side: Side::Buy,
            state: OrderState::Live,
            price: Price::ONE,
            qty: Qty::from_raw(10),
            cum_qty: Qty::from_raw(4),
            pending_price: Price::ZERO,
            pending_qty: Qty::ZERO,
            sent: Timestamp::default(),
            since: Timestamp::default(),
        };
        assert_eq!((order.leaves().raw(), order.worst_leaves().raw()), (6, 6));
        order.pending_qty = Qty::from_raw(15);
        assert_eq!((order.leaves().raw(), order.worst_leaves().raw()), (6, 11));
        order.cum_qty = Qty::from_raw(20);
        assert_eq!((order.leaves(), order.worst_leaves()), (Qty::ZERO, Qty::ZERO));
        order.cum_qty = Qty::from_raw(i64::MIN);
        assert_eq!(order.leaves().raw(), i64::MAX);
        order.state = OrderState::Canceled;
        assert_eq!(order.worst_leaves(), Qty::ZERO);
    }
}
