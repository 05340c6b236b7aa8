//! What each report of the venue does to the account. A trade is a fact and always counts; anything
//! that cannot be true of our record is told to the loop, never guessed.

use super::{Account, Effect};
use market::{
    ExecId, Liquidity, Money, Order, OrderEvent, OrderId, OrderState, Price, Qty, RejectReason,
    Report, ReportKind, Side, Timestamp,
};

impl Account {
    /// Counts one report of the venue. `mid` is the mid price of the instrument at this moment.
    pub fn on_report(&mut self, report: &Report, mid: Option<Price>, now: Timestamp) -> Effect {
        let Some(kind) = report.kind() else { return Effect::Illegal };
        match kind {
            ReportKind::SessionUp
            | ReportKind::SessionDown
            | ReportKind::SessionClosing
            | ReportKind::StatusDone => Effect::None,
            ReportKind::NotSent => self.on_not_sent(report),
            _ => {
                // Marks count what the order session told.
                self.reports += u64::from(!report.is_drop_copy());
                match kind {
                    ReportKind::Filled => self.on_fill(report, mid),
                    ReportKind::Busted | ReportKind::Corrected => self.on_correction(report, mid),
                    ReportKind::MassCanceled => Effect::None,
                    _ => self.on_answer(kind, report, now),
                }
            }
        }
    }

    /// The gateway kept a command back: the order never left, or the request never did.
    fn on_not_sent(&mut self, report: &Report) -> Effect {
        let Some(slot) = self.orders.find(report.order) else { return Effect::None };
        let order = self.orders.get(slot);
        let event = if order.request == report.order {
            OrderEvent::RequestRefused
        } else {
            OrderEvent::Rejected
        };
        if event == OrderEvent::RequestRefused {
            self.end_request(slot);
        }
        if self.advance(slot, event) {
            Effect::Refused { slot, reason: report.reason() }
        } else {
            Effect::Illegal
        }
    }

    fn end_request(&mut self, slot: u32) {
        self.orders.forget_request(slot);
        self.orders.get_mut(slot).pending_qty = Qty::ZERO;
    }

    /// True if the fill, or the bust, of a report was counted.
    #[must_use]
    pub fn has_counted(&self, report: &Report) -> bool {
        self.executions.knows(match report.kind() {
            Some(ReportKind::Busted) => self.undone(report),
            _ => self.fill_key(report),
        })
    }

    fn on_fill(&mut self, report: &Report, mid: Option<Price>) -> Effect {
        if !report.qty.is_positive() {
            return Effect::Contradiction;
        }
        if !self.executions.is_new(self.fill_key(report)) {
            return Effect::Duplicate;
        }
        let found = self.orders.find(report.order).or_else(|| self.orders.find(report.target));
        let Some(side) = report.side().or_else(|| found.map(|slot| self.orders.get(slot).side))
        else {
            return Effect::Contradiction;
        };
        // A trade is a fact: the position takes it whatever we think of the order.
        let counted = self.count_fill(report, side, mid);
        let Some(slot) = found else { return Effect::Foreign };
        self.orders.marks_mut(slot).copied |= report.is_drop_copy();
        let order = self.orders.get_mut(slot);
        order.venue_order = report.venue_order;
        let expected = order.cum_qty.checked_add(report.qty);
        // More than was ever asked for cannot have traded; a replace under way may have asked for more.
        let most = order.qty.max(order.pending_qty);
        let fits = expected == Some(report.cum_qty)
            && report.cum_qty <= most
            && order.side == side
            && order.instrument == report.instrument;
        order.cum_qty = order.cum_qty.max(report.cum_qty).max(expected.unwrap_or(order.cum_qty));
        let event = if report.leaves_qty.is_positive() {
            OrderEvent::PartlyFilled
        } else {
            OrderEvent::Filled
        };
        let moved = self.advance(slot, event);
        if !(counted && fits && moved) {
            return Effect::Contradiction;
        }
        Effect::Filled { slot, price: report.price, qty: report.qty }
    }

    fn count_fill(&mut self, report: &Report, side: Side, mid: Option<Price>) -> bool {
        let at = report.instrument.index();
        let (Some(instrument), Some(position)) =
            (self.instruments.get(at), self.positions.get_mut(at))
        else {
            return false;
        };
        let liquidity = report.liquidity().unwrap_or(Liquidity::Taker);
        let charged = report.fee().or_else(|| instrument.fee(report.price, report.qty, liquidity));
        let Some(fee) = charged else { return false };
        position.on_fill(instrument, side, report.price, report.qty, fee, mid).is_ok()
    }

    /// A bust takes a fill back at its price; a correction is told as the bust of the old and the
    /// fill of the new, and must name which: without the old terms the instrument is halted.
    fn on_correction(&mut self, report: &Report, mid: Option<Price>) -> Effect {
        // The report names the fill that it undoes; a fill is undone once.
        let busted = report.kind() == Some(ReportKind::Busted);
        if !busted || !self.executions.is_new(self.undone(report)) {
            return Effect::Contradiction;
        }
        let found = self.orders.find(report.order);
        let side = report.side().or_else(|| found.map(|slot| self.orders.get(slot).side));
        let at = report.instrument.index();
        if let (Some(side), Some(instrument), Some(position)) =
            (side, self.instruments.get(at), self.positions.get_mut(at))
        {
            let fee = report.fee().map_or(Money::ZERO, |fee| -fee);
            let back = side.opposite();
            let _ = position.on_fill(instrument, back, report.price, report.qty, fee, mid);
        }
        // A bust is for people to look at, always.
        Effect::Contradiction
    }

    fn on_answer(&mut self, kind: ReportKind, report: &Report, now: Timestamp) -> Effect {
        let by_target = || self.orders.find(report.target);
        let Some(slot) = self.orders.find(report.order).or_else(by_target) else {
            return match kind {
                // Requests on orders closed long ago, and ids that the venue did not know before.
                ReportKind::CancelRejected
                | ReportKind::Canceled
                | ReportKind::Expired
                | ReportKind::Rejected => Effect::None,
                _ => Effect::Foreign,
            };
        };
        if !report.venue_order.is_none() {
            self.orders.get_mut(slot).venue_order = report.venue_order;
        }
        // Whatever it says of the order, it also says of trades that we were never told.
        let missed = report.cum_qty > self.orders.get(slot).cum_qty;
        let effect = match kind {
            ReportKind::Accepted => self.on_accepted(slot, now),
            ReportKind::Rejected => self.on_rejected(slot, report),
            ReportKind::Replaced => self.on_replaced(slot, report, now),
            ReportKind::CancelRejected => self.on_cancel_rejected(slot, report),
            ReportKind::Status => self.on_status(slot, report, now),
            ReportKind::Canceled => self.close(slot, OrderEvent::Canceled),
            _ => self.close(slot, OrderEvent::Expired),
        };
        if missed { Effect::Contradiction } else { effect }
    }

    fn on_accepted(&mut self, slot: u32, now: Timestamp) -> Effect {
        let fresh = self.orders.get(slot).state == OrderState::PendingNew;
        if !self.advance(slot, OrderEvent::Accepted) {
            return Effect::Illegal;
        }
        if fresh {
            self.orders.get_mut(slot).since = now;
        }
        Effect::Changed { slot }
    }

    /// Of a new order, or the answer to a question about one: the venue does not know the id. Where a
    /// replace was under way it may know the other one; the order is gone when it knows neither.
    fn on_rejected(&mut self, slot: u32, report: &Report) -> Effect {
        let order = *self.orders.get(slot);
        if !order.state.is_open() {
            // It was closed, and told to be, while the question was on its way.
            return Effect::None;
        }
        if order.request != OrderId::NONE && order.request == report.order {
            self.end_request(slot);
            return self.refuse(slot, OrderEvent::RequestRefused, report.reason());
        }
        if order.state == OrderState::Unknown && order.pending_qty.is_positive() {
            self.adopt_request(slot);
            return Effect::Renamed { slot };
        }
        self.refuse(slot, OrderEvent::Rejected, report.reason())
    }

    /// The replace took place: the order has its id and, as far as they are known, its terms.
    fn adopt_request(&mut self, slot: u32) {
        self.orders.adopt_request(slot);
        let order = self.orders.get_mut(slot);
        if order.pending_qty.is_positive() {
            (order.price, order.qty) = (order.pending_price, order.pending_qty);
        }
        order.pending_qty = Qty::ZERO;
    }

    fn refuse(&mut self, slot: u32, event: OrderEvent, reason: RejectReason) -> Effect {
        if self.advance(slot, event) { Effect::Refused { slot, reason } } else { Effect::Illegal }
    }

    fn close(&mut self, slot: u32, event: OrderEvent) -> Effect {
        if self.advance(slot, event) { Effect::Changed { slot } } else { Effect::Illegal }
    }

    fn on_replaced(&mut self, slot: u32, report: &Report, now: Timestamp) -> Effect {
        let order = *self.orders.get(slot);
        if order.state == OrderState::Filled {
            // Its last fill, told by a drop copy, was faster.
            return Effect::None;
        }
        if order.request != report.order {
            // A late answer to a request that we had given up: the venue holds the order by it.
            if order.id == report.order {
                return Effect::Duplicate;
            }
            if order.id != report.target {
                return Effect::Contradiction;
            }
            self.orders.set_request(slot, report.order);
        }
        if !self.advance(slot, OrderEvent::Replaced) {
            return Effect::Illegal;
        }
        self.adopt_request(slot);
        let order = self.orders.get_mut(slot);
        take_terms(order, report);
        order.since = now;
        if order.leaves() == Qty::ZERO {
            return self.close(slot, OrderEvent::Canceled);
        }
        Effect::Changed { slot }
    }

    /// The request is off. If the venue says that the order is gone while we hold it open, only a
    /// status can tell.
    fn on_cancel_rejected(&mut self, slot: u32, report: &Report) -> Effect {
        let order = *self.orders.get(slot);
        if order.request == report.order {
            self.end_request(slot);
        }
        let gone = matches!(report.reason(), RejectReason::TooLate | RejectReason::UnknownOrder);
        if order.request != report.order && !gone {
            // A late answer to a request that we had given up.
            return Effect::None;
        }
        let event = if gone && order.state.is_open() {
            OrderEvent::Lost
        } else {
            OrderEvent::RequestRefused
        };
        self.refuse(slot, event, report.reason())
    }

    /// The venue names an open order: its word on price and quantity counts. Fills that we missed
    /// are a contradiction.
    fn on_status(&mut self, slot: u32, report: &Report, now: Timestamp) -> Effect {
        self.orders.marks_mut(slot).named = true;
        let order = *self.orders.get(slot);
        if self.orders.marks(slot).copied && report.cum_qty < order.cum_qty {
            // It was said before the trades that a drop copy told first.
            return Effect::None;
        }
        if order.state == OrderState::Filled && order.cum_qty == report.cum_qty {
            // Its last fill came before the answer to the question about it.
            return Effect::None;
        }
        if !order.state.is_open() || order.cum_qty != report.cum_qty {
            return Effect::Contradiction;
        }
        if order.state == OrderState::Unknown {
            if order.request == report.order {
                self.adopt_request(slot);
            }
            self.end_request(slot);
        }
        if !self.advance(slot, OrderEvent::ToldOpen) {
            return Effect::Illegal;
        }
        let order = self.orders.get_mut(slot);
        if order.state == OrderState::Live {
            take_terms(order, report);
            order.since = now;
        }
        Effect::Changed { slot }
    }

    /// What a fill is counted by. A venue without ExecIDs is told apart by order and cumulative
    /// quantity.
    fn fill_key(&self, report: &Report) -> ExecId {
        if report.exec.is_none() {
            ExecId([report.order.0, report.cum_qty.raw().cast_unsigned()])
        } else {
            self.of_instrument(report)
        }
    }

    /// What the bust of a fill is counted by. One word is turned, not both: what is kept is one upon
    /// the other, and both turned would be the fill's own.
    fn undone(&self, report: &Report) -> ExecId {
        let [high, low] = self.of_instrument(report).0;
        ExecId([!high, low])
    }

    /// Venues number trades by instrument: the same id in another instrument is another trade. Its
    /// place in the list may be another at the next start, its symbol is not.
    fn of_instrument(&self, report: &Report) -> ExecId {
        let [high, low] = report.exec.0;
        let symbol = self.symbols.get(report.instrument.index()).copied().unwrap_or_default();
        ExecId([high ^ symbol, low])
    }
}

/// The venue's word counts where it gives one: not every report has both.
fn take_terms(order: &mut Order, report: &Report) {
    order.price = if report.price == Price::ZERO { order.price } else { report.price };
    order.qty = if report.qty.is_positive() { report.qty } else { order.qty };
}
