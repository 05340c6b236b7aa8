//! The laboratory of the wire-to-wire figures: an exchange's side on one core, who answers it on the
//! other, loopback sockets between them. The exchange alone reads the clock; who answers is never
//! asked how long it took. A field takes turns, one tick at a time; a stand is one engine under
//! load.

pub mod bare;
pub mod alone;
pub mod course;
pub mod engine;
pub mod exchange;
pub mod field;
pub mod link;
pub mod market;
pub mod marks;
pub mod noted;
pub mod orders;
pub mod plan;
pub mod stand;
pub mod trip;
pub mod venue;

/// The CPU of those who answer.
pub const ANSWERS: usize = 0;
/// The CPU of the exchange's side.
pub const ASKS: usize = 1;
