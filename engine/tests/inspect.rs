//! `touchline inspect` as a user runs it: text, JSON, books, and its exit codes.

mod support;

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

fn touchline(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchline"));
    command.arg("inspect").args(arguments).output().unwrap()
}

fn text(arguments: &[&str]) -> (i32, String) {
    let output = touchline(arguments);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let (code, text) = text(&[arguments, &["--json"]].concat());
    (code, serde_json::from_str(&text).unwrap())
}

/// One message of ITCH behind its length.
fn framed(kind: u8, nanos: u64, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0, 3, 0, 0];
    message.extend(&nanos.to_be_bytes()[2..]);
    message.extend(body);
    [&(message.len() as u16).to_be_bytes(), &message[..]].concat()
}

const TEN: u64 = 36_000_000_000_000;

/// Two orders at ten o'clock, one of which leaves a minute later.
fn day() -> Vec<u8> {
    let order = |order: u64, side: u8, price: u32| {
        let id = order.to_be_bytes();
        [&id[..], &[side], &100u32.to_be_bytes(), b"DAY     ", &price.to_be_bytes()].concat()
    };
    [
        framed(b'A', TEN, &order(1, b'B', 100_000)),
        framed(b'A', TEN + 1, &order(2, b'S', 100_100)),
        framed(b'D', TEN + 60_000_000_000, &2u64.to_be_bytes()),
        framed(b'~', TEN + 60_000_000_001, b"of no type"),
    ]
    .concat()
}

fn write(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_day_is_shown_with_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("day"), &day()[..day().len() - 1]);
    let (code, shown) = text(&[&file, "--head", "2"]);
    assert_eq!(code, 0);
    for line in [
        "format        ITCH 5.0 BinaryFILE",
        "messages      3",
        "              A                                     2",
        "exchange time 10:00:00.000000000 to 10:01:00.000000000 (60.000 s, times of the venue's day)",
        "              DAY                                   3 events",
        "10:00:00.000000000 add DAY buy 100 at 10 order 1, last",
        "10:00:00.000000001 add DAY sell 100 at 10.01 order 2, last",
        "cut           at byte 97: message 4 is cut off: 22 of 23 bytes are there",
    ] {
        assert!(shown.contains(line), "{line:?} is not in\n{shown}");
    }
    assert_eq!(shown.matches("order ").count(), 2, "two events, no more");
}

#[test]
fn the_book_at_a_time_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("day"), &day());
    let book = |at: &str| json(&[&file, "--book", at]).1["book"].clone();
    let early = book("DAY@10:00:30");
    assert_eq!(early["state"], "live");
    assert_eq!(early["bids"]["levels"][0]["price"], "10");
    let ask = &early["asks"]["levels"][0];
    assert_eq!(
        (&ask["price"], &ask["qty"], &ask["orders"]),
        (&"10.01".into(), &"100".into(), &1.into())
    );
    let late = book("DAY");
    assert_eq!((&late["bids"]["depth"], &late["asks"]["depth"]), (&1.into(), &0.into()));
    assert_eq!(book("DAY@09:00:00")["error"], "no instrument DAY up to then");
    assert_eq!(book("NONE")["error"], "no instrument NONE up to then");
    let (_, shown) = text(&[&file, "--book", "DAY@10:00:30"]);
    assert!(shown.contains("(1) 100               10   10.01            (1) 100"), "{shown}");
    // With its day, the file has times that compare with others.
    let (_, dated) = json(&[&file, "--day", "2025-07-17T04:00:00"]);
    assert_eq!(dated["exchange_time"]["first"], "2025-07-17T14:00:00.000000000Z");
    assert_eq!(dated["clock"], "utc");
}

#[test]
fn machines_get_one_object_a_file_and_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(&folder.path().join("good"), &day());
    let (code, object) = json(&[&good]);
    assert_eq!((code, &object["messages"], &object["error"]), (0, &4.into(), &Value::Null));
    assert_eq!((&object["by_type"]["A"], &object["events"]), (&2.into(), &3.into()));
    assert_eq!(object["skipped"][0]["reason"], "unknown message type");
    assert_eq!(object["skipped"][0]["positions"], serde_json::json!([97]));
    let bad = write(&folder.path().join("bad"), b"hello");
    let (code, object) = json(&[&bad]);
    assert_eq!((code, &object["messages"]), (4, &0.into()));
    assert!(
        object["error"].as_str().unwrap().starts_with("not recognised: it begins with \"hello\"")
    );
    let (code, lines) = text(&["--json", &good, &bad, "/nowhere/at/all"]);
    assert_eq!((code, lines.lines().count()), (4, 3));
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()));
    let (code, _) = text(&[&bad]);
    assert_eq!(code, 4);
    for wrong in [["--book", "@10:00:00"], ["--day", "yesterday"], ["--head", "-1"]] {
        let output = touchline(&[&wrong[..], &[&good]].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(touchline(&[]).status.code(), Some(2));
}

#[test]
fn an_archive_is_the_recordings_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("days.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [("one", &day()[..]), ("read me", b"hello"), ("two", &day())] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    let (code, object) = json(&[path.to_str().unwrap()]);
    assert_eq!((code, &object["messages"]), (0, &8.into()));
    assert_eq!(object["members"][1]["name"], "two");
    assert_eq!(object["others"][0]["error"], "not recognised");
}

#[test]
fn recorded_files_have_the_counts_of_their_manifest() {
    for (file, format, messages, code) in [
        ("derived/ARL_20250717.derived.itch50.gz", "ITCH 5.0 BinaryFILE", 4_340, 0),
        ("itch50/ex20101224.TEST_ITCH_50.gz", "ITCH 5.0 BinaryFILE", 0, 4),
    ] {
        let Some(path) = support::data(file) else { continue };
        let (exit, object) = json(&[path.to_str().unwrap()]);
        assert_eq!((exit, object["messages"].as_u64()), (code, Some(messages)), "{file}");
        assert_eq!(object["format"], format);
    }
}

#[test]
fn a_capture_that_is_cut_says_so_and_was_read_to_its_end() {
    let Some(path) = support::data("iex/DEEP10.pcap.gz") else { return };
    let (code, object) = json(&[path.to_str().unwrap()]);
    assert_eq!(code, 0);
    let reason = object["cut"]["reason"].as_str().unwrap();
    assert!(reason.contains("460 of its 1490 bytes"), "{reason}");
    assert!(object["counts"]["packets"].as_u64().unwrap() > 10_000);
}

/// CME's messages tell orders beside levels: which of them make the book is asked for.
#[test]
fn books_are_by_level_or_by_order_as_is_asked_for() {
    let Some(path) = support::data("cme_mdp3/Cme.Mdp3.Sbe.v9.1.Example.pcap") else { return };
    let path = path.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let converted = folder.path().join("cme.events").to_str().unwrap().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchline"));
    let done = command.args(["convert", "--by-order", path, &converted]).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let of = ["--book", "408729"];
    for (arguments, books, orders) in [
        (vec![path], "by level", 0),
        (vec![path, "--by-order"], "by order", 1),
        (vec![&converted], "by order", 1),
    ] {
        let (code, object) = json(&[&arguments[..], &of].concat());
        assert_eq!((code, object["books"].as_str()), (0, Some(books)));
        let ask = &object["book"]["asks"]["levels"][0];
        assert_eq!((&ask["price"], &ask["qty"]), (&"2.75".into(), &"1000".into()));
        assert_eq!(ask["orders"], orders);
    }
}
