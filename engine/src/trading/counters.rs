//! What the loop counts, for the report, the metrics and the state hash.

use crate::trading::risk::CHECKS;
use market::{RejectReason, StateHasher};

/// Counts of one run. All of them grow only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets, and market events in them.
    pub packets: u64,
    /// Market events.
    pub events: u64,
    /// Trades the market did.
    pub market_trades: u64,
    /// Reports consumed, of every kind.
    pub reports: u64,
    /// New orders published.
    pub news: u64,
    /// Replaces published.
    pub replaces: u64,
    /// Cancels and mass cancels published.
    pub cancels: u64,
    /// Commands that the ring or the journal had no room for.
    pub unpublished: u64,
    /// Fills counted.
    pub fills: u64,
    /// Executions told twice.
    pub duplicates: u64,
    /// Executions that a drop copy told after the order session had.
    pub confirmed: u64,
    /// Executions that a drop copy told first.
    pub learned: u64,
    /// Orders that the venue still held after the order session had been lost.
    pub survivors: u64,
    /// Reports on orders that we do not know.
    pub foreign: u64,
    /// Moves that the life cycle does not have.
    pub illegal_moves: u64,
    /// Reports that contradict our record.
    pub contradictions: u64,
    /// Orders that became Unknown.
    pub unknown: u64,
    /// Wanted quotes that were no valid quotes.
    pub bad_quotes: u64,
    /// Occasions on which a strategy panicked.
    pub strategy_panics: u64,
    /// Refusals by risk check, in order of [`CHECKS`].
    pub breaches: [u64; CHECKS.len()],
    /// Refusals of the venue or gateway by reason.
    pub rejects: [u64; REASONS.len()],
}

/// Reasons in the order of [`Counters::rejects`].
pub const REASONS: [RejectReason; 16] = [
    RejectReason::None,
    RejectReason::UnknownInstrument,
    RejectReason::Closed,
    RejectReason::Limit,
    RejectReason::TooLate,
    RejectReason::UnknownOrder,
    RejectReason::DuplicateId,
    RejectReason::WouldTrade,
    RejectReason::Price,
    RejectReason::Qty,
    RejectReason::SelfTrade,
    RejectReason::Pending,
    RejectReason::NoSession,
    RejectReason::Rate,
    RejectReason::Malformed,
    RejectReason::Other,
];

impl Counters {
    /// Counts a refusal.
    pub fn reject(&mut self, reason: RejectReason) {
        self.rejects[reason as usize] += 1;
    }

    /// Refusals by reason, those that happened.
    pub fn rejects(&self) -> impl Iterator<Item = (RejectReason, u64)> + '_ {
        REASONS.into_iter().zip(self.rejects).filter(|&(_, count)| count > 0)
    }

    /// Refusals by risk check, those that happened.
    pub fn breaches(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        CHECKS.iter().map(|check| check.name).zip(self.breaches).filter(|&(_, count)| count > 0)
    }

    /// Commands published in all.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.news + self.replaces + self.cancels
    }

    /// Adds every count to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for word in [
            self.packets,
            self.events,
            self.market_trades,
            self.reports,
            self.news,
            self.replaces,
            self.cancels,
            self.unpublished,
            self.fills,
            self.duplicates,
            self.confirmed,
            self.learned,
            self.survivors,
            self.foreign,
            self.illegal_moves,
            self.contradictions,
            self.unknown,
            self.bad_quotes,
            self.strategy_panics,
        ] {
            hasher.word(word);
        }
        self.breaches.iter().chain(&self.rejects).for_each(|&count| hasher.word(count));
    }
}
