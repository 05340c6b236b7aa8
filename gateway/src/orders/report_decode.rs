//! ExecutionReport (8), OrderCancelReject (9), OrderMassCancelReport (r), Reject (3) and
//! BusinessMessageReject (j) → [`Report`].
//!
//! One pass over the fields, each at most once. A message that contradicts itself is a fault for
//! the caller to count; nothing is guessed.

use super::command::{flag_of, side_of};
use super::instruments::Entry;
use super::report::is_trade;
use super::report_fields::{Context, Fields, amount, exec_id, need, venue_order, wrong};
use super::{Instruments, Requests, reasons};
use crate::dialect::{Dialect, OpenOrders, Target};
use crate::fix::message::{as_char, as_decimal, as_u64};
use crate::fix::number::parse_u64;
use crate::fix::tags::{self, msg};
use crate::fix::{Fault, Message, RejectCode};
use market::{
    Command, CommandKind, Event, ExecId, InstrumentId, Liquidity, OrderId, Price, RejectReason,
    Report, ReportKind, Side, VenueOrderId,
};

/// Why a message gives no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// A field is missing, unreadable or contradicts another.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// An instrument that the gateway was not given, of an order that may be ours.
    #[error("a report on an instrument that is not in the gateway's table")]
    UnknownInstrument,
    /// The same, and no id of ours: somebody else's order on this account.
    #[error(
        "a report on somebody else's order in an instrument that is not in the gateway's table"
    )]
    Unlisted,
    /// A Reject or BusinessMessageReject of a message that is not, or no longer, remembered.
    #[error("a reject of a message that is not remembered")]
    UnknownRequest,
    /// Not a message a venue sends us.
    #[error("not a report")]
    NotAReport,
}

/// Gives the reports that a message of a venue makes: none (pending acknowledgements), one, or two
/// (the last order of a mass status, and that it was the last). `received` is the stamp of the
/// bytes; it goes into the reports and decides nothing.
///
/// # Errors
/// [`ReportError`]; nothing was given, but for [`ReportError::Unlisted`] that it was the last of a
/// mass status.
pub fn decode_report(
    message: &Message<'_>,
    received: u64,
    instruments: &Instruments,
    dialect: &Dialect,
    requests: &Requests,
    give: &mut dyn FnMut(Report),
) -> Result<(), ReportError> {
    let context = Context { message, instruments, dialect, requests };
    let mut fields = Fields::default();
    fields.find(message, dialect.settings().exec_id_tag)?;
    let mut stamped = |mut report: Report| {
        report.received = received;
        give(report);
    };
    match message.msg_type() {
        msg::EXECUTION_REPORT => decode_execution(&fields, &context, &mut stamped),
        msg::ORDER_CANCEL_REJECT => decode_cancel_reject(&fields, &context).map(stamped),
        msg::ORDER_MASS_CANCEL_REPORT => decode_mass_cancel(&fields, &context, &mut stamped),
        msg::REJECT => {
            let seq = as_u64(tags::REF_SEQ_NUM, need(tags::REF_SEQ_NUM, fields.ref_seq)?)?;
            let request = requests.by_seq(seq).ok_or(ReportError::UnknownRequest)?;
            let tag = fields.ref_tag.and_then(|value| parse_u64(value).ok());
            let tag = tag.and_then(|tag| u32::try_from(tag).ok()).unwrap_or(0);
            let reason = context.own_code().unwrap_or_else(|| reasons::of_field(tag));
            stamped(refused(request, reason)?);
            Ok(())
        }
        msg::BUSINESS_MESSAGE_REJECT => {
            let by_seq = fields.ref_seq.and_then(|value| parse_u64(value).ok());
            let request = by_seq
                .and_then(|seq| requests.by_seq(seq))
                .or_else(|| requests.by_id(context.order_id(fields.order)))
                .ok_or(ReportError::UnknownRequest)?;
            let reason = fields.reason(tags::BUSINESS_REJECT_REASON, &context);
            stamped(refused(request, reason)?);
            Ok(())
        }
        _ => Err(ReportError::NotAReport),
    }
}

/// The report that says a whole request was not understood.
fn refused(request: &Command, reason: RejectReason) -> Result<Report, ReportError> {
    let kind = match request.kind() {
        Some(CommandKind::New) => ReportKind::Rejected,
        Some(CommandKind::Replace | CommandKind::Cancel) => ReportKind::CancelRejected,
        Some(CommandKind::MassCancel) => ReportKind::MassCanceled,
        _ => return Err(ReportError::UnknownRequest),
    };
    let mut report = Report::new(kind, request.id, request.instrument).with_reason(reason);
    report.target = request.target;
    (report.price, report.qty) = (request.price, request.qty);
    Ok(match request.side() {
        Some(side) => report.with_side(side),
        None => report,
    })
}

/// The kind of an ExecutionReport; `None` where there is nothing to tell. FIX.4.2 calls fills by the
/// status they lead to, and what it undoes or repeats by ExecTransType (20).
fn kind_of(fields: &Fields<'_>) -> Result<Option<ReportKind>, Fault> {
    use ReportKind as K;
    let exec_type = as_char(tags::EXEC_TYPE, need(tags::EXEC_TYPE, fields.exec_type)?)?;
    let exec_type = match fields.trans {
        None | Some(b"0") => exec_type,
        Some(b"1") => return Ok(Some(K::Busted)),
        Some(b"2") => return Ok(Some(K::Corrected)),
        Some(b"3") => b'I',
        Some(_) => return Err(wrong(tags::EXEC_TRANS_TYPE)),
    };
    Ok(Some(match exec_type {
        b'0' => K::Accepted,
        b'8' => K::Rejected,
        b'F' | b'1' | b'2' => K::Filled,
        b'5' => K::Replaced,
        b'4' => K::Canceled,
        b'3' | b'C' => K::Expired,
        b'H' => K::Busted,
        b'G' => K::Corrected,
        // Order status, and restatement: the order stands as told.
        b'I' | b'D' => match fields.ord_status {
            Some(b"4") => K::Canceled,
            Some(b"3" | b"C") => K::Expired,
            // Of a mass request: no order. Of a request on one order: not that order.
            Some(b"8") if fields.request.is_some() => return Ok(None),
            Some(b"8") => K::Rejected,
            _ => K::Status,
        },
        // Pending new, pending cancel, pending replace, stopped, suspended, calculated.
        b'A' | b'6' | b'E' | b'7' | b'9' | b'B' => return Ok(None),
        _ => return Err(wrong(tags::EXEC_TYPE)),
    }))
}

fn decode_execution(
    fields: &Fields<'_>,
    context: &Context<'_>,
    give: &mut dyn FnMut(Report),
) -> Result<(), ReportError> {
    let last = flag_of(tags::LAST_RPT_REQUESTED, fields.last)?;
    let time = fields.time()?;
    let named = fields.symbol.map(|symbol| context.instruments.named(symbol));
    // Before anything else of it is judged: what others do elsewhere is none of our business.
    let unlisted = matches!(named, Some(None)) && !context.names_order_of_ours(fields);
    let kind = if unlisted { None } else { kind_of(fields)? };
    if let Some(kind) = kind {
        let missing = Fault::new(RejectCode::RequiredTagMissing, tags::SYMBOL);
        let instrument = named.ok_or(missing)?.ok_or(ReportError::UnknownInstrument)?;
        let side = side_of(need(tags::SIDE, fields.side)?)?;
        let mut report = execution(fields, kind, side, instrument, context)?;
        report.exchange_time = time;
        give(report);
    }
    if last {
        let request = context.order_id(fields.request);
        let mut done = Report::new(ReportKind::StatusDone, request, Event::ALL);
        done.exchange_time = time;
        give(done);
    }
    if unlisted { Err(ReportError::Unlisted) } else { Ok(()) }
}

fn execution(
    fields: &Fields<'_>,
    kind: ReportKind,
    side: Side,
    instrument: &Entry,
    context: &Context<'_>,
) -> Result<Report, ReportError> {
    let digits = instrument.qty_digits;
    let (order, target) = context.order_and_target(fields);
    let mut report = Report::new(kind, order, instrument.id).with_side(side);
    report.target = target;
    // What was never taken in may have no ids and no amounts.
    let refused = kind == ReportKind::Rejected;
    let wanted = !refused && context.names_executions_as_fix();
    report.venue_order = match fields.venue_order {
        None if !wanted => VenueOrderId::NONE,
        id => venue_order(need(tags::ORDER_ID, id)?),
    };
    let named = match context.names_executions_as_fix() {
        true => fields.exec,
        false => fields.other_exec,
    };
    report.exec = match (kind, named) {
        (ReportKind::Busted | ReportKind::Corrected, _) => {
            exec_id(need(tags::EXEC_REF_ID, fields.exec_ref)?)
        }
        (_, None) if !wanted => ExecId::NONE,
        (_, id) => exec_id(need(tags::EXEC_ID, id)?),
    };
    if !(refused && fields.cum_qty.is_none()) {
        report.cum_qty = amount(tags::CUM_QTY, fields.cum_qty, digits)?;
    }
    if !(refused && fields.leaves_qty.is_none()) {
        report.leaves_qty = amount(tags::LEAVES_QTY, fields.leaves_qty, digits)?;
    }
    if is_trade(Some(kind)) {
        let price = need(tags::LAST_PX, fields.last_px)?;
        report.price = Price::from_raw(as_decimal(tags::LAST_PX, price, Price::DIGITS)?);
        report.qty = amount(tags::LAST_QTY, fields.last_qty, digits)?;
        if kind == ReportKind::Filled && !report.qty.is_positive() {
            return Err(wrong(tags::LAST_QTY).into());
        }
    } else {
        if let Some(price) = fields.price {
            report.price = Price::from_raw(as_decimal(tags::PRICE, price, Price::DIGITS)?);
        }
        if fields.qty.is_some() {
            report.qty = amount(tags::ORDER_QTY, fields.qty, digits)?;
        }
    }
    // A trade is a fact, whatever its commission: one that is no amount (3 is "absolute") or that we
    // cannot hold counts as not said.
    let absolute = fields.comm_type.is_none_or(|value| value == b"3");
    if let Some(commission) = fields.commission.filter(|_| absolute)
        && let Ok(fee) = as_decimal(tags::COMMISSION, commission, 9)
    {
        report = report.with_fee(fee);
    }
    match fields.liquidity {
        Some(b"1") => report = report.with_liquidity(Liquidity::Maker),
        Some(b"2") => report = report.with_liquidity(Liquidity::Taker),
        // Routed out, and what later versions added: not said.
        _ => {}
    }
    let reason = match refused {
        true => fields.reason(tags::ORD_REJ_REASON, context),
        false => reasons::read(0, None, fields.own_number()),
    };
    Ok(report.with_reason(reason))
}

fn decode_cancel_reject(fields: &Fields<'_>, context: &Context<'_>) -> Result<Report, ReportError> {
    let named = need(tags::CL_ORD_ID, fields.order)?;
    // The message has no Symbol or Side: they are those of the request.
    let (id, target, request) = match context.dialect.settings().target {
        Target::OrigClOrdId => {
            let id = context.order_id(Some(named));
            let request = context.requests.by_id(id);
            let target = match (fields.target, request) {
                (None, Some(request)) => request.target,
                (target, _) => context.order_id(Some(need(tags::ORIG_CL_ORD_ID, target)?)),
            };
            (id, target, request)
        }
        Target::ClOrdId => {
            let (order, _) = context.order_and_target(fields);
            let request = context.requests.by_target(order);
            (request.map_or(OrderId::NONE, |request| request.id), order, request)
        }
    };
    let instrument = request.map_or(Event::ALL, |request| request.instrument);
    let reason = fields.reason(tags::CXL_REJ_REASON, context);
    let mut report = Report::new(ReportKind::CancelRejected, id, instrument).with_reason(reason);
    if let Some(side) = request.and_then(Command::side) {
        report = report.with_side(side);
    }
    report.target = target;
    report.venue_order = match fields.venue_order {
        None if !context.names_executions_as_fix() => VenueOrderId::NONE,
        id => venue_order(need(tags::ORDER_ID, id)?),
    };
    report.exchange_time = fields.time()?;
    Ok(report)
}

/// An answer to a mass cancel; and, where that is how open orders are made sure of, to the question
/// which there are: none.
fn decode_mass_cancel(
    fields: &Fields<'_>,
    context: &Context<'_>,
    give: &mut dyn FnMut(Report),
) -> Result<(), ReportError> {
    let settings = context.dialect.settings();
    let scope = as_char(
        tags::MASS_CANCEL_REQUEST_TYPE,
        need(tags::MASS_CANCEL_REQUEST_TYPE, fields.scope)?,
    )?;
    let response = match fields.response {
        // Venues of later versions give it only with good news.
        None if fields.number.is_some() => b'0',
        response => {
            as_char(tags::MASS_CANCEL_RESPONSE, need(tags::MASS_CANCEL_RESPONSE, response)?)?
        }
    };
    let instrument: InstrumentId = if Some(scope) == settings.mass_cancel_one {
        let symbol = need(tags::SYMBOL, fields.symbol)?;
        let ours = context.names_order_of_ours(fields);
        let unknown = if ours { ReportError::UnknownInstrument } else { ReportError::Unlisted };
        context.instruments.named(symbol).ok_or(unknown)?.id
    } else {
        Event::ALL
    };
    let reason = match response {
        b'0' => match fields.reason(tags::MASS_CANCEL_REJECT_REASON, context) {
            RejectReason::None => RejectReason::Other,
            reason => reason,
        },
        _ => RejectReason::None,
    };
    let id = context.order_id(fields.order);
    let mut report = Report::new(ReportKind::MassCanceled, id, instrument).with_reason(reason);
    report.venue_order = fields.venue_order.map_or(VenueOrderId::NONE, venue_order);
    report.exchange_time = fields.time()?;
    give(report);
    if settings.open_orders == OpenOrders::Cancel
        && instrument == Event::ALL
        && nothing_left(reason)
    {
        let mut done = Report::new(ReportKind::StatusDone, id, Event::ALL);
        done.exchange_time = report.exchange_time;
        give(done);
    }
    Ok(())
}

/// A mass cancel leaves no order: it was carried out, or there was none.
pub(super) const fn nothing_left(reason: RejectReason) -> bool {
    matches!(reason, RejectReason::None | RejectReason::UnknownOrder)
}
