//! A [`Link`] as `Read` and `Write`, which is what a websocket's library asks for. Polled, it reads
//! what came before and never waits; the thread that makes connections lets it wait, up to a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};
use wire::{Io, Link, LinkError, ReceiveBuffer, SendBuffer};

/// Bytes that came and were not read yet, and bytes that must still go.
const INPUT: usize = 128 * 1024;
const OUTPUT: usize = 32 * 1024;

/// See the module.
pub(crate) struct Stream {
    link: Link,
    input: ReceiveBuffer,
    output: SendBuffer,
    /// While it may wait: by what, and until when.
    waits: Option<(Box<dyn Io>, Instant)>,
    /// Why nothing more comes.
    ended: Option<LinkError>,
}

impl Stream {
    /// One that waits for `timeout` altogether.
    ///
    /// # Errors
    /// The host has no sockets.
    pub(crate) fn waiting(link: Link, timeout: Duration) -> io::Result<Stream> {
        let io = wire::open(wire::Backend::Plain)?.io;
        Ok(Stream {
            link,
            input: ReceiveBuffer::with_capacity(INPUT),
            output: SendBuffer::with_capacity(OUTPUT),
            waits: Some((io, Instant::now() + timeout)),
            ended: None,
        })
    }

    /// From now on it never waits.
    pub(crate) fn polled(&mut self) {
        self.waits = None;
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Receives once; true if anything came.
    pub(crate) fn fill(&mut self, io: &mut dyn Io) -> bool {
        if self.ended.is_some() {
            return false;
        }
        match self.link.fill(io, &mut self.input) {
            Ok(came) => came > 0,
            Err(error) => {
                self.ended = Some(error);
                false
            }
        }
    }

    /// Offers to the socket what must go, once.
    pub(crate) fn send(&mut self, io: &mut dyn Io) -> Result<(), LinkError> {
        self.link.flush(io, &mut self.output)
    }

    /// True if nothing must go any more.
    pub(crate) fn is_flushed(&self) -> bool {
        self.link.is_flushed(&self.output)
    }

    /// Ends the connection.
    pub(crate) fn close(mut self, io: &mut dyn Io) {
        self.link.close(io, &mut self.output);
    }

    /// Waits until something is there, if it may.
    fn await_input(&mut self) -> io::Result<()> {
        while self.input.bytes().is_empty() && self.ended.is_none() {
            let Some((mut io, deadline)) = self.waits.take() else { break };
            let left = deadline.saturating_duration_since(Instant::now());
            let came = self.fill(io.as_mut());
            self.waits = Some((io, deadline));
            if !came && self.ended.is_none() {
                if left.is_zero() {
                    return Err(ErrorKind::TimedOut.into());
                }
                self.link.wait(false, left)?;
            }
        }
        Ok(())
    }

    /// Sends all that must go, if it may wait.
    fn await_sent(&mut self) -> io::Result<()> {
        let Some((mut io, deadline)) = self.waits.take() else { return Ok(()) };
        let mut sent = Ok(());
        while sent.is_ok() {
            sent = self.link.flush(io.as_mut(), &mut self.output).map_err(into_io);
            if sent.is_err() || self.is_flushed() {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            sent = match left.is_zero() {
                true => Err(ErrorKind::TimedOut.into()),
                false => self.link.wait(true, left).map(drop),
            };
        }
        self.waits = Some((io, deadline));
        sent
    }
}

fn into_io(error: LinkError) -> io::Error {
    match error {
        LinkError::Io(error) => error,
        LinkError::Ended(end) => io::Error::other(end.to_string()),
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.await_input()?;
        let there = self.input.bytes();
        if !there.is_empty() {
            let len = there.len().min(into.len());
            into[..len].copy_from_slice(&there[..len]);
            self.input.consume(len);
            return Ok(len);
        }
        match &self.ended {
            None => Err(ErrorKind::WouldBlock.into()),
            Some(LinkError::Ended(wire::End::Closed)) => Ok(0),
            Some(error) => Err(io::Error::other(error.to_string())),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.output.room());
        if len == 0 && !bytes.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.output.push(&bytes[..len]).map_err(|full| io::Error::other(full.to_string()))?;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.await_sent()
    }
}
