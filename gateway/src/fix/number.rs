//! Digits to integers and back, exactly: the hot path's numbers.
//!
//! It never rounds, never reads an exponent, and knows no float. `rust_decimal` judges it in the
//! tests. What is short, as nearly all is, goes by words of eight characters; the rest one by one.

use super::words::{self, WORD};

/// Why bytes are not the number asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// Not `[-]digits[.digits]`.
    #[error("not a plain decimal number")]
    Syntax,
    /// A fractional digit other than zero beyond the scale.
    #[error("more fractional digits than the scale holds")]
    TooFine,
    /// Does not fit the integer.
    #[error("out of range")]
    OutOfRange,
}

/// Powers of ten that fit.
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut i = 1;
    while i < 20 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// What one unit of the last of n fractional digits of a second is in nanoseconds.
pub(super) const POWERS_OF_FRACTION: [u64; 10] =
    [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// Longest text that [`write_u64`] writes.
pub const U64_MAX_LEN: usize = 20;
/// Longest text that [`write_decimal`] writes: sign, nineteen digits, point, leading zero.
pub const DECIMAL_MAX_LEN: usize = 22;

/// An unsigned integer of digits alone; leading zeros are legal in FIX.
///
/// # Errors
/// [`NumberFault::Syntax`] or [`NumberFault::OutOfRange`].
///
/// ```
/// use gateway::fix::number::parse_u64;
/// assert_eq!(parse_u64(b"0042"), Ok(42));
/// assert!(parse_u64(b"-1").is_err());
/// ```
#[inline]
pub fn parse_u64(text: &[u8]) -> Result<u64, NumberFault> {
    match text.len() {
        0..=WORD => words::integer(text).ok_or(NumberFault::Syntax),
        _ => parse_long(text),
    }
}

fn parse_long(text: &[u8]) -> Result<u64, NumberFault> {
    let (mut value, mut overflow) = (0u64, false);
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(NumberFault::Syntax);
        }
        match value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit))) {
            Some(next) => value = next,
            None => overflow = true,
        }
    }
    if overflow { Err(NumberFault::OutOfRange) } else { Ok(value) }
}

/// A decimal as a count of 10^-`scale`, exactly. Zeros may lead and trail, the point may stand
/// first or last; `+`, exponents and anything else are refused.
///
/// # Errors
/// [`NumberFault`].
///
/// ```
/// use gateway::fix::number::{NumberFault, parse_decimal};
/// assert_eq!(parse_decimal(b"-100.250", 9), Ok(-100_250_000_000));
/// assert_eq!(parse_decimal(b"0.05", 1), Err(NumberFault::TooFine));
/// ```
#[inline]
pub fn parse_decimal(text: &[u8], scale: u32) -> Result<i64, NumberFault> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let magnitude = match short(digits, scale as usize) {
        Some(magnitude) => magnitude,
        None => parse_magnitude(digits, scale)?,
    };
    let signed = match negative {
        true => 0i64.checked_sub_unsigned(magnitude),
        false => i64::try_from(magnitude).ok(),
    };
    signed.ok_or(NumberFault::OutOfRange)
}

/// A decimal by words of eight characters, if it is short and right. No product overflows: eight
/// digits and a scale of nine make less than 10^17.
#[inline]
fn short(digits: &[u8], scale: usize) -> Option<u64> {
    let unit = |after: usize| match scale.checked_sub(after)? {
        missing @ 0..=9 => Some(POWERS[missing]),
        _ => None,
    };
    if digits.len() <= WORD {
        let (mantissa, after) = words::decimal(digits)?;
        return Some(mantissa * unit(after)?);
    }
    let (whole, fraction, after) = words::long_decimal(digits)?;
    Some(whole * unit(0)? + fraction * unit(after)?)
}

/// Any unsigned decimal, character by character.
fn parse_magnitude(digits: &[u8], scale: u32) -> Result<u64, NumberFault> {
    let (mut mantissa, mut overflow, mut seen) = (0u64, false, 0usize);
    // Fractional digits still to come; negative sense: `None` before the point.
    let mut room: Option<u32> = None;
    let mut too_fine = false;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            seen += 1;
            match room {
                Some(0) => {
                    too_fine |= digit != 0;
                    continue;
                }
                Some(left) => room = Some(left - 1),
                None => {}
            }
            match mantissa.checked_mul(10).and_then(|m| m.checked_add(u64::from(digit))) {
                Some(next) => mantissa = next,
                None => overflow = true,
            }
        } else if byte == b'.' && room.is_none() {
            room = Some(scale);
        } else {
            return Err(NumberFault::Syntax);
        }
    }
    if seen == 0 {
        return Err(NumberFault::Syntax);
    }
    if too_fine {
        return Err(NumberFault::TooFine);
    }
    let missing = room.unwrap_or(scale) as usize;
    let magnitude = match POWERS.get(missing) {
        _ if mantissa == 0 && !overflow => Some(0),
        Some(&power) if !overflow => mantissa.checked_mul(power),
        _ => None,
    };
    magnitude.ok_or(NumberFault::OutOfRange)
}

/// Number of decimal digits of `value`, at least one.
#[inline]
#[must_use]
pub const fn digits(value: u64) -> usize {
    match value.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

/// Writes `value` without leading zeros at the start of `out`; gives back its length, or `None`
/// when `out` is too short. What stands behind the number may be overwritten.
#[inline]
pub fn write_u64(out: &mut [u8], value: u64) -> Option<usize> {
    let len = digits(value);
    match out.first_chunk_mut() {
        Some(chunk) if len <= WORD => {
            *chunk = (words::digits(value) >> (8 * (WORD - len))).to_le_bytes();
        }
        _ => write_padded(out.get_mut(..len)?, value),
    }
    Some(len)
}

/// Fills `out` with the last digits of `value`, zero-padded on the left.
#[inline]
#[allow(clippy::cast_possible_truncation)]
pub fn write_padded(out: &mut [u8], mut value: u64) {
    let mut end = out.len();
    while let Some(chunk) = out[..end].last_chunk_mut() {
        *chunk = words::digits(value % 100_000_000).to_le_bytes();
        (end, value) = (end - WORD, value / 100_000_000);
    }
    for slot in out[..end].iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Writes `raw` × 10^-`scale` (scale at most 18) without trailing zeros; gives back its length, or
/// `None` when `out` is too short or the scale too large. What stands behind may be overwritten.
///
/// ```
/// use gateway::fix::number::write_decimal;
/// let mut text = [0; 22];
/// let len = write_decimal(&mut text, -100_250_000_000, 9).unwrap();
/// assert_eq!(&text[..len], b"-100.25");
/// ```
#[inline]
pub fn write_decimal(out: &mut [u8], raw: i64, scale: u32) -> Option<usize> {
    let scale = scale as usize;
    if scale > 18 {
        return None;
    }
    let mut at = 0;
    if raw < 0 {
        *out.first_mut()? = b'-';
        at = 1;
    }
    let magnitude = raw.unsigned_abs();
    // By constants, where there is one: prices, and quantities of most instruments.
    let (whole, fraction) = match scale {
        0 => (magnitude, 0),
        8 => (magnitude / POWERS[8], magnitude % POWERS[8]),
        9 => (magnitude / POWERS[9], magnitude % POWERS[9]),
        _ => (magnitude / POWERS[scale], magnitude % POWERS[scale]),
    };
    at += write_u64(out.get_mut(at..)?, whole)?;
    if fraction == 0 {
        return Some(at);
    }
    // Eight digits are one word, if the rest of them are zeros.
    let (eight, rest) = match scale {
        0..=WORD => (fraction * POWERS[WORD - scale], 0),
        9 => (fraction / 10, fraction % 10),
        _ => (fraction / POWERS[scale - WORD], fraction % POWERS[scale - WORD]),
    };
    if rest == 0
        && let Some([point, chunk @ ..]) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<9>)
    {
        let digits = words::digits(eight);
        (*point, *chunk) = (b'.', digits.to_le_bytes());
        return Some(at + 1 + WORD - words::zeros_at_the_end(digits));
    }
    let digits = out.get_mut(at..=at + scale)?;
    digits[0] = b'.';
    write_padded(&mut digits[1..], fraction);
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    Some(at + 1 + scale - zeros)
}

#[cfg(test)]
#[path = "number_tests.rs"]
mod tests;
