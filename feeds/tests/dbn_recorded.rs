//! DBN on recorded data: the vendor's own vectors beside crate `dbn`'s decode, books beside a
//! reference kept in another language, trades beside the file of trades.

mod common;

use common::recorded;
use dbn::VersionUpgradePolicy::UpgradeToV3;
use dbn::decode::{DbnDecoder, DbnRecordDecoder, DecodeRecordRef};
use dbn::{MboMsg, RType, RecordRef, Schema};
use feeds::recording::{OpenError, Options, Recording, Source, Unit, open, open_bytes};
use flate2::read::GzDecoder;
use market::book::{Contradictions, LevelBooks, OrderBooks};
use market::{BookView, Event, EventKind, InstrumentId, Said, Side};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

const ONLY: InstrumentId = InstrumentId(0);

/// Version of a fragment of the archive; one name does not say.
fn fragment_version(name: &str) -> u8 {
    [".v1.", ".v3."]
        .iter()
        .zip([1, 3])
        .find(|(mark, _)| name.contains(**mark))
        .map_or(2, |(_, v)| v)
}

/// Each record as crate `dbn` decodes it, brought to version 3.
fn theirs(name: &str, bytes: &[u8], each: impl FnMut(RecordRef<'_>)) {
    if name.contains(".frag") {
        let version = fragment_version(name);
        let decoder = DbnRecordDecoder::with_version(bytes, version, UpgradeToV3, false);
        all(decoder.unwrap(), each);
    } else {
        all(DbnDecoder::with_upgrade_policy(bytes, UpgradeToV3).unwrap(), each);
    }
}

fn all(mut decoder: impl DecodeRecordRef, mut each: impl FnMut(RecordRef<'_>)) {
    while let Some(record) = decoder.decode_record_ref().unwrap() {
        each(record);
    }
}

fn unpacked(source: &Source) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.open().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Our reading of a vector, record after record beside theirs; gives how many records there are.
fn compare(name: &str, bytes: &[u8]) -> u64 {
    let mut recording = open_bytes(bytes, Options::default()).unwrap();
    let (mut unit, mut levels) = (Unit::default(), LevelBooks::growing());
    let mut by_type: BTreeMap<String, u64> = BTreeMap::new();
    let mut orders = Vec::new();
    theirs(name, bytes, |record| {
        let kind = RType::try_from(record.header().rtype).unwrap();
        *by_type.entry(kind.as_str().to_owned()).or_default() += 1;
        if let Some(order) = record.get::<MboMsg>() {
            orders.push(order.clone());
            return;
        }
        assert_eq!(recording.next_unit(&mut unit), Ok(true), "{name}");
        alike(name, record, &unit, &*recording, &mut levels);
    });
    let mut told = Vec::new();
    while recording.next_unit(&mut unit).unwrap() {
        told.append(&mut unit.events);
    }
    let expected: Vec<_> = orders.iter().filter_map(as_event).collect();
    // The vendor's vectors are of 13:00: before, orders rested that nobody tells of.
    let within = u64::from(name.contains("test_data") && !orders.is_empty());
    assert_eq!(recording.log().gaps().0, within, "{name}");
    assert!(within == 0 || told.remove(0).kind() == Some(EventKind::Lost), "{name}");
    let told: Vec<_> = told.iter().map(as_told).collect();
    assert_eq!(told, expected, "{name}");
    let counts = recording.counts();
    assert_eq!(counts.by_type.into_iter().collect::<BTreeMap<_, _>>(), by_type, "{name}");
    assert_eq!(recording.log().skipped().count(), 0, "{name}");
    assert!(recording.log().is_cut().is_none() && recording.log().damaged().0 == 0, "{name}");
    counts.messages
}

/// What an event must say: kind, time, id, price, quantity, side.
type Told = (EventKind, u64, u64, i64, i64, Option<Side>);

fn as_told(event: &Event) -> Told {
    let kind = event.kind().unwrap();
    let (price, qty) = (event.price.raw(), event.qty.raw());
    (kind, event.exchange_time.nanos(), event.order, price, qty, event.side())
}

fn side(record: dbn::Side) -> Option<Side> {
    match record {
        dbn::Side::Bid => Some(Side::Buy),
        dbn::Side::Ask => Some(Side::Sell),
        dbn::Side::None => None,
    }
}

/// The event that an order record becomes, by its documentation.
fn as_event(order: &MboMsg) -> Option<Told> {
    let (ts, resting) = (order.hd.ts_event, side(order.side().unwrap()));
    let told = |kind, id, side| Some((kind, ts, id, order.price, order.size.into(), side));
    match order.action().unwrap() {
        dbn::Action::Add => told(EventKind::Add, order.order_id, resting),
        dbn::Action::Cancel => told(EventKind::Reduce, order.order_id, resting),
        dbn::Action::Modify => told(EventKind::Change, order.order_id, resting),
        dbn::Action::Trade => told(EventKind::Trade, 0, resting.map(Side::opposite)),
        dbn::Action::Clear => Some((EventKind::Clear, ts, 0, 0, 0, None)),
        dbn::Action::Fill | dbn::Action::None => None,
    }
}

/// Bids and asks as price and size.
type Shown = [Vec<(i64, i64)>; 2];

fn shown(levels: impl Iterator<Item = [(i64, u32); 2]> + Clone) -> Shown {
    [0, 1].map(|side| {
        let side = levels.clone().map(|level| level[side]);
        side.filter(|level| level.0 != i64::MAX).map(|(price, size)| (price, size.into())).collect()
    })
}

fn book_of(book: &impl BookView) -> Shown {
    Side::BOTH.map(|side| {
        let levels = (0..book.depth(side)).filter_map(|depth| book.level(side, depth));
        levels.map(|level| (level.price.raw(), level.qty.raw())).collect()
    })
}

/// One record that is no order beside the unit that it became.
fn alike(
    name: &str,
    record: RecordRef<'_>,
    unit: &Unit,
    recording: &dyn Recording,
    books: &mut LevelBooks,
) {
    let header = record.header();
    let mut quoted: Option<(i64, u32, Option<dbn::Side>, Option<Shown>)> = None;
    let pair =
        |level: &dbn::BidAskPair| [(level.bid_px, level.bid_sz), (level.ask_px, level.ask_sz)];
    let consolidated = |level: &dbn::ConsolidatedBidAskPair| {
        [(level.bid_px, level.bid_sz), (level.ask_px, level.ask_sz)]
    };
    let traded = |action: dbn::Action, side| (action == dbn::Action::Trade).then_some(side);
    if let Some(r) = record.get::<dbn::TradeMsg>() {
        let taker = traded(r.action().unwrap(), r.side().unwrap());
        quoted = Some((r.price, r.size, taker, None));
    } else if let Some(r) = record.get::<dbn::Mbp1Msg>() {
        let taker = traded(r.action().unwrap(), r.side().unwrap());
        quoted = Some((r.price, r.size, taker, Some(shown(r.levels.iter().map(pair)))));
    } else if let Some(r) = record.get::<dbn::Mbp10Msg>() {
        let taker = traded(r.action().unwrap(), r.side().unwrap());
        quoted = Some((r.price, r.size, taker, Some(shown(r.levels.iter().map(pair)))));
    } else if let Some(r) = record.get::<dbn::BboMsg>() {
        quoted = Some((r.price, r.size, None, Some(shown(r.levels.iter().map(pair)))));
    } else if let Some(r) = record.get::<dbn::Cmbp1Msg>() {
        let taker = traded(r.action().unwrap(), r.side().unwrap());
        quoted = Some((r.price, r.size, taker, Some(shown(r.levels.iter().map(consolidated)))));
    } else if let Some(r) = record.get::<dbn::CbboMsg>() {
        quoted = Some((r.price, r.size, None, Some(shown(r.levels.iter().map(consolidated)))));
    }
    let Some((price, size, taker, levels)) = quoted else {
        return said(name, record, unit, recording);
    };
    let trades: Vec<Told> = unit
        .events
        .iter()
        .filter(|event| event.kind() == Some(EventKind::Trade))
        .map(as_told)
        .collect();
    let ts = unit.exchange_time.nanos();
    let trade = |taker| {
        let resting = side(taker).map(Side::opposite);
        (EventKind::Trade, ts, 0, price, size.into(), resting)
    };
    assert_eq!(ts, header.ts_event, "{name}");
    assert_eq!(trades, taker.map(trade).into_iter().collect::<Vec<_>>(), "{name}");
    for event in &unit.events {
        books.admit(event.instrument);
        assert_eq!(books.apply(event).contradiction, None, "{name}: {event:?}");
    }
    if let (Some(levels), Some(event)) = (levels, unit.events.first()) {
        assert_eq!(book_of(books.book(event.instrument)), levels, "{name}");
    }
}

/// A record that is no event beside its side entry.
fn said(name: &str, record: RecordRef<'_>, unit: &Unit, recording: &dyn Recording) {
    let price = |raw: Option<market::Price>| raw.map_or(i64::MAX, market::Price::raw);
    let said = unit.side.first().map(|entry| &entry.said);
    if let Some(r) = record.get::<dbn::InstrumentDefMsg>() {
        let Some(Said::Definition(d)) = said else { panic!("{name}: {said:?}") };
        assert_eq!(d.symbol, r.raw_symbol().unwrap(), "{name}");
        assert_eq!(d.venue_id, u64::from(r.hd.instrument_id), "{name}");
        assert_eq!((price(d.tick), &*d.currency), (r.min_price_increment, r.currency().unwrap()));
        let lot = d.lot.map_or(0, market::Qty::raw);
        let round = [r.min_lot_size, r.min_lot_size_round_lot].map(i64::from);
        assert!(
            round.contains(&lot) || lot == 0 && round[1] == i64::from(i32::MAX),
            "{name}: {d:?}"
        );
        assert_eq!(d.expiry.map_or(u64::MAX, market::Timestamp::nanos), r.expiration, "{name}");
        let detail = |key: &str| {
            d.details.iter().find(|(name, _)| *name == key).map_or("", |(_, text)| &**text)
        };
        let theirs = [
            ("exchange", r.exchange().unwrap()),
            ("asset", r.asset().unwrap()),
            ("cfi", r.cfi().unwrap()),
            ("security_type", r.security_type().unwrap()),
            ("group", r.group().unwrap()),
            ("underlying", r.underlying().unwrap()),
            ("unit_of_measure", r.unit_of_measure().unwrap()),
        ];
        for (key, text) in theirs {
            assert_eq!(detail(key), text, "{name}: {key}");
        }
        assert_eq!(detail("instrument_class").as_bytes(), [r.instrument_class as u8], "{name}");
        assert!(recording.instruments().all()[0].definition.is_some());
    } else if let Some(r) = record.get::<dbn::StatMsg>() {
        let Some(Said::Statistic(s)) = said else { panic!("{name}: {said:?}") };
        assert_eq!(
            (price(s.price), s.qty.map_or(i64::MAX, market::Qty::raw)),
            (r.price, r.quantity)
        );
    } else if let Some(r) = record.get::<dbn::ImbalanceMsg>() {
        let Some(Said::Imbalance(i)) = said else { panic!("{name}: {said:?}") };
        assert_eq!((price(i.reference), price(i.near)), (r.ref_price, r.cont_book_clr_price));
        assert_eq!(price(i.far), r.auct_interest_clr_price, "{name}");
        assert_eq!(i.paired.raw(), i64::from(r.paired_qty), "{name}");
        assert_eq!(i.unpaired.raw(), i64::from(r.total_imbalance_qty), "{name}");
        assert_eq!(i.auction.as_bytes(), [r.auction_type as u8], "{name}");
    } else if let Some(r) = record.get::<dbn::StatusMsg>() {
        let Some(Said::Status(s)) = said else { panic!("{name}: {said:?}") };
        let theirs = (r.action().unwrap(), r.reason().unwrap());
        assert!(s.reason.starts_with(&format!("{:?}", theirs.0)), "{name}: {s:?} {theirs:?}");
    } else {
        assert!(record.get::<dbn::OhlcvMsg>().is_some(), "{name}: {record:?}");
        assert!(unit.events.is_empty(), "{name}");
    }
}

#[test]
fn every_vector_agrees_with_the_vendors_decode() {
    let test = "every_vector_agrees_with_the_vendors_decode";
    let path = "dbn/vectors/databento-dbn-tests-data.tar.gz";
    let Some(path) = recorded(test, path) else { return };
    let sources = Source::list(&path).unwrap();
    let (mut read, mut refused, mut fragments) = (0, 0, 0);
    for source in &sources {
        let name = source.name();
        if name.ends_with(".dbz") {
            let Err(OpenError::Refused { name: format, .. }) = open(source, Options::default())
            else {
                panic!("{name} was not refused")
            };
            assert_eq!(format, "DBZ");
            refused += 1;
            continue;
        }
        let bytes = unpacked(source);
        assert!(compare(name, &bytes) > 0 || Schema::Ohlcv1D == schema_of(&bytes), "{name}");
        let version = open(source, Options::default()).unwrap().describe().version;
        let expected = match name.contains(".frag") {
            true => format!("fragment of version {}", fragment_version(name)),
            false => format!("version {}", bytes[3]),
        };
        assert!(version.starts_with(&expected), "{name}: {version}");
        fragments += u32::from(name.contains(".frag"));
        read += 1;
    }
    assert_eq!((read + refused, refused, fragments), (81, 10, 7));
}

fn schema_of(bytes: &[u8]) -> Schema {
    use dbn::decode::DbnMetadata as _;
    DbnDecoder::new(bytes).unwrap().metadata().schema.unwrap()
}

#[test]
fn recorded_files_have_the_records_that_they_should() {
    let test = "recorded_files_have_the_records_that_they_should";
    let Some(root) = recorded(test, "dbn") else { return };
    for (file, kind, records) in [
        ("esh4-glbx-mdp3-20231224.mbo.dbn.zst", "mbo", 8_725),
        ("esh4-20231225.cut-to-2310Z.mbo.dbn.zst", "mbo", 25_598),
        ("orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst", "mbo", 13_796),
        ("futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst", "mbp-1", 2_288),
        ("futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst", "mbp-0", 120),
    ] {
        let source = Source::file(root.join(file));
        let counted = compare(file, &unpacked(&source));
        assert_eq!(counted, records, "{file}");
        let mut recording = open(&source, Options::default()).unwrap();
        while recording.next_unit(&mut Unit::default()).unwrap() {}
        assert_eq!(recording.counts().by_type, [(kind.to_owned(), records)], "{file}");
        let about = recording.describe().version;
        assert!(about.starts_with("version 1, ") && about.ends_with(" of GLBX.MDP3"), "{about}");
        assert_eq!(recording.instruments().all().len(), 1, "{file}");
    }
}

/// Levels as the reference writes them: `price:size:orders|…`.
fn side_of(text: &str) -> Vec<(i64, i64, u32)> {
    let level = |level: &str| {
        let mut numbers = level.split(':');
        let mut next = || numbers.next().unwrap().parse::<i64>().unwrap();
        (next(), next(), u32::try_from(next()).unwrap())
    };
    text.split('|').filter(|text| !text.is_empty()).map(level).collect()
}

/// Every state of the reference, which stands behind the records that end an event; gives how many.
fn states(file: &Path, reference: &Path) -> usize {
    let mut text = String::new();
    GzDecoder::new(File::open(reference).unwrap()).read_to_string(&mut text).unwrap();
    let mut states = text.lines().peekable();
    let mut recording = open(&Source::file(file), Options::default()).unwrap();
    let (mut unit, mut books) = (Unit::default(), OrderBooks::growing());
    books.admit(ONLY);
    let mut compared = 0;
    while recording.next_unit(&mut unit).unwrap() {
        for event in &unit.events {
            books.apply(event);
        }
        let last = recording.counts().messages - 1;
        let row = states.next_if(|row| row.split(',').next() == Some(&last.to_string()));
        let Some(row) = row else { continue };
        let cells: Vec<&str> = row.split(',').collect();
        let book = books.book(ONLY);
        assert_eq!(unit.exchange_time.nanos().to_string(), cells[1], "row {compared}");
        for (side, cell) in [(Side::Buy, cells[3]), (Side::Sell, cells[4])] {
            let levels = (0..10).filter_map(|depth| book.level(side, depth));
            let ours: Vec<_> = levels.map(|l| (l.price.raw(), l.qty.raw(), l.orders)).collect();
            assert_eq!(ours, side_of(cell), "{side:?} behind record {last}");
        }
        compared += 1;
    }
    assert_eq!(states.next(), None);
    assert_eq!(books.contradictions(), &Contradictions::default());
    books.audit().unwrap();
    compared
}

#[test]
fn books_by_order_are_those_of_the_reference() {
    let test = "books_by_order_are_those_of_the_reference";
    for (file, reference, expected) in [
        (
            "dbn/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst",
            "derived/esm4-20240508.book10.python-ref.csv.gz",
            185,
        ),
        (
            "dbn/esh4-20231225.cut-to-2310Z.mbo.dbn.zst",
            "derived/esh4-20231225.cut-to-2310Z.book10.python-ref.csv.gz",
            13_822,
        ),
    ] {
        let (Some(file), Some(reference)) = (recorded(test, file), recorded(test, reference))
        else {
            return;
        };
        assert_eq!(states(&file, &reference), expected);
    }
}

/// The trades of a recording.
fn trades(path: &Path) -> Vec<Event> {
    let mut recording = open(&Source::file(path), Options::default()).unwrap();
    let (mut unit, mut trades) = (Unit::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        let plain = unit.events.iter().map(|event| Event { flags: Default::default(), ..*event });
        trades.extend(plain.filter(|event| event.kind() == Some(EventKind::Trade)));
    }
    trades
}

#[test]
fn trades_among_levels_are_those_of_the_file_of_trades() {
    let test = "trades_among_levels_are_those_of_the_file_of_trades";
    let levels = recorded(test, "dbn/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst");
    let alone = recorded(test, "dbn/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst");
    let (Some(levels), Some(alone)) = (levels, alone) else { return };
    let (levels, alone) = (trades(&levels), trades(&alone));
    assert_eq!(alone.len(), 120);
    assert_eq!(levels, alone);
}
