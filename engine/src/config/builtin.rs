//! The configurations inside the program: what a bare `touchline` runs, without any file.
//!
//! They are the files of `config/`, byte for byte.

use super::backtest::{BacktestChanges, BacktestConfig};
use super::exchange::{ExchangeChanges, ExchangeConfig};
use super::problem::ConfigErrors;
use super::run::RunConfig;
use std::collections::BTreeSet;
use std::io::{Error, ErrorKind};
use std::path::Path;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../", $name)))),+]
    };
}

/// Path in the repository, and text.
const FILES: &[(&str, &str)] = files![
    "config/demo.toml",
    "config/arl.toml",
    "config/exchange.toml",
    "config/exchange-arl.toml",
    "config/backtest.toml",
    "config/backtest-arl.toml",
    "config/instruments/demo.toml",
    "config/instruments/arl.toml",
    "config/venues/demo.toml",
];

/// A file inside the program; else one of the disk, which the command line may name.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let own = FILES.iter().find(|(name, _)| path == Path::new(name));
    match own {
        Some((_, text)) => Ok(text.as_bytes().to_vec()),
        None => super::document::from_disk(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::other("no such file"),
            _ => error,
        }),
    }
}

impl RunConfig {
    /// `config/demo.toml`, as the embedded demo runs it.
    ///
    /// # Errors
    /// None on any machine with a CPU; a test holds the file to it.
    pub fn demo(cpus: &BTreeSet<usize>) -> Result<RunConfig, ConfigErrors> {
        RunConfig::read(Path::new("config/demo.toml"), &read, Some(cpus))
    }
}

impl ExchangeConfig {
    /// `config/exchange.toml`, or `config/exchange-arl.toml` for a replay, with the changes of the
    /// command line.
    ///
    /// # Errors
    /// Changes that do not fit.
    pub fn demo(
        changes: &ExchangeChanges,
        cpus: &BTreeSet<usize>,
    ) -> Result<ExchangeConfig, ConfigErrors> {
        let path = match changes.replay {
            Some(_) => "config/exchange-arl.toml",
            None => "config/exchange.toml",
        };
        ExchangeConfig::read(Path::new(path), &read, changes, Some(cpus))
    }
}

impl BacktestConfig {
    /// `config/backtest.toml`, or `config/backtest-arl.toml` for recorded data, with the changes of
    /// the command line.
    ///
    /// # Errors
    /// Changes that do not fit.
    pub fn demo(changes: &BacktestChanges) -> Result<BacktestConfig, ConfigErrors> {
        let recorded = changes.data.as_ref().is_some_and(|data| data != Path::new("synthetic"));
        let path = if recorded { "config/backtest-arl.toml" } else { "config/backtest.toml" };
        BacktestConfig::read(Path::new(path), &read, changes)
    }
}
