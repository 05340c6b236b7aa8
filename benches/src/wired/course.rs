//! Turns on the answering core: all who answer live on one thread, and exactly one of them is at work
//! at a time, by the word of the exchange's side. Nobody else spins there.

use crate::machine::settle;
use crate::wired::{ANSWERS, ASKS};
use anyhow::anyhow;
use engine::runtime::stage::Core;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Somebody who answers ticks with orders.
pub trait Side: Send {
    /// Answers while it is its turn.
    fn work(&mut self, mine: &dyn Fn() -> bool);
}

/// The engine, or its first core.
impl Side for Core {
    fn work(&mut self, mine: &dyn Fn() -> bool) {
        while mine() && self.turn() {}
    }
}

/// Nobody's turn.
const REST: usize = usize::MAX;
/// The end of the bench.
const END: usize = usize::MAX - 1;
/// How often a resting thread looks whose turn it is: it sleeps, so that others have the core.
const LOOK: Duration = Duration::from_micros(100);

/// Whose turn it is, and who is at work.
pub struct Turns {
    wanted: AtomicUsize,
    at_work: AtomicUsize,
}

impl Default for Turns {
    fn default() -> Self {
        Turns { wanted: AtomicUsize::new(REST), at_work: AtomicUsize::new(REST) }
    }
}

impl Turns {
    /// Lets `sides` answer on one core while `asks` runs on another, until that is over.
    ///
    /// # Errors
    /// Those of `asks`; a side that panicked.
    pub fn beside<T: Send>(
        &self,
        sides: &mut [Box<dyn Side>],
        asks: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        std::thread::scope(|scope| {
            // Every thread is there before any is real-time.
            let answering = scope.spawn(|| {
                settle(ANSWERS);
                self.answer(sides);
            });
            let asking = scope.spawn(|| {
                settle(ASKS);
                let _ending = Ending(self);
                asks()
            });
            let outcome = asking.join().map_err(|_| anyhow!("the exchange's side panicked"))?;
            answering.join().map_err(|_| anyhow!("who answers panicked"))?;
            outcome
        })
    }

    /// The answering thread: does turns until the end.
    fn answer(&self, sides: &mut [Box<dyn Side>]) {
        loop {
            match self.wanted.load(Ordering::Acquire) {
                END => return,
                REST => std::thread::sleep(LOOK),
                who => {
                    self.at_work.store(who, Ordering::Release);
                    sides[who].work(&|| self.wanted.load(Ordering::Relaxed) == who);
                    self.at_work.store(REST, Ordering::Release);
                }
            }
        }
    }

    /// Gives somebody the turn.
    pub fn give(&self, who: usize) {
        self.wanted.store(who, Ordering::Release);
        while self.at_work.load(Ordering::Acquire) != who {
            std::thread::sleep(LOOK);
        }
    }

    /// Takes the turn back. Who waits in the kernel must be woken before [`Turns::rest`].
    pub fn take(&self) {
        self.wanted.store(REST, Ordering::Release);
    }

    /// Waits until nobody is at work, and lets everything else on both cores have a moment.
    pub fn rest(&self) {
        while self.at_work.load(Ordering::Acquire) != REST {
            std::thread::sleep(LOOK);
        }
        std::thread::sleep(20 * LOOK);
    }
}

/// Ends the turns, whatever happens to the exchange's side.
struct Ending<'a>(&'a Turns);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.wanted.store(END, Ordering::Release);
    }
}
