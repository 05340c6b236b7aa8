//! The table of latencies, in the words of `latency::hops`.

use super::grouped;
use crate::latency::hops::HOPS;
use crate::latency::recorder::HopSet;
use market::Nanos;
use std::fmt;

/// Writes the table; a hop that nothing passed shows a count of zero and no times.
pub(super) fn table(f: &mut fmt::Formatter<'_>, hops: &HopSet) -> fmt::Result {
    writeln!(
        f,
        "{:<14} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11}",
        "hop", "count", "p50", "p90", "p99", "p99.9", "max"
    )?;
    for ((_, name, _), histogram) in HOPS.iter().zip(hops) {
        write!(f, "{name:<14} {:>11}", grouped(histogram.len()))?;
        for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
            let time = match histogram.len() {
                0 => "-".to_owned(),
                _ => Nanos::new(histogram.value_at_quantile(quantile)).to_string(),
            };
            write!(f, " {time:>11}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}
