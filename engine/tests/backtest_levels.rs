//! Backtests over recordings that tell levels and trades: fills, determinism, replay, days.

mod support;

use engine::config::{BacktestChanges, BacktestConfig};
use engine::modes::{backtest, replay::replay};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SPOT: [&str; 2] =
    ["binance_raw/spot/btcusdt_20240808.gz", "binance_raw/spot/btcusdt_20240809.gz"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn config(dir: &TempDir, files: &[&str], strategy: &str) -> Option<BacktestConfig> {
    let files: Option<Vec<PathBuf>> = files.iter().map(|file| support::data(file)).collect();
    let mut files = files?.into_iter();
    let changes = BacktestChanges {
        data: files.next(),
        then: files.collect(),
        strategy: Some(strategy.to_owned()),
        ..BacktestChanges::default()
    };
    let path = root().join("config/backtest-binance.toml");
    let mut config = BacktestConfig::load(&path, &changes)
        .unwrap_or_else(|errors| panic!("{}", errors.render()));
    config.journal.dir = dir.path().join("journal");
    Some(config)
}

#[test]
fn two_days_of_binance_are_traded_and_replayed() {
    let dir = TempDir::new().unwrap();
    let Some(config) = config(&dir, &SPOT, "joiner") else { return };
    let done = backtest::run(&config).unwrap_or_else(|error| panic!("{error:#}"));
    println!("{}", done.text);
    assert!(done.end.trading.counters().fills > 0, "{}", done.text);
    assert!(done.text.contains("risk-averse queue"), "{}", done.text);
    assert!(!done.text.contains("warning"), "{}", done.text);
    let outcome = replay(&done.journal).unwrap();
    assert_eq!((outcome.difference, outcome.state_hash), (None, Some(done.end.state_hash)));
    assert_eq!(backtest::run(&config).unwrap().end.run_hash, done.end.run_hash);
}
