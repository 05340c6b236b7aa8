//! The connector as the gateway stage uses it: what it hands over, and that every refusal names the
//! host, the step and what to change.

#[path = "../../wire/tests/acceptor/mod.rs"]
mod acceptor;

use acceptor::{Authority, NAME, ONLY_1_2, ONLY_1_3};
use engine::config::{RunConfig, TransportConfig};
use engine::pipeline::connector::{Connector, Plan};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};
use wire::Link;

/// What `[transport]` of the demo's resolved configuration is, with these lines in place of its own.
fn transport(lines: &str) -> TransportConfig {
    let text = RunConfig::demo(&BTreeSet::from([0])).unwrap().resolved();
    let begin = text.find("[transport]").unwrap();
    let end = text[begin + 1..].find("\n[").map_or(text.len(), |at| begin + 1 + at);
    let text = format!("{}[transport]\n{lines}\n{}", &text[..begin], &text[end..]);
    RunConfig::from_resolved(&text).unwrap_or_else(|errors| panic!("{errors}")).transport
}

/// The outcome of one attempt.
fn attempt(host: &str, port: u16, lines: &str) -> Result<Link, String> {
    let mut venue = RunConfig::demo(&BTreeSet::from([0])).unwrap().gateway.address;
    (venue.host, venue.port) = (host.to_owned(), port);
    let connector = Connector::spawn(Plan::new(&venue, &transport(lines)).unwrap()).unwrap();
    connector.request();
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(outcome) = connector.take() {
            return outcome.map_err(|error| error.to_string());
        }
        assert!(Instant::now() < until, "no outcome");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn roots(folder: &Path, authority: &Authority) -> String {
    let path = folder.join("roots.pem");
    std::fs::write(&path, &authority.pem).unwrap();
    format!("trust = {:?}\nserver_name = \"{NAME}\"\n", path.to_str().unwrap())
}

#[test]
fn a_name_is_resolved_and_the_source_is_the_one_that_was_given() {
    let (listener, address) = listener();
    let link = attempt("localhost", address.port(), "source_address = \"127.0.0.7\"").unwrap();
    let (_, from) = listener.accept().unwrap();
    assert_eq!(from.ip(), Ipv4Addr::new(127, 0, 0, 7));
    assert_eq!(link.stream().peer_address(), address);
    assert!(!link.is_tls() && !link.stream().has_kernel_times());
}

#[test]
fn times_of_the_kernel_are_asked_for_where_the_transport_wants_them() {
    let (_listener, address) = listener();
    let link = attempt("127.0.0.1", address.port(), "kernel_stamps = true").unwrap();
    assert!(link.stream().has_kernel_times());
}

#[test]
fn every_refusal_names_the_host_and_the_step_and_what_to_change() {
    let text = attempt("nowhere.invalid", 9_880, "").unwrap_err();
    assert!(text.contains("nowhere.invalid cannot be resolved"), "{text}");
    // Bound, so that no other test gets the port, but not listening.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    let text = attempt("127.0.0.1", port, "").unwrap_err();
    assert!(
        text.contains("no connection to 127.0.0.1") && text.contains("check the port"),
        "{text}"
    );
    let text = attempt("127.0.0.1", port, "source_address = \"::1\"").unwrap_err();
    assert!(text.contains("no address that can be reached from ::1"), "{text}");
    let (_listener, address) = listener();
    let text = attempt("127.0.0.1", address.port(), "source_address = \"192.0.2.1\"").unwrap_err();
    assert!(text.contains("source_address must be this host's own"), "{text}");
    // It takes the connection and never says a word.
    let lines = "tls = \"1.3\"\nserver_name = \"venue.test\"\nconnect_timeout_ms = 60";
    let text = attempt("127.0.0.1", address.port(), lines).unwrap_err();
    assert!(text.contains("no TLS with 127.0.0.1") && text.contains("no answer in time"), "{text}");
}

#[test]
fn tls_is_made_on_the_way_and_a_refused_one_ends_the_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let roots = roots(folder.path(), &authority);
    for (least, versions, good) in
        [("1.2", ONLY_1_2, true), ("1.2", ONLY_1_3, true), ("1.3", ONLY_1_2, false)]
    {
        let (listener, address) = listener();
        let server = authority.identity().server(versions);
        let far = std::thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let accepted = server.accept(socket).is_ok();
            listener.set_nonblocking(true).unwrap();
            (accepted, listener.accept().is_ok())
        });
        let lines = format!("{roots}tls = \"{least}\"");
        match attempt("localhost", address.port(), &lines) {
            Ok(link) => assert!(good && link.is_tls()),
            Err(text) => assert!(!good && text.contains("lower the minimum version"), "{text}"),
        }
        // The venue has seen one connection, whatever became of it.
        assert_eq!(far.join().unwrap(), (good, false));
    }
}

#[test]
fn roots_that_cannot_be_read_are_refused_before_anything_connects() {
    let folder = tempfile::tempdir().unwrap();
    let venue = RunConfig::demo(&BTreeSet::from([0])).unwrap().gateway.address;
    let plan = |file: &str| {
        let path = folder.path().join(file);
        let trust = path.to_str().unwrap();
        Plan::new(&venue, &transport(&format!("tls = \"1.3\"\ntrust = {trust:?}")))
    };
    let text = format!("{:#}", plan("lost.pem").unwrap_err());
    assert!(text.contains("[transport] trust = ") && text.contains("lost.pem"), "{text}");
    std::fs::write(folder.path().join("empty.pem"), "no certificate\n").unwrap();
    let text = format!("{:#}", plan("empty.pem").unwrap_err());
    assert!(text.contains("empty.pem") && text.contains("BEGIN CERTIFICATE"), "{text}");
}
