//! Counts of spans by bucket: what a hot core adds to, with the very buckets of an HDR histogram of
//! two digits, into which whoever reads them pours them.
//!
//! It finds a bucket in a few instructions and keeps nothing else: no smallest, no largest, no sum. It
//! must never grow, and lose nothing.

use hdrhistogram::Histogram;

/// Significant decimal digits of a span.
pub(super) const DIGITS: u8 = 2;
/// Longest span told apart: ten seconds in nanoseconds. Longer ones count as this.
pub(super) const SPAN_MAX: u64 = 10_000_000_000;

/// Two digits take 256 values up to the first doubling, and half as many in each doubling after it.
const HALF_BITS: u32 = 7;
const HALF: usize = 1 << HALF_BITS;
const BUCKETS: usize = bucket(SPAN_MAX) + 1;

/// Counts by bucket.
#[derive(Clone, Debug)]
pub(super) struct Counts(Box<[u64; BUCKETS]>);

impl Default for Counts {
    fn default() -> Self {
        // Zeroed pages would be mapped only at their first use, in the market.
        let mut counts = Counts(Box::new([u64::MAX; BUCKETS]));
        std::hint::black_box(&mut counts).clear();
        counts
    }
}

/// The bucket of a span.
#[allow(clippy::cast_possible_truncation)]
const fn bucket(span: u64) -> usize {
    let doublings = (span | (2 * HALF as u64 - 1)).ilog2() - HALF_BITS;
    doublings as usize * HALF + (span >> doublings) as usize
}

/// The shortest span of a bucket.
const fn shortest(bucket: usize) -> u64 {
    let doublings = (bucket / HALF).saturating_sub(1);
    ((bucket - doublings * HALF) as u64) << doublings
}

impl Counts {
    /// Counts a span in nanoseconds.
    #[inline]
    pub(super) fn record(&mut self, nanos: u64) {
        self.0[bucket(nanos.clamp(1, SPAN_MAX))] += 1;
    }

    /// Adds everything to a histogram of the same buckets.
    pub(super) fn pour(&self, into: &mut Histogram<u64>) {
        for (at, &count) in self.0.iter().enumerate().filter(|&(_, &count)| count > 0) {
            // Within the bounds it is always taken.
            let _ = into.record_n(shortest(at).max(1), count);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::recorder::empty_histogram;
    use market::Rng;

    /// The buckets are those of the crate: a histogram that was poured into equals one that was
    /// recorded into, count by count.
    #[test]
    fn poured_is_as_recorded() {
        let (mut counts, mut recorded) = (Counts::default(), empty_histogram());
        let edges = (0..34).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        let mut rng = Rng::new(3);
        let drawn = (0..100_000).map(|_| rng.next_u64() >> rng.below(64));
        for span in edges.chain(drawn).chain([0, SPAN_MAX - 1, SPAN_MAX, SPAN_MAX + 1, u64::MAX]) {
            counts.record(span);
            recorded.record(span.clamp(1, SPAN_MAX)).unwrap();
        }
        let mut poured = empty_histogram();
        counts.pour(&mut poured);
        assert!(poured.iter_recorded().eq(recorded.iter_recorded()));
        assert_eq!((poured.len(), poured.max()), (recorded.len(), recorded.max()));
        counts.clear();
        let mut none = empty_histogram();
        counts.pour(&mut none);
        assert!(none.is_empty());
    }
}
