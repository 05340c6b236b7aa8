//! Digits to integers and back, exactly: the hot path's numbers.
//!
//! It never rounds, never reads an exponent, and knows no float. `rust_decimal` judges it in the
//! tests. What is short, as nearly all is, goes by words of eight characters; the rest one by one.

use super::words::{self, Digits, WORD};

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

/// For n from 1: 2^(64 + k) / 10^n, rounded up, and k, where 2^k is the greatest power of two in 10^n.
/// The product with a number up to 2^63, shifted by 64 + k, is its quotient by 10^n: what rounding
/// adds is less than 10^n / 2^(64 + k) of 2^63, and that is less than one unit of the remainder.
const RECIPROCALS: [(u64, u32); 19] = {
    let mut reciprocals = [(0, 0); 19];
    let mut n = 1;
    while n < 19 {
        let shift = POWERS[n].ilog2();
        #[allow(clippy::cast_possible_truncation)]
        let reciprocal = (1u128 << (64 + shift)).div_ceil(POWERS[n] as u128) as u64;
        reciprocals[n] = (reciprocal, shift);
        n += 1;
    }
    reciprocals
};

/// What one unit of the last of n fractional digits of a second is in nanoseconds.
pub(super) const POWERS_OF_FRACTION: [u64; 10] =
    [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// First number of nine digits.
const WORD_END: u64 = POWERS[WORD];
/// Room that a number is written into, in words of eight characters: sign, nineteen digits, point, a
/// zero in front, and what is too much of the words.
pub const ROOM: usize = 48;

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
        9..=19 => words::long_integer(text).ok_or(NumberFault::Syntax),
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
    match (words::small(text), scale) {
        (Some(value), 0..=9) => Ok(value.cast_signed() * POWERS[scale as usize].cast_signed()),
        _ => parse_any_decimal(text, scale),
    }
}

#[inline(never)]
fn parse_any_decimal(text: &[u8], scale: u32) -> Result<i64, NumberFault> {
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

/// A text that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its length.
    pub len: usize,
    /// The sum of its bytes: what it adds to CheckSum (10).
    pub sum: u64,
}

/// Writes `value` without leading zeros at the start of `out`. What stands behind the number is
/// overwritten.
#[inline]
pub fn write_u64(out: &mut [u8; ROOM], value: u64) -> Written {
    write_integer(out, Written { len: 0, sum: 0 }, value)
}

/// The same behind what is written.
#[inline(always)]
#[allow(clippy::inline_always)]
fn write_integer(out: &mut [u8; ROOM], behind: Written, value: u64) -> Written {
    match value {
        ..WORD_END => write_word(out, behind, words::integer_text(value)),
        _ => write_long(out, behind, value),
    }
}

/// A number of nine digits or more, as our ids are.
fn write_long(out: &mut [u8; ROOM], behind: Written, value: u64) -> Written {
    let (high, low) = (value / POWERS[WORD], value % POWERS[WORD]);
    let (highest, middle) = (high / POWERS[WORD], high % POWERS[WORD]);
    let behind = match highest {
        0 => write_word(out, behind, words::integer_text(middle)),
        _ => {
            let behind = write_word(out, behind, words::integer_text(highest));
            write_word(out, behind, words::digits(middle))
        }
    };
    write_word(out, behind, words::digits(low))
}

/// Digits behind what is written.
#[inline(always)]
#[allow(clippy::inline_always)]
fn write_word(out: &mut [u8; ROOM], behind: Written, digits: Digits) -> Written {
    let Written { len, sum } = behind;
    out[len..len + WORD].copy_from_slice(&digits.word.to_le_bytes());
    Written { len: len + digits.len, sum: sum + digits.sum }
}

/// Quotient and remainder of a number up to 2^63 by 10^`digits`, from 1 to 18, without a division.
#[inline]
#[allow(clippy::cast_possible_truncation)]
fn split(value: u64, digits: usize) -> (u64, u64) {
    let (reciprocal, shift) = RECIPROCALS[digits];
    let quotient = ((u128::from(value) * u128::from(reciprocal)) >> 64) as u64 >> shift;
    (quotient, value - quotient * POWERS[digits])
}

/// Fills `out` with the last digits of `value`, zero-padded on the left.
#[inline]
#[allow(clippy::cast_possible_truncation)]
pub fn write_padded(out: &mut [u8], mut value: u64) {
    let mut end = out.len();
    while let Some(chunk) = out[..end].last_chunk_mut() {
        *chunk = words::digits(value % 100_000_000).word.to_le_bytes();
        (end, value) = (end - WORD, value / 100_000_000);
    }
    for slot in out[..end].iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Writes `raw` × 10^-`scale` (scale at most 18) without trailing zeros; `None` when the scale is too
/// large. What stands behind the number is overwritten.
///
/// ```
/// use gateway::fix::number::{ROOM, write_decimal};
/// let mut text = [0; ROOM];
/// let written = write_decimal(&mut text, -100_250_000_000, 9).unwrap();
/// assert_eq!(&text[..written.len], b"-100.25");
/// ```
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn write_decimal(out: &mut [u8; ROOM], raw: i64, scale: u32) -> Option<Written> {
    let mut digits = scale as usize;
    if digits > 18 {
        return None;
    }
    let (whole, mut fraction) = match digits {
        0 => (raw.unsigned_abs(), 0),
        _ => split(raw.unsigned_abs(), digits),
    };
    // A number that is not negative begins in the place of the sign.
    out[0] = b'-';
    let sign = Written { len: usize::from(raw < 0), sum: u64::from(b'-') * u64::from(raw < 0) };
    let mut end = write_integer(out, sign, whole);
    if fraction == 0 {
        return Some(end);
    }
    out[end.len] = b'.';
    end = Written { len: end.len + 1, sum: end.sum + u64::from(b'.') };
    while digits > WORD {
        let (eight, rest) = split(fraction, digits - WORD);
        if rest == 0 {
            return Some(write_word(out, end, words::fraction_text(eight)));
        }
        end = write_word(out, end, words::digits(eight));
        (fraction, digits) = (rest, digits - WORD);
    }
    let eight = fraction * POWERS[WORD - digits];
    Some(write_word(out, end, words::fraction_text(eight)))
}

#[cfg(test)]
#[path = "number_tests.rs"]
mod tests;
