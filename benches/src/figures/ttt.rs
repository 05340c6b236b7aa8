//! Tick to trade, wire to wire over loopback, as the exchange's side sees it: from the send of a
//! datagram with one ITCH message to the first byte of the order that it leads to, beside a bare
//! loop on the same path, an ordinary blocking design, and the engine with something left out.
//!
//! Everyone who answers lives on one core and rests while another is at work there.

use crate::figure::Figure;
use crate::pairs::{self, Paired, quantile};
use crate::wired::engine::Options;
use crate::wired::field::{self, Who};
use std::time::Duration;

/// Rounds, each with a pair of blocks for every rival; the first two warm up.
const ROUNDS: usize = 102;
/// How long a block is: more than a thousand ticks.
const BLOCK: Duration = Duration::from_millis(40);

/// The engine as it is deployed, and the place of each that stands beside it.
const OURS: usize = 0;
const BARE: usize = 1;
const WATCHING: usize = 2;
const BLOCKING: usize = 3;
const UNRECORDED: usize = 4;
const UNSTAMPED: usize = 5;
const SPLIT: usize = 6;
const URING: usize = 7;

/// Median and p99 of a block, in nanoseconds.
type Block = (f64, f64);

/// The figures.
///
/// # Errors
/// What the host refuses; an engine that does not answer.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let full = Options::FULL;
    let mut field = vec![
        Who::Engine(full),
        Who::Spinning,
        Who::Watching,
        Who::Waiting,
        Who::Engine(Options { journal: false, ..full }),
        Who::Engine(Options { kernel_stamps: false, ..full }),
        Who::Engine(Options { split: true, ..full }),
    ];
    if wire::open(wire::Backend::IoUring).is_ok() {
        field.push(Who::Engine(Options { backend: wire::Backend::IoUring, ..full }));
    }
    let ((rounds, hops), multicast) = field::run(&field, |asking, turns| {
        let mut rounds = vec![Vec::new(); field.len()];
        let mut block = |place| -> anyhow::Result<Block> {
            asking.tend();
            let mut ticks = asking.block(turns, place, BLOCK)?;
            Ok((quantile(&mut ticks, 0.5), quantile(&mut ticks, 0.99)))
        };
        for round in 0..ROUNDS {
            for (rival, pairs) in rounds.iter_mut().enumerate().skip(1) {
                let pair = (block(OURS)?, block(rival)?);
                if round >= 2 {
                    pairs.push(pair);
                }
            }
        }
        Ok((rounds, asking.hops()))
    })?;
    Ok(figures(&rounds, &hops, multicast))
}

/// Pairs of our blocks and a rival's.
type Pairs = [(Block, Block)];

fn paired(pairs: &Pairs, part: fn(&Block) -> f64) -> Paired {
    let pairs: Vec<_> = pairs.iter().map(|(ours, theirs)| (part(ours), part(theirs))).collect();
    pairs::of(&pairs)
}

/// A variant of ours beside ours.
fn variant(name: &str, pairs: &Pairs) -> Figure {
    let swapped: Vec<_> = pairs.iter().map(|&(ours, theirs)| (theirs, ours)).collect();
    Figure::new(name, "ns", "fused", &paired(&swapped, |block| block.0))
}

fn figures(
    rounds: &[Vec<(Block, Block)>],
    hops: &[(&'static str, u64)],
    multicast: bool,
) -> Vec<Figure> {
    let beside = |name, rival: usize, what| {
        Figure::new(name, "ns", what, &paired(&rounds[rival], |block| block.0))
    };
    let way = if multicast { "multicast" } else { "unicast (multicast is refused)" };
    let hops: Vec<String> = hops.iter().map(|(name, nanos)| format!("{name} {nanos}")).collect();
    let path = format!(
        "{way} datagram to first byte of the order; fused, plain sockets, journal, risk and all \
         stamps on; medians of the engine's own hops, in ns: {}",
        hops.join(", ")
    );
    let mut figures = vec![
        beside("ttt/median", BARE, "bare loop").target(1.20).note(path),
        Figure::new("ttt/p99", "ns", "bare loop", &paired(&rounds[BARE], |block| block.1))
            .target(1.30)
            .note("p99 of each block, of more than a thousand ticks"),
        beside("ttt/median", WATCHING, "bare loop on both sockets")
            .note("which also spins on the order socket"),
        beside("ttt/blocking", BLOCKING, "blocking calls").target(0.45),
        beside("ttt/journal", UNRECORDED, "without a journal").target(1.10),
        beside("ttt/stamps", UNSTAMPED, "without kernel receive times"),
        variant("ttt/split", &rounds[SPLIT]).note(
            "the gateway polled on the exchange's CPU, in turn with it: with two CPUs the order \
             leaves on the core that reads it, which flatters a split",
        ),
    ];
    if let Some(pairs) = rounds.get(URING) {
        figures.push(variant("ttt/io_uring", pairs).note("the same over io_uring"));
    }
    figures
}
