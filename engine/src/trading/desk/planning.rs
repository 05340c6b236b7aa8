//! From wanted quotes to checked commands: plans every instrument that changed, and carries out what
//! risk and the moment allow. A retreat never waits for anything but the venue's answer.

use super::{Desk, MASS_CANCEL_WITHIN, RATE, Session};
use crate::trading::timers::Due;
use market::{BookView, InstrumentId, Nanos};
use strategies::{Action, Refused, Wanted};

impl Desk {
    /// Plans every instrument whose quotes or orders changed; while books are `torn`, within a packet,
    /// only those that may have no order or whose book may not be quoted: prices wait for the rest.
    pub(crate) fn settle(&mut self, torn: bool) {
        let mut kept = 0;
        for at in 0..self.dirty.len() {
            let id = self.dirty[at];
            if torn && !self.is_barred(id) && self.books.book(id).state().may_quote() {
                self.dirty[kept] = id;
                kept += 1;
                continue;
            }
            self.lines[id.index()].dirty = false;
            self.plan(id);
        }
        self.dirty.truncate(kept);
    }

    fn plan(&mut self, id: InstrumentId) {
        if !matches!(self.session, Session::Ready | Session::Closing) {
            return;
        }
        let held_back = self.now < self.lines[id.index()].not_before;
        let barred = self.is_barred(id);
        let canceling = self.now.since(self.lines[id.index()].mass_canceled) < MASS_CANCEL_WITHIN;
        if barred && canceling {
            return;
        }
        self.lines[id.index()].refused = false;
        let repeated = std::mem::take(&mut self.lines[id.index()].repeated);
        if self.lines[id.index()].acts && !barred && self.books.book(id).state().may_quote() {
            return;
        }
        let counted = self.counters.breaches;
        self.views.clear();
        let orders = self.account.orders();
        self.views.extend(orders.open(id).iter().map(|&slot| orders.get(slot).view()));
        let Some(mut plan) = self.plan.take() else { return };
        if let Some(instrument) = self.account.instrument(id) {
            let nothing = Wanted::default();
            let wanted = if barred { &nothing } else { &self.lines[id.index()].wanted };
            self.quoter.plan(instrument, wanted, &self.views, self.now, &mut plan);
        }
        if let Some(at) = plan.again() {
            self.timers.set_by(at, Due::Plan(id));
        }
        for action in plan.actions() {
            // After a refusal only retreats go on at once; the timer plans the rest.
            if !held_back || self.retreats(action) {
                self.carry_out(id, action);
            }
        }
        self.plan = Some(plan);
        if repeated {
            self.counters.breaches = counted;
        }
    }

    /// True if the action can only take an order farther from the market, or off it.
    fn retreats(&self, action: &Action) -> bool {
        match *action {
            Action::New(_) => false,
            Action::Cancel { .. } => true,
            Action::Replace { id, price, .. } => {
                let orders = self.account.orders();
                let order = orders.find(id).map(|slot| orders.get(slot));
                order.is_some_and(|order| order.side.is_better(order.price, price))
            }
        }
    }

    fn carry_out(&mut self, id: InstrumentId, action: &Action) {
        let outcome = match *action {
            Action::New(order) => self.send_new(&order).map(|_| ()),
            Action::Replace { id: order, price, qty } => match self.account.orders().find(order) {
                // A move that risk forbids must not leave the quote where it is wanted no more; and a
                // retreat that the rate forbids may go as a cancel, which has a reserve.
                Some(slot) => match self.send_replace(slot, price, qty) {
                    Err(Refused::NoReplace) => self.send_cancel(slot),
                    Err(Refused::Risk(name)) if name != RATE || self.retreats(action) => {
                        self.send_cancel(slot)
                    }
                    other => other.map(|_| ()),
                },
                None => Ok(()),
            },
            Action::Cancel { id: order } => match self.account.orders().find(order) {
                Some(slot) => self.send_cancel(slot),
                None => Ok(()),
            },
        };
        if let Err(Refused::Risk(_)) = outcome {
            self.lines[id.index()].refused = true;
        }
        if outcome == Err(Refused::Risk(RATE)) {
            let wait = self.rate.wait().max(Nanos::from_micros(100));
            self.timers.set_by(self.now.after(wait), Due::Plan(id));
        }
    }
}
