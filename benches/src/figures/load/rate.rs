//! The highest rate that an engine keeps up with, by doubling and bisection. Keeping up means: no
//! gap, and at the end of the trial its orders still follow their ticks; a queue that only a large
//! buffer hides does not.

use super::{Rung, play};
use crate::data::{Messages, Walk};
use crate::pairs::quantile;
use crate::wired::exchange::Seen;
use crate::wired::plan::{Pace, Planned, plan};
use crate::wired::stand::{Rests, Stand};
use std::fmt;

/// Nanoseconds of a trial, and of each part of the rung at the rate found.
const TRIAL: u64 = 100_000_000;
const PART: u64 = 180_000_000;
/// Parts of that rung.
const PARTS: usize = 3;
/// Nanoseconds between two datagrams of the first trial.
const FIRST: f64 = 64_000.0;
/// Fewest nanoseconds that are tried: no sender of one core is faster.
const LEAST: f64 = 500.0;
/// Trials between the last rate that was kept and the first that was not.
const BISECTIONS: usize = 5;
/// Part of the highest rate at which its ticks are measured: at the rate itself a queue has no
/// length of its own.
const SHARE: f64 = 0.9;
/// Times that the rate is lowered to that part because it was not kept after all.
const CONFIRMS: usize = 8;
/// Trials of one rate: the host may spoil one.
const TRIES: usize = 3;
/// Median of the last quarter of a trial's ticks, in nanoseconds, from which on it lags behind.
const LAG: f64 = 50_000.0;
/// Nanoseconds between two marks at least: a fast stream shall not become a bench of the exchange's
/// own side.
const APART: u64 = 50_000;

/// A stream that begins anew, in a session of its own, when it is at its end.
pub(super) struct Stream<'a> {
    opening: &'a Messages,
    messages: &'a Messages,
    walk: Walk<'a>,
    /// Messages of a datagram at most, at an even pace.
    most: usize,
}

/// The highest rate that was kept, and what stood in the way of more.
pub(super) struct Peak {
    /// Nanoseconds between two datagrams.
    pub(super) every: f64,
    limit: &'static str,
}

impl fmt::Display for Peak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at nine tenths of the highest rate, which is a datagram every {:.1} µs: beyond it {}",
            self.every / 1e3,
            self.limit
        )
    }
}

/// What came of a trial.
enum Trial {
    Kept,
    Not(&'static str),
}

impl<'a> Stream<'a> {
    /// A stream with at most so many messages a datagram at an even pace.
    pub(super) fn new(opening: &'a Messages, messages: &'a Messages, most: usize) -> Self {
        Stream { opening, messages, walk: Walk::default(), most }
    }

    /// What comes next, for `span` nanoseconds; in another session if the rest is too short.
    pub(super) fn next(
        &mut self,
        stand: &mut Stand<'a>,
        pace: Pace,
        span: u64,
    ) -> anyhow::Result<Vec<Planned<'a>>> {
        let planned = plan(&mut self.walk, pace, APART, span);
        if !self.walk.rest().is_empty() {
            return Ok(planned);
        }
        stand.begin(self.opening)?;
        self.walk = self.messages.iter();
        let planned = plan(&mut self.walk, pace, APART, span);
        anyhow::ensure!(!self.walk.rest().is_empty(), "the stream is shorter than a trial");
        Ok(planned)
    }

    /// An even pace.
    pub(super) fn even(&self, every: f64) -> Pace {
        Pace::Even(every, self.most)
    }

    fn trial(&mut self, stand: &mut Stand<'a>, every: f64) -> anyhow::Result<Trial> {
        let planned = self.next(stand, self.even(every), TRIAL)?;
        let before = stand.counted()?;
        stand.take();
        stand.play(planned, Rests::Never)?;
        stand.settle()?;
        let after = stand.counted()?;
        let mut seen = Seen::default();
        stand.take().into_iter().for_each(|slice| seen.add(slice));
        stand.recorded()?;
        let last = |values: &[u64]| {
            let mut values = values[values.len() * 3 / 4..].to_vec();
            if values.is_empty() { 0.0 } else { quantile(&mut values, 0.5) }
        };
        Ok(if after.feed.gaps > before.feed.gaps {
            Trial::Not("messages are missed")
        } else if last(&seen.late) > LAG {
            Trial::Not("the sender is late itself")
        } else if last(&seen.ticks) > LAG {
            Trial::Not("orders lag behind")
        } else {
            Trial::Kept
        })
    }

    fn tried(
        &mut self,
        stand: &mut Stand<'a>,
        every: f64,
    ) -> anyhow::Result<Result<(), &'static str>> {
        let mut why = "";
        for _ in 0..TRIES {
            match self.trial(stand, every)? {
                Trial::Kept => return Ok(Ok(())),
                Trial::Not(reason) => why = reason,
            }
        }
        Ok(Err(why))
    }

    fn peak(&mut self, stand: &mut Stand<'a>) -> anyhow::Result<Peak> {
        let (mut kept, mut every) = (None, FIRST);
        let (mut beyond, mut limit) = (0.0, "nothing was tried");
        while every >= LEAST {
            match self.tried(stand, every)? {
                Ok(()) => kept = Some(every),
                Err(why) => {
                    (beyond, limit) = (every, why);
                    break;
                }
            }
            every /= 2.0;
        }
        let Some(mut kept) = kept else { anyhow::bail!("the lowest rate is too high: {limit}") };
        if beyond > 0.0 {
            for _ in 0..BISECTIONS {
                let middle = (kept * beyond).sqrt();
                match self.tried(stand, middle)? {
                    Ok(()) => kept = middle,
                    Err(why) => (beyond, limit) = (middle, why),
                }
            }
        }
        Ok(Peak { every: kept, limit })
    }

    /// Finds the highest rate, and what ticks take at it.
    pub(super) fn highest(
        &mut self,
        stand: &mut Stand<'a>,
        name: &str,
    ) -> anyhow::Result<(Peak, Rung)> {
        let mut peak = self.peak(stand)?;
        for _ in 0..CONFIRMS {
            let rung = self.rung(stand, name, peak.every / SHARE)?;
            if rung.kept(LAG) {
                return Ok((peak, rung));
            }
            // A short trial was luckier than a longer run.
            peak.every /= SHARE;
        }
        anyhow::bail!("{name}: no rate is kept for long, {peak}")
    }

    fn rung(&mut self, stand: &mut Stand<'a>, name: &str, every: f64) -> anyhow::Result<Rung> {
        let mut left = PARTS;
        play(stand, name, |stand| {
            if left == 0 {
                return Ok(None);
            }
            left -= 1;
            Ok(Some(self.next(stand, self.even(every), PART)?))
        })
    }
}
