//! The ring between two cores: half a round trip beside the bare cache line and beside `rtrb`, and
//! time per message beside both `rtrb` and crossbeam's `ArrayQueue`.

use crate::figure::Figure;
use crate::machine::settle;
use crate::pairs;
use crossbeam::queue::ArrayQueue;
use engine::runtime::ring;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Instant;

/// One cache line with the slot's sequence.
type Message = [u64; 7];

/// As deep as the floors were measured with, and as shallow as stays in the nearest cache.
const DEEP: usize = 1_024;
const SHALLOW: usize = 128;
const TRIPS: u64 = 10_000;
const MESSAGES: u64 = 100_000;
const PAIRS: usize = 200;

/// The figures.
///
/// # Errors
/// None; the signature is that of all groups.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let deep = || half_trip(Ours::channel, DEEP);
    let shallow = || half_trip(Ours::channel, SHALLOW);
    let bare = || half_trip(Line::channel, 1);
    let line = pairs::alternate(PAIRS, deep, bare);
    let line_shallow = pairs::alternate(PAIRS, shallow, bare);
    let rtrb = pairs::alternate(PAIRS, deep, || half_trip(Rtrb::channel, DEEP));
    let queue = pairs::alternate(PAIRS, deep, || half_trip(Queue::channel, DEEP));
    let ours = || flow(Ours::channel);
    let through_rtrb = pairs::alternate(PAIRS, ours, || flow(Rtrb::channel));
    let through_queue = pairs::alternate(PAIRS, ours, || flow(Queue::channel));
    let (trip, each) = ("half a round trip", "time per message");
    Ok(vec![
        Figure::new("ring/latency", "ns", "bare cache line", &line).target(1.15).note(trip),
        Figure::new("ring/latency/shallow", "ns", "bare cache line", &line_shallow)
            .target(1.15)
            .note(format!("{trip}, {SHALLOW} slots instead of {DEEP}")),
        Figure::new("ring/latency", "ns", "rtrb", &rtrb).target(0.95).note(trip),
        Figure::new("ring/latency", "ns", "crossbeam ArrayQueue", &queue).note(trip),
        Figure::new("ring/throughput", "ns", "rtrb", &through_rtrb).target(1.7).note(each),
        Figure::new("ring/throughput", "ns", "crossbeam ArrayQueue", &through_queue).note(each),
    ])
}

/// The sending end.
trait Send1: Send + 'static {
    /// False when there is no room.
    fn send(&mut self, message: Message) -> bool;
}

/// The taking end.
trait Take1: Send + 'static {
    fn take(&mut self) -> Option<Message>;
}

/// Nanoseconds from one core to the other, from trips there and back.
#[allow(clippy::cast_precision_loss)]
fn half_trip<S: Send1, T: Take1>(channel: fn(usize) -> (S, T), depth: usize) -> f64 {
    let (mut there, mut far_take) = channel(depth);
    let (mut far_send, mut back) = channel(depth);
    let far = move || {
        for _ in 0..TRIPS {
            let message = until(|| far_take.take());
            until(|| far_send.send(message).then_some(()));
        }
    };
    let near = move || {
        let began = Instant::now();
        for n in 1..=TRIPS {
            until(|| there.send([n; 7]).then_some(()));
            assert_eq!(until(|| back.take())[0], n);
        }
        began.elapsed().as_nanos() as f64 / (2 * TRIPS) as f64
    };
    both(near, far)
}

/// Nanoseconds per message from one core to the other, as many as will go.
#[allow(clippy::cast_precision_loss)]
fn flow<S: Send1, T: Take1>(channel: fn(usize) -> (S, T)) -> f64 {
    let (mut send, mut take) = channel(DEEP);
    let writer = move || {
        for n in 1..=MESSAGES {
            until(|| send.send([n; 7]).then_some(()));
        }
    };
    let reader = move || {
        let began = Instant::now();
        for n in 1..=MESSAGES {
            assert_eq!(until(|| take.take())[0], n);
        }
        began.elapsed().as_nanos() as f64 / MESSAGES as f64
    };
    both(reader, writer)
}

fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        spin_loop();
    }
}

/// Runs both at once on two cores; gives what the first measured.
fn both(near: impl FnOnce() -> f64 + Send, far: impl FnOnce() + Send) -> f64 {
    let together = Barrier::new(2);
    std::thread::scope(|scope| {
        // Both exist before either is real-time.
        let near = scope.spawn(|| {
            together.wait();
            settle(0);
            near()
        });
        scope.spawn(|| {
            together.wait();
            settle(1);
            far();
        });
        near.join().expect("the ring loses nothing")
    })
}

struct Ours;

impl Ours {
    fn channel(depth: usize) -> (ring::Producer<Message>, ring::Consumer<Message>) {
        ring::channel(depth)
    }
}

impl Send1 for ring::Producer<Message> {
    fn send(&mut self, message: Message) -> bool {
        self.push(message).is_ok()
    }
}

impl Take1 for ring::Consumer<Message> {
    fn take(&mut self) -> Option<Message> {
        self.pop()
    }
}

struct Rtrb;

impl Rtrb {
    fn channel(depth: usize) -> (rtrb::Producer<Message>, rtrb::Consumer<Message>) {
        rtrb::RingBuffer::new(depth)
    }
}

impl Send1 for rtrb::Producer<Message> {
    fn send(&mut self, message: Message) -> bool {
        self.push(message).is_ok()
    }
}

impl Take1 for rtrb::Consumer<Message> {
    fn take(&mut self) -> Option<Message> {
        self.pop().ok()
    }
}

struct Queue;

impl Queue {
    fn channel(depth: usize) -> (Arc<ArrayQueue<Message>>, Arc<ArrayQueue<Message>>) {
        let queue = Arc::new(ArrayQueue::new(depth));
        (queue.clone(), queue)
    }
}

impl Send1 for Arc<ArrayQueue<Message>> {
    fn send(&mut self, message: Message) -> bool {
        self.push(message).is_ok()
    }
}

impl Take1 for Arc<ArrayQueue<Message>> {
    fn take(&mut self) -> Option<Message> {
        self.pop()
    }
}

/// The floor: one word on a line of its own that goes to and fro. It carries no payload.
#[repr(align(128))]
struct Line(AtomicU64);

struct LineEnd(Arc<Line>, u64);

impl Line {
    fn channel(_depth: usize) -> (LineEnd, LineEnd) {
        let line = Arc::new(Line(AtomicU64::new(0)));
        (LineEnd(line.clone(), 0), LineEnd(line, 0))
    }
}

impl Send1 for LineEnd {
    fn send(&mut self, message: Message) -> bool {
        self.0.0.store(message[0], Ordering::Release);
        true
    }
}

impl Take1 for LineEnd {
    fn take(&mut self) -> Option<Message> {
        let word = self.0.0.load(Ordering::Acquire);
        (word != std::mem::replace(&mut self.1, word)).then_some([word; 7])
    }
}
