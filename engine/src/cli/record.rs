//! Arguments of `touchline record`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `touchline record`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  touchline record config/demo.toml today.events
  touchline record config/demo.toml minute.events --for 60
  touchline inspect today.events

Opens the feed of a run's configuration and nothing else of it: no strategy, no order session. Gaps,
recoveries and losses are in the file as events. SIGINT and SIGTERM end it well. If it is killed,
what came until half a second before can be read. What the feed complains of is shown when it changes.
Exit codes: 0 well, 3 the configuration is wrong, 4 no market data came, the file cannot be written
(what was written before can be read) or the feed cannot be had.")]
pub struct RecordArgs {
    /// A run's configuration, for its feed and instruments
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// The event file, which must not be there yet
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Stop after so many seconds
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub seconds: Option<u64>,
}
