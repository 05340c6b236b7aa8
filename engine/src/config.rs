//! Configuration: files to structures that cannot be wrong.
//!
//! Every key is described once (`sections.rs`, `venue.rs`) and that description reads it, explains
//! it in errors, documents it in `config/reference.toml` and writes it back. All that is wrong is
//! reported at once. After start everything takes the validated structures; nothing outside this
//! module reads a configuration file.
//!
//! ```
//! let errors = engine::config::RunConfig::from_resolved("kind = \"run\"\n[risk]\nmax_ordr_qty = 5\n")
//!     .unwrap_err();
//! assert!(errors.to_string().contains("did you mean `max_order_qty`?"));
//! ```

pub mod backtest;
pub mod builtin;
pub mod choice;
pub mod cores;
pub mod drop_copy;
pub mod exchange;
pub mod feed;
pub mod fix_choices;
pub mod fix_words;
pub mod instruments;
pub mod limits;
pub mod profile;
pub mod profile_sections;
pub mod reference;
pub mod run;
pub mod sections;
pub mod special;
pub mod strategy;
pub mod subscription;
pub mod trading;
pub mod transport;
pub mod websocket;
pub mod venue;

mod document;
mod key;
mod load;
mod ports;
mod problem;
mod reader;
mod resolved;
mod sessions;
mod suggest;
mod value;

pub use crate::runtime::stage::Idle;
pub use backtest::{BacktestChanges, BacktestConfig};
pub use choice::{
    Acknowledged, BacktestClock, ClockSource, Durability, Environment, FlowKind, Kind, LogLevel,
    Protocol, Start, Tls,
};
pub use document::FILE_BYTES_MAX;
pub use drop_copy::DropCopyConfig;
pub use exchange::{ExchangeChanges, ExchangeConfig};
pub use instruments::Listed;
pub use limits::Limits;
pub use load::Config;
pub use problem::ConfigErrors;
pub use profile::ProfileConfig;
pub use run::RunConfig;
pub use special::{Core, Endpoint, Metrics, SessionDay, Speed, TimeOfDay, parse_date};
pub use strategy::StrategyConfig;
pub use trading::TradingConfig;
pub use transport::TransportConfig;
pub use websocket::WebsocketFeedConfig;
pub use wire::Backend;

use std::collections::BTreeSet;
use std::path::Path;

/// Reads and judges the file at `path`, of whatever kind, for a machine with these CPUs.
///
/// # Errors
/// Everything that is wrong, rendered by [`ConfigErrors::render`].
pub fn load(path: &Path, cpus: &BTreeSet<usize>) -> Result<Config, ConfigErrors> {
    let changes = &load::Changes::default();
    let files = &document::from_disk;
    load::Reading { files, cpus: Some(cpus), want: None, changes }.file(path)
}
