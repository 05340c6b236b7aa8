//! Measuring in pairs: ours and the reference alternate in short blocks of one process, and the
//! figure is the median of the ratios of neighbours. What the host does to one it does to the other.

/// Fewest pairs behind a figure.
pub const PAIRS_MIN: usize = 100;

/// What pairs of blocks came to.
#[derive(Clone, Copy, Debug)]
pub struct Paired {
    /// Median of our blocks.
    pub ours: f64,
    /// Median of the reference's blocks.
    pub reference: f64,
    /// Median of the ratios.
    pub ratio: f64,
    /// The 95 % interval of that median, by order statistics (no shape is assumed).
    pub interval: [f64; 2],
    /// How many pairs.
    pub pairs: usize,
}

/// Runs `pairs` pairs of blocks, ours and the reference's by turns; each block gives its cost. By
/// turns without exception: whoever ran twice in a row would find its own data in the caches. The
/// first two pairs warm up and are not counted.
pub fn alternate(
    pairs: usize,
    mut ours: impl FnMut() -> f64,
    mut reference: impl FnMut() -> f64,
) -> Paired {
    let mut measured = Vec::with_capacity(pairs);
    for pair in 0..pairs.max(PAIRS_MIN) + 2 {
        let costs = (ours(), reference());
        if pair >= 2 {
            measured.push(costs);
        }
    }
    of(&measured)
}

/// The figure of pairs measured elsewhere.
///
/// # Panics
/// Without a pair.
#[must_use]
pub fn of(measured: &[(f64, f64)]) -> Paired {
    assert!(!measured.is_empty(), "no pair was measured");
    let sorted = |value: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = measured.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let ratios = sorted(|(ours, reference)| ours / reference);
    Paired {
        ours: median(&sorted(|pair| pair.0)),
        reference: median(&sorted(|pair| pair.1)),
        ratio: median(&ratios),
        interval: interval(&ratios),
        pairs: measured.len(),
    }
}

fn median(sorted: &[f64]) -> f64 {
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// Between which values the median lies in 95 of 100 cases: the ranks of the sign test.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn interval(sorted: &[f64]) -> [f64; 2] {
    let count = sorted.len() as f64;
    let reach = 0.98 * count.sqrt();
    let low = (count / 2.0 - reach).floor().max(1.0) as usize - 1;
    let high = ((count / 2.0 + reach).ceil() as usize).min(sorted.len() - 1);
    [sorted[low], sorted[high]]
}

/// A quantile of ours beside the same of the reference. The interval is that of ours, by order
/// statistics, over the reference's quantile as it is: values that come one after another are not
/// independent, so it is the least that is uncertain.
///
/// # Panics
/// Without a value.
#[allow(clippy::cast_precision_loss)]
#[must_use]
pub fn quantiles(ours: &mut [u64], reference: &mut [u64], part: f64) -> Paired {
    assert!(!ours.is_empty() && !reference.is_empty(), "no value was measured");
    let count = ours.len() as f64;
    let reach = 1.96 * (part * (1.0 - part) / count).sqrt();
    let ours = [part - reach, part, part + reach].map(|at| quantile(ours, at.clamp(0.0, 1.0)));
    let beside = quantile(reference, part);
    let [low, ratio, high] = ours.map(|value| value / beside);
    let pairs = reference.len();
    Paired { ours: ours[1], reference: beside, ratio, interval: [low, high], pairs }
}

/// The value below which `part` of the values lie; sorts them.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
#[must_use]
pub fn quantile(values: &mut [u64], part: f64) -> f64 {
    values.sort_unstable();
    let at = (part * (values.len() - 1) as f64).round() as usize;
    values[at.min(values.len() - 1)] as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ranks() {
        let pairs: Vec<(f64, f64)> = (1..=101).map(|n| (f64::from(n), 2.0)).collect();
        let paired = of(&pairs);
        assert_eq!((paired.ours, paired.reference, paired.ratio), (51.0, 2.0, 25.5));
        // The ranks of a sign test for 101 values: 41 and 61 of them, a little outside.
        assert!((20.0..=20.5).contains(&paired.interval[0]), "{:?}", paired.interval);
        assert!((30.5..=31.0).contains(&paired.interval[1]), "{:?}", paired.interval);
        let mut values: Vec<u64> = (0..=100).rev().collect();
        assert_eq!(quantile(&mut values, 0.99), 99.0);
        let mut half: Vec<u64> = (0..=50).collect();
        let beside = quantiles(&mut values, &mut half, 0.5);
        assert_eq!((beside.ours, beside.reference, beside.ratio), (50.0, 25.0, 2.0));
        assert_eq!(beside.interval, [1.6, 2.4]);
    }

    #[test]
    fn blocks_take_turns() {
        let log = std::cell::RefCell::new(String::new());
        let note = |who| {
            log.borrow_mut().push(who);
            1.0
        };
        assert_eq!(alternate(100, || note('o'), || note('r')).pairs, 100);
        assert_eq!(*log.borrow(), "or".repeat(102));
    }
}
