//! Price-time matching: the one engine behind the exchange and the overlay.
//!
//! A book has two ladders a side: orders of accounts, and (in an overlay) the recorded orders they
//! queue among. An incoming order trades with whatever stands first by price, then arrival number.
//! Recorded orders are never filled, only taken from, and never published.

mod requests;

use crate::desk::Desk;
use crate::ladder::Ladder;
use crate::orders::{NONE, Orders, RECORDED, Resting, Slot};
use crate::setup::{SetupError, check_instruments};
use crate::{AccountId, ExchangeLimits, OpenOrder, Output, Run, SelfTradePolicy};
use market::{
    Event, EventFlags, EventKind, Instrument, InstrumentId, Liquidity, OrderId, Price, Qty,
    RejectReason, ReportKind, Side, StateHasher, TimeInForce, Timestamp, TradingStatus,
};

/// The book of one instrument.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) status: TradingStatus,
    /// Time of the last published event.
    pub(crate) updated: Timestamp,
    pub(crate) ours: [Ladder; 2],
    pub(crate) recorded: [Ladder; 2],
}

impl Book {
    /// True while orders are matched. A venue that never says its status trades.
    pub(crate) fn trades(&self) -> bool {
        matches!(self.status, TradingStatus::Trading | TradingStatus::Unknown)
    }
}

/// Orders, books and accounts of a venue.
#[derive(Clone, Debug)]
pub(crate) struct Matching {
    pub(crate) desk: Desk,
    pub(crate) orders: Orders,
    pub(crate) books: Box<[Book]>,
    policy: SelfTradePolicy,
    /// Whether what happens to orders of accounts is public.
    published: bool,
    next_number: u64,
}

impl Matching {
    pub(crate) fn new(
        instruments: Vec<Instrument>,
        limits: &ExchangeLimits,
        policy: SelfTradePolicy,
        run: Run,
        published: bool,
    ) -> Result<Self, SetupError> {
        limits.check()?;
        check_instruments(&instruments)?;
        let ladders = |levels| Side::BOTH.map(|side| Ladder::new(side, levels));
        let recorded_levels = if published { 0 } else { limits.levels };
        let books = instruments
            .iter()
            .map(|_| Book {
                status: TradingStatus::Unknown,
                updated: Timestamp::ZERO,
                ours: ladders(limits.levels),
                recorded: ladders(recorded_levels),
            })
            .collect();
        Ok(Matching {
            desk: Desk::new(instruments, limits, run),
            orders: Orders::new(limits.orders),
            books,
            policy,
            published,
            next_number: run.first_order.max(1),
        })
    }

    /// The next arrival number.
    pub(crate) fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    /// The order that trades next on a side.
    pub(crate) fn front(&self, instrument: InstrumentId, side: Side) -> Option<Slot> {
        let book = &self.books[instrument.index()];
        let (ours, recorded) = (&book.ours[side.index()], &book.recorded[side.index()]);
        match (ours.front(), recorded.front()) {
            (Some(a), Some(b)) => {
                Some(if self.orders[a].precedes(&self.orders[b]) { a } else { b })
            }
            (a, b) => a.or(b),
        }
    }

    /// True if an order would trade on arrival.
    fn would_trade(&self, instrument: InstrumentId, side: Side, price: Price) -> bool {
        self.front(instrument, side.opposite())
            .is_some_and(|slot| side.crosses(price, self.orders[slot].price))
    }

    /// True if an order for `leaves` would come upon one of its own account.
    fn meets_own(&self, taker: &Resting) -> bool {
        let book = &self.books[taker.instrument.index()];
        let at = taker.side.opposite().index();
        let (ours, recorded) = (&book.ours[at], &book.recorded[at]);
        let (mut a, mut b) = (ours.walk(), recorded.walk());
        let mut leaves = taker.leaves;
        while leaves > 0 {
            let first_is_ours = match (a, b) {
                (None, None) => return false,
                (Some(a), Some(b)) => self.orders[a.slot()].precedes(&self.orders[b.slot()]),
                (a, _) => a.is_some(),
            };
            let cursor = if first_is_ours { &mut a } else { &mut b };
            let Some(place) = *cursor else { return false };
            let order = &self.orders[place.slot()];
            if !taker.side.crosses(taker.price, order.price) {
                return false;
            }
            if order.account == taker.account {
                return true;
            }
            leaves -= order.leaves;
            let ladder = if first_is_ours { ours } else { recorded };
            *cursor = ladder.after(&self.orders, place);
        }
        false
    }

    /// Trades an order that is in no queue with everything it crosses.
    fn trade(&mut self, slot: Slot, now: Timestamp, out: &mut dyn Output) {
        loop {
            let taker = self.orders[slot];
            let against = taker.side.opposite();
            let Some(front) = self.front(taker.instrument, against) else { return };
            let resting = self.orders[front];
            if taker.leaves == 0 || !taker.side.crosses(taker.price, resting.price) {
                return;
            }
            if resting.account == taker.account {
                let reason = RejectReason::SelfTrade;
                self.withdraw(front, ReportKind::Canceled, None, reason, now, out);
                continue;
            }
            let qty = taker.leaves.min(resting.leaves);
            if resting.account == RECORDED {
                let book = &mut self.books[taker.instrument.index()];
                book.recorded[against.index()].take(&mut self.orders, front, qty);
            } else {
                self.hit(front, qty, now, out);
            }
            let taker = &mut self.orders[slot];
            taker.filled += qty;
            taker.leaves -= qty;
            let taker = *taker;
            self.desk.fill(&taker, resting.price, qty, Liquidity::Taker, now, out);
        }
    }

    /// Fills a resting order of an account at its own price.
    pub(crate) fn hit(&mut self, slot: Slot, qty: i64, now: Timestamp, out: &mut dyn Output) {
        let Resting { instrument, side, price, .. } = self.orders[slot];
        let mut executed = self.about(slot, EventKind::Execute);
        executed.qty = Qty::from_raw(qty);
        self.publish(executed, now, out);
        self.books[instrument.index()].ours[side.index()].take(&mut self.orders, slot, qty);
        self.orders[slot].filled += qty;
        let order = self.orders[slot];
        self.desk.fill(&order, price, qty, Liquidity::Maker, now, out);
        if order.leaves == 0 {
            self.forget(slot);
        }
    }

    /// Fills orders of accounts on `side`, best first, while they are `reached`, up to `demand`;
    /// how much.
    pub(crate) fn fill_ours(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        demand: i64,
        reached: impl Fn(&Resting) -> bool,
        now: Timestamp,
        out: &mut dyn Output,
    ) -> i64 {
        let mut left = demand;
        while left > 0 && self.books[instrument.index()].trades() {
            let front = self.books[instrument.index()].ours[side.index()].front();
            let Some(slot) = front.filter(|&slot| reached(&self.orders[slot])) else {
                break;
            };
            let qty = left.min(self.orders[slot].leaves);
            self.hit(slot, qty, now, out);
            left -= qty;
        }
        demand - left
    }

    /// After trading: what remains rests, or is canceled if it may not.
    fn settle(
        &mut self,
        slot: Slot,
        time_in_force: TimeInForce,
        flags: EventFlags,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let order = self.orders[slot];
        if order.leaves == 0 {
            self.forget(slot);
        } else if time_in_force == TimeInForce::ImmediateOrCancel {
            let mut report = self.desk.about(ReportKind::Canceled, &order, now);
            report.leaves_qty = Qty::ZERO;
            self.desk.send(order.account, report, out);
            self.forget(slot);
        } else {
            let ladder = &mut self.books[order.instrument.index()].ours[order.side.index()];
            ladder.push(&mut self.orders, slot);
            // The second half of a replace has no side of its own, as in ITCH.
            let side = (!flags.has(EventFlags::REPLACE)).then_some(order.side);
            let mut added = self.about(slot, EventKind::Add).with_side(side);
            added.price = order.price;
            added.qty = Qty::from_raw(order.leaves);
            added.flags = flags;
            self.publish(added, now, out);
        }
    }

    /// Takes a resting order of an account off the book and tells its owner.
    pub(crate) fn withdraw(
        &mut self,
        slot: Slot,
        kind: ReportKind,
        request: Option<OrderId>,
        reason: RejectReason,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let order = self.orders[slot];
        let deleted = self.about(slot, EventKind::Delete);
        self.publish(deleted, now, out);
        let ladder = &mut self.books[order.instrument.index()].ours[order.side.index()];
        ladder.remove(&mut self.orders, slot);
        let mut report = self.desk.about(kind, &order, now).with_reason(reason);
        report.leaves_qty = Qty::ZERO;
        if let Some(request) = request {
            report.order = request;
            report.target = order.id;
        }
        self.desk.send(order.account, report, out);
        self.forget(slot);
    }

    fn forget(&mut self, slot: Slot) {
        self.desk.close(&mut self.orders, slot);
        self.orders.free(slot);
    }

    /// An event that names an order.
    fn about(&self, slot: Slot, kind: EventKind) -> Event {
        let order = &self.orders[slot];
        let mut event = Event::new(kind, order.instrument);
        event.order = order.number;
        event
    }

    fn publish(&mut self, mut event: Event, now: Timestamp, out: &mut dyn Output) {
        if self.published {
            self.books[event.instrument.index()].updated = now;
            event.exchange_time = now;
            out.event(event);
        }
    }

    /// Changes the trading status; at the close, the day's orders run out.
    pub(crate) fn set_status(
        &mut self,
        instrument: InstrumentId,
        status: TradingStatus,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        let Some(book) = self.books.get_mut(instrument.index()) else { return };
        book.status = status;
        let mut told = Event::new(EventKind::Status, instrument);
        told.aux = status as u32;
        self.publish(told, now, out);
        if status != TradingStatus::Closed {
            return;
        }
        for side in Side::BOTH {
            while let Some(slot) = self.books[instrument.index()].ours[side.index()].front() {
                self.withdraw(slot, ReportKind::Expired, None, RejectReason::None, now, out);
            }
        }
    }

    pub(crate) fn visit(&self, account: AccountId, visit: &mut dyn FnMut(&OpenOrder)) {
        let mut slot = self.desk.oldest(account);
        while slot != NONE {
            visit(&self.desk.show(&self.orders[slot]));
            slot = self.orders[slot].owned.next;
        }
    }

    pub(crate) fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.next_number);
        for book in &self.books {
            hasher.word(book.status as u64);
            for ladder in book.ours.iter().chain(&book.recorded) {
                let mut place = ladder.walk();
                while let Some(cursor) = place {
                    let order = &self.orders[cursor.slot()];
                    for word in [order.number, order.origin, order.id.0] {
                        hasher.word(word);
                    }
                    hasher.word(order.price.raw().cast_unsigned());
                    for count in [order.total, order.filled, order.leaves] {
                        hasher.word(count.cast_unsigned());
                    }
                    place = ladder.after(&self.orders, cursor);
                }
                hasher.word(u64::MAX);
            }
        }
        self.desk.hash_into(&self.orders, hasher);
    }
}
