//! BinaryFILE: messages in a file, each behind its length (u16, big-endian), plain or gzip.
//!
//! Reads with one fixed buffer, so that files may be larger than memory, and tells gzip by its
//! content. A length of zero as the file's last two bytes ends the session (as the specification
//! has it); anywhere else it is an error, since a reader that trusts it would misread what follows.
//! Source: NASDAQ "BinaryFILE" specification 1.00.

mod session;

pub use session::{Opened, SessionFile};

use flate2::read::MultiGzDecoder;
use std::io::{self, BufReader, Chain, Cursor, Read, Take};

/// Why a file cannot be read on. Offsets count bytes of the file, or of what it unpacks to.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A length of zero before the end of the file.
    #[error(
        "message {message} at byte {offset} has length 0: no BinaryFILE (its lengths are not filled in?)"
    )]
    ZeroLength {
        /// Number of the message, from 1.
        message: u64,
        /// Where its length stands.
        offset: u64,
    },
    /// The file ends within a message.
    #[error("message {message} at byte {offset} is cut off: {found} of {wanted} bytes are there")]
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

/// Room for the longest message behind its length, several times.
const BUFFER_BYTES: usize = 1 << 18;

/// The file, with its first two bytes put back.
type Whole<R> = BufReader<Chain<Take<Cursor<[u8; 2]>>, R>>;

enum Input<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::Plain(input) => input.read(bytes),
            Input::Gzip(input) => input.read(bytes),
        }
    }
}

/// Reads messages one after the other.
///
/// ```
/// let mut reader = feeds::file::Reader::new(&b"\0\x02ab\0\x01c"[..]).unwrap();
/// assert_eq!(reader.next_message().unwrap(), Some(&b"ab"[..]));
/// assert_eq!(reader.next_message().unwrap(), Some(&b"c"[..]));
/// assert_eq!(reader.next_message().unwrap(), None);
/// ```
pub struct Reader<R: Read> {
    input: Input<R>,
    buffer: Box<[u8]>,
    /// The part of the buffer that is read and not yet given.
    start: usize,
    end: usize,
    /// Bytes given or passed over.
    offset: u64,
    messages: u64,
}

impl<R: Read> Reader<R> {
    /// A reader of a file's bytes; anything that reads will do, a slice too.
    ///
    /// # Errors
    /// If the first bytes cannot be read.
    pub fn new(mut file: R) -> io::Result<Reader<R>> {
        let (mut magic, mut there) = ([0; 2], 0);
        while there < magic.len() {
            match file.read(&mut magic[there..]) {
                Ok(0) => break,
                Ok(read) => there += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let whole = Cursor::new(magic).take(there as u64).chain(file);
        let input = BufReader::with_capacity(1 << 16, whole);
        // As a length, gzip's magic would be 8,075 bytes: no message of a market is that long.
        let input = if magic == [0x1f, 0x8b] {
            Input::Gzip(Box::new(MultiGzDecoder::new(input)))
        } else {
            Input::Plain(input)
        };
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Ok(Reader { input, buffer, start: 0, end: 0, offset: 0, messages: 0 })
    }

    /// True if the file is packed.
    #[must_use]
    pub fn is_gzip(&self) -> bool {
        matches!(self.input, Input::Gzip(_))
    }

    /// Messages given so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Bytes of them, lengths included: where the next message's length stands.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// [`FileError`], which is final: there is no way to find the next message.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, FileError> {
        let (message, offset) = (self.messages + 1, self.offset);
        let there = self.have(2)?;
        if there == 0 {
            return Ok(None);
        }
        let torn = |found, wanted| FileError::Torn { message, offset, found, wanted };
        if there < 2 {
            return Err(torn(there, 2));
        }
        let length = u16::from_be_bytes([self.buffer[self.start], self.buffer[self.start + 1]]);
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
        let at = self.start + 2;
        self.start += wanted;
        self.offset += wanted as u64;
        self.messages += 1;
        Ok(Some(&self.buffer[at..at + usize::from(length)]))
    }

    /// Reads until `wanted` bytes are in the buffer, or the file ends; says how many there are.
    fn have(&mut self, wanted: usize) -> Result<usize, FileError> {
        if self.start + wanted > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < wanted {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let offset = self.offset + (self.end - self.start) as u64;
                    return Err(FileError::Io { offset, source });
                }
            }
        }
        Ok(self.end - self.start)
    }
}
