//! Logout: how a session ends, by our wish, by the peer's, or over a fault.

use super::header::Header;
use super::store::Store;
use super::{Disconnect, FrameKind, Io, Outbound, Session, State, Taken};
use crate::fix::Message;
use crate::fix::tags::{self, msg};
use market::Timestamp;

impl<S: Store> Session<S> {
    /// Sends a Logout; the peer's answer, or `logout_timeout`, ends the connection.
    ///
    /// # Errors
    /// [`Disconnect`] at once when there was no Logon yet, or the Logout could not be sent.
    pub fn logout(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
        text: &str,
    ) -> Result<(), Disconnect> {
        match self.state {
            State::Up => match self.emit_logout(now, out, text) {
                Ok(()) => {
                    self.state = State::LogoutSent;
                    self.deadline = now.after(self.config.logout_timeout);
                    Ok(())
                }
                Err(why) => Err(self.close(why)),
            },
            State::LogonSent | State::LogonAwaited => Err(self.close(Disconnect::LoggedOut)),
            State::Disconnected | State::LogoutSent | State::Closing => Ok(()),
        }
    }

    fn emit_logout(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
        text: &str,
    ) -> Result<(), Disconnect> {
        self.emit(now, out, FrameKind::Session, msg::LOGOUT, |encoder| {
            if !text.is_empty() {
                encoder.bytes(tags::TEXT, text.as_bytes());
            }
        })?;
        Ok(())
    }

    /// The peer's Logout, and the end, whatever its number. Unless it is the awaited one its number
    /// is not used up: what is missing is asked for at the next logon.
    pub(super) fn on_logout(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        message: &Message<'_>,
    ) -> Disconnect {
        self.keep_text(message.get(tags::TEXT));
        if seq == self.store.next_incoming()
            && let Err(error) = self.record_incoming(seq, message)
        {
            return Disconnect::Store(error);
        }
        self.answer_logout(io.now, io.out)
    }

    /// Answers the peer's Logout, unless it is the answer to ours.
    pub(super) fn answer_logout(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Disconnect {
        if self.state == State::LogoutSent {
            return self.ending.take().unwrap_or(Disconnect::LoggedOut);
        }
        self.part(now, out, "", Disconnect::PeerLogout)
    }

    /// Logs out because of what the peer did; nothing but its Logout is taken from then on, and the
    /// connection ends with `why`.
    pub(super) fn log_out_over(
        &mut self,
        io: &mut Io<'_>,
        text: &str,
        why: Disconnect,
    ) -> Result<Taken, Disconnect> {
        // A running resend ends here; the Logout may overtake it.
        self.resend = None;
        self.emit_logout(io.now, io.out, text)?;
        self.state = State::LogoutSent;
        self.deadline = io.now.after(self.config.logout_timeout);
        self.ending = Some(why);
        Ok(Taken::Yes)
    }

    /// A message after [`Session::log_out_over`].
    pub(super) fn while_ending(
        &mut self,
        io: &mut Io<'_>,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        match (header.msg_type, header.seq) {
            (msg::LOGOUT, Ok(seq)) if !header.poss_dup => Err(self.on_logout(io, seq, message)),
            _ => Ok(Taken::Yes),
        }
    }

    /// Sends a Logout that says why, and gives back why. Best effort: the connection ends anyway.
    pub(super) fn refuse(&mut self, io: &mut Io<'_>, text: &str, why: Disconnect) -> Disconnect {
        self.part(io.now, io.out, text, why)
    }

    fn part(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
        text: &str,
        why: Disconnect,
    ) -> Disconnect {
        // A running resend ends here; the Logout may overtake it.
        self.resend = None;
        match self.emit_logout(now, out, text) {
            Err(Disconnect::Store(error)) => Disconnect::Store(error),
            _ => why,
        }
    }

    /// Ends the session over a number that was used before.
    pub(super) fn refuse_too_low(&mut self, io: &mut Io<'_>, received: u64) -> Disconnect {
        let expected = self.store.next_incoming();
        let mut text = [0u8; 96];
        let mut rest = &mut text[..];
        // Two numbers and these words always fit.
        let _ = std::io::Write::write_fmt(
            &mut rest,
            format_args!("MsgSeqNum too low, expecting {expected} but received {received}"),
        );
        let left = rest.len();
        let len = text.len() - left;
        let words = std::str::from_utf8(&text[..len]).unwrap_or("MsgSeqNum too low");
        self.refuse(io, words, Disconnect::TooLow { expected, received })
    }
}
