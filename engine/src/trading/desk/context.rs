//! What a strategy sees of the desk, and what it may do there.

use super::Desk;
use crate::trading::timers::Due;
use market::{
    BookView, Instrument, InstrumentId, Nanos, OrderId, OrderState, OrderView, Position, Price,
    Qty, Side, Timestamp,
};
use strategies::{Context, NewOrder, Quote, Refused, TimerId, Wanted};

impl Context for Desk {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn instruments(&self) -> &[InstrumentId] {
        &self.quotes[usize::from(self.current)]
    }

    fn instrument(&self, id: InstrumentId) -> &Instrument {
        &self.account.instruments()[id.index()]
    }

    fn book(&self, id: InstrumentId) -> &dyn BookView {
        self.books.book(id)
    }

    fn position(&self, id: InstrumentId) -> &Position {
        &self.account.positions()[id.index()]
    }

    fn orders(&self, id: InstrumentId, visit: &mut dyn FnMut(&OrderView)) {
        let orders = self.account.orders();
        orders.open(id).iter().for_each(|&slot| visit(&orders.get(slot).view()));
    }

    fn resting(&self, id: InstrumentId, side: Side, price: Price) -> Qty {
        let orders = self.account.orders();
        let at = |&slot: &u32| {
            let order = orders.get(slot);
            let here = order.side == side && order.price == price;
            (here && order.state != OrderState::PendingNew).then(|| order.leaves().raw())
        };
        Qty::from_raw(orders.open(id).iter().filter_map(at).fold(0, i64::saturating_add))
    }

    fn shows_own_orders(&self, _id: InstrumentId) -> bool {
        self.shows_own_orders
    }

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    fn set_timer(&mut self, timer: TimerId, after: Nanos) {
        // At least a moment later, so that timers that set themselves cannot hold the loop.
        let after = after.max(Nanos::from_micros(1));
        self.timers.set(self.now.after(after), Due::Strategy(self.current, timer));
    }

    fn quote(&mut self, id: InstrumentId, bids: &[Quote], asks: &[Quote]) {
        let Some(line) = self.lines.get_mut(id.index()) else { return };
        if line.owner != Some(self.current) {
            self.counters.bad_quotes += 1;
            return;
        }
        // Said again, as most often, it needs no second look.
        let mut repeated = line.wanted.is(bids, asks);
        if !repeated {
            let Some(instrument) = self.account.instrument(id) else { return };
            let wanted = Wanted::new(instrument, bids, asks).unwrap_or_else(|_| {
                self.counters.bad_quotes += 1;
                Wanted::default()
            });
            repeated = line.wanted == wanted;
            line.wanted = wanted;
        }
        // What the strategy sent itself is the quoter's from here on, to keep or to take off.
        if std::mem::take(&mut line.acts) || !repeated || line.refused {
            line.repeated = repeated;
            self.touch(id);
        }
    }

    fn cancel_all(&mut self) {
        for at in 0..self.quotes[usize::from(self.current)].len() {
            let id = self.quotes[usize::from(self.current)][at];
            self.withdraw(id);
            self.touch(id);
        }
    }

    fn submit(&mut self, order: NewOrder) -> Result<OrderId, Refused> {
        let line = self.lines.get(order.instrument.index());
        if line.is_none_or(|line| line.owner != Some(self.current)) {
            return Err(Refused::NotQuoted);
        }
        let id = self.send_new(&order)?;
        let line = &mut self.lines[order.instrument.index()];
        (line.wanted, line.acts) = (Wanted::default(), true);
        Ok(id)
    }

    fn replace(&mut self, id: OrderId, price: Price, qty: Qty) -> Result<OrderId, Refused> {
        let slot = self.own_order(id)?;
        self.send_replace(slot, price, qty)
    }

    fn cancel(&mut self, id: OrderId) -> Result<(), Refused> {
        let slot = self.own_order(id)?;
        self.send_cancel(slot)
    }
}

impl Desk {
    /// The slot of an open order of the strategy being called.
    fn own_order(&self, id: OrderId) -> Result<u32, Refused> {
        let slot = self.account.orders().find(id).ok_or(Refused::UnknownOrder)?;
        let order = self.account.orders().get(slot);
        let line = self.lines.get(order.instrument.index());
        let own = line.is_some_and(|line| line.owner == Some(self.current));
        if own && order.state.is_open() { Ok(slot) } else { Err(Refused::UnknownOrder) }
    }
}
