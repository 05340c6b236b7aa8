//! The feed stage: datagrams in, events into the ring `feed_trading`.
//!
//! It reads a datagram only while the ring has room for the largest packet's events; what the kernel
//! then drops shows as a gap and is recovered like any other.

use crate::latency::{Hop, Recorder};
use crate::pipeline::telemetry::{FeedSnapshot, Outbox};
use crate::runtime::ring::Producer;
use crate::runtime::stage::{Stage, Work};
use feeds::{Feed, UdpFeed};
use market::{Event, EventFlags, Sink, Timestamp};
use wire::Io;

/// Packets' worth of events that one poll may bring.
const PACKETS: usize = 4;
/// Depth of the ring `feed_trading`: room for several polls.
pub const RING_DEPTH: usize = 16 * Feed::EVENTS_MAX;

/// Feed handler of one feed.
pub struct FeedStage {
    io: Box<dyn Io>,
    feed: UdpFeed,
    sink: RingSink,
    back_pressured: u64,
    errors: u64,
    outbox: Outbox<FeedSnapshot>,
}

struct RingSink {
    ring: Producer<Event>,
    recorder: Recorder,
    /// Events the ring refused although it had promised room. Always zero.
    lost: u64,
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
            self.lost += 1;
        }
    }
}

impl FeedStage {
    /// A stage over a feed and its sockets.
    #[must_use]
    pub fn new(
        io: Box<dyn Io>,
        feed: UdpFeed,
        ring: Producer<Event>,
        recorder: Recorder,
        outbox: Outbox<FeedSnapshot>,
    ) -> FeedStage {
        let sink = RingSink { ring, recorder, lost: 0 };
        FeedStage { io, feed, sink, back_pressured: 0, errors: 0, outbox }
    }

    /// The feed, for its counters.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        self.feed.feed()
    }

    /// Polls that found the ring full.
    #[must_use]
    pub fn back_pressured(&self) -> u64 {
        self.back_pressured
    }

    /// Errors of sockets.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// The recorder, for the end of a run.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.sink.recorder
    }

    fn room(&self) -> usize {
        let has = |packets| self.sink.ring.has_room(packets * Feed::EVENTS_MAX);
        if has(PACKETS) {
            PACKETS * Feed::EVENTS_MAX
        } else if has(1) {
            Feed::EVENTS_MAX
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
        let room = self.room();
        if room == 0 {
            self.back_pressured += 1;
            return Work::BackPressured;
        }
        let FeedStage { io, feed, sink, errors, .. } = self;
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
            Ok(true) => Work::Busy,
            Ok(false) => Work::Idle,
            Err(_) => {
                *errors += 1;
                Work::Idle
            }
        }
    }

    fn housekeeping(&mut self, now: Timestamp) {
        let feed = self.feed.feed();
        self.outbox.offer(|snapshot| snapshot.fill(now, feed));
        self.sink.recorder.hand_over();
    }

    fn as_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}
