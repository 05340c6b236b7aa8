//! What growth costs: from 500 to 8,000 instruments at equal live orders, from 10 to 100 own resting
//! orders, and the longest cycle of the loop while its journal takes new segments.

use super::through::journal;
use crate::contest::{Books, Contestant as _, PACKET, Run, Shape};
use crate::data::broad::{self, BROAD};
use crate::figure::Figure;
use crate::lab::{Rungs, Through, glft};
use crate::machine::on_core;
use crate::pairs::{self, Paired, quantile};
use engine::journal::Writer;
use engine::pipeline::tape::NoTape;
use nix::sys::resource::{UsageWho, getrusage};

const PAIRS: usize = 120;
/// Messages of a day.
const MESSAGES: usize = 2_200_000;
/// Messages of a block of the journal's: about a segment of it.
const BLOCK: usize = 20_000;
const SEGMENT: u64 = 2 << 20;

/// The figures.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let few = [broad::day(broad::Shape { messages: MESSAGES, ..BROAD }, 42).0];
    let many = [broad::day(broad::Shape { messages: MESSAGES, instruments: 8_000, ..BROAD }, 42).0];
    let (few, many) = (Shape::broad(&few), Shape::broad(&many));
    let instruments = on_core(0, || {
        let mut ours = Run::new(Books::new(&many, PACKET), &many);
        let mut reference = Run::new(Books::new(&few, PACKET), &few);
        pairs::alternate(PAIRS, || ours.timed(), || reference.timed())
    });
    let orders = on_core(0, || {
        let run = |rungs| Run::new(Through::new(&few, (10, Box::new(rungs)), NoTape), &few);
        let (mut ours, mut reference) = (run(Rungs(5, 5)), run(Rungs(1, 0)));
        pairs::alternate(PAIRS, || ours.timed(), || reference.timed())
    });
    let (cycles, disturbed) = rotation(&few)?;
    let mut rotation = Figure::new("growth/rotation", "ticks", "20 medians + bare gap", &cycles)
        .target(1.0)
        .note(format!(
            "longest cycle while the journal takes new segments; {} page faults and {} voluntary \
             switches in all, where none are allowed",
            disturbed.0, disturbed.1
        ));
    if disturbed != (0, 0) {
        rotation.met = Some(false);
    }
    Ok(vec![
        Figure::new("growth/instruments", "ns", "500 instruments", &instruments)
            .target(1.5)
            .note("decode and book per message, 8,000 instruments, 350,000 orders in both"),
        Figure::new("growth/orders", "ns", "10 own orders", &orders)
            .target(1.2)
            .note("through the loop per message, 100 own orders on ten instruments"),
        rotation,
    ])
}

/// The longest cycle of each block, beside twenty medians and the longest gap of a bare loop; and
/// the page faults and voluntary switches of all blocks.
fn rotation(shape: &Shape<'_>) -> anyhow::Result<(Paired, (i64, i64))> {
    let folder = tempfile::tempdir()?;
    let hot = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let (writer, copier) = journal((folder.path(), hot.path()), SEGMENT)?;
    let measured = on_core(0, || cycles(shape, writer));
    copier.finish()?;
    Ok(measured)
}

fn cycles(shape: &Shape<'_>, writer: Writer) -> (Paired, (i64, i64)) {
    let mut through = Through::new(shape, (10, glft()), writer);
    let day = &shape.days[0];
    let mut opening = day.opening.iter();
    while !opening.rest().is_empty() {
        through.ready();
        opening.by_ref().take(BLOCK / 2).for_each(|message| through.message(message));
    }
    let mut walk = day.messages.iter();
    // Touched now: its first pages would count as faults of the loop.
    let mut spans = vec![u64::MAX; BLOCK];
    let (mut measured, mut switches, mut faults) = (Vec::new(), 0, 0);
    while measured.len() < day.messages.len() / BLOCK {
        through.ready();
        let before = disturbances();
        let mut last = wire::stamp::now();
        let begun = last;
        spans.clear();
        for _ in 0..BLOCK / PACKET {
            through.messages(walk.by_ref().take(PACKET));
            let now = wire::stamp::now();
            spans.push(now - last);
            last = now;
        }
        let after = disturbances();
        faults += after.0 - before.0;
        switches += after.1 - before.1;
        let gap = bare_gap(last - begun);
        let longest = quantile(&mut spans, 1.0);
        measured.push((longest, 20.0 * quantile(&mut spans, 0.5) + gap));
    }
    (pairs::of(&measured), (faults, switches))
}

/// Page faults and voluntary switches of this thread so far. Asking allocates nothing: reading the
/// same from files would fault itself.
fn disturbances() -> (i64, i64) {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("every thread has its counts");
    let faults = usage.minor_page_faults() + usage.major_page_faults();
    (faults, usage.voluntary_context_switches())
}

/// The longest gap of a loop that only looks at the clock, for so many ticks.
#[allow(clippy::cast_precision_loss)]
fn bare_gap(ticks: u64) -> f64 {
    let begun = wire::stamp::now();
    let (mut last, mut longest) = (begun, 0);
    while last - begun < ticks {
        let now = wire::stamp::now();
        longest = longest.max(now - last);
        last = now;
    }
    longest as f64
}
