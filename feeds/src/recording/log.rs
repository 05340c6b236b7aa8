//! What was missing, skipped and damaged in a recording, where and why. Its memory does not grow with
//! the file: everything is counted, and only the first of each kind are kept with their places.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// So many gaps, and so many damaged parts and skips of each reason, are kept with their places.
const KEPT: usize = 16;

/// A part that was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Bytes of the unpacked content before it.
    pub position: u64,
    /// Why.
    pub reason: Cow<'static, str>,
}

/// Messages that the recording lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Where it showed: bytes of the unpacked content before.
    pub position: u64,
    /// Whose numbers they are: a session, a symbol, a channel.
    pub stream: String,
    /// The first that is missing, by the format's own numbers.
    pub first: u64,
    /// How many; zero where the format does not tell.
    pub count: u64,
}

/// Skips of one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Skips {
    count: u64,
    places: Vec<u64>,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    gaps: u64,
    first_gaps: Vec<Missing>,
    damaged: u64,
    first_damaged: Vec<Noted>,
    skips: BTreeMap<&'static str, Skips>,
    seams: u64,
    first_seams: Vec<Noted>,
    cut: Option<Noted>,
}

impl Log {
    /// Notes a unit that stands at `position` and was not used: whole, but of no use.
    pub fn skip(&mut self, position: u64, reason: &'static str) {
        self.skip_all(position, 1, reason);
    }

    /// Notes so many units that stand before `position` and were not used, for one reason.
    pub fn skip_all(&mut self, position: u64, count: u64, reason: &'static str) {
        let skips = self.skips.entry(reason).or_default();
        skips.count += count;
        if skips.places.len() < KEPT {
            skips.places.push(position);
        }
    }

    /// Notes bytes that are not what they should be.
    pub fn damage(&mut self, position: u64, reason: impl Into<Cow<'static, str>>) {
        self.damaged += 1;
        if self.first_damaged.len() < KEPT {
            self.first_damaged.push(Noted { position, reason: reason.into() });
        }
    }

    /// Notes where a book goes on in another file, and nothing shows whether something is missing
    /// between.
    pub fn seam(&mut self, position: u64, what: impl Into<Cow<'static, str>>) {
        self.seams += 1;
        if self.first_seams.len() < KEPT {
            self.first_seams.push(Noted { position, reason: what.into() });
        }
    }

    /// Notes that the recording ends within a unit.
    pub fn cut(&mut self, position: u64, reason: impl Into<Cow<'static, str>>) {
        self.cut = Some(Noted { position, reason: reason.into() });
    }

    /// Notes messages that are missing.
    pub fn gap(&mut self, missing: impl FnOnce() -> Missing) {
        self.gaps += 1;
        if self.first_gaps.len() < KEPT {
            self.first_gaps.push(missing());
        }
    }

    /// How many gaps, and the first of them.
    #[must_use]
    pub fn gaps(&self) -> (u64, &[Missing]) {
        (self.gaps, &self.first_gaps)
    }

    /// How many damaged parts, and the first of them.
    #[must_use]
    pub fn damaged(&self) -> (u64, &[Noted]) {
        (self.damaged, &self.first_damaged)
    }

    /// How many books went on in another file without a proof, and the first of them.
    #[must_use]
    pub fn seams(&self) -> (u64, &[Noted]) {
        (self.seams, &self.first_seams)
    }

    /// Where the recording ends within a unit, if it does.
    #[must_use]
    pub fn is_cut(&self) -> Option<&Noted> {
        self.cut.as_ref()
    }

    /// Reasons of skips, how often each was met, and where at first.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, u64, &[u64])> {
        self.skips.iter().map(|(&reason, skips)| (reason, skips.count, &skips.places[..]))
    }
}
