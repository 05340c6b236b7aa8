//! SoupBinTCP: numbered messages over TCP, with a login that says from which one on.
//!
//! This file knows the bytes of one packet; [`Client`] and [`Server`] are the two ends of a
//! connection, state machines that are given the bytes and the time. Nothing here owns a socket,
//! and nothing is allocated by a length that a packet states. Source: NASDAQ "SoupBinTCP"
//! specification, versions 3.00 and 4.00. Our logins are those of 3.00; the longer one of 4.00,
//! which also names a heartbeat time-out, is understood.
//!
//! A packet is a length (u16, big-endian, of all that follows it), a type and a payload. Numbers
//! are ASCII digits, right-justified; session names stand to the right as well, all other texts to
//! the left.

pub mod client;
mod server;

pub use client::{Client, ClientCounters, Login, Said, Trouble};
pub use server::{Asked, Server};

use crate::moldudp64::Session;

/// Longest payload: the length counts the type too, and has 16 bits.
pub const PAYLOAD_MAX: usize = u16::MAX as usize - 1;
/// Bytes before a payload.
pub const HEADER_BYTES: usize = 3;
/// Longest packet, its length included: a buffer of so many bytes takes every one.
pub const PACKET_MAX: usize = HEADER_BYTES + PAYLOAD_MAX;

/// What a packet is for. Client and server have types of their own; both may send `Debug`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Text for people.
    Debug = b'+',
    /// Server: the login is accepted.
    Accepted = b'A',
    /// Server: it is not.
    Rejected = b'J',
    /// Server: the next numbered message.
    Sequenced = b'S',
    /// Either: a message that has no number.
    Unsequenced = b'U',
    /// Server: it lives.
    ServerHeartbeat = b'H',
    /// Server: no message will follow.
    EndOfSession = b'Z',
    /// Client: who it is, and from which message on.
    Login = b'L',
    /// Client: it lives.
    ClientHeartbeat = b'R',
    /// Client: it leaves.
    Logout = b'O',
}

impl Kind {
    /// The kind of a type byte; `None` for one that the protocol does not have.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Kind> {
        Some(match byte {
            b'+' => Kind::Debug,
            b'A' => Kind::Accepted,
            b'J' => Kind::Rejected,
            b'S' => Kind::Sequenced,
            b'U' => Kind::Unsequenced,
            b'H' => Kind::ServerHeartbeat,
            b'Z' => Kind::EndOfSession,
            b'L' => Kind::Login,
            b'R' => Kind::ClientHeartbeat,
            b'O' => Kind::Logout,
            _ => return None,
        })
    }
}

/// Why bytes are no packet. The stream cannot be followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPacket {
    /// A length of zero has no room for a type.
    #[error("a packet of length zero")]
    NoType,
    /// Its payload is shorter than its type needs.
    #[error("a packet of type {} is too short", char::from(*.0))]
    Short(u8),
    /// A number is none, or passes 64 bits.
    #[error("a packet of type {} has no number where one belongs", char::from(*.0))]
    Number(u8),
    /// A session's name is none.
    #[error("a packet of type {} has no session where one belongs", char::from(*.0))]
    Session(u8),
    /// Of a type that does not belong where it stands.
    #[error("a packet of type {} is out of place", char::from(*.0))]
    OutOfPlace(u8),
}

/// A packet: its type byte, its payload, and how many bytes it takes.
pub type Packet<'a> = (u8, &'a [u8], usize);

/// The packet at the beginning of `bytes`, or `None` while it is not whole.
///
/// # Errors
/// [`BadPacket::NoType`].
#[inline]
pub fn split(bytes: &[u8]) -> Result<Option<Packet<'_>>, BadPacket> {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 {
        return Err(BadPacket::NoType);
    }
    let Some(packet) = rest.get(..length) else { return Ok(None) };
    Ok(packet.split_first().map(|(&kind, payload)| (kind, payload, 2 + length)))
}

/// Appends a packet. What of `payload` is longer than a packet can be is left out: only a message
/// of the caller's own could be.
pub fn write(kind: Kind, payload: &[u8], out: &mut Vec<u8>) {
    let payload = &payload[..payload.len().min(PAYLOAD_MAX)];
    let length = u16::try_from(payload.len() + 1).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.push(kind as u8);
    out.extend_from_slice(payload);
}

/// A number of ASCII digits among spaces; blank is zero, as 3.00 allows.
pub(crate) fn number(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii();
    digits.iter().try_fold(0u64, |sum, &digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// The number as twenty characters, right-justified.
pub(crate) fn twenty(number: u64) -> [u8; 20] {
    let mut field = [b' '; 20];
    let (mut at, mut rest) = (field.len(), number);
    loop {
        at -= 1;
        field[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            return field;
        }
    }
}

/// A session's name of ten characters; `None` within for blanks, which mean the present one.
fn session(field: &[u8]) -> Option<Option<Session>> {
    let name = field.trim_ascii();
    if name.is_empty() {
        return Some(None);
    }
    let name = std::str::from_utf8(name).ok()?;
    Session::new(name).map(Some)
}

/// The name with its blanks on the left.
fn session_field(session: Option<Session>) -> [u8; 10] {
    let mut field = [b' '; 10];
    if let Some(Session(name)) = session {
        let name = name.trim_ascii();
        field[10 - name.len()..].copy_from_slice(name);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_stand_to_the_right() {
        assert_eq!(&twenty(0), b"                   0");
        assert_eq!(&twenty(u64::MAX), b"18446744073709551615");
        assert_eq!(number(b"                  42"), Some(42));
        assert_eq!(number(b"42        "), Some(42), "and wherever the venue puts them");
        assert_eq!(number(b"          "), Some(0));
        for bad in [&b"18446744073709551616"[..], b"4 2", b"-1", b"1a"] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
        let name = Session::new("TL1");
        assert_eq!(&session_field(name), b"       TL1");
        assert_eq!(session(b"       TL1"), Some(name));
        assert_eq!((session(b"          "), session(b"a b       ")), (Some(None), None));
    }

    #[test]
    fn packets_are_cut_where_they_end() {
        let mut out = Vec::new();
        write(Kind::Sequenced, b"abc", &mut out);
        assert_eq!(out, b"\0\x04Sabc");
        assert_eq!(split(&out), Ok(Some((b'S', &b"abc"[..], 6))));
        for cut in 0..out.len() {
            assert_eq!(split(&out[..cut]), Ok(None));
        }
        assert_eq!(split(b"\0\0S"), Err(BadPacket::NoType));
        out.clear();
        write(Kind::Sequenced, &[7; PAYLOAD_MAX], &mut out);
        assert_eq!(split(&out).unwrap().unwrap().2, PACKET_MAX);
    }
}
