//! Lines of recorders of raw frames: cryptofeed's `<seconds>: <frame>`, and around them what it sent,
//! when it connected, and what REST answered; a local time and a frame; a frame alone. Knows nothing of
//! what a frame says.

use crate::digits::{decimal, run};
use market::Timestamp;

/// So much of a frame shows whose it is.
const SIGN: usize = 512;

/// What one line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded<'a> {
    /// `<url> <-> <seconds>`: a connection begins.
    Connected(Timestamp),
    /// `<url> <- <seconds>: <frame>`, or the recorder's configuration: nothing of the venue's.
    Sent,
    /// The venue sent it; at zero, if that is not said.
    Frame(Timestamp, &'a [u8]),
    /// `<url> -> <seconds>: <body>`: the venue answered a request by REST.
    Answer(&'a str, Timestamp, &'a [u8]),
}

/// What a line is; `None` if it is none of the recorder's.
#[must_use]
pub fn line(line: &[u8]) -> Option<Recorded<'_>> {
    if line.starts_with(b"configuration: ") {
        return Some(Recorded::Sent);
    }
    if matches!(line.first(), Some(b'{' | b'[')) {
        return Some(Recorded::Frame(Timestamp::ZERO, line));
    }
    if !line.starts_with(b"wss://") && !line.starts_with(b"http") {
        let (time, frame) = timed(line).or_else(|| stamped(line))?;
        return Some(Recorded::Frame(time, frame));
    }
    let space = memchr::memchr(b' ', line)?;
    let (url, rest) = line.split_at(space);
    if let Some(rest) = rest.strip_prefix(b" <-> ") {
        return Some(Recorded::Connected(seconds(rest)?));
    }
    if rest.starts_with(b" <- ") {
        return Some(Recorded::Sent);
    }
    let (time, body) = timed(rest.strip_prefix(b" -> ")?)?;
    Some(Recorded::Answer(std::str::from_utf8(url).ok()?, time, body))
}

/// True if the first lines of a file are the recorder's, with a host whose name ends like this.
#[must_use]
pub fn is_of(head: &[u8], host: &str) -> bool {
    let lines = head.split(|&byte| byte == b'\n').take(64);
    lines.filter(|text| line(text).is_some()).any(|text| {
        let url =
            [&b"wss://"[..], b"https://"].iter().find_map(|scheme| text.strip_prefix(*scheme));
        let end = |byte: &u8| matches!(byte, b'/' | b' ' | b':');
        url.and_then(|url| url.split(end).next())
            .is_some_and(|name| name.ends_with(host.as_bytes()))
    })
}

/// True if one of the first frames of a file is like this, by its first bytes without white space.
#[must_use]
pub fn has_frame(head: &[u8], like: impl Fn(&[u8]) -> bool) -> bool {
    head.split(|&byte| byte == b'\n').take(64).any(|text| {
        let Some(Recorded::Frame(_, json)) = line(text) else { return false };
        let bytes = json.iter().filter(|byte| !byte.is_ascii_whitespace());
        like(&bytes.take(SIGN).copied().collect::<Vec<u8>>())
    })
}

/// A local time in any unit from seconds to nanoseconds, a space or tab, and a frame.
fn stamped(line: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (time, length) = match line.split_first_chunk::<19>() {
        // Nanoseconds have more digits than are read at once.
        Some((time, _)) if time.iter().all(u8::is_ascii_digit) => {
            (std::str::from_utf8(time).ok()?.parse().ok()?, time.len())
        }
        _ => run(line).filter(|&(_, length)| length >= 10)?,
    };
    let (space, frame) = line[length..].split_first()?;
    matches!(space, b' ' | b'\t').then_some((stamp(time), frame))
}

/// A time in seconds, milliseconds, microseconds or nanoseconds, told by its size.
#[inline]
#[must_use]
pub fn stamp(time: u64) -> Timestamp {
    let unit = match time {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    Timestamp::from_nanos(time.saturating_mul(unit))
}

/// Time and what follows it.
fn timed(text: &[u8]) -> Option<(Timestamp, &[u8])> {
    let at = memchr::memchr(b':', text)?;
    Some((seconds(&text[..at])?, text[at..].strip_prefix(b": ")?))
}

/// Seconds of UTC with a fraction, as Python writes them, and as Kraken stamps levels.
#[must_use]
pub fn seconds(text: &[u8]) -> Option<Timestamp> {
    let nanos = u64::try_from(decimal(text, 9)?).ok()?;
    Some(Timestamp::from_nanos(nanos))
}
