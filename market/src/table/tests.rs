//! The fixed tables against a plain map, and where their entries lie.

use super::*;
use crate::book::by_order::Resting;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Few ids of one bucket and the next, around the table's end, so that they pass one another there.
fn ids_of_neighbours(table: &IdTable, count: usize) -> Vec<u64> {
    let last = table.buckets.len() - 1;
    let near_the_wrap = |id: &u64| [last, 0].contains(&table.home(*id));
    (0..).filter(near_the_wrap).take(count).collect()
}

proptest! {
    #[test]
    fn equals_a_map(
        crowded in any::<bool>(),
        steps in prop::collection::vec((0usize..40, 0u8..12, 0u32..9), 0..400),
    ) {
        let mut table: IdTable = IdTable::new(16);
        let mut map = BTreeMap::new();
        let ids = if crowded {
            ids_of_neighbours(&table, 40)
        } else {
            (0..40u64).map(|id| id.wrapping_mul(0x1_0000_0001)).collect()
        };
        for (id, action, value) in steps {
            let id = ids[id];
            match action {
                0..7 => {
                    let expected = if map.len() >= 16 && !map.contains_key(&id) {
                        Err(Full)
                    } else {
                        Ok(map.insert(id, value))
                    };
                    prop_assert_eq!(table.insert(id, value), expected);
                }
                7..11 => prop_assert_eq!(table.remove(id), map.remove(&id)),
                _ => {
                    table.retain(|&kept| kept != value);
                    map.retain(|_, &mut kept| kept != value);
                }
            }
            prop_assert_eq!(table.len(), map.len());
            for id in &ids {
                prop_assert_eq!(table.get(*id), map.get(id).copied());
            }
            let mut held: Vec<_> = table.iter().collect();
            held.sort_unstable();
            prop_assert!(held.into_iter().eq(map.iter().map(|(&id, &value)| (id, value))));
        }
    }
}

#[test]
fn ids_as_exchanges_give_them_do_not_gather() {
    const COUNT: u64 = 1 << 15;
    let steps = (0..49).map(|power| 1 << power);
    let steps = steps.chain((0..15).map(|power| 10u64.pow(power)));
    let steps = steps.chain([2, 3, 8, 48, 1000, 4096, 0x1_0000_0001, 0xffff_ffff]);
    for step in steps {
        for base in [0, 1, 1_000_000_000_000, u64::MAX - 7, 0x8000_0000_0000_0000] {
            let mut table: IdTable = IdTable::new(COUNT as usize);
            let mut away = 0;
            for count in 0..COUNT {
                let id = count.wrapping_mul(step).wrapping_add(base);
                let place = table.find(id).unwrap_err();
                away += u64::from(place.home != place.bucket);
                table.put_at(place, id, 0).unwrap();
            }
            // Of random ids one of fifty finds its bucket full until the table is.
            assert!(away < COUNT / 10, "step {step:#x} from {base:#x}: {away} are not at home");
        }
    }
}

#[test]
fn buckets_fill_their_cache_lines() {
    assert_eq!((size_of::<Bucket<u32, 4>>(), align_of::<Bucket<u32, 4>>()), (64, 64));
    assert_eq!((size_of::<Bucket<Resting, 5>>(), align_of::<Bucket<Resting, 5>>()), (128, 64));
}

#[test]
fn nothing_passes_a_bucket_when_all_are_gone() {
    let mut table: IdTable = IdTable::new(16);
    let ids = ids_of_neighbours(&table, 16);
    ids.iter().for_each(|&id| assert_eq!(table.insert(id, 1), Ok(None)));
    assert!(table.buckets.iter().any(|bucket| bucket.passed > 0));
    ids[..8].iter().for_each(|&id| assert_eq!(table.remove(id), Some(1)));
    table.retain(|_| false);
    assert!(table.is_empty() && table.buckets.iter().all(|bucket| bucket.passed == 0));
}

#[test]
fn a_small_table_holds_what_it_was_made_for_and_no_more() {
    for capacity in 0..9 {
        let mut table: IdTable = IdTable::new(capacity);
        let full = (0..).take_while(|&id| table.insert(id, 1) == Ok(None)).count();
        assert_eq!((full, table.len()), (capacity, capacity));
        assert!(table.is_full() && !table.grow());
    }
}
