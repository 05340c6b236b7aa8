//! An order session and a drop copy tell the same trades: however they interleave, each counts
//! once, and nothing looks like a contradiction.

use engine::trading::Account;
use engine::trading::account::Effect;
use market::{
    Command, ExecId, Instrument, InstrumentId, OrderId, Price, Qty, Report, ReportKind, Side,
    Timestamp,
};
use proptest::prelude::*;

const ID: InstrumentId = InstrumentId(0);
const NOW: Timestamp = Timestamp::from_nanos(1_000);

fn price(cents: i64) -> Price {
    Price::from_raw(cents * 10_000_000)
}

/// One order's life as the order session tells it: taken in, traded in three parts, the last of
/// them under the id of a replace.
fn life(side: Side, first: u64) -> (Vec<Command>, Vec<Report>) {
    let (order, replaced) = (OrderId(first), OrderId(first + 1));
    let commands = vec![
        Command::new(order, ID, side, price(2_500), Qty::from_raw(90)),
        Command::replace(replaced, order, ID, side, price(2_501), Qty::from_raw(60)),
    ];
    let report = |kind, order, leaves: i64, cum: i64| {
        let mut report = Report::new(kind, order, ID).with_side(side);
        (report.leaves_qty, report.cum_qty) = (Qty::from_raw(leaves), Qty::from_raw(cum));
        report
    };
    let fill = |order, leaves: i64, cum: i64, qty: i64, exec: u64| {
        let mut report = report(ReportKind::Filled, order, leaves, cum);
        (report.price, report.qty) = (price(2_500), Qty::from_raw(qty));
        report.exec = ExecId([first, exec]);
        report
    };
    let mut replace = report(ReportKind::Replaced, replaced, 30, 30);
    (replace.target, replace.price, replace.qty) = (order, price(2_501), Qty::from_raw(60));
    let told = vec![
        report(ReportKind::Accepted, order, 90, 0),
        report(ReportKind::Status, order, 90, 0),
        fill(order, 70, 20, 20, 1),
        fill(order, 60, 30, 10, 2),
        replace,
        fill(replaced, 0, 60, 30, 3),
    ];
    (commands, told)
}

fn account() -> Account {
    Account::new(vec![Instrument::share(0, "TLA")], 64, 64)
}

proptest! {
    #[test]
    fn each_trade_counts_once(copy_first in proptest::collection::vec(any::<bool>(), 40)) {
        let lives = [life(Side::Buy, 10), life(Side::Sell, 20)];
        let (mut alone, mut both) = (account(), account());
        // A replace leaves once its order was taken in.
        for (commands, told) in &lives {
            for account in [&mut alone, &mut both] {
                account.on_command(&commands[0], NOW);
                account.on_report(&told[0], None, NOW);
                account.on_command(&commands[1], NOW);
            }
        }
        let told: Vec<Report> = lives.iter().flat_map(|life| life.1[1..].to_vec()).collect();
        let trades = told.iter().filter(|report| report.kind() == Some(ReportKind::Filled));
        let copies: Vec<Report> = trades.map(|report| report.by_drop_copy()).collect();
        for report in &told {
            let effect = alone.on_report(report, None, NOW);
            prop_assert!(!matches!(effect, Effect::Contradiction | Effect::Foreign), "{effect:?}");
        }
        let (mut told, mut copies) = (told.iter().peekable(), copies.iter().peekable());
        let (mut first, mut again) = (0, 0);
        for copy_first in copy_first {
            let next = if copy_first { copies.next() } else { told.next() };
            let Some(report) = next.or_else(|| told.next()).or_else(|| copies.next()) else { break };
            match both.on_report(report, None, NOW) {
                Effect::Filled { .. } => first += 1,
                Effect::Duplicate => again += 1,
                Effect::Contradiction | Effect::Foreign | Effect::Illegal => {
                    prop_assert!(false, "{report:?}");
                }
                _ => {}
            }
        }
        prop_assert_eq!((first, again), (6, 6), "{:?} {:?}", told.peek(), copies.peek());
        prop_assert_eq!(alone.position(ID), both.position(ID));
        prop_assert_eq!(both.position(ID).unwrap().net, 0);
        prop_assert_eq!(alone.reports(), both.reports(), "marks count the order session's");
        prop_assert_eq!(both.orders().all_open().count(), 0);
    }
}
