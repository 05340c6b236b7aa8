//! The commands of accounts: what is checked, in which order, and what each answer says.
//!
//! | request | answer |
//! |---|---|
//! | new | `Accepted`, then its fills, then (immediate-or-cancel) `Canceled` for the rest; or `Rejected` |
//! | replace | `Replaced`, then as a new order; or `CancelRejected`, and the order stands as it was |
//! | replace to a total not above the filled part | `Canceled`, named by the request: nothing is left to work, as FIX 4.4 volume 7 has a replace down to CumQty end the order |
//! | cancel | `Canceled`, named by the request; or `CancelRejected` |
//! | mass cancel | `Canceled` for each order, then `MassCanceled` with their count in `qty` |
//! | mass status | `Status` for each order, then `StatusDone` with their count in `qty` |
//!
//! A replace keeps its place in the queue only if the price stays and the total does not rise.
//! Post-only is a property of each request: a replace must say it again.

use super::Matching;
use crate::id_runs::Noted;
use crate::orders::{Links, NONE, Resting, Slot};
use crate::{AccountId, Output, SelfTradePolicy};
use market::{
    Command, CommandKind, Event, EventFlags, EventKind, Qty, RejectReason, Report, ReportKind,
    Side, TimeInForce, Timestamp,
};

impl Matching {
    pub(crate) fn command(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        match command.kind() {
            Some(CommandKind::New) => {
                if let Err(reason) = self.new_order(account, command, now, out) {
                    self.desk.reject(account, command, reason, now, out);
                }
            }
            Some(kind @ (CommandKind::Replace | CommandKind::Cancel)) => {
                let target = self.desk.find(account, command.target);
                let done = if kind == CommandKind::Replace {
                    self.replace(account, command, target, now, out)
                } else {
                    self.cancel(account, command, target, now, out)
                };
                if let Err(reason) = done {
                    let order = target.map(|slot| self.orders[slot]);
                    self.desk.reject_request(account, command, order.as_ref(), reason, now, out);
                }
            }
            Some(CommandKind::MassCancel) => self.mass_cancel(account, command, now, out),
            Some(CommandKind::Status) => match self.desk.find(account, command.target) {
                Some(slot) => {
                    let order = self.orders[slot];
                    out.report(account, self.desk.about(ReportKind::Status, &order, now));
                }
                None => self.desk.reject(account, command, RejectReason::UnknownOrder, now, out),
            },
            Some(CommandKind::MassStatus) => self.mass_status(account, command, now, out),
            Some(CommandKind::Mark) => {}
            None => self.desk.reject(account, command, RejectReason::Malformed, now, out),
        }
    }

    /// Each request id may be used once by its account.
    fn note_id(&mut self, account: AccountId, command: &Command) -> Result<(), RejectReason> {
        let account = self.desk.account_mut(account).ok_or(RejectReason::Limit)?;
        if command.id.0 == 0 {
            return Err(RejectReason::Malformed);
        }
        match account.used.note(command.id.0) {
            Noted::New => Ok(()),
            Noted::Used => Err(RejectReason::DuplicateId),
            Noted::Full => Err(RejectReason::Limit),
        }
    }

    /// What new orders and replaces have in common. Unfilled quantity is judged by the caller.
    fn check_terms(&self, command: &Command) -> Result<Side, RejectReason> {
        let side = command.side().ok_or(RejectReason::Malformed)?;
        let instrument = self
            .desk
            .instruments
            .get(command.instrument.index())
            .ok_or(RejectReason::UnknownInstrument)?;
        let book = &self.books[command.instrument.index()];
        if !book.trades() {
            return Err(RejectReason::Closed);
        }
        if !instrument.is_valid_price(command.price) {
            return Err(RejectReason::Price);
        }
        if !instrument.is_valid_qty(command.qty) {
            return Err(RejectReason::Qty);
        }
        if !book.ours[side.index()].has_room(command.price) {
            return Err(RejectReason::Limit);
        }
        Ok(side)
    }

    /// Refuses what may not trade, or may not trade with whom it would meet.
    fn check_trades(&self, taker: &Resting, command: &Command) -> Result<bool, RejectReason> {
        let crosses = self.would_trade(taker.instrument, taker.side, taker.price);
        if crosses && command.post_only() {
            return Err(RejectReason::WouldTrade);
        }
        if crosses && self.policy == SelfTradePolicy::RejectIncoming && self.meets_own(taker) {
            return Err(RejectReason::SelfTrade);
        }
        Ok(crosses)
    }

    fn new_order(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    ) -> Result<(), RejectReason> {
        self.note_id(account, command)?;
        let side = self.check_terms(command)?;
        if self.orders.is_full() || !self.desk.has_room(account) {
            return Err(RejectReason::Limit);
        }
        let mut order = Resting {
            number: 0,
            origin: 0,
            id: command.id,
            price: command.price,
            total: command.qty.raw(),
            filled: 0,
            leaves: command.qty.raw(),
            account,
            instrument: command.instrument,
            side,
            queue: Links::ALONE,
            owned: Links::ALONE,
        };
        self.check_trades(&order, command)?;
        order.number = self.number();
        order.origin = order.number;
        let slot = self.orders.insert(order).ok_or(RejectReason::Limit)?;
        self.desk.open(&mut self.orders, slot);
        let report = self.desk.about(ReportKind::Accepted, &order, now);
        self.desk.send(account, report, out);
        self.trade(slot, now, out);
        self.settle(slot, command.time_in_force(), EventFlags::NONE, now, out);
        Ok(())
    }

    /// The open order a request is about.
    fn target(
        &mut self,
        account: AccountId,
        command: &Command,
        target: Option<Slot>,
    ) -> Result<Slot, RejectReason> {
        self.note_id(account, command)?;
        let Some(slot) = target else {
            let used =
                self.desk.account(account).is_some_and(|a| a.used.contains(command.target.0));
            let closed = used && command.target != command.id;
            return Err(if closed { RejectReason::TooLate } else { RejectReason::UnknownOrder });
        };
        let order = &self.orders[slot];
        if order.instrument != command.instrument || Some(order.side) != command.side() {
            return Err(RejectReason::UnknownOrder);
        }
        Ok(slot)
    }

    fn cancel(
        &mut self,
        account: AccountId,
        command: &Command,
        target: Option<Slot>,
        now: Timestamp,
        out: &mut dyn Output,
    ) -> Result<(), RejectReason> {
        let slot = self.target(account, command, target)?;
        let reason = RejectReason::None;
        self.withdraw(slot, ReportKind::Canceled, Some(command.id), reason, now, out);
        Ok(())
    }

    fn replace(
        &mut self,
        account: AccountId,
        command: &Command,
        target: Option<Slot>,
        now: Timestamp,
        out: &mut dyn Output,
    ) -> Result<(), RejectReason> {
        let slot = self.target(account, command, target)?;
        let order = self.orders[slot];
        let total = command.qty.raw();
        if 0 < total && total <= order.filled {
            let reason = RejectReason::None;
            self.withdraw(slot, ReportKind::Canceled, Some(command.id), reason, now, out);
            return Ok(());
        }
        self.check_terms(command)?;
        let keeps_place = command.price == order.price
            && total <= order.total
            && command.time_in_force() == TimeInForce::Day;
        if keeps_place {
            self.shrink(slot, command, now, out);
            return Ok(());
        }
        let mut next = Resting {
            id: command.id,
            price: command.price,
            total,
            leaves: total - order.filled,
            ..order
        };
        let crosses = self.check_trades(&next, command)?;
        let flags = if crosses || command.time_in_force() == TimeInForce::ImmediateOrCancel {
            EventFlags::NONE
        } else {
            EventFlags::REPLACE
        };
        let mut deleted = self.about(slot, EventKind::Delete);
        deleted.flags = flags;
        self.publish(deleted, now, out);
        let ladder = &mut self.books[order.instrument.index()].ours[order.side.index()];
        ladder.remove(&mut self.orders, slot);
        self.desk.rename(&mut self.orders, slot, command.id);
        next.number = self.number();
        next.queue = Links::ALONE;
        self.orders[slot] = next;
        self.tell_replaced(slot, command, now, out);
        self.trade(slot, now, out);
        self.settle(slot, command.time_in_force(), flags, now, out);
        Ok(())
    }

    /// A replace that keeps its place in the queue.
    fn shrink(&mut self, slot: Slot, command: &Command, now: Timestamp, out: &mut dyn Output) {
        let order = self.orders[slot];
        let less = order.total - command.qty.raw();
        if less > 0 {
            let mut reduced = self.about(slot, EventKind::Reduce);
            reduced.qty = Qty::from_raw(less);
            self.publish(reduced, now, out);
            let ladder = &mut self.books[order.instrument.index()].ours[order.side.index()];
            ladder.take(&mut self.orders, slot, less);
            self.orders[slot].total = command.qty.raw();
        }
        self.desk.rename(&mut self.orders, slot, command.id);
        self.tell_replaced(slot, command, now, out);
    }

    fn tell_replaced(
        &mut self,
        slot: Slot,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let order = self.orders[slot];
        let mut report = self.desk.about(ReportKind::Replaced, &order, now);
        report.target = command.target;
        self.desk.send(order.account, report, out);
    }

    /// Cancels the account's orders that `wanted` picks; their count.
    pub(crate) fn cancel_where(
        &mut self,
        account: AccountId,
        wanted: impl Fn(&Resting) -> bool,
        now: Timestamp,
        out: &mut dyn Output,
    ) -> i64 {
        let mut slot = self.desk.oldest(account);
        let mut canceled = 0;
        while slot != NONE {
            let order = self.orders[slot];
            if wanted(&order) {
                self.withdraw(slot, ReportKind::Canceled, None, RejectReason::None, now, out);
                canceled += 1;
            }
            slot = order.owned.next;
        }
        canceled
    }

    fn mass_cancel(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let all = command.instrument == Event::ALL;
        let known = all || command.instrument.index() < self.books.len();
        let wanted = |order: &Resting| all || order.instrument == command.instrument;
        let canceled = self.cancel_where(account, wanted, now, out);
        let reason = if known { RejectReason::None } else { RejectReason::UnknownInstrument };
        tell_count(account, command, ReportKind::MassCanceled, canceled, reason, now, out);
    }

    fn mass_status(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let mut slot = self.desk.oldest(account);
        let mut open = 0;
        while slot != NONE {
            let order = self.orders[slot];
            out.report(account, self.desk.about(ReportKind::Status, &order, now));
            open += 1;
            slot = order.owned.next;
        }
        let reason = RejectReason::None;
        tell_count(account, command, ReportKind::StatusDone, open, reason, now, out);
    }
}

/// Ends the answer to a mass request with the count of orders it was about.
fn tell_count(
    account: AccountId,
    command: &Command,
    kind: ReportKind,
    count: i64,
    reason: RejectReason,
    now: Timestamp,
    out: &mut dyn Output,
) {
    let mut report = Report::new(kind, command.id, command.instrument).with_reason(reason);
    report.qty = Qty::from_raw(count);
    report.exchange_time = now;
    out.report(account, report);
}
