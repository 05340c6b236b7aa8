//! One side of one book: price levels, best at the end, each a queue of orders by time.
//!
//! Most work happens near the best price, which is the cheap end of the vector. Capacity is fixed;
//! who pushes an order must have asked for room.

use crate::orders::{Links, NONE, Orders, Slot};
use market::{Level, Price, Qty, Side};

/// A price level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rung {
    pub(crate) price: Price,
    /// Sum of what may still trade.
    pub(crate) leaves: i64,
    head: Slot,
    tail: Slot,
    orders: u32,
}

/// One side of a book.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    side: Side,
    /// Worst price first.
    rungs: Vec<Rung>,
    capacity: usize,
}

/// A place in a ladder on the way from its best order to its worst.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    depth: usize,
    slot: Slot,
}

impl Ladder {
    pub(crate) fn new(side: Side, capacity: usize) -> Self {
        Ladder { side, rungs: Vec::with_capacity(capacity), capacity }
    }

    fn find(&self, price: Price) -> Result<usize, usize> {
        let side = self.side;
        let at = self.rungs.partition_point(|rung| side.is_better(price, rung.price));
        match self.rungs.get(at) {
            Some(rung) if rung.price == price => Ok(at),
            _ => Err(at),
        }
    }

    /// True if an order at `price` can be pushed.
    pub(crate) fn has_room(&self, price: Price) -> bool {
        self.rungs.len() < self.capacity || self.find(price).is_ok()
    }

    pub(crate) fn best(&self) -> Option<&Rung> {
        self.rungs.last()
    }

    pub(crate) fn depth(&self) -> usize {
        self.rungs.len()
    }

    /// The level `depth` places behind the best.
    pub(crate) fn level(&self, depth: usize) -> Option<Level> {
        let at = self.rungs.len().checked_sub(depth + 1)?;
        let rung = &self.rungs[at];
        Some(Level { price: rung.price, qty: Qty::from_raw(rung.leaves), orders: rung.orders })
    }

    /// The order that trades next.
    pub(crate) fn front(&self) -> Option<Slot> {
        self.rungs.last().map(|rung| rung.head)
    }

    /// Queues an order behind all others at its price.
    pub(crate) fn push(&mut self, orders: &mut Orders, slot: Slot) {
        let (price, leaves) = (orders[slot].price, orders[slot].leaves);
        match self.find(price) {
            Ok(at) => {
                let rung = &mut self.rungs[at];
                orders[slot].queue = Links { previous: rung.tail, next: NONE };
                orders[rung.tail].queue.next = slot;
                rung.tail = slot;
                rung.leaves += leaves;
                rung.orders += 1;
            }
            Err(at) => {
                orders[slot].queue = Links::ALONE;
                self.rungs.insert(at, Rung { price, leaves, head: slot, tail: slot, orders: 1 });
            }
        }
    }

    /// Takes `qty` off a queued order, which leaves the queue when nothing remains.
    pub(crate) fn take(&mut self, orders: &mut Orders, slot: Slot, qty: i64) {
        let Ok(at) = self.find(orders[slot].price) else { return };
        orders[slot].leaves -= qty;
        self.rungs[at].leaves -= qty;
        if orders[slot].leaves == 0 {
            self.unlink(orders, slot, at);
        }
    }

    /// Adds `qty` to a queued order, which keeps its place.
    pub(crate) fn give(&mut self, orders: &mut Orders, slot: Slot, qty: i64) {
        let Ok(at) = self.find(orders[slot].price) else { return };
        orders[slot].leaves += qty;
        self.rungs[at].leaves += qty;
    }

    /// Takes an order out of its queue; what it leaves stays in the order.
    pub(crate) fn remove(&mut self, orders: &mut Orders, slot: Slot) {
        let Ok(at) = self.find(orders[slot].price) else { return };
        self.rungs[at].leaves -= orders[slot].leaves;
        self.unlink(orders, slot, at);
    }

    fn unlink(&mut self, orders: &mut Orders, slot: Slot, at: usize) {
        let Links { previous, next } = std::mem::replace(&mut orders[slot].queue, Links::ALONE);
        let rung = &mut self.rungs[at];
        rung.orders -= 1;
        if rung.orders == 0 {
            self.rungs.remove(at);
            return;
        }
        match previous {
            NONE => rung.head = next,
            _ => orders[previous].queue.next = next,
        }
        match next {
            NONE => rung.tail = previous,
            _ => orders[next].queue.previous = previous,
        }
    }

    /// Where a walk in order of priority begins.
    pub(crate) fn walk(&self) -> Option<Cursor> {
        self.front().map(|slot| Cursor { depth: 0, slot })
    }

    /// The next place of a walk.
    pub(crate) fn after(&self, orders: &Orders, cursor: Cursor) -> Option<Cursor> {
        match orders[cursor.slot].queue.next {
            NONE => {
                let depth = cursor.depth + 1;
                let at = self.rungs.len().checked_sub(depth + 1)?;
                Some(Cursor { depth, slot: self.rungs[at].head })
            }
            slot => Some(Cursor { slot, ..cursor }),
        }
    }
}

impl Cursor {
    pub(crate) fn slot(self) -> Slot {
        self.slot
    }
}
