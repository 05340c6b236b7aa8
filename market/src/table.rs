//! A table from 64-bit ids to small values: open addressing, sized once, rehashed only by
//! [`IdTable::grow`], which no table of the hot path allows.
//!
//! Lookup is three multiplications and a short linear walk, with the value beside its id: one cache
//! miss. Deletion shifts back, so that no tombstones gather. Worst case: ids chosen by an adversary
//! that share their hash walk one long run; the walk is bounded by the number of entries.

mod parts;

pub use parts::IdParts;

/// What a table may hold beside an id.
pub trait Value: Copy {
    /// An empty type as aligned as an id with its value is large, so that none straddles two cache
    /// lines.
    type Line: Copy + std::fmt::Debug;
}

/// Aligned to 16 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub struct Line16;

/// Aligned to 32 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub struct Line32;

impl Value for u32 {
    type Line = Line16;
}

/// Ids to values. Never holds more than it was made for.
#[derive(Clone, Debug)]
pub struct IdTable<V: Value = u32> {
    entries: Box<[Entry<V>]>,
    len: usize,
    capacity: usize,
    grows: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry<V: Value> {
    id: u64,
    value: Option<V>,
    _line: [V::Line; 0],
}

impl<V: Value> Entry<V> {
    /// A pattern other than zero makes the allocator touch every page now, not in the market.
    const EMPTY: Entry<V> = Entry { id: u64::MAX, value: None, _line: [] };
}

/// The table holds as many ids as it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Exchanges give ids in sequence or in steps, often of a power of two or ten, or set them together of
/// two numbers. Folding the upper half of a product onto the lower, and one product more, spreads all
/// of them as if they were random; a test walks the patterns.
#[inline]
#[allow(clippy::cast_possible_truncation)]
fn spread(id: u64) -> u64 {
    let product = u128::from(id) * 0x9e37_79b9_7f4a_7c15;
    ((product >> 64) as u64 ^ product as u64).wrapping_mul(0xd1b5_4a32_d192_ed03)
}

impl<V: Value> IdTable<V> {
    /// A table for up to `capacity` ids, a little more than half full then.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        IdTable::with(capacity, capacity.max(4).saturating_mul(31) / 16, false)
    }

    /// A table that may be made larger when it is full, by [`IdTable::grow`]; two thirds full then,
    /// so that one just made larger does not take more for each id than one that cannot grow.
    #[must_use]
    pub fn growing(capacity: usize) -> Self {
        let capacity = capacity.max(4);
        IdTable::with(capacity, capacity.saturating_mul(3) / 2, true)
    }

    fn with(capacity: usize, places: usize, grows: bool) -> Self {
        let entries = vec![Entry::EMPTY; places].into_boxed_slice();
        IdTable { entries, len: 0, capacity, grows }
    }

    /// Makes room for a quarter more ids, if the table may grow; false if it may not. Costs as much as
    /// putting in all that it holds.
    #[cold]
    pub fn grow(&mut self) -> bool {
        if self.grows {
            let mut larger = IdTable::growing(self.capacity + (self.capacity / 4).max(1));
            for (id, value) in self.iter() {
                // There is room for all of them.
                let _ = larger.insert(id, value);
            }
            *self = larger;
        }
        self.grows
    }

    #[inline]
    fn entry(&self, at: usize) -> &Entry<V> {
        &self.entries[at]
    }

    #[inline]
    fn entry_mut(&mut self, at: usize) -> &mut Entry<V> {
        &mut self.entries[at]
    }

    /// The place behind one, around the end.
    #[inline]
    fn behind(&self, at: usize) -> usize {
        if at + 1 == self.entries.len() { 0 } else { at + 1 }
    }

    /// How far it is from one place on to another, around the end.
    #[inline]
    fn way(&self, from: usize, to: usize) -> usize {
        let way = to.wrapping_sub(from);
        if to < from { way.wrapping_add(self.entries.len()) } else { way }
    }

    /// Where a search for `id` begins: as far into the table as its hash is into all numbers.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn home(&self, id: u64) -> usize {
        ((u128::from(spread(id)) * self.entries.len() as u128) >> 64) as usize
    }

    /// Where `id` stands, or else where it would be put.
    #[inline]
    pub(crate) fn find(&self, id: u64) -> Result<usize, usize> {
        let mut at = self.home(id);
        // Ends, since the table is never more than two thirds full.
        loop {
            let entry = self.entry(at);
            if entry.value.is_none() {
                return Err(at);
            }
            if entry.id == id {
                return Ok(at);
            }
            at = self.behind(at);
        }
    }

    /// Begins to fetch what a search for `id` will look at first: its home and the line behind, into
    /// which half of all searches run and every removal looks.
    #[inline]
    pub(crate) fn prefetch(&self, id: u64) {
        let home = self.home(id);
        crate::prefetch::line(self.entry(home));
        if let Some(behind) = self.entries.get(home + 2) {
            crate::prefetch::line(behind);
        }
    }

    /// The value at a place that [`IdTable::find`] gave.
    pub(crate) fn value_mut(&mut self, at: usize) -> Option<&mut V> {
        self.entry_mut(at).value.as_mut()
    }

    /// Puts a new id at the place that [`IdTable::find`] gave for it.
    pub(crate) fn put_at(&mut self, at: usize, id: u64, value: V) -> Result<(), Full> {
        if self.is_full() {
            return Err(Full);
        }
        *self.entry_mut(at) = Entry { id, value: Some(value), _line: [] };
        self.len += 1;
        Ok(())
    }

    /// Empties the place of an id and closes the gap behind it.
    pub(crate) fn remove_at(&mut self, at: usize) -> Option<V> {
        let value = self.entry_mut(at).value.take()?;
        let (mut hole, mut next) = (at, self.behind(at));
        while self.entry(next).value.is_some() {
            // An entry may fill the hole unless its home lies between the hole and itself.
            let home = self.home(self.entry(next).id);
            if self.way(home, next) >= self.way(hole, next) {
                *self.entry_mut(hole) = *self.entry(next);
                hole = next;
            }
            next = self.behind(next);
        }
        self.entry_mut(hole).value = None;
        self.len -= 1;
        Some(value)
    }

    /// The value of `id`.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<V> {
        self.find(id).ok().and_then(|at| self.entry(at).value)
    }

    /// Sets the value of `id`; gives back the value it had.
    ///
    /// # Errors
    /// [`Full`] if the id is new and the table holds `capacity` ids; nothing changes then.
    pub fn insert(&mut self, id: u64, value: V) -> Result<Option<V>, Full> {
        match self.find(id) {
            Ok(at) => Ok(self.entry_mut(at).value.replace(value)),
            Err(at) => self.put_at(at, id, value).map(|()| None),
        }
    }

    /// Forgets `id`; gives back its value.
    pub fn remove(&mut self, id: u64) -> Option<V> {
        self.find(id).ok().and_then(|at| self.remove_at(at))
    }

    /// Every id with its value, in an order that depends on history: sort before use.
    pub fn iter(&self) -> impl Iterator<Item = (u64, V)> + '_ {
        self.entries.iter().filter_map(|entry| Some((entry.id, entry.value?)))
    }

    /// Forgets every id whose value `keep` refuses. Walks the whole table: not for the hot path.
    pub fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        let mut at = 0;
        while at < self.entries.len() {
            match self.entry(at).value {
                // The shift may have brought an unseen entry here: look again.
                Some(value) if !keep(&value) => drop(self.remove_at(at)),
                _ => at += 1,
            }
        }
    }

    /// Ids held.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True if none is held.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// True if no further id fits.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.len >= self.capacity
    }

    /// Forgets every id.
    pub fn clear(&mut self) {
        if self.len > 0 {
            self.entries.fill(Entry::EMPTY);
            self.len = 0;
        }
    }
}

#[cfg(test)]
mod tests;
