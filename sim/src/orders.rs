//! The arena of orders: every open order of a venue, and every recorded order of an overlay.
//!
//! It is sized once. Slots are handed out and taken back; nothing here knows prices or accounts.

use crate::AccountId;
use market::{InstrumentId, OrderId, Price, Side};

/// Index of an order in the arena.
pub(crate) type Slot = u32;

/// No order.
pub(crate) const NONE: Slot = u32::MAX;

/// Owner of recorded orders.
pub(crate) const RECORDED: AccountId = AccountId(u32::MAX);

/// Neighbours in a list of orders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    pub(crate) previous: Slot,
    pub(crate) next: Slot,
}

impl Links {
    pub(crate) const ALONE: Links = Links { previous: NONE, next: NONE };
}

/// An order that rests, or is about to. Quantities are raw counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resting {
    /// Arrival number: time priority, and the public order number of an exchange. A new one is
    /// given when priority is lost.
    pub(crate) number: u64,
    /// Its first number, which names it in reports. Of a recorded order: the recording's id.
    pub(crate) origin: u64,
    /// The owner's id for it now.
    pub(crate) id: OrderId,
    pub(crate) price: Price,
    /// Total quantity. Of a recorded order: what the recording displays.
    pub(crate) total: i64,
    /// Filled so far. Zero for recorded orders.
    pub(crate) filled: i64,
    /// What may still trade. Of a recorded order: displayed and not yet taken by us.
    pub(crate) leaves: i64,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    /// Place in the queue of its level.
    pub(crate) queue: Links,
    /// Place among the orders of its account.
    pub(crate) owned: Links,
}

impl Resting {
    /// True if this order trades before `other`, which stands on the same side.
    pub(crate) fn precedes(&self, other: &Resting) -> bool {
        self.side.is_better(self.price, other.price)
            || (self.price == other.price && self.number < other.number)
    }
}

/// The arena.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    slots: Vec<Resting>,
    free: Vec<Slot>,
}

impl Orders {
    pub(crate) fn new(capacity: usize) -> Self {
        #[allow(clippy::cast_possible_truncation)] // ExchangeLimits::check bounds it.
        let free = (0..capacity as u32).rev().collect();
        let empty = Resting {
            number: 0,
            origin: 0,
            id: OrderId::NONE,
            price: Price::ZERO,
            total: 0,
            filled: 0,
            leaves: 0,
            account: RECORDED,
            instrument: InstrumentId(0),
            side: Side::Buy,
            queue: Links::ALONE,
            owned: Links::ALONE,
        };
        Orders { slots: vec![empty; capacity], free }
    }

    /// Takes a slot for `order`; `None` when all are taken.
    pub(crate) fn insert(&mut self, order: Resting) -> Option<Slot> {
        let slot = self.free.pop()?;
        self.slots[slot as usize] = order;
        Some(slot)
    }

    /// Gives a slot back. Its order must be in no list any more.
    pub(crate) fn free(&mut self, slot: Slot) {
        self.free.push(slot);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.free.is_empty()
    }
}

impl std::ops::Index<Slot> for Orders {
    type Output = Resting;
    fn index(&self, slot: Slot) -> &Resting {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<Slot> for Orders {
    fn index_mut(&mut self, slot: Slot) -> &mut Resting {
        &mut self.slots[slot as usize]
    }
}
