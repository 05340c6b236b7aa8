//! Framing: where one message ends and the next begins, by BodyLength and CheckSum.
//!
//! It never trusts a length before it is bounded, never looks past `max` bytes, and always makes
//! progress: garbled bytes are skipped to the next `8=FIX`.

use super::SOH;
use super::words::{self, WORD};

/// What stands at the start of a receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message: BodyLength and CheckSum agree and 35 is the third field.
    Complete {
        /// Bytes of the message, trailer included.
        len: usize,
        /// Offset of `35=`.
        body: usize,
    },
    /// The start of what may become a message: more bytes are needed.
    Incomplete,
    /// Not a message: skip this many bytes (at least one), without using a sequence number.
    Garbled {
        /// Bytes to drop.
        skip: usize,
        /// What is wrong with them.
        reason: Garble,
    },
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garble {
    /// Does not begin with `8=FIX`.
    #[error("bytes before BeginString (8)")]
    BeginString,
    /// The second field is not a BodyLength of digits.
    #[error("BodyLength (9) is not the second field, or not a number")]
    BodyLength,
    /// The message would be longer than allowed: a reason to disconnect.
    #[error("message longer than the session's max_message")]
    TooLong,
    /// The third field is not a MsgType.
    #[error("MsgType (35) is not the third field")]
    MsgType,
    /// No `10=nnn` where BodyLength says the body ends.
    #[error("no CheckSum (10) where BodyLength (9) puts it")]
    Trailer,
    /// The sum of the bytes is another.
    #[error("CheckSum (10) does not match")]
    CheckSum,
}

const PREFIX: &[u8; 5] = b"8=FIX";
/// `8=`, at most 14 bytes of version, SOH.
const BEGIN_MAX: usize = 17;
/// BodyLength may be padded with zeros (Binance sends seven digits).
const LENGTH_DIGITS_MAX: usize = 16;
/// `10=nnn` and SOH.
const TRAILER: usize = 7;

/// Looks for one message at the start of `bytes`, no longer than `max`.
///
/// ```
/// use gateway::fix::{Frame, frame};
/// let heartbeat = b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01";
/// assert_eq!(frame(heartbeat, 4096), Frame::Complete { len: 26, body: 14 });
/// assert_eq!(frame(&heartbeat[..20], 4096), Frame::Incomplete);
/// ```
#[must_use]
pub fn frame(bytes: &[u8], max: usize) -> Frame {
    match measure(bytes, max) {
        Ok(Some((len, body))) => Frame::Complete { len, body },
        Ok(None) => Frame::Incomplete,
        Err(Unreadable { reason, past }) => Frame::Garbled { skip: resync(bytes, past), reason },
    }
}

/// Why bytes are no message, and how many of them at least are spoilt.
struct Unreadable {
    reason: Garble,
    past: usize,
}

impl From<Garble> for Unreadable {
    fn from(reason: Garble) -> Unreadable {
        Unreadable { reason, past: 0 }
    }
}

/// Length and start of the body; `None` while they cannot be known.
fn measure(bytes: &[u8], max: usize) -> Result<Option<(usize, usize)>, Unreadable> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let head = match usual_head(bytes) {
        None => head(bytes)?,
        usual => usual,
    };
    let Some((body_length, body)) = head else { return Ok(None) };
    let trailer = match usize::try_from(body_length).ok().and_then(|len| body.checked_add(len)) {
        Some(trailer) if trailer.saturating_add(TRAILER) <= max => trailer,
        _ => return Err(Garble::TooLong.into()),
    };
    let begins = match bytes[body..] {
        [a, b, c, ..] => [a, b, c] == *b"35=",
        ref third => *third == b"35="[..third.len()],
    };
    if !begins || body_length < 5 {
        return Err(Garble::MsgType.into());
    }
    let Some(tail) = bytes.get(trailer..trailer + TRAILER) else { return Ok(None) };
    // BodyLength is believed, right or wrong: what it spans is of the garbled message.
    let spoilt = |reason| Unreadable { reason, past: trailer };
    let [b'1', b'0', b'=', a, b, c, SOH] = *tail else { return Err(spoilt(Garble::Trailer)) };
    if bytes[trailer - 1] != SOH || [a, b, c].iter().any(|digit| !digit.is_ascii_digit()) {
        return Err(spoilt(Garble::Trailer));
    }
    let told = u32::from(a - b'0') * 100 + u32::from(b - b'0') * 10 + u32::from(c - b'0');
    if told != u32::from(check_sum(&bytes[..trailer])) {
        return Err(spoilt(Garble::CheckSum));
    }
    Ok(Some((trailer + TRAILER, body)))
}

/// BodyLength, and where the body begins, of a head as nearly all are: whole, and with a length of
/// no more digits than a word holds. What is none is left to [`head`].
#[inline]
fn usual_head(bytes: &[u8]) -> Option<(u64, usize)> {
    if bytes.first_chunk()? != PREFIX {
        return None;
    }
    let begin = words::find(bytes.get(..BEGIN_MAX)?, SOH, PREFIX.len())?;
    let [b'9', b'=', ..] = *bytes.get(begin + 1..)? else { return None };
    let start = begin + 3;
    let end = words::find(bytes.get(..start + WORD)?, SOH, start)?;
    Some((words::integer(&bytes[start..end])?, end + 1))
}

/// The same of any head; `None` while it is not whole.
fn head(bytes: &[u8]) -> Result<Option<(u64, usize)>, Garble> {
    let shared = bytes.len().min(PREFIX.len());
    if bytes[..shared] != PREFIX[..shared] {
        return Err(Garble::BeginString);
    }
    let Some(begin) = bytes.iter().take(BEGIN_MAX).position(|&byte| byte == SOH) else {
        return if bytes.len() >= BEGIN_MAX { Err(Garble::BeginString) } else { Ok(None) };
    };
    let length = body_length(&bytes[begin + 1..])?;
    Ok(length.map(|(value, end)| (value, begin + 1 + end)))
}

/// Value of the BodyLength field at the start of `bytes`, and the offset after its SOH.
fn body_length(bytes: &[u8]) -> Result<Option<(u64, usize)>, Garble> {
    let shared = bytes.len().min(2);
    if bytes[..shared] != b"9="[..shared] {
        return Err(Garble::BodyLength);
    }
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().skip(2).take(LENGTH_DIGITS_MAX + 1).enumerate() {
        match byte {
            SOH if i > 0 => return Ok(Some((value, i + 3))),
            b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
            _ => return Err(Garble::BodyLength),
        }
    }
    if bytes.len() > LENGTH_DIGITS_MAX + 2 { Err(Garble::BodyLength) } else { Ok(None) }
}

/// Gives a whole frame of which values were overwritten the CheckSum (10) of its bytes.
pub(crate) fn seal(frame: &mut [u8]) {
    let Some((rest, [b'1', b'0', b'=', a, b, c, SOH])) = frame.split_last_chunk_mut() else {
        return;
    };
    let sum = check_sum(rest);
    [*a, *b, *c] = [sum / 100, sum / 10 % 10, sum % 10].map(|digit| b'0' + digit);
}

/// Bytes that are summed at once.
pub(super) const BLOCK: usize = 32;

/// Sum of all bytes modulo 256 (CheckSum, tag 10).
#[inline]
#[must_use]
pub(super) fn check_sum(bytes: &[u8]) -> u8 {
    // Whole blocks go side by side; what is left, at least a word of it, by words.
    let (blocks, rest) = bytes.split_at(bytes.len().saturating_sub(WORD) / BLOCK * BLOCK);
    sum_of_blocks(blocks.as_chunks().0).wrapping_add(words::sum(rest))
}

/// The same of whole blocks.
#[inline]
#[must_use]
pub(super) fn sum_of_blocks(blocks: &[[u8; BLOCK]]) -> u8 {
    blocks.as_flattened().iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte))
}

/// Offset of the next place where a message may begin, at least one and `past`; what may be the
/// start of a prefix at the very end is kept.
fn resync(bytes: &[u8], past: usize) -> usize {
    (past.max(1)..bytes.len())
        .find(|&at| {
            let rest = &bytes[at..];
            let shared = rest.len().min(PREFIX.len());
            rest[..shared] == PREFIX[..shared]
        })
        .unwrap_or(bytes.len())
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
