//! What is sent, and when: a stream of ITCH messages cut into datagrams, each with the moment at
//! which it is due, and marks that ride in some of them. It sends nothing and reads no clock.

use crate::data::Walk;
use crate::data::arl::time_of;
use crate::wired::market::PACKET_BYTES;
use feeds::itch50::message::Replaced;
use feeds::moldudp64::HEADER_BYTES;

/// Messages of less than this between them share a datagram, as a publisher packs them.
const HOLD: u64 = 10_000;
/// Bytes that a mark takes in a packet.
const MARK_BYTES: usize = 2 + Replaced::LENGTH;

/// At which pace a stream is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// That of its own stamps, so many times faster.
    Stamps(f64),
    /// A datagram every so many nanoseconds, each with at most so many messages.
    Even(f64, usize),
}

/// A datagram to be.
#[derive(Clone, Debug)]
pub struct Planned<'a> {
    /// Nanoseconds after the first one's moment.
    pub due: u64,
    /// Its messages of the stream, as they stand in a packet.
    pub stream: Walk<'a>,
    /// How many they are.
    pub count: u16,
    /// A mark rides behind them.
    pub mark: bool,
}

/// The next datagrams of `stream` at a pace: all that are due within `span` nanoseconds. Marks are
/// so many nanoseconds apart at least; with none, every datagram bears one.
#[must_use]
pub fn plan<'a>(stream: &mut Walk<'a>, pace: Pace, apart: u64, span: u64) -> Vec<Planned<'a>> {
    let mut planned: Vec<Planned<'a>> = Vec::new();
    let mut marked = None;
    let begin = stream.clone().next().map_or(0, time_of);
    while !stream.rest().is_empty() {
        let (count, due) = match pace {
            Pace::Stamps(speed) => stamped(stream, |time| scaled(time - begin, speed)),
            #[allow(clippy::cast_precision_loss)]
            Pace::Even(every, most) => {
                (fitting(stream).take(most).count(), scaled(planned.len() as u64, 1.0 / every))
            }
        };
        if due > span {
            break;
        }
        let mark = marked.is_none_or(|last| due >= last + apart);
        marked = if mark { Some(due) } else { marked };
        let stream = stream.split(count);
        planned.push(Planned { due, stream, count: u16::try_from(count).unwrap_or(0), mark });
    }
    planned
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn scaled(nanos: u64, speed: f64) -> u64 {
    (nanos as f64 / speed) as u64
}

/// The messages that fit one packet beside a mark, at least one.
fn fitting<'a>(stream: &Walk<'a>) -> impl Iterator<Item = &'a [u8]> {
    let mut bytes = HEADER_BYTES + MARK_BYTES;
    let mut first = true;
    stream.clone().take_while(move |message| {
        bytes += 2 + message.len();
        std::mem::replace(&mut first, false) || bytes <= PACKET_BYTES
    })
}

/// The messages that a publisher would pack together, and when the last of them is due.
fn stamped(stream: &Walk<'_>, due_of: impl Fn(u64) -> u64) -> (usize, u64) {
    let mut opened = None;
    let mut packed = (0, 0);
    for due in fitting(stream).map(|message| due_of(time_of(message))) {
        if due > *opened.get_or_insert(due) + HOLD {
            break;
        }
        packed = (packed.0 + 1, due);
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Messages;

    fn stream(times: &[u64]) -> Messages {
        let mut messages = Messages::default();
        for time in times {
            let mut message = [0; 36];
            message[3..11].copy_from_slice(&time.to_be_bytes());
            messages.push(&message);
        }
        messages
    }

    fn planned(messages: &Messages, pace: Pace, span: u64) -> Vec<(u64, u16, bool)> {
        let planned = plan(&mut messages.iter(), pace, 50_000, span);
        planned.iter().map(|packet| (packet.due, packet.count, packet.mark)).collect()
    }

    #[test]
    fn stamps_set_the_pace_and_neighbours_share_a_datagram() {
        let day = stream(&[1_000_000, 1_008_000, 1_040_000, 1_200_000]);
        let at_once = planned(&day, Pace::Stamps(1.0), u64::MAX);
        assert_eq!(at_once, [(8_000, 2, true), (40_000, 1, false), (200_000, 1, true)]);
        let faster = planned(&day, Pace::Stamps(10.0), 10_000);
        assert_eq!(faster, [(4_000, 3, true)]);
    }

    #[test]
    fn an_even_pace_fills_packets_to_what_they_hold() {
        let day = stream(&[0; 100]);
        let full = planned(&day, Pace::Even(30_000.0, 64), u64::MAX);
        assert_eq!(full.iter().map(|packet| packet.1).collect::<Vec<_>>(), [35, 35, 30]);
        assert_eq!(full.iter().map(|packet| packet.2).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(planned(&day, Pace::Even(30_000.0, 1), 29_000).len(), 1);
    }
}
