//! Lists of instruments as venues show them, held against ours.

use super::*;
use crate::fix::{Encoder, Precision, Template, tags::msg};
use crate::market_data::{Differs, ListRequest, Listed};

/// What a list says of an instrument, one answer for each that it names.
fn differs(body: &str, instrument: &Instrument) -> Result<Vec<Option<Differs>>, Fault> {
    let bytes = message("y", body);
    let mut index = FieldIndex::new(64);
    let parsed = index.parse(&bytes);
    let all = Listed::all(&parsed)?;
    all.map(|listed| listed?.differs(instrument)).collect()
}

fn share(tick: &str, lot: i64, digits: u32) -> Instrument {
    let least = Qty::from_raw(lot);
    let share = Instrument::share(0, "X");
    Instrument {
        tick: tick.parse().unwrap(),
        lot: Qty::from_raw(lot),
        qty_bounds: (least, share.qty_bounds.1),
        qty_digits: digits,
        ..share
    }
}

/// The sample of Binance's `fix-api.md`.
#[test]
fn ticks_and_lots_are_multiples_of_the_venues() {
    let sample = "320=BTCUSDT_INFO|146=1|55=BTCUSDT|15=USDT|562=0.00001000|1140=9000.00000000|\
        25039=0.00001000|25040=0.00000001|25041=76.79001236|25042=0.00000001|969=0.01000000|";
    let says = |instrument| differs(sample, &instrument).map(|all| all[0]);
    assert_eq!(says(share("0.01", 1_000, 8)), Ok(None));
    assert_eq!(says(share("0.05", 2_000, 8)), Ok(None));
    let tick = "0.01".parse().unwrap();
    assert_eq!(says(share("0.015", 1_000, 8)), Ok(Some(Differs::Tick(tick))));
    let lot = Qty::from_raw(1_000);
    assert_eq!(says(share("0.01", 1_500, 8)), Ok(Some(Differs::Lot(lot))));
    let mut small = share("0.01", 1_000, 8);
    small.qty_bounds.0 = Qty::from_raw(500);
    assert_eq!(says(small), Ok(Some(Differs::Least(lot))));
    assert_eq!(says(share("0.01", 1, 0)), Err(Fault::new(RejectCode::ValueIncorrect, 25_039)));
}

/// Deribit: ticks of options go by price, in a group in the group; other ids in another.
#[test]
fn the_coarsest_tick_counts() {
    let body = "320=1|322=2|560=0|146=2|55=A-C|167=OPT|969=0.0001|562=0.1|454=1|455=9|456=101|\
        1205=1|1206=0.005|1208=0.0005|55=BTC-PERPETUAL|969=0.5|562=1|231=10|";
    let coarsest = "0.0005".parse().unwrap();
    let whole = differs(body, &share("0.5", 10, 1));
    assert_eq!(whole, Ok(vec![None, None]));
    let half = "0.5".parse().unwrap();
    assert_eq!(
        differs(body, &share("0.0001", 10, 1)),
        Ok(vec![Some(Differs::Tick(coarsest)), Some(Differs::Tick(half))])
    );
}

#[test]
fn lists_that_are_none_are_told_apart() {
    let one = share("1", 1, 0);
    let says = |body| differs(body, &one);
    assert_eq!(says("320=1|560=0|146=0|"), Ok(vec![]));
    assert_eq!(says("320=1|146=1|55=X|"), Ok(vec![None]), "what is not said is not wrong");
    assert_eq!(says("320=1|560=2|146=0|"), Err(Fault::new(RejectCode::ValueIncorrect, 560)));
    assert_eq!(says("320=1|"), Err(Fault::new(RejectCode::RequiredTagMissing, 146)));
    assert_eq!(says("146=2|55=X|"), Err(Fault::new(RejectCode::GroupCount, 146)));
    assert_eq!(says("146=1|55=X|969=x|"), Err(Fault::new(RejectCode::DataFormat, 969)));
    let nested = says("146=1|55=X|1205=2|1206=1|1208=1|");
    assert_eq!(nested, Err(Fault::new(RejectCode::GroupCount, 1_205)));
    let zero = says("146=1|55=X|969=0|");
    assert_eq!(zero, Ok(vec![Some(Differs::Tick(Price::ZERO))]), "nothing divides by it");
}

#[test]
fn a_list_is_asked_for() {
    let mut template = Template::new("FIX.4.4", "U", "V", Precision::Millis).unwrap();
    let mut buffer = [0; 512];
    let kind = msg::SECURITY_LIST_REQUEST;
    let mut encoder = Encoder::begin(&mut buffer, &mut template, time(SENT), 9, kind);
    let request = ListRequest { id: 3, kind: 0, instrument: BNB };
    request.encode(&instruments(), &mut encoder);
    let text = String::from_utf8_lossy(encoder.finish().unwrap()).replace('\x01', "|");
    assert!(text.contains("|56=V|320=3|559=0|55=BNBBUSD|10="), "{text}");
}
