//! Threads, rings and clocks: what every stage stands on. Knows nothing of markets.

pub mod ring;
pub mod clock;
pub mod cores;
pub mod did;
pub mod stage;
pub mod usage;
