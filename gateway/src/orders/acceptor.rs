//! The venue's side: messages become commands, reports become messages.
//!
//! It must never answer for the matching engine: it only refuses what is no command at all.

use super::{
    Inbox, Instruments, Requests, StatusAnswer, decode_command, encode_report, report_msg_type,
};
use crate::dialect::Dialect;
use crate::fix::tags::msg;
use crate::fix::{EncodeError, Message};
use crate::session::{Application, Meta, Outbound, SendError, Session, Store, Verdict};
use market::{Command, CommandKind, Report, ReportKind, Timestamp};

/// What the connection of a client says beside its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The client asks for something.
    Command(Command),
    /// The same, and the client says that it may have asked before (PossResend): whoever was asked
    /// before must not refuse it for that.
    Again(Command),
    /// The client logged on and missed nothing.
    Up,
    /// The client is gone: cancel on disconnect.
    Down,
}

/// Commands in, reports out.
#[derive(Clone, Debug)]
pub struct OrderAcceptor {
    instruments: Instruments,
    requests: Requests,
    dialect: Dialect,
    status: StatusAnswer,
    refused: u64,
}

impl OrderAcceptor {
    /// For orders on these instruments in this dialect, remembering the last `requests` of them.
    #[must_use]
    pub fn new(instruments: Instruments, requests: usize, dialect: Dialect) -> Self {
        OrderAcceptor {
            instruments,
            requests: Requests::new(requests),
            dialect,
            status: StatusAnswer::default(),
            refused: 0,
        }
    }

    /// Sends a report, or records it while the client is away. Gives back its MsgSeqNum.
    ///
    /// # Errors
    /// [`SendError`]: nothing was recorded or sent; the caller keeps the report.
    pub fn send<S: Store>(
        &mut self,
        session: &mut Session<S>,
        now: Timestamp,
        out: &mut dyn Outbound,
        report: &Report,
    ) -> Result<u64, SendError> {
        let msg_type = report_msg_type(report).ok_or(SendError::Encode(EncodeError::NoMessage))?;
        let (instruments, dialect) = (&self.instruments, &self.dialect);
        let (requests, status) = (&self.requests, self.status);
        let seq = session.send(now, out, msg_type, |encoder| {
            encode_report(report, instruments, dialect, requests, status, encoder);
        })?;
        match report.kind() {
            Some(ReportKind::Status) => self.status.told += 1,
            Some(ReportKind::StatusDone) => self.status = StatusAnswer::default(),
            _ => {}
        }
        Ok(seq)
    }

    /// Takes part in [`Session::received`], putting what the client says into `inbox`.
    pub fn application<'a>(&'a mut self, inbox: &'a mut dyn Inbox<Client>) -> impl Application {
        Receiver { acceptor: self, inbox }
    }

    /// Messages that were no command and were answered with a reject.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

struct Receiver<'a> {
    acceptor: &'a mut OrderAcceptor,
    inbox: &'a mut dyn Inbox<Client>,
}

impl Application for Receiver<'_> {
    fn ready(&self) -> bool {
        self.inbox.ready()
    }

    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        if matches!(message.msg_type(), msg::REJECT | msg::BUSINESS_MESSAGE_REJECT) {
            self.acceptor.refused += 1;
            return Verdict::Taken;
        }
        let OrderAcceptor { instruments, dialect, .. } = &*self.acceptor;
        match decode_command(message, instruments, dialect) {
            Ok(command) => {
                match command.kind() {
                    Some(CommandKind::Mark | CommandKind::Status) => {}
                    Some(CommandKind::MassStatus) => {
                        self.acceptor.status = StatusAnswer { request: command.id, told: 0 };
                    }
                    _ => self.acceptor.requests.remember(meta.seq, &command),
                }
                self.inbox.put(match meta.poss_resend {
                    false => Client::Command(command),
                    true => Client::Again(command),
                });
                Verdict::Taken
            }
            Err(error) => {
                self.acceptor.refused += 1;
                error.into()
            }
        }
    }

    fn up(&mut self, _now: Timestamp) {
        self.inbox.put(Client::Up);
    }

    fn down(&mut self, _now: Timestamp) {
        self.inbox.put(Client::Down);
    }
}
