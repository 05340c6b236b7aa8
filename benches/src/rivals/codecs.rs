//! FIX codecs of others, doing the work that ours does: a decoder frames the message, checks
//! BodyLength and CheckSum and turns fourteen fields into values; an encoder makes the whole message.

use crate::data::fix::{Execution, Order, QTY_DIGITS, SENT_TEXT, SYMBOL, US, VENUE};
use fixlite::enums::{ExecType, OrdStatus, Side};
use fixlite::fix::FixedPrice;
use fixlite::{AsFixStr, FixDeserialize};
use gateway::fix::number::{ROOM, write_decimal};
use gateway::fix::tags;
use market::Price;
use nanofix::serializer::FixSerializer;

/// A price in 1e-9.
type Px = FixedPrice<9, 9>;
/// A quantity in 1e-8.
type Amount = FixedPrice<10, 8>;

// The macro makes a struct that it gives no documentation.
#[allow(missing_docs)]
mod types {
    use super::{Amount, ExecType, OrdStatus, Px, Side};
    fixlite::fix_tag_registry! {
        Types {
            11 => [u64],
            14 => [Amount],
            31 => [Px],
            32 => [Amount],
            34 => [u64],
            38 => [Amount],
            39 => [OrdStatus],
            44 => [Px],
            54 => [Side],
            150 => [ExecType],
            151 => [Amount],
        }
    }
}
use types::Types;

/// An ExecutionReport as `fixlite` derives its decoder.
#[derive(Debug, FixDeserialize)]
#[fix_registry(Types)]
#[allow(missing_docs)]
pub struct Fixlite<'a> {
    #[fix(tag = 34)]
    pub seq: u64,
    #[fix(tag = 37)]
    pub venue_order: &'a str,
    #[fix(tag = 17)]
    pub exec: &'a str,
    #[fix(tag = 150)]
    pub exec_type: ExecType,
    #[fix(tag = 39)]
    pub status: OrdStatus,
    #[fix(tag = 11)]
    pub order: u64,
    #[fix(tag = 55)]
    pub symbol: &'a str,
    #[fix(tag = 54)]
    pub side: Side,
    #[fix(tag = 38)]
    pub qty: Amount,
    #[fix(tag = 44)]
    pub price: Px,
    #[fix(tag = 32)]
    pub last_qty: Amount,
    #[fix(tag = 31)]
    pub last_px: Px,
    #[fix(tag = 14)]
    pub cum_qty: Amount,
    #[fix(tag = 151)]
    pub leaves_qty: Amount,
}

impl Fixlite<'_> {
    /// The values, for the comparison with ours.
    #[must_use]
    pub fn said(&self) -> Execution<'_> {
        Execution {
            seq: self.seq,
            venue_order: self.venue_order.as_bytes(),
            exec: self.exec.as_bytes(),
            exec_type: self.exec_type.as_fix_str().as_bytes()[0],
            status: self.status.as_fix_str().as_bytes()[0],
            order: self.order,
            symbol: self.symbol.as_bytes(),
            side: self.side.as_fix_str().as_bytes()[0],
            qty: self.qty.raw(),
            price: self.price.raw(),
            last_qty: self.last_qty.raw(),
            last_px: self.last_px.raw(),
            cum_qty: self.cum_qty.raw(),
            leaves_qty: self.leaves_qty.raw(),
        }
    }
}

/// A NewOrderSingle by `nanofix`, with the fields of ours in their order. It takes times as text,
/// made once; so does ours, in effect. Decimals it does not write: `price` and `qty` are their text.
#[inline]
pub fn nanofix(buffer: &mut [u8], order: &Order, price: &[u8], qty: &[u8]) -> usize {
    let mut out = FixSerializer::new(buffer);
    let side = if order.command.side() == Some(market::Side::Buy) { b"1" } else { b"2" };
    out.begin(b"FIX.4.4", b"D")
        .add_str(tags::SENDER_COMP_ID, US.as_bytes())
        .add_str(tags::TARGET_COMP_ID, VENUE.as_bytes())
        .add_u64(tags::MSG_SEQ_NUM, order.seq)
        .add_str(tags::SENDING_TIME, SENT_TEXT.as_bytes())
        .add_u64(tags::CL_ORD_ID, order.command.id.0)
        .add_str(tags::SYMBOL, SYMBOL.as_bytes())
        .add_str(tags::SIDE, side)
        .add_str(tags::TRANSACT_TIME, SENT_TEXT.as_bytes())
        .add_str(tags::ORDER_QTY, qty)
        .add_str(tags::ORD_TYPE, b"2")
        .add_str(tags::PRICE, price)
        .add_str(tags::TIME_IN_FORCE, b"0");
    out.finalize()
}

/// The same from the numbers of the order: the decimals are written by our own routine, which is
/// quicker than what the standard library or `rust_decimal` would be.
#[inline]
pub fn nanofix_from_numbers(buffer: &mut [u8], order: &Order) -> usize {
    let (mut price, mut qty) = ([0; ROOM], [0; ROOM]);
    let written =
        |out: &mut _, raw, scale| write_decimal(out, raw, scale).map_or(0, |text| text.len);
    let price_len = written(&mut price, order.command.price.raw(), Price::DIGITS);
    let qty_len = written(&mut qty, order.command.qty.raw(), QTY_DIGITS);
    nanofix(buffer, order, &price[..price_len], &qty[..qty_len])
}
