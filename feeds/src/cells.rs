//! Rows of comma-separated text, and the numbers in their cells: exact, or not at all. No number
//! goes through a float. Quoted cells are not read: no format here writes them.

use memchr::memchr2_iter;

/// Where the cells of a row end. Reused from row to row.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    ends: Vec<usize>,
}

/// A row has a quoted cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted;

impl Cells {
    /// Most cells of a row that are looked at; the widest format has 200.
    pub const MAX: usize = 4096;

    /// Finds the cells of a row; gives how many there are.
    ///
    /// # Errors
    /// [`Quoted`].
    #[inline]
    pub fn split(&mut self, row: &[u8]) -> Result<usize, Quoted> {
        self.ends.clear();
        for at in memchr2_iter(b',', b'"', row) {
            if row[at] == b'"' {
                return Err(Quoted);
            }
            self.ends.push(at);
            if self.ends.len() == Self::MAX {
                break;
            }
        }
        self.ends.push(row.len());
        Ok(self.ends.len())
    }

    /// The cell of a column, of the row that was split last; empty if it has no such column.
    #[inline]
    #[must_use]
    pub fn cell<'a>(&self, row: &'a [u8], column: usize) -> &'a [u8] {
        let from = match column {
            0 => Some(0),
            _ => self.ends.get(column - 1).map(|&end| end + 1),
        };
        let range = from.zip(self.ends.get(column));
        range.and_then(|(from, &to)| row.get(from..to)).unwrap_or_default()
    }
}

/// A whole number without a sign.
#[inline]
#[must_use]
pub fn whole(cell: &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for &byte in cell {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!cell.is_empty()).then_some(number)
}

/// A whole number that may have a minus.
#[inline]
#[must_use]
pub fn integer(cell: &[u8]) -> Option<i64> {
    match cell.strip_prefix(b"-") {
        Some(digits) => 0i64.checked_sub_unsigned(whole(digits)?),
        None => whole(cell)?.try_into().ok(),
    }
}

/// A decimal number as a count of 10^-`digits`; `None` if it is none, is finer, or too large.
#[inline]
#[must_use]
pub fn decimal(cell: &[u8], digits: u32) -> Option<i64> {
    scaled(cell, i64::from(digits))
}

/// The same of a number that may be written with an exponent, such as `1e-7`.
#[must_use]
pub fn scientific(cell: &[u8], digits: u32) -> Option<i64> {
    match cell.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        None => decimal(cell, digits),
        Some(at) => {
            let exponent = &cell[at + 1..];
            let exponent = integer(exponent.strip_prefix(b"+").unwrap_or(exponent))?;
            scaled(&cell[..at], exponent.checked_add(digits.into())?)
        }
    }
}

/// A decimal number times 10^`shift`.
#[inline]
fn scaled(cell: &[u8], shift: i64) -> Option<i64> {
    let (negative, digits) = match cell.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, cell),
    };
    // Fractional digits that fit, less those that came.
    let (mut number, mut room, mut fraction, mut any) = (0i64, shift, false, false);
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        match byte {
            b'.' if !fraction => fraction = true,
            _ if digit > 9 => return None,
            // Zeros that do not fit say nothing.
            _ if fraction && room <= 0 => {
                any = true;
                if digit > 0 {
                    return None;
                }
            }
            _ => {
                any = true;
                number = number.checked_mul(10)?.checked_add(digit.into())?;
                room -= i64::from(fraction);
            }
        }
    }
    if !any {
        return None;
    }
    let number = match u32::try_from(room) {
        _ if number == 0 => 0,
        Ok(room) => number.checked_mul(10i64.checked_pow(room)?)?,
        // The exponent takes away whole digits, which must be zeros.
        Err(_) => {
            let power = 10i64.checked_pow(u32::try_from(-room).ok()?)?;
            (number % power == 0).then_some(number / power)?
        }
    };
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_exact_or_none() {
        assert_eq!(decimal(b"5.51", 9), Some(5_510_000_000));
        assert_eq!(decimal(b"-0.5", 1), Some(-5));
        assert_eq!(decimal(b"7", 0), Some(7));
        assert_eq!(decimal(b"7.000", 0), Some(7));
        assert_eq!(decimal(b"1.2500", 2), Some(125));
        assert_eq!(decimal(b"9223372036.854775807", 9), Some(i64::MAX));
        for bad in ["", "-", ".", "1.2.3", "1e5", "+1", " 1", "0x1", "9223372036.854775808"] {
            assert_eq!(decimal(bad.as_bytes(), 9), None, "{bad}");
        }
        assert_eq!(decimal(b"1.251", 2), None);
        assert_eq!(scientific(b"1e-7", 8), Some(10));
        assert_eq!(scientific(b"1.5E+2", 0), Some(150));
        assert_eq!(scientific(b"1200e-2", 0), Some(12));
        for bad in ["1e-9", "1e", "1e99", "e5", "1e-99999999999999999999", "1250e-2", "1e1.0"] {
            assert_eq!(scientific(bad.as_bytes(), 0), None, "{bad}");
        }
        assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!([integer(b"-"), integer(b"9223372036854775808"), integer(b"--1")], [None; 3]);
        assert_eq!(whole(b"18446744073709551616"), None);
    }

    #[test]
    fn cells_are_what_stands_between_commas() {
        let mut cells = Cells::default();
        let row = b"a,,bc,";
        assert_eq!(cells.split(row), Ok(4));
        let all: Vec<&[u8]> = (0..5).map(|column| cells.cell(row, column)).collect();
        assert_eq!(all, [&b"a"[..], b"", b"bc", b"", b""]);
        assert_eq!(cells.split(b"a,\"b\""), Err(Quoted));
        assert_eq!(cells.split(b""), Ok(1));
    }

    proptest! {
        /// As `rust_decimal` judges, at every scale.
        #[test]
        fn decimals_are_those_of_the_floor(
            text in "-?[0-9]{0,12}(\\.[0-9]{0,12})?",
            digits in 0u32..=9,
        ) {
            let expected = market::number::parse_scaled(&text, digits).ok();
            prop_assert_eq!(decimal(text.as_bytes(), digits), expected);
        }
    }
}
