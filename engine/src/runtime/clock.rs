//! The TSC clock: raw ticks on the hot path, UTC nanoseconds from a calibration that is refined
//! off it. The loop's time never runs backwards.
//!
//! The calibration (ticks, nanoseconds and a 32.32 ratio) sits behind a sequence lock of plain
//! atomics: one writer (the housekeeping thread), any number of readers. A correction changes the
//! ratio for the next interval rather than stepping the time.

use market::{Nanos, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How raw ticks become UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Calibration {
    ticks: u64,
    nanos: u64,
    /// Nanoseconds per tick, × 2^32.
    ratio: u64,
}

impl Calibration {
    /// A stamp may be older than the calibration: a stage may have been silent for long.
    #[allow(clippy::cast_possible_truncation)]
    fn nanos_at(&self, ticks: u64) -> u64 {
        let span = (u128::from(ticks.abs_diff(self.ticks)) * u128::from(self.ratio)) >> 32;
        if ticks >= self.ticks {
            self.nanos + span as u64
        } else {
            self.nanos.saturating_sub(span as u64)
        }
    }
}

#[derive(Default)]
struct Shared {
    version: AtomicU64,
    ticks: AtomicU64,
    nanos: AtomicU64,
    ratio: AtomicU64,
}

/// A reader of the shared calibration; cheap to clone, one per core.
#[derive(Clone)]
pub struct Clock {
    shared: Arc<Shared>,
}

/// The one writer of the calibration.
pub struct Calibrator {
    shared: Arc<Shared>,
    current: Calibration,
    /// A measured pair far enough back to give a precise rate.
    anchor: (u64, u64),
    /// The ratio first measured.
    base: u64,
}

/// Reads ticks and UTC as close together as a few tries allow.
fn sample() -> (u64, u64) {
    (0..8)
        .map(|_| {
            let before = wire::stamp::now();
            let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
            let after = wire::stamp::now();
            #[allow(clippy::cast_possible_truncation)]
            let nanos = utc.as_nanos() as u64;
            (after.wrapping_sub(before), before + after.wrapping_sub(before) / 2, nanos)
        })
        .min()
        .map_or((0, 0), |(_, ticks, nanos)| (ticks, nanos))
}

fn ratio(ticks: u64, nanos: u64) -> u64 {
    let ratio = (u128::from(nanos) << 32) / u128::from(ticks.max(1));
    u64::try_from(ratio).unwrap_or(1 << 32)
}

/// Measures the tick rate for about 20 ms and gives a clock, and its calibrator for the
/// housekeeping thread.
#[must_use]
pub fn calibrate() -> (Clock, Calibrator) {
    let first = sample();
    std::thread::sleep(Duration::from_millis(20));
    let second = sample();
    let current = Calibration {
        ticks: second.0,
        nanos: second.1,
        ratio: ratio(second.0.saturating_sub(first.0), second.1.saturating_sub(first.1)),
    };
    let shared = Arc::new(Shared::default());
    let base = current.ratio;
    let mut calibrator = Calibrator { shared: shared.clone(), current, anchor: first, base };
    calibrator.publish();
    (Clock { shared }, calibrator)
}

impl Calibrator {
    /// Measures again and steers the clock to meet UTC after `next` (the time until the next
    /// call). Never steps; returns how far the clock was off, in nanoseconds.
    #[allow(clippy::cast_possible_wrap)]
    pub fn adjust(&mut self, next: Nanos) -> i64 {
        let (ticks, utc) = sample();
        let ours = self.current.nanos_at(ticks);
        let error = ours as i64 - utc as i64;
        let rate = ratio(ticks.saturating_sub(self.anchor.0), utc.saturating_sub(self.anchor.1));
        // UTC may have been stepped since; the oscillator is never off by a thousandth.
        let rate = rate.clamp(self.base - self.base / 1_000, self.base + self.base / 1_000);
        // After `next` the clock shall show utc + next: it has next − error to run, at least half
        // the true speed and at most double, so that a stepped UTC cannot stop or rush it.
        let span = next.get().max(1);
        let run = (span as i64).saturating_sub(error).clamp(span as i64 / 2, span as i64 * 2);
        let scaled = u128::from(rate) * u128::from(run.unsigned_abs()) / u128::from(span);
        let ratio = u64::try_from(scaled).unwrap_or(rate);
        self.current = Calibration { ticks, nanos: ours, ratio };
        self.publish();
        error
    }

    fn publish(&mut self) {
        let shared = &self.shared;
        let version = shared.version.load(Ordering::Relaxed);
        shared.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        shared.ticks.store(self.current.ticks, Ordering::Relaxed);
        shared.nanos.store(self.current.nanos, Ordering::Relaxed);
        shared.ratio.store(self.current.ratio, Ordering::Relaxed);
        shared.version.store(version + 2, Ordering::Release);
    }
}

impl Clock {
    fn calibration(&self) -> Calibration {
        loop {
            let version = self.shared.version.load(Ordering::Acquire);
            let calibration = Calibration {
                ticks: self.shared.ticks.load(Ordering::Relaxed),
                nanos: self.shared.nanos.load(Ordering::Relaxed),
                ratio: self.shared.ratio.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.shared.version.load(Ordering::Relaxed) == version {
                return calibration;
            }
            std::hint::spin_loop();
        }
    }

    /// UTC now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.at(wire::stamp::now())
    }

    /// UTC at a raw tick count.
    #[must_use]
    pub fn at(&self, ticks: u64) -> Timestamp {
        Timestamp::from_nanos(self.calibration().nanos_at(ticks))
    }

    /// A span of raw ticks in nanoseconds.
    #[must_use]
    pub fn span(&self, ticks: u64) -> Nanos {
        Nanos::new(self.rate().nanos(ticks))
    }

    /// The rate of the last calibration. It moves by less than a thousandth from one to the next,
    /// so that whoever measures short spans may keep it for a while.
    #[must_use]
    pub fn rate(&self) -> Rate {
        Rate(self.shared.ratio.load(Ordering::Relaxed))
    }
}

/// Nanoseconds per raw tick, × 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u64);

impl Rate {
    /// A span of raw ticks in nanoseconds.
    #[allow(clippy::cast_possible_truncation)]
    #[inline]
    #[must_use]
    pub fn nanos(self, ticks: u64) -> u64 {
        // Below a second or so a short product does.
        if (ticks | self.0) >> 32 == 0 {
            return (ticks * self.0) >> 32;
        }
        ((u128::from(ticks) * u128::from(self.0)) >> 32) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_utc_and_monotone_through_adjustments() {
        let (clock, mut calibrator) = calibrate();
        let mut last = clock.now();
        for _ in 0..50 {
            calibrator.adjust(Nanos::from_millis(1));
            for _ in 0..100 {
                let now = clock.now();
                assert!(now >= last);
                last = now;
            }
        }
        let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        // Coarse on purpose: this host may pause us between the two readings.
        assert!(u128::from(clock.now().nanos()).abs_diff(utc) < 1_000_000_000);
    }

    #[test]
    fn short_and_long_spans_have_one_rate() {
        for rate in [1, 1_867_000_000, u64::from(u32::MAX), 1 << 32, 3 << 32] {
            for ticks in [0, 1, 2_300_000_000, u64::from(u32::MAX), 1 << 32, 1 << 50] {
                let exact = (u128::from(ticks) * u128::from(rate)) >> 32;
                assert_eq!(u128::from(Rate(rate).nanos(ticks)), exact, "{ticks} at {rate}");
            }
        }
    }

    #[test]
    fn a_ratio_of_two_doubles() {
        let calibration = Calibration { ticks: 100, nanos: 1_000, ratio: 2 << 32 };
        assert_eq!(calibration.nanos_at(150), 1_100);
        // A stamp from before the calibration keeps its age: the watchdog judges by it.
        assert_eq!(calibration.nanos_at(50), 900);
        assert_eq!(Calibration { nanos: 10, ..calibration }.nanos_at(50), 0);
    }
}
