//! The exchange on a thread of its own: sockets bound, thread pinned, stopped and asked from outside.
//!
//! What the host refuses is replaced by the next best thing and said in one line each.

use super::ExchangeCore;
use super::report::ExchangeReport;
use super::stage::{ExchangeStage, Shared};
use super::streams::Door;
use super::wires::{Doors, Nowhere, Wires};
use crate::config::{Core as CoreChoice, ExchangeConfig};
use crate::runtime::clock::Clock;
use crate::runtime::cores;
use crate::runtime::stage::{Core, Stage, StageCounters};
use anyhow::{Context as _, bail};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use wire::tcp::Listener;
use wire::udp::{self, Socket};

/// Connections beyond one for each account: those that have not said who they are.
const SPARE_CONNECTIONS: usize = 8;
/// Connections for each port that serves market data by TCP.
const LISTENERS: usize = 8;

/// How an exchange is started, beside its configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Forget the last market data session and FIX stores.
    pub fresh: bool,
}

/// Where a running exchange is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Where engines log on.
    pub fix: SocketAddr,
    /// Line A: a group to join, or an address to bind.
    pub line_a: SocketAddrV4,
    /// Line B, if there is one.
    pub line_b: Option<SocketAddrV4>,
    /// Where retransmission is asked for.
    pub retransmit: SocketAddrV4,
    /// Where ITCH is served over SoupBinTCP, if it is.
    pub soupbintcp: Option<SocketAddr>,
    /// Where snapshots are served, if they are.
    pub glimpse: Option<SocketAddr>,
    /// The interface of the groups.
    pub interface: Ipv4Addr,
}

/// The demo exchange.
pub struct Exchange;

/// An exchange on its thread.
pub struct RunningExchange {
    /// Where it is to be found.
    pub addresses: Addresses,
    /// What the host refused, and what else people should know, a line each.
    pub notices: Vec<String>,
    shared: Arc<Shared>,
    thread: JoinHandle<Vec<Box<dyn Stage>>>,
}

impl Exchange {
    /// Starts the exchange of `config` on a thread of its own. Port 0 lets the system choose one.
    /// Where multicast is not to be had, the lines go by unicast to the interface's own address, at
    /// the same ports.
    ///
    /// # Errors
    /// A chain that says what could not be had.
    pub fn start(
        config: &ExchangeConfig,
        options: Options,
        clock: Clock,
    ) -> anyhow::Result<RunningExchange> {
        let data = &config.market_data;
        let streams = [data.soupbintcp, data.glimpse].into_iter().flatten().count();
        let connections = config.fix.accounts.len() + SPARE_CONNECTIONS + streams * LISTENERS;
        let mut core = ExchangeCore::open(config, options.fresh, connections, clock.now())?;
        let mut notices = core.take_notices();
        let (wires, addresses) = bind(config, connections, &mut notices)?;
        let shared = Arc::new(Shared::default());
        let stage = ExchangeStage::new(core, wires, shared.clone());
        let stage: Box<dyn Stage> = Box::new(stage);
        let stages = vec![(stage, Arc::new(StageCounters::default()))];
        let core = Core::new(stages, config.exchange.idle, clock, shared.stop.clone());
        let cpu = cpu(config.exchange.core);
        let (pinned, refusal) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name(config.exchange.name.clone());
        let thread = thread.spawn(move || {
            // Nobody is left to tell when the starter gave up.
            let _ = pinned.send(cpu.map_or(Ok(()), cores::pin));
            core.run()
        })?;
        if let Ok(Err(refusal)) = refusal.recv() {
            notices.push(format!("exchange: {refusal}"));
        }
        Ok(RunningExchange { addresses, notices, shared, thread })
    }
}

impl RunningExchange {
    /// Asks the exchange to log everyone out and end.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// True once its thread has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Where it stood a moment ago.
    #[must_use]
    pub fn report(&self) -> ExchangeReport {
        self.shared.report()
    }

    /// Waits for its end, which [`RunningExchange::stop`] brings about; gives its last report.
    ///
    /// # Errors
    /// Its thread panicked.
    pub fn join(self) -> anyhow::Result<ExchangeReport> {
        self.thread.join().map_err(|_| anyhow::anyhow!("the exchange's thread panicked"))?;
        Ok(self.shared.report())
    }
}

/// The CPU of the thread: "auto" takes the first of several, and leaves an only one alone.
fn cpu(choice: CoreChoice) -> Option<usize> {
    match choice {
        CoreChoice::None => None,
        CoreChoice::Cpu(cpu) => Some(cpu),
        CoreChoice::Auto => {
            let allowed = cores::allowed();
            allowed.first().copied().filter(|_| allowed.len() > 1)
        }
    }
}

fn bind(
    config: &ExchangeConfig,
    connections: usize,
    notices: &mut Vec<String>,
) -> anyhow::Result<(Wires, Addresses)> {
    let data = &config.market_data;
    let opened = wire::open(wire::Backend::Auto)?;
    notices.extend(opened.notice);
    let SocketAddr::V4(retransmit) = data.retransmit else {
        bail!("[market_data] retransmit = {}: MoldUDP64 goes by IPv4", data.retransmit);
    };
    let (line_a, line_b) = lines(config, notices)?;
    let interface = data.interface;
    // Multicast of the loopback interface stays on this host.
    let ttl = u32::from(!interface.is_loopback());
    let sender = Socket::sender(interface, ttl)
        .with_context(|| format!("[market_data] interface = {interface}"))?;
    let server = Socket::bind(retransmit)
        .with_context(|| format!("[market_data] retransmit = {retransmit}"))?;
    let listen = config.fix.listen;
    let listener = Listener::bind(listen).with_context(|| format!("[fix] listen = {listen}"))?;
    let mut streams = Vec::new();
    let mut stream = |key: &str, door: Door, at: Option<SocketAddr>| {
        let Some(at) = at else { return anyhow::Ok(None) };
        let listener = Listener::bind(at).with_context(|| format!("[market_data] {key} = {at}"))?;
        let address = listener.local_address();
        streams.push((door, listener));
        Ok(Some(address))
    };
    let addresses = Addresses {
        fix: listener.local_address(),
        line_a,
        line_b,
        retransmit: server.local_address(),
        soupbintcp: stream("soupbintcp", Door::Messages, data.soupbintcp)?,
        glimpse: stream("glimpse", Door::Snapshots, data.glimpse)?,
        interface,
    };
    let doors = Doors::new(&listener, &server, streams).context("sockets cannot be watched")?;
    let wires = Wires {
        io: opened.io,
        listener,
        sender,
        lines: std::iter::once(line_a).chain(line_b).collect(),
        server,
        links: (0..connections).map(|_| None).collect(),
        nowhere: Nowhere,
        doors,
        unsent: 0,
    };
    Ok((wires, addresses))
}

/// Where the two lines go.
fn lines(
    config: &ExchangeConfig,
    notices: &mut Vec<String>,
) -> anyhow::Result<(SocketAddrV4, Option<SocketAddrV4>)> {
    let data = &config.market_data;
    let groups =
        data.line_a.ip().is_multicast() || data.line_b.is_some_and(|line| line.ip().is_multicast());
    let refusal = if groups { udp::multicast_works(data.interface).err() } else { None };
    if let Some(refusal) = &refusal {
        notices.push(format!("{refusal}; the lines go by unicast to {}", data.interface));
    }
    let place = |key: &str, line: SocketAddrV4| {
        let mut line = line;
        if refusal.is_some() && line.ip().is_multicast() {
            line.set_ip(data.interface);
        }
        if line.port() == 0 {
            let port = free_port(line, data.interface);
            line.set_port(port.with_context(|| format!("[market_data] {key} = {line}"))?);
        }
        anyhow::Ok(line)
    };
    let line_a = place("line_a", data.line_a)?;
    let line_b = data.line_b.map(|line| place("line_b", line)).transpose()?;
    if line_b == Some(line_a) {
        // Two groups may share a port; two unicast receivers cannot.
        notices.push(format!("line B would be {line_a} too: left out"));
        return Ok((line_a, None));
    }
    Ok((line_a, line_b))
}

/// A port that a receiver of `line` will find free. Somebody else may take it before; nothing but
/// the receiver itself could hold it.
fn free_port(line: SocketAddrV4, interface: Ipv4Addr) -> std::io::Result<u16> {
    let socket =
        if line.ip().is_multicast() { Socket::join(line, interface)? } else { Socket::bind(line)? };
    Ok(socket.local_address().port())
}
