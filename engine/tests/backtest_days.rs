//! Backtests over recordings that follow each other: positions go on, books and orders do not.

mod support;

use engine::config::{BacktestChanges, BacktestConfig};
use engine::modes::{backtest, replay::replay};
use engine::pipeline::market_source::Market;
use feeds::archive::Writer;
use feeds::recording::{Books, Clock, Options, Source, Unit, open_bytes};
use market::{Event, EventFlags, EventKind, Instrument, Nanos, Timestamp};
use sim::{Run, Tape};
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
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
fn what_the_recordings_lack_is_said_and_damage_is_refused_until_it_is_converted() {
    let Some(file) = support::data(ARL) else { return };
    let root = TempDir::new().unwrap();
    let (mut day, mut units) = (Vec::new(), 0);
    Source::file(&file).open().unwrap().read_to_end(&mut day).unwrap();
    let whole = backtest::run(&config(root.path(), &[&file])).unwrap();
    assert_eq!(whole.lacks, Vec::<String>::new());
    // A message of no known type behind the first.
    let odd = root.path().join("odd");
    let at = 2 + usize::from(u16::from_be_bytes([day[0], day[1]]));
    let unknown = b"\0\x0b?\0\0\0\0\0\0\0\0\0\0".as_slice();
    std::fs::write(&odd, [&day[..at], unknown, &day[at..]].concat()).unwrap();
    let done = backtest::run(&config(root.path(), &[&odd])).unwrap();
    assert_eq!(done.end.trading.counters().fills, whole.end.trading.counters().fills);
    let [lack] = &done.lacks[..] else { panic!("{:?}", done.lacks) };
    assert!(lack.contains("odd: skipped 1 × ") && lack.ends_with(&format!("byte {at}")), "{lack}");
    assert!(done.text.contains(&format!("warning       {lack}")), "{}", done.text);
    // The same day as an event file, of blocks enough to damage one.
    let events = root.path().join("arl.events");
    let mut writer = Writer::new(Vec::new()).unwrap();
    let mut recording = open_bytes(&day, Options::default()).unwrap();
    let mut unit = Unit::default();
    while recording.next_unit(&mut unit).unwrap() {
        for known in &recording.instruments().all()[writer.instruments().all().len()..] {
            writer.instruments().resolve(&known.symbol, known.qty_digits).unwrap();
        }
        writer.source("made up", Books::ByOrder, Clock::Utc);
        writer.unit(&unit, unit.exchange_time).unwrap();
        units += 1;
        if units % 1_000 == 0 {
            writer.flush().unwrap();
        }
    }
    let mut bytes = writer.finish().unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&events, &bytes).unwrap();
    let error = backtest::run(&config(root.path(), &[&events])).err().unwrap();
    let error = format!("{error:#}");
    assert!(error.contains("arl.events: at byte ") && error.contains("damaged: "), "{error}");
    assert!(error.contains("`touchline convert` makes an event file"), "{error}");
    // Converted, what is lost is in it as such.
    let mended = root.path().join("mended.events");
    let touchline = Command::new(env!("CARGO_BIN_EXE_touchline"))
        .arg("convert")
        .args([&events, &mended])
        .output()
        .unwrap();
    assert!(touchline.status.success());
    assert!(String::from_utf8_lossy(&touchline.stderr).contains("1 damaged parts"));
    let done = backtest::run(&config(root.path(), &[&mended])).unwrap();
    assert_eq!(done.lacks, Vec::<String>::new());
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
