//! The field: everyone who takes part in a wire-to-wire contest, made before any thread is pinned;
//! and the exchange's side, which gives each its turn and measures it.

use crate::wired::bare::{Order, Spinning, Waiting, Watching};
use crate::wired::course::{Side, Turns};
use crate::wired::engine::{self, NO_SERVER, Options, Setup, Watch};
use crate::wired::link::Link;
use crate::wired::market::Listed;
use ::engine::runtime::clock::{self, Calibrator, Clock};
use ::engine::runtime::stage::Core;
use anyhow::{Context as _, anyhow};
use market::Nanos;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wire::udp::Socket;

/// Longest wait for an engine's connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Where lines are, if this host does multicast.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 84, 77);

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The engine.
    Engine(Options),
    /// The bare loop.
    Spinning,
    /// The bare loop that watches both sockets.
    Watching,
    /// The ordinary design.
    Waiting,
}

/// Who of the field has a turn: its place among those who were named.
pub type Place = usize;

/// One of the field, as the exchange's side knows it before it is connected.
struct Entrant {
    who: Who,
    line: SocketAddrV4,
    /// Who is no engine is connected already, and waits for the order to send.
    connected: Option<(TcpStream, Order)>,
    /// The second core of a split engine: the gateway, polled beside the exchange's side.
    second: Option<Core>,
    link: Option<Link>,
}

/// The exchange's side.
pub struct Asking {
    socket: Socket,
    clock: Clock,
    calibrator: Calibrator,
    listener: TcpListener,
    entrants: Vec<Entrant>,
    watches: Vec<Watch>,
}

/// Lets a field run: `contest` is the exchange's side, on its own core. True beside what it gives if
/// market data went by multicast.
///
/// # Errors
/// What the host refuses; somebody who does not answer.
pub fn run<T: Send>(
    field: &[Who],
    contest: impl FnOnce(&mut Asking, &Turns) -> anyhow::Result<T> + Send,
) -> anyhow::Result<(T, bool)> {
    let (disk, hot) = folders()?;
    let multicast = wire::udp::multicast_works(Ipv4Addr::LOCALHOST).is_ok();
    let (mut asking, mut sides) = enter(field, multicast, (disk.path(), hot.path()))?;
    let turns = Turns::default();
    let outcome = turns.beside(&mut sides, || {
        asking.open(&turns)?;
        contest(&mut asking, &turns)
    })?;
    Ok((outcome, multicast))
}

/// Folders of a journal, on disk and in memory; without a tmpfs it costs more.
///
/// # Errors
/// What the host refuses.
pub fn folders() -> anyhow::Result<(TempDir, TempDir)> {
    let disk = tempfile::tempdir().context("a folder for the journal")?;
    Ok((disk, tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?))
}

type Sides = Vec<Box<dyn Side>>;

fn enter(
    field: &[Who],
    multicast: bool,
    folders: (&Path, &Path),
) -> anyhow::Result<(Asking, Sides)> {
    let (clock, calibrator) = clock::calibrate();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let venue = listener.local_addr()?;
    let (mut entrants, mut watches, mut sides) = (Vec::new(), Vec::new(), Sides::new());
    for (place, &who) in field.iter().enumerate() {
        let line = line(multicast)?;
        let mut entrant =
            Entrant { who, line: line.local_address(), connected: None, second: None, link: None };
        if let Who::Engine(options) = who {
            let (disk, hot) = folders;
            let (disk, hot) = (disk.join(place.to_string()), hot.join(place.to_string()));
            std::fs::create_dir(&hot)?;
            let (folders, server, listed) = ((&*disk, &*hot), NO_SERVER, &Listed::marks());
            let setup = Setup { line, venue, server, listed, folders, options };
            let (mut cores, watch) = engine::build(setup, &clock)?;
            entrant.second = if options.split { cores.pop() } else { None };
            sides.push(Box::new(cores.pop().context("a core")?));
            watches.push(watch);
        } else {
            let (orders, order) = (TcpStream::connect(venue)?, Order::default());
            entrant.connected = Some((listener.accept()?.0, Arc::clone(&order)));
            sides.push(match who {
                Who::Waiting => Box::new(Waiting::new(line, orders, order)?),
                Who::Watching => Box::new(Watching(Spinning::new(line, orders, order)?)),
                _ => Box::new(Spinning::new(line, orders, order)?),
            });
        }
        entrants.push(entrant);
    }
    listener.set_nonblocking(true)?;
    let socket = Socket::sender(Ipv4Addr::LOCALHOST, 0)?;
    Ok((Asking { socket, clock, calibrator, listener, entrants, watches }, sides))
}

/// A line of its own for everyone: others must not pay for a copy.
pub(super) fn line(multicast: bool) -> std::io::Result<Socket> {
    let any = |address| SocketAddrV4::new(address, 0);
    if multicast {
        Socket::join(any(GROUP), Ipv4Addr::LOCALHOST)
    } else {
        Socket::bind(any(Ipv4Addr::LOCALHOST))
    }
}

impl Asking {
    /// Connects everyone; engines quote after it.
    fn open(&mut self, turns: &Turns) -> anyhow::Result<()> {
        for place in 0..self.entrants.len() {
            let Entrant { line, connected, second, link, .. } = &mut self.entrants[place];
            if let Some((orders, order)) = connected.take() {
                let mut made = Link::new(&self.clock, *line, orders)?;
                let frame = made.without_engine(&self.clock)?;
                order.set(frame).map_err(|_| anyhow!("an order made twice"))?;
                *link = Some(made);
                continue;
            }
            turns.give(place);
            let mut beside = || {
                let _ = second.as_mut().is_some_and(Core::turn);
            };
            let orders = accept(&self.listener, &mut beside)?;
            let mut made = Link::new(&self.clock, *line, orders)?;
            made.open(&self.socket, &self.clock, &mut beside)?;
            *link = Some(made);
            turns.take();
            turns.rest();
        }
        Ok(())
    }

    /// A block of ticks for one of the field: nanoseconds of each.
    ///
    /// # Errors
    /// Somebody who does not answer, or answers wrongly.
    pub fn block(
        &mut self,
        turns: &Turns,
        place: Place,
        span: Duration,
    ) -> anyhow::Result<Vec<u64>> {
        let Asking { socket, clock, .. } = self;
        let Entrant { who, second, link, .. } = &mut self.entrants[place];
        let link = link.as_mut().context("connected before")?;
        turns.give(place);
        let mut beside = || {
            let _ = second.as_mut().is_some_and(Core::turn);
        };
        let ticks = link.block(socket, clock, span, &mut beside);
        turns.take();
        if *who == Who::Waiting {
            link.wake(socket)?;
        }
        turns.rest();
        ticks.with_context(|| format!("{who:?}"))
    }

    /// What is due between blocks: the clock, and those who read what engines tell.
    pub fn tend(&mut self) {
        self.calibrator.adjust(Nanos::from_millis(100));
        self.watches.iter_mut().for_each(Watch::look);
    }

    /// What the first engine of the field says of its own hops.
    pub fn hops(&mut self) -> Vec<(&'static str, u64)> {
        self.watches.first_mut().map_or_else(Vec::new, Watch::hops)
    }
}

pub(super) fn accept(
    listener: &TcpListener,
    beside: &mut dyn FnMut(),
) -> anyhow::Result<TcpStream> {
    let began = Instant::now();
    loop {
        beside();
        match listener.accept() {
            Ok((orders, _)) => return Ok(orders),
            Err(error) if began.elapsed() > CONNECT => return Err(error.into()),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}
