//! The client's end: logs in, counts the numbered messages, keeps the connection alive and notices
//! when the other end does not.
//!
//! It remembers over connections which message comes next, so that the server fills what was
//! missed. It must never take a message for another, nor wait for a server that has fallen silent.

use super::{BadPacket, Kind, number, session, session_field, split, twenty, write};
use crate::moldudp64::Session;
use market::{Nanos, Timestamp};
use std::fmt;

/// Who logs in. The password is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    username: [u8; 6],
    password: [u8; 10],
}

impl Login {
    /// `None` if one of the two is too long or not printable ASCII; both may be empty.
    #[must_use]
    pub fn new(username: &[u8], password: &[u8]) -> Option<Login> {
        Some(Login { username: padded(username)?, password: padded(password)? })
    }

    /// The login of a packet's first sixteen bytes.
    pub(super) fn from_bytes(bytes: &[u8; 16]) -> Login {
        let username = std::array::from_fn(|i| bytes[i]);
        Login { username, password: std::array::from_fn(|i| bytes[6 + i]) }
    }
}

fn padded<const LENGTH: usize>(text: &[u8]) -> Option<[u8; LENGTH]> {
    let mut field = [b' '; LENGTH];
    let fits = text.len() <= LENGTH && text.iter().all(u8::is_ascii_graphic);
    field.get_mut(..text.len()).filter(|_| fits)?.copy_from_slice(text);
    Some(field)
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.username.escape_ascii())
    }
}

/// What the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// The login is accepted.
    Accepted {
        /// Of which session messages will come.
        session: Session,
        /// The number of the next.
        next: u64,
    },
    /// A numbered message.
    Message(u64, &'a [u8]),
    /// It lives, and has sent all that it has.
    Heartbeat,
    /// No message will follow.
    End,
    /// Text for people, a message without a number, or of an unknown type: counted.
    Other,
}

/// Why a connection is of no more use. Close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// User or password are wrong.
    #[error("the server does not know this user and password")]
    NotAuthorized,
    /// The session is not to be had.
    #[error("the server does not have the session asked for")]
    NoSession,
    /// The login was refused for a reason that the protocol does not have.
    #[error("the login was refused for the reason {}", char::from(*.0).escape_default())]
    Refused(u8),
    /// The bytes are not those of the protocol.
    #[error("{0}")]
    Packet(#[from] BadPacket),
    /// The messages that would come are not those that were asked for.
    #[error("the server goes on at message {given}, not at {asked}")]
    Elsewhere {
        /// The message asked for.
        asked: u64,
        /// The message that would come.
        given: u64,
    },
    /// Nothing came for longer than allowed.
    #[error("the server has fallen silent")]
    Silent,
}

/// What a client has seen, over all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCounters {
    /// Packets.
    pub packets: u64,
    /// Numbered messages.
    pub messages: u64,
    /// Heartbeats of the server.
    pub heartbeats: u64,
    /// Debug packets and messages without a number.
    pub others: u64,
    /// Packets of a type that the protocol does not have: passed over.
    pub unknown: u64,
    /// Logins accepted.
    pub logins: u64,
    /// Logins rejected.
    pub rejected: u64,
    /// Sessions that followed another.
    pub sessions: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no connection, or one of no use.
    Down,
    /// The login is on its way.
    Asking,
    Up,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Client {
    login: Login,
    heartbeat: Nanos,
    silence: Nanos,
    /// The session that `next` counts in, once one is known.
    session: Option<Session>,
    next: u64,
    state: State,
    /// When something came last, and when something was sent.
    heard: Timestamp,
    said: Timestamp,
    counters: ClientCounters,
}

impl Client {
    /// A client that begins at message `next` of `session`, or of the present one. A heartbeat is
    /// sent after `heartbeat` without anything else; a server is dead after `silence`.
    #[must_use]
    pub fn new(
        login: Login,
        (session, next): (Option<Session>, u64),
        heartbeat: Nanos,
        silence: Nanos,
    ) -> Client {
        let (state, counters) = (State::Down, ClientCounters::default());
        let (heard, said) = (Timestamp::ZERO, Timestamp::ZERO);
        Client { login, heartbeat, silence, session, next, state, heard, said, counters }
    }

    /// The session, once one is known.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.session
    }

    /// Number of the next message.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// True once the login is accepted, until the connection is over.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// What was seen.
    #[must_use]
    pub fn counters(&self) -> &ClientCounters {
        &self.counters
    }

    /// Forgets the session: the next login asks for the present one, from message `next` on.
    pub fn begin_anew(&mut self, next: u64) {
        (self.session, self.next) = (None, next);
    }

    /// There is a connection: logs in.
    pub fn connected(&mut self, now: Timestamp, out: &mut Vec<u8>) {
        (self.state, self.heard, self.said) = (State::Asking, now, now);
        let mut payload = [0; 46];
        payload[..6].copy_from_slice(&self.login.username);
        payload[6..16].copy_from_slice(&self.login.password);
        payload[16..26].copy_from_slice(&session_field(self.session));
        payload[26..].copy_from_slice(&twenty(self.next));
        write(Kind::Login, &payload, out);
    }

    /// The connection is over.
    pub fn disconnected(&mut self) {
        self.state = State::Down;
    }

    /// The next packet of `bytes`: its length, and what it says. `None` while it is not whole.
    ///
    /// # Errors
    /// [`Trouble`]: the connection is of no more use.
    #[inline]
    pub fn take<'a>(
        &mut self,
        bytes: &'a [u8],
        now: Timestamp,
    ) -> Result<Option<(usize, Said<'a>)>, Trouble> {
        let Some((kind, payload, length)) = split(bytes)? else { return Ok(None) };
        self.heard = now;
        self.counters.packets += 1;
        if kind == Kind::Sequenced as u8 && self.state == State::Up {
            let sequence = self.next;
            self.next = self.next.saturating_add(1);
            self.counters.messages += 1;
            return Ok(Some((length, Said::Message(sequence, payload))));
        }
        Ok(Some((length, self.rare(kind, payload)?)))
    }

    fn rare(&mut self, byte: u8, payload: &[u8]) -> Result<Said<'static>, Trouble> {
        let said = match (Kind::from_byte(byte), self.state) {
            (Some(Kind::Accepted), State::Asking) => self.accepted(payload)?,
            (Some(Kind::Rejected), State::Asking) => {
                self.counters.rejected += 1;
                let &reason = payload.first().ok_or(BadPacket::Short(byte))?;
                return Err(match reason {
                    b'A' => Trouble::NotAuthorized,
                    b'S' => Trouble::NoSession,
                    other => Trouble::Refused(other),
                });
            }
            (Some(Kind::ServerHeartbeat), _) => {
                self.counters.heartbeats += 1;
                Said::Heartbeat
            }
            (Some(Kind::EndOfSession), State::Up) => Said::End,
            (Some(Kind::Debug | Kind::Unsequenced), _) => {
                self.counters.others += 1;
                Said::Other
            }
            (None, _) => {
                self.counters.unknown += 1;
                Said::Other
            }
            _ => return Err(BadPacket::OutOfPlace(byte).into()),
        };
        Ok(said)
    }

    fn accepted(&mut self, payload: &[u8]) -> Result<Said<'static>, Trouble> {
        let byte = Kind::Accepted as u8;
        let (name, rest) = payload.split_at_checked(10).ok_or(BadPacket::Short(byte))?;
        let field = rest.get(..20).ok_or(BadPacket::Short(byte))?;
        let given = number(field).filter(|&given| given > 0).ok_or(BadPacket::Number(byte))?;
        let session = session(name).flatten().ok_or(BadPacket::Session(byte))?;
        // Another session than the one asked for is of use from its beginning only.
        let is_other = self.session.is_some_and(|own| own != session);
        let asked = if is_other { 1 } else { self.next };
        // Zero asks for the newest, whichever that is.
        if asked != 0 && given != asked {
            return Err(Trouble::Elsewhere { asked, given });
        }
        self.session = Some(session);
        self.counters.sessions += u64::from(is_other);
        (self.state, self.next) = (State::Up, given);
        self.counters.logins += 1;
        Ok(Said::Accepted { session, next: given })
    }

    /// Lets time pass: sends a heartbeat if one is due.
    ///
    /// # Errors
    /// [`Trouble::Silent`].
    #[inline]
    pub fn poll(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), Trouble> {
        if self.state == State::Down {
            return Ok(());
        }
        if now.since(self.heard) >= self.silence {
            return Err(Trouble::Silent);
        }
        if now.since(self.said) >= self.heartbeat {
            self.said = now;
            write(Kind::ClientHeartbeat, &[], out);
        }
        Ok(())
    }

    /// Says that it leaves.
    pub fn leave(&mut self, out: &mut Vec<u8>) {
        if self.state != State::Down {
            write(Kind::Logout, &[], out);
            self.state = State::Down;
        }
    }
}
