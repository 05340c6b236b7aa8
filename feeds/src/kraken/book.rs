//! The levels of one pair with the digits as the venue sent them, for its checksum: CRC-32 over price
//! and volume of the ten best asks and then the ten best bids, without points and leading zeros.

use super::frame::Row;
use super::number::Number;
use super::sum::{COVERED, Digits};
use crate::level::NotANumber;
use market::{Price, Qty, Side};
use std::collections::BTreeMap;

/// A level changed: side, price, new volume. No price: an ask so far off that none can be had.
pub type Change = (Side, Option<Price>, Qty);

/// See the module.
#[derive(Clone, Debug)]
pub struct Book {
    /// Bids, asks: price and volume, by price in 1e-9 whatever its size.
    sides: [BTreeMap<u128, (Number, Number)>; 2],
    /// Levels of a side that were subscribed to.
    depth: usize,
    digits: Digits,
}

impl Book {
    /// An empty book of a subscription to `depth` levels.
    #[must_use]
    pub fn new(depth: usize) -> Book {
        Book { sides: Default::default(), depth, digits: Digits::default() }
    }

    /// Levels of a side that it has at most.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Changes levels of one side and tells each change.
    ///
    /// # Errors
    /// [`NotANumber`]: the book is not to be used any more.
    pub fn update(
        &mut self,
        side: Side,
        rows: &[Row],
        qty_digits: u32,
        mut told: impl FnMut(Change),
    ) -> Result<(), NotANumber> {
        let levels = &mut self.sides[side.index()];
        for row in rows {
            let (key, price) = place(side, row.price)?;
            let qty = row.qty.qty(qty_digits).ok_or(NotANumber)?;
            self.digits.saw(row.price, row.qty);
            if qty.is_positive() {
                levels.insert(key, (row.price, row.qty));
            } else {
                levels.remove(&key);
            }
            told((side, price, qty));
        }
        Ok(())
    }

    /// Levels beyond the depth that was subscribed to go: the venue does not tell.
    pub fn truncate(&mut self, mut told: impl FnMut(Change)) {
        for side in Side::BOTH {
            let levels = &mut self.sides[side.index()];
            while levels.len() > self.depth {
                let worst = match side {
                    Side::Buy => levels.pop_first(),
                    Side::Sell => levels.pop_last(),
                };
                let Some((_, (price, _))) = worst else { break };
                told((side, price.price(), Qty::ZERO));
            }
        }
    }

    /// True if the venue's checksum is that of what is here; `told`: digits of price and volume behind
    /// the point, where the venue told them.
    pub fn holds(&mut self, sum: u32, told: Option<[u32; 2]>) -> bool {
        let [bids, asks] = &self.sides;
        self.digits.hold(sum, told, || {
            let asks = asks.values().take(COVERED);
            asks.chain(bids.values().rev().take(COVERED)).copied()
        })
    }
}

/// Where a price stands in a book, and the price itself: an ask may have none.
pub(super) fn place(side: Side, price: Number) -> Result<(u128, Option<Price>), NotANumber> {
    let key = price.scaled(Price::DIGITS).filter(|&key| key > 0).ok_or(NotANumber)?;
    match (side, price.price()) {
        (Side::Buy, None) => Err(NotANumber),
        (_, price) => Ok((key, price)),
    }
}
