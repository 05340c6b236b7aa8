//! What a report does to the loop: session, status, orders, fills. The account counts it; here the
//! strategies hear of it, and what contradicts our record halts.

use super::TradingLoop;
use crate::trading::account::Effect;
use crate::trading::desk::Session;
use crate::trading::trading_loop::Outlet;
use market::{
    Event, InstrumentId, OrderState, OrderView, Price, Qty, RejectReason, Report, ReportKind,
    Timestamp,
};
use strategies::Fill;

impl TradingLoop {
    /// One report of the venue or the gateway.
    pub fn on_report(&mut self, now: Timestamp, report: &Report, out: &mut dyn Outlet) {
        self.desk.now = now;
        self.desk.counters.reports += 1;
        match report.kind() {
            Some(ReportKind::SessionUp) => self.on_session_up(),
            Some(ReportKind::SessionDown) => self.on_session_down(),
            Some(ReportKind::SessionClosing) => self.on_session_closing(),
            Some(ReportKind::StatusDone) => self.on_status_done(report),
            Some(ReportKind::Unreadable) => self.on_unreadable(),
            _ => self.on_order_report(report),
        }
        if self.desk.is_each_told() {
            self.desk.asked = None;
            self.ready();
        }
        self.finish(out);
    }

    fn on_session_up(&mut self) {
        // Up again without an end: numbers began anew.
        if self.desk.session != Session::Closing {
            self.desk.session = Session::Reconciling;
        }
        // What a resend told us may be older than the venue's last restart: ask about all of it.
        while self.desk.account.next_lost().is_some() {
            self.desk.counters.unknown += 1;
        }
        self.marked = (0, 0);
        self.desk.ask_status();
        if self.desk.is_all_barred() {
            self.desk.mass_cancel(Event::ALL);
        }
    }

    /// Nothing may stay over the close: the venue need not cancel, and nobody could.
    fn on_session_closing(&mut self) {
        // Up it must be: only its end reopens it.
        if self.desk.session == Session::Down {
            return;
        }
        self.desk.session = Session::Closing;
        self.desk.withdraw_everything();
        self.desk.mass_cancel(Event::ALL);
    }

    fn on_session_down(&mut self) {
        self.desk.session = Session::Down;
        while self.desk.account.next_lost().is_some() {
            self.desk.counters.unknown += 1;
        }
        for index in 0..self.strategies.len() {
            self.call(index, |strategy, desk| strategy.on_disconnect(desk));
        }
    }

    fn on_status_done(&mut self, report: &Report) {
        // An answer to an earlier question says nothing of the orders since.
        let current = self.desk.asked.is_some_and(|(asked, _)| asked == report.order);
        if !current {
            return;
        }
        self.desk.asked = None;
        while let Some(slot) = self.desk.account.next_unnamed() {
            self.tell_order(slot);
        }
        if self.desk.session == Session::Reconciling {
            // The venue's cancel-on-disconnect is a best effort: this is what it left.
            let open = self.desk.account.orders().all_open().count();
            self.desk.counters.survivors += open as u64;
            self.ready();
        }
    }

    /// Every order that may be open is known to be, or not to be: quoting may begin.
    fn ready(&mut self) {
        self.desk.session = Session::Ready;
        // A stepped venue must hear after every logon where we stand.
        self.marked = (u64::MAX, u64::MAX);
        // Books may have been quotable all along: say so again.
        for id in (0..self.touched.len()).filter_map(|index| u32::try_from(index).ok()) {
            self.desk.lines[id as usize].quotable = false;
            self.desk.touch(InstrumentId(id));
            self.tell_book(InstrumentId(id));
        }
    }

    /// The venue said something of our orders that nobody could read: nothing we hold is certain.
    fn on_unreadable(&mut self) {
        self.desk.counters.contradictions += 1;
        for id in (0..self.touched.len()).filter_map(|index| u32::try_from(index).ok()) {
            self.halt(InstrumentId(id));
        }
    }

    fn on_order_report(&mut self, report: &Report) {
        let mid = self.mid(report.instrument);
        match self.desk.account.on_report(report, mid, self.desk.now) {
            Effect::None => {
                // A mass cancel that the venue has no message for.
                let unsent = report.kind() == Some(ReportKind::NotSent);
                if unsent && report.reason() == RejectReason::Malformed {
                    self.desk.forget_mass_cancel(report.instrument);
                }
            }
            Effect::Filled { slot, price, qty } => {
                self.desk.counters.learned += u64::from(report.is_drop_copy());
                self.tell_fill(slot, report, price, qty);
            }
            Effect::Changed { slot } => self.tell_order(slot),
            Effect::Refused { slot, reason } => {
                self.desk.counters.reject(reason);
                let order = *self.desk.account.orders().get(slot);
                // A request that met a fill or cancel on the way is no reason to hold back.
                if order.state.is_open() || order.state == OrderState::Rejected {
                    self.desk.back_off(order.instrument);
                }
                self.tell_order(slot);
            }
            Effect::Renamed { slot } => {
                self.tell_order(slot);
                self.desk.ask_by_new_id(slot);
            }
            Effect::Duplicate if report.is_drop_copy() => self.desk.counters.confirmed += 1,
            Effect::Duplicate => self.desk.counters.duplicates += 1,
            Effect::Illegal => self.desk.counters.illegal_moves += 1,
            Effect::Foreign => {
                self.desk.counters.foreign += 1;
                self.halt_if_known(report.instrument);
            }
            Effect::Contradiction => {
                self.desk.counters.contradictions += 1;
                self.halt_if_known(report.instrument);
            }
        }
    }

    fn halt_if_known(&mut self, id: InstrumentId) {
        if id.index() < self.desk.lines.len() {
            self.halt(id);
        }
    }

    fn tell_fill(&mut self, slot: u32, report: &Report, price: Price, qty: Qty) {
        self.desk.counters.fills += 1;
        let order = *self.desk.account.orders().get(slot);
        let leaves = if order.state.is_open() { order.leaves() } else { Qty::ZERO };
        let fill = Fill {
            order: order.id,
            instrument: order.instrument,
            side: order.side,
            price,
            qty,
            leaves,
            liquidity: report.liquidity(),
        };
        self.desk.touch(order.instrument);
        if let Some(owner) = self.desk.lines[order.instrument.index()].owner {
            self.call(owner.into(), |strategy, desk| strategy.on_fill(desk, &fill));
        }
    }

    pub(super) fn tell_order(&mut self, slot: u32) {
        let view: OrderView = self.desk.account.orders().get(slot).view();
        self.desk.touch(view.instrument);
        if let Some(owner) = self.desk.lines[view.instrument.index()].owner {
            self.call(owner.into(), |strategy, desk| strategy.on_order(desk, &view));
        }
    }
}
