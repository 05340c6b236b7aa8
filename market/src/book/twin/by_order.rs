//! The judge by order: one map of orders an instrument, every level summed when asked.

use super::{Book, Feed, Outcome, Resting, common};
use crate::book::{Applied, BookLimits, Contradiction, Contradictions, Touched};
use crate::{
    BookState, Event, EventFlags, EventKind, InstrumentId, Price, Qty, Side, StateHasher, Trade,
};

/// Slow by-order books.
#[derive(Clone, Debug)]
pub struct OrderBooks {
    feed: Feed,
    /// Instrument and side of the `Delete` of a replace, if that was the event before.
    replaced: Option<(InstrumentId, Side)>,
}

impl OrderBooks {
    /// Empty books.
    #[must_use]
    pub fn new(limits: BookLimits) -> Self {
        OrderBooks { feed: Feed::new(limits), replaced: None }
    }

    common!();

    /// Applies one event.
    pub fn apply(&mut self, event: &Event) -> Applied {
        let half = self.replaced.take();
        let second = event.kind() == Some(EventKind::Add) && event.flags.has(EventFlags::REPLACE);
        match half {
            Some((instrument, side)) if second && instrument == event.instrument => {
                self.apply_order(event, Some(side))
            }
            Some((instrument, _)) => {
                self.feed.contradictions.count(Contradiction::TornReplace);
                self.feed.suspect(instrument);
                let mut applied = self.apply_order(event, None);
                applied.touched = Touched::All;
                applied.contradiction.get_or_insert(Contradiction::TornReplace);
                applied
            }
            None => self.apply_order(event, None),
        }
    }

    fn apply_order(&mut self, event: &Event, replaced: Option<Side>) -> Applied {
        use EventKind as K;
        let Some(kind @ (K::Add | K::Change | K::Reduce | K::Delete | K::Execute)) = event.kind()
        else {
            return self.feed.other(event);
        };
        if event.instrument.index() >= self.feed.books.len() {
            return self.feed.told(event, Touched::None, Err(Contradiction::UnknownInstrument));
        }
        self.feed.books[event.instrument.index()].message(event);
        let outcome = match kind {
            K::Add => self.add(event, replaced),
            K::Change => self.change(event),
            K::Delete => self.delete(event),
            _ => self.reduce(event),
        };
        self.feed.told(event, Touched::One(event.instrument), outcome)
    }

    fn add(&mut self, event: &Event, replaced: Option<Side>) -> Outcome {
        let side = match (event.flags.has(EventFlags::REPLACE), event.side(), replaced) {
            (false, Some(side), _) | (true, None, Some(side)) => side,
            (true, Some(own), Some(side)) if own == side => side,
            (true, _, None) => return Err(Contradiction::TornReplace),
            _ => return Err(Contradiction::WrongSide),
        };
        if event.price.raw() == i64::MIN {
            return Err(Contradiction::WrongPrice);
        }
        if event.qty <= Qty::ZERO {
            return Err(Contradiction::WrongQty);
        }
        if self.feed.books.iter().any(|book| book.orders.contains_key(&event.order)) {
            return Err(Contradiction::DuplicateOrder);
        }
        if self.feed.books.iter().map(|b| b.orders.len()).sum::<usize>() >= self.feed.limits.orders
        {
            return Err(Contradiction::OrdersFull);
        }
        let book = &mut self.feed.books[event.instrument.index()];
        match book.refusal(side, event.price, event.qty, self.feed.limits.levels) {
            Some(refusal) => Err(refusal),
            None => {
                let order = Resting { side, price: event.price, qty: event.qty };
                book.orders.insert(event.order, order);
                Ok(None)
            }
        }
    }

    fn change(&mut self, event: &Event) -> Outcome {
        if event.price.raw() == i64::MIN {
            return Err(Contradiction::WrongPrice);
        }
        if event.qty <= Qty::ZERO {
            return Err(Contradiction::WrongQty);
        }
        let book = &mut self.feed.books[event.instrument.index()];
        let order = book.orders.remove(&event.order).ok_or(Contradiction::UnknownOrder)?;
        match book.refusal(order.side, event.price, event.qty, self.feed.limits.levels) {
            Some(refusal) => Err(refusal),
            None => {
                let order = Resting { price: event.price, qty: event.qty, ..order };
                book.orders.insert(event.order, order);
                Ok(None)
            }
        }
    }

    fn delete(&mut self, event: &Event) -> Outcome {
        let book = &mut self.feed.books[event.instrument.index()];
        let order = book.orders.remove(&event.order).ok_or(Contradiction::UnknownOrder)?;
        if event.flags.has(EventFlags::REPLACE) {
            self.replaced = Some((event.instrument, order.side));
        }
        Ok(None)
    }

    /// `Reduce` and `Execute`.
    fn reduce(&mut self, event: &Event) -> Outcome {
        let executed = event.kind() == Some(EventKind::Execute);
        let priced = executed && event.flags.has(EventFlags::PRICED);
        if priced && event.price <= Price::ZERO {
            return Err(Contradiction::WrongPrice);
        }
        if event.qty <= Qty::ZERO {
            return Err(Contradiction::WrongQty);
        }
        let book = &mut self.feed.books[event.instrument.index()];
        let order = book.orders.remove(&event.order).ok_or(Contradiction::UnknownOrder)?;
        if event.qty > order.qty {
            return Err(Contradiction::TooMuch);
        }
        if event.qty < order.qty {
            let qty = Qty::from_raw(order.qty.raw() - event.qty.raw());
            book.orders.insert(event.order, Resting { qty, ..order });
        }
        Ok(executed.then_some(Trade {
            instrument: event.instrument,
            resting: Some(order.side),
            price: if priced { event.price } else { order.price },
            qty: event.qty,
            exchange_time: event.exchange_time,
        }))
    }

    /// As of the fast books, from scratch.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        self.feed.hash_into(hasher);
        hasher.word(match self.replaced {
            Some((instrument, side)) => 1 + 2 * (side as u64) + (u64::from(instrument.0) << 32),
            None => 0,
        });
    }
}
