//! The hops, in the order a tick passes them. The same words stand in the report, in the metrics
//! and in `docs/latency.md`.

/// One measured hop, named by the boundary that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Hop {
    /// Kernel receive time to our receive stamp.
    Recv,
    /// Receive stamp to the push of the packet's last event.
    Decoded,
    /// That push to the pop in the trading loop: the ring's wait.
    Popped,
    /// Pop to the decision: book and strategy.
    Decided,
    /// Decision to the published command: quoter, risk checks and the journal's record.
    Checked,
    /// Checks to the encoded frame, ring wait included.
    Encoded,
    /// Encoded frame to the return of the send.
    Sent,
    /// Kernel receive time of the venue's bytes to the gateway's receive stamp.
    GatewayRecv,
    /// Send to the venue's first answer on that order: order-to-ack.
    Acked,
    /// Receive stamp to the return of the send: the whole way.
    TickToTrade,
}

/// Name, start, end and explanation of each hop, in order.
pub const HOPS: [(Hop, &str, &str); 10] = [
    (Hop::Recv, "recv", "kernel receive time to receive stamp"),
    (Hop::Decoded, "decoded", "receive stamp to pushed event"),
    (Hop::Popped, "popped", "pushed event to pop in the trading loop"),
    (Hop::Decided, "decided", "pop to decision: book and strategy"),
    (Hop::Checked, "checked", "decision to checked and journaled command: quoter, risk, journal"),
    (Hop::Encoded, "encoded", "checked command to encoded FIX frame"),
    (Hop::Sent, "sent", "encoded frame to return of the send"),
    (
        Hop::GatewayRecv,
        "gateway-recv",
        "kernel receive time of the venue's bytes to the gateway's read",
    ),
    (Hop::Acked, "order-to-ack", "send to the venue's answer"),
    (Hop::TickToTrade, "tick-to-trade", "receive stamp to return of the send"),
];

impl Hop {
    /// Hops there are.
    pub const COUNT: usize = HOPS.len();

    /// Index into per-hop tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        HOPS[self as usize].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_order() {
        for (index, (hop, ..)) in HOPS.iter().enumerate() {
            assert_eq!(hop.index(), index);
        }
    }
}
