//! TCP: connecting, listening, accepting.
//!
//! Streams and listeners are non-blocking from the start and wait for nothing; bytes go through
//! [`Io`](crate::Io). Only [`connect`] and a TLS handshake block: they are for the thread that makes
//! connections.

use crate::message;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// A connected, non-blocking stream that sends small writes at once.
#[derive(Debug)]
pub struct Stream {
    inner: TcpStream,
    local: SocketAddr,
    peer: SocketAddr,
    kernel_times: bool,
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
        Ok(Stream { inner, local, peer, kernel_times: false })
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

    /// True if it [asks the kernel for times](Options::kernel_times).
    #[must_use]
    pub fn has_kernel_times(&self) -> bool {
        self.kernel_times
    }

    /// A second handle to the same connection, for a watchdog that may have to shut it down.
    ///
    /// # Errors
    /// What the system reports, for example too many open files.
    pub fn try_clone(&self) -> io::Result<Stream> {
        let inner = self.inner.try_clone()?;
        Ok(Stream { inner, ..*self })
    }

    /// The stream as one that waits, for a handshake; `false` ends that.
    pub(crate) fn waiting(&self, waits: bool) -> io::Result<&TcpStream> {
        self.inner.set_nonblocking(!waits)?;
        Ok(&self.inner)
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

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// What a connection asks of the system beyond small writes at once, which all have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Our end's address, for venues that know us by it; the system chooses when `None`.
    pub source: Option<IpAddr>,
    /// How long a receive that finds nothing polls the network card's queue itself (`SO_BUSY_POLL`,
    /// in microseconds); 0 leaves it to interrupts.
    pub busy_poll_us: u32,
    /// The kernel says when it got what [`Io::recv_timed`](crate::Io::recv_timed) reads
    /// (`SO_TIMESTAMPNS`, socket(7)). A stream has no messages, so a read has one time: that of the
    /// highest sequence number among its bytes (Linux 4.14, "tcp: Extend
    /// `SOF_TIMESTAMPING_RX_SOFTWARE` to TCP recvmsg"; `tcp_update_recv_tstamps` in `net/ipv4/tcp.c`).
    /// What came before the kernel began to note times has none.
    pub kernel_times: bool,
}

/// Connects to `peer`; blocks for `timeout` at most.
///
/// # Errors
/// `TimedOut`, `ConnectionRefused`, and what else the system reports.
pub fn connect(peer: SocketAddr, timeout: Duration) -> io::Result<Stream> {
    connect_with(peer, timeout, &Options::default())
}

/// As [`connect`], with `options`.
///
/// # Errors
/// As [`connect`]; `AddrNotAvailable` for a source address that is not this host's; what
/// [`check_kernel_times`] says.
pub fn connect_with(peer: SocketAddr, timeout: Duration, options: &Options) -> io::Result<Stream> {
    let socket = Socket::new(Domain::for_address(peer), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(source) = options.source {
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    if options.busy_poll_us > 0 {
        socket.set_busy_poll(options.busy_poll_us)?;
    }
    if options.kernel_times {
        // Before it connects: what comes first has its time too.
        enable_kernel_times(socket.as_fd())?;
    }
    socket.connect_timeout(&peer.into(), timeout)?;
    let mut stream = Stream::new(socket.into())?;
    stream.kernel_times = options.kernel_times;
    not_itself(stream)
}

/// Asks a socket that is then closed whether this host's streams can have [times of the
/// kernel](Options::kernel_times).
///
/// # Errors
/// The host refuses; the text says what.
pub fn check_kernel_times() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    enable_kernel_times(socket.as_fd())
}

fn enable_kernel_times(fd: BorrowedFd<'_>) -> io::Result<()> {
    message::enable_kernel_times(fd).map_err(|error| {
        let text = format!("this host gives no receive times of TCP (SO_TIMESTAMPNS: {error})");
        io::Error::new(error.kind(), text)
    })
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
    use socket2::SockAddr;
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
    fn options_reach_the_socket() {
        let listener = Listener::bind(ANY_PORT).unwrap();
        let source = Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9)));
        let options = Options { source, busy_poll_us: 50, kernel_times: true };
        let stream = connect_with(listener.local_address(), Duration::from_secs(5), &options);
        let stream = stream.unwrap();
        assert_eq!(Some(stream.local_address().ip()), source);
        let socket = SockRef::from(&stream.inner);
        assert_eq!(socket.busy_poll().unwrap(), 50);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(stream.has_kernel_times() && stream.try_clone().unwrap().has_kernel_times());
        // TEST-NET-1 (RFC 5737) belongs to no host.
        let source = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        let options = Options { source, ..Options::default() };
        let refused = connect_with(listener.local_address(), Duration::from_secs(5), &options);
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn what_can_have_no_times_says_so() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let text = enable_kernel_times(file.as_fd()).unwrap_err().to_string();
        assert!(
            text.starts_with("this host gives no receive times of TCP (SO_TIMESTAMPNS: "),
            "{text}"
        );
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
