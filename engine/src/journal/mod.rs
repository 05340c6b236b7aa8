//! The journal: every input and every command of a stage, written before the wire.
//!
//! One [`Writer`] appends framed records to a pre-allocated, pre-touched segment mapped from memory
//! (`hot_dir`, a tmpfs): what is appended survives SIGKILL of the process. A [`Copier`] thread
//! writes what is committed to the segment's file on disk, syncs it, and prepares the next segment
//! ahead of need. A [`Reader`] walks the disk and then the hot tail; [`recover`] cuts a torn end and
//! lets the stream go on. The format is specified in `docs/journal.md`.
//!
//! Appending never allocates, never calls the system and never waits: it succeeds or is [`Full`].
//! Nothing here reads a clock, and nothing here knows what a payload means.
//!
//! ```
//! use engine::journal::{Copier, JournalSettings, Reader, Tail, create};
//! use market::Timestamp;
//! # let temporary = tempfile::tempdir()?;
//! # let (dir, hot_dir) = (temporary.path().join("run"), temporary.path().join("hot"));
//! # std::fs::create_dir(&hot_dir)?;
//! let mut settings = JournalSettings::new(&dir, "trading");
//! settings.hot_dir = hot_dir.clone();
//! settings.segment_bytes = 1 << 16;
//! let opened = create(&settings, Timestamp::from_nanos(1_700_000_000_000_000_000))?;
//! let copier = Copier::spawn(vec![opened.drain], settings.durability.copy_every())?;
//! let mut writer = opened.writer;
//! assert_eq!(writer.append(7, &[b"one ", b"record"])?, 1);
//! writer.close();
//! copier.finish()?;
//!
//! let mut reader = Reader::open(&dir, &hot_dir, "trading")?;
//! let record = reader.next_record()?.expect("the record above");
//! assert_eq!((record.sequence, record.kind, record.payload), (1, 7, &b"one record"[..]));
//! while reader.next_record()?.is_some() {}
//! assert_eq!(reader.tail(), Some(&Tail::Clean));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod copier;
mod error;
mod format;
mod mapped;
mod place;
mod reader;
mod segment;
mod source;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use copier::{Copier, Drain};
pub use error::{Fault, Full, JournalError};
pub use format::{
    CLOSED, MAX_SEGMENT_BYTES, MIN_SEGMENT_BYTES, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES,
    VERSION,
};
pub use place::exists;
pub use reader::{Position, Reader, Record, Tail};
pub use state::{JournalHealth, StreamState};
pub use stream::{Opened, Recovered, create, recover};
pub use writer::{Draft, Writer};

/// What a record must have survived before a command that rests on it may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The death of the process: an appended record is safe at once.
    Process,
    /// The loss of power: a record is safe once the disk has synced it.
    Power,
}

impl Durability {
    /// How long the copier rests between two rounds, unless told otherwise.
    #[must_use]
    pub fn copy_every(self) -> Duration {
        match self {
            Durability::Process => Duration::from_millis(10),
            Durability::Power => Duration::from_micros(50),
        }
    }
}

/// Where one stream lives and how it is kept.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// Directory on disk. Made if missing.
    pub dir: PathBuf,
    /// A tmpfs for the active segments. Where it cannot be used, `dir` takes its place and
    /// [`Opened::notice`] says what that costs.
    pub hot_dir: PathBuf,
    /// Name of the stream: 1 to 16 of `a-z`, `0-9`, `_`.
    pub name: String,
    /// Bytes of a segment, [`MIN_SEGMENT_BYTES`] to [`MAX_SEGMENT_BYTES`], rounded up to whole
    /// pages. Two to four segments stand in `hot_dir` at once.
    pub segment_bytes: u64,
    /// When a record counts as safe.
    pub durability: Durability,
}

impl JournalSettings {
    /// Segments of 16 MiB in `/dev/shm`, safe against the death of the process.
    #[must_use]
    pub fn new(dir: &Path, name: &str) -> Self {
        JournalSettings {
            dir: dir.to_owned(),
            hot_dir: PathBuf::from("/dev/shm"),
            name: name.to_owned(),
            segment_bytes: 16 << 20,
            durability: Durability::Process,
        }
    }
}
