//! ITCH 5.0 in captures: lines, gaps, disorder, sessions, and the captures that are not ours.

mod common;

use common::packets::{Style, Way, ethernet, pcap, udp};
use common::{bytes, recorded};
use feeds::capture::{Carried, Walker, transport};
use feeds::itch50::message::{AddOrder, Deleted, Header, StockDirectory};
use feeds::itch50::{Message, message};
use feeds::moldudp64::{Packet, Publisher, Session};
use feeds::recording::{Clock, Log, Options, Source, Unit, open, open_bytes};
use market::{EventKind, InstrumentId, Nanos, Timestamp};
use std::fs::File;
use std::path::{Path, PathBuf};

const STYLE: Style = Style { big: false, nanos: true };
/// 2025-07-17 13:30 UTC, which is 09:30 in New York.
const OPEN: u64 = 1_752_759_000_000_000_000;
const NINE_THIRTY: u64 = 34_200_000_000_000;
const A: Way = Way(111, 26_477);
const B: Way = Way(112, 26_477);

/// Messages of a day: a directory, then orders that come and go.
fn day(count: u64) -> Vec<Vec<u8>> {
    let header = |time| Header { locate: 3, tracking: 0, time: NINE_THIRTY + time };
    let mut directory = [b' '; 39];
    directory[0] = b'R';
    let mut directory = StockDirectory::read(&directory).unwrap();
    (directory.header, directory.stock) = (header(0), *b"CAPT    ");
    let mut messages = vec![bytes(Message::StockDirectory(directory))];
    for order in 1..=count {
        let (side, stock) = ([b'B', b'S'][order as usize % 2], *b"CAPT    ");
        let (header, price) = (header(order * 1_000), 100_000 + 100 * (order % 2) as u32);
        let add = AddOrder { header, order, side, shares: 10, stock, price };
        messages.push(bytes(Message::AddOrder(add)));
        if order % 3 == 0 {
            messages.push(bytes(Message::Deleted(Deleted { header, order: order - 1 })));
        }
    }
    messages
}

/// The messages in packets of three, numbered from `first`.
fn packets(session: &str, first: u64, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let session = Session::new(session).unwrap();
    let mut publisher = Publisher::new(session, first, 1_400, Nanos::SECOND);
    let mut packets = Vec::new();
    for three in messages.chunks(3) {
        for message in three {
            publisher.push(message).unwrap();
        }
        packets.push(publisher.take(Timestamp::from_nanos(OPEN)).unwrap().to_vec());
    }
    packets
}

/// A capture of payloads, each at a millisecond of its own and sent to one of the lines.
fn capture(payloads: &[(u64, Way, &[u8])]) -> Vec<u8> {
    let frame = |&(millis, to, payload): &(u64, Way, &[u8])| {
        (OPEN + millis * 1_000_000, ethernet(&[0x8100], &udp(Way(1, 1), to, payload)))
    };
    pcap(STYLE, 1, &payloads.iter().map(frame).collect::<Vec<_>>())
}

/// Everything that a capture gives.
#[derive(Debug, Default, PartialEq)]
struct Given {
    /// Kind and order of each event, entries left out.
    events: Vec<(EventKind, u64)>,
    messages: u64,
    others: Vec<(&'static str, u64)>,
    gaps: Vec<(u64, u64)>,
    skipped: Vec<(&'static str, u64)>,
}

fn read(file: &[u8]) -> Given {
    let mut recording = open_bytes(file, Options::default()).unwrap();
    let (mut unit, mut given) = (Unit::default(), Given::default());
    while recording.next_unit(&mut unit).unwrap() {
        let events = unit.events.iter().filter(|event| event.kind() != Some(EventKind::Entry));
        given.events.extend(events.map(|event| (event.kind().unwrap(), event.order)));
    }
    let counts = recording.counts();
    (given.messages, given.others) = (counts.messages, counts.others);
    given.gaps = recording.log().gaps().1.iter().map(|gap| (gap.first, gap.count)).collect();
    given.skipped = recording.log().skipped().map(|(reason, n, _)| (reason, n)).collect();
    given
}

#[test]
fn two_lines_give_each_message_once_whatever_one_of_them_lacks() {
    let packets = packets("SESSION", 1, &day(30));
    let plain: Vec<(u64, Way, &[u8])> =
        packets.iter().zip(0..).map(|(packet, at)| (at, A, &packet[..])).collect();
    let expected = read(&capture(&plain));
    assert_eq!(expected.messages, 41);
    assert_eq!(expected.events.len(), 40);
    let count = |given: &Given, name: &str| {
        given.others.iter().find(|(other, _)| *other == name).map_or(0, |&(_, count)| count)
    };
    assert_eq!(count(&expected, "in sequence"), 41);
    // Line A lacks every third packet, line B lags by 5 ms and swaps neighbours.
    let mut both: Vec<(u64, Way, &[u8])> = Vec::new();
    for (at, packet) in packets.iter().enumerate() {
        if at % 3 != 1 {
            both.push((at as u64 * 2, A, packet));
        }
        both.push(((at as u64 ^ 1) * 2 + 5, B, packet));
    }
    both.sort_by_key(|&(time, ..)| time);
    let given = read(&capture(&both));
    assert_eq!((&given.events, &given.gaps), (&expected.events, &vec![]));
    assert!(given.messages > 41 + 25 && count(&given, "in sequence") == 41);
    assert_eq!(count(&given, "lines"), 2);
    assert!(count(&given, "duplicate packets") >= 8);
}

#[test]
fn what_no_line_brings_is_a_gap_and_a_loss() {
    let packets = packets("SESSION", 1, &day(30));
    let some: Vec<(u64, Way, &[u8])> =
        packets.iter().zip(0..).filter(|&(_, at)| at != 4).map(|(p, at)| (at, A, &p[..])).collect();
    let given = read(&capture(&some));
    assert_eq!(given.gaps, [(13, 3)]);
    let told: Vec<_> = given.events.iter().filter(|event| event.0 as u8 >= 10).collect();
    assert_eq!(told, [&(EventKind::Gap, 13), &(EventKind::Lost, 13)]);
    assert_eq!(given.events.len(), 40 - 3 + 2);
    // The same where far more comes behind the hole than can be kept.
    let (mut many, all) = (Vec::new(), self::packets("SESSION", 1, &day(3_000)));
    for (at, packet) in all.iter().enumerate().filter(|&(at, _)| at != 4) {
        many.push((at as u64 / 100, A, &packet[..]));
    }
    let given = read(&capture(&many));
    assert_eq!((given.gaps, given.messages), (vec![(13, 3)], 4_001 - 3));
    assert!(given.others.contains(&("in sequence", 4_001 - 3)));
}

/// A capture that begins in mid-session does not have the orders that rested by then.
#[test]
fn a_session_that_is_joined_has_no_book_that_is_whole() {
    let packets = packets("SESSION", 4_333, &day(30)[1..]);
    let of = |packets: &[Vec<u8>]| {
        let all: Vec<(u64, Way, &[u8])> =
            packets.iter().zip(0..).map(|(packet, at)| (40 * at, A, &packet[..])).collect();
        read(&capture(&all))
    };
    for some in [&packets[..], &packets[..2]] {
        let given = of(some);
        assert_eq!(given.gaps, [(1, 4_332)]);
        let told: Vec<_> = given.events.iter().filter(|event| event.0 as u8 >= 10).collect();
        assert_eq!((told, given.events[0].0), (vec![&(EventKind::Lost, 0)], EventKind::Lost));
        assert!(given.others.contains(&("messages lost", 4_332)));
    }
    // An instrument that is met behind a loss had orders as well.
    let mut day = day(9);
    let later = |mut message: Vec<u8>, add: usize| {
        message[2] = 4;
        message[add..add + 8].copy_from_slice(b"LATE    ");
        message
    };
    let late = [later(day[0].clone(), 11), later(day[1].clone(), 24)];
    day.truncate(9);
    day.extend(late);
    let mut packets = self::packets("SESSION", 1, &day);
    packets.remove(1);
    let given = of(&packets);
    let told: Vec<_> = given.events.iter().filter(|event| event.0 as u8 >= 10).collect();
    let lost = [&(EventKind::Gap, 4), &(EventKind::Lost, 4), &(EventKind::Lost, 0)];
    assert_eq!((told, given.gaps), (lost.to_vec(), vec![(4, 3)]));
}

/// Before the start of system hours no order rests: whoever captures from then on has everything.
#[test]
fn a_session_that_is_joined_before_it_opens_has_whole_books() {
    let system = |code| {
        let mut message = vec![b'S', 0, 0, 0, 0];
        message.extend(&(NINE_THIRTY - 1).to_be_bytes()[2..]);
        message.push(code);
        message
    };
    for (code, lost) in [(b'S', 0), (b'O', 0), (b'Q', 1)] {
        let mut messages = day(6);
        messages.insert(1, system(code));
        let packets = packets("SESSION", 700, &messages);
        let all: Vec<(u64, Way, &[u8])> =
            packets.iter().map(|packet| (0, A, &packet[..])).collect();
        let given = read(&capture(&all));
        assert_eq!(given.gaps, [(1, 699)]);
        let losses = given.events.iter().filter(|event| event.0 == EventKind::Lost).count();
        assert_eq!(losses, lost, "{}", char::from(code));
    }
}

/// The other line may have it, and a line may still tell of the day before.
#[test]
fn a_session_begins_with_its_first_message_on_whichever_line() {
    let packets = packets("SESSION", 1, &day(30));
    let before = Publisher::new(Session::new("BEFORE").unwrap(), 90_000, 1_400, Nanos::SECOND)
        .end(Timestamp::from_nanos(OPEN))
        .unwrap();
    let mut all: Vec<(u64, Way, &[u8])> = vec![(0, A, &before)];
    all.extend(packets.iter().zip(1..).skip(2).map(|(packet, at)| (at, A, &packet[..])));
    all.extend(packets.iter().zip(20..).map(|(packet, at)| (at, B, &packet[..])));
    all.sort_by_key(|&(time, ..)| time);
    let given = read(&capture(&all));
    let whole: Vec<(u64, Way, &[u8])> = packets.iter().map(|packet| (0, A, &packet[..])).collect();
    assert_eq!((given.events, given.gaps), (read(&capture(&whole)).events, vec![]));
    assert_eq!(given.skipped, []);
}

/// A message of a later version of ITCH, in the first packet.
#[test]
fn what_stands_beside_a_message_that_nobody_knows_is_read() {
    let mut day = day(30);
    day[0].push(0);
    day.insert(1, b"?what".to_vec());
    let packets = packets("SESSION", 1, &day);
    let stranger = (0, Way(9, 9), &b"nothing that is known"[..]);
    let mut all: Vec<(u64, Way, &[u8])> = vec![stranger];
    all.extend(packets.iter().zip(1..).map(|(packet, at)| (at, A, &packet[..])));
    let given = read(&capture(&all));
    assert_eq!((given.messages, given.events.len(), given.gaps), (42, 40, vec![]));
    assert!(given.others.contains(&("in sequence", 42)));
    assert_eq!(
        given.skipped,
        [
            ("datagram of no protocol that is known", 1),
            ("length differs from the type's", 1),
            ("unknown message type", 1)
        ]
    );
    // What is never known is counted, however much it is.
    let strange: Vec<_> = (0..3_000).map(|at| (at, A, &[b'x'; 900][..])).collect();
    assert_eq!(
        read(&capture(&strange)).skipped,
        [("datagram of no protocol that is known", 3_000)]
    );
}

#[test]
fn times_are_of_the_day_that_was_captured() {
    let packets = packets("SESSION", 1, &day(3));
    let file = capture(&[(0, A, &packets[0])]);
    let mut recording = open_bytes(&file, Options::default()).unwrap();
    let mut unit = Unit::default();
    assert!(recording.next_unit(&mut unit).unwrap());
    assert_eq!(recording.describe().clock, Clock::Utc);
    assert!(recording.describe().version.contains("ITCH 5.0 over MoldUDP64"));
    assert_eq!(unit.received.nanos(), OPEN);
    assert_eq!(unit.exchange_time.nanos(), OPEN + 2_000);
    assert_eq!(recording.instruments().find("CAPT").unwrap().id, InstrumentId(0));
    assert_eq!(unit.events[1].received, OPEN);
}

#[test]
fn bad_input_strangers_among_the_packets_are_counted() {
    let ours = packets("SESSION", 1, &day(6));
    let theirs = packets("OTHER", 9, &day(3));
    let mut torn = ours[1].clone();
    torn.pop();
    let file = capture(&[
        (0, A, b"nothing that is known"),
        (1, A, &ours[0]),
        (2, B, &theirs[0]),
        (3, A, &torn),
        (4, A, b"short"),
        (5, A, &ours[1]),
    ]);
    let given = read(&file);
    assert_eq!(given.messages, 9);
    assert_eq!(
        given.skipped,
        [
            ("a block passes the end of the datagram", 1),
            ("more messages than a datagram can hold", 1),
            ("packet of another session than the first", 1),
            ("shorter than a header", 1),
        ]
    );
    assert_eq!(given.events.len(), 5);
}

#[test]
fn bad_input_a_sequence_out_of_all_reason_harms_nothing() {
    let ours = packets("SESSION", 1, &day(30));
    let far = packets("SESSION", 1 << 60, &day(3));
    let mut all: Vec<(u64, Way, &[u8])> =
        ours.iter().zip(0..).map(|(packet, at)| (at, A, &packet[..])).collect();
    let whole = read(&capture(&all)).events;
    all.insert(5, (5, A, &far[0]));
    let given = read(&capture(&all));
    assert_eq!((given.events, given.gaps), (whole, vec![]));
    assert_eq!(given.skipped, [("implausibly far ahead", 1)]);
}

#[test]
fn a_session_that_follows_begins_anew() {
    let (first, second) = (packets("ONE", 1, &day(3)), packets("TWO", 1, &day(3)));
    let file = capture(&[(0, A, &first[0]), (1, A, &first[1]), (9, A, &second[0])]);
    let given = read(&file);
    assert!(given.events.contains(&(EventKind::Reset, 0)));
    assert_eq!(given.events.iter().filter(|event| event.0 == EventKind::Add).count(), 5);
    assert!(given.others.contains(&("new sessions", 1)));
}

/// Captures beneath a folder, with what their folders are called.
fn captures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            captures(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "pcap") {
            found.push(path);
        }
    }
}

/// The type that a capture is named after.
fn type_of(name: &str) -> Option<u8> {
    let names = [
        ("AddOrderNoM", b'A'),
        ("AddOrderWithM", b'F'),
        ("CrossTrade", b'Q'),
        ("LULDAuctionCollar", b'J'),
        ("MarketParticipantPosition", b'L'),
        ("NetOrderImbalanceIndicator", b'I'),
        ("NonCrossTrade", b'P'),
        ("OrderCancel", b'X'),
        ("OrderDelete", b'D'),
        ("OrderExecutedWithPrice", b'C'),
        ("OrderExecuted", b'E'),
        ("OrderReplace", b'U'),
        ("RegSHORestriction", b'Y'),
        ("StockTradingAction", b'H'),
        ("SystemEvent", b'S'),
    ];
    names.iter().find(|(start, _)| name.starts_with(start)).map(|&(_, kind)| kind)
}

/// Every message of a capture, found without the protocol's reader.
fn messages(path: &Path) -> Vec<Vec<u8>> {
    let (mut walker, mut log) = (Walker::new(File::open(path).unwrap()), Log::default());
    let mut messages = Vec::new();
    while let Some(frame) = walker.next_frame(&mut log).unwrap() {
        let Ok(Carried::Datagram(datagram)) = transport(&frame) else { panic!("no datagram") };
        let packet = Packet::parse(datagram.payload).unwrap();
        messages.extend(packet.messages().map(<[u8]>::to_vec));
    }
    messages
}

#[test]
fn real_packets_parse_to_their_last_byte_and_are_all_counted() {
    let test = "real_packets_parse_to_their_last_byte_and_are_all_counted";
    let Some(root) = recorded(test, "omi_single/Nasdaq") else { return };
    let (mut paths, mut all) = (Vec::new(), 0);
    captures(&root, &mut paths);
    paths.retain(|path| path.to_string_lossy().contains("Itch"));
    for path in &paths {
        let named = type_of(&path.file_name().unwrap().to_string_lossy());
        let messages = messages(path);
        for bytes in &messages {
            let message = Message::parse(bytes).unwrap();
            assert_eq!(message.write(&mut [0; message::LENGTH_MAX]), bytes);
            assert!(message.header().time < 86_400_000_000_000);
            assert!(named.is_none_or(|kind| kind == bytes[0]), "{}", path.display());
        }
        let mut recording = open(&Source::file(path), Options::default()).unwrap();
        let mut unit = Unit::default();
        while recording.next_unit(&mut unit).unwrap() {}
        assert_eq!(recording.counts().messages, messages.len() as u64);
        // Without their directories, deletes and the like name no instrument; nothing else is wrong.
        let strange: Vec<_> = recording.log().skipped().map(|(reason, ..)| reason).collect();
        let allowed = ["locate code was never announced", "price is zero or a sentinel"];
        assert!(strange.iter().all(|reason| allowed.contains(reason)), "{strange:?}");
        assert_eq!(recording.log().is_cut(), None);
        all += messages.len();
    }
    // The whole collection has 227; 117 of them are in the part that everybody has.
    assert!(paths.len() >= 23 && all >= 117, "{} captures, {all}", paths.len());
}
