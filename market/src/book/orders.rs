//! The live orders of all books of one feed, by id. A table of fixed size takes all its memory at
//! construction and never rehashes; one that grows comes in parts by hash, so that it moves a
//! thousandth of its orders at a time and never needs old and new memory of all.
//!
//! Orders stand in slots that they keep, the last one freed first to be used again; an index of one
//! word an order says which. So an order that comes finds its slot in the cache, and both it and
//! one that goes find the index in a fifth of the memory.

mod index;

use super::ladder;
use crate::table::spread;
use crate::{InstrumentId, Price, Qty, Side, prefetch};
use index::Index;

/// Parts of a table that grows, once it holds [`WHOLE`] orders. Each grows by itself: at five
/// million orders, it moves 5,000 of them.
const PARTS: usize = 1 << 10;
/// Orders that a table that grows keeps in one part.
const WHOLE: usize = 1 << 12;

/// The end of a chain of free slots.
const NONE: u64 = u64::MAX;

/// An order as the table keeps it, beside its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resting {
    pub(crate) price: Price,
    pub(crate) qty: Qty,
    pub(crate) instrument: InstrumentId,
    /// Where its level is kept.
    pub(crate) slot: ladder::Slot,
    pub(crate) side: Side,
}

/// Room for an order. Two of them are a cache line, and none straddles two.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Slot {
    /// The order's id; of a free slot, the number of the next one.
    id: u64,
    order: Option<Resting>,
}

const _: () = assert!(size_of::<Slot>() == 32);

/// Every live order of one feed.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    /// A power of two of them.
    parts: Vec<Part>,
    grows: bool,
}

/// The orders of one part of all hashes.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    index: Index,
    slots: Vec<Slot>,
    /// The free slot to use next, or [`NONE`]; they are a chain.
    free: u64,
    len: usize,
}

/// Which slot of a part an order has, until it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At(u32);

impl At {
    /// No slot of any part.
    pub(crate) const NONE: At = At(u32::MAX);
}

impl Orders {
    /// Room for so many orders, at most [`Index::MAX`].
    pub(crate) fn new(capacity: usize) -> Self {
        Orders { parts: vec![Part::new(capacity)], grows: false }
    }

    /// Room is taken as orders come. Empty, it takes none.
    pub(crate) fn growing() -> Self {
        Orders { grows: true, ..Orders::new(0) }
    }

    /// Bits that choose neither line nor tag choose the part.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn at(&self, id: u64) -> usize {
        (spread(id) >> 32) as usize & (self.parts.len() - 1)
    }

    /// The part in which an order stands, or would.
    #[inline]
    pub(crate) fn part(&self, id: u64) -> &Part {
        &self.parts[self.at(id)]
    }

    /// The same, to change it.
    #[inline]
    pub(crate) fn part_mut(&mut self, id: u64) -> &mut Part {
        let at = self.at(id);
        &mut self.parts[at]
    }

    /// The same with room for one more order, unless there may be none.
    #[inline]
    pub(crate) fn roomy_part(&mut self, id: u64) -> &mut Part {
        if self.grows && self.part(id).is_full() {
            self.grow(id);
        }
        self.part_mut(id)
    }

    #[cold]
    fn grow(&mut self, id: u64) {
        if self.parts.len() == 1 && self.len() >= WHOLE {
            let whole = std::mem::replace(&mut self.parts, vec![Part::new(0); PARTS]);
            for (id, order) in whole.iter().flat_map(Part::iter) {
                let _ = self.roomy_part(id).put(id, order);
            }
        }
        let part = self.part_mut(id);
        if part.is_full() {
            part.grow();
        }
    }

    /// Every order with its id, in an order that depends on history: sort before use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Resting)> + '_ {
        self.parts.iter().flat_map(Part::iter)
    }

    /// Forgets every order that `keep` refuses. Walks the whole table: not for the hot path.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Resting) -> bool) {
        self.parts.iter_mut().for_each(|part| part.retain(&keep));
    }

    /// Forgets every order.
    pub(crate) fn clear(&mut self) {
        self.parts.iter_mut().for_each(Part::clear);
    }

    /// Orders held.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len).sum()
    }
}

impl Part {
    fn new(capacity: usize) -> Self {
        let capacity = capacity.min(Index::MAX);
        let mut part = Part { index: Index::new(capacity), slots: Vec::new(), free: NONE, len: 0 };
        part.extend(capacity);
        part
    }

    /// More free slots, up to `capacity`, in front of those that there are. Each is written, so
    /// that the allocator touches every page now, not in the market.
    fn extend(&mut self, capacity: usize) {
        let (len, last) = (self.slots.len(), self.free);
        let next = |at| if at + 1 == capacity { last } else { at as u64 + 1 };
        if len < capacity {
            self.slots.reserve_exact(capacity - len);
            self.slots.extend((len..capacity).map(|at| Slot { id: next(at), order: None }));
            self.free = len as u64;
        }
    }

    /// Makes room for a quarter more orders. Costs as much as putting in all that it holds.
    fn grow(&mut self) {
        let capacity = self.slots.len() + (self.slots.len() / 4).max(8);
        self.extend(capacity.min(Index::MAX));
        self.index = Index::new(self.slots.len());
        for (at, slot) in (0..).zip(&self.slots).filter(|(_, slot)| slot.order.is_some()) {
            self.index.put(spread(slot.id), at);
        }
    }

    #[inline]
    fn slot(&self, at: u32) -> Option<&Slot> {
        self.slots.get(at as usize)
    }

    /// True if no further order fits.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len == self.slots.len()
    }

    /// Begins to fetch what a search for an order looks at first.
    #[inline]
    pub(crate) fn prefetch(&self, id: u64) {
        self.index.prefetch(spread(id));
    }

    /// Begins to fetch what is likely to be the order, and says where that is.
    #[inline]
    pub(crate) fn prefetch_order(&self, id: u64) -> At {
        let at = self.index.likely(spread(id));
        if let Some(slot) = self.slot(at) {
            prefetch::line(slot);
        }
        At(at)
    }

    /// The order that [`Part::prefetch_order`] took for the one of `id`, if it is.
    #[inline]
    pub(crate) fn likely(&self, id: u64, at: At) -> Option<&Resting> {
        self.slot(at.0).filter(|slot| slot.id == id)?.order.as_ref()
    }

    /// Where an order stands.
    #[inline]
    pub(crate) fn find(&self, id: u64) -> Option<At> {
        let is = |at| self.slot(at).is_some_and(|slot| slot.id == id && slot.order.is_some());
        self.index.find(spread(id), is).map(At)
    }

    /// An order.
    #[cfg(test)]
    pub(crate) fn get(&self, id: u64) -> Option<Resting> {
        self.find(id).and_then(|at| self.slot(at.0)?.order)
    }

    /// The order at a place that [`Part::find`] gave.
    #[inline]
    pub(crate) fn order_mut(&mut self, at: At) -> Option<&mut Resting> {
        self.slots.get_mut(at.0 as usize)?.order.as_mut()
    }

    /// Puts in an order that is not there; false if the part is full.
    #[inline]
    pub(crate) fn put(&mut self, id: u64, order: Resting) -> bool {
        // No part has more slots than a word can tell.
        let Ok(at) = u32::try_from(self.free) else { return false };
        let Some(slot) = self.slots.get_mut(at as usize) else { return false };
        self.free = std::mem::replace(slot, Slot { id, order: Some(order) }).id;
        self.len += 1;
        self.index.put(spread(id), at);
        true
    }

    /// Takes out the order at a place that [`Part::find`] gave for `id`.
    #[inline]
    pub(crate) fn remove_at(&mut self, id: u64, at: At) {
        if let Some(slot) = self.slots.get_mut(at.0 as usize) {
            self.index.remove(spread(id), at.0);
            *slot = Slot { id: self.free, order: None };
            self.free = at.0.into();
            self.len -= 1;
        }
    }

    fn iter(&self) -> impl Iterator<Item = (u64, Resting)> + '_ {
        self.slots.iter().filter_map(|slot| Some((slot.id, slot.order?)))
    }

    fn retain(&mut self, keep: impl Fn(&Resting) -> bool) {
        for at in (0..).take(self.slots.len()) {
            let id = self.slots[at as usize].id;
            if self.slots[at as usize].order.is_some_and(|order| !keep(&order)) {
                self.remove_at(id, At(at));
            }
        }
    }

    fn clear(&mut self) {
        if self.len > 0 {
            let capacity = self.slots.len();
            self.slots.clear();
            (self.free, self.len) = (NONE, 0);
            self.extend(capacity);
            self.index.clear();
        }
    }
}

#[cfg(test)]
mod tests;
