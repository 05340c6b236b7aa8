//! The market without us: best bid and ask of everyone else.
//!
//! A maker that is alone at the best price and computes its quotes from a mid that contains them
//! chases itself. Nothing here may count our own order as the market's.

use market::{InstrumentId, Price, Qty, Side};

use crate::Context;

/// Levels looked at before a side is taken for empty. A maker of one level a side has one order there,
/// and seldom a second on its way.
pub const LEVELS: usize = 4;

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
    let shown = ctx.shows_own_orders(id);
    (0..LEVELS).map_while(|depth| book.level(side, depth)).find_map(|level| {
        let ours = if shown { ctx.resting(id, side, level.price) } else { Qty::ZERO };
        (level.qty != ours).then_some(level.price)
    })
}
