//! Kraken's frames as cryptofeed recorded them. A unit is a line.

use super::decoder::Decoder;
use super::frame::Kind;
use crate::cryptofeed::{Recorded, is_of, line};
use crate::frames::{Frames, Venue};
use crate::recording::{Books, Clock, Description, Instruments, Log, Opening, Recording, Unit};
use std::io;

/// Name of the format.
pub const FORMAT: &str = "Kraken frames by cryptofeed";

/// Tells the format by the host of its connections.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    is_of(head, "kraken.com").then(String::new)
}

/// Opens it.
///
/// # Errors
/// None.
pub fn open(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    Ok(Box::new(Frames::new(opening.input, Decoder::new(&opening.options.wanted))))
}

impl Venue for Decoder {
    fn describe(&self) -> Description {
        let version = String::new();
        Description { format: FORMAT, version, books: Books::ByLevel, clock: Clock::Utc }
    }

    fn kinds(&self) -> &'static [&'static str] {
        Kind::NAMES
    }

    fn line(
        &mut self,
        text: &[u8],
        unit: &mut Unit,
        log: &mut Log,
    ) -> Result<Option<usize>, &'static str> {
        let json = match line(text).ok_or("no line of the recorder")? {
            Recorded::Connected(time) => {
                unit.received = time;
                self.connected(unit);
                return Ok(None);
            }
            Recorded::Sent => return Ok(None),
            Recorded::Answer(..) => return Ok(Some(Kind::Other as usize)),
            Recorded::Frame(time, json) => {
                unit.received = time;
                json
            }
        };
        Ok(Some(self.frame(json, unit, log)? as usize))
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        let counts = [("checksums", self.well), ("asks too high", self.beyond)];
        counts.into_iter().filter(|&(_, count)| count > 0).collect()
    }

    fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}
