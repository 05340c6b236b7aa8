//! What frames of crypto venues come to: a reader and the books that follow it.

use feeds::recording::{Options, Recording, Unit, open_bytes};
use market::book::LevelBooks;
use market::{BookState, BookView, EventKind, InstrumentId, Side};

pub const ONLY: InstrumentId = InstrumentId(0);

/// A reader and the books that follow it.
pub struct Run<'a> {
    pub recording: Box<dyn Recording + 'a>,
    pub books: LevelBooks,
    pub unit: Unit,
}

impl<'a> Run<'a> {
    pub fn new(recording: Box<dyn Recording + 'a>) -> Run<'a> {
        Run { recording, books: LevelBooks::growing(), unit: Unit::default() }
    }

    pub fn step(&mut self) -> bool {
        if !self.recording.next_unit(&mut self.unit).unwrap() {
            return false;
        }
        for event in &self.unit.events {
            assert!(self.books.admit(event.instrument));
            assert_eq!(self.books.apply(event).contradiction, None, "{event:?}");
        }
        true
    }

    pub fn all(mut self) -> Run<'a> {
        while self.step() {}
        self.books.audit().unwrap();
        self
    }

    pub fn kinds(&self) -> Vec<EventKind> {
        self.unit.events.iter().filter_map(market::Event::kind).collect()
    }

    /// The best levels as texts.
    pub fn top(&self, id: InstrumentId) -> [Option<(String, String)>; 2] {
        let digits = self.recording.instruments().get(id).map_or(0, |known| known.qty_digits);
        Side::BOTH.map(|side| {
            let best = self.books.book(id).best(side)?;
            Some((best.price.to_string(), best.qty.to_decimal(digits).to_string()))
        })
    }

    pub fn state(&self, id: InstrumentId) -> BookState {
        self.books.book(id).state()
    }

    pub fn skipped(&self) -> Vec<(&'static str, u64)> {
        self.recording.log().skipped().map(|(reason, count, _)| (reason, count)).collect()
    }
}

pub fn read(bytes: &[u8]) -> Run<'_> {
    Run::new(open_bytes(bytes, Options::default()).unwrap())
}

/// A price and a quantity of the best level.
pub fn best(price: &str, qty: &str) -> Option<(String, String)> {
    Some((price.to_owned(), qty.to_owned()))
}
