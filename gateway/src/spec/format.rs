//! The data types of FIX, each as a question to the bytes of a value.
//!
//! It must never convert a value, and is no stricter than the specification: what a type leaves
//! open (text, currencies, exchanges, data) is any value at all.
//!
//! Source: FIX.5.0SP2 Volume 1, "Data types"; FIX.4.2 and 4.4 are held by the same rules, which are
//! wider in fractions of seconds only.

use market::time::days_from_civil;

/// The form that the values of a field have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Any bytes.
    Any,
    /// One character.
    Char,
    /// `Y` or `N`.
    Boolean,
    /// Digits, after a `-` at most.
    Int,
    /// Digits.
    Unsigned,
    /// 1 to 31.
    DayOfMonth,
    /// Digits with at most one point, after a `-` at most.
    Decimal,
    /// Values with single spaces between.
    Words,
    /// `YYYYMMDD-HH:MM:SS`, with a fraction of 3, 6, 9 or 12 digits at most.
    Timestamp,
    /// `HH:MM:SS`, with such a fraction at most.
    Time,
    /// `YYYYMMDD`.
    Date,
    /// `YYYYMM`, with a day or `w1` to `w5` behind it at most.
    MonthYear,
    /// `HH:MM`, with seconds, a fraction and a zone at most.
    TimeInZone,
    /// A timestamp with a zone at most.
    TimestampInZone,
}

impl Format {
    /// The form of a data type; `None` if there is no such type.
    pub(super) fn of(kind: &str) -> Option<Format> {
        Some(match kind {
            "STRING" | "CURRENCY" | "EXCHANGE" | "COUNTRY" | "LANGUAGE" | "XID" | "XIDREF"
            | "DATA" | "XMLDATA" => Format::Any,
            "CHAR" => Format::Char,
            "BOOLEAN" => Format::Boolean,
            "INT" => Format::Int,
            "LENGTH" | "SEQNUM" | "NUMINGROUP" | "TAGNUM" => Format::Unsigned,
            "DAYOFMONTH" => Format::DayOfMonth,
            "PRICE" | "PRICEOFFSET" | "QTY" | "AMT" | "FLOAT" | "PERCENTAGE" => Format::Decimal,
            "MULTIPLEVALUESTRING" | "MULTIPLECHARVALUE" | "MULTIPLESTRINGVALUE" => Format::Words,
            "UTCTIMESTAMP" => Format::Timestamp,
            "UTCTIMEONLY" | "LOCALMKTTIME" => Format::Time,
            "UTCDATE" | "UTCDATEONLY" | "LOCALMKTDATE" => Format::Date,
            "MONTHYEAR" => Format::MonthYear,
            "TZTIMEONLY" => Format::TimeInZone,
            "TZTIMESTAMP" => Format::TimestampInZone,
            _ => return None,
        })
    }

    /// True if `value` has this form.
    pub(super) fn fits(self, value: &[u8]) -> bool {
        match self {
            Format::Any => true,
            Format::Char => value.len() == 1,
            Format::Boolean => matches!(value, b"Y" | b"N"),
            Format::Int => digits(unsigned(value)),
            Format::Unsigned => digits(value),
            Format::DayOfMonth => (1..=2).contains(&value.len()) && within(value, 1, 31),
            Format::Decimal => decimal(unsigned(value)),
            Format::Words => value.split(|byte| *byte == b' ').all(|word| !word.is_empty()),
            Format::Timestamp => split(value, 9).is_some_and(|(day, time)| {
                day.strip_suffix(b"-").is_some_and(date) && time_of_day(time)
            }),
            Format::Time => time_of_day(value),
            Format::Date => date(value),
            Format::MonthYear => month_year(value),
            Format::TimeInZone => {
                let time = without_zone(value);
                time_of_day(time) || minutes(time)
            }
            Format::TimestampInZone => Format::Timestamp.fits(without_zone(value)),
        }
    }
}

fn split(value: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    value.split_at_checked(at)
}

fn digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// What follows the sign.
fn unsigned(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"-").unwrap_or(value)
}

fn decimal(text: &[u8]) -> bool {
    let mut points = 0;
    let plain = text.iter().all(|byte| {
        points += u32::from(*byte == b'.');
        byte.is_ascii_digit() || *byte == b'.'
    });
    plain && points <= 1 && text.iter().any(u8::is_ascii_digit)
}

/// A number of a few digits; `None` if it is none.
fn number(text: &[u8]) -> Option<u32> {
    let small = digits(text) && text.len() <= 4;
    small.then(|| text.iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0')))
}

fn within(text: &[u8], least: u32, most: u32) -> bool {
    number(text).is_some_and(|number| (least..=most).contains(&number))
}

/// `YYYYMMDD`, a day of the calendar. Years before 1970 have the days of the same year 400 later.
fn date(text: &[u8]) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(number);
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(4..6), part(6..8)) else {
        return false;
    };
    text.len() == 8 && days_from_civil(year % 400 + 2000, month, day).is_some()
}

/// `HH:MM`.
fn minutes(text: &[u8]) -> bool {
    text.len() == 5 && text[2] == b':' && within(&text[..2], 0, 23) && within(&text[3..], 0, 59)
}

/// `HH:MM:SS` and a fraction; second 60 is a leap second.
fn time_of_day(text: &[u8]) -> bool {
    let Some((whole, fraction)) = split(text, 8) else { return false };
    let fraction = match fraction {
        [] => true,
        [b'.', rest @ ..] => matches!(rest.len(), 3 | 6 | 9 | 12) && digits(rest),
        _ => false,
    };
    fraction && minutes(&whole[..5]) && whole[5] == b':' && within(&whole[6..], 0, 60)
}

fn month_year(text: &[u8]) -> bool {
    let Some((month, rest)) = split(text, 6) else { return false };
    let month_fits = digits(month) && within(&month[4..], 1, 12);
    month_fits
        && match rest {
            [] => true,
            [b'w', b'1'..=b'5'] => true,
            _ => date(text),
        }
}

/// What stands before `Z`, `+hh`, `-hh`, `+hh:mm` or `-hh:mm`.
fn without_zone(text: &[u8]) -> &[u8] {
    if let Some(rest) = text.strip_suffix(b"Z") {
        return rest;
    }
    for len in [3, 6] {
        let Some(at) = text.len().checked_sub(len) else { continue };
        let (rest, zone) = text.split_at(at);
        let hours = matches!(zone[0], b'+' | b'-') && within(&zone[1..3], 0, 14);
        if hours && (len == 3 || (zone[3] == b':' && within(&zone[4..], 0, 59))) {
            return rest;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_fit_their_types() {
        for (kind, right, wrong) in [
            ("CHAR", "a|1", "ab"),
            ("BOOLEAN", "Y|N", "y|1|YN"),
            ("INT", "0|-5|007", "+5|5.0|1e3|-|--5"),
            ("SEQNUM", "1|0001", "-1|+1|1.0| 1"),
            ("DAYOFMONTH", "1|31|09", "0|32|001|-1"),
            ("QTY", "100|002000.00|-5|.5|5.", "+200|1e5|1,000|1.2.3|.|-"),
            ("MULTIPLEVALUESTRING", "1|1 2|G 6 e", "1  2| 1|1 "),
            (
                "UTCTIMESTAMP",
                "20240229-23:59:60|20250717-13:16:40.123|20250717-13:16:40.123456789012",
                "20230229-00:00:00|20250717-24:00:00|20250717 13:16:40|20250717-13:16:40.1|20250717",
            ),
            ("UTCTIMEONLY", "00:00:00|13:16:40.123456", "13:16|1:16:40|13:60:00"),
            ("LOCALMKTDATE", "19691231|99991231", "20251301|2025-01-01|202501"),
            ("MONTHYEAR", "202512|20251231|202512w5", "202513|202512w6|202512w|20251232|2025"),
            ("TZTIMEONLY", "13:16|13:16:40Z|13:16+05:30|13:16-05", "13|13:16+15|13:16+05:60"),
            ("TZTIMESTAMP", "20250717-13:16:40-05|20250717-13:16:40.123Z", "20250717-13:16Z"),
            ("STRING", "anything at all", ""),
        ] {
            let format = Format::of(kind).unwrap();
            for value in right.split('|') {
                assert!(format.fits(value.as_bytes()), "{kind}: `{value}`");
            }
            for value in wrong.split('|').filter(|value| !value.is_empty()) {
                assert!(!format.fits(value.as_bytes()), "{kind}: `{value}`");
            }
        }
        assert_eq!(Format::of("ROMAN"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(value in prop::collection::vec(any::<u8>(), 0..30)) {
            for kind in ["CHAR", "INT", "DAYOFMONTH", "QTY", "UTCTIMESTAMP", "MONTHYEAR",
                "TZTIMEONLY", "TZTIMESTAMP", "MULTIPLEVALUESTRING", "LOCALMKTTIME"] {
                let _ = Format::of(kind).unwrap().fits(&value);
            }
        }
    }
}
