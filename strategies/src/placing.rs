//! From float prices to valid quotes: rounding, post-only distance, order size, inventory limit.
//!
//! The last step of every built-in strategy. It must never let through a price or quantity that
//! the instrument forbids, nor a quote that would take liquidity or pass the inventory limit.

use crate::touch::Touch;
use crate::{Context, ParameterError, Quote};
use market::{Instrument, InstrumentId, Position, Price, Qty, Side, StateHasher};

/// Size of orders and limit of inventory, as every built-in strategy understands them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizing {
    /// Quantity of an order in whole units.
    pub size: f64,
    /// Most of inventory, in order sizes.
    pub max_inventory: f64,
}

impl Sizing {
    /// Position in order sizes.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn inventory(&self, instrument: &Instrument, position: &Position) -> f64 {
        Qty::from_raw(position.net).to_f64(instrument.qty_digits) / self.size
    }

    /// What a quote on `side` may show at `inventory`: a whole order, less if the limit is near,
    /// `None` at the limit.
    #[must_use]
    pub fn qty(&self, instrument: &Instrument, side: Side, inventory: f64) -> Option<Qty> {
        let held = if side == Side::Buy { inventory } else { -inventory };
        let orders = (self.max_inventory - held).min(1.0);
        lots(instrument, orders * self.size)
    }

    /// Whether a whole order may be sent; `key` names the size in an error.
    ///
    /// # Errors
    /// [`ParameterError::TooSmall`].
    pub fn fits(&self, key: &'static str, instrument: &Instrument) -> Result<(), ParameterError> {
        if lots(instrument, self.size).is_some() {
            return Ok(());
        }
        let (low, lot) = (instrument.qty_bounds.0.raw().max(1), instrument.lot.raw().max(1));
        let smallest = Qty::from_raw((low - 1) / lot * lot + lot).to_f64(instrument.qty_digits);
        let symbol = instrument.symbol.as_str().to_owned();
        Err(ParameterError::TooSmall { key, size: self.size, symbol, smallest })
    }

    /// Adds both to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.size.to_bits());
        hasher.word(self.max_inventory.to_bits());
    }
}

/// `units` whole units, rounded down to lots within bounds; `None` below the smallest order.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn lots(instrument: &Instrument, units: f64) -> Option<Qty> {
    let lot = instrument.lot.to_f64(instrument.qty_digits);
    // A millionth of a lot is rounding of the float, as for ticks.
    let lots = units / lot + 1e-6;
    let (low, high) = instrument.qty_bounds;
    if !(1.0..9e15).contains(&lots) {
        return None;
    }
    // What is positive is rounded down by the cast.
    let qty = Qty::from_raw((lots as i64).checked_mul(instrument.lot.raw())?).min(high);
    (qty >= low).then_some(qty)
}

/// Quotes one level a side at `bid` and `ask`, in price units: rounded away from the market, a tick
/// clear of the other side of `touch`, in the size that the inventory allows. Withdraws when a
/// price is not finite.
pub fn place(
    ctx: &mut dyn Context,
    id: InstrumentId,
    touch: &Touch,
    bid: f64,
    ask: f64,
    sizing: &Sizing,
) {
    if !bid.is_finite() || !ask.is_finite() {
        return ctx.withdraw(id);
    }
    let instrument = ctx.instrument(id);
    let bid = instrument.quote_at(Side::Buy, bid);
    let ask = instrument.quote_at(Side::Sell, ask);
    quote(ctx, id, touch, bid, ask, sizing);
}

/// The same at prices of the book. Most are valid as they are; another maker's may be off tick or out
/// of bounds, and is rounded like a float.
pub fn place_at(
    ctx: &mut dyn Context,
    id: InstrumentId,
    touch: &Touch,
    bid: Price,
    ask: Price,
    sizing: &Sizing,
) {
    let instrument = ctx.instrument(id);
    let valid = |side, price: Price| {
        if instrument.is_valid_price(price) {
            Some(price)
        } else {
            instrument.quote_at(side, price.to_f64())
        }
    };
    let (bid, ask) = (valid(Side::Buy, bid), valid(Side::Sell, ask));
    quote(ctx, id, touch, bid, ask, sizing);
}

fn quote(
    ctx: &mut dyn Context,
    id: InstrumentId,
    touch: &Touch,
    bid: Option<Price>,
    ask: Option<Price>,
    sizing: &Sizing,
) {
    let instrument = ctx.instrument(id);
    let inventory = sizing.inventory(instrument, ctx.position(id));
    let quote = |side: Side, wanted: Option<Price>| {
        let clear = clear_of(instrument, side, touch.price(side.opposite())?)?;
        let price = wanted?;
        let price = if side.is_better(price, clear) { clear } else { price };
        let qty = sizing.qty(instrument, side, inventory)?;
        instrument.is_valid_price(price).then_some(Quote { price, qty })
    };
    let (bid, ask) = (quote(Side::Buy, bid), quote(Side::Sell, ask));
    ctx.quote(id, bid.as_slice(), ask.as_slice());
}

/// The best price that a quote on `side` may have without trading with `opposite`.
fn clear_of(instrument: &Instrument, side: Side, opposite: Price) -> Option<Price> {
    match side {
        Side::Buy => opposite.checked_sub(instrument.tick),
        Side::Sell => opposite.checked_add(instrument.tick),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_smallest_order_fits_and_what_is_below_it_does_not(
            lot in 1i64..5_000,
            low in 1i64..20_000,
            part in 0.01..0.99f64,
        ) {
            let qty_bounds = (Qty::from_raw(low), Qty::from_raw(1_000_000));
            let lot = Qty::from_raw(lot);
            let instrument = Instrument { lot, qty_bounds, qty_digits: 3, ..Instrument::share(0, "TEST") };
            let sizing = |size| Sizing { size, max_inventory: 10.0 };
            let error = sizing(1e-9).fits("size", &instrument).unwrap_err();
            let ParameterError::TooSmall { smallest, .. } = error else { panic!("{error}") };
            prop_assert_eq!(sizing(smallest).fits("size", &instrument), Ok(()));
            let whole = sizing(smallest).qty(&instrument, Side::Buy, 0.0).unwrap();
            prop_assert_eq!(whole.to_f64(3), smallest);
            let below = smallest - lot.to_f64(3) * part;
            prop_assert!(sizing(below).fits("size", &instrument).is_err());
        }
    }
}
