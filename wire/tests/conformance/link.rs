//! Links: what a session reads is what the peer wrote, over TCP alone and over TLS 1.2 and 1.3.

use crate::acceptor::{Authority, NAME, ONLY_1_2, ONLY_1_3, Peer};
use crate::eventually;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;
use wire::tcp::{Options, connect, connect_with};
use wire::tls::{Client, Minimum, Settings};
use wire::{End, Io, Link, LinkError, ReceiveBuffer, SendBuffer};

crate::on_both! {
    an_echo_in_many_sizes
    an_echo_of_more_than_the_sockets_hold
    one_byte_of_a_record_at_a_time
    orders_go_while_nobody_reads
    a_farewell_is_a_close_after_the_last_byte
    a_cut_is_no_close
    an_alert_is_told
    a_damaged_record_ends_it_and_the_peer_hears_why
    a_link_that_closes_says_farewell_after_what_was_queued
    keys_may_change
    what_came_with_the_handshake_is_not_lost
}

const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Plain,
    Tls12,
    Tls13,
}

const SECURE: [Kind; 2] = [Kind::Tls12, Kind::Tls13];
pub(crate) const ALL: [Kind; 3] = [Kind::Plain, Kind::Tls12, Kind::Tls13];

/// The peer's end.
pub(crate) enum Far {
    Plain(TcpStream),
    Tls(Box<Peer>),
}

impl Far {
    /// `bytes` as they go over the wire, not sent.
    pub(crate) fn records(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Far::Plain(_) => bytes.to_vec(),
            Far::Tls(peer) => peer.records(bytes),
        }
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        match self {
            Far::Plain(socket) => socket,
            Far::Tls(peer) => &mut peer.socket,
        }
    }

    fn tls(self) -> Peer {
        match self {
            Far::Plain(_) => panic!("no TLS"),
            Far::Tls(peer) => *peer,
        }
    }
}

impl Read for Far {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Far::Plain(socket) => socket.read(buf),
            Far::Tls(peer) => peer.read(buf),
        }
    }
}

impl Write for Far {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        match self {
            Far::Plain(socket) => socket.write(buf),
            Far::Tls(peer) => peer.write(buf),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Far::Plain(socket) => socket.flush(),
            Far::Tls(peer) => peer.flush(),
        }
    }
}

/// Both ends of a connection; the sockets hold little if `small`.
fn pair(kind: Kind, small: bool) -> (Link, Far) {
    pair_with(kind, small, &Options::default())
}

/// As [`pair`], with options of our end.
pub(crate) fn pair_with(kind: Kind, small: bool, options: &Options) -> (Link, Far) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let stream = connect_with(listener.local_addr().unwrap(), TIMEOUT, options).unwrap();
    let (socket, _) = listener.accept().unwrap();
    if small {
        for socket in [socket2::SockRef::from(&stream), socket2::SockRef::from(&socket)] {
            socket.set_send_buffer_size(100_000).unwrap();
            socket.set_recv_buffer_size(100_000).unwrap();
        }
    }
    let versions = match kind {
        Kind::Plain => {
            socket.set_read_timeout(Some(TIMEOUT)).unwrap();
            socket.set_nodelay(true).unwrap();
            return (Link::plain(stream), Far::Plain(socket));
        }
        Kind::Tls12 => ONLY_1_2,
        Kind::Tls13 => ONLY_1_3,
    };
    let authority = Authority::new();
    let server = authority.identity().server(versions);
    let far = std::thread::spawn(move || server.accept(socket).unwrap());
    let link = client(&authority).handshake(stream, TIMEOUT).unwrap();
    assert!(link.is_tls());
    (link, Far::Tls(Box::new(far.join().unwrap())))
}

fn client(authority: &Authority) -> Client {
    let trust = Some(authority.pem.as_bytes());
    Client::new(&Settings { minimum: Minimum::V1_2, server_name: NAME, trust, pin: None }).unwrap()
}

fn numbers(bytes: usize) -> Vec<u8> {
    // Numbers, so that a lost, doubled or moved byte shows.
    (0..u32::MAX).flat_map(u32::to_le_bytes).take(bytes).collect()
}

/// Reads until `count` bytes are there.
fn wait_for(io: &mut dyn Io, link: &mut Link, input: &mut ReceiveBuffer, count: usize) {
    eventually(|| {
        link.fill(io, input).unwrap();
        (input.bytes().len() >= count).then_some(())
    });
}

/// Sends until nothing is left.
fn send(io: &mut dyn Io, link: &mut Link, output: &mut SendBuffer) {
    eventually(|| {
        link.flush(io, output).unwrap();
        link.is_flushed(output).then_some(())
    });
}

/// Reads on until the end.
fn end(io: &mut dyn Io, link: &mut Link, input: &mut ReceiveBuffer) -> End {
    eventually(|| match link.fill(io, input) {
        Ok(_) => None,
        Err(LinkError::Ended(end)) => Some(end),
        Err(LinkError::Io(error)) => panic!("{error}"),
    })
}

fn an_echo_in_many_sizes(io: &mut dyn Io) {
    for kind in ALL {
        let (mut link, mut far) = pair(kind, false);
        let (mut input, mut output) =
            (ReceiveBuffer::with_capacity(65_536), SendBuffer::with_capacity(65_536));
        for size in [1, 2, 63, 100, 1_000, 4_096, 16_383, 16_384, 16_385, 40_000, 65_536] {
            let bytes = numbers(size);
            output.push(&bytes).unwrap();
            let sink = std::thread::scope(|scope| {
                let sink = scope.spawn(|| {
                    let mut back = vec![0; size];
                    far.read_exact(&mut back).unwrap();
                    far.write_all(&back).unwrap();
                    back
                });
                send(io, &mut link, &mut output);
                let before = wire::stamp::now();
                wait_for(io, &mut link, &mut input, size);
                assert!(link.received() > before || size > 1, "the stamp is of the last receive");
                sink.join().unwrap()
            });
            assert!(sink == bytes && input.bytes() == bytes, "{kind:?}: {size} bytes differ");
            input.consume(size);
            assert_eq!(link.fill(io, &mut input).unwrap(), 0, "{kind:?}");
        }
    }
}

fn an_echo_of_more_than_the_sockets_hold(io: &mut dyn Io) {
    for kind in ALL {
        let (mut link, far) = pair(kind, true);
        let echo = std::thread::spawn(move || {
            let (mut far, mut buf) = (far, vec![0; 50_000]);
            loop {
                match far.read(&mut buf).unwrap() {
                    0 => return,
                    len => far.write_all(&buf[..len]).unwrap(),
                }
            }
        });
        let sent = numbers(1_500_000);
        let mut output = SendBuffer::with_capacity(150_000);
        // Less than a record holds.
        let mut input = ReceiveBuffer::with_capacity(10_000);
        let (mut queued, mut seen, mut waited) = (0, 0, 0);
        while seen < sent.len() {
            let end = sent.len().min(queued + 3_000);
            if output.push(&sent[queued..end]).is_ok() {
                queued = end;
            }
            link.flush(io, &mut output).unwrap();
            let came = link.fill(io, &mut input).unwrap();
            let bytes = input.bytes();
            assert!(bytes == &sent[seen..seen + bytes.len()], "{kind:?} differs after byte {seen}");
            seen += bytes.len();
            input.consume(bytes.len());
            waited = if came > 0 { 0 } else { waited + 1 };
            assert!(waited < 400_000, "{kind:?}: no answer after byte {seen}");
            if came == 0 {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        assert!(link.is_flushed(&output));
        link.close(io, &mut output);
        echo.join().unwrap();
    }
}

fn one_byte_of_a_record_at_a_time(io: &mut dyn Io) {
    for kind in ALL {
        let (mut link, mut far) = pair(kind, false);
        let mut input = ReceiveBuffer::with_capacity(4_096);
        let message = b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01";
        for _ in 0..3 {
            let records = far.records(message);
            for (count, byte) in (1..).zip(&records) {
                far.socket().write_all(&[*byte]).unwrap();
                if kind == Kind::Plain || count == records.len() {
                    let before = input.bytes().len();
                    wait_for(io, &mut link, &mut input, before + 1);
                } else {
                    assert_eq!(link.fill(io, &mut input).unwrap(), 0, "{kind:?} byte {count}");
                }
            }
            assert_eq!(input.bytes(), message);
            input.clear();
        }
    }
}

fn orders_go_while_nobody_reads(io: &mut dyn Io) {
    for kind in ALL {
        let (mut link, mut far) = pair(kind, true);
        far.socket().set_nonblocking(true).unwrap();
        let flood = far.records(&numbers(60_000));
        let mut input = ReceiveBuffer::with_capacity(1_000);
        let mut flooded = 0;
        // The buffer is full, a part of a record is held, and more stands in the socket.
        while flooded < flood.len() {
            match far.socket().write(&flood[flooded..]) {
                Ok(len) => flooded += len,
                Err(_) => break,
            }
            link.fill(io, &mut input).unwrap();
        }
        eventually(|| {
            assert!(link.fill(io, &mut input).is_ok());
            input.is_full().then_some(())
        });
        far.socket().set_nonblocking(false).unwrap();
        let mut output = SendBuffer::with_capacity(1_000);
        for number in 0..20_u8 {
            assert_eq!(link.fill(io, &mut input).unwrap(), 0, "full");
            output.push(&[number; 50]).unwrap();
            send(io, &mut link, &mut output);
            let mut order = [0; 50];
            far.read_exact(&mut order).unwrap();
            assert_eq!(order, [number; 50], "{kind:?}");
        }
        // And then everything comes, in order.
        let (expected, mut seen) = (numbers(60_000), 0);
        while seen < flooded.min(50_000) {
            let bytes = input.bytes();
            assert!(bytes == &expected[seen..seen + bytes.len()], "{kind:?} after byte {seen}");
            seen += bytes.len();
            input.consume(bytes.len());
            link.fill(io, &mut input).unwrap();
        }
    }
}

fn a_farewell_is_a_close_after_the_last_byte(io: &mut dyn Io) {
    for kind in ALL {
        let (mut link, mut far) = pair(kind, false);
        let mut input = ReceiveBuffer::with_capacity(64);
        far.write_all(b"logout").unwrap();
        if let Far::Tls(peer) = &mut far {
            peer.say_farewell();
        }
        drop(far);
        wait_for(io, &mut link, &mut input, 6);
        assert_eq!(end(io, &mut link, &mut input), End::Closed, "{kind:?}");
        assert_eq!(end(io, &mut link, &mut input), End::Closed, "a close stays a close");
        assert_eq!(input.bytes(), b"logout");
    }
}

fn a_cut_is_no_close(io: &mut dyn Io) {
    for kind in SECURE {
        for partial in [false, true] {
            let (mut link, mut far) = pair(kind, false);
            let mut input = ReceiveBuffer::with_capacity(64);
            far.write_all(b"fill").unwrap();
            if partial {
                let records = far.records(b"and its half");
                far.socket().write_all(&records[..records.len() / 2]).unwrap();
            }
            drop(far);
            wait_for(io, &mut link, &mut input, 4);
            assert_eq!(end(io, &mut link, &mut input), End::Truncated, "{kind:?}");
            assert_eq!(input.bytes(), b"fill");
        }
    }
}

fn an_alert_is_told(io: &mut dyn Io) {
    for kind in SECURE {
        let (mut link, far) = pair(kind, false);
        let mut far = far.tls();
        // What the peer cannot decrypt it answers with an alert.
        rustix::net::send(link.stream(), &[23, 3, 3, 0, 30], rustix::net::SendFlags::empty())
            .unwrap();
        rustix::net::send(link.stream(), &[7; 30], rustix::net::SendFlags::empty()).unwrap();
        assert!(far.read(&mut [0; 8]).is_err());
        let _ = far.tls.complete_io(&mut far.socket);
        let mut input = ReceiveBuffer::with_capacity(64);
        let told = end(io, &mut link, &mut input);
        assert_eq!(told, End::Alert(rustls::AlertDescription::BadRecordMac), "{kind:?}");
        assert!(told.to_string().contains("BadRecordMac"), "{told}");
    }
}

fn a_damaged_record_ends_it_and_the_peer_hears_why(io: &mut dyn Io) {
    for kind in SECURE {
        let (mut link, mut far) = pair(kind, false);
        far.write_all(b"whole").unwrap();
        let mut records = far.records(b"damaged");
        *records.last_mut().unwrap() ^= 1;
        far.socket().write_all(&records).unwrap();
        let mut input = ReceiveBuffer::with_capacity(64);
        assert_eq!(end(io, &mut link, &mut input), End::Tls(rustls::Error::DecryptError));
        assert_eq!(input.bytes(), b"whole", "{kind:?}: what came before is given out");
        link.close(io, &mut SendBuffer::with_capacity(64));
        let error = far.read(&mut [0; 8]).unwrap_err().to_string();
        assert!(error.contains("BadRecordMac"), "{kind:?}: {error}");
    }
}

fn a_link_that_closes_says_farewell_after_what_was_queued(io: &mut dyn Io) {
    for kind in ALL {
        let (link, mut far) = pair(kind, false);
        let mut output = SendBuffer::with_capacity(64);
        output.push(b"logout").unwrap();
        link.close(io, &mut output);
        let mut all = Vec::new();
        // Without the farewell this would be an error (of an unexpected end of file).
        far.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"logout", "{kind:?}");
    }
}

fn keys_may_change(io: &mut dyn Io) {
    let (mut link, far) = pair(Kind::Tls13, false);
    let mut far = far.tls();
    let mut input = ReceiveBuffer::with_capacity(64);
    let mut output = SendBuffer::with_capacity(64);
    for number in 0..5_u8 {
        far.tls.refresh_traffic_keys().unwrap();
        far.write_all(&[number; 9]).unwrap();
        wait_for(io, &mut link, &mut input, 9);
        assert_eq!(input.bytes(), [number; 9]);
        input.clear();
        output.push(&[number; 5]).unwrap();
        send(io, &mut link, &mut output);
        let mut order = [0; 5];
        far.read_exact(&mut order).unwrap();
        assert_eq!(order, [number; 5]);
    }
}

fn what_came_with_the_handshake_is_not_lost(io: &mut dyn Io) {
    for kind in SECURE {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = connect(listener.local_addr().unwrap(), TIMEOUT).unwrap();
        let (socket, _) = listener.accept().unwrap();
        let authority = Authority::new();
        let versions = if kind == Kind::Tls12 { ONLY_1_2 } else { ONLY_1_3 };
        let server = authority.identity().server(versions);
        let far = std::thread::spawn(move || {
            let mut far = server.accept(socket).unwrap();
            far.write_all(&numbers(40_000)).unwrap();
            far
        });
        // The link is first read when all of it has long been sent.
        let mut link = client(&authority).handshake(stream, TIMEOUT).unwrap();
        let _far = far.join().unwrap();
        let mut input = ReceiveBuffer::with_capacity(40_000);
        wait_for(io, &mut link, &mut input, 40_000);
        assert!(input.bytes() == numbers(40_000), "{kind:?}");
    }
}
