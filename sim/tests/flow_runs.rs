//! The flow is the same for the same seed, fits odd instruments, and stays within its tables.

use market::{Instrument, InstrumentId, Price, Qty, Side, StateHasher, Timestamp};
use sim::flow::{INFORMED, PROVIDERS, UNINFORMED};
use sim::{Exchange, ExchangeLimits, Flow, FlowParameters, Tape, Venue};

fn instruments() -> Vec<Instrument> {
    let coin = Instrument {
        tick: "0.5".parse().unwrap(),
        lot: Qty::from_raw(100_000),
        qty_digits: 8,
        price_bounds: ("1".parse().unwrap(), "1000000".parse().unwrap()),
        qty_bounds: (Qty::from_raw(150_000), Qty::from_raw(10_000_000_000)),
        ..Instrument::share(1, "BTC-USD")
    };
    vec![Instrument::share(0, "X"), coin]
}

fn run(seed: u64, name: &str, seconds: u64) -> (Exchange, Flow, Tape) {
    let instruments = instruments();
    let parameters = FlowParameters::named(name).unwrap();
    let start = Timestamp::from_nanos(1_752_758_200_000_000_000);
    let mut flow = Flow::new(seed, parameters, &instruments, start).unwrap();
    let limits = ExchangeLimits { orders: 2_048, orders_per_account: 2_048, ..Default::default() };
    let mut exchange =
        Exchange::new(instruments, limits, Default::default(), Default::default()).unwrap();
    let mut tape = Tape::default();
    let mut last = start;
    while flow.next_time() < start.after(market::Nanos::from_secs(seconds)) {
        assert!(flow.next_time() >= last, "time never goes back");
        last = flow.next_time();
        flow.step(&mut exchange, &mut tape);
    }
    (exchange, flow, tape)
}

#[test]
fn an_instrument_begins_where_it_is_told_to() {
    let instruments = instruments();
    let parameters = FlowParameters::default();
    let mut flow = Flow::new(7, parameters, &instruments, Timestamp::ZERO).unwrap();
    let seeded = flow.fair_price(InstrumentId(1));
    flow.open_at(InstrumentId(0), 312.40);
    flow.open_at(InstrumentId(9), 1.0);
    assert!((flow.fair_price(InstrumentId(0)).unwrap() - 312.40).abs() < 1e-9);
    assert_eq!(flow.fair_price(InstrumentId(1)), seeded);
    let limits = ExchangeLimits::default();
    let mut exchange =
        Exchange::new(instruments, limits, Default::default(), Default::default()).unwrap();
    while flow.next_time() < Timestamp::from_nanos(5_000_000_000) {
        flow.step(&mut exchange, &mut Tape::default());
    }
    let best = exchange.best(InstrumentId(0), Side::Buy).unwrap().price.to_f64();
    assert!((best - 312.40).abs() < 1.0, "the book stands at {best}");
    // It has opened: too late.
    flow.open_at(InstrumentId(0), 1.0);
    assert!(flow.fair_price(InstrumentId(0)).unwrap() > 300.0);
}

fn hash(seed: u64) -> u128 {
    let (exchange, flow, tape) = run(seed, "default", 120);
    let mut hasher = StateHasher::new();
    exchange.state_hash(&mut hasher);
    flow.state_hash(&mut hasher);
    for event in &tape.events {
        hasher.bytes(&event.to_bytes());
    }
    hasher.finish()
}

#[test]
fn the_same_seed_gives_the_same_flow() {
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn every_set_works_on_a_share_and_on_a_coin() {
    for name in FlowParameters::NAMES {
        let (exchange, flow, tape) = run(3, name, 300);
        for id in [InstrumentId(0), InstrumentId(1)] {
            let [bid, ask] = Side::BOTH.map(|side| exchange.best(id, side).unwrap().price);
            let fair = flow.fair_price(id).unwrap();
            let spread = ask.to_f64() - bid.to_f64();
            assert!(spread > 0.0 && (bid.to_f64() - fair).abs() < 20.0 * spread, "{name}");
            let net = [PROVIDERS, UNINFORMED, INFORMED].map(|who| exchange.position(who, id).net);
            assert_eq!(net.iter().sum::<i64>(), 0, "every trade has two sides");
            assert!(net[1] != 0 || net[2] != 0, "{name} trades");
        }
        let unexpected = tape.reports.iter().map(|(_, report)| report.reason()).find(|reason| {
            use market::RejectReason as R;
            !matches!(reason, R::None | R::WouldTrade)
        });
        assert_eq!(unexpected, None, "{name}: only post-only orders are refused");
        assert!(exchange.open_orders(PROVIDERS) < 300);
    }
}

#[test]
fn a_market_at_the_edge_of_its_bounds_stands() {
    let mut low = Instrument::share(0, "X");
    low.price_bounds = (Price::from_raw(10_000_000), Price::from_raw(10_000_000 * 300));
    let parameters = FlowParameters { volatility: 50.0, ..FlowParameters::default() };
    let mut flow = Flow::new(1, parameters, std::slice::from_ref(&low), Timestamp::ZERO).unwrap();
    let limits = ExchangeLimits::default();
    let mut exchange =
        Exchange::new(vec![low], limits, Default::default(), Default::default()).unwrap();
    let mut tape = Tape::default();
    while flow.next_time() < Timestamp::from_nanos(60_000_000_000) {
        flow.step(&mut exchange, &mut tape);
    }
    let fair = flow.fair_price(InstrumentId(0)).unwrap();
    assert!((0.01..=3.0).contains(&fair), "{fair}");
    assert!(!tape.events.is_empty());
}

#[test]
fn no_instruments_no_flow() {
    let flow = Flow::new(1, FlowParameters::default(), &[], Timestamp::ZERO).unwrap();
    assert_eq!(flow.next_time(), Timestamp::MAX);
}

#[test]
fn parameters_out_of_range_are_named() {
    for name in FlowParameters::NAMES {
        assert_eq!(FlowParameters::named(name).unwrap().check(), Ok(()));
    }
    let build = |parameters| Flow::new(1, parameters, &[], Timestamp::ZERO).err();
    let explosive = build(FlowParameters { excitation: 1.0, ..Default::default() }).unwrap();
    assert_eq!(explosive.to_string(), "flow parameter excitation is 1; it must be from 0 to 0.99");
    let nan = build(FlowParameters { volatility: f64::NAN, ..Default::default() });
    assert_eq!(nan.unwrap().name, "volatility");
}

#[test]
fn a_rate_of_zero_turns_its_actors_off() {
    let parameters = FlowParameters {
        parent_rate: 0.0,
        informed_rate: 0.0,
        jump_rate: 0.0,
        ..FlowParameters::default()
    };
    let instruments = vec![Instrument::share(0, "X")];
    let mut flow = Flow::new(1, parameters, &instruments, Timestamp::ZERO).unwrap();
    let mut exchange =
        Exchange::new(instruments, Default::default(), Default::default(), Default::default())
            .unwrap();
    let mut tape = Tape::default();
    while flow.next_time() < Timestamp::from_nanos(30_000_000_000) {
        flow.step(&mut exchange, &mut tape);
    }
    assert_eq!(exchange.position(PROVIDERS, InstrumentId(0)).fills, 0);
    assert!(exchange.open_orders(PROVIDERS) > 20);
}
