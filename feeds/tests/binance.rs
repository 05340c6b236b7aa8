//! Frames of Binance: the join of snapshot and frames, and every kind of bad input.

mod common;

use common::levels::{ONLY, Run, best, read};
use feeds::recording::{Options, Wanted, open_bytes};
use market::{BookState, BookView, EventFlags, EventKind, Instrument, InstrumentId, Side};

/// Lines as a collector writes them.
fn lines(frames: &[&str]) -> Vec<u8> {
    let line =
        |(at, frame): (usize, &&str)| format!("{} {frame}\n", 1_723_161_255_000_000_000 + at);
    frames.iter().enumerate().map(line).collect::<String>().into_bytes()
}

/// A frame of USD-M: `pu`, `U`, `u`, then bids and asks as they stand.
fn futures(symbol: &str, ids: [u64; 3], bids: &str, asks: &str) -> String {
    let [previous, first, last] = ids;
    let stream = symbol.to_ascii_lowercase();
    format!(
        r#"{{"stream":"{stream}@depth@0ms","data":{{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"{symbol}","U":{first},"u":{last},"pu":{previous},"b":[{bids}],"a":[{asks}]}}}}"#
    )
}

fn spot(first: u64, last: u64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":{first},"u":{last},"b":[{bids}],"a":[{asks}]}}"#
    )
}

fn snapshot(last: u64, bids: &str, asks: &str) -> String {
    format!(r#"{{"lastUpdateId":{last},"bids":[{bids}],"asks":[{asks}]}}"#)
}

#[test]
fn futures_are_held_until_the_snapshot_and_joined_behind_it() {
    let frames = [
        futures("BTCUSDT", [10, 12, 15], r#"["99.0","1.000"]"#, ""),
        futures("BTCUSDT", [15, 17, 20], r#"["99.5","2.000"]"#, r#"["101.0","1.000"]"#),
        futures("BTCUSDT", [20, 21, 25], r#"["99.5","0.000"]"#, r#"["100.5","3.000"]"#),
        snapshot(18, r#"["99.0","1.000"],["98.0","7.000"]"#, r#"["102.0","5.000"]"#),
        futures("BTCUSDT", [25, 26, 30], r#"["99.7","4.000"]"#, ""),
    ];
    let bytes = lines(&frames.each_ref().map(String::as_str));
    let mut run = read(&bytes);
    for _ in 0..3 {
        assert!(run.step() && run.unit.events.is_empty());
    }
    assert!(run.step());
    use EventKind::{Clear, Level};
    // The snapshot, and the two frames that it does not cover.
    assert_eq!(run.kinds(), [Clear, Level, Level, Level, Level, Level, Level, Level]);
    let of_snapshot = run.unit.events.iter().filter(|e| e.flags.has(EventFlags::SNAPSHOT));
    assert_eq!(of_snapshot.count(), 4);
    assert_eq!(
        (run.top(ONLY), run.state(ONLY)),
        ([best("99", "1"), best("100.5", "3")], BookState::Live)
    );
    assert!(run.step() && !run.step());
    assert_eq!(run.top(ONLY), [best("99.7", "4"), best("100.5", "3")]);
    let (description, counts) = (run.recording.describe(), run.recording.counts());
    assert_eq!(
        (description.format, &*description.version),
        ("Binance raw frames", "USD-M futures")
    );
    assert_eq!(counts.by_type, [("depthUpdate".to_owned(), 4), ("depth snapshot".to_owned(), 1)]);
    assert_eq!(run.unit.exchange_time.nanos(), 0);
    assert_eq!(run.recording.log().gaps().0, 0);
}

#[test]
fn spot_follows_by_the_next_number() {
    let frames = [
        spot(1, 5, r#"["9.00000000","1.00000000"]"#, ""),
        snapshot(5, r#"["9.00000000","1.00000000"]"#, r#"["10.00000000","1.00000000"]"#),
        spot(6, 7, r#"["9.50000000","0.00000001"]"#, ""),
        // Tells again what was told, and one update more.
        spot(7, 8, r#"["9.50000000","0.00000002"]"#, ""),
        spot(3, 8, r#"["9.60000000","1.00000000"]"#, ""),
        spot(10, 11, r#"["9.70000000","1.00000000"]"#, ""),
    ];
    let bytes = lines(&frames.each_ref().map(String::as_str));
    let mut run = read(&bytes);
    while run.step() && run.recording.log().gaps().0 == 0 {}
    assert_eq!(run.top(ONLY)[0], best("9.5", "0.00000002"));
    assert_eq!((run.kinds(), run.state(ONLY)), (vec![EventKind::Gap], BookState::Gap));
    let gap = &run.recording.log().gaps().1[0];
    assert_eq!((&*gap.stream, gap.first), ("BTCUSDT", 9));
    assert_eq!(run.unit.events[0].order, 9);
    assert_eq!(run.recording.describe().version, "spot");
    assert!(run.recording.counts().others.contains(&("frames known", 1)));
}

#[test]
fn a_gap_is_mended_by_a_snapshot_that_leads_on() {
    let frames = [
        futures("X", [0, 1, 5], r#"["9","1"]"#, ""),
        snapshot(5, r#"["9","1"]"#, r#"["10","1"]"#),
        futures("X", [7, 8, 9], r#"["8","1"],["8.5","3"]"#, ""),
        futures("X", [9, 10, 12], r#"["8","2"]"#, ""),
        // Too old to lead to the frame behind the gap.
        snapshot(6, r#"["9","3"]"#, r#"["10","3"]"#),
        snapshot(10, r#"["8.5","3"]"#, r#"["10","3"]"#),
        snapshot(3, r#"["1","1"]"#, ""),
    ];
    let bytes = lines(&frames.each_ref().map(String::as_str));
    let mut run = read(&bytes);
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    use BookState::{Gap, Live, Recovering};
    assert_eq!(states, [Recovering, Live, Gap, Gap, Gap, Live, Live]);
    assert_eq!(run.top(ONLY), [best("8.5", "3"), best("10", "3")]);
    let levels = run.books.book(ONLY);
    assert_eq!(levels.level(Side::Buy, 1).unwrap().qty.raw(), 200_000_000);
    assert_eq!(
        run.skipped(),
        [
            ("a snapshot is older than the frames that were held", 1),
            ("a snapshot that does not say whose it is, while no book waits for one", 1),
        ]
    );
}

#[test]
fn frames_whose_snapshot_never_comes_are_counted_at_the_end() {
    let begin = [
        futures("X", [0, 1, 5], r#"["9","1"]"#, ""),
        // The same once more waits for nothing.
        futures("X", [0, 1, 5], r#"["9","1"]"#, ""),
        futures("X", [5, 6, 9], "", ""),
    ];
    let joined = [
        snapshot(5, r#"["9","1"]"#, r#"["10","1"]"#),
        // Behind a gap, and behind another.
        futures("X", [10, 11, 12], "", ""),
        futures("X", [14, 15, 16], "", ""),
    ];
    let reason = "an update of a book whose next snapshot never came";
    for (frames, wanted) in [
        (begin.to_vec(), vec![(reason, 2)]),
        ([&begin[..], &joined[..1]].concat(), vec![]),
        ([&begin[..], &joined].concat(), vec![(reason, 2)]),
    ] {
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        let bytes = lines(&frames);
        let mut run = read(&bytes);
        while run.step() {}
        assert!(!run.step());
        assert_eq!(run.skipped(), wanted);
    }
}

#[test]
fn symbols_of_one_file_have_snapshots_of_their_own() {
    let a = |ids, level| futures("AAA", ids, level, "");
    let b = |ids, level| futures("BBB", ids, level, "");
    let frames = [
        a([0, 1, 100], r#"["9","1"]"#),
        b([0, 1, 101], r#"["9","2"]"#),
        a([100, 102, 103], r#"["8","1"]"#),
        snapshot(101, r#"["9","2"],["7","1"]"#, r#"["11","1"]"#),
        snapshot(103, r#"["9","1"],["8","1"]"#, r#"["12","1"]"#),
        snapshot(104, r#"["1","1"]"#, r#"["12","1"]"#),
        b([101, 104, 105], r#"["9","0"]"#),
    ];
    let bytes = lines(&frames.each_ref().map(String::as_str));
    let run = read(&bytes).all();
    assert_eq!(run.top(InstrumentId(0)), [best("9", "1"), best("12", "1")]);
    assert_eq!(run.top(InstrumentId(1)), [best("7", "1"), best("11", "1")]);
    let needless = "a snapshot that does not say whose it is, while no book waits for one";
    assert_eq!(run.skipped(), [(needless, 1)]);

    // Only one is wanted, under an id and scale of its own.
    let mut wanted = Instrument::share(7, "BBB");
    wanted.qty_digits = 3;
    let options = Options { wanted: Wanted::Only(vec![wanted]), ..Options::default() };
    let run = Run::new(open_bytes(&bytes, options).unwrap()).all();
    assert_eq!(run.top(InstrumentId(7)), [best("7", "1"), best("11", "1")]);
    assert_eq!(run.books.book(InstrumentId(7)).best(Side::Buy).unwrap().qty.raw(), 1000);
    assert_eq!(run.recording.counts().messages, 7);
}

#[test]
fn trades_and_figures() {
    let frames = [
        r#"{"stream":"x@trade","data":{"e":"trade","E":5,"T":1723161256322,"s":"X","t":77,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}"#,
        // The same trade, told by a second stream.
        r#"{"e":"aggTrade","E":5,"s":"X","a":5,"p":"61800.30","q":"0.006","f":77,"l":77,"T":1723161256322,"m":false,"M":true}"#,
        // As spot wrote it once, with both orders; in microseconds.
        r#"{"e":"trade","E":5,"s":"X","t":78,"p":"1","q":"2","b":1,"a":2,"T":1723161256322001,"m":true,"M":true}"#,
        r#"{"e":"markPriceUpdate","E":1723161256000,"s":"X","p":"1.5","i":"1.25","P":"","r":"0.0001","T":1723161600000}"#,
        r#"{"u":1,"s":"X","b":"1","B":"1","a":"2","A":"1"}"#,
        r#"{"result":null,"id":1}"#,
        r#"{"stream":"x@depth5","data":{"lastUpdateId":1,"bids":[],"asks":[]}}"#,
        r#"{"stream":"x@depth20@100ms","data":{"e":"depthUpdate","E":1,"s":"X","U":1,"u":2,"pu":0,"b":[],"a":[]}}"#,
        r#"{"stream":"x@rpiDepth@500ms","data":{"e":"depthUpdate","E":1,"s":"X","U":1,"u":2,"pu":0,"b":[],"a":[]}}"#,
        r#"{"stream":"!ticker@arr","data":[{"e":"24hrTicker","s":"X"}]}"#,
        r#"{"e":"somethingNew","s":"X"}"#,
    ];
    let bytes = lines(&frames);
    let mut run = read(&bytes);
    assert!(run.step());
    let trade = run.unit.events[0];
    assert_eq!(
        (trade.kind(), trade.order, trade.side()),
        (Some(EventKind::Trade), 77, Some(Side::Sell))
    );
    assert_eq!((trade.price.to_string(), trade.qty.raw()), ("61800.3".to_owned(), 600_000));
    assert_eq!(trade.exchange_time.nanos(), 1_723_161_256_322_000_000);
    assert_eq!(trade.received, 1_723_161_255_000_000_000);
    assert!(run.step() && run.unit.events.is_empty());
    assert!(run.step());
    assert_eq!(run.unit.events[0].order, 78);
    assert_eq!(run.unit.events[0].side(), Some(Side::Buy));
    assert_eq!(run.unit.exchange_time.nanos(), 1_723_161_256_322_001_000);
    assert!(run.step());
    let said: Vec<String> = run.unit.side.iter().map(|entry| format!("{:?}", entry.said)).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[2].contains("fundingRate") && said[2].contains("0.0001"), "{said:?}");
    let run = run.all();
    let counts = run.recording.counts();
    let by_type: Vec<_> = counts.by_type.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(
        by_type,
        [
            ("partial depth", 2),
            ("rpiDepth", 1),
            ("trade", 2),
            ("aggTrade", 1),
            ("bookTicker", 1),
            ("markPriceUpdate", 1),
            ("ticker", 1),
            ("response", 1),
            ("other", 1)
        ]
    );
    assert_eq!(counts.messages, 11);
}

#[test]
fn what_is_cheap_may_be_held_in_billions() {
    let frame = futures("BTT", [0, 1, 5], r#"["0.00000051","400000000000.0"]"#, "");
    let snapshot = snapshot(5, r#"["0.00000051","400000000000.0"]"#, "");
    let bytes = lines(&[&frame, &snapshot]);
    let run = read(&bytes).all();
    assert_eq!(run.top(ONLY)[0], best("0.00000051", "400000000000"));
    assert_eq!(run.recording.instruments().all()[0].qty_digits, 4);
}

/// As cryptofeed, websocat and spreadsheets write them.
#[test]
fn frames_of_other_recorders_are_read() {
    let frames = [
        snapshot(5, r#"["9.0","1.0"]"#, r#"["10.0","1.0"]"#),
        spot(5, 6, r#"["9.5","2.0"]"#, ""),
        spot(7, 8, r#"["9.6","1.0"]"#, ""),
    ];
    let host = "wss://stream.binance.com:9443/stream?streams=btcusdt@depth";
    let rest = "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000";
    let [first, second, third] = frames.each_ref().map(String::as_str);
    let cryptofeed = format!(
        "{host} <-> 1723161255.1\n{host} <- 1723161255.15: {{\"method\":\"SUBSCRIBE\"}}\n\
         1723161255.2: {second}\n{rest} -> 1723161255.3: {first}\n1723161255.4: {third}\n"
    );
    let bare = format!("{second}\n{first}\n{third}\n");
    let tabs = format!("1723161255200\t{second}\n1723161255300\t{first}\n1723161255400\t{third}\n");
    let at = 1_723_161_255_400_000_000;
    for (text, received) in [(cryptofeed, at), (bare, 0), (tabs, at)] {
        let mut run = read(text.as_bytes());
        let mut last = 0;
        while run.step() {
            last = run.unit.received.nanos();
        }
        assert_eq!((run.state(ONLY), last), (BookState::Live, received), "{text}");
        assert_eq!(run.top(ONLY), [best("9.6", "1"), best("10", "1")], "{text}");
        assert_eq!(run.recording.describe().format, "Binance raw frames");
        let counts = run.recording.counts().by_type;
        let expected = [("depthUpdate".to_owned(), 2), ("depth snapshot".to_owned(), 1)];
        assert_eq!((counts, run.recording.log().damaged().0), (expected.to_vec(), 0), "{text}");
    }
}

#[test]
fn times_of_older_collectors_are_read() {
    let frame = spot(1, 2, "", "");
    for (time, nanos) in [
        ("1723161255123456", 1_723_161_255_123_456_000u64),
        ("1723161255123", 1_723_161_255_123_000_000),
    ] {
        let bytes = format!("{time} {frame}");
        let mut run = read(bytes.as_bytes());
        assert!(run.step());
        assert_eq!(run.unit.received.nanos(), nanos);
    }
}

/// A book of one bid that is Live, what a bad line does to it, and why.
fn bad(line: &str) -> (BookState, Vec<String>) {
    let (first, snapshot) =
        (futures("X", [0, 1, 5], r#"["9","1"]"#, ""), snapshot(5, r#"["9","1"]"#, r#"["10","1"]"#));
    let bytes = lines(&[&first, &snapshot, line, r#"{"result":null,"id":1}"#]);
    let run = read(&bytes).all();
    assert_eq!(run.recording.counts().messages, 4, "{line}");
    assert_eq!(run.top(ONLY), [best("9", "1"), best("10", "1")], "{line}");
    let log = run.recording.log();
    let skipped = log.skipped().map(|(reason, ..)| reason.to_owned());
    let damaged = log.damaged().1.iter().map(|noted| noted.reason.to_string());
    (run.state(ONLY), skipped.chain(damaged).collect())
}

#[test]
fn bad_input_a_depth_frame_that_cannot_be_understood_loses_the_book() {
    let frame = |bid: &str| futures("X", [5, 6, 7], bid, "");
    for (name, line) in [
        ("null price", frame(r#"[null,"1"]"#)),
        ("number for a string", frame("[9,1]")),
        ("half a level", frame(r#"["9"]"#)),
        ("exponent", frame(r#"["9e0","1"]"#)),
        ("negative quantity", frame(r#"["9","-1"]"#)),
        ("price of zero", frame(r#"["0.0","1"]"#)),
        ("too fine", frame(r#"["9","0.000000001"]"#)),
        ("price out of range", frame(r#"["99999999999999","1"]"#)),
        ("quantity out of range", frame(r#"["9","99999999999999"]"#)),
        ("empty text", frame(r#"["","1"]"#)),
        ("good level before a bad one", frame(r#"["9.5","1"],["9.6","x"]"#)),
        ("id that is a text", frame("").replace("\"u\":7", "\"u\":\"7\"")),
        ("id beyond 64 bits", frame("").replace("\"u\":7", "\"u\":99999999999999999999")),
        ("id negative", frame("").replace("\"u\":7", "\"u\":-7")),
        ("id missing", frame("").replace("\"u\":7,", "")),
        ("key twice", frame("").replace("\"u\":7", "\"u\":7,\"u\":7")),
        ("asks missing", frame("").replace(",\"a\":[]", "")),
        ("ask without a quantity", futures("X", [5, 6, 7], "", r#"["11","x"]"#)),
        ("ask of nothing", futures("X", [5, 6, 7], "", r#"["0","1"]"#)),
    ] {
        let (state, why) = bad(&line);
        assert_eq!((state, why.len()), (BookState::Suspect, 1), "{name}: {why:?}");
    }
    // An ask that no price can be is left out.
    let (state, why) = bad(&futures("X", [5, 6, 7], "", r#"["9999999997.0","1"]"#));
    assert_eq!((state, why), (BookState::Live, vec![]));
}

#[test]
fn bad_input_what_is_no_frame_is_said_and_changes_nothing() {
    let deep = format!("{}{}", "{\"e\":".repeat(5000), "}".repeat(5000));
    for (name, line) in [
        ("no JSON", "{\"stream\":"),
        ("trailing bytes", r#"{"e":"trade"} }"#),
        ("no object", "7"),
        ("object of nothing", "{}"),
        ("unknown keys", r#"{"foo":1}"#),
        ("kind of the wrong type", r#"{"e":7}"#),
        ("deep nesting", &deep),
        ("trade without a price", r#"{"e":"trade","E":1,"s":"X","t":1,"q":"1","T":1,"m":true}"#),
        (
            "trade of a word",
            r#"{"e":"trade","E":1,"s":"X","t":1,"p":"NaN","q":"1","T":1,"m":true}"#,
        ),
        ("snapshot without bids", r#"{"lastUpdateId":9,"asks":[]}"#),
        ("snapshot of words", r#"{"lastUpdateId":9,"bids":[["a","b"]],"asks":[]}"#),
        ("old snapshot", r#"{"lastUpdateId":4,"bids":[],"asks":[]}"#),
    ] {
        let (state, why) = bad(line);
        assert_eq!((state, why.len()), (BookState::Live, 1), "{name}: {why:?}");
    }
}

#[test]
fn bad_input_lines_without_time_text_or_end() {
    let good = lines(&[&spot(1, 2, "", "")]);
    let bytes = [&good[..], b"{\"e\":\"trade\"}\n\n\xff\xfe\n1723161255000000000{}\n", &good[..40]]
        .concat();
    let run = read(&bytes).all();
    assert_eq!(run.recording.counts().messages, 4);
    let log = run.recording.log();
    let places: Vec<u64> = log.damaged().1.iter().map(|noted| noted.position).collect();
    let at = good.len() as u64;
    assert_eq!(places, [at, at + 15, at + 18]);
    assert_eq!(log.is_cut().unwrap().position, at + 18 + 22);
}

#[test]
fn bad_input_what_is_held_is_bounded() {
    let level = |at: u64| format!(r#"["{}","1"]"#, at + 1);
    let many: Vec<String> = (0..2000).map(level).collect();
    let many = many.join(",");
    let mut frames: Vec<String> =
        (0..40).map(|at| futures("X", [at * 10, at * 10 + 1, at * 10 + 10], &many, "")).collect();
    // Frames of before were dropped: this one cannot lead to the first that is still held.
    frames.push(snapshot(10, r#"["9","1"]"#, ""));
    frames.push(snapshot(400, &many, ""));
    let texts: Vec<&str> = frames.iter().map(String::as_str).collect();
    let bytes = lines(&texts);
    let run = read(&bytes).all();
    assert_eq!(run.skipped(), [("a snapshot is older than the frames that were held", 1)]);
    assert_eq!(run.top(ONLY)[0], best("2000", "1"));
}

/// What is read in one pass is what `serde_json` reads, whatever byte is changed.
#[test]
fn both_ways_of_reading_a_depth_frame_agree() {
    let levels = [r#"["61800.20","2.507"],["1.0","0.000"]"#, r#"["61800.30","12345678.9"]"#];
    let coinm = futures("BTCUSD_PERP", [9, 10, 12], levels[0], levels[1]);
    let coinm = coinm.replace("\"U\"", "\"ps\":\"BTCUSD\",\"U\"");
    for frame in [
        futures("BTCUSDT", [9, 10, 12], levels[0], levels[1]),
        futures("BTCUSDT", [9, 10, 12], "", levels[1]).replace("@0ms", ""),
        spot(10, 12, levels[0], levels[1]),
        coinm,
    ] {
        let head = feeds::binance::depth::head(frame.as_bytes()).unwrap();
        assert!(head.levels(8, |_, _, _| ()).is_some(), "{frame}");
        let mut bytes = frame.clone().into_bytes();
        for at in 0..bytes.len() {
            let before = bytes[at];
            for byte in b"\"\\{}[],:.0 9-eEuUaAsbTp@\n\x00\xff" {
                bytes[at] = *byte;
                feeds::fuzz::binance_depth(&bytes);
            }
            bytes[at] = before;
            feeds::fuzz::binance_depth(&[&bytes[..at], &bytes[at + 1..]].concat());
            feeds::fuzz::binance_depth(&[&bytes[..at], b"0", &bytes[at..]].concat());
        }
    }
}
