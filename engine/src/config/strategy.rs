//! Strategy instances: what each quotes, with parameters that its own table allows.
//!
//! A parameter is a float here because strategies compute in floats; no price or quantity of an
//! order ever comes from this file.

use super::document::Document;
use super::instruments::{Listed, Listing};
use super::key::Section;
use super::problem::{Place, Problem, Problems, shorten};
use super::reader::{Reader, Value};
use super::sections::StrategySection;
use super::suggest::nearest;
use market::InstrumentId;
use std::ops::Range;
use strategies::{ParameterError, Parameters};
use toml::de::{DeTable, DeValue};

/// One strategy instance.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategyConfig {
    /// Its name in the table of strategies.
    pub name: String,
    /// What it quotes.
    pub instruments: Vec<InstrumentId>,
    /// Every parameter, defaults filled in.
    pub parameters: Parameters,
}

/// What the command line chooses among the strategies of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice<'c> {
    /// Only the strategy of this name, whether enabled or not.
    pub(crate) only: Option<&'c str>,
    /// On every instrument, whatever the file names.
    pub(crate) everywhere: bool,
}

/// Names of the strategies there are.
fn names() -> Vec<&'static str> {
    strategies::STRATEGIES.iter().map(|spec| spec.name).collect()
}

/// Reads every `[[strategy]]`; gives those that will run.
pub(crate) fn read_all(
    document: &Document<'_>,
    listing: &Listing,
    choice: Choice<'_>,
    problems: &mut Problems,
) -> Vec<StrategyConfig> {
    let mut quoted: Vec<(InstrumentId, Place)> = Vec::new();
    let mut running = Vec::new();
    let mut any = false;
    for (span, table) in document.tables("strategy", problems) {
        let title = "[[strategy]]".to_owned();
        let mut reader = Reader::new(title, document.source, span, Some(table), problems);
        reader.allow("parameters");
        let section: Option<StrategySection> = reader.section();
        let (name, list) = (reader.place_of("name"), reader.place_of("instruments"));
        reader.finish(&[StrategySection::TABLE]);
        let Some(section) = section else {
            any = true;
            continue;
        };
        let ids = match choice.everywhere {
            true => listing.listed.iter().map(|listed| listed.instrument.id).collect(),
            false => resolve(&section, listing, &list, problems),
        };
        let quotes: Vec<_> = ids.iter().filter_map(|id| listing.listed.get(id.index())).collect();
        let parameters =
            read_parameters(document, (&section.name, &name), &quotes, table, problems);
        if !choice.only.map_or(section.enabled, |only| only == section.name) {
            continue;
        }
        any = true;
        refuse_twice(&ids, listing, &list, &mut quoted, problems);
        if let Some(parameters) = parameters {
            running.push(StrategyConfig { name: section.name, instruments: ids, parameters });
        }
    }
    if !any {
        let title = match choice.only {
            Some(name) => format!("no [[strategy]] of name {}", shorten(name)),
            None => "no strategy that is enabled".to_owned(),
        };
        let help = format!("add one: the strategies are {}", names().join(", "));
        let place = document.place("strategy", "");
        problems.push(Problem::new(place, title, "nothing would quote").help(help));
    }
    running
}

/// Refuses an instrument that a strategy before this one quotes.
fn refuse_twice(
    ids: &[InstrumentId],
    listing: &Listing,
    list: &Place,
    quoted: &mut Vec<(InstrumentId, Place)>,
    problems: &mut Problems,
) {
    for id in ids {
        if let Some((_, first)) = quoted.iter().find(|(other, _)| other == id) {
            let symbol = listing.listed.get(id.index()).map(|l| l.instrument.symbol.as_str());
            let title = format!("{} is quoted twice", symbol.unwrap_or("an instrument"));
            problems.push(
                Problem::new(list.clone(), title, "again here")
                    .also(first, "first here")
                    .help("an instrument is quoted by one strategy: remove it from one list"),
            );
        }
        quoted.push((*id, list.clone()));
    }
}

/// The ids of a strategy's symbols.
fn resolve(
    section: &StrategySection,
    listing: &Listing,
    place: &Place,
    problems: &mut Problems,
) -> Vec<InstrumentId> {
    let symbols: Vec<_> = listing.listed.iter().map(|l| l.instrument.symbol.as_str()).collect();
    let mut ids = Vec::new();
    for symbol in &section.instruments {
        let known = listing.listed.iter().find(|listed| listed.instrument.symbol == *symbol);
        match known {
            Some(listed) => ids.push(listed.instrument.id),
            None if listing.incomplete => {}
            None => {
                let title = format!("no instrument {}", shorten(symbol));
                let help = match nearest(symbol, &symbols) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => "define it in the files named in `instruments`".to_owned(),
                };
                problems.push(Problem::new(place.clone(), title, "named here").help(help));
            }
        }
    }
    if section.instruments.is_empty() {
        let title = format!("strategy {} has no instruments", section.name);
        problems.push(Problem::new(place.clone(), title, "empty").help("name what it quotes"));
    }
    ids
}

/// The parameters of `[strategy.parameters]`, judged by the strategy's own table and by what it is to
/// quote.
fn read_parameters(
    document: &Document<'_>,
    (name, name_place): (&str, &Place),
    quotes: &[&Listed],
    table: &DeTable<'_>,
    problems: &mut Problems,
) -> Option<Parameters> {
    let Some(spec) = strategies::find(name) else {
        let names = names();
        let help = match nearest(name, &names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the strategies are {}", names.join(", ")),
        };
        let title = format!("no strategy {}", shorten(name));
        problems.push(Problem::new(name_place.clone(), title, "unknown").help(help));
        return None;
    };
    let place = |span: Range<usize>| Place { source: document.source, span };
    let entries = table.get("parameters");
    let header = entries.map_or_else(|| name_place.clone(), |value| place(value.span()));
    let mut refuse = |at: Option<&Value<'_>>, title: String, help: String| {
        let place = at.map_or_else(|| header.clone(), |value| place(value.span()));
        let label = match at {
            Some(value) if !value.get_ref().is_table() => {
                format!("found {}", problems.found(&place))
            }
            _ => "this strategy".to_owned(),
        };
        problems.push(Problem::new(place, title, label).help(help));
    };
    let mut given = Vec::new();
    let mut whole = true;
    let own = entries.map(|value| (value, value.get_ref().as_table()));
    if let Some((value, None)) = own {
        let help = "write [strategy.parameters] and one key a line".to_owned();
        refuse(Some(value), "[strategy.parameters] must be a table".to_owned(), help);
        return None;
    }
    let own = own.and_then(|(_, own)| own);
    for (key, value) in own.into_iter().flatten() {
        match float(value) {
            Some(number) => given.push((key.get_ref().as_ref(), number)),
            None => {
                whole = false;
                let title = format!("[strategy.parameters] {} must be a number", key.get_ref());
                refuse(Some(value), title, "write a plain decimal number".to_owned());
            }
        }
    }
    let checked = Parameters::new(spec.parameters, &given).and_then(|parameters| {
        let strategy = (spec.build)(&parameters).map_err(|error| vec![error])?;
        let unfit = quotes.iter().find_map(|listed| strategy.fits(&listed.instrument).err());
        unfit.map_or(Ok(parameters), |error| Err(vec![error]))
    });
    let errors = match checked {
        Ok(parameters) => return whole.then_some(parameters),
        Err(errors) => errors,
    };
    let keys: Vec<_> = spec.parameters.iter().map(|spec| spec.key).collect();
    for error in errors {
        let (key, help) = match &error {
            ParameterError::Unknown { key, .. } => {
                let near = nearest(key, &keys).map(|near| format!("did you mean `{near}`?"));
                (key.as_str(), near.unwrap_or_else(|| "remove it".to_owned()))
            }
            ParameterError::Twice { key } => (key.as_str(), "remove one of the two".to_owned()),
            ParameterError::OutOfRange { spec, .. } => (spec.key, spec.doc.to_owned()),
            // It is given, but is no number: that has been said.
            ParameterError::Missing { spec } if own.is_some_and(|t| t.contains_key(spec.key)) => {
                continue;
            }
            ParameterError::Missing { spec } => {
                ("", format!("add `{} = …` below [strategy.parameters]", spec.key))
            }
            ParameterError::Conflict { .. } => ("", "change one of the two".to_owned()),
            ParameterError::TooSmall { key, smallest, .. } => {
                (*key, format!("it would quote nothing there: give at least {smallest}"))
            }
        };
        let value = own.and_then(|table| table.get(key));
        refuse(value, format!("[strategy.parameters] of {name}: {error}"), help);
    }
    None
}

/// The float that a number of the file means.
fn float(value: &Value<'_>) -> Option<f64> {
    let text = match value.get_ref() {
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
        DeValue::Float(float) => float.as_str(),
        _ => return None,
    };
    text.parse().ok()
}
