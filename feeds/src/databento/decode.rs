//! Records to events, whichever format they came in. Never fails on what a record says: what cannot
//! be used is a [`Skip`], and if the book should have changed, its instrument is `Lost`.
//!
//! By order: `A` is an `Add`, `C` a `Reduce`, `M` a `Change`, `R` a `Clear`, `T` a `Trade`; `F` and
//! `N` change nothing, since a `C` or `M` follows each fill. Records of the top of the book, which
//! some venues give in place of orders, become one order a side with an id of our own. By price:
//! every record shows all levels of its schema, and only what changed since the last becomes
//! `Level` events. The side of a `Trade` is that of the resting order: DBN names the other one.
//!
//! A book by order begins with an `R` or a snapshot. One whose first record is a change is `Lost`
//! until it has one, unless the recording is known to begin where books do: orders of before rest.

use super::record::{self, Order, Quote, is_quote, rtype};
use super::slots::{Slot, Slots};
use super::symbols::Symbols;
use super::{UNDEF_PRICE, flags};
use crate::recording::{Instruments, Wanted};
use market::{Event, EventFlags, EventKind, InstrumentId, Price, Qty, Side, Sink};

/// Why a record was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Shorter or longer than its type is.
    Length,
    /// A type that is not known.
    Type,
    /// An action that is not known.
    Action,
    /// An order without a side.
    Side,
    /// An order or trade without a price.
    Price,
    /// A price level in a book by order.
    Aggregated,
    /// Another schema of the recording gives the events.
    OtherSchema,
}

impl Skip {
    /// The reason in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Skip::Length => "length is not that of the record's type",
            Skip::Type => "unknown record type",
            Skip::Action => "unknown action",
            Skip::Side => "order without a side",
            Skip::Price => "order or trade without a price",
            Skip::Aggregated => "price level among orders",
            Skip::OtherSchema => "another schema of this recording gives the events",
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Decoder {
    slots: Slots,
    /// Which type of record gives the events, once one did.
    leads: Option<u8>,
    /// The recording begins where the venue's books do.
    whole: bool,
    /// Records that said or showed that messages were missed, when no other had yet.
    pub(super) doubts: u64,
}

impl Decoder {
    /// A decoder of the instruments that are wanted.
    #[must_use]
    pub fn new(wanted: &Wanted) -> Decoder {
        Decoder { slots: Slots::new(wanted), leads: None, whole: false, doubts: 0 }
    }

    /// What comes begins where the venue's books do: a book that has no snapshot was empty.
    pub(super) fn begins_whole(&mut self) {
        self.whole = true;
    }

    /// The instruments met.
    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        &self.slots.instruments
    }

    pub(super) fn instruments_mut(&mut self) -> &mut Instruments {
        &mut self.slots.instruments
    }

    pub(super) fn symbols_mut(&mut self) -> &mut Symbols {
        &mut self.slots.symbols
    }

    /// A number means something else from a time on.
    pub(super) fn forget(&mut self, number: u32, from: u64) {
        self.slots.forget(number, from);
    }

    /// The type of record that gives the events, if one did.
    #[must_use]
    pub fn leads(&self) -> Option<u8> {
        self.leads
    }

    /// The instrument of a book at a time, if it is wanted.
    pub(super) fn instrument(&mut self, key: u64, time: u64) -> Option<InstrumentId> {
        self.slots.find(key, time).id
    }

    /// The symbol of an instrument met.
    pub(super) fn symbol(&self, id: InstrumentId) -> &str {
        self.slots.known(id).map_or("", |known| &known.symbol)
    }

    /// One record of DBN that changes books or tells of a trade; of others, nothing.
    ///
    /// # Errors
    /// [`Skip`], if it is of no use.
    #[inline]
    pub fn record(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), Skip> {
        match bytes.get(1) {
            Some(&rtype::MBO) => {
                let order = bytes.first_chunk().ok_or(Skip::Length)?;
                self.order(&Order::read(order), sink)
            }
            Some(&kind) if is_quote(kind) => {
                let mut levels = record::Levels::default();
                let quote = Quote::read(bytes, &mut levels).ok_or(Skip::Length)?;
                self.quote(kind, &quote, sink)
            }
            _ => Ok(()),
        }
    }

    /// A record by order.
    ///
    /// # Errors
    /// [`Skip`], if it is of no use.
    #[inline]
    pub fn order(&mut self, order: &Order, sink: &mut impl Sink) -> Result<(), Skip> {
        if self.leads != Some(rtype::MBO) {
            self.lead(rtype::MBO)?;
        }
        let slot = self.slots.find(order.key, order.time());
        let Some(id) = slot.id else { return Ok(()) };
        let event = Event {
            exchange_time: record::time(order.ts_event),
            order: order.order,
            price: Price::from_raw(order.price),
            qty: Qty::from_raw(i64::from(order.size) * slot.unit),
            instrument: id,
            flags: snapshot(order.flags),
            ..Event::default()
        };
        let bad = order.flags & flags::MAYBE_BAD_BOOK != 0;
        if slot.begins_anew || slot.unproven || bad != slot.doubtful {
            let bad = bad || begins_within(slot, order, self.whole);
            self.doubts += u64::from(doubt(slot, bad, &event, sink));
        }
        let resting = side(order.side);
        // The usual case asks only whether it is one: what comes next no predictor knows.
        if let (Some(kind), Some(_)) = (CHANGES[usize::from(order.action)], resting)
            && order.flags & (flags::TOP | flags::LEVEL) == 0
            && order.price != UNDEF_PRICE
        {
            sink.event(event.with_kind(kind).with_side(resting));
            return Ok(());
        }
        let kind = match order.action {
            _ if order.flags & (flags::TOP | flags::LEVEL) != 0 && is_change(order.action) => {
                return top(slot, order, &event, sink);
            }
            b'T' => return trade(event, resting, sink),
            b'F' | b'N' => return Ok(()),
            b'R' => {
                clear(slot, &event, sink);
                return Ok(());
            }
            action => match CHANGES[usize::from(action)] {
                Some(kind) => kind,
                None => return lost(Skip::Action, &event, sink),
            },
        };
        if resting.is_none() {
            return lost(Skip::Side, &event, sink);
        }
        if order.price == UNDEF_PRICE && kind != EventKind::Reduce {
            return lost(Skip::Price, &event, sink);
        }
        sink.event(event.with_kind(kind).with_side(resting));
        Ok(())
    }

    /// A record by price, of type `kind`.
    ///
    /// # Errors
    /// [`Skip`], if it is of no use.
    #[inline]
    pub fn quote(&mut self, kind: u8, quote: &Quote<'_>, sink: &mut impl Sink) -> Result<(), Skip> {
        if self.leads != Some(kind) {
            self.lead(kind)?;
        }
        let slot = self.slots.find(quote.key, record::filed(quote.ts_recv, quote.ts_event));
        let Some(id) = slot.id else { return Ok(()) };
        let event = Event {
            exchange_time: record::time(quote.ts_event),
            price: Price::from_raw(quote.price),
            qty: Qty::from_raw(i64::from(quote.size) * slot.unit),
            instrument: id,
            flags: snapshot(quote.flags),
            ..Event::default()
        };
        let bad = quote.flags & flags::MAYBE_BAD_BOOK != 0;
        if slot.begins_anew || bad != slot.doubtful {
            self.doubts += u64::from(doubt(slot, bad, &event, sink));
        }
        let done = match quote.action {
            b'T' => trade(event, side(quote.side), sink),
            b'R' => {
                clear(slot, &event, sink);
                Ok(())
            }
            // Whatever the change was: the levels tell.
            _ => Ok(()),
        };
        if let Some(shown) = quote.levels {
            if slot.doubtful && !bad {
                // All levels come again: what was missed no longer matters.
                clear(slot, &event, sink);
            }
            levels(slot, shown, &event, sink);
        }
        done
    }

    /// The instrument's book should have changed, and nobody knows how.
    pub(super) fn lost(&mut self, key: u64, time: u64, sink: &mut impl Sink) {
        if let Some(id) = self.slots.find(key, time).id {
            let event =
                Event { instrument: id, exchange_time: record::time(time), ..<_>::default() };
            sink.event(event.with_kind(EventKind::Lost));
        }
    }

    /// A recording may hold several schemas of the same market, and each event must come once.
    /// Trades alone give way to the first type that shows a book.
    #[cold]
    fn lead(&mut self, kind: u8) -> Result<(), Skip> {
        match self.leads {
            Some(leader) if leader != rtype::MBP_0 => return Err(Skip::OtherSchema),
            _ => self.leads = Some(kind),
        }
        Ok(())
    }
}

#[inline]
fn snapshot(bits: u8) -> EventFlags {
    if bits & flags::SNAPSHOT == 0 { EventFlags::NONE } else { EventFlags::SNAPSHOT }
}

/// What each action does to an order that rests; nothing if it does nothing or is not known.
const CHANGES: [Option<EventKind>; 256] = {
    let mut changes = [None; 256];
    changes[b'A' as usize] = Some(EventKind::Add);
    changes[b'C' as usize] = Some(EventKind::Reduce);
    changes[b'M' as usize] = Some(EventKind::Change);
    changes
};

/// The sides by their letters.
const SIDES: [Option<Side>; 256] = {
    let mut sides = [None; 256];
    sides[b'B' as usize] = Some(Side::Buy);
    sides[b'A' as usize] = Some(Side::Sell);
    sides
};

#[inline]
fn side(byte: u8) -> Option<Side> {
    SIDES[usize::from(byte)]
}

fn is_change(action: u8) -> bool {
    CHANGES[usize::from(action)].is_some()
}

/// A trade; the side of its record is that of the order that came in.
#[inline]
fn trade(event: Event, taker: Option<Side>, sink: &mut impl Sink) -> Result<(), Skip> {
    if event.price.raw() == UNDEF_PRICE {
        return Err(Skip::Price);
    }
    let event = Event { order: 0, flags: EventFlags::NONE, ..event.with_kind(EventKind::Trade) };
    sink.event(event.with_side(taker.map(Side::opposite)));
    Ok(())
}

#[cold]
fn lost(skip: Skip, event: &Event, sink: &mut impl Sink) -> Result<(), Skip> {
    sink.event(bare(event, EventKind::Lost));
    Err(skip)
}

/// The book is empty, and that is the truth.
#[cold]
fn clear(slot: &mut Slot, event: &Event, sink: &mut impl Sink) {
    slot.shown.clear();
    slot.top = [false; 2];
    slot.doubtful = false;
    sink.event(bare(event, EventKind::Clear));
}

/// Whether a book by order is met within: its first record changes what rests, and neither clears
/// the book, nor is of a snapshot, nor shows a whole side.
#[cold]
fn begins_within(slot: &mut Slot, order: &Order, whole: bool) -> bool {
    let begins = order.action == b'R' || order.flags & (flags::SNAPSHOT | flags::TOP) != 0;
    // Of orders that rest, a trade tells nothing.
    if !slot.unproven || !begins && !is_change(order.action) {
        return false;
    }
    slot.unproven = false;
    !begins && !whole
}

/// What goes before the record's own event: the book of another number goes, and a book that missed
/// messages is not believed until it is cleared. True if that began now.
#[cold]
fn doubt(slot: &mut Slot, bad: bool, event: &Event, sink: &mut impl Sink) -> bool {
    if std::mem::take(&mut slot.begins_anew) {
        sink.event(bare(event, EventKind::Reset));
    }
    if !bad || slot.doubtful {
        return false;
    }
    slot.doubtful = true;
    sink.event(bare(event, EventKind::Lost));
    true
}

/// The same moment and instrument, without an order.
fn bare(event: &Event, kind: EventKind) -> Event {
    let zero = Event { order: 0, price: Price::ZERO, qty: Qty::ZERO, ..*event };
    zero.with_kind(kind)
}

/// A side's best, in place of its orders: one order whose id no venue gives.
#[cold]
fn top(slot: &mut Slot, order: &Order, event: &Event, sink: &mut impl Sink) -> Result<(), Skip> {
    if order.flags & flags::TOP == 0 {
        return lost(Skip::Aggregated, event, sink);
    }
    let Some(resting) = side(order.side) else { return lost(Skip::Side, event, sink) };
    let there = &mut slot.top[resting.index()];
    let id = u64::MAX - (2 * u64::from(event.instrument.0) + resting.index() as u64);
    let event = Event { order: id, ..event.with_side(Some(resting)) };
    if std::mem::take(there) {
        let gone = Event { price: Price::ZERO, qty: Qty::ZERO, ..event };
        sink.event(gone.with_kind(EventKind::Delete));
    }
    if order.action != b'C' && order.price != UNDEF_PRICE && order.size > 0 {
        *there = true;
        sink.event(event.with_kind(EventKind::Add));
    }
    Ok(())
}

/// What changed since the levels that were shown last.
#[inline]
fn levels(slot: &mut Slot, levels: &[[(i64, u32); 2]], event: &Event, sink: &mut impl Sink) {
    let unit = slot.unit;
    for side in Side::BOTH {
        let now = levels.iter().map(|level| level[side.index()]);
        let now = now.filter(|&(price, size)| price != UNDEF_PRICE && size > 0);
        let now = now.map(|(price, size)| (price, i64::from(size) * unit));
        slot.shown.show(side, now, event, sink);
    }
}
