//! MDP 3.0 in a capture: which feed each line is of, whatever comes on it first.

mod common;

use common::mdp3::*;
use common::packets::Way;
use feeds::recording::Options;

/// Recovery and definitions as CME sends them: on the port of line A, at other addresses.
const RECOVERY: Way = Way(22, A.1);
const DEFINITIONS: Way = Way(43, A.1);

fn heartbeat(sequence: u32) -> Vec<u8> {
    packet(sequence, &[message(12, 9, &[], &[])])
}

/// A day of lines A and B, 10 ms apart, and of its snapshots.
fn day() -> Vec<(u64, Way, Vec<u8>)> {
    let mut all = Vec::new();
    for n in 1..=100 {
        let bytes = packet(n, &[bid(n, 100 + i64::from(n))]);
        let at = 100 + 10 * u64::from(n);
        all.extend([(at, A, bytes.clone()), (at, B, bytes)]);
        if n % 20 == 5 {
            let levels = [(1, 100 + i64::from(n), 1, b'0')];
            all.push((at + 1, RECOVERY, packet(1, &[snapshot(ES, (n, n), &levels)])));
        }
    }
    all
}

/// CME sends heartbeats on all feeds before a week begins.
#[test]
fn heartbeats_say_of_no_line_what_it_is() {
    let plain = read_with(&day(), Options::default());
    assert_eq!((plain.count("channels"), plain.count("duplicate packets")), (1, 100));
    assert_eq!(plain.gaps, []);
    let first = [(0, RECOVERY, heartbeat(1)), (1, DEFINITIONS, heartbeat(1))];
    let mut definitions = vec![(2, DEFINITIONS, packet(2, &[future(ES, "ESZ6", 10)]))];
    definitions.push((3, RECOVERY, heartbeat(2)));
    for then in [&[][..], &definitions] {
        let given = read_with(&[&first, then, &day()].concat(), Options::default());
        let wanted = read_with(&[then, &day()].concat(), Options::default());
        assert_eq!(given.events, wanted.events);
        for name in ["channels", "packets in sequence", "duplicate packets", "old updates"] {
            assert_eq!(given.count(name), wanted.count(name), "{name}");
        }
        assert_eq!((given.count("new counts"), given.gaps), (0, vec![]));
    }
}

#[test]
fn behind_heartbeats_of_other_feeds_each_line_fills_the_others_gaps() {
    let mut packets = day();
    packets.retain(|(_, to, bytes)| to.1 != A.1 || to.0 != A.0 || !(41..43).contains(&bytes[0]));
    packets.retain(|(_, to, bytes)| to.1 != B.1 || !(71..73).contains(&bytes[0]));
    let first = [(0, RECOVERY, heartbeat(1)), (1, DEFINITIONS, heartbeat(1))];
    let given = read_with(&[&first[..], &packets].concat(), Options::default());
    assert_eq!(given.gaps, []);
    assert_eq!(given.events, read_with(&day(), Options::default()).events);
}

/// A heartbeat of a channel has a number of it.
#[test]
fn what_is_missing_behind_a_first_heartbeat_is_a_gap_unless_the_other_line_has_it() {
    let update = |n| packet(n, &[bid(1, 100)]);
    let start = [(0, A, heartbeat(7)), (1, B, heartbeat(7)), (2, A, update(9))];
    let lost = read_with(&[&start[..], &[(200, A, heartbeat(10))]].concat(), Options::default());
    assert_eq!(lost.gaps, [("channel 233.54.12.11:14320".to_owned(), 8, 1)]);
    // On line B, it is the last heartbeat before it is known what that is.
    let more = [(3, B, heartbeat(8)), (4, B, update(9)), (5, A, heartbeat(10))];
    let given = read_with(&[&start[..], &more].concat(), Options::default());
    assert_eq!((given.count("packets in sequence"), given.gaps), (4, vec![]));
    assert_eq!(given.events, ["0 bid 100 1"]);
}

/// Two channels may have the same ports: line B is that of the channel whose packets it has.
#[test]
fn a_line_is_tied_to_the_channel_that_is_nearest() {
    let (a, b) = (Way(12, A.1), Way(112, B.1));
    let of = |n: u32, security| {
        let update = book(&[level((100 + i64::from(n), 1), (security, n), (1, 0, b'0'))]);
        packet(if security == ES { n } else { 9_000 + n }, &[update])
    };
    let lines = [(A, ES), (a, NQ), (b, NQ), (B, ES)];
    let packets: Vec<_> =
        (1..50).flat_map(|n| lines.map(|(to, security)| (to, of(n, security)))).collect();
    let given = read(&packets);
    assert_eq!((given.count("channels"), given.count("duplicate packets")), (2, 98));
    assert_eq!((given.count("new counts"), given.gaps), (0, vec![]));
}

/// What a heartbeat that was kept tells is given, though the packet behind it has to wait.
#[test]
fn a_heartbeat_that_was_kept_may_begin_a_new_count() {
    let later = |n: u32, message| sent(n, OPEN + 60_000_000_000 + u64::from(n), &[message]);
    let packets = [
        (A, packet(100, &[bid(1, 100)])),
        (B, later(1, message(12, 9, &[], &[]))),
        (B, later(3, bid(2, 51))),
        (B, later(2, bid(1, 50))),
    ];
    let given = read(&packets);
    assert_eq!((given.count("new counts"), given.count("packets in sequence")), (1, 4));
    assert_eq!(given.events, ["0 bid 100 1", "0 Reset", "0 bid 50 1", "0 bid 51 1"]);
}
