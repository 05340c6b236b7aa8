//! A table in parts by hash, so that one that grows moves a thousandth of its ids at a time and never
//! needs old and new memory of all. A table that does not grow is one part, and so is one that has
//! grown little: parts by the thousand would cost more than what they hold.

use super::{IdTable, spread};

/// Parts of a table that grows. Each grows by itself: at five million ids, it moves 5,000 of them, in
/// some tens of microseconds.
const PARTS: usize = 1 << 10;
/// Ids of a table that grows before it is in parts.
const WHOLE: usize = 1 << 12;

/// See the module.
#[derive(Clone, Debug)]
pub struct IdParts<V: Copy = u32, const WAYS: usize = 4> {
    /// A power of two of them.
    parts: Box<[IdTable<V, WAYS>]>,
    /// So many ids are put in parts.
    whole: usize,
}

impl<V: Copy + Default, const WAYS: usize> IdParts<V, WAYS> {
    /// One part, for up to `capacity` ids, that does not grow.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        IdParts { parts: Box::new([IdTable::new(capacity)]), whole: usize::MAX }
    }

    /// A table that grows as ids come.
    #[must_use]
    pub fn growing() -> Self {
        IdParts { parts: Box::new([IdTable::growing(0)]), whole: WHOLE }
    }

    /// Some of the lower bits choose the part; the first ones choose the place in it.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn at(&self, id: u64) -> usize {
        (spread(id) >> 8) as usize & (self.parts.len() - 1)
    }

    /// The part in which `id` stands, or would.
    #[inline]
    #[must_use]
    pub fn part(&self, id: u64) -> &IdTable<V, WAYS> {
        &self.parts[self.at(id)]
    }

    /// The same, to change it.
    #[inline]
    pub fn part_mut(&mut self, id: u64) -> &mut IdTable<V, WAYS> {
        let at = self.at(id);
        &mut self.parts[at]
    }

    /// The part for an id that may be new to it.
    #[inline]
    pub fn part_for_new(&mut self, id: u64) -> &mut IdTable<V, WAYS> {
        if self.parts[0].len() >= self.whole {
            self.divide();
        }
        self.part_mut(id)
    }

    #[cold]
    fn divide(&mut self) {
        let parts = (0..PARTS).map(|_| IdTable::growing(0)).collect();
        let before = std::mem::replace(self, IdParts { parts, whole: usize::MAX });
        for (id, value) in before.iter() {
            let part = self.part_mut(id);
            if part.is_full() {
                part.grow();
            }
            // There is room for it now.
            let _ = part.insert(id, value);
        }
    }

    /// Every id with its value, in an order that depends on history: sort before use.
    pub fn iter(&self) -> impl Iterator<Item = (u64, V)> + '_ {
        self.parts.iter().flat_map(IdTable::iter)
    }

    /// As [`IdTable::retain`].
    pub fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.parts.iter_mut().for_each(|part| part.retain(&mut keep));
    }

    /// Forgets every id.
    pub fn clear(&mut self) {
        self.parts.iter_mut().for_each(IdTable::clear);
    }

    /// Ids held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(IdTable::len).sum()
    }

    /// True if none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(IdTable::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn growing_parts_equal_a_map(
            pattern in prop_oneof![Just(1u64), Just(1 << 40), Just(1_000_000_007), any::<u64>()],
            steps in prop::collection::vec((0u64..20_000, 0u8..20, 0u32..1_000), 0..12_000),
        ) {
            let (mut parts, mut map) = (IdParts::<u32>::growing(), BTreeMap::new());
            for (id, action, value) in steps {
                let id = id.wrapping_mul(pattern | 1);
                let part = parts.part_for_new(id);
                match action {
                    0..15 => {
                        while part.is_full() && part.get(id).is_none() {
                            prop_assert!(part.grow());
                        }
                        prop_assert_eq!(part.insert(id, value), Ok(map.insert(id, value)));
                    }
                    15..19 => prop_assert_eq!(part.remove(id), map.remove(&id)),
                    _ => {
                        parts.retain(|&kept| kept != value);
                        map.retain(|_, &mut kept| kept != value);
                    }
                }
                prop_assert_eq!(parts.part(id).get(id), map.get(&id).copied());
            }
            prop_assert_eq!((parts.len(), parts.is_empty()), (map.len(), map.is_empty()));
            let mut held: Vec<_> = parts.iter().collect();
            held.sort_unstable();
            prop_assert!(held.into_iter().eq(map));
            parts.clear();
            prop_assert!(parts.is_empty() && parts.iter().next().is_none());
        }
    }

    #[test]
    fn ids_as_exchanges_give_them_fill_all_parts_alike() {
        const COUNT: u64 = 300_000;
        let steps = (0..40).map(|power| 1 << power).chain([3, 48, 1000, 1_000_000, 1_000_000_007]);
        for step in steps {
            let mut parts = IdParts::<u32>::growing();
            parts.divide();
            let mut ids = vec![0; PARTS];
            (0..COUNT).for_each(|count| ids[parts.at(count * step)] += 1);
            // Random ids: 293 of a part, 17 more or less.
            assert!(ids.iter().all(|ids| (180..410).contains(ids)), "{step:#x}: {ids:?}");
        }
    }
}
