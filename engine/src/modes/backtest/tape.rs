//! The journal of a run in one thread: the records are copied to the disk by the thread that writes
//! them, whenever a segment is full.

use crate::journal::{self, Drain, JournalSettings, Writer};
use crate::pipeline::tape::Tape;
use anyhow::Context as _;
use market::Timestamp;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Most backtests that one folder holds.
const RUNS_MAX: u32 = 1_000_000;

/// A journal that waits for its disk instead of refusing.
pub(super) struct JournalTape {
    writer: Writer,
    drain: Drain,
    dir: PathBuf,
}

impl JournalTape {
    /// A journal in a fresh folder `run-N` of `parent`, and what the host refused it.
    pub(super) fn create(
        parent: &Path,
        now: Timestamp,
    ) -> anyhow::Result<(JournalTape, Option<String>)> {
        let dir = fresh(parent)?;
        let opened = journal::create(&JournalSettings::new(&dir, "trading"), now)?;
        let tape = JournalTape { writer: opened.writer, drain: opened.drain, dir };
        Ok((tape, opened.notice))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the disk complains of; empty while all is well.
    pub(super) fn complaint(&self) -> String {
        self.writer.state().complaint()
    }

    /// Brings everything to the disk.
    pub(super) fn close(self) -> anyhow::Result<()> {
        self.writer.close();
        Ok(self.drain.finish()?)
    }
}

impl Tape for JournalTape {
    fn has_room(&self) -> bool {
        Tape::has_room(&self.writer)
    }

    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        let recorded = self.writer.record(kind, parts);
        if !Tape::has_room(&self.writer) {
            self.drain.turn();
        }
        recorded
    }
}

/// The first `run-N` in `parent` that is not there yet; two runs at once get two.
fn fresh(parent: &Path) -> anyhow::Result<PathBuf> {
    let doing = || format!("cannot make a folder for the journal in {}", parent.display());
    fs::create_dir_all(parent).with_context(doing)?;
    for number in 1..RUNS_MAX {
        let dir = parent.join(format!("run-{number}"));
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(doing),
        }
    }
    anyhow::bail!("{} holds {RUNS_MAX} runs: remove some of them", parent.display())
}
