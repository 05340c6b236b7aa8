//! Kraken's market data: books by level and by order with a checksum over the digits as they were
//! sent, and trades. Websocket API versions 1 and 2.
//!
//! [`frame`] reads frames, [`book`] keeps one pair's levels as far as its checksum needs them. Nothing
//! here asks for a snapshot: a book that the checksum contradicts waits for one.

pub mod book;
mod decoder;
pub mod frame;
mod live;
pub mod number;
mod orders;
mod pair;
pub mod recording;
mod sum;
mod v2;

pub(crate) use live::Live;
