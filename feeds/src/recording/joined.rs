//! Which recordings go on in another file, so that both are read as one: what shows at the beginning
//! of each says it. Reads a bounded piece of each.

use super::{OpenError, Options, Source, Unit, Wanted, formats, open};
use market::Timestamp;
use std::collections::BTreeSet;

/// Units that are looked at: a file of many symbols has shown its busy ones by then.
const UNITS: usize = 4_096;

/// Recordings, those that go on in another file joined to one. A recording of lines goes on in the
/// next file of the same format, market and symbols that begins later: only the first has the
/// snapshots of the books.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    /// Each, and how its last file begins.
    sources: Vec<(Source, Beginning)>,
}

/// How a recording begins.
#[derive(Clone, Debug)]
struct Beginning {
    format: &'static str,
    /// Which market it is of; empty where that does not show.
    market: String,
    symbols: BTreeSet<String>,
    /// Its first time; zero if there is none.
    time: Timestamp,
}

impl Joined {
    /// Adds a recording: to the last of those before that goes on in it, else as one of its own.
    ///
    /// # Errors
    /// It cannot be opened; nothing has changed then.
    pub fn add(&mut self, source: Source, options: &Options) -> Result<(), OpenError> {
        let beginning = Beginning::of(&source, options)?;
        let before = self.sources.iter().rposition(|(_, before)| before.goes_on_in(&beginning));
        let source = match before.map(|at| self.sources.remove(at)) {
            Some((before, _)) => before.followed_by(source),
            None => source,
        };
        // One that goes on stands where its first file did.
        let at = before.unwrap_or(self.sources.len());
        self.sources.insert(at, (source, beginning));
        Ok(())
    }

    /// The recordings, in the order in which the first file of each was added, and of each which
    /// market it is of, as far as its beginning says it.
    pub fn sources(self) -> impl Iterator<Item = (Source, String)> {
        self.sources.into_iter().map(|(source, beginning)| (source, beginning.market))
    }
}

impl Beginning {
    fn of(source: &Source, options: &Options) -> Result<Beginning, OpenError> {
        // The symbols that it has, not those that are wanted.
        let (wanted, progress) = (Wanted::All, None);
        let mut recording = open(source, Options { wanted, progress, ..options.clone() })?;
        let format = recording.describe().format;
        let (mut time, mut unit) = (Timestamp::ZERO, Unit::default());
        let units = if formats::goes_on(format) { UNITS } else { 0 };
        for _ in 0..units {
            // What breaks it is met again by who reads it.
            let Ok(true) = recording.next_unit(&mut unit) else { break };
            if time == Timestamp::ZERO {
                time = unit.time();
            }
        }
        let known = recording.instruments().all().iter();
        let symbols = known.map(|known| known.symbol.clone()).collect();
        Ok(Beginning { format, market: recording.market(), symbols, time })
    }

    fn goes_on_in(&self, next: &Beginning) -> bool {
        let markets = [&self.market, &next.market];
        formats::goes_on(self.format)
            && self.format == next.format
            && (markets[0] == markets[1] || markets.iter().any(|market| market.is_empty()))
            && self.time < next.time
            && !self.symbols.is_disjoint(&next.symbols)
    }
}
