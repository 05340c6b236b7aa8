//! LOBSTER's recordings of NASDAQ: a file of messages, and a file of the order book behind each of
//! them, row by row.
//!
//! The file of messages does not hold the book of before its first row, nor what happens beyond its
//! levels, so that no book can be built of it. The book is that of the other file, by level;
//! messages give times, trades and halts. Without the other file there are trades and halts only.
//! Source: "LOBSTER sample files readme" and "Output structure" of lobsterdata.com.

mod book;
mod message;
mod name;
pub mod recording;

pub use book::BookRow;
pub use message::{Kind, Message};

/// Raw units of [`market::Price`] in one unit of 1e-4 dollars.
const PRICE_UNIT: i64 = 100_000;
