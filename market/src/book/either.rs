//! The books of one feed, by order or by level, whichever it tells. Decides nothing itself.

use super::{Applied, Book, BookLimits, Contradictions, LevelBooks, OrderBooks, Unsound};
use crate::{Event, InstrumentId, StateHasher};

/// See the module.
///
/// ```
/// use market::book::{BookLimits, FeedBooks};
/// let limits = BookLimits { instruments: 1, orders: 0, levels: 10 };
/// assert!(matches!(FeedBooks::new(limits), FeedBooks::ByLevel(_)));
/// ```
#[derive(Clone, Debug)]
pub enum FeedBooks {
    /// Of a feed that tells every order.
    ByOrder(OrderBooks),
    /// Of a feed that tells the total at each price.
    ByLevel(LevelBooks),
}

impl FeedBooks {
    /// Empty books, every one Recovering: by level if no order may be kept.
    #[must_use]
    pub fn new(limits: BookLimits) -> FeedBooks {
        match limits.orders {
            0 => FeedBooks::ByLevel(LevelBooks::new(limits)),
            _ => FeedBooks::ByOrder(OrderBooks::new(limits)),
        }
    }

    /// As [`OrderBooks::expect`]; of books by level nothing is fetched ahead.
    #[inline]
    pub fn expect(&self, events: &[Event]) {
        match self {
            FeedBooks::ByOrder(books) => books.expect(events),
            FeedBooks::ByLevel(_) => {}
        }
    }

    /// Applies one event.
    #[inline]
    pub fn apply(&mut self, event: &Event) -> Applied {
        match self {
            FeedBooks::ByOrder(books) => books.apply(event),
            FeedBooks::ByLevel(books) => books.apply(event),
        }
    }

    /// The book of one instrument; for one beyond the limits, an empty book that is Recovering.
    #[inline]
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> &Book {
        match self {
            FeedBooks::ByOrder(books) => books.book(instrument),
            FeedBooks::ByLevel(books) => books.book(instrument),
        }
    }

    /// Only changes of the best `levels` of a side count for [`FeedBooks::take_changed`]; at first
    /// all do.
    pub fn watch(&mut self, instrument: InstrumentId, levels: usize) {
        match self {
            FeedBooks::ByOrder(books) => books.watch(instrument, levels),
            FeedBooks::ByLevel(books) => books.watch(instrument, levels),
        }
    }

    /// Whether one of the watched levels of a book changed since this was last asked.
    #[inline]
    pub fn take_changed(&mut self, instrument: InstrumentId) -> bool {
        match self {
            FeedBooks::ByOrder(books) => books.take_changed(instrument),
            FeedBooks::ByLevel(books) => books.take_changed(instrument),
        }
    }

    /// Every book, in order of instrument ids.
    #[must_use]
    pub fn books(&self) -> &[Book] {
        match self {
            FeedBooks::ByOrder(books) => books.books(),
            FeedBooks::ByLevel(books) => books.books(),
        }
    }

    /// Orders in all books; none by level.
    #[must_use]
    pub const fn orders(&self) -> usize {
        match self {
            FeedBooks::ByOrder(books) => books.orders(),
            FeedBooks::ByLevel(_) => 0,
        }
    }

    /// Contradictions met so far.
    #[must_use]
    pub const fn contradictions(&self) -> &Contradictions {
        match self {
            FeedBooks::ByOrder(books) => books.contradictions(),
            FeedBooks::ByLevel(books) => books.contradictions(),
        }
    }

    /// The trading loop's timer found the instrument silent for too long, or takes that back.
    pub fn set_stale(&mut self, instrument: InstrumentId, stale: bool) {
        match self {
            FeedBooks::ByOrder(books) => books.set_stale(instrument, stale),
            FeedBooks::ByLevel(books) => books.set_stale(instrument, stale),
        }
    }

    /// Adds content and state to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        match self {
            FeedBooks::ByOrder(books) => books.hash_into(hasher),
            FeedBooks::ByLevel(books) => books.hash_into(hasher),
        }
    }

    /// Checks that the books hold together. Slow and allocating.
    ///
    /// # Errors
    /// [`Unsound`], naming the first book that does not.
    pub fn audit(&self) -> Result<(), Unsound> {
        match self {
            FeedBooks::ByOrder(books) => books.audit(),
            FeedBooks::ByLevel(books) => books.audit(),
        }
    }
}
