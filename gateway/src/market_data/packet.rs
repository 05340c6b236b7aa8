//! The events of one message on their way out, and what is the same in snapshots and updates.
//!
//! It must never leave the last event of a whole message unmarked.

use super::entry::{Entry, need, number_of};
use crate::fix::message::as_bool;
use crate::fix::{Fault, Message, tags};
use market::{Event, EventFlags, Side, Sink};

/// The events of one message: each goes out when the next is there, so that the last can be marked.
pub(super) struct Packet<'s, S> {
    sink: &'s mut S,
    held: Option<Event>,
    received: u64,
    /// What all have from now on.
    pub(super) flags: EventFlags,
    pub(super) given: u64,
}

impl<'s, S: Sink> Packet<'s, S> {
    pub(super) fn new(sink: &'s mut S, received: u64) -> Self {
        Packet { sink, held: None, received, flags: EventFlags::NONE, given: 0 }
    }

    pub(super) fn give(&mut self, event: Event) {
        let event = Event { received: self.received, flags: event.flags.with(self.flags), ..event };
        self.given += 1;
        if let Some(before) = self.held.replace(event) {
            self.sink.event(before);
        }
    }

    pub(super) fn end(&mut self, whole: bool) {
        if let Some(mut event) = self.held.take() {
            if whole {
                event.flags = event.flags.with(EventFlags::LAST);
            }
            self.sink.event(event);
        }
    }
}

/// Trade (269).
pub(super) const TRADE: u8 = b'2';
/// Empty book (269).
pub(super) const EMPTY_BOOK: u8 = b'J';

/// The side of a book that an entry type (269) is of.
pub(super) const fn side_of(kind: u8) -> Option<Side> {
    match kind {
        b'0' => Some(Side::Buy),
        b'1' => Some(Side::Sell),
        _ => None,
    }
}

/// LastFragment (893): absent where messages are whole.
pub(super) fn last_fragment(message: &Message<'_>) -> Result<bool, Fault> {
    let tag = tags::LAST_FRAGMENT;
    message.get(tag).map_or(Ok(true), |value| as_bool(tag, value))
}

/// The event with price and size of its entry.
pub(super) fn priced(event: Event, entry: &Entry<'_>, digits: u32) -> Result<Event, Fault> {
    Ok(Event { price: entry.price()?, qty: entry.size(digits)?, ..event })
}

/// The event of the order that `id` names.
pub(super) fn named(event: Event, id: Option<&[u8]>) -> Result<Event, Fault> {
    Ok(Event { order: number_of(need(tags::MD_ENTRY_ID, id)?), ..event })
}
