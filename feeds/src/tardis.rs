//! Tardis.dev's CSV: incremental_book_L2, book_snapshot_N, trades and quotes, told by their head
//! row.
//!
//! Books are by level. A snapshot of the incremental book begins it anew; rows of one local time
//! were one message. Amounts and prices are exact counts, so that an amount that is finer than its
//! instrument's scale is skipped, never rounded. Source: "Downloadable CSV files" of
//! docs.tardis.dev.

mod columns;
pub mod recording;
mod row;

pub use columns::Kind;

/// Fractional digits of quantities of instruments that nobody described.
pub const QTY_DIGITS: u32 = 8;
