//! Commands and reports as FIX application messages, in both directions.
//!
//! [`OrderEntry`] is the initiator's side: commands out, reports in. [`OrderAcceptor`] is the
//! venue's side. Both stand on the same pure functions, so that a command or report that goes
//! through bytes comes out equal; a [`crate::dialect::Dialect`] says how. Ids: ClOrdID is the
//! dialect's text of an [`market::OrderId`]; OrderID and ExecID given by our venue are 32
//! hexadecimal digits and come back exactly, any other text becomes its digest.

mod acceptor;
mod command;
mod entry;
mod instruments;
mod reasons;
mod report;
mod report_decode;
mod report_fields;
mod requests;
mod sweep;

pub use acceptor::{Client, OrderAcceptor};
pub use command::{CommandError, decode_command, encode_command, msg_type};
pub use entry::{EntryCounters, OrderEntry, not_sent};
pub use instruments::{Instruments, InstrumentsError};
pub use report::{StatusAnswer, encode_report, report_msg_type};
pub use report_decode::{ReportError, decode_report};
pub use requests::Requests;

/// Where decoded commands or reports go: a ring, in the engine.
pub trait Inbox<T> {
    /// True while at least four items would be taken: one message may say two things, and that the
    /// session is up or down comes without asking. A driver does not reconnect while it is false.
    fn ready(&self) -> bool;
    /// Takes one item; called only while there is room.
    fn put(&mut self, item: T);
}

impl<T> Inbox<T> for Vec<T> {
    fn ready(&self) -> bool {
        true
    }

    fn put(&mut self, item: T) {
        self.push(item);
    }
}

#[cfg(test)]
mod tests;
