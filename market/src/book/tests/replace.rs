//! Replaces in two halves, and what trades tell.

use super::*;
use crate::book::{Contradiction, Touched};

fn half(event: Event) -> Event {
    flagged(event, EventFlags::REPLACE)
}

fn start<B: Books>() -> B {
    let mut books = B::new(SMALL);
    must(&mut books, add(0, 1, Side::Sell, 102, 20));
    must(&mut books, add(1, 2, Side::Buy, 50, 5));
    books
}

fn side_is_inherited<B: Books>() {
    let mut books = start::<B>();
    must(&mut books, half(on(EventKind::Delete, 0, 1, 0)));
    must(&mut books, half(add(0, 3, Side::Buy, 101, 7).with_side(None)));
    assert_eq!(rows(&books, 0, Side::Sell), [(101, 7, 1)]);
    assert_eq!(rows(&books, 0, Side::Buy), []);
    must(&mut books, half(on(EventKind::Delete, 0, 3, 0)));
    must(&mut books, half(add(0, 3, Side::Sell, 103, 8)));
    assert_eq!(rows(&books, 0, Side::Sell), [(103, 8, 1)], "side and id may be those before");
}

fn torn_replaces<B: Books>() {
    // The second half never comes: the order of instrument 0 is lost, whatever comes instead.
    let mut books = start::<B>();
    must(&mut books, half(on(EventKind::Delete, 0, 1, 0)));
    let applied = books.apply(&add(1, 3, Side::Sell, 60, 5));
    assert_eq!(applied.touched, Touched::All);
    assert_eq!(applied.contradiction, Some(Contradiction::TornReplace));
    assert_eq!((books.state(0), books.state(1)), (BookState::Suspect, BookState::Live));
    assert_eq!(rows(&books, 1, Side::Sell), [(60, 5, 1)]);

    // The second half is of another instrument: both are wrong.
    let mut books = start::<B>();
    must(&mut books, half(on(EventKind::Delete, 0, 1, 0)));
    assert!(books.apply(&half(add(1, 3, Side::Sell, 60, 5))).contradiction.is_some());
    assert_eq!((books.state(0), books.state(1)), (BookState::Suspect, BookState::Suspect));
    assert_eq!(books.contradictions().of(Contradiction::TornReplace), 2);
    assert_eq!(rows(&books, 1, Side::Sell), []);

    // The second half names the other side, or comes alone.
    let mut books = start::<B>();
    must(&mut books, half(on(EventKind::Delete, 0, 1, 0)));
    let other_side = books.apply(&half(add(0, 3, Side::Buy, 60, 5)));
    assert_eq!(other_side.contradiction, Some(Contradiction::WrongSide));
    let mut books = start::<B>();
    let alone = books.apply(&half(add(0, 3, Side::Buy, 60, 5)));
    assert_eq!(alone.contradiction, Some(Contradiction::TornReplace));
    assert_eq!(books.state(0), BookState::Suspect);

    // An unknown order has no side to inherit; a Clear right after half a replace heals it.
    let mut books = start::<B>();
    let unknown = books.apply(&half(on(EventKind::Delete, 0, 9, 0)));
    assert_eq!(unknown.contradiction, Some(Contradiction::UnknownOrder));
    let mut books = start::<B>();
    must(&mut books, half(on(EventKind::Delete, 0, 1, 0)));
    assert!(books.apply(&event(EventKind::Clear, 0)).contradiction.is_some());
    assert_eq!(books.state(0), BookState::Live);
}

fn trades<B: Books>() {
    let mut books = start::<B>();
    let at = |event: Event| Event { exchange_time: Timestamp::from_nanos(77), ..event };
    let trade = must(&mut books, at(on(EventKind::Execute, 0, 1, 5))).trade.unwrap();
    assert_eq!((trade.resting, trade.price.raw(), trade.qty.raw()), (Some(Side::Sell), 102, 5));
    assert_eq!((trade.instrument.0, trade.exchange_time.nanos()), (0, 77));
    assert_eq!(books.view(0).updated().nanos(), 77);
    let mut priced = flagged(on(EventKind::Execute, 0, 1, 15), EventFlags::PRICED);
    priced.price = Price::from_raw(101);
    assert_eq!(must(&mut books, priced).trade.unwrap().price.raw(), 101);
    assert_eq!(rows(&books, 0, Side::Sell), [], "executed in full");

    let hidden = add(1, 88, Side::Buy, 49, 3).with_kind(EventKind::Trade);
    let trade = must(&mut books, hidden).trade.unwrap();
    assert_eq!((trade.resting, trade.price.raw(), trade.qty.raw()), (Some(Side::Buy), 49, 3));
    assert_eq!(rows(&books, 1, Side::Buy), [(50, 5, 1)]);
    let nothing = must(&mut books, on(EventKind::Trade, 1, 89, 0));
    assert_eq!((nothing.trade, books.state(1)), (None, BookState::Live));
    assert_eq!(must(&mut books, on(EventKind::Reduce, 1, 2, 1)).trade, None);
}

#[test]
fn replaces_keep_their_side() {
    side_is_inherited::<by_order::OrderBooks>();
    side_is_inherited::<twin::OrderBooks>();
    torn_replaces::<by_order::OrderBooks>();
    torn_replaces::<twin::OrderBooks>();
}

#[test]
fn trades_tell_side_and_price() {
    trades::<by_order::OrderBooks>();
    trades::<twin::OrderBooks>();
}
