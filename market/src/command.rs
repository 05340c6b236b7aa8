//! Commands: what the trading loop asks of a venue.

use crate::{InstrumentId, OrderId, Price, Qty, Side};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CommandKind {
    /// NewOrderSingle (D).
    New = 1,
    /// OrderCancelReplaceRequest (G): `target` becomes `id` with a new price and total quantity.
    Replace = 2,
    /// OrderCancelRequest (F) of `target`.
    Cancel = 3,
    /// OrderMassCancelRequest (q) of one instrument, or of all if it is [`crate::Event::ALL`].
    MassCancel = 4,
    /// OrderMassStatusRequest (AF) of all orders of the account.
    MassStatus = 5,
    /// Consumption mark of a stepped feed: `id` is the next packet sequence, `target` the count of
    /// execution reports consumed.
    Mark = 6,
    /// OrderStatusRequest (H) of `target`.
    Status = 7,
}

/// How long an order lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TimeInForce {
    /// Until the end of the session (59=0).
    #[default]
    Day = 1,
    /// What does not trade at once is canceled (59=3).
    ImmediateOrCancel = 2,
}

/// One command: 40 bytes, `Copy`, no padding. These bytes are what a replay compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Command {
    /// Id of this request (ClOrdID).
    pub id: OrderId,
    /// Id of the order it is about (OrigClOrdID), for replace and cancel.
    pub target: OrderId,
    /// Limit price.
    pub price: Price,
    /// Order quantity: for a replace the new total, filled part included, as FIX has it.
    pub qty: Qty,
    /// Which instrument.
    pub instrument: InstrumentId,
    kind: u8,
    side: u8,
    time_in_force: u8,
    post_only: u8,
}

const _: () = assert!(size_of::<Command>() == 40);

impl Command {
    /// Length of the stored form.
    pub const BYTES: usize = 40;

    /// A new limit order, for the day.
    #[must_use]
    pub fn new(id: OrderId, instrument: InstrumentId, side: Side, price: Price, qty: Qty) -> Self {
        Command {
            id,
            price,
            qty,
            instrument,
            kind: CommandKind::New as u8,
            side: side as u8,
            time_in_force: TimeInForce::Day as u8,
            ..Command::default()
        }
    }

    /// Changes `target` to a new price and total quantity, under the new id `id`.
    #[must_use]
    pub fn replace(
        id: OrderId,
        target: OrderId,
        instrument: InstrumentId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Self {
        let kind = CommandKind::Replace as u8;
        Command { target, kind, ..Command::new(id, instrument, side, price, qty) }
    }

    /// Cancels `target`.
    #[must_use]
    pub fn cancel(id: OrderId, target: OrderId, instrument: InstrumentId, side: Side) -> Self {
        let kind = CommandKind::Cancel as u8;
        Command { target, kind, ..Command::new(id, instrument, side, Price::ZERO, Qty::ZERO) }
    }

    /// Cancels every order of `instrument`, or of the account with [`crate::Event::ALL`].
    #[must_use]
    pub fn mass_cancel(id: OrderId, instrument: InstrumentId) -> Self {
        Command { id, instrument, kind: CommandKind::MassCancel as u8, ..Command::default() }
    }

    /// Asks for the status of every open order.
    #[must_use]
    pub fn mass_status(id: OrderId) -> Self {
        let instrument = crate::Event::ALL;
        Command { id, instrument, kind: CommandKind::MassStatus as u8, ..Command::default() }
    }

    /// Asks for the status of the order `target`.
    #[must_use]
    pub fn status(id: OrderId, target: OrderId, instrument: InstrumentId, side: Side) -> Self {
        let kind = CommandKind::Status as u8;
        Command { kind, ..Command::cancel(id, target, instrument, side) }
    }

    /// Says how far a stepped engine has come.
    #[must_use]
    pub fn mark(next_sequence: u64, reports: u64) -> Self {
        Command {
            id: OrderId(next_sequence),
            target: OrderId(reports),
            kind: CommandKind::Mark as u8,
            ..Command::default()
        }
    }

    /// The same command with another time in force.
    #[must_use]
    pub fn with_time_in_force(mut self, time_in_force: TimeInForce) -> Self {
        self.time_in_force = time_in_force as u8;
        self
    }

    /// The same command, to be rejected by the venue rather than take liquidity (18=6).
    #[must_use]
    pub fn with_post_only(mut self, post_only: bool) -> Self {
        self.post_only = u8::from(post_only);
        self
    }

    /// What is asked; `None` for an unknown byte.
    #[must_use]
    pub const fn kind(&self) -> Option<CommandKind> {
        Some(match self.kind {
            1 => CommandKind::New,
            2 => CommandKind::Replace,
            3 => CommandKind::Cancel,
            4 => CommandKind::MassCancel,
            5 => CommandKind::MassStatus,
            6 => CommandKind::Mark,
            7 => CommandKind::Status,
            _ => return None,
        })
    }

    /// Side of the order, for new, replace, cancel and status.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        Side::from_byte(self.side)
    }

    /// Time in force of a new order or replace.
    #[must_use]
    pub const fn time_in_force(&self) -> TimeInForce {
        match self.time_in_force {
            2 => TimeInForce::ImmediateOrCancel,
            _ => TimeInForce::Day,
        }
    }

    /// True if the order may not take liquidity.
    #[must_use]
    pub const fn post_only(&self) -> bool {
        self.post_only != 0
    }

    /// The stored form: fields in order of declaration, little endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0..8].copy_from_slice(&self.id.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.target.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.price.raw().to_le_bytes());
        bytes[24..32].copy_from_slice(&self.qty.raw().to_le_bytes());
        bytes[32..36].copy_from_slice(&self.instrument.0.to_le_bytes());
        bytes[36..40].copy_from_slice(&[self.kind, self.side, self.time_in_force, self.post_only]);
        bytes
    }

    /// The command of a stored form; [`Command::kind`] tells nonsense.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Command {
        let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let i64_at = |at: usize| i64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        Command {
            id: OrderId(u64_at(0)),
            target: OrderId(u64_at(8)),
            price: Price::from_raw(i64_at(16)),
            qty: Qty::from_raw(i64_at(24)),
            instrument: InstrumentId(u32::from_le_bytes(std::array::from_fn(|i| bytes[32 + i]))),
            kind: bytes[36],
            side: bytes[37],
            time_in_force: bytes[38],
            post_only: bytes[39],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_round_trips() {
        let command = Command::replace(
            OrderId(u64::MAX),
            OrderId(1),
            InstrumentId(2),
            Side::Sell,
            Price::from_raw(-3),
            Qty::from_raw(4),
        )
        .with_post_only(true)
        .with_time_in_force(TimeInForce::ImmediateOrCancel);
        assert_eq!(Command::from_bytes(&command.to_bytes()), command);
        assert_eq!(Command::from_bytes(&[0xff; 40]).kind(), None);
    }
}
