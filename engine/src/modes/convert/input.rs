//! One input of a conversion: its recording, the unit that waits to be written, and what its
//! instruments are called in the output.

use super::standing::Standing;
use super::tellers::What;
use crate::modes::troubles::troubles;
use anyhow::bail;
use feeds::recording::{Books, Broken, OpenError, Options, Recording, Source, Unit, open};
use market::{InstrumentId, Nanos, Timestamp};

/// How far receive times of one recording may go back where its files meet.
const BACK: Nanos = Nanos::from_secs(1);

/// See the module.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) recording: Box<dyn Recording>,
    /// Which market its beginning said it is of.
    market: String,
    /// It is several files.
    joined: bool,
    /// The unit that waits.
    pub(super) unit: Unit,
    /// Its place among all units. Never less than the one before.
    pub(super) time: Timestamp,
    /// Ids of the output by the recording's own.
    pub(super) ids: Vec<InstrumentId>,
    /// What was said of all its instruments and still holds.
    pub(super) standing: Standing,
    /// Nothing of it waits, and nothing comes any more.
    pub(super) ended: bool,
    /// Why it could not be read to its end.
    pub(super) broken: Option<Broken>,
}

impl Input {
    /// Opens a recording, and reads nothing of it yet.
    pub(super) fn open(
        source: &Source,
        market: String,
        options: &Options,
    ) -> Result<Input, OpenError> {
        let recording = open(source, options.clone())?;
        Ok(Input {
            name: source.to_string(),
            recording,
            market,
            joined: source.is_joined(),
            unit: Unit::default(),
            time: Timestamp::ZERO,
            ids: Vec::new(),
            standing: Standing::default(),
            ended: false,
            broken: None,
        })
    }

    /// Reads the next unit that says anything; false at the end, or where there is no way on.
    ///
    /// # Errors
    /// Files of it that are read as one do not follow each other.
    pub(super) fn advance(&mut self) -> anyhow::Result<bool> {
        self.ended = !self.has_next();
        let back = self.time.since(self.unit.received);
        if self.joined && !self.ended && self.unit.received != Timestamp::ZERO && back > BACK {
            bail!(
                "{}: one file goes on where the next has begun, {:.3} s at byte {}: convert them \
                 apart; if only the recorder's clock was set back, put them into one file (`cat`)",
                self.name,
                back.as_secs_f64(),
                self.unit.position
            );
        }
        Ok(!self.ended)
    }

    /// Which market it is of, as far as is known; empty where there is but one.
    pub(super) fn market(&self) -> String {
        let found = self.recording.market();
        if found.is_empty() { self.market.clone() } else { found }
    }

    /// Whether both may tell one instrument: of one format, and of one market as far as is known.
    pub(super) fn is_like(&self, other: &Input) -> bool {
        let format = |input: &Input| input.recording.describe().format;
        let markets = [self.market(), other.market()];
        let known = markets.iter().all(|market| !market.is_empty());
        format(self) == format(other) && !(known && markets[0] != markets[1])
    }

    /// What the file says that its events are from.
    pub(super) fn from(&self) -> String {
        let (format, market) = (self.recording.describe().format, self.market());
        match market.is_empty() {
            true => format.to_owned(),
            // What was converted before is from what it was from then.
            false if format == feeds::archive::recording::FORMAT => market,
            false => format!("{format}, {market}"),
        }
    }

    fn has_next(&mut self) -> bool {
        loop {
            match self.recording.next_unit(&mut self.unit) {
                Ok(true) if self.unit.says_nothing() => {}
                Ok(true) => {
                    // A stamp that goes back is of the clock; the order of the recording is not.
                    self.time = self.time.max(self.unit.time());
                    return true;
                }
                Ok(false) => return false,
                Err(broken) => {
                    self.broken = Some(broken);
                    return false;
                }
            }
        }
    }

    /// Whether it tells this: only recordings of a book say how it stands with one.
    pub(super) fn tells(&self, what: What) -> bool {
        what == What::Trades || self.recording.describe().books != Books::None
    }

    /// What was missing or of no use, for people.
    pub(super) fn troubles(&self) -> Vec<String> {
        let mut troubles = troubles(self.recording.log());
        troubles.extend(self.broken.as_ref().map(|broken| format!("cannot be read on {broken}")));
        troubles
    }
}
