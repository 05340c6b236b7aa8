//! What a session asks of the program around it: a place to put bytes, and someone to take
//! messages.

use crate::fix::{Fault, Message};
use market::Timestamp;

/// Where frames go once they are recorded. A driver puts them into its socket's buffer, which must
/// hold at least two messages of the longest size.
pub trait Outbound {
    /// Bytes that [`Outbound::send`] would take now.
    fn room(&self) -> usize;
    /// Takes one whole frame; called only when there is room for it.
    fn send(&mut self, frame: &[u8]);

    /// Application messages that may be sent again now, by whatever limits the wire has; `None` for
    /// any number. More than that are gap-filled, all of them.
    fn repeats(&self) -> Option<u32> {
        None
    }

    /// So many messages will be sent again. Asked only where [`Outbound::repeats`] is limited.
    fn repeated(&mut self, _messages: u32) {}
}

impl Outbound for Vec<u8> {
    fn room(&self) -> usize {
        usize::MAX
    }

    fn send(&mut self, frame: &[u8]) {
        self.extend_from_slice(frame);
    }
}

/// Beside a message: when it came and under which number.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The time given to [`super::Session::received`].
    pub now: Timestamp,
    /// The raw stamp given to it.
    pub tsc: u64,
    /// MsgSeqNum.
    pub seq: u64,
    /// PossDupFlag: sent before under this number.
    pub poss_dup: bool,
    /// PossResend: sent before under another number.
    pub poss_resend: bool,
}

/// What the application made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken.
    Taken,
    /// Answer with Reject (3).
    Reject(Fault),
    /// Answer with BusinessMessageReject (j).
    Business(BusinessReason),
}

/// BusinessRejectReason (380).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BusinessReason {
    /// Other.
    Other = 0,
    /// Unknown id.
    UnknownId = 1,
    /// Unknown security.
    UnknownSecurity = 2,
    /// Unsupported message type.
    UnsupportedMessage = 3,
    /// Application not available.
    NotAvailable = 4,
    /// Conditionally required field missing.
    FieldMissing = 5,
}

impl BusinessReason {
    /// The words of the specification, sent as Text (58).
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            BusinessReason::Other => "Other",
            BusinessReason::UnknownId => "Unknown ID",
            BusinessReason::UnknownSecurity => "Unknown Security",
            BusinessReason::UnsupportedMessage => "Unsupported Message Type",
            BusinessReason::NotAvailable => "Application not available",
            BusinessReason::FieldMissing => "Conditionally required field missing",
        }
    }
}

/// Takes the messages that are not the session's own.
pub trait Application {
    /// False while a message could not be taken: the session stops reading and loses nothing.
    fn ready(&self) -> bool {
        true
    }

    /// Takes an application message or a Reject (3), in sequence. The message is recorded as
    /// received after this returns: a crash in between makes the peer send it again, so that the
    /// application must know duplicates (by ExecID, by ClOrdID).
    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict;

    /// A message of the application that the session refused, for its form or by the dictionary; it
    /// is answered with Reject (3), its number is used up, and it will not come again.
    fn refused(&mut self, _message: &Message<'_>) {}

    /// Logged on, and nothing is missing any more.
    fn up(&mut self, now: Timestamp);

    /// Nothing is missing any more, but not all of what was missing came: the venue filled the hole
    /// with SequenceReset (4). Who must not miss a report asks.
    fn passed_over(&mut self, _now: Timestamp) {}

    /// The connection is gone, after [`Application::up`]; or the peer logged out before we had all of
    /// its messages. Then nothing can be sent any more, and those that still come follow.
    fn down(&mut self, now: Timestamp);
}
