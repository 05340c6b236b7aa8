//! Databento's CSV: columns by name in any order, numbers and times in both of its styles, every
//! class of bad input; the same events as DBN on what crate `dbn` writes of recorded data; the
//! vendor's own book of ARL.

mod common;

use common::recorded;
use common::told::{kinds, read, skipped};
use dbn::decode::{DbnDecoder, DbnMetadata, DecodeRecordRef};
use dbn::encode::{CsvEncoder, EncodeRecordRef};
use feeds::recording::{Books, Options, Source, Unit, open, open_bytes};
use market::book::{Book, LevelBooks, OrderBooks};
use market::{BookView, Event, EventKind as K, InstrumentId, Price, Side};
use std::io::Read;

const HEAD: &str = "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,\
                    channel_id,order_id,flags,ts_in_delta,sequence,symbol\n";

/// Rows behind the usual head.
fn rows(rows: &[&str]) -> String {
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    format!("{HEAD}{rows}")
}

#[test]
fn rows_by_order_become_events_in_either_style() {
    let pretty = rows(&[
        "2024-01-02T00:00:01.000000007Z,2024-01-02T00:00:01Z,160,2,7,R,N,,0,0,0,8,0,0,SYM",
        "2024-01-02T00:00:03Z,2024-01-02T00:00:03Z,160,2,7,A,B,5.510000000,100,0,11,128,5,9,SYM",
        "2024-01-02T00:00:04Z,2024-01-02T00:00:04Z,160,2,7,T,A,5.5,40,0,0,0,5,10,SYM",
        "2024-01-02T00:00:04Z,2024-01-02T00:00:04Z,160,2,7,F,B,5.5,40,0,11,0,5,10,SYM",
        "2024-01-02T00:00:04Z,2024-01-02T00:00:04Z,160,2,7,C,B,5.5,40,0,11,130,5,10,SYM",
    ]);
    let (units, recording) = read(pretty.as_bytes());
    assert_eq!(kinds(&units), [vec![K::Clear], vec![K::Add], vec![K::Trade, K::Reduce]]);
    let (clear, add) = (units[0][0], units[1][0]);
    assert_eq!(clear.received - clear.exchange_time.nanos(), 7);
    assert_eq!((add.price, add.qty.raw(), add.order), (Price::from_raw(5_510_000_000), 100, 11));
    assert_eq!(add.exchange_time.nanos(), 1_704_153_603_000_000_000);
    assert_eq!(recording.instruments().all()[0].symbol, "SYM");
    assert_eq!(recording.counts().messages, 5);
    let about = recording.describe();
    assert_eq!(
        (about.format, &*about.version, about.books),
        ("Databento CSV", "mbo", Books::ByOrder)
    );

    // The same with whole numbers, with its columns elsewhere, and without those that are not
    // needed.
    let plain = "order_id,price,size,side,action,instrument_id,publisher_id,flags,ts_event,more\r\n\
                 0,,0,N,R,7,2,8,1704153601000000000,\r\n\
                 11,5510000000,100,B,A,7,2,128,1704153603000000000,x\r\n";
    let (units, recording) = read(plain.as_bytes());
    assert_eq!(kinds(&units), [vec![K::Clear], vec![K::Add]]);
    let event = units[1][0];
    assert_eq!(
        (event.price, event.qty, event.exchange_time),
        (add.price, add.qty, add.exchange_time)
    );
    assert_eq!(event.received, 0, "nobody said when it was received");
    assert_eq!(recording.counts().by_type, [("mbo".to_owned(), 2)]);
    assert_eq!(recording.instruments().all()[0].symbol, "7");
}

#[test]
fn a_number_may_come_to_mean_another_symbol() {
    let text = rows(&[
        "2024-01-02T00:00:03Z,2024-01-02T00:00:03Z,160,2,7,A,B,5.5,1,0,11,128,5,9,OLD",
        "2024-01-03T00:00:03Z,2024-01-03T00:00:03Z,160,2,7,A,B,5.5,1,0,12,128,5,9,NEW",
        "2024-01-03T00:00:03Z,2024-01-03T00:00:03Z,160,2,8,A,B,5.5,1,0,13,128,5,9,OLD",
        "2024-01-03T00:00:04Z,2024-01-03T00:00:04Z,160,2,7,A,B,5.5,1,0,14,128,5,9,NEW",
    ]);
    let (units, recording) = read(text.as_bytes());
    let symbols: Vec<&str> = recording.instruments().all().iter().map(|one| &*one.symbol).collect();
    assert_eq!(symbols, ["OLD", "NEW"]);
    // No row says how the book of any of them begins.
    let lost = vec![K::Lost, K::Add];
    let expected = [lost.clone(), lost, vec![K::Reset, K::Lost, K::Add], vec![K::Add]];
    assert_eq!(kinds(&units), expected);
    assert_eq!(recording.log().gaps().0, 3);
    let ids: Vec<u32> = units.iter().map(|unit| unit[0].instrument.0).collect();
    assert_eq!(ids, [0, 1, 0, 1]);
}

#[test]
fn rows_of_other_schemas_are_counted() {
    let text = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume\n\
                2024-01-02T00:00:00Z,33,2,7,1.0,2.0,1.0,2.0,5\n\
                2024-01-02T00:01:00Z,33,2,7,1.0,2.0,1.0,2.0,5\n\
                2024-01-02T00:01:00Z,250,2,7,1.0,2.0,1.0,2.0,5\n";
    let (units, recording) = read(text.as_bytes());
    assert!(units.iter().all(Vec::is_empty));
    let counts = recording.counts();
    assert_eq!(counts.by_type, [("ohlcv-1m".to_owned(), 2), ("rtype 0xfa".to_owned(), 1)]);
    assert_eq!(recording.describe().books, Books::None);
    assert_eq!(skipped(&*recording), [("unknown record type", 1)]);
}

#[test]
fn bad_input_rows() {
    let good = "2024-01-02T00:00:03Z,2024-01-02T00:00:03Z,160,2,7,A,B,5.5,1,0,11,128,5,9,SYM";
    let clear = "2024-01-02T00:00:01Z,2024-01-02T00:00:01Z,160,2,7,R,N,,0,0,0,136,0,0,SYM";
    for (from, to, reason) in [
        ("5.5", "5.5e1", "price is none"),
        ("5.5", "NaN", "price is none"),
        ("5.5", "9999999999999.5", "price is none"),
        ("5.5", "5.1234567891", "price is none"),
        ("2024-01-02T00:00:03Z,160", "2024-13-02T00:00:03Z,160", "time is none"),
        ("2024-01-02T00:00:03Z,160", "2024-01-02,160", "time is none"),
        (",1,0,11", ",-1,0,11", "number out of range"),
        (",1,0,11", ",4294967296,0,11", "number out of range"),
        (",11,", ",-11,", "order id is none"),
        (",128,", ",256,", "number out of range"),
        (",2,7,", ",65536,7,", "number out of range"),
        ("SYM", "\"SYM\"", "row has a quoted cell, which no row has"),
        (",SYM", "", "row has not as many cells as the head"),
        (",SYM", ",SYM,", "row has not as many cells as the head"),
        (",160,", ",x,", "number out of range"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        let text = rows(&[clear, &bad, good]);
        let (units, recording) = read(text.as_bytes());
        let position = (HEAD.len() + clear.len() + 1) as u64;
        let skips: Vec<_> = recording.log().skipped().collect();
        // Without a type nobody knows what it is.
        let reason = if to == ",x," { "unknown record type" } else { reason };
        assert_eq!(skips, [(reason, 1, &[position][..])], "{bad}");
        let lost = if to == ",x," { vec![] } else { vec![K::Lost] };
        assert_eq!(kinds(&units), [vec![K::Clear], lost, vec![K::Add]], "{bad}");
        assert_eq!(recording.counts().messages, 3);
    }
    let empty = read(HEAD.as_bytes());
    assert_eq!((empty.0.len(), empty.1.counts().messages), (0, 0));
    assert!(open_bytes(b"ts_event,price\n1,2\n", Options::default()).is_err());
}

/// Of a last cell that ends with the text, nobody knows whether it is whole: `AR` is no instrument.
#[test]
fn bad_input_an_end_at_every_byte() {
    let good = "2024-01-02T00:00:03Z,2024-01-02T00:00:03Z,160,2,7,A,B,5.5,1,0,11,128,5,9,SYM";
    let text = rows(&[good, good]);
    for length in HEAD.len()..text.len() {
        let (units, recording) = read(&text.as_bytes()[..length]);
        let rows = (length - HEAD.len()) / (good.len() + 1);
        let place = (HEAD.len() + rows * (good.len() + 1)) as u64;
        let cut = recording.log().is_cut().map(|cut| cut.position);
        let skips = recording.log().skipped().map(|(reason, count, places)| {
            assert_eq!((reason, count), ("last row has no line end: it may be cut", 1));
            places[0]
        });
        let told: Vec<u64> = skips.chain(cut).collect();
        assert_eq!((units.len(), told.is_empty()), (rows, length as u64 == place), "{length}");
        assert!(told.iter().all(|&at| at == place) && told.len() < 2, "{length}");
        let whole = recording.instruments().all().iter().all(|known| known.symbol == "SYM");
        assert!(whole && recording.counts().messages as usize == rows, "{length}");
    }
}

/// Without them, a row says nothing, or something else.
#[test]
fn bad_input_columns_that_a_schema_needs_are_missing() {
    let row = "2024-01-02T00:00:03Z,2024-01-02T00:00:03Z,160,2,7,A,B,5.5,1,0,11,128,5,9,SYM";
    let without = |text: &str, at: usize| {
        let cells = text.trim_end().split(',').enumerate().filter(|&(cell, _)| cell != at);
        cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
    };
    for (name, reason) in [
        ("action", "row by order or of a trade, in a file without the column action"),
        ("side", "row by order, in a file without the column side"),
        ("price", "row by order or of a trade, in a file without the column price"),
        ("size", "row by order or of a trade, in a file without the column size"),
        ("order_id", "row by order, in a file without the column order_id"),
    ] {
        let at = HEAD.trim_end().split(',').position(|column| column == name).unwrap();
        let text = format!("{}\n{}\n", without(HEAD, at), without(row, at));
        let (units, recording) = read(text.as_bytes());
        assert_eq!(skipped(&*recording), [(reason, 1)], "{name}");
        assert_eq!(kinds(&units), [[K::Lost]], "{name}");
        // Nothing is known of a trade either, but that it was one.
        let trade = text.replacen(",160,", ",0,", 1);
        let (units, recording) = read(trade.as_bytes());
        let needed = reason.contains("trade");
        assert_eq!(skipped(&*recording).len(), usize::from(needed), "{name}");
        assert_eq!(kinds(&units), [vec![]], "{name}");
    }
}

#[test]
fn bad_input_a_symbol_is_too_long() {
    let row = "2024-01-02T00:00:03Z,2024-01-02T00:00:03Z,160,2,7,R,N,,0,0,0,136,0,9,";
    let [long, longest] = [129, 128].map(|length| format!("{row}{}", "S".repeat(length)));
    let text = rows(&[&long, &longest]);
    let (units, recording) = read(text.as_bytes());
    assert_eq!(kinds(&units), [[K::Lost], [K::Clear]]);
    assert_eq!(skipped(&*recording), [("symbol is longer than 128 bytes", 1)]);
    assert_eq!(recording.instruments().all().len(), 1);
}

/// A recording as crate `dbn` writes it in CSV.
fn as_csv(bytes: &[u8], pretty: bool) -> Vec<u8> {
    let mut text = Vec::new();
    let mut decoder = DbnDecoder::new(bytes).unwrap();
    let schema = decoder.metadata().schema;
    let encoder = CsvEncoder::builder(&mut text).use_pretty_px(pretty).use_pretty_ts(pretty);
    let mut encoder = encoder.schema(schema).write_header(true).build().unwrap();
    while let Some(record) = decoder.decode_record_ref().unwrap() {
        encoder.encode_record_ref(record).unwrap();
    }
    drop(encoder);
    text
}

#[test]
fn what_the_vendor_writes_in_csv_gives_the_events_of_dbn() {
    let test = "what_the_vendor_writes_in_csv_gives_the_events_of_dbn";
    let Some(root) = recorded(test, "dbn") else { return };
    for file in [
        "orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst",
        "esh4-20231225.cut-to-2310Z.mbo.dbn.zst",
        "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst",
        "futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst",
    ] {
        alike(file, &Source::file(root.join(file)));
    }
    let vectors = root.join("vectors/databento-dbn-tests-data.tar.gz");
    for source in Source::list(&vectors).unwrap() {
        let name = source.name().to_owned();
        let quoted = ["mbo", "mbp", "tbbo", "trades", "bbo"].iter().any(|kind| name.contains(kind));
        if quoted && name.contains(".v3.dbn.zst") {
            alike(&name, &source);
        }
    }
}

fn alike(name: &str, source: &Source) {
    let mut bytes = Vec::new();
    source.open().unwrap().read_to_end(&mut bytes).unwrap();
    let (expected, dbn) = read(&bytes);
    for pretty in [true, false] {
        let text = as_csv(&bytes, pretty);
        let (units, csv) = read(&text);
        assert!(units == expected, "{name}: {} and {} units", units.len(), expected.len());
        assert_eq!(csv.counts(), dbn.counts(), "{name}");
        assert_eq!(skipped(&*csv), [], "{name}");
    }
}

/// The vendor's row: action, sequence's time, order id, and ten levels of bid and ask.
struct Row<'a> {
    cells: Vec<&'a str>,
}

impl Row<'_> {
    /// Whether the row tells of this event.
    fn is_of(&self, event: &Event) -> bool {
        let time: jiff::Timestamp = self.cells[2].parse().unwrap();
        let action = match event.kind().unwrap() {
            K::Clear => "R",
            K::Add => "A",
            K::Reduce => "C",
            K::Trade => "T",
            kind => panic!("{kind:?}"),
        };
        let numbered = !matches!(action, "A" | "C") || self.cells[75] == event.order.to_string();
        let nanos = i128::from(event.exchange_time.nanos());
        self.cells[6] == action && numbered && time.as_nanosecond() == nanos
    }

    /// Price, size and count of each level of a side.
    fn levels(&self, side: Side) -> Vec<(i64, i64, u32)> {
        let level = |at: usize| {
            let from = 14 + 6 * at + 3 * side.index();
            let [price, size, count] = [0, 1, 2].map(|more| self.cells[from + more]);
            let price: Price = price.parse().ok()?;
            Some((price.raw(), size.parse().unwrap(), count.parse().unwrap()))
        };
        (0..10).map_while(level).collect()
    }
}

fn top(book: &Book, side: Side) -> Vec<(i64, i64, u32)> {
    let levels = (0..10).filter_map(|depth| book.level(side, depth));
    levels.map(|level| (level.price.raw(), level.qty.raw(), level.orders)).collect()
}

/// Every row of the vendor's book by price is our book by order behind the event that it tells of.
/// A trade's row shows what its fill left; a replace is a cancel and an add, each with a row, so
/// that only the add must be what changes nothing if it has none.
#[test]
fn the_book_of_arl_is_the_vendors() {
    let test = "the_book_of_arl_is_the_vendors";
    let (orders, levels) = ("databento_csv/mbo.csv", "databento_csv/mbp.csv");
    let (Some(orders), Some(levels)) = (recorded(test, orders), recorded(test, levels)) else {
        return;
    };
    let text = std::fs::read_to_string(&levels).unwrap();
    let mut rows =
        text.lines().skip(1).map(|row| Row { cells: row.split(',').collect() }).peekable();
    let mut recording = open(&Source::file(orders), Options::default()).unwrap();
    let (mut unit, mut books) = (Unit::default(), OrderBooks::growing());
    books.admit(InstrumentId(0));
    let mut compared = 0;
    while recording.next_unit(&mut unit).unwrap() {
        let mut events = unit.events.iter().peekable();
        let mut shown = Side::BOTH.map(|side| top(books.book(InstrumentId(0)), side));
        while let Some(event) = events.next() {
            assert_eq!(books.apply(event).contradiction, None);
            let filled = event.kind() == Some(K::Trade) && event.side().is_some();
            if let Some(fill) = events.next_if(|next| filled && next.kind() == Some(K::Reduce)) {
                assert_eq!(books.apply(fill).contradiction, None);
            }
            let now = Side::BOTH.map(|side| top(books.book(InstrumentId(0)), side));
            if let Some(row) = rows.next_if(|row| row.is_of(event)) {
                assert_eq!(now, Side::BOTH.map(|side| row.levels(side)), "row {compared}");
                compared += 1;
            } else {
                assert_eq!(now, shown, "a change without a row, before row {compared}");
            }
            shown = now;
        }
    }
    assert!(rows.next().is_none());
    assert_eq!(compared, 3_928);
    assert_eq!((recording.counts().messages, recording.counts().by_type.len()), (5_886, 1));
    assert_eq!(skipped(&*recording), []);
}

/// The vendor's rows by price, with a column that is not the vendor's before the others.
#[test]
fn the_vendors_rows_by_price_are_read() {
    let test = "the_vendors_rows_by_price_are_read";
    let Some(path) = recorded(test, "databento_csv/mbp.csv") else { return };
    let text = std::fs::read_to_string(&path).unwrap();
    let mut rows = text.lines().skip(1).map(|row| Row { cells: row.split(',').collect() });
    let mut recording = open(&Source::file(path), Options::default()).unwrap();
    let (mut unit, mut books) = (Unit::default(), LevelBooks::growing());
    books.admit(InstrumentId(0));
    while recording.next_unit(&mut unit).unwrap() {
        unit.events.iter().for_each(|event| assert_eq!(books.apply(event).contradiction, None));
        let row = rows.next().unwrap();
        let without_counts = |levels: Vec<(i64, i64, u32)>| {
            levels.into_iter().map(|(price, size, _)| (price, size, 0)).collect::<Vec<_>>()
        };
        for side in Side::BOTH {
            let ours = top(books.book(InstrumentId(0)), side);
            assert_eq!(ours, without_counts(row.levels(side)), "{:?}", row.cells[0]);
        }
    }
    assert!(rows.next().is_none());
    assert_eq!(recording.counts().by_type, [("mbp-10".to_owned(), 3_928)]);
    assert_eq!(recording.instruments().all()[0].symbol, "ARL");
}
