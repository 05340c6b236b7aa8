//! Kraken's checksum and books done again, slowly: texts in lists.

use rust_decimal::Decimal;

/// Price and quantity as texts.
pub type Level = (String, String);

fn number(text: &str) -> Decimal {
    text.parse().or_else(|_| Decimal::from_scientific(text)).unwrap()
}

/// The checksum of the ten best prices of each side: of every entry at them, in the order of the list.
pub fn sum_of(asks: &[Level], bids: &[Level]) -> u32 {
    let mut text = String::new();
    for (side, descending) in [(asks, false), (bids, true)] {
        let mut side: Vec<&Level> = side.iter().collect();
        side.sort_by(|a, b| {
            let order = number(&a.0).cmp(&number(&b.0));
            if descending { order.reverse() } else { order }
        });
        let mut prices: Vec<Decimal> = side.iter().map(|level| number(&level.0)).collect();
        prices.dedup();
        prices.truncate(10);
        for (price, qty) in side {
            if prices.contains(&number(price)) {
                for part in [price, qty] {
                    text.push_str(part.replace('.', "").trim_start_matches('0'));
                }
            }
        }
    }
    crc32fast::hash(text.as_bytes())
}
