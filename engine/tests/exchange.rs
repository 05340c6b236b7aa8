//! The demo exchange on its thread, over loopback sockets.

use engine::config::{ExchangeChanges, ExchangeConfig};
use engine::pipeline::exchange::running::{Exchange, Options, RunningExchange};
use engine::runtime::clock::{self, Clock};
use feeds::moldudp64::{Packet, PacketKind, Request};
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::session::{MemoryStore, Reset, Session, SessionConfig};
use market::{Command, Instrument, InstrumentId, OrderId, Qty, Report, ReportKind, Side};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;
use wire::udp::Socket;

/// Ephemeral ports everywhere, on loopback.
fn config(folder: &Path) -> ExchangeConfig {
    let changes = ExchangeChanges::default();
    let mut config = ExchangeConfig::demo(&changes, &[0].into()).unwrap();
    config.exchange.data_dir = folder.to_owned();
    config.exchange.core = engine::config::Core::None;
    config.fix.listen.set_port(0);
    config.market_data.line_a.set_port(0);
    config.market_data.line_b.as_mut().unwrap().set_port(0);
    config.market_data.retransmit.set_port(0);
    config
}

fn instruments(config: &ExchangeConfig) -> Vec<Instrument> {
    config.instruments.iter().map(|listed| listed.instrument.clone()).collect()
}

fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..20_000 {
        if let Some(value) = attempt() {
            return value;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("nothing came");
}

/// A client over a blocking socket with short waits.
struct Client {
    stream: TcpStream,
    session: Session<MemoryStore>,
    entry: OrderEntry,
    reports: Vec<Report>,
    input: Vec<u8>,
    clock: Clock,
}

impl Client {
    fn connect(running: &RunningExchange, instruments: &[Instrument], clock: Clock) -> Client {
        let stream = TcpStream::connect(running.addresses.fix).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let config = SessionConfig {
            reset_on_logon: Reset::WhenNew,
            ..SessionConfig::initiator("TOUCHLINE", "EXCHANGE")
        };
        let mut client = Client {
            stream,
            session: Session::new(config, MemoryStore::new(1_000, 1 << 20)).unwrap(),
            entry: OrderEntry::new(Instruments::new(instruments).unwrap(), 64, Dialect::default()),
            reports: Vec::new(),
            input: Vec::new(),
            clock,
        };
        let mut out = Vec::new();
        client.session.connected(client.clock.now(), &mut out).unwrap();
        client.stream.write_all(&out).unwrap();
        client
    }

    fn send(&mut self, command: &Command) {
        let mut out = Vec::new();
        self.entry.send(&mut self.session, self.clock.now(), &mut out, command).unwrap();
        self.stream.write_all(&out).unwrap();
    }

    /// Reads for a moment; false once the exchange has closed.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 4_096];
        let Ok(count) = self.stream.read(&mut bytes) else { return true };
        self.input.extend_from_slice(&bytes[..count]);
        let mut out = Vec::new();
        let Client { session, entry, reports, input, clock, .. } = self;
        let app = &mut entry.application(reports);
        let took = session.received(clock.now(), 0, input, &mut out, app);
        let took = took.unwrap_or(self.input.len());
        self.input.drain(..took);
        let _ = self.stream.write_all(&out);
        count > 0
    }

    fn wait_for(&mut self, kind: ReportKind) -> Report {
        eventually(|| {
            self.read();
            self.reports.iter().find(|report| report.kind() == Some(kind)).copied()
        })
    }
}

fn line(address: SocketAddrV4) -> Socket {
    if address.ip().is_multicast() {
        Socket::join(address, Ipv4Addr::LOCALHOST).unwrap()
    } else {
        Socket::bind(address).unwrap()
    }
}

#[test]
fn orders_and_market_data_over_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let (clock, _calibrator) = clock::calibrate();
    let running = Exchange::start(&config, Options::default(), clock.clone()).unwrap();
    let at = running.addresses;
    let lines = [line(at.line_a), line(at.line_b.unwrap())];
    let mut io = wire::open(wire::Backend::Plain).unwrap().io;
    let mut bytes = [0; 2_048];

    // Both lines carry the same packets.
    let mut next = |line: &Socket| loop {
        let got = eventually(|| io.recv_datagram(line.as_fd(), &mut bytes).unwrap());
        let packet = Packet::parse(&bytes[..got.len]).unwrap();
        if packet.kind == PacketKind::Messages {
            return bytes[..got.len].to_vec();
        }
    };
    let mut pair = [next(&lines[0]), next(&lines[1])];
    while pair[0] != pair[1] {
        let sequence = |bytes: &[u8]| Packet::parse(bytes).unwrap().sequence;
        let behind = usize::from(sequence(&pair[0]) > sequence(&pair[1]));
        pair[behind] = next(&lines[behind]);
    }

    // The first message can be had again.
    let session = Packet::parse(&pair[0]).unwrap().session;
    let asking = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asking.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = Request { session, sequence: 1, count: 10 };
    asking.send_to(&request.to_bytes(), at.retransmit).unwrap();
    let mut answer = [0; 2_048];
    let (count, from) = asking.recv_from(&mut answer).unwrap();
    assert_eq!(from, at.retransmit.into());
    let packet = Packet::parse(&answer[..count]).unwrap();
    assert_eq!((packet.sequence, packet.messages().next().unwrap()[0]), (1, b'S'));

    // An order rests, and is canceled when its owner is gone.
    let mut client = Client::connect(&running, &instruments(&config), clock.clone());
    client.wait_for(ReportKind::SessionUp);
    let (id, price) = (OrderId(1), "1.00".parse().unwrap());
    client.send(&Command::new(id, InstrumentId(0), Side::Buy, price, Qty::from_raw(5)));
    assert_eq!(client.wait_for(ReportKind::Accepted).order, id);
    eventually(|| (running.report().accounts[0].open_orders == 1).then_some(()));
    drop(client);
    eventually(|| (running.report().accounts[0].open_orders == 0).then_some(()));

    // A stop says goodbye.
    let mut client = Client::connect(&running, &instruments(&config), clock);
    client.wait_for(ReportKind::SessionUp);
    running.stop();
    eventually(|| (!client.read()).then_some(()));
    let report = running.join().unwrap();
    assert_eq!((report.complaint.as_deref(), report.requests, report.resent), (None, 1, 10));
    assert!(report.messages > 0 && report.to_string().contains("TOUCHLINE"));
}

#[test]
fn what_cannot_be_had_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    let (clock, _calibrator) = clock::calibrate();
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    config.fix.listen = taken.local_addr().unwrap();
    let error = Exchange::start(&config, Options::default(), clock).err().unwrap();
    assert!(format!("{error:#}").starts_with("[fix] listen = 127.0.0.1:"), "{error:#}");
}
