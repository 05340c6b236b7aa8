//! The engine's end: a feed as a configuration makes it, polled by the test, with the books that its
//! events make.

use crate::venue::{HANGS, Meanwhile, Venue};
use engine::config::RunConfig;
use engine::pipeline::assembly;
use engine::pipeline::websocket_feed::WebsocketFeed;
use feeds::websocket::Counters;
use market::book::{BookLimits, Books};
use market::{
    BookState, BookView, Event, EventFlags, EventKind, InstrumentId, Nanos, Side, Timestamp,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Instant, SystemTime};
use wire::{Backend, Io};

/// Room of the ring at each poll: snapshots come in parts.
const ROOM: usize = 300;

pub(crate) struct Desk {
    feed: WebsocketFeed,
    io: Box<dyn Io>,
    books: Books,
    packet: Vec<Event>,
    /// How far its clock is before the wall's.
    ahead: Nanos,
    /// Kinds of the events about whole books, and trades, as they came.
    pub(crate) told: Vec<EventKind>,
    pub(crate) last: Vec<Event>,
}

/// A configuration of a run with these instruments, protocol and keys of `[websocket]` (and sections
/// behind them).
pub(crate) fn config(dir: &Path, protocol: &str, symbols: &[&str], websocket: &str) -> RunConfig {
    let path = dir.join("run.toml");
    std::fs::write(&path, text(protocol, symbols, websocket)).unwrap();
    RunConfig::load(&path, &BTreeSet::from([0])).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(crate) fn text(protocol: &str, symbols: &[&str], websocket: &str) -> String {
    let instrument = |symbol: &&str| {
        format!(
            "[[instrument]]\nsymbol = \"{symbol}\"\ntick = 0.01\nlot = 0.00001\nqty_digits = 8\n\
             price_max = 1000000\nqty_max = 1000\ncontract = \"linear\"\nbase = \"BTC\"\n\
             quote = \"USD\"\nmaker_fee_bps = 0\ntaker_fee_bps = 0\nreference_price = 60000\n"
        )
    };
    let instruments: String = symbols.iter().map(instrument).collect();
    format!(
        "kind = \"run\"\n{instruments}\n[feed]\nprotocol = \"{protocol}\"\nstale_ms = 600000\n\
         [book]\nlevels = 16384\norders = 1024\n[gateway]\naddress = \"127.0.0.1:1\"\n\
         sender_comp_id = \"A\"\ntarget_comp_id = \"B\"\n\
         [[strategy]]\nname = \"joiner\"\ninstruments = [\"{}\"]\n[strategy.parameters]\nsize = 0.001\n\
         [risk]\nmax_order_qty = 1\nmax_order_value = 100000\nmax_position = 1\n\
         collar_bps = 300\nreference_age_ms = 3000\nmessages_per_second = 100\n\
         messages_burst = 100\norder_ack_timeout_ms = 2000\n\
         [websocket]\nsnapshot_retry_ms = 20\n{websocket}",
        symbols[0]
    )
}

impl Desk {
    /// A desk before a venue; `keys` are of `[websocket]`.
    pub(crate) fn new(venue: &Venue, protocol: &str, symbols: &[&str], keys: &str) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let keys = format!("{keys}\n{}", venue.config(dir.path()));
        Desk::of(&config(dir.path(), protocol, symbols, &keys))
    }

    pub(crate) fn of(config: &RunConfig) -> Desk {
        let instruments = assembly::instruments(&config.trading);
        let feed = WebsocketFeed::new(config.feed.protocol, &config.websocket, &instruments, 1);
        let by_level = config.feed.is_by_level(&config.websocket);
        let orders = if by_level { 0 } else { config.book.orders };
        let (instruments, levels) = (instruments.len(), config.book.levels);
        Desk {
            feed: feed.unwrap(),
            io: wire::open(Backend::Plain).unwrap().io,
            books: Books::new(BookLimits { instruments, orders, levels }),
            packet: Vec::new(),
            ahead: Nanos::ZERO,
            told: Vec::new(),
            last: Vec::new(),
        }
    }

    /// Whole packets become books; nothing may contradict them.
    fn apply(&mut self) {
        let is_last = |event: &Event| event.flags.has(EventFlags::LAST);
        while let Some(end) = self.packet.iter().position(is_last) {
            self.last = self.packet.drain(..=end).collect();
            for event in &self.last {
                let applied = self.books.apply(event);
                assert_eq!(applied.contradiction, None, "{event:?}");
                if !matches!(event.kind(), Some(EventKind::Level | EventKind::Add)) {
                    self.told.extend(event.kind());
                }
            }
        }
    }

    /// Polls until there is an answer.
    pub(crate) fn until<T>(
        &mut self,
        what: &str,
        mut answer: impl FnMut(&mut Desk) -> Option<T>,
    ) -> T {
        let give_up = Instant::now() + HANGS;
        loop {
            self.poll();
            if let Some(answer) = answer(self) {
                return answer;
            }
            assert!(Instant::now() < give_up, "{what}: {}", self.trouble());
        }
    }

    /// Polls until a book is in a state.
    pub(crate) fn until_state(&mut self, id: u32, state: BookState) {
        self.until(&format!("not {state:?}"), |desk| (desk.state(id) == state).then_some(()));
    }

    /// Polls until so many messages were received in all.
    pub(crate) fn until_received(&mut self, messages: u64) {
        let reached = |desk: &mut Desk| (desk.counters().messages >= messages).then_some(());
        self.until("fewer messages", reached);
    }

    /// The time of its clock.
    pub(crate) fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        Timestamp::from_nanos(u64::try_from(now).unwrap()).after(self.ahead)
    }

    /// Its clock leaps.
    pub(crate) fn later(&mut self, span: Nanos) {
        self.ahead = Nanos::new(self.ahead.get() + span.get());
    }

    pub(crate) fn counters(&self) -> Counters {
        *self.feed.feed().counters()
    }

    pub(crate) fn problem(&self) -> String {
        self.feed.feed().problem().to_owned()
    }

    pub(crate) fn open(&self) -> usize {
        self.feed.feed().open()
    }

    pub(crate) fn state(&self, id: u32) -> BookState {
        self.books.book(InstrumentId(id)).state()
    }

    /// Every level of a book, bids first, the best first: price and quantity.
    pub(crate) fn levels(&self, id: u32) -> [Vec<(String, String)>; 2] {
        levels(self.books.book(InstrumentId(id)))
    }
}

impl Meanwhile for Desk {
    fn poll(&mut self) {
        let now = self.now();
        let Desk { feed, io, packet, .. } = self;
        let before = packet.len();
        feed.poll(io.as_mut(), now, ROOM, packet);
        assert!(packet.len() - before <= 2 * ROOM);
        self.apply();
    }

    fn trouble(&self) -> String {
        format!("{}, {:?}", self.problem(), self.counters())
    }
}

/// See [`Desk::levels`].
pub(crate) fn levels(book: &impl BookView) -> [Vec<(String, String)>; 2] {
    Side::BOTH.map(|side| {
        let levels = (0..book.depth(side)).filter_map(|depth| book.level(side, depth));
        levels.map(|one| (one.price.to_string(), one.qty.to_decimal(8).to_string())).collect()
    })
}
