//! Fast books against their slow twins, event by event; states by hand; recorded data.

mod judge;
mod limits;
mod recorded;
mod replace;
mod states;

use super::{Applied, Book, BookLimits, Contradictions, Unsound, by_level, by_order, twin};
use crate::{
    BookState, BookView, Event, EventFlags, EventKind, InstrumentId, Level, Price, Qty, Side,
    StateHasher, Timestamp,
};

/// What every kind of books can do, so that one test body runs on all of them.
trait Books: Clone {
    fn new(limits: BookLimits) -> Self;
    fn apply(&mut self, event: &Event) -> Applied;
    fn set_stale(&mut self, instrument: u32, stale: bool);
    fn view(&self, instrument: u32) -> &dyn BookView;
    fn levels(&self, instrument: u32, side: Side) -> Vec<Level>;
    fn contradictions(&self) -> &Contradictions;
    fn hash(&self) -> u128;
    fn audit(&self) -> Result<(), Unsound>;

    fn state(&self, instrument: u32) -> BookState {
        self.view(instrument).state()
    }
}

fn fast_levels(book: &Book, side: Side) -> Vec<Level> {
    assert_eq!(book.level(side, book.depth(side)), None);
    (0..book.depth(side)).map(|depth| book.level(side, depth).unwrap()).collect()
}

macro_rules! books {
    ($books:ty, $levels:expr, $audit:expr) => {
        impl Books for $books {
            fn new(limits: BookLimits) -> Self {
                <$books>::new(limits)
            }
            fn apply(&mut self, event: &Event) -> Applied {
                self.apply(event)
            }
            fn set_stale(&mut self, instrument: u32, stale: bool) {
                self.set_stale(InstrumentId(instrument), stale);
            }
            fn view(&self, instrument: u32) -> &dyn BookView {
                self.book(InstrumentId(instrument))
            }
            fn levels(&self, instrument: u32, side: Side) -> Vec<Level> {
                $levels(self.book(InstrumentId(instrument)), side)
            }
            fn contradictions(&self) -> &Contradictions {
                self.contradictions()
            }
            fn hash(&self) -> u128 {
                let mut hasher = StateHasher::new();
                self.hash_into(&mut hasher);
                hasher.finish()
            }
            fn audit(&self) -> Result<(), Unsound> {
                $audit(self)
            }
        }
    };
}

books!(by_order::OrderBooks, fast_levels, by_order::OrderBooks::audit);
books!(by_level::LevelBooks, fast_levels, by_level::LevelBooks::audit);
books!(twin::OrderBooks, twin::Book::levels, |_| Ok(()));
books!(twin::LevelBooks, twin::Book::levels, |_| Ok(()));

const SMALL: BookLimits = BookLimits { instruments: 3, orders: 12, levels: 4 };

fn event(kind: EventKind, instrument: u32) -> Event {
    Event::new(kind, InstrumentId(instrument))
}

fn add(instrument: u32, id: u64, side: Side, price: i64, qty: i64) -> Event {
    Event {
        order: id,
        price: Price::from_raw(price),
        qty: Qty::from_raw(qty),
        ..event(EventKind::Add, instrument).with_side(Some(side))
    }
}

fn on(kind: EventKind, instrument: u32, id: u64, qty: i64) -> Event {
    Event { order: id, qty: Qty::from_raw(qty), ..event(kind, instrument) }
}

fn level(instrument: u32, side: Side, price: i64, qty: i64) -> Event {
    add(instrument, 0, side, price, qty).with_kind(EventKind::Level)
}

fn flagged(event: Event, flags: EventFlags) -> Event {
    Event { flags, ..event }
}

fn status(instrument: InstrumentId, status: u32) -> Event {
    Event { aux: status, ..Event::new(EventKind::Status, instrument) }
}

/// Applies an event that must not contradict the books.
fn must<B: Books>(books: &mut B, event: Event) -> Applied {
    let applied = books.apply(&event);
    assert_eq!(applied.contradiction, None, "{event:?}");
    assert_eq!(books.audit(), Ok(()));
    applied
}

/// Price, quantity and orders of each level, the best first.
fn rows<B: Books>(books: &B, instrument: u32, side: Side) -> Vec<(i64, i64, u32)> {
    let levels = books.levels(instrument, side);
    levels.iter().map(|level| (level.price.raw(), level.qty.raw(), level.orders)).collect()
}
