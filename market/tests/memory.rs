//! How much memory books take for each order, and that growing takes no more for a moment. A program
//! of its own, since a program has one allocator.

use market::book::{BookLimits, OrderBooks};
use market::{BookView, Event, EventKind, InstrumentId, Price, Qty, Side};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const ORDERS: usize = 300_000;
/// Bytes an order may take, its part of the table included.
const BYTES: usize = 64;

/// Ways in which exchanges number their orders.
const PATTERNS: [fn(u64) -> u64; 6] = [
    |n| n,
    |n| 1_000_000_000_000 + 8 * n,
    |n| n << 24,
    |n| n.wrapping_mul(1_000_000_007),
    // Channel and number.
    |n| ((n % 64) << 48) | (n / 64),
    // Day, and both ends.
    |n| if n.is_multiple_of(2) { (20_261_128 << 32) | n } else { u64::MAX - n },
];

/// An order at one of eight levels of one of two instruments.
fn add(number: u64, id: u64) -> Event {
    let add = Event::new(EventKind::Add, InstrumentId(u32::from(number.is_multiple_of(2))));
    let (price, qty) = (Price::from_raw(1 + (number % 8).cast_signed()), Qty::from_raw(1));
    Event { order: id, price, qty, ..add }.with_side(Some(Side::Buy))
}

#[test]
fn an_order_takes_64_bytes_at_most() {
    let limits = BookLimits { instruments: 2, orders: ORDERS, levels: 8 };
    let before = MEMORY.current_usage();
    let few = OrderBooks::new(BookLimits { orders: 0, ..limits });
    let without = MEMORY.current_usage() - before;
    let mut books = OrderBooks::new(limits);
    let whole = MEMORY.current_usage() - before - without;
    assert!(whole > ORDERS * 32, "{whole} bytes cannot hold {ORDERS} orders");
    assert!(whole - without <= ORDERS * BYTES, "{} bytes an order", (whole - without) / ORDERS);
    // It does hold them, and takes no more.
    (0..ORDERS as u64).for_each(|n| assert_eq!(books.apply(&add(n, n)).contradiction, None));
    assert_eq!(MEMORY.current_usage() - before - without, whole);
    assert_eq!((books.orders(), few.orders()), (ORDERS, 0));
    assert_eq!(books.book(InstrumentId(0)).depth(Side::Buy), 4);
    drop((few, books));

    for pattern in PATTERNS {
        let before = MEMORY.current_usage();
        let mut books = OrderBooks::growing();
        assert!(books.admit(InstrumentId(1)));
        for n in 0..ORDERS {
            // What comes and goes on the way counts as well.
            MEMORY.reset_peak_usage();
            let event = add(n as u64, pattern(n as u64));
            assert_eq!(books.apply(&event).contradiction, None);
            let peak = MEMORY.peak_usage() - before;
            assert!(n < 100_000 || peak <= n * BYTES, "{} bytes an order of {n}", peak / n);
        }
        assert_eq!(books.orders(), ORDERS);
    }
}
