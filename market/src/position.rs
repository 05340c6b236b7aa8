//! Position and profit of one instrument, exact, in its contract's own settlement currency.

use crate::{Contract, Instrument, Money, Price, Qty, Side, StateHasher};

/// What an account holds of one instrument and what it made. `realised + marked(mark)` is always
/// exactly the sum of all cash flows plus the value of what is held: rounding of the average cost
/// only moves amounts between the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Held: positive long, negative short, in the instrument's quantity units.
    pub net: i64,
    /// Bought in total.
    pub bought: i64,
    /// Sold in total.
    pub sold: i64,
    /// Fills counted.
    pub fills: u64,
    /// Signed entry value of what is held: positive when long a linear contract.
    pub cost: Money,
    /// Profit of what was closed, before fees.
    pub realised: Money,
    /// Fees paid; negative when rebates prevail.
    pub fees: Money,
    /// Value traded in total.
    pub volume: Money,
    /// Sum over fills of the distance to the mid price at the time, in our favour.
    pub spread_captured: Money,
}

/// An amount beyond the range of exact arithmetic: the fill was not counted, and the instrument
/// must be halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

impl Position {
    /// Counts a fill. `mid` is the mid price the engine saw at the time.
    ///
    /// # Errors
    /// [`Overflow`]; nothing was changed then.
    pub fn on_fill(
        &mut self,
        instrument: &Instrument,
        side: Side,
        price: Price,
        qty: Qty,
        fee: Money,
        mid: Option<Price>,
    ) -> Result<(), Overflow> {
        let signed = qty.raw().checked_mul(side.sign()).ok_or(Overflow)?;
        let value = instrument.value(price, qty).ok_or(Overflow)?;
        let mut next = *self;
        next.net = self.net.checked_add(signed).ok_or(Overflow)?;
        match side {
            Side::Buy => next.bought = self.bought.checked_add(qty.raw()).ok_or(Overflow)?,
            Side::Sell => next.sold = self.sold.checked_add(qty.raw()).ok_or(Overflow)?,
        }
        next.fills += 1;
        next.fees = sum(self.fees, fee)?;
        next.volume = sum(self.volume, value.abs())?;
        if let Some(at_mid) = mid.and_then(|mid| instrument.value(mid, qty)) {
            let captured = signed_value(instrument, side, at_mid - value);
            next.spread_captured = sum(self.spread_captured, captured)?;
        }
        let opened = signed_value(instrument, side, value);
        if self.net == 0 || (self.net > 0) == (signed > 0) {
            next.cost = sum(self.cost, opened)?;
        } else {
            let closing = signed.unsigned_abs().min(self.net.unsigned_abs());
            let closed_cost = share(self.cost, closing, self.net.unsigned_abs())?;
            let closed_value = share(opened, closing, signed.unsigned_abs())?;
            next.realised = sum(self.realised, -sum(closed_cost, closed_value)?)?;
            next.cost = sum(sum(self.cost, -closed_cost)?, sum(opened, -closed_value)?)?;
        }
        *self = next;
        Ok(())
    }

    /// Profit of what is held if closed at `mark`; `None` when it overflows. Nothing held is worth
    /// nothing at any mark.
    #[must_use]
    pub fn marked(&self, instrument: &Instrument, mark: Price) -> Option<Money> {
        if self.net == 0 {
            return Some(-self.cost);
        }
        let side = if self.net < 0 { Side::Sell } else { Side::Buy };
        let value = instrument.value(mark, Qty::from_raw(self.net.checked_abs()?))?;
        signed_value(instrument, side, value).checked_sub(self.cost)
    }

    /// Realised and marked profit less fees; `None` when it overflows.
    #[must_use]
    pub fn total(&self, instrument: &Instrument, mark: Price) -> Option<Money> {
        self.realised.checked_add(self.marked(instrument, mark)?)?.checked_sub(self.fees)
    }

    /// Adds everything to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for word in [self.net, self.bought, self.sold] {
            hasher.word(word.cast_unsigned());
        }
        hasher.word(self.fills);
        for money in [self.cost, self.realised, self.fees, self.volume, self.spread_captured] {
            hasher.wide(money.raw());
        }
    }
}

/// Long is positive for linear contracts and negative for inverse ones, whose value falls as the
/// price rises: so profit is always (exit − entry) of the signed value.
fn signed_value(instrument: &Instrument, side: Side, value: Money) -> Money {
    let linear = matches!(instrument.contract, Contract::Linear { .. });
    if linear == (side == Side::Buy) { value } else { -value }
}

/// An exact sum: amounts of a position never saturate.
fn sum(one: Money, other: Money) -> Result<Money, Overflow> {
    one.checked_add(other).ok_or(Overflow)
}

/// `part`/`whole` of `amount`, rounded toward zero.
fn share(amount: Money, part: u64, whole: u64) -> Result<Money, Overflow> {
    if part == whole {
        return Ok(amount);
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    if whole == 0 {
        return Err(Overflow);
    }
    // amount × part may pass i128: split into quotient and remainder.
    let (quotient, remainder) = (amount.raw() / whole, amount.raw() % whole);
    let scaled = quotient.checked_mul(part).ok_or(Overflow)?;
    let rest = remainder.checked_mul(part).ok_or(Overflow)? / whole;
    Ok(Money::from_raw(scaled + rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn round_trip_and_flip() {
        let share = Instrument::share(0, "X");
        let mut position = Position::default();
        let mut fill = |side, at, qty| {
            let mid = Some(price("10.00"));
            position
                .on_fill(&share, side, price(at), Qty::from_raw(qty), Money::ZERO, mid)
                .unwrap();
            position
        };
        fill(Side::Buy, "9.99", 100);
        let flat = fill(Side::Sell, "10.02", 100);
        assert_eq!((flat.net, flat.realised.to_string().as_str()), (0, "3"));
        assert_eq!(flat.spread_captured.to_string(), "3");
        fill(Side::Buy, "10.00", 100);
        let short = fill(Side::Sell, "10.10", 150);
        assert_eq!((short.net, short.realised.to_string().as_str()), (-50, "13"));
        assert_eq!(short.marked(&share, price("10.00")).unwrap().to_string(), "5");
    }

    #[test]
    fn inverse_profit_is_in_base() {
        let perp = Instrument {
            contract: Contract::Inverse { multiplier: 100 * 1_000_000_000 },
            ..Instrument::share(0, "BTCUSD_PERP")
        };
        let mut position = Position::default();
        let ten = Qty::from_raw(10);
        position.on_fill(&perp, Side::Buy, price("40000"), ten, Money::ZERO, None).unwrap();
        assert_eq!(position.marked(&perp, price("50000")).unwrap().to_string(), "0.005");
        position.on_fill(&perp, Side::Sell, price("50000"), ten, Money::ZERO, None).unwrap();
        assert_eq!(position.realised.to_string(), "0.005");
    }

    #[test]
    fn flat_positions_need_no_mark() {
        let perp = Instrument {
            contract: Contract::Inverse { multiplier: 1_000_000_000 },
            ..Instrument::share(0, "BTCUSD_PERP")
        };
        assert_eq!(Position::default().total(&perp, Price::ZERO), Some(Money::ZERO));
    }

    /// Five fills whose sum passes the range: the last is refused whole, nothing saturates.
    #[test]
    fn overflow_changes_nothing() {
        let share = Instrument::share(0, "X");
        let (price, qty) = (Price::from_raw(i64::MAX), Qty::from_raw(4_000_000_000));
        let mut position = Position::default();
        let mut refused = 0;
        for _ in 0..5 {
            let before = position;
            if position.on_fill(&share, Side::Buy, price, qty, Money::ZERO, None).is_err() {
                refused += 1;
                assert_eq!(position, before);
            }
        }
        assert_eq!((position.fills, refused), (4, 1));
        assert!(position.cost.raw() < i128::MAX);
    }

    fn contracts() -> impl Strategy<Value = Contract> {
        let multiplier = prop::sample::select(vec![1, 333_333_333, 1_000_000_000, 100_000_000_000]);
        (any::<bool>(), multiplier).prop_map(|(linear, multiplier)| match linear {
            true => Contract::Linear { multiplier },
            false => Contract::Inverse { multiplier },
        })
    }

    proptest! {
        /// Exactly, whatever the contract: cash flows plus the value of what is held. A long
        /// inverse contract is a debt in the base currency, so its signs are turned.
        #[test]
        fn total_is_cash_plus_holding(
            contract in contracts(),
            qty_digits in 0u32..=9,
            fills in prop::collection::vec((any::<bool>(), 1i64..5_000, 1i64..500), 1..60),
            mark in 1i64..5_000,
        ) {
            let traded = Instrument { contract, qty_digits, ..Instrument::share(0, "X") };
            let turned = matches!(contract, Contract::Inverse { .. });
            let cents = |ticks: i64| Price::from_raw(ticks * 10_000_000);
            let mut position = Position::default();
            let mut cash = Money::ZERO;
            for (buy, ticks, qty) in fills {
                let side = if buy { Side::Buy } else { Side::Sell };
                let qty = Qty::from_raw(qty);
                position.on_fill(&traded, side, cents(ticks), qty, Money::ZERO, None).unwrap();
                let value = traded.value(cents(ticks), qty).unwrap();
                cash += if buy == turned { value } else { -value };
                prop_assert!(position.net != 0 || position.cost == Money::ZERO);
            }
            let held = traded.value(cents(mark), Qty::from_raw(position.net.abs())).unwrap();
            let held = if (position.net < 0) == turned { held } else { -held };
            prop_assert_eq!(position.total(&traded, cents(mark)).unwrap(), cash + held);
            prop_assert_eq!(position.net, position.bought - position.sold);
        }
    }
}
