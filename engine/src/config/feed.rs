//! Market data in: what the protocol of `[feed]` needs, and what people read of it.

use super::choice::{ClockSource, Protocol, Start};
use super::document::Document;
use super::instruments::{self, Listing};
use super::ports::{Port, Transport};
use super::problem::{Problem, Problems};
use super::sections::{ClockConfig, FeedConfig, SoupBinTcpConfig};
use super::special::Endpoint;
use super::websocket::WebsocketFeedConfig;

impl FeedConfig {
    /// How many lines bring the same packets.
    #[must_use]
    pub fn lines(&self) -> usize {
        [self.line_a, self.line_b].iter().flatten().count()
    }

    /// Where market data comes from, for people, and what becomes of a gap.
    #[must_use]
    pub fn describe(&self, tcp: &SoupBinTcpConfig, websocket: &WebsocketFeedConfig) -> String {
        match self.protocol {
            Protocol::Itch50MoldUdp64 => {
                let lines: Vec<_> =
                    [self.line_a, self.line_b].iter().flatten().map(ToString::to_string).collect();
                let server = self.retransmit.map(|at| format!(", retransmission from {at}"));
                let last = self.glimpse.as_ref().map(|at| format!(", snapshots from {at}"));
                let none = server.is_none() && last.is_none();
                let none = none.then_some(", a gap is lost");
                let parts =
                    [server.as_deref(), last.as_deref(), none].map(Option::unwrap_or_default);
                format!("{}{}", lines.join(" and "), parts.concat())
            }
            Protocol::Itch50SoupBinTcp => {
                let address = tcp.address.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{address} by TCP, which fills what was missed when it connects again")
            }
            Protocol::Fix => "a FIX session".to_owned(),
            protocol => websocket.describe(protocol),
        }
    }

    /// Addresses of ours that must differ from others.
    pub(crate) fn ports(&self) -> Vec<Port> {
        let line_a = self.line_a.map(|a| Port::new("feed", "line_a", Transport::Udp, a.into()));
        let line_b = self.line_b.map(|b| Port::new("feed", "line_b", Transport::Udp, b.into()));
        let server = self.retransmit;
        let server = server.map(|s| Port::new("feed", "retransmit", Transport::Udp, s));
        let glimpse = self.glimpse.as_ref().and_then(Endpoint::to_socket_addr);
        let glimpse = glimpse.map(|at| Port::new("feed", "glimpse", Transport::Tcp, at));
        [line_a, line_b, server, glimpse].into_iter().flatten().collect()
    }
}

/// The protocol has what it needs, and the instruments fit it.
pub(crate) fn check(
    document: &Document<'_>,
    (feed, tcp, clock): (&FeedConfig, &SoupBinTcpConfig, &ClockConfig),
    listing: &Listing,
    problems: &mut Problems,
) {
    let mut refuse = |(section, key): (&str, &str), title: String, label: &str, help: &str| {
        let place = document.place(section, key);
        problems.push(Problem::new(place, title, label).help(help));
    };
    match feed.protocol {
        Protocol::Itch50MoldUdp64 => {
            let needed = [
                ("line_a", feed.line_a.is_none(), "239.192.77.1:31001"),
                ("interface", feed.interface.is_none(), "127.0.0.1"),
            ];
            for (key, _, sample) in needed.into_iter().filter(|(_, missing, _)| *missing) {
                let title = format!("[feed] {key} is missing: {} comes by it", feed.protocol);
                let help = format!("add, for example, {key} = \"{sample}\"");
                refuse(("feed", "protocol"), title, &format!("needs {key}"), &help);
            }
            if feed.start == Start::Snapshot && feed.glimpse.is_none() {
                let title = "[feed] glimpse is missing: a start at a snapshot takes one".to_owned();
                let help = "name the venue's GLIMPSE server, such as glimpse = \"127.0.0.1:31004\"";
                refuse(("feed", "start"), title, "needs glimpse", help);
            }
        }
        Protocol::Itch50SoupBinTcp => {
            if tcp.address.is_none() {
                let title =
                    format!("[soupbintcp] address is missing: {} comes from it", feed.protocol);
                let help = "add, for example, address = \"127.0.0.1:31005\" under [soupbintcp]";
                refuse(("feed", "protocol"), title, "needs [soupbintcp] address", help);
            }
            if feed.glimpse.is_some() || feed.start == Start::Snapshot {
                let key = if feed.glimpse.is_some() { "glimpse" } else { "start" };
                let title = format!("[feed] {key}: {} takes no snapshots", feed.protocol);
                let help = "remove it: the server fills a gap itself";
                refuse(("feed", key), title, "of no use here", help);
            }
            if clock.source == ClockSource::Feed {
                let title = format!("[clock] source: {} cannot be stepped", feed.protocol);
                let help = "take \"tsc\", or protocol = \"itch50-moldudp64\"";
                refuse(("clock", "source"), title, "needs the packets of MoldUDP64", help);
            }
        }
        // Judged with their own sections.
        Protocol::Fix
        | Protocol::BinanceWebsocket
        | Protocol::CoinbaseWebsocket
        | Protocol::KrakenWebsocket => {}
    }
    if matches!(feed.protocol, Protocol::Itch50MoldUdp64 | Protocol::Itch50SoupBinTcp) {
        instruments::check_itch(listing, problems);
    }
}
