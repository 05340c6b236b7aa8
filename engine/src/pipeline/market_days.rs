//! Recordings that follow each other: which files they are, which of them go on in the next, and
//! one after the other to be read. Reads nothing of them itself.

use crate::pipeline::market_source::MarketError;
use feeds::recording::{Options, Recording, Source, Unit, Wanted, goes_on, open};
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
        let mut before: Option<&'static str> = None;
        for path in paths {
            let source = one(path)?;
            let format = days.open(&source)?.describe().format;
            match days.sources.pop_back() {
                // The snapshot of its books stands in the first file only.
                Some(last) if before == Some(format) && goes_on(format) => {
                    days.sources.push_back(last.followed_by(source));
                }
                last => days.sources.extend(last.into_iter().chain([source])),
            }
            before = Some(format);
        }
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

    fn open(&self, source: &Source) -> Result<Box<dyn Recording>, MarketError> {
        let wanted = Wanted::Only(self.instruments.clone());
        let day = Some(self.day);
        let options = Options { wanted, day, keep_messages: true, ..Options::default() };
        open(source, options)
            .map_err(|error| MarketError::Open { path: source.to_string(), source: error })
    }
}

/// The one recording that a file holds.
fn one(path: &Path) -> Result<Source, MarketError> {
    let shown = || path.display().to_string();
    let listed = Source::list(path);
    let mut sources =
        listed.map_err(|error| MarketError::Open { path: shown(), source: error.into() })?;
    match (sources.pop(), sources.len()) {
        (Some(source), 0) => Ok(source),
        (last, rest) => {
            Err(MarketError::Archive { path: shown(), count: rest + usize::from(last.is_some()) })
        }
    }
}
