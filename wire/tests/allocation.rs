//! No call of either backend allocates, from its first use on, and TLS only what its library takes for
//! a record. The only test in its file, since a program has one allocator.
#![allow(unsafe_code)]

#[path = "acceptor/mod.rs"]
mod acceptor;

use acceptor::{Authority, NAME, ONLY_1_2, ONLY_1_3};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::AsFd;
use wire::tcp::{Listener, Options, connect, connect_with};
use wire::tls::{Client, Minimum, Settings};
use wire::udp::Socket;
use wire::{Backend, Io, Link, ReceiveBuffer, SendBuffer};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is passed on to the system's allocator; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller of this function vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller of this function vouches.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Receives nothing, sends and receives, over all calls, buffers included.
fn traffic(io: &mut dyn Io) -> u64 {
    let socket = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.enable_kernel_times().unwrap();
    let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let (limit, options) =
        (std::time::Duration::from_secs(10), Options { kernel_times: true, ..Options::default() });
    let client = connect_with(listener.local_address(), limit, &options).unwrap();
    let server = loop {
        if let Some(server) = listener.accept().unwrap() {
            break server;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    let (mut out, mut back) = (SendBuffer::with_capacity(64), ReceiveBuffer::with_capacity(64));
    let mut buf = [0; 64];
    let (mut datagrams, mut bytes, mut timed) = (0, 0, 0);

    let before = ALLOCATIONS.get();
    for _ in 0..1000 {
        io.send_to(socket.as_fd(), b"tick", socket.local_address()).unwrap();
        while io.recv_datagram(socket.as_fd(), &mut buf).unwrap().is_some() {
            datagrams += 1;
        }
        if out.push(b"order").is_ok() {
            bytes += out.flush(io, client.as_fd()).unwrap();
        }
        while let Some(len) = back.fill(io, server.as_fd()).unwrap() {
            back.consume(len);
        }
        io.send(server.as_fd(), b"ack").unwrap();
        while let Some(came) = back.fill_timed(io, client.as_fd()).unwrap() {
            timed += u64::from(came.kernel_time.is_some());
            back.consume(came.len);
        }
    }
    let allocations = ALLOCATIONS.get() - before;
    assert!(datagrams > 0 && bytes > 0, "{datagrams} datagrams, {bytes} bytes");
    assert!(timed > 0, "no receive had a time");
    allocations
}

/// Messages of [`secure_traffic`], each echoed.
const MESSAGES: u64 = 500;

/// Allocations of [`MESSAGES`] sent and as many received through a link over TLS.
fn secure_traffic(io: &mut dyn Io, link: &mut Link) -> u64 {
    let (mut out, mut back) = (SendBuffer::with_capacity(256), ReceiveBuffer::with_capacity(256));
    let mut before = 0;
    for number in 0..MESSAGES + 10 {
        if number == 10 {
            before = ALLOCATIONS.get();
        }
        out.push(&[7; 200]).unwrap();
        link.flush(io, &mut out).unwrap();
        while back.bytes().len() < 200 {
            link.fill(io, &mut back).unwrap();
        }
        back.clear();
    }
    ALLOCATIONS.get() - before
}

/// A link over TLS to a server that echoes on a thread of its own.
fn echoed(authority: &Authority, versions: &[&'static rustls::SupportedProtocolVersion]) -> Link {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let timeout = std::time::Duration::from_secs(10);
    let stream = connect(listener.local_addr().unwrap(), timeout).unwrap();
    let (socket, _) = listener.accept().unwrap();
    let server = authority.identity().server(versions);
    std::thread::spawn(move || {
        let mut peer = server.accept(socket).unwrap();
        let mut buf = [0; 200];
        while peer.read_exact(&mut buf).is_ok() {
            peer.write_all(&buf).unwrap();
        }
    });
    let trust = Some(authority.pem.as_bytes());
    let settings = Settings { minimum: Minimum::V1_2, server_name: NAME, trust, pin: None };
    Client::new(&settings).unwrap().handshake(stream, timeout).unwrap()
}

#[test]
fn no_call_allocates() {
    for backend in [Backend::Plain, Backend::Auto] {
        let mut opened = wire::open(backend).unwrap();
        assert_eq!(traffic(&mut *opened.io), 0, "{}", opened.io.name());
        let authority = Authority::new();
        for versions in [ONLY_1_2, ONLY_1_3] {
            let mut link = echoed(&authority, versions);
            let taken = secure_traffic(&mut *opened.io, &mut link);
            // The library's own: a record encrypted, a record decrypted.
            assert!(taken <= 2 * MESSAGES, "{taken} allocations for {MESSAGES} messages");
        }
    }
    // The counter itself works.
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(ALLOCATIONS.get() - before, 1);
}
