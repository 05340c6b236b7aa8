//! Receive times of streams: there where they were asked for, of the last bytes read, over TLS too, and
//! nowhere else. Clocks may be set, and the kernel begins to note times a moment after it was asked: so
//! a case goes on until its answer is as it must be.

use crate::eventually;
use crate::link::{ALL, Kind, pair_with};
use rustix::net::{RecvFlags, recv};
use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use wire::tcp::{Options, Stream, connect_with};
use wire::{Io, ReceiveBuffer, Timed};

crate::on_both! {
    a_time_lies_between_send_and_read
    of_several_segments_the_last_counts
    without_the_option_there_is_no_time
    ends_are_those_of_a_receive_without_times
    a_link_says_the_time_of_what_it_read
}

const TIMED: Options = Options { source: None, busy_poll_us: 0, kernel_times: true };

fn utc() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

fn pair(options: &Options) -> (Stream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let ours = connect_with(address, Duration::from_secs(10), options).unwrap();
    let (peer, _) = listener.accept().unwrap();
    peer.set_nodelay(true).unwrap();
    (ours, peer)
}

fn next(io: &mut dyn Io, stream: &Stream, buf: &mut [u8]) -> Timed {
    eventually(|| io.recv_timed(stream.as_fd(), buf).unwrap())
}

fn a_time_lies_between_send_and_read(io: &mut dyn Io) {
    wire::tcp::check_kernel_times().unwrap();
    let (ours, mut peer) = pair(&TIMED);
    let mut buf = [0; 64];
    for bytes in [&b"accepted"[..], b"filled, in part", b"canceled"] {
        eventually(|| {
            let before = utc();
            peer.write_all(bytes).unwrap();
            let came = next(io, &ours, &mut buf);
            assert_eq!(&buf[..came.len], bytes);
            came.kernel_time.filter(|time| (before..=utc()).contains(time))
        });
    }
    // Who does not ask for the time reads the same bytes.
    peer.write_all(b"rejected").unwrap();
    assert_eq!(eventually(|| io.recv(ours.as_fd(), &mut buf).unwrap()), 8);
    assert_eq!(&buf[..8], b"rejected");
    assert_eq!(io.recv_timed(ours.as_fd(), &mut buf).unwrap(), None);
}

fn of_several_segments_the_last_counts(io: &mut dyn Io) {
    let (ours, mut peer) = pair(&TIMED);
    let mut buf = [0; 64];
    let time = eventually(|| {
        peer.write_all(b"first").unwrap();
        std::thread::sleep(Duration::from_millis(1));
        let between = utc();
        peer.write_all(b"last").unwrap();
        eventually(|| (recv(&ours, &mut buf, RecvFlags::PEEK).unwrap().0 == 9).then_some(()));
        // A part of the last segment has its time, and so has the rest.
        let (most, rest) = (next(io, &ours, &mut buf[..8]), next(io, &ours, &mut buf[8..]));
        assert_eq!((most.len, rest.len), (8, 1));
        assert_eq!(&buf[..9], b"firstlast");
        let time = most.kernel_time.filter(|time| (between..=utc()).contains(time));
        time.filter(|_| rest.kernel_time == most.kernel_time)
    });
    assert!(time > 0);
}

fn without_the_option_there_is_no_time(io: &mut dyn Io) {
    // Another socket's wish is its own.
    let (_timed, _peer) = pair(&TIMED);
    let (ours, mut peer) = pair(&Options::default());
    assert!(!ours.has_kernel_times());
    let mut buf = [0; 8];
    for _ in 0..3 {
        peer.write_all(b"ack").unwrap();
        assert_eq!(next(io, &ours, &mut buf), Timed { len: 3, kernel_time: None });
    }
}

fn ends_are_those_of_a_receive_without_times(io: &mut dyn Io) {
    let (ours, mut peer) = pair(&TIMED);
    let mut buf = [0; 8];
    assert_eq!(io.recv_timed(ours.as_fd(), &mut buf).unwrap(), None);
    peer.write_all(b"bye").unwrap();
    assert_eq!(io.recv_timed(ours.as_fd(), &mut []).unwrap(), None, "no room is no close");
    drop(peer);
    assert_eq!(next(io, &ours, &mut buf).len, 3);
    for _ in 0..2 {
        assert_eq!(next(io, &ours, &mut buf), Timed::default(), "a close stays a close");
    }
    let (ours, peer) = pair(&TIMED);
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    let error = eventually(|| match io.recv_timed(ours.as_fd(), &mut buf) {
        Ok(None) => None,
        Ok(Some(came)) => panic!("{came:?} from a reset connection"),
        Err(error) => Some(error),
    });
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(io.recv_timed(file.as_fd(), &mut buf).is_err());
}

fn a_link_says_the_time_of_what_it_read(io: &mut dyn Io) {
    for kind in ALL {
        let (mut link, mut far) = pair_with(kind, false, &TIMED);
        assert!(link.stream().has_kernel_times());
        let mut input = ReceiveBuffer::with_capacity(8);
        eventually(|| {
            let before = utc();
            far.write_all(b"accepted, filled").unwrap();
            let came = eventually(|| {
                let came = link.fill_timed(io, &mut input).unwrap();
                (came != Timed::default()).then_some(came)
            });
            // TLS may have brought something of its own first.
            if came.len > 0 {
                assert_eq!((came.len, input.bytes()), (8, &b"accepted"[..]), "{kind:?}");
            }
            let time = came.kernel_time.filter(|time| (before..=utc()).contains(time));
            let mut rest = Vec::new();
            eventually(|| {
                rest.extend_from_slice(input.bytes());
                input.consume(8);
                let held = link.holds_bytes();
                let came = link.fill_timed(io, &mut input).unwrap();
                assert!(!held || came.kernel_time.is_none(), "{kind:?}: held bytes have no time");
                (rest.len() == 16).then_some(())
            });
            assert_eq!(rest, b"accepted, filled");
            time.filter(|_| came.len > 0)
        });
        if kind == Kind::Plain {
            continue;
        }
        // A part of a record is read too, and brings nothing yet.
        let record = far.records(b"canceled");
        let (part, rest) = record.split_at(record.len() - 1);
        far.socket().write_all(part).unwrap();
        let came = eventually(|| {
            let came = link.fill_timed(io, &mut input).unwrap();
            (came != Timed::default()).then_some(came)
        });
        assert!(came.len == 0 && came.kernel_time.is_some(), "{kind:?}: {came:?}");
        far.socket().write_all(rest).unwrap();
        let came = eventually(|| {
            let came = link.fill_timed(io, &mut input).unwrap();
            (came.len > 0).then_some(came)
        });
        assert!(came.kernel_time.is_some() && input.bytes() == b"canceled", "{kind:?}: {came:?}");
    }
}
