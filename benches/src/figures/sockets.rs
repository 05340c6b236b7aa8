//! Sockets: a TCP round trip of an order's size through both transports beside bare calls, with a
//! far side that spins; and a queue of datagrams drained beside `recvmmsg`.

use crate::figure::Figure;
use crate::machine::{settle, thread_nanos};
use crate::pairs;
use market::Rng;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::io::IoSliceMut;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::tcp::{Listener, Stream, connect};
use wire::udp::Socket;
use wire::{Backend, Batch, Io};

const PAIRS: usize = 200;
/// Round trips of a block, bytes there and back: an order and its report.
const TRIPS: usize = 500;
const ORDER: usize = 160;
const REPORT: usize = 180;
/// Up to how long a side waits between two polls. The kernel hands a message over in one of two ways,
/// by whether a poll holds the socket's lock at that moment: two loops in step would always meet the
/// same one, and a nanosecond more or less in a poll would decide which.
const PAUSE_TICKS: u64 = 512;
/// Datagrams in the queue and bytes in each; bursts of a block.
const QUEUED: usize = 64;
const DATAGRAM: usize = 100;
const BURSTS: usize = 20;

/// The figures.
///
/// # Errors
/// What the sockets of this host report.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let called = round_trips(&mut Called)?;
    let mut figures = vec![
        Figure::new("sockets/tcp/called", "ns", "bare recv and send", &called)
            .note("the same bare calls, each in a function that is not inlined"),
    ];
    for (backend, target) in [(Backend::IoUring, 1.10), (Backend::Plain, 1.05)] {
        match wire::open(backend) {
            Ok(mut opened) => {
                let name = format!("sockets/tcp/{backend}");
                let paired = round_trips(&mut Through(opened.io.as_mut()))?;
                figures.push(
                    Figure::new(&name, "ns", "bare recv and send", &paired)
                        .target(target)
                        .note(format!("{ORDER} B there, {REPORT} B back, the far side spins")),
                );
            }
            Err(error) => eprintln!("{backend} is left out: {error}"),
        }
    }
    figures.extend(drains()?);
    Ok(figures)
}

/// What a side of the round trip does with its socket.
trait Calls {
    /// Bytes received, or `None` yet.
    fn recv(&mut self, stream: &Stream, bytes: &mut [u8]) -> Option<usize>;
    fn send(&mut self, stream: &Stream, bytes: &[u8]) -> usize;
}

/// Bare system calls.
struct Bare;

impl Calls for Bare {
    fn recv(&mut self, stream: &Stream, bytes: &mut [u8]) -> Option<usize> {
        match rustix::net::recv(stream, bytes, RecvFlags::DONTWAIT) {
            Ok((len, _)) => Some(len),
            Err(Errno::AGAIN) => None,
            Err(error) => panic!("the near side lost its peer: {error}"),
        }
    }

    fn send(&mut self, stream: &Stream, bytes: &[u8]) -> usize {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        rustix::net::send(stream, bytes, flags).expect("a connected socket takes an order")
    }
}

/// The same in functions of their own: what any layer above the system costs on this processor.
struct Called;

impl Calls for Called {
    #[inline(never)]
    fn recv(&mut self, stream: &Stream, bytes: &mut [u8]) -> Option<usize> {
        Bare.recv(stream, bytes)
    }

    #[inline(never)]
    fn send(&mut self, stream: &Stream, bytes: &[u8]) -> usize {
        Bare.send(stream, bytes)
    }
}

/// Through a transport.
struct Through<'a>(&'a mut dyn Io);

impl Calls for Through<'_> {
    fn recv(&mut self, stream: &Stream, bytes: &mut [u8]) -> Option<usize> {
        self.0.recv(stream.as_fd(), bytes).expect("the peer is there")
    }

    fn send(&mut self, stream: &Stream, bytes: &[u8]) -> usize {
        self.0.send(stream.as_fd(), bytes).expect("a connected socket takes an order")
    }
}

/// Receives exactly one message of `bytes.len()`.
fn whole(
    calls: &mut impl Calls,
    stream: &Stream,
    bytes: &mut [u8],
    rng: &mut Rng,
    done: &AtomicBool,
) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        let until = wire::stamp::now() + rng.below(PAUSE_TICKS);
        while wire::stamp::now() < until {}
        match calls.recv(stream, &mut bytes[at..]) {
            Some(len) => at += len,
            // Only ever looked at while nothing is there.
            None if done.load(Ordering::Relaxed) => return false,
            None => {}
        }
    }
    true
}

/// A connected pair over loopback.
fn pair() -> anyhow::Result<(Stream, Stream)> {
    let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let near = connect(listener.local_address(), Duration::from_secs(5))?;
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        if let Some(far) = listener.accept()? {
            return Ok((near, far));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    anyhow::bail!("loopback accepts no connection")
}

/// Round trips through `calls` beside bare calls, over one connection whose far side is bare.
fn round_trips(calls: &mut (impl Calls + Send)) -> anyhow::Result<pairs::Paired> {
    let (near, far) = pair()?;
    let done = AtomicBool::new(false);
    // A transport belongs to the thread that first uses it: the near side's.
    Ok(std::thread::scope(|scope| {
        let done = &done;
        scope.spawn(move || {
            settle(1);
            let (mut order, report, mut rng) = ([0; ORDER], [1; REPORT], Rng::new(42));
            while whole(&mut Bare, &far, &mut order, &mut rng, done) {
                Bare.send(&far, &report);
            }
        });
        let near = scope.spawn(move || {
            settle(0);
            let paired = pairs::alternate(
                PAIRS,
                || trips(calls, &near, done),
                || trips(&mut Bare, &near, done),
            );
            done.store(true, Ordering::Relaxed);
            paired
        });
        near.join().expect("loopback loses nothing")
    }))
}

/// Nanoseconds of a round trip. Of time, not of this thread's work: waiting is the point.
#[allow(clippy::cast_precision_loss)]
fn trips(calls: &mut impl Calls, near: &Stream, done: &AtomicBool) -> f64 {
    let (order, mut report) = ([2; ORDER], [0; REPORT]);
    let mut rng = Rng::new(5_120);
    let began = Instant::now();
    for _ in 0..TRIPS {
        assert_eq!(calls.send(near, &order), ORDER);
        whole(calls, near, &mut report, &mut rng, done);
    }
    began.elapsed().as_nanos() as f64 / TRIPS as f64
}

/// A queue of datagrams drained by batches, which no transport does in a way of its own, and one by
/// one by each transport; beside `recvmmsg`.
fn drains() -> anyhow::Result<Vec<Figure>> {
    let mut plain = wire::open(Backend::Plain)?;
    let mut batch = Batch::new(2_048);
    let batches = drain(|socket| batched(plain.io.as_mut(), &mut batch, socket))?;
    let about = format!("{QUEUED} queued datagrams of {DATAGRAM} B, for each");
    let mut figures = vec![
        Figure::new("sockets/drain", "ns", "recvmmsg", &batches)
            .target(1.02)
            .note(format!("{about}; by batches, as a busy line is read")),
    ];
    for backend in [Backend::IoUring, Backend::Plain] {
        let Ok(mut opened) = wire::open(backend) else { continue };
        let each = drain(|socket| by_one(opened.io.as_mut(), socket))?;
        figures.push(
            Figure::new(&format!("sockets/drain/{backend}"), "ns", "recvmmsg", &each)
                .note(format!("{about}; one by one, as a quiet line is read")),
        );
    }
    Ok(figures)
}

/// A way to take datagrams beside `recvmmsg`.
fn drain(mut take: impl FnMut(&Socket) -> usize + Send) -> anyhow::Result<pairs::Paired> {
    let queue = Queue::new()?;
    Ok(crate::machine::on_core(0, || {
        let mut many = Many::new();
        pairs::alternate(
            PAIRS,
            || queue.drained(&mut take),
            || queue.drained(|socket| many.take(socket)),
        )
    }))
}

struct Queue {
    sender: Socket,
    receiver: Socket,
    to: SocketAddrV4,
}

impl Queue {
    fn new() -> anyhow::Result<Queue> {
        let receiver = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        receiver.set_receive_buffer(1 << 20)?;
        let to = receiver.local_address();
        Ok(Queue { sender: Socket::sender(Ipv4Addr::LOCALHOST, 0)?, receiver, to })
    }

    /// Nanoseconds of this thread for a datagram, filling not counted.
    #[allow(clippy::cast_precision_loss)]
    fn drained(&self, mut take: impl FnMut(&Socket) -> usize) -> f64 {
        let mut cost = 0.0;
        for _ in 0..BURSTS {
            for _ in 0..QUEUED {
                rustix::net::sendto(&self.sender, &[7; DATAGRAM], SendFlags::empty(), &self.to)
                    .expect("the queue has room");
            }
            let began = thread_nanos();
            let mut taken = 0;
            while taken < QUEUED {
                taken += take(&self.receiver);
            }
            cost += thread_nanos() - began;
        }
        cost / (BURSTS * QUEUED) as f64
    }
}

/// What one call of a transport brings.
fn batched(io: &mut dyn Io, batch: &mut Batch, socket: &Socket) -> usize {
    io.recv_batch(socket.as_fd(), batch, QUEUED).expect("loopback reports no error");
    (0..).map_while(|at| batch.get(at)).filter(|(got, _)| got.len == DATAGRAM).count()
}

/// One datagram through a transport.
fn by_one(io: &mut dyn Io, socket: &Socket) -> usize {
    let mut bytes = [0; 2_048];
    let got = io.recv(socket.as_fd(), &mut bytes).expect("loopback reports no error");
    usize::from(got == Some(DATAGRAM))
}

/// `recvmmsg` with what it needs made once.
struct Many {
    headers: MultiHeaders<SockaddrIn>,
    bytes: Vec<[u8; 2_048]>,
}

impl Many {
    fn new() -> Many {
        let headers = MultiHeaders::preallocate(QUEUED, None);
        Many { headers, bytes: vec![[0; 2_048]; QUEUED] }
    }

    fn take(&mut self, socket: &Socket) -> usize {
        let mut slices: [[IoSliceMut<'_>; 1]; QUEUED] = {
            let mut bytes = self.bytes.iter_mut();
            std::array::from_fn(|_| [IoSliceMut::new(bytes.next().expect("as many as headers"))])
        };
        let fd = socket.as_fd().as_raw_fd();
        let got = recvmmsg(fd, &mut self.headers, &mut slices, MsgFlags::MSG_DONTWAIT, None);
        match got {
            Ok(messages) => messages.filter(|message| message.bytes == DATAGRAM).count(),
            Err(nix::errno::Errno::EAGAIN) => 0,
            Err(error) => panic!("loopback reports {error}"),
        }
    }
}
