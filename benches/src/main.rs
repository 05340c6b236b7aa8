//! How fast a few hops are, each beside a rival or a floor in the same run. Small on purpose: it
//! tells orders of magnitude and ratios, and nothing that depends on the machine alone.
//!
//! `cargo run --profile dist -p touchline-benches`

mod decode;
mod ring;

/// Paired blocks of each measurement.
const PAIRS: usize = 41;

fn main() {
    println!("{:<34} {:>10} {:>10} {:>8}", "what, ns", "ours", "beside", "ratio");
    ring::run();
    decode::run();
}

/// Median of ours, of the rival's, and of the ratios pair by pair, alternating in one process.
fn pairs(mut ours: impl FnMut() -> f64, mut rival: impl FnMut() -> f64) -> (f64, f64, f64) {
    let pairs: Vec<(f64, f64)> = (0..PAIRS).map(|_| (ours(), rival())).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (
        median(pairs.iter().map(|pair| pair.0).collect()),
        median(pairs.iter().map(|pair| pair.1).collect()),
        median(pairs.iter().map(|pair| pair.0 / pair.1).collect()),
    )
}

fn show(what: &str, (ours, rival, ratio): (f64, f64, f64)) {
    println!("{what:<34} {ours:>10.1} {rival:>10.1} {ratio:>8.2}");
}
