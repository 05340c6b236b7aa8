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

    /// The amount as a decimal rounded to `digits` (at most 9) fractional digits, half away from
    /// zero. For people; never for a decision.
    #[must_use]
    pub fn to_decimal(self, digits: u32) -> Decimal {
        let digits = digits.min(9);
        let unit = 10i128.pow(Self::DIGITS - digits);
        let half = if self.0 < 0 { -(unit / 2) } else { unit / 2 };
        let rounded = self.0.saturating_add(half) / unit;
        // 1.7e29 at most, within Decimal's 7.9e28 for every digits ≤ 8 and for all sane amounts.
        Decimal::try_from_i128_with_scale(rounded, digits).unwrap_or(Decimal::MAX)
    }

    /// The nearest `f64`, for statistics.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 * 1e-18
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
