//! Books through bytes: what a venue writes of its book is what the loop's book becomes.

use super::*;
use crate::fix::number::{ROOM, Written, write_decimal};
use market::BookView;
use market::book::{BookLimits, LevelBooks, OrderBooks};
use proptest::prelude::*;
use std::collections::BTreeMap;

const LIMITS: BookLimits = BookLimits { instruments: 3, levels: 64, orders: 256 };

fn text(raw: i64, scale: u32) -> String {
    let mut out = [0; ROOM];
    let Written { len, .. } = write_decimal(&mut out, raw, scale).unwrap();
    String::from_utf8_lossy(&out[..len]).into_owned()
}

/// Price, quantity and type of an entry, as text.
fn values(side: Side, price: i64, qty: i64) -> String {
    let kind = if side == Side::Buy { 0 } else { 1 };
    format!("269={kind}|270={}|271={}|", text(price, 9), text(qty, 8))
}

/// Levels of both sides as a book shows them.
fn shown(book: &impl BookView) -> BTreeMap<(Side, i64), i64> {
    let levels =
        |side| (0..).map_while(move |depth| book.level(side, depth)).map(move |l| (side, l));
    let all = Side::BOTH.into_iter().flat_map(levels);
    all.map(|(side, level)| ((side, level.price.raw()), level.qty.raw())).collect()
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn price() -> impl Strategy<Value = i64> {
    prop_oneof![1i64..12, (1i64..12).prop_map(|n| n * 500_000_000)]
}

proptest! {
    /// By level: a snapshot in any number of fragments, then updates in messages of any size.
    #[test]
    fn levels(
        first in prop::collection::btree_map((side(), price()), 1i64..=i64::MAX / 2, 0..12),
        cuts in 1usize..5,
        changes in prop::collection::vec(
            prop::collection::vec((side(), price(), 0i64..=1_000_000_000), 1..6), 0..12),
        numbered: bool,
    ) {
        let mut expected = first.clone();
        let (mut books, mut judge) = (books(Keyed::ByLevel), LevelBooks::new(LIMITS));
        let all: Vec<_> = first.into_iter().collect();
        let parts: Vec<_> = all.chunks(all.len().div_ceil(cuts).max(1)).collect();
        let parts = if parts.is_empty() { vec![&[][..]] } else { parts };
        let mut number = 100u64;
        for (at, part) in parts.iter().enumerate() {
            let last = if at + 1 == parts.len() { "Y" } else { "N" };
            let seq = if numbered { format!("83={number}|") } else { String::new() };
            let mut body = format!("{seq}893={last}|55=BTC/USD|268={}|", part.len());
            for ((side, price), qty) in *part {
                body += &values(*side, *price, *qty);
            }
            for event in events(&mut books, &message("W", &body)) {
                prop_assert_eq!(judge.apply(&event).contradiction, None);
            }
        }
        prop_assert_eq!(shown(judge.book(BTC)), expected.clone());
        for message_changes in &changes {
            let mut body = format!("268={}|", message_changes.len());
            for (side, price, qty) in message_changes {
                number += 1;
                let action = match (qty, expected.contains_key(&(*side, *price))) {
                    (0, _) => 2,
                    (_, true) => 1,
                    (_, false) => 0,
                };
                let seq = if numbered { format!("83={number}|") } else { String::new() };
                let values = values(*side, *price, *qty);
                body += &format!("279={action}|55=BTC/USD|{seq}{values}");
                match qty {
                    0 => expected.remove(&(*side, *price)),
                    _ => expected.insert((*side, *price), *qty),
                };
            }
            let all = events(&mut books, &message("X", &body));
            prop_assert_eq!(all.len(), message_changes.len());
            prop_assert_eq!(all.iter().filter(|event| event.flags.has(LAST)).count(), 1);
            prop_assert!(all.last().unwrap().flags.has(LAST));
            for event in all {
                prop_assert_eq!(judge.apply(&event).contradiction, None);
            }
            prop_assert_eq!(shown(judge.book(BTC)), expected.clone());
        }
        prop_assert_eq!((books.counters().gaps, books.counters().old), (0, 0));
    }

    /// By order: a snapshot, then orders that come, change, change their ids and go.
    #[test]
    fn orders(
        first in prop::collection::vec((side(), price(), 1i64..1_000_000), 0..8),
        changes in prop::collection::vec(
            (0u8..4, any::<prop::sample::Index>(), side(), price(), 1i64..1_000_000), 0..40),
    ) {
        let (mut books, mut judge) = (books(Keyed::ByOrder), OrderBooks::new(LIMITS));
        let mut resting: BTreeMap<u64, (Side, i64, i64)> = BTreeMap::new();
        let mut id = 0u64;
        let mut body = format!("55=BTC/USD|268={}|", first.len());
        for (side, price, qty) in first {
            id += 1;
            body += &format!("{}278={id}|", values(side, price, qty));
            resting.insert(id, (side, price, qty));
        }
        for event in events(&mut books, &message("W", &body)) {
            prop_assert_eq!(judge.apply(&event).contradiction, None);
        }
        for (action, which, new_side, price, qty) in changes {
            let ids: Vec<u64> = resting.keys().copied().collect();
            let chosen = (!ids.is_empty()).then(|| *which.get(&ids));
            id += 1;
            let entry = match (action, chosen) {
                (1, Some(old)) => {
                    let order = resting.get_mut(&old).unwrap();
                    *order = (order.0, price, qty);
                    format!("279=1|278={old}|{}", values(order.0, price, qty))
                }
                (2, Some(old)) => {
                    resting.remove(&old);
                    format!("279=2|278={old}|")
                }
                (3, Some(old)) => {
                    let (side, ..) = resting.remove(&old).unwrap();
                    resting.insert(id, (side, price, qty));
                    format!("279=1|278={id}|280={old}|{}", values(side, price, qty))
                }
                _ => {
                    resting.insert(id, (new_side, price, qty));
                    format!("279=0|278={id}|{}", values(new_side, price, qty))
                }
            };
            for event in events(&mut books, &message("X", &format!("55=BTC/USD|268=1|{entry}"))) {
                prop_assert_eq!(judge.apply(&event).contradiction, None);
            }
            let mut levels = BTreeMap::new();
            for (side, price, qty) in resting.values() {
                *levels.entry((*side, *price)).or_insert(0) += qty;
            }
            prop_assert_eq!(shown(judge.book(BTC)), levels);
            prop_assert_eq!(judge.orders(), resting.len());
        }
    }
}
