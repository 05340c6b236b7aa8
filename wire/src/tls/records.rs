//! TLS records between a socket's bytes and a session's: decrypted as they come, encrypted as they go.
//!
//! It owns no socket: whoever calls moves the encrypted bytes. It never waits and holds only its own
//! fixed buffers; the library below takes memory for one record at a time and gives it back at once.

use crate::buffer::{ReceiveBuffer, SendBuffer};
use crate::link::{End, LinkError};
use rustls::client::UnbufferedClientConnection;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use std::fmt;
use std::io;

/// Bytes of a session in one record (RFC 8446, section 5.1).
const FRAGMENT: usize = 16_384;
/// What encryption and pending messages of TLS's own may add to a fragment, amply.
const OVERHEAD: usize = 1_024;
/// A handshake message has at most 64 KiB and must stand there whole.
const COMING: usize = 128 * 1024;
const GOING: usize = 64 * 1024;

/// One connection's records.
pub(crate) struct Records {
    connection: UnbufferedClientConnection,
    /// Encrypted bytes that came.
    coming: ReceiveBuffer,
    /// Encrypted bytes that must go.
    going: SendBuffer,
    /// The rest of a decrypted record for which the session had no room.
    held: ReceiveBuffer,
    /// Why nothing more comes.
    ended: Option<End>,
    /// The library has refused something; it must not be asked again.
    failed: bool,
}

/// What the library is to do once it has no more of its own to do.
enum Job<'a> {
    /// Take what comes.
    Open(Option<&'a mut ReceiveBuffer>),
    /// Encrypt this, of one record at most.
    Seal(&'a [u8]),
    /// Say farewell.
    Close,
}

/// What it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Did {
    /// A record was decrypted; so many bytes went to the session.
    Opened(usize),
    /// The peer said farewell.
    Closed,
    /// More must come before the handshake goes on.
    Shaking,
    /// The handshake is over, there is nothing to decrypt, and the job is done.
    Ready,
}

impl Records {
    pub(super) fn new(connection: UnbufferedClientConnection) -> Records {
        Records {
            connection,
            coming: ReceiveBuffer::with_capacity(COMING),
            going: SendBuffer::with_capacity(GOING),
            held: ReceiveBuffer::with_capacity(FRAGMENT),
            ended: None,
            failed: false,
        }
    }

    /// One step of the handshake.
    pub(super) fn shake(&mut self) -> Result<Did, rustls::Error> {
        self.step(&mut Job::Open(None))
    }

    /// The encrypted sides, for the handshake.
    pub(super) fn sides(&mut self) -> (&mut ReceiveBuffer, &mut SendBuffer) {
        (&mut self.coming, &mut self.going)
    }

    /// Goes on until something was decrypted, or more must come, or the job is done.
    fn step(&mut self, job: &mut Job<'_>) -> Result<Did, rustls::Error> {
        if self.failed {
            return Err(rustls::Error::General("TLS failed before".into()));
        }
        loop {
            // Behind a record that is still held, none is opened: it would find no room.
            let idle = &mut [][..];
            let held_up = !self.held.bytes().is_empty();
            let records = if held_up { idle } else { self.coming.bytes_mut() };
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(records);
            let state = match state {
                Ok(state) => state,
                Err(error) => {
                    self.coming.consume(discard);
                    self.fail();
                    return Err(error);
                }
            };
            let did = match state {
                ConnectionState::EncodeTlsData(mut part) => {
                    let len = part.encode(self.going.space(OVERHEAD)).map_err(no_room)?;
                    self.going.grow(len);
                    None
                }
                ConnectionState::TransmitTlsData(part) => {
                    // It stands in `going`, before everything that comes after it.
                    part.done();
                    None
                }
                ConnectionState::ReadTraffic(mut traffic) => {
                    let mut opened = 0;
                    while let Some(record) = traffic.next_record() {
                        let bytes = record?.payload;
                        let taken = match job {
                            Job::Open(Some(input)) => input.push_some(bytes),
                            _ => 0,
                        };
                        opened += taken;
                        self.held.push(&bytes[taken..]).map_err(no_room)?;
                    }
                    Some(Did::Opened(opened))
                }
                ConnectionState::PeerClosed | ConnectionState::Closed => Some(Did::Closed),
                ConnectionState::BlockedHandshake => Some(Did::Shaking),
                ConnectionState::WriteTraffic(mut traffic) => {
                    let space = self.going.space(FRAGMENT + OVERHEAD);
                    let len = match job {
                        Job::Open(_) => 0,
                        Job::Seal(bytes) => traffic.encrypt(bytes, space).map_err(no_room)?,
                        Job::Close => traffic.queue_close_notify(space).map_err(no_room)?,
                    };
                    self.going.grow(len);
                    Some(Did::Ready)
                }
                _ => return Err(rustls::Error::General("data before the handshake".into())),
            };
            self.coming.consume(discard);
            if let Some(did) = did {
                return Ok(did);
            }
        }
    }

    /// Queues the alert that names the fault, if there is one. The library must not be asked again
    /// after that: it would take its input for new.
    fn fail(&mut self) {
        self.failed = true;
        let state = self.connection.process_tls_records(self.coming.bytes_mut()).state;
        if let Ok(ConnectionState::EncodeTlsData(mut alert)) = state
            && let Ok(len) = alert.encode(self.going.space(OVERHEAD))
        {
            self.going.grow(len);
        }
    }

    /// As [`Link::fill`](crate::Link::fill); `receive` brings encrypted bytes.
    pub(crate) fn fill(
        &mut self,
        input: &mut ReceiveBuffer,
        receive: impl FnOnce(&mut ReceiveBuffer) -> io::Result<Option<usize>>,
    ) -> Result<usize, LinkError> {
        let held = input.push_some(self.held.bytes());
        self.held.consume(held);
        if !self.held.bytes().is_empty() {
            return Ok(held);
        }
        if held > 0 {
            // Whole records may stand behind the one that was held.
            return Ok(held + self.open(input));
        }
        if let Some(end) = &self.ended {
            return Err(end.clone().into());
        }
        match receive(&mut self.coming)? {
            None if self.coming.is_full() => {
                self.ended = Some(End::Tls(rustls::Error::PeerSentOversizedRecord));
            }
            None => return Ok(0),
            Some(0) => self.ended = Some(End::Truncated),
            Some(_) => {
                let opened = self.open(input);
                if opened > 0 {
                    return Ok(opened);
                }
            }
        }
        match &self.ended {
            Some(end) => Err(end.clone().into()),
            None => Ok(0),
        }
    }

    /// True if a decrypted rest waits for room.
    pub(crate) fn holds_bytes(&self) -> bool {
        !self.held.bytes().is_empty()
    }

    /// Decrypts every whole record for which there is room, up to the end if it is there.
    pub(super) fn open(&mut self, input: &mut ReceiveBuffer) -> usize {
        let mut came = 0;
        while self.ended.is_none() && self.held.bytes().is_empty() {
            match self.step(&mut Job::Open(Some(input))) {
                Ok(Did::Opened(len)) => came += len,
                Ok(Did::Closed) => self.ended = Some(End::Closed),
                Ok(Did::Shaking | Did::Ready) => break,
                Err(error) => self.ended = Some(error.into()),
            }
        }
        came
    }

    /// As [`Link::flush`](crate::Link::flush); `send` offers encrypted bytes to the socket.
    pub(crate) fn flush(
        &mut self,
        output: &mut SendBuffer,
        mut send: impl FnMut(&mut SendBuffer) -> io::Result<usize>,
    ) -> Result<(), LinkError> {
        loop {
            if self.going.room() >= FRAGMENT + OVERHEAD && !output.is_empty() {
                let len = output.len().min(FRAGMENT);
                self.seal(&output.bytes()[..len])?;
                output.shrink(len);
            }
            if self.is_flushed() || send(&mut self.going)? == 0 || output.is_empty() {
                return Ok(());
            }
        }
    }

    /// Encrypts the bytes of one record.
    fn seal(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        loop {
            match self.step(&mut Job::Seal(bytes)).map_err(End::from)? {
                Did::Ready => return Ok(()),
                // One record may come in between; it is held for the next fill.
                Did::Opened(_) => {}
                // One that has closed may still listen (RFC 8446, section 6.1).
                Did::Closed => self.ended = self.ended.take().or(Some(End::Closed)),
                Did::Shaking => return Err(End::Tls(rustls::Error::HandshakeNotComplete).into()),
            }
        }
    }

    /// True if nothing encrypted must still go.
    pub(crate) fn is_flushed(&self) -> bool {
        self.going.is_empty()
    }

    /// As [`Link::close`](crate::Link::close). After a fault of the peer's the alert that names it
    /// stands for the farewell.
    pub(crate) fn close(
        &mut self,
        output: &mut SendBuffer,
        mut send: impl FnMut(&mut SendBuffer) -> io::Result<usize>,
    ) {
        let _ = self.flush(output, &mut send);
        // A record and a farewell may come in between; the next step goes past them.
        for _ in 0..3 {
            if !matches!(self.step(&mut Job::Close), Ok(Did::Opened(_) | Did::Closed)) {
                break;
            }
        }
        let _ = send(&mut self.going);
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("version", &self.connection.protocol_version())
            .field("coming", &self.coming.bytes().len())
            .field("going", &self.going.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The library found less room than one record needs, or refuses to go on.
fn no_room(error: impl fmt::Display) -> rustls::Error {
    rustls::Error::General(error.to_string())
}
