//! Why messages are skipped, and how many of each type and reason came.
//!
//! Counts only: nothing here decides.

/// Why a message gave no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Skip {
    /// No message of ITCH 5.0 has this type.
    UnknownType,
    /// The type has another length, or the message is empty.
    BadLength,
    /// Side is neither B nor S.
    BadSide,
    /// An order or execution of no shares.
    ZeroShares,
    /// Price zero, or above 199,999.99 where the market-order sentinels stand.
    BadPrice,
    /// More shares than a quantity can hold.
    BadQuantity,
    /// The stamp is a day or more.
    BadTime,
    /// The symbol is not printable ASCII.
    BadSymbol,
    /// No directory message named this locate.
    UnknownLocate,
    /// The instrument is known and nobody subscribed to it: not an error.
    Unsubscribed,
}

impl Skip {
    /// Every reason, in the order of the counters.
    pub const ALL: [Skip; 10] = [
        Skip::UnknownType,
        Skip::BadLength,
        Skip::BadSide,
        Skip::ZeroShares,
        Skip::BadPrice,
        Skip::BadQuantity,
        Skip::BadTime,
        Skip::BadSymbol,
        Skip::UnknownLocate,
        Skip::Unsubscribed,
    ];

    /// The reason in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Skip::UnknownType => "unknown message type",
            Skip::BadLength => "length differs from the type's",
            Skip::BadSide => "side is neither B nor S",
            Skip::ZeroShares => "zero shares",
            Skip::BadPrice => "price is zero or a sentinel",
            Skip::BadQuantity => "quantity out of range",
            Skip::BadTime => "time of day is not below 86400 seconds",
            Skip::BadSymbol => "symbol is not printable ASCII",
            Skip::UnknownLocate => "locate code was never announced",
            Skip::Unsubscribed => "instrument is not subscribed",
        }
    }
}

impl std::fmt::Display for Skip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Skip {}

/// What a decoder has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderCounters {
    pub(super) by_type: [u64; 256],
    pub(super) skipped: [u64; Skip::ALL.len()],
    /// Messages whose time lies before an earlier message's; they are applied all the same.
    pub time_backwards: u64,
    /// Events given.
    pub events: u64,
}

impl Default for DecoderCounters {
    fn default() -> Self {
        DecoderCounters {
            by_type: [0; 256],
            skipped: [0; Skip::ALL.len()],
            time_backwards: 0,
            events: 0,
        }
    }
}

impl DecoderCounters {
    /// Messages whose first byte was `kind`, good or bad.
    #[must_use]
    pub fn by_type(&self, kind: u8) -> u64 {
        self.by_type[usize::from(kind)]
    }

    /// Messages skipped for a reason.
    #[must_use]
    pub fn skipped(&self, reason: Skip) -> u64 {
        self.skipped[reason as usize]
    }

    /// All messages but empty ones.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.by_type.iter().sum()
    }
}
