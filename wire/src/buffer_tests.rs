//! The buffers against a slow twin, with an `Io` that takes and gives what the test says.

use super::*;
use crate::io::Datagram;
use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::os::fd::AsFd;

/// A connection in memory: takes at most `take` bytes a call, gives at most `give`.
#[derive(Default)]
struct Line {
    take: usize,
    give: usize,
    taken: Vec<u8>,
    coming: VecDeque<u8>,
    broken: bool,
}

impl Io for Line {
    fn recv(&mut self, _: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Option<usize>> {
        let len = self.give.min(buf.len()).min(self.coming.len());
        for (to, from) in buf.iter_mut().zip(self.coming.drain(..len)) {
            *to = from;
        }
        Ok((len > 0).then_some(len))
    }

    fn recv_timed(&mut self, fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Option<Timed>> {
        let kernel_time = Some(self.coming.len() as u64);
        Ok(self.recv(fd, buf)?.map(|len| Timed { len, kernel_time }))
    }

    fn recv_datagram(&mut self, _: BorrowedFd<'_>, _: &mut [u8]) -> io::Result<Option<Datagram>> {
        Ok(None)
    }

    fn send(&mut self, _: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let len = self.take.min(bytes.len());
        self.taken.extend(&bytes[..len]);
        Ok(len)
    }

    fn send_to(&mut self, _: BorrowedFd<'_>, _: &[u8], _: SocketAddrV4) -> io::Result<usize> {
        Ok(0)
    }

    fn name(&self) -> &'static str {
        "line"
    }
}

/// A small repeatable source of numbers (xorshift).
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    }
}

#[test]
fn what_is_pushed_leaves_in_order_whatever_the_socket_takes() {
    let stdin = std::io::stdin();
    let mut number = numbers(7);
    let mut line = Line::default();
    let mut buffer = SendBuffer::with_capacity(64);
    let mut pushed = Vec::new();
    let mut refused = 0;
    for round in 0..20_000_u32 {
        let bytes = vec![round as u8; number(40)];
        let fits = pushed.len() - line.taken.len() + bytes.len() <= 64;
        assert_eq!(buffer.push(&bytes).is_ok(), fits);
        if fits {
            pushed.extend(bytes);
        } else {
            refused += 1;
        }
        line.take = number(48);
        buffer.flush(&mut line, stdin.as_fd()).unwrap();
        assert_eq!(buffer.len(), pushed.len() - line.taken.len());
        assert_eq!(buffer.room(), 64 - buffer.len());
    }
    assert!(refused > 100, "the full buffer was met {refused} times");
    line.take = 64;
    buffer.flush(&mut line, stdin.as_fd()).unwrap();
    assert!(buffer.is_empty());
    assert!(line.taken == pushed);
}

#[test]
fn a_failed_flush_keeps_the_bytes() {
    let stdin = std::io::stdin();
    let mut line = Line { broken: true, ..Line::default() };
    let mut buffer = SendBuffer::with_capacity(8);
    buffer.push(b"order").unwrap();
    assert!(buffer.flush(&mut line, stdin.as_fd()).is_err());
    assert_eq!(buffer.len(), 5);
    buffer.clear();
    assert!(buffer.is_empty());
}

#[test]
fn what_comes_is_seen_in_order_whatever_is_consumed() {
    let stdin = std::io::stdin();
    let mut number = numbers(11);
    let mut line = Line::default();
    let mut buffer = ReceiveBuffer::with_capacity(64);
    let (mut sent, mut seen) = (Vec::new(), Vec::new());
    for round in 0..20_000_u32 {
        let bytes = vec![round as u8; number(30)];
        line.coming.extend(&bytes);
        sent.extend(bytes);
        line.give = 1 + number(50);
        let was_full = buffer.is_full();
        let came = buffer.fill(&mut line, stdin.as_fd()).unwrap();
        assert!(!(was_full && came.is_some()));
        let take = number(buffer.bytes().len() + 1);
        seen.extend(&buffer.bytes()[..take]);
        buffer.consume(take);
    }
    seen.extend(buffer.bytes());
    seen.extend(line.coming);
    assert!(seen == sent);
}

#[test]
fn a_full_buffer_takes_again_after_one_byte_is_consumed() {
    let stdin = std::io::stdin();
    let mut line = Line { give: 9, coming: (0..9).collect(), ..Line::default() };
    let mut buffer = ReceiveBuffer::with_capacity(8);
    assert_eq!(buffer.fill(&mut line, stdin.as_fd()).unwrap(), Some(8));
    assert!(buffer.is_full());
    assert_eq!(buffer.fill(&mut line, stdin.as_fd()).unwrap(), None);
    buffer.consume(1);
    assert_eq!(buffer.fill(&mut line, stdin.as_fd()).unwrap(), Some(1));
    assert_eq!(buffer.bytes(), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn first_bytes_are_appended_whole_or_not_at_all() {
    let mut buffer = ReceiveBuffer::with_capacity(8);
    buffer.push(b"12345").unwrap();
    buffer.consume(2);
    buffer.push(b"67890").unwrap();
    assert_eq!(buffer.bytes(), b"34567890");
    assert_eq!(buffer.push(b"1"), Err(Full));
    buffer.consume(usize::MAX);
    assert_eq!(buffer.bytes(), b"");
}

#[test]
fn debug_shows_lengths_and_no_byte() {
    let secret = b"554=hunter2";
    let mut out = SendBuffer::with_capacity(32);
    let mut input = ReceiveBuffer::with_capacity(32);
    out.push(secret).unwrap();
    input.push(secret).unwrap();
    assert_eq!(format!("{out:?}"), "SendBuffer(11 of 32 bytes)");
    assert_eq!(format!("{input:?}"), "ReceiveBuffer(11 of 32 bytes)");
    // What is gone is still in the memory, and is not shown either.
    input.consume(11);
    assert_eq!(format!("{input:#?}"), "ReceiveBuffer(\n    0 of 32 bytes,\n)");
}
