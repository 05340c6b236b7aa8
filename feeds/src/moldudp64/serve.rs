//! Answers requests for messages that were sent before: one packet for one request, with as many of
//! the messages as fit.
//!
//! Gives bytes to send back to whoever asked; sends nothing. Never allocates after construction.

use super::{HEADER_BYTES, MESSAGES_PER_PACKET_MAX, Request, Session, header};

/// Where sent messages can be had again.
pub trait MessageStore {
    /// The message of a sequence, if it is there.
    fn message(&mut self, sequence: u64) -> Option<&[u8]>;
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub enum BadRequest {
    /// It is not of 20 bytes.
    #[error("a request has 20 bytes")]
    Length,
    /// It names another session.
    #[error("another session")]
    OtherSession,
    /// It asks for nothing.
    #[error("a request for no messages")]
    Nothing,
    /// The first message that it asks for is not there.
    #[error("no such message")]
    NoSuchMessage,
}

impl BadRequest {
    /// Every reason, in the order of the counters.
    pub const ALL: [BadRequest; 4] = [
        BadRequest::Length,
        BadRequest::OtherSession,
        BadRequest::Nothing,
        BadRequest::NoSuchMessage,
    ];
}

/// The retransmission server of one session.
#[derive(Clone, Debug)]
pub struct RequestServer {
    session: Session,
    packet: Vec<u8>,
    packet_bytes: usize,
    answered: u64,
    messages: u64,
    bad: [u64; BadRequest::ALL.len()],
}

impl RequestServer {
    /// A server whose packets are no longer than `packet_bytes`.
    #[must_use]
    pub fn new(session: Session, packet_bytes: usize) -> RequestServer {
        let packet = Vec::with_capacity(packet_bytes.max(HEADER_BYTES));
        let bad = [0; BadRequest::ALL.len()];
        RequestServer { session, packet, packet_bytes, answered: 0, messages: 0, bad }
    }

    /// Requests answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered
    }

    /// Messages sent again.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Requests not answered for a reason.
    #[must_use]
    pub fn bad(&self, reason: BadRequest) -> u64 {
        self.bad[reason as usize]
    }

    /// The packet that answers a request.
    ///
    /// # Errors
    /// [`BadRequest`], already counted; nothing is to be sent then.
    pub fn answer(
        &mut self,
        request: &[u8],
        store: &mut impl MessageStore,
    ) -> Result<&[u8], BadRequest> {
        match self.fill(request, store) {
            Ok(count) => {
                self.answered += 1;
                self.messages += u64::from(count);
                Ok(&self.packet)
            }
            Err(bad) => {
                self.bad[bad as usize] += 1;
                Err(bad)
            }
        }
    }

    fn fill(&mut self, request: &[u8], store: &mut impl MessageStore) -> Result<u16, BadRequest> {
        let request = Request::from_bytes(request).ok_or(BadRequest::Length)?;
        if request.session != self.session {
            return Err(BadRequest::OtherSession);
        }
        if request.count == 0 {
            return Err(BadRequest::Nothing);
        }
        self.packet.clear();
        self.packet.resize(HEADER_BYTES, 0);
        let mut count = 0;
        #[allow(clippy::cast_possible_truncation)] // 256.
        let most = request.count.min(MESSAGES_PER_PACKET_MAX as u16);
        while count < most {
            let sequence = request.sequence.checked_add(u64::from(count));
            let Some(message) = sequence.and_then(|sequence| store.message(sequence)) else {
                break;
            };
            let Ok(length) = u16::try_from(message.len()) else { break };
            if self.packet.len() + 2 + message.len() > self.packet_bytes {
                break;
            }
            self.packet.extend_from_slice(&length.to_be_bytes());
            self.packet.extend_from_slice(message);
            count += 1;
        }
        if count == 0 {
            return Err(BadRequest::NoSuchMessage);
        }
        let header = header(self.session, request.sequence, count);
        self.packet[..HEADER_BYTES].copy_from_slice(&header);
        Ok(count)
    }
}

/// Messages kept in memory, from sequence 1 on: for venues in process. It grows with the session.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    bytes: Vec<u8>,
    /// Where each message ends.
    ends: Vec<usize>,
}

impl MemoryStore {
    /// Keeps the next message.
    pub fn push(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len());
    }
}

impl MessageStore for MemoryStore {
    fn message(&mut self, sequence: u64) -> Option<&[u8]> {
        let at = usize::try_from(sequence.checked_sub(1)?).ok()?;
        let &end = self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..end])
    }
}
