//! Frames of several pairs to events: what recordings and live feeds share. Each update is held
//! against the venue's checksum before it becomes events.

use super::book::{Book, Change, QTY_DIGITS};
use super::frame::{Frame, Kind, Levels, Row, Traded};
use crate::cryptofeed::seconds;
use crate::digits::decimal;
use crate::level::NotANumber;
use crate::recording::{Instruments, Log, Unit, Wanted};
use market::{Event, EventFlags, EventKind, InstrumentId, Price, Qty, Side};
use std::collections::HashMap;

const NO_NUMBER: &str = "a price, volume or time is no number or does not fit";
const NO_SNAPSHOT: &str = "an update of a book whose snapshot did not come";
const WRONG_SUM: &str = "the checksum is not that of the book";
const NO_SUM: &str = "a checksum that is no number";

/// One pair.
struct Pair {
    id: InstrumentId,
    qty_digits: u32,
    /// `None` until a snapshot comes.
    book: Option<Book>,
    /// What is wrong with the book that events made: a snapshot must say that it is over.
    in_gap: bool,
}

/// See the module.
pub(crate) struct Decoder {
    pub(super) instruments: Instruments,
    pairs: HashMap<InstrumentId, Pair>,
    /// Checksums that held.
    pub(super) well: u64,
    /// Asks whose price is beyond [`Price`].
    pub(super) beyond: u64,
    changes: Vec<Change>,
}

impl Decoder {
    pub(crate) fn new(wanted: &Wanted) -> Decoder {
        let (instruments, pairs) = (Instruments::new(wanted), HashMap::new());
        Decoder { instruments, pairs, well: 0, beyond: 0, changes: Vec::new() }
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
        Ok(match Frame::parse(json) {
            Ok(Frame::Book { pair, depth, parts }) => {
                self.book(&pair, depth, &parts, unit).unwrap_or_else(|(kind, reason)| {
                    log.skip(unit.position, reason);
                    kind
                })
            }
            Ok(Frame::Trades(pair, trades)) => {
                if let Err(reason) = self.trades(&pair, &trades, unit) {
                    log.skip(unit.position, reason);
                }
                Kind::Trade
            }
            Ok(Frame::Counted(kind)) => kind,
            Err(unread) => {
                let id = unread.pair.and_then(|pair| Some(self.instruments.find(&pair)?.id));
                if let Some(pair) = id.and_then(|id| self.pairs.get_mut(&id)) {
                    pair.lose(unit);
                }
                return Err("no frame of the venue, or one that lacks something");
            }
        })
    }

    fn pair(&mut self, symbol: &str) -> Option<&mut Pair> {
        let known = self.instruments.resolve(symbol, QTY_DIGITS)?;
        let (id, qty_digits) = (known.id, known.qty_digits);
        let new = || Pair { id, qty_digits, book: None, in_gap: false };
        Some(self.pairs.entry(id).or_insert_with(new))
    }

    /// Makes place for a pair that is wanted.
    pub(super) fn expect(&mut self, symbol: &str) {
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

    fn book(
        &mut self,
        symbol: &str,
        depth: usize,
        parts: &[Levels<'_>],
        unit: &mut Unit,
    ) -> Result<Kind, (Kind, &'static str)> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.clear();
        let told = self.changed(symbol, depth, parts, unit, &mut changes);
        self.changes = changes;
        told
    }

    fn changed(
        &mut self,
        symbol: &str,
        depth: usize,
        parts: &[Levels<'_>],
        unit: &mut Unit,
        changes: &mut Vec<Change>,
    ) -> Result<Kind, (Kind, &'static str)> {
        let whole = parts.iter().any(|part| part.all_asks.is_some() || part.all_bids.is_some());
        let kind = if whole { Kind::Snapshot } else { Kind::Update };
        let Some(pair) = self.pair(symbol) else { return Ok(kind) };
        let times = parts.iter().flat_map(rows).flat_map(|(_, rows)| rows);
        let time = times.filter_map(|row| seconds(row.time.as_bytes())).max();
        unit.exchange_time = time.unwrap_or_default();
        if whole {
            pair.book = Some(Book::new(depth));
        }
        let Some(book) = &mut pair.book else { return Err((kind, NO_SNAPSHOT)) };
        let read = update(book, parts, pair.qty_digits, changes);
        let sum = parts.iter().find_map(|part| part.checksum.as_deref());
        let (sum, checked) = match sum.map(str::parse::<u32>) {
            None => (Ok(()), 0),
            Some(Ok(sum)) if read.is_ok() && sum == book.checksum() => (Ok(()), 1),
            Some(Ok(_)) => (Err(WRONG_SUM), 0),
            Some(Err(_)) => (Err(NO_SUM), 0),
        };
        if let Err(reason) = read.map_err(|NotANumber| NO_NUMBER).and(sum) {
            pair.lose(unit);
            return Err((kind, reason));
        }
        pair.give(whole, changes, unit);
        self.well += checked;
        self.beyond += changes.iter().filter(|(_, price, _)| price.is_none()).count() as u64;
        Ok(kind)
    }

    fn trades(
        &mut self,
        symbol: &str,
        trades: &[Traded<'_>],
        unit: &mut Unit,
    ) -> Result<(), &'static str> {
        let Some(pair) = self.pair(symbol) else { return Ok(()) };
        for trade in trades {
            let price = decimal(trade.0.as_bytes(), Price::DIGITS);
            let qty = decimal(trade.1.as_bytes(), pair.qty_digits);
            let numbers = price.zip(qty).zip(seconds(trade.2.as_bytes()));
            let resting = match &*trade.3 {
                "b" => Some(Side::Sell),
                "s" => Some(Side::Buy),
                _ => None,
            };
            let Some(((price, qty), time)) = numbers else {
                unit.events.clear();
                return Err(NO_NUMBER);
            };
            unit.exchange_time = time;
            unit.events.push(Event {
                exchange_time: time,
                price: Price::from_raw(price),
                qty: Qty::from_raw(qty),
                ..Event::new(EventKind::Trade, pair.id).with_side(resting)
            });
        }
        Ok(())
    }
}

/// Levels of each side, asks first as the venue sends them.
fn rows<'a, 'b>(part: &'b Levels<'a>) -> [(Side, &'b [Row<'a>]); 2] {
    let asks = part.all_asks.as_deref().unwrap_or(&part.asks);
    let bids = part.all_bids.as_deref().unwrap_or(&part.bids);
    [(Side::Sell, asks), (Side::Buy, bids)]
}

fn update(
    book: &mut Book,
    parts: &[Levels<'_>],
    qty_digits: u32,
    changes: &mut Vec<Change>,
) -> Result<(), NotANumber> {
    for (side, rows) in parts.iter().flat_map(rows) {
        if rows.iter().any(|row| seconds(row.time.as_bytes()).is_none()) {
            return Err(NotANumber);
        }
        book.update(side, rows, qty_digits, |change| changes.push(change))?;
    }
    book.truncate(|change| changes.push(change));
    Ok(())
}

impl Pair {
    /// The book is not to be believed until a snapshot comes.
    fn lose(&mut self, unit: &mut Unit) {
        unit.events.clear();
        if self.book.take().is_some() || self.in_gap {
            let lost = Event::new(EventKind::Lost, self.id);
            unit.events.push(Event { exchange_time: unit.exchange_time, ..lost });
        }
        self.in_gap = false;
    }

    fn give(&mut self, whole: bool, changes: &[Change], unit: &mut Unit) {
        let flags = if whole { EventFlags::SNAPSHOT } else { EventFlags::NONE };
        let event =
            |kind| Event { exchange_time: unit.exchange_time, flags, ..Event::new(kind, self.id) };
        if whole {
            unit.events.push(event(EventKind::Clear));
        }
        let level = event(EventKind::Level);
        unit.events.extend(changes.iter().filter_map(|&(side, price, qty)| {
            Some(Event { price: price?, qty, ..level.with_side(Some(side)) })
        }));
        if whole && std::mem::take(&mut self.in_gap) {
            let recovered = event(EventKind::Recovered);
            unit.events.push(Event { flags: EventFlags::NONE, ..recovered });
        }
    }
}
