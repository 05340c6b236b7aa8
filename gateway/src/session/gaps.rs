//! Missing messages: what came too early is kept, what is missing is asked for, at once or in parts.
//!
//! One ResendRequest is out at a time. It must never ask again for what is on its way; only before a
//! Logout that waits it may, once: nothing comes later that would show what is missing.

use super::header::Header;
use super::store::Store;
use super::{Disconnect, FrameKind, Io, Role, Session, State, Taken};
use crate::fix::Message;
use crate::fix::tags::{self, msg};
use market::{Nanos, Timestamp};

/// Missing messages that were asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// The number that came too early: the gap is closed when it has been taken.
    pub(super) end: u64,
    /// When a missing message last came.
    pub(super) since: Timestamp,
    /// The last number that was asked for.
    pub(super) asked: u64,
    /// A Logout beyond it, answered when everything before it has been taken.
    pub(super) logout: Option<EarlyLogout>,
}

/// A Logout that came ahead of sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct EarlyLogout {
    seq: u64,
    /// When it is answered at the latest: a venue may keep our orders until the connection ends.
    until: Timestamp,
}

impl Gap {
    /// When what is missing is waited for no longer. Before a Logout nothing that comes puts it off.
    pub(super) fn due(&self, patience: Nanos) -> Timestamp {
        self.logout.map_or(self.since.after(patience), |logout| logout.until)
    }
}

impl<S: Store> Session<S> {
    /// Ahead of sequence: ask for what is missing, keep this one if there is room.
    pub(super) fn on_too_high(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        self.counters.too_high += 1;
        match header.msg_type {
            // What is sent again is of another moment.
            _ if header.poss_dup => {}
            msg::LOGOUT if self.stays_for_the_rest() => {
                return self.on_early_logout(io, seq, header, message);
            }
            msg::LOGOUT => return Err(self.on_logout(io, seq, message)),
            // Answered first, or two sides that miss messages of each other would wait forever.
            msg::RESEND_REQUEST => self.answer_out_of_sequence(io, seq, header, message)?,
            _ => {}
        }
        self.keep_ahead(io, seq, header, message);
        self.ask_for_missing(io, seq)?;
        Ok(Taken::Yes)
    }

    /// Keeps a message until its turn, if its time is right: that is judged when it comes. Another
    /// comes again with the resend, or is missing behind it: then it is asked for when the next one
    /// comes too early, or before a Logout that waits.
    fn keep_ahead(&mut self, io: &Io<'_>, seq: u64, header: &Header<'_>, message: &Message<'_>) {
        if self.check_time(io.now, header).is_ok() {
            self.ahead.keep(seq, message.bytes());
        }
    }

    /// An initiator takes what it missed before it answers a Logout: reports may be among it. An
    /// acceptor answers at once, as its published test cases do.
    fn stays_for_the_rest(&self) -> bool {
        self.config.role == Role::Initiator && self.state == State::Up
    }

    /// The peer logged out; only what we missed before is still awaited.
    pub(super) fn peer_left(&self) -> bool {
        self.gap.is_some_and(|gap| gap.logout.is_some())
    }

    /// A Logout ahead of sequence: it is answered after what is missing before it, or when that
    /// does not come within `logout_timeout`. The application can send nothing from now on, and
    /// is told so; what is missing is still told.
    fn on_early_logout(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<Taken, Disconnect> {
        self.keep_text(message.get(tags::TEXT));
        self.keep_ahead(io, seq, header, message);
        self.ask_for_missing(io, seq)?;
        if let Some(gap) = &mut self.gap {
            let until = io.now.after(self.config.logout_timeout);
            gap.logout.get_or_insert(EarlyLogout { seq, until });
        }
        self.tell_down(io.now, io.app);
        Ok(Taken::Yes)
    }

    /// A ResendRequest under a number that is not the awaited one.
    pub(super) fn answer_out_of_sequence(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        message: &Message<'_>,
    ) -> Result<(), Disconnect> {
        let done = match message.fault() {
            Some(fault) => Err(fault),
            None => self.on_resend_request(io, message)?,
        };
        match done {
            Ok(()) => Ok(()),
            Err(fault) => self.reject(io, seq, header, fault, message),
        }
    }

    /// Asks for everything from the awaited number on, once, or for the first part of it.
    pub(super) fn ask_for_missing(&mut self, io: &mut Io<'_>, seen: u64) -> Result<(), Disconnect> {
        if let Some(gap) = &mut self.gap {
            // All there is was asked for at once; parts go on to the last number seen.
            if self.config.chunk.is_some() {
                gap.end = gap.end.max(seen);
            }
            return Ok(());
        }
        self.ask(io, seen)
    }

    /// Sends a ResendRequest for what is missing before `seen`.
    fn ask(&mut self, io: &mut Io<'_>, seen: u64) -> Result<(), Disconnect> {
        let begin = self.store.next_incoming();
        let before = (seen - 1).max(begin);
        let last = self.config.chunk.map(|most| (begin + u64::from(most) - 1).min(before));
        self.await_missing(io, seen, last.unwrap_or(u64::MAX));
        self.emit(io.now, io.out, FrameKind::Session, msg::RESEND_REQUEST, |encoder| {
            encoder.u64(tags::BEGIN_SEQ_NO, begin);
            encoder.u64(tags::END_SEQ_NO, last.unwrap_or(0));
        })?;
        Ok(())
    }

    /// Everything before `seen` is missing, and asked for up to `asked`.
    pub(super) fn await_missing(&mut self, io: &Io<'_>, seen: u64, asked: u64) {
        let logout = self.gap.and_then(|gap| gap.logout);
        self.gap = Some(Gap { end: seen, since: io.now, asked, logout });
    }

    /// Takes the next message if it came before, ahead of sequence.
    pub(super) fn take_kept(&mut self, io: &mut Io<'_>) -> Result<Option<Taken>, Disconnect> {
        if self.ahead.is_empty() || self.ending.is_some() {
            return Ok(None);
        }
        let next = self.store.next_incoming();
        self.ahead.forget_below(next);
        let ahead = std::mem::take(&mut self.ahead);
        let mut index = std::mem::take(&mut self.index);
        let taken = ahead.get(next).map(|frame| self.on_kept(io, next, &index.parse(frame)));
        self.index = index;
        self.ahead = ahead;
        taken.transpose()
    }

    /// Numbers go on at another place: nothing of before is missing any more, and what was kept has
    /// a number of before. A Logout that waited is answered.
    pub(super) fn begin_elsewhere(&mut self) {
        // What was kept or missing will never be told either.
        self.announced &= self.gap.is_none() && self.ahead.is_empty();
        self.ahead.clear();
        self.passed_over = false;
        self.gap = self.gap.filter(|gap| gap.logout.is_some());
        if let Some(gap) = &mut self.gap {
            gap.logout = gap.logout.map(|logout| EarlyLogout { seq: 0, ..logout });
        }
    }

    /// A missing message came: perhaps the last one.
    pub(super) fn progressed(&mut self, io: &mut Io<'_>) {
        if let Some(gap) = &mut self.gap {
            gap.since = io.now;
            if self.store.next_incoming() > gap.end && gap.logout.is_none() {
                self.gap = None;
                let passed_over = std::mem::take(&mut self.passed_over);
                if passed_over && self.announced && self.config.role == Role::Initiator {
                    io.app.passed_over(io.now);
                }
            }
        }
        self.announce(io);
    }

    /// Asks for the next part of what is missing, once the last has come; answers a Logout, once
    /// there is nothing before it. What is missing between a closed gap and the Logout is a gap of
    /// its own: the first request need not have reached so far.
    pub(super) fn ask_on(&mut self, io: &mut Io<'_>) -> Result<(), Disconnect> {
        let next = self.store.next_incoming();
        match self.gap {
            Some(Gap { logout: Some(logout), .. }) if next >= logout.seq => {
                Err(self.answer_logout(io.now, io.out))
            }
            Some(Gap { end, logout: Some(logout), .. }) if next > end => self.ask(io, logout.seq),
            Some(gap) if next > gap.asked => self.ask(io, gap.end),
            _ => Ok(()),
        }
    }
}
