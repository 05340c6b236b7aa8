//! How the flow's traders reach the exchange: their accounts, their ids, their commands.

use super::{ACCOUNTS, PROVIDERS};
use crate::{AccountId, Exchange, Output, Venue};
use market::{
    Command, InstrumentId, OrderId, Price, Qty, Side, StateHasher, TimeInForce, Timestamp,
};

/// Ids of requests, counted for each account of the flow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ids([u64; ACCOUNTS as usize]);

impl Ids {
    fn next(&mut self, account: AccountId) -> OrderId {
        let last = &mut self.0[account.index()];
        *last += 1;
        OrderId(*last)
    }

    pub(super) fn hash_into(self, hasher: &mut StateHasher) {
        for last in self.0 {
            hasher.word(last);
        }
    }
}

/// The way to the exchange at one moment.
pub(super) struct Broker<'a> {
    pub(super) exchange: &'a mut Exchange,
    pub(super) out: &'a mut dyn Output,
    pub(super) ids: &'a mut Ids,
    pub(super) now: Timestamp,
}

impl Broker<'_> {
    /// The best price of a side.
    pub(super) fn touch(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        self.exchange.best(instrument, side).map(|level| level.price)
    }

    /// True while a provider's order rests.
    pub(super) fn is_open(&self, id: OrderId) -> bool {
        self.exchange.open_order(PROVIDERS, id).is_some()
    }

    /// A provider's order, which never takes.
    pub(super) fn provide(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> OrderId {
        let id = self.ids.next(PROVIDERS);
        let order = Command::new(id, instrument, side, price, qty).with_post_only(true);
        self.exchange.command(PROVIDERS, &order, self.now, self.out);
        id
    }

    /// Takes off a provider's order.
    pub(super) fn cancel(&mut self, target: OrderId, instrument: InstrumentId, side: Side) {
        let cancel = Command::cancel(self.ids.next(PROVIDERS), target, instrument, side);
        self.exchange.command(PROVIDERS, &cancel, self.now, self.out);
    }

    /// A taker's order, which never rests.
    pub(super) fn take(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        price: Price,
        qty: Qty,
    ) {
        let order = Command::new(self.ids.next(account), instrument, side, price, qty)
            .with_time_in_force(TimeInForce::ImmediateOrCancel);
        self.exchange.command(account, &order, self.now, self.out);
    }
}
