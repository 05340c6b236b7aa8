//! Logon and Logout: how a session begins, begins anew, and ends.

use super::header::Header;
use super::store::Store;
use super::{Disconnect, FrameKind, Io, LogonFacts, Outbound, Reset, Role, Session, State, Taken};
use crate::fix::tags::{self, msg};
use crate::fix::{Fault, Message};
use market::{Nanos, Timestamp};
use std::cmp::Ordering;

impl<S: Store> Session<S> {
    /// The initiator's first message.
    pub(super) fn send_first_logon(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
    ) -> Result<(), Disconnect> {
        let sent = (|| {
            self.reset_sent = self.wants_reset();
            if self.reset_sent {
                self.store.reset(1, 1)?;
            }
            self.emit_logon(now, out, self.reset_sent)
        })();
        sent.map_err(|why| self.close(why))?;
        self.state = State::LogonSent;
        Ok(())
    }

    fn wants_reset(&self) -> bool {
        match self.config.reset_on_logon {
            Reset::Never => false,
            Reset::WhenNew => self.store.is_new(),
            Reset::Always => true,
        }
    }

    fn emit_logon(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
        reset: bool,
    ) -> Result<(), Disconnect> {
        let seconds = self.heartbeat.get() / Nanos::SECOND.get();
        let seq = self.store.next_outgoing();
        let config = &self.config;
        let (sender, target) = (config.sender.clone(), config.target.clone());
        let begin_string = config.begin_string.clone();
        let mut body = self.logon_body.take().filter(|_| config.role == Role::Initiator);
        let sent = self.emit(now, out, FrameKind::Session, msg::LOGON, |encoder| {
            encoder.u64(tags::ENCRYPT_METHOD, 0);
            encoder.u64(tags::HEART_BT_INT, seconds);
            if reset {
                encoder.flag(tags::RESET_SEQ_NUM_FLAG, true);
            }
            if let Some(body) = &mut body {
                let (sending_time, len) = encoder.time_text(now);
                let facts = LogonFacts {
                    now,
                    seq,
                    sending_time: &sending_time[..len],
                    sender: sender.as_bytes(),
                    target: target.as_bytes(),
                    begin_string: begin_string.as_bytes(),
                    heartbeat_s: seconds,
                    reset,
                };
                body.write(&facts, encoder);
            }
        });
        self.logon_body = body;
        sent?;
        Ok(())
    }

    /// The first message of a connection: it must be the peer's Logon.
    pub(super) fn on_first(
        &mut self,
        io: &mut Io<'_>,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        if !self.is_ours(header) {
            // To a stranger not even our name is told.
            return Err(Disconnect::Identity);
        }
        let seq = header.seq.map_err(|_| Disconnect::NoSequence)?;
        match header.msg_type {
            msg::LOGON => {}
            msg::LOGOUT | msg::REJECT if self.state == State::LogonSent => {
                self.keep_text(message.get(tags::TEXT));
                if seq == self.store.next_incoming() {
                    self.store.record_incoming(seq, message.bytes())?;
                }
                return Err(Disconnect::Refused);
            }
            _ => return Err(Disconnect::NotLogon),
        }
        if let Err(why) = self.check_time(io.now, header) {
            let text = why.code.text();
            return Err(self.refuse(io, text, Disconnect::SendingTime));
        }
        let (seconds, reset) = match logon_fields(header, message) {
            Ok(fields) => fields,
            Err(fault) => {
                let text = fault.code.text();
                return Err(self.refuse(io, text, Disconnect::BadLogon));
            }
        };
        match self.config.role {
            Role::Acceptor => self.on_logon_as_acceptor(io, seq, seconds, reset, header, message),
            Role::Initiator => self.on_logon_as_initiator(io, seq, reset, header, message),
        }
    }

    fn on_logon_as_acceptor(
        &mut self,
        io: &mut Io<'_>,
        mut seq: u64,
        seconds: u64,
        peer_resets: bool,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        if peer_resets && seq != 1 {
            let text = "MsgSeqNum must be 1 in a Logon with ResetSeqNumFlag";
            return Err(self.refuse(io, text, Disconnect::BadLogon));
        }
        // A new acceptor whose peer also begins at 1 has nothing to reset.
        let we_reset = match self.config.reset_on_logon {
            Reset::WhenNew => self.wants_reset() && seq != 1,
            _ => self.wants_reset(),
        };
        if peer_resets || we_reset {
            self.store.reset(1, 1)?;
            // With the flag from either side, the two Logons are number 1 of both sides.
            seq = 1;
        }
        let order = self.logon_order(io, seq, header)?;
        if order == Ordering::Equal {
            self.store.record_incoming(seq, message.bytes())?;
        }
        self.heartbeat = Nanos::from_secs(seconds);
        self.emit_logon(io.now, io.out, peer_resets || we_reset)?;
        self.logged_on(io, seq, order)
    }

    fn on_logon_as_initiator(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        peer_resets: bool,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        if peer_resets && seq != 1 {
            let text = "MsgSeqNum must be 1 in a Logon with ResetSeqNumFlag";
            return Err(self.refuse(io, text, Disconnect::BadLogon));
        }
        if peer_resets && !self.reset_sent {
            // The venue begins anew: our Logon, whatever its number, was number 1.
            self.store.reset(2, 1)?;
        }
        let order = self.logon_order(io, seq, header)?;
        if order == Ordering::Equal {
            self.store.record_incoming(seq, message.bytes())?;
        }
        self.logged_on(io, seq, order)
    }

    /// How the Logon's number stands to the one awaited; too low ends the session.
    fn logon_order(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
    ) -> Result<Ordering, Disconnect> {
        let order = seq.cmp(&self.store.next_incoming());
        if order == Ordering::Less {
            // A Logon is never a duplicate of use, whatever PossDupFlag says.
            return Err(self.refuse_too_low(io, header.seq.unwrap_or(seq)));
        }
        Ok(order)
    }

    fn logged_on(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        order: Ordering,
    ) -> Result<Taken, Disconnect> {
        self.state = State::Up;
        self.last_received = io.now;
        self.counters.received += u64::from(order == Ordering::Equal);
        if order == Ordering::Greater {
            self.ask_for_missing(io, seq)?;
        }
        self.announce(io);
        Ok(Taken::Yes)
    }

    /// A Logon on a session that is up: with ResetSeqNumFlag both sides begin anew.
    pub(super) fn on_reset_logon(
        &mut self,
        io: &mut Io<'_>,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        if header.seq != Ok(1) {
            let text = "MsgSeqNum must be 1 in a Logon with ResetSeqNumFlag";
            return Err(self.refuse(io, text, Disconnect::BadLogon));
        }
        self.store.reset(1, 1)?;
        (self.gap, self.resend) = (None, None);
        self.store.record_incoming(1, message.bytes())?;
        self.counters.received += 1;
        self.emit_logon(io.now, io.out, true)?;
        self.announce(io);
        Ok(Taken::Yes)
    }

    /// The peer's Logout, in sequence or ahead of it. Ahead of it, its number is not used up: what
    /// is missing is asked for at the next logon.
    pub(super) fn on_logout(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        message: &Message<'_>,
    ) -> Disconnect {
        self.keep_text(message.get(tags::TEXT));
        if seq == self.store.next_incoming()
            && let Err(error) = self.store.record_incoming(seq, message.bytes())
        {
            return Disconnect::Store(error);
        }
        if self.state == State::LogoutSent {
            return Disconnect::LoggedOut;
        }
        self.refuse(io, "", Disconnect::PeerLogout)
    }

    /// Sends a Logout that says why, and gives back why. Best effort: the connection ends anyway.
    pub(super) fn refuse(&mut self, io: &mut Io<'_>, text: &str, why: Disconnect) -> Disconnect {
        // A running resend ends here; the Logout may overtake it.
        self.resend = None;
        match self.emit_logout(io.now, io.out, text) {
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

/// HeartBtInt and ResetSeqNumFlag of a Logon whose other fields are in order.
fn logon_fields(header: &Header<'_>, message: &Message<'_>) -> Result<(u64, bool), Fault> {
    if let Some(fault) = header.fault.or(message.fault()) {
        return Err(fault);
    }
    if message.u64(tags::ENCRYPT_METHOD)? != 0 {
        return Err(Fault::new(crate::fix::RejectCode::ValueIncorrect, tags::ENCRYPT_METHOD));
    }
    let seconds = message.u64(tags::HEART_BT_INT)?;
    Ok((seconds, message.flag(tags::RESET_SEQ_NUM_FLAG)?))
}
