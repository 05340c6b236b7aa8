//! Frames of Binance as its collectors record them: `<local time> <frame>`, a line each, from spot,
//! USD-M or COIN-M, with the snapshots that the collector asked for among them.
//!
//! A unit is a line. The levels of frames that came before their snapshot come with it.

use super::decoder::Decoder;
use super::frame::Kind;
use crate::cryptofeed::stamped;
use crate::frames::{Frames, NEVER_JOINED, Venue};
use crate::recording::{Books, Clock, Description, Instruments, Log, Opening, Recording, Unit};
use std::io;

/// Name of the format.
pub const FORMAT: &str = "Binance raw frames";

/// Tells the format by its first lines: local time, and a frame of the venue's.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    let signs = [
        b"{\"stream\":".as_slice(),
        b"{\"e\":\"",
        b"{\"u\":",
        b"{\"lastUpdateId\":",
        b"{\"data\":{\"e\":",
        b"{\"data\":{\"u\":",
    ];
    let known = |line: &[u8]| {
        let (_, json) = stamped(line)?;
        // Where another program wrote the frames again, white space may stand anywhere.
        let mut json = json.iter().filter(|byte| !byte.is_ascii_whitespace());
        let begins: Vec<u8> = json.by_ref().take(24).copied().collect();
        signs.iter().any(|sign| begins.starts_with(sign)).then_some(())
    };
    head.split(|&byte| byte == b'\n').take(64).find_map(known).map(|()| String::new())
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
        line: &[u8],
        unit: &mut Unit,
        log: &mut Log,
    ) -> Result<Option<usize>, &'static str> {
        let (received, json) = stamped(line).ok_or("no local time before the frame")?;
        unit.received = received;
        Ok(Some(self.frame(json, unit, log)? as usize))
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
