//! What stands between a command line and real money: `run` against a venue of production wants to
//! be told so, twice, and says every limit before it begins.

use crate::cli::Exit;
use crate::config::{Config, RunConfig};
use crate::modes::check;
use crate::modes::live::say;
use std::collections::BTreeSet;
use std::io::Write as _;

/// Says whether the run may begin; `Err` is how the program ends.
///
/// # Errors
/// The exit code, after standard error was told what is missing.
pub fn ask(config: &RunConfig, production: bool, cpus: &BTreeSet<usize>) -> Result<(), Exit> {
    if !config.is_production() {
        return Ok(());
    }
    let name = &config.venue.profile.name;
    let mut missing = Vec::new();
    if !production {
        missing.push("start it with --production");
    }
    if !config.gateway.accept_no_reconciliation {
        missing.push(
            "write accept_no_reconciliation = true in [gateway]: positions and fills are not \
             compared with the venue's own record yet",
        );
    }
    if !missing.is_empty() {
        let mut text = format!("error: {name} is of production: its orders are real\n");
        missing.iter().for_each(|what| text.push_str(&format!("  {what}\n")));
        // Nobody is left to tell when standard error is gone.
        let _ = std::io::stderr().write_all(text.as_bytes());
        return Err(Exit::Configuration);
    }
    let described = check::describe(&Config::Run(Box::new(config.clone())), cpus);
    let described = described.unwrap_or_default();
    say(format_args!("PRODUCTION at {name}. The limits in force:\n{described}"));
    Ok(())
}
