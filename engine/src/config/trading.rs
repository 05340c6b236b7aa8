//! What the trading loop is built from: instruments, strategies, the quoter, and limits. Shared by
//! live runs, replays and backtests.
//!
//! It fails closed: an instrument without limits is a refused configuration.

use super::document::Document;
use super::instruments::{Listed, Listing};
use super::key::{Section, Table};
use super::limits::{self, Limits};
use super::problem::Problems;
use super::sections::{InstrumentLimits, QuoterConfig, SessionLimits, StrategySection};
use super::strategy::{self, Choice, StrategyConfig};

/// What every mode of the trading loop is configured with.
#[derive(Clone, Debug, PartialEq)]
pub struct TradingConfig {
    /// The instruments, by id.
    pub instruments: Vec<Listed>,
    /// Strategy instances; no two quote the same instrument.
    pub strategies: Vec<StrategyConfig>,
    /// How quotes follow wishes.
    pub quoter: QuoterConfig,
    /// Limits by instrument id.
    pub limits: Vec<Limits>,
    /// Limits of the session.
    pub session: SessionLimits,
}

/// The sections read here.
pub(crate) const TABLES: [Table; 4] =
    [StrategySection::TABLE, QuoterConfig::TABLE, InstrumentLimits::TABLE, SessionLimits::TABLE];

/// Reads strategies, quoter and limits; `None` when something is wrong, which `problems` holds.
pub(crate) fn read(
    document: &Document<'_>,
    listing: Listing,
    choice: Choice<'_>,
    problems: &mut Problems,
) -> Option<TradingConfig> {
    let strategies = strategy::read_all(document, &listing, choice, problems);
    let quoter = document.section(problems);
    let risk = limits::read_all(document, &listing, problems);
    let (session, limits) = risk?;
    let whole = !listing.incomplete;
    whole.then_some(TradingConfig {
        instruments: listing.listed,
        strategies,
        quoter: quoter?,
        limits,
        session,
    })
}
