//! The market without us: best bid and ask of everyone else.
//!
//! A maker that is alone at the best price and computes its quotes from a mid that contains them
//! chases itself. Nothing here may count our own order as the market's.

use market::{InstrumentId, OrderState, Price, Side};

use crate::Context;

/// Levels looked at before a side is taken for empty.
const DEPTH: usize = 2 * crate::MAX_LEVELS;

/// Best prices of everyone else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// Best bid, if anyone bids.
    pub bid: Option<Price>,
    /// Best ask, if anyone offers.
    pub ask: Option<Price>,
}

impl Touch {
    /// The touch of an instrument; `None` when its book may not be quoted on.
    #[must_use]
    pub fn of(ctx: &dyn Context, id: InstrumentId) -> Option<Touch> {
        let quotable = ctx.book(id).state().may_quote();
        quotable.then(|| Touch { bid: best(ctx, id, Side::Buy), ask: best(ctx, id, Side::Sell) })
    }

    /// The best price of a side.
    #[must_use]
    pub const fn price(&self, side: Side) -> Option<Price> {
        match side {
            Side::Buy => self.bid,
            Side::Sell => self.ask,
        }
    }

    /// Halfway between the two, in price units; `None` when a side is empty.
    #[must_use]
    pub fn mid(&self) -> Option<f64> {
        Some((self.bid?.to_f64() + self.ask?.to_f64()) * 0.5)
    }
}

/// The first level that is not ours alone: one whose quantity differs from what we have there. More
/// means company; less means that the feed has not shown our order yet, or is ahead of a fill.
fn best(ctx: &dyn Context, id: InstrumentId, side: Side) -> Option<Price> {
    let book = ctx.book(id);
    for depth in 0..DEPTH {
        let level = book.level(side, depth)?;
        let mut ours: i64 = 0;
        if ctx.shows_own_orders(id) {
            ctx.orders(id, &mut |order| {
                if order.side == side
                    && order.price == level.price
                    && order.state != OrderState::PendingNew
                {
                    ours = ours.saturating_add(order.leaves.raw());
                }
            });
        }
        if level.qty.raw() != ours {
            return Some(level.price);
        }
    }
    None
}
