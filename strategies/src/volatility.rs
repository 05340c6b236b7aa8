//! Volatility of the mid price from samples on a timer.
//!
//! It estimates and nothing else: what is not finite is never taken in.

use market::{StateHasher, Timestamp};

/// Volatility in price units per square root of a second: fixed, or an exponentially weighted
/// mean of squared changes over elapsed time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volatility {
    variance: f64,
    half_life: f64,
    last: Option<(Timestamp, f64)>,
}

impl Volatility {
    /// Begins at `sigma`. Samples weigh half after `half_life` seconds; at zero it stays `sigma`.
    #[must_use]
    pub const fn new(sigma: f64, half_life: f64) -> Self {
        Volatility { variance: sigma * sigma, half_life, last: None }
    }

    /// Price units per square root of a second.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        libm::sqrt(self.variance)
    }

    /// Takes in the mid price of `now`. A change over a time without a mid is not counted, as
    /// nobody could have traded in it.
    pub fn sample(&mut self, now: Timestamp, mid: Option<f64>) {
        let mid = mid.filter(|mid| mid.is_finite());
        if let (Some((then, before)), Some(mid)) = (self.last, mid) {
            let elapsed = now.since(then).as_secs_f64();
            if elapsed > 0.0 && self.half_life > 0.0 {
                let change = mid - before;
                let weight = 1.0 - libm::exp2(-elapsed / self.half_life);
                self.variance += weight * (change * change / elapsed - self.variance);
            }
        }
        self.last = mid.map(|mid| (now, mid));
    }

    /// Adds the state to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.variance.to_bits());
        hasher.word(self.half_life.to_bits());
        let (then, mid) = self.last.unwrap_or((Timestamp::MAX, 0.0));
        hasher.word(then.nanos());
        hasher.word(mid.to_bits());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::{Nanos, Rng};

    #[test]
    fn finds_the_volatility_of_a_random_walk() {
        let (mut rng, mut now, mut mid) = (Rng::new(5), Timestamp::ZERO, 100.0);
        let mut volatility = Volatility::new(9.0, 500.0);
        for _ in 0..20_000 {
            // Uneven sampling must not matter: a step of 0.3 per root second.
            let seconds = 1 + rng.below(3);
            now = now.after(Nanos::from_secs(seconds));
            let step = 0.3 * libm::sqrt(seconds as f64);
            mid += if rng.chance(0.5) { step } else { -step };
            volatility.sample(now, Some(mid));
        }
        assert!((volatility.sigma() - 0.3).abs() < 1e-3, "{}", volatility.sigma());
    }

    #[test]
    fn fixed_gaps_and_nonsense_leave_it_alone() {
        let at = |seconds| Timestamp::ZERO.after(Nanos::from_secs(seconds));
        let mut fixed = Volatility::new(2.0, 0.0);
        let mut gaps = Volatility::new(2.0, 10.0);
        for (second, mid) in [(1, Some(1.0)), (2, None), (3, Some(50.0)), (4, Some(f64::NAN))] {
            fixed.sample(at(second), mid.map(|mid| mid * 7.0));
            gaps.sample(at(second), mid);
        }
        gaps.sample(at(4), Some(8.0));
        gaps.sample(at(4), Some(9.0));
        assert_eq!((fixed.sigma(), gaps.sigma()), (2.0, 2.0));
        gaps.sample(at(14), Some(9.0));
        assert_eq!(gaps.sigma(), libm::sqrt(2.0), "half the variance after a half-life of rest");
    }
}
