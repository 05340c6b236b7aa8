//! How we refuse a message: Reject (3) and BusinessMessageReject (j).

use super::header::Header;
use super::store::Store;
use super::{BusinessReason, Disconnect, FrameKind, Io, Session};
use crate::fix::tags::{self, msg};
use crate::fix::{Encoder, Fault, Message, RejectCode, SOH};
use crate::spec::Version;

/// Whom a message was for or from beyond the session, and what that is in the answer.
const ROUTES: [(u32, u32); 6] = [
    (tags::DELIVER_TO_COMP_ID, tags::ON_BEHALF_OF_COMP_ID),
    (tags::DELIVER_TO_SUB_ID, tags::ON_BEHALF_OF_SUB_ID),
    (tags::ON_BEHALF_OF_COMP_ID, tags::DELIVER_TO_COMP_ID),
    (tags::ON_BEHALF_OF_SUB_ID, tags::DELIVER_TO_SUB_ID),
    (tags::DELIVER_TO_LOCATION_ID, tags::ON_BEHALF_OF_LOCATION_ID),
    (tags::ON_BEHALF_OF_LOCATION_ID, tags::DELIVER_TO_LOCATION_ID),
];

impl<S: Store> Session<S> {
    /// Sends Reject (3); uses up the number of the message if it is the awaited one.
    pub(super) fn reject(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        fault: Fault,
        message: &Message<'_>,
    ) -> Result<(), Disconnect> {
        self.say_reject(io, seq, header, fault, message)?;
        if seq == self.store.next_incoming() {
            self.consume(io, seq, message)?;
        }
        Ok(())
    }

    /// The same without using up any number.
    pub(super) fn say_reject(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        fault: Fault,
        message: &Message<'_>,
    ) -> Result<(), Disconnect> {
        self.counters.rejects += 1;
        // A Reject is never answered with a Reject.
        if header.msg_type != msg::REJECT {
            let reason = fault.code as u64;
            // FIX.4.2 knows no reasons beyond 11.
            let known = reason <= 11 || self.config.version != Version::Fix42;
            self.emit(io.now, io.out, FrameKind::Reject, msg::REJECT, |encoder| {
                reverse_route(message, encoder);
                encoder.u64(tags::REF_SEQ_NUM, seq);
                encoder.bytes(tags::TEXT, fault.code.text().as_bytes());
                if fault.tag != 0 {
                    encoder.u64(tags::REF_TAG_ID, u64::from(fault.tag));
                } else if fault.code == RejectCode::InvalidTag
                    && let Some(tag) = unreadable_tag(message.bytes())
                {
                    encoder.bytes(tags::REF_TAG_ID, tag);
                }
                if !header.msg_type.is_empty() {
                    encoder.bytes(tags::REF_MSG_TYPE, header.msg_type);
                }
                if known {
                    encoder.u64(tags::SESSION_REJECT_REASON, reason);
                }
            })?;
        }
        Ok(())
    }

    pub(super) fn business_reject(
        &mut self,
        io: &mut Io<'_>,
        seq: u64,
        header: &Header<'_>,
        reason: BusinessReason,
        message: &Message<'_>,
    ) -> Result<(), Disconnect> {
        self.counters.rejects += 1;
        let kind = FrameKind::Application;
        self.emit(io.now, io.out, kind, msg::BUSINESS_MESSAGE_REJECT, |encoder| {
            reverse_route(message, encoder);
            encoder.u64(tags::REF_SEQ_NUM, seq);
            encoder.bytes(tags::TEXT, reason.text().as_bytes());
            encoder.bytes(tags::REF_MSG_TYPE, header.msg_type);
            if let Some(id) = message.get(tags::CL_ORD_ID) {
                encoder.bytes(tags::BUSINESS_REJECT_REF_ID, id);
            }
            encoder.u64(tags::BUSINESS_REJECT_REASON, reason as u64);
        })?;
        Ok(())
    }
}

/// The answer goes back the way the message came.
fn reverse_route(message: &Message<'_>, encoder: &mut Encoder<'_>) {
    for (from, to) in ROUTES {
        if let Some(value) = message.get(from) {
            encoder.bytes(to, value);
        }
    }
}

/// The first tag that is none but still a number, as `0` and `-1`.
fn unreadable_tag(bytes: &[u8]) -> Option<&[u8]> {
    bytes.split(|&byte| byte == SOH).find_map(|field| {
        let tag = &field[..field.iter().position(|&byte| byte == b'=')?];
        let digits = tag.strip_prefix(b"-").unwrap_or(tag);
        let number = matches!(digits.len(), 1..=9) && digits.iter().all(u8::is_ascii_digit);
        (number && (tag[0] == b'-' || tag[0] == b'0')).then_some(tag)
    })
}
