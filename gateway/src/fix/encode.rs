//! The encoder: one message into a fixed buffer, from a per-session template.
//!
//! BodyLength is never padded: room for its digits is kept before the body and the head is put
//! right before it when the length is known. Nothing that could not be read back is emitted: a
//! value that is empty or holds SOH, or a message longer than the buffer, makes
//! [`Encoder::finish`] an error.

use super::frame::check_sum;
use super::number::{digits, write_decimal, write_padded, write_u64};
use super::time::TimeText;
use super::{Precision, SOH, tags, words};
use market::Timestamp;

/// Why a message was not made. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The buffer is too short.
    #[error("the message does not fit the session's max_message: raise it")]
    TooLong,
    /// An empty value, or one with SOH in it.
    #[error("the value of tag {0} is empty or holds the field separator")]
    Value(u32),
    /// An instrument that the gateway was not given.
    #[error("instrument is not in the gateway's table: add it to the configuration")]
    UnknownInstrument,
    /// The command or report has no message of its own.
    #[error("no FIX message says this")]
    NoMessage,
}

/// Digits kept for BodyLength.
const LENGTH_DIGITS: usize = 7;
/// CompIDs with their tags that are copied at once.
const SHORT: usize = 48;
/// `10=nnn` and SOH.
const TRAILER: usize = 7;

/// What every message of a session shares: BeginString and the CompIDs.
#[derive(Clone, Debug)]
pub struct Template {
    /// `8=FIX.4.4|9=`.
    head: Box<[u8]>,
    /// `49=…|56=…|34=`.
    comp_ids: Box<[u8]>,
    /// Its beginning, at a length that the compiler knows: most are no longer.
    comp_ids_short: [u8; SHORT],
    time: TimeText,
}

impl Template {
    /// The template of one direction of one session.
    ///
    /// # Errors
    /// [`EncodeError::Value`] if a value is empty or holds SOH.
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
        let comp_ids = format!("49={sender}\x0156={target}\x0134=").into_bytes();
        let mut comp_ids_short = [0; SHORT];
        comp_ids_short.iter_mut().zip(&comp_ids).for_each(|(slot, byte)| *slot = *byte);
        Ok(Template {
            head: format!("8={begin_string}\x019=").into_bytes().into_boxed_slice(),
            comp_ids: comp_ids.into_boxed_slice(),
            comp_ids_short,
            time: TimeText::new(precision),
        })
    }
}

/// Writes one message. Begin it, add the fields of the body in order, finish it.
///
/// ```
/// use gateway::fix::{Encoder, Precision, Template, tags};
/// use market::Timestamp;
/// let mut template = Template::new("FIX.4.4", "A", "B", Precision::Seconds).unwrap();
/// let mut buffer = [0; 128];
/// let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
/// encoder.u64(tags::TEST_REQ_ID, 7);
/// let frame = encoder.finish().unwrap();
/// let text = String::from_utf8_lossy(frame).replace('\x01', "|");
/// assert_eq!(text, "8=FIX.4.4|9=47|35=0|49=A|56=B|34=1|52=19700101-00:00:00|112=7|10=136|");
/// ```
#[derive(Debug)]
pub struct Encoder<'a> {
    buffer: &'a mut [u8],
    template: &'a mut Template,
    /// Where the body begins.
    body: usize,
    at: usize,
    error: Option<EncodeError>,
}

impl<'a> Encoder<'a> {
    /// Begins a message of type `msg_type` with sequence number `seq`, sent at `now`.
    pub fn begin(
        buffer: &'a mut [u8],
        template: &'a mut Template,
        now: Timestamp,
        seq: u64,
        msg_type: &[u8],
    ) -> Encoder<'a> {
        let body = template.head.len() + LENGTH_DIGITS + 1;
        let mut this = Encoder { buffer, template, body, at: body, error: None };
        match *msg_type {
            [letter] => this.char(tags::MSG_TYPE, letter),
            _ => this.bytes(tags::MSG_TYPE, msg_type),
        }
        this.comp_ids();
        this.put_u64(seq);
        this.time(tags::SENDING_TIME, now);
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
        let mut this = Encoder::begin(buffer, template, now, seq, msg_type);
        this.char(tags::POSS_DUP_FLAG, b'Y');
        match first_sent {
            Some(text) => this.bytes(tags::ORIG_SENDING_TIME, text),
            None => this.time(tags::ORIG_SENDING_TIME, now),
        }
        this
    }

    /// Adds an unsigned integer.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn u64(&mut self, tag: u32, value: u64) {
        self.tag(tag);
        self.put_u64(value);
    }

    /// Adds a decimal of `raw` × 10^-`scale`.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn decimal(&mut self, tag: u32, raw: i64, scale: u32) {
        self.tag(tag);
        self.put_decimal(raw, scale);
    }

    /// Adds a UTC timestamp at the session's precision.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn time(&mut self, tag: u32, time: Timestamp) {
        self.tag(tag);
        self.put_time(time);
    }

    /// Adds one character.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn char(&mut self, tag: u32, value: u8) {
        if value == SOH {
            return self.fail(EncodeError::Value(tag));
        }
        self.tag(tag);
        match self.buffer.get_mut(self.at..self.at + 2) {
            Some(out) => {
                out.copy_from_slice(&[value, SOH]);
                self.at += 2;
            }
            None => self.fail(EncodeError::TooLong),
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
        self.tag(tag);
        self.put(|out| {
            out.get_mut(..value.len())?.copy_from_slice(value);
            Some(value.len())
        });
    }

    /// Adds 128 bits as 32 lower-case hexadecimal digits: the form of the ids we give as a venue.
    pub fn hex(&mut self, tag: u32, words: [u64; 2]) {
        let mut text = [0; 32];
        for (i, slot) in text.iter_mut().enumerate() {
            let nibble = words[i / 16] >> (60 - 4 * (i % 16)) & 15;
            *slot = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or(0)];
        }
        self.bytes(tag, &text);
    }

    /// Makes [`Encoder::finish`] fail with `error`, unless it would already.
    #[cold]
    pub fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }

    /// Adds BodyLength and CheckSum and gives back the whole message.
    ///
    /// # Errors
    /// The first [`EncodeError`] since the message began.
    pub fn finish(self) -> Result<&'a [u8], EncodeError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (body, end) = (self.body, self.at);
        let length = (end - body) as u64;
        let width = digits(length);
        let start = LENGTH_DIGITS.checked_sub(width).ok_or(EncodeError::TooLong)?;
        if self.buffer.len() < end + TRAILER {
            return Err(EncodeError::TooLong);
        }
        // Seven digits and SOH stand right before the body; the head goes over the zeros.
        let chunk = (words::digits(length) >> 8).to_le_bytes();
        self.buffer[body - LENGTH_DIGITS - 1..body].copy_from_slice(&chunk);
        self.buffer[body - 1] = SOH;
        let head = &self.template.head;
        self.buffer[start..start + head.len()].copy_from_slice(head);
        let sum = u64::from(check_sum(&self.buffer[start..end]));
        let [.., a, b, c] = words::digits(sum).to_le_bytes();
        let trailer = [b'1', b'0', b'=', a, b, c, SOH];
        self.buffer[end..end + TRAILER].copy_from_slice(&trailer);
        Ok(&self.buffer[start..end + TRAILER])
    }

    /// The CompIDs. What is copied beyond them is written over by what follows.
    #[inline]
    fn comp_ids(&mut self) {
        let Template { comp_ids, comp_ids_short, .. } = &*self.template;
        let out = self.buffer.get_mut(self.at..).unwrap_or_default();
        if let (..=SHORT, Some(out)) = (comp_ids.len(), out.first_chunk_mut()) {
            *out = *comp_ids_short;
        } else if let Some(out) = out.get_mut(..comp_ids.len()) {
            out.copy_from_slice(comp_ids);
        } else {
            return self.fail(EncodeError::TooLong);
        }
        self.at += comp_ids.len();
    }

    /// `tag=`. With a constant tag the digits are computed by the compiler.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn tag(&mut self, tag: u32) {
        let len = digits(u64::from(tag));
        match self.buffer.get_mut(self.at..self.at + len + 1) {
            Some(out) => {
                write_padded(&mut out[..len], u64::from(tag));
                out[len] = b'=';
                self.at += len + 1;
            }
            None => self.fail(EncodeError::TooLong),
        }
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn put_u64(&mut self, value: u64) {
        self.put(|out| write_u64(out, value));
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn put_decimal(&mut self, raw: i64, scale: u32) {
        self.put(|out| write_decimal(out, raw, scale));
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn put_time(&mut self, time: Timestamp) {
        let len = match self.buffer.get_mut(self.at..) {
            Some(out) => self.template.time.write(out, time),
            None => None,
        };
        self.ended(len);
    }

    /// A value, and SOH after it.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn put(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        let len = self.buffer.get_mut(self.at..).and_then(write);
        self.ended(len);
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn ended(&mut self, len: Option<usize>) {
        let Some(len) = len else { return self.fail(EncodeError::TooLong) };
        match self.buffer.get_mut(self.at + len) {
            Some(slot) => {
                *slot = SOH;
                self.at += len + 1;
            }
            None => self.fail(EncodeError::TooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::{FieldIndex, Frame, frame};
    use proptest::prelude::*;

    fn template(precision: Precision) -> Template {
        Template::new("FIX.4.4", "US", "VENUE", precision).unwrap()
    }

    #[test]
    fn golden_bytes() {
        let mut template = template(Precision::Millis);
        let mut buffer = [0; 256];
        let now = Timestamp::from_nanos(1_752_758_200_012_345_678);
        let mut encoder = Encoder::begin_again(
            &mut buffer,
            &mut template,
            now,
            12,
            b"D",
            Some(b"20250717-13:16:39.000"),
        );
        encoder.u64(tags::CL_ORD_ID, 77);
        encoder.decimal(tags::PRICE, -15_370_000_000, 9);
        encoder.hex(tags::ORDER_ID, [1, 0xabc0_0000_0000_0000]);
        encoder.flag(tags::LAST_RPT_REQUESTED, false);
        let frame = encoder.finish().unwrap();
        assert_eq!(
            String::from_utf8_lossy(frame).replace('\x01', "|"),
            "8=FIX.4.4|9=140|35=D|49=US|56=VENUE|34=12|52=20250717-13:16:40.012|43=Y|\
             122=20250717-13:16:39.000|11=77|44=-15.37|37=0000000000000001abc0000000000000|912=N|\
             10=177|"
        );
    }

    #[test]
    fn what_could_not_be_read_is_not_emitted() {
        let mut template = template(Precision::Millis);
        let mut buffer = [0; 256];
        for bad in [&b""[..], b"a\x01b"] {
            let mut encoder = Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, 1, b"0");
            encoder.bytes(tags::TEXT, bad);
            assert_eq!(encoder.finish(), Err(EncodeError::Value(tags::TEXT)));
        }
        assert!(Template::new("FIX.4.4", "", "B", Precision::Millis).is_err());
        assert!(Template::new("FIX.4.4", "A", "B\x01", Precision::Millis).is_err());
    }

    proptest! {
        #[test]
        fn every_buffer_size_fits_or_refuses(size in 0usize..200, seq: u64, text in "[a-z]{1,40}") {
            let mut template = template(Precision::Nanos);
            let mut buffer = vec![0; size];
            let mut encoder =
                Encoder::begin(&mut buffer, &mut template, Timestamp::ZERO, seq, b"B");
            encoder.bytes(tags::TEXT, text.as_bytes());
            encoder.u64(tags::LAST_QTY, seq);
            if let Ok(bytes) = encoder.finish() {
                let whole = matches!(frame(bytes, size), Frame::Complete { len, .. } if len == bytes.len());
                prop_assert!(whole);
                let mut index = FieldIndex::new(16);
                let message = index.parse(bytes);
                prop_assert_eq!(message.fault(), None);
                prop_assert_eq!(message.get(tags::TEXT), Some(text.as_bytes()));
                prop_assert_eq!(message.u64(tags::LAST_QTY), Ok(seq));
                prop_assert!(!bytes.windows(4).any(|w| w == b"\x019=0"), "never padded");
            } else {
                prop_assert!(size < 180);
            }
        }
    }
}
