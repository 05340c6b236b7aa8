//! Quantity: an exact count of 10^-s, s being the instrument's own scale.

use crate::number::{self, NumberError};
use rust_decimal::Decimal;

/// A quantity in units of 10^-s, where s is [`crate::Instrument::qty_digits`]. Two quantities may
/// be compared or added only if they belong to the same instrument.
///
/// ```
/// use market::Qty;
/// let qty = Qty::parse("1.5", 8).unwrap();
/// assert_eq!(qty.raw(), 150_000_000);
/// assert_eq!(qty.to_decimal(8).to_string(), "1.5");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Qty(i64);

impl Qty {
    /// None of it.
    pub const ZERO: Qty = Qty(0);
    /// The finest scale an instrument may have.
    pub const DIGITS_MAX: u32 = 9;

    /// A quantity of `raw` × 10^-s.
    #[must_use]
    pub const fn from_raw(raw: i64) -> Self {
        Qty(raw)
    }

    /// The count of 10^-s.
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// True for more than zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum, unless it overflows.
    #[must_use]
    pub const fn checked_add(self, other: Qty) -> Option<Qty> {
        match self.0.checked_add(other.0) {
            Some(raw) => Some(Qty(raw)),
            None => None,
        }
    }

    /// The difference, unless it overflows.
    #[must_use]
    pub const fn checked_sub(self, other: Qty) -> Option<Qty> {
        match self.0.checked_sub(other.0) {
            Some(raw) => Some(Qty(raw)),
            None => None,
        }
    }

    /// The nearest `f64` in whole units of the instrument, given its scale.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn to_f64(self, digits: u32) -> f64 {
        const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
        self.0 as f64 / POWERS[(digits as usize).min(9)]
    }

    /// Exactly this text at `digits` fractional digits.
    ///
    /// # Errors
    /// [`NumberError`] if it is no decimal, finer than the scale, or out of range.
    pub fn parse(text: &str, digits: u32) -> Result<Self, NumberError> {
        number::parse_scaled(text, digits).map(Qty)
    }

    /// Exactly this decimal at `digits` fractional digits.
    ///
    /// # Errors
    /// [`NumberError`] if it is finer than the scale or out of range.
    pub fn from_decimal(decimal: Decimal, digits: u32) -> Result<Self, NumberError> {
        number::decimal_to_scaled(decimal, digits).map(Qty)
    }

    /// The same value as a decimal, given the instrument's scale.
    #[must_use]
    pub fn to_decimal(self, digits: u32) -> Decimal {
        number::scaled_to_decimal(self.0, digits)
    }
}
