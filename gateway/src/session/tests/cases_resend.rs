//! Resends, gap fills and resets, by the names of the published session test cases.

use super::harness::{Bench, LOGON, Pipe, texts};
use crate::session::{Disconnect, Resend, SessionConfig, Store};
use market::Nanos;

#[test]
fn case_8_session_messages_only_are_gap_filled() {
    let mut bench = Bench::acceptor_up();
    for _ in 0..3 {
        bench.wait(Nanos::from_secs(30)).unwrap();
        let seq = bench.next_incoming();
        bench.give("0", seq, "").unwrap();
    }
    bench.sent();
    let seq = bench.next_incoming();
    bench.give("2", seq, "7=1|16=0|").unwrap();
    assert_eq!(bench.sent(), ["4 1 43=Y|36=5|123=Y"]);
}

#[test]
fn case_8_application_messages_are_sent_again_with_both_times() {
    let mut bench = Bench::acceptor_up();
    bench.send("one");
    bench.send("two");
    bench.out.bytes.clear();
    bench.now = bench.now.after(Nanos::from_secs(1));
    bench.give("2", 2, "7=2|16=3|").unwrap();
    let bytes = bench.out.bytes.clone();
    assert_eq!(texts(&bytes), ["8 2 43=Y|58=one", "8 3 43=Y|58=two"]);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(
        "\x0143=Y\x0149=US\x0152=20250717-13:16:41.000\x0156=THEM\x01122=20250717-13:16:40.000\x01"
    ));
}

#[test]
fn case_8_mixed() {
    let mut bench = Bench::acceptor_up();
    bench.send("one");
    bench.give("1", 2, "112=x|").unwrap();
    bench.give("D", 3, "58=refuse|").unwrap();
    bench.send("two");
    bench.give("1", 4, "112=y|").unwrap();
    bench.sent();
    bench.give("2", 5, "7=1|16=0|").unwrap();
    let reject = "58=Value is incorrect (out of range) for this tag|371=44|372=D|373=5";
    assert_eq!(
        bench.sent(),
        [
            "4 1 43=Y|36=2|123=Y".to_owned(),
            "8 2 43=Y|58=one".to_owned(),
            "4 3 43=Y|36=4|123=Y".to_owned(),
            format!("3 4 43=Y|45=3|{reject}"),
            "8 5 43=Y|58=two".to_owned(),
            "4 6 43=Y|36=7|123=Y".to_owned(),
        ],
        "a Reject is the one session message that is sent again"
    );
}

#[test]
fn stale_orders_are_never_sent_again() {
    let mut bench = Bench::initiator_up();
    assert_eq!(bench.session.config().resend, Resend::GapFillOrders);
    for text in ["a", "b", "c"] {
        bench.send(text);
    }
    bench.sent();
    bench.give("2", 2, "7=2|16=0|").unwrap();
    assert_eq!(bench.sent(), ["4 2 43=Y|36=5|123=Y"]);
}

#[test]
fn a_part_of_the_past() {
    let mut bench = Bench::acceptor_up();
    for text in ["a", "b", "c"] {
        bench.send(text);
    }
    bench.sent();
    bench.give("2", 2, "7=3|16=3|").unwrap();
    assert_eq!(bench.sent(), ["8 3 43=Y|58=b"]);
    bench.give("2", 3, "7=4|16=999999|").unwrap();
    assert_eq!(bench.sent(), ["8 4 43=Y|58=c"]);
}

#[test]
fn resend_requests_that_make_no_sense() {
    for (body, tag) in [
        ("7=0|16=0|", 7),
        ("7=9|16=0|", 7),
        ("7=18446744073709551615|16=0|", 7),
        ("7=2|16=1|", 16),
        ("16=0|", 7),
        ("7=1|", 16),
        ("7=x|16=0|", 7),
    ] {
        let mut bench = Bench::acceptor_up();
        bench.send("one");
        bench.sent();
        bench.give("2", 2, body).unwrap();
        let sent = bench.sent();
        assert_eq!(sent.len(), 1, "{body}: {sent:?}");
        assert!(sent[0].starts_with("3 3 45=2|"), "{sent:?}");
        assert!(sent[0].contains(&format!("|371={tag}|372=2|373=")), "{sent:?}");
    }
}

#[test]
fn case_10_gap_fill_equal_greater_and_less() {
    let mut bench = Bench::acceptor_up();
    bench.give("4", 2, "123=Y|36=20|").unwrap();
    assert_eq!(bench.next_incoming(), 20);
    // Ahead of sequence: a gap like any other.
    bench.give("4", 30, "123=Y|36=40|").unwrap();
    assert_eq!((bench.sent(), bench.next_incoming()), (vec!["2 2 7=20|16=0".to_owned()], 20));
    bench.give("4", 20, "43=Y|123=Y|36=40|").unwrap();
    assert_eq!(bench.next_incoming(), 40);
    // NewSeqNo that does not move on.
    bench.give("4", 40, "123=Y|36=40|").unwrap();
    assert!(bench.sent()[0].contains("|372=4|373=5"));
    assert_eq!(bench.next_incoming(), 41);
    // Behind sequence: ignored as a duplicate, the end without.
    bench.give("4", 7, "43=Y|123=Y|36=99|").unwrap();
    assert_eq!(bench.next_incoming(), 41);
    let low = Disconnect::TooLow { expected: 41, received: 7 };
    assert_eq!(bench.give("4", 7, "123=Y|36=99|"), Err(low));
}

#[test]
fn case_11_sequence_reset() {
    let mut bench = Bench::acceptor_up();
    // 11a: up, whatever its own number; with and without the flag.
    bench.give("4", 2, "36=20|").unwrap();
    assert_eq!(bench.next_incoming(), 20);
    bench.give("4", 1, "123=N|36=30|").unwrap();
    assert_eq!(bench.next_incoming(), 30);
    // 11b: to where we are.
    bench.give("4", 999, "123=N|36=30|").unwrap();
    assert_eq!((bench.next_incoming(), bench.sent()), (30, vec![]));
    // 11c: down.
    bench.give("4", 1, "123=N|36=5|").unwrap();
    assert!(
        bench.sent()[0]
            .starts_with("3 2 45=1|58=Value is incorrect (out of range) for this tag|372=4|373=5")
    );
    assert_eq!(bench.next_incoming(), 30);
    // The same under the awaited number.
    bench.give("4", 30, "123=N|36=5|").unwrap();
    assert!(bench.sent()[0].starts_with("3 3 45=30|58=Value is incorrect"));
    assert_eq!(bench.next_incoming(), 30);
    bench.give("4", 1, "123=N|").unwrap();
    assert!(bench.sent()[0].starts_with("3 4 45=1|58=Required tag missing|371=36|372=4|373=1"));
    // So far up that numbers would run out.
    for flag in ["Y", "N"] {
        bench.give("4", bench.next_incoming(), &format!("123={flag}|36={}|", u64::MAX)).unwrap();
        assert!(bench.sent()[0].contains("|372=4|373=5"));
    }
}

#[test]
fn sequence_reset_ends_a_gap() {
    let mut bench = Bench::acceptor();
    bench.give("A", 7, LOGON).unwrap();
    bench.give("4", 8, "123=N|36=9|").unwrap();
    assert!(!bench.session.is_recovering());
    assert_eq!(bench.app.ups, 1);
}

#[test]
fn a_reset_below_what_opened_the_gap_ends_it_too() {
    // To the awaited number as well: numbers go on there.
    for next in [5, 2] {
        let mut bench = Bench::initiator_up();
        bench.give("8", 9, "58=before|").unwrap();
        assert_eq!(bench.sent(), ["2 2 7=2|16=0"]);
        let body = format!("43=Y|122={}|36={next}|", bench.stamp());
        bench.give("4", 5, &body).unwrap();
        assert!(!bench.session.is_recovering() && !bench.session.holds_messages());
        assert_eq!((bench.next_incoming(), bench.app.ups), (next, 2), "the application asks");
        let expected: Vec<_> = (next..=9).map(|seq| format!("{seq} 8 after")).collect();
        (next..=9).for_each(|seq| bench.give("8", seq, "58=after|").unwrap());
        assert_eq!(bench.app.messages, expected, "nothing of before stands in for them");
        bench.wait(Nanos::from_secs(31)).unwrap();
    }
    // Nothing was missing: there is nothing to ask.
    let mut bench = Bench::initiator_up();
    bench.give("4", 2, "36=2|").unwrap();
    assert_eq!(bench.app.ups, 1);
    // Nor will what a Logout waited for.
    bench.give("5", 7, "").unwrap();
    assert_eq!(bench.give("4", 2, "36=4|"), Err(Disconnect::PeerLogout));
}

#[test]
fn case_20_both_sides_ask_at_once() {
    let mut bench = Bench::acceptor_up();
    bench.send("lost");
    bench.sent();
    // Their request comes ahead of sequence: it is answered before ours is sent.
    bench.give("2", 5, "7=2|16=0|").unwrap();
    assert_eq!(bench.sent(), ["8 2 43=Y|58=lost", "2 3 7=2|16=0"]);
    bench.give("4", 2, "43=Y|123=Y|36=6|").unwrap();
    assert!(!bench.session.is_recovering());
}

#[test]
fn messages_recorded_while_down_are_asked_for_at_the_next_logon() {
    let mut bench = Bench::acceptor_up();
    bench.disconnect();
    assert_eq!(bench.send("fill"), 2);
    bench.connect().unwrap();
    assert_eq!(bench.send("cancel"), 3);
    assert!(bench.sent().is_empty());
    bench.give("A", 2, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 4 98=0|108=30"]);
    bench.give("2", 3, "7=2|16=0|").unwrap();
    assert_eq!(bench.sent(), ["8 2 43=Y|58=fill", "8 3 43=Y|58=cancel", "4 4 43=Y|36=5|123=Y"]);
}

/// Polls until nothing more comes; gives everything that was sent.
fn drain(bench: &mut Bench) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..10_000 {
        all.extend(bench.sent());
        if !bench.session.poll(bench.now, &mut bench.out).unwrap() {
            return all;
        }
    }
    panic!("the resend does not end");
}

#[test]
fn a_long_resend_waits_for_room_and_nothing_overtakes_it() {
    let mut bench = Bench::acceptor_up();
    for i in 0..300 {
        bench.send(&format!("r{i}"));
    }
    bench.sent();
    bench.out = Pipe { bytes: Vec::new(), limit: 1500 };
    bench.give("2", 2, "7=1|16=0|").unwrap();
    let mut all = bench.sent();
    assert!(all.len() < 20, "bounded by the room");
    // Live traffic in the middle: recorded, sent when its turn comes.
    assert_eq!(bench.send("live 1"), 302);
    bench.give("1", 3, "112=now|").unwrap();
    assert_eq!(bench.send("live 2"), 304);
    all.extend(drain(&mut bench));
    assert_eq!(all[0], "4 1 43=Y|36=2|123=Y");
    for (i, text) in all[1..301].iter().enumerate() {
        assert_eq!(text, &format!("8 {} 43=Y|58=r{i}", i + 2));
    }
    assert_eq!(all[301..], ["8 302 58=live 1", "0 303 112=now", "8 304 58=live 2"]);
    assert_eq!(bench.send("after"), 305);
    assert_eq!(bench.sent(), ["8 305 58=after"]);
}

#[test]
fn a_second_request_during_a_resend_loses_nothing_of_the_first() {
    let mut bench = Bench::acceptor_up();
    for i in 0..100 {
        bench.send(&format!("r{i}"));
    }
    bench.sent();
    bench.out = Pipe { bytes: Vec::new(), limit: 1200 };
    bench.give("2", 2, "7=2|16=0|").unwrap();
    bench.send("live");
    let mut all = bench.sent();
    assert!(all.len() < 20, "bounded by the room");
    bench.give("2", 3, "7=100|16=0|").unwrap();
    all.extend(drain(&mut bench));
    let again = |i: usize| format!("8 {} 43=Y|58=r{i}", i + 2);
    let mut expected: Vec<_> = (0..100).map(again).collect();
    expected.push("8 102 58=live".to_owned());
    assert_eq!(all, expected);
}

#[test]
fn requests_in_parts_that_come_together_are_answered_whole() {
    let mut bench = Bench::acceptor_up();
    for i in 2..=200 {
        bench.send(&format!("r{i}"));
    }
    bench.sent();
    let mut both = bench.message("2", 2, "7=2|16=100|");
    both.extend(bench.message("2", 3, "7=101|16=200|"));
    bench.give_raw(&both).unwrap();
    let expected: Vec<_> = (2..=200).map(|i| format!("8 {i} 43=Y|58=r{i}")).collect();
    assert_eq!(drain(&mut bench), expected);
    // A later part first: the resend goes back, and on to the end of both.
    let mut both = bench.message("2", 4, "7=101|16=200|");
    both.extend(bench.message("2", 5, "7=2|16=3|"));
    bench.give_raw(&both).unwrap();
    let all = drain(&mut bench);
    assert_eq!(all[64..], expected, "64 of the first, then all");
}

#[test]
fn a_peer_that_sends_a_resend_back_forever_is_logged_out() {
    let mut bench = Bench::acceptor_up();
    for i in 0..400 {
        bench.send(&format!("r{i}"));
    }
    bench.sent();
    bench.give("2", 2, "7=1|16=0|").unwrap();
    let (mut seq, mut answers) = (3, 0);
    let why = loop {
        match bench.give("2", seq, "7=1|16=1|") {
            Ok(()) => seq += 1,
            Err(why) => break why,
        }
        answers += bench.sent().len();
        assert!(seq < 10_000, "it never ends");
    };
    assert_eq!(why, Disconnect::ResendLoop);
    assert!(answers < 16 * 401 + 4_096 + 401, "{answers}");
}

/// A kill comes while orders are sent again, and others wait behind them.
#[test]
fn orders_that_are_withheld_do_not_leave_behind_a_resend_either() {
    let mut bench = resending_orders();
    assert_eq!(bench.send_as(b"D", "waits"), 42);
    bench.give("1", 3, "112=now|").unwrap();
    assert_eq!(bench.send_as(b"G", "waits too"), 44);
    let before = bench.sent();
    let again: Vec<_> = (0..before.len()).map(|i| format!("D {} 43=Y|58=r{i}", i + 2)).collect();
    assert_eq!(before, again);
    bench.session.withhold_orders();
    let next = 2 + before.len();
    assert_eq!(
        drain(&mut bench),
        [
            format!("4 {next} 43=Y|36=42|123=Y"),
            "4 42 43=Y|36=43|123=Y".to_owned(),
            "0 43 112=now".to_owned(),
            "4 44 43=Y|36=45|123=Y".to_owned(),
        ]
    );
    assert_eq!(bench.send_as(b"F", "a cancel"), 45);
    assert_eq!(bench.sent(), ["F 45 58=a cancel"]);
}

/// Nobody would be told of a cancel that was swallowed.
#[test]
fn cancels_that_wait_behind_a_resend_leave_after_a_kill() {
    let mut bench = resending_orders();
    let kinds = ["F", "D", "q", "H", "G", "AF"];
    for kind in kinds {
        bench.send_as(kind.as_bytes(), "waits");
    }
    bench.sent();
    bench.session.withhold_orders();
    let sent = drain(&mut bench);
    assert_eq!(
        sent[1..],
        [
            "F 42 58=waits",
            "4 43 43=Y|36=44|123=Y",
            "q 44 58=waits",
            "H 45 58=waits",
            "4 46 43=Y|36=47|123=Y",
            "AF 47 58=waits",
        ]
    );
    assert!(sent[0].starts_with("4 ") && sent[0].contains("36=42"), "{sent:?}");
}

/// An initiator that sends orders again, to a peer that does not take all of them at once. Its next
/// number is 42.
fn resending_orders() -> Bench {
    let config =
        SessionConfig { resend: Resend::Everything, ..SessionConfig::initiator("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    for i in 0..40 {
        bench.send_as(b"D", &format!("r{i}"));
    }
    bench.sent();
    bench.out = Pipe { bytes: Vec::new(), limit: 1_200 };
    bench.give("2", 2, "7=2|16=0|").unwrap();
    bench
}

#[test]
fn a_connection_lost_in_a_resend_begins_clean() {
    let mut bench = Bench::acceptor_up();
    for i in 0..100 {
        bench.send(&format!("r{i}"));
    }
    bench.out = Pipe { bytes: Vec::new(), limit: 1200 };
    bench.give("2", 2, "7=1|16=0|").unwrap();
    bench.disconnect();
    bench.sent();
    bench.connect().unwrap();
    bench.give("A", 3, LOGON).unwrap();
    assert_eq!(bench.sent(), ["A 102 98=0|108=30"]);
    assert_eq!(bench.session.store().next_outgoing(), 103);
}

#[test]
fn data_fields_survive_a_resend() {
    let mut bench = Bench::new(SessionConfig::acceptor("US", "THEM"));
    bench.connect().unwrap();
    bench.give("A", 1, LOGON).unwrap();
    let data = b"a\x01b=c";
    bench
        .session
        .send(bench.now, &mut bench.out, b"B", |encoder| {
            encoder.u64(95, data.len() as u64);
            encoder.data(96, data);
        })
        .unwrap();
    bench.sent();
    bench.give("2", 2, "7=2|16=2|").unwrap();
    assert_eq!(bench.sent(), ["B 2 43=Y|95=5|96=a\x01b=c"]);
}
