//! The TCP connections of a capture, both directions of each in order. Their number and what they
//! hold are bounded: the one that was idle longest gives way, which is counted.

use super::Segment;
use super::tcp::{ACK, Begin, InOrder, PATIENCE, RST, SYN, Stream};
use market::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

/// Connections that are kept.
const FLOWS: usize = 1024;
/// Bytes that all of them together may hold.
const HELD_BYTES: usize = 16 << 20;

/// One direction of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId {
    /// Number of the connection, from 1. The same addresses may connect again.
    pub flow: u64,
    /// Who sends.
    pub from: SocketAddrV4,
    /// To whom.
    pub to: SocketAddrV4,
}

/// What was met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounts {
    /// Connections; one that gave way and goes on counts twice.
    pub flows: u64,
    /// Those that gave way to others.
    pub dropped: u64,
    /// Segments.
    pub segments: u64,
    /// Segments all of whose bytes had come before.
    pub retransmissions: u64,
    /// Segments some of whose bytes had come before.
    pub overlaps: u64,
    /// Those of them whose bytes were not the same.
    pub contradictions: u64,
    /// Places where bytes are missing.
    pub holes: u64,
    /// How many are.
    pub hole_bytes: u64,
}

/// Both ends of a connection, the lower first.
type Key = (SocketAddrV4, SocketAddrV4);

#[derive(Debug, Default)]
struct Flow {
    number: u64,
    /// From the lower end, and from the higher.
    streams: [Stream; 2],
    /// Segments of all connections before its last.
    used: u64,
    /// Since when it stands among those that wait.
    waits: Option<Timestamp>,
    held: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Flows {
    flows: BTreeMap<Key, Flow>,
    waiting: BTreeSet<(Timestamp, Key)>,
    held: usize,
    counts: FlowCounts,
}

impl Flows {
    /// What was met so far.
    #[must_use]
    pub fn counts(&self) -> FlowCounts {
        self.counts
    }

    /// Nothing that comes from now on was captured before this, as far as it waits here; `None` if
    /// nothing waits.
    #[must_use]
    pub fn waits_since(&self) -> Option<Timestamp> {
        self.waiting.first().map(|&(since, _)| since)
    }

    /// Takes a segment, and gives what can be given.
    ///
    /// # Errors
    /// Why the segment was of no use.
    pub fn segment(
        &mut self,
        segment: &Segment<'_>,
        give: &mut dyn FnMut(StreamId, InOrder<'_>),
    ) -> Result<(), &'static str> {
        self.counts.segments += 1;
        self.overdue(segment.time, give);
        let key = (segment.from.min(segment.to), segment.from.max(segment.to));
        let side = usize::from(segment.from != key.0);
        if segment.flags & SYN != 0
            && let Some(flow) = self.flows.get_mut(&key)
            && flow.streams[side].begin(segment) == Begin::Another
        {
            self.end(key, give);
        }
        if !self.flows.contains_key(&key) {
            if self.flows.len() >= FLOWS {
                self.drop_idle(give);
            }
            self.counts.flows += 1;
            let flow = Flow { number: self.counts.flows, ..Flow::default() };
            self.flows.insert(key, flow);
        }
        let counts = &mut self.counts;
        let Some(flow) = self.flows.get_mut(&key) else { return Ok(()) };
        flow.used = counts.segments;
        if segment.flags & ACK != 0 {
            flow.streams[1 - side].acknowledge(segment.acknowledges);
        }
        let number = flow.number;
        let id = stream_id(number, key, side);
        let taken = flow.streams[side].segment(segment, counts, &mut |told| give(id, told));
        for (side, stream) in flow.streams.iter_mut().enumerate() {
            let id = stream_id(number, key, side);
            let give = &mut |told: InOrder<'_>| give(id, told);
            // After a reset nothing is sent again.
            if segment.flags & RST != 0 {
                stream.settle_all(counts, give);
            } else {
                stream.settle(segment.time, counts, give);
            }
        }
        self.keep_account(key);
        while self.held > HELD_BYTES
            && let Some(&(_, key)) = self.waiting.first()
        {
            self.settle_all(key, give);
        }
        taken
    }

    /// Ends every connection: nothing comes any more.
    pub fn finish(&mut self, give: &mut dyn FnMut(StreamId, InOrder<'_>)) {
        while let Some((&key, _)) = self.flows.first_key_value() {
            self.end(key, give);
        }
    }

    /// Ends the connection that was idle longest.
    pub fn drop_idle(&mut self, give: &mut dyn FnMut(StreamId, InOrder<'_>)) {
        let idle = self.flows.iter().min_by_key(|(_, flow)| flow.used).map(|(&key, _)| key);
        if let Some(key) = idle {
            self.counts.dropped += 1;
            self.end(key, give);
        }
    }

    /// Settles what has waited too long, of connections that are silent.
    fn overdue(&mut self, now: Timestamp, give: &mut dyn FnMut(StreamId, InOrder<'_>)) {
        while let Some(&(since, key)) = self.waiting.first()
            && now.since(since) >= PATIENCE
        {
            self.settle_all(key, give);
        }
    }

    fn settle_all(&mut self, key: Key, give: &mut dyn FnMut(StreamId, InOrder<'_>)) {
        if let Some(flow) = self.flows.get_mut(&key) {
            let number = flow.number;
            for (side, stream) in flow.streams.iter_mut().enumerate() {
                let id = stream_id(number, key, side);
                stream.settle_all(&mut self.counts, &mut |told| give(id, told));
            }
        }
        self.keep_account(key);
    }

    fn end(&mut self, key: Key, give: &mut dyn FnMut(StreamId, InOrder<'_>)) {
        let Some(mut flow) = self.flows.remove(&key) else { return };
        self.held -= flow.held;
        if let Some(since) = flow.waits {
            self.waiting.remove(&(since, key));
        }
        for (side, stream) in flow.streams.iter_mut().enumerate() {
            let id = stream_id(flow.number, key, side);
            stream.finish(&mut self.counts, &mut |told| give(id, told));
        }
    }

    /// Notes what a connection holds now, and since when it waits.
    fn keep_account(&mut self, key: Key) {
        let Some(flow) = self.flows.get_mut(&key) else { return };
        let held = flow.streams.iter().map(Stream::held).sum::<usize>();
        self.held = self.held + held - flow.held;
        flow.held = held;
        let waits = flow.streams.iter().filter_map(Stream::waits_since).min();
        if waits != flow.waits {
            if let Some(since) = std::mem::replace(&mut flow.waits, waits) {
                self.waiting.remove(&(since, key));
            }
            self.waiting.extend(waits.map(|since| (since, key)));
        }
    }
}

fn stream_id(flow: u64, key: Key, side: usize) -> StreamId {
    let (from, to) = if side == 0 { key } else { (key.1, key.0) };
    StreamId { flow, from, to }
}
