//! Binance's market data: depth frames, the snapshots that they are joined to, trades. Spot, USD-M and
//! COIN-M futures speak alike.
//!
//! [`depth`] reads the hot frames, [`frame`] any frame, [`join`] keeps snapshot and frames together,
//! [`stream`] is all of it for one symbol. Nothing here asks for a snapshot: whoever drives it does.

mod decoder;
pub mod depth;
pub mod frame;
pub mod join;
mod live;
pub mod recording;
pub mod stream;

mod whose;

pub(crate) use live::Live;
