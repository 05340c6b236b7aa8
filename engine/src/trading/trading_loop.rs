//! The loop itself: one method per kind of input. Each first does what the input says, then lets
//! the strategies speak, then plans, then hands the commands over.
//!
//! `poll` without an input or a due timer does not exist here: the driver calls nothing then.

mod operations;
mod reports;

use crate::trading::account::{Account, Effect};
use crate::trading::counters::Counters;
use crate::trading::desk::{Desk, DeskParts, Session};
use crate::trading::opening::OpeningState;
use crate::trading::settings::TradingSettings;
use crate::trading::timers::Due;
use market::book::{Books, Touched};
use market::{
    BookView, Command, CommandKind, Event, EventFlags, EventKind, InstrumentId, Nanos, Price,
    RejectReason, Report, ReportKind, StateHasher, Timestamp, Trade,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use strategies::Strategy;

/// Takes the commands: journals and publishes them. False when there was no room: the command was
/// not and will not be sent.
pub trait Outlet {
    /// The strategies have spoken; quoter and risk come next. For stamps only.
    fn decided(&mut self) {}

    /// One command, in order.
    fn send(&mut self, command: &Command) -> bool;
}

impl<F: FnMut(&Command) -> bool> Outlet for F {
    fn send(&mut self, command: &Command) -> bool {
        self(command)
    }
}

/// The trading loop.
pub struct TradingLoop {
    desk: Desk,
    strategies: Vec<Box<dyn Strategy>>,
    /// Which of them panicked.
    dead: Vec<bool>,
    /// Instruments touched by the packet at hand: a mark each, and in order of touch.
    touched: Vec<bool>,
    touched_list: Vec<InstrumentId>,
    /// The last events were a part of a packet, without its end.
    torn: bool,
    stale_after: Nanos,
    answer_within: Nanos,
    lockstep: bool,
    /// The packet sequence and report count marked last.
    marked: (u64, u64),
}

impl TradingLoop {
    /// A loop in its opening state. Open orders of earlier runs are Unknown until the venue tells.
    #[must_use]
    pub fn new(settings: TradingSettings, opening: &OpeningState) -> TradingLoop {
        let count = settings.instruments.len();
        let mut account = Account::new(settings.instruments, settings.orders, settings.executions);
        let orders = &opening.orders;
        account.restore(&opening.positions, orders, &opening.executions);
        let (strategies, quotes): (Vec<Box<dyn Strategy>>, _) = settings
            .strategies
            .into_iter()
            .map(|setting| (setting.strategy, setting.instruments))
            .unzip();
        let parts = DeskParts {
            account,
            books: Books::new(settings.books),
            limits: settings.limits,
            quotes,
            quoter: settings.quoter,
            messages: settings.messages,
            seed: settings.seed,
            shows_own_orders: settings.shows_own_orders,
            venue: settings.venue,
        };
        let dead = vec![false; parts.quotes.len()];
        let mut desk = Desk::new(parts, opening);
        for (id, line) in (0..).map(InstrumentId).zip(&desk.lines) {
            if let Some(owner) = line.owner {
                desk.books.watch(id, strategies[usize::from(owner)].levels());
            }
        }
        TradingLoop {
            desk,
            strategies,
            dead,
            touched: vec![false; count],
            touched_list: Vec::with_capacity(count),
            torn: false,
            stale_after: settings.stale_after,
            answer_within: settings.answer_within,
            lockstep: settings.lockstep,
            marked: (0, 0),
        }
    }

    /// First input of a run.
    pub fn on_start(&mut self, now: Timestamp, out: &mut dyn Outlet) {
        self.desk.now = now;
        self.desk.timers.set(now.after(self.watch_span()), Due::Watch);
        for index in 0..self.strategies.len() {
            self.call(index, |strategy, desk| strategy.on_start(desk));
        }
        self.finish(out);
    }

    fn watch_span(&self) -> Nanos {
        watch_span(self.stale_after, self.answer_within)
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_due(&self) -> Timestamp {
        self.desk.timers.next_due()
    }

    /// The events of the packet that comes next: lets memory begin to come while they are recorded.
    pub fn expect(&self, events: &[Event]) {
        self.desk.books.expect(events);
    }

    /// Books hold a part of a packet: what they show was never so. Whoever drives the loop brings the
    /// rest before anything that strategies would answer by these books.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// The events of one packet. A part of one, without `LAST`, changes the books, and the
    /// strategies hear of it with the rest.
    pub fn on_packet(&mut self, now: Timestamp, events: &[Event], out: &mut dyn Outlet) {
        self.desk.now = now;
        self.desk.counters.packets += 1;
        for event in events {
            self.apply(event);
            if event.flags.has(EventFlags::LAST) {
                self.tell_touched();
            }
        }
        self.torn = events.last().is_some_and(|event| !event.flags.has(EventFlags::LAST));
        self.finish(out);
    }

    fn apply(&mut self, event: &Event) {
        self.desk.counters.events += 1;
        if event.kind() == Some(EventKind::Mark) {
            self.desk.next_sequence = event.order;
            return;
        }
        let applied = self.desk.books.apply(event);
        let now = self.desk.now;
        match applied.touched {
            Touched::None => {}
            Touched::One(id) => {
                self.touch(id);
                // By level a trade says nothing of the book, which may be silent beside it.
                if applied.trade.is_none() || matches!(self.desk.books, Books::ByOrder(_)) {
                    self.desk.lines[id.index()].heard = now;
                }
            }
            // A mark of the feed, not the venue's word on any instrument: references stay as old.
            Touched::All => self.touch_all(),
        }
        if let Some(trade) = applied.trade {
            self.desk.counters.market_trades += 1;
            self.tell_trade(&trade);
        }
    }

    fn tell_trade(&mut self, trade: &Trade) {
        if let Some(index) = self.desk.lines[trade.instrument.index()].owner {
            self.call(index.into(), |strategy, desk| strategy.on_trade(desk, trade));
        }
    }

    /// Once per packet: `on_book` for each instrument touched, or `on_halt` when it stopped being
    /// quotable.
    fn tell_touched(&mut self) {
        for at in 0..self.touched_list.len() {
            let id = self.touched_list[at];
            self.touched[id.index()] = false;
            self.tell_book(id);
        }
        self.touched_list.clear();
    }

    fn touch(&mut self, id: InstrumentId) {
        if !std::mem::replace(&mut self.touched[id.index()], true) {
            self.touched_list.push(id);
        }
    }

    fn touch_all(&mut self) {
        for id in (0..self.touched.len()).filter_map(|index| u32::try_from(index).ok()) {
            self.touch(InstrumentId(id));
        }
    }

    /// A wish that risk refused may be granted at any news of the instrument.
    fn tell_book(&mut self, id: InstrumentId) {
        let quotable = self.desk.books.book(id).state().may_quote();
        let changed = self.desk.books.take_changed(id);
        let line = &mut self.desk.lines[id.index()];
        let was = std::mem::replace(&mut line.quotable, quotable);
        let Some(owner) = line.owner else { return };
        let hears_all = || self.strategies[usize::from(owner)].levels() == usize::MAX;
        let news = changed || !was || line.refused || hears_all();
        if was && !quotable {
            self.call(owner.into(), |strategy, desk| strategy.on_halt(desk, id));
        } else if quotable && news {
            self.call(owner.into(), |strategy, desk| strategy.on_book(desk, id));
        }
        // What the strategy sent itself goes too, also where it knows better.
        if !quotable && self.desk.lines[id.index()].acts {
            self.desk.touch(id);
        }
    }

    /// Calls a strategy. One that panics is not called again in this run; its instruments are
    /// halted, its orders canceled.
    fn call(&mut self, index: usize, act: impl FnOnce(&mut dyn Strategy, &mut Desk)) {
        let (Some(strategy), Ok(current)) = (self.strategies.get_mut(index), u16::try_from(index))
        else {
            return;
        };
        if self.dead[index] {
            return;
        }
        self.desk.current = current;
        let desk = &mut self.desk;
        let called = catch_unwind(AssertUnwindSafe(|| act(strategy.as_mut(), desk)));
        if called.is_err() {
            self.desk.counters.strategy_panics += 1;
            self.dead[index] = true;
            for at in 0..self.desk.quotes[index].len() {
                let id = self.desk.quotes[index][at];
                self.halt(id);
            }
        }
    }

    /// Halts an instrument until an operator clears it: no order, and none left at the venue.
    fn halt(&mut self, id: InstrumentId) {
        let line = &mut self.desk.lines[id.index()];
        line.want_nothing();
        if !std::mem::replace(&mut line.halted, true) {
            self.desk.mass_cancel(id);
        }
        self.desk.touch(id);
    }

    /// Plans, and hands every command over. One that finds no room is as good as refused.
    fn finish(&mut self, out: &mut dyn Outlet) {
        out.decided();
        self.desk.settle(self.torn);
        for at in 0..self.desk.outbox.len() {
            let command = self.desk.outbox[at];
            if out.send(&command) {
                self.count(&command);
            } else {
                self.desk.counters.unpublished += 1;
                self.not_sent(&command);
            }
        }
        self.desk.outbox.clear();
        self.mark(out);
    }

    fn count(&mut self, command: &Command) {
        let counters = &mut self.desk.counters;
        match command.kind() {
            Some(CommandKind::New) => counters.news += 1,
            Some(CommandKind::Replace) => counters.replaces += 1,
            Some(CommandKind::Cancel | CommandKind::MassCancel) => counters.cancels += 1,
            _ => {}
        }
    }

    fn not_sent(&mut self, command: &Command) {
        let report = not_sent(command, RejectReason::NoSession);
        let mid = self.mid(command.instrument);
        if let Effect::Refused { slot, reason } =
            self.desk.account.on_report(&report, mid, self.desk.now)
        {
            self.desk.counters.reject(reason);
            let id = self.desk.account.orders().get(slot).instrument;
            self.desk.back_off(id);
        }
    }

    /// Tells a stepped venue how far the loop has come, when it has come farther.
    fn mark(&mut self, out: &mut dyn Outlet) {
        let reached = (self.desk.next_sequence, self.desk.account.reports());
        if self.lockstep && self.desk.session == Session::Ready && reached != self.marked {
            if out.send(&Command::mark(reached.0, reached.1)) {
                self.marked = reached;
            } else {
                self.desk.counters.unpublished += 1;
            }
        }
    }

    /// Mid price of an instrument's book now; what a journal notes beside a report.
    #[must_use]
    pub fn mid(&self, id: InstrumentId) -> Option<Price> {
        if id.index() < self.desk.lines.len() { self.desk.books.book(id).mid() } else { None }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.desk.account
    }

    /// The books.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.desk.books
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.desk.counters
    }

    /// How far the order session has come.
    #[must_use]
    pub fn session(&self) -> Session {
        self.desk.session
    }

    /// Who set the kill latch and why.
    #[must_use]
    pub fn killed(&self) -> Option<&str> {
        self.desk.killed.as_deref()
    }

    /// The instruments that are halted.
    #[must_use]
    pub fn halted(&self) -> Vec<InstrumentId> {
        let ids = (0..self.touched.len()).filter_map(|index| u32::try_from(index).ok());
        ids.map(InstrumentId).filter(|&id| self.is_halted(id)).collect()
    }

    /// True if the venue contradicted us on this instrument.
    #[must_use]
    pub fn is_halted(&self, id: InstrumentId) -> bool {
        self.desk.lines.get(id.index()).is_some_and(|line| line.halted)
    }

    /// True once a stop was asked for and no order is open any more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.desk.stopping
            && (self.desk.account.orders().open_count() == 0 || self.desk.session == Session::Down)
    }

    /// The session is about to end, and nothing is open in it any more.
    #[must_use]
    pub fn is_cleared(&self) -> bool {
        self.desk.session == Session::Closing && self.desk.account.orders().open_count() == 0
    }

    /// Fingerprint of everything that can change a later decision.
    #[must_use]
    pub fn state_hash(&self) -> u128 {
        let mut hasher = StateHasher::new();
        self.desk.hash_into(&mut hasher);
        hasher.word(self.marked.0);
        hasher.word(self.marked.1);
        for &id in &self.touched_list {
            hasher.word(u64::from(id.0) << 1 | u64::from(self.desk.books.book(id).is_changed()));
        }
        self.dead.iter().for_each(|&dead| hasher.word(u64::from(dead)));
        self.strategies.iter().for_each(|strategy| strategy.hash_into(&mut hasher));
        hasher.finish()
    }
}

/// How often the loop looks for stale books and overdue answers.
#[must_use]
pub fn watch_span(stale_after: Nanos, answer_within: Nanos) -> Nanos {
    let shortest = stale_after.min(answer_within).get();
    Nanos::new((shortest / 4).clamp(1_000_000, 1_000_000_000))
}

/// The report of a command that was kept back.
#[must_use]
pub fn not_sent(command: &Command, reason: RejectReason) -> Report {
    let mut report = Report::new(ReportKind::NotSent, command.id, command.instrument);
    report.target = command.target;
    let report = report.with_reason(reason);
    match command.side() {
        Some(side) => report.with_side(side),
        None => report,
    }
}
