//! Tick to trade under load: a recorded day and the broad stream, at their own pace, at ten times it
//! and at the highest rate that one core keeps up with, from the moment at which each datagram was
//! due to the first byte of the order that it leads to; beside the same engine with one tick at a
//! time. Then twice that rate: what is lost must be known, and whole again afterwards.

mod overload;
mod rate;

use crate::data::{Messages, arl, broad};
use crate::figure::Figure;
use crate::pairs::{self, Paired, quantile, quantiles};
use crate::wired::exchange::{Exchange, Seen};
use crate::wired::market::Listed;
use crate::wired::plan::{Pace, Planned, plan};
use crate::wired::stand::{self, Counted, Rests, Stand};
use engine::runtime::clock;
use market::{Instrument, Timestamp};
use rate::Stream;

/// Blocks of a thousand ticks of the closed loop.
const UNLOADED: usize = 30;
/// Ticks of a block at least, and blocks of which a median is taken.
const BLOCK: usize = 400;
const BLOCKS: usize = 10;
/// How often the recorded window is sent at its own pace, and at ten times it.
const REPEATS: [(f64, usize); 2] = [(1.0, 4), (10.0, 20)];
/// Days of the recording one after another, for the highest rate.
const DAYS: usize = 60;
/// Nanoseconds without a rest.
const SLICE: u64 = 40_000_000;
/// The broad stream's paces: how many times its day's, and for how long.
const PACES: [(&str, f64, u64); 3] =
    [("1x", 1.0, 1_500_000_000), ("10x", 10.0, 1_500_000_000), ("76x", STRETCH, 1_000_000_000)];
/// The generator's stamps stand for 1.0 million messages a second; the day whose mix it has brought
/// 308 million in its 6.5 hours: so many times fewer.
const STRETCH: f64 = 76.0;
/// Instruments of the broad stream that are quoted.
const QUOTED: usize = 10;
/// The quantiles.
const PARTS: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)];
/// Bytes of a segment of the journal: a rung must not outrun its copy to disk, which has no CPU of
/// its own here.
const SEGMENT: u64 = 256 << 20;

/// The figures.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let mut figures = match arl::recorded() {
        Ok(recorded) => recording(&recorded)?,
        Err(why) => {
            eprintln!("the recording is left out: {why:#}");
            Vec::new()
        }
    };
    figures.extend(generated()?);
    Ok(figures)
}

/// The moment from which the marks' day is told.
fn now() -> Timestamp {
    clock::calibrate().0.now()
}

/// What an engine's books hold at the beginning: the marks, and what comes before a stream.
fn opening(listed: &Listed, before: &[&Messages]) -> Messages {
    let mut opening = Exchange::opening(now(), listed);
    let before = before.iter().flat_map(|messages| messages.iter());
    before.for_each(|message| opening.push(message));
    opening
}

/// What came of a rung.
struct Rung {
    name: String,
    slices: Vec<Seen>,
    /// Datagrams and messages sent, and in how many seconds by their plan.
    sent: (usize, usize, f64),
    before: Counted,
    after: Counted,
}

/// Plays what each call of `planned` gives, until it gives nothing.
fn play<'a>(
    stand: &mut Stand<'a>,
    name: &str,
    mut planned: impl FnMut(&mut Stand<'a>) -> anyhow::Result<Option<Vec<Planned<'a>>>>,
) -> anyhow::Result<Rung> {
    let mut rung = Rung {
        name: name.to_owned(),
        slices: Vec::new(),
        sent: (0, 0, 0.0),
        before: Counted::default(),
        after: Counted::default(),
    };
    while let Some(planned) = planned(stand)? {
        let before = stand.counted()?;
        stand.take();
        rung.sent.0 += planned.len();
        rung.sent.1 +=
            planned.iter().map(|one| usize::from(one.count + u16::from(one.mark))).sum::<usize>();
        rung.sent.2 += seconds(planned.last().map_or(0, |last| last.due));
        stand.play(planned, Rests::After(SLICE))?;
        stand.settle()?;
        let after = stand.counted()?;
        rung.take(stand.take(), &before, &after);
        stand.recorded()?;
    }
    Ok(rung)
}

#[allow(clippy::cast_precision_loss)]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

impl Rung {
    /// Adds a part.
    fn take(&mut self, slices: Vec<Seen>, before: &Counted, after: &Counted) {
        self.slices.extend(slices);
        for (sum, counted) in [(&mut self.before, before), (&mut self.after, after)] {
            sum.feed.waited += counted.feed.waited;
            sum.feed.events += counted.feed.events;
            sum.feed.gaps += counted.feed.gaps;
            sum.ring += counted.ring;
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn note(&self) -> String {
        let (datagrams, messages, span) = self.sent;
        let (before, after) = (&self.before, &self.after);
        let events = (after.feed.events - before.feed.events).max(1) as f64;
        let share = |count: u64| 100.0 * count as f64 / events;
        let mut seen = Seen::default();
        self.slices.iter().for_each(|slice| seen.add(slice.clone()));
        let late = &mut seen.late;
        let [half, most] = [0.5, 0.99].map(|part| quantile(late, part) / 1e3);
        format!(
            "{:.0} datagrams with {:.0} messages a second, both cores resting every {} ms; {} ticks had \
             an order, {} of them that of the next, and {} none; {:.1} % of events waited in the \
             socket, {:.1} % in the ring; {} gaps; the sender was {half:.1} µs late, p99 {most:.1}",
            datagrams as f64 / span,
            messages as f64 / span,
            SLICE / 1_000_000,
            seen.ticks.len(),
            seen.overtaken,
            seen.unanswered,
            share(after.feed.waited - before.feed.waited),
            share(after.ring - before.ring),
            after.feed.gaps - before.feed.gaps,
        )
    }

    /// Whether orders followed their ticks, in most slices, and no message was missed.
    fn kept(&self, lag: f64) -> bool {
        let blocks = blocks(&self.slices);
        let kept = blocks.iter().filter(|block| quantile(&mut block.to_vec(), 0.5) <= lag).count();
        let answered = self.slices.iter().all(|slice| slice.unanswered == 0);
        answered && self.after.feed.gaps == self.before.feed.gaps && 2 * kept > blocks.len()
    }

    /// Its figures beside one tick at a time.
    fn figures(self, unloaded: &[Seen], about: &str) -> anyhow::Result<Vec<Figure>> {
        let (ours, beside) = (blocks(&self.slices), blocks(unloaded));
        let figures = PARTS.iter().map(|&(word, part)| {
            let paired = paired(&ours, &beside, part);
            Figure::new(&format!("load/{}/{word}", self.name), "ns", "one tick at a time", &paired)
        });
        let mut figures: Vec<Figure> = figures.collect();
        figures[0] = figures[0].clone().note(format!("{about}; {}", self.note()));
        Ok(figures)
    }
}

/// The ticks of some slices, in blocks of [`BLOCK`] at least.
fn blocks(slices: &[Seen]) -> Vec<Vec<u64>> {
    let mut blocks: Vec<Vec<u64>> = Vec::new();
    for slice in slices {
        match blocks.last_mut().filter(|block| block.len() < BLOCK) {
            Some(block) => block.extend(&slice.ticks),
            None => blocks.push(slice.ticks.clone()),
        }
    }
    blocks
}

/// A quantile beside that of the closed loop. The median is that of the blocks' own, where there are
/// enough. What is seldomer is of all ticks: a queue grows in bursts, and these are what is asked for;
/// what the host does is in it too.
fn paired(ours: &[Vec<u64>], beside: &[Vec<u64>], part: f64) -> Paired {
    if ours.len() < BLOCKS || part > 0.5 {
        return quantiles(&mut ours.concat(), &mut beside.concat(), part);
    }
    let of = |blocks: &[Vec<u64>]| -> Vec<f64> {
        blocks.iter().map(|block| quantile(&mut block.clone(), part)).collect()
    };
    let reference: Vec<_> = of(beside).into_iter().map(|value| (value, value)).collect();
    let reference = pairs::of(&reference).ours;
    let pairs: Vec<_> = of(ours).into_iter().map(|value| (value, reference)).collect();
    pairs::of(&pairs)
}

fn recording(recorded: &arl::Recorded) -> anyhow::Result<Vec<Figure>> {
    let share = Instrument::share(0, arl::SYMBOL);
    let listed =
        Listed { segment_bytes: SEGMENT, ..Listed::beside(vec![share], 1, (65_536, 1_024)) };
    let [before, none] = [&[&recorded.before][..], &[]].map(|before| opening(&listed, before));
    let days = recorded.days(DAYS);
    let span = seconds(arl::span(recorded.window.iter()));
    let (figures, _) = stand::run(&listed, |stand| {
        stand.begin(&before)?;
        let unloaded = stand.unloaded(UNLOADED)?;
        let mut figures = Vec::new();
        for (speed, repeats) in REPEATS {
            let mut left = repeats;
            let rung = play(stand, &format!("arl/{speed}x"), |stand| {
                if left == 0 {
                    return Ok(None);
                }
                left -= 1;
                stand.begin(&before)?;
                let window = &mut recorded.window.iter();
                Ok(Some(plan(window, Pace::Stamps(speed), 0, u64::MAX)))
            })?;
            let about =
                format!("ARL, 17 July 2025, the {span:.1} s after 09:30:00.675, {repeats} times");
            figures.extend(rung.figures(&unloaded, &about)?);
        }
        let mut stream = Stream::new(&none, &days, 1);
        let (peak, rung) = stream.highest(stand, "arl/max")?;
        let about = format!("ARL, the whole day again and again, a message a datagram; {peak}");
        figures.extend(rung.figures(&unloaded, &about)?);
        Ok(figures)
    })?;
    Ok(figures)
}

fn generated() -> anyhow::Result<Vec<Figure>> {
    let (day, _) = broad::day(broad::BROAD, 42);
    let shares = (0..u32::from(broad::BROAD.instruments))
        .map(|id| Instrument::share(id, &format!("S{}", id + 1)));
    let listed = Listed::beside(shares.collect(), QUOTED, (400_000, 256));
    let listed = Listed { segment_bytes: SEGMENT, ..listed };
    let opening = opening(&listed, &[&day.opening]);
    let (figures, _) = stand::run(&listed, |stand| {
        let mut stream = Stream::new(&opening, &day.messages, usize::MAX);
        stand.begin(&opening)?;
        let unloaded = stand.unloaded(UNLOADED)?;
        let mut figures = Vec::new();
        for (name, times, span) in PACES {
            let mut left = Some(span);
            let rung = play(stand, &format!("broad/{name}"), |stand| {
                let Some(span) = left.take() else { return Ok(None) };
                Ok(Some(stream.next(stand, Pace::Stamps(times / STRETCH), span)?))
            })?;
            let about = format!("{times} times the mean pace of the day whose mix it has");
            figures.extend(rung.figures(&unloaded, &about)?);
        }
        let (peak, rung) = stream.highest(stand, "broad/max")?;
        let about = format!("full packets, {peak}");
        figures.extend(rung.figures(&unloaded, &about)?);
        figures.push(overload::run(stand, &mut stream, &peak)?);
        Ok(figures)
    })?;
    Ok(figures)
}
