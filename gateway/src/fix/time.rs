//! UTC timestamps: `YYYYMMDD-HH:MM:SS` with 0, 3, 6 or 9 fractional digits; 12 are read too.
//!
//! It reads no clock and never allocates; the text of the last second written is kept, so that a
//! stamp costs its fraction.

use super::number::{POWERS_OF_FRACTION, Written, parse_u64, write_padded};
use super::words;
use market::time::{civil_from_days, days_from_civil};
use market::{Nanos, Timestamp};

/// Fractional digits of the timestamps we write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// None.
    Seconds,
    /// Three digits, what every venue takes.
    #[default]
    Millis,
    /// Six digits.
    Micros,
    /// Nine digits.
    Nanos,
}

/// Bytes of a timestamp without fraction.
const SECONDS_LEN: usize = 17;
/// Room that the text of a timestamp has; it fills at most 27 characters.
pub const TIME_ROOM: usize = 32;

/// Reads a UTC timestamp; picoseconds are cut to nanoseconds. Second 60 (a leap second) is read as
/// the second after 59.
/// `None` if it is anything else than a timestamp from 1970 on.
///
/// ```
/// let time = gateway::fix::time::parse(b"20250717-13:16:40.000000001").unwrap();
/// assert_eq!(time.nanos(), 1_752_758_200_000_000_001);
/// ```
#[must_use]
pub fn parse(text: &[u8]) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_first_chunk()?;
    nanos_of(seconds)?.checked_add(fraction_of(fraction)?).map(Timestamp::from_nanos)
}

/// Nanoseconds from 1970 to a `YYYYMMDD-HH:MM:SS`.
#[inline]
fn nanos_of(text: &[u8; SECONDS_LEN]) -> Option<u64> {
    let [date @ .., _, _, _, _, _, _, _, _, _] = *text;
    let [.., b'-', a, b, c, d, e, f, g, h] = *text else { return None };
    let seconds = days_of(date)? * 86_400 + seconds_of([a, b, c, d, e, f, g, h])?;
    seconds.checked_mul(1_000_000_000)
}

/// Nanoseconds of a fraction with its point, or of none.
#[inline]
fn fraction_of(text: &[u8]) -> Option<u64> {
    match text {
        [] => Some(0),
        [b'.', digits @ ..] if matches!(digits.len(), 3 | 6 | 9) => {
            Some(parse_u64(digits).ok()? * POWERS_OF_FRACTION[digits.len()])
        }
        [b'.', nanos @ .., a, b, c] if nanos.len() == 9 => {
            [a, b, c].iter().all(|digit| digit.is_ascii_digit()).then_some(())?;
            parse_u64(nanos).ok()
        }
        _ => None,
    }
}

/// Reads timestamps as [`parse`] does, remembering the second of the last: a peer's messages say the
/// same one many times.
#[derive(Clone, Debug)]
pub struct TimeReader {
    text: [u8; SECONDS_LEN],
    nanos: u64,
}

impl Default for TimeReader {
    fn default() -> Self {
        TimeReader { text: *b"19700101-00:00:00", nanos: 0 }
    }
}

impl TimeReader {
    /// The time that a text says; `None` if it is anything else than a timestamp from 1970 on.
    #[inline]
    pub fn parse(&mut self, text: &[u8]) -> Option<Timestamp> {
        let (seconds, fraction) = text.split_first_chunk()?;
        if *seconds != self.text {
            (self.nanos, self.text) = (nanos_of(seconds)?, *seconds);
        }
        self.nanos.checked_add(fraction_of(fraction)?).map(Timestamp::from_nanos)
    }
}

/// Days from 1970 to a `YYYYMMDD`.
#[inline]
fn days_of(date: [u8; 8]) -> Option<u64> {
    let (pairs, 0) = words::pairs(date) else { return None };
    let [century, _, year, _, month, _, day, _] = pairs.to_le_bytes().map(u32::from);
    days_from_civil(century * 100 + year, month, day)
}

/// Seconds from midnight to an `HH:MM:SS`.
#[inline]
fn seconds_of(mut clock: [u8; 8]) -> Option<u64> {
    for place in [2, 5] {
        // A digit between two numbers is harmless: neither pair begins with it.
        let colon = std::mem::replace(&mut clock[place], b'0');
        if colon != b':' {
            return None;
        }
    }
    let (pairs, 0) = words::pairs(clock) else { return None };
    let [hour, _, _, minute, _, _, second, _] = pairs.to_le_bytes().map(u64::from);
    (hour <= 23 && minute <= 59 && second <= 60).then_some(hour * 3_600 + minute * 60 + second)
}

/// Makes the text of timestamps, remembering the last: a message says the same time twice, and a
/// second lasts for many.
#[derive(Clone, Debug)]
pub struct TimeText {
    last: Timestamp,
    second: u64,
    text: [u8; TIME_ROOM],
    /// How much of the text is written: cut, not rounded.
    written: Written,
}

impl TimeText {
    /// A writer of timestamps with this many fractional digits.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        let mut text = [0; TIME_ROOM];
        text[..SECONDS_LEN + 10].copy_from_slice(b"00000000-00:00:00.000000000");
        let len = match precision {
            Precision::Seconds => SECONDS_LEN,
            Precision::Millis => SECONDS_LEN + 4,
            Precision::Micros => SECONDS_LEN + 7,
            Precision::Nanos => SECONDS_LEN + 10,
        };
        let written = Written { len, sum: 0 };
        let mut this = TimeText { last: Timestamp::ZERO, second: 0, text, written };
        this.render(0);
        this.sum_up();
        this
    }

    /// The text of `time`, cut (never rounded) to the precision, in what is given.
    #[inline]
    pub fn text(&mut self, time: Timestamp) -> (&[u8; TIME_ROOM], Written) {
        if time != self.last {
            self.update(time);
        }
        (&self.text, self.written)
    }

    #[inline]
    fn update(&mut self, time: Timestamp) {
        let (second, nanos) = (time.nanos() / 1_000_000_000, time.nanos() % 1_000_000_000);
        if second != self.second {
            self.render(second);
        }
        write_padded(&mut self.text[SECONDS_LEN + 1..SECONDS_LEN + 10], nanos);
        self.last = time;
        self.sum_up();
    }

    fn sum_up(&mut self) {
        let Written { len, sum } = &mut self.written;
        *sum = self.text[..*len].iter().copied().map(u64::from).sum();
    }

    fn render(&mut self, second: u64) {
        self.second = second;
        let (year, month, day) = civil_from_days(second / (Nanos::DAY.get() / 1_000_000_000));
        let of_day = second % 86_400;
        let parts = [
            (0..4, u64::from(year)),
            (4..6, u64::from(month)),
            (6..8, u64::from(day)),
            (9..11, of_day / 3_600),
            (12..14, of_day / 60 % 60),
            (15..17, of_day % 60),
        ];
        for (range, value) in parts {
            write_padded(&mut self.text[range], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_precision_is_read() {
        let base = parse(b"20250717-13:16:40").unwrap();
        for (text, nanos) in [
            (".123", 123_000_000),
            (".123456", 123_456_000),
            (".000000001", 1),
            (".000000001999", 1),
            (".123456789012", 123_456_789),
        ] {
            let time = parse(format!("20250717-13:16:40{text}").as_bytes()).unwrap();
            assert_eq!(time.since(base), Nanos::new(nanos));
        }
    }

    #[test]
    fn the_sixtieth_second_is_the_next_minute() {
        assert_eq!(parse(b"20161231-23:59:60.500"), parse(b"20170101-00:00:00.500"));
    }

    #[test]
    fn wrong_times_are_refused() {
        let mut reader = TimeReader::default();
        for text in [
            "",
            "20250717",
            "20250717-13:16",
            "20250717-24:00:00",
            "20250717-13:60:00",
            "20250717-13:16:61",
            "20250229-00:00:00",
            "20251301-00:00:00",
            "19691231-23:59:59",
            "20250717 13:16:40",
            "20250717-13:16:40.",
            "20250717-13:16:40.1",
            "20250717-13:16:40.12",
            "20250717-13:16:40.1234",
            "20250717-13:16:40.12345678901",
            "20250717-13:16:40.12345678901x",
            "20250717-13:16:40.1234567x9012",
            "20250717-13:16:40.1234567890123",
            "20250717-13:16:40Z",
            "2025-07-17T13:16:40",
            "20250717-+1:16:40",
            "99991231-23:59:59",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "`{text}`");
            assert_eq!(reader.parse(text.as_bytes()), None, "`{text}`");
        }
    }

    proptest! {
        #[test]
        fn round_trip(nanos in 0..=u64::MAX, second_first: bool) {
            let mut writer = TimeText::new(Precision::Nanos);
            let time = Timestamp::from_nanos(nanos);
            if second_first {
                writer.text(time.midnight());
            }
            let (out, Written { len, sum }) = writer.text(time);
            prop_assert_eq!(parse(&out[..len]), Some(time));
            prop_assert_eq!(sum, out[..len].iter().copied().map(u64::from).sum::<u64>());
            let iso = time.to_string().replace(['Z'], "").replace('T', "-");
            let iso = iso.replacen('-', "", 2);
            prop_assert_eq!(&out[..len], iso.as_bytes());
        }

        #[test]
        fn a_reader_reads_what_parse_reads(
            texts in prop::collection::vec("(2025071[78]|19700101)-13:16:4[01x](\\.[0-9]{3}|\\.)?", 1..20),
        ) {
            let mut reader = TimeReader::default();
            for text in texts {
                prop_assert_eq!(reader.parse(text.as_bytes()), parse(text.as_bytes()));
            }
        }

        #[test]
        fn no_bytes_panic(text in prop::collection::vec(any::<u8>(), 0..30)) {
            let _ = parse(&text);
        }
    }
}
