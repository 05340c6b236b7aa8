//! The books of a feed as whoever trades on it keeps them: by order or by level, as the feed tells
//! them. Nothing is decided here but which of the two is asked.

use super::{Applied, Book, BookLimits, Contradictions, LevelBooks, OrderBooks, Unsound};
use crate::{Event, InstrumentId, StateHasher};

/// Every book of one feed.
#[derive(Clone, Debug)]
pub enum Books {
    /// Each order is told.
    ByOrder(OrderBooks),
    /// The total at each price is told.
    ByLevel(LevelBooks),
}

impl Books {
    /// Empty books, every one Recovering: by level where the limits have no room for an order.
    #[must_use]
    pub fn new(limits: BookLimits) -> Books {
        match limits.orders {
            0 => Books::ByLevel(LevelBooks::new(limits)),
            _ => Books::ByOrder(OrderBooks::new(limits)),
        }
    }

    /// Says which events will be applied next. Changes nothing.
    #[inline]
    pub fn expect(&self, events: &[Event]) {
        // By level there is nothing to look up but the level itself.
        if let Books::ByOrder(books) = self {
            books.expect(events);
        }
    }

    /// Applies one event.
    #[inline]
    pub fn apply(&mut self, event: &Event) -> Applied {
        match self {
            Books::ByOrder(books) => books.apply(event),
            Books::ByLevel(books) => books.apply(event),
        }
    }

    /// The book of one instrument; for one beyond the limits, an empty book that is Recovering.
    #[inline]
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> &Book {
        match self {
            Books::ByOrder(books) => books.book(instrument),
            Books::ByLevel(books) => books.book(instrument),
        }
    }

    /// Every book, in order of instrument ids.
    #[must_use]
    pub fn books(&self) -> &[Book] {
        match self {
            Books::ByOrder(books) => books.books(),
            Books::ByLevel(books) => books.books(),
        }
    }

    /// Only changes of the best `levels` of a side count for [`Books::take_changed`]; at first all do.
    pub fn watch(&mut self, instrument: InstrumentId, levels: usize) {
        match self {
            Books::ByOrder(books) => books.watch(instrument, levels),
            Books::ByLevel(books) => books.watch(instrument, levels),
        }
    }

    /// Whether one of the watched levels of a book changed since this was last asked.
    #[inline]
    pub fn take_changed(&mut self, instrument: InstrumentId) -> bool {
        match self {
            Books::ByOrder(books) => books.take_changed(instrument),
            Books::ByLevel(books) => books.take_changed(instrument),
        }
    }

    /// Contradictions met so far.
    #[must_use]
    pub const fn contradictions(&self) -> &Contradictions {
        match self {
            Books::ByOrder(books) => books.contradictions(),
            Books::ByLevel(books) => books.contradictions(),
        }
    }

    /// The trading loop's timer found the instrument silent for too long, or takes that back.
    pub fn set_stale(&mut self, instrument: InstrumentId, stale: bool) {
        match self {
            Books::ByOrder(books) => books.set_stale(instrument, stale),
            Books::ByLevel(books) => books.set_stale(instrument, stale),
        }
    }

    /// Adds the content and state of every book to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        match self {
            Books::ByOrder(books) => books.hash_into(hasher),
            Books::ByLevel(books) => books.hash_into(hasher),
        }
    }

    /// Checks that the books hold together. Slow and allocating.
    ///
    /// # Errors
    /// [`Unsound`], naming the first book that does not.
    pub fn audit(&self) -> Result<(), Unsound> {
        match self {
            Books::ByOrder(books) => books.audit(),
            Books::ByLevel(books) => books.audit(),
        }
    }
}
