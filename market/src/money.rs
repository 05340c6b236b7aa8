//! Money: an exact count of 1e-18 of one currency. Price (1e-9) times quantity (10^-s, s ≤ 9) is
//! always exact in it. It never becomes a float on the way to a decision.

use rust_decimal::Decimal;
use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An amount of 1e-18 of a currency. The range, ±1.7e20 units, is beyond any account: sums
/// saturate there instead of wrapping, and the risk checks refuse long before.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Money(i128);

impl Money {
    /// Fractional digits of the raw integer.
    pub const DIGITS: u32 = 18;
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// An amount of `raw` × 1e-18.
    #[must_use]
    pub const fn from_raw(raw: i128) -> Self {
        Money(raw)
    }

    /// The count of 1e-18.
    #[must_use]
    pub const fn raw(self) -> i128 {
        self.0
    }

    /// The magnitude.
    #[must_use]
    pub const fn abs(self) -> Money {
        Money(self.0.saturating_abs())
    }

    /// The sum, unless it overflows.
    #[must_use]
    pub const fn checked_add(self, other: Money) -> Option<Money> {
        match self.0.checked_add(other.0) {
            Some(raw) => Some(Money(raw)),
            None => None,
        }
    }

    /// The difference, unless it overflows.
    #[must_use]
    pub const fn checked_sub(self, other: Money) -> Option<Money> {
        match self.0.checked_sub(other.0) {
            Some(raw) => Some(Money(raw)),
            None => None,
        }
    }

    /// The amount as a decimal rounded to `digits` (at most 9) fractional digits, half away from
    /// zero; to 8 when an amount beyond 7.9e19 leaves no room for 9. For people; never for a decision.
    #[must_use]
    pub fn to_decimal(self, digits: u32) -> Decimal {
        let digits = digits.min(9);
        let unit = 10i128.pow(Self::DIGITS - digits);
        let half = if self.0 < 0 { -(unit / 2) } else { unit / 2 };
        let rounded = self.0.saturating_add(half) / unit;
        // Decimal holds 7.9e28: enough for every amount at 8 digits, for all sane ones at 9.
        Decimal::try_from_i128_with_scale(rounded, digits).unwrap_or_else(|_| self.to_decimal(8))
    }

    /// The nearest `f64`, for statistics.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e18
    }

    /// Exactly this decimal.
    ///
    /// # Errors
    /// [`crate::NumberError`] if it is finer than 1e-18 or out of range.
    pub fn from_decimal(decimal: Decimal) -> Result<Self, crate::NumberError> {
        let plain = decimal.normalize();
        let Some(missing) = Self::DIGITS.checked_sub(plain.scale()) else {
            return Err(crate::NumberError::TooFine(plain.to_string(), Self::DIGITS));
        };
        plain
            .mantissa()
            .checked_mul(10i128.pow(missing))
            .map(Money)
            .ok_or_else(|| crate::NumberError::OutOfRange(plain.to_string()))
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(self.0.saturating_neg())
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Money) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_decimal(8).normalize(), f)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_half_away_from_zero() {
        let shown = |raw, digits| Money::from_raw(raw).to_decimal(digits).to_string();
        assert_eq!(shown(1_500_000_000_000_000_000, 0), "2");
        assert_eq!(shown(-1_500_000_000_000_000_000, 0), "-2");
        assert_eq!(shown(1_499_999_999_999_999_999, 2), "1.50");
        assert_eq!(shown(-1, 9), "0.000000000");
        assert_eq!(shown(1_000_000_000, 12), "0.000000001");
    }

    #[test]
    fn the_largest_amounts_keep_their_sign() {
        for digits in 0..=9 {
            let (low, high) = (Money::from_raw(i128::MIN), Money::from_raw(i128::MAX));
            assert!(low.to_decimal(digits).to_string().starts_with("-170141183460469231731"));
            assert!(high.to_decimal(digits).to_string().starts_with("170141183460469231731"));
        }
    }

    #[test]
    fn sums_saturate_unless_checked() {
        let (one, most) = (Money::from_raw(1), Money::from_raw(i128::MAX));
        assert_eq!((most + one, most.checked_add(one)), (most, None));
        assert_eq!(
            (-most - one - one, (-most - one).checked_sub(one)),
            (Money::from_raw(i128::MIN), None)
        );
    }

    #[test]
    fn decimals_round_trip() {
        for text in ["0.000000000000000001", "-12.5", "79228162514264337593"] {
            let decimal: Decimal = text.parse().unwrap();
            let money = Money::from_decimal(decimal).unwrap();
            assert_eq!(
                Decimal::from_i128_with_scale(money.raw() / 1_000_000_000, 9).normalize(),
                decimal.trunc_with_scale(9).normalize()
            );
        }
        assert!(Money::from_decimal("0.0000000000000000001".parse().unwrap()).is_err());
        assert!(Money::from_decimal(Decimal::MAX).is_err());
    }
}
