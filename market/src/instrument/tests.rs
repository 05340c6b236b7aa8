//! Instruments: values and fees are exact, quotes round away from the market, hours pass midnight.

use super::*;
use proptest::prelude::*;

#[test]
fn linear_value_and_fee_are_exact() {
    let mut share = Instrument::share(0, "ARL");
    share.fees = Fees { maker: Rate(-100_000), taker: Rate(300_000) };
    let price = "15.37".parse().unwrap();
    let value = share.value(price, Qty::from_raw(300)).unwrap();
    assert_eq!(value.to_string(), "4611");
    let fee = |liquidity| share.fee(price, Qty::from_raw(300), liquidity).unwrap();
    assert_eq!(fee(Liquidity::Maker).to_string(), "-0.4611");
    assert_eq!(fee(Liquidity::Taker).to_string(), "1.3833");
}

#[test]
fn inverse_value_is_in_base() {
    let perp = Instrument {
        contract: Contract::Inverse { multiplier: 100 * 1_000_000_000 },
        base: "BTC".into(),
        ..Instrument::share(0, "BTCUSD_PERP")
    };
    let value = perp.value("50000".parse().unwrap(), Qty::from_raw(10)).unwrap();
    assert_eq!((value.to_string().as_str(), perp.settlement()), ("0.02", "BTC"));
    assert_eq!(perp.value(Price::ZERO, Qty::from_raw(10)), None);
}

#[test]
fn quotes_round_away_from_the_market() {
    let share = Instrument::share(0, "X");
    assert_eq!(share.bid_at(10.019_9).unwrap().to_string(), "10.01");
    assert_eq!(share.ask_at(10.010_1).unwrap().to_string(), "10.02");
    assert_eq!(share.bid_at(10.01).unwrap(), share.ask_at(10.01).unwrap());
    assert_eq!(share.bid_at(0.005), None);
    assert_eq!(share.bid_at(f64::NAN), None);
    assert_eq!(share.ask_at(1e18), None);
}

#[test]
fn hours_may_pass_midnight() {
    let at = |hour: u64| Timestamp::from_nanos(hour * 3_600_000_000_000);
    let hours =
        |open, close| Hours { open: at(open).time_of_day(), close: at(close).time_of_day() };
    assert!(hours(22, 5).is_open(at(23)) && hours(22, 5).is_open(at(4)));
    assert!(!hours(22, 5).is_open(at(12)));
    assert!(hours(9, 17).is_open(at(9)) && !hours(9, 17).is_open(at(17)));
}

#[test]
fn large_values_of_multiplied_contracts_fit() {
    let future = Instrument {
        contract: Contract::Linear { multiplier: 50 * 1_000_000_000 },
        ..Instrument::share(0, "ESH4")
    };
    // A trillion dollars: the product before the division by 1e9 would pass i128.
    let value = future.value("5000".parse().unwrap(), Qty::from_raw(4_000_000)).unwrap();
    assert_eq!(value.to_string(), "1000000000000");
    let odd = Instrument { contract: Contract::Linear { multiplier: 333_333_333 }, ..future };
    let value = odd.value("-0.000000007".parse().unwrap(), Qty::from_raw(5)).unwrap();
    assert_eq!(value.raw(), -11_666_666_655);
    assert_eq!(odd.value(Price::from_raw(i64::MAX), Qty::from_raw(i64::MAX)), None);
}

#[test]
fn bounds_that_are_no_ticks_give_ticks() {
    let mut share = Instrument::share(0, "X");
    share.price_bounds = ("9.996".parse().unwrap(), "20.005".parse().unwrap());
    assert_eq!(share.bid_at(50.0).unwrap().to_string(), "20");
    assert_eq!(share.ask_at(1.0).unwrap().to_string(), "10");
    assert_eq!((share.bid_at(9.9), share.ask_at(20.004)), (None, None));
    share.tick = Price::ZERO;
    assert_eq!((share.bid_at(10.0), share.is_valid_price(Price::ONE)), (None, false));
}

proptest! {
    #[test]
    fn ticks_stay_and_all_else_moves_away(
        tick in prop::sample::select(vec![1i64, 10, 100, 1_000_000, 10_000_000, 250_000_000, 5_000_000_000]),
        count in 1i64..1_000_000_000,
        part in 0.001f64..0.999,
    ) {
        let mut share = Instrument::share(0, "X");
        share.tick = Price::from_raw(tick);
        share.price_bounds = (Price::from_raw(i64::MIN), Price::from_raw(i64::MAX));
        for count in [count, -count] {
            let exact = Price::from_raw(tick * count);
            prop_assert_eq!(share.bid_at(exact.to_f64()), Some(exact));
            prop_assert_eq!(share.ask_at(exact.to_f64()), Some(exact));
            let between = exact.to_f64() + part * share.tick.to_f64();
            let (bid, ask) = (share.bid_at(between).unwrap(), share.ask_at(between).unwrap());
            prop_assert_eq!((bid, ask), (exact, exact.checked_add(share.tick).unwrap()));
        }
    }

    /// Against us, and by less than one unit of 1e-9.
    #[test]
    fn fees_round_against_us(cents in 1i64..20_000_000, qty in 1i64..999_999, rate in -3_000_000i64..3_000_000) {
        let mut share = Instrument::share(0, "X");
        share.fees.maker = Rate(rate);
        let (price, qty) = (Price::from_raw(cents * 10_000_000), Qty::from_raw(qty));
        let fee = share.fee(price, qty, Liquidity::Maker).unwrap().raw();
        let exact = share.value(price, qty).unwrap().raw() / E9 * i128::from(rate);
        prop_assert!(fee % E9 == 0 && exact <= fee && fee < exact + E9);
    }
}
