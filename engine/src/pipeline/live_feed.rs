//! The live feeds that a run can have, behind one face: the feed stage polls it and asks what it did.
//!
//! Each protocol is a variant; what it decides and how its sockets are read is its own room's. Nothing
//! here waits or allocates.

use crate::pipeline::telemetry::FeedSnapshot;
use feeds::{Feed, UdpFeed};
use market::{Instrument, SideEntry, Sink, Timestamp};
use std::io;
use wire::Io;

/// Where a run's market data comes from.
pub enum LiveFeed {
    /// ITCH 5.0 in MoldUDP64 packets.
    MoldUdp64(Box<UdpFeed>),
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

impl LiveFeed {
    /// Most events that one thing received can give.
    #[must_use]
    pub fn events_max(&self) -> usize {
        match self {
            LiveFeed::MoldUdp64(_) => Feed::EVENTS_MAX,
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
        }
    }

    /// From now on it also gives what no event can hold, by [`LiveFeed::take_entries`]; events of
    /// kind `Entry` name their slots. For whoever records: it allocates.
    pub fn keep_entries(&mut self, instruments: &[Instrument]) {
        match self {
            LiveFeed::MoldUdp64(feed) => feed.feed_mut().keep_entries(instruments),
        }
    }

    /// The entries that came since this was asked last, in order of their slots.
    pub fn take_entries(&mut self) -> Vec<SideEntry> {
        match self {
            LiveFeed::MoldUdp64(feed) => feed.feed_mut().take_entries(),
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
        }
    }

    /// Tells the snapshot what it has seen.
    pub fn tell(&self, snapshot: &mut FeedSnapshot) {
        match self {
            LiveFeed::MoldUdp64(feed) => snapshot.tell_moldudp64(feed.feed()),
        }
    }

    /// The feed of MoldUDP64, if it is one: for its counters and state.
    #[must_use]
    pub fn moldudp64(&self) -> Option<&Feed> {
        match self {
            LiveFeed::MoldUdp64(feed) => Some(feed.feed()),
        }
    }
}
