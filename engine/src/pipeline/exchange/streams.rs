//! Market data by TCP: ITCH over SoupBinTCP from any message on, and snapshots as GLIMPSE gives
//! them.
//!
//! Who connects may listen: there is no password, as at order entry. Everyone is sent as much as
//! there is room for, and nobody waits for another. What is not published yet is never sent.

use super::{ExchangeCore, Net, Peer};
use feeds::moldudp64::Session;
use feeds::soupbintcp::{Asked, PACKET_MAX, Server};
use market::{Nanos, Timestamp};

/// After how long a silent client is gone.
const SILENCE: Nanos = Nanos::from_secs(15);
/// Messages that one client is sent in one poll.
const MESSAGES_MAX: usize = 1_024;

/// What a port serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// ITCH from a message on.
    Messages,
    /// What the session shows now.
    Snapshots,
}

/// Counts of the present process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Clients let in to listen.
    pub logins: u64,
    /// Messages sent to them.
    pub messages: u64,
    /// Snapshots made.
    pub snapshots: u64,
}

/// Somebody who listens.
#[derive(Debug)]
pub(super) struct StreamClient {
    door: Door,
    server: Server,
    /// The session let in to.
    session: Option<Session>,
    /// Number of the next message, by the session or within the snapshot.
    next: u64,
    /// The end was told.
    ended: bool,
    /// Messages of a snapshot that were not sent yet, each behind its length; how much of them is
    /// gone.
    snapshot: Vec<u8>,
    sent: usize,
}

impl ExchangeCore {
    /// A place for somebody who wants to listen; `None` when there is none.
    pub fn connect_stream(&mut self, door: Door, now: Timestamp) -> Option<usize> {
        let place = self.peers.iter().rposition(|peer| *peer == Peer::Nobody);
        let place = place.filter(|_| !self.stopping)?;
        self.peers[place] = Peer::Stream;
        self.stream_clients[place] = Some(StreamClient {
            door,
            server: Server::new(self.config.market_data.heartbeat_ms, SILENCE, now),
            session: None,
            next: 1,
            ended: false,
            snapshot: Vec::new(),
            sent: 0,
        });
        Some(place)
    }

    /// Takes bytes of somebody who listens; says how many.
    pub(super) fn hear_stream(
        &mut self,
        connection: usize,
        now: Timestamp,
        bytes: &[u8],
        net: &mut dyn Net,
    ) -> Option<usize> {
        let client = self.stream_clients[connection].as_mut()?;
        let (length, asked) = match client.server.take(bytes, now) {
            Ok(taken) => taken?,
            Err(bad) => {
                self.dismiss(connection, Some(bad.to_string()), net);
                return None;
            }
        };
        match asked {
            Asked::Login(_, session, from) => {
                self.admit_stream(connection, session, from, now, net);
            }
            Asked::Logout => self.dismiss(connection, None, net),
            Asked::Nothing => {}
        }
        Some(length)
    }

    fn admit_stream(
        &mut self,
        connection: usize,
        session: Option<Session>,
        from: u64,
        now: Timestamp,
        net: &mut dyn Net,
    ) {
        let publication = &self.floor.publication;
        let (present, next) = (publication.session(), publication.next_sequence());
        let Some(client) = self.stream_clients[connection].as_mut() else { return };
        let mut out = Vec::new();
        // Zero asks for the newest message.
        let from = if from == 0 { next.saturating_sub(1).max(1) } else { from };
        let there = client.door == Door::Snapshots || from <= next;
        let board = publication.board().filter(|_| client.door == Door::Snapshots);
        if session.is_some_and(|asked| asked != present) || !there {
            client.server.reject(b'S', &mut out);
            net.client(connection).send(&out);
            self.dismiss(connection, Some("no such session or message".to_owned()), net);
            return;
        }
        (client.session, client.next) = (Some(present), from);
        if let Some(board) = board {
            client.next = 1;
            board.snapshot(next, |message| {
                // Of ITCH: far shorter than this.
                let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
                client.snapshot.extend_from_slice(&length.to_be_bytes());
                client.snapshot.extend_from_slice(message);
            });
            self.streamed.snapshots += 1;
        }
        client.server.accept(present, client.next, now, &mut out);
        net.client(connection).send(&out);
        self.streamed.logins += 1;
    }

    /// Ends a connection of somebody who listens.
    fn dismiss(&mut self, connection: usize, why: Option<String>, net: &mut dyn Net) {
        self.stream_clients[connection] = None;
        self.peers[connection] = Peer::Nobody;
        net.cut(connection);
        if why.is_some() {
            self.refused += 1;
            self.last_refused = why;
        }
    }

    /// The other side closed the connection.
    pub(super) fn stream_left(&mut self, connection: usize) {
        self.stream_clients[connection] = None;
        self.peers[connection] = Peer::Nobody;
    }

    /// Sends everyone what there is. True if anything was sent.
    pub(super) fn poll_streams(&mut self, now: Timestamp, net: &mut dyn Net) -> bool {
        let mut worked = false;
        for connection in 0..self.stream_clients.len() {
            let Some(client) = self.stream_clients[connection].as_mut() else { continue };
            let mut out = Vec::new();
            let publication = &mut self.floor.publication;
            let foreign = client.session.is_some_and(|of| of != publication.session());
            let ended = client.door == Door::Messages && publication.is_ended();
            let room = net.client(connection).room();
            let (sent, all) = match client.door {
                _ if !client.server.is_up() || foreign => (0, true),
                Door::Messages => client.messages(publication, now, room, &mut out),
                Door::Snapshots => client.rest_of_snapshot(now, room, &mut out),
            };
            self.streamed.messages += sent;
            if all && ended && client.server.is_up() && !client.ended {
                client.ended = true;
                client.server.end(now, &mut out);
            }
            let alive = !all || client.server.poll(now, &mut out).is_ok();
            worked |= !out.is_empty();
            // Room was asked for, but for what comes again or is not waited for.
            if out.len() <= room {
                net.client(connection).send(&out);
            }
            // A session that another process continues has no end; who does not read is not waited
            // for.
            let over = foreign || self.stopping && (all || sent == 0);
            if over || !alive {
                self.dismiss(connection, None, net);
            }
        }
        worked
    }
}

impl StreamClient {
    /// Sends what was published since; how many messages that were, and whether these were all.
    fn messages(
        &mut self,
        publication: &mut super::publication::Publication,
        now: Timestamp,
        room: usize,
        out: &mut Vec<u8>,
    ) -> (u64, bool) {
        let first = self.next;
        let published = publication.next_sequence();
        for _ in 0..MESSAGES_MAX {
            if self.next >= published || out.len() + PACKET_MAX > room {
                break;
            }
            let Some(message) = publication.published(self.next) else { break };
            self.server.message(message, now, out);
            self.next += 1;
        }
        (self.next - first, self.next >= published)
    }

    /// Sends more of the snapshot.
    fn rest_of_snapshot(&mut self, now: Timestamp, room: usize, out: &mut Vec<u8>) -> (u64, bool) {
        let first = self.next;
        for _ in 0..MESSAGES_MAX {
            let rest = &self.snapshot[self.sent..];
            let Some((length, rest)) = rest.split_first_chunk::<2>() else { break };
            let length = usize::from(u16::from_be_bytes(*length));
            if out.len() + PACKET_MAX > room {
                break;
            }
            self.server.message(&rest[..length], now, out);
            self.sent += 2 + length;
            self.next += 1;
        }
        let all = self.sent == self.snapshot.len();
        if all {
            (self.snapshot, self.sent) = (Vec::new(), 0);
        }
        (self.next - first, all)
    }
}
