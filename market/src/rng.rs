//! The one random generator: xoshiro256++ (D. Blackman and S. Vigna, 2019), seeded by SplitMix64.
//!
//! Our own thirty lines rather than a crate, because recorded runs must replay with every later
//! version, and because its state is part of the state hash.

use crate::StateHasher;

/// A seeded, portable generator.
///
/// ```
/// use market::Rng;
/// let (mut one, mut two) = (Rng::new(7), Rng::new(7));
/// assert_eq!(one.next_u64(), two.next_u64());
/// assert!(one.below(10) < 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng([u64; 4]);

impl Rng {
    /// The generator of `seed`; every seed gives another stream.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Rng(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    /// An independent generator for a part of the whole, named by `label`.
    #[must_use]
    pub fn fork(&mut self, label: u64) -> Rng {
        Rng::new(self.next_u64() ^ label.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, bound) by multiply-shift; the bias is below 2^-64 × bound. Zero for zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        #[allow(clippy::cast_possible_truncation)]
        let high = ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64;
        high
    }

    /// Uniform in [0, 1), 53 bits.
    #[allow(clippy::cast_precision_loss)]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Adds the state to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for word in self.0 {
            hasher.word(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_reference() {
        // xoshiro256plusplus.c with s = {1, 2, 3, 4}.
        let mut rng = Rng([1, 2, 3, 4]);
        let first: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn uniform_enough() {
        let mut rng = Rng::new(1);
        let mean = (0..100_000).map(|_| rng.unit()).sum::<f64>() / 100_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert_eq!(rng.below(0), 0);
    }
}
