//! The bytes of a recording without their packing, and a look at the first of them.
//!
//! Which packing it is shows by content, never by name; packings may be nested. Everything streams:
//! no packing can make more memory needed than its window, which is bounded.

use super::archive::Seams;
use super::lines::BOM;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, BufReader, Read};
use std::{error, fmt};

/// How many of the first bytes may be looked at.
const HEAD_BYTES: usize = 1 << 14;
/// Packings within packings; more is no recording.
const LAYERS_MAX: usize = 4;
/// Log2 of the largest window of zstd: what `zstd -19` writes needs 23.
const ZSTD_WINDOW_LOG: u32 = 25;

/// One packing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// RFC 1952, of any number of members.
    Gzip,
    /// RFC 8878, of any number of frames.
    Zstd,
    /// A member of a zip archive.
    Zip,
    /// A member of a tar archive.
    Tar,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layer::Gzip => "gzip",
            Layer::Zstd => "zstd",
            Layer::Zip => "zip",
            Layer::Tar => "tar",
        })
    }
}

/// A packing that is known and not taken off.
#[derive(Debug)]
struct NotUnpacked(&'static str, &'static str);

impl fmt::Display for NotUnpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packed by {}, which is not read here: unpack it with `{}`", self.0, self.1)
    }
}

impl error::Error for NotUnpacked {}

/// See the module.
pub struct Input<'a> {
    head: Vec<u8>,
    /// How much of the head was read again.
    at: usize,
    /// What stands behind the head, if it ends with an error.
    behind: Option<io::Error>,
    rest: Box<dyn Read + Send + 'a>,
    layers: Vec<Layer>,
    seams: Seams,
}

impl<'a> Input<'a> {
    /// Takes the packing off what `reader` gives.
    ///
    /// # Errors
    /// The first bytes cannot be read or unpacked, or the packing is one that is not read.
    pub fn new(reader: impl Read + Send + 'a) -> io::Result<Input<'a>> {
        Input::within(Vec::new(), Box::new(reader))
    }

    /// The same of a reader that is itself within `layers`.
    pub(super) fn within(
        layers: Vec<Layer>,
        reader: Box<dyn Read + Send + 'a>,
    ) -> io::Result<Input<'a>> {
        let mut input = Input::as_is(layers, reader)?;
        while let Some(layer) = packing(&input.head)? {
            let mut layers = input.layers.clone();
            layers.push(layer);
            if layers.len() > LAYERS_MAX {
                return Err(io::Error::other(format!("packed more than {LAYERS_MAX} times")));
            }
            let packed = BufReader::with_capacity(1 << 16, input);
            let unpacked: Box<dyn Read + Send + 'a> = if layer == Layer::Gzip {
                Box::new(Members(Some(GzDecoder::new(packed))))
            } else {
                let mut decoder = zstd::Decoder::with_buffer(packed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            };
            input = Input::as_is(layers, unpacked)?;
        }
        Ok(input)
    }

    fn as_is(layers: Vec<Layer>, mut rest: Box<dyn Read + Send + 'a>) -> io::Result<Input<'a>> {
        let mut head = Vec::new();
        // What can be read before an error is worth a look: a cut file is still of its format.
        let read = rest.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head);
        match read {
            Err(error) if head.is_empty() => Err(error),
            read => {
                let (behind, seams) = (read.err(), Seams::default());
                Ok(Input { head, at: 0, behind, rest, layers, seams })
            }
        }
    }

    /// The same of several files, one behind the other.
    pub(super) fn with_seams(self, seams: Seams) -> Input<'a> {
        Input { seams, ..self }
    }

    /// Where one file ends and another goes on.
    pub(crate) fn seams(&self) -> Seams {
        self.seams.clone()
    }

    /// The first bytes, up to 16,384 of them, without a byte order mark of UTF-8.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.head.strip_prefix(BOM).unwrap_or(&self.head)
    }

    /// What was taken off, the outermost first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }
}

impl Read for Input<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = &self.head[self.at..];
        if left.is_empty() {
            return self.behind.take().map_or_else(|| self.rest.read(bytes), Err);
        }
        let count = left.len().min(bytes.len());
        bytes[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

/// The members of a gzip file, one behind the other. Zeros behind a member mean nothing: blocks of
/// tapes and disks are filled up with them.
struct Members<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let read = member.read(bytes)?;
            if read > 0 || bytes.is_empty() {
                return Ok(read);
            }
            let Some(mut rest) = self.0.take().map(GzDecoder::into_inner) else { break };
            self.0 = pass_zeros(&mut rest)?.then(|| GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// Passes over zeros; false if nothing stands behind them.
fn pass_zeros(input: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let (there, behind) = (bytes.len(), zeros < bytes.len());
        input.consume(zeros);
        if behind || there == 0 {
            return Ok(behind);
        }
    }
}

/// The packing that begins like this.
fn packing(head: &[u8]) -> io::Result<Option<Layer>> {
    let refused = |name, tool| Err(io::Error::other(NotUnpacked(name, tool)));
    match head {
        [0x1f, 0x8b, 8, ..] => Ok(Some(Layer::Gzip)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Some(Layer::Zstd)),
        // A frame to be skipped, as pzstd writes it first; DBZ begins with one too.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, rest @ ..] if rest.get(4..7) != Some(b"DBZ") => {
            Ok(Some(Layer::Zstd))
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => refused("xz", "xz -dk"),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => refused("bzip2", "bzip2 -dk"),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => refused("7-Zip", "7z x"),
        _ => Ok(None),
    }
}
