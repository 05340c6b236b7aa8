//! Reads one table of a file against its keys: values, defaults, missing keys, unknown keys.
//!
//! It must never stop at the first problem, and never know what a key is for.

use super::key::{Key, Section, Table, stem, unit_of};
use super::problem::{Place, Problem, Problems, SourceId};
use super::value::Field;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place, as the parser gives it.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// One table being read.
pub(crate) struct Reader<'a, 'p> {
    /// `[risk]`, `[[strategy]]`, or the empty text for the top of the file.
    title: String,
    source: SourceId,
    /// The header, or where the section should have been.
    span: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    /// Where a key is looked for next: `[risk]` behind `[risk.instrument.X]`.
    fallback: Option<&'a DeTable<'a>>,
    known: Vec<&'a str>,
    missing: Vec<&'static Key>,
    problems: &'p mut Problems,
}

impl<'a, 'p> Reader<'a, 'p> {
    /// A reader of `table`, which `None` says is absent; `span` is its header.
    pub(crate) fn new(
        title: String,
        source: SourceId,
        span: Range<usize>,
        table: Option<&'a DeTable<'a>>,
        problems: &'p mut Problems,
    ) -> Self {
        let (known, missing) = (Vec::new(), Vec::new());
        Reader { title, source, span, table, fallback: None, known, missing, problems }
    }

    /// Keys that are absent are looked for in `fallback` before their default is taken.
    pub(crate) fn with_fallback(mut self, fallback: Option<&'a DeTable<'a>>) -> Self {
        self.fallback = fallback;
        self
    }

    /// Reads all keys of `T`.
    pub(crate) fn section<T: Section>(&mut self) -> Option<T> {
        T::read(self)
    }

    /// Reads the key `name` of `keys`.
    pub(crate) fn field<T: Field>(&mut self, keys: &'static [Key], name: &str) -> Option<T> {
        let key = keys.iter().find(|key| key.name == name)?;
        self.known.push(key.name);
        if let Some(value) = self.lookup(key.name) {
            let own = self.table.is_some_and(|table| table.contains_key(key.name));
            return match T::read(value, key) {
                Ok(read) => Some(read),
                // What is wrong in the fallback has been said where it stands.
                Err(_) if !own => None,
                Err(wrong) => {
                    let place = self.place(wrong.span.unwrap_or(value.span()));
                    let label = format!("found {}", self.problems.found(&place));
                    let title = format!("{}{} {}", self.prefix(), key.name, wrong.title);
                    let problem = Problem::new(place, title, label)
                        .note(format!("allowed: {}", key.allowed()))
                        .help(wrong.help.unwrap_or_else(|| advice(key)));
                    self.problems.push(problem);
                    None
                }
            };
        }
        let default = key.default.and_then(|text| {
            let value = DeValue::parse(text).ok()?;
            T::read(&value, key).ok()
        });
        let value = default.or_else(T::absent);
        if value.is_none() {
            self.missing.push(key);
        }
        value
    }

    /// Marks `name` as read by someone else.
    pub(crate) fn allow(&mut self, name: &'a str) {
        self.known.push(name);
    }

    /// The value of a key that is not in a list of keys.
    pub(crate) fn lookup(&self, name: &str) -> Option<&'a Value<'a>> {
        let own = self.table.and_then(|table| table.get(name));
        own.or_else(|| self.fallback.and_then(|table| table.get(name)))
    }

    /// Where a key's value stands, else the header.
    pub(crate) fn place_of(&self, name: &str) -> Place {
        self.place(self.lookup(name).map_or_else(|| self.span.clone(), Spanned::span))
    }

    /// A place of this file.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        Place { source: self.source, span }
    }

    /// Records that the value of `name` is wrong for a reason beyond its own range.
    pub(crate) fn refuse(&mut self, name: &str, title: &str, help: impl Into<String>) {
        let place = self.place_of(name);
        let label = match self.lookup(name) {
            Some(_) => format!("found {}", self.problems.found(&place)),
            None => format!("{name} is not given"),
        };
        let title = format!("{}{name} {title}", self.prefix());
        self.problems.push(Problem::new(place, title, label).help(help));
    }

    /// Records what is missing and what is unknown. Call it once, after the last key.
    pub(crate) fn finish(self, tables: &[Table]) {
        let prefix = self.prefix();
        if !self.missing.is_empty() {
            let names: Vec<_> = self.missing.iter().map(|key| key.name).collect();
            let mut problem = Problem::new(
                self.place(self.span.clone()),
                format!("{prefix}lacks {}", names.join(", ")),
                if self.table.is_some() { "add to this table" } else { "add the section" },
            );
            for key in &self.missing {
                let sample = key.sample().map(|s| format!(", such as {s}")).unwrap_or_default();
                problem = problem.note(format!("{}: {}{sample}", key.name, key.allowed()));
            }
            self.problems.push(problem.help("no default is safe for these: give each a value"));
        }
        self.finish_override(tables);
    }

    /// Records what is unknown; what is missing has been said of the fallback.
    pub(crate) fn finish_override(self, tables: &[Table]) {
        let prefix = self.prefix();
        for (name, value) in self.table.into_iter().flatten() {
            if !self.known.contains(&name.get_ref().as_ref()) {
                let problem = Problem::new(
                    self.place(name.span()),
                    format!("{prefix}{} is not a key", super::problem::shorten(name.get_ref())),
                    "unknown",
                );
                let place = self.place(value.span());
                let found = self.problems.found(&place);
                let (note, help) =
                    unknown(name.get_ref(), &found, &self.title, tables, &self.known);
                let problem = match note {
                    Some(note) => problem.note(note),
                    None => problem,
                };
                self.problems.push(problem.help(help));
            }
        }
    }

    fn prefix(&self) -> String {
        if self.title.is_empty() { String::new() } else { format!("{} ", self.title) }
    }
}

/// What to write instead, and what the key means.
fn advice(key: &Key) -> String {
    let doc = key.doc.first().map(|line| line.trim().trim_end_matches('.')).unwrap_or_default();
    match key.sample() {
        Some(sample) => format!("for example `{} = {sample}`: {doc}", key.name),
        None => format!("{}: {doc}", key.name),
    }
}

/// A note and a help for an unknown key.
fn unknown(
    name: &str,
    found: &str,
    here: &str,
    tables: &[Table],
    known: &[&str],
) -> (Option<String>, String) {
    // The same words with another unit, or none: the value must be converted too.
    let mut keys = tables.iter().flat_map(|table| table.keys);
    let same = keys.find(|key| stem(key.name) == stem(name));
    if let Some(key) = same {
        let unit = unit_of(key.name).map_or("a number", |unit| unit.words);
        let help =
            format!("write `{}`, which counts {unit}{}", key.name, convert(name, found, key));
        return (Some("a key ends in the unit of its value".to_owned()), help);
    }
    if let Some(home) = super::load::home_of(name, here) {
        return (None, format!("`{name}` belongs in {home}"));
    }
    match super::suggest::nearest(name, known) {
        Some(near) => (None, format!("did you mean `{near}`?")),
        None => {
            let keys = tables.iter().flat_map(|table| table.keys).map(|key| key.name);
            let keys = keys.collect::<Vec<_>>().join(", ");
            (Some(format!("the keys here are {keys}")), "remove it".to_owned())
        }
    }
}

/// `: 5 here is 5000 there`, when both names carry a unit of time and the value is a whole number.
fn convert(name: &str, found: &str, key: &Key) -> String {
    let converted = || {
        let from = unit_of(name)?.nanos?;
        let to = unit_of(key.name)?.nanos?;
        let nanos = found.parse::<u64>().ok()?.checked_mul(u64::from(from))?;
        nanos.is_multiple_of(u64::from(to)).then(|| nanos / u64::from(to))
    };
    converted().map_or_else(String::new, |value| format!(": `{} = {value}`", key.name))
}
