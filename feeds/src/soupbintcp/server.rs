//! The server's end of one connection: hears a login, numbers nothing itself, and keeps the
//! connection alive.
//!
//! Who may log in, and which messages there are, is its owner's business.

use super::{
    BadPacket, Kind, Login, Trouble, number, session, session_field, split, twenty, write,
};
use crate::moldudp64::Session;
use market::{Nanos, Timestamp};

/// Characters of a login of 3.00; that of 4.00 is longer.
const LOGIN_BYTES: usize = 46;

/// What the client asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To be let in: who, of which session (`None`: the present one), from which message on (zero:
    /// from the newest).
    Login(Login, Option<Session>, u64),
    /// To leave.
    Logout,
    /// Nothing that needs an answer.
    Nothing,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Server {
    heartbeat: Nanos,
    silence: Nanos,
    up: bool,
    heard: Timestamp,
    said: Timestamp,
}

impl Server {
    /// The server of a connection that was made at `now`.
    #[must_use]
    pub fn new(heartbeat: Nanos, silence: Nanos, now: Timestamp) -> Server {
        Server { heartbeat, silence, up: false, heard: now, said: now }
    }

    /// True once the client is let in.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// The next packet of `bytes`: its length, and what it asks. `None` while it is not whole.
    ///
    /// # Errors
    /// [`BadPacket`]: the connection is of no more use.
    pub fn take(
        &mut self,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Option<(usize, Asked)>, BadPacket> {
        let Some((byte, payload, length)) = split(bytes)? else { return Ok(None) };
        self.heard = now;
        let asked = match Kind::from_byte(byte) {
            Some(Kind::Login) if !self.up => login(payload)?,
            Some(Kind::Logout) => Asked::Logout,
            Some(Kind::ClientHeartbeat | Kind::Debug | Kind::Unsequenced) | None => Asked::Nothing,
            Some(_) => return Err(BadPacket::OutOfPlace(byte)),
        };
        Ok(Some((length, asked)))
    }

    /// Lets the client in: messages follow from number `next` on.
    pub fn accept(&mut self, session: Session, next: u64, now: Timestamp, out: &mut Vec<u8>) {
        (self.up, self.said) = (true, now);
        let mut payload = [0; 30];
        payload[..10].copy_from_slice(&session_field(Some(session)));
        payload[10..].copy_from_slice(&twenty(next));
        write(Kind::Accepted, &payload, out);
    }

    /// Turns the client away: `A` for who it is, `S` for the session.
    pub fn reject(&mut self, reason: u8, out: &mut Vec<u8>) {
        write(Kind::Rejected, &[reason], out);
    }

    /// The next numbered message.
    pub fn message(&mut self, message: &[u8], now: Timestamp, out: &mut Vec<u8>) {
        self.said = now;
        write(Kind::Sequenced, message, out);
    }

    /// No message will follow.
    pub fn end(&mut self, now: Timestamp, out: &mut Vec<u8>) {
        self.said = now;
        write(Kind::EndOfSession, &[], out);
    }

    /// Lets time pass: sends a heartbeat if one is due. To be called only when all that there is
    /// was sent.
    ///
    /// # Errors
    /// [`Trouble::Silent`]: the client is gone.
    pub fn poll(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), Trouble> {
        if now.since(self.heard) >= self.silence {
            return Err(Trouble::Silent);
        }
        if self.up && now.since(self.said) >= self.heartbeat {
            self.said = now;
            write(Kind::ServerHeartbeat, &[], out);
        }
        Ok(())
    }
}

fn login(payload: &[u8]) -> Result<Asked, BadPacket> {
    let byte = Kind::Login as u8;
    let payload = payload.get(..LOGIN_BYTES).ok_or(BadPacket::Short(byte))?;
    let (who, rest) = payload.split_first_chunk::<16>().ok_or(BadPacket::Short(byte))?;
    let (name, from) = rest.split_at_checked(10).ok_or(BadPacket::Short(byte))?;
    let session = session(name).ok_or(BadPacket::Session(byte))?;
    let from = number(from).ok_or(BadPacket::Number(byte))?;
    Ok(Asked::Login(Login::from_bytes(who), session, from))
}
