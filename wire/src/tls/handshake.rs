//! The handshake on a connection that waits, and what to change when it fails.
//!
//! It belongs to the thread that makes connections: no polled thread may come here.

use super::records::{Did, Records};
use super::{Client, Minimum, OtherKey};
use crate::tcp::Stream;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error, OtherError};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Why there is no TLS.
#[derive(Debug)]
pub enum HandshakeError {
    /// What the socket reports.
    Io(io::Error),
    /// The peer did not answer in time.
    TimedOut,
    /// The peer closed in the middle.
    Closed,
    /// The peer showed what we do not take, or does not take what we show.
    Refused(Box<Refusal>),
}

/// Who refuses whom, and why.
#[derive(Debug)]
pub struct Refusal {
    name: ServerName<'static>,
    minimum: Minimum,
    error: Error,
}

impl Refusal {
    /// The reason in the library's words.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl HandshakeError {
    pub(super) fn refused(client: &Client, error: Error) -> HandshakeError {
        let (name, minimum) = (client.name.clone(), client.minimum);
        HandshakeError::Refused(Box::new(Refusal { name, minimum, error }))
    }
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What a read or a write with a time-out says when it is over.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => HandshakeError::TimedOut,
            io::ErrorKind::UnexpectedEof => HandshakeError::Closed,
            _ => HandshakeError::Io(error),
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandshakeError::Io(error) => error.fmt(f),
            HandshakeError::TimedOut => f.write_str(
                "no answer in time: check that the peer speaks TLS at this port, or allow it longer",
            ),
            HandshakeError::Closed => f.write_str(
                "the peer closed without a word: check that it speaks TLS at this port and takes \
                 connections from this address",
            ),
            HandshakeError::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for HandshakeError {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { name, minimum, error } = self;
        let name = name.to_str();
        match error {
            Error::InvalidCertificate(why) => certificate(f, &name, why),
            Error::PeerIncompatible(_)
            | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
                write!(
                    f,
                    "the peer offers nothing that TLS {minimum} or newer has ({error}): lower the \
                     minimum version if it is 1.3, or ask for an address with a newer TLS"
                )
            }
            Error::AlertReceived(AlertDescription::UnrecognisedName) => {
                write!(f, "the peer does not know the name {name}: correct the server name")
            }
            Error::AlertReceived(alert) => write!(
                f,
                "the peer refuses with the alert {alert:?}: check the address, the server name and \
                 whether this host is allowed there"
            ),
            Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => write!(
                f,
                "what comes is not TLS ({error}): check the port, or switch TLS off if the peer \
                 speaks plain TCP there"
            ),
            _ => error.fmt(f),
        }
    }
}

fn certificate(f: &mut fmt::Formatter<'_>, name: &str, why: &CertificateError) -> fmt::Result {
    match why {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            write!(f, "the certificate is not for {name}")?;
            if let CertificateError::NotValidForNameContext { presented, .. } = why {
                write!(f, " but for {}", presented.join(", "))?;
            }
            f.write_str(": set the server name that the peer documents, or correct the address")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => write!(
            f,
            "the certificate of {name} has expired: check this host's clock; else the peer must \
             renew it"
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            write!(f, "the certificate of {name} is not valid yet: check this host's clock")
        }
        CertificateError::UnknownIssuer => write!(
            f,
            "no root that we trust vouches for the certificate of {name} (unknown issuer, or \
             self-signed): give the PEM file of its root as the trust, if it is the right peer"
        ),
        CertificateError::Revoked => write!(f, "the certificate of {name} is revoked"),
        CertificateError::Other(OtherError(other)) => match other.downcast_ref::<OtherKey>() {
            Some(key) => write!(
                f,
                "the certificate of {name} is good but not the pinned one ({key}): set this pin \
                 only if the peer has announced a new key"
            ),
            None => write!(f, "the certificate of {name} is refused: {other}"),
        },
        _ => write!(f, "the certificate of {name} is refused: {why}"),
    }
}

/// Runs the handshake to its end. What the peer sends right behind it stays in `records`.
pub(super) fn run(
    client: &Client,
    records: &mut Records,
    stream: &Stream,
    timeout: Duration,
) -> Result<(), HandshakeError> {
    let deadline = Instant::now() + timeout;
    let mut socket = Waiting { socket: stream.waiting(true)?, deadline };
    let result = shake(client, records, &mut socket);
    if result.is_err() {
        // The alert that names the fault, if the peer still hears it.
        let _ = send(records, &mut socket);
    }
    stream.waiting(false)?;
    result
}

fn shake(
    client: &Client,
    records: &mut Records,
    socket: &mut Waiting<'_>,
) -> Result<(), HandshakeError> {
    loop {
        let did = records.shake().map_err(|error| HandshakeError::refused(client, error))?;
        send(records, socket)?;
        match did {
            Did::Ready => return Ok(()),
            Did::Shaking if records.sides().0.read(socket)? > 0 => {}
            Did::Shaking | Did::Closed => return Err(HandshakeError::Closed),
            // Held until the link is read.
            Did::Opened(_) => {}
        }
    }
}

fn send(records: &mut Records, socket: &mut Waiting<'_>) -> Result<(), HandshakeError> {
    let (_, going) = records.sides();
    socket.write_all(going.bytes())?;
    going.shrink(going.len());
    Ok(())
}

/// A socket whose every call waits until the one deadline at most.
struct Waiting<'a> {
    socket: &'a TcpStream,
    deadline: Instant,
}

impl Waiting<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        // Zero would be no time-out at all.
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Waiting<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            self.socket.set_read_timeout(self.left()?)?;
            match self.socket.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Write for Waiting<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
