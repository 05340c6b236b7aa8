//! The tags of the message before: a peer's messages are nearly always those of one kind, and a tag
//! that stands where it stood needs no reading, only a comparison.
//!
//! It must never take a tag for another, nor a field that has anything special about it.

use super::marks::Ends;
use super::message::Field;

/// Characters of the longest tag that is kept, its `=` included.
const LONGEST: usize = 4;

/// A tag as it was written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prefix {
    /// Its characters and what followed them, the first in the lowest byte.
    text: u32,
    /// Bits of it that are of what followed.
    spare: u32,
}

impl Prefix {
    /// The tag of the field at `at`, whose value begins at `start`; both are within the message.
    #[inline]
    pub(super) fn of(bytes: &[u8], at: usize, start: usize) -> Prefix {
        let text = bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        let spare = (LONGEST + at).saturating_sub(start) as u32 * 8;
        Prefix { text: u32::from_le_bytes(text), spare }
    }

    /// Offset of the value, if the field at `at` begins with this.
    #[inline]
    fn value_at(self, bytes: &[u8], at: usize) -> Option<usize> {
        let text = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        ((text ^ self.text) << self.spare == 0).then_some(at + LONGEST - self.spare as usize / 8)
    }
}

/// The tags that the message before began with, as far as nothing was special about them. Their
/// numbers stand in the index.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    prefixes: Box<[Prefix]>,
    count: usize,
    /// Those of them before the first that is none of the header.
    head: usize,
}

/// How far a message is of the same shape.
pub(super) struct Same {
    /// Where the next field begins.
    pub(super) at: usize,
    /// Fields so far.
    pub(super) count: usize,
    /// Those before the first that is none of the header.
    pub(super) head: usize,
}

impl Shape {
    /// Room for so many fields.
    pub(super) fn new(capacity: usize) -> Shape {
        Shape { prefixes: vec![Prefix::default(); capacity].into(), count: 0, head: 0 }
    }

    /// Indexes the fields that have the tags of the message before, up to the first that has not.
    #[inline]
    pub(super) fn follow(&self, bytes: &[u8], fields: &mut [Field]) -> Same {
        let mut slots = fields.iter_mut().zip(&self.prefixes[..self.count]);
        let (mut at, mut count, mut ends) = (0, 0, Ends::behind(0));
        'message: while let Some(block) = ends.block(bytes) {
            for end in block {
                let Some((slot, prefix)) = slots.next() else { break 'message };
                let Some(start) = prefix.value_at(bytes, at).filter(|start| *start < end) else {
                    break 'message;
                };
                slot.stands(start, end);
                (at, count) = (end + 1, count + 1);
            }
        }
        Same { at, count, head: self.head.min(count) }
    }

    /// Where the tags from place `count` on are to be kept, of which those before are as they were,
    /// and whether they follow on what is known.
    #[inline]
    pub(super) fn from(&mut self, count: usize) -> (&mut [Prefix], bool) {
        self.count = self.count.min(count);
        (&mut self.prefixes[count..], self.count == count)
    }

    /// The first `count` fields are known now.
    #[inline]
    pub(super) fn known(&mut self, count: usize, head: usize) {
        (self.count, self.head) = (count, head);
    }
}
