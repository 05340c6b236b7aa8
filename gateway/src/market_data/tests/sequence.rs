//! What is missing, late, torn or not ours, and how a book becomes whole again.

use super::*;
use market::BookState;
use market::BookView;
use market::book::{BookLimits, LevelBooks};

fn level(number: u64, price: u32) -> Vec<u8> {
    message("X", &format!("268=1|279=0|269=0|55=BTC/USD|83={number}|270={price}|271=1|"))
}

#[test]
fn a_number_left_out_is_a_gap_until_a_snapshot() {
    let mut books = whole(Keyed::ByLevel);
    assert_eq!(events(&mut books, &level(7, 10)).len(), 1);
    let all = events(&mut books, &level(10, 11));
    assert_eq!(told(&all), [mark(EventKind::Gap, BTC, LAST)]);
    assert_eq!((all[0].order, all[0].aux), (8, 2));
    assert_eq!(events(&mut books, &level(11, 12)), [], "no change before the snapshot");
    let trade = message("X", "268=1|279=0|269=2|55=BTC/USD|83=12|270=9|271=1|");
    assert_eq!(events(&mut books, &trade).len(), 1, "a trade is a trade");
    assert_eq!(events(&mut books, &level(20, 12)), [], "one gap is told once");
    assert_eq!(broken(&books), [BTC]);
    events(&mut books, &message("W", "83=21|55=BTC/USD|268=0|"));
    assert_eq!(broken(&books).len(), 0);
    assert_eq!(events(&mut books, &level(21, 12)), [], "the snapshot has it");
    assert_eq!(events(&mut books, &level(22, 12)).len(), 1);
    let counters = books.counters();
    assert_eq!((counters.gaps, counters.old, counters.awaiting_snapshot), (2, 1, 3));
}

/// A number before the group is that of all its entries.
#[test]
fn a_message_may_have_the_number() {
    let mut books = whole(Keyed::ByLevel);
    let two = |number: u64| {
        let entries = "279=0|269=0|270=1|271=1|279=0|269=1|270=2|271=1|";
        message("X", &format!("55=BTC/USD|83={number}|268=2|{entries}"))
    };
    assert_eq!(events(&mut books, &two(7)).len(), 2);
    assert_eq!(events(&mut books, &two(7)), [], "known already");
    assert_eq!(events(&mut books, &two(8)).len(), 2);
    assert_eq!(told(&events(&mut books, &two(10))), [mark(EventKind::Gap, BTC, LAST)]);
}

/// The state that the loop's own books come to, through every stage.
#[test]
fn a_book_may_be_quoted_on_only_while_it_is_whole() {
    let limits = BookLimits { instruments: 3, levels: 16, orders: 0 };
    let mut judge = LevelBooks::new(limits);
    let mut books = books(Keyed::ByLevel);
    let mut state = |books: &mut Books, bytes: &[u8]| {
        for event in read(books, bytes).0 {
            judge.apply(&event);
        }
        judge.book(BTC).state()
    };
    let fragment = |last: &str| format!("893={last}|55=BTC/USD|268=1|269=0|270=10|271=1|");
    assert_eq!(state(&mut books, &level(1, 9)), BookState::Recovering);
    assert_eq!(state(&mut books, &message("W", &fragment("N"))), BookState::Recovering);
    // Neither a trade nor another instrument's whole snapshot is the end of this one's.
    let trade = message("X", "268=1|279=0|269=2|55=BTC/USD|270=10|271=1|");
    assert_eq!(state(&mut books, &trade), BookState::Recovering);
    let other = message("W", "55=BTC-PERPETUAL|268=0|");
    assert_eq!(state(&mut books, &other), BookState::Recovering);
    assert_eq!(state(&mut books, &message("W", &fragment("Y"))), BookState::Live);
    assert_eq!(state(&mut books, &level(5, 9)), BookState::Live);
    assert_eq!(state(&mut books, &level(7, 9)), BookState::Gap);
    assert_eq!(state(&mut books, &message("W", &fragment("Y"))), BookState::Live);
    let bad = message("X", "268=1|279=0|269=0|55=BTC/USD|270=x|271=1|");
    assert_eq!(state(&mut books, &bad), BookState::Suspect);
    assert_eq!(state(&mut books, &level(9, 9)), BookState::Suspect);
    // A snapshot that fails, for a book that is lost already.
    let half = message("W", "55=BTC/USD|268=2|269=0|270=10|271=1|269=1|270=11|");
    assert_eq!(state(&mut books, &half), BookState::Suspect);
    // A snapshot that is broken off, and the rest of it.
    assert_eq!(state(&mut books, &message("W", &fragment("N"))), BookState::Recovering);
    let torn = message("W", "893=N|55=BTC/USD|268=2|269=0|270=10|271=1|");
    assert_eq!(state(&mut books, &torn), BookState::Suspect);
    assert_eq!(state(&mut books, &message("W", &fragment("Y"))), BookState::Suspect);
    assert_eq!(books.counters().torn, 1);
    assert_eq!(state(&mut books, &message("W", &fragment("Y"))), BookState::Live);
}

#[test]
fn a_session_that_is_down_knows_nothing() {
    let mut books = whole(Keyed::ByLevel);
    events(&mut books, &level(7, 10));
    let mut all = Vec::new();
    books.down(time(SENT), &mut all);
    assert_eq!(told(&all), [mark(EventKind::Reset, Event::ALL, LAST)]);
    assert_eq!(events(&mut books, &level(9, 10)), [], "no gap, since nothing was heard");
    assert_eq!(books.counters().awaiting_snapshot, 1);
}

#[test]
fn what_the_session_refused_is_lost() {
    let mut books = whole(Keyed::ByLevel);
    let mut refused = |kind: &str, body: &str| {
        let bytes = message(kind, body);
        let mut all = Vec::new();
        books.refused(&FieldIndex::new(64).parse(&bytes), 5, &mut all);
        (told(&all), broken(&books).len())
    };
    assert_eq!(refused("8", "37=1|"), (vec![], 0), "no market data");
    let lost = vec![mark(EventKind::Lost, Event::ALL, LAST)];
    assert_eq!(refused("W", "893=N|55=BTC/USD|268=x|"), (lost, 3));
    assert_eq!(refused("X", "268=x|"), (vec![], 3), "lost is lost");
    // The rest of the snapshot makes no book.
    assert_eq!(events(&mut books, &message("W", "893=Y|55=BTC/USD|268=0|")), []);
    assert_eq!(events(&mut books, &message("W", "893=Y|55=BTC/USD|268=0|")).len(), 2);
}

#[test]
fn other_instruments_are_counted() {
    let mut books = whole(Keyed::ByLevel);
    assert_eq!(events(&mut books, &message("W", "55=ETH/USD|268=0|")), []);
    let both = "268=3|279=0|269=0|55=ETH/USD|270=x|271=1|279=0|269=0|270=1|271=1|\
        279=0|269=0|55=BTC/USD|270=1|271=1|";
    assert_eq!(events(&mut books, &message("X", both)).len(), 1);
    assert_eq!(books.counters().unknown_instrument, 3);
    assert_eq!(broken(&books).len(), 0);
}

/// The session's own numbers: what was missing of them may have been of any instrument.
#[test]
fn messages_that_the_session_missed_are_a_gap_of_every_book() {
    let mut books = whole(Keyed::ByLevel);
    let now = time(SENT);
    let mut all = Vec::new();
    books.missed(now, &mut all);
    books.missed(now, &mut all);
    assert_eq!(told(&all), [mark(EventKind::Gap, Event::ALL, LAST)], "once");
    assert!(!books.is_whole(0));
    assert_eq!(events(&mut books, &level(7, 10)), []);
    events(&mut books, &message("W", "55=BTC/USD|268=0|"));
    assert!(books.is_whole(0) && !books.is_whole(1) && !books.is_whole(9));
    // Between two fragments: the rest makes no book.
    events(&mut books, &message("W", "893=N|55=BTC/USD|268=0|"));
    let mut none = Vec::new();
    books.missed(now, &mut none);
    assert_eq!((none, books.is_whole(0)), (vec![], false));
    assert_eq!(events(&mut books, &message("W", "893=Y|55=BTC/USD|268=0|")), []);
    assert!(!books.is_whole(0));
}

#[test]
fn a_refused_request_loses_its_instrument_once() {
    let mut books = books(Keyed::ByLevel);
    let mut all = Vec::new();
    for place in [1, 1, 9] {
        books.refuse(place, time(SENT), &mut all);
    }
    assert_eq!(told(&all), [mark(EventKind::Lost, BNB, LAST)]);
    assert_eq!(events(&mut books, &message("W", "55=BNBBUSD|268=0|")).len(), 2);
    assert!(books.is_whole(1));
}
