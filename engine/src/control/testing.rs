//! A trading loop on a thread, for tests of what is told to it and read from it. Nothing but tests
//! may use it.

use crate::control::operators::Operators;
use crate::latency;
use crate::pipeline::gate::Gate;
use crate::pipeline::loop_driver::{LoopDriver, NoStamps, Publish, Stamps};
use crate::pipeline::records::Start;
use crate::pipeline::tape::NoTape;
use crate::pipeline::telemetry::{
    FeedSnapshot, GatewaySnapshot, Outbox, Telemetry, TradingSnapshot, mailbox,
};
use crate::runtime::clock::{self, Clock};
use crate::runtime::did::{Act, Did};
use crate::runtime::ring::{self, Consumer};
use crate::runtime::stage::{StageCounters, Work};
use crate::runtime::usage::CoreWatch;
use crate::trading::{Control, OpeningState, TradingLoop, TradingSettings, VenueRules};
use market::book::BookLimits;
use market::{Command, Instrument, Nanos};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Commands go nowhere.
struct Nowhere;

impl Publish for Nowhere {
    fn has_room(&self) -> bool {
        true
    }

    fn publish(&mut self, _command: &Command, _stamps: Stamps, _sequence: u64) {}
}

/// The cores' ends of what an engine tells.
struct Cores {
    controls: Consumer<Control>,
    trading: Outbox<TradingSnapshot>,
    feed: Outbox<FeedSnapshot>,
    gateway: Outbox<GatewaySnapshot>,
    recorder: latency::Recorder,
    clock: Clock,
}

/// A loop that takes controls and tells how it stands, until dropped.
pub(crate) struct Engine {
    pub(crate) operators: Arc<Operators>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) telemetry: Arc<Mutex<Telemetry>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// One that runs.
    pub(crate) fn running() -> Engine {
        let (mut engine, cores) = Engine::build(Duration::from_secs(60));
        engine.measured();
        let stop = engine.stop.clone();
        engine.thread = Some(std::thread::spawn(move || run(cores, &stop)));
        engine
    }

    /// As if its core had been warm for long and had just done something.
    fn measured(&mut self) {
        let mut telemetry = self.telemetry.lock().unwrap();
        let counters = &telemetry.stages[0].1;
        counters.warm_up_is_over();
        let mut did = Did::default();
        did.add(Act::Events, 37);
        let now = wire::stamp::now();
        assert!(counters.count(Work::Busy, now - 5_000, now));
        counters.note_longest(Work::Busy, 5_000, telemetry.clock.now(), did);
        telemetry.cores.push(Arc::new(CoreWatch::warm("trading")));
    }

    /// One whose cores never come to poll.
    pub(crate) fn stalled() -> Engine {
        Engine::build(Duration::from_millis(5)).0
    }

    fn build(within: Duration) -> (Engine, Cores) {
        let (clock, _) = clock::calibrate();
        let (acts, controls) = ring::channel(4);
        let (trading, trading_in) = mailbox(TradingSnapshot::new(1), TradingSnapshot::new(1));
        let (feed, feed_in) = mailbox(FeedSnapshot::new(2), FeedSnapshot::new(2));
        let (gateway, gateway_in) = mailbox(GatewaySnapshot::default(), GatewaySnapshot::default());
        let (recorder, collector) = latency::recorder::pair(clock.clone());
        let gate = Arc::new(Gate::default());
        let telemetry = Arc::new(Mutex::new(Telemetry {
            engine: "bench".to_owned(),
            environment: "demo".to_owned(),
            instruments: vec![Instrument::share(0, "TLA")],
            trading: trading_in,
            feed: feed_in,
            gateway: gateway_in,
            drop_copy: None,
            gate: gate.clone(),
            stages: vec![("trading", Arc::new(StageCounters::default()))],
            cores: Vec::new(),
            collectors: vec![collector],
            clock: clock.clone(),
        }));
        let operators = Operators::new(acts, telemetry.clone()).waiting(within);
        let (operators, stop) = (Arc::new(operators), Arc::default());
        let engine = Engine { operators, gate, telemetry, stop, thread: None };
        (engine, Cores { controls, trading, feed, gateway, recorder, clock })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn settings() -> TradingSettings {
    TradingSettings {
        instruments: vec![Instrument::share(0, "TLA")],
        limits: vec![None],
        strategies: Vec::new(),
        quoter: strategies::QuoterSettings::default(),
        books: BookLimits { instruments: 1, orders: 16, levels: 16 },
        messages: (10, 10),
        stale_after: Nanos::from_secs(1),
        answer_within: Nanos::from_secs(1),
        orders: 16,
        executions: 16,
        seed: 1,
        lockstep: false,
        shows_own_orders: false,
        venue: VenueRules::default(),
    }
}

fn run(mut cores: Cores, stop: &AtomicBool) {
    let trading = TradingLoop::new(settings(), &OpeningState::default());
    let start = Start { now: cores.clock.now(), ..Start::default() };
    let mut driver = LoopDriver::start(trading, NoTape, Nowhere, NoStamps, &start).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let now = cores.clock.now();
        if let Some(control) = cores.controls.pop() {
            driver.control(now, &control);
        }
        cores.recorder.record_nanos(latency::Hop::Decided, 1_500);
        cores.recorder.hand_over();
        cores.trading.offer(|snapshot| snapshot.fill(now, driver.inputs(), driver.trading()));
        cores.feed.offer(|snapshot| snapshot.now = now);
        cores.gateway.offer(|snapshot| snapshot.now = now);
        std::thread::sleep(Duration::from_micros(200));
    }
}
