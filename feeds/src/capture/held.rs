//! What a venue tells in several messages, or packets, and means as one: held back until it is
//! whole, so that the last event of a unit is a place where books are consistent. Decides nothing.

use crate::recording::Unit;
use market::{Event, SideEntry, Sink};

/// So much is held for an event that does not end; a packet may go beyond.
const ITEMS_MAX: usize = 4_096;

#[derive(Clone, Debug)]
enum Item {
    Event(Event),
    Entry(Box<SideEntry>),
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
