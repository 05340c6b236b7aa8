//! What can go wrong with a journal, in words that say what to do. Never a reason to panic.

use std::io;
use std::path::{Path, PathBuf};

/// There is no room for the next record: nothing may be traded until there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the journal has no room for a record of {needed} bytes; its health says why, and nothing is \
     traded until there is room"
)]
pub struct Full {
    /// Bytes of the refused record with its header.
    pub needed: usize,
}

/// Why the bytes at a place are not the record that should stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Zeros: space the file system granted but never filled.
    #[error("zeros where a record should begin")]
    Unwritten,
    /// No record can have this length.
    #[error("a record cannot be {0} bytes long")]
    Length(u32),
    /// The file ends inside the record.
    #[error("the record needs {need} bytes and the file has {have}")]
    Short {
        /// Bytes of the record with its padding, or of a header.
        need: u64,
        /// Bytes left in the file.
        have: u64,
    },
    /// The bytes are not the ones that were written.
    #[error("its CRC is {stored:08x}, its bytes give {computed:08x}")]
    Crc {
        /// The CRC in the file.
        stored: u32,
        /// The CRC of the bytes in the file.
        computed: u32,
    },
    /// An intact record, but of another place in the stream.
    #[error("the record there has sequence {found}")]
    Sequence {
        /// Its sequence.
        found: u64,
    },
}

/// Why a journal cannot be opened, read or continued.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}{}", path.display(), hint(source))]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
    /// A setting is out of range.
    #[error("journal setting `{key}` is {found}; {allowed}")]
    Setting {
        /// Its key.
        key: &'static str,
        /// The value found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Too little space on the disk to begin.
    #[error(
        "{} has {free} bytes free and a journal segment needs {needed}; free space there or lower \
         `segment_bytes`",
        dir.display()
    )]
    DiskFull {
        /// The journal's directory.
        dir: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// Another writer holds the stream.
    #[error(
        "{} is locked by {}: a journal has one writer; stop that engine or name another directory",
        path.display(),
        holder(*pid)
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, where the file says so.
        pid: Option<u32>,
    },
    /// `create` where a stream stands already.
    #[error("{} already holds a journal `{name}`; recover it or name another directory", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
        /// The stream.
        name: String,
    },
    /// Nothing to read.
    #[error("{} holds no journal `{name}`", dir.display())]
    NotFound {
        /// The directory.
        dir: PathBuf,
        /// The stream.
        name: String,
    },
    /// The file does not begin as a segment does.
    #[error("{} is not a journal segment, or its first bytes are damaged", path.display())]
    NotASegment {
        /// The file.
        path: PathBuf,
    },
    /// The segment's version is not ours.
    #[error(
        "{} has journal version {found} and this program reads version {}; use the program that \
         wrote it",
        path.display(),
        super::VERSION
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The segment's header fails its CRC.
    #[error("{}: the segment header is damaged; restore the file from a copy", path.display())]
    Header {
        /// The file.
        path: PathBuf,
    },
    /// The header names another stream, another index or another journal than its place says.
    #[error("{} belongs elsewhere: its {field} is {found}, not {expected}; move it away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Which field of the header.
        field: &'static str,
        /// Its value.
        found: String,
        /// The value that belongs there.
        expected: String,
    },
    /// A segment is gone from the middle.
    #[error(
        "{} is missing, though later segments are there; restore it from a copy",
        path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A record in the middle is not what was written.
    #[error(
        "{}: damaged at byte {offset}, where record {sequence} should stand: {fault}; this is not a \
         torn end, so nothing is cut: restore the file from a copy",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// The record that should stand there.
        sequence: u64,
        /// What is wrong.
        fault: Fault,
    },
}

/// Turns an operating system's error into one that names what was tried, and on what.
pub(super) fn io_error<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> JournalError + 'a {
    move |source| JournalError::Io { doing, path: path.to_owned(), source }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "; free space there",
        io::ErrorKind::QuotaExceeded => "; free space or raise the quota",
        io::ErrorKind::FileTooLarge => "; raise the file size limit (ulimit -f)",
        io::ErrorKind::ReadOnlyFilesystem => "; mount it for writing",
        io::ErrorKind::PermissionDenied => "; give this user the right to write there",
        _ => "",
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
