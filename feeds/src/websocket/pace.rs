//! How often something may be done: so many times within any window of time. It reads no clock.

use market::{Nanos, Timestamp};
use std::collections::VecDeque;

/// See the module.
#[derive(Clone, Debug)]
pub struct Pace {
    most: usize,
    window: Nanos,
    done: VecDeque<Timestamp>,
}

impl Pace {
    /// At most `most` times in any `window`.
    #[must_use]
    pub fn new(most: usize, window: Nanos) -> Pace {
        Pace { most, window, done: VecDeque::with_capacity(most) }
    }

    /// Does it once more, if it may be done now.
    pub fn take(&mut self, now: Timestamp) -> bool {
        while self.done.front().is_some_and(|&at| now.since(at) >= self.window) {
            self.done.pop_front();
        }
        let may = self.done.len() < self.most;
        if may {
            self.done.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_holds_more_than_the_most() {
        let at = |ms: u64| Timestamp::from_nanos(1_000_000 * ms);
        let mut pace = Pace::new(2, Nanos::from_millis(100));
        let allowed: Vec<bool> = [0, 10, 20, 99, 100, 105, 110].map(|ms| pace.take(at(ms))).into();
        assert_eq!(allowed, [true, true, false, false, true, false, true]);
    }
}
