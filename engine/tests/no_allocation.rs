//! The hot path does not allocate after warm-up: the fused pipeline, its three stages polled in turn
//! over real loopback sockets with a real journal, over a million market events; feeds by FIX and
//! by websocket; and the FIX codec alone. They have a program of their own, since a program has one
//! allocator, which counts for each thread apart.
#![allow(unsafe_code)]

#[path = "no_allocation/codec.rs"]
mod codec;
#[path = "no_allocation/fix_feed.rs"]
mod fix_feed;
#[path = "no_allocation/frames.rs"]
mod frames;
#[path = "no_allocation/venue.rs"]
mod venue;

use engine::journal::{self, Copier, JournalSettings, Writer};
use engine::latency::{Collector, recorder};
use engine::pipeline::connector::{Connector, Plan};
use engine::pipeline::feed_stage::{self, FeedStage};
use engine::pipeline::fix_connection::{ConnectionParts, SessionHours};
use engine::pipeline::fix_store::{FixStore, Numbers};
use engine::pipeline::gate::Gate;
use engine::pipeline::gateway_stage::{GatewayParts, GatewayStage};
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::looks::Looks;
use engine::pipeline::loop_driver::LoopDriver;
use engine::pipeline::reconnect::{Pace, Reconnect};
use engine::pipeline::records::Start;
use engine::pipeline::tape::Tape;
use engine::pipeline::telemetry::{FeedSnapshot, GatewaySnapshot, Inbox, TradingSnapshot, mailbox};
use engine::pipeline::trading_stage::{
    self, Inputs, Links, LiveStamps, RingPublish, Time, TradingStage,
};
use engine::runtime::clock::{self, Clock};
use engine::runtime::did::{ACTS, Act};
use engine::runtime::ring;
use engine::runtime::stage::{Stage, Work};
use engine::trading::desk::Session as OrderSession;
use engine::trading::risk::Limits;
use engine::trading::{
    Counters, OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules,
};
use feeds::itch50::{Decoder, Listing};
use feeds::moldudp64::{Config as FeedConfig, Requests};
use feeds::{Feed, UdpFeed};
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::rates::{Action, Counts, Limiter, Member, Rule, Scope, Window};
use gateway::session::{Reset, Session, SessionConfig};
use market::book::BookLimits;
use market::{Instrument, InstrumentId, Money, Nanos, Qty, Timestamp};
use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use strategies::{Parameters, QuoterSettings};
use venue::Venue;
use wire::udp::Socket;

/// Instruments on the feed, and of those how many are quoted.
const LISTED: u32 = 50;
const QUOTED: u32 = 10;
/// Market events before counting begins, and while it counts.
const WARM_UP: u64 = 100_000;
const COUNTED: u64 = 1_000_000;
/// Room that both streams must have before the stages are polled: the journal's thread is slower
/// than virtual time.
const ROOM: usize = 1 << 20;
/// Rounds of polls between two turns of housekeeping.
const HOUSEKEEPING_EVERY: u64 = 100;
const BEGIN: Timestamp = Timestamp::from_nanos(1_750_000_000_000_000_000);

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    /// True while the next allocation shall say where it is.
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

// SAFETY: everything is passed on to the system's allocator; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller of this function vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller of this function vouches.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller of this function vouches.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    // The first one tells where it is; telling allocates, unarmed.
    if ARMED.replace(false) {
        eprintln!("the hot path allocates here:\n{}", Backtrace::force_capture());
    }
}

/// How often `act` allocates on this thread.
fn allocations_of(act: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    ARMED.set(true);
    act();
    ARMED.set(false);
    ALLOCATIONS.get() - before
}

/// A journal's writer that says how much room it has left.
struct Paced {
    writer: Writer,
    room: Arc<AtomicUsize>,
}

impl Tape for Paced {
    fn has_room(&self) -> bool {
        self.room.store(self.writer.room(), Ordering::Relaxed);
        Tape::has_room(&self.writer)
    }

    fn sequence(&self) -> u64 {
        self.writer.sequence()
    }

    fn synced(&self) -> u64 {
        Tape::synced(&self.writer)
    }

    fn segment(&self) -> u64 {
        self.writer.segment()
    }

    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        self.writer.record(kind, parts)
    }
}

/// The engine's stages as on one core, and the readers' ends of what they tell.
struct Fused {
    feed: FeedStage,
    trading: TradingStage<Paced>,
    gateway: GatewayStage,
    room: Arc<AtomicUsize>,
    told: (Inbox<FeedSnapshot>, Inbox<TradingSnapshot>, Inbox<GatewaySnapshot>),
    collectors: Vec<Collector>,
    copier: Copier,
    /// Warm-up is over, and nothing was allocated since.
    counting: bool,
    polls: u64,
    /// What the polls of each stage did, added up.
    did: [[u64; ACTS.len()]; 3],
}

fn settings(instruments: Vec<Instrument>) -> TradingSettings {
    let spec = strategies::find("glft").unwrap();
    let given = [("gamma", 0.05), ("a", 1.0), ("k", 30.0), ("sigma", 0.02), ("size", 100.0)];
    let parameters = Parameters::new(spec.parameters, &given).unwrap();
    let limits = Limits {
        order_qty: Qty::from_raw(1_000),
        order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
        position: Qty::from_raw(2_000),
        collar_bps: 500,
        reference_age: Nanos::from_secs(5),
    };
    TradingSettings {
        limits: vec![Some(limits); instruments.len()],
        books: BookLimits { instruments: instruments.len(), orders: 65_536, levels: 1_024 },
        instruments,
        strategies: vec![StrategySetting {
            strategy: (spec.build)(&parameters).unwrap(),
            instruments: (0..QUOTED).map(InstrumentId).collect(),
        }],
        quoter: QuoterSettings { min_move_ticks: 2, ..QuoterSettings::default() },
        messages: (10_000, 1_000),
        stale_after: Nanos::from_secs(5),
        answer_within: Nanos::from_secs(2),
        orders: 1_024,
        executions: 4_096,
        seed: 1,
        lockstep: false,
        shows_own_orders: true,
        venue: VenueRules::default(),
    }
}

fn stream((folder, hot): (&Path, &Path), name: &str) -> journal::Opened {
    let mut settings = JournalSettings::new(&folder.join("journal"), name);
    settings.hot_dir = hot.to_owned();
    settings.segment_bytes = 16 << 20;
    journal::create(&settings, BEGIN).unwrap()
}

/// Rules that are kept count of and never broken.
fn limiter() -> Limiter {
    let rules = [Window::Fixed, Window::Sliding, Window::Leaky].map(|window| Rule {
        name: format!("{window:?}"),
        window,
        count: 1_000_000,
        span: Nanos::SECOND,
        scope: Scope::Key,
        counts: Counts::All,
        action: Action::Hold,
        cancel_reserve: 20,
    });
    Limiter::new(&[Member { rules: &rules, key: "key", account: "account" }]).unwrap()
}

impl Fused {
    fn new(folders: (&Path, &Path), clock: &Clock) -> (Fused, Venue) {
        let instruments: Vec<_> =
            (0..LISTED).map(|id| Instrument::share(id, &format!("S{id}"))).collect();
        let line = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
        let venue = Venue::new(instruments.clone(), BEGIN, line.local_address());
        let (events, events_in) = ring::channel(feed_stage::RING_DEPTH);
        let (commands, commands_in) = ring::channel(trading_stage::COMMANDS_DEPTH);
        let (reports, reports_in) = ring::channel(trading_stage::REPORTS_DEPTH);
        let (_operators, control) = ring::channel(4);
        let pairs = std::array::from_fn(|_| recorder::pair(clock.clone()));
        let [feed_hops, trading_hops, gateway_hops] = pairs;
        let streams = (stream(folders, "trading"), stream(folders, "gateway"));
        let copier =
            Copier::spawn(vec![streams.0.drain, streams.1.drain], Duration::from_millis(10));

        let listings: Vec<Listing> = instruments.iter().map(Listing::from).collect();
        let day = Timestamp::from_nanos(BEGIN.nanos() / Nanos::DAY.get() * Nanos::DAY.get());
        let decoder = Decoder::new(&listings, day).unwrap();
        let mut config = FeedConfig::new(1);
        config.requests = Requests { tries: 0, ..config.requests };
        let feed = UdpFeed::new(Feed::new(config, decoder, false), vec![line], None);
        let io = || wire::open(wire::Backend::Plain).unwrap().io;
        let (outbox, feed_told) = mailbox(FeedSnapshot::new(1), FeedSnapshot::new(1));
        let feed = FeedStage::new(io(), feed, events, feed_hops.0, outbox);

        let opening = OpeningState { epoch: 1, ..OpeningState::default() };
        let trading = TradingLoop::new(settings(instruments.clone()), &opening);
        let room = Arc::new(AtomicUsize::new(0));
        let tape = Paced { writer: streams.0.writer, room: room.clone() };
        let publish = RingPublish::new(commands, None);
        let stamps = LiveStamps::new(trading_hops.0);
        let start = Start { now: BEGIN, ..Start::default() };
        let driver = LoopDriver::start(trading, tape, publish, stamps, &start).unwrap();
        let count = instruments.len();
        let (outbox, trading_told) =
            mailbox(TradingSnapshot::new(count), TradingSnapshot::new(count));
        let gate = Arc::new(Gate::default());
        let lifecycle = Arc::new(Lifecycle::default());
        let (stop, ends) = (Arc::default(), lifecycle.clone());
        let links = Links { gate: gate.clone(), lifecycle: ends, stop, outbox };
        let inputs = Inputs { events: events_in, reports: reports_in, drop_copy: None, control };
        let trading = TradingStage::new(driver, inputs, Time::Clock, links);

        let address = venue.address();
        let store = FixStore::new(streams.1.writer, Numbers::default(), &[]);
        let config = SessionConfig {
            reset_on_logon: Reset::WhenNew,
            ..SessionConfig::initiator("US", "VENUE")
        };
        let (outbox, gateway_told) =
            mailbox(GatewaySnapshot::default(), GatewaySnapshot::default());
        let plan = Plan::plain(address.ip().to_string(), address.port());
        let pace = Pace { first: Nanos::SECOND, longest: Nanos::SECOND };
        let gateway = GatewayStage::new(GatewayParts {
            connection: ConnectionParts {
                io: io(),
                session: Session::new(config, store).unwrap(),
                connector: Connector::spawn(plan).unwrap(),
                reconnect: Reconnect::new(pace, 1),
                hours: SessionHours::default(),
                looks: Looks::alone(),
                socket: Arc::default(),
            },
            entry: OrderEntry::new(
                Instruments::new(&instruments).unwrap(),
                1 << 12,
                Dialect::default(),
            ),
            commands: commands_in,
            reports,
            limiter: limiter(),
            drop_copy: Arc::default(),
            gate,
            lifecycle,
            recorder: gateway_hops.0,
            outbox,
        });
        let told = (feed_told, trading_told, gateway_told);
        let collectors = vec![feed_hops.1, trading_hops.1, gateway_hops.1];
        let copier = copier.unwrap();
        (
            Fused {
                feed,
                trading,
                gateway,
                room,
                told,
                collectors,
                copier,
                counting: false,
                polls: 0,
                did: [[0; ACTS.len()]; 3],
            },
            venue,
        )
    }

    /// Polls until nothing is left to do, keeps house now and then, and gives the
    /// allocations of that.
    fn poll(&mut self, now: Timestamp) -> u64 {
        self.wait_for_room(now);
        self.polls += 1;
        let keeps_house = self.polls.is_multiple_of(HOUSEKEEPING_EVERY);
        if keeps_house {
            self.ask();
        }
        let before = ALLOCATIONS.get();
        ARMED.set(self.counting);
        loop {
            let works = [self.feed.poll(now), self.trading.poll(now), self.gateway.poll(now)];
            assert!(!works.contains(&Work::BackPressured));
            let dids = [self.feed.did(), self.trading.did(), self.gateway.did()];
            for (sums, did) in self.did.iter_mut().zip(dids) {
                ACTS.iter().zip(sums).for_each(|((act, _), sum)| *sum += did.count(*act));
            }
            if works == [Work::Idle; 3] {
                break;
            }
        }
        if keeps_house {
            self.feed.housekeeping(now);
            self.trading.housekeeping(now);
            self.gateway.housekeeping(now);
        }
        self.counting &= ARMED.replace(false);
        ALLOCATIONS.get() - before
    }

    /// Waits for the journal's thread.
    fn wait_for_room(&mut self, now: Timestamp) {
        let gateway = |engine: &Fused| engine.gateway.session().store().writer().room();
        while self.room.load(Ordering::Relaxed) < ROOM || gateway(self) < ROOM {
            std::thread::sleep(Duration::from_millis(1));
            // It has nothing to do now but to look at its room.
            self.trading.poll(now);
        }
    }

    /// What a reader of telemetry does: takes what was told and asks for more.
    fn ask(&mut self) {
        self.told.0.latest();
        self.told.1.latest();
        self.told.2.latest();
        for collector in &mut self.collectors {
            collector.collect();
        }
    }

    fn counters(&self) -> &Counters {
        self.trading.trading().counters()
    }
}

/// Lets the market go on until the loop has seen so many events; gives the stages' allocations.
fn run(engine: &mut Fused, venue: &mut Venue, events: u64) -> u64 {
    let mut allocations = 0;
    while engine.counters().events < events {
        venue.trade();
        loop {
            allocations += engine.poll(venue.now);
            venue.take_orders();
            if engine.feed.feed().moldudp64().unwrap().receiver().expected()
                == venue.next_sequence()
            {
                break;
            }
        }
    }
    allocations
}

/// What the stages say they did is what passed between them.
fn blame(did: &[[u64; ACTS.len()]; 3], counters: &Counters) {
    let [feed, trading, gateway] = did;
    let of = |stage: &[u64; ACTS.len()], act: Act| stage[act as usize];
    assert_eq!(of(feed, Act::Events), of(trading, Act::Events));
    assert!(of(trading, Act::Events) >= counters.events);
    assert!(of(feed, Act::Datagrams) >= counters.packets / 2);
    assert_eq!(of(trading, Act::Commands), of(gateway, Act::Commands));
    assert!(of(trading, Act::Commands) >= counters.commands());
    assert_eq!(of(gateway, Act::Reports), of(trading, Act::Reports));
    assert!(of(trading, Act::Reports) >= counters.fills);
    for (stage, act, name) in [
        (trading, Act::Hash, "hash"),
        (trading, Act::Segment, "segment"),
        (trading, Act::Timers, "timers"),
        (gateway, Act::Bytes, "bytes"),
    ] {
        assert!(of(stage, act) > 0, "{name}");
    }
    assert_eq!((of(gateway, Act::Asked), of(gateway, Act::Connected)), (1, 1));
    assert_eq!((of(gateway, Act::Ended), of(trading, Act::Operator)), (0, 0));
}

#[test]
fn a_million_events_without_an_allocation() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, _calibrator) = clock::calibrate();
    // Mapped files on a disk wait for it: correct, but slow.
    let hot = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let (mut engine, mut venue) = Fused::new((folder.path(), hot.path()), &clock);
    while engine.trading.trading().session() != OrderSession::Ready {
        engine.poll(venue.now);
        venue.take_orders();
        std::thread::sleep(Duration::from_millis(1));
    }
    run(&mut engine, &mut venue, WARM_UP);
    let begun = engine.counters().clone();

    engine.counting = true;
    let allocations = run(&mut engine, &mut venue, begun.events + COUNTED);

    let ended = engine.counters();
    println!("{ended:?}");
    assert_eq!(allocations, 0);
    assert!(ended.events - begun.events >= COUNTED);
    // It was the whole path: quotes moved, fills came back, nothing was wrong.
    for (what, from, to) in [
        ("new orders", begun.news, ended.news),
        ("replaces", begun.replaces, ended.replaces),
        ("cancels", begun.cancels, ended.cancels),
        ("fills", begun.fills, ended.fills),
        ("reports", begun.reports, ended.reports),
    ] {
        assert!(to - from > 100, "{what}: {}", to - from);
    }
    assert_eq!((ended.unpublished, ended.illegal_moves, ended.contradictions), (0, 0, 0));
    assert_eq!(engine.told.0.latest().lost, 0);
    blame(&engine.did, engine.counters());
    // The counter itself works.
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(ALLOCATIONS.get() - before, 1);
    let Fused { trading, gateway, copier, .. } = engine;
    drop((trading, gateway));
    copier.finish().unwrap();
}
