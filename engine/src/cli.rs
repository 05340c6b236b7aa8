//! The command line: every subcommand with its arguments, help and example, and what they change
//! in a configuration.
//!
//! It must never do the work itself.

mod convert;
mod inspect;
mod record;

pub use convert::ConvertArgs;
pub use inspect::{BookAt, InspectArgs};
pub use record::RecordArgs;

use crate::config::{
    BacktestChanges, BacktestConfig, ConfigErrors, ExchangeChanges, ExchangeConfig, RunConfig,
    Speed,
};
use clap::{Args, Parser, Subcommand};
use market::Nanos;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Well.
    Well = 0,
    /// A replay or a comparison found a difference; the doctor found what costs latency; a message
    /// of FIX is wrong.
    Differs = 1,
    /// The command line is wrong; clap ends with the same code.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// A failure at run time.
    Failure = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

const EXIT_CODES: &str = "\
Exit codes: 0 well, 1 differs (replay), warnings (doctor) or wrong messages (fix), 2 usage,
3 configuration, 4 failure.

Example:
  touchline                              the demo: exchange and engine for 15 seconds
  touchline exchange config/exchange.toml
  touchline run config/demo.toml         in another terminal";

/// A low-latency market-making engine: market data in, quotes out, every hop measured.
///
/// Without a subcommand it runs the demo: an embedded exchange with synthetic order flow, and the
/// engine against it, over loopback sockets.
#[derive(Clone, Debug, Parser)]
#[command(name = "touchline", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// What to do; `demo` when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// The subcommand, or the demo.
    #[must_use]
    pub fn chosen(self) -> Command {
        self.command.unwrap_or_else(|| Command::Demo(DemoArgs::default()))
    }
}

/// A subcommand.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run the embedded exchange and the engine against it, then print a report.
    Demo(DemoArgs),
    /// Run the demo exchange: matching, FIX order entry, ITCH market data.
    Exchange(ExchangeArgs),
    /// Run the engine against an exchange.
    Run(RunArgs),
    /// Run the trading loop over a journal and compare every decision.
    Replay(ReplayArgs),
    /// Run a strategy on synthetic or recorded data in virtual time.
    Backtest(BacktestArgs),
    /// Say what a recording is and what is in it.
    Inspect(InspectArgs),
    /// Turn recordings into one event file.
    Convert(ConvertArgs),
    /// Write the live market data of a run's feed into an event file; trades nothing.
    Record(RecordArgs),
    /// Judge a configuration file and show what it would run.
    Check(CheckArgs),
    /// Check the host: what it costs an engine, and how to mend it.
    Doctor(DoctorArgs),
    /// Show raw FIX field by field: a log, a capture, a journal, a pipe.
    Fix(FixArgs),
    /// Talk to a running engine.
    Ctl(CtlArgs),
}

/// Arguments of `touchline demo`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  touchline demo --seconds 60 --seed 7")]
pub struct DemoArgs {
    /// How long to quote
    #[arg(long, value_name = "N", default_value_t = 15,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Seed of the order flow
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

impl Default for DemoArgs {
    fn default() -> Self {
        DemoArgs { seconds: 15, seed: 1 }
    }
}

/// Arguments of `touchline exchange`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  touchline exchange config/exchange.toml
  touchline exchange config/exchange-arl.toml --replay ARL_20250717.derived.itch50.gz --speed 100")]
pub struct ExchangeArgs {
    /// Its configuration; the built-in one when absent
    #[arg(value_name = "CONFIG")]
    pub config: Option<PathBuf>,
    /// Publish a recorded day (ITCH 5.0, BinaryFILE or capture) instead of synthetic flow
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// Times the recorded speed, or `max`
    #[arg(long, value_name = "N|max", requires = "replay")]
    pub speed: Option<Speed>,
    /// Publish the next packet only when the engine has answered the last
    #[arg(long, requires = "replay")]
    pub lockstep: bool,
    /// Forget the last market data session and FIX store
    #[arg(long)]
    pub fresh: bool,
}

/// Arguments of `touchline run`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  touchline run config/demo.toml --seconds 60")]
pub struct RunArgs {
    /// Its configuration
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Stop after so many seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub seconds: Option<u64>,
    /// Send real orders: needed for a venue of production
    #[arg(long)]
    pub production: bool,
}

/// Arguments of `touchline replay`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  touchline replay touchline-data/engine/journal
  touchline replay touchline-data/engine/journal --print --instrument TLA --from 13:30:00

Ends with \"identical\" (exit code 0), or with the first difference (exit code 1).")]
pub struct ReplayArgs {
    /// Folder of the journal
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Show the records as text instead
    #[arg(long)]
    pub print: bool,
    /// Only what concerns this order id
    #[arg(long, value_name = "ID", requires = "print")]
    pub order: Option<u64>,
    /// Only what concerns this symbol
    #[arg(long, value_name = "SYM", requires = "print")]
    pub instrument: Option<String>,
    /// Only from this time on: HH:MM:SS, or YYYY-MM-DDTHH:MM:SS, in UTC
    #[arg(long, value_name = "T", requires = "print", value_parser = parse_moment)]
    pub from: Option<Moment>,
    /// Only up to this time
    #[arg(long, value_name = "T", requires = "print", value_parser = parse_moment)]
    pub to: Option<Moment>,
}

/// A time in UTC, on a day or on the journal's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Midnight of the day, if one was given.
    pub day: Option<market::Timestamp>,
    /// Time of day.
    pub time: Nanos,
}

fn parse_moment(text: &str) -> Result<Moment, String> {
    let wrong =
        || "give HH:MM:SS or YYYY-MM-DDTHH:MM:SS, with up to 9 digits of a second".to_owned();
    let (day, time) = match text.trim_end_matches('Z').split_once('T') {
        Some((day, time)) => (Some(crate::config::parse_date(day).ok_or_else(wrong)?), time),
        None => (None, text),
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let digits = fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanos: u64 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
    let time = crate::config::TimeOfDay::parse(time).filter(|_| digits).ok_or_else(wrong)?;
    Ok(Moment { day, time: Nanos::new(time.0.get() + nanos) })
}

/// Arguments of `touchline backtest`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  touchline backtest --strategy glft --seed 7
  touchline backtest config/backtest.toml --seconds 3600
  touchline backtest --data ARL_20250717.derived.itch50.gz --strategy joiner
  touchline backtest --data monday.events --data tuesday.events
  touchline backtest config/backtest-binance.toml --data btcusdt_20240808.gz")]
pub struct BacktestArgs {
    /// Its configuration; the built-in one when absent
    #[arg(value_name = "CONFIG")]
    pub config: Option<PathBuf>,
    /// A recorded day that keeps a book, by order or by level (see `touchline inspect`), or
    /// `synthetic`; again for each day that follows
    #[arg(long, value_name = "FILE|synthetic")]
    pub data: Vec<PathBuf>,
    /// Run this strategy of the configuration instead of those it enables
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// Quote the instruments of this file instead
    #[arg(long, value_name = "FILE")]
    pub instruments: Option<PathBuf>,
    /// Seed of the run
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Simulated time of a synthetic run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub seconds: Option<u64>,
}

/// Arguments of `touchline check`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  touchline check config/demo.toml

Every key is described in config/reference.toml.")]
pub struct CheckArgs {
    /// A configuration of any kind
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
}

/// Arguments of `touchline doctor`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  touchline doctor
  touchline doctor config/demo.toml --json

Spins on every CPU for a second: not beside an engine that trades. One line a finding, the worst
first. Exit codes: 0 well (notes at most), 1 warnings: latency is lost, 4 fatal: latencies would
be wrong or the engine would not start. docs/latency.md explains every check.")]
pub struct DoctorArgs {
    /// An engine's configuration: its hot CPUs and sockets; the demo's when absent
    #[arg(value_name = "CONFIG")]
    pub config: Option<PathBuf>,
    /// One object with a list of findings, for machines
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `touchline fix`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  touchline fix venue.log
  touchline fix touchline-data/engine/journal
  touchline fix session.pcap.gz
  touchline fix --profile config/venues/kraken-uat.toml venue.log
  tail -f venue.log | touchline fix -
  tcpdump -i eth0 -w - tcp port 9881 | touchline fix -

A file may be packed by gzip or zstd. Of a capture (pcap, pcapng) TCP is put in order, and both
directions are shown by time with what is missing; behind them stands what the capture holds.
Messages may stand anywhere in the input, with SOH, |, ^A or another separator, and text around
them. Passwords and signatures are never shown: those of the fields that are secret with every
venue (89, 96, 554, 925, 1402, 1404), of those that the profile names, and where a later message
repeats them. Exit codes: 0 well, 1 a length or CheckSum is wrong, a part is garbled or a capture
lacks bytes, 3 the profile is wrong, 4 an input cannot be read.")]
pub struct FixArgs {
    /// Logs, captures, journal folders or segments of the gateway's stream; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The venue's profile, or a run that names it: its secret fields, names and codes
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// One JSON object a message, for machines
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `touchline ctl`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  touchline ctl status
  touchline ctl kill --reason \"wrong limits\"
  touchline ctl clear --name \"A. Trader\" --reason \"limits corrected\"")]
pub struct CtlArgs {
    /// The engine's socket
    #[arg(long, value_name = "PATH", default_value = "touchline-data/engine/touchline.sock")]
    pub socket: PathBuf,
    /// What to say
    #[command(subcommand)]
    pub command: CtlCommand,
}

/// What an operator says.
#[derive(Clone, Debug, Subcommand)]
pub enum CtlCommand {
    /// Show positions, orders, books and the kill latch.
    #[command(after_help = "Example:\n  touchline ctl status")]
    Status,
    /// Cancel every order and refuse new ones, also after a restart, until cleared.
    #[command(after_help = "Example:\n  touchline ctl kill --reason \"wrong limits\"")]
    Kill {
        /// Why; it is journaled
        #[arg(long, value_name = "TEXT", default_value = "operator")]
        reason: String,
    },
    /// Let the engine trade again after a kill.
    #[command(
        after_help = "Example:\n  touchline ctl clear --name \"A. Trader\" --reason \"limits corrected\""
    )]
    Clear {
        /// Who clears it; it is journaled
        #[arg(long, value_name = "WHO")]
        name: String,
        /// Why it is safe to go on; it is journaled
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

impl ExchangeArgs {
    /// The configuration with what the command line changes.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn config(&self, cpus: &BTreeSet<usize>) -> Result<ExchangeConfig, ConfigErrors> {
        let changes = ExchangeChanges {
            replay: self.replay.clone(),
            speed: self.speed,
            lockstep: self.lockstep,
            seed: None,
        };
        match &self.config {
            Some(path) => ExchangeConfig::load(path, &changes, cpus),
            None => ExchangeConfig::demo(&changes, cpus),
        }
    }
}

impl RunArgs {
    /// The configuration with what the command line changes.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn config(&self, cpus: &BTreeSet<usize>) -> Result<RunConfig, ConfigErrors> {
        let mut config = RunConfig::load(&self.config, cpus)?;
        config.stop.after_s = self.seconds.map(Nanos::from_secs).or(config.stop.after_s);
        Ok(config)
    }
}

impl BacktestArgs {
    /// The configuration with what the command line changes.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn config(&self) -> Result<BacktestConfig, ConfigErrors> {
        let changes = BacktestChanges {
            data: self.data.first().cloned(),
            then: self.data.iter().skip(1).cloned().collect(),
            strategy: self.strategy.clone(),
            instruments: self.instruments.clone(),
            seed: self.seed,
            duration: self.seconds.map(Nanos::from_secs),
        };
        match &self.config {
            Some(path) => BacktestConfig::load(path, &changes),
            None => BacktestConfig::demo(&changes),
        }
    }
}

#[cfg(test)]
mod tests;
