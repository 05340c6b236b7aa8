//! What the writer and the copier of a stream share: how far each is, and how the copier fares.
//!
//! The writer only loads, stores and swaps here. The one mutex guards a text no polled core reads.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam::queue::ArrayQueue;
use crossbeam::utils::CachePadded;

use super::error::JournalError;
use super::mapped::WriteHalf;

/// Hot segments of one stream at any time: the active one, the next, and two not yet on disk.
pub(super) const HOT_SEGMENTS: usize = 4;

/// How the journal thread fares with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum JournalHealth {
    /// All is well.
    Good = 0,
    /// The next segment cannot be prepared in the hot directory. There is room until the active
    /// segment is full.
    HotFailing = 1,
    /// The disk refuses. There is room until the hot segments are full.
    DiskFailing = 2,
    /// The copier is gone: nothing reaches the disk any more.
    Stopped = 3,
}

/// The state of a stream, to be read by any thread.
pub struct StreamState {
    name: String,
    synced: CachePadded<AtomicU64>,
    health: AtomicU8,
    complaint: Mutex<String>,
    writer_gone: AtomicBool,
    closed: AtomicBool,
    /// Prepared, on the way to the writer.
    pub(super) ready: ArrayQueue<WriteHalf>,
    /// Full, on the way back. Never full itself: there are no more segments than places.
    pub(super) retired: ArrayQueue<WriteHalf>,
    /// Held as long as anyone may still write.
    _lock: File,
}

impl StreamState {
    pub(super) fn new(name: &str, synced: u64, lock: File) -> Self {
        StreamState {
            name: name.to_owned(),
            synced: CachePadded::new(AtomicU64::new(synced)),
            health: AtomicU8::new(JournalHealth::Good as u8),
            complaint: Mutex::new(String::new()),
            writer_gone: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            ready: ArrayQueue::new(1),
            retired: ArrayQueue::new(HOT_SEGMENTS),
            _lock: lock,
        }
    }

    /// Name of the stream.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The last sequence that is synced to disk, 0 before the first.
    #[must_use]
    pub fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// How the copier fares.
    #[must_use]
    pub fn health(&self) -> JournalHealth {
        match self.health.load(Ordering::Acquire) {
            0 => JournalHealth::Good,
            1 => JournalHealth::HotFailing,
            2 => JournalHealth::DiskFailing,
            _ => JournalHealth::Stopped,
        }
    }

    /// What the copier last complained of, empty while all is well. Not for a polled core: it locks
    /// and allocates.
    #[must_use]
    pub fn complaint(&self) -> String {
        self.text().clone()
    }

    pub(super) fn publish_synced(&self, sequence: u64) {
        self.synced.fetch_max(sequence, Ordering::Release);
    }

    pub(super) fn report(&self, health: JournalHealth, complaint: Option<&JournalError>) {
        let text = complaint.map_or_else(String::new, ToString::to_string);
        let mut last = self.text();
        if *last != text {
            *last = text;
        }
        drop(last);
        self.health.store(health as u8, Ordering::Release);
    }

    pub(super) fn copier_gone(&self) {
        self.health.store(JournalHealth::Stopped as u8, Ordering::Release);
    }

    pub(super) fn leave(&self, closed: bool) {
        self.closed.store(closed, Ordering::Release);
        self.writer_gone.store(true, Ordering::Release);
    }

    /// Whether the writer is gone, and whether it closed the stream first.
    pub(super) fn writer_left(&self) -> (bool, bool) {
        let gone = self.writer_gone.load(Ordering::Acquire);
        (gone, self.closed.load(Ordering::Acquire))
    }

    fn text(&self) -> MutexGuard<'_, String> {
        self.complaint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
