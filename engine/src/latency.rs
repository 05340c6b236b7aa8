//! Latency at every hop: the names, the recorders of hot cores, and the table people read.

mod counts;
pub mod hops;
pub mod recorder;

pub use hops::Hop;
pub use recorder::{Collector, Recorder};
