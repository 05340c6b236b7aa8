//! Databento's recordings: DBN of versions 1 to 3, and their CSV; both give the same events.
//!
//! [`record`] walks records and reads the hot ones in place; [`Decoder`] makes events of what they
//! say, whichever of the two formats it came in. Metadata is parsed by crate `dbn`; the rest of the
//! crate is not used here, since its oldest records hold enums that any byte of a file would
//! become. Source: "Databento Binary Encoding" and the schemas of Databento's documentation.

pub mod csv;
mod columns;
mod decode;
mod definition;
mod group;
mod metadata;
pub mod record;
pub mod recording;
mod side;
mod slots;
mod symbols;

pub use decode::{Decoder, Skip};
pub use record::{Order, Quote};

/// "No price" in a price field.
pub const UNDEF_PRICE: i64 = i64::MAX;
/// "No time" in a time field.
pub const UNDEF_TIME: u64 = u64::MAX;

/// Bits of a record's flags.
pub mod flags {
    /// Last record of the venue's event for its instrument.
    pub const LAST: u8 = 1 << 7;
    /// Of the top of the book, not of an order.
    pub const TOP: u8 = 1 << 6;
    /// From a snapshot.
    pub const SNAPSHOT: u8 = 1 << 5;
    /// Of a whole price level, not of an order.
    pub const LEVEL: u8 = 1 << 4;
    /// Messages were missed in the channel before.
    pub const MAYBE_BAD_BOOK: u8 = 1 << 2;
}
