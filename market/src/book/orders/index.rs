//! Which slot holds an id: a hash table of words of 32 bits, fifteen in a cache line. It never looks
//! at a slot: whoever keeps them says which ids they hold.
//!
//! A word is the number of a slot and, in the bits that this leaves, a tag of the id's hash. A search
//! compares all tags of a line at once and almost always ends there: a word that finds its own line
//! full goes to the next, and a line counts the words that passed it, so that no tombstones gather.
//! Worst case: ids chosen by an adversary that share their hash fill one line after the other; a
//! search is bounded by the number of lines.

use crate::prefetch;

/// Words of a line; one more counts those that passed.
const WORDS: usize = 15;
/// Words that a line has on average when the index is full: one in twenty lines then passes some on.
const FULL: usize = 10;
/// A place without a word: the last slot is never used.
const EMPTY: u32 = u32::MAX;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Index {
    lines: Box<[Line]>,
    /// The bits of a word that are tag.
    tags: u32,
}

/// A line's words, and how many words that belong here or before stand behind.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u32; WORDS + 1]);

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    const NEW: Line = {
        let mut words = [EMPTY; WORDS + 1];
        words[WORDS] = 0;
        Line(words)
    };

    /// A bit for each word that `is` so.
    #[inline]
    fn each(&self, is: impl Fn(u32) -> bool) -> u32 {
        let all = (0..).zip(&self.0).fold(0, |all, (at, &word)| all | u32::from(is(word)) << at);
        all & ((1 << WORDS) - 1)
    }

    #[inline]
    fn passed(&mut self) -> &mut u32 {
        &mut self.0[WORDS]
    }
}

/// Bits set, as places from the lowest on.
#[inline]
fn places(bits: u32) -> impl Iterator<Item = usize> {
    let mut left = bits;
    std::iter::from_fn(move || {
        let at = left.trailing_zeros() as usize;
        left &= left.wrapping_sub(1);
        (at < 32).then_some(at)
    })
}

impl Index {
    /// Most slots that an index tells apart.
    pub(super) const MAX: usize = (1 << 31) - 1;

    /// An index of up to `slots` slots, at most [`Index::MAX`].
    pub(super) fn new(slots: usize) -> Self {
        let lines = vec![Line::NEW; slots.div_ceil(FULL)].into_boxed_slice();
        // One more, so that no slot has the number of an empty place.
        let bits = usize::BITS - slots.min(Index::MAX).leading_zeros();
        Index { lines, tags: u32::MAX << bits }
    }

    /// The line where a search begins: as far into the index as the hash is into all numbers.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.lines.len() as u128) >> 64) as usize
    }

    /// The tag of a hash, of bits that choose no line.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn tag(&self, hash: u64) -> u32 {
        hash as u32 & self.tags
    }

    #[inline]
    fn behind(&self, at: usize) -> usize {
        if at + 1 == self.lines.len() { 0 } else { at + 1 }
    }

    /// Begins to fetch the line where a search for a hash begins.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(line) = self.lines.get(self.home(hash)) {
            prefetch::line(line);
        }
    }

    /// The slot that a search for a hash is likely to find, by its tag alone.
    #[inline]
    pub(super) fn likely(&self, hash: u64) -> Option<u32> {
        let (line, tag) = (self.lines.get(self.home(hash))?, self.tag(hash));
        let at = places(line.each(|word| word & self.tags == tag)).next()?;
        Some(line.0[at] & !self.tags)
    }

    /// The slot of a hash of which `is` says that it is the one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let (mut at, tag) = (self.home(hash), self.tag(hash));
        for _ in 0..self.lines.len() {
            let line = &self.lines[at];
            let mut likely = places(line.each(|word| word & self.tags == tag));
            let found = likely.find_map(|at| {
                let slot = line.0[at] & !self.tags;
                is(slot).then_some(slot)
            });
            if found.is_some() || line.0[WORDS] == 0 {
                return found;
            }
            at = self.behind(at);
        }
        None
    }

    /// Puts in a slot that is not there. There must be room: never more slots than the index is for.
    #[inline]
    pub(super) fn put(&mut self, hash: u64, slot: u32) {
        let (mut at, word) = (self.home(hash), self.tag(hash) | slot);
        for _ in 0..self.lines.len() {
            let line = &mut self.lines[at];
            if let Some(free) = places(line.each(|word| word == EMPTY)).next() {
                line.0[free] = word;
                return;
            }
            *line.passed() += 1;
            at = self.behind(at);
        }
        debug_assert!(false, "an index of more slots than it is for");
    }

    /// Takes out a slot that was put in with this hash.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let (mut at, own) = (self.home(hash), self.tag(hash) | slot);
        for _ in 0..self.lines.len() {
            let line = &mut self.lines[at];
            if let Some(place) = places(line.each(|word| word == own)).next() {
                line.0[place] = EMPTY;
                return;
            }
            *line.passed() -= 1;
            at = self.behind(at);
        }
        debug_assert!(false, "a slot that is not in the index");
    }

    /// Takes out every slot.
    pub(super) fn clear(&mut self) {
        self.lines.fill(Line::NEW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::spread;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Few hashes, so that lines fill and words pass on, around the end too.
        #[test]
        fn equals_a_map(
            capacity in 1u32..70,
            hashes in prop::collection::vec(any::<u64>(), 1..6),
            steps in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..400),
        ) {
            let mut index = Index::new(capacity as usize);
            let (mut held, mut free) = (BTreeMap::new(), (0..capacity).collect::<Vec<_>>());
            for (at, put) in steps {
                let hash = hashes[at.index(hashes.len())];
                if put && let Some(slot) = free.pop() {
                    index.put(hash, slot);
                    held.insert(slot, hash);
                } else if let Some((&slot, &hash)) = held.iter().nth(at.index(held.len().max(1))) {
                    index.remove(hash, slot);
                    held.remove(&slot);
                    free.push(slot);
                }
                for slot in 0..capacity {
                    for &hash in &hashes {
                        let is = held.get(&slot) == Some(&hash);
                        prop_assert_eq!(index.find(hash, |at| at == slot), is.then_some(slot));
                    }
                }
            }
            for (slot, hash) in held {
                index.remove(hash, slot);
            }
            prop_assert!(index.lines.iter().all(|line| line.0 == Line::NEW.0));
        }
    }

    #[test]
    fn an_index_of_nothing_finds_nothing() {
        let index = Index::new(0);
        index.prefetch(7);
        assert_eq!((index.find(7, |_| true), index.likely(7)), (None, None));
    }

    /// Words that passed their line, of ids as exchanges give them, when the index is full.
    #[test]
    fn ids_as_exchanges_give_them_do_not_gather() {
        const COUNT: u32 = 1 << 15;
        let steps = (0..49).map(|power| 1 << power);
        let steps = steps.chain((0..15).map(|power| 10u64.pow(power)));
        let steps = steps.chain([2, 3, 8, 48, 1000, 4096, 0x1_0000_0001, 0xffff_ffff]);
        for step in steps {
            for base in [0, 1, 1_000_000_000_000, u64::MAX - 7, 0x8000_0000_0000_0000] {
                let mut index = Index::new(COUNT as usize);
                let hash = |n: u32| spread(base.wrapping_add(step.wrapping_mul(n.into())));
                (0..COUNT).for_each(|n| index.put(hash(n), n));
                let passed: u32 = index.lines.iter().map(|line| line.0[WORDS]).sum();
                // Random ids: one in a hundred.
                assert!(passed < COUNT / 40, "step {step:#x} from {base:#x}: {passed} passed");
                let wrong = (0..COUNT).filter(|&n| index.likely(hash(n)) != Some(n)).count();
                assert!(wrong < COUNT as usize / 20, "step {step:#x} from {base:#x}: {wrong}");
            }
        }
    }
}
