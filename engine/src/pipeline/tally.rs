//! How many messages a session beside the order session has sent: the order gateway counts them with
//! its own, where a limit of the venue counts the two together.
//!
//! Sessions that share a limit share a core, and are polled in turn: what one has sent, the other knows
//! before it sends. It must hold nothing but the number.

use std::sync::atomic::{AtomicU64, Ordering};

/// Messages of one session, session layer and resends included.
#[derive(Debug, Default)]
pub struct Tally(AtomicU64);

impl Tally {
    /// So many in all. Nothing is written where that is known: sessions that share nothing may be on
    /// two cores.
    pub fn set(&self, sent: u64) {
        if self.get() != sent {
            self.0.store(sent, Ordering::Relaxed);
        }
    }

    /// How many in all.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
