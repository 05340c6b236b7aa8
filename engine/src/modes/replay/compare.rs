//! The tape that compares: every record the loop makes must be the recorded one, byte for byte.

use super::text::describe;
use crate::journal::{CLOSED, JournalError, Reader};
use crate::pipeline::records::{Record, kind};
use crate::pipeline::recovery::Recovery;
use crate::pipeline::tape::Tape;
use market::Instrument;
use std::fmt;

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Its place in the stream.
    pub(super) sequence: u64,
    /// What it is.
    pub(super) kind: u16,
    /// What it says.
    pub(super) payload: Vec<u8>,
}

/// The first difference between a journal and its replay, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: the record's sequence, or another place in words.
    pub place: String,
    /// What stands in the journal.
    pub recorded: String,
    /// What the replay made instead.
    pub replayed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "differs at {}", self.place)?;
        writeln!(f, "recorded  {}", self.recorded)?;
        write!(f, "replayed  {}", self.replayed)
    }
}

/// Reads a journal one record ahead and compares.
pub(super) struct CompareTape {
    reader: Reader,
    next: Option<Recorded>,
    /// Follows what agreed, to judge the next opening state.
    recovery: Option<Recovery>,
    instruments: Vec<Instrument>,
    difference: Option<Difference>,
    error: Option<JournalError>,
    /// Records that agreed, and the sequence of the last.
    agreed: (u64, u64),
    /// State hash of the last record that agreed, if it was an end.
    final_state: Option<u128>,
}

impl CompareTape {
    /// A tape at the first record of `reader`.
    pub(super) fn new(reader: Reader, instruments: Vec<Instrument>) -> CompareTape {
        let mut tape = CompareTape {
            reader,
            next: None,
            recovery: None,
            instruments,
            difference: None,
            error: None,
            agreed: (0, 0),
            final_state: None,
        };
        tape.advance();
        tape
    }

    /// The next recorded record; `None` at the end or after damage.
    pub(super) fn next(&self) -> Option<&Recorded> {
        self.next.as_ref()
    }

    fn advance(&mut self) {
        self.next = None;
        loop {
            match self.reader.next_record() {
                Ok(Some(record)) if record.kind == CLOSED => {}
                Ok(Some(record)) => {
                    let (sequence, kind) = (record.sequence, record.kind);
                    let payload = record.payload.to_vec();
                    self.next = Some(Recorded { sequence, kind, payload });
                    return;
                }
                Ok(None) => return,
                Err(error) => {
                    self.error = Some(error);
                    return;
                }
            }
        }
    }

    /// Begins to follow an account from the start that comes next; what it trades names the
    /// instruments of a difference.
    pub(super) fn follow(&mut self, recovery: Recovery, instruments: Vec<Instrument>) {
        self.recovery = Some(recovery);
        self.instruments = instruments;
    }

    /// Shows what the start before left, and what it traded, if there was one.
    pub(super) fn judge_opening<R>(
        &self,
        judge: impl FnOnce(&Recovery, &[Instrument]) -> Option<R>,
    ) -> Option<R> {
        self.recovery.as_ref().and_then(|before| judge(before, &self.instruments))
    }

    /// Notes a difference at the next record, unless there was one before.
    pub(super) fn differ(&mut self, replayed: String) {
        let (place, recorded) = match &self.next {
            Some(next) => {
                let text = describe(next.kind, &next.payload, &self.instruments);
                (format!("record {}", next.sequence), text)
            }
            None => {
                let place = format!("record {}", self.reader.next_sequence());
                (place, "nothing: the journal ends here".to_owned())
            }
        };
        self.difference.get_or_insert(Difference { place, recorded, replayed });
    }

    /// True if the loop can go on.
    pub(super) fn is_well(&self) -> bool {
        self.difference.is_none() && self.error.is_none()
    }

    /// Records that agreed.
    pub(super) fn records(&self) -> u64 {
        self.agreed.0
    }

    /// Sequence of the last record that agreed.
    pub(super) fn last(&self) -> u64 {
        self.agreed.1
    }

    /// The final state hash, if the last record that agreed was an end.
    pub(super) fn final_state(&self) -> Option<u128> {
        self.final_state
    }

    /// The difference, if there was one, and how the journal ends.
    ///
    /// # Errors
    /// The journal is damaged.
    pub(super) fn finish(self) -> Result<(Option<Difference>, String), JournalError> {
        match self.error {
            Some(error) => Err(error),
            None => {
                let tail = self.reader.tail().map_or_else(String::new, ToString::to_string);
                Ok((self.difference, tail))
            }
        }
    }
}

impl Tape for CompareTape {
    fn has_room(&self) -> bool {
        true
    }

    fn was_published(&self) -> Option<bool> {
        let next = self.next.as_ref().filter(|next| next.kind == kind::COMMAND)?;
        next.payload.first().map(|&byte| byte != 0)
    }

    /// False at a difference, and where a killed start ends.
    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        if !self.is_well() {
            return false;
        }
        let Some(next) = &self.next else { return false };
        if next.kind == kind::START && kind != kind::START {
            return false;
        }
        if next.kind != kind || !equal(&next.payload, parts) {
            let replayed = describe(kind, &parts.concat(), &self.instruments);
            self.differ(replayed);
            return false;
        }
        if kind != kind::START
            && let Some(recovery) = &mut self.recovery
        {
            recovery.follow(kind, &next.payload);
        }
        self.agreed = (self.agreed.0 + 1, next.sequence);
        self.final_state = match (kind, Record::decode(kind::END, &next.payload)) {
            (kind::END, Ok(Record::End(_, hash))) => Some(hash),
            _ => None,
        };
        self.advance();
        true
    }
}

fn equal(payload: &[u8], parts: &[&[u8]]) -> bool {
    let mut rest = payload;
    for part in parts {
        match rest.strip_prefix(*part) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}
