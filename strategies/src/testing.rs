//! A desk to try a strategy at without an engine: set the book and the position, call an occasion,
//! look at what is wanted.
//!
//! It matches nothing and simulates nothing: every act is taken in at once and rests, until a quote or
//! a withdrawal hands its instrument back to the quoter. For fills in a market use a backtest.

use crate::{Context, NewOrder, Quote, Refused, TimerId, Wanted};
use market::{
    BookState, BookView, Instrument, InstrumentId, Level, Nanos, OrderId, OrderState, OrderView,
    Position, Price, Qty, Rng, Side, Timestamp,
};
use std::collections::BTreeMap;

/// A book that holds what it is told.
#[derive(Clone, Debug)]
pub struct DeskBook {
    /// Its state; Live at first.
    pub state: BookState,
    /// Venue time of the last change.
    pub updated: Timestamp,
    levels: [Vec<Level>; 2],
}

impl BookView for DeskBook {
    fn state(&self) -> BookState {
        self.state
    }

    fn level(&self, side: Side, depth: usize) -> Option<Level> {
        self.levels[side.index()].get(depth).copied()
    }

    fn depth(&self, side: Side) -> usize {
        self.levels[side.index()].len()
    }

    fn updated(&self) -> Timestamp {
        self.updated
    }
}

#[derive(Clone, Debug)]
struct Pitch {
    instrument: Instrument,
    book: DeskBook,
    position: Position,
    wanted: Wanted,
    acts: bool,
}

/// A [`Context`] for tests. Its instruments are numbered as given: the first has index 0.
///
/// ```
/// use market::{Instrument, InstrumentId, Side};
/// use strategies::{Parameters, testing::Desk};
/// let mut desk = Desk::new(vec![Instrument::share(0, "ARL")]);
/// let id = InstrumentId(0);
/// desk.set_book(id, &[("10.00", 500)], &[("10.02", 300)]);
/// let spec = strategies::find("joiner").unwrap();
/// let parameters = Parameters::new(spec.parameters, &[("size", 100.0)]).unwrap();
/// let mut joiner = (spec.build)(&parameters).unwrap();
/// joiner.on_book(&mut desk, id);
/// assert_eq!(desk.wanted(id).side(Side::Buy)[0].price, "10.00".parse().unwrap());
/// ```
#[derive(Clone, Debug)]
pub struct Desk {
    /// The time a strategy is told.
    pub now: Timestamp,
    /// Timers set and not yet taken.
    pub timers: BTreeMap<TimerId, Timestamp>,
    /// Wanted states that were not valid.
    pub refused: u64,
    /// Open orders, oldest first: those of acts, and whatever a test puts here.
    pub orders: Vec<OrderView>,
    /// Whether books are said to show our own orders.
    pub shows_own_orders: bool,
    ids: Vec<InstrumentId>,
    pitches: Vec<Pitch>,
    rng: Rng,
    last_id: u64,
}

impl Desk {
    /// A desk with these instruments, empty books and no positions.
    #[must_use]
    pub fn new(instruments: Vec<Instrument>) -> Desk {
        let pitch = |(id, instrument): (u32, Instrument)| Pitch {
            instrument: Instrument { id: InstrumentId(id), ..instrument },
            book: DeskBook {
                state: BookState::Live,
                updated: Timestamp::ZERO,
                levels: [Vec::new(), Vec::new()],
            },
            position: Position::default(),
            wanted: Wanted::default(),
            acts: false,
        };
        let pitches: Vec<Pitch> = (0..).zip(instruments).map(pitch).collect();
        Desk {
            now: Timestamp::ZERO,
            timers: BTreeMap::new(),
            refused: 0,
            orders: Vec::new(),
            shows_own_orders: true,
            ids: pitches.iter().map(|pitch| pitch.instrument.id).collect(),
            pitches,
            rng: Rng::new(1),
            last_id: 0,
        }
    }

    /// Sets both sides of a book, best first, as price and raw quantity.
    ///
    /// # Panics
    /// If a price is no decimal: a slip in the test.
    pub fn set_book(&mut self, id: InstrumentId, bids: &[(&str, i64)], asks: &[(&str, i64)]) {
        let side = |levels: &[(&str, i64)]| {
            let level = |&(price, qty): &(&str, i64)| {
                let price = price.parse().expect("a decimal price");
                Level { price, qty: Qty::from_raw(qty), orders: 1 }
            };
            levels.iter().map(level).collect()
        };
        let book = &mut self.pitches[id.index()].book;
        book.levels = [side(bids), side(asks)];
        book.updated = self.now;
    }

    /// Sets the state of a book.
    pub fn set_state(&mut self, id: InstrumentId, state: BookState) {
        self.pitches[id.index()].book.state = state;
    }

    /// Sets what is held of an instrument, in raw quantity.
    pub fn set_net(&mut self, id: InstrumentId, net: i64) {
        self.pitches[id.index()].position.net = net;
    }

    /// The quotes wanted now.
    #[must_use]
    pub fn wanted(&self, id: InstrumentId) -> &Wanted {
        &self.pitches[id.index()].wanted
    }

    /// Moves time to the first timer that is due and takes it; the caller rings it.
    pub fn next_timer(&mut self) -> Option<TimerId> {
        let (&timer, &at) = self.timers.iter().min_by_key(|(timer, at)| (**at, **timer))?;
        self.timers.remove(&timer);
        self.now = self.now.max(at);
        Some(timer)
    }

    fn next_id(&mut self) -> OrderId {
        self.last_id += 1;
        OrderId(self.last_id)
    }

    fn order(&mut self, id: OrderId) -> Result<&mut OrderView, Refused> {
        self.orders.iter_mut().find(|order| order.id == id).ok_or(Refused::UnknownOrder)
    }
}

impl Context for Desk {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn instruments(&self) -> &[InstrumentId] {
        &self.ids
    }

    fn instrument(&self, id: InstrumentId) -> &Instrument {
        &self.pitches[id.index()].instrument
    }

    fn book(&self, id: InstrumentId) -> &dyn BookView {
        &self.pitches[id.index()].book
    }

    fn position(&self, id: InstrumentId) -> &Position {
        &self.pitches[id.index()].position
    }

    fn orders(&self, id: InstrumentId, visit: &mut dyn FnMut(&OrderView)) {
        self.orders.iter().filter(|order| order.instrument == id).for_each(visit);
    }

    fn shows_own_orders(&self, _: InstrumentId) -> bool {
        self.shows_own_orders
    }

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    fn set_timer(&mut self, timer: TimerId, after: Nanos) {
        self.timers.insert(timer, self.now.after(after));
    }

    fn quote(&mut self, id: InstrumentId, bids: &[Quote], asks: &[Quote]) {
        let pitch = &mut self.pitches[id.index()];
        pitch.wanted = Wanted::new(&pitch.instrument, bids, asks).unwrap_or_else(|_| {
            self.refused += 1;
            Wanted::default()
        });
        // Orders of acts are the quoter's from here on: they go, or become what is wanted.
        if std::mem::take(&mut pitch.acts) {
            self.orders.retain(|order| order.instrument != id);
        }
    }

    fn cancel_all(&mut self) {
        self.orders.clear();
        for pitch in &mut self.pitches {
            (pitch.wanted, pitch.acts) = (Wanted::default(), false);
        }
    }

    fn submit(&mut self, order: NewOrder) -> Result<OrderId, Refused> {
        if !self.ids.contains(&order.instrument) {
            return Err(Refused::NotQuoted);
        }
        let pitch = &mut self.pitches[order.instrument.index()];
        (pitch.wanted, pitch.acts) = (Wanted::default(), true);
        let id = self.next_id();
        self.orders.push(OrderView {
            id,
            instrument: order.instrument,
            side: order.side,
            state: OrderState::Live,
            price: order.price,
            pending_price: None,
            leaves: order.qty,
            cum_qty: Qty::ZERO,
            since: self.now,
        });
        Ok(id)
    }

    fn replace(&mut self, id: OrderId, price: Price, qty: Qty) -> Result<OrderId, Refused> {
        let (next, now) = (self.next_id(), self.now);
        let order = self.order(id)?;
        let leaves = Qty::from_raw((qty.raw() - order.cum_qty.raw()).max(0));
        *order = OrderView { id: next, price, leaves, since: now, ..*order };
        Ok(next)
    }

    fn cancel(&mut self, id: OrderId) -> Result<(), Refused> {
        self.order(id)?;
        self.orders.retain(|order| order.id != id);
        Ok(())
    }
}
