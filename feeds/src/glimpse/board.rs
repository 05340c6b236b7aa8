//! What a session shows now, kept up from its own messages, and written again as a snapshot.
//!
//! Orders stand in the order of their arrival, so that who takes them up in that order has them in
//! the same priority by price and time. It believes the messages: what contradicts them is passed
//! over.

use super::end;
use crate::itch50::Message;
use crate::itch50::message::{AddAttributed, AddOrder, Header, SystemEvent};
use std::collections::{BTreeMap, HashMap};

/// Longest message that is kept as it stands (R).
const KEPT_MAX: usize = 39;

/// An order that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its message, with the shares that are left.
    pub add: AddOrder,
    attribution: Option<[u8; 4]>,
}

/// A message as it stands, of at most [`KEPT_MAX`] bytes.
#[derive(Clone, Copy, Debug)]
struct Kept([u8; KEPT_MAX], usize);

/// Directory, states and orders of a session.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// By type (R, H, h with its market, Y) and locate code: the last message.
    about: BTreeMap<(u8, u16, u8), Kept>,
    /// The last event of the whole market.
    system: Option<u8>,
    /// By arrival.
    orders: BTreeMap<u64, Shown>,
    /// Arrival by order number.
    arrivals: HashMap<u64, u64>,
    /// Arrivals so far.
    arrived: u64,
    /// The latest time of a message.
    time: u64,
}

/// The types of messages about an instrument, in the order in which a snapshot has them.
const ABOUT: &[u8] = b"RHhY";

impl Board {
    /// Follows the session's next message. What is none of ITCH 5.0, or shows nothing that lasts,
    /// changes nothing.
    pub fn follow(&mut self, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        self.time = self.time.max(message.header().time);
        match message {
            Message::AddOrder(add) => self.add(Shown { add, attribution: None }),
            Message::AddAttributed(m) => {
                let AddAttributed { header, order, side, shares, stock, price, attribution } = m;
                let add = AddOrder { header, order, side, shares, stock, price };
                self.add(Shown { add, attribution: Some(attribution) });
            }
            Message::Executed(m) => self.take(m.order, m.shares),
            Message::ExecutedPriced(m) => self.take(m.order, m.shares),
            Message::Canceled(m) => self.take(m.order, m.shares),
            Message::Deleted(m) => drop(self.remove(m.order)),
            Message::Replaced(m) => {
                let Some(mut shown) = self.remove(m.order) else { return };
                let add = &mut shown.add;
                (add.order, add.shares, add.price) = (m.new_order, m.shares, m.price);
                self.add(shown);
            }
            Message::SystemEvent(m) => self.system = Some(m.event_code),
            Message::OperationalHalt(m) => self.keep(m.header, m.market_code, bytes),
            Message::StockDirectory(_) | Message::TradingAction(_) | Message::RegSho(_) => {
                self.keep(message.header(), 0, bytes);
            }
            _ => {}
        }
    }

    /// Orders shown.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// True if no order is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// The orders shown, in the order of their arrival.
    pub fn orders(&self) -> impl Iterator<Item = &Shown> {
        self.orders.values()
    }

    /// Writes the messages of a snapshot, after which the session goes on at message `next`. All
    /// bear the latest time that the session told.
    pub fn snapshot(&self, next: u64, mut give: impl FnMut(&[u8])) {
        for &kind in ABOUT {
            for (_, kept) in self.about.range((kind, 0, 0)..=(kind, u16::MAX, u8::MAX)) {
                let mut bytes = kept.0;
                // The time stands behind type, locate code and tracking number.
                bytes[5..11].copy_from_slice(&self.time.to_be_bytes()[2..]);
                give(&bytes[..kept.1]);
            }
        }
        for Shown { add, attribution } in self.orders.values() {
            let header = Header { time: self.time, ..add.header };
            let AddOrder { order, side, shares, stock, price, .. } = *add;
            match *attribution {
                None => give(&AddOrder { header, ..*add }.write()),
                Some(attribution) => give(
                    &AddAttributed { header, order, side, shares, stock, price, attribution }
                        .write(),
                ),
            }
        }
        // Behind the states of instruments, which it may overrule.
        if let Some(event_code) = self.system {
            let header = Header { locate: 0, tracking: 0, time: self.time };
            give(&SystemEvent { header, event_code }.write());
        }
        give(&end(next));
    }

    fn keep(&mut self, header: Header, market: u8, bytes: &[u8]) {
        let mut kept = [0; KEPT_MAX];
        kept[..bytes.len()].copy_from_slice(bytes);
        self.about.insert((bytes[0], header.locate, market), Kept(kept, bytes.len()));
    }

    fn add(&mut self, shown: Shown) {
        self.remove(shown.add.order);
        self.arrived += 1;
        self.arrivals.insert(shown.add.order, self.arrived);
        self.orders.insert(self.arrived, shown);
    }

    fn take(&mut self, order: u64, shares: u32) {
        let shown = self.arrivals.get(&order).and_then(|arrival| self.orders.get_mut(arrival));
        let Some(Shown { add, .. }) = shown else { return };
        add.shares = add.shares.saturating_sub(shares);
        if add.shares == 0 {
            self.remove(order);
        }
    }

    fn remove(&mut self, order: u64) -> Option<Shown> {
        self.orders.remove(&self.arrivals.remove(&order)?)
    }
}
