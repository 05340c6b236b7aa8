//! TLS: a round trip through a link over TLS, beside the library's own encryption and decryption in
//! memory plus the round trip of a link without TLS, with a far side that spins.

use crate::figure::Figure;
use crate::machine::settle;
use crate::pairs::{self, Paired};
use anyhow::Context as _;
use market::Rng;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, version,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use wire::tcp::connect;
use wire::tls::{Client, Minimum, Settings};
use wire::{Backend, Io, Link, ReceiveBuffer, SendBuffer};

const PAIRS: usize = 200;
/// Round trips of a block, bytes there and back: an order and its report.
const TRIPS: usize = 300;
const ORDER: usize = 160;
const REPORT: usize = 180;
/// Up to how long the near side waits between two polls, so that the two sides are never in step.
const PAUSE_TICKS: u64 = 512;
const NAME: &str = "venue.test";
const TIMEOUT: Duration = Duration::from_secs(10);

/// The figures.
///
/// # Errors
/// What this host's sockets or the library report.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let authority = Authority::new()?;
    let mut figures = Vec::new();
    for backend in [Backend::Plain, Backend::IoUring] {
        match wire::open(backend) {
            Ok(mut opened) => {
                let paired = round_trips(opened.io.as_mut(), &authority)?;
                let beside = "rustls in memory, and without TLS";
                figures.push(
                    Figure::new(&format!("tls/1.3/{backend}"), "ns", beside, &paired)
                        .target(1.5)
                        .note(format!("{ORDER} B there, {REPORT} B back, the far side spins")),
                );
            }
            Err(error) => eprintln!("{backend} is left out: {error}"),
        }
    }
    Ok(figures)
}

/// A certificate that vouches for itself, and who shows it.
struct Authority {
    pem: String,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Authority {
    fn new() -> anyhow::Result<Authority> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([NAME.to_owned()])?.self_signed(&key)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], der)?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone())?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Authority { pem: certificate.pem(), server: server.into(), client: client.into() })
    }

    /// Our link over TLS, and the far side after its handshake.
    fn secured(&self) -> anyhow::Result<(Link, Far)> {
        let (near, mut socket) = self::connected()?;
        let mut tls = ServerConnection::new(self.server.clone())?;
        let far = std::thread::spawn(move || -> std::io::Result<_> {
            while tls.is_handshaking() || tls.wants_write() {
                tls.complete_io(&mut socket)?;
            }
            socket.set_nonblocking(true)?;
            Ok(Far { socket, tls: Some(tls) })
        });
        let settings = Settings {
            minimum: Minimum::V1_3,
            server_name: NAME,
            trust: Some(self.pem.as_bytes()),
            pin: None,
        };
        let link = Client::new(&settings)?.handshake(near, TIMEOUT)?;
        Ok((link, far.join().expect("the far side shakes hands")?))
    }
}

fn connected() -> anyhow::Result<(wire::tcp::Stream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let near = connect(listener.local_addr()?, TIMEOUT)?;
    let (far, _) = listener.accept().context("loopback accepts no connection")?;
    far.set_nodelay(true)?;
    Ok((near, far))
}

/// One who answers every order with a report, by the library's own means.
struct Far {
    socket: TcpStream,
    tls: Option<ServerConnection>,
}

impl Far {
    /// Takes what is there of an order of which `seen` bytes came; answers a whole one.
    fn turn(&mut self, seen: &mut usize) -> std::io::Result<()> {
        let mut bytes = [0; ORDER];
        let came = match &mut self.tls {
            None => self.socket.read(&mut bytes),
            Some(tls) => tls.read_tls(&mut self.socket).and_then(|_| {
                tls.process_new_packets().map_err(std::io::Error::other)?;
                tls.reader().read(&mut bytes)
            }),
        };
        match came {
            Ok(len) => *seen += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
        if *seen < ORDER {
            return Ok(());
        }
        *seen = 0;
        match &mut self.tls {
            None => self.socket.write_all(&[1; REPORT]),
            Some(tls) => {
                tls.writer().write_all(&[1; REPORT])?;
                tls.write_tls(&mut self.socket).map(|_| ())
            }
        }
    }
}

/// Whom the far side serves.
const SERVE_PLAIN: u8 = 0;
const SERVE_TLS: u8 = 1;
const STOP: u8 = 2;

fn round_trips(io: &mut dyn Io, authority: &Authority) -> anyhow::Result<Paired> {
    let (mut secured, mut far_secured) = authority.secured()?;
    let (near, socket) = connected()?;
    socket.set_nonblocking(true)?;
    let (mut plain, mut far_plain) = (Link::plain(near), Far { socket, tls: None });
    let mut memory = Memory::new(authority)?;
    let serve = AtomicU8::new(SERVE_PLAIN);
    // A transport belongs to the thread that first uses it: the near side's.
    Ok(std::thread::scope(|scope| {
        let serve = &serve;
        scope.spawn(move || {
            settle(1);
            let mut seen = 0;
            loop {
                let far = match serve.load(Ordering::Relaxed) {
                    SERVE_PLAIN => &mut far_plain,
                    SERVE_TLS => &mut far_secured,
                    _ => return,
                };
                far.turn(&mut seen).expect("the near side is there");
            }
        });
        let near = scope.spawn(move || {
            settle(0);
            let mut near = Near::new(io);
            // Both blocks need the near side, one after the other.
            let near = std::cell::RefCell::new(&mut near);
            let paired = pairs::alternate(
                PAIRS,
                || {
                    serve.store(SERVE_TLS, Ordering::Relaxed);
                    near.borrow_mut().trips(&mut secured)
                },
                || {
                    serve.store(SERVE_PLAIN, Ordering::Relaxed);
                    near.borrow_mut().trips(&mut plain) + memory.trips()
                },
            );
            serve.store(STOP, Ordering::Relaxed);
            paired
        });
        near.join().expect("loopback loses nothing")
    }))
}

/// The near side: what a session does with its link.
struct Near<'a> {
    io: &'a mut dyn Io,
    output: SendBuffer,
    input: ReceiveBuffer,
    rng: Rng,
}

impl Near<'_> {
    fn new(io: &mut dyn Io) -> Near<'_> {
        let (output, input) =
            (SendBuffer::with_capacity(65_536), ReceiveBuffer::with_capacity(65_536));
        Near { io, output, input, rng: Rng::new(5_120) }
    }

    /// Nanoseconds of a round trip. Of time, not of this thread's work: waiting is the point.
    #[allow(clippy::cast_precision_loss)]
    fn trips(&mut self, link: &mut Link) -> f64 {
        let began = Instant::now();
        for _ in 0..TRIPS {
            self.output.push(&[2; ORDER]).expect("the buffer is empty");
            link.flush(self.io, &mut self.output).expect("the peer is there");
            while self.input.bytes().len() < REPORT {
                let until = wire::stamp::now() + self.rng.below(PAUSE_TICKS);
                while wire::stamp::now() < until {}
                link.fill(self.io, &mut self.input).expect("the peer is there");
            }
            self.input.clear();
        }
        began.elapsed().as_nanos() as f64 / TRIPS as f64
    }
}

/// Both sides of the library in memory.
struct Memory {
    client: ClientConnection,
    server: ServerConnection,
    wire: Vec<u8>,
}

impl Memory {
    fn new(authority: &Authority) -> anyhow::Result<Memory> {
        let name = ServerName::try_from(NAME)?;
        let client = ClientConnection::new(authority.client.clone(), name)?;
        let server = ServerConnection::new(authority.server.clone())?;
        let mut memory = Memory { client, server, wire: Vec::with_capacity(65_536) };
        let Memory { client, server, wire } = &mut memory;
        while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
            client.write_tls(wire)?;
            server.read_tls(&mut wire.as_slice())?;
            server.process_new_packets()?;
            wire.clear();
            server.write_tls(wire)?;
            client.read_tls(&mut wire.as_slice())?;
            client.process_new_packets()?;
            wire.clear();
        }
        Ok(memory)
    }

    /// Nanoseconds of an order and a report, each encrypted by one side and decrypted by the other.
    #[allow(clippy::cast_precision_loss)]
    fn trips(&mut self) -> f64 {
        let Memory { client, server, wire } = self;
        let mut bytes = [0; REPORT];
        let began = Instant::now();
        for _ in 0..TRIPS {
            client.writer().write_all(&[2; ORDER]).expect("it has room");
            client.write_tls(wire).expect("memory takes all");
            server.read_tls(&mut wire.as_slice()).expect("memory gives all");
            server.process_new_packets().expect("it is TLS");
            server.reader().read_exact(&mut bytes[..ORDER]).expect("an order is whole");
            wire.clear();
            server.writer().write_all(&[1; REPORT]).expect("it has room");
            server.write_tls(wire).expect("memory takes all");
            client.read_tls(&mut wire.as_slice()).expect("memory gives all");
            client.process_new_packets().expect("it is TLS");
            client.reader().read_exact(&mut bytes).expect("a report is whole");
            wire.clear();
        }
        began.elapsed().as_nanos() as f64 / TRIPS as f64
    }
}
