//! The writer of a stream: appends records to the active hot segment and takes the next when full.
//!
//! It never allocates, calls the system, locks or waits. It lives on a polled core.

use std::mem;
use std::sync::Arc;

use super::Durability;
use super::error::Full;
use super::format::{
    CLOSED, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader, padded, seal,
};
use super::mapped::WriteHalf;
use super::state::{JournalHealth, StreamState};

/// The one writer of a stream.
pub struct Writer {
    active: WriteHalf,
    next_sequence: u64,
    /// The header of the next segment, but for index and sequence.
    header: SegmentHeader,
    segment_bytes: usize,
    durability: Durability,
    closed: bool,
    /// The sequence of the record whose place was made ready.
    ready: u64,
    state: Arc<StreamState>,
}

/// A record being written in its place. Dropped without [`commit`](Draft::commit), it leaves nothing.
pub struct Draft<'a> {
    writer: &'a mut Writer,
    kind: u16,
    most: usize,
}

/// The record `close` writes. Its room is never given to another.
const CLOSING_BYTES: usize = RECORD_HEADER_BYTES;
/// Bytes of a cache line, and how many are made ready: those of an order and of its answer.
const LINE: usize = 64;
const LINES_READY: usize = 10;

impl Writer {
    /// Begins in `active` with the record `header.first_sequence`.
    pub(super) fn begin_in(
        mut active: WriteHalf,
        header: SegmentHeader,
        durability: Durability,
        state: Arc<StreamState>,
    ) -> Self {
        let segment_bytes = active.room();
        begin_segment(&mut active, &header);
        let next_sequence = header.first_sequence;
        let (closed, ready) = (false, 0);
        Writer { active, next_sequence, header, segment_bytes, durability, closed, ready, state }
    }

    /// Appends a record of this kind, whose payload is `parts` one after another, and gives its
    /// sequence. The kind [`CLOSED`] is the journal's own.
    ///
    /// # Errors
    /// [`Full`]: no room, and no next segment yet. Nothing was written; a later attempt may succeed.
    pub fn append(&mut self, kind: u16, parts: &[&[u8]]) -> Result<u64, Full> {
        let mut payload = 0;
        for part in parts {
            payload += part.len();
        }
        let mut draft = self.draft(kind, payload)?;
        let mut rest = draft.payload();
        for part in parts {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
        Ok(draft.commit(payload))
    }

    /// Room for a record of this kind with at most `most` bytes of payload, to be filled in place.
    ///
    /// # Errors
    /// [`Full`] as for [`append`](Writer::append).
    pub fn draft(&mut self, kind: u16, most: usize) -> Result<Draft<'_>, Full> {
        debug_assert_ne!(kind, CLOSED, "the kind of the closing record");
        let needed = record_bytes(most);
        if needed > self.active.room().saturating_sub(CLOSING_BYTES) {
            self.rotate(needed)?;
        }
        Ok(Draft { writer: self, kind, most })
    }

    /// Whether a record with `payload` bytes of payload will find room now.
    #[must_use]
    pub fn has_room(&self, payload: usize) -> bool {
        record_bytes(payload) <= self.active.room().saturating_sub(CLOSING_BYTES)
            || (payload <= self.max_payload() && !self.state.ready.is_empty())
    }

    /// Bytes left for records, headers included, in the active segment and the next if it is ready.
    #[must_use]
    pub fn room(&self) -> usize {
        let next = if self.state.ready.is_empty() { 0 } else { record_room(self.segment_bytes) };
        self.active.room().saturating_sub(CLOSING_BYTES) + next
    }

    /// The largest payload a record of this stream may have.
    #[must_use]
    pub fn max_payload(&self) -> usize {
        record_room(self.segment_bytes) - RECORD_HEADER_BYTES
    }

    /// The sequence the next record will have.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Number of the active segment: it moves on when the next one is taken.
    #[must_use]
    pub fn segment(&self) -> u64 {
        self.header.index
    }

    /// The last sequence that is synced to disk, 0 before the first.
    #[must_use]
    pub fn synced(&self) -> u64 {
        self.state.synced()
    }

    /// Whether a command that rests on the appended record `sequence` may be sent: at once when
    /// only the death of the process counts, after the sync when the loss of power does too.
    #[must_use]
    pub fn is_durable(&self, sequence: u64) -> bool {
        match self.durability {
            Durability::Process => sequence < self.next_sequence,
            Durability::Power => sequence <= self.synced(),
        }
    }

    /// How the journal thread fares.
    #[must_use]
    pub fn health(&self) -> JournalHealth {
        self.state.health()
    }

    /// The stream's state, for other threads.
    #[must_use]
    pub fn state(&self) -> Arc<StreamState> {
        Arc::clone(&self.state)
    }

    /// Touches the place of the next records, once for each that was written: their cache lines are
    /// new to the processor, and whoever has nothing to do may wait for them now.
    #[inline]
    pub fn make_ready(&mut self) {
        if self.ready != self.next_sequence {
            self.ready = self.next_sequence;
            self.touch();
        }
    }

    /// What stands there has no meaning before it is committed; its first word is zero, and stays so.
    #[inline(never)]
    fn touch(&mut self) {
        for line in self.active.free().as_chunks_mut::<LINE>().0.iter_mut().take(LINES_READY) {
            line[LINE - 1] = 0;
        }
    }

    /// Marks a clean end. There is always room for the mark.
    pub fn close(mut self) {
        self.write(CLOSED, 0);
        self.closed = true;
    }

    /// Takes the next segment. The full one goes back to the copier, which alone unmaps.
    #[cold]
    fn rotate(&mut self, needed: usize) -> Result<(), Full> {
        if needed > record_room(self.segment_bytes) {
            return Err(Full { needed });
        }
        let mut next = self.state.ready.pop().ok_or(Full { needed })?;
        self.header.index = next.index();
        self.header.first_sequence = self.next_sequence;
        begin_segment(&mut next, &self.header);
        // The queue has a place for every segment there can be, so this never fails.
        let _ = self.state.retired.push(mem::replace(&mut self.active, next));
        Ok(())
    }

    fn write(&mut self, kind: u16, payload: usize) -> u64 {
        let sequence = self.next_sequence;
        let (word, bytes) = seal(self.active.free(), kind, sequence, payload);
        self.active.commit(word, bytes, sequence);
        self.next_sequence += 1;
        sequence
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.state.leave(self.closed);
    }
}

impl Draft<'_> {
    /// The room for the payload. What stands there before it is written has no meaning.
    pub fn payload(&mut self) -> &mut [u8] {
        let record = self.writer.active.free();
        &mut record[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + self.most]
    }

    /// Appends the record with the first `used` bytes of the room, and gives its sequence.
    pub fn commit(self, used: usize) -> u64 {
        debug_assert!(used <= self.most, "more payload than the draft has room for");
        self.writer.write(self.kind, used.min(self.most))
    }
}

fn begin_segment(half: &mut WriteHalf, header: &SegmentHeader) {
    let word = header.write(half.free());
    half.commit(word, SEGMENT_HEADER_BYTES, 0);
}

fn record_bytes(payload: usize) -> usize {
    // A payload near the end of the address space fits nowhere, whatever its padding.
    padded(payload.saturating_add(RECORD_HEADER_BYTES).min(usize::MAX - 8))
}

fn record_room(segment_bytes: usize) -> usize {
    segment_bytes - SEGMENT_HEADER_BYTES - CLOSING_BYTES
}
