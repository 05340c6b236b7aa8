//! TCP of captures in order: every way in which a capture can have segments, and what is never done:
//! a wrong byte, a byte twice, a hole that is not told.

use feeds::capture::{FlowCounts, Flows, Hole, InOrder, Segment, StreamId};
use market::{Nanos, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// Number of a SYN, so that numbers begin anew within the tests.
const ISN: u32 = u32::MAX - 10;

fn address(host: u8, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, host), port)
}

/// One capture: what each stream gave, with holes as `-`.
#[derive(Default)]
struct Rig {
    flows: Flows,
    now: u64,
    streams: BTreeMap<StreamId, Vec<u8>>,
    holes: Vec<Hole>,
    ended: usize,
}

impl Rig {
    fn take(&mut self, segment: &Segment<'_>) -> Result<(), &'static str> {
        let Rig { flows, streams, holes, ended, .. } = self;
        flows.segment(segment, &mut |id, told| note(streams, holes, ended, id, told))
    }

    /// A segment from the client, whose first byte has number `ISN + 1`.
    fn send(&mut self, at: u32, flags: u8, payload: &[u8]) -> Result<(), &'static str> {
        self.now += 1_000_000;
        let sequence = ISN.wrapping_add(1).wrapping_add(at);
        self.take(&Segment {
            position: self.now,
            time: Timestamp::from_nanos(self.now),
            from: address(1, 4000),
            to: address(2, 9000),
            sequence,
            acknowledges: 0,
            flags,
            payload,
        })
    }

    /// The server has everything before the byte at `at`.
    fn acknowledge(&mut self, at: u32) {
        self.now += 1_000_000;
        let acknowledges = ISN.wrapping_add(1).wrapping_add(at);
        let (from, to) = (address(2, 9000), address(1, 4000));
        let (position, time) = (self.now, Timestamp::from_nanos(self.now));
        let segment = Segment {
            position,
            time,
            from,
            to,
            sequence: 5,
            acknowledges,
            flags: ACK,
            payload: b"",
        };
        self.take(&segment).unwrap();
    }

    fn finish(&mut self) -> String {
        let Rig { flows, streams, holes, ended, .. } = self;
        flows.finish(&mut |id, told| note(streams, holes, ended, id, told));
        self.text()
    }

    fn text(&self) -> String {
        let texts = self.streams.values().map(|bytes| String::from_utf8(bytes.clone()).unwrap());
        texts.collect::<Vec<_>>().join("|")
    }

    fn counts(&self) -> FlowCounts {
        self.flows.counts()
    }
}

fn note(
    streams: &mut BTreeMap<StreamId, Vec<u8>>,
    holes: &mut Vec<Hole>,
    ended: &mut usize,
    id: StreamId,
    told: InOrder<'_>,
) {
    match told {
        InOrder::Bytes(stretch) => {
            let stream = streams.entry(id).or_default();
            assert_eq!(stretch.offset, stream.len() as u64);
            stream.extend(stretch.bytes);
        }
        InOrder::Hole(hole) => {
            let stream = streams.entry(id).or_default();
            assert_eq!(hole.offset, stream.len() as u64);
            stream.extend(std::iter::repeat_n(b'-', usize::try_from(hole.bytes).unwrap()));
            holes.push(hole);
        }
        InOrder::End => *ended += 1,
    }
}

#[test]
fn a_connection_from_syn_to_fin_over_the_end_of_the_numbers() {
    let mut rig = Rig::default();
    rig.send(0u32.wrapping_sub(1), SYN, b"").unwrap();
    rig.send(0, ACK, b"hello ").unwrap();
    rig.send(6, ACK, b"wide ").unwrap();
    rig.send(11, ACK | FIN, b"world").unwrap();
    assert_eq!(rig.text(), "hello wide world", "at once");
    assert_eq!(rig.finish(), "hello wide world");
    let FlowCounts { flows, segments, retransmissions, holes, .. } = rig.counts();
    assert_eq!((flows, segments, retransmissions, holes, rig.ended), (1, 4, 0, 0, 2));
}

#[test]
fn what_came_twice_is_given_once() {
    let mut rig = Rig::default();
    rig.send(0, ACK, b"abcd").unwrap();
    rig.send(0, ACK, b"abcd").unwrap();
    rig.send(2, ACK, b"cd").unwrap();
    // A keepalive is a byte that was had.
    rig.send(3, ACK, b"d").unwrap();
    rig.send(2, ACK, b"cdef").unwrap();
    // Over pieces that wait.
    rig.send(8, ACK, b"ij").unwrap();
    rig.send(7, ACK, b"hijkl").unwrap();
    rig.send(7, ACK, b"hij").unwrap();
    rig.send(6, ACK, b"gh").unwrap();
    assert_eq!(rig.finish(), "abcdefghijkl");
    let FlowCounts { retransmissions, overlaps, contradictions, holes, .. } = rig.counts();
    assert_eq!((retransmissions, overlaps, contradictions, holes), (3, 4, 0, 0));
}

#[test]
fn the_first_bytes_count_and_others_in_their_place_are_told() {
    let mut rig = Rig::default();
    rig.send(0, ACK, b"ab").unwrap();
    rig.send(4, ACK, b"ef").unwrap();
    rig.send(2, ACK, b"cdEF").unwrap();
    assert_eq!(rig.finish(), "abcdef");
    assert_eq!(rig.counts().contradictions, 1);
}

#[test]
fn segments_out_of_order_are_put_in_order() {
    let mut rig = Rig::default();
    rig.send(u32::MAX, SYN, b"").unwrap();
    rig.send(8, FIN | ACK, b"").unwrap();
    rig.send(4, ACK, b"efgh").unwrap();
    rig.send(2, ACK, b"cd").unwrap();
    assert_eq!(rig.text(), "");
    assert_eq!(rig.flows.waits_since(), Some(Timestamp::from_nanos(2_000_000)));
    rig.send(0, ACK, b"ab").unwrap();
    assert_eq!(rig.text(), "abcdefgh");
    assert_eq!(rig.flows.waits_since(), None);
}

#[test]
fn an_end_among_bytes_that_wait_is_none() {
    let mut rig = Rig::default();
    rig.send(0, ACK, b"ab").unwrap();
    rig.send(4, ACK, b"efgh").unwrap();
    // It says that the stream ended within them.
    rig.send(6, FIN, b"").unwrap();
    rig.send(6, ACK, b"ghij").unwrap();
    assert_eq!(rig.finish(), "ab--efghij");
    assert_eq!(rig.counts().overlaps, 1);
}

#[test]
fn a_hole_is_told_with_place_and_bytes_when_nothing_can_fill_it() {
    // The other side has what is missing: it is not sent again.
    let mut rig = Rig::default();
    rig.send(0, ACK, b"ab").unwrap();
    rig.send(5, ACK, b"fg").unwrap();
    let behind = rig.now;
    rig.acknowledge(7);
    assert_eq!(rig.text(), "ab", "packets may be captured in another order");
    rig.now += 100_000_000;
    rig.acknowledge(7);
    assert_eq!(rig.text(), "ab---fg");
    let time = Timestamp::from_nanos(behind);
    assert_eq!(rig.holes, [Hole { offset: 2, bytes: 3, position: behind, time }]);
    // What comes too late is no other byte.
    rig.send(2, ACK, b"cde").unwrap();
    rig.send(7, ACK, b"h").unwrap();
    assert_eq!(rig.finish(), "ab---fgh");

    // The other side does not, or was not captured.
    let mut rig = Rig::default();
    rig.send(0, ACK, b"ab").unwrap();
    rig.send(5, ACK, b"fg").unwrap();
    rig.now += 4_900_000_000;
    rig.send(7, ACK, b"h").unwrap();
    assert_eq!(rig.text(), "ab");
    rig.now += 100_000_000;
    rig.send(8, ACK, b"i").unwrap();
    assert_eq!(rig.text(), "ab---fghi");

    // A reset, the end of the capture, and what only an acknowledgment tells of.
    let mut rig = Rig::default();
    rig.send(0, ACK, b"ab").unwrap();
    rig.send(5, ACK, b"fg").unwrap();
    rig.send(7, RST, b"what was wrong").unwrap();
    assert_eq!(rig.text(), "ab---fg");
    rig.acknowledge(12);
    assert_eq!(rig.finish(), "ab---fg-----");
    assert_eq!((rig.counts().holes, rig.counts().hole_bytes), (2, 8));
}

#[test]
fn a_silent_connection_is_settled_by_what_others_do() {
    let mut rig = Rig::default();
    rig.send(0, ACK, b"ab").unwrap();
    rig.send(5, ACK, b"fg").unwrap();
    let time = Timestamp::from_nanos(rig.now).after(Nanos::from_secs(5));
    let segment = Segment {
        position: 9,
        time,
        from: address(7, 7),
        to: address(8, 8),
        sequence: 1,
        acknowledges: 0,
        flags: ACK,
        payload: b"x",
    };
    rig.take(&segment).unwrap();
    assert_eq!(rig.text(), "ab---fg|x");
}

#[test]
fn the_same_ports_connect_again() {
    let mut rig = Rig::default();
    rig.send(u32::MAX, SYN, b"").unwrap();
    rig.send(0, ACK, b"ab").unwrap();
    rig.send(u32::MAX, SYN, b"").unwrap();
    rig.send(2, ACK, b"cd").unwrap();
    rig.send(900_000, SYN, b"").unwrap();
    rig.send(900_001, ACK, b"new").unwrap();
    assert_eq!(rig.finish(), "abcd|new");
    assert_eq!((rig.counts().flows, rig.counts().retransmissions), (2, 0));
}

#[test]
fn what_is_of_no_stream_is_refused_with_a_reason() {
    let mut rig = Rig::default();
    rig.send(100, ACK, b"ab").unwrap();
    // Captured after what was sent later: where the stream began is not known.
    let before = rig.send(98, ACK, b"yz").unwrap_err();
    assert_eq!(before, "TCP segment from before the first that was captured");
    let far = rig.send(1 << 31, ACK, b"far").unwrap_err();
    assert_eq!(far, "TCP sequence number beyond any window");
    rig.send(99, SYN, b"").unwrap();
    rig.send(102, ACK, b"cd").unwrap();
    assert_eq!(rig.finish(), "abcd");
}

#[test]
fn what_waits_is_bounded_in_one_stream_and_in_all() {
    let mut rig = Rig::default();
    rig.send(0, ACK, b"a").unwrap();
    for at in 0..5_000 {
        rig.send(10 + 2 * at, ACK, b"b").unwrap();
    }
    // 1,024 pieces wait; those before were given.
    assert!(rig.counts().holes > 3_900);
    let text = rig.finish();
    assert_eq!(text.matches('b').count(), 5_000);
    assert_eq!(text.matches('-').count(), 9 + 4_999);

    // Sixty connections, each below its own bound: those that wait longest give what they have.
    let mut rig = Rig::default();
    let large = vec![b'x'; 60_000];
    for port in 0..60 {
        for at in 0..17u32 {
            rig.take(&Segment {
                position: 0,
                time: Timestamp::from_nanos(port.into()),
                from: address(1, port),
                to: address(2, 9000),
                sequence: at.saturating_sub(1) * 60_000 + if at == 0 { 0 } else { 2 },
                acknowledges: 0,
                flags: ACK,
                payload: if at == 0 { b"a" } else { &large },
            })
            .unwrap();
        }
    }
    assert_eq!(rig.counts().holes, 60 - 17);
}

#[test]
fn the_connection_that_was_idle_longest_gives_way() {
    let mut rig = Rig::default();
    for port in 0..2_000u16 {
        let segment = Segment {
            position: port.into(),
            time: Timestamp::ZERO,
            from: address(1, port),
            to: address(2, 9000),
            sequence: 7,
            acknowledges: 0,
            flags: ACK,
            payload: b"x",
        };
        rig.take(&segment).unwrap();
        // One is never idle.
        let sequence = 1 + u32::from(port);
        rig.take(&Segment { from: address(3, 3), sequence, ..segment }).unwrap();
    }
    let FlowCounts { flows, dropped, .. } = rig.counts();
    assert_eq!((flows, dropped), (2_001, 2_001 - 1_024));
    rig.finish();
    assert_eq!(rig.ended, 2 * 2_001);
    assert!(rig.streams.values().any(|stream| stream.len() == 2_000));
}

/// A text cut into segments, with losses, repetitions, overlaps and another order.
#[derive(Clone, Debug)]
struct Journey {
    text: Vec<u8>,
    /// First byte, bytes, and how far it comes from its place in the order.
    segments: Vec<(usize, usize, u8)>,
}

fn journeys() -> impl Strategy<Value = Journey> {
    let text = prop::collection::vec(any::<u8>(), 1..600);
    let cuts = prop::collection::vec((1usize..60, 0u8..12, 0u8..20, 0usize..9), 60);
    (text, cuts).prop_map(|(text, cuts)| {
        let (mut at, mut segments) = (0, Vec::new());
        for (length, late, fate, back) in cuts {
            let from = at.min(text.len());
            let to = (from + length).min(text.len());
            let from = from.saturating_sub(back);
            // One of twenty is lost, three come twice.
            let times = match fate {
                0 => 0,
                1..=3 => 2,
                _ => 1,
            };
            for again in 0..times {
                segments.push((from, to - from, late + 5 * again));
            }
            at = to;
        }
        Journey { text, segments }
    })
}

proptest! {
    #[test]
    fn bytes_are_right_or_in_a_hole(journey in journeys(), isn in any::<u32>(), syn in any::<bool>()) {
        let Journey { text, mut segments } = journey;
        let mut order: Vec<_> = segments.drain(..).enumerate().collect();
        order.sort_by_key(|&(place, (_, _, late))| place + usize::from(late));
        if let Some(first) = order.iter().position(|&(_, (from, length, _))| from == 0 && length > 0)
            && !syn
        {
            // Without a SYN the first that was captured is the beginning.
            order.swap(0, first);
        }
        let mut had = vec![false; text.len()];
        let mut flows = Flows::default();
        let (mut out, mut missing) = (Vec::new(), Vec::new());
        let mut give = |_: StreamId, told: InOrder<'_>| match told {
            InOrder::Bytes(stretch) => {
                assert_eq!(stretch.offset, out.len() as u64);
                out.extend(stretch.bytes.iter().copied().map(Some));
            }
            InOrder::Hole(hole) => {
                assert_eq!(hole.offset, out.len() as u64);
                missing.push(hole);
                out.extend(std::iter::repeat_n(None, usize::try_from(hole.bytes).unwrap()));
            }
            InOrder::End => {}
        };
        let mut send = |sequence: u32, flags: u8, payload: &[u8]| {
            let (from, to) = (address(1, 4000), address(2, 9000));
            let (position, time) = (0, Timestamp::from_nanos(1));
            let segment =
                Segment { position, time, from, to, sequence, acknowledges: 0, flags, payload };
            flows.segment(&segment, &mut give)
        };
        if syn {
            send(isn.wrapping_sub(1), SYN, b"").unwrap();
        }
        let mut begun = syn;
        for (_, (from, length, _)) in order {
            begun |= from == 0 && length > 0;
            if !begun || length == 0 {
                continue;
            }
            let sequence = isn.wrapping_add(u32::try_from(from).unwrap());
            prop_assert_eq!(send(sequence, ACK, &text[from..from + length]), Ok(()));
            had[from..from + length].fill(true);
        }
        flows.finish(&mut give);
        let counts = flows.counts();
        // As far as anything came, and no further.
        let reach = had.iter().rposition(|had| *had).map_or(0, |last| last + 1);
        prop_assert_eq!(out.len(), reach);
        for (at, byte) in out.iter().enumerate() {
            prop_assert_eq!(*byte, had[at].then_some(text[at]), "byte {}", at);
        }
        prop_assert_eq!(counts.holes, missing.len() as u64);
        prop_assert_eq!(counts.contradictions, 0);
    }
}
