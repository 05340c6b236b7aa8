//! A feed on its sockets: reads each line in turn, and sends what the feed wants requested.
//!
//! Reads a datagram only when its events fit into the room that the caller has, and leaves it in the
//! socket else. Never waits, and decides nothing: that is the [`Feed`]'s.

use crate::feed::Feed;
use crate::moldudp64::{Datagram, Line};
use market::{Sink, Timestamp};
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::AsFd;
use wire::Io;
use wire::udp::Socket;

/// Polls between two looks at the request server's socket while nothing is asked of it: only answers
/// that came too late can be there.
const LATE_EVERY: u32 = 64;
/// Polls between two that read a datagram with its envelope: the kernel's time of it. Asking for that
/// at each would cost a tick more than everything else that is done with it here.
const ENVELOPE_EVERY: u32 = 16;
/// No datagram is longer, so that none is cut.
const DATAGRAM_BYTES: usize = 65_536;

/// A feed, one socket for each of its lines, and one to ask the request server by.
#[derive(Debug)]
pub struct UdpFeed {
    feed: Feed,
    sockets: Vec<(Line, Socket)>,
    /// Where requests go; they are sent from the last socket.
    server: Option<SocketAddrV4>,
    /// Which socket is read next.
    turn: usize,
    polls: u32,
    buffer: Box<[u8]>,
    back_pressured: u64,
}

impl UdpFeed {
    /// Reads `lines`, A first. `server` is the socket to send requests from, and where to.
    ///
    /// # Panics
    /// If there are more than 256 lines.
    #[must_use]
    pub fn new(feed: Feed, lines: Vec<Socket>, server: Option<(Socket, SocketAddrV4)>) -> UdpFeed {
        let live = |line| Line::Live(u8::try_from(line).expect("at most 256 lines"));
        let mut sockets: Vec<_> =
            lines.into_iter().enumerate().map(|(line, socket)| (live(line), socket)).collect();
        let server = server.map(|(socket, address)| {
            sockets.push((Line::Retransmission, socket));
            address
        });
        let buffer = vec![0; DATAGRAM_BYTES].into_boxed_slice();
        UdpFeed { feed, sockets, server, turn: 0, polls: 0, buffer, back_pressured: 0 }
    }

    /// The feed, for its counters and state.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Polls at which there was no room for a datagram's events.
    #[must_use]
    pub fn back_pressured(&self) -> u64 {
        self.back_pressured
    }

    /// Does what there is to do: gives on packets whose turn has come, reads each socket at most
    /// once and none behind a datagram that brought something, lets time pass and sends a request if
    /// one is due. `room` is how many events the sink can
    /// take; below [`Feed::EVENTS_MAX`] nothing is done. `heard` is told of the datagrams that were
    /// read with their envelope, for the stamps: those of one poll in sixteen, and all of a line whose
    /// source is checked. True if anything was done.
    ///
    /// # Errors
    /// What a socket reports; the others are read at the next poll.
    #[inline]
    pub fn poll(
        &mut self,
        io: &mut dyn Io,
        now: Timestamp,
        room: usize,
        sink: &mut impl Sink,
        mut heard: impl FnMut(&wire::Datagram),
    ) -> io::Result<bool> {
        let mut packets = room / Feed::EVENTS_MAX;
        if packets == 0 {
            self.back_pressured += 1;
            return Ok(false);
        }
        let mut worked = false;
        if self.feed.pending() {
            packets -= self.feed.drain(packets, now, sink);
            worked = true;
        }
        self.polls = self.polls.wrapping_add(1);
        let awaited = self.feed.receiver().expected();
        for _ in 0..self.sockets.len().min(packets) {
            worked |= self.read(io, now, sink, &mut heard)?;
            // What it brought must not wait for the read of another socket.
            if self.feed.pending() || self.feed.receiver().expected() != awaited {
                break;
            }
        }
        if let Some(request) = self.feed.poll(now, sink)
            && let (Some(server), Some((_, socket))) = (self.server, self.sockets.last())
        {
            // Not sent is as good as lost on the way: it will be asked again.
            io.send_to(socket.as_fd(), &request.to_bytes(), server)?;
            worked = true;
        }
        Ok(worked)
    }

    /// Reads one datagram of the socket whose turn it is.
    #[inline]
    fn read(
        &mut self,
        io: &mut dyn Io,
        now: Timestamp,
        sink: &mut impl Sink,
        heard: &mut impl FnMut(&wire::Datagram),
    ) -> io::Result<bool> {
        let (line, socket) = &self.sockets[self.turn];
        self.turn = if self.turn + 1 == self.sockets.len() { 0 } else { self.turn + 1 };
        let asking = self.feed.receiver().in_gap() || self.polls.is_multiple_of(LATE_EVERY);
        if *line == Line::Retransmission && !asking {
            return Ok(false);
        }
        let checked = self.feed.receiver().checks_source(*line);
        if checked || self.polls.is_multiple_of(ENVELOPE_EVERY) {
            let Some(got) = io.recv_datagram(socket.as_fd(), &mut self.buffer)? else {
                return Ok(false);
            };
            heard(&got);
            let (truncated, received) = (got.truncated, got.received);
            let bytes = &self.buffer[..got.len];
            let datagram = Datagram { bytes, truncated, from: Some(got.from), received };
            self.feed.on_datagram(*line, &datagram, now, sink);
        } else {
            let Some(len) = io.recv(socket.as_fd(), &mut self.buffer)? else { return Ok(false) };
            let (received, bytes) = (wire::stamp::now(), &self.buffer[..len]);
            let datagram = Datagram { bytes, truncated: false, from: None, received };
            self.feed.on_datagram(*line, &datagram, now, sink);
        }
        Ok(true)
    }
}
