//! A figure: a value beside its reference, as a ratio with its interval, judged against a target.
//! Here it is shown as a line for people and as JSON for machines; nothing is measured.

use crate::pairs::Paired;
use serde::Serialize;

/// An interval wider than this part of its ratio says nothing.
const NOISE: f64 = 0.10;

/// One figure, as `--json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Group and name, as in `ring/latency`.
    pub name: String,
    /// Ours: the median of its blocks.
    pub value: f64,
    /// What both values count.
    pub unit: &'static str,
    /// What it stands beside.
    pub reference: String,
    /// The reference's median, in the same unit.
    pub reference_value: f64,
    /// Median of the ratios of paired blocks.
    pub ratio: f64,
    /// Its interval of 95 %.
    pub interval: [f64; 2],
    /// The ratio not to exceed, where there is one.
    pub target: Option<f64>,
    /// Whether it holds; `None` for noise, and where there is no target.
    pub met: Option<bool>,
    /// What one must know to read it.
    pub note: String,
}

impl Figure {
    /// The figure of paired blocks.
    #[must_use]
    pub fn new(name: &str, unit: &'static str, reference: &str, paired: &Paired) -> Figure {
        Figure {
            name: name.to_owned(),
            value: paired.ours,
            unit,
            reference: reference.to_owned(),
            reference_value: paired.reference,
            ratio: paired.ratio,
            interval: paired.interval,
            target: None,
            met: None,
            note: String::new(),
        }
    }

    /// Judges it: met when the whole interval is within the target, noise when it is too wide.
    #[must_use]
    pub fn target(mut self, target: f64) -> Figure {
        let [low, high] = self.interval;
        self.target = Some(target);
        self.met = if high <= target {
            Some(true)
        } else if low <= target && (high - low) > NOISE * self.ratio {
            None
        } else {
            Some(false)
        };
        self
    }

    /// Adds what one must know to read it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Figure {
        self.note = note.into();
        self
    }

    /// Cannot count as met here, and why.
    #[must_use]
    pub fn void(mut self, why: &str) -> Figure {
        self.met = None;
        let before = std::mem::take(&mut self.note);
        self.note = if before.is_empty() { why.to_owned() } else { format!("{why}; {before}") };
        self
    }

    fn verdict(&self) -> &'static str {
        match (self.met, self.target) {
            (Some(true), _) => "met",
            (Some(false), _) => "NOT MET",
            (None, Some(_)) => "noise",
            (None, None) => "",
        }
    }
}

/// The table's first two lines.
pub const HEAD: &str =
    "| figure | ours | beside | ratio | 95 % | target | |\n|---|---|---|---|---|---|---|";

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Figure { name, value, unit, reference, reference_value, ratio, .. } = self;
        let [low, high] = self.interval;
        let target = self.target.map_or(String::new(), |target| format!("≤ {target}"));
        write!(
            f,
            "| {name} | {} {unit} | {} {reference} ",
            short(*value),
            short(*reference_value)
        )?;
        write!(f, "| {ratio:.3} | {low:.3}–{high:.3} | {target} | {}", self.verdict())?;
        if !self.note.is_empty() {
            let space = if self.verdict().is_empty() { "" } else { "; " };
            write!(f, "{space}{}", self.note)?;
        }
        write!(f, " |")
    }
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value {
        value if value >= 1_000_000.0 => format!("{:.2} M", value / 1e6),
        value if value >= 10_000.0 => format!("{:.1} k", value / 1e3),
        value if value >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(low: f64, ratio: f64, high: f64) -> Figure {
        let paired = Paired { ours: 1.0, reference: 1.0, ratio, interval: [low, high], pairs: 100 };
        Figure::new("x", "ns", "y", &paired).target(1.0)
    }

    #[test]
    fn the_whole_interval_must_be_within_the_target() {
        assert_eq!(figure(0.9, 0.95, 1.0).met, Some(true));
        assert_eq!(figure(0.97, 0.99, 1.01).met, Some(false));
        assert_eq!(figure(0.8, 0.95, 1.1).met, None);
        // A wide interval that lies beyond the target altogether is no noise.
        assert_eq!(figure(1.2, 1.5, 1.8).met, Some(false));
    }
}
