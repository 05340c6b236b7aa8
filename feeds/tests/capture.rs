//! Captures: layouts, byte orders and clocks of the file; layers of the frame; everything that can be
//! wrong with either.

mod common;

use common::packets::{
    Style, Way, block, enhanced, ethernet, ipv4, pcap, record, section, tcp, udp,
};
use feeds::capture::{Carried, Walker, transport};
use feeds::recording::{Broken, Log};
use market::Timestamp;
use std::io::Read;

const FROM: Way = Way(1, 4000);
const TO: Way = Way(111, 26_477);
const LITTLE: Style = Style { big: false, nanos: true };
/// A time with nanoseconds.
const TIME: u64 = 1_752_759_000_123_456_789;

fn hello() -> Vec<u8> {
    udp(FROM, TO, b"hello")
}

/// Payloads with their times, what was skipped, and how it ended.
#[derive(Debug, PartialEq)]
struct Walked {
    payloads: Vec<(u64, Vec<u8>)>,
    skipped: Vec<(&'static str, u64)>,
    cut: Option<(u64, String)>,
    broken: Option<Broken>,
}

/// Gives a byte at a time, so that no record ever stands in the window before it is asked for.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let one = into.len().min(1);
        self.0.read(&mut into[..one])
    }
}

/// A file at once and drop by drop is the same.
fn walk(file: &[u8]) -> Walked {
    let whole = walked(file);
    assert_eq!(walked(Drip(file)), whole);
    whole
}

fn walked(file: impl Read) -> Walked {
    let (mut walker, mut log, mut payloads) = (Walker::new(file), Log::default(), Vec::new());
    let broken = loop {
        match walker.next_frame(&mut log) {
            Ok(Some(frame)) => match transport(&frame) {
                Ok(Carried::Datagram(found)) => {
                    payloads.push((found.time.nanos(), found.payload.to_vec()));
                }
                Ok(Carried::Segment(found)) => {
                    payloads.push((found.time.nanos(), found.payload.to_vec()));
                }
                Err(reason) => log.skip(frame.position, reason),
            },
            Ok(None) => break None,
            Err(broken) => break Some(broken),
        }
    };
    // The end stays the end.
    assert_eq!(walker.next_frame(&mut log).err(), broken);
    let skipped = log.skipped().map(|(reason, count, _)| (reason, count)).collect();
    let cut = log.is_cut().map(|cut| (cut.position, cut.reason.clone().into_owned()));
    Walked { payloads, skipped, cut, broken }
}

/// What becomes of one frame.
fn one(link: u16, frame: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let Walked { mut payloads, skipped, .. } = walk(&pcap(LITTLE, link, &[(TIME, frame)]));
    match skipped.first() {
        Some(&(reason, 1)) if payloads.is_empty() => Err(reason),
        _ => Ok(payloads.pop().unwrap().1),
    }
}

#[test]
fn both_byte_orders_and_clocks_of_pcap() {
    for style in Style::ALL {
        let frame = ethernet(&[], &hello());
        let walked = walk(&pcap(style, 1, &[(TIME, frame.clone()), (TIME + 5_000, frame)]));
        let first = if style.nanos { TIME } else { TIME / 1_000 * 1_000 };
        assert_eq!(
            walked.payloads,
            [(first, b"hello".to_vec()), (first + 5_000, b"hello".to_vec())],
            "{style:?}"
        );
        assert_eq!((walked.cut, walked.broken, walked.skipped), (None, None, vec![]));
    }
}

#[test]
fn sections_interfaces_and_clocks_of_pcapng() {
    let frame = ethernet(&[], &hello());
    let length = frame.len() as u32;
    let mut file = Vec::new();
    for style in [Style { big: true, nanos: true }, LITTLE] {
        // Microseconds, nanoseconds, 2^-20 of a second; and blocks that are passed over.
        for (resolution, ticks) in [(6, TIME / 1_000), (9, TIME), (0x80 | 20, (5 << 20) + 1)] {
            file.extend(section(style, 1, resolution));
            file.extend(block(style, 5, &[0; 12]));
            file.extend(enhanced(style, ticks, length, &frame));
            file.extend(block(style, 0xbad, b"custom"));
        }
        // A simple block has no time, and the obsolete one names its interface in 16 bits.
        let word = |value: u32| if style.big { value.to_be_bytes() } else { value.to_le_bytes() };
        file.extend(block(style, 3, &[&word(length), &frame[..]].concat()));
        let words = [word(0), word(0), word(7), word(length), word(length)].concat();
        file.extend(block(style, 2, &[&words, &frame[..]].concat()));
        // An hour to be added (if_tsoffset).
        let hour = if style.big { 3_600u64.to_be_bytes() } else { 3_600u64.to_le_bytes() };
        let half = |value: u16| if style.big { value.to_be_bytes() } else { value.to_le_bytes() };
        let options = [half(14), half(8)].concat();
        file.extend(block(
            style,
            1,
            &[&[half(1), half(0)].concat(), &word(0)[..], &options, &hour].concat(),
        ));
        let words = [word(1), word(0), word(7), word(length), word(length)].concat();
        file.extend(block(style, 6, &[&words, &frame[..]].concat()));
    }
    let walked = walk(&file);
    let times: Vec<u64> = walked.payloads.iter().map(|&(time, _)| time).collect();
    let once = [TIME / 1_000 * 1_000, TIME, 5_000_000_953, 0, 6_675, 3_600_000_007_000];
    assert_eq!(times, [once, once].concat());
    assert!(walked.payloads.iter().all(|(_, payload)| payload == b"hello"));
    assert_eq!((walked.skipped, walked.cut, walked.broken), (vec![], None, None));
}

#[test]
fn every_layer_down_to_the_payload() {
    let packet = hello();
    for tags in [&[][..], &[0x8100], &[0x88a8, 0x8100], &[0x9100, 0x8100], &[0x8100; 4]] {
        assert_eq!(one(1, ethernet(tags, &packet)).unwrap(), b"hello");
    }
    let sll = [&[0; 14][..], &[8, 0], &packet].concat();
    let sll2 = [&[8, 0][..], &[0; 18], &packet].concat();
    for (link, frame) in [(101, packet.clone()), (228, packet.clone()), (113, sll), (276, sll2)] {
        assert_eq!(one(link, frame).unwrap(), b"hello", "link type {link}");
    }
    // IPv4 options, padding of a short frame, a length that the card left to itself.
    let body = &packet[20..];
    assert_eq!(one(101, ipv4(17, 1, 2, 5, 0, body)).unwrap(), b"hello");
    assert_eq!(one(1, [&ethernet(&[], &packet)[..], &[0; 13]].concat()).unwrap(), b"hello");
    let mut unsaid = packet.clone();
    unsaid[2..4].fill(0);
    assert_eq!(one(101, unsaid).unwrap(), b"hello");
    assert_eq!(one(101, tcp(FROM, TO, 9, 0x18, b"8=FIX")).unwrap(), b"8=FIX");
}

#[test]
fn addresses_ports_and_numbers_are_those_of_the_packet() {
    let file = pcap(LITTLE, 101, &[(TIME, hello()), (TIME, tcp(FROM, TO, 77, 0x12, b""))]);
    let (mut walker, mut log) = (Walker::new(&file[..]), Log::default());
    let frame = walker.next_frame(&mut log).unwrap().unwrap();
    assert_eq!((frame.position, frame.time), (24, Timestamp::from_nanos(TIME)));
    let Ok(Carried::Datagram(datagram)) = transport(&frame) else { panic!("no datagram") };
    assert_eq!(datagram.from.to_string(), "10.0.0.1:4000");
    assert_eq!(datagram.to.to_string(), "233.54.12.111:26477");
    let ends = (datagram.from, datagram.to);
    let frame = walker.next_frame(&mut log).unwrap().unwrap();
    let Ok(Carried::Segment(segment)) = transport(&frame) else { panic!("no segment") };
    assert_eq!((segment.sequence, segment.flags), (77, 0x12));
    assert_eq!((segment.from, segment.to), ends);
}

#[test]
fn bad_input_frames_that_cannot_be_used_have_a_reason() {
    let packet = hello();
    let with = |at: usize, byte: u8| {
        let mut packet = packet.clone();
        packet[at] = byte;
        packet
    };
    let ipv6 = [&[1; 12][..], &[0x86, 0xdd], &[0x60; 40]].concat();
    for (link, frame, reason) in [
        (1, ipv6, "IPv6"),
        (101, vec![0x60; 40], "IPv6"),
        (1, [&[1; 12][..], &[8, 6], &[0; 28]].concat(), "neither IPv4 nor IPv6"),
        (1, vec![1; 13], "frame shorter than its header"),
        (1, ethernet(&[0x8100; 5], &packet), "more VLAN tags than are read"),
        (127, packet.clone(), "link type that is not read"),
        (101, packet[..9].to_vec(), "IPv4 header cut"),
        (101, with(0, 0x44), "IPv4 lengths contradict each other"),
        (101, with(3, 19), "IPv4 lengths contradict each other"),
        (101, with(3, 200), "IPv4 packet longer than its frame"),
        (101, with(6, 0x20), "IPv4 fragment"),
        (101, with(7, 1), "IPv4 fragment"),
        (101, with(9, 1), "IPv4, neither UDP nor TCP"),
        (101, with(25, 14), "UDP length is not the packet's"),
        (101, with(25, 7), "UDP length is not the packet's"),
        (101, ipv4(17, 1, 2, 0, 0, &[0; 5]), "UDP header cut"),
        (101, ipv4(6, 1, 2, 0, 0, &[0; 19]), "TCP header cut"),
        (101, ipv4(6, 1, 2, 0, 0, &[0; 20]), "TCP header longer than its packet"),
        (101, ipv4(6, 1, 2, 0, 0, &[0xf0; 40]), "TCP header longer than its packet"),
    ] {
        assert_eq!(one(link, frame), Err(reason));
    }
    // Sliced within the datagram, it is of no use; behind it, it is.
    for captured in 0..packet.len() {
        let mut file = pcap(LITTLE, 101, &[]);
        file.extend(record(LITTLE, TIME, packet.len() as u32, &packet[..captured]));
        assert_eq!(walk(&file).skipped, [("sliced: captured only in part", 1)]);
    }
    let mut file = pcap(LITTLE, 101, &[]);
    file.extend(record(LITTLE, TIME, packet.len() as u32 + 9, &packet));
    assert_eq!(walk(&file).payloads.len(), 1);
}

#[test]
fn bad_input_a_capture_cut_anywhere_ends_cleanly() {
    let frame = ethernet(&[], &hello());
    let file = pcap(LITTLE, 1, &[(TIME, frame.clone()), (TIME, frame.clone())]);
    let record = 16 + frame.len();
    for length in 4..file.len() {
        let walked = walk(&file[..length]);
        let whole = length.saturating_sub(24) / record;
        assert_eq!(walked.payloads.len(), whole);
        let end = if length < 24 { 0 } else { 24 + whole * record };
        let position = walked.cut.map(|(position, _)| position);
        assert_eq!(position, (end != length || length < 24).then_some(end as u64), "{length}");
        assert_eq!(walked.broken, None);
    }
    let cut = walk(&file[..file.len() - 3]).cut.unwrap().1;
    let (all, there) = (frame.len(), frame.len() - 3);
    assert_eq!(cut, format!("packet 2: cut: {there} of its {all} bytes are there"));
    let mut file = section(LITTLE, 1, 9);
    let head = file.len();
    file.extend(enhanced(LITTLE, TIME, frame.len() as u32, &frame));
    for length in head + 1..file.len() {
        let walked = walk(&file[..length]);
        assert_eq!(walked.cut.map(|(position, _)| position), Some(head as u64));
        assert_eq!((walked.payloads.len(), walked.broken), (0, None));
    }
}

#[test]
fn bad_input_lengths_that_lie_stop_or_are_passed() {
    let frame = ethernet(&[], &hello());
    // A record of 4 GiB: there is no way to the next, and no memory is taken for it.
    let mut file = pcap(LITTLE, 1, &[(TIME, frame.clone())]);
    let at = file.len() as u64;
    file.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let walked = walk(&file);
    assert_eq!(walked.payloads.len(), 1);
    let broken = walked.broken.unwrap();
    assert_eq!(broken.position, at);
    assert!(broken.reason.starts_with("packet 2: claims 4294967295 bytes"), "{broken}");

    let head = section(LITTLE, 1, 9);
    let good = enhanced(LITTLE, TIME, frame.len() as u32, &frame);
    let file = |bad: &[u8]| [&head, bad, &good].concat();
    // Lengths of zero, or not of whole words, or that differ before and behind.
    for bad in [
        &[6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &[6, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[6, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0],
    ] {
        let walked = walk(&file(bad));
        assert_eq!(walked.broken.unwrap().position, head.len() as u64);
        assert_eq!(walked.payloads.len(), 0);
    }
    // Blocks that contradict themselves are passed, and the next is read.
    let lying = {
        let words = [0u32, 0, 0, 500, 500].map(u32::to_le_bytes).concat();
        block(LITTLE, 6, &[&words, &frame[..]].concat())
    };
    let stranger = {
        let words = [9u32, 0, 0, frame.len() as u32, 0].map(u32::to_le_bytes).concat();
        block(LITTLE, 6, &[&words, &frame[..]].concat())
    };
    for (bad, reason) in [
        (lying, "packet longer than its block"),
        (stranger, "packet of an interface that was not described"),
        (block(LITTLE, 6, &[0; 8]), "packet block too short"),
        (block(LITTLE, 1, &[0; 4]), "interface block too short"),
        (block(LITTLE, 6, &vec![0; 300_000]), "block longer than any packet"),
    ] {
        let walked = walk(&file(&bad));
        assert_eq!((walked.skipped, walked.payloads.len()), (vec![(reason, 1)], 1));
    }
    let no_order = [&block(LITTLE, 0x0a0d_0d0a, &[7; 16])[..], &good].concat();
    assert!(walk(&no_order).broken.is_some());
    let again = [&head[..], &block(LITTLE, 0x0a0d_0d0a, &[7; 16])[..]].concat();
    assert!(walk(&again).broken.unwrap().reason.contains("without a byte order"));
    assert!(walk(b"no capture").broken.is_some() && walk(b"").broken.is_some());
}
