//! One row of messages: time, type, order id, size, price, direction.

use super::PRICE_UNIT;
use crate::cells::{Cells, integer, whole};
use market::{Nanos, Price, Qty, Side};

/// Columns of a row.
const COLUMNS: usize = 6;
/// Nanoseconds of a day.
const DAY: u64 = 86_400_000_000_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 1: a new order.
    Submission,
    /// 2: a part of an order is cancelled.
    Cancellation,
    /// 3: an order is deleted.
    Deletion,
    /// 4: a displayed order is executed.
    Execution,
    /// 5: a hidden order is executed.
    HiddenExecution,
    /// 6: a cross, such as an auction.
    Cross,
    /// 7: trading is halted; the price says what follows.
    Halt,
}

impl Kind {
    /// Every type, from 1 on.
    pub const ALL: [Kind; 7] = [
        Kind::Submission,
        Kind::Cancellation,
        Kind::Deletion,
        Kind::Execution,
        Kind::HiddenExecution,
        Kind::Cross,
        Kind::Halt,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Submission => "1 submission",
            Kind::Cancellation => "2 cancellation",
            Kind::Deletion => "3 deletion",
            Kind::Execution => "4 execution",
            Kind::HiddenExecution => "5 hidden execution",
            Kind::Cross => "6 cross",
            Kind::Halt => "7 halt",
        }
    }
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Since midnight in New York.
    pub time: Nanos,
    /// What happened.
    pub kind: Kind,
    /// Whose order; zero of hidden ones, -1 of crosses.
    pub order: i64,
    /// Shares.
    pub size: i64,
    /// The price as it stands, in 1e-4 dollars; of a halt, what follows.
    pub price: i64,
    /// Side of the order; in a cross or halt, none is meant.
    pub side: Side,
}

impl Message {
    /// Reads a row.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(cells: &mut Cells, row: &[u8]) -> Result<Message, &'static str> {
        match cells.split(row) {
            Ok(COLUMNS) => {}
            Ok(_) => return Err("message has not six cells"),
            Err(_) => return Err("message has a quoted cell"),
        }
        let cell = |column| cells.cell(row, column);
        let kind = whole(cell(1)).and_then(|kind| usize::try_from(kind).ok()?.checked_sub(1));
        let kind = kind.and_then(|kind| Kind::ALL.get(kind).copied());
        let side = match cell(5) {
            b"1" => Some(Side::Buy),
            // Of a cross or a halt, where no side is meant, it may be zero.
            b"-1" | b"0" => Some(Side::Sell),
            _ => None,
        };
        Ok(Message {
            time: time(cell(0)).ok_or("time of a message is none")?,
            kind: kind.ok_or("type of a message is none of 1 to 7")?,
            order: integer(cell(2)).ok_or("order id of a message is none")?,
            size: integer(cell(3)).filter(|&size| size >= 0).ok_or("size of a message is none")?,
            price: integer(cell(4)).ok_or("price of a message is none")?,
            side: side.ok_or("direction of a message is neither 1 nor -1")?,
        })
    }

    /// What traded at what price; `None` if nothing did, or beyond what prices and quantities hold.
    #[must_use]
    pub fn traded(&self, share: i64) -> Option<(Price, Qty)> {
        let trade = matches!(self.kind, Kind::Execution | Kind::HiddenExecution | Kind::Cross);
        let price = self.price.checked_mul(PRICE_UNIT).filter(|&price| price > 0)?;
        let size = self.size.checked_mul(share).filter(|&size| size > 0)?;
        trade.then(|| (Price::from_raw(price), Qty::from_raw(size)))
    }
}

/// Seconds after midnight, whose fraction has any number of digits; rounded to the nanosecond,
/// since some files were written through floats.
#[must_use]
pub(super) fn time(cell: &[u8]) -> Option<Nanos> {
    let (seconds, fraction) = match cell.iter().position(|&byte| byte == b'.') {
        Some(at) => (&cell[..at], &cell[at + 1..]),
        None => (cell, &b""[..]),
    };
    if !fraction.iter().all(u8::is_ascii_digit) || fraction.len() > 18 {
        return None;
    }
    let digit = |at: usize| u64::from(fraction.get(at).map_or(0, |byte| byte - b'0'));
    let nanos = (0..9).fold(0, |nanos, at| nanos * 10 + digit(at)) + u64::from(digit(9) >= 5);
    let nanos = whole(seconds)?.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    (nanos < DAY).then(|| Nanos::new(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_padded_and_never_floats() {
        let nanos = |text: &str| time(text.as_bytes()).map(Nanos::get);
        assert_eq!(nanos("34200.18960767"), Some(34_200_189_607_670));
        assert_eq!(nanos("34200.017459617"), Some(34_200_017_459_617));
        assert_eq!(nanos("36023"), Some(36_023_000_000_000));
        assert_eq!(nanos("34200.016237149998"), Some(34_200_016_237_150));
        assert_eq!(nanos("0.9999999999"), Some(1_000_000_000));
        for bad in ["", ".5", "86400", "-1", "3e4", "1.2.3", "1.x", "99999999999999999999"] {
            assert_eq!(nanos(bad), None, "{bad}");
        }
    }
}
