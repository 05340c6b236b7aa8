//! What an operator may do to a running engine.
//!
//! Every act goes through the ring `control_trading`, so that the loop journals it, and is called
//! done only when the loop has told so. A kill shuts the gateway's gate first: that needs no loop.

use crate::control::status;
use crate::pipeline::gate::{Gate, Shut};
use crate::pipeline::telemetry::Telemetry;
use crate::runtime::ring::Producer;
use crate::trading::{Control, ControlKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the loop may take to hear an act.
const ACT_WITHIN: Duration = Duration::from_secs(2);
/// How long the stages may take to tell how they stand.
const TELL_WITHIN: Duration = Duration::from_millis(200);

/// Why an act is not done, or not known to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// No place in the ring: the loop has not taken what was asked before.
    #[error(
        "the trading loop takes no acts: too many are waiting for it. See `touchline ctl status`; \
         if the loop has stalled, restart the engine"
    )]
    Full,
    /// In the ring, but the loop has not answered.
    #[error(
        "the trading loop has not taken the act within {} s: it will when it runs again. See \
         `touchline ctl status`; if it has stalled, restart the engine", ACT_WITHIN.as_secs()
    )]
    Unanswered,
    /// The latch is set after a clear: someone killed again.
    #[error("the kill latch is set again: {0}")]
    KilledAgain(String),
}

struct Acts {
    ring: Producer<Control>,
    /// Kills so far: a clear opens the gate only if none came after it.
    kills: u64,
}

/// The one way to act on an engine from outside its cores.
pub struct Operators {
    acts: Mutex<Acts>,
    gate: Arc<Gate>,
    telemetry: Arc<Mutex<Telemetry>>,
    within: Duration,
}

/// A thread that panicked while it held a lock left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Operators {
    /// Acts go into `ring`; `telemetry` has the gate that a kill shuts, and tells what became of
    /// the acts.
    #[must_use]
    pub fn new(ring: Producer<Control>, telemetry: Arc<Mutex<Telemetry>>) -> Operators {
        // A copy of our own: shutting the gate must not wait for a reader.
        let gate = lock(&telemetry).gate.clone();
        let acts = Mutex::new(Acts { ring, kills: 0 });
        Operators { acts, gate, telemetry, within: ACT_WITHIN }
    }

    /// As they are, but waiting for the loop no longer than this.
    #[must_use]
    pub fn waiting(mut self, within: Duration) -> Operators {
        self.within = within;
        self
    }

    /// Cancels everything and lets nothing new out, until cleared. The gate is shut in any case.
    ///
    /// # Errors
    /// [`NotDone`]: the gate is shut, but the loop's own latch may not be set.
    pub fn kill(&self, name: &str, reason: &str) -> Result<(), NotDone> {
        self.gate.shut(Shut::Killed);
        {
            let mut acts = lock(&self.acts);
            acts.kills += 1;
            // Once more: a clear may have opened it while we waited for the lock.
            self.gate.shut(Shut::Killed);
            push(&mut acts, ControlKind::Kill, name, reason)?;
        }
        self.wait().map(|_| ())
    }

    /// Releases the kill latch and every halted instrument, then opens the gate.
    ///
    /// # Errors
    /// [`NotDone`]: the gate stays shut.
    pub fn clear(&self, name: &str, reason: &str) -> Result<(), NotDone> {
        let kills = {
            let mut acts = lock(&self.acts);
            push(&mut acts, ControlKind::Clear, name, reason)?;
            acts.kills
        };
        let killed = self.wait()?;
        let acts = lock(&self.acts);
        match killed {
            None if acts.kills == kills => {
                self.gate.withdraw(Shut::Killed);
                Ok(())
            }
            killed => Err(NotDone::KilledAgain(killed.unwrap_or_else(|| "just now".to_owned()))),
        }
    }

    /// Waits until the loop has taken everything in the ring and has told how it stands since.
    /// Gives who holds the kill latch set, and why.
    fn wait(&self) -> Result<Option<String>, NotDone> {
        let give_up = Instant::now() + self.within;
        while !self.is_drained() {
            if Instant::now() >= give_up {
                return Err(NotDone::Unanswered);
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        let mut telemetry = lock(&self.telemetry);
        if !telemetry.trading.renew(give_up) {
            return Err(NotDone::Unanswered);
        }
        let snapshot = telemetry.trading.current();
        Ok(snapshot.killed.then(|| snapshot.kill_text.clone()))
    }

    fn is_drained(&self) -> bool {
        let acts = lock(&self.acts);
        acts.ring.has_room(acts.ring.capacity())
    }

    /// How the engine stands, for an operator to read.
    #[must_use]
    pub fn status(&self) -> String {
        let mut telemetry = lock(&self.telemetry);
        let answered = telemetry.refresh(TELL_WITHIN);
        status::text(&telemetry, answered)
    }
}

fn push(acts: &mut Acts, kind: ControlKind, name: &str, reason: &str) -> Result<(), NotDone> {
    acts.ring.push(Control::new(kind, name, reason)).map_err(|_| NotDone::Full)
}
