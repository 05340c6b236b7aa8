//! The feed stage: what a live feed receives in, events into the ring `feed_trading`.
//!
//! It receives only while the ring has room for the largest packet's events; what the kernel
//! then drops shows as a gap and is recovered like any other.

use crate::latency::{Hop, Recorder};
use crate::pipeline::fix_feed;
use crate::pipeline::live_feed::{LiveFeed, Progress};
use crate::pipeline::telemetry::{FeedSnapshot, Outbox};
use crate::runtime::did::{Act, Did};
use crate::runtime::ring::Producer;
use crate::runtime::stage::{Stage, Work};
use feeds::Feed;
use market::{Event, EventFlags, Sink, Timestamp};
use wire::Io;

/// Packets' worth of events that one poll may bring.
const PACKETS: usize = 4;
/// Depth of the ring `feed_trading`: room for several polls.
pub const RING_DEPTH: usize = 16 * Feed::EVENTS_MAX;

const _: () = assert!(RING_DEPTH >= 2 * fix_feed::EVENTS_MAX);

/// Feed handler of one feed.
pub struct FeedStage {
    io: Box<dyn Io>,
    feed: LiveFeed,
    sink: RingSink,
    troubles: FeedTroubles,
    did: Did,
    /// What the feed had done at the end of the last poll that worked.
    before: Progress,
    /// The sockets have not been found empty since a datagram brought events.
    behind: bool,
    waited: u64,
    outbox: Outbox<FeedSnapshot>,
}

/// What should not happen to a feed stage, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedTroubles {
    /// Errors of sockets.
    pub socket_errors: u64,
    /// Events that the ring refused although it had promised room.
    pub refused: u64,
}

struct RingSink {
    ring: Producer<Event>,
    recorder: Recorder,
    refused: u64,
}

impl Sink for RingSink {
    fn event(&mut self, mut event: Event) {
        // One stamp a packet: that of its last event.
        if event.flags.has(EventFlags::LAST) && event.received != 0 {
            let now = wire::stamp::now();
            let ticks = now.saturating_sub(event.received);
            event.decoded = u32::try_from(ticks).unwrap_or(u32::MAX);
            self.recorder.record(Hop::Decoded, event.received, now);
        }
        if self.ring.push(event).is_err() {
            self.refused += 1;
        }
    }
}

impl FeedStage {
    /// A stage over a feed and its sockets.
    #[must_use]
    pub fn new(
        io: Box<dyn Io>,
        feed: impl Into<LiveFeed>,
        ring: Producer<Event>,
        recorder: Recorder,
        outbox: Outbox<FeedSnapshot>,
    ) -> FeedStage {
        let sink = RingSink { ring, recorder, refused: 0 };
        let (troubles, did) = (FeedTroubles::default(), Did::default());
        FeedStage {
            io,
            feed: feed.into(),
            sink,
            troubles,
            did,
            before: Progress::default(),
            behind: false,
            waited: 0,
            outbox,
        }
    }

    /// The feed, for its counters.
    #[must_use]
    pub fn feed(&self) -> &LiveFeed {
        &self.feed
    }

    /// What should not have happened.
    #[must_use]
    pub fn troubles(&self) -> FeedTroubles {
        FeedTroubles { refused: self.sink.refused, ..self.troubles }
    }

    /// Events that came while the engine was at work on earlier ones: those read since the sockets
    /// were last found empty, but for the first datagram's.
    #[must_use]
    pub fn waited(&self) -> u64 {
        self.waited
    }

    /// The recorder, for the end of a run.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.sink.recorder
    }

    /// Notes what a poll that worked did.
    fn note(&mut self) {
        let now = self.feed.progress();
        let before = std::mem::replace(&mut self.before, now);
        let since = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
        self.did.add(Act::Datagrams, since(now.received, before.received));
        let came = since(now.events, before.events);
        self.did.add(Act::Events, came);
        self.waited += if self.behind { came as u64 } else { 0 };
        self.behind |= came > 0;
        self.did.mark(Act::Request, now.requests != before.requests);
    }

    fn room(&self) -> usize {
        let most = self.feed.events_max();
        let has = |packets| self.sink.ring.has_room(packets * most);
        if has(PACKETS) {
            PACKETS * most
        } else if has(1) {
            most
        } else {
            0
        }
    }
}

impl Stage for FeedStage {
    fn name(&self) -> &'static str {
        "feed"
    }

    fn poll(&mut self, now: Timestamp) -> Work {
        self.did = Did::default();
        let room = self.room();
        if room == 0 {
            return Work::BackPressured;
        }
        let FeedStage { io, feed, sink, troubles, .. } = self;
        let mut arrivals = [(0u64, 0u64); PACKETS];
        let mut count = 0;
        let worked = feed.poll(io.as_mut(), now, room, sink, |datagram| {
            if let (Some(kernel), Some(place)) = (datagram.kernel_time, arrivals.get_mut(count)) {
                *place = (kernel, datagram.received);
                count += 1;
            }
        });
        for &(kernel, received) in &arrivals[..count] {
            sink.recorder.record_from_utc(Hop::Recv, kernel, received);
        }
        match worked {
            Ok(true) => {
                self.note();
                Work::Busy
            }
            Ok(false) => {
                self.behind = false;
                Work::Idle
            }
            Err(_) => {
                troubles.socket_errors += 1;
                Work::Idle
            }
        }
    }

    fn did(&self) -> Did {
        self.did
    }

    fn housekeeping(&mut self, now: Timestamp) {
        let (feed, troubles, waited) = (&self.feed, self.troubles(), self.waited);
        self.outbox.offer(|snapshot| {
            snapshot.fill(now, feed, troubles);
            snapshot.waited = waited;
        });
        while let Some((kernel, received)) = self.feed.next_arrival() {
            self.sink.recorder.record_from_utc(Hop::Recv, kernel, received);
        }
        self.sink.recorder.hand_over();
    }

    fn is_done(&self) -> bool {
        // With nobody to take events there is no leave to take.
        self.feed.is_done() || self.room() == 0
    }

    fn as_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}
