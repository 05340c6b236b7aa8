//! Connections that a venue allows in a window of time, to all sessions of one key together.
//!
//! As many places as the venue allows: an attempt takes one and keeps it until a window after its
//! end, since whatever the venue saw of it, it saw before. Shared by sessions on whatever cores; the
//! lock is taken at the beginning and end of an attempt only, never while a session is up.

use crate::config::TransportConfig;
use market::{Nanos, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The place of an attempt that is under way.
const TAKEN: Timestamp = Timestamp::MAX;

/// A venue's limit on connections.
#[derive(Debug)]
pub struct Logons {
    window: Nanos,
    /// From when on each place is free; in no order.
    places: Mutex<Box<[Timestamp]>>,
}

impl Logons {
    /// At most `count` connections, at least one, in any `window`.
    #[must_use]
    pub fn new(count: u32, window: Nanos) -> Logons {
        let places = vec![Timestamp::ZERO; count.max(1) as usize].into_boxed_slice();
        Logons { window, places: Mutex::new(places) }
    }

    /// The limit of a venue, if it has one.
    #[must_use]
    pub fn of(transport: &TransportConfig) -> Option<Arc<Logons>> {
        transport.logons.map(|count| Arc::new(Logons::new(count, transport.logons_window_s)))
    }

    /// Takes a place, if more than `leave` are free; all but one may be left.
    ///
    /// # Errors
    /// When there is one; `None` where that is not known, since attempts are under way.
    pub(super) fn take(&self, now: Timestamp, leave: usize) -> Result<(), Option<Timestamp>> {
        let mut places = self.places();
        let leave = leave.min(places.len() - 1);
        let (_, place, _) = places.select_nth_unstable(leave);
        if *place > now {
            return Err(Some(*place).filter(|&place| place != TAKEN));
        }
        *place = TAKEN;
        Ok(())
    }

    /// An attempt is over. Which of those under way makes no difference.
    pub(super) fn give_back(&self, now: Timestamp) {
        let window = self.window;
        if let Some(place) = self.places().iter_mut().find(|place| **place == TAKEN) {
            *place = now.after(window);
        }
    }

    fn places(&self) -> MutexGuard<'_, Box<[Timestamp]>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
