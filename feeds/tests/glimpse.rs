//! Snapshots into a feed that needs one: what a server may do wrong, and that no book looks whole
//! before it is.

mod common;

use common::{BASE, listing};
use feeds::Feed;
use feeds::glimpse::{Board, Failure, Glimpse, Settings, Want, end};
use feeds::itch50::message::{AddOrder, Deleted};
use feeds::itch50::{Decoder, Encoder, Header};
use feeds::moldudp64::{Config, Datagram, Line, Publisher, Session, Start};
use feeds::soupbintcp::{Login, Server, Trouble};
use market::book::{BookLimits, BookState, BookView, OrderBooks};
use market::{Event, EventKind, Instrument, InstrumentId, Nanos, Side, Timestamp};

const ARL: InstrumentId = InstrumentId(0);

/// A feed of one line that begins at a snapshot, its books, and a server's bytes.
struct Bench {
    feed: Feed,
    glimpse: Glimpse,
    books: OrderBooks,
    now: Timestamp,
    out: Vec<u8>,
    kinds: Vec<EventKind>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut Config)) -> Bench {
        let mut config = Config::new(1);
        (config.start, config.snapshots) = (Start::FromSnapshot, true);
        (config.jump_max, config.arbitration_wait) = (1_000, Nanos::ZERO);
        config.requests.tries = 2;
        change(&mut config);
        let decoder = Decoder::new(&[listing("ARL", 0)], BASE).unwrap();
        let settings = Settings {
            login: Login::new(b"USER", b"").unwrap(),
            heartbeat: Nanos::from_secs(1),
            silence: Nanos::from_secs(15),
            tries: 3,
            retry: Nanos::from_millis(100),
        };
        Bench {
            feed: Feed::new(config, decoder, false),
            glimpse: Glimpse::new(settings),
            books: OrderBooks::new(BookLimits { instruments: 1, orders: 64, levels: 64 }),
            now: BASE.after(Nanos::from_secs(40_000)),
            out: Vec::new(),
            kinds: Vec::new(),
        }
    }

    fn take(&mut self, events: &[Event]) {
        for event in events {
            self.books.apply(event);
            self.kinds.push(event.kind().unwrap());
        }
        if self.feed.receiver().in_gap() {
            assert!(!self.state().may_quote(), "{:?}", self.kinds);
        }
    }

    fn state(&self) -> BookState {
        self.books.book(ARL).state()
    }

    /// A packet of the line: messages from `sequence` on, or a heartbeat.
    fn line(&mut self, session: &str, sequence: u64, messages: &[Vec<u8>]) {
        let session = Session::new(session).unwrap();
        let mut publisher = Publisher::new(session, sequence, 1_400, Nanos::ZERO);
        for message in messages {
            publisher.push(message).unwrap();
        }
        let bytes = match publisher.take(self.now) {
            Some(bytes) => bytes.to_vec(),
            None => publisher.heartbeat(self.now).unwrap().to_vec(),
        };
        let mut events = Vec::new();
        let datagram = Datagram { bytes: &bytes, truncated: false, from: None, received: 1 };
        self.feed.on_datagram(Line::Live(0), &datagram, self.now, &mut events);
        while self.feed.pending() {
            self.feed.drain(1, self.now, &mut events);
        }
        self.take(&events);
    }

    /// After so many milliseconds: what is wanted of the connection; a connection is made at once.
    fn poll(&mut self, millis: u64) -> Want {
        self.now = self.now.after(Nanos::from_millis(millis));
        let mut events = Vec::new();
        let _ = self.feed.poll(self.now, &mut events);
        let want = self.glimpse.poll(&mut self.feed, self.now, &mut self.out, &mut events);
        if want == Want::Connect {
            self.glimpse.connected(&mut self.feed, self.now, &mut self.out);
        }
        self.take(&events);
        want
    }

    /// What the server sends.
    fn hear(&mut self, bytes: &[u8]) -> Want {
        let (mut events, room) = (Vec::new(), Feed::EVENTS_MAX + 1_000);
        let sink = (&mut self.out, &mut events);
        let now = (self.now, room);
        let (_, want) = self.glimpse.received(&mut self.feed, (bytes, 1), now, sink);
        self.take(&events);
        want
    }

    fn failed(&self) -> Failure {
        self.glimpse.last_failure().unwrap()
    }
}

fn add(order: u64, price: u32) -> Vec<u8> {
    let header = Header { locate: 1, tracking: 0, time: 9 };
    let (side, shares, stock) = (b'B', 100, *b"ARL     ");
    AddOrder { header, order, side, shares, stock, price }.write().to_vec()
}

fn delete(order: u64) -> Vec<u8> {
    Deleted { header: Header { locate: 1, tracking: 0, time: 9 }, order }.write().to_vec()
}

/// What a server sends of a book with these bids, and ITCH going on at `next`; without the end if
/// that is `None`.
fn snapshot(bids: &[(u64, u32)], next: Option<u64>) -> Vec<u8> {
    let mut board = Board::default();
    let mut encoder = Encoder::new(&[Instrument::share(0, "ARL")], BASE).unwrap();
    encoder.directory(BASE, &mut |message| board.follow(message)).unwrap();
    bids.iter().for_each(|&(order, price)| board.follow(&add(order, price)));
    let (mut out, now) = (Vec::new(), Timestamp::ZERO);
    let mut server = Server::new(Nanos::SECOND, Nanos::SECOND, now);
    server.accept(Session::new("S").unwrap(), 1, now, &mut out);
    board.snapshot(next.unwrap_or(1), |message| {
        if next.is_some() || message[0] != b'G' {
            server.message(message, now, &mut out);
        }
    });
    out
}

#[test]
fn a_late_feed_goes_on_from_where_the_snapshot_says() {
    let mut bench = Bench::new(|_| {});
    bench.line("S", 50, &[]);
    assert_eq!((bench.state(), bench.kinds.as_slice()), (BookState::Gap, &[EventKind::Gap][..]));
    assert_eq!(bench.poll(0), Want::Connect);
    bench.line("S", 50, &[add(5, 1_000)]);
    bench.line("S", 51, &[delete(4)]);
    assert_eq!(bench.hear(&snapshot(&[(4, 900), (3, 800), (5, 1_000)], Some(51))), Want::Close);
    bench.line("S", 52, &[]);
    assert_eq!((bench.state(), bench.books.orders()), (BookState::Live, 2));
    let best = bench.books.book(ARL).best(Side::Buy).unwrap();
    assert_eq!((best.price.to_string().as_str(), best.qty.raw()), ("0.1", 100));
    assert_eq!(bench.feed.receiver().counters().by_snapshot.count, 1);
    assert_eq!((bench.glimpse.counters().taken, bench.glimpse.counters().failed), (1, 0));
    assert!(bench.out.ends_with(b"\0\x01O"), "it says that it leaves");
    // A session that only begins is read from its first message.
    let mut bench = Bench::new(|_| {});
    bench.line("S", 1, &[add(5, 1_000)]);
    assert_eq!((bench.poll(0), bench.state()), (Want::Nothing, BookState::Live));
}

#[test]
fn a_server_that_fails_is_tried_again_and_then_given_up() {
    let mut bench = Bench::new(|_| {});
    bench.line("S", 50, &[]);
    assert_eq!(bench.poll(0), Want::Connect);
    let mut rejected = Vec::new();
    Server::new(Nanos::SECOND, Nanos::SECOND, bench.now).reject(b'A', &mut rejected);
    assert_eq!(bench.hear(&rejected), Want::Close);
    assert_eq!(bench.failed(), Failure::Session(Trouble::NotAuthorized));
    assert_eq!((bench.poll(99), bench.poll(1)), (Want::Nothing, Want::Connect));
    // Cut in the middle: the books are empty, and in their gap.
    assert_eq!(bench.hear(&snapshot(&[(4, 900)], None)), Want::Nothing);
    assert_eq!((bench.books.orders(), bench.state()), (1, BookState::Gap));
    bench.glimpse.disconnected(bench.now);
    assert_eq!(bench.failed(), Failure::Connection);
    assert_eq!((bench.poll(199), bench.poll(1)), (Want::Nothing, Want::Connect));
    // Silence.
    assert_eq!(bench.poll(14_999), Want::Nothing);
    assert_eq!(bench.poll(1), Want::Close);
    assert_eq!(bench.failed(), Failure::Session(Trouble::Silent));
    assert_eq!(bench.poll(400), Want::Nothing);
    assert_eq!((bench.kinds.last(), bench.state()), (Some(&EventKind::Lost), BookState::Suspect));
    let counters = *bench.glimpse.counters();
    assert_eq!((counters.tries, counters.failed, counters.given_up), (3, 3, 1));
    bench.line("S", 50, &[add(6, 700)]);
    assert_eq!(bench.state(), BookState::Suspect, "what follows makes no lost book whole");
    // The next gap has all its tries, and its snapshot heals.
    bench.line("S", 60, &[]);
    assert_eq!([bench.poll(60), bench.poll(60)], [Want::Nothing; 2], "requests come first");
    assert_eq!(bench.poll(60), Want::Connect);
    assert_eq!(bench.hear(&snapshot(&[(9, 900)], Some(60))), Want::Close);
    assert_eq!((bench.state(), bench.books.orders()), (BookState::Live, 1));
}

#[test]
fn an_end_that_is_none_is_no_end() {
    type Expected = fn(Failure) -> bool;
    let ends: [(Vec<u8>, Expected); 6] = [
        (b"G".to_vec(), |why| why == Failure::BadEnd),
        (b"G                   x".to_vec(), |why| why == Failure::BadEnd),
        (b"G                   0".to_vec(), |why| why == Failure::BadEnd),
        (b"G 51".to_vec(), |why| why == Failure::BadEnd),
        ([&end(51)[..], b" "].concat(), |why| why == Failure::BadEnd),
        (end(50 + 1_001).to_vec(), |why| matches!(why, Failure::FarOff(_))),
    ];
    for (message, expected) in ends {
        let mut bench = Bench::new(|_| {});
        bench.line("S", 50, &[]);
        bench.poll(0);
        let mut bytes = snapshot(&[(4, 900)], None);
        Server::new(Nanos::SECOND, Nanos::SECOND, bench.now)
            .message(&message, bench.now, &mut bytes);
        assert_eq!(bench.hear(&bytes), Want::Close, "{message:?}");
        assert!(expected(bench.failed()), "{message:?} {:?}", bench.failed());
        assert_eq!((bench.state(), bench.feed.awaits_snapshot()), (BookState::Gap, true));
    }
    let mut bench = Bench::new(|_| {});
    bench.line("S", 50, &[]);
    bench.poll(0);
    let mut bytes = snapshot(&[(4, 900)], None);
    Server::new(Nanos::SECOND, Nanos::SECOND, bench.now).end(bench.now, &mut bytes);
    assert_eq!((bench.hear(&bytes), bench.failed()), (Want::Close, Failure::NoEnd));
}

#[test]
fn a_snapshot_behind_what_was_kept_is_filled_up_or_taken_again() {
    for requests in [true, false] {
        let mut bench = Bench::new(|config| config.requests.tries = u32::from(requests));
        bench.line("S", 50, &[]);
        bench.poll(0);
        bench.line("S", 55, &[add(6, 700)]);
        // It is older than what is kept: messages 52 to 54 are in neither.
        assert_eq!(bench.hear(&snapshot(&[(4, 900)], Some(52))), Want::Close);
        assert_eq!(bench.state(), BookState::Gap);
        let mut events = Vec::new();
        let request = bench.feed.poll(bench.now, &mut events);
        let asked = request.map(|request| (request.sequence, request.count));
        assert_eq!(asked, requests.then_some((52, 3)));
        assert_eq!(bench.feed.awaits_snapshot(), !requests);
        if !requests {
            assert_eq!(bench.poll(0), Want::Connect);
            assert_eq!(bench.glimpse.counters().tries, 2, "of the same gap");
        }
    }
}

#[test]
fn a_snapshot_ahead_of_the_lines_waits_for_them() {
    let mut bench = Bench::new(|_| {});
    bench.line("S", 50, &[]);
    bench.poll(0);
    assert_eq!(bench.hear(&snapshot(&[(4, 900)], Some(60))), Want::Close);
    bench.line("S", 58, &[add(7, 600)]);
    assert_eq!((bench.poll(4_999), bench.state()), (Want::Nothing, BookState::Gap));
    let mut late =
        Bench { feed: bench.feed.clone(), glimpse: bench.glimpse.clone(), ..Bench::new(|_| {}) };
    late.now = bench.now;
    bench.line("S", 60, &[]);
    assert_eq!((bench.state(), bench.books.orders()), (BookState::Live, 1));
    // No line ever comes there: it was a snapshot of something else.
    assert_eq!(late.poll(1), Want::Connect);
    assert_eq!(late.glimpse.counters().tries, 2);
}

#[test]
fn another_session_ends_the_snapshot_of_the_old_one() {
    let mut bench = Bench::new(|_| {});
    bench.line("S", 50, &[]);
    bench.poll(0);
    bench.hear(&snapshot(&[(4, 900)], None));
    bench.line("T", 1, &[]);
    assert_eq!((bench.kinds.last(), bench.books.orders()), (Some(&EventKind::Reset), 0));
    assert_eq!(bench.poll(1), Want::Close);
    assert_eq!(bench.poll(1_000), Want::Nothing);
    assert_eq!(bench.state(), BookState::Recovering);
}
