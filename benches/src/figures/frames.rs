//! Binance's depth frames, from the bytes of a recording to integers, beside `serde_json` with typed
//! and borrowed fields.

use crate::contest::cost;
use crate::data::recordings;
use crate::figure::Figure;
use crate::machine::on_core;
use crate::pairs;
use anyhow::Context as _;
use feeds::binance::depth;
use feeds::digits::decimal;
use feeds::recording::{Lines, Source};
use market::{Price, Side};
use serde::Deserialize;
use std::hint::black_box;

const FILE: &str = "binance_raw/usdm/btcusdt_20240808.gz";
/// Pairs of blocks.
const PAIRS: usize = 120;
/// Frames of a block.
const BLOCK: usize = 512;
/// The scale of quantities.
const QTY_DIGITS: u32 = 8;

/// The figures.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let frames = frames()?;
    for frame in &frames {
        let (ours, theirs) = (ours(frame), theirs(frame));
        anyhow::ensure!(ours.is_some() && ours == theirs, "{}", frame.escape_ascii());
    }
    Ok(on_core(0, || vec![figure(&frames)]))
}

/// Every depth frame of the recording.
fn frames() -> anyhow::Result<Vec<Vec<u8>>> {
    let path = recordings().join(FILE);
    let input = Source::file(&path).open();
    let input = input
        .with_context(|| format!("{}: set TOUCHLINE_DATA to the recordings", path.display()))?;
    let (mut lines, mut frames) = (Lines::new(input), Vec::new());
    while let Some(line) = lines.next_line()? {
        let frame = line.text.get(20..).unwrap_or_default();
        if depth::head(frame).is_some() {
            frames.push(frame.to_vec());
        }
    }
    anyhow::ensure!(frames.len() >= BLOCK, "{}: {} depth frames", path.display(), frames.len());
    Ok(frames)
}

fn figure(frames: &[Vec<u8>]) -> Figure {
    let blocks = || frames.chunks_exact(BLOCK).cycle();
    let (mut our_blocks, mut their_blocks) = (blocks(), blocks());
    let timed = |block: &[Vec<u8>], read: fn(&[u8]) -> Option<Sum>| {
        cost(block.len(), || {
            for frame in block {
                black_box(read(frame));
            }
        })
    };
    let paired = pairs::alternate(
        PAIRS,
        || timed(our_blocks.next().unwrap_or_default(), ours),
        || timed(their_blocks.next().unwrap_or_default(), theirs),
    );
    Figure::new("frames/binance", "ns", "serde_json", &paired)
        .target(0.5)
        .note("per depth frame of USD-M, 68 levels on average, to integers")
}

/// What a frame came to: every integer has a part in it.
type Sum = (u64, i64, i64);

fn add(sum: &mut Sum, side: Side, price: i64, qty: i64) {
    let signed = if side == Side::Buy { price } else { !price };
    sum.1 = sum.1.wrapping_mul(31).wrapping_add(signed);
    sum.2 = sum.2.wrapping_mul(31).wrapping_add(qty);
}

fn ours(frame: &[u8]) -> Option<Sum> {
    let head = depth::head(frame)?;
    let mut sum = (head.event ^ head.span.first ^ head.span.last ^ head.span.previous?, 0, 0);
    head.levels(QTY_DIGITS, |side, price, qty| add(&mut sum, side, price.raw(), qty.raw()))?;
    Some(sum)
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    data: Frame<'a>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "E")]
    event: u64,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(rename = "pu")]
    previous: u64,
    #[serde(rename = "b", borrow)]
    bids: Vec<(&'a str, &'a str)>,
    #[serde(rename = "a", borrow)]
    asks: Vec<(&'a str, &'a str)>,
}

/// With our own reading of digits, which is quicker than what the rival would have.
fn theirs(frame: &[u8]) -> Option<Sum> {
    let frame: Frame<'_> = serde_json::from_slice::<Wrapped<'_>>(frame).ok()?.data;
    let mut sum = (frame.event ^ frame.first ^ frame.last ^ frame.previous, 0, 0);
    for (side, levels) in [(Side::Buy, &frame.bids), (Side::Sell, &frame.asks)] {
        for (price, qty) in levels {
            let price = decimal(price.as_bytes(), Price::DIGITS)?;
            add(&mut sum, side, price, decimal(qty.as_bytes(), QTY_DIGITS)?);
        }
    }
    Some(sum)
}
