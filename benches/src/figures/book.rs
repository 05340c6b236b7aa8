//! ITCH decode beside crate `itchy`; decode with the book beside the naive book, on both shapes,
//! with the tail of single messages.

use crate::data::{Day, Walk, broad, deep};
use crate::figure::Figure;
use crate::machine::{on_core, thread_nanos};
use crate::pairs::{self, quantile};
use crate::rivals::naive;
use feeds::itch50::Decoder;
use market::book::{BookLimits, OrderBooks};
use market::{Event, EventKind, InstrumentId, Sink, Timestamp};
use std::hint::black_box;

/// Pairs of blocks.
const PAIRS: usize = 120;
/// Messages in a packet: what a busy MoldUDP64 line carries.
const PACKET: usize = 8;
/// Loops of the deep recording that are held in memory.
const LOOPS: u64 = 16;

/// The figures.
///
/// # Errors
/// None without the recording: the deep figures say so instead.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let (day, _) = broad::day(broad::BROAD, 42);
    let mut figures = vec![on_core(0, || decode(&day))];
    let limits = BookLimits { instruments: 500, orders: 400_000, levels: 1_024 };
    let shape = Shape { name: "broad", days: &[day], limits, block: 100_000, target: 0.60 };
    figures.extend(on_core(0, || books(&shape)));
    match deep::days(LOOPS) {
        Ok(days) => {
            let limits = BookLimits { instruments: 1, orders: 65_536, levels: 4_096 };
            let shape =
                Shape { name: "deep", days: &days, limits, block: usize::MAX, target: 0.85 };
            figures.extend(on_core(0, || books(&shape)));
        }
        Err(why) => eprintln!("the deep shape is left out: {why:#}"),
    }
    Ok(figures)
}

/// Nanoseconds that `count` steps of `act` cost each, in this thread's own time.
#[allow(clippy::cast_precision_loss)]
fn cost(count: usize, act: impl FnOnce()) -> f64 {
    let began = thread_nanos();
    act();
    (thread_nanos() - began) / count as f64
}

/// A sink that keeps the compiler from leaving out what nobody reads.
struct Seen;

impl Sink for Seen {
    #[inline]
    fn event(&mut self, event: Event) {
        black_box(event);
    }
}

fn decoder(day: &Day) -> Decoder {
    let mut decoder = Decoder::new(&day.listings, Timestamp::ZERO).expect("the listings fit ITCH");
    for message in day.opening.iter() {
        let _ = decoder.decode(message, 1, &mut Seen);
    }
    decoder
}

/// Decode alone, beside `itchy`.
fn decode(day: &Day) -> Figure {
    let block = day.messages.len() / (PAIRS + 2);
    let mut decoder = decoder(day);
    let (mut ours, mut theirs) = (day.messages.iter(), day.messages.iter());
    let paired = pairs::alternate(
        PAIRS,
        || {
            let messages = ours.split(block);
            cost(block, || {
                for message in messages {
                    let _ = decoder.decode(message, 1, &mut Seen);
                }
            })
        },
        || {
            let bytes = theirs.split(block).rest();
            cost(block, || {
                for message in itchy::MessageStream::from_reader(bytes) {
                    let _ = black_box(message);
                }
            })
        },
    );
    Figure::new("decode", "ns", "itchy", &paired).target(0.6).note("per message of the broad shape")
}

/// What books are measured on.
struct Shape<'a> {
    name: &'static str,
    days: &'a [Day],
    limits: BookLimits,
    /// Messages of a block.
    block: usize,
    target: f64,
}

/// Who keeps books.
trait Contestant {
    fn clear(&mut self);
    fn message(&mut self, message: &[u8]);
    /// All messages of a block.
    fn block(&mut self, messages: Walk<'_>) {
        messages.for_each(|message| self.message(message));
    }
}

/// Our decoder and books, as the trading loop uses them: packet by packet.
struct Ours {
    decoder: Decoder,
    books: OrderBooks,
    /// The events of one packet.
    events: Vec<Event>,
    /// Messages in a packet.
    packet: usize,
}

impl Ours {
    fn new(shape: &Shape<'_>, packet: usize) -> Ours {
        let books = OrderBooks::new(shape.limits);
        let events = Vec::with_capacity(2 * packet);
        Ours { decoder: decoder(&shape.days[0]), books, events, packet }
    }

    /// What [`engine::trading::TradingLoop`] does with a packet before strategies speak.
    fn apply(&mut self) {
        self.events.iter().for_each(|event| self.books.expect(event));
        for event in self.events.drain(..) {
            let _ = self.books.apply(&event);
        }
    }
}

impl Contestant for Ours {
    fn clear(&mut self) {
        let _ = self.books.apply(&Event::new(EventKind::Clear, Event::ALL));
    }

    fn message(&mut self, message: &[u8]) {
        let _ = self.decoder.decode(message, 1, &mut self.events);
        self.apply();
    }

    fn block(&mut self, mut messages: Walk<'_>) {
        while !messages.rest().is_empty() {
            for message in messages.by_ref().take(self.packet) {
                let _ = self.decoder.decode(message, 1, &mut self.events);
            }
            self.apply();
        }
    }
}

impl Contestant for naive::Books {
    fn clear(&mut self) {
        naive::Books::clear(self);
    }

    fn message(&mut self, message: &[u8]) {
        naive::Books::message(self, message);
    }
}

/// A contestant on its way through the days, again and again.
struct Run<'a, C> {
    contestant: C,
    shape: &'a Shape<'a>,
    next_day: usize,
    walk: Walk<'a>,
}

impl<'a, C: Contestant> Run<'a, C> {
    fn new(contestant: C, shape: &'a Shape<'a>) -> Self {
        Run { contestant, shape, next_day: 0, walk: Walk::default() }
    }

    /// The messages of the next block; a day begins from empty books and its opening.
    fn next(&mut self) -> Walk<'a> {
        if self.walk.rest().is_empty() {
            let day = &self.shape.days[self.next_day];
            self.next_day = (self.next_day + 1) % self.shape.days.len();
            self.contestant.clear();
            day.opening.iter().for_each(|message| self.contestant.message(message));
            self.walk = day.messages.iter();
        }
        self.walk.split(self.shape.block)
    }

    fn timed(&mut self) -> f64 {
        let block = self.next();
        let count = block.clone().count();
        cost(count, || self.contestant.block(block))
    }

    /// The p99 of single messages of a block, in ticks.
    fn tail(&mut self) -> f64 {
        let block = self.next();
        let mut last = wire::stamp::now();
        let spans = block.map(|message| {
            self.contestant.message(message);
            let before = std::mem::replace(&mut last, wire::stamp::now());
            last - before
        });
        let mut spans: Vec<u64> = spans.collect();
        quantile(&mut spans, 0.99)
    }
}

/// Decode and book, beside the naive book on the same messages.
fn books(shape: &Shape<'_>) -> Vec<Figure> {
    let name = format!("book/{}", shape.name);
    let runs = |packet| {
        let naive = naive::Books::new(shape.limits.instruments, shape.limits.orders);
        (Run::new(Ours::new(shape, packet), shape), Run::new(naive, shape))
    };
    let measured = |packet| {
        let (mut ours, mut naive) = runs(packet);
        let paired = pairs::alternate(PAIRS, || ours.timed(), || naive.timed());
        agree(&ours.contestant.books, &naive.contestant, shape.limits);
        paired
    };
    let (packets, singly) = (measured(PACKET), measured(1));
    let (mut ours, mut naive) = runs(1);
    let tail = pairs::alternate(PAIRS, || ours.tail(), || naive.tail());
    vec![
        Figure::new(&name, "ns", "naive book", &packets)
            .target(shape.target)
            .note(format!("decode and book per message, {PACKET} messages a packet")),
        Figure::new(&format!("{name}/single"), "ns", "naive book", &singly)
            .note("the same, one message a packet: nothing to fetch ahead"),
        Figure::new(&format!("{name}/p99"), "ticks", "naive book", &tail)
            .target(1.0)
            .note("of single messages, in TSC ticks, the stamp included"),
    ]
}

/// Both books stand alike, or the figure means nothing.
fn agree(ours: &OrderBooks, naive: &naive::Books, limits: BookLimits) {
    use market::{BookView, Side};
    assert_eq!(ours.contradictions().total(), 0, "the generated day contradicts itself");
    for (index, sides) in (0u32..).zip(&naive.sides[1..=limits.instruments]) {
        let book = ours.book(InstrumentId(index));
        for (side, levels) in [(Side::Sell, &sides[0]), (Side::Buy, &sides[1])] {
            let shown = (0..book.depth(side)).filter_map(|depth| book.level(side, depth));
            let mut shown: Vec<(i64, i64)> =
                shown.map(|level| (level.price.raw() / 100_000, level.qty.raw())).collect();
            shown.sort_unstable();
            let held = levels.iter().map(|(&price, &shares)| {
                (i64::from(price), i64::try_from(shares).expect("few shares"))
            });
            let held: Vec<_> = held.collect();
            assert_eq!(held, shown, "the books of instrument {index} differ");
        }
    }
}
