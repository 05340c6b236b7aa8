//! Reports: what a venue (or the gateway on its behalf) says of our orders and of the session.

use crate::{
    ExecId, InstrumentId, Liquidity, Money, OrderId, Price, Qty, Side, Timestamp, VenueOrderId,
};

/// What is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ReportKind {
    /// The order rests or was taken in (ExecType 0).
    Accepted = 1,
    /// The new order was refused (ExecType 8); `reason` says why.
    Rejected = 2,
    /// A trade (ExecType F): `price` and `qty` are LastPx and LastQty.
    Filled = 3,
    /// `target` lives on as `order` (ExecType 5) at `price` with total `qty`.
    Replaced = 4,
    /// The order is off the book (ExecType 4); `target` is the order when a request of ours did it.
    Canceled = 5,
    /// The order ran out (ExecType C).
    Expired = 6,
    /// A cancel or replace was refused (OrderCancelReject, 35=9): `order` is the request, `target`
    /// the order it was about.
    CancelRejected = 7,
    /// An earlier fill is undone (ExecType H); `exec` is that fill's id (ExecRefID).
    Busted = 8,
    /// An earlier fill's price and quantity become `price` and `qty` (ExecType G); `exec` is that
    /// fill's id (ExecRefID).
    Corrected = 9,
    /// Answer to a status request (ExecType I): the order is open as told.
    Status = 10,
    /// Every open order has been named since the mass status request (912=Y).
    StatusDone = 11,
    /// The order session is up, and its resend is over.
    SessionUp = 12,
    /// The order session is down: every open order is Unknown.
    SessionDown = 13,
    /// The venue reports having canceled everything asked for in a mass cancel (35=r).
    MassCanceled = 14,
    /// The gateway did not send a command: `order` is the command's id.
    NotSent = 15,
    /// The venue sent something about our orders that the gateway could not read, or about an
    /// instrument that is not ours: nothing that is known of orders and positions is certain.
    Unreadable = 16,
    /// The order session's hours end in a moment, and with them the session: nothing of ours is to
    /// stay over the close.
    SessionClosing = 17,
}

impl ReportKind {
    /// The kind of a stored byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<ReportKind> {
        use ReportKind as K;
        Some(match byte {
            1 => K::Accepted,
            2 => K::Rejected,
            3 => K::Filled,
            4 => K::Replaced,
            5 => K::Canceled,
            6 => K::Expired,
            7 => K::CancelRejected,
            8 => K::Busted,
            9 => K::Corrected,
            10 => K::Status,
            11 => K::StatusDone,
            12 => K::SessionUp,
            13 => K::SessionDown,
            14 => K::MassCanceled,
            15 => K::NotSent,
            16 => K::Unreadable,
            17 => K::SessionClosing,
            _ => return None,
        })
    }
}

/// Why the venue or the gateway refused something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RejectReason {
    /// Not refused, or not said.
    #[default]
    None = 0,
    /// Instrument not known (OrdRejReason 1).
    UnknownInstrument = 1,
    /// Instrument halted or closed (OrdRejReason 2).
    Closed = 2,
    /// Beyond a limit of the venue (OrdRejReason 3).
    Limit = 3,
    /// The request came too late (CxlRejReason 0).
    TooLate = 4,
    /// No such order (OrdRejReason 5, CxlRejReason 1).
    UnknownOrder = 5,
    /// The id was used before (OrdRejReason 6, CxlRejReason 6).
    DuplicateId = 6,
    /// A post-only order would have traded.
    WouldTrade = 7,
    /// Price off tick or out of bounds.
    Price = 8,
    /// Quantity off lot or out of bounds (OrdRejReason 13).
    Qty = 9,
    /// It would trade with an order of the same account.
    SelfTrade = 10,
    /// Another request on the same order is pending (CxlRejReason 3).
    Pending = 11,
    /// The session was down, or the gateway's gate was shut.
    NoSession = 12,
    /// Too many messages for the venue's rate.
    Rate = 13,
    /// The venue could not read the message (35=3 or 35=j).
    Malformed = 14,
    /// Any other reason.
    Other = 15,
}

impl RejectReason {
    /// The reason of a stored byte; anything unknown is `Other`.
    #[must_use]
    pub const fn from_byte(byte: u8) -> RejectReason {
        use RejectReason as R;
        match byte {
            0 => R::None,
            1 => R::UnknownInstrument,
            2 => R::Closed,
            3 => R::Limit,
            4 => R::TooLate,
            5 => R::UnknownOrder,
            6 => R::DuplicateId,
            7 => R::WouldTrade,
            8 => R::Price,
            9 => R::Qty,
            10 => R::SelfTrade,
            11 => R::Pending,
            12 => R::NoSession,
            13 => R::Rate,
            14 => R::Malformed,
            _ => R::Other,
        }
    }
}

/// One report: 112 bytes, `Copy`, no padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Report {
    /// Id of the order or request reported on (ClOrdID). For a fill or unsolicited cancel, the id
    /// by which the venue knows the order at that moment.
    pub order: OrderId,
    /// OrigClOrdID, where the report has one.
    pub target: OrderId,
    /// The venue's order id.
    pub venue_order: VenueOrderId,
    /// The venue's execution id; the fill's key.
    pub exec: ExecId,
    /// LastPx for a fill; the order's price otherwise.
    pub price: Price,
    /// LastQty for a fill; the order's total quantity otherwise.
    pub qty: Qty,
    /// CumQty.
    pub cum_qty: Qty,
    /// LeavesQty.
    pub leaves_qty: Qty,
    /// Commission the venue charged, in 1e-9 of the settlement currency; see [`Report::fee`].
    fee: i64,
    /// TransactTime by the venue's clock.
    pub exchange_time: Timestamp,
    /// Raw TSC when the bytes were received. Never an input to a decision.
    pub received: u64,
    /// Which instrument.
    pub instrument: InstrumentId,
    kind: u8,
    side: u8,
    reason: u8,
    /// Low two bits liquidity, bit 2 "fee is given", bit 3 "by drop copy".
    bits: u8,
}

const _: () = assert!(size_of::<Report>() == 112);

impl Report {
    /// Length of the stored form.
    pub const BYTES: usize = 112;

    /// A report of `kind` on `order` with every other field zero.
    #[must_use]
    pub fn new(kind: ReportKind, order: OrderId, instrument: InstrumentId) -> Report {
        Report { kind: kind as u8, order, instrument, ..Report::default() }
    }

    /// The same report with a side.
    #[must_use]
    pub fn with_side(mut self, side: Side) -> Report {
        self.side = side as u8;
        self
    }

    /// The same report with a reason.
    #[must_use]
    pub fn with_reason(mut self, reason: RejectReason) -> Report {
        self.reason = reason as u8;
        self
    }

    /// The same report with the liquidity of its fill.
    #[must_use]
    pub fn with_liquidity(mut self, liquidity: Liquidity) -> Report {
        self.bits = self.bits & !3 | liquidity as u8;
        self
    }

    /// The same report with the commission charged, in 1e-9 of the settlement currency.
    #[must_use]
    pub fn with_fee(mut self, nano_units: i64) -> Report {
        self.fee = nano_units;
        self.bits |= 4;
        self
    }

    /// The same report, told by a drop copy session.
    #[must_use]
    pub fn by_drop_copy(mut self) -> Report {
        self.bits |= 8;
        self
    }

    /// True if a drop copy session told it: the order session tells it too, sooner or later.
    #[must_use]
    pub const fn is_drop_copy(&self) -> bool {
        self.bits & 8 != 0
    }

    /// What is reported; `None` for an unknown byte.
    #[must_use]
    pub const fn kind(&self) -> Option<ReportKind> {
        ReportKind::from_byte(self.kind)
    }

    /// Side, where the report has one.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        Side::from_byte(self.side)
    }

    /// Why something was refused.
    #[must_use]
    pub const fn reason(&self) -> RejectReason {
        RejectReason::from_byte(self.reason)
    }

    /// Whether a fill gave or took liquidity, if said.
    #[must_use]
    pub const fn liquidity(&self) -> Option<Liquidity> {
        Liquidity::from_byte(self.bits & 3)
    }

    /// The commission the venue charged, if it said so.
    #[must_use]
    pub fn fee(&self) -> Option<Money> {
        (self.bits & 4 != 0).then(|| Money::from_raw(i128::from(self.fee) * 1_000_000_000))
    }

    /// The stored form: fields in order of declaration, little endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let words = [
            self.order.0,
            self.target.0,
            self.venue_order.0[0],
            self.venue_order.0[1],
            self.exec.0[0],
            self.exec.0[1],
            self.price.raw().cast_unsigned(),
            self.qty.raw().cast_unsigned(),
            self.cum_qty.raw().cast_unsigned(),
            self.leaves_qty.raw().cast_unsigned(),
            self.fee.cast_unsigned(),
            self.exchange_time.nanos(),
            self.received,
        ];
        let mut bytes = [0; Self::BYTES];
        for (slot, word) in bytes.chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        bytes[104..108].copy_from_slice(&self.instrument.0.to_le_bytes());
        bytes[108..112].copy_from_slice(&[self.kind, self.side, self.reason, self.bits]);
        bytes
    }

    /// The report of a stored form; [`Report::kind`] tells nonsense.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Report {
        let word = |i: usize| u64::from_le_bytes(std::array::from_fn(|j| bytes[i * 8 + j]));
        let signed = |i: usize| word(i).cast_signed();
        Report {
            order: OrderId(word(0)),
            target: OrderId(word(1)),
            venue_order: VenueOrderId([word(2), word(3)]),
            exec: ExecId([word(4), word(5)]),
            price: Price::from_raw(signed(6)),
            qty: Qty::from_raw(signed(7)),
            cum_qty: Qty::from_raw(signed(8)),
            leaves_qty: Qty::from_raw(signed(9)),
            fee: signed(10),
            exchange_time: Timestamp::from_nanos(word(11)),
            received: word(12),
            instrument: InstrumentId(u32::from_le_bytes(std::array::from_fn(|j| bytes[104 + j]))),
            kind: bytes[108],
            side: bytes[109],
            reason: bytes[110],
            bits: bytes[111],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_round_trips() {
        let report = Report {
            venue_order: VenueOrderId::from_text(b"X-1"),
            exec: ExecId::from_text(b"E-1"),
            price: Price::from_raw(-1),
            leaves_qty: Qty::from_raw(7),
            received: 9,
            ..Report::new(ReportKind::Filled, OrderId(5), InstrumentId(3))
        }
        .with_side(Side::Buy)
        .with_liquidity(Liquidity::Maker)
        .with_reason(RejectReason::Rate)
        .with_fee(-12)
        .by_drop_copy();
        let again = Report::from_bytes(&report.to_bytes());
        assert_eq!(again, report);
        assert_eq!(again.liquidity(), Some(Liquidity::Maker));
        assert!(again.is_drop_copy() && !Report::default().is_drop_copy());
        assert_eq!(again.fee().unwrap().to_string(), "-0.00000001");
        assert_eq!(Report::from_bytes(&[0xff; 112]).kind(), None);
    }
}
