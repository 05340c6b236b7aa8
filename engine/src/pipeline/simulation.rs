//! The trading loop and a market in one thread, in virtual time: the backtest, and the test of the
//! loop as a whole. No sockets, no clock; the same seed gives the same run on any machine.
//!
//! What is due at one moment happens in this order: commands reach the venue, reports reach the
//! loop, market data reaches the loop, timers fire, the market moves on.

use crate::pipeline::loop_driver::{EVENTS_MAX, LoopDriver, NoStamps, Publish, Stamps};
use crate::pipeline::market_source::Market;
use crate::pipeline::records::Start;
use crate::pipeline::tape::Tape;
use crate::trading::{Control, ControlKind, TradingLoop};
use market::{
    Command, CommandKind, Event, EventFlags, EventKind, OrderId, Price, Report, ReportKind,
    Timestamp,
};
use sim::{AccountId, ConstantLatency, LatencyModel, Output};
use std::collections::VecDeque;

/// The account of the trading loop at a simulated venue.
pub const OURS: AccountId = AccountId(sim::flow::ACCOUNTS);

/// Which time the loop sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopClock {
    /// The simulation's own.
    Virtual,
    /// The venue time of the last event that the loop was given: nothing happens between packets,
    /// and what a packet leads to at the venue is reported at the time of the packet before.
    Feed,
}

/// A run of the trading loop against a market.
pub struct Simulation<T> {
    driver: LoopDriver<T, Queue, NoStamps>,
    market: Market,
    latency: ConstantLatency,
    clock: LoopClock,
    orders: VecDeque<(Timestamp, Command)>,
    reports: VecDeque<(Timestamp, Report)>,
    feed: VecDeque<(Timestamp, Event)>,
    packet: Vec<Event>,
    out: Heard,
    /// Reports that the venue keeps for the next logon; `None` while the session is up.
    held: Option<Vec<Report>>,
    now: Timestamp,
    /// Venue time of the last event given to the loop.
    told: Timestamp,
    /// Events given to the loop.
    events: u64,
    /// Packets that happened at the venue.
    packets: u64,
    /// Commands that reached the venue.
    delivered: u64,
    /// The last mid price of each instrument.
    marks: Vec<Option<Price>>,
}

/// Commands published by the loop, until the simulation takes them over.
#[derive(Debug, Default)]
struct Queue(Vec<Command>);

impl Publish for Queue {
    fn has_room(&self) -> bool {
        true
    }

    fn publish(&mut self, command: &Command, _stamps: Stamps, _sequence: u64) {
        self.0.push(*command);
    }
}

/// What the venue said.
#[derive(Debug, Default)]
struct Heard {
    reports: Vec<Report>,
    events: Vec<Event>,
}

impl Heard {
    /// What happened at one moment is one packet.
    fn seal(&mut self) {
        if let Some(last) = self.events.last_mut() {
            last.flags = last.flags.with(EventFlags::LAST);
        }
    }
}

impl Output for Heard {
    fn report(&mut self, account: AccountId, report: Report) {
        if account == OURS {
            self.reports.push(report);
        }
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// The tape had no room; the run cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal has no room: free space in its directory, or run without a journal")]
pub struct TapeFull;

impl<T: Tape> Simulation<T> {
    /// Starts the loop and its session.
    ///
    /// # Errors
    /// [`TapeFull`].
    pub fn start(
        trading: TradingLoop,
        market: Market,
        latency: ConstantLatency,
        clock: LoopClock,
        tape: T,
        start: &Start,
    ) -> Result<Self, TapeFull> {
        let marks = vec![None; trading.account().instruments().len()];
        let driver = LoopDriver::start(trading, tape, Queue::default(), NoStamps, start);
        let mut simulation = Simulation {
            driver: driver.ok_or(TapeFull)?,
            market,
            latency,
            clock,
            orders: VecDeque::new(),
            reports: VecDeque::new(),
            feed: VecDeque::new(),
            packet: Vec::with_capacity(EVENTS_MAX),
            out: Heard::default(),
            held: None,
            now: start.now,
            told: start.now,
            events: 0,
            packets: 0,
            delivered: 0,
            marks,
        };
        simulation.session(ReportKind::SessionUp);
        Ok(simulation)
    }

    /// Runs until the market is past `until` or at its end, then stops the loop and lets it cancel.
    ///
    /// # Errors
    /// [`TapeFull`].
    pub fn run(&mut self, until: Timestamp) -> Result<(), TapeFull> {
        while self.step(until)? {}
        self.control(&Control::new(ControlKind::Stop, "simulation", "the end of its data"));
        self.settle()
    }

    /// Delivers everything that is on its way, with the timers that are due meanwhile.
    fn settle(&mut self) -> Result<(), TapeFull> {
        while !(self.orders.is_empty() && self.reports.is_empty() && self.feed.is_empty()) {
            if !self.deliver(Timestamp::MAX)? {
                self.fire(self.driver.trading().next_due());
            }
        }
        if self.driver.is_broken() { Err(TapeFull) } else { Ok(()) }
    }

    fn fire(&mut self, due: Timestamp) {
        self.now = self.now.max(due);
        self.driver.timers(self.loop_time());
        self.collect();
    }

    /// What the loop's clock shows.
    fn loop_time(&self) -> Timestamp {
        match self.clock {
            LoopClock::Virtual => self.now,
            LoopClock::Feed => self.told,
        }
    }

    /// An operator's act, now.
    pub fn control(&mut self, control: &Control) {
        self.driver.control(self.loop_time(), control);
        self.collect();
    }

    /// Cuts the order session now. Of the commands on their way the first `arriving` reach the venue
    /// before it cancels our orders, the others are lost; what it has to report, it keeps.
    pub fn drop_session(&mut self, arriving: usize) {
        if self.held.is_some() {
            return;
        }
        self.held = Some(self.reports.drain(..).map(|(_, report)| report).collect());
        for _ in 0..arriving.min(self.orders.len()) {
            self.deliver_order();
        }
        self.orders.clear();
        self.market.venue().cancel_all(OURS, self.now, &mut self.out);
        self.out.seal();
        self.hear();
        self.session(ReportKind::SessionDown);
    }

    /// Logs on again now: the venue first resends what it kept.
    pub fn restore_session(&mut self) {
        let Some(held) = self.held.take() else { return };
        for report in held {
            self.driver.report(self.loop_time(), &report);
            self.collect();
        }
        self.session(ReportKind::SessionUp);
    }

    fn session(&mut self, kind: ReportKind) {
        self.driver.report(self.loop_time(), &Report::new(kind, OrderId::NONE, Event::ALL));
        self.collect();
    }

    /// One thing that happens no later than `until`; false when nothing more does.
    ///
    /// # Errors
    /// [`TapeFull`].
    pub fn step(&mut self, until: Timestamp) -> Result<bool, TapeFull> {
        // At the end of a recording time ends too, once the loop has seen all of it: timers alone
        // would go on for ever.
        let market = match self.market.next_time() {
            None if self.feed.is_empty() => return Ok(false),
            None => Timestamp::MAX,
            Some(market) => market,
        };
        let next = market.min(until);
        if self.deliver(next)? {
            return Ok(true);
        }
        let due = self.driver.trading().next_due();
        if self.clock == LoopClock::Virtual && due <= next {
            self.fire(due);
            return Ok(true);
        }
        if market > until || market == Timestamp::MAX {
            return Ok(false);
        }
        self.now = self.now.max(market);
        self.market.step(&mut self.out);
        self.packets += 1;
        if self.clock == LoopClock::Feed {
            // As a stepped feed has it: a mark ends every packet, even an empty one.
            self.out.events.iter_mut().for_each(|event| {
                event.flags.0 &= !EventFlags::LAST.0;
            });
            let mut mark = Event::new(EventKind::Mark, Event::ALL);
            mark.exchange_time = market;
            mark.order = self.packets + 1;
            self.out.events.push(mark);
        }
        self.out.seal();
        self.hear();
        Ok(true)
    }

    /// Delivers the next message that is due by `until` and not later than a timer; false if none
    /// is.
    fn deliver(&mut self, until: Timestamp) -> Result<bool, TapeFull> {
        if !self.driver.has_room() {
            return Err(TapeFull);
        }
        let head = |at: Option<Timestamp>| at.unwrap_or(Timestamp::MAX);
        let order = head(self.orders.front().map(|&(at, _)| at));
        let report = head(self.reports.front().map(|&(at, _)| at));
        let feed = head(self.feed.front().map(|&(at, _)| at));
        let next = order.min(report).min(feed);
        let timer = match self.clock {
            LoopClock::Virtual => self.driver.trading().next_due(),
            LoopClock::Feed => Timestamp::MAX,
        };
        if next == Timestamp::MAX || next > until || next > timer {
            return Ok(false);
        }
        self.now = self.now.max(next);
        // Nothing comes between the parts of a packet.
        if feed == next && self.driver.trading().is_torn() {
            self.deliver_packet();
        } else if order == next {
            self.deliver_order();
        } else if report == next {
            if let Some((_, report)) = self.reports.pop_front() {
                self.driver.report(self.loop_time(), &report);
            }
        } else {
            self.deliver_packet();
        }
        self.collect();
        Ok(true)
    }

    fn deliver_order(&mut self) {
        let Some((_, command)) = self.orders.pop_front() else { return };
        self.delivered += 1;
        if command.kind() != Some(CommandKind::Mark) {
            let venue = self.market.venue();
            venue.command(OURS, &command, self.now, &mut self.out);
            self.out.seal();
            self.hear();
        }
    }

    /// Notes the mids of the instruments in the packet at hand.
    fn mark(&mut self) {
        let mut last = Event::ALL;
        for event in &self.packet {
            if std::mem::replace(&mut last, event.instrument) != event.instrument
                && let Some(mark) = self.marks.get_mut(event.instrument.index())
            {
                *mark = self.driver.trading().mid(event.instrument).or(*mark);
            }
        }
    }

    fn deliver_packet(&mut self) {
        self.packet.clear();
        while let Some((_, event)) = self.feed.pop_front() {
            self.packet.push(event);
            if event.flags.has(EventFlags::LAST) || self.packet.len() == EVENTS_MAX {
                break;
            }
        }
        let last = self.packet.last().map_or(self.told, |event| event.exchange_time);
        self.told = self.told.max(last);
        self.driver.packet_at(self.loop_time(), self.events, &self.packet);
        self.events += self.packet.len() as u64;
        self.mark();
    }

    /// Sends what the venue said on its way.
    fn hear(&mut self) {
        let feed = self.latency.feed(self.now);
        self.feed.extend(self.out.events.drain(..).map(|event| (feed, event)));
        let report = self.latency.report(self.now);
        match &mut self.held {
            Some(held) => held.append(&mut self.out.reports),
            None => self.reports.extend(self.out.reports.drain(..).map(|each| (report, each))),
        }
    }

    /// Sends what the loop published on its way.
    fn collect(&mut self) {
        let arrival = self.latency.order(self.now);
        let commands = self.driver.publisher().0.drain(..);
        self.orders.extend(commands.map(|command| (arrival, command)));
    }

    /// Commands on their way to the venue.
    #[must_use]
    pub fn orders_in_flight(&self) -> usize {
        self.orders.len()
    }

    /// True if no command and no report is on its way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.orders.is_empty() && self.reports.is_empty()
    }

    /// The loop with its tape.
    #[must_use]
    pub fn driver(&self) -> &LoopDriver<T, impl Publish + use<T>, NoStamps> {
        &self.driver
    }

    /// Commands that reached the venue so far.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The last mid price of each instrument that ever had one, by id.
    #[must_use]
    pub fn marks(&self) -> &[Option<Price>] {
        &self.marks
    }

    /// The market.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// The simulation's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Ends the run: the loop, its run hash, its last state hash, the tape and the market.
    pub fn finish(self) -> Finished<T> {
        let run_hash = self.driver.run_hash();
        let (trading, state_hash, tape, _) = self.driver.finish();
        let Simulation { market, marks, now, .. } = self;
        Finished { trading, run_hash, state_hash, tape, market, marks, now }
    }
}

/// What a simulation leaves.
pub struct Finished<T> {
    /// The loop at its end.
    pub trading: TradingLoop,
    /// Hash over commands, reports and final state.
    pub run_hash: u128,
    /// Hash of the final state.
    pub state_hash: u128,
    /// The tape.
    pub tape: T,
    /// The market.
    pub market: Market,
    /// The last mid price of each instrument that ever had one, by id.
    pub marks: Vec<Option<Price>>,
    /// When the run ended.
    pub now: Timestamp,
}

impl<T> Finished<T> {
    /// The same without the tape.
    pub fn without_tape(self) -> Finished<()> {
        let Finished { trading, run_hash, state_hash, market, marks, now, .. } = self;
        Finished { trading, run_hash, state_hash, tape: (), market, marks, now }
    }
}
