//! Frames of Coinbase Advanced Trade: numbered by connection, and what is of no use.

mod common;

use common::coinbase::{l2_data, l2_level, lines};
use common::levels::{ONLY, best, read};
use market::{BookState, EventKind, Side};

#[test]
fn advanced_trade_is_numbered_by_connection() {
    let both = [l2_level("bid", "9", "1"), l2_level("offer", "11", "1")].join(",");
    let trades = r#"{"channel":"market_trades","timestamp":"2023-02-09T20:19:35.39625135Z","sequence_num":1,"events":[{"type":"snapshot","trades":[{"trade_id":"1","product_id":"BTC-USD","price":"10","size":"1","side":"BUY","time":"2019-08-14T20:42:27.265Z"}]},{"type":"update","trades":[{"trade_id":"3","product_id":"BTC-USD","price":"10","size":"0.5","side":"BUY","time":"2019-08-14T20:42:28Z"},{"trade_id":"2","product_id":"BTC-USD","price":"11","size":"1","side":"SELL","time":"2019-08-14T20:42:27.5Z"}]}]}"#;
    let frames = [
        l2_data(0, "snapshot", &both),
        trades.to_owned(),
        l2_data(2, "update", &l2_level("bid", "10", "1")),
        r#"{"channel":"heartbeats","timestamp":"2023-06-23T20:31:56Z","sequence_num":3,"events":[]}"#.to_owned(),
        l2_data(5, "update", &l2_level("bid", "10.5", "1")),
        l2_data(6, "update", &l2_level("bid", "10.5", "2")),
        l2_data(7, "snapshot", &both),
    ];
    let bytes = lines(&frames.each_ref().map(String::as_str));
    let mut run = read(&bytes);
    let (mut states, mut trades) = (Vec::new(), Vec::new());
    while run.step() {
        states.push(run.state(ONLY));
        let of_unit = run.unit.events.iter().filter(|event| event.kind() == Some(EventKind::Trade));
        trades.extend(of_unit.map(|event| (event.order, event.side())));
    }
    use BookState::{Gap, Live, Recovering};
    assert_eq!(states, [Recovering, Recovering, Live, Live, Live, Live, Gap, Gap, Live]);
    assert_eq!(trades, [(2, Some(Side::Sell)), (3, Some(Side::Buy))]);
    assert_eq!(run.recording.log().gaps().1[0].first, 4);
    assert_eq!(run.top(ONLY), [best("9", "1"), best("11", "1")]);
}

/// Frames alone, without the recorder's lines of connections: a number that begins anew is a
/// connection.
#[test]
fn frames_alone_begin_anew_where_their_numbers_do() {
    let both = [l2_level("bid", "9", "1"), l2_level("offer", "11", "1")].join(",");
    let frames = [
        l2_data(0, "snapshot", &both),
        l2_data(1, "update", &l2_level("bid", "10", "1")),
        l2_data(0, "update", &l2_level("bid", "10.5", "1")),
        l2_data(1, "snapshot", &both),
    ];
    let bytes = frames.map(|frame| frame + "\n").concat().into_bytes();
    let mut run = read(&bytes);
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    use BookState::{Gap, Live};
    assert_eq!(states, [Live, Live, Gap, Live]);
    assert_eq!(run.recording.describe().format, "Coinbase frames");
    assert_eq!(run.skipped(), [("an update of a book whose snapshot did not come", 1)]);
    let exchange = br#"1700000000123 {"type":"l2update","product_id":"BTC-USD","changes":[]}"#;
    assert_eq!(read(exchange).recording.describe().format, "Coinbase frames");
}

/// A frame that comes again is counted and no more; one without a time loses the products that it
/// names, and its number is taken all the same.
#[test]
fn frames_of_advanced_trade_that_are_of_no_use_are_not_applied() {
    let both = [l2_level("bid", "9", "1"), l2_level("offer", "11", "1")].join(",");
    let trades = r#"{"channel":"market_trades","timestamp":"2023-02-09T20:19:35.39625135Z","sequence_num":2,"events":[{"type":"update","trades":[{"trade_id":"2","product_id":"BTC-USD","price":"11","size":"1","side":"SELL","time":"2019-08-14T20:42:27.5Z"}]}]}"#;
    let better = |number, qty| l2_data(number, "update", &l2_level("bid", "10", qty));
    let frames = [
        l2_data(0, "snapshot", &both),
        better(1, "1"),
        trades.to_owned(),
        trades.to_owned(),
        better(1, "0"),
        better(3, "2"),
        better(3, "3"),
        better(4, "4").replace("2023-02-09T", "yesterday "),
        better(5, "5"),
        l2_data(6, "snapshot", &both),
    ];
    let bytes = frames.map(|frame| frame + "\n").concat().into_bytes();
    let mut run = read(&bytes);
    let (mut states, mut bids, mut trades) = (Vec::new(), Vec::new(), 0);
    while run.step() {
        states.push(run.state(ONLY));
        bids.push(run.top(ONLY)[0].clone().map_or(String::new(), |(_, qty)| qty));
        trades += run.kinds().iter().filter(|&&kind| kind == EventKind::Trade).count();
    }
    use BookState::{Live, Suspect};
    assert_eq!(states, [Live, Live, Live, Live, Live, Live, Live, Suspect, Suspect, Live]);
    assert_eq!(bids[..7], ["1", "1", "1", "1", "1", "2", "2"]);
    assert_eq!((trades, run.recording.log().gaps().0), (1, 0));
    let skipped = [
        ("a frame whose number came before", 3),
        ("a price, size, side or time is none or does not fit", 1),
        ("an update of a book whose snapshot did not come", 1),
    ];
    assert_eq!(run.skipped(), skipped);
}
