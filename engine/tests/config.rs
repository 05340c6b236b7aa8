//! The committed configurations are good, the reference equals the code, and a resolved
//! configuration reads back to itself.

use engine::config::{
    self, BacktestChanges, BacktestConfig, Config, ExchangeChanges, ExchangeConfig, RunConfig,
    reference::reference,
};
use market::{Nanos, Price, Qty, Rate, Timestamp};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cpus() -> BTreeSet<usize> {
    BTreeSet::from([0, 1])
}

#[test]
fn committed_configurations_are_good() {
    let mut seen = 0;
    for folder in ["config", "config/instruments", "config/venues"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let is_toml = path.extension().is_some_and(|extension| extension == "toml");
            if !is_toml || path.ends_with("reference.toml") {
                continue;
            }
            if let Err(errors) = config::load(&path, &cpus()) {
                panic!("{errors}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 15, "only {seen} files");
}

#[test]
fn reference_equals_the_code() {
    let path = root().join("config/reference.toml");
    let text = reference();
    if std::env::var_os("TOUCHLINE_UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, committed, "run with TOUCHLINE_UPDATE=1 to write it anew");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "lines are wrapped");
}

/// The sections of the reference by kind of file, as a user would uncomment them.
fn sections() -> Vec<(String, String, String)> {
    let mut sections: Vec<(String, String, String)> = Vec::new();
    let mut kind = String::new();
    for line in reference().lines() {
        if let Some(name) = line.strip_prefix("# kind = ") {
            kind = name.trim_matches('"').to_owned();
        }
        let Some(line) = line.strip_prefix('#').filter(|line| !line.starts_with([' ', '#'])) else {
            continue;
        };
        if line.starts_with('[') {
            sections.push((kind.clone(), line.to_owned(), String::new()));
        }
        if let Some((_, _, text)) = sections.last_mut().filter(|_| !kind.is_empty()) {
            text.push_str(&format!("{line}\n"));
        }
    }
    sections
}

fn uncommented(kind: &str) -> String {
    let shared: &[&str] = match kind {
        "run" => &[],
        "venue" => &["[profile]", "[session]", "[logon]", "[orders]", "[[rate]]"],
        "exchange" => &["[[instrument]]"],
        _ => &["[book]", "[[strategy]]", "[quoter]", "[risk]", "[[instrument]]"],
    };
    let mut text = format!("kind = \"{kind}\"\n");
    for (of, header, section) in sections() {
        if of == kind || shared.contains(&header.as_str()) {
            text.push_str(&section);
        }
    }
    // Parameters are documented in words, since each strategy has its own.
    let parameters = "[strategy.parameters]\ngamma = 8\na = 1\nk = 70\nsigma = 0.013\nsize = 100\n";
    let text = text.replace("enabled = true\n", &format!("enabled = true\n{parameters}"));
    // What only one protocol needs cannot be in the reference as needed.
    let protocol = "protocol = \"itch50-moldudp64\"\n";
    let lines = "line_a = \"239.192.77.1:31001\"\ninterface = \"127.0.0.1\"\n";
    text.replace(protocol, &format!("{protocol}{lines}"))
}

#[test]
fn the_reference_uncommented_is_a_good_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reference.toml");
    for kind in ["run", "exchange", "backtest", "venue"] {
        let text = uncommented(kind);
        std::fs::write(&path, &text).unwrap();
        if let Err(errors) = config::load(&path, &cpus()) {
            panic!("{kind}: {errors}\n{text}");
        }
    }
}

#[test]
fn resolved_configurations_read_back_to_themselves() {
    for cpus in [cpus(), BTreeSet::from([0])] {
        let run = RunConfig::demo(&cpus).unwrap();
        let text = run.resolved();
        let again = RunConfig::from_resolved(&text).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(again, run);
        assert_eq!(again.resolved(), text, "the text is canonical");
        assert!(!text.contains(".toml"), "instruments are inlined:\n{text}");
    }
    let arl = load_run("config/arl.toml");
    assert_eq!(RunConfig::from_resolved(&arl.resolved()).unwrap(), arl);
    let backtest = BacktestConfig::demo(&BacktestChanges::default()).unwrap();
    let again = BacktestConfig::from_resolved(&backtest.resolved());
    assert_eq!(again.unwrap_or_else(|errors| panic!("{errors}")), backtest);
    let exchange = ExchangeConfig::demo(&ExchangeChanges::default(), &cpus()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exchange.toml");
    std::fs::write(&path, exchange.resolved()).unwrap();
    let again = ExchangeConfig::load(&path, &ExchangeChanges::default(), &cpus());
    assert_eq!(again.unwrap_or_else(|errors| panic!("{errors}")), exchange);
}

fn load_run(name: &str) -> RunConfig {
    RunConfig::load(&root().join(name), &cpus()).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn values_are_exact_and_in_the_instruments_units() {
    let run = load_run("config/demo.toml");
    let first = &run.trading.instruments[0];
    assert_eq!(first.instrument.tick, Price::from_raw(10_000_000));
    assert_eq!(first.reference_price, Some("25".parse().unwrap()));
    assert_eq!(first.instrument.fees.maker, Rate(-10_000), "a tenth of a basis point");
    assert_eq!(first.instrument.fees.taker, Rate(30_000));
    assert_eq!(run.trading.limits[0].order_qty, Qty::from_raw(500));
    assert_eq!(run.trading.limits[0].order_value.to_string(), "200000");
    assert_eq!(run.trading.limits[4].order_qty, Qty::from_raw(200), "overridden");
    assert_eq!(run.trading.limits[4].collar_bps, 300, "inherited");
    assert_eq!(run.feed.arbitration_wait_us, Nanos::from_micros(200));
    assert_eq!(run.trading.quoter.min_rest_ms, Nanos::from_millis(20));
    assert_eq!(run.journal_dir(), Path::new("touchline-data/engine/journal"));
    assert_eq!(run.control_socket(), Path::new("touchline-data/engine/touchline.sock"));
    assert_eq!(run.trading.strategies[0].parameters.get("gamma"), Ok(4.0));
    let ids: Vec<_> = run.trading.instruments.iter().map(|l| l.instrument.id.index()).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4]);
}

#[test]
fn the_session_day_counts_from_the_exchanges_midnight() {
    let feed = load_run("config/arl.toml").feed;
    let base = feed.session_day.base(feed.midnight_utc, Timestamp::ZERO);
    assert_eq!(base.to_string(), "2025-07-17T04:00:00.000000000Z");
    let today = |hours: u64| {
        let now = base.midnight().after(Nanos::from_secs(hours * 3600));
        config::SessionDay::Today.base(feed.midnight_utc, now)
    };
    assert_eq!(today(14), base);
    assert_eq!(today(27), base, "03:00 UTC is still the day before");
    assert_eq!(today(28).since(base), Nanos::DAY);
}

#[test]
fn a_resolved_text_of_another_kind_or_version_is_refused() {
    let backtest = BacktestConfig::demo(&BacktestChanges::default()).unwrap().resolved();
    let errors = RunConfig::from_resolved(&backtest).unwrap_err().to_string();
    assert!(errors.contains("this file is of kind backtest, not run"), "{errors}");
    let newer = RunConfig::demo(&cpus()).unwrap().resolved() + "\n[teleport]\nspeed = 9\n";
    assert!(RunConfig::from_resolved(&newer).unwrap_err().to_string().contains("[teleport]"));
}

#[test]
fn load_says_which_kind_it_is() {
    let kind = |name: &str| match config::load(&root().join(name), &cpus()).unwrap() {
        Config::Run(_) => "run",
        Config::Exchange(_) => "exchange",
        Config::Backtest(_) => "backtest",
        Config::Venue(_) => "venue",
        Config::Instruments(list) if list.len() == 5 => "five instruments",
        Config::Instruments(_) => "instruments",
    };
    assert_eq!(kind("config/demo.toml"), "run");
    assert_eq!(kind("config/exchange.toml"), "exchange");
    assert_eq!(kind("config/backtest.toml"), "backtest");
    assert_eq!(kind("config/instruments/demo.toml"), "five instruments");
    assert_eq!(kind("config/venues/deribit-test.toml"), "venue");
}
