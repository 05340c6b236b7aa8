//! Tick to trade, wire to wire over loopback, as the exchange's side sees it: from the send of a
//! datagram with one ITCH message to the first byte of the order that it leads to, beside a bare
//! loop on the same path, an ordinary blocking design, and the engine without a journal.
//!
//! One engine, fused on the answering core; everyone else lives on the same core and rests while the
//! other is at work.

use crate::figure::Figure;
use crate::lab::bare::{Order, Spinning, Waiting};
use crate::lab::course::{Ending, Side, Turns};
use crate::lab::engine::{self, Setup, Watch};
use crate::lab::link::Link;
use crate::lab::{ANSWERS, ASKS};
use crate::machine::{real_time, settle};
use crate::pairs::{self, quantile};
use ::engine::runtime::clock::{self, Calibrator, Clock};
use ::engine::runtime::stage::Core;
use anyhow::{Context as _, anyhow};
use market::Nanos;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::udp::Socket;

/// Rounds, each with a pair of blocks for every rival; the first two warm up.
const ROUNDS: usize = 102;
/// How long a block is.
const BLOCK: Duration = Duration::from_millis(40);
/// Longest wait for an engine's connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Where lines are, if this host does multicast.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 84, 77);

const OURS: usize = 0;
const BARE: usize = 1;
const BLOCKING: usize = 2;
const UNRECORDED: usize = 3;
const SPLIT: usize = 4;
/// In the order of their numbers.
const RIVALS: [usize; 4] = [BARE, BLOCKING, UNRECORDED, SPLIT];

/// Median and p99 of a block, in nanoseconds.
type Block = (f64, f64);

/// The figures.
///
/// # Errors
/// What the host refuses; an engine that does not answer.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let disk = tempfile::tempdir().context("a folder for the journal")?;
    // Without a tmpfs the journal says so and costs more.
    let hot = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let (clock, calibrator) = clock::calibrate();
    let stage = Stage::new((disk.path(), hot.path()), clock)?;
    let Stage { asking, mut sides, multicast } = stage;
    let turns = Turns::default();
    // Every thread is there before any is real-time.
    let rounds = std::thread::scope(|scope| {
        let answering = scope.spawn(|| {
            settle(ANSWERS);
            turns.answer(&mut sides);
        });
        let asking = scope.spawn(|| {
            settle(ASKS);
            let _ending = Ending(&turns);
            asking.rounds(&turns, calibrator)
        });
        let rounds = asking.join().map_err(|_| anyhow!("the exchange's side panicked"))?;
        answering.join().map_err(|_| anyhow!("who answers panicked"))?;
        rounds
    })?;
    let fifo = std::thread::spawn(real_time).join().is_ok_and(|done| done.is_ok());
    Ok(figures(&rounds, multicast, fifo))
}

/// Everything that is made before threads are pinned.
struct Stage {
    asking: Asking,
    sides: Vec<Box<dyn Side>>,
    multicast: bool,
}

/// The exchange's side.
struct Asking {
    socket: Socket,
    clock: Clock,
    listener: TcpListener,
    lines: Vec<SocketAddrV4>,
    /// Who is no engine: the connection, and where to put the order to send.
    bare: Vec<(usize, TcpStream, Order)>,
    watches: Vec<Watch>,
    /// The split engine's second core: the gateway, polled beside the exchange's side.
    second: Core,
}

impl Stage {
    fn new(folders: (&Path, &Path), clock: Clock) -> anyhow::Result<Stage> {
        let multicast = wire::udp::multicast_works(Ipv4Addr::LOCALHOST).is_ok();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let venue = listener.local_addr()?;
        let mut lines = Vec::new();
        let mut line = || -> anyhow::Result<Socket> {
            let any = |address| SocketAddrV4::new(address, 0);
            let socket = if multicast {
                Socket::join(any(GROUP), Ipv4Addr::LOCALHOST)?
            } else {
                Socket::bind(any(Ipv4Addr::LOCALHOST))?
            };
            lines.push(socket.local_address());
            Ok(socket)
        };
        let mut watches = Vec::new();
        let (disk, hot) = folders;
        let mut engine = |line, name: &str, recorded: bool, split| -> anyhow::Result<Vec<Core>> {
            let (disk, hot) = (disk.join(name), hot.join(name));
            std::fs::create_dir(&hot)?;
            let journal = recorded.then_some((disk.as_path(), hot.as_path()));
            let backend = backend();
            let setup = Setup { line, venue, journal, split, backend };
            let (cores, watch) = engine::build(setup, &clock)?;
            watches.push(watch);
            Ok(cores)
        };
        let mut bare = Vec::new();
        let mut connected = |who| -> anyhow::Result<(TcpStream, Order)> {
            let (client, order) = (TcpStream::connect(venue)?, Order::default());
            bare.push((who, listener.accept()?.0, Arc::clone(&order)));
            Ok((client, order))
        };
        let mut sides: Vec<Box<dyn Side>> = Vec::new();
        let ours = engine(line()?, "ours", true, false)?;
        sides.extend(ours.into_iter().map(|core| Box::new(core) as Box<dyn Side>));
        let (client, order) = connected(BARE)?;
        sides.push(Box::new(Spinning::new(line()?, client, order)?));
        let (client, order) = connected(BLOCKING)?;
        sides.push(Box::new(Waiting::new(line()?, client, order)?));
        let unrecorded = engine(line()?, "unrecorded", false, false)?;
        sides.extend(unrecorded.into_iter().map(|core| Box::new(core) as Box<dyn Side>));
        let mut split = engine(line()?, "split", true, true)?;
        let second = split.pop().context("a second core")?;
        sides.extend(split.into_iter().map(|core| Box::new(core) as Box<dyn Side>));
        let socket = Socket::sender(Ipv4Addr::LOCALHOST, 0)?;
        let asking = Asking { socket, clock, listener, lines, bare, watches, second };
        Ok(Stage { asking, sides, multicast })
    }
}

impl Asking {
    /// All rounds: pairs of our block and each rival's, in the order of [`RIVALS`].
    fn rounds(
        mut self,
        turns: &Turns,
        mut calibrator: Calibrator,
    ) -> anyhow::Result<[Vec<(Block, Block)>; RIVALS.len()]> {
        let mut links = self.open(turns)?;
        let mut rounds = std::array::from_fn(|_| Vec::new());
        for round in 0..ROUNDS {
            for (pairs, rival) in rounds.iter_mut().zip(RIVALS) {
                let ours = self.block(turns, &mut links, OURS)?;
                let theirs = self.block(turns, &mut links, rival)?;
                if round >= 2 {
                    pairs.push((ours, theirs));
                }
                calibrator.adjust(Nanos::from_millis(100));
                self.watches.iter_mut().for_each(Watch::look);
            }
        }
        Ok(rounds)
    }

    fn open(&mut self, turns: &Turns) -> anyhow::Result<Vec<Link>> {
        let mut links = Vec::new();
        self.listener.set_nonblocking(true)?;
        for who in 0..self.lines.len() {
            let line = self.lines[who];
            if let Some(at) = self.bare.iter().position(|bare| bare.0 == who) {
                let (_, orders, order) = self.bare.swap_remove(at);
                let mut link = Link::new(&self.clock, line, orders)?;
                order.set(link.without_engine(&self.clock)?).map_err(|_| anyhow!("made twice"))?;
                links.push(link);
                continue;
            }
            turns.give(who);
            let began = Instant::now();
            let orders = loop {
                self.beside(who);
                match self.listener.accept() {
                    Ok((orders, _)) => break orders,
                    Err(error) if began.elapsed() > CONNECT => return Err(error.into()),
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            };
            let mut link = Link::new(&self.clock, line, orders)?;
            let (second, split) = (&mut self.second, who == SPLIT);
            link.open(&self.socket, &self.clock, &mut || {
                let _ = split && second.turn();
            })?;
            turns.take();
            turns.rest();
            links.push(link);
        }
        Ok(links)
    }

    /// The gateway of the split engine shares this core.
    fn beside(&mut self, who: usize) {
        if who == SPLIT {
            self.second.turn();
        }
    }

    fn block(&mut self, turns: &Turns, links: &mut [Link], who: usize) -> anyhow::Result<Block> {
        let (socket, clock, link) = (&self.socket, &self.clock, &mut links[who]);
        turns.give(who);
        let mut ticks = if who == SPLIT {
            link.block(socket, clock, BLOCK, &mut || {
                self.second.turn();
            })
        } else {
            link.block(socket, clock, BLOCK, &mut || ())
        }
        .with_context(|| format!("contestant {who}"))?;
        turns.take();
        if who == BLOCKING {
            link.wake(socket)?;
        }
        turns.rest();
        Ok((quantile(&mut ticks, 0.5), quantile(&mut ticks, 0.99)))
    }
}

/// How bytes go to the kernel: as configured runs choose it.
fn backend() -> wire::Backend {
    match std::env::var("TTT_BACKEND").as_deref() {
        Ok("plain") => wire::Backend::Plain,
        Ok("uring") => wire::Backend::IoUring,
        _ => wire::Backend::Auto,
    }
}

fn figures(
    rounds: &[Vec<(Block, Block)>; RIVALS.len()],
    multicast: bool,
    fifo: bool,
) -> Vec<Figure> {
    let [bare, blocking, unrecorded, split] = rounds;
    let paired = |pairs: &[(Block, Block)], part: fn(&Block) -> f64| {
        let pairs: Vec<_> = pairs.iter().map(|(ours, theirs)| (part(ours), part(theirs))).collect();
        pairs::of(&pairs)
    };
    let median = |pairs: &[(Block, Block)]| paired(pairs, |block| block.0);
    let way = if multicast { "multicast" } else { "unicast, multicast is refused" };
    let p99 = Figure::new("ttt/p99", "ns", "bare loop", &paired(bare, |block| block.1))
        .target(1.30)
        .note("p99 of each block of some 1,300 ticks");
    let swapped: Vec<_> = split.iter().map(|&(ours, theirs)| (theirs, ours)).collect();
    vec![
        Figure::new("ttt/median", "ns", "bare loop", &median(bare)).target(1.20).note(format!(
            "{way} datagram to first byte of the order; fused, journal, risk and stamps on"
        )),
        if fifo { p99 } else { p99.void("not real-time here") },
        Figure::new("ttt/blocking", "ns", "blocking calls", &median(blocking)).target(0.45),
        Figure::new("ttt/journal", "ns", "without a journal", &median(unrecorded)).target(1.10),
        Figure::new("ttt/split", "ns", "fused", &median(&swapped)).note(
            "gateway polled on the exchange's CPU, in turn with it: the order leaves on the core \
             that reads it, which flatters a split",
        ),
    ]
}
