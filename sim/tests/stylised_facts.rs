//! What real order books show must show in the synthetic flow, in committed ranges.
//!
//! The facts are those of R. Cont, "Empirical properties of asset returns" (2001) and J.-P.
//! Bouchaud, J. Bonart, J. Donier, M. Gould, "Trades, Quotes and Prices" (2018): thin spread, a
//! profile of depth that rises behind the best and decays, clustered activity, long-lived
//! correlation of trade signs, lasting impact of informed and passing impact of uninformed trades.
//! The parameters were fixed against these ranges before any strategy was run on them.

mod facts;

use facts::{Measured, mean, measure};
use sim::FlowParameters;

const HOUR: u64 = 3_600;

fn default_hour() -> Measured {
    measure(FlowParameters::default(), 1, HOUR)
}

#[track_caller]
fn within(what: &str, value: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&value), "{what} is {value:.3}, not within {low}..{high}");
}

#[test]
fn the_book_is_two_sided_and_thin() {
    let measured = default_hour();
    within("share of time with both sides", measured.two_sided(), 0.99, 1.0);
    within("mean spread in ticks", measured.spread(), 2.0, 3.0);
    let locked = measured.whole().filter(|sample| sample.spread < 1.0).count();
    assert_eq!(locked, 0, "bids stay below asks");
}

#[test]
fn depth_rises_behind_the_best_and_decays() {
    let depth = default_hour().depth();
    assert!(depth[1] > depth[0], "{depth:?}");
    assert!(depth[1..].windows(2).all(|pair| pair[1] < pair[0]), "{depth:?}");
    within("best level in lots", depth[0], 200.0, 450.0);
    within("six ticks behind against one", depth[6] / depth[1], 0.35, 0.65);
    within("eleven ticks behind against one", depth[11] / depth[1], 0.1, 0.3);
}

#[test]
fn arrivals_cluster() {
    let measured = default_hour();
    within("events per second", mean(measured.counts.iter().copied()), 25.0, 60.0);
    within("index of dispersion (Poisson: 1)", measured.dispersion(), 4.0, 10.0);
    within("correlation of neighbouring seconds", measured.count_correlation(), 0.15, 0.5);
}

#[test]
fn trade_signs_persist() {
    let measured = default_hour();
    let correlations: Vec<f64> = (1..=10).map(|lag| measured.sign_correlation(lag)).collect();
    within("at lag 1", correlations[0], 0.4, 0.75);
    within("at lag 5", correlations[4], 0.15, 0.45);
    within("at lag 10", correlations[9], 0.05, 0.3);
    assert!(correlations.iter().all(|&c| c > 0.0), "{correlations:?}");
}

#[test]
fn the_mid_follows_the_informed_and_forgets_the_uninformed() {
    let measured = default_hour();
    let half_spread = measured.spread() / 2.0;
    let (informed, error) = measured.impact(true, 5.0);
    within("move after informed trades in half spreads", informed / half_spread, 1.5, 3.0);
    assert!(error < 0.1, "{error}");
    let (uninformed, error) = measured.impact(false, 5.0);
    within("move after uninformed trades in half spreads", uninformed / half_spread, -0.4, 0.4);
    assert!(error < 0.1, "{error}");
}

#[test]
fn the_informed_earn_what_the_uninformed_pay() {
    let measured = default_hour();
    let half_spread = measured.spread() / 2.0;
    let (informed, _) = measured.gain(true, 5.0);
    within("gain of the informed in half spreads", informed / half_spread, 0.5, 2.0);
    let (uninformed, _) = measured.gain(false, 5.0);
    within("gain of the uninformed in half spreads", uninformed / half_spread, -2.2, -1.0);
    let trades = measured.trades.len() as f64;
    let informed_trades = measured.trades.iter().filter(|trade| trade.informed).count() as f64;
    within("informed share of trades", informed_trades / trades, 0.3, 0.7);
    let swept = measured.trades.iter().filter(|trade| trade.swept >= 2.0).count() as f64;
    within("share of trades over three levels and more", swept / trades, 0.05, 0.3);
}

#[test]
fn every_committed_set_is_a_market() {
    for name in FlowParameters::NAMES {
        let parameters = FlowParameters::named(name).unwrap();
        let measured = measure(parameters, 2, HOUR);
        within(name, measured.two_sided(), 0.985, 1.0);
        within(name, measured.spread(), 1.5, 4.5);
        within(name, measured.dispersion(), 3.0, 15.0);
        within(name, measured.sign_correlation(1), 0.3, 0.8);
        within(name, measured.sign_correlation(10), 0.03, 0.4);
        within(name, measured.gain(true, 5.0).0, 0.5, 3.0);
        within(name, measured.gain(false, 5.0).0, -3.5, -1.0);
        within(name, measured.impact(false, 5.0).0, -0.6, 0.6);
    }
}
