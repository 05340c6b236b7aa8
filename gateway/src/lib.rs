//! Orders in, FIX out: codec, session and the mapping of commands and reports.
//!
//! Floors of one room, each usable without the ones above it: [`fix`] turns bytes into fields and
//! back, [`spec`] knows what FIX says of them, [`session`] keeps sequence numbers honest over a
//! connection that may break anywhere, [`dialect`] knows what one venue does differently, and
//! [`orders`] speaks [`market::Command`] and [`market::Report`], [`market_data`] [`market::Event`].
//! Nothing here owns a socket, a clock or a thread; only [`session::FileStore`] owns a file.

pub mod dialect;
pub mod fix;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod market_data;
pub mod orders;
pub mod rates;
pub mod schedule;
pub mod session;
pub mod spec;
