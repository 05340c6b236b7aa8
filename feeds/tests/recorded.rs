//! Recorded data: a whole derived day, and a broken file.

mod common;

use common::{listing, recorded};
use feeds::file::Reader;
use feeds::itch50::{Decoder, Message, Skip, message};
use feeds::moldudp64::{Config, Datagram, Line, Publisher, Session};
use feeds::recording::{Input, Options, Recording, Source, Unit, Wanted, open};
use feeds::{Feed, ItchFile};
use flate2::read::GzDecoder;
use market::book::{BookLimits, OrderBooks};
use market::{
    BookView, Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, Price, Side, Timestamp,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// 2025-07-17 in New York begins at 04:00 UTC.
const ARL_BASE: Timestamp = Timestamp::from_nanos(1_752_724_800_000_000_000);

fn messages(path: &Path) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(Source::file(path).open().unwrap());
    let mut messages = Vec::new();
    while let Some(message) = reader.next_message().unwrap() {
        messages.push(message.to_vec());
    }
    messages
}

fn arl(path: &Path) -> ItchFile<Input<'static>> {
    let wanted = Wanted::Only(vec![Instrument::share(0, "ARL")]);
    let options = Options { wanted, day: Some(ARL_BASE), ..Options::default() };
    ItchFile::new(Source::file(path).open().unwrap(), &options).unwrap()
}

#[test]
fn the_derived_day_of_arl_is_read_whole() {
    let test = "the_derived_day_of_arl_is_read_whole";
    let Some(path) = recorded(test, "derived/ARL_20250717.derived.itch50.gz") else { return };
    let decoder = Decoder::new(&[listing("ARL", 0)], ARL_BASE).unwrap();
    let mut source = arl(&path);
    let (mut events, mut unit): (Vec<Event>, _) = (Vec::new(), Unit::default());
    while source.next_unit(&mut unit).unwrap() {
        events.extend(unit.events.iter().filter(|event| event.kind() != Some(EventKind::Entry)));
    }
    let counters = source.decoder().counters();
    assert_eq!(counters.messages(), 4340);
    for (kind, count) in [
        (b'A', 1384),
        (b'D', 1371),
        (b'U', 1531),
        (b'E', 11),
        (b'P', 35),
        (b'S', 6),
        (b'R', 1),
        (b'H', 1),
    ] {
        assert_eq!(counters.by_type(kind), count, "{}", kind as char);
    }
    assert!(Skip::ALL.iter().all(|&reason| counters.skipped(reason) == 0));
    assert_eq!((counters.time_backwards, counters.events), (0, events.len() as u64));

    // Published and received, it gives the same events in other groups.
    let mut feed = Feed::new(Config::new(1), decoder, false);
    let mut publisher = Publisher::new(Session::new("ARL").unwrap(), 1, 1400, Nanos::SECOND);
    let mut received: Vec<Event> = Vec::new();
    let mut send = |publisher: &mut Publisher| {
        let Some(bytes) = publisher.take(ARL_BASE) else { return };
        let datagram = Datagram { bytes, truncated: false, from: None, received: 0 };
        feed.on_datagram(Line::Live(0), &datagram, ARL_BASE, &mut received);
    };
    for message in messages(&path) {
        if publisher.push(&message).is_err() {
            send(&mut publisher);
            publisher.push(&message).unwrap();
        }
    }
    send(&mut publisher);
    assert!(feed.receiver().counters().live[0].first > 100);
    for event in events.iter_mut().chain(&mut received) {
        event.flags = EventFlags(event.flags.0 & !EventFlags::LAST.0);
    }
    assert_eq!(received, events);
}

/// The vendor's ten levels, bid and ask, after the last row of each sequence.
fn vendor_levels(path: &Path) -> BTreeMap<u64, [Vec<(Price, i64)>; 2]> {
    let mut levels = BTreeMap::new();
    for row in std::fs::read_to_string(path).unwrap().lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let side = |at: usize| {
            let level = |i: usize| (cells[14 + 6 * i + at], cells[15 + 6 * i + at]);
            let given = (0..10).map(level).filter(|(price, _)| !price.is_empty());
            given.map(|(price, size)| (price.parse().unwrap(), size.parse().unwrap())).collect()
        };
        levels.insert(cells[13].parse().unwrap(), [side(0), side(3)]);
    }
    levels
}

#[test]
fn the_books_of_the_derived_day_are_the_vendors() {
    let test = "the_books_of_the_derived_day_are_the_vendors";
    let Some(path) = recorded(test, "derived/ARL_20250717.derived.itch50.gz") else { return };
    let Some(vendor) = recorded(test, "databento_csv/mbp.csv") else { return };
    let vendor = vendor_levels(&vendor);
    let mut text = String::new();
    let map = path.with_file_name("ARL_20250717.derived.itch50.seqmap.csv.gz");
    GzDecoder::new(File::open(map).unwrap()).read_to_string(&mut text).unwrap();
    let sequences: Vec<u64> =
        text.lines().filter_map(|line| line.split(',').nth(1)?.parse().ok()).collect();
    let mut source = arl(&path);
    let mut books = OrderBooks::new(BookLimits { instruments: 1, orders: 4096, levels: 1024 });
    let (mut unit, mut compared) = (Unit::default(), 0);
    for (at, sequence) in sequences.iter().enumerate() {
        assert_eq!(source.next_unit(&mut unit), Ok(true));
        for event in &unit.events {
            assert_eq!(books.apply(event).contradiction, None, "message {}", at + 1);
        }
        let last = sequences.get(at + 1) != Some(sequence);
        if let Some(want) = vendor.get(sequence).filter(|_| last && *sequence != 0) {
            let book = books.book(InstrumentId(0));
            for (side, want) in Side::BOTH.into_iter().zip(want) {
                let levels = (0..10).map_while(|depth| book.level(side, depth));
                let levels: Vec<_> = levels.map(|level| (level.price, level.qty.raw())).collect();
                assert_eq!(&levels, want, "{side:?} after message {}", at + 1);
            }
            compared += 1;
        }
    }
    assert_eq!((sequences.len(), compared), (4340, 3359));
}

#[test]
fn every_message_of_the_derived_day_writes_itself_again() {
    let test = "every_message_of_the_derived_day_writes_itself_again";
    let Some(path) = recorded(test, "derived/ARL_20250717.derived.itch50.gz") else { return };
    for bytes in messages(&path) {
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.write(&mut [0; message::LENGTH_MAX]), bytes);
    }
}

#[test]
fn the_sample_with_empty_lengths_is_refused() {
    let test = "the_sample_with_empty_lengths_is_refused";
    let Some(path) = recorded(test, "itch50/ex20101224.TEST_ITCH_50.gz") else { return };
    let mut source = open(&Source::file(path), Options::default()).unwrap();
    let error = source.next_unit(&mut Unit::default()).unwrap_err();
    assert!(error.reason.contains("length 0") && error.position == 0, "{error}");
    assert_eq!(source.counts().messages, 0);
}
