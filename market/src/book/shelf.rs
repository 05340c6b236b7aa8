//! All books of one feed, and what is the same by order and by level: who an event concerns, what
//! is heard, counted and marked Suspect. It never looks at an order or a level.

use super::{Applied, Book, BookLimits, Contradiction, Contradictions, Touched};
use crate::{Event, EventFlags, EventKind, InstrumentId, StateHasher, Trade};

/// What an event of one instrument came to.
pub(crate) type Outcome = Result<Option<Trade>, Contradiction>;

#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    books: Vec<Book>,
    /// For research: more instruments may come, and no level is refused for want of room.
    grow: bool,
    /// The book of every instrument beyond the limits: empty, and Recovering for ever.
    nowhere: Book,
    contradictions: Contradictions,
    /// Some books may be in the middle of a snapshot: spares a walk, decides nothing.
    snapshot: bool,
}

impl Shelf {
    pub(crate) fn new(limits: BookLimits) -> Self {
        Shelf {
            books: (0..limits.instruments).map(|_| Book::new(limits.levels)).collect(),
            grow: false,
            nowhere: Book::new(0),
            contradictions: Contradictions::default(),
            snapshot: false,
        }
    }

    pub(crate) fn growing() -> Self {
        let none = BookLimits { instruments: 0, orders: 0, levels: 0 };
        Shelf { grow: true, ..Shelf::new(none) }
    }

    /// Makes books for all instruments up to this one; true if it has one now.
    pub(crate) fn admit(&mut self, instrument: InstrumentId) -> bool {
        let wanted = instrument.index().saturating_add(1);
        if self.grow && wanted <= BookLimits::INSTRUMENTS_MAX {
            while self.books.len() < wanted {
                self.books.push(Book::growing());
            }
        }
        instrument.index() < self.books.len()
    }

    pub(crate) fn book(&self, instrument: InstrumentId) -> &Book {
        self.books.get(instrument.index()).unwrap_or(&self.nowhere)
    }

    pub(crate) fn book_mut(&mut self, instrument: InstrumentId) -> Option<&mut Book> {
        self.books.get_mut(instrument.index())
    }

    /// Begins to fetch a book.
    #[inline]
    pub(crate) fn prefetch(&self, instrument: InstrumentId) {
        if let Some(book) = self.books.get(instrument.index()) {
            book.prefetch();
        }
    }

    pub(crate) fn books(&self) -> &[Book] {
        &self.books
    }

    pub(crate) const fn contradictions(&self) -> &Contradictions {
        &self.contradictions
    }

    /// A message about one instrument; `act` does to its book what it says.
    #[inline]
    pub(crate) fn message(
        &mut self,
        event: &Event,
        act: impl FnOnce(&mut Book) -> Outcome,
    ) -> Applied {
        let Some(book) = self.books.get_mut(event.instrument.index()) else {
            return self.told(event, Touched::None, Err(Contradiction::UnknownInstrument));
        };
        book.message(event);
        let outcome = act(book);
        if outcome.is_err() {
            book.health().contradicted();
        }
        self.told(event, Touched::One(event.instrument), outcome)
    }

    /// A trade that says nothing of the book: it comes by a channel of its own, and that one may go on
    /// while the channel of the levels is silent.
    pub(crate) fn beside(&mut self, event: &Event, trade: Option<Trade>) -> Applied {
        if event.instrument.index() < self.books.len() {
            self.told(event, Touched::One(event.instrument), Ok(trade))
        } else {
            self.told(event, Touched::None, Err(Contradiction::UnknownInstrument))
        }
    }

    /// Any event that is not about an order or a level.
    pub(crate) fn other(&mut self, event: &Event) -> Applied {
        match event.kind() {
            Some(EventKind::Mark | EventKind::Entry) => self.told(event, Touched::None, Ok(None)),
            Some(EventKind::Trade) => self.message(event, |_| Ok(trade(event))),
            Some(
                kind @ (EventKind::Clear
                | EventKind::Status
                | EventKind::Gap
                | EventKind::Recovered
                | EventKind::Lost
                | EventKind::Reset),
            ) => self.whole(kind, event),
            _ => self.message(event, |_| Err(Contradiction::WrongKind)),
        }
    }

    /// An event about whole books, of one instrument or of all.
    fn whole(&mut self, kind: EventKind, event: &Event) -> Applied {
        let (books, touched) = if event.instrument == Event::ALL {
            (&mut self.books[..], Touched::All)
        } else {
            match self.books.get_mut(event.instrument.index()) {
                Some(book) => (std::slice::from_mut(book), Touched::One(event.instrument)),
                None => {
                    let unknown = Err(Contradiction::UnknownInstrument);
                    return self.told(event, Touched::None, unknown);
                }
            }
        };
        let mut outcome = Ok(None);
        for book in books {
            if let Err(contradiction) = book.whole(kind, event) {
                book.health().contradicted();
                outcome = Err(contradiction);
            }
        }
        self.told(event, touched, outcome)
    }

    /// Counts what was wrong and closes a snapshot that ends here.
    #[inline]
    fn told(&mut self, event: &Event, mut touched: Touched, outcome: Outcome) -> Applied {
        if event.flags.has(EventFlags::SNAPSHOT) && self.within_snapshot(event) {
            touched = Touched::All;
        }
        match outcome {
            Ok(trade) => Applied { touched, trade, contradiction: None },
            Err(contradiction) => {
                self.contradictions.count(contradiction);
                Applied { touched, trade: None, contradiction: Some(contradiction) }
            }
        }
    }

    /// An event of a snapshot; true of the one that completes it.
    #[cold]
    fn within_snapshot(&mut self, event: &Event) -> bool {
        let ends = event.flags.has(EventFlags::LAST);
        if !ends {
            self.snapshot = true;
        } else if std::mem::take(&mut self.snapshot) {
            self.books.iter_mut().for_each(|book| book.health().rebuilt());
        }
        ends
    }

    /// Marks a book that an event of another one has contradicted.
    pub(crate) fn contradict(&mut self, instrument: InstrumentId, reason: Contradiction) {
        self.contradictions.count(reason);
        if let Some(book) = self.book_mut(instrument) {
            book.health().contradicted();
        }
    }

    pub(crate) fn hash_into(&self, hasher: &mut StateHasher) {
        self.books.iter().for_each(|book| book.hash_into(hasher));
        self.contradictions.iter().for_each(|(_, count)| hasher.word(count));
    }
}

/// The trade of a `Trade` event. Crosses of nothing are legal (ITCH Q with no shares) and are none.
pub(crate) fn trade(event: &Event) -> Option<Trade> {
    let real = event.price.raw() > 0 && event.qty.is_positive();
    real.then_some(Trade {
        instrument: event.instrument,
        resting: event.side(),
        price: event.price,
        qty: event.qty,
        exchange_time: event.exchange_time,
    })
}
