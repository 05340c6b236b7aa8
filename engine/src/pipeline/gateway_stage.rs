//! The gateway stage: commands out of `trading_gateway` as FIX, reports into `gateway_trading`.
//!
//! One session over one connection at a time. Everything sent stands in the gateway's stream first;
//! nothing leaves past the gate. It never drops a report: a full ring stops the session's reading.

mod ends;
mod throttle;

use crate::latency::{Hop, Recorder};
use crate::pipeline::fix_connection::{ConnectionCounters, ConnectionParts, FixConnection};
use crate::pipeline::fix_store::{FixStore, TimedStore};
use crate::pipeline::gate::Gate;
use crate::pipeline::lifecycle::Lifecycle;
use crate::pipeline::tally::Tally;
use crate::pipeline::telemetry::{GatewaySnapshot, Outbox};
use crate::pipeline::trading_stage::CommandSlot;
use crate::runtime::did::{Act, Did};
use crate::runtime::ring::{Consumer, Producer};
use crate::runtime::stage::{Stage, Work};
use ends::RingInbox;
use gateway::orders::{Inbox, OrderEntry, not_sent};
use gateway::rates::{Limiter, Load};
use gateway::session::{SendError, Session};
use market::{CommandKind, Event, OrderId, RejectReason, Report, ReportKind, Timestamp};
use std::ops::Range;
use std::sync::Arc;
use throttle::{Admission, Due, Throttle};

/// Commands sent before the socket is read again.
const COMMANDS_AT_ONCE: usize = 32;

/// Counts of the stage beside those of connection, session and order entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayCounters {
    /// Commands kept back, for whatever reason.
    pub kept_back: u64,
    /// Of those, commands that would have broken a rate of the venue.
    pub rate_refused: u64,
    /// Commands that waited for a rate of the venue.
    pub rate_held: u64,
}

/// What the stage is made of.
pub struct GatewayParts<S = FixStore> {
    /// The session and its way to the venue.
    pub connection: ConnectionParts<S>,
    /// Commands and reports as FIX.
    pub entry: OrderEntry,
    /// `trading_gateway`.
    pub commands: Consumer<CommandSlot>,
    /// `gateway_trading`.
    pub reports: Producer<Report>,
    /// The venue's rates, for the order session and the drop copy; without rules everything passes.
    pub limiter: Limiter,
    /// What the drop copy sends.
    pub drop_copy: Arc<Tally>,
    /// The second gate.
    pub gate: Arc<Gate>,
    /// How the run ends.
    pub lifecycle: Arc<Lifecycle>,
    /// Hops.
    pub recorder: Recorder,
    /// Telemetry.
    pub outbox: Outbox<GatewaySnapshot>,
}

/// Orders out, reports in.
pub struct GatewayStage<S = FixStore> {
    connection: FixConnection<S>,
    entry: OrderEntry,
    commands: Consumer<CommandSlot>,
    inbox: RingInbox,
    throttle: Throttle,
    gate: Arc<Gate>,
    lifecycle: Arc<Lifecycle>,
    recorder: Recorder,
    counters: GatewayCounters,
    outbox: Outbox<GatewaySnapshot>,
    did: Did,
    /// Times that the loop was told that the session ends.
    closings: u64,
    /// The journal's segment.
    segment: u64,
}

impl GatewayStage {
    /// Closes the gateway's stream at the end of a run.
    pub fn close(self) {
        self.connection.into_store().close();
    }
}

impl<S: TimedStore> GatewayStage<S> {
    /// A stage that connects at its first poll.
    #[must_use]
    pub fn new(parts: GatewayParts<S>) -> GatewayStage<S> {
        let segment = parts.connection.session.store().segment();
        GatewayStage {
            connection: FixConnection::new(parts.connection),
            entry: parts.entry,
            commands: parts.commands,
            inbox: RingInbox::new(parts.reports),
            throttle: Throttle::new(parts.limiter, parts.drop_copy),
            gate: parts.gate,
            lifecycle: parts.lifecycle,
            recorder: parts.recorder,
            counters: GatewayCounters::default(),
            outbox: parts.outbox,
            did: Did::default(),
            closings: 0,
            segment,
        }
    }

    /// The session, for its counters.
    #[must_use]
    pub fn session(&self) -> &Session<S> {
        self.connection.session()
    }

    /// Commands and reports, for their counters.
    #[must_use]
    pub fn entry(&self) -> &OrderEntry {
        &self.entry
    }

    /// Counts of the stage.
    #[must_use]
    pub fn counters(&self) -> GatewayCounters {
        self.counters
    }

    /// Counts of connections, and what the last failed attempt or ended connection said.
    #[must_use]
    pub fn told(&self) -> (ConnectionCounters, &str) {
        self.connection.told()
    }

    /// The recorder, for the end of a run.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Takes over a connection, or asks for one.
    fn connect(&mut self, now: Timestamp) -> bool {
        if self.gate.is_cut() || self.lifecycle.is_quiet() {
            return false;
        }
        let mut application = self.entry.application(&mut self.inbox);
        self.connection.connect(now, &mut application, &mut self.did)
    }

    fn end(&mut self, now: Timestamp, why: &str) {
        let mut application = self.entry.application(&mut self.inbox);
        self.connection.end(now, why, &mut application, &mut self.did);
    }

    /// Reads what came and gives it to the session.
    fn read(&mut self, now: Timestamp) -> Result<bool, String> {
        let unread =
            |entry: &OrderEntry| entry.counters().faulty + entry.counters().unknown_instrument;
        let before = unread(&self.entry);
        let read = {
            let mut application = self.entry.application(&mut self.inbox);
            self.connection.read(now, &mut application, &mut self.did)
        };
        if unread(&self.entry) != before {
            self.inbox.put(Report::new(ReportKind::Unreadable, OrderId::NONE, Event::ALL));
        }
        if matches!(read, Ok(true))
            && let Some(headline) = self.entry.take_headline()
        {
            let reconnects = self.entry.dialect().settings().news_reconnects;
            self.connection.heed_news(now, &headline, reconnects);
        }
        read
    }

    /// Sends commands that wait, each at once.
    fn send(&mut self, now: Timestamp) -> bool {
        let mut worked = self.release(now);
        for _ in 0..COMMANDS_AT_ONCE {
            // A command that cannot be sent must find room for the report that says so.
            if !self.inbox.ready() {
                break;
            }
            let Some(slot) = self.commands.pop() else { break };
            worked = true;
            self.did.add(Act::Commands, 1);
            self.send_one(now, &slot);
        }
        worked
    }

    /// Commands that waited for the venue's rates, as far as they may go now.
    fn release(&mut self, now: Timestamp) -> bool {
        let mut worked = false;
        while !self.throttle.is_clear() && self.inbox.ready() {
            if !self.connection.is_linked() || self.gate.is_cut() {
                let Some(slot) = self.throttle.give_up() else { break };
                self.keep_back(&slot, SendError::Down);
            } else {
                match self.throttle.next_due(now) {
                    Some(Due::Refused(slot)) => self.refuse(&slot),
                    Some(Due::Goes(slot, load, part)) => self.send_now(now, &slot, load, part),
                    None => break,
                }
            }
            worked = true;
        }
        worked
    }

    fn send_one(&mut self, now: Timestamp, slot: &CommandSlot) {
        let passes = !self.gate.is_cut() && self.gate.passes(slot.command.kind());
        if !passes || !self.connection.is_linked() {
            return self.keep_back(slot, SendError::Down);
        }
        let load = self.entry.load(&slot.command);
        match self.throttle.admit(now, slot, load) {
            Admission::Goes => self.send_now(now, slot, load, 0..load.messages),
            Admission::Waits => {
                self.counters.rate_held += 1;
                // Of several messages some may go, before a later command takes their room.
                self.release(now);
            }
            Admission::Refused => self.refuse(slot),
        }
    }

    /// Sends a command, or so many of its messages.
    fn send_now(&mut self, now: Timestamp, slot: &CommandSlot, load: Load, part: Range<u32>) {
        let CommandSlot { command, stamps } = slot;
        let (session, out) = self.connection.sending();
        let before = session.counters().sent;
        let outcome = self.entry.send_part(session, now, out, command, part);
        for _ in before..session.counters().sent {
            self.throttle.note(now, load);
        }
        match outcome {
            Err(error) => {
                self.throttle.drop_rest(slot);
                self.keep_back(slot, error);
            }
            Ok(_) => {
                let encoded = wire::stamp::now();
                self.connection.flush();
                let sent = wire::stamp::now();
                self.recorder.record(Hop::Encoded, stamps.checked, encoded);
                self.recorder.record(Hop::Sent, encoded, sent);
                self.recorder.record(Hop::TickToTrade, stamps.received, sent);
                if matches!(
                    command.kind(),
                    Some(CommandKind::New | CommandKind::Replace | CommandKind::Cancel)
                ) {
                    self.inbox.note_sent(command.id.0, sent);
                }
            }
        }
    }

    /// A rate of the venue would be broken: to the loop, as if the wire were full.
    fn refuse(&mut self, slot: &CommandSlot) {
        self.counters.rate_refused += 1;
        self.keep_back(slot, SendError::Backpressure);
    }

    fn keep_back(&mut self, slot: &CommandSlot, error: SendError) {
        self.counters.kept_back += 1;
        if slot.command.kind() != Some(CommandKind::Mark) {
            let report = not_sent(&slot.command, error);
            debug_assert_ne!(report.reason(), RejectReason::None);
            self.inbox.put(report);
        }
    }

    /// The loop hears a moment ahead that the session ends, and cancels: not every venue does, and
    /// over the close nobody could. With the hours the Logout comes at their end, whatever was
    /// answered; for a reset as soon as nothing is open, or that moment is over.
    fn tend(&mut self, now: Timestamp) -> Result<bool, String> {
        let ends = self.connection.ends_soon(now);
        if ends {
            let mut report = Report::new(ReportKind::SessionClosing, OrderId::NONE, Event::ALL);
            report.exchange_time = now;
            self.inbox.put(report);
            self.closings += 1;
        } else if self.lifecycle.cleared() == self.closings {
            self.connection.nothing_open();
        }
        Ok(self.connection.tend(now, &mut self.did)? | ends)
    }

    /// Notes what else a poll that worked did.
    fn note(&mut self) {
        let segment = self.session().store().segment();
        let moved = std::mem::replace(&mut self.segment, segment) != segment;
        self.did.mark(Act::Segment, moved);
        self.did.add(Act::Reports, self.inbox.take_count());
    }

    /// Once the loop is quiet: log out, then be done. What waits for a rate goes before.
    fn finish(&mut self, now: Timestamp) {
        if !self.lifecycle.is_quiet() || !self.throttle.is_clear() {
            return;
        }
        let mut application = self.entry.application(&mut self.inbox);
        if self.connection.leave(now, &mut application, &mut self.did) {
            self.lifecycle.set_finished();
        }
    }
}

impl<S: TimedStore + Send + 'static> Stage for GatewayStage<S> {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn poll(&mut self, now: Timestamp) -> Work {
        self.did = Did::default();
        self.connection.set_now(now);
        if self.gate.is_shut() {
            // What the venue asks for again must not bring back an order either.
            self.connection.sending().0.withhold_orders();
        }
        self.throttle.hear_drop_copy(now);
        let mut worked = self.inbox.drain();
        if !self.connection.is_linked() {
            worked |= self.connect(now);
        } else if self.gate.is_cut() {
            self.end(now, "the gate was cut");
        }
        // A command that waits must not wait for the read of the socket.
        worked |= self.send(now);
        if self.session().store().keeps_frames()
            && let Some(most) = self.throttle.repeats(now)
        {
            self.connection.sending().1.limit_repeats(most);
        }
        for step in [Self::read, Self::tend] {
            match step(self, now) {
                Ok(did) => worked |= did,
                Err(why) => {
                    self.end(now, &why);
                    worked = true;
                }
            }
        }
        let (session, out) = self.connection.sending();
        self.throttle.catch_up(now, session.counters(), out.repeated());
        self.finish(now);
        if !worked {
            self.connection.make_ready();
            return Work::Idle;
        }
        self.note();
        Work::Busy
    }

    fn did(&self) -> Did {
        self.did
    }

    fn housekeeping(&mut self, now: Timestamp) {
        let (session, entry) = (self.connection.session(), &self.entry);
        let told = (self.counters, self.connection.told());
        self.outbox.offer(|snapshot| snapshot.fill(now, session, entry, told));
        while let Some((sent, acked)) = self.inbox.next_acked() {
            self.recorder.record(Hop::Acked, sent, acked);
        }
        while let Some((kernel, received)) = self.connection.next_arrival() {
            self.recorder.record_from_utc(Hop::GatewayRecv, kernel, received);
        }
        self.recorder.hand_over();
    }

    fn is_done(&self) -> bool {
        self.lifecycle.is_finished() && self.inbox.is_drained()
    }

    fn as_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}
