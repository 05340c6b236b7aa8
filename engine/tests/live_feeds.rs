//! Live feeds over real sockets, against the demo exchange on its thread: bad lines and a late
//! start, and ITCH by TCP over a restart. What the engine would be given leads to the exchange's
//! own books.

use engine::config::{Core, Endpoint, ExchangeChanges, ExchangeConfig, Protocol, RunConfig, Start};
use engine::pipeline::exchange::running::{Exchange, Options, RunningExchange};
use engine::pipeline::live_feed::LiveFeed;
use engine::pipeline::topology::feed;
use engine::runtime::clock::{self, Clock};
use feeds::glimpse::Board;
use feeds::moldudp64::{HEADER_BYTES, MessageStore, Packet};
use market::book::{BookLimits, BookState, BookView, OrderBooks};
use market::{Event, EventKind, Nanos, Rng, Side};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::path::Path;
use std::time::Duration;

const ANY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

/// An exchange on ephemeral ports that serves everything, whose lines go to `lines` by unicast.
fn exchange(folder: &Path, lines: [SocketAddrV4; 2]) -> ExchangeConfig {
    let mut config = ExchangeConfig::demo(&ExchangeChanges::default(), &[0].into()).unwrap();
    config.exchange.data_dir = folder.to_owned();
    config.exchange.core = Core::None;
    config.synthetic.rate = 4.into();
    config.fix.listen.set_port(0);
    let data = &mut config.market_data;
    (data.line_a, data.line_b) = (lines[0], Some(lines[1]));
    data.retransmit = ANY.into();
    (data.glimpse, data.soupbintcp) = (Some(ANY.into()), Some(ANY.into()));
    data.heartbeat_ms = Nanos::from_millis(50);
    config
}

/// A port that nobody has at the moment.
fn free() -> SocketAddrV4 {
    let SocketAddr::V4(address) = UdpSocket::bind(ANY).unwrap().local_addr().unwrap() else {
        panic!("IPv4 was asked for")
    };
    address
}

/// The engine's side: its feed and its books.
struct Engine {
    feed: LiveFeed,
    io: Box<dyn wire::Io>,
    books: OrderBooks,
    clock: Clock,
    kinds: BTreeMap<u8, u64>,
}

impl Engine {
    fn new(config: &RunConfig, clock: &Clock) -> Engine {
        let feed = feed::open(config, clock.now(), &mut Vec::new()).unwrap();
        let instruments = config.trading.instruments.len();
        let limits = BookLimits { instruments, orders: 65_536, levels: 1_024 };
        let io = wire::open(wire::Backend::Plain).unwrap().io;
        let (books, kinds) = (OrderBooks::new(limits), BTreeMap::new());
        Engine { feed, io, books, clock: clock.clone(), kinds }
    }

    fn poll(&mut self) {
        let (mut events, room) = (Vec::<Event>::new(), 4 * self.feed.events_max());
        let now = self.clock.now();
        self.feed.poll(self.io.as_mut(), now, room, &mut events, |_| {}).unwrap();
        assert!(events.len() <= room);
        for event in events {
            *self.kinds.entry(event.kind).or_default() += 1;
            self.books.apply(&event);
        }
    }

    fn count(&self, kind: EventKind) -> u64 {
        self.kinds.get(&(kind as u8)).copied().unwrap_or(0)
    }

    fn is_live(&self) -> bool {
        self.books.books().iter().all(|book| book.state() < BookState::Stale)
    }

    /// Every level is what the session's own file shows.
    fn assert_same_books(&self, config: &ExchangeConfig, session: &str) {
        let board = shown(&config.exchange.data_dir.join(format!("{session}.itch")));
        let mut levels = BTreeMap::<_, i64>::new();
        for order in board.orders() {
            let add = order.add;
            let key = (u32::from(add.header.locate) - 1, add.side == b'B', add.price);
            *levels.entry(key).or_default() += i64::from(add.shares);
        }
        let mut ours = BTreeMap::new();
        for (id, book) in (0u32..).zip(self.books.books()) {
            for side in Side::BOTH {
                for level in (0..book.depth(side)).filter_map(|at| book.level(side, at)) {
                    let price = u32::try_from(level.price.raw() / 100_000).unwrap();
                    ours.insert((id, side == Side::Buy, price), level.qty.raw());
                }
            }
        }
        assert_eq!(ours, levels);
        assert_eq!(self.books.orders(), board.len());
        assert_eq!(self.books.contradictions().total(), 0);
    }
}

/// What the messages in a file show in the end.
fn shown(path: &Path) -> Board {
    let mut file = feeds::file::SessionFile::open(path).unwrap().file;
    let mut board = Board::default();
    for sequence in 1.. {
        let Some(message) = file.message(sequence) else { break };
        board.follow(message);
    }
    board
}

/// Polls until something is so.
fn until(what: &str, mut step: impl FnMut() -> bool) {
    for _ in 0..60_000 {
        if step() {
            return;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    panic!("{what}: it never was so");
}

fn start(config: &ExchangeConfig, clock: &Clock) -> RunningExchange {
    Exchange::start(config, Options::default(), clock.clone()).unwrap()
}

#[test]
fn a_late_engine_on_bad_lines_has_the_exchanges_books() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, _calibrator) = clock::calibrate();
    // The exchange's lines end in the middle, which passes on what its seed says.
    let middle = [(); 2].map(|()| UdpSocket::bind(ANY).unwrap());
    let ends = [0, 1].map(|at: usize| match middle[at].local_addr().unwrap() {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("IPv4 was asked for"),
    });
    middle.iter().for_each(|socket| socket.set_nonblocking(true).unwrap());
    let config = exchange(folder.path(), ends);
    let running = start(&config, &clock);
    let at = running.addresses;
    until("an open market", || running.report().next_sequence > 300);

    let mut ours = RunConfig::demo(&[0].into()).unwrap();
    let lines = [free(), free()];
    (ours.feed.line_a, ours.feed.line_b) = (Some(lines[0]), Some(lines[1]));
    ours.feed.retransmit = Some(at.retransmit.into());
    ours.feed.glimpse = at.glimpse.map(Endpoint::from);
    (ours.feed.start, ours.feed.gap_max) = (Start::Snapshot, 40);
    (ours.feed.snapshot_tries, ours.feed.snapshot_retry_ms) = (1_000, Nanos::from_millis(10));
    let mut engine = Engine::new(&ours, &clock);
    let (mut rng, mut dark, mut storm) = (Rng::new(7), 0u32, true);
    let mut pass = |storm: bool| {
        let mut bytes = [0; 2_048];
        for (socket, line) in middle.iter().zip(lines) {
            while let Ok(count) = socket.recv(&mut bytes) {
                if dark == 0 && rng.chance(0.01) {
                    dark = 200;
                }
                dark = dark.saturating_sub(1);
                let lost = storm && (dark > 0 || rng.chance(0.2));
                for _ in 0..u32::from(!lost) + u32::from(!lost && rng.chance(0.1)) {
                    socket.send_to(&bytes[..count], line).unwrap();
                }
            }
        }
    };
    let snapshots =
        |engine: &Engine| engine.feed.moldudp64().unwrap().receiver().counters().by_snapshot.count;
    until("snapshots and gaps", || {
        pass(storm);
        engine.poll();
        snapshots(&engine) >= 3 && engine.count(EventKind::Gap) >= 8
    });
    storm = false;
    // What the storm left out must be here before those who give it again are gone.
    let after_the_storm = running.report().next_sequence + 200;
    until("the storm's losses", || {
        pass(storm);
        engine.poll();
        engine.feed.moldudp64().unwrap().receiver().expected() >= after_the_storm
    });
    running.stop();
    until("the end", || {
        pass(storm);
        engine.poll();
        running.is_ended()
    });
    let report = running.join().unwrap();
    // Nobody answers any more, so whatever the end left out would be lost: the middle tells where
    // it is.
    let heartbeat = {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..10].copy_from_slice(format!("{:<10}", report.session).as_bytes());
        bytes[10..18].copy_from_slice(&report.next_sequence.to_be_bytes());
        assert!(Packet::parse(&bytes).is_ok());
        bytes
    };
    until("all of it", || {
        pass(storm);
        middle[0].send_to(&heartbeat, lines[0]).unwrap();
        engine.poll();
        engine.feed.moldudp64().unwrap().receiver().expected() == report.next_sequence
    });
    assert!(engine.is_live(), "{:?}", engine.feed.moldudp64().unwrap().receiver().counters());
    let counters = engine.feed.moldudp64().unwrap().receiver().counters();
    assert_eq!((counters.lost, counters.mismatches), (0, 0));
    assert!(counters.messages < report.next_sequence, "the day before was not read again");
    engine.assert_same_books(&config, &report.session);
}

#[test]
fn itch_by_tcp_goes_on_where_it_was_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, _calibrator) = clock::calibrate();
    let mut config = exchange(folder.path(), [free(), free()]);
    let running = start(&config, &clock);
    let at = running.addresses.soupbintcp.unwrap();
    config.market_data.soupbintcp = Some(at);
    until("an open market", || running.report().next_sequence > 300);

    let mut ours = RunConfig::demo(&[0].into()).unwrap();
    ours.feed.protocol = Protocol::Itch50SoupBinTcp;
    ours.soupbintcp.address = Some(at.into());
    ours.soupbintcp.reconnect_ms = Nanos::from_millis(10);
    ours.soupbintcp.reconnect_max_ms = Nanos::from_millis(20);
    let mut engine = Engine::new(&ours, &clock);
    assert!(!engine.is_live());
    until("books", || {
        engine.poll();
        engine.is_live() && engine.count(EventKind::Add) > 200
    });
    running.stop();
    until("a gap", || {
        engine.poll();
        engine.count(EventKind::Gap) >= 2 && !engine.is_live()
    });
    running.join().unwrap();

    let running = start(&config, &clock);
    until("books again", || {
        engine.poll();
        engine.is_live() && engine.count(EventKind::Recovered) >= 2
    });
    running.stop();
    until("the end", || {
        engine.poll();
        running.is_ended()
    });
    let report = running.join().unwrap();
    // What was sent stands in the socket.
    until("another gap", || {
        engine.poll();
        engine.count(EventKind::Gap) >= 3
    });
    let (LiveFeed::SoupBinTcp(feed), 0) = (&engine.feed, engine.count(EventKind::Reset)) else {
        panic!("the session went on")
    };
    let next = feed.stream().client().next();
    assert!(feed.stream().counters().recoveries.count >= 2);
    assert_eq!(next, report.next_sequence, "it was sent to the last message");
    engine.assert_same_books(&config, &report.session);
}
