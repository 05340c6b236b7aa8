//! The live feeds that a run can have, behind one face: the feed stage polls it and asks what it did.
//!
//! Each protocol is a variant; what it decides and how its sockets are read is its own room's. Nothing
//! here waits or allocates.

use crate::pipeline::fix_feed::{self, FixFeed};
use crate::pipeline::snapshots::Snapshots;
use crate::pipeline::stream_feed::StreamFeed;
use crate::pipeline::telemetry::FeedSnapshot;
use crate::pipeline::websocket_feed::WebsocketFeed;
use feeds::{Feed, ItchStream, UdpFeed};
use market::{Instrument, SideEntry, Sink, Timestamp};
use std::io;
use wire::Io;

/// Room that a websocket asks for.
const WEBSOCKET_EVENTS: usize = 256;

/// Where a run's market data comes from.
pub enum LiveFeed {
    /// ITCH 5.0 in MoldUDP64 packets, and snapshots where they are to be had.
    MoldUdp64(Box<UdpFeed>, Option<Box<Snapshots>>),
    /// ITCH 5.0 over SoupBinTCP.
    SoupBinTcp(Box<StreamFeed>),
    /// FIX, in a session of its own.
    Fix(Box<FixFeed>),
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
    /// Requests sent for what was missing, tries of snapshots included.
    pub requests: u64,
}

impl From<UdpFeed> for LiveFeed {
    fn from(feed: UdpFeed) -> Self {
        LiveFeed::MoldUdp64(Box::new(feed), None)
    }
}

impl From<StreamFeed> for LiveFeed {
    fn from(feed: StreamFeed) -> Self {
        LiveFeed::SoupBinTcp(Box::new(feed))
    }
}

impl From<FixFeed> for LiveFeed {
    fn from(feed: FixFeed) -> Self {
        LiveFeed::Fix(Box::new(feed))
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
            // Lines and snapshot go on side by side.
            LiveFeed::MoldUdp64(_, Some(_)) => 2 * Feed::EVENTS_MAX,
            LiveFeed::MoldUdp64(_, None) => Feed::EVENTS_MAX,
            LiveFeed::SoupBinTcp(_) => ItchStream::EVENTS_MIN,
            LiveFeed::Fix(_) => fix_feed::EVENTS_MAX,
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
            LiveFeed::MoldUdp64(feed, Some(snapshots)) if snapshots.has_work(feed.feed()) => {
                let half = room / 2;
                let worked = snapshots.poll(feed.feed_mut(), io, now, half, sink);
                Ok(feed.poll(io, now, half, sink, heard)? | worked)
            }
            LiveFeed::MoldUdp64(feed, _) => feed.poll(io, now, room, sink, heard),
            LiveFeed::SoupBinTcp(feed) => Ok(feed.poll(io, now, room, sink)),
            LiveFeed::Fix(feed) => Ok(feed.poll(now, room, sink)),
            LiveFeed::Websocket(feed) => Ok(feed.poll(io, now, room, sink)),
        }
    }

    /// When the kernel got what one read of a FIX session brought (nanoseconds since 1970 UTC), and the
    /// raw stamp of that read, taken out one at a time. Other feeds have none.
    pub fn next_arrival(&mut self) -> Option<(u64, u64)> {
        match self {
            LiveFeed::Fix(feed) => feed.next_arrival(),
            LiveFeed::MoldUdp64(..) | LiveFeed::SoupBinTcp(_) | LiveFeed::Websocket(_) => None,
        }
    }

    /// From now on it also gives what no event can hold, by [`LiveFeed::take_entries`]; events of
    /// kind `Entry` name their slots. For whoever records: it allocates. Only MoldUDP64 gives any.
    pub fn keep_entries(&mut self, instruments: &[Instrument]) {
        match self {
            LiveFeed::MoldUdp64(feed, _) => feed.feed_mut().keep_entries(instruments),
            LiveFeed::SoupBinTcp(_) | LiveFeed::Fix(_) | LiveFeed::Websocket(_) => {}
        }
    }

    /// The entries that came since this was asked last, in order of their slots.
    pub fn take_entries(&mut self) -> Vec<SideEntry> {
        match self {
            LiveFeed::MoldUdp64(feed, _) => feed.feed_mut().take_entries(),
            LiveFeed::SoupBinTcp(_) | LiveFeed::Fix(_) | LiveFeed::Websocket(_) => Vec::new(),
        }
    }

    /// What it has done.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match self {
            LiveFeed::MoldUdp64(feed, snapshots) => {
                let (feed, counters) = (feed.feed(), feed.feed().receiver().counters());
                let lines = counters.live.iter().chain([&counters.retransmission]);
                let taken = snapshots.as_ref().map(|snapshots| *snapshots.counters());
                let taken = taken.unwrap_or_default();
                Progress {
                    received: lines.map(|line| line.datagrams).sum::<u64>() + taken.messages,
                    events: feed.decoder().counters().events,
                    requests: counters.requests + taken.tries,
                }
            }
            LiveFeed::SoupBinTcp(feed) => {
                let stream = feed.stream();
                let client = stream.client().counters();
                let (received, requests) = (client.packets, client.logins);
                Progress { received, events: stream.decoder().counters().events, requests }
            }
            LiveFeed::Fix(feed) => {
                let counters = feed.books().counters();
                Progress {
                    received: counters.messages,
                    events: counters.events,
                    requests: feed.counters().requests,
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
            LiveFeed::MoldUdp64(feed, snapshots) => {
                let taken = snapshots.as_ref().map(|snapshots| *snapshots.counters());
                snapshot.tell_moldudp64(feed.feed(), taken.unwrap_or_default());
                let failure = snapshots.as_ref().and_then(|snapshots| snapshots.last_failure());
                snapshot.tell_trouble(failure);
            }
            LiveFeed::SoupBinTcp(feed) => {
                snapshot.tell_soupbintcp(feed.stream());
                snapshot.tell_trouble(feed.stream().last_trouble());
            }
            LiveFeed::Fix(feed) => snapshot.tell_fix(feed),
            LiveFeed::Websocket(feed) => snapshot.tell_websocket(feed.feed()),
        }
    }

    /// What went wrong last, for people; empty if nothing did. It stands when all is well again.
    #[must_use]
    pub fn problem(&self) -> String {
        let told = match self {
            LiveFeed::MoldUdp64(_, snapshots) => {
                let failure = snapshots.as_ref().and_then(|snapshots| snapshots.last_failure());
                failure.map(|failure| failure.to_string())
            }
            LiveFeed::SoupBinTcp(feed) => {
                feed.stream().last_trouble().map(|trouble| trouble.to_string())
            }
            LiveFeed::Fix(feed) => Some(feed.told().2.to_owned()),
            LiveFeed::Websocket(feed) => Some(feed.feed().problem().to_owned()),
        };
        told.unwrap_or_default()
    }

    /// The feed of MoldUDP64, if it is one: for its counters and state.
    #[must_use]
    pub fn moldudp64(&self) -> Option<&Feed> {
        match self {
            LiveFeed::MoldUdp64(feed, _) => Some(feed.feed()),
            LiveFeed::SoupBinTcp(_) | LiveFeed::Fix(_) | LiveFeed::Websocket(_) => None,
        }
    }

    /// At the end of a run: it has nothing to take leave of any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            LiveFeed::MoldUdp64(..) | LiveFeed::SoupBinTcp(_) | LiveFeed::Websocket(_) => true,
            LiveFeed::Fix(feed) => feed.has_left(),
        }
    }
}
