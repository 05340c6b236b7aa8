//! A stream seen through a window: as many bytes in a row as a reader asks for, without holding more
//! of the file than that.
//!
//! The buffer grows only when so many bytes are really there, so that a length that lies cannot make
//! it grow.

use std::io::{self, Read};

/// What is read at once, and what fits before anything grows.
const BUFFER_BYTES: usize = 1 << 16;

/// See the module.
#[derive(Debug)]
pub struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    /// The part of the buffer that is read and not yet consumed.
    start: usize,
    end: usize,
    /// Bytes consumed.
    position: u64,
}

impl<R: Read> Window<R> {
    /// A window at the front of `input`.
    pub fn new(input: R) -> Window<R> {
        Window { input, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0, position: 0 }
    }

    /// Where the window begins: bytes consumed so far.
    #[inline]
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What is in the window.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads until `wanted` bytes are in the window, or the input ends; gives how many there are,
    /// which may be more.
    ///
    /// # Errors
    /// What the input says. What was read before stays in the window.
    #[inline]
    pub fn have(&mut self, wanted: usize) -> io::Result<usize> {
        if self.end - self.start < wanted {
            self.fill(wanted)?;
        }
        Ok(self.end - self.start)
    }

    #[cold]
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.start.saturating_add(wanted) > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < wanted {
            if self.end == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes `count` bytes, at most those in the window, from its front and gives them.
    #[inline]
    pub fn take(&mut self, count: usize) -> &[u8] {
        let (from, to) = (self.start, self.end.min(self.start.saturating_add(count)));
        self.start = to;
        self.position += (to - from) as u64;
        &self.buffer[from..to]
    }

    /// Passes over `count` bytes, in the window or not; gives how many there were before the end.
    ///
    /// # Errors
    /// As for [`Window::have`].
    pub fn pass(&mut self, count: u64) -> io::Result<u64> {
        let mut passed = 0;
        while passed < count {
            let there = self.have(1)?;
            let step = there.min(usize::try_from(count - passed).unwrap_or(usize::MAX));
            if step == 0 {
                break;
            }
            passed += self.take(step).len() as u64;
        }
        Ok(passed)
    }
}
