//! Everything the loop is built from. Valid by construction: it comes from a checked
//! configuration, and a journal holds it.

use crate::trading::risk::Limits;
use market::book::BookLimits;
use market::{Instrument, InstrumentId, Nanos};
use strategies::{QuoterSettings, Strategy};

/// One strategy instance and what it quotes.
pub struct StrategySetting {
    /// The instance.
    pub strategy: Box<dyn Strategy>,
    /// Its instruments; no other instance has any of them.
    pub instruments: Vec<InstrumentId>,
}

/// What a venue has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueRules {
    /// An order's price and quantity can be changed; else it is canceled and a new one follows.
    pub replaces: bool,
    /// There is no mass status: each order that may be open is asked about.
    pub asks_each_order: bool,
}

impl Default for VenueRules {
    /// A venue that has everything.
    fn default() -> VenueRules {
        VenueRules { replaces: true, asks_each_order: false }
    }
}

/// The loop's settings.
pub struct TradingSettings {
    /// Every instrument, at the place its id says.
    pub instruments: Vec<Instrument>,
    /// Limits by instrument; `None` refuses every order.
    pub limits: Vec<Option<Limits>>,
    /// The strategies.
    pub strategies: Vec<StrategySetting>,
    /// How quotes follow.
    pub quoter: QuoterSettings,
    /// Sizes of the books; by level if they may keep no order.
    pub books: BookLimits,
    /// Most messages a second, and at once.
    pub messages: (u32, u32),
    /// A book silent for longer is Stale.
    pub stale_after: Nanos,
    /// An order without an answer for longer is Unknown.
    pub answer_within: Nanos,
    /// Most open orders.
    pub orders: usize,
    /// Executions remembered against duplicates.
    pub executions: usize,
    /// Seed of the strategies' random numbers.
    pub seed: u64,
    /// Say after each packet how far the loop has come, for a stepped venue.
    pub lockstep: bool,
    /// The feed shows our own orders in the book.
    pub shows_own_orders: bool,
    /// What the venue has not.
    pub venue: VenueRules,
}
