//! More market data than the engine reads: what the kernel drops is a gap that is counted, nothing
//! is quoted on its books, and they are whole and quoted again after it, by retransmission or, where
//! nobody answers, by a new session. Feed stage and trading stage in virtual time, over loopback
//! sockets; the venue takes every order at once.

use engine::latency::recorder;
use engine::pipeline::feed_stage::{self, FeedStage};
use engine::pipeline::gate::Gate;
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::loop_driver::LoopDriver;
use engine::pipeline::records::Start;
use engine::pipeline::tape::NoTape;
use engine::pipeline::telemetry::{FeedSnapshot, TradingSnapshot, mailbox};
use engine::pipeline::trading_stage::{
    self, CommandSlot, Inputs, Links, LiveStamps, RingPublish, Time, TradingStage,
};
use engine::runtime::clock;
use engine::runtime::ring::{self, Consumer, Producer};
use engine::runtime::stage::{Stage, Work};
use engine::trading::risk::Limits;
use engine::trading::{OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules};
use feeds::itch50::{Decoder, Encoder, Listing};
use feeds::moldudp64::{
    Config, MemoryStore, Publisher, REQUEST_BYTES, RequestServer, Requests, Session,
};
use feeds::{Feed, UdpFeed};
use market::book::BookLimits;
use market::{
    BookState, BookView, Command, CommandKind, Event, EventKind, Instrument, InstrumentId, Money,
    Nanos, OrderId, Price, Qty, Report, ReportKind, Side, Timestamp,
};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use strategies::{Parameters, QuoterSettings};
use wire::udp::Socket;

const DAY: Timestamp = Timestamp::from_nanos(1_749_945_600_000_000_000);
/// Datagrams of a burst: many times what the smallest receive buffer holds.
const BURST: usize = 400;
/// Quotes of two instruments.
const QUOTES: usize = 4;
const LOOPBACK: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

fn instruments() -> Vec<Instrument> {
    vec![Instrument::share(0, "TLA"), Instrument::share(1, "TLB")]
}

/// The exchange: one line, whose messages can be had again.
struct Venue {
    encoder: Encoder,
    publisher: Publisher,
    socket: UdpSocket,
    line: SocketAddrV4,
    requests: UdpSocket,
    server: RequestServer,
    store: MemoryStore,
    orders: u64,
    sent: u64,
    /// Nobody answers requests.
    silent: bool,
}

impl Venue {
    fn session(&mut self, name: &str) {
        let session = Session::new(name).unwrap();
        self.publisher = Publisher::new(session, 1, 1_400, Nanos::SECOND);
        self.server = RequestServer::new(session, 1_400);
        self.store = MemoryStore::default();
    }

    fn publish(&mut self, messages: &[Vec<u8>]) {
        for message in messages {
            self.store.push(message);
            self.publisher.push(message).unwrap();
            self.sent += 1;
        }
        self.socket.send_to(self.publisher.take(DAY).unwrap(), self.line).unwrap();
    }

    /// The directory, and a book of one level for each instrument.
    fn open(&mut self, now: Timestamp) {
        let mut messages = Vec::new();
        self.encoder.directory(now, &mut |message| messages.push(message.to_vec())).unwrap();
        for id in [0, 1] {
            messages.push(self.add(now, id, Side::Buy, 9_999));
            messages.push(self.add(now, id, Side::Sell, 10_001));
        }
        self.publish(&messages);
    }

    fn add(&mut self, now: Timestamp, id: u32, side: Side, ticks: i64) -> Vec<u8> {
        self.orders += 1;
        let mut event = Event::new(EventKind::Add, InstrumentId(id)).with_side(Some(side));
        event.order = self.orders;
        event.price = Price::from_raw(instruments()[0].tick.raw() * ticks);
        event.qty = Qty::from_raw(300);
        event.exchange_time = now;
        let mut bytes = Vec::new();
        self.encoder.encode(&event, &mut |message| bytes = message.to_vec()).unwrap();
        bytes
    }

    /// Orders far behind the best prices, a datagram each.
    fn burst(&mut self, now: Timestamp, count: usize) {
        for nth in 0..count {
            let away = 9_900 - i64::try_from(nth % 50).unwrap();
            let message = self.add(now, u32::try_from(nth % 2).unwrap(), Side::Buy, away);
            self.publish(&[message]);
        }
    }

    fn answer(&mut self) {
        let mut request = [0; REQUEST_BYTES];
        while let Ok((length, from)) = self.requests.recv_from(&mut request) {
            if self.silent {
                continue;
            }
            if let Ok(packet) = self.server.answer(&request[..length], &mut self.store) {
                self.requests.send_to(packet, from).unwrap();
            }
        }
    }
}

/// The engine's stages, and the ends of their rings that others have.
struct Engine {
    feed: FeedStage,
    trading: TradingStage<NoTape>,
    commands: Consumer<CommandSlot>,
    reports: Producer<Report>,
    now: Timestamp,
    venue: Venue,
    /// Commands since they were last looked at.
    said: Vec<Command>,
}

fn settings() -> TradingSettings {
    let spec = strategies::find("joiner").unwrap();
    let parameters = Parameters::new(spec.parameters, &[("size", 100.0)]).unwrap();
    let limits = Limits {
        order_qty: Qty::from_raw(1_000),
        order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
        position: Qty::from_raw(2_000),
        collar_bps: 500,
        reference_age: Nanos::from_secs(5),
    };
    TradingSettings {
        limits: vec![Some(limits); 2],
        books: BookLimits { instruments: 2, orders: 4_096, levels: 256 },
        instruments: instruments(),
        strategies: vec![StrategySetting {
            strategy: (spec.build)(&parameters).unwrap(),
            instruments: vec![InstrumentId(0), InstrumentId(1)],
        }],
        quoter: QuoterSettings::default(),
        messages: (10_000, 1_000),
        stale_after: Nanos::from_secs(60),
        answer_within: Nanos::from_secs(2),
        orders: 64,
        executions: 64,
        seed: 1,
        lockstep: false,
        shows_own_orders: false,
        venue: VenueRules::default(),
    }
}

fn report(command: &Command) -> Option<Report> {
    let kind = match command.kind()? {
        CommandKind::New => ReportKind::Accepted,
        CommandKind::Replace => ReportKind::Replaced,
        CommandKind::Cancel => ReportKind::Canceled,
        CommandKind::MassStatus => ReportKind::StatusDone,
        _ => return None,
    };
    let mut report = Report::new(kind, command.id, command.instrument);
    report.target = command.target;
    (report.price, report.qty, report.leaves_qty) = (command.price, command.qty, command.qty);
    Some(command.side().map_or(report, |side| report.with_side(side)))
}

impl Engine {
    /// An engine that quotes both books.
    fn new() -> Engine {
        let requests = UdpSocket::bind(LOOPBACK).unwrap();
        requests.set_nonblocking(true).unwrap();
        let std::net::SocketAddr::V4(server) = requests.local_addr().unwrap() else { panic!() };
        let line = Socket::bind(LOOPBACK).unwrap();
        // The least that a kernel gives: two or three datagrams.
        line.set_receive_buffer(1).unwrap();
        let address = line.local_address();
        let (clock, _calibrator) = clock::calibrate();
        let (events, events_in) = ring::channel(feed_stage::RING_DEPTH);
        let (commands_in, commands) = ring::channel(trading_stage::COMMANDS_DEPTH);
        let (reports, reports_in) = ring::channel(trading_stage::REPORTS_DEPTH);
        let listings: Vec<Listing> = instruments().iter().map(Listing::from).collect();
        let mut config = Config::new(1);
        config.server = Some(server);
        config.requests = Requests { tries: 3, ..config.requests };
        let feed = Feed::new(config, Decoder::new(&listings, DAY).unwrap(), false);
        let asking = Socket::bind(LOOPBACK).unwrap();
        let feed = UdpFeed::new(feed, vec![line], Some((asking, server)));
        let (outbox, _) = mailbox(FeedSnapshot::new(1), FeedSnapshot::new(1));
        let io = wire::open(wire::Backend::Plain).unwrap().io;
        let feed = FeedStage::new(io, feed, events, recorder::pair(clock.clone()).0, outbox);
        let opening = OpeningState { epoch: 1, ..OpeningState::default() };
        let publish = RingPublish::new(commands_in, None);
        let stamps = LiveStamps::new(recorder::pair(clock).0);
        let start = Start { now: DAY, ..Start::default() };
        let trading = TradingLoop::new(settings(), &opening);
        let driver = LoopDriver::start(trading, NoTape, publish, stamps, &start).unwrap();
        let (outbox, _) = mailbox(TradingSnapshot::new(2), TradingSnapshot::new(2));
        let (gate, lifecycle) = (Arc::new(Gate::default()), Arc::new(Lifecycle::default()));
        let links = Links { gate, lifecycle, stop: Arc::default(), outbox };
        let inputs = Inputs {
            events: events_in,
            reports: reports_in,
            drop_copy: None,
            control: ring::channel(4).1,
        };
        let trading = TradingStage::new(driver, inputs, Time::Clock, links);
        let session = Session::new("FIRST").unwrap();
        let venue = Venue {
            encoder: Encoder::new(&instruments(), DAY).unwrap(),
            publisher: Publisher::new(session, 1, 1_400, Nanos::SECOND),
            socket: UdpSocket::bind(LOOPBACK).unwrap(),
            line: address,
            requests,
            server: RequestServer::new(session, 1_400),
            store: MemoryStore::default(),
            orders: 0,
            sent: 0,
            silent: false,
        };
        let (now, said) = (DAY.after(Nanos::from_secs(36_000)), Vec::new());
        let mut engine = Engine { feed, trading, commands, reports, now, venue, said };
        let up = Report::new(ReportKind::SessionUp, OrderId::NONE, Event::ALL);
        engine.reports.push(up).unwrap();
        engine.venue.open(engine.now);
        engine.run(10);
        assert_eq!(engine.said(CommandKind::New), QUOTES);
        engine
    }

    /// So many milliseconds, in each of which the stages work until nothing is left to do.
    fn run(&mut self, millis: usize) {
        for _ in 0..millis {
            self.now = self.now.after(Nanos::from_millis(1));
            self.venue.answer();
            loop {
                let works = [self.feed.poll(self.now), self.trading.poll(self.now)];
                while let Some(slot) = self.commands.pop() {
                    self.said.push(slot.command);
                    if let Some(report) = report(&slot.command) {
                        self.reports.push(report).unwrap();
                    }
                }
                if works == [Work::Idle; 2] {
                    break;
                }
            }
        }
    }

    /// How many commands of a kind were sent; forgets all of them.
    fn said(&mut self, kind: CommandKind) -> usize {
        self.said.drain(..).filter(|command| command.kind() == Some(kind)).count()
    }

    fn states(&self) -> [BookState; 2] {
        [0, 1].map(|id| self.trading.trading().books().book(InstrumentId(id)).state())
    }

    /// A burst that the socket cannot hold while nobody reads, and a message behind it that shows
    /// the gap: every quote is withdrawn, and none is sent until messages come again.
    fn flood(&mut self) {
        let counters =
            |engine: &Engine| engine.feed.feed().moldudp64().unwrap().receiver().counters().clone();
        let before = counters(self);
        self.venue.silent = true;
        self.venue.burst(self.now, BURST);
        self.run(1);
        self.venue.burst(self.now, 1);
        self.run(10);
        let after = counters(self);
        let read = after.live[0].datagrams - before.live[0].datagrams;
        assert!(read < BURST as u64 / 2, "{read} datagrams fit the least buffer there is");
        assert_eq!(after.gaps, before.gaps + 1);
        assert!(self.feed.feed().moldudp64().unwrap().receiver().in_gap());
        assert_eq!(self.states(), [BookState::Gap; 2]);
        let commands: Vec<_> = self.said.drain(..).map(|command| command.kind()).collect();
        assert_eq!(commands, [Some(CommandKind::Cancel); QUOTES]);
        self.run(20);
        assert_eq!(self.said.len(), 0, "nothing is sent into a gap: {:?}", self.said);
    }

    /// Messages that were sent, given on and given up.
    fn account(&self) -> (u64, u64, u64) {
        let counters = self.feed.feed().moldudp64().unwrap().receiver().counters();
        (self.venue.sent, counters.messages, counters.lost)
    }
}

#[test]
fn what_the_kernel_drops_is_asked_for_again_and_quoted_after() {
    let mut engine = Engine::new();
    for _ in 0..3 {
        engine.flood();
        engine.venue.silent = false;
        engine.run(100);
        assert_eq!(engine.states(), [BookState::Live; 2]);
        assert_eq!(engine.said(CommandKind::New), QUOTES);
        let (sent, given, lost) = engine.account();
        assert_eq!((given, lost), (sent, 0));
    }
    // What came in one go had to wait, in the socket and, as packets kept for their turn, in the ring.
    assert!(engine.feed.waited() > 0 && engine.trading.waited() > 0);
    let counters = engine.trading.trading().counters();
    assert!(engine.trading.waited() < counters.events, "{counters:?}");
}

#[test]
fn what_nobody_sends_again_is_lost_by_count_and_another_session_makes_books_whole() {
    let mut engine = Engine::new();
    engine.flood();
    // Three requests, 50 ms each.
    engine.run(200);
    let (sent, given, lost) = engine.account();
    assert!(lost > 0 && given + lost == sent, "{sent} sent, {given} given on, {lost} lost");
    assert!(!engine.feed.feed().moldudp64().unwrap().receiver().in_gap());
    assert_eq!(engine.states(), [BookState::Suspect; 2]);
    engine.venue.burst(engine.now, 2);
    engine.run(10);
    assert_eq!(engine.said.len(), 0, "books that lack messages are not quoted: {:?}", engine.said);

    engine.venue.session("SECOND");
    engine.venue.open(engine.now);
    engine.run(10);
    assert_eq!(engine.states(), [BookState::Live; 2]);
    assert_eq!(engine.said(CommandKind::New), QUOTES);
}
