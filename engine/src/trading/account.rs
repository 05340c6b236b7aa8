//! One account at one venue: its orders, positions and counted executions.
//!
//! A state machine of its own inside the loop: it depends only on commands, on reports and on the
//! mid price noted with a report, so that a restart rebuilds it from the journal without a single
//! market event.

use crate::trading::fills::Executions;
use crate::trading::orders::{OrderTable, PER_INSTRUMENT_MAX};
use crate::trading::risk::Exposure;
use market::{
    Command, CommandKind, ExecId, Instrument, InstrumentId, Money, Order, OrderEvent, OrderId,
    OrderState, Position, Price, Qty, RejectReason, Report, ReportKind, Side, StateHasher,
    Timestamp,
};

/// What a report did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing to tell anyone.
    None,
    /// The order in this slot traded `qty` at `price`.
    Filled {
        /// Its slot.
        slot: u32,
        /// LastPx.
        price: Price,
        /// LastQty.
        qty: Qty,
    },
    /// The order in this slot changed otherwise.
    Changed {
        /// Its slot.
        slot: u32,
    },
    /// A request on the order in this slot, or the order itself, was refused.
    Refused {
        /// Its slot.
        slot: u32,
        /// Why.
        reason: RejectReason,
    },
    /// The venue names an order that we do not know.
    Foreign,
    /// The report was counted before.
    Duplicate,
    /// The life cycle has no such move; the order keeps its state.
    Illegal,
    /// The venue contradicts our record of the instrument: it must be halted.
    Contradiction,
}

/// Orders, positions and executions of one account.
#[derive(Clone, Debug)]
pub struct Account {
    instruments: Vec<Instrument>,
    orders: OrderTable,
    positions: Vec<Position>,
    executions: Executions,
    /// The id given last.
    last_id: OrderId,
    /// Execution reports consumed, session and control reports left out.
    reports: u64,
}

impl Account {
    /// An empty account that trades `instruments`.
    #[must_use]
    pub fn new(instruments: Vec<Instrument>, orders: usize, executions: usize) -> Self {
        let count = instruments.len();
        Account {
            orders: OrderTable::new(orders.max(PER_INSTRUMENT_MAX), count),
            positions: vec![Position::default(); count],
            executions: Executions::new(executions),
            instruments,
            last_id: OrderId::NONE,
            reports: 0,
        }
    }

    /// The instruments, in order of their ids.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The instrument of an id; ids come from this table, so there always is one.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id.index())
    }

    /// The position in an instrument.
    #[must_use]
    pub fn position(&self, id: InstrumentId) -> Option<&Position> {
        self.positions.get(id.index())
    }

    /// All positions, in order of instrument ids.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// The orders.
    #[must_use]
    pub fn orders(&self) -> &OrderTable {
        &self.orders
    }

    /// The id given last.
    #[must_use]
    pub fn last_id(&self) -> OrderId {
        self.last_id
    }

    /// Execution reports consumed so far.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// Counted executions, for an opening state.
    #[must_use]
    pub fn executions(&self) -> &Executions {
        &self.executions
    }

    /// Puts an opening state in place of an empty account's.
    pub(crate) fn restore(&mut self, positions: &[Position], orders: &[Order], executions: &[u64]) {
        for (position, restored) in self.positions.iter_mut().zip(positions) {
            *position = *restored;
        }
        for order in orders {
            if let Ok(slot) = self.orders.insert(Order { request: OrderId::NONE, ..*order })
                && order.request != OrderId::NONE
            {
                self.orders.set_request(slot, order.request);
            }
        }
        executions.iter().for_each(|&key| self.executions.restore(key));
    }

    /// What the account may hold of an instrument at worst, the order in `except` left out.
    #[must_use]
    pub fn exposure(&self, instrument: InstrumentId, except: Option<u32>) -> Exposure {
        let net = self.position(instrument).map_or(0, |position| position.net);
        let mut exposure = Exposure { net, open_buy: 0, open_sell: 0 };
        for &slot in self.orders.open(instrument).iter().filter(|&&slot| Some(slot) != except) {
            let order = self.orders.get(slot);
            let open = match order.side {
                Side::Buy => &mut exposure.open_buy,
                Side::Sell => &mut exposure.open_sell,
            };
            *open = open.saturating_add(order.worst_leaves().raw());
        }
        exposure
    }

    /// Notes a command that is about to be sent. Whether it could be is told by a
    /// [`ReportKind::NotSent`] report.
    pub fn on_command(&mut self, command: &Command, now: Timestamp) {
        let Some(kind) = command.kind() else { return };
        if kind == CommandKind::Mark {
            return;
        }
        self.last_id = self.last_id.max(command.id);
        match (kind, command.side()) {
            (CommandKind::New, Some(side)) => {
                // Risk has seen to it that there is room.
                let _ = self.orders.insert(Order {
                    id: command.id,
                    request: OrderId::NONE,
                    venue_order: market::VenueOrderId::NONE,
                    instrument: command.instrument,
                    side,
                    state: OrderState::PendingNew,
                    price: command.price,
                    qty: command.qty,
                    cum_qty: Qty::ZERO,
                    pending_price: command.price,
                    pending_qty: Qty::ZERO,
                    sent: now,
                    since: now,
                });
            }
            (CommandKind::Replace, _) => {
                self.on_request(command, OrderEvent::ReplaceSent, now, command.price, command.qty);
            }
            (CommandKind::Cancel, _) => {
                self.on_request(command, OrderEvent::CancelSent, now, Price::ZERO, Qty::ZERO);
            }
            (CommandKind::MassStatus, _) => self.orders.mark_asked(),
            _ => {}
        }
    }

    fn on_request(
        &mut self,
        command: &Command,
        event: OrderEvent,
        now: Timestamp,
        price: Price,
        qty: Qty,
    ) {
        let Some(slot) = self.orders.find(command.target) else { return };
        let order = self.orders.get_mut(slot);
        let Ok(state) = order.state.after(event) else { return };
        order.state = state;
        order.pending_price = price;
        order.pending_qty = qty;
        order.sent = now;
        self.orders.set_request(slot, command.id);
    }

    /// After the answer: orders that were asked for and not named are not at the venue. Gives the
    /// next of them, now Canceled, until there is none.
    pub fn next_unnamed(&mut self) -> Option<u32> {
        let slot = self.orders.all_open().find(|&slot| {
            let marks = self.orders.marks(slot);
            marks.asked && !marks.named && self.orders.get(slot).state == OrderState::Unknown
        })?;
        self.advance(slot, OrderEvent::Canceled);
        Some(slot)
    }

    /// The order session was lost: gives the next open order that became Unknown, until none is
    /// left.
    pub fn next_lost(&mut self) -> Option<u32> {
        let slot =
            self.orders.all_open().find(|&s| self.orders.get(s).state != OrderState::Unknown)?;
        self.advance(slot, OrderEvent::Lost);
        Some(slot)
    }

    /// The next order whose answer has been awaited since before `deadline`, now Unknown.
    pub fn next_overdue(&mut self, deadline: Timestamp) -> Option<u32> {
        let slot = self.orders.all_open().find(|&slot| {
            let order = self.orders.get(slot);
            order.state.is_pending() && order.sent < deadline
        })?;
        self.advance(slot, OrderEvent::Lost);
        Some(slot)
    }

    /// True if some order is Unknown.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.orders.all_open().any(|s| self.orders.get(s).state == OrderState::Unknown)
    }

    /// Moves an order along its life cycle; false if the table has no such move.
    fn advance(&mut self, slot: u32, event: OrderEvent) -> bool {
        let order = self.orders.get_mut(slot);
        let Ok(state) = order.state.after(event) else { return false };
        order.state = state;
        if !state.is_open() {
            self.orders.close(slot);
        }
        true
    }

    /// Counts one report of the venue. `mid` is the mid price of the instrument at this moment.
    pub fn on_report(&mut self, report: &Report, mid: Option<Price>, now: Timestamp) -> Effect {
        let Some(kind) = report.kind() else { return Effect::Illegal };
        match kind {
            ReportKind::SessionUp | ReportKind::SessionDown | ReportKind::StatusDone => {
                Effect::None
            }
            ReportKind::NotSent => self.on_not_sent(report),
            _ => {
                self.reports += 1;
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
            Some(ReportKind::Busted) => undone(report.exec),
            _ => fill_key(report),
        })
    }

    fn on_fill(&mut self, report: &Report, mid: Option<Price>) -> Effect {
        if !report.qty.is_positive() {
            return Effect::Contradiction;
        }
        if !self.executions.is_new(fill_key(report)) {
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
        let order = self.orders.get_mut(slot);
        order.venue_order = report.venue_order;
        let expected = order.cum_qty.checked_add(report.qty);
        let fits = expected == Some(report.cum_qty)
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
        let liquidity = report.liquidity().unwrap_or(market::Liquidity::Taker);
        let charged = report.fee().or_else(|| instrument.fee(report.price, report.qty, liquidity));
        let Some(fee) = charged else { return false };
        position.on_fill(instrument, side, report.price, report.qty, fee, mid).is_ok()
    }

    /// A bust takes a fill back at its price; a correction is told as the bust of the old and the
    /// fill of the new, and must name which: without the old terms the instrument is halted.
    fn on_correction(&mut self, report: &Report, mid: Option<Price>) -> Effect {
        // The report names the fill that it undoes; a fill is undone once.
        let busted = report.kind() == Some(ReportKind::Busted);
        if !busted || !self.executions.is_new(undone(report.exec)) {
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
                // Requests on orders closed long ago.
                ReportKind::CancelRejected | ReportKind::Canceled | ReportKind::Expired => {
                    Effect::None
                }
                _ => Effect::Foreign,
            };
        };
        if !report.venue_order.is_none() {
            self.orders.get_mut(slot).venue_order = report.venue_order;
        }
        match kind {
            ReportKind::Accepted => self.on_accepted(slot, now),
            ReportKind::Rejected => self.refuse(slot, OrderEvent::Rejected, report.reason()),
            ReportKind::Replaced => self.on_replaced(slot, report, now),
            ReportKind::CancelRejected => self.on_cancel_rejected(slot, report),
            ReportKind::Status => self.on_status(slot, report, now),
            ReportKind::Canceled => self.close(slot, OrderEvent::Canceled),
            _ => self.close(slot, OrderEvent::Expired),
        }
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

    fn refuse(&mut self, slot: u32, event: OrderEvent, reason: RejectReason) -> Effect {
        if self.advance(slot, event) { Effect::Refused { slot, reason } } else { Effect::Illegal }
    }

    fn close(&mut self, slot: u32, event: OrderEvent) -> Effect {
        if self.advance(slot, event) { Effect::Changed { slot } } else { Effect::Illegal }
    }

    fn on_replaced(&mut self, slot: u32, report: &Report, now: Timestamp) -> Effect {
        let order = *self.orders.get(slot);
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
        self.orders.adopt_request(slot);
        let order = self.orders.get_mut(slot);
        // The venue's word counts where it gives one.
        order.price = if report.price == Price::ZERO { order.pending_price } else { report.price };
        order.qty = if report.qty.is_positive() { report.qty } else { order.pending_qty };
        order.pending_qty = Qty::ZERO;
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
        if !order.state.is_open() || order.cum_qty != report.cum_qty {
            return Effect::Contradiction;
        }
        if order.state == OrderState::Unknown {
            if order.request == report.order {
                self.orders.adopt_request(slot);
            }
            self.end_request(slot);
        }
        if !self.advance(slot, OrderEvent::ToldOpen) {
            return Effect::Illegal;
        }
        let order = self.orders.get_mut(slot);
        if order.state == OrderState::Live {
            order.price = report.price;
            order.qty = report.qty;
            order.since = now;
        }
        Effect::Changed { slot }
    }

    /// Adds everything that decides to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.last_id.0);
        hasher.word(self.reports);
        self.positions.iter().for_each(|position| position.hash_into(hasher));
        self.orders.hash_into(hasher);
        self.executions.keys().for_each(|key| hasher.word(key));
    }
}

/// What a fill is counted by. A venue without ExecIDs is told apart by order and cumulative
/// quantity.
fn fill_key(report: &Report) -> ExecId {
    if report.exec.is_none() {
        ExecId([report.order.0, report.cum_qty.raw().cast_unsigned()])
    } else {
        report.exec
    }
}

/// What the bust of a fill is counted by.
fn undone(fill: ExecId) -> ExecId {
    ExecId(fill.0.map(|word| !word))
}
