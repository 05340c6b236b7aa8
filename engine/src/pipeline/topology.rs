//! The pipeline in one picture: stages, rings, depths, cores.
//!
//! ```text
//!   UDP A,B ─▶ feed ──feed_trading──▶ trading ──trading_gateway──▶ gateway ─▶ TCP
//!                                       ▲  ▲                          │
//!                          control_trading └──────gateway_trading─────┘
//!                                          drop_copy_trading ◀── drop copy ◀─ TCP
//! ```
//!
//! Cores are threads that poll one or more of the stages; the configuration says which. Every
//! thread and every socket is made here, before anything is pinned.

mod ended;
pub mod feed;
mod sides;
mod threads;

use crate::config::choice::{ClockSource, Protocol};
use crate::config::cores::Stage as StageName;
use crate::config::run::RunConfig;
use crate::journal::{Copier, Durability, StreamState};
use crate::latency::recorder::{self, Collector, Recorder};
use crate::pipeline::assembly::{self, LoopMode};
use crate::pipeline::feed_stage;
use crate::pipeline::fix_connection::OrderSocket;
use crate::pipeline::fix_store::FixStore;
use crate::pipeline::gate::{Gate, Shut};
use crate::pipeline::lifecycle::Lifecycle;
use crate::pipeline::loop_driver::LoopDriver;
use crate::pipeline::reconnect::Logons;
use crate::pipeline::records::Start;
use crate::pipeline::streams::{self, SessionStream, Streams};
use crate::pipeline::tally::Tally;
use crate::pipeline::telemetry::{
    FeedSnapshot, GatewaySnapshot, Telemetry, TradingSnapshot, mailbox,
};
use crate::pipeline::trading_stage::{
    self, CommandSlot, Inputs, Links, LiveStamps, RingPublish, Time, TradingStage,
};
use crate::runtime::clock::Clock;
use crate::runtime::cores;
use crate::runtime::ring::{self, Consumer, Producer};
use crate::runtime::stage::Stage;
use crate::runtime::usage::CoreWatch;
use crate::trading::{Control, TradingLoop};
use anyhow::Context as _;
use market::{Event, Report, Timestamp};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub use ended::Ended;

/// Depth of `control_trading`: operators are few and slow.
const CONTROL_DEPTH: usize = 64;

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
    /// What the kernel counts of every core's thread.
    pub watches: Vec<Arc<CoreWatch>>,
    /// Health of every stream.
    pub streams: Vec<Arc<StreamState>>,
    /// What the host refused and what else people should know, a line each.
    pub notices: Vec<String>,
}

struct Rings {
    feed_trading: (Producer<Event>, Consumer<Event>),
    trading_gateway: (Producer<CommandSlot>, Consumer<CommandSlot>),
    gateway_trading: (Producer<Report>, Consumer<Report>),
    drop_copy_trading: (Producer<Report>, Consumer<Report>),
    control_trading: (Producer<Control>, Consumer<Control>),
}

impl Rings {
    fn new() -> Rings {
        Rings {
            feed_trading: ring::channel(feed_stage::RING_DEPTH),
            trading_gateway: ring::channel(trading_stage::COMMANDS_DEPTH),
            gateway_trading: ring::channel(trading_stage::REPORTS_DEPTH),
            drop_copy_trading: ring::channel(trading_stage::REPORTS_DEPTH),
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
    /// What the drop copy sends, for the limits that it shares with the order session.
    tally: Arc<Tally>,
    /// The venue's limit on connections, if it has one.
    logons: Option<Arc<Logons>>,
}

/// Starts the engine: journal, sockets, stages, cores.
///
/// # Errors
/// A chain that says what could not be had.
pub fn start(config: &RunConfig, clock: &Clock) -> anyhow::Result<Pipeline> {
    let now = clock.now();
    let streams = streams::open(config, now).context("the journal cannot be taken over")?;
    let Streams { trading, gateway, drop_copy, opening, missed, mut notices } = streams;
    let shared = Shared { logons: Logons::of(&config.transport), ..Shared::default() };
    if opening.killed.is_some() {
        shared.gate.shut(Shut::Killed);
    }
    let every = streams::durability(config).copy_every();
    let (mut states, mut drains) = (vec![trading.writer.state()], vec![trading.drain]);
    let mut store = |stream: SessionStream| -> anyhow::Result<_> {
        let SessionStream { opened, numbers, used, kept } = stream;
        states.push(opened.writer.state());
        drains.push(opened.drain);
        let secrets = config.venue.secret_tags();
        let mut store = FixStore::new(opened.writer, numbers, &secrets).keeping(kept);
        store.record_start(now)?;
        Ok((store, used))
    };
    let gateway = store(gateway)?;
    let drop_copy = drop_copy.map(store).transpose()?;
    let copier = Copier::spawn(drains, every)?;
    let rings = Rings::new();
    let pairs: [(Recorder, Collector); 4] = std::array::from_fn(|_| recorder::pair(clock.clone()));
    let [feed_hops, trading_hops, gateway_hops, copy_hops] = pairs;

    let count = config.trading.instruments.len();
    let trading_told = mailbox(TradingSnapshot::new(count), TradingSnapshot::new(count));
    let empty = || match config.feed.protocol {
        Protocol::Fix => FeedSnapshot::of_fix(),
        _ => FeedSnapshot::new(config.feed.lines()),
    };
    let feed_told = mailbox(empty(), empty());
    let gateway_told = mailbox(GatewaySnapshot::default(), GatewaySnapshot::default());

    let (ring, hops) = (rings.feed_trading.0, feed_hops.0);
    let feed = feed::stage(config, now, (ring, hops, feed_told.0), &shared, &mut notices)?;
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
    let synced_within = until_synced.then_some(config.watchdog.stall_ms);
    let publish = RingPublish::new(rings.trading_gateway.0, synced_within);
    let stamps = LiveStamps::new(trading_hops.0);
    let trading_loop = TradingLoop::new(settings, &opening);
    let mut driver = LoopDriver::start(trading_loop, trading.writer, publish, stamps, &start)
        .context("the journal has no room for the first record: raise [journal] segment_bytes")?;
    missed.iter().for_each(|report| driver.report(begun, report));
    let inputs = Inputs {
        events: rings.feed_trading.1,
        reports: rings.gateway_trading.1,
        drop_copy: drop_copy.is_some().then_some(rings.drop_copy_trading.1),
        control: rings.control_trading.1,
    };
    let Shared { gate, lifecycle, socket, stop, .. } = shared.clone();
    let links = Links { gate: gate.clone(), lifecycle, stop, outbox: trading_told.0 };
    let trading = TradingStage::new(driver, inputs, time, links);

    let (commands, reports) = (rings.trading_gateway.1, rings.gateway_trading.0);
    let ends = (commands, reports, gateway_hops.0, gateway_told.0);
    let layout = threads::layout(config);
    let [looks, copy_looks] = threads::looks(&layout)?;
    let gateway = sides::order_gateway(config, gateway, ends, (looks, &shared), &mut notices)?;
    let copies = rings.drop_copy_trading.0;
    let (drop_copy, drop_copy_told) = match drop_copy {
        Some(store) => {
            let told = mailbox(GatewaySnapshot::default(), GatewaySnapshot::default());
            let ends = (copies, copy_hops.0, told.0);
            let shared = (copy_looks, &shared);
            (sides::drop_copy(config, store, ends, shared, &mut notices)?, Some(told.1))
        }
        None => (None, None),
    };

    let mut stages: Vec<(StageName, Box<dyn Stage>)> = vec![
        (StageName::Feed, Box::new(feed)),
        (StageName::Trading, Box::new(trading)),
        (StageName::Gateway, Box::new(gateway)),
    ];
    if let Some(drop_copy) = drop_copy {
        stages.push((StageName::DropCopy, Box::new(drop_copy)));
    }
    notices.extend(cores::lock_memory().err());
    let cores = threads::spawn(config, layout, stages, clock, &shared, &mut notices)?;
    Ok(Pipeline {
        cores: cores.threads,
        watches: cores.watches.clone(),
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
            drop_copy: drop_copy_told,
            gate,
            stages: cores.counters,
            cores: cores.watches,
            collectors: vec![feed_hops.1, trading_hops.1, gateway_hops.1, copy_hops.1],
            clock: clock.clone(),
        })),
        streams: states,
        notices,
    })
}
