//! The other side of the wire: matching, the overlay inside recorded flow, synthetic order flow and
//! latency models.
//!
//! This crate speaks commands, reports and events, never bytes of a protocol. It owns no clock, no
//! socket and no thread: the time is an argument, randomness comes from a seed, and everything a
//! venue says goes into an [`Output`]. Modules stand in reading order.

pub mod exchange;
pub mod flow;
pub mod latency;
pub mod levels;
pub mod overlay;
pub mod queue;
pub mod setup;
pub mod venue;

mod desk;
mod id_runs;
mod ladder;
mod matching;
mod orders;

pub use exchange::Exchange;
pub use flow::{Flow, FlowParameters};
pub use latency::{ConstantLatency, LatencyModel};
pub use levels::LevelOverlay;
pub use overlay::Overlay;
pub use queue::QueueModel;
pub use setup::{ExchangeLimits, Run, SelfTradePolicy, SetupError};
pub use venue::{AccountId, OpenOrder, Output, Tape, Venue};
