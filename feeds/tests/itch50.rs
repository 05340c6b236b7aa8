//! ITCH 5.0: golden bytes, what each message becomes, every class of bad input, and the way there and
//! back through the encoder.

mod common;

use common::{BASE, bytes, decode, decoder, encode, listing, shares};
use feeds::itch50::message::*;
use feeds::itch50::{Decoder, Encoder, Header, ListingError, Message, PRICE_MAX, Refusal, Skip};
use market::{
    Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, Price, Qty, Side, Timestamp,
    TradingStatus,
};
use proptest::prelude::*;

const AT: u64 = 34_200_000_000_001;

fn header() -> Header {
    Header { locate: 1, tracking: 0, time: AT }
}

fn add() -> AddOrder {
    let (order, side, shares, stock, price) = (77, b'B', 300, *b"ARL     ", 153_700);
    AddOrder { header: header(), order, side, shares, stock, price }
}

fn event(kind: EventKind) -> Event {
    let exchange_time = BASE.after(Nanos::new(AT));
    Event { exchange_time, ..Event::new(kind, InstrumentId(7)) }
}

fn qty(shares: i64) -> Qty {
    Qty::from_raw(shares)
}

/// The one event that a dropped order message becomes.
fn lost(decoder: &mut Decoder, message: &[u8], why: Skip) -> Event {
    let mut events: Vec<Event> = Vec::new();
    assert_eq!(decoder.decode(message, 0, &mut events), Err(why));
    assert_eq!((events.len(), decoder.counters().skipped(why)), (1, 1));
    assert_eq!(events[0].kind(), Some(EventKind::Lost));
    assert_eq!(events[0].instrument, InstrumentId(7));
    events[0]
}

/// A message that is dropped and harms no book.
fn dropped(decoder: &mut Decoder, message: &[u8], why: Skip) {
    let mut events: Vec<Event> = Vec::new();
    assert_eq!(decoder.decode(message, 0, &mut events), Err(why));
    assert_eq!((events.len(), decoder.counters().skipped(why)), (0, 1));
}

#[test]
fn golden_bytes_of_an_add_and_a_replace() {
    let wire =
        b"A\0\x01\0\0\x1f\x1a\xce\xd9\xf0\x01\0\0\0\0\0\0\0\x4dB\0\0\x01\x2cARL     \0\x02\x58\x64";
    assert_eq!(add().write(), *wire);
    assert_eq!(AddOrder::read(wire), Some(add()));
    let replace =
        b"U\0\x01\0\x09\0\0\0\0\0\x05\0\0\0\0\0\0\0\x4d\0\0\0\0\0\0\0\x4e\0\0\0\x64\0\0\x27\x10";
    let header = Header { locate: 1, tracking: 9, time: 5 };
    let parsed = Replaced { header, order: 77, new_order: 78, shares: 100, price: 10_000 };
    assert_eq!(Message::parse(replace), Ok(Message::Replaced(parsed)));
}

#[test]
fn lengths_are_those_of_the_specification() {
    let specified = [
        (b'S', 12),
        (b'R', 39),
        (b'H', 25),
        (b'Y', 20),
        (b'L', 26),
        (b'V', 35),
        (b'W', 12),
        (b'K', 28),
        (b'J', 35),
        (b'h', 21),
        (b'A', 36),
        (b'F', 40),
        (b'E', 31),
        (b'C', 36),
        (b'X', 23),
        (b'D', 19),
        (b'U', 35),
        (b'P', 44),
        (b'Q', 40),
        (b'B', 19),
        (b'I', 50),
        (b'N', 20),
        (b'O', 48),
    ];
    for (kind, bytes) in specified {
        assert_eq!(length(kind), Some(bytes), "{}", kind as char);
    }
    assert_eq!(Message::TYPES.len(), specified.len());
    assert_eq!((0..=255).filter(|&kind| length(kind).is_some()).count(), specified.len());
}

#[test]
fn every_type_reads_what_it_writes_and_covers_every_byte() {
    for &kind in Message::TYPES {
        let length = length(kind).unwrap();
        let mut wire: Vec<u8> = (0..length).map(|at| at as u8 ^ 0xa5).collect();
        wire[0] = kind;
        let message = Message::parse(&wire).unwrap();
        assert_eq!(bytes(message), wire);
        assert_eq!(message.header().locate, u16::from_be_bytes([wire[1], wire[2]]));
    }
}

#[test]
fn adds_become_adds() {
    let mut decoder = decoder();
    let want = Event {
        order: 77,
        price: "15.37".parse().unwrap(),
        qty: qty(300),
        ..event(EventKind::Add)
    };
    let want = want.with_side(Some(Side::Buy));
    assert_eq!(decode(&mut decoder, &add().write()), Ok(vec![want]));
    let AddOrder { header, order, shares, stock, price, .. } = add();
    let attributed =
        AddAttributed { header, order, side: b'S', shares, stock, price, attribution: *b"NITE" };
    assert_eq!(
        decode(&mut decoder, &attributed.write()),
        Ok(vec![want.with_side(Some(Side::Sell))])
    );
}

#[test]
fn executions_reductions_and_deletes() {
    let mut decoder = decoder();
    let (header, order, shares) = (header(), 77, 100);
    let executed = Executed { header, order, shares, match_number: 5 };
    let want = Event { order: 77, qty: qty(100), ..event(EventKind::Execute) };
    assert_eq!(decode(&mut decoder, &executed.write()), Ok(vec![want]));

    for (printable, flags) in
        [(b'Y', EventFlags::PRICED), (b'N', EventFlags::PRICED.with(EventFlags::NON_PRINTABLE))]
    {
        let priced =
            ExecutedPriced { header, order, shares, match_number: 5, printable, price: 10_000 };
        let want = Event { price: Price::ONE, flags, ..want };
        assert_eq!(decode(&mut decoder, &priced.write()), Ok(vec![want]));
    }

    let canceled = Canceled { header, order, shares };
    let want = Event { order: 77, qty: qty(100), ..event(EventKind::Reduce) };
    assert_eq!(decode(&mut decoder, &canceled.write()), Ok(vec![want]));
    let want = Event { order: 77, ..event(EventKind::Delete) };
    assert_eq!(decode(&mut decoder, &Deleted { header, order }.write()), Ok(vec![want]));
}

#[test]
fn a_replace_is_a_delete_and_an_add_without_side() {
    let replaced =
        Replaced { header: header(), order: 77, new_order: 78, shares: 200, price: 20_000 };
    let flags = EventFlags::REPLACE;
    let delete = Event { order: 77, flags, ..event(EventKind::Delete) };
    let price = Price::from_raw(2_000_000_000);
    let add = Event { order: 78, price, qty: qty(200), flags, ..event(EventKind::Add) };
    assert_eq!(decode(&mut decoder(), &replaced.write()), Ok(vec![delete, add]));
}

#[test]
fn trades_and_crosses() {
    let (header, stock, price, match_number) = (header(), *b"ARL     ", 10_000, 9);
    let trade = Trade { header, order: 0, side: b'B', shares: 10, stock, price, match_number };
    let want = Event { order: 9, price: Price::ONE, qty: qty(10), ..event(EventKind::Trade) };
    let mut decoder = decoder();
    assert_eq!(decode(&mut decoder, &trade.write()), Ok(vec![want]));
    let cross = CrossTrade { header, shares: 10, stock, price, match_number, cross_type: b'O' };
    let want = Event { flags: EventFlags::CROSS, ..want };
    assert_eq!(decode(&mut decoder, &cross.write()), Ok(vec![want]));
    let nothing_crossed = CrossTrade { shares: 0, price: 0, ..cross };
    assert_eq!(decode(&mut decoder, &nothing_crossed.write()), Ok(vec![]));
    let absurd = CrossTrade { shares: u64::MAX, ..cross };
    dropped(&mut decoder, &absurd.write(), Skip::BadQuantity);
}

#[test]
fn trading_actions_and_operational_halts() {
    let mut decoder = decoder();
    let mut status = |message: Vec<u8>| {
        let events = decode(&mut decoder, &message).unwrap();
        assert_eq!((events.len(), events[0].kind()), (1, Some(EventKind::Status)));
        TradingStatus::from_aux(events[0].aux).unwrap()
    };
    let action = |trading_state| {
        let (stock, reserved, reason) = (*b"ARL     ", b' ', *b"    ");
        TradingAction { header: header(), stock, trading_state, reserved, reason }.write().to_vec()
    };
    let halt = |market_code, action| {
        let stock = *b"ARL     ";
        OperationalHalt { header: header(), stock, market_code, action }.write().to_vec()
    };
    assert_eq!(status(action(b'T')), TradingStatus::Trading);
    assert_eq!(status(action(b'H')), TradingStatus::Halted);
    assert_eq!(status(action(b'P')), TradingStatus::Halted);
    assert_eq!(status(action(b'Q')), TradingStatus::Auction);
    assert_eq!(status(action(b'?')), TradingStatus::Halted);
    assert_eq!(status(action(b'T')), TradingStatus::Trading);
    // Halted for as long as one market says so, and then as H said last.
    assert_eq!(status(halt(b'Q', b'H')), TradingStatus::Halted);
    assert_eq!(status(halt(b'X', b'H')), TradingStatus::Halted);
    assert_eq!(status(halt(b'Q', b'T')), TradingStatus::Halted);
    assert_eq!(status(action(b'Q')), TradingStatus::Halted);
    assert_eq!(status(halt(b'X', b'T')), TradingStatus::Auction);
}

#[test]
fn system_events_close_everything_at_the_end_of_market_hours() {
    let mut decoder = decoder();
    for (event_code, events) in [(b'O', 0), (b'S', 0), (b'Q', 0), (b'M', 1), (b'E', 1), (b'C', 1)] {
        let header = Header { locate: 0, ..header() };
        let given = decode(&mut decoder, &SystemEvent { header, event_code }.write()).unwrap();
        assert_eq!(given.len(), events);
        for event in given {
            assert_eq!((event.instrument, event.aux), (Event::ALL, TradingStatus::Closed as u32));
        }
    }
}

#[test]
fn quantities_have_the_instruments_scale() {
    let symbol = "ARL".to_owned();
    let fine = feeds::itch50::Listing { symbol, instrument: InstrumentId(7), qty_digits: 9 };
    let mut decoder = Decoder::new(&[fine], BASE).unwrap();
    let most = AddOrder { shares: u32::MAX, ..add() };
    let events = decode(&mut decoder, &most.write()).unwrap();
    assert_eq!(events[0].qty, Qty::from_raw(4_294_967_295_000_000_000));
}

#[test]
fn a_feed_joined_late_learns_locates_from_symbols() {
    let mut decoder = Decoder::new(&[listing("ARL", 7)], BASE).unwrap();
    let delete = Deleted { header: header(), order: 77 }.write();
    dropped(&mut decoder, &delete, Skip::UnknownLocate);
    assert!(decode(&mut decoder, &add().write()).is_ok());
    assert!(decode(&mut decoder, &delete).is_ok());
}

#[test]
fn the_directory_may_move_a_symbol() {
    let mut decoder = decoder();
    let mut directory = [b' '; 39];
    directory[..11].copy_from_slice(b"R\0\x05\0\0\0\0\0\0\0\0");
    directory[11..19].copy_from_slice(b"ARL     ");
    decode(&mut decoder, &directory).unwrap();
    dropped(&mut decoder, &Deleted { header: header(), order: 1 }.write(), Skip::Unsubscribed);
    let header = Header { locate: 5, ..header() };
    assert!(decode(&mut decoder, &Deleted { header, order: 1 }.write()).is_ok());
    // Another symbol takes the locate over.
    directory[11..19].copy_from_slice(b"ELSE    ");
    decode(&mut decoder, &directory).unwrap();
    assert_eq!(
        decode(&mut decoder, &Deleted { header, order: 1 }.write()),
        Err(Skip::Unsubscribed)
    );
    decoder.reset();
    assert_eq!(
        decode(&mut decoder, &Deleted { header, order: 1 }.write()),
        Err(Skip::UnknownLocate)
    );
}

#[test]
fn bad_input_unknown_type() {
    let mut decoder = decoder();
    dropped(&mut decoder, b"Z12345678901", Skip::UnknownType);
    assert_eq!(decoder.counters().by_type(b'Z'), 1);
}

#[test]
fn bad_input_length_differs_from_the_types() {
    for &kind in Message::TYPES {
        let mut wire = vec![0; length(kind).unwrap()];
        wire[..3].copy_from_slice(&[kind, 0, 1]);
        for wrong in [&wire[..wire.len() - 1], &[wire.as_slice(), &[0]].concat(), &[kind]] {
            assert_eq!(Message::parse(wrong), Err(MessageError::BadLength));
            assert_eq!(decode(&mut decoder(), wrong), Err(Skip::BadLength));
        }
        // Even so the venue meant to change this book.
        if b"AFECXDU".contains(&kind) {
            lost(&mut decoder(), &wire[..wire.len() - 1], Skip::BadLength);
        } else {
            dropped(&mut decoder(), &wire[..wire.len() - 1], Skip::BadLength);
        }
    }
    dropped(&mut decoder(), b"", Skip::BadLength);
}

#[test]
fn bad_input_unknown_and_unsubscribed_locate() {
    let mut decoder = decoder();
    let header = Header { locate: 3, ..header() };
    dropped(&mut decoder, &Deleted { header, order: 1 }.write(), Skip::UnknownLocate);
    let header = Header { locate: 2, ..header };
    dropped(&mut decoder, &Deleted { header, order: 1 }.write(), Skip::Unsubscribed);
    let header = Header { locate: u16::MAX, ..header };
    let add = AddOrder { header, stock: *b"OTHER   ", ..add() };
    assert_eq!(decode(&mut decoder, &add.write()), Err(Skip::Unsubscribed));
}

#[test]
fn bad_input_side() {
    lost(&mut decoder(), &AddOrder { side: b'b', ..add() }.write(), Skip::BadSide);
}

#[test]
fn bad_input_price_zero_or_sentinel() {
    for price in [0, PRICE_MAX + 1, 2_000_000_000, u32::MAX] {
        lost(&mut decoder(), &AddOrder { price, ..add() }.write(), Skip::BadPrice);
    }
    assert!(decode(&mut decoder(), &AddOrder { price: PRICE_MAX, ..add() }.write()).is_ok());
    // A refused replace does not delete either: the book is told that it lost something instead.
    let replaced = Replaced { header: header(), order: 77, new_order: 78, shares: 1, price: 0 };
    lost(&mut decoder(), &replaced.write(), Skip::BadPrice);
}

#[test]
fn bad_input_zero_shares() {
    let (header, order, shares) = (header(), 77, 0);
    lost(&mut decoder(), &AddOrder { shares, ..add() }.write(), Skip::ZeroShares);
    lost(
        &mut decoder(),
        &Executed { header, order, shares, match_number: 1 }.write(),
        Skip::ZeroShares,
    );
    lost(&mut decoder(), &Canceled { header, order, shares }.write(), Skip::ZeroShares);
}

#[test]
fn bad_input_time_of_a_day_or_more() {
    let header = Header { time: 86_400_000_000_000, ..header() };
    let mut decoder = decoder();
    lost(&mut decoder, &AddOrder { header, ..add() }.write(), Skip::BadTime);
    assert_eq!(decoder.exchange_time(), BASE);
    let header = Header { time: header.time - 1, ..header };
    assert!(decode(&mut decoder, &AddOrder { header, ..add() }.write()).is_ok());
}

#[test]
fn bad_input_time_backwards_is_counted_and_applied() {
    let mut decoder = decoder();
    decode(&mut decoder, &add().write()).unwrap();
    let header = Header { time: AT - 1, ..header() };
    assert_eq!(decode(&mut decoder, &AddOrder { header, ..add() }.write()).unwrap().len(), 1);
    assert_eq!(decoder.counters().time_backwards, 1);
    assert_eq!(decoder.exchange_time(), BASE.after(Nanos::new(AT)));
}

#[test]
fn bad_input_symbol_not_ascii() {
    for symbol in [b"AR\xc9     ", b"AR L    ", b"\0\0\0\0\0\0\0\0", b"        "] {
        let mut directory = [b' '; 39];
        directory[..11].copy_from_slice(b"R\0\x09\0\0\0\0\0\0\0\0");
        directory[11..19].copy_from_slice(symbol);
        dropped(&mut decoder(), &directory, Skip::BadSymbol);
    }
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

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        feeds::fuzz::itch50(&bytes);
    }

    #[test]
    fn no_fields_panic(kind in 0..23usize, fields in prop::collection::vec(any::<u8>(), 50)) {
        let kind = Message::TYPES[kind];
        let mut bytes = fields[..length(kind).unwrap()].to_vec();
        // Locate 1 in three of four, so that the message gets past the directory.
        bytes[..3].copy_from_slice(&[kind, 0, fields[1].min(1)]);
        feeds::fuzz::itch50(&bytes);
    }
}
