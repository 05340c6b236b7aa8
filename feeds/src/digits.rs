//! From digits to scaled integers, as crypto venues write prices and quantities: `61800.20`. Eight
//! digits are read at a time. Exact or nothing: it never rounds, and knows neither signs nor
//! exponents.

/// What ten to each power is, as far as a `u64` goes.
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// The whole text as a count of 10^-`digits`; `None` if it is no plain decimal number, is finer than
/// that, or out of range. Zeros at either end do not matter.
#[inline]
#[must_use]
pub fn decimal(text: &[u8], digits: u32) -> Option<i64> {
    let (value, length) = scaled(text, digits)?;
    (length == text.len()).then_some(value)
}

/// The decimal number that `text` begins with, as a count of 10^-`digits`, and its length. `None` if
/// there is none, if it has more than sixteen digits before or behind its point, is finer than
/// 10^-`digits`, or out of range.
#[inline]
#[must_use]
pub fn scaled(text: &[u8], digits: u32) -> Option<(i64, usize)> {
    let (whole, fraction, length) = parts(text, digits)?;
    Some((joined(whole, fraction, digits)?, length))
}

/// What stands before and behind the point of the whole text, the latter as a count of 10^-`digits`:
/// for numbers that are beyond the range of [`decimal`].
#[must_use]
pub fn halves(text: &[u8], digits: u32) -> Option<(u64, u64)> {
    let (whole, fraction, length) = parts(text, digits)?;
    (length == text.len()).then_some((whole, fraction))
}

/// The number that [`halves`] are of; `None` if it is out of range.
#[inline]
#[must_use]
pub fn joined(whole: u64, fraction: u64, digits: u32) -> Option<i64> {
    let value = whole.checked_mul(*POWERS.get(digits as usize)?)?;
    i64::try_from(value.checked_add(fraction)?).ok()
}

/// What stands before and behind the point, and the length of it all.
#[inline]
fn parts(text: &[u8], digits: u32) -> Option<(u64, u64, usize)> {
    let (whole, length) = run(text)?;
    if text.get(length) != Some(&b'.') {
        return Some((whole, 0, length));
    }
    let (fraction, behind) = run(&text[length + 1..])?;
    let fraction = match (digits as usize).checked_sub(behind) {
        Some(missing) => fraction * POWERS.get(missing)?,
        None => {
            let excess = POWERS[behind - digits as usize];
            (fraction % excess == 0).then_some(fraction / excess)?
        }
    };
    Some((whole, fraction, length + 1 + behind))
}

/// The whole number that `text` begins with and its length, of at most sixteen digits.
#[inline]
#[must_use]
pub fn run(text: &[u8]) -> Option<(u64, usize)> {
    let (high, first) = eight(text);
    if first < 8 {
        return (first > 0).then_some((high, first));
    }
    let (low, second) = eight(&text[8..]);
    let goes_on = second == 8 && text.get(16).is_some_and(u8::is_ascii_digit);
    (!goes_on).then_some((high * POWERS[second] + low, 8 + second))
}

/// The number that the first digits of `text` are, and how many they are, up to eight.
#[inline]
fn eight(text: &[u8]) -> (u64, usize) {
    let word = match text.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => u64::from_le_bytes(std::array::from_fn(|at| text.get(at).copied().unwrap_or(0))),
    };
    let values = word ^ 0x3030_3030_3030_3030;
    // The high bit of each byte that is above nine. Carries spoil only bytes behind such a one.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() / 8;
    let values = values.checked_shl(64 - 8 * count).unwrap_or(0);
    // Neighbours are joined: digits to pairs, pairs to fours, fours to eight.
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let odd = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let even = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    (odd.wrapping_add(even) >> 32, count as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::number::parse_scaled;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_plain_number_is_none() {
        for text in ["", ".", ".5", "5.", "-1", "+1", "1e5", "1.2.3", " 1", "1 ", "0x1", "1_0", "١"]
        {
            assert_eq!(decimal(text.as_bytes(), 8), None, "{text}");
        }
        assert_eq!(decimal(b"12345678901234567", 0), None);
        assert_eq!(decimal(b"1234567890123456", 0), Some(1_234_567_890_123_456));
        assert_eq!(decimal(b"9223372036.854775807", 9), Some(i64::MAX));
        assert_eq!(decimal(b"9223372036.854775808", 9), None);
        assert_eq!(decimal(b"99999999999", 9), None);
        assert_eq!(decimal(b"1.000000001", 8), None);
        assert_eq!(decimal(b"1.0000000010", 9), Some(1_000_000_001));
        assert_eq!(decimal(b"00.100", 1), Some(1));
    }

    proptest! {
        /// `rust_decimal` says the same of whatever is a number here.
        #[test]
        fn the_same_as_rust_decimal(
            text in "[0-9]{1,12}(\\.[0-9]{1,12})?", digits in 0u32..10, behind in "[\",.x ]?[0-9]?",
        ) {
            let expected = parse_scaled(&text, digits).ok();
            prop_assert_eq!(decimal(text.as_bytes(), digits), expected);
            let more = format!("{text}{behind}");
            if let Some((value, length)) = scaled(more.as_bytes(), digits) {
                prop_assert_eq!(parse_scaled(&more[..length], digits).ok(), Some(value));
            }
        }
    }
}
