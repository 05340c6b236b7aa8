//! Trading hours: risk refuses new orders out of them, and what rests at their end is taken off.

use engine::config::RunConfig;
use engine::pipeline::assembly::{self, LoopMode};
use engine::trading::{OpeningState, TradingLoop};
use market::{
    Command, CommandKind, Event, EventFlags, EventKind, ExecId, InstrumentId, Nanos, OrderId,
    Price, Qty, Report, ReportKind, Side, Timestamp,
};
use std::collections::BTreeSet;

/// When quotes are in the market.
const BEGIN: Timestamp = Timestamp::from_nanos(1_750_000_000_000_000_000);
const ID: InstrumentId = InstrumentId(0);

fn looped(close: Nanos) -> TradingLoop {
    let config = RunConfig::demo(&BTreeSet::from([0])).unwrap();
    let mode = LoopMode::of_run(&config);
    let mut settings = assembly::trading_settings(&config.trading, mode).unwrap();
    settings.instruments[0].hours.close = close;
    let opening = OpeningState { epoch: 1, ..OpeningState::default() };
    TradingLoop::new(settings, &opening)
}

/// The loop with two quotes in the market, at a venue that has accepted them.
fn quoting(close: Nanos) -> TradingLoop {
    let mut trading = looped(close);
    let mut sent = Vec::new();
    trading.on_start(BEGIN, &mut |_: &Command| true);
    let up = Report::new(ReportKind::SessionUp, OrderId::NONE, Event::ALL);
    trading.on_report(BEGIN, &up, &mut |command: &Command| {
        sent.push(*command);
        true
    });
    let asked = sent.iter().find(|command| command.kind() == Some(CommandKind::MassStatus));
    let told = Report::new(ReportKind::StatusDone, asked.unwrap().id, Event::ALL);
    trading.on_report(BEGIN, &told, &mut |_: &Command| true);
    let quote = |order, side, price| Event {
        order,
        price: Price::from_raw(price),
        qty: Qty::from_raw(1_000),
        ..Event::new(EventKind::Add, ID).with_side(Some(side))
    };
    let mut packet = [
        Event::new(EventKind::Clear, ID),
        quote(1, Side::Buy, 24_900_000_000),
        quote(2, Side::Sell, 25_100_000_000),
        Event::new(EventKind::Recovered, ID),
    ];
    packet[3].flags = packet[3].flags.with(EventFlags::LAST);
    sent.clear();
    trading.on_packet(BEGIN, &packet, &mut |command: &Command| {
        sent.push(*command);
        true
    });
    assert_eq!(sent.iter().map(Command::kind).collect::<Vec<_>>(), [Some(CommandKind::New); 2]);
    for (exec, order) in (1..).zip(&sent) {
        let mut report =
            Report::new(ReportKind::Accepted, order.id, ID).with_side(order.side().unwrap());
        (report.price, report.qty, report.leaves_qty) = (order.price, order.qty, order.qty);
        report.exec = ExecId([1, exec]);
        trading.on_report(BEGIN, &report, &mut |_: &Command| true);
    }
    trading
}

/// What the loop sends in the next two seconds on its own.
fn later(trading: &mut TradingLoop) -> Vec<CommandKind> {
    let mut kinds = Vec::new();
    for step in 1..=40 {
        let now = BEGIN.after(Nanos::from_millis(50 * step));
        trading.on_timers(now, &mut |command: &Command| {
            kinds.extend(command.kind());
            true
        });
    }
    kinds
}

#[test]
fn what_rests_at_the_close_is_taken_off() {
    let close = BEGIN.after(Nanos::SECOND).time_of_day();
    let kinds = later(&mut quoting(close));
    assert!(
        kinds.contains(&CommandKind::MassCancel) && kinds.contains(&CommandKind::Cancel),
        "{kinds:?}"
    );
    assert!(!kinds.contains(&CommandKind::New), "{kinds:?}");
    // An instrument that is always open goes on resting.
    let kinds = later(&mut quoting(Nanos::ZERO));
    let canceled = [CommandKind::MassCancel, CommandKind::Cancel];
    assert!(!kinds.iter().any(|kind| canceled.contains(kind)), "{kinds:?}");
}
