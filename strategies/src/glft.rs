//! Guéant–Lehalle–Fernandez-Tapia: stationary quotes with an inventory limit, in closed form.
//!
//! O. Guéant, C.-A. Lehalle and J. Fernandez-Tapia, "Dealing with the inventory risk: a solution
//! to the market making problem", Mathematics and Financial Economics 7(4), 2013. With
//! c = (1/γ) ln(1 + γ/k) and C = sqrt(σ² γ / (2 k A) · (1 + γ/k)^(1 + k/γ)), far from the horizon:
//! δb = c + (2q + 1)/2 · C and δa = c − (2q − 1)/2 · C.
//!
//! With a `horizon` the exact solution of [`crate::glft_exact`] is quoted instead.

use crate::glft_exact::ExactQuotes;
use crate::maker::{
    Distances, GAMMA, K, MAX_INVENTORY, Maker, Model, Moment, SAMPLE_INTERVAL, SIGMA,
    SIGMA_HALF_LIFE, SIZE,
};
use crate::{ParameterError, ParameterSpec, Parameters, StrategySpec};
use market::StateHasher;

const INTENSITY: ParameterSpec = ParameterSpec {
    key: "a",
    unit: "per second",
    default: None,
    min: 1e-9,
    max: 1e9,
    doc: "rate of fills at the mid: A of A exp(-k distance)",
};
const HORIZON: ParameterSpec = ParameterSpec {
    key: "horizon",
    unit: "seconds",
    default: Some(0.0),
    min: 0.0,
    max: 1e6,
    doc: "0 quotes the closed form; else the exact solution with always this much time left",
};

/// The entry in the table of built-ins.
pub const SPEC: StrategySpec = StrategySpec {
    name: "glft",
    summary: "stationary optimal quotes that lean against inventory, with an inventory limit",
    source: "Gueant, Lehalle and Fernandez-Tapia, Dealing with the inventory risk, 2013",
    parameters: &[
        GAMMA,
        INTENSITY,
        K,
        SIGMA,
        SIGMA_HALF_LIFE,
        HORIZON,
        SAMPLE_INTERVAL,
        SIZE,
        MAX_INVENTORY,
    ],
    build: |parameters| Ok(Box::new(Maker::<Glft>::new(parameters)?)),
};

/// The market and the risk aversion, as the paper has them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GlftModel {
    /// σ, price units per square root of a second.
    pub sigma: f64,
    /// A, fills per second at the mid.
    pub intensity: f64,
    /// k, per price unit.
    pub k: f64,
    /// γ, per price unit and order size.
    pub gamma: f64,
}

impl GlftModel {
    /// c = (1/γ) ln(1 + γ/k): the half-spread without inventory risk, in price units.
    #[must_use]
    pub fn base(&self) -> f64 {
        libm::log1p(self.gamma / self.k) / self.gamma
    }

    /// C: how far one order size of inventory moves both quotes, in price units.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.sigma * self.slope_per_sigma()
    }

    fn slope_per_sigma(&self) -> f64 {
        let power = (1.0 + self.k / self.gamma) * libm::log1p(self.gamma / self.k);
        libm::sqrt(self.gamma / (2.0 * self.k * self.intensity) * libm::exp(power))
    }

    /// Distances of both quotes from the mid far from the horizon, at `inventory` order sizes.
    #[must_use]
    pub fn asymptotic(&self, inventory: f64) -> Distances {
        asymptotic(self.base(), self.slope(), inventory)
    }
}

fn asymptotic(base: f64, slope: f64, inventory: f64) -> Distances {
    Distances {
        bid: base + (2.0 * inventory + 1.0) * 0.5 * slope,
        ask: base - (2.0 * inventory - 1.0) * 0.5 * slope,
    }
}

#[derive(Debug)]
struct Glft {
    base: f64,
    slope_per_sigma: f64,
    exact: Option<ExactQuotes>,
}

impl Model for Glft {
    const NAME: &'static str = SPEC.name;

    fn read(parameters: &Parameters) -> Result<Self, ParameterError> {
        let model = GlftModel {
            sigma: parameters.get(SIGMA.key)?,
            intensity: parameters.get(INTENSITY.key)?,
            k: parameters.get(K.key)?,
            gamma: parameters.get(GAMMA.key)?,
        };
        let horizon = parameters.get(HORIZON.key)?;
        let exact = if horizon > 0.0 {
            if parameters.get(SIGMA_HALF_LIFE.key)? > 0.0 {
                let reason = "`horizon` needs a fixed sigma: set `sigma_half_life` to 0";
                return Err(ParameterError::Conflict { reason });
            }
            Some(ExactQuotes::new(&model, parameters.get(MAX_INVENTORY.key)?, horizon)?)
        } else {
            None
        };
        Ok(Glft { base: model.base(), slope_per_sigma: model.slope_per_sigma(), exact })
    }

    fn distances(&self, moment: &Moment) -> Distances {
        match &self.exact {
            Some(exact) => exact.at(moment.inventory),
            None => asymptotic(self.base, moment.sigma * self.slope_per_sigma, moment.inventory),
        }
    }

    fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.base.to_bits());
        hasher.word(self.slope_per_sigma.to_bits());
        if let Some(exact) = &self.exact {
            exact.hash_into(hasher);
        }
    }
}

#[cfg(test)]
#[path = "glft_tests.rs"]
mod tests;
