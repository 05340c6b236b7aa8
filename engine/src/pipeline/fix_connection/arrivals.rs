//! When the kernel got what a session read, kept from the read to the stage's housekeeping, where it is
//! recorded: turning stamps into times would keep what came waiting.
//!
//! Only a connection that asks for times of the kernel comes here. It never grows.

use std::collections::VecDeque;
use wire::{Io, Link, LinkError, ReceiveBuffer};

/// Reads kept; what comes beyond that, within a millisecond, is not counted.
const KEPT: usize = 64;

/// The kernel's time of each read (nanoseconds since 1970 UTC), and the raw stamp of the read.
pub(super) struct Arrivals(VecDeque<(u64, u64)>);

impl Arrivals {
    /// None yet; all memory is taken.
    pub(super) fn new() -> Arrivals {
        Arrivals(VecDeque::with_capacity(KEPT))
    }

    /// As [`Link::fill`], and keeps what the kernel said.
    pub(super) fn fill(
        &mut self,
        link: &mut Link,
        io: &mut dyn Io,
        input: &mut ReceiveBuffer,
    ) -> Result<usize, LinkError> {
        let came = link.fill_timed(io, input)?;
        if let Some(kernel) = came.kernel_time.filter(|_| self.0.len() < KEPT) {
            self.0.push_back((kernel, link.received()));
        }
        Ok(came.len)
    }

    /// The oldest one, taken out.
    pub(super) fn next(&mut self) -> Option<(u64, u64)> {
        self.0.pop_front()
    }
}
