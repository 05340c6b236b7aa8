//! A file of Tardis as a recording: rows of one message are one unit.

use super::QTY_DIGITS;
use super::columns::{Columns, Kind};
use super::row::{self, Said, Sides};
use crate::recording::{
    Books, Broken, Clock, Counts, Description, Input, Instruments, Lines, Log, Opening, Options,
    Recording, Unit,
};
use crate::rows::Rows;
use crate::shown::Shown;
use market::{Event, EventFlags, EventKind, InstrumentId, Qty, Side, Timestamp};
use std::collections::HashMap;
use std::io;

/// Name of the format.
pub const FORMAT: &str = "Tardis CSV";
/// Most rows of a unit: no venue's snapshot has as many levels.
const ROWS_MAX: usize = 1 << 18;
/// Rows of a snapshot that were received so many nanoseconds apart are of two.
const APART: u64 = 1_000_000_000;
const NO_SYMBOL: &str = "row without a symbol, of one of more than 256 bytes, or of too many";
const NOT_BEGUN: &str = "change of a book before its first snapshot";

/// Tells the format by its head row.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    Some(Columns::read(line.trim_ascii_end())?.kind.name())
}

/// Opens it.
///
/// # Errors
/// The head row cannot be read.
pub fn open(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    let mut lines = Lines::new(opening.input);
    let columns = match lines.next_line()? {
        Some(head) => Columns::read(head.text),
        None => None,
    };
    let columns = columns.ok_or_else(|| io::Error::other("Tardis CSV: its head row is broken"))?;
    Ok(Box::new(TardisFile::new(lines, columns, &opening.options)))
}

/// One symbol.
#[derive(Clone, Debug, Default)]
struct Symbol {
    /// Whose it is, if it is wanted, and the fractional digits of its quantities.
    instrument: Option<(InstrumentId, u32)>,
    /// Whether a book was begun.
    began: bool,
    /// Whether its book was said to be lost, since it had not begun.
    lost: bool,
    /// When the last row was received, if it was of a snapshot.
    in_snapshot: Option<u64>,
    shown: Shown,
}

impl Symbol {
    /// A row of a book, of a snapshot or not, was received: whether the book begins anew with it. A
    /// recorder that connects again while nothing happens gives two snapshots without a change.
    fn begins(&mut self, snapshot: bool, local: u64) -> bool {
        let before = std::mem::replace(&mut self.in_snapshot, snapshot.then_some(local));
        self.began |= snapshot;
        snapshot && before.is_none_or(|before| local.saturating_sub(before) > APART)
    }
}

/// A row that was read.
#[derive(Clone, Copy, Debug)]
struct Row {
    position: u64,
    /// Index of its symbol; `None` if it has none.
    symbol: Option<usize>,
    time: u64,
    local: u64,
    said: Result<Said, &'static str>,
}

/// See the module.
struct TardisFile<'a> {
    rows: Rows<Input<'a>>,
    columns: Columns,
    /// Exchange of the first row that has one.
    exchange: String,
    instruments: Instruments,
    symbols: Vec<Symbol>,
    by_name: HashMap<Vec<u8>, usize>,
    /// Name and index of the symbol of the row before.
    last: Option<(Vec<u8>, usize)>,
    /// The row that comes next, once it was read.
    next: Option<Row>,
    /// Levels of the row that was read last.
    book: Sides,
    count: u64,
    /// The row before could not be read: its symbol and local time, as far as they could.
    unread: Option<(Option<usize>, u64)>,
    log: Log,
    end: Option<Result<bool, Broken>>,
}

impl<'a> TardisFile<'a> {
    fn new(lines: Lines<Input<'a>>, columns: Columns, options: &Options) -> TardisFile<'a> {
        TardisFile {
            rows: Rows::new(lines, columns.count),
            columns,
            exchange: String::new(),
            instruments: Instruments::new(&options.wanted),
            symbols: Vec::new(),
            by_name: HashMap::new(),
            last: None,
            next: None,
            book: Sides::default(),
            count: 0,
            unread: None,
            log: Log::default(),
            end: None,
        }
    }

    /// Reads the next row, if that was not done; false at the end.
    fn look(&mut self) -> Result<bool, Broken> {
        while self.next.is_none() {
            let Some(read) = self.rows.next_row(&mut self.log)? else { return Ok(false) };
            if read.is_blank {
                continue;
            }
            let position = read.position;
            let nothing =
                Row { position, symbol: None, time: 0, local: 0, said: Ok(Said::Nothing) };
            let whole = read.whole.and_then(|()| row::times(&self.columns, read.cells, read.text));
            let (time, local) = match whole {
                Ok(times) => times,
                Err(reason) => {
                    self.next = Some(Row { said: Err(reason), ..nothing });
                    break;
                }
            };
            if self.exchange.is_empty() {
                let exchange = read.cells.cell(read.text, self.columns.exchange);
                let exchange = &exchange[..exchange.len().min(Instruments::SYMBOL_MAX)];
                self.exchange = String::from_utf8_lossy(exchange).escape_debug().to_string();
            }
            let name = read.cells.cell(read.text, self.columns.symbol);
            let symbol = find(
                name,
                &mut self.last,
                &mut self.by_name,
                &mut self.symbols,
                &mut self.instruments,
            );
            let instrument = symbol.and_then(|at| self.symbols[at].instrument);
            let said = match (symbol, instrument) {
                (None, _) => Err(NO_SYMBOL),
                (_, None) => Ok(Said::Nothing),
                (_, Some((_, digits))) => {
                    row::read(&self.columns, read.cells, read.text, digits, &mut self.book)
                }
            };
            self.next = Some(Row { symbol, time, local, said, ..nothing });
        }
        Ok(true)
    }

    /// Takes the row that was read.
    fn take(&mut self, row: Row, unit: &mut Unit) {
        self.count += 1;
        let unread = self.unread.take();
        let symbol = row.symbol.and_then(|at| self.symbols.get_mut(at));
        let said = match row.said {
            Ok(said) => said,
            Err(reason) => {
                self.log.skip(row.position, reason);
                self.unread = Some((row.symbol, row.local));
                if self.columns.kind == Kind::Incremental {
                    let id = symbol.and_then(|symbol| symbol.instrument);
                    let id = id.map_or(Event::ALL, |(id, _)| id);
                    unit.events.push(Event::new(EventKind::Lost, id));
                }
                return;
            }
        };
        unit.exchange_time = Timestamp::from_nanos(row.time);
        unit.received = Timestamp::from_nanos(row.local);
        let Some(symbol) = symbol else { return };
        let Some((instrument, _)) = symbol.instrument else { return };
        let event = Event { exchange_time: unit.exchange_time, instrument, ..Event::default() };
        match said {
            Said::Level { snapshot, side, price, amount } => {
                let flags = if snapshot { EventFlags::SNAPSHOT } else { EventFlags::NONE };
                let event = Event { flags, ..event };
                if symbol.begins(snapshot, row.local) {
                    unit.events.push(event.with_kind(EventKind::Clear));
                    // What could not be read before may have been its first level.
                    let of_it = |(symbol, local): (Option<usize>, u64)| {
                        (symbol.is_none() || symbol == row.symbol)
                            && (local == 0 || local == row.local)
                    };
                    if unread.is_some_and(of_it) {
                        unit.events.push(event.with_kind(EventKind::Lost));
                    }
                }
                if !symbol.began {
                    self.log.skip(row.position, NOT_BEGUN);
                    if !std::mem::replace(&mut symbol.lost, true) {
                        unit.events.push(event.with_kind(EventKind::Lost));
                    }
                    return;
                }
                let event = Event { price, qty: Qty::from_raw(amount), ..event };
                unit.events.push(event.with_kind(EventKind::Level).with_side(Some(side)));
            }
            Said::Trade { id, side, price, amount } => {
                let event = Event { order: id, price, qty: Qty::from_raw(amount), ..event };
                let resting = side.map(Side::opposite);
                unit.events.push(event.with_kind(EventKind::Trade).with_side(resting));
            }
            Said::Book => {
                if !std::mem::replace(&mut symbol.began, true) {
                    unit.events.push(event.with_kind(EventKind::Clear));
                }
                for (side, levels) in Side::BOTH.into_iter().zip(&self.book) {
                    symbol.shown.show(side, levels.iter().copied(), &event, unit);
                }
            }
            Said::Nothing => {}
        }
    }
}

/// The index of a symbol; `None` of none, of one too long, and of more than may be.
fn find(
    name: &[u8],
    last: &mut Option<(Vec<u8>, usize)>,
    by_name: &mut HashMap<Vec<u8>, usize>,
    symbols: &mut Vec<Symbol>,
    instruments: &mut Instruments,
) -> Option<usize> {
    if let Some((known, at)) = last
        && *known == name
    {
        return Some(*at);
    }
    let at = match by_name.get(name) {
        Some(&at) => at,
        None if name.is_empty() || name.len() > Instruments::SYMBOL_MAX => return None,
        None if symbols.len() >= Instruments::MAX => return None,
        None => {
            let known = instruments.resolve(&String::from_utf8_lossy(name), QTY_DIGITS);
            let instrument = known.map(|known| (known.id, known.qty_digits));
            symbols.push(Symbol { instrument, ..Symbol::default() });
            by_name.insert(name.to_owned(), symbols.len() - 1);
            symbols.len() - 1
        }
    };
    *last = Some((name.to_owned(), at));
    Some(at)
}

impl Recording for TardisFile<'_> {
    fn describe(&self) -> Description {
        let books = match self.columns.kind {
            Kind::Incremental | Kind::Snapshot(_) | Kind::Quotes => Books::ByLevel,
            Kind::Trades | Kind::Other => Books::None,
        };
        let version = self.columns.kind.name();
        Description { format: FORMAT, version, books, clock: Clock::Utc }
    }

    fn market(&self) -> String {
        self.exchange.clone()
    }

    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        unit.begin(self.rows.position());
        if let Some(end) = &self.end {
            return end.clone();
        }
        match self.look() {
            Ok(true) => {}
            end => return self.end.insert(end).clone(),
        }
        let mut rows = 0;
        while let Some(row) = self.next.take() {
            if rows == 0 {
                unit.position = row.position;
            }
            rows += 1;
            self.take(row, unit);
            // Only of incremental books may a message be several rows; an end, or a break, is told
            // when the next unit is asked for.
            if self.columns.kind != Kind::Incremental || rows >= ROWS_MAX || self.look() != Ok(true)
            {
                break;
            }
            let same = |next: &Row| (next.symbol, next.local) == (row.symbol, row.local);
            if !self.next.as_ref().is_some_and(same) || row.said.is_err() {
                break;
            }
        }
        unit.end();
        Ok(true)
    }

    fn counts(&self) -> Counts {
        let messages = self.count;
        let by_type = if messages > 0 { vec![("row".to_owned(), messages)] } else { Vec::new() };
        Counts { messages, by_type, others: Vec::new() }
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}
