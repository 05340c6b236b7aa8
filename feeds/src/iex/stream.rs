//! The messages of a stream in order, each once, from however many lines. What comes early waits;
//! what no line brings in time is lost. A stream begins anew where its number falls back and the
//! time does not, or where its session changes.

use super::wire::Packet;
use crate::send_times::SendTimes;
use market::ids::digest64;
use market::{Nanos, Timestamp};
use std::collections::BTreeMap;

/// How long one line may lag behind another, by the capture's clock and by the sender's.
const WAIT: Nanos = Nanos::from_millis(100);
/// Packets that may wait.
const WAITING_MAX: usize = 256;
/// Packets remembered, to know their copies.
const REMEMBERED: usize = 1_024;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its messages are taken, but for so many that were.
    Next(usize),
    /// It is the first of a stream that began anew.
    Restart,
    /// It waits for those before it, or brings nothing.
    Waits,
    /// Its messages were taken.
    Duplicate,
    /// Its messages were taken, and were others.
    Differs,
    /// It was sent long before what was taken: before the stream began anew, or out of all order.
    Past,
    /// It is of another stream than the first.
    Other,
}

/// A packet that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) bytes: Vec<u8>,
    pub(super) position: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// Protocol, channel and session.
    pub(super) id: Option<(u16, u32, u32)>,
    /// Number of the next message.
    expected: u64,
    /// When the packets that were taken were sent.
    sent: SendTimes,
    waiting: BTreeMap<u64, Waiting>,
    /// Since when packets wait.
    since: Timestamp,
    remembered: Vec<(u64, u16, u64)>,
}

impl Stream {
    pub(super) fn new() -> Stream {
        Stream {
            id: None,
            expected: 0,
            sent: SendTimes::default(),
            waiting: BTreeMap::new(),
            since: Timestamp::ZERO,
            remembered: vec![(0, 0, 0); REMEMBERED],
        }
    }

    /// Judges a packet, and keeps it if it is early.
    pub(super) fn offer(
        &mut self,
        packet: &Packet<'_>,
        bytes: &[u8],
        position: u64,
        now: Timestamp,
    ) -> Verdict {
        let id = (packet.protocol, packet.channel, packet.session);
        let Some(own) = self.id else {
            self.id = Some(id);
            self.took(packet);
            return Verdict::Next(0);
        };
        if (own.0, own.1) != (id.0, id.1) {
            return Verdict::Other;
        }
        let later = packet.send_time > self.sent.latest().saturating_add(WAIT.get());
        if own.2 != id.2 || packet.first < self.expected {
            let known = self.remembered[place(packet.first)];
            let copy = own.2 == id.2
                && packet.count > 0
                && (known.0, known.1) == (packet.first, packet.count);
            if copy && known.2 == digest64(packet.body) {
                return Verdict::Duplicate;
            }
            if later && (own.2 != id.2 || packet.next() <= self.expected) {
                self.id = Some(id);
                self.waiting.clear();
                self.remembered.fill((0, 0, 0));
                self.took(packet);
                return Verdict::Restart;
            }
            if packet.count > 0 && (own.2 != id.2 || packet.next() <= self.expected) {
                self.sent.stalls(packet.send_time);
            }
            if own.2 != id.2 {
                return Verdict::Past;
            }
            if packet.next() <= self.expected {
                let behind = packet.send_time.saturating_add(WAIT.get()) < self.sent.latest();
                return match (copy, behind && packet.count > 0) {
                    (true, _) => Verdict::Differs,
                    (false, true) => Verdict::Past,
                    (false, false) => Verdict::Duplicate,
                };
            }
            // Its head was taken, its tail was not.
            let taken = usize::try_from(self.expected - packet.first).unwrap_or(usize::MAX);
            self.took(packet);
            return Verdict::Next(taken);
        }
        if packet.first == self.expected {
            self.took(packet);
            return Verdict::Next(0);
        }
        if packet.send_time.saturating_add(WAIT.get()) < self.sent.latest() {
            self.sent.stalls(packet.send_time);
            return Verdict::Past;
        }
        self.sent.waits();
        if self.waiting.is_empty() {
            self.since = now;
        }
        // A heartbeat waits as well: it shows that messages before it are missing.
        let waiting = Waiting { bytes: bytes.to_vec(), position };
        let longer = self
            .waiting
            .get(&packet.first)
            .is_none_or(|known| known.bytes.len() < waiting.bytes.len());
        if longer {
            self.waiting.insert(packet.first, waiting);
        }
        Verdict::Waits
    }

    fn took(&mut self, packet: &Packet<'_>) {
        self.expected = packet.next();
        self.sent.took(packet.send_time);
        if packet.count > 0 {
            self.remembered[place(packet.first)] =
                (packet.first, packet.count, digest64(packet.body));
        }
    }

    /// The packet that is next, if it waits, and how many of its messages were taken. What is
    /// missing before it is given up if that is of no more use: `Err` has the first number and how
    /// many.
    pub(super) fn next(
        &mut self,
        now: Timestamp,
        over: bool,
    ) -> Option<Result<(Waiting, usize), (u64, u64)>> {
        let (&first, _) = self.waiting.first_key_value()?;
        if first <= self.expected {
            let waiting = self.waiting.remove(&first)?;
            let taken = usize::try_from(self.expected - first).unwrap_or(usize::MAX);
            self.since = now;
            if let Ok(packet) = Packet::parse(&waiting.bytes)
                && packet.next() > self.expected
            {
                self.took(&packet);
            }
            return Some(Ok((waiting, taken)));
        }
        let late = over || now.since(self.since) >= WAIT || self.waiting.len() >= WAITING_MAX;
        if !late {
            return None;
        }
        let missing = (self.expected, first - self.expected);
        self.expected = first;
        Some(Err(missing))
    }
}

#[allow(clippy::cast_possible_truncation)]
fn place(number: u64) -> usize {
    number as usize % REMEMBERED
}
