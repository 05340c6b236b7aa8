//! Databento's CSV as a recording: columns by their names, in any order. Prices are decimal, or
//! counts of 1e-9 where they have no point; times are ISO 8601, or nanoseconds.
//!
//! Rows by order and by price become the events of DBN; rows of other schemas are counted.

use super::columns::Columns;
use super::decode::{Decoder, Skip};
use super::group::Group;
use super::record::{self, Levels, Order, Quote, TYPES, is_quote, rtype};
use super::symbols::{Learned, SYMBOL_MAX};
use super::{UNDEF_PRICE, UNDEF_TIME};
use crate::cells::{Cells, decimal, integer, whole};
use crate::recording::{
    Books, Broken, Clock, Counts, Description, Input, Instruments, Lines, Log, Missing, Opening,
    Options, Recording, Unit,
};
use crate::rows::Rows;
use market::{Event, EventKind};
use std::io;

/// Name of the format.
pub const FORMAT: &str = "Databento CSV";

/// Tells the format by its head row; gives the schema.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    let columns = Columns::read(line.trim_ascii_end())?;
    Some(columns.schema().to_owned())
}

/// Opens it.
///
/// # Errors
/// None: what is wrong with rows is said as they are read.
pub fn open(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    Ok(Box::new(CsvFile::new(opening.input, &opening.options)))
}

/// One row that was read.
#[derive(Clone, Debug)]
struct Row {
    position: u64,
    kind: Option<u8>,
    fields: Result<Fields, &'static str>,
}

/// What rows by order and by price have.
#[derive(Clone, Debug, Default)]
struct Fields {
    order: Option<Order>,
    levels: Levels,
}

/// See the module.
struct CsvFile<'a> {
    rows: Rows<Input<'a>>,
    columns: Columns,
    decoder: Decoder,
    group: Group,
    /// The number and symbol of the row before.
    named: (u32, Vec<u8>),
    /// The row that comes next, once it was read.
    next: Option<Row>,
    counts: [u64; 256],
    untyped: u64,
    log: Log,
    end: Option<Result<bool, Broken>>,
}

impl<'a> CsvFile<'a> {
    fn new(input: Input<'a>, options: &Options) -> CsvFile<'a> {
        let mut lines = Lines::new(input);
        let head = lines.next_line().ok().flatten();
        let columns = head.and_then(|line| Columns::read(line.text)).unwrap_or_default();
        CsvFile {
            rows: Rows::new(lines, columns.count),
            columns,
            decoder: Decoder::new(&options.wanted),
            group: Group::default(),
            named: (0, Vec::new()),
            next: None,
            counts: [0; 256],
            untyped: 0,
            log: Log::default(),
            end: None,
        }
    }

    /// Reads the next row, if that was not done; false at the end.
    fn look(&mut self) -> Result<bool, Broken> {
        while self.next.is_none() {
            let Some(row) = self.rows.next_row(&mut self.log)? else { return Ok(false) };
            if row.is_blank {
                continue;
            }
            let reader = Reader { columns: &self.columns, cells: row.cells, row: row.text };
            let kind = reader.kind();
            let mut fields = row.whole.and_then(|()| match kind {
                Some(kind) if kind == rtype::MBO || is_quote(kind) => reader.fields(kind),
                _ => Ok(Fields::default()),
            });
            if let (Ok(Fields { order: Some(order), .. }), Some(at)) =
                (&fields, self.columns.symbol)
            {
                let symbol = row.cells.cell(row.text, at);
                if let Err(why) = name(&mut self.decoder, &mut self.named, order, symbol) {
                    fields = Err(why);
                }
            }
            self.next = Some(Row { position: row.position, kind, fields });
        }
        Ok(true)
    }

    /// Takes the row that was read.
    fn take(&mut self, row: Row, unit: &mut Unit) {
        match row.kind {
            Some(kind) => self.counts[usize::from(kind)] += 1,
            None => self.untyped += 1,
        }
        if row.kind != Some(rtype::MBO) || row.fields.is_err() {
            self.group.pass();
        }
        let fields = match row.fields {
            Ok(fields) => fields,
            Err(reason) => {
                if row.kind.is_none_or(|kind| kind == rtype::MBO) {
                    // Nobody knows whose book should have changed.
                    unit.events.push(Event::new(EventKind::Lost, Event::ALL));
                }
                return self.log.skip(row.position, reason);
            }
        };
        let (Some(order), Some(kind)) = (fields.order, row.kind) else {
            if row.kind.is_none_or(|kind| TYPES.iter().all(|&(known, ..)| known != kind)) {
                self.log.skip(row.position, Skip::Type.text());
            }
            return;
        };
        unit.exchange_time = record::time(order.ts_event);
        unit.received = record::time(order.ts_recv);
        let doubts = self.decoder.doubts;
        let used = if kind == rtype::MBO {
            self.group.note(&order);
            self.decoder.order(&order, unit)
        } else {
            let count = self.columns.levels.len();
            let levels = (count > 0 && kind != rtype::MBP_0).then(|| &fields.levels[..count]);
            self.decoder.quote(kind, &Quote::of(&order, levels), unit)
        };
        if self.decoder.doubts > doubts {
            let id = unit.events.last().map_or(Event::ALL, |event| event.instrument);
            let stream = self.decoder.symbol(id).to_owned();
            let (position, first, count) = (row.position, order.sequence.into(), 0);
            self.log.gap(|| Missing { position, stream, first, count });
        }
        if let Err(skip) = used {
            self.log.skip(row.position, skip.text());
        }
    }

    /// Whether the event of the unit goes on with the next row.
    fn goes_on(&mut self, position: u64) -> bool {
        if !self.group.is_open() {
            return false;
        }
        if self.group.is_endless() {
            self.log.damage(position, "an event of the venue without an end");
            return false;
        }
        // An end, or a break, is told when the next unit is asked for.
        if self.look() != Ok(true) {
            return false;
        }
        let next = self.next.as_ref().filter(|row| row.kind == Some(rtype::MBO));
        let next = next.and_then(|row| row.fields.as_ref().ok()?.order.as_ref());
        !self.group.ends_before(next)
    }
}

/// The row's own word for what its number means.
///
/// # Errors
/// Why it cannot be kept.
fn name(
    decoder: &mut Decoder,
    named: &mut (u32, Vec<u8>),
    order: &Order,
    symbol: &[u8],
) -> Result<(), &'static str> {
    #[allow(clippy::cast_possible_truncation)]
    let number = order.key as u32;
    if symbol.is_empty() || named.0 == number && named.1 == symbol {
        return Ok(());
    }
    if symbol.len() > SYMBOL_MAX {
        return Err("symbol is longer than 128 bytes");
    }
    match decoder.symbols_mut().learn_anew(number, &String::from_utf8_lossy(symbol)) {
        Learned::Nothing | Learned::New => {}
        Learned::Other => decoder.forget(number, order.time()),
        Learned::NoRoom => return Err("no room for another number's symbol"),
    }
    named.0 = number;
    named.1.clear();
    named.1.extend_from_slice(symbol);
    Ok(())
}

/// Reads cells of one row.
struct Reader<'a> {
    columns: &'a Columns,
    cells: &'a Cells,
    row: &'a [u8],
}

impl Reader<'_> {
    fn cell(&self, column: Option<usize>) -> &[u8] {
        column.map_or(b"", |column| self.cells.cell(self.row, column))
    }

    fn kind(&self) -> Option<u8> {
        match self.columns.rtype {
            Some(_) => whole(self.cell(self.columns.rtype))?.try_into().ok(),
            None => self.columns.usual(),
        }
    }

    fn fields(&self, kind: u8) -> Result<Fields, &'static str> {
        let (at, number) = (self.columns, |column| self.number(column));
        if let Some(why) = at.lacks(kind) {
            return Err(why);
        }
        let publisher = u16::try_from(number(at.publisher)?).map_err(|_| "number out of range")?;
        let sampled =
            matches!(kind, rtype::BBO_1S | rtype::BBO_1M | rtype::CBBO_1S | rtype::CBBO_1M);
        let letter = |column| self.cell(column).first().copied().unwrap_or(b'N');
        let ts_recv = time(self.cell(at.ts_recv)).ok_or("time is none")?;
        let ts_event = time(self.cell(at.ts_event)).ok_or("time is none")?;
        let mut fields = Fields::default();
        for (level, columns) in fields.levels.iter_mut().zip(&at.levels) {
            for (shown, &(px, sz)) in level.iter_mut().zip(columns) {
                *shown = (self.price(Some(px))?, self.number(Some(sz))?);
            }
        }
        fields.order = Some(Order {
            key: record::key(publisher, number(at.instrument)?),
            ts_event: if sampled { ts_recv } else { ts_event },
            ts_recv,
            order: match self.cell(at.order) {
                b"" => 0,
                cell => whole(cell).ok_or("order id is none")?,
            },
            price: self.price(at.price)?,
            size: number(at.size)?,
            sequence: number(at.sequence)?,
            flags: u8::try_from(number(at.flags)?).map_err(|_| "number out of range")?,
            action: if sampled { b'N' } else { letter(at.action) },
            side: letter(at.side),
        });
        Ok(fields)
    }

    /// A count; an empty cell is none.
    fn number(&self, column: Option<usize>) -> Result<u32, &'static str> {
        match self.cell(column) {
            b"" => Ok(0),
            cell => {
                let number = whole(cell).and_then(|number| u32::try_from(number).ok());
                number.ok_or("number out of range")
            }
        }
    }

    fn price(&self, column: Option<usize>) -> Result<i64, &'static str> {
        match self.cell(column) {
            b"" => Ok(UNDEF_PRICE),
            cell if cell.contains(&b'.') => decimal(cell, 9).ok_or("price is none"),
            cell => integer(cell).ok_or("price is none"),
        }
    }
}

/// A time: nothing, nanoseconds, or ISO 8601.
fn time(cell: &[u8]) -> Option<u64> {
    if cell.is_empty() {
        return Some(UNDEF_TIME);
    }
    whole(cell).or_else(|| {
        let time: jiff::Timestamp = std::str::from_utf8(cell).ok()?.parse().ok()?;
        time.as_nanosecond().try_into().ok()
    })
}

impl Recording for CsvFile<'_> {
    fn describe(&self) -> Description {
        let version = self.columns.schema().to_owned();
        let books = match &*version {
            "mbo" => Books::ByOrder,
            "mbp-1" | "mbp-10" => Books::ByLevel,
            _ => Books::None,
        };
        Description { format: FORMAT, version, books, clock: Clock::Utc }
    }

    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        unit.begin(self.rows.position());
        if let Some(end) = &self.end {
            return end.clone();
        }
        self.group.begin();
        let mut rows = 0;
        loop {
            match self.look() {
                Ok(true) => {}
                end => return self.end.insert(end).clone(),
            }
            let Some(row) = self.next.take() else { continue };
            if rows == 0 {
                unit.position = row.position;
            }
            rows += 1;
            self.take(row, unit);
            if !self.goes_on(unit.position) {
                break;
            }
        }
        unit.end();
        Ok(true)
    }

    fn counts(&self) -> Counts {
        let mut by_type = record::by_type(&self.counts);
        if self.untyped > 0 {
            by_type.push(("of no type".to_owned(), self.untyped));
        }
        let messages = by_type.iter().map(|&(_, count)| count).sum();
        Counts { messages, by_type, others: Vec::new() }
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn instruments(&self) -> &Instruments {
        self.decoder.instruments()
    }
}
