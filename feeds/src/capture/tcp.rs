//! One direction of a TCP connection in order: segments in, its bytes out, each once, and holes
//! where the capture lacks some.
//!
//! It holds a bounded number of bytes that came too early, and never gives a byte that was not
//! captured, nor one twice. Of bytes that came twice the first count. Time is the capture's.
//! Source: RFC 9293 (TCP), §3.4 and §3.10.7.

use super::{FlowCounts, Segment};
use market::{Nanos, Timestamp};
use std::collections::BTreeMap;

/// FIN, SYN and ACK among the flags of a header.
const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const ACK: u8 = 16;

/// The largest window of RFC 7323: what is further away is of no byte that could be sent.
const WINDOW: u64 = 1 << 30;
/// Bytes, and pieces of them, that wait for what is missing before them.
const HELD_BYTES: usize = 1 << 20;
const HELD_PIECES: usize = 1024;
/// Bytes that a piece takes beside its own.
const PIECE: usize = 96;
/// How long they wait where the other side has not said that it has what is missing: then it may
/// yet be sent again.
pub(super) const PATIENCE: Nanos = Nanos::from_secs(5);
/// And where it has: captures may have packets in another order than they were sent.
const GRACE: Nanos = Nanos::from_millis(100);

/// What a stream gives next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InOrder<'a> {
    /// Bytes that follow on those before.
    Bytes(Stretch<'a>),
    /// Bytes that the capture lacks.
    Hole(Hole),
    /// The stream is over: nothing of it comes any more.
    End,
}

/// Bytes of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch<'a> {
    /// Bytes of the stream before it, those in holes included.
    pub offset: u64,
    /// Where the record of its packet begins in the file.
    pub position: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// They.
    pub bytes: &'a [u8],
}

/// Bytes that were sent and not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Bytes of the stream before it.
    pub offset: u64,
    /// How many are missing.
    pub bytes: u64,
    /// Where the record of the packet behind it begins in the file.
    pub position: u64,
    /// When that was captured.
    pub time: Timestamp,
}

/// Bytes that came before those that precede them. A FIN is a piece without bytes.
#[derive(Debug)]
struct Piece {
    position: u64,
    time: Timestamp,
    bytes: Vec<u8>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Stream {
    numbers: Option<Numbers>,
    /// By the number of their first byte: all beyond the next, and none over another.
    held: BTreeMap<u64, Piece>,
    held_bytes: usize,
    /// When the oldest of them was captured.
    since: Option<Timestamp>,
    /// Where the last segment stands, and its time.
    last: (u64, Timestamp),
}

/// Sequence numbers as they would be with 64 bits, so that they never begin anew.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    /// Of the first byte of the stream, as far as it was captured.
    first: u64,
    /// A SYN said so.
    told: bool,
    /// Of the next byte to be given.
    next: u64,
    /// Of the byte that the other side waits for.
    acknowledged: u64,
}

impl Numbers {
    fn new(first: u32, told: bool) -> Numbers {
        let first = (1 << 32) + u64::from(first);
        Numbers { first, told, next: first, acknowledged: first }
    }

    /// A number of a header, if it is near enough to be of this stream.
    fn place(&self, number: u32) -> Option<u64> {
        // The lower half of the count, to the nearest of the numbers that end so.
        let distance = number.wrapping_sub(self.next as u32).cast_signed();
        let place = self.next.checked_add_signed(distance.into())?;
        (place.abs_diff(self.next) <= WINDOW).then_some(place)
    }
}

/// What a SYN is to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// Its beginning, or the same once more.
    Same,
    /// Another connection of the same addresses and ports.
    Another,
}

impl Stream {
    /// Bytes of memory that are held.
    pub(super) fn held(&self) -> usize {
        self.held_bytes
    }

    /// When the oldest of the bytes that wait was captured.
    pub(super) fn waits_since(&self) -> Option<Timestamp> {
        self.since
    }

    /// What a segment with SYN is.
    pub(super) fn begin(&mut self, segment: &Segment<'_>) -> Begin {
        let Some(numbers) = &mut self.numbers else { return Begin::Same };
        match numbers.place(segment.sequence.wrapping_add(1)) {
            Some(place) if place == numbers.first => numbers.told = true,
            // Segments that were sent after it may have been captured before it.
            Some(place)
                if !numbers.told
                    && place < numbers.first
                    && numbers.first - place <= HELD_BYTES as u64 => {}
            _ => return Begin::Another,
        }
        Begin::Same
    }

    /// Takes a segment of this direction.
    ///
    /// # Errors
    /// Why it was of no use.
    pub(super) fn segment(
        &mut self,
        segment: &Segment<'_>,
        counts: &mut FlowCounts,
        give: &mut dyn FnMut(InOrder<'_>),
    ) -> Result<(), &'static str> {
        let syn = segment.flags & SYN != 0;
        let fin = segment.flags & FIN != 0;
        let Segment { position, time, payload, .. } = *segment;
        // What a reset carries is for people, and not of the stream.
        if segment.flags & RST != 0 || (payload.is_empty() && !syn && !fin) {
            return Ok(());
        }
        let first = segment.sequence.wrapping_add(u32::from(syn));
        let numbers = self.numbers.get_or_insert_with(|| Numbers::new(first, syn));
        let Some(place) = numbers.place(first) else {
            return Err("TCP sequence number beyond any window");
        };
        self.last = (position, time);
        let end = place + payload.len() as u64;
        let &mut Numbers { first, told, next, .. } = numbers;
        if !payload.is_empty() && end <= next {
            if end <= first && !told {
                return Err("TCP segment from before the first that was captured");
            }
            counts.retransmissions += 1;
        } else if !payload.is_empty() {
            let known = usize::try_from(next.saturating_sub(place)).unwrap_or(usize::MAX);
            let fresh = payload.get(known..).unwrap_or_default();
            let mut overlaps = known > 0;
            if place <= next && self.held.is_empty() {
                self.give(fresh, position, time, give);
            } else {
                overlaps |= self.hold(place.max(next), fresh, segment, counts);
                self.release(give);
            }
            counts.overlaps += u64::from(overlaps);
        }
        if fin && end > self.numbers.map_or(0, |numbers| numbers.next) && !self.holds(end) {
            self.held.insert(end, Piece { position, time, bytes: Vec::new() });
            self.held_bytes += PIECE;
            self.since = Some(self.since.map_or(time, |since| since.min(time)));
        }
        while self.held_bytes > HELD_BYTES || self.held.len() > HELD_PIECES {
            self.pass_hole(counts, give);
        }
        Ok(())
    }

    /// Takes what the other side has acknowledged.
    pub(super) fn acknowledge(&mut self, number: u32) {
        if let Some(numbers) = &mut self.numbers
            && let Some(place) = numbers.place(number)
        {
            numbers.acknowledged = numbers.acknowledged.max(place);
        }
    }

    /// Passes over holes that nothing will fill any more.
    pub(super) fn settle(
        &mut self,
        now: Timestamp,
        counts: &mut FlowCounts,
        give: &mut dyn FnMut(InOrder<'_>),
    ) {
        while let (Some(since), Some(numbers)) = (self.since, self.numbers) {
            let waited = now.since(since);
            let has = numbers.acknowledged > numbers.next;
            if waited < PATIENCE && !(has && waited >= GRACE) {
                return;
            }
            self.pass_hole(counts, give);
        }
    }

    /// Gives what waits, whatever is missing before it.
    pub(super) fn settle_all(
        &mut self,
        counts: &mut FlowCounts,
        give: &mut dyn FnMut(InOrder<'_>),
    ) {
        while !self.held.is_empty() {
            self.pass_hole(counts, give);
        }
    }

    /// The same, and says what the other side had beyond it.
    pub(super) fn finish(&mut self, counts: &mut FlowCounts, give: &mut dyn FnMut(InOrder<'_>)) {
        self.settle_all(counts, give);
        if let Some(numbers) = self.numbers {
            let bytes = numbers.acknowledged.saturating_sub(numbers.next);
            // One more may be the number of a FIN.
            if bytes > 1 {
                let (position, time) = self.last;
                self.hole(bytes, position, time, counts, give);
            }
        }
        give(InOrder::End);
    }

    fn give(
        &mut self,
        bytes: &[u8],
        position: u64,
        time: Timestamp,
        give: &mut dyn FnMut(InOrder<'_>),
    ) {
        let Some(numbers) = &mut self.numbers else { return };
        let offset = numbers.next - numbers.first;
        numbers.next += bytes.len() as u64;
        if !bytes.is_empty() {
            give(InOrder::Bytes(Stretch { offset, position, time, bytes }));
        }
    }

    fn hole(
        &mut self,
        bytes: u64,
        position: u64,
        time: Timestamp,
        counts: &mut FlowCounts,
        give: &mut dyn FnMut(InOrder<'_>),
    ) {
        let Some(numbers) = &mut self.numbers else { return };
        let offset = numbers.next - numbers.first;
        numbers.next += bytes;
        counts.holes += 1;
        counts.hole_bytes += bytes;
        give(InOrder::Hole(Hole { offset, bytes, position, time }));
    }

    /// True if the byte or the FIN of this number is held. A FIN among bytes that are held is none.
    fn holds(&self, place: u64) -> bool {
        self.held.range(..=place).next_back().is_some_and(|(&start, piece)| {
            start == place || place - start < piece.bytes.len() as u64
        })
    }

    /// Holds those of `bytes` that are not held yet; true if some were.
    fn hold(
        &mut self,
        mut place: u64,
        mut bytes: &[u8],
        segment: &Segment<'_>,
        counts: &mut FlowCounts,
    ) -> bool {
        let &Segment { position, time, .. } = segment;
        let mut overlaps = false;
        while !bytes.is_empty() {
            if let Some((&start, piece)) = self.held.range(..=place).next_back() {
                let there =
                    usize::try_from(place - start).ok().and_then(|at| piece.bytes.get(at..));
                let there = there.unwrap_or_default();
                if !there.is_empty() {
                    let common = there.len().min(bytes.len());
                    counts.contradictions += u64::from(there[..common] != bytes[..common]);
                    overlaps = true;
                    place += common as u64;
                    bytes = &bytes[common..];
                    continue;
                }
            }
            let until = self.held.range(place + 1..).next().map(|(&start, _)| start - place);
            let until = until.and_then(|until| usize::try_from(until).ok());
            let (part, rest) = bytes.split_at(until.unwrap_or(bytes.len()).min(bytes.len()));
            let before = self.held.insert(place, Piece { position, time, bytes: part.to_vec() });
            self.held_bytes += part.len();
            // Bytes behind a FIN take its place.
            self.held_bytes += if before.is_some() { 0 } else { PIECE };
            self.since = Some(self.since.map_or(time, |since| since.min(time)));
            place += part.len() as u64;
            bytes = rest;
        }
        overlaps
    }

    /// Gives what waits and follows now.
    fn release(&mut self, give: &mut dyn FnMut(InOrder<'_>)) {
        let mut released = false;
        while let Some(first) = self.held.first_entry()
            && self.numbers.is_some_and(|numbers| *first.key() <= numbers.next)
        {
            let Piece { position, time, bytes } = first.remove();
            self.held_bytes -= bytes.len() + PIECE;
            self.give(&bytes, position, time, give);
            released = true;
        }
        if released {
            self.since = self.held.values().map(|piece| piece.time).min();
        }
    }

    /// Passes over the hole before the first that waits.
    fn pass_hole(&mut self, counts: &mut FlowCounts, give: &mut dyn FnMut(InOrder<'_>)) {
        let (Some(numbers), Some((&start, piece))) = (self.numbers, self.held.first_key_value())
        else {
            return;
        };
        let (position, time) = (piece.position, piece.time);
        self.hole(start - numbers.next, position, time, counts, give);
        self.release(give);
    }
}
