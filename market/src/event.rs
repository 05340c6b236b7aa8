//! The market event: one fixed-size record for everything a feed says.
//!
//! It crosses rings and stands in journals, so its layout is pinned here and in `docs/journal.md`.

use crate::{InstrumentId, Price, Qty, Side, Timestamp};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// An order joins the book at `price` with `qty`.
    Add = 1,
    /// An order's remaining quantity and price become `qty` and `price`; priority is lost unless
    /// only the quantity fell.
    Change = 2,
    /// `qty` of an order is taken off the book without a trade.
    Reduce = 3,
    /// An order leaves the book.
    Delete = 4,
    /// `qty` of a resting order traded, at the order's price unless [`EventFlags::PRICED`].
    Execute = 5,
    /// A trade that no displayed order took part in; the book does not change.
    Trade = 6,
    /// A price level's total becomes `qty`; zero removes it (by-level feeds).
    Level = 7,
    /// The instrument's book becomes empty.
    Clear = 8,
    /// The venue's trading status becomes `aux` (a [`TradingStatus`]).
    Status = 9,
    /// Messages are missing from here on; `order` is the first missing sequence. For every
    /// instrument of the feed, if `instrument` is [`Event::ALL`].
    Gap = 10,
    /// Messages that were missing have all been applied; the books are whole again.
    Recovered = 11,
    /// Messages are lost for good: books may not be trusted until rebuilt.
    Lost = 12,
    /// The feed began a new session: every book is empty and unknown.
    Reset = 13,
    /// End of one packet of a stepped feed; `order` is the sequence that comes next.
    Mark = 14,
    /// Something was said that no event can hold: `order` is the slot of its
    /// [`crate::SideEntry`], which whoever gives the event hands over with it. No book changes.
    Entry = 15,
}

impl EventKind {
    /// The kind of a stored byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<EventKind> {
        use EventKind as K;
        Some(match byte {
            1 => K::Add,
            2 => K::Change,
            3 => K::Reduce,
            4 => K::Delete,
            5 => K::Execute,
            6 => K::Trade,
            7 => K::Level,
            8 => K::Clear,
            9 => K::Status,
            10 => K::Gap,
            11 => K::Recovered,
            12 => K::Lost,
            13 => K::Reset,
            14 => K::Mark,
            15 => K::Entry,
            _ => return None,
        })
    }
}

/// Bits beside the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct EventFlags(pub u16);

impl EventFlags {
    /// None.
    pub const NONE: EventFlags = EventFlags(0);
    /// Last event of its packet: the book is consistent after it.
    pub const LAST: EventFlags = EventFlags(1);
    /// Part of a snapshot, not of the live stream.
    pub const SNAPSHOT: EventFlags = EventFlags(2);
    /// The execution carries a price of its own (ITCH C).
    pub const PRICED: EventFlags = EventFlags(4);
    /// Not to be counted in volume (ITCH C with Printable = N).
    pub const NON_PRINTABLE: EventFlags = EventFlags(8);
    /// An auction or cross trade.
    pub const CROSS: EventFlags = EventFlags(16);
    /// Half of a replace: on a `Delete`, the next `Add` of the instrument inherits side and (for
    /// quoting of recorded flow) follows it; on an `Add`, side is that of the `Delete` before.
    pub const REPLACE: EventFlags = EventFlags(32);

    /// True if every bit of `other` is set.
    #[must_use]
    pub const fn has(self, other: EventFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: EventFlags) -> EventFlags {
        EventFlags(self.0 | other.0)
    }
}

/// What the venue says may be done with an instrument; travels in `aux` of a status event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TradingStatus {
    /// Not yet said.
    #[default]
    Unknown = 0,
    /// Continuous trading.
    Trading = 1,
    /// Halted or paused.
    Halted = 2,
    /// Quotation only, or an auction is being prepared.
    Auction = 3,
    /// The session is over.
    Closed = 4,
}

impl TradingStatus {
    /// The status in an event's `aux`.
    #[must_use]
    pub const fn from_aux(aux: u32) -> Option<TradingStatus> {
        Some(match aux {
            0 => TradingStatus::Unknown,
            1 => TradingStatus::Trading,
            2 => TradingStatus::Halted,
            3 => TradingStatus::Auction,
            4 => TradingStatus::Closed,
            _ => return None,
        })
    }
}

/// One market event: 56 bytes, `Copy`, no padding, valid for every bit pattern (kind and side are
/// bytes that accessors check).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// Time by the venue's clock.
    pub exchange_time: Timestamp,
    /// Raw TSC when the packet was received; of a recording, when whoever recorded it received it,
    /// in nanoseconds of UTC. Zero when there is none. Never an input to a decision.
    pub received: u64,
    /// The venue's order id; match number for `Trade`; a sequence for `Gap`, `Lost` and `Mark`; a slot
    /// for `Entry`.
    pub order: u64,
    /// Price, where the kind has one.
    pub price: Price,
    /// Quantity, where the kind has one.
    pub qty: Qty,
    /// Which instrument, or [`Event::ALL`].
    pub instrument: InstrumentId,
    /// TSC ticks from `received` to the push into the ring, saturating. Never an input.
    pub decoded: u32,
    /// A [`TradingStatus`] for `Status`, a count of messages for `Gap` and `Lost`; else zero.
    pub aux: u32,
    /// An [`EventKind`] as a byte: read it by [`Event::kind`]. Public for `..Event::new(…)`.
    pub kind: u8,
    /// A [`Side`] as a byte, or zero: read it by [`Event::side`].
    pub side: u8,
    /// Flags.
    pub flags: EventFlags,
}

const _: () = assert!(size_of::<Event>() == 56 && align_of::<Event>() == 8);
const _: () = assert!(std::mem::offset_of!(Event, instrument) == 40);
const _: () = assert!(std::mem::offset_of!(Event, flags) == 54);

impl Event {
    /// Length of the stored form.
    pub const BYTES: usize = 56;
    /// `instrument` of events that concern every instrument of their feed.
    pub const ALL: InstrumentId = InstrumentId(u32::MAX);

    /// An event of `kind` with every other field zero.
    #[must_use]
    pub fn new(kind: EventKind, instrument: InstrumentId) -> Event {
        Event { kind: kind as u8, instrument, ..Event::default() }
    }

    /// The same event with another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: EventKind) -> Event {
        self.kind = kind as u8;
        self
    }

    /// The same event with a side, or without.
    #[must_use]
    pub fn with_side(mut self, side: Option<Side>) -> Event {
        self.side = side.map_or(0, |side| side as u8);
        self
    }

    /// What happened; `None` for a byte that no version of this program wrote.
    #[must_use]
    pub const fn kind(&self) -> Option<EventKind> {
        EventKind::from_byte(self.kind)
    }

    /// The side, where the event has one of its own.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        Side::from_byte(self.side)
    }

    /// The stored form: fields in order of declaration, little endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0..8].copy_from_slice(&self.exchange_time.nanos().to_le_bytes());
        bytes[8..16].copy_from_slice(&self.received.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.order.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.price.raw().to_le_bytes());
        bytes[32..40].copy_from_slice(&self.qty.raw().to_le_bytes());
        bytes[40..44].copy_from_slice(&self.instrument.0.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.decoded.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.aux.to_le_bytes());
        bytes[52] = self.kind;
        bytes[53] = self.side;
        bytes[54..56].copy_from_slice(&self.flags.0.to_le_bytes());
        bytes
    }

    /// The event of a stored form. Every pattern is accepted: [`Event::kind`] tells nonsense.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Event {
        let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let i64_at = |at: usize| i64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        Event {
            exchange_time: Timestamp::from_nanos(u64_at(0)),
            received: u64_at(8),
            order: u64_at(16),
            price: Price::from_raw(i64_at(24)),
            qty: Qty::from_raw(i64_at(32)),
            instrument: InstrumentId(u32_at(40)),
            decoded: u32_at(44),
            aux: u32_at(48),
            kind: bytes[52],
            side: bytes[53],
            flags: EventFlags(u16::from_le_bytes([bytes[54], bytes[55]])),
        }
    }
}

/// Where decoders put events; they need not know rings. Implemented for `Vec<Event>` for tests.
pub trait Sink {
    /// Takes one event. A bounded sink must have checked its room before the packet was read.
    fn event(&mut self, event: Event);
}

impl Sink for Vec<Event> {
    fn event(&mut self, event: Event) {
        self.push(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_round_trips() {
        let event = Event {
            exchange_time: Timestamp::from_nanos(u64::MAX - 1),
            received: 2,
            order: 3 << 40,
            price: Price::from_raw(-5),
            qty: Qty::from_raw(6),
            decoded: 7,
            aux: 8,
            flags: EventFlags::LAST.with(EventFlags::CROSS),
            ..Event::new(EventKind::Execute, InstrumentId(9)).with_side(Some(Side::Sell))
        };
        assert_eq!(Event::from_bytes(&event.to_bytes()), event);
        assert_eq!(Event::from_bytes(&[0xff; 56]).kind(), None);
        for byte in 0..=u8::MAX {
            if let Some(kind) = EventKind::from_byte(byte) {
                assert_eq!(kind as u8, byte);
            }
        }
    }
}
