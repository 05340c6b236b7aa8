//! Logon: how a session begins, and begins anew.
//!
//! An acceptor cuts a connection whose Logon it does not take without a word: an answer would use up
//! a number of a session that may be somebody else's. It must never take a message before a Logon.

use super::config::HEARTBEAT_MAX;
use super::header::Header;
use super::store::Store;
use super::{Disconnect, FrameKind, Io, LogonFacts, Outbound, Reset, Role, Session, State, Taken};
use crate::fix::tags::{self, msg};
use crate::fix::{Fault, Message, RejectCode};
use market::{Nanos, Timestamp};
use std::cmp::Ordering;
use zeroize::Zeroize as _;

/// Logons with ResetSeqNumFlag in a row that are answered.
const RESETS_MAX: u32 = 3;

/// What a Logon asks for.
#[derive(Clone, Copy)]
struct Asked {
    heartbeat: Nanos,
    reset: bool,
    /// NextExpectedMsgSeqNum, where it was agreed on.
    expects: Option<u64>,
}

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
            // A Logon of ours that the venue never answered began nothing.
            Reset::WhenNew if self.config.role == Role::Initiator => {
                self.store.next_incoming() == 1
            }
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
        let heartbeat_s = self.heartbeat.get() / Nanos::SECOND.get();
        let expected = self.config.next_expected.then(|| self.store.next_incoming());
        let version = self.config.version;
        let (sender, target) = (self.config.sender.clone(), self.config.target.clone());
        let (&sending_time, written) = self.template.sending_time(now);
        let facts = LogonFacts {
            now,
            seq: self.store.next_outgoing(),
            sending_time: &sending_time[..written.len],
            sender: sender.as_bytes(),
            target: target.as_bytes(),
            begin_string: version.begin_string().as_bytes(),
            heartbeat_s,
            reset,
        };
        let mut body = match self.config.role {
            Role::Initiator => self.logon_body.take(),
            Role::Acceptor => None,
        };
        let sent = self.emit(now, out, FrameKind::Session, msg::LOGON, |encoder| {
            encoder.u64(tags::ENCRYPT_METHOD, 0);
            encoder.u64(tags::HEART_BT_INT, heartbeat_s);
            if reset {
                encoder.flag(tags::RESET_SEQ_NUM_FLAG, true);
            }
            if let Some(expected) = expected {
                encoder.u64(tags::NEXT_EXPECTED_MSG_SEQ_NUM, expected);
            }
            if let Some(id) = version.appl_ver_id() {
                encoder.bytes(tags::DEFAULT_APPL_VER_ID, id.as_bytes());
            }
            if let Some(body) = &mut body {
                body.write(&facts, encoder);
            }
        });
        if body.is_some() {
            // It held what only the venue may see.
            self.buffer.zeroize();
        }
        self.logon_body = self.logon_body.take().or(body);
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
                // After a refusal of new numbers, they are asked for again.
                if seq == self.store.next_incoming() && !self.reset_sent {
                    self.record_incoming(seq, message)?;
                }
                return Err(Disconnect::Refused);
            }
            _ => return Err(Disconnect::NotLogon),
        }
        let asked = match self.logon_fields(io.now, header, message) {
            Ok(asked) => asked,
            Err(fault) => {
                let time = fault.code == RejectCode::SendingTime;
                let why = if time { Disconnect::SendingTime } else { Disconnect::BadLogon };
                return Err(self.refuse_logon(io, fault.code.text(), why));
            }
        };
        if asked.reset && seq != 1 {
            let text = "MsgSeqNum must be 1 in a Logon with ResetSeqNumFlag";
            return Err(self.refuse_logon(io, text, Disconnect::BadLogon));
        }
        match self.config.role {
            Role::Acceptor => self.on_logon_as_acceptor(io, seq, asked, header, message),
            Role::Initiator => self.on_logon_as_initiator(io, seq, asked, header, message),
        }
    }

    /// The Logon is not taken. Only an initiator says why.
    fn refuse_logon(&mut self, io: &mut Io<'_>, text: &str, why: Disconnect) -> Disconnect {
        match self.config.role {
            Role::Acceptor => why,
            Role::Initiator => self.refuse(io, text, why),
        }
    }

    fn on_logon_as_acceptor(
        &mut self,
        io: &mut Io<'_>,
        mut seq: u64,
        asked: Asked,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        // A new acceptor whose peer also begins at 1 has nothing to reset.
        let tells = self.config.reset_on_logon == Reset::WhenNew && self.wants_reset() && seq != 1;
        let agreed = self.config.reset_on_logon == Reset::Always;
        if asked.reset || tells || agreed {
            self.store.reset(1, 1)?;
        }
        if tells {
            // With the flag from either side, the two Logons are number 1 of both sides.
            seq = 1;
        }
        let order = self.logon_order(io, seq, header)?;
        let ours = self.store.next_outgoing();
        self.check_expected(io, asked.expects, ours)?;
        if order == Ordering::Equal {
            self.record_incoming(seq, message)?;
        }
        self.heartbeat = asked.heartbeat;
        self.emit_logon(io.now, io.out, asked.reset || tells)?;
        self.logged_on(io, seq, order, asked, message)?;
        self.send_expected(io, asked.expects, ours)
    }

    fn on_logon_as_initiator(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        asked: Asked,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        if asked.reset && !self.reset_sent {
            // The venue begins anew: our Logon, whatever its number, was number 1.
            self.store.reset(2, 1)?;
        }
        let order = self.logon_order(io, seq, header)?;
        let ours = self.store.next_outgoing();
        self.check_expected(io, asked.expects, ours)?;
        if order == Ordering::Equal {
            self.record_incoming(seq, message)?;
        }
        self.logged_on(io, seq, order, asked, message)?;
        self.send_expected(io, asked.expects, ours)
    }

    /// NextExpectedMsgSeqNum must not be beyond the number of our next message.
    fn check_expected(
        &mut self,
        io: &mut Io<'_>,
        expects: Option<u64>,
        ours: u64,
    ) -> Result<(), Disconnect> {
        match expects {
            Some(received) if received > ours => {
                let why = Disconnect::NextExpected { expected: ours, received };
                Err(self.refuse(io, "NextExpectedMsgSeqNum too high", why))
            }
            _ => Ok(()),
        }
    }

    /// Sends what the peer misses, as its Logon says, up to our Logon.
    fn send_expected(
        &mut self,
        io: &mut Io<'_>,
        expects: Option<u64>,
        ours: u64,
    ) -> Result<Taken, Disconnect> {
        if let Some(begin) = expects.filter(|begin| *begin < ours) {
            self.start_resend(begin, 0, io.out)?;
            self.pump(io.now, io.out)?;
        }
        Ok(Taken::Yes)
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
        asked: Asked,
        message: &Message<'_>,
    ) -> Result<(), Disconnect> {
        self.state = State::Up;
        self.last_received = io.now;
        self.counters.received += u64::from(order == Ordering::Equal);
        if order == Ordering::Greater {
            self.ahead.keep(seq, message.bytes());
            match asked.expects {
                // Our Logon said what we miss, to a peer that also says it.
                Some(_) => self.await_missing(io, seq, u64::MAX),
                None => self.ask_for_missing(io, seq)?,
            }
        }
        self.announce(io);
        Ok(())
    }

    /// A Logon on a session that is up: with ResetSeqNumFlag both sides begin anew.
    pub(super) fn on_reset_logon(
        &mut self,
        io: &mut Io<'_>,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        let asked = match self.logon_fields(io.now, header, message) {
            Ok(asked) if header.seq == Ok(1) => asked,
            Ok(_) => {
                let text = "MsgSeqNum must be 1 in a Logon with ResetSeqNumFlag";
                return Err(self.refuse(io, text, Disconnect::BadLogon));
            }
            Err(fault) => return Err(self.refuse(io, fault.code.text(), Disconnect::BadLogon)),
        };
        self.resets += 1;
        if self.resets > RESETS_MAX {
            let text = "numbers begin anew again and again";
            return Err(self.refuse(io, text, Disconnect::ResetLoop));
        }
        self.store.reset(1, 1)?;
        self.forget_gaps();
        // What was on its way is lost: the application must ask.
        self.announced = false;
        self.record_incoming(1, message)?;
        self.counters.received += 1;
        if self.config.role == Role::Acceptor {
            self.heartbeat = asked.heartbeat;
        }
        self.emit_logon(io.now, io.out, true)?;
        self.announce(io);
        Ok(Taken::Yes)
    }

    /// What a Logon asks for, if everything of it is in order.
    fn logon_fields(
        &mut self,
        now: Timestamp,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Asked, Fault> {
        self.check_message(now, header, message)?;
        let wrong = |tag| Fault::new(RejectCode::ValueIncorrect, tag);
        if message.u64(tags::ENCRYPT_METHOD)? != 0 {
            return Err(wrong(tags::ENCRYPT_METHOD));
        }
        let heartbeat = Nanos::from_secs(message.u64(tags::HEART_BT_INT)?);
        if heartbeat > HEARTBEAT_MAX {
            return Err(wrong(tags::HEART_BT_INT));
        }
        if let Some(id) = self.config.version.appl_ver_id()
            && message.required(tags::DEFAULT_APPL_VER_ID)? != id.as_bytes()
        {
            return Err(wrong(tags::DEFAULT_APPL_VER_ID));
        }
        let told = message.get(tags::NEXT_EXPECTED_MSG_SEQ_NUM);
        let expects = match told.filter(|_| self.config.next_expected) {
            Some(_) => match message.u64(tags::NEXT_EXPECTED_MSG_SEQ_NUM)? {
                0 => return Err(wrong(tags::NEXT_EXPECTED_MSG_SEQ_NUM)),
                next => Some(next),
            },
            None => None,
        };
        let reset = message.flag(tags::RESET_SEQ_NUM_FLAG)?;
        Ok(Asked { heartbeat, reset, expects })
    }
}
