//! One row, without what only its instrument knows: amounts are still text.

use super::columns::{Columns, Kind};
use crate::cells::{Cells, scientific, whole};
use market::{Price, Side};

/// What a row says, whatever its instrument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A level's amount.
    Level { snapshot: bool, side: Side, price: Price, amount: i64 },
    /// A trade; the side is the taker's.
    Trade { id: u64, side: Option<Side>, price: Price, amount: i64 },
    /// The levels of the book, which stand elsewhere.
    Book,
    /// Nothing that is read.
    Nothing,
}

/// Raw price and quantity of bids and asks.
pub(super) type Sides = [Vec<(i64, i64)>; 2];

/// The times of a row, in nanoseconds: the venue's, and the recorder's.
pub(super) fn times(
    columns: &Columns,
    cells: &Cells,
    row: &[u8],
) -> Result<(u64, u64), &'static str> {
    let micros = |column| whole(cells.cell(row, column))?.checked_mul(1_000);
    let times = micros(columns.timestamp).zip(micros(columns.local_timestamp));
    times.ok_or("time is no count of microseconds")
}

/// What a row says; the levels of a book go to `book`.
pub(super) fn read(
    columns: &Columns,
    cells: &Cells,
    row: &[u8],
    qty_digits: u32,
    book: &mut Sides,
) -> Result<Said, &'static str> {
    let cell = |column| cells.cell(row, column);
    let price = |column| {
        // Combinations and spreads trade at zero and below.
        let raw = scientific(cell(column), Price::DIGITS);
        raw.map(Price::from_raw).ok_or("price is none, or finer than 1e-9")
    };
    let amount = |column| {
        let raw = scientific(cell(column), qty_digits).filter(|&raw| raw >= 0);
        raw.ok_or("amount is none, or does not fit the instrument's scale")
    };
    Ok(match columns.kind {
        Kind::Incremental => Said::Level {
            snapshot: match cell(columns.is_snapshot) {
                b"true" | b"True" => true,
                b"false" | b"False" => false,
                _ => return Err("is_snapshot is neither true nor false"),
            },
            side: match cell(columns.side) {
                b"bid" => Side::Buy,
                b"ask" => Side::Sell,
                _ => return Err("side is neither bid nor ask"),
            },
            price: price(columns.price)?,
            amount: amount(columns.amount)?,
        },
        Kind::Trades => Said::Trade {
            id: whole(cell(columns.id)).unwrap_or_default(),
            side: match cell(columns.side) {
                b"buy" => Some(Side::Buy),
                b"sell" => Some(Side::Sell),
                b"unknown" | b"" => None,
                _ => return Err("side is neither buy, sell nor unknown"),
            },
            price: price(columns.price)?,
            amount: amount(columns.amount)?,
        },
        Kind::Snapshot(_) | Kind::Quotes => {
            book.iter_mut().for_each(Vec::clear);
            for level in &columns.levels {
                for (side, &(at, size)) in book.iter_mut().zip(level) {
                    // A level that is not there has empty cells, or no amount.
                    if cell(at).is_empty() || cell(size).is_empty() {
                        continue;
                    }
                    let level = (price(at)?.raw(), amount(size)?);
                    if level.1 > 0 {
                        side.push(level);
                    }
                }
            }
            Said::Book
        }
        Kind::Other => Said::Nothing,
    })
}
