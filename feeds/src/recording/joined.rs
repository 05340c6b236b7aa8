//! Which recordings go on in another file, so that both are read as one: what shows at the beginning
//! of each says it. Reads a bounded piece of each.

use super::{OpenError, Options, Source, Unit, Wanted, formats, open};
use market::{Nanos, Timestamp};
use std::collections::BTreeSet;

/// Units that are looked at: a file of many symbols has shown its busy ones by then.
const UNITS: usize = 4_096;
/// Times of one file may be so far behind the end of the one before.
const BACK: Nanos = Nanos::from_secs(1);
/// Kinds of messages that say nothing of an instrument.
const OF_NONE: [&str; 11] = [
    "response",
    "answer",
    "subscriptions",
    "subscriptionStatus",
    "heartbeat",
    "status",
    "systemStatus",
    "error",
    "instrument",
    "other",
    "not understood",
];

/// Recordings, those that go on in another file joined to one. A recording of lines goes on in the
/// next file of the same format, market and symbols that begins later: only the first has the
/// snapshots of the books. It shows the same kinds of messages, or begins where the one before ends:
/// depth and trades of the same hours, in two files, are two recordings.
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
    /// Its last time, where its end was seen.
    end: Option<Timestamp>,
    /// Kinds of messages in it and in those that it goes on from.
    kinds: BTreeSet<String>,
}

impl Joined {
    /// Adds a recording: to the last of those before that goes on in it, else as one of its own.
    ///
    /// # Errors
    /// It cannot be opened; nothing has changed then.
    pub fn add(&mut self, source: Source, options: &Options) -> Result<(), OpenError> {
        let mut beginning = Beginning::of(&source, options)?;
        let may = |before: &Beginning| before.may_go_on_in(&beginning);
        let last = |goes_on: fn(&Beginning, &Beginning) -> bool| {
            let mut all = self.sources.iter();
            all.rposition(|(_, before)| may(before) && goes_on(before, &beginning))
        };
        let before = last(Beginning::is_like).or_else(|| last(Beginning::ends_before));
        let source = match before.map(|at| self.sources.remove(at)) {
            Some((before, of_before)) => {
                beginning.kinds.extend(of_before.kinds);
                before.followed_by(source)
            }
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
        let (mut time, mut last, mut end) = (Timestamp::ZERO, Timestamp::ZERO, None);
        let mut unit = Unit::default();
        let units = if formats::goes_on(format) { UNITS } else { 0 };
        for _ in 0..units {
            // What breaks it is met again by who reads it.
            let Ok(more) = recording.next_unit(&mut unit) else { break };
            if !more {
                end = Some(last);
                break;
            }
            last = last.max(unit.time());
            if time == Timestamp::ZERO {
                time = unit.time();
            }
        }
        let known = recording.instruments().all().iter();
        let symbols = known.map(|known| known.symbol.clone()).collect();
        let kinds = recording.counts().by_type.into_iter().map(|(kind, _)| kind);
        let kinds = kinds.filter(|kind| !OF_NONE.contains(&kind.as_str())).collect();
        Ok(Beginning { format, market: recording.market(), symbols, time, end, kinds })
    }

    /// Whether the next one is of the same, and begins later.
    fn may_go_on_in(&self, next: &Beginning) -> bool {
        let markets = [&self.market, &next.market];
        formats::goes_on(self.format)
            && self.format == next.format
            && (markets[0] == markets[1] || markets.iter().any(|market| market.is_empty()))
            && self.time < next.time
            && !self.symbols.is_disjoint(&next.symbols)
    }

    fn is_like(&self, next: &Beginning) -> bool {
        !self.kinds.is_disjoint(&next.kinds)
    }

    fn ends_before(&self, next: &Beginning) -> bool {
        self.end.is_some_and(|end| end <= next.time.after(BACK))
    }
}
