//! The venue's back office: accounts, the ids they used, their open orders, positions, fees and
//! the reports they get.
//!
//! It knows nothing of books and priorities.

use crate::id_runs::IdRuns;
use crate::orders::{Links, NONE, Orders, Resting, Slot};
use crate::{AccountId, ExchangeLimits, OpenOrder, Output, Run};
use market::table::IdTable;
use market::{
    Command, ExecId, Instrument, InstrumentId, Liquidity, Money, OrderId, Position, Price, Qty,
    RejectReason, Report, ReportKind, StateHasher, Timestamp, VenueOrderId,
};

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) used: IdRuns,
    by_id: IdTable,
    first: Slot,
    last: Slot,
    positions: Box<[Position]>,
}

/// Accounts and reports of one venue.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) instruments: Box<[Instrument]>,
    accounts: Box<[Account]>,
    epoch: u64,
    execs: u64,
    orders_per_account: usize,
    pub(crate) unbooked: u64,
}

impl Desk {
    pub(crate) fn new(instruments: Vec<Instrument>, limits: &ExchangeLimits, run: Run) -> Self {
        let account = Account {
            used: IdRuns::new(limits.id_runs),
            by_id: IdTable::new(limits.orders_per_account),
            first: NONE,
            last: NONE,
            positions: vec![Position::default(); instruments.len()].into_boxed_slice(),
        };
        let accounts = (0..limits.accounts)
            .map(|_| Account { used: IdRuns::new(limits.id_runs), ..account.clone() })
            .collect();
        Desk {
            instruments: instruments.into_boxed_slice(),
            accounts,
            epoch: run.epoch,
            execs: 0,
            orders_per_account: limits.orders_per_account,
            unbooked: 0,
        }
    }

    pub(crate) fn account(&self, account: AccountId) -> Option<&Account> {
        self.accounts.get(account.index())
    }

    pub(crate) fn account_mut(&mut self, account: AccountId) -> Option<&mut Account> {
        self.accounts.get_mut(account.index())
    }

    pub(crate) fn venue_order(&self, origin: u64) -> VenueOrderId {
        VenueOrderId([self.epoch, origin])
    }

    fn exec(&mut self) -> ExecId {
        self.execs += 1;
        ExecId([self.epoch, self.execs])
    }

    /// The open order that the account knows by `id`.
    pub(crate) fn find(&self, account: AccountId, id: OrderId) -> Option<Slot> {
        self.account(account)?.by_id.get(id.0)
    }

    pub(crate) fn has_room(&self, account: AccountId) -> bool {
        self.account(account).is_some_and(|account| account.by_id.len() < self.orders_per_account)
    }

    /// Enters an order into its account, which must have room.
    pub(crate) fn open(&mut self, orders: &mut Orders, slot: Slot) {
        let (owner, id) = (orders[slot].account, orders[slot].id);
        let Some(account) = self.accounts.get_mut(owner.index()) else { return };
        let entered = account.by_id.insert(id.0, slot);
        debug_assert_eq!(entered, Ok(None), "asked for room, and the id is new");
        orders[slot].owned = Links { previous: account.last, next: NONE };
        match account.last {
            NONE => account.first = slot,
            last => orders[last].owned.next = slot,
        }
        account.last = slot;
    }

    /// Takes an order out of its account.
    pub(crate) fn close(&mut self, orders: &mut Orders, slot: Slot) {
        let order = orders[slot];
        let Some(account) = self.accounts.get_mut(order.account.index()) else { return };
        account.by_id.remove(order.id.0);
        match order.owned.previous {
            NONE => account.first = order.owned.next,
            previous => orders[previous].owned.next = order.owned.next,
        }
        match order.owned.next {
            NONE => account.last = order.owned.previous,
            next => orders[next].owned.previous = order.owned.previous,
        }
    }

    /// The owner knows the order by `id` from now on.
    pub(crate) fn rename(&mut self, orders: &mut Orders, slot: Slot, id: OrderId) {
        let order = &mut orders[slot];
        if let Some(account) = self.accounts.get_mut(order.account.index()) {
            account.by_id.remove(order.id.0);
            let entered = account.by_id.insert(id.0, slot);
            debug_assert_eq!(entered, Ok(None), "one was removed, and the id is new");
        }
        order.id = id;
    }

    /// The oldest open order of an account, or [`NONE`].
    pub(crate) fn oldest(&self, account: AccountId) -> Slot {
        self.account(account).map_or(NONE, |account| account.first)
    }

    pub(crate) fn open_orders(&self, account: AccountId) -> usize {
        self.account(account).map_or(0, |account| account.by_id.len())
    }

    pub(crate) fn position(&self, account: AccountId, instrument: InstrumentId) -> Position {
        self.account(account)
            .and_then(|account| account.positions.get(instrument.index()))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn show(&self, order: &Resting) -> OpenOrder {
        OpenOrder {
            id: order.id,
            venue_order: self.venue_order(order.origin),
            instrument: order.instrument,
            side: order.side,
            price: order.price,
            qty: Qty::from_raw(order.total),
            cum_qty: Qty::from_raw(order.filled),
        }
    }

    /// A report on an order as it stands.
    pub(crate) fn about(&self, kind: ReportKind, order: &Resting, now: Timestamp) -> Report {
        let mut report = Report::new(kind, order.id, order.instrument).with_side(order.side);
        report.venue_order = self.venue_order(order.origin);
        report.price = order.price;
        report.qty = Qty::from_raw(order.total);
        report.cum_qty = Qty::from_raw(order.filled);
        report.leaves_qty = Qty::from_raw(order.leaves);
        report.exchange_time = now;
        report
    }

    /// Sends an execution report with an execution id of its own.
    pub(crate) fn send(&mut self, account: AccountId, mut report: Report, out: &mut dyn Output) {
        report.exec = self.exec();
        out.report(account, report);
    }

    /// Books and reports a fill of `qty` at `price`; `order` stands as it does after the fill.
    pub(crate) fn fill(
        &mut self,
        order: &Resting,
        price: Price,
        qty: i64,
        liquidity: Liquidity,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let qty = Qty::from_raw(qty);
        let mut report = self.about(ReportKind::Filled, order, now).with_liquidity(liquidity);
        report.price = price;
        report.qty = qty;
        let instrument = &self.instruments[order.instrument.index()];
        let fee = instrument.fee(price, qty, liquidity).unwrap_or(Money::ZERO);
        if let Ok(nano_units) = i64::try_from(fee.raw() / 1_000_000_000) {
            report = report.with_fee(nano_units);
        }
        let booked = self.accounts.get_mut(order.account.index()).is_some_and(|account| {
            let position = &mut account.positions[order.instrument.index()];
            position.on_fill(instrument, order.side, price, qty, fee, None).is_ok()
        });
        self.unbooked += u64::from(!booked);
        self.send(order.account, report, out);
    }

    /// Refuses a new order.
    pub(crate) fn reject(
        &mut self,
        account: AccountId,
        command: &Command,
        reason: RejectReason,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let mut report = refusal(ReportKind::Rejected, command, reason, now);
        report.price = command.price;
        report.qty = command.qty;
        self.send(account, report, out);
    }

    /// Refuses a cancel or replace.
    pub(crate) fn reject_request(
        &mut self,
        account: AccountId,
        command: &Command,
        order: Option<&Resting>,
        reason: RejectReason,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let mut report = refusal(ReportKind::CancelRejected, command, reason, now);
        report.target = command.target;
        if let Some(order) = order {
            report.venue_order = self.venue_order(order.origin);
        }
        out.report(account, report);
    }

    pub(crate) fn hash_into(&self, orders: &Orders, hasher: &mut StateHasher) {
        hasher.word(self.epoch);
        hasher.word(self.execs);
        hasher.word(self.unbooked);
        for account in &self.accounts {
            account.used.hash_into(hasher);
            for position in &account.positions {
                position.hash_into(hasher);
            }
            let mut slot = account.first;
            while slot != NONE {
                let order = &orders[slot];
                hasher.word(order.id.0);
                hasher.word(order.number);
                slot = order.owned.next;
            }
        }
    }
}

fn refusal(kind: ReportKind, command: &Command, reason: RejectReason, now: Timestamp) -> Report {
    let mut report = Report::new(kind, command.id, command.instrument).with_reason(reason);
    if let Some(side) = command.side() {
        report = report.with_side(side);
    }
    report.exchange_time = now;
    report
}
