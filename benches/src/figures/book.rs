//! ITCH decode beside crate `itchy`; decode with the book beside the naive book, on both shapes,
//! with the tail of single messages.

use crate::data::{Day, Walk, broad, deep};
use crate::figure::Figure;
use crate::machine::{on_core, thread_nanos};
use crate::pairs::{self, Paired, quantile};
use crate::rivals::naive;
use feeds::itch50::Decoder;
use market::book::{BookLimits, OrderBooks};
use market::{Event, EventKind, InstrumentId, Sink, Timestamp};
use std::hint::black_box;

/// Pairs of blocks.
const PAIRS: usize = 120;
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
    figures.extend(on_core(0, || books("broad", std::slice::from_ref(&day), limits, 0.60)));
    drop(day);
    match deep::day(LOOPS) {
        Ok(days) => {
            let limits = BookLimits { instruments: 1, orders: 65_536, levels: 4_096 };
            figures.extend(on_core(0, || books("deep", &days, limits, 0.85)));
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
            cost(block, || {
                for message in ours.by_ref().take(block) {
                    let _ = decoder.decode(message, 1, &mut Seen);
                }
            })
        },
        || {
            let from = theirs.rest();
            theirs.by_ref().take(block).for_each(drop);
            let bytes = &from[..from.len() - theirs.rest().len()];
            cost(block, || {
                let messages = itchy::MessageStream::from_reader(bytes);
                messages.for_each(|message| {
                    let _ = black_box(message);
                });
            })
        },
    );
    Figure::new("decode", "ns", "itchy", &paired).target(0.6).note("per message of the broad shape")
}

/// Our decoder and books, applying messages.
struct Ours {
    decoder: Decoder,
    books: Apply,
}

/// The books as a sink: what a fused core does with each event.
pub(super) struct Apply(pub(super) OrderBooks);

impl Sink for Apply {
    #[inline]
    fn event(&mut self, event: Event) {
        let _ = self.0.apply(&event);
    }
}

impl Ours {
    fn message(&mut self, message: &[u8]) {
        let _ = self.decoder.decode(message, 1, &mut self.books);
    }

    fn clear(&mut self) {
        let _ = self.books.0.apply(&Event::new(EventKind::Clear, Event::ALL));
    }
}

/// Decode and book, beside the naive book on the same messages.
fn books(shape: &str, days: &[Day], limits: BookLimits, target: f64) -> Vec<Figure> {
    let mut ours = Ours { decoder: decoder(&days[0]), books: Apply(OrderBooks::new(limits)) };
    let mut naive = naive::Books::new(limits.instruments, limits.orders);
    for message in days[0].opening.iter() {
        ours.message(message);
        naive.message(message);
    }
    let total: usize = days.iter().map(|day| day.messages.len()).sum();
    let block = total / (PAIRS + 2);
    let (mut mine, mut theirs) = (Turns::new(days), Turns::new(days));
    let paired = pairs::alternate(
        PAIRS,
        || cost(block, || mine.go(block, &mut ours, Ours::clear, Ours::message)),
        || {
            cost(block, || {
                theirs.go(block, &mut naive, naive::Books::clear, |books, message| {
                    books.message(message);
                });
            })
        },
    );
    agree(&ours.books.0, &naive, limits);
    let tail = tails(days, &mut ours, &mut naive);
    let name = format!("book/{shape}");
    vec![
        Figure::new(&name, "ns", "naive book", &paired)
            .target(target)
            .note("decode and book per message, with every check"),
        Figure::new(&format!("{name}/p99"), "ticks", "naive book", &tail)
            .target(1.0)
            .note("of single messages, in TSC ticks, the stamp included"),
    ]
}

/// Where a contestant is: which day, and where in it.
struct Turns<'a> {
    days: std::slice::Iter<'a, Day>,
    walk: Option<Walk<'a>>,
    first: bool,
}

impl<'a> Turns<'a> {
    fn new(days: &'a [Day]) -> Turns<'a> {
        Turns { days: days.iter(), walk: None, first: true }
    }

    /// The next message; `clear` at the beginning of every day but the first.
    fn go<B>(
        &mut self,
        count: usize,
        books: &mut B,
        clear: impl Fn(&mut B),
        apply: impl Fn(&mut B, &[u8]),
    ) {
        let mut left = count;
        while left > 0 {
            let walk = match &mut self.walk {
                Some(walk) => walk,
                None => {
                    let Some(day) = self.days.next() else { return };
                    if !std::mem::take(&mut self.first) {
                        clear(books);
                    }
                    self.walk.insert(day.messages.iter())
                }
            };
            let before = left;
            for message in walk.by_ref().take(before) {
                apply(books, message);
                left -= 1;
            }
            if left > 0 {
                self.walk = None;
            }
        }
    }
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
            assert!(held.eq(shown), "the books of instrument {index} differ");
        }
    }
}

/// The p99 of single messages, ours and the naive book's, over blocks of the last day again.
fn tails(days: &[Day], ours: &mut Ours, naive: &mut naive::Books) -> Paired {
    let Some(day) = days.last() else { unreachable!("there is a day") };
    // The last day once more, from empty books: its opening brings both to the same state.
    ours.clear();
    naive.clear();
    for message in day.opening.iter() {
        ours.message(message);
        naive.message(message);
    }
    let block = day.messages.len() / (PAIRS + 2);
    let (mut mine, mut theirs) = (day.messages.iter(), day.messages.iter());
    let mut spans = vec![0u64; block];
    let mut others = vec![0u64; block];
    pairs::alternate(
        PAIRS,
        || {
            timed(&mut spans, &mut mine, |message| ours.message(message));
            quantile(&mut spans, 0.99)
        },
        || {
            timed(&mut others, &mut theirs, |message| naive.message(message));
            quantile(&mut others, 0.99)
        },
    )
}

fn timed(spans: &mut [u64], walk: &mut Walk<'_>, mut act: impl FnMut(&[u8])) {
    let mut last = wire::stamp::now();
    for (span, message) in spans.iter_mut().zip(walk) {
        act(message);
        let now = wire::stamp::now();
        *span = now - last;
        last = now;
    }
}
