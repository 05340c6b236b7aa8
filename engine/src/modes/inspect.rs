//! `touchline inspect`: what a recording is and what is in it.
//!
//! Reads each file once, from front to end, in bounded memory, and changes nothing.

mod book;
mod json;
mod look;
mod text;

use crate::cli::{Exit, InspectArgs};
use feeds::recording::{OpenError, Source};
use look::Look;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What was found in one file.
pub struct Inspected {
    /// The file, as it was named; or the files.
    pub file: String,
    /// What there is in it: itself, or the members of an archive that are recordings.
    looks: Vec<Look>,
    /// Members of an archive that are none.
    others: Vec<(String, String)>,
    /// Why there is nothing to show.
    error: Option<String>,
}

/// Runs the subcommand.
///
/// # Errors
/// The output refuses.
pub fn main(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut well = true;
    let together: Vec<&[PathBuf]> = match args.as_one {
        true => vec![&args.files],
        false => args.files.chunks(1).collect(),
    };
    for (index, files) in together.into_iter().enumerate() {
        let inspected = inspect(files, args);
        well &= inspected.is_well();
        if args.json {
            writeln!(out, "{}", json::object(&inspected, args))?;
        } else {
            let between = if index > 0 { "\n" } else { "" };
            write!(out, "{between}{}", text::Page { inspected: &inspected })?;
        }
        out.flush()?;
    }
    Ok(if well { Exit::Well } else { Exit::Failure }.into())
}

/// Looks into one file, or into several that are one recording.
#[must_use]
pub fn inspect(files: &[PathBuf], args: &InspectArgs) -> Inspected {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let (looks, others) = (Vec::new(), Vec::new());
    let mut found = Inspected { file: names.join(", "), looks, others, error: None };
    let sources = match files {
        [file] if !args.as_one => Source::list(file),
        _ => as_one(files),
    };
    let sources = match sources {
        Ok(sources) => sources,
        Err(error) => {
            found.error = Some(error.to_string());
            return found;
        }
    };
    let single = sources.len() == 1;
    for source in &sources {
        match Look::into(source, args) {
            Ok(look) => found.looks.push(look),
            Err(error) if single => found.error = Some(error.to_string()),
            // An archive may hold a note to the reader beside its recordings.
            Err(OpenError::Unknown { .. } | OpenError::Empty) => {
                found.others.push((source.name().to_owned(), "not recognised".to_owned()));
            }
            Err(error) => found.others.push((source.name().to_owned(), error.to_string())),
        }
    }
    if found.looks.is_empty() && found.error.is_none() {
        let reasons: Vec<String> =
            found.others.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        let reasons = if reasons.is_empty() { "it is empty".into() } else { reasons.join("; ") };
        found.error = Some(format!("an archive without a recording that can be read: {reasons}"));
    }
    found
}

/// The recordings in some files, archives among them, as one.
fn as_one(files: &[PathBuf]) -> io::Result<Vec<Source>> {
    let mut one: Option<Source> = None;
    for file in files {
        for next in Source::list(file)? {
            one = Some(one.map_or(next.clone(), |one| one.followed_by(next)));
        }
    }
    Ok(one.into_iter().collect())
}

impl Inspected {
    /// True if everything was read to its end.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.error.is_none() && self.looks.iter().all(|look| look.error.is_none())
    }

    /// Application messages of all recordings in it.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.looks.iter().map(|look| look.counts.messages).sum()
    }
}
