//! One side of one book: price levels in a sorted vector with the best at its end. Its memory is
//! taken at construction; a level that does not fit is refused, never made room for.
//!
//! Most events touch a level near the best, so a search looks at a few levels there one by one
//! (one cache line of prices) before it halves the rest; inserting there moves little.

use super::Contradiction;
use crate::{Level, Price, Qty, Side};

/// Levels looked at one by one before the binary search.
const NEAR: usize = 8;

#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    side: Side,
    limit: usize,
    /// Ascending toward the best: the price of a bid, the negated price of an ask.
    keys: Vec<i64>,
    /// What stands at each key.
    totals: Vec<Total>,
}

#[derive(Clone, Copy, Debug)]
struct Total {
    qty: i64,
    orders: u32,
}

impl Ladder {
    pub(crate) fn new(side: Side, limit: usize) -> Self {
        // Filled once with something other than zero, so that every page is touched now.
        let mut keys = vec![i64::MIN; limit];
        let mut totals = vec![Total { qty: i64::MIN, orders: 0 }; limit];
        keys.clear();
        totals.clear();
        Ladder { side, limit, keys, totals }
    }

    /// Prices of books are positive, so negation cannot overflow.
    fn key(&self, price: Price) -> i64 {
        price.raw() * self.side.sign()
    }

    /// The place of a key, or else where it would be put.
    fn find(&self, key: i64) -> Result<usize, usize> {
        let far = self.keys.len().saturating_sub(NEAR);
        for at in (far..self.keys.len()).rev() {
            match self.keys[at].cmp(&key) {
                std::cmp::Ordering::Equal => return Ok(at),
                std::cmp::Ordering::Less => return Err(at + 1),
                std::cmp::Ordering::Greater => {}
            }
        }
        self.keys[..far].binary_search(&key)
    }

    fn insert(&mut self, at: usize, key: i64, total: Total) -> Result<(), Contradiction> {
        if self.keys.len() >= self.limit {
            return Err(Contradiction::LevelsFull);
        }
        self.keys.insert(at, key);
        self.totals.insert(at, total);
        Ok(())
    }

    fn remove(&mut self, at: usize) {
        self.keys.remove(at);
        self.totals.remove(at);
    }

    /// An order joins. Nothing changes on an error.
    pub(crate) fn join(&mut self, price: Price, qty: Qty) -> Result<(), Contradiction> {
        let key = self.key(price);
        match self.find(key) {
            Ok(at) => {
                let total = &mut self.totals[at];
                total.qty = total.qty.checked_add(qty.raw()).ok_or(Contradiction::Overflow)?;
                total.orders += 1;
                Ok(())
            }
            Err(at) => self.insert(at, key, Total { qty: qty.raw(), orders: 1 }),
        }
    }

    /// `qty` of an order goes, and with `leaves` the order itself. Both were put in by `join`.
    pub(crate) fn take(&mut self, price: Price, qty: Qty, leaves: bool) {
        let Ok(at) = self.find(self.key(price)) else {
            debug_assert!(false, "an order stands at a price without a level");
            return;
        };
        let total = &mut self.totals[at];
        total.qty -= qty.raw();
        total.orders -= u32::from(leaves);
        if total.orders == 0 {
            self.remove(at);
        }
    }

    /// A level's total becomes `qty`, zero removing it; gives back the total before.
    pub(crate) fn set(&mut self, price: Price, qty: Qty) -> Result<Qty, Contradiction> {
        let key = self.key(price);
        match self.find(key) {
            Ok(at) => {
                let before = std::mem::replace(&mut self.totals[at].qty, qty.raw());
                if qty == Qty::ZERO {
                    self.remove(at);
                }
                Ok(Qty::from_raw(before))
            }
            // A feed may remove a level that lay beyond what it showed.
            Err(_) if qty == Qty::ZERO => Ok(Qty::ZERO),
            Err(at) => {
                self.insert(at, key, Total { qty: qty.raw(), orders: 0 })?;
                Ok(Qty::ZERO)
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.totals.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn best_price(&self) -> Option<Price> {
        self.keys.last().map(|&key| Price::from_raw(key * self.side.sign()))
    }

    /// The level `depth` places behind the best.
    pub(crate) fn level(&self, depth: usize) -> Option<Level> {
        let at = self.keys.len().checked_sub(depth)?.checked_sub(1)?;
        let Total { qty, orders } = self.totals[at];
        let price = Price::from_raw(self.keys[at] * self.side.sign());
        Some(Level { price, qty: Qty::from_raw(qty), orders })
    }

    /// Sorted without repeats, and no level is empty.
    pub(crate) fn audit(&self) -> Result<(), &'static str> {
        if self.keys.len() != self.totals.len() || self.keys.len() > self.limit {
            return Err("levels and totals do not match");
        }
        if !self.keys.is_sorted_by(|a, b| a < b) {
            return Err("levels are not sorted");
        }
        if self.totals.iter().any(|total| total.qty <= 0) {
            return Err("a level is empty");
        }
        Ok(())
    }
}
