//! `touchline convert` as a user runs it: one recording, many, bad ones, and the file in use.

mod support;

use feeds::archive::Writer;
use feeds::recording::{Books, Clock, Unit};
use market::{Event, EventKind, InstrumentId, Price, Qty, Side, Timestamp};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn touchline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_touchline")).args(arguments).output().unwrap()
}

fn touchline_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchline"));
    command.current_dir(folder).args(arguments).output().unwrap()
}

fn convert(arguments: &[&str]) -> (i32, String, String) {
    let output = touchline(&[&["convert"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn inspect(file: &str) -> Value {
    let output = touchline(&["inspect", file, "--json", "--head", "99"]);
    assert!(output.stderr.is_empty());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A backtest on the event file is the one on the recording; an exchange cannot publish it.
#[test]
fn an_event_file_backtests_as_its_recording() {
    let path = "derived/ARL_20250717.derived.itch50.gz";
    let Some(recording) = support::data(path) else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("arl.events").to_str().unwrap().to_owned();
    let recording = recording.to_str().unwrap();
    // Midnight in New York.
    let (code, _, trouble) = convert(&[recording, "--day", "2025-07-17T04:00:00", &out]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    let config = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
    let run_hash = |data: &str| {
        let config = config("backtest-arl.toml");
        let arguments = ["backtest", config.to_str().unwrap(), "--data", data];
        let output = touchline_in(folder.path(), &arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.starts_with("run hash")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    };
    assert_eq!(run_hash(&out), run_hash(recording));
    let config = config("exchange-arl.toml");
    let arguments = ["exchange", config.to_str().unwrap(), "--replay", &out];
    let refused = touchline_in(folder.path(), &arguments);
    let trouble = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{trouble}");
    assert!(trouble.contains("only ITCH 5.0 can be published again"), "{trouble}");
}

/// One message of ITCH behind its length.
fn framed(kind: u8, locate: u8, nanos: u64, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0, locate, 0, 0];
    message.extend(&nanos.to_be_bytes()[2..]);
    message.extend(body);
    [&(message.len() as u16).to_be_bytes(), &message[..]].concat()
}

/// Orders of one stock at these nanoseconds of the day.
fn day(stock: &str, times: &[u64]) -> Vec<u8> {
    let add = |(at, time): (usize, &u64)| {
        let stock = format!("{stock:<8}");
        let (order, price) = ((at as u64 + 1).to_be_bytes(), 100_000u32.to_be_bytes());
        let body = [&order[..], b"B", &100u32.to_be_bytes(), stock.as_bytes(), &price].concat();
        framed(b'A', 3, *time, &body)
    };
    times.iter().enumerate().flat_map(add).collect()
}

fn write(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn recordings_become_one_file_in_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let one = write(&path("one"), &day("ONE", &[10, 20, 30]));
    let two = write(&path("two"), &day("TWO", &[5, 20, 25]));
    let out = path("both.events").to_str().unwrap().to_owned();
    let (code, told, trouble) = convert(&[&one, &two, "--day", "2025-07-17", &out]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    assert!(told.contains("both.events: 6 events in 6 units, 2 instruments, "), "{told}");
    let found = inspect(&out);
    assert_eq!(found["format"], "Touchline events");
    assert_eq!(found["version"], "from ITCH 5.0 BinaryFILE");
    assert_eq!((&found["clock"], &found["books"]), (&"utc".into(), &"by order".into()));
    let head: Vec<&str> =
        found["head"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let wanted = [(5, "TWO", 1), (10, "ONE", 1), (20, "ONE", 2), (20, "TWO", 2), (25, "TWO", 3)];
    let line = |(time, stock, order)| {
        format!("2025-07-17T00:00:00.{time:09}Z add {stock} buy 100 at 10 order {order}, last")
    };
    assert_eq!(head[..5], wanted.map(line));
    // The file of both is a recording as any other: again, and beside a third.
    let three = write(&path("three"), &day("ONE", &[22]));
    let again = path("again.events").to_str().unwrap().to_owned();
    assert_eq!(convert(&[&out, &again]).0, 0);
    assert_eq!(inspect(&again)["head"], found["head"]);
    let all = path("all.events").to_str().unwrap().to_owned();
    let (code, _, trouble) = convert(&[&out, &three, "--day", "2025-07-17", &all]);
    assert!(code == 4 && trouble.contains("ONE is in an input of another format"), "{trouble}");
    assert!(!path("all.events").exists(), "half a file would be taken for the whole");
}

/// The first lines of an event file.
fn head(file: &str) -> Vec<String> {
    let found = inspect(file)["head"].as_array().unwrap().clone();
    found.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_day_that_follows_finds_empty_books() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let one = write(&folder.path().join("one"), &day("ONE", &[10, 20]));
    let two = write(&folder.path().join("two"), &day("TWO", &[30]));
    let next = write(&folder.path().join("next"), &day("ONE", &[5]));
    let (monday, tuesday, week) = (path("monday"), path("tuesday"), path("week"));
    assert_eq!(convert(&[&one, &two, "--day", "2025-07-14", &monday]).0, 0);
    assert_eq!(convert(&[&next, "--day", "2025-07-15", &tuesday]).0, 0);
    // However they are named: order is that of time.
    let (code, told, trouble) = convert(&[&tuesday, &monday, &week]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    assert!(told.contains("week: 6 events in 5 units, 2 instruments"), "{told}");
    let night = [
        "2025-07-15T00:00:00.000000005Z reset ONE",
        "2025-07-15T00:00:00.000000005Z reset TWO, last",
        "2025-07-15T00:00:00.000000005Z add ONE buy 100 at 10 order 1, last",
    ];
    assert_eq!(head(&week)[3..], night);
    let book = touchline(&["inspect", &week, "--book", "ONE"]).stdout;
    let book = String::from_utf8(book).unwrap();
    assert!(book.contains("ONE, live") && book.contains("(1) 100"), "{book}");
    // The next day may stand in several files: each begins on its own, and none of it twice.
    let more = write(&folder.path().join("more"), &day("TWO", &[2, 7]));
    let (more_of_it, split) = (path("more.events"), path("split"));
    assert_eq!(convert(&[&more, "--day", "2025-07-15", &more_of_it]).0, 0);
    let (code, told, trouble) = convert(&[&monday, &tuesday, &more_of_it, &split]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    assert!(told.contains("split: 8 events in 7 units, 2 instruments"), "{told}");
    let night = [
        "2025-07-15T00:00:00.000000002Z reset ONE",
        "2025-07-15T00:00:00.000000002Z reset TWO, last",
        "2025-07-15T00:00:00.000000002Z add TWO buy 100 at 10 order 1, last",
        "2025-07-15T00:00:00.000000005Z add ONE buy 100 at 10 order 1, last",
        "2025-07-15T00:00:00.000000007Z add TWO buy 100 at 10 order 2, last",
    ];
    assert_eq!(head(&split)[3..], night);
    // What is told at the same time is no following day.
    let (code, _, trouble) = convert(&[&monday, &monday, &path("twice")]);
    let reason = "it tells the book of ONE at the same time as";
    assert!(code == 4 && trouble.contains(reason), "{trouble}");
}

/// An event file: a unit each, at these nanoseconds.
fn event_file(path: &Path, units: &[(u64, Event)]) -> String {
    let mut writer = Writer::new(Vec::new()).unwrap();
    writer.source("made up", Books::ByOrder, Clock::Utc);
    for symbol in ["ONE", "TWO", "THREE", "FOUR", "FIVE"] {
        writer.instruments().resolve(symbol, 0).unwrap();
    }
    let mut unit = Unit::default();
    for &(time, event) in units {
        unit.begin(0);
        unit.exchange_time = Timestamp::from_nanos(time);
        unit.events.push(Event { exchange_time: unit.exchange_time, ..event });
        unit.end();
        writer.unit(&unit, unit.exchange_time).unwrap();
    }
    write(path, &writer.finish().unwrap())
}

#[test]
fn what_is_said_of_all_holds_for_those_that_are_named_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let add = |id| {
        let (order, price, qty) = (1, Price::from_raw(1_000_000_000), Qty::from_raw(1));
        let add = Event::new(EventKind::Add, InstrumentId(id)).with_side(Some(Side::Buy));
        Event { order, price, qty, ..add }
    };
    let all = |kind| Event::new(kind, Event::ALL);
    let told = [
        (1, add(0)),
        (2, Event { order: 5, aux: 3, ..all(EventKind::Gap) }),
        (3, add(1)),
        (4, all(EventKind::Recovered)),
        (5, add(2)),
        (6, all(EventKind::Lost)),
        (7, add(3)),
        (8, all(EventKind::Reset)),
        (9, add(4)),
    ];
    let feed = event_file(&path("feed"), &told);
    let other = write(&path("other"), &day("OTHER", &[1]));
    let other_events = path("other.events").to_str().unwrap().to_owned();
    assert_eq!(convert(&[&other, "--day", "1971-01-01", &other_events]).0, 0);
    let out = path("out").to_str().unwrap().to_owned();
    let (code, _, trouble) = convert(&[&feed, &other_events, &out]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    let lines: Vec<String> = head(&out)
        .iter()
        .map(|line| line["1970-01-01T00:00:00.00000000".len()..].to_owned())
        .collect();
    let wanted = [
        "1Z add ONE buy 1 at 1 order 1, last",
        "2Z gap ONE of 3 from 5, last",
        "3Z gap TWO of 3 from 5",
        "3Z add TWO buy 1 at 1 order 1, last",
        "4Z recovered ONE",
        "4Z recovered TWO, last",
        "5Z add THREE buy 1 at 1 order 1, last",
        "6Z lost ONE of 0 from 0",
        "6Z lost TWO of 0 from 0",
        "6Z lost THREE of 0 from 0, last",
        "7Z lost FOUR of 0 from 0",
        "7Z add FOUR buy 1 at 1 order 1, last",
        "8Z reset ONE",
        "8Z reset TWO",
        "8Z reset THREE",
        "8Z reset FOUR, last",
        "9Z add FIVE buy 1 at 1 order 1, last",
    ];
    assert_eq!(lines[..wanted.len()], wanted);
}

#[test]
fn what_does_not_go_is_refused_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let one = write(&path("one"), &day("ONE", &[10]));
    let text = write(&path("text"), b"Dear reader\n");
    let out = path("out").to_str().unwrap().to_owned();
    for (arguments, reason) in [
        ([&one[..], &text[..]], "exists"),
        ([&text, &out], "not recognised"),
        ([path("none").to_str().unwrap(), &out], "cannot read"),
    ] {
        let (code, _, trouble) = convert(&arguments);
        assert!(code == 4 && trouble.contains(reason), "{reason}: {trouble}");
        assert!(!path("out").exists());
    }
    assert_eq!(std::fs::read(&text).unwrap(), b"Dear reader\n");
    assert_eq!(touchline(&["convert", &one]).status.code(), Some(2));
    // Times of day and UTC are no one order of time.
    let utc = path("utc").to_str().unwrap().to_owned();
    assert_eq!(convert(&[&one, "--day", "2025-07-17", &utc]).0, 0);
    let (code, _, trouble) = convert(&[&one, &utc, &out]);
    assert!(code == 4 && trouble.contains("give --day"), "{trouble}");
    assert!(!path("out").exists());
}

#[test]
fn what_stands_before_the_damage_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut bytes = day("ONE", &[10, 20]);
    bytes.extend([0, 0, b'A', 1, 2]);
    let one = write(&path("one"), &[&bytes[..], &day("ONE", &[30])].concat());
    let out = path("out").to_str().unwrap().to_owned();
    let cut = write(&path("cut"), &bytes[..bytes.len() - 10]);
    let (code, told, trouble) = convert(&[&cut, &out]);
    assert!(code == 0 && told.contains("1 events in 1 units"), "{told}");
    assert!(trouble.contains("cut: cut at byte 38: message 2 is cut off"), "{trouble}");
    std::fs::remove_file(&out).unwrap();
    let (code, told, trouble) = convert(&[&one, &out]);
    let found = inspect(&out);
    assert_eq!(found["error"], Value::Null);
    if code == 4 {
        assert!(trouble.contains("cannot be read on at byte 76"), "{trouble}");
        assert!(told.contains("2 events in 2 units"), "{told}");
    } else {
        panic!("{told}{trouble}");
    }
}
