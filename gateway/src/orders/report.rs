//! [`Report`] → ExecutionReport (8), OrderCancelReject (9), OrderMassCancelReport (r): what a venue
//! says.
//!
//! A report that no message can carry makes the encoder fail; it never writes half of one.

use super::command::side_char;
use super::{Instruments, Requests, reasons};
use crate::dialect::Dialect;
use crate::fix::tags::{self, msg};
use crate::fix::{EncodeError, Encoder};
use crate::spec::Version;
use market::{
    Command, CommandKind, Event, ExecId, OrderId, Price, RejectReason, Report, ReportKind,
};

/// What a venue must remember to answer a mass status request: FIX wants both in each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusAnswer {
    /// MassStatusReqID (584) of the request being answered.
    pub request: OrderId,
    /// Orders named so far (TotNumReports of the closing report).
    pub told: u64,
}

/// MsgType (35) of a report; `None` for what no venue says.
#[must_use]
pub fn report_msg_type(report: &Report) -> Option<&'static [u8]> {
    use ReportKind as K;
    Some(match report.kind()? {
        K::CancelRejected => msg::ORDER_CANCEL_REJECT,
        K::MassCanceled => msg::ORDER_MASS_CANCEL_REPORT,
        K::SessionUp | K::SessionDown | K::SessionClosing | K::NotSent => return None,
        _ => msg::EXECUTION_REPORT,
    })
}

/// Adds the body of `report` to a message of type [`report_msg_type`]. `requests` tells what kind
/// of request an OrderCancelReject answers. FIX.4.2 has no mass requests, and so no answers to them.
pub fn encode_report(
    report: &Report,
    instruments: &Instruments,
    dialect: &Dialect,
    requests: &Requests,
    status: StatusAnswer,
    encoder: &mut Encoder<'_>,
) {
    let version = dialect.version();
    match report_msg_type(report) {
        Some(msg::EXECUTION_REPORT) => {
            encode_execution(report, instruments, dialect, status, encoder);
        }
        Some(msg::ORDER_CANCEL_REJECT) => encode_cancel_reject(report, dialect, requests, encoder),
        Some(msg::ORDER_MASS_CANCEL_REPORT) if version != Version::Fix42 => {
            encode_mass_cancel(report, instruments, dialect, encoder);
        }
        _ => encoder.fail(EncodeError::NoMessage),
    }
}

/// ExecType (150), OrdStatus (39), and for FIX.4.2 ExecTransType (20).
fn types(report: &Report, version: Version) -> Option<(u8, u8, Option<u8>)> {
    use ReportKind as K;
    let open = if report.cum_qty.is_positive() { b'1' } else { b'0' };
    let filled = if report.leaves_qty.is_positive() { open } else { b'2' };
    let kind = report.kind()?;
    let (exec_type, status) = match kind {
        K::Accepted => (b'0', open),
        K::Rejected => (b'8', b'8'),
        K::Filled => (b'F', filled),
        K::Replaced => (b'5', filled),
        K::Canceled => (b'4', b'4'),
        K::Expired => (b'C', b'C'),
        K::Busted => (b'H', open),
        K::Corrected => (b'G', filled),
        K::Status => (b'I', open),
        K::StatusDone if version != Version::Fix42 => (b'I', b'8'),
        _ => return None,
    };
    if version != Version::Fix42 {
        return Some((exec_type, status, None));
    }
    // There ExecType says how the order stands, and ExecTransType whether that is news.
    let (exec_type, trans) = match kind {
        K::Filled => (status, b'0'),
        K::Busted => (status, b'1'),
        K::Corrected => (status, b'2'),
        K::Status => (status, b'3'),
        _ => (exec_type, b'0'),
    };
    Some((exec_type, status, Some(trans)))
}

fn encode_execution(
    report: &Report,
    instruments: &Instruments,
    dialect: &Dialect,
    status: StatusAnswer,
    encoder: &mut Encoder<'_>,
) {
    let Some((exec_type, ord_status, trans)) = types(report, dialect.version()) else {
        return encoder.fail(EncodeError::NoMessage);
    };
    let ids = dialect.order_ids();
    let kind = report.kind();
    venue_id(encoder, tags::ORDER_ID, report.venue_order.0);
    if matches!(kind, Some(ReportKind::Busted | ReportKind::Corrected)) {
        // The report's id names the fill; the message needs one of its own.
        encoder.hex(tags::EXEC_ID, ExecId::from_text(&report.to_bytes()).0);
        encoder.hex(tags::EXEC_REF_ID, report.exec.0);
    } else {
        venue_id(encoder, tags::EXEC_ID, report.exec.0);
    }
    if let Some(trans) = trans {
        encoder.char(tags::EXEC_TRANS_TYPE, trans);
    }
    encoder.char(tags::EXEC_TYPE, exec_type);
    encoder.char(tags::ORD_STATUS, ord_status);
    if kind == Some(ReportKind::StatusDone) {
        return encode_status_done(report, dialect, status, encoder);
    }
    if kind == Some(ReportKind::Status) && status.request != OrderId::NONE {
        ids.write(encoder, tags::MASS_STATUS_REQ_ID, status.request);
    }
    ids.write(encoder, tags::CL_ORD_ID, report.order);
    if report.target != OrderId::NONE {
        ids.write(encoder, tags::ORIG_CL_ORD_ID, report.target);
    }
    let Some((instrument, side)) = instruments.get(report.instrument).zip(report.side()) else {
        return encoder.fail(EncodeError::UnknownInstrument);
    };
    encoder.padded(tags::SYMBOL, &instrument.symbol);
    encoder.char(tags::SIDE, side_char(side));
    encode_amounts(report, instrument.qty_digits, encoder);
    match kind {
        Some(ReportKind::Rejected) => {
            reasons::write(encoder, tags::ORD_REJ_REASON, report.reason());
        }
        _ => reasons::write_own(encoder, report.reason()),
    }
    encoder.time(tags::TRANSACT_TIME, report.exchange_time);
}

fn encode_amounts(report: &Report, digits: u32, encoder: &mut Encoder<'_>) {
    let traded = is_trade(report.kind());
    let (price_tag, qty_tag) =
        if traded { (tags::LAST_PX, tags::LAST_QTY) } else { (tags::PRICE, tags::ORDER_QTY) };
    encoder.decimal(price_tag, report.price.raw(), Price::DIGITS);
    encoder.decimal(qty_tag, report.qty.raw(), digits);
    encoder.decimal(tags::CUM_QTY, report.cum_qty.raw(), digits);
    encoder.decimal(tags::LEAVES_QTY, report.leaves_qty.raw(), digits);
    // Required by FIX.4.4; a report has no average price, and zero says so.
    encoder.u64(tags::AVG_PX, 0);
    if let Some(fee) = report.fee().and_then(|fee| i64::try_from(fee.raw() / NANO).ok()) {
        encoder.decimal(tags::COMMISSION, fee, 9);
        encoder.char(tags::COMM_TYPE, b'3');
    }
    if let Some(liquidity) = report.liquidity() {
        encoder.u64(tags::LAST_LIQUIDITY_IND, liquidity as u64);
    }
}

/// 1e-18 in 1e-9.
const NANO: i128 = 1_000_000_000;

/// LastPx and LastQty instead of Price and OrderQty.
pub(super) const fn is_trade(kind: Option<ReportKind>) -> bool {
    matches!(kind, Some(ReportKind::Filled | ReportKind::Busted | ReportKind::Corrected))
}

/// The closing report of a mass status: it names no order.
fn encode_status_done(
    report: &Report,
    dialect: &Dialect,
    status: StatusAnswer,
    encoder: &mut Encoder<'_>,
) {
    dialect.order_ids().write(encoder, tags::MASS_STATUS_REQ_ID, report.order);
    encoder.u64(tags::TOT_NUM_REPORTS, status.told);
    encoder.flag(tags::LAST_RPT_REQUESTED, true);
    encoder.u64(tags::CUM_QTY, 0);
    encoder.u64(tags::LEAVES_QTY, 0);
    encoder.u64(tags::AVG_PX, 0);
    encoder.time(tags::TRANSACT_TIME, report.exchange_time);
}

fn encode_cancel_reject(
    report: &Report,
    dialect: &Dialect,
    requests: &Requests,
    encoder: &mut Encoder<'_>,
) {
    let ids = dialect.order_ids();
    venue_id(encoder, tags::ORDER_ID, report.venue_order.0);
    ids.write(encoder, tags::CL_ORD_ID, report.order);
    ids.write(encoder, tags::ORIG_CL_ORD_ID, report.target);
    let unknown = report.reason() == RejectReason::UnknownOrder;
    encoder.char(tags::ORD_STATUS, if unknown { b'8' } else { b'0' });
    let kind = requests.by_id(report.order).and_then(Command::kind);
    let replace = kind == Some(CommandKind::Replace);
    encoder.char(tags::CXL_REJ_RESPONSE_TO, if replace { b'2' } else { b'1' });
    reasons::write(encoder, tags::CXL_REJ_REASON, report.reason());
    encoder.time(tags::TRANSACT_TIME, report.exchange_time);
}

fn encode_mass_cancel(
    report: &Report,
    instruments: &Instruments,
    dialect: &Dialect,
    encoder: &mut Encoder<'_>,
) {
    dialect.order_ids().write(encoder, tags::CL_ORD_ID, report.order);
    match dialect.version() {
        // Its OrderID is optional, and a report has an id of its own.
        Version::Fix50Sp2 => {
            encoder.hex(tags::MASS_ACTION_REPORT_ID, ExecId::from_text(&report.to_bytes()).0);
        }
        _ => venue_id(encoder, tags::ORDER_ID, report.venue_order.0),
    }
    let scope = if report.instrument == Event::ALL { b'7' } else { b'1' };
    encoder.char(tags::MASS_CANCEL_REQUEST_TYPE, scope);
    let refused = report.reason() != RejectReason::None;
    encoder.char(tags::MASS_CANCEL_RESPONSE, if refused { b'0' } else { scope });
    reasons::write(encoder, tags::MASS_CANCEL_REJECT_REASON, report.reason());
    if report.instrument != Event::ALL {
        match instruments.get(report.instrument) {
            Some(instrument) => encoder.padded(tags::SYMBOL, &instrument.symbol),
            None => encoder.fail(EncodeError::UnknownInstrument),
        }
    }
    encoder.time(tags::TRANSACT_TIME, report.exchange_time);
}

/// An id of the venue; `NONE` where there is none, as the specification asks.
fn venue_id(encoder: &mut Encoder<'_>, tag: u32, words: [u64; 2]) {
    if words == [0, 0] { encoder.bytes(tag, NONE) } else { encoder.hex(tag, words) }
}

/// The text of an id that is not there.
pub(super) const NONE: &[u8] = b"NONE";
