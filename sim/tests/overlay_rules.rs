//! Every rule of the overlay, one hand-worked case each. Prices are ticks of 0.01.

mod day;

use day::{ID, OTHERS, US, at, day, event};
use market::{
    Command, Event, EventFlags, EventKind, InstrumentId, OrderId, Qty, RejectReason, ReportKind,
    Side, TradingStatus,
};
use sim::Venue;

#[test]
fn we_queue_behind_what_stood_there_and_before_what_came_later() {
    let mut day = day();
    day.add(1, Side::Buy, 1000, 100);
    let ours = day.rest(Side::Buy, 1000, 50).0;
    day.add(2, Side::Buy, 1000, 100);
    // 1 stood before us: its 100 are its own.
    day.execute(1, 100);
    assert_eq!(day.fills(), []);
    // 2 came after us: the seller of 30 would have met us first.
    day.execute(2, 30);
    assert_eq!(day.fills(), [(ours, 30, 1000)]);
    // 20 of ours are left; the rest of the seller's 40 is for 2.
    day.execute(2, 40);
    assert_eq!(day.fills(), [(ours, 20, 1000)]);
    day.execute(2, 30);
    assert_eq!(day.fills(), []);
}

#[test]
fn an_execution_at_a_worse_price_fills_us_first_by_price_then_time() {
    let mut day = day();
    day.add(1, Side::Sell, 1010, 100);
    let worse = day.rest(Side::Sell, 1009, 40).0;
    let first = day.rest(Side::Sell, 1008, 30).0;
    let second = day.rest(Side::Sell, 1008, 30).0;
    // A buyer of 80 at 10.10: 30 + 30 at 10.08, then 20 of 40 at 10.09.
    day.execute(1, 80);
    assert_eq!(day.fills(), [(first, 30, 1008), (second, 30, 1008), (worse, 20, 1009)]);
    // A buyer of 20: the last 20 at 10.09.
    day.execute(1, 20);
    assert_eq!(day.fills(), [(worse, 20, 1009)]);
    assert_eq!(day.overlay.displayed(), 0, "the recording's order is gone all the same");
}

#[test]
fn an_execution_at_a_better_price_is_not_ours() {
    let mut day = day();
    day.add(1, Side::Buy, 1001, 100);
    day.rest(Side::Buy, 1000, 50);
    day.execute(1, 100);
    assert_eq!(day.fills(), []);
}

#[test]
fn cancels_ahead_advance_us() {
    let mut day = day();
    day.add(1, Side::Buy, 1000, 100);
    day.add(2, Side::Buy, 1000, 100);
    let ours = day.rest(Side::Buy, 1000, 50).0;
    day.add(3, Side::Buy, 1000, 100);
    day.delete(1);
    day.reduce(2, 60);
    // 40 of 2 still stand before us.
    day.execute(2, 40);
    assert_eq!(day.fills(), []);
    day.execute(3, 10);
    assert_eq!(day.fills(), [(ours, 10, 1000)]);
}

#[test]
fn a_recorded_replace_leaves_its_place() {
    let mut day = day();
    day.add(1, Side::Buy, 1000, 100);
    let ours = day.rest(Side::Buy, 1000, 50).0;
    // 1 gives up its place before us, even at the same price; it comes back behind us as 2.
    day.replace(1, 2, 1000, 80);
    day.execute(2, 20);
    assert_eq!(day.fills(), [(ours, 20, 1000)]);
}

#[test]
fn a_change_down_keeps_its_place_and_a_change_up_loses_it() {
    let mut day = day();
    day.add(1, Side::Buy, 1000, 100);
    let ours = day.rest(Side::Buy, 1000, 50).0;
    let change = |qty| {
        let mut changed = event(EventKind::Change, 1, qty);
        changed.price = at(1000);
        changed
    };
    day.play(change(60));
    day.execute(1, 10);
    assert_eq!(day.fills(), []);
    day.play(change(70));
    day.execute(1, 10);
    assert_eq!(day.fills(), [(ours, 10, 1000)]);
}

#[test]
fn a_crossing_add_fills_us_up_to_its_size() {
    let mut day = day();
    let low = day.rest(Side::Buy, 999, 50).0;
    let high = day.rest(Side::Buy, 1001, 50).0;
    // A seller of 80 at 9.99: 50 at 10.01, 30 at 9.99, at our prices.
    day.add(1, Side::Sell, 999, 80);
    assert_eq!(day.fills(), [(high, 50, 1001), (low, 30, 999)]);
    // All 80 of it went to us: none is left to take, though the recording shows it.
    day.take(Side::Buy, 999, 10);
    assert_eq!(day.fills(), []);
    // A seller of 30 at 10.00 does not cross 9.99.
    day.add(2, Side::Sell, 1000, 30);
    assert_eq!(day.fills(), []);
    // One of 100 at 9.99 does: 20 are left to us, 80 of it can be taken.
    day.add(3, Side::Sell, 999, 100);
    assert_eq!(day.fills(), [(low, 20, 999)]);
    let taker = day.take(Side::Buy, 999, 200).0;
    assert_eq!(day.fills(), [(taker, 80, 999)]);
}

#[test]
fn a_hidden_trade_fills_only_what_is_strictly_better() {
    let mut day = day();
    let better = day.rest(Side::Buy, 1002, 30).0;
    day.rest(Side::Buy, 1001, 30);
    // 50 at 10.01: 30 of ours at 10.02 come first; ours at 10.01 may stand behind the hidden one.
    day.trade(1001, 50, EventFlags::NONE);
    assert_eq!(day.fills(), [(better, 30, 1002)]);
    // The other side: an offer at 10.04 is better than a trade at 10.05.
    let offer = day.rest(Side::Sell, 1004, 30).0;
    day.trade(1005, 10, EventFlags::NONE);
    assert_eq!(day.fills(), [(offer, 10, 1004)]);
}

#[test]
fn auctions_never_fill_us() {
    let mut day = day();
    day.rest(Side::Sell, 1000, 50);
    day.add(1, Side::Sell, 1010, 100);
    day.trade(1010, 500, EventFlags::CROSS);
    day.execute_flagged(1, 40, 1010, EventFlags::PRICED.with(EventFlags::NON_PRINTABLE));
    day.execute_flagged(1, 40, 1010, EventFlags::CROSS);
    assert_eq!(day.fills(), []);
    // They took 80 of 1 all the same: 20 are left to take.
    let taker = day.take(Side::Buy, 1010, 500);
    // … after our own offer at 10.00 was withdrawn by self-trade prevention.
    assert_eq!(day.fills(), [(taker.0, 20, 1010)]);
}

#[test]
fn a_priced_execution_reaches_only_the_price_paid() {
    let mut day = day();
    day.add(1, Side::Sell, 1010, 100);
    let cheap = day.rest(Side::Sell, 1004, 30).0;
    day.rest(Side::Sell, 1008, 30);
    // The buyer met an offer at 10.10 but paid 10.05: ours at 10.04 fits, ours at 10.08 does not.
    day.execute_flagged(1, 100, 1005, EventFlags::PRICED);
    assert_eq!(day.fills(), [(cheap, 30, 1004)]);
}

#[test]
fn what_we_took_cannot_be_taken_again() {
    let mut day = day();
    day.add(1, Side::Sell, 1000, 100);
    day.add(2, Side::Sell, 1001, 100);
    // 100 at 10.00 and 20 at 10.01.
    let first = day.take(Side::Buy, 1001, 120).0;
    assert_eq!(day.fills(), [(first, 100, 1000), (first, 20, 1001)]);
    assert_eq!(day.overlay.displayed(), 2, "the recording still shows both");
    assert_eq!(day.overlay.available(ID, Side::Sell), Some((at(1001), Qty::from_raw(80))));
    // The recording executes 50 of 2 and cancels 20: what is available goes first, 80 - 70 = 10.
    day.execute(2, 50);
    day.reduce(2, 20);
    let second = day.take(Side::Buy, 1001, 500).0;
    assert_eq!(day.fills(), [(second, 10, 1001)]);
    // Gone and back under another number, it is new liquidity.
    day.replace(2, 3, 1001, 30);
    let third = day.take(Side::Buy, 1001, 500).0;
    assert_eq!(day.fills(), [(third, 30, 1001)]);
}

#[test]
fn an_execution_of_what_we_took_still_fills_ours_ahead_of_it() {
    let mut day = day();
    day.add(1, Side::Sell, 1001, 100);
    day.take(Side::Buy, 1001, 100);
    day.fills();
    let ours = day.rest(Side::Sell, 1000, 50).0;
    let behind = day.rest(Side::Sell, 1001, 50).0;
    // The buyer of 70 is real: 50 from ours at 10.00. The recording gave it the other 20 at 10.01
    // from 1, which stands before ours there; that 1 was taken by us is not held against it.
    day.execute(1, 70);
    assert_eq!(day.fills(), [(ours, 50, 1000)]);
    day.add(2, Side::Sell, 1001, 10);
    day.execute(2, 10);
    assert_eq!(day.fills(), [(behind, 10, 1001)]);
}

#[test]
fn crossing_walks_recorded_and_own_books_by_price_then_arrival() {
    let mut day = day();
    day.add(1, Side::Sell, 1001, 10);
    let theirs = Command::new(OrderId(900), ID, Side::Sell, at(1001), Qty::from_raw(10));
    day.command(OTHERS, theirs);
    day.add(2, Side::Sell, 1001, 10);
    day.add(3, Side::Sell, 1000, 10);
    let taker = day.take(Side::Buy, 1001, 35).0;
    // 10.00 first; at 10.01 recorded 1, the other account, recorded 2 (5 of 10).
    let expected = [
        (taker, 10, 1000),
        (taker, 10, 1001),
        (900, 10, 1001),
        (taker, 10, 1001),
        (taker, 5, 1001),
    ];
    assert_eq!(day.fills(), expected);
}

#[test]
fn post_only_sees_recorded_liquidity_less_what_we_took() {
    let mut day = day();
    day.add(1, Side::Sell, 1000, 100);
    let order = day.order(Side::Buy, 1000, 10).with_post_only(true);
    day.command(US, order);
    assert_eq!(day.last_reason(), RejectReason::WouldTrade);
    day.take(Side::Buy, 1000, 100);
    let order = day.order(Side::Buy, 1000, 10).with_post_only(true);
    day.command(US, order);
    assert_eq!(day.overlay.open_orders(US), 1, "nothing at 10.00 is left to trade with");
}

#[test]
fn halts_refuse_and_do_not_fill_and_the_close_expires() {
    let mut day = day();
    let ours = day.rest(Side::Buy, 1000, 50);
    day.status(TradingStatus::Halted);
    day.add(1, Side::Sell, 990, 50);
    assert_eq!(day.fills(), []);
    day.rest(Side::Buy, 1000, 50);
    assert_eq!(day.last_reason(), RejectReason::Closed);
    day.status(TradingStatus::Trading);
    day.add(2, Side::Sell, 1000, 20);
    assert_eq!(day.fills(), [(ours.0, 20, 1000)]);
    day.status(TradingStatus::Closed);
    let (_, report) = day.tape.reports[0];
    assert_eq!((report.kind(), report.order), (Some(ReportKind::Expired), ours));
    assert_eq!(day.overlay.open_orders(US), 0);
}

#[test]
fn snapshots_build_the_book_without_filling() {
    let mut day = day();
    day.rest(Side::Buy, 1000, 50);
    let mut shown = event(EventKind::Add, 1, 100).with_side(Some(Side::Sell));
    (shown.price, shown.flags) = (at(999), EventFlags::SNAPSHOT);
    day.play(shown);
    assert_eq!(day.fills(), []);
    assert_eq!(day.overlay.available(ID, Side::Sell), Some((at(999), Qty::from_raw(100))));
}

#[test]
fn clear_and_reset_empty_the_recorded_book_only() {
    let mut day = day();
    let ours = day.rest(Side::Buy, 990, 50);
    day.add(1, Side::Sell, 1000, 100);
    day.take(Side::Buy, 1000, 100);
    let mut other = event(EventKind::Add, 2, 10).with_side(Some(Side::Sell));
    (other.price, other.instrument) = (at(500), InstrumentId(1));
    day.play(other);
    day.play(event(EventKind::Clear, 0, 0));
    assert_eq!(day.overlay.displayed(), 1, "the other instrument's order stays");
    day.play(Event::new(EventKind::Reset, Event::ALL));
    assert_eq!(day.overlay.displayed(), 0);
    assert_eq!(day.overlay.open_orders(US), 1);
    // The number may come again; the day goes on.
    day.add(1, Side::Sell, 990, 20);
    assert_eq!(day.fills().last(), Some(&(ours.0, 20, 990)));
}

#[test]
fn contradictions_are_counted_and_skipped() {
    let mut day = day();
    day.add(1, Side::Buy, 1000, 10);
    day.add(1, Side::Buy, 1000, 10);
    day.execute(7, 10);
    day.delete(7);
    day.add(2, Side::Buy, 1000, 0);
    day.execute(1, 11);
    day.play(event(EventKind::Level, 0, 5));
    let mut elsewhere = event(EventKind::Add, 3, 10).with_side(Some(Side::Buy));
    elsewhere.instrument = InstrumentId(9);
    day.play(elsewhere);
    let skipped = day.overlay.skipped();
    assert_eq!((skipped.unknown, skipped.contradictory), (4, 2));
    assert_eq!((skipped.by_level, skipped.no_room), (1, 0));
    assert_eq!(day.overlay.displayed(), 0, "the 10 displayed of 11 executed are gone");
    for order in 10..90 {
        day.add(order, Side::Buy, 1000, 10);
    }
    assert_eq!(day.overlay.displayed(), 64);
    assert_eq!(day.overlay.skipped().no_room, 16);
    day.rest(Side::Buy, 1000, 10);
    assert_eq!(day.last_reason(), RejectReason::Limit);
}
