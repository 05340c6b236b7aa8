//! Packs messages into packets, with heartbeats when idle and an end-of-session packet at the end.
//!
//! Gives bytes to send; sends nothing. Lines A and B carry the same bytes. Never allocates after
//! construction.

use super::{END_OF_SESSION, HEADER_BYTES, MESSAGES_PER_PACKET_MAX, Session, header};
use market::{Nanos, Timestamp};

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The open packet has no room left: send it, then push again.
    #[error("the open packet is full: send it first")]
    Full,
    /// No packet could hold it.
    #[error("message of {0} bytes does not fit any packet: raise the packet size")]
    TooLong(usize),
    /// The session is over.
    #[error("the session has ended: begin another")]
    Ended,
}

/// The sender's side of one session.
///
/// ```
/// use feeds::moldudp64::{Packet, Publisher, Session};
/// use market::{Nanos, Timestamp};
/// let session = Session::new("DEMO000001").unwrap();
/// let mut publisher = Publisher::new(session, 1, 1400, Nanos::SECOND);
/// publisher.push(b"first").unwrap();
/// publisher.push(b"second").unwrap();
/// let packet = Packet::parse(publisher.take(Timestamp::ZERO).unwrap()).unwrap();
/// assert_eq!((packet.sequence, packet.count), (1, 2));
/// ```
#[derive(Clone, Debug)]
pub struct Publisher {
    session: Session,
    /// Header and blocks of the open packet; the header is written when it is taken.
    packet: Vec<u8>,
    count: u16,
    /// Sequence of the next message to be pushed.
    next: u64,
    packet_bytes: usize,
    heartbeat_every: Nanos,
    sent: Timestamp,
    ended: bool,
}

impl Publisher {
    /// A publisher whose next message has sequence `next` (1 in a new session, else where the
    /// session was left). No packet is longer than `packet_bytes` (1,400 suits Ethernet; at least
    /// a header is allowed). A heartbeat is due when nothing was sent for `heartbeat_every`.
    #[must_use]
    pub fn new(session: Session, next: u64, packet_bytes: usize, heartbeat_every: Nanos) -> Self {
        let mut packet = Vec::with_capacity(packet_bytes.max(HEADER_BYTES));
        packet.resize(HEADER_BYTES, 0);
        let (count, sent, ended) = (0, Timestamp::ZERO, false);
        let next = next.max(1);
        Publisher { session, packet, count, next, packet_bytes, heartbeat_every, sent, ended }
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session
    }

    /// Sequence of the next message to be pushed.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Puts a message into the open packet; gives its sequence.
    ///
    /// # Errors
    /// [`PublishError::Full`] if the open packet must be taken first; the others are final.
    pub fn push(&mut self, message: &[u8]) -> Result<u64, PublishError> {
        if self.ended {
            return Err(PublishError::Ended);
        }
        let block = 2 + message.len();
        let length = u16::try_from(message.len()).ok();
        let length = length.filter(|_| HEADER_BYTES + block <= self.packet_bytes);
        let length = length.ok_or(PublishError::TooLong(message.len()))?;
        if self.count == 0 {
            self.packet.truncate(HEADER_BYTES);
        }
        let full = usize::from(self.count) == MESSAGES_PER_PACKET_MAX;
        if full || self.packet.len() + block > self.packet_bytes {
            return Err(PublishError::Full);
        }
        self.packet.extend_from_slice(&length.to_be_bytes());
        self.packet.extend_from_slice(message);
        self.count += 1;
        self.next += 1;
        Ok(self.next - 1)
    }

    /// Closes the open packet and gives its bytes; `None` if no message is in it.
    pub fn take(&mut self, now: Timestamp) -> Option<&[u8]> {
        if self.count == 0 {
            return None;
        }
        let first = self.next - u64::from(self.count);
        let header = header(self.session, first, self.count);
        self.packet[..HEADER_BYTES].copy_from_slice(&header);
        self.count = 0;
        self.sent = now;
        Some(&self.packet)
    }

    /// A heartbeat, if one is due: nothing was sent for a while and no packet is open. After the
    /// end of the session it is the end-of-session packet again.
    pub fn heartbeat(&mut self, now: Timestamp) -> Option<[u8; HEADER_BYTES]> {
        if self.count > 0 || now.since(self.sent) < self.heartbeat_every {
            return None;
        }
        self.sent = now;
        Some(header(self.session, self.next, if self.ended { END_OF_SESSION } else { 0 }))
    }

    /// Ends the session: gives the packet that says so. The open packet must have been taken; its
    /// messages would be missed.
    ///
    /// # Errors
    /// [`PublishError::Full`] if a packet is open.
    pub fn end(&mut self, now: Timestamp) -> Result<[u8; HEADER_BYTES], PublishError> {
        if self.count > 0 {
            return Err(PublishError::Full);
        }
        (self.ended, self.sent) = (true, now);
        Ok(header(self.session, self.next, END_OF_SESSION))
    }
}
