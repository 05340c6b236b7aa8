//! The figures, a file for each group. Each measures ours beside a rival or a floor in pairs of
//! blocks and says what the target is; none prints.

mod book;
mod captures;
mod dbn;
pub mod fix;
mod groups;
mod frames;
mod growth;
mod load;
mod ring;
mod sockets;
mod stamps;
mod through;
mod tls;
mod trip;
mod ttt;

use crate::figure::Figure;

/// Figures that are measured together.
pub struct Group {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it measures.
    pub about: &'static str,
    /// CPUs that it takes: two threads that spin on one would wait for each other in vain.
    pub cpus: usize,
    /// Measures it.
    pub run: fn() -> anyhow::Result<Vec<Figure>>,
}

/// Every group, in the order of a tick's way.
pub const GROUPS: &[Group] = &[
    Group {
        name: "ring",
        about: "thread to thread: latency and throughput",
        cpus: 2,
        run: ring::run,
    },
    Group { name: "book", about: "ITCH decode, and decode with the book", cpus: 1, run: book::run },
    Group {
        name: "frames",
        about: "depth frames of Binance, from bytes to integers",
        cpus: 1,
        run: frames::run,
    },
    Group {
        name: "capture",
        about: "walking a capture that no cache holds",
        cpus: 1,
        run: captures::run,
    },
    Group { name: "dbn", about: "DBN decode of records by order", cpus: 1, run: dbn::run },
    Group { name: "loop", about: "decode to command, without sockets", cpus: 1, run: through::run },
    Group {
        name: "growth",
        about: "what more instruments and orders cost",
        cpus: 1,
        run: growth::run,
    },
    Group { name: "ttt", about: "tick to trade, wire to wire", cpus: 2, run: ttt::run },
    Group {
        name: "load",
        about: "tick to trade under load, from scheduled send times, and overload",
        cpus: 2,
        run: load::run,
    },
    Group {
        name: "trip",
        about: "an order's round trip through our gateway and our acceptor; many sessions",
        cpus: 2,
        run: trip::run,
    },
    Group { name: "fix", about: "FIX decode and encode", cpus: 1, run: fix::run },
    Group {
        name: "sockets",
        about: "TCP round trip and UDP bursts, by both transports",
        cpus: 2,
        run: sockets::run,
    },
    Group { name: "tls", about: "a message over TLS, by both transports", cpus: 2, run: tls::run },
    Group { name: "stamps", about: "stamp and record of a hop", cpus: 1, run: stamps::run },
];
