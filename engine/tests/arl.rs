//! A recorded day and our orders in it: ARL on 2025-07-17, whose messages are real.

mod support;

use engine::pipeline::market_source::Market;
use engine::pipeline::simulation::OURS;
use market::{
    Command, Instrument, InstrumentId, OrderId, Price, Qty, Report, ReportKind, Side, TimeInForce,
    Timestamp,
};
use sim::{AccountId, Output, Run};
use std::path::Path;

const ARL: &str = "derived/ARL_20250717.derived.itch50.gz";
const CASES: &str = include_str!("../../sim/tests/fixtures/arl_overlay_cases.tsv");

fn instrument() -> Instrument {
    Instrument {
        // As narrow as the day; the overlay wants every value computable.
        price_bounds: (Price::from_raw(10_000_000), Price::from_raw(1_000_000_000_000)),
        ..Instrument::share(0, "ARL")
    }
}

#[derive(Default)]
struct Fills(Vec<Report>);

impl Output for Fills {
    fn report(&mut self, account: AccountId, report: Report) {
        if account == OURS && report.kind() == Some(ReportKind::Filled) {
            self.0.push(report);
        }
    }
    fn event(&mut self, _: market::Event) {}
}

/// One order of the table.
struct Row<'a> {
    after: u64,
    until: u64,
    command: Command,
    fills: &'a str,
}

impl Row<'_> {
    fn parse(index: usize, line: &'static str) -> (&'static str, Row<'static>) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [case, after, until, side, price, qty, tif, fills, ..] = columns[..] else {
            panic!("columns of {line:?}");
        };
        let side = if side == "buy" { Side::Buy } else { Side::Sell };
        let tif = if tif == "ioc" { TimeInForce::ImmediateOrCancel } else { TimeInForce::Day };
        let qty = Qty::from_raw(qty.parse().unwrap());
        let id = OrderId(index as u64 * 2 + 1);
        let command = Command::new(id, InstrumentId(0), side, price.parse().unwrap(), qty);
        let command = command.with_time_in_force(tif);
        let row =
            Row { after: after.parse().unwrap(), until: until.parse().unwrap(), command, fills };
        (case, row)
    }
}

/// Runs the orders of one case through a fresh overlay; gives each order's fills as the table
/// writes them.
fn run(path: &Path, rows: &[Row<'_>]) -> Vec<String> {
    let market = Market::recorded(vec![instrument()], path, Timestamp::ZERO, Run::default());
    let mut market = market.unwrap();
    let mut fills: Vec<Vec<String>> = vec![Vec::new(); rows.len()];
    let mut out = Fills::default();
    let mut now = Timestamp::ZERO;
    let last = rows.iter().map(|row| row.until).max().unwrap();
    for message in 1..=last {
        now = market.next_time().unwrap().max(now);
        market.step(&mut out);
        for row in rows.iter().filter(|row| row.after == message) {
            market.venue().command(OURS, &row.command, now, &mut out);
        }
        for report in out.0.drain(..) {
            let order = rows.iter().position(|row| row.command.id == report.order).unwrap();
            let text = format!("{message}:{}@{:.2}", report.qty.raw(), report.price.to_decimal());
            fills[order].push(text);
        }
        for row in rows.iter().filter(|row| row.until == message) {
            let id = OrderId(row.command.id.0 + 1);
            let cancel = Command::cancel(id, row.command.id, InstrumentId(0), Side::Buy);
            market.venue().command(OURS, &cancel, now, &mut out);
        }
    }
    fills.into_iter().map(|fills| fills.join(";")).collect()
}

#[test]
fn our_orders_get_what_the_hand_worked_table_says() {
    let Some(path) = support::data(ARL) else { return };
    let lines = CASES.lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut cases: Vec<(&str, Vec<Row<'_>>)> = Vec::new();
    for (index, line) in lines.enumerate() {
        let (case, row) = Row::parse(index, line);
        match cases.last_mut() {
            Some((name, rows)) if *name == case => rows.push(row),
            _ => cases.push((case, vec![row])),
        }
    }
    assert_eq!(cases.iter().map(|(_, rows)| rows.len()).sum::<usize>(), 24);
    for (case, rows) in &cases {
        let expected: Vec<&str> = rows.iter().map(|row| row.fills).collect();
        assert_eq!(run(&path, rows), expected, "case {case}");
    }
}
