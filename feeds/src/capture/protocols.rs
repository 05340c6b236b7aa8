//! The table of protocols that datagrams of a capture may carry, one row each, told by content. First
//! row that recognises a payload wins; the whole capture is read by it.

use super::Datagram;
use crate::recording::{Books, Clock, Counts, Instruments, Log, Options, Unit};
use crate::{iex, mdp3, moldudp64};
use std::io;

/// Reads what the datagrams of a capture carry. It sees them in the order of the file.
pub trait Protocol: Send {
    /// What it is, which books its events keep, and what their times are.
    fn describe(&self) -> (&str, Books, Clock);

    /// Takes a datagram into `unit`, which is empty but for its position and receive time; false if
    /// the datagram gave no message and no event.
    fn datagram(&mut self, datagram: &Datagram<'_>, unit: &mut Unit, log: &mut Log) -> bool;

    /// Puts what earlier datagrams left to be given into `unit`, as much as is one unit; false if
    /// there is nothing. `over`: no datagram will come.
    fn more(&mut self, over: bool, unit: &mut Unit, log: &mut Log) -> bool;

    /// Application messages of all lines, before arbitration.
    fn counts(&self) -> Counts;

    /// The instruments met.
    fn instruments(&self) -> &Instruments;
}

/// A row of the table.
pub(super) struct Row {
    /// True of a payload that is of this protocol for sure.
    pub(super) recognise: fn(&[u8]) -> bool,
    /// Makes its reader.
    pub(super) make: fn(&Options) -> io::Result<Box<dyn Protocol>>,
}

/// Every protocol.
pub(super) const PROTOCOLS: &[Row] = &[
    Row { recognise: iex::recording::recognise, make: iex::recording::make },
    Row { recognise: mdp3::recording::recognise, make: mdp3::recording::make },
    Row { recognise: moldudp64::recording::recognise, make: moldudp64::recording::make },
];
