//! The book of one symbol of a recording, at a time or at the end.

use crate::cli::{BookAt, Moment};
use crate::report::words;
use feeds::recording::{Books, Clock, Recording, Unit};
use market::book::{Book, Contradictions, LevelBooks, OrderBooks};
use market::{BookView as _, Event, InstrumentId, Level, Side, Timestamp};

/// The only instrument of the books here.
const ONLY: InstrumentId = InstrumentId(0);
/// Levels shown of each side.
const SHOWN: usize = 10;

/// Books of the kind that the recording keeps.
enum Shelf {
    ByOrder(OrderBooks),
    ByLevel(LevelBooks),
}

/// A book that follows a recording up to a time.
pub(super) struct BookView {
    wanted: BookAt,
    /// When to stop, once that is known.
    until: Option<Timestamp>,
    over: bool,
    shelf: Option<Shelf>,
    qty_digits: u32,
    found: bool,
}

/// A book as it is shown.
pub(super) struct Shown {
    pub(super) symbol: String,
    pub(super) state: String,
    pub(super) updated: Timestamp,
    pub(super) qty_digits: u32,
    /// Levels of bids and asks, and how many there are.
    pub(super) sides: [(Vec<Level>, usize); 2],
    /// What did not fit the book, counted by reason.
    pub(super) contradictions: Vec<(&'static str, u64)>,
}

impl BookView {
    pub(super) fn new(wanted: &BookAt) -> BookView {
        let (wanted, shelf) = (wanted.clone(), None);
        BookView { wanted, until: None, over: false, shelf, qty_digits: 0, found: false }
    }

    /// Applies what concerns the symbol.
    pub(super) fn unit(&mut self, unit: &Unit, recording: &dyn Recording) {
        if self.over || unit.events.is_empty() {
            return;
        }
        let time =
            if unit.exchange_time == Timestamp::ZERO { unit.received } else { unit.exchange_time };
        let until = self.wanted.at.map(|at| {
            let clock = recording.describe().clock;
            *self.until.get_or_insert_with(|| resolve(at, time, clock))
        });
        if until.is_some_and(|until| time > until) {
            self.over = true;
            return;
        }
        let Some(known) = recording.instruments().find(&self.wanted.symbol) else { return };
        (self.found, self.qty_digits) = (true, known.qty_digits);
        if self.shelf.is_none() {
            self.shelf = Shelf::new(recording.describe().books);
        }
        let Some(shelf) = &mut self.shelf else { return };
        for event in &unit.events {
            if event.instrument == known.id || event.instrument == Event::ALL {
                shelf.apply(event);
            }
        }
    }

    /// The book as it stands, or why there is none.
    pub(super) fn show(&self) -> Result<Shown, String> {
        let symbol = self.wanted.symbol.clone();
        if !self.found {
            return Err(format!("no instrument {symbol} up to then"));
        }
        let Some(shelf) = &self.shelf else {
            return Err("this recording keeps no books".to_owned());
        };
        let (book, contradictions) = shelf.book();
        let sides = Side::BOTH.map(|side| {
            let levels = (0..SHOWN).map_while(|depth| book.level(side, depth)).collect();
            (levels, book.depth(side))
        });
        let met = contradictions.iter().filter(|&(_, count)| count > 0);
        Ok(Shown {
            symbol,
            state: words(book.state()),
            updated: book.updated(),
            qty_digits: self.qty_digits,
            sides,
            contradictions: met.map(|(reason, count)| (reason.text(), count)).collect(),
        })
    }
}

impl Shelf {
    fn new(books: Books) -> Option<Shelf> {
        match books {
            Books::ByOrder => {
                let mut books = OrderBooks::growing();
                books.admit(ONLY).then_some(Shelf::ByOrder(books))
            }
            Books::ByLevel => {
                let mut books = LevelBooks::growing();
                books.admit(ONLY).then_some(Shelf::ByLevel(books))
            }
            Books::None => None,
        }
    }

    fn apply(&mut self, event: &Event) {
        let instrument = if event.instrument == Event::ALL { Event::ALL } else { ONLY };
        let event = Event { instrument, ..*event };
        // What contradicts is counted, and the book Suspect.
        match self {
            Shelf::ByOrder(books) => books.apply(&event),
            Shelf::ByLevel(books) => books.apply(&event),
        };
    }

    fn book(&self) -> (&Book, &Contradictions) {
        match self {
            Shelf::ByOrder(books) => (books.book(ONLY), books.contradictions()),
            Shelf::ByLevel(books) => (books.book(ONLY), books.contradictions()),
        }
    }
}

/// A time that was given without a day is one of the recording's first day.
fn resolve(at: Moment, first: Timestamp, clock: Clock) -> Timestamp {
    let day = match (at.day, clock) {
        (Some(day), _) => day,
        (None, Clock::Utc) => first.midnight(),
        (None, Clock::TimeOfDay) => Timestamp::ZERO,
    };
    day.after(at.time)
}
