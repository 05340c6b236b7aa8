//! UDP over IPv4: unicast, multicast, kernel receive times.
//!
//! Sockets are non-blocking from the start; datagrams go through [`Io`](crate::Io). Only
//! [`multicast_works`] waits: it is for the start of a program.

use crate::{message, stamp};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use socket2::{Domain, Protocol, SockAddr, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// A bound, non-blocking UDP socket.
#[derive(Debug)]
pub struct Socket {
    inner: socket2::Socket,
    local: SocketAddrV4,
}

impl Socket {
    /// Receives and sends unicast at `address`; port 0 lets the system choose one.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`, and what else the system reports.
    pub fn bind(address: SocketAddrV4) -> io::Result<Self> {
        Socket::finish(Socket::unbound()?, address)
    }

    /// Receives what is sent to the multicast `group` and port, on the interface that has the
    /// address `interface`. Other sockets may join the same group and port: each gets every
    /// datagram. Port 0 lets the system choose one.
    ///
    /// # Errors
    /// `InvalidInput` if `group` is no multicast address; `NoSuchDevice` (as the system reports it)
    /// if no interface has that address.
    pub fn join(group: SocketAddrV4, interface: Ipv4Addr) -> io::Result<Self> {
        if !group.ip().is_multicast() {
            let text =
                format!("{} is no multicast group; use 224.0.0.0 to 239.255.255.255", group.ip());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let socket = Socket::unbound()?;
        socket.set_reuse_address(true)?;
        // Only what this socket has joined, not what others of this host have.
        socket.set_multicast_all_v4(false)?;
        socket.join_multicast_v4(group.ip(), &interface)?;
        Socket::finish(socket, group)
    }

    /// Sends from a port of the system's choice at `interface`, multicast as well as unicast.
    /// Multicast also reaches this host; `ttl` 0 keeps it there, 1 keeps it in this network.
    ///
    /// It is not connected to where it sends, so a unicast peer that is not there yet is no error.
    ///
    /// # Errors
    /// `AddrNotAvailable` if no interface has that address; what else the system reports.
    pub fn sender(interface: Ipv4Addr, ttl: u32) -> io::Result<Self> {
        let socket = Socket::unbound()?;
        socket.set_multicast_if_v4(&interface)?;
        socket.set_multicast_loop_v4(true)?;
        socket.set_multicast_ttl_v4(ttl)?;
        Socket::finish(socket, SocketAddrV4::new(interface, 0))
    }

    fn unbound() -> io::Result<socket2::Socket> {
        let socket = socket2::Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    fn finish(inner: socket2::Socket, address: SocketAddrV4) -> io::Result<Self> {
        inner.bind(&SockAddr::from(address))?;
        let local = inner.local_addr()?.as_socket_ipv4();
        let local = local.ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Socket { inner, local })
    }

    /// Where it is bound, with the port that the system chose. For a joined socket: its group.
    #[must_use]
    pub fn local_address(&self) -> SocketAddrV4 {
        self.local
    }

    /// Asks the kernel to hold up to `bytes` of datagrams; gives back how many it will. Less than
    /// asked: raise `net.core.rmem_max`. (The kernel counts its own overhead in, so that small
    /// datagrams fill it sooner.)
    ///
    /// # Errors
    /// What the system reports. A cut is not an error.
    pub fn set_receive_buffer(&self, bytes: usize) -> io::Result<usize> {
        self.inner.set_recv_buffer_size(bytes)?;
        // The kernel doubles what it grants, for its overhead, and reports the double.
        Ok(self.inner.recv_buffer_size()? / 2)
    }

    /// Asks the kernel to say when it got each datagram
    /// ([`Datagram::kernel_time`](crate::Datagram::kernel_time)).
    ///
    /// # Errors
    /// What the system reports.
    pub fn enable_kernel_times(&self) -> io::Result<()> {
        message::enable_kernel_times(self.as_fd())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// A group that is never routed (RFC 2365, organisation-local scope).
const PROBE_GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 84, 76), 0);
const PROBE_WAIT: Duration = Duration::from_millis(500);

/// Sends one multicast datagram to this host through `interface` and waits for it, half a second at
/// most. Containers often have no multicast; feeds must then go by unicast.
///
/// # Errors
/// One line that says what failed.
pub fn multicast_works(interface: Ipv4Addr) -> Result<(), String> {
    match probe(interface) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("multicast sent through {interface} does not come back")),
        Err(error) => Err(format!("no multicast through {interface}: {error}")),
    }
}

fn probe(interface: Ipv4Addr) -> io::Result<bool> {
    let receiver = Socket::join(PROBE_GROUP, interface)?;
    let sender = Socket::sender(interface, 0)?;
    let token = stamp::now().to_ne_bytes();
    sender.inner.send_to(&token, &SockAddr::from(receiver.local))?;
    receiver.inner.set_nonblocking(false)?;
    receiver.inner.set_read_timeout(Some(PROBE_WAIT))?;
    let mut bytes = [0; 8];
    match rustix::net::recv(&receiver, &mut bytes, RecvFlags::empty()) {
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
        Ok((len, _)) => Ok(bytes[..len] == token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_must_be_a_group() {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let error = Socket::join(address, Ipv4Addr::LOCALHOST).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn no_multicast_through_an_address_that_is_not_here() {
        // TEST-NET-1 (RFC 5737) belongs to no host.
        let text = multicast_works(Ipv4Addr::new(192, 0, 2, 1)).unwrap_err();
        assert!(text.starts_with("no multicast through 192.0.2.1: "), "{text}");
    }

    #[test]
    fn the_kernel_says_how_much_it_holds() {
        let socket = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert_eq!(socket.set_receive_buffer(65_536).unwrap(), 65_536);
        let cut = socket.set_receive_buffer(usize::try_from(i32::MAX / 2).unwrap()).unwrap();
        assert!((65_536..i32::MAX as usize / 2).contains(&cut), "{cut}");
    }
}
