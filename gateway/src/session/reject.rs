//! How we refuse a message: Reject (3) and BusinessMessageReject (j).

use super::header::Header;
use super::store::Store;
use super::{BusinessReason, Disconnect, FrameKind, Io, Session};
use crate::fix::tags::{self, msg};
use crate::fix::{Fault, Message};

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
        self.counters.rejects += 1;
        // A Reject is never answered with a Reject.
        if header.msg_type != msg::REJECT {
            self.emit(io.now, io.out, FrameKind::Reject, msg::REJECT, |encoder| {
                encoder.u64(tags::REF_SEQ_NUM, seq);
                if fault.tag != 0 {
                    encoder.u64(tags::REF_TAG_ID, u64::from(fault.tag));
                }
                if !header.msg_type.is_empty() {
                    encoder.bytes(tags::REF_MSG_TYPE, header.msg_type);
                }
                encoder.u64(tags::SESSION_REJECT_REASON, fault.code as u64);
                encoder.bytes(tags::TEXT, fault.code.text().as_bytes());
            })?;
        }
        if seq == self.store.next_incoming() {
            self.consume(io, seq, message)?;
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
            encoder.u64(tags::REF_SEQ_NUM, seq);
            encoder.bytes(tags::REF_MSG_TYPE, header.msg_type);
            if let Some(id) = message.get(tags::CL_ORD_ID) {
                encoder.bytes(tags::BUSINESS_REJECT_REF_ID, id);
            }
            encoder.u64(tags::BUSINESS_REJECT_REASON, reason as u64);
        })?;
        Ok(())
    }
}
