//! Frames of several pairs to events: what recordings and live feeds share. Each update is held
//! against the venue's checksum before it becomes events.
//!
//! It keeps books by level or by order, as its first frame about a book has it; frames of the
//! other kind are counted only.

use super::book::{Book, Change};
use super::frame::{Frame, Kind, Levels, Orders, Trade};
use super::orders::{Queues, Wrong};
use super::pair::{Kept, Pair};
use super::sum::COVERED;
use crate::frames::{NO_SNAPSHOT, OTHER_BOOKS};
use crate::level::NotANumber;
use crate::recording::{Books, Instruments, Log, Unit, Wanted};
use market::{Event, EventKind, InstrumentId, Timestamp};
use std::collections::HashMap;

/// Fractional digits of volumes.
const QTY_DIGITS: u32 = 8;
/// Levels that may be subscribed to; the venue's usual number is the first.
const DEPTHS: [usize; 5] = [10, 25, 100, 500, 1000];

/// Longest symbol whose precisions are kept.
const SYMBOL_MAX: usize = 64;
/// Versions of the API: the second does not say depths with its books.
const V1: &str = "API v1";
const V2: &str = "API v2";

const NOT_UNDERSTOOD: &str =
    "no frame of the venue, or one that lacks something or has a number that is none";
const NO_NUMBER: &str = "a price or volume is no number or does not fit";
const WRONG_SUM: &str = "the checksum is not that of the book";
const CONTRADICTION: &str = "an order that the book contradicts";

/// See the module.
pub(crate) struct Decoder {
    pub(super) instruments: Instruments,
    pairs: HashMap<InstrumentId, Pair>,
    /// Digits of prices and volumes by symbol, where the venue told them.
    precisions: HashMap<String, [u32; 2]>,
    /// Which books are kept; `None` until a frame tells.
    pub(super) books: Option<Books>,
    /// Of the API, once a frame tells.
    pub(super) version: &'static str,
    /// Checksums that held.
    pub(super) well: u64,
    /// Asks whose price is beyond [`market::Price`].
    pub(super) beyond: u64,
    /// Venue time of the last frame: snapshots may have none.
    time: Timestamp,
    changes: Vec<Change>,
}

type Done = Result<(), &'static str>;

impl Decoder {
    pub(crate) fn new(wanted: &Wanted) -> Decoder {
        Decoder {
            instruments: Instruments::new(wanted),
            pairs: HashMap::new(),
            precisions: HashMap::new(),
            books: None,
            version: "",
            well: 0,
            beyond: 0,
            time: Timestamp::ZERO,
            changes: Vec::new(),
        }
    }

    /// A frame: its events go into `unit`. Gives its kind.
    ///
    /// # Errors
    /// Why nobody can understand it; a book that it may have changed is lost then.
    pub(crate) fn frame(
        &mut self,
        json: &[u8],
        unit: &mut Unit,
        log: &mut Log,
    ) -> Result<Kind, &'static str> {
        let frame = Frame::parse(json).map_err(|unread| {
            for pair in &unread.pairs {
                let id = self.instruments.find(pair).map(|known| known.id);
                if let Some(pair) = id.and_then(|id| self.pairs.get_mut(&id)) {
                    pair.lose(Timestamp::ZERO, unit);
                }
            }
            if unread.any {
                self.any_damaged(unit);
            }
            NOT_UNDERSTOOD
        })?;
        let mut noted = |done: Done, unit: &Unit| {
            if let Err(reason) = done {
                log.skip(unit.position, reason);
            }
        };
        Ok(match frame {
            Frame::Books(all) => {
                for one in &all {
                    self.version = if one.depth.is_some() { V1 } else { V2 };
                    noted(self.levels(one, unit), unit);
                }
                let whole = all.iter().any(|one| one.whole);
                if whole { Kind::Snapshot } else { Kind::Update }
            }
            Frame::Orders(all) => {
                self.version = V2;
                for one in &all {
                    noted(self.orders(one, unit), unit);
                }
                let whole = all.iter().any(|one| one.whole);
                if whole { Kind::OrdersSnapshot } else { Kind::OrdersUpdate }
            }
            Frame::Trades(trades) => {
                for trade in &trades {
                    noted(self.trade(trade, unit), unit);
                }
                Kind::Trade
            }
            Frame::Precisions(all) => {
                let short = all.into_iter().filter(|(symbol, _)| symbol.len() <= SYMBOL_MAX);
                for (symbol, digits) in short {
                    if self.precisions.len() < Instruments::MAX {
                        self.precisions.insert(symbol.into_owned(), digits);
                    }
                }
                Kind::Instrument
            }
            Frame::Depth(symbol, depth) => {
                if let Some(pair) = self.pair(&symbol).filter(|_| DEPTHS.contains(&depth)) {
                    pair.depth = Some(depth);
                }
                Kind::Answer
            }
            Frame::Counted(kind) => kind,
        })
    }

    fn pair(&mut self, symbol: &str) -> Option<&mut Pair> {
        let known = self.instruments.resolve(symbol, QTY_DIGITS)?;
        let (id, qty_digits) = (known.id, known.qty_digits);
        Some(self.pairs.entry(id).or_insert_with(|| Pair::new(id, qty_digits)))
    }

    /// Keeps books by level from the start, and makes place for a pair that is wanted.
    pub(super) fn expect(&mut self, symbol: &str) {
        self.books = Some(Books::ByLevel);
        self.pair(symbol);
    }

    /// What is expected of a pair need not follow what came.
    pub(super) fn interrupt(&mut self, id: InstrumentId, events: &mut Vec<Event>) {
        let Some(pair) = self.pairs.get_mut(&id) else { return };
        pair.book = None;
        if !std::mem::replace(&mut pair.in_gap, true) {
            events.push(Event::new(EventKind::Gap, id));
        }
    }

    /// True if a pair needs a snapshot.
    pub(super) fn is_waiting(&self, id: InstrumentId) -> bool {
        self.pairs.get(&id).is_some_and(|pair| pair.book.is_none())
    }

    /// What nobody can understand may have been of any pair. The checksum of the next update shows it
    /// of the best levels; books that go deeper than that are lost.
    pub(super) fn any_damaged(&mut self, unit: &mut Unit) {
        let deep = |pair: &&mut Pair| pair.depth_kept().is_some_and(|depth| depth > COVERED);
        let mut pairs: Vec<&mut Pair> = self.pairs.values_mut().filter(deep).collect();
        pairs.sort_unstable_by_key(|pair| pair.id.0);
        pairs.into_iter().for_each(|pair| pair.lose(self.time, unit));
    }

    /// A connection ends what the one before said.
    pub(super) fn connected(&mut self, unit: &mut Unit) {
        let mut pairs: Vec<&mut Pair> = self.pairs.values_mut().collect();
        pairs.sort_unstable_by_key(|pair| pair.id.0);
        for pair in pairs {
            if pair.book.take().is_some() {
                pair.in_gap = true;
                unit.events.push(Event::new(EventKind::Gap, pair.id));
            }
        }
    }

    /// True if these are the books that are kept.
    fn keeps(&mut self, books: Books) -> Done {
        if *self.books.get_or_insert(books) == books { Ok(()) } else { Err(OTHER_BOOKS) }
    }

    /// The time of a frame: that of the one before where it says none.
    fn at(&mut self, time: Timestamp, unit: &mut Unit) -> Timestamp {
        if time > Timestamp::ZERO {
            self.time = time;
        }
        unit.exchange_time = self.time;
        self.time
    }

    fn levels(&mut self, frame: &Levels<'_>, unit: &mut Unit) -> Done {
        self.keeps(Books::ByLevel)?;
        let told = self.precisions.get(&*frame.pair).copied();
        let time = self.at(frame.time, unit);
        let mut changes = std::mem::take(&mut self.changes);
        changes.clear();
        let done = self.pair(&frame.pair).map(|pair| {
            let done = changed(pair, frame, told, &mut changes);
            match done {
                Ok(_) => pair.give_levels(frame.whole, &changes, time, unit),
                Err(NO_SNAPSHOT) => {}
                Err(_) => pair.lose(time, unit),
            }
            done
        });
        if let Some(Ok(checked)) = done {
            self.well += u64::from(checked);
            self.beyond += changes.iter().filter(|(_, price, _)| price.is_none()).count() as u64;
        }
        self.changes = changes;
        done.map_or(Ok(()), |done| done.map(drop))
    }

    fn orders(&mut self, frame: &Orders<'_>, unit: &mut Unit) -> Done {
        self.keeps(Books::ByOrder)?;
        let told = self.precisions.get(&*frame.pair).copied();
        let time = self.at(frame.time, unit);
        let Some(pair) = self.pair(&frame.pair) else { return Ok(()) };
        let (mark, id) = (unit.events.len(), pair.id);
        if frame.whole {
            pair.begin(time, unit);
            let depth = pair.depth.unwrap_or_else(|| depth_of(frame.prices()));
            pair.book = Some(Kept::Orders(Queues::new(id, pair.qty_digits, depth)));
        }
        let Some(Kept::Orders(queues)) = &mut pair.book else { return Err(NO_SNAPSHOT) };
        let done = acted(queues, frame, told, time, &mut unit.events);
        match done {
            Ok(checked) => {
                pair.end(frame.whole, mark, time, unit);
                self.well += u64::from(checked);
            }
            Err(_) => {
                unit.events.truncate(mark);
                pair.lose(time, unit);
            }
        }
        done.map(drop)
    }

    fn trade(&mut self, trade: &Trade<'_>, unit: &mut Unit) -> Done {
        let Some(pair) = self.pair(&trade.pair) else { return Ok(()) };
        let numbers = trade.price.price().zip(trade.qty.qty(pair.qty_digits));
        let (price, qty) = numbers.filter(|(price, _)| price.raw() > 0).ok_or(NO_NUMBER)?;
        let event = Event::new(EventKind::Trade, pair.id).with_side(trade.resting);
        unit.exchange_time = trade.time;
        unit.events.push(Event { exchange_time: trade.time, order: trade.id, price, qty, ..event });
        Ok(())
    }
}

/// Levels that were subscribed to, where nothing says it: as few as hold a snapshot of so many.
fn depth_of(most: usize) -> usize {
    DEPTHS.into_iter().find(|&depth| depth >= most).unwrap_or(DEPTHS[DEPTHS.len() - 1])
}

/// Changes the levels of a pair. True if a checksum held.
fn changed(
    pair: &mut Pair,
    frame: &Levels<'_>,
    told: Option<[u32; 2]>,
    changes: &mut Vec<Change>,
) -> Result<bool, &'static str> {
    let qty_digits = pair.qty_digits;
    if frame.whole {
        let depth = frame.depth.or(pair.depth).unwrap_or_else(|| depth_of(frame.prices()));
        pair.book = Some(Kept::Levels(Book::new(depth)));
    }
    let Some(Kept::Levels(book)) = &mut pair.book else { return Err(NO_SNAPSHOT) };
    for (side, rows) in &frame.parts {
        let read = book.update(*side, rows, qty_digits, |change| changes.push(change));
        read.map_err(|NotANumber| NO_NUMBER)?;
    }
    book.truncate(|change| changes.push(change));
    match frame.sum {
        Some(sum) if !book.holds(sum, told) => Err(WRONG_SUM),
        sum => Ok(sum.is_some()),
    }
}

/// Does what is said of orders. True if a checksum held.
fn acted(
    queues: &mut Queues,
    frame: &Orders<'_>,
    told: Option<[u32; 2]>,
    time: Timestamp,
    events: &mut Vec<Event>,
) -> Result<bool, &'static str> {
    for order in &frame.orders {
        queues.act(order, events).map_err(|wrong| match wrong {
            Wrong::Number => NO_NUMBER,
            Wrong::Contradiction => CONTRADICTION,
        })?;
    }
    queues.truncate(time, events);
    match frame.sum {
        Some(sum) if !queues.holds(sum, told) => Err(WRONG_SUM),
        sum => Ok(sum.is_some()),
    }
}
