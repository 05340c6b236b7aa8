//! My strategy: quotes at a fixed distance around the mid and leans against inventory.
//!
//! Say here where the idea comes from. A template: copy it to `strategies/src/` and make it yours.

use market::{InstrumentId, OrderView, StateHasher};
use strategies::{
    Context, Fill, ParameterError, ParameterSpec, Parameters, Sizing, Strategy, StrategySpec,
    Touch, place,
};

/// The entry in the table of built-ins.
pub const SPEC: StrategySpec = StrategySpec {
    name: "my-strategy",
    summary: "quotes at a fixed distance around the mid and leans against inventory",
    source: "a template",
    parameters: PARAMETERS,
    build: |parameters| Ok(Box::new(MyStrategy::new(parameters)?)),
};

const PARAMETERS: &[ParameterSpec] = &[
    ParameterSpec {
        key: "distance",
        unit: "ticks",
        default: Some(3.0),
        min: 1.0,
        max: 1000.0,
        doc: "distance of each quote from the mid",
    },
    ParameterSpec {
        key: "lean",
        unit: "ticks per order size held",
        default: Some(0.5),
        min: 0.0,
        max: 1000.0,
        doc: "how far inventory moves both quotes toward getting rid of it",
    },
    ParameterSpec {
        key: "size",
        unit: "whole units of the instrument",
        default: Some(100.0),
        min: 1e-9,
        max: 1e9,
        doc: "quantity of one order",
    },
    ParameterSpec {
        key: "max_inventory",
        unit: "order sizes",
        default: Some(5.0),
        min: 1.0,
        max: 1000.0,
        doc: "position, long or short, beyond which nothing is added",
    },
];

#[derive(Debug)]
struct MyStrategy {
    distance: f64,
    lean: f64,
    sizing: Sizing,
}

impl MyStrategy {
    fn new(parameters: &Parameters) -> Result<Self, ParameterError> {
        Ok(MyStrategy {
            distance: parameters.get("distance")?,
            lean: parameters.get("lean")?,
            sizing: Sizing {
                size: parameters.get("size")?,
                max_inventory: parameters.get("max_inventory")?,
            },
        })
    }

    fn requote(&self, ctx: &mut dyn Context, id: InstrumentId) {
        // The touch is the market without our own orders; there is none on a book in trouble.
        let Some(touch) = Touch::of(ctx, id) else { return ctx.withdraw(id) };
        let Some(mid) = touch.mid() else { return ctx.withdraw(id) };
        let instrument = ctx.instrument(id);
        let tick = instrument.tick.to_f64();
        let inventory = self.sizing.inventory(instrument, ctx.position(id));
        let center = mid - self.lean * tick * inventory;
        let distance = self.distance * tick;
        // Rounds away from the market, keeps out of the other side, minds the inventory limit.
        place(ctx, id, &touch, center - distance, center + distance, &self.sizing);
    }
}

impl Strategy for MyStrategy {
    fn name(&self) -> &'static str {
        SPEC.name
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

    fn hash_into(&self, hasher: &mut StateHasher) {
        // Everything that can change a later decision.
        hasher.word(self.distance.to_bits());
        hasher.word(self.lean.to_bits());
        self.sizing.hash_into(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::{Instrument, Side};
    use strategies::testing::Desk;

    #[test]
    fn quotes_around_the_mid_and_leans() {
        let mut desk = Desk::new(vec![Instrument::share(0, "ARL")]);
        let id = InstrumentId(0);
        desk.set_book(id, &[("10.00", 300)], &[("10.02", 200)]);
        let parameters = Parameters::new(SPEC.parameters, &[("lean", 1.0)]).unwrap();
        let mut strategy = (SPEC.build)(&parameters).unwrap();
        strategy.on_start(&mut desk);

        strategy.on_book(&mut desk, id);
        let best = |desk: &Desk, side| desk.wanted(id).side(side)[0].price.to_string();
        assert_eq!(
            (best(&desk, Side::Buy), best(&desk, Side::Sell)),
            ("9.98".into(), "10.04".into())
        );

        desk.set_net(id, 200);
        strategy.on_book(&mut desk, id);
        assert_eq!(
            (best(&desk, Side::Buy), best(&desk, Side::Sell)),
            ("9.96".into(), "10.02".into())
        );
    }
}
