//! What every model-driven maker does alike: sample volatility, ask the model for its two
//! distances from the mid, and quote them with at least a tick of half-spread.
//!
//! The model knows no order and no book, and no maker may quote on a book that forbids it.

use crate::placing::{Sizing, place};
use crate::touch::{LEVELS, Touch};
use crate::volatility::Volatility;
use crate::{Context, Fill, ParameterError, ParameterSpec, Parameters, Strategy, TimerId};
use market::{Instrument, InstrumentId, Nanos, OrderView, StateHasher, Timestamp};

/// Risk aversion γ of both papers.
pub(crate) const GAMMA: ParameterSpec = ParameterSpec {
    key: "gamma",
    unit: "per price unit and order size",
    default: None,
    min: 1e-9,
    max: 1e6,
    doc: "risk aversion: larger quotes wider and leans harder against inventory",
};
/// Decay k of both papers.
pub(crate) const K: ParameterSpec = ParameterSpec {
    key: "k",
    unit: "per price unit",
    default: None,
    min: 1e-9,
    max: 1e9,
    doc: "how fast the rate of fills falls with distance from the mid: A exp(-k distance)",
};
/// Volatility σ of both papers.
pub(crate) const SIGMA: ParameterSpec = ParameterSpec {
    key: "sigma",
    unit: "price units per square root of a second",
    default: None,
    min: 0.0,
    max: 1e9,
    doc: "volatility of the mid price, or where its estimate begins",
};
/// Whether and how fast σ is estimated.
pub(crate) const SIGMA_HALF_LIFE: ParameterSpec = ParameterSpec {
    key: "sigma_half_life",
    unit: "seconds",
    default: Some(0.0),
    min: 0.0,
    max: 1e6,
    doc: "estimates sigma from mid changes of about this age; 0 keeps it fixed",
};
/// How often the timer fires.
pub(crate) const SAMPLE_INTERVAL: ParameterSpec = ParameterSpec {
    key: "sample_interval",
    unit: "seconds",
    default: Some(1.0),
    min: 0.001,
    max: 3600.0,
    doc: "how often the mid is sampled and quotes are computed without news",
};
/// Quantity of one order.
pub(crate) const SIZE: ParameterSpec = ParameterSpec {
    key: "size",
    unit: "whole units of the instrument",
    default: None,
    min: 1e-9,
    max: 1e9,
    doc: "quantity of one order, rounded down to a lot",
};
/// Limit of inventory.
pub(crate) const MAX_INVENTORY: ParameterSpec = ParameterSpec {
    key: "max_inventory",
    unit: "order sizes",
    default: Some(10.0),
    min: 1.0,
    max: 1e6,
    doc: "position, long or short, beyond which nothing is added",
};

/// What a model may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Inventory q in order sizes, long positive.
    pub(crate) inventory: f64,
    /// Volatility in price units per square root of a second.
    pub(crate) sigma: f64,
    /// Seconds since the strategy began.
    pub(crate) elapsed: f64,
}

/// Distances from the mid, in price units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distances {
    /// Mid minus bid.
    pub bid: f64,
    /// Ask minus mid.
    pub ask: f64,
}

/// A formula from the literature.
pub(crate) trait Model: Send + Sized + 'static {
    /// Its name as a strategy.
    const NAME: &'static str;
    /// The model of these parameters.
    fn read(parameters: &Parameters) -> Result<Self, ParameterError>;
    /// How far from the mid to quote now.
    fn distances(&self, moment: &Moment) -> Distances;
    /// Adds what decides to `hasher`.
    fn hash_into(&self, hasher: &mut StateHasher);
}

const SAMPLE: TimerId = TimerId(1);

/// A strategy around a model.
#[derive(Debug)]
pub(crate) struct Maker<M> {
    model: M,
    sizing: Sizing,
    sigma: f64,
    half_life: f64,
    interval: Nanos,
    started: Timestamp,
    volatility: Vec<(InstrumentId, Volatility)>,
}

impl<M: Model> Maker<M> {
    /// A maker of these parameters, not yet started.
    pub(crate) fn new(parameters: &Parameters) -> Result<Self, ParameterError> {
        Ok(Maker {
            model: M::read(parameters)?,
            sizing: Sizing {
                size: parameters.get(SIZE.key)?,
                max_inventory: parameters.get(MAX_INVENTORY.key)?,
            },
            sigma: parameters.get(SIGMA.key)?,
            half_life: parameters.get(SIGMA_HALF_LIFE.key)?,
            interval: seconds(parameters.get(SAMPLE_INTERVAL.key)?),
            started: Timestamp::ZERO,
            volatility: Vec::new(),
        })
    }

    fn requote(&self, ctx: &mut dyn Context, id: InstrumentId) {
        let touch = Touch::of(ctx, id);
        let volatility = self.volatility.iter().find(|(known, _)| *known == id);
        let (Some(touch), Some((_, volatility))) = (touch, volatility) else {
            return ctx.withdraw(id);
        };
        let moment = Moment {
            inventory: self.sizing.inventory(ctx.instrument(id), ctx.position(id)),
            sigma: volatility.sigma(),
            elapsed: ctx.now().since(self.started).as_secs_f64(),
        };
        let Distances { bid, ask } = self.model.distances(&moment);
        // Whatever the model thinks of the spread, half a tick of rounding is no edge.
        let widen = (ctx.instrument(id).tick.to_f64() - (bid + ask) * 0.5).max(0.0);
        let mid = touch.mid().unwrap_or(f64::NAN);
        place(ctx, id, &touch, mid - bid - widen, mid + ask + widen, &self.sizing);
    }

    fn requote_all(&self, ctx: &mut dyn Context) {
        for (id, _) in &self.volatility {
            self.requote(ctx, *id);
        }
    }
}

/// Whole nanoseconds of a number of seconds that a parameter table has bounded.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn seconds(seconds: f64) -> Nanos {
    Nanos::new((seconds * 1e9) as u64)
}

impl<M: Model> Strategy for Maker<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn on_start(&mut self, ctx: &mut dyn Context) {
        self.started = ctx.now();
        let begin = Volatility::new(self.sigma, self.half_life);
        self.volatility = ctx.instruments().iter().map(|&id| (id, begin)).collect();
        ctx.set_timer(SAMPLE, self.interval);
    }

    fn levels(&self) -> usize {
        LEVELS
    }

    fn fits(&self, instrument: &Instrument) -> Result<(), ParameterError> {
        self.sizing.fits(SIZE.key, instrument)
    }

    fn on_book(&mut self, ctx: &mut dyn Context, instrument: InstrumentId) {
        self.requote(ctx, instrument);
    }

    fn on_fill(&mut self, ctx: &mut dyn Context, fill: &Fill) {
        self.requote(ctx, fill.instrument);
    }

    fn on_order(&mut self, ctx: &mut dyn Context, order: &OrderView) {
        self.requote(ctx, order.instrument);
    }

    fn on_timer(&mut self, ctx: &mut dyn Context, timer: TimerId) {
        if timer == SAMPLE {
            for (id, volatility) in &mut self.volatility {
                let mid = Touch::of(ctx, *id).and_then(|touch| touch.mid());
                volatility.sample(ctx.now(), mid);
            }
            self.requote_all(ctx);
            ctx.set_timer(SAMPLE, self.interval);
        }
    }

    fn on_parameters(&mut self, ctx: &mut dyn Context, parameters: &Parameters) {
        // The table has passed each value; a conflict between two keeps the old ones.
        let Ok(mut next) = Self::new(parameters) else { return };
        next.started = self.started;
        next.volatility = std::mem::take(&mut self.volatility);
        if (next.sigma, next.half_life) != (self.sigma, self.half_life) {
            let begin = Volatility::new(next.sigma, next.half_life);
            next.volatility.iter_mut().for_each(|(_, volatility)| *volatility = begin);
        }
        *self = next;
        ctx.set_timer(SAMPLE, self.interval);
        self.requote_all(ctx);
    }

    fn hash_into(&self, hasher: &mut StateHasher) {
        self.model.hash_into(hasher);
        self.sizing.hash_into(hasher);
        for word in [self.sigma.to_bits(), self.half_life.to_bits()] {
            hasher.word(word);
        }
        hasher.word(self.interval.get());
        hasher.word(self.started.nanos());
        for (id, volatility) in &self.volatility {
            hasher.word(u64::from(id.0));
            volatility.hash_into(hasher);
        }
    }
}
