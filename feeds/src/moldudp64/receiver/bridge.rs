//! The last resort: a snapshot in place of the messages that nobody has any more.
//!
//! A snapshot takes the place of everything before the message that it names. It must never make a
//! gap look closed: the lines themselves have to come to where it leads.

use super::Receiver;
use crate::moldudp64::Handler;
use market::{Nanos, Timestamp};

/// How long the lines may take to come to where a snapshot led. They tell where they are once a
/// second.
const CONFIRMED_WITHIN: Nanos = Nanos::from_secs(5);

impl Receiver {
    /// True while only a snapshot can close the gap: see [`Receiver::resume`].
    #[inline]
    #[must_use]
    pub fn awaits_snapshot(&self) -> bool {
        self.stranded
    }

    /// Only a snapshot helps now.
    #[cold]
    pub(super) fn strand(&mut self) {
        (self.stranded, self.asked, self.hole) = (true, None, None);
        self.counters.snapshots += 1;
    }

    /// A snapshot is being asked for: it will hold what was sent before now, so only what comes
    /// from now on is kept.
    pub fn snapshot_asked(&mut self) {
        self.stash.clear();
    }

    /// The snapshot that was awaited has been applied, and messages go on at `next`, which may be
    /// behind or ahead of what was given on before. What is missing between it and what was kept is
    /// asked for.
    ///
    /// # Errors
    /// [`FarOff`]: no line is anywhere near; the snapshot is of something else. It is awaited
    /// still.
    pub fn resume(
        &mut self,
        next: u64,
        now: Timestamp,
        handler: &mut impl Handler,
    ) -> Result<(), FarOff> {
        if !self.stranded || next == 0 || next.abs_diff(self.announced) > self.config.jump_max {
            return Err(FarOff { next, announced: self.announced });
        }
        (self.stranded, self.expected, self.resumed) = (false, next, next);
        self.resumed_at = now;
        self.settle(now, handler);
        Ok(())
    }

    /// A snapshot that leads to where no line comes was of something else.
    #[cold]
    pub(super) fn confirm(&mut self, now: Timestamp) {
        if self.announced < self.resumed && now.since(self.resumed_at) >= CONFIRMED_WITHIN {
            self.strand();
        }
    }

    /// No more is done for the messages that are missing.
    pub fn give_up(&mut self, now: Timestamp, handler: &mut impl Handler) {
        if !self.declared {
            return;
        }
        while self.stash.front().is_some_and(|early| early.next <= self.expected) {
            self.stash.pop_front();
        }
        let (first, count) = (self.expected, self.missing());
        self.expected += count;
        // Sequences that lie may jump by nearly all there are, in one session after another.
        self.counters.lost = self.counters.lost.saturating_add(count);
        (self.hole, self.declared, self.asked) = (None, false, None);
        (self.stranded, self.resumed) = (false, 0);
        handler.lost(first, count);
        self.settle(now, handler);
    }
}

/// A snapshot leads to where no line can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot goes on at message {next}, and the lines are at {announced}")]
pub struct FarOff {
    /// Where it leads to.
    pub next: u64,
    /// How far the lines have come.
    pub announced: u64,
}
