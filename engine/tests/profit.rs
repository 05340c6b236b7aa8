//! Who earns in the synthetic market: over 100 seeds, with fees, the naive joiner loses and
//! Guéant–Lehalle–Fernandez-Tapia earns, each by three standard errors, in every committed market.
//! `TOUCHLINE_LONG=1` runs each seed for an hour instead of a minute.

use engine::config::{BacktestChanges, BacktestConfig};
use engine::modes::backtest;
use engine::pipeline::records::Start;
use engine::pipeline::tape::NoTape;
use engine::trading::OpeningState;
use market::Nanos;
use std::path::Path;

const SEEDS: std::ops::Range<u64> = 101..201;

/// What a user would calibrate for GLFT in each market, from other seeds (1 to 20): σ is that of the
/// mid, and A exp(−k δ) is the line through the logarithm of the fills per second and side that
/// quotes 2 to 12 ticks from the mid got.
///
/// | fills per second and side at | 2 ticks | 3 | 5 | 8 | 12.5 | A | k per unit of price |
/// |---|---|---|---|---|---|---|---|
/// | calm | 0.155 | 0.072 | 0.026 | 0.013 | 0.0064 | 0.28 | 30 |
/// | default | 0.161 | 0.076 | 0.033 | 0.017 | 0.0088 | 0.28 | 28 |
/// | volatile | 0.571 | 0.279 | 0.106 | 0.047 | 0.024 | 1.0 | 30 |
const MARKETS: [(&str, f64, f64, f64); 3] =
    [("calm", 0.28, 30.0, 0.012), ("default", 0.28, 28.0, 0.0146), ("volatile", 1.0, 30.0, 0.029)];

fn config(market: &str, strategy: &str, parameters: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let instruments = root.join("config/instruments/demo.toml");
    format!(
        r#"
kind = "backtest"
instruments = ["{}"]

[backtest]
feed_latency_us = 20
order_latency_us = 50

[flow]
parameters = "{market}"

[[strategy]]
name = "{strategy}"
instruments = ["TLA", "TLB", "TLC", "TLD", "TLE"]

[strategy.parameters]
size = 100
max_inventory = 5
{parameters}

[quoter]
min_rest_ms = 20

[risk]
max_order_qty = 500
max_order_value = 200000
max_position = 2000
collar_bps = 2000
reference_age_ms = 600000
messages_per_second = 500
messages_burst = 200
order_ack_timeout_ms = 2000
"#,
        instruments.display()
    )
}

/// Profit after fees of one run, in dollars.
fn profit(config: &BacktestConfig) -> f64 {
    let market = backtest::market(config).unwrap();
    let opening = OpeningState { epoch: 1, ..OpeningState::default() };
    let start =
        Start { now: market.next_time().unwrap(), opening: opening.to_bytes(), ..Start::default() };
    let end = backtest::simulate(config, market, NoTape, &start).unwrap();
    let account = end.trading.account();
    let each = account.instruments().iter().zip(account.positions()).zip(&end.marks);
    assert!(end.trading.counters().fills > 0, "seed {}", config.backtest.seed);
    each.map(|((instrument, position), mark)| {
        // Never traded, never marked: nothing was earned.
        if position.fills == 0 {
            return 0.0;
        }
        position.total(instrument, mark.unwrap()).unwrap().to_f64()
    })
    .sum()
}

/// Mean profit over the seeds, and its standard error.
fn mean_profit(market: &str, strategy: &str, parameters: &str) -> (f64, f64) {
    let seconds = if std::env::var_os("TOUCHLINE_LONG").is_some() { 3_600 } else { 60 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backtest.toml");
    std::fs::write(&path, config(market, strategy, parameters)).unwrap();
    let run = |seed| {
        let duration = Some(Nanos::from_secs(seconds));
        let changes = BacktestChanges { seed: Some(seed), duration, ..Default::default() };
        profit(&BacktestConfig::load(&path, &changes).unwrap())
    };
    let seeds: Vec<u64> = SEEDS.collect();
    let profits: Vec<f64> = std::thread::scope(|scope| {
        let halves = seeds.chunks(seeds.len().div_ceil(2));
        let halves: Vec<_> = halves
            .map(|half| scope.spawn(|| half.iter().map(|&seed| run(seed)).collect::<Vec<_>>()))
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let count = profits.len() as f64;
    let mean = profits.iter().sum::<f64>() / count;
    let variance = profits.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let error = (variance / count).sqrt();
    println!("{market} {strategy}: {mean:.2} ± {error:.2}");
    (mean, error)
}

#[test]
fn the_naive_joiner_loses_in_every_market() {
    for (market, ..) in MARKETS {
        let (mean, error) = mean_profit(market, "joiner", "");
        assert!(mean < -3.0 * error, "{market}: {mean:.2} with a standard error of {error:.2}");
    }
}

#[test]
fn glft_earns_in_every_market() {
    for (market, a, k, sigma) in MARKETS {
        let parameters =
            format!("gamma = 4.0\na = {a}\nk = {k:?}\nsigma = {sigma}\nsigma_half_life = 30.0");
        let (mean, error) = mean_profit(market, "glft", &parameters);
        assert!(mean > 3.0 * error, "{market}: {mean:.2} with a standard error of {error:.2}");
    }
}
