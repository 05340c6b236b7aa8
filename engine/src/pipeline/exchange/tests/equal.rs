//! The same recording, the same loop: in step with the exchange, by bytes, and in the simulation.

use super::lab::{Lab, NOON, config, instruments};
use crate::config::{ExchangeChanges, ExchangeConfig, FlowKind, SessionDay};
use crate::pipeline::loop_driver::{LoopDriver, NoStamps, Publish, Stamps};
use crate::pipeline::market_source::Market;
use crate::pipeline::records::{Start, kind};
use crate::pipeline::simulation::{LoopClock, Simulation};
use crate::pipeline::tape::Tape;
use crate::trading::risk::Limits;
use crate::trading::{OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules};
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
use std::io::Write as _;
use std::path::{Path, PathBuf};
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
                let told = !is_session(&report) && said != ReportKind::StatusDone;
                told.then(|| {
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

fn is_session(report: &Report) -> bool {
    matches!(report.kind(), Some(ReportKind::SessionUp | ReportKind::SessionDown))
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

/// A strategy by name, and its parameters.
type Choice<'a> = (&'a str, &'a [(&'a str, f64)]);

fn trading(config: &ExchangeConfig, (name, parameters): Choice<'_>) -> TradingLoop {
    let instruments = instruments(config);
    let count = instruments.len();
    let limits = Limits {
        order_qty: Qty::from_raw(1_000),
        order_value: Money::from_raw(10i128.pow(18) * 10_000_000),
        position: Qty::from_raw(2_000),
        collar_bps: 10_000,
        reference_age: Nanos::DAY,
    };
    let spec = strategies::find(name).unwrap();
    let parameters = Parameters::new(spec.parameters, parameters).unwrap();
    let settings = TradingSettings {
        instruments,
        limits: vec![Some(limits); count],
        strategies: vec![StrategySetting {
            strategy: (spec.build)(&parameters).unwrap(),
            instruments: [0, 2]
                .map(InstrumentId)
                .into_iter()
                .filter(|id| id.index() < count)
                .collect(),
        }],
        quoter: QuoterSettings::default(),
        books: BookLimits { instruments: count, orders: 65_536, levels: 1_024 },
        messages: (100_000, 10_000),
        stale_after: Nanos::DAY,
        answer_within: Nanos::from_secs(2),
        orders: 1_024,
        executions: 4_096,
        seed: 1,
        lockstep: true,
        shows_own_orders: false,
        venue: VenueRules::default(),
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

/// The midnight of the recording.
fn base(config: &ExchangeConfig) -> Timestamp {
    config.flow.session_day.base(config.flow.midnight_utc, NOON)
}

/// The loop in the simulation.
fn simulated(config: &ExchangeConfig, choice: Choice<'_>, start: &Start) -> Vec<String> {
    let story = Story::default();
    let path = config.flow.file.as_deref().unwrap();
    let market = Market::recorded(instruments(config), path, base(config), Run::default()).unwrap();
    let none = ConstantLatency { feed: Nanos::ZERO, order: Nanos::ZERO, report: Nanos::ZERO };
    let tape = Notes(story.clone());
    let clock = LoopClock::Feed;
    let mut simulation =
        Simulation::start(trading(config, choice), market, none, clock, tape, start).unwrap();
    while simulation.step(Timestamp::MAX).unwrap() {}
    drop(simulation);
    Arc::into_inner(story).unwrap().into_inner().unwrap()
}

/// The loop in step with the exchange, by packets and FIX.
fn in_step(config: &ExchangeConfig, choice: Choice<'_>, start: &Start) -> Vec<String> {
    let story = Story::default();
    let mut lab = Lab::new(config, NOON);
    let listings: Vec<Listing> = instruments(config).iter().map(Listing::from).collect();
    let decoder = Decoder::new(&listings, base(config)).unwrap();
    let mut feed = Feed::new(Config::new(1), decoder, true);
    let tape = Notes(story.clone());
    let driver =
        LoopDriver::start(trading(config, choice), tape, Queue::default(), NoStamps, start);
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

/// Both ways over the recording that `settings` names, which begins after `begin`.
fn assert_same_story(settings: &ExchangeConfig, choice: Choice<'_>, begin: Timestamp) {
    let start = Start { now: begin, ..Start::default() };
    let (ours, theirs) = (in_step(settings, choice, &start), simulated(settings, choice, &start));
    let differs = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
    assert_eq!(differs, None, "{:?}", differs.map(|at| (&ours[at], &theirs[at])));
    assert_eq!(ours.len(), theirs.len());
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
    assert_same_story(&settings, ("joiner", &[("size", 100.0)]), begin);
}

#[test]
fn so_it_does_on_the_recorded_day() {
    let data = std::env::var_os("TOUCHLINE_DATA").map(PathBuf::from);
    let data =
        data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    let path = data.join("derived/ARL_20250717.derived.itch50.gz");
    if !path.exists() {
        let required = std::env::var("TOUCHLINE_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|word| word == "data"), "{} is missing", path.display());
        let _ = writeln!(std::io::stderr(), "skipped: {} is missing", path.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let changes =
        ExchangeChanges { replay: Some(path), lockstep: true, ..ExchangeChanges::default() };
    let mut settings = ExchangeConfig::demo(&changes, &[0].into()).unwrap();
    settings.exchange.data_dir = folder.path().to_owned();
    settings.fix.accounts = vec!["A".to_owned()];
    let parameters = [("gamma", 0.5), ("a", 0.05), ("k", 60.0), ("sigma", 0.01), ("size", 100.0)];
    assert_same_story(&settings, ("glft", &parameters), base(&settings));
}
