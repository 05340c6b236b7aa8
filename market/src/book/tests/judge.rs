//! Random events, many of them contradictory, on a fast book and on its twin.

use super::*;
use crate::Rng;
use proptest::prelude::*;

/// Everything that can be seen must be equal.
fn assert_equal<F: Books, T: Books>(
    fast: &F,
    twin: &T,
    limits: BookLimits,
    what: &dyn std::fmt::Debug,
) {
    assert_eq!(fast.audit(), Ok(()), "{what:?}");
    assert_eq!(fast.contradictions(), twin.contradictions(), "{what:?}");
    for instrument in 0..u32::try_from(limits.instruments).unwrap() {
        for side in Side::BOTH {
            let (fast, twin) = (fast.levels(instrument, side), twin.levels(instrument, side));
            assert_eq!(fast, twin, "{side:?} of {instrument} after {what:?}");
        }
        let (fast, twin) = (fast.view(instrument), twin.view(instrument));
        assert_eq!(fast.state(), twin.state(), "{instrument} after {what:?}");
        assert_eq!(fast.updated(), twin.updated(), "{instrument} after {what:?}");
        for side in Side::BOTH {
            assert_eq!(fast.best(side), twin.best(side));
            assert_eq!(fast.depth(side), twin.depth(side));
        }
        assert_eq!(fast.mid(), twin.mid());
    }
    assert_eq!(fast.hash(), twin.hash(), "hash after {what:?}");
}

/// The ways in which exchanges number their orders.
const PATTERNS: [fn(u64) -> u64; 6] = [
    |n| n,
    |n| n.wrapping_mul(1 << 32),
    |n| 1_000_000_000_000 + n,
    |n| n.wrapping_mul(1_000_000_000_000),
    |n| u64::MAX - n,
    |n| n << 60 | n,
];

#[derive(Clone, Copy, Debug)]
enum Step {
    Apply(Event),
    Stale(u32, bool),
}

fn kinds() -> impl Strategy<Value = EventKind> {
    use EventKind as K;
    prop_oneof![
        12 => Just(K::Add),
        3 => Just(K::Change),
        3 => Just(K::Reduce),
        4 => Just(K::Execute),
        5 => Just(K::Delete),
        10 => Just(K::Level),
        1 => Just(K::Trade),
        1 => prop_oneof![
            Just(K::Clear), Just(K::Status), Just(K::Gap), Just(K::Recovered),
            Just(K::Lost), Just(K::Reset), Just(K::Mark), Just(K::Entry),
        ],
    ]
}

fn flags() -> impl Strategy<Value = EventFlags> {
    prop_oneof![
        10 => Just(EventFlags::NONE),
        4 => Just(EventFlags::REPLACE),
        1 => (0u16..64).prop_map(EventFlags),
    ]
}

fn values() -> impl Strategy<Value = (i64, i64)> {
    let price = prop_oneof![12 => 1i64..8, 1 => -1i64..1];
    let qty = prop_oneof![12 => 1i64..6, 2 => -1i64..1, 1 => Just(i64::MAX)];
    (price, qty)
}

fn events() -> impl Strategy<Value = Event> {
    let instrument = prop_oneof![20 => 0u32..3, 1 => Just(3), 1 => Just(u32::MAX)];
    let side = prop_oneof![
        6 => Just(Some(Side::Buy)),
        6 => Just(Some(Side::Sell)),
        3 => Just(None),
    ];
    (kinds(), flags(), values(), instrument, side, 0u64..20, 0u32..6).prop_map(
        |(kind, flags, (price, qty), instrument, side, id, aux)| Event {
            order: id,
            price: Price::from_raw(price),
            qty: Qty::from_raw(qty),
            aux,
            flags,
            ..event(kind, instrument).with_side(side)
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => events().prop_map(Step::Apply),
        1 => (0u32..4, any::<bool>()).prop_map(|(instrument, stale)| Step::Stale(instrument, stale)),
    ];
    let steps = prop::collection::vec(step, 0..250);
    (steps, 0..PATTERNS.len()).prop_map(|(mut steps, pattern)| {
        for (count, step) in (1..).zip(&mut steps) {
            if let Step::Apply(event) = step {
                event.order = PATTERNS[pattern](event.order);
                event.exchange_time = Timestamp::from_nanos(count);
            }
        }
        steps
    })
}

fn judged<F: Books, T: Books>(steps: &[Step]) {
    let (mut fast, mut twin) = (F::new(SMALL), T::new(SMALL));
    for step in steps {
        match *step {
            Step::Apply(event) => assert_eq!(fast.apply(&event), twin.apply(&event), "{event:?}"),
            Step::Stale(instrument, stale) => {
                fast.set_stale(instrument, stale);
                twin.set_stale(instrument, stale);
            }
        }
        assert_equal(&fast, &twin, SMALL, step);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn by_order_equals_its_twin(steps in steps()) {
        judged::<by_order::OrderBooks, twin::OrderBooks>(&steps);
    }

    #[test]
    fn by_level_equals_its_twin(steps in steps()) {
        judged::<by_level::LevelBooks, twin::LevelBooks>(&steps);
    }
}

/// An order of the lively feed: id, instrument, what is open.
type Open = (u64, u32, i64);

/// The next message of a lively feed that never contradicts itself.
fn lively(rng: &mut Rng, live: &mut Vec<Open>, next: &mut u64) -> Vec<Event> {
    let draw = |rng: &mut Rng, below: u64| i64::try_from(rng.below(below)).unwrap();
    let (price, qty) = (1 + draw(rng, 1000), 1 + draw(rng, 500));
    let side = if rng.chance(0.5) { Side::Buy } else { Side::Sell };
    *next += 1;
    if live.len() < 300 || rng.chance(0.3) && live.len() < 400 {
        let instrument = u32::try_from(rng.below(2)).unwrap();
        live.push((*next, instrument, qty));
        return vec![add(instrument, *next, side, price, qty)];
    }
    let at = usize::try_from(rng.below(live.len() as u64)).unwrap();
    let (id, instrument, open) = live[at];
    match rng.below(4) {
        0 => {
            live[at].2 = qty;
            vec![add(instrument, id, side, price, qty).with_kind(EventKind::Change)]
        }
        1 => {
            live.swap_remove(at);
            vec![on(EventKind::Delete, instrument, id, 0)]
        }
        2 => {
            live[at] = (*next, instrument, qty);
            let second = add(instrument, *next, side, price, qty).with_side(None);
            let halves = [on(EventKind::Delete, instrument, id, 0), second];
            halves.map(|half| flagged(half, EventFlags::REPLACE)).to_vec()
        }
        _ if open == 1 => {
            live.swap_remove(at);
            vec![on(EventKind::Execute, instrument, id, 1)]
        }
        _ => {
            live[at].2 = open - open / 2;
            vec![on(EventKind::Reduce, instrument, id, open / 2)]
        }
    }
}

fn both_sides(books: &by_order::OrderBooks, instrument: InstrumentId) -> [Vec<Level>; 2] {
    Side::BOTH.map(|side| books.levels(instrument.0, side))
}

/// Hundreds of levels a side, so that the search leaves the neighbourhood of the best price.
#[test]
fn deep_books_equal_their_twin() {
    const WATCHED: usize = 10;
    const DEEP: BookLimits = BookLimits { instruments: 2, orders: 400, levels: 300 };
    for (seed, pattern) in (0..).zip(PATTERNS) {
        let mut rng = Rng::new(seed);
        let (mut fast, mut twin) = (by_order::OrderBooks::new(DEEP), twin::OrderBooks::new(DEEP));
        for instrument in 0..2 {
            fast.watch(InstrumentId(instrument), WATCHED);
            assert!(fast.take_changed(InstrumentId(instrument)), "a new watch has seen nothing");
        }
        let (mut live, mut next, mut seen) = (Vec::new(), 0, [0, 0]);
        for _ in 0..1500 {
            for mut event in lively(&mut rng, &mut live, &mut next) {
                event.order = pattern(event.order);
                fast.expect(&[event]);
                let before = both_sides(&fast, event.instrument);
                let applied = fast.apply(&event);
                let changed = fast.take_changed(event.instrument);
                let after = both_sides(&fast, event.instrument);
                let same = before.iter().zip(&after).all(|(old, new)| {
                    old[..WATCHED.min(old.len())] == new[..WATCHED.min(new.len())]
                });
                assert_eq!(changed, !same, "watched levels after {event:?}");
                seen[usize::from(changed)] += 1;
                assert_eq!(applied, twin.apply(&event));
                assert_eq!(applied.contradiction, None);
                assert_equal(&fast, &twin, DEEP, &event);
            }
        }
        assert!(fast.view(0).depth(Side::Buy) > 50, "the book is not deep");
        assert!(seen.iter().all(|&count| count > 50), "changes near and far: {seen:?}");
    }
}
