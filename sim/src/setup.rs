//! What a venue is built with: limits, policies, the run it belongs to, and what can be wrong.

use market::{Instrument, Liquidity, Price, Qty};
use std::fmt;

/// Sizes of the venue's tables; all memory is taken at construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeLimits {
    /// Accounts: ids from 0 to one below this.
    pub accounts: usize,
    /// Open orders in all, recorded ones of an overlay included. One more is rejected (`Limit`).
    pub orders: usize,
    /// Open orders of one account.
    pub orders_per_account: usize,
    /// Price levels on one side of one instrument.
    pub levels: usize,
    /// Runs of consecutive request ids remembered per account. Counted ids need one run for each
    /// start of their owner; scattered ids need one each.
    pub id_runs: usize,
}

impl Default for ExchangeLimits {
    fn default() -> Self {
        ExchangeLimits {
            accounts: 8,
            orders: 65_536,
            orders_per_account: 16_384,
            levels: 1_024,
            id_runs: 16_384,
        }
    }
}

/// What happens when an order would trade with one of its own account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfTradePolicy {
    /// The resting order is canceled and matching goes on.
    #[default]
    CancelResting,
    /// The incoming order or replace is refused as a whole before it trades.
    RejectIncoming,
}

/// Which run of the venue this is, so that no id is given twice over restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First word of every `VenueOrderId` and `ExecId`: grows at every start.
    pub epoch: u64,
    /// The first public order number; above every number of the same market data session.
    pub first_order: u64,
}

impl Default for Run {
    fn default() -> Self {
        Run { epoch: 1, first_order: 1 }
    }
}

/// Why a venue cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupError {
    /// Instrument ids must be 0, 1, 2, … in the order of the list.
    InstrumentId {
        /// Symbol of the instrument.
        symbol: String,
        /// The id it should have.
        expected: usize,
    },
    /// Tick, lot and smallest quantity must be positive.
    Step {
        /// Symbol of the instrument.
        symbol: String,
    },
    /// The largest order's value or fee leaves the range of exact arithmetic.
    Value {
        /// Symbol of the instrument.
        symbol: String,
    },
    /// A limit must be at least 1, and tables at most 2^31 entries.
    Limit,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetupError::InstrumentId { symbol, expected } => {
                write!(f, "{symbol}: its id must be {expected}, its place in the list")
            }
            SetupError::Step { symbol } => {
                write!(f, "{symbol}: tick, lot and lowest quantity must be above zero")
            }
            SetupError::Value { symbol } => write!(
                f,
                "{symbol}: value or fee of the largest order overflows; narrow its bounds"
            ),
            SetupError::Limit => {
                write!(f, "every limit must be at least 1 and at most 2147483648")
            }
        }
    }
}

impl std::error::Error for SetupError {}

impl ExchangeLimits {
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        let all = [self.accounts, self.orders, self.orders_per_account, self.levels, self.id_runs];
        if all.iter().any(|&limit| limit == 0 || limit > 1 << 31) {
            return Err(SetupError::Limit);
        }
        Ok(())
    }
}

/// After this, the fee and value of every valid order can be computed, and fit a report.
pub(crate) fn check_instruments(instruments: &[Instrument]) -> Result<(), SetupError> {
    for (expected, instrument) in instruments.iter().enumerate() {
        let symbol = || instrument.symbol.clone();
        if instrument.id.index() != expected {
            return Err(SetupError::InstrumentId { symbol: symbol(), expected });
        }
        let positive = instrument.tick > Price::ZERO
            && instrument.lot.is_positive()
            && instrument.qty_bounds.0.is_positive();
        if !positive {
            return Err(SetupError::Step { symbol: symbol() });
        }
        // Value is monotone in price on each side of zero: the extremes stand at the bounds, and
        // for an inverse contract at the smallest price that is not zero.
        let (low, high) = instrument.price_bounds;
        let largest: Qty = instrument.qty_bounds.1;
        let computable = [low, high].into_iter().all(|price| {
            [Liquidity::Maker, Liquidity::Taker].into_iter().all(|liquidity| {
                instrument
                    .fee(price, largest, liquidity)
                    .is_some_and(|fee| i64::try_from(fee.raw() / 1_000_000_000).is_ok())
            })
        });
        if !computable {
            return Err(SetupError::Value { symbol: symbol() });
        }
    }
    Ok(())
}
