//! Coinbase's recorded frames. A unit is a line.

use super::decoder::Decoder;
use super::frame::Kind;
use crate::cryptofeed::{Recorded, has_frame, is_of, line};
use crate::frames::{Frames, NEVER_JOINED, Venue};
use crate::recording::{Books, Clock, Description, Instruments, Log, Opening, Recording, Unit};
use memchr::memmem::find;
use std::io;

/// Name of the format.
pub const FORMAT: &str = "Coinbase frames";

/// Tells the format by the host of its connections, or by its first frames.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    (is_of(head, "coinbase.com") || has_frame(head, is_frame)).then(String::new)
}

/// True of the beginning of a frame of Exchange, which has a type and a product, and of one of Advanced
/// Trade, which has a channel, a number and events.
fn is_frame(json: &[u8]) -> bool {
    let has = |sign: &str| find(json, sign.as_bytes()).is_some();
    let exchange =
        ["snapshot", "l2update", "match", "last_match", "received", "open", "done", "ticker"];
    let advanced = ["l2_data", "market_trades", "heartbeats", "ticker", "ticker_batch", "status"];
    let any =
        |key: &str, names: &[&str]| names.iter().any(|name| has(&format!("\"{key}\":\"{name}\"")));
    (any("channel", &advanced) && has("\"sequence_num\":"))
        || (any("type", &exchange) && has("\"product_id\":\"") && !has("\"channel\":"))
}

/// Opens it.
///
/// # Errors
/// None.
pub fn open(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    let seams = opening.input.seams();
    let frames = Frames::new(opening.input, Decoder::new(&opening.options.wanted));
    Ok(Box::new(frames.with_seams(seams)))
}

/// The product of `…/products/BTC-USD/book?level=3`.
fn product_of(url: &str) -> Option<&str> {
    let mut path = url.split('/').skip_while(|&part| part != "products").skip(1);
    let (product, what) = path.next().zip(path.next())?;
    what.starts_with("book?level=3").then_some(product)
}

impl Venue for Decoder {
    fn describe(&self) -> Description {
        let books = self.books.unwrap_or(Books::ByLevel);
        Description { format: FORMAT, version: String::new(), books, clock: Clock::Utc }
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
            Recorded::Answer(url, time, body) => {
                unit.received = time;
                let Some(product) = product_of(url) else { return Ok(Some(Kind::Other as usize)) };
                if let Err(reason) = self.rest_book(product, body, unit) {
                    log.skip(unit.position, reason);
                }
                return Ok(Some(Kind::RestBook as usize));
            }
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

    fn goes_on(&mut self) {
        self.in_another_file();
    }

    fn end(&self, position: u64, log: &mut Log) {
        match self.waiting() {
            0 => {}
            messages => log.skip_all(position, messages, NEVER_JOINED),
        }
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}
