//! MDP 3.0 by order, from packets of our own making: orders of levels and by themselves, orders of
//! before, losses, snapshots in chunks, and what is damaged.

mod common;

use common::mdp3::*;
use feeds::recording::{Books, Options, Unit, open_bytes};
use market::book::{BookState, BookView, OrderBooks};
use market::{InstrumentId, Side};

/// A new level of ES at that price, and the order that makes it, in a packet of its own.
fn new(rpt_seq: u32, id: u64, price: i64) -> Vec<u8> {
    let level = level((price, 3), (ES, rpt_seq), (1, 0, b'0'));
    book_of(&[level], &[named(id, (id, 3), (1, 0))])
}

const FIRST: &str = "0 add bid 100 3 #7";

/// One packet of these messages, behind one that shows ES with order 7.
fn after_an_order(messages: &[Vec<u8>]) -> Given {
    read_orders(&[(A, packet(1, &[new(1, 7, 100)])), (A, packet(2, messages))])
}

#[test]
fn orders_are_told_where_they_are_asked_for_and_levels_where_not() {
    let packets = [(0, A, packet(1, &[new(1, 7, 100)]))];
    let by_level = read_with(&packets, Options::default());
    assert_eq!(by_level.events, ["0 bid 100 3"]);
    let options = Options { by_order: true, ..Options::default() };
    let by_order = read_with(&packets, options.clone());
    assert_eq!(by_order.events, [FIRST]);
    assert_eq!((by_order.count("orders by id"), by_level.count("orders by id")), (1, 1));
    let file = capture(&packets);
    let mut recording = open_bytes(&file, options).unwrap();
    recording.next_unit(&mut Unit::default()).unwrap();
    assert_eq!(recording.describe().books, Books::ByOrder);
}

#[test]
fn an_order_has_price_and_side_of_the_entry_that_it_names() {
    let levels = [
        level((104, 5), (ES, 2), (1, 0, b'1')),
        level((101, 9), (ES, 3), (1, 0, b'E')),
        level((98, 4), (ES, 4), (2, 0, b'0')),
    ];
    let named = [
        named(9, (9, 4), (3, 0)),
        named(8, (8, 5), (1, 0)),
        // It moves to the level of the third entry; the one it leaves names no order.
        named(7, (10, 2), (3, 1)),
    ];
    let given = after_an_order(&[book_of(&levels, &named)]);
    let wanted = [FIRST, "0 add bid 98 4 #9", "0 add ask 104 5 #8", "0 change bid 98 2 #7"];
    assert_eq!(given.events, wanted);
    assert_eq!(given.count("levels of implied orders"), 1);
}

#[test]
fn orders_by_themselves_have_price_and_side_of_their_own() {
    let given = after_an_order(&[orders(&[
        order(8, (8, 5), 104, ES, (0, b'1')),
        order(7, (7, 1), 100, ES, (1, b'0')),
        order(8, (8, 5), 104, ES, (2, b'1')),
    ])]);
    let wanted = [FIRST, "0 add ask 104 5 #8", "0 change bid 100 1 #7", "0 delete ask #8"];
    assert_eq!(given.events, wanted);
    // Of the older template, prices have seven digits.
    let older = message(43, 6, &root(0x84), &group(&[order(9, (9, 1), 2, ES, (0, b'1'))]));
    assert_eq!(after_an_order(&[older]).events, [FIRST, "0 add ask 200 1 #9"]);
}

#[test]
fn long_quantities_of_levels_have_orders_too() {
    let mut entry = (5 * 1_000_000_000i64).to_le_bytes().to_vec();
    entry.extend((1u64 << 40).to_le_bytes());
    entry.extend([ES.to_le_bytes(), 2u32.to_le_bytes(), 1i32.to_le_bytes()].concat());
    entry.extend([1, 0, b'1', 0]);
    let rest = [group(&[entry]), long_group(&[named(9, (9, 6), (1, 0))])].concat();
    let given = after_an_order(&[message(64, 13, &root(0x84), &rest)]);
    assert_eq!(given.events, [FIRST, "0 add ask 5 6 #9"]);
}

#[test]
fn an_order_that_goes_behind_the_others_at_its_price_joins_anew() {
    let update = |priority, qty| order(7, (priority, qty), 100, ES, (1, b'0'));
    let given = after_an_order(&[orders(&[update(7, 2), update(8, 2), update(8, 6)])]);
    let wanted = [
        FIRST,
        "0 change bid 100 2 #7",
        "0 delete bid #7",
        "0 add bid 100 2 #7",
        "0 change bid 100 6 #7",
    ];
    assert_eq!(given.events, wanted);
}

#[test]
fn orders_of_spreads_rest_at_zero_and_below() {
    let rest = [(8, -2), (9, 0)].map(|(id, price)| order(id, (id, 4), price, ES, (0, b'0')));
    let file = capture(&[(0, A, packet(1, &[new(1, 7, -1), orders(&rest)]))]);
    let options = Options { by_order: true, ..Options::default() };
    let mut recording = open_bytes(&file, options).unwrap();
    let (mut unit, mut books) = (Unit::default(), OrderBooks::growing());
    while recording.next_unit(&mut unit).unwrap() {
        for event in &unit.events {
            books.admit(event.instrument);
            assert_eq!(books.apply(event).contradiction, None, "{event:?}");
        }
    }
    let book = books.book(InstrumentId(0));
    let levels = (0..3).filter_map(|at| book.level(Side::Buy, at));
    let levels: Vec<_> = levels.map(|level| (level.price.to_string(), level.qty.raw())).collect();
    assert_eq!(levels, [("0", 4), ("-1", 3), ("-2", 4)].map(|(at, qty)| (at.to_owned(), qty)));
    assert_eq!(book.state(), BookState::Live);
}

#[test]
fn trades_do_not_change_the_book_and_resets_empty_it() {
    let mut fill = 7u64.to_le_bytes().to_vec();
    fill.extend([1i32.to_le_bytes(), [0; 4]].concat());
    let trade = level((100, 1), (ES, 2), (2, 0, 0));
    let trade = message(48, 9, &root(1), &[group(&[trade]), long_group(&[fill])].concat());
    let rest = orders(&[order(7, (7, 2), 100, ES, (1, b'0'))]);
    let reset = book(&[level((0, 0), (ES, 3), (0, 0, b'J'))]);
    let channel = channel_reset();
    let given = after_an_order(&[trade, rest, reset, new(4, 7, 99), channel, new(9, 8, 98)]);
    let wanted = [
        FIRST,
        "0 trade bid 100 1 #0",
        "0 change bid 100 2 #7",
        "0 Clear",
        "0 add bid 99 3 #7",
        "0 Clear",
        "0 add bid 98 3 #8",
    ];
    assert_eq!(given.events, wanted);
}

#[test]
fn orders_of_before_the_beginning_are_met_as_they_are_named() {
    let levels = [level((100, 9), (ES, 40), (1, 1, b'0')), level((99, 5), (ES, 41), (2, 1, b'0'))];
    let given = read_orders(&[
        (A, packet(50, &[book_of(&levels, &[named(1, (1, 4), (1, 1)), named(2, (2, 5), (2, 2))])])),
        (A, packet(51, &[orders(&[order(1, (1, 4), 100, ES, (2, b'0'))])])),
        // The first that is heard of NQ has no number.
        (A, packet(52, &[orders(&[order(3, (3, 4), 700, NQ, (1, b'1'))])])),
        (A, packet(53, &[book(&[level((700, 1), (NQ, 8), (1, 1, b'1'))])])),
    ]);
    let wanted =
        ["0 Lost", "0 add bid 100 4 #1", "0 delete bid #1", "1 Lost", "1 add ask 700 4 #3"];
    assert_eq!(given.events, wanted);
    assert_eq!(given.count("orders of before"), 3);
    assert_eq!(given.count("securities joined in mid-session"), 2);
    assert_eq!((given.damaged.len(), given.gaps.len()), (0, 0));
}

#[test]
fn an_order_that_contradicts_its_book_loses_it() {
    let two = |entry: Vec<u8>, order: Vec<u8>| book_of(&[entry], &[order]);
    let at = |price, kind| level((price, 3), (ES, 2), (1, 0, kind));
    let mut null = at(0, b'0');
    null[..8].copy_from_slice(&i64::MAX.to_le_bytes());
    let alone = |id, terms, price, fate| orders(&[order(id, terms, price, ES, fate)]);
    let cases = [
        ("new order that is in the book", two(at(101, b'0'), named(7, (9, 3), (1, 0)))),
        ("order that is not in the book", two(at(101, b'0'), named(9, (9, 3), (1, 1)))),
        ("order that is not in the book", alone(9, (9, 3), 101, (2, b'0'))),
        ("order is of the other side", two(at(101, b'1'), named(7, (9, 3), (1, 1)))),
        ("order is of the other side", alone(7, (7, 3), 100, (2, b'1'))),
        ("order of a level that has none", two(at(101, b'E'), named(9, (9, 3), (1, 0)))),
        ("order of a level that has none", alone(9, (9, 3), 101, (0, b'F'))),
        ("order without a price", two(null, named(9, (9, 3), (1, 0)))),
        ("order without a quantity", alone(9, (9, 0), 101, (0, b'0'))),
        ("order without a quantity", alone(9, (9, -1), 101, (0, b'0'))),
        ("order without a quantity", alone(7, (7, i32::MAX), 101, (1, b'0'))),
        ("unknown order action", alone(7, (7, 3), 101, (3, b'0'))),
        ("unknown order action", two(at(101, b'0'), named(9, (9, 3), (1, 5)))),
        ("number of an update before", new(1, 9, 101)),
    ];
    for (reason, message) in cases {
        let last = orders(&[order(20, (20, 1), 90, ES, (0, b'0'))]);
        let given = after_an_order(&[message, last]);
        assert_eq!(given.damaged, [reason]);
        assert_eq!(given.events, [FIRST, "0 Clear", "0 Lost", "0 add bid 90 1 #20"], "{reason}");
        assert_eq!(given.count("contradictions"), 1);
    }
}

#[test]
fn a_damaged_message_of_orders_may_concern_any_book_of_its_channel() {
    let one = level((101, 3), (ES, 2), (1, 0, b'0'));
    let nine = named(9, (9, 3), (1, 0));
    let of = |orders: &[u8]| {
        message(46, 9, &root(0x84), &[&group(std::slice::from_ref(&one)), orders].concat())
    };
    let named_group = |order: Vec<u8>| long_group(&[order]);
    let alone = group(&[order(9, (9, 3), 101, ES, (0, b'0'))]);
    let cases = [
        ("order names an entry that is not there", of(&named_group(named(9, (9, 3), (0, 0))))),
        ("order names an entry that is not there", of(&named_group(named(9, (9, 3), (2, 0))))),
        ("order names an entry that is not there", of(&named_group(named(9, (9, 3), (255, 0))))),
        ("order shorter than its fields", of(&named_group(nine[..21].to_vec()))),
        ("group with entries of no bytes", of(&[0, 0, 0, 0, 0, 0, 0, 1])),
        ("group longer than its message", of(&[24, 0, 0, 0, 0, 0, 0, 200])),
        ("group shorter than its header", of(&[24, 0, 0])),
        ("order shorter than its fields", message(47, 9, &root(0x84), &group(&[vec![1; 33]]))),
        ("group longer than its message", message(47, 9, &root(0x84), &alone[..9])),
        ("message shorter than its fields", message(47, 9, &[0; 4], &alone)),
    ];
    for (reason, message) in cases {
        let other = orders(&[order(5, (5, 1), 7, NQ, (0, b'1'))]);
        let reset = channel_reset();
        let given = read_orders(&[
            (A, packet(1, &[new(1, 7, 100), other])),
            (A, packet(2, &[reset.clone(), new(1, 8, 50), message])),
            (A, packet(3, &[new(3, 9, 102)])),
        ]);
        assert_eq!(given.damaged, [reason]);
        let tail = [
            "0 Clear",
            "1 Clear",
            "0 add bid 50 3 #8",
            "0 Gap",
            "0 Clear",
            "0 Lost",
            "1 Gap",
            "1 Clear",
            "1 Lost",
            "0 add bid 102 3 #9",
        ];
        assert_eq!(given.events[3..], tail, "{reason}");
        assert_eq!(given.gaps, []);
    }
}

#[test]
fn a_lost_packet_may_have_had_orders_of_any_book_of_its_channel() {
    let other = order(5, (5, 1), 7, NQ, (0, b'1'));
    let packets = [
        (0, A, packet(1, &[channel_reset(), new(1, 7, 100), orders(&[other])])),
        (1, A, packet(3, &[new(2, 8, 101)])),
        // Another channel.
        (
            2,
            common::packets::Way(99, 900),
            packet(6, &[book(&[level((1, 1), (77, 1), (1, 0, b'0'))])]),
        ),
        (200, A, packet(4, &[new(3, 9, 102)])),
    ];
    let given = read_with(&packets, Options { by_order: true, ..Options::default() });
    let wanted = [
        "0 add bid 100 3 #7",
        "1 Lost",
        "1 add ask 7 1 #5",
        "0 Gap",
        "0 Clear",
        "0 Lost",
        "1 Clear",
        "1 Lost",
        "0 add bid 101 3 #8",
        "0 add bid 102 3 #9",
    ];
    assert_eq!(given.events, wanted);
    assert_eq!((given.count("packets lost"), given.gaps.len()), (1, 1));
}
