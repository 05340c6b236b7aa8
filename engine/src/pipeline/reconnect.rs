//! When to connect again: waits that grow, by chance a little apart, and never more often than the
//! venue allows.
//!
//! A state machine without clock or socket. It must never let an attempt begin before its time.

use crate::config::TransportConfig;
use market::{Nanos, Rng, Timestamp};
use std::collections::VecDeque;

/// How attempts follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Wait after a session that lived, and after the first attempt that failed.
    pub first: Nanos,
    /// Longest wait.
    pub longest: Nanos,
    /// Connections that the venue allows, and in which time.
    pub limit: Option<(u32, Nanos)>,
}

impl From<&TransportConfig> for Pace {
    fn from(transport: &TransportConfig) -> Self {
        Pace {
            first: transport.reconnect_ms,
            longest: transport.reconnect_max_ms,
            limit: transport.logons.map(|count| (count, transport.logons_window_s)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until then.
    Waits(Timestamp),
    /// An attempt is under way.
    Tries,
    Connected,
}

/// The attempts to connect to one venue.
#[derive(Debug)]
pub struct Reconnect {
    pace: Pace,
    state: State,
    /// The next wait, before chance moves it.
    wait: Nanos,
    /// The last attempts within the venue's limit, oldest first. An attempt that is over counts from
    /// its end: whatever the venue saw of it, it saw before.
    attempts: VecDeque<Timestamp>,
    rng: Rng,
}

impl Reconnect {
    /// Due at once. Of engines that begin together, each must have a `seed` of its own.
    #[must_use]
    pub fn new(pace: Pace, seed: u64) -> Reconnect {
        let kept = pace.limit.map_or(0, |(count, _)| count as usize);
        Reconnect {
            pace,
            state: State::Waits(Timestamp::ZERO),
            wait: pace.first,
            attempts: VecDeque::with_capacity(kept),
            rng: Rng::new(seed),
        }
    }

    /// True if an attempt should begin now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Waits(until) if now >= until)
    }

    /// True between the beginning of an attempt and its outcome.
    #[must_use]
    pub fn is_trying(&self) -> bool {
        self.state == State::Tries
    }

    /// An attempt begins.
    pub fn begin(&mut self, now: Timestamp) {
        self.state = State::Tries;
        if let Some((count, _)) = self.pace.limit {
            if self.attempts.len() >= count as usize {
                self.attempts.pop_front();
            }
            self.attempts.push_back(now);
        }
    }

    /// The attempt has made a connection.
    pub fn connected(&mut self, now: Timestamp) {
        self.over(now);
        self.state = State::Connected;
    }

    /// The attempt has failed.
    pub fn failed(&mut self, now: Timestamp) {
        self.over(now);
        self.rest(now);
    }

    /// The connection has ended; `lived` if it ever had a session.
    pub fn ended(&mut self, now: Timestamp, lived: bool) {
        if lived {
            self.wait = self.pace.first;
        }
        self.rest(now);
    }

    fn over(&mut self, now: Timestamp) {
        if let Some(last) = self.attempts.back_mut() {
            *last = now;
        }
    }

    /// Waits, and makes the next wait longer.
    fn rest(&mut self, now: Timestamp) {
        let wait = self.wait.get();
        let moved = wait - wait / 5 + self.rng.below(wait / 5 * 2 + 1);
        let mut until = now.after(Nanos::new(moved));
        if let Some((count, window)) = self.pace.limit
            && self.attempts.len() >= count as usize
            && let Some(oldest) = self.attempts.front()
        {
            until = until.max(oldest.after(window));
        }
        self.state = State::Waits(until);
        self.wait = Nanos::new(wait.saturating_mul(2)).min(self.pace.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn pace(first: u64, longest: u64, limit: Option<(u32, u64)>) -> Pace {
        let limit = limit.map(|(count, window)| (count, Nanos::new(window)));
        Pace { first: Nanos::new(first), longest: Nanos::new(longest), limit }
    }

    /// The instant at which the next attempt is due.
    fn until(reconnect: &Reconnect) -> Timestamp {
        match reconnect.state {
            State::Waits(until) => until,
            state => panic!("{state:?}"),
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_session() {
        let mut reconnect = Reconnect::new(pace(SECOND, 10 * SECOND, None), 7);
        let mut now = Timestamp::from_nanos(5);
        assert!(reconnect.is_due(now), "the first attempt does not wait");
        let mut waits = Vec::new();
        for _ in 0..7 {
            reconnect.begin(now);
            assert!(reconnect.is_trying() && !reconnect.is_due(now));
            reconnect.failed(now);
            let wait = until(&reconnect).since(now);
            assert!(!reconnect.is_due(now) && reconnect.is_due(now.after(wait)));
            waits.push(wait.get());
            now = now.after(wait);
        }
        for (wait, middle) in waits.iter().zip([1, 2, 4, 8, 10, 10, 10]) {
            let middle = middle * SECOND;
            assert!((middle * 8 / 10..=middle * 12 / 10).contains(wait), "{waits:?}");
        }
        assert!(waits[4] != waits[5] && waits[5] != waits[6], "chance moves them: {waits:?}");
        // One that never had a session changes nothing; one that had is a new beginning.
        for (lived, middle) in [(false, 10), (true, 1), (true, 1), (false, 2)] {
            reconnect.begin(now);
            reconnect.connected(now);
            assert!(!reconnect.is_trying() && !reconnect.is_due(now.after(Nanos::DAY)));
            reconnect.ended(now, lived);
            let wait = until(&reconnect).since(now).get();
            let middle = middle * SECOND;
            assert!((middle * 8 / 10..=middle * 12 / 10).contains(&wait), "{lived} {wait}");
        }
    }

    #[test]
    fn seeds_part_engines_that_begin_together() {
        let wait = |seed| {
            let mut reconnect = Reconnect::new(pace(SECOND, SECOND, None), seed);
            reconnect.begin(Timestamp::ZERO);
            reconnect.failed(Timestamp::ZERO);
            until(&reconnect)
        };
        assert_eq!(wait(1), wait(1));
        assert_ne!(wait(1), wait(2));
    }

    proptest! {
        /// Whenever within its attempt the venue saw a connection, no window holds more than allowed.
        #[test]
        fn no_window_holds_more_connections_than_the_venue_allows(
            count in 1_u32..6,
            window in 1_u64..5_000,
            first in 1_u64..300,
            seed: u64,
            fates in proptest::collection::vec((0_u8..3, 0_u64..400, 0_u64..=100, 0_u64..900), 1..120),
        ) {
            let mut reconnect = Reconnect::new(pace(first, 1_000, Some((count, window))), seed);
            let mut now = Timestamp::from_nanos(1);
            let mut seen: Vec<u64> = Vec::new();
            for (fate, took, share, lived) in fates {
                now = now.max(until(&reconnect));
                reconnect.begin(now);
                seen.push(now.nanos() + took * share / 100);
                now = now.after(Nanos::new(took));
                if fate == 0 {
                    reconnect.failed(now);
                } else {
                    reconnect.connected(now);
                    now = now.after(Nanos::new(lived));
                    reconnect.ended(now, fate == 1);
                }
            }
            for (at, later) in seen.iter().enumerate().skip(count as usize) {
                let earlier = seen[at - count as usize];
                prop_assert!(later - earlier >= window, "{seen:?}");
            }
        }
    }
}
