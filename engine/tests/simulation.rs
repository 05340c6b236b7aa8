//! The loop as a whole against the matching engine, in virtual time from seeds.

use engine::pipeline::market_source::Market;
use engine::pipeline::records::{self, Start};
use engine::pipeline::simulation::{Finished, LoopClock, OURS, Simulation, TapeFull};
use engine::pipeline::tape::{NoTape, Tape};
use engine::trading::risk::Limits;
use engine::trading::{
    Control, ControlKind, OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules,
};
use market::book::BookLimits;
use market::{Fees, Instrument, InstrumentId, Money, Nanos, Qty, Rate, Rng, Timestamp};
use sim::{ConstantLatency, FlowParameters, Run};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strategies::{Parameters, QuoterSettings};

const GLFT: &[(&str, f64)] =
    &[("gamma", 0.05), ("a", 1.0), ("k", 30.0), ("sigma", 0.02), ("size", 100.0)];

fn instruments(count: u32) -> Vec<Instrument> {
    let fees = Fees { maker: Rate(-10_000), taker: Rate(30_000) };
    (0..count).map(|id| Instrument { fees, ..Instrument::share(id, &format!("S{id}")) }).collect()
}

fn settings(strategy: &str, given: &[(&str, f64)], count: u32) -> TradingSettings {
    let spec = strategies::find(strategy).unwrap();
    let parameters = Parameters::new(spec.parameters, given).unwrap();
    let limits = Limits {
        order_qty: Qty::from_raw(1_000),
        order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
        position: Qty::from_raw(2_000),
        collar_bps: 500,
        reference_age: Nanos::from_secs(5),
    };
    TradingSettings {
        instruments: instruments(count),
        limits: vec![Some(limits); count as usize],
        strategies: vec![StrategySetting {
            strategy: (spec.build)(&parameters).unwrap(),
            instruments: (0..count).map(InstrumentId).collect(),
        }],
        quoter: QuoterSettings::default(),
        books: BookLimits { instruments: count as usize, orders: 65_536, levels: 1_024 },
        messages: (1_000, 200),
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

fn begin(strategy: &str, seed: u64) -> Simulation<NoTape> {
    let start = Timestamp::from_nanos(1_750_000_000_000_000_000);
    let parameters = FlowParameters::default();
    let market =
        Market::synthetic(instruments(3), parameters, seed, start, Run::default()).unwrap();
    let opening = OpeningState { epoch: 1, ..OpeningState::default() };
    let parameters: &[(&str, f64)] = match strategy {
        "glft" => &[("gamma", 0.05), ("a", 1.0), ("k", 30.0), ("sigma", 0.02), ("size", 100.0)],
        _ => &[("size", 100.0)],
    };
    let trading = TradingLoop::new(settings(strategy, parameters, 3), &opening);
    let latency = ConstantLatency {
        feed: Nanos::from_micros(20),
        order: Nanos::from_micros(50),
        report: Nanos::from_micros(50),
    };
    let start = Start { now: start, ..Start::default() };
    Simulation::start(trading, market, latency, LoopClock::Virtual, NoTape, &start).unwrap()
}

fn run(strategy: &str, seed: u64, seconds: u64) -> Finished<NoTape> {
    let mut simulation = begin(strategy, seed);
    simulation.run(simulation.now().after(Nanos::from_secs(seconds))).unwrap();
    simulation.finish()
}

fn go_on(simulation: &mut Simulation<NoTape>, span: Nanos) {
    let until = simulation.now().after(span);
    while simulation.step(until).unwrap() {}
    lawful(simulation.driver().trading());
}

/// No move that the life cycle does not have, no report that contradicts the loop.
fn lawful(trading: &TradingLoop) {
    let counters = trading.counters();
    assert_eq!((counters.illegal_moves, counters.contradictions, counters.foreign), (0, 0, 0));
    assert_eq!((counters.duplicates, counters.bad_quotes, counters.strategy_panics), (0, 0, 0));
}

/// Positions and fees are the venue's, and nothing is open on either side.
fn agreed(end: &Finished<NoTape>) {
    lawful(&end.trading);
    assert_eq!(end.trading.account().orders().open_count(), 0);
    let venue = end.market.venue_ref();
    assert_eq!(venue.open_orders(OURS), 0);
    for (id, ours) in (0u32..).map(InstrumentId).zip(end.trading.account().positions()) {
        let theirs = venue.position(OURS, id);
        assert_eq!(market::Position { spread_captured: Money::ZERO, ..*ours }, theirs);
    }
}

/// The open orders are the venue's, one by one.
fn same_orders(simulation: &Simulation<NoTape>) {
    let orders = simulation.driver().trading().account().orders();
    let mut ours: Vec<_> = orders
        .all_open()
        .map(|slot| *orders.get(slot))
        .map(|order| (order.venue_order, order.id, order.price, order.qty, order.cum_qty))
        .collect();
    let mut theirs = Vec::new();
    simulation.market().venue_ref().visit_open_orders(OURS, &mut |order| {
        theirs.push((order.venue_order, order.id, order.price, order.qty, order.cum_qty));
    });
    ours.sort_by_key(|order| order.1);
    theirs.sort_by_key(|order| order.1);
    assert_eq!(ours, theirs);
}

#[test]
fn engine_and_exchange_agree_at_the_end() {
    for (strategy, seconds) in [("glft", 500), ("joiner", 200)] {
        for seed in 0..4 {
            let end = run(strategy, seed, seconds);
            assert!(end.trading.counters().fills > 0, "nothing traded with seed {seed}");
            agreed(&end);
        }
    }
}

#[test]
fn open_orders_are_the_venues_whenever_nothing_is_on_its_way() {
    let mut simulation = begin("joiner", 5);
    let mut compared = 0;
    for _ in 0..600 {
        go_on(&mut simulation, Nanos::from_millis(100));
        if simulation.is_quiet() {
            same_orders(&simulation);
            compared += 1;
        }
    }
    assert!(compared > 300, "quiet only {compared} times of 600");
}

/// Session drops at seeded moments, with a seeded part of what was on its way lost, and outages of
/// seeded length. Gives back how many drops lost a command.
fn run_with_drops(seed: u64) -> (Finished<NoTape>, u32) {
    let mut rng = Rng::new(seed);
    let mut simulation = begin("joiner", seed);
    let mut lost = 0;
    for round in 0..60 {
        go_on(&mut simulation, Nanos::from_micros(rng.below(4_000_000)));
        // Every other drop hits just when something was sent.
        while round % 2 == 0 && simulation.is_quiet() {
            assert_eq!(simulation.step(Timestamp::MAX), Ok(true));
        }
        let in_flight = simulation.orders_in_flight();
        let arriving = usize::try_from(rng.below(in_flight as u64 + 1)).unwrap();
        lost += u32::from(arriving < in_flight);
        simulation.drop_session(arriving);
        assert_eq!(simulation.market().venue_ref().open_orders(OURS), 0);
        go_on(&mut simulation, Nanos::from_micros(rng.below(3_000_000)));
        simulation.restore_session();
    }
    simulation.run(simulation.now().after(Nanos::SECOND)).unwrap();
    (simulation.finish(), lost)
}

#[test]
fn lost_sessions_and_commands_leave_no_difference() {
    let mut lost = 0;
    for seed in 0..8 {
        let (end, lost_here) = run_with_drops(seed);
        assert!(end.trading.counters().fills > 0, "nothing traded with seed {seed}");
        assert!(end.trading.counters().unknown > 0, "nothing was in doubt with seed {seed}");
        agreed(&end);
        lost += lost_here;
    }
    assert!(lost > 20, "only {lost} drops lost a command");
    let hashes = |seed| {
        let (end, _) = run_with_drops(seed);
        (end.run_hash, end.state_hash)
    };
    assert_eq!(hashes(1), hashes(1));
}

#[test]
fn a_kill_stops_all_trading_until_it_is_cleared() {
    let mut simulation = begin("joiner", 9);
    let go = |simulation: &mut Simulation<NoTape>, seconds| {
        go_on(simulation, Nanos::from_secs(seconds));
        let counters = simulation.driver().trading().counters();
        (counters.news, counters.replaces, counters.fills)
    };
    assert!(go(&mut simulation, 20).2 > 0, "nothing traded");
    simulation.control(&Control::new(ControlKind::Kill, "Ada", "drill"));
    // The cancel is on its way for 50 µs: what trades meanwhile is counted as ever.
    let killed = go(&mut simulation, 1);
    assert_eq!(simulation.market().venue_ref().open_orders(OURS), 0);
    assert_eq!(go(&mut simulation, 20), killed, "an order or a fill while killed");
    // The latch outlives the session.
    simulation.drop_session(0);
    simulation.restore_session();
    assert_eq!(go(&mut simulation, 5), killed);
    assert_eq!(simulation.driver().trading().killed(), Some("Ada: drill"));
    simulation.control(&Control::new(ControlKind::Clear, "Ada", "over"));
    assert!(go(&mut simulation, 20).2 > killed.2, "it did not trade again");
    simulation.run(simulation.now()).unwrap();
    agreed(&simulation.finish());
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let hashes = |seed| {
        let end = run("glft", seed, 60);
        (end.run_hash, end.state_hash)
    };
    assert_eq!(hashes(7), hashes(7));
    assert_ne!(hashes(7), hashes(8));
}

/// A tape that breaks its word at one record: promised room, then none.
struct Failing {
    left: u64,
    published: Arc<AtomicU64>,
}

impl Tape for Failing {
    fn has_room(&self) -> bool {
        true
    }

    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        if kind == records::kind::COMMAND && parts[0][0] == 1 {
            self.published.fetch_add(1, Ordering::Relaxed);
        }
        true
    }
}

#[test]
fn no_command_is_sent_that_the_tape_does_not_hold() {
    for left in (1..400).step_by(7) {
        let start = Timestamp::from_nanos(1_750_000_000_000_000_000);
        let flow = FlowParameters::default();
        let market = Market::synthetic(instruments(3), flow, 1, start, Run::default()).unwrap();
        let opening = OpeningState { epoch: 1, ..OpeningState::default() };
        let trading = TradingLoop::new(settings("glft", GLFT, 3), &opening);
        let published = Arc::new(AtomicU64::new(0));
        let tape = Failing { left, published: published.clone() };
        let latency = ConstantLatency::default();
        let begin = Start { now: start, ..Start::default() };
        let mut simulation =
            Simulation::start(trading, market, latency, LoopClock::Virtual, tape, &begin).unwrap();
        let until = start.after(Nanos::from_secs(60));
        while simulation.step(until) == Ok(true) {}
        // Status requests count as well; they are the commands that are no orders.
        let sent = simulation.delivered();
        assert!(
            sent <= published.load(Ordering::Relaxed),
            "record {left}: {sent} reached the venue"
        );
        let stuck = simulation.step(until);
        assert_eq!(stuck, Err(TapeFull), "record {left}: it went on without a tape");
    }
}
