//! An order's round trip, new to accepted, through our gateway and our acceptor over loopback TCP:
//! beside a bare ping-pong of the same sizes, by both transports; and what a hundred sessions on one
//! core make of it.
//!
//! The gateway has its rings, its session and its journal; the acceptor has its session, and matches
//! nothing. Both spin, each on its core.

#[cfg(feature = "quickfix")]
mod quickfix;

use crate::figure::Figure;
use crate::pairs::{self, quantile};
use crate::wired::course::{Side, Turns};
use crate::wired::field::folders;
use crate::wired::trip::{Accepting, Bare, Gateways, Sizes, bare_trip};
use crate::wired::venue::Numbers;
use anyhow::{Context as _, ensure};
use engine::journal::{self, Copier, JournalSettings};
use engine::pipeline::fix_store::{self, FixStore, TimedStore};
use engine::runtime::clock::{self, Calibrator, Clock};
use market::Nanos;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wire::stamp;

/// Pairs of blocks, round trips of a block, and before it.
const PAIRS: usize = 200;
const TRIPS: usize = 500;
const WARM_UP: usize = 20;
/// Sessions beside one, and orders of a block of either: ten for each session.
const SESSIONS: usize = 100;
const ORDERS: usize = 10 * SESSIONS;
/// From one order's time to the next's: the same total rate for both.
const EVERY: Duration = Duration::from_micros(50);

/// The figures.
///
/// # Errors
/// What the host refuses; a side that does not answer.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let mut figures = one_session()?;
    #[cfg(feature = "quickfix")]
    figures.extend(quickfix::run()?);
    figures.extend(many_sessions()?);
    Ok(figures)
}

/// Gateways to ask, and the place of who answers.
struct Lane {
    gateways: Gateways,
    place: usize,
}

/// What every lane shares.
struct Track {
    clock: Clock,
    calibrator: Calibrator,
    sizes: Sizes,
    sides: Vec<Box<dyn Side>>,
}

impl Track {
    fn new() -> Track {
        let (clock, calibrator) = clock::calibrate();
        Track { clock, calibrator, sizes: Sizes::default(), sides: Vec::new() }
    }

    /// A core of gateways over `stores` by `backend`; their acceptor joins the sides.
    fn lane<S: TimedStore + Send + 'static>(
        &mut self,
        stores: Vec<S>,
        backend: wire::Backend,
    ) -> anyhow::Result<Lane> {
        let accepting =
            Accepting::new(stores.len(), self.clock.clone(), Sizes::clone(&self.sizes))?;
        let gateways = Gateways::new(stores, (accepting.address()?, backend), &self.clock)?;
        self.sides.push(Box::new(accepting));
        Ok(Lane { gateways, place: self.sides.len() - 1 })
    }
}

impl Lane {
    fn open(&mut self, turns: &Turns) -> anyhow::Result<()> {
        turns.give(self.place);
        self.gateways.open()?;
        turns.take();
        turns.rest();
        Ok(())
    }

    /// Nanoseconds of a round trip.
    fn block(&mut self, turns: &Turns) -> anyhow::Result<f64> {
        timed(turns, self.place, || self.gateways.trip(0))
    }
}

/// Nanoseconds of one `trip` with who answers at `place`.
#[allow(clippy::cast_precision_loss)]
fn timed(
    turns: &Turns,
    place: usize,
    mut trip: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    turns.give(place);
    (0..WARM_UP).try_for_each(|_| trip())?;
    let began = Instant::now();
    (0..TRIPS).try_for_each(|_| trip())?;
    let took = began.elapsed().as_nanos() as f64 / TRIPS as f64;
    turns.take();
    turns.rest();
    Ok(took)
}

/// Stores over journals of their own, the folders of these, and who copies them to disk.
type Journaled = (Vec<FixStore>, (TempDir, TempDir), Copier);

fn journaled(clock: &Clock, names: &[&str]) -> anyhow::Result<Journaled> {
    let (disk, hot) = folders()?;
    let (mut stores, mut drains) = (Vec::new(), Vec::new());
    for name in names {
        let mut settings = JournalSettings::new(disk.path(), name);
        settings.hot_dir = hot.path().to_owned();
        let opened = journal::create(&settings, clock.now())?;
        drains.push(opened.drain);
        stores.push(FixStore::new(opened.writer, fix_store::Numbers::default(), &[]));
    }
    let copier = Copier::spawn(drains, Duration::from_millis(10))?;
    Ok((stores, (disk, hot), copier))
}

/// One session with its journal: beside a bare ping-pong, and by io_uring beside plain sockets.
fn one_session() -> anyhow::Result<Vec<Figure>> {
    let mut track = Track::new();
    let backends: Vec<_> = [(wire::Backend::Plain, "plain"), (wire::Backend::IoUring, "uring")]
        .into_iter()
        .filter(|(backend, _)| match wire::open(*backend) {
            Ok(_) => true,
            Err(error) => {
                eprintln!("{backend} is left out: {error}");
                false
            }
        })
        .collect();
    let names: Vec<&str> = backends.iter().map(|(_, name)| *name).collect();
    let (stores, _folders, _copier) = journaled(&track.clock, &names)?;
    let lanes = stores.into_iter().zip(backends);
    let lanes = lanes.map(|(store, (backend, _))| track.lane(vec![store], backend));
    let mut lanes = lanes.collect::<anyhow::Result<Vec<Lane>>>()?;
    let (near, far) = pair()?;
    let (bare, sizes) = (track.sides.len(), Sizes::clone(&track.sizes));
    track.sides.push(Box::new(Bare { stream: far, sizes: Sizes::clone(&sizes) }));
    let Track { mut sides, mut calibrator, .. } = track;
    let turns = Turns::default();
    let [plain, uring] = turns.beside(&mut sides, || {
        lanes.iter_mut().try_for_each(|lane| lane.open(&turns))?;
        let mut rounds = [Vec::new(), Vec::new()];
        for _ in 0..PAIRS + 2 {
            let ours = lanes[0].block(&turns)?;
            rounds[0].push((ours, timed(&turns, bare, || bare_trip(&near, &sizes))?));
            if let [plain, uring, ..] = &mut lanes[..] {
                let ours = uring.block(&turns)?;
                rounds[1].push((ours, plain.block(&turns)?));
            }
            calibrator.adjust(Nanos::from_millis(100));
        }
        Ok(rounds)
    })?;
    let [order, answer] = [0, 1].map(|at| sizes[at].load(Ordering::Relaxed));
    let note = format!(
        "new to accepted: {order} B there, {answer} B back; rings, session and journal of the \
         gateway, session of the acceptor, both spinning"
    );
    // The first two pairs warm up.
    let mut figures = vec![
        Figure::new("trip/plain", "ns", "bare ping-pong", &pairs::of(&plain[2..]))
            .target(1.25)
            .note(note),
    ];
    figures.extend(uring.get(2..).map(|uring| {
        Figure::new("trip/io_uring", "ns", "trip/plain", &pairs::of(uring)).target(1.10)
    }));
    Ok(figures)
}

/// A connected pair, non-blocking.
fn pair() -> anyhow::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
    }
    Ok((near, far))
}

/// Sessions on one core beside one, orders at the same times.
fn many_sessions() -> anyhow::Result<Vec<Figure>> {
    let mut track = Track::new();
    let mut one = track.lane(vec![Numbers::default()], wire::Backend::Plain)?;
    let before = resident()?;
    let stores = (0..SESSIONS).map(|_| Numbers::default()).collect();
    let mut many = track.lane(stores, wire::Backend::Plain)?;
    let memory = resident()?.saturating_sub(before) / SESSIONS as u64;
    let Track { clock, mut calibrator, mut sides, .. } = track;
    let turns = Turns::default();
    let (pairs, mut each, mut alone) = turns.beside(&mut sides, || {
        one.open(&turns)?;
        many.open(&turns)?;
        let mut each = vec![Vec::new(); SESSIONS];
        let (mut pairs, mut alone) = (Vec::new(), Vec::new());
        for round in 0..pairs::PAIRS_MIN + 2 {
            let mut blocks = [Vec::new(), Vec::new()];
            for (lane, block) in [&mut many, &mut one].into_iter().zip(&mut blocks) {
                *block = scheduled(&turns, lane, &clock)?;
            }
            calibrator.adjust(Nanos::from_millis(100));
            if round < 2 {
                continue;
            }
            let [many, one] = &mut blocks;
            for (order, nanos) in many.iter().enumerate() {
                each[order % SESSIONS].push(*nanos);
            }
            alone.extend_from_slice(one);
            pairs.push((quantile(many, 0.5), quantile(one, 0.5)));
        }
        Ok((pairs, each, alone))
    })?;
    let slowest = each.iter_mut().map(|session| quantile(session, 0.5)).fold(0.0, f64::max);
    let alone = quantile(&mut alone, 0.5);
    let note = format!(
        "an order every {} µs in all, counted from its scheduled time; the slowest session's median \
         is {:.2} times one's; an idle session takes {} KiB, its journal left out",
        EVERY.as_micros(),
        slowest / alone,
        memory / 1_024
    );
    let paired = pairs::of(&pairs);
    Ok(vec![Figure::new("trip/sessions", "ns", "one session", &paired).target(3.0).note(note)])
}

/// A block of orders, each at its time, by turns over the sessions: nanoseconds of each from then
/// to its answer.
fn scheduled(turns: &Turns, lane: &mut Lane, clock: &Clock) -> anyhow::Result<Vec<u64>> {
    let Lane { gateways, place } = lane;
    let count = gateways.count();
    let every = ticks(EVERY, clock);
    turns.give(*place);
    let began = stamp::now() + every;
    let due = |order: usize| began + order as u64 * every;
    let (mut sent, mut answered) = (0, vec![0usize; count]);
    let mut took = vec![0; ORDERS];
    let mut left = ORDERS;
    let patience = Instant::now();
    while left > 0 {
        while sent < ORDERS && stamp::now() >= due(sent) {
            gateways.order(sent % count)?;
            sent += 1;
        }
        gateways.turn();
        for (session, answered) in answered.iter_mut().enumerate() {
            if gateways.accepted(session)? {
                let order = session + *answered * count;
                took[order] = clock.span(stamp::now().saturating_sub(due(order))).get();
                *answered += 1;
                left -= 1;
            }
        }
        ensure!(patience.elapsed() < Duration::from_secs(5), "{left} orders have no answer");
    }
    turns.take();
    turns.rest();
    Ok(took)
}

/// A span in raw ticks.
fn ticks(span: Duration, clock: &Clock) -> u64 {
    const MANY: u64 = 1 << 20;
    let nanos = clock.span(MANY).get().max(1);
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX) * MANY / nanos
}

/// Bytes of this process that are in memory.
fn resident() -> anyhow::Result<u64> {
    let counts = std::fs::read_to_string("/proc/self/statm")?;
    let pages = counts.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    Ok(pages.context("the kernel does not say")? * rustix::param::page_size() as u64)
}
