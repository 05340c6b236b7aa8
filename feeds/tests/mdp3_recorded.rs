//! MDP 3.0 as it was recorded: lines, numbers, versions, and books against what the messages say.

mod common;

use common::recorded;
use feeds::capture::{Carried, Walker, transport};
use feeds::mdp3::wire::{Group, Packet, Size};
use feeds::recording::{Books, Log, Options, Recording, Source, Unit, open, open_bytes};
use market::book::by_level::LevelBooks;
use market::{BookView, Event, EventKind, Side};
use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};

const EXAMPLE: &str = "cme_mdp3/Cme.Mdp3.Sbe.v8.1.Example.pcap";

fn count(recording: &dyn Recording, name: &str) -> u64 {
    let counts = recording.counts();
    counts.others.iter().find(|&&(other, _)| other == name).map_or(0, |&(_, count)| count)
}

/// The events of a recording, their receive times left out.
fn events(recording: &mut dyn Recording) -> Vec<Event> {
    let (mut unit, mut events) = (Unit::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        events.extend(unit.events.iter().map(|event| Event { received: 0, ..*event }));
    }
    events
}

/// Frames of the capture, each with what tells its line.
fn frames(path: &Path, line: impl Fn(SocketAddrV4) -> u8) -> Vec<(u8, u64, Vec<u8>)> {
    let (mut walker, mut log) = (Walker::new(File::open(path).unwrap()), Log::default());
    let mut frames = Vec::new();
    while let Some(frame) = walker.next_frame(&mut log).unwrap() {
        let Ok(Carried::Datagram(datagram)) = transport(&frame) else { continue };
        frames.push((line(datagram.to), frame.time.nanos(), frame.bytes.to_vec()));
    }
    frames
}

/// Lines A and B of the example differ by it.
fn third_octet(to: SocketAddrV4) -> u8 {
    to.ip().octets()[2]
}

/// Only those frames, as a capture of its own.
fn only(frames: &[(u8, u64, Vec<u8>)], line: u8) -> Vec<u8> {
    let of = frames.iter().filter(|&&(of, ..)| of == line);
    let kept: Vec<(u64, Vec<u8>)> = of.map(|(_, time, frame)| (*time, frame.clone())).collect();
    common::packets::pcap(common::packets::Style { big: false, nanos: true }, 1, &kept)
}

#[test]
fn both_lines_give_the_same_events_and_arbitration_gives_each_once() {
    let test = "both_lines_give_the_same_events_and_arbitration_gives_each_once";
    let Some(path) = recorded(test, EXAMPLE) else { return };
    let mut both = open(&Source::file(&path), Options::default()).unwrap();
    let all = events(&mut *both);
    assert_eq!(both.counts().messages, 10_598);
    assert_eq!(count(&*both, "packets"), 10_000);
    assert_eq!(count(&*both, "packets in sequence"), 5_000);
    assert_eq!(count(&*both, "duplicate packets"), 5_000);
    assert_eq!((count(&*both, "lines"), count(&*both, "channels")), (2, 1));
    for nothing in ["packets lost", "breaks of RptSeq", "old updates", "contradictions"] {
        assert_eq!(count(&*both, nothing), 0, "{nothing}");
    }
    assert_eq!((both.log().gaps().0, both.log().damaged().0), (0, 0));
    assert_eq!(both.log().skipped().count(), 0);
    assert_eq!(both.describe().books, Books::ByLevel);
    assert!(both.describe().version.ends_with("schema 1 version 8"));
    assert_eq!(both.instruments().all().len(), 39);
    let frames = frames(&path, third_octet);
    for line in [31, 32] {
        let alone = only(&frames, line);
        let mut alone = open_bytes(&alone, Options::default()).unwrap();
        let events = events(&mut *alone);
        assert_eq!(alone.counts().messages, 5_299);
        assert_eq!(count(&*alone, "packets in sequence"), 5_000);
        assert!(events == all, "line {line} differs");
    }
}

/// Every change and deletion names the price that the books have at that level: the books are read
/// level by level beside the messages, found without the reader.
#[test]
fn every_level_that_is_named_has_its_price_in_the_book() {
    let test = "every_level_that_is_named_has_its_price_in_the_book";
    let Some(path) = recorded(test, EXAMPLE) else { return };
    let alone = only(&frames(&path, third_octet), 31);
    let (mut walker, mut log) = (Walker::new(&alone[..]), Log::default());
    let mut ladders: BTreeMap<(i32, u8), Vec<Option<i64>>> = BTreeMap::new();
    let (mut named, mut known) = (0, 0);
    while let Some(frame) = walker.next_frame(&mut log).unwrap() {
        let Ok(Carried::Datagram(datagram)) = transport(&frame) else { panic!("no datagram") };
        let packet = Packet::parse(datagram.payload).unwrap();
        for message in packet.messages().filter(|message| message.template == 32) {
            let mut rest = message.rest;
            for entry in Group::take(&mut rest, Size::Short).unwrap().entries() {
                let key = (entry.i32(12).unwrap(), entry.u8(26).unwrap());
                let ladder = ladders.entry(key).or_insert_with(|| vec![None; 10]);
                let at = usize::from(entry.u8(24).unwrap()) - 1;
                let price = entry.i64(0);
                named += 1;
                match entry.u8(25).unwrap() {
                    0 => {
                        ladder.insert(at, price);
                        ladder.truncate(10);
                        continue;
                    }
                    action => {
                        known += u32::from(ladder[at].is_some());
                        assert!(ladder[at].is_none_or(|stands| Some(stands) == price));
                        ladder[at] = price;
                        if action == 2 {
                            ladder.remove(at);
                            ladder.push(None);
                        }
                    }
                }
            }
        }
    }
    assert!(named > 5_000 && known > 3_000, "{named} {known}");
    // The books hold the same prices, and nothing else.
    let mut recording = open_bytes(&alone, Options::default()).unwrap();
    let mut books = LevelBooks::growing();
    for event in events(&mut *recording) {
        if event.instrument != Event::ALL {
            books.admit(event.instrument);
        }
        let applied = books.apply(&event);
        assert_eq!(applied.contradiction, None, "{event:?}");
    }
    books.audit().unwrap();
    for known in recording.instruments().all() {
        let security: i32 = known.symbol.parse().unwrap();
        for (side, kind) in [(Side::Buy, b'0'), (Side::Sell, b'1')] {
            let ladder = ladders.get(&(security, kind)).cloned().unwrap_or_default();
            let mut wanted: Vec<i64> = ladder.into_iter().flatten().map(|p| p * 100).collect();
            let book = books.book(known.id);
            let mut found: Vec<i64> = (0..)
                .map_while(|depth| book.level(side, depth))
                .map(|level| level.price.raw())
                .collect();
            wanted.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, wanted, "{security} {side:?}");
        }
    }
}

/// Each line lacks packets, since the capture is a cut; together they lack none.
#[test]
fn the_gaps_of_one_line_of_many_channels_are_filled_by_the_other() {
    let test = "the_gaps_of_one_line_of_many_channels_are_filled_by_the_other";
    let path = "cme_mdp3/Cme.Mdp3.Sbe.v9.1.Example.pcap";
    let Some(path) = recorded(test, path) else { return };
    let mut recording = open(&Source::file(&path), Options::default()).unwrap();
    let all = events(&mut *recording);
    assert_eq!(recording.counts().messages, 194);
    assert_eq!(count(&*recording, "packets"), 100);
    assert_eq!((count(&*recording, "lines"), count(&*recording, "channels")), (18, 9));
    assert_eq!(count(&*recording, "packets in sequence"), 52);
    assert_eq!(recording.log().gaps().0, 0);
    assert_eq!(count(&*recording, "contradictions"), 0);
    assert!(all.iter().any(|event| event.kind() == Some(EventKind::Trade)));
    assert!(recording.describe().version.ends_with("schema 1 version 9"));
    let frames = frames(&path, |to| (to.port() / 1_000) as u8);
    for (line, gaps, breaks) in [(14, 3, 1), (15, 1, 0)] {
        let alone = only(&frames, line);
        let mut alone = open_bytes(&alone, Options::default()).unwrap();
        events(&mut *alone);
        assert_eq!(alone.log().gaps().0, gaps);
        assert_eq!(count(&*alone, "breaks of RptSeq"), breaks);
    }
}

fn captures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            captures(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The template that a capture is named after is in it, and every message of every version is read
/// to its last byte.
#[test]
fn single_captures_of_every_version_are_read_to_their_last_byte() {
    let test = "single_captures_of_every_version_are_read_to_their_last_byte";
    let Some(root) = recorded(test, "omi_single/Cme") else { return };
    let mut paths = Vec::new();
    captures(&root, &mut paths);
    paths.retain(|path| path.to_string_lossy().contains("Mdp3"));
    let mut messages = 0;
    for path in &paths {
        let mut recording = open(&Source::file(path), Options::default()).unwrap();
        let events = events(&mut *recording);
        let counts = recording.counts();
        let name = path.file_stem().unwrap().to_string_lossy().to_lowercase();
        let named = |of: &str| of.to_lowercase().contains(&name);
        assert!(counts.by_type.iter().any(|(of, _)| named(of)), "{}", path.display());
        assert!(counts.by_type.iter().all(|(of, _)| of != "unknown"));
        assert_eq!(recording.log().damaged().0, 0, "{}", path.display());
        assert_eq!(recording.log().skipped().count(), 0, "{}", path.display());
        assert!(!events.is_empty() || name.contains("orderbook"), "{}", path.display());
        messages += counts.messages;
    }
    assert!(paths.len() >= 10 && messages >= 33, "{} {messages}", paths.len());
}

#[test]
fn definitions_name_their_securities() {
    let test = "definitions_name_their_securities";
    let path = "omi_single/Cme/Mdp3.Sbe.v1.5/MdInstrumentDefinitionSpread.pcap";
    let Some(path) = recorded(test, path) else { return };
    let mut recording = open(&Source::file(path), Options::default()).unwrap();
    assert_eq!(events(&mut *recording).len(), 5);
    let symbols: Vec<&str> =
        recording.instruments().all().iter().map(|known| known.symbol.as_str()).collect();
    assert_eq!(symbols, ["ESM6-ESU6", "ESM6-ESZ6", "ESU6", "ESU6-ESZ6", "ESZ5"]);
    let of = |symbol| recording.instruments().find(symbol).unwrap().definition.clone().unwrap();
    let (spread, future) = (of("ESU6-ESZ6"), of("ESZ5"));
    assert_eq!(spread.currency, "USD");
    assert_eq!(future.tick.unwrap().to_string(), "25");
    assert_eq!(future.multiplier, Some(50_000_000_000));
    assert!(future.expiry.is_some() && future.details.contains(&("Asset", "ES".to_owned())));
    assert!(future.details.contains(&("MarketDepth", "10".to_owned())));
}
