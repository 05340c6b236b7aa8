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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot(u16);

/// A cache line, apart from the levels themselves.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Ladder {
    /// Every slot once: those of levels, sorted by key, and behind them those that no level has.
    rungs: Vec<Rung>,
    totals: Vec<Total>,
    /// Levels that there are.
    levels: u32,
    /// Most levels that there may ever be.
    limit: u32,
    watched: u32,
    side: Side,
    /// A level at the best `watched` changed since this was last asked.
    changed: bool,
}

const _: () = assert!(size_of::<Ladder>() == 64);

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
    key: i64,
    qty: i64,
    orders: u32,
}

impl Total {
    /// Other than zero, so that every page is touched at construction.
    const NONE: Total = Total { key: i64::MIN, qty: i64::MIN, orders: 0 };
}

impl Ladder {
    /// Room for `limit` levels, at most 65,536.
    pub(crate) fn new(side: Side, limit: usize) -> Self {
        let slots = (0..=u16::MAX).take(limit).map(Slot);
        let rungs: Vec<Rung> = slots.map(|slot| Rung { key: i64::MIN, slot }).collect();
        let totals = vec![Total::NONE; rungs.len()];
        let limit = u32::try_from(rungs.len()).unwrap_or(u32::MAX);
        Ladder { rungs, totals, levels: 0, limit, watched: u32::MAX, side, changed: true }
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

    /// Begins to fetch the best levels.
    #[inline]
    pub(crate) fn prefetch_best(&self) {
        if let [.., best] = self.sorted() {
            prefetch::line(best);
        }
    }

    /// Begins to fetch what is guessed to stand at a price. It must not fail at any price.
    #[inline]
    pub(crate) fn prefetch_price(&self, price: Price) {
        if let Some(rung) = self.sorted().get(self.guess(self.key(price))) {
            self.prefetch_level(rung.slot);
        }
    }

    /// Begins to fetch what stands at a level. A hint must not be able to fail, whoever gives it.
    #[inline]
    pub(crate) fn prefetch_level(&self, slot: Slot) {
        if let Some(total) = self.totals.get(usize::from(slot.0)) {
            prefetch::line(total);
        }
    }

    /// Only changes of the best `levels` count as such.
    pub(crate) fn watch(&mut self, levels: usize) {
        self.watched = u32::try_from(levels).unwrap_or(u32::MAX);
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

    /// The rungs of the levels, the best last.
    #[inline]
    fn sorted(&self) -> &[Rung] {
        self.rungs.get(..self.levels as usize).unwrap_or_default()
    }

    /// No book takes the one price that has no negative; one that is only a hint may be that.
    #[inline]
    fn key(&self, price: Price) -> i64 {
        price.raw().wrapping_mul(self.side.sign())
    }

    #[inline]
    fn price(&self, key: i64) -> Price {
        Price::from_raw(key * self.side.sign())
    }

    /// Notes a change at a level that is there: before it goes, after it came.
    #[inline]
    fn note(&mut self, key: i64) {
        // Behind the best where none is watched: no rung, and no change.
        let last = self.levels.saturating_sub(self.watched) as usize;
        self.changed = self.changed || self.sorted().get(last).is_some_and(|rung| rung.key <= key);
    }

    /// Where a key stands if all levels lie as far apart as the best two: that is true of most prices
    /// that orders come at, and costs a division instead of a search. A key beyond the best is
    /// guessed to be the worst.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn guess(&self, key: i64) -> usize {
        let &[.., second, best] = self.sorted() else { return 0 };
        let apart = |behind: i64| best.key.wrapping_sub(behind).cast_unsigned();
        let behind = apart(key).checked_div(apart(second.key)).unwrap_or(0);
        (self.len() - 1).saturating_sub(behind as usize)
    }

    /// The place of a key, or else where it would be put.
    #[inline]
    fn find(&self, key: i64) -> Result<usize, usize> {
        let guess = self.guess(key);
        match self.sorted().get(guess) {
            Some(rung) if rung.key == key => Ok(guess),
            _ => self.search(key),
        }
    }

    /// The same, without a guess.
    #[inline(never)]
    fn search(&self, key: i64) -> Result<usize, usize> {
        let far = self.len().saturating_sub(NEAR);
        let (far, near) = self.sorted().split_at(far);
        if let Ok(near) = <&[Rung; NEAR]>::try_from(near)
            && near[0].key <= key
        {
            // No branch that could be guessed wrong but the last.
            let at = near.iter().map(|rung| usize::from(rung.key <= key)).sum::<usize>() - 1;
            let (found, at) = (near[at].key == key, far.len() + at);
            return if found { Ok(at) } else { Err(at + 1) };
        }
        self.sorted().binary_search_by(|rung| rung.key.cmp(&key))
    }

    fn insert(&mut self, at: usize, total: Total) -> Result<Slot, Contradiction> {
        let levels = self.len();
        if levels == self.rungs.len() {
            self.grow()?;
        }
        let slot = self.rungs[levels].slot;
        self.rungs.copy_within(at..levels, at + 1);
        self.rungs[at] = Rung { key: total.key, slot };
        self.totals[usize::from(slot.0)] = total;
        self.levels += 1;
        Ok(slot)
    }

    /// Another slot, if there may be one.
    #[cold]
    fn grow(&mut self) -> Result<(), Contradiction> {
        let slot = u16::try_from(self.rungs.len()).ok().filter(|_| self.levels < self.limit);
        let slot = Slot(slot.ok_or(Contradiction::LevelsFull)?);
        self.rungs.push(Rung { key: i64::MIN, slot });
        self.totals.push(Total::NONE);
        Ok(())
    }

    fn remove(&mut self, at: usize) {
        let levels = self.len();
        let gone = self.rungs[at];
        self.rungs.copy_within(at + 1..levels, at);
        self.rungs[levels - 1] = gone;
        self.levels -= 1;
    }

    /// An order joins; gives where its level is kept for as long as an order is there. Nothing changes
    /// on an error.
    #[inline]
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
            Err(at) => self.insert(at, Total { key, qty: qty.raw(), orders: 1 })?,
        };
        self.note(key);
        Ok(slot)
    }

    /// The price of the level that is kept there.
    #[inline]
    pub(crate) fn price_at(&self, slot: Slot) -> Price {
        self.price(self.totals[usize::from(slot.0)].key)
    }

    /// `qty` of an order goes, and with `leaves` the order itself; gives its price. Both were put in
    /// by `join`, which gave its slot.
    #[inline]
    pub(crate) fn take(&mut self, slot: Slot, qty: Qty, leaves: bool) -> Price {
        let total = &mut self.totals[usize::from(slot.0)];
        total.qty -= qty.raw();
        total.orders -= u32::from(leaves);
        let (key, empty) = (total.key, total.orders == 0);
        self.note(key);
        if empty {
            match self.find(key) {
                Ok(at) => self.remove(at),
                Err(_) => debug_assert!(false, "an order stands at a price without a level"),
            }
        }
        self.price(key)
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
                self.insert(at, Total { key, qty: qty.raw(), orders: 0 })?;
                self.note(key);
                Ok(Qty::ZERO)
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.levels = 0;
        self.changed = true;
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.levels as usize
    }

    #[inline]
    pub(crate) fn best_price(&self) -> Option<Price> {
        self.sorted().last().map(|rung| self.price(rung.key))
    }

    /// The level `depth` places behind the best.
    #[inline]
    pub(crate) fn level(&self, depth: usize) -> Option<Level> {
        let rung = self.rungs[self.len().checked_sub(depth)?.checked_sub(1)?];
        let Total { qty, orders, .. } = self.totals[usize::from(rung.slot.0)];
        Some(Level { price: self.price(rung.key), qty: Qty::from_raw(qty), orders })
    }

    /// Sorted without repeats, no level is empty, and every slot has one place.
    pub(crate) fn audit(&self) -> Result<(), &'static str> {
        if !self.sorted().is_sorted_by(|a, b| a.key < b.key) {
            return Err("levels are not sorted");
        }
        for rung in self.sorted() {
            let total = self.totals[usize::from(rung.slot.0)];
            if total.qty <= 0 {
                return Err("a level is empty");
            }
            if total.key != rung.key {
                return Err("a level is kept at another price");
            }
        }
        let mut slots: Vec<u16> = self.rungs.iter().map(|rung| rung.slot.0).collect();
        slots.sort_unstable();
        let whole = slots.iter().zip(0..).all(|(&slot, at)| slot == at);
        if !whole || slots.len() != self.totals.len() {
            return Err("a slot has two levels or none");
        }
        Ok(())
    }
}
