//! Bytes in, market events out: decoders, sessions and sources of market data.
//!
//! Modules stand in the order in which a packet meets them. Nothing here owns a clock or a
//! thread; only [`file`] touches files.

pub mod itch50;
