//! A fixed table from 64-bit ids to 32-bit slots: open addressing, sized once, never rehashed.
//!
//! Lookup is a multiply, a shift and a short linear walk; deletion shifts back, so that no
//! tombstones gather. Ids of exchanges are sequential or patterned, which a Fibonacci multiply
//! spreads well. Worst case: ids chosen by an adversary that share the upper product bits walk one
//! long run; the walk is bounded by the number of entries.

/// Ids to slots. Never holds more than it was made for.
#[derive(Clone, Debug)]
pub struct IdTable {
    entries: Box<[Entry]>,
    shift: u32,
    len: usize,
    capacity: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: u64,
    slot: u32,
    used: u32,
}

const FREE: Entry = Entry { id: 0, slot: 0, used: 0 };

/// The table holds as many ids as it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl IdTable {
    /// A table for up to `capacity` ids, at most half full then.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let size = (capacity.max(4) * 2).next_power_of_two();
        let shift = 64 - size.trailing_zeros();
        IdTable { entries: vec![FREE; size].into_boxed_slice(), shift, len: 0, capacity }
    }

    fn home(&self, id: u64) -> usize {
        #[allow(clippy::cast_possible_truncation)]
        let home = (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        home
    }

    fn find(&self, id: u64) -> Result<usize, usize> {
        let mask = self.entries.len() - 1;
        let mut at = self.home(id);
        loop {
            let entry = &self.entries[at];
            if entry.used == 0 {
                return Err(at);
            }
            if entry.id == id {
                return Ok(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// The slot of `id`.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<u32> {
        self.find(id).ok().map(|at| self.entries[at].slot)
    }

    /// Sets the slot of `id`; gives back the slot it had.
    ///
    /// # Errors
    /// [`Full`] if the id is new and the table holds `capacity` ids; nothing changes then.
    pub fn insert(&mut self, id: u64, slot: u32) -> Result<Option<u32>, Full> {
        match self.find(id) {
            Ok(at) => Ok(Some(std::mem::replace(&mut self.entries[at].slot, slot))),
            Err(_) if self.len >= self.capacity => Err(Full),
            Err(at) => {
                self.entries[at] = Entry { id, slot, used: 1 };
                self.len += 1;
                Ok(None)
            }
        }
    }

    /// Forgets `id`; gives back its slot.
    pub fn remove(&mut self, id: u64) -> Option<u32> {
        let at = self.find(id).ok()?;
        let slot = self.entries[at].slot;
        let mask = self.entries.len() - 1;
        let (mut hole, mut next) = (at, (at + 1) & mask);
        while self.entries[next].used != 0 {
            // An entry may fill the hole unless its home lies between the hole and itself.
            let home = self.home(self.entries[next].id);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.entries[hole] = self.entries[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.entries[hole] = FREE;
        self.len -= 1;
        Some(slot)
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

    /// Forgets every id.
    pub fn clear(&mut self) {
        self.entries.fill(FREE);
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn equals_a_map(steps in prop::collection::vec((0u64..40, any::<bool>(), 0u32..9), 0..400)) {
            let mut table = IdTable::new(16);
            let mut map = BTreeMap::new();
            for (id, add, slot) in steps {
                // Far-apart ids, as exchanges give them.
                let id = id.wrapping_mul(0x1_0000_0001);
                if add {
                    let expected = if map.len() >= 16 && !map.contains_key(&id) {
                        Err(Full)
                    } else {
                        Ok(map.insert(id, slot))
                    };
                    prop_assert_eq!(table.insert(id, slot), expected);
                } else {
                    prop_assert_eq!(table.remove(id), map.remove(&id));
                }
                prop_assert_eq!(table.len(), map.len());
                for (&id, &slot) in &map {
                    prop_assert_eq!(table.get(id), Some(slot));
                }
            }
        }
    }
}
