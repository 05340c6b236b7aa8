//! A bounded store in memory, for tests and simulation. It forgets nothing silently: when it is
//! full it refuses.

use super::store::{FrameKind, Store, StoreError, Visit};

/// Frames one after the other in a buffer of fixed size.
#[derive(Clone)]
pub struct MemoryStore {
    bytes: Vec<u8>,
    entries: Vec<(FrameKind, usize)>,
    first: u64,
    next_incoming: u64,
    max_bytes: usize,
    max_frames: usize,
}

/// Without its frames, among which is our Logon.
impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (outgoing, incoming) = (self.next_outgoing(), self.next_incoming);
        let mut shown = f.debug_struct("MemoryStore");
        shown.field("outgoing", &outgoing).field("incoming", &incoming).finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// A new store for at most so many frames and bytes of them.
    #[must_use]
    pub fn new(max_frames: usize, max_bytes: usize) -> Self {
        MemoryStore {
            bytes: Vec::with_capacity(max_bytes),
            entries: Vec::with_capacity(max_frames),
            first: 1,
            next_incoming: 1,
            max_bytes,
            max_frames,
        }
    }
}

impl Store for MemoryStore {
    fn next_outgoing(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn next_incoming(&self) -> u64 {
        self.next_incoming
    }

    fn record_outgoing(
        &mut self,
        seq: u64,
        kind: FrameKind,
        frame: &[u8],
    ) -> Result<(), StoreError> {
        let expected = self.next_outgoing();
        if seq != expected {
            return Err(StoreError::OutOfOrder { expected, found: seq });
        }
        if self.entries.len() == self.max_frames || frame.len() > self.max_bytes - self.bytes.len()
        {
            return Err(StoreError::Full);
        }
        self.bytes.extend_from_slice(frame);
        self.entries.push((kind, self.bytes.len()));
        Ok(())
    }

    fn record_incoming(&mut self, seq: u64, _frame: &[u8]) -> Result<(), StoreError> {
        if seq != self.next_incoming {
            return Err(StoreError::OutOfOrder { expected: self.next_incoming, found: seq });
        }
        self.next_incoming += 1;
        Ok(())
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        self.next_incoming = seq;
        Ok(())
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        self.bytes.clear();
        self.entries.clear();
        (self.first, self.next_incoming) = (outgoing, incoming);
        Ok(())
    }

    fn outgoing(&mut self, begin: u64, end: u64, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let skip = usize::try_from(begin.saturating_sub(self.first)).unwrap_or(usize::MAX);
        for (i, &(kind, stop)) in self.entries.iter().enumerate().skip(skip) {
            let seq = self.first + i as u64;
            let start = if i == 0 { 0 } else { self.entries[i - 1].1 };
            if seq > end || visit(seq, kind, &self.bytes[start..stop]).is_break() {
                break;
            }
        }
        Ok(())
    }
}
