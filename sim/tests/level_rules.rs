//! Every rule of the overlay by level, one hand-worked case each. Prices are ticks of 0.01.

mod level_day;

use level_day::{Day, ID, US, at, day, event};
use market::{
    Command, Event, EventFlags, EventKind, InstrumentId, OrderId, Qty, RejectReason, ReportKind,
    Side, TradingStatus,
};
use sim::{QueueModel, Venue as _};

const CAREFUL: QueueModel = QueueModel::RiskAverse;

/// Bids of 100 at 9.99 and 9.98, asks of 100 at 10.01 and 10.02.
fn quoted(model: QueueModel) -> Day {
    let mut day = day(model);
    for (side, ticks) in [(Side::Buy, [999, 998]), (Side::Sell, [1001, 1002])] {
        ticks.iter().for_each(|&ticks| day.level(side, ticks, 100));
    }
    day
}

#[test]
fn trades_take_what_is_displayed_before_us_and_then_us() {
    let mut day = quoted(CAREFUL);
    let first = day.rest(Side::Buy, 999, 30);
    day.level(Side::Buy, 999, 120);
    let second = day.rest(Side::Buy, 999, 30);
    assert_eq!((day.ahead(first), day.ahead(second)), (100, 120));
    day.trade(Side::Buy, 999, 90);
    assert_eq!((day.ahead(first), day.ahead(second)), (10, 30));
    assert_eq!(day.fills(), []);
    // 10 ahead of the first, 30 of the first, 20 that came behind it, 5 of the second.
    day.trade(Side::Buy, 999, 65);
    assert_eq!(day.fills(), [(first.0, 30, 999), (second.0, 5, 999)]);
    assert_eq!(day.ahead(second), 0);
    // Those who lift the offer do not meet us.
    day.trade(Side::Sell, 999, 65);
    assert_eq!(day.fills(), []);
    let mut unsaid = event(EventKind::Trade, None, 999, 3);
    day.play(unsaid);
    unsaid.flags = EventFlags::CROSS;
    day.play(unsaid);
    assert_eq!(day.fills(), [(second.0, 3, 999)], "an auction fills nobody");
}

#[test]
fn a_trade_beyond_our_price_fills_us_first_by_price_then_time() {
    let mut day = quoted(CAREFUL);
    let worse = day.rest(Side::Buy, 999, 40).0;
    let first = day.rest(Side::Buy, 1000, 30).0;
    let second = day.rest(Side::Buy, 1000, 30).0;
    day.trade(Side::Buy, 998, 80);
    assert_eq!(day.fills(), [(first, 30, 1000), (second, 30, 1000), (worse, 20, 999)]);
    // At a better price somebody else was met.
    day.trade(Side::Buy, 1000, 80);
    assert_eq!(day.fills(), []);
}

#[test]
fn what_goes_without_a_trade_is_a_cancel_that_the_model_spreads() {
    for (model, ahead) in [(CAREFUL, 60), (QueueModel::Power(1.0), 30), (QueueModel::Log, 30)] {
        let mut day = quoted(model);
        let ours = day.rest(Side::Buy, 999, 10);
        day.level(Side::Buy, 999, 160);
        // 40 traded, and the level says so.
        day.trade(Side::Buy, 999, 40);
        day.level(Side::Buy, 999, 120);
        assert_eq!(day.ahead(ours), 60, "{model:?}");
        // 60 ahead and 60 behind: half of the 60 that are canceled.
        day.level(Side::Buy, 999, 60);
        assert_eq!(day.ahead(ours), ahead, "{model:?}");
        // When the level is gone, nobody is ahead; what comes then comes behind us.
        day.level(Side::Buy, 999, 0);
        day.level(Side::Buy, 999, 70);
        day.trade(Side::Buy, 999, 4);
        assert_eq!(day.fills(), [(ours.0, 4, 999)], "{model:?}");
    }
}

#[test]
fn a_level_that_crosses_us_fills_us_up_to_its_rise() {
    let mut day = quoted(CAREFUL);
    let far = day.rest(Side::Buy, 999, 50).0;
    let near = day.rest(Side::Buy, 1000, 20).0;
    day.level(Side::Sell, 999, 30);
    assert_eq!(day.fills(), [(near, 20, 1000), (far, 10, 999)]);
    assert_eq!(day.overlay.available(ID, Side::Sell), Some((at(1001), Qty::from_raw(100))));
    day.level(Side::Sell, 999, 20);
    assert_eq!(day.fills(), [], "it fell");
    day.level(Side::Sell, 999, 35);
    assert_eq!(day.fills(), [(far, 15, 999)]);
    // A snapshot says what was there, not what came.
    let mut told = event(EventKind::Level, Some(Side::Sell), 998, 30);
    told.flags = told.flags.with(EventFlags::SNAPSHOT);
    day.play(told);
    assert_eq!(day.fills(), []);
}

#[test]
fn what_we_took_stays_taken_until_less_is_displayed() {
    let mut day = quoted(CAREFUL);
    let ours = day.take(Side::Buy, 1002, 130).0;
    assert_eq!(day.fills(), [(ours, 100, 1001), (ours, 30, 1002)]);
    let left = |day: &Day| day.overlay.available(ID, Side::Sell).map(|(p, q)| (p, q.raw()));
    assert_eq!(left(&day), Some((at(1002), 70)));
    // 40 more come to the level that we emptied; 20 of them leave again.
    day.level(Side::Sell, 1001, 140);
    assert_eq!(left(&day), Some((at(1001), 40)));
    day.level(Side::Sell, 1001, 120);
    assert_eq!(left(&day), Some((at(1001), 20)));
    // With 30 displayed at most 30 are taken: what comes then is there for us.
    day.level(Side::Sell, 1001, 30);
    day.level(Side::Sell, 1001, 45);
    assert_eq!(left(&day), Some((at(1001), 15)));
    day.level(Side::Sell, 1001, 0);
    day.level(Side::Sell, 1001, 10);
    assert_eq!(left(&day), Some((at(1001), 10)));
    let ours = day.take(Side::Buy, 1001, 50).0;
    assert_eq!(day.fills(), [(ours, 10, 1001)]);
    assert_eq!(day.overlay.open_orders(US), 0, "the rest was canceled");
}

#[test]
fn beyond_the_worst_level_nobody_knows_who_is_ahead() {
    let mut day = quoted(QueueModel::Power(1.0));
    let ours = day.rest(Side::Buy, 997, 10);
    assert_eq!(day.ahead(ours), i64::MAX);
    day.level(Side::Buy, 997, 80);
    assert_eq!(day.ahead(ours), 80);
    // The level leaves what the feed shows, and comes back with more.
    day.level(Side::Buy, 997, 0);
    day.level(Side::Buy, 1000, 10);
    day.level(Side::Buy, 997, 90);
    assert_eq!(day.ahead(ours), 80);
    // A worse one is shown: this one is really empty.
    day.level(Side::Buy, 997, 0);
    day.level(Side::Buy, 996, 5);
    assert_eq!(day.ahead(ours), 0);
}

#[test]
fn a_snapshot_does_not_move_us_to_the_front() {
    let mut day = quoted(CAREFUL);
    let ours = day.rest(Side::Buy, 999, 10);
    let snapshot = |kind, ticks, qty, last| {
        let flags = if last { EventFlags::LAST } else { EventFlags::NONE };
        let flags = flags.with(EventFlags::SNAPSHOT);
        Event { flags, ..event(kind, Some(Side::Buy), ticks, qty) }
    };
    day.play(snapshot(EventKind::Clear, 0, 0, false));
    day.play(snapshot(EventKind::Level, 999, 90, false));
    day.play(snapshot(EventKind::Level, 998, 90, true));
    assert_eq!(day.ahead(ours), 90);
    let reset = Event::new(EventKind::Reset, Event::ALL);
    day.play(reset);
    assert_eq!(day.overlay.available(ID, Side::Buy), None);
    assert_eq!(day.ahead(ours), 90);
}

#[test]
fn a_replace_keeps_its_place_only_if_it_asks_for_less() {
    let mut day = quoted(CAREFUL);
    let first = day.rest(Side::Buy, 999, 10);
    day.trade(Side::Buy, 999, 40);
    day.level(Side::Buy, 999, 80);
    let replace = |day: &mut Day, target, ticks, qty| {
        let order = day.order(Side::Buy, ticks, qty);
        let (price, qty) = (order.price, order.qty);
        day.command(Command::replace(order.id, target, ID, Side::Buy, price, qty))
    };
    let less = replace(&mut day, first, 999, 5);
    assert_eq!(day.ahead(less), 60);
    let more = replace(&mut day, less, 999, 20);
    assert_eq!(day.ahead(more), 80);
    let lower = replace(&mut day, more, 998, 20);
    assert_eq!(day.ahead(lower), 100);
}

#[test]
fn halted_nothing_fills_and_nothing_is_taken() {
    let mut day = quoted(CAREFUL);
    day.rest(Side::Buy, 1000, 50);
    let status = |status| Event { aux: status as u32, ..event(EventKind::Status, None, 0, 0) };
    day.play(status(TradingStatus::Halted));
    day.trade(Side::Buy, 998, 80);
    day.trade(Side::Buy, 1000, 80);
    day.level(Side::Sell, 1000, 80);
    assert_eq!(day.fills(), []);
    day.rest(Side::Buy, 1000, 50);
    assert_eq!(day.tape.reports.last().unwrap().1.reason(), RejectReason::Closed);
    day.play(Event { instrument: Event::ALL, ..status(TradingStatus::Closed) });
    assert_eq!(day.tape.reports.last().unwrap().1.kind(), Some(ReportKind::Expired));
}

#[test]
fn what_contradicts_or_finds_no_room_is_skipped_and_counted() {
    let mut day = day(CAREFUL);
    day.play(event(EventKind::Level, None, 999, 10));
    day.play(event(EventKind::Level, Some(Side::Buy), 999, -1));
    day.play(event(EventKind::Trade, Some(Side::Buy), 999, 0));
    day.play(event(EventKind::Add, Some(Side::Buy), 999, 10));
    day.play(Event { kind: 200, ..event(EventKind::Level, Some(Side::Buy), 999, 10) });
    assert_eq!(day.overlay.skipped().contradictory, 5);
    let elsewhere = event(EventKind::Level, Some(Side::Buy), 999, 10);
    day.play(Event { instrument: InstrumentId(2), ..elsewhere });
    assert_eq!(day.overlay.skipped().unknown, 1);
    for ticks in 1..=20 {
        day.level(Side::Buy, ticks, 10);
    }
    assert_eq!(day.overlay.skipped().no_room, 4);
    assert_eq!(day.overlay.told().levels, 20);
    assert_eq!(day.overlay.ahead(US, OrderId(1)), None);
}
