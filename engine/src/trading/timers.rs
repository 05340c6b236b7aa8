//! Timers of the loop: few, fixed in number, fired in order of time and then of age.

use market::{InstrumentId, StateHasher, Timestamp};
use strategies::TimerId;

/// What to do when it is time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Look for stale books and for orders without an answer.
    Watch,
    /// Plan the quotes of an instrument again.
    Plan(InstrumentId),
    /// Call a strategy back.
    Strategy(u16, TimerId),
}

impl Due {
    fn words(self) -> [u64; 3] {
        match self {
            Due::Watch => [1, 0, 0],
            Due::Plan(instrument) => [2, u64::from(instrument.0), 0],
            Due::Strategy(index, timer) => [3, u64::from(index), u64::from(timer.0)],
        }
    }
}

/// Pending timers, soonest last. Setting one again moves it.
#[derive(Clone, Debug)]
pub struct Timers {
    pending: Vec<(Timestamp, u64, Due)>,
    capacity: usize,
    count: u64,
    /// Timers that found no place.
    pub refused: u64,
}

impl Timers {
    /// Room for `capacity` timers.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Timers { pending: Vec::with_capacity(capacity), capacity, count: 0, refused: 0 }
    }

    /// Sets `due` for `at`, replacing an earlier setting of the same.
    pub fn set(&mut self, at: Timestamp, due: Due) {
        self.cancel(due);
        if self.pending.len() == self.capacity {
            self.refused += 1;
            return;
        }
        self.count += 1;
        let entry = (at, self.count, due);
        let place = self.pending.partition_point(|&(t, n, _)| (t, n) > (at, self.count));
        self.pending.insert(place, entry);
    }

    /// Sets `due` for `at` unless it is already due by then.
    pub fn set_by(&mut self, at: Timestamp, due: Due) {
        let sooner = self.pending.iter().any(|&(t, _, other)| other == due && t <= at);
        if !sooner {
            self.set(at, due);
        }
    }

    /// Takes a timer back.
    pub fn cancel(&mut self, due: Due) {
        self.pending.retain(|&(_, _, other)| other != due);
    }

    /// When the next timer is due; [`Timestamp::MAX`] if none is pending.
    #[must_use]
    pub fn next_due(&self) -> Timestamp {
        self.pending.last().map_or(Timestamp::MAX, |&(at, ..)| at)
    }

    /// Takes the next timer due at `now`.
    pub fn pop(&mut self, now: Timestamp) -> Option<Due> {
        let &(at, _, due) = self.pending.last()?;
        if at > now {
            return None;
        }
        self.pending.pop();
        Some(due)
    }

    /// Adds all pending timers to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for &(at, _, due) in &self.pending {
            hasher.word(at.nanos());
            due.words().into_iter().for_each(|word| hasher.word(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_of_time_then_age() {
        let at = Timestamp::from_nanos;
        let plan = |n| Due::Plan(InstrumentId(n));
        let mut timers = Timers::new(3);
        timers.set(at(20), plan(0));
        timers.set(at(10), plan(1));
        timers.set(at(10), plan(2));
        timers.set(at(5), Due::Watch);
        assert_eq!((timers.refused, timers.next_due()), (1, at(10)));
        timers.set_by(at(30), plan(0));
        assert_eq!(timers.pop(at(9)), None);
        assert_eq!(timers.pop(at(20)), Some(plan(1)));
        assert_eq!(timers.pop(at(20)), Some(plan(2)));
        assert_eq!(timers.pop(at(20)), Some(plan(0)));
        assert_eq!(timers.next_due(), Timestamp::MAX);
    }
}
