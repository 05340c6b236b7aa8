//! What is checked of every message, in which order, and which of them use up a sequence number.

use super::header::{Header, SEQ_MAX};
use super::store::Store;
use super::{Disconnect, FrameKind, Io, Meta, Role, Session, State, Taken, Verdict};
use crate::fix::tags::{self, msg};
use crate::fix::{Fault, Message, RejectCode, time};
use market::Timestamp;
use std::cmp::Ordering;

/// NewSeqNo (36), at least `least`.
fn new_seq_no(message: &Message<'_>, least: u64) -> Result<u64, Fault> {
    match message.u64(tags::NEW_SEQ_NO)? {
        next if (least..SEQ_MAX).contains(&next) => Ok(next),
        _ => Err(Fault::new(RejectCode::ValueIncorrect, 0)),
    }
}

impl<S: Store> Session<S> {
    /// One whole message, in any state that takes messages.
    pub(super) fn on_message(
        &mut self,
        io: &mut Io<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        let header = Header::of(message);
        if matches!(self.state, State::LogonSent | State::LogonAwaited) {
            return self.on_first(io, &header, message);
        }
        self.last_received = io.now;
        self.test_sent = None;
        if self.ending.is_some() {
            return self.while_ending(io, &header, message);
        }
        if header.begin_string != self.config.version.begin_string().as_bytes() {
            return self.log_out_over(io, "Incorrect BeginString", Disconnect::Identity);
        }
        let Ok(seq) = header.seq else {
            return Err(self.refuse(io, "MsgSeqNum missing or unreadable", Disconnect::NoSequence));
        };
        if self.is_of_others(&header) {
            let fault = Fault::new(RejectCode::CompId, 0);
            self.reject(io, seq, &header, fault, message)?;
            return self.log_out_over(io, "", Disconnect::Identity);
        }
        if header.msg_type == msg::LOGON && !header.poss_dup && resets(message) {
            return self.on_reset_logon(io, &header, message);
        }
        if header.msg_type == msg::SEQUENCE_RESET && message.flag(tags::GAP_FILL_FLAG) == Ok(false)
        {
            return self.on_sequence_reset(io, seq, &header, message);
        }
        match seq.cmp(&self.store.next_incoming()) {
            Ordering::Greater => self.on_too_high(io, seq, &header, message),
            Ordering::Less => self.on_too_low(io, seq, &header, message),
            Ordering::Equal => {
                let checked = self.check_message(io.now, &header, message);
                self.on_next(io, seq, &header, message, checked)
            }
        }
    }

    /// A message that was kept ahead of sequence, now that it is the awaited one.
    pub(super) fn on_kept(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        let header = Header::of(message);
        // These were acted upon when they came; only their number is left.
        if matches!(header.msg_type, msg::LOGON | msg::RESEND_REQUEST) {
            self.consume(io, seq, message)?;
            return Ok(Taken::Yes);
        }
        // Its time was judged when it came.
        let checked = self.check_content(&header, message);
        self.on_next(io, seq, &header, message, checked)
    }

    pub(super) fn is_ours(&self, header: &Header<'_>) -> bool {
        header.begin_string == self.config.version.begin_string().as_bytes()
            && header.sender == self.config.target.as_bytes()
            && header.target == self.config.sender.as_bytes()
    }

    /// A CompID that is there and not of this session.
    fn is_of_others(&self, header: &Header<'_>) -> bool {
        let of_others = |told: &[u8], ours: &str| !told.is_empty() && told != ours.as_bytes();
        of_others(header.sender, &self.config.target)
            || of_others(header.target, &self.config.sender)
    }

    /// Everything that can be wrong with a message but its place in the sequence.
    pub(super) fn check_message(
        &mut self,
        now: Timestamp,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<(), Fault> {
        self.check_content(header, message)?;
        self.check_time(now, header)
    }

    /// The same but for the time.
    fn check_content(&self, header: &Header<'_>, message: &Message<'_>) -> Result<(), Fault> {
        if let Some(fault) = message.fault().or(header.fault) {
            return Err(fault);
        }
        for (tag, value) in
            [(tags::SENDER_COMP_ID, header.sender), (tags::TARGET_COMP_ID, header.target)]
        {
            if value.is_empty() {
                return Err(Fault::new(RejectCode::RequiredTagMissing, tag));
            }
        }
        if let Some(dictionary) = &self.dictionary {
            dictionary.check(message, self.config.validation)?;
        }
        Ok(())
    }

    /// Rejects the message; one from another time ends the session. What a venue reports on orders is
    /// a fact, however long it waited: its number is used up, so it would not come again.
    fn refuse_message(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        fault: Fault,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        let late = is_of_time(fault, header, message)
            && self.config.role == Role::Initiator
            && matches!(header.msg_type, msg::EXECUTION_REPORT | msg::ORDER_CANCEL_REJECT);
        if late && !io.app.ready() {
            return Ok(Taken::Busy);
        }
        if late {
            // Before its number is recorded, as ever.
            io.app.message(&Meta::of(io, seq, header), message);
        }
        self.reject(io, seq, header, fault, message)?;
        if !late {
            io.app.refused(message);
        }
        match fault.code {
            RejectCode::SendingTime => self.log_out_over(io, "", Disconnect::SendingTime),
            _ => Ok(Taken::Yes),
        }
    }

    /// SendingTime is there, readable, and near our clock.
    pub(super) fn check_time(&mut self, now: Timestamp, header: &Header<'_>) -> Result<(), Fault> {
        let fault = |code| Fault::new(code, tags::SENDING_TIME);
        let text = header.sending_time.ok_or(fault(RejectCode::RequiredTagMissing))?;
        let sent = self.times.parse(text).ok_or(fault(RejectCode::DataFormat))?;
        let far = now.since(sent).max(sent.since(now));
        match self.config.sending_time_window {
            Some(window) if far > window => Err(Fault::new(RejectCode::SendingTime, 0)),
            _ => Ok(()),
        }
    }

    /// The message that was awaited, and whether it was found in order.
    fn on_next(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        message: &Message<'_>,
        checked: Result<(), Fault>,
    ) -> Result<Taken, Disconnect> {
        self.processing = seq;
        if let Err(fault) = checked {
            return self.refuse_message(io, seq, header, fault, message);
        }
        if header.poss_dup && header.msg_type != msg::SEQUENCE_RESET {
            if let Err(fault) = check_first_sent(header) {
                return self.refuse_message(io, seq, header, fault, message);
            }
            if is_past(header.msg_type) {
                self.consume(io, seq, message)?;
                return Ok(Taken::Yes);
            }
        }
        let done = match header.msg_type {
            msg::HEARTBEAT => Ok(()),
            msg::TEST_REQUEST => self.on_test_request(io, message)?,
            msg::RESEND_REQUEST => self.on_resend_request(io, message)?,
            msg::SEQUENCE_RESET => match self.on_gap_fill(io, seq, message)? {
                Ok(()) => return Ok(Taken::Yes),
                Err(fault) => Err(fault),
            },
            msg::LOGOUT => return Err(self.on_logout(io, seq, message)),
            msg::LOGON => Err(Fault::new(RejectCode::Other, tags::MSG_TYPE)),
            _ => match self.on_application(io, seq, header, message)? {
                Some(verdict) => verdict,
                None => return Ok(Taken::Busy),
            },
        };
        match done {
            Ok(()) => self.consume(io, seq, message)?,
            Err(fault) => self.reject(io, seq, header, fault, message)?,
        }
        Ok(Taken::Yes)
    }

    /// `None` when the application has no room.
    fn on_application(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Option<Result<(), Fault>>, Disconnect> {
        if !is_msg_type(header.msg_type) {
            return Ok(Some(Err(Fault::new(RejectCode::MsgType, 0))));
        }
        if !io.app.ready() {
            return Ok(None);
        }
        if header.msg_type == msg::REJECT {
            self.keep_text(message.get(tags::TEXT));
        }
        Ok(Some(match io.app.message(&Meta::of(io, seq, header), message) {
            Verdict::Taken => Ok(()),
            Verdict::Reject(fault) => Err(fault),
            // A refusal is never answered with one.
            Verdict::Business(_) if header.msg_type == msg::BUSINESS_MESSAGE_REJECT => Ok(()),
            Verdict::Business(reason) => {
                self.business_reject(io, seq, header, reason, message)?;
                Ok(())
            }
        }))
    }

    fn on_test_request(
        &mut self,
        io: &mut Io<'_>,
        message: &Message<'_>,
    ) -> Result<Result<(), Fault>, Disconnect> {
        let id = match message.required(tags::TEST_REQ_ID) {
            Ok(id) => id,
            Err(fault) => return Ok(Err(fault)),
        };
        self.emit(io.now, io.out, FrameKind::Session, msg::HEARTBEAT, |encoder| {
            encoder.bytes(tags::TEST_REQ_ID, id);
        })?;
        Ok(Ok(()))
    }

    pub(super) fn on_resend_request(
        &mut self,
        io: &mut Io<'_>,
        message: &Message<'_>,
    ) -> Result<Result<(), Fault>, Disconnect> {
        let range = message
            .u64(tags::BEGIN_SEQ_NO)
            .and_then(|begin| Ok((begin, message.u64(tags::END_SEQ_NO)?)));
        let (begin, end) = match range {
            Ok(range) => range,
            Err(fault) => return Ok(Err(fault)),
        };
        if begin == 0 || begin >= self.store.next_outgoing() {
            return Ok(Err(Fault::new(RejectCode::ValueIncorrect, tags::BEGIN_SEQ_NO)));
        }
        if end != 0 && end < begin {
            return Ok(Err(Fault::new(RejectCode::ValueIncorrect, tags::END_SEQ_NO)));
        }
        self.count_resend(io, begin, end)?;
        self.start_resend(begin, end, io.out)?;
        self.pump(io.now, io.out)?;
        Ok(Ok(()))
    }

    /// SequenceReset with GapFillFlag=Y, in sequence.
    fn on_gap_fill(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        message: &Message<'_>,
    ) -> Result<Result<(), Fault>, Disconnect> {
        let next = match new_seq_no(message, seq + 1) {
            Ok(next) => next,
            Err(fault) => return Ok(Err(fault)),
        };
        self.record_incoming(seq, message)?;
        if next != seq + 1 {
            self.store.set_next_incoming(next)?;
        }
        // Among what we missed there may have been reports.
        self.passed_over |= self.gap.is_some();
        self.counters.received += 1;
        self.progressed(io);
        Ok(Ok(()))
    }

    /// SequenceReset without GapFillFlag: whatever its own number, NewSeqNo is awaited next.
    fn on_sequence_reset(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        let expected = self.store.next_incoming();
        if let Err(fault) = self.check_message(io.now, header, message) {
            return self.refuse_message(io, seq, header, fault, message);
        }
        match new_seq_no(message, expected) {
            Ok(next) => {
                if next > expected {
                    self.store.set_next_incoming(next)?;
                    // What was skipped will never be told: the application must ask.
                    self.announced = false;
                }
                self.begin_elsewhere();
            }
            // 11c: NextNumIn stays, whatever the number of the message.
            Err(fault) if fault.code == RejectCode::ValueIncorrect => {
                self.say_reject(io, seq, header, fault, message)?;
            }
            // The number of such a message counts only if it happens to be the next one.
            Err(fault) => self.reject(io, seq, header, fault, message)?,
        }
        self.progressed(io);
        Ok(Taken::Yes)
    }

    /// A number that was used before: a duplicate if it says so, else the end.
    fn on_too_low(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        match header.msg_type {
            // The end of the session needs no number, and a peer that asks is helped: it is the
            // one that lost something.
            msg::LOGOUT if !header.poss_dup => return Err(self.on_logout(io, seq, message)),
            msg::RESEND_REQUEST if !header.poss_dup => {
                self.answer_out_of_sequence(io, seq, header, message)?;
                return Ok(Taken::Yes);
            }
            _ if !header.poss_dup => return Err(self.refuse_too_low(io, seq)),
            _ => {}
        }
        self.counters.duplicates += 1;
        if header.msg_type == msg::SEQUENCE_RESET {
            return Ok(Taken::Yes);
        }
        let Err(fault) = check_first_sent(header) else { return Ok(Taken::Yes) };
        self.reject(io, seq, header, fault, message)?;
        match fault.code {
            RejectCode::SendingTime => self.log_out_over(io, "", Disconnect::SendingTime),
            _ => Ok(Taken::Yes),
        }
    }

    /// The message is taken: its number is used up.
    pub(super) fn consume(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        message: &Message<'_>,
    ) -> Result<(), Disconnect> {
        self.record_incoming(seq, message)?;
        self.counters.received += 1;
        self.resets = 0;
        self.progressed(io);
        Ok(())
    }

    /// Tells the application that the session is up and whole: once, and again after numbers that
    /// were skipped.
    pub(super) fn announce(&mut self, io: &mut Io<'_>) {
        if !self.announced && self.gap.is_none() && self.state == State::Up {
            (self.announced, self.told_up) = (true, true);
            io.app.up(io.now);
        }
    }
}

impl Meta {
    /// What the application is told of a message beside its fields.
    fn of(io: &Io<'_>, seq: u64, header: &Header<'_>) -> Meta {
        let (poss_dup, poss_resend) = (header.poss_dup, header.poss_resend);
        Meta { now: io.now, tsc: io.tsc, seq, poss_dup, poss_resend }
    }
}

fn resets(message: &Message<'_>) -> bool {
    message.flag(tags::RESET_SEQ_NUM_FLAG) == Ok(true)
}

/// OrigSendingTime (122) of a message that was sent before: there, readable, and not after
/// SendingTime.
fn check_first_sent(header: &Header<'_>) -> Result<(), Fault> {
    let fault = |code| Fault::new(code, tags::ORIG_SENDING_TIME);
    let first = header.orig_sending_time.ok_or(fault(RejectCode::RequiredTagMissing))?;
    let first = time::parse(first).ok_or(fault(RejectCode::DataFormat))?;
    match header.sending_time.and_then(time::parse) {
        Some(sent) if first > sent => Err(Fault::new(RejectCode::SendingTime, 0)),
        _ => Ok(()),
    }
}

/// The times of the message are wrong, and nothing else that can be seen of it.
fn is_of_time(fault: Fault, header: &Header<'_>, message: &Message<'_>) -> bool {
    let of_time = fault.code == RejectCode::SendingTime || fault.tag == tags::ORIG_SENDING_TIME;
    of_time && message.fault().or(header.fault).is_none()
}

/// A session message that says something of its own moment: sent again, only its number is left.
fn is_past(msg_type: &[u8]) -> bool {
    matches!(
        msg_type,
        msg::HEARTBEAT | msg::TEST_REQUEST | msg::RESEND_REQUEST | msg::LOGOUT | msg::LOGON
    )
}

/// One or two letters or digits are a message type of some version of FIX; user-defined types
/// begin with `U`.
fn is_msg_type(text: &[u8]) -> bool {
    let well_formed = text.iter().all(u8::is_ascii_alphanumeric);
    well_formed && (matches!(text.len(), 1 | 2) || text.starts_with(b"U") && text.len() <= 8)
}
