//! When and which way a message went, as the line before it in a log says.
//!
//! A time is taken as it stands there: the log alone knows its zone. What is not sure is not said.

use market::Timestamp;
use market::time::days_from_civil;

/// The last time of a line, to nanoseconds: `20250717-13:16:40.123`, `2025-07-17T13:16:40,123Z`,
/// `2025-07-17 13:16:40`, or 19 digits that count nanoseconds since 1970.
pub(super) fn time(line: &[u8]) -> Option<Timestamp> {
    (0..line.len()).rev().find_map(|at| {
        let begins = at == 0 || !line[at - 1].is_ascii_digit();
        let text = line.get(at..).filter(|text| begins && text[0].is_ascii_digit())?;
        since_1970(text).or_else(|| civil(text))
    })
}

fn since_1970(text: &[u8]) -> Option<Timestamp> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits == 19).then(|| number(&text[..digits])).flatten().map(Timestamp::from_nanos)
}

/// A date and a time of day.
fn civil(text: &[u8]) -> Option<Timestamp> {
    let (year, rest) = text.split_at_checked(4)?;
    let dashes = rest.first() == Some(&b'-');
    let (month, rest) = rest[usize::from(dashes)..].split_at_checked(2)?;
    let rest = if dashes { rest.strip_prefix(b"-")? } else { rest };
    let (day, rest) = rest.split_at_checked(2)?;
    let [b'-' | b'T' | b' ', time @ ..] = rest else { return None };
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = time else { return None };
    let small = |text: &[u8]| number(text).and_then(|number| u32::try_from(number).ok());
    let days = days_from_civil(small(year)?, small(month)?, small(day)?)?;
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let fraction = match rest {
        [b'.' | b',', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count().min(9);
            let scale = u32::try_from(9 - digits).ok()?;
            number(&rest[..digits]).unwrap_or(0) * 10u64.pow(scale)
        }
        _ => 0,
    };
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction).map(Timestamp::from_nanos)
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// `in` or `out`, where a word of the line says so; arrows mean either with somebody.
pub(super) fn direction(line: &[u8]) -> Option<&'static str> {
    let words = line.split(|byte| !byte.is_ascii_alphabetic());
    let mut said = words.filter_map(|word| match word {
        b"IN" => Some("in"),
        b"OUT" => Some("out"),
        _ => match word.to_ascii_lowercase().as_slice() {
            b"incoming" | b"inbound" | b"received" | b"receiving" | b"recv" | b"rx" => Some("in"),
            b"outgoing" | b"outbound" | b"sent" | b"sending" | b"send" | b"tx" => Some("out"),
            _ => None,
        },
    });
    let first = said.next()?;
    said.all(|word| word == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_many_logs_are_read() {
        for (line, expected) in [
            ("20060410-06:19:00 ->   ", "2006-04-10T06:19:00.000000000Z"),
            ("[2025-07-17T13:16:40.123456789Z] IN ", "2025-07-17T13:16:40.123456789Z"),
            ("2025-07-17 13:16:40,5 [main] sent: ", "2025-07-17T13:16:40.500000000Z"),
            ("1752758200000000001 ", "2025-07-17T13:16:40.000000001Z"),
            ("2025-07-17 13:16:40 was 2025-07-18 13:16:41: ", "2025-07-18T13:16:41.000000000Z"),
        ] {
            assert_eq!(time(line.as_bytes()).unwrap().to_string(), expected);
        }
        for line in ["", "04/10/2006  15:20:27:   <== ", "20251317-00:00:00", "13:16:40", "x"] {
            assert_eq!(time(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn directions_are_words() {
        for (line, expected) in [
            ("12:00 OUT ", Some("out")),
            ("FromApp received: ", Some("in")),
            ("Sending: ", Some("out")),
            ("-> ", None),
            ("logged in ", None),
            ("sent after it was received", None),
        ] {
            assert_eq!(direction(line.as_bytes()), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(line in prop::collection::vec(any::<u8>(), 0..80), text in "[0-9T:., -]{0,40}") {
            let _ = (time(&line), direction(&line), time(text.as_bytes()));
        }
    }
}
