//! The store of a session whose numbers begin anew with each Logon: the two numbers, and no frame.
//!
//! Nothing of it may be wanted again: what a venue asks for is gap-filled.

use crate::pipeline::fix_store::{Numbers, TimedStore};
use gateway::session::{FrameKind, Store, StoreError, Visit};
use market::Timestamp;

/// Sequence numbers of this process alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NumberStore(Numbers);

impl TimedStore for NumberStore {
    /// Nothing bears a time.
    fn set_now(&mut self, _: Timestamp) {}
}

impl Store for NumberStore {
    fn next_outgoing(&self) -> u64 {
        self.0.outgoing
    }

    fn next_incoming(&self) -> u64 {
        self.0.incoming
    }

    fn record_outgoing(&mut self, seq: u64, _: FrameKind, _: &[u8]) -> Result<(), StoreError> {
        take(&mut self.0.outgoing, seq)
    }

    fn record_incoming(&mut self, seq: u64, _: &[u8]) -> Result<(), StoreError> {
        take(&mut self.0.incoming, seq)
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        self.0.incoming = seq;
        Ok(())
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        self.0 = Numbers { outgoing, incoming };
        Ok(())
    }

    fn keeps_frames(&self) -> bool {
        false
    }

    fn outgoing(&mut self, _: u64, _: u64, _: &mut Visit<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

fn take(next: &mut u64, seq: u64) -> Result<(), StoreError> {
    if seq != *next {
        return Err(StoreError::OutOfOrder { expected: *next, found: seq });
    }
    *next += 1;
    Ok(())
}
