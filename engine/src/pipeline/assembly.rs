//! From a checked configuration to the parts of a pipeline: the loop's settings, the session's, the
//! market's. No second check happens here.

use crate::config::choice::QueueWord;
use crate::config::trading::TradingConfig;
use crate::config::venue::{BacktestSection, SyntheticConfig};
use crate::config::{BacktestConfig, ClockSource, RunConfig};
use crate::pipeline::market_source::ByLevel;
use crate::pipeline::venue;
use crate::trading::{StrategySetting, TradingSettings, VenueRules};
use market::book::BookLimits;
use market::{Instrument, Nanos};
use rust_decimal::prelude::ToPrimitive;
use sim::{FlowParameters, QueueModel};
use strategies::{ParameterError, QuoterSettings};

/// Most open orders of the loop.
const ORDERS: usize = 4_096;
/// Executions remembered against duplicates.
const EXECUTIONS: usize = 65_536;

/// What differs between the modes of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopMode {
    /// Seed of the strategies' random numbers.
    pub seed: u64,
    /// Tell a stepped venue how far the loop has come.
    pub lockstep: bool,
    /// The feed shows our own orders.
    pub shows_own_orders: bool,
    /// A book silent for longer is Stale.
    pub stale_after: Nanos,
    /// Orders and levels of the books; no orders where the feed tells levels.
    pub books: (usize, usize),
    /// What the venue has not.
    pub venue: VenueRules,
}

impl LoopMode {
    /// A live engine's. The journal's replay takes the same, so nothing here may depend on the
    /// machine. A stepped feed shows the recording as it was, without our orders, and its silence
    /// means nothing: time stands still then.
    #[must_use]
    pub fn of_run(config: &RunConfig) -> LoopMode {
        let stepped = config.clock.source == ClockSource::Feed;
        LoopMode {
            seed: 1,
            lockstep: stepped,
            shows_own_orders: !stepped && config.feed.shows_own_orders(&config.websocket),
            stale_after: if stepped { Nanos::MAX } else { config.feed.stale_ms },
            // Without room for orders, books are by level.
            books: (if config.is_by_level() { 0 } else { config.book.orders }, config.book.levels),
            venue: venue::rules(&config.venue),
        }
    }

    /// A backtest's, on data that tells levels or orders. It comes by no line that could fall
    /// silent: no book goes stale.
    #[must_use]
    pub fn of_backtest(config: &BacktestConfig, by_level: bool) -> LoopMode {
        LoopMode {
            seed: config.backtest.seed,
            lockstep: false,
            shows_own_orders: config.is_synthetic(),
            stale_after: Nanos::MAX,
            books: (if by_level { 0 } else { config.book.orders }, config.book.levels),
            venue: VenueRules::default(),
        }
    }
}

/// Parameters of synthetic flow; `None` if there is no set of that name, which a checked
/// configuration rules out.
#[must_use]
pub fn flow_parameters(config: &SyntheticConfig) -> Option<FlowParameters> {
    let set = FlowParameters::named(&config.parameters)?;
    let rate = config.rate.to_f64()?;
    Some(FlowParameters {
        jump_rate: set.jump_rate * rate,
        provider_rate: set.provider_rate * rate,
        parent_rate: set.parent_rate * rate,
        informed_rate: set.informed_rate * rate,
        ..set
    })
}

/// How our orders live in a recording that tells levels.
#[must_use]
pub fn by_level(config: &BacktestConfig) -> ByLevel {
    let BacktestSection { queue_model, queue_exponent, .. } = &config.backtest;
    let queue = match queue_model {
        QueueWord::RiskAverse => QueueModel::RiskAverse,
        // Its range leaves nothing that is no number.
        QueueWord::Power => QueueModel::Power(queue_exponent.to_f64().unwrap_or(1.0)),
        QueueWord::Log => QueueModel::Log,
    };
    ByLevel { queue, levels: config.book.levels }
}

/// The instruments of a configuration.
#[must_use]
pub fn instruments(trading: &TradingConfig) -> Vec<Instrument> {
    trading.instruments.iter().map(|listed| listed.instrument.clone()).collect()
}

/// The loop's settings.
///
/// # Errors
/// A strategy that refuses its parameters as a whole.
pub fn trading_settings(
    trading: &TradingConfig,
    mode: LoopMode,
) -> Result<TradingSettings, ParameterError> {
    let strategies = trading
        .strategies
        .iter()
        .map(|config| {
            let spec = strategies::find(&config.name).ok_or(ParameterError::Conflict {
                reason: "the strategy of the journal is not one of this build's",
            })?;
            Ok(StrategySetting {
                strategy: (spec.build)(&config.parameters)?,
                instruments: config.instruments.clone(),
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(TradingSettings {
        instruments: instruments(trading),
        limits: trading.limits.iter().copied().map(Some).collect(),
        strategies,
        quoter: QuoterSettings {
            min_move_ticks: trading.quoter.min_move_ticks,
            min_rest: trading.quoter.min_rest_ms,
            refill_below_percent: trading.quoter.refill_below_percent,
            post_only: trading.quoter.post_only,
        },
        books: BookLimits {
            instruments: trading.instruments.len(),
            orders: mode.books.0,
            levels: mode.books.1,
        },
        messages: (trading.session.messages_per_second, trading.session.messages_burst),
        stale_after: mode.stale_after,
        answer_within: trading.session.order_ack_timeout_ms,
        orders: ORDERS,
        executions: EXECUTIONS,
        seed: mode.seed,
        lockstep: mode.lockstep,
        shows_own_orders: mode.shows_own_orders,
        venue: mode.venue,
    })
}
