//! Fixed buffers between a byte stream and whoever cuts it into messages.
//!
//! They never grow and never drop a byte: what does not fit is refused, and a count that is too large
//! is cut to what is there.

use crate::io::{Io, Timed};
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;

/// The buffer has no room for all of these bytes; it took none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the buffer is full: the peer reads too slowly, or the capacity is too small")
    }
}

impl std::error::Error for Full {}

/// Bytes that wait until the socket takes them.
pub struct SendBuffer(Window);

impl SendBuffer {
    /// A buffer of `capacity` bytes, all of them touched.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        SendBuffer(Window::with_capacity(capacity))
    }

    /// Queues all of `bytes`.
    ///
    /// # Errors
    /// [`Full`] if they do not all fit; nothing is queued then, so that no message is ever cut.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if bytes.len() > self.room() {
            return Err(Full);
        }
        self.space(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.0.grow(bytes.len());
        Ok(())
    }

    /// Free memory in one piece, at least `len` bytes of it where there is room for them.
    pub(crate) fn space(&mut self, len: usize) -> &mut [u8] {
        if len > self.0.tail() {
            self.0.compact();
        }
        self.0.spare()
    }

    /// Queues the first `len` bytes of what was written to [`space`](Self::space).
    pub(crate) fn grow(&mut self, len: usize) {
        self.0.grow(len);
    }

    /// What is queued.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Forgets the first `len` bytes: they are on their way.
    pub(crate) fn shrink(&mut self, len: usize) {
        self.0.shrink(len);
    }

    /// Offers what is queued to the socket, once; says how many bytes it took.
    ///
    /// # Errors
    /// What the socket reports. The bytes stay queued.
    pub fn flush(&mut self, io: &mut dyn Io, fd: BorrowedFd<'_>) -> io::Result<usize> {
        let taken = io.send(fd, self.0.bytes())?;
        self.0.shrink(taken);
        Ok(taken)
    }

    /// Bytes queued.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.bytes().len()
    }

    /// True if nothing is queued.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that can still be queued.
    #[must_use]
    pub fn room(&self) -> usize {
        self.0.bytes.len() - self.len()
    }

    /// Forgets what is queued, for the next connection.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Bytes that came and are not yet consumed, always in one piece.
pub struct ReceiveBuffer(Window);

impl ReceiveBuffer {
    /// A buffer of `capacity` bytes, all of them touched. It must hold the longest message.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        ReceiveBuffer(Window::with_capacity(capacity))
    }

    /// Receives once, behind what is there. As [`Io::recv`]: `None`: nothing came, or the buffer
    /// [is full](Self::is_full); `Some(0)`: the peer has closed.
    ///
    /// # Errors
    /// What the socket reports.
    pub fn fill(&mut self, io: &mut dyn Io, fd: BorrowedFd<'_>) -> io::Result<Option<usize>> {
        self.0.make_room();
        let len = io.recv(fd, self.0.spare())?;
        self.0.grow(len.unwrap_or(0));
        Ok(len)
    }

    /// As [`fill`](Self::fill), with [the kernel's time](Io::recv_timed).
    ///
    /// # Errors
    /// What the socket reports.
    pub fn fill_timed(&mut self, io: &mut dyn Io, fd: BorrowedFd<'_>) -> io::Result<Option<Timed>> {
        self.0.make_room();
        let came = io.recv_timed(fd, self.0.spare())?;
        self.0.grow(came.map_or(0, |came| came.len));
        Ok(came)
    }

    /// Appends what did not come by a socket of this crate: the first bytes of a handshake.
    ///
    /// # Errors
    /// [`Full`] if they do not all fit; nothing is appended then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if bytes.len() > self.0.bytes.len() - self.0.bytes().len() {
            return Err(Full);
        }
        self.push_some(bytes);
        Ok(())
    }

    /// Appends as many of `bytes` as fit; says how many.
    pub(crate) fn push_some(&mut self, bytes: &[u8]) -> usize {
        if bytes.len() > self.0.tail() {
            self.0.compact();
        }
        let len = bytes.len().min(self.0.tail());
        self.0.spare()[..len].copy_from_slice(&bytes[..len]);
        self.0.grow(len);
        len
    }

    /// Receives once by a call that waits, behind what is there. As [`fill`](Self::fill).
    pub(crate) fn read(&mut self, from: &mut impl io::Read) -> io::Result<usize> {
        self.0.make_room();
        let len = from.read(self.0.spare())?;
        self.0.grow(len);
        Ok(len)
    }

    /// What is not yet consumed, to be decrypted where it stands.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0.bytes[self.0.start..self.0.end]
    }

    /// What is not yet consumed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Forgets the first `len` bytes, or all if there are fewer.
    pub fn consume(&mut self, len: usize) {
        self.0.shrink(len);
    }

    /// True if nothing more fits until something is consumed. A message that still is not whole is
    /// then too long for this buffer.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.bytes().len() == self.0.bytes.len()
    }

    /// Forgets everything, for the next connection.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// The used part of a fixed piece of memory.
struct Window {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

/// Lengths only: a Logon in a buffer holds secrets, and what was consumed stays in its memory.
impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.bytes().len(), self.bytes.len())
    }
}

impl fmt::Debug for SendBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendBuffer").field(&self.0).finish()
    }
}

impl fmt::Debug for ReceiveBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReceiveBuffer").field(&self.0).finish()
    }
}

impl Window {
    fn with_capacity(capacity: usize) -> Self {
        // Not zero: zeroed pages would be mapped only at the first use.
        Window { bytes: vec![0xff; capacity].into_boxed_slice(), start: 0, end: 0 }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn spare(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..]
    }

    /// Free bytes behind the used part.
    fn tail(&self) -> usize {
        self.bytes.len() - self.end
    }

    fn grow(&mut self, len: usize) {
        self.end += len.min(self.tail());
    }

    fn shrink(&mut self, len: usize) {
        self.start += len.min(self.end - self.start);
        if self.start == self.end {
            self.clear();
        }
    }

    /// Compacts when that at least doubles the tail, so that few bytes are moved for each received.
    fn make_room(&mut self) {
        if self.start > self.tail() {
            self.compact();
        }
    }

    fn compact(&mut self) {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }

    fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }
}

#[cfg(test)]
#[path = "buffer_tests.rs"]
mod tests;
