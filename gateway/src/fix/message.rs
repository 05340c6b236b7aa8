//! A message as an index of its fields, made in one pass over the receive buffer.
//!
//! Values are never copied. Faults are noted, not thrown: a message with one empty field still has
//! a sequence number to answer under. It knows no dictionary.

use super::number::{NumberFault, parse_decimal, parse_u64};
use super::{SOH, tags, time};
use market::Timestamp;

/// SessionRejectReason (373).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RejectCode {
    /// Invalid tag number.
    InvalidTag = 0,
    /// Required tag missing.
    RequiredTagMissing = 1,
    /// Tag specified without a value.
    NoValue = 4,
    /// Value is incorrect (out of range) for this tag.
    ValueIncorrect = 5,
    /// Incorrect data format for value.
    DataFormat = 6,
    /// CompID problem.
    CompId = 9,
    /// SendingTime accuracy problem.
    SendingTime = 10,
    /// Invalid MsgType.
    MsgType = 11,
    /// Tag appears more than once.
    Repeated = 13,
    /// Tag specified out of required order.
    Order = 14,
    /// Any other reason.
    Other = 99,
}

impl RejectCode {
    /// The words of the specification, sent as Text (58).
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            RejectCode::InvalidTag => "Invalid tag number",
            RejectCode::RequiredTagMissing => "Required tag missing",
            RejectCode::NoValue => "Tag specified without a value",
            RejectCode::ValueIncorrect => "Value is incorrect (out of range) for this tag",
            RejectCode::DataFormat => "Incorrect data format for value",
            RejectCode::CompId => "CompID problem",
            RejectCode::SendingTime => "SendingTime accuracy problem",
            RejectCode::MsgType => "Invalid MsgType",
            RejectCode::Repeated => "Tag appears more than once",
            RejectCode::Order => "Tag specified out of required order",
            RejectCode::Other => "Other",
        }
    }
}

/// What is wrong with a message, as a Reject (3) says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why (373).
    pub code: RejectCode,
    /// Which field (371); zero when none can be named.
    pub tag: u32,
}

impl Fault {
    /// A fault of one field.
    #[must_use]
    pub const fn new(code: RejectCode, tag: u32) -> Fault {
        Fault { code, tag }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: tag {}", self.code.text(), self.tag)
    }
}

impl std::error::Error for Fault {}

/// Where one field stands in the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its number.
    pub tag: u32,
    start: u32,
    end: u32,
}

/// Room for the fields of one message, used again for every message.
#[derive(Clone, Debug, Default)]
pub struct FieldIndex {
    fields: Vec<Field>,
    capacity: usize,
}

impl FieldIndex {
    /// An index of at most `capacity` fields; a message with more is faulty.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        FieldIndex { fields: Vec::with_capacity(capacity), capacity }
    }

    /// Indexes one whole message, as [`super::frame`] measured it.
    pub fn parse<'a>(&'a mut self, bytes: &'a [u8]) -> Message<'a> {
        self.fields.clear();
        let mut fault = None;
        if u32::try_from(bytes.len()).is_err() {
            return Message { bytes: &[], fields: &[], fault: Some(TOO_MANY) };
        }
        let mut note = |code, tag| {
            fault.get_or_insert(Fault { code, tag });
        };
        let (mut at, mut in_body, mut data) = (0, false, None);
        while at < bytes.len() {
            let (tag, start) = match tag_at(bytes, at) {
                Ok(found) => found,
                Err(next) => {
                    note(RejectCode::InvalidTag, 0);
                    (at, data) = (next, None);
                    continue;
                }
            };
            let end = match data.take() {
                Some((expected, len)) if expected == tag && ends_at(bytes, start, len) => {
                    start + len
                }
                Some((expected, _)) => {
                    note(RejectCode::DataFormat, expected);
                    value_end(bytes, start)
                }
                None => value_end(bytes, start),
            };
            at = end + 1;
            if start == end {
                note(RejectCode::NoValue, tag);
                continue;
            }
            if !tags::is_header(tag) {
                in_body = true;
            } else if in_body {
                note(RejectCode::Order, tag);
            }
            if let Some(announced) = tags::data_field_of(tag) {
                match parse_u64(&bytes[start..end]).ok().and_then(|len| usize::try_from(len).ok()) {
                    Some(len) => data = Some((announced, len)),
                    None => note(RejectCode::DataFormat, tag),
                }
            }
            if self.fields.len() == self.capacity {
                note(TOO_MANY.code, tag);
                break;
            }
            #[allow(clippy::cast_possible_truncation)]
            self.fields.push(Field { tag, start: start as u32, end: end as u32 });
        }
        Message { bytes, fields: &self.fields, fault }
    }
}

const TOO_MANY: Fault = Fault::new(RejectCode::Other, 0);

/// Tag number at `at` and the offset of its value, or where to go on after nonsense. Zero, leading
/// zeros and numbers beyond 2^31 are nonsense.
#[inline]
fn tag_at(bytes: &[u8], at: usize) -> Result<(u32, usize), usize> {
    let mut tag = 0u32;
    for (i, &byte) in bytes[at..].iter().take(11).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            let next = tag.checked_mul(10).and_then(|tag| tag.checked_add(u32::from(digit)));
            match next {
                Some(next) if next != 0 => tag = next,
                _ => break,
            }
        } else if byte == b'=' && i > 0 && tag <= i32::MAX.cast_unsigned() {
            return Ok((tag, at + i + 1));
        } else {
            break;
        }
    }
    Err(value_end(bytes, at) + 1)
}

/// Offset of the next SOH from `start` on, or the end.
#[inline]
fn value_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|&byte| byte == SOH).map_or(bytes.len(), |len| start + len)
}

/// True if a value of `len` bytes from `start` is followed by SOH.
fn ends_at(bytes: &[u8], start: usize, len: usize) -> bool {
    start.checked_add(len).and_then(|end| bytes.get(end)) == Some(&SOH)
}

/// One parsed message: its bytes and where its fields stand.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    fields: &'a [Field],
    fault: Option<Fault>,
}

impl<'a> Message<'a> {
    /// The whole message as received.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The first structural fault, if any.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Every field with its value, in order of the wire. The hot decoders go through this once.
    pub fn fields(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        self.fields.iter().map(move |f| (f.tag, &bytes[f.start as usize..f.end as usize]))
    }

    /// Value of the first field `tag`.
    #[must_use]
    pub fn get(&self, tag: u32) -> Option<&'a [u8]> {
        self.fields().find(|field| field.0 == tag).map(|field| field.1)
    }

    /// MsgType (35); empty if there is none.
    #[must_use]
    pub fn msg_type(&self) -> &'a [u8] {
        self.get(tags::MSG_TYPE).unwrap_or(b"")
    }

    /// The bytes of a required field.
    ///
    /// # Errors
    /// [`RejectCode::RequiredTagMissing`].
    pub fn required(&self, tag: u32) -> Result<&'a [u8], Fault> {
        self.get(tag).ok_or(Fault::new(RejectCode::RequiredTagMissing, tag))
    }

    /// A required unsigned integer.
    ///
    /// # Errors
    /// [`Fault`] if it is missing or no number.
    pub fn u64(&self, tag: u32) -> Result<u64, Fault> {
        as_u64(tag, self.required(tag)?)
    }

    /// A required decimal as a count of 10^-`scale`.
    ///
    /// # Errors
    /// [`Fault`] if it is missing, no number, or not exactly representable.
    pub fn decimal(&self, tag: u32, scale: u32) -> Result<i64, Fault> {
        as_decimal(tag, self.required(tag)?, scale)
    }

    /// A required UTC timestamp.
    ///
    /// # Errors
    /// [`Fault`] if it is missing or no timestamp.
    pub fn time(&self, tag: u32) -> Result<Timestamp, Fault> {
        as_time(tag, self.required(tag)?)
    }

    /// A required single character.
    ///
    /// # Errors
    /// [`Fault`] if it is missing or longer.
    pub fn char(&self, tag: u32) -> Result<u8, Fault> {
        as_char(tag, self.required(tag)?)
    }

    /// An optional `Y` or `N`; absent is `false`.
    ///
    /// # Errors
    /// [`Fault`] if it is anything else.
    pub fn flag(&self, tag: u32) -> Result<bool, Fault> {
        self.get(tag).map_or(Ok(false), |value| as_bool(tag, value))
    }
}

/// An unsigned integer field.
pub(crate) fn as_u64(tag: u32, value: &[u8]) -> Result<u64, Fault> {
    parse_u64(value).map_err(|fault| number_fault(tag, fault))
}

/// A decimal field as a count of 10^-`scale`.
pub(crate) fn as_decimal(tag: u32, value: &[u8], scale: u32) -> Result<i64, Fault> {
    parse_decimal(value, scale).map_err(|fault| number_fault(tag, fault))
}

/// A UTC timestamp field.
pub(crate) fn as_time(tag: u32, value: &[u8]) -> Result<Timestamp, Fault> {
    time::parse(value).ok_or(Fault::new(RejectCode::DataFormat, tag))
}

/// A single character field.
pub(crate) fn as_char(tag: u32, value: &[u8]) -> Result<u8, Fault> {
    match *value {
        [byte] => Ok(byte),
        _ => Err(Fault::new(RejectCode::DataFormat, tag)),
    }
}

/// A `Y` or `N` field.
pub(crate) fn as_bool(tag: u32, value: &[u8]) -> Result<bool, Fault> {
    match value {
        b"Y" => Ok(true),
        b"N" => Ok(false),
        _ => Err(Fault::new(RejectCode::DataFormat, tag)),
    }
}

fn number_fault(tag: u32, fault: NumberFault) -> Fault {
    let code = match fault {
        NumberFault::Syntax => RejectCode::DataFormat,
        NumberFault::TooFine | NumberFault::OutOfRange => RejectCode::ValueIncorrect,
    };
    Fault::new(code, tag)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
