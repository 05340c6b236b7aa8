//! `touchline record`: what a run's live feed brings becomes an event file, as it comes.
//!
//! It opens the feed of a configuration and nothing else: no strategy, no gateway, no journal. It
//! replaces no file, and leaves what it wrote whatever ends it.

mod gaps;
mod units;

use crate::cli::{Exit, RecordArgs};
use crate::config::RunConfig;
use crate::modes::live::{Signals, say};
use crate::pipeline::assembly;
use crate::pipeline::live_feed::LiveFeed;
use crate::pipeline::topology;
use crate::report::grouped;
use crate::runtime::clock::{self, Calibrator, Clock};
use crate::runtime::cores;
use anyhow::Context as _;
use market::Nanos;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use units::{Done, Units};
use wire::Io;

/// What a kill may cost: so often a block is written, full or not.
const FLUSH: Duration = Duration::from_millis(500);
/// How often the clock is measured anew.
const ADJUST: Duration = Duration::from_secs(1);
/// How often progress is shown: on a terminal, and where it cannot be overwritten.
const SHOW: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(5)];
/// How long a feed that brought nothing is left alone. Stamps of what comes meanwhile are as late.
const REST: Duration = Duration::from_micros(50);
/// How long the rest of a packet, of which a part has come, is waited for at the end.
const WHOLE: Duration = Duration::from_millis(500);
/// Packets' worth of events that one poll may bring.
const PACKETS: usize = 16;

/// Runs the subcommand.
///
/// # Errors
/// A configuration that is wrong, a feed that cannot be opened, a file that cannot be written.
pub fn main(args: &RecordArgs) -> anyhow::Result<ExitCode> {
    let config = RunConfig::load(&args.config, &cores::allowed())?;
    let signals = Signals::install()?;
    let name = args.output.display();
    // Before sockets are opened: a name that is taken is a slip of the user's.
    let file = File::create_new(&args.output).with_context(|| format!("cannot make {name}"))?;
    let opened = open(&config);
    if opened.is_err() {
        drop(std::fs::remove_file(&args.output));
    }
    let (mut feed, io, clock, calibrator) = opened?;
    let wanted = assembly::instruments(&config.trading);
    feed.keep_entries(&wanted);
    let units = Units::new(file, &wanted, from(&config))
        .and_then(|mut units| units.define(&wanted, clock.now()).map(|()| units));
    let until = args.seconds.map(Duration::from_secs);
    let written = units.and_then(|mut units| {
        let mut watch = Watch::new(calibrator);
        let recorded = record(&mut feed, io, &clock, &mut units, &mut watch, (&signals, until));
        watch.problem(&feed);
        watch.end();
        // After an error of the disk nothing more is written: a part of a block may stand there.
        recorded.and_then(|()| units.finish(clock.now()))
    });
    let done = written.with_context(|| {
        format!("{name}: what was written before can be read; `touchline convert` closes the file")
    })?;
    summary(&args.output, &done);
    if done.counts.market == 0 {
        tell(format_args!("error: no market data came\n"));
        return Ok(Exit::Failure.into());
    }
    Ok(Exit::Well.into())
}

/// What the recording is from: the feed, and the venue that it is of.
fn from(config: &RunConfig) -> String {
    let protocol = config.feed.protocol;
    let address = config.websocket.websocket.address.as_ref();
    match address.filter(|_| protocol.websocket().is_some()) {
        // Of another venue than orders go to, perhaps.
        Some(venue) => format!("live {protocol} of {}", venue.host),
        None => format!("live {protocol} of {}", config.venue.profile.name),
    }
}

/// Says what was written.
fn summary(output: &Path, done: &Done) {
    let Done { counts, bytes, stood, left_out } = done;
    let name = output.display();
    let [events, units, bytes] = [counts.events, counts.units, *bytes].map(grouped);
    say(format_args!("{name}: {events} events in {units} units, {bytes} bytes"));
    if counts.gaps + counts.lost > 0 {
        let [gaps, back, lost] = [counts.gaps, counts.recovered, counts.lost].map(grouped);
        say(format_args!("gaps {gaps}, recovered {back}, lost {lost}"));
    }
    if *left_out > 0 {
        let events = grouped(*left_out);
        say(format_args!("left out {events} events of a packet that did not come whole"));
    }
    if stood.books > 0 {
        let (books, open) = (grouped(stood.books as u64), grouped(stood.open as u64));
        let longest = stood.longest.as_secs_f64();
        say(format_args!(
            "books not whole for some time: {books}, the longest {longest:.3} s; at the end {open}"
        ));
    }
}

/// The feed of a run, its sockets, and a clock for its stamps.
fn open(config: &RunConfig) -> anyhow::Result<(LiveFeed, Box<dyn Io>, Clock, Calibrator)> {
    let (clock, calibrator) = clock::calibrate();
    let opened = wire::open(config.wire.backend).context("[wire] backend")?;
    let mut notices = Vec::from_iter(opened.notice);
    let feed = topology::feed::open(config, clock.now(), &mut notices)?;
    notices.iter().for_each(|notice| tell(format_args!("note: {notice}\n")));
    tell(format_args!(
        "recording {}: {}\n",
        config.feed.protocol,
        config.feed.describe(&config.soupbintcp, &config.websocket)
    ));
    Ok((feed, opened.io, clock, calibrator))
}

/// Polls the feed until a signal, or for so long.
fn record(
    feed: &mut LiveFeed,
    mut io: Box<dyn Io>,
    clock: &Clock,
    units: &mut Units<File>,
    watch: &mut Watch,
    (signals, until): (&Signals, Option<Duration>),
) -> io::Result<()> {
    let room = feed.events_max() * PACKETS;
    let mut flushed = Instant::now();
    let mut poll = |feed: &mut LiveFeed, units: &mut Units<File>| {
        let worked = feed.poll(io.as_mut(), clock.now(), room, units, |_| {});
        units.write(feed.take_entries(), clock).map(|()| worked)
    };
    while !signals.stop_asked() && until.is_none_or(|until| watch.began.elapsed() < until) {
        let worked = poll(feed, units)?;
        if flushed.elapsed() >= FLUSH {
            units.flush()?;
            flushed = Instant::now();
            watch.problem(feed);
            watch.look(units);
        }
        match worked {
            Ok(true) => {}
            Ok(false) => std::thread::sleep(REST),
            // As a run does: the next poll tries anew.
            Err(error) => {
                watch.trouble(&error);
                std::thread::sleep(REST);
            }
        }
    }
    units.settle(WHOLE, |units| {
        let worked = poll(feed, units)?;
        if !matches!(worked, Ok(true)) {
            std::thread::sleep(REST);
        }
        Ok(())
    })
}

/// Whether anyone reads it must not matter to the recording.
fn tell(text: std::fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}

/// What goes on beside the recording: the clock's measure, and the line on standard error.
struct Watch {
    began: Instant,
    shown: Instant,
    adjusted: Instant,
    calibrator: Calibrator,
    terminal: bool,
    /// A line is open on the terminal.
    open: bool,
    /// What the feed complained of last.
    trouble: String,
    /// What the feed itself says went wrong last.
    problem: String,
}

impl Watch {
    fn new(calibrator: Calibrator) -> Watch {
        let now = Instant::now();
        let terminal = io::stderr().is_terminal();
        let (trouble, problem, open) = (String::new(), String::new(), false);
        Watch {
            began: now,
            shown: now,
            adjusted: now,
            calibrator,
            terminal,
            open,
            trouble,
            problem,
        }
    }

    fn look(&mut self, units: &Units<File>) {
        if self.adjusted.elapsed() >= ADJUST {
            self.adjusted = Instant::now();
            self.calibrator.adjust(Nanos::from_secs(ADJUST.as_secs()));
        }
        if self.shown.elapsed() >= SHOW[usize::from(!self.terminal)] {
            self.shown = Instant::now();
            let (seconds, counts) = (self.began.elapsed().as_secs(), units.counts());
            let (events, gaps) = (grouped(counts.events), grouped(counts.gaps));
            let (lost, bytes) = (grouped(counts.lost), grouped(units.written()));
            let (before, behind) = if self.terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
            tell(format_args!(
                "{before}{seconds:>3} s  events {events}  gaps {gaps}, {lost} lost  bytes {bytes}{behind}"
            ));
            self.open = self.terminal;
        }
    }

    /// Says once what a socket reports.
    fn trouble(&mut self, error: &io::Error) {
        let text = error.to_string();
        if text != self.trouble {
            self.end();
            tell(format_args!("feed: {text}\n"));
            self.trouble = text;
        }
    }

    /// Says what the feed complains of, when that changes.
    fn problem(&mut self, feed: &LiveFeed) {
        let text = feed.problem();
        if text != self.problem && !text.is_empty() {
            self.end();
            tell(format_args!("feed: {text}\n"));
            self.problem = text;
        }
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            tell(format_args!("\n"));
        }
    }
}
