//! One file of a segment, read forward: what stands at an offset, judged against what should.
//!
//! It reads through the kernel, never a mapping: a file cut by someone else is a short read here and
//! not SIGBUS. Memory is bounded by the largest segment.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{Fault, JournalError, io_error};
use super::format::{
    MAX_SEGMENT_BYTES, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader, check,
    holds_a_record, padded, split, word,
};

const CHUNK: u64 = 256 << 10;

/// What stands at an offset.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// The expected record.
    Record {
        kind: u16,
        /// Without padding.
        length: usize,
        /// With padding.
        padded: usize,
    },
    /// Nothing was written here yet.
    End,
    /// Something else.
    Fault(Fault),
}

/// Which of a segment's files this is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    /// The copy on disk: it ends where it ends.
    Disk,
    /// The hot file in memory: it ends at the first zero word.
    Memory,
    /// A hot file beside the disk's, where no memory was to be had. Nobody syncs it, so after a loss
    /// of power anything may stand behind the part the disk has.
    HotOnDisk,
}

/// An open file of a segment.
pub(super) struct Source {
    file: File,
    path: PathBuf,
    medium: Medium,
    len: u64,
    buffer: Vec<u8>,
    /// Offset of the buffer in the file.
    start: u64,
}

impl Source {
    /// Opens the file, or gives `None` where there is none.
    pub(super) fn open(path: PathBuf, medium: Medium) -> Result<Option<Self>, JournalError> {
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(io_error("open", &path))?,
        };
        let mut source = Source { file, path, medium, len: 0, buffer: Vec::new(), start: 0 };
        source.refresh()?;
        Ok(Some(source))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn medium(&self) -> Medium {
        self.medium
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Forgets what was read: the writer may have gone on.
    pub(super) fn refresh(&mut self) -> Result<(), JournalError> {
        let len = self.file.metadata().map_err(io_error("stat", &self.path))?.len();
        if len > MAX_SEGMENT_BYTES {
            return Err(JournalError::NotASegment { path: self.path.clone() });
        }
        self.len = len;
        self.buffer.clear();
        Ok(())
    }

    /// The header, or `None` if it was never begun.
    pub(super) fn header(&mut self) -> Result<Option<SegmentHeader>, JournalError> {
        let n = self.len.min(SEGMENT_HEADER_BYTES as u64);
        self.load(0, n)?;
        let header = SegmentHeader::read(self.at(0, n as usize), &self.path)?;
        // A file on disk with records but no beginning was not torn there.
        if header.is_none() && self.medium == Medium::Disk && !self.is_blank()? {
            return Err(JournalError::NotASegment { path: self.path.clone() });
        }
        Ok(header)
    }

    /// Judges what stands at `offset`, where record `expected` should.
    pub(super) fn judge(&mut self, offset: u64, expected: u64) -> Result<Found, JournalError> {
        let rest = self.len.saturating_sub(offset);
        if rest == 0 {
            return Ok(Found::End);
        }
        if rest < 8 {
            return Ok(Found::Fault(Fault::Short { need: RECORD_HEADER_BYTES as u64, have: rest }));
        }
        self.load(offset, 8)?;
        let first = word(self.at(offset, 8), 0);
        if first == 0 {
            let hot = self.medium != Medium::Disk;
            return Ok(if hot { Found::End } else { Found::Fault(Fault::Unwritten) });
        }
        let (stated, _) = split(first);
        let length = stated as usize;
        if length < RECORD_HEADER_BYTES {
            return Ok(Found::Fault(Fault::Length(stated)));
        }
        let padded = padded(length);
        if padded as u64 > rest {
            return Ok(Found::Fault(Fault::Short { need: padded as u64, have: rest }));
        }
        self.load(offset, padded as u64)?;
        Ok(match check(self.at(offset, padded), expected) {
            Ok(kind) => Found::Record { kind, length, padded },
            Err(fault) => Found::Fault(fault),
        })
    }

    /// Bytes that were loaded.
    pub(super) fn at(&self, offset: u64, n: usize) -> &[u8] {
        let from = (offset - self.start) as usize;
        &self.buffer[from..from + n]
    }

    /// All bytes from `offset` on.
    pub(super) fn rest(&mut self, offset: u64) -> Result<&[u8], JournalError> {
        let n = self.len.saturating_sub(offset);
        self.load(offset, n)?;
        Ok(self.at(offset, n as usize))
    }

    /// Whether an intact record, `expected` or later, begins anywhere behind `offset`.
    pub(super) fn goes_on(&mut self, offset: u64, expected: u64) -> Result<bool, JournalError> {
        Ok(holds_a_record(self.rest(offset + 8)?, expected))
    }

    fn is_blank(&mut self) -> Result<bool, JournalError> {
        Ok(self.len <= SEGMENT_HEADER_BYTES as u64 || self.rest(0)?.iter().all(|byte| *byte == 0))
    }

    /// Brings at least `n` bytes from `offset` into the buffer. They are known to be in the file.
    fn load(&mut self, offset: u64, n: u64) -> Result<(), JournalError> {
        let held = self.start..self.start + self.buffer.len() as u64;
        if held.contains(&offset) && offset + n <= held.end {
            return Ok(());
        }
        let take = n.max(CHUNK).min(self.len - offset.min(self.len)).max(n);
        self.buffer.resize(take as usize, 0);
        self.start = offset;
        let read = self.file.read_exact_at(&mut self.buffer, offset);
        read.inspect_err(|_| self.buffer.clear()).map_err(io_error("read", &self.path))
    }
}
