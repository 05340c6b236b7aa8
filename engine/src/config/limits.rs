//! Risk limits of the session and of each instrument, in the instrument's own units.
//!
//! `[risk]` holds for every instrument and `[risk.instrument.SYMBOL]` overrides it key by key. No
//! limit has a default.

use super::document::Document;
use super::instruments::Listing;
use super::key::{Section, Table};
use super::problem::{Place, Problem, Problems, shorten};
use super::reader::Reader;
use super::sections::{InstrumentLimits, SessionLimits};
use super::suggest::nearest;
use market::{Instrument, Money, Qty};
use rust_decimal::Decimal;
use std::ops::Range;
use toml::de::DeTable;

/// The sections read here.
pub(crate) const TABLES: [Table; 2] = [InstrumentLimits::TABLE, SessionLimits::TABLE];

pub use crate::trading::risk::Limits;

/// The limits of the session and of each instrument.
pub(crate) fn read_all(
    document: &Document<'_>,
    listing: &Listing,
    problems: &mut Problems,
) -> Option<(SessionLimits, Vec<Limits>)> {
    let (span, table) = document.table("risk", problems);
    let title = "[risk]".to_owned();
    let mut reader = Reader::new(title, document.source, span, table, problems);
    reader.allow("instrument");
    let common: Option<InstrumentLimits> = reader.section();
    let session: Option<SessionLimits> = reader.section();
    reader.finish(&TABLES);
    let overrides = read_overrides(document, listing, table, problems);
    let mut limits = Vec::new();
    for listed in &listing.listed {
        let symbol = listed.instrument.symbol.as_str();
        let own = overrides.iter().find(|own| own.symbol == symbol);
        // `[risk]` alone, or `[risk.instrument.X]` over it.
        let (title, span, table, fallback) = match own {
            Some(own) => (own.title(), own.span.clone(), Some(own.table), table),
            None => ("[risk]".to_owned(), document.place("risk", "").span, table, None),
        };
        let read = own.map_or_else(|| common.clone(), |own| own.limits.clone());
        let mut reader =
            Reader::new(title, document.source, span, table, problems).with_fallback(fallback);
        if let Some(read) = read {
            limits.extend(in_units(&listed.instrument, &read, &mut reader));
        }
    }
    Some((session?, limits)).filter(|(_, limits)| limits.len() == listing.listed.len())
}

/// One `[risk.instrument.SYMBOL]`.
struct Override<'a> {
    symbol: &'a str,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    limits: Option<InstrumentLimits>,
}

impl Override<'_> {
    fn title(&self) -> String {
        format!("[risk.instrument.{}]", self.symbol)
    }
}

fn read_overrides<'a>(
    document: &'a Document<'_>,
    listing: &Listing,
    risk: Option<&'a DeTable<'a>>,
    problems: &mut Problems,
) -> Vec<Override<'a>> {
    let symbols: Vec<_> = listing.listed.iter().map(|l| l.instrument.symbol.as_str()).collect();
    let mut overrides = Vec::new();
    let entries = risk.and_then(|table| table.get("instrument"));
    for (name, value) in entries.and_then(|value| value.get_ref().as_table()).into_iter().flatten()
    {
        let symbol = name.get_ref().as_ref();
        let place = Place { source: document.source, span: name.span() };
        let title = format!("[risk.instrument.{}]", shorten(symbol));
        let Some(table) = value.get_ref().as_table() else {
            let problem = Problem::new(place, format!("{title} must be a table"), "found a value");
            problems.push(problem.help(format!("write the header {title} and its limits below")));
            continue;
        };
        if !symbols.contains(&symbol) && !listing.incomplete {
            let help = match nearest(symbol, &symbols) {
                Some(near) => format!("did you mean {near}?"),
                None => "limits of an instrument that this run does not have: remove it".to_owned(),
            };
            let title = format!("{title} names no instrument");
            problems.push(Problem::new(place, title, "unknown").help(help));
        }
        let mut reader = Reader::new(title, document.source, value.span(), Some(table), problems)
            .with_fallback(risk);
        let limits = reader.section();
        reader.finish_override(&[InstrumentLimits::TABLE]);
        overrides.push(Override { symbol, span: value.span(), table, limits });
    }
    overrides
}

/// Limits in the instrument's units, where each allows at least one order.
fn in_units(i: &Instrument, limits: &InstrumentLimits, r: &mut Reader<'_, '_>) -> Option<Limits> {
    let (symbol, min) = (&i.symbol, i.qty_bounds.0);
    let mut quantity = |name: &str, value: Decimal| {
        let qty = Qty::from_decimal(value, i.qty_digits);
        match qty {
            Ok(qty) if qty.raw() % i.lot.raw() != 0 => {
                let help = format!("the lot of {symbol} is {}", i.lot.to_decimal(i.qty_digits));
                r.refuse(name, &format!("is not a multiple of the lot of {symbol}"), help);
                None
            }
            Ok(qty) if qty < min => {
                let help =
                    format!("the smallest order of {symbol} is {}", min.to_decimal(i.qty_digits));
                r.refuse(name, &format!("allows no order in {symbol}"), help);
                None
            }
            Ok(qty) => Some(qty),
            Err(error) => {
                r.refuse(name, &format!("does not fit {symbol}: {error}"), "use fewer digits");
                None
            }
        }
    };
    let order_qty = quantity("max_order_qty", limits.max_order_qty);
    let position = quantity("max_position", limits.max_position);
    // Nine digits, as prices have, so that the canonical text is exact.
    let value = Money::from_decimal(limits.max_order_value).ok();
    let value = value.filter(|_| limits.max_order_value.normalize().scale() <= 9);
    if value.is_none() {
        r.refuse("max_order_value", "does not fit", "use at most 9 fractional digits");
    }
    Some(Limits {
        order_qty: order_qty?,
        order_value: value?,
        position: position?,
        collar_bps: limits.collar_bps,
        reference_age: limits.reference_age_ms,
    })
}

impl Limits {
    /// The table that would read as these limits.
    pub(crate) fn to_section(self, i: &Instrument) -> InstrumentLimits {
        InstrumentLimits {
            max_order_qty: self.order_qty.to_decimal(i.qty_digits),
            max_order_value: self.order_value.to_decimal(9),
            max_position: self.position.to_decimal(i.qty_digits),
            collar_bps: self.collar_bps,
            reference_age_ms: self.reference_age,
        }
    }
}
