//! Which feed each line is of: the increments of a channel, or a loop of snapshots or definitions. A
//! line is known by where it is sent to, and told by its first packet that shows what it is: heartbeats
//! go out on all feeds. Never ties a loop to a channel, and judges no packet's turn.

use super::channel::{Channel, Waiting};
use super::templates::{Content, TEMPLATES, find};
use super::wire::{Message, Packet, SCHEMA};
use std::net::SocketAddrV4;

/// Destinations that are read.
const LINES_MAX: usize = 1_024;
/// Ports of lines A and B of a channel differ by this.
const PORTS_APART: u16 = 1_000;
/// `AdminHeartbeat`.
const HEARTBEAT: u16 = 12;
/// The longest packet of heartbeats that is kept; one heartbeat makes 22 bytes.
const KEPT_MAX: usize = 64;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feed {
    /// Of this channel.
    Incremental(usize),
    /// Snapshots or definitions, again and again: order does not matter.
    Loop,
}

/// See the module.
#[derive(Debug)]
struct Line {
    to: SocketAddrV4,
    /// `None` while only heartbeats came.
    feed: Option<Feed>,
    /// The last of these: if the line is of a channel, it has a number there.
    heartbeat: Option<Waiting>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lines {
    all: Vec<Line>,
}

impl Lines {
    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.all.len() as u64
    }

    /// The line that is sent to `to`; `None` if that would be one too many.
    pub(super) fn at(&mut self, to: SocketAddrV4) -> Option<usize> {
        let known = self.all.iter().position(|line| line.to == to);
        known.or_else(|| {
            let at = self.all.len();
            (at < LINES_MAX).then(|| self.all.push(Line { to, feed: None, heartbeat: None }))?;
            Some(at)
        })
    }

    /// What a line is, if that is known.
    pub(super) fn feed(&self, at: usize) -> Option<Feed> {
        self.all[at].feed
    }

    /// Where a line is sent to.
    pub(super) fn name(&self, at: usize) -> String {
        self.all[at].to.to_string()
    }

    /// Says what a line is.
    pub(super) fn decide(&mut self, at: usize, feed: Feed) {
        self.all[at].feed = Some(feed);
    }

    /// Keeps a packet of heartbeats of a line that is not yet known.
    pub(super) fn keep(&mut self, at: usize, bytes: &[u8], position: u64) {
        let waiting = || Waiting { bytes: bytes.to_vec(), position };
        self.all[at].heartbeat = (bytes.len() <= KEPT_MAX).then(waiting);
    }

    /// The packet that was kept.
    pub(super) fn kept(&mut self, at: usize) -> Option<Waiting> {
        self.all[at].heartbeat.take()
    }

    /// The channel whose other line this one is, which a packet shows to be of some channel: of those
    /// whose ports are so far apart, the one whose packets are nearest.
    pub(super) fn channel<'a>(
        &self,
        at: usize,
        packet: &Packet<'_>,
        bytes: &[u8],
        channel: impl Fn(usize) -> &'a Channel,
    ) -> Option<usize> {
        let own = self.all[at].to.port();
        let others = self.all.iter().filter(|line| line.to.port().abs_diff(own) == PORTS_APART);
        let channels = others.filter_map(|line| match line.feed {
            Some(Feed::Incremental(of)) => Some(of),
            _ => None,
        });
        channels.min_by_key(|&of| channel(of).distance(packet.sequence, bytes))
    }
}

/// True of a packet that any feed may have: of heartbeats alone.
pub(super) fn is_of_any(packet: &Packet<'_>) -> bool {
    let mut messages = packet.messages().peekable();
    messages.peek().is_some()
        && messages.all(|one| one.schema == SCHEMA && one.template == HEARTBEAT)
}

/// True of a packet that only snapshot and replay feeds have.
pub(super) fn is_of_loop(packet: &Packet<'_>) -> bool {
    packet.messages().any(|message| tells_loop(&message))
}

fn tells_loop(message: &Message<'_>) -> bool {
    let content = find(message.template).map(|row| TEMPLATES[row].content);
    match content.filter(|_| message.schema == SCHEMA) {
        Some(Content::Snapshot(..) | Content::OrderSnapshot(_)) => true,
        Some(Content::Definition(_)) => message.root.u32(1).is_some_and(|all| all != u32::MAX),
        _ => false,
    }
}
