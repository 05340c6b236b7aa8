//! Secrets of a frame, overwritten in place before it is kept, logged or shown.
//!
//! It takes the bytes as they are: a frame that is garbled, cut off or lies about a length keeps
//! its secrets no better than a whole one. When in doubt it hides too much, never too little; a
//! whole frame loses the values of secret fields and nothing else. Never grows, moves or panics.
//! [`redact_values`] hides what is known to be secret wherever it stands: a peer may repeat it in any
//! field.

use super::SOH;
use super::tags::data_field_of;
use std::ops::Range;

/// Fields whose values are secret with every venue: Signature, RawData, Password, NewPassword,
/// EncryptedPassword and EncryptedNewPassword (FIX.5.0SP2 Volume 6; RawData bears the signature of
/// a Logon). A venue adds its own, such as 58 where its Logon is signed there.
pub const SECRET_TAGS: [u32; 6] = [89, 96, 554, 925, 1402, 1404];

/// Stands for every byte of a secret.
const MASK: u8 = b'*';

/// [`SECRET_TAGS`] and those of one session.
#[must_use]
pub fn secret_tags(extra: &[u32]) -> Box<[u32]> {
    SECRET_TAGS.iter().chain(extra).copied().collect()
}

/// Overwrites the values of all fields of `secret_tags` with `*`; the length stays.
///
/// A value goes to the SOH before the next `tag=`, or to the end. A data field (RawData after
/// RawDataLength, for example) has at least the length that was told, whatever stands in it.
///
/// ```
/// use gateway::fix::{SECRET_TAGS, redact};
/// let mut frame = *b"35=A\x01553=me\x01554=hunter2\x0195=3\x0196=a\x01b\x0110=000\x01";
/// redact(&mut frame, &SECRET_TAGS);
/// assert_eq!(&frame, b"35=A\x01553=me\x01554=*******\x0195=3\x0196=***\x0110=000\x01");
/// ```
pub fn redact(frame: &mut [u8], secret_tags: &[u32]) {
    let mut search = Search::default();
    while let Some(value) = search.next(frame, secret_tags) {
        frame[value].fill(MASK);
    }
}

/// Where the values stand that [`redact`] overwrites, in order.
pub fn secret_spans(frame: &[u8], secret_tags: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let mut search = Search::default();
    std::iter::from_fn(move || search.next(frame, secret_tags))
}

/// How far a frame was gone through.
#[derive(Default)]
struct Search {
    at: usize,
    /// The length that the field before told, and of which field.
    told: Option<(u32, usize)>,
}

impl Search {
    /// The value of the next secret field.
    fn next(&mut self, frame: &[u8], secret_tags: &[u32]) -> Option<Range<usize>> {
        while self.at < frame.len() {
            let Some((tag, width)) = tag_at(&frame[self.at..]) else {
                self.at = after_soh(frame, self.at);
                continue;
            };
            let value = self.at + width;
            let told = self.told.take();
            if secret_tags.contains(&tag) {
                let least = told.filter(|&(of, _)| of == tag).map_or(0, |(_, length)| length);
                self.at = end_of_value(frame, value, value.saturating_add(least).min(frame.len()));
                return Some(value..self.at);
            }
            self.at = after_soh(frame, value);
            self.told = data_of(tag).map(|data| (data, number(&frame[value..self.at])));
        }
        None
    }
}

/// Shortest value that [`redact_values`] looks for: shorter ones stand in too much that is none.
pub const SECRET_VALUE_MIN: usize = 4;

/// A copy of `bytes` with every occurrence of `values` overwritten, as long as it was; `None` where
/// there is none. Values shorter than [`SECRET_VALUE_MIN`] are not looked for.
///
/// ```
/// use gateway::fix::redact_values;
/// let hidden = redact_values(b"58=no user hunter2", [&b"hunter2"[..], b"no"]);
/// assert_eq!(hidden.as_deref(), Some(&b"58=no user *******"[..]));
/// assert_eq!(redact_values(b"58=no user", [&b"hunter2"[..]]), None);
/// ```
pub fn redact_values<'v>(
    bytes: &[u8],
    values: impl IntoIterator<Item = &'v [u8]>,
) -> Option<Vec<u8>> {
    let mut copy: Option<Vec<u8>> = None;
    for value in values.into_iter().filter(|value| value.len() >= SECRET_VALUE_MIN) {
        // In what came, not in the copy: one value may stand across another.
        for (at, found) in bytes.windows(value.len()).enumerate() {
            if found == value {
                copy.get_or_insert_with(|| bytes.to_vec())[at..at + value.len()].fill(MASK);
            }
        }
    }
    copy
}

/// Where the value that began at `value` ends, not before `least`.
fn end_of_value(frame: &[u8], value: usize, least: usize) -> usize {
    let ends = |&at: &usize| {
        let rest = &frame[at + 1..];
        frame[at] == SOH && (rest.is_empty() || tag_at(rest).is_some())
    };
    (value.max(least)..frame.len()).find(ends).unwrap_or(frame.len())
}

/// Offset after the SOH that ends the field at `at`, or the end.
fn after_soh(frame: &[u8], at: usize) -> usize {
    let soh = frame[at..].iter().position(|&byte| byte == SOH);
    soh.map_or(frame.len(), |soh| at + soh + 1)
}

/// The tag that begins `bytes`, leading zeros and blanks or not, and its width with `=`.
fn tag_at(bytes: &[u8]) -> Option<(u32, usize)> {
    let equals = bytes.iter().position(|&byte| !byte.is_ascii_digit() && !is_blank(byte))?;
    let has_digits = bytes[..equals].iter().any(u8::is_ascii_digit);
    let digits = (has_digits && bytes[equals] == b'=').then(|| &bytes[..equals])?;
    Some((u32::try_from(number(digits)).unwrap_or(u32::MAX), equals + 1))
}

/// The digits that begin `bytes`, blanks aside, as a number no larger than fits.
fn number(bytes: &[u8]) -> usize {
    let bytes = bytes.iter().filter(|&&byte| !is_blank(byte));
    bytes.take_while(|byte| byte.is_ascii_digit()).fold(0usize, |number, &digit| {
        number.saturating_mul(10).saturating_add(usize::from(digit - b'0'))
    })
}

/// What wrapping and indenting may put around and into a tag: blanks and control characters.
#[must_use]
pub const fn is_blank(byte: u8) -> bool {
    (byte <= b' ' || byte == 0x7f) && byte != SOH
}

/// The data field that a length announces; here also those that no parser needs to know.
const fn data_of(length_tag: u32) -> Option<u32> {
    match length_tag {
        1401 => Some(1402),
        1403 => Some(1404),
        other => data_field_of(other),
    }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
