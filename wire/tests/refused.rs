//! A host that really refuses io_uring: no locked memory is allowed to this process.
//!
//! The limit holds for the whole process, so this is the only test in its file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use wire::udp::Socket;
use wire::{Backend, Io};

/// One datagram there, to show that the backend works.
fn works(io: &mut dyn Io) {
    let socket = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    assert_eq!(io.send_to(socket.as_fd(), b"tick", socket.local_address()).unwrap(), 4);
    let mut buf = [0; 8];
    for _ in 0..1000 {
        if let Some(datagram) = io.recv_datagram(socket.as_fd(), &mut buf).unwrap() {
            return assert_eq!(&buf[..datagram.len], b"tick");
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("the datagram did not come");
}

#[test]
fn without_locked_memory_auto_goes_plain_and_io_uring_is_an_error() {
    let mut before = wire::open(Backend::Auto).unwrap();

    // The privileged are exempt from the limit: give that up, in this thread.
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::IPC_LOCK);
    set_capabilities(None, sets).unwrap();
    let maximum = getrlimit(Resource::Memlock).maximum;
    setrlimit(Resource::Memlock, Rlimit { current: Some(0), maximum }).unwrap();

    let mut opened = wire::open(Backend::Auto).unwrap();
    assert_eq!(opened.io.name(), "plain");
    let notice = opened.notice.take().unwrap();
    assert!(notice.ends_with("using plain sockets instead"), "{notice}");
    works(&mut *opened.io);

    let error = wire::open(Backend::IoUring).unwrap_err();
    assert!(error.to_string().contains("`plain` or `auto`"), "{error}");
    works(&mut *wire::open(Backend::Plain).unwrap().io);

    // Where the ring would have been allowed before, the refusal is the limit's and names it; and
    // the ring that already stands serves every later socket.
    if before.notice.is_none() {
        assert!(notice.contains("ulimit -l"), "{notice}");
        assert_eq!(before.io.name(), "io_uring");
        for _ in 0..200 {
            works(&mut *before.io);
        }
    }
}
