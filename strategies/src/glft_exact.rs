//! The exact solution of Guéant–Lehalle–Fernandez-Tapia for a finite horizon.
//!
//! v(t) = exp(−M (T − t)) 1 with M tridiagonal: α q² on the diagonal and −η beside it, for
//! q = −Q … Q, α = k γ σ² / 2 and η = A (1 + γ/k)^−(1 + k/γ). Then
//! δb(q) = (1/k) ln(v_q / v_{q+1}) + c and δa(q) = (1/k) ln(v_q / v_{q−1}) + c.
//! All work is done at construction; it must never run while trading.

use crate::ParameterError;
use crate::glft::GlftModel;
use crate::maker::Distances;
use market::StateHasher;

/// Growth e^CHUNK is summed before the vector is scaled back, far below overflow.
const CHUNK: f64 = 64.0;
/// Terms of the series of e^64 until they no longer count.
const TERMS: usize = 400;
/// Largest Q: at larger ones v spans more than doubles hold.
const INVENTORY_MAX: f64 = 200.0;
/// Most growth in the horizon: a fraction of a second of work at the largest inventory.
const GROWTH_MAX: f64 = 1e5;

/// Exact distances for every whole inventory, with a fixed time left.
#[derive(Clone, Debug, PartialEq)]
pub struct ExactQuotes {
    /// δb for q = −Q … Q − 1; δa(q) is at its mirror image, δb(−q).
    bids: Vec<f64>,
    limit: f64,
}

impl ExactQuotes {
    /// Solves for inventories up to `max_inventory` order sizes and `horizon` seconds left.
    ///
    /// # Errors
    /// [`ParameterError::Conflict`] if that is more work or range than doubles hold: the closed
    /// form is as good there.
    pub fn new(
        model: &GlftModel,
        max_inventory: f64,
        horizon: f64,
    ) -> Result<ExactQuotes, ParameterError> {
        if !(1.0..=INVENTORY_MAX).contains(&max_inventory) {
            let reason = "`max_inventory` must be 1 to 200 for exact quotes: \
                          lower it, or set `horizon` to 0 for the closed form";
            return Err(ParameterError::Conflict { reason });
        }
        let limit = libm::floor(max_inventory);
        let logs = log_values(model, limit, horizon).unwrap_or_default();
        let base = model.base();
        let bids = logs.windows(2).map(|pair| (pair[0] - pair[1]) / model.k + base);
        let bids: Vec<f64> = bids.collect();
        if bids.is_empty() || !bids.iter().all(|distance| distance.is_finite()) {
            let reason = "`horizon` is too long for exact quotes with these parameters: \
                          shorten it, or set it to 0 for the closed form";
            return Err(ParameterError::Conflict { reason });
        }
        Ok(ExactQuotes { bids, limit })
    }

    /// Distances at `inventory` order sizes: exact at whole numbers, straight lines between them,
    /// level beyond the limit.
    #[must_use]
    pub fn at(&self, inventory: f64) -> Distances {
        Distances { bid: self.bid(inventory), ask: self.bid(-inventory) }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn bid(&self, inventory: f64) -> f64 {
        let place = inventory + self.limit;
        if place.is_nan() {
            return f64::NAN;
        }
        let place = place.clamp(0.0, 2.0 * self.limit - 1.0);
        let low = libm::floor(place);
        let (left, right) = (self.bids[low as usize], self.bids.get(low as usize + 1));
        right.map_or(left, |right| left + (place - low) * (right - left))
    }

    /// Adds the table to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for distance in &self.bids {
            hasher.word(distance.to_bits());
        }
    }
}

/// ln v_q for q = −Q … Q up to a common constant; `None` if it would take too long.
///
/// −M plus a multiple of the identity has no negative entry, so its exponential series is a sum of
/// positive terms and every component keeps its full relative accuracy (uniformisation).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn log_values(model: &GlftModel, limit: f64, horizon: f64) -> Option<Vec<f64>> {
    let ratio = model.gamma / model.k;
    let alpha = 0.5 * model.k * model.gamma * model.sigma * model.sigma;
    let eta = model.intensity * libm::exp(-(1.0 + 1.0 / ratio) * libm::log1p(ratio));
    let growth = (alpha * limit * limit + 2.0 * eta) * horizon;
    if !(0.0..=GROWTH_MAX).contains(&growth) {
        return None;
    }
    let chunks = libm::ceil(growth / CHUNK).max(1.0);
    let step = horizon / chunks;
    let size = 2 * limit as usize + 1;
    let diagonal: Vec<f64> = (0..size)
        .map(|at| {
            let q = at as f64 - limit;
            step * alpha * (limit * limit - q * q)
        })
        .collect();
    let beside = step * eta;
    let mut value = vec![1.0; size];
    let (mut term, mut next) = (value.clone(), value.clone());
    for _ in 0..chunks as usize {
        term.copy_from_slice(&value);
        for n in 1..=TERMS {
            for at in 0..size {
                let left = if at > 0 { term[at - 1] } else { 0.0 };
                let right = term.get(at + 1).copied().unwrap_or(0.0);
                next[at] = (diagonal[at] * term[at] + beside * (left + right)) / n as f64;
                value[at] += next[at];
            }
            std::mem::swap(&mut term, &mut next);
            if term.iter().zip(&value).all(|(term, value)| *term <= value * 1e-18) {
                break;
            }
        }
        let largest = value.iter().copied().fold(0.0, f64::max);
        value.iter_mut().for_each(|value| *value /= largest);
    }
    Some(value.into_iter().map(libm::log).collect())
}
