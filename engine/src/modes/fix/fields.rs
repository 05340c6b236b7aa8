//! A message as its fields, whatever is wrong with them: the order entry's index drops what it does
//! not take, a reader wants to see it.

use gateway::fix::{SOH, tags};

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    /// Its tag, if it is one.
    pub(super) tag: Option<u32>,
    /// What stands before `=`; nothing if there is none.
    pub(super) tag_text: &'a [u8],
    pub(super) value: &'a [u8],
    /// Where it begins in the message, and where the next one does.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The fields of a message, in its order. A data field has the length that was told before it.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let (mut at, mut told) = (0, None);
    std::iter::from_fn(move || {
        let start = at;
        let rest = message.get(start..).filter(|rest| !rest.is_empty())?;
        let soh = rest.iter().position(|byte| *byte == SOH).unwrap_or(rest.len());
        let equals = rest[..soh].iter().position(|byte| *byte == b'=');
        let (tag_text, from) = equals.map_or((&b""[..], 0), |at| (&rest[..at], at + 1));
        let tag = tag_of(tag_text);
        let announced = told.take().filter(|(data, _)| Some(*data) == tag);
        let long = announced.and_then(|(_, length): (u32, usize)| from.checked_add(length));
        let to = long.filter(|to| rest.get(*to) == Some(&SOH)).unwrap_or(soh);
        let value = &rest[from..to];
        at = start + to + 1;
        let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        told = tag.and_then(tags::data_field_of).zip(length);
        Some(Field { tag, tag_text, value, start, end: at.min(message.len()) })
    })
}

/// A tag number: digits without a zero in front.
fn tag_of(text: &[u8]) -> Option<u32> {
    let plain = text.iter().all(u8::is_ascii_digit) && text.first() != Some(&b'0');
    std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::fix::FieldIndex;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_dropped() {
        let message = b"35=A\x0195=3\x0196=a\x01b\x01-1=x\x01text\x0156=\x01\x0158=end";
        let found: Vec<_> = fields(message)
            .map(|field| (field.tag, String::from_utf8_lossy(field.value).into_owned()))
            .collect();
        let expected: Vec<(Option<u32>, String)> = [
            (Some(35), "A"),
            (Some(95), "3"),
            (Some(96), "a\x01b"),
            (None, "x"),
            (None, "text"),
            (Some(56), ""),
            (None, ""),
            (Some(58), "end"),
        ]
        .map(|(tag, value)| (tag, value.to_owned()))
        .into();
        assert_eq!(found, expected);
    }

    proptest! {
        /// What the order entry's index takes whole, is seen the same way here.
        #[test]
        fn agrees_with_the_index(text in "([1-9][0-9]{0,3}=[a-z0-9]{1,4}|95=[0-4]|96=[ab|]{1,4}){0,12}") {
            let message: Vec<u8> = text.replace("95=", "|95=").replace('|', "\x01").into_bytes();
            let mut index = FieldIndex::new(64);
            let parsed = index.parse(&message);
            if parsed.fault().is_none() {
                let ours: Vec<_> =
                    fields(&message).filter_map(|f| Some((f.tag?, f.value))).collect();
                prop_assert_eq!(ours, parsed.fields().collect::<Vec<_>>());
            }
        }
    }
}
