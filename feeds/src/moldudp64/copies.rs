//! Remembers digests of packets applied lately, to find that another line's copy differs.
//!
//! A table by sequence: an old entry gives way to a new one. Sequences that fell out are not judged.

use super::Packet;
use market::ids::digest64;

/// Packets remembered.
const PACKETS: usize = 1024;

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    sequence: u64,
    count: u16,
    digest: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Copies(Box<[Seen]>);

impl Copies {
    /// Remembers nothing unless there are copies to compare.
    pub(super) fn new(wanted: bool) -> Copies {
        let packets = if wanted { PACKETS } else { 0 };
        Copies(vec![Seen::default(); packets].into_boxed_slice())
    }

    /// Notes a packet that was applied. Do it after its messages were given on: nobody waits for
    /// the digest then.
    pub(super) fn remember(&mut self, packet: &Packet<'_>, bytes: &[u8]) {
        let (sequence, count) = (packet.sequence, packet.count);
        if let Some(seen) = self.0.get_mut(place(sequence)) {
            *seen = Seen { sequence, count, digest: digest64(bytes) };
        }
    }

    /// True if the packet that was applied at this sequence is remembered and had other bytes.
    pub(super) fn differs(&self, packet: &Packet<'_>, bytes: &[u8]) -> bool {
        self.0.get(place(packet.sequence)).is_some_and(|seen| {
            let same = seen.sequence == packet.sequence && seen.count == packet.count;
            same && seen.digest != digest64(bytes)
        })
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(Seen::default());
    }
}

#[allow(clippy::cast_possible_truncation)]
fn place(sequence: u64) -> usize {
    sequence as usize % PACKETS
}
