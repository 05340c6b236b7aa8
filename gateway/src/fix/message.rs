//! A message as an index of its fields, made in one pass over the receive buffer.
//!
//! Values are never copied. Faults are noted, not thrown: a message with one empty field still has
//! a sequence number to answer under. It knows no dictionary.

use super::marks::Ends;
use super::number::{NumberFault, parse_decimal, parse_u64};
use super::shape::{Prefix, Same, Shape};
use super::stencil::Stencil;
use super::tags::{self, Class};
use super::{SOH, time, words};
use market::Timestamp;
use std::ops::Range;

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

impl Field {
    /// A field of a message whose length fits, as is made sure of before it is indexed.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    const fn new(tag: u32, start: usize, end: usize) -> Field {
        Field { tag, start: start as u32, end: end as u32 }
    }

    /// Where its value stands.
    #[inline]
    pub(super) const fn place(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The same field with another value.
    #[inline]
    pub(super) fn stands(&mut self, start: usize, end: usize) {
        *self = Field::new(self.tag, start, end);
    }
}

/// The value of a field in the bytes that it was found in.
#[inline]
pub(super) fn value_of<'a>(bytes: &'a [u8], field: &Field) -> &'a [u8] {
    &bytes[field.place()]
}

/// Room for the fields of one message, used again for every message.
#[derive(Clone, Debug, Default)]
pub struct FieldIndex {
    fields: Box<[Field]>,
    shape: Shape,
    pub(super) stencil: Stencil,
}

impl FieldIndex {
    /// An index of at most `capacity` fields; a message with more is faulty.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let fields = vec![Field::default(); capacity].into_boxed_slice();
        FieldIndex { fields, shape: Shape::new(capacity), stencil: Stencil::new() }
    }

    /// Indexes one whole message, as [`super::frame`] measured it.
    pub fn parse<'a>(&'a mut self, bytes: &'a [u8]) -> Message<'a> {
        if u32::try_from(bytes.len()).is_err() {
            return Message { bytes: &[], fields: &[], body: 0, fault: Some(TOO_MANY) };
        }
        // Of the same layout as the one before, whose index still stands.
        if let Some((count, body)) = self.stencil.fits(bytes) {
            return Message { bytes, fields: &self.fields[..count], body, fault: None };
        }
        let Same { at, count, head } = self.shape.follow(bytes, &mut self.fields);
        let mut pass = Pass { ends: Ends::behind(at), at, count, head, in_body: count > head };
        let mut odd = Odd { fault: None, data: None };
        let mut usual = true;
        while pass.at < bytes.len() {
            // A data field ends where its length says.
            if odd.data.is_none() && usual_fields(&mut pass, bytes, self) {
                break;
            }
            usual = false;
            odd.field(&mut pass, bytes, &mut self.fields);
        }
        let Pass { count, head: body, .. } = pass;
        let fields = &self.fields[..count];
        self.stencil.follow(bytes, usual.then_some((fields, body)));
        Message { bytes, fields, body, fault: odd.fault }
    }
}

/// How far a message has been indexed.
struct Pass {
    ends: Ends,
    /// Where the next field begins.
    at: usize,
    /// Fields so far.
    count: usize,
    /// Those before the first that is none of the header.
    head: usize,
    in_body: bool,
}

/// Takes fields as long as there is nothing special about them: nearly always all, and then it is
/// true. What is special begins at `pass.at`.
#[inline(never)]
fn usual_fields(pass: &mut Pass, bytes: &[u8], index: &mut FieldIndex) -> bool {
    let (prefixes, follows) = index.shape.from(pass.count);
    let mut slots = index.fields[pass.count..].iter_mut().zip(prefixes);
    let (room, mut at, mut head) = (slots.len(), pass.at, pass.head);
    // The class beyond which a field is out of order, or announces data.
    let mut most = if pass.in_body { Class::Body } else { Class::Header } as u8;
    let mut done = true;
    while done && at < bytes.len() {
        // A last field without an end is special too.
        let Some(mut ends) = pass.ends.block(bytes) else { break };
        done = loop {
            let Some(end) = ends.next() else { break true };
            let Some((tag, start)) = short_tag_at(bytes, at) else { break false };
            let class = tags::class_of_short(tag) as u8;
            if class > most || start >= end {
                break false;
            }
            let Some((slot, prefix)) = slots.next() else { break false };
            most &= class;
            head += usize::from(most);
            *slot = Field::new(tag, start, end);
            *prefix = Prefix::of(bytes, at, start);
            at = end + 1;
        };
    }
    pass.count += room - slots.len();
    if follows {
        index.shape.known(pass.count, head);
    }
    (pass.at, pass.head, pass.in_body) = (at, head, most == Class::Body as u8);
    at >= bytes.len()
}

/// What is special about a message.
struct Odd {
    /// The first that is wrong with it.
    fault: Option<Fault>,
    /// The data field announced by the field before, and its length.
    data: Option<(u32, usize)>,
}

impl Odd {
    fn note(&mut self, code: RejectCode, tag: u32) {
        self.fault.get_or_insert(Fault { code, tag });
    }

    /// Takes any field, or notes why it is none.
    #[cold]
    fn field(&mut self, pass: &mut Pass, bytes: &[u8], fields: &mut [Field]) {
        let at = pass.at;
        // No tag holds SOH: the end is found without waiting for the tag.
        let mut end = words::find(bytes, SOH, at).unwrap_or(bytes.len());
        let data = self.data.take();
        pass.at = end + 1;
        let Some((tag, start)) = any_tag_at(&bytes[at..end], at) else {
            pass.ends = Ends::behind(pass.at);
            return self.note(RejectCode::InvalidTag, 0);
        };
        if let Some((expected, len)) = data {
            if expected == tag && ends_at(bytes, start, len) {
                end = start + len;
                pass.at = end + 1;
            } else {
                self.note(RejectCode::DataFormat, expected);
            }
        }
        pass.ends = Ends::behind(pass.at);
        if start == end {
            return self.note(RejectCode::NoValue, tag);
        }
        let class = tags::class(tag);
        let of_header = class == Class::Header || class == Class::Length && tags::is_header(tag);
        if of_header && pass.in_body {
            self.note(RejectCode::Order, tag);
        }
        pass.in_body |= !of_header;
        if class == Class::Length {
            let len = parse_u64(&bytes[start..end]).ok();
            self.data = tags::data_field_of(tag).zip(len.and_then(|len| usize::try_from(len).ok()));
            if self.data.is_none() {
                self.note(RejectCode::DataFormat, tag);
            }
        }
        let Some(slot) = fields.get_mut(pass.count) else {
            pass.at = bytes.len();
            return self.note(TOO_MANY.code, tag);
        };
        *slot = Field::new(tag, start, end);
        pass.count += 1;
        pass.head += usize::from(!pass.in_body);
    }
}

const TOO_MANY: Fault = Fault::new(RejectCode::Other, 0);

/// A tag of at most three digits at `at`, as nearly all are, and the offset of its value.
#[inline(always)]
#[allow(clippy::inline_always)]
fn short_tag_at(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let four = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
    // Exclusive or leaves what digits are worth, nothing of `=`, and higher bits of all else. From
    // ten on, six more reach those too.
    let two = |left: u32| left.wrapping_mul(10 << 8 | 1) >> 8 & 0xff;
    if four & 0x0f == 0 {
        return None;
    }
    let left = four ^ u32::from_le_bytes(*b"00=\0");
    if (left | left.wrapping_add(0x0606)) & 0xff_f0f0 == 0 {
        return Some((two(left), at + 3));
    }
    let left = four ^ u32::from_le_bytes(*b"000=");
    if (left | left.wrapping_add(0x06_0606)) & 0xfff0_f0f0 == 0 {
        return Some(((left & 0x0f) * 100 + two(left >> 8), at + 4));
    }
    let left = four ^ u32::from_le_bytes(*b"0=\0\0");
    ((left | left.wrapping_add(0x06)) & 0xfff0 == 0).then_some((left & 0x0f, at + 2))
}

/// Tag number at the start of `field` and the offset of its value, if the field is at `at`. Zero,
/// leading zeros and numbers beyond 2^31 are no tags.
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
    /// The first field that is none of the header.
    body: usize,
    fault: Option<Fault>,
}

/// Without its values, among which a peer may repeat our password.
impl std::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Message { bytes, fields, fault, .. } = self;
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

    /// The same from the first field on that is none of the header.
    pub(crate) fn body(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let Message { bytes, fields, body, .. } = *self;
        fields[body..].iter().map(move |field| (field.tag, value_of(bytes, field)))
    }

    /// The values of the header if it has these fields in this order and no other.
    #[inline]
    pub(crate) fn header<const N: usize>(&self, tags: [u32; N]) -> Option<[&'a [u8]; N]> {
        let fields: &[Field; N] = self.fields[..self.body].try_into().ok()?;
        let differs = |differs, (field, tag): (&Field, u32)| differs | (field.tag ^ tag);
        let same = fields.iter().zip(tags).fold(0, differs) == 0;
        same.then(|| fields.each_ref().map(|field| value_of(self.bytes, field)))
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
