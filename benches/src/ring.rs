//! The ring between two threads, beside crossbeam's `ArrayQueue`: time per 56-byte message.

use crate::{pairs, show};
use crossbeam::queue::ArrayQueue;
use engine::runtime::ring;
use std::hint::spin_loop;
use std::sync::Arc;
use std::time::Instant;

const MESSAGES: u64 = 200_000;
const DEPTH: usize = 1_024;

/// Prints the line.
pub(crate) fn run() {
    show("ring, two threads / ArrayQueue", pairs(own, crossbeam));
}

#[allow(clippy::cast_precision_loss)]
fn per_message(began: Instant) -> f64 {
    began.elapsed().as_nanos() as f64 / MESSAGES as f64
}

fn own() -> f64 {
    let (mut producer, mut consumer) = ring::channel::<[u64; 7]>(DEPTH);
    let began = Instant::now();
    let writer = std::thread::spawn(move || {
        for n in 0..MESSAGES {
            while producer.push([n; 7]).is_err() {
                spin_loop();
            }
        }
    });
    for n in 0..MESSAGES {
        let message = loop {
            match consumer.pop() {
                Some(message) => break message,
                None => spin_loop(),
            }
        };
        assert_eq!(message[0], n);
    }
    let nanos = per_message(began);
    writer.join().expect("the writer does not panic");
    nanos
}

fn crossbeam() -> f64 {
    let queue = Arc::new(ArrayQueue::<[u64; 7]>::new(DEPTH));
    let other = queue.clone();
    let began = Instant::now();
    let writer = std::thread::spawn(move || {
        for n in 0..MESSAGES {
            while other.push([n; 7]).is_err() {
                spin_loop();
            }
        }
    });
    for n in 0..MESSAGES {
        let message = loop {
            match queue.pop() {
                Some(message) => break message,
                None => spin_loop(),
            }
        };
        assert_eq!(message[0], n);
    }
    let nanos = per_message(began);
    writer.join().expect("the writer does not panic");
    nanos
}
