//! A store in one append-only file: survives `kill -9` at any moment, used by the demo exchange.
//!
//! File: 8 bytes of magic, then records. Record, little endian: payload length u32, CRC-32 of the
//! payload u32, CRC-32 of these eight bytes u32, payload. Payload: type u8, sequence u64, and for a
//! sent frame its kind u8 and its bytes. Type 1 is a sent frame, 2 a received number, 3 the next
//! number awaited, 4 (always first) a reset, with both numbers.
//!
//! A record that the file's end cuts short, or a last one whose payload does not match, is a torn
//! tail and is cut on opening; damage anywhere else refuses to open. It never holds frames in
//! memory, only where they stand.

use super::store::{FrameKind, Store, StoreError, Visit};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"TLFIX\x01\r\n";
const HEADER: usize = 12;
/// A received number: the shortest payload.
const SHORT: usize = 9;
/// Longest payload that is read.
const PAYLOAD_MAX: usize = (1 << 20) + 16;

const SENT: u8 = 1;
const RECEIVED: u8 = 2;
const AWAIT: u8 = 3;
const RESET: u8 = 4;

/// Why a store file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system refused.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] std::io::Error),
    /// Not a store file of this version.
    #[error("{0} is not a session store of this version: move it away, or name another file")]
    Magic(PathBuf),
    /// Damage before the end.
    #[error("{path} is damaged at byte {offset}: restore a copy, or start with a new store")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged record begins.
        offset: u64,
    },
    /// Another process has it open.
    #[error("{0} is used by another process")]
    Locked(PathBuf),
}

/// Where a sent frame stands.
#[derive(Clone, Copy, Debug)]
struct Entry {
    offset: u64,
    len: u32,
    kind: FrameKind,
}

/// The store.
pub struct FileStore {
    path: PathBuf,
    file: File,
    end: u64,
    first: u64,
    next_incoming: u64,
    entries: Vec<Entry>,
    scratch: Vec<u8>,
    sync: bool,
    cut: u64,
}

/// Without the frame that was read last.
impl std::fmt::Debug for FileStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let FileStore { path, first, next_incoming, .. } = self;
        let mut shown = f.debug_struct("FileStore");
        shown.field("path", path).field("first", first).field("next_incoming", next_incoming);
        shown.finish_non_exhaustive()
    }
}

impl FileStore {
    /// Opens the store at `path`, or makes a new one. With `sync`, every record is on the disk
    /// before it counts; without, it survives the process but not the machine.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, sync: bool) -> Result<FileStore, OpenError> {
        let io = |error| OpenError::Io(path.to_owned(), error);
        let exists = std::fs::metadata(path).is_ok_and(|meta| meta.len() >= MAGIC.len() as u64);
        if !exists {
            return FileStore::create(path, sync, 1, 1).map_err(io);
        }
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
        lock(&file).map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::Locked(path.to_owned()),
            TryLockError::Error(error) => io(error),
        })?;
        let mut this = FileStore {
            path: path.to_owned(),
            file,
            end: MAGIC.len() as u64,
            first: 1,
            next_incoming: 1,
            entries: Vec::with_capacity(1 << 12),
            scratch: Vec::with_capacity(PAYLOAD_MAX + HEADER),
            sync,
            cut: 0,
        };
        this.read_all()?;
        Ok(this)
    }

    /// Bytes of torn tail that opening cut off.
    #[must_use]
    pub const fn cut(&self) -> u64 {
        self.cut
    }

    /// A new file under a temporary name, put in place of the old one whole.
    fn create(
        path: &Path,
        sync: bool,
        outgoing: u64,
        incoming: u64,
    ) -> Result<FileStore, std::io::Error> {
        let new_path = path.with_extension("new");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&new_path)?;
        lock(&file)?;
        let mut this = FileStore {
            path: path.to_owned(),
            file,
            end: 0,
            first: outgoing,
            next_incoming: incoming,
            entries: Vec::with_capacity(1 << 12),
            scratch: Vec::with_capacity(PAYLOAD_MAX + HEADER),
            sync,
            cut: 0,
        };
        this.scratch.extend_from_slice(MAGIC);
        this.record(RESET, outgoing, &[&incoming.to_le_bytes()]);
        this.append()?;
        std::fs::rename(&new_path, path)?;
        if sync && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        {
            File::open(folder)?.sync_all()?;
        }
        Ok(this)
    }

    fn read_all(&mut self) -> Result<(), OpenError> {
        let io = |path: &Path, error| OpenError::Io(path.to_owned(), error);
        let len = self.file.metadata().map_err(|e| io(&self.path, e))?.len();
        let mut reader = BufReader::new(&self.file);
        let mut magic = [0; 8];
        reader.read_exact(&mut magic).map_err(|e| io(&self.path, e))?;
        if &magic != MAGIC {
            return Err(OpenError::Magic(self.path.clone()));
        }
        let mut found = Found { first: 1, next_incoming: 1, entries: Vec::with_capacity(1 << 12) };
        let mut payload = Vec::with_capacity(4096);
        let mut at = MAGIC.len() as u64;
        while at < len {
            let damaged = || OpenError::Damaged { path: self.path.clone(), offset: at };
            let left = len - at;
            let mut header = [0; HEADER];
            if left < HEADER as u64 {
                break;
            }
            reader.read_exact(&mut header).map_err(|e| io(&self.path, e))?;
            let word = |i: usize| u32::from_le_bytes(std::array::from_fn(|j| header[i * 4 + j]));
            let size = word(0) as usize;
            if word(2) != crc32fast::hash(&header[..8]) || !(SHORT..=PAYLOAD_MAX).contains(&size) {
                return Err(damaged());
            }
            let after = at + (HEADER + size) as u64;
            if after > len {
                break;
            }
            payload.resize(size, 0);
            reader.read_exact(&mut payload).map_err(|e| io(&self.path, e))?;
            if word(1) != crc32fast::hash(&payload) {
                if after == len {
                    break;
                }
                return Err(damaged());
            }
            found.apply(&payload, at + HEADER as u64).ok_or_else(damaged)?;
            at = after;
        }
        drop(reader);
        (self.end, self.cut) = (at, len - at);
        (self.first, self.next_incoming) = (found.first, found.next_incoming);
        self.entries = found.entries;
        self.file.set_len(at).map_err(|e| io(&self.path, e))
    }

    /// Adds one record to the scratch buffer.
    fn record(&mut self, what: u8, seq: u64, rest: &[&[u8]]) {
        let start = self.scratch.len();
        self.scratch.extend_from_slice(&[0; HEADER]);
        self.scratch.push(what);
        self.scratch.extend_from_slice(&seq.to_le_bytes());
        for part in rest {
            self.scratch.extend_from_slice(part);
        }
        let (header, payload) = self.scratch[start..].split_at_mut(HEADER);
        #[allow(clippy::cast_possible_truncation)]
        header[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        header[4..8].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
        let crc = crc32fast::hash(&header[..8]);
        header[8..].copy_from_slice(&crc.to_le_bytes());
    }

    /// Writes the scratch buffer at the end of the file. What a failed write left there is cut, or
    /// written over by the next.
    fn append(&mut self) -> Result<(), std::io::Error> {
        let written = (|| {
            self.file.seek(SeekFrom::Start(self.end))?;
            self.file.write_all(&self.scratch)?;
            if self.sync { self.file.sync_data() } else { Ok(()) }
        })();
        let len = self.scratch.len() as u64;
        self.scratch.clear();
        match written {
            Ok(()) => self.end += len,
            Err(_) => {
                let _ = self.file.set_len(self.end);
            }
        }
        written
    }
}

fn lock(file: &File) -> Result<(), TryLockError> {
    file.try_lock()
}

/// State gathered from records.
struct Found {
    first: u64,
    next_incoming: u64,
    entries: Vec<Entry>,
}

impl Found {
    /// `None` if the payload contradicts the format or the records before.
    fn apply(&mut self, payload: &[u8], offset: u64) -> Option<()> {
        let (head, rest) = payload.split_at_checked(SHORT)?;
        let seq = u64::from_le_bytes(head[1..].try_into().ok()?);
        match head[0] {
            SENT => {
                let (&kind, frame) = rest.split_first()?;
                if seq != self.first + self.entries.len() as u64 {
                    return None;
                }
                self.entries.push(Entry {
                    offset: offset + SHORT as u64 + 1,
                    len: u32::try_from(frame.len()).ok()?,
                    kind: FrameKind::from_byte(kind)?,
                });
            }
            RECEIVED if seq == self.next_incoming => self.next_incoming = seq.checked_add(1)?,
            AWAIT => self.next_incoming = seq,
            RESET => {
                self.entries.clear();
                (self.first, self.next_incoming) = (seq, u64::from_le_bytes(rest.try_into().ok()?));
            }
            _ => return None,
        }
        Some(())
    }
}

impl Store for FileStore {
    fn next_outgoing(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn next_incoming(&self) -> u64 {
        self.next_incoming
    }

    fn record_outgoing(
        &mut self,
        seq: u64,
        kind: FrameKind,
        frame: &[u8],
    ) -> Result<(), StoreError> {
        let expected = self.next_outgoing();
        if seq != expected {
            return Err(StoreError::OutOfOrder { expected, found: seq });
        }
        let Some(len) = u32::try_from(frame.len()).ok().filter(|_| frame.len() <= 1 << 20) else {
            return Err(StoreError::Full);
        };
        let offset = self.end + (HEADER + SHORT + 1) as u64;
        self.record(SENT, seq, &[&[kind as u8], frame]);
        self.append()?;
        self.entries.push(Entry { offset, len, kind });
        Ok(())
    }

    fn record_incoming(&mut self, seq: u64, _frame: &[u8]) -> Result<(), StoreError> {
        if seq != self.next_incoming {
            return Err(StoreError::OutOfOrder { expected: self.next_incoming, found: seq });
        }
        self.record(RECEIVED, seq, &[]);
        self.append()?;
        self.next_incoming += 1;
        Ok(())
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        self.record(AWAIT, seq, &[]);
        self.append()?;
        self.next_incoming = seq;
        Ok(())
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        *self = FileStore::create(&self.path, self.sync, outgoing, incoming)?;
        Ok(())
    }

    fn outgoing(&mut self, begin: u64, end: u64, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let skip = usize::try_from(begin.saturating_sub(self.first)).unwrap_or(usize::MAX);
        for (i, entry) in self.entries.iter().enumerate().skip(skip) {
            let seq = self.first + i as u64;
            if seq > end {
                break;
            }
            self.scratch.resize(entry.len as usize, 0);
            let read = self.file.read_exact_at(&mut self.scratch, entry.offset);
            let go_on = read.map(|()| visit(seq, entry.kind, &self.scratch));
            self.scratch.clear();
            if go_on?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
