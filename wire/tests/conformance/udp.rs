//! Datagrams: unicast, multicast, truncation, kernel times, and what must not be an error.

use crate::{eventually, skip};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd;
use wire::udp::{Socket, multicast_works};
use wire::{Datagram, Io};

crate::on_both! {
    unicast_brings_bytes_and_sender
    multicast_reaches_every_member_of_the_group_and_no_other
    a_datagram_that_is_too_long_is_flagged_and_the_next_is_whole
    kernel_times_come_when_asked_for
    an_empty_datagram_is_a_datagram
    a_burst_comes_in_order
    a_batch_brings_what_is_queued_and_no_more_than_asked
    a_blocking_socket_does_not_block
    an_absent_receiver_does_not_disturb_the_sender
    a_datagram_that_cannot_be_sent_is_an_error
}

const ANY_PORT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

fn pair() -> (Socket, Socket) {
    (Socket::sender(Ipv4Addr::LOCALHOST, 0).unwrap(), Socket::bind(ANY_PORT).unwrap())
}

fn next(io: &mut dyn Io, socket: &impl AsFd, buf: &mut [u8]) -> Datagram {
    eventually(|| io.recv_datagram(socket.as_fd(), buf).unwrap())
}

fn unicast_brings_bytes_and_sender(io: &mut dyn Io) {
    let (sender, receiver) = pair();
    let mut buf = [0; 64];
    assert_eq!(io.recv_datagram(receiver.as_fd(), &mut buf).unwrap(), None);

    let before = wire::stamp::now();
    assert_eq!(io.send_to(sender.as_fd(), b"tick", receiver.local_address()).unwrap(), 4);
    let datagram = next(io, &receiver, &mut buf);
    assert_eq!(&buf[..datagram.len], b"tick");
    assert_eq!(datagram.from, sender.local_address());
    assert!(!datagram.truncated);
    assert_eq!(datagram.kernel_time, None);
    assert!(datagram.received > before);

    // An answer to the sender, as a retransmission server gives it.
    assert_eq!(io.send_to(receiver.as_fd(), b"again", datagram.from).unwrap(), 5);
    let answer = next(io, &sender, &mut buf);
    assert_eq!((&buf[..answer.len], answer.from), (&b"again"[..], receiver.local_address()));
    assert_eq!(io.recv_datagram(receiver.as_fd(), &mut buf).unwrap(), None);
}

fn multicast_reaches_every_member_of_the_group_and_no_other(io: &mut dyn Io) {
    if let Err(why) = multicast_works(Ipv4Addr::LOCALHOST) {
        return skip("multicast", &why);
    }
    let join = |group, port| {
        let group = SocketAddrV4::new(Ipv4Addr::new(239, 255, 84, group), port);
        Socket::join(group, Ipv4Addr::LOCALHOST).unwrap()
    };
    let first = join(1, 0);
    let port = first.local_address().port();
    let (second, other_group) = (join(1, port), join(2, port));
    let sender = Socket::sender(Ipv4Addr::LOCALHOST, 0).unwrap();

    io.send_to(sender.as_fd(), b"A line", first.local_address()).unwrap();
    io.send_to(sender.as_fd(), b"B line", other_group.local_address()).unwrap();
    let mut buf = [0; 64];
    for (socket, line) in [(&first, b"A line"), (&second, b"A line"), (&other_group, b"B line")] {
        let datagram = next(io, socket, &mut buf);
        assert_eq!(&buf[..datagram.len], line);
        assert_eq!(datagram.from, sender.local_address());
        assert_eq!(io.recv_datagram(socket.as_fd(), &mut buf).unwrap(), None);
    }
}

fn a_datagram_that_is_too_long_is_flagged_and_the_next_is_whole(io: &mut dyn Io) {
    let (sender, receiver) = pair();
    for bytes in [&b"0123456789"[..], b"01234567", b"next"] {
        io.send_to(sender.as_fd(), bytes, receiver.local_address()).unwrap();
    }
    let mut buf = [0; 8];
    for (bytes, truncated) in [(&b"01234567"[..], true), (b"01234567", false), (b"next", false)] {
        let datagram = next(io, &receiver, &mut buf);
        assert_eq!((&buf[..datagram.len], datagram.truncated), (bytes, truncated));
    }
}

fn kernel_times_come_when_asked_for(io: &mut dyn Io) {
    let (sender, receiver) = pair();
    receiver.enable_kernel_times().unwrap();
    let now = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(now.as_nanos()).unwrap()
    };
    let mut buf = [0; 64];
    let before = now();
    for bytes in [&b"tick"[..], b"a longer tick than the one before it", b"tock"] {
        io.send_to(sender.as_fd(), bytes, receiver.local_address()).unwrap();
        let datagram = next(io, &receiver, &mut buf);
        assert_eq!(&buf[..datagram.len], bytes);
        let kernel_time = datagram.kernel_time.unwrap();
        // A day of slack: this is about the unit, and clocks may be set.
        assert!(kernel_time.abs_diff(before) < 86_400_000_000_000, "{kernel_time} {before}");
    }
}

fn a_batch_brings_what_is_queued_and_no_more_than_asked(io: &mut dyn Io) {
    let (sender, receiver) = pair();
    receiver.enable_kernel_times().unwrap();
    let mut batch = wire::Batch::new(8);
    let fd = receiver.as_fd();
    assert_eq!(io.recv_batch(fd, &mut batch, wire::DATAGRAMS).unwrap(), 0);
    let count = u8::try_from(wire::DATAGRAMS + 8).unwrap();
    let before = wire::stamp::now();
    for number in 0..count {
        // One in four is too long.
        let bytes = [number; 10];
        let len = if number % 4 == 3 { 10 } else { 1 + usize::from(number) % 4 };
        io.send_to(sender.as_fd(), &bytes[..len], receiver.local_address()).unwrap();
    }
    let mut expected = 0;
    for most in [3, 0, usize::MAX, usize::MAX] {
        let left = usize::from(count - expected);
        let wanted = left.min(most).min(wire::DATAGRAMS);
        assert_eq!(io.recv_batch(fd, &mut batch, most).unwrap(), wanted);
        assert_eq!((batch.len(), batch.is_empty()), (wanted, wanted == 0));
        assert_eq!(batch.get(wanted), None);
        for at in 0..wanted {
            let (datagram, bytes) = batch.get(at).unwrap();
            let (cut, len) = (expected % 4 == 3, 1 + usize::from(expected) % 4);
            assert_eq!(
                (bytes, datagram.truncated),
                (&[expected; 8][..if cut { 8 } else { len }], cut)
            );
            assert_eq!((datagram.from, datagram.len), (sender.local_address(), bytes.len()));
            assert!(datagram.received > before);
            assert_eq!(
                datagram.kernel_time.is_some(),
                at == 0,
                "the time of the first is asked for"
            );
            expected += 1;
        }
    }
    assert_eq!(expected, count);
    assert_eq!(io.recv_batch(fd, &mut batch, usize::MAX).unwrap(), 0);
    assert!(batch.is_empty() && batch.get(0).is_none(), "an empty call forgets what was there");
}

fn an_empty_datagram_is_a_datagram(io: &mut dyn Io) {
    let (_, receiver) = pair();
    let other = UdpSocket::bind(ANY_PORT).unwrap();
    other.send_to(b"", receiver.local_address()).unwrap();
    let datagram = next(io, &receiver, &mut [0; 8]);
    assert_eq!((datagram.len, datagram.truncated), (0, false));
    // Into no room at all: a datagram of bytes is cut, and it is gone.
    other.send_to(b"tick", receiver.local_address()).unwrap();
    let datagram = next(io, &receiver, &mut []);
    assert_eq!((datagram.len, datagram.truncated), (0, true));
    assert_eq!(io.recv_datagram(receiver.as_fd(), &mut [0; 8]).unwrap(), None);
    // Sending nothing sends no datagram.
    assert_eq!(io.send_to(other.as_fd(), b"", receiver.local_address()).unwrap(), 0);
    assert_eq!(io.recv_datagram(receiver.as_fd(), &mut [0; 8]).unwrap(), None);
}

fn a_burst_comes_in_order(io: &mut dyn Io) {
    let (sender, receiver) = pair();
    for number in 0..100_u32 {
        io.send_to(sender.as_fd(), &number.to_be_bytes(), receiver.local_address()).unwrap();
    }
    let mut buf = [0; 64];
    for number in 0..100_u32 {
        let datagram = next(io, &receiver, &mut buf);
        assert_eq!(buf[..datagram.len], number.to_be_bytes());
    }
}

fn a_blocking_socket_does_not_block(io: &mut dyn Io) {
    let socket = UdpSocket::bind(ANY_PORT).unwrap();
    assert_eq!(io.recv_datagram(socket.as_fd(), &mut [0; 8]).unwrap(), None);
}

fn an_absent_receiver_does_not_disturb_the_sender(io: &mut dyn Io) {
    let (sender, receiver) = pair();
    // A port that is bound to another address of this host: nobody listens at ours.
    let elsewhere = Socket::bind(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 0)).unwrap();
    let nobody = SocketAddrV4::new(Ipv4Addr::LOCALHOST, elsewhere.local_address().port());
    for _ in 0..4 {
        assert_eq!(io.send_to(sender.as_fd(), b"lost", nobody).unwrap(), 4);
        assert_eq!(io.recv_datagram(sender.as_fd(), &mut [0; 8]).unwrap(), None);
    }
    io.send_to(sender.as_fd(), b"tick", receiver.local_address()).unwrap();
    assert_eq!(next(io, &receiver, &mut [0; 8]).len, 4);
}

fn a_datagram_that_cannot_be_sent_is_an_error(io: &mut dyn Io) {
    let (sender, receiver) = pair();
    assert!(io.send_to(sender.as_fd(), &[0; 70_000], receiver.local_address()).is_err());
    assert!(
        io.send_to(sender.as_fd(), b"tick", SocketAddrV4::new(Ipv4Addr::BROADCAST, 9)).is_err()
    );
    assert_eq!(io.send_to(sender.as_fd(), b"tick", receiver.local_address()).unwrap(), 4);
}
