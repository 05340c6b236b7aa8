//! The messages that venues show in their documentation, and what comes of them.

use super::*;

fn soh(text: &str) -> Vec<u8> {
    text.replace('|', "\x01").into_bytes()
}

/// Kraken, "Market Data Incremental Refresh", spot by level: a level goes, another comes. Levels
/// have ids, times stand without dates, and one of them is of the day before.
#[test]
fn kraken_updates_levels() {
    let mut books = whole(Keyed::ByLevel);
    let bytes = soh("8=FIX.4.4|9=213|35=X|34=100|56=MYCOMPID|49=KRAKEN-MD|\
        52=20230707-13:42:27.230|55=BTC/USD|262=1|268=2|279=2|269=1|278=O30300.7|270=30300.7|\
        271=0.0|273=13:42:27.208|279=0|269=1|278=O31941.0|270=31941.0|271=0.0031746|\
        273=20:40:00.455|10=112|");
    let all = events(&mut books, &bytes);
    assert_eq!(
        told(&all),
        [
            entry(EventKind::Level, BTC, Side::Sell, "30300.7", 0, NONE),
            entry(EventKind::Level, BTC, Side::Sell, "31941", qty("0.0031746"), LAST),
        ]
    );
    assert_eq!(all[0].exchange_time, time("20230707-13:42:27.208"));
    assert_eq!(all[1].exchange_time, time("20230706-20:40:00.455"));
}

/// The same venue by order, as its table of fields has it (278 is the OrderID there).
#[test]
fn kraken_updates_orders() {
    let mut books = books(Keyed::ByOrder);
    let all = events(
        &mut books,
        &message(
            "W",
            "262=3|55=BTC/USD|268=2|269=1|278=A-1|270=30300|271=2|269=0|278=77|270=30299|271=1|",
        ),
    );
    assert_eq!(
        told(&all),
        [
            mark(EventKind::Clear, BTC, SNAPSHOT),
            entry(EventKind::Add, BTC, Side::Sell, "30300", qty("2"), SNAPSHOT),
            entry(EventKind::Add, BTC, Side::Buy, "30299", qty("1"), SNAPSHOT),
            mark(EventKind::Recovered, BTC, LAST),
        ]
    );
    let digest = market::ids::digest64(b"A-1");
    assert_eq!((all[1].order, all[2].order), (digest, 77));
    let all = events(
        &mut books,
        &message(
            "X",
            "55=BTC/USD|268=4|279=0|269=0|278=78|270=30298|271=4|279=1|269=0|278=77|270=30299|\
             271=0.5|279=2|278=A-1|279=1|269=0|278=79|280=78|270=30297|271=3|",
        ),
    );
    let kinds: Vec<_> = all.iter().map(|event| (event.kind().unwrap(), event.order)).collect();
    assert_eq!(
        kinds,
        [
            (EventKind::Add, 78),
            (EventKind::Change, 77),
            (EventKind::Delete, digest),
            (EventKind::Delete, 78),
            (EventKind::Add, 79),
        ]
    );
    assert_eq!((all[1].qty, all[4].price), (Qty::from_raw(qty("0.5")), "30297".parse().unwrap()));
    assert!(all[4].flags.has(LAST) && !all[3].flags.has(LAST));
}

/// Binance, `fix-api.md`: an empty snapshot, and a fragment of trades of which only the first names
/// its instrument.
#[test]
fn binance_tells_trades_in_fragments() {
    let mut books = books(Keyed::ByLevel);
    let empty = soh("8=FIX.4.4|9=0000107|35=W|49=SPOT|56=EXAMPLE|34=34|\
        52=20241019-05:41:52.867164|262=BOOK_TICKER_1_2|55=BNBBUSD|25044=0|268=0|10=151|");
    let marks = [mark(EventKind::Clear, BNB, SNAPSHOT), mark(EventKind::Recovered, BNB, LAST)];
    assert_eq!(told(&events(&mut books, &empty)), marks);
    let trades = soh("8=FIX.4.4|9=0000313|35=X|49=SPOT|56=EXAMPLE|34=16|\
        52=20241019-05:40:11.466313|262=TRADE_3|893=N|268=3|279=0|269=2|270=10.00000|271=0.01000|\
        55=BNBBUSD|1003=0|60=20241019-05:40:11.464000|279=0|269=2|270=10.00000|271=0.01000|1003=1|\
        60=20241019-05:40:11.464000|279=0|269=2|270=10.00000|271=0.01000|1003=2|\
        60=20241019-05:40:11.464000|10=125|");
    let all = events(&mut books, &trades);
    assert_eq!(all.iter().map(|event| event.order).collect::<Vec<_>>(), [0, 1, 2]);
    for event in &all {
        assert_eq!(event.kind(), Some(EventKind::Trade));
        assert_eq!((event.instrument, event.side()), (BNB, None));
        assert_eq!(event.price, "10".parse().unwrap());
        assert_eq!(event.qty.raw(), qty("0.01"));
        assert_eq!(event.exchange_time, time("20241019-05:40:11.464"));
        assert_eq!(event.flags, NONE, "893=N: more comes");
    }
}

/// Deribit, "Market Data – Snapshot" and "Incremental Refresh": contracts, trades with ids of their
/// own field, a whole timestamp in MDEntryDate, and values of an index that are none of a book.
#[test]
fn deribit_tells_books_and_trades() {
    let settings = Settings { trade_id_tag: 100_009, ..Settings::default() };
    let mut books = Books::new(instruments(), settings);
    let snapshot = "55=BTC-PERPETUAL|262=1|231=10.0|100090=30300.5|268=3|269=0|270=30300.5|271=120|\
        272=20230707-13:42:27.100|269=1|270=30301|271=7|269=2|270=30301|271=2|\
        272=20230707-13:42:26.000|54=1|100009=9|";
    let all = events(&mut books, &message("W", snapshot));
    assert_eq!(
        told(&all),
        [
            mark(EventKind::Clear, PERPETUAL, SNAPSHOT),
            entry(EventKind::Level, PERPETUAL, Side::Buy, "30300.5", 120, SNAPSHOT),
            entry(EventKind::Level, PERPETUAL, Side::Sell, "30301", 7, SNAPSHOT),
            mark(EventKind::Recovered, PERPETUAL, LAST),
        ],
        "what was traded before is no news"
    );
    assert_eq!(all[1].exchange_time, time("20230707-13:42:27.100"));
    assert_eq!(all[2].exchange_time, time(SENT));
    let update = "55=BTC-PERPETUAL|262=1|268=4|279=1|269=0|270=30300.5|271=90|279=0|269=3|270=30299|\
        279=2|269=1|270=30301|279=0|269=2|270=30300.5|271=30|272=20230707-13:42:27.229|54=2|\
        100009=BTC-17|37=1|100010=x|";
    let all = events(&mut books, &message("X", update));
    assert_eq!(
        told(&all),
        [
            entry(EventKind::Level, PERPETUAL, Side::Buy, "30300.5", 90, NONE),
            entry(EventKind::Level, PERPETUAL, Side::Sell, "30301", 0, NONE),
            entry(EventKind::Trade, PERPETUAL, Side::Buy, "30300.5", 30, LAST),
        ],
        "who sold met a bid"
    );
    assert_eq!(all[2].order, market::ids::digest64(b"BTC-17"));
    assert_eq!(books.counters().other, 2);
}

/// Coinbase Exchange, FIX.5.0SP2: numbers of its own for each symbol (83), snapshots in fragments
/// (893), and AggressorSide.
#[test]
fn coinbase_numbers_its_symbols() {
    let mut books = books(Keyed::ByOrder);
    let first = "262=1|83=41|893=N|55=BTC/USD|268=1|269=0|278=a|270=10|271=1|";
    let all = events(&mut books, &message("W", first));
    let add = entry(EventKind::Add, BTC, Side::Buy, "10", qty("1"), SNAPSHOT);
    assert_eq!(told(&all), [mark(EventKind::Clear, BTC, SNAPSHOT), add]);
    let second = "262=1|83=41|893=Y|55=BTC/USD|268=1|269=1|278=b|270=11|271=2|";
    let all = events(&mut books, &message("W", second));
    let add = entry(EventKind::Add, BTC, Side::Sell, "11", qty("2"), SNAPSHOT);
    assert_eq!(told(&all), [add, mark(EventKind::Recovered, BTC, LAST)]);
    let update = "268=3|279=0|269=0|278=z|55=BTC/USD|83=41|270=9|271=1|279=2|269=0|278=a|83=42|\
        279=0|269=2|1003=5|83=43|270=11|271=0.5|2446=1|";
    let all = events(&mut books, &message("X", update));
    let kinds: Vec<_> = all.iter().map(|event| (event.kind().unwrap(), event.order)).collect();
    let expected = [(EventKind::Delete, market::ids::digest64(b"a")), (EventKind::Trade, 5)];
    assert_eq!(kinds, expected, "41 is in the snapshot");
    assert_eq!((all[1].side(), books.counters().old), (Some(Side::Sell), 1));
}

#[test]
fn an_empty_book_is_a_book() {
    let mut books = books(Keyed::ByLevel);
    let all = events(&mut books, &message("X", "268=1|279=0|269=J|55=BTC/USD|"));
    assert_eq!(told(&all), [mark(EventKind::Clear, BTC, LAST)]);
    let level = "268=1|279=0|269=0|55=BTC/USD|270=1|271=1|";
    assert_eq!(events(&mut books, &message("X", level)).len(), 1, "updates go on from there");
}
