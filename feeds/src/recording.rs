//! Recordings of any format, read forward once: what a file is, and its content as market events.
//!
//! [`Source`] names what is to be read, [`Input`] takes its packing off, [`formats`] finds out by
//! content what it is, and a [`Recording`] gives [`Unit`] after unit. One unit is what arrived
//! together: a message, a packet, a line, a record. A reader holds a bounded piece of the file,
//! whatever its size, and takes nothing that the input says for granted: what it cannot use is a
//! counted skip with position and reason, what it cannot get past is [`Broken`]. A unit that is
//! rejected changes no state.
//!
//! How to add a format stands in `docs/feeds.md`.

mod archive;
pub mod formats;
mod input;
mod instruments;
mod joined;
mod lines;
mod log;
mod marks;
mod unit;
mod window;

pub use archive::Source;
pub(crate) use archive::{CutBetween, Seams};
pub use formats::{OpenError, Opening, open, open_bytes};
pub use input::{Input, Layer};
pub use instruments::{Instruments, Known};
pub use joined::Joined;
pub use lines::{Line, LineEnd, Lines};
pub use log::{Log, Missing, Noted};
pub use unit::{Messages, Unit};
pub use window::Window;

use market::{Instrument, Timestamp};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A recording that is being read.
pub trait Recording: Send {
    /// What it is, as far as is known by now: the content of a capture shows only as it is read.
    fn describe(&self) -> Description;

    /// Which market it is of, as far as is known by now, where recordings of one format may be of
    /// several that call their instruments alike; else empty.
    fn market(&self) -> String {
        String::new()
    }

    /// Reads the next unit into `unit`, whose former content is dropped; false at the end. A unit may
    /// have no event. After `Ok(false)` or an error, it says the same again.
    ///
    /// # Errors
    /// [`Broken`] if there is no way past what stands there.
    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken>;

    /// What was read so far, by type.
    fn counts(&self) -> Counts;

    /// What was missing, skipped and damaged so far.
    fn log(&self) -> &Log;

    /// The instruments met so far.
    fn instruments(&self) -> &Instruments;
}

/// How a recording is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which instruments to give events of.
    pub wanted: Wanted,
    /// Midnight, in UTC, of the venue's day: for formats whose stamps are times of day. Without it,
    /// their times count from 1970-01-01.
    pub day: Option<Timestamp>,
    /// Books by order where messages tell both kinds (CME MDP 3.0), which are by level otherwise.
    pub by_order: bool,
    /// Keep the messages of ITCH 5.0 in the unit, for a venue that publishes them again.
    pub keep_messages: bool,
    /// Counts the bytes of the file as they are read, before unpacking: [`Source::bytes`] in the end.
    pub progress: Option<Arc<AtomicU64>>,
}

/// Which instruments to give events of.
#[derive(Clone, Debug, Default)]
pub enum Wanted {
    /// All. They get ids as they are met, from 0, and the quantity scale that the format has.
    #[default]
    All,
    /// Only these, by symbol, with their own ids and quantity scales.
    Only(Vec<Instrument>),
}

/// What a recording is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its format, such as `ITCH 5.0 BinaryFILE`.
    pub format: &'static str,
    /// Version, schema or content within the format; may be empty.
    pub version: String,
    /// Which books its events keep.
    pub books: Books,
    /// What its times are.
    pub clock: Clock,
}

/// Which books a recording's events keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Books {
    /// By order (L3).
    ByOrder,
    /// By level (L2).
    ByLevel,
    /// None: trades, quotes, statistics, or nothing that is read.
    None,
}

/// What the exchange times of a recording are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// UTC.
    Utc,
    /// Times of the venue's day, since [`Options::day`] was not given.
    TimeOfDay,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Application messages as they stand in the file, all lines, before arbitration and without
    /// heartbeats of the framing; rows; lines.
    pub messages: u64,
    /// The same by type, in the order of the specification. Types that did not come are left out.
    pub by_type: Vec<(String, u64)>,
    /// Whatever else the format counts, such as packets.
    pub others: Vec<(&'static str, u64)>,
}

/// What an error of the input at `position` makes of a recording: a packing that is cut ends it, and
/// that is noted.
pub(crate) fn ended(error: &io::Error, position: u64, log: &mut Log) -> Result<(), Broken> {
    if error.kind() != io::ErrorKind::UnexpectedEof {
        return Err(Broken { position, reason: error.to_string() });
    }
    log.cut(position, error.to_string());
    Ok(())
}

/// A recording that cannot be read on. Final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {position}: {reason}")]
pub struct Broken {
    /// Bytes of the unpacked content before it.
    pub position: u64,
    /// Why.
    pub reason: String,
}
