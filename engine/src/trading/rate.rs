//! The message rate: a token bucket in virtual time, with a reserve that only cancels may use.

use market::{Nanos, StateHasher, Timestamp};

/// A bucket of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds a token takes to come back.
    refill: u64,
    capacity: u64,
    reserve: u64,
    /// Tokens there are, in nanoseconds of refill.
    level: u64,
    at: Timestamp,
}

impl Rate {
    /// `per_second` messages, at most `burst` at once; a quarter of the burst is for cancels only.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let refill = Nanos::SECOND.get() / u64::from(per_second.max(1));
        let capacity = u64::from(burst.max(1)) * refill;
        let reserve = u64::from(burst / 4) * refill;
        Rate { refill, capacity, reserve, level: capacity, at: Timestamp::ZERO }
    }

    fn advance(&mut self, now: Timestamp) {
        let past = now.since(self.at).get();
        self.level = self.level.saturating_add(past).min(self.capacity);
        self.at = self.at.max(now);
    }

    /// True if a new order or replace may go now.
    pub fn allows_order(&mut self, now: Timestamp) -> bool {
        self.advance(now);
        self.level >= self.refill + self.reserve
    }

    /// True if a cancel may go now.
    pub fn allows_cancel(&mut self, now: Timestamp) -> bool {
        self.advance(now);
        self.level >= self.refill
    }

    /// Counts one message that goes.
    pub fn take(&mut self, now: Timestamp) {
        self.advance(now);
        self.level = self.level.saturating_sub(self.refill);
    }

    /// How long until a new order may go.
    #[must_use]
    pub fn wait(&self) -> Nanos {
        Nanos::new((self.refill + self.reserve).saturating_sub(self.level))
    }

    /// Adds the level to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.level);
        hasher.word(self.at.nanos());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_the_limit_in_any_second() {
        let mut rate = Rate::new(100, 8);
        let mut sent = Vec::new();
        for step in 0..40_000u64 {
            let now = Timestamp::from_nanos(step * 50_000);
            if rate.allows_cancel(now) {
                rate.take(now);
                sent.push(now);
            }
        }
        for (index, &first) in sent.iter().enumerate() {
            let within = sent[index..].iter().filter(|t| t.since(first) < Nanos::SECOND).count();
            assert!(within <= 108, "{within}");
        }
        assert!(sent.len() >= 200);
    }

    #[test]
    fn cancels_keep_a_reserve() {
        let mut rate = Rate::new(10, 8);
        let now = Timestamp::from_nanos(5_000_000_000);
        let orders = (0..20)
            .filter(|_| {
                rate.allows_order(now) && {
                    rate.take(now);
                    true
                }
            })
            .count();
        let cancels = (0..20)
            .filter(|_| {
                rate.allows_cancel(now) && {
                    rate.take(now);
                    true
                }
            })
            .count();
        assert_eq!((orders, cancels), (6, 2));
        assert!(rate.wait() > Nanos::ZERO);
    }
}
