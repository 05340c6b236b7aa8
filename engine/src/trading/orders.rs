//! Live orders: a fixed slab found by our ids, and by instrument in a fixed order.
//!
//! Closed orders keep their slot and ids until the slot is needed again, so that a late fill or
//! cancel reject still finds its order.

use market::table::IdTable;
use market::{InstrumentId, Order, OrderId, StateHasher};
use std::collections::VecDeque;

/// Most open orders of one instrument.
pub const PER_INSTRUMENT_MAX: usize = 64;

/// The orders of one account.
#[derive(Clone, Debug)]
pub struct OrderTable {
    slots: Vec<Slot>,
    capacity: usize,
    /// Closed slots, longest closed first.
    closed: VecDeque<u32>,
    ids: IdTable,
    open: Vec<Vec<u32>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    order: Order,
    marks: Marks,
}

/// What reconciliation notes beside an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// It was Unknown when the last mass status was asked for.
    pub asked: bool,
    /// The venue has named it since.
    pub named: bool,
    /// A drop copy told a trade of it first: what its own session says may be of before.
    pub copied: bool,
}

/// No slot, id or place for another order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

impl OrderTable {
    /// A table for `capacity` orders of `instruments` instruments.
    #[must_use]
    pub fn new(capacity: usize, instruments: usize) -> Self {
        OrderTable {
            slots: Vec::with_capacity(capacity),
            capacity,
            closed: VecDeque::with_capacity(capacity),
            // An order has an id and at most one request.
            ids: IdTable::new(capacity * 2),
            open: vec![Vec::with_capacity(PER_INSTRUMENT_MAX); instruments],
        }
    }

    /// True if another order of `instrument` finds a place.
    #[must_use]
    pub fn has_room(&self, instrument: InstrumentId) -> bool {
        let place = self.slots.len() < self.capacity || !self.closed.is_empty();
        place
            && self.open.get(instrument.index()).is_some_and(|open| open.len() < PER_INSTRUMENT_MAX)
    }

    /// Takes in an open order.
    ///
    /// # Errors
    /// [`TableFull`]; risk asks [`OrderTable::has_room`] first.
    pub fn insert(&mut self, order: Order) -> Result<u32, TableFull> {
        if !self.has_room(order.instrument) {
            return Err(TableFull);
        }
        let marks = Marks::default();
        let slot = if self.slots.len() < self.capacity {
            self.slots.push(Slot { order, marks });
            u32::try_from(self.slots.len() - 1).map_err(|_| TableFull)?
        } else {
            let slot = self.closed.pop_front().ok_or(TableFull)?;
            let old = self.slots[slot as usize].order;
            self.ids.remove(old.id.0);
            self.ids.remove(old.request.0);
            self.slots[slot as usize] = Slot { order, marks };
            slot
        };
        self.ids.insert(order.id.0, slot).map_err(|_| TableFull)?;
        self.open[order.instrument.index()].push(slot);
        Ok(slot)
    }

    /// The slot of the order known by `id`, be it the order's own or that of its last request.
    #[must_use]
    pub fn find(&self, id: OrderId) -> Option<u32> {
        self.ids.get(id.0)
    }

    /// The order in a slot.
    #[must_use]
    pub fn get(&self, slot: u32) -> &Order {
        &self.slots[slot as usize].order
    }

    /// The same, to change. State changes that close it go through [`OrderTable::close`].
    pub fn get_mut(&mut self, slot: u32) -> &mut Order {
        &mut self.slots[slot as usize].order
    }

    /// The marks of a slot.
    pub fn marks_mut(&mut self, slot: u32) -> &mut Marks {
        &mut self.slots[slot as usize].marks
    }

    /// The marks of a slot, read.
    #[must_use]
    pub fn marks(&self, slot: u32) -> Marks {
        self.slots[slot as usize].marks
    }

    /// Notes the request in flight on an order, by which reports may name it.
    pub fn set_request(&mut self, slot: u32, request: OrderId) {
        self.forget_request(slot);
        self.slots[slot as usize].order.request = request;
        // Two ids an order, and the table is made for that many.
        let _ = self.ids.insert(request.0, slot);
    }

    /// The request is over; the order keeps its id.
    pub fn forget_request(&mut self, slot: u32) {
        let order = &mut self.slots[slot as usize].order;
        if order.request != OrderId::NONE {
            self.ids.remove(order.request.0);
            order.request = OrderId::NONE;
        }
    }

    /// The request has become the order's id.
    pub fn adopt_request(&mut self, slot: u32) {
        let order = &mut self.slots[slot as usize].order;
        if order.request != OrderId::NONE {
            self.ids.remove(order.id.0);
            order.id = order.request;
            order.request = OrderId::NONE;
        }
    }

    /// Marks every open order as asked for if it is Unknown, and as not named yet.
    pub fn mark_asked(&mut self) {
        for &slot in self.open.iter().flatten() {
            let Slot { order, marks } = &mut self.slots[slot as usize];
            let asked = order.state == market::OrderState::Unknown;
            *marks = Marks { asked, named: false, ..*marks };
        }
    }

    /// Takes a closed order off its instrument's list; it stays findable until its slot is needed.
    pub fn close(&mut self, slot: u32) {
        let instrument = self.slots[slot as usize].order.instrument.index();
        let open = &mut self.open[instrument];
        if let Some(place) = open.iter().position(|&other| other == slot) {
            // Order is kept: iteration order is part of what a replay must repeat.
            open.remove(place);
            self.closed.push_back(slot);
        }
    }

    /// Slots of the open orders of an instrument, oldest first.
    #[must_use]
    pub fn open(&self, instrument: InstrumentId) -> &[u32] {
        self.open.get(instrument.index()).map_or(&[], Vec::as_slice)
    }

    /// Slots of all open orders, by instrument and age.
    pub fn all_open(&self) -> impl Iterator<Item = u32> + '_ {
        self.open.iter().flatten().copied()
    }

    /// Open orders in all.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.iter().map(Vec::len).sum()
    }

    /// Adds every open order to `hasher`. Closed ones no longer decide anything.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for slot in self.all_open() {
            self.get(slot).hash_into(hasher);
            let Marks { asked, named, copied } = self.marks(slot);
            hasher.word(u64::from(copied) << 2 | u64::from(asked) << 1 | u64::from(named));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::{OrderState, Price, Qty, Side, Timestamp, VenueOrderId};

    fn order(id: u64) -> Order {
        Order {
            id: OrderId(id),
            request: OrderId::NONE,
            venue_order: VenueOrderId::NONE,
            instrument: InstrumentId(0),
            side: Side::Buy,
            state: OrderState::Live,
            price: Price::ONE,
            qty: Qty::from_raw(1),
            cum_qty: Qty::ZERO,
            pending_price: Price::ZERO,
            pending_qty: Qty::ZERO,
            sent: Timestamp::ZERO,
            since: Timestamp::ZERO,
        }
    }

    #[test]
    fn closed_orders_stay_findable_until_the_slot_is_needed() {
        let mut table = OrderTable::new(2, 1);
        let first = table.insert(order(1)).unwrap();
        table.insert(order(2)).unwrap();
        assert_eq!(table.insert(order(3)), Err(TableFull));
        table.close(first);
        table.close(first);
        assert_eq!((table.find(OrderId(1)), table.open_count()), (Some(first), 1));
        table.insert(order(3)).unwrap();
        assert_eq!((table.find(OrderId(1)), table.open_count()), (None, 2));
        assert_eq!(table.insert(order(4)), Err(TableFull));
    }

    #[test]
    fn requests_become_ids() {
        let mut table = OrderTable::new(1, 1);
        let slot = table.insert(order(1)).unwrap();
        table.set_request(slot, OrderId(2));
        assert_eq!(table.find(OrderId(2)), Some(slot));
        table.adopt_request(slot);
        assert_eq!((table.find(OrderId(1)), table.get(slot).id), (None, OrderId(2)));
        table.set_request(slot, OrderId(3));
        table.forget_request(slot);
        assert_eq!(table.find(OrderId(3)), None);
        // A thousand lives of one slot leave nothing behind.
        for n in 0..1_000 {
            let slot = table.find(OrderId(n * 10 + 2)).unwrap();
            table.set_request(slot, OrderId(n * 10 + 5));
            table.close(slot);
            table.insert(order(n * 10 + 12)).unwrap();
        }
    }
}
