//! Reads a stream in order: the disk's segments, then the hot tail, checking every byte on the way.
//!
//! It reads what a dead engine left, what a living one is writing, and a copy on another machine. It
//! changes nothing and locks nothing. A torn end is an answer; damage anywhere else is an error.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::{Fault, JournalError};
use super::format::{CLOSED, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader};
use super::place::Place;
use super::segment::{Extent, Next, Segment, foreign};
use super::source::{Found, Medium, Source};

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Index of the segment, from 1.
    pub segment: u64,
    /// Offset of the record in it, in bytes.
    pub offset: u64,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place in the stream, from 1, without gaps.
    pub sequence: u64,
    /// What it is; [`CLOSED`](super::CLOSED) is the journal's own.
    pub kind: u16,
    /// What it says.
    pub payload: &'a [u8],
    /// Where it stands.
    pub position: Position,
}

/// How a stream ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tail {
    /// With its closing record: the engine stopped cleanly.
    Clean,
    /// With a whole record, but no closing one: the engine was killed, or is still writing.
    Open {
        /// Whether the hot segment was there. Without it (another machine, a restart of this one)
        /// the last records may be missing.
        hot: bool,
    },
    /// With a piece of a record, or of a segment's header. Only the loss of power leaves this.
    Torn {
        /// The record that would stand there.
        sequence: u64,
        /// Index of the segment.
        segment: u64,
        /// Where the piece begins.
        offset: u64,
        /// Bytes of it.
        bytes: u64,
        /// What is wrong with it.
        reason: Fault,
    },
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tail::Clean => f.write_str("closed cleanly"),
            Tail::Open { hot: true } => f.write_str("not closed; whole to the last record"),
            Tail::Open { hot: false } => f.write_str(
                "not closed, and its part in memory is gone: the last records may be missing",
            ),
            Tail::Torn { sequence, segment, offset, bytes, reason } => write!(
                f,
                "torn at record {sequence} (segment {segment}, byte {offset}, {bytes} bytes): \
                 {reason}"
            ),
        }
    }
}

/// Reads one stream.
pub struct Reader {
    place: Place,
    id: u64,
    /// The last segment on disk when the stream was opened.
    last_on_disk: u64,
    current: Segment,
    next_sequence: u64,
    closed: bool,
    tail: Option<Tail>,
    /// The segments read to their end, for recovery.
    pub(super) done: Vec<Extent>,
}

enum Step {
    Record { kind: u16, length: usize, padded: usize },
    Moved,
    Tail(Tail),
}

impl Reader {
    /// Opens a stream at its first segment. `hot_dir` is the engine's; it need not exist.
    ///
    /// # Errors
    /// No such stream, a missing segment, a file that is not a segment of this version.
    pub fn open(dir: &Path, hot_dir: &Path, name: &str) -> Result<Reader, JournalError> {
        Self::open_at(dir, hot_dir, name, 1)
    }

    /// Opens a stream at the segment `first`, which can be read without the ones before it.
    ///
    /// # Errors
    /// As for [`open`](Reader::open).
    pub fn open_at(
        dir: &Path,
        hot_dir: &Path,
        name: &str,
        first: u64,
    ) -> Result<Reader, JournalError> {
        let place = Place::new(dir, hot_dir, name)?;
        let missing = || JournalError::NotFound { dir: dir.to_owned(), name: name.to_owned() };
        // The hot files first: a segment that leaves them meanwhile is on disk by then.
        let hot: BTreeSet<u64> = place.hot_files()?.into_iter().map(|(index, _)| index).collect();
        let disk = place.on_disk()?;
        for (index, expected) in hot.union(&disk).filter(|index| **index >= first).zip(first..) {
            if *index != expected {
                return Err(JournalError::Missing { path: place.disk(expected) });
            }
        }
        let last_on_disk = disk.last().copied().unwrap_or(0);
        let (current, id, next_sequence, tail) = match Segment::open(&place, first)? {
            Next::Begun(segment, header) => (*segment, header.id, header.first_sequence, None),
            // A stream that died before its first record: there is nothing, and that is said.
            Next::Torn(bytes) if last_on_disk == 1 => {
                (Segment::none(), 0, 1, Some(torn_header(1, 1, bytes)))
            }
            Next::Torn(_) => return Err(JournalError::NotASegment { path: place.disk(first) }),
            Next::Absent => return Err(missing()),
        };
        let (closed, done) = (false, Vec::new());
        Ok(Reader { place, id, last_on_disk, current, next_sequence, closed, tail, done })
    }

    /// The next record, or `None` at the end. Asked again at the end, it looks again: the writer
    /// may have gone on.
    ///
    /// # Errors
    /// Damage before the end, with file, offset and sequence; or the system refuses to read.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, JournalError> {
        if self.current.index == 0 {
            return Ok(None);
        }
        let (kind, length, padded) = loop {
            match self.step()? {
                Step::Record { kind, length, padded } => break (kind, length, padded),
                Step::Moved => {}
                Step::Tail(tail) => {
                    self.tail = Some(tail);
                    return Ok(None);
                }
            }
        };
        let (sequence, offset) = (self.next_sequence, self.current.offset);
        self.next_sequence = sequence.saturating_add(1);
        self.closed = kind == CLOSED;
        self.tail = None;
        self.current.pass(padded as u64);
        let position = Position { segment: self.current.index, offset };
        let record = self.current.source().map_or(&[][..], |source| source.at(offset, length));
        Ok(Some(Record { sequence, kind, payload: &record[RECORD_HEADER_BYTES..], position }))
    }

    /// How the stream ends, once [`next_record`](Reader::next_record) has said that it does.
    #[must_use]
    pub fn tail(&self) -> Option<&Tail> {
        self.tail.as_ref()
    }

    /// The sequence the next record will have.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// What names this journal among all journals; 0 if it never began.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The segment being read, as far as it was read.
    pub(super) fn extent(&self) -> Option<Extent> {
        (self.current.index > 0).then(|| self.current.extent())
    }

    fn step(&mut self) -> Result<Step, JournalError> {
        let expected = self.next_sequence;
        if let Found::Record { kind, length, padded } = self.current.judge(expected)? {
            return Ok(Step::Record { kind, length, padded });
        }
        // Whether there is a next segment is asked before looking here once more: a writer that has
        // gone on to it is done with this one.
        let index = self.current.index.saturating_add(1);
        let next = Segment::open(&self.place, index)?;
        self.current.refresh(&self.place, self.id)?;
        let fault = match self.current.judge(expected)? {
            Found::Record { kind, length, padded } => {
                return Ok(Step::Record { kind, length, padded });
            }
            Found::End => None,
            Found::Fault(fault) => Some(fault),
        };
        match (next, fault) {
            (Next::Begun(segment, header), None) => self.enter(*segment, &header),
            (Next::Torn(_), None) if index < self.last_on_disk => {
                Err(JournalError::NotASegment { path: self.place.disk(index) })
            }
            (Next::Torn(bytes), None) => Ok(Step::Tail(torn_header(index, expected, bytes))),
            (Next::Absent, None) if self.closed => Ok(Step::Tail(Tail::Clean)),
            (Next::Absent, None) => Ok(Step::Tail(Tail::Open { hot: self.current.hot.is_some() })),
            (Next::Absent, Some(fault)) => self.torn(fault),
            (_, Some(fault)) => Err(self.damaged(fault)),
        }
    }

    fn enter(&mut self, segment: Segment, header: &SegmentHeader) -> Result<Step, JournalError> {
        let path = segment.source().map_or(Path::new(""), Source::path);
        if header.id != self.id {
            return Err(foreign(path, "journal id", &header.id, &self.id));
        }
        let (found, expected) = (header.first_sequence, self.next_sequence);
        if found != expected {
            return Err(foreign(path, "first sequence", &found, &expected));
        }
        let past = std::mem::replace(&mut self.current, segment);
        self.done.push(past.extent());
        Ok(Step::Moved)
    }

    /// A faulty end is torn if nothing intact follows it, and damage if something does.
    fn torn(&mut self, fault: Fault) -> Result<Step, JournalError> {
        let (offset, expected) = (self.current.offset, self.next_sequence);
        let Some(source) = self.current.source_mut() else { return Err(self.damaged(fault)) };
        let follows = source.medium() != Medium::HotOnDisk && source.goes_on(offset, expected)?;
        if follows || matches!(fault, Fault::Sequence { .. }) {
            return Err(self.damaged(fault));
        }
        let bytes = source.len() - offset;
        let segment = self.current.index;
        Ok(Step::Tail(Tail::Torn { sequence: expected, segment, offset, bytes, reason: fault }))
    }

    fn damaged(&self, fault: Fault) -> JournalError {
        let path = self.current.source().map_or_else(PathBuf::new, |s| s.path().to_owned());
        let (offset, sequence) = (self.current.offset, self.next_sequence);
        JournalError::Damaged { path, offset, sequence, fault }
    }
}

fn torn_header(segment: u64, sequence: u64, bytes: u64) -> Tail {
    let reason = Fault::Short { need: SEGMENT_HEADER_BYTES as u64, have: bytes };
    Tail::Torn { sequence, segment, offset: 0, bytes, reason }
}
