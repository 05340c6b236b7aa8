//! How a run ends: stop asked for → loop cancels and falls quiet → session logs out → cores end. And
//! how a session ends within it: told to close → loop cancels and says when nothing is open → Logout.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Flags between the cores and whoever stops them.
#[derive(Debug, Default)]
pub struct Lifecycle {
    quiet: AtomicBool,
    finished: AtomicBool,
    cleared: AtomicU64,
}

impl Lifecycle {
    /// The loop has no open order any more and will send nothing.
    pub fn set_quiet(&self) {
        self.quiet.store(true, Ordering::Release);
    }

    /// See [`Lifecycle::set_quiet`].
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Acquire)
    }

    /// Nothing is open any more behind so many closings (`SessionClosing`) of the session.
    pub fn set_cleared(&self, closings: u64) {
        self.cleared.store(closings, Ordering::Release);
    }

    /// See [`Lifecycle::set_cleared`].
    #[must_use]
    pub fn cleared(&self) -> u64 {
        self.cleared.load(Ordering::Acquire)
    }

    /// The gateway has logged out: its last report is in the ring.
    pub fn set_finished(&self) {
        self.finished.store(true, Ordering::Release);
    }

    /// See [`Lifecycle::set_finished`].
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }
}
