//! The orders that a counterparty holds, and the little matching that it does: every third new
//! order trades, half first and the rest with the next look, at its own price.

use crate::text::Message;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    New,
    Trade,
    Canceled,
    Replaced,
    Status,
    Rejected,
}

/// One order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// The venue's id.
    pub(crate) id: String,
    /// The client's id of the last request.
    pub(crate) client: String,
    /// The client's id before that request.
    pub(crate) before: String,
    pub(crate) symbol: String,
    pub(crate) buy: bool,
    pub(crate) price: Decimal,
    pub(crate) qty: Decimal,
    pub(crate) cum: Decimal,
    pub(crate) last: Decimal,
    /// Numbers the executions of all orders.
    pub(crate) exec: u64,
    pub(crate) open: bool,
    pub(crate) trades: bool,
}

impl Order {
    pub(crate) fn leaves(&self) -> Decimal {
        if self.open { self.qty - self.cum } else { Decimal::ZERO }
    }

    /// OrdStatus (39) as the specification numbers it.
    pub(crate) fn status(&self) -> char {
        match (self.open, self.cum) {
            (true, cum) if cum.is_zero() => '0',
            (true, _) => '1',
            (false, cum) if cum == self.qty => '2',
            (false, _) => '4',
        }
    }
}

/// All orders of a venue.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) orders: Vec<Order>,
    execs: u64,
    news: u64,
}

impl Book {
    fn told(&mut self, at: usize, told: Told) -> (Order, Told) {
        self.execs += 1;
        self.orders[at].exec = self.execs;
        (self.orders[at].clone(), told)
    }

    /// A NewOrderSingle.
    pub(crate) fn enter(&mut self, request: &Message) -> (Order, Told) {
        self.news += 1;
        let client = request.get(11).to_owned();
        assert!(self.orders.iter().all(|order| order.client != client), "id {client} again");
        self.orders.push(Order {
            id: format!("V-{:06}", self.news),
            client,
            symbol: request.get(55).to_owned(),
            buy: request.get(54) == "1",
            price: request.get(44).parse().unwrap(),
            qty: request.get(38).parse().unwrap(),
            open: true,
            trades: self.news.is_multiple_of(3),
            ..Order::default()
        });
        self.told(self.orders.len() - 1, Told::New)
    }

    /// The place of the open order that a cancel or replace names.
    pub(crate) fn find(&self, client: &str, id: &str) -> Option<usize> {
        let named = |order: &Order| order.client == client || (!id.is_empty() && order.id == id);
        self.orders.iter().position(|order| order.open && named(order))
    }

    pub(crate) fn cancel(&mut self, at: usize, client: &str) -> (Order, Told) {
        let order = &mut self.orders[at];
        order.open = false;
        if !client.is_empty() {
            order.before = std::mem::replace(&mut order.client, client.to_owned());
        }
        self.told(at, Told::Canceled)
    }

    pub(crate) fn replace(&mut self, at: usize, request: &Message) -> (Order, Told) {
        let order = &mut self.orders[at];
        order.before = std::mem::replace(&mut order.client, request.get(11).to_owned());
        order.price = request.get(44).parse().unwrap();
        order.qty = request.get(38).parse().unwrap();
        order.open = order.qty > order.cum;
        self.told(at, Told::Replaced)
    }

    /// The next trade that is due, if there is one: half first, unless it is to be whole.
    pub(crate) fn trade(&mut self, whole: bool) -> Option<(Order, Told)> {
        let at = self.orders.iter().position(|order| order.open && order.trades)?;
        let order = &mut self.orders[at];
        let half = (order.qty / Decimal::TWO).trunc_with_scale(order.qty.scale());
        let first = order.cum.is_zero() && !half.is_zero() && !whole;
        order.last = if first { half } else { order.leaves() };
        order.cum += order.last;
        order.open = order.cum < order.qty;
        Some(self.told(at, Told::Trade))
    }

    /// Cancel on disconnect: nobody is told.
    pub(crate) fn cancel_all(&mut self) {
        self.orders.iter_mut().for_each(|order| order.open = false);
    }

    pub(crate) fn status(&mut self, at: usize) -> (Order, Told) {
        self.told(at, Told::Status)
    }

    pub(crate) fn open(&self) -> Vec<usize> {
        (0..self.orders.len()).filter(|&at| self.orders[at].open).collect()
    }

    /// Net position by symbol.
    pub(crate) fn positions(&self) -> BTreeMap<String, Decimal> {
        let mut net = BTreeMap::new();
        for order in self.orders.iter().filter(|order| !order.cum.is_zero()) {
            let signed = if order.buy { order.cum } else { -order.cum };
            *net.entry(order.symbol.clone()).or_insert(Decimal::ZERO) += signed;
        }
        net
    }
}
