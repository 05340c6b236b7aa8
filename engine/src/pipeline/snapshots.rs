//! Snapshots for a feed that needs one: the client of GLIMPSE over its connection.
//!
//! Nothing is done here while nothing is missing. It never waits.

use crate::pipeline::connector::Connector;
use crate::pipeline::stream_link::{News, StreamLink};
use feeds::Feed;
use feeds::glimpse::{Failure, Glimpse, GlimpseCounters, Settings, Want};
use feeds::soupbintcp::PACKET_MAX;
use market::{Sink, Timestamp};
use wire::Io;

/// Bytes of a snapshot that wait to be taken: many packets.
const RECEIVE_BYTES: usize = 4 * PACKET_MAX;
/// Longest thing that is ever sent.
const OUT_BYTES: usize = 256;
/// Room for the events of a few messages and of what ends a snapshot.
const ROOM_MIN: usize = Feed::EVENTS_MAX + 16;

/// The client and its connection.
pub struct Snapshots {
    glimpse: Glimpse,
    link: StreamLink,
    out: Vec<u8>,
    /// A connection is wanted, or there.
    busy: bool,
}

impl Snapshots {
    /// A client that connects by `connector` when a feed needs a snapshot.
    #[must_use]
    pub fn new(settings: Settings, connector: Connector) -> Snapshots {
        Snapshots {
            glimpse: Glimpse::new(settings),
            link: StreamLink::new(connector, RECEIVE_BYTES),
            out: Vec::with_capacity(OUT_BYTES),
            busy: false,
        }
    }

    /// What came of the tries.
    #[must_use]
    pub fn counters(&self) -> &GlimpseCounters {
        self.glimpse.counters()
    }

    /// Why the last try failed.
    #[must_use]
    pub fn last_failure(&self) -> Option<Failure> {
        self.glimpse.last_failure()
    }

    /// True if there is something to do for `feed`: [`poll`](Self::poll) needs room then.
    #[inline]
    #[must_use]
    pub fn has_work(&self, feed: &Feed) -> bool {
        self.busy || feed.awaits_snapshot() || !self.glimpse.is_at_rest()
    }

    /// Does what there is to do; `room` is how many events `sink` takes, at least
    /// [`Feed::EVENTS_MAX`]. True if anything was done.
    pub fn poll(
        &mut self,
        feed: &mut Feed,
        io: &mut dyn Io,
        now: Timestamp,
        room: usize,
        sink: &mut impl Sink,
    ) -> bool {
        let want = self.glimpse.poll(feed, now, &mut self.out, sink);
        let mut worked = self.obey(want, io);
        // Without room for a message nothing is received: an end would be told too early.
        if !self.busy || room < ROOM_MIN {
            return worked;
        }
        let news = self.link.poll(io);
        if news == News::Connected {
            self.glimpse.connected(feed, now, &mut self.out);
            worked = true;
        }
        let Snapshots { glimpse, link, out, .. } = self;
        let given = (link.bytes(), link.received());
        let (took, want) = glimpse.received(feed, given, (now, room), (out, sink));
        link.consume(took);
        worked |= took > 0;
        worked |= self.obey(want, io);
        // What came before the end is taken first.
        if news == News::Ended && took == 0 {
            self.glimpse.disconnected(now);
            worked |= self.obey(Want::Close, io);
        }
        self.link.send(io, &mut self.out);
        worked
    }

    fn obey(&mut self, want: Want, io: &mut dyn Io) -> bool {
        match want {
            Want::Nothing => return false,
            Want::Connect => {
                self.busy = true;
                self.link.connect();
            }
            Want::Close => {
                self.busy = false;
                self.link.send(io, &mut self.out);
                self.link.close(io);
            }
        }
        true
    }
}
