//! Binance's depth frames: from a recorded line to events of a joined book without an allocation.

use super::allocations_of;
use feeds::recording::{Options, Unit, open_bytes};
use feeds::websocket::{Ask, Channels, Feed, Settings, Which};
use market::{Instrument, Nanos, Timestamp};
use std::fmt::Write as _;

/// Frames before counting begins, and while it counts.
const WARM_UP: u64 = 100;
const COUNTED: u64 = 10_000;

#[test]
fn depth_frames_do_not_allocate() {
    let mut text = String::new();
    let time = 1_723_161_255_000_000_000u64;
    let mut frame = |number: u64| {
        let (last, price) = (number + 1, 61_800 + number % 7);
        let levels = format!(r#"["{price}.20","2.507"],["{price}.10","0.000"]"#);
        let line = format!(
            r#"{time} {{"stream":"btcusdt@depth@0ms","data":{{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":{last},"u":{last},"pu":{number},"b":[{levels}],"a":[{levels}]}}}}"#
        );
        writeln!(text, "{line}").unwrap();
        if number == 0 {
            let level = r#"["61800.20","2.507"]"#;
            writeln!(text, r#"{time} {{"lastUpdateId":1,"bids":[{level}],"asks":[{level}]}}"#)
                .unwrap();
        }
    };
    (0..1 + WARM_UP + COUNTED).for_each(&mut frame);
    let mut recording = open_bytes(text.as_bytes(), Options::default()).unwrap();
    let (mut unit, mut events) = (Unit::default(), 0);
    let mut read = |lines: u64| {
        for _ in 0..lines {
            assert_eq!(recording.next_unit(&mut unit), Ok(true));
            events += unit.events.len() as u64;
        }
        events
    };
    // The first frame and the snapshot, which clears and has two levels.
    assert_eq!(read(2 + WARM_UP), 3 + 4 * WARM_UP);
    assert_eq!(allocations_of(|| assert_eq!(read(COUNTED), 3 + 4 * (WARM_UP + COUNTED))), 0);
}

/// The same live, behind the connection: what a feed does with a frame and with the time between.
#[test]
fn a_live_feed_does_not_allocate() {
    let instrument = Instrument { qty_digits: 8, ..Instrument::share(0, "BTCUSDT") };
    let channels = Channels { book: "depth@100ms".to_owned(), trades: None };
    let mut feed = Feed::new(Which::Binance, &[instrument], channels, settings());
    let (mut now, mut events, mut told) = (Timestamp::from_nanos(1 << 60), Vec::new(), 0);
    feed.opening(0);
    feed.opened(0, now);
    let frame = |number: u64| {
        let (last, price) = (number + 1, 61_800 + number % 7);
        let levels = format!(r#"["{price}.20","2.507"],["{price}.10","0.000"]"#);
        format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1723161256299,"s":"BTCUSDT","U":{last},"u":{last},"b":[{levels}],"a":[{levels}]}}}}"#
        )
    };
    let frames: Vec<String> = (0..1 + WARM_UP + COUNTED).map(frame).collect();
    let mut read = |frames: &[String], feed: &mut Feed| {
        for text in frames {
            now = now.after(Nanos::from_millis(5));
            feed.message(0, text.as_bytes(), 7, now, &mut events);
            told += events.len();
            events.clear();
            while let Some(ask) = feed.poll(now, &mut events) {
                if let Ask::Fetch(_) = ask {
                    let body = br#"{"lastUpdateId":1,"bids":[],"asks":[]}"#;
                    feed.fetched(0, Ok(body), (7, now), &mut events);
                }
            }
        }
        told
    };
    read(&frames[..1 + WARM_UP as usize], &mut feed);
    assert_eq!(feed.gaps(), 0, "{}", feed.problem());
    let frames = &frames[1 + WARM_UP as usize..];
    let before = read(&[], &mut feed);
    let count = allocations_of(|| {
        assert_eq!(read(frames, &mut feed), before + 4 * frames.len());
    });
    assert_eq!(count, 0);
}

fn settings() -> Settings {
    let second = Nanos::from_secs(1);
    Settings {
        silence: second,
        renew_after: None,
        overlap: second,
        messages: (5, second),
        snapshots: (5, second),
        snapshot_retry: Nanos::from_millis(10),
    }
}
