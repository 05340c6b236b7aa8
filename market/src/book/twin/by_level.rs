//! The judge by level: one map of totals an instrument.

use super::{Book, Feed, Outcome, common};
use crate::book::{Applied, BookLimits, Contradiction, Contradictions, Touched};
use crate::{BookState, Event, EventKind, InstrumentId, Qty, StateHasher};

/// Slow by-level books.
#[derive(Clone, Debug)]
pub struct LevelBooks {
    feed: Feed,
}

impl LevelBooks {
    /// Empty books.
    #[must_use]
    pub fn new(limits: BookLimits) -> Self {
        LevelBooks { feed: Feed::new(limits) }
    }

    common!();

    /// Applies one event.
    pub fn apply(&mut self, event: &Event) -> Applied {
        let known = event.instrument.index() < self.feed.books.len();
        if event.kind() == Some(EventKind::Trade) && known {
            let outcome = Ok(crate::book::shelf::trade(event));
            return self.feed.told(event, Touched::One(event.instrument), outcome);
        }
        if event.kind() != Some(EventKind::Level) || !known {
            return self.feed.other(event);
        }
        self.feed.books[event.instrument.index()].message(event);
        let outcome = self.level(event);
        self.feed.told(event, Touched::One(event.instrument), outcome)
    }

    fn level(&mut self, event: &Event) -> Outcome {
        let side = event.side().ok_or(Contradiction::WrongSide)?;
        if event.price.raw() == i64::MIN {
            return Err(Contradiction::WrongPrice);
        }
        if event.qty < Qty::ZERO {
            return Err(Contradiction::WrongQty);
        }
        let book = &mut self.feed.books[event.instrument.index()];
        if event.qty == Qty::ZERO {
            book.totals.remove(&(side, event.price));
            return Ok(None);
        }
        let known = book.totals.contains_key(&(side, event.price));
        if !known && book.levels(side).len() >= self.feed.limits.levels {
            return Err(Contradiction::LevelsFull);
        }
        book.totals.insert((side, event.price), event.qty);
        Ok(None)
    }

    /// As of the fast books, from scratch.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        self.feed.hash_into(hasher);
    }
}
