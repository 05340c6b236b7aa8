//! What each recorded event does to the recorded book and to our orders in it.
//!
//! The rules are the table in [`super`]. Nothing here publishes.

use super::Overlay;
use crate::Output;
use crate::orders::{Links, NONE, RECORDED, Resting, Slot};
use market::{
    Event, EventFlags, EventKind, InstrumentId, OrderId, Price, Side, Timestamp, TradingStatus,
};

impl Overlay {
    /// Applies one event of the recording. Bad events are skipped and counted
    /// ([`Overlay::skipped`]).
    pub fn recorded(&mut self, event: &Event, now: Timestamp, out: &mut dyn Output) {
        let Some(kind) = event.kind() else {
            self.skipped.contradictory += 1;
            return;
        };
        match kind {
            EventKind::Status => self.status(event, now, out),
            EventKind::Reset => self.clear(Event::ALL),
            EventKind::Gap
            | EventKind::Recovered
            | EventKind::Lost
            | EventKind::Mark
            | EventKind::Entry => {}
            EventKind::Level => self.skipped.by_level += 1,
            _ if event.instrument.index() >= self.replaced.len() => self.skipped.unknown += 1,
            EventKind::Clear => self.clear(event.instrument),
            EventKind::Add => self.add(event, now, out),
            EventKind::Trade => self.trade(event, now, out),
            EventKind::Change | EventKind::Reduce | EventKind::Delete | EventKind::Execute => {
                match self.known(event) {
                    None => self.skipped.unknown += 1,
                    Some(slot) if kind == EventKind::Delete => self.delete(event, slot),
                    Some(slot) if kind == EventKind::Change => self.change(event, slot, now, out),
                    Some(slot) if kind == EventKind::Reduce => self.reduce(event, slot),
                    Some(slot) => self.execute(event, slot, now, out),
                }
            }
        }
    }

    fn known(&self, event: &Event) -> Option<Slot> {
        let slot = self.recorded.get(event.order)?;
        (self.matching.orders[slot].instrument == event.instrument).then_some(slot)
    }

    fn status(&mut self, event: &Event, now: Timestamp, out: &mut dyn Output) {
        let Some(status) = TradingStatus::from_aux(event.aux) else {
            self.skipped.contradictory += 1;
            return;
        };
        if event.instrument != Event::ALL {
            self.matching.set_status(event.instrument, status, now, out);
            return;
        }
        for index in 0..self.replaced.len() {
            #[allow(clippy::cast_possible_truncation)]
            self.matching.set_status(InstrumentId(index as u32), status, now, out);
        }
    }

    fn add(&mut self, event: &Event, now: Timestamp, out: &mut dyn Output) {
        let inherited = self.replaced[event.instrument.index()].take();
        let inherits = event.flags.has(EventFlags::REPLACE);
        let side = if inherits { event.side().or(inherited) } else { event.side() };
        let Some(side) = side.filter(|_| event.qty.is_positive()) else {
            self.skipped.contradictory += 1;
            return;
        };
        if self.recorded.get(event.order).is_some() {
            self.skipped.unknown += 1;
            return;
        }
        let order = Resting {
            number: self.matching.number(),
            origin: event.order,
            id: OrderId::NONE,
            price: event.price,
            total: event.qty.raw(),
            filled: 0,
            leaves: event.qty.raw(),
            account: RECORDED,
            instrument: event.instrument,
            side,
            queue: Links::ALONE,
            owned: Links::ALONE,
        };
        self.arrive(order, event.flags, now, out);
    }

    /// A recorded order arrives: ours that it crosses trade with it, the rest is available.
    fn arrive(
        &mut self,
        mut order: Resting,
        flags: EventFlags,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        if !flags.has(EventFlags::SNAPSHOT) {
            let reached = |ours: &Resting| order.side.crosses(order.price, ours.price);
            let demand = order.leaves;
            order.leaves -= self.matching.fill_ours(
                order.instrument,
                order.side.opposite(),
                demand,
                reached,
                now,
                out,
            );
        }
        let index = order.instrument.index();
        let side = order.side.index();
        if !self.matching.books[index].recorded[side].has_room(order.price) {
            self.skipped.no_room += 1;
            return;
        }
        let Some(slot) = self.matching.orders.insert(order) else {
            self.skipped.no_room += 1;
            return;
        };
        if self.recorded.insert(order.origin, slot).is_err() {
            self.matching.orders.free(slot);
            self.skipped.no_room += 1;
            return;
        }
        let older = std::mem::replace(&mut self.newest[index], slot);
        self.matching.orders[slot].owned.next = older;
        if older != NONE {
            self.matching.orders[older].owned.previous = slot;
        }
        if order.leaves > 0 {
            self.matching.books[index].recorded[side].push(&mut self.matching.orders, slot);
        }
    }

    fn execute(&mut self, event: &Event, slot: Slot, now: Timestamp, out: &mut dyn Output) {
        let order = self.matching.orders[slot];
        let Some(qty) = self.taken(event, &order) else { return };
        let auction =
            event.flags.has(EventFlags::CROSS) || event.flags.has(EventFlags::NON_PRINTABLE);
        if !auction {
            let paid = if event.flags.has(EventFlags::PRICED) { event.price } else { order.price };
            let reached =
                |ours: &Resting| ours.precedes(&order) && !is_beyond(order.side, ours.price, paid);
            self.matching.fill_ours(order.instrument, order.side, qty, reached, now, out);
        }
        self.shrink(slot, qty);
    }

    fn trade(&mut self, event: &Event, now: Timestamp, out: &mut dyn Output) {
        if !event.qty.is_positive() {
            self.skipped.contradictory += 1;
            return;
        }
        if event.flags.has(EventFlags::CROSS) {
            return;
        }
        // Ours on both sides cannot be better than one price: they would cross each other.
        for side in Side::BOTH {
            let reached = |ours: &Resting| side.is_better(ours.price, event.price);
            self.matching.fill_ours(event.instrument, side, event.qty.raw(), reached, now, out);
        }
    }

    fn reduce(&mut self, event: &Event, slot: Slot) {
        let order = self.matching.orders[slot];
        if let Some(qty) = self.taken(event, &order) {
            self.shrink(slot, qty);
        }
    }

    fn delete(&mut self, event: &Event, slot: Slot) {
        let order = self.matching.orders[slot];
        if event.flags.has(EventFlags::REPLACE) {
            self.replaced[order.instrument.index()] = Some(order.side);
        }
        self.forget(slot);
    }

    fn change(&mut self, event: &Event, slot: Slot, now: Timestamp, out: &mut dyn Output) {
        let order = self.matching.orders[slot];
        if !event.qty.is_positive() {
            self.skipped.contradictory += 1;
            return;
        }
        if event.price == order.price && event.qty.raw() <= order.total {
            self.shrink(slot, order.total - event.qty.raw());
            return;
        }
        self.forget(slot);
        let number = self.matching.number();
        let (price, total) = (event.price, event.qty.raw());
        let order = Resting {
            number,
            price,
            total,
            leaves: total,
            queue: Links::ALONE,
            owned: Links::ALONE,
            ..order
        };
        self.arrive(order, event.flags, now, out);
    }

    /// The quantity an event takes off a displayed order, at most what is displayed.
    fn taken(&mut self, event: &Event, order: &Resting) -> Option<i64> {
        let qty = event.qty.raw();
        if qty <= 0 || qty > order.total {
            self.skipped.contradictory += 1;
        }
        (qty > 0).then_some(qty.min(order.total))
    }

    /// Takes `qty` off what is displayed; what is still available shrinks first.
    fn shrink(&mut self, slot: Slot, qty: i64) {
        let order = &mut self.matching.orders[slot];
        order.total -= qty;
        if order.total == 0 {
            self.forget(slot);
            return;
        }
        let Resting { instrument, side, leaves, .. } = *order;
        let ladder = &mut self.matching.books[instrument.index()].recorded[side.index()];
        if leaves > 0 {
            ladder.take(&mut self.matching.orders, slot, qty.min(leaves));
        }
    }

    /// A recorded order is gone.
    fn forget(&mut self, slot: Slot) {
        let order = self.matching.orders[slot];
        if order.leaves > 0 {
            let ladder =
                &mut self.matching.books[order.instrument.index()].recorded[order.side.index()];
            ladder.remove(&mut self.matching.orders, slot);
        }
        let Links { previous, next } = order.owned;
        match previous {
            NONE => self.newest[order.instrument.index()] = next,
            _ => self.matching.orders[previous].owned.next = next,
        }
        if next != NONE {
            self.matching.orders[next].owned.previous = previous;
        }
        self.recorded.remove(order.origin);
        self.matching.orders.free(slot);
    }

    /// Empties the recorded book of one instrument, or all.
    fn clear(&mut self, instrument: InstrumentId) {
        for index in 0..self.newest.len() {
            if instrument == Event::ALL || instrument.index() == index {
                while self.newest[index] != NONE {
                    self.forget(self.newest[index]);
                }
            }
        }
    }
}

/// True if an order of `side` at `price` asks more of the aggressor than `paid`.
fn is_beyond(side: Side, price: Price, paid: Price) -> bool {
    side.is_better(paid, price)
}
