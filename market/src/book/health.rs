//! Why a book may not be trusted: the reasons that feed, venue and clock gave, each kept until what
//! ends it. Knows nothing of prices but the two that lock or cross.
//!
//! | reason | begins with | ends with |
//! |---|---|---|
//! | Recovering, nothing known | construction, `Reset` | the first message of the instrument |
//! | Recovering, snapshot | a `SNAPSHOT` event without `LAST` | `SNAPSHOT` with `LAST`, a live message, `Recovered` |
//! | Gap | `Gap` | `Recovered`, `Lost`, `Reset` |
//! | Suspect | `Lost`, a contradiction | `Clear`, `Reset` |
//! | Halted, Auction | `Status` | `Status`, `Reset` |
//! | Stale | the trading loop's timer | that timer, or a message of the instrument |
//!
//! A message is anything the venue said (`Add` to `Status`), not the marks that a feed makes; by level
//! a trade is none, since it says nothing of the levels. In a
//! snapshot `LAST` stands on its final event only. A venue that never sends a status must still be
//! quotable, so Unknown counts as Trading; Closed counts as Halted.

use crate::{BookState, EventFlags, Price, TradingStatus};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Health {
    unheard: bool,
    rebuilding: bool,
    gap: bool,
    suspect: bool,
    stale: bool,
    status: TradingStatus,
}

impl Health {
    pub(crate) const NEW: Health = Health {
        unheard: true,
        rebuilding: false,
        gap: false,
        suspect: false,
        stale: false,
        status: TradingStatus::Unknown,
    };

    /// The heaviest reason, or what the best prices say.
    pub(crate) fn state(&self, bid: Option<Price>, ask: Option<Price>) -> BookState {
        if self.suspect {
            BookState::Suspect
        } else if self.gap {
            BookState::Gap
        } else if self.unheard || self.rebuilding {
            BookState::Recovering
        } else if matches!(self.status, TradingStatus::Halted | TradingStatus::Closed) {
            BookState::Halted
        } else if self.status == TradingStatus::Auction {
            BookState::Auction
        } else if self.stale {
            BookState::Stale
        } else {
            match bid.zip(ask) {
                Some((bid, ask)) if bid > ask => BookState::Crossed,
                Some((bid, ask)) if bid == ask => BookState::Locked,
                _ => BookState::Live,
            }
        }
    }

    /// The venue said something of the instrument.
    pub(crate) fn message(&mut self, flags: EventFlags) {
        self.unheard = false;
        self.stale = false;
        self.rebuilding = is_within_snapshot(flags);
    }

    pub(crate) fn rebuilt(&mut self) {
        self.rebuilding = false;
    }

    pub(crate) fn set_stale(&mut self, stale: bool) {
        self.stale = stale;
    }

    pub(crate) fn contradicted(&mut self) {
        self.suspect = true;
    }

    /// The book is empty, and that is the truth.
    pub(crate) fn cleared(&mut self) {
        self.suspect = false;
    }

    pub(crate) fn set_status(&mut self, status: TradingStatus) {
        self.status = status;
    }

    pub(crate) fn gap(&mut self) {
        self.gap = true;
    }

    pub(crate) fn recovered(&mut self) {
        self.gap = false;
        self.rebuilding = false;
    }

    pub(crate) fn lost(&mut self) {
        self.gap = false;
        self.suspect = true;
    }

    /// Everything in one word, for the state hash.
    pub(crate) fn word(&self) -> u64 {
        let flags = [self.unheard, self.rebuilding, self.gap, self.suspect, self.stale];
        let bits = flags.iter().rev().fold(0, |bits, &flag| bits << 1 | u64::from(flag));
        bits | (self.status as u64) << 8
    }
}

/// True of an event after which a snapshot goes on.
fn is_within_snapshot(flags: EventFlags) -> bool {
    flags.0 & EventFlags::SNAPSHOT.with(EventFlags::LAST).0 == EventFlags::SNAPSHOT.0
}
