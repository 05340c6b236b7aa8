//! One configuration file: its text, its tables, and who has read them.
//!
//! Files are refused whole when they are too large or not text; everything else that is wrong is
//! collected. It must never follow what a file says beyond the folder tree it names.

use super::key::{Section, Table};
use super::problem::{Place, Problem, Problems, SourceId};
use super::reader::{Reader, Value};
use super::suggest::nearest;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest file that is read. The largest real configuration is a hundredth of it.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// Where configuration files come from: the disk, or texts inside the program.
pub(crate) type Files<'f> = &'f dyn Fn(&Path) -> std::io::Result<Vec<u8>>;

/// Reads a file of the disk, one byte more than allowed at most.
///
/// # Errors
/// What the system says.
pub(crate) fn from_disk(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A pipe or a device must not fill memory or wait for ever.
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file; `None` when it is refused, which `problems` then holds.
pub(crate) fn read_text(
    path: &Path,
    files: Files<'_>,
    blame: Option<Place>,
    problems: &mut Problems,
) -> Option<(SourceId, Arc<str>)> {
    let name = path.display().to_string();
    let mut refuse = |title: String, help: &str| {
        let place = blame.clone().unwrap_or_else(|| {
            let source = problems.add_source(&name, &Arc::from(""));
            Place { source, span: 0..0 }
        });
        problems.push(Problem::new(place, title, "named here").help(help));
        None
    };
    let bytes = match files(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return refuse(format!("cannot read {name}: {error}"), "check the path");
        }
    };
    if bytes.len() > FILE_BYTES_MAX {
        let title = format!("{name} is larger than {FILE_BYTES_MAX} bytes");
        return refuse(title, "is this a configuration? recorded data goes to --data or --replay");
    }
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count();
            let title = format!("{name} is not UTF-8 text (line {line})");
            return refuse(title, "save the file as UTF-8");
        }
    };
    // A byte order mark is what some editors put first; it says nothing.
    let text = Arc::from(text.strip_prefix('\u{feff}').unwrap_or(text));
    Some((problems.add_source(&name, &text), text))
}

/// A parsed file.
pub(crate) struct Document<'a> {
    pub(crate) source: SourceId,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Parses `text`; `None` when it is not TOML, which `problems` then holds.
    pub(crate) fn parse(source: SourceId, text: &'a str, problems: &mut Problems) -> Option<Self> {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let place = Place { source, span: error.span().unwrap_or(0..0) };
            let message = error.message();
            let help = match message.starts_with("duplicate key") {
                true => "give each key and each [section] once",
                false => "see https://toml.io for how to write values and tables",
            };
            problems.push(Problem::new(place, "not valid TOML", message).help(help));
        }
        errors.is_empty().then(|| Document { source, root: root.into_inner() })
    }

    /// The top of the file as a table.
    pub(crate) fn top<'p>(&'a self, problems: &'p mut Problems) -> Reader<'a, 'p> {
        Reader::new(String::new(), self.source, 0..0, Some(&self.root), problems)
    }

    /// The table `name`, which may be absent. `problems` gets it when it is no table.
    pub(crate) fn table(
        &'a self,
        name: &str,
        problems: &mut Problems,
    ) -> (Range<usize>, Option<&'a DeTable<'a>>) {
        match self.root.get(name) {
            None => (0..0, None),
            Some(value) => (value.span(), as_table(self.source, name, value, problems)),
        }
    }

    /// Reads the section `T`, with its unknown and missing keys.
    pub(crate) fn section<T: Section>(&'a self, problems: &mut Problems) -> Option<T> {
        let name = T::TABLE.name;
        let (span, table) = self.table(name, problems);
        if table.is_none() && self.root.contains_key(name) {
            return None;
        }
        let mut reader = Reader::new(format!("[{name}]"), self.source, span, table, problems);
        let section = reader.section();
        reader.finish(&[T::TABLE]);
        section
    }

    /// The tables of `[[name]]`.
    pub(crate) fn tables(
        &'a self,
        name: &str,
        problems: &mut Problems,
    ) -> Vec<(Range<usize>, &'a DeTable<'a>)> {
        let Some(value) = self.root.get(name) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            let place = Place { source: self.source, span: value.span() };
            let title = format!("{name} must be a list of tables");
            let help = format!("write the header as [[{name}]]");
            problems.push(Problem::new(place, title, "found something else").help(help));
            return Vec::new();
        };
        let entry = |entry: &'a Value<'a>| {
            let table = as_table(self.source, name, entry, problems)?;
            Some((entry.span(), table))
        };
        list.iter().filter_map(entry).collect()
    }

    /// True if there is a table or a key `name` at the top.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.root.contains_key(name)
    }

    /// True if the file gives this key of this section.
    pub(crate) fn gives(&self, section: &str, key: &str) -> bool {
        let table = self.root.get(section).and_then(|value| value.get_ref().as_table());
        table.is_some_and(|table| table.contains_key(key))
    }

    /// Where a key's value stands; else the section's header; else the top.
    pub(crate) fn place(&self, section: &str, key: &str) -> Place {
        let span = self.root.get(section).map_or(0..0, |value| {
            let key = value.get_ref().as_table().and_then(|table| table.get(key));
            key.unwrap_or(value).span()
        });
        Place { source: self.source, span }
    }

    /// Records every table that none of `tables` describes. `elsewhere` says what kind of file a
    /// known one belongs to.
    pub(crate) fn refuse_others(
        &self,
        tables: &[Table],
        elsewhere: &dyn Fn(&str) -> Option<&'static str>,
        problems: &mut Problems,
    ) {
        let known: Vec<_> = tables.iter().map(|table| table.name).collect();
        for (name, value) in &self.root {
            let word: &str = name.get_ref();
            let is_table = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
            if !is_table || known.contains(&word) || word == "instruments" {
                continue;
            }
            let place = Place { source: self.source, span: name.span() };
            let title = format!("[{}] is not a section here", super::problem::shorten(word));
            let help = match (elsewhere(word), nearest(word, &known)) {
                (Some(kind), _) => format!("it belongs in a file of kind = \"{kind}\""),
                (None, Some(near)) => format!("did you mean [{near}]?"),
                (None, None) => format!("the sections here are {}", known.join(", ")),
            };
            problems.push(Problem::new(place, title, "unknown").help(help));
        }
    }

    /// The keys at the top that are sections, or should be: they are judged elsewhere.
    pub(crate) fn section_names(&self) -> impl Iterator<Item = &str> {
        let sections = self.root.iter().filter(|(name, value)| {
            let is_table = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
            is_table || super::load::elsewhere(name.get_ref()).is_some()
        });
        sections.map(|(name, _)| name.get_ref().as_ref())
    }
}

fn as_table<'a>(
    source: SourceId,
    name: &str,
    value: &'a Spanned<DeValue<'a>>,
    problems: &mut Problems,
) -> Option<&'a DeTable<'a>> {
    let table = value.get_ref().as_table();
    if table.is_none() {
        let place = Place { source, span: value.span() };
        let title = format!("{name} must be a table");
        let label = format!("found {}", problems.found(&place));
        let help = format!("write the header [{name}] and the keys below it");
        problems.push(Problem::new(place, title, label).help(help));
    }
    table
}
