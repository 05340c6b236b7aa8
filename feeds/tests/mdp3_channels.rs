//! MDP 3.0 by level: what is lost, or begins anew, concerns every book that may be of the channel.

mod common;

use common::mdp3::*;
use common::packets::Way;
use feeds::recording::Options;

/// NQ of channel A, and ES that only a snapshot has told of.
fn start() -> Vec<(u64, Way, Vec<u8>)> {
    let nq = book(&[level((7, 1), (NQ, 1), (1, 0, b'1'))]);
    vec![(0, A, packet(1, &[nq])), (1, SNAPSHOTS, packet(1, &[of_es(1, 33)]))]
}

fn of_es(packet_number: u32, rpt_seq: u32) -> Vec<u8> {
    snapshot(ES, (packet_number, rpt_seq), &[(1, 100, 5, b'0')])
}

const NQ_FIRST: &str = "0 ask 7 1";
const OF_ES: [&str; 4] = ["1 Clear", "1 bid 100 5", "1 status 1", "1 Recovered"];

/// The events behind those of the start.
fn after(then: &[(u64, Way, Vec<u8>)]) -> Vec<String> {
    let given = read_with(&[&start(), then].concat(), Options::default());
    assert_eq!(given.events[0], NQ_FIRST);
    assert_eq!(given.events[1..5], OF_ES);
    given.events[5..].to_vec()
}

#[test]
fn a_book_that_only_a_snapshot_told_of_is_doubted_by_a_loss_of_any_channel() {
    let lost = [(2, A, packet(3, &[])), (200, A, packet(4, &[]))];
    let then = |(to, bytes)| after(&[&lost[..], &[(201, to, bytes)]].concat());
    let doubted = ["0 Gap", "1 Gap"];
    let next = then((A, packet(5, &[bid(34, 101)])));
    assert_eq!(next, [&doubted[..], &["1 Recovered", "1 bid 101 1"]].concat());
    let jump = then((A, packet(5, &[bid(35, 101)])));
    assert_eq!(jump, [&doubted[..], &["1 Clear", "1 Lost", "1 bid 101 1"]].concat());
    // A snapshot must hold what was lost.
    assert_eq!(then((SNAPSHOTS, packet(2, &[of_es(1, 33)]))), doubted);
    let behind = then((SNAPSHOTS, packet(2, &[of_es(2, 34)])));
    assert_eq!(behind, [&doubted[..], &OF_ES].concat());
}

#[test]
fn a_channel_reset_loses_a_book_whose_channel_is_not_known() {
    let old_nq = snapshot(NQ, (1, 1), &[(1, 7, 1, b'1')]);
    let then = [
        (2, A, packet(2, &[channel_reset()])),
        // Of before, when the book of NQ was not empty.
        (3, SNAPSHOTS, packet(2, &[old_nq])),
        (4, SNAPSHOTS, packet(3, &[of_es(2, 40)])),
        (5, A, packet(3, &[book(&[level((8, 1), (NQ, 9), (1, 0, b'1'))]), bid(41, 101)])),
    ];
    let reset = ["0 Clear", "1 Clear", "1 Lost"];
    assert_eq!(after(&then), [&reset[..], &OF_ES, &["0 ask 8 1", "1 bid 101 1"]].concat());
    // The numbers of ES may begin anew with it.
    let mut then = then[..1].to_vec();
    then.push((3, A, packet(3, &[bid(5, 101)])));
    then.push((4, SNAPSHOTS, packet(2, &[of_es(3, 5)])));
    assert_eq!(after(&then), [&reset[..], &["1 bid 101 1"], &OF_ES].concat());
}

#[test]
fn what_is_lost_behind_a_channel_reset_is_missed() {
    let then = |rpt_seq| {
        let packets = [
            (0, A, packet(1, &[bid(1, 100)])),
            (1, A, packet(2, &[channel_reset()])),
            (2, A, packet(4, &[])),
            (200, A, packet(5, &[bid(rpt_seq, 101)])),
            (201, SNAPSHOTS, packet(1, &[of_es(5, rpt_seq)])),
        ];
        read_with(&packets, Options::default()).events[3..].to_vec()
    };
    assert_eq!(then(1), ["0 Recovered", "0 bid 101 1"]);
    let built = ["0 Clear", "0 bid 100 5", "0 status 1", "0 Recovered"];
    assert_eq!(then(5), [&["0 Lost", "0 bid 101 1"], &built[..]].concat());
}

fn of_nq(rpt_seq: u32) -> Vec<u8> {
    book(&[level((7 + i64::from(rpt_seq), 1), (NQ, rpt_seq), (1, 0, b'1'))])
}

/// Events of ES, which is the second, if any.
fn of_second(packets: &[(u64, Way, Vec<u8>)], by_order: bool) -> Vec<String> {
    let given = read_with(packets, Options { by_order, ..Options::default() });
    given.events.into_iter().filter(|event| event.starts_with('1')).collect()
}

/// Of which channel a security is that nothing was heard of, nobody knows.
#[test]
fn a_snapshot_of_before_a_loss_begins_no_book() {
    let lost = [
        (0, A, packet(1, &[of_nq(1)])),
        (1, A, packet(3, &[])),
        // Another channel has other numbers, and lost nothing.
        (1, Way(77, 900), packet(90_000, &[])),
        (200, A, packet(4, &[])),
    ];
    let then = |number| {
        let snapshot = [(201, SNAPSHOTS, packet(1, &[of_es(number, 33)]))];
        of_second(&[&lost[..], &snapshot].concat(), false)
    };
    assert_eq!(then(1), [""; 0]);
    assert_eq!(then(2), OF_ES);
    let snapshot = [(2, SNAPSHOTS, packet(1, &[of_es(1, 33)]))];
    assert_eq!(of_second(&[&lost[..1], &lost[2..3], &snapshot].concat(), false), OF_ES);
}

#[test]
fn a_snapshot_of_before_a_channel_reset_begins_no_book() {
    let reset = [(0, A, packet(5, &[of_nq(1)])), (1, A, packet(6, &[channel_reset()]))];
    for (number, begun) in [(5, false), (6, true)] {
        let snapshot = [(2, SNAPSHOTS, packet(1, &[of_es(number, 33)]))];
        let events = of_second(&[&reset[..], &snapshot].concat(), false);
        assert_eq!(!events.is_empty(), begun, "{number}");
        let rows = [(9, (90, 5), 100, b'0')];
        let snapshot = [(2, SNAPSHOTS, packet(1, &[order_snapshot(ES, number, (1, 1), &rows)]))];
        let events = of_second(&[&reset[..], &snapshot].concat(), true);
        assert_eq!(!events.is_empty(), begun, "{number}");
    }
}

/// Numbers began anew without a word: what was sent before that is of another day, whatever its number.
#[test]
fn a_snapshot_that_was_sent_before_numbers_began_anew_is_refused() {
    let later = OPEN + 60_000_000_000;
    let start = [
        (0, A, sent(500, OPEN, &[of_nq(8)])),
        (1, A, sent(501, OPEN + 1, &[of_nq(9)])),
        (60_000, A, sent(1, later, &[])),
    ];
    let rows = [(9, (90, 5), 100, b'0')];
    let old_nq = snapshot(NQ, (501, 9), &[(1, 16, 1, b'1')]);
    for (time, begun) in [(OPEN + 2, false), (later + 2, true)] {
        for (of_es, by_order) in
            [(of_es(501, 33), false), (order_snapshot(ES, 501, (1, 1), &rows), true)]
        {
            let then = [(60_001, SNAPSHOTS, sent(1, time, &[of_es]))];
            let events = of_second(&[&start[..], &then].concat(), by_order);
            assert_eq!(!events.is_empty(), begun, "{events:?}");
        }
        // Its channel is known, and an update of the new count came or did not.
        let more = (60_001, A, sent(2, later + 1, &[of_nq(5)]));
        for between in [&[][..], &[more]] {
            let then = [(60_002, SNAPSHOTS, sent(1, time, std::slice::from_ref(&old_nq)))];
            let given = read_with(&[&start[..], between, &then].concat(), Options::default());
            assert_eq!(given.events.contains(&"0 Recovered".to_owned()), begun, "{given:?}");
        }
    }
}

/// One wrong time must not make all that comes seem to be of before.
#[test]
fn a_packet_from_the_future_hides_no_loss_and_no_new_count() {
    let start = [(A, packet(1, &[bid(1, 100)])), (A, sent(2, u64::MAX, &[bid(2, 101)]))];
    let then = |packets: std::ops::Range<u32>| {
        let packets = packets.map(|n| (A, packet(n, &[bid(n, 100 + i64::from(n))])));
        let given = read(&start.iter().cloned().chain(packets).collect::<Vec<_>>());
        given.events.iter().filter(|event| *event == "0 Lost" || *event == "0 Reset").count()
    };
    assert_eq!(then(3..400), 0);
    // Packet 3 is missing.
    assert_eq!(then(4..400), 1);
    let later = OPEN + 60_000_000_000;
    let anew = (0..300).map(|n| (A, sent(1 + n % 2, later + u64::from(n), &[bid(1 + n, 50)])));
    let given = read(&start.iter().cloned().chain(anew).collect::<Vec<_>>());
    assert!(given.events.contains(&"0 Reset".to_owned()), "{given:?}");
}

/// Line B behind line A instead of beside it, and a capture that overlaps the one before: nothing is
/// told twice, and no book is lost.
#[test]
fn what_was_taken_and_stands_behind_in_the_capture_is_no_new_count() {
    let of = |line, numbers: std::ops::Range<u32>| {
        numbers.map(move |n| (u64::from(n), line, packet(n, &[bid(n, 100 + i64::from(n))])))
    };
    for behind in [of(B, 1..3_000), of(A, 1_000..3_200), of(B, 1_000..3_200)] {
        let packets: Vec<_> = of(A, 1..3_000).chain(behind).collect();
        let last = packets.last().unwrap().0;
        let given = read_with(&packets, Options::default());
        assert_eq!(given.count("packets in sequence"), last);
        let once: Vec<_> = of(A, 1..3_200).take(usize::try_from(last).unwrap()).collect();
        assert!(given.events == read_with(&once, Options::default()).events);
    }
}
