//! Random recorded levels and trades, and random orders of ours: what must hold whatever comes.

mod level_day;

use level_day::{Day, ID, US, at, day, event};
use market::{EventKind, OrderId, Side};
use proptest::prelude::*;
use sim::{QueueModel, Venue as _};
use std::collections::BTreeMap;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Level(Side, i64, i64),
    Trade(Option<Side>, i64, i64),
    Rest(Side, i64, i64),
    Take(Side, i64, i64),
    Clear,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn step() -> impl Strategy<Value = Step> {
    let ticks = 995i64..1006;
    prop_oneof![
        8 => (side(), ticks.clone(), 0i64..60).prop_map(|(s, t, q)| Step::Level(s, t, q)),
        4 => (proptest::option::of(side()), ticks.clone(), 1i64..40)
            .prop_map(|(s, t, q)| Step::Trade(s, t, q)),
        2 => (side(), ticks.clone(), 1i64..30).prop_map(|(s, t, q)| Step::Rest(s, t, q)),
        1 => (side(), ticks, 1i64..30).prop_map(|(s, t, q)| Step::Take(s, t, q)),
        1 => Just(Step::Clear),
    ]
}

fn model() -> impl Strategy<Value = QueueModel> {
    let power = (0.1f64..20.0).prop_map(QueueModel::Power);
    prop_oneof![Just(QueueModel::RiskAverse), power, Just(QueueModel::Log)]
}

fn displayed(day: &Day) -> BTreeMap<(usize, i64), i64> {
    let all = Side::BOTH.into_iter().flat_map(|side| (990..1010).map(move |ticks| (side, ticks)));
    let shown = |(side, ticks): (Side, i64)| {
        ((side.index(), ticks), day.overlay.displayed(ID, side, at(ticks)).raw())
    };
    all.map(shown).collect()
}

/// Our open orders, oldest first: id, side, ticks.
fn open(day: &Day) -> Vec<(OrderId, Side, i64)> {
    let mut open = Vec::new();
    let mut note = |order: &sim::OpenOrder| {
        open.push((order.id, order.side, order.price.raw() / 10_000_000));
    };
    day.overlay.visit_open_orders(US, &mut note);
    open
}

/// Plays a step; gives most that it may fill.
fn play(day: &mut Day, step: Step) -> i64 {
    match step {
        Step::Level(side, ticks, qty) => {
            let before = day.overlay.displayed(ID, side, at(ticks)).raw();
            day.level(side, ticks, qty);
            (qty - before).max(0)
        }
        Step::Trade(side, ticks, qty) => {
            day.play(event(EventKind::Trade, side, ticks, qty));
            qty
        }
        Step::Rest(side, ticks, qty) => {
            day.rest(side, ticks, qty);
            qty
        }
        Step::Take(side, ticks, qty) => {
            day.take(side, ticks, qty);
            qty
        }
        Step::Clear => {
            day.play(event(EventKind::Clear, None, 0, 0));
            0
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn queues_and_fills_make_sense(
        model in model(),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut day = day(model);
        // What we took of each level since it was told last.
        let mut taken: BTreeMap<(usize, i64), i64> = BTreeMap::new();
        for step in steps {
            let (orders, before) = (open(&day), displayed(&day));
            let most = play(&mut day, step);
            let fills = day.fills();
            let filled: i64 = fills.iter().map(|&(_, qty, _)| qty).sum();
            prop_assert!(filled <= most, "{step:?} filled {fills:?}");
            prop_assert!(fills.iter().all(|&(_, qty, _)| qty > 0));
            if let Step::Level(..) | Step::Trade(..) = step {
                // By price, then time: nobody of ours was passed over.
                for &(id, qty, ticks) in &fills {
                    let &(_, side, own) = orders.iter().find(|order| order.0.0 == id).unwrap();
                    prop_assert_eq!(own, ticks, "at its own price");
                    let passed = open(&day).into_iter().find(|&(other, s, t)| {
                        s == side && (side.is_better(at(t), at(own)) || t == own && other.0 < id)
                    });
                    prop_assert_eq!(passed, None, "{:?} filled {} of {}", step, qty, id);
                }
            }
            match step {
                Step::Rest(side, ..) | Step::Take(side, ..) => {
                    for &(_, qty, ticks) in &fills {
                        let level = (side.opposite().index(), ticks);
                        let taken = taken.entry(level).or_default();
                        *taken += qty;
                        prop_assert!(*taken <= before[&level], "{taken} of {}", before[&level]);
                    }
                }
                Step::Level(side, ticks, _) => {
                    taken.remove(&(side.index(), ticks));
                }
                Step::Clear => taken.clear(),
                Step::Trade(..) => {}
            }
            for side in Side::BOTH {
                if let Some((price, qty)) = day.overlay.available(ID, side) {
                    let displayed = day.overlay.displayed(ID, side, price);
                    prop_assert!(qty.is_positive() && qty <= displayed);
                }
            }
            let mut ahead: BTreeMap<(usize, i64), i64> = BTreeMap::new();
            for (id, side, ticks) in open(&day) {
                let now = day.ahead(id);
                let least = ahead.insert((side.index(), ticks), now).unwrap_or(0);
                prop_assert!(now >= least, "the earlier of two stands no further behind");
                let shown = day.overlay.displayed(ID, side, at(ticks)).raw();
                if matches!(step, Step::Level(..)) && shown > 0 {
                    prop_assert!(now <= shown, "{now} of {shown} ahead");
                }
            }
        }
        prop_assert_eq!(day.overlay.skipped().contradictory, 0);
    }

    /// Of one order that never crosses: whoever is careful gets no more, and gets it no earlier.
    #[test]
    fn the_risk_averse_queue_never_fills_more(
        model in model(),
        qty in 1i64..80,
        steps in proptest::collection::vec((0i64..60, proptest::option::of(1i64..30)), 1..60),
    ) {
        let mut days = [QueueModel::RiskAverse, model].map(|model| {
            let mut day = day(model);
            day.level(Side::Buy, 999, 100);
            day.level(Side::Buy, 990, 100);
            day.rest(Side::Buy, 999, qty);
            day
        });
        let mut filled = [0, 0];
        for (level, trade) in steps {
            for (day, filled) in days.iter_mut().zip(&mut filled) {
                match trade {
                    Some(qty) => day.trade(Side::Buy, 999, qty),
                    None => day.level(Side::Buy, 999, level),
                }
                *filled += day.fills().iter().map(|fill| fill.1).sum::<i64>();
            }
            prop_assert!(filled[0] <= filled[1], "{filled:?}");
        }
    }
}
