//! Joiner: a fixed size at the best bid and at the best ask of everyone else.
//!
//! No model and no paper: the naive maker that every other is measured against. It earns the
//! spread from the uninformed and pays it, and more, to the informed.

use crate::maker::{MAX_INVENTORY, SIZE};
use crate::placing::{Sizing, place_at};
use crate::touch::{LEVELS, Touch};
use crate::{Context, Fill, ParameterError, ParameterSpec, Parameters, Strategy, StrategySpec};
use market::{Instrument, InstrumentId, OrderView, StateHasher};

/// The entry in the table of built-ins.
pub const SPEC: StrategySpec = StrategySpec {
    name: "joiner",
    summary: "joins the best bid and the best ask with a fixed size",
    source: "none: the naive maker that others are measured against",
    parameters: PARAMETERS,
    build: |parameters| Ok(Box::new(Joiner::new(parameters)?)),
};

const PARAMETERS: &[ParameterSpec] = &[SIZE, MAX_INVENTORY];

#[derive(Debug)]
struct Joiner {
    sizing: Sizing,
}

impl Joiner {
    fn new(parameters: &Parameters) -> Result<Self, ParameterError> {
        let sizing = Sizing {
            size: parameters.get(SIZE.key)?,
            max_inventory: parameters.get(MAX_INVENTORY.key)?,
        };
        Ok(Joiner { sizing })
    }

    fn requote(&self, ctx: &mut dyn Context, id: InstrumentId) {
        let Some(touch) = Touch::of(ctx, id) else { return ctx.withdraw(id) };
        let (Some(bid), Some(ask)) = (touch.bid, touch.ask) else { return ctx.withdraw(id) };
        place_at(ctx, id, &touch, bid, ask, &self.sizing);
    }
}

impl Strategy for Joiner {
    fn name(&self) -> &'static str {
        SPEC.name
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

    fn on_parameters(&mut self, ctx: &mut dyn Context, parameters: &Parameters) {
        if let Ok(next) = Self::new(parameters) {
            *self = next;
            for at in 0..ctx.instruments().len() {
                let id = ctx.instruments()[at];
                self.requote(ctx, id);
            }
        }
    }

    fn hash_into(&self, hasher: &mut StateHasher) {
        self.sizing.hash_into(hasher);
    }
}
