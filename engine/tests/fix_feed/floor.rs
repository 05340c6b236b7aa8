//! A feed by FIX and the venue that it asks, over a loopback socket, polled by hand in virtual time;
//! its events in books as the loop keeps them.

use crate::venue::Venue;
use engine::pipeline::connector::{Connector, Plan};
use engine::pipeline::fix_connection::{ConnectionParts, SessionHours};
use engine::pipeline::fix_feed::{
    EVENTS_MAX, FIELDS_MAX, FixFeed, MESSAGE_MAX, Manner, NumberStore, Wish,
};
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::looks::Looks;
use engine::pipeline::reconnect::{Pace, Reconnect};
use gateway::market_data::{Keyed, Settings, UpdateType};
use gateway::session::{Reset, Session, SessionConfig};
use market::book::{BookLimits, Books};
use market::{
    BookState, BookView, Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, Price, Qty,
    Side, Timestamp,
};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const BEGIN: Timestamp = Timestamp::from_nanos(1_750_000_000_000_000_000);
/// Polls before a wait is over; each is followed by a pause of a millisecond.
const PATIENCE: usize = 5_000;

pub(crate) const TLA: InstrumentId = InstrumentId(0);
pub(crate) const TLB: InstrumentId = InstrumentId(1);

pub(crate) fn wish() -> Wish {
    Wish {
        settings: Settings::default(),
        depth: Some(10),
        updates: Some(UpdateType::Incremental),
        aggregated: None,
        types: true,
        trades: true,
        definition: 0,
        manner: Manner {
            definitions: false,
            trades_apart: false,
            every: Nanos::from_millis(1),
            answer_within: Nanos::from_secs(10),
        },
        news_reconnects: false,
    }
}

pub(crate) struct Floor {
    pub(crate) feed: FixFeed,
    pub(crate) venue: Venue,
    pub(crate) books: Books,
    pub(crate) events: Vec<Event>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) now: Timestamp,
}

impl Floor {
    pub(crate) fn new(wish: Wish) -> Floor {
        let venue = Venue::new();
        let (address, lifecycle) = (venue.address(), Arc::new(Lifecycle::default()));
        let config = SessionConfig {
            reset_on_logon: Reset::Always,
            max_message: MESSAGE_MAX,
            max_fields: FIELDS_MAX,
            ..SessionConfig::initiator("US", "VENUE")
        };
        let pace = Pace { first: Nanos::SECOND, longest: Nanos::SECOND };
        let parts = ConnectionParts {
            io: wire::open(wire::Backend::Plain).unwrap().io,
            session: Session::new(config, NumberStore::default()).unwrap(),
            connector: Connector::spawn(Plan::plain(address.ip().to_string(), address.port()))
                .unwrap(),
            reconnect: Reconnect::new(pace, 1),
            hours: SessionHours::default(),
            looks: Looks::alone(),
            socket: Arc::default(),
        };
        let instruments = vec![Instrument::share(0, "TLA"), Instrument::share(1, "TLB")];
        let feed = FixFeed::new(parts, instruments, wish, lifecycle.clone()).unwrap();
        let by_level = wish.settings.keyed == Keyed::ByLevel;
        let orders = if by_level { 0 } else { 100 };
        let books = Books::new(BookLimits { instruments: 2, orders, levels: 50 });
        Floor { feed, venue, books, events: Vec::new(), lifecycle, now: BEGIN }
    }

    /// With both books asked for and whole, one level a side.
    pub(crate) fn whole() -> Floor {
        let mut floor = Floor::new(wish());
        floor.until("requests", |floor| floor.venue.requests("V").len() == 2);
        for symbol in ["TLA", "TLB"] {
            floor.snapshot(symbol);
        }
        floor.until("books", |floor| floor.feed.whole() == (2, 2));
        floor
    }

    /// The venue sends a snapshot of one level a side.
    pub(crate) fn snapshot(&mut self, symbol: &str) {
        let body = format!("262=1|55={symbol}|268=2|269=0|270=10|271=5|269=1|270=11|271=7|");
        self.say("W", &body);
    }

    pub(crate) fn say(&mut self, kind: &str, body: &str) {
        self.venue.say(self.now, kind, body);
    }

    /// One turn of venue and feed.
    pub(crate) fn turn(&mut self) {
        self.venue.poll(self.now);
        let mut events = Vec::new();
        self.feed.poll(self.now, 2 * EVENTS_MAX, &mut events);
        for event in &events {
            assert_eq!(self.books.apply(event).contradiction, None, "{event:?}");
        }
        if let Some(last) = events.last() {
            let whole = last.flags.has(EventFlags::LAST);
            assert!(whole || last.flags.has(EventFlags::SNAPSHOT), "{last:?}");
        }
        self.events.extend(events);
        self.now = self.now.after(Nanos::from_millis(1));
    }

    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, done: impl Fn(&Floor) -> bool) {
        for _ in 0..PATIENCE {
            if done(self) {
                return;
            }
            self.turn();
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("{what}: {:?}, heard {:?}", self.feed.told(), self.venue.heard());
    }

    /// Lets time pass at once.
    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Nanos::from_secs(seconds));
    }

    pub(crate) fn state(&self, id: InstrumentId) -> BookState {
        self.books.book(id).state()
    }

    /// Levels of a side, the best first.
    pub(crate) fn levels(&self, id: InstrumentId, side: Side) -> Vec<(Price, Qty)> {
        let book = self.books.book(id);
        let levels = (0..book.depth(side)).filter_map(|depth| book.level(side, depth));
        levels.map(|level| (level.price, level.qty)).collect()
    }

    pub(crate) fn kinds(&self) -> Vec<EventKind> {
        self.events.iter().filter_map(Event::kind).collect()
    }
}

/// Whole units of price and quantity.
pub(crate) fn level(price: i64, qty: i64) -> (Price, Qty) {
    (Price::from_raw(price * 1_000_000_000), Qty::from_raw(qty))
}
