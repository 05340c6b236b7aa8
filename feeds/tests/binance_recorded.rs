//! Recorded frames of Binance: the venue's own best prices as the judge of the books.

mod common;

use common::levels::{ONLY, Run, read};
use common::recorded;
use feeds::recording::{Options, Source, open};
use market::{BookState, BookView, Price, Side};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};

/// Best bid and ask, price and quantity.
type Top = [(String, String); 2];

/// Compares the rebuilt book with the venue's best prices wherever both are of one update.
fn compared(test: &str, files: &[&str], symbol: &str) -> Option<(usize, u64)> {
    let paths: Vec<_> = files.iter().map(|file| recorded(test, file)).collect::<Option<_>>()?;
    let mut sources = paths.iter().map(Source::file);
    let source = sources.by_ref().fold(None, |all: Option<Source>, next| {
        Some(all.map_or(next.clone(), |all| all.followed_by(next)))
    });
    let source = source?;
    let mut run = Run::new(open(&source, Options::default()).unwrap());
    let (mut books, mut tickers): (HashMap<u64, Top>, Vec<(u64, Top)>) = Default::default();
    let decimal = |text: &Value| text.as_str().unwrap().parse::<Price>().unwrap().to_string();
    for line in BufReader::new(source.open().unwrap()).lines() {
        let line = line.unwrap();
        assert!(run.step());
        let frame: Value = serde_json::from_str(&line[20..]).unwrap();
        let data = frame.get("data").unwrap_or(&frame);
        let Some(update) = data["u"].as_u64() else { continue };
        if data["B"].is_string() {
            let side = |price, qty| (decimal(&data[price]), decimal(&data[qty]));
            tickers.push((update, [side("b", "B"), side("a", "A")]));
        } else if run.state(ONLY) == BookState::Live
            && let [Some(bid), Some(ask)] = run.top(ONLY)
        {
            books.insert(update, [bid, ask]);
        }
    }
    assert!(!run.step());
    assert_eq!(run.recording.instruments().all().len(), 1);
    assert_eq!(run.recording.instruments().all()[0].symbol, symbol);
    assert_eq!(run.recording.log().gaps().0, 0);
    assert_eq!((run.skipped(), run.recording.log().damaged().0), (vec![], 0));
    run.books.audit().unwrap();
    let mut equal = 0;
    for (update, ticker) in &tickers {
        if let Some(book) = books.get(update) {
            assert_eq!(book, ticker, "update {update}");
            equal += 1;
        }
    }
    Some((equal, run.recording.counts().messages))
}

/// The whole book as a snapshot by REST would have it.
fn taken(run: &Run<'_>, last: u64) -> String {
    let book = run.books.book(ONLY);
    let side = |side| {
        let levels = (0..book.depth(side)).filter_map(|depth| book.level(side, depth));
        let text =
            |level: market::Level| format!(r#"["{}","{}"]"#, level.price, level.qty.to_decimal(8));
        levels.map(text).collect::<Vec<_>>().join(",")
    };
    let (bids, asks) = (side(Side::Buy), side(Side::Sell));
    format!(r#"{{"lastUpdateId":{last},"bids":[{bids}],"asks":[{asks}]}}"#)
}

/// Frames are taken out of a recording, and later a snapshot stands in it: the book is as it was.
fn mended(test: &str, file: &str) {
    let Some(path) = recorded(test, file) else { return };
    let source = Source::file(path);
    let mut whole = Run::new(open(&source, Options::default()).unwrap());
    let (mut without, mut depth, mut update) = (Vec::new(), 0, 0);
    for line in BufReader::new(source.open().unwrap()).lines().take(20_000) {
        let line = line.unwrap();
        assert!(whole.step());
        let is_depth = line.contains("depthUpdate");
        depth += u64::from(is_depth);
        if is_depth {
            let frame: Value = serde_json::from_str(&line[20..]).unwrap();
            update = frame["data"]["u"].as_u64().unwrap();
        }
        if !(is_depth && (300..305).contains(&depth)) {
            without.extend_from_slice(line.as_bytes());
            without.push(b'\n');
        }
        // It is asked for behind the gap, and comes when some frames more have come.
        if is_depth && depth == 320 {
            let frame = taken(&whole, update);
            without.extend_from_slice(format!("{} {frame}\n", &line[..19]).as_bytes());
        }
    }
    let mut run = read(&without);
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    states.dedup();
    let gap = states.iter().position(|&state| state == BookState::Gap).unwrap();
    assert_eq!(run.recording.log().gaps().0, 1);
    assert_eq!(states.iter().filter(|&&state| state == BookState::Gap).count(), 1);
    assert!(states[gap - 1] == BookState::Live && states[gap + 1] == BookState::Live);
    assert_eq!(taken(&run, 0), taken(&whole, 0));
    assert_eq!(run.skipped(), []);
}

#[test]
fn recorded_books_are_whole_again_behind_frames_that_are_missing() {
    let test = "recorded_books_are_whole_again_behind_frames_that_are_missing";
    mended(test, "binance_raw/usdm/btcusdt_20240808.gz");
    mended(test, "binance_raw/cm/btcusd_perp_20240808.gz");
    mended(test, "binance_raw/spot/btcusdt_20240808.gz");
}

#[test]
fn recorded_books_of_usdm_are_the_venues() {
    let test = "recorded_books_of_usdm_are_the_venues";
    let august = compared(test, &["binance_raw/usdm/btcusdt_20240808.gz"], "BTCUSDT");
    assert!(august.is_none_or(|found| found == (629, 93_954)), "{august:?}");
    let july = ["binance_raw/usdm/btcusdt_20240718.gz", "binance_raw/usdm/btcusdt_20240719.gz"];
    let july = compared(test, &july, "BTCUSDT");
    assert!(july.is_none_or(|found| found == (625, 71_984)), "{july:?}");
}

#[test]
fn recorded_books_of_coinm_are_the_venues() {
    let test = "recorded_books_of_coinm_are_the_venues";
    let files =
        ["binance_raw/cm/btcusd_perp_20240808.gz", "binance_raw/cm/btcusd_perp_20240809.gz"];
    let found = compared(test, &files, "BTCUSD_PERP");
    assert!(found.is_none_or(|found| found == (1885, 98_386)), "{found:?}");
}

#[test]
fn recorded_books_of_spot_are_the_venues() {
    let test = "recorded_books_of_spot_are_the_venues";
    let files = ["binance_raw/spot/btcusdt_20240808.gz", "binance_raw/spot/btcusdt_20240809.gz"];
    let found = compared(test, &files, "BTCUSDT");
    assert!(found.is_none_or(|found| found == (1072, 99_574)), "{found:?}");
}
