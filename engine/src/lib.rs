//! The roof: rings, cores, the trading loop, risk, journal, latency, modes, control and the command
//! line. Modules stand bottom-up: none names one below it.

pub mod config;
pub mod control;
pub mod journal;
pub mod latency;
pub mod modes;
pub mod pipeline;
pub mod runtime;
pub mod trading;
