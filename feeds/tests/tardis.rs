//! Tardis CSV: each kind by its head row, columns in any order, snapshots that begin a book anew,
//! and every class of bad input; recorded files row by row.

mod common;

use common::recorded;
use common::told::{kinds, read, units};
use feeds::recording::{Books, Options, Source, Unit, Wanted, open, open_bytes};
use market::book::LevelBooks;
use market::{BookView, Event, EventFlags, EventKind as K, Instrument, InstrumentId, Side};
use std::io::Read;

const BOOK: &str = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
const TRADES: &str = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n";
const NO_SYMBOL: &str = "row without a symbol, of one of more than 256 bytes, or of too many";
const QUOTES: &str =
    "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n";

fn text(head: &str, rows: &[&str]) -> String {
    format!("{head}{}\n", rows.join("\n"))
}

#[test]
fn an_incremental_book_begins_anew_with_each_snapshot() {
    let text = text(
        BOOK,
        &[
            "deribit,X,1000,1005,true,ask,101.5,2",
            "deribit,X,1000,1005,true,bid,100,3",
            "deribit,X,2000,2005,false,bid,100,0",
            "deribit,X,2000,2005,false,bid,99.5,1e-7",
            "deribit,Y,2000,2005,true,bid,7,1",
            "deribit,X,3000,3005,true,ask,200,1",
            "deribit,X,3000,3006,true,bid,199,1",
        ],
    );
    let (units, recording) = read(text.as_bytes());
    let expected = [
        vec![K::Clear, K::Level, K::Level],
        vec![K::Level, K::Level],
        vec![K::Clear, K::Level],
        vec![K::Clear, K::Level],
        vec![K::Level],
    ];
    assert_eq!(kinds(&units), expected);
    let (ask, small) = (units[0][1], units[1][1]);
    assert_eq!(
        (ask.side(), ask.price.raw(), ask.qty.raw()),
        (Some(Side::Sell), 101_500_000_000, 200_000_000)
    );
    assert_eq!((ask.exchange_time.nanos(), ask.received), (1_000_000, 1_005_000));
    assert_eq!((ask.flags, small.flags), (EventFlags::SNAPSHOT, EventFlags::LAST));
    assert_eq!(small.qty.raw(), 10);
    let mut books = LevelBooks::growing();
    books.admit(InstrumentId(1));
    units.iter().flatten().for_each(|event| assert_eq!(books.apply(event).contradiction, None));
    let book = books.book(InstrumentId(0));
    assert_eq!((book.depth(Side::Buy), book.depth(Side::Sell)), (1, 1));
    assert!(book.state().may_quote());
    let about = recording.describe();
    assert_eq!((about.format, &*about.version), ("Tardis CSV", "incremental_book_L2"));
    assert_eq!(about.books, Books::ByLevel);
    assert_eq!(recording.counts().messages, 7);
    let known: Vec<_> =
        recording.instruments().all().iter().map(|one| (&*one.symbol, one.qty_digits)).collect();
    assert_eq!(known, [("X", 8), ("Y", 8)]);
}

#[test]
fn changes_before_the_first_snapshot_are_of_no_book() {
    let text = text(
        BOOK,
        &[
            "deribit,X,1000,1005,false,ask,101.5,2",
            "deribit,X,2000,2005,false,bid,100,3",
            "deribit,Y,2000,2005,true,bid,7,1",
            "deribit,X,3000,3005,true,bid,99,1",
            "deribit,X,3000,3005,true,ask,102,1",
            "deribit,X,4000,4005,false,bid,99,0",
        ],
    );
    let (units, recording) = read(text.as_bytes());
    let snapshot = vec![K::Clear, K::Level, K::Level];
    let expected = [vec![K::Lost], vec![], vec![K::Clear, K::Level], snapshot, vec![K::Level]];
    assert_eq!(kinds(&units), expected);
    let skips: Vec<_> = recording.log().skipped().collect();
    let places = [BOOK.len() as u64, (BOOK.len() + 38) as u64];
    assert_eq!(skips, [("change of a book before its first snapshot", 2, &places[..])]);
    let mut books = LevelBooks::growing();
    books.admit(InstrumentId(1));
    for (at, unit) in units.iter().enumerate() {
        unit.iter().for_each(|event| assert_eq!(books.apply(event).contradiction, None));
        assert_eq!(books.book(InstrumentId(0)).state().may_quote(), at >= 3, "unit {at}");
    }
}

/// A recorder that connects again while nothing happens.
#[test]
fn a_snapshot_that_follows_one_begins_anew() {
    let text = text(
        BOOK,
        &[
            "deribit,X,1000,1005,true,bid,100,1",
            "deribit,X,1000,1006,true,ask,101,1",
            "deribit,X,9000000,9000105,true,bid,90,1",
            "deribit,X,9000000,9000105,true,ask,91,1",
        ],
    );
    let (units, _) = read(text.as_bytes());
    let again = vec![K::Clear, K::Level, K::Level];
    assert_eq!(kinds(&units), [vec![K::Clear, K::Level], vec![K::Level], again]);
}

/// Combinations and spreads have such prices.
#[test]
fn prices_may_be_negative_or_zero() {
    let rows = ["e,X,1,2,true,bid,-12.5,10", "e,X,1,2,true,ask,0,10"];
    let book = text(BOOK, &rows);
    let (units, recording) = read(book.as_bytes());
    let prices: Vec<i64> = units[0].iter().map(|event| event.price.raw()).collect();
    assert_eq!((prices, recording.log().skipped().count()), (vec![0, -12_500_000_000, 0], 0));
    let mut books = LevelBooks::growing();
    books.admit(InstrumentId(0));
    units.iter().flatten().for_each(|event| assert_eq!(books.apply(event).contradiction, None));
    assert!(books.book(InstrumentId(0)).state().may_quote());
    // A side without orders has no amount, whatever its price.
    let quotes = text(QUOTES, &["e,X,1,2,5,-1.5,-2.5,5", "e,X,2,3,5,-1.5,0,0"]);
    let (units, _) = read(quotes.as_bytes());
    assert_eq!(kinds(&units), [vec![K::Clear, K::Level, K::Level], vec![K::Level]]);
    let trades = text(TRADES, &["e,X,1,2,3,buy,-0.5,1"]);
    assert_eq!(read(trades.as_bytes()).0[0][0].price.raw(), -500_000_000);
}

#[test]
fn trades_name_the_resting_side() {
    let text = text(
        "local_timestamp,amount,price,side,id,timestamp,symbol,exchange,more\n",
        &[
            "1005,0.5,10,buy,77,1000,X,e,",
            "1006,0.5,10,sell,ccc3c1fa-212c,1001,X,e,",
            "1007,0.5,10,unknown,,1001,X,e,",
        ],
    );
    let (units, recording) = read(text.as_bytes());
    let sides: Vec<_> = units.iter().map(|unit| unit[0].side()).collect();
    assert_eq!(sides, [Some(Side::Sell), Some(Side::Buy), None]);
    assert_eq!((units[0][0].order, units[1][0].order), (77, 0));
    assert_eq!(kinds(&units), vec![vec![K::Trade]; 3]);
    assert_eq!(recording.describe().books, Books::None);
}

#[test]
fn quotes_and_snapshots_tell_what_changed() {
    let quotes = text(
        QUOTES,
        &["e,X,1000,1005,2,11,10,3", "e,X,1001,1006,2,11,10.5,1", "e,X,1002,1007,,,10.5,1"],
    );
    let (units, recording) = read(quotes.as_bytes());
    let expected = [vec![K::Clear, K::Level, K::Level], vec![K::Level, K::Level], vec![K::Level]];
    assert_eq!(kinds(&units), expected);
    let gone = units[2][0];
    assert_eq!((gone.side(), gone.qty.raw()), (Some(Side::Sell), 0));
    assert_eq!(recording.describe().version, "quotes");
    let head = "exchange,symbol,timestamp,local_timestamp,bids[0].price,bids[0].amount,\
                asks[0].price,asks[0].amount,bids[1].price,bids[1].amount,asks[1].price,\
                asks[1].amount\n";
    let rows = ["e,X,1,2,10,1,11,1,9,1,12,1", "e,X,2,3,10,1,11,1,9.5,4,,"];
    let snapshots = text(head, &rows);
    let (units, recording) = read(snapshots.as_bytes());
    assert_eq!(units[1].len(), 3, "a bid goes, another comes, an ask goes");
    assert_eq!(recording.describe().version, "book_snapshot_2");
}

#[test]
fn kinds_that_are_not_read_are_counted() {
    let head = "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate\n";
    let text = text(head, &["e,X,1,2,3,0.1", "e,X,2,3,4,0.1"]);
    let (units, recording) = read(text.as_bytes());
    assert_eq!((units.len(), recording.counts().messages), (2, 2));
    assert_eq!(recording.describe().version, "of a kind that is not read");
}

#[test]
fn wanted_instruments_have_their_own_scale() {
    let text = text(BOOK, &["e,X,1,2,true,ask,1,2.25", "e,Y,1,2,true,ask,1,2.25"]);
    let mut wanted = Instrument::share(3, "X");
    wanted.qty_digits = 2;
    let options = Options { wanted: Wanted::Only(vec![wanted]), ..Options::default() };
    let mut recording = open_bytes(text.as_bytes(), options).unwrap();
    let units = units(&mut *recording);
    assert_eq!((units[0][1].instrument, units[0][1].qty.raw()), (InstrumentId(3), 225));
    assert!(units[1].is_empty());
}

#[test]
fn bad_input_rows() {
    let (first, good) = ("e,X,1000,1005,true,ask,101.5,2", "e,X,1000,1005,false,ask,101.5,2");
    let long = format!("e,{}", "X".repeat(257));
    for (from, to, reason, whose) in [
        ("1000", "1e3", "time is no count of microseconds", Event::ALL.0),
        ("1005", "", "time is no count of microseconds", Event::ALL.0),
        ("1000", "99999999999999999999", "time is no count of microseconds", Event::ALL.0),
        ("1000", "18446744073709551615", "time is no count of microseconds", Event::ALL.0),
        ("false", "0", "is_snapshot is neither true nor false", 0),
        ("ask", "sell", "side is neither bid nor ask", 0),
        ("101.5", "NaN", "price is none, or finer than 1e-9", 0),
        ("101.5", "1e400", "price is none, or finer than 1e-9", 0),
        ("101.5", "1e-10", "price is none, or finer than 1e-9", 0),
        (",2", ",-2", "amount is none, or does not fit the instrument's scale", 0),
        (",2", ",1e-9", "amount is none, or does not fit the instrument's scale", 0),
        (",2", ",99999999999999", "amount is none, or does not fit the instrument's scale", 0),
        (",2", ",", "amount is none, or does not fit the instrument's scale", 0),
        ("e,X", "e,", NO_SYMBOL, Event::ALL.0),
        ("e,X", &long, NO_SYMBOL, Event::ALL.0),
        ("e,X", "\"e\",X", "row has a quoted cell, which no row has", Event::ALL.0),
        (",2", "", "row has not as many cells as the head", Event::ALL.0),
        (",2", ",2,3", "row has not as many cells as the head", Event::ALL.0),
    ] {
        let (before, behind) = good.rsplit_once(from).unwrap();
        let bad = match from {
            "e,X" | "1000" | "false" => good.replacen(from, to, 1),
            _ => format!("{before}{to}{behind}"),
        };
        let text = text(BOOK, &[first, &bad, good]);
        let (units, recording) = read(text.as_bytes());
        let skips: Vec<_> = recording.log().skipped().collect();
        let position = (BOOK.len() + first.len() + 1) as u64;
        assert_eq!(skips, [(reason, 1, &[position][..])], "{bad}");
        let lost: Vec<_> =
            units.iter().flatten().filter(|event| event.kind() == Some(K::Lost)).collect();
        assert_eq!((lost.len(), lost[0].instrument.0), (1, whose), "{bad}");
        assert_eq!(recording.counts().messages, 3);
    }
    // What begins a snapshot and cannot be read is missing in it; what is of another message is not.
    let snapshot = "e,X,2000,2005,true,bid,99,1";
    for (bad, lost) in [
        ("e,X,2000,2005,true,bid,x,1", 2),
        ("e,X,noon,2005,true,bid,98,1", 2),
        ("e,X,1000,1005,false,bid,x,1", 1),
        ("e,Y,2000,2005,true,bid,x,1", 1),
    ] {
        let text = text(
            BOOK,
            &["e,X,1000,1005,true,bid,100,3", "e,X,1000,1006,false,bid,100,2", bad, snapshot],
        );
        let (units, _) = read(text.as_bytes());
        let of_x = |event: &&Event| event.instrument.0 != 1 && event.kind() == Some(K::Lost);
        let count = units.iter().flatten().filter(of_x).count();
        assert_eq!(count, lost - usize::from(bad.starts_with("e,Y")), "{bad}");
        let mut books = LevelBooks::growing();
        books.admit(InstrumentId(1));
        units.iter().flatten().for_each(|event| assert_eq!(books.apply(event).contradiction, None));
        assert_eq!(books.book(InstrumentId(0)).state().may_quote(), lost == 1, "{bad}");
    }
    // A trade that cannot be read loses no book, and a quote comes whole with the next.
    for (head, row) in [(TRADES, "e,X,1,2,3,hold,1,1"), (QUOTES, "e,X,1,2,3,x,1,1")] {
        let text = text(head, &[row]);
        let (units, recording) = read(text.as_bytes());
        assert_eq!((kinds(&units), recording.log().skipped().count()), (vec![vec![]], 1));
    }
}

#[test]
fn bad_input_an_end_at_every_byte() {
    let row = "e,X,1000,1005,true,ask,101.5,2";
    let text = text(BOOK, &[row, "e,X,1000,1006,true,ask,101.5,2"]);
    for length in BOOK.len()..text.len() {
        let (units, recording) = read(&text.as_bytes()[..length]);
        let (rows, more) = ((length - BOOK.len()) / (row.len() + 1), length - BOOK.len());
        let more = more % (row.len() + 1);
        // Of an amount that ends with the text, nobody knows whether it is whole.
        let open = recording.log().skipped().map(|(_, _, places)| places[0]).collect::<Vec<_>>();
        let cut = recording.log().is_cut().map(|cut| cut.position);
        let told: Vec<u64> = cut.into_iter().chain(open).collect();
        let place = (BOOK.len() + rows * (row.len() + 1)) as u64;
        assert_eq!((units.len(), told), (rows, vec![place; usize::from(more > 0)]), "{length}");
    }
    assert!(open_bytes(b"exchange,symbol,timestamp\n1,2,3\n", Options::default()).is_err());
}

/// Files, what they hold, and their rows.
const FILES: [(&str, &str, u64); 7] = [
    ("trades.csv.gz", "trades", 9_999),
    ("quotes.csv.gz", "quotes", 9_999),
    ("deribit_incremental_book_L2_BTC-PERPETUAL.csv", "incremental_book_L2", 15),
    ("binance-futures_book_snapshot_25_BTCUSDT.csv", "book_snapshot_25", 10),
    ("binance-futures_book_snapshot_5_BTCUSDT.csv", "book_snapshot_5", 10),
    ("bitmex_trades_XBTUSD.csv", "trades", 10),
    ("huobi-dm-swap_quotes_BTC-USD.csv", "quotes", 10),
];

/// Every row beside what it became, by the floor's own parsing of decimals.
#[test]
fn recorded_rows_are_what_they_say() {
    let test = "recorded_rows_are_what_they_say";
    let Some(root) = recorded(test, "tardis") else { return };
    for (file, version, rows) in FILES {
        let source = Source::file(root.join(file));
        let mut text = String::new();
        source.open().unwrap().read_to_string(&mut text).unwrap();
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap().split(',').collect();
        let mut recording = open(&source, Options::default()).unwrap();
        assert_eq!(recording.describe().version, version, "{file}");
        let (mut unit, mut books) = (Unit::default(), LevelBooks::growing());
        books.admit(InstrumentId(0));
        while recording.next_unit(&mut unit).unwrap() {
            let rows = if version == "incremental_book_L2" { 15 } else { 1 };
            let cells: Vec<Vec<&str>> =
                lines.by_ref().take(rows).map(|row| row.split(',').collect()).collect();
            unit.events.iter().for_each(|e| assert_eq!(books.apply(e).contradiction, None));
            alike(&head, &cells, &unit, &books);
        }
        assert_eq!(lines.next(), None, "{file}");
        assert_eq!(recording.counts().messages, rows, "{file}");
        assert_eq!(recording.log(), &feeds::recording::Log::default(), "{file}");
    }
}

/// The rows of one unit beside its events, and the book behind them.
fn alike(head: &[&str], rows: &[Vec<&str>], unit: &Unit, books: &LevelBooks) {
    let at = |name: &str| head.iter().position(|&column| column == name);
    let row = &rows[0];
    let cell = |name: &str| row[at(name).unwrap()];
    let micros = |name: &str| cell(name).parse::<u64>().unwrap() * 1_000;
    assert_eq!(unit.exchange_time.nanos(), micros("timestamp"));
    assert_eq!(unit.received.nanos(), micros("local_timestamp"));
    let raw = |text: &str, digits| market::number::parse_scaled(text, digits).unwrap();
    if at("id").is_some() {
        let trade = unit.events[0];
        let told = (trade.price.raw(), trade.qty.raw(), trade.side().unwrap());
        let resting = if cell("side") == "buy" { Side::Sell } else { Side::Buy };
        assert_eq!(told, (raw(cell("price"), 9), raw(cell("amount"), 8), resting));
        return;
    }
    let book = books.book(InstrumentId(0));
    let mut expected: [Vec<(i64, i64)>; 2] = Default::default();
    let mut add = |side: Side, price: &str, amount: &str| {
        expected[side.index()].push((raw(price, 9), raw(amount, 8)));
    };
    for row in rows {
        let cell = |name: &str| row[at(name).unwrap()];
        if at("is_snapshot").is_some() {
            let side = if cell("side") == "bid" { Side::Buy } else { Side::Sell };
            add(side, cell("price"), cell("amount"));
        } else if at("bid_price").is_some() {
            add(Side::Buy, cell("bid_price"), cell("bid_amount"));
            add(Side::Sell, cell("ask_price"), cell("ask_amount"));
        } else {
            for level in (0..).take_while(|n| at(&format!("bids[{n}].price")).is_some()) {
                for (side, name) in [(Side::Buy, "bids"), (Side::Sell, "asks")] {
                    let of = |what: &str| cell(&format!("{name}[{level}].{what}"));
                    add(side, of("price"), of("amount"));
                }
            }
        }
    }
    for side in Side::BOTH {
        let levels = (0..book.depth(side)).filter_map(|depth| book.level(side, depth));
        let ours: Vec<_> = levels.map(|level| (level.price.raw(), level.qty.raw())).collect();
        assert_eq!(ours, expected[side.index()]);
    }
}
