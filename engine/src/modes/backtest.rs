//! `touchline backtest`: the trading loop against synthetic flow or a recorded day, in one thread and
//! in virtual time, with a journal and a summary.
//!
//! It reads no clock and draws from no source but the seed: the same configuration and the same data
//! give the same run on any machine.

mod data;
mod levels;
mod tape;

use crate::cli::{BacktestArgs, Exit};
use crate::config::{BacktestClock, BacktestConfig};
use crate::modes::troubles::troubles;
use crate::pipeline::assembly::{self, LoopMode};
use crate::pipeline::market_source::Market;
use crate::pipeline::records::Start;
use crate::pipeline::simulation::{Finished, LoopClock, Simulation};
use crate::pipeline::tape::Tape;
use crate::report::{Report, grouped, words};
use crate::trading::{OpeningState, TradingLoop};
use anyhow::Context as _;
use market::{Nanos, Timestamp};
use sim::{ConstantLatency, Run};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use tape::JournalTape;

pub use data::{fingerprints, names};

/// Mode of a backtest's journal.
pub const MODE: &str = "backtest";

/// The day of a backtest without a date: any will do, but it must be the same in every run.
const DAY: Timestamp = Timestamp::from_nanos(20_089 * 86_400 * 1_000_000_000);

/// Runs the subcommand.
///
/// # Errors
/// A configuration that is wrong, data that cannot be read, a journal without room.
pub fn main(args: &BacktestArgs) -> anyhow::Result<ExitCode> {
    let config = args.config()?;
    let mut done = run(&config)?;
    if let Some(notice) = done.notice.take() {
        writeln!(std::io::stderr(), "note: {notice}")?;
    }
    for lack in &done.lacks {
        writeln!(std::io::stderr(), "warning: {lack}")?;
    }
    std::io::stdout().write_all(done.text.as_bytes())?;
    Ok(Exit::Well.into())
}

/// What a backtest leaves.
pub struct Done {
    /// The summary.
    pub text: String,
    /// What the host refused the journal, in one line.
    pub notice: Option<String>,
    /// What the recordings lacked, a line each, behind the name of the recording.
    pub lacks: Vec<String>,
    /// The run as it ended.
    pub end: Ended,
    /// Folder of its journal.
    pub journal: std::path::PathBuf,
}

/// The end of a backtest.
pub type Ended = Finished<()>;

/// Runs a backtest and writes its journal, in a fresh folder inside the configured one.
///
/// # Errors
/// As for [`main`].
pub fn run(config: &BacktestConfig) -> anyhow::Result<Done> {
    let market = market(config)?;
    let start = start(config, &market)?;
    let (mut tape, notice) = JournalTape::create(&config.journal.dir, start.now)?;
    let journal = tape.dir().to_owned();
    let outcome = simulate(config, market, &mut tape, &start);
    let complaint = tape.complaint();
    tape.close()?;
    let end = outcome.with_context(|| match complaint.is_empty() {
        true => format!("journal {}", journal.display()),
        false => format!("journal {}: {complaint}", journal.display()),
    })?;
    let lacks = lacks(&end.market);
    let text = summary(config, &start, &end, &lacks, &journal);
    Ok(Done { text, notice, lacks, end, journal })
}

/// The first record of a backtest: it begins when its market does.
fn start(config: &BacktestConfig, market: &Market) -> anyhow::Result<Start> {
    let data = match config.is_synthetic() {
        true => String::new(),
        false => fingerprints(config.recordings())?,
    };
    let opening = OpeningState { epoch: 1, ..OpeningState::default() };
    Ok(Start {
        now: market.next_time().unwrap_or_else(|| day(config)),
        mode: MODE.to_owned(),
        build: crate::BUILD.to_owned(),
        config: config.resolved(),
        opening: opening.to_bytes(),
        data,
    })
}

/// The midnight that times of the run count from.
fn day(config: &BacktestConfig) -> Timestamp {
    let section = &config.backtest;
    section.session_day.base(section.midnight_utc, DAY.after(section.midnight_utc.0))
}

/// The market of a backtest, at its beginning.
///
/// # Errors
/// The recording cannot be read, or does not fit the instruments.
pub fn market(config: &BacktestConfig) -> anyhow::Result<Market> {
    let instruments = assembly::instruments(&config.trading);
    if !config.is_synthetic() {
        let (files, day) = (config.recordings(), day(config));
        let by_level = Some(assembly::by_level(config));
        return Ok(Market::recorded_days(instruments, files, day, by_level, Run::default())?);
    }
    let parameters = assembly::flow_parameters(&config.synthetic)
        .with_context(|| format!("no flow parameters `{}`", config.synthetic.parameters))?;
    let prices: Vec<_> = config.trading.instruments.iter().map(|i| i.reference_price).collect();
    let seed = config.backtest.seed;
    let market = Market::synthetic(instruments, parameters, seed, day(config), Run::default())?;
    Ok(market.open_at(&prices))
}

/// Runs the loop that `config` describes, from `start` to the end of its data, onto `tape`.
///
/// # Errors
/// The data cannot be read, or the tape has no room.
pub fn simulate<T: Tape>(
    config: &BacktestConfig,
    market: Market,
    tape: T,
    start: &Start,
) -> anyhow::Result<Ended> {
    let section = &config.backtest;
    let opening = OpeningState::from_bytes(&start.opening)?;
    let mode = LoopMode::of_backtest(config, market.levels().is_some());
    let trading = TradingLoop::new(assembly::trading_settings(&config.trading, mode)?, &opening);
    let latency = ConstantLatency {
        feed: section.feed_latency_us,
        order: section.order_latency_us,
        report: section.order_latency_us,
    };
    let clock = match section.clock {
        BacktestClock::Virtual => LoopClock::Virtual,
        BacktestClock::Feed => LoopClock::Feed,
    };
    let until = match config.is_synthetic() {
        true => start.now.after(section.duration_s),
        false => Timestamp::MAX,
    };
    let mut simulation = Simulation::start(trading, market, latency, clock, tape, start)?;
    simulation.run(until)?;
    let end = simulation.finish();
    if let Some(error) = end.market.error() {
        anyhow::bail!("the recording {}: {error}", end.market.name());
    }
    Ok(end.without_tape())
}

/// What the recordings lacked: the run is no better than they are.
fn lacks(market: &Market) -> Vec<String> {
    let of = |(name, log)| troubles(log).into_iter().map(move |lack| format!("{name}: {lack}"));
    market.logs().flat_map(of).collect()
}

fn summary(
    config: &BacktestConfig,
    start: &Start,
    end: &Ended,
    lacks: &[String],
    journal: &Path,
) -> String {
    let section = &config.backtest;
    let names: Vec<_> = config.trading.strategies.iter().map(|s| s.name.as_str()).collect();
    let data = match config.is_synthetic() {
        true => format!("synthetic flow, {} parameters", config.synthetic.parameters),
        false => format!("{} ({})", data::names(config.recordings()), start.data),
    };
    let mut facts = vec![("data", data)];
    let (feed, order) = (section.feed_latency_us, section.order_latency_us);
    let span = end.now.since(start.now);
    let (clock, seed) = (words(section.clock), section.seed);
    let model =
        format!("{clock} clock, feed latency {feed}, order latency {order} each way, seed {seed}");
    facts.push(("time", format!("{} from {}", clock_time(span), start.now)));
    facts.push(("model", model));
    facts.extend(end.market.levels().iter().flat_map(|told| levels::facts(section, told)));
    facts.extend(lacks.iter().map(|lack| ("warning", lack.clone())));
    facts.push(("run hash", format!("{:032x}", end.run_hash)));
    let report = Report {
        title: format!("backtest of {}", names.join(", ")),
        facts,
        trading: &end.trading,
        marks: &end.marks,
        feed: None,
        gateway: None,
        hops: None,
        blame: None,
        journal: Some(journal.to_owned()),
    };
    report.to_string()
}

/// `1,234 h 05 m 06 s`.
fn clock_time(span: Nanos) -> String {
    let seconds = span.get() / Nanos::SECOND.get();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{} h {minutes:02} min {seconds:02} s", grouped(hours)),
    }
}
