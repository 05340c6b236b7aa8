//! A product that is told by order (the full channel): every message has the number after the one
//! before. A snapshot by REST has the number of the last message in it. Messages before one are held.

use market::{Event, EventFlags, EventKind, InstrumentId, Price, Qty, Side, Timestamp};
use std::collections::{HashMap, VecDeque};

/// What a message does to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Act {
    /// An order rests.
    Open { order: u64, side: Side, price: Price, qty: Qty },
    /// An order that rests is executed.
    Match { maker: u64, side: Side, price: Price, qty: Qty, trade: u64 },
    /// An order that may rest is gone.
    Done { order: u64 },
    /// An order that may rest has another size, and perhaps price.
    Change { order: u64, price: Option<Price>, qty: Qty },
    /// Nothing.
    Nothing,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Its events stand.
    Applied,
    /// It is held until a snapshot comes; a trade is told at once.
    Held,
    /// The book holds it already; a trade that was not told before is told.
    Old,
    /// So many messages are missing before it, from this number on. It is held.
    Gap(u64, u64),
    /// It opens an order that is there, or executes one that is not or more than is left of it: the
    /// book is lost.
    Contradiction,
}

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the book now, and so is what was held behind it.
    Joined,
    /// It is older than what was held.
    TooEarly,
    /// The book is newer.
    NotNeeded,
    /// It has an order twice, or what was held contradicts it.
    Contradiction,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Orders {
    instrument: InstrumentId,
    /// The last number in the book; `None` while a snapshot is waited for.
    at: Option<u64>,
    in_gap: bool,
    live: HashMap<u64, (Price, Qty)>,
    /// Messages without a hole, and the number of the last one.
    held: VecDeque<(Timestamp, Act)>,
    last: u64,
    /// Messages since the last one in the book; those that are no longer held as well.
    waiting: u64,
    /// The highest number that came: trades up to it were told.
    seen: u64,
    /// When the latest of the messages was sent.
    sent: Timestamp,
    /// A message of this number could not be applied: a snapshot must hold it.
    floor: u64,
}

impl Orders {
    /// So many messages are held at most; the oldest go first.
    pub const HELD_MAX: usize = 1 << 16;

    /// A product of which nothing is known.
    #[must_use]
    pub fn new(instrument: InstrumentId) -> Orders {
        let (live, held) = (HashMap::new(), VecDeque::new());
        let (last, waiting, seen, floor, sent) = (0, 0, 0, 0, Timestamp::ZERO);
        Orders { instrument, at: None, in_gap: false, live, held, last, waiting, seen, sent, floor }
    }

    /// A message.
    pub fn message(
        &mut self,
        number: u64,
        time: Timestamp,
        act: Act,
        events: &mut Vec<Event>,
    ) -> Told {
        let is_new = number > self.seen;
        let later = time > self.sent;
        self.sent = self.sent.max(time);
        if later && !is_new {
            return self.anew(number, time, act, events);
        }
        self.seen = self.seen.max(number);
        let Some(at) = self.at else { return self.hold(number, time, act, events) };
        if number <= at {
            // A snapshot ahead of the messages holds the book, not what was traded.
            if let Act::Match { side, price, qty, trade, .. } = act
                && is_new
            {
                events.push(self.trade(time, side, price, qty, trade));
            }
            return Told::Old;
        }
        if number != at + 1 {
            let (first, count) = (at + 1, number - at - 1);
            self.gap(first, count, events);
            self.hold(number, time, act, events);
            return Told::Gap(first, count);
        }
        self.at = Some(number);
        if self.apply(time, act, true, events) {
            return Told::Applied;
        }
        self.lose_as_of(self.seen, time, events);
        Told::Contradiction
    }

    /// A number that came before was sent later: numbers began anew, and nothing says when.
    #[cold]
    fn anew(&mut self, number: u64, time: Timestamp, act: Act, events: &mut Vec<Event>) -> Told {
        self.gap(number, 0, events);
        (self.seen, self.floor) = (number, 0);
        self.hold(number, time, act, events);
        Told::Gap(number, 0)
    }

    /// Messages may be missing: a `Gap`, unless one stands, that the next snapshot ends.
    pub fn interrupt(&mut self, events: &mut Vec<Event>) {
        self.at = None;
        self.held.clear();
        if !std::mem::replace(&mut self.in_gap, true) {
            events.push(Event::new(EventKind::Gap, self.instrument));
        }
    }

    /// Messages that came since a snapshot is waited for and that no book has.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// True if a snapshot came, and nothing is missing since.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.at.is_some()
    }

    /// Messages are missing: `count` from `first` on, zero if that is not known.
    pub fn gap(&mut self, first: u64, count: u64, events: &mut Vec<Event>) {
        if self.at.take().is_some() {
            self.in_gap = true;
            let aux = u32::try_from(count).unwrap_or(u32::MAX);
            let gap = Event::new(EventKind::Gap, self.instrument);
            events.push(Event { order: first, aux, ..gap });
        }
        self.held.clear();
    }

    fn hold(&mut self, number: u64, time: Timestamp, act: Act, events: &mut Vec<Event>) -> Told {
        if !self.held.is_empty() && number <= self.last {
            return Told::Old;
        }
        // A trade is one whether or not there is a book.
        if let Act::Match { side, price, qty, trade, .. } = act {
            events.push(self.trade(time, side, price, qty, trade));
        }
        let missing = number.saturating_sub(self.last).saturating_sub(1);
        let told = match !self.held.is_empty() && missing > 0 {
            true => Told::Gap(self.last + 1, missing),
            false => Told::Held,
        };
        if told != Told::Held || self.held.len() == Self::HELD_MAX {
            // No snapshot of before leads past here.
            self.held.clear();
        }
        self.held.push_back((time, act));
        self.waiting += 1;
        self.last = number;
        told
    }

    /// A whole book as of message `number`: id, side, price and size of every order.
    pub fn snapshot(
        &mut self,
        number: u64,
        orders: &[(u64, Side, Price, Qty)],
        events: &mut Vec<Event>,
    ) -> Taken {
        let first = self.last.saturating_add(1).saturating_sub(self.held.len() as u64);
        match self.at {
            Some(at) if number <= at => return Taken::NotNeeded,
            None if number < self.floor => return Taken::TooEarly,
            None if !self.held.is_empty() && number.saturating_add(1) < first => {
                return Taken::TooEarly;
            }
            _ => {}
        }
        let all = orders.iter().map(|&(order, _, price, qty)| (order, (price, qty)));
        let live: HashMap<u64, (Price, Qty)> = all.collect();
        if live.len() < orders.len() {
            return Taken::Contradiction;
        }
        (self.live, self.waiting) = (live, 0);
        let time = self.held.front().map_or(Timestamp::ZERO, |&(time, _)| time);
        let event = |kind| Event {
            exchange_time: time,
            flags: EventFlags::SNAPSHOT,
            ..Event::new(kind, self.instrument)
        };
        events.push(event(EventKind::Clear));
        for &(order, side, price, qty) in orders {
            let add = event(EventKind::Add).with_side(Some(side));
            events.push(Event { order, price, qty, ..add });
        }
        let held = std::mem::take(&mut self.held);
        let covered = number.saturating_add(1).saturating_sub(first);
        let covered = usize::try_from(covered).unwrap_or(usize::MAX);
        self.at = Some(if covered < held.len() { self.last } else { number });
        for (time, act) in held.into_iter().skip(covered) {
            if !self.apply(time, act, false, events) {
                self.lose_as_of(self.last, time, events);
                return Taken::Contradiction;
            }
        }
        if std::mem::take(&mut self.in_gap) {
            events.push(Event::new(EventKind::Recovered, self.instrument));
        }
        Taken::Joined
    }

    /// The next message could not be understood: the book is not to be believed until a snapshot comes
    /// that holds it.
    pub fn lose(&mut self, time: Timestamp, events: &mut Vec<Event>) {
        self.lose_as_of(self.seen.saturating_add(1), time, events);
    }

    fn lose_as_of(&mut self, floor: u64, time: Timestamp, events: &mut Vec<Event>) {
        self.floor = self.floor.max(floor);
        self.held.clear();
        self.live.clear();
        if self.at.take().is_some() | std::mem::take(&mut self.in_gap) {
            let lost = Event::new(EventKind::Lost, self.instrument);
            events.push(Event { exchange_time: time, ..lost });
        }
    }

    fn trade(&self, time: Timestamp, side: Side, price: Price, qty: Qty, trade: u64) -> Event {
        let event = Event::new(EventKind::Trade, self.instrument).with_side(Some(side));
        Event { exchange_time: time, order: trade, price, qty, ..event }
    }

    /// Does what a message says; a trade that was told before only takes its quantity. False if it
    /// cannot be true.
    fn apply(&mut self, time: Timestamp, act: Act, tell: bool, events: &mut Vec<Event>) -> bool {
        let event =
            |kind, order| Event { exchange_time: time, order, ..Event::new(kind, self.instrument) };
        match act {
            Act::Open { order, side, price, qty } => {
                let new = self.live.insert(order, (price, qty)).is_none();
                if new {
                    let add = event(EventKind::Add, order).with_side(Some(side));
                    events.push(Event { price, qty, ..add });
                }
                new
            }
            Act::Match { maker, side, price, qty, trade } => {
                let left = self.live.get(&maker).map_or(0, |(_, left)| left.raw() - qty.raw());
                if !self.live.contains_key(&maker) || left < 0 {
                    if tell {
                        events.push(self.trade(time, side, price, qty, trade));
                    }
                    return false;
                }
                let kind = if tell { EventKind::Execute } else { EventKind::Reduce };
                events.push(Event { price, qty, ..event(kind, maker) });
                if left == 0 {
                    self.live.remove(&maker);
                } else if let Some((_, open)) = self.live.get_mut(&maker) {
                    *open = Qty::from_raw(left);
                }
                true
            }
            Act::Done { order } => {
                // What never rested is done as well.
                if self.live.remove(&order).is_some() {
                    events.push(event(EventKind::Delete, order));
                }
                true
            }
            Act::Change { order, price, qty } => {
                let Some(open) = self.live.get_mut(&order) else { return true };
                *open = (price.unwrap_or(open.0), qty);
                let (price, _) = *open;
                if qty.is_positive() {
                    events.push(Event { price, qty, ..event(EventKind::Change, order) });
                } else {
                    self.live.remove(&order);
                    events.push(event(EventKind::Delete, order));
                }
                true
            }
            Act::Nothing => true,
        }
    }
}

/// The 64 bits that events call an order by: both halves of the venue's UUID, one over the other.
#[must_use]
pub fn order_of(uuid: &str) -> Option<u64> {
    let digits = uuid.bytes().filter(|&byte| byte != b'-');
    let (mut value, mut count) = (0u128, 0);
    for byte in digits {
        let digit = char::from(byte).to_digit(16)?;
        value = value << 4 | u128::from(digit);
        count += 1;
    }
    let halves = [value >> 64, value & u128::from(u64::MAX)];
    let [high, low] = halves.map(|half| u64::try_from(half).unwrap_or(0));
    (count == 32).then_some(high ^ low)
}
