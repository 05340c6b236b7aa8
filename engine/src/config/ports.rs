//! Two things on one port: judged from the configuration alone, without opening a socket.

use super::document::Document;
use super::problem::{Problem, Problems};
use std::net::SocketAddr;

/// What a port belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// A port that a key names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port {
    section: &'static str,
    key: &'static str,
    transport: Transport,
    address: SocketAddr,
}

impl Port {
    pub(crate) fn new(
        section: &'static str,
        key: &'static str,
        transport: Transport,
        address: SocketAddr,
    ) -> Self {
        Port { section, key, transport, address }
    }

    /// True if the two cannot both be had. Venues do put two multicast groups on one port; a group
    /// and a plain address on one port would receive each other's packets on many hosts.
    fn clashes(&self, other: &Port) -> bool {
        let (ours, theirs) = (self.address.ip(), other.address.ip());
        let everywhere = ours.is_unspecified() || theirs.is_unspecified();
        let mixed = ours.is_multicast() != theirs.is_multicast();
        self.transport == other.transport
            && self.address.port() == other.address.port()
            && self.address.port() != 0
            && (ours == theirs || everywhere || mixed)
    }
}

/// Refuses every pair that clashes.
pub(crate) fn check(document: &Document<'_>, ports: &[Port], problems: &mut Problems) {
    for (at, later) in ports.iter().enumerate() {
        for earlier in ports.iter().take(at).filter(|earlier| earlier.clashes(later)) {
            let title = format!(
                "[{}] {} and [{}] {} are on one port",
                earlier.section, earlier.key, later.section, later.key
            );
            let first = document.place(earlier.section, earlier.key);
            let second = document.place(later.section, later.key);
            problems.push(
                Problem::new(second, title, format!("port {} again", later.address.port()))
                    .also(&first, "first here")
                    .help("give each its own port"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(transport: Transport, address: &str) -> Port {
        Port::new("feed", "line_a", transport, address.parse().unwrap())
    }

    #[test]
    fn what_clashes() {
        use Transport::{Tcp, Udp};
        let clash = |left: (Transport, &str), right: (Transport, &str)| {
            port(left.0, left.1).clashes(&port(right.0, right.1))
        };
        assert!(clash((Udp, "127.0.0.1:1"), (Udp, "127.0.0.1:1")));
        assert!(clash((Udp, "0.0.0.0:1"), (Udp, "127.0.0.1:1")));
        assert!(clash((Udp, "239.0.0.1:1"), (Udp, "127.0.0.1:1")));
        assert!(!clash((Udp, "239.0.0.1:1"), (Udp, "239.0.0.2:1")), "two groups may share a port");
        assert!(!clash((Tcp, "127.0.0.1:1"), (Udp, "127.0.0.1:1")));
        assert!(!clash((Udp, "127.0.0.1:0"), (Udp, "127.0.0.1:0")), "ephemeral");
    }
}
