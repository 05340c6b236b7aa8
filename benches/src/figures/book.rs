//! ITCH decode beside crate `itchy`; decode with the book beside the naive book, on both shapes,
//! with the tail of single messages.

use crate::contest::{Books, PACKET, Run, Seen, Shape, agree, cost, decoder};
use crate::data::{Day, broad, deep};
use crate::figure::Figure;
use crate::machine::on_core;
use crate::pairs;
use crate::rivals::naive;
use market::book::BookLimits;
use std::hint::black_box;

/// Pairs of blocks.
const PAIRS: usize = 120;
/// Loops of the deep recording that are held in memory.
const LOOPS: u64 = 16;

/// The figures.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let (day, _) = broad::day(broad::BROAD, 42);
    let mut figures = vec![on_core(0, || decode(&day))];
    figures.extend(on_core(0, || books(&Shape::broad(&[day]))));
    match deep::days(LOOPS) {
        Ok(days) => {
            let limits = BookLimits { instruments: 1, orders: 65_536, levels: 4_096 };
            let shape =
                Shape { name: "deep", days: &days, limits, block: usize::MAX, target: 0.75 };
            figures.extend(on_core(0, || books(&shape)));
        }
        Err(why) => eprintln!("the deep shape is left out: {why:#}"),
    }
    Ok(figures)
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
    Figure::new("decode", "ns", "itchy", &paired).target(0.5).note("per message of the broad shape")
}

/// Decode and book, beside the naive book on the same messages.
fn books(shape: &Shape<'_>) -> Vec<Figure> {
    let name = format!("book/{}", shape.name);
    let runs = |packet| {
        let naive = naive::Books::new(shape.limits.instruments, shape.limits.orders);
        (Run::new(Books::new(shape, packet), shape), Run::new(naive, shape))
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
