//! The exchange: price-time matching with public market data by order.
//!
//! Rebuilding books from its events gives its own books, at every moment. An order that loses its
//! place gets a new public number (as an ITCH Replace does) and keeps its `VenueOrderId`.

use crate::matching::Matching;
use crate::{
    AccountId, ExchangeLimits, OpenOrder, Output, Run, SelfTradePolicy, SetupError, Venue,
};
use market::{
    BookState, BookView, Command, Instrument, InstrumentId, Level, OrderId, Position, Side,
    StateHasher, Timestamp, TradingStatus,
};

/// A price-time matching exchange.
///
/// ```
/// use market::{Command, Instrument, InstrumentId, OrderId, Qty, Side, Timestamp};
/// use sim::{AccountId, Exchange, ExchangeLimits, Tape, Venue};
///
/// let instruments = vec![Instrument::share(0, "X")];
/// let mut exchange =
///     Exchange::new(instruments, ExchangeLimits::default(), Default::default(), Default::default())?;
/// let mut tape = Tape::default();
/// let price = "10.00".parse()?;
/// let bid = Command::new(OrderId(1), InstrumentId(0), Side::Buy, price, Qty::from_raw(100));
/// exchange.command(AccountId(0), &bid, Timestamp::ZERO, &mut tape);
/// assert_eq!(exchange.open_orders(AccountId(0)), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Exchange {
    matching: Matching,
}

impl Exchange {
    /// An exchange for `instruments`, all of them trading.
    ///
    /// # Errors
    /// [`SetupError`] names the instrument or limit that does not work.
    pub fn new(
        instruments: Vec<Instrument>,
        limits: ExchangeLimits,
        policy: SelfTradePolicy,
        run: Run,
    ) -> Result<Self, SetupError> {
        let mut matching = Matching::new(instruments, &limits, policy, run, true)?;
        for book in &mut matching.books {
            book.status = TradingStatus::Trading;
        }
        Ok(Exchange { matching })
    }

    /// Changes the trading status of an instrument and says so with an event. Only `Trading` takes
    /// new orders and replaces; cancels always work; `Closed` expires every order of the
    /// instrument. An unknown instrument is ignored.
    pub fn set_status(
        &mut self,
        instrument: InstrumentId,
        status: TradingStatus,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        self.matching.set_status(instrument, status, now, out);
    }

    /// The instruments traded.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.matching.desk.instruments
    }

    /// The exchange's own book of an instrument; `None` for an unknown one.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<ExchangeBook<'_>> {
        self.matching.books.get(instrument.index()).map(|book| ExchangeBook { book })
    }

    /// The best level of a side.
    #[must_use]
    pub fn best(&self, instrument: InstrumentId, side: Side) -> Option<Level> {
        self.book(instrument)?.best(side)
    }

    /// The open order that `account` knows by `id`.
    #[must_use]
    pub fn open_order(&self, account: AccountId, id: OrderId) -> Option<OpenOrder> {
        let slot = self.matching.desk.find(account, id)?;
        Some(self.matching.desk.show(&self.matching.orders[slot]))
    }

    /// Fills that could not be counted in a position because it left the range of arithmetic.
    #[must_use]
    pub fn unbooked(&self) -> u64 {
        self.matching.desk.unbooked
    }
}

/// The exchange's own book of one instrument.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeBook<'a> {
    book: &'a crate::matching::Book,
}

impl BookView for ExchangeBook<'_> {
    fn state(&self) -> BookState {
        match self.book.status {
            TradingStatus::Trading | TradingStatus::Unknown => BookState::Live,
            TradingStatus::Auction => BookState::Auction,
            TradingStatus::Halted | TradingStatus::Closed => BookState::Halted,
        }
    }

    fn level(&self, side: Side, depth: usize) -> Option<Level> {
        self.book.ours[side.index()].level(depth)
    }

    fn depth(&self, side: Side) -> usize {
        self.book.ours[side.index()].depth()
    }

    fn updated(&self) -> Timestamp {
        self.book.updated
    }
}

impl Venue for Exchange {
    fn command(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        self.matching.command(account, command, now, out);
    }

    fn cancel_all(&mut self, account: AccountId, now: Timestamp, out: &mut dyn Output) {
        self.matching.cancel_where(account, |_| true, now, out);
    }

    fn position(&self, account: AccountId, instrument: InstrumentId) -> Position {
        self.matching.desk.position(account, instrument)
    }

    fn open_orders(&self, account: AccountId) -> usize {
        self.matching.desk.open_orders(account)
    }

    fn visit_open_orders(&self, account: AccountId, visit: &mut dyn FnMut(&OpenOrder)) {
        self.matching.visit(account, visit);
    }

    fn state_hash(&self, hasher: &mut StateHasher) {
        self.matching.hash_into(hasher);
    }
}
