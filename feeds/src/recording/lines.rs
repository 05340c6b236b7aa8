//! Lines of a text, each with its place. A line that is longer than any recorder writes is passed over
//! without being held.

use super::Window;
use std::io::{self, Read};

/// The longest line that is given: the largest snapshots of crypto venues have a few MiB.
const LINE_MAX: usize = 1 << 23;

/// The byte order mark of UTF-8, which some programs write at the front of a text.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// See the module.
#[derive(Debug)]
pub struct Lines<R> {
    window: Window<R>,
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Bytes before it.
    pub position: u64,
    /// Its text without the line feed, without a carriage return before that, and without a byte order
    /// mark in front: a file that follows another one may have its own.
    pub text: &'a [u8],
    /// How it ends.
    pub end: LineEnd,
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// With a line feed.
    Whole,
    /// With the text: it may be cut.
    Open,
    /// It is longer than 8 MiB; its text is not given.
    TooLong,
}

impl<R: Read> Lines<R> {
    /// The lines of `input`.
    pub fn new(input: R) -> Lines<R> {
        Lines { window: Window::new(input) }
    }

    /// Bytes of the lines given so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.window.position()
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// What the input says.
    #[inline]
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let position = self.window.position();
        let mut seen = 0;
        loop {
            let bytes = self.window.bytes();
            if let Some(at) = memchr::memchr(b'\n', &bytes[seen..]) {
                let text = self.window.take(seen + at + 1);
                let text = &text[..text.len() - 1];
                let text = unmarked(text.strip_suffix(b"\r").unwrap_or(text));
                return Ok(Some(Line { position, text, end: LineEnd::Whole }));
            }
            seen = bytes.len();
            if seen >= LINE_MAX {
                return self.too_long(position);
            }
            if self.window.have(seen + 1)? == seen {
                let (text, end) = (unmarked(self.window.take(seen)), LineEnd::Open);
                return Ok((!text.is_empty()).then_some(Line { position, text, end }));
            }
        }
    }

    /// Passes over the rest of a line.
    #[cold]
    fn too_long(&mut self, position: u64) -> io::Result<Option<Line<'_>>> {
        loop {
            let bytes = self.window.bytes();
            let (end, there) = (memchr::memchr(b'\n', bytes), bytes.len());
            self.window.take(end.map_or(there, |at| at + 1));
            if end.is_some() || self.window.have(1)? == 0 {
                return Ok(Some(Line { position, text: &[], end: LineEnd::TooLong }));
            }
        }
    }
}

/// A line without a byte order mark.
#[inline]
fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(BOM).unwrap_or(text)
}
