//! The initiator's side: commands become messages, messages become reports.
//!
//! It must never lose a report in silence: what cannot be read is counted by cause, and answered
//! where FIX wants an answer.

use super::sweep::Sweep;
use super::{Inbox, Instruments, ReportError, Requests, decode_report, encode_command, msg_type};
use crate::dialect::{Dialect, OpenOrders};
use crate::fix::tags::{self, msg};
use crate::fix::{EncodeError, Message};
use crate::rates::{Kind, Load};
use crate::session::{
    Application, BusinessReason, Meta, Outbound, SendError, Session, Store, Verdict,
};
use market::{Command, CommandKind, Event, OrderId, RejectReason, Report, ReportKind, Timestamp};
use std::ops::Range;

/// What could not be made a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryCounters {
    /// Reports given.
    pub reports: u64,
    /// Messages with a missing, unreadable or contradictory field.
    pub faulty: u64,
    /// Reports on instruments that were not given, of orders that may be ours.
    pub unknown_instrument: u64,
    /// Reports on orders of others in such instruments.
    pub unlisted: u64,
    /// Rejects of messages that are not remembered.
    pub unknown_request: u64,
    /// Messages of a type that is no report.
    pub unsupported: u64,
    /// News (B) of the venue.
    pub news: u64,
}

/// Commands out, reports in.
#[derive(Clone)]
pub struct OrderEntry {
    instruments: Instruments,
    requests: Requests,
    dialect: Dialect,
    counters: EntryCounters,
    /// Headline (148) of the last News, until it is taken.
    headline: Option<Box<str>>,
    sweep: Option<Sweep>,
}

/// Without the words of the venue.
impl std::fmt::Debug for OrderEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let OrderEntry { dialect, counters, .. } = self;
        let mut shown = f.debug_struct("OrderEntry");
        shown.field("dialect", dialect).field("counters", counters).finish_non_exhaustive()
    }
}

impl OrderEntry {
    /// For orders on these instruments in this dialect, remembering the last `requests` of them.
    #[must_use]
    pub fn new(instruments: Instruments, requests: usize, dialect: Dialect) -> Self {
        OrderEntry {
            instruments,
            requests: Requests::new(requests),
            dialect,
            counters: EntryCounters::default(),
            headline: None,
            sweep: None,
        }
    }

    /// What a command becomes: how its messages count, and how many they are.
    #[must_use]
    pub fn load(&self, command: &Command) -> Load {
        // A command of no known kind is never sent: it counts as an order until it is refused.
        let one = Load { kind: command.kind().map_or(Kind::Order, Kind::of), messages: 1 };
        match command.kind() {
            // The question which orders are open is a cancel here.
            Some(CommandKind::MassStatus) if !self.asks_by_canceling() => one,
            Some(CommandKind::MassCancel | CommandKind::MassStatus) => {
                let all = u32::try_from(self.instruments.len()).unwrap_or(u32::MAX);
                let messages = if self.is_sweep(command) { all.max(1) } else { 1 };
                Load { kind: Kind::Cancel, messages }
            }
            _ => one,
        }
    }

    fn asks_by_canceling(&self) -> bool {
        self.dialect.settings().open_orders == OpenOrders::Cancel
    }

    /// True if a command is a message for each instrument.
    fn is_sweep(&self, command: &Command) -> bool {
        let cancels = match command.kind() {
            Some(CommandKind::MassCancel) => true,
            Some(CommandKind::MassStatus) => self.asks_by_canceling(),
            _ => false,
        };
        cancels && command.instrument == Event::ALL && self.dialect.cancels_by_instrument()
    }

    /// Sends a command. Gives back its MsgSeqNum, the last one if it is several messages.
    ///
    /// # Errors
    /// [`SendError`]: nothing was sent, or not all; [`not_sent`] makes the report that says so.
    pub fn send<S: Store>(
        &mut self,
        session: &mut Session<S>,
        now: Timestamp,
        out: &mut dyn Outbound,
        command: &Command,
    ) -> Result<u64, SendError> {
        self.send_part(session, now, out, command, 0..u32::MAX)
    }

    /// Sends a part of a command's messages (see [`OrderEntry::load`]), counted from 0. Parts of one
    /// command follow each other without another command of several messages between them.
    ///
    /// # Errors
    /// As [`OrderEntry::send`]. The parts that are left must not be sent any more.
    pub fn send_part<S: Store>(
        &mut self,
        session: &mut Session<S>,
        now: Timestamp,
        out: &mut dyn Outbound,
        command: &Command,
        part: Range<u32>,
    ) -> Result<u64, SendError> {
        if self.is_sweep(command) {
            return self.sweep(session, now, out, command, part);
        }
        let msg_type =
            msg_type(command, &self.dialect).ok_or(SendError::Encode(EncodeError::NoMessage))?;
        let (instruments, dialect) = (&self.instruments, &self.dialect);
        let seq = session.send(now, out, msg_type, |encoder| {
            encode_command(command, instruments, dialect, now, encoder);
        })?;
        if command.kind() != Some(CommandKind::Mark) {
            self.requests.remember(seq, command);
        }
        Ok(seq)
    }

    /// Cancels everything, instrument by instrument. Gives back the last MsgSeqNum.
    fn sweep<S: Store>(
        &mut self,
        session: &mut Session<S>,
        now: Timestamp,
        out: &mut dyn Outbound,
        command: &Command,
        part: Range<u32>,
    ) -> Result<u64, SendError> {
        let begins = part.start == 0;
        // One that cannot go on has no answer either.
        let begun = self.sweep.take().filter(|_| !begins);
        let sweep = Sweep::new(command, self.instruments.len());
        let settings = self.dialect.settings();
        let mut last = 0;
        let symbols = self.instruments.symbols().enumerate();
        for (place, symbol) in symbols.skip(part.start as usize).take(part.len()) {
            let id = sweep.id_text(place);
            let kind = msg::ORDER_MASS_CANCEL_REQUEST;
            last = session.send(now, out, kind, |encoder| {
                encoder.bytes(tags::CL_ORD_ID, id.as_bytes());
                match settings.mass_cancel_one {
                    Some(scope) => encoder.char(tags::MASS_CANCEL_REQUEST_TYPE, scope),
                    None => encoder.fail(EncodeError::NoMessage),
                }
                encoder.bytes(tags::SYMBOL, symbol);
                if settings.transact_time {
                    encoder.time(tags::TRANSACT_TIME, now);
                }
            })?;
        }
        self.sweep = if begins { Some(sweep) } else { begun };
        Ok(last)
    }

    /// Takes part in [`Session::received`], putting reports into `inbox`.
    pub fn application<'a>(&'a mut self, inbox: &'a mut dyn Inbox<Report>) -> impl Application {
        Receiver { entry: self, inbox }
    }

    /// The dialect.
    #[must_use]
    pub const fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// Headline (148) of a News (B) that came since the last call, as the venue wrote it: it is shown
    /// after it went through [`Session::blanked`].
    pub fn take_headline(&mut self) -> Option<Box<str>> {
        self.headline.take()
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> EntryCounters {
        self.counters
    }
}

/// The report on a command that [`OrderEntry::send`] refused.
#[must_use]
pub fn not_sent(command: &Command, error: SendError) -> Report {
    let reason = match error {
        SendError::Down | SendError::Store(_) => RejectReason::NoSession,
        SendError::Backpressure => RejectReason::Rate,
        SendError::Encode(EncodeError::UnknownInstrument) => RejectReason::UnknownInstrument,
        SendError::Encode(_) => RejectReason::Malformed,
    };
    let mut report =
        Report::new(ReportKind::NotSent, command.id, command.instrument).with_reason(reason);
    report.target = command.target;
    report
}

struct Receiver<'a> {
    entry: &'a mut OrderEntry,
    inbox: &'a mut dyn Inbox<Report>,
}

impl Application for Receiver<'_> {
    fn ready(&self) -> bool {
        self.inbox.ready()
    }

    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        let OrderEntry { instruments, requests, dialect, counters, headline, sweep } =
            &mut *self.entry;
        let inbox = &mut *self.inbox;
        if message.msg_type() == msg::NEWS {
            counters.news += 1;
            let text = String::from_utf8_lossy(message.get(tags::HEADLINE).unwrap_or_default());
            *headline = Some(text.into());
            return Verdict::Taken;
        }
        let swept = sweep.is_some_and(|sweep| {
            message.msg_type() == msg::ORDER_MASS_CANCEL_REPORT
                && message.get(tags::CL_ORD_ID).is_some_and(|id| sweep.is_its(id))
        });
        let mut give = |report: Report| {
            counters.reports += 1;
            if !swept {
                return inbox.put(report);
            }
            if let Some(told) = sweep.as_mut().and_then(|sweep| sweep.answered(&report)) {
                told.into_iter().for_each(|report| inbox.put(report));
                *sweep = None;
            }
        };
        let decoded = decode_report(message, meta.tsc, instruments, dialect, requests, &mut give);
        match decoded {
            Ok(()) => Verdict::Taken,
            Err(ReportError::Fault(fault)) => {
                counters.faulty += 1;
                Verdict::Reject(fault)
            }
            Err(ReportError::UnknownInstrument) => {
                counters.unknown_instrument += 1;
                Verdict::Taken
            }
            Err(ReportError::Unlisted) => {
                counters.unlisted += 1;
                Verdict::Taken
            }
            Err(ReportError::UnknownRequest) => {
                counters.unknown_request += 1;
                Verdict::Taken
            }
            Err(ReportError::NotAReport) => {
                counters.unsupported += 1;
                match message.msg_type() {
                    // A reject of a reject would go on for ever.
                    msg::BUSINESS_MESSAGE_REJECT => Verdict::Taken,
                    _ => Verdict::Business(BusinessReason::UnsupportedMessage),
                }
            }
        }
    }

    fn refused(&mut self, message: &Message<'_>) {
        if matches!(message.msg_type(), msg::EXECUTION_REPORT | msg::ORDER_CANCEL_REJECT) {
            self.entry.counters.faulty += 1;
        }
    }

    fn up(&mut self, now: Timestamp) {
        // Also without an end before: then numbers began anew.
        self.entry.requests.forget_numbers();
        self.session(ReportKind::SessionUp, now);
    }

    /// As after numbers that began anew: the loop asks about every order.
    fn passed_over(&mut self, now: Timestamp) {
        self.session(ReportKind::SessionUp, now);
    }

    fn down(&mut self, now: Timestamp) {
        self.entry.sweep = None;
        // Numbers may begin anew: a Reject of a later session must not find a request of this one.
        self.entry.requests.forget_numbers();
        self.session(ReportKind::SessionDown, now);
    }
}

impl Receiver<'_> {
    fn session(&mut self, kind: ReportKind, now: Timestamp) {
        let mut report = Report::new(kind, OrderId::NONE, Event::ALL);
        report.exchange_time = now;
        self.inbox.put(report);
    }
}
