//! The FIX store of one account, with the ledger that its reports add up to.
//!
//! When the store forgets its frames (a client that begins anew), what they said is saved first.

use super::ledger::{Ledger, LedgerError};
use gateway::dialect::Dialect;
use gateway::fix::FieldIndex;
use gateway::orders::{Instruments, ReportError, Requests, decode_report};
use gateway::session::{FileStore, FrameKind, OpenError, Store, StoreError, Visit};
use market::Instrument;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Fields of a stored report, with room to spare.
const FIELDS: usize = 64;

/// Frames and numbers of a session, and what the account did.
#[derive(Debug)]
pub struct AccountStore {
    frames: FileStore,
    ledger: Ledger,
    path: PathBuf,
    passed_over: u64,
}

/// Why an account cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Its FIX store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Reading the store.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// Its ledger.
    #[error("{0}: {1}")]
    Ledger(PathBuf, #[source] LedgerError),
}

impl AccountStore {
    /// Opens what account `name` left in `folder`, and counts the reports in it.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn open(
        folder: &Path,
        name: &str,
        instruments: Arc<[Instrument]>,
        listed: &Instruments,
    ) -> Result<AccountStore, AccountError> {
        let stem = file_stem(name);
        let path = folder.join(format!("{stem}.ledger"));
        let mut frames = FileStore::open(&folder.join(format!("{stem}.fix")), false)?;
        let mut ledger = Ledger::load(&path, instruments)
            .map_err(|error| AccountError::Ledger(path.clone(), error))?;
        let (mut index, requests) = (FieldIndex::new(FIELDS), Requests::new(0));
        let dialect = Dialect::default();
        let mut passed_over = 0;
        frames.outgoing(1, u64::MAX, &mut |_, kind, frame| {
            if kind == FrameKind::Application {
                let message = index.parse(frame);
                let mut count = |report| ledger.count(&report);
                let read = decode_report(&message, 0, listed, &dialect, &requests, &mut count);
                // Refusals of messages say nothing of orders.
                let lost =
                    matches!(read, Err(ReportError::Fault(_) | ReportError::UnknownInstrument));
                passed_over += u64::from(lost);
            }
            ControlFlow::Continue(())
        })?;
        Ok(AccountStore { frames, ledger, path, passed_over })
    }

    /// What the account did.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger, to count a report once it stands in the store.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Stored reports that could not be counted: of instruments that are not listed any more.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }
}

impl Store for AccountStore {
    fn next_outgoing(&self) -> u64 {
        self.frames.next_outgoing()
    }

    fn next_incoming(&self) -> u64 {
        self.frames.next_incoming()
    }

    fn record_outgoing(
        &mut self,
        seq: u64,
        kind: FrameKind,
        frame: &[u8],
    ) -> Result<(), StoreError> {
        self.frames.record_outgoing(seq, kind, frame)
    }

    fn record_incoming(&mut self, seq: u64, frame: &[u8]) -> Result<(), StoreError> {
        self.frames.record_incoming(seq, frame)
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        self.frames.set_next_incoming(seq)
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        // Before, not after: executions say whether they were counted.
        self.ledger.save(&self.path)?;
        self.frames.reset(outgoing, incoming)
    }

    fn outgoing(&mut self, begin: u64, end: u64, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.frames.outgoing(begin, end, visit)
    }
}

/// A file name for a CompID, different for different ones.
fn file_stem(name: &str) -> String {
    let mut stem = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            stem.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(stem, "%{byte:02x}");
        }
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::file_stem;

    #[test]
    fn names_stay_in_the_folder() {
        assert_eq!(file_stem("TOUCHLINE-1"), "TOUCHLINE-1");
        assert_eq!(file_stem("../a.b"), "%2e%2e%2fa%2eb");
    }
}
