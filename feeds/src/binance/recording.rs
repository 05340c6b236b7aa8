//! Binance's recorded frames, of spot, USD-M or COIN-M, with the snapshots that the recorder asked for
//! among them.
//!
//! A unit is a line. The levels of frames that came before their snapshot come with it.

use super::decoder::Decoder;
use super::frame::Kind;
use crate::cryptofeed::{Recorded, has_frame, is_of, line};
use crate::frames::{Frames, NEVER_JOINED, Venue};
use crate::recording::{Books, Clock, Description, Instruments, Log, Opening, Recording, Unit};
use memchr::memmem::find;
use std::io;

/// Name of the format.
pub const FORMAT: &str = "Binance raw frames";

/// Tells the format by the host of its connections, or by its first frames.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    (is_of(head, "binance.com") || has_frame(head, is_frame)).then(String::new)
}

/// True of the beginning of a frame: how it begins, and what else it has then.
fn is_frame(json: &[u8]) -> bool {
    let signs = [
        ("{\"stream\":\"", "\"data\":"),
        ("{\"e\":\"", "\"E\":"),
        ("{\"u\":", "\"s\":\""),
        ("{\"lastUpdateId\":", "\"bids\":"),
        ("{\"data\":{\"e\":", "\"E\":"),
        ("{\"data\":{\"u\":", "\"s\":\""),
    ];
    signs.iter().any(|(begin, sign)| {
        json.starts_with(begin.as_bytes()) && find(json, sign.as_bytes()).is_some()
    })
}

/// The symbol of `…/depth?symbol=BTCUSDT&limit=1000`.
fn symbol_of(url: &str) -> Option<&str> {
    let (path, query) = url.split_once('?')?;
    let asked = query.split('&').find_map(|part| part.strip_prefix("symbol="));
    asked.filter(|_| path.ends_with("/depth"))
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
        let version = self.market.to_owned();
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
        let kind = match line(text).ok_or("no line of a recorder")? {
            // What a connection missed shows by the numbers of its frames.
            Recorded::Connected(_) | Recorded::Sent => return Ok(None),
            Recorded::Answer(url, time, body) => {
                unit.received = time;
                let Some(symbol) = symbol_of(url) else { return Ok(Some(Kind::Response as usize)) };
                self.answer(symbol, body, unit, log)
            }
            Recorded::Frame(time, json) => {
                unit.received = time;
                self.frame(json, unit, log)?
            }
        };
        Ok(Some(kind as usize))
    }

    fn market(&self) -> &'static str {
        self.market
    }

    fn end(&self, position: u64, log: &mut Log) {
        match self.waiting() {
            0 => {}
            frames => log.skip_all(position, frames, NEVER_JOINED),
        }
        self.never_told(log);
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        let counts = [
            ("frames held", self.frames_held),
            ("frames known", self.frames_old),
            ("snapshots held", self.snapshots_kept),
        ];
        counts.into_iter().filter(|&(_, count)| count > 0).collect()
    }

    fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}
