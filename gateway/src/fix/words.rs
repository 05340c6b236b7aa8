//! Eight characters at a time, held in one `u64`: where a character stands, what digits say, and
//! digits from a number.
//!
//! Branches on single characters are what a codec's time goes into: the lengths of values are what
//! no predictor knows. It must never read beyond a slice, nor take anything but digits for digits.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;
const ZEROS: u64 = ONES * b'0' as u64;

/// Characters that a word holds.
pub(super) const WORD: usize = 8;

/// Marks the lowest byte of `word` that is `byte` with its highest bit. What stands above the first
/// mark means nothing.
#[inline]
const fn first(word: u64, byte: u8) -> u64 {
    let differs = word ^ (ONES * byte as u64);
    differs.wrapping_sub(ONES) & !differs & HIGHS
}

/// Offset of the next `byte` from `at` on.
#[inline]
pub(super) fn find(bytes: &[u8], byte: u8, mut at: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let marks = first(u64::from_le_bytes(*chunk), byte);
        if marks != 0 {
            return Some(at + marks.trailing_zeros() as usize / 8);
        }
        at += WORD;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|&other| other == byte).map(|offset| at + offset)
}

/// Sums of neighbouring bytes, in four lanes.
#[inline]
const fn pair_sums(word: u64) -> u64 {
    const LANES: u64 = 0x00ff_00ff_00ff_00ff;
    (word & LANES) + (word >> 8 & LANES)
}

/// Sum of all bytes modulo 256, of up to a hundred words: then a lane would overflow.
#[inline]
#[allow(clippy::cast_possible_truncation)]
pub(super) fn sum(bytes: &[u8]) -> u8 {
    let (words, rest) = bytes.as_chunks::<WORD>();
    // What is left over is the upper end of the last eight bytes.
    let last = match bytes.last_chunk() {
        Some(last) if !rest.is_empty() => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        Some(_) => 0,
        None => word(rest),
    };
    let words = words.iter().map(|chunk| pair_sums(u64::from_le_bytes(*chunk)));
    let lanes = words.fold(pair_sums(last), u64::wrapping_add);
    (lanes.wrapping_mul(0x0001_0001_0001_0001) >> 48) as u8
}

/// Up to eight characters, the last in the lowest byte; beyond the first all bytes are zero.
#[inline]
fn word(text: &[u8]) -> u64 {
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => {
            // The two halves share the characters in the middle.
            let (first, last) = (u32::from_be_bytes(*first), u32::from_be_bytes(*last));
            u64::from(first) << (8 * (text.len() - 4)) | u64::from(last)
        }
        _ => few(text),
    }
}

/// The same of at most three characters, whichever they are: what is the middle may be the first or
/// the last as well.
#[inline]
fn few(text: &[u8]) -> u64 {
    let (Some(first), Some(last)) = (text.first(), text.last()) else { return 0 };
    let (end, middle) = (text.len() - 1, text.len() / 2);
    let [first, last] = [first, last].map(|byte| u64::from(*byte));
    first << (8 * end) | u64::from(text[middle]) << (8 * (end - middle)) | last
}

/// The number that the lowest `len` bytes of a [`word`] say, and a word that is zero if all of them
/// are digits. The bytes above must be zero.
#[inline]
const fn number(word: u64, len: usize) -> (u64, u64) {
    let used = match len {
        0 => 0,
        _ => u64::MAX >> (64 - 8 * len),
    };
    let digits = word ^ (ZEROS & used);
    // Beyond nine, this addition reaches the highest bit of the byte.
    let wrong = (digits.wrapping_add(ONES * 0x76) | digits) & HIGHS;
    let pairs =
        (digits >> 8 & 0x00ff_00ff_00ff_00ff).wrapping_mul(10) + (digits & 0x00ff_00ff_00ff_00ff);
    let fours =
        (pairs >> 16 & 0x0000_ffff_0000_ffff).wrapping_mul(100) + (pairs & 0x0000_ffff_0000_ffff);
    ((fours >> 32).wrapping_mul(10_000) + (fours & 0xffff_ffff), wrong)
}

/// Digits of a small number.
pub(super) const SMALL: usize = 3;

/// The number that one to three digits say, as many quantities and counts do.
#[inline]
pub(super) fn small(text: &[u8]) -> Option<u64> {
    let digit = |byte: u8| Some(u64::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit <= 9);
    match *text {
        [a] => digit(a),
        [a, b] => Some(digit(a)? * 10 + digit(b)?),
        [a, b, c] => Some(digit(a)? * 100 + digit(b)? * 10 + digit(c)?),
        _ => None,
    }
}

/// The number that one to eight digits say.
#[inline]
pub(super) fn integer(text: &[u8]) -> Option<u64> {
    if text.len() <= SMALL {
        return small(text);
    }
    if text.len() > WORD {
        return None;
    }
    match number(word(text), text.len()) {
        (value, 0) => Some(value),
        _ => None,
    }
}

/// The number that nine to nineteen digits say: none of them is too large.
#[inline]
pub(super) fn long_integer(text: &[u8]) -> Option<u64> {
    let (head, low) = text.split_last_chunk::<WORD>()?;
    let (high, middle) = head.split_at(head.len().saturating_sub(WORD));
    let (low, wrong) = number(u64::from_be_bytes(*low), WORD);
    let (middle, wrong_too) = number(word(middle), middle.len());
    let (high, wrong_as_well) = number(word(high), high.len());
    // Only what is no number overflows.
    let shifted = |value: u64| value.wrapping_mul(100_000_000);
    let value = shifted(shifted(high).wrapping_add(middle)).wrapping_add(low);
    (text.len() <= 19 && wrong | wrong_too | wrong_as_well == 0).then_some(value)
}

/// The numbers below 100 that the four pairs of eight digits say, in every second byte, and a word
/// that is zero if all of them are digits. The first digit is in the lowest byte.
#[inline]
pub(super) const fn pairs(text: [u8; WORD]) -> (u64, u64) {
    let digits = u64::from_le_bytes(text) ^ ZEROS;
    let wrong = (digits.wrapping_add(ONES * 0x76) | digits) & HIGHS;
    (digits.wrapping_mul(10).wrapping_add(digits >> 8), wrong)
}

/// An unsigned decimal of at most eight characters: its digits as one number, and how many of them
/// stand after the point.
#[inline]
pub(super) fn decimal(text: &[u8]) -> Option<(u64, usize)> {
    let len = text.len();
    if len > WORD {
        return None;
    }
    let all = word(text);
    let point = first(all, b'.');
    // Without a point everything stands before it.
    let ((value, wrong), len, after) = if point == 0 {
        (number(all, len), len, 0)
    } else {
        let after = point.trailing_zeros() as usize / 8;
        let fraction = !(u64::MAX << (8 * after));
        (number(all & fraction | (all >> 8) & !fraction, len - 1), len - 1, after)
    };
    (wrong == 0 && len > 0).then_some((value, after))
}

/// An unsigned decimal of nine to sixteen characters: the numbers before and after the point, and
/// how many digits stand after it. At most eight may stand on either side.
#[inline]
pub(super) fn long_decimal(text: &[u8]) -> Option<(u64, u64, usize)> {
    let (whole, fraction) = text.split_at_checked(find(text, b'.', 0)?)?;
    let (before, after) = (whole.len(), fraction.len() - 1);
    if before.max(after) > WORD {
        return None;
    }
    let (whole, wrong) = number(word(whole), before);
    let (fraction, wrong_too) = number(word(&fraction[1..]), after);
    (wrong | wrong_too == 0 && before + after > 0).then_some((whole, fraction, after))
}

/// What the eight digits of a number below 10^8 are worth, zeros in front, the first in the lowest
/// byte.
#[inline]
const fn worth(value: u64) -> u64 {
    // Four digits a lane, then two, then one: of each lane the quotient stays, and the remainder goes
    // to the one above. `(value << bits) + quotient * step` does both. The divisions are exact for
    // what a lane can hold.
    const FOURS: u64 = 1u64.wrapping_sub(10_000 << 32);
    const PAIRS: u64 = 1u64.wrapping_sub(100 << 16);
    const SINGLES: u64 = 1u64.wrapping_sub(10 << 8);
    let fours = (value << 32).wrapping_add((value / 10_000).wrapping_mul(FOURS));
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = (fours << 16).wrapping_add(hundreds.wrapping_mul(PAIRS));
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    (pairs << 8).wrapping_add(tens.wrapping_mul(SINGLES))
}

/// Digits as a word of characters, the first in the lowest byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) word: u64,
    /// How many of the characters count; what is above them means nothing.
    pub(super) len: usize,
    /// The sum of those that count.
    pub(super) sum: u64,
}

impl Digits {
    /// `len` characters of `word` that are worth this in all: each digit is at most nine, so that
    /// their sum fits the highest byte.
    #[inline]
    const fn new(word: u64, len: usize, worth: u64) -> Digits {
        let sum = (worth.wrapping_mul(ONES) >> 56) + b'0' as u64 * len as u64;
        Digits { word, len, sum }
    }
}

/// The eight digits of a number below 10^8, zeros in front.
#[inline]
pub(super) const fn digits(value: u64) -> Digits {
    let worth = worth(value);
    Digits::new(worth | ZEROS, WORD, worth)
}

/// The digits of a number below 10^8 without zeros in front, at least one.
// A call would give three words back through memory.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) const fn integer_text(value: u64) -> Digits {
    const LAST: u64 = 1 << (64 - 8);
    let worth = worth(value);
    let zeros = (worth | LAST).trailing_zeros() as usize / 8;
    Digits::new((worth | ZEROS) >> (8 * zeros), WORD - zeros, worth)
}

/// The digits of a fraction of eight without the zeros at the end; of zero there are none.
#[inline]
pub(super) const fn fraction_text(value: u64) -> Digits {
    let worth = worth(value);
    Digits::new(worth | ZEROS, WORD - worth.leading_zeros() as usize / 8, worth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_position_finds(
            bytes in prop::collection::vec(prop_oneof![Just(1u8), Just(0), Just(2), any::<u8>()], 0..40),
            at in 0usize..45,
        ) {
            let expected = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == 1));
            prop_assert_eq!(find(&bytes, 1, at), expected.map(|offset| at + offset));
        }

        #[test]
        fn sums_are_sums(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let expected = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
            prop_assert_eq!(sum(&bytes), expected);
        }

        #[test]
        fn only_digits_are_digits(text in prop::collection::vec(any::<u8>(), 0..10)) {
            let all = text.iter().all(u8::is_ascii_digit) && (1..=8).contains(&text.len());
            let said = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
            prop_assert_eq!(integer(&text), said.filter(|_| all));
        }

        #[test]
        fn long_numbers_are_those_that_format_writes(value: u64, place in 0usize..19, byte: u8) {
            let value = value % 10_000_000_000_000_000_000;
            for len in 9..=19 {
                let mut text = format!("{value:019}").into_bytes().split_off(19 - len);
                let said = std::str::from_utf8(&text).unwrap().parse().ok();
                prop_assert_eq!(long_integer(&text), said);
                text[place % len] = byte;
                prop_assert_eq!(long_integer(&text).is_some(), byte.is_ascii_digit());
            }
        }

        #[test]
        fn one_wrong_character_is_found(place in 0usize..8, byte: u8) {
            let mut text = *b"90909090";
            text[place] = byte;
            prop_assert_eq!(integer(&text).is_some(), byte.is_ascii_digit());
            prop_assert_eq!(decimal(&text).is_some(), byte.is_ascii_digit() || byte == b'.');
        }

        #[test]
        fn digits_are_those_that_format_writes(value in 0u64..100_000_000) {
            let text = format!("{value:08}");
            let same = |digits: Digits, text: &str| {
                prop_assert_eq!(&digits.word.to_le_bytes()[..digits.len], text.as_bytes());
                prop_assert_eq!(digits.sum, text.bytes().map(u64::from).sum::<u64>());
                Ok(())
            };
            same(digits(value), &text)?;
            same(fraction_text(value), text.trim_end_matches('0'))?;
            same(integer_text(value), &value.to_string())?;
            prop_assert_eq!(integer(text.as_bytes()), Some(value));
        }
    }

    #[test]
    fn all_four_digits_come_out_in_every_lane() {
        for value in 0..10_000 {
            let text = format!("{value:04}");
            assert_eq!(digits(value).word.to_le_bytes()[4..], *text.as_bytes());
            assert_eq!(digits(value * 10_000).word.to_le_bytes()[..4], *text.as_bytes());
        }
    }

    #[test]
    fn both_sides_of_the_point() {
        assert_eq!(decimal(b"12.50"), Some((1250, 2)));
        assert_eq!(decimal(b".5"), Some((5, 1)));
        assert_eq!(decimal(b"5."), Some((5, 0)));
        assert_eq!(decimal(b"1234567."), Some((1_234_567, 0)));
        assert_eq!(decimal(b".1234567"), Some((1_234_567, 7)));
        assert_eq!(long_decimal(b"12345678.00000001"), Some((12_345_678, 1, 8)));
        assert_eq!(long_decimal(b"123456.50"), Some((123_456, 50, 2)));
        for wrong in ["", ".", "1.2.3", "..", "1-2", "123456789"] {
            assert_eq!(decimal(wrong.as_bytes()), None, "`{wrong}`");
        }
        for wrong in ["123456789", "123456789.1", "1.123456789", ".", "1234.123.4", "12345.123e"] {
            assert_eq!(long_decimal(wrong.as_bytes()), None, "`{wrong}`");
        }
    }
}
