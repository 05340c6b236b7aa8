//! The trading loop with its tape: every input is recorded, then handed to the loop; every command
//! is recorded, then published. The stage, the backtest and the tests all drive the loop through
//! here, so that there is one order of things.

use crate::pipeline::records::{self, kind};
use crate::pipeline::tape::Tape;
use crate::trading::{Control, Outlet, TradingLoop};
use market::{Command, Event, Report, StateHasher, Timestamp};

/// Inputs between two state hashes.
pub const HASH_EVERY: u64 = 65_536;
/// Most events of one packet record; a longer packet is several inputs.
pub const EVENTS_MAX: usize = 64;

/// Events of a short packet.
const EVENTS_FEW: usize = 8;

/// Where published commands go.
pub trait Publish: Send {
    /// True if another command finds room.
    fn has_room(&self) -> bool;

    /// Takes a command; called only when there is room.
    /// `sequence` is that of its record on the tape.
    fn publish(&mut self, command: &Command, stamps: Stamps, sequence: u64);
}

/// Raw stamps that travel with a command. Never an input to a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// Of the input that led to it: when its bytes were received.
    pub received: u64,
    /// When it had been checked and journaled.
    pub checked: u64,
}

/// Whether the driver stamps: a live stage does, virtual time does not.
pub trait Stamping: Send {
    /// The raw stamp now, or zero.
    fn stamp(&self) -> u64;
    /// The loop's strategies have spoken.
    fn decided(&mut self, from: u64);
    /// A command was checked and journaled.
    fn checked(&mut self, from: u64, to: u64);
}

/// No stamps at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStamps;

impl Stamping for NoStamps {
    fn stamp(&self) -> u64 {
        0
    }
    fn decided(&mut self, _from: u64) {}
    fn checked(&mut self, _from: u64, _to: u64) {}
}

/// The loop, its tape, and where its commands go.
pub struct LoopDriver<T, P, S> {
    trading: TradingLoop,
    out: Out<T, P, S>,
    inputs: u64,
    /// Times that timers fired.
    fired: u64,
}

struct Out<T, P, S> {
    tape: T,
    publish: P,
    stamps: S,
    run: StateHasher,
    received: u64,
    popped: u64,
    last: u64,
    /// The tape lost a record that it had promised room for: nothing may be sent any more.
    broken: bool,
}

impl<T: Tape, P: Publish, S: Stamping> Outlet for Out<T, P, S> {
    fn decided(&mut self) {
        // Only what began on the wire is a tick.
        if self.received != 0 {
            self.stamps.decided(self.popped);
        }
        self.last = self.stamps.stamp();
    }

    fn send(&mut self, command: &Command) -> bool {
        let bytes = command.to_bytes();
        let room = self.publish.has_room() && !self.broken;
        let publish = self.tape.was_published().unwrap_or(room);
        if !self.tape.record(kind::COMMAND, &[&[u8::from(publish)], &bytes]) {
            self.broken = true;
            return false;
        }
        if publish {
            self.run.bytes(&bytes);
            let checked = self.stamps.stamp();
            self.stamps.checked(self.last, checked);
            self.last = checked;
            let stamps = Stamps { received: self.received, checked };
            self.publish.publish(command, stamps, self.tape.sequence());
        }
        publish
    }
}

impl<T: Tape, P: Publish, S: Stamping> LoopDriver<T, P, S> {
    /// Records the start and starts the loop. `None` if the tape has no room for the start.
    pub fn start(
        trading: TradingLoop,
        tape: T,
        publish: P,
        stamps: S,
        start: &records::Start,
    ) -> Option<Self> {
        let out = Out {
            tape,
            publish,
            stamps,
            run: StateHasher::new(),
            received: 0,
            popped: 0,
            last: 0,
            broken: false,
        };
        let mut driver = LoopDriver { trading, out, inputs: 0, fired: 0 };
        if !driver.out.tape.record(kind::START, &[&start.to_bytes()]) {
            return None;
        }
        driver.trading.on_start(start.now, &mut driver.out);
        Some(driver)
    }

    /// True if an input can be taken. Without room in the tape nothing may be decided.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.out.tape.has_room() && !self.out.broken
    }

    /// True if the tape broke its word; see [`LoopDriver::has_room`].
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.out.broken
    }

    fn begin(&mut self, received: u64) {
        self.out.received = received;
        self.out.popped = self.out.stamps.stamp();
    }

    /// Events of one packet, at most [`EVENTS_MAX`].
    pub fn packet(&mut self, now: Timestamp, events: &[Event]) {
        self.timers_between(now);
        self.begin(events.last().map_or(0, |event| event.received));
        let events = &events[..events.len().min(EVENTS_MAX)];
        self.trading.expect(events);
        // Most packets are short, and clearing room for the longest costs.
        if events.len() <= EVENTS_FEW {
            self.recorded_packet(now, events, &mut [0; EVENTS_FEW * Event::BYTES]);
        } else {
            self.recorded_packet(now, events, &mut [0; EVENTS_MAX * Event::BYTES]);
        }
    }

    /// Records events through `bytes`, which has room for them, and gives them to the loop.
    fn recorded_packet(&mut self, now: Timestamp, events: &[Event], bytes: &mut [u8]) {
        for (slot, event) in bytes.as_chunks_mut::<{ Event::BYTES }>().0.iter_mut().zip(events) {
            *slot = event.to_bytes();
        }
        let head = records::packet_head(now, events.len());
        self.input(
            kind::PACKET,
            &[&head, &bytes[..events.len() * Event::BYTES]],
            |trading, out| {
                trading.on_packet(now, events, out);
            },
        );
    }

    /// Timers ahead of an input, but not within a packet: the rest of it goes first.
    fn timers_between(&mut self, now: Timestamp) {
        if !self.trading.is_torn() {
            self.timers(now);
        }
    }

    /// Events of a backtest, which stand in its data from `first` on.
    pub fn packet_at(&mut self, now: Timestamp, first: u64, events: &[Event]) {
        self.timers_between(now);
        self.trading.expect(events);
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        self.input(kind::PACKET_AT, &[&records::packet_at(now, first, count)], |trading, out| {
            trading.on_packet(now, events, out);
        });
    }

    /// One report.
    pub fn report(&mut self, now: Timestamp, report: &Report) {
        self.timers_between(now);
        self.begin(report.received);
        let mut untimed = *report;
        untimed.received = 0;
        self.out.run.bytes(&untimed.to_bytes());
        let head = records::report_head(now, self.trading.mid(report.instrument));
        self.input(kind::REPORT, &[&head, &report.to_bytes()], |trading, out| {
            trading.on_report(now, report, out);
        });
    }

    /// Fires timers that are due; true if any was.
    pub fn timers(&mut self, now: Timestamp) -> bool {
        if self.trading.next_due() > now {
            return false;
        }
        self.begin(0);
        self.fired += 1;
        self.input(kind::TIMERS, &[&now.nanos().to_le_bytes()], |trading, out| {
            trading.on_timers(now, out);
        });
        true
    }

    /// An operator's act.
    pub fn control(&mut self, now: Timestamp, control: &Control) {
        self.begin(0);
        let time = now.nanos().to_le_bytes();
        self.input(kind::CONTROL, &[&time, &control.to_bytes()], |trading, out| {
            trading.on_control(now, control, out);
        });
    }

    fn input(
        &mut self,
        kind: u16,
        parts: &[&[u8]],
        act: impl FnOnce(&mut TradingLoop, &mut Out<T, P, S>),
    ) {
        // After a lost record nothing more may be decided: the tape would have a hole.
        if self.out.broken || !self.out.tape.record(kind, parts) {
            self.out.broken = true;
            return;
        }
        act(&mut self.trading, &mut self.out);
        self.inputs += 1;
        if self.inputs.is_multiple_of(HASH_EVERY) {
            let hash = records::hash(self.inputs, self.trading.state_hash());
            self.out.broken |= !self.out.tape.record(kind::HASH, &[&hash]);
        }
    }

    /// The loop.
    #[must_use]
    pub fn trading(&self) -> &TradingLoop {
        &self.trading
    }

    /// Inputs so far.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Times that timers fired so far, alone or ahead of an input.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.fired
    }

    /// Where commands go.
    pub fn publisher(&mut self) -> &mut P {
        &mut self.out.publish
    }

    /// The stamps, read.
    #[must_use]
    pub fn stamping(&self) -> &S {
        &self.out.stamps
    }

    /// The stamps.
    pub fn stamps(&mut self) -> &mut S {
        &mut self.out.stamps
    }

    /// The tape.
    #[must_use]
    pub fn tape(&self) -> &T {
        &self.out.tape
    }

    /// Hash over commands, reports and the present state, without times of day, paths or build.
    #[must_use]
    pub fn run_hash(&self) -> u128 {
        let mut run = self.out.run.clone();
        run.wide(self.trading.state_hash().cast_signed());
        run.finish()
    }

    /// Records the end and gives back the loop, its last state hash and the tape.
    pub fn finish(mut self) -> (TradingLoop, u128, T, S) {
        let hash = self.trading.state_hash();
        self.out.tape.record(kind::END, &[&records::hash(self.inputs, hash)]);
        (self.trading, hash, self.out.tape, self.out.stamps)
    }
}
