//! MDP 3.0 in a capture: packets of channels in their turn, those of loops as they come, and events of
//! the venue that are whole.

use super::channel::{Channel, Verdict, Waiting};
use super::decode::{Decoder, From, Tally};
use super::lines::{self, Feed, Lines};
use super::templates::{Content, TEMPLATES, find};
use super::wire::{Message, Packet, SCHEMA};
use crate::capture::{self, Held, Protocol};
use crate::recording::{Books, Clock, Counts, Instruments, Log, Missing, Options, Unit};
use market::Timestamp;
use std::io;

/// Name of the protocol.
pub(crate) const PROTOCOL: &str = "CME MDP 3.0";
/// Bytes of packets that may wait, of all channels.
const WAITING_MAX: usize = 16 << 20;
/// `MatchEventIndicator`: the last message of an event.
const END_OF_EVENT: u8 = 0x80;

/// True of a payload of messages that fill it, all of CME's schema 1 and of a version that may be.
pub(crate) fn recognise(payload: &[u8]) -> bool {
    let Ok(packet) = Packet::parse(payload) else { return false };
    let ours =
        |message: Message<'_>| message.schema == SCHEMA && (1..64).contains(&message.version);
    packet.messages().next().is_some() && packet.messages().all(ours)
}

/// Makes a reader.
pub(crate) fn make(options: &Options) -> io::Result<Box<dyn Protocol>> {
    Ok(Box::new(Mdp3 {
        decoder: Decoder::new(options),
        lines: Lines::default(),
        channels: Vec::new(),
        others: Held::default(),
        version: 0,
        name: PROTOCOL.to_owned(),
        verdicts: Verdicts::default(),
        now: Timestamp::ZERO,
    }))
}

/// A channel, and what it told of an event that is not whole.
struct Numbered {
    channel: Channel,
    held: Held,
    name: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Verdicts {
    taken: u64,
    duplicates: u64,
    differ: u64,
    past: u64,
    restarts: u64,
    lost: u64,
}

struct Mdp3 {
    decoder: Decoder,
    lines: Lines,
    channels: Vec<Numbered>,
    /// What the loops told; empty between packets.
    others: Held,
    /// The highest version met.
    version: u16,
    name: String,
    verdicts: Verdicts,
    /// The capture's clock.
    now: Timestamp,
}

impl Mdp3 {
    /// What a line is, once a packet showed it. While it is not known, its last heartbeat is kept.
    fn feed(&mut self, line: usize, packet: &Packet<'_>, raw: (&[u8], u64)) -> Option<Feed> {
        let (bytes, position) = raw;
        if let Some(feed) = self.lines.feed(line) {
            return Some(feed);
        }
        if lines::is_of_any(packet) {
            self.lines.keep(line, bytes, position);
            return None;
        }
        let feed = if lines::is_of_loop(packet) {
            Feed::Loop
        } else {
            let channels = &self.channels;
            let other = self.lines.channel(line, packet, bytes, |at| &channels[at].channel);
            Feed::Incremental(other.unwrap_or_else(|| {
                let (channel, held) = (Channel::new(), Held::default());
                self.channels.push(Numbered { channel, held, name: self.lines.name(line) });
                self.channels.len() - 1
            }))
        };
        self.lines.decide(line, feed);
        Some(feed)
    }

    /// Takes a packet of a channel, if it is its turn; false if it told nothing.
    fn offer(
        &mut self,
        channel: usize,
        packet: &Packet<'_>,
        (bytes, position): (&[u8], u64),
        unit: &mut Unit,
        log: &mut Log,
    ) -> bool {
        let Some(numbered) = self.channels.get_mut(channel) else { return false };
        match numbered.channel.offer(packet, bytes, position, self.now) {
            Verdict::Next => self.take(packet, position, channel, unit, log),
            Verdict::Restart => {
                self.verdicts.restarts += 1;
                let time = Timestamp::from_nanos(packet.sending_time);
                self.decoder.restart(channel, None, time, &mut numbered.held);
                self.take(packet, position, channel, unit, log);
            }
            Verdict::Waits => return false,
            Verdict::Duplicate => {
                self.verdicts.duplicates += 1;
                return false;
            }
            Verdict::Differs => {
                self.verdicts.differ += 1;
                log.skip(position, "packet that differs from its other line's");
                return false;
            }
            Verdict::Past => {
                self.verdicts.past += 1;
                log.skip(position, "packet of before its channel began anew");
                return false;
            }
        }
        true
    }

    /// Takes a packet of a channel whose turn it is, and gives what is whole then.
    fn take(
        &mut self,
        packet: &Packet<'_>,
        position: u64,
        channel: usize,
        unit: &mut Unit,
        log: &mut Log,
    ) {
        let Some(Numbered { held, .. }) = self.channels.get_mut(channel) else { return };
        let number = (channel, packet.sequence);
        let time = Timestamp::from_nanos(packet.sending_time);
        let from = From { position, packet: Some(number), sent: time };
        self.decoder.packet(number, time, held);
        let mut whole = true;
        for message in packet.messages() {
            self.decoder.message(&message, from, held, log);
            whole = ends_event(&message).unwrap_or(whole);
        }
        unit.exchange_time = time;
        if std::mem::take(&mut self.decoder.urgent) || whole || held.is_full() {
            held.release(unit);
        }
        self.verdicts.taken += 1;
    }

    /// Takes a packet of snapshots or definitions.
    fn take_of_loop(&mut self, packet: &Packet<'_>, position: u64, unit: &mut Unit, log: &mut Log) {
        let sent = Timestamp::from_nanos(packet.sending_time);
        let from = From { position, packet: None, sent };
        unit.exchange_time = sent;
        for message in packet.messages() {
            self.decoder.message(&message, from, &mut self.others, log);
            // A book is built behind what its channel has begun to tell of it.
            let others = &mut self.others;
            let mut held = self.channels.iter_mut().map(|numbered| &mut numbered.held);
            match held.find(|held| held.concerns(others)) {
                Some(held) => held.append(others),
                None => others.release(unit),
            }
        }
    }

    /// Where the packet before those that wait longest is given up, because too many bytes wait.
    fn crowded(&self) -> Option<usize> {
        let bytes: usize = self.channels.iter().map(|numbered| numbered.channel.bytes()).sum();
        if bytes <= WAITING_MAX {
            return None;
        }
        let channels = self.channels.iter().map(|numbered| &numbered.channel).enumerate();
        let waiting = channels.filter_map(|(at, channel)| Some((channel.since()?, at)));
        waiting.min().map(|(_, at)| at)
    }

    /// Counts the messages of a packet, whatever becomes of them.
    fn count(&mut self, packet: &Packet<'_>) {
        for message in packet.messages() {
            self.decoder.count(&message);
            if message.schema == SCHEMA && message.version > self.version {
                self.version = message.version;
                self.name = format!("{PROTOCOL}, schema 1 version {}", self.version);
            }
        }
    }
}

/// Whether a message ends an event of the venue; `None` if it does not say.
fn ends_event(message: &Message<'_>) -> Option<bool> {
    let content = find(message.template).map(|row| TEMPLATES[row].content);
    match content.filter(|_| message.schema == SCHEMA)? {
        Content::Entries(_) | Content::Orders(_) => {
            message.root.u8(8).map(|indicator| indicator & END_OF_EVENT != 0)
        }
        _ => None,
    }
}

impl Protocol for Mdp3 {
    fn describe(&self) -> (&str, Books, Clock) {
        let books = if self.decoder.by_order { Books::ByOrder } else { Books::ByLevel };
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
        self.count(&packet);
        let Some(line) = self.lines.at(datagram.to) else {
            log.skip(position, "more lines than are read");
            return false;
        };
        match self.feed(line, &packet, (bytes, position)) {
            None => false,
            Some(Feed::Loop) => {
                self.take_of_loop(&packet, position, unit, log);
                true
            }
            Some(Feed::Incremental(channel)) => {
                let mut told = false;
                // One that is not of before is of another week's numbers.
                if let Some(Waiting { bytes, position }) = self.lines.kept(line)
                    && let Ok(kept) = Packet::parse(&bytes)
                    && kept.sequence < packet.sequence
                {
                    told = self.offer(channel, &kept, (&bytes, position), unit, log);
                }
                self.offer(channel, &packet, (bytes, position), unit, log) || told
            }
        }
    }

    fn more(&mut self, over: bool, unit: &mut Unit, log: &mut Log) -> bool {
        let crowded = self.crowded();
        for at in 0..self.channels.len() {
            let numbered = &mut self.channels[at];
            match numbered.channel.next(self.now, over || crowded == Some(at)) {
                None => {}
                Some(Ok(waiting)) => {
                    (unit.position, unit.received) = (waiting.position, self.now);
                    if let Ok(packet) = Packet::parse(&waiting.bytes) {
                        self.take(&packet, waiting.position, at, unit, log);
                    }
                    return true;
                }
                Some(Err((first, count))) => {
                    self.verdicts.lost += u64::from(count);
                    let (position, stream) = (unit.position, format!("channel {}", numbered.name));
                    log.gap(|| Missing {
                        position,
                        stream,
                        first: first.into(),
                        count: count.into(),
                    });
                    unit.received = self.now;
                    self.decoder.lost(at, (first, count), unit.received, &mut numbered.held);
                    self.decoder.urgent = false;
                    numbered.held.release(unit);
                    return true;
                }
            }
        }
        let held = self.channels.iter_mut().find(|numbered| over && !numbered.held.is_empty());
        let Some(numbered) = held else { return false };
        unit.received = self.now;
        numbered.held.release(unit);
        true
    }

    fn counts(&self) -> Counts {
        let decoder = &self.decoder;
        let rows = TEMPLATES.iter().zip(&decoder.by_template);
        let named = rows.map(|(row, &count)| (format!("{} {}", row.id, row.name), count));
        let unknown = ("unknown".to_owned(), decoder.unknown);
        let by_type: Vec<(String, u64)> =
            named.chain([unknown]).filter(|&(_, count)| count > 0).collect();
        let Verdicts { taken, duplicates, differ, past, restarts, lost } = self.verdicts;
        let Tally { implied, orders, before, others, old, breaks, .. } = decoder.tally;
        let Tally { contradictions, joined, snapshots, recovered, .. } = decoder.tally;
        let all = [
            ("lines", self.lines.count()),
            ("channels", self.channels.len() as u64),
            ("packets in sequence", taken),
            ("duplicate packets", duplicates),
            ("packets that differ by line", differ),
            ("packets of before", past),
            ("new counts", restarts),
            ("packets lost", lost),
            ("securities joined in mid-session", joined),
            ("breaks of RptSeq", breaks),
            ("old updates", old),
            ("contradictions", contradictions),
            ("snapshots", snapshots),
            ("snapshots taken", recovered),
            ("levels of implied orders", implied),
            ("orders by id", orders),
            ("orders of before", before),
            ("other entries", others),
        ];
        let others = all.into_iter().filter(|&(_, count)| count > 0).collect();
        Counts { messages: by_type.iter().map(|&(_, count)| count).sum(), by_type, others }
    }

    fn instruments(&self) -> &Instruments {
        self.decoder.instruments()
    }
}
