//! Touchline's own event file: market events of any recording, or of several, in one order of time.
//! `docs/journal.md` has its bytes.
//!
//! It has the journal's header and records, another magic, and the same bytes of an event. A record
//! is a block: up to 1 MiB of items, packed by zstd, with a CRC, readable without the blocks before
//! it. At the end stands an index by time, which a forward reader does not need. The same units
//! always give the same bytes. Nothing here merges, and nothing here knows a clock.

mod blocks;
mod entry;
mod frame;
mod item;
mod names;
pub mod recording;
mod writer;

pub use recording::EventFile;
pub use writer::Writer;
pub(crate) use writer::around;
