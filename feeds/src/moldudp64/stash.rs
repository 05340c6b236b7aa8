//! Packets that came before their turn, in order, in memory taken at construction.
//!
//! Bounded: when it is full, the packets of the lowest sequences stay, since they are needed first.
//! Never looks into a packet.

use std::collections::VecDeque;

/// One early packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Early {
    pub(super) sequence: u64,
    /// The sequence after its last message.
    pub(super) next: u64,
    pub(super) received: u64,
    cell: u32,
    length: u32,
}

/// What became of a packet that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is kept, and no other was dropped.
    Yes,
    /// It was here already, byte for byte.
    Already,
    /// One of the same sequence and count is here, and differs. That one stays.
    Differs,
    /// There was no room for it, or another had to go for it.
    Full,
}

#[derive(Clone, Debug)]
pub(super) struct Stash {
    /// Sorted by sequence, then by `next`; no two alike in both.
    early: VecDeque<Early>,
    free: Vec<u32>,
    bytes: Box<[u8]>,
    cell_bytes: usize,
}

impl Stash {
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn new(packets: u32, cell_bytes: usize) -> Stash {
        Stash {
            early: VecDeque::with_capacity(packets as usize),
            free: (0..packets).rev().collect(),
            bytes: vec![0; packets as usize * cell_bytes].into_boxed_slice(),
            cell_bytes,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.free.is_empty()
    }

    pub(super) fn front(&self) -> Option<&Early> {
        self.early.front()
    }

    /// The whole packet, as it came.
    pub(super) fn bytes(&self, early: &Early) -> &[u8] {
        let at = early.cell as usize * self.cell_bytes;
        &self.bytes[at..at + early.length as usize]
    }

    pub(super) fn insert(
        &mut self,
        sequence: u64,
        next: u64,
        received: u64,
        packet: &[u8],
    ) -> Kept {
        if packet.len() > self.cell_bytes {
            return Kept::Full;
        }
        let key = (sequence, next);
        let at = match self.early.binary_search_by_key(&key, |early| (early.sequence, early.next)) {
            Ok(at) if self.bytes(&self.early[at]) == packet => return Kept::Already,
            Ok(_) => return Kept::Differs,
            Err(at) => at,
        };
        let mut kept = Kept::Yes;
        if self.free.is_empty() {
            kept = Kept::Full;
            if at == self.early.len() {
                return kept;
            }
            self.free.extend(self.early.pop_back().map(|last| last.cell));
        }
        let Some(cell) = self.free.pop() else { return Kept::Full };
        let start = cell as usize * self.cell_bytes;
        self.bytes[start..start + packet.len()].copy_from_slice(packet);
        #[allow(clippy::cast_possible_truncation)] // At most `cell_bytes`, a packet's length.
        let length = packet.len() as u32;
        self.early.insert(at, Early { sequence, next, received, cell, length });
        kept
    }

    pub(super) fn pop_front(&mut self) {
        self.free.extend(self.early.pop_front().map(|early| early.cell));
    }

    pub(super) fn clear(&mut self) {
        while !self.early.is_empty() {
            self.pop_front();
        }
    }
}
