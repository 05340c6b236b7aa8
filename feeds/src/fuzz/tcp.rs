//! TCP: streams in order.

use crate::capture::{Flows, InOrder, Segment, StreamId};
use market::{Nanos, Timestamp};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Near the end of the numbers, so that they begin anew.
const FIRST: u32 = u32::MAX - 600;

/// Any bytes as segments of a few connections, cut, repeated, overlapping and out of order as they
/// say, all of whose payloads are of one text: what is given is that text, each byte once and in its
/// place, or a hole.
pub fn tcp(bytes: &[u8]) {
    let mut flows = Flows::default();
    let mut given = BTreeMap::new();
    let (mut now, mut text, mut places) = (Timestamp::ZERO, Vec::new(), Vec::new());
    for &[step, high, low, length, time, other] in bytes.as_chunks().0 {
        now = now.after(Nanos::from_millis(u64::from(time) * 4));
        let at = u16::from_be_bytes([high, low]);
        let mut ends = [end(1, 1), end(2, 2 + u16::from(step >> 6))];
        if step & 1 != 0 {
            ends.reverse();
        }
        let sequence = FIRST.wrapping_add(u32::from(at));
        text.clear();
        let place = sequence.wrapping_add(u32::from(step & 2 != 0));
        text.extend((0..u32::from(length)).map(|at| letter(place.wrapping_add(at))));
        let segment = Segment {
            position: places.len() as u64,
            time: now,
            from: ends[0],
            to: ends[1],
            sequence,
            acknowledges: FIRST.wrapping_add(u32::from(other) * 8),
            // SYN, FIN, RST and ACK.
            flags: step & 0b10 | (step >> 2) & 1 | (step >> 1) & 4 | step & 16,
            payload: &text,
        };
        places.push(place);
        let _ = flows.segment(&segment, &mut |id, told| check(&mut given, &places, id, told));
    }
    let flows_met = flows.counts().flows;
    flows.finish(&mut |id, told| check(&mut given, &places, id, told));
    assert_eq!(flows.counts().flows, flows_met);
    assert!(given.values().all(|given| given.ended) && flows.waits_since().is_none());
}

fn end(host: u8, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, host), port)
}

/// The byte that has this number in every stream.
fn letter(number: u32) -> u8 {
    number.wrapping_mul(0x9e37_79b1).to_be_bytes()[0]
}

/// What a stream gave.
#[derive(Default)]
struct Given {
    next: u64,
    /// What the number of its first byte may be, once there were letters.
    begins: Option<Vec<u32>>,
    ended: bool,
}

fn check(all: &mut BTreeMap<StreamId, Given>, places: &[u32], id: StreamId, told: InOrder<'_>) {
    let given = all.entry(id).or_default();
    assert!(!given.ended);
    match told {
        InOrder::Bytes(stretch) => {
            assert_eq!(stretch.offset, given.next);
            assert!(!stretch.bytes.is_empty());
            let offset = stretch.offset as u32;
            let place = places[usize::try_from(stretch.position).expect("a count")];
            let any = || (0..256).map(|at| place.wrapping_add(at).wrapping_sub(offset)).collect();
            // It stands somewhere in its segment, and always as far from the first byte.
            let begins = given.begins.get_or_insert_with(any);
            begins.retain(|begin| {
                let numbers = (0..).map(|at| begin.wrapping_add(offset).wrapping_add(at));
                stretch.bytes.iter().zip(numbers).all(|(byte, number)| *byte == letter(number))
            });
            assert!(!begins.is_empty());
            given.next += stretch.bytes.len() as u64;
        }
        InOrder::Hole(hole) => {
            assert!(hole.offset == given.next && hole.bytes > 0);
            given.next += hole.bytes;
        }
        InOrder::End => given.ended = true,
    }
}
