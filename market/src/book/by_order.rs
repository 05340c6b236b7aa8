//! The by-order (L3) books of one feed. One table holds the orders of all instruments; all memory
//! is taken at construction, and nothing rehashes or allocates after. It never trusts an event: one
//! that contradicts the book is counted and makes its instrument Suspect.

use super::ladder::Slot;
use super::shelf::{Outcome, Shelf};
use super::{Applied, Book, BookLimits, Contradiction, Contradictions, Touched, Unsound, digest};
use crate::table::{IdParts, IdTable, Place};
use crate::{
    BookView, Event, EventFlags, EventKind, InstrumentId, Price, Qty, Side, StateHasher, Trade,
};
use std::collections::BTreeMap;

/// An order as the table keeps it, beside its id. Its price is that of its level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resting {
    pub(crate) qty: Qty,
    pub(crate) instrument: InstrumentId,
    /// Where its level is kept.
    pub(crate) slot: Slot,
    pub(crate) side: Side,
}

/// What fills the ways of a table that hold none.
impl Default for Resting {
    fn default() -> Self {
        let (qty, slot) = (Qty::ZERO, Slot::default());
        Resting { qty, instrument: Event::ALL, slot, side: Side::Buy }
    }
}

/// Five orders fill two cache lines with their ids.
const WAYS: usize = 5;

type Orders = IdTable<Resting, WAYS>;

/// The first half of a replace: what the `Add` to come inherits.
#[derive(Clone, Copy, Debug)]
struct Replaced {
    instrument: InstrumentId,
    side: Side,
}

impl Replaced {
    fn is_completed_by(self, event: &Event) -> bool {
        event.kind() == Some(EventKind::Add)
            && event.flags.has(EventFlags::REPLACE)
            && event.instrument == self.instrument
    }
}

/// Every by-order book of one feed.
///
/// ```
/// use market::book::{BookLimits, OrderBooks};
/// use market::{BookView, Event, EventKind, InstrumentId, Price, Qty, Side};
/// let mut books = OrderBooks::new(BookLimits { instruments: 1, orders: 100, levels: 10 });
/// let add = Event::new(EventKind::Add, InstrumentId(0));
/// let add = Event { order: 7, price: Price::ONE, qty: Qty::from_raw(300), ..add };
/// let applied = books.apply(&add.with_side(Some(Side::Buy)));
/// assert_eq!(applied.contradiction, None);
/// assert_eq!(books.book(InstrumentId(0)).best(Side::Buy).unwrap().qty.raw(), 300);
/// ```
#[derive(Clone, Debug)]
pub struct OrderBooks {
    shelf: Shelf,
    orders: IdParts<Resting, WAYS>,
    replaced: Option<Replaced>,
}

impl OrderBooks {
    /// Empty books, every one Recovering.
    #[must_use]
    pub fn new(limits: BookLimits) -> Self {
        let orders = IdParts::new(limits.orders);
        OrderBooks { shelf: Shelf::new(limits), orders, replaced: None }
    }

    /// Books for research: room for orders and levels is taken as they come, for instruments by
    /// [`OrderBooks::admit`].
    #[must_use]
    pub fn growing() -> Self {
        let orders = IdParts::growing();
        OrderBooks { shelf: Shelf::growing(), orders, replaced: None }
    }

    /// Makes room for an instrument, and for all those of smaller ids, if these books may grow; true
    /// if it has a book now.
    pub fn admit(&mut self, instrument: InstrumentId) -> bool {
        self.shelf.admit(instrument)
    }

    /// Says which events will be applied next, those of one packet: what they name begins to come
    /// from memory, so that they wait for it together and not one after the other. Changes nothing.
    pub fn expect(&self, events: &[Event]) {
        for event in events {
            self.orders.part(event.order).prefetch(event.order);
            self.shelf.prefetch(event.instrument);
        }
        // By now the first of these are there, and say where their levels are. An event need not name
        // an order of its own instrument: a gap names a sequence, of all instruments.
        for event in events {
            if event.kind() == Some(EventKind::Add) {
                self.shelf.book(event.instrument).prefetch_best(event.side());
            } else if let Some(order) = self.orders.part(event.order).get(event.order) {
                self.shelf.book(order.instrument).prefetch_level(&order);
            }
        }
        for event in events {
            if event.kind() == Some(EventKind::Add) {
                self.shelf.book(event.instrument).prefetch_price(event.side(), event.price);
            }
        }
    }

    /// Applies one event.
    pub fn apply(&mut self, event: &Event) -> Applied {
        let torn = self.replaced.take_if(|half| !half.is_completed_by(event));
        if let Some(half) = torn {
            return self.apply_after_torn(half, event);
        }
        let OrderBooks { shelf, orders, replaced } = self;
        match event.kind() {
            Some(EventKind::Add) => {
                let (half, orders) = (replaced.take(), orders.part_for_new(event.order));
                shelf.message(event, |book| add(orders, half, book, event))
            }
            Some(EventKind::Execute) => {
                let orders = orders.part_mut(event.order);
                shelf.message(event, |book| execute(orders, book, event))
            }
            Some(EventKind::Reduce) => {
                let orders = orders.part_mut(event.order);
                shelf.message(event, |book| reduce(orders, book, event).map(|_| None))
            }
            Some(EventKind::Delete) => {
                let orders = orders.part_mut(event.order);
                shelf.message(event, |book| delete(orders, replaced, book, event))
            }
            Some(EventKind::Change) => {
                let orders = orders.part_mut(event.order);
                shelf.message(event, |book| change(orders, book, event))
            }
            Some(EventKind::Clear | EventKind::Reset) => {
                self.forget(event.instrument);
                self.shelf.other(event)
            }
            _ => shelf.other(event),
        }
    }

    /// The replace before was never completed: its instrument has lost an order.
    #[cold]
    fn apply_after_torn(&mut self, half: Replaced, event: &Event) -> Applied {
        self.shelf.contradict(half.instrument, Contradiction::TornReplace);
        let applied = self.apply(event);
        let contradiction = applied.contradiction.or(Some(Contradiction::TornReplace));
        Applied { touched: Touched::All, contradiction, ..applied }
    }

    /// Forgets the orders of one instrument or of all; walks the table only if there are any.
    #[cold]
    fn forget(&mut self, instrument: InstrumentId) {
        if instrument == Event::ALL {
            self.orders.clear();
        } else if self.book(instrument).orders() > 0 {
            self.orders.retain(|order| order.instrument != instrument);
        }
    }

    /// The book of one instrument; for one beyond the limits, an empty book that is Recovering.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> &Book {
        self.shelf.book(instrument)
    }

    /// Only changes of the best `levels` of a side count for [`OrderBooks::take_changed`]; at first
    /// all do.
    pub fn watch(&mut self, instrument: InstrumentId, levels: usize) {
        if let Some(book) = self.shelf.book_mut(instrument) {
            book.watch(levels);
        }
    }

    /// Whether one of the watched levels of a book changed since this was last asked.
    pub fn take_changed(&mut self, instrument: InstrumentId) -> bool {
        self.shelf.book_mut(instrument).is_some_and(Book::take_changed)
    }

    /// Every book, in order of instrument ids.
    #[must_use]
    pub fn books(&self) -> &[Book] {
        self.shelf.books()
    }

    /// Orders in all books.
    #[must_use]
    pub fn orders(&self) -> usize {
        self.orders.len()
    }

    /// Contradictions met so far.
    #[must_use]
    pub const fn contradictions(&self) -> &Contradictions {
        self.shelf.contradictions()
    }

    /// The trading loop's timer found the instrument silent for too long, or takes that back. The
    /// next message of the instrument takes it back as well.
    pub fn set_stale(&mut self, instrument: InstrumentId, stale: bool) {
        if let Some(book) = self.shelf.book_mut(instrument) {
            book.health().set_stale(stale);
        }
    }

    /// Adds the content and state of every book to `hasher`. It costs a few words an instrument,
    /// however many orders there are: their digest is kept as they come and go.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        self.shelf.hash_into(hasher);
        hasher
            .word(self.replaced.map_or(0, |half| {
                1 | (half.side as u64) << 1 | u64::from(half.instrument.0) << 32
            }));
    }

    /// Checks that levels, counts and digests are what the orders add up to. Slow and allocating:
    /// for tests and for a look after a crash.
    ///
    /// # Errors
    /// [`Unsound`], naming the first book that does not hold together.
    pub fn audit(&self) -> Result<(), Unsound> {
        let mut levels: BTreeMap<_, (i64, u32)> = BTreeMap::new();
        let mut sums = vec![(0u64, 0u64); self.books().len()];
        for (id, order) in self.orders.iter() {
            let unsound = |what| Unsound { instrument: order.instrument, what };
            let sum = sums.get_mut(order.instrument.index());
            let sum = sum.ok_or(unsound("an order without a book"))?;
            sum.0 += 1;
            let price = self.book(order.instrument).price_of(&order);
            sum.1 = sum.1.wrapping_add(digest::of(id, order.side, price, order.qty));
            let level = levels.entry((order.instrument, order.side, price)).or_default();
            level.0 += order.qty.raw();
            level.1 += 1;
        }
        for (index, (book, sum)) in (0u32..).zip(self.books().iter().zip(sums)) {
            let instrument = InstrumentId(index);
            let unsound = |what| Unsound { instrument, what };
            book.audit().map_err(unsound)?;
            if (book.orders(), book.digest()) != sum {
                return Err(unsound("count or digest is not that of its orders"));
            }
            for side in Side::BOTH {
                for level in (0..book.depth(side)).filter_map(|depth| book.level(side, depth)) {
                    let sum = levels.remove(&(instrument, side, level.price));
                    if sum != Some((level.qty.raw(), level.orders)) {
                        return Err(unsound("a level is not the sum of its orders"));
                    }
                }
            }
        }
        match levels.first_key_value() {
            Some((&(instrument, ..), _)) => {
                Err(Unsound { instrument, what: "orders without a level" })
            }
            None => Ok(()),
        }
    }
}

/// The place of the event's order, if it is one of this instrument.
fn place(orders: &mut Orders, event: &Event) -> Result<(Place, Resting), Contradiction> {
    let at = orders.find(event.order).map_err(|_| Contradiction::UnknownOrder)?;
    match orders.value_mut(at) {
        Some(order) if order.instrument == event.instrument => Ok((at, *order)),
        _ => Err(Contradiction::UnknownOrder),
    }
}

/// Orders of spreads rest at zero and below; the price that has no negative is none.
fn require_price(event: &Event) -> Result<(), Contradiction> {
    if event.price.raw() > i64::MIN { Ok(()) } else { Err(Contradiction::WrongPrice) }
}

fn require_positive_price(event: &Event) -> Result<(), Contradiction> {
    if event.price.raw() > 0 { Ok(()) } else { Err(Contradiction::WrongPrice) }
}

fn require_positive_qty(event: &Event) -> Result<(), Contradiction> {
    if event.qty.is_positive() { Ok(()) } else { Err(Contradiction::WrongQty) }
}

fn add(orders: &mut Orders, half: Option<Replaced>, book: &mut Book, event: &Event) -> Outcome {
    let side = if event.flags.has(EventFlags::REPLACE) {
        let side = half.ok_or(Contradiction::TornReplace)?.side;
        if event.side().is_some_and(|own| own != side) {
            return Err(Contradiction::WrongSide);
        }
        side
    } else {
        event.side().ok_or(Contradiction::WrongSide)?
    };
    require_price(event)?;
    require_positive_qty(event)?;
    let Err(mut at) = orders.find(event.order) else {
        return Err(Contradiction::DuplicateOrder);
    };
    if orders.is_full() {
        if !orders.grow() {
            return Err(Contradiction::OrdersFull);
        }
        at = orders.find(event.order).unwrap_or_else(|free| free);
    }
    let (price, qty, instrument) = (event.price, event.qty, event.instrument);
    let slot = book.join(event.order, side, price, qty)?;
    let order = Resting { qty, instrument, slot, side };
    orders.put_at(at, event.order, order).map_err(|_| Contradiction::OrdersFull)?;
    Ok(None)
}

/// Takes the event's quantity off its order; gives its side and price. An order of which more went
/// than was open leaves the book.
fn reduce(
    orders: &mut Orders,
    book: &mut Book,
    event: &Event,
) -> Result<(Side, Price), Contradiction> {
    require_positive_qty(event)?;
    let (at, order) = place(orders, event)?;
    let leaves = event.qty >= order.qty;
    let taken = event.qty.min(order.qty);
    let price = book.take(event.order, &order, taken, leaves);
    if leaves {
        orders.remove_at(at);
    } else if let Some(kept) = orders.value_mut(at) {
        kept.qty = Qty::from_raw(order.qty.raw() - taken.raw());
    }
    if event.qty > order.qty { Err(Contradiction::TooMuch) } else { Ok((order.side, price)) }
}

fn execute(orders: &mut Orders, book: &mut Book, event: &Event) -> Outcome {
    let priced = event.flags.has(EventFlags::PRICED);
    if priced {
        require_positive_price(event)?;
    }
    let (side, price) = reduce(orders, book, event)?;
    Ok(Some(Trade {
        instrument: event.instrument,
        resting: Some(side),
        price: if priced { event.price } else { price },
        qty: event.qty,
        exchange_time: event.exchange_time,
    }))
}

fn delete(
    orders: &mut Orders,
    replaced: &mut Option<Replaced>,
    book: &mut Book,
    event: &Event,
) -> Outcome {
    let (at, order) = place(orders, event)?;
    orders.remove_at(at);
    book.take(event.order, &order, order.qty, true);
    if event.flags.has(EventFlags::REPLACE) {
        *replaced = Some(Replaced { instrument: order.instrument, side: order.side });
    }
    Ok(None)
}

/// An order that finds no room at its new terms leaves the book.
fn change(orders: &mut Orders, book: &mut Book, event: &Event) -> Outcome {
    require_price(event)?;
    require_positive_qty(event)?;
    let (at, order) = place(orders, event)?;
    book.take(event.order, &order, order.qty, true);
    let joined = book.join(event.order, order.side, event.price, event.qty);
    match (orders.value_mut(at), joined) {
        (Some(kept), Ok(slot)) => *kept = Resting { qty: event.qty, slot, ..order },
        _ => orders.remove_at(at),
    }
    joined.map(|_| None)
}

#[cfg(test)]
impl OrderBooks {
    /// A book to break, for tests of the audit.
    pub(super) fn shelf_book_mut(&mut self, instrument: InstrumentId) -> &mut Book {
        self.shelf.book_mut(instrument).expect("within the limits")
    }

    /// An order as the table keeps it.
    pub(super) fn resting(&self, id: u64) -> Option<Resting> {
        self.orders.part(id).get(id)
    }
}
