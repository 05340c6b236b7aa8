//! Lines of cryptofeed's recorder of raw frames: `<seconds>: <frame>`, and around them what it sent,
//! when it connected, and what REST answered. Knows nothing of what a frame says.

use crate::digits::decimal;
use market::Timestamp;

/// What one line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded<'a> {
    /// `<url> <-> <seconds>`: a connection begins.
    Connected(Timestamp),
    /// `<url> <- <seconds>: <frame>`, or the recorder's configuration: nothing of the venue's.
    Sent,
    /// `<seconds>: <frame>`: the venue sent it.
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
    if !line.starts_with(b"wss://") && !line.starts_with(b"http") {
        let (time, frame) = timed(line)?;
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
