//! TLS against a server of another make: `openssl s_server`, driven through its console.
//!
//! Where there is no openssl the tests say so and pass; `TOUCHLINE_REQUIRE=openssl` makes that a
//! failure.

#[path = "acceptor/mod.rs"]
mod acceptor;

use acceptor::{Authority, NAME};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wire::tcp::connect;
use wire::tls::{Client, Minimum, Settings};
use wire::{Backend, End, Link, LinkError, ReceiveBuffer, SendBuffer};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A running server; it ends with this value.
struct Server {
    child: Child,
    console: ChildStdin,
    said: Receiver<String>,
    address: SocketAddr,
    _folder: TempDir,
}

impl Server {
    /// Starts one that shows a certificate of `authority`; `None` after saying why it cannot.
    fn start(authority: &Authority, options: &[&str]) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        let identity = authority.identity();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, identity.certificate_pem).unwrap();
        std::fs::write(&key, identity.key_pem).unwrap();
        let started = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert"])
            .arg(&certificate)
            .arg("-key")
            .arg(&key)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return skip(&format!("openssl does not start: {error}")),
        };
        let (console, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, said) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server { child, console, said, address, _folder: folder };
        let line = server.wait_for("ACCEPT 127.0.0.1:");
        server.address = line.trim_start_matches("ACCEPT ").parse().unwrap();
        Some(server)
    }

    /// The next line that begins so.
    fn wait_for(&self, begin: &str) -> String {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left).expect("openssl says nothing more");
            if line.starts_with(begin) {
                return line;
            }
        }
    }

    /// Types a line, at once: a server that has read `Q` alone does not wait for the line's end.
    fn write(&mut self, line: &str) {
        self.console.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn skip<T>(why: &str) -> Option<T> {
    let required = std::env::var("TOUCHLINE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|word| word == "openssl"), "openssl is required: {why}");
    let _ = std::io::stderr().write_all(format!("skipped, no openssl: {why}\n").as_bytes());
    None
}

fn settings(authority: &Authority, minimum: Minimum) -> Settings<'_> {
    Settings { minimum, server_name: NAME, trust: Some(authority.pem.as_bytes()), pin: None }
}

#[test]
fn words_go_both_ways() {
    let authority = Authority::new();
    for option in ["-tls1_2", "-tls1_3"] {
        for backend in [Backend::Plain, Backend::Auto] {
            let Some(mut server) = Server::start(&authority, &[option]) else { return };
            let mut io = wire::open(backend).unwrap().io;
            let stream = connect(server.address, TIMEOUT).unwrap();
            let client = Client::new(&settings(&authority, Minimum::V1_2)).unwrap();
            let mut link = client.handshake(stream, TIMEOUT).unwrap();
            let mut input = ReceiveBuffer::with_capacity(4_096);
            let mut output = SendBuffer::with_capacity(65_536);
            for round in 0..3 {
                let order = format!("order {round} {}", "x".repeat(20_000));
                output.push(format!("{order}\n").as_bytes()).unwrap();
                while !link.is_flushed(&output) {
                    link.flush(&mut *io, &mut output).unwrap();
                }
                let heard = server.wait_for("order ");
                assert!(heard == order, "{} of {} bytes", heard.len(), order.len());
                server.write(&format!("report {round}"));
                let report = format!("report {round}\n");
                eventually(|| {
                    link.fill(&mut *io, &mut input).unwrap();
                    (input.bytes().len() >= report.len()).then_some(())
                });
                assert_eq!(input.bytes(), report.as_bytes());
                input.clear();
            }
            server.write("Q");
            let end = eventually(|| match link.fill(&mut *io, &mut input) {
                Ok(_) => None,
                Err(LinkError::Ended(end)) => Some(end),
                Err(LinkError::Io(error)) => panic!("{error}"),
            });
            // Its console cuts the connection, as a failing host would.
            assert_eq!(end, End::Truncated);
        }
    }
}

fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < TIMEOUT, "no answer");
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn the_server_hears_the_name_and_an_old_one_is_refused() {
    let authority = Authority::new();
    let handshake = |server: &Server, minimum| -> Result<Link, String> {
        let stream = connect(server.address, TIMEOUT).unwrap();
        let client = Client::new(&settings(&authority, minimum)).unwrap();
        client.handshake(stream, TIMEOUT).map_err(|error| error.to_string())
    };
    // SNI: another name ends the handshake, so this one was said.
    let named = ["-servername", NAME, "-servername_fatal", "-cert2"];
    let folder = tempfile::tempdir().unwrap();
    let identity = authority.identity();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, identity.certificate_pem).unwrap();
    std::fs::write(&key, identity.key_pem).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let options = [&named[..], &[certificate, "-key2", key]].concat();
    let Some(server) = Server::start(&authority, &options) else { return };
    handshake(&server, Minimum::V1_3).unwrap();
    server.wait_for("Hostname in TLS extension: \"venue.test\"");
    drop(server);

    let old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
    for (options, minimum) in
        [(&["-tls1_2"][..], Minimum::V1_3), (&old, Minimum::V1_2), (&old, Minimum::V1_3)]
    {
        let Some(server) = Server::start(&authority, options) else { return };
        let text = handshake(&server, minimum).unwrap_err();
        assert!(text.contains(&format!("TLS {minimum} or newer")), "{options:?}: {text}");
    }
}
