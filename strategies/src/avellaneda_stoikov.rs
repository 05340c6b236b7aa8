//! Avellaneda–Stoikov: quotes around a reservation price that leans against inventory.
//!
//! M. Avellaneda and S. Stoikov, "High-frequency trading in a limit order book", Quantitative
//! Finance 8(3), 2008: reservation price r = s − q γ σ² (T − t), and
//! δa + δb = γ σ² (T − t) + (2/γ) ln(1 + γ/k), half of it on each side of r.
//!
//! The paper ends at T. Here the session either rolls (a new one begins as one ends) or never
//! comes nearer to its end (`perpetual`), so that there is always a quote.

use crate::maker::{
    Distances, GAMMA, K, MAX_INVENTORY, Maker, Model, Moment, SAMPLE_INTERVAL, SIGMA,
    SIGMA_HALF_LIFE, SIZE,
};
use crate::{ParameterError, ParameterSpec, Parameters, StrategySpec};
use market::StateHasher;

const HORIZON: ParameterSpec = ParameterSpec {
    key: "horizon",
    unit: "seconds",
    default: Some(60.0),
    min: 1e-3,
    max: 1e6,
    doc: "length T of a session: longer leans harder against inventory",
};
const PERPETUAL: ParameterSpec = ParameterSpec {
    key: "perpetual",
    unit: "(0 or 1)",
    default: Some(1.0),
    min: 0.0,
    max: 1.0,
    doc: "1 quotes as if the whole horizon were always left; 0 counts it down, again and again",
};

/// The entry in the table of built-ins.
pub const SPEC: StrategySpec = StrategySpec {
    name: "avellaneda-stoikov",
    summary: "quotes around a reservation price that leans against inventory, over a horizon",
    source: "Avellaneda and Stoikov, High-frequency trading in a limit order book, 2008",
    parameters: &[
        GAMMA,
        K,
        SIGMA,
        SIGMA_HALF_LIFE,
        HORIZON,
        PERPETUAL,
        SAMPLE_INTERVAL,
        SIZE,
        MAX_INVENTORY,
    ],
    build: |parameters| Ok(Box::new(Maker::<AvellanedaStoikov>::new(parameters)?)),
};

/// How far the reservation price stands below the mid: q γ σ² (T − t), in price units.
///
/// `inventory` in order sizes, `sigma` in price units per square root of a second, `remaining`
/// (T − t) in seconds, `gamma` per price unit and order size.
#[must_use]
pub fn reservation_offset(inventory: f64, gamma: f64, sigma: f64, remaining: f64) -> f64 {
    inventory * gamma * sigma * sigma * remaining
}

/// Half of the optimal spread: γ σ² (T − t) / 2 + ln(1 + γ/k) / γ, in price units.
#[must_use]
pub fn half_spread(gamma: f64, k: f64, sigma: f64, remaining: f64) -> f64 {
    0.5 * gamma * sigma * sigma * remaining + libm::log1p(gamma / k) / gamma
}

/// Distances of both quotes from the mid.
#[must_use]
pub fn distances(inventory: f64, gamma: f64, k: f64, sigma: f64, remaining: f64) -> Distances {
    let half = half_spread(gamma, k, sigma, remaining);
    let offset = reservation_offset(inventory, gamma, sigma, remaining);
    Distances { bid: half + offset, ask: half - offset }
}

#[derive(Debug)]
struct AvellanedaStoikov {
    gamma: f64,
    k: f64,
    horizon: f64,
    perpetual: bool,
}

impl AvellanedaStoikov {
    fn remaining(&self, elapsed: f64) -> f64 {
        if self.perpetual { self.horizon } else { self.horizon - libm::fmod(elapsed, self.horizon) }
    }
}

impl Model for AvellanedaStoikov {
    const NAME: &'static str = SPEC.name;

    fn read(parameters: &Parameters) -> Result<Self, ParameterError> {
        Ok(AvellanedaStoikov {
            gamma: parameters.get(GAMMA.key)?,
            k: parameters.get(K.key)?,
            horizon: parameters.get(HORIZON.key)?,
            perpetual: parameters.get(PERPETUAL.key)? >= 0.5,
        })
    }

    fn distances(&self, moment: &Moment) -> Distances {
        let remaining = self.remaining(moment.elapsed);
        distances(moment.inventory, self.gamma, self.k, moment.sigma, remaining)
    }

    fn hash_into(&self, hasher: &mut StateHasher) {
        for value in [self.gamma, self.k, self.horizon, f64::from(u8::from(self.perpetual))] {
            hasher.word(value.to_bits());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_roll_or_stand_still() {
        let model = |perpetual| AvellanedaStoikov { gamma: 0.1, k: 1.5, horizon: 10.0, perpetual };
        assert_eq!(model(true).remaining(7.0), 10.0);
        assert_eq!(model(false).remaining(7.0), 3.0);
        assert_eq!(model(false).remaining(20.0), 10.0);
    }
}
