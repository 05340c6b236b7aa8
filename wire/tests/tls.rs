//! What a handshake refuses, and that it says what to change; against servers of these tests' own.

#[path = "acceptor/mod.rs"]
mod acceptor;

use acceptor::{Authority, Identity, NAME, ONLY_1_2, ONLY_1_3, self_signed};
use rcgen::{BasicConstraints, IsCa, date_time_ymd};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;
use wire::Link;
use wire::tcp::connect;
use wire::tls::{BadSettings, Client, HandshakeError, Minimum, Pin, Settings, is_server_name};

const TIMEOUT: Duration = Duration::from_secs(20);

/// What a good client of `authority` asks for.
fn settings(authority: &Authority) -> Settings<'_> {
    let trust = Some(authority.pem.as_bytes());
    Settings { minimum: Minimum::V1_2, server_name: NAME, trust, pin: None }
}

/// The client's side of a handshake with whatever `serve` does to the connection.
fn meet(
    settings: &Settings<'_>,
    timeout: Duration,
    serve: impl FnOnce(TcpStream) + Send + 'static,
) -> Result<Link, HandshakeError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let stream = connect(listener.local_addr().unwrap(), TIMEOUT).unwrap();
    let (socket, _) = listener.accept().unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let server = std::thread::spawn(move || serve(socket));
    let result = Client::new(settings).unwrap().handshake(stream, timeout);
    server.join().unwrap();
    result
}

/// A handshake with a server that shows `identity`; the server hears no lie.
fn shown(settings: &Settings<'_>, identity: &Identity) -> Result<Link, HandshakeError> {
    let server = identity.server(rustls::ALL_VERSIONS);
    meet(settings, TIMEOUT, move |socket| {
        let _ = server.accept(socket);
    })
}

fn refused(result: Result<Link, HandshakeError>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_certificate_for_the_name_is_accepted_and_for_another_refused() {
    let authority = Authority::new();
    let identity = authority.issue(&[NAME, "127.0.0.1"], |_| ());
    for name in [NAME, "127.0.0.1"] {
        let settings = Settings { server_name: name, ..settings(&authority) };
        assert!(shown(&settings, &identity).unwrap().is_tls());
    }
    for name in ["other.test", "127.0.0.2", "sub.venue.test"] {
        let settings = Settings { server_name: name, ..settings(&authority) };
        let text = refused(shown(&settings, &identity));
        assert!(text.contains(&format!("the certificate is not for {name} but for ")), "{text}");
        assert!(text.contains(NAME) && text.contains("set the server name"), "{text}");
    }
}

#[test]
fn a_certificate_out_of_its_time_is_refused() {
    let authority = Authority::new();
    let expired = authority.issue(&[NAME], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let text = refused(shown(&settings(&authority), &expired));
    assert!(text.contains("has expired") && text.contains("clock"), "{text}");
    let early = authority.issue(&[NAME], |params| params.not_before = date_time_ymd(4000, 1, 1));
    let text = refused(shown(&settings(&authority), &early));
    assert!(text.contains("not valid yet") && text.contains("clock"), "{text}");
}

#[test]
fn a_certificate_that_nobody_trusted_vouches_for_is_refused() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let unknown = theirs.identity();
    let own = self_signed(|_| ());
    let text = refused(shown(&settings(&ours), &unknown));
    assert!(text.contains("unknown issuer") && text.contains("PEM file"), "{text}");
    let text = refused(shown(&settings(&ours), &own));
    assert!(text.contains("self-signed") && text.contains("PEM file"), "{text}");
    // As an authority it vouches for itself no better.
    let authority = self_signed(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let text = refused(shown(&settings(&ours), &authority));
    assert!(text.contains(&format!("the certificate of {NAME} is refused")), "{text}");
    // Nor do Mozilla's roots vouch for it.
    let text = refused(shown(&Settings { trust: None, ..settings(&ours) }, &ours.identity()));
    assert!(text.contains("unknown issuer"), "{text}");
    // But it may be trusted by itself.
    let trust = Some(own.certificate_pem.as_bytes());
    shown(&Settings { trust, ..settings(&ours) }, &own).unwrap();
}

#[test]
fn a_pin_names_one_key_and_replaces_nothing() {
    let authority = Authority::new();
    let (one, other) = (authority.identity(), authority.identity());
    let pin = Pin::of(&one.certificate()).unwrap();
    let pinned = Settings { pin: Some(pin), ..settings(&authority) };
    shown(&pinned, &one).unwrap();
    let text = refused(shown(&pinned, &other));
    let found = Pin::of(&other.certificate()).unwrap();
    assert!(text.contains("not the pinned one") && text.contains(&found.to_string()), "{text}");
    // The right key with a wrong name, or of an authority that is not ours, is no better than before.
    let text = refused(shown(&Settings { server_name: "other.test", ..pinned.clone() }, &one));
    assert!(text.contains("not for other.test"), "{text}");
    let stranger = Authority::new();
    let trust = Some(stranger.pem.as_bytes());
    let text = refused(shown(&Settings { trust, ..pinned }, &one));
    assert!(text.contains("unknown issuer"), "{text}");
    assert!(Pin::of(b"no certificate").is_err());
}

#[test]
fn an_older_version_than_the_minimum_is_refused() {
    let authority = Authority::new();
    let newest = Settings { minimum: Minimum::V1_3, ..settings(&authority) };
    let old = authority.identity().server(ONLY_1_2);
    let serve = move |socket| assert!(old.accept(socket).is_err());
    let text = refused(meet(&newest, TIMEOUT, serve));
    assert!(text.contains("TLS 1.3 or newer") && text.contains("lower the minimum"), "{text}");
    let new = authority.identity().server(ONLY_1_3);
    meet(&newest, TIMEOUT, move |socket| drop(new.accept(socket).unwrap())).unwrap();
    // A server of TLS 1.1 answers with this alert, whatever the minimum.
    for minimum in [Minimum::V1_2, Minimum::V1_3] {
        let settings = Settings { minimum, ..settings(&authority) };
        let text = refused(meet(&settings, TIMEOUT, |mut socket| {
            assert!(socket.read(&mut [0; 2_048]).unwrap() > 0);
            socket.write_all(&[21, 3, 2, 0, 2, 2, 70]).unwrap();
        }));
        assert!(text.contains(&format!("TLS {minimum} or newer")), "{text}");
    }
}

#[test]
fn what_does_not_speak_tls_is_told_from_what_is_silent_or_gone() {
    let authority = Authority::new();
    let settings = settings(&authority);
    let text = refused(meet(&settings, TIMEOUT, |mut socket| {
        assert!(socket.read(&mut [0; 2_048]).unwrap() > 0);
        socket.write_all(b"8=FIX.4.4\x019=5\x0135=5\x0110=000\x01").unwrap();
        let _ = socket.read(&mut [0; 64]);
    }));
    assert!(text.contains("not TLS") && text.contains("plain TCP"), "{text}");
    let gone = meet(&settings, TIMEOUT, |mut socket| {
        assert!(socket.read(&mut [0; 2_048]).unwrap() > 0);
    });
    assert!(matches!(gone, Err(HandshakeError::Closed)), "{gone:?}");
    let silent = meet(&settings, Duration::from_millis(50), |mut socket| {
        while matches!(socket.read(&mut [0; 2_048]), Ok(1..)) {}
    });
    assert!(matches!(silent, Err(HandshakeError::TimedOut)), "{silent:?}");
    // One that dribbles is cut too: the deadline is of the whole.
    let server = authority.identity().server(ONLY_1_3);
    let slow = meet(&settings, Duration::from_millis(300), move |mut socket| {
        let mut tls = rustls::ServerConnection::new(server.0).unwrap();
        tls.read_tls(&mut socket).unwrap();
        tls.process_new_packets().unwrap();
        let mut answer = Vec::new();
        tls.write_tls(&mut answer).unwrap();
        for byte in answer {
            if socket.write_all(&[byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(matches!(slow, Err(HandshakeError::TimedOut)), "{slow:?}");
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let authority = Authority::new();
    let good = settings(&authority);
    for name in ["", "-", "a b", "venue.test:9000", "ünïcode.test"] {
        let bad = Client::new(&Settings { server_name: name, ..good.clone() }).unwrap_err();
        assert_eq!(bad, BadSettings::ServerName(name.to_owned()));
        assert!(!is_server_name(name));
    }
    let damaged = authority.pem.replace('M', "!");
    let cut = &authority.pem[..authority.pem.len() / 2];
    let key = authority.identity().key_pem;
    for pem in ["", "no certificate", &damaged, cut, &key] {
        let settings = Settings { trust: Some(pem.as_bytes()), ..good.clone() };
        let text = Client::new(&settings).unwrap_err().to_string();
        assert!(text.contains("BEGIN CERTIFICATE"), "{text}");
    }
    let noisy = format!("# a comment\n{}\n{}", authority.pem, Authority::new().pem);
    Client::new(&Settings { trust: Some(noisy.as_bytes()), ..good }).unwrap();
}

proptest::proptest! {
    /// Whatever a server answers, the handshake ends, without panic, in an error.
    #[test]
    fn no_answer_is_too_strange(answer in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
        let authority = Authority::new();
        let result = meet(&settings(&authority), TIMEOUT, move |mut socket| {
            let _ = socket.read(&mut [0; 2_048]);
            let _ = socket.write_all(&answer);
        });
        assert!(result.is_err());
    }
}
