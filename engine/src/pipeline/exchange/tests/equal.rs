//! The same recording, the same loop: in step with the exchange, by bytes, and in the simulation.

use super::lab::{Lab, NOON, config, instruments};
use crate::config::{ExchangeConfig, FlowKind, SessionDay};
use crate::pipeline::loop_driver::{LoopDriver, NoStamps, Publish, Stamps};
use crate::pipeline::market_source::Market;
use crate::pipeline::records::{Start, kind};
use crate::pipeline::simulation::{LoopClock, Simulation};
use crate::pipeline::tape::Tape;
use crate::trading::risk::Limits;
use crate::trading::{OpeningState, StrategySetting, TradingLoop, TradingSettings};
use feeds::Feed;
use feeds::itch50::{Decoder, Encoder, Listing};
use feeds::moldudp64::{Config, Datagram, Line, Packet, PacketKind};
use market::book::BookLimits;
use market::{
    Command, CommandKind, Event, EventFlags, InstrumentId, Money, Nanos, Qty, Report, ReportKind,
    Timestamp,
};
use sim::{AccountId, ConstantLatency, FlowParameters, Output, Run};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use strategies::{Parameters, QuoterSettings};

/// What a loop did and was told, in order, without the ids and times that a venue gives.
type Story = Arc<Mutex<Vec<String>>>;

/// A tape that keeps commands and reports as text.
struct Notes(Story);

impl Tape for Notes {
    fn has_room(&self) -> bool {
        true
    }

    fn record(&mut self, record: u16, parts: &[&[u8]]) -> bool {
        let line = match record {
            kind::REPORT => {
                let report = Report::from_bytes(parts[1].try_into().unwrap());
                let Report { order, target, price, qty, cum_qty, leaves_qty, .. } = report;
                let said = report.kind().unwrap();
                let session = matches!(
                    said,
                    ReportKind::SessionUp | ReportKind::SessionDown | ReportKind::StatusDone
                );
                (!session).then(|| {
                    format!(
                        "{said:?} {order:?} {target:?} {price} {qty:?} {cum_qty:?} {leaves_qty:?}"
                    )
                })
            }
            // A mark is an answer to the feed, no decision.
            kind::COMMAND if parts[1][36] == CommandKind::Mark as u8 => None,
            kind::COMMAND => Some(format!("command {:?}", parts[1])),
            _ => None,
        };
        self.0.lock().unwrap().extend(line);
        true
    }
}

#[derive(Default)]
struct Queue(VecDeque<Command>);

impl Publish for Queue {
    fn has_room(&self) -> bool {
        true
    }

    fn publish(&mut self, command: &Command, _stamps: Stamps, _sequence: u64) {
        self.0.push_back(*command);
    }
}

fn trading(config: &ExchangeConfig) -> TradingLoop {
    let instruments = instruments(config);
    let count = instruments.len();
    let limits = Limits {
        order_qty: Qty::from_raw(1_000),
        order_value: Money::from_raw(10i128.pow(18) * 10_000_000),
        position: Qty::from_raw(2_000),
        collar_bps: 500,
        reference_age: Nanos::from_secs(5),
    };
    let spec = strategies::find("joiner").unwrap();
    let parameters = Parameters::new(spec.parameters, &[("size", 100.0)]).unwrap();
    let settings = TradingSettings {
        instruments,
        limits: vec![Some(limits); count],
        strategies: vec![StrategySetting {
            strategy: (spec.build)(&parameters).unwrap(),
            instruments: vec![InstrumentId(0), InstrumentId(2)],
        }],
        quoter: QuoterSettings::default(),
        books: BookLimits { instruments: count, orders: 65_536, levels: 1_024 },
        messages: (100_000, 10_000),
        stale_after: Nanos::from_secs(60),
        answer_within: Nanos::from_secs(2),
        orders: 1_024,
        executions: 4_096,
        seed: 1,
        lockstep: true,
        shows_own_orders: false,
    };
    let opening = OpeningState { epoch: 1, ..OpeningState::default() };
    TradingLoop::new(settings, &opening)
}

/// Keeps what the flow's venue says in public, as messages.
struct Recording {
    encoder: Encoder,
    bytes: Vec<u8>,
}

impl Recording {
    fn keep(bytes: &mut Vec<u8>, message: &[u8]) {
        bytes.extend_from_slice(&u16::try_from(message.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(message);
    }
}

impl Output for Recording {
    fn report(&mut self, _account: AccountId, _report: Report) {}

    fn event(&mut self, event: Event) {
        let Recording { encoder, bytes } = self;
        encoder.encode(&event, &mut |message| Self::keep(bytes, message)).unwrap();
    }
}

/// Half a minute of the synthetic flow, recorded.
fn record(path: &Path, config: &ExchangeConfig, start: Timestamp) {
    let instruments = instruments(config);
    let encoder = Encoder::new(&instruments, NOON.midnight()).unwrap();
    let mut recording = Recording { encoder, bytes: Vec::new() };
    let Recording { encoder, bytes } = &mut recording;
    encoder.directory(start, &mut |message| Recording::keep(bytes, message)).unwrap();
    let parameters = FlowParameters::default();
    let mut market = Market::synthetic(instruments, parameters, 3, start, Run::default()).unwrap();
    market.set_status(market::TradingStatus::Trading, start, &mut recording);
    let end = start.after(Nanos::from_secs(30));
    while market.next_time().unwrap() < end {
        market.step(&mut recording);
    }
    std::fs::write(path, recording.bytes).unwrap();
}

/// The loop in the simulation.
fn simulated(config: &ExchangeConfig, path: &Path, start: &Start) -> Vec<String> {
    let story = Story::default();
    let market =
        Market::recorded(instruments(config), path, NOON.midnight(), Run::default()).unwrap();
    let none = ConstantLatency { feed: Nanos::ZERO, order: Nanos::ZERO, report: Nanos::ZERO };
    let tape = Notes(story.clone());
    let clock = LoopClock::Feed;
    let mut simulation =
        Simulation::start(trading(config), market, none, clock, tape, start).unwrap();
    while simulation.step(Timestamp::MAX).unwrap() {}
    drop(simulation);
    Arc::into_inner(story).unwrap().into_inner().unwrap()
}

/// The loop in step with the exchange, by packets and FIX.
fn in_step(config: &ExchangeConfig, start: &Start) -> Vec<String> {
    let story = Story::default();
    let mut lab = Lab::new(config, NOON);
    let listings: Vec<Listing> = instruments(config).iter().map(Listing::from).collect();
    let decoder = Decoder::new(&listings, NOON.midnight()).unwrap();
    let mut feed = Feed::new(Config::new(1), decoder, true);
    let tape = Notes(story.clone());
    let driver = LoopDriver::start(trading(config), tape, Queue::default(), NoStamps, start);
    let mut driver = driver.unwrap();
    let mut time = start.now;
    lab.log_on(0);
    while !lab.core.report().at_end {
        let before = lab.net.packets.len() + lab.engines[0].reports.len();
        lab.run(Nanos::from_millis(1));
        assert!(before + lab.net.packets.len() + lab.engines[0].reports.len() > 0, "stuck");
        for report in lab.engines[0].heard() {
            driver.report(time, &report);
        }
        for packet in std::mem::take(&mut lab.net.packets) {
            if Packet::parse(&packet).unwrap().kind == PacketKind::EndOfSession {
                continue;
            }
            let mut events: Vec<Event> = Vec::new();
            let datagram = Datagram { bytes: &packet, truncated: false, from: None, received: 0 };
            feed.on_datagram(Line::Live(0), &datagram, lab.now, &mut events);
            for group in events.split_inclusive(|event| event.flags.has(EventFlags::LAST)) {
                time = time.max(group.last().unwrap().exchange_time);
                driver.packet(time, group);
            }
        }
        while let Some(command) = driver.publisher().0.pop_front() {
            lab.command(0, &command);
        }
    }
    let counters = driver.trading().counters();
    assert!(counters.fills > 5 && counters.replaces > 20, "{counters:?}");
    drop(driver);
    Arc::into_inner(story).unwrap().into_inner().unwrap()
}

#[test]
fn in_step_by_bytes_equals_the_simulation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording");
    let mut settings = config(&folder.path().join("data"), &["A"]);
    let begin = NOON.midnight().after(Nanos::from_secs(36_000));
    record(&path, &settings, begin);
    settings.flow.kind = FlowKind::Replay;
    settings.flow.file = Some(path.clone());
    settings.flow.session_day = SessionDay::Date(NOON.midnight());
    settings.flow.lockstep = true;
    let start = Start { now: begin, ..Start::default() };
    let (ours, theirs) = (in_step(&settings, &start), simulated(&settings, &path, &start));
    let differs = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
    assert_eq!(differs, None, "{:?}", differs.map(|at| (&ours[at], &theirs[at])));
    assert_eq!(ours.len(), theirs.len());
}
