//! When a connection's socket is looked at: what a core polls beside it decides.
//!
//! It reads nothing itself, and never keeps a socket waiting that had something a moment ago.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use wire::readiness::{Readiness, Watch};

/// Raw ticks between two looks beside market data, one or two microseconds: there each look keeps a
/// tick waiting.
const SPARING: u64 = 4_096;

/// How a core looks at its connections.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    every: u64,
    together: Option<Arc<Readiness>>,
}

impl Looks {
    /// For the only connection of a core that polls no market data: a look each turn.
    #[must_use]
    pub fn alone() -> Looks {
        Looks::default()
    }

    /// The core polls market data too.
    #[must_use]
    pub fn beside_market_data(self) -> Looks {
        Looks { every: SPARING, ..self }
    }

    /// The core has other connections, each of which is to have a clone of this.
    ///
    /// # Errors
    /// The host's limit of open files.
    pub fn beside_others(self) -> io::Result<Looks> {
        Ok(Looks { together: Some(Readiness::new()?), ..self })
    }
}

/// The looks at one connection.
#[derive(Debug)]
pub(super) struct Look {
    every: u64,
    watch: Option<Watch>,
    /// Raw tick of the last question.
    asked: u64,
    /// There was something, so there may be more.
    again: bool,
}

impl Look {
    /// Of a connection that has just begun.
    ///
    /// # Errors
    /// A limit of the host.
    pub(super) fn at(socket: impl AsFd, looks: &Looks) -> io::Result<Look> {
        let watch = looks.together.as_ref().map(|all| all.watch(socket)).transpose()?;
        Ok(Look { every: looks.every, watch, asked: 0, again: true })
    }

    /// True if it is to be looked at now; `ticks` is the raw tick.
    #[inline]
    pub(super) fn is_due(&mut self, ticks: u64) -> bool {
        if self.again {
            return true;
        }
        if ticks.wrapping_sub(self.asked) < self.every {
            return false;
        }
        self.asked = ticks;
        self.watch.as_mut().is_none_or(Watch::is_ready)
    }

    /// What came of a look: whether there may be more.
    #[inline]
    pub(super) fn looked(&mut self, more: bool) {
        self.again = more;
    }
}
