//! The live feeds that a run can have, behind one face: the feed stage polls it and asks what it did.
//!
//! Each protocol is a variant; what it decides and how its sockets are read is its own room's. Nothing
//! here waits or allocates.

use crate::pipeline::telemetry::FeedSnapshot;
use crate::pipeline::websocket_feed::WebsocketFeed;
use feeds::{Feed, UdpFeed};
use market::{Sink, Timestamp};
use std::io;
use wire::Io;

/// Room that a websocket asks for.
const WEBSOCKET_EVENTS: usize = 256;

/// Where a run's market data comes from.
pub enum LiveFeed {
    /// ITCH 5.0 in MoldUDP64 packets.
    MoldUdp64(Box<UdpFeed>),
    /// A crypto venue's websocket.
    Websocket(Box<WebsocketFeed>),
}

/// What a feed has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Datagrams or messages received, bad ones included.
    pub received: u64,
    /// Events given on.
    pub events: u64,
    /// Requests sent for what was missing.
    pub requests: u64,
}

impl From<UdpFeed> for LiveFeed {
    fn from(feed: UdpFeed) -> Self {
        LiveFeed::MoldUdp64(Box::new(feed))
    }
}

impl From<WebsocketFeed> for LiveFeed {
    fn from(feed: WebsocketFeed) -> Self {
        LiveFeed::Websocket(Box::new(feed))
    }
}

impl LiveFeed {
    /// Room without which nothing is done: the most events that one thing received gives at once.
    #[must_use]
    pub fn events_max(&self) -> usize {
        match self {
            LiveFeed::MoldUdp64(_) => Feed::EVENTS_MAX,
            // What does not fit waits in the feed.
            LiveFeed::Websocket(_) => WEBSOCKET_EVENTS,
        }
    }

    /// Does what there is to do, and never waits: `room` is how many events `sink` can take; below
    /// [`events_max`](Self::events_max) nothing is done. `heard` is told of datagrams whose kernel
    /// time is known. True if anything was done.
    ///
    /// # Errors
    /// What a socket reports; the feed goes on with the others, or connects anew.
    #[inline]
    pub fn poll(
        &mut self,
        io: &mut dyn Io,
        now: Timestamp,
        room: usize,
        sink: &mut impl Sink,
        heard: impl FnMut(&wire::Datagram),
    ) -> io::Result<bool> {
        match self {
            LiveFeed::MoldUdp64(feed) => feed.poll(io, now, room, sink, heard),
            LiveFeed::Websocket(feed) => Ok(feed.poll(io, now, room, sink)),
        }
    }

    /// What it has done.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match self {
            LiveFeed::MoldUdp64(feed) => {
                let (feed, counters) = (feed.feed(), feed.feed().receiver().counters());
                let lines = counters.live.iter().chain([&counters.retransmission]);
                Progress {
                    received: lines.map(|line| line.datagrams).sum(),
                    events: feed.decoder().counters().events,
                    requests: counters.requests,
                }
            }
            LiveFeed::Websocket(feed) => {
                let counters = feed.feed().counters();
                Progress {
                    received: counters.messages,
                    events: counters.events,
                    requests: counters.snapshots,
                }
            }
        }
    }

    /// Tells the snapshot what it has seen.
    pub fn tell(&self, snapshot: &mut FeedSnapshot) {
        match self {
            LiveFeed::MoldUdp64(feed) => snapshot.tell_moldudp64(feed.feed()),
            LiveFeed::Websocket(feed) => snapshot.tell_websocket(feed.feed()),
        }
    }

    /// The feed of MoldUDP64, if it is one: for its counters and state.
    #[must_use]
    pub fn moldudp64(&self) -> Option<&Feed> {
        match self {
            LiveFeed::MoldUdp64(feed) => Some(feed.feed()),
            LiveFeed::Websocket(_) => None,
        }
    }
}
