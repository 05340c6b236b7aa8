//! Contradictions one by one, and tables that are full.

use super::*;
use crate::book::{Contradiction, LevelBooks, OrderBooks};

/// A book with a bid 1 of 10 at 100 and an ask 2 of 20 at 102.
fn two_orders<B: Books>() -> B {
    let mut books = B::new(SMALL);
    must(&mut books, add(0, 1, Side::Buy, 100, 10));
    must(&mut books, add(0, 2, Side::Sell, 102, 20));
    books
}

/// Each contradiction makes the instrument, and only it, Suspect until it is cleared.
fn contradictions<B: Books>() {
    use Contradiction as C;
    use EventKind as K;
    let priced = |event: Event| Event { price: Price::ZERO, ..flagged(event, EventFlags::PRICED) };
    for (event, reason) in [
        (add(0, 1, Side::Buy, 100, 1), C::DuplicateOrder),
        (add(1, 1, Side::Buy, 100, 1), C::DuplicateOrder),
        (add(0, 3, Side::Buy, i64::MIN, 1), C::WrongPrice),
        (add(0, 3, Side::Buy, 100, 0), C::WrongQty),
        (add(0, 3, Side::Buy, 100, -1), C::WrongQty),
        (add(0, 3, Side::Buy, 100, 1).with_side(None), C::WrongSide),
        (add(0, 3, Side::Buy, 100, i64::MAX), C::Overflow),
        (on(K::Execute, 0, 9, 1), C::UnknownOrder),
        (on(K::Reduce, 0, 9, 1), C::UnknownOrder),
        (on(K::Delete, 0, 9, 0), C::UnknownOrder),
        (add(0, 9, Side::Buy, 100, 1).with_kind(K::Change), C::UnknownOrder),
        (on(K::Execute, 1, 1, 1), C::UnknownOrder),
        (on(K::Execute, 0, 1, 11), C::TooMuch),
        (on(K::Reduce, 0, 1, 11), C::TooMuch),
        (on(K::Execute, 0, 1, 0), C::WrongQty),
        (priced(on(K::Execute, 0, 1, 1)), C::WrongPrice),
        (add(0, 1, Side::Buy, i64::MIN, 1).with_kind(K::Change), C::WrongPrice),
        (add(0, 1, Side::Buy, 1, 0).with_kind(K::Change), C::WrongQty),
        (level(0, Side::Buy, 100, 1), C::WrongKind),
        (Event { instrument: InstrumentId(0), ..Event::default() }, C::WrongKind),
    ] {
        let mut books = two_orders::<B>();
        let applied = books.apply(&event);
        assert_eq!((applied.contradiction, applied.trade), (Some(reason), None), "{event:?}");
        assert_eq!((books.contradictions().of(reason), books.contradictions().total()), (1, 1));
        let suspect = event.instrument.0;
        assert_eq!(books.state(suspect), BookState::Suspect, "{event:?}");
        assert_ne!(books.state(1 - suspect), BookState::Suspect, "{event:?}");
        must(&mut books, add(suspect, 7, Side::Buy, 100, 1));
        assert_eq!(books.state(suspect), BookState::Suspect, "only a rebuild restores trust");
        must(&mut books, super::event(K::Clear, suspect));
        assert_eq!(books.state(suspect), BookState::Live);
    }
}

/// Orders of which too much went are gone; others stay as they were.
fn what_stays<B: Books>() {
    let mut books = two_orders::<B>();
    assert!(books.apply(&on(EventKind::Execute, 0, 1, 11)).contradiction.is_some());
    assert_eq!(rows(&books, 0, Side::Buy), []);
    assert_eq!(rows(&books, 0, Side::Sell), [(102, 20, 1)]);
    let mut change = add(0, 2, Side::Sell, 103, 5).with_kind(EventKind::Change);
    must(&mut books, change);
    assert_eq!(rows(&books, 0, Side::Sell), [(103, 5, 1)]);
    change.price = Price::from_raw(104);
    must(&mut books, change.with_side(None));
    assert_eq!(rows(&books, 0, Side::Sell), [(104, 5, 1)], "the order's own side is used");
}

fn full_tables<B: Books>() {
    let mut books = B::new(SMALL);
    for price in 1..=4i64 {
        must(&mut books, add(0, price.cast_unsigned(), Side::Buy, price, 1));
    }
    let fifth = add(0, 5, Side::Buy, 5, 1);
    assert_eq!(books.apply(&fifth).contradiction, Some(Contradiction::LevelsFull));
    assert_eq!(books.state(0), BookState::Suspect);
    must(&mut books, add(0, 5, Side::Buy, 4, 1));
    let moved = add(0, 4, Side::Buy, 5, 1).with_kind(EventKind::Change);
    assert_eq!(books.apply(&moved).contradiction, Some(Contradiction::LevelsFull));
    assert_eq!(rows(&books, 0, Side::Buy), [(4, 1, 1), (3, 1, 1), (2, 1, 1), (1, 1, 1)]);
    must(&mut books, add(0, 5, Side::Buy, 9, 1).with_kind(EventKind::Change));
    assert_eq!(rows(&books, 0, Side::Buy)[0], (9, 1, 1), "the level it left made room");

    for id in 10..18 {
        must(&mut books, add(1, id, Side::Sell, 7, 1));
    }
    let more = add(1, 18, Side::Sell, 7, 1);
    assert_eq!(books.apply(&more).contradiction, Some(Contradiction::OrdersFull));
    must(&mut books, event(EventKind::Clear, 0));
    assert_eq!(rows(&books, 1, Side::Sell), [(7, 8, 8)], "other instruments keep their orders");
    must(&mut books, more);
    assert_eq!(books.state(1), BookState::Suspect);
}

fn full_side_by_level<B: Books>() {
    let mut books = B::new(SMALL);
    for price in 1..=4i64 {
        must(&mut books, level(0, Side::Sell, price, 1));
    }
    must(&mut books, level(0, Side::Sell, 9, 0));
    must(&mut books, level(0, Side::Sell, 2, 7));
    assert_eq!(rows(&books, 0, Side::Sell), [(1, 1, 0), (2, 7, 0), (3, 1, 0), (4, 1, 0)]);
    for (event, reason) in [
        (level(0, Side::Sell, 5, 1), Contradiction::LevelsFull),
        (level(0, Side::Sell, i64::MIN, 1), Contradiction::WrongPrice),
        (level(0, Side::Sell, 1, -1), Contradiction::WrongQty),
        (level(0, Side::Sell, 1, 1).with_side(None), Contradiction::WrongSide),
        (add(0, 1, Side::Sell, 1, 1), Contradiction::WrongKind),
    ] {
        let mut books = books.clone();
        assert_eq!(books.apply(&event).contradiction, Some(reason));
        assert_eq!(books.state(0), BookState::Suspect);
        assert_eq!(rows(&books, 0, Side::Sell).len(), 4);
    }
    must(&mut books, level(0, Side::Sell, 4, 0));
    must(&mut books, level(0, Side::Sell, 5, 1));
    assert_eq!(books.state(0), BookState::Live);
}

#[test]
fn by_order() {
    contradictions::<by_order::OrderBooks>();
    contradictions::<twin::OrderBooks>();
    what_stays::<by_order::OrderBooks>();
    what_stays::<twin::OrderBooks>();
    full_tables::<by_order::OrderBooks>();
    full_tables::<twin::OrderBooks>();
}

#[test]
fn by_level() {
    full_side_by_level::<by_level::LevelBooks>();
    full_side_by_level::<twin::LevelBooks>();
}

/// The digest is of content: another way to the same orders gives the same hash, and any other
/// content another.
#[test]
fn hashes_are_of_content() {
    let build = |events: &[Event]| {
        let mut books = by_order::OrderBooks::new(SMALL);
        for &event in events {
            must(&mut books, event);
        }
        books.hash()
    };
    let (one, two) = (add(0, 1, Side::Buy, 100, 10), add(0, 2, Side::Sell, 102, 20));
    let gone = [add(0, 3, Side::Buy, 99, 5), on(EventKind::Delete, 0, 3, 0)];
    let plain = build(&[one, two]);
    assert_eq!(build(&[two, one]), plain);
    assert_eq!(build(&[gone[0], two, gone[1], one]), plain);
    assert_eq!(build(&[add(0, 1, Side::Buy, 100, 12), on(EventKind::Reduce, 0, 1, 2), two]), plain);
    for other in [
        add(0, 3, Side::Buy, 100, 10),
        add(0, 1, Side::Sell, 100, 10),
        add(0, 1, Side::Buy, 101, 10),
        add(0, 1, Side::Buy, 100, 11),
        add(1, 1, Side::Buy, 100, 10),
    ] {
        assert_ne!(build(&[other, two]), plain);
    }
}

/// What is expected is a hint: whatever events name, it fails at nothing and changes nothing.
#[test]
fn any_event_may_be_expected() {
    let books = two_orders::<by_order::OrderBooks>();
    let before = books.hash();
    for kind in (0..=u8::MAX).filter_map(EventKind::from_byte) {
        for instrument in [0, 1, 2, 3, 1_000, Event::ALL.0] {
            for order in [0, 1, 2, u64::MAX] {
                let named = Event { order, ..event(kind, instrument) };
                books.expect(&[named, named.with_side(Some(Side::Sell))]);
            }
        }
    }
    assert_eq!(books.hash(), before);
}

/// An audit that finds nothing because it looks at nothing would prove nothing.
#[test]
fn audits_find_a_broken_book() {
    let mut books = two_orders::<by_order::OrderBooks>();
    let order = books.resting(1).unwrap();
    books.shelf_book_mut(InstrumentId(0)).take(1, &order, Qty::from_raw(3), false);
    let unsound = books.audit().unwrap_err();
    assert_eq!(unsound.instrument, InstrumentId(0));
    let mut books = two_orders::<by_order::OrderBooks>();
    let book = books.shelf_book_mut(InstrumentId(1));
    book.join(5, Side::Buy, Price::from_raw(100), Qty::from_raw(3)).unwrap();
    assert_eq!(books.audit().unwrap_err().instrument, InstrumentId(1));
}

/// Books for research hold whatever comes: more orders, levels and instruments than they began with.
#[test]
fn growing_books_grow() {
    let (mut orders, mut levels) = (OrderBooks::growing(), LevelBooks::growing());
    assert_eq!(
        orders.apply(&add(5, 1, Side::Buy, 1, 1)).contradiction,
        Some(Contradiction::UnknownInstrument)
    );
    assert!(orders.admit(InstrumentId(5)) && levels.admit(InstrumentId(5)));
    for id in 1..=10_000 {
        let price = 1 + id as i64 % 2_000;
        assert_eq!(orders.apply(&add(5, id, Side::Buy, price, 3)).contradiction, None);
        assert_eq!(levels.apply(&level(5, Side::Sell, price, 7)).contradiction, None);
    }
    assert_eq!((orders.orders(), orders.book(InstrumentId(5)).depth(Side::Buy)), (10_000, 2_000));
    assert_eq!(levels.book(InstrumentId(5)).depth(Side::Sell), 2_000);
    assert_eq!((orders.audit(), levels.audit()), (Ok(()), Ok(())));
    for id in 1..=10_000 {
        assert_eq!(orders.apply(&on(EventKind::Delete, 5, id, 0)).contradiction, None);
    }
    assert_eq!((orders.orders(), orders.audit()), (0, Ok(())));
    // The ladder has 65,536 places, and no more.
    for price in 1..=65_537 {
        let full = levels.apply(&level(5, Side::Buy, price, 1)).contradiction;
        assert_eq!(full, (price > 65_536).then_some(Contradiction::LevelsFull));
    }
    assert!(!orders.admit(InstrumentId(u32::MAX)) && !orders.admit(Event::ALL));
    let mut fixed = OrderBooks::new(SMALL);
    assert!(fixed.admit(InstrumentId(2)) && !fixed.admit(InstrumentId(3)));
}

/// A strategy that watches no level hears of no change, however full a side is.
#[test]
fn of_levels_that_nobody_watches_nothing_is_heard() {
    let mut books = LevelBooks::new(SMALL);
    books.watch(InstrumentId(0), 0);
    assert!(books.take_changed(InstrumentId(0)), "watching is news");
    for price in 1..=4 {
        assert_eq!(books.apply(&level(0, Side::Buy, price, 1)).contradiction, None);
    }
    assert!(!books.take_changed(InstrumentId(0)));
    books.watch(InstrumentId(0), 1);
    books.take_changed(InstrumentId(0));
    books.apply(&level(0, Side::Buy, 3, 2));
    assert!(!books.take_changed(InstrumentId(0)));
    books.apply(&level(0, Side::Buy, 4, 2));
    assert!(books.take_changed(InstrumentId(0)));
}
