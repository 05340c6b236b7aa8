//! What the name of a file says: LOBSTER writes symbol and day nowhere else. Names are
//! `SYMBOL_YYYY-MM-DD_START_END_message_LEVELS.csv`, and `orderbook` in place of `message`.

use crate::recording::Source;
use market::Timestamp;

/// The symbol of files whose name does not say it.
const NAMELESS: &str = "LOBSTER";

/// The symbol, and midnight of the day in New York, where the name says them.
pub(super) fn parse(name: &str) -> (String, Option<Timestamp>) {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut parts = name.split('_');
    let symbol = parts.next().filter(|symbol| !symbol.is_empty() && symbol.len() < name.len());
    let day = parts.next().and_then(midnight);
    match (symbol, day) {
        (Some(symbol), Some(day)) => (symbol.to_owned(), Some(day)),
        _ => (NAMELESS.to_owned(), None),
    }
}

fn midnight(date: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let day = date.in_tz("America/New_York").ok()?.timestamp().as_nanosecond();
    Some(Timestamp::from_nanos(u64::try_from(day).ok()?))
}

/// The file of the other kind, packed or not.
pub(super) fn other(source: &Source, kind: &str, of: &str) -> Option<Source> {
    let (before, behind) = source.name().rsplit_once(kind)?;
    let name = format!("{before}{of}{behind}");
    let bare = [".gz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed));
    let bare = bare.unwrap_or(&name);
    // In an archive, names are whole paths; beside a file, the name alone is asked for.
    let names = [name.clone(), bare.to_owned(), format!("{bare}.gz"), format!("{bare}.zst")];
    names.iter().find_map(|name| source.sibling(name).ok().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_symbol_and_day() {
        let (symbol, day) = parse("data/AMZN_2012-06-21_34200000_57600000_message_5.csv");
        // Four hours behind UTC.
        let expected = Timestamp::from_nanos(1_340_251_200_000_000_000);
        assert_eq!((&*symbol, day), ("AMZN", Some(expected)));
        assert_eq!(parse("message.csv"), ("LOBSTER".to_owned(), None));
        assert_eq!(parse("A_2012-13-21_message_5.csv"), ("LOBSTER".to_owned(), None));
    }
}
