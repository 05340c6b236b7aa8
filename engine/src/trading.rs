//! The trading loop: market event → book → strategy → quoter → risk → command.
//!
//! A state machine without I/O. It decides only from the inputs it is given, each with the time,
//! and every input is journaled by its driver, so that a replay makes the same decisions. It may
//! name `strategies` and no other room. Modules stand in reading order.

pub mod control;
pub mod counters;
pub mod fills;
pub mod orders;
pub mod account;
pub mod rate;
pub mod risk;
pub mod timers;
pub mod settings;
pub mod opening;
pub mod desk;
pub mod trading_loop;

pub use account::Account;
pub use control::{Control, ControlKind};
pub use counters::Counters;
pub use opening::OpeningState;
pub use settings::{StrategySetting, TradingSettings, VenueRules};
pub use trading_loop::{Outlet, TradingLoop};
