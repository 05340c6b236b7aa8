//! One GET over a fresh link (HTTP/1.1, RFC 9112): a snapshot. It waits, on the thread that makes
//! connections; it follows no redirect, keeps no connection and never takes more than it was told to.

use super::stream::Stream;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::time::Duration;
use wire::Link;

/// Bytes of status line and fields.
const HEAD_MAX: usize = 32 * 1024;
/// Fields.
const FIELDS_MAX: usize = 64;
/// Bytes of a refusal's body that are kept.
const SAID_MAX: usize = 200;

/// Why there is no body.
#[derive(Debug)]
pub enum FetchError {
    /// Another status than 200.
    Status {
        /// Status of HTTP.
        status: u16,
        /// Retry-After, in seconds.
        retry_after: Option<u64>,
        /// The beginning of what it said.
        said: String,
    },
    /// The body is longer than was allowed.
    TooLong,
    /// What came is no answer.
    NoAnswer(&'static str),
    /// The connection ended, or it took too long.
    Io(io::Error),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::Status { status, said, .. } => write!(f, "HTTP {status}: {said}"),
            FetchError::TooLong => f.write_str("the answer is longer than allowed"),
            FetchError::NoAnswer(why) => write!(f, "no answer of HTTP: {why}"),
            FetchError::Io(error) => write!(f, "no answer: {error}"),
        }
    }
}

impl std::error::Error for FetchError {}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        FetchError::Io(error)
    }
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
    UntilClosed,
}

struct Head {
    status: u16,
    retry_after: Option<u64>,
    length: Length,
    /// Bytes of it.
    bytes: usize,
}

/// Gets `path` of `host` over `link`, a body of `body_max` bytes at most; blocks for `timeout` at most.
///
/// # Errors
/// [`FetchError`].
pub fn get(
    link: Link,
    host: &str,
    path: &str,
    timeout: Duration,
    body_max: usize,
) -> Result<Vec<u8>, FetchError> {
    let mut stream = Stream::waiting(link, timeout)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\
         Accept-Encoding: identity\r\nUser-Agent: touchline\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut came = Vec::new();
    let head = loop {
        if let Some(head) = head(&came)? {
            break head;
        }
        if came.len() > HEAD_MAX {
            return Err(FetchError::NoAnswer("its fields do not end"));
        }
        more(&mut stream, &mut came)?;
    };
    came.drain(..head.bytes);
    let body = body(&mut stream, came, head.length, body_max)?;
    if head.status == 200 {
        return Ok(body);
    }
    let said = String::from_utf8_lossy(&body[..body.len().min(SAID_MAX)]).into_owned();
    Err(FetchError::Status { status: head.status, retry_after: head.retry_after, said })
}

/// Reads once; nothing more is an error.
fn more(stream: &mut Stream, into: &mut Vec<u8>) -> Result<(), FetchError> {
    let mut part = [0; 16 * 1024];
    match stream.read(&mut part)? {
        0 => Err(FetchError::NoAnswer("it was cut")),
        len => {
            into.extend_from_slice(&part[..len]);
            Ok(())
        }
    }
}

/// Status and fields, once they are whole.
fn head(came: &[u8]) -> Result<Option<Head>, FetchError> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut answer = httparse::Response::new(&mut fields);
    let parsed = answer.parse(came).map_err(|_| FetchError::NoAnswer("its head is none"))?;
    let httparse::Status::Complete(bytes) = parsed else { return Ok(None) };
    let field = |name: &str| {
        let found = answer.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        found.and_then(|field| std::str::from_utf8(field.value).ok()).map(str::trim)
    };
    let length = match (field("transfer-encoding"), field("content-length")) {
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Length::Chunked,
        (Some(_), _) => {
            return Err(FetchError::NoAnswer("a transfer coding that was not asked for"));
        }
        (None, Some(length)) => {
            let length = length.parse();
            Length::Known(length.map_err(|_| FetchError::NoAnswer("its length is no number"))?)
        }
        (None, None) => Length::UntilClosed,
    };
    let retry_after = field("retry-after").and_then(|value| value.parse().ok());
    Ok(Some(Head { status: answer.code.unwrap_or(0), retry_after, length, bytes }))
}

fn body(
    stream: &mut Stream,
    mut came: Vec<u8>,
    length: Length,
    max: usize,
) -> Result<Vec<u8>, FetchError> {
    match length {
        Length::Known(length) if length > max => Err(FetchError::TooLong),
        Length::Known(length) => {
            while came.len() < length {
                more(stream, &mut came)?;
            }
            came.truncate(length);
            Ok(came)
        }
        Length::Chunked => chunks(stream, came, max),
        Length::UntilClosed => {
            let mut part = [0; 16 * 1024];
            loop {
                if came.len() > max {
                    return Err(FetchError::TooLong);
                }
                match stream.read(&mut part)? {
                    0 => return Ok(came),
                    len => came.extend_from_slice(&part[..len]),
                }
            }
        }
    }
}

fn chunks(stream: &mut Stream, mut came: Vec<u8>, max: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    loop {
        let parsed = httparse::parse_chunk_size(&came);
        let parsed = parsed.map_err(|_| FetchError::NoAnswer("a chunk without a size"))?;
        let httparse::Status::Complete((head, size)) = parsed else {
            if came.len() > HEAD_MAX {
                return Err(FetchError::NoAnswer("a chunk without a size"));
            }
            more(stream, &mut came)?;
            continue;
        };
        // Trailers say nothing that is needed.
        if size == 0 {
            return Ok(body);
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > max.saturating_sub(body.len()) {
            return Err(FetchError::TooLong);
        }
        let end = head + size;
        while came.len() < end + 2 {
            more(stream, &mut came)?;
        }
        body.extend_from_slice(&came[head..end]);
        if &came[end..end + 2] != b"\r\n" {
            return Err(FetchError::NoAnswer("a chunk that is longer than it says"));
        }
        came.drain(..end + 2);
    }
}
