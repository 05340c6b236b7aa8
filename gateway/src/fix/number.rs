//! Digits to integers and back, exactly: the hot path's numbers.
//!
//! It never rounds, never reads an exponent, and knows no float. `rust_decimal` judges it in the
//! tests.

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
    if text.is_empty() {
        return Err(NumberFault::Syntax);
    }
    let mut value = 0u64;
    if text.len() < 20 {
        // Nineteen digits cannot overflow.
        for &byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(NumberFault::Syntax);
            }
            value = value * 10 + u64::from(digit);
        }
        return Ok(value);
    }
    let mut overflow = false;
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
    let signed = magnitude
        .and_then(|m| if negative { 0i64.checked_sub_unsigned(m) } else { i64::try_from(m).ok() });
    signed.ok_or(NumberFault::OutOfRange)
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
/// (and writes nothing) when `out` is too short.
#[inline]
pub fn write_u64(out: &mut [u8], value: u64) -> Option<usize> {
    let len = digits(value);
    write_padded(out.get_mut(..len)?, value);
    Some(len)
}

/// Fills `out` with the last digits of `value`, zero-padded on the left.
#[inline]
#[allow(clippy::cast_possible_truncation)]
pub fn write_padded(out: &mut [u8], mut value: u64) {
    for slot in out.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Writes `raw` × 10^-`scale` (scale at most 18) without trailing zeros; gives back its length, or
/// `None` when `out` is too short or the scale too large.
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
    let (whole, fraction) = (magnitude / POWERS[scale], magnitude % POWERS[scale]);
    at += write_u64(out.get_mut(at..)?, whole)?;
    if fraction == 0 {
        return Some(at);
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
