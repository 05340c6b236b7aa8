//! When the next packet of a market is due, and which time its venue sees. Time is an argument.

use crate::config::Speed;
use market::{Nanos, Timestamp};

/// How fast a market runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Its times are those of the clock.
    Live,
    /// A recording, at so many times its own speed; when it was begun, once it is.
    Times {
        /// Times the recorded speed.
        times: f64,
        /// Time of the first packet, recorded and by the clock.
        begun: Option<(Timestamp, Timestamp)>,
    },
    /// A recording, as fast as it can be read, or as the engine answers.
    Unbound,
}

impl Pace {
    /// The pace of a recording. In lockstep the engine sets it, whatever the speed.
    #[must_use]
    pub fn recorded(speed: Speed, lockstep: bool) -> Pace {
        match speed {
            Speed::Times(times) if !lockstep => Pace::Times { times, begun: None },
            _ => Pace::Unbound,
        }
    }

    /// True if a packet of time `next` is due at `now`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
    pub fn is_due(&mut self, next: Timestamp, now: Timestamp) -> bool {
        match self {
            Pace::Live => next <= now,
            Pace::Unbound => true,
            Pace::Times { times, begun } => {
                let (first, since) = *begun.get_or_insert((next, now));
                let wait = next.since(first).get() as f64 / *times;
                // A float beyond the range becomes the longest span there is.
                since.after(Nanos::new(wait as u64)) <= now
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::ZERO.after(Nanos::from_secs(secs))
    }

    #[test]
    fn a_recording_runs_at_a_multiple_of_its_own_speed() {
        let mut pace = Pace::recorded(Speed::Times(10.0), false);
        assert!(pace.is_due(at(1_000), at(50)), "the first begins it");
        assert!(!pace.is_due(at(1_020), at(51)));
        assert!(pace.is_due(at(1_020), at(52)));
        assert!(pace.is_due(at(1_000), at(50)), "what is behind is due");
    }

    #[test]
    fn the_engine_sets_the_pace_in_lockstep() {
        assert_eq!(Pace::recorded(Speed::Times(10.0), true), Pace::Unbound);
        assert!(Pace::recorded(Speed::Max, false).is_due(at(9), at(0)));
        assert!(!Pace::Live.is_due(at(9), at(8)));
    }
}
