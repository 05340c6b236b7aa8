//! The published scripts: what a line says, and whether a message is what a line expects.
//!
//! A line begins with what is done, then perhaps the number of a connection and a comma: `i` acts
//! (CONNECT, DISCONNECT), `I` sends a message, `E` expects one, `e` expects the end (DISCONNECT).
//! `<TIME>`, `<TIME+n>` and `<TIME-n>` are the time in seconds; BodyLength and CheckSum are filled
//! in where they are absent.

use gateway::fix::{Precision, TimeText};
use market::{Nanos, Timestamp};

const SOH: char = '\x01';

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Connect,
    Disconnect,
    Send(String),
    Expect(String),
    ExpectDisconnect,
}

/// A line: its number, its connection, what it asks for.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) connection: usize,
    pub(crate) act: Act,
}

/// Every step of a script; a line that cannot be read is a fault of the script.
pub(crate) fn parse(text: &str) -> Vec<Step> {
    let lines = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    lines.map(|(at, line)| step(at + 1, line.trim_end_matches(['\r', '\n']))).collect()
}

fn step(line: usize, text: &str) -> Step {
    let (what, rest) = text.split_at(1);
    let (connection, rest) = match rest.split_once(',') {
        Some((digits, rest)) if digits.parse::<usize>().is_ok() => (digits.parse().unwrap(), rest),
        _ => (1, rest),
    };
    let act = match (what, rest.trim()) {
        ("i", "CONNECT") => Act::Connect,
        ("i", "DISCONNECT") => Act::Disconnect,
        ("e", "DISCONNECT") => Act::ExpectDisconnect,
        ("I", _) => Act::Send(rest.to_owned()),
        ("E", _) => Act::Expect(rest.to_owned()),
        other => panic!("line {line} is not understood: {other:?}"),
    };
    Step { line, connection, act }
}

/// The message of a line at `now`, with its length and checksum.
pub(crate) fn filled(text: &str, now: Timestamp) -> String {
    let mut text = with_times(text, now);
    if !text.contains("\x019=") {
        let head = text.find(SOH).map_or(text.len(), |at| at + 1);
        let body = text[head..].find("\x0110=").map_or(text.len() - head, |at| at + 1);
        text.insert_str(head, &format!("9={body}{SOH}"));
    }
    if !text.contains("\x0110=") {
        let sum = text.bytes().map(u32::from).sum::<u32>() % 256;
        text.push_str(&format!("10={sum:03}{SOH}"));
    }
    text
}

fn with_times(text: &str, now: Timestamp) -> String {
    let mut parts = text.split("<TIME");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (offset, rest) = part.split_once('>').expect("<TIME is closed");
        let seconds: i64 = if offset.is_empty() { 0 } else { offset.parse().unwrap() };
        let span = Nanos::from_secs(seconds.unsigned_abs());
        let time = match seconds < 0 {
            true => Timestamp::from_nanos(now.nanos() - span.get()),
            false => now.after(span),
        };
        let mut writer = TimeText::new(Precision::Seconds);
        let (text, written) = writer.text(time);
        whole.push_str(std::str::from_utf8(&text[..written.len]).unwrap());
        whole.push_str(rest);
    }
    whole
}

/// Field by field, in order: times and the checksum by their form, everything else by its value.
pub(crate) fn differs(expected: &str, found: &str) -> Option<String> {
    let fields = |text: &str| -> Vec<(String, String)> {
        let fields = text.split(SOH).filter(|field| !field.is_empty());
        fields
            .map(|field| field.split_once('=').unwrap_or((field, "")))
            .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
            .collect()
    };
    let (expected, found) = (fields(expected), fields(found));
    for (one, other) in expected.iter().zip(&found) {
        let same = one.0 == other.0
            && match one.0.as_str() {
                "10" => other.1.len() == 3 && other.1.bytes().all(|byte| byte.is_ascii_digit()),
                "42" | "52" | "60" | "122" => is_time(&other.1),
                _ => one.1 == other.1,
            };
        if !same {
            return Some(format!("{}={} where {}={} is expected", other.0, other.1, one.0, one.1));
        }
    }
    let count = (expected.len(), found.len());
    (count.0 != count.1).then(|| format!("{} fields where {} are expected", count.1, count.0))
}

fn is_time(text: &str) -> bool {
    gateway::fix::time::parse(text.as_bytes()).is_some()
}

#[test]
fn lines_are_read_as_the_runner_of_the_scripts_reads_them() {
    let steps =
        parse("# words\n\niCONNECT\nI35=0\u{1}8=FIX.4.4\u{1}\nE2,8=FIX.4.4\u{1}\ne2,DISCONNECT\n");
    let acts: Vec<_> = steps.iter().map(|step| (step.line, step.connection)).collect();
    assert_eq!(acts, [(3, 1), (4, 1), (5, 2), (6, 2)]);
    assert_eq!(steps[1].act, Act::Send("35=0\u{1}8=FIX.4.4\u{1}".to_owned()));
    let now = Timestamp::from_nanos(1_752_758_200_000_000_000);
    let text = filled("8=FIX.4.4\u{1}35=0\u{1}52=<TIME-121>\u{1}", now).replace(SOH, "|");
    assert_eq!(text, "8=FIX.4.4|9=26|35=0|52=20250717-13:14:39|10=233|");
    let kept = "8=FIX.4.4\u{1}9=40\u{1}35=0\u{1}10=256\u{1}";
    assert_eq!(filled(kept, now), kept);
}

#[test]
fn messages_are_compared_in_order_and_times_by_their_form() {
    let expected = "8=F\u{1}52=00000000-00:00:00.000\u{1}112=A\u{1}10=0\u{1}";
    let found = "8=F\u{1}52=20250717-13:14:39.123\u{1}112=A\u{1}10=176\u{1}";
    assert_eq!(differs(expected, found), None);
    for (from, to) in [("112=A", "112=B"), ("112=A", "113=A"), ("112=A\u{1}", ""), ("=2025", "=x")]
    {
        assert!(differs(expected, &found.replace(from, to)).is_some(), "{from} {to}");
    }
}
