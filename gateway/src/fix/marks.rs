//! Where the fields of a message end: SOH found in blocks of 64 characters, each of which is looked
//! at once and leaves a mask, so that the next end costs no search.
//!
//! It must never read beyond the message, nor call any other byte an end.

use super::SOH;

/// Characters of a block, a bit each.
const BLOCK: usize = 64;

/// The ends of a message's fields, block by block.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    /// Where the next block begins.
    next: usize,
}

impl Ends {
    /// From `at` on: what stands before it is no end.
    #[inline]
    pub(super) const fn behind(at: usize) -> Ends {
        Ends { next: at }
    }

    /// The ends of the next block that has any; `None` behind the last SOH. The message is always
    /// the same.
    #[inline]
    pub(super) fn block(&mut self, bytes: &[u8]) -> Option<Block> {
        while self.next < bytes.len() {
            let (base, mask) = (self.next, marks_at(bytes, self.next));
            self.next += BLOCK;
            if mask != 0 {
                return Some(Block { base, mask });
            }
        }
        None
    }
}

/// The ends within one block, in their order.
pub(super) struct Block {
    base: usize,
    mask: u64,
}

impl Iterator for Block {
    type Item = usize;

    /// Offset of the next SOH in the message.
    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.mask == 0 {
            return None;
        }
        let at = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(at)
    }
}

/// The marks of the block at `at`, which is within the message; the last one may be shorter.
#[inline(never)]
fn marks_at(bytes: &[u8], at: usize) -> u64 {
    let rest = &bytes[at..];
    if let Some(block) = rest.first_chunk() {
        return marks(block);
    }
    match bytes.last_chunk() {
        Some(block) => marks(block) >> (BLOCK - rest.len()),
        None => {
            let mut block = [0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            marks(&block)
        }
    }
}

/// A bit for each SOH of a block, the first character's the lowest. The compiler compares sixteen
/// characters at a time.
#[inline]
fn marks(block: &[u8; BLOCK]) -> u64 {
    // The lowest bits of eight bytes, side by side in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let ends = block.map(|byte| u8::from(byte == SOH));
    let eights = ends.as_chunks().0.iter().rev();
    eights
        .fold(0, |marks, eight| marks << 8 | u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(SOH), Just(0), Just(2), Just(0x81), any::<u8>()];
        prop::collection::vec(byte, 0..most)
    }

    proptest! {
        #[test]
        fn every_end_is_found_and_nothing_else(bytes in bytes(300), at in 0usize..310) {
            let mut ends = Ends::behind(at);
            let found = std::iter::from_fn(|| ends.block(&bytes)).flatten();
            let all = bytes.iter().enumerate().skip(at).filter(|(_, byte)| **byte == SOH);
            prop_assert_eq!(found.collect::<Vec<_>>(), all.map(|(end, _)| end).collect::<Vec<_>>());
        }
    }
}
