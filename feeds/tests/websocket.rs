//! Live feeds by websocket without a socket: what comes that nobody can read.

use feeds::websocket::{Ask, Channels, Feed, Settings, Which};
use market::book::LevelBooks;
use market::{BookState, BookView, Event, Instrument, InstrumentId, Nanos, Timestamp};

const ONLY: InstrumentId = InstrumentId(0);

struct Desk {
    feed: Feed,
    books: LevelBooks,
    now: Timestamp,
}

impl Desk {
    fn new(which: Which, symbol: &str, book: &str) -> Desk {
        let instrument = Instrument { qty_digits: 8, ..Instrument::share(0, symbol) };
        let channels = Channels { book: book.to_owned(), trades: None };
        let settings = Settings {
            silence: Nanos::from_secs(60),
            renew_after: None,
            overlap: Nanos::SECOND,
            messages: (100, Nanos::SECOND),
            snapshots: (100, Nanos::SECOND),
            snapshot_retry: Nanos::from_millis(10),
        };
        let (feed, mut books) =
            (Feed::new(which, &[instrument], channels, settings), LevelBooks::growing());
        books.admit(ONLY);
        let mut desk = Desk { feed, books, now: Timestamp::from_nanos(1 << 60) };
        desk.poll();
        desk.feed.opening(0);
        desk.feed.opened(0, desk.now);
        desk.poll();
        desk
    }

    fn apply(&mut self, events: &[Event]) {
        events.iter().for_each(|event| assert_eq!(self.books.apply(event).contradiction, None));
    }

    /// Lets a second pass; gives what is to be sent.
    fn poll(&mut self) -> Vec<String> {
        let (mut events, mut sent) = (Vec::new(), Vec::new());
        self.now = self.now.after(Nanos::SECOND);
        while let Some(ask) = self.feed.poll(self.now, &mut events) {
            if let Ask::Send(_, text) = ask {
                sent.push(text);
            }
        }
        self.apply(&events);
        sent
    }

    /// A book by HTTPS, as of this update, for whoever asked for it.
    fn fetched(&mut self, update: u64) -> BookState {
        let body = format!(r#"{{"lastUpdateId":{update},"bids":[["9","1"]],"asks":[["11","1"]]}}"#);
        let mut events = Vec::new();
        self.feed.fetched(0, Ok(body.as_bytes()), (7, self.now), &mut events);
        self.apply(&events);
        self.books.book(ONLY).state()
    }

    fn say(&mut self, text: &str) -> BookState {
        let mut events = Vec::new();
        self.feed.message(0, text.as_bytes(), 7, self.now, &mut events);
        self.apply(&events);
        self.books.book(ONLY).state()
    }
}

const COINBASE: &str =
    r#"{"type":"snapshot","product_id":"BTC-USD","asks":[["11.5","2"]],"bids":[["10.5","0.25"]]}"#;
const KRAKEN: &str =
    r#"[336,{"as":[["11","1","1.5"]],"bs":[["9","1","1.5"]]},"book-100","XBT/USD"]"#;

/// It may have been an update: the book is asked for again. No text at all (binary) is told as an empty
/// one.
#[test]
fn what_nobody_can_read_loses_books_that_no_number_proves() {
    for (which, symbol, channel, whole) in [
        (Which::Coinbase, "BTC-USD", "level2_batch", COINBASE),
        (Which::Kraken, "XBT/USD", "book-100", KRAKEN),
    ] {
        for garbage in ["", "{", "7", r#"{"type"#] {
            let mut desk = Desk::new(which, symbol, channel);
            assert_eq!(desk.say(whole), BookState::Live);
            desk.poll();
            assert_ne!(desk.say(garbage), BookState::Live, "{which:?} {garbage}");
            assert_eq!((desk.feed.counters().garbled, desk.feed.gaps()), (1, 1));
            assert!(desk.poll().concat().contains(symbol), "{which:?} {garbage}");
            assert_eq!(desk.say(whole), BookState::Live);
        }
    }
}

/// An update of spot with this number.
fn depth(number: u64, qty: &str) -> String {
    let time = 1_723_161_256_000 + number * 1_000;
    format!(
        r#"{{"e":"depthUpdate","E":{time},"s":"X","U":{number},"u":{number},"b":[["9","{qty}"]],"a":[]}}"#
    )
}

/// The answer that is on its way is of before the update that is lost.
#[test]
fn a_book_of_before_a_loss_is_not_taken() {
    let mut desk = Desk::new(Which::Binance, "X", "depth@100ms");
    assert_ne!(desk.say(&depth(5, "1")), BookState::Live);
    desk.poll();
    assert_ne!(desk.say(&depth(6, "x")), BookState::Live);
    assert_ne!(desk.fetched(5), BookState::Live);
    assert_ne!(desk.say(&depth(7, "2")), BookState::Live);
    desk.poll();
    assert_eq!(desk.fetched(6), BookState::Live);
}

/// Numbers that begin anew behind a loss are held against nothing of before.
#[test]
fn a_new_count_behind_a_loss_is_joined() {
    let mut desk = Desk::new(Which::Binance, "X", "depth@100ms");
    desk.say(&depth(1_000, "1"));
    desk.poll();
    assert_eq!(desk.fetched(1_000), BookState::Live);
    assert_ne!(desk.say(&depth(1_001, "x")), BookState::Live);
    let states = (1_001..1_030).map(|at| {
        let frame = depth(at, "1").replace(&format!(":{at},"), &format!(":{},", at - 1_000));
        let told = desk.say(&frame);
        desk.poll();
        if told == BookState::Live { told } else { desk.fetched(at - 1_000) }
    });
    let states: Vec<BookState> = states.collect();
    assert_eq!(states.last(), Some(&BookState::Live), "{states:?}");
}
