//! NASDAQ TotalView-ITCH 5.0: message layouts, the decoder to events, the encoder from events.
//!
//! Knows one message at a time; packets, sequences and files are the business of
//! [`crate::moldudp64`] and [`crate::file`]; [`Reading`] and [`recording`] serve research. The decoder
//! never allocates after construction and never panics on any bytes.
//! Source: "NASDAQ TotalView-ITCH 5.0" specification, message O included.

mod counters;
pub mod decode;
mod directory;
pub mod encode;
mod layout;
pub mod message;
pub(crate) mod reading;
pub mod recording;
pub(crate) mod side;

pub use counters::{DecoderCounters, Skip};
pub use decode::Decoder;
pub use encode::{Encoder, Refusal};
pub use message::{Header, Message, MessageError};
pub use reading::Reading;
pub use recording::ItchFile;

use market::{Instrument, InstrumentId, Qty};

/// Raw units of [`market::Price`] in one ITCH price unit of 1e-4.
pub const PRICE_UNIT: i64 = 100_000;
/// The highest price of a displayed order, 199,999.9900; above it stand the market-order
/// sentinels of the crosses.
pub const PRICE_MAX: u32 = 1_999_999_900;
/// Nanoseconds in a day: every time stamp is below.
pub const DAY: u64 = 86_400_000_000_000;

/// One instrument as ITCH needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The venue's symbol: 1 to 8 printable ASCII characters without spaces.
    pub symbol: String,
    /// What events will call it.
    pub instrument: InstrumentId,
    /// Its quantity scale; one share is 10^`qty_digits`.
    pub qty_digits: u32,
}

impl From<&Instrument> for Listing {
    fn from(instrument: &Instrument) -> Listing {
        Listing {
            symbol: instrument.symbol.clone(),
            instrument: instrument.id,
            qty_digits: instrument.qty_digits,
        }
    }
}

/// Why an instrument cannot be spoken of in ITCH 5.0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// The symbol does not fit the eight-byte stock field.
    #[error("symbol {0:?}: ITCH 5.0 takes 1 to 8 printable ASCII characters without spaces")]
    Symbol(String),
    /// Two instruments have one symbol.
    #[error("symbol {0:?} is listed twice: remove one of the two instruments")]
    Duplicate(String),
    /// The quantity scale is not one that `Qty` knows.
    #[error("{symbol}: qty_digits {digits} is above {max}: choose a smaller scale", max = Qty::DIGITS_MAX)]
    QtyDigits {
        /// Whose.
        symbol: String,
        /// The scale found.
        digits: u32,
    },
    /// Locate codes are 16 bits.
    #[error("{0} instruments are too many: ITCH 5.0 has room for 65534 locate codes")]
    TooMany(usize),
    /// Prices would not be multiples of 1e-4.
    #[error("{0}: tick is no multiple of 0.0001, which is ITCH 5.0's price unit: change the tick")]
    Tick(String),
    /// Prices could pass the field.
    #[error("{0}: price_bounds must lie within 0.0001 and 199999.99 for ITCH 5.0")]
    PriceBounds(String),
    /// Quantities would not be whole shares.
    #[error("{0}: lot is no multiple of one share, which ITCH 5.0 counts in: change the lot")]
    Lot(String),
    /// Quantities could pass the field.
    #[error("{0}: qty_bounds must lie within 1 and 4294967295 shares for ITCH 5.0")]
    QtyBounds(String),
}

/// The symbol as the stock field holds it: left-justified, padded with spaces.
///
/// # Errors
/// [`ListingError::Symbol`] if it does not fit.
pub fn stock(symbol: &str) -> Result<[u8; 8], ListingError> {
    let bytes = symbol.as_bytes();
    let fits = (1..=8).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    if !fits {
        return Err(ListingError::Symbol(symbol.to_owned()));
    }
    let mut stock = [b' '; 8];
    stock[..bytes.len()].copy_from_slice(bytes);
    Ok(stock)
}

/// Raw quantity units in one share.
fn share(symbol: &str, digits: u32) -> Result<i64, ListingError> {
    if digits > Qty::DIGITS_MAX {
        return Err(ListingError::QtyDigits { symbol: symbol.to_owned(), digits });
    }
    Ok(10i64.pow(digits))
}
