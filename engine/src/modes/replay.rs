//! `touchline replay`: runs the trading loop over a journal and compares every decision, or shows the
//! journal as text.
//!
//! It changes nothing in the journal, reads no clock, and takes every input from the records.

mod backtest;
mod compare;
mod frames;
pub(super) mod open;
mod parts;
mod print;
mod text;

use crate::cli::{Exit, ReplayArgs};
use crate::report::grouped;
pub use compare::Difference;
pub use frames::Frames;
use open::Journal;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// What a replay found.
#[derive(Debug)]
pub struct Outcome {
    /// Records that agreed.
    pub records: u64,
    /// Sequence of the last one that agreed.
    pub last: u64,
    /// Starts of the engine in the journal.
    pub starts: u64,
    /// Starts that ended without a final state.
    pub killed: u64,
    /// The last start's final state, if it has one.
    pub state_hash: Option<u128>,
    /// The first thing that differs.
    pub difference: Option<Difference>,
    /// Application frames, where the journal has the gateway's stream.
    pub frames: Option<Frames>,
    /// How the stream ends, in words.
    pub tail: String,
}

/// Runs the subcommand.
///
/// # Errors
/// The journal cannot be read or is damaged, or is not one that this program can replay.
pub fn main(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let journal = Journal::open(&args.journal)?;
    if args.print {
        let mut out = BufWriter::new(std::io::stdout().lock());
        print::print(&journal, &print::Filter::of(args, &journal)?, &mut out)?;
        out.flush()?;
        return Ok(Exit::Well.into());
    }
    let outcome = compare_all(&journal)?;
    std::io::stdout().write_all(outcome.text().as_bytes())?;
    let exit = if outcome.difference.is_some() { Exit::Differs } else { Exit::Well };
    Ok(exit.into())
}

/// Replays the journal in `dir`.
///
/// # Errors
/// As for [`main`].
pub fn replay(dir: &Path) -> anyhow::Result<Outcome> {
    compare_all(&Journal::open(dir)?)
}

/// Shows the journal in `dir` as `touchline replay --print` does.
///
/// # Errors
/// As for [`main`], or `out` refuses.
pub fn show(args: &ReplayArgs, out: &mut dyn std::io::Write) -> anyhow::Result<()> {
    let journal = Journal::open(&args.journal)?;
    print::print(&journal, &print::Filter::of(args, &journal)?, out)
}

fn compare_all(journal: &Journal) -> anyhow::Result<Outcome> {
    match journal.start.mode.as_str() {
        crate::modes::backtest::MODE => backtest::compare(journal),
        "run" => parts::compare(journal),
        other => anyhow::bail!(
            "the journal is of mode `{other}`, which this program does not know: use the one that \
             wrote it ({})",
            journal.start.build
        ),
    }
}

impl Outcome {
    /// What is printed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        if let Some(difference) = &self.difference {
            return writeln!(text, "{difference}");
        }
        if let Some(frames) = &self.frames {
            writeln!(text, "{frames}")?;
        }
        let (records, starts) = (grouped(self.records), grouped(self.starts));
        match self.state_hash {
            Some(hash) => {
                let killed = match self.killed {
                    0 => String::new(),
                    killed => format!(", {killed} of them without a final state"),
                };
                writeln!(text, "{records} records, starts: {starts}{killed}")?;
                writeln!(text, "identical, state hash {hash:032x}")
            }
            None => {
                writeln!(
                    text,
                    "{records} records, starts: {starts}; the journal is {}",
                    self.tail
                )?;
                writeln!(text, "identical to record {}, no final state", self.last)
            }
        }
    }
}
