//! What every built-in strategy must keep, and what each does on a book small enough to see.

use market::{
    BookState, Instrument, InstrumentId, OrderId, OrderState, OrderView, Price, Qty, Side,
    StateHasher,
};
use proptest::prelude::*;
use proptest::strategy::Strategy as _;
use strategies::testing::Desk;
use strategies::{
    Context, NewOrder, Parameters, Quote, STRATEGIES, Strategy, StrategySpec, TimerId, find,
};

const ID: InstrumentId = InstrumentId(0);

fn desk(bids: &[(&str, i64)], asks: &[(&str, i64)]) -> Desk {
    let mut desk = Desk::new(vec![Instrument::share(0, "X")]);
    desk.set_book(ID, bids, asks);
    desk
}

fn build(name: &str, given: &[(&str, f64)]) -> Box<dyn Strategy> {
    let spec = find(name).unwrap();
    (spec.build)(&Parameters::new(spec.parameters, given).unwrap()).unwrap()
}

/// Best wanted bid and ask as text, `-` where none is wanted.
fn wanted(desk: &Desk) -> [String; 2] {
    let best = |side| desk.wanted(ID).side(side).first().map(|quote| quote.price.to_string());
    Side::BOTH.map(|side| best(side).unwrap_or("-".into()))
}

fn quotes(strategy: &mut dyn Strategy, desk: &mut Desk) -> [String; 2] {
    strategy.on_book(desk, ID);
    wanted(desk)
}

/// Puts an order of ours on the desk, as one that the quoter sent.
fn rest(desk: &mut Desk, side: Side, price: &str, qty: i64) {
    desk.orders.push(OrderView {
        id: OrderId(1_000 + desk.orders.len() as u64),
        instrument: ID,
        side,
        state: OrderState::Live,
        price: price.parse().unwrap(),
        pending_price: None,
        leaves: Qty::from_raw(qty),
        cum_qty: Qty::ZERO,
        since: desk.now,
    });
}

fn hash(strategy: &dyn Strategy) -> u128 {
    let mut hasher = StateHasher::new();
    strategy.hash_into(&mut hasher);
    hasher.finish()
}

/// c = 0.0645 and C = 0.0052 price units: the reference row of the paper's parameters, each price
/// a tenth.
const GLFT: [(&str, f64); 6] = [
    ("gamma", 1.0),
    ("a", 140.0),
    ("k", 15.0),
    ("sigma", 0.2),
    ("size", 100.0),
    ("max_inventory", 5.0),
];

#[test]
fn glft_quotes_its_distances_and_leans() {
    let mut desk = desk(&[("10.00", 300)], &[("10.02", 200)]);
    let mut glft = build("glft", &GLFT);
    glft.on_start(&mut desk);
    // 10.01 ∓ 0.067124, away from the market.
    assert_eq!(quotes(&mut *glft, &mut desk), ["9.94", "10.08"]);
    // Long three orders: 0.067124 ± 3 × 0.0051717.
    desk.set_net(ID, 300);
    assert_eq!(quotes(&mut *glft, &mut desk), ["9.92", "10.07"]);
    // Half an order of room is left, then none.
    desk.set_net(ID, 450);
    glft.on_book(&mut desk, ID);
    assert_eq!(desk.wanted(ID).side(Side::Buy)[0].qty, Qty::from_raw(50));
    desk.set_net(ID, 500);
    assert_eq!(quotes(&mut *glft, &mut desk), ["-", "10.06"]);
    desk.set_net(ID, -500);
    assert_eq!(quotes(&mut *glft, &mut desk), ["9.96", "-"]);
}

#[test]
fn glft_with_a_horizon_quotes_the_exact_solution() {
    let mut desk = desk(&[("10.00", 300)], &[("10.02", 200)]);
    let mut glft = build("glft", &[&GLFT[..], &[("horizon", 1e-6)]].concat());
    glft.on_start(&mut desk);
    // Nothing left to lose in a microsecond: 10.01 ∓ 0.0645 whatever is held.
    desk.set_net(ID, 400);
    assert_eq!(quotes(&mut *glft, &mut desk), ["9.94", "10.08"]);
}

#[test]
fn avellaneda_stoikov_leans_less_as_its_session_ends() {
    let given = [
        ("gamma", 1.0),
        ("k", 15.0),
        ("sigma", 0.2),
        ("size", 100.0),
        ("horizon", 2.0),
        ("perpetual", 0.0),
    ];
    let mut desk = desk(&[("10.00", 300)], &[("10.02", 200)]);
    let mut strategy = build("avellaneda-stoikov", &given);
    strategy.on_start(&mut desk);
    desk.set_net(ID, 100);
    // r = 10.01 − 1 · 1 · 0.04 · 2, half a spread of 0.04 + 0.0645.
    assert_eq!(quotes(&mut *strategy, &mut desk), ["9.82", "10.04"]);
    // The sampling timer brings the quotes along without news: one second is left.
    let timer = desk.next_timer().unwrap();
    strategy.on_timer(&mut desk, timer);
    assert_eq!(wanted(&desk), ["9.88", "10.06"]);
    assert_eq!(desk.timers.len(), 1, "the timer is set again");
}

#[test]
fn volatility_is_estimated_from_the_mid() {
    let mut desk = desk(&[("10.00", 300)], &[("10.02", 200)]);
    let mut glft = build("glft", &[&GLFT[..], &[("sigma_half_life", 1.0)]].concat());
    glft.on_start(&mut desk);
    let calm = hash(&*glft);
    for at in 0..8 {
        let up = at % 2 == 0;
        desk.set_book(ID, &[(if up { "11.00" } else { "9.00" }, 1)], &[("12.00", 1)]);
        let timer = desk.next_timer().unwrap();
        glft.on_timer(&mut desk, timer);
    }
    desk.set_book(ID, &[("10.00", 300)], &[("10.02", 200)]);
    let [bid, ask] = quotes(&mut *glft, &mut desk);
    assert!(bid < "9.94".into() && ask > "10.08".into(), "{bid} {ask} are wider");
    assert_ne!(hash(&*glft), calm);
    glft.on_timer(&mut desk, TimerId(77));
}

#[test]
fn new_parameters_take_hold_at_once() {
    let mut desk = desk(&[("10.00", 300)], &[("10.02", 200)]);
    let mut glft = build("glft", &GLFT);
    glft.on_start(&mut desk);
    let before = hash(&*glft);
    let spec = find("glft").unwrap();
    let mut given = GLFT;
    given[3] = ("sigma", 2.0);
    let next = Parameters::new(spec.parameters, &given).unwrap();
    glft.on_parameters(&mut desk, &next);
    // 10.01 ∓ (0.0645385 + 0.0258585).
    assert_eq!(wanted(&desk), ["9.91", "10.11"]);
    assert_ne!(hash(&*glft), before);

    let mut joiner = build("joiner", &[("size", 100.0)]);
    let next = Parameters::new(find("joiner").unwrap().parameters, &[("size", 7.0)]).unwrap();
    joiner.on_parameters(&mut desk, &next);
    assert_eq!(desk.wanted(ID).side(Side::Buy)[0].qty, Qty::from_raw(7));
}

#[test]
fn joiner_joins_the_others_and_not_itself() {
    let mut desk = desk(&[("10.00", 300), ("9.99", 100)], &[("10.01", 200)]);
    let mut joiner = build("joiner", &[("size", 100.0)]);
    assert_eq!(quotes(&mut *joiner, &mut desk), ["10", "10.01"]);
    rest(&mut desk, Side::Buy, "10.00", 100);
    assert_eq!(quotes(&mut *joiner, &mut desk), ["10", "10.01"], "200 of others are left there");
    desk.set_book(ID, &[("10.00", 100), ("9.99", 100)], &[("10.01", 200)]);
    assert_eq!(quotes(&mut *joiner, &mut desk), ["9.99", "10.01"], "alone at 10.00");
    // An order in flight is not in the book yet, and a recorded book never shows ours.
    desk.orders[0].state = OrderState::PendingNew;
    assert_eq!(quotes(&mut *joiner, &mut desk), ["10", "10.01"]);
    desk.orders[0].state = OrderState::Live;
    desk.shows_own_orders = false;
    assert_eq!(quotes(&mut *joiner, &mut desk), ["10", "10.01"]);
}

/// Another maker's price need not be one that we may have: then ours is the next behind it.
#[test]
fn joiner_rounds_prices_that_are_not_its_own() {
    let mut joiner = build("joiner", &[("size", 100.0)]);
    let mut off_tick = desk(&[("10.005", 300)], &[("10.025", 200)]);
    assert_eq!(quotes(&mut *joiner, &mut off_tick), ["10", "10.03"]);
    let mut beyond = desk(&[("0.005", 300)], &[("300000", 200)]);
    assert_eq!(quotes(&mut *joiner, &mut beyond), ["-", "-"], "neither side has a price in bounds");
}

/// Parameters that give every strategy a quote.
fn usual(spec: &StrategySpec) -> Vec<(&'static str, f64)> {
    let required = spec.parameters.iter().filter(|parameter| parameter.default.is_none());
    required
        .map(|parameter| (parameter.key, if parameter.key == "size" { 10.0 } else { 1.0 }))
        .collect()
}

#[test]
fn trouble_takes_every_quote_away() {
    for spec in STRATEGIES {
        let mut strategy = build(spec.name, &usual(spec));
        let mut desk = desk(&[("10.00", 300)], &[("10.20", 200)]);
        strategy.on_start(&mut desk);
        let none = ["-", "-"];
        for state in BookState::ALL {
            desk.set_state(ID, state);
            assert_eq!(quotes(&mut *strategy, &mut desk) == none, !state.may_quote(), "{state:?}");
        }
        desk.set_state(ID, BookState::Live);
        let occasions: [fn(&mut dyn Strategy, &mut Desk); 4] = [
            |strategy, desk| strategy.on_halt(desk, ID),
            |strategy, desk| strategy.on_disconnect(desk),
            |strategy, desk| strategy.on_stop(desk),
            |strategy, desk| {
                desk.set_book(ID, &[("10.00", 1)], &[]);
                strategy.on_book(desk, ID);
            },
        ];
        for occasion in occasions {
            assert_ne!(quotes(&mut *strategy, &mut desk), none, "{}", spec.name);
            rest(&mut desk, Side::Buy, "9.00", 1);
            occasion(&mut *strategy, &mut desk);
            assert_eq!(wanted(&desk), none, "{}", spec.name);
        }
    }
}

/// Any parameters that a strategy's own table allows.
fn any_parameters(
    spec: &'static StrategySpec,
) -> impl proptest::strategy::Strategy<Value = Vec<(&'static str, f64)>> {
    let value = |parameter: &'static strategies::ParameterSpec| {
        let (low, high) = (parameter.min.max(1e-9).ln(), parameter.max.ln());
        let log = (low..=high).prop_map(move |log| log.exp().clamp(parameter.min, parameter.max));
        let mild = (0.0..=1.0f64).prop_map(move |x| x.clamp(parameter.min, parameter.max));
        prop_oneof![log, mild, Just(parameter.min), Just(parameter.max)]
            .prop_map(move |value| (parameter.key, value))
    };
    spec.parameters.iter().map(value).collect::<Vec<_>>()
}

proptest! {
    #[test]
    fn whatever_is_wanted_is_valid(
        (spec, given) in prop::sample::select(STRATEGIES)
            .prop_flat_map(|spec| any_parameters(find(spec.name).unwrap()).prop_map(move |given| (spec, given))),
        books in prop::collection::vec((1i64..20_000_000, 1i64..50, -1_000_000_000i64..1_000_000_000), 1..6),
    ) {
        let parameters = Parameters::new(spec.parameters, &given).unwrap();
        // Exact quotes over a long horizon are refused, in words.
        let Ok(mut strategy) = (spec.build)(&parameters) else { return Ok(()) };
        let mut desk = desk(&[], &[]);
        strategy.on_start(&mut desk);
        for (bid, spread, net) in books {
            let text = |ticks: i64| Price::from_raw(ticks * 10_000_000).to_string();
            let (low, high) = (text(bid), text(bid + spread));
            desk.set_book(ID, &[(&low, 100)], &[(&high, 100)]);
            desk.set_net(ID, net);
            if let Some(timer) = desk.next_timer() {
                strategy.on_timer(&mut desk, timer);
            }
            strategy.on_book(&mut desk, ID);
            prop_assert_eq!(desk.refused, 0);
            let max = parameters.get("max_inventory").unwrap() * parameters.get("size").unwrap();
            for side in Side::BOTH {
                let opposite = desk.book(ID).best(side.opposite()).unwrap().price;
                for quote in desk.wanted(ID).side(side) {
                    prop_assert!(!side.crosses(quote.price, opposite));
                    let after = (net + side.sign() * quote.qty.raw()) * side.sign();
                    prop_assert!(after as f64 <= max * (1.0 + 1e-9) + 1e-3, "{} over {}", after, max);
                }
            }
        }
    }
}

/// As the engine does, order by order.
#[test]
fn a_desk_keeps_orders_of_acts_until_the_next_quote_or_withdrawal() {
    let mut desk = desk(&[("10.00", 300)], &[("10.02", 200)]);
    let quote = Quote { price: "9.99".parse().unwrap(), qty: Qty::from_raw(100) };
    let order = NewOrder {
        instrument: ID,
        side: Side::Buy,
        price: quote.price,
        qty: quote.qty,
        time_in_force: market::TimeInForce::Day,
        post_only: true,
    };
    for hand_over in [Desk::withdraw as fn(&mut Desk, InstrumentId), |desk, id| {
        desk.quote(id, &[], &[Quote { price: "10.03".parse().unwrap(), qty: Qty::from_raw(100) }]);
    }] {
        desk.quote(ID, &[quote], &[]);
        assert_eq!(wanted(&desk), ["9.99", "-"]);
        desk.submit(order).unwrap();
        desk.submit(order).unwrap();
        assert_eq!((wanted(&desk), desk.orders.len()), (["-".into(), "-".into()], 2));
        hand_over(&mut desk, ID);
        assert_eq!(desk.orders, []);
    }
}
