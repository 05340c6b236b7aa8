//! Several datagrams of one socket, taken by one system call.
//!
//! For a queue that has grown: what the call itself costs is then paid once. The memory is taken at
//! construction; nothing here waits, and no datagram stands in the way of another.

use crate::io::{Datagram, received};
use crate::message::recvmmsg;
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;

/// Datagrams that one call may bring.
pub const DATAGRAMS: usize = 64;
/// Between the places of two datagrams, beyond what they may have: places a power of two apart would
/// compete for the same lines of the cache.
const STAGGER: usize = 5 * 64;

/// Datagrams that came together.
pub struct Batch {
    bytes: Box<[u8]>,
    stride: usize,
    datagrams: [Option<Datagram>; DATAGRAMS],
    len: usize,
}

impl Batch {
    /// Room for [`DATAGRAMS`] of up to `each` bytes.
    #[must_use]
    pub fn new(each: usize) -> Batch {
        let stride = each + STAGGER;
        // Not zero: zeroed pages would be mapped only at the first use.
        let bytes = vec![0xff; DATAGRAMS * stride].into_boxed_slice();
        Batch { bytes, stride, datagrams: [None; DATAGRAMS], len: 0 }
    }

    /// Receives at most `most` datagrams in place of those before; says how many. All bear the stamp of
    /// the call's return, and the first alone the kernel's time.
    ///
    /// # Errors
    /// What the socket reports; nothing was received then.
    pub(crate) fn fill(&mut self, fd: BorrowedFd<'_>, most: usize) -> io::Result<usize> {
        let each = self.stride - STAGGER;
        let places = self.bytes.chunks_exact_mut(self.stride).map(|place| &mut place[..each]);
        self.len = 0;
        let got = recvmmsg(fd, places.take(most), &mut self.datagrams);
        self.len = received(got)?.unwrap_or(0);
        Ok(self.len)
    }

    /// Datagrams that came by the last call.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True if none did.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One of them, with its bytes, in the order in which they came.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<(Datagram, &[u8])> {
        let datagram = self.datagrams[..self.len].get(at).copied().flatten()?;
        let begin = at * self.stride;
        Some((datagram, &self.bytes[begin..begin + datagram.len]))
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len).finish_non_exhaustive()
    }
}
