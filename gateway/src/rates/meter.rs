//! What one rule counted, in a form that answers in a few steps when there is room again.
//!
//! Times never fall: the limiter sees to it. Nothing here decides; it must never allocate later.

use super::Window;
use market::{Nanos, Timestamp};

/// A window and what is in it.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    count: u32,
    span: Nanos,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// Both fixed windows: when the present one began, and what it holds.
    Fixed { by_clock: bool, began: Timestamp, used: u32 },
    /// The times of the last `count` messages, `next` being the oldest.
    Sliding { times: Box<[Timestamp]>, next: usize, noted: u64 },
    /// What is in the bucket, in parts: a message is `span` parts, and `count` of them drain each
    /// nanosecond, so that nothing is rounded.
    Leaky { fill: u128, at: Timestamp },
}

impl Meter {
    pub(super) fn new(window: Window, count: u32, span: Nanos) -> Meter {
        let fixed = |by_clock| State::Fixed { by_clock, began: Timestamp::ZERO, used: 0 };
        let state = match window {
            Window::Fixed => fixed(false),
            Window::FixedClock => fixed(true),
            Window::Sliding => State::Sliding {
                times: vec![Timestamp::ZERO; count as usize].into_boxed_slice(),
                next: 0,
                noted: 0,
            },
            Window::Leaky => State::Leaky { fill: 0, at: Timestamp::ZERO },
        };
        Meter { count, span, state }
    }

    /// When one more message would fill no more than `places` of the window: `now`, or later.
    /// `places` is 1 to `count`.
    pub(super) fn free_at(&self, now: Timestamp, places: u32) -> Timestamp {
        match &self.state {
            State::Fixed { began, used, .. } => {
                let end = began.after(self.span);
                if now >= end || *used < places { now } else { end }
            }
            State::Sliding { times, next, noted } => {
                if *noted < u64::from(places) {
                    return now;
                }
                // While the message that many before this one is in the window, it is full.
                let oldest = (next + times.len() - places as usize) % times.len();
                now.max(times[oldest].after(self.span))
            }
            State::Leaky { fill, at } => {
                let span = u128::from(self.span.get());
                let full = self.drained(*fill, *at, now) + span;
                let excess = full.saturating_sub(u128::from(places) * span);
                let wait = excess.div_ceil(u128::from(self.count));
                now.after(Nanos::new(u64::try_from(wait).unwrap_or(u64::MAX)))
            }
        }
    }

    /// Counts one message at `now`.
    pub(super) fn note(&mut self, now: Timestamp) {
        let drained = match &self.state {
            State::Leaky { fill, at } => self.drained(*fill, *at, now),
            _ => 0,
        };
        match &mut self.state {
            State::Fixed { by_clock, began, used } => {
                if *used == 0 || now >= began.after(self.span) {
                    let into = if *by_clock { now.nanos() % self.span.get() } else { 0 };
                    (*began, *used) = (Timestamp::from_nanos(now.nanos() - into), 0);
                }
                *used = used.saturating_add(1);
            }
            State::Sliding { times, next, noted } => {
                times[*next] = now;
                *next = (*next + 1) % times.len();
                *noted += 1;
            }
            State::Leaky { fill, at } => {
                (*fill, *at) = (drained + u128::from(self.span.get()), now);
            }
        }
    }

    fn drained(&self, fill: u128, at: Timestamp, now: Timestamp) -> u128 {
        fill.saturating_sub(u128::from(now.since(at).get()) * u128::from(self.count))
    }
}
