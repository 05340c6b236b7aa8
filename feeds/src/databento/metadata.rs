//! The metadata before the records of a DBN file, by crate `dbn`; and how files without it,
//! fragments, show what they are.

use super::record::{HEADER_BYTES, Header, TYPES};
use crate::recording::Window;
use dbn::Metadata;
use dbn::VersionUpgradePolicy::AsIs;
use dbn::decode::DbnMetadataDecoder;
use std::io::{self, Read};

/// `DBN`, the version, and the length of what follows (u32).
const PRELUDE_BYTES: usize = 8;
/// The shortest metadata that any version has.
const SHORTEST: usize = 100;
/// The longest metadata whose mappings are read, since memory is bounded: it holds some 80,000 of
/// them.
const LONGEST: usize = 12 << 20;
/// Times of records lie before this, in nanoseconds: the year 2200.
const TIME_MAX: u64 = 7_258_118_400_000_000_000;

/// So many records in a row are no accident, whatever stands behind them.
const SURE: usize = 8;

/// What stands before the records.
pub(super) enum Before {
    /// Nothing: a fragment.
    Nothing,
    /// Metadata.
    Metadata(Box<Metadata>),
    /// Metadata that is too long to be read, and was passed over: its version.
    TooLong(u8),
}

/// Takes the metadata from the front of a file.
///
/// # Errors
/// The version is one that is not read, or the metadata is broken or cut.
pub(super) fn take<R: Read>(window: &mut Window<R>) -> io::Result<Before> {
    let there = window.have(PRELUDE_BYTES)?;
    let Some(&[b'D', b'B', b'N', version, a, b, c, d]) = window.bytes().first_chunk() else {
        return match window.bytes().starts_with(b"DBN") {
            true => bad(format!("DBN: cut within its first {PRELUDE_BYTES} bytes, at {there}")),
            false => Ok(Before::Nothing),
        };
    };
    if !(1..=3).contains(&version) {
        return bad(format!("DBN version {version} is not read: versions 1 to 3 are"));
    }
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length < SHORTEST {
        return bad(format!("DBN: metadata of {length} bytes, less than the {SHORTEST} of any"));
    }
    let whole = PRELUDE_BYTES.saturating_add(length);
    if length > LONGEST {
        let passed = window.pass(whole as u64)?;
        return match passed == whole as u64 {
            true => Ok(Before::TooLong(version)),
            false => cut(passed, whole as u64),
        };
    }
    let there = window.have(whole)?;
    if there < whole {
        return cut(there as u64, whole as u64);
    }
    let metadata = DbnMetadataDecoder::with_upgrade_policy(window.take(whole), AsIs).decode();
    match metadata {
        Ok(metadata) => Ok(Before::Metadata(Box::new(metadata))),
        Err(error) => bad(format!("DBN: its metadata cannot be read: {error}")),
    }
}

/// Whether the records begin at midnight of UTC: by then the venue's day is over, or the vendor
/// puts a snapshot of every book that has orders there.
pub(super) fn begins_a_day(metadata: &Metadata) -> bool {
    const DAY: u64 = 86_400_000_000_000;
    metadata.start > 0 && metadata.start.is_multiple_of(DAY)
}

fn bad<T>(reason: String) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, reason))
}

fn cut<T>(there: u64, whole: u64) -> io::Result<T> {
    bad(format!("DBN: the file ends after {there} bytes, within its metadata of {whole}"))
}

/// Tells DBN by its magic, and a fragment by its records: each known, of a length that its type
/// has, and of a time that is one.
#[must_use]
pub(super) fn recognise(head: &[u8]) -> Option<String> {
    if let [b'D', b'B', b'N', version, ..] = head {
        return (1..32).contains(version).then(|| format!("version {version}"));
    }
    fragment(head)
}

/// The versions that a fragment may be of, as text.
pub(super) fn fragment(head: &[u8]) -> Option<String> {
    let (mut rest, mut versions, mut records) = (head, 0..TYPES[0].2.len(), 0);
    while let Some(bytes) = rest.first_chunk::<HEADER_BYTES>() {
        let header = Header::read(bytes);
        let timed = header.ts_event == super::UNDEF_TIME || header.ts_event <= TIME_MAX;
        let of_type = header.versions().filter(|versions| timed && !versions.is_empty());
        let Some(of_type) = of_type else {
            if records < SURE {
                return None;
            }
            break;
        };
        versions = versions.start.max(of_type.start)..versions.end.min(of_type.end);
        let Some(behind) = rest.get(header.length..) else { break };
        records += 1;
        rest = behind;
    }
    (records > 0 && !versions.is_empty()).then(|| match versions.end - versions.start {
        1 => format!("fragment of version {}", versions.start + 1),
        _ => format!("fragment of version {} to {}", versions.start + 1, versions.end),
    })
}
