//! What is wrong with a configuration, and how it is shown: file, line, key, the value found, what
//! is allowed and what to change. All problems of a run are collected; none ends the reading.
//!
//! This file must never read a file or decide what is wrong.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Problems shown before the rest is only counted.
const SHOWN_MAX: usize = 40;
/// Characters of a value that a message repeats.
const FOUND_MAX: usize = 48;

/// Index of a file among those read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceId(pub(crate) usize);

/// One file's name and text.
#[derive(Clone, Debug)]
struct Source {
    path: String,
    text: Arc<str>,
}

/// A place in a file: bytes of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) source: SourceId,
    pub(crate) span: Range<usize>,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    place: Place,
    title: String,
    label: String,
    also: Option<(Range<usize>, String)>,
    notes: Vec<String>,
    help: Option<String>,
}

impl Problem {
    /// A problem at `place`; `label` stands beside it.
    pub(crate) fn new(place: Place, title: impl Into<String>, label: impl Into<String>) -> Self {
        let (title, label) = (title.into(), label.into());
        Problem { place, title, label, also: None, notes: Vec::new(), help: None }
    }

    /// Points at a second place of the same file.
    pub(crate) fn also(mut self, other: &Place, label: impl Into<String>) -> Self {
        if other.source == self.place.source && other.span != self.place.span {
            self.also = Some((other.span.clone(), label.into()));
        }
        self
    }

    /// Adds what is allowed, or another fact.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what to change.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The files read so far and what was found wrong in them.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

impl Problems {
    /// Takes note of a file.
    pub(crate) fn add_source(&mut self, path: &str, text: &Arc<str>) -> SourceId {
        self.sources.push(Source { path: clean(path), text: Arc::clone(text) });
        SourceId(self.sources.len() - 1)
    }

    /// Records a problem.
    pub(crate) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// True if nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The text of a place, cut to a size for a message.
    pub(crate) fn found(&self, place: &Place) -> String {
        let text = self.sources.get(place.source.0).and_then(|s| s.text.get(place.span.clone()));
        shorten(text.unwrap_or_default())
    }

    /// The problems as an error, in the order of the files.
    pub(crate) fn into_errors(mut self) -> ConfigErrors {
        self.problems.sort_by_key(|p| (p.place.source, p.place.span.start));
        ConfigErrors { sources: self.sources, problems: self.problems }
    }
}

/// `text` on one line, without control characters and not too long.
pub(crate) fn shorten(text: &str) -> String {
    let line = clean(text.lines().next().unwrap_or_default());
    if line.chars().count() <= FOUND_MAX && text.lines().count() <= 1 {
        return line;
    }
    format!("{}…", line.chars().take(FOUND_MAX).collect::<String>())
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Everything that is wrong with a configuration: the run is refused (exit code 3).
#[derive(Debug)]
pub struct ConfigErrors {
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

impl ConfigErrors {
    /// How many problems there are; at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.problems.len()
    }

    /// The messages as text for a terminal (`styled`) or for a file.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() }.term_width(120);
        let mut text = String::new();
        for problem in self.problems.iter().take(SHOWN_MAX) {
            text.push_str(&renderer.render(&[self.group(problem)]));
            text.push_str("\n\n");
        }
        let hidden = self.problems.len().saturating_sub(SHOWN_MAX);
        if hidden > 0 {
            text.push_str(&format!("… and {hidden} more\n\n"));
        }
        let file = self.sources.first().map_or("the configuration", |source| &source.path);
        let (count, errors) = match self.problems.len() {
            1 => ("1".to_owned(), "error"),
            count => (count.to_string(), "errors"),
        };
        text.push_str(&format!("{count} {errors}: {file} is refused"));
        text
    }

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let mut group = Group::with_title(Level::ERROR.primary_title(&problem.title));
        if let Some(source) = self.sources.get(problem.place.source.0) {
            // A file that could not be read, or is empty, has no line to show.
            group = if source.text.trim().is_empty() {
                group.element(Origin::path(&source.path))
            } else {
                let also = problem.also.as_ref().map(|(span, label)| {
                    AnnotationKind::Context.span(within(span, &source.text)).label(label)
                });
                group.element(
                    Snippet::source(&*source.text)
                        .path(&source.path)
                        .annotation(
                            AnnotationKind::Primary
                                .span(within(&problem.place.span, &source.text))
                                .label(&problem.label),
                        )
                        .annotations(also),
                )
            };
        }
        group = group.elements(problem.notes.iter().map(|note| Level::NOTE.message(note)));
        group.elements(problem.help.iter().map(|help| Level::HELP.message(help)))
    }
}

/// `span` cut to the text, on character borders, so that nothing downstream can panic.
fn within(span: &Range<usize>, text: &str) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (floor(span.start), floor(span.end));
    // A table's span may cover many lines; its first is the one to point at.
    let line = text[start..].find('\n').map_or(text.len(), |length| start + length);
    start..end.clamp(start, line.max(start))
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigErrors {}
