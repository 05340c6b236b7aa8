//! Numbers as the venue sent them: their digits and where the point stood. The checksum is over those,
//! so that zeros behind are kept, which a value forgets.

use crate::level::NotANumber;
use market::{Price, Qty};

/// Most digits behind the point, and largest exponent of ten.
const BEHIND_MAX: u32 = 30;
/// What [`Number::push_to`] writes at most.
const DIGITS_MAX: usize = 39;

/// A number: `digits` × 10^-`behind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    digits: u128,
    behind: u32,
}

impl Number {
    /// A plain decimal number, such as `0.05000`.
    ///
    /// # Errors
    /// [`NotANumber`].
    pub fn plain(text: &str) -> Result<Number, NotANumber> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(NotANumber),
            Some(parts) => parts,
            None => (text, ""),
        };
        if whole.is_empty() || fraction.len() > BEHIND_MAX as usize {
            return Err(NotANumber);
        }
        let mut digits = 0u128;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = byte.wrapping_sub(b'0');
            let grown = digits.checked_mul(10).filter(|_| digit < 10);
            digits = grown.and_then(|ten| ten.checked_add(digit.into())).ok_or(NotANumber)?;
        }
        Ok(Number { digits, behind: fraction.len() as u32 })
    }

    /// A number of JSON, which may have an exponent, such as `5e-06`; or the same within quotes.
    ///
    /// # Errors
    /// [`NotANumber`], and for one that is less than nothing.
    pub fn json(text: &str) -> Result<Number, NotANumber> {
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let text = quoted.unwrap_or(text);
        let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
            return Number::plain(text);
        };
        let number = Number::plain(mantissa)?;
        let most = i64::from(BEHIND_MAX);
        let exponent = exponent.parse::<i64>().map_err(|_| NotANumber)?;
        let behind = i64::from(number.behind) - exponent.clamp(-2 * most, 2 * most);
        let behind = u32::try_from(behind.max(0)).map_err(|_| NotANumber)?;
        let raise = exponent.saturating_sub(number.behind.into());
        let raise = u32::try_from(raise.max(0)).map_err(|_| NotANumber)?;
        if behind > BEHIND_MAX || raise > BEHIND_MAX {
            return Err(NotANumber);
        }
        let digits = number.digits.checked_mul(10u128.pow(raise)).ok_or(NotANumber)?;
        Ok(Number { digits, behind })
    }

    /// Digits behind the point.
    #[must_use]
    pub fn behind(self) -> u32 {
        self.behind
    }

    /// True of nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// As a count of 10^-`digits`; `None` if it is finer than that or out of range.
    #[must_use]
    pub fn scaled(self, digits: u32) -> Option<u128> {
        match digits.checked_sub(self.behind) {
            Some(missing) => self.digits.checked_mul(10u128.checked_pow(missing)?),
            None => {
                let excess = 10u128.checked_pow(self.behind - digits)?;
                self.digits.is_multiple_of(excess).then(|| self.digits / excess)
            }
        }
    }

    /// As a price; `None` if it is out of range.
    #[must_use]
    pub fn price(self) -> Option<Price> {
        i64::try_from(self.scaled(Price::DIGITS)?).ok().map(Price::from_raw)
    }

    /// As a quantity in units of 10^-`digits`; `None` if it is finer than that or out of range.
    #[must_use]
    pub fn qty(self, digits: u32) -> Option<Qty> {
        i64::try_from(self.scaled(digits)?).ok().map(Qty::from_raw)
    }

    /// Writes its digits without point and leading zeros, with zeros behind until there are `behind`
    /// digits behind the point.
    pub fn push_to(self, behind: u32, crc: &mut crc32fast::Hasher) {
        let padded = self.scaled(behind.max(self.behind)).unwrap_or(self.digits);
        let (mut text, mut at, mut left) = ([0; DIGITS_MAX], DIGITS_MAX, padded);
        while left > 0 {
            at -= 1;
            text[at] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        crc.update(&text[at..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str, behind: u32) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        Number::json(text).unwrap().push_to(behind, &mut crc);
        crc.finalize()
    }

    #[test]
    fn numbers_keep_the_digits_that_were_sent() {
        let sums = |text: &str| crc32fast::hash(text.as_bytes());
        assert_eq!(digits("0.05005", 0), sums("5005"));
        assert_eq!(digits("45281.0", 0), sums("452810"));
        assert_eq!(digits("\"0.10000000\"", 0), sums("10000000"));
        assert_eq!(digits("0.1", 8), sums("10000000"));
        assert_eq!(digits("5e-06", 0), digits("0.000005", 0));
        assert_eq!(digits("1.5E+3", 0), sums("1500"));
        assert_eq!(digits("12.5e1", 2), sums("12500"));
        assert_eq!(
            digits("99999999999999999999.1234567890", 0),
            sums("999999999999999999991234567890")
        );
    }

    #[test]
    fn values_are_exact_or_none() {
        let number = |text| Number::json(text).unwrap();
        assert_eq!(number("45283.5").price().unwrap().raw(), 45_283_500_000_000);
        assert_eq!(number("1e-05").qty(8).unwrap().raw(), 1_000);
        assert_eq!(number("3500.7766862600").qty(8).unwrap().raw(), 350_077_668_626);
        assert_eq!(number("0.000000001").qty(8), None);
        assert_eq!(number("9999999997.00000").price(), None);
        assert!(number("0.00000000").is_zero());
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1e", "1e99", "1e-99", "e5", "1e1e1", "1 ", "\""]
        {
            assert_eq!(Number::json(text), Err(NotANumber), "{text}");
        }
        assert_eq!(Number::plain("1e1"), Err(NotANumber));
    }
}
