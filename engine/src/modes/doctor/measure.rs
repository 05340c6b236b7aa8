//! One second in which a thread spins on every CPU, as a hot core would: where its time was not its
//! own. What the kernel counted in the same second stands beside it.
//!
//! Threads are made first and pinned after; each ends by the clock, whatever befalls it.

use super::host::{Host, Hot};
use crate::latency::recorder::empty_histogram;
use crate::runtime::clock::Clock;
use crate::runtime::cores;
use crate::runtime::usage::Usage;
use hdrhistogram::Histogram;
use market::Nanos;
use std::thread;
use std::time::Duration;

/// How long every CPU is spun on.
const SPAN: Nanos = Nanos::SECOND;
/// Shorter gaps are the loop itself and the memory's.
pub(super) const GAP_MIN: Nanos = Nanos::from_micros(1);
/// CPUs looked at: the hot ones, then others up to so many.
const CPUS_MAX: usize = 16;
/// What a kind core sleeps at a time, and how often it is tried.
const SLEEP: Duration = Duration::from_micros(50);
const SLEEPS: usize = 100;

/// What one CPU gave to a thread that spun on it.
pub(super) struct Spun {
    pub(super) cpu: usize,
    /// Why it was not pinned, if it was not.
    pub(super) refusal: Option<String>,
    /// How long it took in all.
    pub(super) span: Nanos,
    /// Time in gaps.
    pub(super) stolen: Nanos,
    /// Gaps by length, in nanoseconds.
    pub(super) gaps: Histogram<u64>,
    /// What the kernel counted meanwhile.
    pub(super) usage: Option<Usage>,
    /// How much longer than asked the sleeps took, in nanoseconds.
    pub(super) late: Histogram<u64>,
}

/// The second, and what the kernel said before and after it.
pub(super) struct Window {
    pub(super) spun: Vec<Spun>,
    pub(super) interrupts: [Result<String, String>; 2],
    pub(super) stat: [Result<String, String>; 2],
    pub(super) snmp: [Result<String, String>; 2],
}

impl Window {
    /// Spins on every CPU at once, for a second.
    pub(super) fn open(host: &Host, hot: &Hot, clock: &Clock) -> Window {
        let others = hot.allowed.difference(&hot.cpus);
        let cpus = hot.cpus.iter().chain(others).copied().take(CPUS_MAX);
        let read = |path| host.read(path);
        let before = ["proc/interrupts", "proc/stat", "proc/net/snmp"].map(read);
        let threads = cpus.map(|cpu| {
            let clock = clock.clone();
            thread::Builder::new().spawn(move || spin(cpu, &clock))
        });
        // All of them stand before the first is waited for.
        let threads: Vec<_> = threads.flatten().collect();
        let spun = threads.into_iter().filter_map(|thread| thread.join().ok()).collect();
        let [interrupts, stat, snmp] = before;
        Window {
            spun,
            interrupts: [interrupts, read("proc/interrupts")],
            stat: [stat, read("proc/stat")],
            snmp: [snmp, read("proc/net/snmp")],
        }
    }

    /// Of a host that tells nothing.
    #[cfg(test)]
    pub(super) fn empty() -> Window {
        let none = || [Err("not there".to_owned()), Err("not there".to_owned())];
        Window { spun: Vec::new(), interrupts: none(), stat: none(), snmp: none() }
    }

    /// What a CPU gave, if it was looked at.
    pub(super) fn of(&self, cpu: usize) -> Option<&Spun> {
        self.spun.iter().find(|spun| spun.cpu == cpu)
    }
}

fn empty() -> Histogram<u64> {
    // The recorder's bounds: ten seconds, two digits. There is one for each hop.
    let mut histogram = empty_histogram();
    // Touches every page, so that no fault falls into what is measured.
    histogram.reset();
    histogram
}

fn spin(cpu: usize, clock: &Clock) -> Spun {
    let refusal = cores::pin(cpu).err();
    let (mut gaps, mut stolen) = (empty(), 0u64);
    let before = Usage::of_this_thread();
    let begin = wire::stamp::now();
    let mut last = begin;
    while clock.span(last.saturating_sub(begin)) < SPAN {
        let now = wire::stamp::now();
        let gap = clock.span(now.saturating_sub(last));
        if gap >= GAP_MIN {
            gaps.saturating_record(gap.get());
            stolen += gap.get();
        }
        last = now;
    }
    let usage = before.and_then(|before| Some(Usage::of_this_thread()?.since(&before)));
    let span = clock.span(last.saturating_sub(begin));
    Spun { cpu, refusal, span, stolen: Nanos::new(stolen), gaps, usage, late: sleep(clock) }
}

/// What a sleep takes beyond what was asked for: the price of a wake-up.
fn sleep(clock: &Clock) -> Histogram<u64> {
    let mut late = empty();
    let asked = u64::try_from(SLEEP.as_nanos()).unwrap_or(u64::MAX);
    for _ in 0..SLEEPS {
        let began = wire::stamp::now();
        thread::sleep(SLEEP);
        let took = clock.span(wire::stamp::now().saturating_sub(began)).get();
        late.saturating_record(took.saturating_sub(asked).max(1));
    }
    late
}
