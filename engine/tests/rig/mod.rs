//! An engine and its venue in one thread and in virtual time, joined by FIX in memory, with a real
//! journal on both sides of the order session: what `touchline run` does, without sockets.

#![allow(dead_code)]

use engine::config::RunConfig;
use engine::journal::{self, Copier, JournalSettings, Reader, Writer};
use engine::pipeline::assembly::{self, LoopMode};
use engine::pipeline::fix_store::{FixStore, TimedStore};
use engine::pipeline::loop_driver::{EVENTS_MAX, LoopDriver, NoStamps, Publish, Stamps};
use engine::pipeline::market_source::Market;
use engine::pipeline::records::Start;
use engine::pipeline::simulation::OURS;
use engine::pipeline::streams;
use engine::trading::{Control, ControlKind, OpeningState, TradingLoop};
use gateway::dialect::Dialect;
use gateway::orders::{Client, Instruments, OrderAcceptor, OrderEntry, not_sent};
use gateway::session::{MemoryStore, Session, SessionConfig};
use market::{Command, CommandKind, Event, EventFlags, Nanos, Report, Timestamp};
use sim::{AccountId, FlowParameters, Output, Run};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const BEGIN: Timestamp = Timestamp::from_nanos(1_750_000_000_000_000_000);

#[derive(Default)]
pub(crate) struct Orders(Vec<Command>);

impl Publish for Orders {
    fn has_room(&self) -> bool {
        true
    }
    fn publish(&mut self, command: &Command, _: Stamps, _: u64) {
        self.0.push(*command);
    }
}

#[derive(Default)]
struct Heard {
    reports: Vec<Report>,
    events: Vec<Event>,
}

impl Output for Heard {
    fn report(&mut self, account: AccountId, report: Report) {
        if account == OURS {
            self.reports.push(report);
        }
    }
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// The engine's side.
pub(crate) struct Engine {
    pub(crate) driver: LoopDriver<Writer, Orders, NoStamps>,
    pub(crate) opening: OpeningState,
    session: Session<FixStore>,
    entry: OrderEntry,
    copier: Copier,
}

/// Both sides, and the time.
pub(crate) struct Rig {
    pub(crate) dir: PathBuf,
    pub(crate) config: RunConfig,
    pub(crate) now: Timestamp,
    pub(crate) engine: Option<Engine>,
    /// What the engine sends is lost on the way.
    pub(crate) mute: bool,
    market: Market,
    acceptor: Session<MemoryStore>,
    venue: OrderAcceptor,
    heard: Heard,
    /// Every event of the market so far: a late engine asks for all of them.
    history: Vec<Event>,
}

impl Rig {
    /// A rig with its journal in `root`.
    pub(crate) fn new(root: &Path, seed: u64) -> Rig {
        let mut config = RunConfig::demo(&BTreeSet::from([0])).unwrap();
        let (dir, hot) = (root.join("journal"), root.join("hot"));
        std::fs::create_dir_all(&hot).unwrap();
        config.journal.dir = Some(dir.clone());
        config.journal.hot_dir = hot;
        config.journal.segment_bytes = 1 << 20;
        let instruments = assembly::instruments(&config.trading);
        let table = Instruments::new(&instruments).unwrap();
        let prices: Vec<_> = config.trading.instruments.iter().map(|i| i.reference_price).collect();
        let flow = FlowParameters::default();
        let market = Market::synthetic(instruments, flow, seed, BEGIN, Run::default()).unwrap();
        let gateway = &config.gateway;
        let identity = SessionConfig::acceptor(&gateway.target_comp_id, &gateway.sender_comp_id);
        let store = MemoryStore::new(1 << 18, 1 << 26);
        Rig {
            acceptor: Session::new(identity, store).unwrap(),
            venue: OrderAcceptor::new(table, 1 << 16, Dialect::default()),
            market: market.open_at(&prices),
            dir,
            config,
            now: BEGIN,
            engine: None,
            mute: false,
            heard: Heard::default(),
            history: Vec::new(),
        }
    }

    /// Starts the engine on what its journal holds, and logs on.
    pub(crate) fn start(&mut self) {
        let opened = streams::open(&self.config, self.now).unwrap();
        let drains = vec![opened.trading.drain, opened.gateway.opened.drain];
        let copier = Copier::spawn(drains, Duration::from_millis(1)).unwrap();
        let mode = LoopMode::of_run(&self.config);
        let settings = assembly::trading_settings(&self.config.trading, mode).unwrap();
        let start = Start {
            now: self.now,
            mode: "run".into(),
            build: engine::BUILD.into(),
            config: self.config.resolved(),
            opening: opened.opening.to_bytes(),
            data: String::new(),
        };
        let trading = TradingLoop::new(settings, &opened.opening);
        let writer = opened.trading.writer;
        let driver = LoopDriver::start(trading, writer, Orders::default(), NoStamps, &start);
        let store = FixStore::new(opened.gateway.opened.writer, opened.gateway.numbers, &[]);
        let gateway = &self.config.gateway;
        let identity = SessionConfig::initiator(&gateway.sender_comp_id, &gateway.target_comp_id);
        let table = Instruments::new(&assembly::instruments(&self.config.trading)).unwrap();
        let mut engine = Engine {
            driver: driver.unwrap(),
            opening: opened.opening,
            session: Session::new(identity, store).unwrap(),
            entry: OrderEntry::new(table, 1 << 16, Dialect::default()),
            copier,
        };
        engine.session.store_mut().set_now(self.now);
        engine.session.store_mut().record_start(self.now).unwrap();
        let (mut to_venue, mut to_engine) = (Vec::new(), Vec::new());
        self.acceptor.connected(self.now, &mut to_engine).unwrap();
        engine.session.connected(self.now, &mut to_venue).unwrap();
        self.engine = Some(engine);
        self.exchange(to_venue, to_engine);
        self.tell(&self.history.clone());
    }

    /// Lets the market go on for a while.
    pub(crate) fn run_for(&mut self, span: Nanos) {
        let until = self.now.after(span);
        while let Some(next) = self.market.next_time().filter(|&next| next <= until) {
            self.timers(next);
            self.now = self.now.max(next);
            self.market.step(&mut self.heard);
            self.deliver();
        }
        self.timers(until);
        self.now = until;
    }

    fn timers(&mut self, until: Timestamp) {
        while let Some(engine) = &mut self.engine {
            let due = engine.driver.trading().next_due();
            if due > until {
                break;
            }
            self.now = self.now.max(due);
            engine.driver.timers(self.now);
            self.exchange(Vec::new(), Vec::new());
        }
    }

    /// Gives the loop what the market said, and the venue what the loop says to it.
    fn deliver(&mut self) {
        let mut events = std::mem::take(&mut self.heard.events);
        if let Some(last) = events.last_mut() {
            last.flags = last.flags.with(EventFlags::LAST);
        }
        self.history.extend_from_slice(&events);
        self.tell(&events);
    }

    fn tell(&mut self, events: &[Event]) {
        for packet in events.chunks(EVENTS_MAX) {
            let Some(engine) = &mut self.engine else { break };
            while !engine.driver.has_room() {
                assert!(!engine.driver.is_broken());
                std::thread::sleep(Duration::from_millis(1));
            }
            engine.driver.packet(self.now, packet);
        }
        self.exchange(Vec::new(), Vec::new());
    }

    /// Moves bytes both ways until nobody has anything to say.
    fn exchange(&mut self, mut to_venue: Vec<u8>, mut to_engine: Vec<u8>) {
        loop {
            for report in self.heard.reports.drain(..) {
                self.venue
                    .send(&mut self.acceptor, self.now, &mut to_engine, &report)
                    .expect("the venue's store has room");
            }
            let Some(engine) = &mut self.engine else { break };
            engine.session.store_mut().set_now(self.now);
            for command in std::mem::take(&mut engine.driver.publisher().0) {
                let sent =
                    engine.entry.send(&mut engine.session, self.now, &mut to_venue, &command);
                if let Err(error) = sent {
                    engine.driver.report(self.now, &not_sent(&command, error));
                }
            }
            if self.mute {
                to_venue.clear();
            }
            if to_venue.is_empty() && to_engine.is_empty() {
                break;
            }
            self.hear_venue(&std::mem::take(&mut to_engine), &mut to_venue);
            self.hear_engine(&std::mem::take(&mut to_venue), &mut to_engine);
        }
        if !self.heard.events.is_empty() {
            self.deliver();
        }
    }

    fn hear_venue(&mut self, bytes: &[u8], back: &mut Vec<u8>) {
        let Some(engine) = &mut self.engine else { return };
        let mut reports: Vec<Report> = Vec::new();
        let mut application = engine.entry.application(&mut reports);
        let read = engine.session.received(self.now, 1, bytes, back, &mut application);
        assert_eq!(read, Ok(bytes.len()));
        drop(application);
        for report in reports {
            engine.driver.report(self.now, &report);
        }
    }

    fn hear_engine(&mut self, bytes: &[u8], back: &mut Vec<u8>) {
        let mut clients: Vec<Client> = Vec::new();
        let mut application = self.venue.application(&mut clients);
        let read = self.acceptor.received(self.now, 0, bytes, back, &mut application);
        assert_eq!(read, Ok(bytes.len()));
        drop(application);
        for client in clients {
            if let Client::Command(command) = client
                && command.kind() != Some(CommandKind::Mark)
            {
                self.market.venue().command(OURS, &command, self.now, &mut self.heard);
            }
        }
    }

    /// An operator's act.
    pub(crate) fn control(&mut self, kind: ControlKind, name: &str, reason: &str) {
        let engine = self.engine.as_mut().unwrap();
        engine.driver.control(self.now, &Control::new(kind, name, reason));
        self.exchange(Vec::new(), Vec::new());
    }

    /// The process dies; the venue cancels what it left.
    pub(crate) fn kill(&mut self) {
        self.engine = None;
        self.mute = false;
        let mut clients: Vec<Client> = Vec::new();
        self.acceptor.disconnected(self.now, &mut self.venue.application(&mut clients));
        self.market.venue().cancel_all(OURS, self.now, &mut self.heard);
        self.exchange(Vec::new(), Vec::new());
    }

    /// A clean stop. Gives back the final state's hash.
    pub(crate) fn stop(&mut self) -> u128 {
        self.control(ControlKind::Stop, "test", "over");
        let engine = self.engine.take().unwrap();
        assert!(engine.driver.trading().is_stopped());
        let (_, hash, writer, _) = engine.driver.finish();
        writer.close();
        engine.session.into_store().close();
        engine.copier.finish().unwrap();
        hash
    }
}

/// What becomes of a record in a copy.
pub(crate) enum Copied {
    As(Vec<u8>),
    /// It and everything behind it are left out, as after a kill.
    Cut,
}

/// Copies a stream, record by record.
pub(crate) fn copy(
    from: &Path,
    to: &Path,
    hot: &Path,
    stream: &str,
    mut each: impl FnMut(u64, u16, &[u8]) -> Copied,
) {
    let mut reader = Reader::open(from, hot, stream).unwrap();
    let settings = JournalSettings {
        hot_dir: hot.to_owned(),
        segment_bytes: 1 << 20,
        ..JournalSettings::new(to, stream)
    };
    let mut opened = journal::create(&settings, BEGIN).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        if record.kind == journal::CLOSED {
            continue;
        }
        let Copied::As(payload) = each(record.sequence, record.kind, record.payload) else {
            drop(opened.writer);
            opened.drain.finish().unwrap();
            return;
        };
        while opened.writer.append(record.kind, &[&payload]).is_err() {
            opened.drain.turn();
        }
    }
    opened.writer.close();
    opened.drain.finish().unwrap();
}

/// Kind of every record of a stream, by sequence from 1.
pub(crate) fn kinds(dir: &Path, hot: &Path, stream: &str) -> Vec<u16> {
    let mut reader = Reader::open(dir, hot, stream).unwrap();
    let mut kinds = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        kinds.push(record.kind);
    }
    kinds
}
