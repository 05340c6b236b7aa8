//! Kraken's market data: books by level with a checksum over the digits as they were sent, and trades.
//! Websocket API version 1.
//!
//! [`frame`] reads frames, [`book`] keeps one pair's levels as far as its checksum needs them. Nothing
//! here asks for a snapshot: a book that the checksum contradicts waits for one.

pub mod book;
mod decoder;
pub mod frame;
mod live;
pub mod recording;

pub(crate) use live::Live;
