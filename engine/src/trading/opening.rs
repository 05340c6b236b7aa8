//! The opening state: what a start takes over from the runs before it. It stands in the journal's
//! first record, so that a journal needs nothing but itself.

use crate::trading::account::Account;
use market::{
    InstrumentId, Money, Order, OrderId, OrderState, Position, Price, Qty, Side, Timestamp,
    VenueOrderId,
};

/// Positions, orders, ids and latches at a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpeningState {
    /// Epoch of the ids of this start: larger than every earlier one.
    pub epoch: u64,
    /// The kill latch, and who set it why.
    pub killed: Option<String>,
    /// Instruments halted since the venue contradicted us, until an operator clears them.
    pub halted: Vec<InstrumentId>,
    /// Positions by instrument.
    pub positions: Vec<Position>,
    /// Orders that were open: they start as Unknown.
    pub orders: Vec<Order>,
    /// Executions counted of late, oldest first.
    pub executions: Vec<u64>,
}

/// The bytes of an opening state are no opening state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOpening;

impl std::fmt::Display for BadOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the journal's opening state is not of this version's form")
    }
}

impl std::error::Error for BadOpening {}

impl OpeningState {
    /// What the next start takes over from an account.
    #[must_use]
    pub fn of(
        account: &Account,
        epoch: u64,
        killed: Option<String>,
        halted: Vec<InstrumentId>,
    ) -> OpeningState {
        let orders = account.orders();
        let orders = orders
            .all_open()
            .map(|slot| Order { state: OrderState::Unknown, ..*orders.get(slot) })
            .collect();
        OpeningState {
            epoch,
            killed,
            halted,
            positions: account.positions().to_vec(),
            orders,
            executions: account.executions().keys().collect(),
        }
    }

    /// The stored form; `docs/journal.md` has it as a table.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        out.word(self.epoch);
        out.word(u64::from(self.killed.is_some()));
        out.bytes(self.killed.as_deref().unwrap_or("").as_bytes());
        out.word(self.halted.len() as u64);
        self.halted.iter().for_each(|id| out.word(u64::from(id.0)));
        out.word(self.positions.len() as u64);
        for p in &self.positions {
            out.words(&[p.net, p.bought, p.sold].map(i64::cast_unsigned));
            out.word(p.fills);
            for money in [p.cost, p.realised, p.fees, p.volume, p.spread_captured] {
                out.0.extend_from_slice(&money.raw().to_le_bytes());
            }
        }
        out.word(self.orders.len() as u64);
        for o in &self.orders {
            out.words(&[o.id.0, o.request.0, o.venue_order.0[0], o.venue_order.0[1]]);
            out.word(u64::from(o.instrument.0) << 16 | (o.side as u64) << 8 | o.state as u64);
            let numbers = [o.price.raw(), o.qty.raw(), o.cum_qty.raw(), o.pending_price.raw()];
            out.words(&numbers.map(i64::cast_unsigned));
            out.word(o.pending_qty.raw().cast_unsigned());
            out.words(&[o.sent.nanos(), o.since.nanos()]);
        }
        out.word(self.executions.len() as u64);
        self.executions.iter().for_each(|&key| out.word(key));
        out.0
    }

    /// The state of a stored form.
    ///
    /// # Errors
    /// [`BadOpening`] for anything that [`OpeningState::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<OpeningState, BadOpening> {
        let mut input = Reader(bytes);
        let epoch = input.word()?;
        let is_killed = input.word()? != 0;
        let reason = String::from_utf8(input.bytes()?.to_vec()).map_err(|_| BadOpening)?;
        let mut state =
            OpeningState { epoch, killed: is_killed.then_some(reason), ..OpeningState::default() };
        for _ in 0..input.word()? {
            let id = u32::try_from(input.word()?).map_err(|_| BadOpening)?;
            state.halted.push(InstrumentId(id));
        }
        for _ in 0..input.word()? {
            state.positions.push(input.position()?);
        }
        for _ in 0..input.word()? {
            state.orders.push(input.order()?);
        }
        for _ in 0..input.word()? {
            state.executions.push(input.word()?);
        }
        if input.0.is_empty() { Ok(state) } else { Err(BadOpening) }
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn word(&mut self, word: u64) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    fn words(&mut self, words: &[u64]) {
        words.iter().for_each(|&word| self.word(word));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadOpening> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(BadOpening)?;
        self.0 = rest;
        Ok(*head)
    }

    fn word(&mut self) -> Result<u64, BadOpening> {
        self.take().map(u64::from_le_bytes)
    }

    fn signed(&mut self) -> Result<i64, BadOpening> {
        self.take().map(i64::from_le_bytes)
    }

    fn money(&mut self) -> Result<Money, BadOpening> {
        self.take().map(i128::from_le_bytes).map(Money::from_raw)
    }

    fn bytes(&mut self) -> Result<&'a [u8], BadOpening> {
        let len = usize::try_from(self.word()?).map_err(|_| BadOpening)?;
        let (head, rest) = self.0.split_at_checked(len).ok_or(BadOpening)?;
        self.0 = rest;
        Ok(head)
    }

    fn position(&mut self) -> Result<Position, BadOpening> {
        Ok(Position {
            net: self.signed()?,
            bought: self.signed()?,
            sold: self.signed()?,
            fills: self.word()?,
            cost: self.money()?,
            realised: self.money()?,
            fees: self.money()?,
            volume: self.money()?,
            spread_captured: self.money()?,
        })
    }

    #[allow(clippy::cast_possible_truncation)]
    fn order(&mut self) -> Result<Order, BadOpening> {
        let (id, request) = (OrderId(self.word()?), OrderId(self.word()?));
        let venue_order = VenueOrderId([self.word()?, self.word()?]);
        let packed = self.word()?;
        let state = packed as u8;
        Ok(Order {
            id,
            request,
            venue_order,
            instrument: InstrumentId((packed >> 16) as u32),
            side: Side::from_byte((packed >> 8) as u8).ok_or(BadOpening)?,
            state: *OrderState::ALL.iter().find(|s| **s as u8 == state).ok_or(BadOpening)?,
            price: Price::from_raw(self.signed()?),
            qty: Qty::from_raw(self.signed()?),
            cum_qty: Qty::from_raw(self.signed()?),
            pending_price: Price::from_raw(self.signed()?),
            pending_qty: Qty::from_raw(self.signed()?),
            sent: Timestamp::from_nanos(self.word()?),
            since: Timestamp::from_nanos(self.word()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> OpeningState {
        let order = Order {
            id: OrderId(7 << 32 | 1),
            request: OrderId(7 << 32 | 2),
            venue_order: VenueOrderId([3, 4]),
            instrument: InstrumentId(2),
            side: Side::Sell,
            state: OrderState::Unknown,
            price: Price::from_raw(-5),
            qty: Qty::from_raw(6),
            cum_qty: Qty::from_raw(1),
            pending_price: Price::from_raw(7),
            pending_qty: Qty::from_raw(8),
            sent: Timestamp::from_nanos(9),
            since: Timestamp::from_nanos(10),
        };
        let position = Position { net: -3, cost: Money::from_raw(-4), ..Position::default() };
        OpeningState {
            epoch: 7,
            killed: Some("Ada: too wide".into()),
            halted: vec![InstrumentId(1)],
            positions: vec![Position::default(), position],
            orders: vec![order],
            executions: vec![1, 2, 3],
        }
    }

    #[test]
    fn stored_form_round_trips_and_refuses_every_cut() {
        let bytes = state().to_bytes();
        assert_eq!(OpeningState::from_bytes(&bytes), Ok(state()));
        for len in 0..bytes.len() {
            assert_eq!(OpeningState::from_bytes(&bytes[..len]), Err(BadOpening), "{len}");
        }
        let huge = [&bytes[..16], &u64::MAX.to_le_bytes()].concat();
        assert_eq!(OpeningState::from_bytes(&huge), Err(BadOpening));
    }
}
