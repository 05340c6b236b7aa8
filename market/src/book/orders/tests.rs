//! The table of orders against a plain map, by every way in which exchanges number their orders.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn order(qty: u32) -> Resting {
    let (price, qty) = (Price::ONE, Qty::from_raw(qty.into()));
    let slot = ladder::Ladder::new(Side::Buy, 1).join(price, qty).expect("there is room");
    Resting { price, qty, instrument: InstrumentId(qty.raw() as u32), slot, side: Side::Buy }
}

proptest! {
    #[test]
    fn equals_a_map(
        capacity in prop_oneof![Just(None), (0usize..40).prop_map(Some)],
        pattern in prop_oneof![Just(1u64), Just(1 << 40), Just(1_000_000_007), any::<u64>()],
        steps in prop::collection::vec((0u64..9_000, 0u8..40, 0u32..7), 0..12_000),
    ) {
        let mut orders = capacity.map_or_else(Orders::growing, Orders::new);
        let mut map = BTreeMap::new();
        for (id, action, qty) in steps {
            // A small table meets few ids, or it would never find one.
            let id = if capacity.is_some() { id % 50 } else { id }.wrapping_mul(pattern | 1);
            match (action, orders.part(id).find(id)) {
                (0..33, None) => {
                    let part = orders.roomy_part(id);
                    let room = capacity.is_none_or(|capacity| map.len() < capacity);
                    prop_assert_eq!(part.is_full(), !room);
                    prop_assert_eq!(part.put(id, order(qty)), room);
                    if room {
                        map.insert(id, order(qty));
                    }
                }
                (0..33, Some(at)) => {
                    orders.part_mut(id).order_mut(at).unwrap().qty = Qty::ZERO;
                    map.get_mut(&id).unwrap().qty = Qty::ZERO;
                }
                (33..39, Some(at)) => {
                    orders.part_mut(id).remove_at(id, at);
                    prop_assert!(map.remove(&id).is_some());
                }
                (33..39, None) => prop_assert!(!map.contains_key(&id)),
                _ if qty == 0 => {
                    orders.clear();
                    map.clear();
                }
                _ => {
                    orders.retain(|kept| kept.instrument != InstrumentId(qty));
                    map.retain(|_, kept| kept.instrument != InstrumentId(qty));
                }
            }
            prop_assert_eq!(orders.part(id).get(id), map.get(&id).copied());
            prop_assert_eq!(orders.len(), map.len());
        }
        let mut held: Vec<_> = orders.iter().collect();
        held.sort_unstable_by_key(|&(id, _)| id);
        prop_assert!(held.into_iter().eq(map));
    }
}

#[test]
fn ids_as_exchanges_give_them_fill_all_parts_alike() {
    const COUNT: u64 = 300_000;
    let steps = (0..40).map(|power| 1 << power).chain([3, 48, 1000, 1_000_000, 1_000_000_007]);
    for step in steps {
        let orders = Orders { parts: vec![Part::new(0); PARTS], grows: true };
        let mut ids = vec![0; PARTS];
        (0..COUNT).for_each(|count| ids[orders.at(count * step)] += 1);
        // Random ids: 293 of a part, 17 more or less.
        assert!(ids.iter().all(|ids| (180..410).contains(ids)), "{step:#x}: {ids:?}");
    }
}

#[test]
fn a_table_that_grows_is_one_part_until_it_pays() {
    let mut orders = Orders::growing();
    for id in 0..=WHOLE as u64 {
        assert_eq!(orders.parts.len(), 1);
        assert!(orders.roomy_part(id).put(id, order(1)));
    }
    let more = (0..).map(|n| u64::MAX - n).find(|&id| {
        assert!(orders.roomy_part(id).put(id, order(2)));
        orders.parts.len() > 1
    });
    assert!(more.is_some_and(|id| orders.part(id).get(id).is_some()));
    assert_eq!(orders.parts.len(), PARTS);
    assert!((0..=WHOLE as u64).all(|id| orders.part(id).get(id) == Some(order(1))));
}
