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
        .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    config.journal.dir = dir.path().join("journal");
    Some(config)
}

#[test]
fn two_days_of_binance_are_traded_and_replayed() {
    let dir = TempDir::new().unwrap();
    let Some(config) = config(&dir, &SPOT, "joiner") else { return };
    let done = backtest::run(&config).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(done.end.trading.counters().fills > 0, "{}", done.text);
    assert!(done.text.contains("risk-averse queue"), "{}", done.text);
    assert!(!done.text.contains("warning"), "{}", done.text);
    let outcome = replay(&done.journal).unwrap();
    assert_eq!((outcome.difference, outcome.state_hash), (None, Some(done.end.state_hash)));
    assert_eq!(backtest::run(&config).unwrap().end.run_hash, done.end.run_hash);
}

/// Its first frames have no time of the venue: the run begins with the first that has one, and no
/// timer fires from 1970 on.
#[test]
fn a_recording_whose_first_frames_have_no_time_begins_with_the_first_that_has() {
    let files = ["cryptofeed_ws/KRAKEN.ws.50.0.gz", "cryptofeed_ws/COINBASE.ws.28.0.gz"];
    for (file, first) in files.into_iter().zip(["2021-04-17T16:48:5", "2021-04-17T16:43:3"]) {
        let Some(path) = support::data(file) else { return };
        let dir = TempDir::new().unwrap();
        let Some(mut config) = config(&dir, &SPOT[..1], "joiner") else { return };
        config.backtest.data = path;
        let listed = &mut config.trading.instruments[0].instrument;
        listed.symbol = if file.contains("KRAKEN") { "XMR/USD" } else { "BAND-BTC" }.to_owned();
        let done = backtest::run(&config).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(done.text.contains(&format!("from {first}")), "{}", done.text);
    }
}

#[test]
fn a_recording_without_trades_is_run_with_a_warning_and_one_without_books_refused() {
    let Some(book) = support::data("tardis/binance-futures_book_snapshot_25_BTCUSDT.csv") else {
        return;
    };
    let Some(trades) = support::data("tardis/trades.csv.gz") else { return };
    let dir = TempDir::new().unwrap();
    let Some(mut config) = config(&dir, &SPOT[..1], "joiner") else { return };
    config.backtest.data = book;
    let done = backtest::run(&config).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(done.text.contains("the data tells no trades"), "{}", done.text);
    config.backtest.data = trades;
    let error = format!("{:#}", backtest::run(&config).err().expect("refused"));
    assert!(error.contains("keeps no book") && error.contains("touchline convert"), "{error}");
}
