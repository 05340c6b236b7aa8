//! The two ways to the acceptor: its core in memory and virtual time, and `touchline exchange` as a
//! process over loopback TCP.

use engine::config::{ExchangeChanges, ExchangeConfig};
use engine::pipeline::exchange::{ExchangeCore, Net};
use gateway::session::Outbound;
use market::{Nanos, Timestamp};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What comes of a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Bytes(Vec<u8>),
    Closed,
    Nothing,
}

/// A way to the acceptor.
pub(crate) trait Lines {
    fn now(&self) -> Timestamp;
    fn connect(&mut self, connection: usize);
    fn send(&mut self, connection: usize, bytes: &[u8]);
    /// Waits until something comes, in the time of this way; not forever.
    fn wait(&mut self, connection: usize) -> Came;
    fn hang_up(&mut self, connection: usize);
}

/// The configuration of the acceptor for a version, in `folder`, on ports that are free.
pub(crate) fn config(
    folder: &Path,
    version: &str,
    account: &str,
) -> (std::path::PathBuf, SocketAddr) {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let udp: Vec<SocketAddr> = (0..3)
        .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
        .collect::<Vec<_>>()
        .iter()
        .map(|socket| socket.local_addr().unwrap())
        .collect();
    let text = include_str!("../../../config/exchange-echo.toml")
        .replace("239.192.77.1:31001", &udp[0].to_string())
        .replace("239.192.77.2:31002", &udp[1].to_string())
        .replace("127.0.0.1:31003", &udp[2].to_string())
        .replace("127.0.0.1:9880", &tcp.to_string())
        .replace(
            "\"touchline-data/exchange-echo\"",
            &format!("{:?}\ncore = \"none\"", folder.join("data")),
        )
        .replace("FIX.4.4", version)
        .replace("TW44", account);
    std::fs::create_dir_all(folder.join("instruments")).unwrap();
    let instruments = include_str!("../../../config/instruments/demo.toml");
    std::fs::write(folder.join("instruments/demo.toml"), instruments).unwrap();
    let path = folder.join("exchange.toml");
    std::fs::write(&path, text).unwrap();
    (path, tcp)
}

/// Most connections of a script.
const CONNECTIONS: usize = 4;
/// Longest virtual wait, and its steps.
const PATIENCE: Nanos = Nanos::from_secs(60);
const STEP: Nanos = Nanos::from_millis(10);

/// The acceptor's core in virtual time.
pub(crate) struct InMemory {
    core: ExchangeCore,
    net: Pipes,
    now: Timestamp,
    /// Place of each connection of the script, and what it sent that was not taken.
    places: BTreeMap<usize, (usize, Vec<u8>)>,
}

struct Pipes {
    bytes: Vec<Vec<u8>>,
    cut: Vec<bool>,
}

impl Net for Pipes {
    fn client(&mut self, connection: usize) -> &mut dyn Outbound {
        &mut self.bytes[connection]
    }

    fn cut(&mut self, connection: usize) {
        self.cut[connection] = true;
    }

    fn packet(&mut self, _: &[u8]) {}
}

impl InMemory {
    pub(crate) fn open(path: &Path) -> InMemory {
        let config = ExchangeConfig::load(path, &ExchangeChanges::default(), &[0].into());
        let config = config.unwrap_or_else(|errors| panic!("{}", errors.render(false)));
        let now = Timestamp::from_nanos(1_752_758_200_000_000_000);
        let core = ExchangeCore::open(&config, true, CONNECTIONS, now).unwrap();
        let net = Pipes { bytes: vec![Vec::new(); CONNECTIONS], cut: vec![false; CONNECTIONS] };
        InMemory { core, net, now, places: BTreeMap::new() }
    }

    /// Gives the core what a connection sent and it did not take yet.
    fn deliver(&mut self, connection: usize) {
        let InMemory { core, net, now, places } = self;
        let Some((place, input)) = places.get_mut(&connection) else { return };
        while !net.cut[*place] && !input.is_empty() {
            let took = core.receive(*place, *now, input, net);
            input.drain(..took);
            if took == 0 {
                break;
            }
        }
    }
}

impl Lines for InMemory {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn connect(&mut self, connection: usize) {
        let place = self.core.connect(self.now).expect("a place for the connection");
        self.net.bytes[place].clear();
        self.net.cut[place] = false;
        self.places.insert(connection, (place, Vec::new()));
    }

    fn send(&mut self, connection: usize, bytes: &[u8]) {
        if let Some((_, input)) = self.places.get_mut(&connection) {
            input.extend_from_slice(bytes);
        }
        self.deliver(connection);
    }

    fn wait(&mut self, connection: usize) -> Came {
        let until = self.now.after(PATIENCE);
        while self.now < until {
            let Some(&(place, _)) = self.places.get(&connection) else { return Came::Closed };
            if !self.net.bytes[place].is_empty() {
                return Came::Bytes(std::mem::take(&mut self.net.bytes[place]));
            }
            if self.net.cut[place] {
                self.places.remove(&connection);
                return Came::Closed;
            }
            self.now = self.now.after(STEP);
            self.core.poll(self.now, &mut self.net);
            self.deliver(connection);
        }
        Came::Nothing
    }

    fn hang_up(&mut self, connection: usize) {
        if let Some((place, _)) = self.places.remove(&connection) {
            self.core.disconnected(place, self.now, &mut self.net);
        }
    }
}

/// Longest wait on a socket.
const SOCKET_PATIENCE: Duration = Duration::from_secs(20);

/// `touchline exchange` as a process.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    streams: BTreeMap<usize, TcpStream>,
}

impl Process {
    pub(crate) fn start(path: &Path, address: SocketAddr) -> Process {
        let child = Command::new(env!("CARGO_BIN_EXE_touchline"))
            .arg("exchange")
            .arg(path)
            .current_dir(path.parent().unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process { child, address, streams: BTreeMap::new() };
        let until = Instant::now() + SOCKET_PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "the exchange does not listen at {address}");
            std::thread::sleep(Duration::from_millis(5));
        }
        process
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Lines for Process {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_nanos(u64::try_from(since.as_nanos()).unwrap())
    }

    fn connect(&mut self, connection: usize) {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOCKET_PATIENCE)).unwrap();
        self.streams.insert(connection, stream);
    }

    fn send(&mut self, connection: usize, bytes: &[u8]) {
        if let Some(stream) = self.streams.get_mut(&connection) {
            // It may be closed already: the next wait tells.
            let _ = stream.write_all(bytes);
        }
    }

    fn wait(&mut self, connection: usize) -> Came {
        let Some(stream) = self.streams.get_mut(&connection) else { return Came::Closed };
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer) {
            Ok(0) => Came::Closed,
            Ok(count) => Came::Bytes(buffer[..count].to_vec()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Came::Closed,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Came::Nothing,
            Err(error) => panic!("{error}"),
        }
    }

    fn hang_up(&mut self, connection: usize) {
        self.streams.remove(&connection);
    }
}
