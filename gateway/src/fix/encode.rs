//! The encoder: one message into a fixed buffer, from a per-session template.
//!
//! BodyLength is never padded: room for its digits is kept before the body and the head is put
//! right before it when the length is known. Nothing that could not be read back is emitted: a
//! value that is empty or holds SOH, or a message longer than the buffer has room for, makes
//! [`Encoder::finish`] an error.
//!
//! The fields themselves are written by `FieldWriter`, in pieces that may be longer than their text.
//! Hence [`Encoder::SLACK`].

use super::field_writer::{FieldWriter, Wrote};
use super::hex::hex_text;
use super::number::{ROOM, Written};
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
/// `10=nnn` and SOH.
const TRAILER: usize = 7;

/// What every message of a session shares: BeginString, the CompIDs, and constant header fields.
#[derive(Clone, Debug)]
pub struct Template {
    /// `8=FIX.4.4|9=`, in the last bytes.
    head: [u8; HEAD],
    head_len: usize,
    head_sum: u64,
    /// `49=…|52=`.
    pub(super) sender: Padded,
    /// `|56=…|`, and the constant fields.
    pub(super) target: Padded,
    pub(super) time: TimeText,
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
            head_sum: text.bytes().map(u64::from).sum(),
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

    /// The text of SendingTime (52) in a message sent at `now`, in what is given.
    pub(crate) fn sending_time(&mut self, now: Timestamp) -> (&[u8; TIME_ROOM], Written) {
        self.time.text(now)
    }
}

/// Writes one message. Begin it, add the fields of the body in order, finish it. A tag has
/// at most seven digits. What is refused on the way is said at the end.
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
    fields: FieldWriter<'a>,
    wrote: Wrote,
}

/// Without its buffer, which may hold a Logon.
impl std::fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Encoder { fields, wrote } = self;
        f.debug_struct("Encoder")
            .field("at", &fields.at)
            .field("wrote", wrote)
            .finish_non_exhaustive()
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
        let mut fields = FieldWriter { buffer, template, at: BODY, sum: 0 };
        let wrote = fields.header(now, seq, msg_type);
        Encoder { fields, wrote }
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
        let mut fields = FieldWriter { buffer, template, at: BODY, sum: 0 };
        let wrote = fields.header_again(now, seq, msg_type, first_sent);
        Encoder { fields, wrote }
    }

    /// Lets `write` add fields until one is refused. What changes is held in registers meanwhile, if
    /// no call stands between the fields.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn at_once(&mut self, write: impl FnOnce(&mut FieldWriter<'_>) -> Wrote) {
        let FieldWriter { buffer, template, at, sum } = &mut self.fields;
        let mut own = FieldWriter { buffer, template, at: *at, sum: *sum };
        let wrote = write(&mut own);
        (*at, *sum) = (own.at, own.sum);
        self.wrote = self.wrote.and(wrote);
    }

    /// Adds an unsigned integer.
    #[inline]
    pub fn u64(&mut self, tag: u32, value: u64) {
        self.at_once(|fields| fields.u64(tag, value));
    }

    /// Adds a decimal of `raw` × 10^-`scale`; `scale` is at most 18.
    #[inline]
    pub fn decimal(&mut self, tag: u32, raw: i64, scale: u32) {
        self.at_once(|fields| fields.decimal(tag, raw, scale));
    }

    /// Adds a UTC timestamp at the session's precision.
    #[inline]
    pub fn time(&mut self, tag: u32, time: Timestamp) {
        self.at_once(|fields| fields.time(tag, time));
    }

    /// Adds one character.
    #[inline]
    pub fn char(&mut self, tag: u32, value: u8) {
        self.at_once(|fields| fields.char(tag, value));
    }

    /// Adds `Y` or `N`.
    #[inline]
    pub fn flag(&mut self, tag: u32, value: bool) {
        self.char(tag, if value { b'Y' } else { b'N' });
    }

    /// Adds bytes as they are.
    #[inline]
    pub fn bytes(&mut self, tag: u32, value: &[u8]) {
        self.at_once(|fields| fields.bytes(tag, value));
    }

    /// Adds the value of a data field, which may hold SOH; its length field must stand before it.
    #[inline]
    pub fn data(&mut self, tag: u32, value: &[u8]) {
        self.at_once(|fields| fields.data(tag, value));
    }

    /// Adds bytes that are known to be neither empty nor to hold SOH.
    #[inline]
    pub(crate) fn padded(&mut self, tag: u32, value: &Padded) {
        self.at_once(|fields| fields.padded(tag, value));
    }

    /// Adds 128 bits as 32 lower-case hexadecimal digits: the form of the ids we give as a venue.
    #[inline]
    pub fn hex(&mut self, tag: u32, words: [u64; 2]) {
        self.at_once(|fields| fields.array(tag, &hex_text(words)));
    }

    /// Makes [`Encoder::finish`] fail with `error`, unless it would already.
    #[inline]
    pub fn fail(&mut self, error: EncodeError) {
        self.wrote = self.wrote.and(Err(error));
    }

    /// Adds BodyLength and CheckSum and gives back the whole message.
    ///
    /// # Errors
    /// The first [`EncodeError`] since the message began.
    #[inline]
    pub fn finish(self) -> Result<&'a [u8], EncodeError> {
        self.wrote?;
        self.close().ok_or(EncodeError::TooLong)
    }

    // As long as it is, a call would move the whole encoder through memory.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn close(self) -> Option<&'a [u8]> {
        let FieldWriter { buffer, template, at: end, sum } = self.fields;
        // Room for eight digits of BodyLength, and SOH, stand right before the body; the head goes
        // over what is left of the room.
        let length = (end - BODY) as u64;
        let digits = words::integer_text(length);
        let zeros = WORD - digits.len;
        let front = buffer.first_chunk_mut::<BODY>()?;
        front[HEAD..HEAD + WORD].copy_from_slice(&(digits.word << (8 * zeros)).to_le_bytes());
        front[BODY - 1] = SOH;
        front[zeros..zeros + HEAD].copy_from_slice(&template.head);
        let start = zeros + HEAD - template.head_len;
        if end + TRAILER - start + Self::SLACK > buffer.len() || length >= LENGTH_END {
            return None;
        }
        let sum = (sum + template.head_sum + digits.sum + u64::from(SOH)).to_le_bytes()[0];
        let [a, b, c] = [sum / 100, sum / 10 % 10, sum % 10].map(|digit| b'0' + digit);
        *buffer.get_mut(end..)?.first_chunk_mut()? = [b'1', b'0', b'=', a, b, c, SOH];
        buffer.get(start..end + TRAILER)
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
