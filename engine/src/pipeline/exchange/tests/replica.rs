//! Books as plain maps, with every order's place in its queue: the judge of what a storm leaves
//! behind.

use market::ids::digest64;
use market::{Event, EventFlags, EventKind, InstrumentId, Price, Side};
use std::collections::BTreeMap;

/// Orders of one side of one instrument by price, in the order of their arrival.
pub(super) type Queue = Vec<(u64, i64)>;

#[derive(Clone, Copy, Debug)]
struct Resting {
    instrument: InstrumentId,
    side: Side,
    price: Price,
    qty: i64,
    arrival: u64,
}

impl Resting {
    /// A number for this order alone, whatever its place in the queue.
    fn digest(&self, id: u64) -> u64 {
        let words = [id, self.side as u64, self.price.raw() as u64, self.qty as u64];
        digest64(&words.map(u64::to_le_bytes).concat())
    }
}

/// Every order, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    orders: BTreeMap<u64, Resting>,
    arrived: u64,
    replaced: Option<Side>,
    /// Of all orders of an instrument together.
    digests: BTreeMap<InstrumentId, u64>,
}

impl Replica {
    fn insert(&mut self, id: u64, order: Resting) {
        let sum = self.digests.entry(order.instrument).or_default();
        *sum = sum.wrapping_add(order.digest(id));
        self.orders.insert(id, order);
    }

    fn remove(&mut self, id: u64) -> Option<Resting> {
        let order = self.orders.remove(&id)?;
        let sum = self.digests.entry(order.instrument).or_default();
        *sum = sum.wrapping_sub(order.digest(id));
        Some(order)
    }

    /// Of all orders of an instrument.
    pub(super) fn digest(&self, instrument: InstrumentId) -> u64 {
        self.digests.get(&instrument).copied().unwrap_or(0)
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event.kind().unwrap() {
            EventKind::Add => {
                let replaces = event.flags.has(EventFlags::REPLACE);
                let side = if replaces { self.replaced.take() } else { event.side() };
                self.arrived += 1;
                let order = Resting {
                    instrument: event.instrument,
                    side: side.unwrap(),
                    price: event.price,
                    qty: event.qty.raw(),
                    arrival: self.arrived,
                };
                self.insert(event.order, order);
            }
            EventKind::Delete => {
                let gone = self.remove(event.order);
                self.replaced = gone.map(|order| order.side);
            }
            EventKind::Reduce | EventKind::Execute => {
                let Some(mut order) = self.remove(event.order) else { return };
                order.qty -= event.qty.raw();
                if order.qty > 0 {
                    self.insert(event.order, order);
                }
            }
            EventKind::Clear | EventKind::Reset => {
                let all = event.instrument == Event::ALL;
                let goes = |order: &Resting| all || order.instrument == event.instrument;
                let gone: Vec<u64> = self
                    .orders
                    .iter()
                    .filter(|(_, order)| goes(order))
                    .map(|(&id, _)| id)
                    .collect();
                for id in gone {
                    self.remove(id);
                }
            }
            _ => {}
        }
    }

    /// The queues of an instrument.
    pub(super) fn queues(&self, instrument: InstrumentId) -> BTreeMap<(Side, Price), Queue> {
        let mut by_arrival: Vec<_> =
            self.orders.iter().filter(|(_, order)| order.instrument == instrument).collect();
        by_arrival.sort_by_key(|(_, order)| order.arrival);
        let mut queues = BTreeMap::<_, Queue>::new();
        for (&id, order) in by_arrival {
            queues.entry((order.side, order.price)).or_default().push((id, order.qty));
        }
        queues
    }
}
