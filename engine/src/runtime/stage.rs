//! Stages and the cores that poll them. The poll loop is written once, here.
//!
//! A stage never blocks. It says after each poll whether it worked, had nothing to do, or could not
//! go on because the next ring is full; those regimes are exclusive and counted.

use crate::runtime::clock::Clock;
use crate::runtime::did::Did;
use crate::runtime::usage::WARM_UP;
use market::{Nanos, Timestamp};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::Duration;

/// What came of one poll: its regime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing was there.
    Idle,
    /// Something was done.
    Busy,
    /// Something was there, but the next ring has no room.
    BackPressured,
}

/// The regimes and their words, in order.
pub const REGIMES: [(Work, &str); 3] =
    [(Work::Idle, "idle"), (Work::Busy, "busy"), (Work::BackPressured, "back-pressured")];

/// One room of the pipeline, polled by a core.
pub trait Stage: Send {
    /// Its name in reports and metrics.
    fn name(&self) -> &'static str;

    /// Does a bounded amount of work.
    fn poll(&mut self, now: Timestamp) -> Work;

    /// What the last poll did. Asked only when it was the longest so far.
    fn did(&self) -> Did {
        Did::default()
    }

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
    /// Polls, by regime.
    pub polls: [AtomicU64; REGIMES.len()],
    /// Raw ticks that they took, by regime.
    pub ticks: [AtomicU64; REGIMES.len()],
    /// Raw tick at which the core began.
    pub began: AtomicU64,
    /// Raw tick of the last poll: the heartbeat that the watchdog reads.
    pub last_poll: AtomicU64,
    longest: [LongestCell; REGIMES.len()],
}

/// The longest cycle of a regime: a poll, or among the busy ones a turn of housekeeping. An idle
/// one that is long did nothing: the host had the CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Longest {
    /// How long, in raw ticks.
    pub ticks: u64,
    /// When it ended.
    pub at: Timestamp,
    /// What it did.
    pub did: Did,
    /// It came after warm-up. Before its end, the longest one of warm-up stands here.
    pub warm: bool,
}

/// One writer, readers that try again while it writes.
#[derive(Debug, Default)]
struct LongestCell {
    version: AtomicU64,
    ticks: AtomicU64,
    at: AtomicU64,
    did: AtomicU64,
    warm: AtomicBool,
}

impl LongestCell {
    #[cold]
    fn write(&self, longest: Longest) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.ticks.store(longest.ticks, Ordering::Relaxed);
        self.at.store(longest.at.nanos(), Ordering::Relaxed);
        self.did.store(longest.did.to_word(), Ordering::Relaxed);
        self.warm.store(longest.warm, Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
    }

    fn read(&self) -> Longest {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let longest = Longest {
                ticks: self.ticks.load(Ordering::Relaxed),
                at: Timestamp::from_nanos(self.at.load(Ordering::Relaxed)),
                did: Did::from_word(self.did.load(Ordering::Relaxed)),
                warm: self.warm.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                return longest;
            }
            std::hint::spin_loop();
        }
    }
}

impl StageCounters {
    /// Counts a poll; true if it was the longest of its regime so far.
    #[inline]
    pub(crate) fn count(&self, work: Work, began: u64, ended: u64) -> bool {
        // One writer: a load and a store are enough.
        let add = |cell: &AtomicU64, more: u64| {
            cell.store(cell.load(Ordering::Relaxed) + more, Ordering::Relaxed);
        };
        let ticks = ended.saturating_sub(began);
        add(&self.polls[work as usize], 1);
        add(&self.ticks[work as usize], ticks);
        self.last_poll.store(ended, Ordering::Relaxed);
        self.is_longest(work, ticks)
    }

    fn is_longest(&self, work: Work, ticks: u64) -> bool {
        ticks > self.longest[work as usize].ticks.load(Ordering::Relaxed)
    }

    #[cold]
    pub(crate) fn note_longest(&self, work: Work, ticks: u64, at: Timestamp, did: Did) {
        let cell = &self.longest[work as usize];
        let warm = cell.warm.load(Ordering::Relaxed);
        cell.write(Longest { ticks, at, did, warm });
    }

    /// Warm-up is over: what was longest in it counts no more.
    pub(crate) fn warm_up_is_over(&self) {
        let none = Longest { warm: true, ..Longest::default() };
        self.longest.iter().for_each(|cell| cell.write(none));
    }

    /// The longest cycle of each regime since the end of warm-up, or in it as long as it lasts;
    /// `None` before any.
    #[must_use]
    pub fn longest(&self) -> [Option<Longest>; REGIMES.len()] {
        let read = |cell: &LongestCell| Some(cell.read()).filter(|longest| longest.ticks > 0);
        self.longest.each_ref().map(read)
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
    /// Raw tick at which the last cycle ended and the next began: no time is nobody's.
    ended: u64,
    /// When warm-up is over; `None` afterwards.
    warm_at: Option<Timestamp>,
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
            ended: 0,
            warm_at: None,
        }
    }

    /// Polls until stopped and every stage is done, or the grace is over. Gives the stages back.
    #[must_use]
    pub fn run(mut self) -> Vec<Box<dyn Stage>> {
        while self.turn() {}
        self.housekeeping(self.clock.now());
        self.stages.into_iter().map(|(stage, _)| stage).collect()
    }

    /// One turn of the loop: every stage once, and what else is due. False once it is over.
    #[inline]
    pub fn turn(&mut self) -> bool {
        if self.ended == 0 {
            self.begin();
        }
        // A calibration between two readings may step back by less than its own sampling took.
        // One stamp a boundary: the end of a poll is the beginning of the next.
        let mut began = self.ended;
        let mut now = self.clock.at(began).max(self.last);
        let mut worked = false;
        for (stage, counters) in &mut self.stages {
            let work = stage.poll(now);
            let ended = wire::stamp::now();
            if counters.count(work, began, ended) {
                let ticks = ended.saturating_sub(began);
                counters.note_longest(work, ticks, self.clock.at(ended), stage.did());
            }
            began = ended;
            if work != Work::Idle {
                worked = true;
                now = self.clock.at(ended).max(now);
            }
        }
        self.ended = began;
        self.last = now;
        self.polls = self.polls.wrapping_add(1);
        self.idle_polls = if worked { 0 } else { self.idle_polls.saturating_add(1) };
        let sleepy = self.idle == Idle::Kind && self.idle_polls > KIND_SPINS;
        if (sleepy || self.polls.is_multiple_of(HOUSEKEEPING_POLLS)) && self.keep_house(now) {
            return false;
        }
        if sleepy {
            std::thread::sleep(KIND_SLEEP);
            self.ended = wire::stamp::now();
        }
        true
    }

    /// The first turn.
    #[cold]
    fn begin(&mut self) {
        self.ended = wire::stamp::now();
        let warm_up = u64::try_from(WARM_UP.as_nanos()).unwrap_or(u64::MAX);
        self.warm_at = Some(self.clock.at(self.ended).after(Nanos::new(warm_up)));
        for (_, counters) in &self.stages {
            counters.began.store(self.ended, Ordering::Relaxed);
        }
    }

    /// Lets the stages keep house when it is time; true if the loop is over.
    fn keep_house(&mut self, now: Timestamp) -> bool {
        if now.since(self.kept_house) >= HOUSEKEEPING_SPAN {
            self.kept_house = now;
            self.housekeeping(now);
            if self.warm_at.is_some_and(|warm_at| now >= warm_at) {
                self.warm_at = None;
                self.stages.iter().for_each(|(_, counters)| counters.warm_up_is_over());
            }
        }
        if !self.stop.load(Ordering::Relaxed) {
            return false;
        }
        let deadline = *self.give_up.get_or_insert(now.after(STOP_GRACE));
        now >= deadline || self.stages.iter().all(|(stage, _)| stage.is_done())
    }

    /// Every stage's housekeeping. Its time is blamed like that of a poll.
    fn housekeeping(&mut self, now: Timestamp) {
        for (stage, counters) in &mut self.stages {
            stage.housekeeping(now);
            let ended = wire::stamp::now();
            let ticks = ended.saturating_sub(self.ended);
            if counters.is_longest(Work::Busy, ticks) {
                let at = self.clock.at(ended);
                counters.note_longest(Work::Busy, ticks, at, Did::HOUSEKEEPING);
            }
            self.ended = ended;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::did::Act;

    #[test]
    fn polls_are_counted_by_regime_and_the_longest_is_kept_with_what_it_did() {
        let counters = StageCounters::default();
        assert_eq!(counters.longest(), [None; 3]);
        let mut did = Did::default();
        did.add(Act::Events, 12);
        for (work, began, ended) in [
            (Work::Idle, 10, 30),
            (Work::Busy, 30, 130),
            (Work::Busy, 130, 140),
            (Work::BackPressured, 140, 150),
        ] {
            if counters.count(work, began, ended) {
                counters.note_longest(work, ended - began, Timestamp::from_nanos(ended), did);
            }
        }
        let read = |cells: &[AtomicU64; 3]| cells.each_ref().map(|c| c.load(Ordering::Relaxed));
        assert_eq!(read(&counters.polls), [1, 2, 1]);
        assert_eq!(read(&counters.ticks), [20, 110, 10]);
        let at = Timestamp::from_nanos(130);
        assert_eq!(counters.longest()[1], Some(Longest { ticks: 100, at, did, warm: false }));
        assert_eq!(counters.longest().map(|longest| longest.unwrap().ticks), [20, 100, 10]);
        // A stamp that another CPU's counter is behind of is no length at all.
        assert!(!counters.count(Work::Idle, 200, 190));

        counters.warm_up_is_over();
        assert_eq!(counters.longest(), [None; 3], "what warm-up took counts no more");
        assert!(counters.count(Work::Idle, 200, 201));
        counters.note_longest(Work::Idle, 1, at, Did::default());
        assert!(counters.longest()[0].is_some_and(|longest| longest.warm && longest.ticks == 1));
    }

    struct Sleeper(u32);

    impl Stage for Sleeper {
        fn name(&self) -> &'static str {
            "sleeper"
        }
        fn poll(&mut self, _now: Timestamp) -> Work {
            self.0 += 1;
            if self.0 == 3 { Work::Busy } else { Work::Idle }
        }
        fn as_any(self: Box<Self>) -> Box<dyn Any> {
            self
        }
    }

    #[test]
    fn a_core_counts_every_poll_and_asks_no_more_after_a_stop() {
        let (clock, _calibrator) = crate::runtime::clock::calibrate();
        let counters = Arc::new(StageCounters::default());
        let stage: Box<dyn Stage> = Box::new(Sleeper(0));
        let stages = vec![(stage, counters.clone())];
        let core = Core::new(stages, Idle::Kind, clock, Arc::new(AtomicBool::new(true)));
        let stages = core.run();
        let sleeper = stages.into_iter().next().unwrap().as_any().downcast::<Sleeper>().unwrap();
        let polls = counters.polls.each_ref().map(|cell| cell.load(Ordering::Relaxed));
        assert_eq!(polls, [u64::from(sleeper.0) - 1, 1, 0]);
        assert!(
            counters.began.load(Ordering::Relaxed) < counters.last_poll.load(Ordering::Relaxed)
        );
        let [_, busy, _] = counters.longest();
        assert!(busy.is_some_and(|longest| longest.at > Timestamp::ZERO));
    }
}
