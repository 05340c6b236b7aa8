//! Positions and profit by instrument, and their totals by settlement currency.

use super::grouped;
use crate::trading::Account;
use market::{Contract, Instrument, Money, Position, Price};
use std::collections::BTreeMap;
use std::fmt;

/// A row: nine cells.
fn row(f: &mut fmt::Formatter<'_>, name: &str, cells: [&str; 7]) -> fmt::Result {
    let [fills, position, realised, marked, fees, spread, total] = cells;
    writeln!(
        f,
        "{name:<11} {fills:>7} {position:>11} {realised:>13} {marked:>12} {fees:>11} {spread:>13} \
         {total:>14}"
    )
}

/// Amounts of one currency.
#[derive(Default)]
struct Sum {
    digits: u32,
    fills: u64,
    amounts: [Money; 5],
    /// Instruments held without a price to mark them at.
    unmarked: usize,
}

/// Money in the settlement currency: cents where it is what prices are in, else finer.
fn digits(instrument: &Instrument) -> u32 {
    match instrument.contract {
        Contract::Linear { .. } => 2,
        Contract::Inverse { .. } => 8,
    }
}

fn shown(money: Money, digits: u32) -> String {
    grouped(money.to_decimal(digits))
}

/// Writes the table.
pub(super) fn table(
    f: &mut fmt::Formatter<'_>,
    account: &Account,
    marks: &[Option<Price>],
) -> fmt::Result {
    let titles = ["fills", "position", "realised", "marked", "fees", "spread gain", "total"];
    row(f, "instrument", titles)?;
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    for (instrument, position) in account.instruments().iter().zip(account.positions()) {
        let mark = marks.get(instrument.id.index()).copied().flatten();
        let sum = sums.entry(instrument.settlement()).or_default();
        instrument_row(f, instrument, position, mark, sum)?;
    }
    for (currency, sum) in &sums {
        let [realised, marked, fees, spread, total] =
            sum.amounts.map(|amount| shown(amount, sum.digits));
        let fills = grouped(sum.fills);
        row(f, currency, [&fills, "", &realised, &marked, &fees, &spread, &total])?;
        if sum.unmarked > 0 {
            let what = match sum.unmarked {
                1 => "1 position that has".to_owned(),
                count => format!("{count} positions that have"),
            };
            writeln!(f, "{:<11} without {what} no price to mark at", "")?;
        }
    }
    Ok(())
}

fn instrument_row(
    f: &mut fmt::Formatter<'_>,
    instrument: &Instrument,
    position: &Position,
    mark: Option<Price>,
    sum: &mut Sum,
) -> fmt::Result {
    let digits = digits(instrument);
    // A flat position is worth nothing at any price.
    let mark = mark.or((position.net == 0).then_some(Price::ONE));
    let worth = mark.and_then(|mark| {
        Some((position.marked(instrument, mark)?, position.total(instrument, mark)?))
    });
    let (marked, total) = worth.unwrap_or_default();
    sum.digits = sum.digits.max(digits);
    sum.fills += position.fills;
    sum.unmarked += usize::from(worth.is_none());
    let amounts = [position.realised, marked, position.fees, position.spread_captured, total];
    for (slot, amount) in sum.amounts.iter_mut().zip(amounts) {
        *slot += amount;
    }
    let or_none = |amount: Money| match worth {
        Some(_) => shown(amount, digits),
        None => "no mark".to_owned(),
    };
    let net = market::Qty::from_raw(position.net).to_decimal(instrument.qty_digits);
    row(
        f,
        &instrument.symbol,
        [
            &grouped(position.fills),
            &grouped(net),
            &shown(position.realised, digits),
            &or_none(marked),
            &shown(position.fees, digits),
            &shown(position.spread_captured, digits),
            &or_none(total),
        ],
    )
}
