//! The program `touchline`: reads the command line, hands it to a mode, prints an error once.

use clap::Parser;
use engine::cli::{Cli, Command, Exit};
use engine::config::ConfigErrors;
use engine::modes;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match dispatch(Cli::parse().chosen()) {
        Ok(code) => code,
        Err(error) => report(&error).into(),
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Backtest(args) => modes::backtest::main(&args),
        Command::Check(args) => modes::check::main(&args),
        Command::Ctl(args) => modes::ctl::main(&args),
        Command::Demo(args) => modes::demo::main(&args),
        Command::Doctor(args) => modes::doctor::main(&args),
        Command::Exchange(args) => modes::exchange::main(&args),
        Command::Fix(args) => modes::fix::main(&args),
        Command::Inspect(args) => modes::inspect::main(&args),
        Command::Convert(args) => modes::convert::main(&args),
        Command::Record(args) => modes::record::main(&args),
        Command::Replay(args) => modes::replay::main(&args),
        Command::Run(args) => modes::run::main(&args),
    }
}

/// Prints the error as one chain and says how the program ends.
fn report(error: &anyhow::Error) -> Exit {
    // Whoever read our output has enough of it (`… | head`).
    let piped = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    if piped.into_iter().any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe) {
        return Exit::Well;
    }
    let mut stderr = std::io::stderr().lock();
    let (text, exit) = match error.downcast_ref::<ConfigErrors>() {
        Some(errors) => (errors.render(stderr.is_terminal()), Exit::Configuration),
        None => (format!("error: {error:#}"), Exit::Failure),
    };
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(stderr, "{text}");
    exit
}
