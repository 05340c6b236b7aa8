//! MDP 3.0: lines, losses, numbers that begin anew, snapshots, and what is damaged. Whatever comes,
//! a book that may be wrong is said to be.

mod common;

use common::mdp3::*;
use common::packets::Way;
use feeds::recording::Options;

/// A hundred packets, each with a bid of ES or an ask of NQ.
fn stream() -> Vec<Vec<u8>> {
    let one = |n: u32| {
        let entry = if n.is_multiple_of(2) {
            level((200 - i64::from(n), 1), (NQ, n / 2), (1, 0, b'1'))
        } else {
            level((i64::from(n), 1), (ES, n / 2 + 1), (1, 0, b'0'))
        };
        packet(n, &[book(&[entry])])
    };
    (1..=100).map(one).collect()
}

#[test]
fn two_lines_give_each_packet_once_whatever_one_of_them_lacks() {
    let clean: Vec<(Way, Vec<u8>)> = stream().into_iter().map(|bytes| (A, bytes)).collect();
    let clean = read(&clean);
    assert_eq!(clean.count("packets in sequence"), 100);
    for seed in 1..50u64 {
        let mut state = seed;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let mut packets = Vec::new();
        for (at, bytes) in stream().into_iter().enumerate() {
            // The first packet is on both: what comes before it nobody misses.
            let lost = if at == 0 { 3 } else { random(4) };
            for (line, to) in [A, B].into_iter().enumerate() {
                if lost != line as u64 {
                    packets.push((
                        at as u64 * 5 + random(40) * u64::from(at > 0),
                        to,
                        bytes.clone(),
                    ));
                }
            }
        }
        packets.sort_by_key(|&(millis, ..)| millis);
        let given = read_with(&packets, Options::default());
        assert_eq!(given.events, clean.events, "seed {seed}");
        assert_eq!((given.gaps.len(), given.count("channels")), (0, 1), "seed {seed}");
    }
}

#[test]
fn what_no_line_brings_is_lost_only_to_the_securities_whose_numbers_jump() {
    let mut packets: Vec<(u64, Way, Vec<u8>)> =
        (0..).zip(stream()).map(|(at, bytes)| (at, A, bytes)).collect();
    // Packet 7, which is the fourth update of ES.
    packets.remove(6);
    packets.truncate(10);
    let given = read_with(&packets, Options::default());
    let tail = [
        "0 Gap",
        "1 Gap",
        "1 Recovered",
        "1 ask 192 1",
        "0 Clear",
        "0 Lost",
        "0 bid 9 1",
        "1 ask 190 1",
        "0 bid 11 1",
    ];
    assert_eq!(given.events[6..], tail);
    assert_eq!(given.gaps, [("channel 233.54.12.11:14320".to_owned(), 7, 1)]);
    assert_eq!((given.count("packets lost"), given.count("breaks of RptSeq")), (1, 1));
}

#[test]
fn a_gap_is_waited_for_a_tenth_of_a_second_of_the_captures_clock() {
    let [one, two, three] = [1, 2, 3].map(|n| packet(n, &[bid(n, 100 + i64::from(n))]));
    let late = |millis| {
        let packets = [
            (0, A, one.clone()),
            (1, A, three.clone()),
            (millis, B, two.clone()),
            (millis + 1, B, three.clone()),
        ];
        read_with(&packets, Options::default())
    };
    let whole = ["0 bid 101 1", "0 bid 102 1", "0 bid 103 1"];
    assert_eq!(late(90).events, whole);
    // Time is seen as packets come: the one that was missing comes first.
    assert_eq!(late(200).events, whole);
    let packets = [(0, A, one), (1, A, three), (150, B, packet(5, &[])), (151, A, two)];
    let lost = read_with(&packets, Options::default());
    assert_eq!(
        lost.events,
        ["0 bid 101 1", "0 Gap", "0 Clear", "0 Lost", "0 bid 103 1", "0 Gap"][..5]
    );
    assert_eq!((lost.count("duplicate packets"), lost.gaps.len()), (1, 2));
}

#[test]
fn what_waits_in_all_channels_together_is_bounded() {
    let channel = |at: u8| Way(100 + at, 14_320);
    let full = |n| sent(n, OPEN, &[message(39, 9, &[0; 60_000], &[])]);
    let mut packets: Vec<_> = (0..8).map(|at| (0, channel(at), full(1))).collect();
    // Of each channel, the third packet and those behind it: 8 times 39 of 60,000 bytes.
    packets.extend((0..8).map(|at| (1 + u64::from(at), channel(at), full(3))));
    packets.extend((4..42).flat_map(|n| (0..8).map(move |at| (10, channel(at), full(n)))));
    packets.extend((0..8).map(|at| (11, channel(at), full(2))));
    let given = read_with(&packets, Options::default());
    // That of the channel that waited longest was given up; of the others it came in time.
    assert_eq!(given.gaps, [("channel 233.54.12.100:14320".to_owned(), 2, 1)]);
    assert_eq!((given.count("packets lost"), given.count("duplicate packets")), (1, 1));
    assert_eq!(given.count("packets in sequence"), 8 * 41 - 1);
}

#[test]
fn a_security_that_is_joined_in_mid_session_is_not_believed() {
    let given = read(&[(A, packet(50, &[bid(9, 100)])), (A, packet(51, &[bid(10, 101)]))]);
    assert_eq!(given.events, ["0 Lost", "0 bid 100 1", "0 bid 101 1"]);
    assert_eq!((given.gaps.len(), given.count("securities joined in mid-session")), (0, 1));
}

#[test]
fn a_number_that_jumps_without_a_lost_packet_is_a_gap_of_its_security() {
    let given = read(&[(A, packet(1, &[bid(1, 100)])), (A, packet(2, &[bid(4, 101), bid(4, 9)]))]);
    assert_eq!(given.events, ["0 bid 100 1", "0 Clear", "0 Lost", "0 bid 101 1"]);
    assert_eq!(given.gaps, [(format!("security {ES}"), 2, 2)]);
    assert_eq!(given.count("old updates"), 1);
}

#[test]
fn a_snapshot_and_what_was_kept_behind_it_build_a_lost_book_again() {
    let wrong = snapshot(ES, (3, 3), &[(1, 90, 5, b'0')]);
    let fresh = snapshot(ES, (6, 6), &[(1, 104, 5, b'0'), (2, 103, 4, b'0'), (1, 110, 6, b'1')]);
    let given = read(&[
        (A, packet(1, &[bid(1, 100)])),
        // What snapshots say of books that are known is of no use.
        (SNAPSHOTS, packet(1, &[snapshot(ES, (1, 1), &[(1, 1, 1, b'0')])])),
        // Update 2 is lost, and with it what stood at which level.
        (A, packet(2, &[bid(3, 101)])),
        (A, packet(3, &[bid(4, 102)])),
        // Before what is kept.
        (SNAPSHOTS, packet(1, &[snapshot(ES, (1, 1), &[(1, 100, 1, b'0')])])),
        (SNAPSHOTS, packet(2, &[wrong])),
        (A, packet(6, &[bid(5, 103), bid(6, 104)])),
        (A, packet(5, &[])),
        (A, packet(4, &[])),
        (A, packet(7, &[bid(7, 105)])),
        (A, packet(8, &[book(&[level((104, 9), (ES, 8), (2, 1, b'0'))])])),
        (SNAPSHOTS, packet(1, std::slice::from_ref(&fresh))),
        (SNAPSHOTS, packet(1, &[fresh])),
        (A, packet(9, &[book(&[level((103, 0), (ES, 9), (3, 2, b'0'))])])),
    ]);
    let wanted = [
        "0 bid 100 1",
        "0 Clear",
        "0 Lost",
        "0 bid 101 1",
        "0 bid 102 1",
        "0 bid 103 1",
        "0 bid 104 1",
        "0 bid 105 1",
        "0 bid 104 9",
        // The snapshot holds update 6; what came behind it was kept.
        "0 Clear",
        "0 bid 104 5",
        "0 bid 103 4",
        "0 ask 110 6",
        "0 status 1",
        "0 Recovered",
        "0 bid 105 1",
        "0 bid 104 9",
        "0 bid 103 0",
    ];
    assert_eq!(given.events, wanted);
    assert_eq!((given.count("snapshots"), given.count("snapshots taken")), (5, 1));
    // One says that it holds packet 3, and lacks that packet's update 4.
    assert_eq!(given.skipped, ["snapshot contradicts the updates"]);
    assert_eq!(given.damaged, [""; 0]);
}

#[test]
fn a_book_that_is_only_doubted_is_built_from_a_snapshot_behind_the_loss() {
    let lost = [(0, A, packet(1, &[bid(1, 100)])), (1, A, packet(3, &[bid_of_nq(1)]))];
    let with = |packet_number| {
        let mut packets = lost.to_vec();
        let snapshot = snapshot(ES, (packet_number, 4), &[(1, 107, 2, b'0')]);
        packets.push((200, SNAPSHOTS, packet(1, std::slice::from_ref(&snapshot))));
        packets.push((201, SNAPSHOTS, packet(2, &[snapshot])));
        packets.push((202, A, packet(4, &[bid(5, 108)])));
        read_with(&packets, Options::default()).events
    };
    let start = ["0 bid 100 1", "0 Gap", "1 ask 7 1"];
    let built = ["0 Clear", "0 bid 107 2", "0 status 1", "0 Recovered", "0 bid 108 1"];
    let found = with(2);
    assert_eq!(found.len(), start.len() + built.len(), "{found:?}");
    assert!(built.iter().all(|event| found.contains(&(*event).to_owned())));
    // A snapshot of before the loss proves nothing.
    assert!(with(1).contains(&"0 Lost".to_owned()));
}

fn bid_of_nq(rpt_seq: u32) -> Vec<u8> {
    book(&[level((7, 1), (NQ, rpt_seq), (1, 0, b'1'))])
}

#[test]
fn a_security_of_which_nothing_was_heard_begins_with_its_snapshot() {
    let given = read(&[
        (SNAPSHOTS, packet(1, &[snapshot(ES, (20, 33), &[(1, 100, 5, b'0')])])),
        (A, packet(21, &[bid(32, 1), bid(33, 2), bid(34, 101)])),
    ]);
    let wanted = ["0 Clear", "0 bid 100 5", "0 status 1", "0 Recovered", "0 bid 101 1"];
    assert_eq!(given.events, wanted);
    assert_eq!(given.count("old updates"), 2);
}

#[test]
fn trades_and_figures_that_a_snapshot_is_ahead_of_are_told_once() {
    let late = [bid(31, 1), trade(32, 7), volume(33, 40), bid(34, 101), trade(35, 8)];
    let mut bad = level((1, 1), (ES, 30), (1, 0, 0));
    bad[..8].copy_from_slice(&(i64::MAX - 1).to_le_bytes());
    let bad = message(42, 9, &root(0x81), &group(&[bad]));
    let given = read(&[
        (SNAPSHOTS, packet(1, &[snapshot(ES, (20, 33), &[(1, 100, 5, b'0')])])),
        (A, packet(19, &[bad])),
        (A, packet(20, &late)),
        // Another channel says the same.
        (Way(77, 900), packet(20, &late)),
    ]);
    let wanted = [
        "0 Clear",
        "0 bid 100 5",
        "0 status 1",
        "0 Recovered",
        "0 trade ask 100 7 #0",
        "0 bid 101 1",
        "0 trade ask 100 8 #0",
    ];
    assert_eq!(given.events, wanted);
    assert_eq!(given.said.len(), 1);
    assert_eq!(given.damaged, ["price out of range"]);
    assert_eq!((given.count("old updates"), given.count("contradictions")), (9, 0));
}

#[test]
fn a_snapshot_that_contradicts_what_is_known_is_not_taken() {
    let start = [(A, packet(5, &[bid(9, 100)])), (A, packet(6, &[bid(10, 101)]))];
    let behind = |snapshot: Vec<u8>| {
        let mut packets = vec![(SNAPSHOTS, packet(1, &[super_old()]))];
        packets.extend(start.clone());
        packets.push((SNAPSHOTS, packet(2, &[snapshot])));
        read(&packets)
    };
    // It says that it holds packet 6, and lacks the update of that packet.
    let given = behind(snapshot(ES, (6, 9), &[(1, 100, 1, b'0')]));
    assert_eq!(given.skipped, ["snapshot contradicts the updates"]);
    let two = behind(snapshot(ES, (6, 10), &[(1, 100, 1, b'0'), (1, 99, 1, b'0')]));
    assert_eq!(two.damaged, ["snapshot with levels that contradict each other"]);
    let none = behind(snapshot(ES, (6, 10), &[(1, 100, 0, b'0')]));
    assert_eq!(none.damaged, ["snapshot of a level without price or quantity"]);
    for given in [given, two, none] {
        assert_eq!(given.events.last().unwrap(), "1 bid 101 1", "{given:?}");
    }
}

/// Of another security: shows that snapshots come.
fn super_old() -> Vec<u8> {
    snapshot(1, (1, 1), &[])
}

#[test]
fn numbers_that_begin_anew_are_a_new_session_and_stragglers_are_not() {
    let (first, later) = (OPEN, OPEN + 60_000_000_000);
    let given = read(&[
        (A, sent(500, first, &[bid(1, 100)])),
        (A, sent(501, first + 1, &[bid(2, 101)])),
        (A, sent(1, later, &[bid(1, 50)])),
        // Line B still has the last packets of before.
        (B, sent(501, first + 1, &[bid(2, 101)])),
        (B, sent(1, later, &[bid(1, 50)])),
        (A, sent(2, later + 1, &[bid(2, 51)])),
    ]);
    let wanted = ["0 bid 100 1", "0 bid 101 1", "0 Reset", "0 bid 50 1", "0 bid 51 1"];
    assert_eq!(given.events, wanted);
    assert_eq!(given.skipped, ["packet of before its channel began anew"]);
    assert_eq!((given.count("new counts"), given.count("duplicate packets")), (1, 1));
}

#[test]
fn a_senders_clock_that_steps_back_loses_nothing() {
    let at = |n: u32, time| sent(n, OPEN + time, &[bid(n, 100 + i64::from(n))]);
    let packets = [at(1, 5_000_000_000), at(2, 4_000_000_000), at(3, 4_000_000_001)];
    let both = packets.iter().flat_map(|bytes| [(A, bytes.clone()), (B, bytes.clone())]);
    let given = read(&both.collect::<Vec<_>>());
    assert_eq!(given.events, ["0 bid 101 1", "0 bid 102 1", "0 bid 103 1"]);
    assert_eq!((given.count("duplicate packets"), given.count("new counts")), (3, 0));
}

#[test]
fn a_packet_that_differs_by_line_is_said_and_the_first_is_kept() {
    let given = read(&[
        (A, packet(1, &[bid(1, 100)])),
        (B, packet(1, &[bid(1, 999)])),
        (A, packet(2, &[])),
    ]);
    assert_eq!(given.events, ["0 bid 100 1"]);
    assert_eq!(given.skipped, ["packet that differs from its other line's"]);
}

#[test]
fn damaged_packets_are_skipped_whole_and_the_other_line_has_them() {
    let good = packet(2, &[bid(2, 101)]);
    let mut cases: Vec<(&str, Vec<u8>)> = vec![
        ("packet shorter than its header", good[..11].to_vec()),
        ("bytes behind the last message", [&good[..], &[1, 2, 3]].concat()),
        ("message longer than its packet", good[..good.len() - 1].to_vec()),
    ];
    let mut short = good.clone();
    short[12..14].copy_from_slice(&9u16.to_le_bytes());
    cases.push(("message shorter than its header", short));
    let mut block = good.clone();
    block[14..16].copy_from_slice(&5_000u16.to_le_bytes());
    cases.push(("message shorter than its block", block));
    for (reason, bytes) in cases {
        let first = (A, packet(1, &[bid(1, 100)]));
        let given = read(&[first, (A, bytes), (B, good.clone()), (A, packet(3, &[bid(3, 102)]))]);
        assert_eq!(given.skipped, [reason]);
        assert_eq!(given.events, ["0 bid 100 1", "0 bid 101 1", "0 bid 102 1"], "{reason}");
    }
}

#[test]
fn a_damaged_message_changes_nothing_and_the_numbers_tell_whom_it_concerned() {
    let entry = level((101, 1), (ES, 2), (1, 0, b'0'));
    let of = |rest: &[u8]| message(46, 9, &root(0x84), rest);
    let whole = group(std::slice::from_ref(&entry));
    let cases = [
        ("group shorter than its header", of(&whole[..2])),
        ("group longer than its message", of(&whole[..whole.len() - 1])),
        ("group with entries of no bytes", of(&[0, 0, 200])),
        ("entry shorter than its fields", of(&group(&[entry[..26].to_vec()]))),
        ("message shorter than its fields", message(46, 9, &[1, 2], &whole)),
        ("group longer than its message", of(&[&whole[..], &[24, 0, 0, 0, 0, 0, 0, 9]].concat())),
        ("definition shorter than its fields", message(54, 9, &[0; 40], &[])),
        ("definition without a symbol", message(54, 9, &[0; 216], &[])),
        ("message shorter than its fields", message(30, 9, &[0; 12], &[])),
        ("message shorter than its fields", message(4, 9, &[], &[])),
        ("group longer than its message", message(47, 9, &root(0x80), &whole[..9])),
    ];
    for (reason, message) in cases {
        let first = (A, packet(1, &[bid(1, 100)]));
        let given = read(&[first, (A, packet(2, &[message])), (A, packet(3, &[bid(3, 102)]))]);
        assert_eq!(given.damaged, [reason]);
        let wanted = ["0 bid 100 1", "0 Clear", "0 Lost", "0 bid 102 1"];
        assert_eq!(given.events, wanted, "{reason}");
    }
}

#[test]
fn an_update_that_contradicts_its_book_loses_it() {
    let at = |price, qty, number, action| level((price, qty), (ES, 2), (number, action, b'0'));
    let mut huge = at(101, 1, 1, 0);
    huge[..8].copy_from_slice(&(i64::MAX - 1).to_le_bytes());
    let seven = message(32, 8, &root(0x84), &group(&[huge]));
    let mut null = at(0, 1, 1, 0);
    null[..8].copy_from_slice(&i64::MAX.to_le_bytes());
    let cases = [
        ("price out of range", seven),
        ("no price", book(&[null])),
        ("level number beyond the depth of the book", book(&[at(101, 1, 0, 0)])),
        ("level number beyond the depth of the book", book(&[at(101, 1, 11, 0)])),
        ("unknown update action", book(&[at(101, 1, 1, 6)])),
        ("level without a quantity", book(&[at(101, 0, 1, 0)])),
        ("level without a quantity", book(&[at(101, -5, 1, 0)])),
        ("level without a quantity", book(&[at(101, i32::MAX, 1, 0)])),
        ("new level at a price that has one", book(&[at(100, 1, 2, 0)])),
        ("price is not that of its level", book(&[at(101, 1, 1, 1)])),
        ("price is not that of its level", book(&[at(101, 1, 1, 2)])),
        ("price is that of another level", book(&[at(100, 1, 2, 5)])),
    ];
    for (reason, message) in cases {
        let first = (A, packet(1, &[bid(1, 100)]));
        let given = read(&[first, (A, packet(2, &[message, bid(3, 102)]))]);
        assert_eq!(given.damaged, [reason]);
        let wanted = ["0 bid 100 1", "0 Clear", "0 Lost", "0 bid 102 1"];
        assert_eq!(given.events, wanted, "{reason}");
        assert_eq!(given.count("contradictions"), 1);
    }
}

#[test]
fn an_update_that_could_not_be_applied_is_of_no_snapshot_before_it() {
    let bad = book(&[level((101, 1), (ES, 2), (1, 6, b'0'))]);
    let of = |packet_number, rpt_seq| {
        let snapshot = snapshot(ES, (packet_number, rpt_seq), &[(1, 100, 1, b'0')]);
        read(&[
            (A, packet(1, &[bid(1, 100)])),
            (SNAPSHOTS, packet(1, &[super_old()])),
            (A, packet(2, std::slice::from_ref(&bad))),
            (A, packet(3, &[bid(3, 102)])),
            (SNAPSHOTS, packet(2, &[snapshot])),
        ])
    };
    let lost = ["0 bid 100 1", "0 Clear", "0 Lost", "0 bid 102 1"];
    let built = ["0 Clear", "0 bid 100 1", "0 status 1", "0 Recovered", "0 bid 102 1"];
    let of_it = |given: &Given| -> Vec<String> {
        given.events.iter().filter(|event| event.starts_with('0')).cloned().collect()
    };
    assert_eq!(of_it(&of(1, 1)), lost);
    assert_eq!(of_it(&of(2, 2)), [&lost[..], &built].concat());
}

#[test]
fn other_schemas_are_counted_and_no_more() {
    let mut other = bid(2, 101);
    other[6..8].copy_from_slice(&2u16.to_le_bytes());
    let given = read(&[(A, packet(1, &[bid(1, 100)])), (A, packet(2, &[other]))]);
    assert_eq!((given.events.len(), given.counts.messages), (1, 2));
    assert_eq!(given.skipped, ["template that is not known"]);
}
