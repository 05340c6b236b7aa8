//! A gateway stage over a real journal and a loopback socket, polled by hand in virtual time, for
//! tests of what it sends and what it writes down.

#![allow(dead_code)]

use engine::journal::{self, Copier, JournalSettings};
use engine::latency::recorder;
use engine::pipeline::connector::{Connector, Plan};
use engine::pipeline::fix_connection::{ConnectionParts, SessionHours};
use engine::pipeline::fix_store::{FixStore, Numbers};
use engine::pipeline::gate::Gate;
use engine::pipeline::gateway_stage::{GatewayParts, GatewayStage};
use engine::pipeline::lifecycle::Lifecycle;
use engine::pipeline::reconnect::{Pace, Reconnect};
use engine::pipeline::telemetry::{GatewaySnapshot, mailbox};
use engine::pipeline::trading_stage::{self, CommandSlot};
use engine::runtime::clock;
use engine::runtime::ring::{self, Consumer, Producer};
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::rates::Limiter;
use gateway::session::{LogonBody, Reset, Session, SessionConfig};
use gateway::spec::Version;
use market::{Instrument, Nanos, Report, Timestamp};
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

/// The stage, and the ends of its rings. It is `US` and talks to `VENUE`.
pub(crate) struct Rig {
    pub(crate) stage: GatewayStage,
    pub(crate) commands: Producer<CommandSlot>,
    pub(crate) reports: Consumer<Report>,
    pub(crate) copier: Copier,
}

impl Rig {
    /// A stage that will connect to `venue` and writes into `folder`.
    pub(crate) fn new(venue: SocketAddr, limiter: Limiter, folder: &Path) -> Rig {
        Rig::saying(venue, limiter, folder, None)
    }

    /// The same, with a Logon that says more.
    pub(crate) fn saying(
        venue: SocketAddr,
        limiter: Limiter,
        folder: &Path,
        logon: Option<Box<dyn LogonBody>>,
    ) -> Rig {
        let mut settings = JournalSettings::new(folder, "gateway");
        (settings.hot_dir, settings.segment_bytes) = (folder.join("hot"), 1 << 20);
        let opened = journal::create(&settings, BEGIN).unwrap();
        let copier = Copier::spawn(vec![opened.drain], Duration::from_millis(5)).unwrap();
        let (commands, commands_in) = ring::channel(trading_stage::COMMANDS_DEPTH);
        let (reports_out, reports) = ring::channel(trading_stage::REPORTS_DEPTH);
        let config = SessionConfig {
            reset_on_logon: Reset::WhenNew,
            ..SessionConfig::initiator("US", "VENUE")
        };
        let store = FixStore::new(opened.writer, Numbers::default(), &[SECRET_TAG]);
        let mut session = Session::new(config, store).unwrap();
        if let Some(logon) = logon {
            session.set_logon_body(logon);
        }
        let pace = Pace { first: Nanos::SECOND, longest: Nanos::SECOND, limit: None };
        let stage = GatewayStage::new(GatewayParts {
            connection: ConnectionParts {
                io: wire::open(wire::Backend::Plain).unwrap().io,
                session,
                connector: Connector::spawn(Plan::plain(venue.ip().to_string(), venue.port()))
                    .unwrap(),
                reconnect: Reconnect::new(pace, 1),
                hours: SessionHours::default(),
                socket: Arc::default(),
            },
            entry: OrderEntry::new(instruments(), 64, Dialect::of(Version::Fix44)),
            commands: commands_in,
            reports: reports_out,
            limiter,
            gate: Arc::new(Gate::default()),
            lifecycle: Arc::new(Lifecycle::default()),
            recorder: recorder::pair(clock::calibrate().0).0,
            outbox: mailbox(GatewaySnapshot::default(), GatewaySnapshot::default()).0,
        });
        Rig { stage, commands, reports, copier }
    }
}
