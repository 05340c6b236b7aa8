//! An exchange, its clients and a network in memory.

use crate::config::{ExchangeChanges, ExchangeConfig};
use crate::pipeline::exchange::{ExchangeCore, Net};
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::session::{MemoryStore, Outbound, Reset, Session, SessionConfig};
use market::{
    Command, Instrument, InstrumentId, Nanos, OrderId, Position, Price, Qty, Report, ReportKind,
    Side, TimeInForce, Timestamp,
};
use sim::AccountId;
use std::collections::BTreeMap;
use std::path::Path;

/// Thursday, 13:16:40 UTC.
pub(super) const NOON: Timestamp = Timestamp::from_nanos(1_752_758_200_000_000_000);
/// Connections of the exchanges here.
const CONNECTIONS: usize = 6;

/// The demo's exchange with its files in `folder`, for these accounts.
pub(super) fn config(folder: &Path, accounts: &[&str]) -> ExchangeConfig {
    let changes = ExchangeChanges::default();
    let mut config = ExchangeConfig::demo(&changes, &[0].into()).unwrap();
    config.exchange.data_dir = folder.to_owned();
    config.fix.accounts = accounts.iter().map(ToString::to_string).collect();
    config
}

/// A queue of bytes with a bound.
pub(super) struct Pipe {
    pub(super) bytes: Vec<u8>,
    pub(super) capacity: usize,
}

impl Outbound for Pipe {
    fn room(&self) -> usize {
        self.capacity - self.bytes.len()
    }

    fn send(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
    }
}

/// What the exchange sent.
pub(super) struct Sent {
    pub(super) pipes: Vec<Pipe>,
    pub(super) cut: Vec<bool>,
    pub(super) packets: Vec<Vec<u8>>,
}

impl Net for Sent {
    fn client(&mut self, connection: usize) -> &mut dyn Outbound {
        &mut self.pipes[connection]
    }

    fn cut(&mut self, connection: usize) {
        self.cut[connection] = true;
    }

    fn packet(&mut self, bytes: &[u8]) {
        self.packets.push(bytes.to_vec());
    }
}

/// An engine: session, order entry, and what it heard.
pub(super) struct Engine {
    pub(super) session: Session<MemoryStore>,
    pub(super) entry: OrderEntry,
    pub(super) connection: Option<usize>,
    pub(super) reports: Vec<Report>,
    pub(super) out: Vec<u8>,
    input: Vec<u8>,
    next_id: u64,
}

impl Engine {
    pub(super) fn new(name: &str, instruments: &[Instrument]) -> Engine {
        let config = SessionConfig {
            reset_on_logon: Reset::WhenNew,
            ..SessionConfig::initiator(name, "EXCHANGE")
        };
        Engine {
            session: Session::new(config, MemoryStore::new(10_000, 4 << 20)).unwrap(),
            entry: OrderEntry::new(
                Instruments::new(instruments).unwrap(),
                1_024,
                Dialect::default(),
            ),
            connection: None,
            reports: Vec::new(),
            out: Vec::new(),
            input: Vec::new(),
            next_id: 1,
        }
    }

    /// An id for the next request.
    pub(super) fn id(&mut self) -> OrderId {
        self.next_id += 1;
        OrderId(self.next_id - 1)
    }

    /// Takes what was heard so far.
    pub(super) fn heard(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// Text of the last Logout.
    pub(super) fn told(&self) -> String {
        String::from_utf8_lossy(self.session.peer_text()).into_owned()
    }
}

pub(super) fn kinds(reports: &[Report]) -> Vec<ReportKind> {
    reports.iter().map(|report| report.kind().unwrap()).collect()
}

pub(super) fn buy(id: OrderId, price: Price, qty: i64) -> Command {
    Command::new(id, InstrumentId(0), Side::Buy, price, Qty::from_raw(qty))
}

/// The whole.
pub(super) struct Lab {
    pub(super) core: ExchangeCore,
    pub(super) net: Sent,
    pub(super) engines: Vec<Engine>,
    pub(super) now: Timestamp,
    pub(super) config: ExchangeConfig,
}

impl Lab {
    pub(super) fn new(config: &ExchangeConfig, now: Timestamp) -> Lab {
        let core = ExchangeCore::open(config, false, CONNECTIONS, now).unwrap();
        let instruments = instruments(config);
        let engines = config.fix.accounts.iter().map(|name| Engine::new(name, &instruments));
        let pipe = |_| Pipe { bytes: Vec::new(), capacity: 1 << 20 };
        let net = Sent {
            pipes: (0..CONNECTIONS).map(pipe).collect(),
            cut: vec![false; CONNECTIONS],
            packets: Vec::new(),
        };
        Lab { core, net, engines: engines.collect(), now, config: config.clone() }
    }

    /// Ends the exchange as `kill -9` does, and starts it again at once.
    pub(super) fn restart(self) -> Lab {
        let Lab { core, engines, now, config, .. } = self;
        drop(core);
        let mut lab = Lab::new(&config, now);
        lab.engines = engines;
        for engine in &mut lab.engines {
            lose(engine, now);
        }
        lab
    }

    /// Engine `at` opens a connection and logs on.
    pub(super) fn log_on(&mut self, at: usize) {
        let engine = &mut self.engines[at];
        engine.connection = self.core.connect(self.now);
        assert!(engine.connection.is_some());
        engine.session.connected(self.now, &mut engine.out).unwrap();
        self.exchange_bytes();
    }

    /// Engine `at` is gone without a word.
    pub(super) fn hang_up(&mut self, at: usize) {
        let connection = self.engines[at].connection.unwrap();
        lose(&mut self.engines[at], self.now);
        self.net.pipes[connection].bytes.clear();
        self.core.disconnected(connection, self.now, &mut self.net);
    }

    pub(super) fn command(&mut self, at: usize, command: &Command) {
        let engine = &mut self.engines[at];
        engine.entry.send(&mut engine.session, self.now, &mut engine.out, command).unwrap();
        self.exchange_bytes();
    }

    /// Buys at whatever the market asks.
    pub(super) fn buy_at_market(&mut self, at: usize, qty: i64) -> OrderId {
        let id = self.engines[at].id();
        let price = self.ask().after_ticks(10);
        let command = buy(id, price, qty).with_time_in_force(TimeInForce::ImmediateOrCancel);
        self.command(at, &command);
        id
    }

    /// Quantity by price on a side, from the venue's own open orders of every account.
    pub(super) fn levels(&self, instrument: InstrumentId, side: Side) -> BTreeMap<Price, i64> {
        let mut levels = BTreeMap::new();
        for account in (0..8).map(AccountId) {
            self.core.floor().market().venue_ref().visit_open_orders(account, &mut |order| {
                if (order.instrument, order.side) == (instrument, side) {
                    *levels.entry(order.price).or_default() +=
                        order.qty.raw() - order.cum_qty.raw();
                }
            });
        }
        levels
    }

    /// Best ask of the first instrument.
    pub(super) fn ask(&self) -> Price {
        *self.levels(InstrumentId(0), Side::Sell).first_key_value().unwrap().0
    }

    /// Moves bytes to and fro until nobody has anything to say.
    pub(super) fn exchange_bytes(&mut self) {
        loop {
            let mut moved = false;
            for engine in &mut self.engines {
                let Some(connection) = engine.connection else { continue };
                if !engine.out.is_empty() {
                    moved = true;
                    let took = self.core.receive(connection, self.now, &engine.out, &mut self.net);
                    engine.out.drain(..took);
                }
                engine.input.append(&mut self.net.pipes[connection].bytes);
                if !engine.input.is_empty() {
                    moved |= listen(engine, self.now);
                }
                if std::mem::take(&mut self.net.cut[connection]) {
                    lose(engine, self.now);
                }
            }
            if !moved {
                break;
            }
        }
    }

    /// Lets time pass in steps of a millisecond.
    pub(super) fn run(&mut self, span: Nanos) {
        let end = self.now.after(span);
        while self.now < end {
            self.now = self.now.after(Nanos::from_millis(1));
            self.core.poll(self.now, &mut self.net);
            for engine in &mut self.engines {
                let _ = engine.session.poll(self.now, &mut engine.out);
            }
            self.exchange_bytes();
        }
    }

    /// What account `at` holds of the first instrument, by the exchange's count.
    pub(super) fn position(&self, at: usize) -> Position {
        let store = self.core.accounts()[at].session().store();
        store.ledger().position(InstrumentId(0))
    }
}

pub(super) fn instruments(config: &ExchangeConfig) -> Vec<Instrument> {
    config.instruments.iter().map(|listed| listed.instrument.clone()).collect()
}

/// The engine takes what came; true if anything was consumed.
fn listen(engine: &mut Engine, now: Timestamp) -> bool {
    let Engine { session, entry, reports, out, input, .. } = engine;
    let took = session.received(now, 0, input, out, &mut entry.application(reports));
    let count = took.unwrap_or(input.len());
    input.drain(..count);
    count > 0
}

/// The engine's connection is gone.
pub(super) fn lose(engine: &mut Engine, now: Timestamp) {
    engine.connection = None;
    engine.out.clear();
    engine.input.clear();
    engine.session.disconnected(now, &mut engine.entry.application(&mut engine.reports));
}

/// Prices by ticks of a cent.
pub(super) trait Ticks {
    fn after_ticks(self, ticks: i64) -> Self;
}

impl Ticks for Price {
    fn after_ticks(self, ticks: i64) -> Price {
        Price::from_raw(self.raw() + ticks * 10_000_000)
    }
}
