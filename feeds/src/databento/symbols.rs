//! Which symbol a number of Databento means at a time: by the metadata's mappings, by mappings that
//! come in between, and by definitions. Numbers are given anew to other instruments over the years.

use dbn::{Metadata, SType};
use std::collections::HashMap;

/// Most mappings that are kept: all options of a year have fewer.
const MAX: usize = 1 << 21;

/// A symbol, and from when to when (nanoseconds, end excluded) a number means it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Meaning {
    from: u64,
    until: u64,
    symbol: String,
}

/// What a number means, and for how long that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meant {
    pub(super) symbol: Option<String>,
    pub(super) from: u64,
    pub(super) until: u64,
}

/// What a mapping changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// Nothing: it was known, or says nothing.
    Nothing,
    /// The number had no meaning.
    New,
    /// The number meant something else.
    Other,
    /// There is no room for it.
    NoRoom,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbols {
    /// By number; each list in order of `from`.
    meanings: HashMap<u32, Vec<Meaning>>,
    count: usize,
}

impl Symbols {
    /// The mappings of metadata; false if some could not be understood.
    pub(super) fn read(&mut self, metadata: &Metadata) -> bool {
        let inverse = match (metadata.stype_in, metadata.stype_out) {
            (_, SType::InstrumentId) => false,
            (Some(SType::InstrumentId), _) => true,
            _ => return metadata.mappings.is_empty(),
        };
        let mut understood = true;
        let nanos = |date: dbn::MappingInterval| {
            let day = |date: i64| u64::try_from(date).unwrap_or(0).saturating_mul(1_000_000_000);
            let from = day(date.start_date.midnight().assume_utc().unix_timestamp());
            (from, day(date.end_date.midnight().assume_utc().unix_timestamp()), date.symbol)
        };
        for mapping in &metadata.mappings {
            for interval in mapping.intervals.iter().filter(|one| !one.symbol.is_empty()) {
                let (from, until, symbol) = nanos(interval.clone());
                let (number, symbol) = match inverse {
                    true => (&mapping.raw_symbol, &symbol),
                    false => (&symbol, &mapping.raw_symbol),
                };
                match number.parse() {
                    Ok(number) => understood &= self.push(number, from, until, symbol),
                    Err(_) => understood = false,
                }
            }
        }
        self.meanings.values_mut().for_each(|list| list.sort_by_key(|meaning| meaning.from));
        understood
    }

    fn push(&mut self, number: u32, from: u64, until: u64, symbol: &str) -> bool {
        let room = self.count < MAX;
        if room && from < until {
            let symbol = symbol.to_owned();
            self.meanings.entry(number).or_default().push(Meaning { from, until, symbol });
            self.count += 1;
        }
        room
    }

    /// A number means this symbol from one time to another.
    pub(super) fn learn(&mut self, number: u32, from: u64, until: u64, symbol: &str) -> Learned {
        let known = self.meaning(number, from);
        if symbol.is_empty() || from >= until || known.is_some_and(|known| known.symbol == symbol) {
            return Learned::Nothing;
        }
        let learned = if known.is_some() { Learned::Other } else { Learned::New };
        if !self.push(number, from, until, symbol) {
            return Learned::NoRoom;
        }
        if let Some(list) = self.meanings.get_mut(&number) {
            let new = list.pop();
            let at = list.partition_point(|meaning| meaning.from <= from);
            list.splice(at..at, new);
        }
        learned
    }

    fn meaning(&self, number: u32, time: u64) -> Option<&Meaning> {
        let list = self.meanings.get(&number)?;
        let at = list.partition_point(|meaning| meaning.from <= time).checked_sub(1)?;
        list.get(at).filter(|meaning| time < meaning.until)
    }

    /// What a number means at a time.
    pub(super) fn meant(&self, number: u32, time: u64) -> Meant {
        let list = self.meanings.get(&number).map_or(&[][..], Vec::as_slice);
        let behind = list.partition_point(|meaning| meaning.from <= time);
        let next = list.get(behind).map_or(u64::MAX, |next| next.from);
        match behind.checked_sub(1).and_then(|at| list.get(at)) {
            Some(meaning) if time < meaning.until => Meant {
                symbol: Some(meaning.symbol.clone()),
                from: meaning.from,
                until: meaning.until.min(next),
            },
            before => {
                let from = before.map_or(0, |before| before.until);
                Meant { symbol: None, from, until: next }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_what_it_meant_at_the_time() {
        let mut symbols = Symbols::default();
        assert_eq!(symbols.learn(7, 10, 20, "A"), Learned::New);
        assert_eq!(symbols.learn(7, 30, u64::MAX, "B"), Learned::New);
        assert_eq!(symbols.learn(7, 40, u64::MAX, "B"), Learned::Nothing);
        assert_eq!(symbols.learn(7, 15, 18, "C"), Learned::Other);
        assert_eq!(symbols.learn(7, 9, 9, "D"), Learned::Nothing);
        let meant = |time| {
            let Meant { symbol, from, until } = symbols.meant(7, time);
            (symbol.unwrap_or_default(), from, until)
        };
        assert_eq!(meant(9), (String::new(), 0, 10));
        assert_eq!(meant(10), ("A".to_owned(), 10, 15));
        assert_eq!(meant(15), ("C".to_owned(), 15, 18));
        assert_eq!(meant(29), (String::new(), 18, 30));
        assert_eq!(meant(41), ("B".to_owned(), 30, u64::MAX));
        assert_eq!(symbols.meant(8, 1), Meant { symbol: None, from: 0, until: u64::MAX });
    }
}
