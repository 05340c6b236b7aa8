//! FIX in a capture of packets: TCP in order, each direction cut into messages, all of them by time.
//!
//! What it holds is bounded: streams, what waits in them, and what waits to be shown. It changes
//! nothing and hides nothing that is missing.

use super::messages::{Messages, Piece};
use super::print::Printer;
use super::shown::Place;
use feeds::capture::recording::recognise;
use feeds::capture::{Carried, FlowCounts, Flows, Hole, InOrder, StreamId, Walker, transport};
use feeds::recording::{Input, Log};
use market::{Nanos, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

/// Bytes of messages that are not whole, in all streams: beyond it, the connection that was idle
/// longest is dropped.
const HELD_BYTES: usize = 24 << 20;
/// What waits for others to be shown, at most.
const WAITING: usize = 4_096;
const WAITING_BYTES: usize = 8 << 20;
/// How long one stream may keep others waiting.
const PATIENCE: Nanos = Nanos::from_secs(5);
/// So many first bytes tell a capture.
const MAGIC: u64 = 12;

/// What was in a capture besides its messages.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    pub(super) packets: u64,
    pub(super) flows: u64,
    pub(super) flows_dropped: u64,
    pub(super) segments: u64,
    pub(super) messages: u64,
    pub(super) garbled: u64,
    pub(super) retransmissions: u64,
    pub(super) overlaps: u64,
    pub(super) contradictions: u64,
    pub(super) holes: u64,
    pub(super) bytes_missing: u64,
    pub(super) bytes_of_no_message: u64,
    pub(super) skipped: Vec<Skipped>,
    pub(super) cut: Option<Cut>,
}

/// Packets of no use, of one reason.
#[derive(Debug, Serialize)]
pub(super) struct Skipped {
    pub(super) reason: &'static str,
    pub(super) count: u64,
    /// Where the first of them stand.
    pub(super) positions: Vec<u64>,
}

/// Where the file ends within a packet, or cannot be read on.
#[derive(Debug, Serialize)]
pub(super) struct Cut {
    pub(super) position: u64,
    pub(super) reason: String,
}

/// Input that is a capture, or any other.
pub(super) enum Opened<'a> {
    Capture(Box<dyn Read + Send + 'a>),
    Text(Box<dyn Read + Send + 'a>),
}

/// Takes the packing off, and tells a capture by its first bytes.
///
/// # Errors
/// The input cannot be read, or is packed in a way that is not read.
pub(super) fn open<'a>(mut input: impl Read + Send + 'a) -> std::io::Result<Opened<'a>> {
    // No more than a capture's first bytes: somebody may wait for each line of a log.
    let mut first = Vec::new();
    input.by_ref().take(4).read_to_end(&mut first)?;
    if first == [0x0a, 0x0d, 0x0d, 0x0a] {
        input.by_ref().take(MAGIC - 4).read_to_end(&mut first)?;
    }
    let capture = recognise(&first).is_some();
    let packed = matches!(first[..], [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd]);
    let whole = Cursor::new(first).chain(input);
    if !packed {
        let whole = Box::new(whole);
        return Ok(if capture { Opened::Capture(whole) } else { Opened::Text(whole) });
    }
    let input = Input::new(whole)?;
    let capture = recognise(input.head()).is_some();
    let input = Box::new(input);
    Ok(if capture { Opened::Capture(input) } else { Opened::Text(input) })
}

/// Shows the messages of a capture and what it lacks. `live`: somebody may wait for each.
///
/// # Errors
/// It cannot be read on (what was read before is shown), or the output refuses.
pub(super) fn show(
    input: impl Read,
    name: &str,
    live: bool,
    to: &mut Printer<'_>,
) -> anyhow::Result<()> {
    let (mut walker, mut log) = (Walker::new(input), Log::default());
    let (mut flows, mut streams) = (Flows::default(), Streams::new(name));
    let (before, mut now) = (to.tally, Timestamp::ZERO);
    let broken = loop {
        let frame = match walker.next_frame(&mut log) {
            Ok(Some(frame)) => frame,
            Ok(None) => break None,
            Err(broken) => break Some(broken),
        };
        let position = frame.position;
        let taken = match transport(&frame) {
            Ok(Carried::Segment(segment)) => {
                now = segment.time;
                flows.segment(&segment, &mut |id, told| streams.take(id, told))
            }
            Ok(Carried::Datagram(_)) => Err("UDP"),
            Err(reason) => Err(reason),
        };
        if let Err(reason) = taken {
            log.skip(position, reason);
        }
        while streams.held > HELD_BYTES {
            flows.drop_idle(&mut |id, told| streams.take(id, told));
        }
        let shown = streams.show(flows.waits_since(), now, to)?;
        if live && shown {
            to.flush()?;
        }
    };
    flows.finish(&mut |id, told| streams.take(id, told));
    streams.show_all(to)?;
    let cut =
        log.is_cut().map(|cut| Cut { position: cut.position, reason: cut.reason.to_string() });
    let stopped = broken
        .as_ref()
        .map(|broken| Cut { position: broken.position, reason: broken.reason.clone() });
    let FlowCounts { dropped, retransmissions, overlaps, contradictions, .. } = flows.counts();
    let summary = Summary {
        packets: walker.frames(),
        flows: flows.counts().flows,
        flows_dropped: dropped,
        segments: flows.counts().segments,
        messages: to.tally.messages - before.messages,
        garbled: to.tally.garbled - before.garbled,
        retransmissions,
        overlaps,
        contradictions,
        holes: flows.counts().holes,
        bytes_missing: flows.counts().hole_bytes,
        bytes_of_no_message: streams.others,
        skipped: log.skipped().map(skipped).collect(),
        cut: cut.or(stopped),
    };
    to.summary(name, &summary)?;
    match broken {
        Some(broken) => {
            to.flush()?;
            Err(anyhow::Error::new(broken).context(format!("cannot read {name} on")))
        }
        None => Ok(()),
    }
}

fn skipped((reason, count, positions): (&'static str, u64, &[u64])) -> Skipped {
    Skipped { reason, count, positions: positions.to_vec() }
}

/// What waits to be shown.
enum Item {
    Piece(StreamId, Piece),
    Hole(StreamId, Hole),
}

impl Item {
    fn time(&self) -> Timestamp {
        match self {
            Item::Piece(_, piece) => piece.time,
            Item::Hole(_, hole) => hole.time,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Item::Piece(_, Piece { what: Ok(message), .. }) => message.len(),
            _ => 0,
        }
    }
}

/// Every stream's messages, in one order of time.
struct Streams<'n> {
    name: &'n str,
    streams: BTreeMap<StreamId, Messages>,
    /// Streams with a message that is not whole, by the time of its last bytes.
    partial: BTreeSet<(Timestamp, StreamId)>,
    /// Bytes that all of them hold.
    held: usize,
    /// Bytes of no message, in streams that are over.
    others: u64,
    waiting: BTreeMap<(Timestamp, u64), Item>,
    waiting_bytes: usize,
    number: u64,
}

impl<'n> Streams<'n> {
    fn new(name: &'n str) -> Streams<'n> {
        Streams {
            name,
            streams: BTreeMap::new(),
            partial: BTreeSet::new(),
            held: 0,
            others: 0,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            number: 0,
        }
    }

    fn take(&mut self, id: StreamId, told: InOrder<'_>) {
        let mut messages = self.streams.remove(&id).unwrap_or_default();
        self.held -= messages.held();
        if let Some(since) = messages.waits_since() {
            self.partial.remove(&(since, id));
        }
        match told {
            InOrder::Bytes(stretch) => {
                messages.take(&stretch, &mut |piece| self.wait(Item::Piece(id, piece)));
            }
            InOrder::Hole(hole) => {
                messages.end(&mut |piece| self.wait(Item::Piece(id, piece)));
                self.wait(Item::Hole(id, hole));
            }
            InOrder::End => {
                messages.end(&mut |piece| self.wait(Item::Piece(id, piece)));
                self.others += messages.others;
                return;
            }
        }
        self.held += messages.held();
        self.partial.extend(messages.waits_since().map(|since| (since, id)));
        self.streams.insert(id, messages);
    }

    fn wait(&mut self, item: Item) {
        self.number += 1;
        self.waiting_bytes += item.bytes();
        self.waiting.insert((item.time(), self.number), item);
    }

    /// Shows what nothing earlier can come before: of a segment that waits for another, or of a
    /// message that is not whole. True if anything was shown.
    fn show(
        &mut self,
        waits: Option<Timestamp>,
        now: Timestamp,
        to: &mut Printer<'_>,
    ) -> std::io::Result<bool> {
        let partial = self.partial.first().map(|&(since, _)| since);
        let until = match (waits, partial) {
            (Some(one), Some(two)) => one.min(two),
            (one, two) => one.or(two).unwrap_or(Timestamp::MAX),
        };
        let mut shown = false;
        while let Some(&(time, _)) = self.waiting.keys().next() {
            let full = self.waiting_bytes > WAITING_BYTES || self.waiting.len() > WAITING;
            if time > until && now.since(time) < PATIENCE && !full {
                break;
            }
            self.show_first(to)?;
            shown = true;
        }
        Ok(shown)
    }

    fn show_all(&mut self, to: &mut Printer<'_>) -> std::io::Result<()> {
        while !self.waiting.is_empty() {
            self.show_first(to)?;
        }
        Ok(())
    }

    fn show_first(&mut self, to: &mut Printer<'_>) -> std::io::Result<()> {
        let Some((_, item)) = self.waiting.pop_first() else { return Ok(()) };
        self.waiting_bytes -= item.bytes();
        let (id, position) = match &item {
            Item::Piece(id, piece) => (id, piece.position),
            Item::Hole(id, hole) => (id, hole.position),
        };
        let time = item.time();
        let place = Place {
            file: self.name.to_owned(),
            time: (time != Timestamp::ZERO).then(|| time.to_string()),
            from: Some(id.from),
            to: Some(id.to),
            offset: Some(position),
            ..Place::default()
        };
        match item {
            Item::Piece(_, Piece { what: Ok(mut message), .. }) => to.message(&place, &mut message),
            Item::Piece(_, Piece { what: Err(reason), .. }) => to.garbled(&place, reason),
            Item::Hole(_, Hole { offset, bytes, .. }) => to.hole(&place, offset, bytes),
        }
    }
}
