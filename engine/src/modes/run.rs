//! `touchline run`: the engine against an exchange.

use crate::cli::{Exit, RunArgs};
use crate::modes::live::{Engine, Signals};
use crate::runtime::{clock, cores};
use std::process::ExitCode;

/// Runs the engine until stopped, then prints the report.
///
/// # Errors
/// A configuration that `check` refuses too, or a failure at run time.
pub fn main(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let config = args.config(&cores::allowed())?;
    let signals = Signals::install()?;
    let (clock, calibrator) = clock::calibrate();
    let mut engine = Engine::start(&config, &clock, calibrator)?;
    engine.run(&signals, config.stop.after_s, || {});
    let ended = engine.stop()?;
    println!("{:?}", ended.trading.counters());
    Ok(Exit::Well.into())
}
