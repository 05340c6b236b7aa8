//! Backtests over recordings that follow each other: positions go on, books and orders do not.

mod support;

use engine::config::{BacktestChanges, BacktestConfig};
use engine::modes::{backtest, replay::replay};
use engine::pipeline::market_source::Market;
use market::{Event, EventFlags, EventKind, Instrument, Nanos, Timestamp};
use sim::{Run, Tape};
use std::path::Path;
use tempfile::TempDir;

const ARL: &str = "derived/ARL_20250717.derived.itch50.gz";
const DAY: Nanos = Nanos::from_secs(86_400);

fn config(root: &Path, data: &[&Path]) -> BacktestConfig {
    let mut files = data.iter().map(|file| file.to_path_buf());
    let changes =
        BacktestChanges { data: files.next(), then: files.collect(), ..BacktestChanges::default() };
    let mut config = BacktestConfig::demo(&changes).unwrap();
    config.journal.dir = root.join("journal");
    config
}

fn instruments(root: &Path, file: &Path) -> Vec<Instrument> {
    let listed = &config(root, &[file]).trading.instruments;
    listed.iter().map(|listed| listed.instrument.clone()).collect()
}

/// Everything that these files publish, and what ended them early.
fn published(root: &Path, files: &[&Path]) -> (Vec<Event>, Option<String>) {
    let instruments = instruments(root, files[0]);
    let files = files.iter().copied();
    let market = Market::recorded_days(instruments, files, Timestamp::ZERO, None, Run::default());
    let (mut market, mut out) = (market.unwrap(), Tape::default());
    while market.next_time().is_some() {
        market.step(&mut out);
    }
    assert!(out.reports.is_empty(), "nobody has orders");
    (out.events, market.error().map(ToString::to_string))
}

#[test]
fn the_second_day_is_the_first_a_day_later_on_empty_books() {
    let Some(file) = support::data(ARL) else { return };
    let root = TempDir::new().unwrap();
    let (one, error) = published(root.path(), &[&file]);
    assert_eq!(error, None);
    let (two, error) = published(root.path(), &[&file, &file]);
    assert_eq!(error, None);
    assert_eq!(two.len(), 2 * one.len() + 1);
    assert_eq!(two[..one.len()], one);
    let night = &two[one.len()];
    assert_eq!((night.kind(), night.instrument), (Some(EventKind::Reset), Event::ALL));
    assert!(night.flags.has(EventFlags::LAST));
    assert_eq!(night.exchange_time, one.last().unwrap().exchange_time);
    for (later, event) in two[one.len() + 1..].iter().zip(&one) {
        let exchange_time = event.exchange_time.after(DAY);
        assert_eq!(*later, Event { exchange_time, ..*event });
    }
}

#[test]
fn positions_go_on_and_the_run_replays() {
    let Some(file) = support::data(ARL) else { return };
    let root = TempDir::new().unwrap();
    let run = |files: &[&Path]| backtest::run(&config(root.path(), files)).unwrap();
    let (one, two) = (run(&[&file]), run(&[&file, &file]));
    let fills = |done: &backtest::Done| done.end.trading.counters().fills;
    assert!(fills(&one) > 0 && fills(&two) > fills(&one), "{}", two.text);
    assert_eq!(two.end.trading.account().orders().open_count(), 0);
    assert!(two.end.now.since(one.end.now) >= DAY);
    // Both files are named, in the summary and in the journal.
    let name = file.display().to_string();
    let text = two.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&format!("data {name}, {name} (")), "{text}");
    let outcome = replay(&two.journal).unwrap();
    assert_eq!((outcome.difference, outcome.state_hash), (None, Some(two.end.state_hash)));
    assert_ne!(two.end.run_hash, one.end.run_hash);
}

#[test]
fn a_day_that_begins_before_the_last_ended_is_an_error() {
    let Some(file) = support::data("databento_csv/mbo.csv") else { return };
    let root = TempDir::new().unwrap();
    let done = backtest::run(&config(root.path(), &[&file, &file]));
    let error = format!("{:#}", done.err().expect("refused"));
    assert!(error.contains("it begins at 2025-07-17T"), "{error}");
    assert!(error.contains("before the one before it ended, at 2025-07-17T"), "{error}");
}

#[test]
fn a_wrong_file_shows_before_the_first_day_is_run() {
    let Some(file) = support::data(ARL) else { return };
    let root = TempDir::new().unwrap();
    let missing = root.path().join("tuesday.gz");
    let error = backtest::run(&config(root.path(), &[&file, &missing])).err().unwrap();
    assert!(format!("{error:#}").contains("tuesday.gz"), "{error:#}");
    std::fs::write(&missing, b"a note").unwrap();
    let error = backtest::run(&config(root.path(), &[&file, &missing])).err().unwrap();
    assert!(format!("{error:#}").contains("not recognised"), "{error:#}");
    // A first day that is cut is no day to go on from.
    let cut = root.path().join("monday");
    std::fs::write(&cut, b"\0\x0cS\0\0\0\0\0\0\0\0\0\x01O\0\x0cS").unwrap();
    let error = backtest::run(&config(root.path(), &[&cut, &file])).err().unwrap();
    assert!(format!("{error:#}").contains("monday: at byte 14: message 2"), "{error:#}");
}
