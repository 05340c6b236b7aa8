//! Kraken's recorded frames of either version of its API. A unit is a line.

use super::decoder::Decoder;
use super::frame::Kind;
use crate::cryptofeed::{Recorded, has_frame, is_of, line};
use crate::frames::{Frames, Venue};
use crate::recording::{Books, Clock, Description, Instruments, Log, Opening, Recording, Unit};
use memchr::memmem::find;
use std::io;

/// Name of the format.
pub const FORMAT: &str = "Kraken frames";

/// Tells the format by the host of its connections, or by its first frames.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    (is_of(head, "kraken.com") || has_frame(head, is_frame)).then(String::new)
}

/// True of the beginning of a frame with a channel, a type and data, and of the venue's answers.
fn is_frame(json: &[u8]) -> bool {
    let has = |sign: &str| find(json, sign.as_bytes()).is_some();
    let channels = ["book", "level3", "trade", "ticker", "ohlc", "instrument", "status"];
    let channel = channels.iter().any(|name| has(&format!("\"channel\":\"{name}\"")));
    let typed = has("\"type\":\"snapshot\"") || has("\"type\":\"update\"");
    let array = json.starts_with(b"[") && (has("{\"as\":[[\"") || has("{\"bs\":[[\""));
    let answer = has("\"event\":\"systemStatus\"") || has("\"event\":\"subscriptionStatus\"");
    (channel && typed && has("\"data\":")) || array || answer
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
        let books = self.books.unwrap_or(Books::ByLevel);
        let version = self.version.to_owned();
        Description { format: FORMAT, version, books, clock: Clock::Utc }
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
        let Some(recorded) = line(text) else {
            self.any_damaged(unit);
            return Err("no line of a recorder");
        };
        let json = match recorded {
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

    fn damaged(&mut self, unit: &mut Unit) {
        self.any_damaged(unit);
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        let counts = [("checksums", self.well), ("asks too high", self.beyond)];
        counts.into_iter().filter(|&(_, count)| count > 0).collect()
    }

    fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}
