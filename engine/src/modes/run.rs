//! `touchline run`: the engine against an exchange.

use crate::cli::{Exit, RunArgs};
use crate::config::RunConfig;
use crate::control::log;
use crate::modes::live::{Engine, Signals, say};
use crate::modes::permit;
use crate::pipeline::topology::Ended;
use crate::report::{FeedSummary, GatewaySummary, Report};
use crate::runtime::{clock, cores};
use anyhow::Context as _;
use market::BookView;
use std::process::ExitCode;
use std::time::Duration;

/// Runs the engine until stopped, then prints the report.
///
/// # Errors
/// A configuration that `check` refuses too, or a failure at run time.
pub fn main(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let cpus = cores::allowed();
    let config = args.config(&cpus)?;
    if let Err(exit) = permit::ask(&config, args.production, &cpus) {
        return Ok(exit.into());
    }
    let _log = log::start(&config.log)?;
    let signals = Signals::install()?;
    let (clock, calibrator) = clock::calibrate();
    let mut engine = Engine::start(&config, &clock, calibrator)?;
    let took = engine.run(&signals, config.stop.after_s);
    report(&config, took, engine.stop()?)?;
    Ok(Exit::Well.into())
}

/// Prints what a run came to.
///
/// # Errors
/// The journal could not be brought to disk as a whole.
pub fn report(config: &RunConfig, took: Duration, ended: Ended) -> anyhow::Result<()> {
    let Ended { trading, feed, gateway, hops, blame, .. } = &ended;
    let strategies: Vec<_> =
        config.trading.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
    let books = trading.books().books();
    let marks: Vec<_> = books.iter().map(BookView::mid).collect();
    let lines = feed.lines.iter().chain([&feed.retransmission]);
    let mut facts = vec![
        ("ran", format!("{:.1} s as {}", took.as_secs_f64(), config.engine.environment.word())),
        ("state hash", format!("{:032x} after {} inputs", ended.state_hash, ended.inputs)),
    ];
    if let Some(reason) = trading.killed() {
        facts.push(("killed", format!("{reason}; `touchline ctl clear` lets it trade again")));
    }
    if !gateway.last_error.is_empty() {
        facts.push(("connection", format!("the last ended: {}", gateway.last_error)));
    }
    if let Some(fix) = feed.fix.as_ref().filter(|fix| !fix.last_said.is_empty()) {
        facts.push(("feed session", format!("the last said: {}", fix.last_said)));
    }
    let report = Report {
        title: format!("touchline run: {}", strategies.join(", ")),
        facts,
        trading,
        marks: &marks,
        feed: Some(FeedSummary {
            datagrams: lines.clone().map(|line| line.datagrams).sum(),
            messages: feed.messages,
            skipped: feed.skipped().map(|(_, count)| count).sum(),
            gaps: feed.gaps,
            recovered: feed.recovered,
            lost: feed.lost,
            recoveries: [feed.by_messages, feed.by_snapshot],
            waited: (feed.waited, ended.waited),
            duplicates: lines.map(|line| line.duplicates).sum(),
            websocket: feed.websocket,
            troubles: feed.troubles,
        }),
        gateway: Some(GatewaySummary {
            sent: gateway.session.sent,
            received: gateway.session.received,
            logons: gateway.connections.connections,
            resent: gateway.session.resent,
            faulty: gateway.entry.faulty,
            unlisted: gateway.entry.unlisted,
        }),
        hops: Some(hops),
        blame: Some(blame),
        journal: Some(config.journal_dir()),
    };
    say(format_args!("\n{report}"));
    ended.journal.context("the journal could not be brought to disk")
}
