//! The table of protocols that datagrams of a capture may carry, one row each, told by content. First
//! row that recognises a payload wins; the whole capture is read by it.

use super::Datagram;
use crate::recording::{Books, Clock, Counts, Instruments, Log, Options, Unit};
use crate::{mdp3, moldudp64};
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
    /// Its name.
    pub(super) name: &'static str,
    /// True of a payload that is of this protocol for sure.
    pub(super) recognise: fn(&[u8]) -> bool,
    /// Who reads it.
    pub(super) reader: Reader,
}

/// Who reads a protocol.
pub(super) enum Reader {
    /// What this function makes.
    By(fn(&Options) -> io::Result<Box<dyn Protocol>>),
    /// Nobody yet.
    NotYet,
}

/// Every protocol.
pub(super) const PROTOCOLS: &[Row] = &[
    Row { name: "IEX-TP", recognise: iex_tp, reader: Reader::NotYet },
    Row {
        name: mdp3::recording::PROTOCOL,
        recognise: mdp3::recording::recognise,
        reader: Reader::By(mdp3::recording::make),
    },
    Row {
        name: moldudp64::recording::PROTOCOL,
        recognise: moldudp64::recording::recognise,
        reader: Reader::By(moldudp64::recording::make),
    },
];

/// IEX-TP: version 1, one of IEX's own message protocols, and a length that is the payload's.
fn iex_tp(payload: &[u8]) -> bool {
    let Some(header) = payload.first_chunk::<40>() else { return false };
    let length = usize::from(u16::from_le_bytes([header[12], header[13]]));
    header[..2] == [1, 0] && header[3] == 0x80 && length + header.len() == payload.len()
}
