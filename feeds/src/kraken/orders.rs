//! The orders of one pair (channel level3 of API v2) with the digits as the venue sent them, for its
//! checksum: CRC-32 over price and quantity of every order at the ten best prices, asks first, those
//! of a price in the order of their queue.

use super::book::place;
use super::frame::{Act, Order};
use super::number::Number;
use super::sum::{COVERED, Digits};
use crate::level::NotANumber;
use market::{Event, EventKind, InstrumentId, Qty, Side, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// An order that rests.
#[derive(Clone, Copy, Debug)]
struct Resting {
    id: u64,
    price: Number,
    qty: Number,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    instrument: InstrumentId,
    qty_digits: u32,
    /// Bids, asks: the queue at each price in 1e-9.
    sides: [BTreeMap<u128, Vec<Resting>>; 2],
    places: HashMap<u64, (Side, u128)>,
    /// Prices of a side that were subscribed to.
    depth: usize,
    digits: Digits,
}

/// Why an order cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Number,
    /// It is added while it rests, or modified while it does not or on the other side.
    Contradiction,
}

impl From<NotANumber> for Wrong {
    fn from(_: NotANumber) -> Wrong {
        Wrong::Number
    }
}

impl Queues {
    pub(super) fn new(instrument: InstrumentId, qty_digits: u32, depth: usize) -> Queues {
        let (sides, places, digits) = Default::default();
        Queues { instrument, qty_digits, sides, places, depth, digits }
    }

    /// Prices of a side that it has at most.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Does what is said of an order.
    ///
    /// # Errors
    /// [`Wrong`]: the book is not to be used any more.
    pub(super) fn act(&mut self, order: &Order, events: &mut Vec<Event>) -> Result<(), Wrong> {
        let (key, price) = place(order.side, order.price)?;
        let qty = order.qty.qty(self.qty_digits).ok_or(Wrong::Number)?;
        self.digits.saw(order.price, order.qty);
        let known = self.places.get(&order.id).copied();
        let kind = match (order.act, known) {
            (Act::Add, None) if qty.is_positive() => EventKind::Add,
            (Act::Modify, Some((side, _))) if side != order.side => {
                return Err(Wrong::Contradiction);
            }
            (Act::Modify, Some(_)) if qty.is_positive() => EventKind::Change,
            (Act::Modify | Act::Delete, Some(_)) => EventKind::Delete,
            // What fell out of the depth is gone as well.
            (Act::Delete, None) => return Ok(()),
            (Act::Add, None) => return Err(Wrong::Number),
            (Act::Add, Some(_)) | (Act::Modify, None) => return Err(Wrong::Contradiction),
        };
        let told = match (kind, known) {
            (EventKind::Delete, Some(old)) => {
                self.remove(order.id, old).then(|| Event::new(kind, self.instrument))
            }
            (EventKind::Change, Some((side, at))) if side == order.side && at == key => {
                self.requeue(order, key);
                price.map(|price| Event { price, qty, ..Event::new(kind, self.instrument) })
            }
            (_, known) => {
                let moved = known.is_some_and(|old| self.remove(order.id, old));
                self.insert(order, key);
                // An ask beyond the range of prices is left out, until it comes nearer.
                let kind = if moved { kind } else { EventKind::Add };
                let new = Event::new(kind, self.instrument).with_side(Some(order.side));
                match price {
                    Some(price) => Some(Event { price, qty, ..new }),
                    None => moved.then(|| Event::new(EventKind::Delete, self.instrument)),
                }
            }
        };
        events.extend(told.map(|event| Event { order: order.id, ..event }));
        Ok(())
    }

    /// Orders at prices beyond the depth that was subscribed to go: the venue does not tell.
    pub(super) fn truncate(&mut self, time: Timestamp, events: &mut Vec<Event>) {
        for side in Side::BOTH {
            let prices = &mut self.sides[side.index()];
            while prices.len() > self.depth {
                let worst = match side {
                    Side::Buy => prices.pop_first(),
                    Side::Sell => prices.pop_last(),
                };
                for resting in worst.map(|(_, queue)| queue).unwrap_or_default() {
                    self.places.remove(&resting.id);
                    if resting.price.price().is_some() {
                        let gone = Event::new(EventKind::Delete, self.instrument);
                        events.push(Event { exchange_time: time, order: resting.id, ..gone });
                    }
                }
            }
        }
    }

    /// As [`super::book::Book::holds`].
    pub(super) fn holds(&mut self, sum: u32, told: Option<[u32; 2]>) -> bool {
        let [bids, asks] = &self.sides;
        self.digits.hold(sum, told, || {
            let queues = asks.values().take(COVERED).chain(bids.values().rev().take(COVERED));
            queues.flatten().map(|resting| (resting.price, resting.qty))
        })
    }

    fn insert(&mut self, order: &Order, key: u128) {
        let Order { id, price, qty, side, .. } = *order;
        self.sides[side.index()].entry(key).or_default().push(Resting { id, price, qty });
        self.places.insert(id, (side, key));
    }

    /// True if there was a price that events could tell.
    fn remove(&mut self, id: u64, (side, key): (Side, u128)) -> bool {
        self.places.remove(&id);
        let prices = &mut self.sides[side.index()];
        let Some(queue) = prices.get_mut(&key) else { return false };
        let at = queue.iter().position(|resting| resting.id == id);
        let gone = at.map(|at| queue.remove(at));
        if queue.is_empty() {
            prices.remove(&key);
        }
        gone.is_some_and(|gone| gone.price.price().is_some())
    }

    /// Another quantity at its price: an order that does not become smaller goes to the end.
    fn requeue(&mut self, order: &Order, key: u128) {
        let of = |number: Number| number.qty(self.qty_digits).unwrap_or(Qty::ZERO);
        let Some(queue) = self.sides[order.side.index()].get_mut(&key) else { return };
        let Some(at) = queue.iter().position(|resting| resting.id == order.id) else { return };
        let new = Resting { id: order.id, price: order.price, qty: order.qty };
        if of(order.qty) <= of(queue[at].qty) {
            queue[at] = new;
        } else {
            queue.remove(at);
            queue.push(new);
        }
    }
}
