//! Market data in: what the protocol of `[feed]` needs, and what people read of it.

use super::choice::Protocol;
use super::document::Document;
use super::instruments::{self, Listing};
use super::ports::{Port, Transport};
use super::problem::{Problem, Problems};
use super::sections::FeedConfig;

impl FeedConfig {
    /// How many lines bring the same packets.
    #[must_use]
    pub fn lines(&self) -> usize {
        [self.line_a, self.line_b].iter().flatten().count()
    }

    /// Where market data comes from, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.protocol {
            Protocol::Itch50MoldUdp64 => {
                let lines: Vec<_> =
                    [self.line_a, self.line_b].iter().flatten().map(ToString::to_string).collect();
                let server = self.retransmit.map(|at| format!(", retransmission from {at}"));
                format!("{}{}", lines.join(" and "), server.unwrap_or_default())
            }
            Protocol::Fix => "a FIX session".to_owned(),
        }
    }

    /// Addresses of ours that must differ from others.
    pub(crate) fn ports(&self) -> Vec<Port> {
        let line_a = self.line_a.map(|a| Port::new("feed", "line_a", Transport::Udp, a.into()));
        let line_b = self.line_b.map(|b| Port::new("feed", "line_b", Transport::Udp, b.into()));
        let server = self.retransmit;
        let server = server.map(|s| Port::new("feed", "retransmit", Transport::Udp, s));
        [line_a, line_b, server].into_iter().flatten().collect()
    }
}

/// The protocol has what it needs, and the instruments fit it.
pub(crate) fn check(
    document: &Document<'_>,
    feed: &FeedConfig,
    listing: &Listing,
    problems: &mut Problems,
) {
    match feed.protocol {
        Protocol::Itch50MoldUdp64 => {
            instruments::check_itch(listing, problems);
            let needed = [
                ("line_a", feed.line_a.is_none(), "239.192.77.1:31001"),
                ("interface", feed.interface.is_none(), "127.0.0.1"),
            ];
            for (key, _, example) in needed.iter().filter(|(_, missing, _)| *missing) {
                let place = document.place("feed", "protocol");
                let title = format!("[feed] {key} is missing: {} comes by it", feed.protocol);
                let help = format!("add, for example, {key} = \"{example}\"");
                problems.push(Problem::new(place, title, format!("needs {key}")).help(help));
            }
        }
        // What it needs stands in sections of its own.
        Protocol::Fix => {}
    }
}
