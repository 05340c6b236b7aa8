//! Recorded frames, played by the venue over TLS: the books are those that the recording's reader makes
//! of the same lines.

use crate::desk::{Desk, levels};
use crate::support::data;
use crate::venue::{Meanwhile, Session, Venue};
use feeds::recording::{Options, Unit, open_bytes};
use flate2::read::MultiGzDecoder;
use market::book::LevelBooks;
use market::{BookState, InstrumentId};
use std::collections::HashMap;
use std::io::Read;

/// Messages that are sent before the desk is polled until they came.
const AT_ONCE: usize = 64;

/// The first lines of a recording.
fn lines(file: &str, count: usize) -> Option<Vec<String>> {
    let file = std::fs::File::open(data(file)?).unwrap();
    let mut text = String::new();
    MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text.lines().take(count).map(str::to_owned).collect())
}

type Levels = [Vec<(String, String)>; 2];

/// The books that the reader makes, by symbol; those that it does not hold for whole are left out.
fn read(lines: &[String]) -> HashMap<String, Levels> {
    let text = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"]).flatten().copied();
    let text: Vec<u8> = text.collect();
    let mut recording = open_bytes(&text, Options::default()).unwrap();
    let (mut books, mut unit) = (LevelBooks::growing(), Unit::default());
    while recording.next_unit(&mut unit).unwrap() {
        for event in &unit.events {
            assert!(books.admit(event.instrument));
            books.apply(event);
        }
    }
    let instruments = recording.instruments().all().iter();
    let whole = instruments.filter(|one| {
        // Of what is cheap the reader counts larger units than the desk.
        let same = one.qty_digits == 8;
        same && !matches!(
            market::BookView::state(books.book(one.id)),
            BookState::Recovering | BookState::Gap | BookState::Suspect
        )
    });
    whole.map(|one| (one.symbol.clone(), levels(books.book(one.id)))).collect()
}

/// Sends them, as fast as the desk reads.
fn play(session: &mut Session, desk: &mut Desk, frames: &[&str]) {
    for frames in frames.chunks(AT_ONCE) {
        let before = desk.counters().messages;
        frames.iter().for_each(|frame| session.send(frame));
        desk.until_received(before + frames.len() as u64);
    }
    // What waits for room comes before anything else is read.
    (0..1_000).for_each(|_| desk.poll());
}

fn binance(file: &str, symbol: &str) {
    let Some(lines) = lines(file, 8_000) else { return };
    let (snapshots, frames): (Vec<&str>, Vec<&str>) =
        lines.iter().map(|line| &line[20..]).partition(|line| line.contains("lastUpdateId"));
    let venue = Venue::new();
    let mut desk = Desk::new(&venue, "binance-websocket", &[symbol], "");
    let mut session = venue.accept(&mut desk);
    session.text(&mut desk);
    let (early, late) = frames.split_at(200);
    play(&mut session, &mut desk, early);
    venue.snapshot(&mut desk, snapshots[0]);
    desk.until_state(0, BookState::Live);
    play(&mut session, &mut desk, late);
    assert_eq!(desk.levels(0), read(&lines)[symbol]);
    let counters = desk.counters();
    assert_eq!((counters.gaps, counters.lost, counters.garbled), (1, 0, 0));
    assert_eq!(counters.messages, frames.len() as u64);
}

#[test]
fn recorded_frames_of_binance_make_the_books_of_their_reader() {
    binance("binance_raw/spot/btcusdt_20240808.gz", "BTCUSDT");
    binance("binance_raw/usdm/btcusdt_20240808.gz", "BTCUSDT");
    binance("binance_raw/cm/btcusd_perp_20240808.gz", "BTCUSD_PERP");
}

/// Frames of cryptofeed's recorder, of all symbols, on one connection.
fn cryptofeed(file: &str, protocol: &str, keys: &str, subscriptions: usize) {
    let Some(lines) = lines(file, usize::MAX) else { return };
    let expected = read(&lines);
    let mut symbols: Vec<&str> = expected.keys().map(String::as_str).collect();
    symbols.sort_unstable();
    let frames: Vec<&str> = lines
        .iter()
        .filter(|line| !line.starts_with("wss://") && !line.starts_with("configuration"))
        .filter_map(|line| line.split_once(": ").map(|(_, frame)| frame))
        .collect();
    let venue = Venue::new();
    let mut desk = Desk::new(&venue, protocol, &symbols, keys);
    let mut session = venue.accept(&mut desk);
    (0..subscriptions).for_each(|_| drop(session.text(&mut desk)));
    play(&mut session, &mut desk, &frames);
    for (id, symbol) in (0u32..).zip(&symbols) {
        assert_eq!(desk.levels(id), expected[*symbol], "{symbol}");
        assert_eq!(desk.counters().gaps, symbols.len() as u64, "{:?}", InstrumentId(id));
    }
    assert!(symbols.len() >= 9, "{symbols:?}");
    assert_eq!((desk.counters().lost, desk.counters().garbled), (0, 0));
}

#[test]
fn recorded_frames_of_coinbase_make_the_books_of_their_reader() {
    cryptofeed("cryptofeed_ws/COINBASE.ws.28.0.gz", "coinbase-websocket", "", 1);
}

#[test]
fn recorded_frames_of_kraken_make_the_books_of_their_reader() {
    let keys = "book = \"book-1000\"";
    cryptofeed("cryptofeed_ws/KRAKEN.ws.50.0.gz", "kraken-websocket", keys, 2);
}
