//! Binance's depth frames: from a recorded line to events of a joined book without an allocation.

use super::allocations_of;
use feeds::recording::{Options, Unit, open_bytes};
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
            writeln!(text, r#"{time} {{"lastUpdateId":1,"bids":[],"asks":[]}}"#).unwrap();
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
    // The first frame and the snapshot, whose only event is that it clears.
    assert_eq!(read(2 + WARM_UP), 1 + 4 * WARM_UP);
    assert_eq!(allocations_of(|| assert_eq!(read(COUNTED), 1 + 4 * (WARM_UP + COUNTED))), 0);
}
