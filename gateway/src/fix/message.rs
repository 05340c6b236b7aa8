//! A message as an index of its fields, made in one pass over the receive buffer.
//!
//! Values are never copied. Faults are noted, not thrown: a message with one empty field still has
//! a sequence number to answer under. It knows no dictionary.

use super::number::{NumberFault, parse_decimal, parse_u64};
use super::tags::{self, Class};
use super::{SOH, time, words};
use market::Timestamp;

/// SessionRejectReason (373).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RejectCode {
    /// Invalid tag number.
    InvalidTag = 0,
    /// Required tag missing.
    RequiredTagMissing = 1,
    /// Tag not defined for this message type.
    NotOfMessage = 2,
    /// Undefined tag.
    UndefinedTag = 3,
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
    /// Repeating group fields out of order.
    GroupOrder = 15,
    /// Incorrect NumInGroup count for repeating group.
    GroupCount = 16,
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
            RejectCode::NotOfMessage => "Tag not defined for this message type",
            RejectCode::UndefinedTag => "Undefined tag",
            RejectCode::NoValue => "Tag specified without a value",
            RejectCode::ValueIncorrect => "Value is incorrect (out of range) for this tag",
            RejectCode::DataFormat => "Incorrect data format for value",
            RejectCode::CompId => "CompID problem",
            RejectCode::SendingTime => "SendingTime accuracy problem",
            RejectCode::MsgType => "Invalid MsgType",
            RejectCode::Repeated => "Tag appears more than once",
            RejectCode::Order => "Tag specified out of required order",
            RejectCode::GroupOrder => "Repeating group fields out of order",
            RejectCode::GroupCount => "Incorrect NumInGroup count for repeating group",
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

/// The value of a field in the bytes that it was found in.
#[inline]
pub(super) fn value_of<'a>(bytes: &'a [u8], field: &Field) -> &'a [u8] {
    &bytes[field.start as usize..field.end as usize]
}

/// Room for the fields of one message, used again for every message.
#[derive(Clone, Debug, Default)]
pub struct FieldIndex {
    fields: Box<[Field]>,
}

impl FieldIndex {
    /// An index of at most `capacity` fields; a message with more is faulty.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        FieldIndex { fields: vec![Field::default(); capacity].into_boxed_slice() }
    }

    /// Indexes one whole message, as [`super::frame`] measured it.
    pub fn parse<'a>(&'a mut self, bytes: &'a [u8]) -> Message<'a> {
        if u32::try_from(bytes.len()).is_err() {
            return Message { bytes: &[], fields: &[], fault: Some(TOO_MANY) };
        }
        let (mut at, mut count, mut fault, mut in_body) = (0, 0, None, false);
        // The data field announced by the field before, and its length.
        let mut data = None;
        let mut note = |code, tag| {
            fault.get_or_insert(Fault { code, tag });
        };
        while at < bytes.len() {
            // No tag holds SOH: the end is found without waiting for the tag.
            let mut end = words::find(bytes, SOH, at).unwrap_or(bytes.len());
            let Some((tag, start)) = tag_at(&bytes[at..end], at) else {
                note(RejectCode::InvalidTag, 0);
                (at, data) = (end + 1, None);
                continue;
            };
            if let Some((expected, len)) = data.take() {
                if expected == tag && ends_at(bytes, start, len) {
                    end = start + len;
                } else {
                    note(RejectCode::DataFormat, expected);
                }
            }
            at = end + 1;
            if start == end {
                note(RejectCode::NoValue, tag);
                continue;
            }
            match tags::class(tag) {
                Class::Body => in_body = true,
                Class::Header if in_body => note(RejectCode::Order, tag),
                Class::Header => {}
                Class::Length => {
                    if !tags::is_header(tag) {
                        in_body = true;
                    } else if in_body {
                        note(RejectCode::Order, tag);
                    }
                    let len = parse_u64(&bytes[start..end]).ok();
                    data =
                        tags::data_field_of(tag).zip(len.and_then(|len| usize::try_from(len).ok()));
                    if data.is_none() {
                        note(RejectCode::DataFormat, tag);
                    }
                }
            }
            let Some(slot) = self.fields.get_mut(count) else {
                note(TOO_MANY.code, tag);
                break;
            };
            // The length of the message fits, as was seen above.
            #[allow(clippy::cast_possible_truncation)]
            let (start, end) = (start as u32, end as u32);
            *slot = Field { tag, start, end };
            count += 1;
        }
        Message { bytes, fields: &self.fields[..count], fault }
    }
}

const TOO_MANY: Fault = Fault::new(RejectCode::Other, 0);

/// Tag number at the start of `field` and the offset of its value, if the field is at `at`. Zero,
/// leading zeros and numbers beyond 2^31 are no tags.
#[inline]
fn tag_at(field: &[u8], at: usize) -> Option<(u32, usize)> {
    let digit = |byte: u8| u32::from(byte - b'0');
    // Nearly all tags have two or three digits.
    match *field {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', b'=', ..] => Some((digit(a) * 10 + digit(b), at + 3)),
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b'=', ..] => {
            Some((digit(a) * 100 + digit(b) * 10 + digit(c), at + 4))
        }
        _ => any_tag_at(field, at),
    }
}

/// The same for a tag of any length, digit by digit.
fn any_tag_at(field: &[u8], at: usize) -> Option<(u32, usize)> {
    let digit = |byte: u8| Some(u32::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit <= 9);
    let mut tag = digit(*field.first()?).filter(|digit| *digit != 0)?;
    for (len, &byte) in field.iter().enumerate().skip(1) {
        if byte == b'=' {
            return (tag <= i32::MAX.cast_unsigned()).then_some((tag, at + len + 1));
        }
        tag = tag.checked_mul(10)?.checked_add(digit(byte)?)?;
    }
    None
}

/// True if a value of `len` bytes from `start` is followed by SOH.
fn ends_at(bytes: &[u8], start: usize, len: usize) -> bool {
    start.checked_add(len).and_then(|end| bytes.get(end)) == Some(&SOH)
}

/// One parsed message: its bytes and where its fields stand.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) fields: &'a [Field],
    fault: Option<Fault>,
}

/// Without its values, among which a peer may repeat our password.
impl std::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Message { bytes, fields, fault } = self;
        let mut shown = f.debug_struct("Message");
        shown.field("bytes", &bytes.len()).field("fields", &fields.len()).field("fault", fault);
        shown.finish_non_exhaustive()
    }
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
        self.fields.iter().map(move |field| (field.tag, value_of(bytes, field)))
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
