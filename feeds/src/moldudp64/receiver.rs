//! Puts the packets of any number of lines in order and asks for what none of them brought.
//!
//! The first copy of a message wins, whichever line it came by. A packet ahead of its turn is kept;
//! when what lies before it has not come within `arbitration_wait`, a gap is declared and
//! requested, again and again, until it is filled, bridged by a snapshot, or given up. Handlers see
//! messages in sequence, each once. While a snapshot is awaited nothing is given on, and what comes
//! is kept. Never applies part of a bad packet, never handles more than one packet a call (but
//! [`Receiver::drain`], which is told how many), never allocates after construction.

mod bridge;

pub use bridge::FarOff;

use super::config::{Config, Datagram, Handler, Line, Requests, Start};
use super::copies::Copies;
use super::counters::{LineCounters, ReceiverCounters};
use super::stash::{Kept, Stash};
use super::{BadPacket, Packet, PacketKind, Request, Session};
use market::Timestamp;
use std::net::SocketAddrV4;

/// So many packets in a row of the session before mean that the change was not real.
const STRAYS_MAX: u32 = 64;

/// A hole in front of `expected`.
#[derive(Clone, Copy, Debug)]
struct Hole {
    first: u64,
    since: Timestamp,
}

/// A request that may still be answered.
#[derive(Clone, Copy, Debug)]
struct Asked {
    first: u64,
    at: Timestamp,
    tries: u32,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Receiver {
    config: Config,
    session: Option<Session>,
    /// The session before, of which a slow line may still bring packets.
    previous: Option<Session>,
    /// Such packets since the last of the session itself.
    strays: u32,
    /// Sequence of the next message to give on.
    expected: u64,
    /// The highest sequence that any line announced as its next.
    announced: u64,
    /// Sequence after the session's last message, once that is known.
    end: Option<u64>,
    end_told: bool,
    hole: Option<Hole>,
    /// The hole was declared a gap, which began then.
    declared: bool,
    since: Timestamp,
    /// A snapshot is awaited.
    stranded: bool,
    /// Where the snapshot of this gap led to; zero if there was none. The gap is not closed before
    /// a line has come so far.
    resumed: u64,
    resumed_at: Timestamp,
    asked: Option<Asked>,
    /// An unconfirmed jump.
    jump: Option<u64>,
    stash: Stash,
    copies: Copies,
    counters: ReceiverCounters,
}

impl Receiver {
    /// A receiver that has seen nothing.
    #[must_use]
    pub fn new(config: Config) -> Receiver {
        let live = vec![LineCounters::default(); config.lines.len()];
        let stash = Stash::new(config.stash_packets, config.packet_bytes_max);
        // One line has no copies to compare.
        let copies = Copies::new(config.lines.len() > 1);
        Receiver {
            session: None,
            previous: None,
            strays: 0,
            expected: 1,
            announced: 1,
            end: None,
            end_told: false,
            hole: None,
            declared: false,
            since: Timestamp::ZERO,
            stranded: false,
            resumed: 0,
            resumed_at: Timestamp::ZERO,
            asked: None,
            jump: None,
            stash,
            copies,
            counters: ReceiverCounters { live, ..ReceiverCounters::default() },
            config,
        }
    }

    /// What was seen.
    #[must_use]
    pub fn counters(&self) -> &ReceiverCounters {
        &self.counters
    }

    /// The session, once a packet told it.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.session
    }

    /// Sequence of the next message to come.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// True while messages are declared missing.
    #[must_use]
    pub fn in_gap(&self) -> bool {
        self.declared
    }

    /// True if a kept packet's turn has come: call [`Receiver::drain`] when there is room.
    #[inline]
    #[must_use]
    pub fn pending(&self) -> bool {
        !self.stranded && self.stash.front().is_some_and(|early| early.sequence <= self.expected)
    }

    /// True if there is no room for another early packet.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.stash.is_full()
    }

    /// Takes one datagram and gives on what is next in sequence, of this packet alone.
    pub fn on_datagram(
        &mut self,
        line: Line,
        datagram: &Datagram<'_>,
        now: Timestamp,
        handler: &mut impl Handler,
    ) {
        match self.accept(line, datagram, now, handler) {
            Ok(packet) => self.take(line, datagram, &packet, handler),
            Err(bad) => self.counters.bad[bad as usize] += 1,
        }
        self.settle(now, handler);
    }

    /// Gives on at most `packets_max` kept packets whose turn has come; says how many.
    pub fn drain(
        &mut self,
        packets_max: usize,
        now: Timestamp,
        handler: &mut impl Handler,
    ) -> usize {
        let mut drained = 0;
        while drained < packets_max && self.pending() {
            let Some(&early) = self.stash.front() else { break };
            let bytes = self.stash.bytes(&early);
            // It was checked when it was kept, and may be out of date since.
            if let Ok(packet) = Packet::parse(bytes)
                && packet.next() > self.expected
            {
                self.counters.messages += give(&packet, self.expected, early.received, handler);
                self.expected = packet.next();
                self.copies.remember(&packet, bytes);
                drained += 1;
            }
            self.stash.pop_front();
        }
        self.settle(now, handler);
        drained
    }

    /// Lets time pass: declares gaps that waited long enough, gives up those asked for in vain, and
    /// says what to request now, if anything.
    pub fn poll(&mut self, now: Timestamp, handler: &mut impl Handler) -> Option<Request> {
        self.settle(now, handler);
        if !self.declared || self.stranded || self.pending() {
            return None;
        }
        let (first, missing) = (self.expected, self.missing());
        if missing == 0 {
            self.confirm(now);
            return None;
        }
        let Requests { count_max, timeout, tries: tries_max, gap_max } = self.config.requests;
        if self.config.snapshots && missing > gap_max {
            self.strand();
            return None;
        }
        let tries = match self.asked {
            Some(asked) if asked.first == first => {
                if now.since(asked.at) < timeout {
                    return None;
                }
                asked.tries
            }
            // Something came since: ask for what is still missing, without waiting.
            _ => 0,
        };
        if tries >= tries_max {
            if self.config.snapshots {
                self.strand();
            } else {
                self.give_up(now, handler);
            }
            return None;
        }
        self.asked = Some(Asked { first, at: now, tries: tries + 1 });
        #[allow(clippy::cast_possible_truncation)] // At most `count_max`.
        let count = missing.min(u64::from(count_max.max(1))) as u16;
        self.counters.requests += 1;
        self.counters.requested += u64::from(count);
        Some(Request { session: self.session?, sequence: first, count })
    }

    /// The packet, if it may be used; the session is entered if it is a new one.
    #[inline]
    fn accept<'a>(
        &mut self,
        line: Line,
        datagram: &Datagram<'a>,
        now: Timestamp,
        handler: &mut impl Handler,
    ) -> Result<Packet<'a>, BadPacket> {
        let allowed = self.source(line).ok_or(BadPacket::UnknownLine)?;
        let counters = self.line(line);
        counters.datagrams += 1;
        counters.bytes += datagram.bytes.len() as u64;
        if let Some(allowed) = allowed {
            let from = datagram.from.ok_or(BadPacket::WrongSource)?;
            if from.ip() != allowed.ip() || ![0, from.port()].contains(&allowed.port()) {
                return Err(BadPacket::WrongSource);
            }
        }
        if datagram.truncated {
            return Err(BadPacket::Truncated);
        }
        let packet = Packet::parse(datagram.bytes)?;
        if packet.sequence == 0 {
            return Err(BadPacket::SequenceZero);
        }
        if self.session == Some(packet.session) {
            self.strays = 0;
            self.believe(&packet)?;
        } else {
            self.enter(line, &packet, now, handler)?;
        }
        Ok(packet)
    }

    /// Who alone may send on a line, if it exists and that is told.
    fn source(&self, line: Line) -> Option<Option<SocketAddrV4>> {
        match line {
            Line::Live(line) => self.config.lines.get(usize::from(line)).copied(),
            Line::Retransmission => Some(self.config.server),
        }
    }

    /// True if packets of this line are taken from one sender alone, so that each must be given
    /// with its source.
    #[inline]
    #[must_use]
    pub fn checks_source(&self, line: Line) -> bool {
        self.source(line).flatten().is_some()
    }

    /// Counters of a line that was found to exist.
    fn line(&mut self, line: Line) -> &mut LineCounters {
        match line {
            Line::Live(line) => &mut self.counters.live[usize::from(line)],
            Line::Retransmission => &mut self.counters.retransmission,
        }
    }

    /// One damaged packet must not make everything before it look missing.
    #[inline]
    fn believe(&mut self, packet: &Packet<'_>) -> Result<(), BadPacket> {
        if packet.sequence.saturating_sub(self.announced) <= self.config.jump_max {
            return Ok(());
        }
        let first = self.jump.replace(packet.sequence);
        match first {
            Some(first) if first.abs_diff(packet.sequence) <= self.config.jump_max => Ok(()),
            _ => Err(BadPacket::FarAhead),
        }
    }

    /// Goes over to the packet's session, unless it may not be followed.
    #[cold]
    fn enter(
        &mut self,
        line: Line,
        packet: &Packet<'_>,
        now: Timestamp,
        handler: &mut impl Handler,
    ) -> Result<(), BadPacket> {
        let foreign = self.config.session.is_some_and(|only| only != packet.session);
        if foreign || line == Line::Retransmission {
            return Err(BadPacket::OtherSession);
        }
        if self.previous == Some(packet.session) && self.strays < STRAYS_MAX {
            self.strays += 1;
            return Err(BadPacket::OtherSession);
        }
        self.previous = self.session.replace(packet.session);
        self.expected = match self.config.start {
            Start::FromFirst | Start::FromSnapshot => 1,
            Start::FromCurrent => packet.sequence,
        };
        self.announced = self.expected;
        (self.end, self.end_told, self.strays) = (None, false, 0);
        (self.hole, self.declared, self.asked, self.jump) = (None, false, None, None);
        (self.stranded, self.resumed) = (false, 0);
        self.stash.clear();
        self.copies.clear();
        if self.previous.is_some() {
            self.counters.resets += 1;
            handler.session_reset(packet.session);
        }
        // A session that only begins needs no snapshot.
        if self.config.start == Start::FromSnapshot && packet.sequence > 1 {
            self.announced = packet.sequence;
            self.declare(now, handler);
            self.strand();
        }
        Ok(())
    }

    #[inline]
    fn take(
        &mut self,
        line: Line,
        datagram: &Datagram<'_>,
        packet: &Packet<'_>,
        handler: &mut impl Handler,
    ) {
        self.announced = self.announced.max(packet.next());
        if packet.kind != PacketKind::Messages {
            self.line(line).heartbeats += 1;
            if packet.kind == PacketKind::EndOfSession {
                self.end = Some(packet.sequence);
            }
        } else if packet.next() <= self.expected {
            self.line(line).duplicates += 1;
            self.counters.mismatches += u64::from(self.copies.differs(packet, datagram.bytes));
        } else if packet.sequence <= self.expected && !self.stranded {
            self.line(line).first += 1;
            self.counters.overlaps += u64::from(packet.sequence < self.expected);
            let given = give(packet, self.expected, datagram.received, handler);
            self.counters.messages += given;
            if line == Line::Retransmission {
                self.counters.recovered += given;
            }
            self.expected = packet.next();
            self.copies.remember(packet, datagram.bytes);
        } else {
            self.keep(line, datagram, packet);
        }
    }

    fn keep(&mut self, line: Line, datagram: &Datagram<'_>, packet: &Packet<'_>) {
        let Datagram { bytes, received, .. } = *datagram;
        match self.stash.insert(packet.sequence, packet.next(), received, bytes) {
            Kept::Yes => {
                self.counters.early += 1;
                self.line(line).first += 1;
            }
            Kept::Already => self.line(line).duplicates += 1,
            Kept::Differs => self.counters.mismatches += 1,
            Kept::Full => self.counters.stash_full += 1,
        }
    }

    /// Messages missing before the next that is there, or that was announced.
    fn missing(&self) -> u64 {
        let next = self.stash.front().map_or(self.announced, |early| early.sequence);
        next.saturating_sub(self.expected)
    }

    /// Finds whether something is missing, and says so when it has been long enough.
    #[inline]
    fn settle(&mut self, now: Timestamp, handler: &mut impl Handler) {
        if self.stranded || self.announced < self.resumed {
            return;
        }
        if self.expected >= self.announced {
            (self.hole, self.asked) = (None, None);
            if self.declared {
                self.close(now, handler);
            }
            let ended = self.end.is_some_and(|end| end <= self.expected);
            if ended && !std::mem::replace(&mut self.end_told, true) {
                handler.end_of_session();
            }
        } else if !self.pending() && !self.declared {
            let hole = match self.hole {
                Some(hole) if hole.first == self.expected => hole,
                _ => Hole { first: self.expected, since: now },
            };
            self.hole = Some(hole);
            if now.since(hole.since) >= self.config.arbitration_wait {
                self.declare(hole.since, handler);
            }
        }
    }

    /// Messages have been missing since then.
    #[cold]
    fn declare(&mut self, since: Timestamp, handler: &mut impl Handler) {
        (self.declared, self.since) = (true, since);
        self.counters.gaps += 1;
        handler.gap(self.expected, self.missing());
    }

    /// Nothing is missing any more.
    #[cold]
    fn close(&mut self, now: Timestamp, handler: &mut impl Handler) {
        self.declared = false;
        let bridged = std::mem::take(&mut self.resumed) > 0;
        let counters = &mut self.counters;
        let way = if bridged { &mut counters.by_snapshot } else { &mut counters.by_messages };
        way.note(now.since(self.since));
        handler.recovered();
    }
}

/// Gives on what is new in the packet; says how many messages that were.
#[inline]
fn give(packet: &Packet<'_>, expected: u64, received: u64, handler: &mut impl Handler) -> u64 {
    let mut given = 0;
    for (message, sequence) in packet.messages().zip(packet.sequence..) {
        if sequence >= expected {
            handler.message(sequence, message, received);
            given += 1;
        }
    }
    handler.packet_end(packet.next(), received);
    given
}
