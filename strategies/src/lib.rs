//! Market events in, wanted quotes out: the strategies and the quoter.
//!
//! A strategy says which quotes should stand ([`Context::quote`]); the [`Quoter`] turns that into
//! the fewest commands. No strategy knows where its events come from or where its orders go, so
//! the same object runs live, replayed and backtested.
//!
//! Parameters, by one convention: prices in units of the quote currency, times in seconds,
//! quantities in whole units of the instrument.

// A strategy file copied into this crate keeps its `use strategies::…`.
extern crate self as strategies;

pub mod avellaneda_stoikov;
pub mod builtins;
pub mod context;
pub mod glft;
pub mod glft_exact;
pub mod joiner;
pub mod maker;
pub mod parameters;
pub mod placing;
pub mod quoter;
pub mod strategy;
pub mod testing;
pub mod touch;
pub mod volatility;

pub use builtins::{STRATEGIES, StrategySpec, find};
pub use context::{Context, NewOrder, Quote, Refused};
pub use glft_exact::ExactQuotes;
pub use maker::Distances;
pub use parameters::{ParameterError, ParameterSpec, Parameters};
pub use placing::{Sizing, place};
pub use quoter::{Action, BadQuote, MAX_LEVELS, MAX_OPEN, Plan, Quoter, QuoterSettings, Wanted};
pub use strategy::{Fill, Strategy, TimerId};
pub use touch::Touch;
pub use volatility::Volatility;

/// The template compiles where it will be copied to.
#[cfg(test)]
#[path = "../templates/my_strategy.rs"]
pub mod template;

/// The code of the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/writing-a-strategy.md")]
pub struct WritingAStrategy;
