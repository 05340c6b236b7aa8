//! Market data by FIX: from bytes on a loopback socket to events, without an allocation. The venue
//! at the other end is that of the tests of the feed.

#[path = "../fix_feed/venue.rs"]
#[allow(dead_code)]
mod venue;

use super::{BEGIN, allocations_of};
use engine::pipeline::connector::{Connector, Plan};
use engine::pipeline::fix_connection::{ConnectionParts, SessionHours};
use engine::pipeline::fix_feed::{
    EVENTS_MAX, FIELDS_MAX, FixFeed, MESSAGE_MAX, Manner, NumberStore, Wish,
};
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::looks::Looks;
use engine::pipeline::reconnect::{Pace, Reconnect};
use gateway::market_data::{Settings, UpdateType};
use gateway::session::{Reset, Session, SessionConfig, Store as _};
use market::{Event, Instrument, Nanos, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use venue::Venue;

/// Messages before counting begins, and while it counts: as many as the venue's store holds.
const WARM_UP: u64 = 500;
const COUNTED: u64 = 3_000;
/// Events that each message gives.
const EACH: u64 = 4;
/// Polls before a wait is over; each that found nothing is followed by a pause of a millisecond.
const PATIENCE: usize = 5_000;

struct Rig {
    feed: FixFeed,
    venue: Venue,
    now: Timestamp,
    events: Vec<Event>,
    told: u64,
    /// Allocations of the feed's polls, once they are counted.
    allocations: Option<u64>,
}

impl Rig {
    fn new() -> Rig {
        let venue = Venue::new();
        let config = SessionConfig {
            reset_on_logon: Reset::Always,
            max_message: MESSAGE_MAX,
            max_fields: FIELDS_MAX,
            ..SessionConfig::initiator("US", "VENUE")
        };
        let pace = Pace { first: Nanos::SECOND, longest: Nanos::SECOND };
        let plan = Plan::plain(venue.address().ip().to_string(), venue.address().port());
        let parts = ConnectionParts {
            io: wire::open(wire::Backend::Plain).unwrap().io,
            session: Session::new(config, NumberStore::default()).unwrap(),
            connector: Connector::spawn(plan).unwrap(),
            reconnect: Reconnect::new(pace, 1),
            hours: SessionHours::default(),
            looks: Looks::alone(),
            socket: Arc::default(),
        };
        let manner = Manner {
            definitions: false,
            trades_apart: false,
            every: Nanos::from_millis(1),
            answer_within: Nanos::from_secs(10),
        };
        let wish = Wish {
            settings: Settings::default(),
            depth: Some(10),
            updates: Some(UpdateType::Incremental),
            aggregated: None,
            types: true,
            trades: true,
            definition: 0,
            manner,
            news_reconnects: false,
        };
        let instruments = vec![Instrument::share(0, "TLA"), Instrument::share(1, "TLB")];
        let feed = FixFeed::new(parts, instruments, wish, Arc::new(Lifecycle::default())).unwrap();
        let events = Vec::with_capacity(2 * EVENTS_MAX);
        Rig { feed, venue, now: BEGIN, events, told: 0, allocations: None }
    }

    /// One turn of venue and feed. True if events came.
    fn turn(&mut self) -> bool {
        self.venue.poll(self.now);
        self.events.clear();
        let Rig { feed, events, now, allocations, .. } = self;
        let mut poll = || {
            feed.poll(*now, 2 * EVENTS_MAX, events);
        };
        match allocations {
            Some(count) => *count += allocations_of(poll),
            None => poll(),
        }
        self.told += self.events.len() as u64;
        self.now = self.now.after(Nanos::from_millis(20));
        !self.events.is_empty()
    }

    fn until(&mut self, what: &str, done: impl Fn(&Rig) -> bool) {
        for _ in 0..PATIENCE {
            if done(self) {
                return;
            }
            if !self.turn() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        panic!("{what}: {:?}", self.feed.told());
    }

    /// A message that changes two levels of bids and one of asks, and has a trade.
    fn message(&mut self, number: u64) {
        let (symbol, qty) = (["TLA", "TLB"][(number % 2) as usize], 1 + number % 97);
        // What one adds the next takes off.
        let action = number / 2 % 2 * 2;
        let body = format!(
            "268=4|279=1|269=0|55={symbol}|270=10|271={qty}|279={action}|269=0|55={symbol}|270=9|\
             271=3|279={action}|269=1|55={symbol}|270=12|271={qty}|279=0|269=2|55={symbol}|270=10|\
             271=2|"
        );
        self.venue.say(self.now, "X", &body);
        let wanted = self.told + EACH;
        self.until("events", |rig| rig.told >= wanted);
        assert_eq!(self.told, wanted, "{:?}", self.events);
    }
}

#[test]
fn a_feed_by_fix_does_not_allocate() {
    let mut rig = Rig::new();
    rig.until("requests", |rig| rig.venue.requests("V").len() == 2);
    for symbol in ["TLA", "TLB"] {
        let body = format!("262=1|55={symbol}|268=2|269=0|270=10|271=5|269=1|270=11|271=7|");
        rig.venue.say(rig.now, "W", &body);
    }
    rig.until("books", |rig| rig.feed.whole() == (2, 2));
    (0..WARM_UP).for_each(|number| rig.message(number));
    let begun = rig.told;
    let sent = rig.feed.session().store().next_outgoing();
    rig.allocations = Some(0);
    (WARM_UP..WARM_UP + COUNTED).for_each(|number| rig.message(number));
    assert_eq!(rig.allocations, Some(0));
    assert_eq!(rig.told - begun, EACH * COUNTED);
    assert_eq!((rig.feed.whole(), rig.venue.requests("V").len()), ((2, 2), 2));
    // Time went on: our heartbeats are in it.
    assert!(rig.feed.session().store().next_outgoing() > sent);
}
