//! A table from 64-bit ids to small values: buckets of a few ids each, sized once, rehashed only by
//! [`IdTable::grow`], which no table of the hot path allows.
//!
//! A lookup is three multiplications and one bucket, whose ids are compared all at once: nothing is
//! guessed, and what it needs can be fetched ahead. An id that finds its bucket full goes to the next
//! one with room, and the buckets that it passed count it: a search ends where none passed, and a
//! deletion moves nothing. Worst case: ids chosen by an adversary that share their hash walk from
//! bucket to bucket; the walk is bounded by the number of buckets.

mod parts;

pub use parts::IdParts;

/// Ids to values. Never holds more than it was made for. `WAYS` ids share a bucket: as many as fill
/// one or two cache lines together with their values.
#[derive(Clone, Debug)]
pub struct IdTable<V: Copy = u32, const WAYS: usize = 4> {
    buckets: Box<[Bucket<V, WAYS>]>,
    len: usize,
    capacity: usize,
    grows: bool,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket<V, const WAYS: usize> {
    /// Ids that are kept beyond this bucket, and would be in it or before it had there been room.
    passed: u32,
    /// A bit for each way that holds an id.
    held: u8,
    ids: [u64; WAYS],
    values: [V; WAYS],
}

/// Where an id stands or would be put: a way of a bucket, and the bucket where its search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    home: usize,
    bucket: usize,
    way: usize,
}

/// The table holds as many ids as it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl<V: Copy, const WAYS: usize> Bucket<V, WAYS> {
    const FULL: u8 = (1 << WAYS) - 1;

    /// The ways in which `id` stands: one bit or none.
    #[inline]
    fn ways_of(&self, id: u64) -> u8 {
        let equal = |way: usize| u8::from(self.ids[way] == id) << way;
        (0..WAYS).fold(0, |ways, way| ways | equal(way)) & self.held
    }

    /// The first way that is free, [`WAYS`] if none is.
    #[inline]
    fn free_way(&self) -> usize {
        self.held.trailing_ones() as usize
    }

    fn iter(&self) -> impl Iterator<Item = (usize, u64, V)> + '_ {
        let held = |way: &usize| self.held >> way & 1 == 1;
        (0..WAYS).filter(held).map(|way| (way, self.ids[way], self.values[way]))
    }
}

/// Exchanges give ids in sequence or in steps, often of a power of two or ten, or set them together of
/// two numbers. Folding the upper half of a product onto the lower, and one product more, spreads all
/// of them as if they were random; a test walks the patterns.
#[inline]
#[allow(clippy::cast_possible_truncation)]
fn spread(id: u64) -> u64 {
    let product = u128::from(id) * 0x9e37_79b9_7f4a_7c15;
    ((product >> 64) as u64 ^ product as u64).wrapping_mul(0xd1b5_4a32_d192_ed03)
}

impl<V: Copy + Default, const WAYS: usize> IdTable<V, WAYS> {
    /// A table for up to `capacity` ids, two fifths full then: one id of fifty is not in its bucket.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        IdTable::with(capacity, capacity.saturating_mul(39) / (16 * WAYS), false)
    }

    /// A table that may be made larger when it is full, by [`IdTable::grow`]; half full then,
    /// so that one just made larger does not take more for each id than one that cannot grow.
    #[must_use]
    pub fn growing(capacity: usize) -> Self {
        let capacity = capacity.max(4);
        IdTable::with(capacity, capacity.saturating_mul(31) / (16 * WAYS), true)
    }

    fn with(capacity: usize, buckets: usize, grows: bool) -> Self {
        const { assert!(WAYS > 0 && WAYS < 8) };
        // One way more than ids, so that a search for a free one ends.
        let buckets = buckets.max(capacity / WAYS + 1);
        // A pattern other than zero makes the allocator touch every page now, not in the market.
        let (ids, values) = ([u64::MAX; WAYS], [V::default(); WAYS]);
        let empty = Bucket { passed: 0, held: 0, ids, values };
        IdTable { buckets: vec![empty; buckets].into_boxed_slice(), len: 0, capacity, grows }
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

    /// The bucket behind one, around the end.
    #[inline]
    fn behind(&self, bucket: usize) -> usize {
        if bucket + 1 == self.buckets.len() { 0 } else { bucket + 1 }
    }

    /// Where a search for `id` begins: as far into the table as its hash is into all numbers.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn home(&self, id: u64) -> usize {
        ((u128::from(spread(id)) * self.buckets.len() as u128) >> 64) as usize
    }

    /// Where `id` stands, or else where it would be put.
    #[inline(always)]
    pub(crate) fn find(&self, id: u64) -> Result<Place, Place> {
        let home = self.home(id);
        let bucket = &self.buckets[home];
        let place = |way| Place { home, bucket: home, way };
        match bucket.ways_of(id) {
            0 if bucket.passed == 0 && bucket.held != Bucket::<V, WAYS>::FULL => {
                Err(place(bucket.free_way()))
            }
            0 => self.find_beyond(id, home),
            ways => Ok(place(ways.trailing_zeros() as usize)),
        }
    }

    /// The same, from bucket to bucket.
    #[inline(never)]
    fn find_beyond(&self, id: u64, home: usize) -> Result<Place, Place> {
        let (mut at, mut free) = (home, None);
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            let place = |way| Place { home, bucket: at, way };
            match bucket.ways_of(id) {
                0 => {}
                ways => return Ok(place(ways.trailing_zeros() as usize)),
            }
            if bucket.held != Bucket::<V, WAYS>::FULL {
                free = free.or_else(|| Some(place(bucket.free_way())));
            }
            if let Some(free) = free
                && bucket.passed == 0
            {
                return Err(free);
            }
            at = self.behind(at);
        }
        Err(free.unwrap_or(Place { home, bucket: home, way: WAYS }))
    }

    /// Begins to fetch what a search for `id` will look at first.
    #[inline]
    pub(crate) fn prefetch(&self, id: u64) {
        let bucket = &self.buckets[self.home(id)];
        crate::prefetch::line(bucket);
        if size_of::<Bucket<V, WAYS>>() > 64 {
            crate::prefetch::line(&bucket.values[WAYS - 1]);
        }
    }

    /// The value at a place that [`IdTable::find`] gave.
    #[inline]
    pub(crate) fn value_mut(&mut self, place: Place) -> Option<&mut V> {
        self.buckets[place.bucket].values.get_mut(place.way)
    }

    /// Puts a new id at the place that [`IdTable::find`] gave for it.
    #[inline]
    pub(crate) fn put_at(&mut self, place: Place, id: u64, value: V) -> Result<(), Full> {
        if self.is_full() || place.way >= WAYS {
            return Err(Full);
        }
        let mut passed = place.home;
        while passed != place.bucket {
            self.buckets[passed].passed += 1;
            passed = self.behind(passed);
        }
        let bucket = &mut self.buckets[place.bucket];
        bucket.ids[place.way] = id;
        bucket.values[place.way] = value;
        bucket.held |= 1 << place.way;
        self.len += 1;
        Ok(())
    }

    /// Empties the place of an id.
    #[inline]
    pub(crate) fn remove_at(&mut self, place: Place) {
        let mut passed = place.home;
        while passed != place.bucket {
            self.buckets[passed].passed -= 1;
            passed = self.behind(passed);
        }
        self.buckets[place.bucket].held &= !(1 << place.way);
        self.len -= 1;
    }

    /// The value of `id`.
    #[must_use]
    #[inline]
    pub fn get(&self, id: u64) -> Option<V> {
        self.find(id).ok().map(|place| self.buckets[place.bucket].values[place.way])
    }

    /// Sets the value of `id`; gives back the value it had.
    ///
    /// # Errors
    /// [`Full`] if the id is new and the table holds `capacity` ids; nothing changes then.
    pub fn insert(&mut self, id: u64, value: V) -> Result<Option<V>, Full> {
        match self.find(id) {
            Ok(place) => Ok(self.value_mut(place).map(|kept| std::mem::replace(kept, value))),
            Err(place) => self.put_at(place, id, value).map(|()| None),
        }
    }

    /// Forgets `id`; gives back its value.
    pub fn remove(&mut self, id: u64) -> Option<V> {
        let place = self.find(id).ok()?;
        let value = self.value_mut(place).copied();
        self.remove_at(place);
        value
    }

    /// Every id with its value, in an order that depends on history: sort before use.
    pub fn iter(&self) -> impl Iterator<Item = (u64, V)> + '_ {
        self.buckets.iter().flat_map(|bucket| bucket.iter().map(|(_, id, value)| (id, value)))
    }

    /// Forgets every id whose value `keep` refuses. Walks the whole table: not for the hot path.
    pub fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        for bucket in 0..self.buckets.len() {
            let held = self.buckets[bucket];
            for (way, id, _) in held.iter().filter(|(.., value)| !keep(value)) {
                self.remove_at(Place { home: self.home(id), bucket, way });
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
            for bucket in &mut self.buckets {
                (bucket.passed, bucket.held) = (0, 0);
            }
            self.len = 0;
        }
    }
}

#[cfg(test)]
mod tests;
