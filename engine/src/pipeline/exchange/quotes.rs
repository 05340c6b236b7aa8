//! What the market shows, for sessions of market data: books as they are published, and the trades
//! since they were last told. Kept only where somebody may ask.

use market::book::OrderBooks;
use market::{BookView, Event, InstrumentId, Price, Qty, Side, Trade};

/// Trades that wait to be told; more between two looks are not.
const TRADES_MAX: usize = 1_024;

/// Books and trades.
#[derive(Debug)]
pub struct Quotes {
    books: OrderBooks,
    trades: Vec<(u64, Trade)>,
    last_trade: u64,
    changed: bool,
}

impl Quotes {
    /// Empty books of so many instruments.
    #[must_use]
    pub fn new(instruments: usize) -> Quotes {
        let mut books = OrderBooks::growing();
        if let Some(last) = instruments.checked_sub(1).and_then(|last| u32::try_from(last).ok()) {
            books.admit(InstrumentId(last));
        }
        Quotes { books, trades: Vec::with_capacity(TRADES_MAX), last_trade: 0, changed: false }
    }

    /// Takes an event of the venue.
    pub fn event(&mut self, event: &Event) {
        self.changed = true;
        let Some(trade) = self.books.apply(event).trade else { return };
        self.last_trade += 1;
        if self.trades.len() < TRADES_MAX {
            self.trades.push((self.last_trade, trade));
        }
    }

    /// The best levels of a side.
    pub fn top(
        &self,
        instrument: InstrumentId,
        side: Side,
        depth: usize,
    ) -> impl Iterator<Item = (Price, Qty)> + '_ {
        let book = self.books.book(instrument);
        let levels = (0..depth).map_while(move |place| book.level(side, place));
        levels.map(|level| (level.price, level.qty))
    }

    /// Trades that were not told yet, with their numbers.
    pub fn trades(&self, instrument: InstrumentId) -> impl Iterator<Item = (u64, Trade)> + '_ {
        self.trades.iter().filter(move |(_, trade)| trade.instrument == instrument).copied()
    }

    /// Something was said since everybody was told.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Everybody was told.
    pub fn told(&mut self) {
        self.trades.clear();
        self.changed = false;
    }
}
