//! The pipeline in one picture: stages, rings, depths, cores.
//!
//! ```text
//!   UDP A,B ─▶ feed ──feed_trading──▶ trading ──trading_gateway──▶ gateway ─▶ TCP
//!                                       ▲  ▲                          │
//!                          control_trading └──────gateway_trading─────┘
//! ```
//!
//! Cores are threads that poll one or more of the three stages; the configuration says which. Every
//! thread and every socket is made here, before anything is pinned.

use crate::config::choice::{ClockSource, Start as FeedStart};
use crate::config::cores::{Stage as StageName, Thread};
use crate::config::run::RunConfig;
use crate::journal::{Copier, Durability, JournalHealth, StreamState, Writer};
use crate::latency::recorder::{self, Collector, Recorder};
use crate::pipeline::assembly::{self, LoopMode};
use crate::pipeline::connector::Connector;
use crate::pipeline::feed_stage::{self, FeedStage};
use crate::pipeline::fix_store::FixStore;
use crate::pipeline::gate::{Gate, Shut};
use crate::pipeline::gateway_stage::{GatewayCounters, GatewayParts, GatewayStage, OrderSocket};
use crate::pipeline::lifecycle::Lifecycle;
use crate::pipeline::loop_driver::LoopDriver;
use crate::pipeline::records::Start;
use crate::pipeline::streams::{self, Streams};
use crate::pipeline::telemetry::{
    FeedSnapshot, GatewaySnapshot, Outbox, Telemetry, TradingSnapshot, mailbox,
};
use crate::pipeline::trading_stage::{
    self, CommandSlot, Inputs, Links, LiveStamps, RingPublish, Time, TradingStage,
};
use crate::runtime::clock::Clock;
use crate::runtime::cores;
use crate::runtime::ring::{self, Consumer, Producer};
use crate::runtime::stage::{self, Core, Stage, StageCounters};
use crate::trading::{Control, TradingLoop};
use anyhow::Context as _;
use feeds::itch50::{Decoder, Listing};
use feeds::moldudp64::{Config as FeedSettings, Requests, Start as FeedFrom};
use feeds::{Feed, UdpFeed};
use gateway::orders::{Instruments, OrderEntry};
use gateway::session::{Reset, Session, SessionConfig};
use market::{Event, Nanos, Report, Timestamp};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use wire::udp::Socket;

/// Depth of `control_trading`: operators are few and slow.
const CONTROL_DEPTH: usize = 64;
/// Requests the gateway remembers, for rejects that name only a sequence number.
const REQUESTS: usize = 16_384;

/// Everything a running engine shares with whoever started it.
pub struct Pipeline {
    cores: Vec<JoinHandle<Vec<Box<dyn Stage>>>>,
    stop: Arc<AtomicBool>,
    copier: Copier,
    /// `control_trading`, for the operators' socket.
    pub control: Option<Producer<Control>>,
    /// The second gate.
    pub gate: Arc<Gate>,
    /// The order socket, for the watchdog.
    pub socket: Arc<OrderSocket>,
    /// All that cold readers may read; behind a lock that no hot core takes.
    pub telemetry: Arc<Mutex<Telemetry>>,
    /// Health of both streams.
    pub streams: [Arc<StreamState>; 2],
    /// What the host refused and what else people should know, a line each.
    pub notices: Vec<String>,
}

/// What a run leaves, its journal closed.
pub struct Ended {
    /// The loop.
    pub trading: TradingLoop,
    /// Inputs it took.
    pub inputs: u64,
    /// Its last state hash.
    pub state_hash: u128,
    /// What the feed counted.
    pub feed: FeedSnapshot,
    /// What the session counted.
    pub gateway: GatewaySnapshot,
    /// What connections came to.
    pub connections: GatewayCounters,
    /// Hop histograms, gathered to the last.
    pub hops: recorder::HopSet,
    /// What the journal's last round said.
    pub journal: Result<(), crate::journal::JournalError>,
}

struct Rings {
    feed_trading: (Producer<Event>, Consumer<Event>),
    trading_gateway: (Producer<CommandSlot>, Consumer<CommandSlot>),
    gateway_trading: (Producer<Report>, Consumer<Report>),
    control_trading: (Producer<Control>, Consumer<Control>),
}

impl Rings {
    fn new() -> Rings {
        Rings {
            feed_trading: ring::channel(feed_stage::RING_DEPTH),
            trading_gateway: ring::channel(trading_stage::COMMANDS_DEPTH),
            gateway_trading: ring::channel(trading_stage::REPORTS_DEPTH),
            control_trading: ring::channel(CONTROL_DEPTH),
        }
    }
}

/// Flags shared by the stages.
#[derive(Clone, Default)]
struct Shared {
    gate: Arc<Gate>,
    lifecycle: Arc<Lifecycle>,
    socket: Arc<OrderSocket>,
    stop: Arc<AtomicBool>,
}

/// Starts the engine: journal, sockets, stages, cores.
///
/// # Errors
/// A chain that says what could not be had.
pub fn start(config: &RunConfig, clock: &Clock) -> anyhow::Result<Pipeline> {
    let now = clock.now();
    let streams = streams::open(config, now).context("the journal cannot be taken over")?;
    let Streams { trading, gateway, opening, numbers, missed, mut notices } = streams;
    let shared = Shared::default();
    if opening.killed.is_some() {
        shared.gate.shut(Shut::Killed);
    }
    let states = [trading.writer.state(), gateway.writer.state()];
    let every = streams::durability(config).copy_every();
    let copier = Copier::spawn(vec![trading.drain, gateway.drain], every)?;
    let rings = Rings::new();
    let pairs: [(Recorder, Collector); 3] = std::array::from_fn(|_| recorder::pair(clock.clone()));
    let [feed_hops, trading_hops, gateway_hops] = pairs;

    let count = config.trading.instruments.len();
    let lines = 1 + usize::from(config.feed.line_b.is_some());
    let trading_told = mailbox(TradingSnapshot::new(count), TradingSnapshot::new(count));
    let feed_told = mailbox(FeedSnapshot::new(lines), FeedSnapshot::new(lines));
    let gateway_told = mailbox(GatewaySnapshot::default(), GatewaySnapshot::default());

    let (ring, hops) = (rings.feed_trading.0, feed_hops.0);
    let feed = feed(config, now, (ring, hops, feed_told.0), &mut notices)?;
    let stepped = config.clock.source == ClockSource::Feed;
    let time = if stepped { Time::Feed(Timestamp::ZERO) } else { Time::Clock };
    let begun = if stepped { Timestamp::ZERO } else { now };
    let settings = assembly::trading_settings(&config.trading, LoopMode::of_run(config))?;
    let start = Start {
        now: begun,
        mode: "run".to_owned(),
        build: crate::BUILD.to_owned(),
        config: config.resolved(),
        opening: opening.to_bytes(),
        data: String::new(),
    };
    let until_synced = streams::durability(config) == Durability::Power;
    let publish = RingPublish::new(rings.trading_gateway.0, until_synced);
    let stamps = LiveStamps::new(trading_hops.0);
    let trading_loop = TradingLoop::new(settings, &opening);
    let mut driver = LoopDriver::start(trading_loop, trading.writer, publish, stamps, &start)
        .context("the journal has no room for the first record: raise [journal] segment_bytes")?;
    missed.iter().for_each(|report| driver.report(begun, report));
    let inputs = Inputs {
        events: rings.feed_trading.1,
        reports: rings.gateway_trading.1,
        control: rings.control_trading.1,
    };
    let Shared { gate, lifecycle, socket, stop } = shared.clone();
    let links = Links { gate: gate.clone(), lifecycle, stop, outbox: trading_told.0 };
    let trading = TradingStage::new(driver, inputs, time, links);

    let mut store = FixStore::new(gateway.writer, numbers);
    store.record_start(now)?;
    let (commands, reports) = (rings.trading_gateway.1, rings.gateway_trading.0);
    let ends = (commands, reports, gateway_hops.0, gateway_told.0);
    let gateway = order_gateway(config, store, ends, &shared, &mut notices)?;

    let stages: [(StageName, Box<dyn Stage>); 3] = [
        (StageName::Feed, Box::new(feed)),
        (StageName::Trading, Box::new(trading)),
        (StageName::Gateway, Box::new(gateway)),
    ];
    notices.extend(cores::lock_memory().err());
    let (cores, counters) = spawn(config, stages, clock, &shared, &mut notices)?;
    Ok(Pipeline {
        cores,
        stop: shared.stop,
        copier,
        control: Some(rings.control_trading.0),
        gate: gate.clone(),
        socket,
        telemetry: Arc::new(Mutex::new(Telemetry {
            engine: config.engine.name.clone(),
            environment: config.engine.environment.word().to_owned(),
            instruments: assembly::instruments(&config.trading),
            trading: trading_told.1,
            feed: feed_told.1,
            gateway: gateway_told.1,
            gate,
            stages: counters,
            collectors: vec![feed_hops.1, trading_hops.1, gateway_hops.1],
            clock: clock.clone(),
        })),
        streams: states,
        notices,
    })
}

fn feed(
    config: &RunConfig,
    now: Timestamp,
    (ring, recorder, outbox): (Producer<Event>, Recorder, Outbox<FeedSnapshot>),
    notices: &mut Vec<String>,
) -> anyhow::Result<FeedStage> {
    let feed = &config.feed;
    let opened = wire::open(config.wire.backend).context("[wire] backend")?;
    notices.extend(opened.notice);
    let grouped = [Some(feed.line_a), feed.line_b].into_iter().flatten();
    let refusal = match grouped.map(|line| *line.ip()).find(Ipv4Addr::is_multicast) {
        Some(_) => wire::udp::multicast_works(feed.interface).err(),
        None => None,
    };
    if let Some(refusal) = &refusal {
        let interface = feed.interface;
        notices.push(format!(
            "no multicast here ({refusal}): lines are read by unicast at {interface}"
        ));
    }
    let mut lines = Vec::new();
    for (key, address) in [("line_a", Some(feed.line_a)), ("line_b", feed.line_b)] {
        let Some(address) = address else { continue };
        // As the demo exchange publishes then: same port, the interface's own address.
        let address = match refusal {
            Some(_) => SocketAddrV4::new(feed.interface, address.port()),
            None => address,
        };
        let socket = line(address, config).with_context(|| format!("[feed] {key} = {address}"))?;
        let granted = socket.set_receive_buffer(config.wire.receive_buffer_bytes)?;
        if granted < config.wire.receive_buffer_bytes && key == "line_a" {
            let asked = config.wire.receive_buffer_bytes;
            notices.push(format!(
                "receive buffer: {granted} of {asked} bytes granted; raise net.core.rmem_max"
            ));
        }
        lines.push(socket);
    }
    let server = match feed.retransmit {
        Some(SocketAddr::V4(server)) => {
            let any = SocketAddrV4::new(feed.interface, 0);
            Some((Socket::bind(any).context("the socket for retransmissions")?, server))
        }
        _ => None,
    };
    let mut settings = FeedSettings::new(lines.len());
    settings.server = server.as_ref().map(|(_, address)| *address);
    settings.start = match feed.start {
        FeedStart::First => FeedFrom::FromFirst,
        FeedStart::Current => FeedFrom::FromCurrent,
    };
    settings.arbitration_wait = feed.arbitration_wait_us;
    settings.requests = Requests {
        timeout: feed.request_timeout_ms,
        tries: if server.is_some() { feed.request_tries } else { 0 },
        ..settings.requests
    };
    let instruments = assembly::instruments(&config.trading);
    let listings: Vec<Listing> = instruments.iter().map(Listing::from).collect();
    let day = feed.session_day.base(feed.midnight_utc, now);
    let stepped = config.clock.source == ClockSource::Feed;
    let feed = Feed::new(settings, Decoder::new(&listings, day)?, stepped);
    Ok(FeedStage::new(opened.io, UdpFeed::new(feed, lines, server), ring, recorder, outbox))
}

/// A line: a multicast group to join, or an address to bind.
fn line(address: SocketAddrV4, config: &RunConfig) -> std::io::Result<Socket> {
    let socket = if address.ip().is_multicast() {
        Socket::join(address, config.feed.interface)?
    } else {
        Socket::bind(address)?
    };
    if config.wire.kernel_stamps {
        socket.enable_kernel_times()?;
    }
    Ok(socket)
}

type GatewayEnds = (Consumer<CommandSlot>, Producer<Report>, Recorder, Outbox<GatewaySnapshot>);

fn order_gateway(
    config: &RunConfig,
    store: FixStore,
    (commands, reports, recorder, outbox): GatewayEnds,
    shared: &Shared,
    notices: &mut Vec<String>,
) -> anyhow::Result<GatewayStage> {
    let opened = wire::open(config.wire.backend).context("[wire] backend")?;
    // The feed's socket said the same.
    notices.extend(opened.notice.filter(|notice| !notices.contains(notice)));
    let venue = &config.gateway;
    let settings = SessionConfig {
        heartbeat: Nanos::from_secs(venue.heartbeat_s.into()),
        reset_on_logon: if venue.reset_on_logon { Reset::Always } else { Reset::WhenNew },
        ..SessionConfig::initiator(&venue.sender_comp_id, &venue.target_comp_id)
    };
    let instruments = Instruments::new(&assembly::instruments(&config.trading))?;
    let session = Session::new(settings, store)?;
    let connector = Connector::spawn(venue.address.host.clone(), venue.address.port)?;
    Ok(GatewayStage::new(GatewayParts {
        io: opened.io,
        session,
        entry: OrderEntry::new(instruments, REQUESTS, None),
        connector,
        commands,
        reports,
        gate: shared.gate.clone(),
        lifecycle: shared.lifecycle.clone(),
        socket: shared.socket.clone(),
        recorder,
        reconnect: venue.reconnect_ms,
        outbox,
    }))
}

type Cores = (Vec<JoinHandle<Vec<Box<dyn Stage>>>>, Vec<(&'static str, Arc<StageCounters>)>);

/// A core that panics takes its orders with it: the session is cut at once, so that the venue
/// cancels, and the other cores end.
struct PanicGuard(Shared);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Shared { gate, lifecycle, socket, stop } = &self.0;
            gate.shut(Shut::Panicked);
            socket.shut();
            lifecycle.set_quiet();
            stop.store(true, Ordering::Release);
        }
    }
}

/// Puts stages on cores. Threads first, pinned after, from within.
fn spawn(
    config: &RunConfig,
    stages: [(StageName, Box<dyn Stage>); 3],
    clock: &Clock,
    shared: &Shared,
    notices: &mut Vec<String>,
) -> anyhow::Result<Cores> {
    let cpus: BTreeSet<usize> = cores::allowed();
    let threads = config.cores.threads(&cpus);
    let mut counters = Vec::new();
    let mut waiting: Vec<_> = stages.into_iter().map(Some).collect();
    let mut running = Vec::new();
    for Thread { stages: names, cpu } in threads {
        let mut polled: Vec<(Box<dyn Stage>, Arc<StageCounters>)> = Vec::new();
        for place in &mut waiting {
            if place.as_ref().is_some_and(|(name, _)| names.contains(name))
                && let Some((_, stage)) = place.take()
            {
                let cell = Arc::new(StageCounters::default());
                counters.push((stage.name(), cell.clone()));
                polled.push((stage, cell));
            }
        }
        let name = polled.iter().map(|(stage, _)| stage.name()).collect::<Vec<_>>().join("+");
        if let Some(refused) = cpu.and_then(|cpu| (!cpus.contains(&cpu)).then_some(cpu)) {
            notices.push(format!("{name}: CPU {refused} is not to be had here; not pinned"));
        }
        let idle = config.cores.idle;
        let core = Core { stages: polled, idle, clock: clock.clone(), stop: shared.stop.clone() };
        let guard = PanicGuard(shared.clone());
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            let _guard = guard;
            if let Some(Err(refusal)) = cpu.map(cores::pin) {
                tracing::warn!("{refusal}");
            }
            core.run()
        })?;
        running.push(thread);
    }
    Ok((running, counters))
}

impl Pipeline {
    /// Asks the engine to cancel, log out and end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// True once every core has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.cores.iter().all(JoinHandle::is_finished)
    }

    /// What is wrong with the journal, if anything is.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let ill = |state: &&Arc<StreamState>| state.health() != JournalHealth::Good;
        self.streams.iter().find(ill).map(|state| state.complaint())
    }

    /// Waits for the cores, records the end, closes the journal and says what the run came to.
    ///
    /// # Errors
    /// A core that panicked.
    pub fn join(self) -> anyhow::Result<Ended> {
        let (mut feed, mut trading, mut gateway) = (None, None, None);
        for core in self.cores {
            let stages = core.join().map_err(|_| anyhow::anyhow!("a core panicked"))?;
            for stage in stages.into_iter().map(stage::Stage::as_any) {
                let stage = match stage.downcast::<FeedStage>() {
                    Ok(stage) => {
                        feed = Some(*stage);
                        continue;
                    }
                    Err(other) => other,
                };
                match stage.downcast::<GatewayStage>() {
                    Ok(stage) => gateway = Some(*stage),
                    Err(other) => trading = other.downcast::<TradingStage<Writer>>().ok(),
                }
            }
        }
        let (Some(feed), Some(trading), Some(gateway)) = (feed, trading, gateway) else {
            anyhow::bail!("a core did not give its stages back");
        };
        let trading = *trading;
        let mut telemetry = self.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hops = telemetry.hops();
        for held in [feed.recorder(), trading.recorder(), gateway.recorder()] {
            recorder::merge(&mut hops, held.remainder());
        }
        let now = telemetry.clock.now();
        let mut told = (telemetry.feed.current().clone(), GatewaySnapshot::default());
        drop(telemetry);
        told.0.fill(now, feed.feed());
        told.1.fill(now, gateway.session(), gateway.entry());
        let connections = gateway.counters();
        let driver = trading.into_driver();
        let inputs = driver.inputs();
        let (trading, state_hash, writer, _) = driver.finish();
        writer.close();
        gateway.close();
        Ok(Ended {
            trading,
            inputs,
            state_hash,
            feed: told.0,
            gateway: told.1,
            connections,
            hops,
            journal: self.copier.finish(),
        })
    }
}
