//! ITCH 5.0 read: golden bytes, what each message becomes, and every class of bad input.

mod common;

use common::{BASE, bytes, decode, decoder, listing};
use feeds::itch50::message::*;
use feeds::itch50::{Decoder, Header, Message, PRICE_MAX, Skip};
use market::{Event, EventFlags, EventKind, InstrumentId, Nanos, Price, Qty, Side, TradingStatus};
use proptest::prelude::*;
use rust_decimal::Decimal;

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

#[test]
fn a_message_that_is_dropped_tells_no_time() {
    let mut decoder = decoder();
    decode(&mut decoder, &add().write()).unwrap();
    let now = decoder.exchange_time();
    assert_eq!(now, BASE.after(Nanos::new(AT)));
    let header = Header { time: AT + 1_000_000_000, ..header() };
    lost(&mut decoder, &AddOrder { header, side: b'b', order: 78, ..add() }.write(), Skip::BadSide);
    assert_eq!(decoder.exchange_time(), now);
    decode(&mut decoder, &AddOrder { header, order: 78, ..add() }.write()).unwrap();
    assert!(decoder.exchange_time() > now);
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
    for symbol in [b"AR\xc9     ", b"ARL\x0c    ", b"AR L    ", b"\0\0\0\0\0\0\0\0", b"        "] {
        let mut directory = [b' '; 39];
        directory[..11].copy_from_slice(b"R\0\x09\0\0\0\0\0\0\0\0");
        directory[11..19].copy_from_slice(symbol);
        dropped(&mut decoder(), &directory, Skip::BadSymbol);
    }
}

proptest! {
    /// `rust_decimal` judges the integers.
    #[test]
    fn prices_and_quantities_are_exact(price in 1..=PRICE_MAX, shares in 1..=u32::MAX) {
        let event = decode(&mut decoder(), &AddOrder { price, shares, ..add() }.write()).unwrap()[0];
        prop_assert_eq!(event.price.to_decimal(), Decimal::new(i64::from(price), 4));
        prop_assert_eq!(event.qty.to_decimal(0), Decimal::from(shares));
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
