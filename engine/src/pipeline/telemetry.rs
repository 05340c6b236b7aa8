//! Telemetry: hot cores hand snapshots of what they know to cold readers, without a lock and
//! without an allocation.
//!
//! A mailbox holds two boxed snapshots. The reader keeps one; the core fills the other in its
//! housekeeping, when the reader has given it back, and hands it over whole. So nothing is read
//! while it is written, and a core that nobody asks does no work. Nothing here decides anything.

mod blame;
mod hub;
mod snapshots;

pub use blame::{Blame, CoreBlame, Cycle, StageBlame};
pub use hub::{HopTotals, Stages, Telemetry};
pub use snapshots::{
    FeedSnapshot, FixFeedTold, GatewaySnapshot, GlimpseCounters, LineCounters, OrderSession,
    Recoveries, TradingSnapshot, WebsocketCounters,
};

use crossbeam::queue::ArrayQueue;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Mailbox<T> {
    /// Given back by the reader.
    empty: ArrayQueue<Box<T>>,
    /// Handed over by the core.
    full: ArrayQueue<Box<T>>,
}

/// The hot core's end.
pub struct Outbox<T> {
    mailbox: Arc<Mailbox<T>>,
}

/// The cold reader's end.
pub struct Inbox<T> {
    mailbox: Arc<Mailbox<T>>,
    current: Box<T>,
}

/// How long a reader rests between two looks for an answer; cores answer about every millisecond.
const LOOK_EVERY: Duration = Duration::from_micros(500);

/// A mailbox that passes two snapshots to and fro. The reader sees `one` until the first comes.
///
/// ```
/// let (mut outbox, mut inbox) = engine::pipeline::telemetry::mailbox(0, 0);
/// assert!(outbox.offer(|snapshot| *snapshot = 7));
/// assert!(!outbox.offer(|_| unreachable!("the reader has given none back")));
/// assert_eq!(*inbox.latest(), 7);
/// assert!(outbox.offer(|snapshot| *snapshot = 8));
/// ```
#[must_use]
pub fn mailbox<T>(one: T, two: T) -> (Outbox<T>, Inbox<T>) {
    let mailbox = Arc::new(Mailbox { empty: ArrayQueue::new(2), full: ArrayQueue::new(2) });
    give(&mailbox.empty, Box::new(two));
    (Outbox { mailbox: mailbox.clone() }, Inbox { mailbox, current: Box::new(one) })
}

/// Two places for two snapshots: there always is room.
fn give<T>(queue: &ArrayQueue<Box<T>>, snapshot: Box<T>) {
    let _ = queue.push(snapshot);
}

impl<T> Outbox<T> {
    /// Fills a snapshot and hands it over, if the reader has given one back. True if so.
    pub fn offer(&mut self, fill: impl FnOnce(&mut T)) -> bool {
        let Some(mut snapshot) = self.mailbox.empty.pop() else { return false };
        fill(&mut snapshot);
        give(&self.mailbox.full, snapshot);
        true
    }
}

impl<T> Inbox<T> {
    /// The snapshot that came last. Gives the one before back, which asks for the next: so it is
    /// about as old as the last call.
    pub fn latest(&mut self) -> &T {
        self.take();
        &self.current
    }

    /// Takes what was handed over; false if nothing was.
    fn take(&mut self) -> bool {
        let mut taken = false;
        while let Some(next) = self.mailbox.full.pop() {
            let before = std::mem::replace(&mut self.current, next);
            give(&self.mailbox.empty, before);
            taken = true;
        }
        taken
    }

    /// Waits for a snapshot that is filled after this call, until `give_up`; true if it came.
    pub fn renew(&mut self, give_up: Instant) -> bool {
        // What lies there may be old; taking it asks for what is new.
        self.take();
        while !self.take() {
            if Instant::now() >= give_up {
                return false;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        true
    }

    /// The snapshot in hand, without asking for another.
    #[must_use]
    pub fn current(&self) -> &T {
        &self.current
    }
}

#[cfg(test)]
mod tests;
