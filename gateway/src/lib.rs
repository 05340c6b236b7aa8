//! Orders in, FIX out: codec, session and the mapping of commands and reports.
//!
//! Floors of one room, each usable without the ones above it: [`fix`] turns bytes into fields and
//! back, [`spec`] knows what FIX says of them, [`session`] keeps sequence numbers honest over a
//! connection that may break anywhere, and [`orders`] speaks [`market::Command`] and
//! [`market::Report`]. Nothing here owns a socket, a clock or a thread; only
//! [`session::FileStore`] owns a file.

pub mod fix;
pub mod orders;
pub mod rates;
pub mod session;
pub mod spec;
