//! Which of a core's sockets have something to read: one question to the kernel for all of them.
//!
//! A core with one socket asks that socket; a core with many would pay a call for each. It says only
//! where to look and moves no bytes. It never waits, and asks at most once in a turn of the core.

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sockets of one core, at most.
pub const SOCKETS_MAX: usize = 1_024;
/// Answers of one question. The kernel takes turns among those that do not fit.
const ANSWERS: usize = 64;

/// The sockets that one core watches together.
pub struct Readiness {
    epoll: OwnedFd,
    ready: Box<[AtomicBool]>,
    taken: Mutex<Box<[bool]>>,
    /// Questions asked.
    round: AtomicU64,
}

impl Readiness {
    /// Nothing is watched yet.
    ///
    /// # Errors
    /// The host's limit of open files.
    pub fn new() -> io::Result<Arc<Readiness>> {
        Ok(Arc::new(Readiness {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            ready: (0..SOCKETS_MAX).map(|_| AtomicBool::new(false)).collect(),
            taken: Mutex::new(vec![false; SOCKETS_MAX].into()),
            round: AtomicU64::new(0),
        }))
    }

    /// Watches a socket for as long as the answer lives. The next question is the first that can name
    /// it: what came by it is never known before an end of another socket that was earlier.
    ///
    /// # Errors
    /// A limit of the host, or more than [`SOCKETS_MAX`] sockets.
    pub fn watch(self: &Arc<Self>, socket: impl AsFd) -> io::Result<Watch> {
        // Of its own, so that the one can be closed before the other.
        let fd = socket.as_fd().try_clone_to_owned()?;
        let mut taken = self.taken();
        let place = taken.iter().position(|taken| !taken).ok_or_else(|| {
            io::Error::other(format!("one core watches {SOCKETS_MAX} sockets at most"))
        })?;
        self.ready[place].store(false, Ordering::Relaxed);
        let events = EventFlags::IN | EventFlags::RDHUP;
        epoll::add(&self.epoll, &fd, EventData::new_u64(place as u64), events)?;
        taken[place] = true;
        drop(taken);
        let round = self.round.load(Ordering::Relaxed).wrapping_sub(1);
        Ok(Watch { of: self.clone(), fd, place, round })
    }

    fn taken(&self) -> MutexGuard<'_, Box<[bool]>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the kernel. A question that fails says that every socket is ready: to look at one in
    /// vain is cheap, never to look is not.
    fn ask(&self) {
        // One core asks: a load and a store are enough.
        self.round.store(self.round.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let mut answers = [MaybeUninit::uninit(); ANSWERS];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        match epoll::wait(&self.epoll, &mut answers, Some(&at_once)) {
            Ok((ready, _)) => {
                for event in ready {
                    let place = usize::try_from(event.data.u64()).ok();
                    if let Some(ready) = place.and_then(|place| self.ready.get(place)) {
                        ready.store(true, Ordering::Relaxed);
                    }
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => self.ready.iter().for_each(|ready| ready.store(true, Ordering::Relaxed)),
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watched = self.taken().iter().filter(|taken| **taken).count();
        f.debug_struct("Readiness").field("watched", &watched).finish_non_exhaustive()
    }
}

/// One socket among those of its core.
#[derive(Debug)]
pub struct Watch {
    of: Arc<Readiness>,
    fd: OwnedFd,
    place: usize,
    /// The last question whose answer was looked at.
    round: u64,
}

impl Watch {
    /// True if there may be something to read, or an end. Who asks first in a turn of the core asks
    /// for all; so everyone may ask once a turn, in the same order. One that has something and is not
    /// read says so again in the next turn.
    #[inline]
    pub fn is_ready(&mut self) -> bool {
        if self.round == self.of.round.load(Ordering::Relaxed) {
            self.of.ask();
        }
        self.round = self.of.round.load(Ordering::Relaxed);
        let ready = &self.of.ready[self.place];
        let is_ready = ready.load(Ordering::Relaxed);
        if is_ready {
            ready.store(false, Ordering::Relaxed);
        }
        is_ready
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It was added, so it is there.
        let _ = epoll::delete(&self.of.epoll, &self.fd);
        self.of.taken()[self.place] = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    /// Pairs, and the watches of their near ends.
    fn watched(count: usize) -> (Arc<Readiness>, Vec<(UnixStream, UnixStream)>, Vec<Watch>) {
        let readiness = Readiness::new().unwrap();
        let pairs: Vec<_> = (0..count).map(|_| UnixStream::pair().unwrap()).collect();
        let watches = pairs.iter().map(|(near, _)| readiness.watch(near).unwrap()).collect();
        (readiness, pairs, watches)
    }

    fn turn(watches: &mut [Watch]) -> Vec<bool> {
        watches.iter_mut().map(Watch::is_ready).collect()
    }

    #[test]
    fn one_question_a_turn_finds_who_has_something_until_it_is_read() {
        let (readiness, mut pairs, mut watches) = watched(3);
        assert_eq!(turn(&mut watches), [false; 3]);
        assert_eq!(readiness.round.load(Ordering::Relaxed), 0, "new ones wait for a question");
        pairs[1].1.write_all(b"x").unwrap();
        let before = readiness.round.load(Ordering::Relaxed);
        assert_eq!(turn(&mut watches), [false, true, false]);
        assert_eq!(turn(&mut watches), [false, true, false], "it was not read");
        assert_eq!(readiness.round.load(Ordering::Relaxed), before + 2);
        pairs[1].0.read_exact(&mut [0]).unwrap();
        assert_eq!(turn(&mut watches), [false; 3]);
    }

    #[test]
    fn an_end_is_something_to_read() {
        let (_readiness, mut pairs, mut watches) = watched(2);
        drop(pairs.pop());
        turn(&mut watches);
        assert_eq!(turn(&mut watches), [false, true]);
    }

    #[test]
    fn who_asks_in_some_turns_only_misses_nothing() {
        let (_readiness, mut pairs, mut watches) = watched(2);
        turn(&mut watches);
        pairs[1].1.write_all(b"x").unwrap();
        for _ in 0..3 {
            assert!(!watches[0].is_ready());
        }
        assert!(watches[1].is_ready());
    }

    #[test]
    fn more_answers_than_fit_come_by_turns() {
        let (_readiness, mut pairs, mut watches) = watched(3 * ANSWERS);
        pairs.iter_mut().for_each(|(_, far)| far.write_all(b"x").unwrap());
        let mut seen = vec![false; pairs.len()];
        for _ in 0..6 {
            for (seen, ready) in seen.iter_mut().zip(turn(&mut watches)) {
                *seen |= ready;
            }
        }
        assert!(seen.iter().all(|seen| *seen));
    }

    #[test]
    fn a_place_is_free_again_and_knows_nothing_of_the_last_socket() {
        let (readiness, mut pairs, mut watches) = watched(2);
        pairs[1].1.write_all(b"x").unwrap();
        turn(&mut watches);
        watches[0].is_ready();
        watches.pop();
        let (near, _far) = UnixStream::pair().unwrap();
        watches.push(readiness.watch(&near).unwrap());
        assert_eq!(watches[1].place, 1);
        assert_eq!(turn(&mut watches), [false; 2]);
        assert_eq!(turn(&mut watches), [false; 2]);
    }

    #[test]
    fn there_is_an_end_to_what_one_core_watches() {
        let readiness = Readiness::new().unwrap();
        let (near, _far) = UnixStream::pair().unwrap();
        readiness.taken().fill(true);
        let refused = readiness.watch(&near).unwrap_err().to_string();
        assert_eq!(refused, "one core watches 1024 sockets at most");
    }
}
