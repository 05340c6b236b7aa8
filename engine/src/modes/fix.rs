//! `touchline fix`: raw FIX, of a log, of a capture, of a journal or of a pipe, field by field.
//!
//! It holds no more than one message of the input, changes nothing, and shows what is wrong instead
//! of stopping there. Secrets are never shown.

mod capture;
mod cut;
mod fields;
mod known;
mod line;
mod messages;
mod print;
mod scan;
mod secrets;
mod shown;
mod verdict;

use super::replay::open::gateway_stream;
use crate::cli::{Exit, FixArgs};
use crate::pipeline::fix_store::StoredFrame;
use anyhow::Context as _;
use capture::Opened;
pub use known::Known;
use print::Printer;
pub use print::{Style, Tally};
use scan::{Found, Scanner};
use shown::Place;
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// The profile or an input cannot be read, or the output refuses.
pub fn main(args: &FixArgs) -> anyhow::Result<ExitCode> {
    let out = std::io::stdout().lock();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let style = Style { json: args.json, colour: out.is_terminal() && !plain };
    let known = args.profile.as_deref().map(Known::read).transpose()?.unwrap_or_default();
    let tally = show(&args.files, style, &known, &mut BufWriter::new(out))?;
    let well = tally.wrong == 0 && tally.garbled == 0 && tally.holes == 0;
    Ok(if well { Exit::Well } else { Exit::Differs }.into())
}

/// Shows every input: a log or capture, packed or not, a journal's folder, a segment of the
/// gateway's stream, or `-`.
///
/// # Errors
/// An input cannot be read, or the output refuses.
pub fn show(
    files: &[impl AsRef<Path>],
    style: Style,
    known: &Known,
    out: &mut dyn Write,
) -> anyhow::Result<Tally> {
    let mut printer = Printer::new(out, style, known);
    for file in files.iter().map(AsRef::as_ref) {
        let name = file.display().to_string();
        if files.len() > 1 {
            printer.input(&name)?;
        }
        if file == Path::new("-") {
            bytes(std::io::stdin(), &name, true, &mut printer)?;
        } else if let Some((folder, first)) = journal_of(file) {
            journal(folder, first, &name, &mut printer)?;
        } else {
            let input = File::open(file).with_context(|| format!("cannot open {name}"))?;
            // A named pipe may be of somebody who is still writing.
            let live = !input.metadata().is_ok_and(|found| found.is_file());
            bytes(input, &name, live, &mut printer)?;
        }
    }
    printer.end()?;
    printer.flush()?;
    Ok(printer.tally)
}

/// The folder of a journal and the segment to begin with, if `file` is either.
fn journal_of(file: &Path) -> Option<(&Path, u64)> {
    if file.is_dir() {
        return Some((file, 1));
    }
    let number = file.file_name()?.to_str()?.strip_prefix("gateway-")?.strip_suffix(".journal")?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some((folder.unwrap_or(Path::new(".")), number.parse().ok()?))
}

/// A log or a capture, as its first bytes tell.
fn bytes(
    input: impl Read + Send,
    name: &str,
    live: bool,
    to: &mut Printer<'_>,
) -> anyhow::Result<()> {
    match capture::open(input).with_context(|| format!("cannot read {name}"))? {
        Opened::Capture(input) => capture::show(input, name, live, to),
        Opened::Text(input) => stream(input, name, live, to),
    }
}

/// Messages of any bytes. `live`: somebody may wait for each.
fn stream(input: impl Read, name: &str, live: bool, to: &mut Printer<'_>) -> anyhow::Result<()> {
    let mut scanner = Scanner::new(input);
    while let Some(found) = scanner.next().with_context(|| format!("cannot read {name}"))? {
        let place = Place {
            file: name.to_owned(),
            // The log's own zone, which it does not say.
            time: line::time(&scanner.line).map(|t| t.to_string().trim_end_matches('Z').to_owned()),
            direction: line::direction(&scanner.line),
            offset: Some(scanner.offset),
            ..Place::default()
        };
        match found {
            Found::Message => to.message(&place, &mut scanner.message)?,
            Found::Garbled(reason) => to.garbled(&place, reason)?,
        }
        if live {
            to.flush()?;
        }
    }
    Ok(())
}

/// Frames of the gateway's stream.
fn journal(folder: &Path, first: u64, name: &str, to: &mut Printer<'_>) -> anyhow::Result<()> {
    let mut reader = gateway_stream(folder, first)?;
    while let Some(record) = reader.next_record()? {
        let Some(frame) = StoredFrame::of(&record) else { continue };
        let place = Place {
            file: name.to_owned(),
            time: Some(frame.now.to_string()),
            direction: Some(if frame.kind.is_some() { "out" } else { "in" }),
            record: Some(record.sequence),
            ..Place::default()
        };
        to.message(&place, &mut frame.bytes.to_vec())?;
    }
    Ok(())
}
