//! Where the files of a stream stand, under which names, and who may write them.
//!
//! Only names, listings and the lock: never the bytes of a segment.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::error::{JournalError, io_error};
use super::format::StreamName;

/// The directories of a stream.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) dir: PathBuf,
    /// A folder of our own inside `hot_dir`, named after device and inode of `dir`, so that no two
    /// journals meet there. `None` while `dir` does not exist.
    hot: Option<PathBuf>,
    pub(super) name: StreamName,
}

/// Name of a journal folder's place in memory. Its time of birth tells it from a deleted folder whose
/// number was given again, and which a kill had left something in memory.
pub(super) fn hot_name(folder: &fs::Metadata) -> String {
    let since = folder.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let born = since.map_or(0, |since| since.as_nanos());
    format!("touchline-{:x}-{:x}-{born:x}", folder.dev(), folder.ino())
}

impl Place {
    pub(super) fn new(dir: &Path, hot_dir: &Path, name: &str) -> Result<Self, JournalError> {
        let name = StreamName::new(name)?;
        let hot = fs::metadata(dir).ok().map(|found| hot_dir.join(hot_name(&found)));
        Ok(Place { dir: dir.to_owned(), hot, name })
    }

    /// The segment's file on disk.
    pub(super) fn disk(&self, index: u64) -> PathBuf {
        self.dir.join(format!("{}-{index:08}.journal", self.name.as_str()))
    }

    /// The segment's hot file inside `home`.
    pub(super) fn hot(&self, home: &Path, index: u64) -> PathBuf {
        home.join(format!("{}-{index:08}.hot", self.name.as_str()))
    }

    /// The folders in which hot segments may stand: in memory, and beside the disk's segments.
    pub(super) fn hot_homes(&self) -> impl Iterator<Item = &Path> {
        self.hot.as_deref().into_iter().chain([self.dir.as_path()])
    }

    /// The folder in memory, made if missing.
    pub(super) fn make_hot_home(&self) -> io::Result<PathBuf> {
        let home = self.hot.as_ref().ok_or(io::ErrorKind::NotFound)?;
        match DirBuilder::new().mode(0o700).create(home) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Anyone may write in /dev/shm: what stands there under our name must be ours.
        let found = fs::symlink_metadata(home)?;
        if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!("{} belongs to someone else", home.display())));
        }
        Ok(home.clone())
    }

    /// Indices of the segments on disk.
    pub(super) fn on_disk(&self) -> Result<BTreeSet<u64>, JournalError> {
        self.indices(&self.dir, ".journal")
    }

    /// Hot files there are, begun or not.
    pub(super) fn hot_files(&self) -> Result<Vec<(u64, PathBuf)>, JournalError> {
        let mut files = Vec::new();
        for home in self.hot_homes() {
            let found = self.indices(home, ".hot")?;
            files.extend(found.into_iter().map(|index| (index, self.hot(home, index))));
        }
        Ok(files)
    }

    fn indices(&self, home: &Path, suffix: &str) -> Result<BTreeSet<u64>, JournalError> {
        let entries = match fs::read_dir(home) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            other => other.map_err(io_error("list", home))?,
        };
        let mut found = BTreeSet::new();
        for entry in entries {
            let file = entry.map_err(io_error("list", home))?.file_name();
            let index = file
                .to_str()
                .and_then(|file| file.strip_prefix(self.name.as_str())?.strip_prefix('-'))
                .and_then(|rest| rest.strip_suffix(suffix))
                .filter(|digits| digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit()));
            found.extend(index.and_then(|digits| digits.parse::<u64>().ok()));
        }
        Ok(found)
    }

    /// Takes the stream for one writer. The lock is the open file: it ends with it, or with us.
    pub(super) fn lock(&self) -> Result<File, JournalError> {
        let path = self.dir.join(format!("{}.lock", self.name.as_str()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&path)
            .map_err(io_error("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(JournalError::Locked { path, pid: holder.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(io_error("write", &path))?;
        Ok(file)
    }

    /// Makes the names in `dir` as durable as the files.
    pub(super) fn sync_dir(&self) -> Result<(), JournalError> {
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(io_error("sync", &self.dir))
    }
}

/// Whether `dir` holds a stream of this name, so that it is to be recovered and not created.
///
/// # Errors
/// A bad name, or a directory that cannot be listed.
pub fn exists(dir: &Path, name: &str) -> Result<bool, JournalError> {
    Ok(!Place::new(dir, dir, name)?.on_disk()?.is_empty())
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), JournalError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove", path)(error))
        }
        _ => Ok(()),
    }
}
