//! MDP 3.0 by order: snapshots in chunks, and what is wrong with them.

mod common;

use common::mdp3::*;
use common::packets::Way;
use feeds::recording::Options;

const SNAPSHOTS_B: Way = Way(22, 17_320);

type Row = (u64, (u64, i32), i64, u8);

const ROWS: [Row; 3] = [(9, (90, 5), 100, b'0'), (8, (80, 4), 101, b'1'), (7, (70, 3), 100, b'0')];

fn chunk(packet_number: u32, of: (u32, u32), rows: &[Row]) -> Vec<u8> {
    packet(1, &[order_snapshot(ES, packet_number, of, rows)])
}

/// An order of ES by itself at 90, in a packet of its own.
fn alone(n: u32, id: u64, act: u8) -> (Way, Vec<u8>) {
    (A, packet(n, &[orders(&[order(id, (id, 1), 90, ES, (act, b'0'))])]))
}

const BOOK: [&str; 5] =
    ["0 Clear", "0 add bid 100 3 #7", "0 add bid 100 5 #9", "0 add ask 101 4 #8", "0 Recovered"];

fn with_book(before: &[&str], behind: &[&str]) -> Vec<String> {
    [before, &BOOK, behind].concat().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_book_is_built_when_all_chunks_came_and_from_what_was_kept_behind_it() {
    let given = read_orders(&[
        // One that never becomes whole.
        (SNAPSHOTS, chunk(40, (1, 2), &[])),
        alone(50, 20, 0),
        (SNAPSHOTS, chunk(51, (2, 3), &ROWS[1..2])),
        (SNAPSHOTS_B, chunk(51, (2, 3), &ROWS[1..2])),
        alone(51, 21, 1),
        alone(52, 9, 2),
        (SNAPSHOTS_B, chunk(51, (1, 3), &ROWS[..1])),
        // Of the loop before, from the line that is behind.
        (SNAPSHOTS, chunk(49, (3, 3), &[])),
        alone(53, 22, 0),
        (SNAPSHOTS, chunk(51, (3, 3), &ROWS[2..])),
        (SNAPSHOTS_B, chunk(51, (3, 3), &ROWS[2..])),
        alone(54, 7, 2),
    ]);
    let before = ["0 Lost", "0 add bid 90 1 #20", "0 add bid 90 1 #21", "0 add bid 90 1 #22"];
    let behind = ["0 delete bid #9", "0 add bid 90 1 #22", "0 delete bid #7"];
    assert_eq!(given.events, with_book(&before, &behind));
    assert_eq!((given.count("snapshots"), given.count("snapshots taken")), (7, 1));
    assert_eq!(given.damaged, [""; 0]);
}

#[test]
fn a_snapshot_ahead_of_its_channel_holds_what_comes_after_it() {
    let packets = [
        (SNAPSHOTS, chunk(51, (1, 1), &ROWS)),
        alone(50, 9, 0),
        (
            A,
            packet(
                51,
                &[book_of(
                    &[level((100, 3), (ES, 33), (1, 0, b'0'))],
                    &[named(7, (70, 3), (1, 0))],
                )],
            ),
        ),
        (
            A,
            packet(
                52,
                &[book_of(&[level((99, 3), (ES, 40), (1, 0, b'0'))], &[named(6, (95, 3), (1, 0))])],
            ),
        ),
        (
            A,
            packet(
                53,
                &[book_of(&[level((99, 0), (ES, 42), (1, 2, b'0'))], &[named(6, (95, 3), (1, 2))])],
            ),
        ),
    ];
    let given = read_orders(&packets);
    // The first number behind a snapshot is not judged, the next one is.
    let behind = ["0 add bid 99 3 #6", "0 Clear", "0 Lost"];
    assert_eq!(given.events, with_book(&[], &behind));
    assert_eq!((given.count("old updates"), given.gaps.len()), (1, 1));
}

#[test]
fn trades_and_figures_that_a_snapshot_is_ahead_of_are_told_once() {
    let late = packet(50, &[trade(32, 7), volume(33, 40)]);
    let given = read_orders(&[
        (SNAPSHOTS, chunk(51, (1, 1), &ROWS)),
        (A, late.clone()),
        (Way(77, 900), late),
        (A, packet(51, &[trade(34, 8)])),
        (A, packet(52, &[trade(35, 9)])),
    ]);
    let trades = [7, 8, 9].map(|qty| format!("0 trade ask 100 {qty} #0"));
    assert_eq!(given.events, with_book(&[], &trades.each_ref().map(String::as_str)));
    assert_eq!((given.said.len(), given.count("old updates")), (1, 3));
}

#[test]
fn a_book_whose_channel_is_not_known_is_lost_where_a_channel_begins_anew() {
    let given = read_orders(&[
        (SNAPSHOTS, chunk(51, (1, 1), &ROWS)),
        (A, packet(52, &[channel_reset()])),
        (SNAPSHOTS, chunk(53, (1, 1), &ROWS)),
        alone(54, 20, 0),
    ]);
    let again = [&["0 Clear", "0 Lost"], &BOOK[..], &["0 add bid 90 1 #20"]].concat();
    assert_eq!(given.events, with_book(&[], &again));
}

#[test]
fn a_snapshot_behind_which_packets_are_missing_is_not_taken() {
    // Of a security that nothing was heard of: then it is seen that its channel began later.
    let late = read_orders(&[(SNAPSHOTS, chunk(48, (1, 1), &ROWS)), alone(50, 20, 0)]);
    assert_eq!(late.events, with_book(&[], &["0 Clear", "0 Lost", "0 add bid 90 1 #20"]));
    let just = read_orders(&[(SNAPSHOTS, chunk(49, (1, 1), &ROWS)), alone(50, 20, 0)]);
    assert_eq!(just.events, with_book(&[], &["0 add bid 90 1 #20"]));
    // One of another count of packets.
    let far = read_orders(&[(SNAPSHOTS, chunk(900_000, (1, 1), &ROWS)), alone(50, 20, 0)]);
    assert_eq!(far.events, with_book(&[], &["0 Clear", "0 Lost", "0 add bid 90 1 #20"]));

    let options = || Options { by_order: true, ..Options::default() };
    let lost = |snapshot| {
        let ((to, first), (_, later), (_, last)) =
            (alone(1, 20, 0), alone(4, 21, 0), alone(5, 22, 0));
        let packets = [
            (0, SNAPSHOTS, chunk(0, (1, 1), &[])),
            (1, to, first),
            (2, to, later),
            (200, to, last),
            (201, SNAPSHOTS, chunk(snapshot, (1, 1), &ROWS)),
        ];
        read_with(&packets, options()).events
    };
    let start = ["0 Clear", "0 Recovered", "0 add bid 90 1 #20"];
    let torn = ["0 Gap", "0 Clear", "0 Lost", "0 add bid 90 1 #21", "0 add bid 90 1 #22"];
    let before = [&start[..], &torn].concat();
    assert_eq!(lost(2), before);
    assert_eq!(lost(3), with_book(&before, &["0 add bid 90 1 #21", "0 add bid 90 1 #22"]));
    assert_eq!(lost(4), with_book(&before, &["0 add bid 90 1 #22"]));
}

#[test]
fn what_is_lost_after_a_snapshot_that_holds_it_is_not_missed() {
    let (way, first) = alone(1, 20, 0);
    let packets = [
        (0, way, first),
        (1, way, alone(4, 21, 0).1),
        // Everything up to packet 3, which is still waited for.
        (2, SNAPSHOTS, chunk(3, (1, 1), &ROWS)),
        (200, way, alone(5, 22, 0).1),
    ];
    let given = read_with(&packets, Options { by_order: true, ..Options::default() });
    let behind = ["0 add bid 90 1 #21", "0 add bid 90 1 #22"];
    assert_eq!(given.events, with_book(&["0 Lost", "0 add bid 90 1 #20"], &behind));
    assert_eq!(given.count("packets lost"), 2);
}

#[test]
fn a_snapshot_of_a_book_that_is_known_is_not_taken() {
    let first = book_of(&[level((100, 3), (ES, 1), (1, 0, b'0'))], &[named(7, (7, 3), (1, 0))]);
    let given = read_orders(&[
        (A, packet(1, &[first])),
        (SNAPSHOTS, chunk(1, (1, 1), &ROWS)),
        (SNAPSHOTS, packet(2, &[snapshot(ES, (1, 1), &[(1, 55, 5, b'0')])])),
    ]);
    assert_eq!(given.events, ["0 add bid 100 3 #7"]);
}

#[test]
fn a_snapshot_that_is_damaged_changes_nothing() {
    let with = |row: Row| order_snapshot(ES, 50, (1, 1), &[ROWS[0], row]);
    let mut null = with(ROWS[1]);
    let end = null.len();
    null[end - 13..end - 5].copy_from_slice(&i64::MAX.to_le_bytes());
    let mut short = order_snapshot(ES, 50, (1, 1), &ROWS[..1]);
    (short[38], short[39]) = (28, 0);
    let mut root = order_snapshot(ES, 50, (1, 1), &[]);
    root[2] = 27;
    let cases = [
        ("chunk of a number that its snapshot has not", order_snapshot(ES, 50, (0, 1), &ROWS)),
        ("chunk of a number that its snapshot has not", order_snapshot(ES, 50, (2, 1), &ROWS)),
        ("chunk of a number that its snapshot has not", order_snapshot(ES, 50, (1, 0), &ROWS)),
        ("chunks that differ in their number of chunks", order_snapshot(ES, 50, (2, 3), &ROWS)),
        ("snapshot with an order twice", with(ROWS[0])),
        ("snapshot of an order without price or quantity", with((1, (1, 0), 100, b'0'))),
        ("snapshot of an order without price or quantity", with((1, (1, -4), 100, b'0'))),
        ("snapshot of an order without price or quantity", with((1, (1, i32::MAX), 100, b'0'))),
        ("snapshot of an order without price or quantity", null),
        ("snapshot of an order without a side", with((1, (1, 1), 100, b'E'))),
        ("entry shorter than its fields", short),
    ];
    for (reason, message) in cases {
        let half = chunk(50, (1, 2), &ROWS[..1]);
        let begins = reason == "chunks that differ in their number of chunks";
        let mut packets = vec![alone(50, 20, 0)];
        packets.extend(begins.then_some((SNAPSHOTS, half)));
        packets.push((SNAPSHOTS, packet(2, &[message])));
        packets.push(alone(51, 21, 0));
        packets.push((SNAPSHOTS, chunk(51, (1, 1), &ROWS)));
        let given = read_orders(&packets);
        assert_eq!(given.damaged, [reason]);
        let before = ["0 Lost", "0 add bid 90 1 #20", "0 add bid 90 1 #21"];
        assert_eq!(given.events, with_book(&before, &[]), "{reason}");
    }
}

#[test]
fn a_snapshot_that_what_was_kept_contradicts_is_lost_again() {
    let given = read_orders(&[
        (SNAPSHOTS, packet(1, &[order_snapshot(1, 49, (1, 1), &[])])),
        alone(50, 20, 0),
        alone(51, 21, 2),
        (SNAPSHOTS, chunk(50, (1, 1), &[])),
        alone(52, 22, 0),
    ]);
    let tail = ["1 Clear", "1 Recovered", "1 Clear", "1 Lost", "1 add bid 90 1 #22"];
    assert_eq!(given.events[4..], tail);
    assert_eq!(given.damaged, ["order that is not in the book"]);
}

#[test]
fn a_book_is_built_behind_what_its_channel_has_begun_to_tell() {
    let part = |n: u32, id, indicator| {
        let order = order(id, (id, 1), 90, ES, (0, b'0'));
        (A, packet(n, &[message(47, 9, &root(indicator), &group(&[order]))]))
    };
    let given = read_orders(&[
        (SNAPSHOTS, chunk(40, (1, 2), &[])),
        part(50, 20, 0),
        part(51, 21, 0),
        (SNAPSHOTS, chunk(50, (1, 1), &ROWS)),
        part(52, 22, 0x80),
    ]);
    let before = ["0 Lost", "0 add bid 90 1 #20", "0 add bid 90 1 #21"];
    let wanted = with_book(&before, &["0 add bid 90 1 #21", "0 add bid 90 1 #22"]);
    assert_eq!(given.events, wanted);
}

#[test]
fn updates_of_a_security_by_another_channel_are_counted_and_no_more() {
    let (_, twice) = alone(1, 20, 0);
    let given = read_orders(&[alone(1, 20, 0), (Way(77, 900), twice), alone(2, 20, 2)]);
    assert_eq!(given.events, ["0 Lost", "0 add bid 90 1 #20", "0 delete bid #20"]);
    assert_eq!(given.skipped, ["update of a security of another channel"]);
    assert_eq!(given.count("channels"), 2);
}
