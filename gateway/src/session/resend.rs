//! Answering a ResendRequest: a cursor over the store that moves a bounded step at a time.
//!
//! While the cursor lives, new frames are recorded and wait their turn: first the numbers asked
//! for (with PossDupFlag, or gap-filled), then, verbatim, what was recorded meanwhile. Nothing
//! overtakes, and nothing is sent that the store does not hold.

use super::store::Store;
use super::{Counters, Disconnect, FrameKind, Io, Resend, Session};
use crate::fix::tags::{self, msg};
use crate::fix::{EncodeError, Encoder, FieldIndex, Template};
use market::Timestamp;
use std::ops::ControlFlow;

/// Numbers looked at in one step.
const STEP: u64 = 64;
/// How often a connection may ask for every number we ever used, and for how many at least: more
/// is a loop.
const TIMES: u64 = 16;
const NUMBERS: u64 = 4_096;
/// Room kept for a gap fill, and for what a repeated message is longer by.
const SLACK: usize = 512;

/// How far a resend has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The next number to look at.
    next: u64,
    /// The last number asked for that was ever sent.
    end: u64,
    /// The first number not yet answered: `fill_from..next` is waiting to be gap-filled.
    fill_from: u64,
    /// The first number never sent.
    unsent: u64,
    /// Application messages may be sent again, as far as the session does that at all.
    fits: bool,
}

impl Cursor {
    /// Frames that wait behind the resend, before the number `next`.
    pub(super) fn unsent(self, next: u64) -> u64 {
        next.saturating_sub(self.unsent)
    }

    /// Numbers asked for and not yet answered.
    fn left(self) -> u64 {
        (self.end + 1).saturating_sub(self.fill_from)
    }
}

/// What a repeated frame is made with.
struct Repeater<'a> {
    buffer: &'a mut [u8],
    template: &'a mut Template,
    index: &'a mut FieldIndex,
    /// What the template adds to every header.
    constant: &'a [(u32, String)],
    now: Timestamp,
}

impl<S: Store> Session<S> {
    /// Counts what a ResendRequest asks for, from `begin` to `end` or to the last (0), and what a
    /// running resend goes back for; one that asks forever is logged out.
    pub(super) fn count_resend(
        &mut self,
        io: &mut Io<'_>,
        begin: u64,
        end: u64,
    ) -> Result<(), Disconnect> {
        let used = self.store.next_outgoing() - 1;
        let last = if end == 0 { used } else { end.min(used) };
        let before = self.resend.map_or(0, Cursor::left);
        let more = self.with_request(begin, end).left().saturating_sub(before);
        let count = (last + 1).saturating_sub(begin).max(more);
        self.resends_asked = self.resends_asked.saturating_add(count);
        if self.resends_asked > used.saturating_mul(TIMES).saturating_add(NUMBERS) {
            let text = "more resends asked for than can be needed";
            return Err(self.refuse(io, text, Disconnect::ResendLoop));
        }
        Ok(())
    }

    /// Begins at `begin`, or earlier if an earlier request is not answered yet; what the store
    /// holds unsent stays in line.
    pub(super) fn start_resend(
        &mut self,
        begin: u64,
        end: u64,
        out: &mut dyn super::Outbound,
    ) -> Result<(), Disconnect> {
        let mut cursor = self.with_request(begin, end);
        if let Some(most) = out.repeats() {
            cursor.fits = self.plan(cursor, most, out)?;
        }
        self.resend = Some(cursor);
        Ok(())
    }

    /// Whether what a cursor would send again is no more than may be. It goes whole or not at all: a
    /// new order without the cancel behind it would stay, and one that waited would hold back cancels.
    fn plan(
        &mut self,
        cursor: Cursor,
        most: u32,
        out: &mut dyn super::Outbound,
    ) -> Result<bool, Disconnect> {
        if cursor.left() == 0 {
            return Ok(true);
        }
        let (mut messages, mut rejects) = (0_u32, 0_u32);
        self.store.outgoing(cursor.fill_from, cursor.end, &mut |_, kind, _| {
            match kind {
                FrameKind::Session => {}
                FrameKind::Reject => rejects += 1,
                FrameKind::Application => messages += 1,
            }
            ControlFlow::Continue(())
        })?;
        let fits = self.config.resend == Resend::Everything && messages <= most;
        out.repeated(rejects + if fits { messages } else { 0 });
        Ok(fits)
    }

    /// A cursor over this request and whatever is left of the one before. What lies between them is
    /// repeated too: that harms nobody, and a hole would.
    fn with_request(&self, begin: u64, end: u64) -> Cursor {
        let unsent = self.resend.map_or(self.store.next_outgoing(), |cursor| cursor.unsent);
        let end = if end == 0 { u64::MAX } else { end };
        let end = end.min(unsent.saturating_sub(1));
        let asked = Cursor { next: begin, end, fill_from: begin, unsent, fits: true };
        match self.resend.filter(|cursor| cursor.left() > 0) {
            Some(cursor) if asked.left() > 0 => {
                let begin = begin.min(cursor.fill_from);
                Cursor { next: begin, end: end.max(cursor.end), fill_from: begin, ..asked }
            }
            left => left.unwrap_or(asked),
        }
    }

    /// Moves the resend on by a bounded step, as far as there is room. True if something was sent.
    pub(super) fn pump(
        &mut self,
        now: Timestamp,
        out: &mut dyn super::Outbound,
    ) -> Result<bool, Disconnect> {
        let Some(mut cursor) = self.resend else { return Ok(false) };
        let before = (self.counters.resent, self.counters.gap_fills, cursor.unsent);
        if cursor.fill_from <= cursor.end {
            self.repeat(now, out, &mut cursor)?;
        }
        if cursor.fill_from > cursor.end {
            self.catch_up(now, out, &mut cursor)?;
        }
        let over = cursor.fill_from > cursor.end && cursor.unsent == self.store.next_outgoing();
        self.resend = (!over).then_some(cursor);
        let worked = before != (self.counters.resent, self.counters.gap_fills, cursor.unsent);
        if worked {
            self.last_sent = now;
        }
        Ok(worked)
    }

    /// The store, what makes the messages that answer for it, and where they are counted.
    fn repeater(&mut self, now: Timestamp) -> (&mut S, Repeater<'_>, &mut Counters) {
        let repeater = Repeater {
            buffer: &mut self.buffer,
            template: &mut self.template,
            index: &mut self.resend_index,
            constant: &self.config.header,
            now,
        };
        (&mut self.store, repeater, &mut self.counters)
    }

    /// Sends again, or passes over, the next numbers that were asked for.
    fn repeat(
        &mut self,
        now: Timestamp,
        out: &mut dyn super::Outbound,
        cursor: &mut Cursor,
    ) -> Result<(), Disconnect> {
        let everything = self.config.resend == Resend::Everything && cursor.fits;
        let (store, mut repeater, counters) = self.repeater(now);
        let last = match store.keeps_frames() {
            true => cursor.end.min(cursor.next.saturating_add(STEP - 1)),
            false => cursor.end,
        };
        let mut full = false;
        store.outgoing(cursor.next, last, &mut |seq, kind, frame| {
            let again = match kind {
                FrameKind::Session => false,
                FrameKind::Reject => true,
                FrameKind::Application => everything,
            };
            if !again {
                return ControlFlow::Continue(());
            }
            if out.room() < frame.len() + SLACK {
                full = true;
                cursor.next = seq;
                return ControlFlow::Break(());
            }
            if cursor.fill_from < seq
                && let Ok(fill) = repeater.gap_fill(cursor.fill_from, seq)
            {
                out.send(fill);
                counters.gap_fills += 1;
            }
            // What cannot be repeated is gap-filled with what comes after it.
            cursor.fill_from = seq;
            if let Ok(repeated) = repeater.again(seq, frame) {
                out.send(repeated);
                counters.resent += 1;
                cursor.fill_from = seq + 1;
            }
            ControlFlow::Continue(())
        })?;
        if full {
            return Ok(());
        }
        cursor.next = last.saturating_add(1);
        if cursor.next > cursor.end && cursor.fill_from <= cursor.end && out.room() >= SLACK {
            out.send(repeater.gap_fill(cursor.fill_from, cursor.next)?);
            counters.gap_fills += 1;
            cursor.fill_from = cursor.next;
        }
        Ok(())
    }

    /// Sends, for the first time, what was recorded while the resend ran. Orders and replaces that
    /// are withheld by now are passed over: they must not leave behind a kill. Cancels must.
    fn catch_up(
        &mut self,
        now: Timestamp,
        out: &mut dyn super::Outbound,
        cursor: &mut Cursor,
    ) -> Result<(), Disconnect> {
        let withheld = self.config.resend == Resend::GapFillOrders;
        let (store, mut repeater, counters) = self.repeater(now);
        let last = store.next_outgoing() - 1;
        let last = last.min(cursor.unsent.saturating_add(STEP - 1));
        if cursor.unsent > last {
            return Ok(());
        }
        let (mut full, mut failed) = (false, Ok(()));
        store.outgoing(cursor.unsent, last, &mut |seq, kind, frame| {
            if out.room() < frame.len().max(SLACK) {
                full = true;
                return ControlFlow::Break(());
            }
            if withheld && kind == FrameKind::Application && repeater.is_order(frame) {
                match repeater.gap_fill(seq, seq + 1) {
                    Ok(fill) => out.send(fill),
                    Err(error) => {
                        failed = Err(error);
                        return ControlFlow::Break(());
                    }
                }
                counters.gap_fills += 1;
            } else {
                out.send(frame);
            }
            cursor.unsent = seq + 1;
            ControlFlow::Continue(())
        })?;
        failed?;
        if !full {
            cursor.unsent = last + 1;
        }
        Ok(())
    }
}

impl Repeater<'_> {
    /// A recorded frame may bring an order into the market: a replace too, whatever it changes.
    fn is_order(&mut self, frame: &[u8]) -> bool {
        let msg_type = self.index.parse(frame).msg_type();
        matches!(msg_type, msg::NEW_ORDER_SINGLE | msg::ORDER_CANCEL_REPLACE_REQUEST)
    }

    /// SequenceReset (4) with GapFillFlag=Y, in the place of the numbers `from` to `to` - 1.
    fn gap_fill(&mut self, from: u64, to: u64) -> Result<&[u8], EncodeError> {
        let mut encoder = Encoder::begin_again(
            self.buffer,
            self.template,
            self.now,
            from,
            msg::SEQUENCE_RESET,
            None,
        );
        encoder.u64(tags::NEW_SEQ_NO, to);
        encoder.flag(tags::GAP_FILL_FLAG, true);
        encoder.finish()
    }

    /// A recorded frame once more, under its own number.
    fn again(&mut self, seq: u64, frame: &[u8]) -> Result<&[u8], EncodeError> {
        let message = self.index.parse(frame);
        let mut encoder = Encoder::begin_again(
            self.buffer,
            self.template,
            self.now,
            seq,
            message.msg_type(),
            message.get(tags::SENDING_TIME),
        );
        for (tag, value) in message.fields() {
            match tag {
                tags::BEGIN_STRING | tags::BODY_LENGTH | tags::CHECK_SUM => {}
                tags::MSG_TYPE | tags::SENDER_COMP_ID | tags::TARGET_COMP_ID => {}
                tags::MSG_SEQ_NUM | tags::SENDING_TIME => {}
                _ if self.constant.iter().any(|(constant, _)| *constant == tag) => {}
                _ => encoder.data(tag, value),
            }
        }
        encoder.finish()
    }
}
