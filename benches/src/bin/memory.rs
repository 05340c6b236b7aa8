//! What a full market's books by order take: 8,000 instruments with 5,000,000 live orders, in books
//! of a fixed size and in such that grow, and the longest that one order took while they grew, in
//! time of this thread.

use anyhow::ensure;
use market::book::{BookLimits, OrderBooks};
use market::{Event, EventKind, InstrumentId, Price, Qty, Side};
use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const INSTRUMENTS: u32 = 8_000;
const ORDERS: u64 = 5_000_000;
/// Levels of a side.
const LEVELS: u64 = 64;

fn main() -> anyhow::Result<()> {
    let limits = BookLimits {
        instruments: INSTRUMENTS as usize,
        orders: usize::try_from(ORDERS)?,
        levels: usize::try_from(LEVELS)?,
    };
    let (levels, _) = measured(|| OrderBooks::new(BookLimits { orders: 0, ..limits }), 0)?;
    let (fixed, _) = measured(|| OrderBooks::new(limits), ORDERS)?;
    say("fixed", fixed, levels);
    let growing = || {
        let mut books = OrderBooks::growing();
        books.admit(InstrumentId(INSTRUMENTS - 1));
        books
    };
    // As many orders as there are levels: what they take beside them is little.
    let (levels, _) = measured(growing, 2 * LEVELS * u64::from(INSTRUMENTS))?;
    let few = 2 * LEVELS * u64::from(INSTRUMENTS);
    let (grown, longest) = measured(growing, ORDERS)?;
    #[allow(clippy::cast_precision_loss)]
    let bytes = (grown - levels) as f64 / (ORDERS - few) as f64;
    println!(
        "growing  {bytes:.1} bytes an order beyond the first {few}, {} MiB in all",
        grown >> 20
    );
    println!("         the longest that one order took: {} µs", longest.as_micros());
    Ok(())
}

fn say(name: &str, whole: usize, levels: usize) {
    #[allow(clippy::cast_precision_loss)]
    let bytes = (whole - levels) as f64 / ORDERS as f64;
    println!(
        "{name:8} {bytes:.1} bytes an order, levels and instruments {} MiB apart",
        levels >> 20
    );
}

/// The most that books took while they got so many orders, and the longest that one took.
fn measured(make: impl Fn() -> OrderBooks, orders: u64) -> anyhow::Result<(usize, Duration)> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut books = make();
    let mut longest = Duration::ZERO;
    for number in 0..orders {
        let began = clock_gettime(ClockId::ThreadCPUTime);
        let applied = books.apply(&add(number));
        let took = clock_gettime(ClockId::ThreadCPUTime) - began;
        longest = longest.max(Duration::try_from(took)?);
        ensure!(applied.contradiction.is_none(), "order {number}: {:?}", applied.contradiction);
    }
    ensure!(books.orders() as u64 == orders, "an order is missing");
    Ok((MEMORY.peak_usage() - before, longest))
}

/// Orders of all instruments in turn, on all levels of both sides.
fn add(number: u64) -> Event {
    let instrument = number % u64::from(INSTRUMENTS);
    let round = number / u64::from(INSTRUMENTS);
    let (side, level) = (Side::BOTH[usize::from(round % 2 == 1)], round / 2 % LEVELS);
    let id = u32::try_from(instrument).map_or(InstrumentId(0), InstrumentId);
    let (price, qty) = (Price::from_raw(1_000 + level.cast_signed()), Qty::from_raw(100));
    let add = Event::new(EventKind::Add, id);
    Event { order: 1_000_000 + 3 * number, price, qty, ..add }.with_side(Some(side))
}
