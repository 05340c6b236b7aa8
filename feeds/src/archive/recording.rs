//! An event file as a recording. A block that is damaged is passed over, said with its position,
//! and followed by a `Lost` event of every instrument, since books may lack what stood in it.

use super::blocks::{Blocks, Next};
use super::entry;
use super::frame::{BLOCK, MAGIC};
use super::item::{ENTRY_MAX, Item};
use crate::recording::{
    Books, Broken, Clock, Counts, Description, Instruments, Log, Opening, Options, Recording, Unit,
};
use market::{Event, EventFlags, EventKind, InstrumentId, Qty, SideEntry};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};

/// Name of the format.
pub const FORMAT: &str = "Touchline events";
/// Most bytes of a unit: what goes on behind them is a unit of its own.
const UNIT_MAX: usize = 16 * BLOCK;

/// Tells the format by its magic number.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    head.starts_with(&MAGIC).then(String::new)
}

/// Opens it.
///
/// # Errors
/// None: what is wrong shows as it is read.
pub fn open(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    Ok(Box::new(EventFile::new(opening.input, &opening.options)))
}

/// What a file's instrument is to who reads it.
#[derive(Clone, Copy, Debug)]
struct Mapped {
    id: InstrumentId,
    /// Fractional digits of quantities, in the file and wanted.
    digits: [u32; 2],
}

/// See the module.
pub struct EventFile<R> {
    blocks: Blocks<R>,
    /// Items of the block that is being read, and how far it was.
    block: Vec<u8>,
    at: usize,
    position: u64,
    /// Bytes of the unit that is being read.
    held: usize,
    /// Instruments of this block by the file's ids; `None` is not wanted.
    mapped: HashMap<InstrumentId, Option<Mapped>>,
    /// Entries that the next unit names.
    entries: VecDeque<SideEntry>,
    instruments: Instruments,
    source: (Books, Clock, String),
    units: u64,
    by_kind: [u64; EventKind::Entry as usize + 1],
    log: Log,
    end: Option<Result<bool, Broken>>,
}

impl<R: Read> EventFile<R> {
    /// Reads the file's bytes, whose packing is off.
    pub fn new(input: R, options: &Options) -> EventFile<R> {
        let mut file = EventFile {
            blocks: Blocks::new(input),
            block: Vec::with_capacity(BLOCK),
            at: 0,
            position: 0,
            held: 0,
            mapped: HashMap::new(),
            entries: VecDeque::new(),
            instruments: Instruments::new(&options.wanted),
            source: (Books::None, Clock::Utc, String::new()),
            units: 0,
            by_kind: [0; EventKind::Entry as usize + 1],
            log: Log::default(),
            end: None,
        };
        // The first block says what the events are from, which is asked for before the first unit.
        let first = file.blocks.next(&mut file.block, &mut file.log);
        if let Ok(Next::Block(position)) = first {
            file.position = position;
            let mut items = &file.block[..];
            if let Some(Item::Source { books, clock, format }) = Item::take(&mut items) {
                file.source = (books, clock, format.to_owned());
            }
        } else {
            file.blocks.again(first);
        }
        file
    }

    /// The next unit of this block, if there is one.
    fn unit_of_block(&mut self, block: &[u8], unit: &mut Unit) -> Result<bool, &'static str> {
        loop {
            let mut items = &block[self.at..];
            if items.is_empty() {
                return Ok(false);
            }
            let before = items.len();
            let item = Item::take(&mut items).ok_or("an item that is none")?;
            self.at += before - items.len();
            self.held += before - items.len();
            match item {
                Item::Source { books, clock, format } => {
                    if self.source.2 != format {
                        format.clone_into(&mut self.source.2);
                    }
                    (self.source.0, self.source.1) = (books, clock);
                }
                Item::Instrument { id, qty_digits, symbol } => {
                    let short = symbol.len() <= Instruments::SYMBOL_MAX;
                    let well = qty_digits <= Qty::DIGITS_MAX && short;
                    if !well || id == Event::ALL {
                        return Err("an instrument that cannot be");
                    }
                    let known = self.instruments.resolve(symbol, qty_digits);
                    let mapped = known.map(|known| Mapped {
                        id: known.id,
                        digits: [qty_digits, known.qty_digits],
                    });
                    self.mapped.insert(id, mapped);
                }
                Item::Entry(bytes) if bytes.len() > ENTRY_MAX => {
                    return Err("a side entry too long");
                }
                Item::Entry(bytes) => {
                    let entry = entry::parse(bytes).ok_or("a side entry that is none")?;
                    self.entries.push_back(entry);
                }
                Item::Unit { exchange_time, received, events, more } => {
                    (unit.exchange_time, unit.received) = (exchange_time, received);
                    let (events, _) = events.as_chunks::<{ Event::BYTES }>();
                    for event in events {
                        self.event(Event::from_bytes(event), unit)?;
                    }
                    self.entries.clear();
                    if !more || self.held >= UNIT_MAX {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Adds an event as who reads it wants it.
    fn event(&mut self, event: Event, unit: &mut Unit) -> Result<(), &'static str> {
        let kind = event.kind().ok_or("an event of no kind")?;
        self.by_kind[kind as usize] += 1;
        let mapped = match event.instrument {
            Event::ALL => Mapped { id: Event::ALL, digits: [0, 0] },
            id => match self.mapped.get(&id).ok_or("an event of an instrument without a name")? {
                Some(mapped) => *mapped,
                None if kind == EventKind::Entry => {
                    self.entries.pop_front().ok_or("an entry that is not there")?;
                    return Ok(());
                }
                None => return Ok(()),
            },
        };
        // What is last is known at the end of what is wanted.
        let flags = EventFlags(event.flags.0 & !EventFlags::LAST.0);
        let event = Event { instrument: mapped.id, flags, ..event };
        if kind != EventKind::Entry {
            // What no wanted scale can hold should have changed a book.
            unit.events.push(match rescaled(event.qty, mapped.digits) {
                Some(qty) => Event { qty, ..event },
                None => Event {
                    exchange_time: event.exchange_time,
                    ..Event::new(EventKind::Lost, mapped.id)
                },
            });
            return Ok(());
        }
        let mut entry = self.entries.pop_front().ok_or("an entry that is not there")?;
        if !entry::rescale(&mut entry.said, |qty| rescaled(qty, mapped.digits), mapped.digits[1]) {
            self.log
                .skip(self.position, "side entry whose quantities the wanted scale cannot hold");
            return Ok(());
        }
        if let market::Said::Definition(definition) = &entry.said
            && let Some(symbol) = self.instruments.get(mapped.id).map(|known| known.symbol.clone())
            && let Some(known) = self.instruments.resolve(&symbol, 0)
        {
            known.definition = Some(definition.clone());
        }
        unit.entry(SideEntry { instrument: mapped.id, ..entry });
        if let Some(last) = unit.events.last_mut() {
            *last = Event { order: last.order, ..event };
        }
        Ok(())
    }

    fn begin_block(&mut self, position: u64) {
        (self.at, self.position) = (0, position);
        // Each block names its instruments, and each part of a unit its entries.
        self.mapped.clear();
        self.entries.clear();
    }
}

/// Drops what was read of a unit that has no end. Its entries were given to nobody: their slots are
/// free.
fn drop_rest(position: u64, unit: &mut Unit) {
    unit.side.clear();
    unit.begin(position);
}

/// What stands where something is missing.
fn lost(position: u64, unit: &mut Unit) {
    drop_rest(position, unit);
    unit.events.push(Event::new(EventKind::Lost, Event::ALL));
    unit.end();
}

/// A quantity in other units, if it is a whole number of them.
fn rescaled(qty: Qty, [from, to]: [u32; 2]) -> Option<Qty> {
    let step = 10i64.checked_pow(from.abs_diff(to))?;
    match from <= to {
        true => qty.raw().checked_mul(step).map(Qty::from_raw),
        false => (qty.raw() % step == 0).then(|| Qty::from_raw(qty.raw() / step)),
    }
}

impl<R: Read + Send> Recording for EventFile<R> {
    fn describe(&self) -> Description {
        let (books, clock, from) = &self.source;
        let version = if from.is_empty() { String::new() } else { format!("from {from}") };
        Description { format: FORMAT, version, books: *books, clock: *clock }
    }

    /// What the file's events are from.
    fn market(&self) -> String {
        self.source.2.clone()
    }

    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        unit.begin(self.position);
        if let Some(end) = &self.end {
            return end.clone();
        }
        self.held = 0;
        loop {
            let block = std::mem::take(&mut self.block);
            let found = self.unit_of_block(&block, unit);
            self.block = block;
            match found {
                Ok(true) => {
                    self.units += 1;
                    unit.end();
                    return Ok(true);
                }
                Ok(false) => {}
                Err(reason) => {
                    self.log.damage(self.position, format!("block: {reason}"));
                    self.at = self.block.len();
                    lost(self.position, unit);
                    return Ok(true);
                }
            }
            match self.blocks.next(&mut self.block, &mut self.log) {
                Ok(Next::Block(position)) => {
                    self.begin_block(position);
                    // A unit may go on in a further block.
                    if unit.events.is_empty() {
                        unit.begin(position);
                    }
                }
                Ok(Next::Missing(position)) => {
                    self.block.clear();
                    self.begin_block(position);
                    lost(position, unit);
                    return Ok(true);
                }
                end => {
                    if !unit.events.is_empty() {
                        self.log.damage(self.position, "a unit without its last part");
                        drop_rest(self.position, unit);
                    }
                    return self.end.insert(end.map(|_| false)).clone();
                }
            }
        }
    }

    fn counts(&self) -> Counts {
        let kinds = (0..).zip(self.by_kind).filter(|&(_, count)| count > 0);
        let name = |kind| EventKind::from_byte(kind).map(|kind| format!("{kind:?}").to_lowercase());
        let by_type = kinds.filter_map(|(kind, count)| Some((name(kind)?, count))).collect();
        let others = vec![("units", self.units), ("blocks", self.blocks.blocks())];
        Counts { messages: self.by_kind.iter().sum(), by_type, others }
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}
