//! Definitions of instruments: the fields that matter here, by their places in each version.

use super::record::{i32_at, i64_at, u64_at};
use super::{UNDEF_PRICE, UNDEF_TIME};
use market::{Definition, Price, Qty, Timestamp};
use std::ops::Range;

/// Places of fields that differ between versions.
struct Places {
    unit_of_measure_qty: usize,
    strike_price: usize,
    min_lot_size: usize,
    min_lot_size_round_lot: usize,
    contract_multiplier: usize,
    currency: usize,
    raw_symbol: Range<usize>,
    group: usize,
    exchange: usize,
    asset: Range<usize>,
    cfi: usize,
    security_type: usize,
    unit_of_measure: usize,
    underlying: usize,
    class: usize,
}

const PLACES: [Places; 3] = [
    Places {
        unit_of_measure_qty: 88,
        strike_price: 328,
        min_lot_size: 140,
        min_lot_size_round_lot: 148,
        contract_multiplier: 160,
        currency: 186,
        raw_symbol: 200..222,
        group: 222,
        exchange: 243,
        asset: 248..255,
        cfi: 255,
        security_type: 262,
        unit_of_measure: 269,
        underlying: 300,
        class: 325,
    },
    Places {
        unit_of_measure_qty: 88,
        strike_price: 112,
        min_lot_size: 148,
        min_lot_size_round_lot: 156,
        contract_multiplier: 164,
        currency: 186,
        raw_symbol: 200..271,
        group: 271,
        exchange: 292,
        asset: 297..304,
        cfi: 304,
        security_type: 311,
        unit_of_measure: 318,
        underlying: 349,
        class: 374,
    },
    Places {
        unit_of_measure_qty: 80,
        strike_price: 104,
        min_lot_size: 160,
        min_lot_size_round_lot: 168,
        contract_multiplier: 176,
        currency: 224,
        raw_symbol: 238..309,
        group: 309,
        exchange: 330,
        asset: 335..346,
        cfi: 346,
        security_type: 353,
        unit_of_measure: 360,
        underlying: 391,
        class: 487,
    },
];

/// The definition in a record of `version` (0 for the first), whose length is that version's.
pub(super) fn read(bytes: &[u8], version: usize, instrument: u32, qty_digits: u32) -> Definition {
    let places = &PLACES[version.min(2)];
    let unit = 10i64.pow(qty_digits.min(Qty::DIGITS_MAX));
    let price = |at| Some(i64_at(bytes, at)).filter(|&price| price != UNDEF_PRICE);
    let count = |at| Some(i32_at(bytes, at)).filter(|&count| count > 0 && count != i32::MAX);
    let lot = count(places.min_lot_size).or_else(|| count(places.min_lot_size_round_lot));
    let multiplier = price(places.unit_of_measure_qty).filter(|&units| units > 0);
    let contracts = || count(places.contract_multiplier).map(|n| i64::from(n) * 1_000_000_000);
    let expiry = Some(u64_at(bytes, 40)).filter(|&nanos| nanos != UNDEF_TIME && nanos > 0);
    let mut details = Vec::new();
    for (name, place) in [
        ("instrument_class", places.class..places.class + 1),
        ("exchange", places.exchange..places.exchange + 5),
        ("asset", places.asset.clone()),
        ("security_type", places.security_type..places.security_type + 7),
        ("cfi", places.cfi..places.cfi + 7),
        ("group", places.group..places.group + 21),
        ("underlying", places.underlying..places.underlying + 21),
        ("unit_of_measure", places.unit_of_measure..places.unit_of_measure + 31),
    ] {
        let said = text(bytes, place);
        if !said.is_empty() {
            details.push((name, said));
        }
    }
    if let Some(strike) = price(places.strike_price).filter(|&strike| strike != 0) {
        details.push(("strike_price", Price::from_raw(strike).to_string()));
    }
    Definition {
        symbol: text(bytes, places.raw_symbol.clone()),
        venue_id: instrument.into(),
        tick: price(24).filter(|&tick| tick > 0).map(Price::from_raw),
        lot: lot.map(|lot| Qty::from_raw(i64::from(lot).saturating_mul(unit))),
        qty_digits,
        multiplier: multiplier.or_else(contracts),
        currency: text(bytes, places.currency..places.currency + 4),
        expiry: expiry.map(Timestamp::from_nanos),
        details,
    }
}

/// A text that ends at its first zero, or with its field.
pub(super) fn text(bytes: &[u8], place: Range<usize>) -> String {
    let field = bytes.get(place).unwrap_or_default();
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    field[..end].escape_ascii().to_string()
}
