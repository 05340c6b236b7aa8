//! The engine behind TLS: a relay that speaks TLS stands before the exchange, cuts the line now and
//! then, and shows certificates that the engine must not take.

use crate::acceptor::{Authority, Identity, ONLY_1_2, ONLY_1_3, Peer};
use crate::host::eventually;
use crate::lab::{Lab, engine_positions, exchange_positions};
use crate::stamps;
use crate::story::Story;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What relay and test share.
#[derive(Default)]
struct Flags {
    stop: AtomicBool,
    /// Cut the present connection, without a farewell.
    cut: AtomicBool,
    connections: AtomicU64,
    refused: AtomicU64,
}

/// TLS in front, TCP behind.
struct Relay {
    address: SocketAddr,
    flags: Arc<Flags>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    fn start(
        behind: SocketAddr,
        identity: &Identity,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let flags = Arc::new(Flags::default());
        let (shared, server) = (flags.clone(), identity.server(versions));
        let thread = std::thread::spawn(move || {
            while !shared.stop.load(Ordering::Relaxed) {
                let Ok((front, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                };
                front.set_nonblocking(false).unwrap();
                match server.accept(front) {
                    Err(_) => drop(shared.refused.fetch_add(1, Ordering::Relaxed)),
                    Ok(peer) => {
                        shared.connections.fetch_add(1, Ordering::Relaxed);
                        shared.cut.store(false, Ordering::Relaxed);
                        if let Ok(behind) = TcpStream::connect(behind) {
                            pump(peer, behind, &shared);
                        }
                    }
                }
            }
        });
        Relay { address, flags, thread: Some(thread) }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.flags.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Moves bytes both ways until one side ends or the test says so.
fn pump(mut front: Peer, mut behind: TcpStream, flags: &Flags) {
    front.socket.set_nonblocking(true).unwrap();
    behind.set_nodelay(true).unwrap();
    behind.set_nonblocking(true).unwrap();
    let mut buf = vec![0; 65_536];
    loop {
        if flags.stop.load(Ordering::Relaxed) || flags.cut.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut moved = false;
        match behind.read(&mut buf) {
            Ok(0) => return front.say_farewell(),
            Ok(len) => {
                front.tls.writer().write_all(&buf[..len]).unwrap();
                moved = true;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        while front.tls.wants_write() {
            match front.tls.write_tls(&mut front.socket) {
                Ok(_) => moved = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return,
            }
        }
        match front.tls.read_tls(&mut front.socket) {
            Ok(0) => return,
            Ok(_) => moved = true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        if front.tls.process_new_packets().is_err() {
            return;
        }
        while let Ok(len @ 1..) = front.tls.reader().read(&mut buf) {
            behind.set_nonblocking(false).unwrap();
            if behind.write_all(&buf[..len]).is_err() {
                return;
            }
            behind.set_nonblocking(true).unwrap();
        }
        if !moved {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// A lab whose engine goes through a relay, trusting `authority`.
fn secured(authority: &Authority, relay: SocketAddr, lab: &Lab, tls: &str) {
    std::fs::write(lab.dir().join("roots.pem"), &authority.pem).unwrap();
    let transport = format!(
        "[transport]\ntls = \"{tls}\"\nserver_name = \"venue.test\"\ntrust = \"roots.pem\"\n\
         source_address = \"127.0.0.1\"\nkernel_stamps = true\nreconnect_ms = 50\n\
         reconnect_max_ms = 200"
    );
    let changes =
        [("[transport]\nreconnect_ms = 50", transport), (&lab.fix.to_string(), relay.to_string())];
    lab.change("engine.toml", &changes);
}

#[test]
fn the_engine_trades_over_tls_and_comes_back_after_a_cut() {
    for (tls, versions) in [("1.2", ONLY_1_2), ("1.3", ONLY_1_3)] {
        let lab = Lab::synthetic(5);
        let exchange = lab.exchange(&[]);
        eventually("a session", || lab.session());
        let authority = Authority::new();
        let relay = Relay::start(lab.fix.into(), &authority.identity(), versions);
        secured(&authority, relay.address, &lab, tls);
        let engine = lab.engine();
        let mut story = Story::of(&lab);
        story.wait("fills", |told| told.now.fills >= 3);
        relay.flags.cut.store(true, Ordering::Relaxed);
        eventually("a second connection", || {
            (relay.flags.connections.load(Ordering::Relaxed) >= 2).then_some(())
        });
        let before = story.read().now.fills;
        story.wait("fills after the cut", |told| told.now.fills >= before + 2);
        let ours = engine.stop();
        let theirs = exchange.stop();
        assert_eq!(engine_positions(&ours), exchange_positions(&theirs), "{ours}\n{theirs}");
        assert!(stamps::count(&ours, "gateway-recv") > 0, "{ours}");
    }
}

#[test]
fn an_engine_that_is_shown_the_wrong_certificate_sends_nothing_and_says_why() {
    let lab = Lab::synthetic(5);
    let (ours, theirs) = (Authority::new(), Authority::new());
    let relay = Relay::start(lab.fix.into(), &theirs.identity(), ONLY_1_3);
    secured(&ours, relay.address, &lab, "1.3");
    let engine = lab.engine();
    eventually("three attempts", || {
        (relay.flags.refused.load(Ordering::Relaxed) >= 3).then_some(())
    });
    assert_eq!(relay.flags.connections.load(Ordering::Relaxed), 0);
    let output = engine.stop().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(output.contains("unknown issuer") && output.contains("PEM file"), "{output}");
}
