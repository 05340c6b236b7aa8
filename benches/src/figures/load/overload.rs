//! Twice the highest rate that is kept up with: what is lost must be counted, what it touches must
//! not be quoted, and everything must be whole again afterwards. These are no times: what does not
//! hold ends the bench.

use super::rate::{Peak, Stream};
use crate::figure::Figure;
use crate::pairs;
use crate::wired::stand::{Rests, Stand};
use anyhow::{Context as _, ensure};
use std::time::Instant;

/// How long, in nanoseconds.
const SPAN: u64 = 150_000_000;
/// Least that it must be of the highest rate: the sender may be late, but not half a rate.
const TIMES_MIN: f64 = 1.8;

/// The figure: how long books are away after the load has gone.
#[allow(clippy::cast_precision_loss)]
pub(super) fn run<'a>(
    stand: &mut Stand<'a>,
    stream: &mut Stream<'a>,
    peak: &Peak,
) -> anyhow::Result<Figure> {
    let planned = stream.next(stand, stream.even(peak.every / 2.0), SPAN)?;
    stand.shown().context("before the overload")?;
    let before = stand.counted()?;
    let sent = (stand.exchange.datagrams, stand.exchange.messages);
    ensure!(before.in_gap == 0, "{} books lack messages before the load", before.in_gap);
    stand.take();
    stand.most_in_gap = 0;
    stand.play(planned, Rests::Never)?;
    let count = (stand.exchange.datagrams - sent.0) as f64;
    let over = Instant::now();
    stand.settle()?;
    let healed = over.elapsed();
    let after = stand.counted()?;
    let slices = stand.take();
    let late = slices.first().and_then(|slice| slice.late.last()).map_or(0, |late| *late);
    let times = count * peak.every / (SPAN + late) as f64;
    ensure!(times > TIMES_MIN, "the sender brings {times:.2} times the highest rate only");
    let resting = slices.iter().filter_map(|slice| slice.resting_min).min();
    let resting = resting.unwrap_or(usize::MAX);

    let (now, then) = (&after.feed, &before.feed);
    let datagrams = stand.exchange.datagrams - sent.0;
    let messages = stand.exchange.messages - sent.1;
    let line = now.lines[0].datagrams - then.lines[0].datagrams;
    let dropped = after.dropped - before.dropped;
    let gaps = now.gaps - then.gaps;
    let [given, recovered, lost] =
        [now.messages - then.messages, now.recovered - then.recovered, now.lost - then.lost];
    ensure!(gaps > 0 && dropped > 0, "twice the highest rate is no overload: {gaps} gaps");
    ensure!(
        datagrams == line + dropped,
        "{datagrams} datagrams were sent, {line} were read and {dropped} dropped"
    );
    ensure!(
        messages == given + lost,
        "{messages} messages were sent, {given} were given on and {lost} are lost"
    );
    let books = before.books;
    let knew = stand.most_in_gap;
    ensure!(knew == books, "only {knew} of {books} books knew of the gap");
    ensure!(resting == 0, "{resting} quotes rested throughout a gap in every book");
    ensure!(after.in_gap == 0, "{} books did not recover", after.in_gap);
    stand.shown().context("after the overload")?;

    let (healed, span) = (healed.as_nanos() as f64, SPAN as f64);
    let paired = pairs::of(&[(healed / 1e6, span / 1e6)]);
    let note = format!(
        "until every book is whole again, quoted after it: {datagrams} datagrams sent, {times:.2} \
         times as many a second as at the highest rate, {dropped} dropped by the kernel, {gaps} \
         gaps, {messages} messages, {recovered} of them asked for again, {lost} lost; all of \
         {books} books withdrew their quotes in between"
    );
    Ok(Figure::new("load/overload", "ms", "of twice the highest rate", &paired).note(note))
}
