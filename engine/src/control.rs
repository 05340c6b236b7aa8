//! The control plane: operators, the log, the watchdog and the metrics, each on threads of its own
//! that are never pinned.
//!
//! It reaches the trading loop only through the ring `control_trading`, and reads it only through
//! telemetry. Nothing here may hold up a polled core. The endpoint of metrics is the cargo feature
//! `control`, and the only place that names tokio.

pub mod log;
#[cfg(feature = "control")]
pub mod metrics;
pub mod operators;
pub mod plane;
pub mod protocol;
pub mod server;
pub mod status;
#[cfg(test)]
pub(crate) mod testing;
pub mod watchdog;
