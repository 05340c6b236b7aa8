//! Frames of Kraken's API v2: the worked examples of the venue's guides, made-up days held against a
//! slow twin, and every kind of bad input.

mod common;

use common::kraken::{Level, sum_of};
use common::levels::{ONLY, best, read};
use market::{BookState, BookView, Event, EventKind, Rng, Side};

const HEADER: &str = "wss://ws.kraken.com/v2 <-> 1700000000.1\n";
const ACK: &str = r#"{"method":"subscribe","result":{"channel":"book","depth":10,"snapshot":true,"symbol":"BTC/USD"},"success":true,"time_in":"2023-10-06T17:35:00.000000Z","time_out":"2023-10-06T17:35:00.000001Z"}"#;
const TIME: &str = "2023-10-06T17:35:55.440295Z";

/// The example of the guide "Book checksum (WebSocket v2)".
const GUIDE_ASKS: [(&str, &str); 10] = [
    ("45285.2", "0.00100000"),
    ("45286.4", "1.54571953"),
    ("45286.6", "1.54571109"),
    ("45289.6", "1.54560911"),
    ("45290.2", "0.15890660"),
    ("45291.8", "1.54553491"),
    ("45294.7", "0.04454749"),
    ("45296.1", "0.35380000"),
    ("45297.5", "0.09945542"),
    ("45299.5", "0.18772827"),
];
const GUIDE_BIDS: [(&str, &str); 10] = [
    ("45283.5", "0.10000000"),
    ("45283.4", "1.54582015"),
    ("45282.1", "0.10000000"),
    ("45281.0", "0.10000000"),
    ("45280.3", "1.54592586"),
    ("45279.0", "0.07990000"),
    ("45277.6", "0.03310103"),
    ("45277.5", "0.30000000"),
    ("45277.3", "1.54602737"),
    ("45276.6", "0.15445238"),
];
const GUIDE_SUM: u32 = 3_310_070_434;

fn lines(frames: &[String]) -> Vec<u8> {
    let lines = frames.iter().map(|frame| format!("1700000000.5: {frame}\n"));
    (HEADER.to_owned() + &lines.collect::<String>()).into_bytes()
}

fn owned(levels: &[(&str, &str)]) -> Vec<Level> {
    levels.iter().map(|&(price, qty)| (price.to_owned(), qty.to_owned())).collect()
}

fn rows(levels: &[Level]) -> String {
    let rows = levels.iter().map(|(price, qty)| format!(r#"{{"price":{price},"qty":{qty}}}"#));
    rows.collect::<Vec<_>>().join(",")
}

fn book(kind: &str, asks: &[Level], bids: &[Level], sum: u32) -> String {
    format!(
        r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{}],"asks":[{}],"checksum":{sum},"timestamp":"{TIME}"}}]}}"#,
        rows(bids),
        rows(asks)
    )
}

fn of_the_guide() -> String {
    book("snapshot", &owned(&GUIDE_ASKS), &owned(&GUIDE_BIDS), GUIDE_SUM)
}

#[test]
fn the_checksum_of_the_guide_holds_and_updates_follow() {
    assert_eq!(sum_of(&owned(&GUIDE_ASKS), &owned(&GUIDE_BIDS)), GUIDE_SUM);
    // A better ask comes, and the eleventh falls out; then the first bid goes.
    let better = owned(&[("45285.0", "0.25000000")]);
    let asks = [better.clone(), owned(&GUIDE_ASKS[..9])].concat();
    let bids = owned(&GUIDE_BIDS[1..]);
    let gone = owned(&[("45283.5", "0.00000000")]);
    let frames = [
        r#"{"channel":"status","type":"update","data":[{"api_version":"v2","system":"online"}]}"#
            .to_owned(),
        ACK.to_owned(),
        of_the_guide(),
        book("update", &better, &[], sum_of(&asks, &owned(&GUIDE_BIDS))),
        book("update", &[], &gone, sum_of(&asks, &bids)),
        r#"{"channel":"heartbeat"}"#.to_owned(),
    ];
    let bytes = lines(&frames);
    let mut run = read(&bytes);
    while run.unit.events.is_empty() {
        assert!(run.step());
    }
    assert_eq!((run.kinds()[0], run.unit.events.len()), (EventKind::Clear, 21));
    assert_eq!(run.unit.exchange_time.nanos(), 1_696_613_755_440_295_000);
    let run = run.all();
    assert_eq!(run.top(ONLY), [best("45283.4", "1.54582015"), best("45285", "0.25")]);
    assert_eq!(run.books.book(ONLY).depth(Side::Sell), 10);
    let counts = run.recording.counts();
    assert_eq!((counts.messages, counts.others), (6, vec![("checksums", 3)]));
    let names: Vec<&str> = counts.by_type.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["book snapshot", "book update", "heartbeat", "status", "answer"]);
    assert_eq!((run.skipped(), run.recording.describe().version.as_str()), (vec![], "API v2"));
}

/// The same frame with numbers within quotes, without zeros behind, with exponents, alone on its line,
/// behind a local time.
#[test]
fn frames_are_read_however_they_were_recorded() {
    let quoted: Vec<Level> =
        GUIDE_BIDS.iter().map(|(p, q)| (format!("\"{p}\""), format!("\"{q}\""))).collect();
    let quoted = book("snapshot", &owned(&GUIDE_ASKS), &quoted, GUIDE_SUM);
    let cut = |levels: &[(&str, &str)]| -> Vec<Level> {
        let short = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
        levels.iter().map(|(price, qty)| (short(price), short(qty))).collect()
    };
    let short = book("snapshot", &cut(&GUIDE_ASKS), &cut(&GUIDE_BIDS), GUIDE_SUM);
    let mut raised = cut(&GUIDE_ASKS);
    raised[0].1 = "1e-3".to_owned();
    let raised = book("snapshot", &raised, &cut(&GUIDE_BIDS), GUIDE_SUM);
    let spaced = short.replace(':', ": ").replace(',', ", ").replace("35: 55", "35:55");
    let spaced = spaced.replace("17: 35", "17:35");
    for frame in [&of_the_guide(), &quoted, &short, &raised, &spaced] {
        for bytes in [
            lines(std::slice::from_ref(frame)),
            format!("{frame}\n{{\"channel\":\"heartbeat\"}}\n").into_bytes(),
            format!("1700000000123456789 {frame}\n").into_bytes(),
        ] {
            let run = read(&bytes).all();
            assert_eq!((run.state(ONLY), run.skipped()), (BookState::Live, vec![]), "{frame}");
            assert_eq!(run.top(ONLY), [best("45283.5", "0.1"), best("45285.2", "0.001")]);
            assert_eq!(run.recording.counts().others, [("checksums", 1)], "{frame}");
        }
    }
}

/// Where no number of a book has all its digits, the venue's precisions say how many there are.
#[test]
fn precisions_come_from_the_instrument_channel() {
    let told = r#"{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"symbol":"BTC/USD","base":"BTC","quote":"USD","status":"online","qty_precision":8,"qty_increment":0.00000001,"price_precision":1,"tick_size":0.1}]}}"#;
    let [ask, bid] = [[("101.0", "2.50000000")], [("100.0", "1.00000000")]].map(|one| owned(&one));
    let sum = sum_of(&ask, &bid);
    let [ask, bid] = [[("101", "2.5")], [("100", "1")]].map(|one| owned(&one));
    let frame = book("snapshot", &ask, &bid, sum);
    let bytes = lines(&[told.to_owned(), frame.clone()]);
    assert_eq!(read(&bytes).all().recording.counts().others, [("checksums", 1)]);
    let bytes = lines(&[frame]);
    let run = read(&bytes).all();
    assert_eq!(run.skipped(), [("the checksum is not that of the book", 1)]);
}

#[test]
fn trades_of_now_are_told() {
    let trade = |kind: &str, side: &str| {
        format!(
            r#"{{"channel":"trade","type":"{kind}","data":[{{"symbol":"BTC/USD","side":"{side}","price":45283.4,"qty":0.00050000,"ord_type":"market","trade_id":4665906,"timestamp":"{TIME}"}}]}}"#
        )
    };
    let bytes = lines(&[trade("snapshot", "buy"), trade("update", "sell")]);
    let mut run = read(&bytes);
    let mut events: Vec<Event> = Vec::new();
    while run.step() {
        events.extend(&run.unit.events);
    }
    let [one] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((one.kind(), one.side()), (Some(EventKind::Trade), Some(Side::Buy)));
    assert_eq!(
        (one.order, one.qty.raw(), one.price.to_string()),
        (4_665_906, 50_000, "45283.4".into())
    );
    assert_eq!(one.exchange_time.nanos(), 1_696_613_755_440_295_000);
    assert_eq!(run.recording.counts().messages, 2);
}

/// What the venue would send of a book: the twin's own levels, cut as the venue cuts them.
#[test]
fn a_made_up_day_of_levels_agrees_with_the_twin() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let depth = [10, 25][rng.below(2) as usize];
        let mut all: [Vec<(i64, Level)>; 2] = Default::default();
        let level = |rng: &mut Rng, side: usize| {
            let away = 1 + rng.below(60) as i64;
            let raw = if side == 0 { 10_000 - away } else { 10_000 + away };
            let qty = 1 + rng.below(100_000);
            let text = format!("{}.{:02}", raw / 100, raw % 100);
            (raw, (text, format!("0.{qty:08}")))
        };
        let set = |side: &mut Vec<(i64, Level)>, (raw, level): (i64, Level), ask: bool| {
            side.retain(|(at, _)| *at != raw);
            if level.1.trim_matches(['0', '.']).is_empty() {
                return;
            }
            side.push((raw, level));
            side.sort_by_key(|&(at, _)| if ask { at } else { -at });
        };
        for (side, levels) in all.iter_mut().enumerate() {
            for _ in 0..30 {
                let new = level(&mut rng, side);
                set(levels, new, side == 1);
            }
        }
        let shown = |all: &[Vec<(i64, Level)>; 2], side: usize| -> Vec<Level> {
            all[side].iter().take(depth).map(|(_, level)| level.clone()).collect()
        };
        let (bids, asks) = (shown(&all, 0), shown(&all, 1));
        let mut frames = vec![
            ACK.replace("\"depth\":10", &format!("\"depth\":{depth}")),
            book("snapshot", &asks, &bids, sum_of(&asks, &bids)),
        ];
        for _ in 0..120 {
            let side = rng.below(2) as usize;
            let before = shown(&all, side);
            let mut new = level(&mut rng, side);
            if rng.chance(0.5) {
                new.1.1 = "0.00000000".to_owned();
            }
            set(&mut all[side], new, side == 1);
            let after = shown(&all, side);
            // Levels that are new to the depth or changed; those that left while the depth holds more.
            let told: Vec<Level> = after.iter().filter(|l| !before.contains(l)).cloned().collect();
            let left = before.iter().filter(|(price, _)| {
                let inside = !all[side].iter().any(|(_, (other, _))| other == price);
                inside && !after.iter().any(|(other, _)| other == price)
            });
            let left = left.map(|(price, _)| (price.clone(), "0.00000000".to_owned()));
            let told: Vec<Level> = left.chain(told).collect();
            let sum = sum_of(&shown(&all, 1), &shown(&all, 0));
            let [bids, asks] = if side == 0 { [told, vec![]] } else { [vec![], told] };
            frames.push(book("update", &asks, &bids, sum));
        }
        let bytes = lines(&frames);
        let run = read(&bytes).all();
        assert_eq!((run.skipped(), run.state(ONLY)), (vec![], BookState::Live), "seed {seed}");
        assert_eq!(run.recording.counts().others, [("checksums", 121)]);
        for (side, of) in [(Side::Buy, 0), (Side::Sell, 1)] {
            let expected: Vec<i64> =
                all[of].iter().take(depth).map(|(raw, _)| raw * 10_000_000).collect();
            let book = run.books.book(ONLY);
            let levels = (0..book.depth(side)).filter_map(|at| book.level(side, at));
            let levels: Vec<i64> = levels.map(|level| level.price.raw()).collect();
            assert_eq!(levels, expected, "seed {seed}");
        }
    }
}

/// A book of one level a side that is Live, what a bad line does to it, and why.
fn bad(line: &str) -> (BookState, Vec<String>) {
    let [ask, bid] = [[("11.0", "1.0")], [("9.0", "1.0")]].map(|one| owned(&one));
    let whole = book("snapshot", &ask, &bid, sum_of(&ask, &bid));
    let bytes = lines(&[whole, line.to_owned(), r#"{"channel":"heartbeat"}"#.to_owned()]);
    let run = read(&bytes).all();
    assert_eq!(run.recording.counts().messages, 3, "{line}");
    assert_eq!(run.top(ONLY), [best("9", "1"), best("11", "1")], "{line}");
    let log = run.recording.log();
    let skipped = log.skipped().map(|(reason, ..)| reason.to_owned());
    let damaged = log.damaged().1.iter().map(|noted| noted.reason.to_string());
    (run.state(ONLY), skipped.chain(damaged).collect())
}

#[test]
fn bad_input_an_update_that_cannot_be_true_loses_the_book() {
    let with = |level: &str| {
        format!(
            r#"{{"channel":"book","type":"update","data":[{{"symbol":"BTC/USD","bids":[{level}],"asks":[]}}]}}"#
        )
    };
    let level = r#"{"price":10.0,"qty":1.0}"#;
    for (name, line) in [
        ("wrong checksum", with(level).replace("]}]}", r#"],"checksum":7}]}"#)),
        ("checksum of words", with(level).replace("]}]}", r#"],"checksum":"x"}]}"#)),
        ("checksum too large", with(level).replace("]}]}", r#"],"checksum":4294967296}]}"#)),
        ("null price", with(r#"{"price":null,"qty":1.0}"#)),
        ("a word for a level", with("\"10.0\"")),
        ("half a level", with(r#"{"price":10.0}"#)),
        ("negative price", with(r#"{"price":-10.0,"qty":1.0}"#)),
        ("negative volume", with(r#"{"price":10.0,"qty":-1.0}"#)),
        ("price of zero", with(r#"{"price":0.0,"qty":1.0}"#)),
        ("too fine", with(r#"{"price":10.0,"qty":0.000000001}"#)),
        ("huge exponent", with(r#"{"price":1e999999999999,"qty":1.0}"#)),
        ("tiny exponent", with(r#"{"price":1e-999999999999,"qty":1.0}"#)),
        ("least exponent", with(r#"{"price":1.5e-9223372036854775808,"qty":1.0}"#)),
        ("bid out of range", with(r#"{"price":99999999999999,"qty":1.0}"#)),
        ("volume out of range", with(r#"{"price":10.0,"qty":99999999999999}"#)),
        ("digits without end", with(&format!(r#"{{"price":{},"qty":1.0}}"#, "9".repeat(400)))),
        ("time of words", with(level).replace("]}]}", r#"],"timestamp":"now"}]}"#)),
        ("key twice", with(level).replace(r#""bids""#, r#""bids":[],"bids""#)),
        ("neither snapshot nor update", with(level).replace("update", "upset")),
        ("no type", with(level).replace(r#""type":"update","#, "")),
    ] {
        let (state, why) = bad(&line);
        assert_eq!((state, why.len()), (BookState::Suspect, 1), "{name}: {why:?}");
    }
}

#[test]
fn bad_input_what_is_no_frame_is_said_and_changes_nothing() {
    let deep = format!(r#"{{"channel":"book","data":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    for (name, line) in [
        ("no data", r#"{"channel":"book","type":"update"}"#),
        ("data of words", r#"{"channel":"book","type":"update","data":"x"}"#),
        ("symbol that is a number", r#"{"channel":"book","type":"update","data":[{"symbol":7}]}"#),
        ("channel that is a number", r#"{"channel":7,"type":"update","data":[]}"#),
        ("deep nesting", &deep),
        ("half a trade", r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD"}]}"#),
        ("pairs of words", r#"{"channel":"instrument","type":"update","data":{"pairs":"x"}}"#),
        ("method that is a number", r#"{"method":7}"#),
        ("other pair", r#"{"channel":"book","type":"update","data":[{"symbol":"X/Y"}]}"#),
        (
            "orders beside levels",
            r#"{"channel":"level3","type":"update","data":[{"symbol":"BTC/USD"}]}"#,
        ),
    ] {
        let (state, why) = bad(line);
        assert_eq!((state, why.len()), (BookState::Live, 1), "{name}: {why:?}");
    }
}

#[test]
fn a_snapshot_ends_what_was_lost_and_a_connection_begins_anew() {
    let [ask, bid] = [[("11.0", "1.0")], [("9.0", "1.0")]].map(|one| owned(&one));
    let whole = book("snapshot", &ask, &bid, sum_of(&ask, &bid));
    let wrong = book("update", &[], &bid, 7);
    let mut bytes = lines(&[whole.clone(), wrong.clone(), wrong, whole.clone()]);
    bytes.extend_from_slice(&lines(&[whole]));
    let mut run = read(&bytes);
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    use BookState::{Gap, Live, Recovering, Suspect};
    assert_eq!(states, [Recovering, Live, Suspect, Suspect, Live, Gap, Live]);
    let no_snapshot = "an update of a book whose snapshot did not come";
    assert!(run.skipped().contains(&(no_snapshot, 1)), "{:?}", run.skipped());
}
