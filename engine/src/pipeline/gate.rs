//! The gateway's own gate, the second check of every command: while it is shut, nothing but cancels
//! and status requests leave.
//!
//! No strategy and no full ring can skip it: an operator's kill and the watchdog shut it at once,
//! before the trading loop has heard. It never cancels by itself and never opens by itself.

use market::CommandKind;
use std::sync::atomic::{AtomicU8, Ordering};

/// Why the gate is shut. Reasons add up; each is taken back by the one who gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Shut {
    /// An operator's kill; an operator's clear takes it back.
    Killed = 1,
    /// The trading loop stalled: it latches until a restart.
    Stalled = 2,
    /// The journal has no room, or its disk does not sync in time what waits for that: the session
    /// is dropped, so that the venue cancels. Latches.
    JournalLost = 4,
    /// A core panicked: likewise. Latches.
    Panicked = 8,
}

impl Shut {
    /// Every reason.
    pub const ALL: [Shut; 4] = [Shut::Killed, Shut::Stalled, Shut::JournalLost, Shut::Panicked];

    /// Its word in status lines and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Shut::Killed => "killed",
            Shut::Stalled => "stalled",
            Shut::JournalLost => "journal lost",
            Shut::Panicked => "panicked",
        }
    }
}

/// Open unless there is a reason. Shared by the gateway, which reads, and those who may shut it.
#[derive(Debug, Default)]
pub struct Gate {
    reasons: AtomicU8,
}

impl Gate {
    /// Shuts the gate for a reason, at once and for every thread.
    pub fn shut(&self, reason: Shut) {
        self.reasons.fetch_or(reason as u8, Ordering::SeqCst);
    }

    /// Takes a reason back. The gate opens when it was the last.
    pub fn withdraw(&self, reason: Shut) {
        self.reasons.fetch_and(!(reason as u8), Ordering::SeqCst);
    }

    /// True if only cancels may pass.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.reasons.load(Ordering::Acquire) != 0
    }

    /// True if a command of this kind may leave now: one load, for the hot path.
    #[must_use]
    pub fn passes(&self, kind: Option<CommandKind>) -> bool {
        !self.is_shut() || !matches!(kind, Some(CommandKind::New | CommandKind::Replace) | None)
    }

    /// True if nothing at all may leave and the session must be dropped.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        let cut = Shut::JournalLost as u8 | Shut::Panicked as u8;
        self.reasons.load(Ordering::Acquire) & cut != 0
    }

    /// Why it is shut.
    pub fn reasons(&self) -> impl Iterator<Item = Shut> + use<> {
        let reasons = self.reasons.load(Ordering::Acquire);
        Shut::ALL.into_iter().filter(move |&reason| reasons & reason as u8 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shut_for_every_reason_until_the_last_is_withdrawn() {
        let gate = Gate::default();
        assert!(gate.passes(Some(CommandKind::New)));
        gate.shut(Shut::Killed);
        gate.shut(Shut::Stalled);
        gate.withdraw(Shut::Killed);
        assert!(gate.is_shut());
        assert_eq!(gate.reasons().collect::<Vec<_>>(), [Shut::Stalled]);
        for kind in [Some(CommandKind::New), Some(CommandKind::Replace), None] {
            assert!(!gate.passes(kind), "{kind:?}");
        }
        let harmless = [CommandKind::Cancel, CommandKind::MassCancel, CommandKind::MassStatus];
        assert!(harmless.into_iter().all(|kind| gate.passes(Some(kind))));
        gate.withdraw(Shut::Stalled);
        assert!(!gate.is_shut() && gate.passes(Some(CommandKind::Replace)));
    }
}
