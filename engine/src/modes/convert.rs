//! `touchline convert`: recordings of any format that is read become one event file, by time.
//!
//! Holds one unit of each input. It changes no input and replaces no file; what it could not read
//! it says, and what was read before is kept.

mod input;
mod merge;
mod standing;
mod tellers;

use crate::cli::{ConvertArgs, Exit};
use crate::report::grouped;
use anyhow::{Context as _, bail};
use feeds::archive::Writer;
use feeds::recording::{Joined, OpenError, Options, Source};
use indicatif::{ProgressBar, ProgressStyle};
use input::Input;
use merge::Merge;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Units between two looks at the progress.
const LOOK: u64 = 1_024;

/// Runs the subcommand.
///
/// # Errors
/// An input cannot be opened, inputs do not go together, or the output refuses.
pub fn main(args: &ConvertArgs) -> anyhow::Result<ExitCode> {
    let Some((output, inputs @ [_, ..])) = args.files.split_last() else {
        eprintln!("error: name recordings, and last the event file: <IN>... <OUT>");
        return Ok(Exit::Usage.into());
    };
    let progress = Arc::new(AtomicU64::new(0));
    let options = Options {
        day: args.day,
        by_order: args.by_order,
        progress: Some(Arc::clone(&progress)),
        ..Options::default()
    };
    let (inputs, bytes) = open(inputs, &options)?;
    let name = output.display();
    let file = File::create_new(output).with_context(|| format!("cannot make {name}"))?;
    let bar = ProgressBar::new(bytes).with_style(style()?);
    let written = convert(inputs, file, || bar.set_position(progress.load(Ordering::Relaxed)));
    bar.finish_and_clear();
    match written {
        Ok(merge) => summary(output, &merge),
        Err(error) => {
            // Half a file would be taken for the whole.
            let _ = fs::remove_file(output);
            Err(error.context(format!("{name} was not written")))
        }
    }
}

fn style() -> anyhow::Result<ProgressStyle> {
    const TEMPLATE: &str = "{bar:40} {percent:>3} % {bytes} of {total_bytes}, {eta} left";
    Ok(ProgressStyle::with_template(TEMPLATE)?)
}

/// Opens every input, those that go on in another as one, and says how many bytes they have.
fn open(paths: &[PathBuf], options: &Options) -> anyhow::Result<(Vec<Input>, u64)> {
    let mut joined = Joined::default();
    for path in paths {
        look_into(path, options, &mut joined)?;
    }
    let (mut inputs, mut bytes) = (Vec::new(), 0);
    for (source, market) in joined.sources() {
        let name = || format!("cannot read {source}");
        bytes += source.bytes().with_context(name)?;
        inputs.push(Input::open(&source, market, options).with_context(name)?);
    }
    Ok((inputs, bytes))
}

/// Adds the recordings of a file: itself, or the members of the archive that it is.
fn look_into(path: &Path, options: &Options, joined: &mut Joined) -> anyhow::Result<()> {
    let sources = Source::list(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (single, mut found) = (sources.len() == 1, false);
    for source in sources {
        let name = source.to_string();
        match joined.add(source, options) {
            Ok(()) => found = true,
            // An archive may hold a note to the reader beside its recordings.
            Err(OpenError::Unknown { .. } | OpenError::Empty) if !single => {
                eprintln!("{name}: no recording, left out");
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
        }
    }
    if !found {
        bail!("{} has no recording in it", path.display());
    }
    Ok(())
}

/// Writes all units of all inputs in order of time.
fn convert(inputs: Vec<Input>, file: File, mut look: impl FnMut()) -> anyhow::Result<Merge> {
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, file))?;
    let mut merge = Merge::new(inputs)?;
    while merge.write_next(&mut writer)? {
        if merge.units.is_multiple_of(LOOK) {
            look();
        }
    }
    let file = writer.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(merge)
}

/// Says what was written, and what the inputs lacked.
fn summary(output: &Path, merge: &Merge) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let bytes = fs::metadata(output)?.len();
    let (units, events) = (grouped(merge.units), grouped(merge.events));
    let instruments = grouped(merge.instruments() as u64);
    writeln!(
        out,
        "{}: {events} events in {units} units, {instruments} instruments, {} bytes",
        output.display(),
        grouped(bytes)
    )?;
    let mut well = true;
    for input in merge.inputs() {
        for trouble in input.troubles() {
            eprintln!("{}: {trouble}", input.name);
        }
        well &= input.broken.is_none();
    }
    Ok(if well { Exit::Well } else { Exit::Failure }.into())
}
