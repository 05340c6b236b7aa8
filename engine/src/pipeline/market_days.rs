//! Recordings that follow each other: which files they are, which of them go on in the next, and
//! one after the other to be read. Reads nothing of them itself.

use crate::pipeline::market_source::MarketError;
use feeds::recording::{Joined, OpenError, Options, Recording, Source, Unit, Wanted, open};
use market::{Instrument, Nanos, Timestamp};
use std::collections::VecDeque;
use std::path::Path;

/// What a file's stamps count from where it does not name its day: the next midnight for each
/// further one.
const DAY: Nanos = Nanos::from_secs(86_400);

/// See the module.
pub(super) struct Days {
    sources: VecDeque<Source>,
    instruments: Vec<Instrument>,
    /// Midnight of the next one.
    day: Timestamp,
    /// The one that is read.
    name: String,
}

impl Days {
    /// These files, in order. Each is looked at, so that a wrong one does not show at the end of
    /// the first day.
    ///
    /// # Errors
    /// [`MarketError`] of one that cannot be opened.
    pub(super) fn new<'p>(
        paths: impl IntoIterator<Item = &'p Path>,
        instruments: Vec<Instrument>,
        day: Timestamp,
    ) -> Result<Days, MarketError> {
        let mut days = Days { sources: VecDeque::new(), instruments, day, name: String::new() };
        let mut joined = Joined::default();
        for path in paths {
            let source = one(path)?;
            let name = source.to_string();
            joined.add(source, &days.options()).map_err(|source| cannot_open(name, source))?;
        }
        days.sources = joined.sources().map(|(source, _)| source).collect();
        Ok(days)
    }

    /// The first time of the venue in the next; zero where it has none. What comes
    /// before it, such as answers to subscriptions, has no time.
    pub(super) fn begins(&self) -> Result<Timestamp, MarketError> {
        let Some(source) = self.sources.front() else { return Ok(Timestamp::ZERO) };
        let (mut recording, mut unit) = (self.open(source)?, Unit::default());
        // What breaks it is met again by who reads it.
        while let Ok(true) = recording.next_unit(&mut unit) {
            if unit.exchange_time != Timestamp::ZERO {
                return Ok(unit.exchange_time);
            }
        }
        Ok(Timestamp::ZERO)
    }

    /// Opens the next, if there is one.
    pub(super) fn next(&mut self) -> Option<Result<Box<dyn Recording>, MarketError>> {
        let source = self.sources.pop_front()?;
        self.name = source.to_string();
        let opened = self.open(&source);
        self.day = self.day.after(DAY);
        Some(opened)
    }

    /// The one that is read, for people.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn options(&self) -> Options {
        let wanted = Wanted::Only(self.instruments.clone());
        Options { wanted, day: Some(self.day), keep_messages: true, ..Options::default() }
    }

    fn open(&self, source: &Source) -> Result<Box<dyn Recording>, MarketError> {
        open(source, self.options()).map_err(|error| cannot_open(source.to_string(), error))
    }
}

fn cannot_open(path: String, source: OpenError) -> MarketError {
    MarketError::Open { path, source }
}

/// The one recording that a file holds.
fn one(path: &Path) -> Result<Source, MarketError> {
    let shown = || path.display().to_string();
    let listed = Source::list(path);
    let mut sources = listed.map_err(|error| cannot_open(shown(), error.into()))?;
    match (sources.pop(), sources.len()) {
        (Some(source), 0) => Ok(source),
        (last, rest) => {
            Err(MarketError::Archive { path: shown(), count: rest + usize::from(last.is_some()) })
        }
    }
}
