//! IEX-TP with DEEP, DEEP+ and TOPS: books, what is meant as one, lines, gaps, streams that begin
//! anew, and what is damaged.

mod common;

use common::mdp3::{Given, OPEN, capture, words};
use common::packets::Way;
use feeds::recording::{Books, Options, Unit, Wanted, open_bytes};
use market::{Event, EventFlags, EventKind, Instrument, Said};

const DEEP: u16 = 0x8004;
const DEEP_PLUS: u16 = 0x8005;
const TOPS: u16 = 0x8003;
const A: Way = Way(4, 10_378);
const B: Way = Way(5, 10_378);

/// A packet of the stream's session 7, sent a millisecond after the one of the number before.
fn packet(protocol: u16, first: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    sent(protocol, (7, OPEN + first * 1_000_000), first, messages)
}

fn sent(protocol: u16, (session, time): (u32, u64), first: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let body: Vec<u8> = messages
        .iter()
        .flat_map(|message| [&(message.len() as u16).to_le_bytes()[..], message].concat())
        .collect();
    let mut bytes = vec![1, 0];
    bytes.extend(protocol.to_le_bytes());
    bytes.extend([1u32.to_le_bytes(), session.to_le_bytes()].concat());
    bytes.extend([body.len() as u16, messages.len() as u16].map(u16::to_le_bytes).concat());
    bytes.extend([0, first, time].map(u64::to_le_bytes).concat());
    bytes.extend(body);
    bytes
}

/// The beginning of every message but the system event.
fn head(kind: u8, flags: u8, symbol: &str) -> Vec<u8> {
    let mut bytes = vec![kind, flags];
    bytes.extend((OPEN + 5).to_le_bytes());
    bytes.extend(format!("{symbol:<8}").as_bytes());
    bytes
}

fn level(kind: u8, flags: u8, cents: i64, size: u32) -> Vec<u8> {
    let mut bytes = head(kind, flags, "ZIEXT");
    bytes.extend(size.to_le_bytes());
    bytes.extend((cents * 100).to_le_bytes());
    bytes
}

/// Size, price in cents, trade id.
fn trade(kind: u8, flags: u8, (size, cents, id): (u32, i64, u64)) -> Vec<u8> {
    let mut bytes = level(kind, flags, cents, size);
    bytes.extend(id.to_le_bytes());
    bytes
}

/// Order id, size, price in cents.
fn order(kind: u8, flags: u8, (id, size, cents): (u64, u32, i64)) -> Vec<u8> {
    let mut bytes = head(kind, flags, "ZIEXT");
    bytes.extend(id.to_le_bytes());
    if kind != b'R' {
        bytes.extend(size.to_le_bytes());
        bytes.extend((cents * 100).to_le_bytes());
    }
    if kind == b'L' {
        bytes.extend(9u64.to_le_bytes());
    }
    bytes
}

fn bid(cents: i64, size: u32) -> Vec<u8> {
    level(b'8', 1, cents, size)
}

fn read_with(packets: &[(u64, Way, Vec<u8>)], options: Options) -> (Given, Vec<Event>) {
    let file = capture(packets);
    let mut recording = open_bytes(&file, options).unwrap();
    let (mut unit, mut given, mut all) = (Unit::default(), Given::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        given.events.extend(unit.events.iter().filter_map(words));
        given.said.extend(unit.side.iter().map(|entry| entry.said.clone()));
        all.extend(unit.events.iter().copied());
    }
    given.counts = recording.counts();
    let log = recording.log();
    let gaps = log.gaps().1.iter();
    given.gaps = gaps.map(|gap| (gap.stream.clone(), gap.first, gap.count)).collect();
    given.skipped = log.skipped().map(|(reason, ..)| reason).collect();
    given.damaged = log.damaged().1.iter().map(|noted| noted.reason.to_string()).collect();
    (given, all)
}

/// Packets on line A, each a millisecond behind the other.
fn read(packets: &[Vec<u8>]) -> Given {
    let timed: Vec<_> = (0..).zip(packets).map(|(at, bytes)| (at, A, bytes.clone())).collect();
    read_with(&timed, Options::default()).0
}

#[test]
fn levels_of_one_event_are_given_as_one_unit_over_packets_as_well() {
    let packets = [
        packet(DEEP, 1, &[bid(1_000, 300), level(b'5', 0, 1_001, 100)]),
        packet(DEEP, 3, &[level(b'5', 0, 1_002, 200)]),
        packet(DEEP, 4, &[level(b'5', 1, 1_001, 0), bid(999, 50)]),
        packet(DEEP, 6, &[level(b'8', 0, 998, 5)]),
    ];
    let timed: Vec<_> = (0..).zip(&packets).map(|(at, bytes)| (at, A, bytes.clone())).collect();
    let file = capture(&timed);
    let mut recording = open_bytes(&file, Options::default()).unwrap();
    let (mut unit, mut units) = (Unit::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        units.push(unit.events.iter().filter_map(words).collect::<Vec<String>>());
        let last = unit.events.last();
        assert!(last.is_none_or(|event| event.flags.has(EventFlags::LAST)));
    }
    units.retain(|unit| !unit.is_empty());
    let whole =
        ["0 bid 10 300", "0 ask 10.01 100", "0 ask 10.02 200", "0 ask 10.01 0", "0 bid 9.99 50"];
    // What ends with the capture is given all the same.
    assert_eq!(units, [whole.to_vec(), vec!["0 bid 9.98 5"]]);
    assert_eq!((recording.describe().books, recording.counts().messages), (Books::ByLevel, 6));
}

#[test]
fn orders_of_deep_plus_keep_a_book_by_order() {
    let messages = [
        order(b'a', b'8', (5, 100, 1_000)),
        order(b'a', b'5', (6, 200, 1_002)),
        order(b'M', 1, (5, 80, 1_000)),
        order(b'L', 0x08, (6, 50, 1_001)),
        order(b'M', 0, (6, 150, 1_003)),
        order(b'R', 0, (5, 0, 0)),
        head(b'C', 0, "ZIEXT"),
    ];
    let (given, all) = read_with(&[(0, A, packet(DEEP_PLUS, 1, &messages))], Options::default());
    use EventKind as K;
    let kinds: Vec<_> = all.iter().map(|event| (event.kind().unwrap(), event.order)).collect();
    let wanted = [
        (K::Add, 5),
        (K::Add, 6),
        (K::Change, 5),
        (K::Execute, 6),
        (K::Delete, 6),
        (K::Add, 6),
        (K::Delete, 5),
        (K::Clear, 0),
    ];
    assert_eq!(kinds, wanted);
    let executed = EventFlags::PRICED.with(EventFlags::CROSS);
    assert!(all[3].flags.has(executed) && all[3].price.to_string() == "10.01");
    assert!(all[4].flags.has(EventFlags::REPLACE) && all[5].flags.has(EventFlags::REPLACE));
    let mut books = market::book::OrderBooks::growing();
    books.admit(all[0].instrument);
    for event in &all[..7] {
        assert_eq!(books.apply(event).contradiction, None, "{event:?}");
    }
    let book = books.book(all[0].instrument);
    use market::{BookView, Side};
    assert_eq!(book.level(Side::Buy, 0), None);
    let ask = book.level(Side::Sell, 0).unwrap();
    assert_eq!((ask.price.to_string().as_str(), ask.qty.raw()), ("10.03", 150));
    assert_eq!(given.damaged, [""; 0]);
}

#[test]
fn quotes_of_tops_are_books_of_one_level() {
    let quote = |(size, bid): (u32, i64), (ask, ask_size): (i64, u32)| {
        let mut bytes = head(b'Q', 0, "ZIEXT");
        bytes.extend(size.to_le_bytes());
        bytes.extend([bid * 100, ask * 100].map(i64::to_le_bytes).concat());
        bytes.extend(ask_size.to_le_bytes());
        bytes
    };
    let given = read(&[packet(
        TOPS,
        1,
        &[
            quote((100, 1_000), (1_002, 200)),
            quote((300, 1_000), (1_001, 50)),
            quote((0, 0), (1_001, 50)),
        ],
    )]);
    let wanted = [
        "0 bid 10 100",
        "0 ask 10.02 200",
        "0 bid 10 300",
        "0 ask 10.02 0",
        "0 ask 10.01 50",
        "0 bid 10 0",
        "0 ask 10.01 50",
    ];
    assert_eq!(given.events, wanted);
}

#[test]
fn trades_status_and_what_is_said_beside_the_book() {
    let mut directory = head(b'D', 0x80, "ZIEXT");
    directory.extend(100u32.to_le_bytes());
    directory.extend(990_500i64.to_le_bytes());
    directory.push(1);
    let mut halt = head(b'H', b'H', "ZIEXT");
    halt.extend(b"T1  ");
    let mut trading = head(b'H', b'T', "ZIEXT");
    trading.extend(b"    ");
    let mut official = head(b'X', b'Q', "ZIEXT");
    official.extend(990_500i64.to_le_bytes());
    let mut auction = head(b'A', b'C', "ZIEXT");
    auction.extend(100_000u32.to_le_bytes());
    auction.extend([990_500i64, 990_600].map(i64::to_le_bytes).concat());
    auction.extend(10_000u32.to_le_bytes());
    auction.extend([b'B', 0, 0, 0, 0, 0]);
    auction.extend([0i64, 0, 0, 0].map(i64::to_le_bytes).concat());
    let mut system = vec![b'S', b'C'];
    system.extend(OPEN.to_le_bytes());
    let given = read(&[packet(
        DEEP,
        1,
        &[
            directory,
            halt,
            head(b'O', b'N', "ZIEXT"),
            trading,
            head(b'O', b'O', "ZIEXT"),
            head(b'O', b'N', "ZIEXT"),
            trade(b'T', 0, (100, 9_905, 429_974)),
            trade(b'B', 0, (100, 9_905, 429_974)),
            official,
            auction,
            [head(b'P', 1, "ZIEXT"), vec![b'A']].concat(),
            head(b'E', b'O', "ZIEXT"),
            head(b'I', b'A', "ZIEXT"),
            system,
        ],
    )]);
    let wanted = [
        "0 status 2",
        "0 status 1",
        "0 status 2",
        "0 status 1",
        "0 trade 99.05 100 #429974",
        "4294967295 status 4",
    ];
    assert_eq!(given.events, wanted);
    let [
        Said::Definition(stock),
        Said::Status(halted),
        ..,
        Said::Statistic(broken),
        Said::Statistic(opening),
        Said::Imbalance(closing),
    ] = &given.said[..]
    else {
        panic!("{:?}", given.said)
    };
    assert_eq!((stock.symbol.as_str(), stock.lot.unwrap().raw()), ("ZIEXT", 100));
    assert!(stock.details.contains(&("Test Security", "yes".to_owned())));
    assert!(stock.details.contains(&("Adjusted POC Price", "99.05".to_owned())));
    assert_eq!(halted.reason, "T1");
    assert_eq!((broken.name, broken.qty.unwrap().raw()), ("Trade Break", 100));
    assert_eq!(opening.name, "Official Opening Price");
    assert_eq!((closing.paired.raw(), closing.unpaired.raw()), (100_000, 10_000));
    assert_eq!(closing.near.unwrap().to_string(), "99.06");
    assert_eq!((closing.far, closing.side), (None, Some(market::Side::Buy)));
    assert_eq!(given.counts.messages, 14);
}

#[test]
fn lines_are_arbitrated_and_what_none_brings_is_lost() {
    let packets: Vec<Vec<u8>> = (0..20)
        .map(|n| packet(DEEP, 1 + n * 2, &[bid(1_000 + n as i64, 1), bid(2_000, 1)]))
        .collect();
    let clean = read(&packets);
    let mut lines = Vec::new();
    for (at, bytes) in (0u64..).zip(&packets) {
        // Each line lacks a third; B is late, or early.
        if at == 0 || at % 3 != 1 {
            lines.push((at * 10, A, bytes.clone()));
        }
        if at == 0 || at % 3 != 2 {
            lines.push((at * 10 + at * 7 % 50, B, bytes.clone()));
        }
    }
    lines.sort_by_key(|&(millis, ..)| millis);
    let (both, _) = read_with(&lines, Options::default());
    assert_eq!(both.events, clean.events);
    assert_eq!((both.gaps.len(), both.count("in sequence")), (0, 40));
    // Messages of all lines are counted.
    assert_eq!(both.counts.messages, 2 * lines.len() as u64);
    let mut gap = packets[..3].to_vec();
    gap.remove(1);
    let lost = read(&gap);
    let tail = ["4294967295 Lost", "0 Lost", "0 bid 10.02 1", "0 bid 20 1"];
    assert_eq!(lost.events[2..], tail);
    assert_eq!(lost.gaps, [("the stream".to_owned(), 3, 2)]);
}

#[test]
fn a_packet_of_which_the_head_was_taken_brings_its_tail() {
    let first = packet(DEEP, 1, &[bid(1_000, 1), bid(1_001, 1)]);
    let longer = packet(DEEP, 1, &[bid(1_000, 1), bid(1_001, 1), bid(1_002, 1)]);
    let given = read(&[first.clone(), longer, first]);
    assert_eq!(given.events, ["0 bid 10 1", "0 bid 10.01 1", "0 bid 10.02 1"]);
    assert_eq!(given.count("duplicate packets"), 1);
}

#[test]
fn a_packet_that_no_line_can_be_so_late_with_is_said_to_be_far_behind() {
    let at =
        |first, millis: u64| sent(DEEP, (7, OPEN + millis * 1_000_000), first, &[bid(1_000, 1)]);
    let given = read(&[at(500, 900), at(400, 850), at(300, 100)]);
    assert_eq!((given.events.len(), given.count("duplicate packets")), (2, 1));
    assert_eq!(given.skipped, ["packet far behind its stream"]);
}

#[test]
fn a_heartbeat_shows_that_messages_are_missing() {
    let given = read(&[packet(DEEP, 1, &[bid(1_000, 1)]), packet(DEEP, 5, &[])]);
    assert_eq!(given.events, ["0 bid 10 1", "4294967295 Lost"]);
    assert_eq!((given.gaps.len(), given.count("heartbeats")), (1, 1));
}

#[test]
fn a_stream_begins_anew_where_its_number_falls_back_or_its_session_changes() {
    let later = OPEN + 60_000_000_000;
    let given = read(&[
        packet(DEEP, 1, &[bid(1_000, 1)]),
        packet(DEEP, 2, &[bid(1_001, 1)]),
        sent(DEEP, (7, later), 1, &[]),
        sent(DEEP, (7, later + 1), 1, &[bid(1_002, 1)]),
        // A straggler of before, and a copy.
        packet(DEEP, 3, &[bid(9_999, 1)]),
        sent(DEEP, (7, later + 1), 1, &[bid(1_002, 1)]),
        sent(DEEP, (8, 2 * later), 1, &[bid(1_003, 1)]),
        sent(DEEP, (7, later + 2), 2, &[bid(9_999, 1)]),
    ]);
    let wanted = [
        "0 bid 10 1",
        "0 bid 10.01 1",
        "4294967295 Reset",
        "0 bid 10.02 1",
        "4294967295 Reset",
        "0 bid 10.03 1",
    ];
    assert_eq!(given.events, wanted);
    assert_eq!((given.count("stream restarts"), given.count("duplicate packets")), (2, 1));
    assert_eq!(given.skipped, ["packet far behind its stream"]);
}

#[test]
fn a_book_of_a_stream_that_was_joined_later_is_not_believed() {
    let given = read(&[packet(DEEP, 900, &[bid(1_000, 1), bid(1_001, 1)])]);
    assert_eq!(given.events, ["0 Lost", "0 bid 10 1", "0 bid 10.01 1"]);
    assert_eq!(given.gaps, []);
}

#[test]
fn one_stream_is_read_and_others_are_counted() {
    let given = read(&[packet(DEEP, 1, &[bid(1_000, 1)]), packet(TOPS, 1, &[bid(1, 1)])]);
    assert_eq!((given.events.len(), given.counts.messages), (1, 2));
    assert_eq!(given.skipped, ["packet of another stream than the first"]);
    let unknown = read(&[packet(0x8001, 1, &[bid(1_000, 1)])]);
    assert_eq!((unknown.events.len(), unknown.counts.messages), (0, 1));
}

#[test]
fn only_what_is_wanted_is_given_in_its_own_scale() {
    let packets = [(0, A, packet(DEEP, 1, &[bid(1_000, 3)]))];
    let wanted = |symbol: &str| {
        let mut one = Instrument::share(6, symbol);
        one.qty_digits = 2;
        Options { wanted: Wanted::Only(vec![one]), ..Options::default() }
    };
    assert_eq!(read_with(&packets, wanted("ZIEXT")).0.events, ["6 bid 10 300"]);
    assert_eq!(read_with(&packets, wanted("OTHER")).0.events, [""; 0]);
}

#[test]
fn damaged_packets_are_skipped_whole() {
    let good = packet(DEEP, 2, &[bid(1_001, 1)]);
    let change = |at: usize, to: u8| {
        let mut bytes = good.clone();
        bytes[at] = to;
        bytes
    };
    let cases = [
        ("packet shorter than its header", good[..39].to_vec()),
        ("packet of another length than it says", good[..good.len() - 1].to_vec()),
        ("packet of another length than it says", [&good[..], &[0]].concat()),
        ("version of IEX-TP that is not known", change(0, 2)),
        ("messages do not fill the packet", change(40, 31)),
        ("messages do not fill the packet", change(40, 29)),
        ("messages do not fill the packet", change(14, 2)),
        ("messages do not fill the packet", change(14, 0)),
        ("message number out of range", {
            let mut bytes = good.clone();
            bytes[24..32].fill(0xff);
            bytes
        }),
    ];
    for (reason, bytes) in cases {
        let given = read(&[packet(DEEP, 1, &[bid(1_000, 1)]), bytes, good.clone()]);
        assert_eq!(given.skipped, [reason]);
        assert_eq!(given.events, ["0 bid 10 1", "0 bid 10.01 1"]);
    }
}

#[test]
fn damaged_messages_change_nothing_and_lose_the_book_that_they_were_of() {
    let book = [
        ("message shorter than its type", bid(1_001, 1)[..29].to_vec()),
        ("price not positive", bid(0, 1)),
        ("price not positive", bid(-5, 1)),
        ("price out of range", {
            let mut bytes = bid(1, 1);
            bytes[22..30].copy_from_slice(&i64::MAX.to_le_bytes());
            bytes
        }),
        ("side of an order that is not known", order(b'a', b'7', (1, 1, 1))),
    ];
    for (reason, message) in book {
        let given = read(&[packet(DEEP, 1, &[bid(1_000, 1), message])]);
        assert_eq!(given.damaged, [reason]);
        assert_eq!(given.events, ["0 bid 10 1", "0 Lost"], "{reason}");
    }
    let short = read(&[packet(DEEP, 1, &[bid(1_000, 1), vec![b'T', 0, 1], Vec::new()])]);
    assert_eq!(short.damaged, ["message shorter than its type"]);
    assert_eq!(short.skipped, ["message type that is not known"]);
    let unknown = read(&[packet(DEEP, 1, &[bid(1_000, 1), vec![b'z'; 30]])]);
    assert_eq!((unknown.events.len(), unknown.counts.messages), (1, 2));
    // A later version may add fields.
    let longer = read(&[packet(DEEP, 1, &[[bid(1_000, 1), vec![9; 6]].concat()])]);
    assert_eq!((longer.events.len(), longer.damaged.len()), (1, 0));
}

/// One wrong time must not make all that comes seem to be of before.
#[test]
fn a_packet_from_the_future_hides_no_loss() {
    let future = sent(DEEP, (7, u64::MAX), 2, &[bid(1_001, 1)]);
    let then = |packets: std::ops::Range<u64>| {
        let packets = packets.map(|n| packet(DEEP, n, &[bid(1_000, 1)]));
        let start = [packet(DEEP, 1, &[bid(1_000, 1)]), future.clone()];
        read(&start.into_iter().chain(packets).collect::<Vec<_>>())
    };
    let lost = "4294967295 Lost".to_owned();
    assert!(!then(3..400).events.contains(&lost));
    let given = then(4..400);
    assert!(given.events.contains(&lost), "{given:?}");
}

/// Line B behind line A instead of beside it, and a capture that overlaps the one before.
#[test]
fn what_was_taken_and_stands_behind_in_the_capture_is_no_restart() {
    let of = |line, numbers: std::ops::Range<u64>| {
        numbers.map(move |n| (n, line, packet(DEEP, n, &[bid(1_000 + n as i64 % 7, 1)])))
    };
    for behind in [of(B, 1..3_000), of(A, 1_000..3_200), of(B, 1_000..3_200)] {
        let packets: Vec<_> = of(A, 1..3_000).chain(behind).collect();
        let (given, _) = read_with(&packets, Options::default());
        assert_eq!(given.events.len() as u64, packets.last().unwrap().0);
        assert_eq!(given.count("stream restarts"), 0);
    }
}
