//! Where the time went: a table of the stages' regimes, their longest cycles, and what the kernel did
//! to the cores' threads. The words are those of `runtime::stage` and `runtime::did`.

use super::{grouped, line};
use crate::pipeline::telemetry::Blame;
use crate::runtime::stage::REGIMES;
use std::fmt;

/// Writes the table and the lines below it.
pub(super) fn table(f: &mut fmt::Formatter<'_>, blame: &Blame) -> fmt::Result {
    write!(f, "{:<14}", "stage")?;
    for (_, regime) in REGIMES {
        write!(f, " {regime:>15} {:>8}", "of time")?;
    }
    writeln!(f)?;
    for stage in &blame.stages {
        write!(f, "{:<14}", stage.name)?;
        for (place, polls) in stage.polls.iter().enumerate() {
            write!(f, " {:>15} {:>6.1} %", grouped(polls), stage.share(place))?;
        }
        writeln!(f)?;
    }
    let mut name = "longest cycle";
    for stage in &blame.stages {
        for (regime, cycle) in stage.cycles() {
            line(f, name, &format!("{} {regime}, {cycle}", stage.name))?;
            name = "";
        }
    }
    blame.cores.iter().try_for_each(|core| line(f, "core", &core.to_string()))
}
