//! What records say that is no event: definitions, reasons of a status, imbalances, statistics; and
//! mappings of symbols.

use super::definition::{self, text};
use super::record::{Header, i32_at, i64_at, rtype, u16_at, u32_at, u64_at};
use super::symbols::{Learned, Symbols};
use super::{UNDEF_PRICE, UNDEF_TIME};
use crate::recording::Known;
use market::{
    Imbalance, Price, Qty, Said, Side, SideEntry, Statistic, StatusReason, TradingStatus,
};

/// When whoever recorded it received a record of such a type, or its own time.
pub(super) fn received(bytes: &[u8], header: &Header) -> u64 {
    match header.rtype {
        rtype::STATUS | rtype::DEFINITION | rtype::IMBALANCE | rtype::STATISTICS => {
            u64_at(bytes, 16)
        }
        _ => header.ts_event,
    }
}

/// A mapping, or a definition of an instrument that none maps, tells what a number means.
pub(super) fn learn(
    bytes: &[u8],
    header: &Header,
    version: usize,
    symbols: &mut Symbols,
) -> Learned {
    let number = u32_at(bytes, 4);
    match header.rtype {
        rtype::SYMBOL_MAPPING => {
            let (out, start) = if version == 0 { (38..60, 64) } else { (89..160, 160) };
            let from = Some(u64_at(bytes, start)).filter(|&from| from != UNDEF_TIME).unwrap_or(0);
            symbols.learn(number, from, u64_at(bytes, start + 8), &text(bytes, out))
        }
        rtype::DEFINITION => {
            let time = received(bytes, header);
            if symbols.meant(number, time).symbol.is_some() {
                return Learned::Nothing;
            }
            let symbol = definition::read(bytes, version, number, 0).symbol;
            symbols.learn(number, 0, UNDEF_TIME, &symbol)
        }
        _ => Learned::Nothing,
    }
}

/// The entry of a record about `known`, if it leads to one; with a status, what it becomes.
pub(super) fn entry(
    bytes: &[u8],
    header: &Header,
    version: usize,
    known: &Known,
) -> Option<(SideEntry, Option<TradingStatus>)> {
    let mut becomes = None;
    let said = match header.rtype {
        rtype::DEFINITION => {
            let read = definition::read(bytes, version, u32_at(bytes, 4), known.qty_digits);
            Said::Definition(Box::new(read))
        }
        rtype::STATUS => {
            becomes = status(u16_at(bytes, 24));
            let reason = reason(u16_at(bytes, 24), u16_at(bytes, 26));
            Said::Status(StatusReason { status: becomes.unwrap_or_default(), reason })
        }
        rtype::IMBALANCE => Said::Imbalance(Box::new(imbalance(bytes, known))),
        rtype::STATISTICS => Said::Statistic(statistic(bytes, version, known)),
        _ => return None,
    };
    let exchange_time = super::record::time(header.ts_event);
    Some((SideEntry { instrument: known.id, exchange_time, said }, becomes))
}

fn price(bytes: &[u8], at: usize) -> Option<Price> {
    Some(i64_at(bytes, at)).filter(|&raw| raw != UNDEF_PRICE).map(Price::from_raw)
}

fn qty(count: i64, known: &Known) -> Option<Qty> {
    10i64.checked_pow(known.qty_digits)?.checked_mul(count).map(Qty::from_raw)
}

/// `StatusAction`: what the instrument's status becomes, if it changes.
fn status(action: u16) -> Option<TradingStatus> {
    Some(match action {
        // Before an open, a cross or a close; quoting; crossing; rotation.
        1..=5 | 11 => TradingStatus::Auction,
        7 => TradingStatus::Trading,
        8..=10 | 15 => TradingStatus::Halted,
        12 | 13 => TradingStatus::Closed,
        // None; a new price indication; a change of short-selling restrictions.
        _ => return None,
    })
}

/// Action and reason by the names of crate `dbn`, or as numbers.
fn reason(action: u16, reason: u16) -> String {
    let name = |value: u16, named: Option<String>| named.unwrap_or_else(|| value.to_string());
    let word = dbn::StatusAction::try_from(action).ok().map(|word| format!("{word:?}"));
    let why = dbn::StatusReason::try_from(reason).ok().map(|word| format!("{word:?}"));
    match reason {
        0 => name(action, word),
        _ => format!("{}: {}", name(action, word), name(reason, why)),
    }
}

fn imbalance(bytes: &[u8], known: &Known) -> Imbalance {
    let shares = |at| Some(u32_at(bytes, at)).filter(|&count| count != u32::MAX);
    let qty = |count: Option<u32>| count.and_then(|count| qty(count.into(), known));
    Imbalance {
        side: match bytes.get(105) {
            Some(b'B') => Some(Side::Buy),
            Some(b'A') => Some(Side::Sell),
            _ => None,
        },
        paired: qty(shares(88)).unwrap_or_default(),
        unpaired: qty(shares(92).or_else(|| shares(100))).unwrap_or_default(),
        reference: price(bytes, 24),
        near: price(bytes, 40),
        far: price(bytes, 48),
        auction: bytes.get(104..105).unwrap_or_default().escape_ascii().to_string(),
    }
}

fn statistic(bytes: &[u8], version: usize, known: &Known) -> Statistic {
    let (kind, quantity) = match version {
        2 => (u16_at(bytes, 56), Some(i64_at(bytes, 40)).filter(|&count| count != i64::MAX)),
        _ => {
            let count = Some(i32_at(bytes, 40)).filter(|&count| count != i32::MAX);
            (u16_at(bytes, 52), count.map(i64::from))
        }
    };
    let qty = quantity.and_then(|count| qty(count, known));
    Statistic { name: statistic_name(kind), price: price(bytes, 32), qty }
}

fn statistic_name(kind: u16) -> &'static str {
    match kind {
        1 => "opening price",
        2 => "indicative opening price",
        3 => "settlement price",
        4 => "trading session low price",
        5 => "trading session high price",
        6 => "cleared volume",
        7 => "lowest offer",
        8 => "highest bid",
        9 => "open interest",
        10 => "fixing price",
        11 => "close price",
        12 => "net change",
        13 => "VWAP",
        14 => "volatility",
        15 => "delta",
        16 => "uncrossing price",
        17 => "upper price limit",
        18 => "lower price limit",
        19 => "block volume",
        20 => "indicative close price",
        21 => "MWCB level 1",
        22 => "MWCB level 2",
        23 => "MWCB level 3",
        24 => "auction collar reference price",
        25 => "auction collar upper price",
        26 => "auction collar lower price",
        10_001 => "venue specific volume 1",
        10_002 => "venue specific price 1",
        _ => "of a type that is not known",
    }
}
