//! TCP: connecting, listening, accepting.
//!
//! Streams and listeners are non-blocking from the start and wait for nothing; bytes go through
//! [`Io`](crate::Io). Only [`connect`] blocks: it is for the thread that makes connections.

use socket2::SockRef;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// A connected, non-blocking stream that sends small writes at once.
#[derive(Debug)]
pub struct Stream {
    inner: TcpStream,
    local: SocketAddr,
    peer: SocketAddr,
}

impl Stream {
    /// Takes over a connected stream, dialled or accepted.
    ///
    /// # Errors
    /// `NotConnected` if it is not connected any more; what the system reports.
    pub fn new(inner: TcpStream) -> io::Result<Self> {
        inner.set_nonblocking(true)?;
        inner.set_nodelay(true)?;
        let (local, peer) = (inner.local_addr()?, inner.peer_addr()?);
        Ok(Stream { inner, local, peer })
    }

    /// This end.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The other end.
    #[must_use]
    pub fn peer_address(&self) -> SocketAddr {
        self.peer
    }

    /// A second handle to the same connection, for a watchdog that may have to shut it down.
    ///
    /// # Errors
    /// What the system reports, for example too many open files.
    pub fn try_clone(&self) -> io::Result<Stream> {
        let inner = self.inner.try_clone()?;
        Ok(Stream { inner, local: self.local, peer: self.peer })
    }

    /// Ends the connection in both directions, after what was already sent. Every handle sees it.
    ///
    /// # Errors
    /// What the system reports. A connection that is already gone is not an error.
    pub fn shutdown(&self) -> io::Result<()> {
        match self.inner.shutdown(Shutdown::Both) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Accepts connections without waiting.
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
    local: SocketAddr,
}

impl Listener {
    /// Listens on `address`; port 0 lets the system choose one.
    ///
    /// # Errors
    /// `AddrInUse`, and what else the system reports.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let inner = TcpListener::bind(address)?;
        inner.set_nonblocking(true)?;
        let local = inner.local_addr()?;
        Ok(Listener { inner, local })
    }

    /// Where it listens, with the port that the system chose.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The next connection. `None`: nobody waits.
    ///
    /// # Errors
    /// What the system reports, for example too many open files. A peer that left before it was
    /// accepted is not an error.
    pub fn accept(&self) -> io::Result<Option<Stream>> {
        use io::ErrorKind::{ConnectionAborted, Interrupted, NotConnected, WouldBlock};
        match self.inner.accept().and_then(|(inner, _)| Stream::new(inner)) {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                WouldBlock | ConnectionAborted | Interrupted | NotConnected => Ok(None),
                _ => Err(error),
            },
        }
    }
}

/// Connects to `peer`; blocks for `timeout` at most.
///
/// # Errors
/// `TimedOut`, `ConnectionRefused`, and what else the system reports.
pub fn connect(peer: SocketAddr, timeout: Duration) -> io::Result<Stream> {
    not_itself(Stream::new(TcpStream::connect_timeout(&peer, timeout)?)?)
}

/// Where nobody listens on a local port, the system may choose that very port for our end, and the
/// socket connects to itself. It would read its own orders and keep the port from its owner.
fn not_itself(stream: Stream) -> io::Result<Stream> {
    if stream.local == stream.peer {
        // A reset frees the port at once, where a close would leave it waiting.
        SockRef::from(&stream.inner).set_linger(Some(Duration::ZERO))?;
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, SockAddr, Socket, Type};
    use std::net::Ipv4Addr;

    const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn a_stream_to_itself_is_a_refusal_and_frees_the_port() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::from(ANY_PORT)).unwrap();
        let own = socket.local_addr().unwrap();
        socket.connect(&own).unwrap();
        let stream = Stream::new(socket.into()).unwrap();
        assert_eq!(stream.local_address(), stream.peer_address());

        let error = not_itself(stream).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        Listener::bind(own.as_socket().unwrap()).unwrap();
    }

    #[test]
    fn nobody_listening_is_refused() {
        // Bound, so that no other test gets the port, but not listening.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::from(ANY_PORT)).unwrap();
        let peer = socket.local_addr().unwrap().as_socket().unwrap();
        let error = connect(peer, Duration::from_secs(5)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn nobody_waiting_is_none() {
        assert!(Listener::bind(ANY_PORT).unwrap().accept().unwrap().is_none());
    }

    #[test]
    fn a_taken_port_is_an_error() {
        let first = Listener::bind(ANY_PORT).unwrap();
        let error = Listener::bind(first.local_address()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn shutting_down_twice_is_no_error() {
        let listener = Listener::bind(ANY_PORT).unwrap();
        let stream = connect(listener.local_address(), Duration::from_secs(5)).unwrap();
        let watchdog = stream.try_clone().unwrap();
        watchdog.shutdown().unwrap();
        stream.shutdown().unwrap();
    }
}
