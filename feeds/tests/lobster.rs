//! LOBSTER: messages with the book behind them, and either alone; made-up halts, crosses and empty
//! levels; every class of bad input; and every transition of the recorded days.

mod common;

use common::recorded;
use common::told::{self, kinds, skipped};
use feeds::cells::Cells;
use feeds::lobster::{Kind, Message};
use feeds::recording::{
    Books, Clock, Lines, Options, Recording, Source, Unit, Wanted, open, open_bytes,
};
use market::book::LevelBooks;
use market::{
    BookView, EventFlags, EventKind as K, Instrument, InstrumentId, Side, Timestamp, TradingStatus,
};
use std::path::Path;

const ONLY: InstrumentId = InstrumentId(0);
const NAME: &str = "TEST_2012-06-21_34200000_57600000_message_2.csv";

/// Two levels; the second ask is empty.
const BOOK: &str = "1000100,5,1000000,7,9999999999,0,999900,3";

/// Writes both files, and opens the messages.
fn pair(folder: &Path, messages: &[&str], book: &[&str]) -> Box<dyn Recording> {
    let path = folder.join(NAME);
    let text = |rows: &[&str]| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    std::fs::write(&path, text(messages)).unwrap();
    std::fs::write(folder.join(NAME.replace("message", "orderbook")), text(book)).unwrap();
    open(&Source::file(path), Options::default()).unwrap()
}

#[test]
fn a_message_and_the_book_behind_it_are_one_unit() {
    let folder = tempfile::tempdir().unwrap();
    let messages = [
        "34200.1,1,11,3,999900,1",
        "34200.18960767,4,12,2,1000000,1",
        "34201,5,0,40,1000050,-1",
        "34202,3,13,5,1000000,1",
    ];
    let after = "1000100,5,1000000,5,9999999999,0,999900,3";
    let last = "1000100,5,999900,3,9999999999,0,-9999999999,0";
    let mut recording = pair(folder.path(), &messages, &[BOOK, after, after, last]);
    let units = told::units(&mut *recording);
    assert_eq!(
        kinds(&units),
        [
            vec![K::Clear, K::Level, K::Level, K::Level],
            vec![K::Trade, K::Level],
            vec![K::Trade],
            vec![K::Level]
        ]
    );
    let first: Vec<_> =
        units[0][1..].iter().map(|e| (e.side().unwrap(), e.price.raw(), e.qty.raw())).collect();
    assert_eq!(
        first,
        [
            (Side::Buy, 100_000_000_000, 7),
            (Side::Buy, 99_990_000_000, 3),
            (Side::Sell, 100_010_000_000, 5)
        ]
    );
    let trade = units[1][0];
    assert_eq!(
        (trade.side(), trade.price.raw(), trade.qty.raw()),
        (Some(Side::Buy), 100_000_000_000, 2)
    );
    assert_eq!(units[2][0].side(), Some(Side::Sell));
    assert_eq!((units[3][0].qty.raw(), units[3][0].price.raw()), (0, 100_000_000_000));
    // Midnight of the day in New York, and the time padded.
    let midnight = 1_340_251_200_000_000_000;
    assert_eq!(trade.exchange_time.nanos(), midnight + 34_200_189_607_670);
    let about = recording.describe();
    assert_eq!((about.format, &*about.version), ("LOBSTER messages", "with 2 levels"));
    assert_eq!((about.books, about.clock), (Books::ByLevel, Clock::Utc));
    let counts = recording.counts();
    assert_eq!((counts.messages, counts.others), (4, vec![("rows of the order book", 4)]));
    assert_eq!(counts.by_type[0], ("1 submission".to_owned(), 1));
    assert_eq!(recording.instruments().all()[0].symbol, "TEST");

    // The other file says that it is read with this one, and gives no events twice.
    let other = Source::file(folder.path().join(NAME.replace("message", "orderbook")));
    let mut book = open(&other, Options::default()).unwrap();
    assert_eq!(kinds(&told::units(&mut *book)), vec![vec![]; 4]);
    assert_eq!(book.describe().version, "2 levels, read with its messages");
    assert_eq!(book.counts().messages, 4);
}

#[test]
fn halts_and_crosses_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let messages = [
        "34200.1,1,11,3,999900,1",
        "36023,7,0,0,-1,-1",
        "36323,7,0,0,0,-1",
        "36723,7,0,0,1,-1",
        "36724,6,-1,500,1000000,-1",
        "36725,6,-1,0,0,0",
    ];
    let mut recording = pair(folder.path(), &messages, &[BOOK; 6]);
    let units = told::units(&mut *recording);
    let expected = [vec![K::Status], vec![K::Status], vec![K::Status], vec![K::Trade], vec![]];
    assert_eq!(kinds(&units)[1..], expected);
    let status: Vec<_> = (1..4).map(|at| TradingStatus::from_aux(units[at][0].aux)).collect();
    assert_eq!(
        status,
        [TradingStatus::Halted, TradingStatus::Auction, TradingStatus::Trading].map(Some)
    );
    let cross = units[4][0];
    assert_eq!((cross.side(), cross.qty.raw()), (None, 500));
    assert!(cross.flags.has(EventFlags::CROSS));
    let mut books = LevelBooks::growing();
    books.admit(ONLY);
    units.iter().flatten().for_each(|event| assert_eq!(books.apply(event).contradiction, None));
    assert!(books.book(ONLY).state().may_quote());
}

#[test]
fn a_side_may_be_empty_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let empty = "9999999999,0,-9999999999,0";
    let book = ["1000100,5,-9999999999,0", empty, "1000100,5,1000000,1"];
    let messages = ["34200,3,1,3,999900,1", "34201,3,2,5,1000100,-1", "34202,1,3,1,1000000,1"];
    let mut recording = pair(folder.path(), &messages, &book);
    let units = told::units(&mut *recording);
    assert_eq!(kinds(&units), [vec![K::Clear, K::Level], vec![K::Level], vec![K::Level; 2]]);
    assert_eq!(recording.describe().version, "with 1 level");
}

#[test]
fn messages_alone_give_trades_and_no_book() {
    let text = "34200.1,1,11,3,999900,1\n34200.2,4,11,3,999900,1\n34200.3,7,0,0,-1,-1\n";
    let day = Timestamp::from_nanos(1_000_000_000_000_000_000);
    let wanted = Wanted::Only(vec![Instrument::share(6, "ANY")]);
    let options = Options { wanted, day: Some(day), ..Options::default() };
    let mut recording = open_bytes(text.as_bytes(), options).unwrap();
    let units = told::units(&mut *recording);
    assert_eq!(kinds(&units), [vec![], vec![K::Trade], vec![K::Status]]);
    assert_eq!(units[1][0].instrument, InstrumentId(6));
    assert_eq!(units[1][0].exchange_time.nanos(), day.nanos() + 34_200_200_000_000);
    let about = recording.describe();
    assert_eq!((&*about.version, about.books), ("without order book", Books::None));
    let mut recording = open_bytes(text.as_bytes(), Options::default()).unwrap();
    assert_eq!(recording.describe().clock, Clock::TimeOfDay);
    told::units(&mut *recording);
    assert_eq!(recording.instruments().all()[0].symbol, "LOBSTER");
}

#[test]
fn a_book_alone_has_no_times() {
    let text = format!("{BOOK}\n{BOOK}\n1000100,5,1000000,6,9999999999,0,999900,3\n");
    let mut recording = open_bytes(text.as_bytes(), Options::default()).unwrap();
    let units = told::units(&mut *recording);
    let first = vec![K::Clear, K::Level, K::Level, K::Level];
    assert_eq!(kinds(&units), [first, vec![], vec![K::Level]]);
    assert_eq!(recording.counts().by_type, [("row".to_owned(), 3)]);
    assert_eq!(recording.describe().version, "2 levels, without times");
}

#[test]
fn bad_input_rows_are_skipped_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = "34200.1,1,11,3,999900,1";
    let book = "1000100,5,1000000,7,9999999999,0,999900,4";
    let six = "1000100,5,1000000,8,9999999999,0,999900,4";
    let huge = "99999999999999999999";
    for (message, row, reason) in [
        ("34200.1,8,11,3,999900,1", book, "type of a message is none of 1 to 7"),
        ("34200.1,0,11,3,999900,1", book, "type of a message is none of 1 to 7"),
        ("86400,1,11,3,999900,1", book, "time of a message is none"),
        ("3.42e4,1,11,3,999900,1", book, "time of a message is none"),
        ("34200.1,1,x,3,999900,1", book, "order id of a message is none"),
        ("34200.1,1,11,-3,999900,1", book, "size of a message is none"),
        (&*format!("34200.1,1,11,3,{huge},1"), book, "price of a message is none"),
        ("34200.1,1,11,3,999900,2", book, "direction of a message is neither 1 nor -1"),
        ("34200.1,1,11,3,999900", book, "message has not six cells"),
        ("34200.1,1,\"11\",3,999900,1", book, "message has a quoted cell"),
        ("", book, "a blank line"),
        (good, "1000100,5,1000000,7", "row of the book has not four cells for each level"),
        (good, "1000100,5,x,7,9999999999,0,999900,4", "cell of the book is no whole number"),
        (good, "1000100,-5,1000000,7,9999999999,0,999900,4", "size of the book is negative"),
        (good, "-1000100,5,1000000,7,9999999999,0,999900,4", "price of the book is none"),
        (good, "1000100,5,1000000,7,1000100,1,999900,4", "levels of the book are out of order"),
        (good, "1000100,5,999900,7,9999999999,0,1000000,4", "levels of the book are out of order"),
        (
            good,
            "\"1000100\",5,1000000,7,9999999999,0,999900,4",
            "row of the book has a quoted cell",
        ),
        (good, "", "a blank line"),
    ] {
        let messages = [good, good, good, message, good];
        let mut recording = pair(folder.path(), &messages, &[BOOK, BOOK, BOOK, row, six]);
        let units = told::units(&mut *recording);
        // What the rejected row would have shown comes with the next.
        assert_eq!(kinds(&units)[3..], [vec![], vec![K::Level; 2]], "{message} {row}");
        assert_eq!(skipped(&*recording), [(reason, 1)], "{message} {row}");
        assert_eq!(recording.counts().messages, 5);
    }
}

#[test]
fn bad_input_files_that_do_not_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    let good = "34200.1,1,11,3,999900,1";
    let mut recording = pair(folder.path(), &[good; 4], &[BOOK; 2]);
    let units = told::units(&mut *recording);
    assert_eq!(kinds(&units)[1..], [vec![], vec![K::Lost], vec![]]);
    let (damaged, noted) = recording.log().damaged();
    assert!(damaged == 1 && noted[0].reason.contains("fewer rows"), "{noted:?}");
    let mut recording = pair(folder.path(), &[good; 2], &[BOOK; 4]);
    assert_eq!(told::units(&mut *recording).len(), 2);
    assert!(recording.log().damaged().1[0].reason.contains("more rows"));
    // What lies there under the name is something else.
    std::fs::write(folder.path().join(NAME.replace("message", "orderbook")), "hello").unwrap();
    let error = open(&Source::file(folder.path().join(NAME)), Options::default()).err().unwrap();
    assert!(error.to_string().contains("its first row is no order book"), "{error}");
}

#[test]
fn bad_input_an_end_at_every_byte() {
    let text = "34200.1,1,11,3,999900,1\n34200.2,4,11,3,999900,1\n";
    for length in 24..text.len() {
        let mut recording = open_bytes(&text.as_bytes()[..length], Options::default()).unwrap();
        let units = told::units(&mut *recording);
        let cut = recording.log().is_cut().map(|cut| cut.position);
        match units.len() {
            1 => assert_eq!(cut, (length > 24).then_some(24), "{length}"),
            // The last digit of the direction is there: nothing tells that a line feed is missing.
            units => assert!(units == 2 && length >= text.len() - 1),
        }
    }
}

/// The last size of a book may be cut, where the direction of a message cannot: it has one digit.
#[test]
fn bad_input_the_last_row_of_the_book_has_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let messages = ["34200.1,1,11,3,999900,1", "34200.2,4,11,2,999900,1"];
    let last = "1000100,5,1000000,7,9999999999,0,999900,15";
    let other = folder.path().join(NAME.replace("message", "orderbook"));
    // The message itself, a trade, is whole either way.
    for (rest, shown) in [("\n", 2), ("", 1)] {
        drop(pair(folder.path(), &messages, &[BOOK]));
        std::fs::write(&other, format!("{BOOK}\n{last}{rest}")).unwrap();
        let path = Source::file(folder.path().join(NAME));
        let mut recording = open(&path, Options::default()).unwrap();
        let units = told::units(&mut *recording);
        assert_eq!(units[1].len(), shown, "{rest:?}");
        let reason = "last row of the book has no line end: it may be cut";
        let skips: &[_] = if rest.is_empty() { &[(reason, 1)] } else { &[] };
        assert_eq!(skipped(&*recording), skips);
        // The same of a book alone.
        std::fs::remove_file(folder.path().join(NAME)).unwrap();
        let mut book = open(&Source::file(&other), Options::default()).unwrap();
        assert_eq!(told::units(&mut *book)[1].is_empty(), rest.is_empty());
        assert_eq!(skipped(&*book), skips);
    }
}

/// A book as price and size of each level, best first, of one side.
fn side(books: &LevelBooks, side: Side) -> Vec<(i64, i64)> {
    let book = books.book(ONLY);
    let levels = (0..book.depth(side)).filter_map(|depth| book.level(side, depth));
    levels.map(|level| (level.price.raw(), level.qty.raw())).collect()
}

/// What a message makes of the levels that were seen before it.
fn after(mut before: Vec<(i64, i64)>, of: Side, message: &Message) -> Vec<(i64, i64)> {
    let change = match message.kind {
        Kind::Submission => message.size,
        Kind::Cancellation | Kind::Deletion | Kind::Execution => -message.size,
        Kind::HiddenExecution | Kind::Cross | Kind::Halt => return before,
    };
    if message.side != of {
        return before;
    }
    let price = message.price * 100_000;
    match before.iter_mut().find(|level| level.0 == price) {
        Some(level) => level.1 += change,
        None => before.push((price, change)),
    }
    before.retain(|level| level.1 != 0);
    before.sort_by_key(|level| if of == Side::Buy { -level.0 } else { level.0 });
    before
}

/// Every transition of one recording: how many there are, and how many messages.
fn transitions(source: &Source, levels: usize) -> (u64, u64) {
    let mut recording = open(source, Options::default()).unwrap();
    let mut lines = Lines::new(source.open().unwrap());
    let (mut unit, mut books, mut cells) =
        (Unit::default(), LevelBooks::growing(), Cells::default());
    books.admit(ONLY);
    let mut compared = 0;
    while recording.next_unit(&mut unit).unwrap() {
        let line = lines.next_line().unwrap().unwrap();
        let message = Message::parse(&mut cells, line.text).unwrap();
        let before = Side::BOTH.map(|of| side(&books, of));
        for event in &unit.events {
            assert_eq!(books.apply(event).contradiction, None);
        }
        let traded = unit.events.iter().any(|event| event.kind() == Some(K::Trade));
        assert_eq!(traded, matches!(message.kind, Kind::Execution | Kind::HiddenExecution));
        if before.iter().all(Vec::is_empty) {
            continue;
        }
        for (of, before) in Side::BOTH.into_iter().zip(before) {
            let was_full = before.len() == levels;
            let expected = after(before, of, &message);
            let now = side(&books, of);
            // A level that was beyond may come into view behind those that were seen.
            let seen = expected.len().min(levels);
            assert_eq!(now[..seen], expected[..seen], "{message:?}");
            assert!(now.len() == seen || was_full && now.len() == levels, "{message:?}");
        }
        compared += 1;
    }
    assert_eq!(lines.next_line().unwrap(), None);
    assert_eq!(recording.log(), &feeds::recording::Log::default());
    (compared, recording.counts().messages)
}

#[test]
fn every_transition_of_the_recorded_days_holds() {
    let test = "every_transition_of_the_recorded_days_holds";
    let mut all = 0;
    for (file, levels, messages) in [
        ("AMZN_2012-06-21_1", 1, 57_515),
        ("AMZN_2012-06-21_5", 5, 155_935),
        ("AAPL_2012-06-21_1", 1, 118_497),
    ] {
        let Some(path) = recorded(test, &format!("lobster/LOBSTER_SampleFile_{file}.zip")) else {
            return;
        };
        let sources = Source::list(&path).unwrap();
        let of = |kind: &str| sources.iter().find(|source| source.name().contains(kind)).unwrap();
        let (compared, counted) = transitions(of("_message_"), levels);
        assert_eq!((compared, counted), (messages - 1, messages), "{file}");
        all += compared;
        // In the archive, the rows of the book are not counted again.
        let mut book = open(of("_orderbook_"), Options::default()).unwrap();
        while book.next_unit(&mut Unit::default()).unwrap() {}
        let counts = book.counts();
        assert_eq!((counts.messages, counts.others[0].1), (0, messages), "{file}");
    }
    assert_eq!(all, 331_944);
}

#[test]
fn recorded_files_in_folders_have_their_rows() {
    let test = "recorded_files_in_folders_have_their_rows";
    let Some(root) = recorded(test, "lobster") else { return };
    for (file, version, rows) in [
        ("AAPL_L50_tests/AAPL_2012-06-21_message_50.csv", "with 50 levels", 672),
        (
            "AAPL_L50_tests/AAPL_2012-06-21_orderbook_50.csv.gz",
            "50 levels, read with its messages",
            672,
        ),
        ("AAPL_L50_jupyter/AAPL_2012-06-21_orderbook_50.csv.gz", "1 level, without times", 91_997),
        (
            "AAPL_L50_jupyter/AAPL_2012-06-21_34200000_37800000_message_50.csv.gz",
            "without order book",
            91_997,
        ),
    ] {
        let mut recording = open(&Source::file(root.join(file)), Options::default()).unwrap();
        assert_eq!(recording.describe().version, version, "{file}");
        while recording.next_unit(&mut Unit::default()).unwrap() {}
        assert_eq!(recording.counts().messages, rows, "{file}");
        assert_eq!(recording.log(), &feeds::recording::Log::default(), "{file}");
    }
    let deep = root.join("AAPL_L50_tests/AAPL_2012-06-21_message_50.csv");
    assert_eq!(transitions(&Source::file(deep), 50), (671, 672));
}
