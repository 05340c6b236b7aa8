//! BinaryFILE: messages in a file, each behind its length (u16, big-endian).
//!
//! Reads through one window, so that files may be larger than memory. A length of zero as the file's
//! last two bytes ends the session (as the specification has it); anywhere else it is an error, since
//! a reader that trusts it would misread what follows.
//! Source: NASDAQ "BinaryFILE" specification 1.00.

mod session;

pub use session::{Opened, SessionFile};

use crate::recording::Window;
use std::io::{self, Read};

/// Why a file cannot be read on. Offsets count bytes of the file, or of what it unpacks to.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A length of zero before the end of the file.
    #[error("at byte {offset}: {}", self.reason())]
    ZeroLength {
        /// Number of the message, from 1.
        message: u64,
        /// Where its length stands.
        offset: u64,
    },
    /// The file ends within a message.
    #[error("at byte {offset}: {}", self.reason())]
    Torn {
        /// Number of the message, from 1.
        message: u64,
        /// Where its length stands.
        offset: u64,
        /// Bytes there, the length included.
        found: usize,
        /// Bytes that should be there.
        wanted: usize,
    },
    /// The file could not be read, or unpacked.
    #[error("at byte {offset}: {source}")]
    Io {
        /// Bytes read before.
        offset: u64,
        /// What the system or the unpacker says.
        source: io::Error,
    },
}

impl FileError {
    /// Where it shows.
    #[must_use]
    pub fn position(&self) -> u64 {
        match self {
            FileError::ZeroLength { offset, .. }
            | FileError::Torn { offset, .. }
            | FileError::Io { offset, .. } => *offset,
        }
    }

    /// What is wrong there.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            FileError::ZeroLength { message, .. } => format!(
                "message {message} has length 0: no BinaryFILE (its lengths are not filled in?)"
            ),
            FileError::Torn { message, found, wanted, .. } => {
                format!("message {message} is cut off: {found} of {wanted} bytes are there")
            }
            FileError::Io { source, .. } => source.to_string(),
        }
    }
}

/// Reads messages one after the other.
///
/// ```
/// let mut reader = feeds::file::Reader::new(&b"\0\x02ab\0\x01c"[..]);
/// assert_eq!(reader.next_message().unwrap(), Some(&b"ab"[..]));
/// assert_eq!(reader.next_message().unwrap(), Some(&b"c"[..]));
/// assert_eq!(reader.next_message().unwrap(), None);
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    window: Window<R>,
    messages: u64,
}

impl<R: Read> Reader<R> {
    /// A reader of a file's bytes, without packing ([`crate::recording::Input`] takes that off);
    /// anything that reads will do, a slice too.
    pub fn new(file: R) -> Reader<R> {
        Reader { window: Window::new(file), messages: 0 }
    }

    /// Messages given so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Bytes of them, lengths included: where the next message's length stands.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.window.position()
    }

    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// [`FileError`], which is final: there is no way to find the next message.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, FileError> {
        let (message, offset) = (self.messages + 1, self.window.position());
        let there = self.have(2)?;
        if there == 0 {
            return Ok(None);
        }
        let torn = |found, wanted| FileError::Torn { message, offset, found, wanted };
        let Some(&[high, low]) = self.window.bytes().first_chunk() else {
            return Err(torn(there, 2));
        };
        let length = u16::from_be_bytes([high, low]);
        let wanted = 2 + usize::from(length);
        if length == 0 {
            return if self.have(3)? > 2 {
                Err(FileError::ZeroLength { message, offset })
            } else {
                Ok(None)
            };
        }
        let there = self.have(wanted)?;
        if there < wanted {
            return Err(torn(there, wanted));
        }
        self.messages += 1;
        Ok(self.window.take(wanted).get(2..))
    }

    /// Reads until `wanted` bytes are in the window, or the file ends; says how many there are.
    fn have(&mut self, wanted: usize) -> Result<usize, FileError> {
        let there = self.window.have(wanted);
        there.map_err(|source| {
            let offset = self.window.position() + self.window.bytes().len() as u64;
            FileError::Io { offset, source }
        })
    }
}
