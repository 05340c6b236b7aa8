//! Which symbol a number of Databento means at a time: by the metadata's mappings, by mappings that
//! come in between, and by definitions. Numbers are given anew to other instruments over the years.

use dbn::{Metadata, SType};
use std::collections::HashMap;

/// Most mappings that are kept: as many as there may be books, and more than metadata holds.
const MAX: usize = 1 << 18;
/// Most of one number: the days of many years.
const OF_NUMBER_MAX: usize = 1 << 12;
/// Most bytes of the symbols of all.
const TEXT_MAX: usize = 1 << 23;
/// The longest symbol that is kept; the vendor's have 70 bytes.
pub(super) const SYMBOL_MAX: usize = 128;

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
    /// Bytes of their symbols.
    text: usize,
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
        let list = self.meanings.get(&number).map_or(0, Vec::len);
        let room = self.count < MAX && list < OF_NUMBER_MAX && self.text < TEXT_MAX;
        let room = room && symbol.len() <= SYMBOL_MAX;
        if room && from < until {
            self.text += symbol.len();
            self.count += 1;
            let meaning = Meaning { from, until, symbol: symbol.to_owned() };
            // Most numbers mean one thing.
            let list = self.meanings.entry(number).or_insert_with(|| Vec::with_capacity(1));
            list.push(meaning);
        }
        room
    }

    /// A number means this symbol whenever it is asked for, whatever it meant before.
    pub(super) fn learn_anew(&mut self, number: u32, symbol: &str) -> Learned {
        let mut learned = Learned::New;
        if let Some(before) = self.meanings.remove(&number) {
            self.count -= before.len();
            self.text -= before.iter().map(|meaning| meaning.symbol.len()).sum::<usize>();
            learned = Learned::Other;
            if before.iter().all(|meaning| meaning.symbol == symbol) {
                learned = Learned::Nothing;
            }
        }
        if self.push(number, 0, u64::MAX, symbol) { learned } else { Learned::NoRoom }
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
        assert_eq!(symbols.learn_anew(7, "B"), Learned::Other);
        assert_eq!(symbols.learn_anew(7, "B"), Learned::Nothing);
        assert_eq!(symbols.learn_anew(8, "C"), Learned::New);
        let all = Meant { symbol: Some("B".to_owned()), from: 0, until: u64::MAX };
        assert_eq!((symbols.meant(7, 15), symbols.count, symbols.text), (all, 2, 2));
    }

    #[test]
    fn there_is_no_room_for_more_than_any_recording_needs() {
        let mut symbols = Symbols::default();
        assert_eq!(symbols.learn(1, 0, u64::MAX, &"S".repeat(SYMBOL_MAX + 1)), Learned::NoRoom);
        for from in 1..=OF_NUMBER_MAX as u64 {
            assert_ne!(
                symbols.learn(7, from, u64::MAX, ["A", "B"][from as usize % 2]),
                Learned::NoRoom
            );
        }
        assert_eq!(symbols.learn(7, 1 << 20, u64::MAX, "C"), Learned::NoRoom);
        assert_eq!(symbols.learn(8, 1 << 20, u64::MAX, "C"), Learned::New);
        let long = "S".repeat(SYMBOL_MAX);
        let full = (9..).find(|&number| symbols.learn(number, 0, 1, &long) == Learned::NoRoom);
        assert!(full.is_some_and(|number| number as usize <= TEXT_MAX / SYMBOL_MAX + 9));
    }
}
