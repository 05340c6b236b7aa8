//! Where a message begins and ends in bytes that may hold anything: a log's lines around it,
//! another separator than SOH, lines broken in the middle.
//!
//! It looks at each byte a fixed number of times and trusts no length: a length that is told is
//! believed when the CheckSum stands where it says and agrees.

use super::verdict::Verdict;
use gateway::fix::SOH;

/// Longest message that is shown; what is longer is garbled.
pub(super) const LONGEST: usize = 1 << 20;
/// Bytes within which BeginString and BodyLength stand.
const HEAD: usize = 96;
/// Longest separator: `\u0001` and the like.
const SEPARATOR: usize = 8;
/// How a message begins.
pub(super) const PREFIX: &[u8] = b"8=FIX";

/// What stands at the start of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// A message of this many bytes, now as FIX has it in the buffer that was given.
    Message(usize),
    /// More bytes are needed to tell.
    More,
    /// The start of no message: this many bytes to drop, and why.
    Garbled(usize, &'static str),
}

/// Offset of the next place where a message begins, from `at` on. `58=FIX`, and what stands as the
/// value of a field, is no beginning; at `at` it is, if the input or a message `ends` there.
pub(super) fn next_start(bytes: &[u8], at: usize, ends: bool) -> Option<usize> {
    let candidates = bytes.get(at..)?.windows(PREFIX.len()).enumerate();
    let mut starts = candidates.filter(|(_, window)| *window == PREFIX).map(|(from, _)| at + from);
    starts.find(|&start| {
        let before = start.checked_sub(1).map(|before| bytes[before]);
        let apart = before.is_some_and(|byte| !byte.is_ascii_digit() && byte != b'=');
        apart || (ends && start == at)
    })
}

/// Cuts the message at the start of `window`. `last`: no more bytes can come behind it.
pub(super) fn cut(window: &[u8], last: bool, message: &mut Vec<u8>) -> Cut {
    let last = last || window.len() >= LONGEST;
    let window = &window[..window.len().min(LONGEST)];
    let next = next_start(window, PREFIX.len(), false);
    let part = &window[..next.unwrap_or(window.len())];
    let whole = next.is_some() || last;
    let head = Head::of(part);
    if let Some(head) = &head {
        // The length may reach over what looks like the beginning of another message.
        match head.told_end(window, last) {
            Told::Right(end) => return head.write(&window[..end], message),
            Told::Beyond if !last => return Cut::More,
            _ => {}
        }
        if let Some(end) = head.end(part, whole) {
            let found = head.write(&part[..end], message);
            let broken = part[..end].iter().any(|byte| is_break(*byte));
            if !broken || Verdict::of(message).is_right() {
                return found;
            }
            if let Some(joined) = join(&part[..end], message, super::verdict::Verdict::is_right) {
                return joined;
            }
            return head.write(&part[..end], message);
        }
    }
    if !whole {
        return Cut::More;
    }
    if let Some(joined) = join(part, message, |_| true) {
        return joined;
    }
    let reason = match (head, next) {
        (None, _) => "BodyLength (9) is not the second field",
        (Some(_), None) if part.len() >= LONGEST => "no CheckSum (10) within the longest message",
        (Some(_), Some(_)) => "no CheckSum (10) before the next message",
        (Some(_), None) => "no CheckSum (10) before the end",
    };
    // The line of the next message says when that one went.
    let line = part.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
    Cut::Garbled(line.unwrap_or(part.len()).max(1), reason)
}

/// The message that a log has broken into lines, if it is as `wanted`.
fn join(part: &[u8], message: &mut Vec<u8>, wanted: impl Fn(&Verdict) -> bool) -> Option<Cut> {
    let joined: Vec<u8> = part.iter().copied().filter(|byte| !is_break(*byte)).collect();
    let head = Head::of(&joined)?;
    let end = head.end(&joined, true)?;
    head.write(&joined[..end], message);
    if !wanted(&Verdict::of(message)) {
        return None;
    }
    let mut kept = 0;
    let last = part.iter().position(|byte| {
        kept += usize::from(!is_break(*byte));
        kept == end
    });
    last.map(|last| Cut::Message(last + 1))
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Where BodyLength says that a message ends.
enum Told {
    Right(usize),
    Beyond,
    Wrong,
}

/// The first two fields of a message.
struct Head<'a> {
    separator: &'a [u8],
    /// BodyLength, if it is a number.
    length: Option<usize>,
    /// Where the body begins.
    body: usize,
}

impl<'a> Head<'a> {
    fn of(bytes: &'a [u8]) -> Option<Head<'a>> {
        let bytes = &bytes[..bytes.len().min(HEAD)];
        let version = 2 + version(bytes.get(2..)?)?;
        let rest = &bytes[version..];
        let separator = (1..=SEPARATOR).find(|len| rest.get(*len..*len + 2) == Some(b"9="))?;
        let (separator, rest) = rest.split_at(separator);
        let value = find(&rest[2..], separator)?;
        let text = std::str::from_utf8(&rest[2..2 + value]).ok()?;
        let body = version + separator.len() + 2 + value + separator.len();
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let length = if plain { text.parse().ok() } else { None };
        Some(Head { separator, length, body })
    }

    /// The end that BodyLength says, where a separator is one byte as SOH is.
    fn told_end(&self, window: &[u8], last: bool) -> Told {
        let (&[separator], Some(length)) = (self.separator, self.length) else {
            return Told::Wrong;
        };
        let Some(trailer) = self.body.checked_add(length).filter(|end| *end < LONGEST) else {
            return Told::Wrong;
        };
        let Some(tail) = window.get(trailer..trailer + 6) else { return Told::Beyond };
        let [b'1', b'0', b'=', digits @ ..] = tail else { return Told::Wrong };
        let said = std::str::from_utf8(digits).ok().and_then(|text| text.parse::<u32>().ok());
        let sum = window[..trailer]
            .iter()
            .fold(0u8, |sum, byte| sum.wrapping_add(if *byte == separator { SOH } else { *byte }));
        let before = window[..trailer].last() == Some(&separator);
        match before && said == Some(u32::from(sum)) {
            // The separator behind it, if there is one, must be in sight.
            true if window.len() == trailer + 6 && !last => Told::Beyond,
            true => Told::Right(self.with_separator(window, trailer + 6)),
            false => Told::Wrong,
        }
    }

    /// The end of a message by its CheckSum field: the first one, or a later one where BodyLength
    /// agrees.
    fn end(&self, bytes: &[u8], whole: bool) -> Option<usize> {
        let (mut at, mut first, mut shrunk) = (self.body, None, 0);
        loop {
            let Some(next) = find(&bytes[at..], self.separator) else {
                return first.filter(|_| whole);
            };
            let body_end = at + next + self.separator.len();
            shrunk += self.separator.len() - 1;
            let rest = &bytes[body_end..];
            at = body_end;
            let Some(value) = rest.strip_prefix(b"10=") else { continue };
            let digits = value.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
            // The separator behind it, if there is one, must be in sight.
            if !whole && value.len() < digits + self.separator.len() {
                return None;
            }
            let end = self.with_separator(bytes, body_end + 3 + digits);
            let length = body_end - self.body - shrunk;
            first = first.or(Some(end));
            match self.length {
                Some(told) if told == length => return Some(end),
                Some(told) if told > length => {}
                _ => return first,
            }
        }
    }

    fn with_separator(&self, bytes: &[u8], end: usize) -> usize {
        let follows = bytes.get(end..).is_some_and(|rest| rest.starts_with(self.separator));
        if follows { end + self.separator.len() } else { end }
    }

    /// The message with SOH as its separator, in the last field too.
    fn write(&self, bytes: &[u8], message: &mut Vec<u8>) -> Cut {
        message.clear();
        let mut rest = bytes;
        while let Some(at) = find(rest, self.separator) {
            message.extend_from_slice(&rest[..at]);
            message.push(SOH);
            rest = &rest[at + self.separator.len()..];
        }
        if !rest.is_empty() {
            message.extend_from_slice(rest);
            message.push(SOH);
        }
        Cut::Message(bytes.len())
    }
}

/// Length of `FIX.4.2`, `FIXT.1.1`, `FIX.5.0SP2` at the start.
fn version(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"FIX")?;
    let rest = rest.strip_prefix(b"T").unwrap_or(rest);
    let [b'.', major, b'.', minor, rest @ ..] = rest else { return None };
    if !major.is_ascii_digit() || !minor.is_ascii_digit() {
        return None;
    }
    let rest = match rest {
        [b'S', b'P', pack, rest @ ..] if pack.is_ascii_digit() => rest,
        _ => rest,
    };
    Some(bytes.len() - rest.len())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    match what {
        [byte] => bytes.iter().position(|found| found == byte),
        _ => bytes.windows(what.len()).position(|found| found == what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BEAT: &str = "8=FIX.4.4|9=5|35=0|10=163|";

    fn cut_all(text: &str) -> (Cut, String) {
        let mut message = Vec::new();
        let found = cut(text.as_bytes(), true, &mut message);
        (found, String::from_utf8_lossy(&message).replace('\x01', "|"))
    }

    #[test]
    fn every_separator_is_read() {
        for separator in ["|", "\x01", "^A", "<SOH>", "\\x01", "\\u0001", "␁", " | ", ";"] {
            let text = BEAT.replace('|', separator);
            assert_eq!(cut_all(&text), (Cut::Message(text.len()), BEAT.into()), "{separator}");
            let bare = text.strip_suffix(separator).unwrap();
            let line = format!("{bare}\nmore");
            assert_eq!(cut_all(&line), (Cut::Message(bare.len()), BEAT.into()), "{separator}");
        }
    }

    #[test]
    fn broken_lines_are_joined() {
        for text in
            ["8=FIX\r\n.4.4|9=5|35\n=0|1\n0=16\n3|\nmore", "8=FIX.4.4|9=5|35=\n0|10=163|\nmore"]
        {
            assert_eq!(cut_all(text), (Cut::Message(text.len() - 5), BEAT.into()));
        }
    }

    #[test]
    fn data_may_hold_anything_if_the_length_is_right() {
        for (body, separator) in [
            ("35=B|95=21|96=a|10=001|8=FIX.4.4|b|", "\x01"),
            ("35=B|58=|8=FIX.4.4|9=5|35=0|10=163|", "\x01"),
            ("35=B|95=9|96=a|10=001||", "^A"),
        ] {
            let plain = format!("8=FIX.4.4|9={}|{body}", body.len());
            let sum = plain.replace('|', "\x01").bytes().fold(0u8, u8::wrapping_add);
            let plain = format!("{plain}10={sum:03}|");
            let text = plain.replace('|', separator);
            assert_eq!(cut_all(&text), (Cut::Message(text.len()), plain), "{separator}");
        }
    }

    #[test]
    fn what_is_no_message_says_why() {
        let reason = |text: &str| match cut_all(text).0 {
            Cut::Garbled(len, reason) => (len, reason),
            other => panic!("{text}: {other:?}"),
        };
        assert!(reason("8=FIX.4.4|35=0|10=163|").1.contains("BodyLength"));
        assert!(reason("8=FIXED").1.contains("BodyLength"));
        let (len, why) = reason("8=FIX.4.4|9=5|35=0|8=FIX.4.4|9=5|35=0|10=163|");
        assert!(len == 19 && why.contains("before the next message"), "{len}: {why}");
        assert!(reason("8=FIX.4.4|9=5|35=0|").1.contains("before the end"));
    }

    #[test]
    fn a_wrong_length_or_sum_ends_at_its_check_sum() {
        for text in
            ["8=FIX.4.4|9=6|35=0|10=163|", "8=FIX.4.4|9=x|35=0|10=1|", "8=FIX.4.4|9=999|35=0|10=|"]
        {
            let lines = format!("{text}\n{BEAT}");
            assert_eq!(cut_all(&lines), (Cut::Message(text.len()), text.into()));
        }
    }

    #[test]
    fn values_are_no_beginnings() {
        assert_eq!(next_start(b"58=FIX 8=FI", 0, true), None);
        assert_eq!(next_start(b"96=8=FIX", 0, true), None);
        assert_eq!(next_start(b"18=FIX\n8=FIX", 0, true), Some(7));
        assert_eq!(next_start(b"10=1638=FIX", 6, true), Some(6));
        assert_eq!(next_start(b"10=1638=FIX", 6, false), None);
    }

    proptest! {
        #[test]
        fn always_goes_on(text in "(8=FIX|\\.4\\.4|T\\.1\\.1|9=[0-9]{1,3}|10=|[|\n^A]|35=0|é|[0-9=]){0,40}") {
            let mut message = Vec::new();
            let text = format!("8=FIX{text}");
            for end in 0..text.len() {
                let Some(bytes) = text.as_bytes().get(..end) else { continue };
                match cut(bytes, true, &mut message) {
                    Cut::Message(len) | Cut::Garbled(len, _) => {
                        prop_assert!(len >= 1 && len <= bytes.len().max(1));
                    }
                    Cut::More => prop_assert!(false, "more after the end"),
                }
            }
        }
    }
}
