//! FIX messages with groups: held against their dictionary, and read to their values. No rival
//! reads them: they stand beside the same messages framed, checked and indexed.

use super::fix::{beside, empty_index, instruments, whole};
use crate::data::fix::{QTY_DIGITS, mass_quotes, snapshots};
use crate::figure::Figure;
use gateway::fix::Message;
use gateway::fix::number::parse_decimal;
use gateway::market_data::{Books, Settings};
use gateway::spec::{Dictionary, Validation, Version};
use market::{Event, Price};
use std::hint::black_box;

/// The figures.
pub(super) fn run() -> Vec<Figure> {
    let (snapshots, quotes) = (snapshots(), mass_quotes());
    let mut figures = grouped("fix42", "a snapshot of ten entries", &snapshots, Version::Fix42);
    let what = "a mass quote, two groups of five in a group";
    figures.extend(grouped("fix50sp2", what, &quotes, Version::Fix50Sp2));
    figures.extend(read(&snapshots, &quotes));
    figures
}

/// A message with groups under each validation: framed, checked, indexed.
fn grouped(name: &str, what: &str, messages: &[Vec<u8>], version: Version) -> Vec<Figure> {
    let dictionary = Dictionary::of(version);
    let by = |validation| {
        let mut index = empty_index();
        move |bytes: &Vec<u8>| {
            let message = whole(&mut index, black_box(bytes));
            black_box(message.map(|message| dictionary.check(&message, black_box(validation))));
        }
    };
    let figure = |validation, word: &str| {
        let paired = beside(messages, by(validation), by(Validation::None));
        let name = format!("fix/groups/{name}/{word}");
        Figure::new(&name, "ns", "validation none", &paired).note(format!("{what}, indexed"))
    };
    vec![figure(Validation::Structure, "structure"), figure(Validation::Full, "full")]
}

/// Messages with groups to what they say, beside the same messages framed, checked and indexed.
fn read(snapshots: &[Vec<u8>], quotes: &[Vec<u8>]) -> Vec<Figure> {
    let indexed = || {
        let mut index = empty_index();
        move |bytes: &Vec<u8>| {
            black_box(whole(&mut index, black_box(bytes)));
        }
    };
    let (mut index, mut books) = (empty_index(), Books::new(instruments(), Settings::default()));
    let mut events: Vec<Event> = Vec::new();
    let to_events = |bytes: &Vec<u8>| {
        events.clear();
        let message = whole(&mut index, black_box(bytes));
        let _ = black_box(message.map(|message| books.read(&message, 1, &mut events)));
        black_box(&events);
    };
    let snapshot = beside(snapshots, to_events, indexed());
    let mut index = empty_index();
    let to_values = |bytes: &Vec<u8>| {
        let message = whole(&mut index, black_box(bytes));
        black_box(message.and_then(|message| quoted(&message)));
    };
    let quotes = beside(quotes, to_values, indexed());
    vec![
        Figure::new("fix/groups/fix42/events", "ns", "indexed", &snapshot)
            .note("a snapshot of ten entries to twelve market events, 20 decimals to integers"),
        Figure::new("fix/groups/fix50sp2/values", "ns", "indexed", &quotes)
            .note("a mass quote, two groups of five in a group: 40 decimals to integers"),
    ]
}

/// The sum of all prices and sizes of a mass quote.
fn quoted(message: &Message<'_>) -> Option<i64> {
    let mut sum = 0i64;
    // NoQuoteSets with QuoteSetID, NoQuoteEntries with QuoteEntryID.
    for set in message.group(296, 302).ok()?.instances() {
        for entry in set.group(295, 299).ok()?.instances() {
            for (tag, value) in entry.fields() {
                let digits = match tag {
                    132 | 133 => Price::DIGITS,
                    134 | 135 => QTY_DIGITS,
                    _ => continue,
                };
                sum = sum.wrapping_add(parse_decimal(value, digits).ok()?);
            }
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else half of the work would be timed.
    #[test]
    fn all_groups_are_read_to_their_end() {
        let (mut index, mut events) = (empty_index(), Vec::new());
        let mut books = Books::new(instruments(), Settings::default());
        for bytes in snapshots() {
            events.clear();
            let message = whole(&mut index, &bytes).unwrap();
            assert_eq!(books.read(&message, 1, &mut events), Ok(()));
            assert_eq!(events.len(), 12);
        }
        for bytes in mass_quotes() {
            assert!(quoted(&whole(&mut index, &bytes).unwrap()).is_some());
        }
    }
}
