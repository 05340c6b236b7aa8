//! When to connect again: waits that grow, by chance a little apart, and never more often than the
//! venue allows to all sessions together.
//!
//! A state machine without clock or socket. It must never let an attempt begin before its time.

mod logons;

use crate::config::TransportConfig;
use market::{Nanos, Rng, Timestamp};
use std::sync::Arc;

pub use logons::Logons;

/// How attempts follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Wait after a session that lived, and after the first attempt that failed.
    pub first: Nanos,
    /// Longest wait.
    pub longest: Nanos,
}

impl From<&TransportConfig> for Pace {
    fn from(transport: &TransportConfig) -> Self {
        Pace { first: transport.reconnect_ms, longest: transport.reconnect_max_ms }
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
    /// The venue's limit, shared with its other sessions, and how much of it is left to them.
    logons: Option<(Arc<Logons>, usize)>,
    rng: Rng,
}

impl Reconnect {
    /// Due at once. Of engines that begin together, each must have a `seed` of its own.
    #[must_use]
    pub fn new(pace: Pace, seed: u64) -> Reconnect {
        let state = State::Waits(Timestamp::ZERO);
        Reconnect { pace, state, wait: pace.first, logons: None, rng: Rng::new(seed) }
    }

    /// Within the venue's limit, of which it leaves so many connections to other sessions.
    #[must_use]
    pub fn within(mut self, logons: Arc<Logons>, leaves: usize) -> Reconnect {
        self.logons = Some((logons, leaves));
        self
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

    /// An attempt begins, if the venue's limit has room for one; if not, it is due again when there
    /// may be. It takes a lock, which others hold for moments only: to be called when due.
    pub fn begin(&mut self, now: Timestamp) -> bool {
        if let Some((logons, leaves)) = &self.logons
            && let Err(until) = logons.take(now, *leaves)
        {
            // Where others are under way at this moment, nobody knows when there will be.
            self.state = State::Waits(until.unwrap_or(now.after(self.pace.first)));
            return false;
        }
        self.state = State::Tries;
        true
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

    fn over(&self, now: Timestamp) {
        if let Some((logons, _)) = &self.logons {
            logons.give_back(now);
        }
    }

    /// Waits, and makes the next wait longer.
    fn rest(&mut self, now: Timestamp) {
        let wait = self.wait.get();
        let moved = wait - wait / 5 + self.rng.below(wait / 5 * 2 + 1);
        self.state = State::Waits(now.after(Nanos::new(moved)));
        self.wait = Nanos::new(wait.saturating_mul(2)).min(self.pace.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn pace(first: u64, longest: u64) -> Pace {
        Pace { first: Nanos::new(first), longest: Nanos::new(longest) }
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
        let mut reconnect = Reconnect::new(pace(SECOND, 10 * SECOND), 7);
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
            let mut reconnect = Reconnect::new(pace(SECOND, SECOND), seed);
            reconnect.begin(Timestamp::ZERO);
            reconnect.failed(Timestamp::ZERO);
            until(&reconnect)
        };
        assert_eq!(wait(1), wait(1));
        assert_ne!(wait(1), wait(2));
    }

    /// One session, as `no_window_holds_more_connections_than_the_venue_allows` lets it live.
    struct Life {
        reconnect: Reconnect,
        /// When its present attempt or connection is over, and how it ends.
        over: Option<(Timestamp, u8, u64)>,
    }

    impl Life {
        /// The next moment at which something happens to it.
        fn next(&self) -> Timestamp {
            self.over.map_or_else(|| until(&self.reconnect), |(at, _, _)| at)
        }
    }

    proptest! {
        /// Whenever within its attempt the venue saw a connection, no window holds more than allowed,
        /// of all sessions together; and each gets its turn.
        #[test]
        fn no_window_holds_more_connections_than_the_venue_allows(
            count in 1_u32..6,
            window in 1_u64..5_000,
            first in 1_u64..300,
            sessions in 1_usize..4,
            seed: u64,
            fates in proptest::collection::vec((0_u8..3, 0_u64..400, 0_u64..=100, 0_u64..900), 1..200),
        ) {
            let logons = Arc::new(Logons::new(count, Nanos::new(window)));
            let mut lives: Vec<Life> = (0..sessions)
                .map(|index| Life {
                    reconnect: Reconnect::new(pace(first, 1_000), seed ^ index as u64)
                        .within(logons.clone(), usize::from(index > 0)),
                    over: None,
                })
                .collect();
            let mut now = Timestamp::from_nanos(1);
            let mut seen: Vec<u64> = Vec::new();
            for (fate, took, share, lived) in fates {
                let life = lives.iter_mut().min_by_key(|life| life.next()).unwrap();
                now = now.max(life.next());
                match life.over.take() {
                    None if life.reconnect.begin(now) => {
                        seen.push(now.nanos() + took * share / 100);
                        life.over = Some((now.after(Nanos::new(took)), fate, lived));
                    }
                    None => prop_assert!(until(&life.reconnect) > now, "it waits for something"),
                    Some((_, 0, _)) => life.reconnect.failed(now),
                    // A connection: it ends some time later.
                    Some((_, fate @ 1..=2, lived)) => {
                        life.reconnect.connected(now);
                        life.over = Some((now.after(Nanos::new(lived)), fate + 2, 0));
                    }
                    Some((_, fate, _)) => life.reconnect.ended(now, fate == 3),
                }
            }
            seen.sort_unstable();
            for (at, later) in seen.iter().enumerate().skip(count as usize) {
                let earlier = seen[at - count as usize];
                prop_assert!(later - earlier >= window, "{seen:?}");
            }
        }
    }

    #[test]
    fn a_second_session_leaves_the_last_connection_to_the_first() {
        let logons = Arc::new(Logons::new(2, Nanos::new(10 * SECOND)));
        let session =
            |leaves| Reconnect::new(pace(SECOND, SECOND), 1).within(logons.clone(), leaves);
        let (mut orders, mut copy) = (session(0), session(1));
        let now = Timestamp::from_nanos(SECOND);
        assert!(copy.begin(now));
        copy.failed(now);
        assert!(!copy.begin(now.after(Nanos::SECOND)), "one is left, and not for it");
        assert_eq!(until(&copy), now.after(Nanos::new(10 * SECOND)));
        assert!(orders.begin(now.after(Nanos::SECOND)));
        // Neither has room now: one is under way, the other was used.
        assert!(!session(0).begin(now.after(Nanos::SECOND)));
    }
}
