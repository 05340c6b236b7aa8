//! Instruments: what is traded, in which units, at what cost.

use crate::{InstrumentId, Money, Nanos, Price, Qty, Side, Timestamp};

/// How price and quantity make money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// Value = price × quantity × multiplier, in the quote currency (shares, spot, linear futures).
    /// The multiplier counts 1e-9.
    Linear {
        /// Units of the underlying per contract, × 1e-9.
        multiplier: i64,
    },
    /// Value = quantity × multiplier / price, in the base currency (coin-margined futures).
    Inverse {
        /// Quote currency per contract, × 1e-9.
        multiplier: i64,
    },
}

/// A share of notional value in 1e-9: 0.0001 (one basis point) is 100,000. Negative is a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Rate(pub i64);

/// Whether a fill gave or took liquidity (LastLiquidityInd, tag 851).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Liquidity {
    /// Our resting order was hit.
    Maker = 1,
    /// Our order crossed the book.
    Taker = 2,
}

impl Liquidity {
    /// The liquidity of a stored byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Liquidity> {
        match byte {
            1 => Some(Liquidity::Maker),
            2 => Some(Liquidity::Taker),
            _ => None,
        }
    }
}

/// Fees of an instrument, as shares of notional value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// For resting orders.
    pub maker: Rate,
    /// For crossing orders.
    pub taker: Rate,
}

/// Trading hours of a day in UTC; `open == close` means always open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// First nanosecond of the session.
    pub open: Nanos,
    /// First nanosecond after it; before `open` when the session passes midnight.
    pub close: Nanos,
}

impl Hours {
    /// True while the session is open.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        let time = now.time_of_day();
        match self.open.cmp(&self.close) {
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Less => self.open <= time && time < self.close,
            std::cmp::Ordering::Greater => time >= self.open || time < self.close,
        }
    }
}

/// Everything the engine must know of an instrument before it may quote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Index in the run's table.
    pub id: InstrumentId,
    /// The venue's symbol.
    pub symbol: String,
    /// Smallest price step, positive.
    pub tick: Price,
    /// Smallest quantity step, positive.
    pub lot: Qty,
    /// Fractional digits of quantities: s of [`Qty`], at most 9.
    pub qty_digits: u32,
    /// Lowest and highest price an order may have.
    pub price_bounds: (Price, Price),
    /// Smallest and largest quantity an order may have.
    pub qty_bounds: (Qty, Qty),
    /// What one fill is worth.
    pub contract: Contract,
    /// What is traded.
    pub base: String,
    /// What the price is in.
    pub quote: String,
    /// Maker and taker fees.
    pub fees: Fees,
    /// When it trades.
    pub hours: Hours,
}

/// The whole number at or below a float that counts ticks. Two instructions; that of the library is a
/// call on processors that it does not trust to round.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn floor(ticks: f64) -> i64 {
    let toward_zero = ticks as i64;
    toward_zero - i64::from(toward_zero as f64 > ticks)
}

/// Powers of ten up to 10^9.
const TENS: [i128; 1 + Qty::DIGITS_MAX as usize] = {
    let mut tens = [1; 1 + Qty::DIGITS_MAX as usize];
    let mut at = 1;
    while at < tens.len() {
        tens[at] = 10 * tens[at - 1];
        at += 1;
    }
    tens
};
const E9: i128 = 1_000_000_000;

/// Floats that stand within a millionth of a tick of a tick are that tick.
const NEAR: f64 = 1e-6;

impl Instrument {
    /// Value of `qty` at `price` in [`Instrument::settlement`], always positive for positive
    /// arguments; `None` on overflow or division by zero, which callers must treat as a refusal.
    #[must_use]
    pub fn value(&self, price: Price, qty: Qty) -> Option<Money> {
        let (price, qty) = (i128::from(price.raw()), i128::from(qty.raw()));
        let to_e9 = TENS[Qty::DIGITS_MAX.saturating_sub(self.qty_digits) as usize];
        match self.contract {
            Contract::Linear { multiplier } => {
                // 1e-9 × 10^-s, brought to 1e-18.
                let exact = price.checked_mul(qty)?.checked_mul(to_e9)?;
                if i128::from(multiplier) == E9 {
                    return Some(Money::from_raw(exact));
                }
                // The product may pass i128 where the value does not: split before it.
                let multiplier = i128::from(multiplier);
                let whole = (exact / E9).checked_mul(multiplier)?;
                whole.checked_add(exact % E9 * multiplier / E9).map(Money::from_raw)
            }
            Contract::Inverse { multiplier } => {
                // (1e-9 × 1e-9) / 1e-9 = 1e-9, brought to 1e-18 before the division.
                let contracts = qty.checked_mul(to_e9)?.checked_mul(i128::from(multiplier))?;
                contracts.checked_mul(E9)?.checked_div(price).map(Money::from_raw)
            }
        }
    }

    /// The currency of value, fees and profit: quote for linear, base for inverse contracts.
    #[must_use]
    pub fn settlement(&self) -> &str {
        match self.contract {
            Contract::Linear { .. } => &self.quote,
            Contract::Inverse { .. } => &self.base,
        }
    }

    /// What the venue charges for a fill; negative is a rebate. Rounded against us to 1e-9, so
    /// that the wire carries it exactly.
    #[must_use]
    pub fn fee(&self, price: Price, qty: Qty, liquidity: Liquidity) -> Option<Money> {
        let rate = i128::from(match liquidity {
            Liquidity::Maker => self.fees.maker.0,
            Liquidity::Taker => self.fees.taker.0,
        });
        let value = self.value(price, qty)?.abs().raw();
        // value × rate may pass 1.7e38; split so that the product stays exact.
        let (whole, rest) = (value / E9, value % E9);
        let exact = whole.checked_mul(rate)?.checked_add((rest * rate + E9 - 1).div_euclid(E9))?;
        let nano_units = exact.checked_add(E9 - 1)?.div_euclid(E9);
        nano_units.checked_mul(E9).map(Money::from_raw)
    }

    /// The highest tick at or below `price`, within bounds; `None` if it is not finite or below
    /// the lowest bound. A bid rounds away from the market.
    #[must_use]
    pub fn bid_at(&self, price: f64) -> Option<Price> {
        let tick = self.at_tick(floor(self.ticks(price)? + NEAR))?;
        let (low, high) = self.price_bounds;
        let tick = if tick > high { self.last_tick(high)? } else { tick };
        (tick >= low).then_some(tick)
    }

    /// The lowest tick at or above `price`, within bounds; `None` if it is not finite or above
    /// the highest bound. An ask rounds away from the market.
    #[must_use]
    pub fn ask_at(&self, price: f64) -> Option<Price> {
        let tick = self.at_tick(-floor(NEAR - self.ticks(price)?))?;
        let (low, high) = self.price_bounds;
        let tick = if tick < low { self.first_tick(low)? } else { tick };
        (tick <= high).then_some(tick)
    }

    /// `price` rounded away from the market on `side`.
    #[must_use]
    pub fn quote_at(&self, side: Side, price: f64) -> Option<Price> {
        match side {
            Side::Buy => self.bid_at(price),
            Side::Sell => self.ask_at(price),
        }
    }

    /// `price` in ticks, if a float can count them.
    fn ticks(&self, price: f64) -> Option<f64> {
        let ticks = price / self.tick.to_f64();
        (ticks.is_finite() && ticks.abs() < 9e15).then_some(ticks)
    }

    /// The price of a whole number of ticks.
    fn at_tick(&self, ticks: i64) -> Option<Price> {
        ticks.checked_mul(self.tick.raw()).map(Price::from_raw)
    }

    /// The highest tick at or below an exact price: a bound need not be a tick.
    fn last_tick(&self, price: Price) -> Option<Price> {
        let beyond = price.raw().checked_rem_euclid(self.tick.raw())?;
        price.raw().checked_sub(beyond).map(Price::from_raw)
    }

    /// The lowest tick at or above an exact price.
    fn first_tick(&self, price: Price) -> Option<Price> {
        let below = self.last_tick(price)?;
        if below == price { Some(price) } else { below.checked_add(self.tick) }
    }

    /// True if `price` is a multiple of the tick and within bounds.
    #[must_use]
    pub fn is_valid_price(&self, price: Price) -> bool {
        price.raw().checked_rem(self.tick.raw()) == Some(0)
            && self.price_bounds.0 <= price
            && price <= self.price_bounds.1
    }

    /// True if `qty` is a multiple of the lot and within bounds.
    #[must_use]
    pub fn is_valid_qty(&self, qty: Qty) -> bool {
        qty.raw().checked_rem(self.lot.raw()) == Some(0)
            && self.qty_bounds.0 <= qty
            && qty <= self.qty_bounds.1
    }

    /// Whole units as a quantity of this instrument; `None` when it does not fit.
    #[must_use]
    pub fn units(&self, units: i64) -> Option<Qty> {
        units.checked_mul(10i64.checked_pow(self.qty_digits)?).map(Qty::from_raw)
    }

    /// A share-like instrument for tests, examples and synthetic runs: tick 0.01, lot 1,
    /// quantities without fraction, linear, no fees, always open.
    #[must_use]
    pub fn share(id: u32, symbol: &str) -> Instrument {
        Instrument {
            id: InstrumentId(id),
            symbol: symbol.to_owned(),
            tick: Price::from_raw(10_000_000),
            lot: Qty::from_raw(1),
            qty_digits: 0,
            price_bounds: (Price::from_raw(10_000_000), Price::from_raw(199_999_990_000_000)),
            qty_bounds: (Qty::from_raw(1), Qty::from_raw(999_999)),
            contract: Contract::Linear { multiplier: 1_000_000_000 },
            base: symbol.to_owned(),
            quote: "USD".to_owned(),
            fees: Fees::default(),
            hours: Hours::default(),
        }
    }
}

#[cfg(test)]
mod tests;
