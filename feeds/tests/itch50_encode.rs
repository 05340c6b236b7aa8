//! ITCH 5.0 written: what is refused, when and why, and the way there and back.

mod common;

use common::{BASE, encode, listing, shares};
use feeds::itch50::message::{Deleted, Executed};
use feeds::itch50::{Decoder, Encoder, Header, ListingError, PRICE_MAX, Refusal};
use market::{
    Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, Price, Qty, Side, Timestamp,
    TradingStatus,
};
use proptest::prelude::*;

const AT: u64 = 34_200_000_000_001;

fn event(kind: EventKind) -> Event {
    let exchange_time = BASE.after(Nanos::new(AT));
    Event { exchange_time, ..Event::new(kind, InstrumentId(7)) }
}

fn qty(shares: i64) -> Qty {
    Qty::from_raw(shares)
}

#[test]
fn listings_that_itch_cannot_hold_are_refused() {
    let new = |symbols: &[&str]| {
        let listings: Vec<_> = symbols.iter().map(|symbol| listing(symbol, 0)).collect();
        Decoder::new(&listings, BASE).map(|_| ()).unwrap_err()
    };
    assert_eq!(new(&["TOOLONGBY"]), ListingError::Symbol("TOOLONGBY".into()));
    assert_eq!(new(&[""]), ListingError::Symbol("".into()));
    assert_eq!(new(&["É"]), ListingError::Symbol("É".into()));
    assert_eq!(new(&["A", "B", "A"]), ListingError::Duplicate("A".into()));
    let share = |change: &dyn Fn(&mut Instrument)| {
        let mut share = Instrument::share(0, "X");
        change(&mut share);
        Encoder::new(&[share], BASE).map(|_| ()).unwrap_err()
    };
    let raw = Price::from_raw;
    assert_eq!(share(&|x| x.tick = raw(50_000)), ListingError::Tick("X".into()));
    assert_eq!(share(&|x| x.price_bounds.0 = raw(-1)), ListingError::PriceBounds("X".into()));
    assert_eq!(
        share(&|x| x.price_bounds.1 = raw(200_000_000_000_000)),
        ListingError::PriceBounds("X".into())
    );
    assert_eq!(share(&|x| x.qty_digits = 1), ListingError::Lot("X".into()));
    assert_eq!(share(&|x| x.qty_bounds.1 = qty(1 << 32)), ListingError::QtyBounds("X".into()));
    assert!(matches!(share(&|x| x.qty_digits = 10), ListingError::QtyDigits { digits: 10, .. }));
    let twice = [Instrument::share(0, "X"), Instrument::share(1, "X")];
    assert!(matches!(Encoder::new(&twice, BASE), Err(ListingError::Duplicate(_))));
}

#[test]
fn the_encoder_refuses_what_itch_cannot_say() {
    let mut encoder = Encoder::new(&[Instrument::share(7, "ARL")], BASE).unwrap();
    let mut refused = |event: Event, why| {
        let before = encoder.refused(why);
        let mut out = |_: &[u8]| panic!("{event:?} was encoded");
        assert_eq!(encoder.encode(&event, &mut out), Err(why));
        assert_eq!(encoder.refused(why), before + 1);
    };
    let good = Event { order: 1, price: Price::ONE, qty: qty(1), ..event(EventKind::Add) };
    let good = good.with_side(Some(Side::Buy));
    refused(Event { price: Price::from_raw(1_000_000_001), ..good }, Refusal::BadPrice);
    refused(Event { price: Price::ZERO, ..good }, Refusal::BadPrice);
    refused(Event { price: Price::from_raw(-PRICE_STEP), ..good }, Refusal::BadPrice);
    refused(Event { price: Price::from_raw(i64::MAX), ..good }, Refusal::BadPrice);
    refused(Event { qty: qty(1 << 32), ..good }, Refusal::BadQuantity);
    refused(Event { qty: qty(0), ..good }, Refusal::BadQuantity);
    refused(Event { qty: qty(-1), ..good }, Refusal::BadQuantity);
    refused(good.with_side(None), Refusal::MissingSide);
    refused(Event { exchange_time: Timestamp::ZERO, ..good }, Refusal::BadTime);
    refused(Event { exchange_time: BASE.after(Nanos::DAY), ..good }, Refusal::BadTime);
    refused(Event { instrument: InstrumentId(8), ..good }, Refusal::UnknownInstrument);
    refused(Event { instrument: InstrumentId(0), ..good }, Refusal::UnknownInstrument);
    refused(Event { flags: EventFlags::REPLACE, ..good }, Refusal::BrokenReplace);
    for kind in [EventKind::Change, EventKind::Level, EventKind::Clear, EventKind::Mark] {
        refused(good.with_kind(kind), Refusal::Unsupported);
    }
    let hidden = Event { flags: EventFlags::NON_PRINTABLE, ..good.with_kind(EventKind::Execute) };
    refused(hidden, Refusal::Unsupported);
    let closed = Event { aux: TradingStatus::Closed as u32, ..event(EventKind::Status) };
    refused(closed, Refusal::Unsupported);
}

const PRICE_STEP: i64 = feeds::itch50::PRICE_UNIT;

#[test]
fn half_a_replace_becomes_a_delete() {
    let mut encoder = Encoder::new(&[Instrument::share(7, "ARL")], BASE).unwrap();
    let half = Event { order: 5, flags: EventFlags::REPLACE, ..event(EventKind::Delete) };
    let other = Event { order: 6, ..event(EventKind::Delete) };
    let out = encode(&mut encoder, &[half, other]);
    let header = Header { locate: 1, tracking: 0, time: AT };
    let deleted = |order| Deleted { header, order }.write().to_vec();
    assert_eq!(out, [deleted(5), deleted(6)]);
    assert_eq!(encoder.refused(Refusal::BrokenReplace), 1);
    // A second half that cannot be said: the order is gone all the same.
    let mut out = encode(&mut encoder, &[half]);
    let second =
        Event { order: 7, qty: qty(0), flags: EventFlags::REPLACE, ..event(EventKind::Add) };
    let refused = encoder.encode(&second, &mut |message| out.push(message.to_vec()));
    assert_eq!((refused, out), (Err(Refusal::BadQuantity), vec![deleted(5)]));
}

#[test]
fn match_numbers_count_on() {
    let mut encoder = Encoder::new(&[Instrument::share(7, "ARL")], BASE).unwrap();
    encoder.set_next_match(40);
    let execute = Event { order: 1, qty: qty(1), ..event(EventKind::Execute) };
    let out = encode(&mut encoder, &[execute, execute]);
    let numbers: Vec<_> = out.iter().map(|m| Executed::read(m).unwrap().match_number).collect();
    assert_eq!(numbers, [40, 41]);
}

/// One event, or the two halves of a replace, as a matching engine may give them.
fn said() -> impl Strategy<Value = Vec<Event>> {
    let fields = (0..4u32, 0..86_400_000_000_000u64, 1..u64::MAX, 1..=PRICE_MAX, 1..=u32::MAX);
    (fields, 0..10u8, any::<bool>(), 1..u64::MAX).prop_map(|(fields, kind, flag, other)| {
        let (instrument, time, order, price, shares) = fields;
        let price = Price::from_raw(i64::from(price) * PRICE_STEP);
        let exchange_time = BASE.after(Nanos::new(time));
        let at = |kind| Event { exchange_time, ..Event::new(kind, InstrumentId(instrument)) };
        let qty = Qty::from_raw(i64::from(shares));
        let side = Some(if flag { Side::Buy } else { Side::Sell });
        let replace = EventFlags::REPLACE;
        let hidden = EventFlags::PRICED.with(EventFlags::NON_PRINTABLE);
        let flags = if flag { EventFlags::PRICED } else { hidden };
        vec![match kind {
            0 | 1 => Event { order, price, qty, ..at(EventKind::Add) }.with_side(side),
            2 => Event { order, ..at(EventKind::Delete) },
            3 => Event { order, qty, ..at(EventKind::Reduce) },
            4 => Event { order, qty, ..at(EventKind::Execute) },
            5 => Event { order, qty, price, flags, ..at(EventKind::Execute) },
            6 => Event { order, qty, price, ..at(EventKind::Trade) },
            7 => Event { aux: 1 + (shares % 3), ..at(EventKind::Status) },
            8 => Event { instrument: Event::ALL, aux: 4, ..at(EventKind::Status) },
            _ => {
                let first = Event { order, flags: replace, ..at(EventKind::Delete) };
                let add = at(EventKind::Add);
                return vec![first, Event { order: other, price, qty, flags: replace, ..add }];
            }
        }]
    })
}

proptest! {
    #[test]
    fn events_round_trip(events in prop::collection::vec(said(), 1..40)) {
        let events = events.concat();
        let instruments = shares(4);
        let mut encoder = Encoder::new(&instruments, BASE).unwrap();
        let mut out: Vec<Vec<u8>> = Vec::new();
        encoder.directory(BASE, &mut |message| out.push(message.to_vec())).unwrap();
        encoder.system(b'Q', BASE, &mut |message| out.push(message.to_vec())).unwrap();
        out.extend(encode(&mut encoder, &events));
        let listings: Vec<_> = instruments.iter().map(Into::into).collect();
        let mut decoder = Decoder::new(&listings, BASE).unwrap();
        let mut back = Vec::new();
        for message in &out {
            decoder.decode(message, 0, &mut back).unwrap();
        }
        prop_assert_eq!(back, events);
    }
}
