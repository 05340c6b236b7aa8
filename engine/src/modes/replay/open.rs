//! A journal's folder, opened: its first start, what is traded, and where its hot tail stands.

use crate::config::{BacktestConfig, RunConfig};
use crate::journal::{self, JournalError, Reader};
use crate::pipeline::assembly;
use crate::pipeline::records::{Record, Start};
use anyhow::Context as _;
use market::Instrument;
use std::path::{Path, PathBuf};

/// Name of the trading loop's stream.
pub(in crate::modes) const TRADING: &str = "trading";
/// Name of the gateway's stream.
pub(in crate::modes) const GATEWAY: &str = "gateway";
/// Where hot segments stand unless the journal's own configuration says otherwise.
const HOT: &str = "/dev/shm";

/// A journal to be read, from its first record.
pub(in crate::modes) struct Journal {
    dir: PathBuf,
    hot: PathBuf,
    /// The first start.
    pub(in crate::modes) start: Start,
}

impl Journal {
    /// Opens the folder and reads the first record.
    pub(in crate::modes) fn open(dir: &Path) -> anyhow::Result<Journal> {
        let mut reader = Reader::open(dir, Path::new(HOT), TRADING)?;
        let record = reader.next_record()?;
        let record = record.with_context(|| format!("{} holds no record", dir.display()))?;
        let Record::Start(start) = Record::decode(record.kind, record.payload)? else {
            anyhow::bail!(
                "{} begins with record {} of kind {}, not with a start: its first segments are \
                 missing, restore them from a copy",
                dir.display(),
                record.sequence,
                record.kind
            );
        };
        let hot = RunConfig::from_resolved(&start.config).map(|config| config.journal.hot_dir);
        Ok(Journal { dir: dir.to_owned(), hot: hot.unwrap_or_else(|_| HOT.into()), start })
    }

    /// A reader of one of its streams.
    pub(in crate::modes) fn reader(&self, stream: &str) -> Result<Reader, JournalError> {
        Reader::open(&self.dir, &self.hot, stream)
    }

    /// True if the gateway's stream stands beside the trading stream.
    pub(in crate::modes) fn has_gateway(&self) -> Result<bool, JournalError> {
        journal::exists(&self.dir, GATEWAY)
    }
}

/// What a start trades; nothing if its configuration is of another version.
pub(in crate::modes) fn instruments(start: &Start) -> Vec<Instrument> {
    let run = RunConfig::from_resolved(&start.config).map(|config| config.trading);
    let backtest = || BacktestConfig::from_resolved(&start.config).map(|config| config.trading);
    run.or_else(|_| backtest()).map_or_else(|_| Vec::new(), |t| assembly::instruments(&t))
}

/// The gateway's stream of the journal in `dir`, from one of its segments on. Its trading stream
/// says where its hot tail stands; without it that is where it usually does.
pub(in crate::modes) fn gateway_stream(dir: &Path, first: u64) -> anyhow::Result<Reader> {
    let hot = Journal::open(dir).map_or_else(|_| HOT.into(), |journal| journal.hot);
    Ok(Reader::open_at(dir, &hot, GATEWAY, first)?)
}
