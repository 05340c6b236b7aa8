//! The single-producer single-consumer ring: one cache line (or two) a message, with the slot's own
//! sequence at its end, so that a hand-off moves one line.
//!
//! Message number `n` lives in slot `n % capacity`; the slot's sequence becomes `n + 1` once the
//! message stands there. Only the producer writes slots. What the consumer has taken stands on a
//! line of its own, which the producer looks at only when the room it knows of is used up: neither
//! side waits for a line that the other is busy with. Nothing here blocks, allocates after
//! construction, or drops a message.

#![allow(unsafe_code)]

use crossbeam::utils::CachePadded;
use std::cell::Cell;
use sync::{Arc, AtomicU64, Ordering, UnsafeCell};

#[cfg(touchline_loom)]
mod sync {
    pub(super) use loom::cell::UnsafeCell;
    pub(super) use loom::sync::Arc;
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[cfg(not(touchline_loom))]
mod sync {
    pub(super) use std::sync::Arc;
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};

    /// loom's cell interface over the standard one.
    pub(super) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(super) fn new(value: T) -> Self {
            UnsafeCell(std::cell::UnsafeCell::new(value))
        }

        pub(super) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        pub(super) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[repr(C, align(64))]
struct Slot<T> {
    payload: UnsafeCell<T>,
    sequence: AtomicU64,
}

struct Shared<T> {
    slots: Box<[Slot<T>]>,
    mask: u64,
    /// Messages taken so far; written by the consumer alone.
    taken: CachePadded<AtomicU64>,
}

// SAFETY: the producer touches a payload only while the consumer has taken whatever stood there,
// the consumer only once the slot's sequence names the message. Both hand over with Release and
// take over with Acquire. There is one producer and one consumer, neither of which is Clone.
unsafe impl<T: Copy + Send> Sync for Shared<T> {}
// SAFETY: as above; the payloads are Send and own nothing.
unsafe impl<T: Copy + Send> Send for Shared<T> {}

/// The writing end.
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
    next: u64,
    /// Messages below this number find room for certain.
    room: Cell<u64>,
}

/// The reading end.
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    next: u64,
}

/// A ring of at least `capacity` messages (rounded up to a power of two), its memory touched now.
///
/// ```
/// let (mut producer, mut consumer) = engine::runtime::ring::channel::<u64>(4);
/// assert!(producer.push(7).is_ok());
/// assert_eq!(consumer.pop(), Some(7));
/// assert_eq!(consumer.pop(), None);
/// ```
#[must_use]
pub fn channel<T: Copy + Send + Default>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    #[cfg(not(touchline_loom))]
    const {
        assert!(size_of::<Slot<T>>() <= 128, "a message takes at most two cache lines");
    };
    let capacity = capacity.max(2).next_power_of_two() as u64;
    let slots = (0..capacity)
        .map(|_| Slot { payload: UnsafeCell::new(T::default()), sequence: AtomicU64::new(0) })
        .collect();
    let taken = CachePadded::new(AtomicU64::new(0));
    let shared = Arc::new(Shared { slots, mask: capacity - 1, taken });
    let room = Cell::new(capacity);
    (Producer { shared: shared.clone(), next: 0, room }, Consumer { shared, next: 0 })
}

impl<T> Shared<T> {
    #[allow(clippy::cast_possible_truncation)]
    fn slot(&self, number: u64) -> &Slot<T> {
        &self.slots[(number & self.mask) as usize]
    }
}

impl<T: Copy> Producer<T> {
    /// Publishes one message.
    ///
    /// # Errors
    /// The message itself, when the ring is full.
    pub fn push(&mut self, message: T) -> Result<(), T> {
        if !self.has_room(1) {
            return Err(message);
        }
        let number = self.next;
        let slot = self.shared.slot(number);
        // SAFETY: the consumer took what stood here (the Acquire of `has_room` pairs with its
        // Release) and will not look before the store below.
        slot.payload.with_mut(|payload| unsafe { payload.write(message) });
        slot.sequence.store(number + 1, Ordering::Release);
        self.next = number + 1;
        Ok(())
    }

    /// True if `count` messages can be pushed now. False for more than the capacity.
    #[must_use]
    pub fn has_room(&self, count: usize) -> bool {
        let wanted = self.next.saturating_add(count as u64);
        if wanted > self.room.get() {
            let taken = self.shared.taken.load(Ordering::Acquire);
            self.room.set(taken + self.shared.mask + 1);
        }
        wanted <= self.room.get()
    }

    /// Messages the ring can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.slots.len()
    }
}

impl<T: Copy> Consumer<T> {
    /// Takes the next message, if one is there.
    pub fn pop(&mut self) -> Option<T> {
        let number = self.next;
        let slot = self.shared.slot(number);
        if slot.sequence.load(Ordering::Acquire) != number + 1 {
            return None;
        }
        // SAFETY: the sequence is one past the message number, so the producer has published the
        // payload (Acquire above pairs with its Release) and waits for the store below.
        let message = slot.payload.with(|payload| unsafe { payload.read() });
        self.shared.taken.store(number + 1, Ordering::Release);
        self.next = number + 1;
        Some(message)
    }

    /// True if a message is there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.shared.slot(self.next).sequence.load(Ordering::Acquire) == self.next + 1
    }
}

#[cfg(all(test, not(touchline_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_whole_lines() {
        assert_eq!(size_of::<Slot<[u64; 7]>>(), 64);
        assert_eq!(size_of::<Slot<[u64; 15]>>(), 128);
    }

    #[test]
    fn full_refuses_and_keeps_order() {
        let (mut producer, mut consumer) = channel::<u64>(4);
        for n in 0..4 {
            assert!(producer.has_room(4 - n as usize));
            producer.push(n).unwrap();
        }
        assert_eq!(producer.push(4), Err(4));
        assert!(!producer.has_room(1) && producer.has_room(0) && !producer.has_room(5));
        assert_eq!(consumer.pop(), Some(0));
        assert!(producer.has_room(1) && !producer.has_room(2));
        producer.push(4).unwrap();
        assert_eq!(std::iter::from_fn(|| consumer.pop()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn nothing_lost_or_torn_between_threads() {
        const COUNT: u64 = 200_000;
        let (mut producer, mut consumer) = channel::<[u64; 7]>(64);
        let writer = std::thread::spawn(move || {
            for n in 0..COUNT {
                while producer.push([n; 7]).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        for n in 0..COUNT {
            let message = loop {
                match consumer.pop() {
                    Some(message) => break message,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(message, [n; 7]);
        }
        writer.join().unwrap();
    }
}

/// Run with `RUSTFLAGS="--cfg touchline_loom" cargo test -p touchline-engine --no-default-features
/// --target-dir target-loom --lib ring --release`.
#[cfg(all(test, touchline_loom))]
mod loom_tests {
    use super::*;

    #[test]
    fn every_interleaving_of_two_laps() {
        loom::model(|| {
            let (mut producer, mut consumer) = channel::<u64>(2);
            let writer = loom::thread::spawn(move || {
                let mut n = 0;
                while n < 3 {
                    if producer.push(n).is_ok() {
                        n += 1;
                    } else {
                        loom::thread::yield_now();
                    }
                }
            });
            let mut expected = 0;
            while expected < 3 {
                match consumer.pop() {
                    Some(message) => {
                        assert_eq!(message, expected);
                        expected += 1;
                    }
                    None => loom::thread::yield_now(),
                }
            }
            writer.join().unwrap();
        });
    }
}
