//! An exchange and an engine to be: the built-in configurations with addresses of the lab's own.

use crate::host::Host;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

const INSTRUMENTS: [(&str, &str); 2] = [
    ("demo.toml", include_str!("../../../config/instruments/demo.toml")),
    ("arl.toml", include_str!("../../../config/instruments/arl.toml")),
];
const PROFILE: &str = include_str!("../../../config/venues/demo.toml");
const ENGINE: &str = include_str!("../../../config/demo.toml");
const EXCHANGE: &str = include_str!("../../../config/exchange.toml");
const ENGINE_ARL: &str = include_str!("../../../config/arl.toml");
const EXCHANGE_ARL: &str = include_str!("../../../config/exchange-arl.toml");
/// Behind every engine's configuration: no CPU of its own, small segments so that they rotate.
const ENGINE_TAIL: &str = "\n[cores]\npin = false\n\n[journal]\nsegment_bytes = 1_048_576\n";

/// Fills and net position by symbol, of instruments that were ever traded.
pub(crate) type Positions = BTreeMap<String, (u64, i64)>;

/// Folder and addresses of one test.
pub(crate) struct Lab {
    root: TempDir,
    hot: TempDir,
    /// Where the engine listens to lines A and B.
    pub(crate) heard: [SocketAddrV4; 2],
    /// Where the exchange sends lines A and B to.
    pub(crate) sent: [SocketAddrV4; 2],
    /// Where orders go.
    pub(crate) fix: SocketAddrV4,
    starts: Cell<u32>,
}

/// A loopback address that no other test and no other program uses: ports cannot collide.
fn own_address() -> Ipv4Addr {
    static LABS: AtomicU32 = AtomicU32::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let lab = u8::try_from(LABS.fetch_add(1, Ordering::Relaxed)).unwrap();
    Ipv4Addr::new(127, 100 + lab, high, low.max(1))
}

fn udp(address: Ipv4Addr) -> SocketAddrV4 {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    SocketAddrV4::new(address, socket.local_addr().unwrap().port())
}

fn tcp(address: Ipv4Addr) -> SocketAddrV4 {
    let socket = TcpListener::bind((address, 0)).unwrap();
    SocketAddrV4::new(address, socket.local_addr().unwrap().port())
}

/// Replaces what must be there.
pub(crate) fn changed(text: &str, changes: &[(&str, String)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the configuration any more");
        text.replace(from, to)
    })
}

impl Lab {
    /// Synthetic flow at some times its usual rate.
    pub(crate) fn synthetic(rate: u32) -> Lab {
        let lab = Lab::empty(false);
        let flow = format!("parameters = \"default\"\nrate = {rate}");
        lab.write(ENGINE, "engine", EXCHANGE, "exchange");
        lab.change("exchange.toml", &[("parameters = \"default\"", flow)]);
        lab
    }

    /// The recorded ARL day.
    pub(crate) fn arl() -> Lab {
        let lab = Lab::empty(false);
        lab.write(ENGINE_ARL, "engine-arl", EXCHANGE_ARL, "exchange-arl");
        lab
    }

    /// As [`Lab::synthetic`], with a relay to be between the exchange's lines and the engine's.
    pub(crate) fn relayed(rate: u32) -> Lab {
        let lab = Lab::empty(true);
        let flow = format!("parameters = \"default\"\nrate = {rate}");
        lab.write(ENGINE, "engine", EXCHANGE, "exchange");
        lab.change("exchange.toml", &[("parameters = \"default\"", flow)]);
        lab
    }

    fn empty(relayed: bool) -> Lab {
        let address = own_address();
        let lines = || [udp(address), udp(address)];
        let heard = lines();
        let sent = if relayed { lines() } else { heard };
        let root = tempfile::tempdir().unwrap();
        let hot = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Lab { root, hot, heard, sent, fix: tcp(address), starts: Cell::new(0) }
    }

    fn write(&self, engine: &str, engine_data: &str, exchange: &str, exchange_data: &str) {
        let folder = self.dir().join("instruments");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in INSTRUMENTS {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let folder = self.dir().join("venues");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("demo.toml"), PROFILE).unwrap();
        let retransmit = udp(*self.fix.ip()).to_string();
        let common = |lines: [SocketAddrV4; 2], data: &str, own: &str| {
            vec![
                ("239.192.77.1:31001", lines[0].to_string()),
                ("239.192.77.2:31002", lines[1].to_string()),
                ("127.0.0.1:31003", retransmit.clone()),
                ("127.0.0.1:9880", self.fix.to_string()),
                (Box::leak(format!("touchline-data/{data}").into_boxed_str()), own.to_owned()),
            ]
        };
        let reconnect = "target_comp_id = \"EXCHANGE\"";
        let transport = "[transport]\nreconnect_ms = 50";
        let mut changes = common(self.heard, engine_data, "engine");
        changes.push((reconnect, format!("{reconnect}\n\n{transport}")));
        let hot = self.hot.path().display();
        let engine = changed(engine, &changes) + ENGINE_TAIL + &format!("hot_dir = \"{hot}\"\n");
        std::fs::write(self.dir().join("engine.toml"), engine).unwrap();
        let mut changes = common(self.sent, exchange_data, "exchange");
        changes.push(("data_dir = ", "core = \"none\"\ndata_dir = ".to_owned()));
        let exchange = changed(exchange, &changes);
        std::fs::write(self.dir().join("exchange.toml"), exchange).unwrap();
    }

    /// Changes one of the configurations.
    pub(crate) fn change(&self, file: &str, changes: &[(&str, String)]) {
        let path = self.dir().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, changed(&text, changes)).unwrap();
    }

    /// The lab's folder.
    pub(crate) fn dir(&self) -> &Path {
        self.root.path()
    }

    /// The engine's journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.dir().join("engine/journal")
    }

    /// Where the journal's hot tail is.
    pub(crate) fn hot(&self) -> &Path {
        self.hot.path()
    }

    fn start(&self, args: &[&str]) -> Host {
        self.starts.set(self.starts.get() + 1);
        let output = format!("{}-{}.out", args[0], self.starts.get());
        Host::start(self.dir(), &output, args)
    }

    /// Starts the engine.
    pub(crate) fn engine(&self) -> Host {
        self.start(&["run", "engine.toml"])
    }

    /// Starts the exchange.
    pub(crate) fn exchange(&self, args: &[&str]) -> Host {
        self.start(&[&["exchange", "exchange.toml"], args].concat())
    }

    /// Name of the market data session that the exchange is in, once it has said something in it.
    pub(crate) fn session(&self) -> Option<String> {
        let state = std::fs::read_to_string(self.dir().join("exchange/exchange.toml")).ok()?;
        let state: toml::Table = state.parse().ok()?;
        let session = state["session"].as_str()?.to_owned();
        let messages = std::fs::metadata(self.messages(&session)).ok()?;
        (messages.len() > 0).then_some(session)
    }

    /// The file with every message of a market data session.
    pub(crate) fn messages(&self, session: &str) -> PathBuf {
        self.dir().join(format!("exchange/{session}.itch"))
    }
}

/// Positions in an engine's report: a table with a row for each instrument.
pub(crate) fn engine_positions(report: &str) -> Positions {
    // A book may have no mid at the end: that is one cell like any other.
    let report = report.replace("no mark", "none");
    let rows = report.lines().skip_while(|line| !line.starts_with("instrument "));
    let rows = rows.skip(1).take_while(|line| line.split_whitespace().count() == 8);
    let number = |cell: &str| cell.replace(',', "").parse::<i64>().unwrap();
    let rows = rows.map(|line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        (cells[0].to_owned(), (number(cells[1]).unsigned_abs(), number(cells[2])))
    });
    rows.filter(|(_, (fills, _))| *fills > 0).collect()
}

/// Positions in an exchange's report: `TLA: net 100, 3 fills, …`.
pub(crate) fn exchange_positions(report: &str) -> Positions {
    let lines = report.lines().filter_map(|line| line.trim().split_once(": net "));
    let lines = lines.map(|(symbol, rest)| {
        let mut cells = rest.split([',', ' ']).filter(|cell| !cell.is_empty());
        let net: i64 = cells.next().unwrap().parse().unwrap();
        (symbol.to_owned(), (cells.next().unwrap().parse().unwrap(), net))
    });
    lines.collect()
}
