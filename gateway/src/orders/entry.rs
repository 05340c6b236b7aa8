//! The initiator's side: commands become messages, messages become reports.
//!
//! It must never lose a report in silence: what cannot be read is counted by cause, and answered
//! where FIX wants an answer.

use super::{Inbox, Instruments, ReportError, Requests, decode_report, encode_command, msg_type};
use crate::fix::tags::msg;
use crate::fix::{EncodeError, Message};
use crate::session::{
    Application, BusinessReason, Meta, Outbound, SendError, Session, Store, Verdict,
};
use market::{Command, CommandKind, Event, OrderId, RejectReason, Report, ReportKind, Timestamp};

/// What could not be made a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryCounters {
    /// Reports given.
    pub reports: u64,
    /// Messages with a missing, unreadable or contradictory field.
    pub faulty: u64,
    /// Reports on instruments that are not ours.
    pub unknown_instrument: u64,
    /// Rejects of messages that are not remembered.
    pub unknown_request: u64,
    /// Messages of a type that is no report.
    pub unsupported: u64,
}

/// Commands out, reports in.
#[derive(Clone, Debug)]
pub struct OrderEntry {
    instruments: Instruments,
    requests: Requests,
    account: Option<Box<[u8]>>,
    counters: EntryCounters,
}

impl OrderEntry {
    /// For orders on these instruments, remembering the last `requests` of them; Account (1) is
    /// sent if given.
    #[must_use]
    pub fn new(instruments: Instruments, requests: usize, account: Option<&str>) -> Self {
        OrderEntry {
            instruments,
            requests: Requests::new(requests),
            account: account.map(|account| account.as_bytes().into()),
            counters: EntryCounters::default(),
        }
    }

    /// Sends a command. Gives back its MsgSeqNum.
    ///
    /// # Errors
    /// [`SendError`]: nothing was sent; [`not_sent`] makes the report that says so.
    pub fn send<S: Store>(
        &mut self,
        session: &mut Session<S>,
        now: Timestamp,
        out: &mut dyn Outbound,
        command: &Command,
    ) -> Result<u64, SendError> {
        let msg_type = msg_type(command).ok_or(SendError::Encode(EncodeError::NoMessage))?;
        let (instruments, account) = (&self.instruments, self.account.as_deref());
        let seq = session.send(now, out, msg_type, |encoder| {
            encode_command(command, instruments, account, now, encoder);
        })?;
        if command.kind() != Some(CommandKind::Mark) {
            self.requests.remember(seq, command);
        }
        Ok(seq)
    }

    /// Takes part in [`Session::received`], putting reports into `inbox`.
    pub fn application<'a>(&'a mut self, inbox: &'a mut dyn Inbox<Report>) -> impl Application {
        Receiver { entry: self, inbox }
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
        let OrderEntry { instruments, requests, counters, .. } = &mut *self.entry;
        let inbox = &mut *self.inbox;
        let decoded = decode_report(message, meta.tsc, instruments, requests, &mut |report| {
            counters.reports += 1;
            inbox.put(report);
        });
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

    fn up(&mut self, now: Timestamp) {
        self.session(ReportKind::SessionUp, now);
    }

    fn down(&mut self, now: Timestamp) {
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
