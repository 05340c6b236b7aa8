//! The by-level (L2) books of one feed, for venues that tell the total at each price. All memory is
//! taken at construction. It never trusts an event: one that contradicts the book is counted and
//! makes its instrument Suspect.

use super::shelf::{Outcome, Shelf};
use super::{Applied, Book, BookLimits, Contradiction, Contradictions, Unsound, digest};
use crate::{BookView, Event, EventKind, InstrumentId, Side, StateHasher};

/// Every by-level book of one feed. Orders of a level are unknown: [`crate::Level::orders`] is 0.
#[derive(Clone, Debug)]
pub struct LevelBooks {
    shelf: Shelf,
}

impl LevelBooks {
    /// Empty books, every one Recovering. The limit of orders is not used.
    #[must_use]
    pub fn new(limits: BookLimits) -> Self {
        LevelBooks { shelf: Shelf::new(limits) }
    }

    /// Books for research: room for levels is taken as they come, for instruments by
    /// [`LevelBooks::admit`].
    #[must_use]
    pub fn growing() -> Self {
        LevelBooks { shelf: Shelf::growing() }
    }

    /// Makes room for an instrument, and for all those of smaller ids, if these books may grow; true
    /// if it has a book now.
    pub fn admit(&mut self, instrument: InstrumentId) -> bool {
        self.shelf.admit(instrument)
    }

    /// Applies one event.
    pub fn apply(&mut self, event: &Event) -> Applied {
        match event.kind() {
            Some(EventKind::Level) => self.shelf.message(event, |book| level(book, event)),
            Some(EventKind::Trade) => self.shelf.beside(event, super::shelf::trade(event)),
            _ => self.shelf.other(event),
        }
    }

    /// The book of one instrument; for one beyond the limits, an empty book that is Recovering.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> &Book {
        self.shelf.book(instrument)
    }

    /// Only changes of the best `levels` of a side count for [`LevelBooks::take_changed`]; at first
    /// all do.
    pub fn watch(&mut self, instrument: InstrumentId, levels: usize) {
        if let Some(book) = self.shelf.book_mut(instrument) {
            book.watch(levels);
        }
    }

    /// Whether one of the watched levels of a book changed since this was last asked.
    pub fn take_changed(&mut self, instrument: InstrumentId) -> bool {
        self.shelf.book_mut(instrument).is_some_and(Book::take_changed)
    }

    /// Every book, in order of instrument ids.
    #[must_use]
    pub fn books(&self) -> &[Book] {
        self.shelf.books()
    }

    /// Contradictions met so far.
    #[must_use]
    pub const fn contradictions(&self) -> &Contradictions {
        self.shelf.contradictions()
    }

    /// The trading loop's timer found the instrument silent for too long, or takes that back. The
    /// next message of the instrument takes it back as well.
    pub fn set_stale(&mut self, instrument: InstrumentId, stale: bool) {
        if let Some(book) = self.shelf.book_mut(instrument) {
            book.health().set_stale(stale);
        }
    }

    /// Adds the content and state of every book to `hasher`, a few words an instrument.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        self.shelf.hash_into(hasher);
    }

    /// Checks that levels are sorted and not empty and that digests are theirs.
    ///
    /// # Errors
    /// [`Unsound`], naming the first book that does not hold together.
    pub fn audit(&self) -> Result<(), Unsound> {
        for (index, book) in (0u32..).zip(self.books()) {
            let unsound = |what| Unsound { instrument: InstrumentId(index), what };
            book.audit().map_err(unsound)?;
            let mut sum = 0u64;
            for side in Side::BOTH {
                for level in (0..book.depth(side)).filter_map(|depth| book.level(side, depth)) {
                    sum = sum.wrapping_add(digest::of(0, side, level.price, level.qty));
                }
            }
            if sum != book.digest() {
                return Err(unsound("digest is not that of its levels"));
            }
        }
        Ok(())
    }
}

fn level(book: &mut Book, event: &Event) -> Outcome {
    let side = event.side().ok_or(Contradiction::WrongSide)?;
    // Spreads trade at zero and below; this one has no negative.
    if event.price.raw() == i64::MIN {
        return Err(Contradiction::WrongPrice);
    }
    if event.qty.raw() < 0 {
        return Err(Contradiction::WrongQty);
    }
    book.set(side, event.price, event.qty)?;
    Ok(None)
}
