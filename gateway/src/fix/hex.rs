//! 128 bits as 32 lower-case hexadecimal digits and back, eight digits at a time: the form of the
//! ids that we give as a venue.
//!
//! It must never take anything but digits and `a` to `f` for digits.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;
/// Digits of a word of 64 bits.
const HALF: usize = 16;
/// Digits of an id.
pub(crate) const HEX: usize = 2 * HALF;

/// The digits of an id.
#[inline]
pub(crate) fn hex_text(words: [u64; 2]) -> [u8; HEX] {
    let [a, b, c, d] = halves(words).map(|half| digits(half).to_le_bytes());
    let mut text = [0; HEX];
    for (slot, eight) in text.as_chunks_mut().0.iter_mut().zip([a, b, c, d]) {
        *slot = eight;
    }
    text
}

/// The id that 32 digits say; `None` for any other text.
#[inline]
pub(crate) fn hex_id(text: &[u8]) -> Option<[u64; 2]> {
    let text: &[u8; HEX] = text.try_into().ok()?;
    let mut wrong = 0;
    let mut words = [0u64; 2];
    for (i, eight) in text.as_chunks().0.iter().enumerate() {
        let (value, not) = number(u64::from_le_bytes(*eight));
        words[i / 2] = words[i / 2] << 32 | u64::from(value);
        wrong |= not;
    }
    (wrong == 0).then_some(words)
}

/// Four halves, the first digits' first.
#[allow(clippy::cast_possible_truncation)]
fn halves([a, b]: [u64; 2]) -> [u32; 4] {
    [(a >> 32) as u32, a as u32, (b >> 32) as u32, b as u32]
}

/// Eight digits, the first in the lowest byte.
#[inline]
const fn digits(value: u32) -> u64 {
    // The highest byte goes lowest, each into a lane of two.
    let bytes = value.swap_bytes() as u64;
    let bytes = (bytes | bytes << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (bytes | bytes << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes >> 4 | bytes << 8) & (ONES * 0x0f);
    let letters = (nibbles + ONES * 6) >> 4 & ONES;
    nibbles + ONES * b'0' as u64 + letters * (b'a' - b'9' - 1) as u64
}

/// What eight digits say, the first in the lowest byte, and zero if all of them are digits.
#[inline]
#[allow(clippy::cast_possible_truncation)]
const fn number(text: u64) -> (u32, u64) {
    // What is at least so much, by the highest bit; no sum reaches the next byte.
    let plain = text & !HIGHS;
    let digits = (plain + ONES * (0x80 - b'0') as u64) & !(plain + ONES * (0x7f - b'9') as u64);
    let letters = (plain + ONES * (0x80 - b'a') as u64) & !(plain + ONES * (0x7f - b'f') as u64);
    let wrong = (!(digits | letters) | text) & HIGHS;
    let nibbles = (text & (ONES * 0x0f)) + ((letters & HIGHS) >> 7) * 9;
    let bytes = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let bytes = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    (((bytes | bytes >> 16) as u32).swap_bytes(), wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_lower_case_digits_are_digits() {
        for place in 0..HEX {
            for byte in 0..=u8::MAX {
                let mut text = *b"0123456789abcdeffedcba9876543210";
                text[place] = byte;
                let digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                let id = hex_id(&text);
                assert_eq!(id.is_some(), digit, "{byte} at {place}");
                assert!(id.is_none_or(|id| hex_text(id) == text));
            }
        }
        assert_eq!(hex_id(b"0123456789abcdef"), None);
        assert_eq!(hex_id(&[b'0'; 33]), None);
    }

    proptest! {
        #[test]
        fn digits_are_those_that_format_writes(words: [u64; 2]) {
            let text = hex_text(words);
            let expected = format!("{:016x}{:016x}", words[0], words[1]);
            prop_assert_eq!(&text[..], expected.as_bytes());
            prop_assert_eq!(hex_id(&text), Some(words));
        }
    }
}
