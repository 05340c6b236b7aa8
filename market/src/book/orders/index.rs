//! Which slot holds an id: a hash table of words of 32 bits, seven in half a cache line. It never
//! looks at a slot: whoever keeps them says which ids they hold.
//!
//! A word is the number of a slot and, in the bits that this leaves, a tag of the id's hash. A
//! search compares all tags of a bucket at once and almost always ends there: a word that finds its
//! own bucket full goes to the next, and a bucket counts the words that passed it, so that no
//! tombstones gather. Worst case: ids chosen by an adversary that share their hash fill one bucket
//! after the other; a search is bounded by the number of buckets.

use crate::prefetch;

/// Words of a bucket; one more counts those that passed.
const WORDS: usize = 7;
/// Words that a bucket has on average when the index is full: one in twenty then passes some on.
const FULL: usize = 4;
/// A place without a word: the last slot is never used.
const EMPTY: u32 = u32::MAX;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Index {
    buckets: Box<[Bucket]>,
    /// The bits of a word that are tag.
    tags: u32,
}

/// A bucket's words, and how many words that belong here or before stand behind.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Bucket([u32; WORDS + 1]);

const _: () = assert!(size_of::<Bucket>() == 32);

impl Bucket {
    const NEW: Bucket = {
        let mut words = [EMPTY; WORDS + 1];
        words[WORDS] = 0;
        Bucket(words)
    };

    /// A bit for each word that `is` so. No branch that could be guessed wrong.
    #[inline]
    fn each(&self, is: impl Fn(u32) -> bool) -> u32 {
        let all = (0..).zip(&self.0).fold(0, |all, (at, &word)| all | u32::from(is(word)) << at);
        all & ((1 << WORDS) - 1)
    }

    /// The first place of which a bit is set, and its word.
    #[inline]
    fn first(&mut self, bits: u32) -> Option<&mut u32> {
        self.0[..WORDS].get_mut(bits.trailing_zeros() as usize)
    }

    #[inline]
    fn passed(&mut self) -> &mut u32 {
        &mut self.0[WORDS]
    }
}

impl Index {
    /// Most slots that an index tells apart.
    pub(super) const MAX: usize = (1 << 31) - 1;

    /// An index of up to `slots` slots, at most [`Index::MAX`].
    pub(super) fn new(slots: usize) -> Self {
        let buckets = vec![Bucket::NEW; slots.div_ceil(FULL)].into_boxed_slice();
        // One more, so that no slot has the number of an empty place.
        let bits = usize::BITS - slots.min(Index::MAX).leading_zeros();
        Index { buckets, tags: u32::MAX << bits }
    }

    /// The bucket where a search begins: as far into the index as the hash is into all numbers.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.buckets.len() as u128) >> 64) as usize
    }

    /// The tag of a hash, of bits that choose no bucket.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn tag(&self, hash: u64) -> u32 {
        hash as u32 & self.tags
    }

    #[inline]
    fn behind(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() { 0 } else { at + 1 }
    }

    /// Begins to fetch the bucket where a search for a hash begins.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(bucket) = self.buckets.get(self.home(hash)) {
            prefetch::line(bucket);
        }
    }

    /// The slot that a search for a hash is likely to find, by its tag alone; any other where it
    /// would find none.
    #[inline]
    pub(super) fn likely(&self, hash: u64) -> u32 {
        let Some(bucket) = self.buckets.get(self.home(hash)) else { return u32::MAX };
        let hits = bucket.each(|word| word & self.tags == self.tag(hash));
        // Without a hit, any word is a hint as good as another.
        bucket.0[hits.trailing_zeros() as usize & WORDS] & !self.tags
    }

    /// The slot of a hash of which `is` says that it is the one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let bucket = self.buckets.get(self.home(hash))?;
        let hits = bucket.each(|word| word & self.tags == self.tag(hash));
        if hits == 0 && bucket.0[WORDS] == 0 {
            return None;
        }
        let slot = bucket.0[hits.trailing_zeros() as usize & WORDS] & !self.tags;
        if hits != 0 && is(slot) { Some(slot) } else { self.search(hash, is) }
    }

    /// The same by a look at every tag of every bucket that the slot may be in.
    #[cold]
    fn search(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let (mut at, tag) = (self.home(hash), self.tag(hash));
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            let (words, passed) = (&bucket.0[..WORDS], bucket.0[WORDS]);
            let mut likely = words.iter().filter(|&word| word & self.tags == tag);
            if let Some(word) = likely.find(|&word| is(word & !self.tags)) {
                return Some(word & !self.tags);
            }
            if passed == 0 {
                return None;
            }
            at = self.behind(at);
        }
        None
    }

    /// Puts in a slot that is not there. There must be room for it.
    #[inline]
    pub(super) fn put(&mut self, hash: u64, slot: u32) {
        let (mut at, word) = (self.home(hash), self.tag(hash) | slot);
        for _ in 0..self.buckets.len() {
            let bucket = &mut self.buckets[at];
            if let Some(free) = bucket.first(bucket.each(|word| word == EMPTY)) {
                *free = word;
                return;
            }
            *bucket.passed() += 1;
            at = self.behind(at);
        }
        debug_assert!(false, "an index of more slots than it is for");
    }

    /// Takes out a slot that was put in with this hash.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let (mut at, own) = (self.home(hash), self.tag(hash) | slot);
        for _ in 0..self.buckets.len() {
            let bucket = &mut self.buckets[at];
            if let Some(place) = bucket.first(bucket.each(|word| word == own)) {
                *place = EMPTY;
                return;
            }
            *bucket.passed() -= 1;
            at = self.behind(at);
        }
        debug_assert!(false, "a slot that is not in the index");
    }

    /// Takes out every slot.
    pub(super) fn clear(&mut self) {
        self.buckets.fill(Bucket::NEW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::spread;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Few hashes, so that buckets fill and words pass on, around the end too.
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
            prop_assert!(index.buckets.iter().all(|bucket| bucket.0 == Bucket::NEW.0));
        }
    }

    #[test]
    fn an_index_of_nothing_finds_nothing() {
        let index = Index::new(0);
        index.prefetch(7);
        assert_eq!((index.find(7, |_| true), index.likely(7)), (None, u32::MAX));
    }

    /// Words that passed their bucket, of ids as exchanges give them, when the index is full.
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
                let passed: u32 = index.buckets.iter().map(|bucket| bucket.0[WORDS]).sum();
                // Random ids: one in fifty.
                assert!(passed < COUNT / 25, "step {step:#x} from {base:#x}: {passed} passed");
                let wrong = (0..COUNT).filter(|&n| index.likely(hash(n)) != n).count();
                assert!(wrong < COUNT as usize / 20, "step {step:#x} from {base:#x}: {wrong}");
            }
        }
    }
}
