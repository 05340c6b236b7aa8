//! Our order ids as a venue wants to see them. Both ways without a table: what comes back is the
//! [`OrderId`] that was sent, or no id of ours.

use super::Uuids;
use crate::fix::Encoder;
use crate::fix::field_writer::{FieldWriter, Wrote};
use crate::fix::number::parse_u64;
use market::OrderId;

/// The form of ClOrdID (11) and of whatever else names a request of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OrderIds {
    /// The number in digits.
    #[default]
    Decimal,
    /// A UUID of version 4.
    Uuid(Uuids),
}

impl OrderIds {
    /// Writes `id` as field `tag`.
    #[inline]
    pub(crate) fn write(&self, encoder: &mut Encoder<'_>, tag: u32, id: OrderId) {
        encoder.at_once(|fields| self.write_among(fields, tag, id));
    }

    /// The same among other fields.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn write_among(&self, fields: &mut FieldWriter<'_>, tag: u32, id: OrderId) -> Wrote {
        match self {
            OrderIds::Decimal => fields.u64(tag, id.0),
            OrderIds::Uuid(uuids) => fields.array(tag, &uuids.text(id)),
        }
    }

    /// The id of ours that a text is; [`OrderId::NONE`] if it is somebody else's.
    #[inline]
    #[must_use]
    pub fn read(&self, text: &[u8]) -> OrderId {
        match self {
            OrderIds::Decimal => parse_u64(text).map_or(OrderId::NONE, OrderId),
            OrderIds::Uuid(uuids) => uuids.id(text),
        }
    }
}
