//! `touchline exchange`: the demo exchange as a program, until Ctrl-C.
//!
//! It only shows and stops; what an exchange does stands in [`crate::pipeline::exchange`].

use crate::cli::{ExchangeArgs, Exit};
use crate::config::{ExchangeConfig, FlowKind, Speed};
use crate::modes::live::Signals;
use crate::pipeline::exchange::running::{Exchange, Options, RunningExchange};
use crate::runtime::clock::{self, Calibrator};
use crate::runtime::cores;
use market::Nanos;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);
/// How often a terminal is shown where the exchange stands, and a file.
const LINE_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// How often the clock is set against UTC.
const ADJUST: Nanos = Nanos::SECOND;

/// Runs the subcommand.
///
/// # Errors
/// [`crate::config::ConfigErrors`] with everything that is wrong, or what could not be had.
pub fn main(args: &ExchangeArgs) -> anyhow::Result<ExitCode> {
    let config = args.config(&cores::allowed())?;
    let signals = Signals::install()?;
    let (clock, calibrator) = clock::calibrate();
    let exchange = Exchange::start(&config, Options { fresh: args.fresh }, clock)?;
    let mut out = std::io::stdout().lock();
    introduce(&mut out, &config, &exchange)?;
    let watched = watch(&mut out, &exchange, calibrator, &signals);
    exchange.stop();
    let report = exchange.join()?;
    watched?;
    write!(out, "{report}")?;
    Ok(if report.complaint.is_some() { Exit::Failure } else { Exit::Well }.into())
}

fn introduce(
    out: &mut impl Write,
    config: &ExchangeConfig,
    exchange: &RunningExchange,
) -> std::io::Result<()> {
    let at = &exchange.addresses;
    let line_b = at.line_b.map(|line| format!(" and {line}")).unwrap_or_default();
    writeln!(out, "exchange     {}", config.exchange.name)?;
    let flow = &config.flow;
    match (&flow.kind, &flow.file) {
        (FlowKind::Replay, Some(file)) => {
            let pace = match (flow.lockstep, flow.speed) {
                (true, _) => "in lockstep".to_owned(),
                (false, Speed::Max) => "as fast as it can".to_owned(),
                (false, Speed::Times(times)) => format!("at {times} times its speed"),
            };
            writeln!(out, "flow         {} {pace}", file.display())?;
        }
        _ => {
            let parameters = &config.synthetic.parameters;
            writeln!(out, "flow         synthetic, {parameters}, seed {}", flow.seed)?;
        }
    }
    writeln!(out, "market data  {}{line_b} by {}", at.line_a, at.interface)?;
    writeln!(out, "             retransmission from {}", at.retransmit)?;
    for (what, address) in [("snapshots", at.glimpse), ("SoupBinTCP", at.soupbintcp)] {
        if let Some(address) = address {
            writeln!(out, "             {what} from {address}")?;
        }
    }
    let accounts = config.fix.accounts.join(", ");
    writeln!(out, "orders       {} for {accounts}", at.fix)?;
    for notice in &exchange.notices {
        writeln!(out, "note         {notice}")?;
    }
    out.flush()
}

/// Shows where the exchange stands until it is told to stop, or stops by itself.
fn watch(
    out: &mut impl Write,
    exchange: &RunningExchange,
    mut calibrator: Calibrator,
    signals: &Signals,
) -> std::io::Result<()> {
    let terminal = std::io::stdout().is_terminal();
    let every = if terminal { LINE_EVERY.0 } else { LINE_EVERY.1 };
    let (mut shown, mut adjusted) = (Instant::now(), Instant::now());
    while !signals.stop_asked() && !exchange.is_ended() {
        std::thread::sleep(LOOK);
        if adjusted.elapsed() >= Duration::from_nanos(ADJUST.get()) {
            adjusted = Instant::now();
            calibrator.adjust(ADJUST);
        }
        if shown.elapsed() >= every {
            shown = Instant::now();
            let line = exchange.report().line();
            if terminal {
                write!(out, "\r\x1b[2K{line}")?;
            } else {
                writeln!(out, "{line}")?;
            }
            out.flush()?;
        }
    }
    if terminal { writeln!(out, "\r\x1b[2Kstopping") } else { writeln!(out, "stopping") }
}
