//! Where the loop's records go: a journal, nowhere, or against a journal that was recorded before.

use crate::journal::Writer;

/// Takes records of the trading stream, in order.
pub trait Tape: Send {
    /// True if an input and everything it may lead to will find room.
    fn has_room(&self) -> bool;

    /// On a tape that was recorded before: whether the command that comes next was published.
    fn was_published(&self) -> Option<bool> {
        None
    }

    /// Sequence of the last record.
    fn sequence(&self) -> u64 {
        0
    }

    /// Sequence of the last record that is on the disk.
    fn synced(&self) -> u64 {
        u64::MAX
    }

    /// Number of the segment that is written, where there are segments.
    fn segment(&self) -> u64 {
        0
    }

    /// One record, its payload in parts; false if there was no room after all.
    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool;
}

/// Room for the largest packet record and the most commands that one input may lead to.
const ROOM: usize = 64 * 1024;

impl Tape for Writer {
    fn has_room(&self) -> bool {
        Writer::has_room(self, ROOM)
    }

    fn sequence(&self) -> u64 {
        self.next_sequence() - 1
    }

    fn synced(&self) -> u64 {
        Writer::synced(self)
    }

    fn segment(&self) -> u64 {
        Writer::segment(self)
    }

    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        self.append(kind, parts).is_ok()
    }
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTape;

impl Tape for NoTape {
    fn has_room(&self) -> bool {
        true
    }

    fn record(&mut self, _kind: u16, _parts: &[&[u8]]) -> bool {
        true
    }
}

impl<T: Tape> Tape for &mut T {
    fn has_room(&self) -> bool {
        T::has_room(self)
    }

    fn was_published(&self) -> Option<bool> {
        T::was_published(self)
    }

    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        T::record(self, kind, parts)
    }
}

impl<T: Tape> Tape for Option<T> {
    fn has_room(&self) -> bool {
        self.as_ref().is_none_or(Tape::has_room)
    }

    fn sequence(&self) -> u64 {
        self.as_ref().map_or(0, Tape::sequence)
    }

    fn synced(&self) -> u64 {
        self.as_ref().map_or(u64::MAX, Tape::synced)
    }

    fn was_published(&self) -> Option<bool> {
        self.as_ref().and_then(Tape::was_published)
    }

    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        self.as_mut().is_none_or(|tape| tape.record(kind, parts))
    }
}
