//! Random draws of the flow, all from one seeded generator. Logarithms and cosines come from
//! `libm`, so that a seed gives the same flow on every machine.

use market::Rng;

/// Exponential with this mean: zero for a mean that is not positive, infinite for an infinite one.
pub(super) fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    let unit = -libm::log(1.0 - rng.unit());
    if mean > 0.0 { unit.max(f64::MIN_POSITIVE) * mean } else { 0.0 }
}

/// Standard normal (Box and Muller, one of the two).
pub(super) fn normal(rng: &mut Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - rng.unit()));
    radius * libm::cos(std::f64::consts::TAU * rng.unit())
}

/// +1 or −1.
pub(super) fn sign(rng: &mut Rng) -> f64 {
    if rng.chance(0.5) { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right() {
        let mut rng = Rng::new(3);
        let n = 200_000;
        let mut sums = [0.0; 4];
        for _ in 0..n {
            let (e, z) = (exponential(&mut rng, 2.0), normal(&mut rng));
            for (sum, x) in sums.iter_mut().zip([e, e * e, z, z * z]) {
                *sum += x;
            }
        }
        let [e, e2, z, z2] = sums.map(|sum| sum / f64::from(n));
        assert!((e - 2.0).abs() < 0.03 && (e2 - 8.0).abs() < 0.3, "{e} {e2}");
        assert!(z.abs() < 0.01 && (z2 - 1.0).abs() < 0.02, "{z} {z2}");
    }
}
