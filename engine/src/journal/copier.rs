//! The journal thread: brings committed bytes to disk, syncs them, and keeps the next segment ready.
//!
//! A [`Drain`] is the work for one stream, one `turn` at a time; a [`Copier`] is the one unpinned
//! thread that takes turns. A refused disk or hot directory is reported and tried again at the next
//! turn; nothing hot is deleted before it is wholly synced on disk.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::error::{JournalError, io_error};
use super::mapped::{self, ReadHalf, WriteHalf};
use super::place::{Place, remove};
use super::state::{HOT_SEGMENTS, JournalHealth, StreamState};

/// The copier's side of one stream.
pub struct Drain {
    state: Arc<StreamState>,
    place: Place,
    /// The folder of the hot segments.
    home: PathBuf,
    segment_bytes: usize,
    next_index: u64,
    /// The hot segments in order: those on their way to disk, the active, the ready one.
    segments: VecDeque<Landing>,
    /// How many segments in front the writer has given back.
    sealed: usize,
}

/// A hot segment on its way to disk.
struct Landing {
    hot: ReadHalf,
    index: u64,
    disk: Option<File>,
    written: u64,
    synced: u64,
}

impl Drain {
    pub(super) fn new(
        state: Arc<StreamState>,
        place: Place,
        home: PathBuf,
        segment_bytes: usize,
        next_index: u64,
    ) -> Self {
        let segments = VecDeque::with_capacity(HOT_SEGMENTS);
        Drain { state, place, home, segment_bytes, next_index, segments, sealed: 0 }
    }

    /// Makes the next hot segment.
    pub(super) fn prepare(&mut self) -> Result<WriteHalf, JournalError> {
        let path = self.place.hot(&self.home, self.next_index);
        let made = mapped::prepare(&path, self.next_index, self.segment_bytes).or_else(|error| {
            // The last stream to close here took the folder with it.
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            self.place.make_hot_home()?;
            mapped::prepare(&path, self.next_index, self.segment_bytes)
        });
        let (write, hot) = made.map_err(io_error("prepare the hot segment", &path))?;
        let index = self.next_index;
        self.segments.push_back(Landing { hot, index, disk: None, written: 0, synced: 0 });
        self.next_index += 1;
        Ok(write)
    }

    /// One round: copy and sync what is committed, delete what is done, prepare what is needed.
    pub fn turn(&mut self) {
        let landed = self.land();
        let prepared = self.keep_ready();
        match (&landed, &prepared) {
            (Err(error), _) => self.state.report(JournalHealth::DiskFailing, Some(error)),
            (_, Err(error)) => self.state.report(JournalHealth::HotFailing, Some(error)),
            _ => self.state.report(JournalHealth::Good, None),
        }
    }

    /// The last round. What the writer closed is wholly on disk afterwards and no longer hot; what
    /// it left without closing stays hot as well, for recovery to find.
    ///
    /// # Errors
    /// The disk refuses. What it lacks stays in the hot segments.
    pub fn finish(mut self) -> Result<(), JournalError> {
        let (gone, closed) = self.state.writer_left();
        self.land()?;
        if gone {
            while let Some(unused) = self.state.ready.pop() {
                remove(&self.place.hot(&self.home, unused.index()))?;
            }
        }
        if closed {
            for landing in &self.segments {
                remove(landing.hot.path())?;
            }
            // Fails while another stream has its segments there, as it should.
            if self.home != self.place.dir {
                let _ = fs::remove_dir(&self.home);
            }
        }
        Ok(())
    }

    /// Removes the hot files of a stream that could not begin.
    pub(super) fn abandon(&self) {
        for landing in &self.segments {
            let _ = remove(landing.hot.path());
        }
    }

    pub(super) fn land(&mut self) -> Result<(), JournalError> {
        // First who is sealed, then how far they are: a sealed segment grows no more.
        while self.state.retired.pop().is_some() {
            self.sealed += 1;
        }
        while let Some(front) = self.segments.front_mut() {
            let sealed = self.sealed > 0;
            front.land(&self.place, &self.state)?;
            if !sealed {
                break;
            }
            remove(front.hot.path())?;
            self.segments.pop_front();
            self.sealed -= 1;
        }
        Ok(())
    }

    fn keep_ready(&mut self) -> Result<(), JournalError> {
        let (gone, _) = self.state.writer_left();
        if gone || !self.state.ready.is_empty() || self.segments.len() >= HOT_SEGMENTS {
            return Ok(());
        }
        let next = self.prepare()?;
        // Only this thread fills the queue, and it was empty.
        let _ = self.state.ready.push(next);
        Ok(())
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.state.copier_gone();
    }
}

impl Landing {
    fn land(&mut self, place: &Place, state: &StreamState) -> Result<(), JournalError> {
        let (sequence, end) = self.hot.committed();
        if end == self.synced {
            return Ok(());
        }
        let path = place.disk(self.index);
        let disk = match &self.disk {
            Some(disk) => disk,
            None => self.disk.insert(open_disk(place, self.index)?),
        };
        while self.written < end {
            let bytes = &self.hot.bytes(self.written)[..(end - self.written) as usize];
            match disk.write_at(bytes, self.written) {
                Ok(0) => return Err(io_error("write", &path)(io::ErrorKind::WriteZero.into())),
                Ok(n) => self.written += n as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io_error("write", &path)(error)),
            }
        }
        if let Err(error) = disk.sync_data() {
            // After a failed sync the kernel may have forgotten the pages: write them again.
            self.written = self.synced;
            return Err(io_error("sync", &path)(error));
        }
        self.synced = end;
        state.publish_synced(sequence);
        Ok(())
    }
}

/// Opens the segment's file on disk, and makes its name durable.
pub(super) fn open_disk(place: &Place, index: u64) -> Result<File, JournalError> {
    let path = place.disk(index);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(&path)
        .map_err(io_error("open", &path))?;
    place.sync_dir()?;
    Ok(file)
}

/// The journal thread.
pub struct Copier {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), JournalError>>>,
}

impl Copier {
    /// Starts the one thread for all streams. It rests `every` between two rounds.
    ///
    /// # Errors
    /// No thread is to be had.
    pub fn spawn(mut drains: Vec<Drain>, every: Duration) -> io::Result<Copier> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("journal".into()).spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                drains.iter_mut().for_each(Drain::turn);
                thread::park_timeout(every);
            }
            // Every stream gets its last round, whatever became of the one before it.
            drains.into_iter().map(Drain::finish).fold(Ok(()), Result::and)
        })?;
        Ok(Copier { stop, thread: Some(thread) })
    }

    /// Takes the last round after the writers are gone, and ends the thread.
    ///
    /// # Errors
    /// The first complaint of a stream that could not be brought to disk.
    pub fn finish(mut self) -> Result<(), JournalError> {
        self.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn join(&mut self) -> thread::Result<Result<(), JournalError>> {
        self.stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return Ok(Ok(())) };
        thread.thread().unpark();
        thread.join()
    }
}

impl Drop for Copier {
    fn drop(&mut self) {
        let _ = self.join();
    }
}
