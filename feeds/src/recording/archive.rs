//! What is to be read: a file, or a member of an archive (zip, tar, packed or not), and the files that
//! belong to it. Opens files; never writes one, never unpacks to disk.

use super::{Input, Layer};
use flate2::read::DeflateDecoder;
use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zip::{CompressionMethod, ZipArchive};

/// Most members of an archive that are looked at.
const MEMBERS_MAX: usize = 4096;

/// One recording, not yet opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    member: Option<Member>,
    /// What is read on in when it ends.
    then: Vec<Source>,
}

/// Where in an archive it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    name: String,
    layer: Layer,
    /// Its first byte in the archive, whose own packing is off.
    at: u64,
    /// Its bytes there, and whether they are deflated.
    bytes: u64,
    deflated: bool,
}

impl Source {
    /// The recording that a file is.
    pub fn file(path: impl Into<PathBuf>) -> Source {
        Source { path: path.into(), member: None, then: Vec::new() }
    }

    /// This one and, as if it were one file, the next: a recording of lines that goes on in another
    /// file. The state of its books goes on with it.
    #[must_use]
    pub fn followed_by(mut self, next: Source) -> Source {
        self.then.push(next);
        self
    }

    /// What there is to read in a file: itself, or the members of the archive that it is.
    ///
    /// # Errors
    /// It cannot be opened, or is an archive that cannot be read.
    pub fn list(path: &Path) -> io::Result<Vec<Source>> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder: name its files"));
        }
        let mut magic = [0; 4];
        let there = file.read(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        let members = if magic[..there] == *b"PK\x03\x04" {
            zip_members(file)?
        } else {
            let input = Input::new(file)?;
            match input.head().get(257..262) {
                Some(b"ustar") => tar_members(input)?,
                _ => return Ok(vec![Source::file(path)]),
            }
        };
        let source = |member| Source { member: Some(member), ..Source::file(path) };
        Ok(members.into_iter().map(source).collect())
    }

    /// Its bytes, without any packing.
    ///
    /// # Errors
    /// It cannot be opened or unpacked.
    pub fn open(&self) -> io::Result<Input<'static>> {
        self.open_counting(None)
    }

    /// The same; `counter` counts bytes as they are read, up to [`Source::bytes`].
    ///
    /// # Errors
    /// As for [`Source::open`].
    pub fn open_counting(&self, counter: Option<Arc<AtomicU64>>) -> io::Result<Input<'static>> {
        let first = self.open_first(counter.clone())?;
        if self.then.is_empty() {
            return Ok(first);
        }
        let layers = first.layers().to_vec();
        let chain = Chain::new(first, self.then.clone(), counter);
        let seams = chain.seams.clone();
        Ok(Input::within(layers, Box::new(chain))?.with_seams(seams))
    }

    fn open_first(&self, counter: Option<Arc<AtomicU64>>) -> io::Result<Input<'static>> {
        let mut file = File::open(&self.path)?;
        let Some(member) = &self.member else { return Input::new(Counting(file, counter)) };
        if member.layer == Layer::Zip {
            file.seek(SeekFrom::Start(member.at))?;
            let bytes = Counting(file.take(member.bytes), counter);
            return Input::within(
                vec![Layer::Zip],
                match member.deflated {
                    true => Box::new(DeflateDecoder::new(bytes)),
                    false => Box::new(bytes),
                },
            );
        }
        let mut tar = Input::new(file)?;
        let mut layers = tar.layers().to_vec();
        layers.push(Layer::Tar);
        io::copy(&mut tar.by_ref().take(member.at), &mut io::sink())?;
        Input::within(layers, Box::new(Counting(tar.take(member.bytes), counter)))
    }

    /// Bytes that there are to read, of all its files: of each, or of the member as the archive has
    /// it.
    ///
    /// # Errors
    /// A file is not there.
    pub fn bytes(&self) -> io::Result<u64> {
        let first = match &self.member {
            Some(member) => member.bytes,
            None => std::fs::metadata(&self.path)?.len(),
        };
        self.then.iter().try_fold(first, |bytes, next| Ok(bytes + next.bytes()?))
    }

    /// Whether it is several files that are read as one.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        !self.then.is_empty()
    }

    /// Its name: of the file, or of the member.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.member {
            Some(member) => &member.name,
            None => self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
        }
    }

    /// Whether it is a member of an archive.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.member.is_some()
    }

    /// The file that lies beside it, in the same folder or archive, under another name, if there is
    /// one: for formats that are split over files.
    ///
    /// # Errors
    /// As for [`Source::list`].
    pub fn sibling(&self, name: &str) -> io::Result<Option<Source>> {
        if self.member.is_some() {
            let all = Source::list(&self.path)?;
            return Ok(all.into_iter().find(|source| source.name() == name));
        }
        let path = self.path.with_file_name(name);
        Ok(path.is_file().then(|| Source::file(path)))
    }
}

impl fmt::Display for Source {
    /// The path, and behind an exclamation mark the member.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(member) = &self.member {
            write!(f, "!{}", member.name)?;
        }
        self.then.iter().try_for_each(|next| write!(f, ", {next}"))
    }
}

/// A file is cut, and what is read goes on in the next one: an error that a reader meets once, where
/// bytes are missing.
#[derive(Debug, thiserror::Error)]
#[error("cut, and another file goes on: {0}")]
pub(crate) struct CutBetween(io::Error);

impl CutBetween {
    /// Whether it is this.
    pub(crate) fn is(error: &io::Error) -> bool {
        matches!(error.get_ref(), Some(inner) if inner.is::<CutBetween>())
    }
}

/// Where, in what is read, one file ended and another goes on. Known from when it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seams(Arc<Mutex<VecDeque<u64>>>);

impl Seams {
    fn add(&self, position: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(position);
    }

    /// True once for those that stand at or before a position.
    pub(crate) fn passed(&self, position: u64) -> bool {
        let mut seams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seams.iter().take_while(|&&at| at <= position).count();
        seams.drain(..before).count() > 0
    }
}

/// Sources one behind the other, the next opened when it is needed. A line ends where its file does.
struct Chain {
    input: Input<'static>,
    then: std::vec::IntoIter<Source>,
    counter: Option<Arc<AtomicU64>>,
    last: u8,
    /// Bytes that were given.
    given: u64,
    seams: Seams,
    /// The file before has ended within a line, whose end is still to be given.
    open_line: bool,
}

impl Chain {
    fn new(input: Input<'static>, then: Vec<Source>, counter: Option<Arc<AtomicU64>>) -> Chain {
        let (then, seams) = (then.into_iter(), Seams::default());
        Chain { input, then, counter, last: b'\n', given: 0, seams, open_line: false }
    }

    /// Opens the next source; false if there is none.
    fn go_on(&mut self) -> io::Result<bool> {
        let Some(next) = self.then.next() else { return Ok(false) };
        self.input = next.open_counting(self.counter.clone())?;
        self.open_line = self.last != b'\n';
        self.seams.add(self.given + u64::from(self.open_line));
        Ok(true)
    }
}

impl Read for Chain {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.open_line) {
                (bytes[0], self.last) = (b'\n', b'\n');
                self.given += 1;
                return Ok(1);
            }
            match self.input.read(bytes) {
                Ok(0) if self.go_on()? => {}
                // A packing that was cut.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return match self.go_on()? {
                        true => Err(io::Error::other(CutBetween(error))),
                        false => Err(error),
                    };
                }
                Ok(read) => {
                    self.given += read as u64;
                    self.last = bytes.get(read.wrapping_sub(1)).copied().unwrap_or(self.last);
                    return Ok(read);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(0)
    }
}

/// A reader that says how far it is.
struct Counting<R>(R, Option<Arc<AtomicU64>>);

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(bytes)?;
        if let Some(counter) = &self.1 {
            counter.fetch_add(read as u64, Ordering::Relaxed);
        }
        Ok(read)
    }
}

fn too_many<T>() -> io::Result<T> {
    Err(io::Error::other(format!("an archive of more than {MEMBERS_MAX} members")))
}

fn zip_members(file: File) -> io::Result<Vec<Member>> {
    let mut archive = ZipArchive::new(file)?;
    if archive.len() > MEMBERS_MAX {
        return too_many();
    }
    let mut members = Vec::new();
    for index in 0..archive.len() {
        // Raw: its content is not looked at, so that one that cannot be read hides no other.
        let member = archive.by_index_raw(index)?;
        let readable =
            matches!(member.compression(), CompressionMethod::Stored | CompressionMethod::Deflated);
        if member.is_dir() || member.encrypted() || !readable {
            continue;
        }
        let Some(at) = member.data_start() else { continue };
        members.push(Member {
            name: member.name()?.into_owned(),
            layer: Layer::Zip,
            at,
            bytes: member.compressed_size(),
            deflated: member.compression() == CompressionMethod::Deflated,
        });
    }
    Ok(members)
}

fn tar_members(input: Input<'_>) -> io::Result<Vec<Member>> {
    let mut archive = tar::Archive::new(input);
    let mut members = Vec::new();
    for entry in archive.entries()? {
        let entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        if members.len() == MEMBERS_MAX {
            return too_many();
        }
        members.push(Member {
            name: String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
            layer: Layer::Tar,
            at: entry.raw_file_position(),
            bytes: entry.size(),
            deflated: false,
        });
    }
    Ok(members)
}
