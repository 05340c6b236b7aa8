//! MoldUDP64 received: packets in order from two lines, gaps, requests, recovery and loss.

mod common;

use common::bench::{A, B, Bench, packet, with_count};
use feeds::moldudp64::*;
use market::Nanos;
use proptest::prelude::*;

#[test]
fn golden_packet_and_request() {
    let bytes = b"SESSION001\0\0\0\0\0\0\x01\x02\0\x02\0\x01a\0\x02bc";
    let parsed = Packet::parse(bytes).unwrap();
    assert_eq!((parsed.session, parsed.sequence), (Session(*b"SESSION001"), 258));
    assert_eq!((parsed.count, parsed.next(), parsed.kind), (2, 260, PacketKind::Messages));
    assert_eq!(parsed.messages().collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
    let request = Request { session: parsed.session, sequence: 258, count: 7 };
    assert_eq!(request.to_bytes(), *b"SESSION001\0\0\0\0\0\0\x01\x02\0\x07");
    assert_eq!(Request::from_bytes(&request.to_bytes()), Some(request));
    assert_eq!(Session::new("S1").unwrap().to_string(), "S1");
    assert_eq!(
        (Session::new(""), Session::new("12345678901"), Session::new("é")),
        (None, None, None)
    );
}

#[test]
fn the_first_copy_wins() {
    let mut bench = Bench::new(|_| {});
    assert_eq!(bench.take(B, &packet("S", 1, &["a", "b"])), ["1 a @9", "2 b @9", "next 3"]);
    assert_eq!(bench.take(A, &packet("S", 1, &["a", "b"])), [""; 0]);
    assert_eq!(bench.take(A, &packet("S", 3, &["c"])), ["3 c @9", "next 4"]);
    let counters = bench.receiver.counters();
    assert_eq!((counters.live[0].first, counters.live[0].duplicates), (1, 1));
    assert_eq!((counters.live[1].first, counters.messages, counters.mismatches), (1, 3, 0));
}

#[test]
fn what_one_line_lacks_the_other_brings() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a"]));
    assert_eq!(bench.take(A, &packet("S", 3, &["c"])), [""; 0]);
    assert_eq!(bench.poll(499), (None, vec![]));
    assert_eq!(bench.take(B, &packet("S", 2, &["b"])), ["2 b @9", "next 3"]);
    assert!(bench.receiver.pending());
    assert_eq!(bench.drain(10), ["3 c @9", "next 4"]);
    assert_eq!(bench.poll(10_000), (None, vec![]));
    assert_eq!((bench.receiver.counters().gaps, bench.receiver.counters().early), (0, 1));
}

#[test]
fn a_gap_is_declared_requested_and_recovered() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a"]));
    bench.take(A, &packet("S", 4, &["d"]));
    assert_eq!(bench.poll(500), (Some((2, 2)), vec!["gap 2+2".to_owned()]));
    assert!(bench.receiver.in_gap());
    assert_eq!(bench.poll(999), (None, vec![]));
    let answer = packet("S", 2, &["b", "c"]);
    assert_eq!(bench.take(Line::Retransmission, &answer), ["2 b @9", "3 c @9", "next 4"]);
    // The books are whole only when what was kept has been applied too.
    assert_eq!(bench.drain(1), ["4 d @9", "next 5", "recovered"]);
    let counters = bench.receiver.counters();
    assert_eq!((counters.gaps, counters.requests, counters.requested), (1, 1, 2));
    assert_eq!((counters.recovered, counters.lost), (2, 0));
}

#[test]
fn an_answer_shorter_than_asked_is_asked_on_at_once() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 31, &["x"]));
    assert_eq!(bench.poll(500), (Some((1, 10)), vec!["gap 1+30".to_owned()]));
    bench.take(Line::Retransmission, &packet("S", 1, &["a", "b", "c"]));
    assert_eq!(bench.poll(0), (Some((4, 10)), vec![]));
    bench.take(Line::Retransmission, &packet("S", 4, &["d"; 9]));
    assert_eq!(bench.poll(0), (Some((13, 10)), vec![]));
    bench.take(Line::Retransmission, &packet("S", 13, &["e"; 10]));
    assert_eq!(bench.poll(0), (Some((23, 8)), vec![]));
}

#[test]
fn a_silent_server_is_asked_again_and_then_the_gap_is_lost() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a"]));
    bench.take(A, &packet("S", 3, &["c"]));
    assert_eq!(bench.poll(500).0, Some((2, 1)));
    assert_eq!(bench.poll(1000), (Some((2, 1)), vec![]));
    assert_eq!(bench.poll(999), (None, vec![]));
    assert_eq!(bench.poll(1), (None, vec!["lost 2+1".to_owned()]));
    assert!(!bench.receiver.in_gap());
    assert_eq!(bench.drain(1), ["3 c @9", "next 4"]);
    assert_eq!(bench.receiver.counters().lost, 1);
    // Late is late.
    assert_eq!(bench.take(B, &packet("S", 2, &["b"])), [""; 0]);
}

#[test]
fn without_a_server_a_gap_is_lost_after_the_wait() {
    let mut bench = Bench::new(|config| config.requests.tries = 0);
    bench.take(A, &packet("S", 3, &["c"]));
    let said = vec!["gap 1+2".to_owned(), "lost 1+2".to_owned()];
    assert_eq!(bench.poll(500), (None, said));
    assert_eq!(bench.drain(1), ["3 c @9", "next 4"]);
}

#[test]
fn two_holes_are_filled_one_after_the_other() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 2, &["b"]));
    bench.take(A, &packet("S", 4, &["d"]));
    assert_eq!(bench.poll(500), (Some((1, 1)), vec!["gap 1+1".to_owned()]));
    bench.take(Line::Retransmission, &packet("S", 1, &["a"]));
    assert_eq!(bench.poll(0), (None, vec![]), "kept packets come first");
    assert_eq!(bench.drain(8), ["2 b @9", "next 3"]);
    assert_eq!(bench.poll(0), (Some((3, 1)), vec![]), "the books are still in the gap");
    assert_eq!(bench.take(Line::Retransmission, &packet("S", 3, &["c"])), ["3 c @9", "next 4"]);
    assert_eq!(bench.drain(8), ["4 d @9", "next 5", "recovered"]);
}

#[test]
fn a_late_start_begins_at_the_first_or_the_current_message() {
    let mut bench = Bench::new(|config| config.arbitration_wait = Nanos::ZERO);
    assert_eq!(bench.take(A, &packet("S", 6, &["f"])), ["gap 1+5"]);
    assert_eq!(bench.poll(0).0, Some((1, 5)));
    let mut bench = Bench::new(|config| config.start = Start::FromCurrent);
    assert_eq!(bench.take(A, &packet("S", 6, &["f"])), ["6 f @9", "next 7"]);
}

#[test]
fn drain_gives_no_more_packets_than_asked() {
    let mut bench = Bench::new(|_| {});
    for (sequence, message) in [(2, "b"), (3, "c"), (4, "d")] {
        bench.take(A, &packet("S", sequence, &[message]));
    }
    bench.take(A, &packet("S", 1, &["a"]));
    assert_eq!(bench.drain(2), ["2 b @9", "next 3", "3 c @9", "next 4"]);
    assert!(bench.receiver.pending());
    assert_eq!(bench.drain(2), ["4 d @9", "next 5"]);
    assert!(!bench.receiver.pending());
}

#[test]
fn a_full_stash_keeps_what_is_needed_first() {
    let mut bench = Bench::new(|_| {});
    for sequence in [9, 8, 7, 6, 5] {
        bench.take(A, &packet("S", sequence, &["x"]));
    }
    bench.take(A, &packet("S", 10, &["x"]));
    bench.take(A, &packet("S", 3, &[&"long".repeat(30)]));
    assert_eq!(bench.receiver.counters().stash_full, 3);
    bench.take(A, &packet("S", 1, &["a", "b", "c", "d"]));
    assert_eq!(bench.drain(8).len(), 8, "5 to 8 were kept");
    assert_eq!(bench.poll(500), (Some((9, 2)), vec!["gap 9+2".to_owned()]));
}

#[test]
fn heartbeats_reveal_a_loss_at_the_end() {
    let mut bench = Bench::new(|_| {});
    assert_eq!(bench.take(A, &packet("S", 1, &[])), [""; 0]);
    bench.take(A, &packet("S", 1, &["a"]));
    assert_eq!(bench.take(A, &packet("S", 2, &[])), [""; 0]);
    assert_eq!(bench.poll(10_000), (None, vec![]));
    bench.take(A, &packet("S", 4, &[]));
    assert_eq!(bench.poll(500), (Some((2, 2)), vec!["gap 2+2".to_owned()]));
    let answer = packet("S", 2, &["b", "c"]);
    let said = bench.take(Line::Retransmission, &answer);
    assert_eq!(said, ["2 b @9", "3 c @9", "next 4", "recovered"]);
    assert_eq!(bench.receiver.counters().live[0].heartbeats, 3);
}

#[test]
fn the_end_of_session_is_told_once_and_after_its_last_message() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a"]));
    let end = with_count(packet("S", 3, &[]), END_OF_SESSION);
    assert_eq!(bench.take(A, &end), [""; 0]);
    assert_eq!(bench.take(B, &packet("S", 2, &["b"])), ["2 b @9", "next 3", "end"]);
    assert_eq!(bench.take(B, &end), [""; 0]);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        feeds::fuzz::packet(&bytes);
        feeds::fuzz::receiver(&bytes);
    }

    /// Mostly good packets, a little ahead, behind or overlapping, on any line, at any time.
    #[test]
    fn messages_come_in_sequence_each_once(
        steps in prop::collection::vec((0..8u8, 0..3u8, 1..30u64, 0..4usize), 0..100),
    ) {
        let mut bytes = Vec::new();
        for (step, session, sequence, count) in steps {
            // Rarely another session.
            let session = ["S1", "S1", "S2"][usize::from(session)];
            let packet = packet(session, sequence, &["m"; 4][..count]);
            bytes.extend([step, packet.len() as u8]);
            bytes.extend(packet);
        }
        feeds::fuzz::receiver(&bytes);
        feeds::fuzz::feed(&bytes);
    }
}
