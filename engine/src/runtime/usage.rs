//! What the kernel did to a core's thread: context switches, page faults, waiting for its CPU.
//!
//! Read from `/proc` by cold threads, by thread id: a polled core makes no system call for it. The
//! thread itself notes its id before it polls and its last count after.

use market::Nanos;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Warm-up: what a core does in its first seconds (first touches, logon, the first books) is no
/// outlier. Longest cycles and the counts of the kernel are told from its end on.
pub const WARM_UP: Duration = Duration::from_secs(2);

/// Counts of the kernel, of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The thread gave its CPU up: it slept or waited.
    pub voluntary: u64,
    /// The kernel took its CPU away.
    pub involuntary: u64,
    /// Pages had to be mapped in.
    pub minor_faults: u64,
    /// Pages had to be read from a disk.
    pub major_faults: u64,
    /// It could run and had no CPU.
    pub waited: Nanos,
}

impl Usage {
    /// From the texts of `status`, `stat` and `schedstat`. `None` if one of the first two is not
    /// what it should be; a kernel without `schedstat` counts no waiting.
    #[must_use]
    pub fn parse(status: &str, stat: &str, schedstat: &str) -> Option<Usage> {
        let switches = |key: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(key))?;
            value.trim_start_matches(':').trim().parse().ok()
        };
        // The name may hold spaces and brackets: fields are counted behind its end.
        let (_, fields) = stat.rsplit_once(')')?;
        let fault = |place: usize| fields.split_whitespace().nth(place)?.parse().ok();
        let waited = schedstat.split_whitespace().nth(1).and_then(|nanos| nanos.parse().ok());
        Some(Usage {
            voluntary: switches("voluntary_ctxt_switches")?,
            involuntary: switches("nonvoluntary_ctxt_switches")?,
            minor_faults: fault(7)?,
            major_faults: fault(9)?,
            waited: Nanos::new(waited.unwrap_or(0)),
        })
    }

    /// Of the calling thread.
    #[must_use]
    pub fn of_this_thread() -> Option<Usage> {
        Usage::read(rustix::thread::gettid().as_raw_nonzero().get())
    }

    fn read(thread: i32) -> Option<Usage> {
        let folder = Path::new("/proc/self/task").join(thread.to_string());
        let file = |name| fs::read_to_string(folder.join(name));
        let schedstat = file("schedstat").unwrap_or_default();
        Usage::parse(&file("status").ok()?, &file("stat").ok()?, &schedstat)
    }

    /// What came since `before`.
    #[must_use]
    pub fn since(&self, before: &Usage) -> Usage {
        Usage {
            voluntary: self.voluntary.saturating_sub(before.voluntary),
            involuntary: self.involuntary.saturating_sub(before.involuntary),
            minor_faults: self.minor_faults.saturating_sub(before.minor_faults),
            major_faults: self.major_faults.saturating_sub(before.major_faults),
            waited: Nanos::new(self.waited.get().saturating_sub(before.waited.get())),
        }
    }
}

/// One core's thread, as cold readers see it.
#[derive(Debug, Default)]
pub struct CoreWatch {
    /// Its stages, joined by `+`.
    pub name: String,
    /// The CPU that it was to be pinned to.
    pub cpu: Option<usize>,
    thread: OnceLock<(i32, Instant)>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// At the end of warm-up.
    warm: Option<Usage>,
    /// When the thread was done.
    last: Option<Usage>,
}

impl CoreWatch {
    /// A watch over a thread that has not begun.
    #[must_use]
    pub fn new(name: &str, cpu: Option<usize>) -> CoreWatch {
        CoreWatch { name: name.to_owned(), cpu, ..CoreWatch::default() }
    }

    /// Said by the thread itself, before it polls.
    pub fn enter(&self) {
        let thread = rustix::thread::gettid().as_raw_nonzero().get();
        let _ = self.thread.set((thread, Instant::now()));
    }

    /// Said by the thread itself, when it polls no more: nobody can read its counts afterwards.
    pub fn leave(&self) {
        let last = self.thread.get().and_then(|(thread, _)| Usage::read(*thread));
        self.counts().last = last;
    }

    /// Looks whether warm-up is over, and notes the counts if it just is. Called by a cold thread,
    /// a few times a second.
    pub fn look(&self) {
        let Some((thread, began)) = self.thread.get() else { return };
        let mut counts = self.counts();
        if counts.warm.is_none() && counts.last.is_none() && began.elapsed() >= WARM_UP {
            counts.warm = Usage::read(*thread);
        }
    }

    /// Counts since the end of warm-up; `None` before it, or where the kernel does not tell.
    #[must_use]
    pub fn after_warm_up(&self) -> Option<Usage> {
        let (thread, _) = self.thread.get()?;
        let counts = self.counts();
        let now = counts.last.or_else(|| Usage::read(*thread))?;
        Some(now.since(counts.warm.as_ref()?))
    }

    /// A watch of the calling thread, as if it had been warm for long.
    #[cfg(test)]
    pub(crate) fn warm(name: &str) -> CoreWatch {
        let thread = rustix::thread::gettid().as_raw_nonzero().get();
        let long_ago = Instant::now().checked_sub(WARM_UP).unwrap();
        let thread = OnceLock::from((thread, long_ago));
        let watch = CoreWatch { thread, ..CoreWatch::new(name, None) };
        watch.look();
        watch
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tfeed\nvoluntary_ctxt_switches:\t12\n\
                          nonvoluntary_ctxt_switches:\t345\n";
    const STAT: &str = "7 (a) b) R 1 1 1 0 -1 4194304 101 2 3 4 5 6 0 0 20 0 3 0 99 1 2";

    #[test]
    fn counts_are_found_whatever_the_name() {
        let usage = Usage::parse(STATUS, STAT, "123 456000 7\n").unwrap();
        let expected = Usage {
            voluntary: 12,
            involuntary: 345,
            minor_faults: 101,
            major_faults: 3,
            waited: Nanos::new(456_000),
        };
        assert_eq!(usage, expected);
        assert_eq!(Usage::parse(STATUS, STAT, "").unwrap().waited, Nanos::ZERO);
        assert_eq!(usage.since(&usage), Usage::default());
    }

    #[test]
    fn odd_texts_are_none() {
        for (status, stat) in
            [("", STAT), (STATUS, ""), (STATUS, "7 (x) R"), ("voluntary_ctxt_switches: x", STAT)]
        {
            assert_eq!(Usage::parse(status, stat, ""), None, "{status} {stat}");
        }
    }

    #[test]
    fn a_thread_is_watched_from_its_warm_up_to_its_end() {
        let watch = CoreWatch::new("feed", None);
        watch.look();
        assert_eq!(watch.after_warm_up(), None, "it has not begun");
        watch.enter();
        watch.look();
        assert_eq!(watch.after_warm_up(), None, "it is not warm");
        let watch = CoreWatch::warm("feed");
        std::thread::yield_now();
        watch.leave();
        let usage = watch.after_warm_up().unwrap();
        assert_eq!(watch.after_warm_up(), Some(usage), "the last count stays");
    }
}
