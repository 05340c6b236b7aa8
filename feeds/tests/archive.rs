//! Touchline's own event files: what is written is read, and what is damaged is said.

mod common;

use common::recorded;
use feeds::archive::{EventFile, Writer};
use feeds::recording::{
    Books, Clock, Description, Options, Recording, Source, Unit, Wanted, open, open_bytes,
};
use market::{
    Definition, Event, EventFlags, EventKind, Imbalance, Instrument, InstrumentId, Price, Qty,
    Said, Side, SideEntry, Statistic, StatusReason, Timestamp, TradingStatus,
};

const FROM: Description = Description {
    format: "made up",
    version: String::new(),
    books: Books::ByOrder,
    clock: Clock::Utc,
};

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn add(id: u32, order: u64) -> Event {
    let event = Event::new(EventKind::Add, InstrumentId(id)).with_side(Some(Side::Buy));
    let (price, qty) = (Price::from_raw(10_000_000_000), Qty::from_raw(order as i64 % 700));
    Event { order, price, qty, exchange_time: at(order), ..event }
}

/// A unit of these events, received at `time`.
fn unit(time: u64, events: impl IntoIterator<Item = Event>) -> Unit {
    let mut unit = Unit::default();
    unit.begin(0);
    (unit.exchange_time, unit.received) = (at(time), at(time + 5));
    unit.events.extend(events);
    unit.end();
    unit
}

/// One entry of each kind between two events.
fn entries() -> Unit {
    let definition = Definition {
        symbol: "ONE".to_owned(),
        venue_id: 7,
        tick: Some(Price::from_raw(-1)),
        expiry: Some(at(9)),
        multiplier: Some(50),
        qty_digits: 2,
        currency: "EUR".to_owned(),
        details: vec![("Strike", "12.5".to_owned()), ("Class", String::new())],
        ..Definition::default()
    };
    let imbalance = Imbalance {
        side: Some(Side::Sell),
        paired: Qty::from_raw(3),
        near: Some(Price::ZERO),
        auction: "O".to_owned(),
        ..Imbalance::default()
    };
    let reason = StatusReason { status: TradingStatus::Halted, reason: "LUDP".to_owned() };
    let statistic = Statistic { name: "Open Interest", price: None, qty: Some(Qty::from_raw(4)) };
    let mut unit = Unit::default();
    unit.begin(0);
    (unit.exchange_time, unit.received) = (at(2), at(3));
    unit.events.push(add(0, 1));
    for said in [
        Said::Definition(Box::new(definition)),
        Said::Imbalance(Box::new(imbalance)),
        Said::Status(reason),
        Said::Statistic(statistic),
    ] {
        unit.entry(SideEntry { instrument: InstrumentId(0), exchange_time: at(2), said });
    }
    unit.events.push(add(1, 2));
    unit.end();
    unit
}

fn write(units: &[Unit]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new()).unwrap();
    writer.source(FROM.format, FROM.books, FROM.clock);
    for symbol in ["ONE", "TWO"] {
        writer.instruments().resolve(symbol, 2).unwrap();
    }
    for unit in units {
        writer.unit(unit, unit.received).unwrap();
    }
    writer.finish().unwrap()
}

/// What a unit says, apart from where it stands.
type Told = (Timestamp, Timestamp, Vec<Event>, Vec<SideEntry>);

fn told(unit: &Unit) -> Told {
    let mut events = unit.events.clone();
    let entries = events.iter_mut().filter(|event| event.kind() == Some(EventKind::Entry));
    let side = entries
        .map(|event| unit.side_entry(std::mem::take(&mut event.order)).unwrap().clone())
        .collect();
    (unit.exchange_time, unit.received, events, side)
}

fn read(recording: &mut dyn Recording) -> Vec<Told> {
    let (mut unit, mut all) = (Unit::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        all.push(told(&unit));
    }
    assert_eq!(recording.next_unit(&mut unit), Ok(false));
    all
}

fn is_lost(told: &Told) -> bool {
    matches!(&told.2[..], [event] if event.kind() == Some(EventKind::Lost))
}

/// Units that fill several blocks, one of which does not fit into any.
fn many() -> Vec<Unit> {
    let small = (0..30_000).map(|n| unit(n, [add(n as u32 % 2, n), add(0, n + 7)]));
    let large = unit(40_000, (0..50_000).map(|n| add(n as u32 % 2, n)));
    small.chain([large, entries(), unit(40_001, []), unit(40_002, [add(1, 5)])]).collect()
}

#[test]
fn what_is_written_is_read() {
    let units = many();
    let file = write(&units);
    let mut recording = open_bytes(&file, Options::default()).unwrap();
    let described = recording.describe();
    assert_eq!(
        (described.format, described.version.as_str()),
        ("Touchline events", "from made up")
    );
    assert_eq!((described.books, described.clock), (Books::ByOrder, Clock::Utc));
    let found = read(&mut *recording);
    assert_eq!(found.len(), units.len());
    for (at, (found, unit)) in found.iter().zip(&units).enumerate() {
        assert_eq!(*found, told(unit), "unit {at}");
    }
    let (counts, log) = (recording.counts(), recording.log());
    assert_eq!((counts.messages, counts.others[0]), (110_007, ("units", 30_004)));
    assert_eq!(counts.by_type, [("add".to_owned(), 110_003), ("entry".to_owned(), 4)]);
    assert_eq!((log.damaged().0, log.is_cut()), (0, None));
    let blocks = counts.others[1].1;
    assert!(blocks >= 6, "{blocks} blocks");
    let known = recording.instruments().find("ONE").unwrap();
    assert_eq!((known.id, known.qty_digits), (InstrumentId(0), 2));
    assert_eq!(known.definition.as_ref().unwrap().details[0], ("Strike", "12.5".to_owned()));
    assert_eq!(write(&units), file, "the same units give the same bytes");
}

#[test]
fn the_index_names_every_block_and_its_times() {
    let file = write(&many());
    let word = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    let length = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let index = word(file.len() - 8) as usize;
    let rows = (length(index) - 24) / 32;
    assert!(rows >= 6);
    let mut offset = 64;
    for row in 0..rows {
        let row = index + 24 + row * 32;
        assert_eq!(word(row), offset as u64);
        assert_eq!((word(row + 8), word(row + 16)), (word(offset + 24), word(offset + 32)));
        assert!(word(row + 8) <= word(row + 16));
        // As docs/journal.md has it: CRC of bytes 8 to the end of the padding, begun with length.
        let end = offset + length(offset).next_multiple_of(8);
        let mut crc = crc32fast::Hasher::new_with_initial(length(offset) as u32);
        crc.update(&file[offset + 8..end]);
        assert_eq!(u64::from(crc.finalize()), word(offset) >> 32);
        offset = end;
    }
    assert_eq!(offset, index);
}

#[test]
fn wanted_instruments_have_their_own_ids_and_scales() {
    let file = write(&[entries(), unit(9, [add(0, 150), add(1, 300)])]);
    let wanted = |digits| {
        let two = Instrument { qty_digits: digits, ..Instrument::share(44, "TWO") };
        Options { wanted: Wanted::Only(vec![two]), ..Options::default() }
    };
    let mut recording = open_bytes(&file, wanted(4)).unwrap();
    let found = read(&mut *recording);
    let events: Vec<_> = found.iter().flat_map(|told| &told.2).collect();
    let quantities: Vec<i64> = events.iter().map(|event| event.qty.raw()).collect();
    assert_eq!(quantities, [200, 30_000]);
    assert!(events.iter().all(|event| event.instrument == InstrumentId(44)));
    assert!(events.iter().all(|event| event.flags.has(EventFlags::LAST)));
    assert!(found.iter().all(|told| told.3.is_empty()), "entries are of the other one");
    // So are the quantities of its entries: an imbalance of 0.03, of which a share is no part.
    let one = |digits| {
        Wanted::Only(vec![Instrument { qty_digits: digits, ..Instrument::share(9, "ONE") }])
    };
    let said = |digits| {
        let options = Options { wanted: one(digits), ..Options::default() };
        let mut recording = open_bytes(&file, options).unwrap();
        let side = read(&mut *recording).remove(0).3;
        (side, recording.log().skipped().map(|(_, count, _)| count).sum::<u64>())
    };
    let (side, skipped) = said(3);
    let Said::Imbalance(imbalance) = &side[1].said else { panic!() };
    let Said::Definition(definition) = &side[0].said else { panic!() };
    assert_eq!((imbalance.paired.raw(), definition.qty_digits, skipped), (30, 3, 0));
    let (side, skipped) = said(0);
    assert_eq!((side.len(), skipped), (2, 2), "definition and status stay");
    // A quantity of 0.02 is no whole number of shares: the book must not be believed.
    let found = read(&mut *open_bytes(&file, wanted(0)).unwrap());
    assert!(is_lost(&found[0]) && found[0].2[0].instrument == InstrumentId(44));
    assert_eq!(found[1].2[0].qty.raw(), 3);
}

#[test]
fn a_damaged_block_is_passed_over_and_said() {
    let (units, mut file) = (many(), write(&many()));
    let whole = read(&mut *open_bytes(&file, Options::default()).unwrap());
    let second =
        64 + (u32::from_le_bytes(file[64..68].try_into().unwrap()) as usize).next_multiple_of(8);
    // Within its bytes, in its length, in its kind.
    for at in [second + 500, second + 1, second + 16] {
        let mut file = file.clone();
        file[at] ^= 0x40;
        let mut recording = open_bytes(&file, Options::default()).unwrap();
        let found = read(&mut *recording);
        let (count, noted) = recording.log().damaged();
        assert_eq!((count, noted[0].position), (1, second as u64), "{noted:?}");
        assert_eq!(found.iter().filter(|told| is_lost(told)).count(), 1);
        let lost = found.iter().position(is_lost).unwrap();
        assert_eq!(found[..lost], whole[..lost], "before");
        let behind = found.len() - lost - 1;
        assert!(behind > 1_000 && lost > 1_000 && found.len() < units.len());
        assert_eq!(found[lost + 1..], whole[whole.len() - behind..], "behind");
    }
    // A block that is gone without a trace shows by the sequence.
    let third = second
        + (u32::from_le_bytes(file[second..second + 4].try_into().unwrap()) as usize)
            .next_multiple_of(8);
    file.drain(second..third);
    let mut recording = open_bytes(&file, Options::default()).unwrap();
    assert_eq!(read(&mut *recording).iter().filter(|told| is_lost(told)).count(), 1);
    assert_eq!(recording.log().damaged().1[0].reason, "1 blocks before it are missing");
}

#[test]
fn a_cut_file_gives_what_is_there() {
    let file = write(&many());
    let whole = read(&mut *open_bytes(&file, Options::default()).unwrap());
    let mut least = 0;
    for length in (64..file.len()).step_by(file.len() / 60) {
        let mut recording = open_bytes(&file[..length], Options::default()).unwrap();
        let found = read(&mut *recording);
        assert_eq!(found[..], whole[..found.len()]);
        assert!(recording.log().is_cut().is_some(), "{length}");
        assert!(found.len() >= least);
        least = found.len();
    }
    assert!(least > 20_000);
    let broken =
        open_bytes(&file[..63], Options::default()).unwrap().next_unit(&mut Unit::default());
    assert_eq!(broken.unwrap_err().reason, "63 of 64 bytes of the file's header are there");
}

/// Every bit of a small file: nothing that is changed goes unsaid.
#[test]
fn no_changed_bit_is_believed() {
    let file = write(&[entries(), unit(9, [add(1, 3)])]);
    let whole = read(&mut *open_bytes(&file, Options::default()).unwrap());
    for bit in 64..file.len() * 8 {
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        // Bits of the magic make it another file, which is not this reader's.
        let mut recording = EventFile::new(&file[..], &Options::default());
        let mut unit = Unit::default();
        let mut found = Vec::new();
        let end = loop {
            match recording.next_unit(&mut unit) {
                Ok(true) => found.push(told(&unit)),
                end => break end,
            }
        };
        let log = recording.log();
        let said = end.is_err() || log.damaged().0 > 0 || log.is_cut().is_some();
        assert!(said, "bit {bit} changed, and nobody said so");
        assert!(found.iter().all(|told| is_lost(told) || whole.contains(told)), "bit {bit}");
    }
}

/// A record around this payload, as another program could write it.
fn record(kind: u16, sequence: u64, payload: &[u8]) -> Vec<u8> {
    let length = 24 + payload.len() as u32;
    let mut record =
        [&[0; 8], &sequence.to_le_bytes()[..], &u64::from(kind).to_le_bytes()].concat();
    record.extend(payload);
    record.resize(record.len().next_multiple_of(8), 0);
    let mut crc = crc32fast::Hasher::new_with_initial(length);
    crc.update(&record[8..]);
    record[..4].copy_from_slice(&length.to_le_bytes());
    record[4..8].copy_from_slice(&crc.finalize().to_le_bytes());
    record
}

/// A file of one block with these items.
fn block(items: &[u8], claims: u32) -> Vec<u8> {
    let mut payload = vec![0; 20];
    payload.extend(claims.to_le_bytes());
    payload.extend(zstd::bulk::compress(items, 3).unwrap());
    [&write(&[])[..64], &record(1, 1, &payload)].concat()
}

fn item(kind: u16, payload: &[u8]) -> Vec<u8> {
    let head = [&(payload.len() as u32).to_le_bytes()[..], &kind.to_le_bytes(), &[0; 2]].concat();
    [&head, payload].concat()
}

#[test]
fn bad_blocks_with_right_checks_have_reasons() {
    let instrument = |digits: u32, symbol: &str| {
        item(2, &[&[0; 4], &digits.to_le_bytes()[..], symbol.as_bytes()].concat())
    };
    let event = |event: Event| item(4, &[&[0; 16][..], &event.to_bytes()].concat());
    let entry = Event::new(EventKind::Entry, InstrumentId(0));
    for (items, reason) in [
        (item(9, b""), "an item that is none"),
        (item(4, &[0; 17]), "an item that is none"),
        (item(1, &[3, 0]), "an item that is none"),
        (vec![255; 8], "an item that is none"),
        (vec![0; 3], "an item that is none"),
        (instrument(99, "X"), "an instrument that cannot be"),
        (instrument(0, &"X".repeat(300)), "an instrument that cannot be"),
        (item(3, b"\0\0"), "a side entry that is none"),
        (item(3, &[0; 70_000]), "a side entry too long"),
        (event(add(0, 1)), "an event of an instrument without a name"),
        ([instrument(0, "X"), event(Event::default())].concat(), "an event of no kind"),
        ([instrument(0, "X"), event(entry)].concat(), "an entry that is not there"),
    ] {
        let file = block(&items, items.len() as u32);
        let mut recording = open_bytes(&file, Options::default()).unwrap();
        let found = read(&mut *recording);
        assert!(matches!(&found[..], [told] if is_lost(told)), "{reason}");
        assert_eq!(recording.log().damaged().1[0].reason, format!("block: {reason}"));
    }
    for (items, claims, reason) in [
        (vec![0; 8], 9, "8 bytes instead of 9"),
        (vec![0; 8], 1 << 30, "claims 1073741824 bytes, more than a block has"),
        (vec![0; 16 << 20], 1 << 20, "Destination buffer is too small"),
    ] {
        let mut recording = EventFile::new(&block(&items, claims)[..], &Options::default())
            .log()
            .damaged()
            .1
            .to_vec();
        assert_eq!(recording.remove(0).reason, format!("block: {reason}"));
    }
}

#[test]
fn what_looks_like_blocks_does_not_keep_the_reader_busy() {
    let fake = [&1_000_000u32.to_le_bytes()[..], &[1; 4], &9u64.to_le_bytes(), &1u64.to_le_bytes()];
    let file = [write(&[])[..64].to_vec(), fake.concat().repeat(100_000)].concat();
    let mut recording = open_bytes(&file, Options::default()).unwrap();
    let broken = recording.next_unit(&mut Unit::default()).unwrap_err();
    assert_eq!(broken.reason, "too much is damaged to look for the next block");
}

#[test]
fn the_writer_refuses_what_could_not_be_read() {
    let mut writer = Writer::new(Vec::new()).unwrap();
    let error = writer.unit(&unit(1, [add(3, 1)]), at(1)).unwrap_err();
    assert!(error.to_string().contains("an instrument that the file does not have"));
    assert!(writer.instruments().resolve(&"X".repeat(257), 0).is_none());
    assert_eq!(writer.instruments().too_long(), 1);
    writer.instruments().resolve(&"X".repeat(256), 0).unwrap();
    writer.unit(&unit(1, [add(0, 1)]), at(1)).unwrap();
}

/// A recorded day, written and read again: every event, entry and time.
#[test]
fn a_recorded_day_comes_back() {
    let path = "derived/ARL_20250717.derived.itch50.gz";
    let Some(path) = recorded("a_recorded_day_comes_back", path) else { return };
    let source = Source::file(path);
    let mut day = open(&source, Options::default()).unwrap();
    let mut writer = Writer::new(Vec::new()).unwrap();
    let from = day.describe();
    writer.source(from.format, from.books, from.clock);
    let (mut unit, mut units) = (Unit::default(), Vec::new());
    while day.next_unit(&mut unit).unwrap() {
        for known in &day.instruments().all()[writer.instruments().all().len()..] {
            writer.instruments().resolve(&known.symbol, known.qty_digits).unwrap();
        }
        writer.unit(&unit, unit.exchange_time).unwrap();
        if !unit.says_nothing() {
            units.push(told(&unit));
        }
    }
    let file = writer.finish().unwrap();
    let found = read(&mut *open_bytes(&file, Options::default()).unwrap());
    assert!(units.len() > 3_000);
    assert_eq!(found, units);
}
