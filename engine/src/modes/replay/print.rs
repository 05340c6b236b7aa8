//! A journal as text: both streams in order of time, one line a record, filtered as asked.

use super::open::{GATEWAY, Journal, TRADING, instruments};
use super::text::{frame_text, record_text, time_of};
use crate::cli::{Moment, ReplayArgs};
use crate::journal::{CLOSED, Reader};
use crate::pipeline::fix_store::{StoredFrame, kind as gateway_kind};
use crate::pipeline::records::Record;
use anyhow::Context as _;
use gateway::fix::{FieldIndex, tags};
use market::{Command, Event, Instrument, InstrumentId, OrderId, Report, Timestamp};
use std::io::Write;

/// What is shown.
pub(super) struct Filter {
    order: Option<OrderId>,
    instrument: Option<(InstrumentId, String)>,
    from: Timestamp,
    to: Timestamp,
}

impl Filter {
    /// The filter of a command line; times without a day are of the journal's first.
    pub(super) fn of(args: &ReplayArgs, journal: &Journal) -> anyhow::Result<Filter> {
        let instrument = args.instrument.as_ref().map(|wanted| {
            let traded = instruments(&journal.start);
            let known = traded.iter().find(|instrument| instrument.symbol == *wanted);
            let id = known.map(|instrument| (instrument.id, wanted.clone()));
            id.with_context(|| {
                let all: Vec<_> = traded.iter().map(|i| i.symbol.as_str()).collect();
                format!("the journal has no instrument {wanted}; it has {}", all.join(", "))
            })
        });
        let midnight = day_of(journal)?;
        let at = |moment: &Moment| moment.day.unwrap_or(midnight).after(moment.time);
        Ok(Filter {
            order: args.order.map(OrderId),
            instrument: instrument.transpose()?,
            from: args.from.as_ref().map_or(Timestamp::ZERO, at),
            to: args.to.as_ref().map_or(Timestamp::MAX, at),
        })
    }

    fn is_open(&self) -> bool {
        self.order.is_none() && self.instrument.is_none()
    }

    fn wants_time(&self, now: Timestamp) -> bool {
        self.from <= now && now <= self.to
    }

    fn wants_instrument(&self, id: InstrumentId) -> bool {
        let wanted = self.instrument.as_ref();
        wanted.is_none_or(|(wanted, _)| *wanted == id || id == Event::ALL)
    }

    fn wants_order(&self, ids: [OrderId; 2]) -> bool {
        self.order.is_none_or(|order| ids.contains(&order))
    }

    fn wants_command(&self, command: &Command) -> bool {
        self.wants_order([command.id, command.target]) && self.wants_instrument(command.instrument)
    }

    fn wants_report(&self, report: &Report) -> bool {
        self.wants_order([report.order, report.target]) && self.wants_instrument(report.instrument)
    }

    /// What of a record is to be shown.
    fn of_record(&self, record: Record) -> Option<Record> {
        match record {
            Record::Command(_, command) => self.wants_command(&command).then_some(record),
            Record::Report(_, _, report) => self.wants_report(&report).then_some(record),
            Record::Packet(now, mut events) if self.order.is_none() => {
                events.retain(|event| self.wants_instrument(event.instrument));
                let shown = self.is_open() || !events.is_empty();
                shown.then_some(Record::Packet(now, events))
            }
            _ => self.is_open().then_some(record),
        }
    }

    /// True if a frame concerns what is wanted.
    fn wants_frame(&self, bytes: &[u8]) -> bool {
        if self.is_open() {
            return true;
        }
        let mut index = FieldIndex::new(256);
        let message = index.parse(bytes);
        let id = |tag| OrderId(message.u64(tag).unwrap_or(0));
        let symbol = |wanted: &str| message.get(tags::SYMBOL) == Some(wanted.as_bytes());
        self.wants_order([id(tags::CL_ORD_ID), id(tags::ORIG_CL_ORD_ID)])
            && self.instrument.as_ref().is_none_or(|(_, wanted)| symbol(wanted))
    }
}

/// The midnight before the first record that has a time: a stepped run starts without one.
fn day_of(journal: &Journal) -> anyhow::Result<Timestamp> {
    let mut reader = journal.reader(TRADING)?;
    while let Some(record) = reader.next_record()? {
        let decoded = Record::decode(record.kind, record.payload).ok();
        let now = decoded.as_ref().and_then(time_of).unwrap_or_default();
        if now > Timestamp::ZERO {
            return Ok(now.midnight());
        }
    }
    Ok(Timestamp::ZERO)
}

/// Writes the journal.
pub(super) fn print(journal: &Journal, filter: &Filter, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut trading = Trading::new(journal)?;
    let mut frames = Frames::new(journal)?;
    loop {
        let frames_first = match (trading.next.as_ref(), frames.next.as_ref()) {
            (None, None) => break,
            (Some((now, _)), Some((then, _))) => then < now,
            (None, Some(_)) => true,
            (Some(_), None) => false,
        };
        let next = if frames_first { frames.take(filter)? } else { trading.take(filter)? };
        if let Some(line) = next {
            writeln!(out, "{line}")?;
        }
    }
    if filter.is_open() && filter.to == Timestamp::MAX {
        let tail = trading.reader.tail().map_or_else(String::new, ToString::to_string);
        writeln!(out, "the journal is {tail}")?;
    }
    Ok(())
}

/// What comes next in a stream: when, its sequence, and what it is.
type Next<T> = Option<(Timestamp, (u64, T))>;

/// The trading stream, a record ahead.
struct Trading {
    reader: Reader,
    instruments: Vec<Instrument>,
    next: Next<Result<Record, String>>,
}

impl Trading {
    fn new(journal: &Journal) -> anyhow::Result<Trading> {
        let reader = journal.reader(TRADING)?;
        let mut this = Trading { reader, instruments: Vec::new(), next: None };
        this.advance(Timestamp::ZERO)?;
        Ok(this)
    }

    /// Records without a time of their own have that of the record before.
    fn advance(&mut self, before: Timestamp) -> anyhow::Result<()> {
        self.next = None;
        while let Some(record) = self.reader.next_record()? {
            if record.kind == CLOSED {
                continue;
            }
            let decoded = Record::decode(record.kind, record.payload);
            let now = decoded.as_ref().ok().and_then(time_of).unwrap_or(before);
            let decoded = decoded.map_err(|error| error.to_string());
            self.next = Some((now, (record.sequence, decoded)));
            break;
        }
        Ok(())
    }

    fn take(&mut self, filter: &Filter) -> anyhow::Result<Option<String>> {
        let Some((now, (sequence, record))) = self.next.take() else { return Ok(None) };
        if let Ok(Record::Start(start)) = &record {
            self.instruments = instruments(start);
        }
        self.advance(now)?;
        if !filter.wants_time(now) {
            return Ok(None);
        }
        let text = match record {
            Ok(record) => {
                filter.of_record(record).map(|record| record_text(&record, &self.instruments))
            }
            Err(error) => Some(error),
        };
        Ok(text.map(|text| format!("{now} trading {sequence:>8} {text}")))
    }
}

/// The gateway's stream, a record ahead; empty where there is none.
struct Frames {
    reader: Option<Reader>,
    next: Next<Entry>,
}

/// A record of the gateway's stream.
enum Entry {
    /// A frame: which way, its MsgSeqNum, its bytes.
    Frame(&'static str, u64, Vec<u8>),
    /// Anything else, as text.
    Note(String),
}

impl Frames {
    fn new(journal: &Journal) -> anyhow::Result<Frames> {
        let reader = match journal.has_gateway()? {
            true => Some(journal.reader(GATEWAY)?),
            false => None,
        };
        let mut this = Frames { reader, next: None };
        this.advance(Timestamp::ZERO)?;
        Ok(this)
    }

    fn advance(&mut self, before: Timestamp) -> anyhow::Result<()> {
        self.next = None;
        let Some(reader) = &mut self.reader else { return Ok(()) };
        while let Some(record) = reader.next_record()? {
            if record.kind == CLOSED {
                continue;
            }
            let entry = match StoredFrame::of(&record) {
                Some(frame) => {
                    let way = if record.kind == gateway_kind::OUT { "out" } else { "in" };
                    let entry = Entry::Frame(way, frame.seq, frame.bytes.to_vec());
                    (frame.now, (record.sequence, entry))
                }
                None => {
                    let (now, text) = note(record.kind, record.payload, before);
                    (now, (record.sequence, Entry::Note(text)))
                }
            };
            self.next = Some(entry);
            break;
        }
        Ok(())
    }

    fn take(&mut self, filter: &Filter) -> anyhow::Result<Option<String>> {
        let Some((now, (sequence, entry))) = self.next.take() else { return Ok(None) };
        self.advance(now)?;
        if !filter.wants_time(now) {
            return Ok(None);
        }
        let text = match entry {
            Entry::Frame(way, seq, bytes) => {
                let text = || format!("{way} {seq} {}", frame_text(&bytes));
                filter.wants_frame(&bytes).then(text)
            }
            Entry::Note(text) => filter.is_open().then_some(text),
        };
        Ok(text.map(|text| format!("{now} gateway {sequence:>8} {text}")))
    }
}

/// What a record that is no frame says.
fn note(kind: u16, payload: &[u8], before: Timestamp) -> (Timestamp, String) {
    let words = payload.as_chunks::<8>().0;
    let word = |at: usize| words.get(at).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    match kind {
        gateway_kind::START => (Timestamp::from_nanos(word(0)), "start".to_owned()),
        gateway_kind::NEXT_IN => (before, format!("awaits {} next", word(0))),
        gateway_kind::RESET => (before, format!("numbers reset to {} and {}", word(0), word(1))),
        _ => (before, format!("a record of kind {kind} ({} bytes)", payload.len())),
    }
}
