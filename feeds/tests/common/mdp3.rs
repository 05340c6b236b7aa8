//! MDP 3.0 messages and packets made by hand, by version 9 of the schema unless it is said
//! otherwise.

use super::packets::{Style, Way, ethernet, pcap, udp};
use feeds::recording::{Counts, Options, Unit, open_bytes};
use market::{Event, EventKind, Said};

pub const A: Way = Way(11, 14_320);
pub const B: Way = Way(11, 15_320);
pub const SNAPSHOTS: Way = Way(22, 16_320);
pub const REPLAY: Way = Way(43, 18_320);
/// 2026-11-02 14:00 UTC.
pub const OPEN: u64 = 1_793_628_000_000_000_000;
pub const ES: i32 = 495_512;
pub const NQ: i32 = 495_513;
const NANO: i64 = 1_000_000_000;

pub fn message(template: u16, version: u16, root: &[u8], rest: &[u8]) -> Vec<u8> {
    let size = (10 + root.len() + rest.len()) as u16;
    let header = [size, root.len() as u16, template, 1, version];
    let mut bytes: Vec<u8> = header.iter().flat_map(|half| half.to_le_bytes()).collect();
    bytes.extend(root);
    bytes.extend(rest);
    bytes
}

pub fn packet(sequence: u32, messages: &[Vec<u8>]) -> Vec<u8> {
    sent(sequence, OPEN + u64::from(sequence) * 1_000_000, messages)
}

pub fn sent(sequence: u32, time: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = sequence.to_le_bytes().to_vec();
    bytes.extend(time.to_le_bytes());
    messages.iter().for_each(|message| bytes.extend(message));
    bytes
}

pub fn group(entries: &[Vec<u8>]) -> Vec<u8> {
    let length = entries.first().map_or(32, Vec::len) as u16;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.push(entries.len() as u8);
    entries.iter().for_each(|entry| bytes.extend(entry));
    bytes
}

/// Time and `MatchEventIndicator`.
pub fn root(indicator: u8) -> Vec<u8> {
    let mut bytes = (OPEN + 7).to_le_bytes().to_vec();
    bytes.extend([indicator, 0, 0]);
    bytes
}

/// Level of a book: (price, quantity), (security, `RptSeq`), (level, action, type).
pub fn level(
    (price, qty): (i64, i32),
    (security, rpt_seq): (i32, u32),
    (number, action, kind): (u8, u8, u8),
) -> Vec<u8> {
    let mut bytes = (price * NANO).to_le_bytes().to_vec();
    bytes.extend(qty.to_le_bytes());
    bytes.extend(security.to_le_bytes());
    bytes.extend(rpt_seq.to_le_bytes());
    bytes.extend(1i32.to_le_bytes());
    bytes.extend([number, action, kind, 0, 0, 0, 0, 0]);
    bytes
}

/// A whole event of these levels.
pub fn book(levels: &[Vec<u8>]) -> Vec<u8> {
    message(46, 9, &root(0x84), &group(levels))
}

/// `RptSeq` of ES, in a packet of its own: a bid at that price.
pub fn bid(rpt_seq: u32, price: i64) -> Vec<u8> {
    book(&[level((price, 1), (ES, rpt_seq), (1, 0, b'0'))])
}

/// Every book of a channel is empty.
pub fn channel_reset() -> Vec<u8> {
    message(4, 9, &root(0x80)[..9], &group(&[vec![64, 1]]))
}

/// A trade of ES by an aggressor that buys, at 100.
pub fn trade(rpt_seq: u32, qty: i32) -> Vec<u8> {
    message(48, 9, &root(0x81), &group(&[level((100, qty), (ES, rpt_seq), (1, 0, 0))]))
}

/// The volume of ES.
pub fn volume(rpt_seq: u32, qty: i32) -> Vec<u8> {
    let mut entry = [qty.to_le_bytes(), ES.to_le_bytes(), rpt_seq.to_le_bytes()].concat();
    entry.extend([0; 4]);
    message(37, 9, &root(0x82), &group(&[entry]))
}

/// Snapshot of a security up to this update and packet.
pub fn snapshot(
    security: i32,
    (packet, rpt_seq): (u32, u32),
    levels: &[(u8, i64, i32, u8)],
) -> Vec<u8> {
    let mut root = packet.to_le_bytes().to_vec();
    root.extend(2u32.to_le_bytes());
    root.extend(security.to_le_bytes());
    root.extend(rpt_seq.to_le_bytes());
    root.extend((OPEN + 9).to_le_bytes());
    root.extend([0; 10]);
    root.push(17);
    root.extend([i64::MAX.to_le_bytes(); 3].concat());
    let entry = |&(number, price, qty, kind): &(u8, i64, i32, u8)| {
        let mut bytes = (price * NANO).to_le_bytes().to_vec();
        bytes.extend(qty.to_le_bytes());
        bytes.extend(1i32.to_le_bytes());
        bytes.extend([number, 0xff, 0xff, 0xff, 0, kind]);
        bytes
    };
    let entries: Vec<Vec<u8>> = levels.iter().map(entry).collect();
    message(52, 9, &root, &group(&entries))
}

/// Act on an order, by its id: what a book message says of it, with the entry that it names.
pub fn named(id: u64, (priority, qty): (u64, i32), (entry, act): (u8, u8)) -> Vec<u8> {
    let mut bytes = id.to_le_bytes().to_vec();
    bytes.extend(priority.to_le_bytes());
    bytes.extend(qty.to_le_bytes());
    bytes.extend([entry, act, 0, 0]);
    bytes
}

/// A group whose count is the eighth byte.
pub fn long_group(entries: &[Vec<u8>]) -> Vec<u8> {
    let length = entries.first().map_or(24, Vec::len) as u16;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend([0, 0, 0, 0, 0, entries.len() as u8]);
    entries.iter().for_each(|entry| bytes.extend(entry));
    bytes
}

/// A whole event of these levels and of the orders that name them.
pub fn book_of(levels: &[Vec<u8>], orders: &[Vec<u8>]) -> Vec<u8> {
    message(46, 9, &root(0x84), &[group(levels), long_group(orders)].concat())
}

/// An order by itself: id, (priority, quantity), price, security, (act, type).
pub fn order(
    id: u64,
    (priority, qty): (u64, i32),
    price: i64,
    security: i32,
    (act, kind): (u8, u8),
) -> Vec<u8> {
    let mut bytes = [id.to_le_bytes(), priority.to_le_bytes()].concat();
    bytes.extend((price * NANO).to_le_bytes());
    bytes.extend(qty.to_le_bytes());
    bytes.extend(security.to_le_bytes());
    bytes.extend([act, kind, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// A whole event of orders by themselves.
pub fn orders(orders: &[Vec<u8>]) -> Vec<u8> {
    message(47, 9, &root(0x84), &group(orders))
}

/// Chunk (number, of how many) of a snapshot by order up to this packet: rows of id, (priority,
/// quantity), price, type.
pub fn order_snapshot(
    security: i32,
    packet: u32,
    (number, count): (u32, u32),
    rows: &[(u64, (u64, i32), i64, u8)],
) -> Vec<u8> {
    let mut root = [packet.to_le_bytes(), 2u32.to_le_bytes(), security.to_le_bytes()].concat();
    root.extend([count.to_le_bytes(), number.to_le_bytes()].concat());
    root.extend((OPEN + 9).to_le_bytes());
    let entry = |&(id, (priority, qty), price, kind): &(u64, (u64, i32), i64, u8)| {
        let mut bytes = [id.to_le_bytes(), priority.to_le_bytes()].concat();
        bytes.extend((price * NANO).to_le_bytes());
        bytes.extend(qty.to_le_bytes());
        bytes.push(kind);
        bytes
    };
    message(53, 9, &root, &group(&rows.iter().map(entry).collect::<Vec<_>>()))
}

/// Definition of a future, with books of this depth.
pub fn future(security: i32, symbol: &str, depth: u8) -> Vec<u8> {
    let mut root = vec![0; 216];
    let mut put = |at: usize, bytes: &[u8]| root[at..at + bytes.len()].copy_from_slice(bytes);
    put(1, &2u32.to_le_bytes());
    put(5, b"A");
    put(19, b"XCME");
    put(23, b"ES");
    put(29, b"ES");
    put(35, symbol.as_bytes());
    put(55, &security.to_le_bytes());
    put(59, b"FUT");
    put(65, b"FFIXSX");
    put(71, &[0xea, 0x07, 12, 0xff, 0xff]);
    put(76, b"USD");
    put(91, &250_000_000i64.to_le_bytes());
    put(99, &NANO.to_le_bytes());
    put(110, b"IPNT");
    put(140, &(50 * NANO).to_le_bytes());
    let mut event = vec![7];
    event.extend((OPEN + 99).to_le_bytes());
    let feeds = [b"GBX".iter().chain(&[depth]).copied().collect(), b"GBI\x02".to_vec()];
    message(54, 9, &root, &[group(&[event]), group(&feeds)].concat())
}

/// A status of a security, or of a group.
pub fn status(security: Option<i32>, group: &str, code: u8) -> Vec<u8> {
    let mut root = vec![0; 30];
    root[..8].copy_from_slice(&OPEN.to_le_bytes());
    root[8..8 + group.len()].copy_from_slice(group.as_bytes());
    root[20..24].copy_from_slice(&security.unwrap_or(i32::MAX).to_le_bytes());
    (root[27], root[28]) = (code, 1);
    message(30, 9, &root, &[])
}

/// What a capture gave.
#[derive(Debug, Default, PartialEq)]
pub struct Given {
    /// Events in words: kind, instrument, side, price and quantity.
    pub events: Vec<String>,
    pub said: Vec<Said>,
    pub counts: Counts,
    pub gaps: Vec<(String, u64, u64)>,
    pub skipped: Vec<&'static str>,
    pub damaged: Vec<String>,
    pub symbols: Vec<String>,
}

impl Given {
    pub fn count(&self, name: &str) -> u64 {
        let named = self.counts.others.iter().find(|&&(other, _)| other == name);
        named.map_or(0, |&(_, count)| count)
    }
}

pub fn words(event: &Event) -> Option<String> {
    let id = event.instrument.0;
    let side = event.side().map_or("", |side| if side.sign() > 0 { " bid" } else { " ask" });
    Some(match event.kind()? {
        EventKind::Entry => return None,
        EventKind::Level => format!("{id}{side} {} {}", event.price, event.qty.raw()),
        EventKind::Trade => {
            format!("{id} trade{side} {} {} #{}", event.price, event.qty.raw(), event.order)
        }
        EventKind::Add | EventKind::Change | EventKind::Delete => {
            let kind = format!("{:?}", event.kind()?).to_lowercase();
            let terms = match event.kind()? {
                EventKind::Delete => String::new(),
                _ => format!(" {} {}", event.price, event.qty.raw()),
            };
            format!("{id} {kind}{side}{terms} #{}", event.order)
        }
        EventKind::Status => format!("{id} status {}", event.aux),
        kind => format!("{id} {kind:?}"),
    })
}

/// Packets, each a millisecond behind the other, by where they are sent to.
pub fn read(packets: &[(Way, Vec<u8>)]) -> Given {
    let timed: Vec<(u64, Way, Vec<u8>)> =
        (0..).zip(packets).map(|(at, (to, bytes))| (at, *to, bytes.clone())).collect();
    read_with(&timed, Options::default())
}

/// As [`read`], with books by order.
pub fn read_orders(packets: &[(Way, Vec<u8>)]) -> Given {
    let timed: Vec<(u64, Way, Vec<u8>)> =
        (0..).zip(packets).map(|(at, (to, bytes))| (at, *to, bytes.clone())).collect();
    read_with(&timed, Options { by_order: true, ..Options::default() })
}

pub fn capture(packets: &[(u64, Way, Vec<u8>)]) -> Vec<u8> {
    let frame = |(millis, to, payload): &(u64, Way, Vec<u8>)| {
        (OPEN + millis * 1_000_000, ethernet(&[], &udp(Way(1, 1), *to, payload)))
    };
    pcap(Style { big: false, nanos: true }, 1, &packets.iter().map(frame).collect::<Vec<_>>())
}

/// Packets at their milliseconds.
pub fn read_with(packets: &[(u64, Way, Vec<u8>)], options: Options) -> Given {
    let file = capture(packets);
    let mut recording = open_bytes(&file, options).unwrap();
    let (mut unit, mut given) = (Unit::default(), Given::default());
    let mut last = None;
    while recording.next_unit(&mut unit).unwrap() {
        assert!(unit.received.nanos() >= last.unwrap_or(0), "time runs backwards");
        last = Some(unit.received.nanos());
        given.events.extend(unit.events.iter().filter_map(words));
        given.said.extend(unit.side.iter().map(|entry| entry.said.clone()));
    }
    given.counts = recording.counts();
    let log = recording.log();
    let gaps = log.gaps().1.iter();
    given.gaps = gaps.map(|gap| (gap.stream.clone(), gap.first, gap.count)).collect();
    given.skipped = log.skipped().map(|(reason, ..)| reason).collect();
    given.damaged = log.damaged().1.iter().map(|noted| noted.reason.to_string()).collect();
    let known = recording.instruments().all().iter();
    given.symbols = known.map(|known| known.symbol.clone()).collect();
    given
}
