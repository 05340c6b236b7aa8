//! Where the time went: regimes and longest cycle of every stage, and what the kernel did to every
//! core's thread. What the exit report, the status page and the metrics show, made once here.
//!
//! Only reads counters; asks no core.

use crate::runtime::clock::Clock;
use crate::runtime::did::Did;
use crate::runtime::stage::{Longest, REGIMES, StageCounters};
use crate::runtime::usage::{CoreWatch, Usage, WARM_UP};
use market::{Nanos, Timestamp};
use std::fmt;
use std::sync::atomic::Ordering;

/// The blame of a whole run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blame {
    /// In the order of the pipeline.
    pub stages: Vec<StageBlame>,
    /// In the order of their first stages.
    pub cores: Vec<CoreBlame>,
}

/// One stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageBlame {
    /// Its name.
    pub name: &'static str,
    /// Polls, by regime.
    pub polls: [u64; REGIMES.len()],
    /// Time of those polls, by regime.
    pub time: [Nanos; REGIMES.len()],
    /// From the core's beginning to the stage's last poll.
    pub alive: Nanos,
    /// The longest cycle, by regime.
    pub longest: [Option<Cycle>; REGIMES.len()],
}

/// A cycle to be blamed for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// How long.
    pub span: Nanos,
    /// When it ended.
    pub at: Timestamp,
    /// What it did.
    pub did: Did,
    /// It came after warm-up.
    pub warm: bool,
}

/// One core's thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CoreBlame {
    /// Its stages, joined by `+`.
    pub name: String,
    /// The CPU it was to be pinned to.
    pub cpu: Option<usize>,
    /// Counts of the kernel after warm-up; `None` before its end.
    pub usage: Option<Usage>,
}

impl StageBlame {
    /// What the counters say now.
    #[must_use]
    pub fn of(name: &'static str, counters: &StageCounters, clock: &Clock) -> StageBlame {
        let began = counters.began.load(Ordering::Relaxed);
        let last = counters.last_poll.load(Ordering::Relaxed);
        let cycle = |longest: Longest| Cycle {
            span: clock.span(longest.ticks),
            at: longest.at,
            did: longest.did,
            warm: longest.warm,
        };
        StageBlame {
            name,
            polls: counters.polls.each_ref().map(|polls| polls.load(Ordering::Relaxed)),
            time: counters.ticks.each_ref().map(|ticks| clock.span(ticks.load(Ordering::Relaxed))),
            alive: clock.span(last.saturating_sub(began)),
            longest: counters.longest().map(|longest| longest.map(cycle)),
        }
    }

    /// The longest cycle of each regime that had one.
    pub fn cycles(&self) -> impl Iterator<Item = (&'static str, &Cycle)> {
        let cycles = REGIMES.iter().zip(&self.longest);
        cycles.filter_map(|((_, regime), cycle)| Some((*regime, cycle.as_ref()?)))
    }

    /// Share of the core's time that a regime took, in hundredths.
    #[must_use]
    pub fn share(&self, regime: usize) -> f64 {
        let alive = self.alive.as_secs_f64();
        match self.time.get(regime) {
            Some(time) if alive > 0.0 => 100.0 * time.as_secs_f64() / alive,
            _ => 0.0,
        }
    }
}

impl CoreBlame {
    /// What the kernel counted up to now.
    #[must_use]
    pub fn of(watch: &CoreWatch) -> CoreBlame {
        watch.look();
        CoreBlame { name: watch.name.clone(), cpu: watch.cpu, usage: watch.after_warm_up() }
    }
}

impl fmt::Display for Cycle {
    /// `1.24 ms at 13:30:00.123456: 12 events, state hashed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.to_string();
        let of_day = at.get(11..26).unwrap_or(&at);
        let warm = if self.warm { "" } else { ", in warm-up" };
        write!(f, "{} at {of_day}{warm}: {}", self.span, self.did)
    }
}

impl fmt::Display for CoreBlame {
    /// `feed+trading on CPU 1: 12 involuntary and 0 voluntary context switches, …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.cpu {
            Some(cpu) => write!(f, " on CPU {cpu}: ")?,
            None => f.write_str(" unpinned: ")?,
        }
        let Some(usage) = &self.usage else {
            return write!(f, "no counts before {} s of warm-up are over", WARM_UP.as_secs());
        };
        let Usage { voluntary, involuntary, minor_faults, major_faults, waited } = usage;
        write!(
            f,
            "{involuntary} involuntary and {voluntary} voluntary context switches, {minor_faults} \
             minor and {major_faults} major page faults, {waited} without a CPU"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::did::Act;

    #[test]
    fn shares_are_of_the_cores_time() {
        let time = [Nanos::new(300), Nanos::new(50), Nanos::ZERO];
        let stage = StageBlame { time, alive: Nanos::new(1_000), ..StageBlame::default() };
        assert_eq!([0, 1, 2, 3].map(|regime| stage.share(regime)), [30.0, 5.0, 0.0, 0.0]);
        assert_eq!(StageBlame::default().share(0), 0.0);
        let (clock, _calibrator) = crate::runtime::clock::calibrate();
        let unpolled = StageBlame::of("feed", &StageCounters::default(), &clock);
        assert_eq!(unpolled, StageBlame { name: "feed", ..StageBlame::default() });
    }

    #[test]
    fn told_in_one_line() {
        let mut did = Did::default();
        did.add(Act::Events, 12);
        let (span, at) =
            (Nanos::from_micros(1_240), Timestamp::from_nanos(1_752_758_200_123_456_789));
        let cycle = Cycle { span, at, did, warm: true };
        assert_eq!(cycle.to_string(), "1.24 ms at 13:16:40.123456: 12 events");
        let cycle = Cycle { warm: false, ..cycle };
        assert_eq!(cycle.to_string(), "1.24 ms at 13:16:40.123456, in warm-up: 12 events");
        let usage = Usage { involuntary: 7, minor_faults: 3, ..Usage::default() };
        let core = CoreBlame { name: "feed+trading".into(), cpu: Some(1), usage: Some(usage) };
        assert_eq!(
            core.to_string(),
            "feed+trading on CPU 1: 7 involuntary and 0 voluntary context switches, 3 minor and 0 \
             major page faults, 0 ns without a CPU"
        );
        let core = CoreBlame { cpu: None, usage: None, ..core };
        assert!(core.to_string().starts_with("feed+trading unpinned: no counts before 2 s"));
    }
}
