//! A feed on its sockets: reads each line in turn, and sends what the feed wants requested.
//!
//! Gives on a datagram only when its events fit into the room that the caller has. A line that was
//! silent is read datagram by datagram, which is quickest for one; a line that brought something again
//! and again is read for all that waits there, by one call. Never waits, and decides nothing: that
//! is the [`Feed`]'s.

use crate::feed::Feed;
use crate::moldudp64::{Datagram, Line};
use market::{Sink, Timestamp};
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::AsFd;
use wire::udp::Socket;
use wire::{Batch, DATAGRAMS, Io};

/// Polls between two looks at the request server's socket while nothing is asked of it: only answers
/// that came too late can be there.
const LATE_EVERY: u32 = 64;
/// Polls between two that read a datagram with its envelope: the kernel's time of it. Asking for that
/// at each would cost a tick more than everything else that is done with it here.
const ENVELOPE_EVERY: u32 = 16;
/// Reads in a row that bring something before a line is taken for busy. One datagram alone must not pay
/// for a look at many.
const BUSY_AFTER: u32 = 2;
/// No datagram is longer, so that none is cut.
const DATAGRAM_BYTES: usize = 65_536;

/// A feed, one socket for each of its lines, and one to ask the request server by.
#[derive(Debug)]
pub struct UdpFeed {
    feed: Feed,
    sources: Vec<Source>,
    /// Where requests go; they are sent from the last socket.
    server: Option<SocketAddrV4>,
    /// Which socket is read next.
    turn: usize,
    polls: u32,
    buffer: Box<[u8]>,
    /// What was read together, of which source, and how many of it were given on.
    batch: Batch,
    batched: usize,
    given: usize,
}

/// A line and its socket.
#[derive(Debug)]
struct Source {
    line: Line,
    socket: Socket,
    /// Its last reads in a row that brought something.
    brought: u32,
}

impl UdpFeed {
    /// Reads `lines`, A first. `server` is the socket to send requests from, and where to.
    ///
    /// # Panics
    /// If there are more than 256 lines.
    #[must_use]
    pub fn new(feed: Feed, lines: Vec<Socket>, server: Option<(Socket, SocketAddrV4)>) -> UdpFeed {
        let live = |line| Line::Live(u8::try_from(line).expect("at most 256 lines"));
        let source = |line, socket| Source { line, socket, brought: 0 };
        let lines = lines.into_iter().enumerate();
        let mut sources: Vec<_> = lines.map(|(at, socket)| source(live(at), socket)).collect();
        let server = server.map(|(socket, address)| {
            sources.push(source(Line::Retransmission, socket));
            address
        });
        UdpFeed {
            feed,
            sources,
            server,
            turn: 0,
            polls: 0,
            buffer: vec![0; DATAGRAM_BYTES].into_boxed_slice(),
            batch: Batch::new(DATAGRAM_BYTES),
            batched: 0,
            given: 0,
        }
    }

    /// The feed, for its counters and state.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The feed, to ask more of it, and for what comes otherwise than by its sockets.
    pub fn feed_mut(&mut self) -> &mut Feed {
        &mut self.feed
    }

    /// Does what there is to do: gives on packets whose turn has come, then the next datagram that
    /// was read before; if nothing new came of that, reads each socket at most once and none behind
    /// one that brought something new; lets time pass and sends a request if one is due. `room` is
    /// how many events the sink can take; below [`Feed::EVENTS_MAX`] nothing is done. `heard` is
    /// told of datagrams that were read with their envelope, for the stamps: of a quiet line those
    /// of one poll in sixteen, or all where its source is checked; of a busy one the first of each
    /// batch. True if anything was done.
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
            return Ok(false);
        }
        let mut worked = false;
        if self.feed.pending() {
            packets -= self.feed.drain(packets, now, sink);
            worked = true;
        }
        self.polls = self.polls.wrapping_add(1);
        if packets > 0 && !self.feed.pending() {
            let awaited = self.feed.receiver().expected();
            let gave = self.give_batched(now, sink);
            packets -= usize::from(gave);
            worked |= gave;
            // What a batch lacks, or had already, may stand in another socket.
            if !self.brought_new(awaited) {
                worked |= self.read(io, now, packets, sink, &mut heard)?;
            }
        }
        if let Some(request) = self.feed.poll(now, sink)
            && let (Some(server), Some(source)) = (self.server, self.sources.last())
        {
            // Not sent is as good as lost on the way: it will be asked again.
            io.send_to(source.socket.as_fd(), &request.to_bytes(), server)?;
            worked = true;
        }
        Ok(worked)
    }

    /// Gives on the next datagram of those that were read together, if one is left.
    #[inline]
    fn give_batched(&mut self, now: Timestamp, sink: &mut impl Sink) -> bool {
        let Some((got, bytes)) = self.batch.get(self.given) else { return false };
        self.given += 1;
        let (line, datagram) = (self.sources[self.batched].line, datagram(&got, bytes));
        self.feed.on_datagram(line, &datagram, now, sink);
        true
    }

    /// True if datagrams that were read together still wait to be given on.
    fn is_batch_unfinished(&self) -> bool {
        self.given < self.batch.len()
    }

    /// True if what came since `awaited` was expected must not be held up by another read.
    fn brought_new(&self, awaited: u64) -> bool {
        self.feed.pending() || self.feed.receiver().expected() != awaited
    }

    /// Reads sockets in turn, until one brings something that others must not hold up.
    #[inline]
    fn read(
        &mut self,
        io: &mut dyn Io,
        now: Timestamp,
        packets: usize,
        sink: &mut impl Sink,
        heard: &mut impl FnMut(&wire::Datagram),
    ) -> io::Result<bool> {
        let awaited = self.feed.receiver().expected();
        let mut worked = false;
        for _ in 0..self.sources.len().min(packets) {
            let at = self.turn;
            self.turn = if at + 1 == self.sources.len() { 0 } else { at + 1 };
            if self.is_batch_unfinished() && at == self.batched {
                continue;
            }
            worked |= self.read_one(at, io, now, sink, heard)?;
            if self.brought_new(awaited) {
                break;
            }
        }
        Ok(worked)
    }

    /// Reads one socket and gives on the first datagram that it brings.
    #[inline]
    fn read_one(
        &mut self,
        at: usize,
        io: &mut dyn Io,
        now: Timestamp,
        sink: &mut impl Sink,
        heard: &mut impl FnMut(&wire::Datagram),
    ) -> io::Result<bool> {
        let unfinished = self.is_batch_unfinished();
        let Source { line, socket, brought } = &mut self.sources[at];
        let line = *line;
        let asking = self.feed.receiver().in_gap() || self.polls.is_multiple_of(LATE_EVERY);
        if line == Line::Retransmission && !asking {
            return Ok(false);
        }
        let before = std::mem::take(brought);
        if before >= BUSY_AFTER && !unfinished {
            let got = io.recv_batch(socket.as_fd(), &mut self.batch, DATAGRAMS)?;
            *brought = if got > 0 { before } else { 0 };
            (self.batched, self.given) = (at, 0);
            self.batch.get(0).inspect(|(first, _)| heard(first));
            return Ok(self.give_batched(now, sink));
        }
        let checked = self.feed.receiver().checks_source(line);
        if checked || self.polls.is_multiple_of(ENVELOPE_EVERY) {
            let got = io.recv_datagram(socket.as_fd(), &mut self.buffer)?;
            let Some(got) = got else { return Ok(false) };
            *brought = before.saturating_add(1);
            heard(&got);
            let datagram = datagram(&got, &self.buffer[..got.len]);
            self.feed.on_datagram(line, &datagram, now, sink);
        } else {
            let Some(len) = io.recv(socket.as_fd(), &mut self.buffer)? else { return Ok(false) };
            *brought = before.saturating_add(1);
            let (received, bytes) = (wire::stamp::now(), &self.buffer[..len]);
            let datagram = Datagram { bytes, truncated: false, from: None, received };
            self.feed.on_datagram(line, &datagram, now, sink);
        }
        Ok(true)
    }
}

fn datagram<'a>(got: &wire::Datagram, bytes: &'a [u8]) -> Datagram<'a> {
    let wire::Datagram { truncated, from, received, .. } = *got;
    Datagram { bytes, truncated, from: Some(from), received }
}
