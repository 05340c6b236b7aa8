//! The real engine, its stages in hand: feed, trading and gateway on real sockets, with risk limits,
//! hop recorders and a journal on tmpfs, to be polled by the bench in the turns of [`Core`].
//!
//! It is put together as the topology does it; only what records may be left out, for the figure
//! that says what recording costs.

use crate::wired::market::{Listed, midnight};
use crate::wired::noted::Noted;
use crate::wired::venue::{EPOCH, Numbers, client_session};
use anyhow::{Context as _, anyhow};
use engine::journal::{self, Copier, Drain, JournalSettings, StreamState};
use engine::latency::hops::HOPS;
use engine::latency::{Collector, Hop, Recorder, recorder};
use engine::pipeline::connector::{Connector, Plan};
use engine::pipeline::feed_stage::{self, FeedStage};
use engine::pipeline::fix_connection::{ConnectionParts, SessionHours};
use engine::pipeline::fix_store::{self, FixStore, TimedStore};
use engine::pipeline::gateway_stage::{GatewayParts, GatewayStage};
use engine::pipeline::looks::Looks;
use engine::pipeline::loop_driver::LoopDriver;
use engine::pipeline::reconnect::{Pace, Reconnect};
use engine::pipeline::records::Start;
use engine::pipeline::tape::{NoTape, Tape};
use engine::pipeline::telemetry::{
    FeedSnapshot, GatewaySnapshot, Inbox, Outbox, TradingSnapshot, mailbox,
};
use engine::pipeline::trading_stage::{
    self, CommandSlot, Inputs, Links, LiveStamps, RingPublish, Time, TradingStage,
};
use engine::runtime::clock::Clock;
use engine::runtime::ring::{self, Consumer, Producer};
use engine::runtime::stage::{Core, Idle, Stage, StageCounters};
use engine::trading::risk::Limits;
use engine::trading::{OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules};
use feeds::itch50::{Decoder, Listing};
use feeds::moldudp64::{Config as FeedConfig, Requests};
use feeds::{Feed, UdpFeed};
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::rates::Limiter;
use gateway::session::Session;
use market::{Event, Money, Nanos, Qty, Report};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strategies::{Parameters, QuoterSettings};
use wire::udp::Socket;

/// What one order shows.
pub const SIZE: i64 = 100;
/// Where no server is: one that is never needed, whose socket is polled as in a real run.
pub const NO_SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9);
/// Requests the gateway remembers.
const REQUESTS: usize = 16_384;

/// How an engine of the bench differs from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Every input, command and frame is recorded.
    pub journal: bool,
    /// The kernel says when it got each datagram.
    pub kernel_stamps: bool,
    /// The gateway has a core of its own.
    pub split: bool,
    /// How bytes go to the kernel.
    pub backend: wire::Backend,
}

impl Options {
    /// Everything on, fused, over the cheaper calls for single messages.
    pub const FULL: Options =
        Options { journal: true, kernel_stamps: true, split: false, backend: wire::Backend::Plain };
}

/// What an engine of the bench is joined to.
pub struct Setup<'a> {
    /// Where the market data comes.
    pub line: Socket,
    /// Where orders go.
    pub venue: SocketAddr,
    /// Where missing messages are asked for.
    pub server: SocketAddrV4,
    /// What it is told of.
    pub listed: &'a Listed,
    /// Folders of the journal, on disk and in memory.
    pub folders: (&'a Path, &'a Path),
    /// The rest.
    pub options: Options,
}

/// What others than the cores look at.
pub struct Watch {
    collectors: Vec<Collector>,
    told: (Inbox<FeedSnapshot>, Inbox<TradingSnapshot>, Inbox<GatewaySnapshot>),
    /// It copies for as long as anyone watches.
    #[allow(dead_code)]
    copier: Option<Copier>,
    /// The loop's stream of the journal, where there is one, and how far it is written.
    recorded: Option<(Arc<StreamState>, Arc<AtomicU64>)>,
}

impl Watch {
    /// Does what a reader of telemetry does.
    pub fn look(&mut self) {
        for collector in &mut self.collectors {
            collector.collect();
        }
        self.told.0.latest();
        self.told.1.latest();
        self.told.2.latest();
    }

    /// The median of each hop on the way to an order so far, as the engine itself measures it: its
    /// name and nanoseconds.
    pub fn hops(&mut self) -> Vec<(&'static str, u64)> {
        let mut totals = recorder::empty_set();
        for collector in &mut self.collectors {
            recorder::merge(&mut totals, collector.collect());
        }
        let way = HOPS.iter().filter(|(hop, ..)| Hop::Decoded <= *hop && *hop <= Hop::Sent);
        way.map(|(hop, name, _)| (*name, totals[hop.index()].value_at_quantile(0.5))).collect()
    }

    /// Records of the loop that are not on disk yet.
    #[must_use]
    pub fn unsynced(&self) -> u64 {
        self.recorded.as_ref().map_or(0, |(stream, written)| {
            written.load(Ordering::Relaxed).saturating_sub(stream.synced())
        })
    }

    /// What the order session said when it last failed or ended; asks for more.
    pub fn session_said(&mut self) -> String {
        self.told.2.latest().last_error.clone()
    }

    /// What feed and trading told last, and asks for more.
    pub fn told(&mut self) -> (&FeedSnapshot, &TradingSnapshot) {
        self.told.2.latest();
        (self.told.0.latest(), self.told.1.latest())
    }
}

struct Ends {
    feed: (Producer<Event>, Recorder, Outbox<FeedSnapshot>),
    trading: (Inputs, Producer<CommandSlot>, Recorder, Outbox<TradingSnapshot>),
    gateway: (Consumer<CommandSlot>, Producer<Report>, Recorder, Outbox<GatewaySnapshot>),
}

fn ends(clock: &Clock, listed: &Listed) -> (Ends, Watch) {
    let count = listed.instruments.len();
    let (events_in, events) = ring::channel(feed_stage::RING_DEPTH);
    let (commands_in, commands) = ring::channel(trading_stage::COMMANDS_DEPTH);
    let (reports_in, reports) = ring::channel(trading_stage::REPORTS_DEPTH);
    let (_, control) = ring::channel(64);
    let [feed_hops, trading_hops, gateway_hops] =
        std::array::from_fn(|_| recorder::pair(clock.clone()));
    let feed_told = mailbox(FeedSnapshot::new(1), FeedSnapshot::new(1));
    let trading_told = mailbox(TradingSnapshot::new(count), TradingSnapshot::new(count));
    let gateway_told = mailbox(GatewaySnapshot::default(), GatewaySnapshot::default());
    let inputs = Inputs { events, reports, drop_copy: None, control };
    let ends = Ends {
        feed: (events_in, feed_hops.0, feed_told.0),
        trading: (inputs, commands_in, trading_hops.0, trading_told.0),
        gateway: (commands, reports_in, gateway_hops.0, gateway_told.0),
    };
    let collectors = vec![feed_hops.1, trading_hops.1, gateway_hops.1];
    let told = (feed_told.1, trading_told.1, gateway_told.1);
    (ends, Watch { collectors, told, copier: None, recorded: None })
}

/// Joins the best prices of what is quoted. Everything is checked, nothing that the bench does is
/// refused.
fn settings(listed: &Listed) -> anyhow::Result<TradingSettings> {
    let instruments = listed.instruments.clone();
    let spec = strategies::find("joiner").context("the joiner is built in")?;
    #[allow(clippy::cast_precision_loss)]
    let given = [("size", SIZE as f64)];
    let parameters = Parameters::new(spec.parameters, &given);
    let parameters = parameters.map_err(|errors| anyhow!("the joiner refuses: {errors:?}"))?;
    let limits = Limits {
        order_qty: Qty::from_raw(1_000),
        order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
        position: Qty::from_raw(2_000),
        collar_bps: 500,
        reference_age: Nanos::from_secs(5),
    };
    Ok(TradingSettings {
        limits: vec![Some(limits); instruments.len()],
        strategies: vec![StrategySetting {
            strategy: (spec.build)(&parameters)?,
            instruments: listed.quoted.clone(),
        }],
        quoter: QuoterSettings::default(),
        books: listed.books,
        instruments,
        messages: (1_000_000, 10_000),
        stale_after: Nanos::from_secs(5),
        answer_within: Nanos::from_secs(2),
        orders: 4_096,
        executions: 65_536,
        seed: 1,
        lockstep: false,
        shows_own_orders: true,
        venue: VenueRules::default(),
    })
}

fn feed(
    (line, server): (Socket, SocketAddrV4),
    (ring, recorder, outbox): (Producer<Event>, Recorder, Outbox<FeedSnapshot>),
    (listed, options): (&Listed, Options),
    clock: &Clock,
) -> anyhow::Result<FeedStage> {
    if options.kernel_stamps {
        line.enable_kernel_times()?;
    }
    let listings: Vec<Listing> = listed.instruments.iter().map(Listing::from).collect();
    let decoder = Decoder::new(&listings, midnight(clock.now()))?;
    let requests = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    let mut config = FeedConfig::new(1);
    config.server = Some(server);
    config.requests = Requests { tries: 3, ..config.requests };
    let feed =
        UdpFeed::new(Feed::new(config, decoder, false), vec![line], Some((requests, server)));
    Ok(FeedStage::new(wire::open(options.backend)?.io, feed, ring, recorder, outbox))
}

fn stream(
    (disk, hot): (&Path, &Path),
    (name, segment_bytes): (&str, u64),
    clock: &Clock,
) -> anyhow::Result<journal::Opened> {
    let mut settings = JournalSettings::new(&disk.join("journal"), name);
    settings.hot_dir = hot.to_owned();
    settings.segment_bytes = segment_bytes;
    Ok(journal::create(&settings, clock.now())?)
}

/// Builds an engine: one core, or that of feed and trading and that of the gateway.
///
/// # Errors
/// What the host refuses.
pub fn build(setup: Setup<'_>, clock: &Clock) -> anyhow::Result<(Vec<Core>, Watch)> {
    let numbers = fix_store::Numbers::default();
    if !setup.options.journal {
        return build_over(setup, NoTape, Numbers::default(), Vec::new(), clock);
    }
    let trading = stream(setup.folders, ("trading", setup.listed.segment_bytes), clock)?;
    let gateway = stream(setup.folders, ("gateway", 16 << 20), clock)?;
    let (store, recorded) = (FixStore::new(gateway.writer, numbers, &[]), trading.writer.state());
    let drains = vec![trading.drain, gateway.drain];
    let (tape, written) = Noted::new(trading.writer);
    let (cores, mut watch) = build_over(setup, tape, store, drains, clock)?;
    watch.recorded = Some((recorded, written));
    Ok((cores, watch))
}

fn build_over<T: Tape + 'static, S: TimedStore + Send + 'static>(
    setup: Setup<'_>,
    tape: T,
    store: S,
    drains: Vec<Drain>,
    clock: &Clock,
) -> anyhow::Result<(Vec<Core>, Watch)> {
    let (ends, mut watch) = ends(clock, setup.listed);
    if !drains.is_empty() {
        watch.copier = Some(Copier::spawn(drains, Duration::from_millis(10))?);
    }
    let feed = feed((setup.line, setup.server), ends.feed, (setup.listed, setup.options), clock)?;
    let opening = OpeningState { epoch: EPOCH, ..OpeningState::default() };
    let trading = TradingLoop::new(settings(setup.listed)?, &opening);
    let (inputs, commands, recorder, outbox) = ends.trading;
    let (publish, stamps) = (RingPublish::new(commands, None), LiveStamps::new(recorder));
    let start = Start { now: clock.now(), ..Start::default() };
    let driver = LoopDriver::start(trading, tape, publish, stamps, &start);
    let driver = driver.context("the tape has no room for the start")?;
    let (gate, lifecycle, stop): (Arc<_>, Arc<_>, Arc<_>) = Default::default();
    let links = Links {
        gate: Arc::clone(&gate),
        lifecycle: Arc::clone(&lifecycle),
        stop: Arc::clone(&stop),
        outbox,
    };
    let trading = TradingStage::new(driver, inputs, Time::Clock, links);
    let (commands, reports, recorder, outbox) = ends.gateway;
    let plan = Plan::plain(setup.venue.ip().to_string(), setup.venue.port());
    let pace = Pace { first: Nanos::SECOND, longest: Nanos::SECOND };
    let looks = Looks::alone();
    let looks = if setup.options.split { looks } else { looks.beside_market_data() };
    let gateway = GatewayStage::new(GatewayParts {
        connection: ConnectionParts {
            io: wire::open(setup.options.backend)?.io,
            session: Session::new(client_session(), store)?,
            connector: Connector::spawn(plan)?,
            reconnect: Reconnect::new(pace, 1),
            hours: SessionHours::default(),
            looks,
            socket: Arc::default(),
        },
        entry: OrderEntry::new(
            Instruments::new(&setup.listed.instruments)?,
            REQUESTS,
            Dialect::default(),
        ),
        commands,
        reports,
        limiter: Limiter::default(),
        drop_copy: Arc::default(),
        gate,
        lifecycle,
        recorder,
        outbox,
    });
    let core = |stages: Vec<Box<dyn Stage>>| {
        let counted = |stage| (stage, Arc::new(StageCounters::default()));
        let stages = stages.into_iter().map(counted).collect();
        Core::new(stages, Idle::Spin, clock.clone(), Arc::clone(&stop))
    };
    let cores = if setup.options.split {
        vec![core(vec![Box::new(feed), Box::new(trading)]), core(vec![Box::new(gateway)])]
    } else {
        vec![core(vec![Box::new(feed), Box::new(trading), Box::new(gateway)])]
    };
    Ok((cores, watch))
}
