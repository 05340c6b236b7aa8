//! How a run ends: stop asked for → loop cancels and falls quiet → session logs out → cores end.

use std::sync::atomic::{AtomicBool, Ordering};

/// Flags between the cores and whoever stops them.
#[derive(Debug, Default)]
pub struct Lifecycle {
    quiet: AtomicBool,
    finished: AtomicBool,
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
