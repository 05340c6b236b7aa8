//! What measuring a hop costs: a stamp and its record, beside the time stamp counter with a plain
//! HDR histogram.

use crate::figure::Figure;
use crate::machine::{on_core, thread_nanos};
use crate::pairs;
use engine::latency::{Hop, recorder};
use engine::runtime::clock;
use hdrhistogram::Histogram;
use std::hint::black_box;

const PAIRS: usize = 400;
/// Hops of a block, and after how many of them housekeeping is due.
const HOPS: u64 = 50_000;
const HOUSEKEEPING: u64 = 1_000;
/// The range of the recorders: ten seconds in nanoseconds.
const SPAN_MAX: u64 = 10_000_000_000;

/// The figures.
///
/// # Errors
/// None; the signature is that of all groups.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let (clock, _calibrator) = clock::calibrate();
    let paired = on_core(0, || {
        let (mut ours, mut collector) = recorder::pair(clock);
        let mut plain = Histogram::<u64>::new_with_bounds(1, SPAN_MAX, 2).expect("fixed bounds");
        let paired = pairs::alternate(
            PAIRS,
            || {
                // Asks for the interval that the block hands over.
                collector.collect();
                cost(|last, now, housekeeping| {
                    ours.record(Hop::Decided, last, now);
                    if housekeeping {
                        ours.hand_over();
                    }
                })
            },
            || {
                cost(|last, now, housekeeping| {
                    let _ = plain.record(now - last);
                    black_box(housekeeping);
                })
            },
        );
        let mut recorded = collector.collect().clone();
        ours.pour(&mut recorded);
        let recorded = recorded[Hop::Decided.index()].len();
        assert_eq!(recorded, plain.len(), "every hop is recorded once");
        paired
    });
    Ok(vec![
        Figure::new("stamps/hop", "ns", "TSC and plain histogram", &paired)
            .target(1.1)
            .note("stamp and record of one hop, hand-over of the interval included"),
    ])
}

/// Nanoseconds of this thread that a hop costs; `record` gets both stamps and whether housekeeping
/// is due.
#[allow(clippy::cast_precision_loss)]
fn cost(mut record: impl FnMut(u64, u64, bool)) -> f64 {
    let began = thread_nanos();
    let mut last = wire::stamp::now();
    for hop in 0..HOPS {
        let now = wire::stamp::now();
        record(last, now, hop % HOUSEKEEPING == 0);
        last = now;
    }
    (thread_nanos() - began) / HOPS as f64
}
