//! Streams: partial sends, closes, resets, dribbles, reconnects, many sockets on one backend.

use crate::eventually;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;
use wire::tcp::{Listener, Stream, connect};
use wire::udp::Socket;
use wire::{Full, Io, ReceiveBuffer, SendBuffer};

crate::on_both! {
    an_echo_of_more_than_the_sockets_hold
    a_full_socket_takes_nothing_and_is_no_error
    a_close_is_seen_after_the_last_byte
    a_half_closed_stream_still_sends
    a_reset_is_an_error
    a_shutdown_by_another_handle_is_seen
    sending_to_a_closed_peer_ends_in_an_error
    one_byte_at_a_time
    no_room_is_not_a_close
    many_reconnects_on_one_io
    many_sockets_on_one_io
    what_is_no_socket_is_an_error_and_disturbs_nothing
}

const TIMEOUT: Duration = Duration::from_secs(10);

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn accept(listener: &Listener) -> Stream {
    eventually(|| listener.accept().unwrap())
}

/// Our end, and the peer's end as an ordinary blocking stream.
fn pair() -> (Stream, TcpStream) {
    let listener = TcpListener::bind(any_port()).unwrap();
    let ours = connect(listener.local_addr().unwrap(), TIMEOUT).unwrap();
    let (peer, _) = listener.accept().unwrap();
    assert_eq!(peer.peer_addr().unwrap(), ours.local_address());
    (ours, peer)
}

fn next(io: &mut dyn Io, stream: &impl AsFd, buf: &mut [u8]) -> usize {
    eventually(|| io.recv(stream.as_fd(), buf).unwrap())
}

/// Sends until the socket takes no more, and still takes no more after a rest.
fn fill(io: &mut dyn Io, stream: &impl AsFd) -> usize {
    let bytes = vec![7; 1 << 20];
    let (mut total, mut refused) = (0, 0);
    while refused < 5 {
        match io.send(stream.as_fd(), &bytes).unwrap() {
            0 => {
                refused += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            taken => (total, refused) = (total + taken, 0),
        }
    }
    total
}

fn an_echo_of_more_than_the_sockets_hold(io: &mut dyn Io) {
    let (ours, mut peer) = pair();
    for socket in [socket2::SockRef::from(&ours), socket2::SockRef::from(&peer)] {
        socket.set_send_buffer_size(100_000).unwrap();
        socket.set_recv_buffer_size(100_000).unwrap();
    }
    let echo = std::thread::spawn(move || std::io::copy(&mut peer.try_clone().unwrap(), &mut peer));
    // Numbers, so that a lost, doubled or moved byte shows.
    let sent: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut waiting = SendBuffer::with_capacity(150_000);
    let mut coming = ReceiveBuffer::with_capacity(10_000);
    let (mut queued, mut seen) = (0, 0);
    let (mut refused, mut partial) = (0, 0);
    while seen < sent.len() {
        let end = sent.len().min(queued + 3_000);
        match waiting.push(&sent[queued..end]) {
            Ok(()) => queued = end,
            Err(Full) => refused += 1,
        }
        let out = waiting.flush(io, ours.as_fd()).unwrap();
        partial += usize::from(out > 0 && !waiting.is_empty());
        // Nothing is read until the way out has been full for a while.
        let back = if refused < 10 { None } else { coming.fill(io, ours.as_fd()).unwrap() };
        assert_ne!(back, Some(0), "closed after {seen} bytes");
        if out == 0 && back.is_none() {
            std::thread::sleep(Duration::from_micros(50));
        }
        let bytes = coming.bytes();
        assert!(bytes == &sent[seen..seen + bytes.len()], "differs after byte {seen}");
        seen += bytes.len();
        coming.consume(bytes.len());
    }
    assert!(waiting.is_empty());
    assert!(partial > 0, "the socket never took a part only");
    ours.shutdown().unwrap();
    assert_eq!(echo.join().unwrap().unwrap(), sent.len() as u64);
}

fn a_full_socket_takes_nothing_and_is_no_error(io: &mut dyn Io) {
    // A blocking socket too: the call must not wait.
    let listener = TcpListener::bind(any_port()).unwrap();
    let blocking = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let total = fill(io, &blocking);
    assert!(total > 0);
    let drain = std::thread::spawn(move || {
        let mut buf = vec![0; total];
        peer.read_exact(&mut buf).unwrap();
        peer
    });
    let mut peer = drain.join().unwrap();
    assert_eq!(
        eventually(|| Some(io.send(blocking.as_fd(), b"more").unwrap()).filter(|n| *n > 0)),
        4
    );
    let mut buf = [0; 4];
    peer.read_exact(&mut buf).unwrap();
    assert_eq!(&buf, b"more");
}

fn a_close_is_seen_after_the_last_byte(io: &mut dyn Io) {
    let (ours, mut peer) = pair();
    let mut buf = [0; 64];
    assert_eq!(io.recv(ours.as_fd(), &mut buf).unwrap(), None);
    peer.write_all(b"logout").unwrap();
    drop(peer);
    assert_eq!(next(io, &ours, &mut buf), 6);
    assert_eq!(&buf[..6], b"logout");
    assert_eq!(next(io, &ours, &mut buf), 0);
    assert_eq!(io.recv(ours.as_fd(), &mut buf).unwrap(), Some(0), "a close stays a close");
}

fn a_half_closed_stream_still_sends(io: &mut dyn Io) {
    let (ours, mut peer) = pair();
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(next(io, &ours, &mut [0; 8]), 0);
    assert_eq!(io.send(ours.as_fd(), b"logout").unwrap(), 6);
    let mut buf = [0; 6];
    peer.read_exact(&mut buf).unwrap();
    assert_eq!(&buf, b"logout");
}

fn a_reset_is_an_error(io: &mut dyn Io) {
    let (ours, peer) = pair();
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    let error = eventually(|| match io.recv(ours.as_fd(), &mut [0; 8]) {
        Ok(None) => None,
        Ok(Some(len)) => panic!("{len} bytes from a reset connection"),
        Err(error) => Some(error),
    });
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

fn a_shutdown_by_another_handle_is_seen(io: &mut dyn Io) {
    let (ours, mut peer) = pair();
    let watchdog = ours.try_clone().unwrap();
    std::thread::spawn(move || watchdog.shutdown().unwrap()).join().unwrap();
    assert_eq!(next(io, &ours, &mut [0; 8]), 0);
    assert_eq!(io.send(ours.as_fd(), b"order").unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0);
}

fn sending_to_a_closed_peer_ends_in_an_error(io: &mut dyn Io) {
    let (ours, peer) = pair();
    drop(peer);
    let error = eventually(|| io.send(ours.as_fd(), b"order").err());
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
}

fn one_byte_at_a_time(io: &mut dyn Io) {
    let (ours, mut peer) = pair();
    peer.set_nodelay(true).unwrap();
    let message = b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01";
    let mut coming = ReceiveBuffer::with_capacity(64);
    for (count, byte) in message.iter().enumerate() {
        peer.write_all(&[*byte]).unwrap();
        assert_eq!(eventually(|| coming.fill(io, ours.as_fd()).unwrap()), 1);
        assert_eq!(coming.bytes(), &message[..=count]);
        assert_eq!(coming.fill(io, ours.as_fd()).unwrap(), None);
    }
    // And out: each byte by itself.
    for byte in message {
        assert_eq!(io.send(ours.as_fd(), &[*byte]).unwrap(), 1);
    }
    let mut buf = vec![0; message.len()];
    peer.read_exact(&mut buf).unwrap();
    assert_eq!(buf, message);
}

fn no_room_is_not_a_close(io: &mut dyn Io) {
    let (ours, mut peer) = pair();
    peer.write_all(b"order").unwrap();
    assert_eq!(next(io, &ours, &mut [0; 4]), 4);
    assert_eq!(io.recv(ours.as_fd(), &mut []).unwrap(), None);
    assert_eq!(io.send(ours.as_fd(), &[]).unwrap(), 0);
    assert_eq!(next(io, &ours, &mut [0; 4]), 1);
}

fn many_reconnects_on_one_io(io: &mut dyn Io) {
    let listener = Listener::bind(any_port()).unwrap();
    let mut coming = ReceiveBuffer::with_capacity(64);
    let mut waiting = SendBuffer::with_capacity(64);
    for number in 0..300_u32 {
        let client = connect(listener.local_address(), TIMEOUT).unwrap();
        let server = accept(&listener);
        assert_eq!(server.peer_address(), client.local_address());
        waiting.push(&number.to_be_bytes()).unwrap();
        assert_eq!(waiting.flush(io, client.as_fd()).unwrap(), 4);
        assert_eq!(eventually(|| coming.fill(io, server.as_fd()).unwrap()), 4);
        assert_eq!(coming.bytes(), number.to_be_bytes());
        coming.clear();
        // The closer waits out the port, so let the ends take turns.
        let (first, second) = if number % 2 == 0 { (client, server) } else { (server, client) };
        drop(first);
        assert_eq!(next(io, &second, &mut [0; 8]), 0);
    }
}

fn many_sockets_on_one_io(io: &mut dyn Io) {
    let listener = Listener::bind(any_port()).unwrap();
    let streams: Vec<(Stream, Stream)> = (0..64)
        .map(|_| {
            let client = connect(listener.local_address(), TIMEOUT).unwrap();
            (client, accept(&listener))
        })
        .collect();
    let local = std::net::SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let sockets: Vec<Socket> = (0..16).map(|_| Socket::bind(local).unwrap()).collect();
    for round in 0..10_u8 {
        for (number, (client, _)) in (0..64_u8).zip(&streams) {
            assert_eq!(io.send(client.as_fd(), &[round, number]).unwrap(), 2);
        }
        for (number, socket) in (0..16_u8).zip(&sockets) {
            io.send_to(sockets[0].as_fd(), &[round, number], socket.local_address()).unwrap();
        }
        let mut buf = [0; 8];
        for (number, (_, server)) in (0..64_u8).zip(&streams).rev() {
            assert_eq!(next(io, server, &mut buf), 2);
            assert_eq!(buf[..2], [round, number]);
        }
        for (number, socket) in (0..16_u8).zip(&sockets).rev() {
            let datagram = eventually(|| io.recv_datagram(socket.as_fd(), &mut buf).unwrap());
            assert_eq!(buf[..datagram.len], [round, number]);
        }
    }
}

fn what_is_no_socket_is_an_error_and_disturbs_nothing(io: &mut dyn Io) {
    let file = std::fs::File::open("/dev/null").unwrap();
    let listening = Listener::bind(any_port()).unwrap();
    let not_connected = TcpListener::bind(any_port()).unwrap();
    for fd in [file.as_fd(), not_connected.as_fd()] {
        assert!(io.recv(fd, &mut [0; 8]).is_err());
        assert!(io.send(fd, b"order").is_err());
    }
    assert!(io.recv_datagram(file.as_fd(), &mut [0; 8]).is_err());
    let client = connect(listening.local_address(), TIMEOUT).unwrap();
    let server = accept(&listening);
    assert_eq!(io.send(client.as_fd(), b"order").unwrap(), 5);
    assert_eq!(next(io, &server, &mut [0; 8]), 5);
}
