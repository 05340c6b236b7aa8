//! Market data by FIX: a session of its own, what it asks for, and what it hears as events.
//!
//! It must never wait, never let a book count as whole of which a message is missing, and never ask
//! more often than the venue allows.

mod desk;
mod numbers;
mod wanted;

use crate::pipeline::fix_connection::{ConnectionCounters, ConnectionParts, FixConnection};
use crate::pipeline::lifecycle::Lifecycle;
use crate::runtime::did::Did;
use desk::{Counted, Desk, Open};
use gateway::fix::Encoder;
use gateway::fix::tags::msg;
use gateway::market_data::{
    Books, EntryType, ListRequest, Request, Settings, Subscription, UpdateType,
};
use gateway::orders::{Instruments, InstrumentsError};
use gateway::session::{Session, State};
use market::{Instrument, Sink, Timestamp};
use std::sync::Arc;
use wanted::{Ask, Next, Wanted};

pub use numbers::NumberStore;
pub use wanted::Manner;

/// Longest message of a venue: a snapshot of some six hundred levels a side.
pub const MESSAGE_MAX: usize = 96 * 1024;
/// Most fields of one.
pub const FIELDS_MAX: usize = 4_096;
/// Most events that one message gives, with what its session's end says behind it.
pub const EVENTS_MAX: usize = FIELDS_MAX + 3;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// How its answers are read.
    pub settings: Settings,
    /// MarketDepth (264).
    pub depth: Option<u32>,
    /// MDUpdateType (265).
    pub updates: Option<UpdateType>,
    /// AggregatedBook (266).
    pub aggregated: Option<bool>,
    /// Entry types (267, 269) are sent at all.
    pub types: bool,
    /// Trades come with the book.
    pub trades: bool,
    /// SecurityListRequestType (559) of a definition.
    pub definition: u32,
    /// In which order, and how fast.
    pub manner: Manner,
    /// News (B) announces that the venue closes the connection.
    pub news_reconnects: bool,
}

/// What happened, beside what the books count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FixFeedCounters {
    /// Requests made.
    pub requests: u64,
    /// Requests refused.
    pub refused: u64,
    /// Instruments that the venue has otherwise.
    pub barred: u64,
    /// Messages that the session refused.
    pub faulty: u64,
    /// Messages that are nothing to us.
    pub other: u64,
}

/// The feed.
pub struct FixFeed {
    connection: FixConnection<NumberStore>,
    desk: Desk,
    wish: Wish,
    lifecycle: Arc<Lifecycle>,
    /// Messages of the session were missing at the last poll.
    missing: bool,
    /// Logged out for good.
    left: bool,
}

impl FixFeed {
    /// A feed that connects at its first poll.
    ///
    /// # Errors
    /// Instruments that cannot be spoken of in FIX.
    pub fn new(
        connection: ConnectionParts<NumberStore>,
        instruments: Vec<Instrument>,
        wish: Wish,
        lifecycle: Arc<Lifecycle>,
    ) -> Result<FixFeed, InstrumentsError> {
        let desk = Desk {
            books: Books::new(Instruments::new(&instruments)?, wish.settings),
            wanted: Wanted::new(instruments.len(), wish.manner),
            instruments,
            counters: FixFeedCounters::default(),
            said: None,
            headline: None,
            leaving: false,
        };
        let connection = FixConnection::new(connection);
        Ok(FixFeed { connection, desk, wish, lifecycle, missing: false, left: false })
    }

    /// Does what there is to do; `room` is how many events `sink` can take. True if anything was done.
    pub fn poll(&mut self, now: Timestamp, room: usize, sink: &mut impl Sink) -> bool {
        if room < EVENTS_MAX {
            return false;
        }
        let FixFeed { connection, desk, lifecycle, .. } = self;
        let mut did = Did::default();
        desk.leaving = lifecycle.is_quiet();
        let mut app = Open { desk, sink: Counted { sink, room } };
        if app.desk.leaving {
            self.left = connection.leave(now, &mut app, &mut did);
        }
        let mut worked = !connection.is_linked() && connection.connect(now, &mut app, &mut did);
        let read = connection.read(now, &mut app, &mut did);
        // What is missing may have been of any instrument; and what is sent again is the past.
        let missing = connection.session().is_recovering();
        if missing | std::mem::replace(&mut self.missing, missing) {
            app.desk.books.missed(now, &mut app.sink);
        }
        match read.and_then(|read| Ok(connection.tend(now, &mut did)? | read)) {
            Ok(did) => worked |= did,
            Err(why) => {
                connection.end(now, &why, &mut app, &mut did);
                worked = true;
            }
        }
        self.note(now);
        worked | self.ask(now)
    }

    /// As [`FixConnection::next_arrival`].
    pub fn next_arrival(&mut self) -> Option<(u64, u64)> {
        self.connection.next_arrival()
    }

    /// What was heard, for the operator.
    fn note(&mut self, now: Timestamp) {
        if let Some((what, text)) = self.desk.said.take() {
            self.connection.note(what, &text);
        }
        if let Some(headline) = self.desk.headline.take() {
            self.connection.heed_news(now, &headline, self.wish.news_reconnects);
        }
    }

    /// Makes the next request, if one is due.
    fn ask(&mut self, now: Timestamp) -> bool {
        let Desk { books, wanted, .. } = &mut self.desk;
        let Some(next) = wanted.next(now, |place| books.is_whole(place)) else { return false };
        let Some(seq) = self.send(now, next) else { return false };
        self.connection.flush();
        self.desk.wanted.asked(now, next, seq);
        self.desk.counters.requests += 1;
        true
    }

    /// Sends it; `None` if the session does not take it now.
    fn send(&mut self, now: Timestamp, next: Next) -> Option<u64> {
        let instrument = self.desk.instruments.get(next.place)?.id;
        let (wish, table) = (self.wish, self.desk.books.instruments());
        let (session, out) = self.connection.sending();
        if next.ask == Ask::Definition {
            let list = ListRequest { id: next.id, kind: wish.definition, instrument };
            let write = |encoder: &mut Encoder<'_>| list.encode(table, encoder);
            return session.send(now, out, msg::SECURITY_LIST_REQUEST, write).ok();
        }
        let entries: &[EntryType] = match next.ask {
            _ if !wish.types => &[],
            Ask::Trades => &[EntryType::Trade],
            _ if wish.trades => &[EntryType::Bid, EntryType::Offer, EntryType::Trade],
            _ => &[EntryType::Bid, EntryType::Offer],
        };
        let request = Request {
            id: next.id,
            subscription: match next.ask {
                Ask::End => Subscription::Unsubscribe,
                _ => Subscription::Subscribe,
            },
            depth: wish.depth,
            updates: wish.updates,
            aggregated: wish.aggregated,
            entries,
            instruments: &[instrument],
        };
        let write = |encoder: &mut Encoder<'_>| request.encode(table, encoder);
        session.send(now, out, msg::MARKET_DATA_REQUEST, write).ok()
    }

    /// The books as far as they were heard, for their counters.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.desk.books
    }

    /// How many instruments have a whole book, and how many there are.
    #[must_use]
    pub fn whole(&self) -> (usize, usize) {
        let count = self.desk.instruments.len();
        ((0..count).filter(|&place| self.desk.books.is_whole(place)).count(), count)
    }

    /// What happened beside.
    #[must_use]
    pub fn counters(&self) -> FixFeedCounters {
        self.desk.counters
    }

    /// Where the session stands, counts of its connections, and what was last said of it.
    #[must_use]
    pub fn told(&self) -> (State, ConnectionCounters, &str) {
        let (counters, text) = self.connection.told();
        (self.connection.session().state(), counters, text)
    }

    /// The session, for its counters.
    #[must_use]
    pub fn session(&self) -> &Session<NumberStore> {
        self.connection.session()
    }

    /// Logged out for good, at the end of a run.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.left
    }
}
