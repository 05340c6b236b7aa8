//! Arguments of `touchline convert`.

use clap::Args;
use market::Timestamp;
use std::path::PathBuf;

/// Arguments of `touchline convert`.
#[derive(Clone, Debug, Args)]
#[command(
    override_usage = "touchline convert [OPTIONS] <IN>... <OUT>",
    after_help = "Examples:
  touchline convert ARL_20250717.derived.itch50.gz --day 2025-07-17T04:00:00 arl.events
  touchline convert monday.pcap.gz tuesday.pcap.gz week.events
  touchline convert btcusdt_20240808.gz btcusdt_20240809.gz two.events
  touchline inspect week.events --head 5

Many inputs become one file in order of time: when a unit was received, or the venue's time where
the recording does not say. Files of Binance, Coinbase and Kraken that go on in a later one are read
as one with it. docs/feeds.md lists what is read, docs/journal.md has the bytes of an
event file. Exit codes: 0 all was read, 4 an input cannot be read to its end (what was read before
is in the file) or nothing was written."
)]
pub struct ConvertArgs {
    /// Recordings, and last the event file, which must not be there yet
    // One list: two would not let an option stand between them.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Midnight in UTC of the venue's day, for stamps that are times of day: YYYY-MM-DD, or
    /// YYYY-MM-DDTHH:MM:SS
    #[arg(long, value_name = "DAY", value_parser = super::inspect::parse_day)]
    pub day: Option<Timestamp>,
    /// Books by order where messages tell orders beside levels (CME MDP 3.0)
    #[arg(long)]
    pub by_order: bool,
}
