//! One account at one venue: its orders, positions and counted executions.
//!
//! A state machine of its own inside the loop: it depends only on commands, on reports and on the
//! mid price noted with a report, so that a restart rebuilds it from the journal without a single
//! market event.

mod reports;

use crate::trading::fills::Executions;
use crate::trading::orders::{OrderTable, PER_INSTRUMENT_MAX};
use crate::trading::risk::Exposure;
use market::ids::digest64;
use market::{
    Command, CommandKind, Instrument, InstrumentId, Order, OrderEvent, OrderId, OrderState,
    Position, Price, Qty, RejectReason, Side, StateHasher, Timestamp,
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
    /// The venue does not know the order in this slot by its id. It may by that of a replace whose
    /// answer was lost: that is its id now, and whether it is open is not known.
    Renamed {
        /// Its slot.
        slot: u32,
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
    /// Digest of each instrument's symbol: what its executions are told apart by, under whatever id.
    symbols: Vec<u64>,
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
            symbols: instruments.iter().map(|i| digest64(i.symbol.as_bytes())).collect(),
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

    /// Counts as counted what `before` has counted.
    pub(crate) fn count_on(&mut self, before: &Account) {
        before.executions.keys().for_each(|key| self.executions.restore(key));
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
    /// [`market::ReportKind::NotSent`] report.
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

    /// Adds everything that decides to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.last_id.0);
        hasher.word(self.reports);
        self.positions.iter().for_each(|position| position.hash_into(hasher));
        self.orders.hash_into(hasher);
        self.executions.keys().for_each(|key| hasher.word(key));
    }
}
