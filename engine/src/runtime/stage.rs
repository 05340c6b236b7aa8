//! Stages and the cores that poll them. The poll loop is written once, here.
//!
//! A stage never blocks. It says after each poll whether it worked, had nothing to do, or could not
//! go on because the next ring is full; those regimes are exclusive and counted.

use crate::runtime::clock::Clock;
use market::{Nanos, Timestamp};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What one poll did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing was there.
    Idle,
    /// Something was done.
    Busy,
    /// Something was there, but the next ring has no room.
    BackPressured,
}

/// One room of the pipeline, polled by a core.
pub trait Stage: Send {
    /// Its name in reports and metrics.
    fn name(&self) -> &'static str;

    /// Does a bounded amount of work.
    fn poll(&mut self, now: Timestamp) -> Work;

    /// Off the hot path, about every millisecond: publish counters, hand over histograms.
    fn housekeeping(&mut self, _now: Timestamp) {}

    /// The stage itself, to take it back from its core at the end of a run.
    fn as_any(self: Box<Self>) -> Box<dyn Any>;

    /// True when the stage has nothing left to do after a stop was asked for.
    fn is_done(&self) -> bool {
        true
    }
}

/// Counters of one stage: the core writes, anyone reads.
#[derive(Debug, Default)]
pub struct StageCounters {
    /// Polls with nothing to do.
    pub idle: AtomicU64,
    /// Polls that did something.
    pub busy: AtomicU64,
    /// Polls that found the next ring full.
    pub back_pressured: AtomicU64,
    /// Longest poll, in raw ticks.
    pub longest_ticks: AtomicU64,
    /// Raw tick of the last poll: the heartbeat that the watchdog reads.
    pub last_poll: AtomicU64,
}

impl StageCounters {
    fn count(&self, work: Work, began: u64, ended: u64) {
        // One writer: a load and a store are enough.
        let add =
            |cell: &AtomicU64| cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        match work {
            Work::Idle => add(&self.idle),
            Work::Busy => add(&self.busy),
            Work::BackPressured => add(&self.back_pressured),
        }
        let ticks = ended.saturating_sub(began);
        if ticks > self.longest_ticks.load(Ordering::Relaxed) {
            self.longest_ticks.store(ticks, Ordering::Relaxed);
        }
        self.last_poll.store(ended, Ordering::Relaxed);
    }
}

/// What a core does when every stage is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Polls on: the fast way, which takes the whole CPU.
    Spin,
    /// Polls on for a while, then sleeps for short spans: kind to a laptop.
    Kind,
}

/// Idle polls before a kind core begins to sleep.
const KIND_SPINS: u32 = 2_000;
/// How long it sleeps at a time.
const KIND_SLEEP: Duration = Duration::from_micros(50);
/// Polls between two looks at the housekeeping clock.
const HOUSEKEEPING_POLLS: u32 = 1_024;
const HOUSEKEEPING_SPAN: Nanos = Nanos::from_millis(1);
/// How long stages may take to finish after a stop was asked for.
pub const STOP_GRACE: Nanos = Nanos::from_secs(5);

/// One core: the stages it polls in turn, and how it idles.
pub struct Core {
    /// Polled in this order.
    stages: Vec<(Box<dyn Stage>, Arc<StageCounters>)>,
    /// What to do when there is nothing to do.
    idle: Idle,
    clock: Clock,
    /// Set by anyone to end the loop.
    stop: Arc<AtomicBool>,
    idle_polls: u32,
    polls: u32,
    kept_house: Timestamp,
    give_up: Option<Timestamp>,
    last: Timestamp,
}

impl Core {
    /// A core over these stages, polled in this order, until `stop` is set by anyone.
    #[must_use]
    pub fn new(
        stages: Vec<(Box<dyn Stage>, Arc<StageCounters>)>,
        idle: Idle,
        clock: Clock,
        stop: Arc<AtomicBool>,
    ) -> Core {
        Core {
            stages,
            idle,
            clock,
            stop,
            idle_polls: 0,
            polls: 0,
            kept_house: Timestamp::ZERO,
            give_up: None,
            last: Timestamp::ZERO,
        }
    }

    /// Polls until stopped and every stage is done, or the grace is over. Gives the stages back.
    #[must_use]
    pub fn run(mut self) -> Vec<Box<dyn Stage>> {
        while self.turn() {}
        let now = self.clock.now();
        self.stages.iter_mut().for_each(|(stage, _)| stage.housekeeping(now));
        self.stages.into_iter().map(|(stage, _)| stage).collect()
    }

    /// One turn of the loop: every stage once, and what else is due. False once it is over.
    #[inline]
    pub fn turn(&mut self) -> bool {
        // A calibration between two readings may step back by less than its own sampling took.
        // One stamp a boundary: the end of a poll is the beginning of the next.
        let mut began = wire::stamp::now();
        let mut now = self.clock.at(began).max(self.last);
        let mut worked = false;
        for (stage, counters) in &mut self.stages {
            let work = stage.poll(now);
            let ended = wire::stamp::now();
            counters.count(work, began, ended);
            began = ended;
            if work != Work::Idle {
                worked = true;
                now = self.clock.at(ended).max(now);
            }
        }
        self.last = now;
        self.polls = self.polls.wrapping_add(1);
        self.idle_polls = if worked { 0 } else { self.idle_polls.saturating_add(1) };
        let sleepy = self.idle == Idle::Kind && self.idle_polls > KIND_SPINS;
        if (sleepy || self.polls.is_multiple_of(HOUSEKEEPING_POLLS)) && self.keep_house(now) {
            return false;
        }
        if sleepy {
            std::thread::sleep(KIND_SLEEP);
        }
        true
    }

    /// Lets the stages keep house when it is time; true if the loop is over.
    fn keep_house(&mut self, now: Timestamp) -> bool {
        if now.since(self.kept_house) >= HOUSEKEEPING_SPAN {
            self.kept_house = now;
            self.stages.iter_mut().for_each(|(stage, _)| stage.housekeeping(now));
        }
        if !self.stop.load(Ordering::Relaxed) {
            return false;
        }
        let deadline = *self.give_up.get_or_insert(now.after(STOP_GRACE));
        now >= deadline || self.stages.iter().all(|(stage, _)| stage.is_done())
    }
}
