//! Price: an exact count of 1e-9 of the quote currency.

use crate::number::{self, NumberError};
use rust_decimal::Decimal;
use std::fmt;

/// A price in units of 1e-9 of the quote currency, as DBN has it. Negative prices are legal
/// (spreads, energy); "no price" is `Option::None`, never a magic value.
///
/// ```
/// use market::Price;
/// let price: Price = "100.25".parse().unwrap();
/// assert_eq!(price.raw(), 100_250_000_000);
/// assert_eq!(price.to_string(), "100.25");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Price(i64);

impl Price {
    /// Fractional digits of the raw integer.
    pub const DIGITS: u32 = 9;
    /// Zero.
    pub const ZERO: Price = Price(0);
    /// One unit of the quote currency.
    pub const ONE: Price = Price(1_000_000_000);

    /// A price of `raw` × 1e-9.
    #[must_use]
    pub const fn from_raw(raw: i64) -> Self {
        Price(raw)
    }

    /// The count of 1e-9.
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// The sum, unless it overflows.
    #[must_use]
    pub const fn checked_add(self, other: Price) -> Option<Price> {
        match self.0.checked_add(other.0) {
            Some(raw) => Some(Price(raw)),
            None => None,
        }
    }

    /// The difference, unless it overflows.
    #[must_use]
    pub const fn checked_sub(self, other: Price) -> Option<Price> {
        match self.0.checked_sub(other.0) {
            Some(raw) => Some(Price(raw)),
            None => None,
        }
    }

    /// The nearest `f64`, for strategies that compute in floats.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Exactly this decimal.
    ///
    /// # Errors
    /// [`NumberError`] if it is finer than 1e-9 or out of range.
    pub fn from_decimal(decimal: Decimal) -> Result<Self, NumberError> {
        number::decimal_to_scaled(decimal, Self::DIGITS).map(Price)
    }

    /// The same value as a decimal.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        number::scaled_to_decimal(self.0, Self::DIGITS)
    }
}

impl std::str::FromStr for Price {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        number::parse_scaled(text, Self::DIGITS).map(Price)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_decimal(), f)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The float of a price is the float of its text: strategies see 10.01, not its neighbour.
        #[test]
        fn floats_are_the_nearest(raw in -(1i64 << 53)..1 << 53) {
            let price = Price::from_raw(raw);
            prop_assert_eq!(price.to_f64(), price.to_string().parse::<f64>().unwrap());
        }
    }
}
