//! What a live feed has done, counted.

use market::Nanos;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages received, of all connections.
    pub messages: u64,
    /// Those of them that nobody understands.
    pub garbled: u64,
    /// Pings and pongs received.
    pub controls: u64,
    /// Events given on.
    pub events: u64,
    /// Connections made.
    pub connections: u64,
    /// Attempts to connect that failed.
    pub failures: u64,
    /// Connections dropped because they were silent.
    pub silent: u64,
    /// Connections dropped because a subscription was refused.
    pub refused: u64,
    /// Connections that ended without our doing.
    pub ended: u64,
    /// Connections that another has taken over from.
    pub renewed: u64,
    /// Snapshots asked for, by HTTPS or by subscribing again.
    pub snapshots: u64,
    /// Snapshots that did not come, or were of no use.
    pub snapshots_failed: u64,
    /// Gaps of books, the one that each begins with included.
    pub gaps: u64,
    /// Books lost.
    pub lost: u64,
    /// Gaps that ended.
    pub recovered: u64,
    /// How long the gaps that ended were, together.
    pub recovering: Nanos,
    /// The longest of them.
    pub recovering_longest: Nanos,
}
