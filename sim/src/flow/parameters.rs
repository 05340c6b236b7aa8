//! The parameters of synthetic order flow, and the committed sets of them.
//!
//! Distances are in ticks of the instrument, quantities in its lots, times in seconds, so that one
//! set fits every instrument. The sets were fixed by the stylised facts in `tests/stylised_facts.rs`
//! and by two throw-away quoters (one blindly at the touch, which must lose to the informed; one
//! some ticks from the mid, which must earn from sweeps) before any strategy was run on them.

/// What kind of market the flow makes. Rates are per second and instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowParameters {
    /// Middle of the range of starting prices, in the quote currency: each instrument starts at a
    /// seeded price between half and one and a half times this.
    pub start_price: f64,

    /// Volatility of the fair price between jumps: ticks per square root of a second.
    pub volatility: f64,
    /// Jumps of the fair price.
    pub jump_rate: f64,
    /// Mean size of a jump in ticks; sizes are exponential, signs fair.
    pub jump_ticks: f64,

    /// Actions of liquidity providers when nothing happened for long.
    pub provider_rate: f64,
    /// Further actions that each action or trade sets off on average; below 1.
    pub excitation: f64,
    /// How fast the excitement decays, per second.
    pub excitation_decay: f64,
    /// Orders a side that providers keep in the book on average.
    pub provider_orders: f64,
    /// Nearest that providers quote to their view of the fair price, in ticks.
    pub provider_edge: f64,
    /// Mean further distance of their orders, in ticks; distances are exponential.
    pub provider_depth: f64,
    /// Mean size of their orders in lots; sizes are exponential, at least one lot.
    pub provider_lots: f64,
    /// How long providers take to see a move of the fair price: time constant in seconds.
    pub provider_lag: f64,

    /// Parent orders of uninformed takers begun.
    pub parent_rate: f64,
    /// Mean number of children of a parent, all with its sign; geometric.
    pub parent_children: f64,
    /// Mean time between children in seconds.
    pub child_gap: f64,
    /// Mean size of a child in lots.
    pub child_lots: f64,
    /// Share of children that are large and sweep the book.
    pub sweep_share: f64,
    /// How many times larger these are.
    pub sweep_factor: f64,
    /// Mean distance beyond the touch that a child pays at most, in ticks; large ones pay
    /// [`FlowParameters::sweep_factor`] times as much.
    pub child_reach: f64,

    /// Looks that informed takers take at the book.
    pub informed_rate: f64,
    /// Least gain for which they trade, in ticks from the fair price.
    pub informed_edge: f64,
    /// Mean size of their orders in lots.
    pub informed_lots: f64,
}

/// A parameter outside its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BadParameter {
    /// Its name.
    pub name: &'static str,
    /// What it was.
    pub value: f64,
    /// Smallest and largest value it may have.
    pub range: (f64, f64),
}

impl std::fmt::Display for BadParameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let BadParameter { name, value, range: (low, high) } = self;
        write!(f, "flow parameter {name} is {value}; it must be from {low} to {high}")
    }
}

impl std::error::Error for BadParameter {}

impl Default for FlowParameters {
    /// The set `default`: a liquid share, two to three ticks wide.
    fn default() -> Self {
        FlowParameters {
            start_price: 100.0,
            volatility: 0.5,
            jump_rate: 0.15,
            jump_ticks: 2.5,
            provider_rate: 12.0,
            excitation: 0.6,
            excitation_decay: 4.0,
            provider_orders: 30.0,
            provider_edge: 0.1,
            provider_depth: 5.0,
            provider_lots: 100.0,
            provider_lag: 1.2,
            parent_rate: 0.12,
            parent_children: 6.0,
            child_gap: 0.8,
            child_lots: 100.0,
            sweep_share: 0.15,
            sweep_factor: 14.0,
            child_reach: 1.5,
            informed_rate: 10.0,
            informed_edge: 0.1,
            informed_lots: 250.0,
        }
    }
}

impl FlowParameters {
    /// Finds the first parameter outside its range.
    ///
    /// # Errors
    /// [`BadParameter`] with the range.
    pub fn check(&self) -> Result<(), BadParameter> {
        const RATE: (f64, f64) = (0.0, 1e5);
        const SIZE: (f64, f64) = (0.0, 1e9);
        const TICKS: (f64, f64) = (0.0, 1e4);
        let all = [
            ("start_price", self.start_price, (0.0, 1e9)),
            ("volatility", self.volatility, TICKS),
            ("jump_rate", self.jump_rate, RATE),
            ("jump_ticks", self.jump_ticks, TICKS),
            ("provider_rate", self.provider_rate, (1e-3, 1e5)),
            ("excitation", self.excitation, (0.0, 0.99)),
            ("excitation_decay", self.excitation_decay, (1e-3, 1e5)),
            ("provider_orders", self.provider_orders, (1.0, 1e5)),
            ("provider_edge", self.provider_edge, TICKS),
            ("provider_depth", self.provider_depth, TICKS),
            ("provider_lots", self.provider_lots, SIZE),
            ("provider_lag", self.provider_lag, (1e-6, 1e6)),
            ("parent_rate", self.parent_rate, RATE),
            ("parent_children", self.parent_children, (1.0, 1e6)),
            ("child_gap", self.child_gap, (1e-6, 1e6)),
            ("child_lots", self.child_lots, SIZE),
            ("sweep_share", self.sweep_share, (0.0, 1.0)),
            ("sweep_factor", self.sweep_factor, (1.0, 1e6)),
            ("child_reach", self.child_reach, TICKS),
            ("informed_rate", self.informed_rate, RATE),
            ("informed_edge", self.informed_edge, TICKS),
            ("informed_lots", self.informed_lots, SIZE),
        ];
        match all.into_iter().find(|(_, value, (low, high))| !(low..=high).contains(&value)) {
            Some((name, value, range)) => Err(BadParameter { name, value, range }),
            None => Ok(()),
        }
    }

    /// Names of the committed sets.
    pub const NAMES: [&'static str; 3] = ["calm", "default", "volatile"];

    /// A committed set: `calm` (slow, narrow, few jumps), `default`, `volatile` (fast, wide, many
    /// jumps); `None` for another name.
    ///
    /// ```
    /// use sim::FlowParameters;
    /// assert_eq!(FlowParameters::named("default"), Some(FlowParameters::default()));
    /// assert_eq!(FlowParameters::named("wild"), None);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<FlowParameters> {
        let default = FlowParameters::default();
        match name {
            "default" => Some(default),
            "calm" => Some(FlowParameters {
                volatility: 0.3,
                jump_rate: 0.14,
                jump_ticks: 2.2,
                provider_rate: 6.0,
                provider_lag: 1.8,
                parent_rate: 0.07,
                ..default
            }),
            "volatile" => Some(FlowParameters {
                volatility: 1.0,
                jump_rate: 0.4,
                jump_ticks: 3.0,
                provider_rate: 25.0,
                provider_edge: 0.2,
                provider_depth: 6.0,
                provider_lag: 0.8,
                parent_rate: 0.3,
                informed_rate: 15.0,
                ..default
            }),
            _ => None,
        }
    }
}
