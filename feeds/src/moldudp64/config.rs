//! How a receiver is set up, what it is given and whom it tells. No behaviour stands here.

use super::Session;
use market::Nanos;
use std::net::SocketAddrV4;

/// Which way a datagram came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A multicast line: 0 is A, 1 is B, and so on.
    Live(u8),
    /// The socket that requests are sent from.
    Retransmission,
}

/// A datagram as the socket gave it.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Its payload.
    pub bytes: &'a [u8],
    /// It was longer than the buffer (MSG_TRUNC).
    pub truncated: bool,
    /// Who sent it, where that is known.
    pub from: Option<SocketAddrV4>,
    /// Raw TSC of the receive; handed through.
    pub received: u64,
}

/// Where to begin in a session that has been going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At sequence 1: what was missed is requested, and books are whole.
    FromFirst,
    /// At the first packet seen: books hold only what came since.
    FromCurrent,
    /// At what a snapshot leads to: books are whole, and the day need not be read again.
    FromSnapshot,
}

/// How missing messages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests {
    /// Most messages to ask for at once.
    pub count_max: u16,
    /// How long to wait for an answer.
    pub timeout: Nanos,
    /// How often to ask for the same message before the gap is given up, or a snapshot wanted. Zero
    /// where there is no request server: that is at once.
    pub tries: u32,
    /// With snapshots: the largest gap that is asked for; one of more messages needs a snapshot at
    /// once.
    pub gap_max: u64,
}

/// How a receiver is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// For each live line, its one allowed source; port 0 allows any port of the address.
    pub lines: Vec<Option<SocketAddrV4>>,
    /// The allowed source of answers to requests.
    pub server: Option<SocketAddrV4>,
    /// The only session to listen to; `None` follows whatever the lines carry.
    pub session: Option<Session>,
    /// Where to begin.
    pub start: Start,
    /// How long the other lines may take to bring what one lacks.
    pub arbitration_wait: Nanos,
    /// How to ask.
    pub requests: Requests,
    /// Early packets to keep.
    pub stash_packets: u32,
    /// The longest early packet that can be kept.
    pub packet_bytes_max: usize,
    /// A jump of more messages than this needs a second packet to be believed.
    pub jump_max: u64,
    /// Snapshots are to be had: what requests do not bring needs one, before it is given up.
    pub snapshots: bool,
}

impl Config {
    /// `lines` lines from any source, from the first message, with values that suit a local
    /// network.
    #[must_use]
    pub fn new(lines: usize) -> Config {
        Config {
            lines: vec![None; lines],
            server: None,
            session: None,
            start: Start::FromFirst,
            arbitration_wait: Nanos::from_micros(500),
            requests: Requests {
                count_max: 1024,
                timeout: Nanos::from_millis(50),
                tries: 20,
                gap_max: u64::MAX,
            },
            stash_packets: 1024,
            packet_bytes_max: 1500,
            jump_max: 1 << 22,
            snapshots: false,
        }
    }
}

/// Who is given the messages.
pub trait Handler {
    /// The next message. `received` is the stamp of its datagram.
    fn message(&mut self, sequence: u64, message: &[u8], received: u64);
    /// The packet is at its end; `next` is the sequence that comes next.
    fn packet_end(&mut self, next: u64, received: u64);
    /// `count` messages from `first` on are missing.
    fn gap(&mut self, first: u64, count: u64);
    /// Everything that was declared missing has come.
    fn recovered(&mut self);
    /// `count` messages from `first` on will never come: the gap ends without them.
    fn lost(&mut self, first: u64, count: u64);
    /// Another session began: sequences begin anew.
    fn session_reset(&mut self, session: Session);
    /// The last message of the session has been given.
    fn end_of_session(&mut self);
}
