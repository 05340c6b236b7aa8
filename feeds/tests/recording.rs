//! What a file is, and that its packing does not matter; ITCH 5.0 as a recording.

mod common;

use common::{bytes, recorded};
use feeds::itch50::Message;
use feeds::itch50::message::{AddOrder, Deleted, Header, Imbalance, StockDirectory};
use feeds::recording::{
    Clock, Instruments, LineEnd, Lines, OpenError, Options, Recording, Source, Unit, Wanted, open,
    open_bytes,
};
use market::{EventKind, InstrumentId, Said, Timestamp};
use std::io::Write;
use std::path::Path;

const STOCK: [u8; 8] = *b"TEST    ";

fn header(time: u64) -> Header {
    Header { locate: 9, tracking: 0, time }
}

/// A directory message, an imbalance, an order and its end, each behind its length.
fn day() -> Vec<u8> {
    let mut directory = [b' '; 39];
    directory[0] = b'R';
    directory[1..11].copy_from_slice(&[0, 9, 0, 0, 0, 0, 0, 0, 0, 1]);
    directory[11..19].copy_from_slice(&STOCK);
    directory[21..25].copy_from_slice(&100u32.to_be_bytes());
    let directory = StockDirectory::read(&directory).unwrap();
    let imbalance = Imbalance {
        header: header(2),
        paired: 300,
        imbalance: 40,
        direction: b'S',
        stock: STOCK,
        far: 0,
        near: 100_100,
        reference: 100_000,
        cross_type: b'O',
        variation: b' ',
    };
    let (order, shares, price) = (77, 100, 100_000);
    let add = AddOrder { header: header(3), order, side: b'B', shares, stock: STOCK, price };
    let messages = [
        Message::StockDirectory(directory),
        Message::Imbalance(imbalance),
        Message::AddOrder(add),
        Message::Deleted(Deleted { header: header(4), order }),
    ];
    framed(&messages.map(bytes))
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let frame = |message: &Vec<u8>| [&(message.len() as u16).to_be_bytes(), &message[..]].concat();
    messages.iter().flat_map(frame).collect()
}

/// Every unit, as the kinds of its events.
fn kinds(recording: &mut dyn Recording) -> Vec<Vec<EventKind>> {
    let (mut unit, mut all) = (Unit::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        all.push(unit.events.iter().filter_map(market::Event::kind).collect());
    }
    all
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn zip(path: &Path, members: &[(&str, &[u8])]) {
    let mut writer = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (at, (name, content)) in members.iter().enumerate() {
        let method = [zip::CompressionMethod::Deflated, zip::CompressionMethod::Stored][at % 2];
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap();
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn a_day_gives_events_entries_and_an_instrument() {
    let file = day();
    let mut recording = open_bytes(&file, Options::default()).unwrap();
    assert_eq!(recording.describe().clock, Clock::TimeOfDay);
    let mut unit = Unit::default();
    assert!(recording.next_unit(&mut unit).unwrap());
    let Said::Definition(definition) = &unit.side_entry(0).unwrap().said else { panic!() };
    assert_eq!((definition.symbol.as_str(), definition.venue_id), ("TEST", 9));
    assert!(recording.next_unit(&mut unit).unwrap());
    assert_eq!(unit.side_entry(0), None, "it was of the unit before");
    let Said::Imbalance(imbalance) = &unit.side_entry(1).unwrap().said else { panic!() };
    assert_eq!((imbalance.paired.raw(), imbalance.unpaired.raw(), imbalance.far), (300, 40, None));
    assert_eq!(unit.position, 41);
    assert_eq!(kinds(&mut *recording), [[EventKind::Add], [EventKind::Delete]]);
    assert_eq!(recording.next_unit(&mut unit), Ok(false));
    let known = recording.instruments().find("TEST").unwrap();
    assert_eq!((known.id, known.definition.as_ref().unwrap().venue_id), (InstrumentId(0), 9));
    let counts = recording.counts();
    let types: Vec<&str> = counts.by_type.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((counts.messages, types), (4, vec!["R", "A", "D", "I"]));
}

#[test]
fn wanted_instruments_keep_their_ids_and_others_are_silent() {
    let file = day();
    let one = |symbol| vec![market::Instrument::share(5, symbol)];
    let day = Timestamp::from_nanos(86_400_000_000_000);
    let wanted = |symbol| {
        let wanted = Wanted::Only(one(symbol));
        let options = Options { wanted, day: Some(day), keep_messages: true, ..Options::default() };
        let mut recording = open_bytes(&file, options).unwrap();
        assert_eq!(recording.describe().clock, Clock::Utc);
        let (mut unit, mut ids, mut messages) = (Unit::default(), Vec::new(), Vec::new());
        while recording.next_unit(&mut unit).unwrap() {
            ids.extend(unit.events.iter().map(|event| event.instrument.0));
            messages.extend(unit.messages.iter().map(<[u8]>::to_vec));
            assert!(unit.exchange_time > day);
        }
        assert_eq!(framed(&messages), file);
        ids
    };
    assert_eq!(wanted("TEST"), [5; 4]);
    assert_eq!(wanted("OTHER"), [0u32; 0]);
}

#[test]
fn packing_of_any_kind_changes_nothing() {
    let (plain, folder) = (day(), tempfile::tempdir().unwrap());
    let expected = kinds(&mut *open_bytes(&plain, Options::default()).unwrap());
    let two_frames = [zstd(&plain[..50]), zstd(&plain[50..])].concat();
    // A frame to be skipped, as parallel packers write it, and then a real one.
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4], &zstd(&plain)[..]].concat();
    for packed in [gzip(&plain), zstd(&plain), gzip(&zstd(&plain)), two_frames, skipped] {
        let mut recording = open_bytes(&packed, Options::default()).unwrap();
        assert_eq!(kinds(&mut *recording), expected);
    }
    let path = folder.path().join("no-name-tells");
    let packed = gzip(&plain);
    let members: [(&str, &[u8]); 3] = [("one", &plain), ("two", &packed), ("three", b"hello")];
    for archive in [None, Some(tar(&members)), Some(gzip(&tar(&members)))] {
        match archive {
            None => zip(&path, &members),
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
        }
        let sources = Source::list(&path).unwrap();
        let names: Vec<&str> = sources.iter().map(Source::name).collect();
        assert_eq!(names, ["one", "two", "three"]);
        for source in &sources[..2] {
            assert_eq!(kinds(&mut *open(source, Options::default()).unwrap()), expected);
        }
        assert!(matches!(open(&sources[2], Options::default()), Err(OpenError::Unknown { .. })));
        let sibling = sources[0].sibling("two").unwrap().unwrap();
        assert_eq!(sibling.to_string(), format!("{}!two", path.display()));
        assert_eq!(sources[0].sibling("none").unwrap(), None);
    }
    std::fs::write(folder.path().join("beside"), &plain).unwrap();
    let sibling = Source::file(&path).sibling("beside").unwrap().unwrap();
    assert_eq!(kinds(&mut *open(&sibling, Options::default()).unwrap()), expected);
}

fn refusal(bytes: &[u8]) -> String {
    match open_bytes(bytes, Options::default()) {
        Ok(_) => panic!("{:?} was opened", bytes.escape_ascii().to_string()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn bad_input_what_is_not_known_is_a_clear_no() {
    assert!(refusal(b"").contains("empty"));
    let no = refusal(b"hello world");
    assert!(no.contains("begins with \"hello world\"; looked for ITCH 5.0 BinaryFILE, "), "{no}");
    assert!(refusal(&[0; 40]).contains("begins with 00 00 00"));
    assert!(refusal(b"\xfd7zXZ\0rest").contains("unpack it with `xz -dk`"));
    assert!(refusal(b"\x50\x2a\x4d\x18\x90\0\0\0DBZ\x01").starts_with("DBZ: "));
    assert!(refusal(b"TLJOURN1").contains("touchline replay"));
    // Packed more often than any recording is, and packed wrongly.
    let mut deep = day();
    for _ in 0..6 {
        deep = gzip(&deep);
    }
    assert!(refusal(&deep).contains("packed more than"));
    assert!(!refusal(b"\x28\xb5\x2f\xfd\xff\xff\xff").is_empty());
}

#[test]
fn bad_input_an_itch_file_ends_where_it_breaks() {
    let file = day();
    let ends = [41, 93, 131, file.len()];
    for length in 1..file.len() {
        let Ok(mut recording) = open_bytes(&file[..length], Options::default()) else {
            assert!(length < 3, "{length} bytes of a first message were not recognised");
            continue;
        };
        let whole = ends.iter().filter(|&&end| end <= length).count();
        assert_eq!(kinds(&mut *recording).len(), whole);
        let cut = recording.log().is_cut().map(|cut| cut.position as usize);
        let last = ends[..whole].last().copied().unwrap_or(0);
        assert_eq!(cut, (last != length).then_some(last));
    }
    let zero = [&file[..41], &[0, 0], &file[43..]].concat();
    let mut recording = open_bytes(&zero, Options::default()).unwrap();
    let mut unit = Unit::default();
    assert_eq!(recording.next_unit(&mut unit), Ok(true));
    let broken = recording.next_unit(&mut unit).unwrap_err();
    assert!(broken.position == 41 && broken.reason.contains("length 0"), "{broken}");
    assert_eq!(recording.next_unit(&mut unit), Err(broken));
}

#[test]
fn bad_input_what_itch_skips_has_a_reason_and_a_place() {
    let known = day();
    let bad = framed(&[
        vec![b'~'; 20],
        bytes(Message::Deleted(Deleted {
            header: Header { locate: 400, tracking: 0, time: 5 },
            order: 1,
        })),
    ]);
    let file = [&known[..], &bad].concat();
    let mut recording = open_bytes(&file, Options::default()).unwrap();
    assert_eq!(kinds(&mut *recording).len(), 6);
    let skipped: Vec<_> = recording.log().skipped().collect();
    let at = known.len() as u64;
    assert_eq!(
        skipped,
        [
            ("locate code was never announced", 1, &[at + 22][..]),
            ("unknown message type", 1, &[at])
        ]
    );
}

#[test]
fn lines_have_places_and_ends() {
    let ends = |text: &[u8]| {
        let mut lines = Lines::new(text);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push((line.position, line.text.len(), line.end));
        }
        assert_eq!(lines.position(), text.len() as u64);
        found
    };
    use LineEnd::{Open, TooLong, Whole};
    assert_eq!(ends(b""), []);
    assert_eq!(ends(b"one\r\n\ntwo"), [(0, 3, Whole), (5, 0, Whole), (6, 3, Open)]);
    // Longer than a window, and longer than any line: the next is found all the same.
    let (long, longer) = (vec![b'x'; 3 << 20], vec![b'y'; 9 << 20]);
    let text = [&long[..], b"\n", &longer, b"\nend\n"].concat();
    let (first, second) = (long.len() as u64 + 1, (long.len() + longer.len()) as u64 + 2);
    let expected = [(0, 3 << 20, Whole), (first, 0, TooLong), (second, 3, Whole)];
    assert_eq!(ends(&text), expected);
    assert_eq!(ends(&longer), [(0, 0, TooLong)]);
}

#[test]
fn bad_input_made_up_symbols_do_not_fill_the_memory() {
    let mut table = Instruments::new(&Wanted::All);
    for at in 0..Instruments::MAX + 10 {
        assert_eq!(table.resolve(&format!("S{at}"), 0).is_some(), at < Instruments::MAX);
    }
    assert_eq!(table.all().len(), Instruments::MAX);
    assert!(table.resolve("S0", 0).is_some());
}

/// What the files that are not ours are taken for.
#[test]
fn recorded_files_are_told_by_content() {
    let test = "recorded_files_are_told_by_content";
    let Some(root) = recorded(test, "README.md") else { return };
    for (file, format) in [
        ("derived/ARL_20250717.derived.itch50.gz", "ITCH 5.0 BinaryFILE"),
        ("itch50/ex20101224.TEST_ITCH_50.gz", "ITCH 5.0 BinaryFILE"),
        ("dbn/esh4-20231225.cut-to-2310Z.mbo.dbn.zst", "DBN"),
        ("databento_csv/mbo.csv", "Databento CSV"),
        ("databento_csv/mbp.csv", "Databento CSV"),
        ("tardis/quotes.csv.gz", "Tardis CSV"),
        ("tardis/binance-futures_book_snapshot_25_BTCUSDT.csv", "Tardis CSV"),
        ("binance_raw/spot/btcusdt_20240809.gz", "Binance raw frames"),
        ("binance_raw/cm/btcusd_perp_20240808.gz", "Binance raw frames"),
        ("cryptofeed_ws/COINBASE.ws.28.0.gz", "Coinbase frames"),
        ("cryptofeed_ws/KRAKEN.ws.50.0.gz", "Kraken frames"),
        ("lobster/AAPL_L50_tests/AAPL_2012-06-21_message_50.csv", "LOBSTER messages"),
        ("lobster/AAPL_L50_tests/AAPL_2012-06-21_orderbook_50.csv.gz", "LOBSTER order book"),
        ("pitch/pitch_example_data.gz", ""),
        ("cryptofeed_ws/BITMEX.ws.1.0.gz", ""),
        ("bybit/xrpusdt-ob500.data.zip", ""),
    ] {
        let sources = Source::list(&root.with_file_name("").join(file)).unwrap();
        let found = match open(&sources[0], Options::default()) {
            Ok(recording) => recording.describe().format.to_owned(),
            Err(OpenError::NotYet { name, .. } | OpenError::Refused { name, .. }) => {
                name.to_owned()
            }
            Err(OpenError::Unknown { .. }) => String::new(),
            Err(error) => panic!("{file}: {error}"),
        };
        assert_eq!(found, format, "{file}");
    }
}
