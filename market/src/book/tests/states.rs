//! Each state: what begins it, what ends it, and which of two wins.

use super::*;
use crate::book::{Contradiction, Touched};

const ALL: InstrumentId = Event::ALL;

/// A live book of instrument 0 with one order, or level, a side.
fn live<B: Books>(by_order: bool) -> (B, impl Fn(u64, Side, i64) -> Event) {
    let put = move |id, side, price| {
        if by_order { add(0, id, side, price, 10) } else { level(0, side, price, 10) }
    };
    let mut books = B::new(SMALL);
    assert_eq!(books.state(0), BookState::Recovering);
    must(&mut books, put(1, Side::Buy, 100));
    must(&mut books, put(2, Side::Sell, 102));
    assert_eq!(books.state(0), BookState::Live);
    assert_eq!(books.state(1), BookState::Recovering, "nothing was said of instrument 1");
    (books, put)
}

fn locks_and_crosses<B: Books>(by_order: bool) {
    let (mut books, put) = live::<B>(by_order);
    must(&mut books, put(3, Side::Buy, 102));
    assert_eq!(books.state(0), BookState::Locked);
    must(&mut books, put(4, Side::Buy, 103));
    assert_eq!(books.state(0), BookState::Crossed);
    must(&mut books, event(EventKind::Clear, 0));
    assert_eq!((books.state(0), books.view(0).best(Side::Buy)), (BookState::Live, None));
}

fn feed_marks<B: Books>(by_order: bool) {
    let (mut books, put) = live::<B>(by_order);
    let applied = must(&mut books, Event::new(EventKind::Gap, ALL));
    assert_eq!(applied.touched, Touched::All);
    must(&mut books, put(3, Side::Buy, 99));
    assert_eq!(books.state(0), BookState::Gap);
    assert_eq!(books.state(2), BookState::Gap);
    must(&mut books, Event::new(EventKind::Recovered, ALL));
    assert_eq!(books.state(0), BookState::Live);
    assert_eq!(books.state(2), BookState::Recovering);

    must(&mut books, event(EventKind::Gap, 0));
    must(&mut books, Event::new(EventKind::Lost, ALL));
    assert_eq!(books.state(0), BookState::Suspect);
    must(&mut books, Event::new(EventKind::Recovered, ALL));
    assert_eq!(books.state(0), BookState::Suspect, "what is lost does not come back");
    must(&mut books, Event::new(EventKind::Reset, ALL));
    assert_eq!(books.state(0), BookState::Recovering);
    assert_eq!(rows(&books, 0, Side::Buy), []);
    must(&mut books, put(1, Side::Buy, 99));
    assert_eq!(books.state(0), BookState::Live, "ids may be used again in a new session");
}

fn venue_status<B: Books>(by_order: bool) {
    let (mut books, put) = live::<B>(by_order);
    for (code, state) in [
        (2, BookState::Halted),
        (3, BookState::Auction),
        (1, BookState::Live),
        (4, BookState::Halted),
        (0, BookState::Live),
    ] {
        must(&mut books, status(ALL, code));
        assert_eq!(books.state(0), state);
    }
    must(&mut books, status(InstrumentId(0), 2));
    must(&mut books, put(3, Side::Buy, 105));
    assert_eq!(books.state(0), BookState::Halted, "a halt outweighs a crossed book");
    must(&mut books, event(EventKind::Gap, 0));
    assert_eq!(books.state(0), BookState::Gap);
    must(&mut books, event(EventKind::Recovered, 0));
    assert_eq!(books.state(0), BookState::Halted, "the halt is not forgotten");
    assert!(books.apply(&status(ALL, 5)).contradiction.is_some());
    assert_eq!(books.state(1), BookState::Suspect, "what cannot be read may be a halt");
}

fn staleness<B: Books>(by_order: bool) {
    let (mut books, put) = live::<B>(by_order);
    books.set_stale(0, true);
    assert_eq!(books.state(0), BookState::Stale);
    must(&mut books, put(3, Side::Buy, 103));
    assert_eq!(books.state(0), BookState::Crossed, "a message is news");
    books.set_stale(0, true);
    assert_eq!(books.state(0), BookState::Stale);
    must(&mut books, Event::new(EventKind::Mark, ALL));
    assert_eq!(books.state(0), BookState::Stale, "a mark of the feed is none");
    let mut trade = event(EventKind::Trade, 0);
    (trade.price, trade.qty) = (Price::from_raw(100), Qty::from_raw(1));
    assert!(must(&mut books, trade).trade.is_some());
    let expected = if by_order { BookState::Crossed } else { BookState::Stale };
    assert_eq!(books.state(0), expected, "by level a trade says nothing of the book");
    books.set_stale(0, false);
    assert_eq!(books.state(0), BookState::Crossed);
}

fn snapshot_rebuilds<B: Books>(by_order: bool) {
    let (mut books, put) = live::<B>(by_order);
    must(&mut books, Event::new(EventKind::Lost, ALL));
    let part = |event| flagged(event, EventFlags::SNAPSHOT);
    must(&mut books, part(event(EventKind::Clear, 0)));
    must(&mut books, part(put(1, Side::Buy, 100)));
    assert_eq!(books.state(0), BookState::Recovering, "half a snapshot is no book");
    must(&mut books, part(event(EventKind::Clear, 1)));
    let last = flagged(event(EventKind::Clear, 2), EventFlags::SNAPSHOT.with(EventFlags::LAST));
    let applied = must(&mut books, last);
    assert_eq!(applied.touched, Touched::All);
    for instrument in 0..3 {
        assert_eq!(books.state(instrument), BookState::Live);
    }
    assert_eq!(rows(&books, 0, Side::Buy)[0].0, 100);

    must(&mut books, part(put(2, Side::Sell, 102)));
    assert_eq!(books.state(0), BookState::Recovering);
    must(&mut books, put(3, Side::Sell, 103));
    assert_eq!(books.state(0), BookState::Live, "live messages follow a snapshot");
}

/// The last event of a snapshot may be of an instrument we do not follow.
fn snapshot_ends_elsewhere<B: Books>(by_order: bool) {
    let (mut books, put) = live::<B>(by_order);
    must(&mut books, flagged(put(3, Side::Buy, 99), EventFlags::SNAPSHOT));
    let last = flagged(event(EventKind::Clear, 9), EventFlags::SNAPSHOT.with(EventFlags::LAST));
    assert!(books.apply(&last).contradiction.is_some());
    assert_eq!(books.state(0), BookState::Live);
}

fn instruments_beyond_the_table<B: Books>(by_order: bool) {
    let (mut books, _) = live::<B>(by_order);
    let before = rows(&books, 0, Side::Buy);
    for kind in [EventKind::Trade, EventKind::Clear, EventKind::Gap, EventKind::Level] {
        let applied = books.apply(&event(kind, 3));
        assert_eq!(applied.touched, Touched::None);
        assert_eq!(applied.contradiction, Some(Contradiction::UnknownInstrument));
    }
    assert_eq!((rows(&books, 0, Side::Buy), books.state(0)), (before, BookState::Live));
    assert_eq!(books.contradictions().total(), 4);
}

macro_rules! on_all_books {
    ($($body:ident),* $(,)?) => {
        mod on_all_books {
            use super::*;
            $(
                #[test]
                fn $body() {
                    super::$body::<by_order::OrderBooks>(true);
                    super::$body::<twin::OrderBooks>(true);
                    super::$body::<by_level::LevelBooks>(false);
                    super::$body::<twin::LevelBooks>(false);
                }
            )*
        }
    };
}

on_all_books!(
    locks_and_crosses,
    feed_marks,
    venue_status,
    staleness,
    snapshot_rebuilds,
    snapshot_ends_elsewhere,
    instruments_beyond_the_table,
);
