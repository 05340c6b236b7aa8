//! The configuration of a backtest: `touchline backtest`.

use super::choice::Kind;
use super::document::{self, Document, Files};
use super::instruments::{self, Listing};
use super::key::{Section, Table};
use super::load::{Changes, Config, Reading};
use super::problem::{ConfigErrors, Problem, Problems};
use super::reader::Reader;
use super::resolved::Resolved;
use super::sections::BookConfig;
use super::strategy::Choice;
use super::trading::{self, TradingConfig};
use super::venue::{BacktestJournal, BacktestSection, SyntheticConfig};
use market::Nanos;
use std::path::{Path, PathBuf};

/// Everything a backtest is started with.
#[derive(Clone, Debug, PartialEq)]
pub struct BacktestConfig {
    /// Data, clock, latencies and seed.
    pub backtest: BacktestSection,
    /// How synthetic orders are made.
    pub synthetic: SyntheticConfig,
    /// Sizes of the books.
    pub book: BookConfig,
    /// Instruments, strategies, quoter and limits.
    pub trading: TradingConfig,
    /// The journal.
    pub journal: BacktestJournal,
}

/// What the command line of `touchline backtest` changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BacktestChanges {
    /// "synthetic", or a recording.
    pub data: Option<PathBuf>,
    /// Recordings of the days behind that one.
    pub then: Vec<PathBuf>,
    /// Only this strategy of the file.
    pub strategy: Option<String>,
    /// This file of instruments instead, all of them quoted.
    pub instruments: Option<PathBuf>,
    /// This seed.
    pub seed: Option<u64>,
    /// This simulated time.
    pub duration: Option<Nanos>,
}

impl BacktestConfig {
    /// Reads and judges the file at `path`, with the changes of the command line.
    ///
    /// # Errors
    /// Everything that is wrong, rendered by [`ConfigErrors::render`].
    pub fn load(path: &Path, changes: &BacktestChanges) -> Result<BacktestConfig, ConfigErrors> {
        Self::read(path, &document::from_disk, changes)
    }

    /// The configuration that [`BacktestConfig::resolved`] wrote.
    ///
    /// # Errors
    /// Everything that is wrong: the text is damaged, or of another version.
    pub fn from_resolved(text: &str) -> Result<BacktestConfig, ConfigErrors> {
        let files = |_: &Path| Ok(text.as_bytes().to_vec());
        Self::read(Path::new("resolved configuration"), &files, &BacktestChanges::default())
    }

    pub(crate) fn read(
        path: &Path,
        files: Files<'_>,
        changes: &BacktestChanges,
    ) -> Result<BacktestConfig, ConfigErrors> {
        let changes = &Changes { backtest: changes.clone(), ..Changes::default() };
        let want = Some(Kind::Backtest);
        match (Reading { files, cpus: None, want, changes }).file(path)? {
            Config::Backtest(config) => Ok(*config),
            _ => Err(Problems::default().into_errors()),
        }
    }

    /// The whole as canonical text: every key with its value, instruments and parameters inlined.
    #[must_use]
    pub fn resolved(&self) -> String {
        let mut text = Resolved::new(Kind::Backtest);
        text.section(&self.backtest);
        text.section(&self.synthetic);
        text.section(&self.book);
        text.trading(&self.trading);
        text.section(&self.journal);
        text.finish()
    }

    /// The recordings, in order.
    pub fn recordings(&self) -> impl Iterator<Item = &Path> {
        let BacktestSection { data, then, .. } = &self.backtest;
        std::iter::once(data).chain(then).map(PathBuf::as_path)
    }

    /// True if orders are made and not recorded.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.backtest.data == Path::new("synthetic")
    }
}

/// The sections of the file.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = vec![BacktestSection::TABLE, SyntheticConfig::TABLE, BookConfig::TABLE];
    tables.extend(trading::TABLES);
    tables.push(BacktestJournal::TABLE);
    tables.extend(instruments::TABLES);
    tables
}

/// Reads every section before it gives up on any.
pub(crate) fn read(
    document: &Document<'_>,
    listing: Listing,
    changes: &BacktestChanges,
    problems: &mut Problems,
) -> Option<BacktestConfig> {
    let backtest: Option<BacktestSection> = document.section(problems);
    let backtest = backtest.map(|section| BacktestSection {
        then: if changes.data.is_some() { changes.then.clone() } else { section.then },
        data: changes.data.clone().unwrap_or(section.data),
        seed: changes.seed.unwrap_or(section.seed),
        duration_s: changes.duration.unwrap_or(section.duration_s),
        ..section
    });
    if let Some(section) = &backtest
        && section.data == Path::new("synthetic")
        && !section.then.is_empty()
    {
        let place = document.place("backtest", "then");
        let title = "[backtest] then: nothing follows on synthetic data".to_owned();
        let help = "name the recording of the first day as data";
        problems.push(Problem::new(place, title, "needs a recording before it").help(help));
    }
    let (span, table) = document.table("flow", problems);
    let mut reader = Reader::new("[flow]".to_owned(), document.source, span, table, problems);
    let synthetic: Option<SyntheticConfig> = reader.section();
    if let Some(synthetic) = &synthetic {
        super::exchange::check_synthetic(synthetic, &mut reader);
    }
    reader.finish(&[SyntheticConfig::TABLE]);
    let book = document.section(problems);
    let choice =
        Choice { only: changes.strategy.as_deref(), everywhere: changes.instruments.is_some() };
    let trading = trading::read(document, listing, choice, problems);
    let journal = document.section(problems);
    Some(BacktestConfig {
        backtest: backtest?,
        synthetic: synthetic?,
        book: book?,
        trading: trading?,
        journal: journal?,
    })
}
