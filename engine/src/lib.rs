//! The roof: rings, cores, the trading loop, risk, journal, latency, modes, control and the command line.

pub mod cli;
pub mod config;
pub mod modes;
