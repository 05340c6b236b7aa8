//! The encoder: one message into a fixed buffer, from a per-session template.
//!
//! BodyLength is never padded: room for its digits is kept before the body and the head is put
//! right before it when the length is known. Nothing that could not be read back is emitted: a
//! value that is empty or holds SOH, or a message longer than the buffer has room for, makes
//! [`Encoder::finish`] an error.
//!
//! Texts are written in pieces whose lengths the compiler knows; what is too much of one is
//! written over by the next. Hence [`Encoder::SLACK`].

use super::frame::{BLOCK, sum_of_blocks};
use super::hex::{HEX, hex_text};
use super::number::{ROOM, write_decimal, write_u64};
use super::padded::Padded;
use super::time::{TIME_ROOM, TimeText};
use super::words::{self, WORD};
use super::{Precision, SOH, tags};
use market::Timestamp;

/// Why a message was not made. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The buffer is too short.
    #[error("the message does not fit the session's max_message: raise it")]
    TooLong,
    /// An empty value, one with SOH in it, or a tag or number of more digits than can be written.
    #[error("tag {0} or its value cannot be written: empty, too long, or with the field separator")]
    Value(u32),
    /// An instrument that the gateway was not given.
    #[error("instrument is not in the gateway's table: add it to the configuration")]
    UnknownInstrument,
    /// The command or report has no message of its own.
    #[error("no FIX message says this")]
    NoMessage,
}

/// `8=…|9=`, at the end of its room: the longest BeginString that is read has fourteen characters.
const HEAD: usize = 2 + 14 + 1 + 2;
/// First BodyLength that has more than eight digits.
const LENGTH_END: u64 = 100_000_000;
/// Where BodyLength ends and the body begins.
const BODY: usize = HEAD + WORD + 1;
/// First tag that, with `=`, is no word.
const TAG_END: u32 = 10_000_000;
/// `10=nnn` and SOH.
const TRAILER: usize = 7;

/// What every message of a session shares: BeginString, the CompIDs, and constant header fields.
#[derive(Clone, Debug)]
pub struct Template {
    /// `8=FIX.4.4|9=`, in the last bytes.
    head: [u8; HEAD],
    head_len: usize,
    /// `49=…|52=`.
    sender: Padded,
    /// `|56=…|`, and the constant fields.
    target: Padded,
    time: TimeText,
}

impl Template {
    /// The template of one direction of one session.
    ///
    /// # Errors
    /// [`EncodeError::Value`] if a value is empty or holds SOH, or if BeginString is longer than 14
    /// bytes.
    pub fn new(
        begin_string: &str,
        sender: &str,
        target: &str,
        precision: Precision,
    ) -> Result<Self, EncodeError> {
        for (tag, text) in [
            (tags::BEGIN_STRING, begin_string),
            (tags::SENDER_COMP_ID, sender),
            (tags::TARGET_COMP_ID, target),
        ] {
            if text.is_empty() || text.as_bytes().contains(&SOH) {
                return Err(EncodeError::Value(tag));
            }
        }
        let text = format!("8={begin_string}\x019=");
        let start = HEAD.checked_sub(text.len()).ok_or(EncodeError::Value(tags::BEGIN_STRING))?;
        let mut head = [0; HEAD];
        head[start..].copy_from_slice(text.as_bytes());
        Ok(Template {
            head,
            head_len: text.len(),
            sender: Padded::new(format!("49={sender}\x0152=").as_bytes()),
            target: Padded::new(format!("\x0156={target}\x01").as_bytes()),
            time: TimeText::new(precision),
        })
    }

    /// The same with further header fields in every message, as SenderSubID (50).
    ///
    /// # Errors
    /// [`EncodeError::Value`] if a value is empty or holds SOH, or a tag is none of the header.
    pub fn with_fields(mut self, fields: &[(u32, String)]) -> Result<Self, EncodeError> {
        let mut text = self.target.text().to_vec();
        for (tag, value) in fields {
            if value.is_empty() || value.as_bytes().contains(&SOH) || !tags::is_header(*tag) {
                return Err(EncodeError::Value(*tag));
            }
            text.extend_from_slice(format!("{tag}={value}\x01").as_bytes());
        }
        self.target = Padded::new(&text);
        Ok(self)
    }

    /// The text of SendingTime (52) in a message sent at `now`, and its length in what is given.
    pub(crate) fn sending_time(&mut self, now: Timestamp) -> ([u8; TIME_ROOM], usize) {
        self.time.text(now)
    }
}

/// Writes one message. Begin it, add the fields of the body in order, finish it. A tag has
/// at most seven digits.
///
/// ```
/// use gateway::fix::{Encoder, Precision, Template, tags};
/// use market::Timestamp;
/// let mut template = Template::new("FIX.4.4", "A", "B", Precision::Seconds).unwrap();
/// let mut buffer = [0; 128 + Encoder::SLACK];
/// let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
/// encoder.u64(tags::TEST_REQ_ID, 7);
/// let frame = encoder.finish().unwrap();
/// let text = String::from_utf8_lossy(frame).replace('\x01', "|");
/// assert_eq!(text, "8=FIX.4.4|9=47|35=0|34=1|49=A|52=19700101-00:00:00|56=B|112=7|10=136|");
/// ```
pub struct Encoder<'a> {
    buffer: &'a mut [u8],
    template: &'a mut Template,
    at: usize,
    error: Option<EncodeError>,
}

/// Without its buffer, which may hold a Logon.
impl std::fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Encoder { at, error, .. } = self;
        f.debug_struct("Encoder").field("at", at).field("error", error).finish_non_exhaustive()
    }
}

impl<'a> Encoder<'a> {
    /// Bytes that a buffer has beyond its longest message: what is kept before the body, and twice
    /// the room that is asked for after the last field.
    pub const SLACK: usize = BODY + 2 * ROOM;

    /// Begins a message of type `msg_type` with sequence number `seq`, sent at `now`.
    #[inline]
    pub fn begin(
        buffer: &'a mut [u8],
        template: &'a mut Template,
        now: Timestamp,
        seq: u64,
        msg_type: &[u8],
    ) -> Encoder<'a> {
        let mut this = Encoder { buffer, template, at: BODY, error: None };
        this.number(msg_type, seq);
        this.parties(now);
        this
    }

    /// Begins a message once more: PossDupFlag=Y, with the time of its first sending, or `now`
    /// where there was none.
    pub fn begin_again(
        buffer: &'a mut [u8],
        template: &'a mut Template,
        now: Timestamp,
        seq: u64,
        msg_type: &[u8],
        first_sent: Option<&[u8]>,
    ) -> Encoder<'a> {
        let mut this = Encoder { buffer, template, at: BODY, error: None };
        this.number(msg_type, seq);
        this.char(tags::POSS_DUP_FLAG, b'Y');
        this.parties(now);
        match first_sent {
            Some(text) => this.bytes(tags::ORIG_SENDING_TIME, text),
            None => this.time(tags::ORIG_SENDING_TIME, now),
        }
        this
    }

    /// `35=…|34=…|`.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn number(&mut self, msg_type: &[u8], seq: u64) {
        match *msg_type {
            [letter] => self.char(tags::MSG_TYPE, letter),
            _ => self.bytes(tags::MSG_TYPE, msg_type),
        }
        self.u64(tags::MSG_SEQ_NUM, seq);
    }

    /// `49=…|52=…|56=…|` and the constant fields.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn parties(&mut self, now: Timestamp) {
        let (text, len) = self.template.time.text(now);
        self.copy(|template| &template.sender);
        if let Some(out) = self.room::<TIME_ROOM>(self.at) {
            *out = text;
            self.at += len;
        }
        self.copy(|template| &template.target);
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn copy(&mut self, text: impl FnOnce(&Template) -> &Padded) {
        match text(self.template).write(self.buffer.get_mut(self.at..).unwrap_or_default()) {
            Some(len) => self.at += len,
            None => self.fail(EncodeError::TooLong),
        }
    }

    /// Adds an unsigned integer.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn u64(&mut self, tag: u32, value: u64) {
        if let Some(out) = self.open(tag) {
            let len = write_u64(out, value);
            self.end(len);
        }
    }

    /// Adds a decimal of `raw` × 10^-`scale`; `scale` is at most 18.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn decimal(&mut self, tag: u32, raw: i64, scale: u32) {
        if let Some(out) = self.open(tag) {
            match write_decimal(out, raw, scale) {
                Some(len) => self.end(len),
                None => self.fail(EncodeError::Value(tag)),
            }
        }
    }

    /// Adds a UTC timestamp at the session's precision.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn time(&mut self, tag: u32, time: Timestamp) {
        let (text, len) = self.template.time.text(time);
        if let Some(out) = self.open(tag) {
            out[..TIME_ROOM].copy_from_slice(&text);
            self.end(len);
        }
    }

    /// Adds one character.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn char(&mut self, tag: u32, value: u8) {
        if value == SOH {
            return self.fail(EncodeError::Value(tag));
        }
        if let Some(out) = self.open(tag) {
            out[0] = value;
            self.end(1);
        }
    }

    /// Adds `Y` or `N`.
    #[inline]
    pub fn flag(&mut self, tag: u32, value: bool) {
        self.char(tag, if value { b'Y' } else { b'N' });
    }

    /// Adds bytes as they are.
    #[inline]
    pub fn bytes(&mut self, tag: u32, value: &[u8]) {
        if value.is_empty() || value.contains(&SOH) {
            self.fail(EncodeError::Value(tag));
            return;
        }
        self.data(tag, value);
    }

    /// Adds the value of a data field, which may hold SOH; its length field must stand before it.
    #[inline]
    pub fn data(&mut self, tag: u32, value: &[u8]) {
        self.text(tag, |out| {
            out.get_mut(..value.len())?.copy_from_slice(value);
            Some(value.len())
        });
    }

    /// Adds bytes that are known to be neither empty nor to hold SOH.
    #[inline]
    pub(crate) fn padded(&mut self, tag: u32, value: &Padded) {
        self.text(tag, |out| value.write(out));
    }

    /// Adds fields that are whole already, tags and separators included.
    #[inline]
    pub(crate) fn fields(&mut self, fields: &Padded) {
        match self.buffer.get_mut(self.at..).and_then(|out| fields.write(out)) {
            Some(len) => self.at += len,
            None => self.fail(EncodeError::TooLong),
        }
    }

    /// A value of any length.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn text(&mut self, tag: u32, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        if self.open(tag).is_some() {
            match self.buffer.get_mut(self.at..).and_then(write) {
                Some(len) => self.end(len),
                None => self.fail(EncodeError::TooLong),
            }
        }
    }

    /// Adds 128 bits as 32 lower-case hexadecimal digits: the form of the ids we give as a venue.
    #[inline]
    pub fn hex(&mut self, tag: u32, words: [u64; 2]) {
        if let Some(out) = self.open(tag) {
            out[..HEX].copy_from_slice(&hex_text(words));
            self.end(HEX);
        }
    }

    /// Makes [`Encoder::finish`] fail with `error`, unless it would already.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn fail(&mut self, error: EncodeError) {
        // No call, or every write to the buffer might be one to `self`.
        self.error = self.error.or(Some(error));
    }

    /// Adds BodyLength and CheckSum and gives back the whole message.
    ///
    /// # Errors
    /// The first [`EncodeError`] since the message began.
    #[inline]
    pub fn finish(self) -> Result<&'a [u8], EncodeError> {
        match self.error {
            Some(error) => Err(error),
            None => self.close().ok_or(EncodeError::TooLong),
        }
    }

    fn close(self) -> Option<&'a [u8]> {
        let Encoder { buffer, template, at: end, .. } = self;
        // Eight digits of BodyLength and SOH stand right before the body; the head goes over those
        // that are zeros.
        let length = (end - BODY) as u64;
        let (digits, zeros) = words::digits_and_zeros(length);
        let front = buffer.first_chunk_mut::<BODY>()?;
        front[HEAD..HEAD + WORD].copy_from_slice(&digits.to_le_bytes());
        front[BODY - 1] = SOH;
        front[zeros..zeros + HEAD].copy_from_slice(&template.head);
        let start = zeros + HEAD - template.head_len;
        if end + TRAILER - start + Self::SLACK > buffer.len() || length >= LENGTH_END {
            return None;
        }
        // Zeros fill up the last block.
        *buffer.get_mut(end..)?.first_chunk_mut()? = [0; BLOCK];
        let blocks = (end - start).next_multiple_of(BLOCK);
        let sum = sum_of_blocks(buffer.get(start..start + blocks)?.as_chunks().0);
        let [a, b, c] = [sum / 100, sum / 10 % 10, sum % 10].map(|digit| b'0' + digit);
        *buffer.get_mut(end..)?.first_chunk_mut()? = [b'1', b'0', b'=', a, b, c, SOH];
        buffer.get(start..end + TRAILER)
    }

    /// Writes `tag=` and gives room for any value but text. With a constant tag the text is made by
    /// the compiler.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn open(&mut self, tag: u32) -> Option<&mut [u8; ROOM]> {
        if tag >= TAG_END {
            self.fail(EncodeError::Value(tag));
            return None;
        }
        let (word, len) = words::integer_text(u64::from(tag));
        let word = word | u64::from(b'=') << (8 * len);
        let at = self.at;
        self.at += len + 1;
        let out = self.room::<{ WORD + ROOM }>(at)?;
        out[..WORD].copy_from_slice(&word.to_le_bytes());
        out[len + 1..].first_chunk_mut()
    }

    /// So many bytes from `at` on.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn room<const SIZE: usize>(&mut self, at: usize) -> Option<&mut [u8; SIZE]> {
        if self.buffer.len() < at + SIZE {
            self.fail(EncodeError::TooLong);
        }
        self.buffer.get_mut(at..)?.first_chunk_mut()
    }

    /// SOH after a value of `len` bytes, which found room.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn end(&mut self, len: usize) {
        self.at += len;
        if let Some(slot) = self.buffer.get_mut(self.at) {
            *slot = SOH;
        }
        self.at += 1;
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
