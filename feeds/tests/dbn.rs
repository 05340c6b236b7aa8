//! DBN on files of our own making, written by crate `dbn`: what each action becomes, whose book it
//! is, what belongs together, and every class of bad input.

mod common;

use common::dbn::{
    CHANNEL_GAP, DAY, LAST, SECOND, SNAPSHOT, TOP, file, file_of, mbo, metadata, quote,
};
use common::told::{kinds, read, skipped};
use dbn::{
    InstrumentDefMsg, MboMsg, RecordHeader, Schema, StatMsg, StatusMsg, SymbolMappingMsg, rtype,
};
use feeds::recording::{Books, Options, Recording, Unit, Wanted, open_bytes};
use market::{
    Event, EventFlags, EventKind as K, Instrument, InstrumentId, Price, Said, Side, TradingStatus,
};
use std::ffi::c_char;

const NONE: i64 = i64::MAX;

fn symbols(recording: &dyn Recording) -> Vec<&str> {
    recording.instruments().all().iter().map(|known| &*known.symbol).collect()
}

fn refusal(bytes: &[u8]) -> String {
    open_bytes(bytes, Options::default()).err().expect("it was opened").to_string()
}

/// The same record of another number or publisher.
fn of(mut record: MboMsg, publisher: u16, number: u32) -> MboMsg {
    (record.hd.publisher_id, record.hd.instrument_id) = (publisher, number);
    record
}

#[test]
fn orders_become_events_and_an_event_of_the_venue_one_unit() {
    let records = [
        mbo(1, b'R', b'N', NONE, 0, 0, 8),
        mbo(3, b'A', b'B', 100, 5, 11, LAST),
        mbo(3, b'T', b'A', 100, 2, 0, 0),
        mbo(3, b'F', b'B', 100, 2, 11, 0),
        mbo(3, b'C', b'B', 100, 2, 11, LAST),
        mbo(4, b'M', b'B', 99, 3, 11, LAST),
        mbo(5, b'N', b'N', NONE, 0, 0, LAST),
    ];
    let file = file(2, Some(Schema::Mbo), &records);
    let (units, recording) = read(&file);
    // The clear has no end of its own: what follows comes more than a second later.
    let expected =
        [vec![K::Clear], vec![K::Add], vec![K::Trade, K::Reduce], vec![K::Change], vec![]];
    assert_eq!(kinds(&units), expected);
    let add = units[1][0];
    assert_eq!((add.order, add.price.raw(), add.qty.raw()), (11, 100, 5));
    assert_eq!((add.side(), add.flags), (Some(Side::Buy), EventFlags::LAST));
    assert_eq!((add.exchange_time.nanos(), add.received), (DAY + 3 * SECOND, DAY + 3 * SECOND + 7));
    let trade = units[2][0];
    assert_eq!((trade.side(), trade.order, trade.qty.raw()), (Some(Side::Buy), 0, 2));
    assert_eq!(trade.flags, EventFlags::NONE);
    let about = recording.describe();
    assert_eq!((about.format, about.books), ("DBN", Books::ByOrder));
    assert_eq!(about.version, "version 2, mbo of XNAS.ITCH");
    assert_eq!(recording.market(), "XNAS.ITCH");
    let counts = recording.counts();
    assert_eq!((counts.messages, counts.by_type), (7, vec![("mbo".to_owned(), 7)]));
    assert_eq!(symbols(&*recording), ["SYM"]);
    assert_eq!(skipped(&*recording), []);
}

#[test]
fn an_event_of_several_instruments_ends_with_the_last_record_of_each() {
    let records = [
        mbo(2, b'A', b'B', 100, 5, 11, 0),
        of(mbo(2, b'A', b'B', 100, 5, 12, LAST), 2, 8),
        mbo(2, b'A', b'B', 100, 5, 13, LAST),
        mbo(2, b'A', b'B', 100, 5, 14, LAST),
    ];
    let file = file(3, None, &records);
    let (units, recording) = read(&file);
    assert_eq!(units.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(symbols(&*recording), ["SYM", "8"]);
    assert_eq!(recording.describe().books, Books::ByOrder);
}

#[test]
fn a_snapshot_ends_where_live_records_begin() {
    let records = [
        mbo(1, b'R', b'N', NONE, 0, 0, SNAPSHOT),
        mbo(1, b'A', b'B', 100, 5, 11, SNAPSHOT),
        mbo(1, b'A', b'A', 101, 5, 12, LAST),
    ];
    let file = file(1, Some(Schema::Mbo), &records);
    let (units, _) = read(&file);
    assert_eq!(kinds(&units), [vec![K::Clear, K::Add], vec![K::Add]]);
    assert_eq!(units[0][0].flags, EventFlags::SNAPSHOT);
    assert_eq!(units[0][1].flags, EventFlags::SNAPSHOT.with(EventFlags::LAST));
}

#[test]
fn venues_that_give_the_top_of_the_book_have_one_order_a_side() {
    let records = [
        mbo(1, b'A', b'B', 100, 5, 0, LAST | TOP),
        mbo(2, b'A', b'B', 101, 6, 0, LAST | TOP),
        mbo(3, b'A', b'B', NONE, 0, 0, LAST | TOP),
        mbo(4, b'A', b'A', 102, 1, 0, LAST | TOP),
        mbo(5, b'A', b'A', 102, 1, 0, LAST | 16),
    ];
    let file = file(3, Some(Schema::Mbo), &records);
    let (units, recording) = read(&file);
    let expected =
        [vec![K::Add], vec![K::Delete, K::Add], vec![K::Delete], vec![K::Add], vec![K::Lost]];
    assert_eq!(kinds(&units), expected);
    assert_ne!(units[0][0].order, units[3][0].order);
    assert_eq!(skipped(&*recording), [("price level among orders", 1)]);
}

#[test]
fn levels_tell_only_what_changed() {
    let records = [
        quote(1, b'A', [(100, 5), (102, 4)], LAST),
        quote(2, b'T', [(100, 5), (102, 4)], 0),
        quote(3, b'C', [(99, 7), (102, 4)], LAST),
        quote(4, b'M', [(99, 7), (NONE, 0)], LAST),
        quote(5, b'R', [(NONE, 0), (NONE, 0)], LAST),
    ];
    let file = file(2, Some(Schema::Mbp1), &records);
    let (units, recording) = read(&file);
    let told: Vec<Vec<_>> = units
        .iter()
        .map(|unit| {
            let told = |event: &Event| {
                (event.kind().unwrap(), event.side(), event.price.raw(), event.qty.raw())
            };
            unit.iter().map(told).collect()
        })
        .collect();
    let (bid, ask) = (Some(Side::Buy), Some(Side::Sell));
    assert_eq!(told[0], [(K::Level, bid, 100, 5), (K::Level, ask, 102, 4)]);
    assert_eq!(told[1], [(K::Trade, bid, 100, 3)]);
    assert_eq!(told[2], [(K::Level, bid, 100, 0), (K::Level, bid, 99, 7)]);
    assert_eq!(told[3], [(K::Level, ask, 102, 0)]);
    assert_eq!(told[4], [(K::Clear, None, 0, 0)]);
    assert_eq!(recording.describe().books, Books::ByLevel);
}

#[test]
fn of_several_schemas_one_gives_the_events() {
    let (order, level) = (mbo(2, b'A', b'B', 100, 5, 11, LAST), quote(2, b'A', [(1, 1); 2], LAST));
    let mut trade = quote(1, b'T', [(1, 1); 2], LAST);
    trade.hd.rtype = rtype::MBP_0;
    let (levels, orders) = (level.as_ref(), order.as_ref());
    // Trades alone, 48 bytes long.
    let mut alone = trade.as_ref()[..48].to_vec();
    alone[0] = 12;
    let file = file(3, None, &[&alone[..], levels, &alone, orders, levels]);
    let (units, recording) = read(&file);
    assert_eq!(kinds(&units), [vec![K::Trade], vec![K::Level; 2], vec![], vec![], vec![]]);
    let reason = "another schema of this recording gives the events";
    assert_eq!(skipped(&*recording), [(reason, 2)]);
    let types: Vec<_> = recording.counts().by_type;
    let types: Vec<(&str, u64)> = types.iter().map(|(name, n)| (&**name, *n)).collect();
    assert_eq!(types, [("mbo", 1), ("mbp-0", 2), ("mbp-1", 2)]);
}

#[test]
fn books_of_several_publishers_are_kept_apart_and_symbols_pass_on() {
    let mapping = |number, second: u64| {
        let header = RecordHeader::new::<SymbolMappingMsg>(rtype::SYMBOL_MAPPING, 0, number, DAY);
        let mut mapping = SymbolMappingMsg { hd: header, ..SymbolMappingMsg::default() };
        mapping.stype_out_symbol[0] = b'X' as c_char;
        (mapping.start_ts, mapping.end_ts) = (DAY + second * SECOND, DAY + (second + 5) * SECOND);
        mapping
    };
    let (first, second) = (mapping(20, 0), mapping(21, 5));
    let records = [
        of(mbo(1, b'A', b'B', 100, 5, 11, LAST), 2, 20),
        of(mbo(1, b'A', b'B', 100, 5, 12, LAST), 3, 20),
        of(mbo(6, b'A', b'B', 100, 5, 13, LAST), 2, 21),
        of(mbo(6, b'A', b'B', 100, 5, 14, LAST), 2, 20),
    ];
    let records: Vec<&[u8]> = [first.as_ref(), second.as_ref()]
        .into_iter()
        .chain(records.iter().map(AsRef::as_ref))
        .collect();
    let file = file(3, None, &records);
    let (units, recording) = read(&file);
    assert_eq!(symbols(&*recording), ["X", "X#3", "20"]);
    let ids: Vec<_> = units.iter().flatten().map(|event| event.instrument.0).collect();
    assert_eq!(ids, [0, 1, 0, 0, 2]);
    // What 20 left behind under the name is no book of 21.
    assert_eq!(kinds(&units)[4], [K::Reset, K::Add]);
}

#[test]
fn a_gap_of_the_channel_is_lost_until_the_book_is_cleared() {
    let records = [
        mbo(1, b'A', b'B', 100, 5, 11, LAST | CHANNEL_GAP),
        mbo(2, b'A', b'B', 100, 5, 12, LAST | CHANNEL_GAP),
        mbo(3, b'R', b'N', NONE, 0, 0, LAST),
        mbo(4, b'A', b'B', 100, 5, 13, LAST | CHANNEL_GAP),
    ];
    let orders = file(3, Some(Schema::Mbo), &records);
    let (units, recording) = read(&orders);
    let expected = [vec![K::Lost, K::Add], vec![K::Add], vec![K::Clear], vec![K::Lost, K::Add]];
    assert_eq!(kinds(&units), expected);
    let (gaps, first) = recording.log().gaps();
    assert_eq!((gaps, &*first[0].stream, first[0].first), (2, "SYM", 1001));
    // Of levels, all come with every record.
    let records = [
        quote(1, b'A', [(100, 5), (102, 4)], LAST | CHANNEL_GAP),
        quote(2, b'A', [(100, 5), (102, 4)], LAST),
    ];
    let levels = file(3, Some(Schema::Mbp1), &records);
    let (units, _) = read(&levels);
    let expected = [vec![K::Lost, K::Level, K::Level], vec![K::Clear, K::Level, K::Level]];
    assert_eq!(kinds(&units), expected);
}

/// A recording that begins within a day: what rested before, nobody tells.
#[test]
fn a_book_by_order_that_is_met_within_is_lost_until_it_begins() {
    let within = [
        mbo(1, b'T', b'A', 100, 2, 0, LAST),
        mbo(2, b'A', b'B', 100, 5, 11, LAST),
        mbo(3, b'C', b'B', 100, 5, 11, LAST),
        mbo(4, b'R', b'N', NONE, 0, 0, SNAPSHOT),
        mbo(4, b'A', b'B', 100, 5, 12, SNAPSHOT | LAST),
        mbo(5, b'A', b'B', 100, 5, 13, LAST),
    ];
    let mut metadata = metadata(3, Some(Schema::Mbo));
    metadata.start += 50_400 * SECOND;
    let file = file_of(&metadata, &within);
    let (units, recording) = read(&file);
    let (lost, snapshot) = (vec![K::Lost, K::Add], vec![K::Clear, K::Add]);
    let expected = [vec![K::Trade], lost.clone(), vec![K::Reduce], snapshot, vec![K::Add]];
    assert_eq!(kinds(&units), expected);
    let (gaps, first) = recording.log().gaps();
    assert_eq!((gaps, &*first[0].stream, first[0].first, first[0].count), (1, "SYM", 1002, 0));
    // Where books begin: with a clear; with a snapshot, which had none before 2024; with a side
    // that is whole; at midnight.
    for begins in [
        mbo(1, b'R', b'N', NONE, 0, 0, LAST),
        mbo(1, b'A', b'B', 100, 5, 11, LAST | SNAPSHOT),
        mbo(1, b'A', b'B', 100, 5, 0, LAST | TOP),
    ] {
        let file = file_of(&metadata, &[begins, within[1].clone()]);
        let (units, recording) = read(&file);
        assert_eq!((recording.log().gaps().0, units.len()), (0, 2));
    }
    metadata.start = DAY;
    let file = file_of(&metadata, &within[1..2]);
    assert_eq!(kinds(&read(&file).0), [[K::Add]]);
    // Records alone do not say when they begin.
    let fragment: Vec<u8> = within[1..3].iter().flat_map(|one| one.as_ref().to_vec()).collect();
    assert_eq!(kinds(&read(&fragment).0), [lost, vec![K::Reduce]]);
}

#[test]
fn wanted_instruments_have_their_own_ids_and_scales() {
    let records =
        [mbo(2, b'A', b'B', 100, 5, 11, LAST), of(mbo(2, b'A', b'B', 100, 5, 12, LAST), 2, 8)];
    let file = file(3, Some(Schema::Mbo), &records);
    let mut wanted = Instrument::share(4, "SYM");
    wanted.qty_digits = 2;
    let options = Options { wanted: Wanted::Only(vec![wanted]), ..Options::default() };
    let mut recording = open_bytes(&file, options).unwrap();
    let mut unit = Unit::default();
    assert_eq!(recording.next_unit(&mut unit), Ok(true));
    let event = unit.events[0];
    assert_eq!((event.instrument, event.qty.raw()), (InstrumentId(4), 500));
    assert_eq!(recording.next_unit(&mut unit), Ok(true));
    assert!(unit.events.is_empty());
    assert_eq!(recording.next_unit(&mut unit), Ok(false));
    assert_eq!(recording.counts().messages, 2);
}

#[test]
fn what_is_no_event_is_a_side_entry() {
    let header = |kind, length: usize| {
        let mut header = RecordHeader::new::<InstrumentDefMsg>(kind, 2, 7, DAY + SECOND);
        assert_eq!(header.record_size(), 520);
        header = match length {
            40 => RecordHeader::new::<StatusMsg>(kind, 2, 7, DAY + SECOND),
            80 => RecordHeader::new::<StatMsg>(kind, 2, 7, DAY + SECOND),
            _ => header,
        };
        header
    };
    let status = |action| StatusMsg {
        hd: header(rtype::STATUS, 40),
        ts_recv: DAY + SECOND,
        action,
        reason: 30,
        ..StatusMsg::default()
    };
    let mut definition = InstrumentDefMsg {
        hd: header(rtype::INSTRUMENT_DEF, 520),
        ts_recv: DAY + SECOND,
        min_price_increment: 250_000_000,
        unit_of_measure_qty: 50_000_000_000,
        ..InstrumentDefMsg::default()
    };
    definition.hd.instrument_id = 9;
    definition.raw_symbol[0] = b'Q' as c_char;
    let statistic = StatMsg {
        hd: header(rtype::STATISTICS, 80),
        ts_recv: DAY + SECOND,
        stat_type: 9,
        quantity: 77,
        ..StatMsg::default()
    };
    let (halt, same) = (status(8), status(14));
    let records: [&[u8]; 4] =
        [halt.as_ref(), same.as_ref(), definition.as_ref(), statistic.as_ref()];
    let file = file(3, None, &records);
    let mut recording = open_bytes(&file, Options::default()).unwrap();
    let mut unit = Unit::default();
    let mut next = || {
        assert_eq!(recording.next_unit(&mut unit), Ok(true));
        let kinds: Vec<_> = unit.events.iter().filter_map(Event::kind).collect();
        (kinds, unit.events[0].aux, unit.side[0].said.clone())
    };
    let (kinds, aux, said) = next();
    assert_eq!((kinds, aux), (vec![K::Status, K::Entry], TradingStatus::Halted as u32));
    let Said::Status(reason) = said else { panic!("{said:?}") };
    assert_eq!(reason.reason, "Halt: NewsPending");
    assert_eq!(next().0, [K::Entry]);
    let Said::Definition(said) = next().2 else { panic!() };
    assert_eq!(
        (said.tick, said.multiplier),
        (Some(Price::from_raw(250_000_000)), Some(50_000_000_000))
    );
    assert_eq!((&*said.symbol, said.lot, said.expiry), ("Q", None, None));
    let Said::Statistic(said) = next().2 else { panic!() };
    assert_eq!((said.name, said.price, said.qty.unwrap().raw()), ("open interest", None, 77));
    // A number that nothing maps has the symbol of its definition.
    assert_eq!(symbols(&*recording), ["SYM", "Q"]);
    assert_eq!(recording.instruments().find("Q").unwrap().definition.as_ref().unwrap().venue_id, 9);
}

#[test]
fn records_with_the_time_of_sending_behind_them_are_read() {
    let order = mbo(2, b'A', b'B', 100, 5, 11, LAST);
    let mut sent = order.as_ref().to_vec();
    sent.extend([1; 8]);
    sent[0] += 2;
    let file = file(3, Some(Schema::Mbo), &[&sent[..], &sent]);
    let (units, recording) = read(&file);
    assert_eq!(kinds(&units), [[K::Add], [K::Add]]);
    assert_eq!(skipped(&*recording), []);
}

#[test]
fn fragments_are_told_by_their_records() {
    let orders: Vec<u8> =
        (1..4).flat_map(|n| mbo(n, b'A', b'B', 1, 1, n, LAST).as_ref().to_vec()).collect();
    let (units, recording) = read(&orders);
    assert_eq!(units.len(), 3);
    assert_eq!(recording.describe().version, "fragment of version 1 to 3");
    assert_eq!(symbols(&*recording), ["7"]);
    // Not so what only looks like the beginning of one.
    assert!(refusal(&orders[..40]).contains("not recognised"));
    let mut late = orders.clone();
    late[15] = 0xee;
    assert!(refusal(&late).contains("not recognised"));
}

#[test]
fn bad_input_metadata() {
    let whole = file(2, Some(Schema::Mbo), &[mbo(2, b'A', b'B', 100, 5, 11, LAST)]);
    let change = |at: usize, byte: u8| {
        let mut changed = whole.clone();
        changed[at] = byte;
        changed
    };
    assert_eq!(refusal(&change(3, 4)), "DBN version 4 is not read: versions 1 to 3 are");
    assert!(refusal(&change(3, 0)).contains("not recognised"));
    assert!(refusal(&whole[..60]).contains("ends after 60 bytes, within its metadata"));
    assert!(refusal(&whole[..6]).contains("cut within its first 8 bytes"));
    // Lengths that lie: too short for any version, a record too many, far beyond the file.
    let mut short = change(4, 20);
    short[5] = 0;
    assert!(refusal(&short).contains("metadata of 20 bytes"));
    for byte in [4, 5, 6, 7] {
        let lie = change(byte, whole[byte].wrapping_add(1));
        if let Ok(mut recording) = open_bytes(&lie, Options::default()) {
            while recording.next_unit(&mut Unit::default()) == Ok(true) {}
            assert_eq!(recording.counts().messages, 0, "length byte {byte}");
        }
    }
    // A count of symbols that no file could hold.
    let count = change(8 + 100 + 3, 0x7f);
    assert!(refusal(&count).contains("metadata cannot be read"), "{}", refusal(&count));
    // Metadata of twenty million bytes is passed over.
    let mut long = vec![b'D', b'B', b'N', 2];
    long.extend(20_000_000u32.to_le_bytes());
    long.resize(8 + 20_000_000, 0);
    long.extend(mbo(2, b'A', b'B', 100, 5, 11, LAST).as_ref());
    let (units, recording) = read(&long);
    assert_eq!((units.len(), symbols(&*recording)), (1, vec!["7"]));
    assert_eq!(recording.log().damaged().0, 1);
}

#[test]
fn bad_input_records() {
    let order = mbo(2, b'A', b'B', 100, 5, 11, LAST);
    let before = file(2, Some(Schema::Mbo), std::slice::from_ref(&order));
    let behind = |record: &[u8]| [&before, record, order.as_ref()].concat();
    let changed = |changes: &[(usize, u8)]| {
        let mut record = order.as_ref().to_vec();
        changes.iter().for_each(|&(at, byte)| record[at] = byte);
        behind(&record)
    };
    // Length zero, or less than a header: there is no way on.
    for words in [0, 3] {
        let file = changed(&[(0, words)]);
        let mut recording = open_bytes(&file, Options::default()).unwrap();
        let mut unit = Unit::default();
        assert_eq!(recording.next_unit(&mut unit), Ok(true));
        let broken = recording.next_unit(&mut unit).unwrap_err();
        assert_eq!(broken.position, before.len() as u64);
        assert!(broken.reason.contains("less than its header"), "{broken}");
        assert_eq!(recording.next_unit(&mut unit), Err(broken));
    }
    // A length past the end, and an end at every byte.
    for length in 0..order.as_ref().len() {
        let (units, recording) = read_owned(&[&before, &order.as_ref()[..length]].concat());
        assert_eq!((units, recording), (1, (length > 0).then_some(before.len() as u64)));
    }
    for (changes, reason, kinds) in [
        (&[(1, 0x77)][..], "unknown record type", vec![]),
        (&[(1, rtype::STATUS)], "length is not that of the record's type", vec![]),
        (&[(38, b'Z')], "unknown action", vec![K::Lost]),
        (&[(39, b'N')], "order without a side", vec![K::Lost]),
        (&[(39, b'Z')], "order without a side", vec![K::Lost]),
    ] {
        let file = changed(changes);
        let (units, recording) = read(&file);
        assert_eq!(self::kinds(&units), [vec![K::Add], kinds, vec![K::Add]], "{reason}");
        let skipped: Vec<_> = recording.log().skipped().collect();
        assert_eq!(skipped, [(reason, 1, &[before.len() as u64][..])]);
    }
    // A record of the right type and the wrong length should have changed the book.
    let long = [order.as_ref(), &[0; 4]].concat();
    let file = behind(&[&[15], &long[1..]].concat());
    let (units, _) = read(&file);
    assert_eq!(kinds(&units), [[K::Add], [K::Lost], [K::Add]]);
    // No price, no time.
    let (add, trade) =
        (mbo(2, b'A', b'B', NONE, 5, 11, LAST), mbo(2, b'T', b'B', NONE, 5, 0, LAST));
    let file = behind(&[add.as_ref(), trade.as_ref()].concat());
    let (units, recording) = read(&file);
    assert_eq!(kinds(&units), [vec![K::Add], vec![K::Lost], vec![], vec![K::Add]]);
    assert_eq!(skipped(&*recording), [("order or trade without a price", 2)]);
    let mut timeless = order.clone();
    (timeless.hd.ts_event, timeless.ts_recv) = (u64::MAX, u64::MAX);
    let file = behind(timeless.as_ref());
    let (units, _) = read(&file);
    let event = units[1][0];
    assert_eq!((event.exchange_time.nanos(), event.received), (0, 0));
}

/// Units, and where the file is cut.
fn read_owned(bytes: &[u8]) -> (usize, Option<u64>) {
    let (units, recording) = read(bytes);
    (units.len(), recording.log().is_cut().map(|cut| cut.position))
}

#[test]
fn bad_input_an_event_without_an_end_is_one_unit_of_bounded_size() {
    let order = mbo(2, b'A', b'B', 100, 5, 11, 0);
    let records: Vec<&[u8]> = vec![order.as_ref(); 300_000];
    let file = file(3, Some(Schema::Mbo), &records);
    let (units, recording) = read(&file);
    let lengths: Vec<usize> = units.iter().map(Vec::len).collect();
    assert_eq!(lengths, [262_144, 300_000 - 262_144]);
    assert_eq!(recording.log().damaged().0, 1);
}

#[test]
fn bad_input_packed_and_cut() {
    let records: Vec<MboMsg> = (0..4000).map(|n| mbo(n, b'A', b'B', 1, 1, n, LAST)).collect();
    let packed = zstd::encode_all(&file(3, Some(Schema::Mbo), &records)[..], 3).unwrap();
    let cut = &packed[..packed.len() - 20];
    let mut recording = open_bytes(cut, Options::default()).unwrap();
    let mut unit = Unit::default();
    let end = loop {
        match recording.next_unit(&mut unit) {
            Ok(true) => {}
            end => break end,
        }
    };
    assert!(end.is_err(), "{end:?}");
    assert_eq!(recording.next_unit(&mut unit), end);
}
