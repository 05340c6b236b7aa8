//! IEX-TP in a capture.

use super::decode::Decoder;
use super::stream::{Stream, Verdict};
use super::wire::{Message, Messages, Packet};
use crate::capture::{self, Held, Protocol};
use crate::recording::{Books, Clock, Counts, Instruments, Log, Missing, Options, Unit};
use market::{Event, EventKind, Sink as _, Timestamp};
use std::io;

/// Name of the protocol.
pub(crate) const PROTOCOL: &str = "IEX-TP";

/// True of a payload with the header of version 1, one of IEX's own message protocols, and messages
/// that fill it.
pub(crate) fn recognise(payload: &[u8]) -> bool {
    Packet::parse(payload).is_ok_and(|packet| packet.protocol >> 8 == 0x80)
}

/// Makes a reader.
pub(crate) fn make(options: &Options) -> io::Result<Box<dyn Protocol>> {
    Ok(Box::new(IexTp {
        decoder: Decoder::new(options),
        stream: Stream::new(),
        held: Held::default(),
        name: PROTOCOL.to_owned(),
        tally: Tally::default(),
        now: Timestamp::ZERO,
    }))
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    heartbeats: u64,
    taken: u64,
    duplicates: u64,
    differ: u64,
    restarts: u64,
    lost: u64,
}

struct IexTp {
    decoder: Decoder,
    stream: Stream,
    held: Held,
    name: String,
    tally: Tally,
    /// The capture's clock.
    now: Timestamp,
}

impl IexTp {
    /// The messages of the stream that is read, if they are known.
    fn messages(&self) -> Option<Messages> {
        Messages::of(self.stream.id?.0)
    }

    /// Takes the messages of a packet but for the first `taken`, and gives what is whole then.
    fn take(
        &mut self,
        packet: &Packet<'_>,
        position: u64,
        taken: usize,
        unit: &mut Unit,
        log: &mut Log,
    ) {
        unit.exchange_time = Timestamp::from_nanos(packet.send_time);
        for message in packet.messages().skip(taken) {
            self.tally.taken += 1;
            if self.messages().is_some() {
                self.decoder.message(message, position, &mut self.held, log);
            }
        }
        if !self.decoder.partial || self.held.is_full() {
            self.held.release(unit);
        }
    }

    /// An event that concerns the feed as a whole, behind what is held.
    fn tell(&mut self, kind: EventKind, order: u64, count: u64) {
        let aux = u32::try_from(count).unwrap_or(u32::MAX);
        let exchange_time = Timestamp::ZERO;
        self.held.event(Event { exchange_time, order, aux, ..Event::new(kind, Event::ALL) });
    }

    /// Says what the stream holds, once it is known.
    fn describe_as(&mut self, packet: &Packet<'_>) {
        let what = match packet.protocol {
            0x8002 => "TOPS 1.5".to_owned(),
            0x8003 => "TOPS 1.6".to_owned(),
            0x8004 => "DEEP 1.0".to_owned(),
            0x8005 => "DEEP+ 1.0".to_owned(),
            other => format!("messages of protocol {other:#06x}, which are not read"),
        };
        self.name = format!("{PROTOCOL}, {what}");
        // Numbers begin with 1.
        self.decoder.joined = packet.first > 1;
    }
}

impl Protocol for IexTp {
    fn describe(&self) -> (&str, Books, Clock) {
        let books = match self.messages() {
            Some(Messages::DeepPlus) => Books::ByOrder,
            Some(_) => Books::ByLevel,
            None => Books::None,
        };
        (&self.name, books, Clock::Utc)
    }

    fn datagram(
        &mut self,
        datagram: &capture::Datagram<'_>,
        unit: &mut Unit,
        log: &mut Log,
    ) -> bool {
        let (position, bytes) = (datagram.position, datagram.payload);
        self.now = self.now.max(datagram.time);
        let packet = match Packet::parse(bytes) {
            Ok(packet) => packet,
            Err(reason) => {
                log.skip(position, reason);
                return false;
            }
        };
        self.tally.heartbeats += u64::from(packet.count == 0);
        for message in packet.messages() {
            self.decoder.by_type[usize::from(message.first().copied().unwrap_or(0))] += 1;
        }
        if self.stream.id.is_none() {
            self.describe_as(&packet);
        }
        match self.stream.offer(&packet, bytes, position, self.now) {
            Verdict::Next(taken) => self.take(&packet, position, taken, unit, log),
            Verdict::Restart => {
                self.tally.restarts += 1;
                self.decoder.restart(packet.first > 1);
                self.tell(EventKind::Reset, 0, 0);
                self.take(&packet, position, 0, unit, log);
            }
            Verdict::Waits => return false,
            Verdict::Duplicate => {
                self.tally.duplicates += u64::from(packet.count > 0);
                return false;
            }
            Verdict::Differs => {
                self.tally.differ += 1;
                log.skip(position, "packet that differs from its other line's");
                return false;
            }
            Verdict::Past => {
                log.skip(position, "packet far behind its stream");
                return false;
            }
            Verdict::Other => {
                log.skip(position, "packet of another stream than the first");
                return false;
            }
        }
        true
    }

    fn more(&mut self, over: bool, unit: &mut Unit, log: &mut Log) -> bool {
        match self.stream.next(self.now, over) {
            None if over && !self.held.is_empty() => self.held.release(unit),
            None => return false,
            Some(Ok((waiting, taken))) => {
                unit.position = waiting.position;
                if let Ok(packet) = Packet::parse(&waiting.bytes) {
                    self.take(&packet, waiting.position, taken, unit, log);
                }
            }
            Some(Err((first, count))) => {
                self.tally.lost = self.tally.lost.saturating_add(count);
                let (position, stream) = (unit.position, "the stream".to_owned());
                log.gap(|| Missing { position, stream, first, count });
                self.decoder.lost();
                self.tell(EventKind::Lost, first, count);
                self.held.release(unit);
            }
        }
        unit.received = self.now;
        true
    }

    fn counts(&self) -> Counts {
        let by_type = &self.decoder.by_type;
        let mut named: Vec<(String, u64)> = (0..=u8::MAX)
            .filter(|&kind| Message::length(kind).is_some())
            .map(|kind| (char::from(kind).to_string(), by_type[usize::from(kind)]))
            .collect();
        let messages: u64 = by_type.iter().sum();
        let known: u64 = named.iter().map(|&(_, count)| count).sum();
        named.push(("unknown".to_owned(), messages - known));
        named.retain(|&(_, count)| count > 0);
        let Tally { heartbeats, taken, duplicates, differ, restarts, lost } = self.tally;
        let all = [
            ("heartbeats", heartbeats),
            ("in sequence", taken),
            ("duplicate packets", duplicates),
            ("packets that differ by line", differ),
            ("stream restarts", restarts),
            ("messages lost", lost),
        ];
        let others = all.into_iter().filter(|&(_, count)| count > 0).collect();
        Counts { messages, by_type: named, others }
    }

    fn instruments(&self) -> &Instruments {
        self.decoder.instruments()
    }
}
