//! Records of the trading stream: every input of the loop with its time, and every command with
//! whether it was published. `docs/journal.md` has them as tables.
//!
//! Encoding writes into the journal's own parts without a copy of events; decoding takes a payload
//! and never trusts it.

use crate::trading::Control;
use market::{Command, Event, Price, Report, Timestamp};

/// Kinds of records in the trading stream.
pub mod kind {
    /// A start: configuration and opening state.
    pub const START: u16 = 1;
    /// Events of one packet.
    pub const PACKET: u16 = 2;
    /// One report, with the mid price at the time.
    pub const REPORT: u16 = 3;
    /// Timers that were due.
    pub const TIMERS: u16 = 4;
    /// An operator's act.
    pub const CONTROL: u16 = 5;
    /// A command, and whether it was published.
    pub const COMMAND: u16 = 6;
    /// State hash after so many inputs.
    pub const HASH: u16 = 7;
    /// The end of a run: its last state hash.
    pub const END: u16 = 8;
    /// A packet of a backtest: where it stands in the data, instead of its events.
    pub const PACKET_AT: u16 = 9;
}

/// One record, decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A start.
    Start(Start),
    /// Events of one packet.
    Packet(Timestamp, Vec<Event>),
    /// One report, and the mid price noted with it.
    Report(Timestamp, Option<Price>, Report),
    /// Timers that were due.
    Timers(Timestamp),
    /// An operator's act.
    Control(Timestamp, Control),
    /// A command, and whether it was published.
    Command(bool, Command),
    /// State hash after so many inputs.
    Hash(u64, u128),
    /// The last state hash.
    End(u64, u128),
    /// A packet of a backtest: first event and count of events.
    PacketAt(Timestamp, u64, u32),
}

/// What a run begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// When.
    pub now: Timestamp,
    /// `run` or `backtest`.
    pub mode: String,
    /// Name and version of the program that wrote it.
    pub build: String,
    /// The resolved configuration.
    pub config: String,
    /// The opening state's stored form.
    pub opening: Vec<u8>,
    /// xxh3-128 of the recording that a backtest runs on, as 32 hexadecimal digits; else empty.
    pub data: String,
}

/// The payload is not one of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of kind {0} does not have the form of this version")]
pub struct BadRecord(pub u16);

impl Start {
    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.now.nanos().to_le_bytes().to_vec();
        let texts = [self.mode.as_bytes(), self.build.as_bytes(), self.config.as_bytes()];
        let rest = [self.opening.as_slice(), self.data.as_bytes()];
        for part in texts.into_iter().chain(rest) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Start> {
        let (now, mut rest) = time(bytes)?;
        let mut part = || {
            let (length, after) = word(rest)?;
            let (part, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
            rest = after;
            Some(part)
        };
        let text = |part: &[u8]| std::str::from_utf8(part).ok().map(str::to_owned);
        let (mode, build, config) = (text(part()?)?, text(part()?)?, text(part()?)?);
        let (opening, data) = (part()?.to_vec(), text(part()?)?);
        rest.is_empty().then_some(Start { now, mode, build, config, opening, data })
    }
}

/// The head of a packet record: time and count; the events follow in their stored form.
#[must_use]
pub fn packet_head(now: Timestamp, count: usize) -> [u8; 16] {
    pair(now.nanos(), count as u64)
}

/// A backtest's packet: time, first event, count.
#[must_use]
pub fn packet_at(now: Timestamp, first: u64, count: u32) -> [u8; 24] {
    triple(now.nanos(), first, u64::from(count))
}

/// The head of a report record: time and mid price, the least number standing for none.
#[must_use]
pub fn report_head(now: Timestamp, mid: Option<Price>) -> [u8; 16] {
    pair(now.nanos(), mid.map_or(i64::MIN, Price::raw).cast_unsigned())
}

/// A state hash record.
#[must_use]
pub fn hash(inputs: u64, hash: u128) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&inputs.to_le_bytes());
    bytes[8..].copy_from_slice(&hash.to_le_bytes());
    bytes
}

fn pair(one: u64, two: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&one.to_le_bytes());
    bytes[8..].copy_from_slice(&two.to_le_bytes());
    bytes
}

fn triple(one: u64, two: u64, three: u64) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(&pair(one, two));
    bytes[16..].copy_from_slice(&three.to_le_bytes());
    bytes
}

fn word(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*head), rest))
}

fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    word(bytes).map(|(nanos, rest)| (Timestamp::from_nanos(nanos), rest))
}

fn whole<const N: usize>(bytes: &[u8]) -> Option<&[u8; N]> {
    bytes.try_into().ok()
}

fn hash_of(bytes: &[u8]) -> Option<(u64, u128)> {
    let (inputs, rest) = word(bytes)?;
    Some((inputs, u128::from_le_bytes(*whole(rest)?)))
}

impl Record {
    /// The record of a kind and payload.
    ///
    /// # Errors
    /// [`BadRecord`] for anything that this version does not write.
    pub fn decode(kind: u16, payload: &[u8]) -> Result<Record, BadRecord> {
        Self::parse(kind, payload).ok_or(BadRecord(kind))
    }

    fn parse(kind: u16, payload: &[u8]) -> Option<Record> {
        Some(match kind {
            kind::START => Record::Start(Start::from_bytes(payload)?),
            kind::PACKET => {
                let (now, rest) = time(payload)?;
                let (count, rest) = word(rest)?;
                let (events, tail) = rest.as_chunks::<{ Event::BYTES }>();
                if !tail.is_empty() || events.len() as u64 != count {
                    return None;
                }
                Record::Packet(now, events.iter().map(Event::from_bytes).collect())
            }
            kind::PACKET_AT => {
                let (now, rest) = time(payload)?;
                let (first, rest) = word(rest)?;
                let (count, rest) = word(rest)?;
                let count = u32::try_from(count).ok().filter(|_| rest.is_empty())?;
                Record::PacketAt(now, first, count)
            }
            kind::REPORT => {
                let (now, rest) = time(payload)?;
                let (mid, rest) = word(rest)?;
                let mid = Some(mid.cast_signed()).filter(|&mid| mid != i64::MIN);
                Record::Report(now, mid.map(Price::from_raw), Report::from_bytes(whole(rest)?))
            }
            kind::TIMERS => {
                let (now, rest) = time(payload)?;
                rest.is_empty().then_some(Record::Timers(now))?
            }
            kind::CONTROL => {
                let (now, rest) = time(payload)?;
                Record::Control(now, Control::from_bytes(whole(rest)?))
            }
            kind::COMMAND => {
                let (&published, rest) = payload.split_first()?;
                Record::Command(published != 0, Command::from_bytes(whole(rest)?))
            }
            kind::HASH => hash_of(payload).map(|(inputs, hash)| Record::Hash(inputs, hash))?,
            kind::END => hash_of(payload).map(|(inputs, hash)| Record::End(inputs, hash))?,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trading::ControlKind;
    use market::{EventKind, InstrumentId, OrderId, ReportKind, Side};

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn every_record_round_trips_and_refuses_every_cut() {
        let event = Event::new(EventKind::Add, InstrumentId(1)).with_side(Some(Side::Buy));
        let report = Report::new(ReportKind::Accepted, OrderId(3), InstrumentId(1));
        let control = Control::new(ControlKind::Kill, "Ada", "drill");
        let command = Command::cancel(OrderId(9), OrderId(8), InstrumentId(1), Side::Sell);
        let start = Start {
            now: at(1),
            mode: "run".into(),
            build: "touchline 0".into(),
            config: "kind = \"run\"".into(),
            opening: vec![1, 2],
            data: "00ff".into(),
        };
        let events = [event.to_bytes(), event.to_bytes()].concat();
        let cases = [
            (kind::START, start.to_bytes(), Record::Start(start)),
            (
                kind::PACKET,
                [packet_head(at(2), 2).as_slice(), &events].concat(),
                Record::Packet(at(2), vec![event, event]),
            ),
            (kind::PACKET_AT, packet_at(at(2), 7, 3).to_vec(), Record::PacketAt(at(2), 7, 3)),
            (
                kind::REPORT,
                [report_head(at(3), None).as_slice(), &report.to_bytes()].concat(),
                Record::Report(at(3), None, report),
            ),
            (kind::TIMERS, at(4).nanos().to_le_bytes().to_vec(), Record::Timers(at(4))),
            (
                kind::CONTROL,
                [at(5).nanos().to_le_bytes().as_slice(), &control.to_bytes()].concat(),
                Record::Control(at(5), control),
            ),
            (
                kind::COMMAND,
                [[1].as_slice(), &command.to_bytes()].concat(),
                Record::Command(true, command),
            ),
            (kind::HASH, hash(6, 7).to_vec(), Record::Hash(6, 7)),
            (kind::END, hash(6, 7).to_vec(), Record::End(6, 7)),
        ];
        for (kind, bytes, record) in cases {
            assert_eq!(Record::decode(kind, &bytes), Ok(record));
            for length in 0..bytes.len() {
                assert_eq!(Record::decode(kind, &bytes[..length]), Err(BadRecord(kind)));
            }
        }
        let huge = packet_head(at(1), usize::MAX);
        assert!(Record::decode(kind::PACKET, &huge).is_err());
        assert!(Record::decode(99, &[]).is_err());
    }
}
