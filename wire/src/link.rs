//! A connection as a session sees it: plain bytes in, plain bytes out, over TCP with or without TLS.
//!
//! The one way in which a session's bytes move. It never waits: the handshake is over before a link
//! is made. Without TLS it adds nothing to the socket's own calls.

use crate::buffer::{ReceiveBuffer, SendBuffer};
use crate::io::{Io, Timed};
use crate::stamp;
use crate::tcp::Stream;
use crate::tls::Records;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::AlertDescription;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Why nothing more comes or goes.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The peer has closed, and all that it sent has come.
    Closed,
    /// The peer is gone without TLS's farewell: what it sent last may be lost, or was cut by someone.
    Truncated,
    /// The peer has ended TLS with this alert.
    Alert(AlertDescription),
    /// What came is not what TLS allows: it was damaged, or is not the peer's.
    Tls(rustls::Error),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Closed => f.write_str("the peer closed the connection"),
            End::Truncated => {
                f.write_str("the connection was cut without the farewell of TLS (close_notify)")
            }
            End::Alert(alert) => write!(f, "the peer ended TLS with the alert {alert:?}"),
            End::Tls(error) => write!(f, "TLS: {error}"),
        }
    }
}

impl From<rustls::Error> for End {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::AlertReceived(alert) => End::Alert(alert),
            error => End::Tls(error),
        }
    }
}

/// A connection that is of no more use.
#[derive(Debug)]
pub enum LinkError {
    /// It ended.
    Ended(End),
    /// What the socket reports, for example a reset.
    Io(io::Error),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Ended(end) => end.fmt(f),
            LinkError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LinkError {}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        LinkError::Io(error)
    }
}

impl From<End> for LinkError {
    fn from(end: End) -> Self {
        LinkError::Ended(end)
    }
}

/// A connected stream, with or without TLS.
#[derive(Debug)]
pub struct Link {
    stream: Stream,
    tls: Option<Box<Records>>,
    received: u64,
}

impl Link {
    /// A link without TLS.
    #[must_use]
    pub fn plain(stream: Stream) -> Link {
        Link { stream, tls: None, received: 0 }
    }

    /// A link whose handshake is over.
    pub(crate) fn tls(stream: Stream, records: Records) -> Link {
        Link { stream, tls: Some(Box::new(records)), received: 0 }
    }

    /// The connection below, for its addresses and for a watchdog that may have to shut it down.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// True over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// True if bytes wait in the link itself: then there is something to receive though the socket may
    /// be silent.
    #[must_use]
    pub fn holds_bytes(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.holds_bytes())
    }

    /// Receives once, behind what is there; says how many bytes came. 0: nothing yet, or the buffer
    /// [is full](ReceiveBuffer::is_full), or only a part of a TLS record came.
    ///
    /// # Errors
    /// Why nothing more will come; everything that came before has been given out.
    pub fn fill(&mut self, io: &mut dyn Io, input: &mut ReceiveBuffer) -> Result<usize, LinkError> {
        self.fill_by(input, |buffer, fd| buffer.fill(io, fd))
    }

    /// As [`fill`](Self::fill), and says when the kernel got the last of what was read, if anything
    /// was and [its time](crate::tcp::Options::kernel_times) is known. Over TLS that is the time of
    /// encrypted bytes, a part of a record too; bytes that the link held come without one.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub fn fill_timed(
        &mut self,
        io: &mut dyn Io,
        input: &mut ReceiveBuffer,
    ) -> Result<Timed, LinkError> {
        let mut kernel_time = None;
        let len = self.fill_by(input, |buffer, fd| {
            let came = buffer.fill_timed(io, fd)?;
            kernel_time = came.and_then(|came| came.kernel_time);
            Ok(came.map(|came| came.len))
        })?;
        Ok(Timed { len, kernel_time })
    }

    #[inline]
    fn fill_by(
        &mut self,
        input: &mut ReceiveBuffer,
        receive: impl FnOnce(&mut ReceiveBuffer, BorrowedFd<'_>) -> io::Result<Option<usize>>,
    ) -> Result<usize, LinkError> {
        let fd = self.stream.as_fd();
        let Some(tls) = &mut self.tls else {
            let came = match receive(input, fd)? {
                Some(0) => return Err(End::Closed.into()),
                came => came.unwrap_or(0),
            };
            if came > 0 {
                self.received = stamp::now();
            }
            return Ok(came);
        };
        // Before TLS, not behind it: the stamp says when bytes came.
        let received = &mut self.received;
        tls.fill(input, |cipher| {
            let came = receive(cipher, fd)?;
            if came.is_some() {
                *received = stamp::now();
            }
            Ok(came)
        })
    }

    /// The [stamp](crate::stamp::now) right after the receive that brought the last bytes, before
    /// they were decrypted.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Offers what is queued in `output` to the socket, once. What it does not take stays in
    /// `output` or, encrypted, in the link: see [`is_flushed`](Self::is_flushed).
    ///
    /// # Errors
    /// What the socket or TLS reports.
    pub fn flush(&mut self, io: &mut dyn Io, output: &mut SendBuffer) -> Result<(), LinkError> {
        let fd = self.stream.as_fd();
        match &mut self.tls {
            None => {
                output.flush(io, fd)?;
            }
            Some(tls) => tls.flush(output, |cipher| cipher.flush(io, fd))?,
        }
        Ok(())
    }

    /// True if neither `output` nor the link holds anything that must still go.
    #[must_use]
    pub fn is_flushed(&self, output: &SendBuffer) -> bool {
        output.is_empty() && self.tls.as_ref().is_none_or(|tls| tls.is_flushed())
    }

    /// Waits until there may be something to receive or, with `to_send`, room to send; `timeout` at
    /// most. True if so. It blocks: for the thread that makes connections, before it hands them over.
    ///
    /// # Errors
    /// What the system reports.
    pub fn wait(&self, to_send: bool, timeout: Duration) -> io::Result<bool> {
        if !to_send && self.holds_bytes() {
            return Ok(true);
        }
        let wanted = if to_send { PollFlags::OUT } else { PollFlags::IN };
        let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.stream, wanted)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the connection after one more try to send what is queued, with TLS's farewell.
    pub fn close(mut self, io: &mut dyn Io, output: &mut SendBuffer) {
        let fd = self.stream.as_fd();
        // The connection ends in any case; the peer hears what it still can.
        match &mut self.tls {
            None => {
                let _ = output.flush(io, fd);
            }
            Some(tls) => tls.close(output, |cipher| cipher.flush(io, fd)),
        }
        let _ = self.stream.shutdown();
    }
}
