//! Through the loop without sockets: decode, book, strategy, quoter and risk, beside decode and book
//! alone; the journal off, and on.

use crate::contest::{Books, PACKET, Run, Shape};
use crate::data::broad;
use crate::figure::Figure;
use crate::lab::{Through, glft};
use crate::machine::on_core;
use crate::pairs;
use anyhow::Context as _;
use engine::journal::{self, Copier, JournalSettings, Writer};
use engine::pipeline::tape::{NoTape, Tape};
use market::Timestamp;
use std::path::Path;
use std::time::Duration;

const PAIRS: usize = 120;
/// Instruments that are quoted.
const QUOTED: u32 = 10;
/// Bytes of a journal's segment.
const SEGMENT: u64 = 64 << 20;
/// Messages a second of one core that the authors of a distributed market maker in Python give.
const PUBLISHED: f64 = 2.5e6;

/// The figures.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let (day, _) = broad::day(broad::BROAD, 42);
    let days = [day];
    let shape = Shape::broad(&days);
    let folder = tempfile::tempdir()?;
    let hot = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let (writer, copier) = journal((folder.path(), hot.path()), SEGMENT)?;
    let off = on_core(0, || beside(&shape, NoTape))?;
    let on = on_core(0, || beside(&shape, writer))?;
    copier.finish()?;
    let rate = 1e3 / off.ours;
    let what = format!(
        "glft on {QUOTED} of {} instruments, {PACKET} messages a packet; {rate:.1} M messages a \
         second of one core, beside {:.1} M published",
        shape.limits.instruments,
        PUBLISHED / 1e6
    );
    Ok(vec![
        Figure::new("loop", "ns", "decode and book", &off).target(1.6).note(what),
        Figure::new("loop/journal", "ns", "decode and book", &on).note("with the journal on"),
    ])
}

fn beside(shape: &Shape<'_>, tape: impl Tape) -> anyhow::Result<pairs::Paired> {
    let mut ours = Run::new(Through::new(shape, (QUOTED, glft()), tape), shape);
    let mut alone = Run::new(Books::new(shape, PACKET), shape);
    let paired = pairs::alternate(PAIRS, || ours.timed(), || alone.timed());
    let taken = ours.contestant.driver().publisher().taken;
    anyhow::ensure!(taken > 500, "the strategy sent {taken} commands: it does not quote");
    Ok(paired)
}

/// A journal on memory, copied to a disk by its thread.
pub(super) fn journal(
    (folder, hot): (&Path, &Path),
    segment_bytes: u64,
) -> anyhow::Result<(Writer, Copier)> {
    let mut settings = JournalSettings::new(&folder.join("journal"), "trading");
    settings.hot_dir = hot.to_owned();
    settings.segment_bytes = segment_bytes;
    let opened = journal::create(&settings, Timestamp::ZERO).context("a journal for the bench")?;
    let copier = Copier::spawn(vec![opened.drain], Duration::from_millis(1))?;
    Ok((opened.writer, copier))
}
