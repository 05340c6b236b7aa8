//! Market events in, wanted quotes out: the strategies and the quoter.
//!
//! A strategy says which quotes should stand ([`Context::quote`]); the [`Quoter`] turns that into
//! the fewest commands. No strategy knows where its events come from or where its orders go, so
//! the same object runs live, replayed and backtested. Modules stand in reading order.
//!
//! Parameters, by one convention: prices in units of the quote currency, times in seconds,
//! quantities in whole units of the instrument.

// A strategy file copied into this crate keeps its `use strategies::…`.
extern crate self as strategies;

pub mod context;
pub mod parameters;
pub mod quoter;
pub mod strategy;

pub use context::{Context, NewOrder, Quote, Refused};
pub use parameters::{ParameterError, ParameterSpec, Parameters};
pub use quoter::{Action, BadQuote, MAX_LEVELS, MAX_OPEN, Plan, Quoter, QuoterSettings, Wanted};
pub use strategy::{Fill, Strategy, TimerId};
