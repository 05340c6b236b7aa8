//! What a venue tells in several messages, or packets, and means as one: held back until it is
//! whole, so that the last event of a unit is a place where books are consistent. Decides nothing.

use crate::recording::Unit;
use market::{Event, InstrumentId, SideEntry, Sink};

/// So much is held for an event that does not end; a packet may go beyond.
const ITEMS_MAX: usize = 4_096;

#[derive(Clone, Debug)]
enum Item {
    Event(Event),
    Entry(Box<SideEntry>),
}

impl Item {
    fn instrument(&self) -> InstrumentId {
        match self {
            Item::Event(event) => event.instrument,
            Item::Entry(entry) => entry.instrument,
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Held {
    items: Vec<Item>,
}

impl Held {
    /// Adds a side entry, and the event that will name it.
    pub fn entry(&mut self, entry: SideEntry) {
        self.items.push(Item::Entry(Box::new(entry)));
    }

    /// True if no more should be held, whatever is not yet whole.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.items.len() >= ITEMS_MAX
    }

    /// True if nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// True if something is held of the instrument that `other` begins with.
    #[must_use]
    pub fn concerns(&self, other: &Held) -> bool {
        let held = |instrument| self.items.iter().any(|item| item.instrument() == instrument);
        !self.is_empty() && other.items.first().is_some_and(|item| held(item.instrument()))
    }

    /// Takes over what `other` holds, behind what is held.
    pub fn append(&mut self, other: &mut Held) {
        self.items.append(&mut other.items);
    }

    /// Gives everything to `unit`.
    pub fn release(&mut self, unit: &mut Unit) {
        for item in self.items.drain(..) {
            match item {
                Item::Event(event) => unit.event(event),
                Item::Entry(entry) => unit.entry(*entry),
            }
        }
    }
}

impl Sink for Held {
    #[inline]
    fn event(&mut self, event: Event) {
        self.items.push(Item::Event(event));
    }
}
