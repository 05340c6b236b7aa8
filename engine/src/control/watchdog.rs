//! The watchdog: an unpinned thread that watches a polled core's heartbeat and cuts the order
//! sockets when it stops, so that the venue's cancel-on-disconnect takes the orders out.
//!
//! It latches: a core that comes back after a stall finds its gate shut. It must depend on nothing
//! that the stalled core holds.

use crate::pipeline::gate::{Gate, Shut};
use crate::runtime::clock::Clock;
use crate::runtime::stage::StageCounters;
use market::{Nanos, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Judges a heartbeat, look by look. Owns no clock.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    limit: Nanos,
    /// The beat at the look before.
    seen: Timestamp,
    stalled: bool,
}

impl Judge {
    /// A core may be silent for `limit`.
    #[must_use]
    pub const fn new(limit: Nanos) -> Judge {
        Judge { limit, seen: Timestamp::ZERO, stalled: false }
    }

    /// Looks at the time of the last beat; zero stands for a core that has not begun. True once, at
    /// the look that finds the stall.
    ///
    /// A beat must also be the same at two looks: when host or process slept, the core gets a turn
    /// before it is judged by a clock that ran on.
    pub fn look(&mut self, last_beat: Timestamp, now: Timestamp) -> bool {
        let same = std::mem::replace(&mut self.seen, last_beat) == last_beat;
        let late = last_beat != Timestamp::ZERO && now.since(last_beat) > self.limit;
        same && late && !std::mem::replace(&mut self.stalled, true)
    }

    /// A stall was found.
    #[must_use]
    pub const fn is_stalled(&self) -> bool {
        self.stalled
    }
}

/// What the watchdog watches and what it does.
pub struct Watched {
    /// Counters of the stage whose heartbeat counts.
    pub counters: Arc<StageCounters>,
    /// The engine's clock.
    pub clock: Clock,
    /// Longest silence.
    pub limit: Nanos,
    /// Shut for good at a stall.
    pub gate: Arc<Gate>,
    /// Shuts the order sockets.
    pub cut: Box<dyn Fn() + Send>,
}

/// A running watchdog. Ends when dropped.
pub struct Watchdog {
    stop: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Begins to watch.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start(watched: Watched) -> std::io::Result<Watchdog> {
        let stop = Arc::new(AtomicBool::new(false));
        let stalled = Arc::new(AtomicBool::new(false));
        let (stop_seen, stall_told) = (stop.clone(), stalled.clone());
        let thread = thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || watch(&watched, &stop_seen, &stall_told))?;
        Ok(Watchdog { stop, stalled, thread: Some(thread) })
    }

    /// The core stalled, now or before.
    #[must_use]
    pub fn has_fired(&self) -> bool {
        self.stalled.load(Ordering::Acquire)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Four looks in the time that the core may be silent, at least one in a fifth of a second.
fn rest(limit: Nanos) -> Duration {
    Duration::from_nanos((limit.get() / 4).clamp(1_000_000, 200_000_000))
}

fn watch(watched: &Watched, stop: &AtomicBool, stalled: &AtomicBool) {
    let mut judge = Judge::new(watched.limit);
    while !stop.load(Ordering::Acquire) && !judge.is_stalled() {
        let beat = watched.counters.last_poll.load(Ordering::Relaxed);
        let last = if beat == 0 { Timestamp::ZERO } else { watched.clock.at(beat) };
        if judge.look(last, watched.clock.now()) {
            watched.gate.shut(Shut::Stalled);
            (watched.cut)();
            stalled.store(true, Ordering::Release);
            tracing::error!(
                "the trading loop has stalled for more than {}: order sockets cut, nothing new \
                 goes out until the engine is restarted",
                watched.limit
            );
        }
        thread::park_timeout(rest(watched.limit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Timestamp {
        Timestamp::from_nanos(1 + count * 1_000_000)
    }

    #[test]
    fn a_stall_is_found_once() {
        let mut judge = Judge::new(Nanos::from_millis(100));
        let looks = [
            // Not begun yet, however long it takes.
            (Timestamp::ZERO, ms(0), false),
            (Timestamp::ZERO, ms(500), false),
            // It beats.
            (ms(500), ms(501), false),
            (ms(590), ms(600), false),
            // The last beat is as old as allowed, then older.
            (ms(590), ms(690), false),
            (ms(590), ms(691), true),
            // Told once; it latches even if the core comes back.
            (ms(590), ms(900), false),
            (ms(900), ms(901), false),
        ];
        for (beat, now, expected) in looks {
            assert_eq!(judge.look(beat, now), expected, "beat {beat} now {now}");
        }
        assert!(judge.is_stalled());
    }

    #[test]
    fn a_host_that_slept_is_given_a_turn() {
        let mut judge = Judge::new(Nanos::from_millis(100));
        assert!(!judge.look(ms(10), ms(11)));
        // The core beat on before both slept for a minute.
        assert!(!judge.look(ms(12), ms(60_000)));
        assert!(!judge.look(ms(60_001), ms(60_002)));
    }

    #[test]
    fn a_stall_shuts_the_gate_and_cuts_once() {
        let (clock, _calibrator) = crate::runtime::clock::calibrate();
        let counters = Arc::new(StageCounters::default());
        // One beat, and never again.
        counters.last_poll.store(wire::stamp::now(), Ordering::Relaxed);
        let gate = Arc::new(Gate::default());
        let (send, cuts) = std::sync::mpsc::channel();
        let watchdog = Watchdog::start(Watched {
            counters,
            clock,
            limit: Nanos::from_millis(10),
            gate: gate.clone(),
            cut: Box::new(move || send.send(()).unwrap()),
        });
        cuts.recv().unwrap();
        assert!(gate.is_shut());
        let watchdog = watchdog.unwrap();
        while !watchdog.has_fired() {
            thread::yield_now();
        }
        drop(watchdog);
        assert!(cuts.recv().is_err(), "cut more than once");
    }

    #[test]
    fn a_core_that_never_began_is_left_alone() {
        let (clock, _calibrator) = crate::runtime::clock::calibrate();
        let gate = Arc::new(Gate::default());
        let watched = Watched {
            counters: Arc::default(),
            clock,
            limit: Nanos::from_millis(10),
            gate: gate.clone(),
            cut: Box::new(|| panic!("cut")),
        };
        drop(Watchdog::start(watched).unwrap());
        assert!(!gate.is_shut());
    }
}
