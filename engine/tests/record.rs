//! `touchline record` as a user runs it, against the demo exchange on loopback: what is in the file is
//! what the exchange published, also when the recorder is killed.

use engine::config::{Core, ExchangeChanges, ExchangeConfig};
use engine::pipeline::exchange::running::{Exchange, Options as Fresh, RunningExchange};
use engine::runtime::clock;
use feeds::moldudp64::{Packet, Request, Session};
use feeds::recording::{Options, Source, Unit, Wanted, open, open_bytes};
use market::{Event, EventFlags, EventKind, Instrument, Said, SideEntry, Timestamp};
use rustix::process::{Pid, Signal, kill_process};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use wire::udp::Socket;

fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..60_000 {
        if let Some(value) = attempt() {
            return value;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("nothing came: {what}");
}

/// The exchange, what it lists, and a configuration whose feed is its market data.
struct Lab {
    folder: tempfile::TempDir,
    exchange: RunningExchange,
    instruments: Vec<Instrument>,
    config: PathBuf,
    session: Session,
}

impl Lab {
    fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let mut venue = ExchangeConfig::demo(&ExchangeChanges::default(), &[0].into()).unwrap();
        venue.exchange.data_dir = folder.path().join("exchange");
        venue.exchange.core = Core::None;
        venue.synthetic.rate = 8.into();
        venue.fix.listen.set_port(0);
        venue.market_data.line_a.set_port(0);
        venue.market_data.line_b.as_mut().unwrap().set_port(0);
        venue.market_data.retransmit.set_port(0);
        let instruments = venue.instruments.iter().map(|one| one.instrument.clone()).collect();
        let (clock, _calibrator) = clock::calibrate();
        let exchange = Exchange::start(&venue, Fresh::default(), clock).unwrap();
        let (config, session) = (folder.path().join("run.toml"), session_of(&exchange));
        let at = exchange.addresses;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
        let text = std::fs::read_to_string(root.join("demo.toml")).unwrap();
        let text = text
            .replace("instruments/demo.toml", root.join("instruments/demo.toml").to_str().unwrap())
            .replace("venues/demo.toml", root.join("venues/demo.toml").to_str().unwrap())
            .replace("239.192.77.1:31001", &at.line_a.to_string())
            .replace("239.192.77.2:31002", &at.line_b.unwrap().to_string())
            .replace("127.0.0.1:31003", &at.retransmit.to_string());
        std::fs::write(&config, text).unwrap();
        Lab { folder, exchange, instruments, config, session }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn record(&self, out: &Path, more: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_touchline"))
            .arg("record")
            .args([&self.config, out])
            .args(more)
            .current_dir(self.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What the exchange has published so far, by its own answers to requests, as a BinaryFILE.
    fn published(&self) -> Vec<u8> {
        let (count, server) = (self.exchange.report().messages, self.exchange.addresses.retransmit);
        let asking = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        asking.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let (mut file, mut next, mut answer) = (Vec::new(), 1, [0; 2_048]);
        eventually("the whole day", || {
            let request = Request { session: self.session, sequence: next, count: 1_000 };
            asking.send_to(&request.to_bytes(), server).unwrap();
            let (length, _) = asking.recv_from(&mut answer).ok()?;
            let packet = Packet::parse(&answer[..length]).unwrap();
            if packet.sequence == next {
                for message in packet.messages() {
                    file.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
                    file.extend(message);
                    next += 1;
                }
            }
            (next > count).then_some(())
        });
        file
    }

    /// The events of that, once it is so many: the exchange counts a moment after it publishes.
    fn events_published(&self, count: usize) -> Vec<Event> {
        eventually("its own count", || Some(self.events()).filter(|all| all.len() >= count))
    }

    /// The reasons of statuses in that, which all stand at its beginning.
    fn statuses_published(&self) -> Vec<SideEntry> {
        self.read_published().1
    }

    fn events(&self) -> Vec<Event> {
        self.read_published().0
    }

    fn read_published(&self) -> (Vec<Event>, Vec<SideEntry>) {
        let bytes = self.published();
        let wanted = Wanted::Only(self.instruments.clone());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let midnight = now.as_secs() / 86_400 * 86_400 * 1_000_000_000;
        let day = Some(Timestamp::from_nanos(midnight));
        let options = Options { wanted, day, ..Options::default() };
        let mut recording = open_bytes(&bytes, options).unwrap();
        let (mut unit, mut events, mut statuses) = (Unit::default(), Vec::new(), Vec::new());
        while recording.next_unit(&mut unit).unwrap() {
            events.extend(unit.events.iter().map(bare));
            statuses.extend(unit.side.iter().filter(|entry| is_status(entry)).cloned());
        }
        events.retain(|event| event.kind() != Some(EventKind::Entry));
        (events, statuses)
    }
}

/// The session that the exchange publishes.
fn session_of(exchange: &RunningExchange) -> Session {
    let line = exchange.addresses.line_a;
    let socket = match line.ip().is_multicast() {
        true => Socket::join(line, Ipv4Addr::LOCALHOST).unwrap(),
        false => Socket::bind(line).unwrap(),
    };
    let (mut io, mut bytes) = (wire::open(wire::Backend::Plain).unwrap().io, [0; 2_048]);
    let got = eventually("a packet", || io.recv_datagram(socket.as_fd(), &mut bytes).unwrap());
    Packet::parse(&bytes[..got.len]).unwrap().session
}

/// An event without what differs between a file and a feed.
fn bare(event: &Event) -> Event {
    let flags = EventFlags(event.flags.0 & !EventFlags::LAST.0);
    Event { received: 0, decoded: 0, flags, ..*event }
}

fn is_status(entry: &SideEntry) -> bool {
    matches!(entry.said, Said::Status(_))
}

/// What is in a file.
struct Read {
    events: Vec<Event>,
    definitions: Vec<String>,
    /// Entries of statuses, with their times and instruments.
    statuses: Vec<SideEntry>,
    cut: bool,
    /// Receive times of its units.
    times: Vec<Timestamp>,
}

fn read(path: &Path) -> Read {
    let mut recording = open(&Source::file(path), Options::default()).unwrap();
    let mut read = Read {
        events: Vec::new(),
        definitions: Vec::new(),
        statuses: Vec::new(),
        cut: false,
        times: Vec::new(),
    };
    let mut unit = Unit::default();
    while recording.next_unit(&mut unit).unwrap() {
        read.events.extend(unit.events.iter().map(bare));
        read.times.push(unit.received);
        for entry in &unit.side {
            if let Said::Definition(definition) = &entry.said {
                read.definitions.push(definition.symbol.clone());
            }
            read.statuses.extend(is_status(entry).then(|| entry.clone()));
        }
    }
    let (log, symbols) = (recording.log(), recording.instruments().all());
    assert_eq!((log.damaged().0, log.gaps().0), (0, 0));
    assert_eq!(
        symbols.iter().map(|known| &known.symbol).collect::<Vec<_>>(),
        ["TLA", "TLB", "TLC", "TLD", "TLE"]
    );
    read.cut = log.is_cut().is_some();
    read
}

/// What a file says that it is from.
fn from(path: &Path) -> String {
    open(&Source::file(path), Options::default()).unwrap().describe().version
}

/// The market's own events: not what the feed has to say of itself.
fn of_market(events: &[Event]) -> Vec<Event> {
    let own = [EventKind::Gap, EventKind::Recovered, EventKind::Entry, EventKind::Reset];
    let kept = |event: &&Event| !own.contains(&event.kind().unwrap());
    events.iter().filter(kept).copied().collect()
}

fn assert_begins(all: &[Event], part: &[Event]) {
    for (at, (one, other)) in all.iter().zip(part).enumerate() {
        assert_eq!(one, other, "event {at}");
    }
}

fn ended(child: Child) -> (i32, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

fn bytes_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

#[test]
fn what_is_recorded_is_what_was_published_and_a_kill_costs_little() {
    let lab = Lab::new();

    // Killed in the middle: what is there reads back.
    let killed = lab.path("killed.events");
    let mut child = lab.record(&killed, &[]);
    eventually("some blocks", || {
        assert_eq!(child.try_wait().unwrap(), None);
        (bytes_of(&killed) > 20_000).then_some(())
    });
    let there = bytes_of(&killed);
    child.kill().unwrap();
    child.wait().unwrap();
    let found = read(&killed);
    assert!(found.cut && bytes_of(&killed) >= there);
    let events = of_market(&found.events);
    assert!(events.len() > 100, "{}", events.len());
    assert_begins(&lab.events_published(events.len()), &events);
    // Converted, it is whole.
    let (whole, touchline) = (lab.path("whole.events"), env!("CARGO_BIN_EXE_touchline"));
    let converted =
        Command::new(touchline).arg("convert").args([&killed, &whole]).output().unwrap();
    assert!(converted.status.success());
    let again = read(&whole);
    assert!(!again.cut && again.events == found.events && again.times == found.times);

    // Ended by a signal: whole, from the session's beginning, in order of arrival.
    let file = lab.path("day.events");
    let child = lab.record(&file, &[]);
    eventually("as much again", || (bytes_of(&file) > 2 * there).then_some(()));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let (code, out, err) = ended(child);
    assert_eq!(code, 0, "{out}{err}");
    let found = read(&file);
    assert!(!found.cut && found.times.is_sorted() && found.times[0] > Timestamp::ZERO);
    // As configured, and as the venue says.
    let symbols = ["TLA", "TLB", "TLC", "TLD", "TLE"];
    assert_eq!(found.definitions, [symbols, symbols].concat());
    assert!(found.statuses.len() >= symbols.len());
    assert_eq!(found.statuses, lab.statuses_published());
    let events = of_market(&found.events);
    assert!(events.iter().any(|event| event.kind() == Some(EventKind::Add)));
    assert_begins(&lab.events_published(events.len()), &events);
    let count = |kind| found.events.iter().filter(|event| event.kind() == Some(kind)).count();
    // It came late and asked; the signal may have come while it did.
    let open = count(EventKind::Gap).checked_sub(count(EventKind::Recovered));
    assert!(open.is_some_and(|open| open <= 1), "{open:?}");
    assert!(out.contains(" events in "), "{out}");
    assert!(err.contains("recording itch50-moldudp64: "), "{err}");

    // A file that is there is kept, and a bound is kept.
    let before = std::fs::read(&file).unwrap();
    let (code, _, err) = ended(lab.record(&file, &[]));
    assert_eq!(code, 4);
    assert!(err.contains("cannot make") && err.contains("day.events"), "{err}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let second = lab.path("second.events");
    let (code, out, _) = ended(lab.record(&second, &["--for", "1"]));
    assert_eq!(code, 0, "{out}");
    assert!(!read(&second).cut);
    assert_eq!(from(&second), "from live itch50-moldudp64 of demo-exchange");

    lab.exchange.stop();
    lab.exchange.join().unwrap();
}

#[test]
fn a_feed_that_cannot_be_had_is_said_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there any more.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let text = std::fs::read_to_string(root.join("demo.toml")).unwrap();
    let (start, end) = (text.find("[feed]\n").unwrap(), text.find("[gateway]\n").unwrap());
    let feed = format!(
        "[feed]\nprotocol = \"kraken-websocket\"\nstale_ms = 10000\n\n[websocket]\n\
         address = \"{address}\"\nshows_own_orders = false\n\n\
         [websocket_transport]\nreconnect_ms = 5\nreconnect_max_ms = 20\n\n"
    );
    let text = [&text[..start], &feed, &text[end..]]
        .concat()
        .replace("instruments/demo.toml", root.join("instruments/demo.toml").to_str().unwrap())
        .replace("venues/demo.toml", root.join("venues/demo.toml").to_str().unwrap());
    std::fs::write(folder.path().join("run.toml"), text).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_touchline"))
        .args(["record", "run.toml", "out.events", "--for", "2"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (code, out, err) = ended(child);
    assert_eq!(code, 4, "{out}{err}");
    let said = err.lines().filter(|line| line.starts_with("feed: ")).collect::<Vec<_>>();
    assert!(said.iter().any(|line| line.contains("refused")), "{err}");
    assert!(err.contains("error: no market data came"), "{err}");
    assert!(out.contains("books not whole for some time: "), "{out}{err}");
    let path = folder.path().join("out.events");
    assert_eq!(from(&path), "from live kraken-websocket of 127.0.0.1");
}

#[test]
fn a_full_disk_and_a_wrong_configuration_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let touchline = |arguments: &[&str]| {
        let child = Command::new(env!("CARGO_BIN_EXE_touchline"))
            .arg("record")
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        ended(child)
    };
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let exchange = config.join("exchange.toml");
    let (code, _, err) = touchline(&[exchange.to_str().unwrap(), "out.events"]);
    assert_eq!(code, 3, "{err}");
    assert!(!folder.path().join("out.events").exists());
    // A file of at most one byte is a disk that is full at once.
    let run = config.join("demo.toml");
    let script = format!(
        "ulimit -f 0; exec {} record {} out.events --for 1",
        env!("CARGO_BIN_EXE_touchline"),
        run.display()
    );
    let child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (code, _, err) = ended(child);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("out.events: what was written before can be read"), "{err}");
    assert!(err.contains("File too large"), "{err}");
}
