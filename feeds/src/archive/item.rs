//! Items of a block, and the words they are made of. Reading trusts no length.

use super::frame::{u32_at, u64_at};
use crate::recording::{Books, Clock};
use market::{Event, InstrumentId, Timestamp};

/// Bytes of an item's header: length of the payload, kind, flags.
const HEAD: usize = 8;
/// Flag of a unit whose events go on in the next one.
const MORE: u16 = 1;
/// Longest side entry.
pub(super) const ENTRY_MAX: usize = 1 << 16;

/// What an item is.
mod kind {
    pub(super) const SOURCE: u16 = 1;
    pub(super) const INSTRUMENT: u16 = 2;
    pub(super) const ENTRY: u16 = 3;
    pub(super) const UNIT: u16 = 4;
}

/// One item, as it stands in a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item<'a> {
    /// What the events of this block come from.
    Source { books: Books, clock: Clock, format: &'a str },
    /// What events call `id` in this block.
    Instrument { id: InstrumentId, qty_digits: u32, symbol: &'a str },
    /// What the next event of kind `Entry` names.
    Entry(&'a [u8]),
    /// Events that arrived together; `more` of them follow in the next unit.
    Unit { exchange_time: Timestamp, received: Timestamp, events: &'a [u8], more: bool },
}

impl<'a> Item<'a> {
    /// Takes the first item off `bytes`.
    pub(super) fn take(bytes: &mut &'a [u8]) -> Option<Item<'a>> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (payload, rest) = rest.split_at_checked(u32_at(head, 0) as usize)?;
        *bytes = rest;
        let mut words = Words(payload);
        let [kind, flags] = [4, 6].map(|at| u16::from_le_bytes([head[at], head[at + 1]]));
        Some(match kind {
            kind::SOURCE => Item::Source {
                books: books_of(words.byte()?)?,
                clock: clock_of(words.byte()?)?,
                format: words.rest_text()?,
            },
            kind::INSTRUMENT => Item::Instrument {
                id: InstrumentId(words.u32()?),
                qty_digits: words.u32()?,
                symbol: words.rest_text()?,
            },
            kind::ENTRY => Item::Entry(payload),
            kind::UNIT => Item::Unit {
                exchange_time: Timestamp::from_nanos(words.u64()?),
                received: Timestamp::from_nanos(words.u64()?),
                events: Some(words.0).filter(|events| events.len() % Event::BYTES == 0)?,
                more: flags == MORE,
            },
            _ => return None,
        })
    }
}

pub(super) fn put_source(books: Books, clock: Clock, format: &str, out: &mut Vec<u8>) {
    item(kind::SOURCE, 0, out, |out| {
        out.extend_from_slice(&[books_byte(books), u8::from(clock == Clock::TimeOfDay)]);
        out.extend_from_slice(format.as_bytes());
    });
}

pub(super) fn put_instrument(id: InstrumentId, qty_digits: u32, symbol: &str, out: &mut Vec<u8>) {
    item(kind::INSTRUMENT, 0, out, |out| {
        out.extend_from_slice(&id.0.to_le_bytes());
        out.extend_from_slice(&qty_digits.to_le_bytes());
        out.extend_from_slice(symbol.as_bytes());
    });
}

pub(super) fn put_entry(out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) {
    item(kind::ENTRY, 0, out, payload);
}

/// `times` are the venue's and the recorder's.
pub(super) fn put_unit(times: [Timestamp; 2], events: &[Event], more: bool, out: &mut Vec<u8>) {
    item(kind::UNIT, if more { MORE } else { 0 }, out, |out| {
        times.iter().for_each(|time| out.extend_from_slice(&time.nanos().to_le_bytes()));
        events.iter().for_each(|event| out.extend_from_slice(&event.to_bytes()));
    });
}

fn item(kind: u16, flags: u16, out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    payload(out);
    let length = (out.len() - start - HEAD) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn books_byte(books: Books) -> u8 {
    match books {
        Books::None => 0,
        Books::ByOrder => 1,
        Books::ByLevel => 2,
    }
}

fn books_of(byte: u8) -> Option<Books> {
    [Books::None, Books::ByOrder, Books::ByLevel].into_iter().find(|&b| books_byte(b) == byte)
}

fn clock_of(byte: u8) -> Option<Clock> {
    [Clock::Utc, Clock::TimeOfDay].get(usize::from(byte)).copied()
}

/// Numbers and texts, one behind the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a>(pub(super) &'a [u8]);

impl<'a> Words<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.bytes(4).map(|bytes| u32_at(bytes, 0))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.bytes(8).map(|bytes| u64_at(bytes, 0))
    }

    /// A text behind its length.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = self.u32()? as usize;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    fn rest_text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.0).ok()
    }
}
