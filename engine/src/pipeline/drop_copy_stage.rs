//! The drop copy stage: a second session of the venue that tells trades once more. What it says of
//! trades goes into `drop_copy_trading`, marked as told by a drop copy; nothing goes out.
//!
//! It must never tell of anything but trades: orders live by what their own session says. It never
//! drops a report: a full ring stops the session's reading.

use crate::latency::{Hop, Recorder};
use crate::pipeline::fix_connection::{ConnectionParts, FixConnection};
use crate::pipeline::fix_store::{FixStore, TimedStore};
use crate::pipeline::gateway_stage::GatewayCounters;
use crate::pipeline::lifecycle::Lifecycle;
use crate::pipeline::tally::Tally;
use crate::pipeline::telemetry::{GatewaySnapshot, Outbox};
use crate::runtime::did::Did;
use crate::runtime::ring::Producer;
use crate::runtime::stage::{Stage, Work};
use gateway::orders::{Inbox, OrderEntry};
use market::{Event, OrderId, Report, ReportKind, Timestamp};
use std::sync::Arc;

/// Trades of a drop copy, in.
pub struct DropCopyStage<S = FixStore> {
    connection: FixConnection<S>,
    entry: OrderEntry,
    copies: Copies,
    lifecycle: Arc<Lifecycle>,
    /// The session is logged out for good.
    left: bool,
    /// Reports that could not be read, so far.
    faulty: u64,
    /// What it sends, for the limits that it shares with the order session.
    tally: Arc<Tally>,
    recorder: Recorder,
    outbox: Outbox<GatewaySnapshot>,
    did: Did,
}

/// `drop_copy_trading`: trades only.
struct Copies(Producer<Report>);

impl Inbox<Report> for Copies {
    fn ready(&self) -> bool {
        self.0.has_room(5)
    }

    fn put(&mut self, report: Report) {
        if matches!(
            report.kind(),
            Some(ReportKind::Filled | ReportKind::Busted | ReportKind::Corrected)
        ) {
            // Room was asked for.
            let _ = self.0.push(report.by_drop_copy());
        }
    }
}

impl DropCopyStage {
    /// Closes the session's stream at the end of a run.
    pub fn close(self) {
        self.connection.into_store().close();
    }
}

impl<S: TimedStore> DropCopyStage<S> {
    /// A stage that connects at its first poll.
    #[must_use]
    pub fn new(
        connection: ConnectionParts<S>,
        entry: OrderEntry,
        reports: Producer<Report>,
        (lifecycle, tally): (Arc<Lifecycle>, Arc<Tally>),
        (recorder, outbox): (Recorder, Outbox<GatewaySnapshot>),
    ) -> DropCopyStage<S> {
        DropCopyStage {
            connection: FixConnection::new(connection),
            entry,
            copies: Copies(reports),
            lifecycle,
            left: false,
            faulty: 0,
            tally,
            recorder,
            outbox,
            did: Did::default(),
        }
    }

    /// The recorder, for the end of a run.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }
}

impl<S: TimedStore + Send + 'static> Stage for DropCopyStage<S> {
    fn name(&self) -> &'static str {
        "drop copy"
    }

    fn poll(&mut self, now: Timestamp) -> Work {
        self.did = Did::default();
        let DropCopyStage { connection, entry, copies, did, .. } = self;
        let mut app = entry.application(copies);
        connection.set_now(now);
        if self.lifecycle.is_quiet() {
            self.left = connection.leave(now, &mut app, did);
        }
        let mut worked = !connection.is_linked() && connection.connect(now, &mut app, did);
        let read = connection.read(now, &mut app, did);
        drop(app);
        if entry.counters().faulty != self.faulty {
            self.faulty = entry.counters().faulty;
            // A trade that nobody can read may be one that nobody else tells.
            let unreadable = Report::new(ReportKind::Unreadable, OrderId::NONE, Event::ALL);
            let _ = copies.0.push(unreadable.by_drop_copy());
        }
        if let Some(headline) = entry.take_headline() {
            let reconnects = entry.dialect().settings().news_reconnects;
            connection.heed_news(now, &headline, reconnects);
        }
        let mut app = entry.application(copies);
        let tended = read.and_then(|read| Ok(connection.tend(now, did)? | read));
        match tended {
            Ok(did) => worked |= did,
            Err(why) => {
                connection.end(now, &why, &mut app, did);
                worked = true;
            }
        }
        let sent = connection.session().counters();
        self.tally.set(sent.sent + sent.resent + sent.gap_fills);
        if worked { Work::Busy } else { Work::Idle }
    }

    fn did(&self) -> Did {
        self.did
    }

    fn housekeeping(&mut self, now: Timestamp) {
        let (session, entry) = (self.connection.session(), &self.entry);
        // It has no commands to hold or keep back.
        let told = (GatewayCounters::default(), self.connection.told());
        self.outbox.offer(|snapshot| snapshot.fill(now, session, entry, told));
        while let Some((kernel, received)) = self.connection.next_arrival() {
            self.recorder.record_from_utc(Hop::GatewayRecv, kernel, received);
        }
        self.recorder.hand_over();
    }

    fn is_done(&self) -> bool {
        self.left
    }

    fn as_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}
