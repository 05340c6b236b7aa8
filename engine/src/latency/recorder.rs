//! Recorders of hot cores: counts by the buckets of HDR histograms of fixed range and two digits, two
//! sets a core.
//!
//! The core records into the active set. When the collector has put an empty set into the mailbox,
//! the core swaps at its next housekeeping and hands the full one back. So nothing is read while it
//! is written, nothing allocates on the core, and nothing is lost.

use crate::latency::counts::{Counts, DIGITS, SPAN_MAX};
use crate::latency::hops::Hop;
use crate::runtime::clock::{Clock, Rate};
use crossbeam::queue::ArrayQueue;
use hdrhistogram::Histogram;
use std::sync::Arc;

/// One histogram per hop, in nanoseconds.
pub type HopSet = Vec<Histogram<u64>>;

/// Empty histograms for every hop.
#[must_use]
pub fn empty_set() -> HopSet {
    (0..Hop::COUNT).map(|_| empty_histogram()).collect()
}

/// An empty histogram of the range and digits that hops have.
#[must_use]
pub fn empty_histogram() -> Histogram<u64> {
    // The bounds are constants that the crate accepts.
    Histogram::new_with_bounds(1, SPAN_MAX, DIGITS).expect("constant bounds")
}

/// What a core records into: counts for every hop.
type Interval = [Counts; Hop::COUNT];

struct Mailbox {
    empty: ArrayQueue<Interval>,
    full: ArrayQueue<Interval>,
}

/// Records on a hot core.
pub struct Recorder {
    active: Interval,
    mailbox: Arc<Mailbox>,
    clock: Clock,
    /// The clock's, as of the last housekeeping.
    rate: Rate,
}

/// Gathers what a recorder hands over.
pub struct Collector {
    total: HopSet,
    mailbox: Arc<Mailbox>,
}

/// A recorder for one core and its collector.
#[must_use]
pub fn pair(clock: Clock) -> (Recorder, Collector) {
    let mailbox = Arc::new(Mailbox { empty: ArrayQueue::new(1), full: ArrayQueue::new(2) });
    let _ = mailbox.empty.push(Interval::default());
    let rate = clock.rate();
    let active = Interval::default();
    let recorder = Recorder { active, mailbox: mailbox.clone(), clock, rate };
    (recorder, Collector { total: empty_set(), mailbox })
}

impl Recorder {
    /// Records the span between two raw stamps. A stamp of zero is "not stamped" and is left out.
    #[inline]
    pub fn record(&mut self, hop: Hop, from: u64, to: u64) {
        if from != 0 && to != 0 {
            self.record_nanos(hop, self.rate.nanos(to.saturating_sub(from)));
        }
    }

    /// Records the span from a UTC time of the kernel to a raw stamp. The two clocks are only as
    /// near as the last calibration, so a span below zero counts as none.
    pub fn record_from_utc(&mut self, hop: Hop, utc_nanos: u64, to: u64) {
        self.record_nanos(hop, self.clock.at(to).nanos().saturating_sub(utc_nanos));
    }

    /// Records a span in nanoseconds.
    #[inline]
    pub fn record_nanos(&mut self, hop: Hop, nanos: u64) {
        self.active[hop.index()].record(nanos);
    }

    /// Hands the finished interval over if the collector has asked. Called in housekeeping.
    pub fn hand_over(&mut self) {
        self.rate = self.clock.rate();
        if let Some(empty) = self.mailbox.empty.pop() {
            let full = std::mem::replace(&mut self.active, empty);
            // Two places and one set in flight: there is room.
            let _ = self.mailbox.full.push(full);
        }
    }

    /// Adds what was recorded since the last hand-over, for the end of a run.
    pub fn pour(&self, into: &mut HopSet) {
        pour(&self.active, into);
    }
}

impl Collector {
    /// Takes over what was handed over and asks for the next interval.
    pub fn collect(&mut self) -> &HopSet {
        while let Some(mut set) = self.mailbox.full.pop() {
            pour(&set, &mut self.total);
            set.iter_mut().for_each(Counts::clear);
            let _ = self.mailbox.empty.push(set);
        }
        &self.total
    }
}

fn pour(interval: &Interval, into: &mut HopSet) {
    interval.iter().zip(into).for_each(|(counts, histogram)| counts.pour(histogram));
}

/// Adds `from` to `into`, hop by hop.
pub fn merge(into: &mut HopSet, from: &HopSet) {
    for (total, part) in into.iter_mut().zip(from) {
        // Same bounds everywhere: adding cannot fail.
        let _ = total.add(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lost_between_core_and_collector() {
        let (clock, _calibrator) = crate::runtime::clock::calibrate();
        let (mut recorder, mut collector) = pair(clock);
        for round in 0..10 {
            for _ in 0..100 {
                recorder.record_nanos(Hop::Sent, 1_000);
            }
            if round % 3 != 0 {
                recorder.hand_over();
            }
            collector.collect();
        }
        recorder.record(Hop::Sent, 0, 5);
        let mut total = collector.collect().clone();
        recorder.pour(&mut total);
        assert_eq!(total[Hop::Sent.index()].len(), 1_000);
        assert!(total[Hop::Recv.index()].is_empty());
    }
}
