//! MDP 3.0 from packets of our own making: levels by number, lines, numbers, versions, snapshots.

mod common;

use common::mdp3::*;
use feeds::recording::{Options, Wanted};
use market::{Instrument, Said};

/// One packet of these messages, behind one that shows ES with a bid.
fn after_a_bid(messages: &[Vec<u8>]) -> Given {
    read(&[(A, packet(1, &[bid(1, 100)])), (A, packet(2, messages))])
}

#[test]
fn levels_that_are_pushed_out_of_the_published_depth_leave_the_book() {
    let definition = future(ES, "ESZ6", 2);
    let bids: Vec<Vec<u8>> =
        (1..=3).map(|n| level((100 + i64::from(n), 5), (ES, n), (1, 0, b'0'))).collect();
    let given = read(&[(REPLAY, packet(1, &[definition])), (A, packet(1, &[book(&bids)]))]);
    assert_eq!(given.events, ["0 bid 101 5", "0 bid 102 5", "0 bid 101 0", "0 bid 103 5"]);
    assert_eq!(given.symbols, ["ESZ6"]);
}

#[test]
fn without_a_definition_books_are_ten_deep() {
    let asks: Vec<Vec<u8>> =
        (1..=11).map(|n| level((200 - i64::from(n), 1), (ES, n), (1, 0, b'1'))).collect();
    let given = read(&[(A, packet(1, &[book(&asks)]))]);
    assert_eq!(given.events[10..], ["0 ask 199 0", "0 ask 189 1"]);
}

#[test]
fn every_action_does_to_a_level_what_the_specification_says() {
    let mut entries: Vec<Vec<u8>> =
        (1..=5).map(|n| level((105 - i64::from(n), 5), (ES, n), (n as u8, 0, b'0'))).collect();
    let mut number = 5;
    let mut act = |level_of, entry: (u8, u8)| {
        number += 1;
        entries.push(level(level_of, (ES, number), (entry.0, entry.1, b'0')));
    };
    act((104, 7), (1, 1)); // change
    act((103, 5), (2, 2)); // delete: 102, 101, 100 move up
    act((99, 3), (4, 5)); // overlay: 99 in place of 100
    act((0, 0), (2, 3)); // delete thru: 104 and 102
    act((0, 0), (2, 4)); // delete from: 99
    act((101, 8), (1, 1));
    let given = read(&[(A, packet(1, &[book(&entries)]))]);
    let wanted = [
        "0 bid 104 7",
        "0 bid 103 0",
        "0 bid 100 0",
        "0 bid 99 3",
        "0 bid 104 0",
        "0 bid 102 0",
        "0 bid 99 0",
        "0 bid 101 8",
    ];
    assert_eq!(given.events[5..], wanted);
}

#[test]
fn implied_levels_and_orders_by_id_are_counted_and_stay_out_of_the_book() {
    let implied = level((101, 9), (ES, 2), (1, 0, b'E'));
    let mut order = vec![0; 24];
    order[0] = 1;
    let mut groups = group(&[implied, level((99, 1), (ES, 3), (2, 0, b'0'))]);
    groups.extend([24, 0, 0, 0, 0, 0, 0, 1]);
    groups.extend(order);
    let orders = message(47, 9, &root(0x80), &group(&[vec![0; 40], vec![0; 40]]));
    let given = after_a_bid(&[message(46, 9, &root(0x84), &groups), orders]);
    assert_eq!(given.events, ["0 bid 100 1", "0 bid 99 1"]);
    assert_eq!((given.count("levels of implied orders"), given.count("orders by id")), (1, 3));
    assert_eq!(given.damaged, [""; 0]);
}

#[test]
fn a_book_reset_empties_one_book_and_a_channel_reset_all_of_the_channel() {
    let reset = book(&[level((0, 0), (ES, 2), (0, 0, b'J'))]);
    let other = book(&[level((7, 1), (NQ, 1), (1, 0, b'1'))]);
    let channel = channel_reset();
    // Behind it, numbers may begin anywhere.
    let given = after_a_bid(&[reset, other, channel, bid(77, 98)]);
    let wanted = ["0 bid 100 1", "0 Clear", "1 ask 7 1", "0 Clear", "1 Clear", "0 bid 98 1"];
    assert_eq!(given.events, wanted);
}

#[test]
fn prices_of_spreads_may_be_zero_and_below() {
    let levels = [level((0, 3), (ES, 1), (1, 0, b'0')), level((-2, 4), (ES, 2), (2, 0, b'0'))];
    let given = read(&[(A, packet(1, &[book(&levels)]))]);
    assert_eq!(given.events, ["0 bid 0 3", "0 bid -2 4"]);
}

#[test]
fn trades_have_the_resting_side_and_an_id_only_where_the_version_has_one() {
    let entry = |aggressor: u8, action: u8, rpt_seq| {
        let mut entry = level((100, 3), (ES, rpt_seq), (aggressor, action, 0));
        entry[26..30].copy_from_slice(&17u32.to_le_bytes());
        entry
    };
    let trade = |template, version, entry: Vec<u8>| {
        message(template, version, &root(0x81), &group(&[entry]))
    };
    let given = after_a_bid(&[
        trade(48, 9, entry(1, 0, 2)),
        trade(48, 9, entry(2, 0, 3)),
        trade(48, 9, entry(0, 0, 4)),
        // PRICE of the older template has seven digits.
        trade(42, 6, entry(1, 0, 5)),
        trade(48, 9, entry(1, 2, 6)),
    ]);
    let wanted = [
        "0 trade ask 100 3 #17",
        "0 trade bid 100 3 #17",
        "0 trade 100 3 #17",
        "0 trade ask 10000 3 #0",
    ];
    assert_eq!(given.events[1..], wanted);
    let [Said::Statistic(bust)] = &given.said[..] else { panic!("{:?}", given.said) };
    assert_eq!((bust.name, bust.qty.unwrap().raw()), ("Trade deleted", 3));
}

#[test]
fn figures_volume_and_limits_are_side_entries() {
    let mut figure = level((4_000, 12), (ES, 2), (0, 0, 0));
    (figure[23], figure[24]) = (0, b'6');
    let mut volume = 12i32.to_le_bytes().to_vec();
    volume.extend([ES.to_le_bytes(), 3u32.to_le_bytes(), [0; 4]].concat());
    let mut limits = [5_000_000i64, i64::MAX, 7].map(i64::to_le_bytes).concat();
    limits.extend([ES.to_le_bytes(), 4u32.to_le_bytes()].concat());
    let one = |template, entry| message(template, 9, &root(0x88), &group(&[entry]));
    let given = after_a_bid(&[one(49, figure), one(37, volume), one(50, limits)]);
    let said: Vec<(&str, Option<String>, Option<i64>)> = given
        .said
        .iter()
        .map(|said| match said {
            Said::Statistic(one) => {
                (one.name, one.price.map(|p| p.to_string()), one.qty.map(market::Qty::raw))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        said[..2],
        [("SettlementPrice", text("4000"), Some(12)), ("ElectronicVolume", None, Some(12))]
    );
    assert_eq!(
        said[2..],
        [("HighLimitPrice", text("0.005"), None), ("MaxPriceVariation", text("0.000000007"), None)]
    );
}

#[test]
fn a_status_of_a_group_is_that_of_its_securities() {
    let definitions = [future(ES, "ESZ6", 10), future(NQ, "ESH7", 10)];
    let given = read(&[
        (REPLAY, packet(1, &definitions)),
        // Again, since a replay never ends: nothing new.
        (REPLAY, packet(1, &definitions)),
        (A, packet(1, &[status(None, "ES", 21), status(None, "6E", 2)])),
        (A, packet(2, &[status(Some(NQ), "ES", 2), status(Some(NQ), "ES", 103)])),
    ]);
    assert_eq!(given.events, ["0 status 3", "1 status 3", "1 status 2"]);
    let definitions = given.said.iter().filter(|said| matches!(said, Said::Definition(_)));
    assert_eq!(definitions.count(), 2);
    let Said::Definition(es) = &given.said[0] else { panic!() };
    assert_eq!((es.symbol.as_str(), es.venue_id, es.currency.as_str()), ("ESZ6", 495_512, "USD"));
    assert_eq!(es.tick.unwrap().to_string(), "0.25");
    assert_eq!((es.multiplier, es.expiry.unwrap().nanos()), (Some(50_000_000_000), OPEN + 99));
    let detail = |name, text: &str| es.details.contains(&(name, text.to_owned()));
    assert!(detail("MaturityMonthYear", "202612") && detail("MarketDepth", "10"));
    assert!(detail("DisplayFactor", "1") && detail("SecurityExchange", "XCME"));
    let Said::Status(status) = &given.said[4] else { panic!("{:?}", given.said) };
    assert_eq!(status.reason, "Trading Halt, Surveillance Intervention");
}

#[test]
fn what_is_wanted_is_named_by_symbol_or_by_security() {
    let packets = [
        (0, REPLAY, packet(1, &[future(ES, "ESZ6", 10)])),
        (1, A, packet(1, &[bid(1, 100), book(&[level((7, 1), (NQ, 1), (1, 0, b'1'))])])),
    ];
    let wanted = |symbol: &str, digits| {
        let mut one = Instrument::share(6, symbol);
        one.qty_digits = digits;
        Options { wanted: Wanted::Only(vec![one]), ..Options::default() }
    };
    assert_eq!(read_with(&packets, wanted("ESZ6", 0)).events, ["6 bid 100 1"]);
    assert_eq!(read_with(&packets, wanted("ESZ6", 2)).events, ["6 bid 100 100"]);
    assert_eq!(read_with(&packets, wanted("495513", 0)).events, ["6 ask 7 1"]);
    assert_eq!(read_with(&packets, wanted("NQZ6", 0)).events, [""; 0]);
}

#[test]
fn later_versions_have_longer_blocks_and_templates_that_nobody_knows() {
    let mut root = root(0x84);
    root.extend([9; 5]);
    let mut entry = level((101, 2), (ES, 2), (1, 0, b'0'));
    entry.extend([7; 9]);
    let mut rest = group(&[entry]);
    rest.extend([24, 0, 0, 0, 0, 0, 0, 0]);
    rest.extend([3, 3, 3]);
    let given = after_a_bid(&[message(46, 40, &root, &rest), message(99, 40, &[1], &[])]);
    assert_eq!(given.events, ["0 bid 100 1", "0 bid 101 2"]);
    assert_eq!(given.skipped, ["template that is not known"]);
    assert!(given.counts.by_type.contains(&("unknown".to_owned(), 1)));
    assert_eq!((given.counts.messages, given.damaged.len()), (3, 0));
}

#[test]
fn long_quantities_are_read_from_their_own_templates() {
    let mut entry = (5 * 1_000_000_000i64).to_le_bytes().to_vec();
    entry.extend((1u64 << 40).to_le_bytes());
    entry.extend([ES.to_le_bytes(), 2u32.to_le_bytes(), 1i32.to_le_bytes()].concat());
    entry.extend([1, 0, b'1', 0]);
    let given = after_a_bid(&[message(64, 13, &root(0x84), &group(&[entry]))]);
    assert_eq!(given.events[1], "0 ask 5 1099511627776");
}

#[test]
fn events_of_several_packets_are_given_when_they_are_whole() {
    let part = |rpt_seq, indicator| {
        let entry = level((100 + i64::from(rpt_seq), 1), (ES, rpt_seq), (1, 0, b'0'));
        message(46, 9, &root(indicator), &group(&[entry]))
    };
    let packets = [part(1, 0), part(2, 4), part(3, 0x80), part(4, 0)];
    let packets: Vec<(u64, common::packets::Way, Vec<u8>)> =
        (1..).zip(packets).map(|(n, part)| (n.into(), A, packet(n, &[part]))).collect();
    let file = capture(&packets);
    let mut recording = feeds::recording::open_bytes(&file, Options::default()).unwrap();
    let (mut unit, mut units) = (feeds::recording::Unit::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        units.push((unit.events.len(), unit.received.nanos() - OPEN));
    }
    units.retain(|&(events, _)| events > 0);
    assert_eq!(units, [(3, 3_000_000), (1, 4_000_000)]);
}
