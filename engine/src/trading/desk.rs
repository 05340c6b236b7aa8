//! The desk: everything the loop holds but the strategies themselves. It is the
//! [`strategies::Context`] that a strategy sees, and the one place where wants and acts become
//! checked commands.

mod context;
mod planning;

use crate::trading::account::Account;
use crate::trading::counters::Counters;
use crate::trading::opening::OpeningState;
use crate::trading::orders::PER_INSTRUMENT_MAX;
use crate::trading::rate::Rate;
use crate::trading::risk::{self, Breach, Exposure, Limits, Subject};
use crate::trading::settings::VenueRules;
use crate::trading::timers::{Due, Timers};
use market::book::Books;
use market::{
    BookView, Command, Event, InstrumentId, Nanos, Order, OrderId, OrderState, OrderView, Price,
    Qty, Rng, Side, StateHasher, Timestamp,
};
use strategies::{NewOrder, Plan, Quoter, QuoterSettings, Refused, Wanted};

/// How far the order session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// No link, or not logged on.
    Down,
    /// Logged on; the venue is asked which orders it holds.
    Reconciling,
    /// Orders may be sent.
    Ready,
    /// It is about to end with its hours: everything is canceled, nothing new is sent.
    Closing,
}

/// What the desk keeps for one instrument.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) limits: Option<Limits>,
    /// Index of the strategy that quotes it.
    pub(crate) owner: Option<u16>,
    pub(crate) wanted: Wanted,
    /// The strategy sent orders itself: nothing is wanted, and the quoter leaves them alone.
    pub(crate) acts: bool,
    /// It is in the list of instruments to plan.
    dirty: bool,
    /// The owner was told that it may quote.
    pub(crate) quotable: bool,
    /// Halted since the venue contradicted us; an operator clears it.
    pub(crate) halted: bool,
    /// Risk refused something wanted: the same wish is planned again when it is stated again.
    pub(crate) refused: bool,
    /// The plan to come is for a wish that was refused before: its refusals were counted.
    repeated: bool,
    /// No plan before this: the venue refused something a moment ago.
    pub(crate) not_before: Timestamp,
    /// When the loop last heard of it.
    pub(crate) heard: Timestamp,
    /// When a mass cancel of it was last sent.
    mass_canceled: Timestamp,
}

impl Line {
    /// Whatever is open here is to go.
    pub(crate) fn want_nothing(&mut self) {
        (self.wanted, self.acts) = (Wanted::default(), false);
    }
}

/// How long a mass cancel is given before orders are canceled one by one as well.
const MASS_CANCEL_WITHIN: Nanos = Nanos::SECOND;
/// Name of the one check that time alone satisfies.
const RATE: &str = "rate";
/// Wait after a refusal before the quoter tries again, at least.
const AFTER_REFUSAL: Nanos = Nanos::from_millis(10);
/// Commands one input may lead to; what goes beyond waits for the next plan.
pub(crate) const COMMANDS_MAX: usize = 512;

/// All state of the loop but the strategies.
pub struct Desk {
    pub(crate) account: Account,
    pub(crate) books: Books,
    pub(crate) lines: Vec<Line>,
    /// Instruments whose quotes or orders changed, in the order in which they did.
    dirty: Vec<InstrumentId>,
    pub(crate) quotes: Vec<Vec<InstrumentId>>,
    pub(crate) counters: Counters,
    pub(crate) timers: Timers,
    pub(crate) session: Session,
    pub(crate) killed: Option<String>,
    pub(crate) stopping: bool,
    pub(crate) now: Timestamp,
    /// The strategy being called.
    pub(crate) current: u16,
    pub(crate) outbox: Vec<Command>,
    pub(crate) next_sequence: u64,
    /// The status request that is not answered yet, and when it was made.
    pub(crate) asked: Option<(OrderId, Timestamp)>,
    epoch: u64,
    count: u64,
    quoter: Quoter,
    /// Away only while it is carried out: it is too large to be moved.
    plan: Option<Box<Plan>>,
    views: Vec<OrderView>,
    rate: Rate,
    rng: Rng,
    shows_own_orders: bool,
    venue: VenueRules,
}

/// What a desk is made of besides the strategies.
pub(crate) struct DeskParts {
    pub(crate) account: Account,
    pub(crate) books: Books,
    pub(crate) limits: Vec<Option<Limits>>,
    pub(crate) quotes: Vec<Vec<InstrumentId>>,
    pub(crate) quoter: QuoterSettings,
    pub(crate) messages: (u32, u32),
    pub(crate) seed: u64,
    pub(crate) shows_own_orders: bool,
    pub(crate) venue: VenueRules,
}

impl Desk {
    pub(crate) fn new(parts: DeskParts, opening: &OpeningState) -> Desk {
        let count = parts.account.instruments().len();
        let owner = |id: usize| {
            let quoted = |list: &Vec<InstrumentId>| list.iter().any(|other| other.index() == id);
            parts.quotes.iter().position(quoted).and_then(|index| u16::try_from(index).ok())
        };
        let line = |(id, limits): (usize, &Option<Limits>)| Line {
            limits: *limits,
            owner: owner(id),
            wanted: Wanted::default(),
            acts: false,
            dirty: false,
            quotable: false,
            halted: opening.halted.iter().any(|halted| halted.index() == id),
            refused: false,
            repeated: false,
            not_before: Timestamp::ZERO,
            heard: Timestamp::ZERO,
            mass_canceled: Timestamp::ZERO,
        };
        Desk {
            lines: parts.limits.iter().enumerate().map(line).collect(),
            account: parts.account,
            books: parts.books,
            dirty: Vec::with_capacity(count),
            counters: Counters::default(),
            timers: Timers::new(count * 2 + parts.quotes.len() * 16 + 8),
            quotes: parts.quotes,
            session: Session::Down,
            killed: opening.killed.clone(),
            stopping: false,
            now: Timestamp::ZERO,
            current: 0,
            outbox: Vec::with_capacity(COMMANDS_MAX),
            next_sequence: 0,
            asked: None,
            epoch: opening.epoch,
            count: 0,
            quoter: Quoter { settings: parts.quoter },
            plan: Some(Box::default()),
            views: Vec::with_capacity(PER_INSTRUMENT_MAX),
            rate: Rate::new(parts.messages.0, parts.messages.1),
            rng: Rng::new(parts.seed),
            shows_own_orders: parts.shows_own_orders,
            venue: parts.venue,
        }
    }

    /// A fresh id; the counter of one epoch outlasts any run.
    pub(crate) fn next_id(&mut self) -> OrderId {
        self.count += 1;
        OrderId::new(self.epoch, self.count).unwrap_or(OrderId::NONE)
    }

    /// Notes a command and puts it into the outbox.
    pub(crate) fn issue(&mut self, command: Command) {
        self.rate.take(self.now);
        self.account.on_command(&command, self.now);
        self.outbox.push(command);
    }

    fn has_outbox_room(&self) -> bool {
        self.outbox.len() < COMMANDS_MAX
    }

    /// The reference for the collar: the mid, and when the instrument was last heard of.
    fn reference(&self, id: InstrumentId) -> Option<(Price, Timestamp)> {
        Some((self.books.book(id).mid()?, self.lines[id.index()].heard))
    }

    /// Runs the risk table on an order that would stand instead of the one in `except`.
    fn check(
        &mut self,
        id: InstrumentId,
        side: Side,
        price: Price,
        (leaves, qty): (Qty, Qty),
        except: Option<u32>,
    ) -> Result<(), Breach> {
        let rate = self.rate.allows_order(self.now) && self.has_outbox_room();
        let line = &self.lines[id.index()];
        let room = except.is_some() || self.account.orders().has_room(id);
        let exposure: Exposure = self.account.exposure(id, except);
        let Some(instrument) = self.account.instrument(id) else { return Err(Breach(0)) };
        let subject = Subject {
            instrument,
            side,
            price,
            leaves,
            qty,
            limits: line.limits.as_ref(),
            exposure,
            reference: self.reference(id),
            book: self.books.book(id).state(),
            now: self.now,
            killed: self.killed.is_some() || self.stopping,
            halted: line.halted,
            ready: self.session == Session::Ready,
            rate,
            room,
        };
        let verdict = risk::check(&subject);
        if let Err(breach) = verdict {
            self.counters.breaches[usize::from(breach.0)] += 1;
        }
        verdict
    }

    fn send_new(&mut self, order: &NewOrder) -> Result<OrderId, Refused> {
        let NewOrder { instrument, side, price, qty, .. } = *order;
        self.check(instrument, side, price, (qty, qty), None)
            .map_err(|breach| Refused::Risk(breach.name()))?;
        let id = self.next_id();
        let command = Command::new(id, instrument, side, price, qty)
            .with_time_in_force(order.time_in_force)
            .with_post_only(order.post_only);
        self.issue(command);
        Ok(id)
    }

    fn send_replace(&mut self, slot: u32, price: Price, qty: Qty) -> Result<OrderId, Refused> {
        let order = *self.account.orders().get(slot);
        if order.state != OrderState::Live {
            return Err(Refused::InFlight);
        }
        if !self.venue.replaces {
            return Err(Refused::NoReplace);
        }
        let new_leaves = Qty::from_raw((qty.raw() - order.cum_qty.raw()).max(0));
        let worst = new_leaves.max(order.leaves());
        self.check(order.instrument, order.side, price, (worst, qty), Some(slot))
            .map_err(|breach| Refused::Risk(breach.name()))?;
        let id = self.next_id();
        let post_only = self.quoter.settings.post_only;
        let command = Command::replace(id, order.id, order.instrument, order.side, price, qty)
            .with_post_only(post_only);
        self.issue(command);
        Ok(id)
    }

    /// Cancels need no risk check but the rate, of which they have a reserve.
    fn send_cancel(&mut self, slot: u32) -> Result<(), Refused> {
        let order = *self.account.orders().get(slot);
        if self.session == Session::Down {
            return Err(Refused::NoSession);
        }
        if order.state != OrderState::Live {
            return Err(Refused::InFlight);
        }
        if !self.rate.allows_cancel(self.now) || !self.has_outbox_room() {
            return Err(Refused::Risk(RATE));
        }
        let id = self.next_id();
        self.issue(Command::cancel(id, order.id, order.instrument, order.side));
        Ok(())
    }

    /// Cancels every order of an instrument, or of the account, whatever is in flight.
    pub(crate) fn mass_cancel(&mut self, instrument: InstrumentId) {
        if self.session == Session::Down {
            return;
        }
        let id = self.next_id();
        self.issue(Command::mass_cancel(id, instrument));
        for (index, line) in self.lines.iter_mut().enumerate() {
            if instrument == Event::ALL || instrument.index() == index {
                line.mass_canceled = self.now;
            }
        }
    }

    /// Says a mass cancel once more. The wait before single cancels runs from the first.
    pub(crate) fn mass_cancel_again(&mut self, id: InstrumentId) {
        let first = self.lines[id.index()].mass_canceled;
        self.mass_cancel(id);
        self.lines[id.index()].mass_canceled = first;
    }

    /// Wants nothing any more, in any instrument.
    pub(crate) fn withdraw_everything(&mut self) {
        for index in 0..self.lines.len() {
            self.lines[index].want_nothing();
            self.touch_index(index);
        }
    }

    /// Notes that an instrument must be planned.
    pub(crate) fn touch(&mut self, id: InstrumentId) {
        self.touch_index(id.index());
    }

    fn touch_index(&mut self, index: usize) {
        // Also where nobody quotes: orders that an earlier run left there are not wanted.
        if !std::mem::replace(&mut self.lines[index].dirty, true)
            && let Ok(id) = u32::try_from(index)
        {
            self.dirty.push(InstrumentId(id));
        }
    }

    /// Nothing may be wanted anywhere: the kill latch, a stop, or the end of the session's hours.
    pub(crate) fn is_all_barred(&self) -> bool {
        self.killed.is_some() || self.stopping || self.session == Session::Closing
    }

    /// Nothing may be wanted in an instrument, for one of these, a halt, or since it is out of its
    /// trading hours: risk refuses new orders there, and so none may go on resting.
    fn is_barred(&self, id: InstrumentId) -> bool {
        let hours = self.account.instrument(id).map(|instrument| instrument.hours);
        let closed = hours.is_some_and(|hours| !hours.is_open(self.now));
        self.is_all_barred() || self.lines[id.index()].halted || closed
    }

    /// True if orders are open that a kill, a stop, a close, a halt or the hours want gone.
    pub(crate) fn has_barred_orders(&self, id: InstrumentId) -> bool {
        self.is_barred(id) && !self.account.orders().open(id).is_empty()
    }

    /// The gateway has no mass cancel for this venue: orders are canceled one by one at once.
    pub(crate) fn forget_mass_cancel(&mut self, instrument: InstrumentId) {
        for index in 0..self.lines.len() {
            if instrument == Event::ALL || instrument.index() == index {
                self.lines[index].mass_canceled = Timestamp::ZERO;
                self.touch_index(index);
            }
        }
    }

    /// Asks the venue which orders it holds.
    pub(crate) fn ask_status(&mut self) {
        if self.venue.asks_each_order {
            self.asked = Some((OrderId::NONE, self.now));
            return self.ask_each_order();
        }
        let id = self.next_id();
        self.asked = Some((id, self.now));
        self.issue(Command::mass_status(id));
    }

    /// Asks about each order that is Unknown, as far as the outbox has room; the rest with the next
    /// question.
    fn ask_each_order(&mut self) {
        let orders = self.account.orders();
        let unknown = orders.all_open().map(|slot| *orders.get(slot));
        let unknown = unknown.filter(|order| order.state == OrderState::Unknown);
        let room = COMMANDS_MAX.saturating_sub(self.outbox.len());
        let unknown: Vec<_> = unknown.take(room).collect();
        unknown.iter().for_each(|order| self.ask_about(order));
    }

    fn ask_about(&mut self, order: &Order) {
        let id = self.next_id();
        self.issue(Command::status(id, order.id, order.instrument, order.side));
    }

    /// Asks once more about an order that the venue did not know by its former id.
    pub(crate) fn ask_by_new_id(&mut self, slot: u32) {
        if self.venue.asks_each_order && self.has_outbox_room() {
            let order = *self.account.orders().get(slot);
            self.asked = Some((OrderId::NONE, self.now));
            self.ask_about(&order);
        }
    }

    /// The session is up and, where each order is asked about, all of them are told of.
    pub(crate) fn is_each_told(&self) -> bool {
        self.venue.asks_each_order
            && self.session == Session::Reconciling
            && !self.account.has_unknown()
    }

    /// Holds the quoter back on an instrument for a moment after a refusal.
    pub(crate) fn back_off(&mut self, id: InstrumentId) {
        let wait = self.quoter.settings.min_rest.max(AFTER_REFUSAL);
        let until = self.now.after(wait);
        self.lines[id.index()].not_before = until;
        self.timers.set(until, Due::Plan(id));
    }

    /// Adds everything that decides to `hasher`.
    pub(crate) fn hash_into(&self, hasher: &mut StateHasher) {
        self.account.hash_into(hasher);
        self.books.hash_into(hasher);
        for line in &self.lines {
            line.wanted.hash_into(hasher);
            // Beside a bit, so that what has no acts keeps the hashes that it had without them.
            hasher.word(u64::from(line.acts) << 1 | u64::from(line.dirty));
            let bits = [line.quotable, line.halted, line.refused, line.repeated];
            bits.into_iter().for_each(|bit| hasher.word(u64::from(bit)));
            hasher.word(line.not_before.nanos());
            hasher.word(line.heard.nanos());
            hasher.word(line.mass_canceled.nanos());
        }
        self.counters.hash_into(hasher);
        self.timers.hash_into(hasher);
        self.rate.hash_into(hasher);
        self.rng.hash_into(hasher);
        hasher.word(self.session as u64);
        hasher.bytes(self.killed.as_deref().unwrap_or("").as_bytes());
        hasher.word(u64::from(self.stopping));
        hasher.word(self.now.nanos());
        hasher.word(self.count);
        hasher.word(self.next_sequence);
        let (asked, since) = self.asked.unwrap_or_default();
        hasher.word(asked.0);
        hasher.word(since.nanos());
    }
}
