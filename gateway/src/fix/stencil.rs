//! The layout of the message before: its tags, where they stood, and where its fields ended. A peer's
//! reports are nearly always as long as each other, and one of the same layout has the same index.
//!
//! It must never take for the same what differs in anything but the characters of its values.

use super::SOH;
use super::message::Field;

/// The longest message whose layout is kept.
const LONGEST: usize = 512;
/// Messages of one length, one behind the other, before a layout is kept: that costs more than to
/// index one.
const PATIENCE: u32 = 8;
/// Characters that are compared at once.
const LANE: usize = 16;

/// A layout, once there is one that is worth being kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Stencil {
    /// The characters outside of values; within them SOH, which none may be.
    text: Box<[u8]>,
    /// Whether each of them must be there: all bits, or none.
    mask: Box<[u8]>,
    /// Length of the message before, and how many before it were as long.
    len: usize,
    alike: u32,
    /// Its fields, and the first of them that is none of the header, if its layout is kept.
    fields: Option<(usize, usize)>,
}

impl Stencil {
    /// Room for a layout.
    pub(super) fn new() -> Stencil {
        let empty = || vec![0; LONGEST].into_boxed_slice();
        Stencil { text: empty(), mask: empty(), ..Stencil::default() }
    }

    /// How many fields a message has, and how many of them are of the header, if it has the layout
    /// that is kept.
    #[inline]
    pub(super) fn fits(&self, bytes: &[u8]) -> Option<(usize, usize)> {
        let fields = self.fields.filter(|_| self.len == bytes.len())?;
        let (text, mask) = (self.text.get(..self.len)?, self.mask.get(..self.len)?);
        is_laid_out(bytes, text, mask).then_some(fields)
    }

    /// Another message was indexed, of which nothing was special if its fields are given, with how
    /// many of them are of the header.
    #[inline]
    pub(super) fn follow(&mut self, bytes: &[u8], usual: Option<(&[Field], usize)>) {
        let as_long = self.len == bytes.len() && self.fields.is_none();
        self.alike = if as_long { self.alike + 1 } else { 0 };
        (self.len, self.fields) = (bytes.len(), None);
        if self.alike == PATIENCE {
            self.alike = 0;
            self.fields = usual.and_then(|(fields, head)| self.draw(bytes, fields, head));
        }
    }

    #[cold]
    fn draw(&mut self, bytes: &[u8], fields: &[Field], head: usize) -> Option<(usize, usize)> {
        let text = self.text.get_mut(..bytes.len()).filter(|text| text.len() >= LANE)?;
        let mask = &mut self.mask[..bytes.len()];
        text.copy_from_slice(bytes);
        mask.fill(u8::MAX);
        for field in fields {
            text[field.place()].fill(SOH);
            mask[field.place()].fill(0);
        }
        Some((fields.len(), head))
    }
}

/// Compares all there is, whatever was seen: that takes a few instructions for sixteen characters.
#[inline]
fn is_laid_out(bytes: &[u8], text: &[u8], mask: &[u8]) -> bool {
    let mut wrong = [0; LANE];
    let mut compare = |bytes: &[u8; LANE], text: &[u8; LANE], mask: &[u8; LANE]| {
        for i in 0..LANE {
            let equal = if bytes[i] == text[i] { u8::MAX } else { 0 };
            wrong[i] |= equal ^ mask[i];
        }
    };
    let lanes = text.as_chunks().0.iter().zip(mask.as_chunks().0);
    for (bytes, (text, mask)) in bytes.as_chunks().0.iter().zip(lanes) {
        compare(bytes, text, mask);
    }
    // What is left, with some of what was compared before.
    match (bytes.last_chunk(), text.last_chunk(), mask.last_chunk()) {
        (Some(bytes), Some(text), Some(mask)) => compare(bytes, text, mask),
        _ => return false,
    }
    wrong == [0; LANE]
}

#[cfg(test)]
mod tests {
    use super::super::FieldIndex;
    use super::*;

    const REPORT: &[u8] =
        b"8=FIX.4.4\x019=57\x0135=8\x0134=7\x0149=VENUE\x0111=a1\x0155=TLA\x0110=007\x01";

    /// An index that has seen the report as often as it takes.
    fn index() -> FieldIndex {
        let mut index = FieldIndex::new(12);
        (0..=PATIENCE).for_each(|_| assert_eq!(index.parse(REPORT).fault(), None));
        index
    }

    #[test]
    fn a_layout_is_kept_of_messages_that_are_alike() {
        let mut index = index();
        assert_eq!(index.stencil.fits(REPORT), Some((8, 5)));
        assert_eq!(index.stencil.fits(&REPORT[..40]), None, "shorter");
        index.parse(&REPORT[..40]);
        assert_eq!(index.stencil.fits(REPORT), None, "another message's fields stand there now");
    }

    #[test]
    fn only_characters_of_values_may_differ() {
        let mut characters = 0;
        for at in 0..REPORT.len() {
            let of_value =
                index().parse(REPORT).fields.iter().any(|field| field.place().contains(&at));
            for byte in 0..=u8::MAX {
                let mut other = REPORT.to_vec();
                other[at] = byte;
                let may = byte == REPORT[at] || of_value && byte != SOH;
                assert_eq!(index().stencil.fits(&other).is_some(), may, "{byte} at {at}");
            }
            characters += usize::from(of_value);
        }
        assert_eq!(characters, 24, "characters of values");
    }

    #[test]
    fn what_is_special_has_no_layout() {
        for special in [
            "8=FIX.4.4|35=A|95=3|96=abc|10=007|",
            "8=FIX.4.4|35=8|55=|10=007|11=abcde|",
            "8=FIX.4.4|",
        ] {
            let bytes = special.replace('|', "\x01").into_bytes();
            let mut index = FieldIndex::new(12);
            (0..3 * PATIENCE).for_each(|_| {
                index.parse(&bytes);
            });
            assert_eq!(index.stencil.fits(&bytes), None, "{special}");
        }
        let long = [b"58=".as_slice(), &[b'x'; LONGEST], b"\x01"].concat();
        let mut index = FieldIndex::new(12);
        (0..3 * PATIENCE).for_each(|_| assert_eq!(index.parse(&long).fault(), None));
        assert_eq!(index.stencil.fits(&long), None);
    }
}
