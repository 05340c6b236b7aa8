//! Everyone who trades one instrument: the fair price, providers, uninformed and informed takers.
//!
//! The fair price is a martingale that only informed takers see at once. Providers see it with a
//! lag and quote around their view; uninformed takers never see it. Each of them acts at times of
//! its own; the providers' are self-exciting (Hawkes, exponential kernel, by thinning: Y. Ogata,
//! IEEE Trans. Inf. Theory 27, 1981).

use super::broker::Broker;
use super::draw::{exponential, normal, sign};
use super::{FlowParameters, INFORMED, UNINFORMED};
use market::{Instrument, InstrumentId, OrderId, Price, Qty, Rng, Side, StateHasher};

/// Parents of uninformed takers under way at once; one more is not begun.
const PARENTS: usize = 16;

/// A provider's order.
#[derive(Clone, Copy, Debug)]
struct Quote {
    id: OrderId,
    side: Side,
    ticks: f64,
}

/// A parent order of an uninformed taker.
#[derive(Clone, Copy, Debug)]
struct Parent {
    side: Side,
    next: f64,
    children: u32,
}

/// The traders of one instrument. Times are seconds since the flow began.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    id: InstrumentId,
    tick: i64,
    lot: i64,
    qty_bounds: (i64, i64),
    /// Lowest and highest fair price, in ticks.
    bounds: (f64, f64),
    parameters: FlowParameters,
    rng: Rng,
    now: f64,
    /// In ticks.
    fair: f64,
    /// Where providers think the fair price is, in ticks.
    view: f64,
    /// Excitement of providers, in actions per second, at `now`.
    excitement: f64,
    quotes: Vec<Quote>,
    parents: Vec<Parent>,
    provider_next: f64,
    /// Intensity with which `provider_next` was drawn.
    provider_bound: f64,
    parent_next: f64,
    informed_next: f64,
    jump_next: f64,
    opened: bool,
}

impl Crowd {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn new(instrument: &Instrument, parameters: &FlowParameters, mut rng: Rng) -> Self {
        let tick = instrument.tick.raw();
        let (low, high) = instrument.price_bounds;
        // Room for the book on both sides of the fair price.
        let margin = 20.0 * (parameters.provider_edge + parameters.provider_depth);
        let low = low.raw() as f64 / tick as f64 + margin;
        let high = (high.raw() as f64 / tick as f64 - margin).max(low);
        let start = parameters.start_price * (0.5 + rng.unit()) * 1e9 / tick as f64;
        let fair = start.clamp(low, high);
        let mut crowd = Crowd {
            id: instrument.id,
            tick,
            lot: instrument.lot.raw(),
            qty_bounds: (instrument.qty_bounds.0.raw(), instrument.qty_bounds.1.raw()),
            bounds: (low, high),
            parameters: *parameters,
            now: 0.0,
            fair,
            view: fair,
            excitement: 0.0,
            quotes: Vec::with_capacity((parameters.provider_orders * 8.0) as usize + 64),
            parents: Vec::with_capacity(PARENTS),
            provider_next: 0.0,
            provider_bound: f64::MIN_POSITIVE,
            parent_next: exponential(&mut rng, 1.0 / parameters.parent_rate),
            informed_next: exponential(&mut rng, 1.0 / parameters.informed_rate),
            jump_next: exponential(&mut rng, 1.0 / parameters.jump_rate),
            opened: false,
            rng,
        };
        crowd.provider_bound = crowd.parameters.provider_rate;
        crowd
    }

    /// When somebody acts next.
    pub(super) fn next(&self) -> f64 {
        let children = self.parents.iter().map(|parent| parent.next);
        [self.provider_next, self.parent_next, self.informed_next, self.jump_next]
            .into_iter()
            .chain(children)
            .fold(f64::INFINITY, f64::min)
    }

    /// Puts the fair price of a market that has not opened yet, in the quote currency.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn open_at(&mut self, price: f64) {
        if !self.opened && price.is_finite() {
            let ticks = price * 1e9 / self.tick as f64;
            self.fair = ticks.clamp(self.bounds.0, self.bounds.1);
            self.view = self.fair;
        }
    }

    /// The fair price in the quote currency.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn fair(&self) -> f64 {
        self.fair * self.tick as f64 * 1e-9
    }

    /// Lets whoever acts at [`Crowd::next`] act.
    pub(super) fn act(&mut self, broker: &mut Broker<'_>) {
        let at = self.next();
        self.advance(at);
        if self.jump_next <= at {
            let size = exponential(&mut self.rng, self.parameters.jump_ticks);
            self.fair += size * sign(&mut self.rng);
            self.jump_next = at + exponential(&mut self.rng, 1.0 / self.parameters.jump_rate);
        }
        if self.parent_next <= at {
            self.begin_parent();
        }
        if self.informed_next <= at {
            self.informed_next =
                at + exponential(&mut self.rng, 1.0 / self.parameters.informed_rate);
            self.informed(broker);
        }
        for index in (0..self.parents.len()).rev() {
            if self.parents[index].next <= at {
                self.child(index, broker);
            }
        }
        if self.provider_next <= at {
            let intensity = self.parameters.provider_rate + self.excitement;
            let accepted = self.rng.unit() * self.provider_bound < intensity;
            if accepted {
                self.provide(broker);
                self.excite();
            }
            self.draw_provider();
        }
    }

    /// Moves fair price, providers' view and excitement to time `at`.
    fn advance(&mut self, at: f64) {
        let dt = (at - self.now).max(0.0);
        self.now = at;
        self.view += (self.fair - self.view) * -libm::expm1(-dt / self.parameters.provider_lag);
        let step = self.parameters.volatility * libm::sqrt(dt) * normal(&mut self.rng);
        self.fair = (self.fair + step).clamp(self.bounds.0, self.bounds.1);
        self.excitement *= libm::exp(-dt * self.parameters.excitation_decay);
    }

    fn excite(&mut self) {
        self.excitement += self.parameters.excitation * self.parameters.excitation_decay;
    }

    /// Draws the providers' next candidate; excitement only falls until then.
    fn draw_provider(&mut self) {
        self.provider_bound = self.parameters.provider_rate + self.excitement;
        self.provider_next = self.now + exponential(&mut self.rng, 1.0 / self.provider_bound);
    }

    /// A trade excites the providers: their candidate is drawn anew.
    fn excite_by_trade(&mut self) {
        self.excite();
        self.draw_provider();
    }

    /// One action of the providers: withdraw what stands too near, then place or cancel one.
    fn provide(&mut self, broker: &mut Broker<'_>) {
        self.quotes.retain(|quote| broker.is_open(quote.id));
        if !self.opened {
            self.opened = true;
            let mut left = self.parameters.provider_orders * 2.0;
            while left > 0.0 {
                self.place(broker);
                left -= 1.0;
            }
            return;
        }
        for side in Side::BOTH {
            self.withdraw_stale(side, broker);
        }
        let target = self.parameters.provider_orders * 2.0;
        #[allow(clippy::cast_precision_loss)]
        let filled = self.quotes.len() as f64 / target;
        if self.rng.chance((0.5 * filled).min(0.95)) {
            let index = self.rng.below(self.quotes.len() as u64);
            #[allow(clippy::cast_possible_truncation)]
            self.cancel(index as usize, broker);
        } else {
            self.place(broker);
        }
    }

    /// Cancels the nearest quote of a side if it stands nearer to the view than half the edge.
    fn withdraw_stale(&mut self, side: Side, broker: &mut Broker<'_>) {
        let distance = |quote: &Quote| (self.view - quote.ticks) * side_sign(side);
        let nearest = (0..self.quotes.len())
            .filter(|&index| self.quotes[index].side == side)
            .min_by(|&a, &b| distance(&self.quotes[a]).total_cmp(&distance(&self.quotes[b])));
        if let Some(index) = nearest
            && distance(&self.quotes[index]) < 0.5 * self.parameters.provider_edge
        {
            self.cancel(index, broker);
        }
    }

    fn cancel(&mut self, index: usize, broker: &mut Broker<'_>) {
        if index < self.quotes.len() {
            let quote = self.quotes.swap_remove(index);
            broker.cancel(quote.id, self.id, quote.side);
        }
    }

    /// Places one provider's order, post-only, at an exponential distance from the view.
    fn place(&mut self, broker: &mut Broker<'_>) {
        if self.quotes.len() == self.quotes.capacity() {
            return;
        }
        let side = if self.rng.chance(0.5) { Side::Buy } else { Side::Sell };
        let parameters = &self.parameters;
        let away = parameters.provider_edge + exponential(&mut self.rng, parameters.provider_depth);
        let ticks = match side {
            Side::Buy => (self.view - away).floor(),
            Side::Sell => (self.view + away).ceil(),
        };
        let qty = self.quantity(self.parameters.provider_lots);
        let id = broker.provide(self.id, side, self.price(ticks), qty);
        if broker.is_open(id) {
            self.quotes.push(Quote { id, side, ticks });
        }
    }

    fn begin_parent(&mut self) {
        let parameters = self.parameters;
        self.parent_next = self.now + exponential(&mut self.rng, 1.0 / parameters.parent_rate);
        let children = 1.0 + exponential(&mut self.rng, parameters.parent_children - 1.0).round();
        let side = if self.rng.chance(0.5) { Side::Buy } else { Side::Sell };
        if self.parents.len() < PARENTS {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            self.parents.push(Parent { side, next: self.now, children: children as u32 });
        }
    }

    /// The next child of a parent takes what stands within its reach.
    fn child(&mut self, index: usize, broker: &mut Broker<'_>) {
        let parameters = self.parameters;
        let sweeps = self.rng.chance(parameters.sweep_share);
        let factor = if sweeps { parameters.sweep_factor } else { 1.0 };
        let qty = self.quantity(parameters.child_lots * factor);
        let reach = exponential(&mut self.rng, parameters.child_reach * factor).floor();
        let gap = exponential(&mut self.rng, parameters.child_gap);
        let parent = &mut self.parents[index];
        let side = parent.side;
        parent.children -= 1;
        parent.next = self.now + gap;
        if parent.children == 0 {
            self.parents.swap_remove(index);
        }
        if let Some(touch) = broker.touch(self.id, side.opposite()) {
            let limit = self.ticks(touch) + reach * side_sign(side);
            broker.take(UNINFORMED, self.id, side, self.price(limit), qty);
            self.excite_by_trade();
        }
    }

    /// Informed takers take what is cheaper than the fair price by their edge.
    fn informed(&mut self, broker: &mut Broker<'_>) {
        for side in Side::BOTH {
            let Some(touch) = broker.touch(self.id, side.opposite()) else { continue };
            let limit = match side {
                Side::Buy => (self.fair - self.parameters.informed_edge).floor(),
                Side::Sell => (self.fair + self.parameters.informed_edge).ceil(),
            };
            if side.crosses(self.price(limit), touch) {
                let qty = self.quantity(self.parameters.informed_lots);
                broker.take(INFORMED, self.id, side, self.price(limit), qty);
                self.excite_by_trade();
            }
        }
    }

    /// An exponential number of lots, at least one, within the instrument's bounds.
    #[allow(clippy::cast_possible_truncation)]
    fn quantity(&mut self, mean_lots: f64) -> Qty {
        let lots = exponential(&mut self.rng, mean_lots).ceil().clamp(1.0, 1e12) as i64;
        let (low, high) = self.qty_bounds;
        let up = low.saturating_add(self.lot - 1) / self.lot * self.lot;
        let down = high / self.lot * self.lot;
        Qty::from_raw(lots.saturating_mul(self.lot).min(down).max(up))
    }

    #[allow(clippy::cast_possible_truncation)]
    fn price(&self, ticks: f64) -> Price {
        Price::from_raw((ticks as i64).saturating_mul(self.tick))
    }

    #[allow(clippy::cast_precision_loss)]
    fn ticks(&self, price: Price) -> f64 {
        (price.raw() / self.tick) as f64
    }

    pub(super) fn hash_into(&self, hasher: &mut StateHasher) {
        self.rng.hash_into(hasher);
        for number in [
            self.now,
            self.fair,
            self.view,
            self.excitement,
            self.provider_next,
            self.parent_next,
            self.informed_next,
            self.jump_next,
        ] {
            hasher.word(number.to_bits());
        }
        for quote in &self.quotes {
            hasher.word(quote.id.0);
        }
        for parent in &self.parents {
            hasher.word(parent.next.to_bits());
            hasher.word(u64::from(parent.children));
        }
    }
}

fn side_sign(side: Side) -> f64 {
    if side == Side::Buy { 1.0 } else { -1.0 }
}
