//! How long things take between the venue and us, in runs without sockets.
//!
//! A model never reorders: what is sent later on a path arrives no earlier. Drivers ask it and
//! keep the queues; it holds no messages.

use market::{Nanos, Timestamp};

/// When what is sent now arrives.
pub trait LatencyModel {
    /// When market data published at `sent` reaches us.
    fn feed(&mut self, sent: Timestamp) -> Timestamp;

    /// When a command sent at `sent` reaches the matching engine.
    fn order(&mut self, sent: Timestamp) -> Timestamp;

    /// When a report made at `sent` reaches us.
    fn report(&mut self, sent: Timestamp) -> Timestamp;
}

/// The same spans always. The default is no latency at all.
///
/// ```
/// use market::{Nanos, Timestamp};
/// use sim::{ConstantLatency, LatencyModel};
/// let mut latency = ConstantLatency { feed: Nanos::from_micros(50), ..Default::default() };
/// assert_eq!(latency.feed(Timestamp::ZERO), Timestamp::from_nanos(50_000));
/// assert_eq!(latency.order(Timestamp::ZERO), Timestamp::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConstantLatency {
    /// From the venue's event to us.
    pub feed: Nanos,
    /// From us to the venue's matching.
    pub order: Nanos,
    /// From the venue's report to us.
    pub report: Nanos,
}

impl LatencyModel for ConstantLatency {
    fn feed(&mut self, sent: Timestamp) -> Timestamp {
        sent.after(self.feed)
    }

    fn order(&mut self, sent: Timestamp) -> Timestamp {
        sent.after(self.order)
    }

    fn report(&mut self, sent: Timestamp) -> Timestamp {
        sent.after(self.report)
    }
}
