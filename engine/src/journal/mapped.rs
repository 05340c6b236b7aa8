//! One hot segment: a mapped file with one writing and one reading half. The journal's only unsafe.
//!
//! The space is really allocated and every page touched before the halves are given out, so that a
//! full tmpfs is an error here and neither SIGBUS nor a page fault later. The writing half never
//! touches a committed byte again, and the reading half never looks past the committed ones.
#![allow(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::utils::CachePadded;
use memmap2::{MmapOptions, MmapRaw};

const PAGE: usize = 4096;

struct Segment {
    map: MmapRaw,
    committed: CachePadded<Committed>,
}

/// How far the writer has come. Stored in this order, loaded in the other.
struct Committed {
    offset: AtomicU64,
    sequence: AtomicU64,
}

/// The one that appends.
pub(super) struct WriteHalf {
    segment: Arc<Segment>,
    end: usize,
    index: u64,
}

/// The one that copies what is committed.
pub(super) struct ReadHalf {
    segment: Arc<Segment>,
    path: PathBuf,
}

/// Makes the file of a hot segment, empty and wholly allocated. `bytes` is whole pages.
pub(super) fn prepare(path: &Path, index: u64, bytes: usize) -> io::Result<(WriteHalf, ReadHalf)> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let segment = allocate(&file, bytes).and_then(|()| map(&file, bytes)).inspect_err(|_| {
        // Half a segment is of no use, and would be in the way of the next attempt.
        let _ = fs::remove_file(path);
    })?;
    let segment = Arc::new(segment);
    let read = ReadHalf { segment: Arc::clone(&segment), path: path.to_owned() };
    Ok((WriteHalf { segment, end: 0, index }, read))
}

fn allocate(file: &File, bytes: usize) -> io::Result<()> {
    let flags = rustix::fs::FallocateFlags::empty();
    match rustix::fs::fallocate(file, flags, 0, bytes as u64) {
        Ok(()) => Ok(()),
        // A file system without fallocate: zeros that are really written do the same.
        Err(rustix::io::Errno::OPNOTSUPP) => (0..bytes / PAGE)
            .try_for_each(|page| file.write_all_at(&[0; PAGE], (page * PAGE) as u64)),
        Err(error) => Err(error.into()),
    }
}

fn map(file: &File, bytes: usize) -> io::Result<Segment> {
    let map = MmapOptions::new().len(bytes).map_raw(file)?;
    for at in (0..bytes).step_by(PAGE) {
        // SAFETY: `at` lies inside the mapping, which is writable, and no half of it exists yet.
        unsafe { map.as_mut_ptr().add(at).write_volatile(0) };
    }
    let committed = Committed { offset: AtomicU64::new(0), sequence: AtomicU64::new(0) };
    Ok(Segment { map, committed: CachePadded::new(committed) })
}

impl WriteHalf {
    /// Index of the segment.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    /// Bytes not yet committed.
    pub(super) fn room(&self) -> usize {
        self.segment.map.len() - self.end
    }

    /// The bytes not yet committed. Leave the first word as it is: [`commit`](Self::commit) stores it.
    pub(super) fn free(&mut self) -> &mut [u8] {
        let (start, len) = (self.segment.map.as_mut_ptr(), self.segment.map.len() - self.end);
        // SAFETY: `end` is at most the length of the mapping, which lives as long as `self`. These
        // bytes are beyond the committed offset, where no `ReadHalf` looks, and there is one
        // `WriteHalf` to a segment, borrowed for as long as the slice.
        unsafe { slice::from_raw_parts_mut(start.add(self.end), len) }
    }

    /// Commits the next `bytes` bytes, a multiple of 8, by storing their first word last: a process
    /// killed between any two stores leaves a zero there, which ends the readable prefix.
    pub(super) fn commit(&mut self, first_word: u64, bytes: usize, sequence: u64) {
        assert!(bytes >= 8 && bytes.is_multiple_of(8) && bytes <= self.room());
        // SAFETY: the word lies inside the mapping by the line above; it is aligned, since the
        // mapping begins at a page and `end` is a multiple of 8; and no slice over it is alive,
        // since `free` borrows `self`.
        let word = unsafe {
            AtomicU64::from_ptr(self.segment.map.as_mut_ptr().add(self.end).cast::<u64>())
        };
        word.store(first_word.to_le(), Ordering::Release);
        self.end += bytes;
        let committed = &self.segment.committed;
        committed.offset.store(self.end as u64, Ordering::Release);
        committed.sequence.store(sequence, Ordering::Release);
    }
}

impl ReadHalf {
    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A sequence that is committed (0: none in this segment yet), and an offset that covers it.
    pub(super) fn committed(&self) -> (u64, u64) {
        let sequence = self.segment.committed.sequence.load(Ordering::Acquire);
        (sequence, self.segment.committed.offset.load(Ordering::Acquire))
    }

    /// The committed bytes from `from` on, as far as they reach.
    pub(super) fn bytes(&self, from: u64) -> &[u8] {
        let end = self.segment.committed.offset.load(Ordering::Acquire) as usize;
        let from = (from as usize).min(end);
        // SAFETY: `from..end` lies inside the mapping, which lives as long as `self`. It is
        // committed (the load above pairs with the store in `commit`), and committed bytes are
        // never written again.
        unsafe { slice::from_raw_parts(self.segment.map.as_ptr().add(from), end - from) }
    }
}
