//! The levels of one pair with the digits as the venue sent them, for its checksum: CRC-32 over price
//! and volume of the ten best asks and then the ten best bids, without points and leading zeros. A
//! number cannot stand for the digits: it forgets zeros behind.

use super::frame::Row;
use crate::digits::{decimal, halves, joined};
use crate::level::NotANumber;
use market::{Price, Qty, Side};
use std::collections::BTreeMap;

/// Fractional digits of volumes.
pub const QTY_DIGITS: u32 = 8;
/// Levels of each side that the checksum covers.
const COVERED: usize = 10;

/// A level changed: side, price, new volume. No price: an ask so far off that none can be had.
pub type Change = (Side, Option<Price>, Qty);

/// A price of any size: before and behind its point, in 1e-9.
type Key = (u64, u64);

/// See the module.
#[derive(Clone, Debug)]
pub struct Book {
    /// Bids, asks: the digits of price and volume, by price.
    sides: [BTreeMap<Key, Box<[u8]>>; 2],
    /// Levels of a side that were subscribed to.
    depth: usize,
}

impl Book {
    /// An empty book of a subscription to `depth` levels.
    #[must_use]
    pub fn new(depth: usize) -> Book {
        Book { sides: Default::default(), depth }
    }

    /// Changes levels of one side and tells each change.
    ///
    /// # Errors
    /// [`NotANumber`]: the book is not to be used any more.
    pub fn update(
        &mut self,
        side: Side,
        rows: &[Row<'_>],
        qty_digits: u32,
        mut told: impl FnMut(Change),
    ) -> Result<(), NotANumber> {
        let levels = &mut self.sides[side.index()];
        for row in rows {
            let key = halves(row.price.as_bytes(), Price::DIGITS).filter(|&key| key > (0, 0));
            let qty = decimal(row.volume.as_bytes(), qty_digits).map(Qty::from_raw);
            let (key, qty) = key.zip(qty).ok_or(NotANumber)?;
            if side == Side::Buy && price_of(key).is_none() {
                return Err(NotANumber);
            }
            if qty.is_positive() {
                levels.insert(key, digits(&row.price, &row.volume));
            } else {
                levels.remove(&key);
            }
            told((side, price_of(key), qty));
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
                let Some((key, _)) = worst else { break };
                told((side, price_of(key), Qty::ZERO));
            }
        }
    }

    /// The venue's checksum of what is here.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        let [bids, asks] = &self.sides;
        let mut crc = crc32fast::Hasher::new();
        asks.values().take(COVERED).for_each(|digits| crc.update(digits));
        bids.values().rev().take(COVERED).for_each(|digits| crc.update(digits));
        crc.finalize()
    }
}

fn price_of((whole, fraction): Key) -> Option<Price> {
    joined(whole, fraction, Price::DIGITS).map(Price::from_raw)
}

/// Digits of price and volume without points and leading zeros.
fn digits(price: &str, volume: &str) -> Box<[u8]> {
    let of = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit);
        digits.skip_while(|&digit| digit == b'0').collect::<Vec<u8>>()
    };
    [of(price), of(volume)].concat().into_boxed_slice()
}
