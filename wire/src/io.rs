//! The one trait behind which every socket is read and written.
//!
//! It names no backend and no protocol. Nothing here may block, allocate or keep a caller's buffer.

use crate::batch::Batch;
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::BorrowedFd;

/// Reads and writes sockets without waiting, whatever mode the sockets are in.
///
/// One `Io` serves any number of sockets, and every connection that replaces another. It belongs to
/// the thread that first uses it: it may be made on one thread and moved to another, but after its
/// first use it must stay where it is (io_uring refuses other threads with an error).
pub trait Io: Send {
    /// Receives from a connected stream into `buf`. `None`: nothing is there yet, or `buf` is empty.
    /// `Some(0)`: the peer has closed its side. Of a UDP socket it is the next datagram without its
    /// envelope, which is cheaper, cut without a word if `buf` is too short.
    ///
    /// # Errors
    /// What the socket reports, for example a reset; the connection is then of no more use.
    fn recv(&mut self, fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Option<usize>>;

    /// As [`recv`](Io::recv) of a stream that [asks for times](crate::tcp::Options::kernel_times): says
    /// also when the kernel got the last of these bytes, if it noted that. It costs more, also when
    /// nothing is there.
    ///
    /// # Errors
    /// As [`recv`](Io::recv).
    fn recv_timed(&mut self, fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Option<Timed>>;

    /// Receives one IPv4 datagram into `buf`. `None`: nothing is there yet.
    ///
    /// # Errors
    /// What the socket reports.
    fn recv_datagram(&mut self, fd: BorrowedFd<'_>, buf: &mut [u8])
    -> io::Result<Option<Datagram>>;

    /// Receives at most `most` IPv4 datagrams by one call of the system, in place of those that
    /// `batch` held; says how many came. Worth its price only where a queue has grown.
    ///
    /// # Errors
    /// What the socket reports; nothing was received then.
    fn recv_batch(
        &mut self,
        fd: BorrowedFd<'_>,
        batch: &mut Batch,
        most: usize,
    ) -> io::Result<usize> {
        batch.fill(fd, most)
    }

    /// Gives `bytes` to a connected socket; says how many it took. 0: it is full now, try later.
    /// (Of no bytes it takes none.)
    ///
    /// # Errors
    /// What the socket reports, for example a broken pipe. A full socket is not an error.
    fn send(&mut self, fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize>;

    /// Sends `bytes` as one datagram to `to`; says how many were taken. 0: full now, try later.
    /// (Of no bytes nothing is sent.)
    ///
    /// # Errors
    /// What the socket reports, for example a datagram that is too long.
    fn send_to(&mut self, fd: BorrowedFd<'_>, bytes: &[u8], to: SocketAddrV4) -> io::Result<usize>;

    /// The backend's name as the configuration writes it: `io_uring` or `plain`.
    fn name(&self) -> &'static str;
}

/// What is known of a stream's bytes that came together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timed {
    /// How many came.
    pub len: usize,
    /// When the kernel got the last of them, in nanoseconds since 1970 UTC: of several segments it
    /// tells the time of the last, and keeps none of the others.
    pub kernel_time: Option<u64>,
}

/// What is known of a datagram beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Bytes written to the buffer.
    pub len: usize,
    /// The datagram was longer than the buffer; the rest is lost.
    pub truncated: bool,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// When the kernel got it, in nanoseconds since 1970 UTC, if the socket asks for that
    /// ([`Socket::enable_kernel_times`](crate::udp::Socket::enable_kernel_times)).
    pub kernel_time: Option<u64>,
    /// The [stamp](crate::stamp::now) right after the receive.
    pub received: u64,
}

/// Flags of every receive: never wait.
pub(crate) const RECV_FLAGS: i32 = libc::MSG_DONTWAIT;

/// "Nothing yet" is an answer, not an error. A call that was cancelled received nothing.
pub(crate) fn received<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR | libc::ECANCELED) => Ok(None),
            _ => Err(error),
        },
    }
}

/// "Full" is an answer, not an error. A call that was cancelled sent nothing.
pub(crate) fn sent(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Ok(taken) => Ok(taken),
        Err(error) => match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR | libc::ECANCELED | libc::ENOBUFS) => Ok(0),
            _ => Err(error),
        },
    }
}
