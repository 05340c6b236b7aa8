//! A table from 64-bit ids to small values: open addressing, sized once, rehashed only by
//! [`IdTable::grow`], which no table of the hot path allows.
//!
//! Lookup is a multiply, a shift and a short linear walk, with the value beside its id: one cache
//! miss. Deletion shifts back, so that no tombstones gather. Worst case: ids chosen by an adversary
//! that share their hash walk one long run; the walk is bounded by the number of entries.

/// Ids to values. Never holds more than it was made for.
#[derive(Clone, Debug)]
pub struct IdTable<V = u32> {
    rows: Box<[Row<V>]>,
    len: usize,
    capacity: usize,
    grows: bool,
}

/// Entries of one row. Rows begin on a cache line, so that no entry of 16 or 32 bytes straddles two.
const ROW: usize = 4;

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Row<V>([Entry<V>; ROW]);

#[derive(Clone, Copy, Debug)]
struct Entry<V> {
    id: u64,
    value: Option<V>,
}

/// The table holds as many ids as it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl<V: Copy> IdTable<V> {
    /// A table for up to `capacity` ids, at most half full then.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let size = (capacity.max(ROW) * 2).next_power_of_two();
        // A pattern other than zero makes the allocator touch every page now, not in the market.
        let row = Row([Entry { id: u64::MAX, value: None }; ROW]);
        IdTable { rows: vec![row; size / ROW].into_boxed_slice(), len: 0, capacity, grows: false }
    }

    /// A table that may be made larger when it is full, by [`IdTable::grow`].
    #[must_use]
    pub fn growing(capacity: usize) -> Self {
        IdTable { grows: true, ..IdTable::new(capacity) }
    }

    /// Makes room for twice as many ids, if the table may grow; false if it may not.
    #[cold]
    pub fn grow(&mut self) -> bool {
        if self.grows {
            let mut larger = IdTable::growing(self.capacity.max(ROW) * 2);
            for (id, value) in self.iter() {
                // There is room for all of them.
                let _ = larger.insert(id, value);
            }
            *self = larger;
        }
        self.grows
    }

    fn entry(&self, at: usize) -> &Entry<V> {
        &self.rows[at / ROW].0[at % ROW]
    }

    fn entry_mut(&mut self, at: usize) -> &mut Entry<V> {
        &mut self.rows[at / ROW].0[at % ROW]
    }

    fn mask(&self) -> usize {
        self.rows.len() * ROW - 1
    }

    /// Exchanges give ids in sequence or in steps, often of a power of two or ten. Folding the
    /// upper half of the product onto the lower spreads all of them; a test walks the patterns.
    #[allow(clippy::cast_possible_truncation)]
    fn home(&self, id: u64) -> usize {
        let product = u128::from(id) * 0x9e37_79b9_7f4a_7c15;
        ((product >> 64) as usize ^ product as usize) & self.mask()
    }

    /// Where `id` stands, or else where it would be put.
    pub(crate) fn find(&self, id: u64) -> Result<usize, usize> {
        let mask = self.mask();
        let mut at = self.home(id);
        // Ends, since the table is never more than half full.
        loop {
            let entry = self.entry(at);
            if entry.value.is_none() {
                return Err(at);
            }
            if entry.id == id {
                return Ok(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// Begins to fetch what a search for `id` will look at first: its home and the line behind, into
    /// which half of all searches run and every removal looks.
    #[inline]
    pub(crate) fn prefetch(&self, id: u64) {
        let home = self.home(id);
        crate::prefetch::line(self.entry(home));
        crate::prefetch::line(self.entry((home + 2) & self.mask()));
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
        *self.entry_mut(at) = Entry { id, value: Some(value) };
        self.len += 1;
        Ok(())
    }

    /// Empties the place of an id and closes the gap behind it.
    pub(crate) fn remove_at(&mut self, at: usize) -> Option<V> {
        let value = self.entry_mut(at).value.take()?;
        let mask = self.mask();
        let (mut hole, mut next) = (at, (at + 1) & mask);
        while self.entry(next).value.is_some() {
            // An entry may fill the hole unless its home lies between the hole and itself.
            let home = self.home(self.entry(next).id);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                *self.entry_mut(hole) = *self.entry(next);
                hole = next;
            }
            next = (next + 1) & mask;
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
        let entries = self.rows.iter().flat_map(|row| &row.0);
        entries.filter_map(|entry| Some((entry.id, entry.value?)))
    }

    /// Forgets every id whose value `keep` refuses. Walks the whole table: not for the hot path.
    pub fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        let mut at = 0;
        while at <= self.mask() {
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
            self.rows.fill(Row([Entry { id: u64::MAX, value: None }; ROW]));
            self.len = 0;
        }
    }
}

#[cfg(test)]
mod tests;
