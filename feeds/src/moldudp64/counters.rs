//! What a receiver has seen, by line and by reason. Counts only: nothing here decides.

use super::BadPacket;
use market::Nanos;

/// What came by one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounters {
    /// Datagrams, good or bad.
    pub datagrams: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets whose messages came by this line first.
    pub first: u64,
    /// Packets of which every message had come before.
    pub duplicates: u64,
    /// Heartbeats and ends of session.
    pub heartbeats: u64,
}

/// Gaps that were closed in one way, and how long that took, from the first packet that showed one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recoveries {
    /// How many.
    pub count: u64,
    /// All of them together.
    pub total: Nanos,
    /// The last.
    pub last: Nanos,
    /// The longest.
    pub longest: Nanos,
}

impl Recoveries {
    /// One more that took `took`.
    pub(crate) fn note(&mut self, took: Nanos) {
        self.count += 1;
        self.total = Nanos::new(self.total.get().saturating_add(took.get()));
        self.last = took;
        self.longest = self.longest.max(took);
    }
}

/// What a receiver has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverCounters {
    /// By live line.
    pub live: Vec<LineCounters>,
    /// By the answers to requests.
    pub retransmission: LineCounters,
    /// Messages given on, in sequence.
    pub messages: u64,
    /// Packets of which only the tail was new.
    pub overlaps: u64,
    /// Packets kept until what was missing before them came.
    pub early: u64,
    /// Early packets for which there was no room; they are asked for again.
    pub stash_full: u64,
    /// Times that messages were declared missing.
    pub gaps: u64,
    /// Requests made.
    pub requests: u64,
    /// Messages asked for, again and again counted again.
    pub requested: u64,
    /// Messages that came by retransmission.
    pub recovered: u64,
    /// Messages given up.
    pub lost: u64,
    /// Times that a snapshot was needed.
    pub snapshots: u64,
    /// Gaps closed by the messages themselves, whichever way they came.
    pub by_messages: Recoveries,
    /// Gaps closed by a snapshot.
    pub by_snapshot: Recoveries,
    /// Packets that differ from another copy of the same sequence and count: an alert, since one of
    /// the lines lies.
    pub mismatches: u64,
    /// Sessions that followed another.
    pub resets: u64,
    pub(super) bad: [u64; BadPacket::ALL.len()],
}

impl ReceiverCounters {
    /// Datagrams dropped for a reason.
    #[must_use]
    pub fn bad(&self, reason: BadPacket) -> u64 {
        self.bad[reason as usize]
    }
}
