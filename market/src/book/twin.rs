//! The judge: the same books written slowly and obviously, from maps, recomputing everything when
//! asked. Tests run one body on both and compare after every event. Never used in a trading loop.

mod by_level;
mod by_order;

pub use by_level::LevelBooks;
pub use by_order::OrderBooks;

use super::{Applied, BookLimits, Contradiction, Contradictions, Touched, digest};
use crate::{
    BookState, BookView, Event, EventFlags, EventKind, InstrumentId, Level, Price, Qty, Side,
    StateHasher, Timestamp, Trade, TradingStatus,
};
use std::collections::{BTreeMap, BTreeSet};

type Outcome = Result<Option<Trade>, Contradiction>;

/// One order of a twin's book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Side it rests on.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// What is open of it.
    pub qty: Qty,
}

/// The slow book of one instrument.
#[derive(Clone, Debug)]
pub struct Book {
    /// Orders by id; empty by level.
    pub orders: BTreeMap<u64, Resting>,
    /// Totals by side and price; empty by order.
    pub totals: BTreeMap<(Side, Price), Qty>,
    /// Reasons not to trust the book, other than its prices and a snapshot under way.
    pub reasons: BTreeSet<BookState>,
    /// A snapshot is under way.
    pub rebuilding: bool,
    status: TradingStatus,
    updated: Timestamp,
}

impl Book {
    fn new() -> Self {
        Book {
            orders: BTreeMap::new(),
            totals: BTreeMap::new(),
            reasons: BTreeSet::from([BookState::Recovering]),
            rebuilding: false,
            status: TradingStatus::Unknown,
            updated: Timestamp::default(),
        }
    }

    /// Every level of a side, the best first.
    #[must_use]
    pub fn levels(&self, side: Side) -> Vec<Level> {
        let mut levels: BTreeMap<Price, Level> = BTreeMap::new();
        for order in self.orders.values().filter(|order| order.side == side) {
            let empty = Level { price: order.price, ..Level::default() };
            let level = levels.entry(order.price).or_insert(empty);
            level.qty = Qty::from_raw(level.qty.raw() + order.qty.raw());
            level.orders += 1;
        }
        for (&(_, price), &qty) in self.totals.iter().filter(|((at, _), _)| *at == side) {
            levels.insert(price, Level { price, qty, orders: 0 });
        }
        match side {
            Side::Buy => levels.into_values().rev().collect(),
            Side::Sell => levels.into_values().collect(),
        }
    }

    /// Would this order find room?
    fn refusal(&self, side: Side, price: Price, qty: Qty, limit: usize) -> Option<Contradiction> {
        let levels = self.levels(side);
        match levels.iter().find(|level| level.price == price) {
            Some(level) => level.qty.checked_add(qty).is_none().then_some(Contradiction::Overflow),
            None => (levels.len() >= limit).then_some(Contradiction::LevelsFull),
        }
    }

    fn message(&mut self, event: &Event) {
        self.reasons.remove(&BookState::Recovering);
        self.reasons.remove(&BookState::Stale);
        self.rebuilding =
            event.flags.has(EventFlags::SNAPSHOT) && !event.flags.has(EventFlags::LAST);
        self.updated = event.exchange_time;
    }

    fn set_status(&mut self, status: TradingStatus) {
        self.status = status;
        self.reasons.remove(&BookState::Halted);
        self.reasons.remove(&BookState::Auction);
        match status {
            TradingStatus::Unknown | TradingStatus::Trading => {}
            TradingStatus::Halted | TradingStatus::Closed => {
                self.reasons.insert(BookState::Halted);
            }
            TradingStatus::Auction => {
                self.reasons.insert(BookState::Auction);
            }
        }
    }

    fn whole(&mut self, event: &Event) -> Outcome {
        match event.kind() {
            Some(EventKind::Clear) => {
                self.message(event);
                self.reasons.remove(&BookState::Suspect);
                self.orders.clear();
                self.totals.clear();
            }
            Some(EventKind::Status) => {
                self.message(event);
                match TradingStatus::from_aux(event.aux) {
                    Some(status) => self.set_status(status),
                    None => return Err(Contradiction::WrongStatus),
                }
            }
            Some(EventKind::Gap) => {
                self.reasons.insert(BookState::Gap);
            }
            Some(EventKind::Recovered) => {
                self.reasons.remove(&BookState::Gap);
                self.rebuilding = false;
            }
            Some(EventKind::Lost) => {
                self.reasons.remove(&BookState::Gap);
                self.reasons.insert(BookState::Suspect);
            }
            Some(EventKind::Reset) => *self = Book { updated: self.updated, ..Book::new() },
            _ => return Err(Contradiction::WrongKind),
        }
        Ok(None)
    }

    fn hash_into(&self, hasher: &mut StateHasher) {
        let orders = self.orders.iter().map(|(&id, o)| digest::of(id, o.side, o.price, o.qty));
        let totals =
            self.totals.iter().map(|(&(side, price), &qty)| digest::of(0, side, price, qty));
        hasher.word(orders.chain(totals).fold(0, u64::wrapping_add));
        hasher.word(self.orders.len() as u64);
        let has = |state| u64::from(self.reasons.contains(&state));
        hasher.word(
            has(BookState::Recovering)
                + 2 * u64::from(self.rebuilding)
                + 4 * has(BookState::Gap)
                + 8 * has(BookState::Suspect)
                + 16 * has(BookState::Stale)
                + 256 * (self.status as u64),
        );
        hasher.word(self.updated.nanos());
    }
}

impl BookView for Book {
    fn state(&self) -> BookState {
        let mut reasons = self.reasons.clone();
        reasons.insert(BookState::Live);
        if self.rebuilding {
            reasons.insert(BookState::Recovering);
        }
        if let (Some(bid), Some(ask)) = (self.best(Side::Buy), self.best(Side::Sell)) {
            if bid.price == ask.price {
                reasons.insert(BookState::Locked);
            }
            if bid.price > ask.price {
                reasons.insert(BookState::Crossed);
            }
        }
        reasons.into_iter().max().unwrap_or(BookState::Live)
    }

    fn level(&self, side: Side, depth: usize) -> Option<Level> {
        self.levels(side).get(depth).copied()
    }

    fn depth(&self, side: Side) -> usize {
        self.levels(side).len()
    }

    fn updated(&self) -> Timestamp {
        self.updated
    }
}

/// Whole-book events, marks and entries, which are the same by order and by level, and trades by order.
#[derive(Clone, Debug)]
struct Feed {
    limits: BookLimits,
    books: Vec<Book>,
    contradictions: Contradictions,
}

impl Feed {
    fn new(limits: BookLimits) -> Self {
        let books = vec![Book::new(); limits.instruments];
        Feed { limits, books, contradictions: Contradictions::default() }
    }

    /// Marks the instruments of `touched` as contradicted if `outcome` says so.
    fn told(&mut self, event: &Event, touched: Touched, outcome: Outcome) -> Applied {
        let mut applied = Applied { touched, trade: None, contradiction: None };
        match outcome {
            Ok(trade) => applied.trade = trade,
            Err(contradiction) => {
                applied.contradiction = Some(contradiction);
                self.contradictions.count(contradiction);
                match touched {
                    Touched::None => {}
                    Touched::One(instrument) => self.suspect(instrument),
                    Touched::All => {
                        for index in 0..self.books.len() {
                            self.books[index].reasons.insert(BookState::Suspect);
                        }
                    }
                }
            }
        }
        if event.flags.has(EventFlags::SNAPSHOT) && event.flags.has(EventFlags::LAST) {
            for book in &mut self.books {
                book.rebuilding = false;
            }
            applied.touched = Touched::All;
        }
        applied
    }

    fn suspect(&mut self, instrument: InstrumentId) {
        self.books[instrument.index()].reasons.insert(BookState::Suspect);
    }

    fn other(&mut self, event: &Event) -> Applied {
        use EventKind as K;
        let whole = matches!(
            event.kind(),
            Some(K::Clear | K::Status | K::Gap | K::Recovered | K::Lost | K::Reset)
        );
        if matches!(event.kind(), Some(K::Mark | K::Entry)) {
            return self.told(event, Touched::None, Ok(None));
        }
        if whole && event.instrument == Event::ALL {
            let mut outcome = Ok(None);
            for book in &mut self.books {
                if let Err(contradiction) = book.whole(event) {
                    outcome = Err(contradiction);
                }
            }
            return self.told(event, Touched::All, outcome);
        }
        if event.instrument.index() >= self.books.len() {
            return self.told(event, Touched::None, Err(Contradiction::UnknownInstrument));
        }
        let book = &mut self.books[event.instrument.index()];
        let outcome = if whole {
            book.whole(event)
        } else {
            book.message(event);
            match event.kind() {
                Some(K::Trade) => Ok(super::shelf::trade(event)),
                _ => Err(Contradiction::WrongKind),
            }
        };
        self.told(event, Touched::One(event.instrument), outcome)
    }

    fn hash_into(&self, hasher: &mut StateHasher) {
        for book in &self.books {
            book.hash_into(hasher);
        }
        for reason in Contradiction::ALL {
            hasher.word(self.contradictions.of(reason));
        }
    }
}

/// What both kinds offer.
macro_rules! common {
    () => {
        /// The book of one instrument.
        ///
        /// # Panics
        /// If it is beyond the limits: the judge is only asked of what it has.
        #[must_use]
        pub fn book(&self, instrument: InstrumentId) -> &Book {
            &self.feed.books[instrument.index()]
        }

        /// Every book, in order of instrument ids.
        #[must_use]
        pub fn books(&self) -> &[Book] {
            &self.feed.books
        }

        /// Contradictions met so far.
        #[must_use]
        pub const fn contradictions(&self) -> &Contradictions {
            &self.feed.contradictions
        }

        /// As of the fast books.
        pub fn set_stale(&mut self, instrument: InstrumentId, stale: bool) {
            if let Some(book) = self.feed.books.get_mut(instrument.index()) {
                if stale {
                    book.reasons.insert(BookState::Stale);
                } else {
                    book.reasons.remove(&BookState::Stale);
                }
            }
        }
    };
}
use common;
