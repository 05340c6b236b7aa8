//! The loop's tape of an engine of the bench: the journal's writer, which also tells another thread
//! how far it has written, so that the bench can wait for the disk between its figures. It records
//! what it is given and nothing else.

use engine::journal::Writer;
use engine::pipeline::tape::Tape;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A writer that is watched.
pub struct Noted {
    writer: Writer,
    /// Sequence of the last record.
    written: Arc<AtomicU64>,
}

impl Noted {
    /// A writer, and what will tell how far it is.
    #[must_use]
    pub fn new(writer: Writer) -> (Noted, Arc<AtomicU64>) {
        let written = Arc::new(AtomicU64::new(0));
        (Noted { writer, written: Arc::clone(&written) }, written)
    }
}

impl Tape for Noted {
    fn has_room(&self) -> bool {
        Tape::has_room(&self.writer)
    }

    fn sequence(&self) -> u64 {
        self.writer.sequence()
    }

    fn synced(&self) -> u64 {
        Tape::synced(&self.writer)
    }

    fn segment(&self) -> u64 {
        self.writer.segment()
    }

    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        let recorded = self.writer.record(kind, parts);
        self.written.store(self.writer.sequence(), Ordering::Relaxed);
        recorded
    }
}
