//! `touchline convert` of recordings that follow each other, or that do not go together.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn touchline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_touchline")).args(arguments).output().unwrap()
}

/// Exit code, standard output and standard error.
fn convert(arguments: &[&str]) -> (i32, String, String) {
    let output = touchline(&[&["convert"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn inspect(arguments: &[&str]) -> Value {
    let output = touchline(&[&["inspect", "--json"], arguments].concat());
    assert!(output.stderr.is_empty());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn write(path: &Path, text: impl AsRef<[u8]>) -> String {
    std::fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A depth frame of spot as a collector writes it, at this second.
fn depth(second: u64, symbol: &str, update: u64, qty: u64) -> String {
    format!(
        r#"{}000000000 {{"e":"depthUpdate","E":{}000,"s":"{symbol}","U":{update},"u":{update},"b":[["99.0","{qty}.0"]],"a":[]}}"#,
        1_723_075_200 + second,
        1_723_075_200 + second,
    ) + "\n"
}

/// The snapshot that a collector asked for at this second.
fn snapshot(second: u64, update: u64) -> String {
    let time = 1_723_075_200 + second;
    format!(
        r#"{time}000000000 {{"lastUpdateId":{update},"bids":[["99.0","5.0"]],"asks":[["101.0","1.0"]]}}"#
    ) + "\n"
}

/// A trade at this second.
fn trade(second: u64) -> String {
    let time = 1_723_075_200 + second;
    format!(
        r#"{time}000000000 {{"e":"trade","E":{time}000,"s":"BTCUSDT","t":{second},"p":"100.0","q":"1.0","T":{time}000,"m":true}}"#
    ) + "\n"
}

/// A collector that writes a file for each stream; the order in which they are named is of no matter.
#[test]
fn depth_and_trades_of_the_same_hours_go_into_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let frames: String = (2..20).map(|at| depth(at, "BTCUSDT", 6 + at, 5)).collect();
    let depth = write(&path("depth"), depth(0, "BTCUSDT", 7, 5) + &snapshot(1, 7) + &frames);
    let trades = write(&path("trades"), (3..19).map(trade).collect::<String>());
    for (at, both) in [[&depth, &trades], [&trades, &depth]].into_iter().enumerate() {
        let out = path(&at.to_string()).to_str().unwrap().to_owned();
        let (code, _, stderr) = convert(&[both[0], both[1], &out]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{both:?}");
    }
}

#[test]
fn a_day_that_goes_on_without_a_snapshot_is_joined_to_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let day = |symbol, second, update, with: bool| {
        let snapshot = if with { snapshot(second + 1, update) } else { String::new() };
        depth(second, symbol, update, 5) + &snapshot + &depth(second + 10, symbol, update + 1, 6)
    };
    let one = write(&path("one"), day("BTCUSDT", 0, 7, true));
    let two = write(&path("two"), day("BTCUSDT", 20, 9, false));
    // At the same time as the first, and at its end as far behind in the file's order.
    let other = write(&path("other"), day("ETHUSDT", 5, 7, true));
    let out = path("all.events").to_str().unwrap().to_owned();
    let (code, told, trouble) = convert(&[&one, &other, &two, &out]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    let as_one = inspect(&["--as-one", &one, &two])["events"].as_u64().unwrap();
    let alone = inspect(&[&other])["events"].as_u64().unwrap();
    assert!(as_one > 0 && alone > 0);
    assert!(told.contains(&format!("all.events: {} events in", as_one + alone)), "{told}");
    let book = touchline(&["inspect", &out, "--book", "BTCUSDT"]).stdout;
    let book = String::from_utf8(book).unwrap();
    assert!(book.contains("BTCUSDT, live") && book.contains("6               99"), "{book}");
    // Alone, the second day has no book, and says so.
    let alone = path("alone.events").to_str().unwrap().to_owned();
    let (code, _, trouble) = convert(&[&two, &alone]);
    assert_eq!(code, 0);
    let reason = "an update of a book whose next snapshot never came";
    assert!(trouble.contains(&format!("two: skipped 2 × {reason}")), "{trouble}");
    let skipped = &inspect(&[&two])["skipped"][0];
    assert_eq!((&skipped["reason"], &skipped["count"]), (&reason.into(), &2.into()));
}

#[test]
fn the_second_recorded_day_is_there() {
    let day = |day| support::data(&format!("binance_raw/spot/btcusdt_202408{day}.gz"));
    let Some((one, two)) = day("08").zip(day("09")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("two.events").to_str().unwrap().to_owned();
    let [one, two] = [&one, &two].map(|path| path.to_str().unwrap());
    let (code, told, trouble) = convert(&[one, two, &out]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    let as_one = inspect(&["--as-one", one, two]);
    assert_eq!(as_one["events"], 319_999);
    assert!(told.contains("two.events: 319,999 events in"), "{told}");
    assert_eq!(inspect(&[&out])["events"], as_one["events"]);
}

/// The same of USD-M futures.
fn futures(second: u64, symbol: &str, update: u64, qty: u64) -> String {
    let spot = depth(second, symbol, update, qty);
    let previous = update - 1;
    spot.replace(r#","b":"#, &format!(r#","pu":{previous},"b":"#))
}

#[test]
fn markets_that_call_their_instruments_alike_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let named = |name: &str| path(name).to_str().unwrap().to_owned();
    let spot = depth(0, "BTCUSDT", 7, 5) + &snapshot(1, 7) + &depth(10, "BTCUSDT", 8, 6);
    let spot = write(&path("spot"), spot);
    let other = futures(20, "BTCUSDT", 7, 5) + &snapshot(21, 7) + &futures(30, "BTCUSDT", 8, 6);
    let other = write(&path("futures"), other);
    let refused = "BTCUSDT is in an input of another format or market, too: here from \
                   Binance raw frames, USD-M futures, in ";
    let (code, _, trouble) = convert(&[&spot, &other, &named("both")]);
    assert!(code == 4 && trouble.contains(refused), "{trouble}");
    assert!(trouble.contains("spot from Binance raw frames, spot"), "{trouble}");
    assert!(!path("both").exists());
    // Event files say what they are from, also those that were made of event files.
    let [spot, other] = [(&spot, "spot"), (&other, "USD-M futures")].map(|(file, market)| {
        let [once, twice] = ["once", "twice"].map(|what| named(&format!("{what} {market}")));
        assert_eq!(convert(&[file, &once]).0, 0);
        assert_eq!(convert(&[&once, &twice]).0, 0);
        assert_eq!(inspect(&[&twice])["version"], format!("from Binance raw frames, {market}"));
        twice
    });
    let (code, _, trouble) = convert(&[&spot, &other, &named("both")]);
    assert!(code == 4 && trouble.contains(refused), "{trouble}");
}

#[test]
fn files_that_go_on_must_not_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let one = depth(0, "BTCUSDT", 7, 5) + &snapshot(1, 7) + &depth(50, "BTCUSDT", 8, 6);
    let one = write(&path("one"), one);
    let two = write(&path("two"), depth(20, "BTCUSDT", 8, 6) + &depth(60, "BTCUSDT", 9, 7));
    let out = path("out").to_str().unwrap().to_owned();
    let (code, _, trouble) = convert(&[&one, &two, &out]);
    let reason = "one, PATH/two: one file goes on where the next has begun, 30.000 s at byte";
    let reason = reason.replace("PATH", folder.path().to_str().unwrap());
    assert!(code == 4 && trouble.contains(&reason), "{trouble}");
    // Once more the same is no day that follows.
    let (code, _, trouble) = convert(&[&one, &one, &out]);
    let reason = "it tells the book of BTCUSDT at the same time as";
    assert!(code == 4 && trouble.contains(reason), "{trouble}");
    assert!(!path("out").exists());
}

#[test]
fn trades_stand_beside_the_book_of_their_exchange() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let head = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
    let rows = "deribit,X,1000,1005,true,ask,101.5,2\nderibit,X,5000,5005,false,ask,102,2\n";
    let book = write(&path("book"), [head, rows].concat());
    let trades = |exchange: &str| {
        let head = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n";
        let rows =
            format!("{exchange},X,2000,2005,7,buy,101.5,1\n{exchange},X,6000,6005,8,buy,102,1\n");
        write(&path(exchange), format!("{head}{rows}"))
    };
    let (same, other) = (trades("deribit"), trades("okex"));
    let out = |name: &str| path(name).to_str().unwrap().to_owned();
    let (code, told, trouble) = convert(&[&book, &same, &out("day")]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    assert!(told.contains("5 events in 4 units, 1 instruments"), "{told}");
    let (code, _, trouble) = convert(&[&book, &other, &out("two")]);
    assert!(code == 4 && trouble.contains("another format or market"), "{trouble}");
    let (code, _, trouble) = convert(&[&book, &same, &same, &out("two")]);
    let reason = "it tells trades of X at the same time as";
    assert!(code == 4 && trouble.contains(reason), "{trouble}");
}
