//! Messages of IEX to events. A message that is damaged changes nothing; if it should have changed
//! a book, that book is lost.

use super::side;
use super::wire::Message;
use crate::capture::Held;
use crate::recording::{Instruments, Log, Options};
use market::{
    Event, EventFlags, EventKind, InstrumentId, Price, Qty, Said, Side, SideEntry, Sink as _,
    Timestamp, TradingStatus,
};
use std::collections::HashMap;

/// Sale condition flags: a single-price cross.
const CROSS: u8 = 0x08;
/// Event flags of a level: the order book's event is complete.
const COMPLETE: u8 = 0x01;
/// Modify flags of an order: it keeps its priority.
const KEEPS_PRIORITY: u8 = 0x01;

/// One symbol.
#[derive(Clone, Copy, Debug)]
struct Stock {
    /// What events call it; `None` if it is not wanted.
    instrument: Option<InstrumentId>,
    qty_digits: u32,
    /// What a share counts in events.
    units: i64,
    /// By the last trading status, and by the last operational one.
    status: TradingStatus,
    halted: bool,
    /// Its book was not seen from the beginning, and that was said.
    distrusted: bool,
    /// Best prices of TOPS.
    best: [Option<Price>; 2],
}

/// See the module.
pub(super) struct Decoder {
    instruments: Instruments,
    stocks: Vec<Stock>,
    by_symbol: HashMap<[u8; 8], usize>,
    pub(super) by_type: [u64; 256],
    /// Messages of before were not seen: books are not whole.
    pub(super) joined: bool,
    /// The last level was part of an event that goes on.
    pub(super) partial: bool,
}

impl Decoder {
    pub(super) fn new(options: &Options) -> Decoder {
        Decoder {
            instruments: Instruments::new(&options.wanted),
            stocks: Vec::new(),
            by_symbol: HashMap::new(),
            by_type: [0; 256],
            joined: false,
            partial: false,
        }
    }

    pub(super) fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Takes a message.
    pub(super) fn message(&mut self, bytes: &[u8], position: u64, out: &mut Held, log: &mut Log) {
        let message = Message(bytes);
        let kind = message.u8(0);
        let Some(length) = Message::length(kind) else {
            log.skip(position, "message type that is not known");
            return;
        };
        let time = Timestamp::from_nanos(message.time());
        if kind == b'S' {
            // End of messages: nothing is traded any more.
            if bytes.len() >= length && message.flags() == b'C' {
                let event = Event::new(EventKind::Status, Event::ALL);
                let aux = TradingStatus::Closed as u32;
                out.event(Event { exchange_time: time, aux, ..event });
            }
            return;
        }
        let Some(at) = message.symbol().and_then(|symbol| self.stock(symbol)) else {
            if bytes.len() < length {
                log.damage(position, "message shorter than its type");
            }
            return;
        };
        let Some(instrument) = self.stocks[at].instrument else { return };
        let changes_book = matches!(kind, b'8' | b'5' | b'a' | b'M' | b'R' | b'L' | b'C' | b'Q');
        if self.joined && changes_book && !self.stocks[at].distrusted {
            self.stocks[at].distrusted = true;
            // A quote says all that TOPS knows of a book.
            if kind != b'Q' {
                out.event(Event { exchange_time: time, ..Event::new(EventKind::Lost, instrument) });
            }
        }
        let done = if bytes.len() < length {
            Err("message shorter than its type")
        } else {
            self.apply(at, instrument, &message, time, out)
        };
        if let Err(reason) = done {
            log.damage(position, reason);
            if changes_book {
                out.event(Event { exchange_time: time, ..Event::new(EventKind::Lost, instrument) });
            }
        }
    }

    fn apply(
        &mut self,
        at: usize,
        instrument: InstrumentId,
        message: &Message<'_>,
        time: Timestamp,
        out: &mut Held,
    ) -> Result<(), &'static str> {
        let of = |kind| Event { exchange_time: time, ..Event::new(kind, instrument) };
        let units = self.stocks[at].units;
        let shares = |count: u32| {
            i64::from(count).checked_mul(units).map(Qty::from_raw).ok_or("quantity out of range")
        };
        let flags = message.flags();
        let order = message.u64(18);
        match message.u8(0) {
            kind @ (b'8' | b'5') => {
                self.partial = flags & COMPLETE == 0;
                let side = if kind == b'8' { Side::Buy } else { Side::Sell };
                let (price, qty) = (positive(message.price(22)?)?, shares(message.u32(18))?);
                out.event(Event { price, qty, ..of(EventKind::Level).with_side(Some(side)) });
            }
            b'Q' => {
                let quotes = [
                    (Side::Buy, message.price(22)?, shares(message.u32(18))?),
                    (Side::Sell, message.price(30)?, shares(message.u32(38))?),
                ];
                for (side, price, qty) in quotes {
                    let best = &mut self.stocks[at].best[usize::from(side == Side::Sell)];
                    let new = (price.raw() > 0 && qty.is_positive()).then_some(price);
                    let level = of(EventKind::Level).with_side(Some(side));
                    if let Some(old) = best.filter(|&old| Some(old) != new) {
                        out.event(Event { price: old, ..level });
                    }
                    if let Some(price) = new {
                        out.event(Event { price, qty, ..level });
                    }
                    *best = new;
                }
            }
            b'a' => {
                let side = match flags {
                    b'8' => Side::Buy,
                    b'5' => Side::Sell,
                    _ => return Err("side of an order that is not known"),
                };
                let (price, qty) = (positive(message.price(30)?)?, shares(message.u32(26))?);
                let event = of(EventKind::Add).with_side(Some(side));
                out.event(Event { order, price, qty, ..event });
            }
            b'M' => {
                let (price, qty) = (positive(message.price(30)?)?, shares(message.u32(26))?);
                if flags & KEEPS_PRIORITY != 0 {
                    out.event(Event { order, price, qty, ..of(EventKind::Change) });
                } else {
                    let flags = EventFlags::REPLACE;
                    out.event(Event { order, flags, ..of(EventKind::Delete) });
                    out.event(Event { order, price, qty, flags, ..of(EventKind::Add) });
                }
            }
            b'R' => out.event(Event { order, ..of(EventKind::Delete) }),
            b'L' => {
                let (price, qty) = (positive(message.price(30)?)?, shares(message.u32(26))?);
                let flags = EventFlags::PRICED.with(cross(flags));
                out.event(Event { order, price, qty, flags, ..of(EventKind::Execute) });
            }
            b'C' => out.event(of(EventKind::Clear)),
            b'T' => {
                let (price, qty) = (message.price(22)?, shares(message.u32(18))?);
                let (order, flags) = (message.u64(30), cross(flags));
                out.event(Event { order, price, qty, flags, ..of(EventKind::Trade) });
            }
            b'H' => {
                self.stocks[at].status = side::trading_status(flags);
                self.status(at, instrument, time, out);
            }
            b'O' => {
                let halted = flags == b'O';
                // The day begins with the same word of every symbol.
                if std::mem::replace(&mut self.stocks[at].halted, halted) == halted {
                    return Ok(());
                }
                self.status(at, instrument, time, out);
            }
            _ => {}
        }
        self.entry(at, instrument, message, time, shares, out)
    }

    /// The status of a symbol: halted if either word says so.
    fn status(&self, at: usize, instrument: InstrumentId, time: Timestamp, out: &mut Held) {
        let stock = &self.stocks[at];
        let status = if stock.halted { TradingStatus::Halted } else { stock.status };
        let event = Event::new(EventKind::Status, instrument);
        out.event(Event { exchange_time: time, aux: status as u32, ..event });
    }

    /// What the message says beside its events.
    fn entry(
        &mut self,
        at: usize,
        instrument: InstrumentId,
        message: &Message<'_>,
        time: Timestamp,
        shares: impl Fn(u32) -> Result<Qty, &'static str>,
        out: &mut Held,
    ) -> Result<(), &'static str> {
        if !matches!(message.u8(0), b'D' | b'H' | b'O' | b'X' | b'B' | b'A') {
            return Ok(());
        }
        let Some(known) = self.instruments.get(instrument) else { return Ok(()) };
        let symbol = known.symbol.clone();
        let said = side::said(message, &symbol, self.stocks[at].qty_digits, shares)?;
        let Some(said) = said else { return Ok(()) };
        if let Said::Definition(definition) = &said
            && let Some(known) = self.instruments.resolve(&symbol, 0)
        {
            known.definition = Some(definition.clone());
        }
        out.entry(SideEntry { instrument, exchange_time: time, said });
        Ok(())
    }

    /// The place of a symbol, which is added if there is room.
    fn stock(&mut self, symbol: [u8; 8]) -> Option<usize> {
        if let Some(&at) = self.by_symbol.get(&symbol) {
            return Some(at);
        }
        if self.stocks.len() >= Instruments::MAX {
            return None;
        }
        let text = symbol.trim_ascii().escape_ascii().to_string();
        let known = self.instruments.resolve(&text, 0);
        let (instrument, qty_digits) =
            known.map_or((None, 0), |known| (Some(known.id), known.qty_digits));
        self.by_symbol.insert(symbol, self.stocks.len());
        self.stocks.push(Stock {
            instrument,
            qty_digits,
            units: 10i64.checked_pow(qty_digits).unwrap_or(1),
            status: TradingStatus::Unknown,
            halted: false,
            distrusted: false,
            best: [None; 2],
        });
        Some(self.stocks.len() - 1)
    }

    /// The stream begins anew, with books that are empty or, if it is `joined`, unknown.
    pub(super) fn restart(&mut self, joined: bool) {
        self.joined = joined;
        self.partial = false;
        for stock in &mut self.stocks {
            (stock.distrusted, stock.best) = (false, [None; 2]);
            (stock.status, stock.halted) = (TradingStatus::Unknown, false);
        }
    }

    /// Messages are lost: books that are met later are not whole either.
    pub(super) fn lost(&mut self) {
        self.joined = true;
        self.partial = false;
    }
}

/// A price that an order can have.
fn positive(price: Price) -> Result<Price, &'static str> {
    if price.raw() > 0 { Ok(price) } else { Err("price not positive") }
}

fn cross(flags: u8) -> EventFlags {
    if flags & CROSS == 0 { EventFlags::NONE } else { EventFlags::CROSS }
}
