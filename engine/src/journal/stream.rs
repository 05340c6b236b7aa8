//! Beginning a stream and going on with one: where the hot segments go, what a dead writer left.
//!
//! Recovery deletes nothing hot before it is synced on disk, and cuts nothing but a torn end.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use market::Timestamp;

use super::JournalSettings;
use super::copier::{Drain, open_disk};
use super::error::{JournalError, io_error};
use super::format::{MAX_SEGMENT_BYTES, MIN_SEGMENT_BYTES, SegmentHeader};
use super::place::{Place, remove};
use super::reader::{Reader, Record, Tail};
use super::segment::Extent;
use super::source::{Medium, Source};
use super::state::StreamState;
use super::writer::Writer;

const PAGE: u64 = 4096;
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

/// A stream opened for writing.
pub struct Opened {
    /// For the stage that records.
    pub writer: Writer,
    /// For the journal thread.
    pub drain: Drain,
    /// What the host refused and what stands in for it, in one line.
    pub notice: Option<String>,
}

/// A stream that goes on after a run before.
pub struct Recovered {
    /// The stream, at the sequence after the last.
    pub opened: Opened,
    /// How the run before ended. A torn end has been cut.
    pub tail: Tail,
    /// Records it left.
    pub records: u64,
}

/// Begins a stream where there is none. `now` goes into the header of its segments.
///
/// # Errors
/// A bad setting, a stream there already, another writer, no space.
pub fn create(settings: &JournalSettings, now: Timestamp) -> Result<Opened, JournalError> {
    let segment_bytes = segment_bytes(settings)?;
    fs::create_dir_all(&settings.dir).map_err(io_error("make the directory", &settings.dir))?;
    let place = Place::new(&settings.dir, &settings.hot_dir, &settings.name)?;
    let lock = place.lock()?;
    if !place.on_disk()?.is_empty() {
        let (dir, name) = (settings.dir.clone(), settings.name.clone());
        return Err(JournalError::Exists { dir, name });
    }
    // Hot files without a disk's segment belong to a journal that was deleted.
    for (_, left) in place.hot_files()? {
        remove(&left)?;
    }
    let header = SegmentHeader {
        id: new_id(&place, now),
        index: 1,
        first_sequence: 1,
        created: now,
        name: place.name,
    };
    let state = Arc::new(StreamState::new(&settings.name, 0, lock));
    begin(settings, segment_bytes, place, state, header)
}

/// Goes on with a stream that a run before left: reads and checks all of it, showing each record to
/// `visit`, brings what was still hot to disk, cuts a torn end, and begins a new segment.
///
/// # Errors
/// As for [`create`]; no such stream; damage before the end, which nothing here repairs.
pub fn recover(
    settings: &JournalSettings,
    now: Timestamp,
    mut visit: impl FnMut(Record<'_>),
) -> Result<Recovered, JournalError> {
    let segment_bytes = segment_bytes(settings)?;
    if !super::exists(&settings.dir, &settings.name)? {
        let (dir, name) = (settings.dir.clone(), settings.name.clone());
        return Err(JournalError::NotFound { dir, name });
    }
    let place = Place::new(&settings.dir, &settings.hot_dir, &settings.name)?;
    let lock = place.lock()?;
    let mut reader = Reader::open(&settings.dir, &settings.hot_dir, &settings.name)?;
    let mut records = 0;
    while let Some(record) = reader.next_record()? {
        visit(record);
        records += 1;
    }
    let tail = reader.tail().cloned().unwrap_or(Tail::Clean);
    let last = reader.extent();
    for extent in reader.done.iter().filter(|extent| extent.hot.is_some()).chain(&last) {
        complete(&place, extent)?;
    }
    let mut index = last.map_or(1, |extent| extent.index + 1);
    if let Tail::Torn { segment, offset: 0, .. } = tail {
        remove(&place.disk(segment))?;
        index = segment;
    }
    place.sync_dir()?;
    for (_, hot) in place.hot_files()? {
        remove(&hot)?;
    }
    let first_sequence = reader.next_sequence();
    let id = if reader.id() == 0 { new_id(&place, now) } else { reader.id() };
    let header = SegmentHeader { id, index, first_sequence, created: now, name: place.name };
    let state = Arc::new(StreamState::new(&settings.name, first_sequence - 1, lock));
    let opened = begin(settings, segment_bytes, place, state, header)?;
    Ok(Recovered { opened, tail, records })
}

/// Makes the segment's file on disk hold all that was read of it, and nothing else. It is synced
/// even if it was whole: the copier may have died between its write and its sync.
fn complete(place: &Place, extent: &Extent) -> Result<(), JournalError> {
    let path = place.disk(extent.index);
    let disk = open_disk(place, extent.index)?;
    disk.set_len(extent.disk_end).map_err(io_error("cut", &path))?;
    if let Some(hot) = extent.hot.as_ref().filter(|_| extent.disk_end < extent.end)
        && let Some(mut hot) = Source::open(hot.clone(), Medium::Memory)?
    {
        let bytes = &hot.rest(extent.disk_end)?[..(extent.end - extent.disk_end) as usize];
        disk.write_all_at(bytes, extent.disk_end).map_err(io_error("write", &path))?;
    }
    disk.sync_all().map_err(io_error("sync", &path))
}

/// Prepares the first segments in the hot directory, or failing that beside the disk's, and begins.
fn begin(
    settings: &JournalSettings,
    segment_bytes: u64,
    place: Place,
    state: Arc<StreamState>,
    header: SegmentHeader,
) -> Result<Opened, JournalError> {
    require_space(&settings.dir, segment_bytes)?;
    let bytes = segment_bytes as usize;
    let two = |home: PathBuf| {
        let mut drain = Drain::new(Arc::clone(&state), place.clone(), home, bytes, header.index);
        let made = drain.prepare().and_then(|first| Ok((first, drain.prepare()?)));
        match made {
            Ok((first, second)) => Ok((drain, first, second)),
            Err(error) => {
                for (_, half_made) in place.hot_files()? {
                    remove(&half_made)?;
                }
                Err(error)
            }
        }
    };
    let in_memory = place
        .make_hot_home()
        .map_err(io_error("make a folder in", &settings.hot_dir))
        .and_then(two);
    let ((mut drain, first, second), notice) = match in_memory {
        Ok(made) => {
            let notice = (!is_tmpfs(&settings.hot_dir))
                .then(|| format!("`hot_dir` {} is no tmpfs: {COST}", settings.hot_dir.display()));
            (made, notice)
        }
        Err(refusal) => {
            require_space(&settings.dir, 3 * segment_bytes)?;
            let notice = format!(
                "the journal's active segment stands in {} and not in memory ({refusal}): {COST}",
                settings.dir.display()
            );
            (two(settings.dir.clone())?, Some(notice))
        }
    };
    // There is one place in this queue and nothing in it.
    let _ = state.ready.push(second);
    let writer = Writer::begin_in(first, header, settings.durability, Arc::clone(&state));
    // The header goes to disk before the writer is given out: a hot file alone is no journal.
    drain.land().inspect_err(|_| drain.abandon())?;
    Ok(Opened { writer, drain, notice })
}

const COST: &str = "an append can stall for about a millisecond while the kernel writes back";

fn segment_bytes(settings: &JournalSettings) -> Result<u64, JournalError> {
    let bytes = settings.segment_bytes;
    if (MIN_SEGMENT_BYTES..=MAX_SEGMENT_BYTES).contains(&bytes) {
        return Ok(bytes.next_multiple_of(PAGE));
    }
    Err(JournalError::Setting {
        key: "segment_bytes",
        found: bytes.to_string(),
        allowed: "4096 to 1073741824 bytes are allowed",
    })
}

fn require_space(dir: &Path, needed: u64) -> Result<(), JournalError> {
    let found = rustix::fs::statvfs(dir).map_err(io::Error::from);
    let found = found.map_err(io_error("ask for the space in", dir))?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if free < needed {
        return Err(JournalError::DiskFull { dir: dir.to_owned(), free, needed });
    }
    Ok(())
}

fn is_tmpfs(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|found| found.f_type == TMPFS_MAGIC)
}

/// Differs between any two journals one machine makes: by place, time or process.
fn new_id(place: &Place, now: Timestamp) -> u64 {
    let text = format!("{}\0{}\0{}", place.dir.display(), now.nanos(), std::process::id());
    xxhash_rust::xxh3::xxh3_64(text.as_bytes()).max(1)
}
