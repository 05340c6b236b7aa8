//! MoldUDP64: packets in order from two lines, gaps and requests, the publisher and the server, and
//! every class of bad input.

mod common;

use common::Told;
use feeds::moldudp64::*;
use market::{Nanos, Timestamp};
use proptest::prelude::*;
use std::net::SocketAddrV4;

const A: Line = Line::Live(0);
const B: Line = Line::Live(1);

fn packet(session: &str, sequence: u64, messages: &[&str]) -> Vec<u8> {
    let mut bytes = format!("{session:<10}").into_bytes();
    bytes.extend(sequence.to_be_bytes());
    bytes.extend((messages.len() as u16).to_be_bytes());
    for message in messages {
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(message.as_bytes());
    }
    bytes
}

fn with_count(mut packet: Vec<u8>, count: u16) -> Vec<u8> {
    packet[18..20].copy_from_slice(&count.to_be_bytes());
    packet
}

/// A receiver, its time in microseconds, and what it said.
struct Bench {
    receiver: Receiver,
    told: Told,
    now: u64,
}

impl Bench {
    /// Two lines; a gap is declared after 500 µs, requests are of at most 10 messages, wait 1 ms and
    /// are made twice.
    fn new(change: impl FnOnce(&mut Config)) -> Bench {
        let mut config = Config::new(2);
        config.arbitration_wait = Nanos::from_micros(500);
        config.requests = Requests { count_max: 10, timeout: Nanos::from_millis(1), tries: 2 };
        (config.stash_packets, config.packet_bytes_max) = (4, 100);
        change(&mut config);
        Bench { receiver: Receiver::new(config), told: Told::default(), now: 0 }
    }

    fn at(&self) -> Timestamp {
        Timestamp::ZERO.after(Nanos::from_micros(self.now))
    }

    fn take(&mut self, line: Line, bytes: &[u8]) -> Vec<String> {
        let datagram = Datagram { bytes, truncated: false, from: None, received: 9 };
        let at = self.at();
        self.receiver.on_datagram(line, &datagram, at, &mut self.told);
        self.told.take()
    }

    fn drain(&mut self, packets: usize) -> Vec<String> {
        let at = self.at();
        self.receiver.drain(packets, at, &mut self.told);
        self.told.take()
    }

    /// After `micros` more: what is requested, and what was said.
    fn poll(&mut self, micros: u64) -> (Option<(u64, u16)>, Vec<String>) {
        self.now += micros;
        let at = self.at();
        let request = self.receiver.poll(at, &mut self.told);
        (request.map(|request| (request.sequence, request.count)), self.told.take())
    }

    fn bad(&mut self, bytes: &[u8], why: BadPacket) {
        let before = (self.receiver.expected(), self.receiver.session());
        assert_eq!(self.take(A, bytes), [""; 0]);
        assert_eq!((self.receiver.expected(), self.receiver.session()), before);
        assert_eq!(self.receiver.counters().bad(why), 1, "{why:?}");
    }
}

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

#[test]
fn bad_input_short() {
    Bench::new(|_| {}).bad(b"", BadPacket::Short);
    Bench::new(|_| {}).bad(&packet("S", 1, &[])[..19], BadPacket::Short);
}

#[test]
fn bad_input_block_past_end() {
    let whole = packet("S", 1, &["abc", "def"]);
    for length in HEADER_BYTES..whole.len() {
        Bench::new(|_| {}).bad(&whole[..length], BadPacket::BlockPastEnd);
    }
    let mut lies = whole;
    lies[20..22].copy_from_slice(&u16::MAX.to_be_bytes());
    Bench::new(|_| {}).bad(&lies, BadPacket::BlockPastEnd);
}

#[test]
fn bad_input_count_above_the_blocks_present() {
    Bench::new(|_| {}).bad(&with_count(packet("S", 1, &["a", "b"]), 3), BadPacket::BlockPastEnd);
}

#[test]
fn bad_input_trailing_bytes() {
    Bench::new(|_| {}).bad(&with_count(packet("S", 1, &["a", "b"]), 1), BadPacket::TrailingBytes);
    let heartbeat = with_count(packet("S", 1, &["a"]), 0);
    Bench::new(|_| {}).bad(&heartbeat, BadPacket::TrailingBytes);
}

#[test]
fn bad_input_more_messages_than_a_packet_may_have() {
    Bench::new(|_| {}).bad(&packet("S", 1, &[""; 257]), BadPacket::TooManyMessages);
    let said = Bench::new(|_| {}).take(A, &packet("S", 1, &[""; 256]));
    assert_eq!(said.len(), 257);
}

#[test]
fn bad_input_sequence_zero_and_overflow() {
    Bench::new(|_| {}).bad(&packet("S", 0, &["a"]), BadPacket::SequenceZero);
    Bench::new(|_| {}).bad(&packet("S", u64::MAX, &["a"]), BadPacket::SequenceOverflow);
    let mut bench = Bench::new(|config| config.start = Start::FromCurrent);
    assert_eq!(bench.take(A, &packet("S", u64::MAX - 1, &["a"])).len(), 2);
    assert_eq!(bench.receiver.expected(), u64::MAX);
}

#[test]
fn bad_input_truncated() {
    let mut bench = Bench::new(|_| {});
    let bytes = &packet("S", 1, &["a"]);
    let datagram = Datagram { bytes, truncated: true, from: None, received: 0 };
    bench.receiver.on_datagram(A, &datagram, Timestamp::ZERO, &mut bench.told);
    assert_eq!(bench.told.take(), [""; 0]);
    assert_eq!(bench.receiver.counters().bad(BadPacket::Truncated), 1);
}

#[test]
fn bad_input_wrong_source() {
    let address = |text: &str| text.parse::<SocketAddrV4>().unwrap();
    let mut bench = Bench::new(|config| {
        config.lines[0] = Some(address("10.0.0.1:0"));
        config.lines[1] = Some(address("10.0.0.1:7000"));
        config.server = Some(address("10.0.0.2:9000"));
    });
    let mut from = |line, from: Option<&str>| {
        let bytes = &packet("S", bench.receiver.expected(), &["a"]);
        let datagram = Datagram { bytes, truncated: false, from: from.map(address), received: 0 };
        bench.receiver.on_datagram(line, &datagram, Timestamp::ZERO, &mut bench.told);
        bench.told.take().len() == 2
    };
    assert!(from(A, Some("10.0.0.1:1234")));
    assert!(!from(A, Some("10.0.0.3:1234")));
    assert!(!from(A, None));
    assert!(from(B, Some("10.0.0.1:7000")));
    assert!(!from(B, Some("10.0.0.1:7001")));
    assert!(from(Line::Retransmission, Some("10.0.0.2:9000")));
    assert!(!from(Line::Retransmission, Some("10.0.0.1:9000")));
    assert_eq!(bench.receiver.counters().bad(BadPacket::WrongSource), 4);
}

#[test]
fn bad_input_unknown_line() {
    let mut bench = Bench::new(|_| {});
    assert_eq!(bench.take(Line::Live(2), &packet("S", 1, &["a"])), [""; 0]);
    assert_eq!(bench.receiver.counters().bad(BadPacket::UnknownLine), 1);
}

#[test]
fn bad_input_sequence_back() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a", "b", "c"]));
    assert_eq!(bench.take(A, &packet("S", 1, &["a"])), [""; 0]);
    assert_eq!(bench.take(A, &packet("S", 2, &["b", "c"])), [""; 0]);
    assert_eq!((bench.receiver.expected(), bench.receiver.counters().mismatches), (4, 0));
}

#[test]
fn bad_input_overlap_applies_only_the_tail() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a", "b"]));
    assert_eq!(bench.take(A, &packet("S", 2, &["b", "c", "d"])), ["3 c @9", "4 d @9", "next 5"]);
    assert_eq!(bench.receiver.counters().overlaps, 1);
    // The same for packets that were kept, of which some are then out of date.
    bench.take(A, &packet("S", 6, &["f", "g"]));
    bench.take(A, &packet("S", 6, &["f"]));
    bench.take(A, &packet("S", 7, &["g", "h"]));
    bench.take(A, &packet("S", 5, &["e", "f"]));
    assert_eq!(bench.drain(9), ["7 g @9", "next 8", "8 h @9", "next 9"]);
    assert!(!bench.receiver.pending());
}

#[test]
fn bad_input_copies_that_differ_raise_the_alert_and_the_first_stays() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a"]));
    assert_eq!(bench.take(B, &packet("S", 1, &["X"])), [""; 0]);
    assert_eq!(bench.receiver.counters().mismatches, 1);
    bench.take(A, &packet("S", 3, &["c"]));
    bench.take(B, &packet("S", 3, &["X"]));
    assert_eq!(bench.receiver.counters().mismatches, 2);
    bench.take(B, &packet("S", 2, &["b"]));
    assert_eq!(bench.drain(1), ["3 c @9", "next 4"]);
    bench.take(B, &packet("S", 3, &["X"]));
    assert_eq!(bench.receiver.counters().mismatches, 3);
}

#[test]
fn bad_input_session_changes() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S1", 1, &["a"]));
    bench.take(A, &packet("S1", 5, &["e"]));
    let said = bench.take(A, &packet("S2", 1, &["x"]));
    assert_eq!(said, ["reset S2", "1 x @9", "next 2"]);
    assert!(!bench.receiver.pending());
    assert_eq!(bench.receiver.session(), Session::new("S2"));
    // Line B is slow and still brings the session before.
    assert_eq!(bench.take(B, &packet("S1", 2, &["b"])), [""; 0]);
    assert_eq!(bench.take(Line::Retransmission, &packet("S3", 1, &["b"])), [""; 0]);
    assert_eq!(bench.receiver.counters().bad(BadPacket::OtherSession), 2);
    assert_eq!(bench.receiver.counters().resets, 1);
    assert_eq!(bench.take(A, &packet("S2", 2, &["y"])), ["2 y @9", "next 3"]);
}

#[test]
fn a_session_change_that_was_not_real_is_taken_back() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S1", 1, &["a"]));
    bench.take(A, &packet("FALSE", 1, &[]));
    let said: Vec<_> =
        (2..).map(|sequence| bench.take(A, &packet("S1", sequence, &["b"]))).take(65).collect();
    assert_eq!(said.concat(), ["reset S1"]);
    assert_eq!(bench.poll(500).0, Some((1, 10)));
}

#[test]
fn only_the_configured_session_is_followed() {
    let mut bench = Bench::new(|config| config.session = Session::new("MINE"));
    bench.bad(&packet("OTHER", 1, &["a"]), BadPacket::OtherSession);
    assert_eq!(bench.take(A, &packet("MINE", 1, &["a"])).len(), 2);
}

#[test]
fn bad_input_a_jump_of_millions_needs_a_second_packet() {
    let mut bench = Bench::new(|_| {});
    bench.take(A, &packet("S", 1, &["a"]));
    bench.bad(&packet("S", 1 << 60, &["x"]), BadPacket::FarAhead);
    assert_eq!(bench.poll(10_000), (None, vec![]));
    assert_eq!(bench.take(A, &packet("S", 2, &["b"])), ["2 b @9", "next 3"]);
    // The whole network was gone for an hour: two packets agree.
    bench.take(A, &packet("S", 10_000_000, &["x"]));
    bench.take(A, &packet("S", 10_000_001, &["y"]));
    assert_eq!(bench.poll(500), (Some((3, 10)), vec![format!("gap 3+{}", 10_000_001 - 3)]));
}

#[test]
fn the_publisher_packs_numbers_beats_and_ends() {
    let at = |seconds| Timestamp::ZERO.after(Nanos::from_secs(seconds));
    let session = Session::new("S").unwrap();
    let mut publisher = Publisher::new(session, 7, 30, Nanos::SECOND);
    assert_eq!(publisher.take(at(1)), None);
    assert_eq!(publisher.push(b"abc"), Ok(7));
    assert_eq!(publisher.push(b"def"), Ok(8));
    assert_eq!(publisher.push(b""), Err(PublishError::Full));
    assert_eq!(publisher.push(&[0; 9]), Err(PublishError::TooLong(9)));
    assert_eq!(publisher.heartbeat(at(9)), None, "a packet is open");
    assert_eq!(publisher.end(at(9)), Err(PublishError::Full));
    assert_eq!(publisher.take(at(10)), Some(&packet("S", 7, &["abc", "def"])[..]));
    assert_eq!(publisher.heartbeat(Timestamp::from_nanos(10_999_999_999)), None);
    assert_eq!(publisher.heartbeat(at(11)).unwrap()[..], packet("S", 9, &[]));
    assert_eq!(publisher.push(b"ghi"), Ok(9));
    assert_eq!(publisher.take(at(11)), Some(&packet("S", 9, &["ghi"])[..]));
    let end = with_count(packet("S", 10, &[]), END_OF_SESSION);
    assert_eq!(publisher.end(at(12)).unwrap()[..], end);
    assert_eq!(publisher.push(b"x"), Err(PublishError::Ended));
    assert_eq!(publisher.heartbeat(at(13)).unwrap()[..], end);
    assert_eq!((publisher.next_sequence(), publisher.session()), (10, session));
}

#[test]
fn no_packet_of_the_publisher_has_more_messages_than_a_packet_may() {
    let mut publisher = Publisher::new(Session::new("S").unwrap(), 1, 65_000, Nanos::SECOND);
    let pushed = (0..1000).take_while(|_| publisher.push(b"x").is_ok()).count();
    assert_eq!(pushed, MESSAGES_PER_PACKET_MAX);
    assert!(Packet::parse(publisher.take(Timestamp::ZERO).unwrap()).is_ok());
}

#[test]
fn the_server_answers_with_as_many_messages_as_fit() {
    let mut store = MemoryStore::default();
    for message in ["a", "bb", "ccc", "dddd"] {
        store.push(message.as_bytes());
    }
    let session = Session::new("S").unwrap();
    let mut server = RequestServer::new(session, 32);
    let ask = |sequence, count| Request { session, sequence, count }.to_bytes();
    assert_eq!(server.answer(&ask(1, 4), &mut store), Ok(&packet("S", 1, &["a", "bb", "ccc"])[..]));
    assert_eq!(server.answer(&ask(2, 1), &mut store), Ok(&packet("S", 2, &["bb"])[..]));
    assert_eq!(server.answer(&ask(4, 9), &mut store), Ok(&packet("S", 4, &["dddd"])[..]));
    assert_eq!((server.answered(), server.messages()), (3, 5));
    let mut bad = |request: &[u8], why| {
        assert_eq!(server.answer(request, &mut store), Err(why));
        assert!(server.bad(why) > 0);
    };
    bad(&ask(5, 1), BadRequest::NoSuchMessage);
    bad(&ask(0, 1), BadRequest::NoSuchMessage);
    bad(&ask(u64::MAX, u16::MAX), BadRequest::NoSuchMessage);
    bad(&ask(1, 0), BadRequest::Nothing);
    bad(&ask(1, 1)[..19], BadRequest::Length);
    bad(&packet("T", 1, &[]), BadRequest::OtherSession);
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
