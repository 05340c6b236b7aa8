//! One engine under load: it spins on its core, the exchange's side sends to it from the other, and
//! both rest now and then, so that the host's other work does not come in the middle. A rest is
//! outside of every figure: what was sent before it is answered first, and the moments of what
//! follows are shifted by it.

use crate::data::Messages;
use crate::wired::course::{Side, Turns};
use crate::wired::engine::{self, Options, Setup, Watch};
use crate::wired::exchange::{Exchange, Seen, Wires};
use crate::wired::field::{accept, folders, line};
use crate::wired::market::{LISTED, Listed};
use crate::wired::orders::Orders;
use crate::wired::plan::Planned;
use ::engine::pipeline::telemetry::{FeedSnapshot, TradingSnapshot};
use ::engine::runtime::clock::{self, Calibrator};
use anyhow::{Context as _, ensure};
use market::{BookState, Nanos};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::stamp;
use wire::udp::Socket;

/// What `[wire] receive_buffer_bytes` asks for where nothing is said.
const BUFFER_BYTES: usize = 8 << 20;
/// A silence of so many nanoseconds has room for a rest.
const SILENCE: u64 = 6_000_000;
/// From the end of a rest to the next datagram at least, in nanoseconds: both sides spin again.
const WARM: u64 = 500_000;
/// How long a rest is beside what it takes to go to sleep and to wake.
const REST: Duration = Duration::from_millis(10);
/// How long an engine may take to take everything that was sent, gaps and all.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long answers may be waited for before a rest.
const ANSWERED: Duration = Duration::from_millis(50);
/// Ticks of the closed loop between two rests.
const UNLOADED: usize = 1_000;
/// Ticks that show that it quotes.
const SHOWN: usize = 50;

/// When a play rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rests {
    /// In silences, and after so many nanoseconds without one: else the kernel takes both CPUs for
    /// others when it likes, for many milliseconds.
    After(u64),
    /// Never: it is short.
    Never,
}

/// What an engine has counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// By the feed.
    pub feed: FeedSnapshot,
    /// Market events that the loop took, and those of them that had stood in the ring.
    pub events: u64,
    /// Events that had stood in the ring while the loop was at an earlier packet.
    pub ring: u64,
    /// Books that lack messages, as they know themselves.
    pub in_gap: usize,
    /// Books in all.
    pub books: usize,
    /// Datagrams that the kernel dropped for want of buffer.
    pub dropped: u64,
}

/// An engine and its exchange.
pub struct Stand<'a> {
    /// The exchange's side.
    pub exchange: Exchange<'a>,
    turns: Arc<Turns>,
    calibrator: Calibrator,
    watch: Watch,
    line: SocketAddrV4,
    /// What was seen, from one rest to the next.
    slices: Vec<Seen>,
    /// Most books that lacked messages at a time, of late.
    pub most_in_gap: usize,
}

/// Runs an engine for what is `listed`; `contest` is the exchange's side, on its own core. True
/// beside what it gives if market data went by multicast.
///
/// # Errors
/// What the host refuses; an engine that does not answer.
pub fn run<'a, T: Send>(
    listed: &'a Listed,
    contest: impl FnOnce(&mut Stand<'a>) -> anyhow::Result<T> + Send,
) -> anyhow::Result<(T, bool)> {
    let (disk, hot) = folders()?;
    let multicast = wire::udp::multicast_works(Ipv4Addr::LOCALHOST).is_ok();
    let (clock, calibrator) = clock::calibrate();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let requests = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    let line = line(multicast)?;
    line.set_receive_buffer(BUFFER_BYTES)?;
    let (address, server) = (line.local_address(), requests.local_address());
    let (venue, folders) = (listener.local_addr()?, (disk.path(), hot.path()));
    let setup = Setup { line, venue, server, listed, folders, options: Options::FULL };
    let (mut cores, watch) = engine::build(setup, &clock)?;
    let first = cores.pop().context("an engine has a core")?;
    let mut sides: Vec<Box<dyn Side>> = vec![Box::new(first)];
    listener.set_nonblocking(true)?;
    let socket = Socket::sender(Ipv4Addr::LOCALHOST, 0)?;
    rustix::net::connect(&socket, &address)?;
    let turns = Arc::new(Turns::default());
    let outcome = turns.beside(&mut sides, || {
        turns.give(0);
        let orders = accept(&listener, &mut || {})?;
        let orders = Orders::new(orders, clock.now(), listed)?;
        let wires = Wires { socket, requests, orders };
        let exchange = Exchange::new(wires, &clock, listed);
        let mut stand = Stand {
            exchange,
            turns: Arc::clone(&turns),
            calibrator,
            watch,
            line: address,
            slices: Vec::new(),
            most_in_gap: 0,
        };
        contest(&mut stand).map_err(|error| stand.explained(error))
    })?;
    Ok((outcome, multicast))
}

impl<'a> Stand<'a> {
    /// Another session of market data: the engine has `opening` in its books and quotes.
    ///
    /// # Errors
    /// An engine that does not.
    pub fn begin(&mut self, opening: &'a Messages) -> anyhow::Result<()> {
        self.rest(REST)?;
        self.exchange.begin(opening)?;
        self.settle()?;
        self.shown()
    }

    /// So many blocks of ticks one after another: the engine without a load.
    ///
    /// # Errors
    /// A tick without an order.
    pub fn unloaded(&mut self, blocks: usize) -> anyhow::Result<Vec<Seen>> {
        self.rest(REST)?;
        self.take();
        for _ in 0..blocks {
            self.exchange.closed_loop(UNLOADED)?;
            self.rest(REST)?;
        }
        Ok(self.take())
    }

    /// An error with what the order session says to it.
    fn explained(&mut self, error: anyhow::Error) -> anyhow::Error {
        for _ in 0..3 {
            self.watch.session_said();
            std::thread::sleep(Duration::from_millis(3));
        }
        match self.watch.session_said() {
            said if said.is_empty() => error,
            said => error.context(format!("the order session: {said}")),
        }
    }

    /// It quotes: ticks have their orders.
    ///
    /// # Errors
    /// A tick without an order, or fewer quotes than there were before.
    pub fn shown(&mut self) -> anyhow::Result<()> {
        self.exchange.forget();
        self.exchange.closed_loop(SHOWN).context("it does not quote")?;
        let resting = self.exchange.resting();
        ensure!(resting >= 2 * LISTED as usize, "only {resting} quotes rest");
        Ok(())
    }

    /// Sends what is planned, each datagram at its moment.
    ///
    /// # Errors
    /// What the host refuses; an engine that is gone.
    pub fn play(&mut self, planned: Vec<Planned<'a>>, rests: Rests) -> anyhow::Result<()> {
        let [silence, warm] = [SILENCE, WARM].map(|nanos| self.exchange.ticks(nanos));
        let slice = match rests {
            Rests::After(nanos) => self.exchange.ticks(nanos),
            Rests::Never => u64::MAX,
        };
        let mut begin = stamp::now() + warm;
        let mut rested = stamp::now();
        for planned in planned {
            let due = self.exchange.ticks(planned.due);
            loop {
                let now = stamp::now();
                let is_silent = rests != Rests::Never && begin + due > now + silence;
                if !is_silent && now - rested <= slice {
                    break;
                }
                self.rest(if is_silent { Duration::ZERO } else { REST })?;
                rested = stamp::now();
                begin = begin.max((rested + warm).saturating_sub(due));
            }
            self.exchange.send(planned, begin)?;
        }
        // Its last orders are its own.
        self.answered()?;
        self.slice_ends();
        Ok(())
    }

    /// Waits until every mark has been answered, or cannot be.
    fn answered(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.exchange.waiting() > 0 && began.elapsed() < ANSWERED {
            self.exchange.serve()?;
        }
        self.exchange.forget();
        Ok(())
    }

    /// Lets both cores do something else for a while, after every mark has been answered or cannot
    /// be.
    fn rest(&mut self, span: Duration) -> anyhow::Result<()> {
        self.answered()?;
        self.slice_ends();
        self.turns.take();
        self.turns.rest();
        std::thread::sleep(span);
        self.calibrator.adjust(Nanos::from_millis(100));
        self.watch.look();
        self.turns.give(0);
        Ok(())
    }

    /// What was seen since the last slice ended is one.
    fn slice_ends(&mut self) {
        let seen = std::mem::take(&mut self.exchange.seen);
        if !seen.late.is_empty() {
            self.slices.push(seen);
        }
    }

    /// Takes what was seen, slice by slice.
    pub fn take(&mut self) -> Vec<Seen> {
        self.slice_ends();
        std::mem::take(&mut self.slices)
    }

    /// Waits until the engine has taken every message, by whichever way.
    ///
    /// # Errors
    /// An engine that never does.
    pub fn settle(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let (session, next) = self.exchange.next();
            let (feed, trading) = self.watch.told();
            self.most_in_gap = self.most_in_gap.max(in_gap(trading));
            if feed.session == Some(session) && feed.expected == next && !feed.in_gap {
                return Ok(());
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "the engine awaits message {} of {next}, {} were recovered, {} are lost",
                feed.expected,
                feed.recovered,
                feed.lost
            );
            self.exchange.idle(Duration::from_micros(500), true)?;
        }
    }

    /// Waits until the journal's thread has brought to disk what was written; the engine rests.
    ///
    /// # Errors
    /// An engine that is gone, or a disk that is too slow.
    pub fn recorded(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        // A rest lets timers write a record or two.
        while self.watch.unsynced() > 2 {
            ensure!(began.elapsed() < PATIENCE, "{} records wait", self.watch.unsynced());
            self.rest(3 * REST)?;
        }
        Ok(())
    }

    /// What the engine counted up to now.
    ///
    /// # Errors
    /// An engine that is gone.
    pub fn counted(&mut self) -> anyhow::Result<Counted> {
        // What lies there was told before; the third is new for certain.
        for _ in 0..3 {
            self.watch.told();
            self.exchange.idle(Duration::from_millis(2), false)?;
        }
        let dropped = dropped(self.line)?;
        let (feed, trading) = self.watch.told();
        Ok(Counted {
            feed: feed.clone(),
            events: trading.counters.events,
            ring: trading.waited,
            in_gap: in_gap(trading),
            books: trading.books.len(),
            dropped,
        })
    }
}

fn in_gap(trading: &TradingSnapshot) -> usize {
    trading.books.iter().filter(|state| **state == BookState::Gap).count()
}

/// What the kernel counts for the socket bound to `line`.
fn dropped(line: SocketAddrV4) -> anyhow::Result<u64> {
    let table = std::fs::read_to_string("/proc/net/udp")?;
    let address = u32::from_ne_bytes(line.ip().octets());
    let name = format!("{address:08X}:{:04X}", line.port());
    let row = table.lines().find(|row| row.split_whitespace().nth(1) == Some(&name));
    let last = row.and_then(|row| row.split_whitespace().last());
    last.and_then(|drops| drops.parse().ok()).context("the kernel does not count what it drops")
}
