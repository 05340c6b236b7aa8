//! The roof: rings, cores, the trading loop, risk, journal, latency, modes, control and the command
//! line. Modules stand bottom-up: none names one below it.

pub mod runtime;
pub mod latency;
pub mod journal;
pub mod trading;
pub mod config;
pub mod cli;
pub mod pipeline;
pub mod report;
pub mod control;
pub mod modes;

/// Name and version of this program, as journals hold it.
pub const BUILD: &str = concat!("touchline ", env!("CARGO_PKG_VERSION"));
