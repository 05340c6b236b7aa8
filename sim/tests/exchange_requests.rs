//! What the exchange answers to each request, and every reason for which it refuses one.

use market::{
    BookState, BookView, Command, Event, EventFlags, EventKind, Fees, Instrument, InstrumentId,
    Liquidity, OrderId, Price, Qty, Rate, RejectReason, Report, ReportKind, Side, TimeInForce,
    Timestamp, TradingStatus,
};
use sim::{AccountId, Exchange, ExchangeLimits, Run, SelfTradePolicy, SetupError, Tape, Venue};

const ID: InstrumentId = InstrumentId(0);
const A: AccountId = AccountId(0);
const B: AccountId = AccountId(1);

fn venue(limits: ExchangeLimits, policy: SelfTradePolicy) -> (Exchange, Tape) {
    let mut share = Instrument::share(0, "X");
    // One basis point back to makers, three from takers.
    share.fees = Fees { maker: Rate(-100_000), taker: Rate(300_000) };
    let instruments = vec![share, Instrument::share(1, "Y")];
    (Exchange::new(instruments, limits, policy, Run::default()).unwrap(), Tape::default())
}

fn plain() -> (Exchange, Tape) {
    venue(ExchangeLimits::default(), SelfTradePolicy::CancelResting)
}

fn order(id: u64, side: Side, price: &str, qty: i64) -> Command {
    Command::new(OrderId(id), ID, side, price.parse().unwrap(), Qty::from_raw(qty))
}

fn replace(id: u64, target: u64, side: Side, price: &str, qty: i64) -> Command {
    let (id, target) = (OrderId(id), OrderId(target));
    Command::replace(id, target, ID, side, price.parse().unwrap(), Qty::from_raw(qty))
}

fn cancel(id: u64, target: u64, side: Side) -> Command {
    Command::cancel(OrderId(id), OrderId(target), ID, side)
}

/// Sends a command and gives what it led to.
fn send(venue: &mut (Exchange, Tape), account: AccountId, command: Command) -> Tape {
    venue.1.clear();
    venue.0.command(account, &command, Timestamp::from_nanos(5), &mut venue.1);
    venue.1.clone()
}

fn kinds(tape: &Tape) -> Vec<(AccountId, ReportKind)> {
    tape.reports.iter().map(|(account, report)| (*account, report.kind().unwrap())).collect()
}

#[track_caller]
fn refused(tape: &Tape, kind: ReportKind, reason: RejectReason) {
    assert_eq!(tape.reports.len(), 1);
    let report = tape.reports[0].1;
    assert_eq!((report.kind(), report.reason()), (Some(kind), reason));
    assert!(tape.events.is_empty(), "a refusal is not public");
}

#[test]
fn a_trade_is_reported_to_both_with_fees_and_positions() {
    let mut v = plain();
    send(&mut v, A, order(1, Side::Sell, "10.00", 100));
    let tape = send(&mut v, B, order(1, Side::Buy, "10.05", 300));
    let expected = [(B, ReportKind::Accepted), (A, ReportKind::Filled), (B, ReportKind::Filled)];
    assert_eq!(kinds(&tape), expected);
    let (made, took): (Report, Report) = (tape.reports[1].1, tape.reports[2].1);
    assert_eq!(
        (made.price, made.qty.raw(), made.leaves_qty.raw()),
        ("10".parse().unwrap(), 100, 0)
    );
    assert_eq!((took.cum_qty.raw(), took.leaves_qty.raw()), (100, 200));
    assert_eq!(
        (made.liquidity(), took.liquidity()),
        (Some(Liquidity::Maker), Some(Liquidity::Taker))
    );
    // 1,000 of value: 0.10 back, 0.30 paid.
    assert_eq!(made.fee().unwrap().to_string(), "-0.1");
    assert_eq!(took.fee().unwrap().to_string(), "0.3");
    assert_eq!((v.0.position(A, ID).net, v.0.position(B, ID).net), (-100, 100));
    assert_eq!(v.0.position(B, ID).fees, took.fee().unwrap());
    // The public side: executed, then the rest of the taker stands at its limit.
    let public: Vec<_> =
        tape.events.iter().map(|e| (e.kind().unwrap(), e.order, e.qty.raw())).collect();
    assert_eq!(public, [(EventKind::Execute, 1, 100), (EventKind::Add, 2, 200)]);
    assert_eq!(v.0.unbooked(), 0);
}

#[test]
fn immediate_or_cancel_never_rests() {
    let mut v = plain();
    send(&mut v, A, order(1, Side::Sell, "10.00", 100));
    let ioc = order(1, Side::Buy, "10.00", 150).with_time_in_force(TimeInForce::ImmediateOrCancel);
    let tape = send(&mut v, B, ioc);
    let (_, last) = tape.reports[3];
    assert_eq!((last.kind(), last.cum_qty.raw()), (Some(ReportKind::Canceled), 100));
    assert_eq!((last.leaves_qty, last.target), (Qty::ZERO, OrderId::NONE));
    assert_eq!(v.0.open_orders(B), 0);
    assert_eq!(v.0.best(ID, Side::Buy), None);
}

#[test]
fn every_reason_to_refuse_a_new_order() {
    let limits = ExchangeLimits { accounts: 2, orders_per_account: 2, ..Default::default() };
    let mut v = venue(limits, SelfTradePolicy::CancelResting);
    let rejected = ReportKind::Rejected;
    let nowhere =
        Command::new(OrderId(1), InstrumentId(7), Side::Buy, Price::ONE, Qty::from_raw(1));
    refused(&send(&mut v, A, nowhere), rejected, RejectReason::UnknownInstrument);
    refused(&send(&mut v, A, order(0, Side::Buy, "10", 1)), rejected, RejectReason::Malformed);
    refused(&send(&mut v, A, Command::default()), rejected, RejectReason::Malformed);
    refused(&send(&mut v, A, order(2, Side::Buy, "10.001", 1)), rejected, RejectReason::Price);
    refused(&send(&mut v, A, order(3, Side::Buy, "0", 1)), rejected, RejectReason::Price);
    refused(&send(&mut v, A, order(4, Side::Buy, "10", 0)), rejected, RejectReason::Qty);
    refused(&send(&mut v, A, order(5, Side::Buy, "10", 1_000_000)), rejected, RejectReason::Qty);
    refused(
        &send(&mut v, AccountId(2), order(1, Side::Buy, "10", 1)),
        rejected,
        RejectReason::Limit,
    );
    send(&mut v, A, order(6, Side::Buy, "10", 1));
    refused(&send(&mut v, A, order(6, Side::Buy, "10", 1)), rejected, RejectReason::DuplicateId);
    refused(&send(&mut v, A, order(5, Side::Buy, "10", 1)), rejected, RejectReason::DuplicateId);
    let post_only = order(1, Side::Sell, "10", 1).with_post_only(true);
    refused(&send(&mut v, B, post_only), rejected, RejectReason::WouldTrade);
    send(&mut v, A, order(7, Side::Buy, "10", 1));
    refused(&send(&mut v, A, order(8, Side::Buy, "10", 1)), rejected, RejectReason::Limit);
    send(&mut v, A, cancel(9, 7, Side::Buy));
    assert_eq!(kinds(&send(&mut v, A, order(10, Side::Buy, "10", 1))), [(A, ReportKind::Accepted)]);
}

#[test]
fn full_tables_refuse_and_recover() {
    let limits = ExchangeLimits { orders: 3, levels: 2, ..Default::default() };
    let mut v = venue(limits, SelfTradePolicy::CancelResting);
    send(&mut v, A, order(1, Side::Buy, "10.00", 1));
    send(&mut v, A, order(2, Side::Buy, "10.01", 1));
    let third_level = send(&mut v, A, order(3, Side::Buy, "10.02", 1));
    refused(&third_level, ReportKind::Rejected, RejectReason::Limit);
    send(&mut v, A, order(4, Side::Buy, "10.01", 1));
    let fourth = send(&mut v, A, order(5, Side::Buy, "10.01", 1));
    refused(&fourth, ReportKind::Rejected, RejectReason::Limit);
    send(&mut v, A, cancel(6, 1, Side::Buy));
    let again = send(&mut v, A, order(7, Side::Buy, "10.02", 1));
    assert_eq!(kinds(&again), [(A, ReportKind::Accepted)]);
}

#[test]
fn cancels_and_replaces_name_their_order_or_are_refused() {
    let mut v = plain();
    send(&mut v, A, order(1, Side::Buy, "10.00", 100));
    let refusal = ReportKind::CancelRejected;
    refused(&send(&mut v, A, cancel(2, 99, Side::Buy)), refusal, RejectReason::UnknownOrder);
    refused(&send(&mut v, B, cancel(2, 1, Side::Buy)), refusal, RejectReason::UnknownOrder);
    refused(&send(&mut v, A, cancel(3, 1, Side::Sell)), refusal, RejectReason::UnknownOrder);
    refused(&send(&mut v, A, cancel(1, 1, Side::Buy)), refusal, RejectReason::DuplicateId);
    let tape = send(&mut v, A, replace(4, 1, Side::Buy, "10.001", 50));
    refused(&tape, refusal, RejectReason::Price);
    assert_eq!((tape.reports[0].1.order, tape.reports[0].1.target), (OrderId(4), OrderId(1)));
    let tape = send(&mut v, A, replace(5, 1, Side::Buy, "10.00", 0));
    refused(&tape, refusal, RejectReason::Qty);
    let done = send(&mut v, A, cancel(6, 1, Side::Buy)).reports[0].1;
    assert_eq!(
        (done.kind(), done.order, done.target),
        (Some(ReportKind::Canceled), OrderId(6), OrderId(1))
    );
    // Known once, closed now.
    refused(&send(&mut v, A, cancel(7, 1, Side::Buy)), refusal, RejectReason::TooLate);
}

#[test]
fn a_replace_down_keeps_its_place_and_any_other_loses_it() {
    let mut v = plain();
    send(&mut v, A, order(1, Side::Buy, "10.00", 100));
    send(&mut v, B, order(1, Side::Buy, "10.00", 100));
    let tape = send(&mut v, A, replace(2, 1, Side::Buy, "10.00", 60));
    let report = tape.reports[0].1;
    assert_eq!(
        (report.kind(), report.order, report.target),
        (Some(ReportKind::Replaced), OrderId(2), OrderId(1))
    );
    let public: Vec<_> =
        tape.events.iter().map(|e| (e.kind().unwrap(), e.order, e.qty.raw())).collect();
    assert_eq!(public, [(EventKind::Reduce, 1, 40)]);
    // Still first: 30 of the 60 trade. The new total 80 counts them: 50 are left, behind B.
    send(&mut v, AccountId(2), order(1, Side::Sell, "10.00", 30));
    let tape = send(&mut v, A, replace(3, 2, Side::Buy, "10.00", 80));
    let report = tape.reports[0].1;
    assert_eq!((report.qty.raw(), report.cum_qty.raw(), report.leaves_qty.raw()), (80, 30, 50));
    let halves: Vec<(EventKind, EventFlags, Option<Side>)> =
        tape.events.iter().map(|e| (e.kind().unwrap(), e.flags, e.side())).collect();
    let both = EventFlags::REPLACE;
    assert_eq!(halves, [(EventKind::Delete, both, None), (EventKind::Add, both, None)]);
    assert_eq!(v.0.open_order(A, OrderId(3)).unwrap().venue_order.0, [1, 1], "its first number");
    let tape = send(&mut v, AccountId(2), order(2, Side::Sell, "10.00", 100));
    assert_eq!(kinds(&tape)[1], (B, ReportKind::Filled));
}

#[test]
fn a_replace_to_what_was_filled_ends_the_order() {
    let mut v = plain();
    send(&mut v, A, order(1, Side::Buy, "10.00", 100));
    send(&mut v, B, order(1, Side::Sell, "10.00", 40));
    let report = send(&mut v, A, replace(2, 1, Side::Buy, "10.00", 40)).reports[0].1;
    assert_eq!(
        (report.kind(), report.order, report.target),
        (Some(ReportKind::Canceled), OrderId(2), OrderId(1))
    );
    assert_eq!((report.cum_qty.raw(), report.leaves_qty.raw()), (40, 0));
    assert_eq!(v.0.open_orders(A), 0);
}

#[test]
fn a_replace_may_trade() {
    let mut v = plain();
    send(&mut v, A, order(1, Side::Sell, "10.01", 100));
    send(&mut v, B, order(1, Side::Buy, "10.00", 150));
    let tape = send(&mut v, B, replace(2, 1, Side::Buy, "10.01", 150).with_post_only(true));
    refused(&tape, ReportKind::CancelRejected, RejectReason::WouldTrade);
    let tape = send(&mut v, B, replace(3, 1, Side::Buy, "10.01", 150));
    let expected = [(B, ReportKind::Replaced), (A, ReportKind::Filled), (B, ReportKind::Filled)];
    assert_eq!(kinds(&tape), expected);
    // Not a public replace: something happened between its halves.
    assert!(tape.events.iter().all(|event| !event.flags.has(EventFlags::REPLACE)));
    assert_eq!(v.0.best(ID, Side::Buy).unwrap().qty.raw(), 50);
}

#[test]
fn self_trades_are_prevented() {
    let mut v = plain();
    send(&mut v, A, order(1, Side::Sell, "10.00", 100));
    send(&mut v, B, order(1, Side::Sell, "10.00", 100));
    let tape = send(&mut v, A, order(2, Side::Buy, "10.00", 100));
    let expected = [
        (A, ReportKind::Accepted),
        (A, ReportKind::Canceled),
        (B, ReportKind::Filled),
        (A, ReportKind::Filled),
    ];
    assert_eq!(kinds(&tape), expected);
    assert_eq!(tape.reports[1].1.reason(), RejectReason::SelfTrade);

    let mut v = venue(ExchangeLimits::default(), SelfTradePolicy::RejectIncoming);
    send(&mut v, B, order(1, Side::Sell, "10.00", 100));
    send(&mut v, A, order(1, Side::Sell, "10.00", 100));
    // 100 of B stand before ours: 100 may trade, 101 would meet ours.
    let tape = send(&mut v, A, order(2, Side::Buy, "10.00", 101));
    refused(&tape, ReportKind::Rejected, RejectReason::SelfTrade);
    let tape = send(&mut v, A, order(3, Side::Buy, "10.00", 100));
    assert_eq!(kinds(&tape)[1], (B, ReportKind::Filled));
}

#[test]
fn halts_refuse_new_orders_and_the_close_expires_the_old() {
    let mut v = plain();
    send(&mut v, A, order(1, Side::Buy, "10.00", 100));
    send(&mut v, A, order(2, Side::Buy, "9.99", 100));
    v.1.clear();
    v.0.set_status(ID, TradingStatus::Halted, Timestamp::from_nanos(9), &mut v.1);
    let told = v.1.events[0];
    assert_eq!((told.kind(), told.aux), (Some(EventKind::Status), TradingStatus::Halted as u32));
    assert_eq!(v.0.book(ID).unwrap().state(), BookState::Halted);
    let closed = RejectReason::Closed;
    refused(&send(&mut v, A, order(3, Side::Buy, "10", 1)), ReportKind::Rejected, closed);
    refused(
        &send(&mut v, A, replace(4, 1, Side::Buy, "10", 9)),
        ReportKind::CancelRejected,
        closed,
    );
    assert_eq!(kinds(&send(&mut v, A, cancel(5, 1, Side::Buy))), [(A, ReportKind::Canceled)]);
    let other = Command::new(OrderId(6), InstrumentId(1), Side::Buy, Price::ONE, Qty::from_raw(1));
    assert_eq!(kinds(&send(&mut v, A, other)), [(A, ReportKind::Accepted)]);
    v.1.clear();
    v.0.set_status(ID, TradingStatus::Closed, Timestamp::from_nanos(9), &mut v.1);
    assert_eq!(kinds(&v.1), [(A, ReportKind::Expired)]);
    assert_eq!(v.0.open_orders(A), 1, "the other instrument's order stays");
}

#[test]
fn mass_requests_end_with_a_count() {
    let mut v = plain();
    for id in 1..=3 {
        send(&mut v, A, order(id, Side::Buy, "10.00", 100));
    }
    send(&mut v, B, order(1, Side::Buy, "10.00", 100));
    let other = Command::new(OrderId(4), InstrumentId(1), Side::Sell, Price::ONE, Qty::from_raw(1));
    send(&mut v, A, other);
    let tape = send(&mut v, A, Command::mass_status(OrderId(5)));
    let named: Vec<_> = tape.reports.iter().map(|(_, report)| report.order.0).collect();
    assert_eq!(named, [1, 2, 3, 4, 5]);
    let done = tape.reports[4].1;
    assert_eq!((done.kind(), done.qty.raw()), (Some(ReportKind::StatusDone), 4));
    let tape = send(&mut v, A, Command::mass_cancel(OrderId(6), ID));
    assert_eq!(tape.reports.len(), 4);
    let done = tape.reports[3].1;
    assert_eq!((done.kind(), done.qty.raw()), (Some(ReportKind::MassCanceled), 3));
    let tape = send(&mut v, A, Command::mass_cancel(OrderId(7), Event::ALL));
    assert_eq!(tape.reports.len(), 2);
    // Loss of the session.
    v.1.clear();
    v.0.cancel_all(B, Timestamp::from_nanos(9), &mut v.1);
    assert_eq!(kinds(&v.1), [(B, ReportKind::Canceled)]);
    assert_eq!((v.0.open_orders(A), v.0.open_orders(B)), (0, 0));
}

#[test]
fn a_restarted_exchange_repeats_no_id() {
    let instruments = vec![Instrument::share(0, "X")];
    let run = Run { epoch: 2, first_order: 1_000 };
    let limits = ExchangeLimits::default();
    let mut v =
        (Exchange::new(instruments, limits, Default::default(), run).unwrap(), Tape::default());
    let tape = send(&mut v, A, order(1, Side::Buy, "10.00", 100));
    assert_eq!(tape.events[0].order, 1_000);
    assert_eq!(tape.reports[0].1.venue_order.0, [2, 1_000]);
    assert_eq!(tape.reports[0].1.exec.0, [2, 1]);
}

#[test]
fn impossible_setups_are_named() {
    let build = |instrument: Instrument, limits| {
        Exchange::new(vec![instrument], limits, Default::default(), Run::default()).err()
    };
    let limits = ExchangeLimits::default();
    let wrong_id = build(Instrument::share(3, "X"), limits).unwrap();
    assert_eq!(wrong_id.to_string(), "X: its id must be 0, its place in the list");
    let no_tick = Instrument { tick: Price::ZERO, ..Instrument::share(0, "X") };
    assert!(matches!(build(no_tick, limits), Some(SetupError::Step { .. })));
    let mut huge = Instrument::share(0, "X");
    huge.fees.taker = Rate(i64::MAX);
    assert!(matches!(build(huge, limits), Some(SetupError::Value { .. })));
    let none = ExchangeLimits { levels: 0, ..limits };
    assert_eq!(build(Instrument::share(0, "X"), none), Some(SetupError::Limit));
}
