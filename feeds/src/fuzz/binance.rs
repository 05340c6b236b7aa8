//! Binance's depth frames: the one-pass reader against `serde_json`.

use crate::binance::depth::head;
use crate::binance::frame::{Frame, Level};
use crate::digits::decimal;
use market::{Price, Qty, Side};

/// Any bytes as a depth frame: no panic, and what is read in one pass is what `serde_json` reads.
pub fn binance_depth(bytes: &[u8]) {
    const DIGITS: u32 = 8;
    let parsed = Frame::parse(bytes);
    let Some(head) = head(bytes) else { return };
    let mut levels: Vec<(Side, Price, Qty)> = Vec::new();
    if head.levels(DIGITS, |side, price, qty| levels.push((side, price, qty))).is_none() {
        return;
    }
    let depth = match parsed {
        Ok(Frame::Depth(depth)) => depth,
        other => panic!("{:?} is read in one pass, but {other:?}", bytes.escape_ascii()),
    };
    assert_eq!(head.symbol, depth.symbol);
    assert_eq!((head.event, head.transaction), (depth.event, depth.transaction));
    assert_eq!((head.span, head.pair), (depth.span(), depth.pair.is_some()));
    let side = |side, levels: &[Level<'_>]| -> Vec<(Side, Price, Qty)> {
        let number = |text: &str, digits| decimal(text.as_bytes(), digits).expect("it is a number");
        let level = |Level(price, qty): &Level<'_>| {
            let price = Price::from_raw(number(price, Price::DIGITS));
            (side, price, Qty::from_raw(number(qty, DIGITS)))
        };
        levels.iter().map(level).collect()
    };
    assert_eq!(levels, [side(Side::Buy, &depth.bids), side(Side::Sell, &depth.asks)].concat());
}
