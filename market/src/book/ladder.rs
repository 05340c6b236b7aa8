//! One side of one book: its price levels, sorted, with the best at the end. All memory is taken at
//! construction, unless it may grow (research); a level that does not fit is refused.
//!
//! What stands at a level keeps its slot for as long as the level lives, whatever comes before or
//! behind it. An order remembers the slot of its level, so that most events search for nothing.

use super::Contradiction;
use crate::{Level, Price, Qty, Side, prefetch};

/// Levels behind the best that a search looks at first, all at once.
const NEAR: usize = 8;

/// Where what stands at a level is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u16);

#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    side: Side,
    /// A level at the best `watched` changed since this was last asked.
    changed: bool,
    watched: usize,
    rungs: Vec<Rung>,
    totals: Vec<Total>,
    /// Most levels that there may ever be.
    limit: usize,
    /// Slots that no level has.
    free: Vec<Slot>,
}

/// A level among its neighbours.
#[derive(Clone, Copy, Debug)]
struct Rung {
    /// Grows toward the best: the price of a bid, the negated price of an ask.
    key: i64,
    slot: Slot,
}

/// What stands at a level.
#[derive(Clone, Copy, Debug)]
struct Total {
    qty: i64,
    orders: u32,
}

impl Ladder {
    /// Room for `limit` levels, at most 65,536.
    pub(crate) fn new(side: Side, limit: usize) -> Self {
        let free: Vec<Slot> = (0..=u16::MAX).take(limit).rev().map(Slot).collect();
        // Filled once with something other than zero, so that every page is touched now.
        let mut rungs = vec![Rung { key: i64::MIN, slot: Slot(0) }; free.len()];
        let totals = vec![Total { qty: i64::MIN, orders: 0 }; free.len()];
        rungs.clear();
        let limit = totals.len();
        Ladder { side, changed: true, watched: usize::MAX, rungs, totals, limit, free }
    }

    /// Room for 65,536 levels, taken as they come.
    pub(crate) fn growing(side: Side) -> Self {
        Ladder { limit: 1 << 16, ..Ladder::new(side, 0) }
    }

    /// Begins to fetch the ladder itself.
    #[inline]
    pub(crate) fn prefetch(&self) {
        prefetch::line(self);
    }

    /// Begins to fetch what a search looks at, and the slot that a new level would get.
    #[inline]
    pub(crate) fn prefetch_search(&self) {
        if let Some(&free) = self.free.last() {
            self.prefetch_level(free);
        }
    }

    /// Begins to fetch what stands at a level, and what a search for it looks at.
    #[inline]
    pub(crate) fn prefetch_level(&self, slot: Slot) {
        if let (Some(total), Some(best)) = (self.total(slot), self.rungs.last()) {
            prefetch::line(total);
            prefetch::line(best);
            prefetch::line(&self.rungs[self.rungs.len().saturating_sub(NEAR)]);
            prefetch::line(&self.rungs[self.rungs.len() / 2]);
        }
    }

    /// A hint must not be able to fail, whoever gives it.
    #[inline]
    fn total(&self, slot: Slot) -> Option<&Total> {
        self.totals.get(usize::from(slot.0))
    }

    /// Only changes of the best `levels` count as such.
    pub(crate) fn watch(&mut self, levels: usize) {
        self.watched = levels;
        self.changed = true;
    }

    /// Whether one of the watched levels changed since [`Ladder::take_changed`] was last called.
    pub(crate) const fn is_changed(&self) -> bool {
        self.changed
    }

    /// The same, and begins anew.
    pub(crate) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    /// No book takes the one price whose negation overflows.
    #[inline]
    fn key(&self, price: Price) -> i64 {
        price.raw() * self.side.sign()
    }

    #[inline]
    fn price(&self, rung: Rung) -> Price {
        Price::from_raw(rung.key * self.side.sign())
    }

    /// Notes a change at a level that is there: before it goes, after it came.
    #[inline]
    fn note(&mut self, key: i64) {
        let last = self.rungs.len().checked_sub(self.watched);
        self.changed |= last.is_none_or(|at| self.rungs.get(at).is_some_and(|r| r.key <= key));
    }

    /// The place of a key, or else where it would be put.
    #[inline]
    fn find(&self, key: i64) -> Result<usize, usize> {
        let far = self.rungs.len().saturating_sub(NEAR);
        let (far, near) = self.rungs.split_at(far);
        if let Ok(near) = <&[Rung; NEAR]>::try_from(near)
            && near[0].key <= key
        {
            // No branch that could be guessed wrong but the last.
            let at = near.iter().map(|rung| usize::from(rung.key <= key)).sum::<usize>() - 1;
            let (found, at) = (near[at].key == key, far.len() + at);
            return if found { Ok(at) } else { Err(at + 1) };
        }
        self.rungs.binary_search_by(|rung| rung.key.cmp(&key))
    }

    fn insert(&mut self, at: usize, key: i64, total: Total) -> Result<Slot, Contradiction> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow()?,
        };
        self.totals[usize::from(slot.0)] = total;
        self.rungs.insert(at, Rung { key, slot });
        Ok(slot)
    }

    /// Another slot, if there may be one.
    #[cold]
    fn grow(&mut self) -> Result<Slot, Contradiction> {
        let slot = u16::try_from(self.totals.len()).ok().filter(|_| self.totals.len() < self.limit);
        let slot = Slot(slot.ok_or(Contradiction::LevelsFull)?);
        self.totals.push(Total { qty: i64::MIN, orders: 0 });
        Ok(slot)
    }

    fn remove(&mut self, at: usize) {
        let Rung { slot, .. } = self.rungs.remove(at);
        self.free.push(slot);
    }

    /// An order joins; gives where its level is kept for as long as an order is there. Nothing changes
    /// on an error.
    pub(crate) fn join(&mut self, price: Price, qty: Qty) -> Result<Slot, Contradiction> {
        let key = self.key(price);
        let slot = match self.find(key) {
            Ok(at) => {
                let slot = self.rungs[at].slot;
                let total = &mut self.totals[usize::from(slot.0)];
                total.qty = total.qty.checked_add(qty.raw()).ok_or(Contradiction::Overflow)?;
                total.orders += 1;
                slot
            }
            Err(at) => self.insert(at, key, Total { qty: qty.raw(), orders: 1 })?,
        };
        self.note(key);
        Ok(slot)
    }

    /// `qty` of an order goes, and with `leaves` the order itself. Both were put in by `join`, which
    /// gave its slot.
    pub(crate) fn take(&mut self, slot: Slot, price: Price, qty: Qty, leaves: bool) {
        let key = self.key(price);
        self.note(key);
        let total = &mut self.totals[usize::from(slot.0)];
        total.qty -= qty.raw();
        total.orders -= u32::from(leaves);
        if total.orders == 0 {
            match self.find(key) {
                Ok(at) => self.remove(at),
                Err(_) => debug_assert!(false, "an order stands at a price without a level"),
            }
        }
    }

    /// A level's total becomes `qty`, zero removing it; gives back the total before.
    pub(crate) fn set(&mut self, price: Price, qty: Qty) -> Result<Qty, Contradiction> {
        let key = self.key(price);
        match self.find(key) {
            Ok(at) => {
                self.note(key);
                let total = &mut self.totals[usize::from(self.rungs[at].slot.0)];
                let before = std::mem::replace(&mut total.qty, qty.raw());
                if qty == Qty::ZERO {
                    self.remove(at);
                }
                Ok(Qty::from_raw(before))
            }
            // A feed may remove a level that lay beyond what it showed.
            Err(_) if qty == Qty::ZERO => Ok(Qty::ZERO),
            Err(at) => {
                self.insert(at, key, Total { qty: qty.raw(), orders: 0 })?;
                self.note(key);
                Ok(Qty::ZERO)
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.free.extend(self.rungs.drain(..).map(|rung| rung.slot));
        self.changed = true;
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.rungs.len()
    }

    #[inline]
    pub(crate) fn best_price(&self) -> Option<Price> {
        self.rungs.last().map(|&rung| self.price(rung))
    }

    /// The level `depth` places behind the best.
    #[inline]
    pub(crate) fn level(&self, depth: usize) -> Option<Level> {
        let rung = self.rungs[self.rungs.len().checked_sub(depth)?.checked_sub(1)?];
        let Total { qty, orders } = self.totals[usize::from(rung.slot.0)];
        Some(Level { price: self.price(rung), qty: Qty::from_raw(qty), orders })
    }

    /// Sorted without repeats, no level is empty, and every slot has one place.
    pub(crate) fn audit(&self) -> Result<(), &'static str> {
        if !self.rungs.is_sorted_by(|a, b| a.key < b.key) {
            return Err("levels are not sorted");
        }
        if self.rungs.iter().any(|rung| self.totals[usize::from(rung.slot.0)].qty <= 0) {
            return Err("a level is empty");
        }
        let mut slots: Vec<u16> = self.free.iter().map(|slot| slot.0).collect();
        slots.extend(self.rungs.iter().map(|rung| rung.slot.0));
        slots.sort_unstable();
        let whole = slots.iter().zip(0..).all(|(&slot, at)| slot == at);
        if !whole || slots.len() != self.totals.len() {
            return Err("a slot has two levels or none");
        }
        Ok(())
    }
}
