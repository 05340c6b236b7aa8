//! The gateway stage: commands out of `trading_gateway` as FIX, reports into `gateway_trading`.
//!
//! One session over one connection at a time. Everything sent stands in the gateway's stream first;
//! nothing leaves past the gate. It never drops a report: a full ring stops the session's reading.

mod ends;
mod throttle;

use crate::latency::{Hop, Recorder};
use crate::pipeline::connector::Connector;
use crate::pipeline::fix_store::{FixStore, TimedStore};
use crate::pipeline::gate::Gate;
use crate::pipeline::lifecycle::Lifecycle;
use crate::pipeline::reconnect::Reconnect;
use crate::pipeline::telemetry::{GatewaySnapshot, Outbox};
use crate::pipeline::trading_stage::CommandSlot;
use crate::runtime::did::{Act, Did};
use crate::runtime::ring::{Consumer, Producer};
use crate::runtime::stage::{Stage, Work};
use ends::{Out, RingInbox};
use gateway::orders::{Inbox, OrderEntry, not_sent};
use gateway::rates::Limiter;
use gateway::session::{Disconnect, SendError, Session};
use market::{CommandKind, Event, OrderId, RejectReason, Report, ReportKind, Timestamp};
use std::sync::Arc;
use throttle::{Admission, Throttle};
use wire::{Io, Link, ReceiveBuffer, SendBuffer};

pub use ends::OrderSocket;

/// Bytes of each socket buffer of ours: many of the longest messages.
const BUFFER_BYTES: usize = 256 * 1024;
/// Commands sent before the socket is read again.
const COMMANDS_AT_ONCE: usize = 32;

/// Raw ticks between two looks at an order socket that had nothing, one or two microseconds: on a
/// shared core each look keeps a tick waiting. It is looked at again at once after it had something.
const LOOK_EVERY: u64 = 4_096;

/// Counts of the stage beside those of session and order entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayCounters {
    /// Connections made.
    pub connections: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Connections that ended unasked.
    pub disconnects: u64,
    /// Commands kept back, for whatever reason.
    pub kept_back: u64,
    /// Of those, commands that would have broken a rate of the venue.
    pub rate_refused: u64,
    /// Commands that waited for a rate of the venue.
    pub rate_held: u64,
}

/// What the stage is made of.
pub struct GatewayParts<S = FixStore> {
    /// Sockets.
    pub io: Box<dyn Io>,
    /// The session over its store.
    pub session: Session<S>,
    /// Commands and reports as FIX.
    pub entry: OrderEntry,
    /// Makes connections.
    pub connector: Connector,
    /// `trading_gateway`.
    pub commands: Consumer<CommandSlot>,
    /// `gateway_trading`.
    pub reports: Producer<Report>,
    /// The venue's rates; without rules everything passes.
    pub limiter: Limiter,
    /// The second gate.
    pub gate: Arc<Gate>,
    /// How the run ends.
    pub lifecycle: Arc<Lifecycle>,
    /// For the watchdog.
    pub socket: Arc<OrderSocket>,
    /// Hops.
    pub recorder: Recorder,
    /// When to connect.
    pub reconnect: Reconnect,
    /// Telemetry.
    pub outbox: Outbox<GatewaySnapshot>,
}

/// Orders out, reports in.
pub struct GatewayStage<S = FixStore> {
    io: Box<dyn Io>,
    session: Session<S>,
    entry: OrderEntry,
    connector: Connector,
    commands: Consumer<CommandSlot>,
    inbox: RingInbox,
    link: Option<Link>,
    /// Buffers go from one connection to the next.
    out: Out,
    input: ReceiveBuffer,
    /// Raw tick of the last look at the socket that found nothing.
    looked: u64,
    throttle: Throttle,
    gate: Arc<Gate>,
    lifecycle: Arc<Lifecycle>,
    socket: Arc<OrderSocket>,
    recorder: Recorder,
    reconnect: Reconnect,
    /// The present connection has, or had, a session.
    lived: bool,
    logging_out: bool,
    counters: GatewayCounters,
    last_error: String,
    outbox: Outbox<GatewaySnapshot>,
    did: Did,
    /// The journal's segment.
    segment: u64,
}

impl GatewayStage {
    /// Closes the gateway's stream at the end of a run.
    pub fn close(self) {
        self.session.into_store().close();
    }
}

impl<S: TimedStore> GatewayStage<S> {
    /// A stage that connects at its first poll.
    #[must_use]
    pub fn new(parts: GatewayParts<S>) -> GatewayStage<S> {
        let segment = parts.session.store().segment();
        GatewayStage {
            io: parts.io,
            session: parts.session,
            entry: parts.entry,
            connector: parts.connector,
            commands: parts.commands,
            inbox: RingInbox::new(parts.reports),
            link: None,
            out: Out(SendBuffer::with_capacity(BUFFER_BYTES)),
            input: ReceiveBuffer::with_capacity(BUFFER_BYTES),
            looked: 0,
            throttle: Throttle::new(parts.limiter),
            gate: parts.gate,
            lifecycle: parts.lifecycle,
            socket: parts.socket,
            recorder: parts.recorder,
            reconnect: parts.reconnect,
            lived: false,
            logging_out: false,
            counters: GatewayCounters::default(),
            last_error: String::new(),
            outbox: parts.outbox,
            did: Did::default(),
            segment,
        }
    }

    /// The session, for its counters.
    #[must_use]
    pub fn session(&self) -> &Session<S> {
        &self.session
    }

    /// Commands and reports, for their counters.
    #[must_use]
    pub fn entry(&self) -> &OrderEntry {
        &self.entry
    }

    /// Counts of connections, and what the last failed attempt or ended connection said.
    #[must_use]
    pub fn link(&self) -> (GatewayCounters, &str) {
        (self.counters, &self.last_error)
    }

    /// The recorder, for the end of a run.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Takes over a connection, or asks for one.
    fn connect(&mut self, now: Timestamp) -> bool {
        if self.gate.is_cut() || self.logging_out || self.lifecycle.is_quiet() {
            return false;
        }
        if self.reconnect.is_due(now) {
            self.connector.request();
            self.did.mark(Act::Asked, true);
            self.reconnect.begin(now);
            return true;
        }
        // The session's end and beginning must find room for what they say.
        if !self.reconnect.is_trying() || !self.inbox.ready() {
            return false;
        }
        match self.connector.take() {
            Some(Ok(link)) => self.begin(now, link),
            Some(Err(error)) => {
                self.counters.failed_attempts += 1;
                self.did.mark(Act::Ended, true);
                self.last_error = error.to_string();
                self.reconnect.failed(now);
            }
            None => return false,
        }
        true
    }

    fn begin(&mut self, now: Timestamp, link: Link) {
        self.counters.connections += 1;
        self.did.mark(Act::Connected, true);
        self.socket.set(link.stream().try_clone().ok());
        self.out.0.clear();
        self.input.clear();
        self.link = Some(link);
        self.lived = false;
        self.reconnect.connected(now);
        self.session.store_mut().set_now(now);
        if let Err(why) = self.session.connected(now, &mut self.out) {
            self.end(now, &why.to_string());
        }
    }

    /// The connection is over.
    fn end(&mut self, now: Timestamp, why: &str) {
        self.did.mark(Act::Ended, true);
        if let Some(link) = self.link.take() {
            link.close(self.io.as_mut(), &mut self.out.0);
        }
        self.socket.set(None);
        if !self.logging_out {
            self.counters.disconnects += 1;
            why.clone_into(&mut self.last_error);
        }
        let mut application = self.entry.application(&mut self.inbox);
        self.session.disconnected(now, &mut application);
        self.reconnect.ended(now, self.lived);
    }

    /// Reads what came and gives it to the session.
    fn read(&mut self, now: Timestamp) -> Result<bool, String> {
        let Some(link) = &mut self.link else { return Ok(false) };
        let began = wire::stamp::now();
        let unread = !self.input.bytes().is_empty() || self.session.holds_messages();
        if !unread && began.wrapping_sub(self.looked) < LOOK_EVERY {
            return Ok(false);
        }
        let filled = link.fill(self.io.as_mut(), &mut self.input);
        let came = filled.map_err(|error| error.to_string())? > 0;
        let stamp = link.received();
        self.looked = if came { 0 } else { began };
        if !came && !unread {
            return Ok(false);
        }
        self.did.mark(Act::Bytes, came);
        let unread =
            |entry: &OrderEntry| entry.counters().faulty + entry.counters().unknown_instrument;
        let before = unread(&self.entry);
        let consumed = {
            let mut application = self.entry.application(&mut self.inbox);
            let bytes = self.input.bytes();
            self.session.received(now, stamp, bytes, &mut self.out, &mut application)
        };
        self.lived |= self.session.is_up();
        if unread(&self.entry) != before {
            self.inbox.put(Report::new(ReportKind::Unreadable, OrderId::NONE, Event::ALL));
        }
        match consumed {
            Ok(count) => {
                self.input.consume(count);
                self.heed_news(now).map_err(|why| why.to_string())?;
                Ok(came || count > 0)
            }
            Err(why) => Err(self.reason(&why)),
        }
    }

    /// News (B) of the venue is kept for the operator; where it announces the end of the connection,
    /// we log out first and come again.
    fn heed_news(&mut self, now: Timestamp) -> Result<(), Disconnect> {
        let Some(headline) = self.entry.take_headline() else { return Ok(()) };
        self.last_error = format!("news: {headline}");
        if self.entry.dialect().settings().news_reconnects && self.session.is_up() {
            self.session.logout(now, &mut self.out, "as the venue asked")?;
        }
        Ok(())
    }

    fn reason(&self, why: &Disconnect) -> String {
        let text = String::from_utf8_lossy(self.session.peer_text());
        if text.is_empty() { why.to_string() } else { format!("{why}: {text}") }
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
            if self.link.is_none() || self.gate.is_cut() {
                let Some(slot) = self.throttle.give_up() else { break };
                self.keep_back(&slot, SendError::Down);
            } else {
                let Some((slot, admission)) = self.throttle.next_due(now) else { break };
                match admission {
                    Admission::Refused => self.refuse(&slot),
                    _ => self.send_now(now, &slot),
                }
            }
            worked = true;
        }
        worked
    }

    fn send_one(&mut self, now: Timestamp, slot: &CommandSlot) {
        if self.gate.is_cut() || !self.gate.passes(slot.command.kind()) || self.link.is_none() {
            return self.keep_back(slot, SendError::Down);
        }
        match self.throttle.admit(now, slot) {
            Admission::Goes => self.send_now(now, slot),
            Admission::Waits => self.counters.rate_held += 1,
            Admission::Refused => self.refuse(slot),
        }
    }

    fn send_now(&mut self, now: Timestamp, slot: &CommandSlot) {
        let CommandSlot { command, stamps } = slot;
        let Some(link) = &mut self.link else { return self.keep_back(slot, SendError::Down) };
        match self.entry.send(&mut self.session, now, &mut self.out, command) {
            Err(error) => self.keep_back(slot, error),
            Ok(_) => {
                self.throttle.note(now, slot);
                let encoded = wire::stamp::now();
                // What the socket does not take now goes with the next poll.
                let _ = link.flush(self.io.as_mut(), &mut self.out.0);
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

    /// Heartbeats, time-outs, and whatever the socket did not take before.
    fn tend(&mut self, now: Timestamp) -> Result<bool, String> {
        let Some(link) = &mut self.link else { return Ok(false) };
        let worked = self.session.poll(now, &mut self.out).map_err(|why| why.to_string())?;
        if !link.is_flushed(&self.out.0) {
            let flushed = link.flush(self.io.as_mut(), &mut self.out.0);
            flushed.map_err(|error| error.to_string())?;
        }
        self.did.mark(Act::Session, worked);
        Ok(worked)
    }

    /// Notes what else a poll that worked did.
    fn note(&mut self) {
        let segment = self.session.store().segment();
        let moved = std::mem::replace(&mut self.segment, segment) != segment;
        self.did.mark(Act::Segment, moved);
        self.did.add(Act::Reports, self.inbox.take_count());
    }

    /// Once the loop is quiet: log out, then be done. What waits for a rate goes before.
    fn finish(&mut self, now: Timestamp) {
        if !self.lifecycle.is_quiet() || !self.throttle.is_clear() {
            return;
        }
        if self.link.is_some()
            && !std::mem::replace(&mut self.logging_out, true)
            && let Err(why) = self.session.logout(now, &mut self.out, "the engine stops")
        {
            self.end(now, &why.to_string());
        }
        if self.link.is_none() {
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
        self.session.store_mut().set_now(now);
        let mut worked = self.inbox.drain();
        if self.link.is_none() {
            worked |= self.connect(now);
        } else if self.gate.is_cut() {
            self.end(now, "the gate was cut");
        }
        // A command that waits must not wait for the read of the socket.
        worked |= self.send(now);
        for step in [Self::read, Self::tend] {
            match step(self, now) {
                Ok(did) => worked |= did,
                Err(why) => {
                    self.end(now, &why);
                    worked = true;
                }
            }
        }
        self.throttle.catch_up(now, self.session.counters());
        self.finish(now);
        if !worked {
            return Work::Idle;
        }
        self.note();
        Work::Busy
    }

    fn did(&self) -> Did {
        self.did
    }

    fn housekeeping(&mut self, now: Timestamp) {
        let (session, entry) = (&self.session, &self.entry);
        let link = (self.counters, self.last_error.as_str());
        self.outbox.offer(|snapshot| snapshot.fill(now, session, entry, link));
        while let Some((sent, acked)) = self.inbox.next_acked() {
            self.recorder.record(Hop::Acked, sent, acked);
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
