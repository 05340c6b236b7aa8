//! A capture as a recording: frames in, units of the protocol inside out. A unit is a datagram, or what
//! an earlier one left to be given.

use super::early::Early;
use super::protocols::{PROTOCOLS, Protocol};
use super::{Carried, Datagram, Walker, transport, walker};
use crate::recording::{
    Books, Broken, Clock, Counts, Description, Instruments, Log, Opening, Options, Recording, Unit,
};
use market::Timestamp;
use std::io::{self, Read};

/// Name of the format.
pub const FORMAT: &str = "packet capture";

/// Tells the format by its magic number.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    walker::kind(head).map(str::to_owned)
}

/// Opens it.
///
/// # Errors
/// None: what is wrong shows as it is read.
pub fn open(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    let kind = walker::kind(opening.input.head()).unwrap_or_default();
    Ok(Box::new(CaptureFile::new(opening.input, kind, opening.options)))
}

/// What the datagrams carry, as far as is known.
enum Inside {
    Unknown,
    /// The first datagrams to be read are those that were kept.
    Read(Box<dyn Protocol>),
}

/// What was counted by frame.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    datagrams: u64,
    segments: u64,
}

/// See the module.
pub struct CaptureFile<R> {
    walker: Walker<R>,
    kind: &'static str,
    options: Options,
    inside: Inside,
    /// What came before it was known what it is.
    early: Early,
    tally: Tally,
    /// Instruments while no protocol has any.
    none: Instruments,
    log: Log,
    /// How it ended, once no frame is left.
    end: Option<Result<bool, Broken>>,
}

impl<R: Read> CaptureFile<R> {
    /// Reads the file's bytes, whose packing is off; `kind` names its layout.
    pub fn new(input: R, kind: &'static str, options: Options) -> CaptureFile<R> {
        CaptureFile {
            walker: Walker::new(input),
            kind,
            none: Instruments::new(&options.wanted),
            options,
            inside: Inside::Unknown,
            early: Early::default(),
            tally: Tally::default(),
            log: Log::default(),
            end: None,
        }
    }

    /// What earlier datagrams left to be given.
    fn more(&mut self, unit: &mut Unit) -> bool {
        let Inside::Read(protocol) = &mut self.inside else { return false };
        protocol.more(self.end.is_some(), unit, &mut self.log)
    }

    /// Takes the oldest datagram that was kept, if it is known by now what it is: whether it gave
    /// anything, or `None` if there is none.
    fn early(&mut self, unit: &mut Unit) -> Option<bool> {
        let Inside::Read(protocol) = &mut self.inside else { return None };
        self.early.give(|datagram| {
            // Not where the walker stood: the head of the file may lie between.
            (unit.position, unit.received) = (datagram.position, datagram.time);
            protocol.datagram(datagram, unit, &mut self.log)
        })
    }
}

impl<R: Read + Send> Recording for CaptureFile<R> {
    fn describe(&self) -> Description {
        let unread = format!("{}, no protocol that is known", self.kind);
        let (version, books, clock) = match &self.inside {
            Inside::Unknown => (unread, Books::None, Clock::Utc),
            Inside::Read(protocol) => {
                let (name, books, clock) = protocol.describe();
                (format!("{}, {name}", self.kind), books, clock)
            }
        };
        Description { format: FORMAT, version, books, clock }
    }

    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        loop {
            unit.begin(self.walker.position());
            if self.more(unit) {
                unit.end();
                return Ok(true);
            }
            unit.begin(self.walker.position());
            match self.early(unit) {
                Some(true) => {
                    unit.end();
                    return Ok(true);
                }
                Some(false) => continue,
                None => {}
            }
            if let Some(end) = &self.end {
                return end.clone();
            }
            let frame = match self.walker.next_frame(&mut self.log) {
                Ok(Some(frame)) => frame,
                // Once more: nothing that would fill a hole can come now.
                end => {
                    self.end = Some(end.map(|_| false));
                    self.early.skip_all(&mut self.log);
                    continue;
                }
            };
            let datagram = match transport(&frame) {
                Ok(Carried::Datagram(datagram)) => datagram,
                Ok(Carried::Segment(_)) => {
                    self.tally.segments += 1;
                    continue;
                }
                Err(reason) => {
                    self.log.skip(frame.position, reason);
                    continue;
                }
            };
            self.tally.datagrams += 1;
            let Inside::Read(protocol) = &mut self.inside else {
                match inside(&datagram, &self.options) {
                    Ok(Inside::Unknown) => {}
                    Ok(known) => {
                        self.inside = known;
                        self.early.only(datagram.to, &mut self.log);
                    }
                    Err(broken) => self.end = Some(Err(broken)),
                }
                self.early.keep(&datagram, &mut self.log);
                continue;
            };
            unit.received = datagram.time;
            if protocol.datagram(&datagram, unit, &mut self.log) {
                unit.end();
                return Ok(true);
            }
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = match &self.inside {
            Inside::Read(protocol) => protocol.counts(),
            _ => Counts::default(),
        };
        let Tally { datagrams, segments } = self.tally;
        let all = [("packets", self.walker.frames()), ("UDP", datagrams), ("TCP", segments)];
        let met = all.into_iter().filter(|&(name, count)| count > 0 || name == "packets");
        counts.others = met.chain(counts.others).collect();
        counts
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn instruments(&self) -> &Instruments {
        match &self.inside {
            Inside::Read(protocol) => protocol.instruments(),
            _ => &self.none,
        }
    }
}

/// What a first datagram shows the capture to hold.
fn inside(datagram: &Datagram<'_>, options: &Options) -> Result<Inside, Broken> {
    let Some(row) = PROTOCOLS.iter().find(|row| (row.recognise)(datagram.payload)) else {
        return Ok(Inside::Unknown);
    };
    let position = datagram.position;
    let broken = |error: io::Error| Broken { position, reason: error.to_string() };
    (row.make)(options).map(Inside::Read).map_err(broken)
}

/// Midnight of a venue's day, in UTC, by a time of day that was captured at `captured`: the offset of
/// every venue's zone that is read is a whole number of hours, and no message is half an hour late.
#[must_use]
pub(crate) fn midnight_of(captured: Timestamp, time_of_day: market::Nanos) -> Timestamp {
    const HOUR: u64 = 3_600_000_000_000;
    let raw = captured.nanos().saturating_sub(time_of_day.get());
    Timestamp::from_nanos(raw.saturating_add(HOUR / 2) / HOUR * HOUR)
}
