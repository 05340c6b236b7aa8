//! Files of LOBSTER as recordings: messages with the book behind them, messages alone, a book
//! alone.

use super::book::{self, BookRow};
use super::message::{Kind, Message};
use super::name;
use crate::cells::Cells;
use crate::recording::{
    Books, Broken, Clock, Counts, Description, Input, Instruments, LineEnd, Lines, Log, Opening,
    Options, Recording, Source, Unit, Wanted, ended,
};
use crate::shown::Shown;
use market::{Event, EventFlags, EventKind, InstrumentId, Side, Timestamp, TradingStatus};
use std::io;

/// Name of the format of messages.
pub const MESSAGES: &str = "LOBSTER messages";
/// Name of the format of books.
pub const BOOK: &str = "LOBSTER order book";
/// So many rows are looked at before a file is taken for one of these.
const ROWS: usize = 3;

/// Why a blank line is no row.
const BLANK: &str = "a blank line";
const OPEN: &str = "last row of the book has no line end: it may be cut";

/// Whole rows at the front of a file; the only one, if it has no end.
fn rows(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = head.iter().rposition(|&byte| byte == b'\n').map_or(head, |end| &head[..end]);
    let rows = whole.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end).take(ROWS);
    rows.enumerate().filter(|&(at, row)| at == 0 || !row.is_empty()).map(|(_, row)| row)
}

/// Tells files of messages.
#[must_use]
pub fn recognise_messages(head: &[u8]) -> Option<String> {
    let mut cells = Cells::default();
    let all = rows(head).all(|row| Message::parse(&mut cells, row).is_ok());
    all.then(|| "messages".to_owned())
}

/// Tells files of books.
#[must_use]
pub fn recognise_book(head: &[u8]) -> Option<String> {
    let levels = book::levels(rows(head).next()?)?;
    let all = rows(head).all(|row| book::levels(row) == Some(levels));
    all.then(|| format!("order book of {levels} levels"))
}

/// Opens a file of messages, with its book if that lies beside it.
///
/// # Errors
/// The book is there and cannot be opened.
pub fn open_messages(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    let mut file = Lobster::new(&opening);
    let book = opening.source.as_ref().and_then(|one| name::other(one, "message", "orderbook"));
    if let Some(book) = book {
        let rows = Rows::new(book.open()?);
        let rows = rows.map_err(|why| io::Error::other(format!("its order book {book}: {why}")))?;
        file.levels = rows.levels;
        file.book = Some(rows);
    }
    file.messages = Some(Lines::new(opening.input));
    Ok(Box::new(file))
}

/// Opens a file of books. If its messages lie beside it, they give its events, and this none.
///
/// # Errors
/// None: it was recognised.
pub fn open_book(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    let mut file = Lobster::new(&opening);
    let other = |one: &Source| name::other(one, "orderbook", "message");
    let source = opening.source.as_ref();
    file.silent = source.and_then(other).is_some();
    // In an archive, the messages are counted, and there are as many of them as rows.
    file.uncounted = file.silent && source.is_some_and(Source::is_member);
    let rows = Rows::new(opening.input).map_err(io::Error::other)?;
    file.levels = rows.levels;
    file.book = Some(rows);
    Ok(Box::new(file))
}

/// The rows of a book.
struct Rows<'a> {
    lines: Lines<Input<'a>>,
    levels: usize,
}

impl<'a> Rows<'a> {
    fn new(input: Input<'a>) -> Result<Rows<'a>, &'static str> {
        let levels = rows(input.head()).next().and_then(book::levels);
        let levels = levels.ok_or("its first row is no order book")?;
        Ok(Rows { lines: Lines::new(input), levels })
    }
}

/// See the module.
struct Lobster<'a> {
    messages: Option<Lines<Input<'a>>>,
    book: Option<Rows<'a>>,
    cells: Cells,
    row: BookRow,
    shown: Shown,
    /// Whether a row of the book was shown.
    began: bool,
    instruments: Instruments,
    /// Whose it is, if it is wanted, and raw quantity units in a share.
    instrument: Option<(InstrumentId, i64)>,
    day: Option<Timestamp>,
    /// Levels of the book.
    levels: usize,
    silent: bool,
    uncounted: bool,
    /// Messages by type, rows of books, and what is neither.
    counts: [u64; 7],
    book_rows: u64,
    bad: u64,
    log: Log,
    end: Option<Result<bool, Broken>>,
}

impl<'a> Lobster<'a> {
    fn new(opening: &Opening<'_>) -> Lobster<'a> {
        let Options { wanted, day, .. } = &opening.options;
        let name = opening.source.as_ref().map_or("", Source::name);
        let (mut symbol, named_day) = name::parse(name);
        // Where no name says whose it is, the only one that is wanted is meant.
        if let (None, Wanted::Only(only)) = (named_day, wanted)
            && let [only] = &only[..]
        {
            symbol.clone_from(&only.symbol);
        }
        let mut instruments = Instruments::new(wanted);
        let known = instruments.resolve(&symbol, 0);
        let instrument = known.map(|known| {
            let digits = known.qty_digits.min(market::Qty::DIGITS_MAX);
            (known.id, 10i64.pow(digits))
        });
        Lobster {
            messages: None,
            book: None,
            cells: Cells::default(),
            row: BookRow::default(),
            shown: Shown::default(),
            began: false,
            instruments,
            instrument,
            day: day.or(named_day),
            levels: 0,
            silent: false,
            uncounted: false,
            counts: [0; 7],
            book_rows: 0,
            bad: 0,
            log: Log::default(),
            end: None,
        }
    }

    /// The next row of the book, into `self.row`; `None` at the end.
    fn next_row(&mut self) -> Result<Option<Result<(), &'static str>>, Broken> {
        let Some(book) = &mut self.book else { return Ok(None) };
        let position = book.lines.position();
        let line = match book.lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(None),
            Err(error) => {
                let error = io::Error::new(error.kind(), format!("the order book: {error}"));
                return ended(&error, position, &mut self.log).map(|()| None);
            }
        };
        if line.text.is_empty() && line.end == LineEnd::Whole {
            return Ok(Some(Err(BLANK)));
        }
        self.book_rows += 1;
        Ok(Some(match line.end {
            LineEnd::TooLong => Err("row of the book is longer than 8 MiB"),
            LineEnd::Open => Err(OPEN),
            LineEnd::Whole => self.row.parse(line.text, book.levels),
        }))
    }

    /// Shows the row of the book that was read.
    fn show(&mut self, event: &Event, share: i64, unit: &mut Unit) {
        if !std::mem::replace(&mut self.began, true) {
            unit.events.push(event.with_kind(EventKind::Clear));
        }
        for side in Side::BOTH {
            let levels = self.row.side(side).iter();
            let levels = levels.map(|&(price, size)| (price, size.saturating_mul(share)));
            self.shown.show(side, levels, event, unit);
        }
    }

    /// There are no more messages, and should be no more rows.
    fn over(&mut self, position: u64) -> Result<bool, Broken> {
        loop {
            match self.next_row()? {
                Some(Err(BLANK)) => {}
                Some(_) => {
                    let reason = "the order book has more rows than there are messages";
                    self.log.damage(position, reason);
                    return Ok(false);
                }
                None => return Ok(false),
            }
        }
    }

    /// One message, and the row of the book behind it.
    fn message(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        let Some(lines) = &mut self.messages else { return Ok(false) };
        let position = lines.position();
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return self.over(position),
            Err(error) => return ended(&error, position, &mut self.log).map(|()| false),
        };
        let parsed = match line.end {
            LineEnd::Whole if line.text.is_empty() => Err(BLANK),
            LineEnd::TooLong => Err("message is longer than 8 MiB"),
            _ => Message::parse(&mut self.cells, line.text),
        };
        if line.end == LineEnd::Open && parsed.is_err() {
            self.log.cut(position, "a message that is not whole");
            return Ok(false);
        }
        let had_book = self.book.is_some();
        let row = self.next_row()?;
        match &parsed {
            // A blank line is nothing, unless a row says that it should have been a message.
            Err(BLANK) if matches!(row, None | Some(Err(BLANK))) => return Ok(true),
            Ok(message) => self.counts[message.kind as usize] += 1,
            Err(_) => self.bad += 1,
        }
        if had_book && row.is_none() {
            self.log.damage(position, "the order book has fewer rows than there are messages");
            self.book = None;
            if let Some((id, _)) = self.instrument {
                unit.events.push(Event::new(EventKind::Lost, id));
            }
        }
        match (parsed, row) {
            // The message itself is whole.
            (Ok(message), Some(Err(OPEN))) => {
                self.log.skip(position, OPEN);
                self.told(&message, false, unit);
            }
            (Err(reason), _) | (_, Some(Err(reason))) => self.log.skip(position, reason),
            (Ok(message), row) => self.told(&message, row.is_some(), unit),
        }
        Ok(true)
    }

    /// What a message and the book behind it become.
    fn told(&mut self, message: &Message, booked: bool, unit: &mut Unit) {
        unit.exchange_time = self.day.unwrap_or_default().after(message.time);
        let Some((id, share)) = self.instrument else { return };
        let exchange_time = unit.exchange_time;
        let event = Event { exchange_time, instrument: id, ..Event::default() };
        if let Some((price, qty)) = message.traded(share) {
            let crossed = message.kind == Kind::Cross;
            let flags = if crossed { EventFlags::CROSS } else { EventFlags::NONE };
            let event = Event { price, qty, flags, ..event.with_kind(EventKind::Trade) };
            unit.events.push(event.with_side((!crossed).then_some(message.side)));
        }
        if message.kind == Kind::Halt {
            let status = match message.price {
                0 => TradingStatus::Auction,
                1 => TradingStatus::Trading,
                _ => TradingStatus::Halted,
            };
            let aux = status as u32;
            unit.events.push(Event { aux, ..event.with_kind(EventKind::Status) });
        }
        if booked {
            self.show(&event, share, unit);
        }
    }

    /// One row of a book alone.
    fn book_alone(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        let position = unit.position;
        match (self.next_row()?, self.instrument) {
            (None, _) => return Ok(false),
            (Some(Err(BLANK)), _) => {}
            (Some(Err(reason)), _) => self.log.skip(position, reason),
            (Some(Ok(())), Some((instrument, share))) if !self.silent => {
                let event = Event { instrument, ..Event::default() };
                self.show(&event, share, unit);
            }
            _ => {}
        }
        Ok(true)
    }

    fn position(&self) -> u64 {
        let book = || self.book.as_ref().map_or(0, |book| book.lines.position());
        self.messages.as_ref().map_or_else(book, Lines::position)
    }
}

impl Recording for Lobster<'_> {
    fn describe(&self) -> Description {
        let levels = match self.levels {
            1 => "1 level".to_owned(),
            levels => format!("{levels} levels"),
        };
        let (format, version, books) = match (&self.messages, self.levels) {
            (Some(_), 0) => (MESSAGES, "without order book".to_owned(), Books::None),
            (Some(_), _) => (MESSAGES, format!("with {levels}"), Books::ByLevel),
            (None, _) if self.silent => {
                (BOOK, format!("{levels}, read with its messages"), Books::None)
            }
            (None, _) => (BOOK, format!("{levels}, without times"), Books::ByLevel),
        };
        let clock = if self.day.is_some() { Clock::Utc } else { Clock::TimeOfDay };
        Description { format, version, books, clock }
    }

    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        unit.begin(self.position());
        if let Some(end) = &self.end {
            return end.clone();
        }
        let read = match self.messages {
            Some(_) => self.message(unit),
            None => self.book_alone(unit),
        };
        if read != Ok(true) {
            unit.events.clear();
            return self.end.insert(read).clone();
        }
        unit.end();
        Ok(true)
    }

    fn counts(&self) -> Counts {
        let mut by_type: Vec<(String, u64)> = Vec::new();
        let mut others = Vec::new();
        if self.messages.is_some() {
            let kinds = Kind::ALL.iter().map(|kind| kind.name().to_owned()).zip(self.counts);
            by_type.extend(kinds.chain([("of no type".to_owned(), self.bad)]));
            others.push(("rows of the order book", self.book_rows));
        } else if self.uncounted {
            others.push(("rows of the order book", self.book_rows));
        } else {
            by_type.push(("row".to_owned(), self.book_rows));
        }
        by_type.retain(|&(_, count)| count > 0);
        let messages = by_type.iter().map(|&(_, count)| count).sum();
        Counts { messages, by_type, others }
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}
