//! One pair: its book as its checksum needs it, and the events that tell what became of it.

use super::book::{Book, Change};
use super::orders::Queues;
use crate::recording::Unit;
use market::{Event, EventFlags, EventKind, InstrumentId, Timestamp};

/// A book.
pub(super) enum Kept {
    Levels(Book),
    Orders(Queues),
}

/// See the module.
pub(super) struct Pair {
    pub(super) id: InstrumentId,
    pub(super) qty_digits: u32,
    /// Levels that were subscribed to, where the venue told them.
    pub(super) depth: Option<usize>,
    /// `None` until a snapshot comes.
    pub(super) book: Option<Kept>,
    /// What is wrong with the book that events made: a snapshot must say that it is over.
    pub(super) in_gap: bool,
}

impl Pair {
    pub(super) fn new(id: InstrumentId, qty_digits: u32) -> Pair {
        Pair { id, qty_digits, depth: None, book: None, in_gap: false }
    }

    /// Levels of a side that the book has at most, if there is a book.
    pub(super) fn depth_kept(&self) -> Option<usize> {
        Some(match self.book.as_ref()? {
            Kept::Levels(book) => book.depth(),
            Kept::Orders(queues) => queues.depth(),
        })
    }

    /// The book is not to be believed until a snapshot comes; what this frame told of it is taken back.
    pub(super) fn lose(&mut self, time: Timestamp, unit: &mut Unit) {
        unit.events.retain(|event| event.instrument != self.id);
        if self.book.take().is_some() || self.in_gap {
            let lost = Event::new(EventKind::Lost, self.id);
            unit.events.push(Event { exchange_time: time, ..lost });
        }
        self.in_gap = false;
    }

    /// A whole book begins.
    pub(super) fn begin(&self, time: Timestamp, unit: &mut Unit) {
        unit.events.push(Event {
            exchange_time: time,
            flags: EventFlags::SNAPSHOT,
            ..Event::new(EventKind::Clear, self.id)
        });
    }

    /// What stands behind `mark` is whole: it gets its time, and a book that was lost is there again.
    pub(super) fn end(&mut self, whole: bool, mark: usize, time: Timestamp, unit: &mut Unit) {
        let flags = if whole { EventFlags::SNAPSHOT } else { EventFlags::NONE };
        for event in &mut unit.events[mark..] {
            (event.exchange_time, event.flags) = (time, flags);
        }
        if whole && std::mem::take(&mut self.in_gap) {
            let recovered = Event::new(EventKind::Recovered, self.id);
            unit.events.push(Event { exchange_time: time, ..recovered });
        }
    }

    /// Tells levels.
    pub(super) fn give_levels(
        &mut self,
        whole: bool,
        changes: &[Change],
        time: Timestamp,
        unit: &mut Unit,
    ) {
        let mark = unit.events.len();
        if whole {
            self.begin(time, unit);
        }
        let level = Event::new(EventKind::Level, self.id);
        unit.events.extend(changes.iter().filter_map(|&(side, price, qty)| {
            Some(Event { price: price?, qty, ..level.with_side(Some(side)) })
        }));
        self.end(whole, mark, time, unit);
    }
}
