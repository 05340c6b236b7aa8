//! The envelope of what came as the kernel knows it: `msghdr`, sender and control messages.
//!
//! Shared by both backends, and by [`crate::Batch`]. It parses control messages byte by byte and trusts
//! no length in them.
#![allow(unsafe_code)]

use crate::io::{Datagram, RECV_FLAGS};
use crate::stamp;
use std::io;
use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, BorrowedFd};

/// One control message of a `timespec` needs 32 bytes; the rest is for what others may switch on.
const CONTROL_BYTES: usize = 64;

#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

/// Where the kernel writes everything of a datagram, or of a stream's bytes, but the bytes.
pub(crate) struct Envelope {
    header: libc::msghdr,
    part: libc::iovec,
    name: libc::sockaddr_in,
    control: Control,
}

impl Envelope {
    /// An empty envelope.
    pub(crate) fn new() -> Self {
        // SAFETY: all of it is integers and pointers of C, for which zero is a value.
        unsafe { std::mem::zeroed() }
    }

    /// Points the header at this envelope and at `buf`. The pointer is good for one receive, as long
    /// as neither moves nor is touched otherwise.
    pub(crate) fn address(&mut self, buf: &mut [u8]) -> *mut libc::msghdr {
        self.part = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
        self.header.msg_iov = &raw mut self.part;
        self.header.msg_iovlen = 1;
        self.header.msg_name = (&raw mut self.name).cast();
        self.header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        self.header.msg_control = (&raw mut self.control).cast();
        self.header.msg_controllen = CONTROL_BYTES as _;
        &raw mut self.header
    }

    /// What the kernel said of a datagram of which it wrote `len` bytes.
    pub(crate) fn open(&self, len: usize) -> Datagram {
        let received = stamp::now();
        Datagram {
            len,
            truncated: self.header.msg_flags & libc::MSG_TRUNC != 0,
            from: sender(&self.name),
            kernel_time: self.kernel_time(),
            received,
        }
    }

    /// When the kernel got what the last receive brought, if it said so.
    #[allow(clippy::unnecessary_cast)] // The C library chooses the width of `msg_controllen`.
    pub(crate) fn kernel_time(&self) -> Option<u64> {
        let control = (self.header.msg_controllen as usize).min(CONTROL_BYTES);
        kernel_time(&self.control.0[..control])
    }
}

/// Where the kernel writes everything of several datagrams but their bytes.
struct Heads<const N: usize> {
    headers: [libc::mmsghdr; N],
    parts: [libc::iovec; N],
    names: [libc::sockaddr_in; N],
    /// Of the first datagram.
    control: Control,
}

impl<const N: usize> Heads<N> {
    fn new() -> Self {
        // SAFETY: all of it is integers and pointers of C, for which zero is a value.
        unsafe { std::mem::zeroed() }
    }
}

/// `recvmmsg` without waiting, a datagram into each place. Says how many came, and puts what is known
/// of them into `datagrams`, which bounds their number too.
pub(crate) fn recvmmsg<'a, const N: usize>(
    fd: BorrowedFd<'_>,
    places: impl Iterator<Item = &'a mut [u8]>,
    datagrams: &mut [Option<Datagram>; N],
) -> io::Result<usize> {
    let Heads { mut headers, mut parts, mut names, mut control } = Heads::<N>::new();
    // The kernel's time of the first says how long any of them can have waited.
    if let Some(first) = headers.first_mut() {
        first.msg_hdr.msg_control = (&raw mut control).cast();
        first.msg_hdr.msg_controllen = CONTROL_BYTES as _;
    }
    let mut count = 0;
    for ((header, place), (part, name)) in
        headers.iter_mut().zip(places).zip(parts.iter_mut().zip(&mut names))
    {
        *part = libc::iovec { iov_base: place.as_mut_ptr().cast(), iov_len: place.len() };
        header.msg_hdr.msg_iov = &raw mut *part;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_name = (&raw mut *name).cast();
        header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        count += 1;
    }
    // SAFETY: the first `count` headers point at parts, names and places of their own, and the first
    // at `control`, all of them borrowed for this function; the kernel keeps none of it after the call.
    let result = unsafe {
        let headers = headers.as_mut_ptr();
        libc::recvmmsg(fd.as_raw_fd(), headers, count, RECV_FLAGS, std::ptr::null_mut())
    };
    let got = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
    let received = stamp::now();
    for ((slot, header), name) in datagrams.iter_mut().zip(&headers[..got]).zip(&names) {
        *slot = Some(Datagram {
            len: header.msg_len as usize,
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            from: sender(name),
            kernel_time: None,
            received,
        });
    }
    if let (Some(Some(first)), Some(header)) = (datagrams[..got].first_mut(), headers.first()) {
        #[allow(clippy::unnecessary_cast)] // The C library chooses the width of `msg_controllen`.
        let len = (header.msg_hdr.msg_controllen as usize).min(CONTROL_BYTES);
        first.kernel_time = kernel_time(&control.0[..len]);
    }
    Ok(got)
}

fn sender(name: &libc::sockaddr_in) -> SocketAddrV4 {
    let address = Ipv4Addr::from_bits(u32::from_be(name.sin_addr.s_addr));
    SocketAddrV4::new(address, u16::from_be(name.sin_port))
}

/// `recvmsg` without waiting. Gives back how many bytes of `buf` were written.
pub(crate) fn recvmsg(
    fd: BorrowedFd<'_>,
    envelope: &mut Envelope,
    buf: &mut [u8],
) -> io::Result<usize> {
    let header = envelope.address(buf);
    // SAFETY: the header points at `envelope` and `buf`, both borrowed for this call, and the kernel
    // keeps none of it after the call.
    let result = unsafe { libc::recvmsg(fd.as_raw_fd(), header, RECV_FLAGS) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Asks the kernel to send a time with all that comes (`SO_TIMESTAMPNS`).
pub(crate) fn enable_kernel_times(fd: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the pointer and the length describe `on`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The kernel's time among the control messages, in nanoseconds since 1970 UTC. Layout: cmsg(3).
fn kernel_time(mut control: &[u8]) -> Option<u64> {
    const WORD: usize = size_of::<usize>();
    const HEAD: usize = (WORD + 8).next_multiple_of(WORD);
    while control.len() >= HEAD {
        let length = word(&control[..WORD])?;
        let level = i32::from_ne_bytes(control[WORD..WORD + 4].try_into().ok()?);
        let kind = i32::from_ne_bytes(control[WORD + 4..WORD + 8].try_into().ok()?);
        let data = control.get(HEAD..length)?;
        if level == libc::SOL_SOCKET && kind == libc::SO_TIMESTAMPNS {
            let seconds = word(data.get(..WORD)?)? as u64;
            let nanoseconds = word(data.get(WORD..2 * WORD)?)? as u64;
            return seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds);
        }
        control = control.get(length.next_multiple_of(WORD)..)?;
    }
    None
}

fn word(bytes: &[u8]) -> Option<usize> {
    bytes.try_into().ok().map(usize::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(length: usize, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(libc::SOL_SOCKET.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes
    }

    fn time() -> Vec<u8> {
        [5_usize.to_ne_bytes(), 7_usize.to_ne_bytes()].concat()
    }

    #[test]
    fn finds_the_time_behind_another_message() {
        let mut bytes = control(20, libc::SO_RXQ_OVFL, &[0; 8]);
        bytes.extend(control(32, libc::SO_TIMESTAMPNS, &time()));
        assert_eq!(kernel_time(&bytes), Some(5_000_000_007));
    }

    #[test]
    fn lengths_that_lie_give_no_time() {
        for length in [0, 1, 15, 16, 24, 33, 1 << 40, usize::MAX - 7] {
            let bytes = control(length, libc::SO_TIMESTAMPNS, &time());
            assert_eq!(kernel_time(&bytes), None, "length {length}");
        }
        let whole = control(32, libc::SO_TIMESTAMPNS, &time());
        for cut in 0..whole.len() {
            assert_eq!(kernel_time(&whole[..cut]), None, "cut at {cut}");
        }
    }
}
