//! The exchange's end of one order connection: reads what the client sends, gives it to the venue,
//! and sends the answers. It never waits.

use crate::wired::market::Listed;
use crate::wired::venue::Venue;
use anyhow::{bail, ensure};
use market::Timestamp;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::net::TcpStream;

/// Never wait, and no signal when the other end is gone.
pub const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// A connection and the venue behind it.
pub struct Orders {
    stream: TcpStream,
    /// Who takes the orders.
    pub venue: Venue,
    buffer: Box<[u8]>,
    filled: usize,
}

impl Orders {
    /// A venue for the client at the other end of `stream`.
    ///
    /// # Errors
    /// What the system reports.
    pub fn new(stream: TcpStream, now: Timestamp, listed: &Listed) -> anyhow::Result<Orders> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let buffer = vec![0; 1 << 16].into_boxed_slice();
        Ok(Orders { stream, venue: Venue::new(now, listed)?, buffer, filled: 0 })
    }

    /// Reads what is there; true if anything was.
    ///
    /// # Errors
    /// A client that is gone.
    pub fn read(&mut self) -> anyhow::Result<bool> {
        match recv(&self.stream, &mut self.buffer[self.filled..], RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN) => Ok(false),
            Ok((0, _)) => bail!("the other end is gone"),
            Ok((len, _)) => {
                self.filled += len;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Bytes read and not yet taken.
    #[must_use]
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// Gives the whole messages that came to the venue.
    ///
    /// # Errors
    /// What ends the session.
    pub fn take(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let used = self.venue.take(now, &self.buffer[..self.filled])?;
        self.buffer.copy_within(used..self.filled, 0);
        self.filled -= used;
        Ok(())
    }

    /// Forgets what came: somebody else has told the venue.
    pub fn forget(&mut self) {
        self.filled = 0;
    }

    /// Sends the venue's answers.
    ///
    /// # Errors
    /// A client that does not read.
    pub fn reply(&mut self) -> anyhow::Result<()> {
        let answers = &mut self.venue.answers;
        if !answers.is_empty() {
            let sent = send(&self.stream, answers, SEND)?;
            ensure!(sent == answers.len(), "the other end does not read");
            answers.clear();
        }
        Ok(())
    }
}
