//! The plain backend: one non-blocking system call for each receive and send.
//!
//! It holds nothing and can be refused by no host. It is no slower than io_uring for single messages,
//! so it is a full backend and not a last resort.

use crate::io::{Datagram, Io, Timed, received, sent};
use crate::message::{Envelope, recvmsg};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::BorrowedFd;

/// Plain sockets.
pub(crate) struct Plain;

/// Never wait, and no signal when the peer is gone.
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// [`Io::send`] by one system call.
#[inline]
pub(crate) fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    sent(rustix::net::send(fd, bytes, SEND).map_err(io::Error::from))
}

/// [`Io::send_to`] by one system call.
#[inline]
pub(crate) fn send_to(fd: BorrowedFd<'_>, bytes: &[u8], to: SocketAddrV4) -> io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    sent(rustix::net::sendto(fd, bytes, SEND, &to).map_err(io::Error::from))
}

impl Io for Plain {
    fn recv(&mut self, fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Option<usize>> {
        if buf.is_empty() {
            return Ok(None);
        }
        // As `received`, for an errno that need not become an error first: polls mostly fail.
        match rustix::net::recv(fd, buf, RecvFlags::DONTWAIT) {
            Ok((len, _)) => Ok(Some(len)),
            Err(Errno::AGAIN | Errno::INTR | Errno::CANCELED) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn recv_timed(&mut self, fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Option<Timed>> {
        if buf.is_empty() {
            return Ok(None);
        }
        let mut envelope = Envelope::new();
        let len = received(recvmsg(fd, &mut envelope, buf))?;
        Ok(len.map(|len| Timed { len, kernel_time: envelope.kernel_time() }))
    }

    fn recv_datagram(
        &mut self,
        fd: BorrowedFd<'_>,
        buf: &mut [u8],
    ) -> io::Result<Option<Datagram>> {
        let mut envelope = Envelope::new();
        let len = received(recvmsg(fd, &mut envelope, buf))?;
        Ok(len.map(|len| envelope.open(len)))
    }

    fn send(&mut self, fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        send(fd, bytes)
    }

    fn send_to(&mut self, fd: BorrowedFd<'_>, bytes: &[u8], to: SocketAddrV4) -> io::Result<usize> {
        send_to(fd, bytes, to)
    }

    fn name(&self) -> &'static str {
        "plain"
    }
}
