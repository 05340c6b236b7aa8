//! Text that is copied into many messages: short ones at a length that the compiler knows, so that
//! the copy is a few moves. It never allocates after it was made.

use super::number::Written;

/// Texts up to here are short: CompIDs with their tags, and symbols.
const SHORT: usize = 48;

/// A text that never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Padded {
    text: Box<[u8]>,
    sum: u64,
    /// The beginning of the text, and zeros behind it.
    short: [u8; SHORT],
}

impl Padded {
    pub(crate) fn new(text: &[u8]) -> Padded {
        let mut short = [0; SHORT];
        short.iter_mut().zip(text).for_each(|(slot, byte)| *slot = *byte);
        let sum = text.iter().copied().map(u64::from).sum();
        Padded { text: text.into(), sum, short }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Writes the text at the start of `out`; `None` when `out` is too short. What stands behind may
    /// be overwritten.
    #[inline]
    pub(super) fn write(&self, out: &mut [u8]) -> Option<Written> {
        let len = self.text.len();
        match out.first_chunk_mut() {
            Some(out) if len <= SHORT => *out = self.short,
            _ => out.get_mut(..len)?.copy_from_slice(&self.text),
        }
        Some(Written { len, sum: self.sum })
    }
}
