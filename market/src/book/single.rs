//! The book of one instrument: two sides, the reasons not to trust it, and its digest. It never
//! resolves an order: the books of the feed do that and tell it the outcome.

use super::by_order::Resting;
use super::health::Health;
use super::ladder::{Ladder, Slot};
use super::{Contradiction, digest};
use crate::{
    BookState, BookView, Event, EventKind, Level, Price, Qty, Side, StateHasher, Timestamp,
    TradingStatus, prefetch,
};

/// The book of one instrument, read through [`BookView`].
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct Book {
    health: Health,
    updated: Timestamp,
    orders: u64,
    digest: u64,
    sides: [Ladder; 2],
}

impl Book {
    pub(crate) fn new(levels: usize) -> Self {
        Book::of(|side| Ladder::new(side, levels))
    }

    /// A book whose sides take room as levels come.
    pub(crate) fn growing() -> Self {
        Book::of(Ladder::growing)
    }

    fn of(side: impl FnMut(Side) -> Ladder) -> Self {
        Book {
            sides: Side::BOTH.map(side),
            health: Health::NEW,
            updated: Timestamp::default(),
            orders: 0,
            digest: 0,
        }
    }

    /// Orders in the book; zero for books by level.
    #[must_use]
    pub const fn orders(&self) -> u64 {
        self.orders
    }

    #[inline]
    pub(crate) fn prefetch(&self) {
        prefetch::line(&self.health);
        self.sides.iter().for_each(Ladder::prefetch);
    }

    /// Begins to fetch the best levels of a side, or of both.
    #[inline]
    pub(crate) fn prefetch_best(&self, side: Option<Side>) {
        self.either(side).iter().for_each(Ladder::prefetch_best);
    }

    /// Begins to fetch the level that an order may join.
    #[inline]
    pub(crate) fn prefetch_price(&self, side: Option<Side>, price: Price) {
        self.either(side).iter().for_each(|side| side.prefetch_price(price));
    }

    /// The second half of a replace names no side.
    #[inline]
    fn either(&self, side: Option<Side>) -> &[Ladder] {
        side.map_or(&self.sides, |side| std::slice::from_ref(&self.sides[side.index()]))
    }

    /// Begins to fetch the level of an order.
    #[inline]
    pub(crate) fn prefetch_level(&self, order: &Resting) {
        self.sides[order.side.index()].prefetch_level(order.slot);
    }

    pub(crate) fn health(&mut self) -> &mut Health {
        &mut self.health
    }

    /// A message of the venue: whatever it says, something was heard.
    pub(crate) fn message(&mut self, event: &Event) {
        self.health.message(event.flags);
        self.updated = event.exchange_time;
    }

    /// An event that concerns the book as a whole.
    pub(crate) fn whole(&mut self, kind: EventKind, event: &Event) -> Result<(), Contradiction> {
        match kind {
            EventKind::Clear => {
                self.message(event);
                self.health.cleared();
                self.empty();
            }
            EventKind::Status => {
                self.message(event);
                let status = TradingStatus::from_aux(event.aux);
                self.health.set_status(status.ok_or(Contradiction::WrongStatus)?);
            }
            EventKind::Gap => self.health.gap(),
            EventKind::Recovered => self.health.recovered(),
            EventKind::Lost => self.health.lost(),
            EventKind::Reset => {
                self.health = Health::NEW;
                self.empty();
            }
            _ => return Err(Contradiction::WrongKind),
        }
        Ok(())
    }

    /// Only changes of the best `levels` of a side count for [`Book::is_changed`]; at first all do.
    pub(crate) fn watch(&mut self, levels: usize) {
        self.sides.iter_mut().for_each(|side| side.watch(levels));
    }

    /// Whether one of the watched levels changed since that was last taken note of.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.sides.iter().any(Ladder::is_changed)
    }

    /// The same, and takes note of it.
    pub(crate) fn take_changed(&mut self) -> bool {
        let [bids, asks] = &mut self.sides;
        bids.take_changed() | asks.take_changed()
    }

    fn empty(&mut self) {
        self.sides.iter_mut().for_each(Ladder::clear);
        self.orders = 0;
        self.digest = 0;
    }

    /// An order joins; gives where its level is kept. Nothing changes on an error.
    pub(crate) fn join(
        &mut self,
        id: u64,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Result<Slot, Contradiction> {
        let slot = self.sides[side.index()].join(price, qty)?;
        self.orders += 1;
        self.digest = self.digest.wrapping_add(digest::of(id, side, price, qty));
        Ok(slot)
    }

    /// The price of a resting order.
    pub(crate) fn price_of(&self, order: &Resting) -> Price {
        self.sides[order.side.index()].price_at(order.slot)
    }

    /// `qty` of a resting order goes, and with `leaves` the order itself; gives its price.
    #[inline]
    pub(crate) fn take(&mut self, id: u64, order: &Resting, qty: Qty, leaves: bool) -> Price {
        let Resting { side, slot, .. } = *order;
        let price = self.sides[side.index()].take(slot, qty, leaves);
        self.orders -= u64::from(leaves);
        self.digest = self.digest.wrapping_sub(digest::of(id, side, price, qty));
        price
    }

    /// A level's total becomes `qty`; nothing changes on an error.
    pub(crate) fn set(&mut self, side: Side, price: Price, qty: Qty) -> Result<(), Contradiction> {
        let before = self.sides[side.index()].set(price, qty)?;
        let (before, after) = (digest::of(0, side, price, before), digest::of(0, side, price, qty));
        self.digest = self.digest.wrapping_sub(before).wrapping_add(after);
        Ok(())
    }

    pub(crate) const fn digest(&self) -> u64 {
        self.digest
    }

    pub(crate) fn audit(&self) -> Result<(), &'static str> {
        self.sides.iter().try_for_each(Ladder::audit)
    }

    /// Adds content and state to `hasher`; levels follow from orders and stand in the digest.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for word in [self.digest, self.orders, self.health.word(), self.updated.nanos()] {
            hasher.word(word);
        }
    }
}

impl BookView for Book {
    fn state(&self) -> BookState {
        let [bids, asks] = &self.sides;
        self.health.state(bids.best_price(), asks.best_price())
    }

    fn level(&self, side: Side, depth: usize) -> Option<Level> {
        self.sides[side.index()].level(depth)
    }

    fn depth(&self, side: Side) -> usize {
        self.sides[side.index()].len()
    }

    fn updated(&self) -> Timestamp {
        self.updated
    }

    fn best_price(&self, side: Side) -> Option<Price> {
        self.sides[side.index()].best_price()
    }
}
