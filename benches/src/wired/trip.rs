//! One order at a time through our gateway and back: the engine's gateway stage with its rings and
//! its session on the asking core, an acceptor of ours or nobody's on the answering one. The trading
//! loop's place is taken by whoever asks for trips.

use crate::wired::course::Side;
use crate::wired::market::Listed;
use crate::wired::orders::{Orders, SEND};
use crate::wired::venue::{EPOCH, client_session};
use anyhow::ensure;
use engine::latency::recorder;
use engine::pipeline::connector::{Connector, Plan};
use engine::pipeline::fix_connection::{ConnectionParts, SessionHours};
use engine::pipeline::fix_store::TimedStore;
use engine::pipeline::gateway_stage::{GatewayParts, GatewayStage};
use engine::pipeline::looks::Looks;
use engine::pipeline::reconnect::{Pace, Reconnect};
use engine::pipeline::telemetry::{GatewaySnapshot, mailbox};
use engine::pipeline::trading_stage::{COMMANDS_DEPTH, CommandSlot, REPORTS_DEPTH};
use engine::runtime::clock::Clock;
use engine::runtime::ring::{self, Consumer, Producer};
use engine::runtime::stage::{Core, Idle, Stage, StageCounters};
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::rates::Limiter;
use gateway::session::Session;
use market::{Command, InstrumentId, Nanos, OrderId, Price, Qty, Report, ReportKind};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv, send};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Requests that a gateway remembers.
const REQUESTS: usize = 16_384;
/// How long a side sleeps at a time while sessions come up.
const BREATH: Duration = Duration::from_micros(50);
/// How long a session may take to come up, and an order to be answered.
const PATIENCE: Duration = Duration::from_secs(5);
/// Turns between two looks at that.
const LOOK: u32 = 1 << 16;

/// The loop's ends of one gateway.
struct Ends {
    commands: Producer<CommandSlot>,
    reports: Consumer<Report>,
    next: u64,
}

/// Gateways of one session each, polled by one core.
pub struct Gateways {
    core: Core,
    ends: Vec<Ends>,
}

/// A gateway stage whose session is with `venue`, and the loop's ends of it.
fn gateway<S: TimedStore + Send + 'static>(
    store: S,
    (venue, backend): (SocketAddr, wire::Backend),
    looks: Looks,
    clock: &Clock,
) -> anyhow::Result<(Box<dyn Stage>, Ends)> {
    let (commands, from_loop) = ring::channel(COMMANDS_DEPTH);
    let (to_loop, reports) = ring::channel(REPORTS_DEPTH);
    // Nobody reads its telemetry, and nothing waits for that.
    let outbox = mailbox(GatewaySnapshot::default(), GatewaySnapshot::default()).0;
    let instruments = Instruments::new(&Listed::marks().instruments)?;
    let pace = Pace { first: Nanos::SECOND, longest: Nanos::SECOND };
    let stage = GatewayStage::new(GatewayParts {
        connection: ConnectionParts {
            io: wire::open(backend)?.io,
            session: Session::new(client_session(), store)?,
            connector: Connector::spawn(Plan::plain(venue.ip().to_string(), venue.port()))?,
            reconnect: Reconnect::new(pace, 1),
            hours: SessionHours::default(),
            looks,
            socket: Arc::default(),
        },
        entry: OrderEntry::new(instruments, REQUESTS, Dialect::default()),
        commands: from_loop,
        reports: to_loop,
        limiter: Limiter::default(),
        drop_copy: Arc::default(),
        gate: Arc::default(),
        lifecycle: Arc::default(),
        recorder: recorder::pair(clock.clone()).0,
        outbox,
    });
    Ok((Box::new(stage), Ends { commands, reports, next: 1 }))
}

impl Gateways {
    /// A core for a gateway over each of `stores`, all to `venue`.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn new<S: TimedStore + Send + 'static>(
        stores: Vec<S>,
        to: (SocketAddr, wire::Backend),
        clock: &Clock,
    ) -> anyhow::Result<Gateways> {
        let (mut stages, mut ends) = (Vec::new(), Vec::new());
        let looks = Looks::alone();
        let looks = if stores.len() > 1 { looks.beside_others()? } else { looks };
        for store in stores {
            let (stage, end) = gateway(store, to, looks.clone(), clock)?;
            stages.push((stage, Arc::new(StageCounters::default())));
            ends.push(end);
        }
        Ok(Gateways { core: Core::new(stages, Idle::Spin, clock.clone(), Arc::default()), ends })
    }

    /// How many sessions there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// One turn of the core.
    pub fn turn(&mut self) {
        self.core.turn();
    }

    /// Turns until every session is up and has had an answer, one after another. A transport belongs
    /// to the thread that does this.
    ///
    /// # Errors
    /// One that does not come up.
    pub fn open(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut up = vec![false; self.ends.len()];
        while up.contains(&false) {
            ensure!(began.elapsed() < PATIENCE, "a session does not come up");
            self.core.turn();
            // Who connects for it needs a core.
            std::thread::sleep(BREATH);
            for (ends, up) in self.ends.iter_mut().zip(&mut up) {
                let report = ends.reports.pop().and_then(|report| report.kind());
                *up |= report == Some(ReportKind::SessionUp);
            }
        }
        (0..self.count()).try_for_each(|session| self.trip(session))
    }

    /// As [`open`](Self::open), for one session whose acceptor has no thread of its own.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(&mut self, acceptor: &mut Accepting) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.ends[0].reports.pop().and_then(|report| report.kind())
            != Some(ReportKind::SessionUp)
        {
            ensure!(began.elapsed() < PATIENCE, "the session does not come up");
            self.core.turn();
            std::thread::sleep(BREATH);
            acceptor.meet()?;
        }
        self.trip_with(acceptor, &mut |act| act())
    }

    /// As [`trip`](Self::trip), with an acceptor that has no thread of its own: the turn that sends the
    /// order, what answers it and the turn that takes the answer run within `counted`.
    ///
    /// # Errors
    /// As there.
    pub fn trip_with(
        &mut self,
        acceptor: &mut Accepting,
        counted: &mut dyn FnMut(&mut dyn FnMut()),
    ) -> anyhow::Result<()> {
        self.order(0)?;
        counted(&mut || {
            let _ = self.core.turn();
        });
        let mut heard = Ok(false);
        counted(&mut || heard = acceptor.hear(0));
        ensure!(heard?, "the order did not come at once");
        counted(&mut || {
            let _ = self.core.turn();
        });
        ensure!(self.accepted(0)?, "the answer did not come at once");
        Ok(())
    }

    /// Gives a new order to a session's gateway.
    ///
    /// # Errors
    /// A ring that is full.
    pub fn order(&mut self, session: usize) -> anyhow::Result<()> {
        let ends = &mut self.ends[session];
        let id = OrderId::new(EPOCH, ends.next).unwrap_or(OrderId::NONE);
        ends.next += 1;
        let (price, qty) = (Price::from_raw(100_000_000_000), Qty::from_raw(100));
        let command = Command::new(id, InstrumentId(0), market::Side::Buy, price, qty);
        let slot = CommandSlot { command, ..CommandSlot::default() };
        ensure!(ends.commands.push(slot).is_ok(), "the gateway takes no commands");
        Ok(())
    }

    /// True once the order was accepted that was given last.
    ///
    /// # Errors
    /// Another answer.
    pub fn accepted(&mut self, session: usize) -> anyhow::Result<bool> {
        let Some(report) = self.ends[session].reports.pop() else { return Ok(false) };
        ensure!(report.kind() == Some(ReportKind::Accepted), "not accepted: {report:?}");
        Ok(true)
    }

    /// One order and its answer.
    ///
    /// # Errors
    /// No answer, or another.
    pub fn trip(&mut self, session: usize) -> anyhow::Result<()> {
        self.order(session)?;
        // The clock is looked at only where it takes long: that is no part of a trip.
        let (mut began, mut turns) = (None, 0u32);
        loop {
            self.core.turn();
            if self.accepted(session)? {
                return Ok(());
            }
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(LOOK) {
                let began = *began.get_or_insert_with(Instant::now);
                ensure!(began.elapsed() < PATIENCE, "no answer came");
            }
        }
    }
}

/// Bytes of an order and of its answer, once one was seen.
pub type Sizes = Arc<[AtomicUsize; 2]>;

/// Our acceptor at work for one client or several. Once it has heard each, it reads the one whose
/// order is next: with several, what is measured is the clients' side.
pub struct Accepting {
    listener: TcpListener,
    /// How many will come.
    count: usize,
    clients: Vec<Orders>,
    /// Whose first order came, in order.
    heard: Vec<usize>,
    next: usize,
    clock: Clock,
    sizes: Sizes,
}

impl Accepting {
    /// For so many clients, each of which will ask in its turn, the first one first.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn new(count: usize, clock: Clock, sizes: Sizes) -> anyhow::Result<Accepting> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let (clients, heard) = (Vec::new(), Vec::new());
        Ok(Accepting { listener, count, clients, heard, next: 0, clock, sizes })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system reports.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes who connects, hears everyone, and learns who asks in which turn.
    fn meet(&mut self) -> anyhow::Result<()> {
        if let Ok((stream, _)) = self.listener.accept() {
            self.clients.push(Orders::new(stream, self.clock.now(), &Listed::marks())?);
        }
        for at in 0..self.clients.len() {
            if self.hear(at)? {
                self.heard.push(at);
            }
        }
        if self.heard.len() == self.count {
            let mut clients: Vec<_> = self.clients.drain(..).map(Some).collect();
            self.clients = self.heard.iter().filter_map(|at| clients[*at].take()).collect();
            ensure!(self.clients.len() == self.count, "a client asked twice");
        }
        Ok(())
    }

    /// Reads a client unless it is known to have asked already; true if it has, and has its answer.
    fn hear(&mut self, at: usize) -> anyhow::Result<bool> {
        let orders = &mut self.clients[at];
        if orders.venue.taken.is_empty() && orders.read()? {
            let came = orders.filled();
            orders.take(self.clock.now())?;
            if orders.venue.taken.len() == 1 {
                self.sizes[0].store(came, Ordering::Relaxed);
                self.sizes[1].store(orders.venue.answers.len(), Ordering::Relaxed);
            }
            orders.reply()?;
            // Nothing rests for ever: a venue of a million orders is not what is measured.
            orders.venue.forget();
        }
        // Two may have come at once.
        Ok(orders.venue.taken.pop().is_some())
    }
}

impl Side for Accepting {
    fn work(&mut self, mine: &dyn Fn() -> bool) {
        while mine() && self.heard.len() < self.count {
            self.meet().expect("the clients are there");
            std::thread::sleep(BREATH);
        }
        self.next = 0;
        while mine() {
            if self.hear(self.next).expect("the clients are there") {
                self.next = (self.next + 1) % self.count;
            }
        }
    }
}

/// The far end of the bare ping-pong.
pub struct Bare {
    /// Its connection, non-blocking.
    pub stream: TcpStream,
    /// How much to await, and how much to answer.
    pub sizes: Sizes,
}

impl Side for Bare {
    fn work(&mut self, mine: &dyn Fn() -> bool) {
        let mut bytes = [0; 4_096];
        let [order, answer] = [0, 1].map(|at| self.sizes[at].load(Ordering::Relaxed));
        let mut came = 0;
        while mine() {
            match recv(&self.stream, &mut bytes[..], RecvFlags::DONTWAIT) {
                Err(Errno::AGAIN) => continue,
                got => came += got.expect("an order").0,
            }
            if came >= order {
                came = 0;
                send(&self.stream, &bytes[..answer], SEND).expect("room");
            }
        }
    }
}

/// One order's bytes there and an answer's back, by the cheapest calls there are.
///
/// # Errors
/// A far end that is gone.
pub fn bare_trip(stream: &TcpStream, sizes: &Sizes) -> anyhow::Result<()> {
    let mut bytes = [0; 4_096];
    let [order, answer] = [0, 1].map(|at| sizes[at].load(Ordering::Relaxed));
    send(stream, &bytes[..order], SEND)?;
    let mut came = 0;
    while came < answer {
        match recv(stream, &mut bytes[..], RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN) => {}
            got => came += got?.0,
        }
    }
    Ok(())
}
