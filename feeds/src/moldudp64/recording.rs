//! ITCH 5.0 over MoldUDP64 in a capture: lines are told apart by where they are sent to, arbitrated by
//! the receiver that also serves live feeds, and decoded. There is no request server to ask: what no
//! line brings is lost.
//!
//! One session is read: that of the first packet with messages, and those that follow it on its lines.
//! What a session began with and the capture does not have is lost as well. Packets with sequence zero,
//! as captures of single messages have them, are decoded as they stand.

use super::{
    BadPacket, Config, Datagram, Handler, Line, Packet, PacketKind, Receiver, Requests, Session,
};
use crate::capture::{self, Protocol, recording::midnight_of};
use crate::itch50::{Message, Reading, message::length, reading};
use crate::recording::{Books, Clock, Counts, Instruments, Log, Missing, Options, Unit};
use market::{Event, EventKind, Nanos, Sink as _, Timestamp, TradingStatus};
use std::io;
use std::net::SocketAddrV4;

/// Name of the protocol.
pub(crate) const PROTOCOL: &str = "ITCH 5.0 over MoldUDP64";
/// Lines of one session.
const LINES_MAX: usize = 8;
/// Sequence of a session's first message.
const FIRST: u64 = 1;
/// How long one line may lag behind another, by the capture's clock.
const WAIT: Nanos = Nanos::from_millis(100);

/// True of a packet whose messages, at least one, are all of ITCH 5.0 in type and length.
pub(crate) fn recognise(payload: &[u8]) -> bool {
    let Ok(packet) = Packet::parse(payload) else { return false };
    let itch =
        |message: &[u8]| message.first().and_then(|&kind| length(kind)) == Some(message.len());
    packet.count > 0 && packet.messages().all(itch)
}

/// Makes a reader.
pub(crate) fn make(options: &Options) -> io::Result<Box<dyn Protocol>> {
    let mut config = Config::new(LINES_MAX);
    config.requests = Requests { tries: 0, ..config.requests };
    config.arbitration_wait = WAIT;
    (config.stash_packets, config.packet_bytes_max) = (256, 9_216);
    // A capture may be filtered: what would be a damaged packet live may be a true one here.
    config.jump_max = 1 << 32;
    let base = options.day.unwrap_or_default();
    Ok(Box::new(MoldItch {
        receiver: Receiver::new(config),
        reading: Reading::new(options, base).map_err(io::Error::other)?,
        based: options.day.is_some(),
        lines: Vec::new(),
        by_type: [0; 256],
        heartbeats: 0,
        now: Timestamp::ZERO,
    }))
}

struct MoldItch {
    receiver: Receiver,
    reading: Reading,
    /// The midnight that stamps count from is known.
    based: bool,
    /// Where each line is sent to.
    lines: Vec<SocketAddrV4>,
    /// Messages of all lines, before arbitration.
    by_type: [u64; 256],
    heartbeats: u64,
    /// The capture's clock.
    now: Timestamp,
}

impl MoldItch {
    /// The line that is sent to `to`; a new one if the packet is of the session that is read.
    fn line(&mut self, to: SocketAddrV4, session: Session) -> Option<Line> {
        let known = self.lines.iter().position(|&line| line == to);
        let at = known.or_else(|| {
            let ours = self.receiver.session().is_none_or(|own| own == session);
            (ours && self.lines.len() < LINES_MAX).then(|| {
                self.lines.push(to);
                self.lines.len() - 1
            })
        })?;
        u8::try_from(at).ok().map(Line::Live)
    }

    /// Counts what the packet holds, whatever becomes of it.
    fn count(&mut self, packet: &Packet<'_>) {
        self.heartbeats += u64::from(packet.kind != PacketKind::Messages);
        for message in packet.messages() {
            // An empty message is of no type.
            self.by_type[usize::from(message.first().copied().unwrap_or(0))] += 1;
        }
        if !self.based
            && self.now != Timestamp::ZERO
            && let Some(time) = packet.messages().find_map(reading::time)
        {
            self.reading.set_base(midnight_of(self.now, time));
            self.based = true;
        }
    }
}

impl Protocol for MoldItch {
    fn describe(&self) -> (&str, Books, Clock) {
        let clock = if self.based { Clock::Utc } else { Clock::TimeOfDay };
        (PROTOCOL, Books::ByOrder, clock)
    }

    fn datagram(
        &mut self,
        datagram: &capture::Datagram<'_>,
        unit: &mut Unit,
        log: &mut Log,
    ) -> bool {
        let (position, bytes) = (datagram.position, datagram.payload);
        let packet = match Packet::parse(bytes) {
            Ok(packet) => packet,
            Err(bad) => {
                log.skip(position, bad.text());
                return false;
            }
        };
        self.now = self.now.max(datagram.time);
        self.count(&packet);
        if packet.sequence == 0 && self.receiver.session().is_none() {
            for message in packet.messages() {
                self.reading.message(message, position, unit, log);
            }
            return packet.count > 0;
        }
        // The session of the day before may still be told to be over.
        if packet.count == 0 && self.receiver.session().is_none() {
            return false;
        }
        let Some(line) = self.line(datagram.to, packet.session) else {
            log.skip(position, "packet of another session than the first");
            return false;
        };
        let before = bad(&self.receiver);
        let mut to = Told { reading: &mut self.reading, unit, log, said: false };
        let received = datagram.time.nanos();
        let datagram = Datagram { bytes, truncated: false, from: None, received };
        self.receiver.on_datagram(line, &datagram, self.now, &mut to);
        let said = to.said;
        let after = bad(&self.receiver);
        for (reason, (before, after)) in BadPacket::ALL.iter().zip(before.iter().zip(after)) {
            if *before < after {
                log.skip(position, reason.text());
            }
        }
        said
    }

    fn more(&mut self, over: bool, unit: &mut Unit, log: &mut Log) -> bool {
        let mut to = Told { reading: &mut self.reading, unit, log, said: false };
        if self.receiver.pending() {
            self.receiver.drain(1, self.now, &mut to);
            return true;
        }
        // Waiting any longer is of no use, or would cost packets.
        let last = over || self.receiver.is_full();
        let now = if last { Timestamp::MAX } else { self.now };
        let _ = self.receiver.poll(now, &mut to);
        to.said
    }

    fn counts(&self) -> Counts {
        let of = |kind: u8| self.by_type[usize::from(kind)];
        let messages = self.by_type.iter().sum();
        let known: u64 = Message::TYPES.iter().map(|&kind| of(kind)).sum();
        let named = Message::TYPES.iter().map(|&kind| (char::from(kind).to_string(), of(kind)));
        let unknown = ("unknown".to_owned(), messages - known);
        let by_type = named.chain([unknown]).filter(|&(_, count)| count > 0).collect();
        let counters = self.receiver.counters();
        let all = [
            ("lines", self.lines.len() as u64),
            ("heartbeats", self.heartbeats),
            ("in sequence", counters.messages),
            ("duplicate packets", counters.live.iter().map(|line| line.duplicates).sum()),
            ("packets that differ by line", counters.mismatches),
            ("messages lost", counters.lost),
            ("new sessions", counters.resets),
        ];
        let others = all.into_iter().filter(|&(_, count)| count > 0).collect();
        Counts { messages, by_type, others }
    }

    fn instruments(&self) -> &Instruments {
        self.reading.instruments()
    }
}

fn bad(receiver: &Receiver) -> [u64; BadPacket::ALL.len()] {
    BadPacket::ALL.map(|reason| receiver.counters().bad(reason))
}

/// Turns what the receiver tells into a unit.
struct Told<'a> {
    reading: &'a mut Reading,
    unit: &'a mut Unit,
    log: &'a mut Log,
    /// Anything was told, or what waited may come.
    said: bool,
}

impl Told<'_> {
    /// An event that concerns the feed as a whole.
    fn tell(&mut self, kind: EventKind, order: u64, aux: u64) {
        let exchange_time = self.reading.decoder().exchange_time();
        let aux = u32::try_from(aux).unwrap_or(u32::MAX);
        self.unit.event(Event { exchange_time, order, aux, ..Event::new(kind, Event::ALL) });
        self.said = true;
    }
}

impl Handler for Told<'_> {
    fn message(&mut self, _: u64, message: &[u8], received: u64) {
        let position = self.unit.position;
        self.unit.received = Timestamp::from_nanos(received);
        self.reading.message(message, position, self.unit, self.log);
        self.said = true;
    }

    fn packet_end(&mut self, _: u64, _: u64) {}

    fn gap(&mut self, first: u64, count: u64) {
        if first > FIRST {
            self.tell(EventKind::Gap, first, count);
        }
    }

    fn recovered(&mut self) {
        self.tell(EventKind::Recovered, 0, 0);
    }

    fn lost(&mut self, first: u64, count: u64) {
        let position = self.unit.position;
        let stream = "the session".to_owned();
        self.log.gap(|| Missing { position, stream, first, count });
        if first > FIRST {
            self.reading.lost();
            self.tell(EventKind::Lost, first, count);
        } else {
            self.reading.join();
            self.said = true;
        }
    }

    fn session_reset(&mut self, _: Session) {
        self.reading.reset();
        self.tell(EventKind::Reset, 0, 0);
    }

    fn end_of_session(&mut self) {
        self.tell(EventKind::Status, 0, u64::from(TradingStatus::Closed as u32));
    }
}
