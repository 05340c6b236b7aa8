//! The connector: an unpinned thread that resolves names, connects and shakes hands, so that no
//! polled core ever waits. It hands over links that are ready to use.

use crate::config::{Endpoint, TransportConfig};
use anyhow::Context as _;
use crossbeam::queue::ArrayQueue;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use thiserror::Error;
use wire::Link;
use wire::tcp::{Options, connect_with};
use wire::tls::{Client, HandshakeError, Settings};

/// How often the thread looks whether it is still needed.
const LOOK: Duration = Duration::from_millis(200);
/// Addresses of one name that an attempt tries.
const ADDRESSES_MAX: usize = 16;
/// Wait for one address, where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whom to connect to, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    host: String,
    port: u16,
    options: Options,
    /// For TCP, and again for the handshake.
    timeout: Duration,
    tls: Option<Client>,
    keys: Keys,
}

/// Where the configuration says how to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The key of the address.
    pub address: &'static str,
    /// The section of the transport.
    pub transport: &'static str,
}

/// Those of the order session.
const ORDERS: Keys = Keys { address: "[gateway] address", transport: "[transport]" };

impl Plan {
    /// TCP alone to `host`:`port`.
    #[must_use]
    pub fn plain(host: String, port: u16) -> Plan {
        let (options, timeout) = (Options::default(), TIMEOUT);
        Plan { host, port, options, timeout, tls: None, keys: ORDERS }
    }

    /// As the configuration says. Reads the file of trusted roots.
    ///
    /// # Errors
    /// The key that cannot be followed, and why.
    pub fn new(venue: &Endpoint, transport: &TransportConfig) -> anyhow::Result<Plan> {
        Plan::by(ORDERS, venue, transport)
    }

    /// As [`new`](Self::new), where other keys of the configuration say it.
    ///
    /// # Errors
    /// The key that cannot be followed, and why.
    pub fn by(keys: Keys, venue: &Endpoint, transport: &TransportConfig) -> anyhow::Result<Plan> {
        let mut plan = Plan::plain(venue.host.clone(), venue.port);
        plan.keys = keys;
        plan.timeout = Duration::from_nanos(transport.connect_timeout_ms.get());
        plan.options.source = transport.source_address;
        plan.options.busy_poll_us = transport.busy_poll_us;
        plan.options.kernel_times = transport.kernel_stamps;
        let Some(minimum) = transport.minimum() else { return Ok(plan) };
        let (key, pem) = match &transport.trust {
            None => (format!("{} tls", keys.transport), None),
            Some(file) => {
                let key = format!("{} trust = {}", keys.transport, file.display());
                let pem = std::fs::read(file).with_context(|| key.clone())?;
                (key, Some(pem))
            }
        };
        let settings = Settings {
            minimum,
            server_name: transport.name(venue),
            trust: pem.as_deref(),
            pin: transport.pin_sha256,
        };
        plan.tls = Some(Client::new(&settings).context(key)?);
        Ok(plan)
    }

    /// One attempt: the first address that connects is the one that counts, so that the venue sees
    /// one connection at most.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn attempt(&self, stop: &AtomicBool) -> Result<Link, ConnectError> {
        let (host, keys) = (|| self.host.clone(), self.keys);
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let found = found.map_err(|error| ConnectError::Resolve { host: host(), error, keys })?;
        let source = self.options.source;
        let reachable =
            |address: &SocketAddr| source.is_none_or(|from| from.is_ipv4() == address.is_ipv4());
        let mut last = ConnectError::NoAddress { host: host(), ours: source, keys };
        for address in found.filter(reachable).take(ADDRESSES_MAX) {
            if stop.load(Ordering::Acquire) {
                break;
            }
            let stream = match connect_with(address, self.timeout, &self.options) {
                Ok(stream) => stream,
                Err(error) => {
                    last = ConnectError::Connect { host: host(), address, error, keys };
                    continue;
                }
            };
            let Some(tls) = &self.tls else { return Ok(Link::plain(stream)) };
            let link = tls.handshake(stream, self.timeout);
            return link.map_err(|error| ConnectError::Handshake { host: host(), address, error });
        }
        Err(last)
    }
}

/// Why there is no connection: the host, the step, and what to change.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The name leads nowhere.
    #[error("{host} cannot be resolved ({error}): check {} and the host's resolver", keys.address)]
    Resolve {
        /// Whose name.
        host: String,
        /// What the resolver says.
        error: io::Error,
        /// What to check.
        keys: Keys,
    },
    /// The name has no address that can be reached from the source address.
    #[error("{host} has no address{}", reach(ours.as_ref(), *keys))]
    NoAddress {
        /// Whose name.
        host: String,
        /// Our end, if it is given.
        ours: Option<IpAddr>,
        /// What to check.
        keys: Keys,
    },
    /// TCP does not connect.
    #[error("no connection to {host} at {address} ({error}): {}", remedy(error, *keys))]
    Connect {
        /// Whose name.
        host: String,
        /// The last address tried.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
        /// What to check.
        keys: Keys,
    },
    /// TLS is refused, by one of the two.
    #[error("no TLS with {host} at {address}: {error}")]
    Handshake {
        /// Whose name.
        host: String,
        /// The address that connected.
        address: SocketAddr,
        /// Who refuses and why.
        error: HandshakeError,
    },
}

fn reach(ours: Option<&IpAddr>, keys: Keys) -> String {
    let Keys { address, transport } = keys;
    match ours {
        Some(ours) => format!(
            " that can be reached from {ours}: {transport} source_address is of another family"
        ),
        None => format!(": check {address}"),
    }
}

fn remedy(error: &io::Error, keys: Keys) -> String {
    let Keys { address, transport } = keys;
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "check the port, and whether the venue is open".to_owned()
        }
        io::ErrorKind::TimedOut => format!(
            "check the way there and whether the venue lets this address in, or raise {transport} \
             connect_timeout_ms"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("{transport} source_address must be this host's own")
        }
        _ => format!("check {address} and the way there"),
    }
}

#[derive(Default)]
struct Wanted {
    connect: AtomicBool,
    stop: AtomicBool,
}

/// The gateway stage's side.
pub struct Connector {
    wanted: Arc<Wanted>,
    results: Arc<ArrayQueue<Result<Link, ConnectError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Connector {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread is to be had.
    pub fn spawn(plan: Plan) -> io::Result<Connector> {
        let wanted = Arc::new(Wanted::default());
        let results = Arc::new(ArrayQueue::new(1));
        let (flags, out) = (wanted.clone(), results.clone());
        let thread = thread::Builder::new().name("connector".into()).spawn(move || {
            while !flags.stop.load(Ordering::Acquire) {
                if flags.connect.swap(false, Ordering::AcqRel) {
                    let _ = out.push(plan.attempt(&flags.stop));
                } else {
                    thread::park_timeout(LOOK);
                }
            }
        })?;
        Ok(Connector { wanted, results, thread: Some(thread) })
    }

    /// Asks for one attempt.
    pub fn request(&self) {
        self.wanted.connect.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// The outcome of the last attempt, once.
    #[must_use]
    pub fn take(&self) -> Option<Result<Link, ConnectError>> {
        self.results.pop()
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        self.wanted.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // An attempt in progress ends with its time-out at the latest.
            let _ = thread.join();
        }
    }
}
