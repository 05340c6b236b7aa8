//! Who keeps books: contestants that run the same days of messages, block by block, each at its own
//! pace, so that one's blocks can stand beside another's.

use crate::data::{Day, Walk};
use crate::machine::thread_nanos;
use crate::pairs::quantile;
use crate::rivals::naive;
use feeds::itch50::Decoder;
use market::book::{BookLimits, OrderBooks};
use market::{BookView, Event, EventKind, InstrumentId, Side, Sink, Timestamp};
use std::hint::black_box;

/// Messages in a packet: what a busy MoldUDP64 line carries.
pub const PACKET: usize = 8;

/// Nanoseconds that `count` steps of `act` cost each, in this thread's own time.
#[allow(clippy::cast_precision_loss)]
pub fn cost(count: usize, act: impl FnOnce()) -> f64 {
    let began = thread_nanos();
    act();
    (thread_nanos() - began) / count as f64
}

/// A sink that keeps the compiler from leaving out what nobody reads.
pub struct Seen;

impl Sink for Seen {
    #[inline]
    fn event(&mut self, event: Event) {
        black_box(event);
    }
}

/// A decoder that knows the day's instruments.
///
/// # Panics
/// If they do not fit ITCH; a generated day's do.
#[must_use]
pub fn decoder(day: &Day) -> Decoder {
    let mut decoder = Decoder::new(&day.listings, Timestamp::ZERO).expect("the listings fit ITCH");
    for message in day.opening.iter() {
        let _ = decoder.decode(message, 1, &mut Seen);
    }
    decoder
}

/// What books are measured on.
pub struct Shape<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its days.
    pub days: &'a [Day],
    /// Sizes of the books.
    pub limits: BookLimits,
    /// Messages of a block.
    pub block: usize,
    /// The ratio not to exceed.
    pub target: f64,
}

impl<'a> Shape<'a> {
    /// The broad shape.
    #[must_use]
    pub fn broad(days: &'a [Day]) -> Shape<'a> {
        let instruments = days.iter().map(|day| day.listings.len()).max().unwrap_or(0);
        let limits = BookLimits { instruments, orders: 400_000, levels: 256 };
        Shape { name: "broad", days, limits, block: 100_000, target: 0.5 }
    }
}

/// Who keeps books.
pub trait Contestant {
    /// Empties every book.
    fn clear(&mut self);
    /// Waits, untimed, until it can take a block.
    fn ready(&mut self) {}
    /// Takes one message.
    fn message(&mut self, message: &[u8]);
    /// All messages of a block.
    fn block(&mut self, messages: Walk<'_>) {
        messages.for_each(|message| self.message(message));
    }
}

/// Our decoder and books, as the trading loop uses them: packet by packet.
pub struct Books {
    decoder: Decoder,
    /// The books.
    pub books: OrderBooks,
    /// The events of one packet.
    events: Vec<Event>,
    /// Messages in a packet.
    packet: usize,
}

impl Books {
    /// Empty books of a shape, for packets of so many messages.
    #[must_use]
    pub fn new(shape: &Shape<'_>, packet: usize) -> Books {
        let books = OrderBooks::new(shape.limits);
        let events = Vec::with_capacity(2 * packet);
        Books { decoder: decoder(&shape.days[0]), books, events, packet }
    }

    /// What [`engine::trading::TradingLoop`] does with a packet before strategies speak.
    fn apply(&mut self) {
        self.books.expect(&self.events);
        for event in &self.events {
            let _ = self.books.apply(event);
        }
        self.events.clear();
    }
}

impl Contestant for Books {
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
pub struct Run<'a, C> {
    /// Who runs.
    pub contestant: C,
    shape: &'a Shape<'a>,
    next_day: usize,
    walk: Walk<'a>,
}

impl<'a, C: Contestant> Run<'a, C> {
    /// A contestant before its first day.
    pub fn new(contestant: C, shape: &'a Shape<'a>) -> Self {
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
        self.contestant.ready();
        self.walk.split(self.shape.block)
    }

    /// Nanoseconds a message of the next block.
    pub fn timed(&mut self) -> f64 {
        let block = self.next();
        let count = block.clone().count();
        cost(count, || self.contestant.block(block))
    }

    /// The p99 of single messages of a block, in ticks.
    pub fn tail(&mut self) -> f64 {
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

/// Both books stand alike, or the figure means nothing.
///
/// # Panics
/// If they differ.
pub fn agree(ours: &OrderBooks, naive: &naive::Books, limits: BookLimits) {
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
