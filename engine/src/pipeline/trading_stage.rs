//! The trading stage: takes inputs from its rings one at a time, records them, lets the loop decide,
//! and publishes commands into `trading_gateway`.

mod publish;

use crate::latency::{Hop, Recorder};
use crate::pipeline::gate::{Gate, Shut};
use crate::pipeline::lifecycle::Lifecycle;
use crate::pipeline::loop_driver::{EVENTS_MAX, HASH_EVERY, LoopDriver, Stamping, Stamps};
use crate::pipeline::tape::Tape;
use crate::pipeline::telemetry::{Outbox, TradingSnapshot};
use crate::runtime::did::{Act, Did};
use crate::runtime::ring::Consumer;
use crate::runtime::stage::{Stage, Work};
use crate::trading::{Control, ControlKind, TradingLoop};
use market::{Command, Event, EventFlags, Nanos, Report, ReportKind, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use publish::RingPublish;

/// Depth of `trading_gateway`: the order table, a quota of new orders, and one cancel for each.
pub const COMMANDS_DEPTH: usize = 16_384;
/// Depth of `gateway_trading`.
pub const REPORTS_DEPTH: usize = 4_096;
/// Reports taken before the market is looked at again.
const REPORTS_AT_ONCE: usize = 16;

/// How long the rest of a packet goes before reports and timers, from its first part on. It stands in
/// the ring or comes within microseconds; a feed that stopped in the middle, or a whole book in one
/// packet, must not keep fills from the loop.
const REST_WITHIN: Nanos = Nanos::from_millis(10);

/// A command in the ring: one cache line with the slot's sequence.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommandSlot {
    /// What to send.
    pub command: Command,
    /// Raw stamps of the way so far.
    pub stamps: Stamps,
}

const _: () = assert!(size_of::<CommandSlot>() == 56);

/// Stamps of a live loop.
pub struct LiveStamps {
    recorder: Recorder,
}

impl Stamping for LiveStamps {
    fn stamp(&self) -> u64 {
        wire::stamp::now()
    }

    fn decided(&mut self, from: u64) {
        self.recorder.record(Hop::Decided, from, wire::stamp::now());
    }

    fn checked(&mut self, from: u64, to: u64) {
        self.recorder.record(Hop::Checked, from, to);
    }
}

impl LiveStamps {
    /// Stamps that go into `recorder`.
    #[must_use]
    pub fn new(recorder: Recorder) -> LiveStamps {
        LiveStamps { recorder }
    }

    /// The recorder.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }
}

/// The loop's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The clock's.
    Clock,
    /// The venue time of the last event.
    Feed(Timestamp),
}

/// The rings into the trading stage.
pub struct Inputs {
    /// `feed_trading`.
    pub events: Consumer<Event>,
    /// `gateway_trading`.
    pub reports: Consumer<Report>,
    /// `drop_copy_trading`, where there is a drop copy session.
    pub drop_copy: Option<Consumer<Report>>,
    /// `control_trading`.
    pub control: Consumer<Control>,
}

/// The trading core's stage.
pub struct TradingStage<T> {
    driver: LoopDriver<T, RingPublish, LiveStamps>,
    inputs: Inputs,
    packet: Vec<Event>,
    /// When the first part of a packet was taken whose rest is to come.
    parted: Timestamp,
    /// Events stood in the ring when the last packet was taken.
    behind: bool,
    waited: u64,
    time: Time,
    gate: Arc<Gate>,
    lifecycle: Arc<Lifecycle>,
    stop: Arc<AtomicBool>,
    stopping: bool,
    /// Closings of the session that the loop was told of.
    closings: u64,
    outbox: Outbox<TradingSnapshot>,
    did: Did,
    /// The journal's segment, the state hashes and the times that timers fired, so far.
    before: [u64; 3],
}

/// What the trading stage shares with others.
pub struct Links {
    /// The gateway's gate.
    pub gate: Arc<Gate>,
    /// How the run ends.
    pub lifecycle: Arc<Lifecycle>,
    /// The run shall end.
    pub stop: Arc<AtomicBool>,
    /// Telemetry.
    pub outbox: Outbox<TradingSnapshot>,
}

impl<T: Tape> TradingStage<T> {
    /// A stage over a started loop.
    #[must_use]
    pub fn new(
        driver: LoopDriver<T, RingPublish, LiveStamps>,
        inputs: Inputs,
        time: Time,
        links: Links,
    ) -> TradingStage<T> {
        let packet = Vec::with_capacity(EVENTS_MAX);
        let Links { gate, lifecycle, stop, outbox } = links;
        let before = TradingStage::seen(&driver);
        TradingStage {
            driver,
            inputs,
            packet,
            parted: Timestamp::ZERO,
            behind: false,
            waited: 0,
            time,
            gate,
            lifecycle,
            stop,
            stopping: false,
            closings: 0,
            outbox,
            did: Did::default(),
            before,
        }
    }

    /// The loop.
    #[must_use]
    pub fn trading(&self) -> &TradingLoop {
        self.driver.trading()
    }

    /// The loop with its tape, at the end of a run.
    #[must_use]
    pub fn into_driver(self) -> LoopDriver<T, RingPublish, LiveStamps> {
        self.driver
    }

    /// Events that stood in the ring, the first of their packet at least, when the loop took the
    /// packet before them.
    #[must_use]
    pub fn waited(&self) -> u64 {
        self.waited
    }

    /// The recorder, for the end of a run.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        self.driver.stamping().recorder()
    }

    fn now(&self, clock: Timestamp) -> Timestamp {
        match self.time {
            Time::Clock => clock,
            Time::Feed(now) => now,
        }
    }

    fn take_control(&mut self, now: Timestamp) -> bool {
        if self.stop.load(Ordering::Relaxed) && !std::mem::replace(&mut self.stopping, true) {
            let stop = Control::new(ControlKind::Stop, "touchline", "the run ends");
            self.driver.control(now, &stop);
            return true;
        }
        let Some(control) = self.inputs.control.pop() else { return false };
        self.driver.control(now, &control);
        true
    }

    fn take_reports(&mut self, clock: Timestamp) -> bool {
        let mut worked = false;
        for _ in 0..REPORTS_AT_ONCE {
            if !self.driver.has_room() {
                break;
            }
            // The order session first: what it tells is complete.
            let copied = || self.inputs.drop_copy.as_mut().and_then(Consumer::pop);
            let Some(report) = self.inputs.reports.pop().or_else(copied) else { break };
            let now = self.now(clock);
            self.driver.report(now, &report);
            self.closings += u64::from(report.kind() == Some(ReportKind::SessionClosing));
            self.did.add(Act::Reports, 1);
            worked = true;
        }
        worked
    }

    /// Books hold a part of a packet, and the rest is to come at once.
    fn awaits_rest(&self, clock: Timestamp) -> bool {
        self.driver.trading().is_torn() && clock.since(self.parted) < REST_WITHIN
    }

    /// The events of one packet, or of a part of a long one.
    fn take_packet(&mut self, clock: Timestamp) -> bool {
        // A packet that the feed is still writing waits here for its rest.
        let whole = |packet: &[Event]| {
            let last = packet.last().is_some_and(|event| event.flags.has(EventFlags::LAST));
            last || packet.len() == EVENTS_MAX
        };
        while !whole(&self.packet) {
            let Some(event) = self.inputs.events.pop() else { return false };
            self.packet.push(event);
        }
        let Some(last) = self.packet.last() else { return false };
        if last.flags.has(EventFlags::LAST) && last.received != 0 {
            let pushed = last.received + u64::from(last.decoded);
            self.driver.stamps().recorder.record(Hop::Popped, pushed, wire::stamp::now());
        }
        self.waited += if self.behind { self.packet.len() as u64 } else { 0 };
        self.behind = self.inputs.events.is_ready();
        if let Time::Feed(now) = &mut self.time {
            *now = last.exchange_time.max(*now);
        }
        if !self.driver.trading().is_torn() {
            self.parted = clock;
        }
        let now = self.now(clock);
        self.driver.packet(now, &self.packet);
        self.did.add(Act::Events, self.packet.len());
        self.packet.clear();
        true
    }

    fn seen(driver: &LoopDriver<T, RingPublish, LiveStamps>) -> [u64; 3] {
        [driver.tape().segment(), driver.inputs() / HASH_EVERY, driver.fired()]
    }

    /// Notes what else a poll that worked did.
    fn note(&mut self, operator: bool, released: bool) {
        let now = TradingStage::seen(&self.driver);
        let [segment, hashes, fired] = std::mem::replace(&mut self.before, now);
        self.did.add(Act::Commands, self.driver.publisher().take_count());
        self.did.mark(Act::Segment, now[0] != segment);
        self.did.mark(Act::Hash, now[1] != hashes);
        self.did.mark(Act::Timers, now[2] != fired);
        self.did.mark(Act::Operator, operator);
        self.did.mark(Act::Released, released);
    }
}

impl<T: Tape + 'static> Stage for TradingStage<T> {
    fn name(&self) -> &'static str {
        "trading"
    }

    fn poll(&mut self, clock: Timestamp) -> Work {
        self.did = Did::default();
        // Before anything is let go: the gateway keeps back what comes to a gate that is cut.
        if self.driver.publisher().is_late(clock) {
            self.gate.shut(Shut::JournalLost);
        }
        if !self.driver.has_room() {
            // Without a journal nothing may be decided, and so nothing may stay in the market.
            self.gate.shut(Shut::JournalLost);
            if self.stop.load(Ordering::Relaxed) {
                self.lifecycle.set_quiet();
            }
            return Work::BackPressured;
        }
        let now = self.now(clock);
        let operator = self.take_control(now);
        let mut worked = operator;
        if !self.awaits_rest(clock) {
            worked |= self.take_reports(clock);
        }
        worked |= self.driver.has_room() && self.take_packet(clock);
        if self.time == Time::Clock && self.driver.has_room() && !self.awaits_rest(clock) {
            worked |= self.driver.timers(clock);
        }
        let synced = self.driver.tape().synced();
        let released = self.driver.publisher().release(synced);
        if !(worked | released) {
            return Work::Idle;
        }
        self.note(operator, released);
        Work::Busy
    }

    fn did(&self) -> Did {
        self.did
    }

    fn housekeeping(&mut self, now: Timestamp) {
        self.driver.stamps().recorder.hand_over();
        let (inputs, trading) = (self.driver.inputs(), self.driver.trading());
        let waited = self.waited;
        self.outbox.offer(|snapshot| {
            snapshot.fill(now, inputs, trading);
            snapshot.waited = waited;
        });
        if self.stopping && self.driver.trading().is_stopped() {
            self.lifecycle.set_quiet();
        }
        if self.driver.trading().is_cleared() {
            self.lifecycle.set_cleared(self.closings);
        }
    }

    fn is_done(&self) -> bool {
        let copied = self.inputs.drop_copy.as_ref().is_some_and(Consumer::is_ready);
        let told = self.inputs.reports.is_ready() || copied;
        self.lifecycle.is_quiet() && self.lifecycle.is_finished() && !told
    }

    fn as_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}
