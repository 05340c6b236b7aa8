//! A session's messages in a BinaryFILE that is written while it is served: what a venue keeps so
//! that its session outlives it.
//!
//! Messages are appended and committed before they are published; a process that is killed loses
//! none that was committed (power loss is another matter: nothing is synced). Opening cuts off a
//! torn tail. Any message can be had again by its sequence, at the cost of eight bytes of memory for
//! every 64.

use super::{FileError, Reader};
use crate::moldudp64::MessageStore;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// One place is remembered for so many messages.
const STRIDE: u64 = 64;
/// Bytes read at once to look messages up.
const WINDOW_BYTES: usize = 1 << 17;

/// A session file, open for append and look-up.
#[derive(Debug)]
pub struct SessionFile {
    file: File,
    /// Offset of messages 1, 65, 129, …
    marks: Vec<u64>,
    /// Committed messages and bytes.
    messages: u64,
    bytes: u64,
    /// Appended, not yet committed.
    open: Vec<u8>,
    open_messages: u64,
    window: Window,
}

/// Part of the file in memory, and where in it the last look-up ended.
#[derive(Debug)]
struct Window {
    bytes: Box<[u8]>,
    /// Where in the file it begins, and how much of it is there.
    at: u64,
    length: usize,
    /// Sequence and offset of a message known to begin within it or right behind it.
    sequence: u64,
    offset: u64,
}

/// What was found when a session file was opened.
#[derive(Debug)]
pub struct Opened {
    /// The file, at its end.
    pub file: SessionFile,
    /// Bytes of a torn tail that were cut off.
    pub cut: u64,
}

impl SessionFile {
    /// Opens the file at `path`, which is created if it is not there, and cuts off a message that
    /// was not written to its end.
    ///
    /// # Errors
    /// [`FileError`] if it cannot be read or written, or is damaged before its tail; it is left
    /// as it was then.
    pub fn open(path: &Path) -> Result<Opened, FileError> {
        let failed = |offset| move |source| FileError::Io { offset, source };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(failed(0))?;
        let length = file.metadata().map_err(failed(0))?.len();
        let mut magic = [0; 2];
        // As a length, gzip's magic would be 8,075 bytes: no message of a market is that long.
        let packed = file.read_at(&mut magic, 0).map_err(failed(0))? == 2 && magic == [0x1f, 0x8b];
        if packed {
            let text = "a packed file cannot be appended to: unpack it, or choose another path";
            return Err(failed(0)(io::Error::new(io::ErrorKind::InvalidInput, text)));
        }
        let mut reader = Reader::new(&file);
        let mut marks = Vec::new();
        loop {
            let (offset, message) = (reader.offset(), reader.messages());
            match reader.next_message() {
                Ok(Some(_)) if message.is_multiple_of(STRIDE) => marks.push(offset),
                Ok(Some(_)) => {}
                Ok(None) | Err(FileError::Torn { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        let (messages, bytes) = (reader.messages(), reader.offset());
        if bytes != length {
            file.set_len(bytes).map_err(failed(bytes))?;
        }
        let window = vec![0; WINDOW_BYTES].into_boxed_slice();
        let window = Window { bytes: window, at: 0, length: 0, sequence: 1, offset: 0 };
        let (open, open_messages) = (Vec::with_capacity(1 << 16), 0);
        let file = SessionFile { file, marks, messages, bytes, open, open_messages, window };
        Ok(Opened { file, cut: length - bytes })
    }

    /// Sequence of the next message to be appended.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.messages + self.open_messages + 1
    }

    /// Appends a message; it is not in the file before [`SessionFile::commit`].
    ///
    /// # Errors
    /// `InvalidInput` if it is empty or longer than 65,535 bytes: the format has no such message.
    pub fn append(&mut self, message: &[u8]) -> io::Result<()> {
        let length = u16::try_from(message.len()).ok().filter(|&length| length > 0);
        let length = length.ok_or_else(|| {
            let text = format!("a message of {} bytes cannot be kept", message.len());
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })?;
        self.open.extend_from_slice(&length.to_be_bytes());
        self.open.extend_from_slice(message);
        self.open_messages += 1;
        Ok(())
    }

    /// Writes what was appended since the last commit. Publish only after it.
    ///
    /// # Errors
    /// What the system reports, such as a full disk; what was appended is still to be committed, and
    /// calling again tries again.
    pub fn commit(&mut self) -> io::Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        // At a place of its own rather than the file's end, so that a failed try leaves no trace.
        self.file.write_all_at(&self.open, self.bytes)?;
        let mut at = 0;
        while let Some(length) = self.open[at..].first_chunk::<2>() {
            if self.messages.is_multiple_of(STRIDE) {
                self.marks.push(self.bytes + at as u64);
            }
            self.messages += 1;
            at += 2 + usize::from(u16::from_be_bytes(*length));
        }
        self.bytes += self.open.len() as u64;
        self.open.clear();
        self.open_messages = 0;
        Ok(())
    }

    /// Length of the message at `offset`, made sure to be in the window as a whole.
    fn fetch(&mut self, offset: u64) -> Option<usize> {
        let length = match self.window.length_at(offset) {
            Some(length) => length,
            None => {
                self.window.fill(&self.file, offset, self.bytes).ok()?;
                self.window.length_at(offset)?
            }
        };
        Some(length)
    }
}

impl MessageStore for SessionFile {
    fn message(&mut self, sequence: u64) -> Option<&[u8]> {
        if sequence == 0 || sequence > self.messages {
            return None;
        }
        // From where the last look-up ended, if that is near; else from the mark before.
        let (mut at, mut offset) = (self.window.sequence, self.window.offset);
        if at > sequence || sequence - at > STRIDE {
            let mark = (sequence - 1) / STRIDE;
            at = mark * STRIDE + 1;
            offset = *self.marks.get(usize::try_from(mark).ok()?)?;
        }
        while at < sequence {
            offset += 2 + self.fetch(offset)? as u64;
            at += 1;
        }
        let length = self.fetch(offset)?;
        (self.window.sequence, self.window.offset) = (at, offset);
        let start = usize::try_from(offset - self.window.at).ok()? + 2;
        Some(&self.window.bytes[start..start + length])
    }
}

impl Window {
    /// Length of the message at `offset`, if all of it is here.
    fn length_at(&self, offset: u64) -> Option<usize> {
        let at = usize::try_from(offset.checked_sub(self.at)?).ok()?;
        let here = self.bytes[..self.length].get(at..)?;
        let length = usize::from(u16::from_be_bytes(*here.first_chunk()?));
        (here.len() >= 2 + length).then_some(length)
    }

    fn fill(&mut self, file: &File, offset: u64, end: u64) -> io::Result<()> {
        self.length = 0;
        let there = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = there.min(self.bytes.len());
        file.read_exact_at(&mut self.bytes[..length], offset)?;
        (self.at, self.length) = (offset, length);
        Ok(())
    }
}
