//! One row of the order book: ask price, ask size, bid price and bid size of each level.

use super::PRICE_UNIT;
use crate::cells::{Cells, integer};
use market::Side;

/// The price of an ask that is not there; that of a bid is its negative.
const EMPTY: i64 = 9_999_999_999;

/// A book, reused from row to row.
#[derive(Clone, Debug, Default)]
pub struct BookRow {
    cells: Cells,
    /// Raw price and shares of bids and asks.
    sides: [Vec<(i64, i64)>; 2],
}

impl BookRow {
    /// Reads a row of `levels` levels. What was read before is gone, whatever comes of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(&mut self, row: &[u8], levels: usize) -> Result<(), &'static str> {
        self.sides.iter_mut().for_each(Vec::clear);
        match self.cells.split(row) {
            Ok(cells) if cells == 4 * levels => {}
            Ok(_) => return Err("row of the book has not four cells for each level"),
            Err(_) => return Err("row of the book has a quoted cell"),
        }
        for level in 0..levels {
            for (side, from) in [(Side::Sell, 0), (Side::Buy, 2)] {
                let [price, size] =
                    [0, 1].map(|more| integer(self.cells.cell(row, 4 * level + from + more)));
                let (Some(price), Some(size)) = (price, size) else {
                    return Err("cell of the book is no whole number");
                };
                if price.unsigned_abs() == EMPTY.unsigned_abs() || size == 0 {
                    continue;
                }
                let price = price.checked_mul(PRICE_UNIT).filter(|&price| price > 0);
                let price = price.ok_or("price of the book is none")?;
                if size < 0 {
                    return Err("size of the book is negative");
                }
                let levels = &mut self.sides[side.index()];
                let behind = |&(best, _): &(i64, i64)| match side {
                    Side::Buy => price < best,
                    Side::Sell => price > best,
                };
                if !levels.last().is_none_or(behind) {
                    return Err("levels of the book are out of order");
                }
                levels.push((price, size));
            }
        }
        Ok(())
    }

    /// Raw price and shares of the levels of a side, the best first.
    #[must_use]
    pub fn side(&self, side: Side) -> &[(i64, i64)] {
        &self.sides[side.index()]
    }
}

/// Levels of a file whose first row is this; `None` if it is no row of a book.
#[must_use]
pub(super) fn levels(row: &[u8]) -> Option<usize> {
    let levels = Cells::default().split(row).ok()? / 4;
    BookRow::default().parse(row, levels).ok()?;
    (levels > 0).then_some(levels)
}
