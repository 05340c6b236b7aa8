//! Identifiers: ours are counters, the venue's are 128-bit digests or UUIDs.

use xxhash_rust::xxh3::xxh3_128;

/// Dense index of an instrument in the run's instrument table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    /// As an index into per-instrument tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Our id of one request (ClOrdID): an epoch in the upper 32 bits and a counter in the lower 32.
/// The epoch is the second of the start, and at least one more than the last one journaled, so an
/// id is never used twice, even when the journal was lost.
///
/// ```
/// use market::OrderId;
/// let id = OrderId::new(3, 7).unwrap();
/// assert_eq!((id.epoch(), id.counter()), (3, 7));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct OrderId(pub u64);

impl OrderId {
    /// No order. Never given to a request, since counters begin at 1.
    pub const NONE: OrderId = OrderId(0);
    /// Bits of the counter.
    pub const COUNTER_BITS: u32 = 32;

    /// The id of `counter` in `epoch`; `None` when either does not fit.
    #[must_use]
    pub const fn new(epoch: u64, counter: u64) -> Option<OrderId> {
        if epoch >> (64 - Self::COUNTER_BITS) != 0 || counter >> Self::COUNTER_BITS != 0 {
            return None;
        }
        Some(OrderId(epoch << Self::COUNTER_BITS | counter))
    }

    /// The start of the engine that gave the id.
    #[must_use]
    pub const fn epoch(self) -> u64 {
        self.0 >> Self::COUNTER_BITS
    }

    /// The count within the epoch.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.0 & ((1 << Self::COUNTER_BITS) - 1)
    }
}

macro_rules! venue_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(pub [u64; 2]);

        impl $name {
            /// Absent.
            pub const NONE: $name = $name([0, 0]);

            /// The xxh3-128 digest of the venue's own text, which stays in the gateway's stream.
            #[must_use]
            pub fn from_text(text: &[u8]) -> Self {
                let digest = xxh3_128(text);
                #[allow(clippy::cast_possible_truncation)]
                $name([(digest >> 64) as u64, digest as u64])
            }

            /// True when the venue gave none.
            #[must_use]
            pub const fn is_none(self) -> bool {
                self.0[0] == 0 && self.0[1] == 0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
            }
        }
    };
}

venue_id!(
    /// The venue's id of an order (OrderID, tag 37).
    VenueOrderId
);
venue_id!(
    /// The venue's id of one execution report (ExecID, tag 17): a fill is counted once per ExecID.
    ExecId
);

/// Fixed digest of a venue's text id, for events whose order ids are not integers.
#[must_use]
pub fn digest64(text: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(text)
}
