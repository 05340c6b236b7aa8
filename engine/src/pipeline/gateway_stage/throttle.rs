//! The venue's rates in the way of every command: what may go goes, what is an order and may not is
//! refused at once, and what takes risk away waits its turn.
//!
//! New orders and replaces never wait: their prices are of the moment. Cancels, mass cancels and
//! requests do, cancels before requests, where the rule says `hold`; an order behind them overtakes
//! none, for it has no more room than they. Nothing is dropped, and nothing is allocated after
//! construction.
//!
//! A command of several messages is judged as all of them. What of it may go at once does, and the
//! rest waits in front, also under a rule that refuses: each takes some risk away, a whole that is
//! larger than the window could never go, and half a command cannot be refused.

use crate::pipeline::tally::Tally;
use crate::pipeline::trading_stage::{COMMANDS_DEPTH, CommandSlot};
use gateway::rates::{COUNT_MAX, Kind, Limiter, Load, Verdict};
use gateway::session::Counters;
use market::Timestamp;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// The order session among those of the limiter.
const SESSION: usize = 0;
/// The drop copy, if there is one. It is counted alone: it sends nothing that is judged.
const DROP_COPY: usize = 1;

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// All of it may be sent now.
    Goes,
    /// It was put with those that wait. Some of it may be due.
    Waits,
    /// It must not be sent.
    Refused,
}

/// What becomes of the first that waits.
pub(super) enum Due {
    /// These of its messages may be sent now.
    Goes(CommandSlot, Load, Range<u32>),
    /// It must not be sent.
    Refused(CommandSlot),
}

/// A command that waits.
#[derive(Clone, Copy)]
struct Waiting {
    slot: CommandSlot,
    load: Load,
    /// Messages of it that were sent.
    gone: u32,
}

/// The limiter, and what waits for it.
pub(super) struct Throttle {
    limiter: Limiter,
    /// Cancels and mass cancels that wait: they go first.
    waiting: VecDeque<Waiting>,
    /// Status requests that wait.
    asking: VecDeque<Waiting>,
    /// Before this, the first that waits may not go.
    due: Timestamp,
    /// Messages of the session that were counted.
    counted: u64,
    /// Of those that it sends again, how many were.
    repeated: u64,
    /// What the drop copy sent, and how much of it was counted.
    drop_copy: (Arc<Tally>, u64),
}

impl Throttle {
    pub(super) fn new(limiter: Limiter, drop_copy: Arc<Tally>) -> Throttle {
        // At most one cancel of an order is in flight, so that there is room for every order's.
        let depth = if limiter.is_empty() { 0 } else { COMMANDS_DEPTH };
        let waiting = VecDeque::with_capacity(depth);
        let asking = VecDeque::with_capacity(depth);
        let (due, drop_copy) = (Timestamp::ZERO, (drop_copy, 0));
        Throttle { limiter, waiting, asking, due, counted: 0, repeated: 0, drop_copy }
    }

    /// Nothing waits.
    pub(super) fn is_clear(&self) -> bool {
        self.waiting.is_empty() && self.asking.is_empty()
    }

    /// Judges a command that has just come.
    pub(super) fn admit(&mut self, now: Timestamp, slot: &CommandSlot, load: Load) -> Admission {
        if self.limiter.is_empty() {
            return Admission::Goes;
        }
        let behind = match load.kind {
            Kind::Cancel => !self.waiting.is_empty(),
            _ => !self.is_clear(),
        };
        if may_wait(load) && behind {
            return self.wait(slot, load);
        }
        if load.messages > 1 {
            let room = self.limiter.room(SESSION, now, load.kind, load.messages);
            if room == load.messages {
                return Admission::Goes;
            }
            if room > 0 {
                self.due = now;
                return self.wait(slot, load);
            }
        }
        match self.limiter.judge(SESSION, now, load.kind) {
            Verdict::Pass => Admission::Goes,
            Verdict::Hold(until) if may_wait(load) => {
                self.due = until;
                self.wait(slot, load)
            }
            Verdict::Hold(_) | Verdict::Refuse(_) => Admission::Refused,
        }
    }

    fn wait(&mut self, slot: &CommandSlot, load: Load) -> Admission {
        let line = match load.kind {
            Kind::Cancel => &mut self.waiting,
            _ => &mut self.asking,
        };
        if line.len() == line.capacity() {
            return Admission::Refused;
        }
        line.push_back(Waiting { slot: *slot, load, gone: 0 });
        Admission::Waits
    }

    /// What becomes of the first that waits, if its time has come.
    pub(super) fn next_due(&mut self, now: Timestamp) -> Option<Due> {
        let line = if self.waiting.is_empty() { &mut self.asking } else { &mut self.waiting };
        let first = line.front_mut().filter(|_| now >= self.due)?;
        let Waiting { slot, load, gone } = *first;
        let room = self.limiter.room(SESSION, now, load.kind, load.messages - gone);
        if room == 0 {
            let verdict = self.limiter.judge(SESSION, now, load.kind);
            if gone == 0 && matches!(verdict, Verdict::Refuse(_)) {
                line.pop_front();
                return Some(Due::Refused(slot));
            }
            self.due = self.limiter.free_at(SESSION, now, load.kind);
            return None;
        }
        first.gone += room;
        if first.gone == load.messages {
            line.pop_front();
        }
        Some(Due::Goes(slot, load, gone..gone + room))
    }

    /// Takes out the first that waits, whatever the time: there is nobody to send it to.
    pub(super) fn give_up(&mut self) -> Option<CommandSlot> {
        self.waiting.pop_front().or_else(|| self.asking.pop_front()).map(|waiting| waiting.slot)
    }

    /// A command could not be sent: what is left of it is not sent either.
    pub(super) fn drop_rest(&mut self, slot: &CommandSlot) {
        let its = |first: &Waiting| first.gone > 0 && first.slot.command.id == slot.command.id;
        if self.waiting.front().is_some_and(its) {
            self.waiting.pop_front();
        }
    }

    /// A message of a command was sent.
    pub(super) fn note(&mut self, now: Timestamp, load: Load) {
        self.counted += 1;
        self.limiter.note(SESSION, now, load.kind);
    }

    /// How many orders and cancels may be sent again at once, which the venue asks for: judged as
    /// orders, the strictest; `None` for any number.
    pub(super) fn repeats(&mut self, now: Timestamp) -> Option<u32> {
        let limited = !self.limiter.is_empty();
        limited.then(|| self.limiter.room(SESSION, now, Kind::Order, COUNT_MAX))
    }

    /// Counts what the session sent by itself: Logons, Heartbeats, answers. What it sends again
    /// counts as soon as that is decided, so that nothing takes its room.
    pub(super) fn catch_up(&mut self, now: Timestamp, sent: Counters, repeated: u64) {
        if self.limiter.is_empty() {
            return;
        }
        let sent = sent.sent + sent.gap_fills;
        for _ in self.counted..sent {
            self.limiter.note(SESSION, now, Kind::Session);
        }
        for _ in self.repeated..repeated {
            self.limiter.note(SESSION, now, Kind::Order);
        }
        (self.counted, self.repeated) = (sent, repeated);
    }

    /// Counts what the drop copy sent since the last call, before anything else is judged.
    pub(super) fn hear_drop_copy(&mut self, now: Timestamp) {
        if self.limiter.is_empty() {
            return;
        }
        let (tally, counted) = &mut self.drop_copy;
        let sent = tally.get();
        for _ in *counted..sent {
            self.limiter.note(DROP_COPY, now, Kind::Session);
        }
        *counted = sent;
    }
}

fn may_wait(load: Load) -> bool {
    load.kind != Kind::Order
}
