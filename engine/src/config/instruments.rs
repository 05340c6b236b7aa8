//! Instruments from `[[instrument]]` tables, in the file itself or in files it names.
//!
//! Nothing is guessed: a table that lacks a key is refused with the names of all it lacks, and
//! steps that do not agree with each other are refused too.

use super::choice::{ContractKind, Kind};
use super::document::{Document, Files, read_text};
use super::key::{Section, Table};
use super::problem::{Place, Problem, Problems, shorten};
use super::reader::Reader;
use super::special::TimeOfDay;
use super::venue::InstrumentSection;
use market::instrument::Hours;
use market::{Contract, Fees, Instrument, InstrumentId, Nanos, Price, Qty, number};
use rust_decimal::Decimal;
use std::path::{Path, PathBuf};

/// An instrument of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What is traded; its id is its place in the list.
    pub instrument: Instrument,
    /// Price at which synthetic order flow begins.
    pub reference_price: Option<Price>,
}

/// Most instruments of a run.
const INSTRUMENTS_MAX: usize = 4_096;

/// The symbols of a run with where each was defined.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) listed: Vec<Listed>,
    pub(crate) places: Vec<Place>,
    /// An instrument or a file was refused, so a symbol that is not here may be in it.
    pub(crate) incomplete: bool,
}

/// Reads the files named in `paths`, relative to `folder`.
pub(crate) fn read_files(
    document: &Document<'_>,
    folder: &Path,
    paths: &[PathBuf],
    files: Files<'_>,
    listing: &mut Listing,
    problems: &mut Problems,
) {
    for path in paths {
        let blame = Some(document.place("instruments", ""));
        let text = read_text(&folder.join(path), files, blame, problems);
        let list =
            text.as_ref().and_then(|(source, text)| Document::parse(*source, text, problems));
        let Some(list) = list else {
            listing.incomplete = true;
            continue;
        };
        match super::load::expect(Kind::Instruments, &list, problems) {
            true => read_tables(&list, listing, problems),
            false => listing.incomplete = true,
        }
    }
}

/// Refuses a run of no instruments, or of too many.
pub(crate) fn refuse_none(document: &Document<'_>, listing: &mut Listing, problems: &mut Problems) {
    let place = document.place("instruments", "");
    if listing.listed.is_empty() && !listing.incomplete {
        listing.incomplete = true;
        let help =
            "name files in `instruments = [\"instruments/demo.toml\"]` or add [[instrument]]";
        problems.push(Problem::new(place, "no instruments", "none named").help(help));
    } else if listing.listed.len() > INSTRUMENTS_MAX {
        let title = format!("more than {INSTRUMENTS_MAX} instruments");
        let label = format!("found {}", listing.listed.len());
        problems.push(Problem::new(place, title, label).help("split the run"));
    }
}

/// Reads the `[[instrument]]` tables of one file.
pub(crate) fn read_tables(document: &Document<'_>, listing: &mut Listing, problems: &mut Problems) {
    for (span, table) in document.tables("instrument", problems) {
        let symbol = table.get("symbol").and_then(|value| value.get_ref().as_str());
        let title = format!("[[instrument]] {}", shorten(symbol.unwrap_or_default()));
        let title = title.trim_end().to_owned();
        let mut reader = Reader::new(title, document.source, span, Some(table), problems);
        let section: Option<InstrumentSection> = reader.section();
        let id = InstrumentId(u32::try_from(listing.listed.len()).unwrap_or(u32::MAX));
        let listed = section.and_then(|section| convert(id, &section, &mut reader));
        let place = reader.place_of("symbol");
        reader.finish(&[InstrumentSection::TABLE]);
        let Some(listed) = listed else {
            listing.incomplete = true;
            continue;
        };
        let symbol = &listed.instrument.symbol;
        let twin = listing.listed.iter().position(|other| other.instrument.symbol == *symbol);
        match twin.and_then(|at| listing.places.get(at)) {
            Some(first) => problems.push(
                Problem::new(place, format!("instrument {symbol} is defined twice"), "again here")
                    .also(first, "first here")
                    .help("remove one of the two"),
            ),
            None => {
                listing.listed.push(listed);
                listing.places.push(place);
            }
        }
    }
}

/// The instrument of a table whose keys agree with each other.
fn convert(id: InstrumentId, s: &InstrumentSection, r: &mut Reader<'_, '_>) -> Option<Listed> {
    let digits = s.qty_digits;
    let lot = quantity(r, "lot", s.lot, digits);
    let price_min = s.price_min.unwrap_or(s.tick);
    on_grid(r, "price_min", price_min, s.tick);
    on_grid(r, "price_max", s.price_max, s.tick);
    if price_min > s.price_max {
        r.refuse("price_min", "is above price_max", "swap the two");
    }
    let qty_min = match s.qty_min {
        Some(min) => quantity(r, "qty_min", min, digits),
        None => lot,
    };
    let qty_max = quantity(r, "qty_max", s.qty_max, digits);
    if let (Some(lot), Some(min), Some(max)) = (lot, qty_min, qty_max) {
        for (name, qty) in [("qty_min", min), ("qty_max", max)] {
            if qty.raw() % lot.raw() != 0 {
                r.refuse(name, "is not a multiple of lot", format!("lot is {}", s.lot));
            }
        }
        if min > max {
            r.refuse("qty_min", "is above qty_max", "swap the two");
        }
    }
    if let Some(reference) = s.reference_price {
        on_grid(r, "reference_price", reference, s.tick);
        if reference < price_min || reference > s.price_max {
            r.refuse(
                "reference_price",
                "is out of bounds",
                "keep it within price_min and price_max",
            );
        }
    }
    if s.base == s.quote {
        r.refuse("quote", "is the same as base", "name the currency of the price");
    }
    let hours = hours(s, r)?;
    let multiplier = match number::decimal_to_scaled(s.multiplier, 9) {
        Ok(multiplier) => multiplier,
        Err(error) => {
            r.refuse("multiplier", &format!("does not fit: {error}"), "give at most 9 digits");
            return None;
        }
    };
    let instrument = Instrument {
        id,
        symbol: s.symbol.clone(),
        tick: s.tick,
        lot: lot?,
        qty_digits: digits,
        price_bounds: (price_min, s.price_max),
        qty_bounds: (qty_min?, qty_max?),
        contract: match s.contract {
            ContractKind::Linear => Contract::Linear { multiplier },
            ContractKind::Inverse => Contract::Inverse { multiplier },
        },
        base: s.base.clone(),
        quote: s.quote.clone(),
        fees: Fees { maker: s.maker_fee_bps, taker: s.taker_fee_bps },
        hours,
    };
    if instrument.value(s.price_max, qty_max?).is_none() {
        let help = "lower qty_max, price_max or multiplier";
        r.refuse("qty_max", "at price_max is worth more than any number here holds", help);
    }
    Some(Listed { instrument, reference_price: s.reference_price })
}

fn quantity(r: &mut Reader<'_, '_>, name: &str, value: Decimal, digits: u32) -> Option<Qty> {
    let qty = Qty::from_decimal(value, digits);
    if let Err(error) = &qty {
        r.refuse(name, &format!("does not fit qty_digits = {digits}: {error}"), "change either");
    }
    qty.ok()
}

fn on_grid(r: &mut Reader<'_, '_>, name: &str, price: Price, tick: Price) {
    // The tick is positive: its range says so.
    if price.raw() % tick.raw().max(1) != 0 {
        r.refuse(name, "is not a multiple of tick", format!("tick is {tick}"));
    }
}

fn hours(s: &InstrumentSection, r: &mut Reader<'_, '_>) -> Option<Hours> {
    match (s.open, s.close) {
        (None, None) => Some(Hours::default()),
        (Some(open), Some(close)) if open != close => Some(Hours { open: open.0, close: close.0 }),
        (Some(_), Some(_)) => {
            r.refuse("close", "is the same as open", "leave both out if it is always open");
            None
        }
        (open, _) => {
            let absent = if open.is_none() { "open" } else { "close" };
            r.refuse(absent, "is missing", "give both open and close, or neither");
            None
        }
    }
}

impl Listed {
    /// The table that would read as this instrument.
    pub(crate) fn to_section(&self) -> InstrumentSection {
        let i = &self.instrument;
        let (contract, multiplier) = match i.contract {
            Contract::Linear { multiplier } => (ContractKind::Linear, multiplier),
            Contract::Inverse { multiplier } => (ContractKind::Inverse, multiplier),
        };
        let always = i.hours.open == i.hours.close;
        let time = |time: Nanos| (!always).then_some(TimeOfDay(time));
        InstrumentSection {
            symbol: i.symbol.clone(),
            tick: i.tick,
            lot: i.lot.to_decimal(i.qty_digits),
            qty_digits: i.qty_digits,
            price_min: Some(i.price_bounds.0),
            price_max: i.price_bounds.1,
            qty_min: Some(i.qty_bounds.0.to_decimal(i.qty_digits)),
            qty_max: i.qty_bounds.1.to_decimal(i.qty_digits),
            contract,
            multiplier: number::scaled_to_decimal(multiplier, 9),
            base: i.base.clone(),
            quote: i.quote.clone(),
            maker_fee_bps: i.fees.maker,
            taker_fee_bps: i.fees.taker,
            open: time(i.hours.open),
            close: time(i.hours.close),
            reference_price: self.reference_price,
        }
    }
}

/// What ITCH 5.0 can carry: prices of four digits in 32 bits, whole shares, symbols of eight.
pub(crate) fn check_itch(listing: &Listing, problems: &mut Problems) {
    /// 4294967295 × 1e-4, the largest price of 32 bits.
    const PRICE_MAX: Price = Price::from_raw(429_496_729_500_000);
    for (listed, place) in listing.listed.iter().zip(&listing.places) {
        let i = &listed.instrument;
        let reasons = [
            (i.symbol.len() > 8, "the symbol is longer than 8 characters"),
            (i.tick.raw() % 100_000 != 0, "the tick is finer than 0.0001"),
            (i.price_bounds.1 > PRICE_MAX, "price_max is above 429496.7295"),
            (i.qty_digits != 0, "qty_digits is not 0: ITCH counts whole shares"),
            (i.qty_bounds.1.raw() > i64::from(u32::MAX), "qty_max is above 4294967295"),
        ];
        for (_, reason) in reasons.iter().filter(|(wrong, _)| *wrong) {
            let title = format!("instrument {} does not fit ITCH 5.0: {reason}", i.symbol);
            let help = "change the definition, or take it out of this run";
            problems.push(Problem::new(place.clone(), title, "this one").help(help));
        }
    }
}

/// Every table of an instruments file.
pub(crate) const TABLES: &[Table] = &[InstrumentSection::TABLE];
