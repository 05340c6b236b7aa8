//! The venue's rates in the way of every command: what may go goes, what is an order and may not is
//! refused at once, and what takes risk away waits its turn.
//!
//! New orders and replaces never wait: their prices are of the moment. Cancels, mass cancels and
//! requests do, cancels before requests, where the rule says `hold`; an order behind them overtakes
//! none, for it has no more room than they. Nothing is dropped, and nothing is allocated after
//! construction.

use crate::pipeline::trading_stage::{COMMANDS_DEPTH, CommandSlot};
use gateway::rates::{Kind, Limiter, Verdict};
use gateway::session::Counters;
use market::Timestamp;
use std::collections::VecDeque;

/// The stage has one session.
const SESSION: usize = 0;

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may be sent now.
    Goes,
    /// It was put with those that wait.
    Waits,
    /// It must not be sent.
    Refused,
}

/// The limiter, and what waits for it.
pub(super) struct Throttle {
    limiter: Limiter,
    /// Cancels and mass cancels that wait: they go first.
    waiting: VecDeque<CommandSlot>,
    /// Status requests that wait.
    asking: VecDeque<CommandSlot>,
    /// Before this, the first that waits may not go.
    due: Timestamp,
    /// Messages of the session that were counted.
    counted: u64,
}

impl Throttle {
    pub(super) fn new(limiter: Limiter) -> Throttle {
        // At most one cancel of an order is in flight, so that there is room for every order's.
        let depth = if limiter.is_empty() { 0 } else { COMMANDS_DEPTH };
        let waiting = VecDeque::with_capacity(depth);
        let asking = VecDeque::with_capacity(depth);
        Throttle { limiter, waiting, asking, due: Timestamp::ZERO, counted: 0 }
    }

    /// Nothing waits.
    pub(super) fn is_clear(&self) -> bool {
        self.waiting.is_empty() && self.asking.is_empty()
    }

    /// Judges a command that has just come.
    pub(super) fn admit(&mut self, now: Timestamp, slot: &CommandSlot) -> Admission {
        if self.limiter.is_empty() {
            return Admission::Goes;
        }
        let behind = match kind_of(slot) {
            Kind::Cancel => !self.waiting.is_empty(),
            _ => !self.is_clear(),
        };
        if may_wait(slot) && behind {
            return self.wait(slot);
        }
        match self.judge(now, slot) {
            Verdict::Pass => Admission::Goes,
            Verdict::Hold(until) if may_wait(slot) => {
                self.due = until;
                self.wait(slot)
            }
            Verdict::Hold(_) | Verdict::Refuse(_) => Admission::Refused,
        }
    }

    fn wait(&mut self, slot: &CommandSlot) -> Admission {
        let line = match kind_of(slot) {
            Kind::Cancel => &mut self.waiting,
            _ => &mut self.asking,
        };
        if line.len() == line.capacity() {
            return Admission::Refused;
        }
        line.push_back(*slot);
        Admission::Waits
    }

    /// Takes out the first that waits, if its time has come, and whether it goes or is refused.
    pub(super) fn next_due(&mut self, now: Timestamp) -> Option<(CommandSlot, Admission)> {
        let first = self.waiting.front().or(self.asking.front());
        let front = *first.filter(|_| now >= self.due)?;
        let admission = match self.judge(now, &front) {
            Verdict::Pass => Admission::Goes,
            Verdict::Hold(until) => {
                self.due = until;
                return None;
            }
            Verdict::Refuse(_) => Admission::Refused,
        };
        self.give_up().map(|slot| (slot, admission))
    }

    /// Takes out the first that waits, whatever the time: there is nobody to send it to.
    pub(super) fn give_up(&mut self) -> Option<CommandSlot> {
        self.waiting.pop_front().or_else(|| self.asking.pop_front())
    }

    /// A command was sent.
    pub(super) fn note(&mut self, now: Timestamp, slot: &CommandSlot) {
        self.counted += 1;
        self.limiter.note(SESSION, now, kind_of(slot));
    }

    /// Counts what the session sent by itself: Logons, Heartbeats, answers, resends.
    pub(super) fn catch_up(&mut self, now: Timestamp, sent: Counters) {
        if self.limiter.is_empty() {
            return;
        }
        let sent = sent.sent + sent.resent + sent.gap_fills;
        for _ in self.counted..sent {
            self.limiter.note(SESSION, now, Kind::Session);
        }
        self.counted = sent;
    }

    fn judge(&mut self, now: Timestamp, slot: &CommandSlot) -> Verdict {
        self.limiter.judge(SESSION, now, kind_of(slot))
    }
}

fn may_wait(slot: &CommandSlot) -> bool {
    kind_of(slot) != Kind::Order
}

/// A command of no known kind is never sent: it counts as an order until the encoder refuses it.
fn kind_of(slot: &CommandSlot) -> Kind {
    slot.command.kind().map_or(Kind::Order, Kind::of)
}
