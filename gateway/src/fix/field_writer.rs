//! Fields of one message, written behind one another into a fixed buffer.
//!
//! The sum for CheckSum (10) is kept as they are written: to read bytes again so soon would wait for
//! their stores. A writer that refused something is of no more use: `?` leaves it at once, so that
//! of many fields in a row what changes stays in registers and constants are added by the compiler.
//!
//! Texts are written in pieces whose lengths the compiler knows; what is too much of one is
//! written over by the next. Everything is taken into the caller for that: what is not needed there
//! goes through [`Encoder`](super::Encoder).

// A tag must be known to the compiler, and no call may stand between two fields.
#![allow(clippy::inline_always)]

use super::encode::{EncodeError, Template};
use super::frame::check_sum;
use super::number::{ROOM, Written, write_decimal, write_u64};
use super::padded::Padded;
use super::time::TIME_ROOM;
use super::words::{self, Digits, WORD};
use super::{SOH, tags};
use market::Timestamp;

/// First tag that, with `=`, is no word.
pub(super) const TAG_END: u32 = 10_000_000;
/// Last tag there is: what can be read.
const TAG_MAX: u32 = i32::MAX.cast_unsigned();
/// First tag that, with `=`, a character and SOH, is no word.
const SHORT_TAG_END: u32 = 100_000;

/// Whether a field could be written.
pub(crate) type Wrote = Result<(), EncodeError>;

/// What is written so far, and where.
pub(crate) struct FieldWriter<'a> {
    pub(super) buffer: &'a mut [u8],
    pub(super) template: &'a mut Template,
    /// Where the next field goes.
    pub(super) at: usize,
    /// Sum of all bytes written.
    pub(super) sum: u64,
}

impl FieldWriter<'_> {
    /// The header of a message.
    #[inline(always)]
    pub(super) fn header(&mut self, now: Timestamp, seq: u64, msg_type: &[u8]) -> Wrote {
        self.number(msg_type, seq)?;
        self.parties(now)
    }

    /// The header of one that is sent once more.
    pub(super) fn header_again(
        &mut self,
        now: Timestamp,
        seq: u64,
        msg_type: &[u8],
        first_sent: Option<&[u8]>,
    ) -> Wrote {
        self.number(msg_type, seq)?;
        self.char(tags::POSS_DUP_FLAG, b'Y')?;
        self.parties(now)?;
        match first_sent {
            Some(text) => self.bytes(tags::ORIG_SENDING_TIME, text),
            None => self.time(tags::ORIG_SENDING_TIME, now),
        }
    }

    /// `35=…|34=…|`.
    #[inline(always)]
    fn number(&mut self, msg_type: &[u8], seq: u64) -> Wrote {
        match *msg_type {
            [letter] => self.char(tags::MSG_TYPE, letter)?,
            _ => self.bytes(tags::MSG_TYPE, msg_type)?,
        }
        self.u64(tags::MSG_SEQ_NUM, seq)
    }

    /// `49=…|52=…|56=…|` and the constant fields.
    #[inline(always)]
    fn parties(&mut self, now: Timestamp) -> Wrote {
        self.copy(|template| &template.sender)?;
        let FieldWriter { buffer, template, at, .. } = self;
        let (text, written) = template.time.text(now);
        *room::<TIME_ROOM>(buffer, *at)? = *text;
        self.went(written);
        self.copy(|template| &template.target)
    }

    #[inline(always)]
    fn copy(&mut self, text: impl FnOnce(&Template) -> &Padded) -> Wrote {
        let FieldWriter { buffer, template, at, .. } = self;
        let out = buffer.get_mut(*at..).unwrap_or_default();
        let written = text(template).write(out).ok_or(EncodeError::TooLong)?;
        self.went(written);
        Ok(())
    }

    /// An unsigned integer.
    #[inline(always)]
    pub(crate) fn u64(&mut self, tag: u32, value: u64) -> Wrote {
        let written = write_u64(self.open(tag)?, value);
        self.end(written)
    }

    /// A decimal of `raw` × 10^-`scale`; `scale` is at most 18.
    #[inline(always)]
    pub(crate) fn decimal(&mut self, tag: u32, raw: i64, scale: u32) -> Wrote {
        let written = write_decimal(self.open(tag)?, raw, scale);
        self.end(written.ok_or(EncodeError::Value(tag))?)
    }

    /// A UTC timestamp at the session's precision.
    #[inline(always)]
    pub(crate) fn time(&mut self, tag: u32, time: Timestamp) -> Wrote {
        self.open(tag)?;
        let FieldWriter { buffer, template, at, .. } = self;
        let (text, written) = template.time.text(time);
        *room::<TIME_ROOM>(buffer, *at)? = *text;
        self.end(written)
    }

    /// One character.
    #[inline(always)]
    pub(crate) fn char(&mut self, tag: u32, value: u8) -> Wrote {
        if value == SOH {
            return Err(EncodeError::Value(tag));
        }
        if tag >= SHORT_TAG_END {
            self.open(tag)?[0] = value;
            return self.end(Written { len: 1, sum: u64::from(value) });
        }
        let (word, Written { len, sum }) = tag_text(tag);
        let value = u64::from(value);
        let word = word | value << (8 * len) | u64::from(SOH) << (8 * len + 8);
        *room::<WORD>(self.buffer, self.at)? = word.to_le_bytes();
        self.went(Written { len: len + 2, sum: sum + value + u64::from(SOH) });
        Ok(())
    }

    /// Bytes as they are.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, tag: u32, value: &[u8]) -> Wrote {
        if value.is_empty() || value.contains(&SOH) {
            return Err(EncodeError::Value(tag));
        }
        self.data(tag, value)
    }

    /// The value of a data field, which may hold SOH.
    #[inline(always)]
    pub(crate) fn data(&mut self, tag: u32, value: &[u8]) -> Wrote {
        self.open(tag)?;
        let out = self.buffer.get_mut(self.at..).and_then(|out| out.get_mut(..value.len()));
        out.ok_or(EncodeError::TooLong)?.copy_from_slice(value);
        self.end(Written { len: value.len(), sum: u64::from(check_sum(value)) })
    }

    /// An array that is known not to hold SOH.
    #[inline(always)]
    pub(crate) fn array<const LEN: usize>(&mut self, tag: u32, value: &[u8; LEN]) -> Wrote {
        const { assert!(LEN > 0 && LEN <= ROOM) };
        self.open(tag)?[..LEN].copy_from_slice(value);
        self.end(Written { len: LEN, sum: u64::from(check_sum(value)) })
    }

    /// A text that is known to be neither empty nor to hold SOH.
    #[inline(always)]
    pub(crate) fn padded(&mut self, tag: u32, value: &Padded) -> Wrote {
        self.open(tag)?;
        let out = self.buffer.get_mut(self.at..).unwrap_or_default();
        let written = value.write(out).ok_or(EncodeError::TooLong)?;
        self.end(written)
    }

    /// FieldWriter that are whole already, tags and separators included.
    #[inline(always)]
    pub(crate) fn whole(&mut self, fields: &Padded) -> Wrote {
        if !fields.is_empty() {
            let out = self.buffer.get_mut(self.at..).unwrap_or_default();
            let written = fields.write(out).ok_or(EncodeError::TooLong)?;
            self.went(written);
        }
        Ok(())
    }

    /// Writes `tag=` and gives room for any value but text.
    #[inline(always)]
    fn open(&mut self, tag: u32) -> Result<&mut [u8; ROOM], EncodeError> {
        if tag >= TAG_END {
            return self.open_long(tag);
        }
        let (word, written) = tag_text(tag);
        let at = self.at;
        self.went(written);
        let out = room::<{ WORD + ROOM }>(self.buffer, at)?;
        out[..WORD].copy_from_slice(&word.to_le_bytes());
        out[written.len..].first_chunk_mut().ok_or(EncodeError::TooLong)
    }

    /// The same of a tag that is too long for a word, as some user-defined ones are.
    #[cold]
    #[inline(never)]
    fn open_long(&mut self, tag: u32) -> Result<&mut [u8; ROOM], EncodeError> {
        if tag > TAG_MAX {
            return Err(EncodeError::Value(tag));
        }
        let text = room(self.buffer, self.at)?;
        let Written { len, sum } = write_u64(text, u64::from(tag));
        text[len] = b'=';
        self.went(Written { len: len + 1, sum: sum + u64::from(b'=') });
        room(self.buffer, self.at)
    }

    /// SOH after a value, which found room.
    #[inline(always)]
    fn end(&mut self, value: Written) -> Wrote {
        self.went(value);
        *self.buffer.get_mut(self.at).ok_or(EncodeError::TooLong)? = SOH;
        self.went(Written { len: 1, sum: u64::from(SOH) });
        Ok(())
    }

    /// Counts what was written at `at`.
    #[inline(always)]
    fn went(&mut self, Written { len, sum }: Written) {
        self.at += len;
        self.sum += sum;
    }
}

/// `tag=` as a word; a tag from [`TAG_END`] on is none.
#[inline(always)]
fn tag_text(tag: u32) -> (u64, Written) {
    let Digits { word, len, sum } = words::integer_text(u64::from(tag));
    let equals = u64::from(b'=');
    (word | equals << (8 * len), Written { len: len + 1, sum: sum + equals })
}

/// So many bytes from `at` on.
#[inline(always)]
fn room<const SIZE: usize>(buffer: &mut [u8], at: usize) -> Result<&mut [u8; SIZE], EncodeError> {
    let out = buffer.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
    out.ok_or(EncodeError::TooLong)
}
