//! The second, minimal gate: it sits in the gateway stage, where no strategy can skip it, and may be
//! shut from any thread.
//!
//! Killed: nothing that adds risk leaves, cancels do. Cut: nothing leaves at all, and the session is
//! dropped, so that the venue's cancel-on-disconnect fires.

use market::{Command, CommandKind};
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by the gateway stage, the operators' socket, the watchdog and the trading stage.
#[derive(Debug, Default)]
pub struct Gate {
    killed: AtomicBool,
    cut: AtomicBool,
}

impl Gate {
    /// Shuts the gate to everything but cancels and status requests.
    pub fn kill(&self) {
        self.killed.store(true, Ordering::Release);
    }

    /// Opens it again.
    pub fn clear(&self) {
        self.killed.store(false, Ordering::Release);
    }

    /// Drops the session, for good: only a restart opens it.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Release);
    }

    /// True while the kill is in force.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// True once the session must be dropped.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// True if this command may leave now.
    #[must_use]
    pub fn lets_pass(&self, command: &Command) -> bool {
        let adds_risk = matches!(command.kind(), Some(CommandKind::New | CommandKind::Replace));
        !self.is_cut() && !(adds_risk && self.is_killed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::{InstrumentId, OrderId, Price, Qty, Side};

    #[test]
    fn killed_lets_cancels_pass_and_cut_lets_nothing() {
        let id = InstrumentId(0);
        let new = Command::new(OrderId(1), id, Side::Buy, Price::ONE, Qty::from_raw(1));
        let cancel = Command::cancel(OrderId(2), OrderId(1), id, Side::Buy);
        let gate = Gate::default();
        assert!(gate.lets_pass(&new) && gate.lets_pass(&cancel));
        gate.kill();
        assert!(!gate.lets_pass(&new) && gate.lets_pass(&cancel));
        gate.clear();
        assert!(gate.lets_pass(&new));
        gate.cut();
        assert!(!gate.lets_pass(&new) && !gate.lets_pass(&cancel));
    }
}
