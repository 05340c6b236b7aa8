//! A recorded day of orders (Databento MBO of ARL, 17 July 2025) against the vendor's own ten best
//! levels (MBP-10). Skipped, aloud, where the recordings are not.
//!
//! MBP-10 writes a row only when the ten best change, and folds trade, fill and cancel into one
//! `T` row. So each row is compared with the book after the last order message of its sequence
//! that leads to it: the cancel half of a replace has a row of its own.

use super::*;
use std::io::Write;
use std::path::PathBuf;

const DAY: BookLimits = BookLimits { instruments: 1, orders: 4096, levels: 512 };

fn recording(name: &str) -> Option<String> {
    let folder = std::env::var_os("TOUCHLINE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
        PathBuf::from,
    );
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            let required = std::env::var("TOUCHLINE_REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|what| what == "data"), "{}: {error}", path.display());
            writeln!(std::io::stderr(), "skipped: {}: {error}", path.display()).unwrap();
            None
        }
    }
}

/// One row of the MBO file.
struct Row<'a> {
    action: &'a str,
    side: Option<Side>,
    price: Price,
    size: i64,
    order: u64,
    sequence: u64,
}

fn row(line: &str) -> Row<'_> {
    let fields: Vec<&str> = line.split(',').collect();
    let side = match fields[6] {
        "B" => Some(Side::Buy),
        "A" => Some(Side::Sell),
        _ => None,
    };
    Row {
        action: fields[5],
        side,
        price: fields[7].parse().unwrap_or_default(),
        size: fields[8].parse().unwrap(),
        order: fields[10].parse().unwrap(),
        sequence: fields[13].parse().unwrap(),
    }
}

/// The event of a row; fills and trades do not change the book. A cancel and an add of one
/// sequence are a replace.
fn order_event(
    row: &Row<'_>,
    before: Option<&Row<'_>>,
    after: Option<&Row<'_>>,
    open: i64,
) -> Option<Event> {
    let pairs = |other: Option<&Row<'_>>, action| {
        other.is_some_and(|other| other.action == action && other.sequence == row.sequence)
    };
    let base = Event {
        order: row.order,
        price: row.price,
        qty: Qty::from_raw(row.size),
        ..event(EventKind::Add, 0)
    };
    Some(match row.action {
        "R" => event(EventKind::Clear, 0),
        "A" if pairs(before, "C") => flagged(base, EventFlags::REPLACE),
        "A" => base.with_side(row.side),
        "C" if pairs(after, "A") => flagged(base.with_kind(EventKind::Delete), EventFlags::REPLACE),
        "C" if row.size == open => base.with_kind(EventKind::Delete),
        "C" => base.with_kind(EventKind::Reduce),
        "M" => base.with_kind(EventKind::Change),
        _ => return None,
    })
}

type Quote = Option<(Price, i64, u32)>;

/// The sequence, action and ten levels of one row of the MBP file, bid and ask in turn.
fn vendor_levels(line: &str) -> (u64, &str, Vec<Quote>) {
    let fields: Vec<&str> = line.split(',').collect();
    let levels = fields[14..74].chunks(3).map(|level| {
        let price = level[0].parse().ok()?;
        Some((price, level[1].parse().unwrap(), level[2].parse().unwrap()))
    });
    (fields[13].parse().unwrap(), fields[6], levels.collect())
}

fn our_levels(view: &dyn BookView) -> Vec<Quote> {
    let level = |depth, side| {
        view.level(side, depth).map(|level| (level.price, level.qty.raw(), level.orders))
    };
    (0..10).flat_map(|depth| Side::BOTH.map(|side| level(depth, side))).collect()
}

fn replay<B: Books>() {
    let (Some(orders), Some(levels)) =
        (recording("databento_csv/mbo.csv"), recording("databento_csv/mbp.csv"))
    else {
        return;
    };
    let rows: Vec<Row<'_>> = orders.lines().skip(1).map(row).collect();
    let mut vendor = levels.lines().skip(1).map(vendor_levels).peekable();
    let mut books = B::new(DAY);
    let mut open = std::collections::BTreeMap::new();
    let mut compared = 0;
    for (at, row) in rows.iter().enumerate() {
        let left = open.get(&row.order).copied().unwrap_or(0);
        let before = at.checked_sub(1).and_then(|at| rows.get(at));
        if let Some(event) = order_event(row, before, rows.get(at + 1), left) {
            open.insert(row.order, if row.action == "C" { left - row.size } else { row.size });
            must(&mut books, event);
        } else if rows[at..].iter().any(|r| r.sequence == row.sequence && r.action == "C") {
            // The cancel to come shows what this trade or fill did.
            continue;
        }
        let is_ours = |&(sequence, action, _): &(u64, &str, _)| {
            sequence == row.sequence && (action == row.action || action == "T")
        };
        if let Some((sequence, _, theirs)) = vendor.next_if(is_ours) {
            assert_eq!(our_levels(books.view(0)), theirs, "sequence {sequence}");
            compared += 1;
        }
    }
    assert_eq!(vendor.next(), None, "a vendor's row had no order message");
    assert_eq!(compared, levels.lines().count() - 1);
    assert_eq!(books.contradictions().total(), 0);
}

#[test]
fn a_recorded_day_equals_the_vendors_levels() {
    replay::<by_order::OrderBooks>();
    replay::<twin::OrderBooks>();
}
