//! The exchange as a stage: its core driven over its sockets.
//!
//! It never waits for a client: who does not read is cut, who sends nonsense is turned away.

use super::ExchangeCore;
use super::report::ExchangeReport;
use super::wires::{REQUEST_BYTES, Wires};
use crate::runtime::stage::{Stage, Work};
use market::{Nanos, Timestamp};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wire::ReceiveBuffer;
use wire::tcp::Stream;

/// Connections taken in one poll.
const ACCEPTS_MAX: usize = 4;
/// Requests answered in one poll.
const REQUESTS_MAX: usize = 16;
/// How often the report is renewed for whoever looks.
const REPORT_EVERY: Nanos = Nanos::from_millis(100);

/// What the stage shares with other threads.
#[derive(Debug, Default)]
pub struct Shared {
    /// Set by anyone to end the exchange.
    pub stop: Arc<AtomicBool>,
    report: Mutex<ExchangeReport>,
}

impl Shared {
    /// Where the exchange stood a moment ago.
    #[must_use]
    pub fn report(&self) -> ExchangeReport {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The exchange over its sockets.
pub struct ExchangeStage {
    core: ExchangeCore,
    wires: Wires,
    inputs: Vec<ReceiveBuffer>,
    /// Connections whose other end is closed.
    closed: Vec<bool>,
    shared: Arc<Shared>,
    reported: Timestamp,
}

impl ExchangeStage {
    /// A stage over sockets that stand.
    #[must_use]
    pub(super) fn new(core: ExchangeCore, wires: Wires, shared: Arc<Shared>) -> ExchangeStage {
        let inputs = wires.inputs();
        let closed = vec![false; inputs.len()];
        let reported = Timestamp::ZERO;
        let stage = ExchangeStage { core, wires, inputs, closed, shared, reported };
        stage.publish_report();
        stage
    }

    fn accept(&mut self, now: Timestamp) -> bool {
        let mut worked = false;
        for _ in 0..ACCEPTS_MAX {
            let Some((door, stream)) = self.wires.accept_stream() else { break };
            worked = true;
            let place = self.core.connect_stream(door, now);
            self.link(place, stream);
        }
        if !self.wires.has_callers() {
            return worked;
        }
        for _ in 0..ACCEPTS_MAX {
            let Some(stream) = self.wires.accept() else { break };
            worked = true;
            let place = self.core.connect(now);
            self.link(place, stream);
        }
        worked
    }

    /// Without a place for it, a connection is closed again at once.
    fn link(&mut self, place: Option<usize>, stream: Stream) {
        if let Some(place) = place {
            self.inputs[place].clear();
            // A connection that cannot be watched is over.
            self.closed[place] = self.wires.link(place, stream).is_err();
        }
    }

    /// Reads every connection once. Those of accounts come first, so that a client that left and
    /// came back finds its session free.
    fn read(&mut self, now: Timestamp) -> bool {
        let mut worked = false;
        for place in 0..self.inputs.len() {
            match self.wires.fill(place, &mut self.inputs[place]) {
                Some(came) => worked |= came,
                None => self.closed[place] = true,
            }
        }
        for known in [true, false] {
            for place in 0..self.inputs.len() {
                if self.wires.links[place].is_some() && self.core.is_known(place) == known {
                    worked |= self.take(place, now);
                }
            }
        }
        worked
    }

    fn take(&mut self, place: usize, now: Timestamp) -> bool {
        let ExchangeStage { core, wires, inputs, .. } = self;
        let bytes = inputs[place].bytes();
        let mut worked = false;
        if !bytes.is_empty() {
            let count = core.receive(place, now, bytes, wires);
            inputs[place].consume(count);
            worked = count > 0;
        }
        if self.closed[place] {
            self.core.disconnected(place, now, &mut self.wires);
            self.wires.cut_now(place);
            self.closed[place] = false;
            worked = true;
        }
        worked
    }

    fn answer(&mut self) -> bool {
        let mut bytes = [0; REQUEST_BYTES];
        let mut worked = false;
        if !self.wires.has_requests() {
            return worked;
        }
        for _ in 0..REQUESTS_MAX {
            let Some((count, from)) = self.wires.request(&mut bytes) else { break };
            worked = true;
            if let Some(packet) = self.core.answer(&bytes[..count]) {
                self.wires.answer(packet, from);
            }
        }
        worked
    }

    fn publish_report(&self) {
        let mut report = self.core.report();
        report.unsent = self.wires.unsent;
        *self.shared.report.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }
}

impl Stage for ExchangeStage {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn poll(&mut self, now: Timestamp) -> Work {
        if self.core.failed().is_some() {
            self.shared.stop.store(true, Ordering::Relaxed);
        } else if self.shared.stop.load(Ordering::Relaxed) {
            self.core.stop(now, &mut self.wires);
        }
        let mut worked = self.accept(now);
        worked |= self.read(now);
        worked |= self.core.poll(now, &mut self.wires);
        worked |= self.answer();
        worked |= self.wires.flush();
        if worked { Work::Busy } else { Work::Idle }
    }

    fn housekeeping(&mut self, now: Timestamp) {
        if now.since(self.reported) >= REPORT_EVERY || self.shared.stop.load(Ordering::Relaxed) {
            self.reported = now;
            self.publish_report();
        }
    }

    fn is_done(&self) -> bool {
        self.core.is_stopped()
    }

    fn as_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}
