//! No call of either backend allocates, from its first use on. The only test in its file, since a
//! program has one allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::AsFd;
use wire::tcp::{Listener, connect};
use wire::udp::Socket;
use wire::{Backend, Io, ReceiveBuffer, SendBuffer};

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
    let client = connect(listener.local_address(), std::time::Duration::from_secs(10)).unwrap();
    let server = loop {
        if let Some(server) = listener.accept().unwrap() {
            break server;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    let (mut out, mut back) = (SendBuffer::with_capacity(64), ReceiveBuffer::with_capacity(64));
    let mut buf = [0; 64];
    let (mut datagrams, mut bytes) = (0, 0);

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
    }
    let allocations = ALLOCATIONS.get() - before;
    assert!(datagrams > 0 && bytes > 0, "{datagrams} datagrams, {bytes} bytes");
    allocations
}

#[test]
fn no_call_allocates() {
    for backend in [Backend::Plain, Backend::Auto] {
        let mut opened = wire::open(backend).unwrap();
        assert_eq!(traffic(&mut *opened.io), 0, "{}", opened.io.name());
    }
    // The counter itself works.
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(ALLOCATIONS.get() - before, 1);
}
