//! Why something was refused: [`RejectReason`] and the numbers FIX has for it.
//!
//! What FIX has no number for travels as 99 (Other) with our own tag 20003; the number alone is
//! enough for a venue that does not know the tag. Text (58) is for people and never decides.

use crate::fix::{Encoder, tags};
use market::RejectReason as R;

/// OrdRejReason (103) of a refused order.
const ORDER: &[(R, u64)] = &[
    (R::UnknownInstrument, 1),
    (R::Closed, 2),
    (R::Limit, 3),
    (R::TooLate, 4),
    (R::UnknownOrder, 5),
    (R::DuplicateId, 6),
    (R::Qty, 13),
];

/// CxlRejReason (102) of a refused cancel or replace.
const CANCEL: &[(R, u64)] =
    &[(R::TooLate, 0), (R::UnknownOrder, 1), (R::Pending, 3), (R::DuplicateId, 6)];

/// MassCancelRejectReason (532).
const MASS_CANCEL: &[(R, u64)] = &[(R::UnknownInstrument, 1)];

/// BusinessRejectReason (380).
const BUSINESS: &[(R, u64)] =
    &[(R::UnknownOrder, 1), (R::UnknownInstrument, 2), (R::Malformed, 3), (R::NoSession, 4)];

fn table(tag: u32) -> &'static [(R, u64)] {
    match tag {
        tags::ORD_REJ_REASON => ORDER,
        tags::CXL_REJ_REASON => CANCEL,
        tags::MASS_CANCEL_REJECT_REASON => MASS_CANCEL,
        tags::BUSINESS_REJECT_REASON => BUSINESS,
        _ => &[],
    }
}

/// Adds `tag`, and 20003 and Text where the number alone would lose something.
pub(super) fn write(encoder: &mut Encoder<'_>, tag: u32, reason: R) {
    if reason == R::None {
        return;
    }
    let number = table(tag).iter().find(|pair| pair.0 == reason).map(|pair| pair.1);
    encoder.u64(tag, number.unwrap_or(99));
    if number.is_none() {
        write_own(encoder, reason);
    }
    encoder.bytes(tags::TEXT, text(reason).as_bytes());
}

/// Adds 20003 alone, for reports that have no reason field in FIX.
pub(super) fn write_own(encoder: &mut Encoder<'_>, reason: R) {
    if reason != R::None {
        encoder.u64(tags::REASON, reason as u64);
    }
}

/// The reason of our own tag, if it is there, else of the number in `tag`.
pub(super) fn read(tag: u32, number: Option<u64>, own: Option<u64>) -> R {
    if let Some(own) = own.filter(|&own| own != 0) {
        return u8::try_from(own).map_or(R::Other, R::from_byte);
    }
    let Some(number) = number else { return R::None };
    table(tag).iter().find(|pair| pair.1 == number).map_or(R::Other, |pair| pair.0)
}

/// The reason a Reject (3) gives, by the field it blames (371).
pub(super) const fn of_field(tag: u32) -> R {
    match tag {
        tags::PRICE => R::Price,
        tags::ORDER_QTY => R::Qty,
        tags::SYMBOL => R::UnknownInstrument,
        _ => R::Malformed,
    }
}

/// In words, for Text (58).
const fn text(reason: R) -> &'static str {
    match reason {
        R::None => "none",
        R::UnknownInstrument => "unknown instrument",
        R::Closed => "instrument halted or closed",
        R::Limit => "beyond a limit of the venue",
        R::TooLate => "too late",
        R::UnknownOrder => "unknown order",
        R::DuplicateId => "ClOrdID used before",
        R::WouldTrade => "post-only order would trade",
        R::Price => "price off tick or out of bounds",
        R::Qty => "quantity off lot or out of bounds",
        R::SelfTrade => "would trade with the same account",
        R::Pending => "another request is pending",
        R::NoSession => "not available",
        R::Rate => "too many messages",
        R::Malformed => "message not understood",
        R::Other => "other",
    }
}
