//! What of a message must not be shown: the values of secret fields, wherever a log has wrapped or
//! indented the message, and what stood in those of a Logon wherever a later message repeats it.
//!
//! A whole message loses its secrets and nothing else. One whose length or sum is not right may have
//! lost its shape, and then rather too much is hidden.

use super::fields::{Field, fields};
use super::shown::USERNAME;
use gateway::fix::{SECRET_VALUE_MIN, SOH, is_blank, redact_values, secret_spans, tags};
use std::ops::Range;

/// Most secrets of one input that are looked for in what follows.
const SECRETS: usize = 64;
/// Digits that the longest tag has, leading zeros with it.
const DIGITS: u32 = 9;
/// Stands for every byte of a secret.
const MASK: u8 = b'*';

/// Secrets of Logons, which a refusal may repeat.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    /// Overwrites what is secret. `right`: length, sum and first fields of the message are.
    pub(super) fn hide(&mut self, message: &mut [u8], secret_tags: &[u32], right: bool) {
        let of_user = may_be_of_user(message);
        let mut spans: Vec<_> = secret_spans(message, secret_tags).collect();
        if !right {
            spans.extend(embedded(message, |tag, _| secret_tags.contains(&tag)));
        }
        if of_user {
            spans.iter().for_each(|span| self.learn(&message[span.clone()]));
        }
        if !right {
            spans.extend(embedded(message, |tag, begins| tag == USERNAME && !begins));
        }
        spans.extend(odd(message, secret_tags, of_user));
        for span in spans {
            message[span].fill(MASK);
        }
        let known = self.0.iter().map(Vec::as_slice);
        if let Some(blanked) = redact_values(message, known) {
            message.copy_from_slice(&blanked);
        }
        if !right {
            self.hide_wrapped(message);
        }
    }

    /// Remembers a secret, as it stands there and without what wrapping put into it.
    fn learn(&mut self, value: &[u8]) {
        let joined: Vec<u8> = value.iter().copied().filter(|byte| !is_blank(*byte)).collect();
        for secret in [&joined[..], value] {
            let blanked = secret.iter().all(|byte| *byte == MASK);
            if !blanked && !self.0.iter().any(|known| known == secret) {
                self.0.truncate(SECRETS - 1);
                self.0.insert(0, secret.to_vec());
            }
        }
    }

    /// Overwrites known secrets that a line's end or an indent stands in.
    fn hide_wrapped(&self, message: &mut [u8]) {
        let kept = |&at: &usize| !is_blank(message[at]);
        let places: Vec<usize> = (0..message.len()).filter(kept).collect();
        if places.len() == message.len() {
            return;
        }
        let joined: Vec<u8> = places.iter().map(|&at| message[at]).collect();
        for secret in self.0.iter().filter(|secret| secret.len() >= SECRET_VALUE_MIN) {
            for (at, found) in joined.windows(secret.len()).enumerate() {
                if found == secret {
                    message[places[at]..=places[at + secret.len() - 1]].fill(MASK);
                }
            }
        }
    }
}

/// True for a Logon (A), a request or response of a user (BE, BF), and what does not say that it is
/// none of these.
fn may_be_of_user(message: &[u8]) -> bool {
    let kind = fields(message).find(|field| number(field.tag_text) == Some(tags::MSG_TYPE));
    kind.is_none_or(|kind| {
        // A blank may stand within the type, or in the place of the separator behind it.
        let joined: Vec<u8> = kind.value.iter().copied().filter(|byte| !is_blank(*byte)).collect();
        let first = kind.value.split(|byte| is_blank(*byte)).find(|word| !word.is_empty());
        [&joined[..], first.unwrap_or_default()].iter().any(|text| {
            let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric());
            matches!(&text[..end.unwrap_or(text.len())], b"" | b"A" | b"BE" | b"BF")
        })
    })
}

/// Values of fields whose tag is no plain number: a secret one's, a username's, and `all` of those
/// that are no number at all.
fn odd(message: &[u8], secret_tags: &[u32], all: bool) -> Vec<Range<usize>> {
    let odd = fields(message).filter(|field| field.tag.is_none());
    let hidden = odd.filter(|Field { tag_text, .. }| match number(tag_text) {
        Some(tag) => tag == USERNAME || secret_tags.contains(&tag),
        None => all,
    });
    let span = |Field { end, value, .. }: Field<'_>| {
        let end = end - usize::from(message[..end].ends_with(&[SOH]));
        end - value.len()..end
    };
    hidden.map(span).collect()
}

/// Digits with blanks around and between them.
fn number(text: &[u8]) -> Option<u32> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !is_blank(*byte)).collect();
    let plain = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(&digits).ok().filter(|_| plain)?.parse().ok()
}

/// What follows a `wanted` tag and `=` wherever it stands, even within a value, to the next SOH: the
/// separator before it may have been lost.
fn embedded(message: &[u8], wanted: impl Fn(u32, bool) -> bool) -> Vec<Range<usize>> {
    let equals = (0..message.len()).filter(|at| message[*at] == b'=');
    let span = |at: usize| {
        let length = message[at..].iter().position(|byte| *byte == SOH);
        at + 1..length.map_or(message.len(), |length| at + length)
    };
    equals.filter(|&at| ends_in_tag(&message[..at], &wanted)).map(span).collect()
}

/// Whether the digits that end `bytes` are a `wanted` tag: from the first of them, or from behind a
/// blank. It is told whether the tag begins a field, as a right one does.
fn ends_in_tag(bytes: &[u8], wanted: impl Fn(u32, bool) -> bool) -> bool {
    let (mut tag, mut digits) = (0, 0);
    for &byte in bytes.iter().rev() {
        if byte.is_ascii_digit() && digits < DIGITS {
            tag += u32::from(byte - b'0') * 10u32.pow(digits);
            digits += 1;
        } else if !is_blank(byte) {
            return digits > 0 && !byte.is_ascii_digit() && wanted(tag, byte == SOH);
        } else if digits > 0 && wanted(tag, false) {
            return true;
        }
    }
    digits > 0 && wanted(tag, true)
}
