//! The bytes of a segment: its header, its records, their check. The tables of `docs/journal.md`.
//!
//! Pure functions over slices; never a file, never a pointer.

use market::Timestamp;

use super::error::{Fault, JournalError};
use std::path::Path;

/// The version of the format this program writes and reads.
pub const VERSION: u32 = 1;
/// Bytes of the header of a segment.
pub const SEGMENT_HEADER_BYTES: usize = 64;
/// Bytes of the header of a record.
pub const RECORD_HEADER_BYTES: usize = 24;
/// The kind of the record that marks a clean end. The only kind the journal itself takes.
pub const CLOSED: u16 = 0xFFFF;
/// The smallest segment.
pub const MIN_SEGMENT_BYTES: u64 = 4 << 10;
/// The largest segment.
pub const MAX_SEGMENT_BYTES: u64 = 1 << 30;

const MAGIC: u64 = u64::from_le_bytes(*b"TLJOURN1");
const NAME_BYTES: usize = 16;

/// Bytes a record of this length takes, padding included. A record begins at a multiple of 8.
pub(super) const fn padded(length: usize) -> usize {
    length.next_multiple_of(8)
}

/// The name of a stream, as the header holds it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamName([u8; NAME_BYTES]);

impl StreamName {
    pub(super) fn new(name: &str) -> Result<Self, JournalError> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.len() > NAME_BYTES || !name.bytes().all(fits) {
            return Err(JournalError::Setting {
                key: "name",
                found: format!("{name:?}"),
                allowed: "a stream is named by 1 to 16 of a-z, 0-9 and _",
            });
        }
        let mut bytes = [0; NAME_BYTES];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Ok(StreamName(bytes))
    }

    pub(super) fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(NAME_BYTES);
        std::str::from_utf8(&self.0[..end]).unwrap_or("?")
    }
}

/// What a segment says of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    /// Names this journal among all journals.
    pub(super) id: u64,
    /// From 1, without gaps.
    pub(super) index: u64,
    /// Sequence of the first record in it, there or to come.
    pub(super) first_sequence: u64,
    /// When the run that wrote it opened the stream.
    pub(super) created: Timestamp,
    pub(super) name: StreamName,
}

impl SegmentHeader {
    /// Writes all but the first word, and gives that word: storing it begins the segment.
    pub(super) fn write(&self, out: &mut [u8]) -> u64 {
        out[8..12].copy_from_slice(&VERSION.to_le_bytes());
        out[16..24].copy_from_slice(&self.id.to_le_bytes());
        out[24..32].copy_from_slice(&self.index.to_le_bytes());
        out[32..40].copy_from_slice(&self.first_sequence.to_le_bytes());
        out[40..48].copy_from_slice(&self.created.nanos().to_le_bytes());
        out[48..64].copy_from_slice(&self.name.0);
        let crc = crc(VERSION, &out[16..SEGMENT_HEADER_BYTES]);
        out[12..16].copy_from_slice(&crc.to_le_bytes());
        MAGIC
    }

    /// The header at the front of a file, or `None` if it was never begun.
    pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Option<Self>, JournalError> {
        if bytes.len() < SEGMENT_HEADER_BYTES || word(bytes, 0) == 0 {
            return Ok(None);
        }
        if word(bytes, 0) != MAGIC {
            return Err(JournalError::NotASegment { path: path.to_owned() });
        }
        let version = half(bytes, 8);
        if version != VERSION {
            return Err(JournalError::Version { path: path.to_owned(), found: version });
        }
        if half(bytes, 12) != crc(version, &bytes[16..SEGMENT_HEADER_BYTES]) {
            return Err(JournalError::Header { path: path.to_owned() });
        }
        let mut name = [0; NAME_BYTES];
        name.copy_from_slice(&bytes[48..64]);
        Ok(Some(SegmentHeader {
            id: word(bytes, 16),
            index: word(bytes, 24),
            first_sequence: word(bytes, 32),
            created: Timestamp::from_nanos(word(bytes, 40)),
            name: StreamName(name),
        }))
    }
}

/// Completes the record whose payload stands in `record` behind the room for its header: writes all
/// but the first word, zeroes the padding and the word after it, and gives the first word and the
/// bytes the record takes. Storing that word commits the record.
pub(super) fn seal(record: &mut [u8], kind: u16, sequence: u64, payload: usize) -> (u64, usize) {
    let length = RECORD_HEADER_BYTES + payload;
    let end = padded(length);
    record[8..16].copy_from_slice(&sequence.to_le_bytes());
    record[16..18].copy_from_slice(&kind.to_le_bytes());
    record[18..24].fill(0);
    // The next record's first word is zero until that one is committed.
    let clear = record.len().min(end + 8);
    record[length..clear].fill(0);
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let crc = crc(length, &record[8..end]);
    (u64::from(length) | u64::from(crc) << 32, end)
}

/// Length and CRC from the first word of a record.
pub(super) const fn split(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

/// Checks a whole record with its padding; gives its kind.
pub(super) fn check(record: &[u8], expected: u64) -> Result<u16, Fault> {
    let (length, stored) = split(word(record, 0));
    let computed = crc(length, &record[8..]);
    if computed != stored {
        return Err(Fault::Crc { stored, computed });
    }
    match word(record, 8) {
        found if found != expected => Err(Fault::Sequence { found }),
        _ => Ok(u16::from_le_bytes([record[16], record[17]])),
    }
}

/// Whether an intact record with sequence `expected` or later begins anywhere in `bytes`.
/// It tells damage in the middle, where records follow, from a torn end, where nothing does.
pub(super) fn holds_a_record(bytes: &[u8], expected: u64) -> bool {
    let most = expected.saturating_add((bytes.len() / RECORD_HEADER_BYTES) as u64);
    let mut rest = bytes;
    while rest.len() >= RECORD_HEADER_BYTES {
        let length = half(rest, 0) as usize;
        let sequence = word(rest, 8);
        if length >= RECORD_HEADER_BYTES
            && padded(length) <= rest.len()
            && (expected..=most).contains(&sequence)
            && check(&rest[..padded(length)], sequence).is_ok()
        {
            return true;
        }
        rest = &rest[8..];
    }
    false
}

/// CRC-32 (ISO-HDLC) of `bytes`, begun with `start` as if it were the CRC of what came before:
/// `zlib.crc32(bytes, start)`. So a wrong length or version is a wrong CRC.
fn crc(start: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(start);
    hasher.update(bytes);
    hasher.finalize()
}

pub(super) fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

fn half(bytes: &[u8], at: usize) -> u32 {
    let mut half = [0; 4];
    half.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(half)
}
