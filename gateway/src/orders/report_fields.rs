//! The fields of a report, and what they are read with: the dialect's ids, amounts and codes.
//!
//! Nothing is decided here of what a report means.

use super::report::NONE;
use super::{Instruments, Requests, reasons};
use crate::dialect::{Dialect, OurId, reason_of};
use crate::fix::hex::hex_id;
use crate::fix::message::{as_decimal, as_time};
use crate::fix::number::parse_u64;
use crate::fix::tags;
use crate::fix::{Fault, Message, RejectCode};
use market::{ExecId, OrderId, Qty, RejectReason, Timestamp, VenueOrderId};

pub(super) fn venue_order(text: &[u8]) -> VenueOrderId {
    match hex_id(text) {
        Some(words) => VenueOrderId(words),
        None if text == NONE => VenueOrderId::NONE,
        None => VenueOrderId::from_text(text),
    }
}

pub(super) fn exec_id(text: &[u8]) -> ExecId {
    match hex_id(text) {
        Some(words) => ExecId(words),
        None if text == NONE => ExecId::NONE,
        None => ExecId::from_text(text),
    }
}

/// The fields of the reports that stand outside groups, each at most once.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) order: Option<&'a [u8]>,
    pub(super) target: Option<&'a [u8]>,
    pub(super) venue_order: Option<&'a [u8]>,
    pub(super) exec: Option<&'a [u8]>,
    pub(super) other_exec: Option<&'a [u8]>,
    pub(super) exec_ref: Option<&'a [u8]>,
    pub(super) trans: Option<&'a [u8]>,
    pub(super) exec_type: Option<&'a [u8]>,
    pub(super) ord_status: Option<&'a [u8]>,
    pub(super) symbol: Option<&'a [u8]>,
    pub(super) side: Option<&'a [u8]>,
    pub(super) price: Option<&'a [u8]>,
    pub(super) qty: Option<&'a [u8]>,
    pub(super) last_px: Option<&'a [u8]>,
    pub(super) last_qty: Option<&'a [u8]>,
    pub(super) cum_qty: Option<&'a [u8]>,
    pub(super) leaves_qty: Option<&'a [u8]>,
    pub(super) commission: Option<&'a [u8]>,
    pub(super) comm_type: Option<&'a [u8]>,
    pub(super) liquidity: Option<&'a [u8]>,
    pub(super) time: Option<&'a [u8]>,
    pub(super) number: Option<&'a [u8]>,
    pub(super) own_reason: Option<&'a [u8]>,
    pub(super) request: Option<&'a [u8]>,
    pub(super) last: Option<&'a [u8]>,
    pub(super) scope: Option<&'a [u8]>,
    pub(super) response: Option<&'a [u8]>,
    pub(super) ref_seq: Option<&'a [u8]>,
    pub(super) ref_tag: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Finds those of a message; none of them is of the header.
    pub(super) fn find(&mut self, message: &Message<'a>, exec_id_tag: u32) -> Result<(), Fault> {
        let this = self;
        for (tag, value) in message.body() {
            let slot = match tag {
                tags::CL_ORD_ID | tags::BUSINESS_REJECT_REF_ID => &mut this.order,
                tags::ORIG_CL_ORD_ID => &mut this.target,
                tags::ORDER_ID => &mut this.venue_order,
                tags::EXEC_ID => &mut this.exec,
                tags::EXEC_REF_ID => &mut this.exec_ref,
                tags::EXEC_TRANS_TYPE => &mut this.trans,
                tags::EXEC_TYPE => &mut this.exec_type,
                tags::ORD_STATUS => &mut this.ord_status,
                tags::SYMBOL => &mut this.symbol,
                tags::SIDE => &mut this.side,
                tags::PRICE => &mut this.price,
                tags::ORDER_QTY => &mut this.qty,
                tags::LAST_PX => &mut this.last_px,
                tags::LAST_QTY => &mut this.last_qty,
                tags::CUM_QTY => &mut this.cum_qty,
                tags::LEAVES_QTY => &mut this.leaves_qty,
                tags::COMMISSION => &mut this.commission,
                tags::COMM_TYPE => &mut this.comm_type,
                tags::LAST_LIQUIDITY_IND => &mut this.liquidity,
                tags::TRANSACT_TIME => &mut this.time,
                tags::ORD_REJ_REASON
                | tags::CXL_REJ_REASON
                | tags::MASS_CANCEL_REJECT_REASON
                | tags::BUSINESS_REJECT_REASON => &mut this.number,
                tags::REASON => &mut this.own_reason,
                tags::MASS_STATUS_REQ_ID => &mut this.request,
                tags::LAST_RPT_REQUESTED => &mut this.last,
                tags::MASS_CANCEL_REQUEST_TYPE => &mut this.scope,
                tags::MASS_CANCEL_RESPONSE => &mut this.response,
                tags::REF_SEQ_NUM => &mut this.ref_seq,
                tags::REF_TAG_ID => &mut this.ref_tag,
                // Behind it each order is named, by tags that mean the request before it.
                tags::NO_AFFECTED_ORDERS => break,
                other if other == exec_id_tag => &mut this.other_exec,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Fault::new(RejectCode::Repeated, tag));
            }
        }
        Ok(())
    }

    pub(super) fn reason(&self, tag: u32, context: &Context<'_>) -> RejectReason {
        if let Some(reason) = context.own_code() {
            return reason;
        }
        let number = self.number.map(|value| parse_u64(value).unwrap_or(u64::MAX));
        reasons::read(tag, number, self.own_number())
    }

    pub(super) fn own_number(&self) -> Option<u64> {
        self.own_reason.and_then(|value| parse_u64(value).ok())
    }

    pub(super) fn time(&self) -> Result<Timestamp, Fault> {
        self.time.map_or(Ok(Timestamp::ZERO), |value| as_time(tags::TRANSACT_TIME, value))
    }
}

pub(super) fn need(tag: u32, value: Option<&[u8]>) -> Result<&[u8], Fault> {
    value.ok_or(Fault::new(RejectCode::RequiredTagMissing, tag))
}

pub(super) fn wrong(tag: u32) -> Fault {
    Fault::new(RejectCode::ValueIncorrect, tag)
}

/// What a message is read with.
pub(super) struct Context<'a> {
    pub(super) message: &'a Message<'a>,
    pub(super) instruments: &'a Instruments,
    pub(super) dialect: &'a Dialect,
    pub(super) requests: &'a Requests,
}

impl Context<'_> {
    /// A ClOrdID of ours; text that is not is somebody else's, and none of our orders.
    pub(super) fn order_id(&self, value: Option<&[u8]>) -> OrderId {
        value.map_or(OrderId::NONE, |text| self.dialect.order_ids().read(text))
    }

    /// The order that a report is about, and the one that a request was about.
    pub(super) fn order_and_target(&self, fields: &Fields<'_>) -> (OrderId, OrderId) {
        let (order, target) = (self.order_id(fields.order), self.order_id(fields.target));
        match self.dialect.settings().our_id {
            OurId::ClOrdId => (order, target),
            // Refusals of a new order may know no other id than ours.
            OurId::OrigClOrdId if fields.target.is_none() => (order, OrderId::NONE),
            OurId::OrigClOrdId => (target, OrderId::NONE),
        }
    }

    /// Some id of a request in it may be ours: by its form, since those of runs before are not
    /// remembered.
    pub(super) fn names_order_of_ours(&self, fields: &Fields<'_>) -> bool {
        [fields.order, fields.target].iter().any(|text| self.order_id(*text) != OrderId::NONE)
    }

    /// ExecID (17) and OrderID (37) stand in every report, as FIX wants. A venue that has its ids of
    /// executions elsewhere leaves these out where they say nothing.
    pub(super) fn names_executions_as_fix(&self) -> bool {
        self.dialect.settings().exec_id_tag == tags::EXEC_ID
    }

    /// What the venue's own codes say. Asked only when something is refused.
    pub(super) fn own_code(&self) -> Option<RejectReason> {
        let codes = &self.dialect.settings().codes;
        if codes.is_empty() { None } else { reason_of(codes, self.message) }
    }
}

/// A quantity that may not be negative.
pub(super) fn amount(tag: u32, value: Option<&[u8]>, digits: u32) -> Result<Qty, Fault> {
    match as_decimal(tag, need(tag, value)?, digits)? {
        negative if negative < 0 => Err(wrong(tag)),
        raw => Ok(Qty::from_raw(raw)),
    }
}
