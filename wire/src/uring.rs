//! The io_uring backend: one ring, made once, one operation in flight at most.
//!
//! Each receive queues one RECV or RECVMSG with `MSG_DONTWAIT`, which the kernel completes within the
//! same `io_uring_enter`. A send is a plain call: there is nothing to wait for, one at a time is what
//! an engine has, and through the ring each costs some hundred nanoseconds more. The kernel must
//! never hold a pointer of the caller after a call has returned: what does not complete at once is
//! cancelled and awaited, and an entry that the kernel does not even take makes the ring unusable, so
//! that it is never handed over later.
//! The ring may do nothing but these two operations, whatever may be written into it.
#![allow(unsafe_code)]

use crate::io::{Datagram, Io, RECV_FLAGS, Timed, received};
use crate::message::Envelope;
use crate::plain;
use io_uring::register::Restriction;
use io_uring::types::{CancelBuilder, Fd};
use io_uring::{IoUring, opcode, squeue};
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, BorrowedFd};

/// One operation is in flight at most; a few entries cost no more than one.
const ENTRIES: u32 = 8;
/// How often an entry is offered to a kernel that is short of memory.
const SUBMIT_TRIES: usize = 64;
/// How often the kernel is asked for a late completion before the operation is cancelled.
const REAP_TRIES: usize = 64;
/// `IORING_REGISTER_SYNC_CANCEL` of `linux/io_uring.h`.
const REGISTER_SYNC_CANCEL: u8 = 24;

/// How to set up the ring, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    /// Completions run when the owner asks for them (Linux 6.1).
    Deferred,
    /// Completions run when the owner enters the kernel (Linux 6.0).
    Cooperative,
}

/// Makes a ring that does nothing yet: it takes its first user as its only one.
pub(crate) fn set_up(setup: Setup) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    builder.setup_single_issuer().setup_taskrun_flag().setup_submit_all().setup_r_disabled();
    match setup {
        Setup::Deferred => builder.setup_defer_taskrun(),
        Setup::Cooperative => builder.setup_coop_taskrun(),
    };
    let ring = builder.build(ENTRIES)?;
    ring.submitter().register_restrictions(&mut [
        Restriction::sqe_op(opcode::Recv::CODE),
        Restriction::sqe_op(opcode::RecvMsg::CODE),
        Restriction::register_op(REGISTER_SYNC_CANCEL),
    ])?;
    // A ring that is not enabled yet answers EBADFD; anything else comes from a filter before it.
    match ring.submit() {
        Err(error) if error.raw_os_error() != Some(libc::EBADFD) => Err(error),
        _ => Ok(ring),
    }
}

/// Sockets over one ring.
pub(crate) struct Uring {
    ring: IoUring,
    state: State,
    /// Names the operation in flight.
    sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No thread owns the ring yet.
    Unowned,
    Ready,
    /// An entry stands in the queue that the kernel must not see any more.
    Broken,
}

impl Uring {
    pub(crate) fn new(ring: IoUring) -> Self {
        Uring { ring, state: State::Unowned, sequence: 0 }
    }

    /// Runs one operation to its end.
    ///
    /// # Safety
    /// Every pointer in `entry` must be good for what the operation does until this returns.
    unsafe fn run(&mut self, entry: &squeue::Entry) -> io::Result<usize> {
        if self.state != State::Ready {
            self.own()?;
        }
        self.sequence += 1;
        let entry = entry.clone().user_data(self.sequence);
        // SAFETY: the caller vouches for the pointers until this returns. By then the operation has
        // completed (`reap`, `settle`), or the kernel has not taken the entry and never will
        // (`State::Broken`).
        let queued = unsafe { self.ring.submission().push(&entry) };
        if queued.is_err() {
            self.state = State::Broken;
            return Err(broken(&io::Error::from_raw_os_error(libc::EBUSY)));
        }
        self.submit()?;
        let result = match self.reap() {
            Some(result) => result,
            None => self.settle(),
        };
        usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))
    }

    /// One RECVMSG: the bytes into `buf`, everything else into `envelope`.
    fn recv_message(
        &mut self,
        fd: BorrowedFd<'_>,
        envelope: &mut Envelope,
        buf: &mut [u8],
    ) -> io::Result<Option<usize>> {
        let entry = opcode::RecvMsg::new(Fd(fd.as_raw_fd()), envelope.address(buf))
            .flags(RECV_FLAGS.cast_unsigned())
            .build();
        // SAFETY: the header points at `envelope` and at `buf`, both borrowed mutably until `run`
        // returns.
        received(unsafe { self.run(&entry) })
    }

    /// The first use: this thread becomes the ring's only one.
    #[cold]
    fn own(&mut self) -> io::Result<()> {
        if self.state == State::Broken {
            return Err(broken(&io::Error::from_raw_os_error(libc::ESHUTDOWN)));
        }
        self.ring.submitter().register_enable_rings()?;
        self.state = State::Ready;
        Ok(())
    }

    /// Hands the one queued entry to the kernel.
    fn submit(&mut self) -> io::Result<()> {
        let mut refusal = io::Error::from_raw_os_error(libc::EAGAIN);
        for _ in 0..SUBMIT_TRIES {
            match self.ring.submit() {
                Ok(1..) => return Ok(()),
                Ok(0) => {}
                Err(error) => refusal = error,
            }
            // The queue knows best: an entry that was taken must be awaited, whatever was said.
            if self.ring.submission().is_empty() {
                return Ok(());
            }
            if !matches!(refusal.raw_os_error(), Some(libc::EAGAIN | libc::EBUSY | libc::EINTR)) {
                break;
            }
        }
        self.state = State::Broken;
        Err(broken(&refusal))
    }

    /// The result of the operation in flight, if it is there.
    fn reap(&mut self) -> Option<i32> {
        let sequence = self.sequence;
        self.ring.completion().find(|entry| entry.user_data() == sequence).map(|e| e.result())
    }

    /// Ends an operation that did not complete at once. `MSG_DONTWAIT` should never let it come to
    /// this; memory safety must not hang on "should".
    #[cold]
    fn settle(&mut self) -> i32 {
        for _ in 0..REAP_TRIES {
            // With nothing queued this only runs the kernel's deferred work. Errors show up below.
            let _ = self.ring.submit();
            if let Some(result) = self.reap() {
                return result;
            }
        }
        // "Not found" and "already running" mean that the completion is on its way.
        let _ = self
            .ring
            .submitter()
            .register_sync_cancel(None, CancelBuilder::user_data(self.sequence));
        loop {
            if let Some(result) = self.reap() {
                return result;
            }
            match self.ring.submit_and_wait(1) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    // The kernel may still write to the caller's memory, and will not say when it
                    // is done. There is no safe way on from here.
                    std::process::abort();
                }
                _ => {}
            }
        }
    }
}

#[cold]
fn broken(cause: &io::Error) -> io::Error {
    let text = match cause.raw_os_error() {
        Some(libc::EEXIST) => "this ring belongs to the thread that used it first; \
            open one for each thread"
            .to_owned(),
        Some(libc::ESHUTDOWN) => "this ring failed before; open another, or set the backend to \
            `plain`"
            .to_owned(),
        _ => format!(
            "io_uring takes no more work ({cause}); open another ring, or set the backend \
            to `plain`"
        ),
    };
    io::Error::new(cause.kind(), text)
}

/// The kernel counts a length in 32 bits; a longer buffer is used in part.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl Io for Uring {
    fn recv(&mut self, fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Option<usize>> {
        if buf.is_empty() {
            return Ok(None);
        }
        let entry = opcode::Recv::new(Fd(fd.as_raw_fd()), buf.as_mut_ptr(), length(buf.len()))
            .flags(RECV_FLAGS)
            .build();
        // SAFETY: `buf` is borrowed mutably until `run` returns.
        received(unsafe { self.run(&entry) })
    }

    fn recv_timed(&mut self, fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Option<Timed>> {
        if buf.is_empty() {
            return Ok(None);
        }
        let mut envelope = Envelope::new();
        let len = self.recv_message(fd, &mut envelope, buf)?;
        Ok(len.map(|len| Timed { len, kernel_time: envelope.kernel_time() }))
    }

    fn recv_datagram(
        &mut self,
        fd: BorrowedFd<'_>,
        buf: &mut [u8],
    ) -> io::Result<Option<Datagram>> {
        let mut envelope = Envelope::new();
        let len = self.recv_message(fd, &mut envelope, buf)?;
        Ok(len.map(|len| envelope.open(len)))
    }

    fn send(&mut self, fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        plain::send(fd, bytes)
    }

    fn send_to(&mut self, fd: BorrowedFd<'_>, bytes: &[u8], to: SocketAddrV4) -> io::Result<usize> {
        plain::send_to(fd, bytes, to)
    }

    fn name(&self) -> &'static str {
        "io_uring"
    }
}

#[cfg(test)]
#[path = "uring_tests.rs"]
mod tests;
