//! The laboratory of the wire-to-wire figures: an exchange's side on one core, who answers it on the
//! other, loopback sockets between them. The exchange alone reads the clock; who answers is never
//! asked how long it took.

pub mod bare;
pub mod alone;
pub mod course;
pub mod engine;
pub mod field;
pub mod link;
pub mod market;
pub mod venue;

/// The CPU of those who answer.
pub const ANSWERS: usize = 0;
/// The CPU of the exchange's side.
pub const ASKS: usize = 1;
