//! Our side: the engine's gateway stage on a thread of its own, over a journal, with the test in the
//! place of the trading loop. It sends what the test says and keeps what it reports.

use crate::host::eventually;
use engine::config::RunConfig;
use engine::journal::{self, Copier, JournalSettings, Opened};
use engine::latency::recorder;
use engine::pipeline::assembly;
use engine::pipeline::connector::{Connector, Plan};
use engine::pipeline::fix_connection::{ConnectionParts, SessionHours};
use engine::pipeline::fix_store::{FixStore, Numbers};
use engine::pipeline::gateway_stage::{GatewayParts, GatewayStage};
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::looks::Looks;
use engine::pipeline::reconnect::{Pace, Reconnect};
use engine::pipeline::telemetry::{GatewaySnapshot, Inbox, mailbox};
use engine::pipeline::trading_stage::{COMMANDS_DEPTH, CommandSlot, REPORTS_DEPTH};
use engine::runtime::clock;
use engine::runtime::ring::{self, Consumer, Producer};
use engine::runtime::stage::{Stage as _, Work};
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::rates::Limiter;
use gateway::session::{Reset, Session, SessionConfig};
use gateway::spec::Version;
use market::{
    Command, Event, Instrument, InstrumentId, Nanos, OrderId, Price, Qty, Report, ReportKind, Side,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What all orders are in.
const INSTRUMENT: InstrumentId = InstrumentId(0);
/// Requests the gateway remembers.
const REQUESTS: usize = 1_024;

/// How a session differs from the usual one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) version: Version,
    pub(crate) reset: Reset,
    pub(crate) heartbeat: Nanos,
}

impl Manner {
    /// What the engine does unless it is told otherwise.
    pub(crate) fn of(version: Version) -> Manner {
        Manner { version, reset: Reset::WhenNew, heartbeat: Nanos::from_secs(30) }
    }

    fn session(self) -> SessionConfig {
        SessionConfig {
            version: self.version,
            reset_on_logon: self.reset,
            heartbeat: self.heartbeat,
            ..SessionConfig::initiator("US", "VENUE")
        }
    }
}

/// The instruments of the demo.
pub(crate) fn instruments() -> Vec<Instrument> {
    let config = RunConfig::demo(&BTreeSet::from([0])).unwrap();
    assembly::instruments(&config.trading)
}

/// The gateway at work.
pub(crate) struct Desk {
    commands: Producer<CommandSlot>,
    reports: Consumer<Report>,
    told: Inbox<GatewaySnapshot>,
    lifecycle: Arc<Lifecycle>,
    killed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    copier: Option<Copier>,
    /// Everything it reported and nobody has taken yet.
    heard: Vec<Report>,
    /// The last id that was given.
    id: u64,
}

/// Opens the gateway's stream, or takes it over.
fn stream(folder: &Path, now: market::Timestamp) -> (Opened, Numbers) {
    let settings = JournalSettings {
        hot_dir: folder.join("hot"),
        segment_bytes: 1 << 20,
        ..JournalSettings::new(&folder.join("journal"), "gateway")
    };
    std::fs::create_dir_all(&settings.hot_dir).unwrap();
    let mut numbers = Numbers::default();
    if !journal::exists(&settings.dir, &settings.name).unwrap() {
        return (journal::create(&settings, now).unwrap(), numbers);
    }
    let recovered = journal::recover(&settings, now, |record| numbers.follow(&record)).unwrap();
    (recovered.opened, numbers)
}

impl Desk {
    /// Connects to `port` of loopback; its journal is in `folder`. Ids begin behind `id`, which
    /// was the last one of an earlier desk.
    pub(crate) fn start(manner: Manner, folder: &Path, port: u16, id: u64) -> Desk {
        let (clock, _) = clock::calibrate();
        let (opened, numbers) = stream(folder, clock.now());
        let copier = Copier::spawn(vec![opened.drain], Duration::from_millis(1)).unwrap();
        let (commands, from_us) = ring::channel(COMMANDS_DEPTH);
        let (to_us, reports) = ring::channel(REPORTS_DEPTH);
        let (outbox, told) = mailbox(GatewaySnapshot::default(), GatewaySnapshot::default());
        let (lifecycle, killed): (Arc<Lifecycle>, Arc<AtomicBool>) = Default::default();
        let table = Instruments::new(&instruments()).unwrap();
        let wait = Nanos::from_millis(20);
        let mut stage = GatewayStage::new(GatewayParts {
            connection: ConnectionParts {
                io: wire::open(wire::Backend::Auto).unwrap().io,
                session: Session::new(manner.session(), FixStore::new(opened.writer, numbers, &[]))
                    .unwrap(),
                connector: Connector::spawn(Plan::plain("127.0.0.1".to_owned(), port)).unwrap(),
                reconnect: Reconnect::new(Pace { first: wait, longest: wait }, 1),
                hours: SessionHours::default(),
                looks: Looks::alone(),
                socket: Arc::default(),
            },
            entry: OrderEntry::new(table, REQUESTS, Dialect::of(manner.version)),
            commands: from_us,
            reports: to_us,
            limiter: Limiter::default(),
            drop_copy: Arc::default(),
            gate: Arc::default(),
            lifecycle: lifecycle.clone(),
            recorder: recorder::pair(clock.clone()).0,
            outbox,
        });
        let dead = killed.clone();
        let thread = std::thread::spawn(move || {
            while !stage.is_done() {
                if dead.load(Ordering::Relaxed) {
                    return;
                }
                let now = clock.now();
                if stage.poll(now) == Work::Idle {
                    std::thread::sleep(Duration::from_micros(100));
                }
                stage.housekeeping(now);
            }
            stage.close();
        });
        Desk {
            commands,
            reports,
            told,
            lifecycle,
            killed,
            thread: Some(thread),
            copier: Some(copier),
            heard: Vec::new(),
            id,
        }
    }

    fn give(&mut self, command: Command) -> OrderId {
        let slot = CommandSlot { command, ..CommandSlot::default() };
        assert!(self.commands.push(slot).is_ok(), "the ring is full");
        command.id
    }

    fn next_id(&mut self) -> OrderId {
        self.id += 1;
        OrderId(self.id)
    }

    /// A new order to buy.
    pub(crate) fn buy(&mut self, price: &str, qty: i64) -> OrderId {
        let id = self.next_id();
        let (price, qty) = (price.parse::<Price>().unwrap(), Qty::from_raw(qty));
        self.give(Command::new(id, INSTRUMENT, Side::Buy, price, qty))
    }

    /// Another price and total quantity for an order.
    pub(crate) fn replace(&mut self, target: OrderId, price: &str, qty: i64) -> OrderId {
        let id = self.next_id();
        let (price, qty) = (price.parse::<Price>().unwrap(), Qty::from_raw(qty));
        self.give(Command::replace(id, target, INSTRUMENT, Side::Buy, price, qty))
    }

    /// Takes an order back.
    pub(crate) fn cancel(&mut self, target: OrderId) -> OrderId {
        let id = self.next_id();
        self.give(Command::cancel(id, target, INSTRUMENT, Side::Buy))
    }

    /// Takes all orders back.
    pub(crate) fn mass_cancel(&mut self) -> OrderId {
        let id = self.next_id();
        self.give(Command::mass_cancel(id, Event::ALL))
    }

    /// Asks for all open orders.
    pub(crate) fn mass_status(&mut self) -> OrderId {
        let id = self.next_id();
        self.give(Command::mass_status(id))
    }

    fn listen(&mut self) {
        self.heard.extend(std::iter::from_fn(|| self.reports.pop()));
    }

    /// Waits for a report of this kind and takes it, with all that came before it.
    pub(crate) fn wait(&mut self, kind: ReportKind) -> Report {
        eventually(&format!("{kind:?}"), || {
            self.listen();
            let at = self.heard.iter().position(|report| report.kind() == Some(kind))?;
            self.heard.drain(..=at).next_back()
        })
    }

    /// The next report, which must be of this kind.
    pub(crate) fn next(&mut self, kind: ReportKind) -> Report {
        let report = eventually(&format!("{kind:?}"), || {
            self.listen();
            (!self.heard.is_empty()).then(|| self.heard.remove(0))
        });
        assert_eq!(report.kind(), Some(kind), "{report:?}");
        report
    }

    /// Waits until the session is up.
    pub(crate) fn wait_up(&mut self) {
        self.wait(ReportKind::SessionUp);
    }

    /// Reports that nobody has taken.
    pub(crate) fn untaken(&mut self) -> &[Report] {
        self.listen();
        &self.heard
    }

    /// What the stage said of its last failed attempt or ended connection.
    pub(crate) fn last_error(&mut self) -> String {
        self.told.latest().last_error.clone()
    }

    /// Logs out and ends. Gives the last id.
    pub(crate) fn stop(mut self) -> u64 {
        self.lifecycle.set_quiet();
        self.end();
        self.id
    }

    /// Dies without a word, like a killed process. Gives the last id.
    pub(crate) fn kill(mut self) -> u64 {
        self.killed.store(true, Ordering::Relaxed);
        self.end();
        self.id
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        eventually("the end of the gateway", || {
            self.listen();
            thread.is_finished().then_some(())
        });
        thread.join().unwrap();
        self.copier.take().unwrap().finish().unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.killed.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if std::thread::panicking() {
            eprintln!("the desk: {:?}, {:?}", self.last_error(), self.heard);
        }
    }
}

/// A folder for everything of one test.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().to_owned();
    (root, path)
}
