//! What each recorded event does to the recorded levels and to our orders at them.
//!
//! The rules are the table in [`super`]. Nothing here publishes.

use super::{LevelOverlay, is_within};
use crate::Output;
use crate::ladder::Cursor;
use crate::orders::{Links, RECORDED, Resting, Slot};
use crate::queue::Place;
use market::{
    Event, EventFlags, EventKind, InstrumentId, OrderId, Price, Qty, Side, Timestamp, TradingStatus,
};

impl LevelOverlay {
    /// Applies one event of the recording. Bad events are skipped and counted
    /// ([`LevelOverlay::skipped`]).
    pub fn recorded(&mut self, event: &Event, now: Timestamp, out: &mut dyn Output) {
        match event.kind() {
            Some(EventKind::Status) => self.status(event, now, out),
            Some(EventKind::Reset) => self.clear(Event::ALL),
            Some(
                EventKind::Gap
                | EventKind::Recovered
                | EventKind::Lost
                | EventKind::Mark
                | EventKind::Entry,
            ) => {}
            _ if event.instrument.index() >= self.displayed.len() => self.skipped.unknown += 1,
            Some(EventKind::Clear) => self.clear(event.instrument),
            Some(EventKind::Level) => self.level(event, now, out),
            Some(EventKind::Trade) => self.trade(event, now, out),
            // Of single orders nothing is known here.
            _ => self.skipped.contradictory += 1,
        }
        if event.flags.has(EventFlags::LAST) {
            self.settle();
        }
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
        for index in (0..self.displayed.len()).filter_map(|index| index.try_into().ok()) {
            self.matching.set_status(InstrumentId(index), status, now, out);
        }
    }

    fn level(&mut self, event: &Event, now: Timestamp, out: &mut dyn Output) {
        let qty = event.qty.raw();
        let Some(side) = event.side().filter(|_| qty >= 0 && event.price.raw() != i64::MIN) else {
            self.skipped.contradictory += 1;
            return;
        };
        self.told.levels += 1;
        if self.changed.last() != Some(&event.instrument) {
            self.changed.push(event.instrument);
        }
        self.requeue(event, side);
        let levels = &mut self.displayed[event.instrument.index()][side.index()];
        match levels.get(&event.price).copied() {
            None if qty == 0 => {}
            None => self.appear(event, side, now, out),
            Some(slot) if qty == 0 => {
                levels.remove(&event.price);
                self.forget(slot);
            }
            Some(slot) => {
                let before = std::mem::replace(&mut self.matching.orders[slot].total, qty);
                if qty > before {
                    let taken = self.cross(event, side, qty - before, now, out);
                    self.give(slot, qty - before - taken);
                } else {
                    self.shrink(slot, before - qty);
                }
            }
        }
    }

    /// A level that was not displayed.
    fn appear(&mut self, event: &Event, side: Side, now: Timestamp, out: &mut dyn Output) {
        let total = event.qty.raw();
        let leaves = total - self.cross(event, side, total, now, out);
        let order = Resting {
            number: self.matching.number(),
            origin: 0,
            id: OrderId::NONE,
            price: event.price,
            total,
            filled: 0,
            leaves: 0,
            account: RECORDED,
            instrument: event.instrument,
            side,
            queue: Links::ALONE,
            owned: Links::ALONE,
        };
        let book = &self.matching.books[event.instrument.index()];
        if !book.recorded[side.index()].has_room(event.price) {
            self.skipped.no_room += 1;
            return;
        }
        let Some(slot) = self.matching.orders.insert(order) else {
            self.skipped.no_room += 1;
            return;
        };
        self.displayed[event.instrument.index()][side.index()].insert(event.price, slot);
        self.give(slot, leaves);
    }

    /// Our orders that a rise of a level crosses trade with it; how much.
    fn cross(
        &mut self,
        event: &Event,
        side: Side,
        rise: i64,
        now: Timestamp,
        out: &mut dyn Output,
    ) -> i64 {
        if event.flags.has(EventFlags::SNAPSHOT) {
            return 0;
        }
        let reached = |ours: &Resting| side.crosses(event.price, ours.price);
        self.matching.fill_ours(event.instrument, side.opposite(), rise, reached, now, out)
    }

    /// More of a level is available.
    fn give(&mut self, slot: Slot, qty: i64) {
        if qty == 0 {
            return;
        }
        let Resting { instrument, side, leaves, .. } = self.matching.orders[slot];
        let ladder = &mut self.matching.books[instrument.index()].recorded[side.index()];
        if leaves > 0 {
            ladder.give(&mut self.matching.orders, slot, qty);
        } else {
            self.matching.orders[slot].leaves = qty;
            ladder.push(&mut self.matching.orders, slot);
        }
    }

    /// Less of a level is displayed; what is still available shrinks first.
    fn shrink(&mut self, slot: Slot, qty: i64) {
        let Resting { instrument, side, leaves, .. } = self.matching.orders[slot];
        let qty = qty.min(leaves);
        if qty > 0 {
            let ladder = &mut self.matching.books[instrument.index()].recorded[side.index()];
            ladder.take(&mut self.matching.orders, slot, qty);
        }
    }

    /// A level is gone.
    fn forget(&mut self, slot: Slot) {
        let Resting { instrument, side, leaves, .. } = self.matching.orders[slot];
        if leaves > 0 {
            let ladder = &mut self.matching.books[instrument.index()].recorded[side.index()];
            ladder.remove(&mut self.matching.orders, slot);
        }
        self.matching.orders.free(slot);
    }

    /// Empties the recorded book of one instrument, or all. Our places stay: a snapshot will say
    /// what stands there.
    fn clear(&mut self, instrument: InstrumentId) {
        for index in 0..self.displayed.len() {
            if instrument == Event::ALL || instrument.index() == index {
                for side in Side::BOTH {
                    let levels = std::mem::take(&mut self.displayed[index][side.index()]);
                    levels.into_values().for_each(|slot| self.forget(slot));
                }
            }
        }
    }

    /// Our orders at a level that is told anew move up by what the model says.
    fn requeue(&mut self, event: &Event, side: Side) {
        if event.qty.raw() == 0 {
            return;
        }
        let before = self.displayed(event.instrument, side, event.price);
        let lot = self.matching.desk.instruments[event.instrument.index()].lot;
        let mut earlier = Place::default();
        for slot in self.at(event.instrument, side, event.price) {
            let place = &mut self.places[slot as usize].1;
            place.level(self.model, before, event.qty, lot);
            place.not_before(&earlier);
            earlier = *place;
        }
    }

    fn trade(&mut self, event: &Event, now: Timestamp, out: &mut dyn Output) {
        if !event.qty.is_positive() {
            self.skipped.contradictory += 1;
            return;
        }
        if event.flags.has(EventFlags::CROSS) {
            return;
        }
        self.told.trades += 1;
        // Ours on both sides cannot be at or better than one price: they would cross each other.
        for side in Side::BOTH.into_iter().filter(|&side| event.side().is_none_or(|s| s == side)) {
            let better = |ours: &Resting| side.is_better(ours.price, event.price);
            let demand = event.qty.raw();
            let took = self.matching.fill_ours(event.instrument, side, demand, better, now, out);
            self.trade_at(event, side, demand - took, now, out);
        }
    }

    /// What is left of a trade meets the queue at its price.
    fn trade_at(
        &mut self,
        event: &Event,
        side: Side,
        demand: i64,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let trades = self.matching.books[event.instrument.index()].trades();
        let ours = self.at(event.instrument, side, event.price);
        // Of the recorded queue `reached` was taken so far.
        let (mut left, mut reached) = (demand, 0);
        let mut open = Vec::with_capacity(ours.len());
        for slot in ours {
            let gap = (self.places[slot as usize].1.ahead().raw() - reached).clamp(0, left);
            reached += gap;
            left -= gap;
            let leaves = self.matching.orders[slot].leaves;
            let fill = if trades { left.min(leaves) } else { 0 };
            if fill > 0 {
                self.matching.hit(slot, fill, now, out);
                left -= fill;
            }
            if fill < leaves {
                open.push(slot);
            }
        }
        reached += left;
        for slot in open {
            self.places[slot as usize].1.trade(Qty::from_raw(reached), event.qty);
        }
    }

    /// After a packet: no more stands ahead of ours than the levels that it left.
    fn settle(&mut self) {
        while let Some(instrument) = self.changed.pop() {
            for side in Side::BOTH {
                for slot in self.ours(instrument, side, |_| true).collect::<Vec<_>>() {
                    let price = self.matching.orders[slot].price;
                    if is_within(&self.displayed[instrument.index()][side.index()], side, price) {
                        let displayed = self.displayed(instrument, side, price);
                        self.places[slot as usize].1.cap(displayed);
                    }
                }
            }
        }
    }

    /// Our orders at one price, by time.
    fn at(&self, instrument: InstrumentId, side: Side, price: Price) -> Vec<Slot> {
        let until = |ours: Price| !side.is_better(price, ours);
        let reached = self.ours(instrument, side, until);
        reached.filter(|&slot| self.matching.orders[slot].price == price).collect()
    }

    /// Slots of our orders on a side from the best on, while `wanted`.
    pub(super) fn ours(
        &self,
        instrument: InstrumentId,
        side: Side,
        wanted: impl Fn(Price) -> bool,
    ) -> impl Iterator<Item = Slot> {
        let ladder = &self.matching.books[instrument.index()].ours[side.index()];
        std::iter::successors(ladder.walk(), |&at| ladder.after(&self.matching.orders, at))
            .map(Cursor::slot)
            .take_while(move |&slot| wanted(self.matching.orders[slot].price))
    }
}
