//! Units in, an event file out. Holds one block and 32 bytes of index a block.

use super::entry;
use super::frame::{BLOCK, HEADER, ROWS, Row, header, kind, seal};
use super::item::{self, ENTRY_MAX};
use crate::recording::{Books, Clock, Instruments, Unit, Wanted};
use market::{Event, EventKind, InstrumentId, Timestamp};
use std::io::{self, Write};

/// zstd's own default: what is packed better takes several times as long.
const LEVEL: i32 = 3;

/// See the module.
pub struct Writer<W> {
    out: W,
    packer: zstd::bulk::Compressor<'static>,
    /// Bytes and records written.
    written: u64,
    records: u64,
    /// The block that is being filled, its first and last time, and its units.
    block: Vec<u8>,
    times: Option<[Timestamp; 2]>,
    units: u32,
    /// Its instruments stand in it: of each, the record it was last written in.
    instruments: Instruments,
    stands_in: Vec<u64>,
    source: (Books, Clock, String),
    /// The block says so too.
    source_stands: bool,
    rows: Vec<Row>,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// `out` refuses.
    pub fn new(mut out: W) -> io::Result<Writer<W>> {
        out.write_all(&header())?;
        Ok(Writer {
            out,
            packer: zstd::bulk::Compressor::new(LEVEL)?,
            written: HEADER as u64,
            records: 0,
            block: Vec::new(),
            times: None,
            units: 0,
            instruments: Instruments::new(&Wanted::All),
            stands_in: Vec::new(),
            source: (Books::None, Clock::Utc, String::new()),
            source_stands: false,
            rows: Vec::new(),
        })
    }

    /// Says what the units to come are from: format or feed and, where these have several that call
    /// their instruments alike, the market.
    pub fn source(&mut self, from: &str, books: Books, clock: Clock) {
        let (old_books, old_clock, old) = &self.source;
        if (*old_books, *old_clock, old.as_str()) != (books, clock, from) {
            self.source = (books, clock, from.to_owned());
            self.source_stands = false;
        }
    }

    /// The instruments of the file: `resolve` gives the ids that units must bear.
    pub fn instruments(&mut self) -> &mut Instruments {
        &mut self.instruments
    }

    /// Bytes written so far, without those of the block that is being filled.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds a unit, whose place in the order of the file is that of `time`. One without events
    /// and times leaves nothing.
    ///
    /// # Errors
    /// `out` refuses, the unit names an instrument that is not the file's, or a side entry is longer
    /// than 64 KiB.
    pub fn unit(&mut self, unit: &Unit, time: Timestamp) -> io::Result<()> {
        // The time alone is worth keeping: a backtest's clock goes by it.
        if unit.says_nothing() {
            return Ok(());
        }
        self.part(unit, &unit.events, false, time)
    }

    /// Adds some events of a unit: into this block, else into the next, else as two parts.
    fn part(
        &mut self,
        unit: &Unit,
        events: &[Event],
        more: bool,
        time: Timestamp,
    ) -> io::Result<()> {
        for fresh in [false, true] {
            if fresh {
                self.end_block()?;
            }
            let before = self.block.len();
            if before == 0 || !self.source_stands {
                let (books, clock, format) = &self.source;
                item::put_source(*books, *clock, format, &mut self.block);
            }
            self.put_part(unit, events, more)?;
            if self.block.len() <= BLOCK {
                self.source_stands = true;
                let [first, last] = self.times.unwrap_or([time; 2]);
                self.times = Some([first.min(time), last.max(time)]);
                self.units += 1;
                return Ok(());
            }
            self.block.truncate(before);
            // Instruments that were put just now are gone: they are put again.
            self.stands_in.fill(0);
        }
        let (left, right) = events.split_at(events.len() / 2);
        self.part(unit, left, true, time)?;
        self.part(unit, right, more, time)
    }

    /// Appends some events of a unit with what they name.
    fn put_part(&mut self, unit: &Unit, events: &[Event], more: bool) -> io::Result<()> {
        let mut last = None;
        for event in events {
            if last != Some(event.instrument) {
                self.put_instrument(event.instrument)?;
                last = Some(event.instrument);
            }
            if event.kind() == Some(EventKind::Entry) {
                let named = unit.side_entry(event.order);
                let Some(named) = named else { return refused("an entry that is not there") };
                let before = self.block.len();
                item::put_entry(&mut self.block, |out| entry::put(named, out));
                if self.block.len() - before > ENTRY_MAX {
                    return refused("a side entry is longer than an event file allows");
                }
            }
        }
        item::put_unit([unit.exchange_time, unit.received], events, more, &mut self.block);
        Ok(())
    }

    /// Names an instrument once in a block.
    fn put_instrument(&mut self, id: InstrumentId) -> io::Result<()> {
        if id == Event::ALL {
            return Ok(());
        }
        let here = self.records + 1;
        if self.stands_in.get(id.index()) == Some(&here) {
            return Ok(());
        }
        let Some(known) = self.instruments.get(id) else {
            return refused("an event of an instrument that the file does not have");
        };
        item::put_instrument(id, known.qty_digits, &known.symbol, &mut self.block);
        let length = self.instruments.all().len();
        self.stands_in.resize(length, 0);
        self.stands_in[id.index()] = here;
        Ok(())
    }

    /// Writes what is held as a block of its own, so that it can be read whatever becomes of the
    /// rest. What is added often packs better when this is done rarely.
    ///
    /// # Errors
    /// `out` refuses.
    pub fn flush(&mut self) -> io::Result<()> {
        self.end_block()?;
        self.out.flush()
    }

    /// Writes the block, if there is a unit in it.
    fn end_block(&mut self) -> io::Result<()> {
        let Some(times) = self.times.take() else { return Ok(()) };
        let packed = self.packer.compress(&self.block)?;
        let row = Row { offset: self.written, times, units: std::mem::take(&mut self.units) };
        let head = row.block_head(self.block.len());
        self.rows.push(row);
        self.block.clear();
        self.record(kind::BLOCK, &[&head, &packed])
    }

    fn record(&mut self, kind: u16, payload: &[&[u8]]) -> io::Result<()> {
        self.records += 1;
        let mut bytes = Vec::new();
        seal(kind, self.records, payload, &mut bytes);
        self.out.write_all(&bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Writes what is left, the index and the end; gives `out` back.
    ///
    /// # Errors
    /// `out` refuses.
    pub fn finish(mut self) -> io::Result<W> {
        self.end_block()?;
        let index = self.written;
        for rows in std::mem::take(&mut self.rows).chunks(ROWS) {
            let bytes: Vec<u8> = rows.iter().flat_map(|row| row.bytes()).collect();
            self.record(kind::INDEX, &[&bytes])?;
        }
        self.record(kind::END, &[&index.to_le_bytes()])?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// An event file whose only block has these bytes for items, and right checks: for fuzzing.
pub(crate) fn around(items: &[u8]) -> Vec<u8> {
    let row = Row { offset: HEADER as u64, times: [Timestamp::ZERO; 2], units: 1 };
    let packed = zstd::bulk::compress(items, LEVEL).unwrap_or_default();
    let mut file = header().to_vec();
    seal(kind::BLOCK, 1, &[&row.block_head(items.len()), &packed], &mut file);
    file
}

fn refused<T>(why: &str) -> io::Result<T> {
    Err(io::Error::other(why))
}
