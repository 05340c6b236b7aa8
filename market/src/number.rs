//! Exact conversion between decimal text and scaled integers, judged by `rust_decimal`.
//!
//! Only the edges (configuration, reports, tests) come through here. It never rounds: a digit that
//! does not fit is an error that names it.

use rust_decimal::Decimal;
use std::str::FromStr;

/// Why a text or decimal is not a scaled integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// Not a plain decimal number.
    NotANumber(String),
    /// More fractional digits than the scale holds: the text, and the digits allowed.
    TooFine(String, u32),
    /// Beyond the range of the scaled integer.
    OutOfRange(String),
}

impl std::fmt::Display for NumberError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NumberError::NotANumber(text) => write!(f, "`{text}` is not a decimal number"),
            NumberError::TooFine(text, digits) => {
                let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
                let excess = fraction.get(*digits as usize..).unwrap_or(fraction);
                write!(
                    f,
                    "`{text}` has more than {digits} fractional digits: `{excess}` does not fit"
                )
            }
            NumberError::OutOfRange(text) => write!(f, "`{text}` is out of range"),
        }
    }
}

impl std::error::Error for NumberError {}

/// `text` as an integer count of 10^-`digits`, exactly.
///
/// # Errors
/// [`NumberError`] if it is not a plain decimal, is finer than the scale, or does not fit an `i64`.
///
/// ```
/// use market::number::parse_scaled;
/// assert_eq!(parse_scaled("1.25", 4), Ok(12_500));
/// assert!(parse_scaled("0.00001", 4).is_err());
/// ```
pub fn parse_scaled(text: &str, digits: u32) -> Result<i64, NumberError> {
    if !is_plain(text) {
        return Err(NumberError::NotANumber(text.to_owned()));
    }
    let decimal = Decimal::from_str(text).map_err(|_| NumberError::OutOfRange(text.to_owned()))?;
    // `from_str` rounds what it cannot hold; the exact form refuses that.
    if Decimal::from_str_exact(text).is_err() {
        return Err(NumberError::TooFine(text.to_owned(), digits));
    }
    decimal_to_scaled(decimal, digits).map_err(|error| match error {
        NumberError::TooFine(_, digits) => NumberError::TooFine(text.to_owned(), digits),
        other => other,
    })
}

/// A sign, digits and at most one point: `Decimal` also reads exponents and underscores, but a
/// price in them is a slip of the hand.
fn is_plain(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut digits = whole.bytes().chain(fraction.bytes()).peekable();
    digits.peek().is_some() && digits.all(|byte| byte.is_ascii_digit())
}

/// `decimal` as an integer count of 10^-`digits`, exactly.
///
/// # Errors
/// [`NumberError::TooFine`] or [`NumberError::OutOfRange`].
pub fn decimal_to_scaled(decimal: Decimal, digits: u32) -> Result<i64, NumberError> {
    let plain = decimal.normalize();
    let Some(missing) = digits.checked_sub(plain.scale()) else {
        return Err(NumberError::TooFine(plain.to_string(), digits));
    };
    10i128
        .checked_pow(missing)
        .and_then(|factor| plain.mantissa().checked_mul(factor))
        .and_then(|scaled| i64::try_from(scaled).ok())
        .ok_or_else(|| NumberError::OutOfRange(plain.to_string()))
}

/// The decimal that `scaled` × 10^-`digits` is, without trailing zeros.
#[must_use]
pub fn scaled_to_decimal(scaled: i64, digits: u32) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(scaled), digits).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_or_refused() {
        assert_eq!(parse_scaled("-0.000000001", 9), Ok(-1));
        assert_eq!(parse_scaled("9223372036.854775807", 9), Ok(i64::MAX));
        assert!(matches!(parse_scaled("9223372036.854775808", 9), Err(NumberError::OutOfRange(_))));
        let beyond = parse_scaled("1000000000000000000000000000000", 0);
        assert!(matches!(beyond, Err(NumberError::OutOfRange(_))), "{beyond:?}");
        assert_eq!([".5", "5.", "+5.0"].map(|text| parse_scaled(text, 1)), [Ok(5), Ok(50), Ok(50)]);
        for text in ["-", ".", "1-2", "--1", "1.2.3"] {
            assert!(matches!(parse_scaled(text, 9), Err(NumberError::NotANumber(_))), "{text}");
        }
        assert!(matches!(parse_scaled("1e5", 9), Err(NumberError::NotANumber(_))));
        assert!(matches!(parse_scaled("", 9), Err(NumberError::NotANumber(_))));
        let error = parse_scaled("1.0000000001", 9).unwrap_err();
        assert!(error.to_string().contains("`1` does not fit"), "{error}");
        assert!(parse_scaled("0.00000000000000000000000000000000001", 9).is_err());
    }

    #[test]
    fn round_trip() {
        for raw in [0, 1, -1, 1_500_000_000, i64::MAX, i64::MIN] {
            assert_eq!(decimal_to_scaled(scaled_to_decimal(raw, 9), 9), Ok(raw));
        }
    }
}
