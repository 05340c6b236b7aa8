//! Coinbase's market data: level2 and full channels of Exchange, level2 and market trades of Advanced
//! Trade.
//!
//! [`frame`] reads frames, [`levels`] keeps a product that is told by level, [`orders`] one that is
//! told by order. Nothing here asks for a snapshot.

mod decoder;
pub mod frame;
pub mod levels;
mod live;
pub mod orders;
pub mod recording;

pub(crate) use live::Live;
