//! A gateway stage, and a drop copy stage where there is one, over a real journal and loopback
//! sockets, polled by hand in virtual time, for tests of what they send and what is written down.

#![allow(dead_code)]

pub(crate) mod venue;

use engine::config::RunConfig;
use engine::journal::{self, Copier, JournalSettings};
use engine::latency::recorder::{self, Collector};
use engine::pipeline::connector::{Connector, Plan};
use engine::pipeline::drop_copy_stage::DropCopyStage;
use engine::pipeline::fix_connection::{ConnectionParts, SessionHours};
use engine::pipeline::fix_store::{FixStore, Numbers};
use engine::pipeline::gate::Gate;
use engine::pipeline::gateway_stage::{GatewayParts, GatewayStage};
use engine::pipeline::kept_frames::KeptFrames;
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::looks::Looks;
use engine::pipeline::reconnect::{Pace, Reconnect};
use engine::pipeline::tally::Tally;
use engine::pipeline::telemetry::{GatewaySnapshot, mailbox};
use engine::pipeline::trading_stage::{self, CommandSlot};
use engine::runtime::clock;
use engine::runtime::ring::{self, Consumer, Producer};
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::rates::Limiter;
use gateway::session::{LogonBody, Resend, Reset, Session, SessionConfig};
use gateway::spec::Version;
use market::{Instrument, Nanos, Report, Timestamp};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const BEGIN: Timestamp = Timestamp::from_nanos(1_750_000_000_000_000_000);
/// Polls before a wait is over; each is followed by a pause of a millisecond.
pub(crate) const PATIENCE: usize = 5_000;

/// The venue's own field for a password.
pub(crate) const SECRET_TAG: u32 = 9407;

/// The one instrument, `TLA`.
pub(crate) fn instruments() -> Instruments {
    Instruments::new(&[Instrument::share(0, "TLA")]).unwrap()
}

/// What differs from test to test.
pub(crate) struct Setup {
    pub(crate) instruments: Instruments,
    pub(crate) dialect: Dialect,
    pub(crate) limiter: Limiter,
    pub(crate) hours: SessionHours,
    /// The kernel says when it got what comes.
    pub(crate) kernel_stamps: bool,
    /// Orders that are asked for again are sent again.
    pub(crate) replays: bool,
    /// What the Logon says beside the usual.
    pub(crate) logon: Option<Box<dyn LogonBody>>,
}

impl Default for Setup {
    fn default() -> Setup {
        let dialect = Dialect::of(Version::Fix44);
        let (limiter, hours) = (Limiter::default(), SessionHours::default());
        let (instruments, kernel_stamps, replays) = (instruments(), false, false);
        Setup { instruments, dialect, limiter, hours, kernel_stamps, replays, logon: None }
    }
}

/// The stage, and the ends of its rings. It is `US` and talks to `VENUE`.
pub(crate) struct Rig {
    pub(crate) stage: GatewayStage,
    pub(crate) commands: Producer<CommandSlot>,
    pub(crate) reports: Consumer<Report>,
    pub(crate) copiers: Vec<Copier>,
    /// What the loop says of itself.
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) gate: Arc<Gate>,
    /// What the stage recorded.
    pub(crate) hops: Collector,
    kernel_stamps: bool,
    tally: Arc<Tally>,
}

impl Rig {
    /// A stage that will connect to `venue` and writes into `folder`.
    pub(crate) fn new(venue: SocketAddr, setup: Setup, folder: &Path) -> Rig {
        let (commands, commands_in) = ring::channel(trading_stage::COMMANDS_DEPTH);
        let (reports_out, reports) = ring::channel(trading_stage::REPORTS_DEPTH);
        let (mut connection, copier) =
            connection(venue, ("US", setup.kernel_stamps, setup.replays), folder, "gateway");
        connection.hours = setup.hours;
        if let Some(logon) = setup.logon {
            connection.session.set_logon_body(logon);
        }
        let (recorder, hops) = recorder::pair(clock::calibrate().0);
        let kernel_stamps = setup.kernel_stamps;
        let (tally, lifecycle) = (Arc::new(Tally::default()), Arc::new(Lifecycle::default()));
        let gate = Arc::new(Gate::default());
        let stage = GatewayStage::new(GatewayParts {
            connection,
            entry: OrderEntry::new(setup.instruments, 64, setup.dialect),
            commands: commands_in,
            reports: reports_out,
            limiter: setup.limiter,
            drop_copy: tally.clone(),
            gate: gate.clone(),
            lifecycle: lifecycle.clone(),
            recorder,
            outbox: mailbox(GatewaySnapshot::default(), GatewaySnapshot::default()).0,
        });
        let copiers = vec![copier];
        Rig { stage, commands, reports, copiers, lifecycle, gate, hops, kernel_stamps, tally }
    }

    /// A drop copy beside it, which is `COPY`, and what it records.
    pub(crate) fn drop_copy(
        &mut self,
        venue: SocketAddr,
        folder: &Path,
    ) -> (DropCopyStage, Collector) {
        let us = ("COPY", self.kernel_stamps, false);
        let (connection, copier) = connection(venue, us, folder, "drop_copy");
        self.copiers.push(copier);
        let entry = OrderEntry::new(instruments(), 64, Dialect::of(Version::Fix44));
        let outbox = mailbox(GatewaySnapshot::default(), GatewaySnapshot::default()).0;
        let shared = (Arc::new(Lifecycle::default()), self.tally.clone());
        let reports = ring::channel(trading_stage::REPORTS_DEPTH).0;
        let (recorder, hops) = recorder::pair(clock::calibrate().0);
        (DropCopyStage::new(connection, entry, reports, shared, (recorder, outbox)), hops)
    }
}

fn connection(
    venue: SocketAddr,
    (us, kernel_stamps, replays): (&str, bool, bool),
    folder: &Path,
    stream: &str,
) -> (ConnectionParts<FixStore>, Copier) {
    let mut settings = JournalSettings::new(folder, stream);
    (settings.hot_dir, settings.segment_bytes) = (folder.join("hot"), 1 << 20);
    let opened = journal::create(&settings, BEGIN).unwrap();
    let copier = Copier::spawn(vec![opened.drain], Duration::from_millis(5)).unwrap();
    let config = SessionConfig::initiator(us, "VENUE");
    let resend = if replays { Resend::Everything } else { config.resend };
    let config = SessionConfig { reset_on_logon: Reset::WhenNew, resend, ..config };
    let store = FixStore::new(opened.writer, Numbers::default(), &[SECRET_TAG])
        .keeping(replays.then(KeptFrames::default));
    let pace = Pace { first: Nanos::SECOND, longest: Nanos::SECOND };
    let parts = ConnectionParts {
        io: wire::open(wire::Backend::Plain).unwrap().io,
        session: Session::new(config, store).unwrap(),
        connector: Connector::spawn(plan(venue, kernel_stamps)).unwrap(),
        reconnect: Reconnect::new(pace, 1),
        hours: SessionHours::default(),
        looks: Looks::alone(),
        socket: Arc::default(),
    };
    (parts, copier)
}

/// The demo's way to a venue elsewhere.
fn plan(venue: SocketAddr, kernel_stamps: bool) -> Plan {
    let demo = RunConfig::demo(&BTreeSet::from([0])).unwrap();
    let (mut address, mut transport) = (demo.gateway.address, demo.transport);
    (address.host, address.port) = (venue.ip().to_string(), venue.port());
    transport.kernel_stamps = kernel_stamps;
    Plan::new(&address, &transport).unwrap()
}
