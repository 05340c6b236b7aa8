//! MoldUDP64: numbered messages in datagrams, several lines that carry the same, and a server
//! that sends missing ones again.
//!
//! This file knows the bytes of one packet; [`Receiver`] puts packets in order, [`Publisher`]
//! makes them, [`RequestServer`] answers requests. All are state machines that are given the time.
//! Source: "MoldUDP64 Protocol Specification" V 1.00.
//!
//! A packet is session (10 bytes), sequence of its first message (u64), count (u16), and that many
//! blocks of length (u16) and message, all big-endian. Count 0 is a heartbeat and 0xFFFF the end of
//! the session; both carry the sequence that comes next. A request is session, first sequence and
//! count.

mod config;
mod copies;
mod counters;
mod publish;
mod receiver;
pub(crate) mod recording;
mod serve;
mod stash;

pub use config::{Config, Datagram, Handler, Line, Requests, Start};
pub use counters::{LineCounters, ReceiverCounters, Recoveries};
pub use publish::{PublishError, Publisher};
pub use receiver::{FarOff, Receiver};
pub use serve::{BadRequest, MemoryStore, MessageStore, RequestServer};

use std::fmt;

/// Bytes of a packet before its first block.
pub const HEADER_BYTES: usize = 20;
/// Bytes of a request.
pub const REQUEST_BYTES: usize = 20;
/// `count` of an end-of-session packet.
pub const END_OF_SESSION: u16 = 0xffff;
/// Most messages that a packet may have. An Ethernet frame holds at most 104 ITCH messages; a
/// packet that claims more than this is bad, so that whoever reserves room for a packet may.
pub const MESSAGES_PER_PACKET_MAX: usize = 256;

/// A session's name: ten bytes of ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Session(pub [u8; 10]);

impl Session {
    /// The session called `name`, padded on the right; `None` if it is empty, longer than ten
    /// bytes, or not printable ASCII.
    #[must_use]
    pub fn new(name: &str) -> Option<Session> {
        let bytes = name.as_bytes();
        if !(1..=10).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut padded = [b' '; 10];
        padded[..bytes.len()].copy_from_slice(bytes);
        Some(Session(padded))
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.trim_ascii().escape_ascii())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({self})")
    }
}

/// Why a datagram is no packet. Nothing of such a datagram is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BadPacket {
    /// Fewer than 20 bytes.
    Short,
    /// A block passes the end of the datagram, or there are fewer than the count says.
    BlockPastEnd,
    /// Bytes are left after the last block.
    TrailingBytes,
    /// More than [`MESSAGES_PER_PACKET_MAX`].
    TooManyMessages,
    /// Sequences of a live line begin at 1.
    SequenceZero,
    /// Sequence plus count passes 2^64 − 1.
    SequenceOverflow,
    /// The receive buffer was too small for it (MSG_TRUNC).
    Truncated,
    /// Not from the configured source.
    WrongSource,
    /// Of a line that was not configured.
    UnknownLine,
    /// Of a session that is over, or not the configured one.
    OtherSession,
    /// Millions of messages ahead, which no second packet confirmed.
    FarAhead,
}

impl BadPacket {
    /// Every reason, in the order of the counters.
    pub const ALL: [BadPacket; 11] = [
        BadPacket::Short,
        BadPacket::BlockPastEnd,
        BadPacket::TrailingBytes,
        BadPacket::TooManyMessages,
        BadPacket::SequenceZero,
        BadPacket::SequenceOverflow,
        BadPacket::Truncated,
        BadPacket::WrongSource,
        BadPacket::UnknownLine,
        BadPacket::OtherSession,
        BadPacket::FarAhead,
    ];

    /// The reason in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            BadPacket::Short => "shorter than a header",
            BadPacket::BlockPastEnd => "a block passes the end of the datagram",
            BadPacket::TrailingBytes => "bytes are left after the last block",
            BadPacket::TooManyMessages => "more messages than a datagram can hold",
            BadPacket::SequenceZero => "sequence zero",
            BadPacket::SequenceOverflow => "sequence and count overflow",
            BadPacket::Truncated => "truncated by the receiver: enlarge the receive buffer",
            BadPacket::WrongSource => "from a wrong source",
            BadPacket::UnknownLine => "of an unknown line",
            BadPacket::OtherSession => "of another session",
            BadPacket::FarAhead => "implausibly far ahead",
        }
    }
}

impl fmt::Display for BadPacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for BadPacket {}

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// It carries messages.
    Messages,
    /// It says that the line lives, and which sequence comes next.
    Heartbeat,
    /// It says that no more will come, and which sequence would.
    EndOfSession,
}

/// A packet, checked from end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its session.
    pub session: Session,
    /// Sequence of its first message, or of the next one to come if it has none.
    pub sequence: u64,
    /// Messages in it.
    pub count: u16,
    /// What it is for.
    pub kind: PacketKind,
    blocks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The packet that `bytes` are.
    ///
    /// # Errors
    /// [`BadPacket`]: `Short`, `BlockPastEnd`, `TrailingBytes`, `TooManyMessages` or
    /// `SequenceOverflow`. Sequence zero passes, since captures of single messages have it.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, BadPacket> {
        let (header, blocks) = bytes.split_at_checked(HEADER_BYTES).ok_or(BadPacket::Short)?;
        let session = Session(std::array::from_fn(|i| header[i]));
        let sequence = u64::from_be_bytes(std::array::from_fn(|i| header[10 + i]));
        let (count, kind) = match u16::from_be_bytes([header[18], header[19]]) {
            0 => (0, PacketKind::Heartbeat),
            END_OF_SESSION => (0, PacketKind::EndOfSession),
            count => (count, PacketKind::Messages),
        };
        if usize::from(count) > MESSAGES_PER_PACKET_MAX {
            return Err(BadPacket::TooManyMessages);
        }
        sequence.checked_add(u64::from(count)).ok_or(BadPacket::SequenceOverflow)?;
        let packet = Packet { session, sequence, count, kind, blocks };
        let mut messages = packet.messages();
        let found = messages.by_ref().count();
        if found < usize::from(count) {
            return Err(BadPacket::BlockPastEnd);
        }
        if !messages.rest.is_empty() {
            return Err(BadPacket::TrailingBytes);
        }
        Ok(packet)
    }

    /// The sequence after its last message.
    #[inline]
    #[must_use]
    pub fn next(&self) -> u64 {
        self.sequence + u64::from(self.count)
    }

    /// Its messages in order.
    #[inline]
    #[must_use]
    pub fn messages(&self) -> Messages<'a> {
        Messages { rest: self.blocks, left: self.count }
    }
}

/// The messages of a packet.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
    left: u16,
}

impl<'a> Iterator for Messages<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (length, rest) = self.rest.split_first_chunk()?;
        let (message, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.rest = rest;
        Some(message)
    }
}

/// Asks for messages to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Of which session.
    pub session: Session,
    /// The first.
    pub sequence: u64,
    /// How many; the server may send fewer.
    pub count: u16,
}

impl Request {
    /// The datagram to send to the request server.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; REQUEST_BYTES] {
        header(self.session, self.sequence, self.count)
    }

    /// The request that `bytes` are; `None` unless there are 20.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Request> {
        let bytes: &[u8; REQUEST_BYTES] = bytes.try_into().ok()?;
        Some(Request {
            session: Session(std::array::from_fn(|i| bytes[i])),
            sequence: u64::from_be_bytes(std::array::from_fn(|i| bytes[10 + i])),
            count: u16::from_be_bytes([bytes[18], bytes[19]]),
        })
    }
}

/// Packets and requests begin alike.
fn header(session: Session, sequence: u64, count: u16) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..10].copy_from_slice(&session.0);
    bytes[10..18].copy_from_slice(&sequence.to_be_bytes());
    bytes[18..].copy_from_slice(&count.to_be_bytes());
    bytes
}
