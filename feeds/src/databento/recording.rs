//! A DBN file, or a fragment of one, as a recording. Records of orders that are one event of the
//! venue are one unit; every other record is a unit of its own.

use super::decode::{Decoder, Skip};
use super::group::Group;
use super::metadata::{self, Before};
use super::record::{self, HEADER_BYTES, Header, Order, is_quote, rtype, u32_at, u64_at};
use super::side;
use super::symbols::Learned;
use crate::recording::{
    Books, Broken, Clock, Counts, Description, Input, Instruments, Log, Missing, Opening, Options,
    Recording, Unit, Window,
};
use market::{Event, EventKind, Said};
use std::io;

/// Name of the format.
pub const FORMAT: &str = "DBN";

/// Tells the format.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    metadata::recognise(head)
}

/// Opens it.
///
/// # Errors
/// Its version is not read, or its metadata is broken.
pub fn open(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    Ok(Box::new(DbnFile::new(opening.input, &opening.options)?))
}

/// See the module.
struct DbnFile<'a> {
    window: Window<Input<'a>>,
    decoder: Decoder,
    group: Group,
    about: Description,
    dataset: String,
    /// Versions, 0 for the first, that records of this file may be of.
    version: Option<usize>,
    counts: [u64; 256],
    log: Log,
    /// How it ended.
    end: Option<Result<bool, Broken>>,
}

impl<'a> DbnFile<'a> {
    fn new(input: Input<'a>, options: &Options) -> io::Result<DbnFile<'a>> {
        let version = recognise(input.head()).unwrap_or_default();
        let mut window = Window::new(input);
        let (mut decoder, mut log) = (Decoder::new(&options.wanted), Log::default());
        let (format, books, clock) = (FORMAT, Books::None, Clock::Utc);
        let mut about = Description { format, version, books, clock };
        let mut dataset = String::new();
        let version = match metadata::take(&mut window)? {
            Before::Nothing => None,
            Before::TooLong(version) => {
                log.damage(0, "metadata is too long to be held: symbols are numbers");
                Some(usize::from(version - 1))
            }
            Before::Metadata(metadata) => {
                if !decoder.symbols_mut().read(&metadata) {
                    log.damage(
                        0,
                        "some mappings of symbols cannot be understood, and are left out",
                    );
                }
                if metadata::begins_a_day(&metadata) {
                    decoder.begins_whole();
                }
                if let Some(schema) = metadata.schema {
                    about.books = books_of(schema);
                    about.version += &format!(", {schema}");
                }
                if !metadata.dataset.is_empty() {
                    dataset = metadata.dataset.escape_debug().to_string();
                    about.version += &format!(" of {dataset}");
                }
                Some(usize::from(metadata.version.saturating_sub(1)))
            }
        };
        let (group, counts, end) = (Group::default(), [0; 256], None);
        Ok(DbnFile { window, decoder, group, about, dataset, version, counts, log, end })
    }

    /// The header of the next record, if the record is whole.
    fn peek(&mut self) -> Result<Option<Header>, Result<bool, Broken>> {
        let position = self.window.position();
        let broken = |reason: String| Err(Broken { position, reason });
        let there = self.window.have(HEADER_BYTES).map_err(|error| broken(error.to_string()))?;
        let Some(bytes) = self.window.bytes().first_chunk() else {
            if there > 0 {
                self.log.cut(position, format!("{there} bytes of a record's header"));
            }
            return Ok(None);
        };
        let header = Header::read(bytes);
        if header.length < HEADER_BYTES {
            let length = header.length;
            return Err(broken(format!("a record of {length} bytes, less than its header has")));
        }
        let there = self.window.have(header.length).map_err(|error| broken(error.to_string()))?;
        if there < header.length {
            self.log.cut(position, format!("{there} of {} bytes of a record", header.length));
            return Ok(None);
        }
        Ok(Some(header))
    }

    /// Whether the event of the unit goes on with the next record.
    fn goes_on(&mut self, position: u64) -> bool {
        if !self.group.is_open() {
            return false;
        }
        if self.group.is_endless() {
            self.log.damage(position, "an event of the venue without an end");
            return false;
        }
        // An end or a break is told when the next unit is asked for.
        let whole = self.window.have(HEADER_BYTES).is_ok_and(|there| there >= HEADER_BYTES);
        let length = self.window.bytes().first().map_or(0, |&words| usize::from(words) * 4);
        if !whole || length < HEADER_BYTES || !self.window.have(length).is_ok_and(|n| n >= length) {
            return false;
        }
        let next = self.window.bytes().first_chunk().filter(|bytes| bytes[1] == rtype::MBO);
        !self.group.ends_before(next.map(Order::read).as_ref())
    }

    /// Takes one record, which is there.
    fn record(&mut self, header: &Header, unit: &mut Unit) {
        let position = self.window.position();
        let bytes = self.window.take(header.length);
        self.counts[usize::from(header.rtype)] += 1;
        let versions = header.versions();
        let version = versions.clone().and_then(|mut versions| match self.version {
            Some(version) => versions.contains(&version).then_some(version),
            None => versions.next(),
        });
        if header.rtype != rtype::MBO {
            self.group.pass();
        }
        let doubts = self.decoder.doubts;
        let used = match version {
            None if versions.is_none() => Err(Skip::Type),
            None => Err(Skip::Length),
            Some(_) if header.rtype == rtype::MBO || is_quote(header.rtype) => {
                // All records by price have these two at the same places.
                let (mut received, mut sequence) = (u64_at(bytes, 32), u32_at(bytes, 44));
                if let Some(order) = bytes.first_chunk().filter(|_| header.rtype == rtype::MBO) {
                    let order = Order::read(order);
                    self.group.note(&order);
                    (received, sequence) = (order.ts_recv, order.sequence);
                }
                unit.received = record::time(received);
                let used = self.decoder.record(bytes, unit);
                if self.decoder.doubts > doubts {
                    let id = unit.events.last().map_or(Event::ALL, |event| event.instrument);
                    let stream = self.decoder.symbol(id).to_owned();
                    let (first, count) = (sequence.into(), 0);
                    self.log.gap(|| Missing { position, stream, first, count });
                }
                used
            }
            Some(version) => {
                said(&mut self.decoder, &mut self.log, bytes, header, version, unit);
                Ok(())
            }
        };
        unit.exchange_time = record::time(header.ts_event);
        if let Err(skip) = used {
            self.log.skip(position, skip.text());
            if skip == Skip::Length && self.decoder.leads() == Some(header.rtype) {
                self.decoder.lost(header.key, header.ts_event, unit);
            }
        }
    }
}

/// A record that is no event: what it says goes into the unit.
fn said(
    decoder: &mut Decoder,
    log: &mut Log,
    bytes: &[u8],
    header: &Header,
    version: usize,
    unit: &mut Unit,
) {
    let time = side::received(bytes, header);
    unit.received = record::time(time);
    match side::learn(bytes, header, version, decoder.symbols_mut()) {
        Learned::Nothing | Learned::New => {}
        Learned::Other => decoder.forget(u32_at(bytes, 4), time),
        Learned::NoRoom => log.skip(unit.position, "no room for another mapping of a symbol"),
    }
    if !matches!(
        header.rtype,
        rtype::STATUS | rtype::DEFINITION | rtype::IMBALANCE | rtype::STATISTICS
    ) {
        return;
    }
    let Some(id) = decoder.instrument(header.key, time) else { return };
    let Some(known) = decoder.instruments().get(id) else { return };
    let Some((entry, status)) = side::entry(bytes, header, version, known) else { return };
    if let Some(status) = status {
        let event = Event::new(EventKind::Status, id);
        let (exchange_time, aux) = (entry.exchange_time, status as u32);
        unit.events.push(Event { exchange_time, aux, ..event });
    }
    if let Said::Definition(definition) = &entry.said {
        let symbol = known.symbol.clone();
        if let Some(known) = decoder.instruments_mut().resolve(&symbol, 0) {
            known.definition = Some(definition.clone());
        }
    }
    unit.entry(entry);
}

impl Recording for DbnFile<'_> {
    fn describe(&self) -> Description {
        let mut about = self.about.clone();
        if about.books == Books::None {
            about.books = match self.decoder.leads() {
                Some(rtype::MBO) => Books::ByOrder,
                Some(rtype::MBP_0) | None => Books::None,
                Some(_) => Books::ByLevel,
            };
        }
        about
    }

    fn market(&self) -> String {
        self.dataset.clone()
    }

    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        unit.begin(self.window.position());
        if let Some(end) = &self.end {
            return end.clone();
        }
        self.group.begin();
        loop {
            let header = match self.peek() {
                Ok(Some(header)) => header,
                Ok(None) => return self.end.insert(Ok(false)).clone(),
                Err(end) => return self.end.insert(end).clone(),
            };
            self.record(&header, unit);
            if !self.goes_on(unit.position) {
                break;
            }
        }
        unit.end();
        Ok(true)
    }

    fn counts(&self) -> Counts {
        let messages = self.counts.iter().sum();
        Counts { messages, by_type: record::by_type(&self.counts), others: Vec::new() }
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn instruments(&self) -> &Instruments {
        self.decoder.instruments()
    }
}

/// Which books a schema keeps.
fn books_of(schema: dbn::Schema) -> Books {
    use dbn::Schema as S;
    match schema {
        S::Mbo => Books::ByOrder,
        S::Mbp1 | S::Mbp10 | S::Tbbo | S::Cmbp1 | S::Cbbo1S | S::Cbbo1M => Books::ByLevel,
        S::Tcbbo | S::Bbo1S | S::Bbo1M => Books::ByLevel,
        _ => Books::None,
    }
}
