//! The table of formats, one row each: how its content shows, and who reads it. First row that
//! recognises a file wins, so that weak signs stand behind strong ones.

use super::{Input, Options, Recording, Source, marks};
use crate::{archive, binance, capture, coinbase, databento, itch50, kraken, lobster, tardis};
use std::io;

/// A format.
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Tells it by the first bytes of the unpacked content: gives the version or content, which may
    /// be empty; `None` if it is not this format.
    pub recognise: fn(&[u8]) -> Option<String>,
    /// Who reads it.
    pub reader: Reader,
}

/// Who reads a format.
pub enum Reader {
    /// This function opens it.
    By(for<'a> fn(Opening<'a>) -> io::Result<Box<dyn Recording + 'a>>),
    /// Nobody yet.
    NotYet,
    /// Nobody, and this is why and what to do.
    Refused(&'static str),
}

/// What a reader is given to open.
pub struct Opening<'a> {
    /// The content.
    pub input: Input<'a>,
    /// Where it comes from; `None` for bytes in memory.
    pub source: Option<Source>,
    /// How it is to be read.
    pub options: Options,
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format {
        name: itch50::recording::FORMAT,
        recognise: itch50::recording::recognise,
        reader: Reader::By(itch50::recording::open),
    },
    Format {
        name: capture::recording::FORMAT,
        recognise: capture::recording::recognise,
        reader: Reader::By(capture::recording::open),
    },
    Format {
        name: databento::recording::FORMAT,
        recognise: databento::recording::recognise,
        reader: Reader::By(databento::recording::open),
    },
    Format {
        name: "DBZ",
        recognise: marks::dbz,
        reader: Reader::Refused("Databento gave it up for DBN: convert it with `dbn` of dbn-cli"),
    },
    Format {
        name: databento::csv::FORMAT,
        recognise: databento::csv::recognise,
        reader: Reader::By(databento::csv::open),
    },
    Format {
        name: tardis::recording::FORMAT,
        recognise: tardis::recording::recognise,
        reader: Reader::By(tardis::recording::open),
    },
    Format {
        name: binance::recording::FORMAT,
        recognise: binance::recording::recognise,
        reader: Reader::By(binance::recording::open),
    },
    Format {
        name: coinbase::recording::FORMAT,
        recognise: coinbase::recording::recognise,
        reader: Reader::By(coinbase::recording::open),
    },
    Format {
        name: kraken::recording::FORMAT,
        recognise: kraken::recording::recognise,
        reader: Reader::By(kraken::recording::open),
    },
    Format {
        name: lobster::recording::MESSAGES,
        recognise: lobster::recording::recognise_messages,
        reader: Reader::By(lobster::recording::open_messages),
    },
    Format {
        name: lobster::recording::BOOK,
        recognise: lobster::recording::recognise_book,
        reader: Reader::By(lobster::recording::open_book),
    },
    Format {
        name: archive::recording::FORMAT,
        recognise: archive::recording::recognise,
        reader: Reader::By(archive::recording::open),
    },
    Format {
        name: "Touchline journal",
        recognise: marks::journal,
        reader: Reader::Refused("it is no recording: `touchline replay` reads it"),
    },
];

/// Whether a recording of this format may go on in another file of it, as
/// [`Source::followed_by`] reads them: only the first has the books' snapshots.
pub(super) fn goes_on(format: &str) -> bool {
    let lines =
        [binance::recording::FORMAT, coinbase::recording::FORMAT, kraken::recording::FORMAT];
    lines.contains(&format)
}

/// Why a recording cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be opened, read or unpacked.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There are no bytes.
    #[error("empty: there is nothing to read")]
    Empty,
    /// No format of the table.
    #[error("not recognised: it begins with {begins}; looked for {}", names())]
    Unknown {
        /// Its first bytes, as text or in hexadecimal.
        begins: String,
    },
    /// A format that is not read yet.
    #[error("{name}{}: recognised, but not read yet", of(version))]
    NotYet {
        /// Which.
        name: &'static str,
        /// Which of it.
        version: String,
    },
    /// A format that is refused.
    #[error("{name}: {why}")]
    Refused {
        /// Which.
        name: &'static str,
        /// Why, and what to do.
        why: &'static str,
    },
}

fn of(version: &str) -> String {
    if version.is_empty() { String::new() } else { format!(" ({version})") }
}

fn names() -> String {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    names.join(", ")
}

/// Opens a recording of whatever format it is.
///
/// # Errors
/// [`OpenError`].
pub fn open(source: &Source, options: Options) -> Result<Box<dyn Recording>, OpenError> {
    let (input, source) = (source.open_counting(options.progress.clone())?, Some(source.clone()));
    dispatch(Opening { input, source, options })
}

/// Opens a recording that is in memory, packed or not.
///
/// # Errors
/// [`OpenError`].
pub fn open_bytes(bytes: &[u8], options: Options) -> Result<Box<dyn Recording + '_>, OpenError> {
    dispatch(Opening { input: Input::new(bytes)?, source: None, options })
}

fn dispatch(opening: Opening<'_>) -> Result<Box<dyn Recording + '_>, OpenError> {
    let head = opening.input.head();
    if head.is_empty() {
        return Err(OpenError::Empty);
    }
    for format in FORMATS {
        let Some(version) = (format.recognise)(head) else { continue };
        let name = format.name;
        return match format.reader {
            Reader::By(open) => Ok(open(opening)?),
            Reader::NotYet => Err(OpenError::NotYet { name, version }),
            Reader::Refused(why) => Err(OpenError::Refused { name, why }),
        };
    }
    Err(OpenError::Unknown { begins: begins(head) })
}

/// The first bytes for a person to look at.
fn begins(head: &[u8]) -> String {
    if let Some(text) = marks::line(head).filter(|text| !text.is_empty()) {
        let short: String = text.chars().take(40).collect();
        return format!("{short:?}");
    }
    let bytes: Vec<String> = head.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}
